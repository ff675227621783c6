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


@dataclass(frozen=True, slots=True)
class Span:
    """Where a word stands: line and column from 1, length in characters."""

    line: int
    column: int
    length: int


# -- amounts ---------------------------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True)
class Size:
    """`value` is None for MAX, ALL and REST. `currency` is "" or the quote word written (usdt, usdc, usd)."""

    unit: SizeUnit
    value: Decimal | None = None
    currency: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


class OffsetUnit(StrEnum):
    PERCENT = "percent"
    R = "r"
    TICKS = "ticks"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True)
class Offset:
    """A distance without a sign: the side decides its direction."""

    value: Decimal
    unit: OffsetUnit
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Level:
    """Where a price lies: exactly one of an absolute price and an offset."""

    price: Decimal | None = None
    offset: Offset | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


# -- what describes an order -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StopLoss:
    """`level` None = `sl none` (remove). `size` after `for`; `limit` makes it a stop-limit."""

    level: Level | None
    size: Size | None = None
    trigger: TriggerBy | None = None
    limit: Level | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TakeProfit:
    """`number` is the digit written (`tp2`) or the place among the targets of its order, from 1."""

    level: Level | None
    number: int = 1
    size: Size | None = None
    trigger: TriggerBy | None = None
    limit: Level | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Trail:
    offset: Offset
    after: Level | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class BreakEven:
    """`be now`, `be after tp1`, `be after 2%`, with `plus`. Now = neither `after_target` nor `after`."""

    after_target: int | None = None
    after: Level | None = None
    plus: Offset | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Dca:
    orders: int
    every: Offset
    grow: Decimal | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


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


@dataclass(frozen=True, slots=True)
class Twap:
    direction: Direction
    size: Size
    over: timedelta
    orders: int | None = None
    protection: Protection = Protection()
    options: Options = Options()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Iceberg:
    direction: Direction
    size: Size
    show: Size
    price: Decimal
    protection: Protection = Protection()
    options: Options = Options()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Close:
    """`direction` None = whatever is open; `size` default is 100 percent of the position."""

    direction: Direction | None = None
    size: Size = Size(SizeUnit.PERCENT, Decimal(100))
    price: Level | None = None
    options: Options = Options()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reverse:
    direction: Direction | None = None
    size: Size | None = None
    protection: Protection = Protection()
    options: Options = Options()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Go:
    """The wanted position. `direction` None = flat (then `size` is None)."""

    direction: Direction | None
    size: Size | None = None
    protection: Protection = Protection()
    options: Options = Options()
    span: Span | None = field(default=None, compare=False, repr=False)


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


@dataclass(frozen=True, slots=True)
class Protect:
    """Protection words with no order on their left: they act on the open position."""

    protection: Protection
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Setting:
    """`lev`, `cross`/`isolated`, `hedge`/`oneway` with no order on their left."""

    options: Options
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Wait:
    duration: timedelta
    span: Span | None = field(default=None, compare=False, repr=False)


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


Step = Entry | Ladder | Twap | Iceberg | Close | Reverse | Go | Cancel | Protect | Setting | Wait | If


# -- blocks and messages ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VenueName:
    """`exchange` in its canonical spelling (Binance, ByBit, Kraken, ...). `str()` is `Binance_F`, `Binance_FT`, ..."""

    exchange: str
    product: Product = Product.SPOT
    testnet: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Block:
    """One `SYMBOLS on VENUE ...`. `symbols` is () for `*`."""

    symbols: tuple[str, ...]
    venue: VenueName
    accounts: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)
    symbol_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)


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
