"""Protection of a position that is already open: set, move or remove its stop and targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from exchanges.errors import ExchangeError, Unsupported
from exchanges.types import Direction, Instrument, OrderType, Position, Report
from execution.amounts import Level, Size, SizeUnit
from execution.arming import arm
from execution.commands import Protect
from execution.desk import Desk
from execution.exits import closing_direction, is_exit
from execution.legs import check_legs
from execution.protection import Frame, Guarded, check_sides, down, spelled_out, stop_price, target_price
from execution.rejection import Rejection
from execution.terms import Protection, StopLoss, TakeProfit

_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)


def protect(desk: Desk, step: Protect, instrument: Instrument, make: Callable[..., Guarded]) -> Guarded:
    """Place the new legs, then take the old ones of the same kind away: the position is never bare in between
    (except where the old leg holds the balance, or the room beside the position, that the new one needs)."""
    position = _position(desk, step, instrument)
    plan = spelled_out(step.protection)
    entry = position.entry_price or desk.quote(instrument).last
    hedge = not desk.spot and desk.hedged(instrument)
    _check(desk, plan, instrument, position, entry)
    check_legs(desk, plan, instrument, position.direction, hedge=hedge)
    standing = [] if desk.dry_run else _exits(desk, instrument, position)
    plan = _with_what_goes_too(desk, plan, standing, position)
    bracket = make(
        instrument=instrument.symbol,
        direction=position.direction,
        hedge=hedge,
        plan=plan,
        entry_price=entry,
        quantity=position.quantity,
    )
    if desk.dry_run:
        arm(desk, bracket, instrument)
        return bracket
    old = _named(plan, standing)
    if desk.makes_room:
        desk.changed = bool(old)  # a stop that is gone has to come back when this is cut short
        _cancel(desk, instrument, old)
    arm(desk, bracket, instrument)
    if not desk.makes_room and bracket.status in ("armed", "pending"):
        _take_away(desk, bracket, instrument, old)
    if not bracket.live() and bracket.status == "pending":
        bracket.status, bracket.note = "done", "the protection was removed"
    return bracket


def _position(desk: Desk, step: Protect, instrument: Instrument) -> Position:
    positions = desk.positions(instrument)
    if not positions:
        raise Rejection(
            "NO_POSITION",
            f"there is no position on {instrument.symbol} to protect",
            "open one first",
            step.span,
        )
    if len(positions) > 1:
        raise Rejection(
            "TWO_POSITIONS",
            f"{instrument.symbol} has a long and a short position",
            "close one of them first",
            step.span,
        )
    position = positions[0]
    return replace(position, quantity=down(position.quantity, instrument.step)) if desk.spot else position


def _check(desk: Desk, plan: Protection, instrument: Instrument, position: Position, entry: Decimal) -> None:
    """A level must not have been crossed by the present price already."""
    if desk.spot and not desk.venue.features.conditional:
        raise Unsupported(f"{desk.venue.name} has no stop orders")
    present = desk.price(instrument, position.direction.opposite)
    frame = Frame(instrument, position.direction, entry)
    levels = _as_prices(plan, frame)
    check_sides(levels, Frame(instrument, position.direction, present))


def _as_prices(plan: Protection, frame: Frame) -> Protection:
    stop = plan.stop
    if stop and stop.level:
        price = stop_price(stop.level, frame)
        stop = replace(stop, level=Level(price=price, span=stop.level.span))
        frame = replace(frame, stop=price)
    targets = tuple(
        replace(each, level=Level(price=target_price(each.level, frame), span=each.level.span))
        if each.level
        else each
        for each in plan.targets
    )
    return replace(plan, stop=stop, targets=targets)


def _exits(desk: Desk, instrument: Instrument, position: Position) -> list[Report]:
    standing = desk.venue.open_orders(desk.keys, instrument)
    desk.standing = {name for each in standing for name in (each.client_id, each.exchange_id) if name}
    return [
        report
        for report in standing
        if is_exit(report, spot=desk.spot) and closing_direction(report) is position.direction
    ]


def _named(plan: Protection, exits: list[Report]) -> list[Report]:
    """The exits that the words replace: stops if a stop is named, targets if a target is."""
    return [each for each in exits if (plan.stop if each.type in _STOPS else plan.targets)]


def _with_what_goes_too(desk: Desk, plan: Protection, exits: list[Report], position: Position) -> Protection:
    """What the words leave out becomes part of the new plan where it would be lost or left over: the other leg of a
    linked pair ends with the one that is replaced, and on spot, where no position tells that it is gone, only legs of
    one bracket end each other. Of several stops the nearest counts."""
    others = [each for each in exits if each not in _named(plan, exits) and _level(each)]
    if not others or not (desk.spot or _paired(desk, exits)):
        return plan
    if plan.stop is None:
        nearest = max if position.direction is Direction.LONG else min
        return replace(plan, stop=StopLoss(Level(price=nearest(_level(each) for each in others))))
    return replace(plan, targets=_targets(others, position))


def _paired(desk: Desk, exits: list[Report]) -> bool:
    """Whether to cancel one of them may end another. Not every exchange says of an order that it is part of a pair:
    as many stops as targets may be pairs."""
    features = desk.venue.features
    stops = sum(each.type in _STOPS for each in exits)
    return features.linked_legs and features.linked_cancel and stops * 2 == len(exits)


def _targets(exits: list[Report], position: Position) -> tuple[TakeProfit, ...]:
    """Each with its share, the nearest first."""
    ordered = sorted(exits, key=_level, reverse=position.direction is Direction.SHORT)
    whole = len(exits) == 1 and exits[0].quantity in (None, position.quantity)
    return tuple(
        TakeProfit(
            Level(price=_level(each)),
            number,
            None if whole or each.quantity is None else Size(SizeUnit.BASE, each.quantity),
        )
        for number, each in enumerate(ordered, 1)
    )


def _level(report: Report) -> Decimal:
    return report.trigger_price or report.price or Decimal(0)


def _cancel(desk: Desk, instrument: Instrument, reports: list[Report]) -> None:
    for report in reports:
        desk.cancel(instrument, report.ref)


def _take_away(desk: Desk, bracket: Guarded, instrument: Instrument, old: list[Report]) -> None:
    """The new legs stand whatever becomes of the old ones: a bracket that has them takes them away later."""
    try:
        _cancel(desk, instrument, old)
    except ExchangeError as error:
        bracket.note = f"what it replaces may still stand: {error.message}"


def take_away_replaced(desk: Desk, bracket: Guarded, instrument: Instrument, position: Position) -> None:
    """The exits that a bracket's plan replaces, its own legs left alone."""
    own = {name for leg in bracket.legs for name in (leg.client_id, leg.exchange_id) if name}
    old = _named(bracket.plan, _exits(desk, instrument, position))
    _cancel(desk, instrument, [each for each in old if not {each.client_id, each.exchange_id} & own])
