"""Questions of which an exchange answers few. The same one is asked again after a pause that doubles, for as long as it
finds nothing: whoever looks every second would otherwise use up, over one order that never arrived, what the answer
about all others needs."""

from __future__ import annotations

import time
from collections.abc import Callable

from exchanges.errors import OutcomeUnknown
from exchanges.memory import Memory

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 60.0


def not_yet() -> OutcomeUnknown:
    return OutcomeUnknown("it was not found a moment ago, and the exchange's limits spare no question yet")


class Spared:
    """Counted by this process alone: several ask that much more often."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        #: by question: when it may be asked again, and the pause after that
        self._next: Memory[tuple[str, ...], tuple[float, float]] = Memory()

    def due(self, *question: str) -> bool:
        """Whether to ask now. Then the next time is later."""
        now = self._clock()
        at, pause = self._next.get(question, (now, FIRST_SECONDS))
        if now < at:
            return False
        self._next[question] = now + pause, min(pause * 2, LONGEST_SECONDS)
        return True

    def found(self, *question: str) -> None:
        """There was an answer: the next time it is asked at once."""
        self._next.pop(question, None)
