"""What stands on an exchange against what flipr believes: real rows, real venues, the sandbox's own addresses."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db.models import F
from django.utils import timezone

from accounts.models import AccountStatus
from exchanges.limits import Bucket, Charge, used_up
from exchanges.registry import venues
from exchanges.types import Environment, OrderRequest, OrderType, Product, Report, Side
from execution import compare, holdings, observe, pace, supervise
from execution.agreement import CONFIRM
from execution.fills import Seen
from execution.models import BracketState, Comparison, Difference, Holding, Order
from execution.pace import Watched
from execution.record import Ledger, write
from execution.supervise import open_desk
from execution.timeline import Timeline
from tests.execution.sizes import written

pytestmark = pytest.mark.django_db(transaction=True)
LONG = CONFIRM * 2
STOPPING = [
    kind
    for kind in sorted(venues().values(), key=lambda kind: kind.name)
    if kind.features.conditional and kind.product is not Product.MARGIN
]


def look(desk):
    """A whole look at everything the trader trades, some time after the one before."""
    Holding.objects.exclude(doubted_at=None).update(doubted_at=F("doubted_at") - LONG)
    Order.objects.update(updated_at=timezone.now())
    for row in Comparison.objects.filter(account__user=desk.user).select_related("account"):
        supervise.look_after(row.region, row.account.public_id, row.venue, whole=True)


def by_hand(desk, venue, family, side, quantity, symbol="BTCUSDT") -> Report:
    """The user trades on the exchange itself, past flipr."""
    there = open_desk(desk.accounts[family], venue)
    instrument = there.instrument(symbol)
    order = OrderRequest(
        instrument, there.venue.client_id(f"BYHAND{'0' * 20}"), side, OrderType.MARKET, D(quantity)
    )
    return there.venue.place(there.keys, order)


def told(desk):
    rows = Difference.objects.filter(user=desk.user).order_by("pk")
    return [(row.kind, row.believed, row.found) for row in rows]


VENUES = [("Binance_F", "binance"), ("ByBit_F", "bybit"), ("Kraken_F", "kraken_futures")]


@pytest.mark.parametrize(("venue", "family"), VENUES)
def test_what_flipr_trades_itself_is_no_difference(make_desk, venue, family):
    desk = make_desk(families=(family,))
    desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2% tp1 off 4% for 50% tp2 off 9%")
    look(desk)
    desk.sandbox.price("BTC/USDT", "52500")
    desk.supervise(2)
    look(desk)
    look(desk)
    desk.one(f"BTCUSDT on {venue} close 50%")
    look(desk)
    look(desk)
    desk.one(f"BTCUSDT on {venue} go short 0.02")
    look(desk)
    look(desk)
    assert told(desk) == []
    assert [row.believed for row in Holding.objects.filter(account__user=desk.user)] == [D("-0.02")]


@pytest.mark.parametrize(("venue", "family"), VENUES)
def test_a_trade_by_hand_is_shown_and_followed(make_desk, venue, family):
    desk = make_desk(families=(family,))
    desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2%")
    look(desk)
    by_hand(desk, venue, family, Side.SELL, "0.005")
    look(desk)
    assert told(desk) == [], "one look may lie between an order and its history"
    look(desk)
    assert told(desk) == [("manual", D("0.02"), D("0.015"))]
    look(desk)
    assert len(told(desk)) == 1, "belief has followed"
    difference = Difference.objects.get()
    assert difference.bracket == desk.bracket()
    assert difference.order == Order.objects.get(user=desk.user)
    (stop,) = desk.open_orders(venue, family)
    assert D(str(stop["quantity"])) == D("0.015"), "the bracket follows too"


@pytest.mark.parametrize("kind", STOPPING, ids=lambda kind: kind.name)
def test_every_venue_agrees_with_what_was_traded_there(make_desk, kind):
    desk = make_desk(families=(kind.key_family,))
    desk.one(f"BTCUSDT on {kind.name} market long {written(kind, '0.02')} sl off 2% tp off 5%")
    look(desk)
    standing = desk.open_orders(kind.name, kind.key_family)
    desk.sandbox.price("BTC/USDT", "53500")
    desk.supervise(3)
    look(desk)
    look(desk)
    assert told(desk) == []
    assert standing, "nothing was taken for an orphan"
    assert desk.state(kind.name, kind.key_family)["positions"] == []
    assert [each for each in Holding.objects.all() if each.believed] == []
    assert Comparison.objects.get().compared_at is not None


def test_a_position_opened_by_hand_on_another_symbol_is_a_difference(make_desk):
    desk = make_desk(families=("bybit",))
    desk.sandbox.price("ETH/USDT", "3000")
    desk.one("BTCUSDT on ByBit_F market long 0.02")
    look(desk)
    by_hand(desk, "ByBit_F", "bybit", Side.BUY, "0.5", "ETHUSDT")
    look(desk)
    look(desk)
    assert told(desk) == [("manual", D(0), D("0.5"))]


def test_what_stood_there_before_the_first_comparison_is_taken_as_it_is(make_desk):
    desk = make_desk(families=("bybit",))
    by_hand(desk, "ByBit_F", "bybit", Side.BUY, "0.3")
    desk.one("BTCUSDT on ByBit_F market long 0.02")
    look(desk)
    look(desk)
    assert told(desk) == []
    assert Holding.objects.get().believed == D("0.32")


def test_a_position_that_vanished_beyond_its_liquidation_price_was_liquidated(make_desk):
    """The sandbox liquidates nobody: the position goes by hand, after the price went where it would have."""
    desk = make_desk(families=("bybit",))
    desk.one("BTCUSDT on ByBit_F market long 0.02")
    look(desk)
    Holding.objects.update(liquidation_price=D(46000))  # as an exchange tells it with the position
    desk.sandbox.price("BTC/USDT", "45500")
    by_hand(desk, "ByBit_F", "bybit", Side.SELL, "0.02")
    look(desk)
    look(desk)
    assert told(desk) == [("liquidation", D("0.02"), D(0))]
    assert "46000" in Difference.objects.get().why


def test_a_fill_known_after_the_look_is_not_taken_for_a_manual_trade(make_desk):
    """A job's history may wait while the database is away."""
    desk = make_desk(families=("bybit",))
    desk.one("BTCUSDT on ByBit_F market long 0.02")
    look(desk)
    by_hand(desk, "ByBit_F", "bybit", Side.SELL, "0.02")
    (job,) = desk.jobs
    late = Ledger(job, [], Timeline(job.received_ms))
    late.fills["late"] = Seen("late", "BTCUSDT", Side.SELL, D("0.02"))
    look(desk)
    assert Holding.objects.get().doubted == 0
    write(Ledger.load(late.dump()))
    look(desk)
    look(desk)
    assert told(desk) == []


def test_a_fill_told_twice_counts_once_and_one_that_grows_counts_by_what_came(make_desk):
    desk = make_desk(families=("bybit",))
    account = desk.accounts["bybit"]
    first = Seen("f1", "BTCUSDT", Side.BUY, D("0.01"))
    for seen in (first, first, replace(first, filled=D("0.03")), first):
        holdings.keep(account, "ByBit_F", [seen])
    assert Holding.objects.get().believed == D("0.03")


def test_a_difference_waits_while_an_order_of_flipr_is_unresolved(make_desk):
    desk = make_desk(families=("bybit",))
    desk.one("BTCUSDT on ByBit_F market long 0.02")
    look(desk)
    by_hand(desk, "ByBit_F", "bybit", Side.SELL, "0.01")
    Order.objects.update(status="unknown")
    look(desk)
    look(desk)
    assert told(desk) == []
    Holding.objects.update(doubted_at=timezone.now() - timedelta(hours=1))
    look(desk)
    assert told(desk) == [("unknown", D("0.02"), D("0.01"))]


def test_another_key_begins_anew(make_desk):
    desk = make_desk(families=("bybit",))
    desk.one("BTCUSDT on ByBit_F market long 0.02")
    look(desk)
    by_hand(desk, "ByBit_F", "bybit", Side.SELL, "0.02")
    Comparison.objects.update(key_fingerprint="of a key before")
    look(desk)
    look(desk)
    assert told(desk) == []
    assert Holding.objects.get().believed == 0


# -- spot --------------------------------------------------------------------------------------------------


def test_coins_of_the_user_are_not_flipr_s_business(make_desk):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance market long 0.02")
    look(desk)
    by_hand(desk, "Binance", "binance", Side.BUY, "0.5")
    look(desk)
    look(desk)
    assert told(desk) == []


def test_coins_that_a_bracket_claims_and_somebody_sold_are_a_difference(make_desk):
    desk = make_desk(families=("binance",), balances={"USDT": "10000"})
    desk.one("BTCUSDT on Binance market long 0.02 sl off 2%")
    look(desk)
    there = open_desk(desk.accounts["binance"], "Binance")
    for report in there.venue.open_orders(there.keys, there.instrument("BTCUSDT")):
        there.cancel(there.instrument("BTCUSDT"), report.ref)
    bracket = desk.bracket()
    by_hand(desk, "Binance", "binance", Side.SELL, str(bracket.quantity.quantize(D("0.00001"))))
    look(desk)
    look(desk)
    look(desk)
    ((kind, believed, found),) = told(desk)
    assert (kind, believed) == ("manual", bracket.quantity)
    assert found < D("0.0001")
    bracket.refresh_from_db()
    assert bracket.status == BracketState.DONE


@pytest.mark.parametrize("venue", ["Binance", "Binance_F"])
def test_what_a_leg_did_that_cannot_be_asked_for_now_is_not_taken_for_a_trade_by_hand(
    make_desk, monkeypatch, venue
):
    """The limits refused the question for minutes, and its user was told that somebody had traded outside flipr."""
    desk = make_desk(families=("binance",), balances={"USDT": "10000"})
    desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2%")
    look(desk)
    desk.sandbox.price("BTC/USDT", "48000")

    def limited(its, bracket, view):
        raise used_up((Charge("binance", "history", Bucket(100, 600), "key", 1),), 400.0)

    monkeypatch.setattr(observe, "read", limited)
    for _ in range(4):
        look(desk)
    assert told(desk) == []
    monkeypatch.undo()
    for _ in range(3):
        look(desk)
    assert told(desk) == []
    assert desk.bracket().note.startswith("stop filled")


# -- whose turn it is --------------------------------------------------------------------------------------


def active(make_desk, count=1):
    desks = [make_desk(families=("bybit",)) for _ in range(count)]
    for desk in desks:
        holdings.traded(desk.accounts["bybit"], "ByBit_F", "singapore")
    Comparison.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    return desks


def whole_seconds() -> float:
    return 1_700_000_000.0


def test_an_account_is_compared_once_a_period(make_desk):
    (desk,) = active(make_desk)
    pair = (desk.accounts["bybit"].public_id, "ByBit_F")
    assert compare.due("singapore", (), (), clock=whole_seconds) == [pair]
    assert compare.due("singapore", (), (), clock=whole_seconds) == []
    compare.missed(*pair)
    assert Comparison.objects.get().due_at < timezone.now() + timedelta(seconds=10)


def test_other_regions_do_not_compare_it(make_desk):
    active(make_desk)
    assert compare.due("tokyo", (), (), clock=whole_seconds) == []


@pytest.mark.parametrize("status", [AccountStatus.PAUSED, AccountStatus.REJECTED])
def test_a_stopped_account_is_not_asked(make_desk, status):
    (desk,) = active(make_desk)
    type(desk.accounts["bybit"]).objects.update(status=status)
    assert compare.due("singapore", (), (), clock=whole_seconds) == []


def test_an_account_that_no_longer_trades_through_flipr_is_not_asked(make_desk, settings):
    active(make_desk)
    Comparison.objects.update(traded_at=timezone.now() - timedelta(days=settings.COMPARE_DAYS + 1))
    assert compare.due("singapore", (), (), clock=whole_seconds) == []


def test_many_that_are_due_at_once_share_what_the_exchange_allows(make_desk):
    """ByBit: 600 looks a minute and address; a quarter of them, five in two seconds."""
    active(make_desk, 8)
    clock = iter((2.0, 3.0, 4.0, 5.0)).__next__
    rounds = [len(compare.due("singapore", (), (), clock=clock)) for _ in range(4)]
    assert rounds == [3, 2, 3, 0]


def test_those_that_are_supervised_anyway_cost_nothing_of_it(make_desk):
    desks = active(make_desk, 12)
    watched = [(desk.accounts["bybit"].public_id, "ByBit_F") for desk in desks]
    assert sorted(compare.due("singapore", watched, watched, clock=whole_seconds)) == sorted(watched)


def test_those_that_are_supervised_wait_for_the_look_that_comes_anyway(make_desk):
    """On Kraken a comparison of its own every few seconds left none of the limit to protection."""
    desks = active(make_desk, 4)
    watched = [(desk.accounts["bybit"].public_id, "ByBit_F") for desk in desks]
    first, later = watched[:1], watched[1:]
    assert compare.due("singapore", watched, first, clock=whole_seconds) == first
    assert sorted(compare.due("singapore", watched, watched, clock=whole_seconds)) == sorted(later)


@pytest.mark.parametrize(("venue", "family", "seconds"), [("Kraken", "kraken", 18), ("ByBit", "bybit", 3)])
def test_where_looks_are_rare_comparisons_are_rarer(make_desk, settings, venue, family, seconds):
    settings.COMPARE_SECONDS = 1
    desk = make_desk(families=(family,))
    holdings.traded(desk.accounts[family], venue, "eu")
    began = timezone.now() - timedelta(seconds=0.5)
    Comparison.objects.update(due_at=began)
    assert compare.due("eu", (), (), clock=whole_seconds) == [(desk.accounts[family].public_id, venue)]
    assert Comparison.objects.get().due_at - began == timedelta(seconds=seconds)


def test_a_look_that_is_due_for_both_is_one_look(make_desk):
    """And is not followed by another one for supervision alone."""
    desks = active(make_desk, 2)
    guarded, bare = [(desk.accounts["bybit"].public_id, "ByBit_F") for desk in desks]
    watched = [Watched(*guarded, Environment.SANDBOX, "BTCUSDT", ())]
    looks = [(supervise.LOOK, *pair, False) for pair in pace.due("singapore", watched)]
    assert sorted(supervise.with_comparisons("singapore", looks, {guarded})) == sorted(
        [(supervise.LOOK, *guarded, True), (supervise.COMPARE, *bare, True)]
    )
    assert pace.due("singapore", watched) == []
    assert supervise.with_comparisons("singapore", [], {guarded}) == []


def test_protection_is_looked_after_when_nothing_is_left_for_comparisons(make_desk):
    active(make_desk, 3)
    looks = [(supervise.LOOK, f"a_{number}", "ByBit_F", False) for number in range(5)]
    crowd = {(f"a_{number}", "ByBit_F") for number in range(600)}
    found = supervise.with_comparisons("singapore", looks, crowd)
    assert found[:5] == looks
    assert len(found) - 5 <= 1
