"""What the steps of a message ask for, as frozen values: the contract between the syntax above and execution below.

Pure Python, as what steps are made of: `execution.amounts`, and the terms of an order, `execution.terms`. `str()` of each
value is its canonical Smart Syntax. Positions (`Span`) tell where in the message a value stood and do not take part in
comparisons. The message as a whole is in `execution.message`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from exchanges.types import Direction
from execution.amounts import (
    Level,
    Offset,
    Size,
    SizeUnit,
    Span,
    plain_duration,
    plain_name,
    plain_number,
    words,
)
from execution.terms import Options, Protection


class EntryKind(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    CHASE = "chase"


@dataclass(frozen=True, slots=True)
class Entry:
    """`price`: the limit price or the trigger of a stop entry. `limit`: the limit of a stop-limit."""

    kind: EntryKind
    direction: Direction
    size: Size
    price: Level | None = None
    limit: Level | None = None
    protection: Protection = Protection()
    options: Options = Options()
    span: Span | None = field(default=None, compare=False, repr=False)
    side_span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        limit = self.limit and f"limit {self.limit}"
        return words(self.kind, self.direction, self.size, self.price, limit, self.options, self.protection)


class LadderKind(StrEnum):
    LADDER = "ladder"
    PINGPONG = "pingpong"


class LadderShape(StrEnum):
    EVEN = "even"
    RISING = "rising"
    FALLING = "falling"


@dataclass(frozen=True, slots=True)
class Ladder:
    kind: LadderKind
    direction: Direction
    size: Size
    start: Level
    end: Level
    orders: int
    shape: LadderShape = LadderShape.EVEN
    gap: Offset | None = None
    endless: bool = False
    protection: Protection = Protection()
    options: Options = Options()
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        span = f"from {self.start.bare()} to {self.end.bare()} in {self.orders} orders"
        shape = self.shape is not LadderShape.EVEN and self.shape
        gap = self.gap and f"gap {self.gap}"
        rest = words(span, shape, gap, self.endless and "endless", self.options, self.protection)
        return f"{self.kind} {self.direction} {self.size} {rest}"


@dataclass(frozen=True, slots=True)
class Twap:
    direction: Direction
    size: Size
    over: timedelta
    orders: int | None = None
    protection: Protection = Protection()
    options: Options = Options()
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        orders = self.orders is not None and f"in {self.orders} orders"
        over = f"over {plain_duration(self.over)}"
        return words("twap", self.direction, self.size, over, orders, self.options, self.protection)


@dataclass(frozen=True, slots=True)
class Iceberg:
    direction: Direction
    size: Size
    show: Size
    price: Decimal
    protection: Protection = Protection()
    options: Options = Options()
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        price = f"at {plain_number(self.price)}"
        shown = f"show {self.show}"
        return words("iceberg", self.direction, self.size, shown, price, self.options, self.protection)


WHOLE_POSITION = Size(SizeUnit.PERCENT, Decimal(100))


@dataclass(frozen=True, slots=True)
class Close:
    """`direction` None = whatever is open; `size` default is 100 percent of the position."""

    direction: Direction | None = None
    size: Size = WHOLE_POSITION
    price: Level | None = None
    options: Options = Options()
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return words("close", self.direction, self.size, self.price, self.options)


@dataclass(frozen=True, slots=True)
class Reverse:
    direction: Direction | None = None
    size: Size | None = None
    protection: Protection = Protection()
    options: Options = Options()
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        to = self.direction and f"to {self.direction}"
        return words("reverse", to, self.size, self.options, self.protection)


@dataclass(frozen=True, slots=True)
class Go:
    """The wanted position. `direction` None = flat (then `size` is None)."""

    direction: Direction | None
    size: Size | None = None
    protection: Protection = Protection()
    options: Options = Options()
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return words("go", self.direction or "flat", self.size, self.options, self.protection)


class CancelWhat(StrEnum):
    ALL = "all"
    ENTRIES = "entries"
    EXITS = "exits"
    STOP = "sl"
    TARGETS = "tp"
    DCA = "dca"


@dataclass(frozen=True, slots=True)
class Cancel:
    what: CancelWhat = CancelWhat.ALL
    direction: Direction | None = None
    tag: str = ""
    client_id: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        tag = self.tag and f"tag {plain_name(self.tag)}"
        client_id = self.client_id and f"id {plain_name(self.client_id)}"
        return words("cancel", self.what, self.direction, tag, client_id)


@dataclass(frozen=True, slots=True)
class Protect:
    """Protection words with no order on their left: they act on the open position."""

    protection: Protection
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return str(self.protection)


@dataclass(frozen=True, slots=True)
class Setting:
    """`lev`, `cross`/`isolated`, `hedge`/`oneway` with no order on their left."""

    options: Options
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return str(self.options)


@dataclass(frozen=True, slots=True)
class Wait:
    duration: timedelta
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"wait {plain_duration(self.duration)}"


class Condition(StrEnum):
    FLAT = "flat"
    LONG = "long"
    SHORT = "short"
    POSITION = "position"
    ORDERS = "orders"


@dataclass(frozen=True, slots=True)
class If:
    condition: Condition
    negated: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        word = "no" if self.condition in (Condition.POSITION, Condition.ORDERS) else "not"
        return words("if", self.negated and word, self.condition)


Step = Entry | Ladder | Twap | Iceberg | Close | Reverse | Go | Cancel | Protect | Setting | Wait | If
