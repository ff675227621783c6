"""What became of an order that ended while nobody looked and that its exchange has forgotten, as its fills tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from exchanges.errors import Unsupported
from exchanges.types import (
    Direction,
    Fill,
    Instrument,
    OrderRef,
    OrderStatus,
    OrderType,
    Report,
    Side,
)
from execution.amounts import SizeUnit
from execution.commands import Entry, EntryKind, Go, Reverse, Step
from execution.desk import Desk
from execution.forgotten import SURELY
from execution.models import Difference, DifferenceKind, Order
from execution.protection import down

#: between the clocks of two machines lies less
CLOCKS = timedelta(seconds=5)
_TYPES = {EntryKind.LIMIT: OrderType.LIMIT, EntryKind.STOP: OrderType.STOP}


def fills_of(desk: Desk, instrument: Instrument, ref: OrderRef, since: datetime) -> list[Fill] | None:
    """Those of an order that went out after `since` and that the exchange does not know any more, oldest first; [] when it
    surely has none. None where the exchange does not tell. Raises ExchangeError: then it may tell later."""
    since -= CLOCKS
    if timezone.now() - since >= timedelta(seconds=desk.venue.features.fills_memory_seconds * SURELY):
        return None
    try:
        told = desk.venue.fills(desk.keys, instrument, since)
    except Unsupported:
        return None
    own = sorted((each for each in told if _is_of(each, ref)), key=lambda each: each.at)
    return own if own or _told_apart(desk, ref) else None


def _is_of(fill: Fill, ref: OrderRef) -> bool:
    """By our name for the order, or by the exchange's."""
    pairs = ((fill.client_id, ref.client_id), (fill.exchange_id, ref.exchange_id))
    return any(told and told == known for told, known in pairs)


def _told_apart(desk: Desk, ref: OrderRef) -> bool:
    """Whether a fill of it would have been known for one."""
    features = desk.venue.features
    named = bool(ref.exchange_id or (ref.client_id and features.fills_named))
    return named and (features.fills_triggered or not ref.conditional)


def told_by(
    fills: Sequence[Fill], instrument: Instrument, ref: OrderRef, side: Side, quantity: Decimal | None
) -> Report:
    """What the exchange would have told of an order for `quantity`: it stands no more. Where nobody wrote down how much was
    asked for, it is taken to have filled: what has not, somebody has cancelled."""
    filled = sum((each.quantity for each in fills), Decimal(0))
    whole = quantity is None or filled > quantity - instrument.step
    return Report(
        exchange_id=fills[0].exchange_id or ref.exchange_id,
        client_id=ref.client_id,
        symbol=instrument.symbol,
        side=side,
        type=OrderType.MARKET,
        status=OrderStatus.FILLED if whole else OrderStatus.CANCELLED,
        quantity=quantity,
        filled=filled,
        average_price=instrument.average([(each.quantity, each.price) for each in fills]),
    )


# -- of a command's order ------------------------------------------------------------------------------------


def report_of(
    desk: Desk, row: Order, instrument: Instrument, step: Step, ref: OrderRef, fills: Sequence[Fill]
) -> Report:
    side = _side(step, fills)
    told = told_by(fills, instrument, ref, side, _asked_for(row, instrument, step))
    return replace(told, type=_type(step), position_side=_opened(desk, instrument, step, side))


def _side(step: Step, fills: Sequence[Fill]) -> Side:
    """As it was ordered, where the step says so: whose side a trade tells, exchanges do not all say."""
    direction = step.direction if isinstance(step, Entry | Go | Reverse) else None
    return direction.entry_side if direction else fills[0].side


def _type(step: Step) -> OrderType:
    return _TYPES.get(step.kind, OrderType.MARKET) if isinstance(step, Entry) else OrderType.MARKET


def _asked_for(row: Order, instrument: Instrument, step: Step) -> Decimal | None:
    known: Decimal | None = row.quantity
    size = step.size if isinstance(step, Entry) else None
    if known is not None or size is None or size.value is None:
        return known
    plain = size.unit is SizeUnit.BASE and not instrument.inverse
    return down(size.value, instrument.step) if plain else None


def _opened(desk: Desk, instrument: Instrument, step: Step, side: Side) -> Direction | None:
    """The position that an entry opened, where long and short stand apart."""
    if desk.spot or not isinstance(step, Entry | Go | Reverse) or not desk.hedged(instrument):
        return None
    return Direction.LONG if side is Side.BUY else Direction.SHORT


def followed(row: Order, instrument: Instrument, fills: Sequence[Fill]) -> bool:
    """Whether what they did to the position was found there since, and put down as a difference: it counts already."""
    later = Difference.objects.filter(
        account=row.account, venue=row.venue, instrument=instrument.symbol, at__gte=fills[-1].at
    )
    return later.exclude(kind=DifferenceKind.ORPHAN).exists()
