"""OKX v5 as its clients see it: one host for spot and perpetuals of both kinds, told apart by the instrument; refusals
come with HTTP 200 and an `sCode` in their row; stops are algo orders with ids of their own.
https://www.okx.com/docs-v5/en/."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Route, route
from exchanges.sandbox.dialects.okx_account import OKXAccount
from exchanges.sandbox.dialects.okx_answers import (
    AT_MARKET,
    INVERSE,
    LARGEST_BATCH,
    MARGIN_MODES,
    PAIRS,
    PLAIN,
    POSITION_SIDES,
    SIDES,
    SWAPS,
    TIMES,
    TRIGGERS,
    TYPES,
    WALLET,
    RowRefused,
    algo_row,
    answered,
    check_crossed,
    fill_row,
    frame,
    is_algo,
    order_row,
    page,
    refusal,
    rows_of,
)
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import AttachWhen, Market, Order, Reason, Rejected, Rules, Ticket
from exchanges.sandbox.wire import Call, encode
from exchanges.types import (
    OrderStatus,
    OrderType,
    PositionMode,
    Product,
    Side,
    TimeInForce,
)

D = Decimal
#: later than anything
LATEST_MS = 10**15
CANNOT_AMEND = "Order modification failed as the order has been filled, canceled or does not exist."


class _OKX(OKXAccount):
    # -- orders ----------------------------------------------------------------------------------------

    @route("POST /api/v5/trade/order", trading=True, costs={"orders": 1})
    def place(self, call: Call) -> Any:
        return self._each(call, [call], self._place, "ordId")

    @route("POST /api/v5/trade/batch-orders", trading=True)
    def place_batch(self, call: Call) -> Any:
        rows = rows_of(call)
        if not 0 < len(rows) <= LARGEST_BATCH:
            raise answered(51000, "Parameter orders  error", 200)
        return self._each(call, rows, self._place, "ordId")

    def costs(self, route: Route, call: Call) -> Mapping[str, int]:
        """A batch counts its orders; one order in it counts as placed alone."""
        if route.handler != "place_batch":
            return super().costs(route, call)
        rows = call.body_params.get("")
        many = len(rows) if isinstance(rows, list) else 1
        return {"batch_orders": many} if many > 1 else {"orders": 1}

    @route("POST /api/v5/trade/order-algo", trading=True, costs={"algo_orders": 1})
    def place_algo(self, call: Call) -> Any:
        return self._each(call, [call], self._place_algo, "algoId")

    @route("POST /api/v5/trade/cancel-order", trading=True, costs={"cancels": 1})
    def cancel(self, call: Call) -> Any:
        return self._each(call, [call], self._cancel, "ordId")

    @route("POST /api/v5/trade/cancel-batch-orders", trading=True, costs={"cancels": 1})
    def cancel_batch(self, call: Call) -> Any:
        return self._each(call, rows_of(call), self._cancel, "ordId")

    @route(
        "POST /api/v5/trade/cancel-algos",
        "POST /api/v5/trade/cancel-advance-algos",
        trading=True,
        costs={"algo_cancels": 1},
    )
    def cancel_algos(self, call: Call) -> Any:
        return self._each(call, rows_of(call), self._cancel_algo, "algoId")

    def _each(self, call: Call, rows: list[Call], act: Callable[[Call], str], id_name: str) -> Any:
        """The answer tells of every row; those that are wrong by themselves refuse the whole call."""
        told = []
        for row in rows:
            found, code, words = "", 0, ""
            try:
                found = act(row)
            except Rejected as refused:
                code, words, status = refusal(refused.reason, refused.detail)
                if status != 200:
                    raise
            except RowRefused as crossed:
                code, words = crossed.code, crossed.words
            ids = {name: row.text(name, "") for name in ("clOrdId", "algoClOrdId")}
            row_told = {**ids, id_name: found, "sCode": str(code), "sMsg": words, "tag": ""}
            told.append(row_told | {"ts": str(call.now_ms)})
        failed = sum(each["sCode"] != "0" for each in told)
        top = 0 if not failed else 1 if failed == len(told) else 2
        return frame(told, top, "All operations failed" if top == 1 else "")

    def _place(self, call: Call) -> str:
        desk, kind = self._desk(call), call.text("ordType")
        market, in_quote = desk.market(call.text("instId")), False
        ticket = self._ticket(call, call.one_of("ordType", PLAIN))
        if market.product is Product.SPOT and ticket.type is OrderType.MARKET:
            default = "quote_ccy" if ticket.side is Side.BUY else "base_ccy"
            in_quote = call.one_of("tgtCcy", {"quote_ccy": True, "base_ccy": False}, default)
        amount = call.decimal("sz")
        ticket = replace(
            ticket,
            quantity=None if in_quote else amount,
            quote_quantity=amount if in_quote else None,
            price=call.decimal("px") if ticket.type is OrderType.LIMIT else None,
            time_in_force=TIMES.get(kind, TimeInForce.GTC),
            post_only=kind == "post_only",
            client_id=call.text("clOrdId", ""),
            attached=self._attached(call, desk, market),
            attach_when=AttachWhen.EACH_FILL if in_quote else AttachWhen.FULL,
            extra={**ticket.extra, "tgtCcy": "quote_ccy" if in_quote else "base_ccy"},
        )
        self._check_margin_mode(call, desk, market, ticket)
        return desk.place(call.account, ticket).id

    def _ticket(self, call: Call, kind: OrderType) -> Ticket:
        spot = self._desk(call).market(call.text("instId")).product is Product.SPOT
        mode = call.one_of("tdMode", {"cash": None, "cross": None} if spot else MARGIN_MODES)
        return Ticket(
            call.text("instId"),
            call.one_of("side", SIDES),
            kind,
            reduce_only=not spot and call.flag("reduceOnly"),
            position_side=None if spot else call.one_of("posSide", POSITION_SIDES, "net"),
            extra={"ordType": call.text("ordType"), "tdMode": call.text("tdMode"), "mode": mode},
        )

    def _check_margin_mode(self, call: Call, desk: Desk, market: Market, ticket: Ticket) -> None:
        """A position is held in one mode; another mode has nothing to close. Two at once are not simulated."""
        if (mode := ticket.extra["mode"]) is None:
            return
        book = desk.book(call.account)
        if not any(each.market is market for each in book.open_positions()):
            book.margin_modes[market.symbol] = mode
        elif desk.margin_mode(call.account, market) is not mode:
            raise Rejected(Reason.REDUCE_ONLY) if ticket.reduces else Rejected(Reason.BAD_PARAMETER, "tdMode")

    def _place_algo(self, call: Call) -> str:
        desk, kind = self._desk(call), call.text("ordType")
        market = desk.market(call.text("instId"))
        if kind not in ("conditional", "oco", "trigger"):
            raise Rejected(Reason.BAD_PARAMETER, "ordType")
        legs = [leg for leg in ("sl", "tp") if call.text(f"{leg}TriggerPx", "") and kind != "trigger"]
        legs = ["trigger"] if kind == "trigger" else legs[: 2 if kind == "oco" else 1]
        if not legs or (kind == "oco") != (len(legs) == 2):
            raise Rejected(Reason.BAD_PARAMETER, "slTriggerPx or tpTriggerPx")
        link = secrets.token_hex(8) if kind == "oco" else ""
        tickets = [self._leg(call, desk, market, leg, link) for leg in legs]
        for ticket in tickets:
            self._check_margin_mode(call, desk, market, ticket)
            check_crossed(ticket, desk.bid(market))
        return desk.place_linked(call.account, tickets)[0].id

    def _attached(self, call: Call, desk: Desk, market: Market) -> tuple[Ticket, ...]:
        """Stops and targets that an order brings along, as algo orders of its size when it has filled.
        `attachAlgoOrds` as ccxt 4.5.90 sends them; at what size they wait is not told there."""
        rows = call.params.get("attachAlgoOrds") or [call.params]
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise Rejected(Reason.BAD_PARAMETER, "attachAlgoOrds")
        tickets: list[Ticket] = []
        for row in rows:
            legs = [leg for leg in ("sl", "tp") if row.get(f"{leg}TriggerPx") not in (None, "")]
            if not legs:
                continue
            inner = replace(call, query="", body=encode(self._attached_row(call, row, legs)))
            link = secrets.token_hex(8) if len(legs) == 2 else ""
            tickets += [self._leg(inner, desk, market, leg, link) for leg in legs]
        base = call.decimal_or_none("px") or desk.bid(market)
        for ticket in tickets:
            check_crossed(ticket, base)
        return tuple(tickets)

    def _attached_row(self, call: Call, row: Mapping[str, Any], legs: list[str]) -> dict[str, Any]:
        own = {name: value for name, value in row.items() if name.startswith(("sl", "tp"))}
        side = call.one_of("side", SIDES).opposite.value
        named = {
            "algoClOrdId": row.get("attachAlgoClOrdId", ""),
            "tgtCcy": "base_ccy",
            "sz": row.get("sz") or call.text("sz"),
        }
        kept = {name: call.text(name, "") for name in ("instId", "tdMode", "posSide")}
        hedged = self._desk(call).book(call.account).position_mode is PositionMode.HEDGE
        shape = {"ordType": "oco" if len(legs) == 2 else "conditional", "reduceOnly": not hedged}
        return {**own, **kept, **named, **shape, "side": side}

    def _leg(self, call: Call, desk: Desk, market: Market, leg: str, link: str) -> Ticket:
        trigger, last = call.decimal("triggerPx" if leg == "trigger" else f"{leg}TriggerPx"), desk.bid(market)
        written = call.text("orderPx" if leg == "trigger" else f"{leg}OrdPx")
        price = None if written == AT_MARKET else D(written)
        ticket = self._ticket(call, OrderType.STOP)
        rises = trigger > last if leg == "trigger" else (ticket.side is Side.BUY) == (leg == "sl")
        stop = rises == (ticket.side is Side.BUY)
        by = "triggerPxType" if leg == "trigger" else f"{leg}TriggerPxType"
        whole, first = call.text("closeFraction", "") == "1", leg != "tp" or call.text("ordType") != "oco"
        in_quote = (
            market.product is Product.SPOT
            and ticket.side is Side.BUY
            and call.text("tgtCcy", "quote_ccy") == "quote_ccy"
        )
        if in_quote:
            raise Rejected(Reason.BAD_PARAMETER, "tgtCcy quote_ccy is not simulated here: it")
        return replace(
            ticket,
            type=TYPES[stop, price is not None],
            quantity=None if whole else call.decimal("sz"),
            close_position=whole,
            price=price,
            trigger_price=trigger,
            trigger_by=call.one_of(by, TRIGGERS, "last"),
            rises=rises,
            client_id=call.text("algoClOrdId", call.text("clOrdId", "")) if first else "",
            link=link,
            extra={**ticket.extra, "leg": leg, "last": last},
        )

    def _cancel(self, call: Call) -> str:
        desk, order = self._desk(call), self._plain(call, self._desk(call))
        if order is None or order.waiting:
            raise Rejected(Reason.NOT_OPEN)
        desk.cancel(call.account, order)
        return order.live_id or order.id

    def _cancel_algo(self, call: Call) -> str:
        desk, pair = self._desk(call), self._algo(call)
        if not all(order.open and order.waiting for order in pair):
            raise Rejected(Reason.NOT_OPEN)
        desk.cancel(call.account, pair[0])
        return pair[0].id

    def _plain(self, call: Call, desk: Desk) -> Order | None:
        """A plain order, or the one a triggered algo order became: by its own id only."""
        order_id, client_id = call.text("ordId", ""), call.text("clOrdId", "")
        if not order_id and not client_id:
            raise Rejected(Reason.MISSING_PARAMETER, "ordId or clOrdId")
        order = desk.order(call.account, order_id=order_id, client_id=client_id)
        if order is not None and is_algo(order) and (not order_id or order.live_id != order_id):
            return None
        return order

    def _algo(self, call: Call) -> list[Order]:
        """The one or two orders of an algo order. Raises UNKNOWN_ORDER."""
        algo_id, client_id = call.text("algoId", ""), call.text("algoClOrdId", "")
        if not algo_id and not client_id:
            raise Rejected(Reason.MISSING_PARAMETER, "algoId or algoClOrdId")
        for desk in self.desks.values():
            order = desk.order(call.account, order_id=algo_id, client_id=client_id)
            if order is not None and is_algo(order) and algo_id in ("", order.id):
                return order.linked
        raise Rejected(Reason.UNKNOWN_ORDER)

    @route("POST /api/v5/trade/amend-order", trading=True, costs={"orders": 1})
    def amend(self, call: Call) -> Any:
        return self._each(call, [call], self._amend, "ordId")

    @route("POST /api/v5/trade/amend-batch-orders", trading=True, costs={"orders": 1})
    def amend_batch(self, call: Call) -> Any:
        return self._each(call, rows_of(call), self._amend, "ordId")

    @route("POST /api/v5/trade/amend-algos", trading=True, costs={"algo_orders": 1})
    def amend_algo(self, call: Call) -> Any:
        return self._each(call, [call], self._amend_algo, "algoId")

    def _amend(self, call: Call) -> str:
        desk, order = self._desk(call), self._plain(call, self._desk(call))
        if order is None or order.waiting or not order.open:
            raise RowRefused(51503, CANNOT_AMEND)
        size, price = call.decimal_or_none("newSz"), call.decimal_or_none("newPx")
        if size is None and price is None:
            raise RowRefused(50014, "Parameter newSz or newPx can not be empty.")
        return (changed := desk.amend(call.account, order, quantity=size, price=price)).live_id or changed.id

    def _amend_algo(self, call: Call) -> str:
        """Sizes of all its legs, prices of each."""
        desk, pair = self._desk(call), self._algo(call)
        if not all(order.open and order.waiting for order in pair):
            raise RowRefused(51503, CANNOT_AMEND)
        for order in pair:
            leg = order.ticket.extra["leg"]
            trigger, price = (
                ("newTriggerPx", "newOrdPx")
                if leg == "trigger"
                else (f"new{leg.title()}TriggerPx", f"new{leg.title()}OrdPx")
            )
            limit = call.text(price, "")
            desk.amend(
                call.account,
                order,
                quantity=call.decimal_or_none("newSz"),
                price=D(limit) if order.price is not None and limit not in ("", AT_MARKET) else None,
                trigger_price=call.decimal_or_none(trigger),
            )
        return pair[0].id

    @route("POST /api/v5/trade/close-position", trading=True, costs={"leverage": 1})
    def close_position(self, call: Call) -> Any:
        """All of it at the market, with the parameters that python-okx 0.4.4, OKX's own client, and ccxt 4.5.90 name."""
        desk, market = self._desk(call), self._desk(call).market(call.text("instId"))
        book, side = desk.book(call.account), call.one_of("posSide", POSITION_SIDES, "net")
        position = book.position(market, side)
        if not position.quantity or desk.margin_mode(call.account, market) is not call.one_of(
            "mgnMode", MARGIN_MODES
        ):
            raise answered(51023, "Position does not exist.", 200)
        closing = [each for each in book.open.values() if each.market is market and not each.waiting]
        resting = [each for each in closing if each.side is position.direction.exit_side]
        if resting and not call.flag("autoCxl"):
            raise answered(51115, "Cancel all pending close-orders before liquidation.", 200)
        for order in resting:
            desk.cancel(call.account, order)
        extra = {"ordType": "market", "tdMode": call.text("mgnMode"), "mode": None}
        exit_side, size = position.direction.exit_side, abs(position.quantity)
        ticket = Ticket(market.symbol, exit_side, OrderType.MARKET, quantity=size, reduce_only=side is None)
        named = {"position_side": side, "client_id": call.text("clOrdId", ""), "extra": extra}
        desk.place(call.account, replace(ticket, **named))
        told = {name: call.text(name, "") for name in ("instId", "clOrdId", "tag")}
        return frame([{**told, "posSide": side or "net"}])

    @route("GET /api/v5/trade/order", costs={"order_reads": 1})
    def order(self, call: Call) -> Any:
        desk = self._desk(call)
        desk.market(call.text("instId"))
        if (order := self._plain(call, desk)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return frame([order_row(order)])

    @route("GET /api/v5/trade/orders-pending", costs={"pending": 1})
    def pending(self, call: Call) -> Any:
        found = [order for order in self._listed(call) if order.open and not order.waiting]
        return frame(page(call, [order_row(order) for order in found], "ordId"))

    @route(
        "GET /api/v5/trade/orders-history", "GET /api/v5/trade/orders-history-archive", costs={"pending": 1}
    )
    def history(self, call: Call) -> Any:
        """Ended plain orders, of one state if asked."""
        ended = (
            o for o in self._listed(call) if not o.open and (not is_algo(o) or o.triggered_ms is not None)
        )
        rows = [row for row in map(order_row, ended) if call.text("state", row["state"]) == row["state"]]
        return frame(page(call, rows, "ordId"))

    @route("GET /api/v5/trade/fills-history", "GET /api/v5/trade/fills", costs={"fills": 1})
    def fills(self, call: Call) -> Any:
        """Newest first. The order that an algo order became has no client id."""
        wanted, begin = call.text("instId", ""), call.integer("begin", 0)
        books = [desk.book(call.account) for desk in self._desks_asked(call)]
        found = [(book, fill) for book in books for fill in reversed(book.fills)]
        rows = [
            fill_row(book, fill)
            for book, fill in found
            if wanted in ("", fill.symbol)
            and begin <= fill.time_ms <= call.integer("end", LATEST_MS)
            and call.text("ordId", fill.order_id) == fill.order_id
        ]
        return frame(page(call, rows, "billId"))

    @route("GET /api/v5/trade/order-algo", costs={"algo_reads": 1})
    def algo(self, call: Call) -> Any:
        return frame([algo_row(self._algo(call))])

    @route("GET /api/v5/trade/orders-algo-pending", costs={"algo_pending": 1})
    def algos_pending(self, call: Call) -> Any:
        kinds = call.text("ordType").split(",")
        pairs = [o.linked for o in self._listed(call) if o.open and o.waiting and is_algo(o)]
        firsts = {pair[0].id: pair for pair in pairs if pair[0].ticket.extra["ordType"] in kinds}
        return frame(page(call, [algo_row(pair) for pair in firsts.values()], "algoId"))

    @route("GET /api/v5/trade/orders-algo-history", costs={"algo_pending": 1})
    def algo_history(self, call: Call) -> Any:
        """Ended ones, of one state or one id."""
        kinds, wanted = call.text("ordType").split(","), call.text("algoId", "")
        if not wanted and not call.text("state", ""):
            raise Rejected(Reason.MISSING_PARAMETER, "state or algoId")
        pairs = [o.linked for o in self._listed(call) if is_algo(o) and not (o.open and o.waiting)]
        firsts = {pair[0].id: algo_row(pair) for pair in pairs if pair[0].ticket.extra["ordType"] in kinds}
        found = [row for row in firsts.values() if wanted in ("", row["algoId"])]
        return frame(
            page(call, [row for row in found if call.text("state", row["state"]) == row["state"]], "algoId")
        )

    def _listed(self, call: Call) -> Iterator[Order]:
        """Newest first."""
        wanted = call.text("instId", "")
        for desk in self._desks_asked(call):
            for order in reversed(desk.book(call.account).orders.values()):
                if wanted in ("", order.market.symbol):
                    yield order


_LIMITS = (
    *(Limit(name, name, 60, 2) for name in ("orders", "cancels", "order_reads", "pending")),
    *(Limit(name, name, 20, 2) for name in ("algo_orders", "algo_cancels", "algo_reads", "algo_pending")),
    *(Limit(name, name, 10, 2) for name in ("balance", "positions", "fills")),
    Limit("batch_orders", "batch_orders", 300, 2),
    Limit("config", "config", 5, 2),
    Limit("leverage", "leverage", 20, 2),
    *(Limit(name, name, 20, 2, Owner.ADDRESS) for name in ("instruments", "ticker")),
    Limit("time", "time", 10, 2, Owner.ADDRESS),
)


def _rules(maker: str, taker: str) -> Rules:
    return Rules(
        maker_fee=D(maker),
        taker_fee=D(taker),
        wallet=WALLET,
        conditional_holds=False,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        unfilled=OrderStatus.CANCELLED,
        new_id_on_trigger=True,
        order_id=lambda number: str(1_800_000_000_000_000_000 + number),
        default_leverage=D(10),
        remembers_seconds=7200,
    )


class OKXSpot(_OKX):
    name, product, markets = "OKX", Product.SPOT, PAIRS
    limits = _LIMITS
    rules = _rules("0.0008", "0.001")


class OKXSwap(_OKX):
    name, product, markets = "OKX_F", Product.LINEAR, SWAPS
    limits = _LIMITS
    rules = _rules("0.0002", "0.0005")


class OKXInverse(_OKX):
    name, product, markets = "OKX_C", Product.INVERSE, INVERSE
    limits = _LIMITS
    rules = OKXSwap.rules
