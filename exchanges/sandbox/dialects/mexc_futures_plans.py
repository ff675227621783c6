"""Contract orders of MEXC that wait for a price: plan orders without ids of the caller, and TP/SL records, which hang on a
position. https://www.mexc.com/api-docs/futures/."""

from __future__ import annotations

from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.mexc_futures_answers import TRENDS, is_plan, ok, page, stops
from exchanges.sandbox.dialects.mexc_futures_orders import CONDITIONAL, TYPES, ContractOrders
from exchanges.sandbox.ledger import Position
from exchanges.sandbox.model import Order, Reason, Rejected, Ticket
from exchanges.sandbox.wire import Answered, Call, Reply
from exchanges.types import Side

RISES = {"1": True, "2": False}
TOO_MUCH = "The take-profit and stop-loss order volume is more than the holding positions can be liquidated"
GONE = {"success": False, "code": 5002, "message": "The Stop-Limit order does not exist or has closed"}


class ContractPlans(ContractOrders):
    # -- plan orders -----------------------------------------------------------------------------------

    @route(
        "POST /api/v1/private/planorder/place",
        "POST /api/v1/private/planorder/place/v2",
        trading=True,
        costs={"plan": 1},
    )
    def place_plan(self, call: Call) -> Any:
        if call.text("executeCycle") not in ("1", "2"):
            raise Answered(Reply({"success": False, "code": 3003, "message": "Executive cycle error"}))
        ticket = self._ticket(call, call.one_of("orderType", TYPES), call.one_of("triggerType", RISES), "")
        self._take_margin(call, ticket)
        return ok(self.desk.place(call.account, ticket).id)

    @route("GET /api/v1/private/planorder/list/orders")
    def plans(self, call: Call) -> Any:
        wanted = call.text("states", "")
        rows = [self._plan_row(call.account, each) for each in self._listed(call) if is_plan(each)]
        return ok(page(call, [row for row in rows if wanted == "" or str(row["state"]) in wanted.split(",")]))

    @route("POST /api/v1/private/planorder/cancel", trading=True, costs={"cancels": 1})
    def cancel_plans(self, call: Call) -> Any:
        """A bare success, whether or not one of them was still there."""
        found = [self.desk.order(call.account, order_id=str(each["orderId"])) for each in call.params[""]]
        return self._clear(call, [each for each in found if each is not None and each.open and each.waiting])

    @route("POST /api/v1/private/planorder/change_price", trading=True, costs={"plan": 1})
    def change_plan(self, call: Call) -> Any:
        found = self.desk.order(call.account, order_id=call.text("orderId"))
        if found is None or not (found.open and found.waiting and is_plan(found)):
            raise Answered(Reply(GONE))
        price = call.decimal_or_none("price") if found.price is not None else None
        self.desk.amend(call.account, found, price=price or None, trigger_price=call.decimal("triggerPrice"))
        return {"success": True, "code": 0}

    @route("POST /api/v1/private/planorder/cancel_all", trading=True, costs={"cancels": 1})
    def cancel_all_plans(self, call: Call) -> Any:
        return self._clear(call, [each for each in self._listed(call) if each.waiting and is_plan(each)])

    # -- TP/SL records ---------------------------------------------------------------------------------

    @route("POST /api/v1/private/stoporder/place", trading=True, costs={"pair": 1})
    def place_pair(self, call: Call) -> Any:
        position = self._position_of(call)
        record = self.desk.number()
        legs = [
            self._leg(call, position, name, record)
            for name in ("stopLoss", "takeProfit")
            if call.decimal_or_none(f"{name}Price")
        ]
        if not legs:
            words = "The take-price and the stop-loss price cannot be none at the same time"
            raise Answered(Reply({"success": False, "code": 5001, "message": words}))
        self._check_volume(call, position)
        self.desk.place_linked(call.account, legs)
        return ok(record)

    def _leg(self, call: Call, position: Position, name: str, record: int) -> Ticket:
        trigger, stop = call.decimal(f"{name}Price"), name == "stopLoss"
        side, last = position.direction.exit_side, self.desk.bid(position.market)
        rises = stop == (side is Side.BUY)
        if (trigger <= last) if rises else (trigger >= last):
            raise Rejected(Reason.WOULD_TRIGGER)
        limit = call.text(f"{name}Type", "0") == "1"
        return Ticket(
            position.market.symbol,
            side,
            CONDITIONAL[stop, limit],
            quantity=call.decimal("vol"),
            price=call.decimal(f"{name}OrderPrice") if limit else None,
            trigger_price=trigger,
            trigger_by=call.one_of("lossTrend" if stop else "profitTrend", TRENDS),
            rises=rises,
            reduce_only=position.side is None,
            position_bound=True,
            position_side=position.side,
            link=f"record {record}",
            extra={
                "record": record,
                "position": self._number_of(call.account, position),
                "type": "1" if limit else "5",
            }
            | {"side": "2" if side is Side.BUY else "4"},
        )

    def _check_volume(self, call: Call, position: Position) -> None:
        """Together the records of a position must not ask for more than it has."""
        number = self._number_of(call.account, position)
        records = {
            each.ticket.link: each.quantity
            for each in self.desk.book(call.account).open.values()
            if "record" in each.ticket.extra and self._position_number(call.account, each) == number
        }
        if sum(records.values(), call.decimal("vol")) > abs(position.quantity):
            raise Answered(Reply({"success": False, "code": 5004, "message": TOO_MUCH}))

    @route("GET /api/v1/private/stoporder/open_orders")
    def pairs(self, call: Call) -> Any:
        return ok([row for row in self._pair_rows(call) if row["state"] == 1])

    @route("GET /api/v1/private/stoporder/list/orders")
    def ended_pairs(self, call: Call) -> Any:
        wanted = call.text("is_finished", "")
        rows = self._pair_rows(call)
        return ok(page(call, [row for row in rows if wanted in ("", str(row["isFinished"]))]))

    @route("POST /api/v1/private/stoporder/cancel", trading=True, costs={"cancels": 1})
    def cancel_pairs(self, call: Call) -> Any:
        numbers = {int(each["stopPlanOrderId"]) for each in call.params[""]}
        found = [
            each for each in self._listed(call) if each.waiting and each.ticket.extra.get("record") in numbers
        ]
        if not any(each.open for each in found):
            raise Answered(Reply(GONE))
        return self._clear(call, found)

    @route("POST /api/v1/private/stoporder/change_plan_price", trading=True, costs={"pair": 1})
    def change_pair(self, call: Call) -> Any:
        """Only prices of legs that it has."""
        number = call.integer("stopPlanOrderId")
        legs = [
            e for e in self._listed(call) if e.open and e.waiting and e.ticket.extra.get("record") == number
        ]
        if not legs:
            raise Answered(Reply(GONE))
        for leg in legs:
            trigger = call.decimal_or_none("stopLossPrice" if stops(leg) else "takeProfitPrice")
            self.desk.amend(call.account, leg, trigger_price=trigger or None)
        return {"success": True, "code": 0}

    @route("POST /api/v1/private/stoporder/cancel_all", trading=True, costs={"cancels": 1})
    def cancel_all_pairs(self, call: Call) -> Any:
        return self._clear(call, [each for each in self._listed(call) if each.waiting and not is_plan(each)])

    def _pair_rows(self, call: Call) -> list[dict[str, Any]]:
        """Newest first, one for each record."""
        legs: dict[int, list[Order]] = {}
        for order in self._listed(call):
            if (record := order.ticket.extra.get("record")) is not None:
                legs.setdefault(record, []).append(order)
        return [self._pair_row(call.account, each) for each in legs.values()]
