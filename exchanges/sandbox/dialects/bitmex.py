"""BitMEX as its clients see it: one address for spot and perpetuals, quantities in contracts, refusals in words, and
answers that leave out what they have nothing to say of. Documented at https://www.bitmex.com/api/explorer/.

Here linear perpetuals, XBTUSD and spot exist. Whether spot takes its fee from the coins bought, and whether its waiting
orders hold coins, is not documented in what we read: both are so here, the harder case for a client.
"""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.bitmex_account import API, WALLET, BitMEXAccount, filter_of, fits
from exchanges.sandbox.dialects.bitmex_answers import (
    EVENTS,
    INVERSE,
    LINEAR,
    SPOT,
    STATES,
    STRATEGIES,
    TYPES,
    event_row,
    execution_row,
    instant,
    order_row,
)
from exchanges.sandbox.ledger import Book
from exchanges.sandbox.model import ZERO, ClientIds, Market, Order, Reason, Rejected, Rules, Ticket
from exchanges.sandbox.wire import Call
from exchanges.types import Direction, OrderStatus, OrderType, Product, Side, TimeInForce, TriggerBy

D = Decimal
SIDES = {side.value.capitalize(): side for side in Side}
TIMES = {
    "GoodTillCancel": TimeInForce.GTC,
    "Day": TimeInForce.GTC,
    "ImmediateOrCancel": TimeInForce.IOC,
    "FillOrKill": TimeInForce.FOK,
}
TRIGGERS = {"LastPrice": TriggerBy.LAST, "MarkPrice": TriggerBy.MARK, "IndexPrice": TriggerBy.INDEX}
INSTRUCTIONS = {*TRIGGERS, "ReduceOnly", "Close", "ParticipateDoNotInitiate"}


class _BitMEX(BitMEXAccount):
    # -- orders ----------------------------------------------------------------------------------------

    @route(f"POST {API}/order", trading=True, costs={"requests": 1, "orders": 1})
    def place(self, call: Call) -> Any:
        market = self._market(call)
        order = self.desks[market.product].place(call.account, self._ticket(call, market))
        return order_row(order)

    def _ticket(self, call: Call, market: Market) -> Ticket:
        told = set(filter(None, call.text("execInst", "").split(",")))
        kind = call.one_of("ordType", TYPES, "Limit" if call.text("price", "") else "Market")
        if told - INSTRUCTIONS or ("ParticipateDoNotInitiate" in told and kind is OrderType.MARKET):
            raise Rejected(Reason.BAD_PARAMETER, "execInst")
        spot = market.product is Product.SPOT
        if spot and told & {"ReduceOnly", "Close"}:
            raise Rejected(Reason.BAD_PARAMETER, "execInst")
        if len(call.text("clOrdID", "")) > 36:
            raise Rejected(Reason.BAD_PARAMETER, "clOrdID")
        strategy = None if spot else call.one_of("strategy", STRATEGIES, "OneWay")
        limited = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT)
        quantity, whole = self._quantity(
            call, market, strategy, conditional=kind.conditional, close="Close" in told
        )
        return Ticket(
            symbol=market.symbol,
            side=self._side(call, market, strategy, close="Close" in told),
            type=kind,
            quantity=quantity,
            close_position=whole,
            price=call.decimal("price") if limited else None,
            trigger_price=call.decimal("stopPx") if kind.conditional else None,
            trigger_by=next((by for name, by in TRIGGERS.items() if name in told), TriggerBy.MARK),
            time_in_force=call.one_of("timeInForce", TIMES, "GoodTillCancel"),
            post_only="ParticipateDoNotInitiate" in told,
            reduce_only=bool(told & {"ReduceOnly", "Close"}),
            position_side=strategy,
            client_id=call.text("clOrdID", ""),
            extra={"execInst": call.text("execInst", ""), "timeInForce": call.text("timeInForce", "")},
        )

    def _side(self, call: Call, market: Market, strategy: Direction | None, *, close: bool) -> Side:
        """Where none is named: a quantity below zero sells, and what closes goes against its position."""
        if call.text("side", ""):
            side: Side = call.one_of("side", SIDES)
            return side
        if close:
            return (
                self.desks[market.product].book(call.account).position(market, strategy).direction.exit_side
            )
        return Side.SELL if (call.decimal_or_none("orderQty") or ZERO) < 0 else Side.BUY

    def _quantity(
        self, call: Call, market: Market, strategy: Direction | None, *, conditional: bool, close: bool
    ) -> tuple[Decimal | None, bool]:
        """In coins, and whether it is whatever the position is when the order triggers. A "Close" without
        quantity closes everything."""
        contracts = call.decimal_or_none("orderQty")
        if contracts is not None:
            return abs(contracts) / market.extra["per_coin"], False
        if not close:
            raise Rejected(Reason.MISSING_PARAMETER, "orderQty")
        if conditional:
            return None, True
        held = self.desks[market.product].book(call.account).position(market, strategy)
        return abs(held.quantity) or market.step, False

    @route(f"PUT {API}/order", trading=True, costs={"requests": 1, "orders": 1})
    def amend(self, call: Call) -> Any:
        order = self._known(call, call.text("orderID", ""), call.text("origClOrdID", ""))
        if order is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        contracts = call.decimal_or_none("orderQty")
        changed = self.desks[order.market.product].amend(
            call.account,
            order,
            quantity=None if contracts is None else contracts / order.market.extra["per_coin"],
            price=call.decimal_or_none("price"),
            trigger_price=call.decimal_or_none("stopPx"),
        )
        return order_row(changed)

    @route(f"DELETE {API}/order", trading=True, costs={"requests": 1, "orders": 1})
    def cancel(self, call: Call) -> Any:
        named = [(name, each) for name in ("orderID", "clOrdID") for each in _listed(call.params.get(name))]
        if not named:
            raise Rejected(Reason.MISSING_PARAMETER, "orderID")
        return [self._cancelled(call, name, each) for name, each in named]

    def _cancelled(self, call: Call, name: str, value: str) -> dict[str, Any]:
        order = self._known(call, *((value, "") if name == "orderID" else ("", value)))
        if order is not None and order.open:
            return order_row(self.desks[order.market.product].cancel(call.account, order))
        why = f" due to existing state: {STATES[order.status]}" if order else ""
        told = {"account": 1, name: value, "timestamp": instant(call.now_ms)}
        return {**told, "error": f"Unable to cancel order{why}"}

    def _books(self, call: Call) -> list[Book]:
        return [desk.book(call.account) for desk in self.desks.values()]

    def _known(self, call: Call, order_id: str, client_id: str) -> Order | None:
        found = (
            desk.order(call.account, order_id=order_id, client_id=client_id) for desk in self.desks.values()
        )
        return next((order for order in found if order is not None), None)

    @route(f"DELETE {API}/order/all", trading=True, costs={"requests": 1, "orders": 1})
    def cancel_all(self, call: Call) -> Any:
        wanted = call.text("symbol", "") or None
        ended = [order for desk in self.desks.values() for order in desk.cancel_all(call.account, wanted)]
        return [order_row(order) for order in ended]

    @route(f"GET {API}/order")
    def orders(self, call: Call) -> Any:
        """Oldest first, unless `reverse`; `filter` names values of the rows, and `open`."""
        wanted, symbol = filter_of(call), call.text("symbol", "")
        still = wanted.pop("open", False)
        held = [
            order for book in self._books(call) for order in (book.open if still else book.orders).values()
        ]
        held = [order for order in held if self.desks[order.market.product].remembers(order)]
        held.sort(key=lambda order: order.sequence, reverse=call.flag("reverse"))
        rows = (order_row(order) for order in held if symbol in ("", order.market.symbol))
        found = [row for row in rows if fits(row, wanted)]
        return _page(call, found)

    # -- trades ----------------------------------------------------------------------------------------

    @route(f"GET {API}/execution")
    def executions(self, call: Call) -> Any:
        """Beside the trades what came in and what was cancelled."""
        orders = [order for book in self._books(call) for order in book.orders.values()]
        placed = [event_row(order, "New", order.created_ms) for order in orders]
        ended = [event_row(o, "Canceled", o.updated_ms) for o in orders if o.status is OrderStatus.CANCELLED]
        symbol = call.text("symbol", "")
        told = [row for row in (*placed, *ended) if symbol in ("", row["symbol"])]
        return self._executions(call, told)

    @route(f"GET {API}/execution/tradeHistory")
    def trade_history(self, call: Call) -> Any:
        """Trades only: funding and settlements are not simulated."""
        return self._executions(call, [])

    def _executions(self, call: Call, others: list[dict[str, Any]]) -> Any:
        """Oldest first, unless `reverse`."""
        symbol, since = call.text("symbol", ""), call.text("startTime", "")
        if symbol:
            self._market(call)
        found = [
            execution_row(order, fill)
            for book in self._books(call)
            for fill in book.fills
            if symbol in ("", fill.symbol)
            and instant(fill.time_ms) >= since
            and (order := book.orders.get(fill.order_id)) is not None
        ]
        found += [row for row in others if row["transactTime"] >= since]
        found.sort(key=lambda row: (row["transactTime"], EVENTS.index(row["execType"])))
        if call.flag("reverse"):
            found.reverse()
        wanted = filter_of(call)
        rows = [row for row in found if fits(row, wanted)]
        return _page(call, rows)


def _rules(maker: str, taker: str) -> Rules:
    return Rules(
        maker_fee=D(maker),
        taker_fee=D(taker),
        wallet=WALLET,
        client_ids=ClientIds.FOREVER,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.REDUCE_ONLY, Reason.NOT_FILLABLE}),
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(uuid.uuid5(uuid.NAMESPACE_OID, f"order {number}")),
        default_leverage=D(100),
        max_open_orders=200,
        remembers_seconds=3600,
        max_waiting_orders=10,
    )


class BitMEXSpot(_BitMEX):
    name, product, markets = "BitMEX", Product.SPOT, SPOT
    rules = _rules("0.001", "0.001")


class BitMEXFutures(_BitMEX):
    name, product, markets = "BitMEX_F", Product.LINEAR, LINEAR
    rules = _rules("0.0005", "0.0005")


class BitMEXInverse(_BitMEX):
    name, product = "BitMEX_C", Product.INVERSE
    markets = (INVERSE,)
    rules = BitMEXFutures.rules


def _page(call: Call, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    start = call.integer("start", 0)
    return rows[start : start + min(call.integer("count", 100), 500)]


def _listed(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(each) for each in value]
    return [] if value is None else str(value).split(",")
