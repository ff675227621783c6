"""Bitfinex v2: spot from the exchange wallet (`Bitfinex`) and perpetuals (`Bitfinex_F`), one host and one key for both.

Facts: docs.bitfinex.com (the page is named where the code relies on one) and Bitfinex's own clients, stored copies read
2026-11-22. What is odd here:

* there is no test net: a paper trading sub-account on the same host trades pairs whose coins begin with TEST;
* every signed request of a key needs a higher nonce than the one before, and the exchange never tells the time: the Date
  header of its answers does, in whole seconds;
* refusals come with HTTP 500 and a code that means little (10001 is most of them): the words say what was refused;
* a client id is a number of 45 bits, and one that was used before is not refused;
* orders that may not stand (post-only that would take, reduce-only without a position or larger than it) are taken and then
  cancelled: their status says why (docs/abbreviations-glossary);
* a stop watches the last price. Nothing waits for a take-profit price: a target is a limit order at its price, which rests
  in the book from the start and never fills for less. Several take-profits and a stop of a position may rest together;
* OCO (flag 16384) is a limit order that brings its stop along: `price_oco_stop`, and `cid_oco` for the stop's own id
  (github.com/bitfinexcom/bfx-api-node-models, lib/order.js). The answer tells of the limit order only
  (reference/rest-auth-submit-order): whether the stop stands is looked up;
* an operation on many orders (order/multi, 75 at most) takes orders of every kind. Each is answered by a notification of its
  own, whatever the one around them says. How operations count for the limits is not documented: each counts as an order;
* prices have five significant digits, and more are cut (docs/introduction#price-precision): the tick follows the price;
* leverage is a number on each opening order, 10 where none is named, and margin is isolated; positions are one-way;
* UST is USDT, UDC is USDC, and the coins of perpetuals carry F0 (tBTCF0:USTF0).
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode

from exchanges import errors
from exchanges.errors import (
    AuthRefused,
    ClockRefused,
    ExchangeError,
    OrderNotFound,
    OutcomeUnknown,
    Unsupported,
)
from exchanges.guide import Guide
from exchanges.limits import Bucket, Charge, Priority, Scope
from exchanges.read import decimal, decimal_or_none, field, items, nonzero, text, word, words
from exchanges.rounds import Round, this_round
from exchanges.signature import hex_hmac
from exchanges.symbols import common_asset
from exchanges.transport import Answer, Request
from exchanges.types import (
    TAKES,
    Balance,
    Credentials,
    Direction,
    Environment,
    Fee,
    Instrument,
    KeyInfo,
    Legs,
    MarginMode,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Position,
    Product,
    Quote,
    Report,
    Side,
    TimeInForce,
    TriggerBy,
)
from exchanges.venue import (
    Call,
    Features,
    Venue,
    acknowledged,
    by_client_id,
    key_digest,
    plain_params,
    urgency,
)

FINEST = Decimal("0.00000001")
DIGITS = 5
REDUCE_ONLY, POST_ONLY, OCO = 1024, 4096, 16384
CLIENT_ID_BITS = 45
#: operations of one request: reference/rest-auth-order-multi
LARGEST_BATCH = 75
MULTI = "ox_multi-req"
HISTORY_PAGE = 2500
WORDS = {OrderType.MARKET: "MARKET", OrderType.STOP: "STOP", OrderType.STOP_LIMIT: "STOP LIMIT"}
LIMIT_WORDS = {TimeInForce.GTC: "LIMIT", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
#: a trailing stop is never sent by us, but may have been placed by hand
TYPES = {word: kind for kind, word in WORDS.items()} | {
    **dict.fromkeys(LIMIT_WORDS.values(), OrderType.LIMIT),
    "TRAILING STOP": OrderType.STOP,
}
#: docs/abbreviations-glossary#order-status, by the capitals it begins with; RSN: reason. "PARTIALLY FILLED" among the ended
#: orders is one whose rest was cancelled
STATUSES = {
    "ACTIVE": OrderStatus.OPEN,
    "PARTIALLY FILLED": OrderStatus.OPEN,
    "EXECUTED": OrderStatus.FILLED,
    "FORCED EXECUTED": OrderStatus.FILLED,
    "RSN_BOOK_SLIP": OrderStatus.CANCELLED,
    "INSUFFICIENT BALANCE": OrderStatus.REJECTED,
    "INSUFFICIENT MARGIN": OrderStatus.REJECTED,
    "RSN_DUST": OrderStatus.REJECTED,
    "RSN_PAUSE": OrderStatus.REJECTED,
    "RSN_POS_NOTFOUND": OrderStatus.REJECTED,
    "RSN_POS_REDUCE_FLIP": OrderStatus.REJECTED,
    "RSN_POS_REDUCE_INCR": OrderStatus.REJECTED,
}
_CAPITALS = re.compile(r"[A-Z_ ]+")
#: Bitfinex's own names of coins: conf/pub:map:currency:sym, and where two coins share a name what clients call them
ASSETS = {
    "UST": "USDT",
    "UDC": "USDC",
    "ALG": "ALGO",
    "AMP": "AMPL",
    "ATO": "ATOM",
    "BCHABC": "XEC",
    "BCHN": "BCH",
    "DAT": "DATA",
    "DSH": "DASH",
    "EUS": "EURS",
    "EUT": "EURT",
    "IOT": "IOTA",
    "LUNA": "LUNC",
    "LUNA2": "LUNA",
    "MNA": "MANA",
    "QTM": "QTUM",
    "SNG": "SNGLS",
    "STJ": "STORJ",
    "TERRAUST": "USTC",
    "TSD": "TUSD",
    "WAX": "WAXP",
    "XCH": "XCHF",
}
#: what of one code's many meanings the words tell, as a part of the code
SPOKEN = {
    "not enough": ":funds",
    "available balance": ":funds",
    "order not found": ":gone",
    "symbol: invalid": ":symbol",
    "permission": ":right",
    "invalid order": ":order",
}
SPEAKING = frozenset({"10001", "10020"})
#: docs/abbreviations-glossary#errorinfo-codes; a 10001 whose words are not known may mean anything
ERRORS = words(
    {
        OutcomeUnknown: "10000 10001 10008 11000",
        AuthRefused: "10001:right 10100 10111 10112 10113",
        ClockRefused: "10114",
        OrderNotFound: "10001:gone",
        errors.InsufficientFunds: "10001:funds",
        errors.UnknownSymbol: "10001:symbol 10020:symbol",
        errors.InvalidOrder: "10001:order 10020",
        errors.Throttled: "11010 ERR_RATE_LIMIT",
        errors.Maintenance: "20060",
    }
)
#: 90 requests a minute, each address by itself (named on each page; docs/requirements-and-limitations)
PUBLIC = ("conf", "tickers", "ticker")
#: the same, for the address and, as its support told, for the user (bitcoin.stackexchange.com/a/78432)
PRIVATE = ("submit", "multi", "cancel", "orders", "history", "trades", "wallets", "positions", "permissions")


class _Bitfinex(Venue):
    exchange = "bitfinex"
    region = "eu"
    key_family = "bitfinex"
    guide = Guide(
        key_steps=(
            "On bitfinex.com open the account menu, API Keys, Create New Key.",
            "Tick reading of Account Info, Account History, Orders, Margin Trading and Wallets, and writing of Orders.",
            "Leave Withdrawals off, reading and writing.",
            "Under IP access restrictions enter the addresses of your flipr: Bitfinex does not tell whether a key has any.",
            "Use the key for flipr alone: each request needs a higher number than the one before, and two programs on one key disturb each other.",
        ),
        testnet="Paper trading: make a sub-account of that kind on the site, and a key in it. It trades the TEST pairs of Bitfinex, which flipr shows as BTCUSDT and so on.",
        quirks=(
            "Stop and target are one OCO order at Bitfinex, which ends the one when the other fills.",
            "A target is a limit order at its price: it fills at that price or better.",
            "A stop watches the last price. One that the price has passed already fires at once.",
            "An order that only reduces and is larger than its position is cancelled by Bitfinex: flipr then places one that fits.",
            "Perpetuals need money in the derivatives wallet: exchange USDt for USDt0 there first.",
            "Where a message names no leverage, Bitfinex takes 10. Margin is isolated.",
            "Requests of one key go out one after the other.",
        ),
    )
    #: paper trading is a kind of account, not an address. Public data is asked here as well, like Bitfinex's own kit does
    #: (bitfinex-api-py, REST_HOST), and not at api-pub: so the connection that orders need stays open
    base_urls = dict.fromkeys((Environment.LIVE, Environment.TESTNET), "https://api.bitfinex.com")
    clock_slack_ms = 1000
    buckets = {
        "status": Bucket(30, 60.0),
        **{name: Bucket(90, 60.0) for name in (*PUBLIC, *PRIVATE)},
        **{f"{name} of key": Bucket(90, 60.0, Scope.KEY) for name in PRIVATE},
    }
    errors = ERRORS
    serial = True
    #: of the 90 requests a minute and address for open orders, which spot and perpetuals share
    look_seconds = 2.0
    looks_per_minute = 30
    prices_per_minute = 30
    #: before the order types of this product
    prefix: ClassVar[str]
    #: `wallets` of this type hold its money
    wallet: ClassVar[str]
    #: the list of pairs with their sizes
    pairs: ClassVar[str]

    def __init__(self, *wires: Any, **options: Any) -> None:
        super().__init__(*wires, **options)
        self._heard = threading.local()

    # -- pure ------------------------------------------------------------------------------------------

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """https://docs.bitfinex.com/docs/rest-auth. Workers that share a key take turns (`serial`), so that the nonces of
        clocks that agree to a round trip rise."""
        params = plain_params(call.params)
        if not call.signed:
            return Request(call.method, call.path, urlencode(params))
        if keys is None:
            raise AuthRefused(f"{self.name}: this call needs a key")
        nonce, body = str(self.nonce(now_ms * 1000)), json.dumps(params, separators=(",", ":"))
        signed = f"/api{call.path}{nonce}{body}"
        headers = {
            "bfx-nonce": nonce,
            "bfx-apikey": keys.key,
            "bfx-signature": hex_hmac(keys.secret, signed, "sha384"),
            "Content-Type": "application/json",
        }
        return Request(call.method, call.path, body=body.encode(), headers=headers)

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        """["error", code, words], a notification that tells of a failure, or {"error": word}."""
        data = answer.data
        if isinstance(data, Mapping):
            return (str(data["error"]), str(data["error"])) if data.get("error") else None
        if not isinstance(data, list) or len(data) < 3:
            return None
        if data[0] == "error":
            return _spoken(str(data[1]), str(data[2]))
        if data[1] == MULTI and len(data) > 4 and data[4]:
            return None  # each operation tells for itself
        if len(data) > 7 and str(data[1]).endswith("-req") and data[6] in ("ERROR", "FAILURE"):
            return _spoken(str(data[5] or "10001"), str(data[7]))
        return None

    def checked(self, answer: Answer, charges: tuple[Charge, ...] = ()) -> Any:
        self._heard.date = answer.headers.get("date", "")
        return super().checked(answer, charges)

    def explain(self, error: type[ExchangeError], code: str, words: str, status: int) -> str:
        said = super().explain(error, code, words, status)
        advice = ": give this service a key that no other program uses"
        return said + advice if error is ClockRefused else said

    @classmethod
    def client_id(cls, token: str) -> str:
        """45 bits of the token's digest (`cid` on reference/rest-auth-submit-order); never 0, which means none."""
        digest = hashlib.blake2b(token.encode(), digest_size=8).digest()
        return str(int.from_bytes(digest) % (2**CLIENT_ID_BITS - 1) + 1)

    def place_call(self, order: OrderRequest) -> Call:
        self._refuse_unknown_ways(order)
        flags = (POST_ONLY if order.post_only else 0) | (REDUCE_ONLY if order.reduce_only else 0)
        return self._submit(order, _terms(order), flags)

    def _refuse_unknown_ways(self, order: OrderRequest) -> None:
        if order.quantity is None:
            raise Unsupported(f"{self.name} takes quantities in base units only")
        if order.position_side:
            raise Unsupported(f"{self.name} has one position per pair, no hedge mode")
        if order.type.conditional and order.trigger_by is not TriggerBy.LAST:
            raise Unsupported(f"{self.name}: triggers watch the last price")
        forced = order.post_only or order.time_in_force is not TimeInForce.GTC
        if forced and order.type is not OrderType.LIMIT:
            raise Unsupported(f"{self.name}: only limit orders can be post-only, ioc or fok")
        if order.post_only and order.time_in_force is not TimeInForce.GTC:
            raise Unsupported(f"{self.name}: a post-only order cannot be {order.time_in_force.upper()}")
        if not order.client_id.isdigit():
            raise Unsupported(f"{self.name}: client ids are numbers")

    def _submit(self, order: OrderRequest, terms: Mapping[str, Any], flags: int, **more: Any) -> Call:
        """https://docs.bitfinex.com/reference/rest-auth-submit-order"""
        quantity = order.quantity or Decimal(0)
        params = {
            **terms,
            "type": self.prefix + terms["type"],
            "symbol": order.instrument.symbol,
            "amount": quantity if order.side is Side.BUY else -quantity,
            "cid": int(order.client_id),
            **more,
            **({"flags": flags} if flags else {}),
            **self._leverage(order),
        }
        return self._post("w/order/submit", params, "submit", urgency(order))

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """https://docs.bitfinex.com/reference/rest-auth-order-multi"""
        operations = [["on", plain_params(call.params)] for call in calls]
        call = self._post("w/order/multi", {"ops": operations}, "multi", Priority.ENTRY)
        orders = {"submit": len(calls), "submit of key": len(calls)}
        return replace(call, costs={**call.costs, **orders})

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        """Notifications as single orders have them, told apart by our ids. What is refused may name no order."""
        rows = [{"cid": _order_named(told), "told": told} for told in items(data, 4)]
        return [row.get("told") for row in by_client_id(rows, orders, "cid")]

    @abstractmethod
    def _leverage(self, order: OrderRequest) -> Mapping[str, int]:
        """What the order says of it."""

    # -- readers ---------------------------------------------------------------------------------------

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        """Of a market order the answer mostly tells that it is active, not yet that it filled. A notification may leave
        out the status (github.com/bitfinexcom/bitfinex-api-node, issue 141)."""
        row = next((each for each in _notified(data) if _client_id(each) == order.client_id), None)
        if row is None:
            raise OutcomeUnknown(f"{self.name} took an order and does not name ours")
        if field(row, 13) is None:
            return acknowledged(order, text(row, 0))
        report = self.read_order(row)
        waits = not report.status.final and not order.type.conditional
        return replace(_as_asked(report, order), acknowledged_only=waits)

    def read_order(self, row: Any, *, ended: bool = False) -> Report:
        """An order array: https://docs.bitfinex.com/reference/rest-auth-retrieve-orders"""
        original, left = decimal(row, 7), abs(decimal(row, 6))
        quantity = max(abs(original), left)  # what was enlarged by hand has more left than it began with
        kind, filled = _type(row), quantity - left
        limit = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT)
        price_at = 19 if kind is OrderType.STOP_LIMIT and _is_stop(row) else 16
        return Report(
            exchange_id=str(int(decimal(row, 0))),
            client_id=_client_id(row),
            symbol=text(row, 3),
            side=Side.SELL if original < 0 else Side.BUY,
            type=kind,
            status=_status(row, filled, ended=ended),
            quantity=quantity,
            filled=filled,
            average_price=nonzero(row, 17) if filled else None,
            price=(decimal(row, price_at) or None) if limit else None,
            trigger_price=(decimal(row, 16) or None) if kind.conditional and _is_stop(row) else None,
            reduce_only=bool(int(decimal_or_none(row, 12) or 0) & REDUCE_ONLY),
            reason=text(row, 13) if ended else "",
        )

    def asset(self, code: str) -> str:
        """In the common spelling; paper money without its mark."""
        if self.environment is Environment.TESTNET:
            code = code.removeprefix("TEST")
        code = code.removesuffix("F0")
        return ASSETS.get(code) or common_asset(code)

    # -- orders ----------------------------------------------------------------------------------------

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """By their id: by ours the exchange wants to know the day as well."""
        exchange_id = ref.exchange_id or self._look(keys, instrument, ref, ended=False).exchange_id
        params = {"id": int(exchange_id)}
        _succeeded(self.call(self._post("w/order/cancel", params, "cancel", Priority.PROTECT), keys))

    def cancel_all(self, keys: Credentials, instrument: Instrument) -> None:
        """https://docs.bitfinex.com/reference/rest-auth-cancel-orders-multiple"""
        if found := [int(each.exchange_id) for each in self.open_orders(keys, instrument)]:
            params = {"id": found}
            _succeeded(
                self.call(self._post("w/order/cancel/multi", params, "cancel", Priority.PROTECT), keys)
            )

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        """What ends in between must not slip through: the ended orders are asked after the open ones. One whose id
        is known and that waits for nothing has mostly ended: there the ended ones are asked first, too."""
        mostly_ended = bool(ref.exchange_id) and not ref.conditional
        for ended in (True, False, True) if mostly_ended else (False, True):
            try:
                return self._with_fee(keys, self._look(keys, instrument, ref, ended=ended))
            except OrderNotFound:
                continue
        raise OrderNotFound(f"{self.name} does not know this order")

    def _look(self, keys: Credentials, instrument: Instrument, ref: OrderRef, *, ended: bool) -> Report:
        """Among the open or the ended orders. Ended ones are kept for two weeks (reference/rest-auth-orders-history). A list
        that was read for one order of a round answers for those whose id is not known either."""
        params: dict[str, Any] = {"limit": HISTORY_PAGE} if ended else {}
        if ref.exchange_id:
            params = {"id": [int(ref.exchange_id)]}
        path = f"r/orders/{instrument.symbol}" + ("/hist" if ended else "")
        lists = Round() if ref.exchange_id else this_round()
        read = partial(self._read, path, params, "history" if ended else "orders", keys)
        for row in lists.once((key_digest(keys), path), read):
            by_id = text(row, 0) == ref.exchange_id
            if by_id if ref.exchange_id else _client_id(row) == ref.client_id:
                return self.read_order(row, ended=ended)
        raise OrderNotFound(f"{self.name} does not know this order, or it is no longer open")

    def _with_fee(self, keys: Credentials, report: Report) -> Report:
        """Only the trades tell the fee (reference/rest-auth-order-trades). It is needed where it is paid in the coins
        bought, which then cannot be sold; None while the trades do not add up."""
        if self.product is not Product.SPOT or not report.filled or report.side is Side.SELL:
            return report
        rows = self._read(f"r/order/{report.symbol}:{report.exchange_id}/trades", {}, "trades", keys)
        if sum((abs(decimal(row, 4)) for row in rows), Decimal(0)) != report.filled:
            return report
        paid = -sum((decimal(row, 9) for row in rows), Decimal(0))
        return replace(report, fee=Fee(paid, self.asset(text(rows[0], 10))))

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        path = f"r/orders/{instrument.symbol}" if instrument else "r/orders"
        return [self.read_order(row) for row in self._read(path, {}, "orders", keys) if self._ours(row)]

    def _ours(self, row: Any) -> bool:
        """Orders of the margin wallet on spot pairs are not of the spot market."""
        derivative = _is_derivative(text(row, 3))
        spot = not derivative and text(row, 8).startswith("EXCHANGE ")
        return spot if self.product is Product.SPOT else derivative

    def protect(self, keys: Credentials, legs: Legs) -> tuple[Report, Report]:
        """One OCO order: the target rests as a limit order, the stop is placed by the exchange. Whatever hinders the look
        at the stop leaves the pair unknown: it stands, and must not be placed again."""
        placed = self.call(self.protect_call(legs), keys)
        target = self.read_placed(placed, legs.target)
        rows = [row for row in _notified(placed) if field(row, 13) is not None]
        standing = [self.read_order(row) for row in rows]
        stop = self._stop_of(standing, legs.stop) or self._stop_of(self._beside(keys, legs), legs.stop)
        if stop is None:
            raise OutcomeUnknown(f"{self.name} took the target and does not show its stop yet")
        return stop, replace(target, acknowledged_only=False)

    def _beside(self, keys: Credentials, legs: Legs) -> list[Report]:
        try:
            return self.open_orders(keys, legs.stop.instrument)
        except ExchangeError as error:
            raise OutcomeUnknown(
                f"{self.name} took the target and its stop is not seen yet: {error.message}"
            ) from error

    def protect_call(self, legs: Legs) -> Call:
        stop, target = legs.stop, legs.target
        self._refuse_unknown_ways(stop)
        self._refuse_unknown_ways(target)
        if stop.type is not OrderType.STOP or target.type not in (OrderType.LIMIT, *TAKES):
            raise Unsupported(f"{self.name}: linked legs are a stop at market and a target")
        if (stop.side, stop.quantity, stop.reduce_only) != (
            target.side,
            target.quantity,
            target.reduce_only,
        ):
            raise Unsupported(f"{self.name}: linked legs have one side and one quantity")
        more = {"price_oco_stop": _terms(stop)["price"], "cid_oco": int(stop.client_id)}
        call = self._submit(target, _terms(target), OCO | (REDUCE_ONLY if target.reduce_only else 0), **more)
        return replace(call, priority=Priority.PROTECT)

    @staticmethod
    def _stop_of(standing: list[Report], stop: OrderRequest) -> Report | None:
        """By our id; else by its terms, and then without a client id: the exchange gave it one of its own."""
        for report in standing:
            if report.client_id == stop.client_id:
                return report
        terms = (stop.side, OrderType.STOP, stop.quantity, _terms(stop)["price"])
        for report in standing:
            if (report.side, report.type, report.quantity, report.trigger_price) == terms:
                return replace(report, client_id="")
        return None

    # -- market ----------------------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        """The Date header tells whole seconds. A machine whose own clock lies within that second (and half a second
        of travel) keeps its own, so that the nonces of all workers rise together."""
        status = decimal(self._public("platform/status", {}, "status"), 0)
        if not status:
            raise errors.Maintenance(f"{self.name} is under maintenance", code="MAINTENANCE")
        try:
            server_ms = int(parsedate_to_datetime(self._heard.date).timestamp()) * 1000
        except (TypeError, ValueError):
            raise OutcomeUnknown(f"{self.name} does not tell the date") from None
        own_ms = self.clock.now_ms() - self.clock.offset_ms
        return own_ms if -500 <= own_ms - server_ms < 1500 else server_ms + 1000

    def instruments(self) -> list[Instrument]:
        """The pairs with their sizes, and the prices that their ticks follow from."""
        listed = items(self._public(f"conf/pub:info:{self.pairs}", {}, "conf"), 0)
        rows = items(self._public("tickers", {"symbols": "ALL"}, "tickers"))
        trading = (row for row in rows if text(row, 0).startswith("t"))
        last = {text(row, 0): decimal_or_none(row, 7) for row in trading}
        paper = self.environment is Environment.TESTNET
        wanted = (row for row in listed if text(row, 0).startswith("TEST") == paper)
        return [self.read_instrument(row, last.get(f"t{text(row, 0)}")) for row in wanted]

    def read_instrument(self, row: Any, last: Decimal | None) -> Instrument:
        """[pair, [.., .., .., least, most, .., .., .., initial margin, ..]]: reference/rest-public-conf"""
        pair = text(row, 0)
        base, quote = pair.split(":") if ":" in pair else (pair[:3], pair[3:])
        return Instrument(
            symbol=f"t{pair}",
            base=self.asset(base),
            quote=self.asset(quote),
            settle=self.asset(quote),
            product=self.product,
            tick=tick_at(last) if last else FINEST,
            step=FINEST,
            min_quantity=decimal(row, 1, 3),
            max_quantity=decimal(row, 1, 4),
            max_leverage=self._max_leverage(row),
        )

    def _max_leverage(self, row: Any) -> Decimal | None:
        return None

    def quote(self, instrument: Instrument) -> Quote:
        """https://docs.bitfinex.com/reference/rest-public-ticker"""
        data = self._public(f"ticker/{instrument.symbol}", {}, "ticker")
        return Quote(bid=decimal(data, 0), ask=decimal(data, 2), last=decimal(data, 6))

    # -- account ---------------------------------------------------------------------------------------

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """https://docs.bitfinex.com/reference/rest-auth-wallets"""
        found = {}
        for row in self._read("r/wallets", {}, "wallets", keys):
            derivative = text(row, 1).endswith("F0")
            if text(row, 0) == self.wallet and derivative == (self.product is Product.LINEAR):
                asset = self.asset(text(row, 1))
                found[asset] = Balance(asset, decimal(row, 2), decimal(row, 4))
        return found

    def key_info(self, keys: Credentials) -> KeyInfo:
        """[scope, read, write] of each scope: https://docs.bitfinex.com/reference/key-permissions"""
        rows = self._read("r/permissions", {}, "permissions", keys)
        writes = {text(row, 0): bool(decimal(row, 2)) for row in rows}
        leaving = [writes[scope] for scope in ("withdraw", "ui_withdraw") if scope in writes]
        return KeyInfo(
            can_trade=field(writes, "orders"),
            can_withdraw=any(leaving) if leaving else None,
            note="Bitfinex does not tell whether the key is bound to addresses",
        )

    # -- one request -----------------------------------------------------------------------------------

    def _public(self, path: str, params: Mapping[str, Any], bucket: str) -> Any:
        return self.ask(f"/v2/{path}", params, {bucket: 1})

    def _post(self, path: str, params: Mapping[str, Any], bucket: str, priority: Priority) -> Call:
        costs = {bucket: 1, f"{bucket} of key": 1}
        return Call("POST", f"/v2/auth/{path}", params, costs=costs, priority=priority)

    def _read(self, path: str, params: Mapping[str, Any], bucket: str, keys: Credentials) -> list[Any]:
        call = replace(self._post(path, params, bucket, Priority.QUERY), read_only=True)
        return items(self.call(call, keys))


class BitfinexSpot(_Bitfinex):
    name = "Bitfinex"
    product = Product.SPOT
    #: an open order holds its balance; the two legs of an OCO hold it once
    features = Features(
        linked_legs=True,
        rests_both_legs=False,
        reduce_only=False,
        batch=LARGEST_BATCH,
        batch_conditional=True,
    )
    prefix = "EXCHANGE "
    wallet = "exchange"
    pairs = "pair"

    def _refuse_unknown_ways(self, order: OrderRequest) -> None:
        if order.reduce_only:
            raise Unsupported(f"{self.name} is cash spot: it has no positions to reduce")
        super()._refuse_unknown_ways(order)

    def _leverage(self, order: OrderRequest) -> Mapping[str, int]:
        return {}


class BitfinexFutures(_Bitfinex):
    name = "Bitfinex_F"
    product = Product.LINEAR
    features = Features(linked_legs=True, leverage=True, batch=LARGEST_BATCH, batch_conditional=True)
    prefix = ""
    wallet = "margin"
    pairs = "pair:futures"

    def _refuse_unknown_ways(self, order: OrderRequest) -> None:
        super()._refuse_unknown_ways(order)
        self._check_leverage(order.leverage, order.margin_mode)

    def _check_leverage(self, leverage: Decimal | None, mode: MarginMode | None) -> None:
        if mode is MarginMode.CROSS:
            raise Unsupported(f"{self.name}: the margin of perpetuals is isolated")
        if leverage is not None and (leverage != int(leverage) or not 1 <= leverage <= 100):
            raise Unsupported(f"{self.name}: leverage is a whole number from 1 to 100")

    def _leverage(self, order: OrderRequest) -> Mapping[str, int]:
        return {"lev": int(order.leverage)} if order.leverage and not order.reduce_only else {}

    def _max_leverage(self, row: Any) -> Decimal | None:
        margin = decimal(row, 1, 8)
        return (1 / margin).to_integral_value(ROUND_FLOOR) if margin > 0 else None

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        """Those of margin trading on spot pairs are not ours."""
        rows = [
            row
            for row in self._read("r/positions", {}, "positions", keys)
            if _is_derivative(text(row, 0)) and decimal(row, 2)
        ]
        wanted = instrument.symbol if instrument else None
        return [self.read_position(row) for row in rows if wanted in (None, text(row, 0))]

    def read_position(self, row: Any) -> Position:
        """https://docs.bitfinex.com/reference/rest-auth-positions"""
        amount = decimal(row, 2)
        word({"ACTIVE": True}, row, 1)
        return Position(
            symbol=text(row, 0),
            direction=Direction.LONG if amount > 0 else Direction.SHORT,
            quantity=abs(amount),
            entry_price=decimal(row, 3),
            leverage=nonzero(row, 9),
            margin_mode=MarginMode.ISOLATED,
            unrealised=decimal_or_none(row, 6),
            liquidation_price=nonzero(row, 8),
        )

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """Nothing to set: each opening order carries its own."""
        self._check_leverage(leverage, mode)


def tick_at(price: Decimal) -> Decimal:
    """The step of prices that have five significant digits, and eight decimals at most."""
    return max(Decimal(1).scaleb(price.adjusted() - DIGITS + 1), FINEST)


def fitted(price: Decimal | None, *, up: bool) -> Decimal:
    """In five digits: rounded here and to the right side, so that the exchange has nothing to cut."""
    if price is None:
        raise Unsupported("an order of this type needs its price")
    return price.quantize(tick_at(price), ROUND_CEILING if up else ROUND_FLOOR)


def _terms(order: OrderRequest) -> dict[str, Any]:
    """Type and prices. A sale is never for less, a purchase never for more, and a stop never earlier than asked."""
    sells = order.side is Side.SELL
    if order.type in TAKES:
        levels = [level for level in (order.trigger_price, order.price) if level is not None]
        least = (max if sells else min)(levels, default=None)
        return {"type": "LIMIT", "price": fitted(least, up=sells)}
    if order.type is OrderType.LIMIT:
        return {"type": LIMIT_WORDS[order.time_in_force], "price": fitted(order.price, up=sells)}
    terms: dict[str, Any] = {"type": WORDS[order.type]}
    if order.type.conditional:
        terms["price"] = fitted(order.trigger_price, up=not sells)
    if order.type is OrderType.STOP_LIMIT:
        terms["price_aux_limit"] = fitted(order.price, up=sells)
    return terms


def _as_asked(report: Report, order: OrderRequest) -> Report:
    """A target is a limit order at the exchange, and what was asked for here."""
    if order.type not in TAKES:
        return replace(report, type=order.type)
    price = report.price if order.type is OrderType.TAKE_PROFIT_LIMIT else None
    return replace(report, type=order.type, price=price, trigger_price=report.price)


def _spoken(code: str, words: str) -> tuple[str, str]:
    if code in SPEAKING:
        code += next((part for said, part in SPOKEN.items() if said in words.lower()), "")
    return code, words


def _succeeded(data: Any) -> Any:
    """What a notification is about: [time, type, id, null, data, code, status, words]."""
    word({"SUCCESS": True}, data, 6)
    return field(data, 4)


def _notified(data: Any) -> list[Any]:
    """The orders a notification tells of: a list of them, or one by itself."""
    told = items(_succeeded(data))
    return told if told and isinstance(told[0], list) else [told]


def _order_named(told: Any) -> str:
    """Our id of the order that a notification is about, "" where it names none."""
    order = field(told, 4)
    if isinstance(order, list) and order and isinstance(order[0], list):
        order = order[0]
    return _client_id(order) if isinstance(order, list) and len(order) > 2 else ""


def _client_id(row: Any) -> str:
    return "" if field(row, 2) is None else text(row, 2)


def _is_derivative(pair: str) -> bool:
    return pair.endswith("F0")


def _is_stop(row: Any) -> bool:
    """Still waits for its trigger."""
    return "STOP" in text(row, 8)


def _type(row: Any) -> OrderType:
    """A stop that fired goes on as another type: what it was stands beside it."""
    now = word(TYPES, [text(row, 8).removeprefix("EXCHANGE ")], 0)
    before = field(row, 9)
    if not isinstance(before, str) or "STOP" not in before or now.conditional:
        return now
    return OrderType.STOP_LIMIT if now is OrderType.LIMIT else OrderType.STOP


def _status(row: Any, filled: Decimal, *, ended: bool) -> OrderStatus:
    told = _CAPITALS.match(text(row, 13))
    words = told[0].strip() if told else text(row, 13)
    cancelled = words.endswith("CANCELED")  # by itself, or after the reason: IOC, FILLORKILL, POSTONLY
    status = OrderStatus.CANCELLED if cancelled else word(STATUSES, [words], 0)
    if ended and status is OrderStatus.OPEN:
        return OrderStatus.CANCELLED
    return OrderStatus.CANCELLED if filled and status is OrderStatus.REJECTED else status
