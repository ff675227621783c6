"""What supervision has to make good of Bitfinex's own ways."""

from decimal import Decimal as D

from execution.models import BracketState

VENUE, FAMILY = "Bitfinex_F", "bitfinex"


def test_a_stop_that_was_cancelled_for_being_larger_than_what_is_left_is_replaced_by_one_that_fits(make_desk):
    """The first target fills and the price falls through the stop before anybody has looked."""
    desk = make_desk(families=(FAMILY,))
    desk.one(f"BTCUSDT on {VENUE} market long 0.01 sl off 2% tp off 3% for 50% tp off 5% for 50%")
    desk.sandbox.price("BTC/USDT", "51510")
    desk.sandbox.price("BTC/USDT", "48000")
    (left,) = desk.state(VENUE, FAMILY)["positions"]
    assert D(left["quantity"]) == D("0.005"), "the exchange cancelled the stop and closed nothing"
    desk.supervise(3)
    assert desk.state(VENUE, FAMILY)["positions"] == []
    assert desk.open_orders(VENUE, FAMILY) == []
    bracket = desk.bracket()
    assert bracket.status == BracketState.DONE
    stops = [(leg["status"], leg.get("error")) for leg in bracket.legs if leg["kind"] == "stop"]
    assert stops == [("cancelled", "RSN_POS_REDUCE_FLIP"), ("filled", None)]


def test_a_spot_pair_sells_what_the_fee_left(make_desk):
    desk = make_desk(families=(FAMILY,), balances={"USDT": "1000"})
    result = desk.one("BTCUSDT on Bitfinex market long 0.01 sl off 2% tp off 5%")
    assert result["protection"]["stop"]["quantity"] == "0.00998"
    assert [each["link"] for each in desk.open_orders("Bitfinex", FAMILY)].count("") == 0
    desk.sandbox.price("BTC/USDT", "53500")
    desk.supervise(4)
    assert desk.open_orders("Bitfinex", FAMILY) == []
    assert desk.bracket().status == BracketState.DONE
