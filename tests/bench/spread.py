"""What is kept of a series of measurements."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds; `p95` is the value that 95 % of the measurements do not exceed."""

    median: float
    p95: float
    count: int

    @classmethod
    def of(cls, milliseconds: Iterable[float]) -> Spread:
        ordered = sorted(milliseconds)
        rank = math.ceil(0.95 * len(ordered)) - 1
        return cls(round(statistics.median(ordered), 3), round(ordered[rank], 3), len(ordered))

    def __str__(self) -> str:
        return f"{self.median:8.2f} {self.p95:8.2f} {self.count:6d}"
