"""What supervision has to make good of BingX's own ways: stops of a position have no id of ours and may not exceed it."""

from decimal import Decimal as D

import pytest

from execution.models import BracketState

VENUE, FAMILY = "BingX_F", "bingx"


def test_two_targets_and_a_stop_wait_side_by_side_and_the_last_fill_clears_the_rest(make_desk):
    desk = make_desk(families=(FAMILY,))
    result = desk.one(f"BTCUSDT on {VENUE} market long 0.01 sl off 2% tp1 off 3% for 50% tp2 off 5%")
    assert (result["status"], result["error"]) == ("filled", None)
    assert len(desk.open_orders(VENUE, FAMILY)) == 3
    desk.sandbox.price("BTC/USDT", "51600")
    desk.supervise(2)
    (left,) = desk.state(VENUE, FAMILY)["positions"]
    assert D(left["quantity"]) == D("0.005")
    quantities = {D(each["quantity"]) for each in desk.open_orders(VENUE, FAMILY)}
    assert quantities == {D("0.005")}, "the stop fits what is left"
    desk.sandbox.price("BTC/USDT", "53000")
    desk.supervise(4)
    assert desk.open_orders(VENUE, FAMILY) == []
    assert desk.state(VENUE, FAMILY)["positions"] == []
    assert desk.bracket().status == BracketState.DONE


def test_a_stop_that_moves_makes_room_for_the_new_one(make_desk):
    desk = make_desk(families=(FAMILY,))
    desk.one(f"BTCUSDT on {VENUE} market long 0.01 sl off 2% tp off 5%")
    moved = desk.one(f"BTCUSDT on {VENUE} sl at 49500")
    assert (moved["status"], moved["error"]) == ("done", None)
    triggers = {D(each["trigger_price"]) for each in desk.open_orders(VENUE, FAMILY)}
    assert D(49500) in triggers
    assert len(triggers) == 2
    desk.sandbox.price("BTC/USDT", "49400")
    desk.supervise(4)
    assert desk.open_orders(VENUE, FAMILY) == []
    assert desk.state(VENUE, FAMILY)["positions"] == []
    assert [leg["kind"] for leg in desk.bracket().legs if leg["status"] == "filled"] == ["stop"]


def test_hedged_positions_are_protected_apart(make_desk):
    desk = make_desk(families=(FAMILY,), position_mode="hedge")
    desk.one(f"BTCUSDT on {VENUE} market long 0.01 sl off 2% tp off 5%")
    desk.one(f"BTCUSDT on {VENUE} market short 0.02 sl off 5% tp off 9%")
    desk.sandbox.price("BTC/USDT", "48900")
    desk.supervise(4)
    (left,) = desk.state(VENUE, FAMILY)["positions"]
    assert abs(D(left["quantity"])) == D("0.02")
    assert len(desk.open_orders(VENUE, FAMILY)) == 2


def test_a_stop_to_enter_is_placed_fills_and_is_protected(make_desk):
    desk = make_desk(families=(FAMILY,))
    result = desk.one(f"BTCUSDT on {VENUE} stop long 0.01 @ 51000 sl off 2% tp off 5%")
    assert (result["status"], result["error"]) == ("open", None)
    desk.sandbox.price("BTC/USDT", "51000")
    desk.supervise(2)
    assert len(desk.open_orders(VENUE, FAMILY)) == 2
    assert desk.state(VENUE, FAMILY)["positions"] != []


def test_a_stop_whose_answer_was_lost_stands_once(make_desk):
    desk = make_desk(families=(FAMILY,))
    desk.one(f"BTCUSDT on {VENUE} market long 0.01")
    desk.sandbox.fault("drop_after", venue=VENUE, count=1)
    desk.one(f"BTCUSDT on {VENUE} sl at 49000")
    (stop,) = desk.open_orders(VENUE, FAMILY)
    assert D(stop["trigger_price"]) == 49000
    desk.sandbox.price("BTC/USDT", "48990")
    desk.supervise(4)
    assert desk.state(VENUE, FAMILY)["positions"] == []
    assert desk.bracket().status == BracketState.DONE


def batches(desk):
    return [call for call in desk.state(VENUE, FAMILY)["calls"] if call["path"].endswith("/batchOrders")]


def test_stop_and_target_go_out_in_one_request(make_desk):
    desk = make_desk(families=(FAMILY,))
    desk.one(f"BTCUSDT on {VENUE} market long 0.01 sl off 2% tp off 5%")
    assert len(batches(desk)) == 1
    assert len(desk.open_orders(VENUE, FAMILY)) == 2


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_a_stop_and_a_target_whose_answer_was_lost_stand_once(make_desk, fault):
    desk = make_desk(families=(FAMILY,))
    path = "/openApi/swap/v2/trade/batchOrders"
    desk.sandbox.fault(fault, venue=VENUE, path=path, count=1)
    result = desk.one(f"BTCUSDT on {VENUE} market long 0.01 sl off 2% tp off 5%")
    assert (result["status"], result["error"]) == ("filled", None)
    assert len(desk.open_orders(VENUE, FAMILY)) == 2
    assert len(batches(desk)) == 1, "what never arrived went out again one by one"
    desk.sandbox.price("BTC/USDT", "48900")
    desk.supervise(4)
    assert desk.open_orders(VENUE, FAMILY) == []
    assert desk.state(VENUE, FAMILY)["positions"] == []
    assert desk.bracket().status == BracketState.DONE


def test_a_spot_stop_waits_at_the_exchange_and_the_target_is_watched(make_desk):
    desk = make_desk(families=(FAMILY,))
    result = desk.one("BTCUSDT on BingX market long 0.01 sl off 2% tp off 5%")
    assert (result["status"], result["error"]) == ("filled", None)
    assert len(desk.open_orders("BingX", FAMILY)) == 1
    desk.sandbox.price("BTC/USDT", "53500")
    desk.supervise(4)
    assert desk.open_orders("BingX", FAMILY) == []
    assert [leg["kind"] for leg in desk.bracket().legs if leg["status"] == "filled"] == ["target"]
