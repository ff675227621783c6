"""Kraken spot: form bodies signed with a rising nonce, HTTP 200 and a list of errors for every refusal.

Sources (read 2026-11-22 in stored copies of May to September 2026): docs.kraken.com (Spot REST: AddOrder,
AddOrderBatch, CancelOrder, QueryOrders, OpenOrders, ClosedOrders; guides: rate limits, clordid). The words for a
repeated `cl_ord_id` are not documented. The engine counter is per pair there, per key here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.admission import check_amended
from exchanges.sandbox.dialect import Route, route
from exchanges.sandbox.dialects.kraken_account import KrakenAccount
from exchanges.sandbox.dialects.kraken_answers import (
    MARKETS,
    TYPES,
    done,
    order_row,
    sentence,
    trade_row,
    transaction_id,
)
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Limit
from exchanges.sandbox.model import ZERO, AttachWhen, Order, Reason, Rejected, Rules, Ticket, text
from exchanges.sandbox.wire import Call, encode
from exchanges.types import OrderStatus, OrderType, Product, Side, TimeInForce, TriggerBy

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
FORCES = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
TRIGGERS = {"last": TriggerBy.LAST, "index": TriggerBy.INDEX}
BATCH_SIZES = range(2, 16)
#: what a cancel costs by the age of its order in seconds; nothing from the last on
CANCEL_COSTS = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))
_CLIENT_ID = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}|[ -~]{1,18}", re.IGNORECASE
)


class Kraken(KrakenAccount):
    name, product, markets = "Kraken", Product.SPOT, MARKETS
    rules = Rules(
        maker_fee=Decimal("0.0025"),
        taker_fee=Decimal("0.004"),
        buy_fee_in_base=False,
        wallet="spot",
        refuses_crossed_triggers=False,
        refuses_unfillable=False,
        unfilled=OrderStatus.CANCELLED,
        cancels_instead=frozenset({Reason.POST_ONLY}),
        order_id=lambda number: transaction_id("O", number),
        max_open_orders=80,
    )
    limits = (
        Limit("rest", "rest", 20, decay_per_second="0.5"),
        Limit("engine", "engine", 125, decay_per_second="2.34"),
    )
    default_costs = {"rest": 1}

    def costs(self, route: Route, call: Call) -> Mapping[str, int]:
        if route.handler == "add_batch":
            orders = call.params.get("orders")
            return {"engine": len(orders) if isinstance(orders, list) else 1}
        account = self.account(self.key_of(call))
        if route.handler != "cancel" or account is None or (order := self._named(call, account)) is None:
            return super().costs(route, call)
        age = (call.now_ms - order.created_ms) // 1000
        return {"engine": next((cost for seconds, cost in CANCEL_COSTS if age < seconds), 0)}

    # -- orders ------------------------------------------------------------------------------------------

    @route("POST /0/private/AddOrder", trading=True, costs={"engine": 1})
    def add(self, call: Call) -> Any:
        ticket = self._ticket(call)
        market = self.desk.market(ticket.symbol)
        if call.flag("validate"):
            self.desk.check(call.account, ticket)
            return done({"descr": {"order": sentence(ticket, market)}})
        order = self.desk.place(call.account, ticket)
        return done({"descr": {"order": sentence(ticket, market)}, "txid": [order.id]})

    @route("POST /0/private/AddOrderBatch", trading=True)
    def add_batch(self, call: Call) -> Any:
        """Valid or not is decided for the whole batch; what an order lacks the money for is its own matter."""
        orders = call.params.get("orders")
        if not isinstance(orders, list) or len(orders) not in BATCH_SIZES:
            raise Rejected(Reason.BAD_PARAMETER, "orders")
        paired = [{**each, "pair": call.text("pair")} for each in orders]
        for answer in self.each(call, paired, "/0/private/AddOrder", self._check_valid):
            if answer["error"]:
                return answer
        told = self.each(call, paired, "/0/private/AddOrder", self.add)
        return done({"orders": [_in_batch(answer) for answer in told]})

    def _check_valid(self, call: Call) -> Any:
        try:
            self.desk.check(call.account, self._ticket(call))
        except Rejected as refused:
            if refused.reason is not Reason.INSUFFICIENT:
                raise
        return done({})

    def _ticket(self, call: Call) -> Ticket:
        kind = call.one_of("ordertype", TYPES)
        flags = [flag.strip() for flag in call.text("oflags", "").split(",")]
        if call.text("leverage", "none") != "none":
            raise Rejected(Reason.LEVERAGE)
        if call.flag("reduce_only"):
            raise Rejected(Reason.REDUCE_ONLY)
        if "viqc" in flags and (kind is not OrderType.MARKET or call.text("type") != "buy"):
            raise Rejected(Reason.BAD_PARAMETER, "viqc")
        first, second = ("price", "price2") if kind.conditional else ("", "price")
        volume = call.decimal("volume")
        return Ticket(
            symbol=self._pair_named(call.text("pair")).symbol,
            side=call.one_of("type", SIDES),
            type=kind,
            quantity=None if "viqc" in flags else volume,
            quote_quantity=volume if "viqc" in flags else None,
            price=call.decimal(second) if kind.endswith("limit") else None,
            trigger_price=call.decimal(first) if first else None,
            trigger_by=call.one_of("trigger", TRIGGERS, "last"),
            time_in_force=call.one_of("timeinforce", FORCES, "GTC"),
            post_only="post" in flags,
            client_id=_client_id(call),
            attached=tuple(self._closing(call)),
            attach_when=AttachWhen.EACH_FILL,
            extra={"userref": call.integer("userref", 0), "oflags": ",".join(filter(None, ["fciq", *flags]))},
        )

    def _closing(self, call: Call) -> Iterator[Ticket]:
        """`close[ordertype]`: one conditional order, placed for each fill of this one."""
        if isinstance(told := call.params.get("close"), Mapping):  # in JSON
            spelled = {f"close[{name}]": value for name, value in told.items()}
            call = replace(call, body=encode({**call.body_params, "close": None, **spelled}))
        if not call.text("close[ordertype]", ""):
            return
        kind = call.one_of("close[ordertype]", TYPES)
        first, second = ("close[price]", "close[price2]") if kind.conditional else ("", "close[price]")
        yield Ticket(
            symbol=self._pair_named(call.text("pair")).symbol,
            side=call.one_of("type", SIDES).opposite,
            type=kind,
            price=call.decimal(second) if kind.endswith("limit") else None,
            trigger_price=call.decimal(first) if first else None,
            extra={"userref": 0, "oflags": "fciq"},
        )

    @route("POST /0/private/AmendOrder", trading=True, costs={"engine": 5})
    def amend(self, call: Call) -> Any:
        order = self._named(call, call.account)
        prices = {
            "price": call.decimal_or_none("limit_price"),
            "trigger_price": call.decimal_or_none("trigger_price"),
        }
        self.desk.amend(call.account, order, quantity=call.decimal_or_none("order_qty"), **prices)
        return done({"amend_id": transaction_id("T", self.desk.number())})

    @route("POST /0/private/EditOrder", trading=True, costs={"engine": 6})
    def edit(self, call: Call) -> Any:
        """The old order ends and a new one takes its place; it has no client id."""
        order = self._named(call, call.account)
        if order is None or not order.open or order.filled:
            raise Rejected(Reason.NOT_OPEN)
        conditional, limited = order.ticket.type.conditional, order.price is not None
        names = ("price", "price2") if conditional else ("", "price")
        changed = replace(
            order,
            quantity=call.decimal_or_none("volume") or order.quantity,
            trigger_price=(call.decimal_or_none(names[0]) if conditional else None) or order.trigger_price,
            price=(call.decimal_or_none(names[1]) if limited else None) or order.price,
        )
        check_amended(self.desk, call.account, changed, order)
        ticket = replace(
            order.ticket,
            quantity=changed.quantity,
            price=changed.price,
            trigger_price=changed.trigger_price,
            client_id="",
        )
        if call.flag("validate"):
            return done({"status": "ok", "descr": {"order": sentence(ticket, order.market)}})
        self.desk.cancel(call.account, order)
        placed = self.desk.place(call.account, ticket)
        prices = {name: text(value) for name, value in (("price", placed.price), ("price2", None)) if value}
        told = {
            "status": "ok",
            "txid": placed.id,
            "originaltxid": order.id,
            "volume": text(placed.quantity, 8),
        }
        return done(
            {**told, **prices, "orders_cancelled": 1, "descr": {"order": sentence(ticket, order.market)}}
        )

    @route("POST /0/private/CancelOrder", trading=True, costs={"engine": 8})
    def cancel(self, call: Call) -> Any:
        """By its id, by the client's, or all that have a reference."""
        if (named := call.text("txid", "")).isdigit():
            found = self._referenced(call.account, int(named))
        else:
            found = [self._named(call, call.account)]
        for order in found or [None]:
            self.desk.cancel(call.account, order)
        return done({"count": len(found)})

    def _referenced(self, account: Account, reference: int) -> list[Order | None]:
        book = self.desk.book(account)
        return [order for order in book.open.values() if order.ticket.extra["userref"] == reference]

    @route("POST /0/private/CancelOrderBatch", trading=True)
    def cancel_batch(self, call: Call) -> Any:
        """Those of them that are open; that some are not is no refusal."""
        ids = [str(each) for each in _listed(call, "orders")]
        found = [self.desk.order(call.account, order_id=each) for each in ids if not each.isdigit()]
        for each in ids:
            found += self._referenced(call.account, int(each)) if each.isdigit() else []
        found += [self.desk.order(call.account, client_id=str(each)) for each in _listed(call, "cl_ord_ids")]
        ended = [self.desk.cancel(call.account, order) for order in found if order is not None and order.open]
        return done({"count": len(ended)})

    @route("POST /0/private/CancelAll", trading=True, costs={"rest": 1})
    def cancel_all(self, call: Call) -> Any:
        return done({"count": len(self.desk.cancel_all(call.account))})

    def _named(self, call: Call, account: Account) -> Order | None:
        names = {"order_id": call.text("txid", ""), "client_id": call.text("cl_ord_id", "")}
        return self.desk.order(account, **names)

    # -- asking ------------------------------------------------------------------------------------------

    @route("POST /0/private/QueryOrders")
    def query(self, call: Call) -> Any:
        asked = [self.desk.order(call.account, order_id=each) for each in call.text("txid").split(",")]
        if not (known := [order for order in asked if order is not None]):
            raise Rejected(Reason.UNKNOWN_ORDER)
        return done({order.id: order_row(order) for order in known})

    @route("POST /0/private/QueryTrades")
    def query_trades(self, call: Call) -> Any:
        book, asked = self.desk.book(call.account), call.text("txid").split(",")
        made = {transaction_id("T", fill.id): fill for fill in book.fills}
        return done(
            {each: trade_row(made[each], book.orders[made[each].order_id]) for each in asked if each in made}
        )

    @route("POST /0/private/OpenOrders")
    def open_orders(self, call: Call) -> Any:
        book = self.desk.book(call.account)
        return done(
            {"open": {order.id: order_row(order) for order in book.open.values() if _wanted(order, call)}}
        )

    @route("POST /0/private/ClosedOrders", costs={"rest": 2})
    def closed_orders(self, call: Call) -> Any:
        """The 50 newest from `ofs` on; with closetime=close, of those that were closed after `start`."""
        orders = reversed(self.desk.book(call.account).orders.values())
        after = _moment_ms(call, "start") if call.text("closetime", "both") == "close" else 0
        ended = [each for each in orders if not each.open and _wanted(each, call) and each.updated_ms > after]
        start = call.integer("ofs", 0)
        page = {order.id: order_row(order) for order in ended[start : start + 50]}
        return done({"closed": page, "count": len(ended)})

    @route("POST /0/private/TradesHistory", costs={"rest": 2})
    def trades(self, call: Call) -> Any:
        book, start = self.desk.book(call.account), call.integer("ofs", 0)
        since, until = _moment_ms(call, "start"), _moment_ms(call, "end") or call.now_ms
        fills = [each for each in reversed(book.fills) if since < each.time_ms <= until]
        page = {
            transaction_id("T", fill.id): trade_row(fill, book.orders[fill.order_id])
            for fill in fills[start : start + 50]
        }
        return done({"trades": page, "count": len(fills)})


def _client_id(call: Call) -> str:
    given = call.text("cl_ord_id", "")
    if given and not _CLIENT_ID.fullmatch(given):
        raise Rejected(Reason.BAD_PARAMETER, "cl_ord_id")
    return given


def _moment_ms(call: Call, name: str) -> int:
    """Seconds, fractions of them too."""
    return int((call.decimal_or_none(name) or ZERO) * 1000)


def _listed(call: Call, name: str) -> list[Any]:
    """In JSON a list, in a form names with brackets."""
    told = call.params.get(name)
    if told is None:
        return [value for key, value in call.params.items() if key.startswith(f"{name}[")]
    if not isinstance(told, list):
        raise Rejected(Reason.BAD_PARAMETER, name)
    return told


def _in_batch(answer: Any) -> dict[str, Any]:
    if answer["error"]:
        return {"error": answer["error"][0]}
    return {"txid": answer["result"]["txid"][0], "descr": answer["result"]["descr"]}


def _wanted(order: Order, call: Call) -> bool:
    client_id, reference = call.text("cl_ord_id", ""), call.integer("userref", 0)
    return client_id in ("", order.client_id) and reference in (0, order.ticket.extra["userref"])
