"""Bitfinex v2 as its clients see it: arrays instead of objects, refusals with HTTP 500, one host for spot and perpetuals.

An accepted order is told as active whatever becomes of it at once: clients read the outcome in the lists. What the
exchange takes first and then cancels (post-only, reduce-only, fill-or-kill) it takes here too. Simpler than the original:
prices are cut to the market's first tick. https://docs.bitfinex.com.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.bitfinex_account import PAIRS, PERPETUALS, STEP, BitfinexAccount
from exchanges.sandbox.dialects.bitfinex_answers import (
    SPOT_MARK,
    day_of,
    notification,
    operation_row,
    order_row,
    signed,
    trade_row,
)
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.model import ClientIds, Market, Order, Reason, Rejected, Rules, Ticket, floor_to, text
from exchanges.sandbox.wire import Call
from exchanges.types import OrderStatus, OrderType, Product, Side, TimeInForce

D = Decimal
REDUCE_ONLY, POST_ONLY, OCO = 1024, 4096, 16384
TYPES = {
    "MARKET": (OrderType.MARKET, TimeInForce.GTC),
    "LIMIT": (OrderType.LIMIT, TimeInForce.GTC),
    "IOC": (OrderType.LIMIT, TimeInForce.IOC),
    "FOK": (OrderType.LIMIT, TimeInForce.FOK),
    "STOP": (OrderType.STOP, TimeInForce.GTC),
    "STOP LIMIT": (OrderType.STOP_LIMIT, TimeInForce.GTC),
}
LARGEST_BATCH = 75


class _Bitfinex(BitfinexAccount):
    # -- orders ----------------------------------------------------------------------------------------

    @route("POST /v2/auth/w/order/submit", trading=True, costs={"submit": 1})
    def submit(self, call: Call) -> Any:
        desk = self._desk(call.text("symbol"))
        ticket = self._ticket(call, desk)
        if not ticket.reduce_only and ticket.extra["lev"]:
            desk.set_leverage(call.account, ticket.symbol, ticket.extra["lev"])
        if ticket.extra["flags"] & OCO and call.text("price_oco_stop", ""):
            order = self._place_pair(call, desk, ticket)
        else:
            order = desk.place(call.account, ticket)
        return notification(call, "on-req", [order_row(order, fresh=True)], "Submitting 1 orders.")

    @route("POST /v2/auth/w/order/multi", trading=True, costs={"multi": 1})
    def multi(self, call: Call) -> Any:
        """New orders, changes and cancellations, in their order."""
        operations = call.params.get("ops")
        if not isinstance(operations, list) or not 0 < len(operations) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "ops")
        ways = {"on": self.submit, "ou": self.update, "oc": self.cancel, "oc_multi": self.cancel_many}
        if not all(isinstance(each, list) and len(each) == 2 and each[0] in ways for each in operations):
            raise Rejected(Reason.BAD_PARAMETER, "ops")
        rows = []
        for kind, order in operations:
            (told,) = self.each(call, [order], "/v2/auth/w/order/submit", ways[kind])
            rows.append(operation_row(call, kind, order, told))
        return notification(call, "ox_multi-req", rows, f"Submitting {len(rows)} order operations.")

    def _ticket(self, call: Call, desk: Desk) -> Ticket:
        market, amount, flags = (
            desk.market(call.text("symbol")),
            call.decimal("amount"),
            call.integer("flags", 0),
        )
        word, spot = call.text("type"), desk.rules.wallet == "exchange"
        if word.startswith(SPOT_MARK) != spot or not amount:
            raise Rejected(Reason.BAD_PARAMETER, "type" if amount else "amount")
        if (known := TYPES.get(word.removeprefix(SPOT_MARK))) is None:
            raise Rejected(Reason.BAD_PARAMETER, "type")
        kind, force = known
        price = None if kind is OrderType.MARKET else _cut(call.decimal("price"), market)
        aux = _cut(call.decimal("price_aux_limit"), market) if kind is OrderType.STOP_LIMIT else None
        return Ticket(
            market.symbol,
            Side.BUY if amount > 0 else Side.SELL,
            kind,
            quantity=abs(amount).quantize(STEP, ROUND_DOWN),
            price=aux if kind.conditional else price,
            trigger_price=price if kind.conditional else None,
            time_in_force=force,
            post_only=bool(flags & POST_ONLY),
            reduce_only=bool(flags & REDUCE_ONLY) and not spot,
            client_id=str(call.integer("cid", call.now_ms)),
            extra={"flags": flags, "type": word, "lev": call.decimal_or_none("lev")},
        )

    def _place_pair(self, call: Call, desk: Desk, ticket: Ticket) -> Order:
        """A limit order and the stop that it brings along; the one ends the other."""
        if ticket.type is not OrderType.LIMIT or ticket.time_in_force is not TimeInForce.GTC:
            raise Rejected(Reason.BAD_PARAMETER, "price_oco_stop")
        ticket = replace(ticket, link=f"oco {desk.number()}")
        extra = {**ticket.extra, "type": ticket.extra["type"].replace("LIMIT", "STOP")}
        stop = replace(
            ticket,
            type=OrderType.STOP,
            price=None,
            trigger_price=_cut(call.decimal("price_oco_stop"), desk.market(ticket.symbol)),
            client_id=str(call.integer("cid_oco", call.now_ms)),
            extra=extra,
        )
        order, _ = desk.place_linked(call.account, (ticket, stop))
        extra["placed"] = int(order.id)
        return order

    @route("POST /v2/auth/w/order/update", trading=True, costs={"submit": 1})
    def update(self, call: Call) -> Any:
        """Under its number; `amount` is the whole, `delta` what is added to it."""
        found = self._meant(call)
        if found is None or not found.open:
            raise Rejected(Reason.NOT_OPEN)
        price, aux = (
            None if (told := call.decimal_or_none(name)) is None else _cut(told, found.market)
            for name in ("price", "price_aux_limit")
        )
        amount, delta = call.decimal_or_none("amount"), call.decimal_or_none("delta")
        quantity = abs(amount) if amount is not None else None
        if delta is not None:
            quantity = abs(signed(found, found.quantity) + delta)
        waits = found.ticket.type.conditional and found.waiting
        changed = self._desk(found.market.symbol).amend(
            call.account,
            found,
            quantity=None if quantity is None else quantity.quantize(STEP, ROUND_DOWN),
            price=aux if waits else price,
            trigger_price=price if waits else None,
        )
        kind = changed.ticket.extra["type"].lower().removeprefix("exchange ")
        words = f"Submitting update to {kind} {changed.side} order for {text(changed.remaining)} {found.market.symbol[1:]}."
        return notification(call, "ou-req", order_row(changed), words)

    @route("POST /v2/auth/w/order/cancel", trading=True, costs={"cancel": 1})
    def cancel(self, call: Call) -> Any:
        found = self._meant(call)
        if found is None:
            raise Rejected(Reason.NOT_OPEN)
        self._desk(found.market.symbol).cancel(call.account, found)
        words = f"Submitted for cancellation; waiting for confirmation (ID: {found.id})."
        return notification(call, "oc-req", order_row(found, fresh=True), words)

    @route("POST /v2/auth/w/order/cancel/multi", trading=True, costs={"cancel": 1})
    def cancel_many(self, call: Call) -> Any:
        if call.text("all", "") in ("1", "true"):
            found = [order for order in self._orders(call) if order.open]
        else:
            ids, names = call.params.get("id"), call.params.get("cid")
            if not isinstance(ids or names, list) or not all(isinstance(each, list) for each in names or ()):
                raise Rejected(Reason.BAD_PARAMETER, "id")
            asked = [self._order(call.account, str(each)) for each in ids or ()]
            asked += [self._named(call, str(name), str(day)) for name, day in names or ()]
            found = [order for order in asked if order is not None and order.open]
        for order in found:
            if order.open:  # the other half of a pair went with the first
                self._desk(order.market.symbol).cancel(call.account, order)
        rows = [order_row(order, fresh=True) for order in found]
        return notification(call, "oc_multi-req", rows, f"Submitting {len(rows)} order cancellations.")

    # -- what became of them ---------------------------------------------------------------------------

    @route("POST /v2/auth/r/orders", "POST /v2/auth/r/orders/{symbol}", costs={"orders": 1})
    def active(self, call: Call) -> Any:
        found = (order for order in self._orders(call, call.text("symbol", "")) if order.open)
        return [order_row(order) for order in self._asked(call, found)]

    @route("POST /v2/auth/r/orders/hist", "POST /v2/auth/r/orders/{symbol}/hist", costs={"history": 1})
    def history(self, call: Call) -> Any:
        ended = (order for order in self._orders(call, call.text("symbol", "")) if not order.open)
        found = self._asked(call, ended)[: call.integer("limit", 25)]
        return [order_row(order) for order in found]

    @route("POST /v2/auth/r/order/{order}/trades", costs={"trades": 1})
    def trades_of_order(self, call: Call) -> Any:
        symbol, _, order_id = call.text("order").rpartition(":")
        order = self._order(call.account, order_id)
        if order is None or order.market.symbol != symbol:
            return []
        return [trade_row(order, fill) for fill in order.fills]

    @route("POST /v2/auth/r/trades/hist", "POST /v2/auth/r/trades/{symbol}/hist", costs={"trades": 1})
    def trades(self, call: Call) -> Any:
        rows = [
            trade_row(order, fill)
            for order in self._orders(call, call.text("symbol", ""))
            for fill in order.fills
        ]
        return rows[: call.integer("limit", 25)]

    def _meant(self, call: Call) -> Order | None:
        """By their id, or by ours and the day."""
        if call.text("id", ""):
            return self._order(call.account, call.text("id"))
        return self._named(call, call.text("cid"), call.text("cid_date"))

    def _order(self, account: Account, order_id: str) -> Order | None:
        found = (desk.order(account, order_id=order_id) for desk in self.desks.values())
        return next((order for order in found if order is not None), None)

    def _named(self, call: Call, client_id: str, day: str) -> Order | None:
        named = (order for order in self._orders(call) if order.client_id == client_id and order.open)
        return next((order for order in named if day_of(order) == day), None)

    def _orders(self, call: Call, symbol: str = "") -> Iterator[Order]:
        """Newest first, of one pair or all."""
        for desk in [self._desk(symbol)] if symbol else self.desks.values():
            for order in reversed(desk.book(call.account).orders.values()):
                if symbol in ("", order.market.symbol):
                    yield order

    def _asked(self, call: Call, orders: Iterable[Order]) -> list[Order]:
        """Those among them whose ids are named, if any are."""
        ids = call.params.get("id")
        wanted = {str(each) for each in ids} if isinstance(ids, list) else None
        return [order for order in orders if wanted is None or order.id in wanted]


def _rules(wallet: str, maker: str, taker: str) -> Rules:
    return Rules(
        maker_fee=D(maker),
        taker_fee=D(taker),
        wallet=wallet,
        refuses_crossed_triggers=False,
        client_ids=ClientIds.REUSABLE,
        flat_cancels_resting=False,
        shrinks_reduce_only=False,
        unfilled=OrderStatus.CANCELLED,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE, Reason.REDUCE_ONLY}),
        order_id=lambda number: str(139_000_000_000 + number),
        default_leverage=D(10),
    )


class BitfinexSpot(_Bitfinex):
    name, product, markets = "Bitfinex", Product.SPOT, PAIRS
    rules = _rules("exchange", "0.001", "0.002")


class BitfinexFutures(_Bitfinex):
    name, product, markets = "Bitfinex_F", Product.LINEAR, PERPETUALS
    rules = _rules("margin", "0.0002", "0.00065")


def _cut(price: Decimal, market: Market) -> Decimal:
    if price <= 0:
        raise Rejected(Reason.BAD_PARAMETER, "price")
    digits = D(1).scaleb(price.adjusted() - 4)
    return floor_to(floor_to(price, digits), market.tick)
