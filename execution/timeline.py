"""How long a job took on its way, stage by stage."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Timeline:
    """Milliseconds since the message was received, by stage; each stage is marked once."""

    received_ms: float
    marks: dict[str, float] = field(default_factory=dict)
    clock: Callable[[], float] = time.time

    def mark(self, stage: str) -> None:
        if stage not in self.marks:
            self.marks[stage] = round(self.clock() * 1000 - self.received_ms, 3)
