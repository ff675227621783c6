"""The gate that all workers of a region share: limits counted in the region's Redis, one script per request.

Order of admission, per bucket: protection before entries before queries, by two means. A share of each bucket is
kept for higher priorities (`Bucket.reserve_percent`), and what a waiting request of higher priority wants is
counted as spent for the lower ones. Among equals, on buckets that users share (those of an address): while several
users wait, one that has had more than capacity / users stands behind the others; then who came first goes first.
Nobody is held back while nobody else waits.

Without Redis each worker counts for itself (`LocalGate`): an order that may run holds a claim already, and to refuse
cancels and stops would be worse than to be throttled. A flushed Redis forgets what was spent; the counts in the
answers, where an exchange sends them, and its refusals correct that.
"""

from __future__ import annotations

import itertools
import json
import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import redis

from exchanges.limits import (
    TURN_SECONDS,
    Charge,
    LocalGate,
    Passage,
    Priority,
    Scope,
    key_busy,
    used_up,
    ways,
)
from execution import mishap, tally
from execution.brokers import run_once

log = logging.getLogger(__name__)

#: how long a request waits when nobody says. A query is asked again, a stop must come even late
PATIENCE_SECONDS = {Priority.PROTECT: 10.0, Priority.ENTRY: 10.0, Priority.QUERY: 2.0}
#: who waits looks again this often: a block may end early, others may give up
POLL_SECONDS = 0.25
#: after Redis did not answer, it is left alone this long
HOLD_OFF_SECONDS = 1.0
#: a turn whose worker died ends by itself after the longest request
LEASE_MS = 30_000
TURN_POLL_SECONDS = 0.005


TAKEN, WAIT, REFUSED = range(3)


class RedisGate:
    """`clock_ms` replaces the clock of Redis in tests."""

    def __init__(
        self,
        server: redis.Redis,
        *,
        patience_seconds: Mapping[Priority, float] = PATIENCE_SECONDS,
        clock_ms: Callable[[], int] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._server = server
        self._patience = patience_seconds
        self._clock_ms = clock_ms or (lambda: 0)
        self._sleep = sleep
        self._admit, self._settle, self._block, self._release = (
            server.register_script(text) for text in (tally.ADMIT, tally.SETTLE, tally.BLOCK, tally.RELEASE)
        )
        self._alone = LocalGate()
        self._alone_until = 0.0
        self._prefix, self._numbers = secrets.token_hex(6), itertools.count()
        self._answered: queue.Queue[tuple[Passage, Mapping[str, int], int]] = queue.Queue()
        self._settler: threading.Thread | None = None
        self._starting = threading.Lock()

    # -- admission -------------------------------------------------------------------------------------

    def admit(
        self,
        charges: tuple[Charge, ...],
        priority: Priority,
        *,
        addresses: Sequence[str] = (),
        user: str = "",
        patience_seconds: float | None = None,
    ) -> Passage:
        if not charges:
            return Passage((), addresses[0] if addresses else "")
        patience = self._patience[priority] if patience_seconds is None else patience_seconds
        if not self._cut_off():
            try:
                return self._shared(charges, priority, addresses, user, patience)
            except redis.RedisError as error:
                self._hold_off(error)
        return self._alone.admit(charges, priority, addresses=addresses, user=user, patience_seconds=patience)

    def _shared(
        self,
        charges: tuple[Charge, ...],
        priority: Priority,
        addresses: Sequence[str],
        user: str,
        patience: float,
    ) -> Passage:
        possible = ways(charges, addresses)
        every = list(dict.fromkeys(charge for way in possible for charge in way))
        keys = [key for charge in every for key in _keys(charge)]
        ask: dict[str, Any] = {
            "id": f"{self._prefix}{next(self._numbers)}",
            "user": user,
            "priority": int(priority),
            "patience": int(patience * 1000),
            "arrived": 0,
            "buckets": [_bucket(charge) | {"allowed": charge.limit.allowed(priority)} for charge in every],
            "ways": [[every.index(charge) + 1 for charge in way] for way in possible],
        }
        while True:
            asked = json.dumps(ask | {"now": self._clock_ms()})
            verdict, wait_ms, way, now = self._asked(keys, asked)
            if verdict == TAKEN:
                address = addresses[way - 1] if addresses else ""
                return Passage(possible[way - 1], address, f"{ask['id']} {user} {now}")
            if verdict == REFUSED:
                raise used_up(charges, wait_ms / 1000)
            ask["arrived"] = ask["arrived"] or now
            self._sleep(min(wait_ms / 1000, POLL_SECONDS))

    def _asked(self, keys: list[str], asked: str) -> Any:
        """Every order waits for this: the shortest way first. What is asked again counts once, in a leaky bucket at
        worst twice."""
        try:
            return run_once(self._server, tally.ADMIT, keys, [asked])
        except redis.ConnectionError:
            return self._admit(keys=keys, args=[asked])

    # -- after the answer ------------------------------------------------------------------------------

    def settle(self, passage: Passage, used: Mapping[str, int]) -> None:
        """Written by a thread of its own: nobody waits for it."""
        if not passage.id:
            self._alone.settle(passage, used)
            return
        self._answered.put((passage, used, self._clock_ms()))
        if self._settler is None:
            self._start()

    def flush(self) -> None:
        """Wait until everything that was answered is written."""
        self._answered.join()

    def _start(self) -> None:
        with self._starting:
            if self._settler is None:
                self._settler = threading.Thread(target=self._write, daemon=True, name="limits")
                self._settler.start()

    def _write(self) -> None:
        while True:
            passage, used, now = self._answered.get()
            with mishap.caught("counting an answer"):  # without this thread none would be
                try:
                    keys, ask = _settlement(passage, used, now)
                    self._settle(keys=keys, args=[ask])
                except redis.RedisError as error:
                    self._hold_off(error)  # what was in flight leaves the count by itself
            self._answered.task_done()

    def block(self, charge: Charge, seconds: float, protection_seconds: float | None = None) -> None:
        """At once, for all workers; and for this one should Redis be gone."""
        sooner = seconds if protection_seconds is None else min(seconds, protection_seconds)
        self._alone.block(charge, seconds, sooner)
        ask = {
            "now": self._clock_ms(),
            "ms": int(seconds * 1000),
            "sooner": int(sooner * 1000),
            "buckets": [_bucket(charge)],
        }
        try:
            self._block(keys=_keys(charge), args=[json.dumps(ask)])
        except redis.RedisError as error:
            self._hold_off(error)

    # -- turns -----------------------------------------------------------------------------------------

    @contextmanager
    def turn(self, owner: str) -> Iterator[None]:
        """Threads of this process wait among themselves first, so that one of them at most asks Redis."""
        with self._alone.turn(owner):
            name, token = f"limit:turn:{owner}", secrets.token_hex(8)
            self._lease(name, token)
            try:
                yield
            finally:
                self._end(name, token)

    def _lease(self, name: str, token: str) -> None:
        deadline = time.monotonic() + TURN_SECONDS
        while not self._cut_off():
            try:
                if self._server.set(name, token, nx=True, px=LEASE_MS):
                    return
            except redis.RedisError as error:
                self._hold_off(error)
                return
            if time.monotonic() > deadline:
                raise key_busy()
            time.sleep(TURN_POLL_SECONDS)

    def _end(self, name: str, token: str) -> None:
        try:
            if not self._cut_off():
                self._release(keys=[name], args=[token])
        except redis.RedisError as error:
            self._hold_off(error)  # the lease ends by itself

    # -- without Redis ---------------------------------------------------------------------------------

    def _cut_off(self) -> bool:
        return time.monotonic() < self._alone_until

    def _hold_off(self, error: redis.RedisError) -> None:
        if not self._cut_off():
            log.warning("limits are counted by this worker alone, Redis fails: %s", type(error).__name__)
        self._alone_until = time.monotonic() + HOLD_OFF_SECONDS


def _keys(charge: Charge) -> list[str]:
    name = f"limit:{charge.account}:{charge.owner}"
    return [name, f"{name}:log", f"{name}:queue"]


def _bucket(charge: Charge) -> dict[str, Any]:
    limit = charge.limit
    return {
        "kind": limit.kind,
        "capacity": limit.capacity,
        "window": int(limit.window_seconds * 1000),
        "cost": charge.cost,
        "shared": limit.scope is Scope.ADDRESS,
    }


def _settlement(passage: Passage, used: Mapping[str, int], now: int) -> tuple[list[str], str]:
    name, user, admitted = passage.id.split(" ")
    ask = {
        "now": now,
        "id": name,
        "user": user,
        "admitted": int(admitted),
        "buckets": [_bucket(charge) | {"seen": used.get(charge.bucket, -1)} for charge in passage.charges],
    }
    return [key for charge in passage.charges for key in _keys(charge)], json.dumps(ask)
