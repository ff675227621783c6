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
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NoReturn, Self

import redis
from django.conf import settings

from execution import mishap
from execution.brokers import region_redis

log = logging.getLogger(__name__)
KEEP_SECONDS = 600
#: a Redis that was away is asked again soon, and then less often
RECONNECT_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)
SILENCE_SECONDS = 15.0
#: how long the first message for a region waits until its answers can be heard
READY_SECONDS = 0.7


class Waiter:
    """The outcomes of some jobs, by id with the region of each, awaited by one request."""

    def __init__(self, board: Board, jobs: Mapping[str, str], loop: asyncio.AbstractEventLoop) -> None:
        self._board = board
        self._jobs = dict(jobs)
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


class Ear:
    """Whether one Redis is listened to. For a moment after the beginning, and after an interruption, that is waited
    for; then nobody waits: publishing will tell, and messages for other regions are behind."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._hears = threading.Event()

    def wait(self) -> None:
        self._hears.wait(max(self._since + READY_SECONDS - self._clock(), 0))

    def listening(self) -> None:
        self._hears.set()

    def interrupted(self) -> bool:
        """Whether it was well until now."""
        was_well = self._hears.is_set()
        if was_well:
            self._since = self._clock()
            self._hears.clear()
        return was_well


class Board:
    """Routes outcomes to waiters; `channel` is this process's own."""

    def __init__(self) -> None:
        self.channel = f"replies:{secrets.token_hex(8)}"
        self.leaving = False
        self._waiters: dict[str, Waiter] = {}
        self._lock = threading.Lock()
        #: by URL: regions may share a Redis
        self._ears: dict[str, Ear] = {}

    def add(self, waiter: Waiter, jobs: Mapping[str, str]) -> None:
        """Route what the regions of these jobs say."""
        self.listen()
        for region in dict.fromkeys(jobs.values()):
            self._ear(region).wait()
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

    def listen(self) -> None:
        """To every region, from now on."""
        for region in settings.BROKER_URLS:
            self._ear(region)

    def _ear(self, region: str) -> Ear:
        url = settings.BROKER_URLS[region]
        with self._lock:
            if (ear := self._ears.get(url)) is None:
                ear = self._ears[url] = Ear()
                server = region_redis(region)
                threading.Thread(
                    target=self._run, args=(region, server, ear), daemon=True, name="replies"
                ).start()
            return ear

    def _run(self, region: str, server: redis.Redis, ear: Ear) -> None:
        """Whatever goes wrong: without this thread every caller would wait in vain."""
        pauses = iter(RECONNECT_SECONDS)
        while True:
            why = "an error of flipr's own"
            with mishap.caught(f"listening to the replies of {region}"):
                why = self._hear_until(server, ear)
            if ear.interrupted():
                pauses = iter(RECONNECT_SECONDS)
            pause = next(pauses, RECONNECT_SECONDS[-1])
            log.warning("replies of %s interrupted, again in %s s: %s", region, pause, why)
            time.sleep(pause)

    def _hear_until(self, server: redis.Redis, ear: Ear) -> str:
        """What ended it."""
        try:
            self._hear(server, ear)
        except redis.RedisError as error:
            return type(error).__name__

    def _hear(self, server: redis.Redis, ear: Ear) -> NoReturn:
        """Route what is published until the connection breaks. Silence is no reason to leave: whatever is
        published while nobody listens is lost."""
        with server.pubsub() as pubsub:  # type: ignore[no-untyped-call]
            pubsub.subscribe(self.channel)
            while True:
                message = pubsub.get_message(timeout=SILENCE_SECONDS)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    ear.listening()
                elif message["type"] == "message":
                    with mishap.caught("routing an outcome"):  # the next one is another caller's
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


def expect(jobs: Mapping[str, str], loop: asyncio.AbstractEventLoop | None = None) -> Waiter:
    """Use as a context manager around publishing: `with expect(jobs) as waiter: publish(); await waiter.wait(2.5)`.
    `jobs`: the region of each, by id; `loop`: where it is awaited, when that is not the running one."""
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
