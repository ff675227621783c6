"""Changing sides: everything is checked before the old position is touched, and half of it is told as half."""

from decimal import Decimal as D

import pytest
from django.test import Client

from execution.models import Order

FUTURES = [("Binance_F", "binance"), ("ByBit_F", "bybit"), ("Kraken_F", "kraken_futures")]


def held(desk, venue, family):
    return [(each["direction"], D(each["quantity"])) for each in desk.state(venue, family)["positions"]]


@pytest.mark.parametrize(("venue", "family"), FUTURES)
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("go short 0.01 sl at 40000", "STOP_WRONG_SIDE"),
        ("go short 0.01 sl off 2% tp at 60000", "TP_WRONG_SIDE"),
        ("go short 0.00001 sl off 2%", "BELOW_MIN_SIZE"),
        ("go long 0.00001", "BELOW_MIN_SIZE"),
        ("reverse sl at 40000", "STOP_WRONG_SIDE"),
        ("reverse to short 0.00001", "BELOW_MIN_SIZE"),
    ],
)
def test_what_is_wrong_about_the_new_side_leaves_the_old_one_alone(desk, venue, family, text, code):
    desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2%")
    result = desk.one(f"BTCUSDT on {venue} {text}")
    assert (result["status"], result["error"]["code"]) == ("rejected", code)
    assert held(desk, venue, family) == [("long", D("0.02"))]
    assert len(desk.open_orders(venue, family)) == 1


@pytest.mark.parametrize(("venue", "family"), FUTURES)
@pytest.mark.parametrize("text", ["go short 500", "reverse to short 90"])
def test_a_close_whose_other_half_fails_is_told_as_half_done(make_desk, venue, family, text):
    asset = "USD" if family == "kraken_futures" else "USDT"
    desk = make_desk(families=(family,), balances={asset: "20000"})
    desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2%")
    result = desk.one(f"BTCUSDT on {venue} {text}")
    if result["error"]["code"] == "ABOVE_MAX_SIZE":  # this exchange's own limit was known beforehand
        assert held(desk, venue, family) == [("long", D("0.02"))]
        return
    assert (result["status"], result["error"]["code"]) == ("partially_filled", "HALF_DONE")
    assert "0.02 was closed" in result["error"]["message"]
    assert held(desk, venue, family) == []
    desk.supervise(2)
    assert desk.open_orders(venue, family) == []


def test_in_hedge_mode_go_leaves_only_the_wanted_side(make_desk):
    desk = make_desk(families=("binance", "bybit"), position_mode="hedge")
    for venue, family in (("Binance_F", "binance"), ("ByBit_F", "bybit")):
        desk.one(f"BTCUSDT on {venue} market long 0.02")
        desk.one(f"BTCUSDT on {venue} market short 0.01")
        result = desk.one(f"BTCUSDT on {venue} go long 0.01")
        assert result["error"] is None
        assert held(desk, venue, family) == [("long", D("0.01"))]


def test_pages_say_contracts_where_coins_are_the_margin(make_desk):
    desk = make_desk(families=("bybit",))
    desk.one("BTCUSD on ByBit_C go long 100 sl off 2%")
    more = desk.one("BTCUSD on ByBit_C go long 300")
    assert "the 200 contracts that were added" in more["protection"]["note"]
    page = Client()
    page.force_login(desk.user)
    first = Order.objects.filter(user=desk.user).earliest("created_at")
    told = page.get(f"/orders/{first.token}/").content.decode()
    assert "100 of 100 contracts at 50000.1" in told
    assert ">Contracts</th>" in told
    assert ">200 contracts</td>" in page.get("/orders/").content.decode()


@pytest.mark.parametrize(("venue", "family"), [("Binance_F", "binance"), ("Kraken_F", "kraken_futures")])
def test_go_that_adds_without_a_stop_says_that_the_addition_is_bare(make_desk, venue, family):
    desk = make_desk(families=(family,))
    first = desk.one(f"BTCUSDT on {venue} go long 0.01 sl off 2%")
    assert "note" not in first["protection"]
    more = desk.one(f"BTCUSDT on {venue} go long 0.03")
    assert (more["status"], more["error"], more["protection"]["status"]) == ("filled", None, "none")
    assert "the 0.02 BTC that were added" in more["protection"]["note"]
    page = Client()
    page.force_login(desk.user)
    order = Order.objects.filter(user=desk.user).latest("created_at")
    assert "0.02 BTC that were added" in page.get(f"/orders/{order.token}/").content.decode()
    assert "note" not in desk.one(f"BTCUSDT on {venue} go long 0.04 sl off 2%")["protection"]
    assert "note" not in desk.one(f"BTCUSDT on {venue} go short 0.01")["protection"]
