"""What flipr believes an account to hold on futures: what was found on the exchange last, and its own fills since.

Spot has no holdings: coins are their owner's, and flipr knows only what its brackets claim of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Account
from execution.agreement import phase
from execution.fills import Seen
from execution.models import OPEN_STATES, Comparison, Fill, Holding, Order


def keep(account: Account, venue: str, fills: Iterable[Seen]) -> None:
    """Add fills to what is believed, each once, however often it is told. In one order of rows, so that two who
    tell at once do not wait for each other in a circle."""
    for seen in sorted(fills, key=lambda each: (each.instrument, each.name)):
        _keep(account, venue, seen)


@transaction.atomic
def _keep(account: Account, venue: str, seen: Seen) -> None:
    Holding.objects.get_or_create(account=account, venue=venue, instrument=seen.instrument)
    holding = Holding.objects.select_for_update().get(
        account=account, venue=venue, instrument=seen.instrument
    )
    fill, _ = Fill.objects.get_or_create(
        account=account,
        venue=venue,
        name=seen.name,
        defaults={"instrument": seen.instrument, "side": seen.side.value, "filled": 0},
    )
    change = seen.since(fill.filled)
    if not change:
        return
    Fill.objects.filter(pk=fill.pk).update(filled=seen.filled, at=timezone.now())
    Holding.objects.filter(pk=holding.pk).update(
        believed=F("believed") + change, moved_at=timezone.now(), doubted=None, doubted_at=None
    )


def traded(account: Account, venue: str, region: str) -> None:
    """Something was sent for this account: it is compared from now on."""
    now = timezone.now()
    first = now + timedelta(seconds=settings.COMPARE_SECONDS * phase(f"{account.public_id}:{venue}"))
    row, created = Comparison.objects.get_or_create(
        account=account, venue=venue, defaults={"region": region, "traded_at": now, "due_at": first}
    )
    if not created:
        Comparison.objects.filter(pk=row.pk).update(region=region, traded_at=now)


def of(account: Account, venue: str) -> dict[str, Holding]:
    """By instrument."""
    return {row.instrument: row for row in Holding.objects.filter(account=account, venue=venue)}


def in_motion(account: Account, venue: str, since: datetime) -> set[str] | None:
    """Instruments whose position may change by an order of flipr's that is not accounted for yet: it rests, and
    was not asked for after `since`. None: some order's end is not known, it may be any."""
    rows = Order.objects.filter(account=account, venue=venue)
    if rows.filter(status__in=OPEN_STATES).exists():
        return None
    resting = rows.filter(Q(resting=True), updated_at__lt=since)
    return set(resting.values_list("instrument", flat=True))


def agree(holding: Holding, found: Decimal, liquidation_price: Decimal | None) -> bool:
    """Believe what was found. False when a fill came in since the holding was read."""
    rows = Holding.objects.filter(pk=holding.pk, believed=holding.believed, moved_at=holding.moved_at)
    return bool(
        rows.update(believed=found, liquidation_price=liquidation_price, doubted=None, doubted_at=None)
    )


def doubt(holding: Holding, found: Decimal) -> None:
    rows = Holding.objects.filter(pk=holding.pk, believed=holding.believed, moved_at=holding.moved_at)
    rows.update(doubted=found, doubted_at=timezone.now())


def begin(account: Account, venue: str, found: Mapping[str, Decimal]) -> None:
    """The first agreement: whatever stands on the exchange is taken as it is."""
    for row in Holding.objects.filter(account=account, venue=venue):
        agree(row, found.get(row.instrument, Decimal(0)), None)
    for instrument, quantity in found.items():
        Holding.objects.get_or_create(
            account=account, venue=venue, instrument=instrument, defaults={"believed": quantity}
        )
