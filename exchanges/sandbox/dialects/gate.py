"""Gate v4 as its clients see it: refusals are a `label` with an HTTP status; trigger orders are records of their own that
fire plain orders under other ids; perpetuals count signed contracts. https://www.gate.com/docs/developers/apiv4/en/."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Dialect, Route, route
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
    decimals_of,
    text,
)
from exchanges.sandbox.wire import Answered, Call, Reply, encode
from exchanges.types import (
    Direction,
    MarginMode,
    OrderStatus,
    OrderType,
    PositionMode,
    Product,
    Side,
    TimeInForce,
    TriggerBy,
)

D = Decimal
WINDOW_SECONDS = 60
MONTH_SECONDS = 2_592_000
LARGEST_BATCH = 10
#: a second that never comes
LATEST = 10**11
TEXT = re.compile(r"t-[0-9A-Za-z_.-]{1,28}")
SIDES = {each.value: each for each in Side}
TIMES = {each.value: each for each in TimeInForce} | {"poc": TimeInForce.GTC}
MODES = {each.value.upper(): each for each in MarginMode}
TRIGGERS = {"0": TriggerBy.LAST, "1": TriggerBy.MARK, "2": TriggerBy.INDEX}
FLAGS = {"true": True, "false": False}
#: reason -> (label on spot, label on futures, HTTP status, words); {} is the detail
REFUSALS = {
    Reason.NO_KEY: (
        "MISSING_REQUIRED_HEADER",
        "MISSING_REQUIRED_HEADER",
        400,
        "Missing required header: KEY",
    ),
    Reason.BAD_KEY: ("INVALID_KEY", "INVALID_KEY", 401, "Invalid key provided"),
    Reason.BAD_SIGNATURE: ("INVALID_SIGNATURE", "INVALID_SIGNATURE", 401, "Signature mismatch"),
    Reason.BAD_TIMESTAMP: (
        "REQUEST_EXPIRED",
        "REQUEST_EXPIRED",
        403,
        "gap between request Timestamp is over 60",
    ),
    Reason.NO_PERMISSION: ("READ_ONLY", "READ_ONLY", 403, "The key is read-only"),
    Reason.THROTTLED: ("TOO_MANY_REQUESTS", "TOO_MANY_REQUESTS", 429, "Request Rate Limit Exceeded"),
    Reason.MAINTENANCE: ("TOO_BUSY", "TOO_BUSY", 503, "System is too busy"),
    Reason.INTERNAL: ("INTERNAL", "INTERNAL", 500, "Internal server error"),
    Reason.UNKNOWN_PATH: ("NOT_FOUND", "NOT_FOUND", 404, "Requested path not found"),
    Reason.UNKNOWN_SYMBOL: (
        "INVALID_CURRENCY_PAIR",
        "CONTRACT_NOT_FOUND",
        400,
        "Invalid currency pair or contract {}",
    ),
    Reason.QUANTITY_STEP: ("INVALID_PRECISION", "INVALID_PARAM_VALUE", 400, "invalid size {}"),
    Reason.PRICE_TICK: ("INVALID_PRECISION", "INVALID_PARAM_VALUE", 400, "invalid price {}"),
    Reason.MIN_QUANTITY: ("INVALID_PARAM_VALUE", "SIZE_TOO_SMALL", 400, "Your order size {} is too small"),
    Reason.MIN_NOTIONAL: ("INVALID_PARAM_VALUE", "SIZE_TOO_SMALL", 400, "The minimum is {}"),
    Reason.MAX_QUANTITY: ("AMOUNT_TOO_MUCH", "SIZE_TOO_LARGE", 400, "Size {} is too large"),
    Reason.DUPLICATE: ("REPEATED_CREATION", "REPEATED_CREATION", 400, "Order text is used already"),
    Reason.INSUFFICIENT: ("BALANCE_NOT_ENOUGH", "INSUFFICIENT_AVAILABLE", 400, "Not enough {}"),
    Reason.REDUCE_ONLY: (
        "INVALID_PARAM_VALUE",
        "INCREASE_POSITION",
        400,
        "the order would increase the position",
    ),
    Reason.POST_ONLY: (
        "POC_FILL_IMMEDIATELY",
        "ORDER_POC_IMMEDIATE",
        400,
        "Order would match and take immediately so its cancelled",
    ),
    Reason.NOT_FILLABLE: ("FOK_NOT_FILL", "ORDER_FOK", 400, "Order cannot be filled completely"),
    Reason.STOP_REFUSED: ("TOO_MANY_ORDERS", "TOO_MANY_ORDERS", 400, "Too many trigger orders"),
    Reason.TOO_MANY_ORDERS: ("TOO_MANY_ORDERS", "TOO_MANY_ORDERS", 400, "Too many open orders"),
    Reason.UNKNOWN_ORDER: ("ORDER_NOT_FOUND", "ORDER_NOT_FOUND", 404, "Order not found"),
    Reason.NOT_OPEN: ("ORDER_NOT_FOUND", "ORDER_NOT_FOUND", 404, "Order not found"),
    Reason.LEVERAGE: ("LEVERAGE_TOO_HIGH", "LEVERAGE_TOO_HIGH", 400, "leverage {} is out of range"),
    Reason.NOT_MODIFIED: ("NO_CHANGE", "NO_CHANGE", 400, "No change is made"),
    Reason.POSITION_MODE: ("POSITION_DUAL_MODE", "POSITION_DUAL_MODE", 400, "position is in another mode"),
    Reason.HAS_OPEN_ORDERS: ("ORDER_PENDING", "ORDER_PENDING", 400, "there are open orders"),
    Reason.HAS_POSITION: ("POSITION_HOLDING", "POSITION_HOLDING", 400, "there is a position"),
}
#: base, tick and step of the pair, tick and coins per contract; quoted in USDT
COINS = (
    ("BTC", "0.1", "0.00001", "0.1", "0.0001"),
    ("ETH", "0.01", "0.0001", "0.01", "0.01"),
    ("SOL", "0.01", "0.001", "0.01", "1"),
    ("XRP", "0.0001", "0.1", "0.0001", "10"),
    ("DOGE", "0.00001", "1", "0.00001", "10"),
    ("LTC", "0.01", "0.001", "0.01", "0.1"),
)


def _pair(base: str, coin: str, tick: str, step: str) -> Market:
    return Market(f"{base}_{coin}", base, coin, Product.SPOT, D(tick), D(step), D(step), D(3))


def _contract(base: str, tick: str, size: str) -> Market:
    most = D(1_000_000)
    return Market(
        f"{base}_USDT", base, "USDT", Product.LINEAR, D(tick), D(1), D(1), ZERO, most, most, D(size), D(100)
    )


PAIRS = (
    *(_pair(base, "USDT", tick, step) for base, tick, step, _, _ in COINS),
    _pair("BTC", "USDC", "0.1", "0.00001"),
)
CONTRACTS = tuple(_contract(base, tick, size) for base, _, _, tick, size in COINS)


def _signature(secret: str, signed: str) -> str:
    return hmac.new(secret.encode(), signed.encode(), hashlib.sha512).hexdigest()


class _Gate(Dialect):
    family = "gate"
    default_costs = {"private": 1}

    # -- the frame -------------------------------------------------------------------------------------

    def key_of(self, call: Call) -> str:
        return call.headers.get("key", "")

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_hex(16), secrets.token_hex(32), ""

    def authenticate(self, call: Call) -> Account:
        key, stamp, given = (call.headers.get(name, "") for name in ("key", "timestamp", "sign"))
        if not key or not stamp or not given:
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        if not re.fullmatch(r"\d+(\.\d+)?", stamp) or abs(D(stamp) - D(call.now_ms) / 1000) > WINDOW_SECONDS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        digest = hashlib.sha512(call.body).hexdigest()
        targets = (target.partition("?") for target in call.targets())
        signed = (f"{call.method}\n{path}\n{query}\n{digest}\n{stamp}" for path, _, query in targets)
        if not any(hmac.compare_digest(_signature(account.secret, each), given) for each in signed):
            raise Rejected(Reason.BAD_SIGNATURE)
        if call.method != "GET" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        fallback = ("INVALID_PARAM_VALUE", "INVALID_PARAM_VALUE", 400, "invalid argument: {}")
        spot, futures, status, words = REFUSALS.get(reason, fallback)
        label = spot if self.product is Product.SPOT else futures
        return _error(label, words.format(detail), status)

    def usage_headers(self, used: Mapping[str, int]) -> dict[str, str]:
        for limit in self.limits:
            if limit.name in used:
                left = max(limit.capacity - used[limit.name], 0)
                names = {"limit": limit.capacity, "requests-remain": left}
                return {f"x-gate-ratelimit-{name}": str(value) for name, value in names.items()}
        return {}

    @route("GET /api/v4/spot/time", public=True, costs={"time": 1})
    def time(self, call: Call) -> Any:
        return {"server_time": call.now_ms}

    @route("GET /api/v4/account/main_keys")
    def main_keys(self, call: Call) -> Any:
        may = call.account.permissions
        perms = [{"name": name, "read_only": "trade" not in may} for name in ("spot", "futures")]
        if "withdraw" in may:
            perms.append({"name": "wallet", "read_only": False})
        return {"state": 1, "mode": 1, "perms": perms, "ip_whitelist": [], "key": call.account.key}

    @route("GET /api/v4/account/detail")
    def detail(self, call: Call) -> Any:
        return {"user_id": 1, "ip_whitelist": [], "key": {"mode": 1}, "tier": 0}

    # -- what both products share ----------------------------------------------------------------------

    def listed(self, call: Call, name: str, *, records: bool) -> list[Order]:
        """Newest first: open ones, or ended ones; `records` are trigger orders whatever became of them."""
        wanted = call.text(name, "")
        is_open = call.one_of("status", {"open": True, "finished": False}, "open")
        return [
            order
            for order in reversed(self.desk.book(call.account).orders.values())
            if wanted in ("", order.market.symbol)
            and (_record_open(order) if records else order.open) is is_open
            and (order.ticket.type.conditional if records else _is_plain(order))
        ]

    def plain(self, call: Call) -> Order:
        """By the id among plain orders, or by text."""
        name = call.text("order_id")
        by_text = name.startswith("t-")
        found = self.desk.order(
            call.account, order_id="" if by_text else name, client_id=name if by_text else ""
        )
        if found is None or not _is_plain(found) or (not by_text and name != (found.live_id or found.id)):
            raise Rejected(Reason.UNKNOWN_ORDER)
        if self.forgotten(found, by_text=by_text):
            raise Rejected(Reason.UNKNOWN_ORDER)
        return found

    @abstractmethod
    def forgotten(self, order: Order, *, by_text: bool) -> bool:
        """Whether an order that ended is not told of any more."""

    def traded(self, call: Call, name: str) -> list[tuple[Order, Fill]]:
        """Newest first, from `from` to `to`, seconds that both belong to it."""
        wanted, start, end = call.text(name, ""), call.integer("from", 0), call.integer("to", LATEST)
        found = [
            (order, fill)
            for order in self.desk.book(call.account).orders.values()
            for fill in order.fills
            if wanted in ("", order.market.symbol) and start <= fill.time_ms // 1000 <= end
        ]
        return sorted(found, key=lambda pair: pair[1].id, reverse=True)

    def record(self, call: Call) -> Order:
        found = self.desk.book(call.account).orders.get(call.text("order_id"))
        if found is None or not found.ticket.type.conditional:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return found

    def waiting(self, call: Call) -> Order:
        found = self.record(call)
        if not _record_open(found):
            raise Rejected(Reason.NOT_OPEN)
        return found

    def cancelled(self, call: Call, orders: Iterable[Order]) -> list[Order]:
        return [self.desk.cancel(call.account, order) for order in orders if order.open]

    def place_all(self, call: Call, read: Callable[[Call], Ticket], place: Callable[[Call], Any]) -> Any:
        """One order that is wrong in itself refuses them all, before any is placed."""
        orders = call.body_params.get("")
        if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "orders")
        for each in orders:
            read(replace(call, body=encode(each)))
        told = self.each(call, orders, call.path, place)
        return [_in_batch(answer, order) for answer, order in zip(told, orders, strict=True)]

    def costs(self, route: Route, call: Call) -> Mapping[str, int]:
        """Each order of a batch counts."""
        found = super().costs(route, call)
        orders = call.body_params.get("") if route.handler == "place_batch" else None
        many = len(orders) if isinstance(orders, list) else 1
        return {name: cost * many for name, cost in found.items()}

    def check_crossed(self, market: Market, trigger: Decimal, *, rises: bool) -> None:
        last = self.desk.bid(market)
        if rises and trigger <= last:
            raise _answered("AUTO_TRIGGER_PRICE_GREATE_LAST", "Trigger.Price must > last_price")
        if not rises and trigger >= last:
            raise _answered("AUTO_TRIGGER_PRICE_LESS_LAST", "Trigger.Price must < last_price")


_LIMITS = (
    Limit("spot_orders", "spot_orders", 10, 1),
    Limit("futures_orders", "futures_orders", 100, 1),
    Limit("cancels", "cancels", 200, 1),
    *(
        Limit(name, name, 200, 10)
        for name in ("private", "triggers", "order_reads", "trigger_reads", "fills")
    ),
    *(Limit(name, name, 200, 10, Owner.ADDRESS) for name in ("time", "instruments", "tickers")),
)


def _rules(wallet: str, maker: str, taker: str) -> Rules:
    return Rules(
        maker_fee=D(maker),
        taker_fee=D(taker),
        wallet=wallet,
        client_ids=ClientIds.REUSABLE,
        new_id_on_trigger=True,
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(95_282_000_000 + number),
        default_leverage=D(10),
    )


class GateSpot(_Gate):
    name, product, markets = "Gate", Product.SPOT, PAIRS
    limits = _LIMITS
    rules = _rules("spot", "0.002", "0.002")

    @route("GET /api/v4/spot/currency_pairs", public=True, costs={"instruments": 1})
    def pairs(self, call: Call) -> Any:
        return [_pair_row(market) for market in self.markets]

    @route("GET /api/v4/margin/currency_pairs", "GET /api/v4/spot/currencies", public=True, costs={})
    def nothing(self, call: Call) -> Any:
        return []

    @route("GET /api/v4/spot/tickers", public=True, costs={"tickers": 1})
    def tickers(self, call: Call) -> Any:
        wanted = call.text("currency_pair", "")
        markets = [self.desk.market(wanted)] if wanted else self.markets
        return [
            {
                "currency_pair": market.symbol,
                "last": text(self.desk.bid(market)),
                "lowest_ask": text(self.desk.ask(market)),
                "highest_bid": text(self.desk.bid(market)),
            }
            for market in markets
        ]

    # -- plain orders ----------------------------------------------------------------------------------

    def forgotten(self, order: Order, *, by_text: bool) -> bool:
        return by_text and not self.desk.remembers(order, 3600)

    @route("GET /api/v4/spot/my_trades", costs={"fills": 1})
    def my_trades(self, call: Call) -> Any:
        return _page(call, [_spot_trade(*each) for each in self.traded(call, "currency_pair")])

    @route("POST /api/v4/spot/orders", trading=True, costs={"spot_orders": 1})
    def place(self, call: Call) -> Any:
        return _spot_row(self.desk.place(call.account, self._plain_ticket(call)))

    @route("POST /api/v4/spot/batch_orders", trading=True, costs={"spot_orders": 1})
    def place_batch(self, call: Call) -> Any:
        return self.place_all(call, self._plain_ticket, self.place)

    def _plain_ticket(self, call: Call) -> Ticket:
        side, force = call.one_of("side", SIDES), call.text("time_in_force", "gtc")
        limit = call.one_of("type", {"limit": True, "market": False}, "limit")
        if not limit and force not in ("ioc", "fok"):
            raise Rejected(Reason.BAD_PARAMETER, "time_in_force")
        amount, by_quote = call.decimal("amount"), not limit and side is Side.BUY
        return Ticket(
            call.text("currency_pair"),
            side,
            OrderType.LIMIT if limit else OrderType.MARKET,
            quantity=None if by_quote else amount,
            quote_quantity=amount if by_quote else None,
            price=call.decimal("price") if limit else None,
            time_in_force=call.one_of("time_in_force", TIMES, "gtc"),
            post_only=force == "poc",
            client_id=_checked_text(call),
            extra={"tif": force},
        )

    @route("GET /api/v4/spot/orders/{order_id}", costs={"order_reads": 1})
    def order(self, call: Call) -> Any:
        return _spot_row(self.plain(call))

    @route("DELETE /api/v4/spot/orders/{order_id}", trading=True, costs={"cancels": 1})
    def cancel(self, call: Call) -> Any:
        self.desk.market(call.text("currency_pair"))
        return _spot_row(self.desk.cancel(call.account, self.plain(call)))

    @route("GET /api/v4/spot/orders", costs={"order_reads": 1})
    def orders(self, call: Call) -> Any:
        rows = [_spot_row(order) for order in self.listed(call, "currency_pair", records=False)]
        return _page(call, rows)

    @route("GET /api/v4/spot/open_orders", costs={"order_reads": 1})
    def open_orders(self, call: Call) -> Any:
        groups: dict[str, list[Any]] = {}
        for order in self.listed(call, "currency_pair", records=False):
            groups.setdefault(order.market.symbol, []).append(_spot_row(order))
        return [
            {"currency_pair": symbol, "total": len(rows), "orders": _page(call, rows)}
            for symbol, rows in groups.items()
        ]

    @route("DELETE /api/v4/spot/orders", trading=True, costs={"cancels": 1})
    def cancel_all(self, call: Call) -> Any:
        found = self.listed(call, "currency_pair", records=False)
        return [_spot_row(order) | {"succeeded": True} for order in self.cancelled(call, found)]

    # -- trigger orders --------------------------------------------------------------------------------

    @route("POST /api/v4/spot/price_orders", trading=True, costs={"triggers": 1})
    def place_trigger(self, call: Call) -> Any:
        put, trigger = _part(call, "put"), _part(call, "trigger")
        if put.text("type", "limit") != "limit":
            raise Rejected(Reason.BAD_PARAMETER, "put.type")
        if not 60 <= trigger.integer("expiration") <= MONTH_SECONDS:
            raise Rejected(Reason.BAD_PARAMETER, "trigger.expiration invalid range")
        market, side = self.desk.market(call.text("market")), put.one_of("side", SIDES)
        rises, force = trigger.one_of("rule", {">=": True, "<=": False}), put.text("time_in_force", "gtc")
        self.check_crossed(market, trigger.decimal("price"), rises=rises)
        stop = rises == (side is Side.BUY)
        ticket = Ticket(
            market.symbol,
            side,
            OrderType.STOP_LIMIT if stop else OrderType.TAKE_PROFIT_LIMIT,
            quantity=put.decimal("amount"),
            price=put.decimal("price"),
            trigger_price=trigger.decimal("price"),
            rises=rises,
            time_in_force=put.one_of(
                "time_in_force", {"gtc": TimeInForce.GTC, "ioc": TimeInForce.IOC}, "gtc"
            ),
            client_id=put.text("text", "") or trigger.text("text", ""),
            extra={"tif": force, "expiration": trigger.integer("expiration")},
        )
        return {"id": int(self.desk.place(call.account, ticket).id)}

    @route("GET /api/v4/spot/price_orders", costs={"trigger_reads": 1})
    def triggers(self, call: Call) -> Any:
        return _page(call, [_spot_record(order) for order in self.listed(call, "market", records=True)])

    @route("GET /api/v4/spot/price_orders/{order_id}", costs={"trigger_reads": 1})
    def trigger(self, call: Call) -> Any:
        return _spot_record(self.record(call))

    @route("DELETE /api/v4/spot/price_orders/{order_id}", trading=True, costs={"cancels": 1})
    def cancel_trigger(self, call: Call) -> Any:
        return _spot_record(self.desk.cancel(call.account, self.waiting(call)))

    @route("DELETE /api/v4/spot/price_orders", trading=True, costs={"cancels": 1})
    def cancel_triggers(self, call: Call) -> Any:
        found = self.listed(call, "market", records=True)
        return [_spot_record(order) for order in self.cancelled(call, found)]

    @route("GET /api/v4/spot/accounts")
    def accounts(self, call: Call) -> Any:
        account, wallet = call.account, self.rules.wallet
        return [
            {
                "currency": coin,
                "available": text(account.free(wallet, coin)),
                "locked": text(account.locked(wallet, coin)),
                "update_id": 1,
            }
            for coin in account.wallets[wallet]
        ]


class GateFutures(_Gate):
    name, product, markets = "Gate_F", Product.LINEAR, CONTRACTS
    limits = _LIMITS
    rules = _rules("futures", "0.0002", "0.0005")

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
            prices = {"last": bid, "mark_price": bid, "index_price": bid, "highest_bid": bid}
            rows.append({"contract": market.symbol, "lowest_ask": ask, **prices})
        return rows

    # -- plain orders ----------------------------------------------------------------------------------

    def forgotten(self, order: Order, *, by_text: bool) -> bool:
        return not order.filled and not self.desk.remembers(order, 60 if by_text else 600)

    @route("GET /api/v4/futures/usdt/my_trades_timerange", costs={"fills": 1})
    def my_trades(self, call: Call) -> Any:
        return _page(call, [_contract_trade(call, *each) for each in self.traded(call, "contract")])

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
            client_id=order.text("text", "") if trigger else _checked_text(order),
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
            raise _answered("POSITION_EMPTY", "empty position")
        return -held

    def _order_row(self, call: Call, order: Order) -> dict[str, Any]:
        ticket, sign = order.ticket, 1 if order.side is Side.BUY else -1
        market = order.ticket.type in (OrderType.MARKET, OrderType.STOP, OrderType.TAKE_PROFIT)
        row = {
            "id": int(order.live_id or order.id),
            "user": 1,
            "contract": order.market.symbol,
            "create_time": order.created_ms // 1000,
            "size": _count(call, sign * order.quantity),
            "left": _count(call, sign * order.remaining),
            "price": text(order.price),
            "tif": "ioc" if market else ticket.extra["tif"],
            "fill_price": text(order.average_price),
            "text": order.client_id or "api",
            "tkfr": text(self.rules.taker_fee),
            "mkfr": text(self.rules.maker_fee),
            "is_reduce_only": ticket.extra["reduces"],
            "is_close": ticket.extra["close"],
            "is_liq": False,
            "status": "open" if order.open else "finished",
        }
        if not order.open:
            row |= {"finish_as": _finish(order), "finish_time": order.updated_ms // 1000}
        return row

    @route("GET /api/v4/futures/usdt/orders/{order_id}", costs={"order_reads": 1})
    def order(self, call: Call) -> Any:
        return self._order_row(call, self.plain(call))

    @route("DELETE /api/v4/futures/usdt/orders/{order_id}", trading=True, costs={"cancels": 1})
    def cancel(self, call: Call) -> Any:
        return self._order_row(call, self.desk.cancel(call.account, self.plain(call)))

    @route("GET /api/v4/futures/usdt/orders", costs={"order_reads": 1})
    def orders(self, call: Call) -> Any:
        found = self.listed(call, "contract", records=False)
        return _page(call, [self._order_row(call, order) for order in found])

    @route("DELETE /api/v4/futures/usdt/orders", trading=True, costs={"cancels": 1})
    def cancel_all(self, call: Call) -> Any:
        found = self.listed(call, "contract", records=False)
        return [self._order_row(call, order) for order in self.cancelled(call, found)]

    # -- trigger orders --------------------------------------------------------------------------------

    @route("POST /api/v4/futures/usdt/price_orders", trading=True, costs={"triggers": 1})
    def place_trigger(self, call: Call) -> Any:
        initial, trigger = _part(call, "initial"), _part(call, "trigger")
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
            "status": "open" if _record_open(order) else "finished",
            "trade_id": int(order.live_id) if fired else 0,
            "reason": "",
            "order_type": "",
            "create_time": order.created_ms // 1000,
        }
        ends = {OrderStatus.REJECTED: "failed", OrderStatus.EXPIRED: "expired"}
        if not _record_open(order):
            row["finish_as"] = "succeeded" if fired else ends.get(order.status, "cancelled")
        return row

    @route("GET /api/v4/futures/usdt/price_orders", costs={"trigger_reads": 1})
    def triggers(self, call: Call) -> Any:
        found = self.listed(call, "contract", records=True)
        return _page(call, [self._record_row(call, order) for order in found])

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
            "size": _count(call, position.quantity),
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


# -- how things are written ------------------------------------------------------------------------------


def _error(label: str, words: str, status: int = 400) -> Reply:
    return Reply({"label": label, "message": words}, status)


def _answered(label: str, words: str) -> Answered:
    return Answered(_error(label, words))


def _in_batch(answer: dict[str, Any], order: Mapping[str, Any]) -> dict[str, Any]:
    if "label" not in answer:
        return {"succeeded": True, "label": "", **answer}
    words = {"label": answer["label"], "message": answer["message"], "detail": answer["message"]}
    return {"succeeded": False, "text": order.get("text", ""), **words}


def _part(call: Call, name: str) -> Call:
    """An object inside the body, read like a body of its own."""
    inner = call.body_params.get(name)
    if not isinstance(inner, Mapping):
        raise Rejected(Reason.MISSING_PARAMETER, name)
    part = Call(
        call.method, call.path, "", b"", call.headers, call.address, call.now_ms, signed_by=call.signed_by
    )
    part.body_params = dict(inner)
    return part


def _checked_text(call: Call) -> str:
    told = call.text("text", "")
    if told and not TEXT.fullmatch(told):
        raise Rejected(Reason.BAD_PARAMETER, "text")
    return told


def _record_open(order: Order) -> bool:
    return order.open and order.waiting


def _is_plain(order: Order) -> bool:
    """Placed as such, or fired by a trigger order."""
    return not order.ticket.type.conditional or bool(order.live_id)


def _finish(order: Order) -> str:
    if order.status is OrderStatus.FILLED:
        return "filled"
    told = {"unfilled": "ioc", Reason.REDUCE_ONLY: "reduce_only", "position_closed": "position_closed"}
    return told.get(order.reason, "cancelled")


def _count(call: Call, contracts: Decimal) -> Any:
    """A number, or text for callers that ask for decimal sizes."""
    return text(contracts) if call.headers.get("x-gate-size-decimal") == "1" else int(contracts)


def _page(call: Call, rows: list[Any]) -> list[Any]:
    limit = call.integer("limit", 100)
    first = call.integer("offset", 0) + limit * (call.integer("page", 1) - 1)
    return rows[first : first + limit]


def _pair_row(market: Market) -> dict[str, Any]:
    return {
        "id": market.symbol,
        "base": market.base,
        "quote": market.quote,
        "fee": "0.2",
        "min_base_amount": text(market.min_quantity),
        "min_quote_amount": text(market.min_notional),
        "amount_precision": decimals_of(market.step),
        "precision": decimals_of(market.tick),
        "trade_status": "tradable",
        "type": "normal",
    }


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
        "in_delisting": False,
        "status": "trading",
        "create_time": 1_600_000_000,
    }


def _spot_row(order: Order) -> dict[str, Any]:
    ticket, paid = order.ticket, order.fees()
    by_quote = ticket.quote_quantity is not None
    amount = ticket.quote_quantity if by_quote else order.quantity
    left = (ticket.quote_quantity or ZERO) - order.quote_filled if by_quote else order.remaining
    states = {OrderStatus.OPEN: "open", OrderStatus.FILLED: "closed"}
    return {
        "id": order.live_id or order.id,
        "text": order.client_id or "apiv4",
        "create_time": str(order.created_ms // 1000),
        "update_time": str(order.updated_ms // 1000),
        "create_time_ms": order.created_ms,
        "update_time_ms": order.updated_ms,
        "status": states.get(order.status, "cancelled"),
        "currency_pair": order.market.symbol,
        "type": "limit" if order.price is not None else "market",
        "account": "spot",
        "side": order.side.value,
        "amount": text(amount),
        "price": text(order.price),
        "time_in_force": ticket.extra["tif"],
        "left": text(left),
        "filled_amount": text(order.filled),
        "fill_price": text(order.quote_filled),
        "filled_total": text(order.quote_filled),
        "avg_deal_price": text(order.average_price),
        "fee": text(sum(paid.values(), ZERO)),
        "fee_currency": next(iter(paid), order.market.base if order.side is Side.BUY else order.market.quote),
        "point_fee": "0",
        "gt_fee": "0",
        "rebated_fee": "0",
        "rebated_fee_currency": order.market.quote,
        "finish_as": "open" if order.open else _finish(order),
    }


def _spot_trade(order: Order, fill: Fill) -> dict[str, Any]:
    return {
        "id": str(fill.id),
        "create_time": str(fill.time_ms // 1000),
        "create_time_ms": f"{fill.time_ms}.000000",
        "currency_pair": order.market.symbol,
        "side": fill.side.value,
        "role": "maker" if fill.maker else "taker",
        "amount": text(fill.quantity),
        "price": text(fill.price),
        "order_id": order.live_id or order.id,
        "fee": text(fill.fee),
        "fee_currency": fill.fee_asset,
        "point_fee": "0",
        "gt_fee": "0",
        "text": order.client_id or "apiv4",
    }


def _contract_trade(call: Call, order: Order, fill: Fill) -> dict[str, Any]:
    sign = 1 if fill.side is Side.BUY else -1
    return {
        "trade_id": str(fill.id),
        "create_time": D(fill.time_ms) / 1000,
        "contract": order.market.symbol,
        "order_id": order.live_id or order.id,
        "size": _count(call, sign * fill.quantity),
        "close_size": _count(call, ZERO),
        "price": text(fill.price),
        "role": "maker" if fill.maker else "taker",
        "text": order.client_id or "api",
        "fee": text(fill.fee),
        "point_fee": "0",
    }


def _spot_record(order: Order) -> dict[str, Any]:
    ticket = order.ticket
    fired = order.triggered_ms is not None and order.status is not OrderStatus.REJECTED
    ends = {OrderStatus.REJECTED: "failed", OrderStatus.EXPIRED: "expired"}
    status = "open" if _record_open(order) else "finish" if fired else ends.get(order.status, "cancelled")
    return {
        "id": int(order.id),
        "user": 1,
        "market": order.market.symbol,
        "put": {
            "type": "limit",
            "side": order.side.value,
            "price": text(order.price),
            "amount": text(order.quantity),
            "account": "normal",
            "time_in_force": ticket.extra["tif"],
            "text": order.client_id,
        },
        "trigger": {
            "price": text(order.trigger_price),
            "rule": ">=" if ticket.trigger_rises else "<=",
            "expiration": ticket.extra["expiration"],
        },
        "status": status,
        "fired_order_id": int(order.live_id) if fired else 0,
        "reason": "",
        "ctime": order.created_ms // 1000,
        "ftime": 0 if status == "open" else order.updated_ms // 1000,
    }
