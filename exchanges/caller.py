"""The one path a call takes to an exchange: pass the gate, sign, send once, say what the answer means.

It knows nothing of orders and accounts: those are the words of `exchanges/venue.py`.
"""

from __future__ import annotations

import hashlib
import math
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, ClassVar

from exchanges.call import Call
from exchanges.clock import Clock
from exchanges.errors import (
    AuthRefused,
    ClockRefused,
    ExchangeError,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unsupported,
)
from exchanges.limits import (
    Bucket,
    Charge,
    Costs,
    Gate,
    LocalGate,
    Passage,
    Scope,
    pressed,
    question_patience,
    refuse_late,
)
from exchanges.transport import Answer, Request, Transport
from exchanges.types import Credentials, Environment
from exchanges.witness import Nobody, Witness

SERVER_FAILED = re.compile(r"5\d\d")
#: HTTP statuses that shut out an address, at every exchange that does not say otherwise
BANS = {403: Scope.ADDRESS, 418: Scope.ADDRESS}
#: two keys that are refused within this time have a cause in common: their address
SAME_CAUSE_MS = 5_000
#: how long an address then rests where nobody says: if it was chance, nobody waits long; if not, it is told again
DOUBT_SECONDS = 2.0
#: and how long a bucket rests at most where neither the answer nor the venue's `cool_downs` tells: asking again so seldom
#: costs an exchange nothing, and a window of minutes would leave its positions alone for a refusal that was chance
UNTOLD_SECONDS = 30.0
#: what protects a position tries again sooner: where refusals come by chance, one after another would keep it bare
PROTECTION_UNTOLD_SECONDS = 5.0


class Caller(ABC):
    #: as written in messages: `Binance_F`
    name: ClassVar[str]
    #: the exchange in lower case, also the name of its file: `binance`
    exchange: ClassVar[str]
    base_urls: ClassVar[Mapping[Environment, str]]
    #: other hosts of the exchange that some calls go to (`Call.host`), named after the venue whose
    #: sandbox dialect serves them: {"binance": {Environment.LIVE: "https://api.binance.com"}}
    hosts: ClassVar[Mapping[str, Mapping[Environment, str]]] = {}
    buckets: ClassVar[Mapping[str, Bucket]] = {}
    #: the exchange's error codes; what is not listed is `Refused` below 500 and `OutcomeUnknown` from there on, whether
    #: 500 is the HTTP status or the code itself
    errors: ClassVar[Mapping[str, type[ExchangeError]]] = {}
    #: what the user can do about a code (or HTTP status), said behind the exchange's own words
    hints: ClassVar[Mapping[str, str]] = {}
    #: seconds to stay off after a throttling code that comes without Retry-After, where the bucket's
    #: whole window would be wrong (an overload of the exchange that has nothing to do with our share)
    cool_downs: ClassVar[Mapping[str, float]] = {}
    #: whose buckets a throttling code (or HTTP status) speaks of; of another code that answers a key, the key's, until a
    #: second key hears one as well
    throttles: ClassVar[Mapping[str, Scope]] = {}
    #: the longest shut-out that its documents know. A longer one that an answer tells may be counted in milliseconds, or
    #: come from what stands before the exchange: after this time it is asked again
    longest_ban_seconds: ClassVar[float] = 60.0
    #: how coarsely the exchange tells the time
    clock_slack_ms: ClassVar[int] = 5
    #: a connection that was idle this long is not used again. Below what the proxies exchanges stand behind
    #: allow (60 s at AWS: docs.aws.amazon.com/elasticloadbalancing, config-idle-timeout; 75 s by nginx's
    #: keepalive_timeout; read 2026-11-22), so that a request does not cross their closing
    keepalive_seconds: ClassVar[float] = 50.0
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
        #: by address, the key that was refused for rate last, and when
        self._last_refusals: dict[str, tuple[str, int]] = {}

    # -- what each exchange defines --------------------------------------------------------------------

    @abstractmethod
    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """The request as it goes on the wire; signed when `call.signed`. Pure but for the nonce."""

    @abstractmethod
    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        """(code, message) as the exchange gives them when the answer is an error, else None."""

    @abstractmethod
    def server_time_ms(self) -> int: ...

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
        only = _only.get()
        passage = self.gate.admit(
            self._charges(call, user, only),
            pressed(call.priority),
            addresses=(only,) if only else tuple(self.wires),
            user=user,
            patience_seconds=question_patience(call.patience_seconds)
            if call.read_only
            else call.patience_seconds,
        )
        used: Mapping[str, int] = {}
        try:
            wire = self._wire(call, passage)
            with turn:
                if call.patience_seconds is not None and not call.read_only:
                    refuse_late()
                with self._witnessed(call) as answered:
                    answer = wire.send(self.sign(call, keys, self.clock.now_ms()))
                    answered()
                    with self._may_stand():
                        used = self._used(answer)
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

    @contextmanager
    def _may_stand(self) -> Iterator[None]:
        """The order may stand: even a reader's own mistake must lead to reconciliation, not to a crash."""
        try:
            yield
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise OutcomeUnknown(f"{self.name}: its answer could not be read") from error

    def checked(self, answer: Answer, charges: tuple[Charge, ...] = ()) -> Any:
        """The data of a good answer; else raises the class its code stands for."""
        found = self.error_code(answer)
        if found is None and answer.status < 400 and answer.data is not None:
            return answer.data
        code, words = found or ("", "")
        error = self.refusal(code, words, answer.status, self._told_seconds(answer))
        if isinstance(error, Throttled):
            self._stay_off(charges, error.retry_after, error.code, answer.status)
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

    def _stay_off(
        self, charges: tuple[Charge, ...], retry_after: float | None, code: str, status: int = 0
    ) -> None:
        """Stop the buckets the refusal speaks of. Where it does not say whom it means, those of the key: one user who
        asks too much must not stop an exchange for all. That another key is refused in the same seconds, or a question
        without any, tells that it is the address."""
        told = self.cool_downs.get(code) if retry_after is None else retry_after
        sooner = PROTECTION_UNTOLD_SECONDS if told is None and status not in BANS else None
        scope, doubt = self._meant(charges, self.throttles.get(code, BANS.get(status)))
        for charge in charges:
            if scope in (None, charge.limit.scope):
                window = min(charge.limit.window_seconds, UNTOLD_SECONDS)
                if doubt and charge.limit.scope is Scope.ADDRESS:
                    window = min(window, DOUBT_SECONDS)
                self.gate.block(charge, window if told is None else told, sooner)

    def _meant(self, charges: tuple[Charge, ...], scope: Scope | None) -> tuple[Scope | None, bool]:
        """Whose buckets, None for all; and whether that is a guess. What would speak of a key speaks of the address where
        none asked."""
        key = next((charge.owner for charge in charges if charge.limit.scope is Scope.KEY), "")
        if not key:
            return None, False
        if scope is not None:
            return scope, False
        address = next((charge.owner for charge in charges if charge.limit.scope is Scope.ADDRESS), "")
        now = self.clock.now_ms()
        before, at = self._last_refusals.get(address, ("", 0))
        self._last_refusals[address] = key, now
        if before in ("", key) or now - at > SAME_CAUSE_MS:
            return Scope.KEY, True
        return None, True

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

    def _told_seconds(self, answer: Answer) -> float | None:
        told = self.retry_after(answer)
        return None if told is None else min(told, self.longest_ban_seconds)

    def _used(self, answer: Answer) -> Mapping[str, int]:
        """A count beyond the capacity says that nothing is left; believed as it is, it would take hours to run off."""
        used = self.usage(answer)
        return {name: min(count, self.buckets[name].capacity) for name, count in used.items()}

    def sync_clock(self) -> int:
        """Measure and keep the offset to the exchange's clock, in ms."""
        return self.clock.measure(self.server_time_ms)

    def nonce(self, now: int) -> int:
        """A number that rises with every call in this process, never below `now`."""
        with self._nonce_lock:
            self._last_nonce = max(self._last_nonce + 1, now)
            return self._last_nonce

    def _charges(self, call: Call, user: str, address: str = "") -> tuple[Charge, ...]:
        return tuple(
            Charge(
                venue=f"{self.exchange}:{self.environment}",
                bucket=name,
                limit=(limit := self.buckets[name]),
                owner=(address or self.address) if limit.scope is Scope.ADDRESS or not user else user,
                cost=cost,
            )
            for name, cost in call.costs.items()
        )


@contextmanager
def leaving_from(address: str) -> Iterator[None]:
    """What is asked inside, in this thread, leaves from this address, though another may have more room."""
    before = _only.set(address)
    try:
        yield
    finally:
        _only.reset(before)


_only: ContextVar[str] = ContextVar("only", default="")


def key_digest(keys: Credentials | None) -> str:
    """Names a key in limits and logs without telling it."""
    return hashlib.blake2b((keys.key if keys else "").encode(), digest_size=8).hexdigest()
