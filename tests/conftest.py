"""The whole suite runs on real PostgreSQL and Redis; see tests/services.py."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import django
import pytest
import redis
from django.conf import settings

from tests.services import services

# A runner in the background (nohup, a shell's `&`) ignores these, and every process that a test starts would too.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

services.configure()
django.setup()
settings.PASSWORD_HASHERS = [
    "tests.passwords.OneRound"
]  # the real one takes a quarter of a second, on purpose

# Tests that touch no server: when nothing else is selected, none is started.
PURE = ("exchanges/", "webhooks/test_syntax")


def pytest_collection_finish(session: pytest.Session) -> None:
    here = Path(__file__).parent
    pure = all(item.path.relative_to(here).as_posix().startswith(PURE) for item in session.items)
    if not pure and not session.config.option.collectonly:
        services.start()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    services.hand_over()


def pytest_unconfigure() -> None:
    logging.raiseExceptions = False  # heartbeats miss Redis, and the stream to say so is closed
    services.close()


@pytest.fixture
def redis_server() -> str:
    """The URL of this session's Redis, emptied."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    return settings.REDIS_URL


@pytest.fixture
def blackhole() -> Iterator[str]:
    """The URL of a Redis that does not even refuse: whoever connects waits until he gives up. (The queue of a socket that
    nobody accepts from is full after the first.)"""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, ExitStack() as held:
        address = deaf.getsockname()
        for _ in range(2):
            caller = held.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(address)
        yield f"redis://127.0.0.1:{address[1]}/0"


@pytest.fixture(scope="session")
def stack(django_db_blocker: Any) -> Iterator[Any]:
    """The service as running processes; see tests/stack.py, and tests/flows/conftest.py for its use."""
    from tests.stack import Stack

    stack = Stack()
    try:
        with django_db_blocker.unblock():
            stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """A failed test of the running service shows what each process said last."""
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and stack is not None:
        for name in stack.processes.names():
            report.sections.append((f"log of {name}", stack.log(name)[-4000:]))
    return report
