"""HTX, formerly Huobi: spot (`HTX`) and USDT-margined perpetuals (`HTX_F`, their API v5), two hosts opened by one key.

Facts from https://www.htx.com/en-us/opend/newApiPages/ and from clients written by it (ccxt 4.5.90,
github.com/JKorf/HTX.Net, github.com/thrasher-corp/gocryptotrader; stored copies read 2026-11-22). Quirks:

* The signature covers method, host, path and query; the body of a POST is not signed. There is no test net.
* Placing only acknowledges. Refusals come with HTTP 200, in three envelopes: `err-code`, `err_code` or `code`.
* A spot order names the number of the account it trades from: it is asked for once per key and remembered.
* A spot market buy is given in quote currency. One of a base quantity goes out as an immediate limit order 1 % above
  the market, so that exactly that quantity is bought; where the money does not reach for that bound, as the quote
  amount it costs now.
* A spot stop is an algo order without a number: our client id is its only name. Triggered, it goes on as a plain
  order whose number its record tells. It freezes no balance before.
* Spot algo orders and futures `trigger` orders have no direction: the exchange compares trigger and price when they
  arrive. A stop that was crossed already would become a take-profit, so the price is looked at before each.
* A batch takes ten orders and none that waits for a trigger. Its answer tells of each, futures of each with its code. (Ten
  is the documented maximum of spot and of the older futures API; that of API v5 was not to be found.)
* An order that ended two hours ago is no longer found by our id. Fills name only its number; lists of orders name our id,
  spot for 180 days and fully cancelled ones for two hours, and tell windows of 48 hours by the time at which orders were
  made (/v1/order/orders and /v5/trade/order/history as ccxt 4.5.90 asks and quotes them; the documents of the older
  swap_hisorders in github.com/rosssaunders/coincise; read 2026-11-23). What a conditional order became has no id of ours.
* Futures count whole contracts; callers see base units only. Client ids there are whole numbers of 53 bits.
* A futures order names its margin mode, and one that closes names that of its position (cross where nobody said).
* What closes a position at a trigger is an `sl` or a `tp` order; both may rest for the whole position, and neither ends
  the other. Their common form `tpsl` has one name for two orders: it is not used, and made by hand it is not listed.
* A `trigger` order (an entry at a stop) has no market form: it takes the best 20 levels of the book.
* An account that was not moved to API v5 is refused (4007): it is spoken here, the older API is not.
"""

from __future__ import annotations

import hashlib
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote as percent_encode
from urllib.parse import urlencode, urlsplit

from exchanges import errors
from exchanges.contracts import CountsContracts
from exchanges.errors import (
    ExchangeError,
    InsufficientFunds,
    NothingToReduce,
    OrderNotFound,
    OutcomeUnknown,
    Refused,
    Unsupported,
    WouldTrigger,
)
from exchanges.guide import Guide
from exchanges.limits import Bucket, Costs, Priority, Scope
from exchanges.margin import SeesModes, check_leverage, whole_leverage
from exchanges.memory import Memory, slot
from exchanges.paging import pages_after, whole_list
from exchanges.read import (
    decimal,
    decimal_or_none,
    field,
    items,
    moment_ms,
    nonzero,
    positive,
    rows_of,
    step_of,
    text,
    text_or_none,
    word,
    words,
)
from exchanges.signature import base64_hmac
from exchanges.spot import bounded, check_spot, down
from exchanges.symbols import common_asset
from exchanges.transport import Answer, Request
from exchanges.types import (
    LIMITS,
    STOPS,
    Balance,
    Credentials,
    Direction,
    Environment,
    Fee,
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
from exchanges.venue import (
    NO_OBJECT,
    Call,
    Features,
    Venue,
    acknowledged,
    by_client_id,
    done_by,
    held_mode,
    json_body,
    key_digest,
    outcome,
    plain_params,
    refuse_crossed,
    unsent,
    urgency,
)

SPOT_URL, SWAP_URL = "https://api.huobi.pro", "https://api.hbdm.vn"
#: the same exchange by other addresses; a signature names the one that is called
SIGNED_HOSTS = frozenset({"api.huobi.pro", "api-aws.huobi.pro", "api.hbdm.com", "api.hbdm.vn"})
#: how far above the market a market buy of a base quantity may go
HIGHEST_PREMIUM = Decimal("0.01")
LARGEST_BATCH = 10
#: so long the price of a market serves to tell that a target is not crossed
PRICE_SERVES_SECONDS = 1.0
PAGE = 100
#: the longest window of a list of ended orders
TWO_DAYS_SECONDS = 172_800
NEVER_EXPIRES = -1
#: windows are of two and three seconds: what a header says beyond that is not believed
LONGEST_WAIT_SECONDS = 10.0

SIDES = {side.value: side for side in Side}
#: the second part of a spot order's type
SPOT_TYPES = {
    "market": OrderType.MARKET,
    **dict.fromkeys(("limit", "ioc", "limit-maker", "limit-fok"), OrderType.LIMIT),
    **dict.fromkeys(("stop-limit", "stop-limit-fok"), OrderType.STOP_LIMIT),
}
SPOT_STATES = {
    **dict.fromkeys(("created", "submitted", "partial-filled", "canceling"), OrderStatus.OPEN),
    **dict.fromkeys(("partial-canceled", "canceled"), OrderStatus.CANCELLED),
    "filled": OrderStatus.FILLED,
}
#: None: it goes on as a plain order
ALGO_STATES = {
    **dict.fromkeys(("created", "active"), OrderStatus.OPEN),
    **dict.fromkeys(("triggered", "effective"), None),
    **dict.fromkeys(("rejected", "failed"), OrderStatus.REJECTED),
    "canceled": OrderStatus.CANCELLED,
}
SPOT_TIMES = {TimeInForce.GTC: "limit", TimeInForce.IOC: "ioc", TimeInForce.FOK: "limit-fok"}
#: what a cancel by client id says of the order; only 10 (it is being cancelled) found it open
CANCELLED_NOW = {"10": True, "-1": False, "0": False, "5": False, "6": False, "7": False}
ACCOUNT_PARTS = frozenset({"trade", "frozen"})

IS_LIMIT = {"market": False, "limit": True, "post_only": True}
SWAP_STATES = {
    **dict.fromkeys(("new", "partially_filled"), OrderStatus.OPEN),
    **dict.fromkeys(("partially_canceled", "canceled"), OrderStatus.CANCELLED),
    "filled": OrderStatus.FILLED,
}
ALGO_KINDS = ("sl", "tp", "trigger")
TRIGGERS = {TriggerBy.LAST: "last", TriggerBy.MARK: "mark"}
MODES = {mode.value: mode for mode in MarginMode}
POSITION_SIDES = {"both": None, "long": Direction.LONG, "short": Direction.SHORT}
DIRECTIONS = {"buy": Direction.LONG, "sell": Direction.SHORT}
POSITION_MODES = {"single_side": PositionMode.ONE_WAY, "dual_side": PositionMode.HEDGE}
NO_ORDER = frozenset({"", "-1", "0"})

#: what of one code's many meanings the words tell, as a part of the code where the table has it
SPOKEN = {
    "submission time": ":time",
    "invalid symbol": ":symbol",
    "request limit": ":limit",
    "duplicat": ":duplicate",
    "not exist": ":gone",
    "not found": ":gone",
    "signature": ":signature",
}
Codes = Mapping[type[errors.ExchangeError], str]
SHARED: Codes = {
    errors.AuthRefused: "api-signature-not-valid api-signature-check-failed login-required 1003:signature",
    errors.ClockRefused: "api-signature-not-valid:time 403:time 1003:time",
    errors.Throttled: "rate-too-many-requests too-many-requests base-request-exceed-frequency-limit "
    "invalid-parameter:limit 429",
    OutcomeUnknown: "gateway-internal-error timeout base-system-error base-request-timeout order-update-error 500 502 "
    "503 504",
    errors.Maintenance: "system-maintenance",
    errors.UnknownSymbol: "invalid-parameter:symbol",
    OrderNotFound: "2002:gone",
    errors.DuplicateOrder: "2002:duplicate",
    errors.InvalidOrder: "invalid-parameter bad-request 2002 2003",
}
#: https://www.htx.com/en-us/opend/newApiPages/ "Error Code" of spot
SPOT_ERRORS: Codes = {
    errors.AuthRefused: "account-get-accounts-inexistent-error account-account-id-inexistent 403 1002 1003",
    errors.Throttled: "510 1006",
    errors.MarketPaused: "base-symbol-trade-disabled order-disabled",
    errors.UnknownSymbol: "base-symbol-error",
    OrderNotFound: "order-orderstate-error order-queryorder-invalid order-user-cancel-forbidden base-record-invalid "
    "base-not-found not-found 1007",
    InsufficientFunds: "account-frozen-balance-insufficient-error order-accountbalance-error",
    WouldTrigger: "order-stop-order-hit-trigger",
    errors.DuplicateOrder: "invalid-client-order-id",
    errors.InvalidOrder: "validation-format-error validation-constraints-required invalid-amount order-invalid-price "
    "order-limitorder-amount-min-error order-limitorder-amount-max-error order-marketorder-amount-min-error "
    "order-marketorder-amount-max-error order-limitorder-price-min-error order-limitorder-price-max-error "
    "order-limitorder-price-buy-min-error order-limitorder-price-buy-max-error "
    "order-limitorder-price-sell-min-error order-limitorder-price-sell-max-error order-value-min-error "
    "order-orderprice-precision-error order-orderamount-precision-error order-holding-limit-failed "
    "order-etp-nav-price-max-error",
}
#: the same of USDT-margined contracts, "Details of Each Error Code": 1046 and 1108 are services that failed, 1062 is
#: an order that is being cancelled, 1064 one that may be there already
SWAP_ERRORS: Codes = {
    errors.AuthRefused: "403 1010 1012 1220 1253 4007",
    errors.Throttled: "1032",
    OutcomeUnknown: "1000 1001 1002 1003 1004 1030 1046 1062 1064 1108",
    errors.Maintenance: "1431",
    errors.MarketPaused: "1056 1057 1058 1059 1060 1095",
    errors.UnknownSymbol: "1013 1014 1066",
    OrderNotFound: "1017 1051 1061 1063 1071",
    InsufficientFunds: "1047",
    NothingToReduce: "1048 1492",
    errors.DuplicateOrder: "1050",
    errors.InvalidOrder: "1034 1036 1037 1038 1039 1040 1041 1042 1045 1055 1067 1094 1461",
}


class _HTX(Venue):
    exchange = "htx"
    region = "tokyo"
    key_family = "htx"
    guide = Guide(
        key_steps=(
            "On htx.com open the profile menu, API Management, and create an API key.",
            "Tick Read and Trade. Leave Withdraw off.",
            "Bind the addresses of your flipr: a key without any ends after 90 days.",
            "For HTX_F open USDT-M futures on the site once, and move USDT to the futures account.",
        ),
        quirks=(
            "A spot market buy of a base quantity goes out as an immediate limit order at most 1 % above the market.",
            "A spot stop is refused when the price has crossed it already, and freezes no balance while it waits.",
            "Stop and target of a futures position are two orders that do not know of each other: flipr ends the second.",
            "A futures order names its margin mode, and HTX knows no setting for it: what you do not say goes with the open position, else it is cross. flipr remembers what it saw for ten minutes.",
            "A stop entry on HTX_F takes the best 20 levels of the order book when it triggers.",
            "Futures accounts that HTX has not moved to its API v5 are refused.",
        ),
    )
    #: the headers that tell what is left of a call's limit, and when (in ms) its window ends
    left_header: ClassVar[str]
    reset_header: ClassVar[str]
    #: address of the ticker, and how it names the symbol
    ticker: ClassVar[tuple[str, str]]
    #: bucket and host of the calls that tell of keys: the spot host only has them
    key_calls: ClassVar[tuple[str, str]]
    monotonic: Callable[[], float] = staticmethod(time.monotonic)

    def __init__(self, *wires: Any, **options: Any) -> None:
        super().__init__(*wires, **options)
        self._lasts: dict[str, tuple[Decimal, float]] = {}

    # -- pure ------------------------------------------------------------------------------------------

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """https://www.htx.com/en-us/opend/newApiPages/ "Signature": of the query, never of the body."""
        params, get = plain_params(call.params), call.method == "GET"
        body = "" if get else json_body(call.params)
        query = _query(params) if get else ""
        if call.signed and keys:
            moment = datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            named = {
                "AccessKeyId": keys.key,
                "SignatureMethod": "HmacSHA256",
                "SignatureVersion": "2",
                "Timestamp": moment,
            }
            query = _query({**named, **(params if get else {})})
            signed = f"{call.method}\n{self._signed_host(call)}\n{call.path}\n{query}"
            query += "&" + _query({"Signature": base64_hmac(keys.secret, signed)})
        headers = {} if get else {"Content-Type": "application/json"}
        return Request(call.method, call.path, query, body.encode(), headers)

    def _signed_host(self, call: Call) -> str:
        """The host that is called; that of the real exchange where another one plays it."""
        transport = self.other_transports[call.host] if call.host else self.transport
        called = urlsplit(transport.base_url).hostname or ""
        known = self.hosts[call.host] if call.host else self.base_urls
        return called if called in SIGNED_HOSTS else urlsplit(known[Environment.LIVE]).hostname or ""

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        if not isinstance(answer.data, Mapping):
            return None if answer.data is None else NO_OBJECT
        told: Mapping[str, Any] = answer.data
        fine = told.get("status") == "ok" and not told.get("err-code")
        if fine or str(told.get("code")) == "200":
            if (row := _refused_row(told.get("data"))) is None:
                return None
            told = row
        names = ("err-code", "err_code", "code")
        code = next((str(told[name]) for name in names if told.get(name) not in (None, "")), "")
        words = next((str(told[n]) for n in ("err-msg", "err_msg", "message", "msg") if told.get(n)), "")
        if not code:
            return "", "the answer has no code"
        exact = (code + part for said, part in SPOKEN.items() if said in words.lower())
        return next((each for each in exact if each in self.errors), code), words

    def retry_after(self, answer: Answer) -> float | None:
        """Told as the time at which the window ends."""
        ends_ms = answer.headers.get(self.reset_header, "")
        if "retry-after" in answer.headers or not ends_ms.isdigit():
            return super().retry_after(answer)
        return min(max(int(ends_ms) - self.clock.now_ms(), 0) / 1000, LONGEST_WAIT_SECONDS)

    def usage(self, answer: Answer) -> Mapping[str, int]:
        """The headers speak of the call just made: only its bucket among these was charged."""
        left = answer.headers.get(self.left_header, "")
        if not left.isdigit():
            return {}
        limits = {name: each.capacity for name, each in self.buckets.items() if each.scope is Scope.KEY}
        return {name: max(limit - int(left), 0) for name, limit in limits.items()}

    # -- calls -----------------------------------------------------------------------------------------

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        """What must be known first is asked for. After certain refusals, when nothing stands, another form of the same
        order is tried once."""
        try:
            report = super().place(keys, self._ready(keys, order), patience_seconds=patience_seconds)
        except (InsufficientFunds, NothingToReduce) as refused:
            if (other := self._otherwise(keys, order, refused)) is None:
                raise
            report = super().place(keys, self._prepared(keys, other), patience_seconds=patience_seconds)
        return _as_asked(report, order)

    def _place_batch(self, keys: Credentials, orders: Sequence[OrderRequest]) -> list[Report | ExchangeError]:
        """Each as it can be sent; what is refused so that another form of it may pass goes out once more, alone."""
        ready = [outcome(partial(self._ready, keys, order)) for order in orders]
        sent = iter(super()._place_batch(keys, [each for each in ready if isinstance(each, OrderRequest)]))
        told = [next(sent) if isinstance(each, OrderRequest) else each for each in ready]
        return [self._in_batch(keys, *each) for each in zip(orders, told, strict=True)]

    def _in_batch(
        self, keys: Credentials, order: OrderRequest, told: Report | ExchangeError
    ) -> Report | ExchangeError:
        if isinstance(told, InsufficientFunds | NothingToReduce):
            other = self._otherwise(keys, order, told)
            told = told if other is None else outcome(partial(self.place, keys, other))
        return _as_asked(told, order) if isinstance(told, Report) else told

    def _ready(self, keys: Credentials, order: OrderRequest) -> OrderRequest:
        """As it can be sent; what the exchange lacks is refused before anything is asked."""
        self.place_call(order)
        return self._prepared(keys, order)

    @abstractmethod
    def _otherwise(self, keys: Credentials, order: OrderRequest, refused: Refused) -> OrderRequest | None:
        """The other form of an order that was refused so, if it has one."""

    @abstractmethod
    def _prepared(self, keys: Credentials, order: OrderRequest) -> OrderRequest:
        """The order as it can be sent. Raises WouldTrigger, OutcomeUnknown when the exchange does not tell."""

    def _refuse_crossed(self, order: OrderRequest) -> None:
        """For a target that is crossed already it is no harm to wait, it still fills at its level: a price of a moment
        ago serves."""
        refuse_crossed(order, self._lately(order) or self._present(order).last)

    def _lately(self, order: OrderRequest) -> Decimal | None:
        last, heard_at = self._lasts.get(order.instrument.symbol, (None, 0.0))
        recent = self.monotonic() - heard_at <= PRICE_SERVES_SECONDS
        return last if recent and order.type not in STOPS else None

    def _present(self, order: OrderRequest) -> Quote:
        """A price that is not told leaves the order unsent. It is asked for like the order itself."""
        with unsent("the price is not known"):
            return self._quote(order.instrument.symbol, Priority.PROTECT)

    def quote(self, instrument: Instrument) -> Quote:
        return self._quote(instrument.symbol, Priority.QUERY)

    def _quote(self, symbol: str, priority: Priority = Priority.QUERY) -> Quote:
        tick = field(self._public(self.ticker[0], {self.ticker[1]: symbol}, priority), "tick")
        bid, ask = (decimal(tick, name, 0) for name in ("bid", "ask"))
        last = decimal(tick, "close")
        self._lasts[symbol] = (last, self.monotonic())
        return Quote(bid, ask, last)

    def key_info(self, keys: Credentials) -> KeyInfo:
        """https://www.htx.com/en-us/opend/newApiPages/?id=7ec52c92-7773-11ed-9966-0242ac110003"""
        bucket, host = self.key_calls
        uid = text(self._read("/v2/user/uid", {}, bucket, keys, host=host), "data")
        named = {"accessKey": keys.key, "uid": uid}
        rows = items(self._read("/v2/user/api-key", named, bucket, keys, host=host), "data")
        row = next((each for each in rows if text_or_none(each, "accessKey") == keys.key), None)
        if row is None:
            raise OutcomeUnknown(f"{self.name} does not list the key that asks")
        may, days = text(row, "permission").split(","), int(decimal(row, "validDays"))
        now = datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC)
        return KeyInfo(
            can_trade="trade" in may,
            can_withdraw="withdraw" in may,
            ip_locked=bool(text(row, "ipAddresses")),
            expires=None if days == NEVER_EXPIRES else now + timedelta(days=days),
        )

    # -- one request -----------------------------------------------------------------------------------

    def _public(self, path: str, params: Mapping[str, Any], priority: Priority = Priority.QUERY) -> Any:
        costs: Costs = {"public": 1}
        return self.call(Call("GET", path, params, False, costs, priority, read_only=True))

    def _read(
        self, path: str, params: Mapping[str, Any], bucket: str, keys: Credentials, *, host: str = ""
    ) -> Any:
        return self.ask(path, params, {bucket: 1}, keys, host=host)

    def _write(self, path: str, params: Mapping[str, Any], bucket: str, priority: Priority) -> Call:
        return Call("POST", path, params, costs={bucket: 1}, priority=priority)


class HTXSpot(_HTX):
    name = "HTX"
    product = Product.SPOT
    base_urls = {Environment.LIVE: SPOT_URL}
    features = Features(
        market_by_quote=True,
        reduce_only=False,
        client_id_memory_seconds=7200,
        fills_memory_seconds=TWO_DAYS_SECONDS,
        batch=LARGEST_BATCH,
    )
    errors = words(SHARED, SPOT_ERRORS)
    #: https://www.htx.com/en-us/opend/newApiPages/ "Rate limiting": per user and call, over two seconds
    buckets = {
        "orders": Bucket(100, 2.0, Scope.KEY),
        "batch": Bucket(50, 2.0, Scope.KEY),
        "reads": Bucket(50, 2.0, Scope.KEY),
        "algo": Bucket(20, 2.0, Scope.KEY),
        "account": Bucket(20, 2.0, Scope.KEY),
        "public": Bucket(20, 2.0),
    }
    left_header, reset_header = "x-hb-ratelimit-requests-remain", "x-hb-ratelimit-requests-expire"
    ticker, key_calls = ("/market/detail/merged", "symbol"), ("account", "")
    looks_per_minute = 240  # of 600 public requests a minute and address: a look at stops asks for the price

    def __init__(self, *wires: Any, **options: Any) -> None:
        super().__init__(*wires, **options)
        self._accounts: Memory[str, str] = Memory()
        self._pairs: dict[str, tuple[str, str]] = {}

    # -- placing ---------------------------------------------------------------------------------------

    def place_call(self, order: OrderRequest) -> Call:
        check_spot(self.name, order)
        if order.trigger_by is not TriggerBy.LAST:
            raise Unsupported(f"{self.name}: spot orders trigger by the last price only")
        if order.type.conditional:
            return self._write("/v2/algo-orders", self._algo_params(order), "algo", urgency(order))
        if order.buys_base:  # as `bounded` will make it; without its price the exchange refuses it
            order = replace(order, type=OrderType.LIMIT, time_in_force=TimeInForce.IOC)
        params = {
            "account-id": order.instrument.extra.get("account"),
            "symbol": order.instrument.symbol,
            "type": f"{order.side}-{_spot_type(order, self.name)}",
            "amount": order.quantity if order.quote_quantity is None else _cost(order, order.quote_quantity),
            "client-order-id": order.client_id,
        }
        if order.type is OrderType.LIMIT:
            params["price"] = order.price
        return self._write("/v1/order/orders/place", params, "orders", Priority.ENTRY)

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """https://www.htx.com/en-us/support/900000072826/"""
        orders = [plain_params(call.params) for call in calls]
        return self._write("/v1/order/batch-orders", {"": orders}, "batch", Priority.ENTRY)

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        """In the order of the request: a number, or why there is none."""
        rows = by_client_id(items(data, "data"), orders, "client-order-id")
        return [{"status": "ok", **row, "data": row.get("order-id")} for row in rows]

    def _algo_params(self, order: OrderRequest) -> dict[str, Any]:
        """https://www.htx.com/en-us/opend/newApiPages/ "Place a conditional order": a buy at market says what it
        spends, here what its quantity costs at the trigger."""
        if order.post_only:
            raise Unsupported(f"{self.name}: conditional orders cannot be post-only")
        limit, quantity, trigger = order.type in LIMITS, order.quantity, order.trigger_price
        params: dict[str, Any] = {
            "accountId": order.instrument.extra.get("account"),
            "symbol": order.instrument.symbol,
            "orderSide": str(order.side),
            "orderType": "limit" if limit else "market",
            "clientOrderId": order.client_id,
            "stopPrice": trigger,
        }
        if limit:
            params |= {"orderPrice": order.price, "timeInForce": str(order.time_in_force)}
        if order.side is Side.BUY and not limit:
            return params | {"orderValue": _cost(order, (quantity or Decimal(0)) * (trigger or Decimal(0)))}
        return params | {"orderSize": quantity}

    def _prepared(self, keys: Credentials, order: OrderRequest) -> OrderRequest:
        """With the number of its account, and a price where a market buy needs one."""
        extra = {**order.instrument.extra, "account": self._account(keys)}
        order = replace(order, instrument=replace(order.instrument, extra=extra))
        if order.type.conditional:
            self._refuse_crossed(order)
        return self.bounded(order, self._present(order).ask) if order.buys_base else order

    @staticmethod
    def bounded(order: OrderRequest, ask: Decimal) -> OrderRequest:
        return bounded(order, ask, HIGHEST_PREMIUM)

    def _otherwise(self, keys: Credentials, order: OrderRequest, refused: Refused) -> OrderRequest | None:
        """A buy of nearly all there is, refused for the money its bound would take."""
        if not order.buys_base or not isinstance(refused, InsufficientFunds):
            return None
        cost = (order.quantity or Decimal(0)) * self._present(order).ask
        return replace(order, quantity=None, quote_quantity=cost)

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        """A plain order's number; an algo order has none and goes by our id."""
        if order.type.conditional:
            return acknowledged(order, text(data, "data", "clientOrderId"))
        return acknowledged(order, text(data, "data"))

    def _account(self, keys: Credentials) -> str:
        """The number of the spot account."""
        known = key_digest(keys)
        if known not in self._accounts:
            rows = items(self._read("/v1/account/accounts", {}, "account", keys), "data")
            found = [text(row, "id") for row in rows if text(row, "type") == "spot"]
            if not found:
                raise OutcomeUnknown(f"{self.name} does not tell the number of the spot account")
            self._accounts[known] = found[0]
        return self._accounts[known]

    # -- orders ----------------------------------------------------------------------------------------

    def read_order(self, item: Any) -> Report:
        """A plain order: open ones count `filled-...`, single ones `field-...` (as documented)."""
        name, _, kind = text(item, "type").partition("-")
        order_type = word(SPOT_TYPES, {"type": kind}, "type")
        filled, spent, fee = (_counted(item, part) for part in ("amount", "cash-amount", "fees"))
        side = word(SIDES, {"type": name}, "type")
        by_quote = (order_type, side) == (OrderType.MARKET, Side.BUY)
        base, quote = self._pairs.get(text(item, "symbol"), ("", ""))
        asset = base if side is Side.BUY else quote
        if order_type is OrderType.STOP_LIMIT and item.get("operator") in ("gte", "lte"):
            order_type = OrderType.waiting(stop=(item["operator"] == "gte") == (side is Side.BUY), limit=True)
        return Report(
            exchange_id=text(item, "id"),
            client_id=item.get("client-order-id") or "",
            symbol=text(item, "symbol"),
            side=side,
            type=order_type,
            status=word(SPOT_STATES, item, "state"),
            quantity=None if by_quote else decimal(item, "amount"),
            filled=filled,
            average_price=(spent / filled or None) if filled else None,
            price=decimal(item, "price") if order_type in LIMITS else None,
            trigger_price=decimal(item, "stop-price") if order_type.conditional else None,
            fee=Fee(fee, asset) if filled and asset else None,
        )

    def read_algo(self, item: Any, last: Decimal | None) -> Report:
        """A waiting order's trigger lies where the price is not; of an ended one nobody can tell: it passes for a
        stop. A triggered one is told as open: what became of it is another order's to tell."""
        side, limit = word(SIDES, item, "orderSide"), word(IS_LIMIT, item, "orderType")
        trigger = decimal(item, "stopPrice")
        by_value = side is Side.BUY and not limit
        return Report(
            exchange_id=text(item, "clientOrderId"),
            client_id=text(item, "clientOrderId"),
            symbol=text(item, "symbol"),
            side=side,
            type=OrderType.waiting(stop=last is None or (trigger > last) == (side is Side.BUY), limit=limit),
            status=word(ALGO_STATES, item, "orderStatus") or OrderStatus.OPEN,
            quantity=None if by_value else decimal(item, "orderSize"),
            price=decimal(item, "orderPrice") if limit else None,
            trigger_price=trigger,
            reason=str(item.get("errMessage") or ""),
        )

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        self._pairs[instrument.symbol] = (instrument.base, instrument.quote)
        if not ref.conditional:
            return self._plain(keys, ref)
        item = self._algo_record(keys, ref)
        state = word(ALGO_STATES, item, "orderStatus")
        waits = state is OrderStatus.OPEN
        report = self.read_algo(item, self.quote(instrument).last if waits else None)
        if state is not None:
            return report
        order = self._plain(keys, OrderRef(exchange_id=text(item, "orderId")))
        return replace(
            order,
            exchange_id=report.exchange_id,
            client_id=report.client_id,
            type=report.type,
            trigger_price=report.trigger_price,
        )

    def _plain(self, keys: Credentials, ref: OrderRef) -> Report:
        if ref.exchange_id:
            data = self._read(f"/v1/order/orders/{ref.exchange_id}", {}, "reads", keys)
        else:
            named = {"clientOrderId": ref.client_id}
            data = self._read("/v1/order/orders/getClientOrder", named, "reads", keys)
        if not field(data, "data"):
            raise self._gone()
        return self.read_order(field(data, "data"))

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        wanted = {"symbol": instrument.symbol} if instrument else {}
        plain = [self.read_order(item) for item in self._open(keys, wanted)]
        waiting, prices = list(self._waiting(keys, wanted)), dict[str, Decimal]()
        for item in waiting:
            symbol = text(item, "symbol")
            if symbol not in prices:
                prices[symbol] = self._quote(symbol).last
        return plain + [self.read_algo(item, prices[item["symbol"]]) for item in waiting]

    def _open(self, keys: Credentials, wanted: Mapping[str, str]) -> Iterator[Any]:
        asked = {"account-id": self._account(keys), **wanted, "size": PAGE}
        return pages_after(
            lambda place: items(
                self._read("/v1/order/openOrders", {**asked, **place}, "reads", keys), "data"
            ),
            PAGE,
            lambda last: {"from": text(last, "id"), "direct": "next"},
        )

    def _waiting(self, keys: Credentials, wanted: Mapping[str, str]) -> Iterator[Any]:
        asked: dict[str, Any] = {"accountId": self._account(keys), **wanted, "limit": PAGE}
        while True:
            data = self._read("/v2/algo-orders/opening", asked, "algo", keys)
            yield from items(data, "data")
            if not data.get("nextId"):
                return
            asked |= {"fromId": data["nextId"]}

    def fills(self, keys: Credentials, instrument: Instrument, since: datetime) -> list[Fill]:
        """Of the orders that were made since then, each order's as one."""
        self._pairs[instrument.symbol] = (instrument.base, instrument.quote)
        asked = {
            "symbol": instrument.symbol,
            "states": "partial-filled,partial-canceled,filled",
            "start-time": int(since.timestamp() * 1000),
            "end-time": self.clock.now_ms(),
            "size": PAGE,
        }
        rows = whole_list(
            lambda place: items(self._read("/v1/order/orders", {**asked, **place}, "reads", keys), "data"),
            PAGE,
            lambda last: {"from": text(last, "id"), "direct": "next"},
        )
        told = (done_by(self.read_order(row), moment_ms(row, _ended_at(row))) for row in rows)
        return list({each.exchange_id: each for each in told}.values())

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """A conditional order that triggered is a plain order by now."""
        if ref.conditional:
            if self._cancel_algo(keys, ref):
                return
            item = self._algo_record(keys, ref)
            if (state := word(ALGO_STATES, item, "orderStatus")) is OrderStatus.OPEN:
                raise OutcomeUnknown(f"{self.name} did not cancel an order that waits")
            if state is not None:
                raise self._gone()
            ref = OrderRef(exchange_id=text(item, "orderId"))
        if ref.exchange_id:
            path = f"/v1/order/orders/{ref.exchange_id}/submitcancel"
            text(self._cancel(keys, path, {}, "orders"), "data")
            return
        named = {"client-order-id": ref.client_id}
        told = self._cancel(keys, "/v1/order/orders/submitCancelClientOrder", named, "orders")
        if not word(CANCELLED_NOW, told, "data"):
            raise self._gone()

    def _cancel_algo(self, keys: Credentials, ref: OrderRef) -> bool:
        ours = ref.client_id or ref.exchange_id
        told = self._cancel(keys, "/v2/algo-orders/cancellation", {"clientOrderIds": [ours]}, "algo")
        accepted, rejected = items(told, "data", "accepted"), items(told, "data", "rejected")
        if ours not in accepted and ours not in rejected:
            raise OutcomeUnknown(f"{self.name} does not say whether the order is cancelled")
        return ours in accepted

    def _algo_record(self, keys: Credentials, ref: OrderRef) -> Any:
        named = {"clientOrderId": ref.client_id or ref.exchange_id}
        found = field(self._read("/v2/algo-orders/specific", named, "algo", keys), "data")
        if not found:
            raise self._gone()
        return found

    def _cancel(self, keys: Credentials, path: str, params: Mapping[str, Any], bucket: str) -> Any:
        return self.call(self._write(path, params, bucket, Priority.PROTECT), keys)

    # -- market and account ----------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        return int(decimal(self._public("/v1/common/timestamp", {}), "data"))

    def instruments(self) -> list[Instrument]:
        rows = items(self._public("/v1/common/symbols", {}), "data")
        found = [self.read_instrument(row) for row in rows]
        self._pairs.update({each.symbol: (each.base, each.quote) for each in found})
        return found

    def read_instrument(self, item: Any) -> Instrument:
        quote = common_asset(text(item, "quote-currency"))
        price, amount, value = (step_of(item, f"{name}-precision") for name in ("price", "amount", "value"))
        return Instrument(
            symbol=text(item, "symbol"),
            base=common_asset(text(item, "base-currency")),
            quote=quote,
            settle=quote,
            product=self.product,
            tick=price,
            step=amount,
            min_quantity=decimal_or_none(item, "limit-order-min-order-amt") or Decimal(0),
            min_notional=decimal_or_none(item, "min-order-value") or Decimal(0),
            max_quantity=nonzero(item, "limit-order-max-order-amt"),
            max_market_quantity=nonzero(item, "sell-market-max-order-amt"),
            active=text(item, "state") == "online" and item.get("api-trading") != "disabled",
            extra={"quote_step": value},
        )

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        path = f"/v1/account/accounts/{self._account(keys)}/balance"
        found: dict[str, Balance] = {}
        for item in items(self._read(path, {}, "account", keys), "data", "list"):
            if (part := text(item, "type")) not in ACCOUNT_PARTS:
                continue
            asset, amount = common_asset(text(item, "currency")), decimal(item, "balance")
            held = found.get(asset, Balance(asset, Decimal(0), Decimal(0)))
            free = held.free + (amount if part == "trade" else Decimal(0))
            found[asset] = Balance(asset, held.total + amount, free)
        return found


class HTXFutures(SeesModes, CountsContracts, _HTX):
    name = "HTX_F"
    product = Product.LINEAR
    base_urls = {Environment.LIVE: SWAP_URL}
    hosts = {"htx": {Environment.LIVE: SPOT_URL}}
    features = Features(
        hedge_mode=True,
        leverage=True,
        mode_per_order=True,
        client_id_memory_seconds=7200,
        fills_memory_seconds=TWO_DAYS_SECONDS,
        batch=LARGEST_BATCH,
    )
    errors = words(SHARED, SWAP_ERRORS)
    #: per user over three seconds, writing and reading apart; public calls by address
    buckets = {
        "trade": Bucket(72, 3.0, Scope.KEY),
        "reads": Bucket(72, 3.0, Scope.KEY),
        "account": Bucket(144, 3.0, Scope.KEY),
        "key": Bucket(20, 2.0, Scope.KEY),
        "public": Bucket(120, 3.0),
    }
    left_header, reset_header = "ratelimit-remaining", "ratelimit-reset"
    ticker, key_calls = ("/linear-swap-ex/market/detail/merged", "contract_code"), ("key", "htx")

    @classmethod
    def client_id(cls, token: str) -> str:
        """A whole number of 53 bits, never 0: larger ones change in clients that read numbers as doubles."""
        digest = hashlib.blake2b(token.encode(), digest_size=8).digest()
        return str((int.from_bytes(digest) >> 11) or 1)

    # -- placing ---------------------------------------------------------------------------------------

    def place_call(self, order: OrderRequest) -> Call:
        params: dict[str, Any] = {
            "contract_code": order.instrument.symbol,
            "margin_mode": str(order.margin_mode or MarginMode.CROSS),
            "position_side": str(order.position_side or "both"),
            "side": str(order.side),
            "volume": str(self._whole_contracts(order)),
        }
        if not order.client_id.isdigit():
            raise Unsupported(f"{self.name}: client ids are whole numbers")
        if order.type.conditional:
            params |= {"algo_client_order_id": int(order.client_id)} | self._trigger_params(order)
            return self._write("/v5/algo/order", params, "trade", urgency(order))
        limit = order.type is OrderType.LIMIT
        if order.post_only and (not limit or order.time_in_force is not TimeInForce.GTC):
            raise Unsupported(f"{self.name}: only limit orders that rest can be post-only")
        params |= {
            "client_order_id": int(order.client_id),
            "type": "post_only" if order.post_only else str(order.type),
            "time_in_force": str(order.time_in_force),
        }
        params |= {"price": order.price} if limit else {}
        # in hedge mode side and position say the same, and the flag is not valid
        params |= {"reduce_only": 1} if order.reduce_only and not order.position_side else {}
        return self._write("/v5/trade/order", params, "trade", urgency(order))

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """https://www.htx.com/en-us/opend/newApiPages/?id=8cb89359-77b5-11ed-9966-1958935dae1; that a batch counts as one
        request is not said: each order counts."""
        orders = [plain_params(call.params) for call in calls]
        call = self._write("/v5/trade/batch_orders", {"": orders}, "trade", Priority.ENTRY)
        return replace(call, costs={"trade": len(calls)})

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        named = [
            {**row, "client_order_id": _own_id(row, "client_order_id", "order_id")}
            for row in items(data, "data")
        ]
        return [{**row, "data": row} for row in by_client_id(named, orders, "client_order_id")]

    def _trigger_params(self, order: OrderRequest) -> dict[str, Any]:
        """What closes names its kind and so its direction; what opens is a `trigger` order, which has none."""
        if order.trigger_by not in TRIGGERS:
            raise Unsupported(f"{self.name}: orders trigger by the last or the mark price only")
        if order.post_only or order.time_in_force is not TimeInForce.GTC:
            raise Unsupported(f"{self.name}: conditional orders cannot be post-only, IOC or FOK")
        limit, by = order.type in LIMITS, TRIGGERS[order.trigger_by]
        if not order.closes:
            price = {"price": order.price} if limit else {"price_type": "optimal_20"}
            return {
                "type": "trigger",
                "trigger_price": order.trigger_price,
                "trigger_price_type": by,
                **price,
            }
        kind = "sl" if order.type in STOPS else "tp"
        params = {
            "type": kind,
            f"{kind}_trigger_price": order.trigger_price,
            f"{kind}_trigger_price_type": by,
            f"{kind}_type": "limit" if limit else "market",
        }
        return params | ({f"{kind}_order_price": order.price} if limit else {})

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        if order.type.conditional:
            return acknowledged(order, text(data, "data", 0, "algo_id"))
        return acknowledged(order, text(data, "data", "order_id"))

    def _prepared(self, keys: Credentials, order: OrderRequest) -> OrderRequest:
        """What closes goes to the position as it is held; it is asked for only when it was never seen."""
        if order.type.conditional and not order.closes:
            self._refuse_crossed(order)
        known = slot(keys, order.instrument)
        if order.margin_mode is not None:
            if not order.closes:
                self._modes[known] = order.margin_mode
            return order
        mode = self._held_mode(keys, order) if order.closes else self._modes.get(known)
        return replace(order, margin_mode=mode or MarginMode.CROSS)

    def _otherwise(self, keys: Credentials, order: OrderRequest, refused: Refused) -> OrderRequest | None:
        """Nothing to close in the mode that was remembered: perhaps it is held in the other one by now. A position
        that cannot be read leaves the refusal standing."""
        held = slot(keys, order.instrument)
        known = None if order.margin_mode else self._modes.get(held)
        if known is None or not isinstance(refused, NothingToReduce):
            return None
        try:
            self.positions(keys, order.instrument)
        except errors.ExchangeError:
            return None
        return None if self._modes.get(held) is known else order

    # -- orders ----------------------------------------------------------------------------------------

    def read_order(self, item: Any) -> Report:
        """https://www.htx.com/en-us/opend/newApiPages/?id=8cb89359-77b5-11ed-9966-196a8401f83"""
        size, filled = self._size(text(item, "contract_code")), decimal(item, "trade_volume")
        limit = word(IS_LIMIT, item, "type")
        fee = decimal_or_none(item, "fee")
        return Report(
            exchange_id=text(item, "order_id"),
            client_id=_own_id(item, "client_order_id", "order_id"),
            symbol=text(item, "contract_code"),
            side=word(SIDES, item, "side"),
            type=OrderType.LIMIT if limit else OrderType.MARKET,
            status=word(SWAP_STATES, item, "state"),
            quantity=decimal(item, "volume") * size,
            filled=filled * size,
            average_price=(decimal(item, "trade_avg_price") or None) if filled else None,
            price=decimal(item, "price") if limit else None,
            reduce_only=item.get("reduce_only") is True,
            position_side=word(POSITION_SIDES, item, "position_side"),
            fee=Fee(fee, text(item, "fee_currency")) if filled and fee and item.get("fee_currency") else None,
            reason=str(item.get("cancel_reason") or ""),
        )

    def read_algo(self, item: Any) -> Report:
        """https://www.htx.com/en-us/opend/newApiPages/?id=8cb89359-77b5-11ed-9966-19b73278ea1; a `trigger` order has no
        direction and passes for a stop. What has triggered is told as open: its order tells the rest."""
        kind = word({each: each for each in ALGO_KINDS}, item, "type")
        closes, name = kind != "trigger", "" if kind == "trigger" else f"{kind}_"
        limit = word(IS_LIMIT, item, f"{name}type") if closes else bool(nonzero(item, "price"))
        volume = decimal(item, "volume")
        return Report(
            exchange_id=text(item, "algo_id"),
            client_id=_own_id(item, "algo_client_order_id", "algo_id"),
            symbol=text(item, "contract_code"),
            side=word(SIDES, item, "side"),
            type=OrderType.waiting(stop=kind != "tp", limit=limit),
            status=word(ALGO_STATES, item, "state") or OrderStatus.OPEN,
            quantity=volume * self._size(text(item, "contract_code")),
            price=decimal(item, f"{name}order_price" if closes else "price") if limit else None,
            trigger_price=decimal(item, f"{name}trigger_price"),
            reduce_only=closes or item.get("reduce_only") is True,
            position_side=word(POSITION_SIDES, item, "position_side"),
        )

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        self._know(instrument)
        if ref.conditional:
            return self._followed(keys, instrument, self._algo(keys, instrument, ref))
        return self._plain(keys, instrument, ref)

    def _plain(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        params = {"contract_code": instrument.symbol, **ref.named("order_id", "client_order_id")}
        found = field(self._read("/v5/trade/order", params, "reads", keys), "data")
        if not found:
            raise self._gone()
        return self.read_order(found)

    def _algo(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Any:
        """Its kind is a part of the question: each is asked for, then the lists of ended ones are looked through."""
        named = ref.named("algo_id", "algo_client_order_id")
        for kind in ALGO_KINDS:
            if rows := self._algo_rows(keys, "/v5/algo/order", {"type": kind, **named}):
                return rows[0]
        (name, wanted) = next(iter(named.items()))
        for kind in ALGO_KINDS:
            asked = {"contract_code": instrument.symbol, "type": kind, "limit": PAGE, "direct": "next"}
            for row in self._algo_rows(keys, "/v5/algo/order/history", asked):
                if text_or_none(row, name) == wanted:
                    return row
        raise self._gone()

    def _algo_rows(self, keys: Credentials, path: str, params: Mapping[str, Any]) -> list[Any]:
        """Nothing is said by an empty list, by null or by a refusal."""
        try:
            return rows_of(self._read(path, params, "reads", keys), "data")
        except OrderNotFound:
            return []

    def _followed(self, keys: Credentials, instrument: Instrument, item: Any) -> Report:
        """One that has triggered with what its order has done."""
        report, order_id = self.read_algo(item), _became(item)
        if not order_id:
            return report
        order = self._plain(keys, instrument, OrderRef(exchange_id=order_id))
        return report.done_as(order)

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        wanted: dict[str, Any] = {"contract_code": instrument.symbol} if instrument else {}
        self._know(instrument)
        found = [self.read_order(item) for item in self._pages(keys, "/v5/trade/order/opens", wanted)]
        for kind in ALGO_KINDS:
            rows = self._pages(keys, "/v5/algo/order/opens", wanted | {"type": kind})
            found += [self.read_algo(item) for item in rows]
        return found

    def fills(self, keys: Credentials, instrument: Instrument, since: datetime) -> list[Fill]:
        """Of the orders that were made since then and ended, each order's as one. Whether a list that names no margin
        mode tells of both is not documented."""
        self._know(instrument)
        asked = {
            "contract_code": instrument.symbol,
            "states": "filled,partially_canceled",
            "start_time": int(since.timestamp() * 1000),
            "end_time": self.clock.now_ms(),
        }
        path, found = "/v5/trade/order/history", dict[str, Fill]()
        for mode in MODES:
            rows = self._pages(keys, path, {**asked, "margin_mode": mode}, whole_list)
            found |= {each.exchange_id: each for each in map(self._read_ended, rows)}
        return list(found.values())

    def _read_ended(self, item: Any) -> Fill:
        """Every order tells a client id, be it its number again: one without any could be ours."""
        text(item, "client_order_id")
        return done_by(self.read_order(item), moment_ms(item, "updated_time"))

    def _pages(
        self,
        keys: Credentials,
        path: str,
        wanted: Mapping[str, Any],
        read: Callable[..., Iterator[Any]] = pages_after,
    ) -> Iterator[Any]:
        asked = {**wanted, "limit": PAGE, "direct": "next"}
        return read(
            lambda place: items(self._read(path, {**asked, **place}, "reads", keys), "data"),
            PAGE,
            lambda last: {"from": text(last, "id")},
        )

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """A conditional order that triggered is a plain order by now."""
        if not ref.conditional:
            return self._cancel_plain(keys, instrument, ref)
        named = {"contract_code": instrument.symbol, **ref.named("algo_id", "algo_client_order_id")}
        call = self._write("/v5/algo/cancel_orders", {"": [named]}, "trade", Priority.PROTECT)
        try:
            text(self.call(call, keys), "data", 0, "algo_id")
        except OrderNotFound:
            if not (order_id := _became(self._algo(keys, instrument, ref))):
                raise
            self._cancel_plain(keys, instrument, OrderRef(exchange_id=order_id))
        return None

    def _cancel_plain(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        params = {"contract_code": instrument.symbol, **ref.named("order_id", "client_order_id")}
        call = self._write("/v5/trade/cancel_order", params, "trade", Priority.PROTECT)
        text(self.call(call, keys), "data", "order_id")

    # -- market ----------------------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        return int(decimal(self._public("/api/v1/timestamp", {}), "ts"))

    def instruments(self) -> list[Instrument]:
        """Perpetuals only; dated contracts carry the date in their name."""
        path, wanted = "/linear-swap-api/v1/swap_contract_info", {"business_type": "swap"}
        found = [self.read_instrument(row) for row in items(self._public(path, wanted), "data")]
        self._know(*found)
        return found

    def read_instrument(self, item: Any) -> Instrument:
        symbol, size = text(item, "contract_code"), decimal(item, "contract_size")
        settle = symbol.partition("-")[2]
        return Instrument(
            symbol=symbol,
            base=common_asset(text(item, "symbol")),
            quote=settle,
            settle=settle,
            product=self.product,
            tick=decimal(item, "price_tick"),
            step=size,
            min_quantity=size,
            contract_size=size,
            active=text(item, "contract_status") == "1",
        )

    # -- account ---------------------------------------------------------------------------------------

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        found = {}
        for item in items(self._read("/v5/account/balance", {}, "account", keys), "data", "details"):
            asset = common_asset(text(item, "currency"))
            found[asset] = Balance(asset, decimal(item, "equity"), decimal(item, "available_margin"))
        return found

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        wanted = {"contract_code": instrument.symbol} if instrument else {}
        self._know(instrument)
        rows = items(self._read("/v5/trade/position/opens", wanted, "reads", keys), "data")
        return self._saw(keys, [self.read_position(row) for row in rows if decimal(row, "volume")])

    def read_position(self, item: Any) -> Position:
        """https://www.htx.com/en-us/opend/newApiPages/?id=8cb89359-77b5-11ed-9966-19594266bd8"""
        symbol, side = text(item, "contract_code"), word(POSITION_SIDES, item, "position_side")
        return Position(
            symbol=symbol,
            direction=side or word(DIRECTIONS, item, "direction"),
            quantity=decimal(item, "volume") * self._size(symbol),
            entry_price=decimal(item, "open_avg_price"),
            mark_price=nonzero(item, "mark_price"),
            leverage=nonzero(item, "lever_rate"),
            margin_mode=word(MODES, item, "margin_mode"),
            unrealised=decimal_or_none(item, "profit_unreal"),
            liquidation_price=positive(item, "liquidation_price"),
        )

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        data = field(self._read("/v5/position/mode", {}, "account", keys), "data")
        return word(POSITION_MODES, data, "position_mode")

    def margin_mode(
        self, keys: Credentials, instrument: Instrument, direction: Direction | None = None
    ) -> MarginMode:
        """HTX has no setting: `margin_mode` belongs to the order, as the leverage belongs to the mode."""
        return held_mode(self.positions(keys, instrument), direction) or MarginMode.CROSS

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """The mode is each order's own and needs no call. Isolated positions in hedge mode have a leverage per side."""
        known = slot(keys, instrument)
        if mode is not None:
            self._modes[known] = mode
        if leverage is None:
            return
        whole = whole_leverage(self.name, leverage)
        chosen = self._modes.get(known, MarginMode.CROSS)
        hedged = chosen is MarginMode.ISOLATED and self.position_mode(keys, instrument) is PositionMode.HEDGE
        for side in ("long", "short") if hedged else ("both",):
            params = {
                "contract_code": instrument.symbol,
                "margin_mode": str(chosen),
                "position_side": side,
                "lever_rate": whole,
            }
            call = self._write("/v5/position/lever", params, "account", Priority.ENTRY)
            check_leverage(self.name, decimal(self.call(call, keys), "data", "lever_rate"), leverage)


def _query(params: Mapping[str, Any]) -> str:
    """Sorted by name, as it is signed and sent."""
    return urlencode(sorted(params.items()), quote_via=percent_encode, safe="")


def _refused_row(data: Any) -> Mapping[str, Any] | None:
    """The first row of a list of outcomes that tells of a failure: of algo orders, which are asked for one at a time.
    What became of the orders of a batch is told one by one."""
    rows = data if isinstance(data, list) else []
    algos = (
        row for row in rows if isinstance(row, Mapping) and {"algo_id", "algo_client_order_id"} & set(row)
    )
    told = (row for row in algos if row.get("code") is not None)
    return next((row for row in told if str(row["code"]) != "200"), None)


def _as_asked(report: Report, order: OrderRequest) -> Report:
    return replace(report, type=order.type, price=order.price, quantity=order.quantity)


def _spot_type(order: OrderRequest, venue: str) -> str:
    if order.post_only:
        if order.type is not OrderType.LIMIT or order.time_in_force is not TimeInForce.GTC:
            raise Unsupported(f"{venue}: only limit orders that rest can be post-only")
        return "limit-maker"
    if order.type is OrderType.MARKET:
        return "market"
    return SPOT_TIMES[order.time_in_force]


def _cost(order: OrderRequest, value: Decimal) -> Decimal:
    return down(value, order.instrument.extra["quote_step"])


def _ended_at(item: Any) -> str:
    """What is still open has no end yet."""
    return "finished-at" if decimal(item, "finished-at") else "created-at"


def _counted(item: Any, part: str) -> Decimal:
    return decimal(item, f"filled-{part}" if f"filled-{part}" in item else f"field-{part}")


def _became(item: Any) -> str:
    """The number of the order that a conditional one of futures placed; "" where it has not triggered."""
    if word(ALGO_STATES, item, "state") is not None:
        return ""
    order_id = str(item.get("relation_order_id") or "")
    if order_id in NO_ORDER:
        raise OutcomeUnknown("it was triggered, and the order it became is not named")
    return order_id


def _own_id(item: Any, name: str, other: str) -> str:
    """The client id; an order that was given none has the exchange's number there."""
    found = str(item.get(name) or "")
    return "" if found == str(item.get(other)) else found
