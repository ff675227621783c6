"""What a person has to look at: positions that stand without the stop they were to have, orders whose end nobody knows.

Read from history, every few seconds, beside the orders: nothing here can hold one up, and a worker that dies takes no
alarm with it. What lasts is told once, in the log and by mail, and shown on the user's home page until it is over.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts import notices
from execution import brackets
from execution.jobs import plain
from execution.legs import ATTEMPTS
from execution.models import ACTIVE_BRACKETS, OPEN_STATES, Alarm, Bracket, Order
from execution.protection import LegKind, LegState
from execution.turns import ALARM
from execution.watched import bare

log = logging.getLogger(__name__)
#: a stop that is being placed anew is missing for a moment: what lasts longer is told
PATIENCE = timedelta(seconds=10)
#: what comes back after this long is told again
AGAIN = timedelta(hours=1)


def sweep(region: str) -> None:
    """Bring the alarms of a region up to date, and tell those that are due."""
    stops, ends = Alarm.objects.filter(bracket__region=region), Alarm.objects.filter(order__region=region)
    _keep(stops, {alarm.bracket_id: alarm for alarm in _without_stop(region)}, "bracket")
    _keep(ends, {alarm.order_id: alarm for alarm in _without_end(region)}, "order")
    for rows in (stops, ends):
        for alarm in rows.filter(told_at=None, over_at=None).select_related(*Alarm.SHOWN_WITH):
            if _due(alarm) and Alarm.objects.filter(pk=alarm.pk, told_at=None).update(told_at=timezone.now()):
                _tell(alarm)


def _without_stop(region: str) -> Iterator[Alarm]:
    rows = Bracket.objects.filter(region=region, status__in=ACTIVE_BRACKETS).select_related("account")
    for row in filter(bare, brackets.readable(rows)):
        why = row.note or _said(row) or "the exchange has not confirmed it"
        yield Alarm(user_id=row.user_id, bracket=row, why=why)


def _said(row: Bracket) -> str:
    """Of its stop, the last words."""
    stops = [leg for leg in brackets.from_row(row).legs if leg.kind is LegKind.STOP and leg.error]
    return stops[-1].error if stops else ""


def _without_end(region: str) -> Iterator[Alarm]:
    rows = Order.objects.filter(region=region, status__in=OPEN_STATES, created_at__lt=timezone.now() - ALARM)
    for row in rows:
        why = (row.error or {}).get("message") or "its worker died before it told"
        yield Alarm(user_id=row.user_id, order=row, why=why)


def _keep(rows: QuerySet[Alarm], found: dict[int | None, Alarm], subject: str) -> None:
    """`found`: what is wrong now, by the key of its `subject`."""
    now = timezone.now()
    known = rows.filter(Q(over_at=None) | Q(**{f"{subject}__in": list(found)}))
    for old in known:
        new = found.pop(getattr(old, f"{subject}_id"), None)
        if new is None:
            _end(old)
        elif old.over_at is not None and now - old.over_at > AGAIN:
            rows.filter(pk=old.pk).update(why=new.why, since=now, told_at=None, over_at=None)
        elif old.over_at is not None or old.why != new.why:
            rows.filter(pk=old.pk).update(why=new.why, over_at=None)
    Alarm.objects.bulk_create(found.values(), ignore_conflicts=True)


def _end(alarm: Alarm) -> None:
    """Nobody is to be bothered with what was never told."""
    if alarm.told_at is None:
        Alarm.objects.filter(pk=alarm.pk, told_at=None).delete()
    else:
        Alarm.objects.filter(pk=alarm.pk).update(over_at=timezone.now())


def _due(alarm: Alarm) -> bool:
    return alarm.bracket is None or timezone.now() - alarm.since >= PATIENCE


def _tell(alarm: Alarm) -> None:
    url = settings.PUBLIC_URL + reverse("execution:order", args=[alarm.token])
    if (row := alarm.bracket) is not None:
        log.error("bracket %s: %s has no stop: %s", row.public_id, alarm.subject, alarm.why)
        using = f"{row.symbol} on {row.venue} using {row.account.label}"
        held = f"{row.direction} {plain(row.quantity - row.closed)} {alarm.subject}"
        notices.no_stop(row.account, held, alarm.why, tries=_tries(row), using=using, url=url)
    elif (order := alarm.order) is not None:
        log.error("order %s: what became of it on %s is not known: %s", order.token, order.venue, alarm.why)
        notices.no_end(
            alarm.user.email,
            alarm.subject,
            order.command,
            alarm.why,
            asks=order.account_id is not None,
            url=url,
        )


def _tries(row: Bracket) -> bool:
    """Whether supervision goes on trying to place the stop (`legs.given_up`)."""
    stops = brackets.from_row(row).live(LegKind.STOP)
    return not any(leg.status is LegState.FAILED and leg.attempts >= ATTEMPTS for leg in stops)
