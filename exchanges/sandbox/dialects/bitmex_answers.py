"""What BitMEX's answers look like: words, markets, refusals, and one function per shape. No calls, no decisions.
https://www.bitmex.com/api/explorer/."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from exchanges.sandbox.model import ZERO, Fill, Market, Order, Reason, Ticket
from exchanges.sandbox.wire import Reply
from exchanges.types import Direction, OrderStatus, OrderType, Product

D = Decimal
TYPES = {
    "Market": OrderType.MARKET,
    "Limit": OrderType.LIMIT,
    "Stop": OrderType.STOP,
    "StopLimit": OrderType.STOP_LIMIT,
    "MarketIfTouched": OrderType.TAKE_PROFIT,
    "LimitIfTouched": OrderType.TAKE_PROFIT_LIMIT,
}
STRATEGIES = {"OneWay": None, "Long": Direction.LONG, "Short": Direction.SHORT}
STRATEGY_OF = {side: name for name, side in STRATEGIES.items()}
STATES = {
    OrderStatus.FILLED: "Filled",
    OrderStatus.CANCELLED: "Canceled",
    OrderStatus.REJECTED: "Rejected",
    OrderStatus.EXPIRED: "Canceled",
}
#: asset in the common spelling -> the exchange's, its currency, decimals of that
MONEY = {
    "BTC": ("XBT", "XBt", 8),
    "USDT": ("USDT", "USDt", 6),
    "ETH": ("ETH", "Gwei", 9),
    "SOL": ("SOL", "LAMp", 9),
}
#: reason -> words, HTTP status
REFUSALS = {
    Reason.NO_KEY: ("Authorization Required", 401),
    Reason.BAD_KEY: ("Invalid API Key.", 401),
    Reason.BAD_SIGNATURE: ("Signature not valid.", 401),
    Reason.BAD_TIMESTAMP: ("This request has expired - `expires` is in the past. Current time: {}", 401),
    Reason.NO_PERMISSION: ("Access Denied", 403),
    Reason.MAINTENANCE: ("Service unavailable", 503),
    Reason.INTERNAL: ("Server Error", 500),
    Reason.UNKNOWN_PATH: ("Not Found", 404),
    Reason.MISSING_PARAMETER: ("'{}' is a required arg.", 400),
    Reason.UNKNOWN_SYMBOL: ("Invalid symbol", 400),
    Reason.PRICE_TICK: ("Invalid price tickSize", 400),
    Reason.TRIGGER_TICK: ("Invalid stopPx tickSize", 400),
    Reason.QUANTITY_STEP: ("Order quantity must be a multiple of lot size: Invalid orderQty", 400),
    Reason.MIN_QUANTITY: ("Invalid orderQty", 400),
    Reason.MAX_QUANTITY: ("Invalid orderQty", 400),
    Reason.DUPLICATE: ("Duplicate clOrdID", 400),
    Reason.INSUFFICIENT: ("Account has insufficient Available Balance, 1 {} required", 400),
    Reason.POSITION_MODE: ("Invalid strategy", 400),
    Reason.WOULD_TRIGGER: ("Invalid stopPx for ordType", 400),
    Reason.STOP_REFUSED: ("Too many stop orders", 400),
    Reason.TOO_MANY_ORDERS: ("Too many open orders", 400),
    Reason.UNKNOWN_ORDER: ("Invalid orderID", 400),
    Reason.NOT_OPEN: ("Invalid ordStatus", 400),
    Reason.LEVERAGE: ("Invalid leverage", 400),
    Reason.HAS_OPEN_ORDERS: ("Account has open orders", 400),
    Reason.HAS_POSITION: ("Account has open positions", 400),
    Reason.NOT_MODIFIED: ("Account has that position mode", 400),
}
#: why an order was cancelled, in `text`: support.bitmex.com, article 5905389229981
ENDINGS = {
    Reason.POST_ONLY: "Canceled: Order had execInst of ParticipateDoNotInitiate",
    Reason.REDUCE_ONLY: "Canceled: Order had execInst of Close or ReduceOnly but current position is 0",
    Reason.NOT_FILLABLE: "Canceled: Order had timeInForce of FillOrKill",
    Reason.INSUFFICIENT: "Rejected: Account has insufficient Available Balance",
    "unfilled": "Canceled: Order had ordType of Market",
    "user": "Canceled\nCanceled via API.",
}
#: of an order, as they follow each other
EVENTS = ("New", "Trade", "Canceled")
#: base, tick, contracts in a coin and in a lot; quoted and paid out in USDT
PERPETUALS = (
    ("BTC", "0.1", 1_000_000, 100),
    ("ETH", "0.01", 100_000, 1000),
    ("SOL", "0.01", 10_000, 1000),
    ("XRP", "0.0001", 100, 1000),
    ("DOGE", "0.00001", 10, 1000),
    ("LTC", "0.01", 10_000, 1000),
)
#: margined in its coin: contracts of a dollar, in lots
INVERSE = Market(
    "XBTUSD",
    "BTC",
    "USD",
    Product.INVERSE,
    D("0.1"),
    D(100),
    D(100),
    max_quantity=D(10_000_000),
    max_market_quantity=D(10_000_000),
    extra={"name": "XBT", "per_coin": 1, "lot": 100},
)
PAIRS = (("BTC", "0.1", 1000), ("ETH", "0.01", 1_000_000), ("SOL", "0.01", 10_000_000))


def _market(product: Product, base: str, tick: str, per_coin: int, lot: int) -> Market:
    """In coins: only what goes over the wire counts contracts."""
    name, step = "XBT" if base == "BTC" else base, D(lot) / per_coin
    joint, most = "_" if product is Product.SPOT else "", D(100_000_000) * lot / per_coin
    told = {"name": name, "per_coin": per_coin, "lot": lot}
    return Market(
        f"{name}{joint}USDT", base, "USDT", product, D(tick), step, step, ZERO, most, most, extra=told
    )


LINEAR = tuple(_market(Product.LINEAR, *each) for each in PERPETUALS)
SPOT = tuple(_market(Product.SPOT, base, tick, 10 ** MONEY[base][2], lot) for base, tick, lot in PAIRS)


def error_answer(message: str, name: str, status: int) -> Reply:
    return Reply({"error": {"message": message, "name": name}}, status)


def instant(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"


def multipliers(market: Market) -> dict[str, int]:
    """What money and positions are counted with; the contract margined in its coin tells the money only."""
    if market.inverse:
        whole = -(10 ** MONEY[market.settle][2])
        return {"multiplier": whole, "underlyingToSettleMultiplier": whole}
    per_coin: int = market.extra["per_coin"]
    return {"multiplier": 1, "underlyingToPositionMultiplier": per_coin, "quoteToSettleMultiplier": 1_000_000}


def contracts(market: Market, quantity: Decimal) -> Decimal:
    per_coin: int = market.extra["per_coin"]
    return (quantity * per_coin).to_integral_value()


def order_row(order: Order) -> dict[str, Any]:
    ticket, market, ended = order.ticket, order.market, not order.open
    whole = ticket.close_position and order.waiting
    row = {
        "account": 1,
        "orderID": order.id,
        "clOrdID": order.client_id or None,
        "symbol": market.symbol,
        "side": ticket.side.value.capitalize(),
        "orderQty": None if whole else contracts(market, order.quantity),
        "price": order.price if order.price is not None else order.average_price,
        "stopPx": order.trigger_price,
        "currency": market.quote,
        "settlCurrency": None if market.product is Product.SPOT else MONEY[market.settle][1],
        "ordType": next(name for name, kind in TYPES.items() if kind is ticket.type),
        "timeInForce": ticket.extra["timeInForce"] or _time(ticket),
        "execInst": ticket.extra["execInst"] or None,
        "ordStatus": STATES.get(order.status, "PartiallyFilled" if order.filled else "New"),
        "triggered": "StopOrderTriggered" if order.triggered_ms is not None else None,
        "workingIndicator": order.open and not order.waiting,
        "leavesQty": ZERO if ended or whole else contracts(market, order.remaining),
        "cumQty": contracts(market, order.filled),
        "avgPx": order.average_price,
        "strategy": STRATEGY_OF[ticket.position_side],
        "pool": "Primary",
        "text": _text(order),
        "transactTime": instant(order.updated_ms),
        "timestamp": instant(order.updated_ms),
    }
    return {name: value for name, value in row.items() if value is not None}


def _time(ticket: Ticket) -> str:
    return "ImmediateOrCancel" if ticket.type is OrderType.MARKET else "GoodTillCancel"


def _text(order: Order) -> str:
    if order.status is OrderStatus.FILLED or not order.reason:
        return "Submitted via API."
    said = ENDINGS.get(order.reason, f"Canceled: {order.reason}")
    if order.reason == "unfilled" and order.price is not None:
        said = "Canceled: Order had timeInForce of ImmediateOrCancel"
    return said if "\n" in said else f"{said}\nSubmitted via API."


def event_row(order: Order, kind: str, time_ms: int) -> dict[str, Any]:
    """What befell it, other than a trade."""
    return {
        "account": 1,
        "execID": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {order.id}")),
        "execType": kind,
        "orderID": order.id,
        "clOrdID": order.client_id,
        "symbol": order.market.symbol,
        "side": order.side.value.capitalize(),
        "ordStatus": kind,
        **dict.fromkeys(("transactTime", "timestamp"), instant(time_ms)),
    }


def execution_row(order: Order, fill: Fill) -> dict[str, Any]:
    row = {
        "account": 1,
        "execID": str(uuid.uuid5(uuid.NAMESPACE_OID, f"execution {fill.id}")),
        "execType": "Trade",
        "orderID": order.id,
        "clOrdID": order.client_id or None,
        "symbol": fill.symbol,
        "side": fill.side.value.capitalize(),
        "lastQty": contracts(order.market, fill.quantity),
        "lastPx": fill.price,
        "avgPx": order.average_price,
        "ordStatus": STATES.get(order.status, "PartiallyFilled"),
        "lastLiquidityInd": "AddedLiquidity" if fill.maker else "RemovedLiquidity",
        "transactTime": instant(fill.time_ms),
        "timestamp": instant(fill.time_ms),
    }
    return {name: value for name, value in row.items() if value is not None}
