"""PostgreSQL, Redis and keys of one test session, in place before the settings are read.

Servers of the developer's own (DATABASE_URL, REDIS_URL) are used where they are set. The others are embedded:
addresses are fixed at once, the servers start when the first test needs them, and each session has a
directory of its own, so that sessions side by side do not meet."""

from __future__ import annotations

import os
import shutil

import pytest
from django.conf import settings

from flipr.embedded import LOCAL, Embedded
from flipr.keys import new_keys

ROOT = LOCAL / "test"


class Services:
    def __init__(self) -> None:
        self._embedded: Embedded | None = None
        self._started = False
        self._set: set[str] = set()

    def configure(self) -> None:
        """Set the environment variables that the settings read. Raises UsageError when it is too late."""
        if settings.configured:
            raise pytest.UsageError(
                "The settings were read before the tests' servers were known: unset DJANGO_SETTINGS_MODULE."
            )
        before = set(os.environ)
        os.environ |= new_keys()
        os.environ["DJANGO_SETTINGS_MODULE"] = "flipr.settings"
        if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
            _remove_left_over()
            self._embedded = Embedded(ROOT / f"session-{os.getpid()}", fast=True)
            addresses = self._embedded.open()
            os.environ.setdefault("DATABASE_URL", addresses.database_url)
            os.environ.setdefault("REDIS_URL", addresses.redis_url)
        self._set = set(os.environ) - before

    def hand_over(self) -> None:
        """This process runs no test, its children do (pytest-xdist), each with servers of its own."""
        for name in (*self._set, "DJANGO_SETTINGS_MODULE"):
            os.environ.pop(name, None)
        self.close()

    def start(self) -> None:
        if self._embedded is not None and not self._started:
            self._started = True
            self._embedded.start()

    def close(self) -> None:
        if self._embedded is not None:
            self._embedded.close()
            shutil.rmtree(self._embedded.directory, ignore_errors=True)
            self._embedded = None


def _remove_left_over() -> None:
    """What ended sessions left: data of those that were killed, and the logs of running processes."""
    for path in [*ROOT.glob("session-*"), *ROOT.glob("logs-*")]:
        if not _alive(int(path.name.partition("-")[2])):
            shutil.rmtree(path, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


services = Services()
