"""Bitfinex without the orders: keys, refusals, markets, prices, wallets, positions. Refusals come with HTTP 500, one host
serves spot and perpetuals. https://docs.bitfinex.com."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.dialects.bitfinex_answers import (
    CODES,
    SPOT_MARK,
    pair_of,
    pair_row,
    position_row,
    ticker_row,
    wallet_row,
)
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded, Limit, Owner
from exchanges.sandbox.model import Market, Reason, Rejected
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import Product

D = Decimal
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
PRIVATE = ("submit", "multi", "cancel", "orders", "history", "trades", "wallets", "positions", "permissions")


class BitfinexAccount(Dialect):
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
        codes = {name for _, market in self._markets() for name in pair_of(market)}
        known: dict[str, list[Any]] = {
            "pub:info:pair": [pair_row(market) for market in spot],
            "pub:info:pair:futures": [pair_row(market) for market in perpetuals],
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
        return [[market.symbol, *ticker_row(desk, market)] for desk, market in found]

    @route("GET /v2/ticker/{symbol}", public=True, costs={"ticker": 1})
    def ticker(self, call: Call) -> Any:
        desk = self._desk(call.text("symbol"))
        return ticker_row(desk, desk.market(call.text("symbol")))

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

    # -- account ---------------------------------------------------------------------------------------

    @route("POST /v2/auth/r/wallets", costs={"wallets": 1})
    def wallets(self, call: Call) -> Any:
        """Of the margin wallet only what perpetuals settle in."""
        held = call.account.wallets
        spot = [
            wallet_row(call.account, "exchange", coin, CODES.get(coin, coin)) for coin in held["exchange"]
        ]
        return [*spot, wallet_row(call.account, "margin", "USDT", "USTF0")]

    @route("POST /v2/auth/r/positions", costs={"positions": 1})
    def positions(self, call: Call) -> Any:
        desk = self.desks[Product.LINEAR]
        return [position_row(desk, call.account, p) for p in desk.book(call.account).open_positions()]

    @route("POST /v2/auth/r/permissions", costs={"permissions": 1})
    def permissions(self, call: Call) -> Any:
        may = call.account.permissions
        trades, withdraws = int("trade" in may), int("withdraw" in may)
        reads = [[scope, 1, 0] for scope in ("account", "history", "positions", "wallets")]
        none = [[scope, 0, 0] for scope in ("funding", "settings", "ui_withdraw", "bfxpay")]
        return [*reads, ["orders", 1, trades], ["withdraw", 0, withdraws], *none]


def _nonce(told: str) -> int:
    """A number, with decimals or without, that JavaScript can hold; 0 for none. In ten-millionths."""
    whole, point, rest = told.partition(".")
    if not whole.isdecimal() or (point and not rest.isdecimal()) or int(whole) >= 2**53:
        return 0
    return int(whole + rest[:7].ljust(7, "0"))
