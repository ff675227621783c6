"""This machine's clock corrected by the offset measured against one exchange."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

#: the quickest of so many measurements counts: the shorter the way, the less of it is guesswork
SAMPLES = 8
#: the offset jumped by more than this between measurements: somebody's clock is wrong
ALARM_MS = 250


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement. The true offset lies within half the round trip of `offset_ms`."""

    offset_ms: int
    round_trip_ms: int

    def agrees_with(self, other: Sample, slack_ms: int) -> bool:
        apart = abs(self.offset_ms - other.offset_ms)
        return apart * 2 <= self.round_trip_ms + other.round_trip_ms + slack_ms * 2


class Clock:
    """`slack_ms`: how coarsely the exchange tells the time."""

    def __init__(self, wall: Callable[[], float] = time.time, *, slack_ms: int = 5) -> None:
        self._wall = wall
        self._slack_ms = slack_ms
        self._lock = threading.Lock()
        self._samples: deque[Sample] = deque(maxlen=SAMPLES)
        self.offset_ms = 0
        self.measured = False
        #: by how much the last jump moved the offset, and when (epoch seconds); 0 while there was none
        self.jump_ms = 0
        self.jumped_at = 0.0

    def now_ms(self) -> int:
        return int(self._wall() * 1000) + self.offset_ms

    def measure(self, ask: Callable[[], int]) -> int:
        """Set and return the offset: server time against the middle of the round trip.

        The quickest of the last measurements counts, as long as they can all be true. One that contradicts it
        means that a clock was set: then only the new one is believed."""
        before = self._wall() * 1000
        server_ms = ask()
        after = self._wall() * 1000
        sample = Sample(round(server_ms - (before + after) / 2), round(after - before))
        with self._lock:
            return self._take(sample, after / 1000)

    def distrust(self) -> None:
        """The exchange called our time wrong: what was measured before counts no more."""
        with self._lock:
            self._samples.clear()

    def _take(self, sample: Sample, now: float) -> int:
        best = self._best()
        if best is not None and not sample.agrees_with(best, self._slack_ms):
            self._samples.clear()
            if abs(sample.offset_ms - best.offset_ms) > ALARM_MS:
                self.jump_ms, self.jumped_at = sample.offset_ms - best.offset_ms, now
        self._samples.append(sample)
        self.offset_ms = (self._best() or sample).offset_ms
        self.measured = True
        return self.offset_ms

    def _best(self) -> Sample | None:
        """Of equally quick ones the latest: clocks drift."""
        return min(reversed(self._samples), key=lambda sample: sample.round_trip_ms, default=None)
