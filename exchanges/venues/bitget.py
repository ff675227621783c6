"""Bitget v2 (classic account): spot (`Bitget`) and USDT perpetuals (`Bitget_F`).

Facts from https://www.bitget.com/api-doc/ (read 2026-11-22) unless a line names another source.
Placing only acknowledges; the fill is asked for afterwards. What surprises:

* a spot market buy counts quote currency; one of a base quantity goes out as a limit order, immediate or
  cancel, a little above the best price, so it may end partly filled in an empty book; where the balance is too
  short for that bound it goes out as the quote amount it costs now;
* futures orders carry the margin mode: where none is asked for, the one the symbol has is read first;
* a batch takes 50 plain orders of one symbol (futures: of one margin mode) and no plans: stops and targets go out one by
  one. Its limit counts requests;
* hedge mode: `side` is the direction of the position, `tradeSide` opens or closes it;
* plan orders have no direction of their own: the side of the market they were placed on is what they wait for.
  A look at the price goes before them, unless one of this second was far from the trigger.
  Orders that close (stop, target) are TP/SL plans of a size, which do have one. Stop and target of the
  documentation's pos_* plans are linked, but they close the whole position, not what a bracket covers;
* a plan that fires goes on as another order: its answer joins both;
* a client id used before is refused for six hours, and only while its order is unfilled;
* an account switched to the unified account answers 40085 everywhere.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote as percent_encode

from exchanges import errors
from exchanges.errors import (
    AuthRefused,
    ExchangeError,
    InsufficientFunds,
    OrderNotFound,
    OutcomeUnknown,
    Unsupported,
)
from exchanges.guide import Guide
from exchanges.limits import Bucket, Charge, Priority, Scope
from exchanges.margin import SeesModes
from exchanges.memory import Memory, Slot, slot
from exchanges.paging import pages_after
from exchanges.read import (
    decimal,
    decimal_or_blank,
    decimal_or_none,
    field,
    items,
    nonzero,
    nonzero_where,
    rows_of,
    step_of,
    text,
    text_or_none,
    word,
    words,
)
from exchanges.signature import base64_hmac
from exchanges.spot import bounded, check_spot, down
from exchanges.transport import Answer, Request
from exchanges.types import (
    LIMITS,
    STOPS,
    Balance,
    Credentials,
    Direction,
    Environment,
    Fee,
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
    NO_ORDER,
    Call,
    Features,
    Venue,
    acknowledged,
    by_client_id,
    json_body,
    key_digest,
    named_rows,
    outcome,
    plain_number,
    plain_params,
    refuse_crossed,
    unless_unchanged,
    unsent,
    urgency,
)

TIME_PATH = "/api/v2/public/time"
PAGE = 100
#: start and end of a history may lie this far apart
HISTORY_MS = 90 * 86_400_000
#: a spot market buy of a base quantity pays at most this much above the best price
HIGHEST_PREMIUM = Decimal("0.02")
#: how long the settings of a symbol count, that one job asks for several times; how long a price that was seen counts for
#: triggers that were further away than this share of it
SETTINGS_MS, PRICE_MS, FAR = 1000, 1000, Decimal("0.01")
FUTURES = {"productType": "USDT-FUTURES", "marginCoin": "USDT"}
PRODUCT = {"productType": "USDT-FUTURES"}
#: TP/SL plans and trigger orders, as the lists tell them apart
PLAN_LISTS = ("profit_loss", "normal_plan")
FIRED = ("executed", "triggered")

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
DIRECTIONS = {"long": Direction.LONG, "short": Direction.SHORT}
MARGIN_MODES = {"crossed": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
MARGIN_WORDS = {mode: name for name, mode in MARGIN_MODES.items()}
POSITION_MODES = {"one_way_mode": PositionMode.ONE_WAY, "hedge_mode": PositionMode.HEDGE}
TRIGGERS = {TriggerBy.LAST: "fill_price", TriggerBy.MARK: "mark_price"}
TYPES = {"limit": OrderType.LIMIT, "market": OrderType.MARKET}
STATUSES = words(
    {
        OrderStatus.OPEN: "init new live partially_filled partially_fill partial_fill",
        OrderStatus.FILLED: "filled full_fill",
        OrderStatus.CANCELLED: "cancelled canceled cancel",
    }
)
#: of plans; an executed one is as far as the order it became
PLAN_STATUSES = words(
    {
        OrderStatus.OPEN: "live not_trigger executing executed triggered",
        OrderStatus.CANCELLED: "cancelled canceled cancel",
        OrderStatus.REJECTED: "fail_trigger fail_execute",
    }
)
#: whether a plan is a stop; None: its trigger price against the market tells
PLANS: Mapping[str, bool | None] = {
    **dict.fromkeys(("loss_plan", "pos_loss", "moving_plan"), True),
    **dict.fromkeys(("profit_plan", "pos_profit"), False),
    **dict.fromkeys(("normal_plan", "amount", "total"), None),
}
#: calls of one user a second, by kind of endpoint (each endpoint's page); an address has 6000 a minute
A_SECOND = {
    **dict.fromkeys(("place", "plan", "cancel", "reads", "plans", "account"), 10),
    **dict.fromkeys(("positions", "settings", "batch"), 5),
}
UNIFIED_ACCOUNT, NO_PERMISSION = "40085", "40014"
#: the error lists of https://www.bitget.com/api-doc/; 43023 and its like also come in the moment after a fill, before
#: the position is known there, so they must not pass for "nothing to reduce"
ERRORS = words(
    {
        errors.AuthRefused: "22010 40001 40002 40003 40006 40009 40011 40012 40013 40014 40016 40018 40031 40037 40085",
        errors.ClockRefused: "40004 40005 40008 40911",
        errors.Throttled: "429 1001 50009 70228",
        errors.Maintenance: "40200 41114 43115",
        OutcomeUnknown: "40010 40015 40604 40725 40908 40910 45001",
        errors.UnknownSymbol: "22004 40034 40102 40309 40822 40845 41113 43120 45017 500024",
        errors.OrderNotFound: "22001 40109 40768 43001 43004 43020 43021 43025 43026 45031 45055 45057 45134",
        errors.InsufficientFunds: "40711 40712 40754 40762 40798 40800 43012 45002 45004 45008 45123",
        errors.NothingToReduce: "22002 40755 40757 40758 40804 45003 45005 45006 45007",
        errors.WouldTrigger: "40830 40832 40834 40836 40915 40917 45060 45062 45122 45135",
        errors.ModeMismatch: "40774 45018 45020 45109",
        errors.NotModified: "45054",
        errors.DuplicateOrder: "40786 43118 45034 50060",
        errors.InvalidOrder: "40017 40019 40020 40305 40706 40708 40808 40811 40812 40813 40815 40816 40829 40831 "
        "40833 40835 40889 40890 40891 41101 41103 41117 41118 43005 43006 43007 43008 43009 43010 43011 43023 "
        "43027 43028 43123 45035 45051 45052 45068 45110 45111 45112 45113 45114 45115 45133 59014",
    }
)  # fmt: skip


class _Bitget(Venue):
    exchange = "bitget"
    region = "tokyo"
    key_family = "bitget"
    key_fields = ("key", "secret", "passphrase")
    guide = Guide(
        key_steps=(
            "flipr trades the classic account. An account switched to the unified one is refused with a message.",
            "On bitget.com open API keys, Create API, a system-generated key, and invent a passphrase: it is the third thing that flipr asks for.",
            "Choose Read-write. Tick Futures (orders and holdings) for Bitget_F and Spot (trade) for Bitget. Reading spot lets flipr see what the key may do.",
            "Leave Withdraw and Transfer off.",
            "Bind the addresses of your flipr.",
        ),
        testnet="Demo trading: switch to it on the site, and make a demo key there. It opens nothing else.",
        quirks=(
            "A spot market buy of a coin quantity goes out as an immediate limit order a little above the best price, so it may end partly filled in an empty book.",
            "Futures stops and targets are of a quantity and do not cancel each other: flipr does.",
            "A futures order names its margin mode: what you do not say goes with what you have set for the symbol. flipr remembers that for ten minutes.",
            "Only USDT perpetuals are traded.",
        ),
    )
    #: the demo is the same host with a key of its own and a header
    base_urls = {
        Environment.LIVE: "https://api.bitget.com",
        Environment.TESTNET: "https://api.bitget.com",
    }
    errors = ERRORS
    buckets = {
        "address": Bucket(6000, 60.0),
        "info": Bucket(1, 1.0, Scope.KEY),
        **{
            f"{product} {name}": Bucket(size, 1.0, Scope.KEY)
            for product in (Product.SPOT, Product.LINEAR)
            for name, size in A_SECOND.items()
        },
    }
    #: rights of a key that let it trade this product
    rights: ClassVar[frozenset[str]]
    #: path of a batch, and what its orders share
    batches: ClassVar[str]
    shared: ClassVar[tuple[str, ...]]
    #: path of the orders, name of the list of live plans, what names the product beside a symbol, and the wallet with what it is asked for
    orders: ClassVar[str]
    live_plans: ClassVar[str]
    scope: ClassVar[Mapping[str, str]] = {}
    wallet: ClassVar[tuple[str, Mapping[str, str]]]

    def __init__(self, *wires: Any, **options: Any) -> None:
        super().__init__(*wires, **options)
        #: the prices last seen of a symbol, and when
        self._prices: dict[str, tuple[int, Quote]] = {}

    # -- pure ------------------------------------------------------------------------------------------

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """https://www.bitget.com/api-doc/common/signature: the query is signed as it reads, not as it is encoded."""
        get = call.method == "GET"
        pairs = sorted((name, str(value)) for name, value in plain_params(call.params).items()) if get else []
        body = "" if get else json_body(call.params)
        headers = {} if get else {"Content-Type": "application/json"}
        if self.environment is Environment.TESTNET and call.path != TIME_PATH:
            headers["paptrading"] = "1"
        if call.signed and keys:
            query = "?" + "&".join(f"{name}={value}" for name, value in pairs) if pairs else ""
            headers |= {
                "ACCESS-KEY": keys.key,
                "ACCESS-SIGN": base64_hmac(keys.secret, f"{now_ms}{call.method}{call.path}{query}{body}"),
                "ACCESS-TIMESTAMP": str(now_ms),
                "ACCESS-PASSPHRASE": keys.passphrase,
                "locale": "en-US",
            }
        sent = "&".join(f"{name}={percent_encode(value, safe='')}" for name, value in pairs)
        return Request(call.method, call.path, sent, body.encode(), headers)

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        if not isinstance(answer.data, Mapping):
            return None if answer.data is None else NO_OBJECT
        code = answer.data.get("code")
        if code == "00000":
            return None
        words = str(answer.data.get("msg") or "")
        return ("", "the answer has no code") if code is None else (str(code), words)

    def explain(self, error: type[ExchangeError], code: str, words: str, status: int) -> str:
        if code == UNIFIED_ACCOUNT:
            return (
                f"{self.name}: this account was switched to Bitget's unified account, which flipr cannot trade. "
                "Use an account (or sub-account) in classic mode"
            )
        return super().explain(error, code, words, status)

    def checked(self, answer: Answer, charges: tuple[Charge, ...] = ()) -> Any:
        """A rate refusal with a code speaks of one user's endpoint: it must not hold up the other keys of this
        address. A page (HTTP 403) shuts out the address."""
        own = tuple(charge for charge in charges if charge.limit.scope is Scope.KEY)
        return super().checked(answer, own if own and self.error_code(answer) else charges)

    def usage(self, answer: Answer) -> Mapping[str, int]:
        """The header (seen in answers, not documented) tells what is left of the endpoint just called."""
        left = answer.headers.get("x-mbx-used-remain-limit", "")
        if not left.isdigit():
            return {}
        own = {name: bucket for name, bucket in self.buckets.items() if bucket.scope is Scope.KEY}
        return {name: bucket.capacity - int(left) for name, bucket in own.items()}

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """https://www.bitget.com/api-doc/spot/trade/Batch-Place-Orders and contract/trade/Batch-Order."""
        shared = {name: calls[0].params[name] for name in self.shared}
        orders = [
            {name: value for name, value in plain_params(call.params).items() if name not in shared}
            for call in calls
        ]
        return self._write(self.batches, shared | {"orderList": orders}, "batch", Priority.ENTRY)

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        """Two lists: what was taken, and what was not. An order that stands in both, or in none, is not known."""
        taken, refused = (rows_of(field(data, "data"), name) for name in ("successList", "failureList"))
        rows = [{**row, "taken": True} for row in taken] + [{**row, "taken": False} for row in refused]
        named = by_client_id(named_rows(rows, "clientOid"), orders, "clientOid")
        return [_alone(row) for row in named]

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        return acknowledged(order, text(data, "data", "orderId"))

    def read_order(self, item: Any) -> Report:
        """https://www.bitget.com/api-doc/spot/trade/Get-Order-Info and contract/trade/Get-Order-Details; in the list
        of open spot orders `priceAvg` is the order's own price and `basePrice` the average of its fills."""
        (side, position_side), kind = self._sides(item), word(TYPES, item, "orderType")
        listed, filled = "basePrice" in item, decimal(item, "baseVolume")
        by_quote = (self.product, kind, side) == (Product.SPOT, OrderType.MARKET, Side.BUY)
        return Report(
            exchange_id=text(item, "orderId"),
            client_id=_client_id(item),
            symbol=text(item, "symbol"),
            side=side,
            type=kind,
            status=word(STATUSES, item, "state" if "state" in item else "status"),
            quantity=None if by_quote else decimal(item, "size"),
            filled=filled,
            average_price=_average(item, "basePrice" if listed else "priceAvg", filled) if filled else None,
            price=nonzero(item, "priceAvg" if listed else "price") if kind is OrderType.LIMIT else None,
            reduce_only=self._reduces(item),
            position_side=position_side,
            fee=_fee(item),
            reason=text(item, "cancelReason") if item.get("cancelReason") else "",
        )

    def read_plan(self, item: Any, last: Decimal | None = None) -> Report:
        """A plan as the lists give it; `last` is the price by which a live one without direction is told."""
        plan, side, position_side = text(item, "planType").lower(), *self._sides(item)
        kind = _plan_type(item, side, last)
        return Report(
            exchange_id=text(item, "orderId"),
            client_id=_client_id(item),
            symbol=text(item, "symbol"),
            side=side,
            type=kind,
            status=word(PLAN_STATUSES, item, "planStatus" if "planStatus" in item else "status"),
            quantity=None if plan == "total" else decimal_or_blank(item, "size") or None,
            price=(nonzero(item, "executePrice") or nonzero(item, "price")) if kind in LIMITS else None,
            trigger_price=nonzero_where(True, item, "triggerPrice"),
            reduce_only=self._reduces(item) or PLANS[plan] is not None,
            position_side=position_side,
        )

    def _sides(self, item: Any) -> tuple[Side, Direction | None]:
        """Which way the order trades, and the position it belongs to in hedge mode."""
        return word(SIDES, item, "side"), None

    def _reduces(self, item: Any) -> bool:
        return False

    # -- calls -----------------------------------------------------------------------------------------

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        """What must be known first is asked for; when it cannot be, nothing was sent."""
        self.place_call(self._complete(order))  # what the exchange lacks is refused before anything is asked
        with unsent("the account could not be read"):
            ready = self._prepared(keys, order)
        report = super().place(keys, ready, patience_seconds=patience_seconds)
        return replace(report, type=order.type, price=order.price)

    @abstractmethod
    def _complete(self, order: OrderRequest) -> OrderRequest:
        """The order with any value in the place of what is not known yet."""

    @abstractmethod
    def _prepared(self, keys: Credentials, order: OrderRequest) -> OrderRequest:
        """The order as it can be sent. Raises WouldTrigger, OutcomeUnknown when the exchange does not tell."""

    def _refuse_crossed(self, order: OrderRequest) -> None:
        """A plan already crossed would wait for the way back, and a stop become a take-profit. What one leg of a position
        has seen a moment ago serves the next; only what was far from crossed is believed."""
        seen_ms, seen = self._prices.get(order.instrument.symbol, (0, None))
        fresh = 0 <= self.clock.now_ms() - seen_ms < PRICE_MS
        if seen and fresh and _room(order, seen) > seen.last * FAR:
            return
        refuse_crossed(order, _watched(order, self.quote(order.instrument)))

    def server_time_ms(self) -> int:
        return int(decimal(self._read("public/time", {}), "serverTime"))

    def quote(self, instrument: Instrument) -> Quote:
        row = self._ticker(instrument.symbol)
        bid, ask, last = (decimal(row, name) for name in ("bidPr", "askPr", "lastPr"))
        quote = Quote(bid, ask, last, nonzero(row, "markPrice"))
        self._prices[instrument.symbol] = self.clock.now_ms(), quote
        return quote

    @abstractmethod
    def _ticker(self, symbol: str) -> Any: ...

    def _told_apart(self, rows: list[Any]) -> list[Report]:
        """Live plans. One without direction waits where the market has not been: the price tells its kind."""
        blind = {text(row, "symbol") for row in rows if word(PLANS, _lower(row), "planType") is None}
        last = {symbol: decimal(self._ticker(symbol), "lastPr") for symbol in sorted(blind)}
        return [self.read_plan(row, last.get(text(row, "symbol"))) for row in rows]

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        if ref.conditional:
            self._cancel_plan(keys, instrument, ref)
            return
        params = {"symbol": instrument.symbol, **self.scope, **ref.named("orderId", "clientOid")}
        call = self._write(f"{self.orders}/cancel-order", params, "cancel", Priority.PROTECT)
        text(self.call(call, keys), "data", "orderId")

    def _cancel_plan(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """A plan that fired is cancelled as what it became."""
        if (row := self._waiting(keys, instrument, ref)) is not None:
            if not (why := self._drop(keys, row)):
                return
            if self._waiting(keys, instrument, ref) is not None:
                raise errors.Refused(f"{self.name} did not cancel the plan: {why[:200]}")
        became = self._became(keys, instrument, self._ended(keys, instrument, ref))
        if became is None or became.status.final:
            raise OrderNotFound(f"{self.name}: the plan is not open any more")
        self.cancel(keys, instrument, OrderRef(exchange_id=became.exchange_id))

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        if not ref.conditional:
            return self._order(keys, instrument, ref.named("orderId", "clientOid"))
        if (row := self._waiting(keys, instrument, ref)) is not None:
            return self._told_apart([row])[0]
        row = self._ended(keys, instrument, ref)
        plan, became = self.read_plan(row), self._became(keys, instrument, row)
        return plan.done_as(became) if became else plan

    @abstractmethod
    def _order(self, keys: Credentials, instrument: Instrument, which: Mapping[str, str]) -> Report:
        """A plain order. Raises OrderNotFound."""

    @abstractmethod
    def _plan(self, keys: Credentials, instrument: Instrument, ref: OrderRef, where: str) -> Any | None:
        """A plan as the list of the live ones (`live_plans`) or of the "history" has it."""

    def _waiting(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Any | None:
        return self._plan(keys, instrument, ref, self.live_plans)

    def _ended(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Any:
        if (row := self._plan(keys, instrument, ref, "history")) is None:
            raise self._gone()
        return row

    @abstractmethod
    def _became(self, keys: Credentials, instrument: Instrument, row: Any) -> Report | None:
        """The order a plan of the history went on as; None when it did not, or not yet."""

    @abstractmethod
    def _drop(self, keys: Credentials, row: Any) -> str:
        """Cancel a live plan; why it was not, "" when it was."""

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        path, params = self.wallet
        found = [self.read_balance(row) for row in items(self._read(path, params, keys, "account"))]
        return {balance.asset: balance for balance in found}

    @abstractmethod
    def read_balance(self, row: Any) -> Balance: ...

    def key_info(self, keys: Credentials) -> KeyInfo:
        """https://www.bitget.com/api-doc/spot/account/Get-Account-Info; `wwow` is the right to withdraw. A key for
        futures only may not ask: that it is valid is seen by its wallet."""
        try:
            data = self._read("spot/account/info", {}, keys, bucket="info")
        except AuthRefused as refused:
            if refused.code != NO_PERMISSION:
                raise
            self.balances(keys)
            return KeyInfo(
                note="the key may not tell its rights: let it read spot, and see that it cannot withdraw"
            )
        rights = {str(each) for each in items(data, "authorities")}
        return KeyInfo(
            can_trade=bool(rights & self.rights),
            can_withdraw="wwow" in rights,
            ip_locked=bool(field(data, "ips")),
        )

    # -- one request -----------------------------------------------------------------------------------

    def _write(self, path: str, params: Mapping[str, Any], bucket: str, priority: Priority) -> Call:
        costs = {f"{self.product} {bucket}": 1, "address": 1}
        return Call("POST", f"/api/v2/{path}", params, costs=costs, priority=priority)

    def _read(
        self, path: str, params: Mapping[str, Any], keys: Credentials | None = None, bucket: str = "reads"
    ) -> Any:
        own = {bucket if bucket in self.buckets else f"{self.product} {bucket}": 1} if keys else {}
        return field(self.ask(f"/api/v2/{path}", params, {**own, "address": 1}, keys), "data")

    def _pages(
        self, path: str, params: Mapping[str, Any], keys: Credentials, *name: str, bucket: str = "reads"
    ) -> Iterator[Any]:
        """Every entry of a list, newest first."""
        return pages_after(
            lambda place: rows_of(self._read(path, {**params, "limit": PAGE, **place}, keys, bucket), *name),
            PAGE,
            lambda last: {"idLessThan": text(last, "orderId")},
        )


class BitgetSpot(_Bitget):
    name = "Bitget"
    product = Product.SPOT
    features = Features(market_by_quote=True, reduce_only=False, batch=50)
    rights = frozenset({"stow", "trade"})
    orders, live_plans = "spot/trade", "current"
    batches, shared = "spot/trade/batch-orders", ("symbol",)
    wallet = ("spot/account/assets", {"assetType": "hold_only"})

    def place_call(self, order: OrderRequest) -> Call:
        check_spot(self.name, order)
        by_quote = order.quote_quantity is not None
        if by_quote != ((order.type, order.side) == (OrderType.MARKET, Side.BUY)):
            raise Unsupported(f"{self.name}: a market buy, and nothing else, is given in quote currency")
        limit = order.type in LIMITS
        params: dict[str, Any] = {
            "symbol": order.instrument.symbol,
            "side": str(order.side),
            "orderType": "limit" if limit else "market",
            "size": order.quote_quantity if by_quote else order.quantity,
            "clientOid": order.client_id,
        }
        if limit:
            params["executePrice" if order.type.conditional else "price"] = order.price
        if limit or order.post_only:
            params["force"] = _force(order, self.name)
        if not order.type.conditional:
            return self._write("spot/trade/place-order", params, "place", urgency(order))
        params |= {
            "planType": "amount",
            "triggerPrice": order.trigger_price,
            "triggerType": _trigger(order, self.name),
        }
        return self._write("spot/trade/place-plan-order", params, "plan", urgency(order))

    def draft_call(self, order: OrderRequest, price: Decimal) -> Call:
        return self.place_call(self.bounded(order, price) if order.buys_base else order)

    def _complete(self, order: OrderRequest) -> OrderRequest:
        return self.bounded(order, order.instrument.tick) if order.buys_base else order

    def _prepared(self, keys: Credentials, order: OrderRequest) -> OrderRequest:
        if order.type.conditional:
            self._refuse_crossed(order)
        return self.bounded(order, self.quote(order.instrument).ask) if order.buys_base else order

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        """A buy of nearly all there is: refused for the money its bound would take, so nothing stands yet."""
        try:
            return super().place(keys, order, patience_seconds=patience_seconds)
        except InsufficientFunds:
            if not order.buys_base:
                raise
            cost = self._in_quote(order)
            report = super().place(keys, cost, patience_seconds=patience_seconds)
            return replace(report, quantity=order.quantity)

    def _share(self, *orders: OrderRequest) -> bool:
        """Not one that needs the price of now."""
        return super()._share(*orders) and not any(order.buys_base for order in orders)

    def _in_quote(self, order: OrderRequest) -> OrderRequest:
        with unsent("the price is not known"):
            cost = (order.quantity or Decimal(0)) * self.quote(order.instrument).ask
        return replace(order, quantity=None, quote_quantity=down(cost, order.instrument.extra["quote_step"]))

    @staticmethod
    def bounded(order: OrderRequest, ask: Decimal) -> OrderRequest:
        """Half of what the exchange allows above the market at most, down to the tick."""
        premium = min(HIGHEST_PREMIUM, order.instrument.extra["buy_band"] / 2)
        return bounded(order, ask, premium)

    def instruments(self) -> list[Instrument]:
        return [self.read_instrument(entry) for entry in items(self._read("spot/public/symbols", {}))]

    def read_instrument(self, entry: Any) -> Instrument:
        """https://www.bitget.com/api-doc/spot/market/Get-Symbols"""
        quote, least = text(entry, "quoteCoin"), decimal_or_none(entry, "minTradeUSDT")
        return Instrument(
            symbol=text(entry, "symbol"),
            base=text(entry, "baseCoin"),
            quote=quote,
            settle=quote,
            product=self.product,
            tick=step_of(entry, "pricePrecision"),
            step=step_of(entry, "quantityPrecision"),
            min_quantity=decimal_or_none(entry, "minTradeAmount") or Decimal(0),
            min_notional=least if least and quote == "USDT" else Decimal(0),
            max_quantity=nonzero(entry, "maxTradeAmount"),
            active=text(entry, "status") == "online",
            extra={
                "buy_band": decimal_or_none(entry, "buyLimitPriceRatio") or Decimal("0.05"),
                "quote_step": step_of(entry, "quotePrecision"),
            },
        )

    def _ticker(self, symbol: str) -> Any:
        return field(self._read("spot/market/tickers", {"symbol": symbol}), 0)

    def _order(self, keys: Credentials, instrument: Instrument, which: Mapping[str, str]) -> Report:
        if found := rows_of(self._read("spot/trade/orderInfo", which, keys)):
            return self.read_order(found[0])
        raise self._gone()

    def _plan(self, keys: Credentials, instrument: Instrument, ref: OrderRef, where: str) -> Any | None:
        now = self.clock.now_ms()
        span = {"startTime": now - HISTORY_MS, "endTime": now} if where == "history" else {}
        params = {"symbol": instrument.symbol, **span}
        return _find(
            self._pages(f"spot/trade/{where}-plan-order", params, keys, "orderList", bucket="plans"), ref
        )

    def _became(self, keys: Credentials, instrument: Instrument, row: Any) -> Report | None:
        """https://www.bitget.com/api-doc/spot/plan/Get-Plan-Sub-Order"""
        if text(row, "status") not in FIRED:
            return None
        which = {"planOrderId": text(row, "orderId")}
        subs = items(self._read("spot/trade/plan-sub-order", which, keys, "plans"))
        ids = [order_id for sub in subs if (order_id := text(sub, "orderId"))]
        return self._order(keys, instrument, {"orderId": ids[0]}) if ids else None

    def _drop(self, keys: Credentials, row: Any) -> str:
        named = {"orderId": text(row, "orderId")}
        try:
            done = self.call(
                self._write("spot/trade/cancel-plan-order", named, "cancel", Priority.PROTECT), keys
            )
        except OrderNotFound as gone:
            return gone.message
        result = text(done, "data", "result")
        return "" if result == "success" else result

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        scope = {"symbol": instrument.symbol} if instrument else {}
        plain = [self.read_order(row) for row in self._pages("spot/trade/unfilled-orders", scope, keys)]
        plans = self._pages("spot/trade/current-plan-order", scope, keys, "orderList", bucket="plans")
        return plain + self._told_apart(list(plans))

    def read_balance(self, row: Any) -> Balance:
        free = decimal(row, "available")
        return Balance(text(row, "coin"), free + decimal(row, "frozen") + decimal(row, "locked"), free)


class BitgetFutures(SeesModes, _Bitget):
    name = "Bitget_F"
    product = Product.LINEAR
    features = Features(hedge_mode=True, leverage=True, mode_per_order=True, batch=50)
    rights = frozenset({"coow", "trade"})
    orders, live_plans = "mix/order", "pending"
    batches, shared = "mix/order/batch-place-order", ("symbol", *FUTURES, "marginMode")
    scope = FUTURES
    wallet = ("mix/account/accounts", PRODUCT)

    def __init__(self, *wires: Any, **options: Any) -> None:
        super().__init__(*wires, **options)
        #: modes and leverage of a symbol as last read, and when; never after a change or a refusal
        self._settings: Memory[Slot, tuple[int, Any]] = Memory()

    def place_call(self, order: OrderRequest) -> Call:
        if order.quantity is None:
            raise Unsupported(f"{self.name}: futures orders are given in base currency")
        if order.type.conditional and (order.post_only or order.time_in_force is not TimeInForce.GTC):
            raise Unsupported(f"{self.name}: conditional orders have no time in force")
        params: dict[str, Any] = {
            "symbol": order.instrument.symbol,
            **FUTURES,
            "size": order.quantity,
            "clientOid": order.client_id,
        }
        if order.type.conditional and _closes(order):
            return self._write(
                "mix/order/place-tpsl-order", params | self._closing(order), "plan", urgency(order)
            )
        limit = order.type in LIMITS
        direction = order.position_side
        params |= {
            "marginMode": MARGIN_WORDS[order.margin_mode or MarginMode.CROSS],
            "side": str(direction.entry_side if direction else order.side),
            "orderType": "limit" if limit else "market",
        }
        if direction:
            params["tradeSide"] = "close" if _closes(order) else "open"
        elif order.reduce_only:
            params["reduceOnly"] = "YES"
        if limit:
            params["price"] = order.price
        if order.type.conditional:
            params |= {
                "planType": "normal_plan",
                "triggerPrice": order.trigger_price,
                "triggerType": _trigger(order, self.name),
            }
            return self._write("mix/order/place-plan-order", params, "plan", urgency(order))
        if limit or order.post_only:
            params["force"] = _force(order, self.name)
        return self._write("mix/order/place-order", params, "place", urgency(order))

    def _closing(self, order: OrderRequest) -> dict[str, Any]:
        """https://www.bitget.com/api-doc/contract/plan/Place-Tpsl-Order: in one-way mode `holdSide` names the
        position by the side that opened it."""
        direction = order.closed_direction
        return {
            "planType": "loss_plan" if order.type in STOPS else "profit_plan",
            "triggerPrice": order.trigger_price,
            "triggerType": _trigger(order, self.name),
            "executePrice": order.price if order.type in LIMITS else "0",
            "holdSide": str(direction if order.position_side else direction.entry_side),
        }

    def _complete(self, order: OrderRequest) -> OrderRequest:
        return order

    def _prepared(self, keys: Credentials, order: OrderRequest) -> OrderRequest:
        if order.type.conditional and _closes(order):
            return order
        if order.type.conditional:
            self._refuse_crossed(order)
        if order.margin_mode is not None:
            return order
        return replace(order, margin_mode=self._mode(keys, order))

    def _mode(self, keys: Credentials, order: OrderRequest) -> MarginMode:
        known = self._modes.get(slot(keys, order.instrument)) if _closes(order) else None
        return known or self.margin_mode(keys, order.instrument)

    def margin_mode(
        self, keys: Credentials, instrument: Instrument, direction: Direction | None = None
    ) -> MarginMode:
        """That of the account for this symbol, which cannot be changed under a position."""
        return word(MARGIN_MODES, self._account(keys, instrument), "marginMode")

    def _share(self, *orders: OrderRequest) -> bool:
        return super()._share(*orders) and len({order.margin_mode for order in orders}) == 1

    def _place_batch(self, keys: Credentials, orders: Sequence[OrderRequest]) -> list[Report | ExchangeError]:
        """As `place`: in the margin mode of the symbol. When that cannot be read, nothing was sent."""
        mode = outcome(lambda: orders[0].margin_mode or self._mode(keys, orders[0]))
        if isinstance(mode, OutcomeUnknown):
            mode = errors.NotSent(f"not sent, because the account could not be read: {mode.message}")
        if isinstance(mode, ExchangeError):
            return [mode] * len(orders)
        told = super()._place_batch(keys, [replace(order, margin_mode=mode) for order in orders])
        if any(isinstance(each, errors.Refused) for each in told):
            self._settings.pop(slot(keys, orders[0].instrument), None)
        return told

    def _account(self, keys: Credentials, instrument: Instrument) -> Any:
        """Modes and leverage of one symbol (https://www.bitget.com/api-doc/contract/account/Get-Single-Account)."""
        known, now = slot(keys, instrument), self.clock.now_ms()
        seen_ms, seen = self._settings.get(known, (0, None))
        if seen is not None and 0 <= now - seen_ms < SETTINGS_MS:
            return seen
        scope = {"symbol": instrument.symbol, **FUTURES}
        found = self._read("mix/account/account", scope, keys, bucket="account")
        self._settings[known] = now, found
        return found

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        """What is refused may have been placed in a mode that has changed: it is read anew."""
        try:
            return super().place(keys, order, patience_seconds=patience_seconds)
        except errors.Refused:
            self._settings.pop(slot(keys, order.instrument), None)
            self._modes.pop(slot(keys, order.instrument), None)
            raise

    def _sides(self, item: Any) -> tuple[Side, Direction | None]:
        """In hedge mode `side` means the position: what is done to it is in `tradeSide`, which begins with
        "open" or is one of many words for closing. In one-way mode `posSide` is "net"."""
        if (direction := DIRECTIONS.get(text(item, "posSide"))) is None:
            return word(SIDES, item, "side"), None
        opens = text(item, "tradeSide").startswith("open")
        return (direction.entry_side if opens else direction.exit_side), direction

    def _reduces(self, item: Any) -> bool:
        if text(item, "posSide") in DIRECTIONS:
            return not text(item, "tradeSide").startswith("open")
        return str(item.get("reduceOnly", "")).upper() == "YES"

    def instruments(self) -> list[Instrument]:
        entries = items(self._read("mix/market/contracts", PRODUCT))
        perpetual = [each for each in entries if text(each, "symbolType") == "perpetual"]
        return [
            self.read_instrument(each) for each in perpetual if "USDT" in items(each, "supportMarginCoins")
        ]

    def read_instrument(self, entry: Any) -> Instrument:
        """https://www.bitget.com/api-doc/contract/market/Get-All-Symbols-Contracts"""
        return Instrument(
            symbol=text(entry, "symbol"),
            base=text(entry, "baseCoin"),
            quote=text(entry, "quoteCoin"),
            settle="USDT",
            product=self.product,
            tick=decimal(entry, "priceEndStep").scaleb(-int(decimal(entry, "pricePlace"))),
            step=decimal(entry, "sizeMultiplier"),
            min_quantity=decimal_or_none(entry, "minTradeNum") or Decimal(0),
            min_notional=decimal_or_none(entry, "minTradeUSDT") or Decimal(0),
            max_quantity=nonzero(entry, "maxOrderQty"),
            max_market_quantity=nonzero(entry, "maxMarketOrderQty"),
            max_leverage=nonzero(entry, "maxLever"),
            active=text(entry, "symbolStatus") == "normal",
        )

    def _ticker(self, symbol: str) -> Any:
        return field(self._read("mix/market/ticker", {"symbol": symbol, **PRODUCT}), 0)

    def _order(self, keys: Credentials, instrument: Instrument, which: Mapping[str, str]) -> Report:
        params = {"symbol": instrument.symbol, **PRODUCT, **which}
        return self.read_order(self._read("mix/order/detail", params, keys))

    def _plan(self, keys: Credentials, instrument: Instrument, ref: OrderRef, where: str) -> Any | None:
        """TP/SL plans and trigger orders are asked for apart."""
        for kind in PLAN_LISTS:
            params = {
                "planType": kind,
                "symbol": instrument.symbol,
                **PRODUCT,
                **ref.named("orderId", "clientOid"),
            }
            data = self._read(f"mix/order/orders-plan-{where}", params, keys, "plans")
            if (row := _find(iter(rows_of(data, "entrustedList")), ref)) is not None:
                return row
        return None

    def _became(self, keys: Credentials, instrument: Instrument, row: Any) -> Report | None:
        if text(row, "planStatus") not in FIRED:
            return None
        child = text(row, "executeOrderId").strip()
        return None if child in NO_ORDER else self._order(keys, instrument, {"orderId": child})

    def _drop(self, keys: Credentials, row: Any) -> str:
        """Under its own kind, which the list tells (contract/plan/Cancel-Plan-Order)."""
        named = {"orderIdList": [{"orderId": text(row, "orderId")}], "planType": text(row, "planType")}
        params = {"symbol": text(row, "symbol"), **FUTURES, **named}
        call = self._write("mix/order/cancel-plan-order", params, "cancel", Priority.PROTECT)
        done = field(self.call(call, keys), "data")
        if rows_of(done, "successList"):
            return ""
        return "; ".join(text(each, "errorMsg") for each in rows_of(done, "failureList")) or "no reason given"

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        """Trailing orders (track_plan) are not flipr's and are left out."""
        scope = PRODUCT | ({"symbol": instrument.symbol} if instrument else {})
        plain = self._pages("mix/order/orders-pending", scope, keys, "entrustedList")
        found = [self.read_order(row) for row in plain]
        for kind in PLAN_LISTS:
            asked = scope | {"planType": kind}
            rows = self._pages("mix/order/orders-plan-pending", asked, keys, "entrustedList", bucket="plans")
            found += self._told_apart(list(rows))
        return found

    def read_balance(self, row: Any) -> Balance:
        """`available` does not count what open positions of a cross account use; `crossedMaxAvailable` does."""
        free = decimal(row, "crossedMaxAvailable")
        return Balance(text(row, "marginCoin"), decimal(row, "accountEquity"), free)

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        path = "single-position" if instrument else "all-position"
        params = FUTURES | ({"symbol": instrument.symbol} if instrument else {})
        rows = items(self._read(f"mix/position/{path}", params, keys, "positions"))
        return self._saw(keys, [self.read_position(row) for row in rows if decimal(row, "total")])

    def read_position(self, item: Any) -> Position:
        return Position(
            symbol=text(item, "symbol"),
            direction=word(DIRECTIONS, item, "holdSide"),
            quantity=decimal(item, "total"),
            entry_price=decimal(item, "openPriceAvg"),
            mark_price=nonzero(item, "markPrice"),
            leverage=nonzero(item, "leverage"),
            margin_mode=word(MARGIN_MODES, item, "marginMode"),
            unrealised=decimal_or_none(item, "unrealizedPL"),
            liquidation_price=nonzero(item, "liquidationPrice"),
        )

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        return word(POSITION_MODES, self._account(keys, instrument), "posMode")

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """Only what differs is sent: the exchange refuses changes while orders or positions stand."""
        account, scope = self._account(keys, instrument), {"symbol": instrument.symbol, **FUTURES}
        held = word(MARGIN_MODES, account, "marginMode")
        if mode is not None and mode is not held:
            self._set(keys, "margin-mode", scope | {"marginMode": MARGIN_WORDS[mode]})
        if leverage is None:
            return
        if (mode or held) is MarginMode.CROSS:
            if decimal(account, "crossedMarginLeverage") != leverage:
                self._set(keys, "leverage", scope | {"leverage": plain_number(leverage)})
            return
        hedged = word(POSITION_MODES, account, "posMode") is PositionMode.HEDGE
        for side, name in (("long", "isolatedLongLever"), ("short", "isolatedShortLever")):
            if decimal(account, name) != leverage:
                extra = {"holdSide": side} if hedged else {}
                self._set(keys, "leverage", scope | {"leverage": plain_number(leverage)} | extra)
                if not hedged:
                    return

    def _set(self, keys: Credentials, what: str, params: Mapping[str, Any]) -> None:
        call = self._write(f"mix/account/set-{what}", params, "settings", Priority.ENTRY)
        try:
            unless_unchanged(lambda: self.call(call, keys))
        finally:
            self._settings.pop((key_digest(keys), str(params["symbol"])), None)


def _closes(order: OrderRequest) -> bool:
    """Can only make its position smaller."""
    direction = order.position_side
    return order.reduce_only if direction is None else order.side is direction.exit_side


def _alone(row: Any) -> Any:
    """An order of a batch as the answer would be had it been sent alone; one that nothing is told of has no id."""
    if row.get("taken", True):
        return {"code": "00000", "data": row}
    return {"code": row.get("errorCode"), "msg": row.get("errorMsg")}


def _watched(order: OrderRequest, quote: Quote) -> Decimal:
    return quote.mark if order.trigger_by is TriggerBy.MARK and quote.mark else quote.last


def _room(order: OrderRequest, quote: Quote) -> Decimal:
    """How far the price has yet to go to the trigger; negative when it has crossed it."""
    way = (order.trigger_price or Decimal(0)) - _watched(order, quote)
    return way if order.rises else -way


def _force(order: OrderRequest, venue: str) -> str:
    if order.post_only and order.type not in LIMITS:
        raise Unsupported(f"{venue}: only limit orders can be post-only")
    return "post_only" if order.post_only else str(order.time_in_force)


def _trigger(order: OrderRequest, venue: str) -> str:
    if order.trigger_by not in TRIGGERS:
        raise Unsupported(f"{venue}: orders trigger by the last or the mark price only")
    return TRIGGERS[order.trigger_by]


def _lower(row: Any) -> dict[str, str]:
    return {"planType": text(row, "planType").lower()}  # the spot lists write AMOUNT, their page says amount


def _plan_type(item: Any, side: Side, last: Decimal | None) -> OrderType:
    stop, limit = word(PLANS, _lower(item), "planType"), word(TYPES, item, "orderType") is OrderType.LIMIT
    if stop is None:  # an ended one cannot be told any more: it passes for a stop
        stop = last is None or (decimal(item, "triggerPrice") > last) == (side is Side.BUY)
    return OrderType.waiting(stop=stop, limit=limit)


def _find(rows: Iterator[Any], ref: OrderRef) -> Any | None:
    name, wanted = ("orderId", ref.exchange_id) if ref.exchange_id else ("clientOid", ref.client_id)
    return next((row for row in rows if text_or_none(row, name) == wanted), None)


def _client_id(item: Any) -> str:
    return text(item, "clientOid") if field(item, "clientOid") is not None else ""


def _average(item: Any, name: str, filled: Decimal) -> Decimal | None:
    value = nonzero(item, "quoteVolume")
    return nonzero(item, name) or (value and value / filled)


def _fee(item: Any) -> Fee | None:
    """What was paid is negative. Spot tells it as a JSON text with one entry per coin (and `newFees`, of another
    shape)."""
    if "marginCoin" in item:
        paid = nonzero(item, "fee")
        return Fee(-paid, text(item, "marginCoin")) if paid else None
    try:
        found = json.loads(item.get("feeDetail") or "{}", parse_float=Decimal)
    except (TypeError, ValueError):
        raise OutcomeUnknown("feeDetail is not JSON in the answer") from None
    coins = [each for each in found.values() if isinstance(each, Mapping) and each.get("feeCoinCode")]
    return Fee(-decimal(coins[0], "totalFee"), text(coins[0], "feeCoinCode")) if coins else None
