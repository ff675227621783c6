"""What Bitunix' perpetuals answer: words, refusals, and one function per shape that needs no account. Spot has its own.

Documented at https://www.bitunix.com/api-docs/futures/ (stored copies read 2026-11-22). Not documented, so chosen here: the
answer to a timestamp outside the window and to the other position mode (a wrong parameter), and the state words of
records.
"""

from __future__ import annotations

from typing import Any

from exchanges.sandbox.dialects.bitunix_frame import LONGEST_LIST
from exchanges.sandbox.model import Market, Order, Reason, decimals_of, text
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import STOPS, MarginMode, OrderStatus, OrderType, PositionMode, Side, TriggerBy

PATH = "/api/v1/futures/"
SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
SIDE_OF = {side: name for name, side in SIDES.items()}
TRIGGERS = {"LAST_PRICE": TriggerBy.LAST, "MARK_PRICE": TriggerBy.MARK}
TRIGGER_OF = {by: name for name, by in TRIGGERS.items()}
MARGIN = {"ISOLATION": MarginMode.ISOLATED, "CROSS": MarginMode.CROSS}
MARGIN_OF = {mode: name for name, mode in MARGIN.items()}
MODES = {"ONE_WAY": PositionMode.ONE_WAY, "HEDGE": PositionMode.HEDGE}
MODE_OF = {mode: name for name, mode in MODES.items()}
KINDS = {
    ("sl", False): OrderType.STOP,
    ("sl", True): OrderType.STOP_LIMIT,
    ("tp", False): OrderType.TAKE_PROFIT,
    ("tp", True): OrderType.TAKE_PROFIT_LIMIT,
}
#: whether it is a stop, whether the price rises to it
CROSSED = {
    (False, True): (30020, "Trigger price for TP should be higher than mark price:"),
    (False, False): (30021, "Trigger price for TP should be lower than mark price:"),
    (True, True): (30022, "Trigger price for SL should be higher than mark price:"),
    (True, False): (30023, "Trigger price fo SL should be lower than mark price:"),
}
NOT_FOUND = (20007, "Order not found, please try it later")
NO_POSITION = (30004, "Position not exist")
REFUSALS = {
    Reason.NO_KEY: (10003, "api-key can't be empty"),
    Reason.BAD_KEY: (10003, "api-key can't be empty"),
    Reason.BAD_SIGNATURE: (10007, "Sign signature error"),
    Reason.NO_PERMISSION: (20011, "Account not allowed to trade"),
    Reason.THROTTLED: (10006, "Request too frequently"),
    Reason.BANNED: (10005, "Too many requests, please try again later"),
    Reason.MAINTENANCE: (10001, "Network Error"),
    Reason.INTERNAL: (10001, "Network Error"),
    Reason.UNKNOWN_SYMBOL: (20001, "Market not exists"),
    Reason.PRICE_TICK: (10008, "price does not comply with the rule"),
    Reason.TRIGGER_TICK: (10008, "trigger price does not comply with the rule"),
    Reason.QUANTITY_STEP: (10008, "qty does not comply with the rule"),
    Reason.STOP_REFUSED: (10008, "order does not comply with the rule"),
    Reason.MIN_QUANTITY: (30017, "The qty cannot be less than the minimum qty"),
    Reason.MAX_QUANTITY: (30013, "Exceeded the maximum order quantity"),
    Reason.DUPLICATE: (30042, "Client ID duplicate"),
    Reason.INSUFFICIENT: (20003, "Insufficient balance"),
    Reason.REDUCE_ONLY: (
        30018,
        "Order failed. No position opened. Cancel [Reduce-only] settings and retry later",
    ),
    Reason.UNKNOWN_ORDER: NOT_FOUND,
    Reason.NOT_OPEN: NOT_FOUND,
    Reason.LEVERAGE: (20005, "Invalid leverage"),
    Reason.HAS_OPEN_ORDERS: (
        20006,
        "You can't change leverage or margin mode as there are open orders",
    ),
    Reason.HAS_POSITION: (20009, "Position exists, so positions mode cannot be updated"),
}
OTHERWISE = (10002, "Parameter Error")


def ok(data: Any) -> dict[str, Any]:
    return {"code": 0, "data": data, "msg": "Success"}


def refused(code: int, words: str, status: int = 200) -> Reply:
    return Reply({"code": code, "data": None, "msg": words}, status)


def page(call: Call, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    skip, limit = call.integer("skip", 0), min(call.integer("limit", 10), LONGEST_LIST)
    found = rows[skip : skip + limit]
    return ok({name: found, "total": len(rows)} if name else found)


def pair_row(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "base": market.base,
        "quote": market.quote,
        "minTradeVolume": text(market.min_quantity),
        "minBuyPriceOffset": "-0.95",
        "maxSellPriceOffset": "100",
        "maxLimitOrderVolume": text(market.max_quantity),
        "maxMarketOrderVolume": text(market.max_market_quantity),
        "basePrecision": decimals_of(market.step),
        "quotePrecision": decimals_of(market.tick),
        "maxLeverage": int(market.max_leverage),
        "minLeverage": 1,
        "defaultLeverage": 20,
        "defaultMarginMode": "CROSS",
        "symbolStatus": "OPEN",
        "isApiSupported": True,
    }


def status_word(order: Order) -> str:
    match order.status:
        case OrderStatus.OPEN:
            return "PART_FILLED" if order.filled else "NEW"
        case OrderStatus.FILLED:
            return "FILLED"
    return "PART_FILLED_CANCELED" if order.filled else "CANCELED"


def record_of(order: Order) -> str:
    """The number of the record an order is a leg of; "" for none."""
    return str(order.ticket.extra.get("record", ""))


def stands(legs: list[Order]) -> bool:
    return any(leg.open and leg.waiting for leg in legs)


def record_row(legs: list[Order], position: str) -> dict[str, Any]:
    market = legs[0].market
    row: dict[str, Any] = {
        "id": record_of(legs[0]),
        "positionId": position,
        "symbol": market.symbol,
        "base": market.base,
        "quote": market.quote,
    }
    row |= {f"{prefix}{name}": None for prefix in ("tp", "sl") for name in ("Price", "Qty", "OrderPrice")}
    for leg in legs:
        prefix = "sl" if leg.ticket.type in STOPS else "tp"
        row |= {
            f"{prefix}Price": text(leg.trigger_price),
            f"{prefix}StopType": TRIGGER_OF[leg.ticket.trigger_by],
            f"{prefix}OrderType": "MARKET" if leg.ticket.price is None else "LIMIT",
            f"{prefix}OrderPrice": leg.ticket.price and text(leg.ticket.price),
            f"{prefix}Qty": text(leg.ticket.quantity),
        }
    return row


def ended_row(legs: list[Order], position: str) -> dict[str, Any]:
    triggered = next((leg.triggered_ms for leg in legs if leg.triggered_ms), 0)
    return record_row(legs, position) | {
        "status": "TRIGGERED" if triggered else "CANCELED",
        "ctime": legs[0].created_ms,
        "triggerTime": triggered,
    }
