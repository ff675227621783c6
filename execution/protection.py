"""Stops and targets as numbers: from the words of a message and the fill price to the legs that should stand.

Pure arithmetic. A stop is rounded away from the market (never triggers earlier than asked), a target towards
it (never later than asked).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

from exchanges.types import Direction, Instrument, OrderRef, OrderType, TriggerBy
from execution.amounts import Level, Offset, OffsetUnit, Size, SizeUnit
from execution.rejection import Rejection
from execution.terms import BreakEven, Protection, StopLoss, TakeProfit

HUNDRED = Decimal(100)


class LegKind(StrEnum):
    """EXIT: the market order that closes a position whose stop could not be placed."""

    STOP = "stop"
    TARGET = "target"
    EXIT = "exit"


class LegState(StrEnum):
    """PENDING: to be placed. WATCHED: kept by supervision, because the exchange cannot hold it as well."""

    PENDING = "pending"
    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    FAILED = "failed"
    WATCHED = "watched"


LIVE_LEGS = frozenset({LegState.PENDING, LegState.OPEN, LegState.WATCHED, LegState.FAILED})


@dataclass(slots=True)
class Leg:
    """One protective order. `price` is its trigger; `limit` makes it rest as a limit order when triggered."""

    kind: LegKind
    number: int
    price: Decimal
    quantity: Decimal
    trigger: TriggerBy = TriggerBy.LAST
    limit: Decimal | None = None
    token: str = ""
    client_id: str = ""
    exchange_id: str = ""
    status: LegState = LegState.PENDING
    linked: bool = False
    filled: Decimal = Decimal(0)
    average_price: Decimal | None = None
    attempts: int = 0
    error: str = ""
    #: looks at the exchange that did not find it, in a row
    missing: int = 0
    #: flipr itself meant to cancel it: whoever finds it gone need not ask who did
    leaving: bool = False
    #: it went out as a market order, or was about to; when, and when a look did not find it last
    at_market: bool = False
    sent_at: datetime | None = None
    missed_at: datetime | None = None

    @property
    def ref(self) -> OrderRef:
        return OrderRef(self.client_id, self.exchange_id, self.order_type.conditional, self.quantity)

    @property
    def order_type(self) -> OrderType:
        if self.at_market:
            return OrderType.MARKET
        if self.kind is LegKind.STOP:
            return OrderType.STOP_LIMIT if self.limit is not None else OrderType.STOP
        return OrderType.TAKE_PROFIT_LIMIT if self.limit is not None else OrderType.TAKE_PROFIT

    def same_as(self, other: Leg) -> bool:
        return (self.kind, self.number, self.price, self.quantity, self.limit) == (
            other.kind,
            other.number,
            other.price,
            other.quantity,
            other.limit,
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """What levels are measured from: the entry price, the direction, the instrument's steps."""

    instrument: Instrument
    direction: Direction
    entry: Decimal
    stop: Decimal | None = None

    @property
    def long(self) -> bool:
        return self.direction is Direction.LONG


def down(value: Decimal, step: Decimal) -> Decimal:
    """To a multiple of `step`, never more."""
    return (value / step).to_integral_value(ROUND_FLOOR) * step if step else value


def up(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_CEILING) * step if step else value


def distance(offset: Offset, frame: Frame) -> Decimal:
    """An offset as a price difference. `R` counts in distances between entry and stop."""
    match offset.unit:
        case OffsetUnit.PERCENT:
            return frame.entry * offset.value / HUNDRED
        case OffsetUnit.TICKS:
            return frame.instrument.tick * offset.value
        case OffsetUnit.QUOTE:
            return offset.value
        case OffsetUnit.R:
            if frame.stop is None:
                raise Rejection(
                    "R_NEEDS_STOP", "R counts in distances to the stop", "add a stop: sl off 2%", offset.span
                )
            return abs(frame.entry - frame.stop) * offset.value


def stop_price(level: Level, frame: Frame) -> Decimal:
    """The trigger of the stop. Raises Rejection when an offset leads below zero."""
    if level.price is not None:
        raw = level.price
    else:
        assert level.offset is not None
        gap = distance(level.offset, frame)
        raw = frame.entry - gap if frame.long else frame.entry + gap
    return above_zero(
        down(raw, frame.instrument.tick) if frame.long else up(raw, frame.instrument.tick), level
    )


def target_price(level: Level, frame: Frame) -> Decimal:
    if level.price is not None:
        raw = level.price
    else:
        assert level.offset is not None
        gap = distance(level.offset, frame)
        raw = frame.entry + gap if frame.long else frame.entry - gap
    return above_zero(
        down(raw, frame.instrument.tick) if frame.long else up(raw, frame.instrument.tick), level
    )


def limit_price(level: Level, trigger: Decimal, frame: Frame) -> Decimal:
    """The limit behind a trigger; an offset lies on the far side, so that the order still fills."""
    tick = frame.instrument.tick
    if level.price is not None:
        return down(level.price, tick) if frame.long else up(level.price, tick)
    assert level.offset is not None
    gap = distance(level.offset, replace(frame, entry=trigger))
    return down(trigger - gap, tick) if frame.long else up(trigger + gap, tick)


def above_zero(price: Decimal, level: Level) -> Decimal:
    """Raises Rejection PRICE_BELOW_ZERO."""
    if price <= 0:
        raise Rejection(
            "PRICE_BELOW_ZERO", "the offset leads below a price of zero", "write a smaller offset", level.span
        )
    return price


def check_sides(protection: Protection, frame: Frame) -> None:
    """Raises Rejection STOP_WRONG_SIDE or TP_WRONG_SIDE for a level the price has already passed."""
    stop = protection.stop
    if stop and stop.level:
        price = stop_price(stop.level, frame)
        if (price >= frame.entry) if frame.long else (price <= frame.entry):
            side = "above" if frame.long else "below"
            raise Rejection(
                "STOP_WRONG_SIDE",
                f"the stop {price} is {side} the price {frame.entry} of a {frame.direction}",
                f"a {frame.direction} is stopped {'below' if frame.long else 'above'} its price",
                stop.level.span or stop.span,
            )
        frame = replace(frame, stop=price)
    for target in protection.targets:
        if target.level:
            _check_target(target, frame)


def _check_target(target: TakeProfit, frame: Frame) -> None:
    assert target.level is not None
    price = target_price(target.level, frame)
    if (price <= frame.entry) if frame.long else (price >= frame.entry):
        side = "below" if frame.long else "above"
        raise Rejection(
            "TP_WRONG_SIDE",
            f"the target {price} is {side} the price {frame.entry} of a {frame.direction}",
            f"a {frame.direction} takes its profit {'above' if frame.long else 'below'} its price",
            target.level.span or target.span,
        )


def spelled_out(protection: Protection) -> Protection:
    """`be now` is a stop at the entry price."""
    be: BreakEven | None = protection.break_even
    if be is None:
        return protection
    stop = StopLoss(Level(offset=Offset(Decimal(0), OffsetUnit.QUOTE)), span=be.span)
    return replace(protection, break_even=None, stop=protection.stop or stop)


def asks_for_legs(protection: Protection) -> bool:
    """`sl none` in an entry asks for no more than no word at all."""
    legs = (protection.stop, *protection.targets)
    named = any(leg is not None and leg.level is not None for leg in legs)
    return named or bool(protection.trail or protection.break_even or protection.dca)


def desired_legs(
    protection: Protection,
    frame: Frame,
    quantity: Decimal,
    remaining: Decimal | None = None,
    done_targets: Iterable[int] = (),
) -> list[Leg]:
    """The legs that should stand for a position of which `quantity` was opened and `remaining` is left.

    The stop covers what remains, in whole steps; targets keep the shares of the opened quantity, the filled ones
    (`done_targets`) left out, the last ones cut when more was closed elsewhere.
    """
    left = down(quantity if remaining is None else remaining, frame.instrument.step)
    legs: list[Leg] = []
    if left <= 0:
        return legs
    if (stop := protection.stop) and stop.level:
        leg = _stop_leg(stop, stop.level, frame, left)
        frame = replace(frame, stop=leg.price)
        legs.append(leg)
    return legs + _target_legs(protection.targets, frame, quantity, left, set(done_targets))


def _stop_leg(stop: StopLoss, level: Level, frame: Frame, left: Decimal) -> Leg:
    price = stop_price(level, frame)
    return Leg(
        LegKind.STOP,
        1,
        price,
        min(share(stop.size, left, left, frame.instrument) if stop.size else left, left),
        trigger=stop.trigger or TriggerBy.LAST,
        limit=limit_price(stop.limit, price, frame) if stop.limit else None,
    )


def _target_legs(
    targets: Sequence[TakeProfit], frame: Frame, quantity: Decimal, left: Decimal, done: set[int]
) -> list[Leg]:
    legs: list[Leg] = []
    amounts = target_quantities(targets, quantity, frame.instrument)
    for number, (target, wanted) in enumerate(zip(targets, amounts, strict=True), 1):
        if number in done or target.level is None:
            continue
        size = min(wanted, left)
        if size <= 0:
            continue
        left -= size
        price = target_price(target.level, frame)
        limit = limit_price(target.limit, price, frame) if target.limit else None
        legs.append(
            Leg(LegKind.TARGET, number, price, size, trigger=target.trigger or TriggerBy.LAST, limit=limit)
        )
    return legs


def target_quantities(
    targets: Sequence[TakeProfit], quantity: Decimal, instrument: Instrument
) -> list[Decimal]:
    """How much each target closes: its own share, or an even part of what the others leave. Rounded down to
    the step, except that targets meant to close everything do, to the last step."""
    step = instrument.step
    sized = [
        share(target.size, quantity, quantity, instrument) if _has_share(target) else None
        for target in targets
    ]
    left = quantity - sum((amount for amount in sized if amount is not None), Decimal(0))
    open_places = [index for index, amount in enumerate(sized) if amount is None]
    amounts = [amount or Decimal(0) for amount in sized]
    for place, index in enumerate(open_places):
        last = place == len(open_places) - 1
        amounts[index] = max(left, Decimal(0)) if last else down(left / (len(open_places) - place), step)
        left -= amounts[index]
    if not open_places and amounts and _closes_all(targets):
        amounts[-1] += quantity - sum(amounts)
    return _fold_small(amounts, instrument)


def _has_share(target: TakeProfit) -> bool:
    return target.size is not None and target.size.unit not in (SizeUnit.REST, SizeUnit.ALL, SizeUnit.MAX)


def _closes_all(targets: Sequence[TakeProfit]) -> bool:
    percents = [
        target.size.value
        for target in targets
        if target.size and target.size.value is not None and target.size.unit in _PERCENTS
    ]
    return len(percents) == len(targets) and sum(percents) == HUNDRED


_PERCENTS = (SizeUnit.PERCENT, SizeUnit.PERCENT_POSITION)


def _fold_small(amounts: list[Decimal], instrument: Instrument) -> list[Decimal]:
    """A target too small for the exchange joins the one after it (the last joins the one before)."""
    smallest = max(instrument.min_quantity, instrument.step)
    folded = list(amounts)
    for index in range(len(folded) - 1):
        if Decimal(0) < folded[index] < smallest:
            folded[index + 1] += folded[index]
            folded[index] = Decimal(0)
    if len(folded) > 1 and Decimal(0) < folded[-1] < smallest:
        for index in range(len(folded) - 2, -1, -1):
            if folded[index] > 0:
                folded[index] += folded[-1]
                folded[-1] = Decimal(0)
                break
    return folded


def share(size: Size | None, whole: Decimal, left: Decimal, instrument: Instrument) -> Decimal:
    """A `for` size as a quantity, at most what is left."""
    if size is None or size.value is None:
        return left
    if size.unit in _PERCENTS:
        return min(down(whole * size.value / HUNDRED, instrument.step), left)
    if size.unit is SizeUnit.CONTRACTS:
        return min(down(instrument.from_contracts(size.value), instrument.step), left)
    if size.unit is SizeUnit.BASE:
        return min(down(size.value, instrument.step), left)
    raise Rejection(
        "BAD_SHARE",
        "a part of a position is a percentage or a quantity",
        "write for 50% or for rest",
        size.span,
    )


@dataclass(slots=True)
class Guarded:
    """One bracket in a worker's memory; `execution.brackets` reads and writes it.

    `quantity` is what the entry filled, `closed` what targets, stop or others have closed of it since.
    """

    public_id: str
    token: str
    account: str
    venue: str
    symbol: str
    instrument: str
    direction: Direction
    hedge: bool
    plan: Protection
    stop_policy: str = "close"
    entry_client_id: str = ""
    entry_exchange_id: str = ""
    entry_conditional: bool = False
    entry_level: Decimal | None = None
    entry_open: bool = False
    entry_price: Decimal | None = None
    quantity: Decimal = Decimal(0)
    closed: Decimal = Decimal(0)
    status: str = "pending"
    legs: list[Leg] = field(default_factory=list)
    note: str = ""
    gone_seen: int = 0
    generation: int = 0

    @property
    def remaining(self) -> Decimal:
        return max(self.quantity - self.closed, Decimal(0))

    @property
    def share(self) -> tuple[str, str, LegKind]:
        """What this bracket guards a part of. A stop that was set anew guards the same position as the targets
        of the bracket before it: the two do not add up."""
        stopped = self.plan.stop is not None and self.plan.stop.level is not None
        return self.instrument, self.direction.value, LegKind.STOP if stopped else LegKind.TARGET

    @property
    def in_doubt(self) -> bool:
        """Whether a market order of its own has no known end yet: until then nothing else is sent for it."""
        return any(leg.at_market and leg.status is LegState.OPEN for leg in self.legs)

    def live(self, kind: LegKind | None = None) -> list[Leg]:
        """The legs that stand, or ought to."""
        return [leg for leg in self.legs if leg.status in LIVE_LEGS and (kind is None or leg.kind is kind)]

    def frame(self, instrument: Instrument) -> Frame:
        """Raises Rejection when neither the price of the entry nor the one it asked for is known."""
        entry = self.entry_price or self.entry_level
        if entry is None:
            raise Rejection("NO_PRICE", f"what {self.symbol} was entered at is not known", "set a stop anew")
        return Frame(instrument, self.direction, entry)
