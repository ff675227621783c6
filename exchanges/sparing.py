"""Questions of which an exchange answers few. The same one is asked again after a pause that doubles, for as long as it
finds nothing: whoever looks every second would otherwise use up, over one order that never arrived, what the answer
about all others needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from exchanges.errors import ExchangeError, NotSent, OutcomeUnknown
from exchanges.limits import Priority, pressed
from exchanges.memory import Memory

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 60.0


class NotYet(OutcomeUnknown):
    """The question waits for its pause. `again`: that was said before, and nothing has been found since."""

    def __init__(self, *, again: bool) -> None:
        super().__init__("it was not found a moment ago, and the exchange's limits spare no question yet")
        self.again = again


def said_before(error: Exception) -> bool:
    """Whether the log has it already: whoever looks every second would say it every second."""
    return isinstance(error, NotYet) and error.again


class Spared:
    """Counted by this process alone: several ask that much more often."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, first_seconds: float = FIRST_SECONDS
    ) -> None:
        self._clock = clock
        self._first = first_seconds
        #: by question: when it may be asked again, and the pause after that
        self._next: Memory[tuple[str, ...], tuple[float, float]] = Memory()
        #: questions of which that was said
        self._said: Memory[tuple[str, ...], bool] = Memory()

    def due(self, *question: str) -> bool:
        """Whether to ask now. What protection waits for is asked at any time."""
        if pressed(Priority.QUERY) is Priority.PROTECT:
            return True
        at, _ = self._next.get(question, (0.0, 0.0))
        return self._clock() >= at

    @contextmanager
    def asking(self, *question: str) -> Iterator[None]:
        """Around the question, which raises when it finds nothing: then the next time is later. What the limits refused
        was not asked."""
        try:
            yield
        except NotSent:
            raise
        except ExchangeError:
            self.later(*question)
            raise
        else:
            self._next.pop(question, None)
            self._said.pop(question, None)

    def later(self, *question: str) -> None:
        """It was asked, and there was no answer to it."""
        _, pause = self._next.get(question, (0.0, self._first))
        self._next[question] = self._clock() + pause, min(pause * 2, LONGEST_SECONDS)

    def not_yet(self, *question: str) -> NotYet:
        """What to raise while it is not `due`."""
        again = question in self._said
        self._said[question] = True
        return NotYet(again=again)
