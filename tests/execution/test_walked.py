"""Each request of a command goes wrong once, in each way it can: lost on its way, carried out without an answer, refused
for the rate. Whatever the caller was told first, in the end history says what the exchange's books say, what was to be
protected is, and nothing was done twice."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.utils import timezone

from exchanges import transport
from exchanges.errors import OutcomeUnknown, Unreachable
from exchanges.registry import venue_class, venues
from execution import attempts, book, confirm, pairing, reconcile
from execution.models import ACTIVE_BRACKETS, OPEN_STATES, Bracket, Order
from tests.execution.sizes import counted, written

LONGEST = 40


class Fault:
    """Strikes the request with this number."""

    def __init__(self, monkeypatch):
        self.left, self.struck, self.kind = 0, "", ""
        send = transport.Transport.send

        def sent(line, request):
            self.left -= 1
            if self.left != 0:
                return send(line, request)
            self.struck = f"{request.method} {request.target.partition('?')[0]}"
            if self.kind == "unreached":
                raise Unreachable("the exchange could not be reached")
            if self.kind == "answer lost":
                send(line, request)
            raise OutcomeUnknown("no answer from the exchange")

        monkeypatch.setattr(transport.Transport, "send", sent)


@pytest.fixture
def fault(monkeypatch):
    monkeypatch.setattr(confirm, "RESOLVE_SECONDS", (0.0, 0.0))
    monkeypatch.setattr(confirm, "SETTLE_SECONDS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(attempts, "STOP_RETRY_SECONDS", (0.0, 0.0))
    monkeypatch.setattr(pairing, "PAIR_LOOK_SECONDS", (0.0, 0.0))
    return Fault(monkeypatch)


@dataclass(frozen=True)
class Story:
    """What stands, and the command that something happens to."""

    before: tuple[str, ...]
    command: str

    def __str__(self):
        return self.command


GUARD = "sl off 2% tp off 5%"
OPEN = f"market long {{0.02}} {GUARD}"
STORIES = [
    Story((), OPEN),
    Story((), "market long {0.02} sl off 2%"),
    Story((OPEN,), "close"),
    Story((OPEN,), "close 50%"),
    Story((OPEN,), f"go long {{0.03}} {GUARD}"),
    Story((OPEN,), f"go long {{0.01}} {GUARD}"),
    Story((OPEN,), "go flat"),
    Story((OPEN,), "sl off 1%"),
    Story((OPEN,), "cancel all"),
]
BRIEF = [STORIES[0], STORIES[3], STORIES[5], STORIES[7]]
TURNS = [Story((OPEN,), f"reverse {GUARD}"), Story((OPEN,), f"go short {{0.03}} {GUARD}")]


def spelled(venue, words):
    kind = venue_class(venue)
    for size in ("0.01", "0.02", "0.03"):
        words = words.replace(f"{{{size}}}", written(kind, size))
    return f"BTCUSDT on {venue} {words}"


def recover(desk):
    """As beat and the workers would, until the order's end is known; so late that no limit counts."""
    desk.sandbox.enforce_limits(False)
    for seconds in (2, 5, 20, 120):
        Order.objects.filter(status__in=OPEN_STATES).update(
            created_at=timezone.now() - timedelta(seconds=seconds), lookups=0
        )
        for region in ("eu", "tokyo", "singapore"):
            for account, venue in reconcile.due(region):
                reconcile.look_into(region, account, venue)
        for _ in range(3):
            book.pool().close()
            book.pool.cache_clear()  # the limits are counted there
            desk.supervise()
            desk.later(20)


@pytest.mark.parametrize("kind", ["answer lost"])
@pytest.mark.parametrize(
    ("venue", "story"),
    [*(("ByBit_F", each) for each in BRIEF), ("Kraken", BRIEF[1])],
    ids=str,
)
def test_in_the_end_history_is_what_the_books_say(make_desk, fault, venue, story, kind):
    walk(make_desk, fault, venue, story, kind)


@pytest.mark.walk
@pytest.mark.parametrize("kind", ["unreached", "request lost", "answer lost"])
@pytest.mark.parametrize("story", [*STORIES, *TURNS], ids=str)
@pytest.mark.parametrize("venue", [kind.name for kind in venues().values() if kind.features.conditional])
def test_the_same_on_every_venue(make_desk, fault, venue, story, kind):
    walk(make_desk, fault, venue, story, kind)


def walk(make_desk, fault, venue, story, kind):
    family, product = venue_class(venue).key_family, venue_class(venue).product.value
    if story in TURNS and product == "spot":
        pytest.skip("spot has no short positions")
    for number in range(1, LONGEST):
        money = {"USDT": "100000", "USD": "100000", "USDC": "100000"} | (
            {"BTC": "10"} if product == "inverse" else {}
        )
        desk = make_desk(families=(family,), balances=money)
        for words in story.before:
            assert desk.one(spelled(venue, words))["error"] is None
        fault.left, fault.struck, fault.kind = number, "", kind
        told = desk.one(spelled(venue, story.command))
        fault.left = 0
        recover(desk)
        agrees(desk, venue, family, told, f"request {number}, {fault.struck}, told {told}")
        if not fault.struck:
            return
    raise AssertionError("it never came to an end")


def agrees(desk, venue, family, told, when):
    kind = venue_class(venue)
    state = desk.state(venue, family)
    row = Order.objects.get(delivery=f"d_test{desk.user.pk}_{desk.count}")
    assert row.status not in OPEN_STATES, (when, row.status)
    ours = [each for each in state["orders"] if each["client_id"].endswith(row.client_id)]
    done = sum((D(each["filled"]) for each in ours), D(0))
    if row.action == "entry":
        assert counted_sum(kind, ours) == (row.filled or D(0)), (when, row.status, done)
    if told["status"] == "filled":
        assert row.status == "filled", when
    held = position(desk, kind, state)
    stops = [each for each in state["orders"] if each["status"] == "open" and each["type"].startswith("stop")]
    active = Bracket.objects.filter(user=desk.user, status__in=ACTIVE_BRACKETS)
    guarded = sum((counted(kind, each) for each in stops), D(0))
    if row.action == "cancel":  # what could not be cancelled is told
        assert not stops or row.status != "cancelled", when
        return
    if not held:
        assert [each for each in state["orders"] if each["status"] == "open"] == [], when
        assert not active.exists(), (when, active.values("note", "legs"))
        return
    assert abs(guarded - held) <= held * D("0.01"), (
        when,
        row.status,
        row.error,
        guarded,
        held,
        list(active.values("note", "status", "legs")),
    )


def counted_sum(kind, rows):
    return sum(
        (
            D(each["filled"]) * (D(each["contract_size"]) if kind.product.value != "inverse" else 1)
            for each in rows
        ),
        D(0),
    )


def position(desk, kind, state):
    if kind.product.value == "spot":
        return D(state["balances"].get("BTC", {"total": "0"})["total"])
    return sum((counted(kind, each) for each in state["positions"]), D(0))
