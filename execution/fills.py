"""Fills of flipr's own orders as a desk sees them; `execution.holdings` adds them to what is believed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from exchanges.types import Side


@dataclass(frozen=True, slots=True)
class Seen:
    """How much of one order has filled so far. `name`: its client id, or the exchange's where it has none."""

    name: str
    instrument: str
    side: Side
    filled: Decimal

    def since(self, before: Decimal) -> Decimal:
        """By how much a position has changed since `before` of it was filled; a sale counts below zero."""
        more = max(self.filled - before, Decimal(0))
        return more if self.side is Side.BUY else -more
