"""Rate limits as data, and the gate every request passes before it is signed.

A venue declares the buckets its exchange meters and what each call costs; a `Gate` enforces them. The gate of
a lone process is here; workers of one region share one through Redis (`execution.limiter`).
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import Protocol

from exchanges.errors import NotSent, TooLate

#: how long a request waits for the one before it on the same key
TURN_SECONDS = 5.0


class Scope(StrEnum):
    """What the exchange meters: the address a request comes from, or the key (user) that signs it."""

    ADDRESS = "address"
    KEY = "key"


class Kind(StrEnum):
    """How the exchange counts. Where its documents do not say, SLIDING: it is never less strict than the others."""

    #: no window of that length, wherever it begins, holds more than the capacity
    SLIDING = "sliding"
    #: windows begin at multiples of their length on the exchange's clock; each begins empty
    FIXED = "fixed"
    #: a counter that runs off steadily, the whole capacity in `window_seconds`
    LEAKY = "leaky"


class Priority(IntEnum):
    """Who goes first when a bucket is nearly empty: lower goes first."""

    PROTECT = 0
    ENTRY = 1
    QUERY = 2


_pressing: ContextVar[Priority] = ContextVar("pressing", default=Priority.QUERY)


@contextmanager
def pressing(priority: Priority) -> Iterator[None]:
    """What is asked in here goes at least as early as `priority`: an order waits for the answer."""
    token = _pressing.set(min(priority, _pressing.get()))
    try:
        yield
    finally:
        _pressing.reset(token)


def pressed(priority: Priority) -> Priority:
    """A call's own priority, or that of what waits for it."""
    return min(priority, _pressing.get())


def _always() -> bool:
    return True


_hurried: ContextVar[bool] = ContextVar("hurried", default=False)


@contextmanager
def hurried(*, when: bool = True) -> Iterator[None]:
    """A question that is asked in here does not wait for the limits: it is answered now, or refused."""
    token = _hurried.set(when or _hurried.get())
    try:
        yield
    finally:
        _hurried.reset(token)


def question_patience(seconds: float | None) -> float | None:
    """How long a question waits that would wait for `seconds`; None: as long as its priority says."""
    return 0.0 if _hurried.get() else seconds


_fresh: ContextVar[Callable[[], bool]] = ContextVar("fresh", default=_always)


@contextmanager
def leaving_only_while(fresh: Callable[[], bool]) -> Iterator[None]:
    """An entry that is sent in here is not sent any more when `fresh()` has become False: whatever came before it took
    too long."""
    token = _fresh.set(fresh)
    try:
        yield
    finally:
        _fresh.reset(token)


def refuse_late() -> None:
    """Raises TooLate. The last thing before an entry leaves."""
    if not _fresh.get()():
        raise TooLate("it was not sent in time; a late order is worse than none")


@dataclass(frozen=True, slots=True)
class Bucket:
    """`capacity` units of cost in any window of `window_seconds`, per `scope`."""

    capacity: int
    window_seconds: float
    scope: Scope = Scope.ADDRESS
    #: share of the capacity that only requests of a higher priority may use, in percent, per priority step
    reserve_percent: int = 10
    kind: Kind = Kind.SLIDING

    def allowed(self, priority: Priority) -> int:
        return self.capacity * (100 - self.reserve_percent * int(priority)) // 100


@dataclass(frozen=True, slots=True)
class Charge:
    """One request's cost in one bucket; a cost of 0 only asks whether the bucket is blocked. `owner` names whose
    bucket: an address or a digest of the key."""

    venue: str
    bucket: str
    limit: Bucket
    owner: str
    cost: int

    @property
    def account(self) -> str:
        """What the exchange counts together. Products of one exchange share a bucket by giving it one name and one limit;
        where only the name is the same, each has its own."""
        return f"{self.venue}:{self.bucket}:{self.limit.capacity}/{self.limit.window_seconds:g}"


@dataclass(frozen=True, slots=True)
class Passage:
    """An admitted request: what it was charged, and the address it has to leave from."""

    charges: tuple[Charge, ...]
    address: str = ""
    #: what the gate itself needs to find it again
    id: str = ""


class Gate(Protocol):
    def admit(
        self,
        charges: tuple[Charge, ...],
        priority: Priority,
        *,
        addresses: Sequence[str] = (),
        user: str = "",
        patience_seconds: float | None = None,
    ) -> Passage:
        """Take the cost out of every bucket, waiting a bounded time. Raises NotSent with `retry_after`
        when it would take longer: then nothing was charged and nothing may be sent.

        Charges by address name the first of `addresses`; the gate may choose another of them. `user` is whose
        request it is: where several wait for a bucket of an address, each gets a fair share."""

    def settle(self, passage: Passage, used: Mapping[str, int]) -> None:
        """The request was answered, or will not be. `used`: what the exchange said to be used of a bucket;
        its count replaces ours when it is higher."""

    def block(self, charge: Charge, seconds: float, protection_seconds: float | None = None) -> None:
        """The exchange refused for rate: nothing more from this bucket for so long; what protects a position for
        `protection_seconds`, where that is less."""

    def turn(self, owner: str) -> AbstractContextManager[None]:
        """One request at a time for this owner (exchanges whose nonce must rise). Raises NotSent when the turn
        does not come in a bounded time."""


def ways(charges: tuple[Charge, ...], addresses: Sequence[str]) -> list[tuple[Charge, ...]]:
    """The charges as they are from each address, the first one first."""
    if len(addresses) < 2:
        return [charges]
    return [
        tuple(replace(each, owner=address) if each.limit.scope is Scope.ADDRESS else each for each in charges)
        for address in addresses
    ]


def used_up(charges: Sequence[Charge], wait_seconds: float) -> NotSent:
    exchange = charges[0].venue.partition(":")[0]
    return NotSent(
        f"the request limit of {exchange} is used up for another {wait_seconds:.1f} s",
        code="RATE_LIMIT",
        retry_after=wait_seconds,
    )


def key_busy() -> NotSent:
    return NotSent(
        f"other requests of the same key took longer than {TURN_SECONDS:.0f} s",
        code="KEY_BUSY",
        retry_after=1.0,
    )


class LocalGate:
    """In one process's memory, without the exchange's clock: every kind counts as a sliding window."""

    def __init__(
        self,
        *,
        patience_seconds: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._patience = patience_seconds
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._spent: dict[tuple[str, str], deque[tuple[float, int]]] = defaultdict(deque)
        #: until when, for protection and for everything else
        self._blocked: dict[tuple[str, str], tuple[float, float]] = {}
        self._turns: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def admit(
        self,
        charges: tuple[Charge, ...],
        priority: Priority,
        *,
        addresses: Sequence[str] = (),
        user: str = "",
        patience_seconds: float | None = None,
    ) -> Passage:
        possible = ways(charges, addresses)
        deadline = self._clock() + (self._patience if patience_seconds is None else patience_seconds)
        while True:
            wait, number = self._try(possible, priority)
            if not wait:
                return Passage(possible[number], addresses[number] if addresses else "")
            if self._clock() + wait > deadline:
                raise used_up(charges, wait)
            self._sleep(wait)

    def _try(self, possible: list[tuple[Charge, ...]], priority: Priority) -> tuple[float, int]:
        """0 when admitted, else how long to wait before asking again; and by which way."""
        with self._lock:
            now = self._clock()
            waits = [max((self._wait(each, priority, now) for each in way), default=0.0) for way in possible]
            number = min(range(len(possible)), key=lambda way: (waits[way], self._fullness(possible[way])))
            if waits[number] == 0.0:
                for charge in possible[number]:
                    if charge.cost:
                        self._spent[_name(charge)].append((now, charge.cost))
            return waits[number], number

    def _fullness(self, way: tuple[Charge, ...]) -> float:
        return max(
            (sum(cost for _, cost in self._spent[_name(each)]) / each.limit.capacity for each in way),
            default=0.0,
        )

    def _wait(self, charge: Charge, priority: Priority, now: float) -> float:
        name, limit, wait = _name(charge), charge.limit, 0.0
        until = self._blocked.get(name, (0.0, 0.0))[priority is not Priority.PROTECT]
        if until > now:
            return until - now
        if not charge.cost:
            return 0.0
        spent = self._spent[name]
        while spent and spent[0][0] <= now - limit.window_seconds:
            spent.popleft()
        excess = sum(cost for _, cost in spent) + charge.cost - limit.allowed(priority)
        # a cost above its share waits for the last of the others, not for ever: then it goes through alone
        for when, cost in spent:
            if excess <= 0:
                break
            excess -= cost
            wait = max(when + limit.window_seconds - now, 0.001)
        return wait

    def settle(self, passage: Passage, used: Mapping[str, int]) -> None:
        for charge in passage.charges:
            if charge.bucket in used:
                self.observe(charge, used[charge.bucket])

    def observe(self, charge: Charge, used: int) -> None:
        with self._lock:
            spent = self._spent[_name(charge)]
            missing = used - sum(cost for _, cost in spent)
            if missing > 0:
                spent.append((self._clock(), missing))

    def block(self, charge: Charge, seconds: float, protection_seconds: float | None = None) -> None:
        sooner = seconds if protection_seconds is None else min(seconds, protection_seconds)
        with self._lock:
            name, now = _name(charge), self._clock()
            before = self._blocked.get(name, (0.0, 0.0))
            self._blocked[name] = max(before[0], now + sooner), max(before[1], now + seconds)

    @contextmanager
    def turn(self, owner: str) -> Iterator[None]:
        with self._lock:
            lock = self._turns[owner]
        if not lock.acquire(timeout=TURN_SECONDS):
            raise key_busy()
        try:
            yield
        finally:
            lock.release()


def _name(charge: Charge) -> tuple[str, str]:
    return charge.account, charge.owner


Costs = Mapping[str, int]
