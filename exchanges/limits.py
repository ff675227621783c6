"""Rate limits as data, and the gate every request passes before it is signed.

A venue declares the buckets its exchange meters and what each call costs; a `Gate` enforces them. The gate of
a lone process is here; workers of one region share one through Redis (`execution.limiter`).
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol

from exchanges.errors import NotSent


class Scope(StrEnum):
    """What the exchange meters: the address a request comes from, or the key (user) that signs it."""

    ADDRESS = "address"
    KEY = "key"


class Priority(IntEnum):
    """Who goes first when a bucket is nearly empty: lower goes first."""

    PROTECT = 0
    ENTRY = 1
    QUERY = 2


@dataclass(frozen=True, slots=True)
class Bucket:
    """`capacity` units of cost in any window of `window_seconds`, per `scope`."""

    capacity: int
    window_seconds: float
    scope: Scope = Scope.ADDRESS
    #: share of the capacity that only requests of a higher priority may use, in percent, per priority step
    reserve_percent: int = 10


@dataclass(frozen=True, slots=True)
class Charge:
    """One request's cost in one bucket. `owner` names whose bucket: an address or a digest of the key."""

    venue: str
    bucket: str
    limit: Bucket
    owner: str
    cost: int


class Gate(Protocol):
    def admit(self, charges: tuple[Charge, ...], priority: Priority) -> None:
        """Take the cost out of every bucket, waiting a bounded time. Raises NotSent with `retry_after`
        when it would take longer: then nothing was charged and nothing may be sent."""

    def observe(self, charge: Charge, used: int) -> None:
        """The exchange said how much of a bucket is used: its count replaces ours when it is higher."""

    def block(self, charge: Charge, seconds: float) -> None:
        """The exchange refused for rate: nothing more from this bucket for so long."""

    def turn(self, owner: str) -> AbstractContextManager[None]:
        """One request at a time for this owner (exchanges whose nonce must rise)."""


class LocalGate:
    """Sliding windows in one process's memory."""

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
        self._spent: dict[tuple[str, str, str], deque[tuple[float, int]]] = defaultdict(deque)
        self._blocked: dict[tuple[str, str, str], float] = {}
        self._turns: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def admit(self, charges: tuple[Charge, ...], priority: Priority) -> None:
        deadline = self._clock() + self._patience
        while wait := self._try(charges, priority):
            if self._clock() + wait > deadline:
                raise NotSent(
                    f"the request limit of {charges[0].venue} is used up for {wait:.1f} s",
                    code="RATE_LIMIT",
                    retry_after=wait,
                )
            self._sleep(wait)

    def _try(self, charges: tuple[Charge, ...], priority: Priority) -> float:
        """0 when admitted, else how long to wait before asking again."""
        with self._lock:
            now = self._clock()
            wait = max((self._wait(charge, priority, now) for charge in charges), default=0.0)
            if wait == 0.0:
                for charge in charges:
                    self._spent[_name(charge)].append((now, charge.cost))
            return wait

    def _wait(self, charge: Charge, priority: Priority, now: float) -> float:
        name, limit, wait = _name(charge), charge.limit, 0.0
        if (until := self._blocked.get(name, 0.0)) > now:
            return until - now
        spent = self._spent[name]
        while spent and spent[0][0] <= now - limit.window_seconds:
            spent.popleft()
        allowed = limit.capacity * (100 - limit.reserve_percent * int(priority)) // 100
        excess = sum(cost for _, cost in spent) + charge.cost - allowed
        # a cost above its share waits for the last of the others, not for ever: then it goes through alone
        for when, cost in spent:
            if excess <= 0:
                break
            excess -= cost
            wait = max(when + limit.window_seconds - now, 0.001)
        return wait

    def observe(self, charge: Charge, used: int) -> None:
        with self._lock:
            spent = self._spent[_name(charge)]
            missing = used - sum(cost for _, cost in spent)
            if missing > 0:
                spent.append((self._clock(), missing))

    def block(self, charge: Charge, seconds: float) -> None:
        with self._lock:
            name = _name(charge)
            self._blocked[name] = max(self._blocked.get(name, 0.0), self._clock() + seconds)

    @contextmanager
    def turn(self, owner: str) -> Iterator[None]:
        with self._lock:
            lock = self._turns[owner]
        with lock:
            yield


def _name(charge: Charge) -> tuple[str, str, str]:
    return charge.venue, charge.bucket, charge.owner


Costs = Mapping[str, int]
