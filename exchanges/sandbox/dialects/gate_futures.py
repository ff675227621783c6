"""Gate's perpetuals as their clients see them: they count signed contracts. https://www.gate.com/docs/developers/apiv4/en/#futures."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.gate_frame import (
    COINS,
    FLAGS,
    LATEST,
    LIMITS,
    MODES,
    TIMES,
    TRIGGERS,
    UNUSED,
    Gate,
    answered,
    checked_text,
    finish_word,
    in_batch,
    is_plain,
    listed_body,
    page_of,
    part_of,
    record_open,
    rules_of,
    still,
)
from exchanges.sandbox.ledger import Position
from exchanges.sandbox.model import (
    ZERO,
    Fill,
    Market,
    Order,
    Reason,
    Rejected,
    Ticket,
    text,
)
from exchanges.sandbox.wire import Call
from exchanges.types import (
    Direction,
    MarginMode,
    OrderStatus,
    OrderType,
    PositionMode,
    Product,
    Side,
)

D = Decimal


def _contract(base: str, tick: str, size: str) -> Market:
    most = D(1_000_000)
    return Market(
        f"{base}_USDT", base, "USDT", Product.LINEAR, D(tick), D(1), D(1), ZERO, most, most, D(size), D(100)
    )


CONTRACTS = tuple(_contract(base, tick, size) for base, _, _, tick, size in COINS)


class GateFutures(Gate):
    name, product, markets = "Gate_F", Product.LINEAR, CONTRACTS
    limits = LIMITS
    rules = rules_of("futures", "0.0002", "0.0005")

    @route("GET /api/v4/futures/usdt/contracts", public=True, costs={"instruments": 1})
    def contracts(self, call: Call) -> Any:
        return [_contract_row(market, self.desk.bid(market)) for market in self.markets]

    @route("GET /api/v4/futures/usdt/contracts/{contract}", public=True, costs={"instruments": 1})
    def contract(self, call: Call) -> Any:
        market = self.desk.market(call.text("contract"))
        return _contract_row(market, self.desk.bid(market))

    @route("GET /api/v4/futures/usdt/tickers", public=True, costs={"tickers": 1})
    def tickers(self, call: Call) -> Any:
        wanted, rows = call.text("contract", ""), []
        for market in [self.desk.market(wanted)] if wanted else self.markets:
            bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
            prices = {"last": bid, "mark_price": bid, "index_price": bid, "highest_bid": bid, **still(bid)}
            prices |= dict.fromkeys(
                ("volume_24h", "volume_24h_base", "volume_24h_quote", "volume_24h_settle"), "0"
            )
            prices |= {"funding_rate": "0", "total_size": "0", "lowest_size": "1000", "highest_size": "1000"}
            rows.append({"contract": market.symbol, "lowest_ask": ask, **prices})
        return rows

    @route("GET /api/v4/futures/btc/contracts", public=True, costs={})
    def no_inverse(self, call: Call) -> Any:
        return []

    @route("GET /api/v4/futures/usdt/order_book", public=True, costs={"tickers": 1})
    def order_book(self, call: Call) -> Any:
        levels = self.book_of(call, self.desk.market(call.text("contract")))
        told = {name: [{"p": price, "s": 1000} for price in prices] for name, prices in levels.items()}
        stamp = D(call.now_ms) / 1000
        return {"id": call.now_ms, "current": stamp, "update": stamp, **told}

    @route("GET /api/v4/futures/usdt/risk_limit_tiers", public=True, costs={"instruments": 1})
    def tiers(self, call: Call) -> Any:
        """One."""
        wanted = call.text("contract", "")
        step = {"tier": 1, "risk_limit": "1000000", "maintenance_rate": "0.005", "deduction": "0"}
        return [
            {**step, "contract": each.symbol, "leverage_max": text(each.max_leverage)}
            | {"initial_rate": text(1 / each.max_leverage, 4)}
            for each in self.markets
            if wanted in ("", each.symbol)
        ]

    @route("GET /api/v4/futures/usdt/fee")
    def fee(self, call: Call) -> Any:
        rates = {"taker_fee": text(self.rules.taker_fee), "maker_fee": text(self.rules.maker_fee)}
        wanted = call.text("contract", "")
        return {each.symbol: rates for each in self.markets if wanted in ("", each.symbol)}

    # -- plain orders ----------------------------------------------------------------------------------

    def forgotten(self, order: Order, *, by_text: bool) -> bool:
        return not order.filled and not self.desk.remembers(order, 60 if by_text else 600)

    @route("GET /api/v4/futures/usdt/my_trades_timerange", costs={"fills": 1})
    def my_trades(self, call: Call) -> Any:
        return page_of(call, [_contract_trade(call, *each) for each in self.traded(call, "contract")])

    @route("GET /api/v4/futures/usdt/my_trades", costs={"fills": 1})
    def my_last_trades(self, call: Call) -> Any:
        """The same, with ids that are numbers and by order."""
        wanted = call.text("order", "")
        found = [each for each in self.traded(call, "contract") if wanted in ("", each[1].order_id)]
        rows = [_contract_trade(call, *each) for each in found]
        return page_of(call, [{**row, "id": int(row.pop("trade_id"))} for row in rows])

    @route("GET /api/v4/futures/usdt/position_close", costs={"fills": 1})
    def closes(self, call: Call) -> Any:
        """Newest first, a row for each fill that closed something."""
        found = [each for each in self.traded(call, "contract") if each[1].closed]
        return page_of(call, [_close_row(*each) for each in found])

    @route("POST /api/v4/futures/usdt/orders", trading=True, costs={"futures_orders": 1})
    def place(self, call: Call) -> Any:
        return self._order_row(call, self.desk.place(call.account, self._ticket(call, call)))

    @route("POST /api/v4/futures/usdt/batch_orders", trading=True, costs={"futures_orders": 1})
    def place_batch(self, call: Call) -> Any:
        return self.place_all(call, lambda each: self._ticket(each, each), self.place)

    def _ticket(self, call: Call, order: Call, **trigger: Any) -> Ticket:
        """A positive size buys. In dual mode what reduces belongs to the other side's position."""
        size = order.decimal_or_none("amount")
        size = order.decimal("size") if size is None else size
        hedged = self.desk.book(call.account).position_mode is PositionMode.HEDGE
        reduces, whole = order.flag("reduce_only"), size == 0
        if whole:
            size = self._whole(call, order)
            reduces = True
        side = Side.BUY if size > 0 else Side.SELL
        opens = Direction.LONG if side is Side.BUY else Direction.SHORT
        price, force = order.decimal("price"), order.text("tif", "gtc")
        if not price and force not in ("ioc", "fok"):
            raise Rejected(Reason.BAD_PARAMETER, "tif")
        if trigger:
            stop = trigger["rises"] == (side is Side.BUY)
            market = OrderType.STOP if stop else OrderType.TAKE_PROFIT
            limit = OrderType.STOP_LIMIT if stop else OrderType.TAKE_PROFIT_LIMIT
        else:
            market, limit = OrderType.MARKET, OrderType.LIMIT
        return Ticket(
            order.text("contract"),
            side,
            limit if price else market,
            quantity=abs(size),
            price=price or None,
            time_in_force=order.one_of("tif", TIMES, "gtc"),
            post_only=force == "poc",
            reduce_only=reduces and not hedged,
            position_side=(opens.opposite if reduces else opens) if hedged else None,
            client_id=order.text("text", "") if trigger else checked_text(order),
            extra={"tif": force, "reduces": reduces, "close": whole},
            **trigger,
        )

    def _whole(self, call: Call, order: Call) -> Decimal:
        """The size that closes a position: `close`, or `auto_size` in dual mode."""
        sides = {"": None, "close_long": Direction.LONG, "close_short": Direction.SHORT}
        side = order.one_of("auto_size", sides) if order.text("auto_size", "") else None
        if not order.flag("close") and side is None:
            raise Rejected(Reason.BAD_PARAMETER, "size")
        market = self.desk.market(order.text("contract"))
        held = self.desk.book(call.account).position(market, side).quantity
        if not held:
            raise answered("POSITION_EMPTY", "empty position")
        return -held

    def _order_row(self, call: Call, order: Order) -> dict[str, Any]:
        ticket, sign = order.ticket, 1 if order.side is Side.BUY else -1
        market = order.ticket.type in (OrderType.MARKET, OrderType.STOP, OrderType.TAKE_PROFIT)
        row = {
            "id": int(order.live_id or order.id),
            "user": 1,
            "contract": order.market.symbol,
            "create_time": order.created_ms // 1000,
            "update_time": order.updated_ms // 1000,
            "size": count_of(call, sign * order.quantity),
            "iceberg": count_of(call, ZERO),
            "left": count_of(call, sign * order.remaining),
            "price": text(order.price),
            "tif": "ioc" if market else ticket.extra["tif"],
            "fill_price": text(order.average_price),
            "text": order.client_id or "api",
            "tkfr": text(self.rules.taker_fee),
            "mkfr": text(self.rules.maker_fee),
            "is_reduce_only": ticket.extra["reduces"],
            "is_close": ticket.extra["close"],
            "is_liq": False,
            "refu": 0,
            **UNUSED,
            "status": "open" if order.open else "finished",
        }
        if not order.open:
            row |= {"finish_as": finish_word(order), "finish_time": order.updated_ms // 1000}
        return row

    @route("PUT /api/v4/futures/usdt/orders/{order_id}", trading=True, costs={"futures_orders": 1})
    def amend(self, call: Call) -> Any:
        """Its size keeps its sign, and a size that is filled already cancels the order, as gate-api 7.2.161, Gate's own
        client, says (FuturesOrderAmendment)."""
        order, size = self.plain(call), call.decimal_or_none("size")
        if size is not None and (size > 0) != (order.side is Side.BUY):
            raise Rejected(Reason.BAD_PARAMETER, "size")
        changed = self.amended(
            call, order, None if size is None else abs(size), call.decimal_or_none("price")
        )
        return self._order_row(call, changed)

    @route("POST /api/v4/futures/usdt/batch_amend_orders", trading=True, costs={"futures_orders": 1})
    def amend_batch(self, call: Call) -> Any:
        asked = [{**each, "order_id": each.get("order_id") or each.get("text")} for each in listed_body(call)]
        told = self.each(call, asked, call.path, self.amend)
        return [in_batch(answer, order) for answer, order in zip(told, asked, strict=True)]

    @route("POST /api/v4/futures/usdt/batch_cancel_orders", trading=True, costs={"cancels": 1})
    def cancel_batch(self, call: Call) -> Any:
        """A list of ids, as gate-api 7.2.161, Gate's own client, sends it (FutureCancelOrderResult)."""
        names = call.body_params.get("")
        if not isinstance(names, list):
            raise Rejected(Reason.BAD_PARAMETER, "ids")
        told = self.each(call, [{"order_id": str(each)} for each in names], call.path, self.cancel)
        return [
            {
                "user_id": 1,
                "id": str(name),
                "succeeded": "label" not in answer,
                "message": answer.get("label", ""),
            }
            for name, answer in zip(names, told, strict=True)
        ]

    @route("GET /api/v4/futures/usdt/orders_timerange", costs={"order_reads": 1})
    def orders_between(self, call: Call) -> Any:
        start, end, wanted = call.integer("from", 0), call.integer("to", LATEST), call.text("contract", "")
        found = [
            order
            for order in reversed(self.desk.book(call.account).orders.values())
            if is_plain(order)
            and wanted in ("", order.market.symbol)
            and start <= order.created_ms // 1000 <= end
        ]
        return page_of(call, [self._order_row(call, order) for order in found])

    @route("GET /api/v4/futures/usdt/orders/{order_id}", costs={"order_reads": 1})
    def order(self, call: Call) -> Any:
        return self._order_row(call, self.plain(call))

    @route("DELETE /api/v4/futures/usdt/orders/{order_id}", trading=True, costs={"cancels": 1})
    def cancel(self, call: Call) -> Any:
        return self._order_row(call, self.desk.cancel(call.account, self.plain(call)))

    @route("GET /api/v4/futures/usdt/orders", costs={"order_reads": 1})
    def orders(self, call: Call) -> Any:
        found = self.listed(call, "contract", records=False)
        return page_of(call, [self._order_row(call, order) for order in found])

    @route("DELETE /api/v4/futures/usdt/orders", trading=True, costs={"cancels": 1})
    def cancel_all(self, call: Call) -> Any:
        found = self.listed(call, "contract", records=False)
        return [self._order_row(call, order) for order in self.cancelled(call, found)]

    # -- trigger orders --------------------------------------------------------------------------------

    @route("POST /api/v4/futures/usdt/price_orders", trading=True, costs={"triggers": 1})
    def place_trigger(self, call: Call) -> Any:
        initial, trigger = part_of(call, "initial"), part_of(call, "trigger")
        market, price = self.desk.market(initial.text("contract")), trigger.decimal("price")
        rises = trigger.one_of("rule", {"1": True, "2": False})
        self.check_crossed(market, price, rises=rises)
        by = trigger.one_of("price_type", TRIGGERS, "0")
        ticket = self._ticket(call, initial, rises=rises, trigger_price=price, trigger_by=by)
        return {"id": int(self.desk.place(call.account, ticket).id)}

    def _record_row(self, call: Call, order: Order) -> dict[str, Any]:
        ticket, sign = order.ticket, 1 if order.side is Side.BUY else -1
        fired = order.triggered_ms is not None and order.status is not OrderStatus.REJECTED
        size = sign * int(ticket.quantity or ZERO)
        row = {
            "id": int(order.id),
            "id_string": order.id,
            "user": 1,
            "initial": {
                "contract": order.market.symbol,
                "size": size,
                "amount": str(size),
                "price": text(order.price),
                "tif": ticket.extra["tif"],
                "text": order.client_id,
                "is_reduce_only": ticket.extra["reduces"],
                "is_close": ticket.extra["close"],
                "auto_size": "",
            },
            "trigger": {
                "strategy_type": 0,
                "price_type": list(TRIGGERS.values()).index(ticket.trigger_by),
                "price": text(order.trigger_price),
                "rule": 1 if ticket.trigger_rises else 2,
                "expiration": 0,
            },
            "status": "open" if record_open(order) else "finished",
            "trade_id": int(order.live_id) if fired else 0,
            "reason": "",
            "order_type": "",
            "create_time": order.created_ms // 1000,
        }
        ends = {OrderStatus.REJECTED: "failed", OrderStatus.EXPIRED: "expired"}
        if not record_open(order):
            row["finish_as"] = "succeeded" if fired else ends.get(order.status, "cancelled")
        return row

    @route(
        "PUT /api/v4/futures/usdt/price_orders/amend/{order_id}",
        "PUT /api/v4/futures/usdt/price_orders/{order_id}",
        trading=True,
        costs={"triggers": 1},
    )
    def amend_trigger(self, call: Call) -> Any:
        """At /amend as in gate-api 7.2.161, Gate's own client (FuturesUpdatePriceTriggeredOrder), else as in ccxt 4.5.90."""
        order, size = self.waiting(call), call.decimal_or_none("size")
        price = call.decimal_or_none("price") if order.price is not None else None
        changes = {"price": price or None, "trigger_price": call.decimal_or_none("trigger_price")}
        self.desk.amend(call.account, order, quantity=abs(size) if size else None, **changes)
        return {"id": int(order.id), "id_string": order.id}

    @route("GET /api/v4/futures/usdt/price_orders", costs={"trigger_reads": 1})
    def triggers(self, call: Call) -> Any:
        found = self.listed(call, "contract", records=True)
        return page_of(call, [self._record_row(call, order) for order in found])

    @route("GET /api/v4/futures/usdt/price_orders/{order_id}", costs={"trigger_reads": 1})
    def trigger(self, call: Call) -> Any:
        return self._record_row(call, self.record(call))

    @route("DELETE /api/v4/futures/usdt/price_orders/{order_id}", trading=True, costs={"cancels": 1})
    def cancel_trigger(self, call: Call) -> Any:
        return self._record_row(call, self.desk.cancel(call.account, self.waiting(call)))

    @route("DELETE /api/v4/futures/usdt/price_orders", trading=True, costs={"cancels": 1})
    def cancel_triggers(self, call: Call) -> Any:
        found = self.listed(call, "contract", records=True)
        return [self._record_row(call, order) for order in self.cancelled(call, found)]

    # -- account ---------------------------------------------------------------------------------------

    @route("GET /api/v4/futures/usdt/accounts")
    def accounts(self, call: Call) -> Any:
        account, wallet, coin = call.account, self.rules.wallet, "USDT"
        hedged = self.desk.book(account).position_mode is PositionMode.HEDGE
        return {
            "currency": coin,
            "total": text(account.total(wallet, coin)),
            "unrealised_pnl": text(account.unrealised(wallet, coin)),
            "available": text(account.free(wallet, coin)),
            "position_margin": text(account.locked(wallet, coin)),
            "order_margin": "0",
            "in_dual_mode": hedged,
            "position_mode": "dual" if hedged else "single",
        }

    @route("GET /api/v4/futures/usdt/positions")
    def positions(self, call: Call) -> Any:
        """All contracts that were ever touched; `holding`: with a size only."""
        book = self.desk.book(call.account)
        if not call.flag("holding"):
            for symbol in {*book.leverages, *book.margin_modes}:
                book.position(self.desk.market(symbol), None)
        held = [each for each in book.positions.values() if each.quantity or not call.flag("holding")]
        return [self._position_row(call, each) for each in held]

    @route("GET /api/v4/futures/usdt/positions/{contract}")
    def position(self, call: Call) -> Any:
        book = self.desk.book(call.account)
        if book.position_mode is PositionMode.HEDGE:
            raise Rejected(Reason.POSITION_MODE)
        return self._position_row(call, book.position(self.desk.market(call.text("contract")), None))

    @route("GET /api/v4/futures/usdt/dual_comp/positions/{contract}")
    def dual_position(self, call: Call) -> Any:
        book, market = self.desk.book(call.account), self.desk.market(call.text("contract"))
        return [self._position_row(call, book.position(market, side)) for side in Direction]

    def _position_row(self, call: Call, position: Position) -> dict[str, Any]:
        market, account = position.market, call.account
        mark, leverage = self.desk.bid(market), text(self.desk.leverage(account, market))
        crossed = self.desk.margin_mode(account, market) is MarginMode.CROSS
        margin = position.notional(position.entry_price) / self.desk.leverage(account, market)
        return {
            "user": 1,
            "contract": market.symbol,
            "size": count_of(call, position.quantity),
            "mode": "single" if position.side is None else f"dual_{position.side}",
            "leverage": "0" if crossed else leverage,
            "cross_leverage_limit": leverage if crossed else "0",
            "leverage_max": text(market.max_leverage),
            "entry_price": text(position.entry_price),
            "mark_price": text(mark),
            "liq_price": "0",
            "value": text(position.notional(mark)),
            "margin": text(margin),
            "initial_margin": text(margin),
            "maintenance_rate": "0.005",
            "maintenance_margin": text(position.notional(mark) * D("0.005")),
            "unrealised_pnl": text(position.unrealised(mark)),
            "realised_pnl": text(position.realised),
            "update_time": position.updated_ms // 1000,
        }

    @route(
        "POST /api/v4/futures/usdt/positions/{contract}/leverage",
        "POST /api/v4/futures/usdt/dual_comp/positions/{contract}/leverage",
    )
    def set_leverage(self, call: Call) -> Any:
        self._check_mode(call)
        symbol, leverage = call.text("contract"), call.decimal("leverage")
        crossed = leverage == 0
        leverage = call.decimal("cross_leverage_limit") if crossed else leverage
        self._set_mode(call, symbol, MarginMode.CROSS if crossed else MarginMode.ISOLATED)
        self.desk.set_leverage(call.account, symbol, leverage)
        return self._told(call, symbol)

    @route(
        "POST /api/v4/futures/usdt/positions/cross_mode",
        "POST /api/v4/futures/usdt/dual_comp/positions/cross_mode",
    )
    def set_margin_mode(self, call: Call) -> Any:
        self._check_mode(call)
        symbol, mode = call.text("contract"), call.one_of("mode", MODES)
        self.desk.set_margin_mode(call.account, symbol, mode)
        return self._told(call, symbol)

    def _check_mode(self, call: Call) -> None:
        hedged = self.desk.book(call.account).position_mode is PositionMode.HEDGE
        if hedged != ("/dual_comp/" in call.path):
            raise Rejected(Reason.POSITION_MODE)

    def _set_mode(self, call: Call, symbol: str, mode: MarginMode) -> None:
        if self.desk.margin_mode(call.account, self.desk.market(symbol)) is not mode:
            self.desk.set_margin_mode(call.account, symbol, mode)

    def _told(self, call: Call, symbol: str) -> Any:
        book, market = self.desk.book(call.account), self.desk.market(symbol)
        if book.position_mode is PositionMode.HEDGE:
            return [self._position_row(call, book.position(market, side)) for side in Direction]
        return self._position_row(call, book.position(market, None))

    @route("POST /api/v4/futures/usdt/dual_mode")
    def set_dual_mode(self, call: Call) -> Any:
        hedged = call.one_of("dual_mode", FLAGS)
        mode = PositionMode.HEDGE if hedged else PositionMode.ONE_WAY
        self.desk.set_position_mode(call.account, mode)
        return self.accounts(call)


def count_of(call: Call, contracts: Decimal) -> Any:
    """A number, or text for callers that ask for decimal sizes."""
    return text(contracts) if call.headers.get("x-gate-size-decimal") == "1" else int(contracts)


def _contract_row(market: Market, price: Decimal) -> dict[str, Any]:
    return {
        "name": market.symbol,
        "type": "direct",
        "quanto_multiplier": text(market.contract_size),
        "order_price_round": text(market.tick),
        "mark_price_round": "0.01",
        "order_size_min": int(market.min_quantity),
        "order_size_max": int(market.max_quantity),
        "enable_decimal": False,
        "leverage_min": "1",
        "leverage_max": text(market.max_leverage),
        "maintenance_rate": "0.005",
        "mark_price": text(price),
        "last_price": text(price),
        "order_price_deviate": "0.5",
        "funding_rate": "0",
        "funding_rate_indicative": "0",
        "funding_interval": 28_800,
        "funding_next_apply": 0,
        "index_price": text(price),
        "maker_fee_rate": "0.0002",
        "taker_fee_rate": "0.0005",
        "in_delisting": False,
        "status": "trading",
        "create_time": 1_600_000_000,
    }


def _contract_trade(call: Call, order: Order, fill: Fill) -> dict[str, Any]:
    sign = 1 if fill.side is Side.BUY else -1
    return {
        "trade_id": str(fill.id),
        "create_time": D(fill.time_ms) / 1000,
        "contract": order.market.symbol,
        "order_id": order.live_id or order.id,
        "size": count_of(call, sign * fill.quantity),
        "close_size": count_of(call, sign * fill.closed),
        "price": text(fill.price),
        "role": "maker" if fill.maker else "taker",
        "text": order.client_id or "api",
        "fee": text(fill.fee),
        "point_fee": "0",
        "trade_value": text(order.market.value(fill.quantity, fill.price)),
    }


def _close_row(order: Order, fill: Fill) -> dict[str, Any]:
    sells, opened = fill.side is Side.SELL, text(fill.opened_at(order.market))
    fee = fill.fee * fill.closed / fill.quantity
    prices = (opened, text(fill.price)) if sells else (text(fill.price), opened)
    return {
        "time": D(fill.time_ms) / 1000,
        "contract": order.market.symbol,
        "side": "long" if sells else "short",
        "pnl": text(fill.realised - fee),
        "pnl_pnl": text(fill.realised),
        "pnl_fee": text(-fee),
        "pnl_fund": "0",
        "text": order.client_id or "api",
        "leverage": "0",
        "accum_size": text(fill.closed),
        "max_size": text(fill.closed),
        "first_open_time": order.created_ms // 1000,
        "long_price": prices[0],
        "short_price": prices[1],
    }
