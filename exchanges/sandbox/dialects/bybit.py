"""Bybit v5 as its clients see it: one host for spot and perpetuals of both kinds, told apart by `category`; errors come
with HTTP 200 and a `retCode`; placing only acknowledges. Documented at https://bybit-exchange.github.io/docs/v5/."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Route, route
from exchanges.sandbox.dialects.bybit_account import BybitAccount, window
from exchanges.sandbox.dialects.bybit_answers import (
    INDEX,
    INVERSE,
    LARGEST_BATCH,
    LINEAR,
    SIDES,
    SPOT,
    TIMES,
    TRIGGERS,
    TYPES,
    attached_of,
    execution_row,
    filter_of,
    frame,
    kind_of,
    matches,
    order_row,
    page,
    status,
)
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import AttachWhen, ClientIds, Fill, Order, Reason, Rejected, Rules, Ticket
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import (
    OrderStatus,
    OrderType,
    Product,
    Side,
)

D = Decimal
DAY_SECONDS = 86_400
UNCHANGED = "The order remains unchanged as the parameters entered match the existing ones."


class _Bybit(BybitAccount):
    # -- orders ----------------------------------------------------------------------------------------

    @route("POST /v5/order/create", trading=True, costs={"address": 1, "create": 1})
    def create(self, call: Call) -> Any:
        ticket = self._ticket(call)
        if not ticket.quantity and ticket.reduce_only and call.flag("closeOnTrigger"):
            ticket = self._closing(call, ticket)
        order = self._desk(call).place(call.account, ticket)
        return frame(call, {"orderId": order.id, "orderLinkId": order.client_id})

    def _closing(self, call: Call, ticket: Ticket) -> Ticket:
        """No quantity closes all there is, at once or when it triggers. Unconfirmed: docs/v5/order/create-order was found
        in part only, without what it says of a quantity of 0."""
        if ticket.trigger_price is not None:
            return replace(ticket, quantity=None, close_position=True)
        desk = self._desk(call)
        held = desk.book(call.account).position(desk.market(ticket.symbol), ticket.position_side)
        if not held.quantity:
            raise Rejected(Reason.REDUCE_ONLY)
        return replace(ticket, quantity=abs(held.quantity))

    @route("POST /v5/order/create-batch", trading=True)
    def create_batch(self, call: Call) -> Any:
        told = self._batch(call, "/v5/order/create", self.create)
        for row in told["result"]["list"]:
            row["createAt"] = str(call.now_ms)
        return told

    def costs(self, route: Route, call: Call) -> Mapping[str, int]:
        """A batch counts its orders."""
        if not route.handler.endswith("_batch"):
            return super().costs(route, call)
        orders = call.params.get("request")
        return {"address": 1, "batch": len(orders) if isinstance(orders, list) else 1}

    def _ticket(self, call: Call) -> Ticket:
        desk = self._desk(call)
        side, limit = call.one_of("side", SIDES), call.one_of("orderType", TYPES)
        trigger, last = call.decimal_or_none("triggerPrice"), desk.bid(desk.market(call.text("symbol")))
        spot = desk is self.desks[Product.SPOT]
        rises = None if trigger is None else trigger > last
        if trigger is not None and not spot:
            rises = call.one_of("triggerDirection", {"1": True, "2": False})
        kind = kind_of(limit=limit, stop=None if rises is None else rises == (side is Side.BUY))
        in_quote = (
            spot
            and kind is OrderType.MARKET
            and (call.text("marketUnit", "quoteCoin" if side is Side.BUY else "baseCoin") == "quoteCoin")
        )
        position_side = None if spot else call.one_of("positionIdx", INDEX, "0")
        brings = attached_of(call, side, position_side, last, spot=spot)
        if spot and brings and not limit:  # https://github.com/bybit-exchange/pybit/issues/200
            raise Rejected(Reason.BAD_PARAMETER, "takeProfit and stopLoss of a market order")
        amount, time_in_force = call.decimal("qty"), call.text("timeInForce", "GTC")
        word = "" if trigger is None else "Stop"
        if spot and trigger is not None and call.text("orderFilter", "tpslOrder") == "tpslOrder":
            word = "tpslOrder"
        return Ticket(
            call.text("symbol"),
            side,
            kind,
            quantity=None if in_quote else amount,
            quote_quantity=amount if in_quote else None,
            price=call.decimal("price") if limit else None,
            trigger_price=trigger,
            trigger_by=call.one_of("triggerBy", TRIGGERS, "LastPrice"),
            rises=rises,
            time_in_force=call.one_of("timeInForce", TIMES, "GTC"),
            post_only=time_in_force == "PostOnly",
            reduce_only=not spot and (call.flag("reduceOnly") or call.flag("closeOnTrigger")),
            position_side=position_side,
            attached=brings,
            attach_when=AttachWhen.EACH_FILL if spot else AttachWhen.FULL,
            client_id=call.text("orderLinkId", ""),
            extra={
                "stopOrderType": word,
                "marketUnit": ("quoteCoin" if in_quote else "baseCoin") if spot and not limit else "",
                "timeInForce": time_in_force if limit else "IOC",
                "last": last,
                "tpsl": {name: call.text(name, "") for name in ("takeProfit", "stopLoss", "tpslMode")},
            },
        )

    @route("POST /v5/order/amend", trading=True, costs={"address": 1, "create": 1})
    def amend(self, call: Call) -> Any:
        order, names = (
            self._order(call),
            {"quantity": "qty", "price": "price", "trigger_price": "triggerPrice"},
        )
        if order is None or not order.open:
            raise Rejected(Reason.NOT_OPEN)
        given = {name: call.decimal_or_none(word) for name, word in names.items()}
        changes = {
            name: number for name, number in given.items() if number and number != getattr(order, name)
        }
        if not changes:
            return Reply(frame(call, {}, 10001, UNCHANGED))
        self._desk(call).amend(call.account, order, **changes)
        return frame(call, {"orderId": order.id, "orderLinkId": order.client_id})

    @route("POST /v5/order/amend-batch", trading=True)
    def amend_batch(self, call: Call) -> Any:
        return self._batch(call, "/v5/order/amend", self.amend)

    @route("POST /v5/order/cancel-batch", trading=True)
    def cancel_batch(self, call: Call) -> Any:
        return self._batch(call, "/v5/order/cancel", self.cancel)

    def _batch(self, call: Call, path: str, handler: Callable[[Call], Any]) -> dict[str, Any]:
        """Each with the category that stands beside the list; the answer of each in a list, its code in another."""
        category, orders = call.text("category"), call.params.get("request")
        if isinstance(orders, list):
            if not 0 < len(orders) <= call.one_of("category", LARGEST_BATCH):
                raise Rejected(Reason.BAD_PARAMETER, "request size")
            orders = [{"category": category, **each} for each in orders]
        told = self.each(call, orders, path, handler)
        rows = [
            {"category": category, "symbol": order.get("symbol", "")}
            | {"orderId": "", "orderLinkId": "", **answer["result"]}
            for order, answer in zip(orders or (), told, strict=True)
        ]
        codes = [{"code": answer["retCode"], "msg": answer["retMsg"]} for answer in told]
        return frame(call, {"list": rows}) | {"retExtInfo": {"list": codes}}

    @route("POST /v5/order/cancel", trading=True, costs={"address": 1, "cancel": 1})
    def cancel(self, call: Call) -> Any:
        order = self._order(call)
        if order is not None and call.text("category") == "spot":
            wanted = call.text("orderFilter", "Order")
            if wanted != filter_of(order):
                raise Rejected(Reason.NOT_OPEN)
        self._desk(call).cancel(call.account, order)
        assert order is not None
        return frame(call, {"orderId": order.id, "orderLinkId": order.client_id})

    @route("POST /v5/order/cancel-all", trading=True, costs={"address": 1, "cancel": 1})
    def cancel_all(self, call: Call) -> Any:
        desk, spot = self._desk(call), call.text("category") == "spot"
        wanted = call.text("orderFilter", "Order" if spot else "")
        ended = [
            order
            for order in list(desk.book(call.account).open.values())
            if call.text("symbol", order.market.symbol) == order.market.symbol
            and call.text("settleCoin", order.market.settle) == order.market.settle
            and wanted in ("", filter_of(order))
        ]
        for order in ended:
            if order.open:  # a linked one may have ended with the one before it
                desk.cancel(call.account, order)
        listed = [{"orderId": order.id, "orderLinkId": order.client_id} for order in ended]
        return frame(call, {"list": listed, "success": "1"})

    def _order(self, call: Call) -> Order | None:
        order_id, client_id = call.text("orderId", ""), call.text("orderLinkId", "")
        if not order_id and not client_id:
            raise Rejected(Reason.MISSING_PARAMETER, "orderId")
        return self._desk(call).order(call.account, order_id=order_id, client_id=client_id)

    @route("GET /v5/order/realtime", costs={"address": 1, "reads": 1})
    def realtime(self, call: Call) -> Any:
        """Open orders; by id also ended ones."""
        scope = ("symbol", "settleCoin", "baseCoin", "orderId", "orderLinkId")
        if call.text("category") == "linear" and not any(call.text(name, "") for name in scope):
            raise Rejected(Reason.MISSING_PARAMETER, "symbol or settleCoin or baseCoin")
        book = self._desk(call).book(call.account)
        return self._orders(call, book.orders if call.text("openOnly", "0") == "1" else book.open, ended=True)

    @route("GET /v5/order/history", costs={"address": 1, "reads": 1})
    def history(self, call: Call) -> Any:
        """What ended without a fill is told for a day. bybit-exchange.github.io/docs/v5/order/order-list, read 2026-11-23. It
        does not say which time counts, and whether for an order that is named: here that of placing, and not."""
        desk, named = self._desk(call), bool(call.text("orderId", "") or call.text("orderLinkId", ""))
        start, end = (0, call.now_ms) if named else window(call)
        ended = {
            key: order
            for key, order in desk.book(call.account).orders.items()
            if not order.open
            and (order.filled or desk.remembers(order, DAY_SECONDS))
            and start <= order.created_ms <= end
            and call.text("orderStatus", status(order)) == status(order)
        }
        return self._orders(call, ended, ended=False)

    def _orders(self, call: Call, orders: Mapping[str, Order], *, ended: bool) -> Any:
        """Newest first. By id just that one, also when it has ended if `ended`."""
        found: Iterable[Order] = reversed(list(orders.values()))
        if call.text("orderId", "") or call.text("orderLinkId", ""):
            order = self._order(call)
            found = [order] if order is not None and (ended or order.id in orders) else []
        return frame(call, page(call, [self._row(call, each) for each in found if matches(call, each)], 20))

    def _row(self, call: Call, order: Order) -> dict[str, Any]:
        """What closes a whole position is as large as that. Of the two lists only the history tells `smpGroup` as text."""
        quantity = order.quantity
        if order.ticket.close_position and order.waiting:
            quantity = abs(self._desk(call).position(call.account, order).quantity)
        row = order_row(order, quantity)
        return row | {"smpGroup": "0"} if call.path.endswith("/history") else row

    @route("GET /v5/execution/list", costs={"address": 1, "reads": 1})
    def executions(self, call: Call) -> Any:
        """Newest first; an order that is named outweighs all else, a symbol the coin.
        bybit-exchange.github.io/docs/v5/order/execution, read 2026-11-23."""
        book = self._desk(call).book(call.account)
        fits = _executed_as(call)
        found = [
            (order, fill)
            for fill in reversed(book.fills)
            if (order := book.orders.get(fill.order_id)) is not None and fits(order, fill)
        ]
        return frame(call, page(call, [execution_row(*each) for each in found], 50))


def _executed_as(call: Call) -> Callable[[Order, Fill], bool]:
    """What is asked for among fills."""
    if order_id := call.text("orderId", ""):
        return lambda order, _: order.id == order_id
    if client_id := call.text("orderLinkId", ""):
        return lambda order, _: order.client_id == client_id
    start, end = window(call)
    symbol, coin = call.text("symbol", ""), call.text("baseCoin", "")
    kind, settle = call.text("execType", "Trade"), call.text("settleCoin", "")
    return lambda order, fill: (
        start <= fill.time_ms <= end
        and kind == "Trade"
        and settle in ("", order.market.settle)
        and (fill.symbol == symbol if symbol else coin in ("", order.market.base))
    )


def _limits(create: int) -> tuple[Limit, ...]:
    """https://bybit-exchange.github.io/docs/v5/rate-limit"""
    return (
        Limit("address", "address", 600, 5, Owner.ADDRESS, ban_after=1, ban_seconds=600),
        Limit("create", "create", create, 1),
        Limit("batch", "batch", create, 1),
        Limit("cancel", "cancel", create, 1),
        Limit("settings", "settings", 10, 1),
        Limit("reads", "reads", 50, 1),
    )


ENDS = frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE})


class BybitSpot(_Bybit):
    name, product, markets = "ByBit", Product.SPOT, SPOT
    limits = _limits(20)
    rules = Rules(
        maker_fee=D("0.001"),
        taker_fee=D("0.001"),
        wallet="unified",
        conditional_holds=False,
        refuses_crossed_triggers=False,
        client_ids=ClientIds.FOREVER,
        cancels_instead=ENDS,
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(1_900_000_000_000_000_000 + number),
    )


class BybitLinear(_Bybit):
    name, product, markets = "ByBit_F", Product.LINEAR, LINEAR
    limits = _limits(10)
    rules = Rules(
        maker_fee=D("0.0002"),
        taker_fee=D("0.00055"),
        wallet="unified",
        client_ids=ClientIds.FOREVER,
        cancels_instead=ENDS,
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(uuid.uuid5(uuid.NAMESPACE_OID, f"bybit {number}")),
        default_leverage=D(10),
    )


class BybitInverse(_Bybit):
    name, product, markets = "ByBit_C", Product.INVERSE, INVERSE
    limits = _limits(10)
    rules = replace(BybitLinear.rules, hedges=False)
