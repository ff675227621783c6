"""Bounds how many threads of a worker one exchange may hold, so that a slow one leaves room for the others.

Orders beyond a venue's share wait in memory for a thread that is at work for the same venue. While they wait they
are neither claimed nor sent: a worker that dies leaves them to reconciliation like any job that was not taken.
Periodic work beyond its share is left out; its next round comes by itself.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.db import close_old_connections

log = logging.getLogger(__name__)
#: of a worker's threads, how many one venue may hold: for orders, and for looks at brackets
ORDER_SHARE = 0.5
LOOK_SHARE = 0.25
#: the same of one exchange, for checks of keys
CHECK_SHARE = 0.125
#: checks of keys that may wait in one worker
CHECKS_WAITING = 200
#: orders of one venue that may wait in one worker; beyond that they are turned away, before anything is sent
WAITING = 2_000

Work = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Job:
    """`ticket` orders the jobs of a lane: a job that came out of turn is waited for by the others."""

    lane: str
    ticket: int
    work: Work


@dataclass(slots=True)
class _Venue:
    running: dict[str, int] = field(default_factory=dict)
    """The lanes at work, with the ticket of the job that was started last."""
    at_work: int = 0
    waiting: list[Job] = field(default_factory=list)


class Bulkhead:
    """Runs jobs in the threads that bring them, at most `at_once` of a venue, and one of a lane: a lane's jobs run
    one after another anyway, and need not hold a thread each."""

    def __init__(self, at_once: int, waiting: int = WAITING) -> None:
        self._at_once = at_once
        self._most_waiting = waiting
        self._lock = threading.Lock()
        self._venues: dict[str, _Venue] = {}

    def submit(self, venue: str, job: Job) -> bool:
        """Run it now, then whatever waits for this thread; or leave it waiting for another. False when too
        many wait: then it was not taken."""
        with self._lock:
            held = self._venues.setdefault(venue, _Venue())
            if not self._may_start(held, job):
                if len(held.waiting) >= self._most_waiting:
                    return False
                held.waiting.append(job)
                return True
            self._start(held, job)
        self._run(held, job)
        return True

    def waiting(self, venue: str) -> int:
        with self._lock:
            held = self._venues.get(venue)
            return len(held.waiting) if held else 0

    def _may_start(self, held: _Venue, job: Job) -> bool:
        running = held.running.get(job.lane)
        if running is not None:
            return job.ticket < running  # the one that runs waits for this one: it must not wait in turn
        return held.at_work < self._at_once

    def _start(self, held: _Venue, job: Job) -> None:
        held.at_work += 1
        held.running[job.lane] = min(job.ticket, held.running.get(job.lane, job.ticket))

    def _run(self, held: _Venue, job: Job) -> None:
        following: Job | None = job
        while following is not None:
            try:
                following.work()
            except Exception:
                log.exception("a job of %s failed", following.lane)
            with self._lock:
                following = self._next(held, following)
            if following is not None:
                close_old_connections()  # as Celery does between tasks

    def _next(self, held: _Venue, done: Job) -> Job | None:
        """The first that waits and whose lane is free; the thread goes on with it."""
        held.at_work -= 1
        held.running.pop(done.lane, None)
        ready = [each for each in held.waiting if each.lane not in held.running]
        if not ready or held.at_work >= self._at_once:
            return None
        lane = ready[0].lane
        chosen = min((each for each in ready if each.lane == lane), key=lambda each: each.ticket)
        held.waiting.remove(chosen)
        self._start(held, chosen)
        return chosen


class Slots:
    """So many at once of each kind of work; no waiting."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, name: str) -> Iterator[bool]:
        """Whether there was one free; it is held inside the block."""
        with self._lock:
            free = self._taken[name] < self._at_once
            self._taken[name] += free
        try:
            yield free
        finally:
            with self._lock:
                self._taken[name] -= free


def take(
    message: dict[str, Any],
    run: Callable[[dict[str, Any]], None],
    turn_away: Callable[[dict[str, Any]], None],
) -> None:
    """Run an order's message in this venue's share of the worker."""
    venue = f"{message['venue']}:{message['environment']}"
    job = Job(message["lane"], message["ticket"], partial(run, message))
    if not orders().submit(venue, job):
        turn_away(message)


def check(exchange: str, account: str, work: Work) -> None:
    """Run a check of a key in this exchange's share of the worker, one of an account at a time. With too many waiting
    it is dropped: its page offers to ask again."""
    if not checks().submit(exchange, Job(account, 0, work)):
        log.warning("the check of account %s is dropped: too many wait", account)


@cache
def checks() -> Bulkhead:
    return Bulkhead(_share(CHECK_SHARE), CHECKS_WAITING)


@cache
def orders() -> Bulkhead:
    return Bulkhead(_share(ORDER_SHARE))


@cache
def looks() -> Slots:
    return Slots(_share(LOOK_SHARE))


@cache
def comparisons() -> Slots:
    """Looks at accounts that have no bracket: they leave the threads to those that have."""
    return Slots(2)


@cache
def rescues() -> Slots:
    """Questions about orders whose outcome is unknown."""
    return Slots(_share(LOOK_SHARE))


@cache
def rounds() -> Slots:
    """Work that walks over many: a round that takes long must not meet itself often."""
    return Slots(2)


@cache
def prices() -> Slots:
    return Slots(1)


def _share(share: float) -> int:
    return max(1, int(settings.WORKER_THREADS * share))
