"""Orders and plans of Bitget spot. https://www.bitget.com/api-doc/spot/."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.bitget_account import BitgetAccount
from exchanges.sandbox.dialects.bitget_answers import (
    FORCES,
    LARGEST_BATCH,
    SIDES,
    SPOT,
    TRIGGERS,
    TYPES,
    became,
    costs,
    error_answer,
    found_order,
    frame,
    kind_of,
    meaning,
    named_answer,
    page_of,
    spot_fill_row,
    spot_plan_row,
    spot_row,
)
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.model import AttachWhen, Reason, Rejected, Ticket
from exchanges.sandbox.wire import Answered, Call
from exchanges.types import (
    OrderType,
    Side,
)

D = Decimal


class SpotOrders(BitgetAccount):
    # -- spot orders -----------------------------------------------------------------------------------

    @route(f"POST {SPOT}/trade/place-order", trading=True, costs=costs("place"))
    def place_spot(self, call: Call) -> Any:
        side, limit = call.one_of("side", SIDES), call.one_of("orderType", TYPES)
        by_quote = side is Side.BUY and not limit
        size, force = call.decimal("size"), call.text("force", "gtc").lower()
        ticket = Ticket(
            call.text("symbol"),
            side,
            OrderType.LIMIT if limit else OrderType.MARKET,
            quantity=None if by_quote else size,
            quote_quantity=size if by_quote else None,
            price=call.decimal("price") if limit else None,
            time_in_force=meaning(FORCES, force, "force"),
            post_only=force == "post_only",
            client_id=call.text("clientOid", ""),
            attached=self._spot_presets(call, side),
            attach_when=AttachWhen.EACH_FILL,
        )
        return named_answer(call, self.spot.place(call.account, ticket))

    @route(f"POST {SPOT}/trade/batch-orders", trading=True, costs=costs("batch"))
    def place_spot_batch(self, call: Call) -> Any:
        return self._batch(call, ("symbol",), f"{SPOT}/trade/place-order", self.place_spot)

    @staticmethod
    def _spot_presets(call: Call, side: Side) -> tuple[Ticket, ...]:
        """Stop and target that an order brings along for what it gets, each a plan."""
        names = {True: "StopLoss", False: "TakeProfit"}
        return tuple(
            Ticket(
                call.text("symbol"),
                side.opposite,
                kind_of(stop=stop, limit=bool(call.decimal_or_none(f"execute{name}Price"))),
                price=call.decimal_or_none(f"execute{name}Price") or None,
                trigger_price=call.decimal(f"preset{name}Price"),
                extra={"planType": "amount"},
            )
            for stop, name in names.items()
            if call.decimal_or_none(f"preset{name}Price")
        )

    def _batch(
        self, call: Call, shared: tuple[str, ...], path: str, handler: Callable[[Call], Any]
    ) -> dict[str, Any]:
        """What is shared stands beside the list and counts for every order in it."""
        orders = call.params.get("orderList")
        if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "orderList")
        own = {name: call.text(name) for name in shared}
        told = self.each(call, [{**each, **own} for each in orders], path, handler)
        done, failed = [], []
        for order, answer in zip(orders, told, strict=True):
            if answer["code"] == "00000":
                done.append(answer["data"])
            else:
                named = {"orderId": "", "clientOid": order.get("clientOid", "")}
                failed.append(named | {"errorMsg": answer["msg"], "errorCode": answer["code"]})
        return frame(call, {"successList": done, "failureList": failed})

    @route(f"POST {SPOT}/trade/place-plan-order", trading=True, costs=costs("plan"))
    def place_spot_plan(self, call: Call) -> Any:
        side, plan = call.one_of("side", SIDES), call.text("planType", "amount").lower()
        size = call.decimal("size")
        if plan == "total" and side is Side.BUY:
            size = (size / call.decimal("triggerPrice")).quantize(self.spot.market(call.text("symbol")).step)
        limit = call.one_of("orderType", TYPES)
        ticket = self._plan(
            call, self.spot, side, size, plan, call.decimal("executePrice") if limit else None
        )
        return named_answer(call, self.spot.place(call.account, ticket))

    @staticmethod
    def _plan(
        call: Call, desk: Desk, side: Side, size: Decimal, plan: str, price: Decimal | None, **more: Any
    ) -> Ticket:
        """It waits for the side of the market on which its trigger lies."""
        trigger = call.decimal("triggerPrice")
        rises = trigger > desk.bid(desk.market(call.text("symbol")))
        return Ticket(
            call.text("symbol"),
            side,
            kind_of(stop=rises == (side is Side.BUY), limit=price is not None),
            quantity=size,
            price=price,
            trigger_price=trigger,
            trigger_by=call.one_of("triggerType", TRIGGERS),
            rises=rises,
            client_id=call.text("clientOid", ""),
            extra={"planType": plan},
            **more,
        )

    @route(f"POST {SPOT}/trade/cancel-order", trading=True, costs=costs("cancel"))
    def cancel_spot(self, call: Call) -> Any:
        return named_answer(call, self.spot.cancel(call.account, self._order(call, self.spot)))

    @route(f"POST {SPOT}/trade/cancel-plan-order", trading=True, costs=costs("cancel"))
    def cancel_spot_plan(self, call: Call) -> Any:
        order = found_order(self.spot, call.account, call.params)
        if order is None or not order.waiting or not order.open:
            raise Answered(error_answer(call, "43025", "Plan order does not exist"))
        self.spot.cancel(call.account, order)
        return frame(call, {"result": "success"})

    @route(f"POST {SPOT}/trade/cancel-replace-order", trading=True, costs=costs("place"))
    def replace_spot(self, call: Call) -> Any:
        """Another order in its place. bitget.cc/api-doc/spot/trade/Cancel-Replace-Order, read 2026-11-23."""
        changes = {"quantity": call.decimal("size"), "price": call.decimal("price")}
        told = self.replaced(call, self.spot, changes, call.text("newClientOid", ""))
        told["data"] |= {"success": "success", "msg": None}
        return told

    @route(f"POST {SPOT}/trade/modify-plan-order", trading=True, costs=costs("plan"))
    def modify_spot_plan(self, call: Call) -> Any:
        return self.changed_plan(call, self.spot, "triggerPrice", "executePrice", "size")

    @route(f"POST {SPOT}/trade/batch-cancel-order", trading=True, costs=costs("batch"))
    def cancel_spot_batch(self, call: Call) -> Any:
        asked = call.params.get("orderList")
        if not isinstance(asked, list):
            raise Rejected(Reason.BAD_PARAMETER, "orderList")
        return self.cancelled_all(call, self.spot, asked)

    @route(f"POST {SPOT}/trade/cancel-symbol-order", trading=True, costs=costs("batch"))
    def cancel_symbol(self, call: Call) -> Any:
        symbol = self.spot.market(call.text("symbol")).symbol
        for order in self._resting(call, self.spot):
            self.spot.cancel(call.account, order)
        return frame(call, {"symbol": symbol})

    @route(f"POST {SPOT}/trade/batch-cancel-plan-order", trading=True, costs=costs("batch"))
    def cancel_spot_plans(self, call: Call) -> Any:
        """Of the symbols named, else all."""
        symbols = call.params.get("symbolList") or list(self.spot.markets)
        waiting = [each for each in self._plans(call, self.spot, live=True) if each.market.symbol in symbols]
        done = [self.spot.cancel(call.account, each) for each in waiting]
        rows = [{"orderId": each.id, "clientOid": each.client_id} for each in done]
        return frame(call, {"successList": rows, "failureList": []})

    @route(f"GET {SPOT}/trade/fills")
    def spot_fills(self, call: Call) -> Any:
        return frame(call, self.traded(call, self.spot, spot_fill_row))

    @route(f"GET {SPOT}/trade/orderInfo")
    def spot_order(self, call: Call) -> Any:
        order = self._order(call, self.spot)
        return frame(call, [] if order is None else [spot_row(order)])

    @route(f"GET {SPOT}/trade/unfilled-orders")
    def spot_open(self, call: Call) -> Any:
        return frame(
            call, [spot_row(each, listed=True) for each in page_of(call, self._resting(call, self.spot))]
        )

    @route(f"GET {SPOT}/trade/history-orders")
    def spot_history(self, call: Call) -> Any:
        ended = [
            each for each in self._all(call, self.spot) if not each.open and not each.ticket.type.conditional
        ]
        return frame(call, [spot_row(each) for each in page_of(call, ended)])

    @route(
        f"GET {SPOT}/trade/current-plan-order", f"GET {SPOT}/trade/history-plan-order", costs=costs("plans")
    )
    def spot_plans(self, call: Call) -> Any:
        wanted = self._plans(call, self.spot, live="/current" in call.path)
        rows = [spot_plan_row(each) for each in page_of(call, wanted)]
        return frame(
            call, {"nextFlag": False, "idLessThan": rows[-1]["orderId"] if rows else "", "orderList": rows}
        )

    @route(f"GET {SPOT}/trade/plan-sub-order", costs=costs("plans"))
    def spot_sub_order(self, call: Call) -> Any:
        return frame(call, became(self.spot.book(call.account).orders.get(call.text("planOrderId"))))
