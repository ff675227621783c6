"""Orders that an exchange may have forgotten: it knows those that ended for a while only. While it would still know one,
not to know it says that the order never arrived; afterwards its fills tell (`execution.unseen`), where the exchange
remembers those for longer, else the position may."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import Account
from exchanges.registry import venue_class
from exchanges.types import Instrument
from execution import holdings
from execution.agreement import signed
from execution.brokers import region_redis
from execution.desk import Desk
from execution.lanes import lane_of
from execution.models import OPEN_STATES, Comparison, Difference, DifferenceKind, Order

#: of the time that an exchange names, this part is relied on
SURELY = 0.9


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
