"""How a caller learns what a worker did: the worker publishes, the waiting web process wakes.

One listener thread per process and Redis; a waiter registers before its jobs are published, so that no answer
is missed. The same outcome is kept in Redis for some minutes, for those who ask before PostgreSQL knows, and for
reconciliation, when the worker died before it wrote history.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import threading
import time
from collections.abc import Iterable
from functools import cache
from typing import Any, Self

import redis
from django.conf import settings

from execution.brokers import region_redis

log = logging.getLogger(__name__)
KEEP_SECONDS = 600
#: a Redis that was away is asked again soon, and then less often
RECONNECT_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)
SILENCE_SECONDS = 15.0


class Waiter:
    """The outcomes of some jobs, awaited by one request."""

    def __init__(self, board: Board, jobs: Iterable[str], loop: asyncio.AbstractEventLoop) -> None:
        self._board = board
        self._jobs = tuple(jobs)
        self._missing = set(self._jobs)
        self._loop = loop
        self._done = asyncio.Event()
        self.outcomes: dict[str, dict[str, Any]] = {}

    async def wait(self, seconds: float) -> dict[str, dict[str, Any]]:
        """The outcomes that arrived within `seconds`, by job id; fewer when this process is ending."""
        if self._missing and not self._board.leaving:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), seconds)
        return self.outcomes

    def deliver(self, job: str, outcome: dict[str, Any]) -> None:
        """Called by the listener thread."""
        self._loop.call_soon_threadsafe(self._deliver, job, outcome)

    def let_go(self) -> None:
        """Called by another thread: do not wait for the rest."""
        with contextlib.suppress(RuntimeError):  # its loop has ended, and nobody waits there
            self._loop.call_soon_threadsafe(self._done.set)

    def _deliver(self, job: str, outcome: dict[str, Any]) -> None:
        self.outcomes[job] = outcome
        self._missing.discard(job)
        if not self._missing:
            self._done.set()

    def begin(self) -> None:
        """Listen from now on. In any thread, before the jobs are published."""
        self._board.add(self, self._jobs)

    def end(self) -> None:
        self._board.remove(self, self._jobs)

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


class Board:
    """Routes outcomes to waiters; `channel` is this process's own."""

    def __init__(self) -> None:
        self.channel = f"replies:{secrets.token_hex(8)}"
        self.leaving = False
        self._waiters: dict[str, Waiter] = {}
        self._lock = threading.Lock()
        self._listening: list[threading.Event] = []

    def add(self, waiter: Waiter, jobs: Iterable[str]) -> None:
        self._listen()
        with self._lock:
            self._waiters.update(dict.fromkeys(jobs, waiter))

    def remove(self, waiter: Waiter, jobs: Iterable[str]) -> None:
        with self._lock:
            for job in jobs:
                if self._waiters.get(job) is waiter:
                    del self._waiters[job]

    def leave(self) -> None:
        """This process is ending: nobody waits any more, now or later. The results stay to be asked for."""
        self.leaving = True
        with self._lock:
            waiting = set(self._waiters.values())
        for waiter in waiting:
            waiter.let_go()

    def _listen(self) -> None:
        with self._lock:
            if not self._listening:
                for url in dict.fromkeys(settings.BROKER_URLS.values()):
                    region = next(name for name, each in settings.BROKER_URLS.items() if each == url)
                    ready = threading.Event()
                    threading.Thread(
                        target=self._run, args=(region, ready), daemon=True, name="replies"
                    ).start()
                    self._listening.append(ready)
        for ready in self._listening:
            ready.wait(1.0)  # a Redis that is down is noticed when publishing

    def _run(self, region: str, ready: threading.Event) -> None:
        pauses = iter(RECONNECT_SECONDS)
        while True:
            try:
                self._hear(region, ready)
            except redis.RedisError as error:
                if ready.is_set():  # it was well until now
                    pauses = iter(RECONNECT_SECONDS)
                    ready.clear()
                pause = next(pauses, RECONNECT_SECONDS[-1])
                log.warning(
                    "replies of %s interrupted, again in %s s: %s", region, pause, type(error).__name__
                )
                time.sleep(pause)

    def _hear(self, region: str, ready: threading.Event) -> None:
        """Route what is published until the connection breaks. Silence is no reason to leave: whatever is
        published while nobody listens is lost."""
        with region_redis(region).pubsub() as pubsub:  # type: ignore[no-untyped-call]
            pubsub.subscribe(self.channel)
            while True:
                message = pubsub.get_message(timeout=SILENCE_SECONDS)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    ready.set()
                elif message["type"] == "message":
                    self._route(message["data"])

    def _route(self, data: str) -> None:
        outcome = json.loads(data)
        with self._lock:
            waiter = self._waiters.pop(outcome["job"], None)
        if waiter:
            waiter.deliver(outcome["job"], outcome)


@cache
def board() -> Board:
    return Board()


def expect(jobs: Iterable[str], loop: asyncio.AbstractEventLoop | None = None) -> Waiter:
    """Use as a context manager around publishing: `with expect(ids) as waiter: publish(); await waiter.wait(2.5)`.
    `loop`: where it is awaited, when that is not the running one."""
    return Waiter(board(), jobs, loop or asyncio.get_running_loop())


def announce(region: str, reply_to: str, outcome: dict[str, Any]) -> None:
    """Worker side: wake the waiter and keep the outcome for those who ask a moment later."""
    data = json.dumps(outcome)
    pipe = region_redis(region).pipeline(transaction=False)
    pipe.set(f"outcome:{outcome['job']}", data, ex=KEEP_SECONDS)
    if reply_to:
        pipe.publish(reply_to, data)
    pipe.execute()


def recent(region: str, job: str) -> dict[str, Any] | None:
    """An outcome of the last minutes that PostgreSQL may not show yet."""
    try:
        data = region_redis(region).get(f"outcome:{job}")
    except redis.RedisError:
        return None
    return json.loads(str(data)) if data else None
