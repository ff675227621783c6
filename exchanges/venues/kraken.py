"""Kraken spot: cash only, no margin. Kraken Futures is another exchange by wire and key: `kraken_futures.py`.

Facts: docs.kraken.com (the page is named where the code relies on one), read 2026-11-22. What is odd here:

* there is no test net;
* placing answers with an id only, and orders are looked up by *their* id; by ours only among the open
  (OpenOrders) and among the closed (ClosedOrders), each taking `cl_ord_id`;
* a batch takes 15 orders of one pair, of every kind: one that is not valid in itself refuses them all, one that lacks the
  money only itself. It goes out as JSON, everything else as a form;
* an open order holds its balance: a stop and a target cannot both rest for the full size;
* every signed request of a key needs a higher nonce than the one before;
* XBT is BTC, XDG is DOGE, and the oldest assets carry an X or Z in front (XXBT, ZUSD).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from exchanges import read
from exchanges.errors import (
    AuthRefused,
    ClockRefused,
    DuplicateOrder,
    ExchangeError,
    InsufficientFunds,
    InvalidOrder,
    MarketPaused,
    NothingToReduce,
    OrderNotFound,
    OutcomeUnknown,
    PostOnlyRefused,
    Refused,
    Throttled,
    UnknownSymbol,
    Unsupported,
)
from exchanges.guide import Guide
from exchanges.limits import Bucket, Kind, Priority, Scope
from exchanges.rounds import Round, this_round
from exchanges.signature import base64_secret
from exchanges.sparing import Spared
from exchanges.symbols import common_asset
from exchanges.transport import Answer, Request
from exchanges.types import (
    Balance,
    Credentials,
    Environment,
    Fee,
    Instrument,
    KeyInfo,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Product,
    Quote,
    Report,
    Side,
    TimeInForce,
    TriggerBy,
)
from exchanges.venue import Call, Features, Venue, acknowledged, key_digest, plain_number, urgency

BATCH = "/0/private/AddOrderBatch"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CROCKFORD = {letter: value for value, letter in enumerate("0123456789ABCDEFGHJKMNPQRSTVWXYZ")}

#: newer assets that happen to begin with these letters (ZETA, XTZ, XAUT) carry no prefix: the old ones are listed
OLD_COINS = ("XBT", "ETH", "LTC", "XRP", "XLM", "XMR", "ZEC", "ETC", "REP", "MLN", "XDG")
OLD_MONEY = ("USD", "EUR", "GBP", "JPY", "CAD", "AUD")
LEGACY_ASSETS = {f"X{name}": name for name in OLD_COINS} | {f"Z{name}": name for name in OLD_MONEY}
ORDER_TYPE = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP: "stop-loss",
    OrderType.STOP_LIMIT: "stop-loss-limit",
    OrderType.TAKE_PROFIT: "take-profit",
    OrderType.TAKE_PROFIT_LIMIT: "take-profit-limit",
}
#: the last four are never sent by us, but a user may have placed them by hand
TYPE_READ = {word: kind for kind, word in ORDER_TYPE.items()} | {
    "iceberg": OrderType.LIMIT,
    "settle-position": OrderType.MARKET,
    "trailing-stop": OrderType.STOP,
    "trailing-stop-limit": OrderType.STOP_LIMIT,
}
STATUS = {
    "pending": OrderStatus.OPEN,
    "open": OrderStatus.OPEN,
    "closed": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "expired": OrderStatus.EXPIRED,
}
SIDE = {"buy": Side.BUY, "sell": Side.SELL}
TRIGGER = {TriggerBy.LAST: "last", TriggerBy.INDEX: "index"}

ERRORS: dict[str, type[ExchangeError]] = {
    "EAPI:Invalid key": AuthRefused,
    "EAPI:Invalid signature": AuthRefused,
    "EAPI:Invalid nonce": ClockRefused,
    "EAPI:Rate limit exceeded": Throttled,
    "EGeneral:Permission denied": AuthRefused,
    "EGeneral:Temporary lockout": Throttled,
    "EGeneral:Too many requests": Throttled,
    "EGeneral:Invalid arguments": InvalidOrder,
    "EOrder:Insufficient funds": InsufficientFunds,
    "EOrder:Insufficient margin": InsufficientFunds,
    "EOrder:Order minimum not met": InvalidOrder,
    "EOrder:Cost minimum not met": InvalidOrder,
    "EOrder:Tick size check failed": InvalidOrder,
    "EOrder:Invalid price": InvalidOrder,
    "EOrder:Invalid order": InvalidOrder,
    "EOrder:Orders limit exceeded": InvalidOrder,
    "EOrder:Unknown order": OrderNotFound,
    "EOrder:Post only order": PostOnlyRefused,
    "EOrder:Reduce only": NothingToReduce,
    "EOrder:Rate limit exceeded": Throttled,
    "EOrder:Domain rate limit exceeded": Throttled,
    # wording not documented; ids are checked for uniqueness among the open orders (exchange/guides/general/clordid)
    "EOrder:Duplicate cl_ord_id": DuplicateOrder,
    "EQuery:Unknown asset pair": UnknownSymbol,
    "EQuery:Invalid asset pair": UnknownSymbol,
    "EService:Market in cancel_only mode": MarketPaused,
    "EService:Market in post_only mode": MarketPaused,
    "EService:Market in limit_only mode": MarketPaused,
    "EService:Deadline elapsed": Refused,
    "ETrade:User Locked": AuthRefused,
    # these do not say whether an order was taken
    "EService:Unavailable": OutcomeUnknown,
    "EService:Busy": OutcomeUnknown,
    "EService:Timeout": OutcomeUnknown,
    "EGeneral:Internal error": OutcomeUnknown,
    "EGeneral:Unknown error": OutcomeUnknown,
    "EDatabase:Internal error": OutcomeUnknown,
}


class Kraken(Venue):
    """Cash spot. `Instrument.symbol` is Kraken's `altname` (XBTUSD): what orders and answers carry."""

    name = "Kraken"
    exchange = "kraken"
    product = Product.SPOT
    region = "eu"
    key_family = "kraken"
    guide = Guide(
        key_steps=(
            "On kraken.com open Settings, API, Create API key. Kraken Futures has keys of its own.",
            "Tick Query funds, Query open orders & trades, Query closed orders & trades, Create & modify orders, and Cancel & close orders.",
            "Leave Withdraw funds and everything about withdrawal addresses off.",
            "Under IP allowlist enter the addresses of your flipr.",
            "Use the key for flipr alone: each request needs a higher number than the one before, and two programs on one key disturb each other.",
        ),
        quirks=(
            "An open order holds its balance, so the stop rests at Kraken while flipr watches the price for the targets.",
            "Requests of one key go out one after the other.",
            "Margin trading is not used: what is sold must be held.",
        ),
    )
    clock_slack_ms = 1000  # whole seconds
    base_urls = {Environment.LIVE: "https://api.kraken.com"}
    #: an open order holds its balance, so a stop and a target cannot both rest for the full size;
    #: ClosedOrders takes cl_ord_id (rest-api/get-closed-orders) and tells no limit of age
    features = Features(
        rests_both_legs=False,
        market_by_quote=True,
        reduce_only=False,
        client_id_memory_seconds=30 * 86_400,
        lists_tell_all=True,
        batch=15,
        batch_conditional=True,
    )
    #: Kraken's counters grow with each call and decay steadily, from the maximum to nothing in the time given.
    #: Figures of the "intermediate" tier: REST 20 at 0.5/s; matching engine 125 at 2.34/s (there per pair, here
    #: for all pairs of a key together).
    buckets = {
        "rest": Bucket(20, 40.0, Scope.KEY, kind=Kind.LEAKY),
        "engine": Bucket(125, 53.5, Scope.KEY, kind=Kind.LEAKY),
    }
    #: every request needs a higher nonce than the one before (exchange/guides/rest/authentication)
    serial = True
    look_seconds = 6.0  # the counter of a key decays by a point every two or three seconds
    nonces_per_ms: ClassVar[int] = 1000
    errors = ERRORS
    #: of an account that sent invalid keys over and over: "do not retry"
    #: (https://docs.kraken.com/exchange/guides/general/errors), which ends "after roughly 15 minutes of not retrying"
    #: (https://github.com/krakenfx/kraken-cli/issues/34), both read 2026-11-23
    longest_ban_seconds = 900.0
    cool_downs = {
        "EAPI:Rate limit exceeded": 10.0,
        "EOrder:Rate limit exceeded": 5.0,
        "EGeneral:Temporary lockout": 900.0,
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sought = Spared()

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """Form body with the nonce in front. Workers that share a key take turns (`serial`), each turn lasting one
        round trip, so that the nonces of clocks that agree to a round trip rise."""
        if not call.signed:
            return Request(call.method, call.path, query=urlencode(call.params))
        if keys is None:
            raise AuthRefused(f"{self.name}: this call needs a key")
        nonce = str(self.nonce(now_ms * self.nonces_per_ms))
        params, kind = {"nonce": nonce, **call.params}, "x-www-form-urlencoded"
        body = urlencode(params)
        if call.path == BATCH:
            body, kind = json.dumps(params, separators=(",", ":")), "json"
        headers = {
            "API-Key": keys.key,
            "API-Sign": signature(keys.secret, call.path, nonce, body),
            "Content-Type": f"application/{kind}",
        }
        return Request(call.method, call.path, body=body.encode(), headers=headers)

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        """`EOrder:Insufficient funds`, without a detail after a second colon. Words beginning with W only warn."""
        errors = answer.data.get("error") if isinstance(answer.data, Mapping) else None
        told = errors if isinstance(errors, list) else [errors] if errors else []
        told = [str(each) for each in told if not str(each).startswith("W")]
        return (":".join(told[0].split(":")[:2]), "; ".join(told)) if told else None

    @classmethod
    def client_id(cls, token: str) -> str:
        """The token's 128 bits as a UUID: free text may have 18 characters only (exchange/guides/general/clordid)."""
        number = 0
        for letter in token.upper():
            number = number * 32 + CROCKFORD[letter]
        return str(uuid.UUID(int=number % 2**128))

    def place_call(self, order: OrderRequest) -> Call:
        self._refuse_unknown_ways(order)
        params = {
            "pair": order.instrument.symbol,
            "type": order.side.value,
            "ordertype": ORDER_TYPE[order.type],
            "volume": plain_number(self._volume(order)),
            "cl_ord_id": order.client_id,
            **prices(order),
        }
        if order.time_in_force is not TimeInForce.GTC:
            params["timeinforce"] = order.time_in_force.upper()
        if order.type.conditional:
            params["trigger"] = TRIGGER[order.trigger_by]
        if order.post_only or order.quote_quantity is not None:
            params["oflags"] = "post" if order.post_only else "viqc"
        return Call("POST", "/0/private/AddOrder", params, costs={"engine": 1}, priority=urgency(order))

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """https://docs.kraken.com/api-reference/trading/add-order-batch. Each order is charged like one that is sent
        alone: Kraken never counts more (exchange/guides/general/ratelimits)."""
        pair = calls[0].params["pair"]
        orders = [{name: each for name, each in call.params.items() if name != "pair"} for call in calls]
        return Call("POST", BATCH, {"pair": pair, "orders": orders}, costs={"engine": len(calls)})

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        """In the order of the orders, and without our ids: each its txid, or why there is none. One with both, or
        neither, is not known."""
        rows = [(row.get("error"), row.get("txid")) for row in read.items(data, "result", "orders")]
        return [
            {} if error and txid else {"error": error, "result": {"txid": [txid]}} for error, txid in rows
        ]

    def _refuse_unknown_ways(self, order: OrderRequest) -> None:
        if order.reduce_only or order.position_side:
            raise Unsupported(f"{self.name} is cash spot: it has no positions to reduce")
        if order.type.conditional and order.trigger_by not in TRIGGER:
            raise Unsupported(f"{self.name}: triggers watch the last or the index price")
        forced = order.post_only or order.time_in_force is not TimeInForce.GTC
        if forced and order.type is not OrderType.LIMIT:
            raise Unsupported(f"{self.name}: only limit orders can be post-only, ioc or fok")
        if order.post_only and order.time_in_force is not TimeInForce.GTC:
            raise Unsupported(f"{self.name}: a post-only order cannot be {order.time_in_force.upper()}")

    def _volume(self, order: OrderRequest) -> Decimal:
        if order.quantity is not None:
            return order.quantity
        if order.quote_quantity is None or order.type is not OrderType.MARKET or order.side is not Side.BUY:
            raise Unsupported(f"{self.name} takes an amount of quote currency for market buys only")
        return order.quote_quantity

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        """AddOrder answers with the order's txid and a sentence; what became of it must be fetched."""
        return acknowledged(order, read.text(data, "result", "txid", 0))

    def server_time_ms(self) -> int:
        """Kraken tells whole seconds. A machine whose own clock lies within that second (and half a second of
        travel) keeps its own, so that the nonces of all workers rise together; one whose clock is wrong takes
        the end of the second, which is never behind."""
        server_ms = int(read.decimal(self._ask("GET", "public/Time"), "unixtime") * 1000)
        own_ms = self.clock.now_ms() - self.clock.offset_ms
        return own_ms if -500 <= own_ms - server_ms < 1500 else server_ms + 1000

    def explain(self, error: type[ExchangeError], code: str, words: str, status: int) -> str:
        said = super().explain(error, code, words, status)
        advice = ": give this service a key that no other program uses"
        return said + advice if error is ClockRefused else said

    def instruments(self) -> list[Instrument]:
        pairs = entries(self._ask("GET", "public/AssetPairs"))
        return [self._instrument(pair) for _, pair in pairs]

    def _instrument(self, pair: Any) -> Instrument:
        symbol = read.text(pair, "altname")
        tick = read.decimal_or_none(pair, "tick_size")
        return Instrument(
            symbol=symbol,
            base=asset_name(read.text(pair, "base")),
            quote=asset_name(read.text(pair, "quote")),
            settle=asset_name(read.text(pair, "quote")),
            product=self.product,
            tick=tick or Decimal(1).scaleb(-int(read.decimal(pair, "pair_decimals"))),
            step=Decimal(1).scaleb(-int(read.decimal(pair, "lot_decimals"))),
            min_quantity=read.decimal_or_none(pair, "ordermin") or Decimal(0),
            min_notional=read.decimal_or_none(pair, "costmin") or Decimal(0),
            # ".d" marks the dark pool of a pair: large orders only, no stops
            active=pair.get("status") == "online" and not symbol.endswith(".d"),
        )

    def quote(self, instrument: Instrument) -> Quote:
        found = entries(self._ask("GET", "public/Ticker", {"pair": instrument.symbol}))
        _, ticker = next(iter(found), ("", None))  # keyed by Kraken's internal name (XXBTZUSD)
        return Quote(read.decimal(ticker, "b", 0), read.decimal(ticker, "a", 0), read.decimal(ticker, "c", 0))

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        name = {"txid": ref.exchange_id} if ref.exchange_id else {"cl_ord_id": ref.client_id}
        # costs 8 in the first five seconds of an order, 4 up to its 45th second, less later
        call = Call("POST", "/0/private/CancelOrder", name, costs={"engine": 4}, priority=Priority.PROTECT)
        if not read.decimal(self.call(call, keys), "result", "count"):
            raise OrderNotFound("the order is no longer open")

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        """By txid in one call, else by our id. Of the answer, the order itself."""
        if ref.exchange_id:
            found = self._ask("POST", "private/QueryOrders", {"txid": ref.exchange_id}, keys)
            return self._told(found, instrument, ref)
        owner, lists = key_digest(keys), this_round()
        due, listed = self.sought.due(owner, ref.client_id), lists.since is not None
        told = listed and lists.knows(owner) and self._in_lists(keys, ref.client_id, lists) is not None
        if not (due or told):
            raise self.sought.not_yet(owner, ref.client_id)
        with self.sought.asking(owner, ref.client_id):
            found = self._in_lists(keys, ref.client_id, lists) if listed else None
            if found is None:
                found = self._by_our_id(keys, ref.client_id)
            return self._told(found, instrument, ref)

    def _in_lists(self, keys: Credentials, client_id: str, lists: Round) -> Any:
        """Of a round, which it has read at most once; None where they do not tell of the order."""
        found, whole = lists.once(key_digest(keys), lambda: self._lists(keys, lists.since))
        named = whole or any(told_id(order) == client_id for order in found.values())
        return found if named else None

    def _told(self, found: Any, instrument: Instrument, ref: OrderRef) -> Report:
        for txid, order in entries(found):
            if txid == ref.exchange_id or told_id(order) == ref.client_id:
                return self.read_order(txid, order, instrument)
        raise OrderNotFound(f"{self.name} does not know this order")

    def _by_our_id(self, keys: Credentials, client_id: str) -> Any:
        """QueryOrders takes no client id, so first among the open orders and then among the closed ones: in this order none
        slips through that ends in between. That takes as much as a key regains in six seconds."""
        name = {"cl_ord_id": client_id}
        found = read.field(self._ask("POST", "private/OpenOrders", name, keys), "open")
        return found or read.field(self._ask("POST", "private/ClosedOrders", name, keys, cost=2), "closed")

    def _lists(self, keys: Credentials, since: datetime | None) -> tuple[dict[str, Any], bool]:
        """The open orders and the newest that were closed since then; and whether those are all. `start` is exclusive
        (rest-api/get-closed-orders, read 2026-11-23)."""
        standing = read.table(self._ask("POST", "private/OpenOrders", keys=keys), "open")
        begin = {"start": str(int(since.timestamp()) - 1), "closetime": "close"} if since else {}
        ended = self._ask("POST", "private/ClosedOrders", begin, keys, cost=2)
        closed = read.table(ended, "closed")
        return {**standing, **closed}, read.decimal(ended, "count") <= len(closed)

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        found = read.field(self._ask("POST", "private/OpenOrders", keys=keys), "open")
        reports = [self.read_order(txid, order, instrument) for txid, order in entries(found)]
        return [each for each in reports if instrument is None or each.symbol == instrument.symbol]

    def read_order(self, txid: str, data: Any, instrument: Instrument | None) -> Report:
        """One order as QueryOrders, OpenOrders and ClosedOrders give it: `price` is the average, `vol` is quote
        currency under the flag viqc (then the quantity is not told), the fee's currency is a flag too."""
        kind = read.word(TYPE_READ, data, "descr", "ordertype")
        trigger, limit = told_prices(data, kind)
        filled = read.decimal(data, "vol_exec")
        flags = read.text(data, "oflags").split(",")
        return Report(
            exchange_id=txid,
            client_id=str(data.get("cl_ord_id") or ""),
            symbol=read.text(data, "descr", "pair"),
            side=read.word(SIDE, data, "descr", "type"),
            type=kind,
            status=read.word(STATUS, data, "status"),
            quantity=None if "viqc" in flags else read.decimal(data, "vol"),
            filled=filled,
            average_price=(read.decimal(data, "price") or None) if filled else None,
            price=limit,
            trigger_price=trigger,
            reduce_only=bool(data.get("reduce_only")),
            fee=self._fee(data, flags, instrument),
            reason=str(data.get("reason") or ""),
        )

    def _fee(self, data: Any, flags: list[str], instrument: Instrument | None) -> Fee | None:
        if instrument is None or not (amount := read.decimal(data, "fee")):
            return None
        return Fee(amount, instrument.base if "fcib" in flags else instrument.quote)

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """Names with a suffix (XBT.F, DOT.S, USD.HOLD) are lent, staked or held: not to be spent in an order."""
        found: dict[str, Balance] = {}
        for name, data in entries(self._ask("POST", "private/BalanceEx", keys=keys)):
            if "." in name:
                continue
            asset, total = asset_name(name), read.decimal(data, "balance")
            free = max(total - read.decimal(data, "hold_trade"), Decimal(0))
            held = found.get(asset, Balance(asset, Decimal(0), Decimal(0)))
            found[asset] = Balance(asset, held.total + total, held.free + free)
        return found

    def key_info(self, keys: Credentials) -> KeyInfo:
        """rest-api/get-api-key-info; a right to change withdrawal addresses counts as one to withdraw."""
        info = self._ask("POST", "private/GetApiKeyInfo", keys=keys)
        rights = {read.text({"permission": each}, "permission") for each in read.items(info, "permissions")}
        lacking = {"query-funds", "query-open-trades", "query-closed-trades", "modify-trades"} - rights
        until = int(read.decimal(info, "validUntil"))
        return KeyInfo(
            can_trade="modify-trades" in rights,
            can_withdraw=any("withdraw" in right for right in rights),
            ip_locked=bool(read.items(info, "ipAllowlist")),
            expires=EPOCH + timedelta(seconds=until) if until else None,
            note=f"the key lacks: {', '.join(sorted(lacking))}" if lacking else "",
        )

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        keys: Credentials | None = None,
        cost: int = 1,
    ) -> Any:
        """The `result` of a read."""
        costs = {"rest": cost} if keys else {}
        call = Call(method, f"/0/{path}", params or {}, signed=keys is not None, costs=costs, read_only=True)
        return read.field(self.call(call, keys), "result")


def told_id(order: Any) -> str | None:
    return read.text_or_none(order, "cl_ord_id")


def signature(secret: str, path: str, nonce: str, body: str) -> str:
    """exchange/guides/rest/authentication: HMAC-SHA512 of path + SHA256(nonce + body), all under the decoded secret."""
    inner = hashlib.sha256((nonce + body).encode()).digest()
    return base64.b64encode(
        hmac.digest(base64_secret("Kraken", secret), path.encode() + inner, "sha512")
    ).decode()


def asset_name(name: str) -> str:
    """XXBT -> BTC, ZUSD -> USD, XXDG -> DOGE, ZETA -> ZETA."""
    return common_asset(LEGACY_ASSETS.get(name.upper(), name))


def prices(order: OrderRequest) -> dict[str, str]:
    """`price` is the limit of a limit order and the trigger of a conditional one; then `price2` is its limit."""
    given = [each for each in (order.trigger_price, order.price) if each is not None]
    return dict(zip(("price", "price2"), map(plain_number, given), strict=False))


def told_prices(data: Any, kind: OrderType) -> tuple[Decimal | None, Decimal | None]:
    """(trigger, limit). A trailing stop gives its offset (`+5%`) where others give a price."""
    told = [str(read.field(data, "descr", name) or 0) for name in ("price", "price2")]
    first, second = (None if each[:1] in "+-#" else read.as_decimal(each) or None for each in told)
    if kind.conditional and not read.field(data, "descr", "price"):
        raise OutcomeUnknown("a conditional order has no trigger in the answer")
    return (first, second) if kind.conditional else (None, first)


def entries(data: Any) -> list[tuple[str, Any]]:
    """The (name, value) pairs of an object."""
    if not isinstance(data, Mapping):
        raise OutcomeUnknown("the result is not an object in the answer")
    return list(data.items())
