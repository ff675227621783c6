"""What Bitget's answers look like: markets, refusals, and one function per shape."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import ZERO, Fill, Market, Order, Reason, Rejected, text
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import (
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
SPOT, MIX = "/api/v2/spot", "/api/v2/mix"
WINDOW_MS = 30_000
LARGEST_BATCH = 50
SIDES = {"buy": Side.BUY, "sell": Side.SELL}
TYPES = {"market": False, "limit": True}
FORCES = {
    "gtc": TimeInForce.GTC,
    "ioc": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
    "post_only": TimeInForce.GTC,
}
#: planType of a TP/SL plan -> (is a stop, belongs to the whole position)
TPSL = {
    "loss_plan": (True, False),
    "profit_plan": (False, False),
    "pos_loss": (True, True),
    "pos_profit": (False, True),
}
LIMITS = (
    Limit("address", "address", 6000, 60, Owner.ADDRESS),
    *(Limit(name, name, 10, 1) for name in ("place", "plan", "cancel", "reads", "plans", "account")),
    *(Limit(name, name, 5, 1) for name in ("settings", "positions", "batch")),
    Limit("info", "info", 1, 1),
)


def costs(name: str) -> dict[str, int]:
    return {"address": 1, name: 1}


TRIGGERS = {"fill_price": TriggerBy.LAST, "mark_price": TriggerBy.MARK}
MARGIN = {"crossed": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
MODES = {"one_way_mode": PositionMode.ONE_WAY, "hedge_mode": PositionMode.HEDGE}
#: reason -> (code on futures, code on spot, words); {} is the detail
REFUSALS = {
    Reason.NO_KEY: ("40001", "40001", "ACCESS_KEY cannot be empty"),
    Reason.BAD_KEY: ("40037", "40037", "Apikey does not exist"),
    Reason.BAD_SIGNATURE: ("40009", "40009", "sign signature error"),
    Reason.BAD_TIMESTAMP: ("40008", "40008", "Request timestamp expired"),
    Reason.NO_PERMISSION: ("40014", "40014", "Incorrect permissions"),
    Reason.THROTTLED: ("429", "429", "Too Many Requests"),
    Reason.MAINTENANCE: ("40200", "40200", "Server upgrade, please try again later"),
    Reason.INTERNAL: ("40015", "40015", "System is abnormal, please try again later"),
    Reason.UNKNOWN_PATH: ("40404", "40404", "Request URL NOT FOUND"),
    Reason.MISSING_PARAMETER: ("40019", "40019", "Parameter {} cannot be empty"),
    Reason.UNKNOWN_SYMBOL: ("40034", "40034", "Parameter {} does not exist"),
    Reason.PRICE_TICK: ("45115", "43028", "The price you enter should be a multiple of the price step"),
    Reason.TRIGGER_TICK: ("45115", "43028", "The price you enter should be a multiple of the price step"),
    Reason.QUANTITY_STEP: (
        "40808",
        "40808",
        "Parameter verification exception size checkBDScale error value={}",
    ),
    Reason.MIN_QUANTITY: ("45111", "43006", "less than the minimum order quantity"),
    Reason.MAX_QUANTITY: ("45112", "43007", "more than the maximum order quantity"),
    Reason.MIN_NOTIONAL: ("45110", "45110", "less than the minimum amount {} USDT"),
    Reason.DUPLICATE: ("40786", "43118", "Duplicate clientOid"),
    Reason.INSUFFICIENT: ("40762", "43012", "Insufficient balance"),
    Reason.REDUCE_ONLY: ("22002", "22002", "No position to close"),
    Reason.POSITION_MODE: (
        "40774",
        "40774",
        "The order type for unilateral position must also be the unilateral position type.",
    ),
    Reason.WOULD_TRIGGER: ("43123", "43123", "param error triggerPrice"),
    Reason.STOP_REFUSED: ("40889", "43005", "The plan order of this contract has reached the upper limit"),
    Reason.TOO_MANY_ORDERS: ("45118", "43005", "Exceed the maximum number of orders"),
    Reason.UNKNOWN_ORDER: (
        "40109",
        "43001",
        "The data of the order cannot be found, please confirm the order number",
    ),
    Reason.NOT_OPEN: ("22001", "43001", "No order to cancel"),
    Reason.LEVERAGE: ("40797", "40797", "Exceeded the maximum settable leverage"),
    Reason.NOT_MODIFIED: ("45054", "45054", "No change"),
    Reason.HAS_OPEN_ORDERS: (
        "40920",
        "40920",
        "Position or order exists, the position mode cannot be switched",
    ),
    Reason.HAS_POSITION: ("40920", "40920", "Position or order exists, the position mode cannot be switched"),
}
#: a TP/SL plan on the wrong side of the price: (long, stop) -> code, words
CROSSED = {
    (True, True): ("40917", "Stop price for long positions please < mark price"),
    (True, False): ("40915", "Long position take profit price please > mark price"),
    (False, True): ("45122", "Short position stop loss price please > mark price"),
    (False, False): ("45135", "The take-profit price for short positions must be less than the mark price"),
}
#: base, tick and step of the perpetuals, tick and step of the pair; quoted in USDT
COINS = (
    ("BTC", "0.1", "0.0001", "0.01", "0.000001"),
    ("ETH", "0.01", "0.01", "0.01", "0.0001"),
    ("SOL", "0.001", "0.1", "0.01", "0.0001"),
    ("XRP", "0.0001", "1", "0.0001", "0.0001"),
    ("DOGE", "0.00001", "1", "0.00001", "0.0001"),
    ("LTC", "0.01", "0.1", "0.01", "0.0001"),
)
LINEAR_MARKETS = tuple(
    Market(
        f"{base}USDT",
        base,
        "USDT",
        Product.LINEAR,
        D(tick),
        D(step),
        min_quantity=D(step),
        min_notional=D(5),
        max_quantity=D(1_000_000),
        max_market_quantity=D(500_000),
    )
    for base, tick, step, _, _ in COINS
)
SPOT_MARKETS = tuple(
    Market(f"{base}USDT", base, "USDT", Product.SPOT, D(tick), D(step), min_notional=D(1))
    for base, _, _, tick, step in COINS
)


def frame(call: Call, data: Any) -> dict[str, Any]:
    return {"code": "00000", "msg": "success", "requestTime": call.now_ms, "data": data}


def error_answer(call: Call, code: str, words: str, status: int = 400) -> Reply:
    return Reply({"code": code, "msg": words, "requestTime": call.now_ms, "data": None}, status)


def named_answer(call: Call, order: Order) -> dict[str, Any]:
    return frame(call, {"orderId": order.live_id or order.id, "clientOid": order.client_id})


def found_order(desk: Desk, account: Account, named: Mapping[str, Any]) -> Order | None:
    order_id, client_id = str(named.get("orderId") or ""), str(named.get("clientOid") or "")
    return desk.order(account, order_id=order_id, client_id=client_id)


def page_of(call: Call, orders: Iterable[Order]) -> list[Order]:
    """The `limit` orders older than `idLessThan`; ids grow with time."""
    before = call.text("idLessThan", "")
    start, end = call.integer("startTime", 0), call.integer("endTime", 10**15)
    older = [
        each
        for each in orders
        if (not before or int(each.live_id or each.id) < int(before)) and start <= each.created_ms <= end
    ]
    return older[: call.integer("limit", 100)]


def meaning(table: Mapping[str, Any], word: str, name: str) -> Any:
    if word not in table:
        raise Rejected(Reason.BAD_PARAMETER, name)
    return table[word]


def name_of(table: Mapping[str, Any], value: Any) -> str:
    return next(name for name, each in table.items() if each is value)


def kind_of(*, stop: bool, limit: bool) -> OrderType:
    if stop:
        return OrderType.STOP_LIMIT if limit else OrderType.STOP
    return OrderType.TAKE_PROFIT_LIMIT if limit else OrderType.TAKE_PROFIT


def plan_type(order: Order) -> str:
    return str(order.ticket.extra.get("planType", ""))


def type_word(order: Order) -> str:
    return "market" if order.price is None else "limit"


def became(order: Order | None) -> list[dict[str, Any]]:
    """The order that a triggered plan goes on as."""
    if order is None or not order.live_id:
        return []
    price = text(order.price)
    return [{"orderId": order.live_id, "price": price, "type": type_word(order), "status": "success"}]


def symbol_row(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "baseCoin": market.base,
        "quoteCoin": market.quote,
        "minTradeAmount": "0",
        "maxTradeAmount": text(market.max_quantity),
        "takerFeeRate": "0.001",
        "makerFeeRate": "0.001",
        "pricePrecision": str(-market.tick.adjusted()),
        "quantityPrecision": str(-market.step.adjusted()),
        "quotePrecision": "8",
        "status": "online",
        "minTradeUSDT": text(market.min_notional),
        "buyLimitPriceRatio": "0.05",
        "sellLimitPriceRatio": "0.05",
    }


def contract_row(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "baseCoin": market.base,
        "quoteCoin": market.quote,
        "supportMarginCoins": ["USDT"],
        "minTradeNum": text(market.min_quantity),
        "priceEndStep": "1",
        "volumePlace": str(-market.step.adjusted()),
        "pricePlace": str(-market.tick.adjusted()),
        "sizeMultiplier": text(market.step),
        "symbolType": "perpetual",
        "minTradeUSDT": text(market.min_notional),
        "symbolStatus": "normal",
        "minLever": "1",
        "maxLever": text(market.max_leverage),
        "maxOrderQty": text(market.max_quantity),
        "maxMarketOrderQty": text(market.max_market_quantity),
        "makerFeeRate": "0.0002",
        "takerFeeRate": "0.0006",
    }


def ticker_row(call: Call, desk: Desk, market: Market) -> dict[str, Any]:
    last = text(desk.bid(market))
    row = {"symbol": market.symbol, "lastPr": last, "bidPr": last, "askPr": text(desk.ask(market))}
    marks = {} if market.product is Product.SPOT else {"markPrice": last, "indexPrice": last}
    day = dict.fromkeys(("high24h", "low24h", "open", "open24h", "openUtc"), last)
    still = dict.fromkeys(("change24h", "changeUtc24h", "baseVolume", "quoteVolume", "usdtVolume"), "0")
    return {**row, **marks, **day, **still, "bidSz": "1000", "askSz": "1000", "ts": str(call.now_ms)}


def status_word(order: Order) -> str:
    match order.status:
        case OrderStatus.OPEN:
            return "partially_filled" if order.filled else "live"
        case OrderStatus.FILLED:
            return "filled"
    return "cancelled" if order.market.product is Product.SPOT else "canceled"


def plan_status(order: Order) -> str:
    if order.open and order.waiting:
        return "live"
    if order.status is OrderStatus.REJECTED:
        return "fail_execute"
    return "executed" if order.triggered_ms is not None else "cancelled"


def times(order: Order) -> dict[str, str]:
    return {"cTime": str(order.created_ms), "uTime": str(order.updated_ms)}


def spot_row(order: Order, *, listed: bool = False) -> dict[str, Any]:
    """In the list of open orders the price is called priceAvg and the average basePrice."""
    average, price = text(order.average_price), text(order.price)
    coins = {
        coin: {"deduction": False, "feeCoinCode": coin, "totalDeductionFee": 0, "totalFee": float(-fee)}
        for coin, fee in order.fees().items()
    }
    ended = {
        "price": price,
        "priceAvg": average,
        "feeDetail": json.dumps(coins) if coins else "",
        "cancelReason": "",
    }
    ticket = order.ticket
    return {
        "symbol": order.market.symbol,
        "orderId": order.live_id or order.id,
        "clientOid": order.live_id or order.client_id,
        "size": text(order.quantity if ticket.quote_quantity is None else ticket.quote_quantity),
        "orderType": type_word(order),
        "side": str(order.side),
        "status": status_word(order),
        "baseVolume": text(order.filled),
        "quoteVolume": text(order.quote_filled),
        **({"priceAvg": price, "basePrice": average} if listed else ended),
        **times(order),
    }


def spot_plan_row(order: Order) -> dict[str, Any]:
    return {
        "orderId": order.id,
        "clientOid": order.client_id,
        "symbol": order.market.symbol,
        "size": text(order.quantity),
        "planType": plan_type(order),
        "executePrice": text(order.price),
        "triggerPrice": text(order.trigger_price),
        "status": plan_status(order),
        "orderType": type_word(order),
        "side": str(order.side),
        "triggerType": name_of(TRIGGERS, order.ticket.trigger_by),
        "enterPointSource": "API",
        **times(order),
    }


def hedge_words(desk: Desk, account: Account, order: Order) -> dict[str, Any]:
    """In hedge mode `side` is the position's; in one-way mode there is no position side."""
    ticket, direction = order.ticket, order.ticket.position_side
    mode = {"posMode": name_of(MODES, desk.book(account).position_mode)}
    margin = {"marginMode": name_of(MARGIN, desk.margin_mode(account, order.market)), "marginCoin": "USDT"}
    if direction is None:
        return {
            "side": str(order.side),
            "posSide": "net",
            "tradeSide": f"{order.side}_single",
            "reduceOnly": "YES" if ticket.reduces else "NO",
            **mode,
            **margin,
        }
    trade = "close" if ticket.exits else "open"
    words = {"side": str(direction.entry_side), "posSide": str(direction), "tradeSide": trade}
    return {**words, "reduceOnly": "YES" if ticket.exits else "NO", **mode, **margin}


def futures_row(desk: Desk, account: Account, order: Order, status: str) -> dict[str, Any]:
    return {
        "symbol": order.market.symbol,
        "size": text(order.quantity),
        "orderId": order.live_id or order.id,
        "clientOid": order.live_id or order.client_id,
        "baseVolume": text(order.filled),
        "fee": text(-sum(order.fees().values(), ZERO)),
        "price": text(order.price),
        "priceAvg": "" if order.average_price is None else text(order.average_price),
        status: status_word(order),
        "quoteVolume": text(order.quote_filled),
        "orderType": type_word(order),
        "leverage": text(desk.leverage(account, order.market)),
        "force": "gtc",
        "totalProfits": text(sum((fill.realised for fill in order.fills), ZERO)),
        "orderSource": type_word(order),
        "enterPointSource": "API",
        **{
            f"preset{name}Price": _preset(order, stop=name == "StopLoss")
            for name in ("StopLoss", "StopSurplus")
        },
        **hedge_words(desk, account, order),
        **times(order),
    }


def futures_plan_row(desk: Desk, account: Account, order: Order) -> dict[str, Any]:
    return {
        "planType": plan_type(order),
        "symbol": order.market.symbol,
        "size": text(order.quantity),
        "orderId": order.id,
        "clientOid": order.client_id,
        "executeOrderId": order.live_id,
        "price": "" if order.price is None else text(order.price),
        "executePrice": text(order.price),
        "triggerPrice": text(order.trigger_price),
        "triggerType": name_of(TRIGGERS, order.ticket.trigger_by),
        "planStatus": plan_status(order),
        "orderType": type_word(order),
        "baseVolume": text(order.filled) if order.filled else "",
        "priceAvg": "" if order.average_price is None else text(order.average_price),
        **hedge_words(desk, account, order),
        **times(order),
    }


def signature(secret: str, signed: bytes) -> bytes:
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest())


def _preset(order: Order, *, stop: bool) -> str:
    """The trigger of what an order brings along."""
    stops = (OrderType.STOP, OrderType.STOP_LIMIT)
    found = [each.trigger_price for each in order.ticket.attached if (each.type in stops) is stop]
    return text(found[0]) if found else ""


def _fee(fill: Fill) -> dict[str, str]:
    return {
        "deduction": "no",
        "feeCoin": fill.fee_asset,
        "totalDeductionFee": "",
        "totalFee": text(-fill.fee),
    }


def spot_fill_row(order: Order, fill: Fill) -> dict[str, Any]:
    return {
        "userId": "1",
        "symbol": fill.symbol,
        "orderId": fill.order_id,
        "tradeId": str(fill.id),
        "orderType": type_word(order),
        "side": fill.side.value,
        "priceAvg": text(fill.price),
        "size": text(fill.quantity),
        "amount": text(fill.quantity * fill.price),
        "feeDetail": _fee(fill),
        "tradeScope": "maker" if fill.maker else "taker",
        "cTime": str(fill.time_ms),
        "uTime": str(fill.time_ms),
    }


def futures_fill_row(order: Order, fill: Fill) -> dict[str, Any]:
    hedged = fill.position_side is not None
    trade = "close" if order.ticket.exits else "open"
    return {
        "tradeId": str(fill.id),
        "symbol": fill.symbol,
        "marginCoin": "USDT",
        "orderId": fill.order_id,
        "price": text(fill.price),
        "baseVolume": text(fill.quantity),
        "quoteVolume": text(fill.quantity * fill.price),
        "feeDetail": [_fee(fill)],
        "side": fill.side.value,
        "profit": text(fill.realised),
        "enterPointSource": "api",
        "tradeSide": trade if hedged else f"{fill.side}_single",
        "posMode": "hedge_mode" if hedged else "one_way_mode",
        "tradeScope": "maker" if fill.maker else "taker",
        "cTime": str(fill.time_ms),
        "uTime": str(fill.time_ms),
    }


def closed_row(desk: Desk, account: Account, fill: Fill) -> dict[str, Any]:
    market = desk.market(fill.symbol)
    fee = fill.fee * fill.closed / fill.quantity
    return {
        "positionId": str(fill.id),
        "marginCoin": "USDT",
        "symbol": fill.symbol,
        "holdSide": "long" if fill.side is Side.SELL else "short",
        "openAvgPrice": text(fill.opened_at(market)),
        "closeAvgPrice": text(fill.price),
        "marginMode": name_of(MARGIN, desk.margin_mode(account, market)),
        "posMode": name_of(MODES, desk.book(account).position_mode),
        "openTotalPos": text(fill.closed),
        "closeTotalPos": text(fill.closed),
        "pnl": text(fill.realised),
        "netProfit": text(fill.realised - fee),
        "openFee": "0",
        "closeFee": text(-fee),
        "totalFunding": "0",
        "cTime": str(fill.time_ms),
        "uTime": str(fill.time_ms),
        "ctime": str(fill.time_ms),
        "utime": str(fill.time_ms),
    }
