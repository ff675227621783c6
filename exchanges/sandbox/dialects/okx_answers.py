"""What OKX's answers look like: markets, refusals, and one function per shape."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account, Book, Position
from exchanges.sandbox.model import ZERO, Fill, Market, Order, Reason, Rejected, Ticket, text
from exchanges.sandbox.wire import Answered, Call, Reply, encode
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


WALLET = "trading"
WINDOW_MS = 30_000
AT_MARKET = "-1"
LARGEST_BATCH = 20
KINDS = {"SPOT": (Product.SPOT,), "SWAP": (Product.LINEAR, Product.INVERSE)}
KIND_OF = {product: kind for kind, products in KINDS.items() for product in products}
SIDES = {each.value: each for each in Side}
TIMES = {"fok": TimeInForce.FOK, "ioc": TimeInForce.IOC}
PLAIN = {
    **dict.fromkeys(("limit", "post_only", "fok", "ioc"), OrderType.LIMIT),
    **dict.fromkeys(("market", "optimal_limit_ioc"), OrderType.MARKET),
}
POSITION_SIDES = {"": None, "net": None, "long": Direction.LONG, "short": Direction.SHORT}
POSITION_MODES = {"net_mode": PositionMode.ONE_WAY, "long_short_mode": PositionMode.HEDGE}
MARGIN_MODES = {each.value: each for each in MarginMode}
TRIGGERS = {each.value: each for each in TriggerBy}
#: reason -> (code, words, HTTP status); codes from 51000 on stand in the row of the order they are about
REFUSALS = {
    Reason.NO_KEY: (50103, 'Request header "OK-ACCESS-KEY" can not be empty.', 401),
    Reason.BAD_KEY: (50111, "Invalid OK-ACCESS-KEY", 401),
    Reason.BAD_SIGNATURE: (50113, "Invalid Sign", 401),
    Reason.BAD_TIMESTAMP: (50102, "Timestamp request expired", 401),
    Reason.NO_PERMISSION: (50120, "This API key doesn't have permission to use this function", 401),
    Reason.THROTTLED: (50011, "Too Many Requests", 429),
    Reason.MAINTENANCE: (50001, "Service temporarily unavailable. Please try again later.", 503),
    Reason.INTERNAL: (50026, "System error. Try again later", 500),
    Reason.UNKNOWN_PATH: (404, "Not Found", 404),
    Reason.MISSING_PARAMETER: (50014, "Parameter {} can not be empty.", 400),
    Reason.BAD_PARAMETER: (51000, "Parameter {}  error", 200),
    Reason.POSITION_MODE: (51000, "Parameter posSide  error", 200),
    Reason.UNKNOWN_SYMBOL: (51001, "Instrument ID, Instrument ID code, or Spread ID doesn't exist.", 200),
    Reason.PRICE_TICK: (51150, "The precision of the number of trades or the price exceeds the limit.", 200),
    Reason.TRIGGER_TICK: (
        51150,
        "The precision of the number of trades or the price exceeds the limit.",
        200,
    ),
    Reason.QUANTITY_STEP: (51121, "Order quantity must be a multiple of the lot size.", 200),
    Reason.MIN_QUANTITY: (51020, "Your order should meet or exceed the minimum order amount.", 200),
    Reason.MAX_QUANTITY: (51202, "Market order amount exceeds the maximum amount.", 200),
    Reason.DUPLICATE: (51016, "Client order ID already exists.", 200),
    Reason.INSUFFICIENT: (51008, "Order failed. Insufficient {} balance in account.", 200),
    Reason.REDUCE_ONLY: (
        51169,
        "Order failed because you don't have any positions in this direction for this contract to reduce or close.",
        200,
    ),
    Reason.STOP_REFUSED: (51261, "Each user can hold up to 100 pending stop orders at the same time.", 200),
    Reason.TOO_MANY_ORDERS: (51174, "Order failed, number of pending orders exceed the limit of 500.", 200),
    Reason.UNKNOWN_ORDER: (51603, "Order does not exist", 200),
    Reason.NOT_OPEN: (
        51400,
        "Cancellation failed as the order has been filled, canceled or does not exist.",
        200,
    ),
    Reason.LEVERAGE: (59102, "Leverage exceeds the maximum limit. Please lower the leverage.", 200),
    Reason.HAS_OPEN_ORDERS: (59000, "Setting failed. Cancel any open orders, close positions first.", 200),
    Reason.HAS_POSITION: (59000, "Setting failed. Cancel any open orders, close positions first.", 200),
}
#: leg and side of a conditional order that the price has crossed already
CROSSED = {
    ("tp", Side.BUY): (51277, "TP trigger price cannot be higher than the last price."),
    ("sl", Side.BUY): (51278, "SL trigger price cannot be lower than the last price."),
    ("tp", Side.SELL): (51279, "TP trigger price cannot be lower than the last price."),
    ("sl", Side.SELL): (51280, "SL trigger price cannot be higher than the last price."),
}
#: base, tick, coins per contract, lot in contracts; tick and lot of the pair; quoted in USDT
COINS = (
    ("BTC", "0.1", "0.01", "0.01", "0.1", "0.00000001"),
    ("ETH", "0.01", "0.1", "0.01", "0.01", "0.000001"),
    ("SOL", "0.01", "1", "0.01", "0.01", "0.000001"),
    ("XRP", "0.0001", "100", "0.01", "0.0001", "0.000001"),
    ("DOGE", "0.00001", "1000", "0.01", "0.00001", "0.01"),
    ("LTC", "0.01", "1", "0.1", "0.01", "0.000001"),
)


def _swap(base: str, coin: str, tick: str, size: str, lot: str) -> Market:
    symbol, product = f"{base}-{coin}-SWAP", Product.LINEAR
    most = D(10_000_000)
    return Market(
        symbol, base, coin, product, D(tick), D(lot), D(lot), ZERO, most, most / 100, D(size), D(100)
    )


def _inverse(base: str, tick: str, dollars: str, lot: str) -> Market:
    symbol, most = f"{base}-USD-SWAP", D(1_000_000)
    product = Product.INVERSE
    return Market(
        symbol, base, "USD", product, D(tick), D(lot), D(lot), ZERO, most, most / 10, D(dollars), D(100)
    )


def _pair(base: str, coin: str, tick: str, lot: str) -> Market:
    return Market(f"{base}-{coin}", base, coin, Product.SPOT, D(tick), D(lot), max(D(lot), D("0.00001")))


SWAPS = (
    *(_swap(base, "USDT", tick, size, lot) for base, tick, size, lot, _, _ in COINS),
    _swap("BTC", "USDC", "0.1", "0.0001", "1"),
)
INVERSE = tuple(
    _inverse(base, tick, *(("100", "0.1") if base == "BTC" else ("10", "1"))) for base, tick, *_ in COINS
)
PAIRS = (
    *(_pair(base, "USDT", tick, lot) for base, _, _, _, tick, lot in COINS),
    _pair("BTC", "USDC", "0.1", "0.00000001"),
)

TYPES = {
    (True, False): OrderType.STOP,
    (True, True): OrderType.STOP_LIMIT,
    (False, False): OrderType.TAKE_PROFIT,
    (False, True): OrderType.TAKE_PROFIT_LIMIT,
}
STATES = {
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELLED: "canceled",
    OrderStatus.REJECTED: "canceled",
    OrderStatus.EXPIRED: "canceled",
}


#: of an order, of things that are not simulated
_NOTHING = {
    **dict.fromkeys(("ccy", "tag", "source", "lever", "rebateCcy", "stpMode", "stpId", "quickMgnType"), ""),
    **dict.fromkeys(("tpTriggerPx", "tpOrdPx", "slTriggerPx", "slOrdPx"), ""),
    "category": "normal",
    "rebate": "0",
    "pnl": "0",
}


class RowRefused(Exception):
    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


def check_crossed(ticket: Ticket, last: Decimal) -> None:
    leg, trigger = ticket.extra["leg"], ticket.trigger_price or ZERO
    if leg != "trigger" and (last >= trigger if ticket.rises else last <= trigger):
        raise RowRefused(*CROSSED[leg, ticket.side])


def signature(secret: str, signed: bytes) -> bytes:
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest())


def frame(data: list[Any], code: int = 0, words: str = "") -> dict[str, Any]:
    return {"code": str(code), "data": data, "msg": words}


def answered(code: int, words: str, status: int) -> Answered:
    return Answered(Reply(frame([], code, words), status))


def refusal(reason: Reason, detail: str) -> tuple[int, str, int]:
    code, words, status = REFUSALS.get(reason, REFUSALS[Reason.BAD_PARAMETER])
    return code, words.format(detail), status


def stamp_ms(stamp: str) -> int:
    """Raises Rejected for what is no ISO time of UTC."""
    try:
        return int(datetime.fromisoformat(stamp).timestamp() * 1000)
    except ValueError:
        raise answered(50112, "Invalid OK-ACCESS-TIMESTAMP", 401) from None


def rows_of(call: Call) -> list[Call]:
    """A call for each entry of a body that is a list."""
    rows = call.body_params.get("")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise Rejected(Reason.BAD_PARAMETER, "body")
    return [replace(call, body=encode(row)) for row in rows]


def page(call: Call, rows: list[dict[str, Any]], id_name: str) -> list[dict[str, Any]]:
    ids = [row[id_name] for row in rows]
    after = call.text("after", "")
    first = ids.index(after) + 1 if after in ids else 0
    return rows[first : first + call.integer("limit", 100)]


def is_algo(order: Order) -> bool:
    return "leg" in order.ticket.extra


def market_row(market: Market) -> dict[str, Any]:
    spot = market.product is Product.SPOT
    return {
        "instType": KIND_OF[market.product],
        "instId": market.symbol,
        "uly": "" if spot else f"{market.base}-{market.quote}",
        "instFamily": "" if spot else f"{market.base}-{market.quote}",
        "baseCcy": market.base if spot else "",
        "quoteCcy": market.quote if spot else "",
        "settleCcy": "" if spot else market.settle,
        "ctVal": "" if spot else text(market.contract_size),
        "ctMult": "" if spot else "1",
        "ctValCcy": "" if spot else market.quote if market.inverse else market.base,
        "ctType": "" if spot else "inverse" if market.inverse else "linear",
        "lever": "" if spot else text(market.max_leverage),
        "tickSz": text(market.tick),
        "lotSz": text(market.step),
        "minSz": text(market.min_quantity),
        "maxLmtSz": text(market.max_quantity),
        "maxMktSz": "1000000" if spot else text(market.max_market_quantity),
        "state": "live",
    }


def ticker_row(desk: Desk, market: Market, now_ms: int) -> dict[str, Any]:
    last = text(desk.bid(market))
    sizes = dict.fromkeys(("bidSz", "askSz", "lastSz", "vol24h", "volCcy24h"), "1000")
    prices = {"last": last, "bidPx": last, "askPx": text(desk.ask(market))}
    return {
        "instType": KIND_OF[market.product],
        "instId": market.symbol,
        **prices,
        **sizes,
        "ts": str(now_ms),
    }


def common_row(order: Order) -> dict[str, Any]:
    ticket, spot = order.ticket, order.market.product is Product.SPOT
    return {
        "instType": KIND_OF[order.market.product],
        "instId": order.market.symbol,
        "closeFraction": "1" if ticket.close_position else "",
        "side": ticket.side.value,
        "posSide": "" if spot else (ticket.position_side or "net"),
        "tdMode": ticket.extra["tdMode"],
        "sz": text(order.quantity if ticket.quote_quantity is None else ticket.quote_quantity),
        "tgtCcy": ticket.extra.get("tgtCcy", "") if spot and order.price is None else "",
        "reduceOnly": "true" if ticket.reduce_only else "false",
        "cTime": str(order.created_ms),
        "uTime": str(order.updated_ms),
    }


def order_row(order: Order) -> dict[str, Any]:
    """A plain order, or the one that a triggered algo order became."""
    algo, average, fees = is_algo(order), order.average_price, order.fees()
    kind = "market" if order.price is None else "limit" if algo else order.ticket.extra["ordType"]
    open_state = "partially_filled" if order.filled else "live"
    return {
        **common_row(order),
        "ordId": order.live_id or order.id,
        "clOrdId": "" if algo else order.client_id,
        "algoId": order.linked[0].id if algo else "",
        "algoClOrdId": order.linked[0].client_id if algo else "",
        **_NOTHING,
        **_last_fill(order),
        "attachAlgoOrds": [_attached_row(each) for each in order.ticket.attached],
        "ordType": kind,
        "px": "" if order.price is None else text(order.price),
        "state": STATES.get(order.status, open_state),
        "accFillSz": text(order.filled),
        "avgPx": "" if average is None else text(average),
        "fee": text(-sum(fees.values(), ZERO)),
        "feeCcy": next(iter(fees), order.market.settle),
        "cancelSourceReason": order.reason if order.status is not OrderStatus.FILLED else "",
    }


def _last_fill(order: Order) -> dict[str, str]:
    last = order.fills[-1] if order.fills else None
    names = ("fillPx", "fillSz", "fillTime", "tradeId")
    if last is None:
        return dict.fromkeys(names, "")
    told = (text(last.price), text(last.quantity), str(last.time_ms), str(last.id))
    return {
        **dict(zip(names, told, strict=True)),
        "pnl": text(sum((fill.realised for fill in order.fills), ZERO)),
    }


def _attached_row(ticket: Ticket) -> dict[str, str]:
    leg = ticket.extra["leg"]
    price = AT_MARKET if ticket.price is None else text(ticket.price)
    row = dict.fromkeys(("attachAlgoId", "slTriggerPx", "slOrdPx", "tpTriggerPx", "tpOrdPx"), "")
    prices = {f"{leg}TriggerPx": text(ticket.trigger_price), f"{leg}OrdPx": price}
    return {**row, **prices, "attachAlgoClOrdId": ticket.client_id, "sz": text(ticket.quantity)}


def fill_row(book: Book, fill: Fill) -> dict[str, Any]:
    order = book.orders.get(fill.order_id)
    spot = "SWAP" not in fill.symbol
    return {
        "instType": "SPOT" if spot else "SWAP",
        "instId": fill.symbol,
        "tradeId": str(fill.id),
        "billId": str(fill.id),
        "ordId": fill.order_id,
        "clOrdId": "" if order is None else order.client_id,
        "side": fill.side.value,
        "posSide": "" if spot else fill.position_side or "net",
        "fillPx": text(fill.price),
        "fillSz": text(fill.quantity),
        "execType": "M" if fill.maker else "T",
        "fee": text(-fill.fee),
        "feeCcy": fill.fee_asset,
        "ts": str(fill.time_ms),
        "fillTime": str(fill.time_ms),
    }


def algo_row(pair: list[Order]) -> dict[str, Any]:
    first = pair[0]
    fired = next((order for order in pair if order.triggered_ms is not None), None)
    state = "live" if all(order.open for order in pair) else "canceled"
    if fired is not None:
        state = "order_failed" if fired.status is OrderStatus.REJECTED else "effective"
    row = common_row(first) | {
        "algoId": first.id,
        "algoClOrdId": first.client_id,
        "ordType": first.ticket.extra["ordType"],
        "state": state,
        "failCode": "51008" if state == "order_failed" else "",
        "actualSide": fired.ticket.extra["leg"] if fired else "",
        "ordIdList": [fired.live_id] if state == "effective" and fired else [],
        "last": text(first.ticket.extra["last"]),
        **dict.fromkeys(("triggerPx", "ordPx", "slTriggerPx", "slOrdPx", "tpTriggerPx", "tpOrdPx"), ""),
    }
    for order in pair:
        leg = order.ticket.extra["leg"]
        names = ("triggerPx", "ordPx") if leg == "trigger" else (f"{leg}TriggerPx", f"{leg}OrdPx")
        row |= dict(zip(names, (text(order.trigger_price), limit_word(order)), strict=True))
    return row


def limit_word(order: Order) -> str:
    return AT_MARKET if order.price is None else text(order.price)


def position_row(desk: Desk, account: Account, position: Position) -> dict[str, Any]:
    mark, market = desk.bid(position.market), position.market
    return {
        "instType": "SWAP",
        "instId": market.symbol,
        "posSide": position.side or "net",
        "pos": text(position.quantity if position.side is None else abs(position.quantity)),
        "avgPx": text(position.entry_price),
        "markPx": text(mark),
        "last": text(mark),
        "lever": text(desk.leverage(account, market)),
        "mgnMode": desk.margin_mode(account, market).value,
        "upl": text(position.unrealised(mark)),
        "liqPx": "",
        "notionalUsd": text(market.notional(abs(position.quantity), mark)),
        "imr": text(position.notional(position.entry_price) / desk.leverage(account, market)),
        "mmr": "0",
        "ccy": market.settle,
        "cTime": str(position.updated_ms),
        "uTime": str(position.updated_ms),
    }


def balance_row(account: Account, coin: str) -> dict[str, Any]:
    total, free = account.total(WALLET, coin), text(account.free(WALLET, coin))
    profit, locked = account.unrealised(WALLET, coin), text(account.locked(WALLET, coin))
    return {
        "ccy": coin,
        "eq": text(total + profit),
        "cashBal": text(total),
        "availBal": free,
        "availEq": free,
        "frozenBal": locked,
        "upl": text(profit),
    }


def history_row(market: Market, fill: Fill, account: Account, desk: Desk) -> dict[str, Any]:
    """A position as far as one fill closed it."""
    sells = fill.side is Side.SELL
    fee = fill.fee * fill.closed / fill.quantity
    side = fill.position_side or "net"
    return {
        "instType": "SWAP",
        "instId": market.symbol,
        "uly": f"{market.base}-{market.quote}",
        "ccy": market.settle,
        "mgnMode": desk.margin_mode(account, market).value,
        "lever": text(desk.leverage(account, market)),
        "posId": str(fill.id),
        "posSide": side,
        "direction": "long" if sells else "short",
        "type": "2",
        "openAvgPx": text(fill.opened_at(market)),
        "closeAvgPx": text(fill.price),
        "openMaxPos": text(fill.closed),
        "closeTotalPos": text(fill.closed),
        "pnl": text(fill.realised),
        "pnlRatio": "",
        "fee": text(-fee),
        "fundingFee": "0",
        "liqPenalty": "0",
        "realizedPnl": text(fill.realised - fee),
        "triggerPx": "",
        "cTime": str(fill.time_ms),
        "uTime": str(fill.time_ms),
    }


def tier_row(market: Market) -> dict[str, str]:
    family = f"{market.base}-{market.quote}"
    return {
        "instFamily": family,
        "uly": family,
        "instId": market.symbol,
        "tier": "1",
        "minSz": "0",
        "maxSz": text(market.max_quantity),
        "mmr": "0.004",
        "imr": text(1 / market.max_leverage, 4),
        "maxLever": text(market.max_leverage),
        **dict.fromkeys(("baseMaxLoan", "quoteMaxLoan", "optMgnFactor"), ""),
    }
