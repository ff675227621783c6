"""Bitunix spot in the sandbox, traded by the small client of `clients/bitunix.py` (ours: its docstring says why) and by our
venue, also where its answers are lost or say nothing."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as D
from typing import Any

import pytest

from exchanges.errors import (
    AuthRefused,
    InsufficientFunds,
    InvalidOrder,
    NotSent,
    OrderNotFound,
    OutcomeUnknown,
    Unsupported,
)
from exchanges.pool import Pool
from exchanges.types import (
    Credentials,
    Environment,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Report,
    Side,
    TimeInForce,
)
from exchanges.venues import bitunix
from tests.exchanges.clients.bitunix import BitunixSpot
from tests.exchanges.conftest import Sandbox

SYMBOL = "BTCUSDT"
PREFIX = "/api/spot/v1/"


@pytest.fixture
def keys(sandbox: Sandbox) -> dict[str, str]:
    sandbox.price("BTC/USDT", 50000)
    return sandbox.account("bitunix", balances={"USDT": "100000", "BTC": "1"})


# -- the small client --------------------------------------------------------------------------------------


@pytest.fixture
def client(sandbox: Sandbox, keys: dict[str, str]) -> BitunixSpot:
    return BitunixSpot(keys["key"], keys["secret"], sandbox.venue("Bitunix"))


def traded(client: BitunixSpot, side: str, volume: str, name: str, price: str | None = None) -> Any:
    return client.trade(client.spot_order(SYMBOL, side, volume, name, price))


def test_the_client_reads_markets_and_prices(client):
    rows = {each["symbol"]: each for each in client.get("common/coin_pair/list")}
    assert (rows["btcusdt"]["basePrecision"], rows["btcusdt"]["precisions"][0]) == (4, "0.1")
    book = client.get("market/depth", symbol=SYMBOL)
    assert (book["bids"][0]["price"], book["asks"][0]["price"]) == ("50000", "50000.1")
    assert client.get("market/last_price", symbol=SYMBOL) == "50000"


def test_the_clients_market_orders_spend_and_sell(client):
    bought = traded(client, "buy", "500.001", "mine-1")
    assert bought["placeStatus"] == 1
    found = client.get("order/detail", orderId=bought["orderId"])
    assert (found["status"], found["dealVolume"], found["clientId"]) == (2, "0.01", "mine-1")
    sold = traded(client, "sell", "0.5", "mine-2")
    (deal,) = client.post("order/deal/list", orderId=sold["orderId"], symbol=SYMBOL)
    assert (deal["price"], deal["volume"], deal["feeCoin"]) == ("50000", "0.5", "USDT")


def test_the_clients_limit_order_rests_and_every_cancel_succeeds(client):
    number = traded(client, "buy", "0.1", "resting", "40000")["orderId"]
    assert [each["clientId"] for each in client.post("order/pending/list", symbol=SYMBOL)] == ["resting"]
    held = {each["coin"]: each["balanceLocked"] for each in client.get("user/account")}
    assert held["USDT"] == 4000
    for cancelled in ({"orderId": number, "symbol": SYMBOL}, {"orderId": "1", "symbol": SYMBOL}):
        assert client.post("order/cancel", orderIdList=[cancelled]) is None
    assert client.get("order/detail", orderId=number)["status"] == 4
    assert client.get("order/detail", orderId="1") is None


def test_the_client_sees_a_refusal_in_an_answer_of_success(client):
    told = traded(client, "buy", "100", "much", "50000")
    assert (told["orderId"], told["placeStatus"], told["placeCode"]) == (None, 0, "10034")


# -- our venue ---------------------------------------------------------------------------------------------


class Ours:
    """Our venue with an account; orders in few words."""

    def __init__(self, pool: Pool, keys: dict[str, str]) -> None:
        connection = pool.connection("Bitunix", Environment.SANDBOX)
        connection.refresh()
        assert isinstance(connection.venue, bitunix.BitunixSpot)
        self.venue = connection.venue
        self.venue.pause = lambda seconds: None
        self.instrument = connection.table.find(SYMBOL)
        self.keys = Credentials(keys["key"], keys["secret"])

    def place(self, side: str, kind: str, quantity: str, name: str = "ours", **words: Any) -> Report:
        if "price" in words:
            words["price"] = D(words["price"])
        request = OrderRequest(
            self.instrument, name, Side(side), OrderType(kind), quantity=D(quantity), **words
        )
        return self.venue.place(self.keys, request)

    def named(self, name: str) -> Report:
        return self.venue.fetch(self.keys, self.instrument, OrderRef(name))

    def cancel(self, ref: OrderRef) -> None:
        self.venue.cancel(self.keys, self.instrument, ref)

    def open(self) -> list[Report]:
        return self.venue.open_orders(self.keys, self.instrument)

    def free(self, coin: str) -> D:
        return self.venue.balances(self.keys)[coin].free


@pytest.fixture
def ours(sandbox: Sandbox, keys: dict[str, str]) -> Iterator[Ours]:
    pool = Pool(sandbox_url=sandbox.url)
    yield Ours(pool, keys)
    pool.close()


def test_a_market_buy_is_told_with_its_price_and_fee(ours):
    report = ours.place("buy", "market", "0.1")
    assert (report.type, report.status, report.filled) == (OrderType.MARKET, OrderStatus.FILLED, D("0.1"))
    assert (report.average_price, report.fee.asset) == (D("50000.1"), "BTC")
    assert ours.free("BTC") == D("1.1") - report.fee.amount


def test_a_market_buy_that_finds_too_little_leaves_nothing_behind(sandbox, ours):
    sandbox.fault("partial_fill", venue="Bitunix", count=1)
    report = ours.place("buy", "market", "0.1")
    assert (report.status, report.filled) == (OrderStatus.CANCELLED, D("0.05"))
    assert report.average_price == D("50000.1")
    assert ours.open() == []


def test_a_market_buy_of_nearly_all_there_is_goes_through(ours):
    report = ours.place("buy", "market", "1.995")
    assert (report.status, report.filled) == (OrderStatus.FILLED, D("1.995"))


def test_a_market_sale_is_found_by_our_id(ours):
    assert ours.place("sell", "market", "0.5").acknowledged_only
    found = ours.named("ours")
    assert (found.status, found.average_price, found.quantity) == (OrderStatus.FILLED, D(50000), D("0.5"))


@pytest.mark.parametrize(("side", "kind"), [("sell", "market"), ("buy", "limit")])
def test_an_order_whose_answer_was_lost_is_found_and_stands_once(sandbox, ours, side, kind):
    sandbox.fault("drop_after", venue="Bitunix", path=f"POST {PREFIX}order/place_order", count=1)
    with pytest.raises(OutcomeUnknown):
        ours.place(side, kind, "0.1", **({"price": "40000"} if kind == "limit" else {}))
    found = ours.named("ours")
    assert found.status is (OrderStatus.FILLED if kind == "market" else OrderStatus.OPEN)
    assert len(sandbox.state("Bitunix", ours.keys.key)["orders"]) == 1


def test_a_market_buy_whose_answer_was_lost_is_found(sandbox, ours):
    sandbox.fault("drop_after", venue="Bitunix", path=f"POST {PREFIX}order/place_order", count=1)
    with pytest.raises(OutcomeUnknown):
        ours.place("buy", "market", "0.1")
    assert (ours.named("ours").filled, ours.named("ours").average_price) == (D("0.1"), D("50000.1"))


def test_an_order_that_never_arrived_is_not_found(sandbox, ours):
    sandbox.fault("drop_before", venue="Bitunix", path=f"POST {PREFIX}order/place_order", count=1)
    with pytest.raises(OutcomeUnknown):
        ours.place("buy", "limit", "0.1", price="40000")
    with pytest.raises(OrderNotFound):
        ours.named("ours")


def test_a_limit_order_rests_and_is_cancelled_once(ours):
    report = ours.place("buy", "limit", "0.1", price="40000")
    assert [(each.client_id, each.price) for each in ours.open()] == [("ours", D(40000))]
    ours.cancel(OrderRef("ours"))
    assert ours.open() == []
    assert ours.free("USDT") == 100000
    with pytest.raises(OrderNotFound):
        ours.cancel(report.ref)
    with pytest.raises(OrderNotFound):
        ours.cancel(OrderRef("nobody's"))


def test_without_a_price_nothing_is_sent(sandbox, ours):
    sandbox.fault("not_json", venue="Bitunix", path="market/depth", count=1)
    with pytest.raises(NotSent):
        ours.place("buy", "market", "0.1")
    assert sandbox.state("Bitunix", ours.keys.key)["orders"] == []


def test_refusals_have_their_names(ours):
    with pytest.raises(InsufficientFunds, match="insufficient balance"):
        ours.place("sell", "market", "5")
    with pytest.raises(InvalidOrder):
        ours.place("buy", "limit", "0.00001", price="40000")
    with pytest.raises(Unsupported, match="no stop orders"):
        ours.place("sell", "stop", "0.1", trigger_price=D(49000))
    with pytest.raises(Unsupported, match="IOC"):
        ours.place("buy", "limit", "0.1", price="40000", time_in_force=TimeInForce.IOC)
    with pytest.raises(Unsupported, match="one market at a time"):
        ours.venue.open_orders(ours.keys)
    with pytest.raises(AuthRefused):
        ours.venue.key_info(Credentials("unknown", "secret"))
    assert ours.venue.key_info(ours.keys).can_withdraw is None
