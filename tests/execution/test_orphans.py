"""Exits that outlived their bracket are cancelled; whatever else stands is left alone."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.utils import timezone

from exchanges.types import Direction, OrderRequest, OrderStatus, OrderType, Report, Side
from execution import orphans, supervise
from execution.ids import step_token
from execution.models import Bracket, Comparison, Difference, Order
from execution.orphans import same, unclaimed
from execution.protection import Guarded, Leg, LegKind, LegState
from execution.supervise import open_desk
from execution.terms import Protection
from execution.watched import AFTERCARE

pytestmark = pytest.mark.django_db(transaction=True)
VENUES = [
    ("Binance_F", "binance"),
    ("ByBit_F", "bybit"),
    ("Kraken_F", "kraken_futures"),
    ("Binance", "binance"),
]


def look(desk):
    for row in Comparison.objects.filter(account__user=desk.user).select_related("account"):
        supervise.look_after(row.region, row.account.public_id, row.venue, whole=True)


def stop_order(desk, venue, family, client_id, quantity="0.01", price="45000"):
    """A stop on the exchange that no row of ours knows."""
    there = open_desk(desk.accounts[family], venue)
    order = OrderRequest(
        there.instrument("BTCUSDT"),
        client_id,
        Side.SELL,
        OrderType.STOP,
        D(quantity),
        trigger_price=D(price),
        reduce_only=not there.spot,
    )
    there.venue.place(there.keys, order)


def leg_id(desk, venue, family, part):
    """What a leg of the first order would be called on the exchange."""
    there = open_desk(desk.accounts[family], venue)
    return there.venue.client_id(step_token(Order.objects.get(user=desk.user).token, part))


def told(desk):
    return [(row.kind, row.found) for row in Difference.objects.filter(user=desk.user)]


@pytest.mark.parametrize(("venue", "family"), VENUES)
def test_a_leg_of_a_bracket_that_is_long_done_is_cancelled(make_desk, venue, family):
    desk = make_desk(families=(family,))
    desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2%")
    Bracket.objects.update(status="done", updated_at=timezone.now() - 2 * AFTERCARE)
    assert len(desk.open_orders(venue, family)) == 1
    look(desk)
    assert desk.open_orders(venue, family) == []
    ((kind, found),) = told(desk)
    assert (kind, found.quantize(D("0.01"))) == ("orphan", D("-0.02"))
    assert Difference.objects.get().bracket == desk.bracket()


def test_a_leg_of_a_bracket_that_is_just_done_is_cancelled_and_told(make_desk):
    desk = make_desk(families=("bybit",))
    desk.one("BTCUSDT on ByBit_F market long 0.02 sl off 2%")
    Bracket.objects.update(status="done")
    desk.supervise()
    assert desk.open_orders("ByBit_F", "bybit") == []
    look(desk)
    assert told(desk) == [("orphan", D("-0.02"))]


@pytest.mark.parametrize(("venue", "family"), VENUES)
def test_a_leg_that_no_bracket_knows_is_flipr_s_by_its_id(make_desk, venue, family):
    desk = make_desk(families=(family,))
    desk.one(f"BTCUSDT on {venue} market long 0.02")
    stop_order(desk, venue, family, leg_id(desk, venue, family, "stop1.3"))
    look(desk)
    assert desk.open_orders(venue, family) == []
    assert [kind for kind, _ in told(desk)] == ["orphan"]


@pytest.mark.parametrize(("venue", "family"), VENUES)
def test_a_user_s_own_stop_is_left_alone(make_desk, venue, family):
    desk = make_desk(families=(family,))
    desk.one(f"BTCUSDT on {venue} market long 0.02")
    there = open_desk(desk.accounts[family], venue)
    stop_order(desk, venue, family, there.venue.client_id("0" * 26))
    look(desk)
    look(desk)
    assert len(desk.open_orders(venue, family)) == 1
    assert told(desk) == []


def test_an_exit_that_the_user_asked_flipr_for_is_left_alone(make_desk):
    desk = make_desk(families=("bybit",))
    desk.one("BTCUSDT on ByBit_F market long 0.02")
    desk.one("BTCUSDT on ByBit_F close 50% @ 60000")
    look(desk)
    assert len(desk.open_orders("ByBit_F", "bybit")) == 1
    assert told(desk) == []


def test_legs_that_stand_for_a_live_bracket_stay(make_desk):
    desk = make_desk(families=("bybit", "okx"))
    for venue, family in (("ByBit_F", "bybit"), ("OKX_F", "okx")):
        desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2% tp1 off 4% for 50% tp2 off 9%")
        before = desk.open_orders(venue, family)
        look(desk)
        assert desk.open_orders(venue, family) == before
    assert told(desk) == []


def test_nothing_is_taken_for_an_orphan_while_a_job_has_yet_to_write_what_it_placed(make_desk):
    desk = make_desk(families=("bybit",))
    desk.one("BTCUSDT on ByBit_F market long 0.02")
    stop_order(desk, "ByBit_F", "bybit", leg_id(desk, "ByBit_F", "bybit", "stop1.1"))
    Order.objects.update(status="working")
    look(desk)
    assert len(desk.open_orders("ByBit_F", "bybit")) == 1
    Order.objects.update(created_at=timezone.now() - timedelta(hours=1))
    look(desk)
    assert len(desk.open_orders("ByBit_F", "bybit")) == 1, "it may be the stop of what filled"
    Order.objects.update(status="filled")
    look(desk)
    assert desk.open_orders("ByBit_F", "bybit") == []


# -- which order is which leg ------------------------------------------------------------------------------


def leg(client_id="", exchange_id="", status=LegState.OPEN) -> Leg:
    return Leg(LegKind.STOP, 1, D(45000), D(1), client_id=client_id, exchange_id=exchange_id, status=status)


def report(client_id="", exchange_id="", symbol="BTCUSDT") -> Report:
    return Report(
        exchange_id, client_id, symbol, Side.SELL, OrderType.STOP, OrderStatus.OPEN, D(1), reduce_only=True
    )


def guarded(*legs: Leg) -> Guarded:
    return Guarded(
        "b",
        "t",
        "a",
        "ByBit_F",
        "BTCUSDT",
        "BTCUSDT",
        Direction.LONG,
        hedge=False,
        plan=Protection(),
        legs=[*legs],
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "is_it"),
    [
        (("c1", "7"), ("c1", "8"), True),
        (("c1", "7"), ("c2", "7"), False),  # numbers may be unique per symbol or kind only
        (("", "7"), ("c2", "7"), True),
        (("c1", "7"), ("", "7"), True),
        (("c1", ""), ("", ""), False),
    ],
)
def test_a_client_id_goes_before_the_exchange_s_number(ours, theirs, is_it) -> None:
    assert same(leg(*ours), report(*theirs)) is is_it


def test_only_legs_that_stand_claim_an_order_and_only_on_their_instrument() -> None:
    live, ended = leg("c1"), leg("c2", status=LegState.CANCELLED)
    orders = [report("c1"), report("c2"), report("c1", symbol="ETHUSDT"), report("own")]
    assert unclaimed(orders, [guarded(live, ended)]) == orders[1:]


def test_an_order_cancelled_twice_is_told_once(make_desk):
    desk = make_desk(families=("bybit",))
    desk.one("BTCUSDT on ByBit_F market long 0.02 sl off 2%")
    Bracket.objects.update(status="done", updated_at=timezone.now() - 2 * AFTERCARE)
    there = open_desk(desk.accounts["bybit"], "ByBit_F")
    (standing,) = there.venue.open_orders(there.keys, None)
    (orphan,) = orphans.find(there, desk.accounts["bybit"], [standing], [])
    for _ in range(2):
        orphans.cancel("singapore", there, desk.accounts["bybit"], orphan)
    assert len(told(desk)) == 1
