"""Contract orders of MEXC, with the stop and the target that one brings along. https://www.mexc.com/api-docs/futures/.

Orders that wait for a price are in `mexc_futures_plans`; plan orders are asked for in the words of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.mexc_futures_answers import (
    MARGIN,
    MODES,
    TRENDS,
    ContractAnswers,
    conditional,
    ok,
    page,
)
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.model import Order, Reason, Rejected, Ticket
from exchanges.sandbox.wire import Answered, Call, Reply
from exchanges.types import Direction, MarginMode, OrderType, PositionMode, Side, TimeInForce, TriggerBy

#: 1 open long, 2 close short, 3 open short, 4 close long: side and whether it closes
SIDES = {"1": (Side.BUY, False), "2": (Side.BUY, True), "3": (Side.SELL, False), "4": (Side.SELL, True)}
#: limit or not, time in force, post-only
TYPES = {
    "1": (True, TimeInForce.GTC, False),
    "2": (True, TimeInForce.GTC, True),
    "3": (True, TimeInForce.IOC, False),
    "4": (True, TimeInForce.FOK, False),
    "5": (False, TimeInForce.GTC, False),
    "6": (False, TimeInForce.GTC, False),
}
CONDITIONAL = {
    (True, False): OrderType.STOP,
    (True, True): OrderType.STOP_LIMIT,
    (False, False): OrderType.TAKE_PROFIT,
    (False, True): OrderType.TAKE_PROFIT_LIMIT,
}


class ContractOrders(ContractAnswers):
    # -- placing ---------------------------------------------------------------------------------------

    @route(
        "POST /api/v1/private/order/create",
        "POST /api/v1/private/order/submit",
        trading=True,
        costs={"create": 1},
    )
    def place(self, call: Call) -> Any:
        """An id of the caller that was used before gives the order back that has it. The older address tells its
        number alone."""
        client_id, older = call.text("externalOid", ""), call.path.endswith("submit")
        if len(client_id) > 32:
            raise Answered(
                Reply({"success": False, "code": 2030, "message": "External order ID is too long"})
            )
        if client_id and (known := self.desk.order(call.account, client_id=client_id)) is not None:
            return ok(known.id if older else {"orderId": known.id, "ts": call.now_ms})
        ticket = self._ticket(call, call.one_of("type", TYPES), None, client_id)
        ticket = replace(ticket, attached=tuple(self._attached(call, ticket)))
        self._take_margin(call, ticket)
        order = self.desk.place(call.account, ticket)
        return ok(order.id if older else {"orderId": order.id, "ts": call.now_ms})

    def _attached(self, call: Call, entry: Ticket) -> Iterator[Ticket]:
        """One record of its stop and its target, for as much as it opens, from the first fill on."""
        if entry.exits or entry.reduce_only:
            return
        record, side, market = self.desk.number(), entry.side.opposite, self.desk.market(entry.symbol)
        for name, by in (("stopLoss", "lossTrend"), ("takeProfit", "profitTrend")):
            trigger, stop = call.decimal_or_none(f"{name}Price"), name == "stopLoss"
            if not trigger:
                continue
            rises, last = stop == (side is Side.BUY), entry.price or self.desk.bid(market)
            if (trigger <= last) if rises else (trigger >= last):
                raise Rejected(Reason.WOULD_TRIGGER)
            yield Ticket(
                entry.symbol,
                side,
                CONDITIONAL[stop, False],
                quantity=entry.quantity,
                trigger_price=trigger,
                trigger_by=call.one_of(by, TRENDS, "1"),
                rises=rises,
                reduce_only=entry.position_side is None,
                position_bound=True,
                position_side=entry.position_side,
                link=f"record {record}",
                extra={"record": record, "type": "5", "side": "2" if side is Side.BUY else "4"},
            )

    @route("POST /api/v1/private/order/submit_batch", trading=True, costs={"create": 1})
    def place_batch(self, call: Call) -> Any:
        """Each is answered for itself."""
        orders = call.params.get("")
        told = self.each(call, orders, "/api/v1/private/order/create", self.place)
        rows = []
        for order, answer in zip(orders or (), told, strict=True):
            row = {
                "externalOid": order.get("externalOid") or "",
                "errorMsg": answer.get("message", "success"),
            }
            done = {"orderId": answer["data"]["orderId"]} if answer["success"] else {}
            rows.append(row | done | {"errorCode": answer["code"]})
        return ok(rows)

    @route("POST /api/v1/private/order/change_limit_order", trading=True, costs={"create": 1})
    def change(self, call: Call) -> Any:
        order = self.desk.amend(
            call.account,
            self._plain(call.account, call.text("orderId")),
            quantity=call.decimal_or_none("vol"),
            price=call.decimal_or_none("price"),
        )
        return ok({"orderId": order.id, "ts": call.now_ms})

    def _ticket(
        self, call: Call, kind: tuple[bool, TimeInForce, bool], rises: bool | None, client_id: str
    ) -> Ticket:
        (side, closes), (limit, time_in_force, post_only) = call.one_of("side", SIDES), kind
        hedged = self._hedged(call)
        plain = OrderType.LIMIT if limit else OrderType.MARKET
        opened = side.opposite if closes else side
        return Ticket(
            call.text("symbol"),
            side,
            plain if rises is None else CONDITIONAL[rises == (side is Side.BUY), limit],
            quantity=call.decimal("vol"),
            price=call.decimal("price") if limit else None,
            trigger_price=None if rises is None else call.decimal("triggerPrice"),
            trigger_by=TriggerBy.LAST if rises is None else call.one_of("trend", TRENDS),
            rises=rises,
            time_in_force=time_in_force,
            post_only=post_only,
            reduce_only=(closes or call.flag("reduceOnly")) and not hedged,
            position_side=(Direction.LONG if opened is Side.BUY else Direction.SHORT) if hedged else None,
            client_id=client_id,
            extra={"type": call.text("type" if rises is None else "orderType"), "side": call.text("side")},
        )

    def _hedged(self, call: Call) -> bool:
        """The mode an order names must be the account's; one that names none is taken for it."""
        mode = self.desk.book(call.account).position_mode
        if call.text("positionMode", "") and call.one_of("positionMode", MODES) is not mode:
            raise Rejected(Reason.POSITION_MODE)
        return mode is PositionMode.HEDGE

    def _take_margin(self, call: Call, ticket: Ticket) -> None:
        """An order that opens sets margin mode and leverage; with a position the mode is the position's."""
        mode, book = call.one_of("openType", MARGIN), self.desk.book(call.account)
        market = self.desk.market(ticket.symbol)
        if any(each.market is market for each in book.open_positions()):
            if self.desk.margin_mode(call.account, market) is not mode:
                words = "There is only one cross or isolated in the same direction"
                raise Answered(Reply({"success": False, "code": 2027, "message": words}))
        elif not ticket.reduces:
            book.margin_modes[market.symbol] = mode
        if ticket.reduces:
            return
        if (leverage := call.decimal_or_none("leverage")) is not None:
            self.desk.set_leverage(call.account, ticket.symbol, leverage)
        elif mode is MarginMode.ISOLATED:
            raise Rejected(Reason.LEVERAGE)

    # -- finding ---------------------------------------------------------------------------------------

    @route(
        "GET /api/v1/private/order/get/{orderId}", "GET /api/v1/private/order/external/{symbol}/{externalOid}"
    )
    def order(self, call: Call) -> Any:
        order_id, client_id = call.text("orderId", ""), call.text("externalOid", "")
        found = self._plain(call.account, order_id, client_id)
        if found is None or call.text("symbol", found.market.symbol) != found.market.symbol:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok(self._order_row(call.account, found))

    def _plain(self, account: Account, order_id: str, client_id: str = "") -> Order | None:
        """By the number among plain orders: that of a triggered one is its second."""
        found = self.desk.order(account, order_id=order_id, client_id=client_id)
        if found is None or (conditional(found) and (not found.live_id or order_id != found.live_id)):
            return None
        return found

    @route("GET /api/v1/private/order/batch_query")
    def several(self, call: Call) -> Any:
        ids = call.text("order_ids", call.text("orderIds", "")).split(",")
        found = [self._plain(call.account, each) for each in ids if each]
        return ok([self._order_row(call.account, each) for each in found if each is not None])

    @route("GET /api/v1/private/order/deal_details/{orderId}")
    def deals_of_order(self, call: Call) -> Any:
        found = self._plain(call.account, call.text("orderId"))
        return ok([self._deal_row(found, fill) for fill in found.fills] if found else [])

    @route("GET /api/v1/private/order/list/order_deals", "GET /api/v1/private/order/list/order_deals/v3")
    def deals(self, call: Call) -> Any:
        """Newest first."""
        symbol, account = call.text("symbol", ""), call.account
        since, until = call.integer("start_time", 0), call.integer("end_time", call.now_ms)
        rows = [
            self._deal_row(order, fill)
            for fill in reversed(self.desk.book(account).fills)
            if symbol in ("", fill.symbol)
            and since <= fill.time_ms <= until
            and (order := self.desk.order(account, order_id=fill.order_id)) is not None
        ]
        return ok(page(call, rows))

    @route(
        "GET /api/v1/private/order/list/open_orders", "GET /api/v1/private/order/list/open_orders/{symbol}"
    )
    def open_orders(self, call: Call) -> Any:
        found = [each for each in self._listed(call) if each.open and not each.waiting]
        return ok(page(call, [self._order_row(call.account, each) for each in found]))

    @route("GET /api/v1/private/order/list/history_orders")
    def history(self, call: Call) -> Any:
        found = [each for each in self._listed(call) if not conditional(each) or each.live_id]
        return ok(page(call, [self._order_row(call.account, each) for each in found]))

    def _listed(self, call: Call) -> Iterator[Order]:
        """Newest first."""
        symbol = call.text("symbol", "")
        for order in reversed(self.desk.book(call.account).orders.values()):
            if symbol in ("", order.market.symbol):
                yield order

    # -- cancelling ------------------------------------------------------------------------------------

    @route("POST /api/v1/private/order/cancel", trading=True, costs={"cancels": 1})
    def cancel(self, call: Call) -> Any:
        """One result for each, whatever becomes of it."""
        return ok([self._cancelled(call, str(order_id)) for order_id in call.params[""]])

    def _cancelled(self, call: Call, order_id: str) -> dict[str, Any]:
        found = self._plain(call.account, order_id)
        if found is None:
            return {"orderId": order_id, "errorCode": 2040, "errorMsg": "order not exist"}
        if not found.open:
            return {"orderId": order_id, "errorCode": 2041, "errorMsg": "order state cannot be cancelled"}
        self.desk.cancel(call.account, found)
        return {"orderId": order_id, "errorCode": 0, "errorMsg": "success"}

    @route("POST /api/v1/private/order/cancel_with_external", trading=True, costs={"cancels": 1})
    def cancel_named(self, call: Call) -> Any:
        found = self._plain(call.account, "", call.text("externalOid"))
        if found is None or found.market.symbol != call.text("symbol"):
            raise Rejected(Reason.UNKNOWN_ORDER)
        self.desk.cancel(call.account, found)
        return ok({"symbol": found.market.symbol, "externalOid": found.client_id})

    @route("POST /api/v1/private/order/cancel_all", trading=True, costs={"cancels": 1})
    def cancel_all(self, call: Call) -> Any:
        return self._clear(call, [each for each in self._listed(call) if each.open and not each.waiting])

    def _clear(self, call: Call, orders: list[Order]) -> dict[str, Any]:
        for order in orders:
            if order.open:
                self.desk.cancel(call.account, order)
        return {"success": True, "code": 0}
