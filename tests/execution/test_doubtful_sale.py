"""A sale at market whose answer was lost: it is not sent again while it may be on its way, nor when the exchange may
have forgotten it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from exchanges.types import OrderRequest, OrderType, Side
from execution import attempts, brackets, confirm
from execution.models import Bracket, BracketState
from execution.protection import LegKind, LegState
from execution.supervise import open_desk

PLACE = {
    "Binance_F": "POST /fapi/v1/order",
    "Bitget": "POST /api/v2/spot/trade/place-order",
    "OKX": "POST /api/v5/trade/order",
}


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(confirm, "RESOLVE_SECONDS", (0.0,))
    monkeypatch.setattr(attempts, "STOP_RETRY_SECONDS", (0.0,))


def family(venue):
    return venue.partition("_")[0].lower()


def doubtful(make_desk, venue="Binance_F"):
    """A fill that no stop could be placed for; the sale that was to close it never arrived."""
    desk = make_desk(families=(family(venue),), balances={"USDT": "100000"})
    desk.one(f"BTCUSDT on {venue} limit long 0.02 at 49000 sl off 2%")
    desk.sandbox.price("BTC/USDT", "48990")
    desk.sandbox.fault("reject_stop", venue=venue)
    desk.sandbox.fault("drop_before", venue=venue, path=f"{PLACE[venue]} ", count=1)
    desk.supervise()
    desk.sandbox.no_faults()
    desk.sandbox.fault("reject_stop", venue=venue)
    (leg,) = brackets.from_row(desk.bracket()).live(LegKind.EXIT)
    assert leg.status is LegState.OPEN
    return desk


def sales(desk, venue="Binance_F"):
    calls = desk.state(venue, family(venue))["calls"]
    return [each for each in calls if f"{each['method']} {each['path']}" == PLACE[venue]]


def held(desk):
    return sum(
        (Decimal(each["quantity"]) for each in desk.state("Binance_F", "binance")["positions"]), Decimal(0)
    )


def test_it_is_given_as_long_as_a_command_however_often_it_is_looked_for(make_desk):
    """After six looks, which are six seconds, it went out again: the first one might arrive then as well."""
    desk = doubtful(make_desk)
    before = len(sales(desk))
    desk.supervise(8)
    assert (len(sales(desk)), held(desk)) == (before, Decimal("0.02"))
    assert "is not confirmed" in desk.bracket().note
    assert desk.bracket().status == BracketState.FAILED
    desk.later(61)
    desk.supervise(3)
    assert (held(desk), desk.bracket().status) == (Decimal(0), BracketState.DONE)
    tried = [leg for leg in brackets.from_row(desk.bracket()).legs if leg.kind is LegKind.EXIT]
    assert (len(tried), len({leg.client_id for leg in tried})) == (2, 1), "the first might come yet"


def forget(row):
    """Nobody looked for longer than the exchange remembers."""
    bracket = brackets.from_row(row)
    for leg in bracket.legs:
        if leg.at_market:
            leg.sent_at, leg.missed_at = timezone.now() - timedelta(days=100), None
    Bracket.objects.filter(pk=row.pk).update(legs=brackets.columns(bracket)["legs"])


def sell_by_another_name(desk, quantity):
    """What the sale would have done; the exchange does not know it by its id any more."""
    there = open_desk(desk.accounts["binance"], "Binance_F")
    sale = OrderRequest(
        instrument=there.instrument("BTCUSDT"),
        client_id=there.venue.client_id("0" * 26),
        side=Side.SELL,
        type=OrderType.MARKET,
        quantity=Decimal(quantity),
        reduce_only=True,
    )
    there.venue.place(there.keys, sale)


def test_one_that_was_forgotten_and_took_place_is_not_done_again(make_desk):
    """Beside it stands what was bought after it, which a second sale would close."""
    desk = doubtful(make_desk)
    first = desk.bracket().pk
    desk.sandbox.no_faults()
    desk.one("BTCUSDT on Binance_F market long 0.05 sl off 10%")
    sell_by_another_name(desk, "0.02")
    forget(Bracket.objects.get(pk=first))
    before = len(sales(desk))
    desk.supervise(4)
    assert (len(sales(desk)), held(desk)) == (before, Decimal("0.05"))
    assert Bracket.objects.get(pk=first).status == BracketState.DONE
    assert brackets.from_row(desk.bracket()).remaining == Decimal("0.05")


def test_one_that_was_forgotten_and_did_not_take_place_is_done(make_desk):
    desk = doubtful(make_desk)
    forget(desk.bracket())
    desk.supervise(4)
    assert (held(desk), desk.bracket().status) == (Decimal(0), BracketState.DONE)


def test_on_spot_a_forgotten_one_is_left_to_its_user(make_desk, caplog):
    desk = doubtful(make_desk, "Bitget")
    forget(desk.bracket())
    before = len(sales(desk, "Bitget"))
    desk.supervise(4)
    assert len(sales(desk, "Bitget")) == before
    row = desk.bracket()
    assert (row.status, "look at the position" in row.note) == (BracketState.FAILED, True)
    assert caplog.text.count("its sale at market") == 1


@pytest.mark.parametrize("took_place", [True, False])
def test_of_a_forgotten_one_its_fills_tell_where_the_exchange_tells_them(make_desk, took_place):
    desk = doubtful(make_desk, "OKX")
    (leg,) = brackets.from_row(desk.bracket()).live(LegKind.EXIT)
    if took_place:
        there = open_desk(desk.accounts["okx"], "OKX")
        bought = there.instrument("BTCUSDT")
        sale = OrderRequest(bought, leg.client_id, Side.SELL, OrderType.MARKET, leg.quantity)
        there.venue.place(there.keys, sale)
    desk.sandbox.age("okx", desk.keys["okx"], 3 * 3600)
    desk.later(3 * 3600)
    before = len(sales(desk, "OKX"))
    desk.supervise(4)
    assert len(sales(desk, "OKX")) - before == (0 if took_place else 1)
    assert desk.bracket().status == BracketState.DONE
    assert Decimal(desk.state("OKX", "okx")["balances"]["BTC"]["total"]) < Decimal("0.0001")
