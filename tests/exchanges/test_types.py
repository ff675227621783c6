"""What orders and reports say of themselves."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.types import (
    LIMITS,
    STOPS,
    TAKES,
    Direction,
    Fee,
    Instrument,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Product,
    Report,
    Side,
)

BTC = Instrument("BTCUSDT", "BTC", "USDT", "USDT", Product.SPOT, Decimal("0.1"), Decimal("0.001"))
ORDER = OrderRequest(BTC, "f1", Side.BUY, OrderType.MARKET, quantity=Decimal(1))


@pytest.mark.parametrize("kind", [kind for kind in OrderType if kind.conditional])
def test_a_conditional_type_is_made_of_its_two_words(kind: OrderType) -> None:
    assert OrderType.waiting(stop=kind in STOPS, limit=kind in LIMITS) is kind
    assert (kind in STOPS) is not (kind in TAKES)


@pytest.mark.parametrize(
    ("side", "kind", "rises"),
    [
        (Side.BUY, OrderType.STOP, True),
        (Side.SELL, OrderType.STOP_LIMIT, False),
        (Side.BUY, OrderType.TAKE_PROFIT, False),
        (Side.SELL, OrderType.TAKE_PROFIT_LIMIT, True),
    ],
)
def test_a_stop_follows_the_price_and_a_target_waits_for_it(
    side: Side, kind: OrderType, *, rises: bool
) -> None:
    assert replace(ORDER, side=side, type=kind).rises is rises


@pytest.mark.parametrize(
    ("price", "above", "below"), [("9.9", False, True), ("10", True, True), ("10.1", True, False)]
)
def test_a_trigger_is_crossed_where_the_price_has_come_to_it(price: str, *, above: bool, below: bool) -> None:
    stop = replace(ORDER, type=OrderType.STOP, trigger_price=Decimal(10))
    assert stop.crossed(Decimal(price)) is above
    assert replace(stop, side=Side.SELL).crossed(Decimal(price)) is below


@pytest.mark.parametrize(
    ("side", "position_side", "closed"),
    [
        (Side.SELL, None, Direction.LONG),
        (Side.BUY, None, Direction.SHORT),
        (Side.BUY, Direction.SHORT, Direction.SHORT),
    ],
)
def test_what_closes_names_its_position_by_its_side(
    side: Side, position_side: Direction | None, closed: Direction
) -> None:
    order = replace(ORDER, side=side, position_side=position_side, reduce_only=position_side is None)
    assert order.closes
    assert order.closed_direction is closed


def test_only_a_market_buy_of_a_quantity_buys_base() -> None:
    assert ORDER.buys_base
    assert not replace(ORDER, side=Side.SELL).buys_base
    assert not replace(ORDER, type=OrderType.LIMIT).buys_base
    assert not replace(ORDER, quantity=None, quote_quantity=Decimal(1)).buys_base


def test_an_order_is_asked_for_by_the_id_of_the_exchange_before_ours() -> None:
    assert OrderRef("f1", "7").named("orderId", "clientId") == {"orderId": "7"}
    assert OrderRef("f1").named("orderId", "clientId") == {"clientId": "f1"}


def test_a_triggered_order_stays_itself_and_tells_what_its_order_has_done() -> None:
    stop = Report("7", "f1", "BTCUSDT", Side.SELL, OrderType.STOP, OrderStatus.OPEN, Decimal(1))
    order = replace(
        stop,
        exchange_id="8",
        client_id="",
        type=OrderType.MARKET,
        status=OrderStatus.FILLED,
        filled=Decimal(1),
        average_price=Decimal(9),
        fee=Fee(Decimal("0.1"), "USDT"),
        reason="told",
    )
    done = stop.done_as(order)
    assert done == replace(order, exchange_id="7", client_id="f1", type=OrderType.STOP)


@pytest.mark.parametrize(
    ("kind", "ended"),
    [(OrderType.STOP, OrderStatus.EXPIRED), (OrderType.STOP_LIMIT, OrderStatus.CANCELLED)],
)
def test_a_triggered_order_at_market_that_did_not_fill_was_cancelled_by_nobody(
    kind: OrderType, ended: OrderStatus
) -> None:
    stop = Report("7", "f1", "BTCUSDT", Side.SELL, kind, OrderStatus.OPEN, Decimal(1))
    assert stop.done_as(replace(stop, type=OrderType.MARKET, status=OrderStatus.CANCELLED)).status is ended
