"""Bitfinex v2 as its clients see it: arrays instead of objects, refusals with HTTP 500, one host for spot and perpetuals.

An accepted order is told as active whatever becomes of it at once: clients read the outcome in the lists. What the
exchange takes first and then cancels (post-only, reduce-only, fill-or-kill) it takes here too. Simpler than the original:
prices are cut to the market's first tick. https://docs.bitfinex.com.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from email.utils import format_datetime
from typing import Any

from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.meter import Exceeded, Limit, Owner
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
    floor_to,
    text,
)
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import OrderStatus, OrderType, Product, Side, TimeInForce

D = Decimal
REDUCE_ONLY, POST_ONLY, OCO = 1024, 4096, 16384
SPOT_MARK = "EXCHANGE "
TYPES = {
    "MARKET": (OrderType.MARKET, TimeInForce.GTC),
    "LIMIT": (OrderType.LIMIT, TimeInForce.GTC),
    "IOC": (OrderType.LIMIT, TimeInForce.IOC),
    "FOK": (OrderType.LIMIT, TimeInForce.FOK),
    "STOP": (OrderType.STOP, TimeInForce.GTC),
    "STOP LIMIT": (OrderType.STOP_LIMIT, TimeInForce.GTC),
}
CODES = {"USDT": "UST", "USDC": "UDC"}
INVALID = "{}: invalid"
#: reason -> (code, words, HTTP status); {} is the detail
REFUSALS = {
    Reason.NO_KEY: (10100, "apikey: invalid", 500),
    Reason.BAD_KEY: (10100, "apikey: invalid", 500),
    Reason.BAD_SIGNATURE: (10100, "apikey: digest invalid", 500),
    Reason.BAD_NONCE: (10114, "nonce: small", 500),
    Reason.NO_PERMISSION: (10001, "api_key: permission invalid", 500),
    Reason.THROTTLED: (11010, "ratelimit: error", 429),
    Reason.BANNED: (11010, "ratelimit: error", 429),
    Reason.MAINTENANCE: (20060, "maintenance", 503),
    Reason.INTERNAL: (10000, "unknown error", 500),
    Reason.UNKNOWN_PATH: (10000, "unknown path", 404),
    Reason.UNKNOWN_SYMBOL: (10020, "symbol: invalid", 500),
    Reason.MISSING_PARAMETER: (10020, INVALID, 500),
    Reason.BAD_PARAMETER: (10020, INVALID, 500),
    Reason.LEVERAGE: (10020, "lev: invalid", 500),
    Reason.MIN_QUANTITY: (10001, "Invalid order: minimum size is not met by {}", 500),
    Reason.MAX_QUANTITY: (10001, "Invalid order: maximum size is exceeded by {}", 500),
    Reason.REDUCE_ONLY: (10001, "Invalid order: there is no position to reduce", 500),
    Reason.STOP_REFUSED: (10001, "Invalid order: stop orders are not taken", 500),
    Reason.TOO_MANY_ORDERS: (10001, "Invalid order: too many active orders", 500),
    Reason.UNKNOWN_ORDER: (10001, "Order not found.", 500),
    Reason.NOT_OPEN: (10001, "Order not found.", 500),
}
#: why an order ended -> its status; what is not here was cancelled
ENDED: dict[str, str] = {
    Reason.POST_ONLY: "POSTONLY CANCELED",
    Reason.NOT_FILLABLE: "FILLORKILL CANCELED",
    Reason.REDUCE_ONLY: "RSN_POS_NOTFOUND",
    Reason.INSUFFICIENT: "INSUFFICIENT BALANCE (U1)",
    "flips": "RSN_POS_REDUCE_FLIP",
}
UNFILLED = {TimeInForce.IOC: "IOC CANCELED", TimeInForce.FOK: "FILLORKILL CANCELED"}
#: base, tick at its first price, least order of the pair
COINS = (
    ("BTC", "1", "0.00004"),
    ("ETH", "0.1", "0.0008"),
    ("SOL", "0.01", "0.02"),
    ("XRP", "0.00001", "4"),
    ("DOGE", "0.00001", "22"),
    ("LTC", "0.001", "0.03"),
)
STEP = D("0.00000001")


def _market(base: str, quote: str, product: Product, tick: str, least: str) -> Market:
    mark = "" if product is Product.SPOT else "F0"
    names = (CODES.get(base, base) + mark, CODES.get(quote, quote) + mark)
    pair = (":" if any(len(name) > 3 for name in names) else "").join(names)
    most = D(least) * 10_000_000
    return Market(
        f"t{pair}", base, quote, product, D(tick), STEP, D(least), max_quantity=most, max_market_quantity=most
    )


PAIRS = (
    *(
        _market(base, quote, Product.SPOT, tick, least)
        for quote in ("USDT", "USD", "USDC")
        for base, tick, least in COINS
    ),
    _market("ETH", "BTC", Product.SPOT, "0.00001", "0.0008"),
)
PERPETUALS = tuple(_market(base, "USDT", Product.LINEAR, tick, least) for base, tick, least in COINS)
PUBLIC = ("conf", "tickers", "ticker")
LARGEST_BATCH = 75
PRIVATE = ("submit", "multi", "cancel", "orders", "history", "trades", "wallets", "positions", "permissions")


class _Bitfinex(Dialect):
    family = "bitfinex"
    limits = (
        Limit("status", "status", 30, 60, Owner.ADDRESS),
        *(Limit(name, name, 90, 60, Owner.ADDRESS) for name in (*PUBLIC, *PRIVATE)),
        *(Limit(f"{name} of key", name, 90, 60) for name in PRIVATE),
    )

    # -- the caller ------------------------------------------------------------------------------------

    def key_of(self, call: Call) -> str:
        return call.headers.get("bfx-apikey", "")

    def nonce_of(self, call: Call) -> str:
        return call.headers.get("bfx-nonce", "")

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_hex(21), secrets.token_hex(21), ""

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        nonce = call.headers.get("bfx-nonce", "")
        given = call.headers.get("bfx-signature", "").lower().encode()
        wanted = hmac.new(
            account.secret.encode(), f"/api{call.path}{nonce}".encode() + call.body, hashlib.sha384
        )
        if not hmac.compare_digest(given, wanted.hexdigest().encode()):
            raise Rejected(Reason.BAD_SIGNATURE)
        if (number := _nonce(nonce)) <= account.last_nonce:
            raise Rejected(Reason.BAD_NONCE)
        account.last_nonce = number
        if "/auth/w/" in call.path and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if reason is Reason.INSUFFICIENT:
            purse = "exchange" if call.text("type", "").startswith(SPOT_MARK) else "tradable"
            words = f"Invalid order: not enough {purse} balance for {call.text('amount', '')} {call.text('symbol', '')}"
            return Reply(["error", 10001, words], 500)
        fallback = (10001, f"Invalid order: {reason}", 500)
        code, words, status = REFUSALS.get(reason, fallback)
        return Reply(["error", code, words.format(detail)], status)

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """No header tells when to come back."""
        return self.refuse(Reason.THROTTLED, "", call)

    def _desk(self, symbol: str) -> Desk:
        return self.desks[Product.LINEAR if symbol.endswith("F0") else Product.SPOT]

    def _markets(self) -> Iterator[tuple[Desk, Market]]:
        for desk in self.desks.values():
            yield from ((desk, market) for market in desk.markets.values())

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /v2/platform/status", public=True, costs={"status": 1})
    def status(self, call: Call) -> Any:
        now = datetime.fromtimestamp(call.now_ms // 1000, UTC)
        return Reply([1], headers={"date": format_datetime(now, usegmt=True)})

    @route("GET /v2/conf/{config}", public=True, costs={"conf": 1})
    def conf(self, call: Call) -> Any:
        return [self._configured(label) for label in call.text("config").split(",")]

    def _configured(self, label: str) -> list[Any]:
        spot, perpetuals = (
            self.desks[product].markets.values() for product in (Product.SPOT, Product.LINEAR)
        )
        codes = {name for _, market in self._markets() for name in _pair_of(market)}
        known: dict[str, list[Any]] = {
            "pub:info:pair": [_pair_row(market) for market in spot],
            "pub:info:pair:futures": [_pair_row(market) for market in perpetuals],
            "pub:list:pair:exchange": [market.symbol[1:] for market in spot],
            "pub:list:pair:futures": [market.symbol[1:] for market in perpetuals],
            "pub:list:currency": sorted(codes),
            "pub:map:currency:sym": [["UST", "USDt"], ["USTF0", "USDt0"], ["UDC", "USDC"]],
        }
        return known.get(label, [])

    @route("GET /v2/tickers", public=True, costs={"tickers": 1})
    def tickers(self, call: Call) -> Any:
        wanted = call.text("symbols").split(",")
        found = [(d, m) for d, m in self._markets() if wanted == ["ALL"] or m.symbol in wanted]
        return [[market.symbol, *_ticker(desk, market)] for desk, market in found]

    @route("GET /v2/ticker/{symbol}", public=True, costs={"ticker": 1})
    def ticker(self, call: Call) -> Any:
        desk = self._desk(call.text("symbol"))
        return _ticker(desk, desk.market(call.text("symbol")))

    @route("GET /v2/book/{symbol}/{precision}", public=True, costs={"ticker": 1})
    def book(self, call: Call) -> Any:
        """A level is price, count and amount, an order in the raw book its number, price and amount; what is sold is below
        zero."""
        desk = self._desk(call.text("symbol"))
        market = desk.market(call.text("symbol"))
        bid, ask = desk.bid(market), desk.ask(market)
        if call.text("precision") == "R0":
            return [[1, bid, 100], [2, ask, -100]]
        return [[bid, 1, 100], [ask, 1, -100]]

    # -- orders ----------------------------------------------------------------------------------------

    @route("POST /v2/auth/w/order/submit", trading=True, costs={"submit": 1})
    def submit(self, call: Call) -> Any:
        desk = self._desk(call.text("symbol"))
        ticket = self._ticket(call, desk)
        if not ticket.reduce_only and ticket.extra["lev"]:
            desk.set_leverage(call.account, ticket.symbol, ticket.extra["lev"])
        if ticket.extra["flags"] & OCO and call.text("price_oco_stop", ""):
            order = self._place_pair(call, desk, ticket)
        else:
            order = desk.place(call.account, ticket)
        return _notification(call, "on-req", [_order_row(order, fresh=True)], "Submitting 1 orders.")

    @route("POST /v2/auth/w/order/multi", trading=True, costs={"multi": 1})
    def multi(self, call: Call) -> Any:
        """New orders, changes and cancellations, in their order."""
        operations = call.params.get("ops")
        if not isinstance(operations, list) or not 0 < len(operations) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "ops")
        ways = {"on": self.submit, "ou": self.update, "oc": self.cancel, "oc_multi": self.cancel_many}
        if not all(isinstance(each, list) and len(each) == 2 and each[0] in ways for each in operations):
            raise Rejected(Reason.BAD_PARAMETER, "ops")
        rows = []
        for kind, order in operations:
            (told,) = self.each(call, [order], "/v2/auth/w/order/submit", ways[kind])
            rows.append(_operation_row(call, kind, order, told))
        return _notification(call, "ox_multi-req", rows, f"Submitting {len(rows)} order operations.")

    def _ticket(self, call: Call, desk: Desk) -> Ticket:
        market, amount, flags = (
            desk.market(call.text("symbol")),
            call.decimal("amount"),
            call.integer("flags", 0),
        )
        word, spot = call.text("type"), desk.rules.wallet == "exchange"
        if word.startswith(SPOT_MARK) != spot or not amount:
            raise Rejected(Reason.BAD_PARAMETER, "type" if amount else "amount")
        if (known := TYPES.get(word.removeprefix(SPOT_MARK))) is None:
            raise Rejected(Reason.BAD_PARAMETER, "type")
        kind, force = known
        price = None if kind is OrderType.MARKET else _cut(call.decimal("price"), market)
        aux = _cut(call.decimal("price_aux_limit"), market) if kind is OrderType.STOP_LIMIT else None
        return Ticket(
            market.symbol,
            Side.BUY if amount > 0 else Side.SELL,
            kind,
            quantity=abs(amount).quantize(STEP, ROUND_DOWN),
            price=aux if kind.conditional else price,
            trigger_price=price if kind.conditional else None,
            time_in_force=force,
            post_only=bool(flags & POST_ONLY),
            reduce_only=bool(flags & REDUCE_ONLY) and not spot,
            client_id=str(call.integer("cid", call.now_ms)),
            extra={"flags": flags, "type": word, "lev": call.decimal_or_none("lev")},
        )

    def _place_pair(self, call: Call, desk: Desk, ticket: Ticket) -> Order:
        """A limit order and the stop that it brings along; the one ends the other."""
        if ticket.type is not OrderType.LIMIT or ticket.time_in_force is not TimeInForce.GTC:
            raise Rejected(Reason.BAD_PARAMETER, "price_oco_stop")
        ticket = replace(ticket, link=f"oco {desk.number()}")
        extra = {**ticket.extra, "type": ticket.extra["type"].replace("LIMIT", "STOP")}
        stop = replace(
            ticket,
            type=OrderType.STOP,
            price=None,
            trigger_price=_cut(call.decimal("price_oco_stop"), desk.market(ticket.symbol)),
            client_id=str(call.integer("cid_oco", call.now_ms)),
            extra=extra,
        )
        order, _ = desk.place_linked(call.account, (ticket, stop))
        extra["placed"] = int(order.id)
        return order

    @route("POST /v2/auth/w/order/update", trading=True, costs={"submit": 1})
    def update(self, call: Call) -> Any:
        """Under its number; `amount` is the whole, `delta` what is added to it."""
        if call.text("id", ""):
            found = self._order(call.account, call.text("id"))
        else:
            found = self._named(call, call.text("cid"), call.text("cid_date"))
        if found is None or not found.open:
            raise Rejected(Reason.NOT_OPEN)
        price, aux = (
            None if (told := call.decimal_or_none(name)) is None else _cut(told, found.market)
            for name in ("price", "price_aux_limit")
        )
        amount, delta = call.decimal_or_none("amount"), call.decimal_or_none("delta")
        quantity = abs(amount) if amount is not None else None
        if delta is not None:
            quantity = abs(_signed(found, found.quantity) + delta)
        waits = found.ticket.type.conditional and found.waiting
        changed = self._desk(found.market.symbol).amend(
            call.account,
            found,
            quantity=None if quantity is None else quantity.quantize(STEP, ROUND_DOWN),
            price=aux if waits else price,
            trigger_price=price if waits else None,
        )
        kind = changed.ticket.extra["type"].lower().removeprefix("exchange ")
        words = f"Submitting update to {kind} {changed.side} order for {text(changed.remaining)} {found.market.symbol[1:]}."
        return _notification(call, "ou-req", _order_row(changed), words)

    @route("POST /v2/auth/w/order/cancel", trading=True, costs={"cancel": 1})
    def cancel(self, call: Call) -> Any:
        """By their id, or by ours and the day."""
        if call.text("id", ""):
            found = self._order(call.account, call.text("id"))
        else:
            found = self._named(call, call.text("cid"), call.text("cid_date"))
        if found is None:
            raise Rejected(Reason.NOT_OPEN)
        self._desk(found.market.symbol).cancel(call.account, found)
        words = f"Submitted for cancellation; waiting for confirmation (ID: {found.id})."
        return _notification(call, "oc-req", _order_row(found, fresh=True), words)

    @route("POST /v2/auth/w/order/cancel/multi", trading=True, costs={"cancel": 1})
    def cancel_many(self, call: Call) -> Any:
        if call.text("all", "") in ("1", "true"):
            found = [order for order in self._orders(call) if order.open]
        else:
            ids, names = call.params.get("id"), call.params.get("cid")
            if not isinstance(ids or names, list) or not all(isinstance(each, list) for each in names or ()):
                raise Rejected(Reason.BAD_PARAMETER, "id")
            asked = [self._order(call.account, str(each)) for each in ids or ()]
            asked += [self._named(call, str(name), str(day)) for name, day in names or ()]
            found = [order for order in asked if order is not None and order.open]
        for order in found:
            if order.open:  # the other half of a pair went with the first
                self._desk(order.market.symbol).cancel(call.account, order)
        rows = [_order_row(order, fresh=True) for order in found]
        return _notification(call, "oc_multi-req", rows, f"Submitting {len(rows)} order cancellations.")

    def _order(self, account: Account, order_id: str) -> Order | None:
        found = (desk.order(account, order_id=order_id) for desk in self.desks.values())
        return next((order for order in found if order is not None), None)

    def _named(self, call: Call, client_id: str, day: str) -> Order | None:
        named = (order for order in self._orders(call) if order.client_id == client_id and order.open)
        return next((order for order in named if _day(order) == day), None)

    def _orders(self, call: Call, symbol: str = "") -> Iterator[Order]:
        """Newest first, of one pair or all."""
        for desk in [self._desk(symbol)] if symbol else self.desks.values():
            for order in reversed(desk.book(call.account).orders.values()):
                if symbol in ("", order.market.symbol):
                    yield order

    def _asked(self, call: Call, orders: Iterable[Order]) -> list[Order]:
        """Those among them whose ids are named, if any are."""
        ids = call.params.get("id")
        wanted = {str(each) for each in ids} if isinstance(ids, list) else None
        return [order for order in orders if wanted is None or order.id in wanted]

    @route("POST /v2/auth/r/orders", "POST /v2/auth/r/orders/{symbol}", costs={"orders": 1})
    def active(self, call: Call) -> Any:
        found = (order for order in self._orders(call, call.text("symbol", "")) if order.open)
        return [_order_row(order) for order in self._asked(call, found)]

    @route("POST /v2/auth/r/orders/hist", "POST /v2/auth/r/orders/{symbol}/hist", costs={"history": 1})
    def history(self, call: Call) -> Any:
        ended = (order for order in self._orders(call, call.text("symbol", "")) if not order.open)
        found = self._asked(call, ended)[: call.integer("limit", 25)]
        return [_order_row(order) for order in found]

    @route("POST /v2/auth/r/order/{order}/trades", costs={"trades": 1})
    def trades_of_order(self, call: Call) -> Any:
        symbol, _, order_id = call.text("order").rpartition(":")
        order = self._order(call.account, order_id)
        if order is None or order.market.symbol != symbol:
            return []
        return [[*_trade_row(order, fill), int(order.client_id)] for fill in order.fills]

    @route("POST /v2/auth/r/trades/hist", "POST /v2/auth/r/trades/{symbol}/hist", costs={"trades": 1})
    def trades(self, call: Call) -> Any:
        rows = [
            [*_trade_row(order, fill), int(order.client_id)]
            for order in self._orders(call, call.text("symbol", ""))
            for fill in order.fills
        ]
        return rows[: call.integer("limit", 25)]

    # -- account ---------------------------------------------------------------------------------------

    @route("POST /v2/auth/r/wallets", costs={"wallets": 1})
    def wallets(self, call: Call) -> Any:
        """Of the margin wallet only what perpetuals settle in."""
        held = call.account.wallets
        spot = [
            _wallet_row(call.account, "exchange", coin, CODES.get(coin, coin)) for coin in held["exchange"]
        ]
        return [*spot, _wallet_row(call.account, "margin", "USDT", "USTF0")]

    @route("POST /v2/auth/r/positions", costs={"positions": 1})
    def positions(self, call: Call) -> Any:
        desk = self.desks[Product.LINEAR]
        return [_position_row(desk, call.account, p) for p in desk.book(call.account).open_positions()]

    @route("POST /v2/auth/r/permissions", costs={"permissions": 1})
    def permissions(self, call: Call) -> Any:
        may = call.account.permissions
        trades, withdraws = int("trade" in may), int("withdraw" in may)
        reads = [[scope, 1, 0] for scope in ("account", "history", "positions", "wallets")]
        none = [[scope, 0, 0] for scope in ("funding", "settings", "ui_withdraw", "bfxpay")]
        return [*reads, ["orders", 1, trades], ["withdraw", 0, withdraws], *none]


def _rules(wallet: str, maker: str, taker: str) -> Rules:
    return Rules(
        maker_fee=D(maker),
        taker_fee=D(taker),
        wallet=wallet,
        refuses_crossed_triggers=False,
        client_ids=ClientIds.REUSABLE,
        flat_cancels_resting=False,
        shrinks_reduce_only=False,
        unfilled=OrderStatus.CANCELLED,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE, Reason.REDUCE_ONLY}),
        order_id=lambda number: str(139_000_000_000 + number),
        default_leverage=D(10),
    )


class BitfinexSpot(_Bitfinex):
    name, product, markets = "Bitfinex", Product.SPOT, PAIRS
    rules = _rules("exchange", "0.001", "0.002")


class BitfinexFutures(_Bitfinex):
    name, product, markets = "Bitfinex_F", Product.LINEAR, PERPETUALS
    rules = _rules("margin", "0.0002", "0.00065")


# -- how things are written ------------------------------------------------------------------------------


def _nonce(told: str) -> int:
    """A number, with decimals or without, that JavaScript can hold; 0 for none. In ten-millionths."""
    whole, point, rest = told.partition(".")
    if not whole.isdecimal() or (point and not rest.isdecimal()) or int(whole) >= 2**53:
        return 0
    return int(whole + rest[:7].ljust(7, "0"))


def _cut(price: Decimal, market: Market) -> Decimal:
    if price <= 0:
        raise Rejected(Reason.BAD_PARAMETER, "price")
    digits = D(1).scaleb(price.adjusted() - 4)
    return floor_to(floor_to(price, digits), market.tick)


def _notification(call: Call, kind: str, data: list[Any], words: str) -> list[Any]:
    return [call.now_ms, kind, None, None, data, None, "SUCCESS", words]


def _operation_row(call: Call, kind: str, order: Mapping[str, Any], told: list[Any]) -> list[Any]:
    """What is refused is told like over the websocket: an order that has our id and nothing else."""
    if told[0] != "error":
        return told
    named = [order.get("id"), None, order.get("cid")]
    return [call.now_ms, f"{kind}-req", None, None, named, told[1], "ERROR", told[2]]


def _pair_of(market: Market) -> tuple[str, str]:
    pair = market.symbol[1:]
    base, _, quote = pair.partition(":") if ":" in pair else (pair[:3], "", pair[3:])
    return base, quote


def _pair_row(market: Market) -> list[Any]:
    margins = [None, None] if market.product is Product.SPOT else [D("0.01"), D("0.005")]
    sizes = [text(market.min_quantity), text(market.max_quantity)]
    return [market.symbol[1:], [None, None, None, *sizes, None, None, None, *margins]]


def _ticker(desk: Desk, market: Market) -> list[Decimal | int]:
    bid, ask = desk.bid(market), desk.ask(market)
    return [bid, 100, ask, 100, 0, 0, bid, 1000, ask, bid]


def _signed(order: Order, quantity: Decimal) -> Decimal:
    return quantity if order.side is Side.BUY else -quantity


def _day(order: Order) -> str:
    return datetime.fromtimestamp(order.created_ms // 1000, UTC).strftime("%Y-%m-%d")


def _status_of(order: Order) -> str:
    average, amount = order.average_price, _signed(order, order.filled)
    filled = "" if average is None else f"@ {text(average)}({text(amount)})"
    if order.status is OrderStatus.FILLED:
        return f"EXECUTED {filled}"
    if order.open:
        return f"PARTIALLY FILLED {filled}" if filled else "ACTIVE"
    forced = UNFILLED.get(order.ticket.time_in_force) if order.reason == "unfilled" else None
    told = forced or ENDED.get(order.reason, "CANCELED")
    return f"{told} was: PARTIALLY FILLED {filled}" if filled else told


def _order_row(order: Order, *, fresh: bool = False) -> list[Any]:
    """`fresh`: as it was when it came in."""
    ticket, word, before = order.ticket, order.ticket.extra["type"], None
    if order.triggered_ms is not None and not fresh:
        word, before = ("LIMIT" if order.price is not None else "MARKET"), word
        word = (SPOT_MARK if before.startswith(SPOT_MARK) else "") + word
    waits = before is None and ticket.type.conditional
    price = order.trigger_price if waits or order.price is None else order.price
    filled, average = (ZERO, None) if fresh else (order.filled, order.average_price)
    row: list[Any] = [None] * 32
    row[:10] = [
        int(order.id),
        None,
        int(order.client_id),
        order.market.symbol,
        order.created_ms,
        order.updated_ms,
        _signed(order, order.quantity - filled),
        _signed(order, order.quantity),
        word,
        before,
    ]
    row[12:14] = [ticket.extra["flags"], "ACTIVE" if fresh else _status_of(order)]
    row[16:20] = [price or average or ZERO, average or ZERO, 0, order.price if waits and order.price else 0]
    row[23:26] = [0, 0, ticket.extra.get("placed", 0)]
    row[28], row[31] = "API>BFX", {"$F7": 1} if ticket.post_only else {}
    return row


def _trade_row(order: Order, fill: Fill) -> list[Any]:
    coin = CODES.get(fill.fee_asset, fill.fee_asset) + ("" if order.market.product is Product.SPOT else "F0")
    return [
        fill.id,
        fill.symbol,
        fill.time_ms,
        int(order.id),
        _signed(order, fill.quantity),
        fill.price,
        order.ticket.extra["type"],
        order.price or fill.price,
        1 if fill.maker else -1,
        -fill.fee,
        coin,
    ]


def _wallet_row(account: Account, wallet: str, coin: str, code: str) -> list[Any]:
    return [wallet, code, account.total(wallet, coin), 0, account.free(wallet, coin), None, None]


def _position_row(desk: Desk, account: Account, position: Position) -> list[Any]:
    market, mark = position.market, desk.bid(position.market)
    leverage = desk.leverage(account, market)
    margin = position.notional(position.entry_price) / leverage
    row: list[Any] = [None] * 20
    row[:6] = [market.symbol, "ACTIVE", position.quantity, position.entry_price, 0, 0]
    row[6:10] = [position.unrealised(mark), 0, None, leverage]
    row[11:14] = [1, position.updated_ms, position.updated_ms]
    row[15], row[17], row[18], row[19] = 1, margin, margin / 2, {"reason": "TRADE"}
    return row
