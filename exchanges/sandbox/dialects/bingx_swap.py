"""Orders of BingX perpetuals.

Documented at https://bingx-api.github.io/docs/ (read 2026-11-22). Conditional orders keep no ids of the caller. Stops that
would together be larger than their position are refused, and end with it. Not documented, so chosen here: the codes of
stops that are too large; and what a batch tells of an order that was refused: its code and words and nothing else (the
documents call such rows "failed orders with error details").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.bingx_answers import placed_row, swap_fill, swap_row
from exchanges.sandbox.dialects.bingx_frame import BingXFrame, costs, ok, said
from exchanges.sandbox.dialects.bingx_orders import (
    CLOSING,
    PLAIN,
    POSITION_SIDES,
    SIDES,
    UNDIRECTED,
    batch_of,
    cancel_named,
    cancel_open,
    cancel_replaced,
    named_order,
    object_of,
    open_orders,
    prices_of,
    recorded_orders,
)
from exchanges.sandbox.model import ZERO, Market, Reason, Rejected, Ticket, floor_to
from exchanges.sandbox.wire import Answered, Call, encode
from exchanges.types import STOPS, Direction, OrderType, TriggerBy

TRIGGERS = {"MARK_PRICE": TriggerBy.MARK, "CONTRACT_PRICE": TriggerBy.LAST, "INDEX_PRICE": TriggerBy.INDEX}
SWAP_TYPES = PLAIN | UNDIRECTED | CLOSING


class BingXSwapOrders(BingXFrame):
    # -- what is asked for -----------------------------------------------------------------------------

    @route("POST /openApi/swap/v2/trade/order", trading=True, costs=costs("place", "orders"))
    def place(self, call: Call) -> Any:
        ticket = self._ticket(call)
        self._check_size(call, ticket)
        return ok({"order": placed_row(self.linear.place(call.account, ticket))})

    @route("POST /openApi/swap/v2/trade/batchOrders", trading=True, costs=costs("batch", "orders"))
    def place_batch(self, call: Call) -> Any:
        told = self.each(call, batch_of(call, "batchOrders"), "/openApi/swap/v2/trade/order", self.place)
        failed = [{"code": each["code"], "msg": each["msg"]} for each in told if each["code"]]
        return ok({"orders": [each["data"]["order"] for each in told if not each["code"]], "errors": failed})

    @route("POST /openApi/swap/v2/trade/order/test", costs=costs("place", "queries"))
    def test(self, call: Call) -> Any:
        self.linear.check(call.account, self._ticket(call))
        return ok({"order": {"symbol": call.text("symbol"), "orderId": 0, "type": call.text("type")}})

    def _check_size(self, call: Call, ticket: Ticket) -> None:
        """The stops of a position may together not be larger than it, nor its targets."""
        if call.text("type") not in CLOSING:
            return
        stops = ticket.type in STOPS
        book, market = self.linear.book(call.account), self.linear.market(ticket.symbol)
        others = (
            each.remaining
            for each in book.open.values()
            if each.market is market
            and each.ticket.extra["type"] in CLOSING
            and each.ticket.position_side is ticket.position_side
            and (each.ticket.type in STOPS) is stops
        )
        held = abs(book.position(market, ticket.position_side).quantity)
        if held and sum(others, ticket.quantity or ZERO) > held:
            kind = "stop loss" if stops else "take profit"
            words = f"The {kind} orders of this position would be larger than it"
            raise Answered(said(110406 if stops else 110407, words))

    def _ticket(self, call: Call) -> Ticket:
        market, kind = self.linear.market(call.text("symbol")), call.one_of("type", SWAP_TYPES)
        side = call.one_of("positionSide", POSITION_SIDES, "LONG")
        whole = call.flag("closePosition") and kind in (OrderType.STOP, OrderType.TAKE_PROFIT)
        reduce_only, closes = call.flag("reduceOnly"), call.text("type") in CLOSING
        if side is not None and call.text("reduceOnly", ""):
            raise Rejected(Reason.BAD_PARAMETER, "reduceOnly is not accepted in hedge mode")
        if side is not None and closes and call.one_of("side", SIDES) is not side.exit_side:
            raise Rejected(Reason.BAD_PARAMETER, "side")
        return Ticket(
            market.symbol,
            call.one_of("side", SIDES),
            kind,
            quantity=None if whole else floor_to(call.decimal("quantity"), market.step),
            close_position=whole,
            reduce_only=reduce_only or (closes and side is None),
            position_side=side,
            client_id=""
            if kind.conditional
            else call.text("clientOrderId", call.text("clientOrderID", "")).lower(),
            trigger_by=call.one_of("workingType", TRIGGERS, "MARK_PRICE"),
            attached=tuple(self._attached(call, market, side)),
            **prices_of(call, self.linear, market, kind),
        )

    def _attached(self, call: Call, market: Market, position: Direction | None) -> Iterator[Ticket]:
        """Its stop and its target, each an order of its own from the first fill on; of the whole where none tells how much."""
        side, link = call.one_of("side", SIDES).opposite, f"attached {self.linear.number()}"
        for name in ("stopLoss", "takeProfit"):
            if not call.text(name, ""):
                continue
            leg = replace(call, query="", body=encode(object_of(call, name)))
            kind = leg.one_of("type", CLOSING)
            yield Ticket(
                market.symbol,
                side,
                kind,
                quantity=floor_to(leg.decimal_or_none("quantity") or call.decimal("quantity"), market.step),
                reduce_only=position is None,
                position_side=position,
                link=link,
                trigger_by=leg.one_of("workingType", TRIGGERS, "MARK_PRICE"),
                **prices_of(leg, self.linear, market, kind),
            )

    @route("DELETE /openApi/swap/v2/trade/order", trading=True, costs=costs("cancel", "orders"))
    def cancel(self, call: Call) -> Any:
        return ok({"order": swap_row(self.linear.cancel(call.account, named_order(call, self.linear)))})

    @route("DELETE /openApi/swap/v2/trade/allOpenOrders", trading=True, costs=costs("cancel", "queries"))
    def cancel_all(self, call: Call) -> Any:
        return ok({"success": [swap_row(each) for each in cancel_open(call, self.linear)], "failed": None})

    @route("DELETE /openApi/swap/v2/trade/batchOrders", trading=True, costs=costs("cancel", "orders"))
    def cancel_batch(self, call: Call) -> Any:
        ended = cancel_named(call, self.linear, "orderIdList", "clientOrderIDList")
        return ok({"success": [swap_row(each) for each in ended], "failed": None})

    @route("POST /openApi/swap/v1/trade/cancelReplace", trading=True, costs=costs("place", "orders"))
    def replace(self, call: Call) -> Any:
        old, why = cancel_replaced(call, self.linear)
        told: dict[str, Any] = {"cancelResult": str(old is not None).lower(), "cancelMsg": why}
        told["cancelResponse"] = swap_row(old) if old else None
        if old is None and call.text("cancelReplaceMode", "STOP_ON_FAILURE") != "ALLOW_FAILURE":
            return said(109421, "order not exist")
        (placed,) = self.each(call, [call.params], "/openApi/swap/v2/trade/order", self.place)
        done = not placed["code"]
        told |= {"replaceResult": str(done).lower(), "replaceMsg": placed["msg"]}
        return ok(told | {"newOrderResponse": placed["data"]["order"] if done else None})

    @route("POST /openApi/swap/v1/trade/amend", trading=True, costs=costs("place", "orders"))
    def amend(self, call: Call) -> Any:
        """How much of it there is."""
        changed = self.linear.amend(
            call.account,
            named_order(call, self.linear),
            quantity=call.decimal("quantity"),
            price=call.decimal_or_none("price"),
        )
        return ok(swap_row(changed))

    # -- what is known ---------------------------------------------------------------------------------

    @route("GET /openApi/swap/v2/trade/order", costs=costs("fetch", "queries"))
    def query(self, call: Call) -> Any:
        if (order := named_order(call, self.linear)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok({"order": swap_row(order)})

    @route("GET /openApi/swap/v2/trade/openOrder", costs=costs("fetch", "queries"))
    def query_open(self, call: Call) -> Any:
        order = named_order(call, self.linear)
        if order is None or not order.open:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok({"order": swap_row(order)})

    @route("GET /openApi/swap/v2/trade/openOrders", costs=costs("open", "orders"))
    def open(self, call: Call) -> Any:
        return ok({"orders": [swap_row(each) for each in open_orders(call, self.linear)]})

    @route("GET /openApi/swap/v2/trade/allOrders", costs=costs("history", "orders"))
    def all_orders(self, call: Call) -> Any:
        """Those that ended, newest first; nothing at all is null."""
        since, symbol = call.integer("startTime", 0), call.text("symbol", "")
        ended = [
            each
            for each in reversed(list(self.linear.book(call.account).orders.values()))
            if not each.open and each.created_ms >= since and symbol in ("", each.market.symbol)
        ]
        return ok({"orders": [swap_row(each) for each in ended[: call.integer("limit", 500)]] or None})

    @route("GET /openApi/swap/v1/trade/fullOrder", costs=costs("history", "orders"))
    def full_orders(self, call: Call) -> Any:
        """Open ones too, newest first."""
        found = recorded_orders(call, self.linear)
        return ok({"orders": [swap_row(each) for each in found[: call.integer("limit", 500)]]})

    @route(
        "GET /openApi/swap/v2/trade/allFillOrders",
        "GET /openApi/swap/v2/trade/fillHistory",
        costs=costs("history", "orders"),
    )
    def fills(self, call: Call) -> Any:
        """The newer address tells more of each; both of a day or less where no time is named."""
        symbol, order_id, book = (
            call.text("symbol", ""),
            call.text("orderId", ""),
            self.linear.book(call.account),
        )
        since, until = call.integer("startTs", 0), call.integer("endTs", call.now_ms)
        rows = [
            swap_fill(book.orders[each.order_id], each)
            for each in reversed(book.fills)
            if symbol in ("", each.symbol)
            and order_id in ("", each.order_id)
            and since <= each.time_ms <= until
        ]
        if call.path.endswith("fillHistory"):
            return ok({"fill_history_orders": rows})
        return ok({"fill_orders": rows})
