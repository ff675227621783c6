"""HTX perpetuals (API v5) as their clients see them: whole contracts, a margin mode on every order, placing only
acknowledges, and what waits for a trigger is an algo order of the kind `sl`, `tp` or `trigger` that names the plain
order it becomes. Documented at https://www.htx.com/en-us/opend/newApiPages/. What the older API says of the same
orders is in `htx_older.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Route, route
from exchanges.sandbox.dialects.htx_frame import MEMORY_SECONDS, SIDES, after, algo_state, kind_of
from exchanges.sandbox.dialects.htx_futures_account import MODES, HTXFuturesAccount
from exchanges.sandbox.dialects.htx_futures_answers import (
    FLAGS,
    MARKETS,
    POSITION_SIDES,
    POSITION_WORDS,
    REFUSALS,
    TRIGGERS,
    batch_row,
    is_algo,
    name_of,
    plain_number,
)
from exchanges.sandbox.dialects.htx_older import HTXOlder
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import ZERO, ClientIds, Fill, Order, Reason, Rejected, Rules, Ticket, text
from exchanges.sandbox.wire import Call, encode
from exchanges.types import OrderStatus, OrderType, Product, Side, TimeInForce

D = Decimal
LARGEST_BATCH = 10
TIMES = {time.value: time for time in TimeInForce}
IS_LIMIT = {"market": False, "limit": True, "post_only": True}
KINDS = {name: name for name in ("sl", "tp", "trigger")}
#: that may be asked for; of the last two none is simulated
LISTED_KINDS = KINDS | {name: name for name in ("tpsl", "trailing_stop")}


class HTXFutures(HTXOlder, HTXFuturesAccount):
    name, product, markets = "HTX_F", Product.LINEAR, MARKETS
    signed_host = "api.hbdm.vn"
    told = ("ratelimit-remaining", "ratelimit-reset")
    limits = (
        Limit("trade", "trade", 72, 3),
        Limit("reads", "reads", 72, 3),
        Limit("account", "account", 144, 3),
        Limit("public", "public", 120, 3, Owner.ADDRESS),
    )
    default_costs = {"reads": 1}
    rules = Rules(
        maker_fee=D("0.0002"),
        taker_fee=D("0.0006"),
        wallet="linear",
        client_ids=ClientIds.FOREVER,
        refuses_crossed_triggers=False,
        conditional_reduce_needs_position=True,
        new_id_on_trigger=True,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(1_512_501_029_500_000_000 + number),
        default_leverage=D(5),
    )

    # -- plain orders ----------------------------------------------------------------------------------

    @route("POST /v5/trade/order", trading=True, costs={"trade": 1})
    def place(self, call: Call) -> Any:
        kind, side = call.text("type"), call.one_of("side", SIDES)
        limit = call.one_of("type", IS_LIMIT)
        hedged = call.one_of("position_side", POSITION_SIDES, "both")
        ticket = Ticket(
            call.text("contract_code"),
            side,
            kind_of(side, limit=limit, rises=None),
            quantity=call.decimal("volume"),
            price=call.decimal("price") if limit else None,
            time_in_force=call.one_of("time_in_force", TIMES, "gtc"),
            post_only=kind == "post_only",
            reduce_only=call.one_of("reduce_only", FLAGS, "0") and hedged is None,
            position_side=hedged,
            client_id=call.text("client_order_id", ""),
            extra={"type": kind},
        )
        ticket = replace(ticket, attached=tuple(self.attached(call, ticket)))
        self._take_mode(call, ticket)
        return self._answer(call, name_of(self.desk.place(call.account, ticket)))

    @route("POST /v5/trade/batch_orders", trading=True)
    def place_batch(self, call: Call) -> Any:
        orders = call.params.get("")
        if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "orders")
        told = self.each(call, orders, "/v5/trade/order", self.place)
        return self._answer(call, [batch_row(*each) for each in zip(orders, told, strict=True)])

    def costs(self, route: Route, call: Call) -> Mapping[str, int]:
        orders = call.params.get("")
        if route.handler == "place_batch" and isinstance(orders, list):
            return {"trade": len(orders)}
        return super().costs(route, call)

    def _take_mode(self, call: Call, ticket: Ticket) -> None:
        self.take_mode(call.account, ticket, call.one_of("margin_mode", MODES))

    def _plain(self, call: Call) -> Order | None:
        """By the number it has among plain orders, or by the client id of one that never waited."""
        order_id = call.text("order_id", "")
        client_id = call.text("client_order_id", "")
        found = self.desk.order(call.account, order_id=order_id, client_id=client_id)
        if found is None or (is_algo(found) and found.live_id != order_id):
            return None
        return found if order_id or self.desk.remembers(found, MEMORY_SECONDS) else None

    @route("GET /v5/trade/order")
    def order(self, call: Call) -> Any:
        call.text("contract_code")
        if (found := self._plain(call)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return self._answer(call, self._row(call.account, found))

    @route("GET /v5/trade/order/opens")
    def open_orders(self, call: Call) -> Any:
        found = [each for each in self.open_of(call, "contract_code") if not each.waiting]
        rows = [self._row(call.account, order) for order in found]
        return self._answer(call, after(rows, call.text("from", ""), call.integer("limit", 20)))

    @route("GET /v5/trade/order/history")
    def order_history(self, call: Call) -> Any:
        """Those that ended, by the time at which they were made."""
        found = self.made_between(call, "start_time", "end_time")
        rows = [self._row(call.account, order) for order in found if not order.open]
        wanted = {name: call.text(name) for name in ("contract_code", "margin_mode")}
        states = call.text("states", "").split(",")
        told = [
            row
            for row in rows
            if (states == [""] or row["state"] in states) and wanted.items() <= row.items()
        ]
        return self._answer(call, after(told, call.text("from", ""), call.integer("limit", 20)))

    @route("POST /v5/trade/cancel_order", trading=True, costs={"trade": 1})
    def cancel(self, call: Call) -> Any:
        return self._answer(call, name_of(self.desk.cancel(call.account, self._plain(call))))

    @route("POST /v5/trade/position", trading=True, costs={"trade": 1})
    def close_position(self, call: Call) -> Any:
        """All of it, at market."""
        market, side = self.desk.market(call.text("contract_code")), call.text("position_side", "")
        held = [each for each in self.desk.book(call.account).open_positions() if each.market is market]
        held = [each for each in held if side in ("", POSITION_WORDS[each.side])]
        if not held:
            raise Rejected(Reason.REDUCE_ONLY)
        ticket = Ticket(
            market.symbol,
            held[0].direction.exit_side,
            OrderType.MARKET,
            quantity=abs(held[0].quantity),
            reduce_only=held[0].side is None,
            position_side=held[0].side,
            client_id=call.text("client_order_id", ""),
            extra={"type": "market"},
        )
        return self._answer(call, name_of(self.desk.place(call.account, ticket)))

    @route("POST /v5/trade/cancel_batch_orders", trading=True, costs={"trade": 1})
    def cancel_batch(self, call: Call) -> Any:
        rows = []
        for name, each in ((n, e) for n in ("order_id", "client_order_id") for e in _ids(call, n)):
            found = self._plain(replace(call, body=encode({name: each})))
            if found is None or not found.open:
                code, words = REFUSALS[Reason.NOT_OPEN]
                rows.append(
                    {"order_id": "", "client_order_id": "", name: each, "code": code, "message": words}
                )
            else:
                done = {"code": 200, "message": "Success"}
                rows.append(name_of(self.desk.cancel(call.account, found)) | done)
        return self._answer(call, rows)

    @route("GET /v5/trade/order/details")
    def trades(self, call: Call) -> Any:
        """Newest first, of the symbol and the order that may be named."""
        symbol, order_id = call.text("contract_code", ""), call.text("order_id", "")
        since, until = call.integer("start_time", 0), call.integer("end_time", call.now_ms)
        book = self.desk.book(call.account)
        rows = [
            self._trade_row(call.account, order, fill)
            for fill in reversed(book.fills)
            if symbol in ("", fill.symbol)
            and since <= fill.time_ms <= until
            and (order := self.desk.order(call.account, order_id=fill.order_id)) is not None
            and order_id in ("", plain_number(order))
        ]
        return self._answer(call, after(rows, call.text("from", ""), call.integer("limit", 100)))

    def _trade_row(self, account: Account, order: Order, fill: Fill) -> dict[str, Any]:
        return {
            "id": str(fill.id),
            "contract_code": fill.symbol,
            "order_id": plain_number(order),
            "trade_id": str(fill.id),
            "side": fill.side.value,
            "position_side": POSITION_WORDS[fill.position_side],
            "order_type": "1",
            "margin_mode": str(self.desk.margin_mode(account, order.market)),
            "type": order.ticket.extra["type"],
            "role": "MAKER" if fill.maker else "TAKER",
            "trade_price": text(fill.price),
            "trade_volume": text(fill.quantity),
            "trade_turnover": text(order.market.value(fill.quantity, fill.price)),
            **dict.fromkeys(("created_time", "updated_time"), str(fill.time_ms)),
            "order_source": "api",
            "fee_currency": fill.fee_asset,
            "trade_fee": text(fill.fee),
            "deduction_price": "",
            "profit": text(fill.realised),
            "contract_type": "swap",
        }

    @route("POST /v5/trade/cancel_all_orders", trading=True, costs={"trade": 1})
    def cancel_all(self, call: Call) -> Any:
        ended = [each for each in self.open_of(call, "contract_code") if not each.waiting]
        for order in ended:
            self.desk.cancel(call.account, order)
        done = {"code": 200, "message": "Success"}
        return self._answer(call, [name_of(order) | done for order in ended])

    def _row(self, account: Account, order: Order) -> dict[str, Any]:
        fees = order.fees()
        state = "partially_canceled" if order.filled else "canceled"
        if order.open:
            state = "partially_filled" if order.filled else "new"
        elif order.status is OrderStatus.FILLED:
            state = "filled"
        return {
            "id": plain_number(order),
            "side": order.side.value,
            "type": order.ticket.extra["type"],
            "price": text(order.price),
            "volume": text(order.quantity),
            "state": state,
            "contract_code": order.market.symbol,
            "position_side": POSITION_WORDS[order.ticket.position_side],
            **name_of(order),
            "margin_mode": str(self.desk.margin_mode(account, order.market)),
            "lever_rate": int(self.desk.leverage(account, order.market)),
            "order_source": "api",
            "reduce_only": order.ticket.reduce_only,
            "time_in_force": order.ticket.time_in_force.value,
            "trade_avg_price": text(order.average_price),
            "trade_volume": text(order.filled),
            "trade_turnover": text(order.quote_filled),
            "fee_currency": next(iter(fees), ""),
            "fee": text(sum(fees.values(), ZERO)),
            "contract_type": "swap",
            "created_time": str(order.created_ms),
            "updated_time": str(order.updated_ms),
            "cancel_reason": None,
        }

    # -- algo orders -----------------------------------------------------------------------------------

    @route("POST /v5/algo/order", trading=True, costs={"trade": 1})
    def place_algo(self, call: Call) -> Any:
        ticket = self._algo_ticket(call)
        self._take_mode(call, ticket)
        order = self.desk.place(call.account, ticket)
        named = {"algo_id": order.id, "algo_client_order_id": order.client_id or None}
        return self._answer(call, [named])

    def _algo_ticket(self, call: Call) -> Ticket:
        """`sl` and `tp` close; a `trigger` order opens, and its trigger lies where the price is not."""
        market, side = self.desk.market(call.text("contract_code")), call.one_of("side", SIDES)
        kind = call.one_of("type", KINDS)
        closes, name = kind != "trigger", "" if kind == "trigger" else f"{kind}_"
        trigger = call.decimal(f"{name}trigger_price")
        price = call.decimal_or_none(f"{name}order_price" if closes else "price") or None
        rises = (kind == "sl") == (side is Side.BUY) if closes else trigger > self.desk.bid(market)
        return Ticket(
            market.symbol,
            side,
            kind_of(side, limit=price is not None, rises=rises),
            quantity=call.decimal("volume"),
            price=price,
            trigger_price=trigger,
            trigger_by=call.one_of(f"{name}trigger_price_type", TRIGGERS, "last"),
            rises=rises,
            reduce_only=closes,
            position_side=call.one_of("position_side", POSITION_SIDES, "both"),
            client_id=call.text("algo_client_order_id", ""),
            extra={"algo": kind, "type": "market" if price is None else "limit"},
        )

    @route("GET /v5/algo/order")
    def algo(self, call: Call) -> Any:
        """Its kind is a part of the question."""
        kind, found = call.one_of("type", KINDS), self._algo(call.account, call.params)
        known = found is not None and found.ticket.extra["algo"] == kind
        return self._answer(call, [self._algo_row(call.account, found)] if found and known else [])

    def _algo(self, account: Account, named: Any) -> Order | None:
        order_id, client_id = (str(named.get(n) or "") for n in ("algo_id", "algo_client_order_id"))
        found = self.desk.order(account, order_id=order_id, client_id=client_id)
        return found if found and is_algo(found) and order_id in ("", found.id) else None

    @route("GET /v5/algo/order/opens")
    def algos(self, call: Call) -> Any:
        found = [each for each in self.open_of(call, "contract_code") if each.waiting]
        return self._answer(call, self._algo_page(call, found))

    @route("GET /v5/algo/order/history")
    def algo_history(self, call: Call) -> Any:
        symbol, known = call.text("contract_code", ""), self.desk.book(call.account).orders.values()
        ended = [each for each in reversed(known) if is_algo(each) and not each.waiting]
        found = [each for each in ended if symbol in ("", each.market.symbol)]
        return self._answer(call, self._algo_page(call, found))

    def _algo_page(self, call: Call, found: list[Order]) -> list[dict[str, Any]]:
        kind = call.one_of("type", LISTED_KINDS)
        rows = [self._algo_row(call.account, each) for each in found if each.ticket.extra["algo"] == kind]
        return after(rows, call.text("from", ""), call.integer("limit", 20))

    @route("POST /v5/algo/cancel_orders", trading=True, costs={"trade": 1})
    def cancel_algos(self, call: Call) -> Any:
        """A list of names; each is answered for itself."""
        return self._answer(call, [self._cancelled(call, named) for named in call.params[""]])

    def _cancelled(self, call: Call, named: dict[str, Any]) -> dict[str, Any]:
        found = self._algo(call.account, named)
        if found is None or not (found.open and found.waiting):
            code, words = REFUSALS[Reason.NOT_OPEN]
            return {"algo_id": named.get("algo_id"), "code": code, "message": words}
        self.desk.cancel(call.account, found)
        told = {"algo_id": found.id, "algo_client_order_id": found.client_id}
        return told | {"code": 200, "message": "Success"}

    def _algo_row(self, account: Account, order: Order) -> dict[str, Any]:
        ticket, kind = order.ticket, order.ticket.extra["algo"]
        trigger, by = text(order.trigger_price), ticket.trigger_by.value
        told: dict[str, Any] = {"trigger_price": trigger, "trigger_price_type": by, "reduce_only": False}
        told |= {"price": text(order.price)} if order.price else {"price_type": "optimal_20"}
        if kind != "trigger":
            shown = {"trigger_price": trigger, "order_price": text(order.price), "type": ticket.extra["type"]}
            told = {f"{kind}_{name}": v for name, v in (shown | {"trigger_price_type": by}).items()}
        return {
            "id": order.id,
            "volume": text(order.quantity),
            "type": kind,
            "state": algo_state(order, ("active", "effective", "canceled", "failed")),
            "side": order.side.value,
            "algo_id": order.id,
            "algo_client_order_id": order.client_id or None,
            "contract_code": order.market.symbol,
            "position_side": POSITION_WORDS[ticket.position_side],
            "margin_mode": str(self.desk.margin_mode(account, order.market)),
            "relation_order_id": order.live_id or "-1",
            "created_time": str(order.created_ms),
            "updated_time": str(order.updated_ms),
            "order_source": "api",
            **told,
        }


def _ids(call: Call, name: str) -> list[str]:
    told = call.params.get(name) or []
    return [str(each) for each in told] if isinstance(told, list) else str(told).split(",")
