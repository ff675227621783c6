"""What goes wrong on purpose: faults set through control, drawn for each call. Repeatable: the chance
comes from the fault's own seed, never from the clock."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    DELAY = "delay"  # processed at once, answered late
    DROP_BEFORE = "drop_before"  # connection closed, nothing processed
    DROP_AFTER = "drop_after"  # processed, connection closed without an answer
    HTTP_500 = "http_500"  # not processed
    HTTP_503 = "http_503"  # processed: the exchange itself documents it as unknown
    NOT_JSON = "not_json"  # processed, answered with a page
    THROTTLE = "throttle"
    MAINTENANCE = "maintenance"
    PARTIAL_FILL = "partial_fill"  # half (or `share`) of what would fill at once
    SLOW_FILL = "slow_fill"  # accepted, fills `delay_ms` later
    REJECT_STOP = "reject_stop"  # orders with a trigger price are refused


@dataclass(slots=True)
class Fault:
    """`rate`: chance of each call; `count`: how often at most; `path`: only calls whose "METHOD /path" has
    this text in it, where a space ends the path. Without `path` only calls that place, change or cancel orders are hit."""

    kind: Kind
    venue: str = ""
    rate: Decimal = Decimal(1)
    count: int | None = None
    delay_ms: int = 200
    path: str = ""
    share: Decimal = Decimal("0.5")
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - nothing secret

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Fault:
        """Raises ValueError with words for the caller."""
        try:
            return cls(
                kind=Kind(data["fault"]),
                venue=str(data.get("venue", "")).lower(),
                rate=Decimal(str(data.get("rate", 1))),
                count=None if data.get("count") is None else int(data["count"]),
                delay_ms=int(data.get("delay_ms", 200)),
                path=str(data.get("path", "")),
                share=Decimal(str(data.get("share", "0.5"))),
                chance=_chance(data),
            )
        except (KeyError, InvalidOperation, TypeError) as problem:
            raise ValueError(f"not a fault: {problem!r}") from None

    def hits(self, venue: str, place: str, trading: bool) -> bool:
        """Draws the chance and counts down only when venue and path match."""
        if self.venue not in ("", venue) or self.count == 0:
            return False
        if (self.path not in f"{place} ") if self.path else not trading:
            return False
        if self.rate < 1 and self.chance.random() >= self.rate:
            return False
        if self.count is not None:
            self.count -= 1
        return True


def _chance(data: Mapping[str, Any]) -> random.Random:
    """Every fault draws from a sequence of its own: with one for all they would always hit together."""
    named = (data.get("seed", 0), data["fault"], data.get("venue", ""), data.get("path", ""))
    return random.Random(" ".join(str(each) for each in named))  # noqa: S311 - nothing secret


class Faults:
    def __init__(self) -> None:
        self._set: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._set.append(fault)

    def clear(self) -> None:
        self._set.clear()

    def draw(self, venue: str, place: str, trading: bool) -> dict[Kind, Fault]:
        """The faults that hit this call."""
        if not self._set:
            return {}
        drawn = {fault.kind: fault for fault in self._set if fault.hits(venue, place, trading)}
        self._set = [fault for fault in self._set if fault.count != 0]
        return drawn
