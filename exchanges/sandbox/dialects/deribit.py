"""Deribit's orders as their clients see them: placing, pairs, changing, cancelling. One host for spot and futures: the
instrument tells which it is.

Documented at https://docs.deribit.com/ (read 2026-11-22). Not documented, so chosen here, the harder case for a client:
cancelling one order of a pair leaves the other. Leverage is that of the account: 50.
"""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.deribit_account import WALLET, quantity_of
from exchanges.sandbox.dialects.deribit_answers import (
    CURRENCIES,
    KIND_OF,
    SIDES,
    TIMES,
    TRIGGERS,
    TYPE_OF,
    TYPES,
    currency_of,
    filed,
    order_row,
    trade_row,
)
from exchanges.sandbox.dialects.deribit_frame import API, ok
from exchanges.sandbox.dialects.deribit_reports import DeribitReports
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.model import ClientIds, Market, Order, Reason, Rejected, Rules, Ticket
from exchanges.sandbox.wire import Call
from exchanges.types import OrderStatus, OrderType, Product, Side, TimeInForce, TriggerBy

D = Decimal
#: base, tick and contract of the perpetual, tick and contract of the pair
COINS = (
    ("BTC", "0.5", "0.0001", "0.1", "0.0001"),
    ("ETH", "0.05", "0.001", "0.01", "0.001"),
    ("SOL", "0.01", "0.01", "0.01", "0.01"),
    ("XRP", "0.0001", "1", "0.0001", "1"),
    ("DOGE", "0.00001", "1", "0.00001", "1"),
)


class _Deribit(DeribitReports):
    @route(*(f"GET {API}/private/{side}" for side in SIDES), trading=True, costs={"matching": 1})
    def place(self, call: Call) -> Any:
        """One order, or a pair of which the answer tells the first only."""
        desk, market = self._traded(call.text("instrument_name"))
        ticket = self._ticket(call, desk, market, SIDES[call.path.rpartition("/")[2]])
        if not call.text("linked_order_type", ""):
            order = desk.place(call.account, ticket)
        else:
            order = desk.place_linked(call.account, self._pair(call, desk, market, ticket))[0]
        return self._told(call, order)

    @staticmethod
    def _told(call: Call, order: Order) -> dict[str, Any]:
        fills = [trade_row(order, fill) for fill in order.fills]
        return ok(call, {"trades": fills, "order": order_row(order, live=bool(order.live_id))})

    def _pair(self, asked: Call, desk: Desk, market: Market, first: Ticket) -> list[Ticket]:
        if asked.text("linked_order_type") != "one_cancels_other":
            raise Rejected(Reason.BAD_PARAMETER, "linked_order_type")
        asked.one_of(
            "trigger_fill_condition",
            dict.fromkeys(("first_hit", "complete_fill", "incremental")),
            "first_hit",
        )
        others = _json(asked.params.get("otoco_config"))
        if not isinstance(others, list) or len(others) != 1 or not isinstance(others[0], dict):
            raise Rejected(Reason.BAD_PARAMETER, "otoco_config")
        leg = replace(asked, body=json.dumps(others[0], default=str).encode())
        second = self._ticket(leg, desk, market, leg.one_of("direction", SIDES))
        link = str(desk.number())
        return [replace(each, link=link) for each in (first, second)]

    def _ticket(self, asked: Call, desk: Desk, market: Market, side: Side) -> Ticket:
        kind = asked.one_of("type", TYPES, "limit")
        limited = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT)
        post, time = asked.flag("post_only"), asked.one_of("time_in_force", TIMES, "good_til_cancelled")
        spot = market.product is Product.SPOT
        if len(asked.text("label", "")) > 64:
            raise Rejected(Reason.BAD_PARAMETER, "label")
        if (post and (time is not TimeInForce.GTC or not limited)) or (spot and kind.conditional):
            raise Rejected(Reason.BAD_PARAMETER, "type")
        price = asked.decimal("price") if limited else None
        if price is not None and post and not asked.flag("reject_post_only"):
            price = _resting(price, side, desk, market)
        return Ticket(
            market.symbol,
            side,
            kind,
            quantity=quantity_of(asked, market),
            price=price,
            trigger_price=asked.decimal("trigger_price") if kind.conditional else None,
            trigger_by=asked.one_of("trigger", TRIGGERS) if kind.conditional else TriggerBy.LAST,
            time_in_force=time,
            post_only=post,
            reduce_only=not spot and asked.flag("reduce_only"),
            client_id=asked.text("label", ""),
        )

    @route(f"GET {API}/private/edit", f"GET {API}/private/edit_by_label", trading=True, costs={"matching": 1})
    def edit(self, call: Call) -> Any:
        order = (
            self._labelled(call) if call.path.endswith("label") else self._named(call, call.text("order_id"))
        )
        desk, contracts = self.desks[order.market.product], call.decimal_or_none("contracts")
        named = contracts is not None or call.decimal_or_none("amount") is not None
        changed = desk.amend(
            call.account,
            order,
            quantity=quantity_of(call, order.market) if named else None,
            price=call.decimal_or_none("price"),
            trigger_price=call.decimal_or_none("trigger_price"),
        )
        changed.ticket = replace(changed.ticket, extra={**changed.ticket.extra, "replaced": True})
        return self._told(call, changed)

    def _labelled(self, call: Call) -> Order:
        """One that is open; several of a label are not told apart."""
        label, symbol = call.text("label"), call.text("instrument_name")
        found = [each for each in self._open(call) if (each.client_id, each.market.symbol) == (label, symbol)]
        if len(found) != 1:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return found[0]

    @route(f"GET {API}/private/close_position", trading=True, costs={"matching": 1})
    def close_position(self, call: Call) -> Any:
        """Everything, by an order that reduces only."""
        desk, market = self._traded(call.text("instrument_name"))
        limited = call.one_of("type", {"market": False, "limit": True})
        position = desk.book(call.account).position(market, None)
        if market.product is Product.SPOT or not position.quantity:
            raise Rejected(Reason.REDUCE_ONLY)
        ticket = Ticket(
            market.symbol,
            position.direction.exit_side,
            OrderType.LIMIT if limited else OrderType.MARKET,
            quantity=abs(position.quantity),
            price=call.decimal("price") if limited else None,
            reduce_only=True,
        )
        return self._told(call, desk.place(call.account, ticket))

    @route(f"GET {API}/private/cancel", trading=True, costs={"matching": 1})
    def cancel(self, call: Call) -> Any:
        """By the id it has now."""
        order = self._named(call, call.text("order_id"))
        if not order.open or order.id == call.text("order_id") != (order.live_id or order.id):
            raise Rejected(Reason.NOT_OPEN)
        self._ended(call.account, order)
        return ok(call, order_row(order, live=bool(order.live_id)))

    def _ended(self, account: Account, order: Order) -> None:
        """Alone: its pair goes on."""
        order.ticket = replace(order.ticket, link="")
        self.desks[order.market.product].cancel(account, order)

    @route(f"GET {API}/private/cancel_by_label", trading=True, costs={"matching": 1})
    def cancel_by_label(self, call: Call) -> Any:
        wanted = (call.text("label"), call.text("currency", ""))
        return self._all_ended(call, [each for each in self._open(call) if filed(each, *wanted)])

    @route(f"GET {API}/private/cancel_all_by_instrument", trading=True, costs={"matching": 1})
    def cancel_all_by_instrument(self, call: Call) -> Any:
        _, market = self._traded(call.text("instrument_name"))
        return self._all_ended(call, [each for each in self._open(call) if each.market is market])

    @route(f"GET {API}/private/cancel_all_by_currency", trading=True, costs={"matching": 1})
    def cancel_all_by_currency(self, call: Call) -> Any:
        currency, kind = call.text("currency"), call.text("kind", "any")
        found = [each for each in self._open(call) if currency_of(each.market) == currency]
        return self._all_ended(
            call, [each for each in found if kind in ("any", KIND_OF[each.market.product])]
        )

    @route(f"GET {API}/private/cancel_all_by_kind_or_type", trading=True, costs={"matching": 1})
    def cancel_all_by_kind(self, call: Call) -> Any:
        currency, kind = call.text("currency", "any"), call.text("kind", "any")
        found = [each for each in self._open(call) if currency in ("any", currency_of(each.market))]
        found = [each for each in found if kind in ("any", KIND_OF[each.market.product])]
        word = call.text("type", "all")
        if word not in ("all", "limit", "trigger_all", "stop", "take"):
            raise Rejected(Reason.BAD_PARAMETER, "type")
        waits = {"limit": (False,), "all": (False, True)}.get(word, (True,))
        return self._all_ended(call, [e for e in found if e.waiting in waits and _named_so(e, word)])

    @route(f"GET {API}/private/cancel_all", trading=True, costs={"matching": 1})
    def cancel_all(self, call: Call) -> Any:
        return self._all_ended(call, self._open(call))

    def _all_ended(self, call: Call, orders: list[Order]) -> dict[str, Any]:
        for order in orders:
            self._ended(call.account, order)
        return ok(call, len(orders))


def _rules(maker: str, taker: str) -> Rules:
    return Rules(
        maker_fee=D(maker),
        taker_fee=D(taker),
        buy_fee_in_base=False,
        wallet=WALLET,
        client_ids=ClientIds.REUSABLE,
        refuses_unfillable=False,
        new_id_on_trigger=True,
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: f"USDC-{number}",
        default_leverage=D(50),
        remembers_seconds=1800,
        max_waiting_orders=20,
    )


class DeribitSpot(_Deribit):
    name, product = "Deribit", Product.SPOT
    markets = tuple(
        Market(f"{base}_{quote}", base, quote, Product.SPOT, D(tick), D(size), D(size))
        for quote in ("USDC", "USDT")
        for base, _, _, tick, size in COINS
        if quote == "USDC" or base in CURRENCIES
    )
    rules = _rules("0", "0")


class DeribitFutures(_Deribit):
    name, product = "Deribit_F", Product.LINEAR
    markets = tuple(
        Market(
            f"{base}_USDC-PERPETUAL",
            base,
            "USDC",
            Product.LINEAR,
            D(tick),
            D(size),
            D(size),
            max_leverage=D(50),
        )
        for base, tick, size, _, _ in COINS
    )
    rules = _rules("0", "0.0005")


class DeribitInverse(_Deribit):
    name, product = "Deribit_C", Product.INVERSE
    markets = tuple(
        Market(
            f"{base}-PERPETUAL",
            base,
            "USD",
            Product.INVERSE,
            D(tick),
            D(1),
            D(1),
            contract_size=D(size),
            max_leverage=D(50),
        )
        for base, tick, size in (("BTC", "0.5", 10), ("ETH", "0.05", 1))
    )
    rules = replace(DeribitFutures.rules, order_id=lambda number: f"BTC-{number}")


def _json(value: Any) -> Any:
    """A list or an object in a query is JSON."""
    try:
        return json.loads(value, parse_float=Decimal) if isinstance(value, str) else value
    except ValueError:
        return None


def _resting(price: Decimal, side: Side, desk: Desk, market: Market) -> Decimal:
    """Where a post-only order is put that may be moved: just beside the spread."""
    if side is Side.BUY:
        return min(price, desk.ask(market) - market.tick)
    return max(price, desk.bid(market) + market.tick)


def _named_so(order: Order, word: str) -> bool:
    return word not in ("stop", "take") or TYPE_OF[order.ticket.type].startswith(word)
