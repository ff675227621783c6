"""BitMEX: spot (`BitMEX`), linear perpetuals (`BitMEX_F`) and those margined in coins (`BitMEX_C`) of one account.

Facts, read 2026-11-22 in stored copies: www.bitmex.com/app/restAPIMessages, blog.bitmex.com and support.bitmex.com,
BitMEX's own command line (github.com/BitMEX/bitmex-cli, copies of June 2026), recorded answers in the tests of
github.com/roq-trading (November 2025) and ccxt 4.5.83. What surprises:

* Orders count contracts: `underlyingToPositionMultiplier` of them are one coin, and they go in lots of `lotSize`. BTC is
  XBT, money counts its smallest unit (`/wallet/assets` tells the scale). Callers see base units only, but contracts of XBTUSD, of which one is a dollar: its `multiplier` counts
  hundred-millionths of the settlement currency at a price of 1 (github.com/nautechsystems/nautilus_trader, recorded
  instrument of November 2024, read 2026-11-23). Such a contract has no `underlyingToPositionMultiplier`.
* The answer to an order tells its fill, without the fee. What the answer has nothing to say of, it leaves out.
* A post-only order that would take, and a reduce-only one without a position, are taken and cancelled at once, with
  the reason in `text` (support.bitmex.com, article 5905389229981). They are told as the refusals they are.
* Without an `execInst` that names the price, stops follow the mark price (support.bitmex.com, article 13450518632605):
  the price is always named.
* Linked orders (OCO) were withdrawn on 2018-11-10 (blog.bitmex.com/api_announcement). Several orders at once
  (`/order/bulk`), which the blog still names in August 2019, are in no list of calls any more (ccxt 4.5.83, read
  2026-11-23). The command line of 2026 writes both. Neither is used: flipr links stop and target, which go out one by one.
* Errors have words and no codes. 503 "overloaded" is documented as not having reached the engine; other 503 are not.
* Hedge mode ("MultiWay") is a setting of the account; an order then names the position by its `strategy`.
* Clients of spot disagree on what it counts: ccxt takes the coin's smallest unit, the field above says contracts. A
  market where the two differ is left out.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from exchanges import errors
from exchanges.errors import OrderNotFound, OutcomeUnknown, Refused, UnknownSymbol, Unsupported
from exchanges.guide import Guide
from exchanges.limits import Bucket, Costs, Kind, Priority, Scope
from exchanges.paging import pages_by_number, whole_list
from exchanges.read import (
    decimal,
    decimal_or_none,
    field,
    flag,
    items,
    moment,
    nonzero,
    text,
    text_or_none,
    word,
)
from exchanges.signature import hex_hmac
from exchanges.symbols import common_asset
from exchanges.transport import Answer, Request
from exchanges.types import (
    LIMITS,
    Balance,
    Credentials,
    Direction,
    Environment,
    Fill,
    Instrument,
    KeyInfo,
    MarginMode,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Position,
    PositionMode,
    Product,
    Quote,
    Report,
    Side,
    TimeInForce,
    TriggerBy,
)
from exchanges.venue import Call, Features, Venue, urgency

API = "/api/v1"
#: a request is good until this many seconds after its signing: late orders are worse than none
EXPIRES_SECONDS = 5
PAGE = 500
#: for how long trades are told is not documented; none that is told of speaks of less
FILLS_MEMORY = timedelta(days=30)
SIDES = {side.value.capitalize(): side for side in Side}
TYPES = {
    "Market": OrderType.MARKET,
    "Limit": OrderType.LIMIT,
    "Stop": OrderType.STOP,
    "StopLimit": OrderType.STOP_LIMIT,
    "MarketIfTouched": OrderType.TAKE_PROFIT,
    "LimitIfTouched": OrderType.TAKE_PROFIT_LIMIT,
}
WORD_OF = {kind: name for name, kind in TYPES.items()}
#: made by hand only: a limit order that follows the market
READ_TYPES = TYPES | {"Pegged": OrderType.LIMIT}
TIMES = {TimeInForce.IOC: "ImmediateOrCancel", TimeInForce.FOK: "FillOrKill"}
TRIGGERS = {TriggerBy.LAST: "LastPrice", TriggerBy.MARK: "MarkPrice", TriggerBy.INDEX: "IndexPrice"}
#: not yet taken, or about to change: https://blog.bitmex.com/upgrade-margining-system-and-api/
PENDING = ("PendingNew", "PendingReplace", "PendingCancel")
STATES = {
    **dict.fromkeys((*PENDING, "New", "PartiallyFilled", "Untriggered", "Triggered"), OrderStatus.OPEN),
    **dict.fromkeys(("DoneForDay", "Stopped"), OrderStatus.OPEN),
    "Filled": OrderStatus.FILLED,
    "Canceled": OrderStatus.CANCELLED,
    "Rejected": OrderStatus.REJECTED,
    "Expired": OrderStatus.EXPIRED,
}
STRATEGIES = {"OneWay": None, "Long": Direction.LONG, "Short": Direction.SHORT}
STRATEGY_OF = {side: name for name, side in STRATEGIES.items() if side}
POSITION_MODES = {"OneWay": PositionMode.ONE_WAY, "MultiWay": PositionMode.HEDGE}
#: perpetuals: of coins, of stocks
PERPETUALS = ("FFWCSX", "FFSCSX")
SPOT = ("IFXXXP",)
OPEN_WORLD = ("", "0.0.0.0/0", "::/0")

#: what the words of a refusal have in them, which is also its code; the first that fits counts
SPOKEN: Mapping[type[errors.ExchangeError], tuple[str, ...]] = {
    errors.ClockRefused: ("This request has expired",),
    errors.AuthRefused: (
        "Invalid API Key",
        "Signature not valid",
        "This key is disabled",
        "Access Denied",
        "This IP is not allowed",
        "Account is restricted",
        "Account is suspended",
        "We require all new traders to verify",
    ),
    errors.DuplicateOrder: ("Duplicate clOrdID",),
    errors.InsufficientFunds: ("insufficient Available Balance", "Account has no "),
    errors.UnknownSymbol: ("Invalid symbol", "Instrument expired", "Instrument not listed"),
    errors.WouldTrigger: ("Invalid stopPx for ordType",),
    errors.NothingToReduce: ("execInst of Close or ReduceOnly",),
    errors.PostOnlyRefused: ("execInst of ParticipateDoNotInitiate",),
    errors.ModeMismatch: ("Invalid strategy",),
    errors.OrderNotFound: ("Unable to cancel order", "Invalid orderID", "Not found or not owned"),
    errors.Throttled: ("Rate limit exceeded", "overloaded"),
    errors.InvalidOrder: (
        "Invalid orderQty",
        "orderQty is invalid",
        "Invalid price",
        "Invalid execInst",
        "Invalid leverage",
        "liquidation price",
        "Risk Limit",
    ),
}
ERRORS = {phrase: kind for kind, phrases in SPOKEN.items() for phrase in phrases}
#: where the words of an error say nothing, what its HTTP status says
FORBIDDEN, MISSING = "Forbidden", "404"
NAMED = {403: FORBIDDEN, 404: MISSING}


class _BitMEX(Venue):
    exchange = "bitmex"
    region = "eu"
    key_family = "bitmex"
    base_urls = {
        Environment.LIVE: "https://www.bitmex.com",
        Environment.TESTNET: "https://testnet.bitmex.com",
    }
    errors = ERRORS | {FORBIDDEN: errors.AuthRefused}
    #: "retry after at least 500 milliseconds": www.bitmex.com/app/restAPI#Overload, as quoted by BitMEX' CTO in 2020
    cool_downs = {"overloaded": 0.5}
    throttles = {"overloaded": Scope.KEY}
    #: of an address: "wait for at least one hour"
    #: (https://support.bitmex.com/hc/en-gb/articles/6205535588125-Why-Am-I-Getting-Error-403-Forbidden, read 2026-11-23)
    longest_ban_seconds = 3600.0
    #: a bucket of tokens that fills steadily, and ten a second for whatever moves orders and positions:
    #: blog.bitmex.com/second-layer-rate-limits-to-improve-the-bitmex-trading-experience/
    buckets = {
        "requests": Bucket(120, 60.0, Scope.KEY, kind=Kind.LEAKY),
        "orders": Bucket(10, 1.0, Scope.KEY),
        "public": Bucket(30, 60.0, kind=Kind.LEAKY),
    }
    #: a look is two of the account's two requests per second
    look_seconds = 3.0
    prices_per_minute = 6  # of thirty public calls
    times_per_minute = 1
    guide = Guide(
        key_steps=(
            "On bitmex.com open Account & Security, API Keys, Create an API key.",
            "As the permission choose Order: reading comes with every key, and Order Cancel alone cannot trade.",
            "Leave Withdraw off.",
            "Under CIDR enter the addresses of your flipr; left empty, the key works from everywhere.",
        ),
        testnet="testnet.bitmex.com is an exchange of its own, with accounts, test coins and keys of its own.",
        quirks=(
            "Stop and target are separate orders at BitMEX and do not cancel each other: flipr does.",
            "BitMEX counts contracts in lots; flipr takes and shows coins, rounded down to whole lots.",
            "A post-only order that would trade at once, and a reduce-only one without a position, are cancelled by BitMEX as they come: flipr tells them as refused.",
            "A market takes ten waiting stop orders at most, and an account two requests per second.",
            "Fees of orders are not told: BitMEX names them in its trade history only.",
            "BitMEX_C trades what is margined in its own coin, which is XBTUSD: its sizes are contracts of 1 USD, in lots of 100.",
            "Contracts margined in a third coin (the quanto ETHUSD), and those with an expiry, are not traded.",
        ),
    )
    #: the kinds of instrument that are this product
    kinds: ClassVar[tuple[str, ...]]

    def __init__(self, *wires: Any, **options: Any) -> None:
        super().__init__(*wires, **options)
        #: by symbol, the quantity of one contract; None: an instrument of another product
        self._sizes: dict[str, Decimal | None] = {}
        #: currency -> the asset, and its decimals
        self._assets: dict[str, tuple[str, int]] = {}

    # -- pure ------------------------------------------------------------------------------------------

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """https://www.bitmex.com/app/apiKeysUsage: verb, path with its query, expiry, body."""
        get = call.method == "GET"
        query = urlencode(call.params) if get else ""
        body = "" if get else _written(call.params)
        headers = {} if get else {"Content-Type": "application/json"}
        request = Request(call.method, call.path, query, body.encode(), headers)
        if call.signed and keys:
            expires = now_ms // 1000 + EXPIRES_SECONDS
            signed = f"{call.method}{request.target}{expires}{body}"
            headers |= {
                "api-key": keys.key,
                "api-expires": str(expires),
                "api-signature": hex_hmac(keys.secret, signed),
            }
        return request

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        if not isinstance(answer.data, Mapping) or "error" not in answer.data:
            return None
        told = answer.data["error"]
        told = told if isinstance(told, Mapping) else {"message": told}
        words, name = str(told.get("message") or ""), str(told.get("name") or "")
        return _spoken(words) or NAMED.get(answer.status, name), words

    def usage(self, answer: Answer) -> Mapping[str, int]:
        """The headers speak of the call just made: of those named here, only what it was charged to counts. Some
        accounts may ask more than ours are held to: what is left of it is left of ours."""
        used = {}
        try:
            left, limit = (int(answer.headers[f"x-ratelimit-{name}"]) for name in ("remaining", "limit"))
            used = {
                name: max(min(limit, self.buckets[name].capacity) - left, 0)
                for name in ("requests", "public")
            }
            capacity = self.buckets["orders"].capacity
            used["orders"] = capacity - int(answer.headers["x-ratelimit-remaining-1s"])
        except (KeyError, ValueError):
            return used
        return used

    def place_call(self, order: OrderRequest) -> Call:
        plain = order.type is OrderType.LIMIT
        if not plain and (order.post_only or order.time_in_force is not TimeInForce.GTC):
            raise Unsupported(f"{self.name}: only plain limit orders are post-only or immediate")
        if order.post_only and order.time_in_force is not TimeInForce.GTC:
            raise Unsupported(f"{self.name}: an immediate order cannot be post-only")
        self._check(order)
        params: dict[str, Any] = {
            "symbol": order.instrument.symbol,
            "side": order.side.value.capitalize(),
            "orderQty": self._contracts(order),
            "ordType": WORD_OF[order.type],
            "clOrdID": order.client_id,
        }
        params |= {"price": order.price} if order.type in LIMITS else {}
        params |= {"stopPx": order.trigger_price} if order.type.conditional else {}
        params |= {"timeInForce": TIMES[order.time_in_force]} if order.time_in_force in TIMES else {}
        params |= {"execInst": ",".join(told)} if (told := _instructions(order)) else {}
        params |= {"strategy": STRATEGY_OF[order.position_side]} if order.position_side else {}
        return self._order_call("POST", "order", params, urgency(order))

    @abstractmethod
    def _check(self, order: OrderRequest) -> None:
        """Raises Unsupported for what this product cannot do."""

    def _contracts(self, order: OrderRequest) -> int:
        if order.quantity is None:
            raise Unsupported(f"{self.name}: orders are given in base currency")
        contracts = order.quantity / order.instrument.of_contract
        if contracts != contracts.to_integral_value():
            raise Unsupported(f"{self.name}: {order.quantity:f} is no whole number of contracts")
        return int(contracts)

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        report = self.read_order(data, order.instrument.of_contract)
        ended = report.status in (OrderStatus.CANCELLED, OrderStatus.REJECTED)
        if ended and not report.filled and (code := _spoken(report.reason)):
            raise self.errors[code](f"{self.name} answered: {report.reason}", code=code)
        pending = text(data, "ordStatus") in PENDING and not order.type.conditional
        return replace(report, acknowledged_only=pending)

    def read_order(self, item: Any, size: Decimal) -> Report:
        """What an answer leaves out is nothing: no average price yet, no instructions, and no quantity where all of a
        position is closed."""
        kind, status = word(READ_TYPES, item, "ordType"), word(STATES, item, "ordStatus")
        told = (text_or_none(item, "execInst") or "").split(",")
        quantity = (decimal_or_none if "Close" in told else decimal)(item, "orderQty")
        failed = status in (OrderStatus.CANCELLED, OrderStatus.REJECTED)
        return Report(
            exchange_id=text(item, "orderID"),
            client_id=str(item.get("clOrdID") or ""),
            symbol=text(item, "symbol"),
            side=word(SIDES, item, "side"),
            type=kind,
            status=status,
            quantity=None if quantity is None else quantity * size,
            filled=decimal(item, "cumQty") * size,
            average_price=nonzero(item, "avgPx"),
            price=decimal_or_none(item, "price") if kind in LIMITS else None,
            trigger_price=decimal(item, "stopPx") if kind.conditional else None,
            reduce_only="ReduceOnly" in told or "Close" in told,
            position_side=_strategy(item),
            reason=_reason(item) if failed else "",
        )

    # -- calls -----------------------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        return int(decimal(self._public("", {}), "timestamp"))

    def instruments(self) -> list[Instrument]:
        rows = items(self._public("/instrument/active", {}))
        found = [self.read_instrument(row) for row in rows if self._ours(row)]
        sizes: dict[str, Decimal | None] = {text(row, "symbol"): None for row in rows}
        self._sizes = self._sizes | sizes | {each.symbol: each.of_contract for each in found}
        return found

    def _ours(self, row: Any) -> bool:
        return self._counts_coins(row)

    def _counts_coins(self, row: Any) -> bool:
        return text(row, "typ") in self.kinds and bool(decimal_or_none(row, "underlyingToPositionMultiplier"))

    def read_instrument(self, row: Any) -> Instrument:
        return self._instrument(row, 1 / decimal(row, "underlyingToPositionMultiplier"))

    def _instrument(self, row: Any, size: Decimal) -> Instrument:
        """`size`: the quantity of one contract."""
        step, most = decimal(row, "lotSize") * size, decimal_or_none(row, "maxOrderQty")
        quote = common_asset(text(row, "quoteCurrency"))
        return Instrument(
            symbol=text(row, "symbol"),
            base=common_asset(text(row, "underlying")),
            quote=quote,
            settle=quote,
            product=self.product,
            tick=decimal(row, "tickSize"),
            step=step,
            min_quantity=step,
            max_quantity=most and most * size,
            contract_size=size,
            active=text(row, "state") == "Open",
        )

    def quote(self, instrument: Instrument) -> Quote:
        rows = items(self._public("/instrument", {"symbol": instrument.symbol}))
        if not rows:
            raise UnknownSymbol(f"{self.name} does not list {instrument.symbol}")
        bid, ask, last = (decimal(rows[0], name) for name in ("bidPrice", "askPrice", "lastPrice"))
        spot = self.product is Product.SPOT
        return Quote(bid, ask, last, None if spot else decimal_or_none(rows[0], "markPrice"))

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """The answer is a list; what could not be cancelled has an `error` of its own. An order that is not there at all may
        be answered with HTTP 404 (market_maker/bitmex.py of github.com/BitMEX/sample-market-maker, copies read
        2026-11-23)."""
        call = self._order_call("DELETE", "order", ref.named("orderID", "clOrdID"), Priority.PROTECT)
        try:
            told = field(items(self.call(call, keys)), 0)
        except Refused as refused:
            if refused.code != MISSING:
                raise
            raise self._gone() from refused
        if not isinstance(told, Mapping) or not told.get("error"):
            word(STATES, told, "ordStatus")
            return
        words = text(told, "error")
        code = "" if "PendingNew" in words else _spoken(words)  # what is on its way in is not gone
        raise self.errors.get(code, OutcomeUnknown)(
            f"{self.name} answered: {words}", code=code, exchange_message=words
        )

    def cancel_all(self, keys: Credentials, instrument: Instrument) -> None:
        call = self._order_call("DELETE", "order/all", {"symbol": instrument.symbol}, Priority.PROTECT)
        for row in items(self.call(call, keys)):
            word(STATES, row, "ordStatus")

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        named = _filter(**ref.named("orderID", "clOrdID"))
        asked = {"symbol": instrument.symbol, "filter": named, "reverse": "true"}
        rows = items(self._read("/order", asked, keys))
        if not rows:
            raise OrderNotFound(f"{self.name} does not know this order")
        return self.read_order(rows[0], instrument.of_contract)

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        asked = {"symbol": instrument.symbol} if instrument else {}
        rows = list(self._pages("/order", asked | {"filter": _filter(open=True)}, keys))
        return [self.read_order(row, size) for row, size in self._sized(rows, instrument)]

    def fills(self, keys: Credentials, instrument: Instrument, since: datetime) -> list[Fill]:
        """Oldest first; a page begins with the last moment of the one before, some of whose rows come twice. Funding and
        settlements are among them: www.bitmex.com/api/explorer/#!/Execution/Execution_getTradeHistory (read 2026-11-23)."""
        asked = {"symbol": instrument.symbol, "filter": _filter(execType="Trade"), "count": PAGE}
        start = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
        rows = whole_list(
            lambda place: items(
                self._read("/execution/tradeHistory", {**asked, "startTime": start, **place}, keys)
            ),
            PAGE,
            lambda last: {"startTime": text(last, "timestamp")},
        )
        once = {text(row, "execID"): self.read_fill(row, instrument.of_contract) for row in rows}
        return list(once.values())

    def read_fill(self, row: Any, size: Decimal) -> Fill:
        """One of an order without an id of ours has none."""
        return Fill(
            exchange_id=text(row, "orderID"),
            client_id=text_or_none(row, "clOrdID") or "",
            symbol=text(row, "symbol"),
            side=word(SIDES, row, "side"),
            quantity=decimal(row, "lastQty") * size,
            price=decimal(row, "lastPx"),
            at=moment(row, "timestamp"),
        )

    def _pages(self, path: str, asked: Mapping[str, str], keys: Credentials) -> Iterator[Any]:
        def page(number: int) -> list[Any]:
            return items(self._read(path, {**asked, "count": PAGE, "start": number * PAGE}, keys))

        return pages_by_number(page, PAGE)

    def _sized(self, rows: list[Any], instrument: Instrument | None) -> Iterator[tuple[Any, Decimal]]:
        """The rows of this product with the size of their contracts. The lists know no products: a symbol never
        seen has the instruments read once more."""
        if instrument is not None:
            yield from (
                (row, instrument.of_contract) for row in rows if text(row, "symbol") == instrument.symbol
            )
            return
        symbols = {text(row, "symbol") for row in rows}
        if symbols - self._sizes.keys():
            self.instruments()
            self._sizes = dict.fromkeys(symbols) | self._sizes
        sizes = self._sizes
        yield from ((row, size) for row in rows if (size := sizes[text(row, "symbol")]) is not None)

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """One row per currency: www.bitmex.com/api/explorer/#!/User/User_getMargin."""
        rows = items(self._read("/user/margin", {"currency": "all"}, keys))
        if {text(row, "currency") for row in rows} - self._assets.keys():
            self._read_assets()
        found = [self.read_balance(row) for row in rows]
        return {balance.asset: balance for balance in found}

    def read_balance(self, row: Any) -> Balance:
        """Spot owns what the wallet holds, however much margin other coins lend it."""
        asset, decimals = field(self._assets, text(row, "currency"))
        spot = self.product is Product.SPOT
        total = decimal(row, "walletBalance" if spot else "marginBalance")
        free = decimal(row, "availableMargin")
        free = min(free, total) if spot else free
        return Balance(asset, total.scaleb(-decimals), max(free, Decimal(0)).scaleb(-decimals))

    def _read_assets(self) -> None:
        rows = items(self._public("/wallet/assets", {}))
        self._assets = {
            text(row, "currency"): (common_asset(text(row, "asset")), int(decimal(row, "scale")))
            for row in rows
        }

    def key_info(self, keys: Credentials) -> KeyInfo:
        """All keys of the account: www.bitmex.com/api/explorer/#!/APIKey/APIKey_get. Trading needs "order"."""
        rows = items(self._read("/apiKey", {}, keys))
        own = next((row for row in rows if text(row, "id") == keys.key), None)
        if own is None:
            return KeyInfo(note="BitMEX does not list this key among those of its account")
        may = {str(right) for right in items(own, "permissions")}
        return KeyInfo("order" in may, "withdraw" in may, _locked(own))

    # -- one request -----------------------------------------------------------------------------------

    def _public(self, path: str, params: Mapping[str, Any]) -> Any:
        return self.ask(API + path, params, {"public": 1})

    def _read(self, path: str, params: Mapping[str, Any], keys: Credentials) -> Any:
        return self.ask(API + path, params, {"requests": 1}, keys)

    def _order_call(self, method: str, path: str, params: Mapping[str, Any], priority: Priority) -> Call:
        costs: Costs = {"requests": 1, "orders": 1}
        return Call(method, f"{API}/{path}", params, costs=costs, priority=priority)


class BitMEXSpot(_BitMEX):
    name = "BitMEX"
    product = Product.SPOT
    kinds = SPOT
    #: whether a waiting order holds its coins is not documented: one leg rests, flipr watches the other
    features = Features(
        fill_in_answer=True,
        rests_both_legs=False,
        reduce_only=False,
        client_id_memory_seconds=3600,
        fills_memory_seconds=FILLS_MEMORY // timedelta(seconds=1),
        fills_triggered=True,
    )

    def instruments(self) -> list[Instrument]:
        """Only those whose contract is the smallest unit of their coin: see the head of this file."""
        found = super().instruments()
        self._read_assets()
        units = {asset: Decimal(1).scaleb(-decimals) for asset, decimals in self._assets.values()}
        sure = [each for each in found if units.get(each.base) == each.contract_size]
        self._sizes |= {each.symbol: None for each in found if each not in sure}
        return sure

    def _check(self, order: OrderRequest) -> None:
        if order.reduce_only or order.position_side:
            raise Unsupported(f"{self.name}: spot orders cannot be reduce-only or hedged")
        if order.trigger_by is not TriggerBy.LAST:
            raise Unsupported(f"{self.name}: spot orders trigger by the last price only")


class _BitMEXFutures(_BitMEX):
    features = Features(
        fill_in_answer=True,
        hedge_mode=True,
        leverage=True,
        client_id_memory_seconds=3600,
        fills_memory_seconds=FILLS_MEMORY // timedelta(seconds=1),
        fills_triggered=True,
    )
    #: where its contracts pay out: the currency, and the decimals of its smallest unit
    settlements: ClassVar[Mapping[str, tuple[str, int]]]

    def _instrument(self, row: Any, size: Decimal) -> Instrument:
        settle, _ = self.settlements[text(row, "settlCurrency")]
        margin = decimal_or_none(row, "initMargin")
        most = (1 / margin).to_integral_value() if margin else None
        return replace(super()._instrument(row, size), settle=settle, max_leverage=most)

    @abstractmethod
    def _ours(self, row: Any) -> bool:
        """Whether it is a perpetual that pays out as this product does."""

    def _check(self, order: OrderRequest) -> None:
        """Perpetuals do it all."""

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        rows = self._position_rows(keys, instrument)
        held = [row for row in rows if row.get("isOpen") is not False and decimal(row, "currentQty")]
        return [self.read_position(row, size) for row, size in self._sized(held, instrument)]

    def _position_rows(self, keys: Credentials, instrument: Instrument | None) -> list[Any]:
        asked = {"filter": _filter(symbol=instrument.symbol)} if instrument else {}
        rows = items(self._read("/position", asked, keys))
        for row in rows:
            text(row, "symbol")  # a row of nothing known must not pass for no position
        return rows

    def read_position(self, row: Any, size: Decimal) -> Position:
        """www.bitmex.com/api/explorer/#!/Position/Position_get; money in the smallest unit of `currency`."""
        contracts, cross = decimal(row, "currentQty"), row.get("crossMargin")
        _, decimals = self.settlements.get(str(row.get("currency")), ("", None))
        profit = decimal_or_none(row, "unrealisedPnl")
        return Position(
            symbol=text(row, "symbol"),
            direction=_strategy(row) or (Direction.LONG if contracts > 0 else Direction.SHORT),
            quantity=abs(contracts) * size,
            entry_price=decimal(row, "avgEntryPrice"),
            mark_price=decimal_or_none(row, "markPrice"),
            leverage=decimal_or_none(row, "leverage"),
            margin_mode=None if cross is None else MarginMode.CROSS if cross else MarginMode.ISOLATED,
            unrealised=None if profit is None or decimals is None else profit.scaleb(-decimals),
            liquidation_price=nonzero(row, "liquidationPrice"),
        )

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        """The account names its mode, or none when it is one-way (BitMEX/bitmex-cli, position_mode.rs)."""
        user = self._read("/user", {}, keys)
        text(user, "id")
        return (
            word(POSITION_MODES, user, "positionMode") if user.get("positionMode") else PositionMode.ONE_WAY
        )

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """`/position/leverage` means isolated margin; cross margin has a leverage of its own. Where no mode is asked
        for, the one that stands is kept: BitMEX starts everybody in cross margin."""
        if leverage is None:
            if mode is not None:
                self._set(keys, "isolate", instrument, {"enabled": mode is MarginMode.ISOLATED})
            return
        if (mode or self._mode(keys, instrument)) is MarginMode.ISOLATED:
            self._set(keys, "leverage", instrument, {"leverage": leverage})
            return
        if mode is MarginMode.CROSS:
            self._set(keys, "isolate", instrument, {"enabled": False})
        self._set(keys, "crossLeverage", instrument, {"crossLeverage": leverage})

    def _mode(self, keys: Credentials, instrument: Instrument) -> MarginMode:
        rows = self._position_rows(keys, instrument)
        isolated = any(row.get("crossMargin") is False for row in rows)
        return MarginMode.ISOLATED if isolated else MarginMode.CROSS

    def _set(self, keys: Credentials, what: str, instrument: Instrument, value: Mapping[str, Any]) -> None:
        params = {"symbol": instrument.symbol, **value}
        answer = self.call(self._order_call("POST", f"position/{what}", params, Priority.ENTRY), keys)
        text(answer, "symbol")


class BitMEXFutures(_BitMEXFutures):
    name = "BitMEX_F"
    product = Product.LINEAR
    kinds = PERPETUALS
    settlements = {"USDt": ("USDT", 6), "USDc": ("USDC", 6)}

    def _ours(self, row: Any) -> bool:
        """Neither margined in its coin nor in a third one."""
        if not self._counts_coins(row) or flag(row, "isInverse") or flag(row, "isQuanto"):
            return False
        return text(row, "settlCurrency") in self.settlements


class BitMEXInverse(_BitMEXFutures):
    name = "BitMEX_C"
    product = Product.INVERSE
    kinds = ("FFWCSX",)
    settlements = {"XBt": ("BTC", 8)}

    def _ours(self, row: Any) -> bool:
        if text(row, "typ") not in self.kinds or not flag(row, "isInverse") or flag(row, "isQuanto"):
            return False
        settle, _ = self.settlements.get(text(row, "settlCurrency"), ("", 0))
        return settle == common_asset(text(row, "underlying"))

    def read_instrument(self, row: Any) -> Instrument:
        """A contract is worth so many of the smallest units at a price of 1, which is its value in dollars."""
        _, decimals = self.settlements[text(row, "settlCurrency")]
        value = abs(decimal(row, "multiplier")) / 10**decimals
        return replace(self._instrument(row, Decimal(1)), contract_size=value)


def _spoken(words: str) -> str:
    """The phrase of the error table that `words` have in them, else ""."""
    said = words.lower()
    return next((phrase for phrase in ERRORS if phrase.lower() in said), "")


def _written(params: Mapping[str, Any]) -> str:
    """JSON with numbers as numbers: a Decimal keeps its digits, which `json` cannot write."""
    return "{" + ",".join(f"{json.dumps(name)}:{_value(value)}" for name, value in params.items()) + "}"


def _value(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else json.dumps(value)


def _filter(**wanted: Any) -> str:
    return json.dumps(wanted, separators=(",", ":"))


def _instructions(order: OrderRequest) -> list[str]:
    told = ["ReduceOnly"] if order.reduce_only else []
    told += ["ParticipateDoNotInitiate"] if order.post_only else []
    return told + ([TRIGGERS[order.trigger_by]] if order.type.conditional else [])


def _strategy(item: Any) -> Direction | None:
    """Which position of a hedge; answers from before October 2025 have no such field."""
    return word(STRATEGIES, item, "strategy") if item.get("strategy") else None


def _reason(item: Any) -> str:
    """The first line of `text` says why; the second is the caller's own."""
    return str(item.get("ordRejReason") or "") or str(item.get("text") or "").partition("\n")[0]


def _locked(row: Any) -> bool | None:
    """Whether the key is bound to addresses: a list, or one network."""
    if "cidrs" not in row and "cidr" not in row:
        return None
    bound = row.get("cidrs") or row.get("cidr") or ""
    return not any(each in OPEN_WORLD for each in (bound if isinstance(bound, list) else [bound]))
