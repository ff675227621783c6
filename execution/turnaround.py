"""Orders that state a wanted position: go, reverse, and the account's rule for opposite signals.

They read the position, close what points the other way, and open what is missing, so that repeats, losses and
reordering of messages heal themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from exchanges.errors import ExchangeError, OutcomeUnknown
from exchanges.types import Direction, Instrument, OrderRequest, Position
from execution.amounts import Size, SizeUnit
from execution.arming import arm
from execution.basis import basis_for
from execution.commands import Close, Entry, EntryKind, Go, Reverse
from execution.confirm import UnknownOutcome
from execution.desk import Desk
from execution.entry import Opened, carry_out, guarded, place, plan
from execution.entry_order import expected_price
from execution.exits import Closed, close, is_exit
from execution.ids import step_token
from execution.protection import Guarded, asks_for_legs, spelled_out
from execution.rejection import Rejection
from execution.rules import check_market, set_leverage
from execution.sizing import check_bounds, exact_quantity, quantity

Make = Callable[..., Guarded]


@dataclass(slots=True)
class Turned:
    """What was closed and what was opened; neither means that the position was already as wanted."""

    instrument: Instrument
    closed: Closed | None = None
    opened: Opened | None = None
    bracket: Guarded | None = None
    #: what the caller should know although nothing failed
    note: str = ""
    #: why nothing was opened after the old position had been closed; UnknownOutcome: whether it was is not known
    failure: Rejection | ExchangeError | UnknownOutcome | None = None


def go(desk: Desk, step: Go, instrument: Instrument, token: str, make: Make) -> Turned:
    """Reach the wanted position with as few orders as it takes: none, one, or two for a change of side."""
    turned = Turned(instrument)
    positions = desk.positions(instrument)
    against = [each for each in positions if each.direction is not step.direction]
    if step.direction is None:
        if positions:
            turned.closed = close(desk, Close(options=step.options, span=step.span), instrument, token)
        return turned
    if step.direction is Direction.SHORT and desk.spot:
        raise Rejection(
            "NOT_ON_SPOT", "spot has no short positions", "write go flat, or trade futures: _F", step.span
        )
    check_market(desk, step, instrument)
    held = sum((each.quantity for each in positions if each.direction is step.direction), Decimal(0))
    wanted = _wanted(desk, step, instrument)
    if wanted > held:
        side = against[0].direction if against else None
        turned.note = _bare(step, instrument, wanted - held) if held else ""
        return _turn(desk, step, instrument, token, make, _Amounts(wanted - held, side), turned)
    if against:  # hedge mode: beside the wanted side
        turned.closed = close(desk, Close(against[0].direction), instrument, step_token(token, "close"))
    if wanted < held:
        part = Close(step.direction, Size(SizeUnit.BASE, held - wanted), options=step.options)
        turned.closed = _together(turned.closed, close(desk, part, instrument, token))
    elif asks_for_legs(step.protection) and turned.closed is None:
        turned.bracket = _rearm(desk, step, instrument, positions[0], make)
    return turned


def _bare(step: Go, instrument: Instrument, added: Decimal) -> str:
    """What was added to a position has no part in the stop of what was there before."""
    if step.protection:
        return ""
    amount = f"{added.normalize():f} {instrument.unit}"
    return f"no stop protects the {amount} that were added: write sl behind go, or set one for all of it"


def _together(first: Closed | None, second: Closed) -> Closed:
    if first is None:
        return second
    second.reports = first.reports + second.reports
    second.requested += first.requested
    second.gone = first.gone + second.gone
    second.left = first.left + second.left
    second.cancelled = first.cancelled + second.cancelled
    second.left_over = first.left_over or second.left_over
    return second


@dataclass(frozen=True, slots=True)
class _Amounts:
    """How much to open, and which side to close first, if any."""

    opens: Decimal
    closes: Direction | None


def _turn(
    desk: Desk,
    step: Go | Reverse,
    instrument: Instrument,
    token: str,
    make: Make,
    amounts: _Amounts,
    turned: Turned,
) -> Turned:
    """Check everything about the new position, close the old one, open the new one. What goes wrong after the
    close is told beside it, because the close stands."""
    entry = _entry(step, amounts.opens)
    order = plan(desk, entry, instrument, token)
    set_leverage(desk, step.options, instrument, step.direction)
    if amounts.closes is None:
        turned.opened = carry_out(desk, entry, order, make)
        return turned
    turned.closed = close(desk, Close(amounts.closes), instrument, step_token(token, "close"))
    try:
        _must_be_flat(desk, turned.closed, amounts.closes)
        report = place(desk, order)
    except (Rejection, ExchangeError, UnknownOutcome) as failure:
        turned.failure = failure
        return turned
    try:
        turned.opened = guarded(desk, entry, order, report, make)
    except (Rejection, ExchangeError, UnknownOutcome) as failure:
        turned.failure = _stands(order, failure)
    return turned


def _stands(order: OrderRequest, failure: Rejection | ExchangeError | UnknownOutcome) -> UnknownOutcome:
    """The new order had been placed when something failed: reconciliation reads what it filled, and protects it."""
    reason = failure.reason if isinstance(failure, UnknownOutcome) else failure
    return UnknownOutcome(order, OutcomeUnknown(f"it was opened, and then: {reason.message}"))


def _entry(step: Go | Reverse, amount: Decimal) -> Entry:
    assert step.direction is not None
    size = Size(SizeUnit.BASE, amount, span=step.size.span if step.size else step.span)
    return Entry(
        EntryKind.MARKET,
        step.direction,
        size,
        protection=step.protection,
        options=step.options,
        span=step.span,
    )


def _wanted(desk: Desk, step: Go, instrument: Instrument) -> Decimal:
    assert step.direction is not None
    assert step.size is not None
    probe = Entry(
        EntryKind.MARKET, step.direction, step.size, protection=step.protection, options=step.options
    )
    price = expected_price(desk, probe, instrument)
    basis = basis_for(desk, step.size, instrument, step.direction, step.options, step.protection, price)
    amount = quantity(step.size, basis)
    if amount <= 0:  # rounded away: that must not read as "leave the position"
        check_bounds(exact_quantity(step.size, basis), price, instrument, step.size)
    return amount


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
    amounts = _Amounts(amount, position.direction)
    return _turn(desk, replace(step, direction=direction), instrument, token, make, amounts, turned)


def _must_be_flat(desk: Desk, closed: Closed, side: Direction) -> None:
    if side not in closed.gone and not desk.dry_run:
        raise Rejection(
            "NOT_CLOSED",
            f"the {side} was not closed completely, so the other side was not opened",
            "look at the position on the exchange",
        )


def reverses(desk: Desk, step: Entry, instrument: Instrument) -> bool:
    """The account's rule `reverse`: an entry against the open position turns it around."""
    if desk.opposite_signal != "reverse" or desk.spot or step.kind is not EntryKind.MARKET:
        return False
    return not desk.hedged(instrument) and bool(desk.positions(instrument, step.direction.opposite))
