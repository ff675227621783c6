"""What flipr believes an account to hold on futures: what was found on the exchange last, and its own fills since.

Spot has no holdings: coins are their owner's, and flipr knows only what its brackets claim of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Manager, Model, Q
from django.utils import timezone

from accounts.models import Account
from execution.agreement import phase
from execution.columns import fitting
from execution.fills import Seen
from execution.models import OPEN_STATES, Comparison, Fill, Holding, Order


def keep(account: Account, venue: str, fills: Iterable[Seen]) -> None:
    """Add fills to what is believed, each once, however often it is told. In one order of rows, so that two who
    tell at once do not wait for each other in a circle."""
    for seen in sorted(fills, key=lambda each: (each.instrument, each.name)):
        _keep(account, venue, seen)


@transaction.atomic(savepoint=False)
def _keep(account: Account, venue: str, seen: Seen) -> None:
    """The holding's row, made or only touched, is the lock under which its fills are counted."""
    its = {"account": account, "venue": venue, "name": seen.name}
    told = {"name": seen.name, "instrument": seen.instrument, "filled": seen.filled}
    if fitting(Fill, told) != told:
        return  # what cannot be written down is found by the next comparison
    if not seen.since(_counted(its)):
        return
    held = Holding(account=account, venue=venue, instrument=seen.instrument)
    _upsert(Holding.objects, held, on=["account", "venue", "instrument"], changed=["instrument"])
    change = seen.since(_counted(its))
    if not change:
        return
    fill = Fill(**its, instrument=seen.instrument, side=seen.side.value, filled=seen.filled)
    _upsert(Fill.objects, fill, on=["account", "venue", "name"], changed=["filled", "at"])
    Holding.objects.filter(pk=held.pk).update(
        believed=F("believed") + change, moved_at=timezone.now(), doubted=None, doubted_at=None
    )


def traded(account: Account, venue: str, region: str) -> None:
    """Something was sent for this account: it is compared from now on."""
    now = timezone.now()
    first = now + timedelta(seconds=settings.COMPARE_SECONDS * phase(f"{account.public_id}:{venue}"))
    row = Comparison(account=account, venue=venue, region=region, traded_at=now, due_at=first)
    _upsert(Comparison.objects, row, on=["account", "venue"], changed=["region", "traded_at"])


def _counted(its: dict[str, Any]) -> Decimal:
    return Fill.objects.filter(**its).values_list("filled", flat=True).first() or Decimal(0)


def _upsert(rows: Manager[Any], row: Model, *, on: list[str], changed: list[str]) -> None:
    """Insert it, or change these fields of the one that is there: one statement."""
    rows.bulk_create([row], update_conflicts=True, unique_fields=on, update_fields=changed)


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
