"""HTX spot as its clients see it: refusals come with HTTP 200, and an order that waits for a trigger freezes nothing, goes
by its client id, and goes on as a plain order with a number. Documented at https://www.htx.com/en-us/opend/newApiPages/."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.htx_account import HTXAccount
from exchanges.sandbox.dialects.htx_answers import (
    MARKETS,
    REFUSALS,
    algo_row,
    batch_row,
    is_algo,
    match_row,
    number_of,
    ok,
    order_row,
)
from exchanges.sandbox.dialects.htx_frame import MEMORY_SECONDS, SIDES, after, kind_of
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import ClientIds, Order, Reason, Rejected, Rules, Ticket
from exchanges.sandbox.wire import Call
from exchanges.types import OrderStatus, Product, Side, TimeInForce

D = Decimal
LARGEST_BATCH = 10
IS_LIMIT = {"market": False, "limit": True}
ALGO_TIMES = {"gtc": TimeInForce.GTC, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}
#: the second part of an order's type -> limit or not, waits or not, time in force
TYPES = {
    "market": (False, False, TimeInForce.GTC),
    "limit": (True, False, TimeInForce.GTC),
    "limit-maker": (True, False, TimeInForce.GTC),
    "ioc": (True, False, TimeInForce.IOC),
    "limit-fok": (True, False, TimeInForce.FOK),
    "stop-limit": (True, True, TimeInForce.GTC),
    "stop-limit-fok": (True, True, TimeInForce.FOK),
}
RISES = {"gte": True, "lte": False}


class HTXSpot(HTXAccount):
    name, product, markets = "HTX", Product.SPOT, MARKETS
    signed_host = "api.huobi.pro"
    told = ("x-hb-ratelimit-requests-remain", "x-hb-ratelimit-requests-expire")
    limits = (
        Limit("orders", "orders", 100, 2),
        Limit("batch", "batch", 50, 2),
        Limit("reads", "reads", 50, 2),
        Limit("algo", "algo", 20, 2),
        Limit("account", "account", 20, 2),
        Limit("public", "public", 20, 2, Owner.ADDRESS),
    )
    default_costs = {"reads": 1}
    rules = Rules(
        maker_fee=D("0.002"),
        taker_fee=D("0.002"),
        wallet="spot",
        conditional_holds=False,
        client_ids=ClientIds.FOREVER,
        new_id_on_trigger=True,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(938_390_040_000_000 + number),
    )

    # -- plain orders ----------------------------------------------------------------------------------

    @route("POST /v1/order/orders/place", trading=True, costs={"orders": 1})
    def place(self, call: Call) -> Any:
        if call.text("account-id") != number_of(call.account):
            raise Rejected(Reason.BAD_PARAMETER, "account-id")
        name, _, kind = call.text("type").partition("-")
        if name not in SIDES or kind not in TYPES:
            raise Rejected(Reason.BAD_PARAMETER, "type")
        (limit, waits, time), side = TYPES[kind], SIDES[name]
        amount, by_quote = call.decimal("amount"), not limit and side is Side.BUY
        rises = call.one_of("operator", RISES) if waits else None
        ticket = Ticket(
            call.text("symbol"),
            side,
            kind_of(side, limit=limit, rises=rises),
            quantity=None if by_quote else amount,
            quote_quantity=amount if by_quote else None,
            price=call.decimal("price") if limit else None,
            trigger_price=call.decimal("stop-price") if waits else None,
            rises=rises,
            time_in_force=time,
            post_only=kind == "limit-maker",
            client_id=call.text("client-order-id", ""),
            extra={"type": call.text("type"), "operator": call.text("operator", "")},
        )
        return ok(self.desk.place(call.account, ticket).id)

    @route("POST /v1/order/batch-orders", trading=True, costs={"batch": 1})
    def place_batch(self, call: Call) -> Any:
        orders = call.params.get("")
        if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "orders")
        told = self.each(call, orders, "/v1/order/orders/place", self.place)
        return ok([batch_row(*each) for each in zip(orders, told, strict=True)])

    def _plain(self, call: Call) -> Order | None:
        """By its number, which a triggered algo order has from then on, or by the client id of a plain one."""
        order_id, client_id = call.text("orderId", ""), call.text("clientOrderId", "")
        client_id = call.text("client-order-id", client_id)
        found = self.desk.order(call.account, order_id=order_id, client_id=client_id)
        if found is None or (is_algo(found) and found.live_id != order_id):
            return None
        return found if order_id or self.desk.remembers(found, MEMORY_SECONDS) else None

    @route("GET /v1/order/orders")
    def orders(self, call: Call) -> Any:
        """Newest first, by the time at which they were made."""
        states, symbol = call.text("states").split(","), call.text("symbol")
        found = self.made_between(call, "start-time", "end-time")
        plain = [each for each in found if not (is_algo(each) and not each.live_id)]
        rows = [order_row(call.account, each, "field") for each in plain if each.market.symbol == symbol]
        told = [row for row in rows if row["state"] in states]
        return ok(after(told, call.text("from", ""), call.integer("size", 100)))

    @route("GET /v1/order/history")
    def history(self, call: Call) -> Any:
        """Newest first, of the last two days or less; those that ended."""
        symbol, found = call.text("symbol", ""), self.made_between(call, "start-time", "end-time")
        ended = [each for each in found if not each.open and not (is_algo(each) and not each.live_id)]
        rows = [order_row(call.account, e, "field") for e in ended if symbol in ("", e.market.symbol)]
        return ok(rows[: call.integer("size", 100)])

    @route("GET /v1/order/orders/{orderId}/matchresults")
    def matches_of_order(self, call: Call) -> Any:
        if (found := self._plain(call)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok([match_row(found, fill) for fill in found.fills])

    @route("GET /v1/order/matchresults")
    def matches(self, call: Call) -> Any:
        """Newest first."""
        symbol, book = call.text("symbol"), self.desk.book(call.account)
        found = [(book.orders[each.order_id], each) for each in reversed(book.fills) if each.symbol == symbol]
        since, until = call.integer("start-time", 0), call.integer("end-time", call.now_ms)
        rows = [match_row(*each) for each in found if since <= each[1].time_ms <= until]
        return ok(after(rows, call.text("from", ""), call.integer("size", 100)))

    @route("GET /v1/order/orders/{orderId}", "GET /v1/order/orders/getClientOrder")
    def order(self, call: Call) -> Any:
        if (found := self._plain(call)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok(order_row(call.account, found, "field"))

    @route("GET /v1/order/openOrders")
    def open_orders(self, call: Call) -> Any:
        found = [each for each in self.open_of(call, "symbol") if not (is_algo(each) and each.waiting)]
        rows = [order_row(call.account, order, "filled") for order in found]
        return ok(after(rows, call.text("from", ""), call.integer("size", 100)))

    @route("POST /v1/order/orders/{orderId}/submitcancel", trading=True, costs={"orders": 1})
    def cancel(self, call: Call) -> Any:
        self.desk.cancel(call.account, self._plain(call))
        return ok(call.parts["orderId"])

    @route("POST /v1/order/orders/submitCancelClientOrder", trading=True, costs={"orders": 1})
    def cancel_by_client_id(self, call: Call) -> Any:
        """10: it is being cancelled; 0: not known; 6 and 7: filled or cancelled before."""
        found = self._plain(call)
        if found is None:
            return ok(0)
        if not found.open:
            return ok(6 if found.status is OrderStatus.FILLED else 7)
        self.desk.cancel(call.account, found)
        return ok(10)

    @route("POST /v1/order/orders/batchcancel", trading=True, costs={"batch": 1})
    def cancel_batch(self, call: Call) -> Any:
        """By their numbers, or by their client ids."""
        names = {"order-ids": "order_id", "client-order-ids": "client_id"}
        asked = [(names[name], str(each)) for name in names for each in call.params.get(name) or ()]
        told: dict[str, list[Any]] = {"success": [], "failed": []}
        for name, value in asked:
            found = self.desk.order(call.account, **{name: value})
            if found is not None and found.open and not (is_algo(found) and found.waiting):
                self.desk.cancel(call.account, found)
                told["success"].append(value)
                continue
            code, words = (
                REFUSALS[Reason.NOT_OPEN] if found else ("base-not-found", "The record is not found.")
            )
            row = {"order-id": value, "client-order-id": None, "err-code": code, "err-msg": words}
            told["failed"].append(row)
        return ok(told)

    @route("POST /v1/order/orders/batchCancelOpenOrders", trading=True, costs={"orders": 1})
    def cancel_all(self, call: Call) -> Any:
        ended = [each for each in self.open_of(call, "symbol") if not (is_algo(each) and each.waiting)]
        for order in ended:
            self.desk.cancel(call.account, order)
        return {"code": 200, "data": {"success-count": len(ended), "failed-count": 0, "next-id": -1}}

    # -- algo orders -----------------------------------------------------------------------------------

    @route("POST /v2/algo-orders", trading=True, costs={"algo": 1})
    def place_algo(self, call: Call) -> Any:
        """The trigger lies where the price is not."""
        if call.text("accountId") != number_of(call.account):
            raise Rejected(Reason.BAD_PARAMETER, "accountId")
        market, side = self.desk.market(call.text("symbol")), call.one_of("orderSide", SIDES)
        limit, trigger = call.one_of("orderType", IS_LIMIT), call.decimal("stopPrice")
        by_value, rises = side is Side.BUY and not limit, trigger > self.desk.bid(market)
        quantity = call.decimal("orderValue") / trigger if by_value else call.decimal("orderSize")
        ticket = Ticket(
            market.symbol,
            side,
            kind_of(side, limit=limit, rises=rises),
            quantity=quantity // market.step * market.step,
            price=call.decimal("orderPrice") if limit else None,
            trigger_price=trigger,
            rises=rises,
            time_in_force=call.one_of("timeInForce", ALGO_TIMES, "gtc"),
            client_id=call.text("clientOrderId"),
            extra={"algo": True, "value": call.text("orderValue", "")},
        )
        self.desk.place(call.account, ticket)
        return {"code": 200, "data": {"clientOrderId": ticket.client_id}}

    @route("POST /v2/algo-orders/cancellation", trading=True, costs={"algo": 1})
    def cancel_algos(self, call: Call) -> Any:
        accepted, rejected = list[str](), list[str]()
        for client_id in call.params.get("clientOrderIds") or ():
            found = self.desk.order(call.account, client_id=str(client_id))
            if found is None or not is_algo(found) or not (found.open and found.waiting):
                rejected.append(client_id)
                continue
            self.desk.cancel(call.account, found)
            accepted.append(client_id)
        return {"code": 200, "data": {"accepted": accepted, "rejected": rejected}}

    @route("GET /v2/algo-orders/specific", costs={"algo": 1})
    def algo(self, call: Call) -> Any:
        found = self.desk.order(call.account, client_id=call.text("clientOrderId"))
        return {"code": 200, "data": algo_row(found) if found and is_algo(found) else None}

    @route("GET /v2/algo-orders/history", costs={"algo": 1})
    def ended_algos(self, call: Call) -> Any:
        """Newest first, of one state."""
        symbol, state, known = (
            call.text("symbol"),
            call.text("orderStatus"),
            self.desk.book(call.account).orders,
        )
        found = [each for each in reversed(known.values()) if is_algo(each) and each.market.symbol == symbol]
        rows = [algo_row(each) for each in found]
        return {
            "code": 200,
            "data": [row for row in rows if row["orderStatus"] == state][: call.integer("limit", 100)],
        }

    @route("GET /v2/algo-orders/opening", costs={"algo": 1})
    def algos(self, call: Call) -> Any:
        waiting = [each for each in self.open_of(call, "symbol") if is_algo(each) and each.waiting]
        older = [each for each in waiting if each.sequence < call.integer("fromId", 2**62)]
        page = older[: call.integer("limit", 100)]
        more = {"nextId": page[-1].sequence} if len(older) > len(page) else {}
        return {"code": 200, "data": [algo_row(order) for order in page], **more}
