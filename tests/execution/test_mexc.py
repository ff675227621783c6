"""What supervision has to make good of MEXC's own ways: lone trigger orders have no id of ours and end alone."""

from decimal import Decimal as D

from execution.models import BracketState

VENUE, FAMILY = "MEXC_F", "mexc"


def test_two_targets_and_a_stop_wait_side_by_side_and_the_last_fill_clears_the_rest(make_desk):
    desk = make_desk(families=(FAMILY,))
    result = desk.one(f"BTCUSDT on {VENUE} market long 0.01 sl off 2% tp1 off 3% for 50% tp2 off 5%")
    assert (result["status"], result["error"]) == ("filled", None)
    assert len(desk.open_orders(VENUE, FAMILY)) == 3
    desk.sandbox.price("BTC/USDT", "51600")
    desk.supervise(2)
    (left,) = desk.state(VENUE, FAMILY)["positions"]
    assert D(left["quantity"]) == 50, "contracts of 0.0001"
    assert {each["quantity"] for each in desk.open_orders(VENUE, FAMILY)} == {"50"}, (
        "the stop fits what is left"
    )
    desk.sandbox.price("BTC/USDT", "53000")
    desk.supervise(4)
    assert desk.open_orders(VENUE, FAMILY) == []
    assert desk.state(VENUE, FAMILY)["positions"] == []
    assert desk.bracket().status == BracketState.DONE


def test_a_pair_is_moved_and_ends_as_one(make_desk):
    desk = make_desk(families=(FAMILY,))
    desk.one(f"BTCUSDT on {VENUE} market long 0.01 sl off 2% tp off 5%")
    desk.one(f"BTCUSDT on {VENUE} sl at 49500")
    desk.supervise()
    triggers = {D(each["trigger_price"]) for each in desk.open_orders(VENUE, FAMILY)}
    assert D(49500) in triggers
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
    assert abs(D(left["quantity"])) == 200
    assert len(desk.open_orders(VENUE, FAMILY)) == 2


def test_a_stop_to_enter_is_placed_fills_and_is_protected(make_desk):
    desk = make_desk(families=(FAMILY,))
    result = desk.one(f"BTCUSDT on {VENUE} stop long 0.01 @ 51000 sl off 2% tp off 5%")
    assert (result["status"], result["error"]) == ("open", None)
    desk.sandbox.price("BTC/USDT", "51000")
    desk.supervise(2)
    assert len(desk.open_orders(VENUE, FAMILY)) == 2
    assert desk.bracket().status == BracketState.ARMED


def test_a_stop_whose_answer_was_lost_stands_once(make_desk):
    desk = make_desk(families=(FAMILY,))
    desk.one(f"BTCUSDT on {VENUE} market long 0.01")
    desk.sandbox.fault("drop_after", venue=VENUE, count=1, path="planorder/place")
    result = desk.one(f"BTCUSDT on {VENUE} sl at 49000")
    assert result["error"] is None
    assert len(desk.open_orders(VENUE, FAMILY)) == 1
