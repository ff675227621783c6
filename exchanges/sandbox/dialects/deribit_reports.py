"""Orders and trades of Deribit as their owner finds them: by id, by label, in lists. What a row looks like is in
`deribit_answers.py`.

Documented at https://docs.deribit.com/ (read 2026-11-22). Not documented, so chosen here: a label does not find an order
that waits, the harder case for a client.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.deribit_account import DeribitAccount
from exchanges.sandbox.dialects.deribit_answers import (
    CURRENCIES,
    KIND_OF,
    currency_of,
    filed,
    order_row,
    order_rows,
    trade_row,
)
from exchanges.sandbox.dialects.deribit_frame import API, ok
from exchanges.sandbox.model import Order, Reason, Rejected
from exchanges.sandbox.wire import Call

#: trades are told at once for a day; as history when they are so old
RECENT_MS, INDEXED_MS = 86_400_000, 60_000


class DeribitReports(DeribitAccount):
    def _books(self, call: Call) -> Iterator[Order]:
        for desk in self.desks.values():
            yield from desk.book(call.account).orders.values()

    def _open(self, call: Call) -> list[Order]:
        return [order for order in self._books(call) if order.open]

    def _named(self, call: Call, order_id: str) -> Order:
        found = (desk.order(call.account, order_id=order_id) for desk in self.desks.values())
        order = next((each for each in found if each is not None), None)
        if order is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return order

    @route(f"GET {API}/private/get_order_state")
    def order_state(self, call: Call) -> Any:
        order = self._named(call, call.text("order_id"))
        return ok(call, order_row(order, live=order.live_id == call.text("order_id")))

    @route(f"GET {API}/private/get_order_state_by_label")
    def order_state_by_label(self, call: Call) -> Any:
        """A trigger order that fired and the order it became are two rows; one that waits is none."""
        label, currency = call.text("label"), call.one_of("currency", {each: each for each in CURRENCIES})
        labelled = (
            order
            for order in self._books(call)
            if filed(order, label, currency) and self.desks[order.market.product].remembers(order)
        )
        found = [order for order in labelled if not (order.open and order.waiting)]
        return ok(call, [row for order in found for row in order_rows(order)])

    @route(
        f"GET {API}/private/get_order_history_by_instrument",
        f"GET {API}/private/get_order_history_by_currency",
    )
    def order_history(self, call: Call) -> Any:
        """Newest first: what ended, without trigger orders that never fired; without what never filled, unless it is asked for."""
        if call.path.endswith("instrument"):
            wanted = {self._traded(call.text("instrument_name"))[1].symbol}
        else:
            currency, kind = call.text("currency"), call.text("kind", "any")
            wanted = {
                each.symbol
                for each in self._markets()
                if currency_of(each) == currency and kind in ("any", KIND_OF[each.product])
            }
        ended = [each for each in self._books(call) if not each.open and each.market.symbol in wanted]
        ended = [each for each in ended if each.live_id or not each.ticket.type.conditional]
        found = [each for each in ended if each.filled or call.flag("include_unfilled")]
        found.sort(key=lambda each: each.sequence, reverse=True)
        start = call.integer("offset", 0)
        page = found[start : start + min(call.integer("count", 20), 1000)]
        return ok(call, [order_row(each, live=bool(each.live_id)) for each in page])

    @route(
        f"GET {API}/private/get_user_trades_by_instrument",
        f"GET {API}/private/get_user_trades_by_instrument_and_time",
    )
    def trades(self, call: Call) -> Any:
        return self._user_trades(call, {self._traded(call.text("instrument_name"))[1].symbol})

    @route(
        f"GET {API}/private/get_user_trades_by_currency",
        f"GET {API}/private/get_user_trades_by_currency_and_time",
    )
    def trades_of_currency(self, call: Call) -> Any:
        currency = call.text("currency")
        return self._user_trades(
            call, {each.symbol for each in self._markets() if currency_of(each) == currency}
        )

    @route(f"GET {API}/private/get_user_trades_by_order")
    def trades_of_order(self, call: Call) -> Any:
        order = self._named(call, call.text("order_id"))
        return ok(call, [trade_row(order, fill) for fill in order.fills])

    def _user_trades(self, call: Call, symbols: set[str]) -> Any:
        """Those of the last day, or as history those that had the time to get there: a minute, which is not documented."""
        first, last = call.integer("start_timestamp", 0), call.integer("end_timestamp", call.now_ms)
        if call.flag("historical"):
            last = min(last, call.now_ms - INDEXED_MS)
        else:
            first = max(first, call.now_ms - RECENT_MS)
        found = [
            (fill, order)
            for order in self._books(call)
            if order.market.symbol in symbols
            for fill in order.fills
            if first <= fill.time_ms <= last
        ]
        found.sort(key=lambda each: each[0].id, reverse=call.text("sorting", "default") != "asc")
        told = found[: min(call.integer("count", 10), 1000)]
        rows = [trade_row(order, fill) for fill, order in told]
        return ok(call, {"trades": rows, "has_more": len(told) < len(found)})

    @route(
        f"GET {API}/private/get_open_orders",
        f"GET {API}/private/get_open_orders_by_instrument",
        f"GET {API}/private/get_open_orders_by_currency",
    )
    def open_orders(self, call: Call) -> Any:
        kind, symbol = call.text("kind", ""), call.text("instrument_name", "")
        currency = call.text("currency", "")
        found = [
            order
            for order in self._open(call)
            if kind in ("", KIND_OF[order.market.product])
            and symbol in ("", order.market.symbol)
            and currency in ("", currency_of(order.market))
        ]
        return ok(call, [order_row(order, live=bool(order.live_id)) for order in found])
