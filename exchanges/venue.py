"""What flipr needs of one product of one exchange, and the one path a call takes to it.

A venue holds no user: credentials come with each call, so that one warm connection serves every account.
Subclasses live in `exchanges/venues/<exchange>.py`: data first (class attributes), then pure methods
(`sign`, `error_code`, `place_call`, the readers), then the calls.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from exchanges.errors import (
    AuthRefused,
    ClockRefused,
    ExchangeError,
    NotModified,
    OrderNotFound,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unsupported,
)
from exchanges.limits import Bucket, Charge, Costs, Gate, LocalGate, Priority, Scope
from exchanges.transport import Answer, Request, Transport
from exchanges.types import (
    Balance,
    Credentials,
    Environment,
    Instrument,
    KeyInfo,
    Legs,
    MarginMode,
    OrderRef,
    OrderRequest,
    Position,
    PositionMode,
    Product,
    Quote,
    Report,
)
from exchanges.witness import Nobody, Witness


@dataclass(frozen=True, slots=True)
class Features:
    """What the exchange can do by itself; the rest is refused before sending, or done by supervision."""

    #: conditional orders (stop, take profit) exist
    conditional: bool = True
    #: a stop and a target of one position can be placed as one linked pair: `Venue.protect`
    linked_legs: bool = False
    #: stop and target may both rest for the full size (cash spot often locks the balance once)
    rests_both_legs: bool = True
    #: the answer to a market order already tells its fill
    fill_in_answer: bool = False
    #: a spot market buy may be given as an amount of quote currency
    market_by_quote: bool = False
    hedge_mode: bool = False
    leverage: bool = False
    reduce_only: bool = True
    #: orders can be asked for by our client id, and for how long after their end (0: while open only)
    client_id_memory_seconds: int = 86_400


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


class Clock:
    """This machine's clock corrected by the offset measured against one exchange."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self.offset_ms = 0
        self.measured = False

    def now_ms(self) -> int:
        return int(self._wall() * 1000) + self.offset_ms

    def measure(self, ask: Callable[[], int]) -> int:
        """Set and return the offset: server time against the middle of the round trip."""
        before = self._wall() * 1000
        server_ms = ask()
        after = self._wall() * 1000
        self.offset_ms = int(server_ms - (before + after) / 2)
        self.measured = True
        return self.offset_ms


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
    base_urls: ClassVar[Mapping[Environment, str]]
    #: other hosts of the exchange that some calls go to (`Call.host`), named after the venue whose
    #: sandbox dialect serves them: {"binance": {Environment.LIVE: "https://api.binance.com"}}
    hosts: ClassVar[Mapping[str, Mapping[Environment, str]]] = {}
    features: ClassVar[Features] = Features()
    buckets: ClassVar[Mapping[str, Bucket]] = {}
    #: the exchange's error codes; what is not listed is `Refused` below HTTP 500 and `OutcomeUnknown` from there on
    errors: ClassVar[Mapping[str, type[ExchangeError]]] = {}
    #: seconds to stay off after a throttling code that comes without Retry-After, where the bucket's
    #: whole window would be wrong (an overload of the exchange that has nothing to do with our share)
    cool_downs: ClassVar[Mapping[str, float]] = {}
    #: a connection that was idle this long is not used again. Below what the proxies exchanges stand behind
    #: allow (60 s at AWS: docs.aws.amazon.com/elasticloadbalancing, config-idle-timeout; 75 s by nginx's
    #: keepalive_timeout; read 2026-11-22), so that a request does not cross their closing
    keepalive_seconds: ClassVar[float] = 50.0
    #: how often one account may be looked at (open orders and positions), and all accounts of one address together
    look_seconds: ClassVar[float] = 1.0
    looks_per_minute: ClassVar[int] = 600
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
        witness: Witness | None = None,
    ) -> None:
        self.transport = transport
        self.other_transports = other_transports or {}
        self.environment = environment
        self.clock = clock or Clock()
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

    @abstractmethod
    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        """The answer to `place_call`."""

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
        """All open orders, conditional ones included."""

    @abstractmethod
    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """By asset in the common spelling (BTC, not XBT)."""

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        """Open positions; none on spot."""
        return []

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        return PositionMode.ONE_WAY

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """Set what is given; "already so" is success."""
        raise Unsupported(f"{self.name} has no leverage")

    def protect(self, keys: Credentials, legs: Legs) -> tuple[Report, Report]:
        """Place stop and target as one linked pair (`features.linked_legs`); (stop, target)."""
        raise Unsupported(f"{self.name} has no linked orders")

    @abstractmethod
    def key_info(self, keys: Credentials) -> KeyInfo:
        """What the key may do. Raises AuthRefused when it is not valid."""

    def place(self, keys: Credentials, order: OrderRequest) -> Report:
        """Place once. Raises NotSent, a Refused, or OutcomeUnknown (then ask `fetch` by client id)."""
        data = self.call(self.place_call(order), keys)
        try:
            return self.read_placed(data, order)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # the order may stand: even a reader's own mistake must lead to reconciliation, not to a crash
            raise OutcomeUnknown(f"{self.name}: the answer to the order could not be read") from error

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

    def _sync_clock_or(self, refused: ClockRefused) -> None:
        """A clock that cannot be read leaves the refusal standing: the order is known not to stand."""
        try:
            self.sync_clock()
        except ExchangeError:
            raise refused from None

    def _once(self, call: Call, keys: Credentials | None) -> Any:
        charges = self._charges(call, keys)
        turn = self.gate.turn(key_digest(keys)) if self.serial and call.signed and keys else nullcontext()
        self.gate.admit(charges, call.priority)
        wire = self._wire(call)
        with turn, self._witnessed() as answered:
            answer = wire.send(self.sign(call, keys, self.clock.now_ms()))
            answered()
            self._observe(charges, answer)
            return self.checked(answer, charges)

    @contextmanager
    def _witnessed(self) -> Iterator[Callable[[], None]]:
        """Tell the witness how the call went. `answered` stops the watch; without an answer it runs to the end."""
        began, answer_at, failure = time.perf_counter(), list[float](), None
        try:
            yield lambda: answer_at.append(time.perf_counter())
        except ExchangeError as error:
            failure = error
            raise
        finally:
            took = (answer_at[0] if answer_at else time.perf_counter()) - began
            self.witness.saw(self.name, self.environment, took, failure)

    def _wire(self, call: Call) -> Transport:
        if not call.host:
            return self.transport
        try:
            return self.other_transports[call.host]
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
        error = self._error_class(code, answer.status)
        retry_after = _retry_after(answer)
        if issubclass(error, Throttled):
            self._stay_off(charges, retry_after if retry_after is not None else self.cool_downs.get(code))
        raise error(
            self.explain(error, code, words, answer.status),
            code=code or str(answer.status),
            exchange_message=words[:300],
            retry_after=retry_after,
        )

    def _stay_off(self, charges: tuple[Charge, ...], seconds: float | None) -> None:
        for charge in charges:
            self.gate.block(charge, charge.limit.window_seconds if seconds is None else seconds)

    def _error_class(self, code: str, status: int) -> type[ExchangeError]:
        if (listed := self.errors.get(code)) is not None:
            return listed
        if status in self.statuses:
            return self.statuses[status]
        return OutcomeUnknown if status >= 500 or not code else Refused

    def explain(self, error: type[ExchangeError], code: str, words: str, status: int) -> str:
        said = words or f"HTTP {status}"
        return f"{self.name} answered: {said[:200]}"

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

    def _charges(self, call: Call, keys: Credentials | None) -> tuple[Charge, ...]:
        return tuple(
            Charge(
                venue=f"{self.exchange}:{self.environment}",
                bucket=name,
                limit=(limit := self.buckets[name]),
                owner=self.address if limit.scope is Scope.ADDRESS or not keys else key_digest(keys),
                cost=cost,
            )
            for name, cost in call.costs.items()
        )

    def _observe(self, charges: tuple[Charge, ...], answer: Answer) -> None:
        if charges and (usage := self.usage(answer)):
            for charge in charges:
                if charge.bucket in usage:
                    self.gate.observe(charge, usage[charge.bucket])


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


def _retry_after(answer: Answer) -> float | None:
    """Seconds. The other form of the header, a date, is not used by exchanges and counts as absent."""
    try:
        seconds = float(answer.headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
