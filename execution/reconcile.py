"""Ends what nobody ended: orders whose outcome is unknown, jobs whose worker died, orders that rest unwatched.

Nothing is ever sent again from here. A job nobody claimed is claimed and called off; an order that may have
left is looked for by our client id until the exchange knows it, or has had ample time to. What a dead worker
owed a fill, its protection, is placed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

from celery import current_app
from django.conf import settings
from django.db.models import F, Min, Q, QuerySet, Value, Window
from django.db.models.functions import Least, RowNumber
from django.utils import timezone

from accounts.models import Account, AccountStatus
from accounts.vault import VaultError
from exchanges.errors import AuthRefused, ExchangeError, OrderNotFound
from exchanges.limits import Priority, pressing
from exchanges.rounds import Round
from exchanges.types import Direction, Fill, Instrument, OrderRef, Report, Side
from execution import (
    brackets,
    claims,
    everything,
    forgotten,
    holdings,
    keycheck,
    lanes,
    mishap,
    sides,
    turns,
    unseen,
)
from execution.arming import UNPROTECTED, arm, cancel_legs, exit_leg
from execution.brokers import producer_pool
from execution.claims import Claim
from execution.commands import (
    Cancel,
    Close,
    Entry,
    EntryKind,
    Go,
    Protect,
    Protection,
    Reverse,
    Setting,
    Step,
)
from execution.desk import Desk
from execution.entry import fill_price, protect_fill, spelled_out, trouble
from execution.errand import state_of
from execution.ids import new_public_id, step_token
from execution.jobs import plain
from execution.models import OPEN_STATES, Bracket, BracketState, Order, OrderState
from execution.moves import take_away_replaced
from execution.observe import nameless, take_in, take_in_entry, unknown_there
from execution.outcome import recent
from execution.protection import Guarded, Leg, LegKind, LegState, desired_legs
from execution.rejection import Rejection, error_object
from execution.supervise import LANE_SECONDS, lease, open_desk
from execution.transitions import RECONCILIATION as WHO
from execution.transitions import move_order
from execution.wire import load

log = logging.getLogger(__name__)
#: a job younger than this is left to its worker
GRACE = timedelta(seconds=1)
#: a worker that lives has this long after the message went stale
LATE = timedelta(seconds=30)
#: a resting order that no bracket follows is asked for this often
RESTING = timedelta(seconds=15)
#: an exchange tells the position that an order led to by then
SETTLED = timedelta(seconds=10)
#: as far as looks are counted
MOST_LOOKUPS = 30
#: what keeps a look from its end although nothing is wrong with flipr
TROUBLE = (ExchangeError, Rejection, VaultError)
#: one that a bracket follows, when supervision has not heard of it for so long
UNHEARD = timedelta(minutes=2)
#: looks in a row that did not find a resting order
GONE = 3
#: exits at market of one bracket that are looked for
MOST_EXITS = 8
BY_NAME = "found on the exchange by its client id"
BY_FILLS = "the exchange does not know it any more, and tells its fills"
NO_FILLS = "the exchange does not know this order any more, and tells no fill of it: nothing was carried out"
HALF_DONE = "no new position was opened; the old one may have been closed: look at the position"
#: results behind which no order and no bracket stands
_LEAVES_NOTHING = (
    OrderState.NOTHING_TO_DO,
    OrderState.REJECTED,
    OrderState.NOT_SENT,
    OrderState.EXPIRED,
    OrderState.SKIPPED,
    OrderState.DRY_RUN,
)
#: the symbol of a row that is about all of them
EVERYTHING = "*"
#: so many accounts of one venue, and so many orders of one account, a round goes through
BATCH = 50
LOOK = "execution.tasks.reconcile_account"
#: one account is asked about for so long; the lease outlives the slowest answer after that
LOOK_SECONDS = 10.0
LEASE_SECONDS = 60


def spread(region: str) -> None:
    """One task per account and venue that has something to ask: an exchange that does not answer holds up nobody
    who waits for another."""
    pairs = due(region)
    if not pairs:
        return
    with producer_pool(region).acquire(block=True) as producer:
        for account, venue in pairs:
            current_app.send_task(
                LOOK,
                (region, account, venue),
                producer=producer,
                queue=f"watch.{region}",
                expires=5,
                retry=False,
            )


def due(region: str) -> list[tuple[str, str]]:
    """(account, venue) with orders whose end the exchange must tell, and with orders that rest unwatched. What can
    be ended without asking is ended here."""
    claims.kept_since(region, timezone.now())  # from the first round on it is known what Redis has lost
    pairs = [*_abandoned_pairs(region), *_pairs_in_question(region), *_pairs_unwatched(region)]
    return list(dict.fromkeys(pairs))


def _abandoned_pairs(region: str) -> Iterator[tuple[str, str]]:
    """Of jobs that were begun, as far as history knows; of each venue some, every account in its turn."""
    rows = Order.objects.filter(_begun(), region=region)
    turn = Window(RowNumber(), partition_by="account", order_by="created_at")
    for venue in rows.order_by().values_list("venue", flat=True).distinct():
        found = rows.filter(venue=venue).select_related("account", "account__user").annotate(turn=turn)
        for row in found.order_by("turn", "created_at")[:BATCH]:
            with _alone(row):
                if (account := _to_ask(region, row)) is not None:
                    yield account.public_id, venue


def _pairs_in_question(region: str) -> list[tuple[str, str]]:
    now = timezone.now()
    rows = Order.objects.filter(_in_question(), region=region)
    return turns.pairs(rows, now, BATCH)


def _pairs_unwatched(region: str) -> list[tuple[str, str]]:
    """Those first that were asked about longest ago."""
    rows = Order.objects.filter(_unwatched(), region=region, account__isnull=False)
    found = rows.order_by().values_list("account__public_id", "venue").annotate(last=Min("updated_at"))
    return turns.some_of_each(((account, venue) for account, venue, _ in found.order_by("last")), BATCH)


@contextmanager
def _alone(row: Order) -> Iterator[None]:
    """What goes wrong about one order is looked at later, and holds up none of the others."""
    with mishap.caught(f"looking into order {row.token}") as mishaps:
        yield
    if mishaps:
        _later(row)


def look_into(region: str, account: str, venue: str, clock: Callable[[], float] = time.monotonic) -> None:
    """Ask for the orders of one account at one venue. Two never do at once; what is left after a while comes with
    the next round."""
    with lease(region, f"reconciling:{account}:{venue}", LEASE_SECONDS) as held:
        if not held:
            return
        until = clock() + LOOK_SECONDS
        own = Order.objects.filter(region=region, venue=venue, account__public_id=account)
        own = own.select_related("account", "account__user")
        rows = _to_settle(own)
        lists = Round(min((row.created_at for row in rows), default=timezone.now()) - unseen.CLOCKS)
        for row in rows:
            if clock() < until:
                with _alone(row):
                    if _to_ask(region, row) is not None:
                        _settle(region, row, lists)
        for row in own.filter(_unwatched()).order_by("updated_at")[:BATCH]:
            if clock() < until:
                with _alone(row):
                    _follow(row)


def _to_settle(own: QuerySet[Order]) -> list[Order]:
    now = timezone.now()
    return [
        *own.filter(_begun()).order_by("created_at")[:BATCH],
        *turns.orders(own.filter(_in_question()), now, BATCH),
    ]


def _unwatched() -> Q:
    """They rest, and no bracket follows them; or one does, and nothing was heard of them for long."""
    now = timezone.now()
    alone = Q(bracket=None) | Q(bracket__entry_open=False) | Q(updated_at__lt=now - UNHEARD)
    tried = Q(account__status=AccountStatus.REJECTED, updated_at__gte=now - UNHEARD)  # its key may be refused
    return alone & ~tried & Q(resting=True, account__isnull=False, updated_at__lt=now - RESTING)


def _begun() -> Q:
    """Nobody has told their end, and they have not been asked for."""
    never_asked = Q(lookups=0) | Q(account=None)
    return Q(status=OrderState.WORKING, created_at__lt=timezone.now() - GRACE) & never_asked


def _in_question() -> Q:
    """Not those whose account was deleted when they had been told to be unknown: nobody can ask for them."""
    told = Q(status=OrderState.UNKNOWN) | Q(status=OrderState.WORKING, lookups__gt=0)
    return told & Q(created_at__lt=timezone.now() - GRACE, account__isnull=False)


def _to_ask(region: str, row: Order) -> Account | None:
    """Whose key asks the exchange about this order; None when there is nothing to ask, or nobody."""
    if row.status == OrderState.WORKING and not _abandoned(region, row):
        return None
    if row.status == OrderState.WORKING and _told(region, row):
        _leave_lane(region, row)
        return None
    if row.account is None:
        _end(row, OrderState.UNKNOWN, "OUTCOME_UNKNOWN", "its account was deleted: look at the exchange")
    return row.account


def _settle(region: str, row: Order, lists: Round) -> None:
    assert row.account is not None
    step: Step = load(row.step, Step)
    if isinstance(step, Protect) and _finished_move(row, step):
        pass
    elif isinstance(step, Cancel | Protect | Setting):
        message = "it was cut short, and may have been carried out in part: send it again"
        _end(row, OrderState.NOT_SENT, "WORKER_DIED", message)
    elif isinstance(step, Close) and row.symbol == EVERYTHING:
        _swept(region, row, step)
    else:
        _ask(row, step, lists)
    _leave_lane(region, row)


@contextmanager
def _lane(row: Order) -> Iterator[None]:
    """A command that is at work on the symbol must not meet a stop that is just placed. Raises LaneBusy."""
    assert row.account is not None
    lane = lanes.lane_of(row.account.public_id, row.venue, row.symbol)
    with lanes.on_behalf(row.region, lane, row.job, LANE_SECONDS):
        yield


def _swept(region: str, row: Order, step: Close) -> None:
    """A close of everything has no order of its own to ask for: the positions tell how it ended."""
    assert row.account is not None
    try:
        with pressing(Priority.ENTRY):
            left = everything.still_open(open_desk(row.account, row.venue), step, row.account.public_id)
    except TROUBLE as error:
        log.warning("what %s left open could not be looked up: %s", row.token, error)
        _later(row)
        return
    at_work = row.status == OrderState.WORKING and claims.look(region, row.job) is Claim.ALIVE
    young = timezone.now() - row.created_at <= timedelta(seconds=settings.GIVE_UP_SECONDS)
    if not left:
        move_order(row.token, OrderState.FILLED, by=WHO, why="nothing is open any more", error=None)
    elif at_work or young:
        _later(row)
    else:
        state = OrderState.PARTIALLY_FILLED if row.filled else OrderState.NOT_SENT
        message = f"still open: {', '.join(left)}; what else was open may have been closed"
        _end(row, state, "LEFT_OPEN", message)


def _leave_lane(region: str, row: Order) -> None:
    """Nobody will end this job any more: those behind it may go."""
    if row.account is not None:
        lanes.leave(region, lanes.lane_of(row.account.public_id, row.venue, row.symbol), row.job)


def _finished_move(row: Order, step: Protect) -> bool:
    """A worker died while it moved a stop or a target. True when some of its legs stand: then the rest of the
    move is done, for a leg that no bracket knows would outlive its position. False: nothing of it stands."""
    try:
        with _lane(row):
            return _finish_move(row, step)
    except lanes.LaneBusy:
        return True  # the next round comes soon
    except TROUBLE as error:
        if not _never_left(row, error):
            log.warning("the move %s could not be looked up: %s", row.token, error)
            _later(row)
        return True


def _finish_move(row: Order, step: Protect) -> bool:
    assert row.account is not None
    desk = open_desk(row.account, row.venue)
    bracket = _resumed(desk, desk.named(row.symbol), row, step)
    if bracket is None:
        return False
    holdings.keep(row.account, row.venue, desk.fills.values())
    saved = brackets.save_new(bracket, row.account, row.region)
    brackets.replaced(row.account, bracket, timezone.now())
    told = error_object("PROTECTION_FAILED", bracket.note) if bracket.note else None
    move_order(row.token, OrderState.DONE, by=WHO, why="finished for its worker", bracket=saved, error=told)
    return True


def _resumed(desk: Desk, instrument: Instrument, row: Order, step: Protect) -> Guarded | None:
    for position in desk.positions(instrument):
        bracket = _bracket_of(row, instrument, position.direction, spelled_out(step.protection))
        bracket.hedge = not desk.spot and desk.hedged(instrument)
        bracket.entry_price = position.entry_price or desk.quote(instrument).last
        bracket.quantity = position.quantity
        _adopt(desk, instrument, bracket)
        if any(leg.token for leg in bracket.legs):
            arm(desk, bracket, instrument)
            take_away_replaced(desk, bracket, instrument, position)
            return bracket
    return None


def _abandoned(region: str, row: Order) -> bool:
    """True when no worker will end this row any more. One that nobody took in time is called off here; where Redis may
    have lost the claim of somebody who did, only the exchange can tell."""
    claim = claims.look(region, row.job)
    if claim is Claim.ALIVE:
        return timezone.now() > row.fresh_until + LATE and not _at_it(region, row)
    if claim is Claim.DEAD:
        return True
    if timezone.now() <= row.fresh_until or (claim is Claim.FREE and not claims.call_off(region, row.job)):
        return False
    if not claims.kept_since(region, row.created_at - unseen.CLOCKS):
        return True
    _end(row, OrderState.EXPIRED, "EXPIRED", "no worker took it in time; nothing was sent")
    _leave_lane(region, row)
    return False


def _at_it(region: str, row: Order) -> bool:
    """What is done about all symbols may take long; it keeps its place in the lane for as long as it gets on."""
    if row.symbol != EVERYTHING or row.account is None:
        return False
    return lanes.at_work(region, lanes.lane_of(row.account.public_id, row.venue, row.symbol), row.job)


def _told(region: str, row: Order) -> bool:
    """Its worker died after the answer and before history: an answer that leaves no order behind is the end, for
    nothing else can tell it any more."""
    for part in (recent(region, row.job) or {"results": ()})["results"]:
        result = part["result"]
        if part["position"] == row.position and result["status"] in _final(row):
            why = "its worker had told the caller so"
            error, would_send = result["error"], result.get("would_send")
            return move_order(
                row.token, result["status"], by=WHO, why=why, error=error, would_send=would_send
            )
    return False


def _final(row: Order) -> frozenset[OrderState]:
    """Answers that nothing on the exchange could add to. What was cancelled or set is no order either."""
    step = load(row.step, Step)
    told = {OrderState.CANCELLED, OrderState.DONE} if isinstance(step, Cancel | Setting) else set()
    return frozenset({*_LEAVES_NOTHING, *told})


def _ask(row: Order, step: Step, lists: Round) -> None:
    assert row.account is not None
    try:
        desk = open_desk(row.account, row.venue)
        desk.lists = lists
        instrument = desk.named(row.symbol)  # an order may stand where trading is stopped
        if sides.both(desk, instrument, step):
            _ask_both(desk, instrument, row)
        elif (report := _asked(desk, instrument, row, step)) is None:
            _not_found(desk, instrument, row, step)
        else:
            with _lane(row), pressing(Priority.PROTECT):  # a position may stand there without its stop
                _take_over(desk, instrument, row, report)
    except lanes.LaneBusy:
        return  # the next round comes soon
    except AuthRefused as error:
        log.warning("order %s could not be looked up, for the key is refused: %s", row.token, error)
        keycheck.doubt(row.region, row.account.public_id, row.account.sealed)
        _later(row)
    except TROUBLE as error:
        if not _never_left(row, error):
            log.warning(
                "order %s could not be looked up, or its fill not be protected yet: %s", row.token, error
            )
            _later(row)


def _never_left(row: Order, error: Exception) -> bool:
    """Whether its worker, who goes by the same list, sent nothing: the exchange has no such market, and nothing of
    flipr's says that it ever had. The row has its end then."""
    young = timezone.now() - row.created_at <= timedelta(seconds=settings.GIVE_UP_SECONDS)
    unlisted = isinstance(error, Rejection) and error.code == "UNKNOWN_SYMBOL"
    if young or not unlisted or row.exchange_id or row.instrument:
        return False
    if Order.objects.filter(venue=row.venue, symbol=row.symbol).exclude(instrument="").exists():
        return False  # taken off the list since, maybe
    _end(row, OrderState.NOT_SENT, "UNKNOWN_SYMBOL", f"{error}: nothing was sent")
    return True


def _asked(desk: Desk, instrument: Instrument, row: Order, step: Step) -> Report | None:
    """None when the exchange does not know it."""
    try:
        with pressing(Priority.ENTRY), desk.lists.asking():
            return desk.venue.fetch(desk.keys, instrument, _ref(row, step))
    except OrderNotFound:
        return None


def _ask_both(desk: Desk, instrument: Instrument, row: Order) -> None:
    """A close of both sides ends when the ends of both are known. One side that is open, and whose order the exchange
    does not know, may have been opened since; or its order never came, or is on its way still."""
    with _lane(row), pressing(Priority.ENTRY):
        found = sides.ask(desk, instrument, row)
        other = sides.unaccounted(desk, instrument, found)
        if found and other is None:
            _close_known(desk, instrument, row, found)
        elif timezone.now() - row.created_at <= timedelta(seconds=settings.GIVE_UP_SECONDS):
            _later(row)
        elif not forgotten.recalled(row):
            _forgotten_sides(desk, instrument, row, found)
        elif not found:
            _end(
                row,
                OrderState.NOT_SENT,
                "NOT_SENT",
                "the exchange does not know this order: it never arrived",
            )
        else:
            _close_known(desk, instrument, row, found, other)


def _forgotten_sides(desk: Desk, instrument: Instrument, row: Order, known: list[Report]) -> None:
    told = sides.told_by_fills(desk, instrument, row, known)
    if told:
        _close_known(desk, instrument, row, told, sides.unaccounted(desk, instrument, told))
    elif told is not None:
        _end(row, OrderState.NOT_SENT, "NOT_SENT", NO_FILLS)
    else:
        message = "the exchange does not know all orders of this close any more: whether they filled, it does not tell"
        _hand_over(row, message, "look at the position and at the order history on the exchange")


def _close_known(
    desk: Desk, instrument: Instrument, row: Order, found: list[Report], left: Direction | None = None
) -> None:
    """`left`: the side that was not closed."""
    if not Order.objects.filter(pk=row.pk, status__in=OPEN_STATES).exists():
        return
    for report in found:
        _count(desk, instrument, row, report)
    whole, error = sides.together(found, instrument), None
    state = state_of(whole.status, whole.filled, whole.quantity)
    if left is not None:
        message = f"{plain(whole.filled)} was closed, and the order for the {left} side never arrived"
        error = error_object("HALF_DONE", message, "look at the position, and close it again")
        state = OrderState.PARTIALLY_FILLED if state == OrderState.FILLED else state
    news = _news(whole) | {"client_id": whole.client_id, "quantity": whole.quantity}
    move_order(row.token, state, by=WHO, why=BY_NAME, instrument=instrument.symbol, error=error, **news)


def _take_over(
    desk: Desk,
    instrument: Instrument,
    row: Order,
    report: Report,
    why: str = BY_NAME,
    *,
    counted: bool = False,
) -> None:
    """`counted`: what it filled is part of what flipr believes already."""
    if Order.objects.filter(pk=row.pk, status__in=OPEN_STATES).exists():
        if not counted:
            _count(desk, instrument, row, report)
        _found(desk, instrument, row, report, why)


def _ref(row: Order, step: Step) -> OrderRef:
    conditional = isinstance(step, Entry) and step.kind is EntryKind.STOP
    return OrderRef(row.client_id, row.exchange_id, conditional, row.quantity)


def _not_found(desk: Desk, instrument: Instrument, row: Order, step: Step) -> None:
    remembers = forgotten.recalled(row) and not row.exchange_id
    if timezone.now() - row.created_at <= timedelta(seconds=settings.GIVE_UP_SECONDS):
        _later(row)
    elif not remembers:
        _forgotten(desk, instrument, row, step)
    elif isinstance(step, Go | Reverse):
        _end(row, OrderState.NOT_SENT, "HALF_DONE", HALF_DONE)
    else:
        _end(row, OrderState.NOT_SENT, "NOT_SENT", "the exchange does not know this order: it never arrived")


def _forgotten(desk: Desk, instrument: Instrument, row: Order, step: Step) -> None:
    """It may have come, filled and been forgotten since. Where neither fills nor the position tell, only its user can."""
    fills = unseen.fills_of(desk, instrument, _ref(row, step), row.created_at)
    if fills:
        report = unseen.report_of(desk, row, instrument, step, _ref(row, step), fills)
        with _lane(row):
            counted = unseen.followed(row, instrument, fills)
            _take_over(desk, instrument, row, report, BY_FILLS, counted=counted)
        return
    if fills is not None:
        _without_fill(row, step)
        return
    if _unmoved(desk, instrument, row):
        message = "the exchange does not know this order, and the position is what it was without it"
        _end(row, OrderState.NOT_SENT, "NOT_SENT", message)
        return
    message = "the exchange does not know this order any more: whether it filled before, it does not tell"
    _hand_over(row, message, "look at the position and at the order history on the exchange")


def _without_fill(row: Order, step: Step) -> None:
    """It never came, or came and ended."""
    if isinstance(step, Go | Reverse):
        _end(row, OrderState.NOT_SENT, "HALF_DONE", HALF_DONE)
    elif row.exchange_id:
        move_order(row.token, OrderState.CANCELLED, by=WHO, why=NO_FILLS, error=None, filled=Decimal(0))
    else:
        _end(row, OrderState.NOT_SENT, "NOT_SENT", NO_FILLS)


def _unmoved(desk: Desk, instrument: Instrument, row: Order) -> bool:
    with _lane(row):
        return forgotten.unmoved(desk, row, instrument)


def _hand_over(row: Order, message: str, hint: str) -> None:
    """Only a human can tell; what the exchange may still say is asked for all the same."""
    _leave_to_people(row, message, hint)
    _ask_again(row)


def _leave_to_people(row: Order, message: str, hint: str) -> None:
    error = error_object("OUTCOME_UNKNOWN", message, hint)
    if row.error != error:
        log.error("order %s on %s is left to its user: %s", row.token, row.venue, message)
        if not move_order(row.token, OrderState.UNKNOWN, by=WHO, why=message, error=error):
            Order.objects.filter(pk=row.pk, status=OrderState.UNKNOWN).update(error=error)


def _later(row: Order) -> None:
    """Ask again after a pause. People are told after minutes (`execution.alarms`); in the end it is left to them."""
    if turns.passed(row, turns.HAND_OVER, timezone.now()):
        message = "flipr could not find out what became of this order"
        _leave_to_people(row, message, "look at the exchange; flipr goes on asking now and then")
    _ask_again(row)


def _ask_again(row: Order) -> None:
    counted = Least(F("lookups") + 1, Value(MOST_LOOKUPS))
    Order.objects.filter(pk=row.pk).update(lookups=counted, updated_at=timezone.now())


def _found(desk: Desk, instrument: Instrument, row: Order, report: Report, why: str) -> None:
    bracket = _rebuild(desk, instrument, row, report)
    if row.account is not None:
        holdings.keep(row.account, row.venue, desk.fills.values())
    if bracket is not None and row.account is not None:
        row.bracket = brackets.save_new(bracket, row.account, row.region)
    error = error_object("PROTECTION_FAILED", bracket.note) if bracket and trouble(bracket) else None
    move_order(
        row.token,
        state_of(report.status, report.filled, report.quantity),
        by=WHO,
        why=why,
        instrument=instrument.symbol,
        bracket=row.bracket,
        error=error,
        quantity=report.quantity,
        **_news(report),
    )


def _count(desk: Desk, instrument: Instrument, row: Order, report: Report) -> None:
    """What it filled is part of what flipr believes from now on."""
    desk.saw(report, instrument, report.side, report.client_id or row.client_id)
    if row.account is not None:
        holdings.keep(row.account, row.venue, desk.fills.values())
        holdings.traded(row.account, row.venue, row.region)


def _news(report: Report) -> dict[str, object]:
    return {
        "exchange_id": report.exchange_id,
        "filled": report.filled,
        "average_price": report.average_price,
        "resting": not report.status.final,
        "lookups": 0,
    }


def _end(row: Order, status: OrderState, code: str, message: str) -> None:
    move_order(row.token, status, by=WHO, why=message, error=error_object(code, message))


def _follow(row: Order) -> None:
    """A resting order that nobody else looks at: whether it filled."""
    assert row.account is not None
    try:
        desk = open_desk(row.account, row.venue)
        _look_at_resting(desk, desk.named(row.instrument or row.symbol), row)
    except lanes.LaneBusy:
        return
    except TROUBLE as error:
        log.warning("resting order %s could not be looked up: %s", row.token, error)
        if isinstance(error, AuthRefused):
            keycheck.doubt(row.region, row.account.public_id, row.account.sealed)
        Order.objects.filter(pk=row.pk).update(updated_at=timezone.now())


def _look_at_resting(desk: Desk, instrument: Instrument, row: Order) -> None:
    step: Step = load(row.step, Step)
    two = sides.both(desk, instrument, step)
    found = sides.ask(desk, instrument, row) if two else _known(desk, instrument, row, step)
    if not found:
        _gone(desk, instrument, row)
        return
    whole = sides.together(found, instrument) if two else found[0]
    if two and len(found) == 1 and whole.status.final and row.lookups + 1 < GONE:
        Order.objects.filter(pk=row.pk).update(lookups=F("lookups") + 1, updated_at=timezone.now())
        return
    forgotten.looked(row)
    for report in found:
        _count(desk, instrument, row, report)
    state = state_of(whole.status, whole.filled, whole.quantity)
    if not move_order(row.token, state, by=WHO, why="its state on the exchange", **_news(whole)):
        resting = not whole.status.final  # its state was known before
        Order.objects.filter(pk=row.pk).update(resting=resting, updated_at=timezone.now())


def _known(desk: Desk, instrument: Instrument, row: Order, step: Step) -> list[Report]:
    try:
        return [desk.venue.fetch(desk.keys, instrument, _ref(row, step))]
    except OrderNotFound:
        return []


def _gone(desk: Desk, instrument: Instrument, row: Order) -> None:
    """What an exchange still remembers and does not know was ended without a fill; of what it may have forgotten, its
    fills tell, else the position. One look is no look."""
    sure = forgotten.recalled(row)
    if row.lookups + 1 < GONE:
        Order.objects.filter(pk=row.pk).update(lookups=F("lookups") + 1, updated_at=timezone.now())
        return
    step: Step = load(row.step, Step)
    single = not sides.both(desk, instrument, step)
    fills = None
    if single and not sure:
        fills = unseen.fills_of(desk, instrument, _ref(row, step), row.created_at)
    if fills:
        _filled_unseen(desk, instrument, row, step, fills)
        return
    why, error = "it does not stand on the exchange any more", None
    if not sure and fills is None and not _unmoved(desk, instrument, row):
        why = "the exchange does not know it any more: whether it filled before, it does not tell"
        error = error_object(
            "ENDED_UNSEEN", why, "look at the position and the order history on the exchange"
        )
        log.error("resting order %s on %s: %s", row.token, row.venue, why)
    brackets.entry_ended(row.token, why)
    ended = OrderState.PARTIALLY_FILLED if row.filled else OrderState.CANCELLED
    if not move_order(row.token, ended, by=WHO, why=why, error=error, resting=False):
        Order.objects.filter(pk=row.pk).update(resting=False)  # it had ended, and still counted as resting


def _filled_unseen(desk: Desk, instrument: Instrument, row: Order, step: Step, fills: list[Fill]) -> None:
    """The bracket that waits for the fill is told, and supervision places what is missing; a bracket that somebody else
    has just written is told by the next look."""
    report = unseen.report_of(desk, row, instrument, step, _ref(row, step), fills)
    with _lane(row):
        if not _told_bracket(desk, instrument, row, report):
            return
        if not unseen.followed(row, instrument, fills):
            _count(desk, instrument, row, report)
        state = state_of(report.status, report.filled, report.quantity)
        if not move_order(row.token, state, by=WHO, why=BY_FILLS, **_news(report)):
            Order.objects.filter(pk=row.pk).update(resting=False)


def _told_bracket(desk: Desk, instrument: Instrument, row: Order, report: Report) -> bool:
    held = Bracket.objects.select_related("account").filter(token=row.token, entry_open=True)
    for waiting in held.exclude(status=BracketState.DONE):
        bracket = brackets.from_row(waiting)
        take_in_entry(desk, bracket, instrument, report)
        return brackets.save(bracket, waiting.version, by=WHO)
    return True


# -- the protection a dead worker owed -----------------------------------------------------------------------


def _rebuild(desk: Desk, instrument: Instrument, row: Order, report: Report) -> Guarded | None:
    """The bracket of an entry: adopt the legs that stand, place the ones that are missing."""
    step: Step = load(row.step, Step)
    plan = getattr(step, "protection", Protection())
    if (
        not isinstance(step, Entry | Go | Reverse)
        or (step.direction is not None and report.side is not step.direction.entry_side)  # it made less of it
        or not plan
        or Bracket.objects.filter(token=row.token).exists()
    ):
        return None
    direction = report.position_side or (Direction.LONG if report.side is Side.BUY else Direction.SHORT)
    bracket = _bracket_of(row, instrument, direction, spelled_out(plan))
    bracket.hedge = report.position_side is not None
    bracket.entry_client_id = report.client_id or row.client_id
    bracket.entry_exchange_id = report.exchange_id
    bracket.entry_conditional = report.type.conditional
    bracket.entry_level = report.trigger_price or report.price
    bracket.entry_open = not report.status.final
    if report.filled:
        bracket.entry_price = fill_price(desk, instrument, bracket, report)
        bracket.quantity = report.filled
        _adopt(desk, instrument, bracket)
        _adopt_exit(desk, instrument, bracket)
    young = timezone.now() - row.created_at < SETTLED
    if bracket.status == BracketState.DONE or bracket.in_doubt:
        return bracket  # while the end of an exit is not known, nothing goes out beside it
    if _stands_whole(desk, bracket, instrument, young=young):
        protect_fill(desk, bracket, instrument, report)
    return bracket


def _stands_whole(desk: Desk, bracket: Guarded, instrument: Instrument, *, young: bool) -> bool:
    """Whether the position is as large as what is to be protected of it. If not, it was closed since: two looks have to
    agree on that, of which this is one. Of a young order it may only not be told yet: a stop too many is taken away by
    supervision, one too few by nobody. Spot tells when a stop is placed."""
    if desk.spot or not bracket.remaining or young:
        return True
    held = sum((each.quantity for each in desk.positions(instrument, bracket.direction)), Decimal(0))
    bracket.gone_seen = int(held <= bracket.remaining - instrument.step)
    return not bracket.gone_seen


def _bracket_of(row: Order, instrument: Instrument, direction: Direction, plan: Protection) -> Guarded:
    return Guarded(
        public_id=new_public_id("b"),
        token=row.token,
        account=row.account.public_id if row.account else "",
        venue=row.venue,
        symbol=row.symbol,
        instrument=instrument.symbol,
        direction=direction,
        hedge=False,
        plan=plan,
        stop_policy=row.stop_policy,
    )


def _adopt(desk: Desk, instrument: Instrument, bracket: Guarded) -> None:
    """Take over the legs the dead worker had placed."""
    standing = desk.venue.open_orders(desk.keys, instrument)
    by_id = {each.client_id: each for each in standing if each.client_id}
    for place, leg in enumerate(desired_legs(bracket.plan, bracket.frame(instrument), bracket.quantity), 1):
        found = _own_leg(desk, bracket, leg, by_id) or nameless(bracket, leg, standing)
        if found is None:
            _adopt_filled(desk, instrument, bracket, leg, place)
        else:
            leg.client_id, leg.exchange_id, leg.status = found.client_id, found.exchange_id, LegState.OPEN
            leg.quantity = found.quantity or leg.quantity
            leg.linked = desk.venue.linked(found)
            bracket.legs.append(leg)


def _adopt_filled(desk: Desk, instrument: Instrument, bracket: Guarded, leg: Leg, place: int) -> None:
    """One that has filled since is not among the open orders. Legs are numbered as they are placed."""
    leg.token = step_token(bracket.token, f"{leg.kind}{leg.number}.{place}")
    leg.client_id = desk.venue.client_id(leg.token)
    if unknown_there(desk, leg):
        return
    try:
        report = _ended(desk, instrument, leg)
    except OrderNotFound:
        return
    bracket.generation = max(bracket.generation, place)
    if report.filled:
        desk.saw(report, instrument, bracket.direction.exit_side, leg.client_id)
        leg.status = LegState.OPEN
        bracket.legs.append(leg)
        take_in(bracket, leg, report, ends_both=False)


def _ended(desk: Desk, instrument: Instrument, leg: Leg) -> Report:
    """What became of an order that does not stand any more: its end is that for good, anything else is asked anew.
    Raises OrderNotFound: the dead worker had not placed it."""
    with desk.lists.asking():
        report = desk.venue.fetch(desk.keys, instrument, leg.ref)
    return report if report.status.final else desk.venue.fetch(desk.keys, instrument, leg.ref)


def _adopt_exit(desk: Desk, instrument: Instrument, bracket: Guarded) -> None:
    """The dead worker may have closed what had no stop: at market, which must not be done twice. What one order left,
    the next one may have closed."""
    if bracket.plan.stop is None or bracket.live(LegKind.STOP):
        return
    for _ in range(MOST_EXITS):
        if not bracket.remaining or bracket.in_doubt or not _adopted_exit(desk, instrument, bracket):
            return


def _adopted_exit(desk: Desk, instrument: Instrument, bracket: Guarded) -> bool:
    """Whether there was one, and may be another."""
    leg = exit_leg(desk, bracket, bracket.remaining, UNPROTECTED)
    try:
        report = _ended(desk, instrument, leg)
    except OrderNotFound:
        return False
    desk.saw(report, instrument, bracket.direction.exit_side, leg.client_id)
    leg.status, leg.exchange_id = LegState.OPEN, report.exchange_id
    bracket.legs.append(leg)
    take_in(bracket, leg, report, ends_both=False)
    if leg.status is LegState.FILLED and bracket.remaining < instrument.step:
        cancel_legs(desk, bracket, instrument, bracket.live())
        bracket.status = BracketState.DONE
    return bracket.status != BracketState.DONE


def _own_leg(desk: Desk, bracket: Guarded, leg: Leg, standing: dict[str, Report]) -> Report | None:
    """The worker numbered its legs from one: find the one it placed."""
    for generation in range(1, 9):
        token = step_token(bracket.token, f"{leg.kind}{leg.number}.{generation}")
        if (found := standing.get(desk.venue.client_id(token))) is not None:
            leg.token = token
            bracket.generation = max(bracket.generation, generation)
            return found
    return None
