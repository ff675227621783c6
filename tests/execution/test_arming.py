"""Legs whose fate is not known: never placed a second time beside themselves, always told."""

from decimal import Decimal as D

import pytest

from execution.models import BracketState

PAIRED = [("Binance", "binance"), ("ByBit_F", "bybit")]


def path_of_pairs(venue):
    return {"Binance": "orderList/oco", "ByBit_F": "trading-stop"}[venue]


@pytest.mark.parametrize(("venue", "family"), PAIRED)
def test_a_pair_whose_answer_is_lost_is_found_and_not_placed_again(desk, venue, family):
    desk.sandbox.fault("drop_after", venue=venue, path=path_of_pairs(venue), rate=1, count=1)
    result = desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    assert (result["error"], result["protection"]["status"]) == (None, "armed")
    assert len(desk.open_orders(venue, family)) == 2


@pytest.mark.parametrize(("venue", "family"), PAIRED)
def test_a_pair_that_never_arrived_is_placed_leg_by_leg(desk, venue, family):
    desk.sandbox.fault("drop_before", venue=venue, path=path_of_pairs(venue), rate=1, count=1)
    result = desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    assert (result["error"], result["protection"]["status"]) == (None, "armed")
    stops = [each for each in desk.open_orders(venue, family) if each["type"] == "stop"]
    assert [D(each["quantity"]) > D("0.009") for each in stops] == [True]


def test_a_stop_that_cannot_be_confirmed_is_told_and_confirmed_later(desk):
    """The stop arrives, its answer is lost, and for a while nobody can ask either."""
    desk.sandbox.fault("drop_after", venue="Binance_F", path="algoOrder", rate=1, count=1)
    desk.sandbox.fault("http_503", venue="Binance_F", path="lgoOrder", rate=1, count=6)
    result = desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    assert result["error"]["code"] == "PROTECTION_FAILED"
    assert "not confirmed" in result["error"]["message"]
    desk.sandbox.no_faults()
    desk.supervise(3)
    assert (desk.bracket().status, desk.bracket().note) == (BracketState.ARMED, "")
    (stop,) = desk.open_orders("Binance_F", "binance")
    assert stop["type"] == "stop"
