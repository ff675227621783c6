"""What BingX tells of orders and fills, on spot and on perpetuals: one function per shape.

Markets and prices are told in `bingx`, positions and settings in `bingx_account`.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from exchanges.sandbox.dialects.bingx_orders import POSITION_SIDES
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.model import ZERO, Fill, Order, decimals_of, text
from exchanges.types import STOPS, OrderStatus, Side

POSITION_SIDE_OF = {side: name for name, side in POSITION_SIDES.items()}


def _status(order: Order, cancelled: str) -> str:
    match order.status:
        case OrderStatus.OPEN:
            return "NEW" if order.waiting else "PARTIALLY_FILLED" if order.filled else "PENDING"
        case OrderStatus.FILLED:
            return "FILLED"
        case OrderStatus.REJECTED:
            return "FAILED"
    return cancelled


def _fee(order: Order) -> tuple[str, str]:
    """What was paid has a minus."""
    coin, paid = next(iter(order.fees().items()), (order.market.quote, ZERO))
    return coin, text(-paid)


def spot_row(order: Order) -> dict[str, Any]:
    coin, fee = _fee(order)
    spend = order.ticket.quote_quantity
    return {
        "symbol": order.market.symbol,
        "orderId": int(order.id),
        "transactTime": order.created_ms,
        "price": text(order.price),
        **dict.fromkeys(("stopPrice", "StopPrice"), text(order.trigger_price)),
        "avgPrice": text(order.average_price),
        "origQty": text(ZERO if spend is not None else order.quantity),
        "executedQty": text(order.filled),
        "cummulativeQuoteQty": text(order.quote_filled),
        "status": _status(order, "CANCELED"),
        "type": order.ticket.extra["type"],
        "side": order.side.upper(),
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "origQuoteOrderQty": text(spend),
        "fee": fee,
        "feeAsset": coin,
        "clientOrderID": order.client_id,
    }


def spot_fill(fill: Fill) -> dict[str, Any]:
    return {
        "symbol": fill.symbol,
        "id": fill.id,
        "orderId": int(fill.order_id),
        "price": text(fill.price),
        "qty": text(fill.quantity),
        "quoteQty": text(fill.price * fill.quantity),
        "commission": -fill.fee,
        "commissionAsset": fill.fee_asset,
        "time": fill.time_ms,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.maker,
    }


def placed_row(order: Order) -> dict[str, Any]:
    """The answer to an order tells nothing of its fate."""
    return {
        "symbol": order.market.symbol,
        "orderId": int(order.id),
        "side": order.side.upper(),
        "positionSide": POSITION_SIDE_OF[order.ticket.position_side],
        "type": order.ticket.extra["type"],
        "clientOrderId": order.client_id,
        "workingType": order.ticket.extra["workingType"],
    }


def _leg(order: Order, name: str, kind: str) -> dict[str, Any]:
    """What it brings along, in zeros where that is nothing."""
    stops = name == "stopLoss"
    found = next((each for each in order.ticket.attached if (each.type in STOPS) is stops), None)
    if found is None:
        return {"type": kind, **dict.fromkeys(("quantity", "stopPrice", "price"), 0), "workingType": ""}
    prices = {"stopPrice": found.trigger_price, "price": found.price or ZERO}
    told = {"type": found.extra["type"], "quantity": found.quantity, **prices}
    return told | {"workingType": found.extra["workingType"]}


def swap_row(order: Order) -> dict[str, Any]:
    digits = decimals_of(order.market.tick)
    return placed_row(order) | {
        "origQty": text(order.quantity, decimals_of(order.market.step)),
        "price": text(order.price, digits),
        "executedQty": text(order.filled, decimals_of(order.market.step)),
        "avgPrice": text(order.average_price, digits),
        "cumQuote": text(order.quote_filled),
        "stopPrice": text(order.trigger_price, digits) if order.trigger_price else "",
        "profit": "0.0000",
        "commission": _fee(order)[1] if order.filled else "",
        "status": _status(order, "CANCELLED"),
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "leverage": "",
        "takeProfit": _leg(order, "takeProfit", "TAKE_PROFIT"),
        "stopLoss": _leg(order, "stopLoss", "STOP"),
        **dict.fromkeys(("takeProfitEntrustPrice", "stopLossEntrustPrice", "triggerOrderId"), 0),
        "stopGuaranteed": False,
        "workingType": order.ticket.extra["workingType"] or "MARK_PRICE",
        "advanceAttr": 0,
        "positionID": 0,
        "orderType": "",
        "reduceOnly": order.ticket.reduce_only,
    }


def swap_fill(order: Order, fill: Fill) -> dict[str, Any]:
    moment = datetime.fromtimestamp(fill.time_ms / 1000, timezone(timedelta(hours=8)))
    return {
        "symbol": fill.symbol,
        "filledTm": moment.isoformat(timespec="milliseconds"),
        "filledTime": moment.isoformat(timespec="milliseconds").replace("+08:00", "+0800"),
        **dict.fromkeys(("volume", "qty"), text(fill.quantity)),
        "price": text(fill.price),
        "amount": text(fill.price * fill.quantity),
        "quoteQty": text(fill.price * fill.quantity),
        "commission": text(-fill.fee),
        **dict.fromkeys(("currency", "commissionAsset"), fill.fee_asset),
        "orderId": fill.order_id,
        "tradeId": str(fill.id),
        **dict.fromkeys(("liquidatedPrice", "liquidatedMarginRatio"), "0.00"),
        "side": fill.side.upper(),
        "positionSide": POSITION_SIDE_OF[fill.position_side],
        "role": "maker" if fill.maker else "taker",
        "type": order.ticket.extra["type"],
        "realisedPNL": text(fill.realised),
        "workingType": order.ticket.extra["workingType"],
    }


def fees_of(desk: Desk) -> dict[str, Any]:
    return {"takerCommissionRate": desk.rules.taker_fee, "makerCommissionRate": desk.rules.maker_fee}
