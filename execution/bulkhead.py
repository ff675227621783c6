"""Bounds how many threads of a worker one exchange may hold, all its products and all kinds of work together, so that a
slow one leaves room for the others.

Orders beyond an exchange's share wait in memory for a thread that is at work for the same exchange. While they wait they
are neither claimed nor sent: a worker that dies leaves them to reconciliation like any job that was not taken.
Periodic work beyond its share is left out; its next round comes by itself.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.db import close_old_connections

from exchanges.registry import venue_class
from execution import mishap

log = logging.getLogger(__name__)
#: of a worker's threads, how many one exchange may hold: for orders and looks, and of these for looks
SHARE = 0.375
LOOK_SHARE = 0.25
#: the same for checks of keys: half of the threads in all
CHECK_SHARE = 0.125
#: so many are left by orders and looks to exchanges that hold fewer than two: several slow ones leave room, too
SPARE_SHARE = 0.375
FEW = 2
#: checks of keys that may wait in one worker
CHECKS_WAITING = 200
#: orders of one exchange that may wait in one worker; beyond that they are turned away, before anything is sent
WAITING = 2_000

Work = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Job:
    """`ticket` orders the jobs of a lane: a job that came out of turn is waited for by the others."""

    lane: str
    ticket: int
    work: Work


@dataclass(slots=True)
class _Exchange:
    running: dict[str, int] = field(default_factory=dict)
    """The lanes at work, with the ticket of the job that was started last."""
    at_work: int = 0
    """Threads, of which so many are looking:"""
    looking: int = 0
    waiting: list[Job] = field(default_factory=list)


class Bulkhead:
    """Runs jobs in the threads that bring them, at most `at_once` of an exchange, and one of a lane: a lane's jobs run
    one after another anyway, and need not hold a thread each. `looking`: how many of them may do something else than
    jobs; `in_all`: beyond so many threads of all exchanges, each gets a few only."""

    def __init__(
        self, at_once: int, waiting: int = WAITING, *, looking: int = 1, in_all: float = math.inf
    ) -> None:
        self._at_once = at_once
        self._most_waiting = waiting
        self._most_looking = looking
        self._in_all = in_all
        self._lock = threading.Lock()
        self._exchanges: dict[str, _Exchange] = {}

    def submit(self, exchange: str, job: Job) -> bool:
        """Run it now, then whatever waits for this thread; or leave it waiting for another. False when too
        many wait: then it was not taken."""
        with self._lock:
            held = self._exchanges.setdefault(exchange, _Exchange())
            if not self._may_start(held, job):
                if len(held.waiting) >= self._most_waiting:
                    return False
                held.waiting.append(job)
                return True
            self._start(held, job)
        self._run(held, job)
        return True

    @contextmanager
    def looking(self, exchange: str) -> Iterator[bool]:
        """Whether this thread may look at something there: orders do not wait for those that do, but follow them."""
        with self._lock:
            held = self._exchanges.setdefault(exchange, _Exchange())
            free = held.looking < self._most_looking and self._has_room(held)
            held.looking += free
            held.at_work += free
        try:
            yield free
        finally:
            if free:
                with self._lock:
                    held.looking -= 1
                    following = self._next(held)
                self._run(held, following)

    def waiting(self, exchange: str) -> int:
        with self._lock:
            held = self._exchanges.get(exchange)
            return len(held.waiting) if held else 0

    def _has_room(self, held: _Exchange) -> bool:
        if held.at_work < FEW:
            return held.at_work < self._at_once
        busy = sum(each.at_work for each in self._exchanges.values())
        return held.at_work < self._at_once and busy < self._in_all

    def _may_start(self, held: _Exchange, job: Job) -> bool:
        running = held.running.get(job.lane)
        if running is not None:
            return job.ticket < running  # the one that runs waits for this one: it must not wait in turn
        return self._has_room(held)

    def _start(self, held: _Exchange, job: Job) -> None:
        held.at_work += 1
        held.running[job.lane] = min(job.ticket, held.running.get(job.lane, job.ticket))

    def _run(self, held: _Exchange, job: Job | None) -> None:
        while job is not None:
            with mishap.caught(f"a job of {job.lane}"):
                job.work()
            with self._lock:
                held.running.pop(job.lane, None)
                job = self._next(held)
            if job is not None:
                close_old_connections()  # as Celery does between tasks

    def _next(self, held: _Exchange) -> Job | None:
        """This thread is done with something: the first that waits and whose lane is free is what it goes on with."""
        held.at_work -= 1
        ready = [each for each in held.waiting if each.lane not in held.running]
        if not ready or not self._has_room(held):
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
    """Run an order's message in its exchange's share of the worker."""
    job = Job(message["lane"], message["ticket"], partial(run, message))
    if not exchanges().submit(exchange_of(message["venue"]), job):
        turn_away(message)


def check(exchange: str, account: str, work: Work) -> None:
    """Run a check of a key in this exchange's share of the worker, one of an account at a time. With too many waiting
    it is dropped: its page offers to ask again."""
    if not checks().submit(exchange, Job(account, 0, work)):
        log.warning("the check of account %s is dropped: too many wait", account)


@cache
def checks() -> Bulkhead:
    return Bulkhead(_share(CHECK_SHARE), CHECKS_WAITING)


def exchange_of(venue: str) -> str:
    """What shares its threads: the venues that a key opens. They hang together."""
    return venue_class(venue).key_family


@contextmanager
def look(venue: str) -> Iterator[bool]:
    """Whether a thread is free to look at an account there."""
    with exchanges().looking(exchange_of(venue)) as free:
        yield free


@contextmanager
def comparison(venue: str) -> Iterator[bool]:
    """The same for an account that has no bracket: they leave threads to those that have."""
    with comparisons().taken(exchange_of(venue)) as free:
        if not free:
            yield False
            return
        with look(venue) as free_to_look:
            yield free_to_look


@cache
def exchanges() -> Bulkhead:
    threads = settings.WORKER_THREADS
    spare = int(threads * SPARE_SHARE)
    return Bulkhead(_share(SHARE), looking=_share(LOOK_SHARE), in_all=threads - spare)


@cache
def comparisons() -> Slots:
    return Slots(2)


@cache
def rounds() -> Slots:
    """Work that walks over many: a round that takes long must not meet itself often."""
    return Slots(2)


def _share(share: float) -> int:
    return max(1, int(settings.WORKER_THREADS * share))
