"""What Hyperliquid answers: markets, orders, fills, positions in its own fields, refusals in its words. No calls, no decisions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.model import Fill, Market, Order, Reason, Rejected, text
from exchanges.types import OrderStatus, OrderType, Product, Side

SIDE = {Side.BUY: "B", Side.SELL: "A"}
TYPES = {
    OrderType.LIMIT: "Limit",
    OrderType.STOP: "Stop Market",
    OrderType.STOP_LIMIT: "Stop Limit",
    OrderType.TAKE_PROFIT: "Take Profit Market",
    OrderType.TAKE_PROFIT_LIMIT: "Take Profit Limit",
}
ENDS: dict[str, str] = {
    "linked": "siblingFilledCanceled",
    "position_closed": "reduceOnlyCanceled",
    Reason.REDUCE_ONLY: "reduceOnlyCanceled",
}
REFUSED: dict[str, str] = {
    Reason.POST_ONLY: "badAloPxRejected",
    Reason.NOT_FILLABLE: "iocCancelRejected",
    Reason.REDUCE_ONLY: "reduceOnlyRejected",
}
SENTENCES = {
    Reason.BAD_NONCE: "Invalid nonce: {}",
    Reason.NO_PERMISSION: "User or API Wallet {} does not exist.",
    Reason.PRICE_TICK: "Price must be divisible by tick size.",
    Reason.TRIGGER_TICK: "Price must be divisible by tick size.",
    Reason.QUANTITY_STEP: "Order has invalid size.",
    Reason.MIN_QUANTITY: "Order has zero size.",
    Reason.MAX_QUANTITY: "Order has invalid size.",
    Reason.MIN_NOTIONAL: "Order must have minimum value of $10.",
    Reason.DUPLICATE: "Duplicate cloid",
    Reason.INSUFFICIENT: "Insufficient margin to place order.",
    Reason.REDUCE_ONLY: "Reduce only order would increase position.",
    Reason.WOULD_TRIGGER: "Invalid TP/SL price.",
    Reason.POST_ONLY: "Post only order would have immediately matched, bbo was {}.",
    Reason.NOT_FILLABLE: "Order could not immediately match against any resting orders.",
    Reason.STOP_REFUSED: "Cannot have more than 1000 open orders.",
    Reason.TOO_MANY_ORDERS: "Cannot have more than 1000 open orders.",
    Reason.NOT_OPEN: "Order was never placed, already canceled, or filled.",
    Reason.UNKNOWN_SYMBOL: "Invalid asset {}",
    Reason.LEVERAGE: "Invalid leverage value",
    Reason.HAS_POSITION: "Cannot switch leverage type with open position.",
}
#: coins that exist on the chain of spot as a bridged one
TOKENS = {"USDT": "USDT0", **{coin: f"U{coin}" for coin in ("BTC", "ETH", "SOL")}}


def perpetual_row(market: Market) -> dict[str, Any]:
    return {
        "szDecimals": market.extra["digits"],
        "name": market.symbol,
        "maxLeverage": int(market.max_leverage),
        "marginTableId": 50,
    }


def context(desk: Desk, market: Market) -> dict[str, Any]:
    bid, ask = desk.bid(market), desk.ask(market)
    told = {
        "markPx": text(bid),
        "midPx": text((bid + ask) / 2),
        "prevDayPx": text(bid),
        "dayNtlVlm": "1000000.0",
    }
    if market.product is Product.SPOT:
        return {**told, "circulatingSupply": "1000000.0", "coin": market.symbol}
    more = {"funding": "0.0000125", "openInterest": "1000.0", "premium": "0.0", "oraclePx": text(bid)}
    return {**told, **more, "impactPxs": [text(bid), text(ask)]}


def spot_lists(markets: Iterable[Market]) -> dict[str, Any]:
    """Pairs name their tokens by index; `fullName` here is the coin everybody else means."""
    markets = tuple(markets)
    digits = {"USDC": 8, "USDT": 2} | {each.base: each.extra["digits"] for each in markets}
    places = {coin: place for place, coin in enumerate(digits)}
    tokens = [
        {
            "name": TOKENS.get(coin, coin),
            "szDecimals": digits[coin],
            "weiDecimals": digits[coin] + 5,
            "index": place,
            "tokenId": f"0x{place:032x}",
            "isCanonical": coin == "USDC",
            "evmContract": None,
            "fullName": coin,
        }
        for coin, place in places.items()
    ]
    pairs = [
        {
            "name": each.symbol,
            "tokens": [places[each.base], places[each.quote]],
            "index": each.extra["asset"] - 10_000,
            "isCanonical": False,
        }
        for each in markets
    ]
    return {"tokens": tokens, "universe": pairs}


def order_row(order: Order) -> dict[str, Any]:
    """An order that is closed by its position's size has none of its own until it triggers."""
    ticket, extra, waits = order.ticket, order.ticket.extra, order.ticket.type.conditional
    way = "above" if ticket.trigger_rises else "below"
    level = text(extra["triggerPx"]) if waits else "0.0"
    return {
        "coin": order.market.symbol,
        "side": SIDE[ticket.side],
        "limitPx": text(extra["limitPx"]),
        "sz": text(order.remaining),
        "oid": int(order.id),
        "timestamp": order.created_ms,
        "triggerCondition": f"Price {way} {level}" if waits else "N/A",
        "isTrigger": waits,
        "triggerPx": level,
        "children": [],
        "isPositionTpsl": ticket.position_bound,
        "reduceOnly": ticket.reduce_only,
        "orderType": TYPES[ticket.type],
        "origSz": text(order.quantity),
        "tif": extra["tif"],
        "cloid": order.client_id or None,
    }


def inner_status(order: Order) -> dict[str, Any]:
    return {"order": order_row(order), "status": status_word(order), "statusTimestamp": order.updated_ms}


def status_word(order: Order) -> str:
    match order.status:
        case OrderStatus.OPEN:
            return "triggered" if order.triggered_ms else "open"
        case OrderStatus.FILLED:
            return "filled"
        case OrderStatus.REJECTED:
            short = order.reason == Reason.INSUFFICIENT
            spot = order.market.product is Product.SPOT
            lacking = "insufficientSpotBalanceRejected" if spot else "perpMarginRejected"
            return lacking if short else REFUSED.get(order.reason, "rejected")
    if order.reason == "unfilled" and not order.filled:
        return "iocCancelRejected"
    return ENDS.get(order.reason, "canceled")


def fill_row(fill: Fill, order: Order) -> dict[str, Any]:
    return {
        "coin": fill.symbol,
        "px": text(fill.price),
        "sz": text(fill.quantity),
        "side": SIDE[fill.side],
        "time": fill.time_ms,
        "startPosition": "0.0",
        "dir": _direction(fill, order),
        "closedPnl": text(fill.realised),
        "hash": f"0x{fill.id:064x}",
        "oid": int(order.id),
        "crossed": not fill.maker,
        "fee": text(fill.fee),
        "tid": fill.id,
        "feeToken": TOKENS.get(fill.fee_asset, fill.fee_asset),
        "twapId": None,
        **({"cloid": order.client_id} if order.client_id else {}),
    }


def _direction(fill: Fill, order: Order) -> str:
    """What it did to the position, where there is one."""
    buys = fill.side is Side.BUY
    if order.market.product is Product.SPOT:
        return "Buy" if buys else "Sell"
    if order.ticket.reduces or fill.realised:
        return "Close Short" if buys else "Close Long"
    return "Open Long" if buys else "Open Short"


def position_row(desk: Desk, account: Account, position: Position) -> dict[str, Any]:
    market, mark = position.market, desk.bid(position.market)
    leverage = desk.leverage(account, market)
    notional = position.notional(mark)
    return {
        "type": "oneWay",
        "position": {
            "coin": market.symbol,
            "szi": text(position.quantity),
            "leverage": {"type": str(desk.margin_mode(account, market)), "value": int(leverage)},
            "entryPx": text(position.entry_price),
            "positionValue": text(notional),
            "unrealizedPnl": text(position.unrealised(mark)),
            "returnOnEquity": "0.0",
            "liquidationPx": None,
            "marginUsed": text(notional / leverage),
            "maxLeverage": int(market.max_leverage),
            "cumFunding": {"allTime": "0.0", "sinceOpen": "0.0", "sinceChange": "0.0"},
        },
    }


def sentence(reason: Reason, detail: str) -> str:
    return SENTENCES.get(reason, f"Invalid request: {reason} {{}}").format(detail)


def said(refused: Rejected, desk: Desk, market: Market) -> str:
    if market.product is Product.SPOT and refused.reason is Reason.INSUFFICIENT:
        return "Insufficient spot balance"
    if market.product is Product.SPOT and refused.reason is Reason.MIN_NOTIONAL:
        return f"Order must have minimum value of 10 {market.quote}."
    bbo = f"{text(desk.bid(market))}@{text(desk.ask(market))}"
    return sentence(refused.reason, bbo if refused.reason is Reason.POST_ONLY else refused.detail)


def told_of(order: Order, market: Market) -> Any:
    oid = int(order.id)
    if order.average_price is not None:
        return {"filled": {"totalSz": text(order.filled), "avgPx": text(order.average_price), "oid": oid}}
    if order.open:
        return {"resting": {"oid": oid}}
    return {"error": f"{sentence(Reason.NOT_FILLABLE, '')} asset={market.extra['asset']}"}
