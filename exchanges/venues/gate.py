"""Gate v4: spot (`Gate`) and USDT-margined perpetuals (`Gate_F`), one host and one key.

Facts from https://www.gate.com/docs/developers/apiv4/en/ as Gate's own SDK carries them (gate_api 7.2, models and docs
read 2026-11-22) unless a line names another source. Quirks:

* A spot market buy counts quote currency. One of a base quantity goes out as a limit order, immediate or cancel, a
  little above the best ask; where the money is short for that bound it goes out as the quote amount it costs now.
* Spot trigger orders were seen refusing `put.type` market (gateapi-python issue 155, 2023-08-25; gateapi-nodejs issue
  21, 2025-10-22): a market stop is a limit order, immediate or cancel, bounded beyond its trigger. They lapse after 30
  days at most (gateapi-python issue 130). Whether an order they fire keeps our id is not documented.
* Perpetuals count signed contracts of `quanto_multiplier` coins; base units are all that callers see.
* `text` is our client id behind "t-". Plain orders are found by it for a while, trigger orders only in their lists;
  a trigger order is a record of its own, and the order it fires has another id (`trade_id`, `fired_order_id`).
* Hedge mode ("dual") has no position side on orders: `reduce_only` and the sign say which position is meant.
* An order that ended without a fill is no longer found by `text` after 60 s on perpetuals, any after an hour on spot;
  fills name the `text` of their order for good (list_my_trades and get_my_trades_with_time_range in gate_api 7.2, models
  Trade and MyFuturesTradeTimeRange, read 2026-11-23). The window of spot may be of 30 days and goes by the time at
  which the order ended. What the fills of a fired trigger order name is not documented.
* A batch takes ten plain orders of a market and no trigger orders: stops and targets go out one by one. One order that
  is wrong in itself refuses the whole batch; what fails later has a `label` of its own.
* Leverage 0 is cross margin: the leverage call names the margin mode at once.
* No linked pairs; the exchange cancels nothing when the other leg fills. Whether a waiting spot trigger order holds its
  coins is not documented, so only the stop rests there.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from exchanges import errors
from exchanges.contracts import CountsContracts, in_coins
from exchanges.errors import ExchangeError, InsufficientFunds, OrderNotFound, OutcomeUnknown, Unsupported
from exchanges.guide import Guide
from exchanges.limits import Bucket, Priority, Scope
from exchanges.paging import pages_by_number, whole_by_number
from exchanges.read import (
    decimal,
    decimal_or_none,
    field,
    flag,
    items,
    moment_ms,
    nonzero,
    step_of,
    text,
    text_or_none,
    word,
    words,
)
from exchanges.signature import hex_hmac
from exchanges.spot import check_spot
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
    acknowledged,
    by_client_id,
    json_body,
    plain_number,
    plain_params,
    unless_unchanged,
    unsent,
    urgency,
)

OURS = "t-"
PAGE = 100
#: the longest a spot trigger order may wait
MONTH_SECONDS = 2_592_000
#: a record this young may be one whose placing was not answered
RECENT_SECONDS = 600
#: how far beyond the best price, and beyond a trigger, a bounded order may fill
BOUND, TRIGGER_BOUND = Decimal("0.01"), Decimal("0.05")
SIDES = {side.value: side for side in Side}
TRIGGERS = {TriggerBy.LAST: 0, TriggerBy.MARK: 1, TriggerBy.INDEX: 2}
SPOT_RULES = {">=": True, "<=": False}
FUTURES_RULES = {"1": True, "2": False}
SPOT_TYPES = {"limit": OrderType.LIMIT, "market": OrderType.MARKET}
SPOT_STATES = {
    "open": OrderStatus.OPEN,
    "closed": OrderStatus.FILLED,
    "cancelled": OrderStatus.CANCELLED,
}
#: `finish_as` of a futures order; what is wholly filled is filled whatever ended it
FINISHED = words(
    {
        OrderStatus.FILLED: "filled",
        OrderStatus.CANCELLED: "cancelled liquidated ioc auto_deleveraged reduce_only position_closed reduce_out stp",
    }
)
#: of a trigger order; None: it has fired, the order it became tells the rest
SPOT_RECORDS = {
    "open": OrderStatus.OPEN,
    "cancelled": OrderStatus.CANCELLED,
    "failed": OrderStatus.REJECTED,
    "expired": OrderStatus.EXPIRED,
    "finish": None,
}
FUTURES_RECORDS = {
    "cancelled": OrderStatus.CANCELLED,
    "failed": OrderStatus.REJECTED,
    "expired": OrderStatus.EXPIRED,
    "succeeded": None,
}
POSITIONS = {"single": None, "dual_long": Direction.LONG, "dual_short": Direction.SHORT}
#: https://www.gate.com/docs/developers/apiv4/en/#label-list
ERRORS = words(
    {
        errors.AuthRefused: "INVALID_CREDENTIALS INVALID_KEY IP_FORBIDDEN READ_ONLY INVALID_SIGNATURE "
        "MISSING_REQUIRED_HEADER ACCOUNT_LOCKED FORBIDDEN AUTHENTICATION_FAILED SUB_ACCOUNT_LOCKED",
        errors.ClockRefused: "REQUEST_EXPIRED",
        errors.Throttled: "TOO_MANY_REQUESTS TOO_FAST",
        OutcomeUnknown: "SERVER_ERROR TOO_BUSY INTERNAL",
        errors.UnknownSymbol: "INVALID_CURRENCY INVALID_CURRENCY_PAIR CONTRACT_NOT_FOUND",
        OrderNotFound: "ORDER_NOT_FOUND CLIENT_ID_NOT_FOUND AUTO_ORDER_NOT_FOUND ORDER_CLOSED ORDER_CANCELLED "
        "ORDER_FINISHED",
        errors.DuplicateOrder: "REPEATED_CREATION",
        InsufficientFunds: "BALANCE_NOT_ENOUGH MARGIN_BALANCE_NOT_ENOUGH INSUFFICIENT_AVAILABLE USER_NOT_FOUND "
        "FUTURES_BALANCE_NOT_ENOUGH QUANTITY_NOT_ENOUGH",
        errors.NothingToReduce: "INCREASE_POSITION POSITION_EMPTY POSITION_NOT_FOUND REDUCE_EXCEEDED",
        errors.WouldTrigger: "AUTO_TRIGGER_PRICE_LESS_LAST AUTO_TRIGGER_PRICE_GREATE_LAST",
        errors.PostOnlyRefused: "POC_FILL_IMMEDIATELY ORDER_POC_IMMEDIATE",
        errors.ModeMismatch: "POSITION_DUAL_MODE",
        errors.NotModified: "NO_CHANGE",
        errors.MarketPaused: "CONTRACT_IN_DELISTING",
        errors.InvalidOrder: "INVALID_PARAM_VALUE INVALID_ARGUMENT INVALID_PRECISION AMOUNT_TOO_LITTLE "
        "AMOUNT_TOO_MUCH SIZE_TOO_SMALL SIZE_TOO_LARGE PRICE_TOO_DEVIATED PRICE_THRESHOLD_EXCEEDED "
        "LIQUIDATE_IMMEDIATELY PRICE_OVER_LIQUIDATION PRICE_OVER_BANKRUPT RISK_LIMIT_EXCEEDED LEVERAGE_TOO_HIGH "
        "LEVERAGE_TOO_LOW ORDER_FOK FOK_NOT_FILL TOO_MANY_ORDERS ORDER_PENDING POSITION_HOLDING "
        "MIXED_ACCOUNT_TYPE",
    }
)


class _Gate(CountsContracts):
    exchange = "gate"
    region = "tokyo"
    key_family = "gate"
    base_urls = {
        Environment.LIVE: "https://api.gateio.ws",
        Environment.TESTNET: "https://api-testnet.gateapi.io",
    }
    errors = ERRORS
    #: "Frequency limit rule" of the documents; spot orders are metered per market and
    #: counted here for all of them, which is never more than allowed. Each order of a batch counts
    buckets = {
        "spot_orders": Bucket(10, 1.0, Scope.KEY),
        "futures_orders": Bucket(100, 1.0, Scope.KEY),
        "cancels": Bucket(200, 1.0, Scope.KEY),
        **{
            name: Bucket(200, 10.0, Scope.KEY)
            for name in (
                "triggers",
                "trigger_reads",
                "order_reads",
                "fills",
                "account",
                "positions",
                "settings",
            )
        },
        **{name: Bucket(200, 10.0) for name in ("time", "instruments", "tickers")},
    }
    guide = Guide(
        key_steps=(
            "At gate.com open API Management from the profile menu and create an API v4 key for your trading account.",
            "Allow Spot and Perpetual Futures with read and write. Leave Wallet and Withdraw off.",
            "Allow Account, read-only: without it the rights of the key cannot be checked.",
            "Enter the addresses of the workers in the IP whitelist.",
        ),
        testnet="Keys of the test net are made at testnet.gate.com and open nothing else.",
        quirks=(
            "On perpetuals stop and target are separate orders; supervision cancels the one that is left over.",
            "On spot the stop rests at Gate and targets are watched by supervision: Gate does not say what a stop holds.",
            "A stop or target on spot lapses after 30 days: Gate lets no trigger order wait longer.",
            "A market stop on spot fills at most 5% beyond its trigger; what the price jumps over flipr closes by the hook's policy.",
            "Unified accounts may refuse spot stops, which are sent for a classic account.",
        ),
    )
    #: where the orders of this product live
    orders: ClassVar[str]
    batches: ClassVar[str]
    triggers: ClassVar[str]
    place_bucket: ClassVar[str]
    trades: ClassVar[str]
    #: an order that ended without a fill is shown that long, where it is not kept for good
    forgets_seconds: ClassVar[int | None] = None
    #: the permission that lets a key trade this product
    right: ClassVar[str]

    # -- pure ------------------------------------------------------------------------------------------

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """https://www.gate.com/docs/developers/apiv4/en/, "APIv4 signed request requirements"; the query is signed
        as it is before it is percent-encoded. The leverage call has a query though it is a POST."""
        params = plain_params(call.params)
        writes = call.method == "POST" and not call.path.endswith("/leverage")
        query = "" if writes else urlencode(params)
        body = json_body(call.params).encode() if writes else b""
        headers = {"Content-Type": "application/json"} if writes else {}
        if self.product is not Product.SPOT:
            headers["X-Gate-Size-Decimal"] = "1"
        if call.signed and keys:
            plain = "" if writes else "&".join(f"{name}={value}" for name, value in params.items())
            stamp, digest = str(now_ms // 1000), hashlib.sha512(body).hexdigest()
            signed = f"{call.method}\n{call.path}\n{plain}\n{digest}\n{stamp}"
            sign = hex_hmac(keys.secret, signed, "sha512")
            headers |= {"KEY": keys.key, "Timestamp": stamp, "SIGN": sign}
        return Request(call.method, call.path, query, body, headers)

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        if not isinstance(answer.data, Mapping) or not (label := answer.data.get("label")):
            return None
        return str(label), str(answer.data.get("message") or answer.data.get("detail") or "")

    def usage(self, answer: Answer) -> Mapping[str, int]:
        """The headers speak of the call just made; where they name another limit than ours they count something else."""
        try:
            limit = int(answer.headers["x-gate-ratelimit-limit"])
            left = int(answer.headers["x-gate-ratelimit-requests-remain"])
        except (KeyError, ValueError):
            return {}
        return {name: limit - left for name, bucket in self.buckets.items() if bucket.capacity == limit}

    def place_call(self, order: OrderRequest) -> Call:
        self._check(order)
        if order.type.conditional:
            return self._write(self.triggers, self._trigger_params(order), "triggers", urgency(order))
        return self._write(self.orders, self._order_params(order), self.place_bucket, urgency(order))

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """create_batch_orders and create_batch_futures_order in gate_api."""
        orders = [plain_params(call.params) for call in calls]
        return replace(
            self._write(self.batches, {"": orders}, self.place_bucket, Priority.ENTRY),
            costs={self.place_bucket: len(calls)},
        )

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        """BatchOrder and BatchFuturesOrder: the order, or why there is none."""
        rows = [{**row, "client_id": _client_id(row.get("text"))} for row in items(data)]
        return [_alone(row) for row in by_client_id(rows, orders, "client_id")]

    def _check(self, order: OrderRequest) -> None:
        at_once = order.time_in_force is not TimeInForce.GTC
        if order.post_only and (order.type is not OrderType.LIMIT or at_once):
            raise Unsupported(f"{self.name}: only plain limit orders that rest can be post-only")
        if at_once and order.type is not OrderType.LIMIT:
            raise Unsupported(f"{self.name}: only plain limit orders have a time in force")

    @abstractmethod
    def _order_params(self, order: OrderRequest) -> dict[str, Any]:
        """A plain order. Raises Unsupported."""

    @abstractmethod
    def _trigger_params(self, order: OrderRequest) -> dict[str, Any]:
        """A trigger order. Raises Unsupported."""

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        if not order.type.conditional:
            return replace(self.read_order(data), position_side=order.position_side)
        return acknowledged(order, text(data, "id"))

    @abstractmethod
    def read_order(self, item: Any) -> Report:
        """A plain order."""

    @abstractmethod
    def read_record(self, item: Any) -> tuple[Report, str]:
        """A trigger order as it waits or ended, and the id of the order it became ("": none)."""

    # -- calls -----------------------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        return int(decimal(self._read("/spot/time", {}, "time"), "server_time"))

    @abstractmethod
    def _scope(self, instrument: Instrument | None, *, trigger: bool) -> dict[str, Any]:
        """The parameter that names the instrument."""

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        self._know(instrument)
        if not ref.conditional:
            return self._plain(keys, instrument, ref.exchange_id or _text(ref.client_id))
        item = self._record(keys, instrument, ref)
        record, child = self.read_record(item)
        if not child:
            return record
        try:
            order = self._plain(keys, instrument, child)
        except OrderNotFound:
            return self._without_order(item, record)
        return record.done_as(order)

    def _without_order(self, item: Any, record: Report) -> Report:
        """The order it fired is not to be seen: not yet, or it ended without a fill and was forgotten."""
        fired, kept = nonzero(item, "finish_time"), self.forgets_seconds
        if kept is None or fired is None or self.clock.now_ms() < (fired + kept) * 1000:
            raise OutcomeUnknown(f"{self.name} fired a trigger order and does not show the order yet")
        return replace(record, status=OrderStatus.CANCELLED, reason="fired, and ended without a fill")

    def _plain(self, keys: Credentials, instrument: Instrument, name: str) -> Report:
        scope = self._scope(instrument, trigger=False) if self.product is Product.SPOT else {}
        return self.read_order(self._read(f"{self.orders}/{name}", scope, "order_reads", keys))

    def _record(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Any:
        """By the exchange's id, else by our text in the lists. A record that keeps no text could be ours."""
        if ref.exchange_id:
            return self._read(f"{self.triggers}/{ref.exchange_id}", {}, "trigger_reads", keys)
        doubtful = False
        for status in ("open", "finished"):
            for item in self._records(keys, status, instrument):
                told = self._record_text(item)
                if told == _text(ref.client_id):
                    return item
                doubtful |= told in ("", "api") and (status == "open" or self._is_recent(item))
        if doubtful:
            raise OutcomeUnknown(f"{self.name} lists a trigger order without the id it was placed with")
        raise self._gone()

    def _is_recent(self, item: Any) -> bool:
        """Made so lately that it may be what is looked for."""
        made = nonzero(item, "create_time") or nonzero(item, "ctime") or Decimal(0)
        return self.clock.now_ms() < (made + RECENT_SECONDS) * 1000

    @abstractmethod
    def _record_text(self, item: Any) -> str:
        """What stands for our id in a trigger order."""

    def _records(self, keys: Credentials, status: str, instrument: Instrument | None) -> Iterator[Any]:
        """Every trigger order that is open, or the latest that ended."""
        asked = {"status": status, **self._scope(instrument, trigger=True)}
        most = None if status == "open" else 1
        return self._pages(self.triggers, asked, "trigger_reads", keys, most)

    def _pages(
        self, path: str, params: Mapping[str, Any], bucket: str, keys: Credentials, most: int | None = None
    ) -> Iterator[Any]:
        def page(number: int) -> list[Any]:
            asked = {**params, "limit": PAGE, "offset": number * PAGE}
            return items(self._read(path, asked, bucket, keys))

        return pages_by_number(page, PAGE, most)

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        self._know(instrument)
        plain = [self.read_order(item) for item in self._open(keys, instrument)]
        return plain + [self.read_record(item)[0] for item in self._records(keys, "open", instrument)]

    @abstractmethod
    def _open(self, keys: Credentials, instrument: Instrument | None) -> Iterator[Any]:
        """Every open plain order."""

    def fills(self, keys: Credentials, instrument: Instrument, since: datetime) -> list[Fill]:
        """A fill that comes while the pages are read moves the others on: each counts once."""
        self._know(instrument)
        window = {"from": int(since.timestamp()), "to": self.clock.now_ms() // 1000 + 1}
        asked = {**self._scope(instrument, trigger=False), **window, "limit": PAGE}

        def page(number: int) -> list[Any]:
            return items(self._read(self.trades, {**asked, **self._page(number)}, "fills", keys))

        return list(dict(map(self.read_fill, whole_by_number(page, PAGE))).values())

    @abstractmethod
    def _page(self, number: int) -> dict[str, int]:
        """The parameter that names a page of fills, counted from 0."""

    @abstractmethod
    def read_fill(self, item: Any) -> tuple[str, Fill]:
        """The number of the trade, and what it was."""

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """A trigger order that fired is a plain order by now."""
        self._know(instrument)
        if not ref.conditional:
            return self._cancel_plain(keys, instrument, ref.exchange_id or _text(ref.client_id))
        if not ref.exchange_id:
            ref = self.read_record(self._record(keys, instrument, ref))[0].ref
        try:
            text(self._delete(keys, f"{self.triggers}/{ref.exchange_id}", {}), "id")
        except OrderNotFound:
            child = self.read_record(self._record(keys, instrument, ref))[1]
            if not child:
                raise
            self._cancel_plain(keys, instrument, child)
        return None

    def _cancel_plain(self, keys: Credentials, instrument: Instrument, name: str) -> None:
        scope = self._scope(instrument, trigger=False) if self.product is Product.SPOT else {}
        text(self._delete(keys, f"{self.orders}/{name}", scope), "id")

    def cancel_all(self, keys: Credentials, instrument: Instrument) -> None:
        for path, trigger in ((self.orders, False), (self.triggers, True)):
            for row in items(self._delete(keys, path, self._scope(instrument, trigger=trigger))):
                self._check_cancelled(row)

    def _check_cancelled(self, row: Any) -> None:
        """OrderCancel in gate_api says of each order whether it succeeded; lists of whole orders do not."""
        if text(row, "id") and row.get("succeeded") is False:
            label = str(row.get("label") or "")
            if self._error_class(label, 200) is not OrderNotFound:
                raise self.refusal(label, str(row.get("message") or ""))

    def key_info(self, keys: Credentials) -> KeyInfo:
        """`wallet` moves funds and withdraws. A key without the account right may not read its own rights. Where the
        answer does not say which key is ours, the rights of all count."""
        try:
            data = self._read("/account/main_keys", {}, "account", keys)
        except errors.AuthRefused as refused:
            if refused.code != "FORBIDDEN":
                raise
            return KeyInfo(note="the key may not read its own rights: allow Account, read-only, at Gate")
        rows = data if isinstance(data, list) else [data]
        mine = [row for row in rows if isinstance(row, Mapping) and row.get("key") == keys.key] or rows
        if not mine:
            raise OutcomeUnknown(f"{self.name} does not tell the rights of the key")
        writes = {
            text(right, "name").lower()
            for row in mine
            for right in items(row, "perms")
            if not flag(right, "read_only")
        }
        return KeyInfo(
            can_trade=self.right in writes,
            can_withdraw=bool(writes & {"wallet", "withdraw", "withdrawal"}),
            ip_locked=all(bool(row.get("ip_whitelist")) for row in mine),
        )

    # -- one request -----------------------------------------------------------------------------------

    def _write(self, path: str, params: Mapping[str, Any], bucket: str, priority: Priority) -> Call:
        return Call("POST", f"/api/v4{path}", params, costs={bucket: 1}, priority=priority)

    def _read(
        self, path: str, params: Mapping[str, Any], bucket: str, keys: Credentials | None = None
    ) -> Any:
        return self.ask(f"/api/v4{path}", params, {bucket: 1}, keys)

    def _delete(self, keys: Credentials, path: str, params: Mapping[str, Any]) -> Any:
        costs, priority = {"cancels": 1}, Priority.PROTECT
        return self.call(Call("DELETE", f"/api/v4{path}", params, costs=costs, priority=priority), keys)


class GateSpot(_Gate):
    name = "Gate"
    product = Product.SPOT
    features = Features(
        fill_in_answer=True,
        market_by_quote=True,
        reduce_only=False,
        rests_both_legs=False,
        client_id_memory_seconds=3600,
        fills_memory_seconds=MONTH_SECONDS,
        batch=10,
    )
    orders, batches, triggers = "/spot/orders", "/spot/batch_orders", "/spot/price_orders"
    place_bucket, right, trades = "spot_orders", "spot", "/spot/my_trades"

    def _check(self, order: OrderRequest) -> None:
        super()._check(order)
        check_spot(self.name, order)
        if order.trigger_by is not TriggerBy.LAST:
            raise Unsupported(f"{self.name}: spot orders trigger by the last price only")
        by_quote = order.quote_quantity is not None
        if by_quote != ((order.type, order.side) == (OrderType.MARKET, Side.BUY)):
            raise Unsupported(f"{self.name}: a market buy, and nothing else, is given in quote currency")

    def _order_params(self, order: OrderRequest) -> dict[str, Any]:
        limit, cost = order.type is OrderType.LIMIT, order.quote_quantity
        force = str(order.time_in_force) if limit else "ioc"
        if cost is not None:
            cost = cost.quantize(order.instrument.extra["quote_step"], ROUND_DOWN)
        params = {
            "currency_pair": order.instrument.symbol,
            "type": "limit" if limit else "market",
            "account": "spot",
            "side": str(order.side),
            "amount": cost if order.quantity is None else order.quantity,
            "text": _text(order.client_id),
        } | ({"price": order.price} if limit else {})
        force = "poc" if order.post_only else force
        return params | ({} if force == "gtc" else {"time_in_force": force})

    def _trigger_params(self, order: OrderRequest) -> dict[str, Any]:
        limit = order.type in LIMITS
        price = order.price if limit else worst_price(order, order.trigger_price, TRIGGER_BOUND)
        return {
            "put": {
                "type": "limit",
                "side": str(order.side),
                "price": plain_number(price or Decimal(0)),
                "amount": plain_number(order.quantity or Decimal(0)),
                "account": "normal",
                "time_in_force": "gtc" if limit else "ioc",
                "text": _text(order.client_id),
            },
            "market": order.instrument.symbol,
            "trigger": {
                "price": plain_number(order.trigger_price or Decimal(0)),
                "rule": ">=" if order.rises else "<=",
                "expiration": MONTH_SECONDS,
            },
        }

    def draft_call(self, order: OrderRequest, price: Decimal) -> Call:
        return self.place_call(bounded(order, price) if order.buys_base else order)

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        """A buy of a base quantity is bounded by the best ask of now; when that cannot be read, nothing was sent."""
        if not order.buys_base or order.quantity is None:
            return super().place(keys, order, patience_seconds=patience_seconds)
        self._check(replace(order, quantity=None, quote_quantity=order.quantity))
        with unsent("the price is not known"):
            ask = self.quote(order.instrument).ask
        try:
            report = super().place(keys, bounded(order, ask), patience_seconds=patience_seconds)
        except InsufficientFunds:
            paid = replace(order, quantity=None, quote_quantity=order.quantity * ask)
            report = super().place(keys, paid, patience_seconds=patience_seconds)
        return replace(report, type=order.type, price=None, quantity=order.quantity)

    def _share(self, *orders: OrderRequest) -> bool:
        """Not one that needs the price of now."""
        return super()._share(*orders) and not any(order.buys_base for order in orders)

    def read_order(self, item: Any) -> Report:
        """Order in gate_api."""
        kind, side = word(SPOT_TYPES, item, "type"), word(SIDES, item, "side")
        by_quote = (kind, side) == (OrderType.MARKET, Side.BUY)
        filled = decimal(item, "filled_amount")
        return Report(
            exchange_id=text(item, "id"),
            client_id=_client_id(item.get("text")),
            symbol=text(item, "currency_pair"),
            side=side,
            type=kind,
            status=word(SPOT_STATES, item, "status"),
            quantity=None if by_quote else decimal(item, "amount"),
            filled=filled,
            average_price=nonzero(item, "avg_deal_price") if filled else None,
            price=nonzero(item, "price") if kind is OrderType.LIMIT else None,
            fee=_fee(item),
            reason=_reason(item),
        )

    def read_record(self, item: Any) -> tuple[Report, str]:
        put, side = field(item, "put"), word(SIDES, item, "put", "side")
        gains = word(SPOT_RULES, item, "trigger", "rule") == (side is Side.SELL)
        limit = text(put, "time_in_force") == "gtc"
        status, child = word(SPOT_RECORDS, item, "status"), ""
        if status is None:
            child = _child(item, "fired_order_id")
        report = Report(
            exchange_id=text(item, "id"),
            client_id=_client_id(text_or_none(put, "text")),
            symbol=text(item, "market"),
            side=side,
            type=OrderType.waiting(stop=not gains, limit=limit),
            status=status or OrderStatus.OPEN,
            quantity=decimal(put, "amount"),
            price=decimal(put, "price") if limit else None,
            trigger_price=decimal(item, "trigger", "price"),
            reason=item.get("reason") or "",
        )
        return report, child

    def _record_text(self, item: Any) -> str:
        return text_or_none(item, "put", "text") or ""

    def _scope(self, instrument: Instrument | None, *, trigger: bool) -> dict[str, Any]:
        if instrument is None:
            return {}
        return {"market" if trigger else "currency_pair": instrument.symbol}

    def _page(self, number: int) -> dict[str, int]:
        return {"page": number + 1}

    def read_fill(self, item: Any) -> tuple[str, Fill]:
        return text(item, "id"), Fill(
            exchange_id=text(item, "order_id"),
            client_id=_client_id(text(item, "text")),
            symbol=text(item, "currency_pair"),
            side=word(SIDES, item, "side"),
            quantity=decimal(item, "amount"),
            price=decimal(item, "price"),
            at=moment_ms(item, "create_time_ms"),
        )

    def _open(self, keys: Credentials, instrument: Instrument | None) -> Iterator[Any]:
        """Pages count the orders of one pair; all pairs are told at once."""
        page, full = 1, True
        while full:
            asked: dict[str, Any] = {"page": page, "limit": PAGE}
            if instrument:
                asked = {**self._scope(instrument, trigger=False), "status": "open", **asked}
                groups = [items(self._read(self.orders, asked, "order_reads", keys))]
            else:
                found = items(self._read("/spot/open_orders", asked, "order_reads", keys))
                groups = [items(group, "orders") for group in found]
            for group in groups:
                yield from group
            page, full = page + 1, any(len(group) >= PAGE for group in groups)

    def instruments(self) -> list[Instrument]:
        return [
            self.read_instrument(item)
            for item in items(self._read("/spot/currency_pairs", {}, "instruments"))
        ]

    def read_instrument(self, item: Any) -> Instrument:
        tick, step = (step_of(item, name) for name in ("precision", "amount_precision"))
        return Instrument(
            symbol=text(item, "id"),
            base=text(item, "base"),
            quote=text(item, "quote"),
            settle=text(item, "quote"),
            product=self.product,
            tick=tick,
            step=step,
            min_quantity=decimal_or_none(item, "min_base_amount") or Decimal(0),
            min_notional=decimal_or_none(item, "min_quote_amount") or Decimal(0),
            max_quantity=nonzero(item, "max_base_amount"),
            active=text(item, "trade_status") == "tradable",
            extra={"quote_step": tick},
        )

    def quote(self, instrument: Instrument) -> Quote:
        scope = self._scope(instrument, trigger=False)
        row = field(self._read("/spot/tickers", scope, "tickers"), 0)
        return Quote(*(decimal(row, name) for name in ("highest_bid", "lowest_ask", "last")))

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        found = {}
        for row in items(self._read("/spot/accounts", {}, "account", keys)):
            asset, free = text(row, "currency"), decimal(row, "available")
            found[asset] = Balance(asset, free + decimal(row, "locked"), free)
        return found


class GateFutures(_Gate):
    name = "Gate_F"
    product = Product.LINEAR
    #: an order that ended without a fill is found by our id for a minute
    features = Features(
        fill_in_answer=True,
        hedge_mode=True,
        leverage=True,
        client_id_memory_seconds=60,
        fills_memory_seconds=MONTH_SECONDS,
        batch=10,
    )
    orders, triggers = "/futures/usdt/orders", "/futures/usdt/price_orders"
    batches = "/futures/usdt/batch_orders"
    place_bucket, right, trades = "futures_orders", "futures", "/futures/usdt/my_trades_timerange"
    #: the documentation of FuturesApi.get_futures_order in gate_api
    forgets_seconds = 600

    def _check(self, order: OrderRequest) -> None:
        super()._check(order)
        if order.quantity is None:
            raise Unsupported(f"{self.name}: futures orders are given in base currency")
        side = order.position_side
        if side is not None and order.reduce_only and order.side is not side.exit_side:
            raise Unsupported(f"{self.name}: this side cannot reduce a {side} position")

    def _size_of(self, order: OrderRequest) -> Decimal:
        """In signed contracts."""
        instrument, quantity = order.instrument, order.quantity or Decimal(0)
        contracts = quantity / instrument.contract_size
        if contracts != int(contracts) and not instrument.extra["decimal"]:
            raise Unsupported(f"{self.name} trades whole contracts of {instrument.contract_size}")
        return contracts if order.side is Side.BUY else -contracts

    def _common(self, order: OrderRequest, size_name: str) -> dict[str, Any]:
        limit, size = order.type in LIMITS, self._size_of(order)
        force = "poc" if order.post_only else str(order.time_in_force) if limit else "ioc"
        return {
            "contract": order.instrument.symbol,
            size_name: plain_number(size) if order.instrument.extra["decimal"] else int(size),
            "price": plain_number(order.price or Decimal(0)) if limit else "0",
            "text": _text(order.client_id),
            **({} if force == "gtc" else {"tif": force}),
            **({"reduce_only": True} if order.closes else {}),
        }

    def _order_params(self, order: OrderRequest) -> dict[str, Any]:
        return self._common(order, "size")

    def _trigger_params(self, order: OrderRequest) -> dict[str, Any]:
        return {
            "initial": self._common(order, "amount" if order.instrument.extra["decimal"] else "size"),
            "trigger": {
                "price_type": TRIGGERS[order.trigger_by],
                "price": plain_number(order.trigger_price or Decimal(0)),
                "rule": 1 if order.rises else 2,
            },
        }

    def read_order(self, item: Any) -> Report:
        """FuturesOrder in gate_api; with decimal sizes asked for, they come as text."""
        symbol, size, left = text(item, "contract"), decimal(item, "size"), decimal(item, "left")
        coins = self._size(symbol)
        filled = (abs(size) - abs(left)) * coins
        status = word({"open": OrderStatus.OPEN, "finished": None}, item, "status")
        if status is None:
            status = word(FINISHED, item, "finish_as")
        if status is OrderStatus.CANCELLED and size and not left:
            status = OrderStatus.FILLED
        market = text(item, "tif") == "ioc" and not decimal(item, "price")
        return Report(
            exchange_id=text(item, "id"),
            client_id=_client_id(item.get("text")),
            symbol=symbol,
            side=Side.BUY if size > 0 else Side.SELL,
            type=OrderType.MARKET if market else OrderType.LIMIT,
            status=status,
            quantity=abs(size) * coins,
            filled=filled,
            average_price=nonzero(item, "fill_price") if filled else None,
            price=None if market else decimal(item, "price"),
            reduce_only=item.get("is_reduce_only") is True or item.get("is_close") is True,
            reason=_reason(item),
        )

    def read_record(self, item: Any) -> tuple[Report, str]:
        """A record that closes the whole position has no size."""
        initial = field(item, "initial")
        symbol = text(initial, "contract")
        amount = decimal_or_none(initial, "amount")
        size = decimal(initial, "size") if amount is None else amount
        rises, limit = word(FUTURES_RULES, item, "trigger", "rule"), bool(decimal(initial, "price"))
        side = Side.BUY if size > 0 or (not size and _closes_short(item)) else Side.SELL
        status = word(
            {"open": OrderStatus.OPEN, "inactive": OrderStatus.OPEN, "finished": None}, item, "status"
        )
        child = ""
        if status is None:
            status = word(FUTURES_RECORDS, item, "finish_as")
            child = _child(item, "trade_id") if status is None else ""
        closes = [initial.get(name) is True for name in ("is_reduce_only", "is_close")]
        report = Report(
            exchange_id=text(item, "id"),
            client_id=_client_id(initial.get("text")),
            symbol=symbol,
            side=side,
            type=OrderType.waiting(stop=rises == (side is Side.BUY), limit=limit),
            status=status or OrderStatus.OPEN,
            quantity=abs(size) * self._size(symbol) if size else None,
            price=decimal(initial, "price") if limit else None,
            trigger_price=decimal(item, "trigger", "price"),
            reduce_only=any(closes) or not size,
            reason=item.get("reason") or "",
        )
        return report, child

    def _record_text(self, item: Any) -> str:
        return text_or_none(item, "initial", "text") or ""

    def _scope(self, instrument: Instrument | None, *, trigger: bool) -> dict[str, Any]:
        return {"contract": instrument.symbol} if instrument else {}

    def _open(self, keys: Credentials, instrument: Instrument | None) -> Iterator[Any]:
        asked = {"status": "open", **self._scope(instrument, trigger=False)}
        return self._pages(self.orders, asked, "order_reads", keys)

    def _page(self, number: int) -> dict[str, int]:
        return {"offset": number * PAGE}

    def read_fill(self, item: Any) -> tuple[str, Fill]:
        """Its number is `trade_id`, or `id` as in the list without a window (ccxt 4.5.90 reads both)."""
        symbol, size = text(item, "contract"), decimal(item, "size")
        return text(item, "trade_id" if "trade_id" in item else "id"), Fill(
            exchange_id=text(item, "order_id"),
            client_id=_client_id(text(item, "text")),
            symbol=symbol,
            side=Side.BUY if size > 0 else Side.SELL,
            quantity=abs(size) * self._size(symbol),
            price=decimal(item, "price"),
            at=moment_ms(item, "create_time", per_second=1),
        )

    def instruments(self) -> list[Instrument]:
        found = [
            self.read_instrument(item)
            for item in items(self._read("/futures/usdt/contracts", {}, "instruments"))
        ]
        self._know(*found)
        return found

    def read_instrument(self, item: Any) -> Instrument:
        """Contracts with `enable_decimal` trade in steps of their smallest size."""
        symbol = text(item, "name")
        base, _, quote = symbol.partition("_")
        least, parts = decimal(item, "order_size_min"), item.get("enable_decimal") is True
        delisted = field(item, "in_delisting") is True
        return in_coins(
            Instrument(
                symbol=symbol,
                base=base,
                quote=quote,
                settle="USDT",
                product=self.product,
                tick=decimal(item, "order_price_round"),
                step=least if parts and least else Decimal(1),
                min_quantity=least,
                max_quantity=nonzero(item, "order_size_max"),
                max_market_quantity=nonzero(item, "market_order_size_max"),
                contract_size=decimal(item, "quanto_multiplier"),
                max_leverage=nonzero(item, "leverage_max"),
                active=not delisted and item.get("status", "trading") == "trading",
                extra={"decimal": parts},
            )
        )

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        self._know(order.instrument)
        return super().place(keys, order, patience_seconds=patience_seconds)

    def place_calls(self, orders: Sequence[OrderRequest]) -> list[Call | ExchangeError]:
        self._know(*(order.instrument for order in orders))
        return super().place_calls(orders)

    def quote(self, instrument: Instrument) -> Quote:
        scope = self._scope(instrument, trigger=False)
        row = field(self._read("/futures/usdt/tickers", scope, "tickers"), 0)
        names = ("highest_bid", "lowest_ask", "last", "mark_price")
        return Quote(*(decimal(row, name) for name in names))

    def _account(self, keys: Credentials) -> Any:
        return self._read("/futures/usdt/accounts", {}, "account", keys)

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """`total` leaves out what is not realised yet."""
        data = self._account(keys)
        asset, equity = text(data, "currency"), decimal(data, "total") + decimal(data, "unrealised_pnl")
        return {asset: Balance(asset, equity, decimal(data, "available"))}

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        data = self._account(keys)
        if text_or_none(data, "position_mode") == "dual_plus":
            raise Unsupported(f"{self.name}: split positions are not traded, choose one-way or hedge mode")
        return PositionMode.HEDGE if flag(data, "in_dual_mode") else PositionMode.ONE_WAY

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        self._know(instrument)
        wanted = instrument.symbol if instrument else None
        rows = items(self._read("/futures/usdt/positions", {"holding": "true"}, "positions", keys))
        held = [row for row in rows if decimal(row, "size")]
        return [self.read_position(row) for row in held if wanted in (None, text(row, "contract"))]

    def read_position(self, item: Any) -> Position:
        size, symbol, leverage = decimal(item, "size"), text(item, "contract"), decimal(item, "leverage")
        net = Direction.LONG if size > 0 else Direction.SHORT
        return Position(
            symbol=symbol,
            direction=word(POSITIONS, item, "mode") or net,
            quantity=abs(size) * self._size(symbol),
            entry_price=decimal(item, "entry_price"),
            mark_price=nonzero(item, "mark_price"),
            leverage=leverage or nonzero(item, "cross_leverage_limit"),
            margin_mode=MarginMode.ISOLATED if leverage else MarginMode.CROSS,
            unrealised=decimal_or_none(item, "unrealised_pnl"),
            liquidation_price=nonzero(item, "liq_price"),
        )

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """The leverage sets the mode with it; a mode that nobody names stays as the exchange tells it. In hedge
        mode the calls have other addresses."""
        if leverage is None and mode is None:
            return
        params: dict[str, Any] = {"mode": str(mode).upper(), "contract": instrument.symbol}
        path = "positions/cross_mode"
        if leverage is not None:
            path = f"positions/{instrument.symbol}/leverage"
            crossed = (mode or self._margin_mode(keys, instrument)) is MarginMode.CROSS
            params = {"leverage": 0, "cross_leverage_limit": leverage} if crossed else {"leverage": leverage}
        try:
            self._set(keys, path, params)
        except errors.ModeMismatch:
            self._set(keys, f"dual_comp/{path}", params)

    def _set(self, keys: Credentials, path: str, params: Mapping[str, Any]) -> None:
        call = self._write(f"/futures/usdt/{path}", params, "settings", Priority.ENTRY)
        unless_unchanged(lambda: self._check_set(self.call(call, keys)))

    def _check_set(self, data: Any) -> None:
        """Position in gate_api; in hedge mode one of each side."""
        for row in data if isinstance(data, list) and data else [data]:
            decimal(row, "leverage")

    def _margin_mode(self, keys: Credentials, instrument: Instrument) -> MarginMode:
        rows = items(self._read("/futures/usdt/positions", {}, "positions", keys))
        for row in rows:
            if text(row, "contract") == instrument.symbol:
                return MarginMode.ISOLATED if decimal(row, "leverage") else MarginMode.CROSS
        raise Unsupported(f"{self.name} sets the margin mode with the leverage: say cross or isolated too")


def _alone(row: Any) -> Any:
    """An order of a batch as if it had been sent alone. What is neither taken nor refused with a label is not known."""
    taken, label = row.get("succeeded"), row.get("label")
    told = (taken is True and not label) or (taken is False and label)
    return row if told else {}


def bounded(order: OrderRequest, ask: Decimal) -> OrderRequest:
    """A market buy as a limit order that fills at once, at most a little above the best ask."""
    price = worst_price(order, ask, BOUND)
    return replace(order, type=OrderType.LIMIT, price=price, time_in_force=TimeInForce.IOC)


def worst_price(order: OrderRequest, price: Decimal | None, share: Decimal) -> Decimal:
    """The worst price for the order at `share` from `price`, on the tick that lies further off; never 0."""
    up, tick = order.side is Side.BUY, order.instrument.tick
    worst = (price or Decimal(0)) * (1 + share if up else 1 - share)
    return max((worst / tick).to_integral_value(ROUND_UP if up else ROUND_DOWN), Decimal(1)) * tick


def _closes_short(item: Any) -> bool:
    told = f"{item.get('order_type') or ''} {text_or_none(item, 'initial', 'auto_size') or ''}"
    if ("short" in told) is ("long" in told):
        raise OutcomeUnknown("an order that closes a position does not tell which")
    return "short" in told


def _child(item: Any, name: str) -> str:
    if not (number := nonzero(item, name)):
        raise OutcomeUnknown("an order has triggered, and what it became is not told yet")
    return str(number)


def _text(client_id: str) -> str:
    return OURS + client_id


def _client_id(told: Any) -> str:
    """Ours are behind a mark; the other words name where an order comes from."""
    return told.removeprefix(OURS) if isinstance(told, str) and told.startswith(OURS) else ""


def _fee(item: Any) -> Fee | None:
    """In the coin received, or in points of the exchange's own coin."""
    if paid := nonzero(item, "fee"):
        return Fee(paid, text(item, "fee_currency"))
    return Fee(points, "GT") if (points := nonzero(item, "gt_fee")) else None


def _reason(item: Any) -> str:
    told = item.get("finish_as") or ""
    return "" if told in ("open", "filled") else str(told)
