"""From one POST to a protected position and its end: real web process, workers, beat, sandbox."""

from decimal import Decimal as D

import pytest

from tests.stack import wait_for

FUTURES = [("Binance_F", "binance"), ("ByBit_F", "bybit"), ("Kraken_F", "kraken_futures")]


@pytest.fixture(autouse=True)
def at_fifty_thousand(stack):
    stack.price("BTC/USDT", "50000")


@pytest.fixture
def trader(stack):
    return stack.new_trader()


def open_orders(stack, trader, venue, family):
    return [order for order in stack.state(trader, venue)["orders"] if order["status"] == "open"]


def positions(stack, trader, venue, family):
    return stack.state(trader, venue)["positions"]


def done(answer):
    body = answer.json()
    assert (answer.status_code, body["status"], body["ok"]) == (200, "done", True), body
    return body


def test_example_1_opens_and_protects(stack, trader):
    body = done(stack.post(trader, "BTCUSDT on Binance_F market long 0.01 sl off 2% tp off 5%", wait=15))
    (result,) = body["results"]
    assert (result["status"], result["region"], result["account"]) == ("filled", "tokyo", "main")
    assert result["average_price"] == "50000.1"
    protection = result["protection"]
    assert protection["status"] == "armed"
    assert (protection["stop"]["price"], protection["targets"][0]["price"]) == ("49000", "52500.1")
    stages = ["parsed", "queued", "claimed", "sent", "acknowledged", "filled", "protected", "replied"]
    times = [body["timing_ms"][stage] for stage in stages]
    assert times == sorted(times)
    assert answer_headers_are_private(stack.post(trader, "BTCUSDT on Binance_F close", wait=15))


def answer_headers_are_private(answer):
    return answer.headers["cache-control"] == "no-store"


def test_example_2_closes_and_leaves_nothing(stack, trader):
    done(stack.post(trader, "BTCUSDT on Binance_F market long 0.01 sl off 2% tp off 5%", wait=15))
    done(stack.post(trader, "BTCUSDT on Binance_F close long 100%", wait=15))
    assert positions(stack, trader, "Binance_F", "binance") == []
    assert open_orders(stack, trader, "Binance_F", "binance") == []


def test_example_3_over_several_lines_goes_short(stack, trader):
    body = done(
        stack.post(trader, "BTCUSDT on ByBit_F\nmarket short 0.01\nsl off 1.5%\ntp off 4.5%", wait=15)
    )
    assert body["results"][0]["region"] == "singapore"
    (position,) = positions(stack, trader, "ByBit_F", "bybit")
    assert position["direction"] == "short"


def test_example_4_runs_on_three_exchanges_at_once(stack, trader):
    text = " ".join(f"BTCUSDT on {venue} market long 0.01" for venue, _ in FUTURES)
    body = done(stack.post(trader, text, wait=15))
    assert [(each["venue"], each["status"]) for each in body["results"]] == [
        (venue, "filled") for venue, _ in FUTURES
    ]
    for venue, family in FUTURES:
        (position,) = positions(stack, trader, venue, family)
        assert D(position["quantity"]) == D("0.01")


@pytest.mark.parametrize(("venue", "family"), FUTURES)
@pytest.mark.parametrize(
    ("side", "price", "filled"),
    [("long", "53000", "target"), ("long", "48500", "stop"), ("short", "47000", "target")],
)
def test_when_a_leg_fills_beat_takes_the_other_away(stack, trader, venue, family, side, price, filled):
    done(stack.post(trader, f"BTCUSDT on {venue} market {side} 0.01 sl off 2% tp off 5%", wait=15))
    assert len(open_orders(stack, trader, venue, family)) == 2
    stack.price("BTC/USDT", price)
    wait_for("no order is left", lambda: not open_orders(stack, trader, venue, family))
    assert positions(stack, trader, venue, family) == []
    wait_for("the bracket says so", lambda: trader.user.brackets.filter(status="done").exists())
    legs = trader.user.brackets.get().legs
    assert [leg["kind"] for leg in legs if leg["status"] == "filled"] == [filled]


def test_a_limit_entry_that_fills_later_is_protected_then(stack, trader):
    body = done(
        stack.post(trader, "BTCUSDT on Binance_F limit long 0.01 @ 49000 sl at 48000 tp at 52000", wait=15)
    )
    assert body["results"][0]["protection"]["status"] == "pending"
    stack.price("BTC/USDT", "48900")
    wait_for("both legs stand", lambda: len(open_orders(stack, trader, "Binance_F", "binance")) == 2)
    present = stack.http.get(f"{trader.url}/{body['delivery']}").json()
    wait_for(
        "the result tells",
        lambda: (
            stack.http.get(f"{trader.url}/{body['delivery']}").json()["results"][0]["protection"]["status"]
            == "armed"
        ),
    )
    assert present["delivery"] == body["delivery"]


@pytest.mark.parametrize(("policy", "left"), [("close", 0), ("keep", 1)])
def test_a_refused_stop_meets_the_policy_of_the_hook(stack, policy, left):
    trader = stack.new_trader(("binance",), stop_policy=policy)
    stack.fault(venue="Binance_F", fault="reject_stop", rate=1)
    answer = stack.post(trader, "BTCUSDT on Binance_F market long 0.01 sl off 2%", wait=15)
    body = answer.json()
    assert (answer.status_code, body["ok"], body["status"]) == (200, False, "partial")
    assert body["results"][0]["error"]["code"] == "PROTECTION_FAILED"
    assert len(positions(stack, trader, "Binance_F", "binance")) == left


@pytest.mark.parametrize(("venue", "family"), [("Binance_F", "binance"), ("ByBit_F", "bybit")])
def test_hedge_mode_is_read_from_the_exchange(stack, venue, family):
    trader = stack.new_trader((family,), position_mode="hedge")
    done(stack.post(trader, f"BTCUSDT on {venue} market long 0.02 sl off 2%", wait=15))
    done(stack.post(trader, f"BTCUSDT on {venue} market short 0.01 sl off 2%", wait=15))
    assert {each["direction"] for each in positions(stack, trader, venue, family)} == {"long", "short"}


@pytest.mark.parametrize(
    ("venue", "family"), [("Binance", "binance"), ("ByBit", "bybit"), ("Kraken", "kraken")]
)
def test_spot_is_bought_protected_and_sold(stack, trader, venue, family):
    body = done(stack.post(trader, f"BTCUSDT on {venue} buy 0.01 sl off 2% tp off 5%", wait=15))
    assert body["results"][0]["protection"]["status"] == "armed"
    stack.price("BTC/USDT", "53000")
    wait_for("no order is left", lambda: not open_orders(stack, trader, venue, family))
    wait_for("the bracket is done", lambda: trader.user.brackets.filter(status="done").exists())


def test_what_tradingview_sends_works_unchanged(stack, trader):
    text = "BTCUSDT.P on ByBit_F market buy 0.01 sl off 2% tp off 5%"
    done(stack.post(trader, text, wait=15, headers={"content-type": "text/plain; charset=utf-8"}))
    assert len(open_orders(stack, trader, "ByBit_F", "bybit")) == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("BTCUSDT on Binance_F market long 500", "ABOVE_MAX_SIZE"),
        ("BTCUSDT on Binance_F market long 0.0001", "BELOW_MIN_SIZE"),
        ("BTCUSTD on Binance_F market long 0.01", "UNKNOWN_SYMBOL"),
    ],
)
def test_a_command_that_cannot_be_carried_out_is_422_and_nothing_is_sent(stack, trader, text, code):
    answer = stack.post(trader, text, wait=15)
    assert (answer.status_code, answer.json()["results"][0]["error"]["code"]) == (422, code)
    assert stack.state(trader, "Binance_F")["orders"] == []


def test_a_lack_of_funds_is_told_with_both_numbers(stack):
    trader = stack.new_trader(("binance",), balances={"USDT": "100"})
    answer = stack.post(trader, "BTCUSDT on Binance_F market long 1", wait=15)
    (result,) = answer.json()["results"]
    assert (answer.status_code, result["error"]["code"]) == (422, "NOT_ENOUGH_BALANCE")
    assert "free: 100 USDT" in result["error"]["message"]
    assert positions(stack, trader, "Binance_F", "binance") == []
