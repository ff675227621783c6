"""Questions about several orders of one key, asked in a row. Where an exchange answers few of them, a list that was read
for one of the orders answers for the others too."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, TypeVar

T = TypeVar("T")


class Round:
    """What was read since it began. `since`: all the orders asked for were sent after that, and before the round; None:
    that is not known."""

    def __init__(self, since: datetime | None = None) -> None:
        self.since = since
        self._read: dict[Hashable, Any] = {}

    def knows(self, what: Hashable) -> bool:
        return what in self._read

    def once(self, what: Hashable, ask: Callable[[], T]) -> T:
        if what not in self._read:
            self._read[what] = ask()
        found: T = self._read[what]
        return found

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Questions in here belong to it. Nothing may be sent in here: what is read must not be older than what it is
        asked about."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


_current: ContextVar[Round | None] = ContextVar("round", default=None)


def this_round() -> Round:
    """The one that a question belongs to; else one of its own."""
    return _current.get() or Round()
