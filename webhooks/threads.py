"""The threads that take webhooks in: a fixed number, each keeping its database connection.

Django's own threads ask the database whether a connection still works before every request; here the first query
of a request tells (`accept`), and the round trip is saved.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from typing import Any, ParamSpec, TypeVar

from django.db import connection, connections

from execution import mishap

THREADS = 8

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="intake")


@cache
def _aside_pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="aside")


async def run(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking work on one of the threads."""
    return await asyncio.wrap_future(submit(work, *args, **kwargs))


def submit(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
    """The same without waiting."""
    return _pool().submit(partial(_settled, partial(work, *args, **kwargs)))


def aside(work: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> None:
    """Run work nobody waits for, behind the backs of those who do: in a thread of its own, one piece after another.
    A failure is logged, because nobody would see it."""
    running = _aside_pool().submit(partial(_settled, partial(work, *args, **kwargs)))
    running.add_done_callback(_report)


def _settled(work: Callable[[], T]) -> T:
    # After an error the connection may be broken; only then is it worth asking.
    if connection.errors_occurred:
        connection.close_if_unusable_or_obsolete()
    return work()


def _report(done: Future[Any]) -> None:
    if not done.cancelled() and (error := done.exception()):
        log.error("work beside a webhook failed: %s", mishap.told(error))


def drain() -> None:
    """Wait until everything submitted so far has run, and close the threads' database connections."""
    for pool, size in ((_pool(), THREADS), (_aside_pool(), 1)):
        everyone = threading.Barrier(size)
        for done in [pool.submit(_hang_up, everyone) for _ in range(size)]:
            done.result()


def _hang_up(everyone: threading.Barrier) -> None:
    everyone.wait()  # one piece of work for each thread
    connections.close_all()
