"""Protection of a position that is already open: set, move or remove its stop and targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from exchanges.errors import Unsupported
from exchanges.types import Instrument, OrderType, Position, Report
from execution.arming import arm
from execution.commands import Level, Protect, Protection
from execution.desk import Desk
from execution.entry import spelled_out
from execution.exits import closing_direction, is_exit
from execution.protection import Frame, Guarded, check_sides, stop_price, target_price
from execution.rejection import Rejection

_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)


def protect(desk: Desk, step: Protect, instrument: Instrument, make: Callable[..., Guarded]) -> Guarded:
    """Place the new legs, then take the old ones of the same kind away: the position is never bare in between
    (except where the old leg holds the balance, or the room beside the position, that the new one needs)."""
    position = _position(desk, step, instrument)
    plan = spelled_out(step.protection)
    entry = position.entry_price or desk.quote(instrument).last
    _check(desk, plan, instrument, position, entry)
    bracket = make(
        instrument=instrument.symbol,
        direction=position.direction,
        hedge=not desk.spot and desk.hedged(instrument),
        plan=plan,
        entry_price=entry,
        quantity=position.quantity,
    )
    if desk.dry_run:
        arm(desk, bracket, instrument)
        return bracket
    old = _replaced(desk, plan, instrument, position)
    if desk.makes_room:
        _cancel(desk, instrument, old)
    arm(desk, bracket, instrument)
    if not desk.makes_room and bracket.status in ("armed", "pending"):
        _cancel(desk, instrument, old)
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
    return positions[0]


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


def _replaced(desk: Desk, plan: Protection, instrument: Instrument, position: Position) -> list[Report]:
    """The exits that the words replace: stops if a stop is named, targets if a target is."""
    found = []
    for report in desk.venue.open_orders(desk.keys, instrument):
        if not is_exit(report, spot=desk.spot) or closing_direction(report) is not position.direction:
            continue
        if plan.stop if report.type in _STOPS else plan.targets:
            found.append(report)
    return found


def _cancel(desk: Desk, instrument: Instrument, reports: list[Report]) -> None:
    for report in reports:
        desk.cancel(instrument, report.ref)


def take_away_replaced(desk: Desk, bracket: Guarded, instrument: Instrument, position: Position) -> None:
    """The exits that a bracket's plan replaces, its own legs left alone."""
    own = {name for leg in bracket.legs for name in (leg.client_id, leg.exchange_id) if name}
    old = _replaced(desk, bracket.plan, instrument, position)
    _cancel(desk, instrument, [each for each in old if not {each.client_id, each.exchange_id} & own])
