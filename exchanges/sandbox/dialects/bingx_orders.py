"""What orders of BingX spot and perpetuals share: the words they are asked for in, the order that a call means, and how it
ends.

What one of them alone has is beside its routes, and what they are answered with is in `bingx_answers`. Ids are kept in lower
case. Finer numbers than a market has are cut off, not refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.sandbox.engine import Desk
from exchanges.sandbox.model import Market, Order, Reason, Rejected, floor_to
from exchanges.sandbox.wire import Call
from exchanges.types import LIMITS, Direction, OrderType, Side, TimeInForce

D = Decimal
LARGEST_BATCH = 5
#: an order is found by its client id for so long after its end
MEMORY_SECONDS = 7200
SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
POSITION_SIDES = {"BOTH": None, "LONG": Direction.LONG, "SHORT": Direction.SHORT}
TIMES = {"GTC": TimeInForce.GTC, "PostOnly": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
PLAIN = {"MARKET": OrderType.MARKET, "LIMIT": OrderType.LIMIT}
CLOSING = {
    "STOP_MARKET": OrderType.STOP,
    "STOP": OrderType.STOP_LIMIT,
    "TAKE_PROFIT_MARKET": OrderType.TAKE_PROFIT,
    "TAKE_PROFIT": OrderType.TAKE_PROFIT_LIMIT,
}
#: these wait on the side where the price is not
UNDIRECTED = {"TRIGGER_MARKET": OrderType.STOP, "TRIGGER_LIMIT": OrderType.STOP_LIMIT}
GONE = (
    "the order you want to cancel is FILLED or CANCELLED already, or is not a valid order id ,please verify"
)


def batch_of(call: Call, name: str) -> list[Mapping[str, Any]]:
    try:
        orders = json.loads(call.text(name), parse_float=D)
    except ValueError:
        raise Rejected(Reason.BAD_PARAMETER, name) from None
    if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
        raise Rejected(Reason.BAD_PARAMETER, name)
    if not all(isinstance(each, dict) for each in orders):
        raise Rejected(Reason.BAD_PARAMETER, name)
    return orders


def object_of(call: Call, name: str) -> dict[str, Any]:
    """Of a parameter that is written as JSON."""
    value = call.params[name]
    try:
        found = json.loads(value, parse_float=D) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Rejected(Reason.BAD_PARAMETER, name)
    return {key: each for key, each in found.items() if each not in (0, "")}


def names_of(call: Call, name: str) -> list[str]:
    """A list in JSON, or in words with commas between them."""
    raw = call.text(name, "").strip().strip("[]")
    return [each.strip().strip('"') for each in raw.split(",") if each.strip()]


def prices_of(call: Call, desk: Desk, market: Market, kind: OrderType) -> dict[str, Any]:
    """Prices cut to the tick, how long the order lives, and on which side it waits."""
    price = floor_to(call.decimal("price"), market.tick) if kind in LIMITS else None
    trigger = floor_to(call.decimal("stopPrice"), market.tick) if kind.conditional else None
    undirected = kind.conditional and call.text("type") not in CLOSING
    return {
        "price": price,
        "trigger_price": trigger,
        "rises": trigger > desk.bid(market) if undirected and trigger is not None else None,
        "time_in_force": call.one_of("timeInForce", TIMES, "GTC"),
        "post_only": call.text("timeInForce", "") == "PostOnly",
        "extra": {"type": call.text("type"), "workingType": call.text("workingType", "")},
    }


def named_order(call: Call, desk: Desk) -> Order | None:
    """Of the symbol that is named with it."""
    order_id = call.text("orderId", "")
    client_id = call.text("clientOrderId", call.text("clientOrderID", "")).lower()
    if not order_id and not client_id:
        raise Rejected(Reason.MISSING_PARAMETER, "orderId")
    market = desk.market(call.text("symbol"))
    order = desk.order(call.account, order_id=order_id, client_id=client_id)
    if order is not None and not order_id and not desk.remembers(order, MEMORY_SECONDS):
        return None
    return order if order is not None and order.market is market else None


def open_orders(call: Call, desk: Desk) -> list[Order]:
    symbol = call.text("symbol", "")
    market = desk.market(symbol) if symbol else None
    return [each for each in desk.book(call.account).open.values() if market in (None, each.market)]


def recorded_orders(call: Call, desk: Desk) -> list[Order]:
    """Newest first; of a symbol, and from a time and a number on, where they are named."""
    symbol, since = call.text("symbol", ""), call.integer("startTime", 0)
    after = call.integer("orderId", 0)
    return [
        each
        for each in reversed(list(desk.book(call.account).orders.values()))
        if symbol in ("", each.market.symbol) and each.created_ms >= since and int(each.id) >= after
    ]


def cancel_open(call: Call, desk: Desk) -> list[Order]:
    return [desk.cancel(call.account, each) for each in open_orders(call, desk) if each.open]


def cancel_named(call: Call, desk: Desk, ids: str, client_ids: str) -> list[Order]:
    market = desk.market(call.text("symbol"))
    found = [desk.order(call.account, order_id=each) for each in names_of(call, ids)]
    found += [desk.order(call.account, client_id=each.lower()) for each in names_of(call, client_ids)]
    known = [each for each in found if each is not None and each.open and each.market is market]
    return [desk.cancel(call.account, each) for each in known if each.open]


def cancel_replaced(call: Call, desk: Desk) -> tuple[Order | None, str]:
    market = desk.market(call.text("symbol"))
    name = call.text("cancelClientOrderID", call.text("cancelClientOrderId", "")).lower()
    order = desk.order(call.account, order_id=call.text("cancelOrderId", ""), client_id=name)
    if order is None or not order.open or order.market is not market:
        return None, GONE
    return desk.cancel(call.account, order), ""
