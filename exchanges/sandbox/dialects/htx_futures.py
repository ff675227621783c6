"""HTX perpetuals (API v5) as their clients see them: whole contracts, a margin mode on every order, placing only
acknowledges, and what waits for a trigger is an algo order of the kind `sl`, `tp` or `trigger` that names the plain
order it becomes. Documented at https://www.htx.com/en-us/opend/newApiPages/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Route, route
from exchanges.sandbox.dialects.htx import (
    GATEWAY,
    MEMORY_SECONDS,
    SIDES,
    STATUSES,
    after,
    algo_state,
    depth,
    kind_of,
    merged,
)
from exchanges.sandbox.dialects.htx_older import FLAGS, TRIGGERS, HTXOlder
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import (
    ZERO,
    ClientIds,
    Fill,
    Market,
    Order,
    Reason,
    Rejected,
    Rules,
    Ticket,
    text,
)
from exchanges.sandbox.wire import Call, Reply, encode
from exchanges.types import (
    Direction,
    MarginMode,
    OrderStatus,
    OrderType,
    PositionMode,
    Product,
    Side,
    TimeInForce,
)

D = Decimal
LARGEST_BATCH = 10
TIMES = {time.value: time for time in TimeInForce}
IS_LIMIT = {"market": False, "limit": True, "post_only": True}
MODES = {mode.value: mode for mode in MarginMode}
POSITION_SIDES = {"both": None, "long": Direction.LONG, "short": Direction.SHORT}
POSITION_WORDS = {direction: name for name, direction in POSITION_SIDES.items()}
POSITION_MODES = {"single_side": PositionMode.ONE_WAY, "dual_side": PositionMode.HEDGE}
KINDS = {name: name for name in ("sl", "tp", "trigger")}
#: that may be asked for; of the last two none is simulated
LISTED_KINDS = KINDS | {name: name for name in ("tpsl", "trailing_stop")}
REFUSALS = {
    Reason.THROTTLED: (429, "Too many requests"),
    Reason.BANNED: (429, "Too many requests"),
    Reason.MAINTENANCE: (503, "Service Unavailable"),
    Reason.INTERNAL: (500, "System error"),
    Reason.UNKNOWN_SYMBOL: (1013, "This contract symbol doesnt exist."),
    Reason.PRICE_TICK: (1038, "The order price exceeds the precision limit."),
    Reason.TRIGGER_TICK: (1038, "The trigger price exceeds the precision limit."),
    Reason.QUANTITY_STEP: (1040, "Incorrect order amount."),
    Reason.MIN_QUANTITY: (1040, "Incorrect order amount."),
    Reason.MAX_QUANTITY: (1041, "The order amount exceeds the limit ({}Cont)."),
    Reason.DUPLICATE: (1050, "The client order ID is duplicated."),
    Reason.INSUFFICIENT: (1047, "Insufficient margin available."),
    Reason.REDUCE_ONLY: (1048, "Insufficient close amount available."),
    Reason.LEVERAGE: (1037, "The leverage is invalid."),
    Reason.HAS_OPEN_ORDERS: (1045, "There are open orders."),
    Reason.HAS_POSITION: (1045, "There is an open position."),
    Reason.UNKNOWN_ORDER: (1017, "Order doesnt exist."),
    Reason.NOT_OPEN: (1061, "The order does not exist."),
}
#: a contract margined in its coin
SUSPENDED = {
    "symbol": "BTC",
    "contract_size": D(100),
    "price_tick": D("0.1"),
    "delivery_time": "",
    "contract_status": 3,
}
#: base, tick, coins in a contract
COINS = (
    ("BTC", "0.1", "0.001"),
    ("ETH", "0.01", "0.01"),
    ("SOL", "0.001", "1"),
    ("XRP", "0.0001", "10"),
    ("DOGE", "0.00001", "100"),
    ("LTC", "0.01", "0.1"),
)


def _contract(base: str, tick: str, size: str) -> Market:
    return Market(
        f"{base}-USDT",
        base,
        "USDT",
        Product.LINEAR,
        D(tick),
        D(1),
        min_quantity=D(1),
        max_quantity=D(1_000_000),
        max_market_quantity=D(1_000_000),
        contract_size=D(size),
        max_leverage=D(200),
    )


class HTXFutures(HTXOlder):
    name, product = "HTX_F", Product.LINEAR
    markets = tuple(_contract(*coin) for coin in COINS)
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

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if reason in GATEWAY:
            told = {"status": "error", "err_code": 403, "err_msg": GATEWAY[reason]}
            return Reply(told | {"ts": call.now_ms})
        code, words = REFUSALS.get(reason, (1034, "Incorrect field: {}"))
        if call.path.startswith("/linear-swap-api/") and reason not in STATUSES:
            told = {"status": "error", "err_code": code, "err_msg": words.format(detail), "ts": call.now_ms}
            return Reply(told)
        status = 503 if reason is Reason.MAINTENANCE else STATUSES.get(reason, 200)
        return Reply(self._answer(call, None) | {"code": code, "message": words.format(detail)}, status)

    @staticmethod
    def _answer(call: Call, data: Any) -> dict[str, Any]:
        return {"code": 200, "message": "Success", "data": data, "ts": call.now_ms}

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /api/v1/timestamp", public=True, costs={"public": 1})
    def time(self, call: Call) -> Any:
        return {"status": "ok", "ts": call.now_ms}

    @route("GET /linear-swap-api/v1/swap_contract_info", public=True, costs={"public": 1})
    def contracts(self, call: Call) -> Any:
        return {"status": "ok", "data": [_contract_row(each) for each in self.markets], "ts": call.now_ms}

    @route("GET /linear-swap-ex/market/detail/merged", public=True, costs={"public": 1})
    def merged(self, call: Call) -> Any:
        return merged(self, call, "contract_code")

    @route("GET /swap-api/v1/swap_contract_info", public=True, costs={"public": 1})
    def coin_margined(self, call: Call) -> Any:
        """They are not simulated: of each kind one is listed, and suspended, since clients take an empty list for a fault."""
        row = SUSPENDED | {
            "contract_code": "BTC-USD",
            "create_date": "20200325",
            "settlement_date": str(call.now_ms),
        }
        return {"status": "ok", "data": [row], "ts": call.now_ms}

    @route("GET /api/v1/contract_contract_info", public=True, costs={"public": 1})
    def dated(self, call: Call) -> Any:
        named = {"contract_code": "BTC261225", "contract_type": "quarter", "create_date": "20260612"}
        ends = {"delivery_date": "20261225", "delivery_time": "1798185600000"}
        return {"status": "ok", "data": [SUSPENDED | named | ends], "ts": call.now_ms}

    @route("GET /heartbeat/", "GET /heartbeat", public=True, costs={"public": 1})
    def heartbeat(self, call: Call) -> Any:
        hosts = dict.fromkeys(("heartbeat", "swap_heartbeat", "linear_swap_heartbeat"), 1)
        ends = dict.fromkeys(f"{name.removesuffix('heartbeat')}estimated_recovery_time" for name in hosts)
        return {"status": "ok", "data": hosts | ends, "ts": call.now_ms}

    @route("GET /linear-swap-ex/market/depth", public=True, costs={"public": 1})
    def depth(self, call: Call) -> Any:
        return depth(self, call, "contract_code")

    @route("GET /linear-swap-ex/market/detail/batch_merged", public=True, costs={"public": 1})
    def all_merged(self, call: Call) -> Any:
        ticks = []
        for market in self.markets:
            bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
            day = dict.fromkeys(("amount", "vol", "count", "number_of", "trade_turnover"), "0")
            prices = dict.fromkeys(("open", "close", "low"), bid) | {
                "high": ask,
                "bid": [bid, 1000],
                "ask": [ask, 1000],
            }
            ticks.append(
                {"contract_code": market.symbol, "business_type": "swap", "ts": call.now_ms, **prices, **day}
            )
        return {"status": "ok", "ticks": ticks, "ts": call.now_ms}

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
        return self._answer(call, _name(self.desk.place(call.account, ticket)))

    @route("POST /v5/trade/batch_orders", trading=True)
    def place_batch(self, call: Call) -> Any:
        orders = call.params.get("")
        if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "orders")
        told = self.each(call, orders, "/v5/trade/order", self.place)
        return self._answer(call, [_batch_row(*each) for each in zip(orders, told, strict=True)])

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
        if found is None or (_is_algo(found) and found.live_id != order_id):
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
        return self._answer(call, _name(self.desk.cancel(call.account, self._plain(call))))

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
        return self._answer(call, _name(self.desk.place(call.account, ticket)))

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
                rows.append(_name(self.desk.cancel(call.account, found)) | done)
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
            and order_id in ("", _number(order))
        ]
        return self._answer(call, after(rows, call.text("from", ""), call.integer("limit", 100)))

    def _trade_row(self, account: Account, order: Order, fill: Fill) -> dict[str, Any]:
        return {
            "id": str(fill.id),
            "contract_code": fill.symbol,
            "order_id": _number(order),
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
        return self._answer(call, [_name(order) | done for order in ended])

    def _row(self, account: Account, order: Order) -> dict[str, Any]:
        fees = order.fees()
        state = "partially_canceled" if order.filled else "canceled"
        if order.open:
            state = "partially_filled" if order.filled else "new"
        elif order.status is OrderStatus.FILLED:
            state = "filled"
        return {
            "id": _number(order),
            "side": order.side.value,
            "type": order.ticket.extra["type"],
            "price": text(order.price),
            "volume": text(order.quantity),
            "state": state,
            "contract_code": order.market.symbol,
            "position_side": POSITION_WORDS[order.ticket.position_side],
            **_name(order),
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
        return found if found and _is_algo(found) and order_id in ("", found.id) else None

    @route("GET /v5/algo/order/opens")
    def algos(self, call: Call) -> Any:
        found = [each for each in self.open_of(call, "contract_code") if each.waiting]
        return self._answer(call, self._algo_page(call, found))

    @route("GET /v5/algo/order/history")
    def algo_history(self, call: Call) -> Any:
        symbol, known = call.text("contract_code", ""), self.desk.book(call.account).orders.values()
        ended = [each for each in reversed(known) if _is_algo(each) and not each.waiting]
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

    # -- account ---------------------------------------------------------------------------------------

    @route("GET /v5/trade/position/opens")
    def positions(self, call: Call) -> Any:
        symbol, held = call.text("contract_code", ""), self.desk.book(call.account).open_positions()
        rows = [self._position(call.account, each) for each in held if symbol in ("", each.market.symbol)]
        return self._answer(call, rows)

    def _position(self, account: Account, position: Position) -> dict[str, Any]:
        market, mark = position.market, self.desk.bid(position.market)
        leverage = self.desk.leverage(account, market)
        margin = text(position.notional(position.entry_price) / leverage)
        return {
            "contract_code": market.symbol,
            "position_side": POSITION_WORDS[position.side],
            "direction": "buy" if position.quantity > 0 else "sell",
            "margin_mode": str(self.desk.margin_mode(account, market)),
            "open_avg_price": text(position.entry_price),
            "volume": text(abs(position.quantity)),
            "available": text(abs(position.quantity)),
            "lever_rate": int(leverage),
            "liquidation_price": None,
            "initial_margin": margin,
            "margin": margin,
            "maintenance_margin": "0",
            "margin_rate": "0",
            "profit_unreal": text(position.unrealised(mark)),
            "profit_rate": "0",
            "mark_price": text(mark),
            "last_price": text(mark),
            "margin_currency": market.quote,
            "contract_type": "swap",
        }

    @route("GET /v5/account/balance", costs={"account": 1})
    def balance(self, call: Call) -> Any:
        account, wallet, rows = call.account, self.rules.wallet, list[dict[str, str]]()
        for coin, total in account.wallets[wallet].items():
            equity, free = text(total + account.unrealised(wallet, coin)), text(account.free(wallet, coin))
            rows.append({"currency": coin, "equity": equity, "available": free, "available_margin": free})
        return self._answer(call, {"state": "normal", "details": rows})

    @route("GET /v5/position/mode", costs={"account": 1})
    def position_mode(self, call: Call) -> Any:
        mode = self.desk.book(call.account).position_mode
        name = next(name for name, each in POSITION_MODES.items() if each is mode)
        return self._answer(call, {"position_mode": name})

    @route("POST /v5/position/mode", costs={"account": 1})
    def change_position_mode(self, call: Call) -> Any:
        """The mode it has already is no refusal."""
        mode = call.one_of("position_mode", POSITION_MODES)
        if self.desk.book(call.account).position_mode is not mode:
            self.desk.set_position_mode(call.account, mode)
        return self.position_mode(call)

    @route("POST /v5/position/lever", costs={"account": 1})
    def change_leverage(self, call: Call) -> Any:
        rate, mode = call.integer("lever_rate"), call.one_of("margin_mode", MODES)
        self.desk.set_leverage(call.account, call.text("contract_code"), D(rate))
        told = {"contract_code": call.text("contract_code"), "margin_mode": str(mode)}
        return self._answer(call, told | {"lever_rate": rate})


def _ids(call: Call, name: str) -> list[str]:
    told = call.params.get(name) or []
    return [str(each) for each in told] if isinstance(told, list) else str(told).split(",")


def _is_algo(order: Order) -> bool:
    return "algo" in order.ticket.extra


def _number(order: Order) -> str:
    return order.live_id or order.id


def _name(order: Order) -> dict[str, str]:
    """An order without a client id of its own has its number there."""
    number = _number(order)
    own = "" if _is_algo(order) else order.client_id
    return {"order_id": number, "client_order_id": own or number}


def _batch_row(order: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    named = answer.get("data") or {"order_id": "", "client_order_id": str(order.get("client_order_id", ""))}
    return {"code": answer["code"], "message": answer["message"], **named}


def _contract_row(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.base,
        "contract_code": market.symbol,
        "contract_size": market.contract_size,
        "price_tick": market.tick,
        "delivery_date": "",
        "delivery_time": "",
        "create_date": "20201021",
        "contract_status": 1,
        "support_margin_mode": "all",
        "business_type": "swap",
        "pair": market.symbol,
        "contract_type": "swap",
        "trade_partition": market.quote,
    }
