"""What Deribit's orders and trades look like, with the words of their fields, and the currency they are filed under.

Documented at https://docs.deribit.com/ (read 2026-11-22). A trigger order that fires becomes another order, with an id
of its own and the same label. Not documented, so chosen here, each the harder case for a client: the first of the two
stays to be seen as "triggered"; the orders of a spot pair are filed under the coin where it has an account of its own.
"""

from __future__ import annotations

from typing import Any

from exchanges.sandbox.model import ZERO, Fill, Market, Order
from exchanges.types import OrderStatus, OrderType, Product, Side, TimeInForce, TriggerBy

SIDES = {side.value: side for side in Side}
TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop_market": OrderType.STOP,
    "stop_limit": OrderType.STOP_LIMIT,
    "take_market": OrderType.TAKE_PROFIT,
    "take_limit": OrderType.TAKE_PROFIT_LIMIT,
}
TYPE_OF = {kind: name for name, kind in TYPES.items()}
TIMES = {
    "good_til_cancelled": TimeInForce.GTC,
    "good_til_day": TimeInForce.GTC,
    "immediate_or_cancel": TimeInForce.IOC,
    "fill_or_kill": TimeInForce.FOK,
}
TIME_OF = {each: name for name, each in reversed(TIMES.items())}
TRIGGERS = {"last_price": TriggerBy.LAST, "mark_price": TriggerBy.MARK, "index_price": TriggerBy.INDEX}
TRIGGER_OF = {by: name for name, by in TRIGGERS.items()}
STATES = {
    OrderStatus.OPEN: "open",
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELLED: "cancelled",
    OrderStatus.REJECTED: "rejected",
    OrderStatus.EXPIRED: "cancelled",
}
REASONS = {"user": "user_request", "linked": "oco_other_closed"}
KIND_OF = {Product.SPOT: "spot", Product.LINEAR: "future", Product.INVERSE: "future"}
CURRENCIES = ("BTC", "ETH", "USDC", "USDT", "EURR")


def currency_of(market: Market) -> str:
    """Under which its orders are filed."""
    return market.base if market.product is Product.SPOT and market.base in CURRENCIES else market.settle


def filed(order: Order, label: str, currency: str) -> bool:
    return order.client_id == label and currency in ("", currency_of(order.market))


def order_rows(order: Order) -> list[dict[str, Any]]:
    """The trigger order and, where it fired, what it became."""
    return [order_row(order, live=False), *([order_row(order, live=True)] if order.live_id else [])]


def order_row(order: Order, *, live: bool) -> dict[str, Any]:
    """`live`: the order that a trigger order became."""
    ticket, kind = order.ticket, order.ticket.type
    fired = kind.conditional and bool(order.live_id) and not live
    limited = ticket.price is not None
    waits = order.waiting and order.open
    state = "untriggered" if waits else "triggered" if fired else STATES[order.status]
    row = {
        "order_id": order.live_id if live else order.id,
        "label": order.client_id,
        "instrument_name": order.market.symbol,
        "direction": order.side.value,
        "order_type": ("limit" if limited else "market") if live else TYPE_OF[kind],
        "order_state": state,
        "amount": order.quantity * order.market.contract_size,
        "contracts": order.quantity / order.market.step,
        "price": order.price if limited else "market_price",
        "time_in_force": TIME_OF[ticket.time_in_force],
        "post_only": ticket.post_only,
        "creation_timestamp": order.created_ms,
        "last_update_timestamp": order.updated_ms,
        "api": True,
        "web": False,
        "replaced": bool(order.ticket.extra.get("replaced")),
        "max_show": order.quantity * order.market.contract_size,
        "mmp": False,
        "risk_reducing": False,
    }
    if order.market.product is not Product.SPOT:
        row |= {"reduce_only": ticket.reduce_only, "is_liquidation": False}
    if not live and kind.conditional:
        trigger = {"trigger": TRIGGER_OF[ticket.trigger_by], "trigger_price": order.trigger_price}
        row |= {**trigger, "triggered": fired}
    else:
        filled = order.filled * order.market.contract_size
        row |= {"filled_amount": filled, "average_price": order.average_price or ZERO}
    if live:
        row["trigger_order_id"] = order.id
    if ticket.link:
        row["oco_ref"] = ticket.link
    if state == "cancelled":
        row["cancel_reason"] = REASONS.get(order.reason, str(order.reason) or "user_request")
    return row


def trade_row(order: Order, fill: Fill) -> dict[str, Any]:
    return {
        "trade_id": f"USDC-{fill.id}",
        "order_id": fill.order_id,
        "instrument_name": fill.symbol,
        "direction": fill.side.value,
        "amount": fill.quantity * order.market.contract_size,
        "price": fill.price,
        "fee": fill.fee,
        "fee_currency": fill.fee_asset,
        "label": order.client_id,
        "liquidity": "M" if fill.maker else "T",
        "trade_seq": fill.id,
        "order_type": "market" if order.price is None else "limit",
        **dict.fromkeys(("index_price", "mark_price"), fill.price),
        "tick_direction": 0,
        "profit_loss": fill.realised,
        "matching_id": None,
        "self_trade": False,
        "post_only": order.ticket.post_only,
        "reduce_only": order.ticket.reduce_only,
        "mmp": False,
        "api": True,
        "state": STATES[order.status],
        "timestamp": fill.time_ms,
    }
