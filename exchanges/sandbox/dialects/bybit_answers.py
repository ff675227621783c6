"""What Bybit's answers look like: markets, refusals, and one function per shape."""

from __future__ import annotations

import secrets
import uuid
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from exchanges.sandbox.engine import Desk
from exchanges.sandbox.model import ZERO, Fill, Market, Order, Reason, Rejected, Ticket, fine, text
from exchanges.sandbox.wire import Answered, Call, Reply
from exchanges.types import (
    Direction,
    MarginMode,
    OrderStatus,
    OrderType,
    PositionMode,
    Product,
    Side,
    TimeInForce,
    TriggerBy,
)

D = Decimal
#: a leg -> how its other parameters begin
LEGS = {"stopLoss": "sl", "takeProfit": "tp"}
#: of an order, of things that are not simulated
_EMPTY = {
    **dict.fromkeys(("blockTradeId", "isLeverage", "orderIv", "smpOrderId", "ocoTriggerBy", "placeType"), ""),
    **dict.fromkeys(("tpTriggerBy", "slTriggerBy", "tpLimitPrice", "slLimitPrice"), ""),
    "smpType": "None",
    "smpGroup": 0,
}
LARGEST_BATCH = {"spot": 10, "linear": 20, "inverse": 20}
CATEGORIES = {"spot": Product.SPOT, "linear": Product.LINEAR, "inverse": Product.INVERSE}
SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
WORD = {side: name for name, side in SIDES.items()}
TYPES = {"Market": False, "Limit": True}
INDEX = {"0": None, "1": Direction.LONG, "2": Direction.SHORT}
INDEX_OF = {None: 0, Direction.LONG: 1, Direction.SHORT: 2}
TIMES = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK, "PostOnly": TimeInForce.GTC}
TRIGGERS = {"LastPrice": TriggerBy.LAST, "MarkPrice": TriggerBy.MARK, "IndexPrice": TriggerBy.INDEX}
MODES = {"0": PositionMode.ONE_WAY, "3": PositionMode.HEDGE}
MARGIN = {"REGULAR_MARGIN": MarginMode.CROSS, "ISOLATED_MARGIN": MarginMode.ISOLATED}
CANCEL_WORDS = {"user": "CancelByUser", "reduce_only": "CancelByReduceOnly"}
REJECT_WORDS = {
    Reason.POST_ONLY: "EC_PostOnlyWillTakeLiquidity",
    Reason.NOT_FILLABLE: "EC_NoEnoughQtyToFill",
    "unfilled": "EC_NoImmediateQtyToFill",
}
#: reason -> (code on futures, code on spot, words); {} is the detail
REFUSALS = {
    Reason.NO_KEY: (10003, 10003, "API key is missing."),
    Reason.BAD_KEY: (10003, 10003, "API key is invalid."),
    Reason.BAD_SIGNATURE: (10004, 10004, "error sign! origin_string[{}]"),
    Reason.BAD_TIMESTAMP: (
        10002,
        10002,
        "invalid request, please check your server timestamp or recv_window: {}",
    ),
    Reason.NO_PERMISSION: (10005, 10005, "Permission denied, please check your API key permissions."),
    Reason.THROTTLED: (10006, 10006, "Too many visits. Exceeded the API Rate Limit."),
    Reason.MAINTENANCE: (10016, 10016, "Service is restarting."),
    Reason.INTERNAL: (10016, 10016, "Internal System Error."),
    Reason.UNKNOWN_PATH: (10017, 10017, "Route not found."),
    Reason.MISSING_PARAMETER: (10001, 10001, "params error: {} is empty"),
    Reason.UNKNOWN_SYMBOL: (10001, 170121, "params error: symbol invalid {}"),
    Reason.PRICE_TICK: (10001, 170134, "Order price has too many decimals: {}"),
    Reason.TRIGGER_TICK: (10001, 170134, "Trigger price has too many decimals: {}"),
    Reason.QUANTITY_STEP: (10001, 170137, "Order quantity has too many decimals: {}"),
    Reason.MIN_QUANTITY: (10001, 170136, "The number of contracts is below the minimum limit allowed: {}"),
    Reason.MAX_QUANTITY: (10001, 170135, "The number of contracts exceeds maximum limit allowed: {}"),
    Reason.MIN_NOTIONAL: (110094, 170140, "Order does not meet minimum order value {}"),
    Reason.DUPLICATE: (110072, 170141, "OrderLinkedID is duplicate"),
    Reason.INSUFFICIENT: (110007, 170131, "ab not enough for new order"),
    Reason.REDUCE_ONLY: (110017, 110017, "current position is zero, cannot fix reduce-only order qty"),
    Reason.POSITION_MODE: (10001, 10001, "position idx not match position mode"),
    Reason.STOP_REFUSED: (110009, 170210, "The number of stop orders exceeds maximum limit allowed"),
    Reason.TOO_MANY_ORDERS: (110020, 170210, "Cannot have more than 500 active orders."),
    Reason.UNKNOWN_ORDER: (110001, 170213, "order not exists or too late to cancel"),
    Reason.NOT_OPEN: (110001, 170213, "order not exists or too late to cancel"),
    Reason.LEVERAGE: (10001, 10001, "leverage invalid: {}"),
    Reason.NOT_MODIFIED: (110043, 110043, "{} not modified"),
    Reason.HAS_OPEN_ORDERS: (110028, 110028, "Open orders exist, so you cannot change position mode"),
    Reason.HAS_POSITION: (
        110024,
        110024,
        "You have an existing position, so position mode cannot be switched",
    ),
}
#: base, tick, step of the perpetuals, tick and step of the pair; quoted in USDT
COINS = (
    ("BTC", "0.1", "0.001", "0.01", "0.000001"),
    ("ETH", "0.01", "0.01", "0.01", "0.00001"),
    ("SOL", "0.01", "0.1", "0.01", "0.001"),
    ("XRP", "0.0001", "0.1", "0.0001", "0.01"),
    ("DOGE", "0.00001", "1", "0.00001", "0.1"),
    ("LTC", "0.01", "0.1", "0.01", "0.00001"),
)


def _perpetual(base: str, coin: str, tick: str, step: str) -> Market:
    return Market(
        base + (coin if coin == "USDT" else "PERP"),
        base,
        coin,
        Product.LINEAR,
        D(tick),
        D(step),
        min_quantity=D(step),
        min_notional=D(5),
        max_quantity=D(1_000_000),
        max_market_quantity=D(500_000),
    )


def _pair(base: str, coin: str, tick: str, step: str) -> Market:
    return Market(base + coin, base, coin, Product.SPOT, D(tick), D(step), min_notional=D(5))


def _inverse(base: str, tick: str) -> Market:
    """One contract is a dollar."""
    return Market(
        f"{base}USD",
        base,
        "USD",
        Product.INVERSE,
        D(tick),
        D(1),
        min_quantity=D(1),
        max_quantity=D(25_000_000),
        max_market_quantity=D(5_000_000),
    )


INVERSE = tuple(_inverse(base, tick) for base, tick, *_ in COINS)
LINEAR = (
    *(_perpetual(base, "USDT", tick, step) for base, tick, step, _, _ in COINS),
    _perpetual("BTC", "USDC", "0.1", "0.001"),
)
SPOT = (
    *(_pair(base, "USDT", tick, step) for base, _, _, tick, step in COINS),
    _pair("BTC", "USDC", "0.01", "0.000001"),
)


def frame(call: Call, result: Any, code: int = 0, words: str = "OK") -> dict[str, Any]:
    return {"retCode": code, "retMsg": words, "result": result, "retExtInfo": {}, "time": call.now_ms}


def page(call: Call, rows: list[Any], size: int) -> dict[str, Any]:
    """One page and the cursor of the next, percent-encoded like the original's."""
    cursor = unquote(call.text("cursor", "offset=0")).rpartition("=")[2]  # clients encode it once more
    if not cursor.isdigit():
        raise Rejected(Reason.BAD_PARAMETER, "cursor")
    first = int(cursor)
    last = first + call.integer("limit", size)
    cursor = f"offset%3D{last}" if last < len(rows) else ""
    return {"category": call.text("category", ""), "list": rows[first:last], "nextPageCursor": cursor}


def market_row(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "baseCoin": market.base,
        "quoteCoin": market.quote,
        "status": "Trading",
        "priceFilter": {"tickSize": text(market.tick), "minPrice": text(market.tick), "maxPrice": "1999999"},
    }


def spot_row(market: Market) -> dict[str, Any]:
    lot = {
        "basePrecision": text(market.step),
        "quotePrecision": "0.0000001",
        "minOrderQty": text(market.step),
        "maxLimitOrderQty": text(market.max_quantity),
        "maxMarketOrderQty": text(market.max_market_quantity),
        "minOrderAmt": text(market.min_notional),
    }
    return {**market_row(market), "marginTrading": "utaOnly", "lotSizeFilter": lot}


def perpetual_row(market: Market) -> dict[str, Any]:
    lot = {
        "qtyStep": text(market.step),
        "minOrderQty": text(market.min_quantity),
        "maxOrderQty": text(market.max_quantity),
        "maxMktOrderQty": text(market.max_market_quantity),
        "minNotionalValue": text(market.min_notional),
    }
    return {
        **market_row(market),
        "contractType": "InversePerpetual" if market.inverse else "LinearPerpetual",
        "settleCoin": market.settle,
        "deliveryTime": "0",
        "launchTime": "1584230400000",
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": text(market.max_leverage),
            "leverageStep": "0.01",
        },
        "lotSizeFilter": lot,
    }


def ticker_row(desk: Desk, market: Market) -> dict[str, Any]:
    last = text(desk.bid(market))
    prices = {"bid1Price": last, "ask1Price": text(desk.ask(market)), "lastPrice": last}
    marks = {} if market.product is Product.SPOT else {"markPrice": last, "indexPrice": last}
    return {
        "symbol": market.symbol,
        **prices,
        **marks,
        "bid1Size": "1000",
        "ask1Size": "1000",
        "volume24h": "1000",
    }


def kind_of(*, limit: bool, stop: bool | None) -> OrderType:
    if stop is None:
        return OrderType.LIMIT if limit else OrderType.MARKET
    if stop:
        return OrderType.STOP_LIMIT if limit else OrderType.STOP
    return OrderType.TAKE_PROFIT_LIMIT if limit else OrderType.TAKE_PROFIT


def legs_of(call: Call, exit_side: Side, side: Direction | None, last: Decimal) -> list[Ticket]:
    link = f"{call.account.fingerprint} {call.headers['x-bapi-sign']}"
    return [
        Ticket(
            call.text("symbol"),
            exit_side,
            kind_of(limit=call.one_of(f"{prefix}OrderType", TYPES, "Market"), stop=prefix == "sl"),
            quantity=call.decimal(f"{prefix}Size"),
            price=call.decimal_or_none(f"{prefix}LimitPrice"),
            trigger_price=call.decimal(price),
            trigger_by=call.one_of(f"{prefix}TriggerBy", TRIGGERS, "LastPrice"),
            position_bound=True,
            position_side=side,
            link=link,
            extra={
                "stopOrderType": _word(price, whole=False, spot=False),
                "timeInForce": "IOC",
                "last": last,
            },
        )
        for price, prefix in LEGS.items()
        if call.text(price, "")
    ]


def attached_of(
    call: Call, side: Side, position_side: Direction | None, last: Decimal, *, spot: bool
) -> tuple[Ticket, ...]:
    """Stop and target that an order brings along: for the whole position it opens, or for its own size."""
    whole = not spot and call.text("tpslMode", "Full") == "Full"
    link = "" if whole else secrets.token_hex(8)
    return tuple(
        Ticket(
            call.text("symbol"),
            side.opposite,
            kind_of(limit=call.one_of(f"{prefix}OrderType", TYPES, "Market"), stop=prefix == "sl"),
            quantity=None if whole else call.decimal("qty"),
            price=call.decimal_or_none(f"{prefix}LimitPrice") or None,
            trigger_price=_exit_price(call, name, side, last),
            trigger_by=call.one_of(f"{prefix}TriggerBy", TRIGGERS, "LastPrice"),
            close_position=whole,
            position_bound=not spot,
            position_side=position_side,
            link=link,
            extra={"stopOrderType": _word(name, whole=whole, spot=spot), "timeInForce": "IOC", "last": last},
        )
        for name, prefix in LEGS.items()
        if call.text(name, "0") != "0"
    )


def _word(name: str, *, whole: bool, spot: bool) -> str:
    word = name[0].upper() + name[1:]
    return "tpslOrder" if spot else word if whole else f"Partial{word}"


def _exit_price(call: Call, name: str, side: Side, last: Decimal) -> Decimal:
    """On its side of the price that the order is placed at."""
    price, base = call.decimal(name), call.decimal_or_none("price") or last
    rises = (name == "takeProfit") == (side is Side.BUY)
    if (price <= base) if rises else (price >= base):
        word, held = name[0].upper() + name[1:], "Buy" if side is Side.BUY else "Sell"
        than = "higher" if rises else "lower"
        words = f"{word}:{price} set for {held} position should be {than} than base_price:{base}"
        raise Answered(Reply(frame(call, {}, 10001, words)))
    return price


def filter_of(order: Order) -> str:
    if order.ticket.extra["stopOrderType"] == "tpslOrder" and order.waiting:
        return "tpslOrder"
    return "StopOrder" if order.waiting else "Order"


def matches(call: Call, order: Order) -> bool:
    return (
        call.text("symbol", order.market.symbol) == order.market.symbol
        and call.text("baseCoin", order.market.base) == order.market.base
        and call.text("settleCoin", order.market.settle) == order.market.settle
        and call.text("orderFilter", filter_of(order)) == filter_of(order)
    )


def status(order: Order) -> str:
    spot = order.market.product is Product.SPOT
    match order.status:
        case OrderStatus.OPEN:
            return "Untriggered" if order.waiting else "PartiallyFilled" if order.filled else "New"
        case OrderStatus.FILLED:
            return "Filled"
        case OrderStatus.REJECTED:
            return "Rejected"
        case _ if order.waiting:
            return "Deactivated"
    return "PartiallyFilledCanceled" if spot and order.filled else "Cancelled"


def cancel_word(order: Order) -> str:
    if order.reason == "linked":
        stop = order.ticket.extra["stopOrderType"] == "PartialStopLoss"
        return "CancelByOCOSlCanceledByTpTriggered" if stop else "CancelByOCOTpCanceledBySlTriggered"
    if order.reason == "position_closed":
        return "CancelByTpSlTsClear" if order.ticket.position_bound else "CancelByReduceOnly"
    return CANCEL_WORDS.get(order.reason, "UNKNOWN")


def order_row(order: Order, quantity: Decimal) -> dict[str, Any]:
    """The price at its creation has another name on spot: bybit-exchange.github.io/docs/v5/order/order-list and open-order,
    read 2026-11-23."""
    ticket, extra, average = order.ticket, order.ticket.extra, order.average_price
    spot, limit = order.market.product is Product.SPOT, order.price is not None
    direction = 0 if spot or order.trigger_price is None else 1 if ticket.trigger_rises else 2
    left = quantity - order.filled if order.open else ZERO
    return {
        "orderId": order.id,
        "orderLinkId": order.client_id,
        "symbol": order.market.symbol,
        "side": WORD[ticket.side],
        "orderType": "Limit" if limit else "Market",
        "price": text(order.price),
        "qty": text(quantity if ticket.quote_quantity is None else ticket.quote_quantity),
        "marketUnit": extra.get("marketUnit", ""),
        "timeInForce": extra["timeInForce"],
        "orderStatus": status(order),
        "cancelType": cancel_word(order),
        "rejectReason": REJECT_WORDS.get(order.reason, "EC_NoError"),
        "positionIdx": INDEX_OF[ticket.position_side],
        "avgPrice": "" if average is None else text(average),
        "cumExecQty": text(order.filled),
        "cumExecValue": text(order.quote_filled),
        "cumExecFee": text(sum(order.fees().values(), ZERO)),
        "cumFeeDetail": {asset: text(fee) for asset, fee in order.fees().items()},
        "leavesQty": text(left),
        "leavesValue": text(order.market.value(left, order.price or order.trigger_price or extra["last"])),
        "stopOrderType": extra["stopOrderType"],
        "triggerPrice": "" if order.trigger_price is None else text(order.trigger_price),
        "triggerDirection": direction,
        "triggerBy": ""
        if direction == 0
        else next(name for name, by in TRIGGERS.items() if by is ticket.trigger_by),
        "lastPriceOnCreated": "" if spot else text(extra["last"]),
        **({"basePrice": text(extra["last"])} if spot else {}),
        "reduceOnly": ticket.reduces,
        "closeOnTrigger": ticket.position_bound,
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
        **_tpsl_row(order),
        **_EMPTY,
    }


def _tpsl_row(order: Order) -> dict[str, Any]:
    """What hangs on an order, or of which kind one is that hangs on a position."""
    ticket, given = order.ticket, order.ticket.extra.get("tpsl", {})
    mode = "Full" if given.get("takeProfit") or given.get("stopLoss") else ""
    mode = given.get("tpslMode") or mode
    if ticket.position_bound:
        mode = "Full" if ticket.close_position else "Partial"
    prices = {name: given.get(name, "") for name in LEGS}
    return {**prices, **({} if order.market.product is Product.SPOT else {"tpslMode": mode})}


def execution_row(order: Order, fill: Fill) -> dict[str, Any]:
    value = order.market.value(fill.quantity, fill.price)
    return {
        "symbol": fill.symbol,
        "orderId": order.id,
        "orderLinkId": order.client_id,
        "side": WORD[fill.side],
        "orderType": "Limit" if order.price is not None else "Market",
        "stopOrderType": order.ticket.extra["stopOrderType"] or "UNKNOWN",
        "orderPrice": text(order.price),
        "orderQty": text(order.quantity),
        "leavesQty": text(order.remaining if order.open else ZERO),
        "execId": str(uuid.uuid5(uuid.NAMESPACE_OID, f"bybit execution {fill.id}")),
        "execPrice": text(fill.price),
        "execQty": text(fill.quantity),
        "execValue": text(value),
        "execFee": text(fill.fee),
        "feeRate": text(fill.fee / (fill.quantity if fill.fee_asset == order.market.base else value), 6),
        "feeCurrency": fill.fee_asset,
        "execType": "Trade",
        "execTime": str(fill.time_ms),
        "isMaker": fill.maker,
        "closedSize": text(fill.closed),
        "markPrice": text(fill.price),
        "seq": fill.id,
        **dict.fromkeys(("indexPrice", "underlyingPrice", "tradeIv", "markIv", "blockTradeId"), ""),
    }


def closing_fills(order: Order) -> list[Fill]:
    return [fill for fill in order.fills if fill.closed]


def closed_row(order: Order, fills: list[Fill], leverage: Decimal) -> dict[str, Any]:
    """What an order closed with these of its fills, at least one. The price of a market order, a bound there, is here the
    one it got."""
    market, closed = order.market, sum((fill.closed for fill in fills), ZERO)
    entered = sum((market.value(fill.closed, fill.opened_at(market)) for fill in fills), ZERO)
    left = sum((market.value(fill.closed, fill.price) for fill in fills), ZERO)
    opening = sum((fill.opening_fee for fill in fills), ZERO)
    closing = sum((fine(fill.fee * fill.closed / fill.quantity) for fill in fills), ZERO)
    exit_price = market.average(closed, left)
    return {
        "symbol": market.symbol,
        "orderId": order.id,
        "side": WORD[order.side],
        "qty": text(order.quantity),
        "orderPrice": text(order.price or exit_price),
        "orderType": "Market" if order.price is None else "Limit",
        "execType": "Trade",
        "closedSize": text(closed),
        "cumEntryValue": text(entered),
        "avgEntryPrice": text(market.average(closed, entered)),
        "cumExitValue": text(left),
        "avgExitPrice": text(exit_price),
        "closedPnl": text(sum((fill.realised for fill in fills), -opening - closing)),
        "fillCount": str(len(fills)),
        "leverage": text(leverage),
        "openFee": text(opening),
        "closeFee": text(closing),
        "createdTime": str(fills[0].time_ms),
        "updatedTime": str(fills[-1].time_ms),
    }


def risk_row(market: Market) -> dict[str, Any]:
    """The one step there is."""
    return {
        "id": 1,
        "symbol": market.symbol,
        "riskLimitValue": "2000000",
        "maintenanceMargin": "0.005",
        "initialMargin": text(1 / market.max_leverage),
        "isLowestRisk": 1,
        "maxLeverage": text(market.max_leverage),
        "mmDeduction": "",
    }
