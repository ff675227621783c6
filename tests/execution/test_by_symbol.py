"""Exchanges that list open orders of one symbol at a time are looked after and cleared all the same."""

from decimal import Decimal as D

import pytest

from execution.models import ACTIVE_BRACKETS, Bracket, BracketState

VENUES = [("Phemex", "phemex"), ("Phemex_F", "phemex")]


@pytest.mark.parametrize(("venue", "family"), VENUES)
def test_brackets_on_two_symbols_are_both_supervised(make_desk, venue, family):
    desk = make_desk(families=(family,))
    for pair, price in (("BTC/USDT", "50000"), ("ETH/USDT", "3000")):
        desk.sandbox.price(pair, price)
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    desk.one(f"ETHUSDT on {venue} market long 0.5 sl off 2% tp off 5%")
    desk.supervise()
    active = Bracket.objects.filter(status__in=ACTIVE_BRACKETS)
    assert {each.symbol for each in active} == {"BTCUSDT", "ETHUSDT"}, "nothing was taken for gone"
    desk.sandbox.price("BTC/USDT", "53500")
    desk.sandbox.price("ETH/USDT", "2900")
    desk.supervise(4)
    assert desk.open_orders(venue, family) == []
    assert desk.state(venue, family)["positions"] == []
    ended = {
        each.symbol: [leg["kind"] for leg in each.legs if leg["status"] == "filled"]
        for each in Bracket.objects.filter(status=BracketState.DONE)
    }
    assert ended == {"BTCUSDT": ["target"], "ETHUSDT": ["stop"]}


def test_the_kill_switch_reaches_every_perpetual(make_desk):
    desk = make_desk(families=("phemex",))
    desk.one("BTCUSDT on Phemex_F market long 0.01 sl off 2%")
    desk.one("SOLUSDT on Phemex_F limit long 5 @ 50")
    closed, cancelled = desk.send("* on Phemex_F close all cancel all")
    assert (closed["status"], closed["error"], cancelled["error"]) == ("filled", None, None)
    assert desk.state("Phemex_F", "phemex")["positions"] == []
    assert desk.open_orders("Phemex_F", "phemex") == []


def test_a_kill_switch_that_cannot_list_the_orders_says_so(make_desk):
    desk = make_desk(families=("phemex",), balances={"USDT": "10000"})
    desk.one("BTCUSDT on Phemex limit long 0.01 @ 40000")
    cancelled = desk.one("* on Phemex cancel all")
    assert cancelled["error"]["code"] == "NOT_SUPPORTED"
    assert [D(each["price"]) for each in desk.open_orders("Phemex", "phemex")] == [40000]
    assert desk.one("BTCUSDT on Phemex cancel all")["error"] is None
    assert desk.open_orders("Phemex", "phemex") == []
