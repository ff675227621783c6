"""What flipr needs of one product of one exchange, and the one path a call takes to it.

A venue holds no user: credentials come with each call, so that one warm connection serves every account.
Subclasses live in `exchanges/venues/<exchange>.py`: data first (class attributes), then pure methods
(`sign`, `error_code`, `place_call`, the readers), then the calls.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, TypeVar

from exchanges.clock import Clock
from exchanges.errors import (
    AuthRefused,
    ClockRefused,
    ExchangeError,
    NotModified,
    NotSent,
    OrderNotFound,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unsupported,
    WouldTrigger,
)
from exchanges.guide import Guide
from exchanges.limits import Bucket, Charge, Costs, Gate, LocalGate, Passage, Priority, Scope, pressed
from exchanges.transport import Answer, Request, Transport
from exchanges.types import (
    Balance,
    Credentials,
    Direction,
    Environment,
    Instrument,
    KeyInfo,
    Legs,
    MarginMode,
    OrderRef,
    OrderRequest,
    OrderStatus,
    Position,
    PositionMode,
    Product,
    Quote,
    Report,
    Side,
)
from exchanges.witness import Nobody, Witness

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Features:
    """What the exchange can do by itself; the rest is refused before sending, or done by supervision."""

    #: conditional orders (stop, take profit) exist
    conditional: bool = True
    #: conditional orders keep our client id; where not, one whose answer was lost is known by its terms only, while it
    #: is open
    conditional_ids: bool = True
    #: a stop and a target of one position can be placed as one linked pair: `Venue.protect`
    linked_legs: bool = False
    #: cancelling one leg of such a pair cancels the other too; where not, only a fill ends both
    linked_cancel: bool = True
    #: stop and target may both rest for the full size (cash spot often locks the balance once)
    rests_both_legs: bool = True
    #: the stops of a position may together not be larger than it, nor its targets: an old one has to go before the one
    #: that takes its place
    legs_fit_position: bool = False
    #: the answer to a market order already tells its fill
    fill_in_answer: bool = False
    #: a spot market buy may be given as an amount of quote currency
    market_by_quote: bool = False
    hedge_mode: bool = False
    leverage: bool = False
    #: every futures order names its margin mode, so that one has to be found for an order that says none:
    #: `Venue.margin_mode`
    mode_per_order: bool = False
    reduce_only: bool = True
    #: orders can be asked for by our client id, and for how long after their end (0: while open only)
    client_id_memory_seconds: int = 86_400
    #: the exchange lists the open orders of one symbol at a time: without one `open_orders` takes many calls, or is
    #: Unsupported
    open_orders_by_symbol: bool = False
    #: so many orders of one instrument may go out in one request (0: each needs its own), and whether conditional
    #: orders may be among them
    batch: int = 0
    batch_conditional: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One request before it is signed. `params` keep their order; their values are what the venue's own
    `sign` expects (text, bool, int, Decimal, list, dict)."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    signed: bool = True
    costs: Costs = field(default_factory=dict)
    priority: Priority = Priority.QUERY
    #: an answer lost on the way leaves nothing unknown behind (reads)
    read_only: bool = False
    #: another host of the same exchange: a key of `Venue.hosts`
    host: str = ""
    #: how long it may wait for its share of the limits; None: as long as the gate finds right for its priority
    patience_seconds: float | None = None
    #: made by `batch_call`: the answer may tell of each order by itself
    batch: bool = False


#: what stands for an id where there is none
NO_ORDER = frozenset({"", "0"})
SERVER_FAILED = re.compile(r"5\d\d")


class Venue(ABC):
    #: as written in messages: `Binance_F`
    name: ClassVar[str]
    #: the exchange in lower case, also the name of its file: `binance`
    exchange: ClassVar[str]
    product: ClassVar[Product]
    #: default region of its workers
    region: ClassVar[str]
    #: which key opens it: the exchange, or a part of it with keys of its own (`kraken_futures`)
    key_family: ClassVar[str]
    #: what the user must enter, besides the label, in this order: key, secret[, passphrase]
    key_fields: ClassVar[tuple[str, ...]] = ("key", "secret")
    #: what the exchange itself calls them, where that is not API key, API secret and passphrase
    key_titles: ClassVar[Mapping[str, str]] = {}
    #: what its users have to know, for the docs page
    guide: ClassVar[Guide]
    #: written for this exchange, not opened through ccxt (`exchanges/generic/`)
    native: ClassVar[bool] = True
    base_urls: ClassVar[Mapping[Environment, str]]
    #: other hosts of the exchange that some calls go to (`Call.host`), named after the venue whose
    #: sandbox dialect serves them: {"binance": {Environment.LIVE: "https://api.binance.com"}}
    hosts: ClassVar[Mapping[str, Mapping[Environment, str]]] = {}
    features: ClassVar[Features] = Features()
    buckets: ClassVar[Mapping[str, Bucket]] = {}
    #: the exchange's error codes; what is not listed is `Refused` below 500 and `OutcomeUnknown` from there on, whether
    #: 500 is the HTTP status or the code itself
    errors: ClassVar[Mapping[str, type[ExchangeError]]] = {}
    #: what the user can do about a code (or HTTP status), said behind the exchange's own words
    hints: ClassVar[Mapping[str, str]] = {}
    #: seconds to stay off after a throttling code that comes without Retry-After, where the bucket's
    #: whole window would be wrong (an overload of the exchange that has nothing to do with our share)
    cool_downs: ClassVar[Mapping[str, float]] = {}
    #: whose buckets a throttling code (or HTTP status) speaks of, where not of all that the call was charged to
    throttles: ClassVar[Mapping[str, Scope]] = {}
    #: how coarsely the exchange tells the time
    clock_slack_ms: ClassVar[int] = 5
    #: a connection that was idle this long is not used again. Below what the proxies exchanges stand behind
    #: allow (60 s at AWS: docs.aws.amazon.com/elasticloadbalancing, config-idle-timeout; 75 s by nginx's
    #: keepalive_timeout; read 2026-11-22), so that a request does not cross their closing
    keepalive_seconds: ClassVar[float] = 50.0
    #: how often one account may be looked at (open orders and positions), and all accounts of one address together; of
    #: what the products of an exchange share, each takes its part (tests/execution/test_budgets.py adds it up)
    look_seconds: ClassVar[float] = 1.0
    looks_per_minute: ClassVar[int] = 600
    #: how many prices of it one address may ask for only to see whether a level was reached
    prices_per_minute: ClassVar[int] = 300
    #: open orders of so many symbols are asked for one by one: those of all cost more
    cheaper_one_by_one: ClassVar[int] = 1
    #: True where every signed request of one key needs a higher nonce than the one before
    serial: ClassVar[bool] = False
    #: answered with HTTP 4xx/5xx and no readable body
    statuses: ClassVar[Mapping[int, type[ExchangeError]]] = {
        401: AuthRefused,
        403: Throttled,
        418: Throttled,
        429: Throttled,
    }

    def __init__(
        self,
        transport: Transport,
        *,
        environment: Environment = Environment.LIVE,
        clock: Clock | None = None,
        gate: Gate | None = None,
        address: str = "default",
        other_transports: Mapping[str, Transport] | None = None,
        other_addresses: Mapping[str, Mapping[str, Transport]] | None = None,
        witness: Witness | None = None,
    ) -> None:
        """`transport`, and `other_transports` by host, leave from `address`. `other_addresses`: the same once more
        for each further address, where "" is the venue's own host."""
        self.transport = transport
        self.other_transports = other_transports or {}
        self.wires = {address: {"": transport, **self.other_transports}, **(other_addresses or {})}
        self.environment = environment
        self.clock = clock or Clock(slack_ms=self.clock_slack_ms)
        self.gate: Gate = gate or LocalGate()
        self.address = address
        self.witness: Witness = witness or Nobody()
        self._last_nonce = 0
        self._nonce_lock = threading.Lock()

    # -- pure: what each exchange defines ------------------------------------------------------------

    @abstractmethod
    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """The request as it goes on the wire; signed when `call.signed`. Pure but for the nonce."""

    @abstractmethod
    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        """(code, message) as the exchange gives them when the answer is an error, else None."""

    @classmethod
    def client_id(cls, token: str) -> str:
        """Our id of an order (26 characters of Crockford base 32) in the form this exchange accepts.
        Deterministic, so that an order whose outcome is unknown can be found again."""
        return f"f{token}"

    @abstractmethod
    def place_call(self, order: OrderRequest) -> Call:
        """The call that places `order`. Raises Unsupported for what this venue cannot do."""

    def draft_call(self, order: OrderRequest, price: Decimal) -> Call:
        """What `place` would send at a present price, told without asking anybody: for checks and dry runs. Raises
        Unsupported."""
        return self.place_call(order)

    @abstractmethod
    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        """The answer to `place_call`."""

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """The one call that does what these do, each made by `place_call` (`features.batch`)."""
        raise Unsupported(f"{self.name} takes one order at a time")

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        """The answer to `batch_call` taken apart: for each order, in order, what the exchange would have answered
        had it been sent alone."""
        raise Unsupported(f"{self.name} takes one order at a time")

    # -- calls ---------------------------------------------------------------------------------------

    @abstractmethod
    def server_time_ms(self) -> int: ...

    @abstractmethod
    def instruments(self) -> list[Instrument]:
        """Every tradable instrument of this product; one call, no user."""

    @abstractmethod
    def quote(self, instrument: Instrument) -> Quote: ...

    @abstractmethod
    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """Cancel one order. Raises OrderNotFound when it is no longer open (filled, cancelled or unknown)."""

    @abstractmethod
    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        """One order, open or ended, with its average fill price. Raises OrderNotFound."""

    @abstractmethod
    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        """All open orders, conditional ones included. Without an instrument those of all symbols, unless
        `features.open_orders_by_symbol` leaves no way to ask for them (Unsupported)."""

    @abstractmethod
    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """By asset in the common spelling (BTC, not XBT)."""

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        """Open positions; none on spot."""
        return []

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        return PositionMode.ONE_WAY

    def margin_mode(
        self, keys: Credentials, instrument: Instrument, direction: Direction | None = None
    ) -> MarginMode | None:
        """Where orders name one (`features.mode_per_order`): that of an order which says none. It changes nothing that
        the trader has set up: the mode of the open position, of the one in `direction` first; else the account's
        setting; else, where the exchange knows no setting, the default that the guide tells."""
        return None

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """Set what is given; "already so" is success."""
        raise Unsupported(f"{self.name} has no leverage")

    def protect(self, keys: Credentials, legs: Legs) -> tuple[Report, Report]:
        """Place stop and target as one linked pair (`features.linked_legs`); (stop, target)."""
        raise Unsupported(f"{self.name} has no linked orders")

    def linked(self, report: Report) -> bool:
        """Whether an open order is a leg of a pair made by `protect`: where the exchange makes both, they have no
        client id."""
        return self.features.linked_legs and not report.client_id

    @abstractmethod
    def key_info(self, keys: Credentials) -> KeyInfo:
        """What the key may do. Raises AuthRefused when it is not valid."""

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        """Place once. Raises NotSent, a Refused, or OutcomeUnknown (then ask `fetch` by client id).
        An entry waits for its share of the limits no longer than `patience_seconds`."""
        call = self.place_call(order)
        if call.priority is Priority.ENTRY:
            call = replace(call, patience_seconds=patience_seconds)
        data = self.call(call, keys)
        return self._believed(data, order)

    def _believed(self, data: Any, order: OrderRequest) -> Report:
        with self._may_stand():
            report = self.read_placed(data, order)
        if report.exchange_id in NO_ORDER and not report.status.final:
            raise OutcomeUnknown(f"{self.name}: the answer to the order names none")
        return report

    def place_many(self, keys: Credentials, orders: Sequence[OrderRequest]) -> list[Report | ExchangeError]:
        """Place each once, in as few requests as the exchange takes; what became of each, in their order. The
        errors are those `place` raises. A request with several orders is never sent again: when its answer is lost
        all of them are OutcomeUnknown, when it is refused as a whole so is each."""
        outcomes: list[Report | ExchangeError] = []
        for batch in self._batches(orders):
            if len(batch) == 1:
                outcomes.append(outcome(partial(self.place, keys, batch[0])))
            else:
                outcomes += self._place_batch(keys, batch)
        return outcomes

    def _batches(self, orders: Sequence[OrderRequest]) -> list[list[OrderRequest]]:
        """Neighbours that may share a request, as many as fit into one."""
        batches: list[list[OrderRequest]] = []
        for order in orders:
            last = batches[-1] if batches else []
            if last and len(last) < self.features.batch and self._share(*last, order):
                last.append(order)
            else:
                batches.append([order])
        return batches

    def _share(self, *orders: OrderRequest) -> bool:
        plain = not any(order.type.conditional for order in orders)
        return len({order.instrument.symbol for order in orders}) == 1 and (
            plain or self.features.batch_conditional
        )

    def _place_batch(self, keys: Credentials, orders: Sequence[OrderRequest]) -> list[Report | ExchangeError]:
        """What cannot be asked of the exchange is left out; the others are told apart in its answer."""
        calls = self.place_calls(orders)
        left = [(order, call) for order, call in zip(orders, calls, strict=True) if isinstance(call, Call)]
        if len(left) < 2:
            told = iter([outcome(partial(self.place, keys, order)) for order, _ in left])
        else:
            told = iter(self._send_batch(keys, *zip(*left, strict=True)))
        return [next(told) if isinstance(call, Call) else call for call in calls]

    def place_calls(self, orders: Sequence[OrderRequest]) -> list[Call | ExchangeError]:
        """`place_call` of each, or why it is not sent."""
        return [outcome(partial(self.place_call, order)) for order in orders]

    def _send_batch(
        self, keys: Credentials, orders: Sequence[OrderRequest], calls: Sequence[Call]
    ) -> list[Report | ExchangeError]:
        urgent = min(call.priority for call in calls)
        batch = replace(self.batch_call(calls), priority=urgent, batch=True)
        charges = self._charges(batch, key_digest(keys))
        try:
            data = self.call(batch, keys)
            with self._may_stand():
                answers = self.answers(data, orders)
        except ExchangeError as error:
            return [error] * len(orders)
        if len(answers) != len(orders):
            unknown = OutcomeUnknown(f"{self.name} answered for {len(answers)} of {len(orders)} orders")
            return [unknown] * len(orders)
        return [
            outcome(partial(self._read_answer, answer, order, charges))
            for answer, order in zip(answers, orders, strict=True)
        ]

    def _read_answer(self, answer: Any, order: OrderRequest, charges: tuple[Charge, ...]) -> Report:
        return self._believed(self.checked(Answer(200, {}, answer), charges), order)

    @contextmanager
    def _may_stand(self) -> Iterator[None]:
        """The order may stand: even a reader's own mistake must lead to reconciliation, not to a crash."""
        try:
            yield
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise OutcomeUnknown(f"{self.name}: its answer could not be read") from error

    def cancel_all(self, keys: Credentials, instrument: Instrument) -> None:
        for report in self.open_orders(keys, instrument):
            try:
                self.cancel(keys, instrument, report.ref)
            except OrderNotFound:
                continue  # gone between the two calls: that is what was wanted

    # -- the path of one call --------------------------------------------------------------------------

    def call(self, call: Call, keys: Credentials | None = None) -> Any:
        """Gate, sign, send, classify. A timestamp refusal is answered by measuring the clock and
        signing once more: the exchange has documented that it did not process the first."""
        try:
            return self._once(call, keys)
        except ClockRefused as refused:
            if not call.signed:
                raise
            self._sync_clock_or(refused)
            return self._once(call, keys)

    def ask(
        self,
        path: str,
        params: Mapping[str, Any],
        costs: Costs,
        keys: Credentials | None = None,
        *,
        host: str = "",
    ) -> Any:
        """The answer to a question, signed where a key asks it."""
        signed = keys is not None
        return self.call(
            Call("GET", path, params, signed=signed, costs=costs, read_only=True, host=host), keys
        )

    def _sync_clock_or(self, refused: ClockRefused) -> None:
        """A clock that cannot be read leaves the refusal standing: the order is known not to stand."""
        self.clock.distrust()
        try:
            self.sync_clock()
        except ExchangeError:
            raise refused from None

    def _once(self, call: Call, keys: Credentials | None) -> Any:
        user = key_digest(keys) if keys else ""
        turn = self.gate.turn(user) if self.serial and call.signed and user else nullcontext()
        passage = self.gate.admit(
            self._charges(call, user),
            pressed(call.priority),
            addresses=tuple(self.wires),
            user=user,
            patience_seconds=call.patience_seconds,
        )
        used: Mapping[str, int] = {}
        try:
            wire = self._wire(call, passage)
            with turn, self._witnessed(call) as answered:
                answer = wire.send(self.sign(call, keys, self.clock.now_ms()))
                answered()
                with self._may_stand():
                    used = self.usage(answer)
                    checked = self.checked_batch if call.batch else self.checked
                    return checked(answer, passage.charges)
        finally:
            self.gate.settle(passage, used)

    @contextmanager
    def _witnessed(self, call: Call) -> Iterator[Callable[[], None]]:
        """Tell the witness how the call went. `answered` stops the watch; without an answer it runs to the end."""
        began, answer_at, failure = time.perf_counter(), list[float](), None
        try:
            yield lambda: answer_at.append(time.perf_counter())
        except ExchangeError as error:
            failure = error
            raise
        finally:
            took = (answer_at[0] if answer_at else time.perf_counter()) - began
            self.witness.saw(self.name, self.environment, took, failure, reading=call.read_only)

    def _wire(self, call: Call, passage: Passage) -> Transport:
        try:
            return self.wires[passage.address][call.host]
        except KeyError:
            raise Unsupported(
                f"{self.name} has no {call.host} host in its {self.environment} environment"
            ) from None

    def checked(self, answer: Answer, charges: tuple[Charge, ...] = ()) -> Any:
        """The data of a good answer; else raises the class its code stands for."""
        found = self.error_code(answer)
        if found is None and answer.status < 400 and answer.data is not None:
            return answer.data
        code, words = found or ("", "")
        error = self.refusal(code, words, answer.status, self.retry_after(answer))
        if isinstance(error, Throttled):
            self._stay_off(charges, error.retry_after, error.code)
        raise error

    def checked_batch(self, answer: Answer, charges: tuple[Charge, ...] = ()) -> Any:
        """`checked` of the answer to `batch_call`. An error that tells of orders all the same is not believed: what it
        tells of one is no refusal of the others."""
        try:
            return self.checked(answer, charges)
        except OutcomeUnknown:
            raise
        except ExchangeError as error:
            told = answer.data.get("data") if isinstance(answer.data, Mapping) else None
            if isinstance(told, Mapping | list) and told:
                raise OutcomeUnknown(
                    f"{self.name} refuses several orders, and tells of them: {error.message}", code=error.code
                ) from error
            raise

    def refusal(
        self, code: str, words: str, status: int = 200, retry_after: float | None = None
    ) -> ExchangeError:
        """What a code stands for: of a whole answer, or of one order in an answer about several."""
        error = self._error_class(code, status)
        said = self.explain(error, code, words, status)
        told = code or str(status)
        return error(said, code=told, exchange_message=words[:300], retry_after=retry_after)

    def _stay_off(self, charges: tuple[Charge, ...], retry_after: float | None, code: str) -> None:
        """Stop exactly the buckets the refusal speaks of."""
        seconds = self.cool_downs.get(code) if retry_after is None else retry_after
        scope = self.throttles.get(code)
        for charge in charges:
            if scope in (None, charge.limit.scope):
                self.gate.block(charge, charge.limit.window_seconds if seconds is None else seconds)

    def _error_class(self, code: str, status: int) -> type[ExchangeError]:
        if (listed := self.errors.get(code)) is not None:
            return listed
        if status in self.statuses:
            return self.statuses[status]
        # some write the status of a server that failed as their code, and answer HTTP 200
        failed = status >= 500 or SERVER_FAILED.fullmatch(code)
        return OutcomeUnknown if failed or not code else Refused

    def explain(self, error: type[ExchangeError], code: str, words: str, status: int) -> str:
        said, hint = words or f"HTTP {status}", self.hints.get(code or str(status))
        return f"{self.name} answered: {said[:200]}" + (f" ({hint})" if hint else "")

    def retry_after(self, answer: Answer) -> float | None:
        """How many seconds a refusal for rate tells to stay off. The other form of the header, a date, is not used by
        exchanges and counts as absent."""
        try:
            seconds = float(answer.headers["retry-after"])
        except (KeyError, ValueError):
            return None
        return max(seconds, 0.0) if math.isfinite(seconds) else None

    def usage(self, answer: Answer) -> Mapping[str, int]:
        """How much of which bucket is used, as the answer's headers tell."""
        return {}

    def sync_clock(self) -> int:
        """Measure and keep the offset to the exchange's clock, in ms."""
        return self.clock.measure(self.server_time_ms)

    def nonce(self, now: int) -> int:
        """A number that rises with every call in this process, never below `now`."""
        with self._nonce_lock:
            self._last_nonce = max(self._last_nonce + 1, now)
            return self._last_nonce

    def _gone(self) -> OrderNotFound:
        return OrderNotFound(f"{self.name} does not know this order, or it is no longer open")

    def _charges(self, call: Call, user: str) -> tuple[Charge, ...]:
        return tuple(
            Charge(
                venue=f"{self.exchange}:{self.environment}",
                bucket=name,
                limit=(limit := self.buckets[name]),
                owner=self.address if limit.scope is Scope.ADDRESS or not user else user,
                cost=cost,
            )
            for name, cost in call.costs.items()
        )


def urgency(order: OrderRequest) -> Priority:
    """What only closes goes first, on spot a sale that waits for its trigger. What opens has to be fresh, at a trigger
    too, and waits no longer than that for its share of the limits."""
    spot = order.instrument.product is Product.SPOT
    protects = order.type.conditional and order.side is Side.SELL if spot else order.closes
    return Priority.PROTECT if protects else Priority.ENTRY


def acknowledged(order: OrderRequest, exchange_id: str, **more: Any) -> Report:
    """The report of an exchange that answers an order with an id only: what was asked for, nothing filled yet.
    `more` replaces fields; a conditional order that waits for its trigger has no fill to ask for."""
    return replace(
        Report(
            exchange_id=exchange_id,
            client_id=order.client_id,
            symbol=order.instrument.symbol,
            side=order.side,
            type=order.type,
            status=OrderStatus.OPEN,
            quantity=order.quantity,
            price=order.price,
            trigger_price=order.trigger_price,
            reduce_only=order.reduce_only,
            position_side=order.position_side,
            acknowledged_only=not order.type.conditional,
        ),
        **more,
    )


def held_mode(positions: Sequence[Position], direction: Direction | None) -> MarginMode | None:
    """The margin mode of what is open, of the position in `direction` first."""
    ranked = sorted(positions, key=lambda each: each.direction is not direction)
    return next((each.margin_mode for each in ranked if each.margin_mode), None)


def outcome(action: Callable[[], T]) -> T | ExchangeError:
    """What it gives back, or the exchange's error."""
    try:
        return action()
    except ExchangeError as error:
        return error


@contextmanager
def unsent(why: str) -> Iterator[None]:
    """Around a question that has to be answered before an order can go out: while the answer is unknown it stays here."""
    try:
        yield
    except OutcomeUnknown as error:
        raise NotSent(f"not sent, because {why}: {error.message}") from None


def refuse_crossed(order: OrderRequest, price: Decimal) -> None:
    """Where a trigger has no direction of its own: one that the price has crossed already would wait for the way back, a
    stop as a take-profit."""
    if order.crossed(price):
        raise WouldTrigger(f"the price {price} has already crossed the trigger {order.trigger_price}")


def by_client_id(rows: Sequence[Any], orders: Sequence[OrderRequest], name: str) -> list[Any]:
    """Rows of an answer in the order of the orders: by the id in the field `name`, by place where a row has none.
    {} stands for an order that the answer does not mention, or mentions twice."""
    names = Counter(row.get(name) for row in rows)
    named = {row.get(name): row for row in rows if names[row.get(name)] == 1}
    places = rows if len(rows) == len(orders) else [{}] * len(orders)
    return [
        named.get(order.client_id) or ({} if row.get(name) else row)
        for order, row in zip(orders, places, strict=True)
    ]


def named_rows(rows: Sequence[Any], name: str) -> list[Any]:
    """For `by_client_id` of an exchange that always tells our id: a row without one is about no order that we know."""
    return [row for row in rows if row.get(name)]


def plain_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """With its numbers as text."""
    return {name: plain_number(v) if isinstance(v, Decimal) else v for name, v in params.items()}


def json_body(params: Mapping[str, Any]) -> str:
    """The body of a request, its numbers as text. A list is sent as the parameter ""."""
    plain = plain_params(params)
    return json.dumps(plain.get("", plain), separators=(",", ":"))


def key_digest(keys: Credentials | None) -> str:
    """Names a key in limits and logs without telling it."""
    return hashlib.blake2b((keys.key if keys else "").encode(), digest_size=8).hexdigest()


def unless_unchanged(action: Callable[[], Any]) -> None:
    """Run a setting call; "already so" is what was wanted."""
    try:
        action()
    except NotModified:
        return


def plain_number(value: Decimal) -> str:
    """As every exchange reads it: no exponent, no trailing zeros (some count those as precision)."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
