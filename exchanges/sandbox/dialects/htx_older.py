"""HTX perpetuals as clients older than its API v5 see them: the margin mode in the address, questions asked with POST,
order ids and states in numbers, and the envelope of the older API.

Documented at https://huobiapi.github.io/docs/usdt_swap/v1/en/ (read 2026-11-23 in ccxt 4.4.100, whose comments quote the
answers). The same orders and positions as over v5; trailing orders and unified accounts are not simulated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.htx_frame import SIDES, kind_of
from exchanges.sandbox.dialects.htx_futures_answers import FLAGS, TRIGGERS, plain_number
from exchanges.sandbox.dialects.htx_older_account import HTXOlderAccount, both, mode_of
from exchanges.sandbox.dialects.htx_older_answers import (
    algo_kind,
    contract_words,
    name_of,
    ok,
    state_number,
    waits_as,
)
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.model import ZERO, Fill, Order, Reason, Rejected, Ticket
from exchanges.sandbox.wire import Call
from exchanges.types import Direction, OrderStatus, PositionMode, Side, TimeInForce

HISTORY = "/linear-swap-api/v3/swap"
LARGEST_BATCH = 10
#: limit or not, time in force, post-only
PRICE_TYPES = {
    "limit": (True, TimeInForce.GTC, False),
    "post_only": (True, TimeInForce.GTC, True),
    "ioc": (True, TimeInForce.IOC, False),
    "fok": (True, TimeInForce.FOK, False),
    **dict.fromkeys(
        ("market", "opponent", "lightning", "optimal_5", "optimal_10", "optimal_20"),
        (False, TimeInForce.GTC, False),
    ),
}
OFFSETS = {"open": False, "close": True}
RISES = {"ge": True, "le": False}


class HTXOlder(HTXOlderAccount):
    """What HTX_F speaks beside v5."""

    # -- placing ---------------------------------------------------------------------------------------

    @route(*both("POST", "order"), trading=True, costs={"trade": 1})
    def older_place(self, call: Call) -> Any:
        limit, time, post_only = call.one_of("order_price_type", PRICE_TYPES, "limit")
        ticket = Ticket(
            self.desk.market(call.text("contract_code")).symbol,
            call.one_of("direction", SIDES),
            kind_of(call.one_of("direction", SIDES), limit=limit, rises=None),
            quantity=call.decimal("volume"),
            price=call.decimal("price") if limit else None,
            time_in_force=time,
            post_only=post_only,
            client_id=call.text("client_order_id", ""),
            extra={"type": call.text("order_price_type", "limit")},
            **self._aimed(call),
        )
        ticket = replace(ticket, attached=tuple(self.attached(call, ticket)))
        return self._placed(call, ticket)

    @route(*both("POST", "batchorder"), trading=True, costs={"trade": 1})
    def older_place_batch(self, call: Call) -> Any:
        orders = call.params.get("orders_data")
        if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "orders_data")
        told = self.each(call, orders, call.path.replace("batchorder", "order"), self.older_place)
        rows: dict[str, list[Any]] = {"errors": [], "success": []}
        for place, answer in enumerate(told, 1):
            if answer["status"] == "ok":
                rows["success"].append(answer["data"] | {"index": place})
            else:
                rows["errors"].append({"index": place, **{n: answer[n] for n in ("err_code", "err_msg")}})
        return ok(call, rows)

    def _placed(self, call: Call, ticket: Ticket) -> Any:
        self._lever(call)
        self.take_mode(call.account, ticket, mode_of(call))
        return ok(call, name_of(self.desk.place(call.account, ticket)))

    def _aimed(self, call: Call) -> dict[str, Any]:
        """In one-way mode an order names no position; in hedge mode it opens or closes one."""
        hedged = self.desk.book(call.account).position_mode is PositionMode.HEDGE
        offset, side = call.text("offset", "both"), call.one_of("direction", SIDES)
        if hedged != (offset != "both"):
            raise Rejected(Reason.POSITION_MODE, "offset")
        if not hedged:
            return {"reduce_only": call.one_of("reduce_only", FLAGS, "0")}
        opens = side.opposite if call.one_of("offset", OFFSETS) else side
        return {"position_side": Direction.LONG if opens is Side.BUY else Direction.SHORT}

    def attached(self, call: Call, entry: Ticket) -> Iterator[Ticket]:
        """Its stop and its target: algo orders from the first fill on, of which the first that fires ends the other."""
        link = f"attached {self.desk.number()}"
        for kind in ("sl", "tp"):
            if call.decimal_or_none(f"{kind}_trigger_price"):
                yield self._closing(call, entry, kind, link)

    def _closing(self, call: Call, entry: Ticket, kind: str, link: str) -> Ticket:
        price, side = call.decimal_or_none(f"{kind}_order_price") or None, entry.side.opposite
        rises = (kind == "sl") == (side is Side.BUY)
        return Ticket(
            entry.symbol,
            side,
            kind_of(side, limit=price is not None, rises=rises),
            quantity=entry.quantity,
            price=price,
            trigger_price=call.decimal(f"{kind}_trigger_price"),
            trigger_by=call.one_of(f"{kind}_trigger_price_type", TRIGGERS, "last"),
            rises=rises,
            reduce_only=True,
            position_side=entry.position_side,
            link=link,
            extra={"algo": kind, "type": "market" if price is None else "limit"},
        )

    @route(*both("POST", "trigger_order"), trading=True, costs={"trade": 1})
    def older_trigger(self, call: Call) -> Any:
        rises, side = call.one_of("trigger_type", RISES), call.one_of("direction", SIDES)
        limit, _, _ = call.one_of("order_price_type", PRICE_TYPES, "limit")
        price = (call.decimal_or_none("order_price") or None) if limit else None
        ticket = Ticket(
            self.desk.market(call.text("contract_code")).symbol,
            side,
            kind_of(side, limit=price is not None, rises=rises),
            quantity=call.decimal("volume"),
            price=price,
            trigger_price=call.decimal("trigger_price"),
            rises=rises,
            extra={"algo": "trigger", "type": "market" if price is None else "limit"},
            **self._aimed(call),
        )
        return self._placed(call, ticket)

    @route(*both("POST", "tpsl_order"), trading=True, costs={"trade": 1})
    def older_tpsl(self, call: Call) -> Any:
        """Of a position there is; `direction` is that of the order that closes it."""
        side = call.one_of("direction", SIDES)
        hedged = self.desk.book(call.account).position_mode is PositionMode.HEDGE
        held = Direction.LONG if side is Side.SELL else Direction.SHORT
        entry = Ticket(
            self.desk.market(call.text("contract_code")).symbol,
            side.opposite,
            kind_of(side, limit=False, rises=None),
            quantity=call.decimal("volume"),
            position_side=held if hedged else None,
        )
        tickets = list(self.attached(call, entry))
        if not tickets:
            raise Rejected(Reason.MISSING_PARAMETER, "tp_trigger_price")
        for each in tickets:
            self.take_mode(call.account, each, mode_of(call))
        orders = self.desk.place_linked(call.account, tickets)
        told = {f"{each.ticket.extra['algo']}_order": name_of(each) for each in orders}
        return ok(call, {"tp_order": None, "sl_order": None} | told)

    @route(*both("POST", "lightning_close_position"), trading=True, costs={"trade": 1})
    def older_close(self, call: Call) -> Any:
        """So much of a position, at market."""
        market, side = self.desk.market(call.text("contract_code")), call.one_of("direction", SIDES)
        for position in self.desk.book(call.account).open_positions():
            if position.market is market and position.direction.exit_side is side:
                ticket = Ticket(
                    market.symbol,
                    side,
                    kind_of(side, limit=False, rises=None),
                    quantity=call.decimal_or_none("volume") or abs(position.quantity),
                    reduce_only=position.side is None,
                    position_side=position.side,
                    client_id=call.text("client_order_id", ""),
                    extra={"type": "lightning"},
                )
                return ok(call, name_of(self.desk.place(call.account, ticket)))
        raise Rejected(Reason.REDUCE_ONLY)

    # -- cancelling ------------------------------------------------------------------------------------

    @route(*both("POST", "cancel"), trading=True, costs={"trade": 1})
    def older_cancel(self, call: Call) -> Any:
        return self._ended(call, lambda order: not order.waiting)

    @route(*both("POST", "trigger_cancel"), *both("POST", "tpsl_cancel"), trading=True, costs={"trade": 1})
    def older_cancel_algo(self, call: Call) -> Any:
        return self._ended(call, lambda order: order.waiting)

    def _ended(self, call: Call, fits: Any) -> Any:
        """Which went and which did not."""
        done, errors = list[str](), list[dict[str, Any]]()
        for name, each in _ids(call):
            order = self.desk.order(call.account, **{name: each})
            if order is None or not order.open or not fits(order):
                errors.append({"order_id": each, "err_code": 1061, "err_msg": "The order does not exist."})
                continue
            self.desk.cancel(call.account, order)
            done.append(each)
        return ok(call, {"errors": errors, "successes": ",".join(done)})

    @route(*both("POST", "cancelall"), trading=True, costs={"trade": 1})
    def older_cancel_all(self, call: Call) -> Any:
        return self._all_cancelled(call, ("",))

    @route(*both("POST", "trigger_cancelall"), trading=True, costs={"trade": 1})
    def older_cancel_all_triggers(self, call: Call) -> Any:
        return self._all_cancelled(call, ("trigger",))

    @route(*both("POST", "tpsl_cancelall"), trading=True, costs={"trade": 1})
    def older_cancel_all_tpsl(self, call: Call) -> Any:
        return self._all_cancelled(call, ("sl", "tp"))

    def _all_cancelled(self, call: Call, kinds: tuple[str, ...]) -> Any:
        orders = [each for each in self.open_of(call, "contract_code") if waits_as(each) in kinds]
        for order in orders:
            if order.open:
                self.desk.cancel(call.account, order)
        return ok(call, {"errors": [], "successes": ",".join(plain_number(each) for each in orders)})

    # -- asking ----------------------------------------------------------------------------------------

    @route(*both("POST", "order_info"))
    def older_order(self, call: Call) -> Any:
        found = [self.desk.order(call.account, **{name: each}) for name, each in _ids(call)]
        known = [each for each in found if each is not None and not each.waiting]
        if not known:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok(call, [self._order(call.account, each) for each in known])

    @route(*both("POST", "openorders"))
    def older_open(self, call: Call) -> Any:
        found = [each for each in self.open_of(call, "contract_code") if not each.waiting]
        return ok(call, _page(call, "orders", [self._order(call.account, each) for each in found]))

    @route(*both("POST", "trigger_openorders"))
    def older_open_triggers(self, call: Call) -> Any:
        found = [each for each in self.open_of(call, "contract_code") if waits_as(each) == "trigger"]
        return ok(call, _page(call, "orders", [self._algo_told(call.account, each) for each in found]))

    @route(*both("POST", "tpsl_openorders"))
    def older_open_tpsl(self, call: Call) -> Any:
        found = [each for each in self.open_of(call, "contract_code") if waits_as(each) in ("sl", "tp")]
        return ok(call, _page(call, "orders", [self._algo_told(call.account, each) for each in found]))

    @route(*both("POST", "hisorders", HISTORY))
    def older_history(self, call: Call) -> Any:
        """Those that ended, newest first; of states that may be named in numbers."""
        symbol, states = call.text("contract", ""), call.text("status", "0").split(",")
        known = reversed(self.desk.book(call.account).orders.values())
        ended = [each for each in known if not each.open and (each.live_id or not algo_kind(each))]
        rows = [self._order(call.account, each) for each in ended if symbol in ("", each.market.symbol)]
        found = [row for row in rows if states == ["0"] or str(row["status"]) in states]
        return {"code": 200, "msg": "ok", "data": found[:50], "ts": call.now_ms}

    @route(*both("POST", "matchresults", HISTORY), *both("POST", "matchresults_exact", HISTORY))
    def older_trades(self, call: Call) -> Any:
        symbol, book = call.text("contract", ""), self.desk.book(call.account)
        found = [each for each in reversed(book.fills) if symbol in ("", each.symbol)]
        rows = [
            self._trade(call.account, order, fill)
            for fill in found[:50]
            if (order := self.desk.order(call.account, order_id=fill.order_id)) is not None
        ]
        data: Any = {"trades": rows, "remain_size": 0, "next_id": None} if "exact" in call.path else rows
        return {"code": 200, "msg": "ok", "data": data, "ts": call.now_ms}

    # -- how things are written ------------------------------------------------------------------------

    def _order(self, account: Account, order: Order) -> dict[str, Any]:
        return {
            **contract_words(order.market),
            **name_of(order),
            **self._directed(account, order),
            "price": order.price or ZERO,
            "order_price_type": order.ticket.extra["type"],
            **dict.fromkeys(("created_at", "create_date"), order.created_ms),
            "update_time": order.updated_ms,
            "canceled_at": 0 if order.open or order.status is OrderStatus.FILLED else order.updated_ms,
            "trade_volume": order.filled,
            "trade_turnover": order.quote_filled,
            "trade_avg_price": order.average_price,
            "fee": -sum(order.fees().values(), ZERO),
            "fee_asset": order.market.quote,
            "profit": sum((fill.realised for fill in order.fills), ZERO),
            "margin_frozen": ZERO,
            "status": state_number(order),
            "query_id": order.sequence,
            "is_tpsl": int(algo_kind(order) in ("sl", "tp")),
        }

    def _algo_told(self, account: Account, order: Order) -> dict[str, Any]:
        kind = algo_kind(order)
        return {
            **contract_words(order.market),
            **name_of(order),
            **self._directed(account, order),
            "trigger_type": "ge" if order.ticket.trigger_rises else "le",
            "trigger_price": order.trigger_price,
            "order_price": order.price or ZERO,
            "order_price_type": order.ticket.extra["type"],
            "created_at": order.created_ms,
            "status": 2,
            **({} if kind == "trigger" else {"tpsl_order_type": kind, "relation_tpsl_order_id": "-1"}),
        }

    def _directed(self, account: Account, order: Order) -> dict[str, Any]:
        ticket = order.ticket
        offset = "both" if ticket.position_side is None else "close" if ticket.exits else "open"
        return {
            "direction": order.side.value,
            "offset": offset,
            "volume": order.quantity,
            "lever_rate": int(self.desk.leverage(account, order.market)),
            "order_source": "api",
            "order_type": 1,
            "reduce_only": int(ticket.reduces),
            **self._margins(account, order.market),
        }

    def _trade(self, account: Account, order: Order, fill: Fill) -> dict[str, Any]:
        return {
            **contract_words(order.market),
            **name_of(order),
            **self._directed(account, order),
            "id": f"{fill.id}-{plain_number(order)}-1",
            **dict.fromkeys(("query_id", "match_id"), fill.id),
            "trade_volume": fill.quantity,
            "trade_price": fill.price,
            "trade_turnover": order.market.value(fill.quantity, fill.price),
            "trade_fee": -fill.fee,
            "fee_asset": fill.fee_asset,
            "role": "Maker" if fill.maker else "Taker",
            **dict.fromkeys(("offset_profitloss", "real_profit"), fill.realised),
            **dict.fromkeys(("create_date", "created_at"), fill.time_ms),
        }


def _ids(call: Call) -> list[tuple[str, str]]:
    """Orders named by the exchange or by the client, several with commas between them."""
    ids = [("order_id", each) for each in call.text("order_id", "").split(",") if each]
    return ids + [("client_id", each) for each in call.text("client_order_id", "").split(",") if each]


def _page(call: Call, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    number, size = call.integer("page_index", 1), call.integer("page_size", 20)
    found = rows[(number - 1) * size : number * size]
    pages = max(-(-len(rows) // size), 1)
    return {name: found, "total_page": pages, "current_page": number, "total_size": len(rows)}
