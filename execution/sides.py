"""The close of both sides of a hedged position: two orders behind one row of history, which ends when both are accounted
for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from exchanges.errors import OrderNotFound
from exchanges.types import Direction, Instrument, OrderRef, Report, Side
from execution.commands import Close, Go, Step
from execution.desk import Desk
from execution.exits import combined_status, totals
from execution.ids import side_token
from execution.models import Order
from execution.unseen import fills_of, told_by


def both(desk: Desk, instrument: Instrument, step: Step) -> bool:
    """Whether a step may have sent an order for each side. Raises ExchangeError when the position mode cannot be read."""
    means_both = isinstance(step, Close | Go) and step.direction is None
    return means_both and not desk.spot and desk.hedged(instrument)


def ask(desk: Desk, instrument: Instrument, row: Order) -> list[Report]:
    """The orders that the exchange knows, two at most. Raises ExchangeError."""
    found = []
    for ref in _refs(desk, row):
        with suppress(OrderNotFound):
            report = desk.venue.fetch(desk.keys, instrument, ref)
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
