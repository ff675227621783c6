"""Spot orders: what no exchange takes there, and market buys of a quantity where the exchange counts the money instead."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_DOWN, Decimal

from exchanges.errors import Unsupported
from exchanges.types import OrderRequest, OrderType, Side, TimeInForce


def check_spot(venue: str, order: OrderRequest) -> None:
    """Raises Unsupported for what is reduced or hedged, and for money where nothing is bought at market."""
    if order.reduce_only or order.position_side:
        raise Unsupported(f"{venue}: spot orders cannot be reduce-only or hedged")
    if order.quote_quantity is not None and (order.type, order.side) != (OrderType.MARKET, Side.BUY):
        raise Unsupported(f"{venue}: only market buys can be given in quote currency")


def down(value: Decimal, step: Decimal) -> Decimal:
    """The nearest step at or below a positive value."""
    return (value / step).to_integral_value(ROUND_DOWN) * step


def bounded(
    order: OrderRequest, ask: Decimal, premium: Decimal, force: TimeInForce = TimeInForce.IOC
) -> OrderRequest:
    """A market buy as a limit order that crosses: at most `premium` above the best price, down to the tick."""
    price = max(down(ask * (1 + premium), order.instrument.tick), ask)
    return replace(order, type=OrderType.LIMIT, price=price, time_in_force=force)
