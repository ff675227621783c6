"""The service the benchmark measures: processes of the Procfile on servers that keep what they are told.

Import nothing of Django before `ground()` has set the environment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.stack import Stack

#: all accounts of a run trade from one address: supervised every second, they would use up what the exchanges
#: allow one address, and the benchmark would measure our own waiting for it
SUPERVISE_SECONDS = 15
COMPARE_SECONDS = 3600


@contextmanager
def ground() -> Iterator[None]:
    """Environment, PostgreSQL and Redis of one run, below `.local/bench`. Durable, unlike the tests' own: a
    delivery that is answered has reached the disk."""
    from flipr.embedded import LOCAL, Embedded
    from flipr.keys import new_keys

    directory = LOCAL / "bench" / f"run-{os.getpid()}"
    embedded = Embedded(directory)
    addresses = embedded.open()
    os.environ |= new_keys() | {
        "DJANGO_SETTINGS_MODULE": "flipr.settings",
        "DATABASE_URL": addresses.database_url,
        "REDIS_URL": addresses.redis_url,
    }
    try:
        embedded.start()
        import django

        django.setup()
        yield
    finally:
        embedded.close()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def service() -> Iterator[Stack]:
    """Everything of the Procfile, running and answering; the ORM of this process sees its database."""
    from tests.stack import Stack

    stack = Stack()
    stack.environment["SUPERVISE_SECONDS"] = str(SUPERVISE_SECONDS)
    stack.environment["COMPARE_SECONDS"] = str(COMPARE_SECONDS)
    try:
        stack.start()
        with stack.reached():
            yield stack
    finally:
        stack.stop()
