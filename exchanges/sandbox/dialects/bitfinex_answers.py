"""What Bitfinex's answers look like, one function per shape: arrays instead of objects. https://docs.bitfinex.com."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.model import ZERO, Fill, Market, Order, Reason, text
from exchanges.sandbox.wire import Call
from exchanges.types import OrderStatus, Product, Side, TimeInForce

D = Decimal
SPOT_MARK = "EXCHANGE "
CODES = {"USDT": "UST", "USDC": "UDC"}
#: why an order ended -> its status; what is not here was cancelled
ENDED: dict[str, str] = {
    Reason.POST_ONLY: "POSTONLY CANCELED",
    Reason.NOT_FILLABLE: "FILLORKILL CANCELED",
    Reason.REDUCE_ONLY: "RSN_POS_NOTFOUND",
    Reason.INSUFFICIENT: "INSUFFICIENT BALANCE (U1)",
    "flips": "RSN_POS_REDUCE_FLIP",
}
UNFILLED = {TimeInForce.IOC: "IOC CANCELED", TimeInForce.FOK: "FILLORKILL CANCELED"}


def notification(call: Call, kind: str, data: list[Any], words: str) -> list[Any]:
    return [call.now_ms, kind, None, None, data, None, "SUCCESS", words]


def operation_row(call: Call, kind: str, order: Mapping[str, Any], told: list[Any]) -> list[Any]:
    """What is refused is told like over the websocket: an order that has our id and nothing else."""
    if told[0] != "error":
        return told
    named = [order.get("id"), None, order.get("cid")]
    return [call.now_ms, f"{kind}-req", None, None, named, told[1], "ERROR", told[2]]


def pair_of(market: Market) -> tuple[str, str]:
    pair = market.symbol[1:]
    base, _, quote = pair.partition(":") if ":" in pair else (pair[:3], "", pair[3:])
    return base, quote


def pair_row(market: Market) -> list[Any]:
    margins = [None, None] if market.product is Product.SPOT else [D("0.01"), D("0.005")]
    sizes = [text(market.min_quantity), text(market.max_quantity)]
    return [market.symbol[1:], [None, None, None, *sizes, None, None, None, *margins]]


def ticker_row(desk: Desk, market: Market) -> list[Decimal | int]:
    bid, ask = desk.bid(market), desk.ask(market)
    return [bid, 100, ask, 100, 0, 0, bid, 1000, ask, bid]


def signed(order: Order, quantity: Decimal) -> Decimal:
    return quantity if order.side is Side.BUY else -quantity


def day_of(order: Order) -> str:
    return datetime.fromtimestamp(order.created_ms // 1000, UTC).strftime("%Y-%m-%d")


def _status_of(order: Order) -> str:
    average, amount = order.average_price, signed(order, order.filled)
    filled = "" if average is None else f"@ {text(average)}({text(amount)})"
    if order.status is OrderStatus.FILLED:
        return f"EXECUTED {filled}"
    if order.open:
        return f"PARTIALLY FILLED {filled}" if filled else "ACTIVE"
    forced = UNFILLED.get(order.ticket.time_in_force) if order.reason == "unfilled" else None
    told = forced or ENDED.get(order.reason, "CANCELED")
    return f"{told} was: PARTIALLY FILLED {filled}" if filled else told


def order_row(order: Order, *, fresh: bool = False) -> list[Any]:
    """`fresh`: as it was when it came in."""
    ticket, word, before = order.ticket, order.ticket.extra["type"], None
    if order.triggered_ms is not None and not fresh:
        word, before = ("LIMIT" if order.price is not None else "MARKET"), word
        word = (SPOT_MARK if before.startswith(SPOT_MARK) else "") + word
    waits = before is None and ticket.type.conditional
    price = order.trigger_price if waits or order.price is None else order.price
    filled, average = (ZERO, None) if fresh else (order.filled, order.average_price)
    row: list[Any] = [None] * 32
    row[:10] = [
        int(order.id),
        None,
        int(order.client_id),
        order.market.symbol,
        order.created_ms,
        order.updated_ms,
        signed(order, order.quantity - filled),
        signed(order, order.quantity),
        word,
        before,
    ]
    row[12:14] = [ticket.extra["flags"], "ACTIVE" if fresh else _status_of(order)]
    row[16:20] = [price or average or ZERO, average or ZERO, 0, order.price if waits and order.price else 0]
    row[23:26] = [0, 0, ticket.extra.get("placed", 0)]
    row[28], row[31] = "API>BFX", {"$F7": 1} if ticket.post_only else {}
    return row


def trade_row(order: Order, fill: Fill) -> list[Any]:
    coin = CODES.get(fill.fee_asset, fill.fee_asset) + ("" if order.market.product is Product.SPOT else "F0")
    return [
        fill.id,
        fill.symbol,
        fill.time_ms,
        int(order.id),
        signed(order, fill.quantity),
        fill.price,
        order.ticket.extra["type"],
        order.price or fill.price,
        1 if fill.maker else -1,
        -fill.fee,
        coin,
        int(order.client_id),
    ]


def wallet_row(account: Account, wallet: str, coin: str, code: str) -> list[Any]:
    return [wallet, code, account.total(wallet, coin), 0, account.free(wallet, coin), None, None]


def position_row(desk: Desk, account: Account, position: Position) -> list[Any]:
    market, mark = position.market, desk.bid(position.market)
    leverage = desk.leverage(account, market)
    margin = position.notional(position.entry_price) / leverage
    row: list[Any] = [None] * 20
    row[:6] = [market.symbol, "ACTIVE", position.quantity, position.entry_price, 0, 0]
    row[6:10] = [position.unrealised(mark), 0, None, leverage]
    row[11:14] = [1, position.updated_ms, position.updated_ms]
    row[15], row[17], row[18], row[19] = 1, margin, margin / 2, {"reason": "TRADE"}
    return row
