"""Orders that the exchange may have forgotten by the time somebody asks: nothing is told that nobody knows."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from exchanges.registry import venue_class
from execution import differences, reconcile, supervise
from execution.brokers import region_redis
from execution.differences import Gap
from execution.models import Bracket, DifferenceKind, Holding, Order, OrderState
from tests.execution.test_reconcile import unknown

pytestmark = pytest.mark.django_db(transaction=True)
#: longer than any exchange here remembers
OLD = timedelta(hours=3)


@pytest.fixture(autouse=True)
def without_fills(monkeypatch):
    """As an exchange that does not tell its fills: what they tell is in test_forgotten_fills.py."""
    for venue in ("OKX", "OKX_F", "Gate_F"):
        kind = venue_class(venue)
        monkeypatch.setattr(kind, "features", replace(kind.features, fills_memory_seconds=0))


@pytest.fixture
def okx(make_desk):
    """An account that traded on futures, and agrees with the exchange."""
    desk = make_desk(families=("okx",))
    assert desk.one("BTCUSDT on OKX_F market long 0.01")["status"] == "filled"
    account = desk.accounts["okx"]
    supervise.look_after(Order.objects.get().region, account.public_id, "OKX_F", whole=True)
    return desk


def never_known(desk, venue, age):
    """The exchange knows no order by this id."""
    rows = unknown(desk, venue)
    rows.update(created_at=timezone.now() - age)
    return rows.get()


def ask(row):
    reconcile.look_into(row.region, row.account.public_id, row.venue)
    Order.objects.filter(pk=row.pk).update(lookups=0)  # as after the pause
    row.refresh_from_db()
    return row


def test_where_the_position_is_what_it_was_nothing_was_carried_out(okx):
    row = ask(never_known(okx, "OKX_F", OLD))
    assert row.status == OrderState.NOT_SENT
    assert "the position is what it was" in row.error["message"]


def test_where_the_position_is_another_one_its_user_is_told_to_look(okx, caplog):
    """It filled while no worker was up, and the exchange has forgotten it: "it never arrived" would be a lie."""
    Holding.objects.update(believed=0)
    row = never_known(okx, "OKX_F", OLD)
    for _ in range(2):
        ask(row)
    assert (row.status, row.error["code"]) == (OrderState.UNKNOWN, "OUTCOME_UNKNOWN")
    assert "order history" in row.error["hint"]
    assert caplog.text.count("is left to its user") == 1


def test_a_position_that_was_followed_meanwhile_tells_nothing(okx):
    """The comparison found the fill, put it down as a difference, and believes it since."""
    row = never_known(okx, "OKX_F", OLD)
    gap = Gap("OKX_F", "BTC-USDT-SWAP", DifferenceKind.UNKNOWN, Decimal(0), Decimal("0.01"), "not known")
    differences.record(okx.accounts["okx"], gap)
    assert ask(row).status == OrderState.UNKNOWN


def test_of_two_forgotten_on_one_symbol_the_position_tells_nothing(okx):
    first, second = never_known(okx, "OKX_F", OLD), never_known(okx, "OKX_F", OLD)
    ask(first)
    second.refresh_from_db()
    assert [first.status, second.status] == [OrderState.UNKNOWN, OrderState.UNKNOWN]


def test_on_spot_no_position_tells(make_desk):
    desk = make_desk(families=("okx",), balances={"USDT": "100000"})
    assert ask(never_known(desk, "OKX", OLD)).status == OrderState.UNKNOWN


def test_an_account_that_never_agreed_with_the_exchange_tells_nothing(make_desk):
    desk = make_desk(families=("okx",))
    assert ask(never_known(desk, "OKX_F", OLD)).status == OrderState.UNKNOWN


def test_an_order_the_exchange_had_a_number_for_did_arrive(make_desk):
    desk = make_desk(families=("okx",))
    row = never_known(desk, "OKX_F", timedelta(minutes=2))
    Order.objects.filter(pk=row.pk).update(exchange_id="312269865356374016")
    assert ask(row).status == OrderState.UNKNOWN


def test_who_looked_all_the_time_knows_although_the_exchange_forgets_soon(make_desk):
    """Gate remembers by our id for a minute, which is as long as an order may be on its way."""
    desk = make_desk(families=("gate",))
    row = never_known(desk, "Gate_F", timedelta(seconds=30))
    assert ask(row).status == OrderState.UNKNOWN
    Order.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(seconds=70))
    assert ask(row).status == OrderState.NOT_SENT


def test_who_looks_too_late_does_not(make_desk):
    desk = make_desk(families=("gate",))
    row = never_known(desk, "Gate_F", timedelta(seconds=30))
    ask(row)
    region_redis(row.region).delete(f"asked:{row.token}")  # as after a minute without a look
    Order.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(seconds=120))
    assert ask(row).status == OrderState.UNKNOWN


# -- orders that rest --------------------------------------------------------------------------------------------

UNHEARD_OF = "f" + "0" * 26
RESTS = "BTCUSDT on OKX_F limit long 0.01 at 40000"


def lose(desk, words, age=OLD):
    """A resting order that the exchange does not know any more, by no name. Its row, as `age` later."""
    desk.one(words)
    row = Order.objects.get(user=desk.user, status=OrderState.OPEN)
    row.client_id, row.exchange_id, row.created_at = UNHEARD_OF, "", timezone.now() - age
    row.save()
    Bracket.objects.filter(user=desk.user).update(entry_client_id=UNHEARD_OF, entry_exchange_id="")
    return row


def follow(row, times):
    for _ in range(times):
        Order.objects.filter(pk=row.pk).update(updated_at=timezone.now() - timedelta(minutes=3))
        reconcile.look_into(row.region, row.account.public_id, row.venue)
    row.refresh_from_db()
    return row


def test_a_resting_order_that_is_gone_ends_after_some_looks(okx):
    row = follow(lose(okx, RESTS, timedelta(minutes=5)), 2)
    assert (row.status, row.resting) == (OrderState.OPEN, True)
    follow(row, 1)
    assert (row.status, row.resting, row.error) == (OrderState.CANCELLED, False, None)
    (end,) = row.transitions.filter(after=OrderState.CANCELLED, by="reconciliation")
    assert end.why == "it does not stand on the exchange any more"


def test_of_one_the_exchange_may_have_forgotten_the_position_tells_that_it_did_not_fill(okx):
    row = follow(lose(okx, RESTS), 3)
    assert (row.status, row.error) == (OrderState.CANCELLED, None)


def test_where_the_position_does_not_tell_its_user_is(okx, caplog):
    Holding.objects.update(believed=0)
    row = follow(lose(okx, RESTS), 3)
    assert (row.status, row.resting, row.error["code"]) == (OrderState.CANCELLED, False, "ENDED_UNSEEN")
    assert "whether it filled" in caplog.text


def test_a_bracket_whose_entry_is_gone_ends_with_it(okx):
    row = follow(lose(okx, f"{RESTS} sl off 2%"), 3)
    assert (row.status, row.bracket.status, row.bracket.entry_open) == ("cancelled", "done", False)


def test_an_order_that_supervision_hears_of_is_not_asked_for_twice(okx):
    okx.one(f"{RESTS} sl off 2%")
    row = Order.objects.get(user=okx.user, status=OrderState.OPEN)
    Order.objects.filter(pk=row.pk).update(updated_at=timezone.now() - timedelta(seconds=30))
    assert reconcile.due(row.region) == []
    okx.supervise()
    Order.objects.filter(pk=row.pk).update(updated_at=timezone.now() - timedelta(minutes=3))
    assert reconcile.due(row.region) == [(okx.accounts["okx"].public_id, "OKX_F")]
    assert follow(row, 1).status == OrderState.OPEN
