"""Orders that an exchange may have forgotten: it knows those that ended for a while only. While it would still know one,
not to know it says that the order never arrived; afterwards its fills tell, where the exchange remembers those for longer,
else the position may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from accounts.models import Account
from exchanges.errors import Unsupported
from exchanges.registry import venue_class
from exchanges.types import Direction, Fill, Instrument, OrderStatus, OrderType, Report, Side
from execution import holdings
from execution.agreement import signed
from execution.brokers import region_redis
from execution.commands import Entry, EntryKind, Go, Reverse, SizeUnit, Step
from execution.desk import Desk
from execution.lanes import lane_of
from execution.models import OPEN_STATES, Comparison, Difference, DifferenceKind, Order
from execution.protection import down

#: of the time that an exchange names, this part is relied on
SURELY = 0.9
#: between the clocks of two machines lies less
CLOCKS = timedelta(seconds=5)
_TYPES = {EntryKind.LIMIT: OrderType.LIMIT, EntryKind.STOP: OrderType.STOP}


def memory(venue: str) -> timedelta:
    """For so long after its end an order is certainly known by our id."""
    return timedelta(seconds=venue_class(venue).features.client_id_memory_seconds * SURELY)


def recalled(row: Order) -> bool:
    """Of an order that the exchange has just said not to know: whether it would know it, had it arrived. It came not
    longer ago than the exchange remembers; or a look before, that did not find it either, is not longer ago than that,
    so that it cannot have come, ended and been forgotten between the two."""
    recent = bool(region_redis(row.region).exists(_name(row)))
    if sure := recent or timezone.now() - row.created_at < memory(row.venue):
        looked(row)
    return sure


def looked(row: Order) -> None:
    """The exchange has just said what it knows of the order."""
    if kept := memory(row.venue):
        region_redis(row.region).set(_name(row), "1", px=kept)


def _name(row: Order) -> str:
    return f"asked:{row.token}"


def fills_of(desk: Desk, row: Order, instrument: Instrument, step: Step) -> list[Fill] | None:
    """Those of an order that the exchange does not know any more, oldest first; [] when it surely has none. None where
    the exchange does not tell. Raises ExchangeError: then it may tell later."""
    since = row.created_at - CLOCKS
    reach = timedelta(seconds=desk.venue.features.fills_memory_seconds * SURELY)
    if timezone.now() - since >= reach:
        return None
    try:
        told = desk.venue.fills(desk.keys, instrument, since)
    except Unsupported:
        return None
    own = sorted((each for each in told if _is_of(each, row)), key=lambda each: each.at)
    return own if own or _told_apart(desk, row, step) else None


def _is_of(fill: Fill, row: Order) -> bool:
    """By our name for the order, or by the exchange's."""
    named = {fill.client_id: row.client_id, fill.exchange_id: row.exchange_id}
    return any(told and told == known for told, known in named.items())


def _told_apart(desk: Desk, row: Order, step: Step) -> bool:
    """Whether a fill of it would have been known for one."""
    features = desk.venue.features
    named = bool(row.exchange_id or (row.client_id and features.fills_named))
    return named and (not _type(step).conditional or features.fills_triggered)


def report_of(desk: Desk, row: Order, instrument: Instrument, step: Step, fills: Sequence[Fill]) -> Report:
    """What the exchange would have told of a forgotten order, from its fills: it stands no more."""
    filled = sum((each.quantity for each in fills), Decimal(0))
    quantity = _asked_for(row, instrument, step)
    whole = quantity is None or filled > quantity - instrument.step
    return Report(
        exchange_id=fills[0].exchange_id or row.exchange_id,
        client_id=row.client_id,
        symbol=instrument.symbol,
        side=fills[0].side,
        type=_type(step),
        status=OrderStatus.FILLED if whole else OrderStatus.CANCELLED,
        quantity=quantity,
        filled=filled,
        average_price=instrument.average([(each.quantity, each.price) for each in fills]),
        position_side=_opened(desk, instrument, step, fills[0].side),
        reason="it stands no more" if not whole else "",
    )


def _type(step: Step) -> OrderType:
    return _TYPES.get(step.kind, OrderType.MARKET) if isinstance(step, Entry) else OrderType.MARKET


def _asked_for(row: Order, instrument: Instrument, step: Step) -> Decimal | None:
    """None where nobody wrote it down: it is taken to have filled, for what has not is cancelled by somebody."""
    known: Decimal | None = row.quantity
    if known is not None:
        return known
    size = step.size if isinstance(step, Entry) else None
    if size is None or size.value is None or size.unit is not SizeUnit.BASE or instrument.inverse:
        return None
    return down(size.value, instrument.step)


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


def unmoved(desk: Desk, row: Order, instrument: Instrument) -> bool:
    """Whether the position is what all other orders led to, so that nothing stands of this one. That can be said on
    futures only, of an account that agreed with the exchange before the order came and ever since, while nothing else
    of unknown outcome is about on the symbol."""
    account, asked = row.account, timezone.now()
    if account is None or desk.spot or not _agreed(account, row, instrument) or _in_company(account, row):
        return False
    found = signed(desk.positions(instrument)).get(instrument.symbol)
    known = holdings.of(account, row.venue).get(instrument.symbol)
    if known is None:
        return not found
    return not _moved(known.moved_at, asked) and abs(known.believed - (found or 0)) < instrument.step


def _moved(at: datetime | None, since: datetime) -> bool:
    return at is not None and at >= since


def _agreed(account: Account, row: Order, instrument: Instrument) -> bool:
    """What an account is compared with begins only while no outcome is unknown (`compare.positions`)."""
    compared = Comparison.objects.filter(
        account=account, venue=row.venue, compared_at__isnull=False, key_fingerprint=account.key_fingerprint
    )
    followed = Difference.objects.filter(
        account=account, venue=row.venue, instrument=instrument.symbol, at__gte=row.created_at
    )
    return compared.exists() and not followed.exclude(kind=DifferenceKind.ORPHAN).exists()


def _in_company(account: Account, row: Order) -> bool:
    others = Order.objects.filter(account=account, venue=row.venue, status__in=OPEN_STATES).exclude(pk=row.pk)
    lanes = {lane_of(account.public_id, row.venue, each) for each in others.values_list("symbol", flat=True)}
    own = (lane_of(account.public_id, row.venue, symbol) for symbol in (row.symbol, "*"))
    return bool(lanes & set(own))
