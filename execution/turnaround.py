"""Orders that state a wanted position: go, reverse, and the account's rule for opposite signals.

They read the position, close what points the other way, and open what is missing, so that repeats, losses and
reordering of messages heal themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from exchanges.types import Direction, Instrument, Position
from execution.arming import arm
from execution.commands import Close, Entry, EntryKind, Go, Reverse, Size, SizeUnit
from execution.desk import Desk
from execution.entry import Opened, basis_for, check_market, enter, expected_price, spelled_out
from execution.exits import Closed, close, is_exit
from execution.ids import step_token
from execution.protection import Guarded
from execution.rejection import Rejection
from execution.sizing import quantity

Make = Callable[..., Guarded]


@dataclass(slots=True)
class Turned:
    """What was closed and what was opened; neither means that the position was already as wanted."""

    instrument: Instrument
    closed: Closed | None = None
    opened: Opened | None = None
    bracket: Guarded | None = None


def go(desk: Desk, step: Go, instrument: Instrument, token: str, make: Make) -> Turned:
    """Reach the wanted position with as few orders as it takes: none, one, or two for a change of side."""
    turned = Turned(instrument)
    positions = desk.positions(instrument)
    against = [each for each in positions if each.direction is not step.direction]
    if step.direction is None:
        if positions:
            turned.closed = close(desk, Close(options=step.options), instrument, token)
        return turned
    if step.direction is Direction.SHORT and desk.spot:
        raise Rejection(
            "NOT_ON_SPOT", "spot has no short positions", "write go flat, or trade futures: _F", step.span
        )
    check_market(desk, step, instrument)
    held = sum((each.quantity for each in positions if each.direction is step.direction), Decimal(0))
    wanted = _wanted(desk, step, instrument)
    if against:
        turned.closed = close(
            desk, Close(direction=against[0].direction), instrument, step_token(token, "close")
        )
    if wanted > held:
        turned.opened = _open(desk, step, instrument, token, make, wanted - held)
    elif wanted < held:
        part = Close(step.direction, Size(SizeUnit.BASE, held - wanted), options=step.options)
        turned.closed = close(desk, part, instrument, token)
    elif step.protection and not against:
        turned.bracket = _rearm(desk, step, instrument, positions[0], make)
    return turned


def _wanted(desk: Desk, step: Go, instrument: Instrument) -> Decimal:
    assert step.direction is not None
    assert step.size is not None
    probe = Entry(
        EntryKind.MARKET, step.direction, step.size, protection=step.protection, options=step.options
    )
    price = expected_price(desk, probe, instrument)
    basis = basis_for(desk, step.size, instrument, step.direction, step.options, step.protection, price)
    return quantity(step.size, basis)


def _open(
    desk: Desk, step: Go | Reverse, instrument: Instrument, token: str, make: Make, amount: Decimal
) -> Opened:
    assert step.direction is not None
    size = Size(SizeUnit.BASE, amount, span=step.size.span if step.size else step.span)
    entry = Entry(
        EntryKind.MARKET,
        step.direction,
        size,
        protection=step.protection,
        options=step.options,
        span=step.span,
    )
    return enter(desk, entry, instrument, token, make)


def _rearm(desk: Desk, step: Go, instrument: Instrument, position: Position, make: Make) -> Guarded | None:
    """The position is already as wanted: protect it if nothing does (a repeat after a half-failed first)."""
    exits = [
        report for report in desk.venue.open_orders(desk.keys, instrument) if is_exit(report, spot=desk.spot)
    ]
    if exits or desk.dry_run or not position.entry_price:
        return None
    bracket = make(
        instrument=instrument.symbol,
        direction=position.direction,
        hedge=not desk.spot and desk.hedged(instrument),
        plan=spelled_out(step.protection),
        entry_price=position.entry_price,
        quantity=position.quantity,
    )
    arm(desk, bracket, instrument)
    return bracket


def reverse(desk: Desk, step: Reverse, instrument: Instrument, token: str, make: Make) -> Turned:
    """Close the position and open the same size (or the size written) the other way."""
    if desk.spot:
        raise Rejection(
            "NOT_ON_SPOT", "spot has no short positions to reverse to", "trade futures: _F", step.span
        )
    check_market(desk, step, instrument)
    turned = Turned(instrument)
    positions = desk.positions(instrument)
    if step.direction and any(each.direction is step.direction for each in positions):
        return turned  # already on the wanted side
    if not positions:
        raise Rejection(
            "NO_POSITION",
            f"there is no position on {instrument.symbol} to reverse",
            "open one first, or use go",
            step.span,
        )
    position = positions[0]
    direction = step.direction or position.direction.opposite
    amount = position.quantity
    if step.size is not None:
        amount = _wanted(desk, Go(direction, step.size, step.protection, step.options), instrument)
    turned.closed = close(desk, Close(position.direction), instrument, step_token(token, "close"))
    _must_be_flat(turned.closed, position)
    turned.opened = _open(desk, replace(step, direction=direction), instrument, token, make, amount)
    return turned


def _must_be_flat(closed: Closed, position: Position) -> None:
    if position.direction not in closed.gone:
        raise Rejection(
            "NOT_CLOSED",
            f"the {position.direction} was not closed completely, so the other side was not opened",
            "look at the position on the exchange",
        )


def reverses(desk: Desk, step: Entry, instrument: Instrument) -> bool:
    """The account's rule `reverse`: an entry against the open position turns it around."""
    if desk.opposite_signal != "reverse" or desk.spot or step.kind is not EntryKind.MARKET:
        return False
    return not desk.hedged(instrument) and bool(desk.positions(instrument, step.direction.opposite))
