"""The terms of an order as frozen values: the protection around it, and its options.

Pure Python. `str()` of each value is its canonical Smart Syntax.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from exchanges.types import MarginMode, PositionMode, TimeInForce, TriggerBy
from execution.amounts import Level, Offset, Size, Span, plain_duration, plain_name, plain_number, words


def _leg(word: str, leg: StopLoss | TakeProfit) -> str:
    size = leg.size and f"for {leg.size}"
    trigger = leg.trigger and f"trigger {leg.trigger}"
    limit = leg.limit and f"limit {leg.limit}"
    return words(word, leg.level or "none", size, trigger, limit)


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
        return words(self.dca, self.stop, *targets, self.trail, self.break_even)


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
        return words(
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
