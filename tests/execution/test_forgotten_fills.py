"""Orders that ended while nobody looked, and that the exchange has forgotten: its fills tell what became of them."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from exchanges.registry import venue_class
from exchanges.types import Direction, OrderRef, OrderRequest, OrderType, Side
from execution import differences, dispatch, reconcile
from execution.differences import Gap
from execution.dispatch import Intake
from execution.ids import side_token
from execution.models import DifferenceKind, Holding, Order, OrderState
from execution.supervise import open_desk
from webhooks.syntax import parse

pytestmark = pytest.mark.django_db(transaction=True)
VENUES = ("OKX", "OKX_F", "Deribit_F", "BitMEX_F", "Gate", "HTX_F")
#: longer than any of them remembers an order
AWAY = timedelta(hours=3)
ENTRY = "BTCUSDT on {} market long 0.01 sl off 2%"
RESTS = "BTCUSDT on {} limit long 0.01 at 49000 sl off 2%"


class Trader:
    """An account at one venue."""

    def __init__(self, make_desk, venue, **options):
        self.venue, self.family = venue, venue_class(venue).key_family
        self.desk = make_desk(families=(self.family,), **options)
        self.there = open_desk(self.desk.accounts[self.family], venue)
        self.instrument = self.there.instrument("BTCUSDT")

    def unknown(self, words=ENTRY):
        """A command whose worker died before it told anybody what it had done."""
        with transaction.atomic():
            intake = Intake("d_unknown", "close", self.desk.now_ms())
            prepared = dispatch.prepare(self.desk.user, parse(words.format(self.venue)), intake)
        (token,) = (step.token for job in prepared.jobs for step in job.steps)
        Order.objects.filter(token=token).update(status=OrderState.UNKNOWN)
        return Order.objects.get(token=token)

    def place(self, row, number=0, **words):
        """What that worker had sent."""
        asked = {"side": Side.BUY, "type": OrderType.MARKET, "quantity": Decimal("0.01"), **words}
        client_id = self.there.venue.client_id(side_token(row.token, number))
        order = OrderRequest(instrument=self.instrument, client_id=client_id, **asked)
        return self.there.venue.place(self.there.keys, order)

    def rests(self):
        self.desk.one(RESTS.format(self.venue))
        return Order.objects.get(user=self.desk.user)

    def cancel(self, row):
        """By its user, on the exchange's site."""
        self.there.venue.cancel(self.there.keys, self.instrument, OrderRef(row.client_id, row.exchange_id))

    def away(self, time=AWAY):
        self.desk.sandbox.age(self.family, self.desk.keys[self.family], int(time.total_seconds()))
        for row in Order.objects.filter(user=self.desk.user):
            Order.objects.filter(pk=row.pk).update(created_at=row.created_at - time)

    def looked(self, row, times=1):
        for _ in range(times):
            Order.objects.filter(pk=row.pk).update(updated_at=timezone.now() - timedelta(minutes=3))
            reconcile.look_into(row.region, row.account.public_id, row.venue)
        row.refresh_from_db()
        return row

    def stops(self):
        found = self.there.venue.open_orders(self.there.keys, self.instrument)
        return [(each.side, each.quantity) for each in found if each.type.conditional]


@pytest.fixture(params=VENUES)
def trader(request, make_desk):
    return Trader(make_desk, request.param, balances={"USDT": "100000", "USDC": "100000"})


@pytest.fixture
def okx(make_desk):
    return Trader(make_desk, "OKX_F")


def test_what_filled_unseen_is_found_by_its_fills_and_protected(trader):
    row = trader.unknown()
    trader.place(row)
    trader.away()
    trader.looked(row)
    assert (row.status, row.filled, row.average_price) == (
        OrderState.FILLED,
        Decimal("0.01"),
        row.bracket.entry_price,
    )
    assert "tells its fills" in row.transitions.get(after=OrderState.FILLED).why
    ((side, quantity),) = trader.stops()
    assert (side, quantity) == (Side.SELL, row.bracket.quantity)


def test_what_never_came_is_told_so(trader):
    row = trader.unknown()
    trader.away()
    trader.looked(row)
    assert (row.status, row.error["code"]) == (OrderState.NOT_SENT, "NOT_SENT")
    assert "tells no fill of it" in row.error["message"]
    assert trader.stops() == []


def test_a_resting_order_that_filled_unseen_is_protected(trader):
    row = trader.rests()
    trader.desk.sandbox.price("BTC/USDT", "48990")
    trader.desk.sandbox.price("BTC/USDC", "48990")
    trader.away()
    trader.desk.supervise()
    trader.looked(row, 3)
    assert (row.status, row.resting, row.average_price) == (OrderState.FILLED, False, 49000)
    trader.desk.supervise()
    row.bracket.refresh_from_db()
    assert (row.bracket.status, row.bracket.entry_price) == ("armed", 49000)
    ((side, quantity),) = trader.stops()
    assert (side, quantity) == (Side.SELL, row.bracket.quantity)


def test_a_resting_order_that_ended_without_a_fill_is_cancelled(trader):
    row = trader.rests()
    trader.cancel(row)
    trader.away()
    trader.looked(row, 3)
    assert (row.status, row.resting, row.error) == (OrderState.CANCELLED, False, None)
    trader.desk.supervise()  # Gate and HTX know it by its number still
    row.bracket.refresh_from_db()
    assert row.bracket.status == "done"


def test_what_filled_in_part_is_told_and_protected_as_far_as_it_filled(okx):
    row = okx.unknown()
    okx.desk.sandbox.fault("partial_fill", venue="OKX_F", count=1, share="0.5")
    okx.place(row)
    okx.away()
    okx.looked(row)
    assert (row.status, row.filled) == (OrderState.PARTIALLY_FILLED, Decimal("0.005"))
    assert okx.stops() == [(Side.SELL, Decimal("0.005"))]


def test_an_acknowledged_order_without_a_fill_is_cancelled(okx):
    row = okx.unknown()
    report = okx.place(row, type=OrderType.LIMIT, price=Decimal(40000))
    Order.objects.filter(pk=row.pk).update(exchange_id=report.exchange_id)
    okx.cancel(row)
    okx.away()
    okx.looked(row)
    assert (row.status, row.error) == (OrderState.CANCELLED, None)


def test_where_long_and_short_stand_apart_the_right_one_is_protected(make_desk):
    okx = Trader(make_desk, "OKX_F", position_mode="hedge")
    row = okx.unknown("BTCUSDT on {} market short 0.01 sl off 2%")
    okx.place(row, side=Side.SELL, position_side=Direction.SHORT)
    okx.away()
    okx.looked(row)
    assert (row.bracket.direction, row.bracket.hedge) == ("short", True)
    assert okx.stops() == [(Side.BUY, Decimal("0.01"))]


@pytest.mark.parametrize(
    ("sent", "state", "code", "filled"),
    [
        (2, OrderState.FILLED, None, "0.02"),
        (1, OrderState.PARTIALLY_FILLED, "HALF_DONE", "0.01"),
        (0, OrderState.NOT_SENT, "NOT_SENT", None),
    ],
)
def test_a_close_of_both_sides_is_told_by_the_fills_of_each(make_desk, sent, state, code, filled):
    okx = Trader(make_desk, "OKX_F", position_mode="hedge")
    for side in Direction:
        okx.desk.one(f"BTCUSDT on OKX_F market {side} 0.01")
    row = okx.unknown("BTCUSDT on {} close")
    for number, held in list(enumerate(Direction))[:sent]:
        okx.place(row, number, side=held.exit_side, position_side=held)
    okx.away()
    okx.looked(row)
    assert (row.status, row.filled) == (state, filled and Decimal(filled))
    assert (row.error and row.error["code"]) == code


def test_while_the_fills_cannot_be_read_nothing_is_concluded(okx):
    row = okx.unknown()
    okx.away()
    okx.desk.sandbox.fault("http_500", venue="OKX_F", path="GET /api/v5/trade/fills-history")
    assert okx.looked(row).status == OrderState.UNKNOWN
    okx.desk.sandbox.no_faults()
    Order.objects.update(lookups=0)  # as after the pause
    assert okx.looked(row).status == OrderState.NOT_SENT


def test_an_order_older_than_the_fills_that_are_told_is_not_judged_by_them(okx):
    row = okx.unknown()
    okx.away(timedelta(days=85))
    assert okx.looked(row).status == OrderState.UNKNOWN


def test_of_a_stop_entry_whose_fills_do_not_name_it_their_absence_tells_nothing(okx):
    row = okx.unknown("BTCUSDT on {} stop long 0.01 at 51000")
    okx.away()
    assert okx.looked(row).status == OrderState.UNKNOWN


@pytest.mark.parametrize(("seen", "believed"), [(False, "0.01"), (True, "0.02")])
def test_a_fill_that_the_comparison_has_found_before_is_not_counted_twice(okx, seen, believed):
    row = okx.unknown("BTCUSDT on {} market long 0.01")
    okx.place(row)
    okx.away()
    if seen:
        account = okx.desk.accounts["okx"]
        Holding.objects.create(account=account, venue="OKX_F", instrument="BTC-USDT-SWAP", believed="0.02")
        gap = Gap("OKX_F", "BTC-USDT-SWAP", DifferenceKind.UNKNOWN, Decimal(0), Decimal("0.02"), "not known")
        differences.record(account, gap)
    assert okx.looked(row).status == OrderState.FILLED
    assert Holding.objects.get().believed == Decimal(believed)
