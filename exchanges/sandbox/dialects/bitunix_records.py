"""TP/SL records of Bitunix' perpetuals: a stop, a target or both under one number, hanging on a position, with no id of the
caller. Those that an entry brings along are made with it, in `bitunix.py`.

Documented at https://www.bitunix.com/api-docs/futures/ (stored copies read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.bitunix_account import BitunixAccount
from exchanges.sandbox.dialects.bitunix_answers import (
    CROSSED,
    KINDS,
    PATH,
    TRIGGERS,
    ended_row,
    ok,
    page,
    record_of,
    record_row,
    refused,
    stands,
)
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.model import Order, Reason, Rejected, Ticket
from exchanges.sandbox.wire import Answered, Call
from exchanges.types import STOPS, Side


class BitunixRecords(BitunixAccount):
    @route(f"POST {PATH}tpsl/place_order", trading=True, costs={"pair": 1})
    def place_record(self, call: Call) -> Any:
        position, record = self._position_of(call), self.rules.order_id(self.desk.number())
        legs = [
            self._leg(call, position, prefix, record)
            for prefix in ("sl", "tp")
            if call.text(f"{prefix}Price", "")
        ]
        if not legs:
            raise Answered(refused(30006, "Please select TP or SL"))
        self.desk.place_linked(call.account, legs)
        return ok({"orderId": record})

    @route(f"POST {PATH}tpsl/position/place_order", trading=True, costs={"pair": 1})
    def place_whole(self, call: Call) -> Any:
        """For all of a position, whatever that is when it fires; at market."""
        return self.place_record(call)

    @route(
        f"POST {PATH}tpsl/modify_order",
        f"POST {PATH}tpsl/position/modify_order",
        trading=True,
        costs={"pair": 1},
    )
    def modify_record(self, call: Call) -> Any:
        """By its number, or that of all of a position by the position's."""
        wanted, position = call.text("orderId", ""), call.text("positionId", "")
        for legs in self._records(call):
            whole = legs[0].ticket.close_position and self._hangs_on(call.account, legs[0]) == position
            if not stands(legs) or (record_of(legs[0]) != wanted if wanted else not whole):
                continue
            for leg in legs:
                prefix = "sl" if leg.ticket.type in STOPS else "tp"
                self.desk.amend(
                    call.account,
                    leg,
                    quantity=call.decimal_or_none(f"{prefix}Qty"),
                    price=call.decimal_or_none(f"{prefix}OrderPrice") if leg.price is not None else None,
                    trigger_price=call.decimal_or_none(f"{prefix}Price"),
                )
            return ok({"orderId": record_of(legs[0])})
        raise Rejected(Reason.UNKNOWN_ORDER)

    def _hangs_on(self, account: Account, leg: Order) -> str:
        """The number of its position: of what its entry opened, when it came with one."""
        known: str | None = leg.ticket.extra.get("position")
        return self._number_of(account, self.desk.position(account, leg)) if known is None else known

    def _leg(self, call: Call, position: Position, prefix: str, record: str) -> Ticket:
        trigger, side = call.decimal(f"{prefix}Price"), position.direction.exit_side
        last, rises = self.desk.bid(position.market), (prefix == "sl") == (side is Side.BUY)
        if (trigger <= last) if rises else (trigger >= last):
            raise Answered(refused(*CROSSED[prefix == "sl", rises]))
        whole = call.path.endswith("tpsl/position/place_order")
        quantity = None if whole else call.decimal(f"{prefix}Qty")
        if quantity is not None and quantity > abs(position.quantity):
            raise Answered(refused(30038, "TP/SL amount must be less than the size of the position."))
        limit = call.one_of(f"{prefix}OrderType", {"LIMIT": True, "MARKET": False}, "MARKET")
        return Ticket(
            call.text("symbol"),
            side,
            KINDS[prefix, limit],
            quantity=quantity,
            close_position=whole,
            price=call.decimal(f"{prefix}OrderPrice") if limit else None,
            trigger_price=trigger,
            trigger_by=call.one_of(f"{prefix}StopType", TRIGGERS, "MARK_PRICE"),
            rises=rises,
            reduce_only=position.side is None,
            position_bound=True,
            position_side=position.side,
            link=f"record {record}",
            extra={"record": record, "position": self._number_of(call.account, position), "effect": "GTC"},
        )

    @route(f"GET {PATH}tpsl/get_pending_orders", costs={"records": 1})
    def records(self, call: Call) -> Any:
        standing = (legs for legs in self._records(call) if stands(legs))
        return page(call, "", [record_row(legs, self._hangs_on(call.account, legs[0])) for legs in standing])

    @route(f"GET {PATH}tpsl/get_history_orders", costs={"ended_records": 1})
    def ended_records(self, call: Call) -> Any:
        ended = (legs for legs in self._records(call) if not stands(legs))
        rows = [ended_row(legs, self._hangs_on(call.account, legs[0])) for legs in ended]
        return page(call, "orderList", rows)

    @route(f"POST {PATH}tpsl/cancel_order", trading=True, costs={"cancel_pair": 1})
    def cancel_record(self, call: Call) -> Any:
        wanted = call.text("orderId")
        for legs in self._records(call):
            if record_of(legs[0]) == wanted and stands(legs):
                self.desk.cancel(call.account, legs[0])
                return ok({"orderId": wanted})
        raise Rejected(Reason.UNKNOWN_ORDER)

    def _records(self, call: Call) -> Iterator[list[Order]]:
        """The legs of each, newest first."""
        found: dict[str, list[Order]] = {}
        for order in self._listed(call):
            if record_of(order):
                found.setdefault(record_of(order), []).append(order)
        yield from found.values()
