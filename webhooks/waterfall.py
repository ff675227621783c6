"""Where the time of a delivery went, as bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WIDTH = 1000
#: a bar too short to be seen is drawn this wide
THINNEST = 4

LABELS = {
    "parsed": "Read and checked",
    "queued": "Handed to the region",
    "claimed": "Taken by a worker",
    "sent": "Sent to the exchange",
    "acknowledged": "Answered by the exchange",
    "filled": "Fill confirmed",
    "protected": "Protection placed",
    "replied": "Answer sent to you",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One step: from the end of the one before it to its own. `x` and `width` on a scale of WIDTH."""

    label: str
    at_ms: float
    took_ms: float
    x: int
    width: int


def bars(timing_ms: Mapping[str, float]) -> list[Bar]:
    """In the order in which the steps ended; nothing for an empty timing."""
    steps = sorted((at, step) for step, at in timing_ms.items() if step in LABELS)
    whole = steps[-1][0] if steps else 0
    drawn: list[Bar] = []
    before = 0.0
    for at, step in steps:
        x = round(before / whole * WIDTH) if whole else 0
        width = max(round((at - before) / whole * WIDTH) if whole else 0, THINNEST)
        drawn.append(Bar(LABELS[step], at, at - before, min(x, WIDTH - width), width))
        before = at
    return drawn
