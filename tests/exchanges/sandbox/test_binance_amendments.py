"""Amendments at Binance in the sandbox, asked for as its documentation says: no client makes all of them."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.exchanges.conftest import Sandbox

from .calls import BinanceCaller

SPOT, KEEP = "/api/v3/order", "/api/v3/order/amend/keepPriority"
#: venue, where its orders are, a symbol, a quantity and half of it
USD_M = ("Binance_F", "/fapi/v1/order", "BTCUSDT", "0.100", "0.050")
COIN_M = ("Binance_C", "/dapi/v1/order", "BTCUSD_PERP", "10", "5")


@pytest.fixture
def keys(sandbox: Sandbox) -> dict[str, str]:
    return sandbox.account("binance", balances={"USDT": "100000", "BTC": "2"})


@pytest.fixture
def spot(sandbox: Sandbox, keys: dict[str, str]) -> Iterator[BinanceCaller]:
    with BinanceCaller(sandbox, keys, "Binance") as made:
        yield made


@pytest.fixture
def future(sandbox: Sandbox, keys: dict[str, str], request: pytest.FixtureRequest) -> Iterator["Future"]:
    venue, *words = request.param
    with BinanceCaller(sandbox, keys, venue) as caller:
        yield Future(caller, *words)


class Future:
    def __init__(self, caller: BinanceCaller, path: str, symbol: str, whole: str, half: str) -> None:
        self.caller, self.path, self.symbol, self.whole, self.half = caller, path, symbol, whole, half

    def send(self, method: str, **params: Any) -> Any:
        return self.caller.send(method, self.path, symbol=self.symbol, side="BUY", **params).json()

    def rest(self, price: str, force: str = "GTC") -> int:
        told = self.send("POST", type="LIMIT", quantity=self.whole, price=price, timeInForce=force)
        return int(told["orderId"])

    def status(self, order_id: int) -> tuple[str, str, str]:
        row = self.send("GET", orderId=order_id)
        return row["status"], row["origQty"], row["executedQty"]


def buy(spot: BinanceCaller, client_id: str, quantity: str = "0.2") -> None:
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "40000"}
    spot.send("POST", SPOT, **order, quantity=quantity, newClientOrderId=client_id).raise_for_status()


def known(spot: BinanceCaller, client_id: str) -> Any:
    return spot.send("GET", SPOT, symbol="BTCUSDT", origClientOrderId=client_id).json()


@pytest.mark.parametrize("asked", ["", "first", "second"])
def test_a_spot_order_made_smaller_gets_the_client_id_sent_or_a_new_one(spot, asked):
    buy(spot, "first")
    words = {"newClientOrderId": asked} if asked else {}
    told = spot.send("PUT", KEEP, symbol="BTCUSDT", origClientOrderId="first", newQty="0.1", **words).json()
    row = told["amendedOrder"]
    assert (row["origClientOrderId"], row["qty"], row["status"]) == ("first", "0.10000000", "NEW")
    assert row["quoteOrderQty"] == row["cumulativeQuoteQty"] == row["preventedQty"] == "0.00000000"
    assert row["clientOrderId"] == asked if asked else row["clientOrderId"] not in ("", "first")
    assert known(spot, row["clientOrderId"])["orderId"] == row["orderId"]
    assert known(spot, "first").get("code") == (None if asked == "first" else -2013)


@pytest.mark.parametrize(
    ("quantity", "name", "words"),
    [("0.3", "x", "quantity increase"), ("0.2", "x", "change no state"), ("0.1", "other", "Duplicate")],
)
def test_an_amendment_of_a_spot_order_is_refused(spot, quantity, name, words):
    buy(spot, "first")
    buy(spot, "other")
    asked = {"symbol": "BTCUSDT", "origClientOrderId": "first", "newQty": quantity, "newClientOrderId": name}
    told = spot.send("PUT", KEEP, **asked).json()
    assert told["code"] == -2038
    assert words in told["msg"]
    assert known(spot, "first")["origQty"] == "0.20000000"


@pytest.mark.parametrize("future", [USD_M, COIN_M], indirect=True)
def test_a_futures_order_amended_to_what_is_filled_of_it_is_cancelled(sandbox, future):
    sandbox.fault("partial_fill", venue=future.caller.venue, count=1)
    order_id = future.rest("50000.1")
    told = future.send("PUT", orderId=order_id, quantity=future.half, price="50000.1")
    assert told["status"] == "CANCELED"
    assert future.status(order_id) == ("CANCELED", future.whole, future.half)


@pytest.mark.parametrize("future", [USD_M, COIN_M], indirect=True)
def test_an_order_that_may_only_make_is_cancelled_by_a_price_at_which_it_takes(future):
    order_id = future.rest("40000", "GTX")
    assert future.send("PUT", orderId=order_id, quantity=future.half, price="51000")["status"] == "CANCELED"


@pytest.mark.parametrize(
    ("future", "changed"),
    [(USD_M, {"price": -1102, "quantity": -1102}), (COIN_M, {"price": "41000", "quantity": "5"})],
    indirect=["future"],
)
def test_price_or_quantity_is_enough_on_contracts_margined_in_coins_only(future, changed):
    order_id = future.rest("40000")
    price = future.send("PUT", orderId=order_id, price="41000")
    quantity = future.send("PUT", orderId=order_id, quantity=future.half)
    assert price.get("code", price.get("price")) == changed["price"]
    assert quantity.get("code", quantity.get("origQty")) == changed["quantity"]


def test_an_amended_leg_of_a_list_is_told_with_its_list(spot):
    legs = {
        "aboveType": "LIMIT_MAKER",
        "abovePrice": "55000",
        "belowType": "STOP_LOSS",
        "belowStopPrice": "45000",
    }
    pair = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "1", **legs, "aboveClientOrderId": "target"}
    placed = spot.send("POST", "/api/v3/orderList/oco", **pair).json()
    told = spot.send("PUT", KEEP, symbol="BTCUSDT", origClientOrderId="target", newQty="0.5").json()
    listed = told["listStatus"]
    assert (listed["orderListId"], listed["listOrderStatus"]) == (placed["orderListId"], "EXECUTING")
    assert told["amendedOrder"]["clientOrderId"] in [each["clientOrderId"] for each in listed["orders"]]
