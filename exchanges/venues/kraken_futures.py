"""Kraken Futures: the linear multi-collateral perpetuals (`PF_XBTUSD`) and those margined in one coin (`PI_XBTUSD`), with
keys and a host of their own.

Facts: docs.kraken.com, futures API v3 and its history API, read 2026-11-22. What is odd here:

* HTTP 200 and `"result": "success"` also carry refusals: `sendStatus.status` and `cancelStatus.status` decide;
* a market order is an immediate one at most 1 % away: it may stay partly filled;
* `orders/status` knows an order while it is open and for 5 seconds after its end; what became of an older one
  is told by the history of order and trigger events, and its price by its fills;
* a leverage that was set means isolated margin, none set means cross;
* one-way positions only; the collateral is many currencies, the margin is counted in USD;
* a batch takes orders of every kind; how many at most is not documented, ten are its own example;
* a PF_ contract is one base unit: one that is not would be left out of the instruments. A PI_ contract is a dollar;
  each pair has a margin account of its own, named after its dated contracts (`fi_xbtusd`), and no leverage to set.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode

from exchanges import read
from exchanges.errors import (
    AuthRefused,
    DuplicateOrder,
    ExchangeError,
    InsufficientFunds,
    InvalidOrder,
    MarketPaused,
    NothingToReduce,
    OrderNotFound,
    OutcomeUnknown,
    PostOnlyRefused,
    Throttled,
    UnknownSymbol,
    Unsupported,
)
from exchanges.guide import Guide
from exchanges.limits import Bucket, Priority, Scope
from exchanges.rounds import Round, this_round
from exchanges.signature import base64_secret
from exchanges.sparing import Spared
from exchanges.symbols import common_asset
from exchanges.transport import Answer, Request
from exchanges.types import (
    Balance,
    Credentials,
    Direction,
    Environment,
    Instrument,
    KeyInfo,
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
from exchanges.venue import Call, Features, Venue, by_client_id, key_digest, plain_number, urgency

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TRADING = "/derivatives/api/v3"
BATCH = f"{TRADING}/batchorder"
HISTORY = "/api/history/v3"
#: of a pair margined in its coin
MARGIN_ACCOUNT = re.compile(r"fi_(\w+)usd")
#: newest history events looked through for one order: pages of so many, and so many pages
HISTORY_COUNT, HISTORY_PAGES = 500, 5
#: orders/status tells of an order for so long after its end
REMEMBERED_SECONDS = 5.0
KEY_CHECK = "/api/auth/v1/api-keys/v3/check"
#: whether so much access is all of it
ACCESS = {"FULL_ACCESS": True, "READ_ONLY": False, "NO_ACCESS": False}
EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})

SIDE = {"buy": Side.BUY, "sell": Side.SELL, "Buy": Side.BUY, "Sell": Side.SELL}
DIRECTION = {"long": Direction.LONG, "short": Direction.SHORT}
TRIGGER = {TriggerBy.LAST: "last", TriggerBy.MARK: "mark", TriggerBy.INDEX: "index"}
LIMIT_FORM = {TimeInForce.GTC: "lmt", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}
TRIGGER_FORM = {
    OrderType.STOP: "stp",
    OrderType.STOP_LIMIT: "stp",
    OrderType.TAKE_PROFIT: "take_profit",
    OrderType.TAKE_PROFIT_LIMIT: "take_profit",
}
#: as openorders names them: (without a limit price, with one); stp is also written stop
TYPE_READ = (
    dict.fromkeys(("lmt", "post", "ioc", "fok", "limit"), (OrderType.LIMIT, OrderType.LIMIT))
    | dict.fromkeys(("mkt", "market"), (OrderType.MARKET, OrderType.MARKET))
    | dict.fromkeys(("stp", "stop", "stop_loss", "trailing_stop"), (OrderType.STOP, OrderType.STOP_LIMIT))
    | {"take_profit": (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)}
)
OPEN_STATUS = {"untouched": OrderStatus.OPEN, "partiallyFilled": OrderStatus.OPEN}
#: futures-api/trading/get-order-status
STATUS = {
    "ENTERED_BOOK": OrderStatus.OPEN,
    "TRIGGER_PLACED": OrderStatus.OPEN,
    "FULLY_EXECUTED": OrderStatus.FILLED,
    "CANCELLED": OrderStatus.CANCELLED,
    "REJECTED": OrderStatus.REJECTED,
    "TRIGGER_ACTIVATION_FAILURE": OrderStatus.REJECTED,
}
#: types of order events that never rest: what is not filled at their last event is gone
IMMEDIATE = ("IoC", "Market", "FillOrKill")

ERRORS: dict[str, type[ExchangeError]] = {
    "authenticationError": AuthRefused,
    "accountInactive": AuthRefused,
    "apiLimitExceeded": Throttled,
    "contractNotFound": UnknownSymbol,
    "notFound": OrderNotFound,
    "insufficientFunds": InsufficientFunds,
    "INSUFFICIENT_MARGIN": InsufficientFunds,
    "insufficientAvailableFunds": InsufficientFunds,
    "clientOrderIdAlreadyExist": DuplicateOrder,
    "postWouldExecute": PostOnlyRefused,
    "wouldNotReducePosition": NothingToReduce,
    "marketUnavailable": MarketPaused,
    "marketSuspended": MarketPaused,
    "marketInactive": MarketPaused,
    "marketIsPostOnly": MarketPaused,
    # these do not say whether an order was taken
    "Server Error": OutcomeUnknown,
    "Unavailable": OutcomeUnknown,
    "unavailable": OutcomeUnknown,
    "unknownError": OutcomeUnknown,
} | dict.fromkeys(
    (
        *("invalidArgument", "invalidUnit", "requiredArgumentMissing", "Json Parse Error", "Bad Request"),
        *("invalidOrderType", "invalidSide", "invalidSize", "invalidPrice", "clientOrderIdTooLong"),
        *("selfFill", "tooManySmallOrders", "maxPositionViolation", "outsidePriceCollar"),
        *("wouldCauseLiquidation", "wouldIncreasePriceDislocation", "iocWouldNotExecute"),
    ),
    InvalidOrder,
)
#: sendStatus words of an order that was taken; what it filled is told by its events
TAKEN = dict.fromkeys(("placed", "partiallyFilled", "filled"), True)


class _KrakenFutures(Venue):
    exchange = "kraken"
    region = "eu"
    key_family = "kraken_futures"
    guide = Guide(
        key_steps=(
            "Keys of Kraken spot do not work here. Log in to Kraken's derivatives platform and open Settings, Create Key.",
            "General API: choose Full Access, which includes trading.",
            "Withdrawal API: choose No Access.",
            "Enter the addresses of your flipr where the form asks for allowed IPs.",
        ),
        testnet="demo-futures.kraken.com, with an account and keys of its own.",
        quirks=(
            "Perpetuals of Kraken_F are quoted in USD and collateral may be many currencies: BTCUSDT means PF_XBTUSD there.",
            "A market order reaches 1 % away from the price at most and may stay partly filled.",
            "Setting a leverage makes the margin isolated; a position without one has cross margin.",
            "Kraken_C trades the perpetuals margined in their own coin (PI_XBTUSD): one contract is 1 USD, each pair has a margin account to which its coin has to be moved, and leverage cannot be set.",
            "The demo of Kraken Futures does not tell what a key may do.",
        ),
    )
    base_urls = {
        Environment.LIVE: "https://futures.kraken.com",
        Environment.TESTNET: "https://demo-futures.kraken.com",
    }
    #: the history tells no limit of age; a week of it is surely within the pages that are looked through
    features = Features(
        fill_in_answer=True,
        leverage=True,
        client_id_memory_seconds=7 * 86_400,
        lists_tell_all=True,
        batch=10,
        batch_conditional=True,
    )
    #: per account; answers carry no headers that tell what is used
    buckets = {"derivatives": Bucket(500, 10, Scope.KEY), "history": Bucket(100, 600, Scope.KEY)}
    errors = ERRORS
    one_key_info = True
    #: of the symbols of this product, and the type of its contracts
    prefix: ClassVar[str]
    kind: ClassVar[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: orders looked for in the history, of which a key may ask a hundred questions in ten minutes
        self.sought = Spared(first_seconds=REMEMBERED_SECONDS)

    # -- pure --------------------------------------------------------------------------------------------

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """Parameters travel in the query, also of POST and PUT, but for a batch, whose long one is a form; what is
        signed is that text and the path without `/derivatives`. The optional nonce is left out: workers need not take turns then."""
        query = urlencode(call.params, doseq=True)
        if not call.signed:
            return Request(call.method, call.path, query=query)
        if keys is None:
            raise AuthRefused(f"{self.name}: this call needs a key")
        endpoint = call.path.removeprefix("/derivatives")
        headers = {"APIKey": keys.key, "Authent": signature(keys.secret, endpoint, query)}
        if call.path != BATCH:
            return Request(call.method, call.path, query=query, headers=headers)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return Request(call.method, call.path, body=query.encode(), headers=headers)

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        """The word of `error`, else of a status inside that stands for a refusal."""
        data = answer.data
        if not isinstance(data, Mapping):
            return None
        if data.get("result") == "error" or data.get("error") or data.get("errors"):
            words = str(data.get("error") or first_error(data.get("errors")))
            return (words if words in ERRORS else words.partition(":")[0].strip()), words
        for place, gone in (("sendStatus", ""), ("cancelStatus", "filled")):
            told = data.get(place)
            word = told.get("status", "") if isinstance(told, Mapping) else ""
            if word in ERRORS or (word and word == gone):
                return ("notFound" if word == gone else word), word
        return None

    def place_call(self, order: OrderRequest) -> Call:
        self._refuse_unknown_ways(order)
        params = {
            "symbol": order.instrument.symbol,
            "side": order.side.value,
            "size": order.quantity and plain_number(order.quantity),
            "cliOrdId": order.client_id,
            "triggerSignal": TRIGGER[order.trigger_by] if order.type.conditional else None,
            "stopPrice": order.trigger_price and plain_number(order.trigger_price),
            "reduceOnly": "true" if order.reduce_only else None,
            "orderType": self._form(order),
            "limitPrice": order.price and plain_number(order.price),
        }
        return Call(
            "POST",
            f"{TRADING}/sendorder",
            {name: value for name, value in params.items() if value},
            costs={"derivatives": 10},
            priority=urgency(order),
        )

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """Our ids are the tags that the answer names. Costs: guides/futures/ratelimits."""
        orders = [
            {"order": "send", "order_tag": call.params["cliOrdId"], **call.params}
            | ({"reduceOnly": True} if "reduceOnly" in call.params else {})
            for call in calls
        ]
        text = json.dumps({"batchOrder": orders}, separators=(",", ":"))
        return Call("POST", BATCH, {"json": text}, costs={"derivatives": 9 + len(calls)})

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        rows = by_client_id(read.items(data, "batchStatus"), orders, "order_tag")
        return [{"result": "success", "sendStatus": row} for row in rows]

    def _refuse_unknown_ways(self, order: OrderRequest) -> None:
        if order.quote_quantity is not None:
            raise Unsupported(f"{self.name} takes no amounts of money")
        if order.position_side:
            raise Unsupported(f"{self.name} has no hedge mode")
        forced = order.post_only or order.time_in_force is not TimeInForce.GTC
        if forced and order.type is not OrderType.LIMIT:
            raise Unsupported(f"{self.name}: only limit orders can be post-only, ioc or fok")
        if order.post_only and order.time_in_force is not TimeInForce.GTC:
            raise Unsupported(f"{self.name}: a post-only order cannot be {order.time_in_force.upper()}")

    def _form(self, order: OrderRequest) -> str:
        if order.type is OrderType.MARKET:
            return "mkt"
        if order.type is OrderType.LIMIT:
            return "post" if order.post_only else LIMIT_FORM[order.time_in_force]
        return TRIGGER_FORM[order.type]

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        """What the events say was filled at once. An immediate order whose rest has neither filled nor been
        cancelled in them is only acknowledged: some markets hold taking orders back for a moment."""
        read.word(TAKEN, data, "sendStatus", "status")
        events = read.items(data["sendStatus"].get("orderEvents") or [])
        parts = (each for each in events if read.text(each, "type") == "EXECUTION")
        filled, average = executed(parts, "amount", order.instrument)
        immediate = order.type is OrderType.MARKET or order.time_in_force is not TimeInForce.GTC
        cancelled = any(read.text(event, "type") == "CANCEL" for event in events)
        status = OrderStatus.CANCELLED if cancelled else OrderStatus.OPEN
        if order.quantity is not None and filled >= order.quantity:
            status = OrderStatus.FILLED
        return Report(
            exchange_id=read.text(data, "sendStatus", "order_id"),
            client_id=our_id(data["sendStatus"]) or order.client_id,
            symbol=order.instrument.symbol,
            side=order.side,
            type=order.type,
            status=status,
            quantity=order.quantity,
            filled=filled,
            average_price=average,
            price=order.price,
            trigger_price=order.trigger_price,
            reduce_only=order.reduce_only,
            acknowledged_only=status is OrderStatus.OPEN and (immediate or not events),
        )

    # -- orders ------------------------------------------------------------------------------------------

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        params = {"order_id": ref.exchange_id} if ref.exchange_id else {"cliOrdId": ref.client_id}
        call = self._call("POST", f"{TRADING}/cancelorder", params, 10)
        read.word({"cancelled": True}, self.call(call, keys), "cancelStatus", "status")

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        """From orders/status; when it is older than that, from its fills, if they are all that was asked for; else from the
        history. Then the price from its fills."""
        report = self._recent(keys, ref) or self._all_filled(keys, instrument, ref)
        if report is None and ref.just_sent:
            raise OrderNotFound(f"{self.name} does not know this order yet")
        report = report or self._ended(keys, instrument, ref)
        untold = report.filled and report.average_price is None
        return self._with_price(keys, instrument, report) if untold else report

    def _all_filled(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report | None:
        """None where the fills do not tell: they know no order that has none, nor how it ended."""
        if ref.quantity is None or not (fills := self._fills(keys, ref)):
            return None
        filled, average = executed(fills, "size", instrument)
        if filled < ref.quantity:
            return None
        return Report(
            exchange_id=read.text(fills[0], "order_id"),
            client_id=our_id(fills[0]),
            symbol=instrument.symbol,
            side=read.word(SIDE, fills[0], "side"),
            type=OrderType.STOP if ref.conditional else OrderType.MARKET,
            status=OrderStatus.FILLED,
            quantity=filled,
            filled=filled,
            average_price=average,
        )

    def _recent(self, keys: Credentials, ref: OrderRef) -> Report | None:
        params = {"orderIds": ref.exchange_id} if ref.exchange_id else {"cliOrdIds": ref.client_id}
        try:
            answer = self.call(self._call("POST", f"{TRADING}/orders/status", params, 1), keys)
        except OrderNotFound:
            return None
        return next((status_report(each) for each in read.items(answer, "orders")), None)

    def _ended(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        """An order that ended more than 5 seconds ago, by its newest event. Raises OutcomeUnknown where
        the history does not (yet) say how it ended, OrderNotFound where nothing at all is known of it."""
        owner = key_digest(keys)
        question = owner, ref.exchange_id, ref.client_id
        page = owner, "orders", instrument.symbol, ""
        if not self.sought.due(*question) and not this_round().knows(page):
            raise self.sought.not_yet(*question)
        with self.sought.asking(*question):
            return self._in_history(keys, instrument, ref)

    def _in_history(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        for event in self._events(keys, "orders", instrument):
            if concerns(order := event_order(event), ref):
                return ended_report(event, order)
        for event in self._events(keys, "triggers", instrument) if ref.conditional else ():
            if concerns(order := event_order(event), ref):
                if "OrderTriggerCancelled" in event:
                    return history_report(order, OrderStatus.CANCELLED)
                raise OutcomeUnknown(
                    "it waits for its trigger no more, and the history does not tell yet what it became"
                )
        if self._fills(keys, ref):
            raise OutcomeUnknown(
                "the order was filled at least in part, and the history does not tell its end yet"
            )
        raise OrderNotFound(f"{self.name} does not know this order")

    def _events(self, keys: Credentials, kind: str, instrument: Instrument) -> Iterator[Any]:
        """Newest first. An end that is not reached within the pages looked through is an unknown outcome."""
        params = {"tradeable": instrument.symbol, "sort": "desc", "count": str(HISTORY_COUNT)}
        for _ in range(HISTORY_PAGES):
            call = self._call("GET", f"{HISTORY}/{kind}", params, 1, bucket="history")
            page = key_digest(keys), kind, instrument.symbol, params.get("continuation_token", "")
            answer = this_round().once(page, partial(self.call, call, keys))
            for element in read.items(answer, "elements"):
                yield read.field(element, "event")
            if not (token := read.text_or_none(answer, "continuationToken")):
                return
            params = params | {"continuation_token": token}
        raise OutcomeUnknown("the order is older than the part of the history that is looked through")

    def _with_price(self, keys: Credentials, instrument: Instrument, report: Report) -> Report:
        """The average of the order's fills: the last 100 of the account, read anew where the round has them from before the
        order filled, or those in the history. It stays None where they do not add up to what is filled."""
        read_before = this_round().knows((key_digest(keys), "fills"))
        filled, average = executed(self._fills(keys, report.ref), "size", instrument)
        if filled != report.filled and read_before:
            with Round().asking():
                filled, average = executed(self._fills(keys, report.ref), "size", instrument)
        question = key_digest(keys), report.exchange_id, "price"
        if filled != report.filled and self.sought.due(*question):
            fills = [
                told
                for event in self._events(keys, "executions", instrument)
                if concerns(read.table(told := execution_of(event), "order"), report.ref)
            ]
            filled, average = executed(fills, "quantity", instrument)
            if filled != report.filled:
                self.sought.later(*question)
        return replace(report, average_price=average if filled == report.filled else None)

    def _fills(self, keys: Credentials, ref: OrderRef) -> list[Any]:
        call = self._call("GET", f"{TRADING}/fills", {}, 2)
        answer = this_round().once((key_digest(keys), "fills"), partial(self.call, call, keys))
        return [
            fill
            for fill in read.items(answer, "fills")
            if read.text(fill, "order_id") == ref.exchange_id
            or (ref.client_id and our_id(fill) == ref.client_id)
        ]

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        answer = self.call(self._call("GET", f"{TRADING}/openorders", {}, 2), keys)
        reports = [open_report(each) for each in read.items(answer, "openOrders")]
        return [each for each in reports if self._concerns(each.symbol, instrument)]

    def _concerns(self, symbol: str, instrument: Instrument | None) -> bool:
        """The lists know no products."""
        return symbol.startswith(self.prefix) if instrument is None else symbol == instrument.symbol

    # -- market and account ------------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        """Every answer carries the time; one ticker is a light one."""
        answer = self.call(self._call("GET", f"{TRADING}/tickers/{self.prefix}XBTUSD", {}, 0, signed=False))
        return milliseconds(read.text(answer, "serverTime"))

    def instruments(self) -> list[Instrument]:
        answer = self.call(self._call("GET", f"{TRADING}/instruments", {}, 0, signed=False))
        rows = [each for each in read.items(answer, "instruments") if self._ours(each)]
        return [self.read_instrument(each) for each in rows]

    def _ours(self, row: Any) -> bool:
        symbol = read.text(row, "symbol").upper()
        return symbol.startswith(self.prefix) and read.text(row, "type") == self.kind

    def read_instrument(self, row: Any) -> Instrument:
        return instrument(row, self.prefix)

    def quote(self, instrument: Instrument) -> Quote:
        call = self._call("GET", f"{TRADING}/tickers/{instrument.symbol}", {}, 0, signed=False)
        ticker = read.field(self.call(call), "ticker")
        bid, ask, last = (read.decimal(ticker, name) for name in ("bid", "ask", "last"))
        return Quote(bid, ask, last, read.decimal(ticker, "markPrice"))

    @abstractmethod
    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """What margins this product."""

    def _accounts(self, keys: Credentials) -> Mapping[str, Any]:
        return read.table(self.call(self._call("GET", f"{TRADING}/accounts", {}, 2), keys), "accounts")

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        answer = self.call(self._call("GET", f"{TRADING}/openpositions", {}, 2), keys)
        found = [position(each) for each in read.items(answer, "openPositions")]
        return [each for each in found if self._concerns(each.symbol, instrument)]

    def key_info(self, keys: Credentials) -> KeyInfo:
        """docs.kraken.com/api-reference/api-keys/check-v3-api-key (read 2026-11-23), which names the live host alone.
        `transfer` is what the site calls the withdrawal API."""
        if self.environment is Environment.TESTNET:
            self._accounts(keys)
            return KeyInfo(note="the demo of Kraken Futures does not tell what a key may do")
        told = self.call(self._call("GET", KEY_CHECK, {}, 2), keys)
        trades, withdraws = (read.word(ACCESS, told, "permissions", name) for name in ("general", "transfer"))
        ranges = {str(each) for each in read.items(told, "allowedCidrBlocks")}
        return KeyInfo(trades, withdraws, bool(ranges) and not ranges & EVERYWHERE)

    def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        cost: int,
        *,
        signed: bool = True,
        bucket: str = "derivatives",
    ) -> Call:
        reading = method == "GET" or path.endswith("/status")
        return Call(
            method,
            path,
            params,
            signed=signed,
            costs={bucket: cost} if cost else {},
            priority=Priority.QUERY if reading else Priority.PROTECT,
            read_only=reading,
        )


class KrakenFutures(_KrakenFutures):
    name = "Kraken_F"
    product = Product.LINEAR
    prefix = "PF_"
    kind = "flexible_futures"

    def _ours(self, row: Any) -> bool:
        return super()._ours(row) and read.decimal(row, "contractSize") == 1

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """The multi-collateral wallet. USD is what all of it is worth as equity and as free margin (contracts
        settle in USD, whatever was paid in); the other currencies stand for themselves."""
        flex = read.field(self._accounts(keys), "flex")
        found = {
            (asset := common_asset(name)): Balance(
                asset, read.decimal(data, "quantity"), read.decimal(data, "available")
            )
            for name, data in read.table(flex, "currencies").items()
        }
        equity, free = read.decimal(flex, "portfolioValue"), read.decimal(flex, "availableMargin")
        return found | {"USD": Balance("USD", equity, max(free, Decimal(0)))}

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        if mode is MarginMode.CROSS and leverage is not None:
            raise Unsupported(f"{self.name}: a leverage of its own means isolated margin; cross takes none")
        if mode is MarginMode.ISOLATED and leverage is None:
            raise Unsupported(f"{self.name}: isolated margin is set by giving a leverage")
        if mode is None and leverage is None:
            return  # asking without a leverage would set cross margin
        params = {"symbol": instrument.symbol}
        if leverage is not None:
            params["maxLeverage"] = plain_number(leverage)
        call = self._call("PUT", f"{TRADING}/leveragepreferences", params, 10)
        read.word({"success": True}, self.call(call, keys), "result")


class KrakenInverse(_KrakenFutures):
    """Documented at docs.kraken.com/api-reference/account-information/get-wallets (read 2026-11-23): what a margin account
    is worth (`pv`) and what of it is free (`af`)."""

    name = "Kraken_C"
    product = Product.INVERSE
    prefix = "PI_"
    kind = "futures_inverse"
    features = replace(_KrakenFutures.features, leverage=False)

    def read_instrument(self, row: Any) -> Instrument:
        found = super().read_instrument(row)
        return replace(
            found,
            settle=found.base,
            product=Product.INVERSE,
            contract_size=read.decimal(row, "contractSize"),
        )

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """By the coin of the pair whose margin account it is."""
        found = {}
        for name, account in self._accounts(keys).items():
            if (pair := MARGIN_ACCOUNT.fullmatch(name)) is None:
                continue
            asset = common_asset(pair[1])
            total, free = (read.decimal(account, "auxiliary", each) for each in ("pv", "af"))
            found[asset] = Balance(asset, total, max(free, Decimal(0)))
        return found

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        """Margined by the account of their pair, neither cross nor isolated."""
        return [replace(each, margin_mode=None) for each in super().positions(keys, instrument)]

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        if leverage is not None or mode is not None:
            raise Unsupported(f"{self.name}: the leverage of these contracts cannot be set")


def signature(secret: str, endpoint: str, query: str) -> str:
    """guides/futures/authentication: HMAC-SHA512 of SHA256(parameters + nonce + endpoint) under the decoded secret."""
    inner = hashlib.sha256((query + endpoint).encode()).digest()
    return base64.b64encode(hmac.digest(base64_secret("Kraken", secret), inner, "sha512")).decode()


def first_error(errors: Any) -> str:
    """`[{"code": 92, "message": "INSUFFICIENT_MARGIN"}]` or `["notFound"]`."""
    first = errors[0] if isinstance(errors, list) and errors else "unknownError"
    return str(first.get("message", "unknownError") if isinstance(first, Mapping) else first)


def milliseconds(time: str) -> int:
    try:
        return (datetime.fromisoformat(time) - EPOCH) // timedelta(milliseconds=1)
    except (ValueError, TypeError):
        raise OutcomeUnknown("serverTime is not a time in the answer") from None


def executed(parts: Iterable[Any], size: str, instrument: Instrument) -> tuple[Decimal, Decimal | None]:
    """(filled, average price) of executions or fills whose quantity is the field `size`."""
    told = [(read.decimal(part, size), read.decimal(part, "price")) for part in parts]
    filled = sum((quantity for quantity, _ in told), Decimal(0))
    return filled, instrument.average(told) if filled else None


def our_id(data: Any) -> str:
    """Kraken spells it both ways, and leaves it out where there is none."""
    return str(data.get("cliOrdId") or data.get("cli_ord_id") or "")


def triggered_type(side: Side, above: bool, limit: Decimal | None) -> OrderType:
    """A buy that waits above the market, or a sell below it, is a stop."""
    if (side is Side.BUY) == above:
        return OrderType.STOP if limit is None else OrderType.STOP_LIMIT
    return OrderType.TAKE_PROFIT if limit is None else OrderType.TAKE_PROFIT_LIMIT


def status_report(data: Any) -> Report:
    """An entry of orders/status. It does not tell a market order from a limit order, nor any price."""
    order, status = read.field(data, "order"), read.word(STATUS, data, "status")
    side, limit = read.word(SIDE, order, "side"), read.decimal_or_none(order, "limitPrice")
    trigger = (
        read.table(order, "priceTriggerOptions") if order.get("priceTriggerOptions") is not None else None
    )
    number = read.decimal_or_none if trigger and status is not OrderStatus.FILLED else read.decimal
    quantity, filled = number(order, "quantity"), number(order, "filled") or Decimal(0)
    if status is OrderStatus.FILLED:
        filled = quantity = filled or quantity or Decimal(0)
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    if trigger:
        kind = triggered_type(side, read.text(trigger, "triggerSide") == "TRIGGER_ABOVE", limit)
    return Report(
        exchange_id=read.text(order, "orderId"),
        client_id=our_id(order),
        symbol=read.text(order, "symbol").upper(),
        side=side,
        type=kind,
        status=status,
        quantity=quantity,
        filled=filled,
        price=limit,
        trigger_price=read.decimal(trigger, "triggerPrice") if trigger else None,
        reduce_only=bool(order.get("reduceOnly")),
        reason=str(data.get("error") or data.get("updateReason") or ""),
    )


def open_report(data: Any) -> Report:
    limit = read.decimal_or_none(data, "limitPrice")
    plain, limited = read.word(TYPE_READ, data, "orderType")
    filled = read.decimal(data, "filledSize")
    return Report(
        exchange_id=read.text(data, "order_id"),
        client_id=our_id(data),
        symbol=read.text(data, "symbol").upper(),
        side=read.word(SIDE, data, "side"),
        type=plain if limit is None else limited,
        status=read.word(OPEN_STATUS, data, "status"),
        quantity=filled + read.decimal(data, "unfilledSize"),
        filled=filled,
        price=limit,
        trigger_price=read.nonzero_where(plain.conditional, data, "stopPrice"),
        reduce_only=bool(data.get("reduceOnly")),
    )


def event_order(event: Any) -> Mapping[str, Any]:
    """The order as a history event leaves it; nothing for events that change none (a refused edit)."""
    for detail in map(read.table, read.table(event).values()):
        for place in ("order", "newOrder", "newOrderTrigger"):
            if place in detail:
                return read.table(detail, place)
    return {}


def concerns(order: Mapping[str, Any], ref: OrderRef) -> bool:
    ids = (order.get("uid"), order.get("clientId"))
    return any(
        wanted and wanted == told for wanted, told in zip((ref.exchange_id, ref.client_id), ids, strict=True)
    )


def execution_of(event: Any) -> Any:
    """Documented as `execution`; the public history writes `Execution`."""
    told = read.table(event)
    return read.field(told.get("execution") or told.get("Execution"), "execution")


def ended_report(event: Any, order: Mapping[str, Any]) -> Report:
    """How an order ended, by its newest event."""
    name, detail = next(iter(event.items()))
    reason = str(detail.get("orderError") or detail.get("reason") or "")
    left, filled = read.decimal(order, "quantity"), read.decimal(order, "filled")
    if name == "OrderRejected":
        return history_report(order, OrderStatus.REJECTED, reason)
    if reason == "full_fill" or (filled and not left):
        return history_report(order, OrderStatus.FILLED, reason)
    if name == "OrderCancelled" or not left or never_rests(order):
        return history_report(order, OrderStatus.CANCELLED, reason)
    raise OutcomeUnknown("the order is not open any more, and the history does not tell yet how it ended")


def never_rests(order: Mapping[str, Any]) -> bool:
    """One of a fired trigger is told as a limit order without a limit."""
    if order.get("orderType") in IMMEDIATE:
        return True
    return "limitPrice" in order and read.decimal_or_none(order, "limitPrice") is None


def history_report(order: Mapping[str, Any], status: OrderStatus, reason: str = "") -> Report:
    """`quantity` there is what was left of the order; a trigger that never fired has no `filled`."""
    side, trigger = read.word(SIDE, order, "direction"), order.get("triggerOptions")
    limit = read.decimal_or_none(order, "limitPrice")
    number = read.decimal_or_none if trigger and status is not OrderStatus.FILLED else read.decimal
    filled = number(order, "filled") or Decimal(0)
    kind = OrderType.MARKET if order.get("orderType") == "Market" else OrderType.LIMIT
    if trigger:
        kind = triggered_type(side, read.text(trigger, "triggerSide") == "Above", limit)
    return Report(
        exchange_id=read.text(order, "uid"),
        client_id=str(order.get("clientId") or ""),
        symbol=read.text(order, "tradeable").upper(),
        side=side,
        type=kind,
        status=status,
        quantity=filled if status is OrderStatus.FILLED else filled + read.decimal(order, "quantity"),
        filled=filled,
        price=limit,
        trigger_price=read.decimal(trigger, "triggerPrice") if trigger else None,
        reduce_only=bool(order.get("reduceOnly")),
        reason=reason,
    )


def position(data: Any) -> Position:
    leverage = read.decimal_or_none(data, "maxFixedLeverage")
    return Position(
        symbol=read.text(data, "symbol").upper(),
        direction=read.word(DIRECTION, data, "side"),
        quantity=abs(read.decimal(data, "size")),
        entry_price=read.decimal(data, "price"),
        leverage=leverage,
        margin_mode=MarginMode.CROSS if leverage is None else MarginMode.ISOLATED,
        unrealised=read.decimal_or_none(data, "unrealizedPnl"),
    )


def instrument(data: Any, prefix: str) -> Instrument:
    """`contractValueTradePrecision` counts decimals of the size; below zero it counts zeros before the point."""
    symbol = read.text(data, "symbol").upper()
    step = Decimal(1).scaleb(-int(read.decimal(data, "contractValueTradePrecision")))
    levels = data.get("marginLevels") or []
    margin = min((read.decimal(level, "initialMargin") for level in levels), default=None)
    return Instrument(
        symbol=symbol,
        base=common_asset(symbol.removeprefix(prefix).removesuffix("USD")),
        quote="USD",
        settle="USD",
        product=Product.LINEAR,
        tick=read.decimal(data, "tickSize"),
        step=step,
        min_quantity=step,
        max_leverage=(1 / margin).quantize(Decimal(1), ROUND_DOWN) if margin else None,
        active=data.get("tradeable") is True,
    )
