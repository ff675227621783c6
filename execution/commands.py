"""What one message asks for, as frozen values: the contract between the syntax above and execution below.

Pure Python. `str()` of each value is its canonical Smart Syntax; `webhooks.syntax.parse(str(m)) == m`.
Positions (`Span`) tell where in the message a value stood and do not take part in comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from exchanges.types import Direction, MarginMode, PositionMode, Product, TimeInForce, TriggerBy
from execution.amounts import (
    Level,
    Offset,
    OffsetUnit,
    Size,
    SizeUnit,
    Span,
    plain_duration,
    plain_name,
    plain_number,
    plain_time,
)

#: amounts are part of the contract and are imported from here
__all__ = [
    "Level",
    "Offset",
    "OffsetUnit",
    "Size",
    "SizeUnit",
    "Span",
]


def _words(*parts: object) -> str:
    """The parts that say something, one space between them."""
    return " ".join(text for part in parts if part and (text := str(part)))


def _leg(word: str, leg: StopLoss | TakeProfit) -> str:
    size = leg.size and f"for {leg.size}"
    trigger = leg.trigger and f"trigger {leg.trigger}"
    limit = leg.limit and f"limit {leg.limit}"
    return _words(word, leg.level or "none", size, trigger, limit)


# -- what describes an order -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StopLoss:
    """`level` None = `sl none` (remove). `size` after `for`; `limit` makes it a stop-limit."""

    level: Level | None
    size: Size | None = None
    trigger: TriggerBy | None = None
    limit: Level | None = None
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return _leg("sl", self)


@dataclass(frozen=True, slots=True)
class TakeProfit:
    """`number` is the digit written (`tp2`) or the place among the targets of its order, from 1; 0 is
    `tp none` without a digit: all of them are removed."""

    level: Level | None
    number: int = 1
    size: Size | None = None
    trigger: TriggerBy | None = None
    limit: Level | None = None
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return _leg(f"tp{self.number or ''}", self)


@dataclass(frozen=True, slots=True)
class Trail:
    offset: Offset
    after: Level | None = None
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        after = f" after {self.after.bare()}" if self.after else ""
        return f"trail off {self.offset}{after}"


@dataclass(frozen=True, slots=True)
class BreakEven:
    """`be now`, `be after tp1`, `be after 2%`, with `plus`. Now = neither `after_target` nor `after`."""

    after_target: int | None = None
    after: Level | None = None
    plus: Offset | None = None
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        when = "now"
        if self.after_target is not None:
            when = f"after tp{self.after_target}"
        elif self.after is not None:
            when = f"after {self.after.bare()}"
        return f"be {when} plus {self.plus}" if self.plus else f"be {when}"


@dataclass(frozen=True, slots=True)
class Dca:
    orders: int
    every: Offset
    grow: Decimal | None = None
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        grow = f" grow {plain_number(self.grow)}x" if self.grow is not None else ""
        return f"dca {self.orders} orders every {self.every}{grow}"


@dataclass(frozen=True, slots=True)
class Protection:
    """All protection words attached to one order, or standing alone for the open position."""

    stop: StopLoss | None = None
    targets: tuple[TakeProfit, ...] = ()
    trail: Trail | None = None
    break_even: BreakEven | None = None
    dca: Dca | None = None

    def __bool__(self) -> bool:
        return bool(self.stop or self.targets or self.trail or self.break_even or self.dca)

    def __str__(self) -> str:
        alone = len(self.targets) == 1 and self.targets[0].number == 1 and self.targets[0].level is not None
        targets = [_leg("tp", self.targets[0])] if alone else self.targets
        return _words(self.dca, self.stop, *targets, self.trail, self.break_even)


#: of a tag, which history keeps with its order
TAG_LENGTH = 64


class AfterTime(StrEnum):
    """`then market` / `then cancel`: what happens to the rest when `for` or `expire` runs out."""

    MARKET = "market"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Options:
    """Order options. `spans` has the place of each word written, by field name."""

    leverage: Decimal | None = None
    margin_mode: MarginMode | None = None
    position_mode: PositionMode | None = None
    post: bool = False
    reduce: bool = False
    time_in_force: TimeInForce | None = None
    expire: timedelta | None = None
    duration: timedelta | None = None
    then: AfterTime | None = None
    tag: str = ""
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False, hash=False)

    def __str__(self) -> str:
        return _words(
            self.leverage is not None and f"lev {plain_number(self.leverage)}x",
            self.margin_mode,
            self.position_mode and self.position_mode.replace("_", ""),
            self.post and "post",
            self.reduce and "reduce",
            self.time_in_force,
            self.expire is not None and f"expire {plain_duration(self.expire)}",
            self.duration is not None and f"for {plain_duration(self.duration)}",
            self.then and f"then {self.then}",
            self.tag and f"tag {plain_name(self.tag)}",
        )


# -- steps -----------------------------------------------------------------------------------------------


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
        return _words(self.kind, self.direction, self.size, self.price, limit, self.options, self.protection)


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
        rest = _words(span, shape, gap, self.endless and "endless", self.options, self.protection)
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
        return _words("twap", self.direction, self.size, over, orders, self.options, self.protection)


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
        return _words("iceberg", self.direction, self.size, shown, price, self.options, self.protection)


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
        return _words("close", self.direction, self.size, self.price, self.options)


@dataclass(frozen=True, slots=True)
class Reverse:
    direction: Direction | None = None
    size: Size | None = None
    protection: Protection = Protection()
    options: Options = Options()
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        to = self.direction and f"to {self.direction}"
        return _words("reverse", to, self.size, self.options, self.protection)


@dataclass(frozen=True, slots=True)
class Go:
    """The wanted position. `direction` None = flat (then `size` is None)."""

    direction: Direction | None
    size: Size | None = None
    protection: Protection = Protection()
    options: Options = Options()
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return _words("go", self.direction or "flat", self.size, self.options, self.protection)


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
        return _words("cancel", self.what, self.direction, tag, client_id)


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
        return _words("if", self.negated and word, self.condition)


Step = Entry | Ladder | Twap | Iceberg | Close | Reverse | Go | Cancel | Protect | Setting | Wait | If


# -- blocks and messages ---------------------------------------------------------------------------------


#: the mark behind the exchange's name
_MARKETS = {
    (Product.SPOT, False): "",
    (Product.LINEAR, False): "_F",
    (Product.INVERSE, False): "_C",
    (Product.MARGIN, False): "_M",
    (Product.SPOT, True): "_ST",
    (Product.LINEAR, True): "_FT",
    (Product.INVERSE, True): "_CT",
}


@dataclass(frozen=True, slots=True)
class VenueName:
    """`exchange` in its canonical spelling (Binance, ByBit, Kraken, ...). `str()` is `Binance_F`, `Binance_FT`, ..."""

    exchange: str
    product: Product = Product.SPOT
    testnet: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.exchange}{_MARKETS[self.product, self.testnet]}"


@dataclass(frozen=True, slots=True)
class Block:
    """One `SYMBOLS on VENUE ...`. `symbols` is () for `*`."""

    symbols: tuple[str, ...]
    venue: VenueName
    accounts: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)
    symbol_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    account_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)

    def __str__(self) -> str:
        symbols = ", ".join(self.symbols) or "*"
        using = self.accounts and f"using {', '.join(map(plain_name, self.accounts))}"
        return _words(symbols, "on", self.venue, using, *self.steps)


class Notify(StrEnum):
    TELEGRAM = "telegram"
    EMAIL = "email"
    DISCORD = "discord"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Message:
    blocks: tuple[Block, ...]
    id: str = ""
    sent: datetime | None = None
    valid: timedelta | None = None
    once: timedelta | None = None
    dry_run: bool = False
    paper: bool = False
    note: str = ""
    notify: Notify | None = None
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False, hash=False)

    def __str__(self) -> str:
        options = _words(
            self.id and f"id {plain_name(self.id)}",
            self.sent and f"sent {plain_time(self.sent)}",
            self.valid is not None and f"valid {plain_duration(self.valid)}",
            self.once is not None and f"once {plain_duration(self.once)}",
            self.dry_run and "dry run",
            self.paper and "paper",
            self.note and f'note "{self.note}"',
            self.notify and f"notify {self.notify}",
        )
        return "\n".join(filter(None, (options, *map(str, self.blocks))))
