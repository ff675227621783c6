"""PostgreSQL and Redis that can be broken and mended while the service runs on them: same address, same data."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flipr.embedded import LOCAL, Embedded
from flipr.keys import new_keys


class Breakable(Embedded):
    """Durable, unlike the tests' own: PostgreSQL commits to disk, Redis writes an append-only file."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def break_redis(self) -> None:
        """kill -9. What was answered is in the append-only file: it was written, though not yet synced."""
        self._kill("redis", signal.SIGKILL)

    def mend_redis(self) -> None:
        self._wait("redis", self._start_redis(), self._redis_answers)

    def break_postgres(self) -> None:
        """An immediate shutdown: no checkpoint, no goodbye, recovery at the next start. (A plain kill -9 of the
        postmaster leaves sessions that keep its shared memory, and the next start waits for them.)"""
        self._kill("postgres", signal.SIGQUIT)

    def mend_postgres(self) -> None:
        self._wait("postgres", self._start_postgres(), self._postgres_answers)

    def _start(self, name: str, *arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        process = super()._start(name, *arguments, **options)
        self._running[name] = process
        return process

    def _kill(self, name: str, number: signal.Signals) -> None:
        process = self._running[name]
        process.send_signal(number)
        process.wait(30)


@contextmanager
def breakable() -> Iterator[Breakable]:
    """Servers and keys of one run in our environment. Import nothing of Django's settings before."""
    directory = LOCAL / "chaos" / f"run-{os.getpid()}"
    embedded = Breakable(directory)
    addresses = embedded.open()
    os.environ |= new_keys() | {
        "DJANGO_SETTINGS_MODULE": "flipr.settings",
        "DATABASE_URL": addresses.database_url,
        "REDIS_URL": addresses.redis_url,
    }
    try:
        embedded.start()
        yield embedded
    finally:
        embedded.close()
        shutil.rmtree(directory, ignore_errors=True)
