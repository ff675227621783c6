"""The close of both sides of a hedged position: two orders behind one row of history, which ends when both are accounted
for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from exchanges.errors import OrderNotFound
from exchanges.limits import Priority, pressing
from exchanges.types import Direction, Instrument, OrderRef, Report, Side
from execution import endings, forgotten
from execution.commands import Close, Go, Step
from execution.desk import Desk
from execution.exits import combined_status, totals
from execution.ids import side_token
from execution.jobs import plain
from execution.models import OPEN_STATES, Order, OrderState
from execution.rejection import error_object
from execution.transitions import RECONCILIATION as WHO
from execution.transitions import move_order
from execution.unseen import fills_of, told_by
from execution.verdict import state_of


def both(desk: Desk, instrument: Instrument, step: Step) -> bool:
    """Whether a step may have sent an order for each side. Raises ExchangeError when the position mode cannot be read."""
    means_both = isinstance(step, Close | Go) and step.direction is None
    return means_both and not desk.spot and desk.hedged(instrument)


def settle(desk: Desk, instrument: Instrument, row: Order) -> None:
    """A close of both sides ends when the ends of both are known. One side that is open, and whose order the exchange
    does not know, may have been opened since; or its order never came, or is on its way still."""
    with endings.in_lane(row), pressing(Priority.ENTRY):
        found = ask(desk, instrument, row)
        other = unaccounted(desk, instrument, found)
        if found and other is None:
            _close_known(desk, instrument, row, found)
        elif timezone.now() - row.created_at <= timedelta(seconds=settings.GIVE_UP_SECONDS):
            endings.later(row)
        elif not forgotten.recalled(row):
            _forgotten_sides(desk, instrument, row, found)
        elif not found:
            endings.end(
                row,
                OrderState.NOT_SENT,
                "NOT_SENT",
                "the exchange does not know this order: it never arrived",
            )
        else:
            _close_known(desk, instrument, row, found, other)


def _forgotten_sides(desk: Desk, instrument: Instrument, row: Order, known: list[Report]) -> None:
    told = told_by_fills(desk, instrument, row, known)
    if told:
        _close_known(desk, instrument, row, told, unaccounted(desk, instrument, told))
    elif told is not None:
        endings.end(row, OrderState.NOT_SENT, "NOT_SENT", endings.NO_FILLS)
    else:
        message = "the exchange does not know all orders of this close any more: whether they filled, it does not tell"
        endings.hand_over(row, message, "look at the position and at the order history on the exchange")


def _close_known(
    desk: Desk, instrument: Instrument, row: Order, found: list[Report], left: Direction | None = None
) -> None:
    """`left`: the side that was not closed."""
    if not Order.objects.filter(pk=row.pk, status__in=OPEN_STATES).exists():
        return
    for report in found:
        endings.count(desk, instrument, row, report)
    whole, error = together(found, instrument), None
    state = state_of(whole.status, whole.filled, whole.quantity)
    if left is not None:
        message = f"{plain(whole.filled)} was closed, and the order for the {left} side never arrived"
        error = error_object("HALF_DONE", message, "look at the position, and close it again")
        state = OrderState.PARTIALLY_FILLED if state == OrderState.FILLED else state
    news = endings.news(whole) | {"client_id": whole.client_id, "quantity": whole.quantity}
    move_order(
        row.token, state, by=WHO, why=endings.BY_NAME, instrument=instrument.symbol, error=error, **news
    )


def ask(desk: Desk, instrument: Instrument, row: Order) -> list[Report]:
    """The orders that the exchange knows, two at most. Raises ExchangeError."""
    found = []
    for ref in _refs(desk, row):
        with suppress(OrderNotFound):
            report = desk.fetch(instrument, ref)
            found.append(replace(report, client_id=report.client_id or ref.client_id))
    return found


def _refs(desk: Desk, row: Order) -> Iterator[OrderRef]:
    for number in range(len(Direction)):
        client_id = desk.venue.client_id(side_token(row.token, number))
        yield OrderRef(client_id, row.exchange_id if row.client_id == client_id else "")


def told_by_fills(
    desk: Desk, instrument: Instrument, row: Order, known: Sequence[Report]
) -> list[Report] | None:
    """`known`, and those that the exchange has forgotten; None where it does not tell of each. Raises ExchangeError."""
    told, names = list(known), {each.client_id for each in known}
    for ref in _refs(desk, row):
        if ref.client_id not in names:
            fills = fills_of(desk, instrument, ref, row.created_at)
            if fills is None:
                return None
            told += [told_by(fills, instrument, ref, fills[0].side, None)] if fills else []
    return told


def unaccounted(desk: Desk, instrument: Instrument, found: Sequence[Report]) -> Direction | None:
    """The side that is open while the exchange knows of an order for the other one only. Raises ExchangeError."""
    if len(found) != 1:
        return None
    other = Direction.SHORT if found[0].side is Side.SELL else Direction.LONG
    return other if desk.positions(instrument, other) else None


def together(found: Sequence[Report], instrument: Instrument) -> Report:
    """What became of all of them, under the name of the first."""
    filled, price = totals(list(found), instrument)
    asked = sum((each.filled if each.quantity is None else each.quantity for each in found), Decimal(0))
    status = combined_status(list(found))
    return replace(found[0], status=status, quantity=asked, filled=filled, average_price=price)
