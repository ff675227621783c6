"""Whose turn it is to be asked for, of orders whose end is not known: in the query, so that orders which nobody can
resolve (a key that was taken back, a market that is gone) stand in nobody's way.

Each look that finds nothing doubles the pause before the next. While an order is young, and a fill of it may stand
without its stop, the pause stays short; one that has been left to people is asked for seldom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import (
    Case,
    Count,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    Max,
    Min,
    Q,
    QuerySet,
    Value,
    When,
)

from exchanges.registry import every_venue
from execution.models import Order

Pair = tuple[str, str]
#: unresolved for this long: somebody should look
ALARM = timedelta(minutes=5)
#: and for this long: nobody but people will find out
HAND_OVER = timedelta(hours=1)
YOUNG_PAUSE_SECONDS = 4
LONGEST_PAUSE_SECONDS = 60
HANDED_PAUSE_SECONDS = 900


def passed(row: Order, limit: timedelta, now: datetime) -> bool:
    """Whether it has become older than that since the last look, which is told once then."""
    return row.updated_at - row.created_at <= limit < now - row.created_at


def pairs(rows: QuerySet[Order], now: datetime, most: int) -> list[Pair]:
    """(account, venue) with an order that is due, at most so many of each venue: those with a young order first, then
    those that were asked about longest ago, so that an account with many has no more turns than one with few."""
    found = (
        rows.order_by()
        .values_list("account__public_id", "venue")
        .annotate(
            due=Min("updated_at", filter=_due(now)),
            last=Max("updated_at", filter=Q(lookups__gt=0)),
            created=Min("created_at"),
            young=Count("pk", filter=_young(now)),
            new=Count("pk", filter=Q(lookups=0)),
            many=Count("pk", filter=~_handed(now)),
        )
        .filter(due__isnull=False)
    )
    ready = [
        (not young, last or created, (account, venue))
        for account, venue, due, last, created, young, new, many in found
        if new or now - due >= _share(venue, many)
    ]
    return some_of_each((pair for _, _, pair in sorted(ready)), most)


def orders(rows: QuerySet[Order], now: datetime, most: int) -> list[Order]:
    """Those of one account at one venue that are due, in the order in which to ask."""
    many = rows.exclude(_handed(now)).count()
    old = Case(When(_young(now), then=Value(0)), default=Value(1))
    due = rows.filter(_due(now)).order_by(old, "updated_at")[:most]
    return [row for row in due if not row.lookups or now - row.updated_at >= _share(row.venue, many)]


def some_of_each(ready: Iterable[Pair], most: int) -> list[Pair]:
    """The first ones of every venue."""
    taken: Counter[str] = Counter()
    chosen = []
    for account, venue in ready:
        taken[venue] += 1
        if taken[venue] <= most:
            chosen.append((account, venue))
    return chosen


def _share(venue: str, many: int) -> timedelta:
    """How long a look at each of so many takes at least, by the exchange's limits."""
    kind = every_venue().get(venue.lower())
    if kind is None:
        return timedelta(0)
    return timedelta(seconds=kind.look_seconds * (1 if kind.features.lists_tell_all else many))


def _young(now: datetime) -> Q:
    return Q(created_at__gt=now - ALARM)


def _handed(now: datetime) -> Q:
    return Q(created_at__lte=now - HAND_OVER)


def _due(now: datetime) -> Q:
    def pause(seconds: int) -> Value:
        return Value(timedelta(seconds=seconds), output_field=DurationField())

    doubling = [When(lookups=looks, then=pause(2**looks)) for looks in range(2, 6)]
    pauses = Case(
        When(lookups=0, then=pause(0)),
        When(_handed(now), then=pause(HANDED_PAUSE_SECONDS)),
        When(lookups=1, then=pause(2)),
        When(_young(now), then=pause(YOUNG_PAUSE_SECONDS)),
        *doubling,
        default=pause(LONGEST_PAUSE_SECONDS),
    )
    moment = ExpressionWrapper(Value(now) - pauses, output_field=DateTimeField())
    return Q(updated_at__lte=moment)
