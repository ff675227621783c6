"""What spot takes nowhere, and how a market buy becomes a limit order that crosses."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from exchanges.errors import Unsupported
from exchanges.spot import bounded, check_spot, down
from exchanges.types import Direction, Instrument, OrderRequest, OrderType, Product, Side, TimeInForce

BTC = Instrument("BTCUSDT", "BTC", "USDT", "USDT", Product.SPOT, Decimal("0.5"), Decimal("0.001"))
BUY = OrderRequest(BTC, "f1", Side.BUY, OrderType.MARKET, quantity=Decimal(1))
MONEY = {"quantity": None, "quote_quantity": Decimal(100)}


@pytest.mark.parametrize(
    "words",
    [
        {"reduce_only": True},
        {"position_side": Direction.LONG},
        MONEY | {"side": Side.SELL},
        MONEY | {"type": OrderType.LIMIT, "price": Decimal(1)},
    ],
)
def test_spot_reduces_and_hedges_nothing_and_spends_money_at_market_only(words: dict[str, Any]) -> None:
    with pytest.raises(Unsupported):
        check_spot("Tiny", replace(BUY, **words))


@pytest.mark.parametrize("words", [{}, {"side": Side.SELL}, MONEY])
def test_spot_takes_the_rest(words: dict[str, Any]) -> None:
    check_spot("Tiny", replace(BUY, **words))


@pytest.mark.parametrize(
    ("value", "step", "rounded"), [("1.29", "0.1", "1.2"), ("7", "5", "5"), ("0.9", "1", "0")]
)
def test_down_is_to_the_step_below(value: str, step: str, rounded: str) -> None:
    assert down(Decimal(value), Decimal(step)) == Decimal(rounded)


@pytest.mark.parametrize(
    ("ask", "price"),
    [("100", "101"), ("100.7", "101.5"), ("10.2", "10.2")],
    ids=["on a tick", "down to a tick", "never below the best price"],
)
def test_a_bounded_buy_crosses_and_pays_no_more_than_its_premium(ask: str, price: str) -> None:
    order = bounded(BUY, Decimal(ask), Decimal("0.01"))
    assert (order.type, order.price) == (OrderType.LIMIT, Decimal(price))
    assert (order.quantity, order.time_in_force) == (BUY.quantity, TimeInForce.IOC)


def test_a_bounded_buy_rests_where_the_exchange_knows_no_other() -> None:
    order = bounded(BUY, Decimal(100), Decimal(0), TimeInForce.GTC)
    assert (order.price, order.time_in_force) == (Decimal(100), TimeInForce.GTC)
