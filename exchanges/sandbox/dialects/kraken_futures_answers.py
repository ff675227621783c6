"""What Kraken Futures answers: contracts, orders, fills and history events in its own fields. No calls, no decisions."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from exchanges.sandbox.model import ZERO, Fill, Market, Order, text
from exchanges.sandbox.wire import Call
from exchanges.types import OrderStatus, Product, TimeInForce, TriggerBy

HISTORY_SIGNALS = {TriggerBy.LAST: "LastPrice", TriggerBy.MARK: "MarkPrice", TriggerBy.INDEX: "SpotPrice"}
HISTORY_FORMS = {
    "mkt": "IoC",
    "ioc": "IoC",
    "fok": "FillOrKill",
    "post": "Post",
    "stp": "Stop",
    "take_profit": "Stop",
}
#: base, symbol, tick, decimals of the size, greatest leverage, greatest position
_MARKETS = (
    ("BTC", "PF_XBTUSD", "1", 4, 50, 1000),
    ("ETH", "PF_ETHUSD", "0.1", 3, 50, 20_000),
    ("SOL", "PF_SOLUSD", "0.01", 2, 50, 200_000),
    ("XRP", "PF_XRPUSD", "0.00001", 0, 25, 20_000_000),
    ("DOGE", "PF_DOGEUSD", "0.000001", 0, 25, 100_000_000),
    ("LTC", "PF_LTCUSD", "0.01", 2, 25, 200_000),
)


def _market(base: str, symbol: str, tick: str, decimals: int, leverage: int, most: int) -> Market:
    return Market(
        symbol=symbol,
        base=base,
        quote="USD",
        product=Product.LINEAR,
        tick=Decimal(tick),
        step=Decimal(1).scaleb(-decimals),
        min_quantity=Decimal(1).scaleb(-decimals),
        max_quantity=Decimal(most),
        max_market_quantity=Decimal(most),
        max_leverage=Decimal(leverage),
        extra={"decimals": decimals},
    )


def _inverse(base: str, tick: str) -> Market:
    """One contract is a dollar."""
    return Market(
        symbol=f"PI_{'XBT' if base == 'BTC' else base}USD",
        base=base,
        quote="USD",
        product=Product.INVERSE,
        tick=Decimal(tick),
        step=Decimal(1),
        min_quantity=Decimal(1),
        max_quantity=Decimal(75_000_000),
        max_market_quantity=Decimal(75_000_000),
        max_leverage=Decimal(50),
        extra={"decimals": 0},
    )


LINEAR = tuple(_market(*each) for each in _MARKETS)
INVERSE = tuple(_inverse(*each) for each in (("BTC", "0.5"), ("ETH", "0.05"), ("LTC", "0.01")))


def number_id(kind: str, number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{number}"))


def instant(time_ms: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def done(call: Call, **told: Any) -> dict[str, Any]:
    return {"result": "success", **told, "serverTime": instant(call.now_ms)}


def instrument_row(market: Market) -> dict[str, Any]:
    margin = 1 / market.max_leverage
    return {
        "symbol": market.symbol,
        "type": "futures_inverse" if market.inverse else "flexible_futures",
        "tickSize": market.tick,
        "contractSize": 1,
        "tradeable": True,
        "impactMidSize": 1,
        "maxPositionSize": market.max_quantity,
        "openingDate": "2022-01-01T00:00:00.000Z",
        "marginLevels": [
            {"numNonContractUnits": 0, "initialMargin": margin, "maintenanceMargin": margin / 2}
        ],
        "contractValueTradePrecision": market.extra["decimals"],
        "postOnly": False,
        "mtf": False,
        "base": market.base,
        "quote": "USD",
        "pair": f"{market.base}:USD",
        "tags": [],
    }


def order_row(order: Order) -> dict[str, Any]:
    """As in order events."""
    return {
        "orderId": order.id,
        "cliOrdId": order.client_id or None,
        "type": order.ticket.extra["form"],
        "symbol": order.market.symbol,
        "side": order.side,
        "quantity": order.quantity,
        "filled": order.filled,
        "limitPrice": order.price,
        "stopPrice": order.trigger_price,
        "reduceOnly": order.ticket.reduce_only,
        "timestamp": instant(order.created_ms),
        "lastUpdateTimestamp": instant(order.updated_ms),
    }


def placing_events(order: Order) -> Iterator[dict[str, Any]]:
    if order.ticket.type.conditional:
        yield {"type": "PLACE", "orderTrigger": trigger_row(order), "reducedQuantity": None}
        return
    for fill in order.fills:
        yield {
            "type": "EXECUTION",
            "executionId": number_id("fill", fill.id),
            "price": fill.price,
            "amount": fill.quantity,
            "orderPriorEdit": None,
            "orderPriorExecution": order_row(order) | {"filled": ZERO},
            "takerReducedQuantity": None,
        }
    if order.open:
        yield {"type": "PLACE", "order": order_row(order), "reducedQuantity": None}


def trigger_row(order: Order) -> dict[str, Any]:
    ticket = order.ticket
    return {
        "uid": order.id,
        "clientId": order.client_id or None,
        "type": "ioc" if order.price is None else "lmt",
        "symbol": order.market.symbol,
        "side": order.side,
        "quantity": order.quantity,
        "limitPrice": order.price,
        "triggerPrice": order.trigger_price,
        "triggerSide": "trigger_above" if ticket.trigger_rises else "trigger_below",
        "triggerSignal": f"{ticket.trigger_by}_price",
        "reduceOnly": ticket.reduce_only,
        "timestamp": instant(order.created_ms),
        "lastUpdateTimestamp": instant(order.updated_ms),
    }


def open_order(order: Order) -> dict[str, Any]:
    ticket = order.ticket
    told = {
        "order_id": order.id,
        "symbol": order.market.symbol,
        "side": order.side,
        "orderType": {"post": "lmt", "stp": "stop"}.get(ticket.extra["form"], ticket.extra["form"]),
        "unfilledSize": order.remaining,
        "receivedTime": instant(order.created_ms),
        "status": "partiallyFilled" if order.filled else "untouched",
        "filledSize": order.filled,
        "reduceOnly": ticket.reduce_only,
        "lastUpdateTime": instant(order.updated_ms),
    }
    if order.client_id:
        told["cliOrdId"] = order.client_id
    if order.price is not None:
        told["limitPrice"] = order.price
    if order.trigger_price is not None:
        told |= {"stopPrice": order.trigger_price, "triggerSignal": ticket.trigger_by}
    return told


def status_row(order: Order) -> dict[str, Any]:
    words = {
        OrderStatus.OPEN: "TRIGGER_PLACED" if order.waiting else "ENTERED_BOOK",
        OrderStatus.FILLED: "FULLY_EXECUTED",
        OrderStatus.REJECTED: "TRIGGER_ACTIVATION_FAILURE" if order.triggered_ms else "REJECTED",
    }
    never_fired = order.ticket.type.conditional and order.triggered_ms is None
    told = order_row(order) | {"type": "TRIGGER_ORDER" if never_fired else "ORDER", "triggerTime": None}
    del told["stopPrice"]
    options = {
        "triggerPrice": order.trigger_price,
        "triggerSide": "TRIGGER_ABOVE" if order.ticket.trigger_rises else "TRIGGER_BELOW",
        "triggerSignal": {TriggerBy.INDEX: "SPOT_PRICE"}.get(
            order.ticket.trigger_by, f"{order.ticket.trigger_by.upper()}_PRICE"
        ),
    }
    return {
        "order": told | {"priceTriggerOptions": options if never_fired else None},
        "status": words.get(order.status, "CANCELLED"),
        "updateReason": None
        if order.open
        else "FULL_FILL"
        if order.status is OrderStatus.FILLED
        else "CANCELLED_BY_USER",
        "error": None,
    }


def fill_row(fill: Fill, order: Order) -> dict[str, Any]:
    told = {
        "fill_id": number_id("fill", fill.id),
        "symbol": fill.symbol,
        "side": fill.side,
        "order_id": order.id,
        "size": fill.quantity,
        "price": fill.price,
        "fillTime": instant(fill.time_ms),
        "fillType": "maker" if fill.maker else "taker",
    }
    return told | ({"cliOrdId": order.client_id} if order.client_id else {})


def historic_row(order: Order, filled: Decimal | None = None) -> dict[str, Any]:
    """An order as its history tells it: `quantity` is what is left."""
    done_so_far = order.filled if filled is None else filled
    return {
        "uid": order.id,
        "accountUid": number_id("account", 0),
        "tradeable": order.market.symbol,
        "direction": order.side.capitalize(),
        "quantity": text(order.quantity - done_so_far),
        "filled": text(done_so_far),
        "timestamp": str(order.created_ms),
        "limitPrice": "" if order.price is None else text(order.price),
        "orderType": HISTORY_FORMS.get(order.ticket.extra["form"], "Limit"),
        "clientId": order.client_id,
        "reduceOnly": order.ticket.reduce_only,
        "lastUpdateTimestamp": str(order.updated_ms),
    }


def order_events(order: Order) -> Iterator[tuple[int, str, Any]]:
    """An order that fills at once is placed with its fill; another is placed, then filled or cancelled."""
    started, symbol = order.triggered_ms or order.created_ms, order.market.symbol
    reason = "new_user_order" if order.triggered_ms is None else "stop_order_triggered"
    if order.price is None or order.ticket.time_in_force is not TimeInForce.GTC:
        if order.status is OrderStatus.REJECTED:
            yield (
                started,
                symbol,
                {
                    "OrderRejected": {
                        "order": historic_row(order),
                        "orderError": order.reason,
                        "reason": reason,
                    }
                },
            )
        else:
            yield (
                started,
                symbol,
                {"OrderPlaced": {"order": historic_row(order), "reason": reason, "reducedQuantity": ""}},
            )
        return
    placed = historic_row(order, filled=ZERO)
    if order.status is OrderStatus.CANCELLED:
        yield (
            order.updated_ms,
            symbol,
            {"OrderCancelled": {"order": historic_row(order), "reason": "cancelled_by_user"}},
        )
    elif order.filled:
        part = "partial_fill" if order.open else "full_fill"
        changed = {"oldOrder": placed, "newOrder": historic_row(order), "reason": part, "reducedQuantity": ""}
        yield order.updated_ms, symbol, {"OrderUpdated": changed}
    yield started, symbol, {"OrderPlaced": {"order": placed, "reason": reason, "reducedQuantity": ""}}


def trigger_events(order: Order) -> Iterator[tuple[int, str, Any]]:
    symbol = order.market.symbol
    options = {
        "triggerPrice": text(order.trigger_price),
        "triggerSignal": HISTORY_SIGNALS[order.ticket.trigger_by],
        "triggerSide": "Above" if order.ticket.trigger_rises else "Below",
    }
    told = historic_row(order, filled=ZERO) | {"triggerOptions": options}
    del told["filled"]
    if order.triggered_ms is not None:
        yield order.triggered_ms, symbol, {"OrderTriggerActivated": {"order": told}}
    elif not order.open:
        yield (
            order.updated_ms,
            symbol,
            {"OrderTriggerCancelled": {"order": told, "reason": "cancelled_by_user"}},
        )
    yield order.created_ms, symbol, {"OrderTriggerPlaced": {"order": told, "reason": "new_user_order"}}


def execution_event(fill: Fill, order: Order) -> tuple[int, str, Any]:
    execution = {
        "uid": number_id("fill", fill.id),
        "order": historic_row(order),
        "timestamp": fill.time_ms,
        "quantity": text(fill.quantity),
        "price": text(fill.price),
        "markPrice": text(fill.price),
        "executionType": "maker" if fill.maker else "taker",
        "limitFilled": False,
        "usdValue": text(order.market.notional(fill.quantity, fill.price)),
        "orderData": {"fee": text(fill.fee)},
    }
    return fill.time_ms, fill.symbol, {"execution": {"execution": execution, "takerReducedQuantity": ""}}
