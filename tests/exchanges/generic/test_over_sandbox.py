"""The adapter itself: ccxt's ByBit and OKX through it, against our sandbox's dialects of them, over a real socket.

Traders use the native venues of these two; here their dialects are the counterparty that the adapter is checked with.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from exchanges.errors import AuthRefused, InsufficientFunds, InvalidOrder, OrderNotFound, OutcomeUnknown
from exchanges.generic.venue import GenericVenue
from exchanges.symbols import InstrumentTable
from exchanges.transport import Transport
from exchanges.types import (
    Credentials,
    Direction,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Product,
    Side,
)
from tests.exchanges.conftest import Sandbox
from tests.exchanges.generic.wire import kind_of

VENUES = [(name, product) for name in ("bybit", "okx") for product in (Product.LINEAR, Product.SPOT)]
QUANTITY = Decimal("0.1")


class Trader:
    def __init__(self, sandbox: Sandbox, exchange: str, product: Product) -> None:
        kind = kind_of(exchange, product)
        self.sandbox, self.futures = sandbox, product is Product.LINEAR
        self.transport = Transport(sandbox.venue(kind.name))
        self.venue: GenericVenue = kind(self.transport)
        self.venue.sync_clock()
        self.instrument = InstrumentTable(self.venue.instruments()).find("BTCUSDT")
        issued = sandbox.account(exchange)
        self.keys = Credentials(issued["key"], issued["secret"], issued["passphrase"])
        self._numbers = itertools.count()

    def request(self, side: Side, kind: OrderType, **more: Any) -> OrderRequest:
        client_id = self.venue.client_id(f"{next(self._numbers):026d}")
        return OrderRequest(self.instrument, client_id, side, kind, **{"quantity": QUANTITY} | more)

    def place(self, side: Side, kind: OrderType, **more: Any) -> OrderRef:
        return self.venue.place(self.keys, self.request(side, kind, **more)).ref

    def fetch(self, ref: OrderRef) -> Any:
        return self.venue.fetch(self.keys, self.instrument, ref)

    def open_orders(self) -> list[Any]:
        return self.venue.open_orders(self.keys, self.instrument)


@pytest.fixture(params=VENUES, ids=lambda pair: f"{pair[0]} {pair[1]}")
def trader(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Trader]:
    found = Trader(sandbox, *request.param)
    yield found
    found.transport.close()


def test_a_market_order_fills_and_is_closed_again(trader: Trader) -> None:
    bought = trader.fetch(trader.place(Side.BUY, OrderType.MARKET))
    assert bought.status is OrderStatus.FILLED
    assert abs(bought.filled - QUANTITY) <= Decimal("0.0001")  # ByBit's spot counts a market buy in money
    assert abs(bought.average_price - 50000) < 1
    if trader.futures:
        (position,) = trader.venue.positions(trader.keys, trader.instrument)
        assert (position.direction, position.quantity) == (Direction.LONG, QUANTITY)
    sold = trader.fetch(trader.place(Side.SELL, OrderType.MARKET, reduce_only=trader.futures))
    assert sold.status is OrderStatus.FILLED
    assert trader.venue.positions(trader.keys, trader.instrument) == []


def test_a_limit_order_rests_is_listed_and_cancelled(trader: Trader) -> None:
    ref = trader.place(Side.BUY, OrderType.LIMIT, price=Decimal(40000))
    (standing,) = trader.open_orders()
    assert (standing.client_id, standing.price, standing.quantity) == (
        ref.client_id,
        Decimal(40000),
        QUANTITY,
    )
    trader.venue.cancel(trader.keys, trader.instrument, OrderRef(ref.client_id))
    assert trader.fetch(ref).status is OrderStatus.CANCELLED
    assert trader.open_orders() == []
    with pytest.raises(OrderNotFound):
        trader.venue.cancel(trader.keys, trader.instrument, ref)


def test_a_stop_waits_is_listed_and_cancelled(trader: Trader) -> None:
    trader.place(Side.BUY, OrderType.MARKET)
    ref = trader.place(Side.SELL, OrderType.STOP, trigger_price=Decimal(45000), reduce_only=trader.futures)
    (standing,) = trader.open_orders()
    assert (standing.exchange_id, standing.trigger_price, standing.type) == (
        ref.exchange_id,
        Decimal(45000),
        OrderType.STOP,
    )
    trader.venue.cancel(trader.keys, trader.instrument, ref)
    assert trader.open_orders() == []
    assert trader.fetch(ref).status is OrderStatus.CANCELLED


def test_a_stop_that_fires_closes_the_position(trader: Trader) -> None:
    trader.place(Side.BUY, OrderType.MARKET)
    ref = trader.place(Side.SELL, OrderType.STOP, trigger_price=Decimal(45000), reduce_only=trader.futures)
    trader.sandbox.price("BTC/USDT", 44000)
    assert trader.fetch(ref).status is OrderStatus.FILLED
    assert trader.venue.positions(trader.keys, trader.instrument) == []
    assert trader.open_orders() == []


@pytest.mark.parametrize("kind", [OrderType.STOP, OrderType.TAKE_PROFIT])
def test_a_trigger_on_the_wrong_side_is_refused(trader: Trader, kind: OrderType) -> None:
    trader.place(Side.BUY, OrderType.MARKET)
    crossed = Decimal(60000 if kind is OrderType.STOP else 40000)
    with pytest.raises(InvalidOrder):
        trader.place(Side.SELL, kind, trigger_price=crossed, reduce_only=trader.futures)
    assert trader.open_orders() == []


def test_an_order_whose_answer_was_lost_is_found_and_was_placed_once(trader: Trader) -> None:
    trader.venue.balances(trader.keys)
    trader.place(
        Side.BUY, OrderType.LIMIT, price=Decimal(39000)
    )  # what ccxt asks of an account once is asked
    request = trader.request(Side.BUY, OrderType.LIMIT, price=Decimal(40000))
    trader.sandbox.fault("drop_after", venue=trader.venue.name, count=1)
    with pytest.raises(OutcomeUnknown):
        trader.venue.place(trader.keys, request)
    found = trader.fetch(OrderRef(request.client_id))
    assert (found.status, found.price) == (OrderStatus.OPEN, Decimal(40000))
    assert len(trader.open_orders()) == 2


def test_an_order_that_never_stood_is_not_found(trader: Trader) -> None:
    trader.place(Side.BUY, OrderType.LIMIT, price=Decimal(40000))
    with pytest.raises(OrderNotFound):
        trader.fetch(OrderRef(trader.venue.client_id("Z" * 26)))


def test_too_little_balance_and_a_wrong_key_are_told(trader: Trader) -> None:
    with pytest.raises((InsufficientFunds, InvalidOrder)):
        trader.place(Side.BUY, OrderType.LIMIT, price=Decimal(49000), quantity=Decimal(900))
    wrong = Credentials(trader.keys.key, "x" * 40, trader.keys.passphrase)
    with pytest.raises(AuthRefused) as refused:
        trader.venue.balances(wrong)
    assert trader.keys.key not in refused.value.message


def test_leverage_is_set_where_there_is_any(trader: Trader) -> None:
    if trader.futures:
        trader.venue.set_leverage(trader.keys, trader.instrument, Decimal(7), None)
        trader.place(Side.BUY, OrderType.MARKET)
        (position,) = trader.venue.positions(trader.keys)
        assert position.leverage == 7


def test_what_ccxt_learns_of_one_user_is_not_told_to_another(trader: Trader) -> None:
    other = trader.sandbox.account("bybit" if trader.venue.exchange == "bybit" else "okx")
    keys = Credentials(other["key"], other["secret"], other["passphrase"])
    trader.place(Side.BUY, OrderType.LIMIT, price=Decimal(40000))
    assert trader.venue.open_orders(keys, trader.instrument) == []
    assert trader.venue.place(keys, trader.request(Side.BUY, OrderType.LIMIT, price=Decimal(40000)))
    assert len(trader.open_orders()) == 1
