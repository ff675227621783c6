"""What orders of both products of Phemex have in common: their words, how a call names them, how they are told.

Placing answers "Created" whatever comes of it; orders are asked for by symbol and an empty list is "order not found"
(ccxt 4.5.90 expects that). https://phemex-docs.github.io/ (read 2026-11-22).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from exchanges.sandbox.dialects.phemex_frame import PhemexFrame
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.model import Fill, Order, Reason, Rejected
from exchanges.sandbox.wire import Call
from exchanges.types import OrderStatus, OrderType, Product, Side, TimeInForce, TriggerBy

SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
SIDE_OF = {side: name for name, side in SIDES.items()}
TYPES = {
    "Market": OrderType.MARKET,
    "Limit": OrderType.LIMIT,
    "Stop": OrderType.STOP,
    "StopLimit": OrderType.STOP_LIMIT,
    "MarketIfTouched": OrderType.TAKE_PROFIT,
    "LimitIfTouched": OrderType.TAKE_PROFIT_LIMIT,
}
LIMITS = ("Limit", "StopLimit", "LimitIfTouched")
TIMES = {
    "GoodTillCancel": TimeInForce.GTC,
    "PostOnly": TimeInForce.GTC,
    "ImmediateOrCancel": TimeInForce.IOC,
    "FillOrKill": TimeInForce.FOK,
}
#: accepted first and rejected by the matching engine afterwards, with its reason
ENDS = {Reason.POST_ONLY: 101, Reason.NOT_FILLABLE: 100}


class PhemexOrders(PhemexFrame):
    def _named(self, call: Call, desk: Desk) -> Order | None:
        """Of the symbol that is named with it."""
        order_id, client_id = call.text("orderID", ""), call.text("origClOrdID", call.text("clOrdID", ""))
        if not order_id and not client_id:
            raise Rejected(Reason.MISSING_PARAMETER, "orderID")
        market = desk.market(call.text("symbol"))
        order = desk.order(call.account, order_id=order_id, client_id=client_id)
        return order if order is not None and order.market is market else None


def manner(call: Call, trigger: str, triggers: Mapping[str, TriggerBy]) -> dict[str, Any]:
    conditional = call.one_of("ordType", TYPES, "Limit").conditional
    return {
        "trigger_by": call.one_of(trigger, triggers) if conditional else TriggerBy.LAST,
        "time_in_force": call.one_of("timeInForce", TIMES, "GoodTillCancel"),
        "post_only": call.text("timeInForce", "") == "PostOnly",
        "client_id": call.text("clOrdID", ""),
        "extra": {
            "ordType": call.text("ordType", "Limit"),
            "timeInForce": call.text("timeInForce", "GoodTillCancel"),
        },
    }


def open_of(call: Call, desk: Desk) -> Iterable[Order]:
    market = desk.market(call.text("symbol"))
    found = [each for each in desk.book(call.account).open.values() if each.market is market]
    if not found:
        raise Rejected(Reason.UNKNOWN_ORDER)
    return found


def cancel_all_of(call: Call, desk: Desk) -> int:
    untriggered = call.flag("untriggered")
    symbols = call.text("symbol").split(",")
    wanted = [
        each
        for each in list(desk.book(call.account).open.values())
        if each.market.symbol in symbols and each.waiting is untriggered
    ]
    for order in wanted:
        desk.cancel(call.account, order)
    return len(wanted)


def status_of(order: Order) -> str:
    if order.reason in ENDS:
        return "Rejected"
    match order.status:
        case OrderStatus.OPEN:
            return "Untriggered" if order.waiting else "PartiallyFilled" if order.filled else "New"
        case OrderStatus.FILLED:
            return "Filled"
        case OrderStatus.REJECTED:
            return "Rejected"
    return "Deactivated" if order.waiting else "Canceled"


def order_row(order: Order, *, placing: bool, history: bool) -> dict[str, Any]:
    """What both products tell alike. The history spells two names differently."""
    small = history and order.market.product is Product.LINEAR
    end = "d" if small else "D"
    return {
        f"orderI{end}": order.id,
        f"clOrdI{end}": order.client_id,
        "symbol": order.market.symbol,
        "side": SIDE_OF[order.side],
        "timeInForce": order.ticket.extra["timeInForce"],
        "ordStatus": "Created" if placing else status_of(order),
        "bizError": 0,
        "cxlRejReason": 0 if placing else next((ENDS[each] for each in ENDS if each == order.reason), 0),
        "stopDirection": "UNSPECIFIED"
        if order.trigger_price is None
        else "Rising"
        if order.ticket.trigger_rises
        else "Falling",
    }


def execution_row(order: Order, fill: Fill, name: str) -> dict[str, Any]:
    return {
        "transactTimeNs": fill.time_ms * 1_000_000,
        "symbol": fill.symbol,
        name: str(uuid.uuid5(uuid.NAMESPACE_OID, f"execution {fill.id}")),
        "orderID": order.id,
        "clOrdID": order.client_id,
        "side": SIDE_OF[fill.side],
        "action": "New",
        "tradeType": "Trade",
        "execStatus": "MakerFill" if fill.maker else "TakerFill",
        "ordType": order.ticket.extra["ordType"],
        "timeInForce": order.ticket.extra["timeInForce"],
    }
