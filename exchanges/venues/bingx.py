"""BingX: spot (`BingX`) and USDT perpetuals (`BingX_F`), one host and one key.

Facts from https://bingx-api.github.io/docs/ (stored copies of its spot and swap pages), the exchange's own
github.com/BingX-API/api-ai-skills, the answers kept in github.com/JKorf/BingX.Net and what ccxt 4.5.90 sends and
reads (read 2026-11-22). What is odd here:

* our ids are turned into lower case, and perpetuals keep them for market and limit orders only: a stop or target
  whose answer was lost is looked for among the orders of its market, by its terms;
* STOP and TAKE_PROFIT types need a position to close; what enters at a trigger is a TRIGGER order. That one, and
  every trigger of spot, has no direction: it waits on the side where the price is not. One that was crossed
  already would wait for the way back, so the price is looked at before;
* the stops of a position may together not be larger than it, nor its targets: a stop that moves is cancelled first;
* the default trigger is the mark price, so that ours is always said; a limit order must say how long it lives;
* placing only acknowledges; a triggered order may be told as filled without an amount or a price at first;
* 0 and "" stand for no number, null for an empty list (https://github.com/ccxt/ccxt/pull/20759, read 2026-11-22);
* one code has many meanings (100421: the time, the symbol, the order), which only the words tell apart;
* a batch (batchOrders) takes five orders. That of perpetuals answers with `orders`, "successfully placed", and `errors`,
  "failed orders with error details", whose form is told nowhere (skills/swap-trade/api-reference.md of api-ai-skills, read
  2026-11-23), that of spot with `orders`, of which one may be FAILED. They are worked on side by side: an order is known by
  our id, a conditional one, which has none, by its type, so that a batch takes one of each. An order of which the answer does
  not tell for sure is looked for, and so is each when the batch is refused as a whole for what is in its orders: nothing says
  that none stands then;
* an order is found by our id for two hours. Fills (allFillOrders, fillHistory; myTrades of spot) name its number only. The
  list of ended orders of perpetuals (allOrders, at most seven days) has a `clientOrderId` in the answers quoted by
  ccxt 4.5.90 and kept in github.com/JKorf/BingX.Net, though not in the documented table of its fields: it is believed
  where it names any. That of spot (historyOrders) has none, so what a forgotten order of spot has filled is not asked
  for (stored copies of the documents in github.com/rosssaunders/coincise, read 2026-11-23);
* limits are per user and endpoint, and per address in three groups, whose numbers the documents give with each call
  ("IP in group number 3"). Groups 2 and 3 allow 1000 requests in 10 s, and of each endpoint 100 and 200: all of
  their endpoints together are held to that here;
* spot has a native OCO, whose stop is a stop-limit order. A fall jumps over such a stop, so it is not used.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from exchanges import errors
from exchanges.errors import (
    AuthRefused,
    ClockRefused,
    ExchangeError,
    NotSent,
    OrderNotFound,
    OutcomeUnknown,
    Throttled,
    Unsupported,
)
from exchanges.guide import Guide
from exchanges.limits import Bucket, Charge, Priority, Scope
from exchanges.looks import LooksAgain
from exchanges.margin import whole_leverage
from exchanges.read import (
    decimal,
    decimal_or_none,
    field,
    flag,
    items,
    moment_ms,
    nonzero,
    rows_of,
    step_of,
    text,
    word,
    words,
)
from exchanges.signature import hex_hmac
from exchanges.spot import check_spot
from exchanges.symbols import common_asset
from exchanges.transport import Answer, Request
from exchanges.types import (
    LIMITS,
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
    Call,
    Features,
    Venue,
    acknowledged,
    done_by,
    exact_json,
    plain_params,
    refuse_crossed,
    unsent,
    urgency,
)

#: the longest that a request to trade may be under way
RECV_WINDOW_MS = 5000
FUNDS_PATH = "/openApi/swap/v3/user/balance"
#: what two clocks may be apart when an order is looked for by its time
CLOCK_APART_MS = 10_000
ONE_DAY_MS = 86_400_000
#: so many orders of the past are listed at once
MOST = 500
LARGEST_BATCH = 5
#: what is refused at the door, before any order of a batch is looked at
AT_THE_DOOR = (AuthRefused, ClockRefused, Throttled)

SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
POSITION_SIDES = {"BOTH": None, "LONG": Direction.LONG, "SHORT": Direction.SHORT}
POSITION_WORDS = {side: name for name, side in POSITION_SIDES.items()}
TIMES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
TRIGGERS = {TriggerBy.LAST: "CONTRACT_PRICE", TriggerBy.MARK: "MARK_PRICE", TriggerBy.INDEX: "INDEX_PRICE"}
MARGIN_WORDS = {MarginMode.CROSS: "CROSSED", MarginMode.ISOLATED: "ISOLATED"}
STATUSES = words(
    {
        OrderStatus.OPEN: "NEW PENDING PARTIALLY_FILLED",
        OrderStatus.FILLED: "FILLED",
        OrderStatus.CANCELLED: "CANCELED CANCELLED",
        OrderStatus.REJECTED: "FAILED",
        OrderStatus.EXPIRED: "EXPIRED",
    }
)
PLAIN = {"MARKET": OrderType.MARKET, "LIMIT": OrderType.LIMIT}
#: of a position: the word tells the direction
CLOSING = {
    "STOP_MARKET": OrderType.STOP,
    "STOP": OrderType.STOP_LIMIT,
    "TAKE_PROFIT_MARKET": OrderType.TAKE_PROFIT,
    "TAKE_PROFIT": OrderType.TAKE_PROFIT_LIMIT,
}
CLOSING_WORDS = {kind: name for name, kind in CLOSING.items()}
#: without a direction; whether it ends in a limit order
UNDIRECTED = {
    "TAKE_STOP_MARKET": False,
    "TAKE_STOP_LIMIT": True,
    "TRIGGER_MARKET": False,
    "TRIGGER_LIMIT": True,
}
TRAILING = {"TRAILING_STOP_MARKET": OrderType.STOP, "TRAILING_TP_SL": OrderType.STOP}

#: what the words of 80001 and 80012 hold when they are a definite no; the documents list both kinds
REFUSALS = ("limit", "leverage", "locked", "suspended", "size error", "invalid parameter", "mismatch type")
#: codes that stand for many complaints: what the words hold, in lower case -> what becomes of the code
SPOKEN = tuple(
    (frozenset(codes.split()), said, suffix)
    for codes, said, suffix in (
        ("80014 100400 100421 109400", "timestamp", "time"),
        ("80001 80012 100410", "busy", "busy"),
        ("80001 80012 101400", "margin is not enough", "margin"),
        ("101400", "insufficient margin", "margin"),
        ("80001", "not exist", "gone"),
        ("80012", "symbol not exist", "symbol"),
        *(("80001 80012", said, "refused") for said in REFUSALS),
        ("101400", "no position", "position"),
        ("100410", "error code", "user"),
        ("100400 100404 100421", "order not exist", "gone"),
        ("100400", "order you want to cancel", "gone"),
        ("80017", "position", "position"),
        ("100421", "symbol", "symbol"),
        ("100421", "contract not exist", "symbol"),
        ("101400", "clientorderid", "duplicate"),
        ("109400", "positionside", "mode"),
    )
)
ERRORS = words(
    {
        errors.AuthRefused: "100001 100004 100412 100413 100419",
        errors.ClockRefused: "80014:time 100400:time 100421:time 109400:time",
        errors.Throttled: "100410 100410:user",
        # "Request failed" and "Service Unavailable" hold back whether it was done; 80019 is an order in the making
        OutcomeUnknown: "80001 80001:busy 80012 80012:busy 80019 100410:busy 100500 100503 101500 109500 110500",
        errors.MarketPaused: "100490 101415 109418",
        errors.UnknownSymbol: "80012:symbol 100421:symbol 109425",
        errors.OrderNotFound: "80001:gone 80016 80017 80018 100400:gone 100404:gone 100421:gone 109421",
        errors.DuplicateOrder: "101400:duplicate 101481 109201",
        errors.InsufficientFunds: "80001:margin 80012:margin 100202 101204 101206 101253 101400:margin 110424",
        errors.NothingToReduce: "80017:position 101205 101290 101400:position 109420",
        errors.WouldTrigger: "110411 110412 110413 110414",
        errors.PostOnlyRefused: "101215",
        errors.ModeMismatch: "109400:mode",
        errors.InvalidOrder: "80001:refused 80012:refused 80013 80014 80020 100204 100400 100440 101202 101209 101211 101212 101400 101414 101419 "
        "101429 101460 101514 104103 109400 110406 110407 110422 110425",
    }
)
#: requests of one user in a second
USER_LIMITS = {
    Product.SPOT: {"place": 5, "batch": 2, "cancel": 5, "fetch": 5, "open": 5, "account": 5},
    Product.LINEAR: {
        "place": 10,
        "batch": 5,
        "cancel": 10,
        "fetch": 30,
        "open": 5,
        "account": 5,
        "history": 5,
        "set": 5,
        "marginType": 2,
        "leverage": 2,
        "dual": 2,
    },
}
#: "... will be unblocked after 1727193814249", "can retry after time: 1727193970155"
UNTIL = re.compile(r"after (?:time: ?)?(\d{13})\b")

GUIDE = Guide(
    key_steps=(
        "On bingx.com open the account menu, API Management, and create an API key.",
        "Allow Read, Spot Trading for BingX and Perpetual Futures Trading for BingX_F.",
        "Leave Withdraw off.",
        "Enter the addresses of your flipr in the IP whitelist of the key.",
        "Enter the API key as key, and the secret key, which is shown once, as secret.",
    ),
    testnet="Virtual money (VST) on perpetuals, with the key of the live account; flipr shows it as USDT and does not "
    "trade spot there.",
    quirks=(
        "Spot and perpetual futures have separate wallets: transfer USDT to the perpetual futures account first.",
        "BingX turns client order ids into lower case and keeps none for stops and targets of perpetuals.",
        "A stop or a target of a perpetual needs its position: it is refused when there is none to close.",
        "The stops of a perpetual position may not exceed it: one that moves is cancelled before the new one is placed.",
        "A spot trigger, or one that opens a perpetual position, is refused when the price has crossed it already.",
        "On spot only the stop rests at the exchange; flipr watches the target and sells when it is reached.",
        "Perpetuals are those that settle in USDT, on accounts without separate isolated positions.",
    ),
)


class _BingX(Venue):
    exchange = "bingx"
    region = "tokyo"
    key_family = "bingx"
    guide = GUIDE
    base_urls = {Environment.LIVE: "https://open-api.bingx.com"}
    errors = ERRORS
    #: the groups of an address (1 market, 2 queries, 3 orders), and what a user may ask of each endpoint in a second
    buckets = {
        "market": Bucket(100, 10.0),
        "market_minute": Bucket(500, 60.0),
        "queries": Bucket(100, 10.0),
        "orders": Bucket(200, 10.0),
        **{
            f"{product}_{endpoint}": Bucket(count, 1.0, Scope.KEY, reserve_percent=0)
            for product, counts in USER_LIMITS.items()
            for endpoint, count in counts.items()
        },
    }
    #: of 1200 requests about orders a minute, two for each look; and of 500 prices, one where a trigger waits
    looks_per_minute = 200
    prices_per_minute = 150
    cool_downs = {"100410": 10.0, "100410:user": 30.0}
    #: the words of a refusal tell until when, as a time; no document says how far off that may be
    longest_ban_seconds = 600.0
    #: too many refusals of one kind shut out their user; other refusals for rate do not say whom they mean
    throttles = {"100410:user": Scope.KEY}
    time_path: ClassVar[str]
    symbols_path: ClassVar[str]
    ticker_path: ClassVar[str]
    order_path: ClassVar[str]
    batch_path: ClassVar[str]
    #: in which parameter a batch has its orders, and what else it says
    batch_name: ClassVar[str]
    batch_params: ClassVar[Mapping[str, str]] = {}
    fetch_path: ClassVar[str]
    open_path: ClassVar[str]
    cancel_by: ClassVar[tuple[str, str]]
    id_name: ClassVar[str]
    #: the right to trade, as a switch and as a number
    permission: ClassVar[str]
    permission_number: ClassVar[str]
    types: ClassVar[Mapping[str, OrderType]]

    # -- pure ------------------------------------------------------------------------------------------

    @classmethod
    def client_id(cls, token: str) -> str:
        """Letters and digits, 1 to 40; kept in lower case there, so made so here."""
        return f"f{token}".lower()

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """Everything in the query, by name; the signature covers it as it was before it was encoded."""
        params = plain_params(call.params) | {"timestamp": now_ms}
        ordered = dict(sorted(params.items()))
        query, headers = urlencode(ordered), dict[str, str]()
        if call.signed:
            if keys is None:
                raise AuthRefused(f"{self.name}: this call needs a key")
            plain = "&".join(f"{name}={value}" for name, value in ordered.items())
            query += f"&signature={hex_hmac(keys.secret, plain)}"
            headers["X-BX-APIKEY"] = keys.key
        return Request(call.method, call.path, query, b"", headers)

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        if answer.data is None:
            return None
        if not isinstance(answer.data, Mapping) or answer.data.get("code") is None:
            return "", "the answer has no code"
        code, words = str(answer.data["code"]), str(answer.data.get("msg") or "")
        if code == "0":
            return None
        said = words.lower()
        suffix = next((each for codes, part, each in SPOKEN if code in codes and part in said), "")
        return f"{code}:{suffix}" if suffix else code, words or f"error {code}"

    def checked(self, answer: Answer, charges: tuple[Charge, ...] = ()) -> Any:
        """A refusal for rate tells in its words when to come back, as a time of the exchange's clock."""
        found = self.error_code(answer)
        if found and found[0] in self.cool_downs and (until := UNTIL.search(found[1])):
            seconds = max(int(until[1]) - self.clock.now_ms(), 0) / 1000
            answer = replace(answer, headers={**answer.headers, "retry-after": str(seconds)})
        return super().checked(answer, charges)

    def place_call(self, order: OrderRequest) -> Call:
        timed = order.time_in_force is not TimeInForce.GTC
        if order.type is OrderType.MARKET and order.time_in_force is TimeInForce.IOC:
            timed = False  # as it is anyway
        if order.type is not OrderType.LIMIT and (order.post_only or timed):
            raise Unsupported(f"{self.name}: only limit orders can be post-only, IOC or FOK")
        if order.post_only and timed:
            raise Unsupported(f"{self.name}: a post-only order cannot be {order.time_in_force.upper()}")
        params = {
            "symbol": order.instrument.symbol,
            "side": order.side.upper(),
            "price": order.price if order.type in LIMITS else None,
            "stopPrice": order.trigger_price if order.type.conditional else None,
            "quantity": order.quantity,
            **self._product_params(order),
        }
        if order.type is OrderType.LIMIT:
            params["timeInForce"] = "PostOnly" if order.post_only else TIMES[order.time_in_force]
        return self._write("POST", self.order_path, params, "place", urgency(order))

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """Their numbers are JSON numbers, as the documents write them."""
        orders = [
            {name: value for name, value in call.params.items() if name != "recvWindow"} for call in calls
        ]
        params = {self.batch_name: exact_json(orders), **self.batch_params}
        return self._write("POST", self.batch_path, params, "batch", Priority.ENTRY)

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        """Failed ones name no order: they are believed when there are exactly as many as orders that were not taken, all
        failed for one reason. {} stands for an order that is not told of for sure."""
        told = field(data, "data")
        taken, failed = (rows_of(told, name) if told.get(name) else [] for name in ("orders", "errors"))
        marks = Counter(_mark_told(row) for row in taken)
        rows = {_mark_told(row): row for row in taken if marks[_mark_told(row)] == 1}
        found = [rows.get(_mark(order)) for order in orders]
        reasons = {str(row.get("code")) for row in failed}
        counted = len(found) - found.count(None) == len(taken) == len(orders) - len(failed)
        reason = failed[0] if counted and len(reasons) == 1 else {}
        return [reason if row is None else self._alone(row) for row in found]

    def _alone(self, row: Any) -> Any:
        """A row as it would be the answer to its order alone."""
        if row.get("status") == "FAILED":
            return {"code": "FAILED", "msg": "the order failed"}
        return {"code": 0, "data": row}

    def checked_batch(self, answer: Answer, charges: tuple[Charge, ...] = ()) -> Any:
        """That one order is no good does not say what became of the others."""
        try:
            return super().checked_batch(answer, charges)
        except (*AT_THE_DOOR, OutcomeUnknown):
            raise
        except ExchangeError as error:
            raise OutcomeUnknown(
                f"{self.name} refuses several orders at once: {error.message}", code=error.code
            ) from error

    @abstractmethod
    def _product_params(self, order: OrderRequest) -> dict[str, Any]:
        """Type, id and what only this product's orders carry. Raises Unsupported."""

    def _order_of(self, data: Any) -> Any:
        """The order in an answer about one."""
        return field(data, "data")

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        """What became of it is asked for; an order that failed at once is told here."""
        item = self._order_of(data)
        report = acknowledged(order, text(item, "orderId"))
        status = word(STATUSES, item, "status") if item.get("status") else OrderStatus.OPEN
        if status in (OrderStatus.REJECTED, OrderStatus.EXPIRED):
            return replace(report, status=status, acknowledged_only=False)
        return report

    def read_order(self, item: Any, last: Decimal | None = None) -> Report:
        """`last` tells the direction of an order that has none; nobody can tell that of an ended one: it passes for
        a stop."""
        side, status = word(SIDES, item, "side"), word(STATUSES, item, "status")
        trigger = nonzero(item, "stopPrice") or nonzero(item, "StopPrice")
        kind = self._type(item, side, trigger, last)
        quantity, filled = decimal(item, "origQty"), decimal(item, "executedQty")
        if status is OrderStatus.FILLED and not filled:
            filled = quantity  # samples of triggered orders in the documents look so
        return Report(
            exchange_id=text(item, "orderId"),
            client_id=_words(item, "clientOrderId") or _words(item, "clientOrderID"),
            symbol=text(item, "symbol"),
            side=side,
            type=kind,
            status=status,
            quantity=quantity or None,
            filled=filled,
            price=nonzero(item, "price") if kind in LIMITS else None,
            trigger_price=trigger if kind.conditional else None,
        )

    def _type(self, item: Any, side: Side, trigger: Decimal | None, last: Decimal | None) -> OrderType:
        limit = UNDIRECTED.get(told := text(item, "type"))
        kind = word(self.types, item, "type") if limit is None else OrderType.STOP
        if kind.conditional and trigger is None and told not in TRAILING:
            raise OutcomeUnknown("an order with a trigger has no stopPrice in the answer")
        if limit is None or trigger is None:
            return kind
        stop = last is None or (trigger > last) == (side is Side.BUY)
        return OrderType.waiting(stop=stop, limit=limit)

    # -- calls -----------------------------------------------------------------------------------------

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        """An order whose trigger has no direction is refused here when the price has crossed it."""
        call = self.place_call(order)  # what cannot be said is refused before anything is asked
        if call.params["type"] in UNDIRECTED:
            self._refuse_crossed(order)
        return super().place(keys, order, patience_seconds=patience_seconds)

    def _refuse_crossed(self, order: OrderRequest) -> None:
        with unsent("the price is not known"):
            now = self._quote(order.instrument.symbol, Priority.PROTECT).last
        refuse_crossed(order, now)

    def server_time_ms(self) -> int:
        return int(decimal(self._read(self.time_path, {}), "data", "serverTime"))

    def quote(self, instrument: Instrument) -> Quote:
        return self._quote(instrument.symbol)

    def _quote(self, symbol: str, priority: Priority = Priority.QUERY) -> Quote:
        data = field(self._read(self.ticker_path, {"symbol": symbol}, priority=priority), "data")
        ticker = field(data, 0) if isinstance(data, list) else data
        return Quote(*(decimal(ticker, name) for name in ("bidPrice", "askPrice", "lastPrice")))

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        method, path = self.cancel_by
        params = {"symbol": instrument.symbol, **ref.named("orderId", self.id_name)}
        answer = self.call(self._write(method, path, params, "cancel", Priority.PROTECT), keys)
        text(self._order_of(answer), "orderId")

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        params = {"symbol": instrument.symbol, **ref.named("orderId", self.id_name)}
        item = self._order_of(self._read(self.fetch_path, params, keys, ("fetch", "queries")))
        report = self.with_fill(item, self._directed(item), instrument)
        if ref.exchange_id not in ("", report.exchange_id) or (
            not ref.exchange_id and report.client_id not in ("", ref.client_id)
        ):
            raise OutcomeUnknown(f"{self.name} answers about another order than the one asked for")
        return replace(report, client_id=report.client_id or ref.client_id)

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        rows = self._open(keys, instrument)
        lasts = {
            symbol: self._quote(symbol).last
            for symbol in {text(each, "symbol") for each in rows if text(each, "type") in UNDIRECTED}
        }
        return [self._progress(each, self.read_order(each, lasts.get(text(each, "symbol")))) for each in rows]

    def _open(self, keys: Credentials, instrument: Instrument | None) -> list[Any]:
        params = {"symbol": instrument.symbol} if instrument else {}
        return rows_of(self._read(self.open_path, params, keys, ("open", "orders")), "data", "orders")

    def _directed(self, item: Any) -> Report:
        """An order that waits has the trigger where the price is not."""
        waits = text(item, "type") in UNDIRECTED and word(STATUSES, item, "status") is OrderStatus.OPEN
        return self.read_order(item, self._quote(text(item, "symbol")).last if waits else None)

    @abstractmethod
    def _progress(self, item: Any, report: Report) -> Report:
        """`report` with its average price and what else this product tells."""

    @abstractmethod
    def with_fill(self, item: Any, report: Report, instrument: Instrument) -> Report:
        """`_progress`, and the fee."""

    def key_info(self, keys: Credentials) -> KeyInfo:
        """Rights come as switches or, in older answers, as numbers (5 is withdrawing)."""
        if self.environment is Environment.TESTNET:
            self._read(FUNDS_PATH, {}, keys, ("account", "queries"))
            return KeyInfo(note="BingX's demo does not tell what a key may do")
        answer = self._read("/openApi/v1/account/apiPermissions", {}, keys, ("account", "queries"))
        data = answer.get("data") if isinstance(answer.get("data"), Mapping) else answer
        if data.get("enableWithdrawals") is not None:
            trades = flag(data, self.permission) if self.permission in data else None
            withdraws = flag(data, "enableWithdrawals")
        else:
            rights = {text({"permission": each}, "permission") for each in items(data, "permissions")}
            trades, withdraws = self.permission_number in rights, "5" in rights
        return KeyInfo(can_trade=trades, can_withdraw=withdraws, ip_locked=_ip_locked(data))

    # -- one request -----------------------------------------------------------------------------------

    def _write(
        self, method: str, path: str, params: Mapping[str, Any], bucket: str, priority: Priority
    ) -> Call:
        said = {name: value for name, value in params.items() if value is not None}
        said["recvWindow"] = RECV_WINDOW_MS
        return Call(method, path, said, costs={f"{self.product}_{bucket}": 1, "orders": 1}, priority=priority)

    def _read(
        self,
        path: str,
        params: Mapping[str, Any],
        keys: Credentials | None = None,
        buckets: tuple[str, str] = ("", "market"),
        priority: Priority = Priority.QUERY,
    ) -> Any:
        """`buckets`: the endpoint's own, when the call is a user's, and the group of the address."""
        endpoint, group = buckets
        costs = {group: 1}
        if endpoint:
            costs[f"{self.product}_{endpoint}"] = 1
        if group == "market":
            costs["market_minute"] = 1
        call = Call("GET", path, params, signed=bool(keys), costs=costs, priority=priority, read_only=True)
        return self.call(call, keys)


class BingXSpot(_BingX):
    name = "BingX"
    product = Product.SPOT
    features = Features(
        rests_both_legs=False,
        market_by_quote=True,
        reduce_only=False,
        client_id_memory_seconds=2 * 3600,
        batch=LARGEST_BATCH,
    )
    time_path = "/openApi/spot/v1/server/time"
    symbols_path = "/openApi/spot/v1/common/symbols"
    ticker_path = "/openApi/spot/v1/ticker/24hr"
    order_path = "/openApi/spot/v1/trade/order"
    batch_path, batch_name = "/openApi/spot/v1/trade/batchOrders", "data"
    #: one after the other: side by side go only those of one side and type
    batch_params = {"sync": "true"}
    fetch_path = "/openApi/spot/v1/trade/query"
    open_path = "/openApi/spot/v1/trade/openOrders"
    cancel_by = ("POST", "/openApi/spot/v1/trade/cancel")
    id_name = "clientOrderID"
    permission, permission_number = "enableSpotAndMarginTrading", "1"
    #: with the legs of an OCO made elsewhere
    types = PLAIN | {"ocoLimit": OrderType.LIMIT, "ocoTps": OrderType.STOP_LIMIT}

    def _product_params(self, order: OrderRequest) -> dict[str, Any]:
        check_spot(self.name, order)
        if order.trigger_by is not TriggerBy.LAST:
            raise Unsupported(f"{self.name}: spot orders trigger by the last price only")
        limit = order.type in LIMITS
        waits = "TAKE_STOP_LIMIT" if limit else "TAKE_STOP_MARKET"
        return {
            "type": waits if order.type.conditional else order.type.upper(),
            "newClientOrderId": order.client_id,
            "quoteOrderQty": order.quote_quantity,
        }

    def _progress(self, item: Any, report: Report) -> Report:
        value = decimal(item, "cummulativeQuoteQty")
        average = value / report.filled if report.filled and value else None
        return replace(report, average_price=average)

    def with_fill(self, item: Any, report: Report, instrument: Instrument) -> Report:
        """A fee comes with a minus when it was paid, and without its asset from some answers: buys pay in coins."""
        fee = abs(decimal_or_none(item, "fee") or Decimal(0))
        asset = _words(item, "feeAsset")
        if not asset:
            asset = instrument.base if report.side is Side.BUY else instrument.quote
        return replace(
            self._progress(item, report), fee=Fee(fee, common_asset(asset)) if fee and report.filled else None
        )

    def instruments(self) -> list[Instrument]:
        data = field(self._read(self.symbols_path, {}), "data")
        return [self.read_instrument(each) for each in items(data, "symbols")]

    def read_instrument(self, entry: Any) -> Instrument:
        base, quote = _pair(text(entry, "symbol"))
        return Instrument(
            symbol=text(entry, "symbol"),
            base=base,
            quote=quote,
            settle=quote,
            product=self.product,
            tick=decimal(entry, "tickSize"),
            step=(step := decimal(entry, "stepSize")),
            min_quantity=step,
            min_notional=decimal(entry, "minNotional"),
            active=text(entry, "status") == "1"
            and all(entry.get(name) is True for name in ("apiStateBuy", "apiStateSell")),
        )

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        data = field(self._read("/openApi/spot/v1/account/balance", {}, keys, ("account", "queries")), "data")
        found = {}
        for each in items(data, "balances"):
            asset, free = common_asset(text(each, "asset")), decimal(each, "free")
            found[asset] = Balance(asset, free + decimal(each, "locked"), free)
        return found


class BingXFutures(LooksAgain, _BingX):
    name = "BingX_F"
    product = Product.LINEAR
    #: the demo has one key with the live account, and whose money its spot pages move is not documented
    base_urls = _BingX.base_urls | {Environment.TESTNET: "https://open-api-vst.bingx.com"}
    features = Features(
        conditional_ids=False,
        legs_fit_position=True,
        hedge_mode=True,
        leverage=True,
        client_id_memory_seconds=2 * 3600,
        fills_memory_seconds=7 * 86_400,
        batch=LARGEST_BATCH,
        batch_conditional=True,
    )
    time_path = "/openApi/swap/v2/server/time"
    symbols_path = "/openApi/swap/v2/quote/contracts"
    ticker_path = "/openApi/swap/v2/quote/ticker"
    order_path = fetch_path = "/openApi/swap/v2/trade/order"
    batch_path, batch_name = "/openApi/swap/v2/trade/batchOrders", "batchOrders"
    open_path = "/openApi/swap/v2/trade/openOrders"
    cancel_by = ("DELETE", "/openApi/swap/v2/trade/order")
    id_name = "clientOrderId"
    permission, permission_number = "enableFutures", "3"
    types = PLAIN | CLOSING | TRAILING

    # -- orders ----------------------------------------------------------------------------------------

    def _product_params(self, order: OrderRequest) -> dict[str, Any]:
        """In hedge mode side and position side say what is reduced."""
        if order.quantity is None:
            raise Unsupported(f"{self.name}: futures orders are given in base currency")
        waits = order.type.conditional
        return {
            "type": _futures_word(order),
            "positionSide": POSITION_WORDS[order.position_side],
            "reduceOnly": "true" if order.reduce_only and order.position_side is None else None,
            "workingType": TRIGGERS[order.trigger_by] if waits else None,
            "clientOrderId": None if waits else order.client_id,
        }

    def _order_of(self, data: Any) -> Any:
        """Samples of a cancel have it without the frame of the others."""
        told = field(data, "data")
        return told["order"] if isinstance(told, Mapping) and "order" in told else told

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        report = super().read_placed(data, order)
        return replace(report, client_id="") if order.type.conditional else report

    def _progress(self, item: Any, report: Report) -> Report:
        side = word(POSITION_SIDES, item, "positionSide")
        closes = side is not None and report.side is side.exit_side
        reduces = closes or str(item.get("reduceOnly")) in ("true", "True") or item.get("type") in CLOSING
        average = nonzero(item, "avgPrice") if report.filled else None
        return replace(report, average_price=average, position_side=side, reduce_only=reduces)

    def with_fill(self, item: Any, report: Report, instrument: Instrument) -> Report:
        """Commissions come with a minus when they were paid; "" where there is none."""
        fee = abs(decimal_or_none(item, "commission") or Decimal(0))
        return replace(
            self._progress(item, report), fee=Fee(fee, instrument.settle) if fee and report.filled else None
        )

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        since_ms = self.clock.now_ms() - CLOCK_APART_MS
        try:
            return super().place(keys, order, patience_seconds=patience_seconds)
        except OutcomeUnknown as lost:
            if not order.type.conditional:
                raise
            ((_, told),) = self._lost(keys, [(order, lost)], since_ms)
            if told is lost:
                raise
            if isinstance(told, ExchangeError):
                raise told from lost
            return told

    def _share(self, *orders: OrderRequest) -> bool:
        """A row tells of a conditional order no more than its mark. One without a direction needs the price first."""
        marks = [_mark(order) for order in orders]
        directed = not any(order.type.conditional and _futures_word(order) in UNDIRECTED for order in orders)
        return super()._share(*orders) and directed and len(set(marks)) == len(marks)

    def _alone(self, row: Any) -> Any:
        told = super()._alone(row)
        return told | {"data": {"order": row}} if "data" in told else told

    def _send_batch(
        self, keys: Credentials, orders: Sequence[OrderRequest], calls: Sequence[Call]
    ) -> list[Report | ExchangeError]:
        since_ms = self.clock.now_ms() - CLOCK_APART_MS
        told = super()._send_batch(keys, orders, calls)
        lost = [
            (order, each)
            for order, each in zip(orders, told, strict=True)
            if order.type.conditional and isinstance(each, OutcomeUnknown)
        ]
        looked = {order.client_id: each for order, each in self._lost(keys, lost, since_ms)} if lost else {}
        return [looked.get(order.client_id, each) for order, each in zip(orders, told, strict=True)]

    def _lost(
        self, keys: Credentials, lost: Sequence[tuple[OrderRequest, OutcomeUnknown]], since_ms: int
    ) -> list[tuple[OrderRequest, Report | ExchangeError]]:
        """Orders of one market as listed, open or ended. Not listed: what only closes may be sent again, what opens
        stays unknown."""
        read, found = False, dict[str, Report]()
        for _ in self._looks():
            try:
                found |= self._listed(keys, [order for order, _ in lost], since_ms)
            except ExchangeError:
                read = False  # what cannot be read has told nothing
                continue
            read = True
            if len(found) == len(lost):
                break
        return [
            (order, found.get(order.client_id) or self._unlisted(order, error, read)) for order, error in lost
        ]

    def _unlisted(self, order: OrderRequest, error: OutcomeUnknown, read: bool) -> ExchangeError:
        if read and order.reduce_only:
            return NotSent(f"{self.name} lists no such order", code=error.code)
        return error

    def _listed(self, keys: Credentials, orders: Sequence[OrderRequest], since_ms: int) -> dict[str, Report]:
        """By our ids, those that are found; of two listed, the one that is open."""
        rows = self._known(keys, orders[0].instrument, since_ms)
        return {
            order.client_id: self.with_fill(
                item, replace(self.read_order(item), type=order.type), order.instrument
            )
            for order in orders
            for item in reversed(rows)
            if decimal(item, "time") >= since_ms and _same(item, order)
        }

    def _known(self, keys: Credentials, instrument: Instrument, since_ms: int) -> list[Any]:
        """The orders of a market that are open, and those since then whatever became of them."""
        ended = self._ended(keys, instrument, since_ms)
        return self._open(keys, instrument) + ended

    def _ended(self, keys: Credentials, instrument: Instrument, since_ms: int) -> list[Any]:
        params = {"symbol": instrument.symbol, "startTime": since_ms, "limit": MOST}
        answer = self._read("/openApi/swap/v2/trade/allOrders", params, keys, ("history", "orders"))
        ended = rows_of(answer, "data", "orders")
        if len(ended) >= MOST:
            raise OutcomeUnknown(f"{self.name} has more orders of {instrument.symbol} than it lists")
        return ended

    def fills(self, keys: Credentials, instrument: Instrument, since: datetime) -> list[Fill]:
        """Of the plain orders that were made since then and ended, each order's as one; no other has an id of ours."""
        rows = self._ended(keys, instrument, int(since.timestamp() * 1000))
        told = [
            done_by(report, moment_ms(row, "updateTime"))
            for row in rows
            if text(row, "type") in PLAIN and (report := self._progress(row, self.read_order(row))).filled
        ]
        if told and not any(each.client_id for each in told):
            raise OutcomeUnknown(f"{self.name} lists orders and the client id of none")
        return told

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        """A conditional order without a number cannot be told from others, only that there is none."""
        if not ref.conditional or ref.exchange_id:
            return super().fetch(keys, instrument, ref)
        for item in self._known(keys, instrument, self.clock.now_ms() - ONE_DAY_MS):
            status = word(STATUSES, item, "status")
            if text(item, "type") not in PLAIN and status in (OrderStatus.OPEN, OrderStatus.FILLED):
                raise OutcomeUnknown(f"{self.name} knows trigger orders by its own numbers only: look there")
        raise OrderNotFound(f"{self.name} does not know this order")

    # -- market and account ----------------------------------------------------------------------------

    def instruments(self) -> list[Instrument]:
        listed = items(self._read(self.symbols_path, {}), "data")
        return [self.read_instrument(each) for each in listed if text(each, "currency") == "USDT"]

    def read_instrument(self, entry: Any) -> Instrument:
        base, quote = _pair(text(entry, "symbol"))
        return Instrument(
            symbol=text(entry, "symbol"),
            base=base,
            quote=quote,
            settle=common_asset(text(entry, "currency")),
            product=self.product,
            tick=step_of(entry, "pricePrecision"),
            step=step_of(entry, "quantityPrecision"),
            min_quantity=decimal(entry, "tradeMinQuantity"),
            min_notional=decimal(entry, "tradeMinUSDT"),
            max_leverage=decimal_or_none(entry, "maxLongLeverage"),
            active=text(entry, "status") == "1"
            and all(str(entry.get(name)).lower() == "true" for name in ("apiStateOpen", "apiStateClose")),
        )

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """An account that never held a coin has a row without a name (ccxt 4.5.90). Virtual money counts as USDT."""
        rows = items(self._read(FUNDS_PATH, {}, keys, ("account", "queries")), "data")
        found = {}
        for each in rows:
            if not (name := text(each, "asset")):
                continue
            asset = "USDT" if name == "VST" else common_asset(name)
            found[asset] = Balance(asset, decimal(each, "equity"), decimal(each, "availableMargin"))
        return found

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        params = {"symbol": instrument.symbol} if instrument else {}
        rows = self._read("/openApi/swap/v2/user/positions", params, keys, ("account", "orders"))
        return [self.read_position(each) for each in rows_of(rows, "data") if decimal(each, "positionAmt")]

    def read_position(self, item: Any) -> Position:
        """The amount of a short position has no sign where its side is told."""
        amount = decimal(item, "positionAmt")
        return Position(
            symbol=text(item, "symbol"),
            direction=word(POSITION_SIDES, item, "positionSide")
            or (Direction.LONG if amount > 0 else Direction.SHORT),
            quantity=abs(amount),
            entry_price=decimal(item, "avgPrice"),
            mark_price=nonzero(item, "markPrice"),
            leverage=nonzero(item, "leverage"),
            margin_mode=MarginMode.ISOLATED if flag(item, "isolated") else MarginMode.CROSS,
            unrealised=decimal(item, "unrealizedProfit"),
            liquidation_price=nonzero(item, "liquidationPrice"),
        )

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        answer = self._read("/openApi/swap/v1/positionSide/dual", {}, keys, ("dual", "queries"))
        hedged = flag(answer, "data", "dualSidePosition")
        return PositionMode.HEDGE if hedged else PositionMode.ONE_WAY

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """What is so already is not set again: with a position or orders open even that would be refused."""
        whole = None if leverage is None else whole_leverage(self.name, leverage)
        symbol = {"symbol": instrument.symbol}
        wanted = MARGIN_WORDS[mode] if mode else None
        if wanted and text(self._setting(keys, symbol, "marginType"), "marginType") != wanted:
            self._set(keys, "marginType", symbol | {"marginType": wanted})
        if whole is None:
            return
        now = self._setting(keys, symbol, "leverage")
        if all(decimal(now, f"{side}Leverage") == whole for side in ("long", "short")):
            return
        hedged = self.position_mode(keys, instrument) is PositionMode.HEDGE
        for side in ("LONG", "SHORT") if hedged else ("BOTH",):
            self._set(keys, "leverage", symbol | {"side": side, "leverage": whole})

    def _setting(self, keys: Credentials, symbol: Mapping[str, str], name: str) -> Any:
        answer = self._read(f"/openApi/swap/v2/trade/{name}", symbol, keys, (name, "queries"))
        return field(answer, "data")

    def _set(self, keys: Credentials, path: str, params: Mapping[str, Any]) -> None:
        call = self._write("POST", f"/openApi/swap/v2/trade/{path}", params, "set", Priority.ENTRY)
        self.call(call, keys)


def _mark(order: OrderRequest) -> tuple[str, ...]:
    """What a batch's answer tells an order by."""
    if not order.type.conditional:
        return (order.client_id,)
    return _futures_word(order), order.side.upper(), POSITION_WORDS[order.position_side]


def _mark_told(row: Any) -> tuple[str, ...]:
    if name := _words(row, "clientOrderId") or _words(row, "clientOrderID"):
        return (name,)
    return _words(row, "type"), _words(row, "side"), _words(row, "positionSide")


def _futures_word(order: OrderRequest) -> str:
    """What waits to open is another type than what waits to close."""
    if not order.type.conditional:
        return order.type.upper()
    if order.closes:
        return CLOSING_WORDS[order.type]
    return "TRIGGER_LIMIT" if order.type in LIMITS else "TRIGGER_MARKET"


def _same(item: Any, order: OrderRequest) -> bool:
    """Whether a listed order is the one that was ordered; one that ended without a fill is an older one."""
    price = order.price if order.type in LIMITS else None
    return (
        text(item, "type"),
        word(SIDES, item, "side"),
        word(POSITION_SIDES, item, "positionSide"),
        decimal(item, "origQty"),
        nonzero(item, "stopPrice"),
        nonzero(item, "price") if price else None,
    ) == (
        _futures_word(order),
        order.side,
        order.position_side,
        order.quantity,
        order.trigger_price,
        price,
    ) and word(STATUSES, item, "status") in (OrderStatus.OPEN, OrderStatus.FILLED)


def _words(item: Any, name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def _pair(symbol: str) -> tuple[str, str]:
    base, _, quote = symbol.partition("-")
    if not quote:
        raise OutcomeUnknown(f"{symbol[:40]} names no pair")
    return common_asset(base), common_asset(quote)


def _ip_locked(data: Any) -> bool | None:
    """Told as a switch or as the addresses themselves; None when neither is there."""
    if data.get("ipRestrict") is not None:
        return flag(data, "ipRestrict")
    for name in ("ipAddresses", "ip"):
        if (value := data.get(name)) is not None:
            return bool(any(value) if isinstance(value, list) else value)
    return None
