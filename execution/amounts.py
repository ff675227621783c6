"""How much, how far and where: the amounts that commands carry, and how numbers and times are written.

Pure Python. `str()` of each value is its canonical Smart Syntax.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

#: names that need no quotes: a quoted name may hold anything but the quote itself
_BARE_NAME = re.compile(r"[A-Za-z0-9][\w.:/#+=~-]*", re.ASCII)
_UNITS_MS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000))
_MILLISECOND = timedelta(milliseconds=1)


def plain_number(value: Decimal) -> str:
    """A decimal without an exponent and without trailing zeros: 1E+2 -> 100."""
    return format(value.normalize(), "f") if value else "0"


def plain_duration(value: timedelta) -> str:
    """A whole number of the largest unit that fits: 90 seconds -> 90s, 60 seconds -> 1m."""
    total = value // _MILLISECOND
    for unit, length in _UNITS_MS:
        if total and total % length == 0:
            return f"{total // length}{unit}"
    return f"{total}ms"


def plain_time(value: datetime) -> str:
    """UTC in the form TradingView sends: 2026-02-07T10:15:00Z."""
    return value.isoformat().replace("+00:00", "Z")


def plain_name(value: str) -> str:
    """A name, in quotes where it would not read as one word."""
    bare = _BARE_NAME.fullmatch(value) and value.lower() != "on"
    return value if bare else f'"{value}"'


def words(*parts: object) -> str:
    """The parts that say something, one space between them."""
    return " ".join(text for part in parts if part and (text := str(part)))


@dataclass(frozen=True, slots=True)
class Span:
    """Where a word stands: line and column from 1, length in characters."""

    line: int
    column: int
    length: int


class SizeUnit(StrEnum):
    BASE = "base"
    QUOTE = "quote"
    #: percent of equity as notional value (entries), of the position or order (close, `for`)
    PERCENT = "percent"
    PERCENT_EQUITY = "percent_equity"
    PERCENT_FREE = "percent_free"
    PERCENT_MARGIN = "percent_margin"
    PERCENT_POSITION = "percent_position"
    CONTRACTS = "contracts"
    RISK_PERCENT = "risk_percent"
    RISK_QUOTE = "risk_quote"
    MAX = "max"
    ALL = "all"
    REST = "rest"


_SIZE_TEXT = {
    SizeUnit.BASE: "{}",
    SizeUnit.PERCENT: "{}%",
    SizeUnit.PERCENT_EQUITY: "{}% equity",
    SizeUnit.PERCENT_FREE: "{}% free",
    SizeUnit.PERCENT_MARGIN: "{}% margin",
    SizeUnit.PERCENT_POSITION: "{}% pos",
    SizeUnit.CONTRACTS: "{} contracts",
    SizeUnit.RISK_PERCENT: "risk {}%",
}


@dataclass(frozen=True, slots=True)
class Size:
    """`value` is None for MAX, ALL and REST. `currency` is "" or the quote word written (usdt, usdc, usd)."""

    unit: SizeUnit
    value: Decimal | None = None
    currency: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        if self.value is None:
            return self.unit.value
        number = plain_number(self.value)
        if self.unit in _SIZE_TEXT:
            return _SIZE_TEXT[self.unit].format(number)
        money = f"{number} {self.currency}" if self.currency else f"{number}$"
        return f"risk {money}" if self.unit is SizeUnit.RISK_QUOTE else money


class OffsetUnit(StrEnum):
    PERCENT = "percent"
    R = "r"
    TICKS = "ticks"
    QUOTE = "quote"


_OFFSET_TEXT = {
    OffsetUnit.PERCENT: "{}%",
    OffsetUnit.R: "{}R",
    OffsetUnit.TICKS: "{} ticks",
    OffsetUnit.QUOTE: "{}",
}


@dataclass(frozen=True, slots=True)
class Offset:
    """A distance without a sign: the side decides its direction."""

    value: Decimal
    unit: OffsetUnit
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return _OFFSET_TEXT[self.unit].format(plain_number(self.value))


@dataclass(frozen=True, slots=True)
class Level:
    """Where a price lies: exactly one of an absolute price and an offset."""

    price: Decimal | None = None
    offset: Offset | None = None
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"off {self.offset}" if self.price is None else f"at {plain_number(self.price)}"

    def bare(self) -> str:
        """The form after `from`, `to` and `after`, where a bare number is a price and a percent an offset."""
        if self.price is not None:
            return plain_number(self.price)
        assert self.offset is not None
        needs_off = self.offset.unit in (OffsetUnit.QUOTE, OffsetUnit.TICKS)
        return f"off {self.offset}" if needs_off else str(self.offset)
