"""Orders that the exchange may have forgotten by the time somebody asks: nothing is told that nobody knows."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from execution import differences, reconcile, supervise
from execution.brokers import region_redis
from execution.differences import Gap
from execution.models import DifferenceKind, Holding, Order, OrderState
from tests.execution.test_reconcile import unknown

pytestmark = pytest.mark.django_db(transaction=True)
#: longer than any exchange here remembers
OLD = timedelta(hours=3)


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
    region_redis(row.region).delete(f"unseen:{row.token}")  # as after a minute without a look
    Order.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(seconds=120))
    assert ask(row).status == OrderState.UNKNOWN
