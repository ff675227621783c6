"""Once a minute, what stands on an exchange is compared with what flipr believes, for every active account.

Active: usable, and traded through flipr in the last `COMPARE_DAYS`. Accounts whose brackets are looked after anyway
are compared with that same look. What differs is written down (`execution.differences`), and belief follows the
exchange; orders that nobody should have left are cancelled (`execution.orphans`). On spot only what brackets claim
is compared: the coins are their owner's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from accounts.models import Account, AccountStatus
from exchanges.registry import every_venue, venue_class
from exchanges.types import Instrument, Position
from execution import brackets, differences, holdings, pace
from execution.agreement import (
    Compared,
    Doubt,
    Verdict,
    judge,
    left_over,
    liquidated,
    quota,
    reason,
    signed,
)
from execution.desk import Desk
from execution.differences import Gap
from execution.models import (
    ACTIVE_BRACKETS,
    Bracket,
    Comparison,
    DifferenceKind,
    Holding,
    Order,
    Transition,
)
from execution.protection import LegKind
from execution.transitions import RECONCILIATION

#: a look that could not be made comes again after this long
AGAIN = timedelta(seconds=5)
#: a comparison asks one question more than a look: where looks are rare, it is as much rarer
LOOKS_BETWEEN = 3
#: open orders are asked for on so many symbols: those of brackets, holdings, and orders that came lately
SYMBOLS = 10
LATELY = timedelta(days=1)
Pair = tuple[str, str]


@dataclass(slots=True)
class Found:
    """What a look brought. `asked`: the instruments whose positions were asked for; None: all of them.
    `whole`: orders and positions of everything, as once a minute."""

    began: datetime
    positions: list[Position] = field(default_factory=list)
    asked: set[str] | None = None
    whole: bool = False
    #: instruments of which it is not known what flipr's own orders did
    obscured: frozenset[str] = frozenset()


# -- whose turn it is --------------------------------------------------------------------------------------


def due(
    region: str,
    supervised: Iterable[Pair],
    looked_at_now: Iterable[Pair],
    clock: Callable[[], float] = time.time,
) -> list[Pair]:
    """(account, venue) to compare now; their next turn is fixed. Supervised ones are compared when they are looked at
    anyway, for the exchange's limits have no room for another look; of the others, those that wait longest."""
    watched, looking, now = set(supervised), set(looked_at_now), clock()
    waiting = _waiting(region)
    chosen: list[Pair] = []
    for venue in waiting.order_by().values_list("venue", flat=True).distinct():
        if venue.lower() not in every_venue():
            continue  # what only ccxt opens may have been taken away
        rows = waiting.filter(venue=venue).order_by("due_at")
        looked_at = [account for account, where in watched if where == venue]
        shared = rows.filter(account__public_id__in=[name for name, where in looking if where == venue])
        alone = rows.exclude(account__public_id__in=looked_at)[: _quota(venue, len(looked_at), now)]
        chosen += [(row.account.public_id, venue) for row in (*shared, *alone) if _take(row)]
    return chosen


def _waiting(region: str) -> QuerySet[Comparison]:
    now = timezone.now()
    rows = Comparison.objects.filter(
        region=region,
        due_at__lte=now,
        traded_at__gte=now - timedelta(days=settings.COMPARE_DAYS),
        account__status__in=(AccountStatus.VERIFIED, AccountStatus.UNVERIFIED),
        account__user__is_active=True,
    )
    return rows.select_related("account")


def _quota(venue: str, supervised: int, now: float) -> int:
    kind = venue_class(venue)
    rate = left_over(kind.looks_per_minute, supervised, pace.rotation_seconds(venue, supervised))
    return quota(rate, now, settings.SUPERVISE_SECONDS)


def _take(row: Comparison) -> bool:
    """Fix its next turn, in step with its phase. False when another round has it."""
    seconds = max(settings.COMPARE_SECONDS, LOOKS_BETWEEN * every_venue()[row.venue.lower()].look_seconds)
    period = timedelta(seconds=seconds)
    late = max((timezone.now() - row.due_at) / period, 0.0)
    following = row.due_at + period * (math.floor(late) + 1)
    return bool(Comparison.objects.filter(pk=row.pk, due_at=row.due_at).update(due_at=following))


def missed(account: str, venue: str) -> None:
    """The look could not be made: soon again."""
    rows = Comparison.objects.filter(account__public_id=account, venue=venue)
    rows.update(due_at=timezone.now() + AGAIN)


def symbols(account: Account, venue: str) -> set[str]:
    """The instruments where something of flipr's may stand, the latest of them."""
    own = {"account": account, "venue": venue}
    now = timezone.now()
    since = now - timedelta(days=settings.COMPARE_DAYS)
    found = [
        *Bracket.objects.filter(**own, updated_at__gte=since).values_list("instrument", "updated_at"),
        *Holding.objects.filter(**own, moved_at__gte=since).values_list("instrument", "moved_at"),
        *Order.objects.filter(**own, created_at__gte=now - LATELY)
        .order_by()
        .values("instrument")
        .annotate(at=Max("created_at"))
        .values_list("instrument", "at"),
    ]
    latest = sorted(found, key=lambda each: each[1], reverse=True)
    return set(list(dict.fromkeys(name for name, _ in latest if name))[:SYMBOLS])


# -- positions ---------------------------------------------------------------------------------------------


def positions(desk: Desk, account: Account, seen: Found, rows: list[Bracket]) -> None:
    """`rows`: the brackets as they were before the look. Raises ExchangeError (a price that was asked for)."""
    venue = desk.venue.name
    comparison = Comparison.objects.filter(account=account, venue=venue).first()
    if comparison is None:
        return
    found = signed(seen.positions)
    if desk.spot:
        _claims(desk, account, seen, rows)
    elif comparison.compared_at is None or comparison.key_fingerprint != account.key_fingerprint:
        if not seen.whole or not _quiet(account, venue, seen.began):
            return
        holdings.begin(account, venue, found)
    else:
        _holdings(desk, account, seen, rows)
    if seen.whole:
        Comparison.objects.filter(pk=comparison.pk).update(
            compared_at=timezone.now(), key_fingerprint=account.key_fingerprint
        )


def _quiet(account: Account, venue: str, since: datetime) -> bool:
    """Nothing of flipr's moved while the look was made: only then can it be what all else is measured from."""
    moved = Holding.objects.filter(account=account, venue=venue, moved_at__gte=since)
    moving = holdings.in_motion(account, venue, since - timedelta(days=365))
    return moving is not None and not moved.exists()


def _holdings(desk: Desk, account: Account, seen: Found, rows: list[Bracket]) -> None:
    """Every instrument that was asked for, and is held or believed to be."""
    found, known = signed(seen.positions), holdings.of(account, desk.venue.name)
    names = (found.keys() | known.keys()) if seen.asked is None else seen.asked
    for name in sorted(set(names) - seen.obscured):
        row = known.get(name)
        if row is None:
            if not found.get(name):
                continue
            row, _ = Holding.objects.get_or_create(account=account, venue=desk.venue.name, instrument=name)
        _one(desk, account, row, seen, rows)


def _one(desk: Desk, account: Account, row: Holding, seen: Found, rows: list[Bracket]) -> None:
    now, quantity = timezone.now(), signed(seen.positions).get(row.instrument, Decimal(0))
    if row.moved_at and row.moved_at >= seen.began:
        return  # the exchange was asked before that fill was known
    instrument = desk.connection.table.by_symbol(row.instrument)
    doubt = Doubt(row.doubted, row.doubted_at) if row.doubted is not None and row.doubted_at else None
    moving = bool(doubt) and _moving(account, row, doubt.at if doubt else now)
    each = Compared(row.believed, quantity, instrument.step if instrument else Decimal(0), doubt, moving)
    match judge(each, now):
        case Verdict.AGREE:
            level = _level(seen.positions, row.instrument)
            if doubt or row.believed != quantity or (seen.whole and row.liquidation_price != level):
                holdings.agree(row, quantity, level)
        case Verdict.DOUBT:
            holdings.doubt(row, quantity)
        case Verdict.DIFFER:
            kind = _kind(desk, account, row, quantity, instrument, moving=moving)
            _differ(account, row, quantity, kind, rows)


def _moving(account: Account, row: Holding, since: datetime) -> bool:
    instruments = holdings.in_motion(account, row.venue, since)
    return instruments is None or row.instrument in instruments


def _level(found: Iterable[Position], instrument: str) -> Decimal | None:
    """The liquidation price of the larger side."""
    sides = sorted((each for each in found if each.symbol == instrument), key=lambda each: each.quantity)
    return sides[-1].liquidation_price if sides else None


def _kind(
    desk: Desk,
    account: Account,
    row: Holding,
    quantity: Decimal,
    instrument: Instrument | None,
    *,
    moving: bool,
) -> DifferenceKind:
    level = row.liquidation_price
    if level and instrument and liquidated(row.believed, quantity, level, desk.quote(instrument)):
        return DifferenceKind.LIQUIDATION
    return DifferenceKind.UNKNOWN if moving or _cut_off(account, row) else DifferenceKind.MANUAL


def _cut_off(account: Account, row: Holding) -> bool:
    """Whether an order there was lately ended by reconciliation: parts of it may have filled unseen."""
    since = (row.doubted_at or timezone.now()) - timedelta(seconds=settings.COMPARE_SECONDS * 2)
    rows = Transition.objects.filter(order__account=account, order__venue=row.venue, by=RECONCILIATION)
    return rows.filter(order__instrument__in=(row.instrument, ""), at__gte=since).exists()


def _differ(
    account: Account, row: Holding, quantity: Decimal, kind: DifferenceKind, rows: list[Bracket]
) -> None:
    gap = Gap(row.venue, row.instrument, kind, row.believed, quantity, reason(kind, row.liquidation_price))
    with transaction.atomic():
        if holdings.agree(row, quantity, None):
            differences.record(account, gap, _bracket(rows, row.instrument))


def _bracket(rows: list[Bracket], instrument: str) -> Bracket | None:
    fitting = [row for row in rows if row.instrument == instrument and row.status in ACTIVE_BRACKETS]
    return fitting[0] if fitting else None


# -- spot --------------------------------------------------------------------------------------------------


def claimed(rows: Iterable[Bracket]) -> Mapping[str, Decimal]:
    """By instrument, what the live brackets say there is to sell. Those that share a position do not add up."""
    shares: dict[tuple[str, str, LegKind], Decimal] = {}
    for row in rows:
        if row.status in ACTIVE_BRACKETS:
            bracket = brackets.from_row(row)
            shares[bracket.share] = shares.get(bracket.share, Decimal(0)) + bracket.remaining
    most: dict[str, Decimal] = {}
    for (instrument, _, _), quantity in shares.items():
        most[instrument] = max(most.get(instrument, Decimal(0)), quantity)
    return most


def _claims(desk: Desk, account: Account, seen: Found, rows: list[Bracket]) -> None:
    """Brackets that claim more than the account has: it was sold elsewhere. More than they claim is no matter."""
    if not seen.whole:
        return
    held = {each.symbol: each.quantity for each in seen.positions}
    for name, wanted in claimed(rows).items():
        if name in seen.obscured:
            continue
        found = min(held.get(name, Decimal(0)), wanted)
        instrument = desk.connection.table.by_symbol(name)
        row, _ = Holding.objects.get_or_create(account=account, venue=desk.venue.name, instrument=name)
        doubt = Doubt(row.doubted, row.doubted_at) if row.doubted is not None and row.doubted_at else None
        verdict = judge(
            Compared(wanted, found, instrument.step if instrument else Decimal(0), doubt), timezone.now()
        )
        if verdict is Verdict.DOUBT:
            holdings.doubt(row, found)
        elif verdict is Verdict.AGREE and doubt:
            holdings.agree(row, Decimal(0), None)
        elif verdict is Verdict.DIFFER:
            kind = DifferenceKind.MANUAL
            gap = Gap(desk.venue.name, name, kind, wanted, found, reason(kind))
            with transaction.atomic():
                if holdings.agree(row, Decimal(0), None):
                    differences.record(account, gap, _bracket(rows, name))
