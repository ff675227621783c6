"""Orphans: exits that flipr placed and that no live bracket has, still standing on the exchange. They are cancelled.

That an order is flipr's is never guessed: either a bracket lists it, or its client id is one that only an order of
this account can have led to. What a user placed is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from accounts.models import Account
from exchanges.types import Report, Side
from exchanges.venue import Venue
from execution import brackets, differences, lanes
from execution.agreement import PATIENCE, reason
from execution.desk import Desk
from execution.differences import Gap
from execution.ids import step_token
from execution.models import ACTIVE_BRACKETS, OPEN_STATES, Bracket, DifferenceKind, Order
from execution.protection import Guarded, Leg, LegKind, LegState

LANE_SECONDS = 2.0
#: ids that are tried for an order: so many of the latest orders, each with so many targets, placed so often
LATEST = 50
TARGETS = 5
GENERATIONS = 8


@dataclass(frozen=True, slots=True)
class Orphan:
    """`symbol` is what its lane is named by."""

    report: Report
    symbol: str
    bracket: Bracket | None = None


def same(leg: Leg, report: Report) -> bool:
    """Whether an open order is this leg. Its exchange's number counts only where no client id says otherwise."""
    if leg.client_id and report.client_id:
        return leg.client_id == report.client_id
    return bool(leg.exchange_id) and leg.exchange_id == report.exchange_id


def unclaimed(reports: Iterable[Report], guarded: Iterable[Guarded]) -> list[Report]:
    """The open orders that no live bracket has as a leg that stands or as its entry."""
    active = list(guarded)
    return [each for each in reports if not any(_claims(bracket, each) for bracket in active)]


def _claims(bracket: Guarded, report: Report) -> bool:
    if bracket.instrument != report.symbol:
        return False
    if report.client_id and report.client_id == bracket.entry_client_id:
        return True
    return any(same(leg, report) for leg in bracket.live())


def leg_ids(venue: type[Venue] | Venue, token: str) -> set[str]:
    """The client ids that the legs of an order can have."""
    parts = [f"{LegKind.STOP}1", *(f"{LegKind.TARGET}{number}" for number in range(1, TARGETS + 1))]
    return {
        venue.client_id(step_token(token, f"{part}.{generation}"))
        for part in parts
        for generation in range(1, GENERATIONS + 1)
    }


def find(desk: Desk, account: Account, reports: Iterable[Report], rows: list[Bracket]) -> list[Orphan]:
    """`rows`: the brackets as they were before the look that found `reports`."""
    active = [brackets.from_row(row) for row in rows if row.status in ACTIVE_BRACKETS]
    left = unclaimed(reports, active)
    if not left or _at_work(account, desk.venue.name):
        return []
    listed = _listed(account, desk.venue.name, {each.symbol for each in left})
    cared_for = {row.pk for row in rows if row.status not in ACTIVE_BRACKETS}
    found = []
    for report in left:
        if (owner := listed.get(_key(report))) is not None:
            if owner.pk not in cared_for:  # else supervision has just cancelled it
                found.append(Orphan(report, owner.symbol, owner))
        elif report.client_id and (order := _derived(desk, account, report)) is not None:
            found.append(Orphan(report, order.symbol, Bracket.objects.filter(token=order.token).first()))
    return found


def _key(report: Report) -> tuple[str, str]:
    return report.symbol, report.client_id or report.exchange_id


def _at_work(account: Account, venue: str) -> bool:
    """A job that has yet to write down what it placed."""
    since = timezone.now() - PATIENCE
    rows = Order.objects.filter(account=account, venue=venue, status__in=OPEN_STATES)
    return rows.filter(created_at__gte=since).exists()


def _listed(account: Account, venue: str, instruments: set[str]) -> Mapping[tuple[str, str], Bracket]:
    """Legs that are not to stand any more, by (instrument, id)."""
    since = timezone.now() - timedelta(days=settings.COMPARE_DAYS)
    rows = Bracket.objects.filter(
        account=account, venue=venue, instrument__in=instruments, updated_at__gte=since
    )
    ended: dict[tuple[str, str], Bracket] = {}
    for row in rows.select_related("account").order_by("updated_at"):
        bracket = brackets.from_row(row)
        live = () if row.status not in ACTIVE_BRACKETS else bracket.live()
        for leg in bracket.legs:
            if leg not in live and leg.status is not LegState.FILLED:
                for name in (leg.client_id, leg.exchange_id):
                    ended[row.instrument, name] = row
    ended.pop(("", ""), None)
    return {key: row for key, row in ended.items() if key[1]}


def _derived(desk: Desk, account: Account, report: Report) -> Order | None:
    """The order whose protection it was placed as, where no bracket lists it. One whose end is not known yet has no
    bracket either: its stop is no orphan."""
    rows = Order.objects.filter(account=account, venue=desk.venue.name, instrument=report.symbol)
    if rows.filter(client_id=report.client_id).exists():
        return None  # an order of the user's, through flipr
    for order in rows.order_by("-created_at")[:LATEST]:
        if report.client_id in leg_ids(desk.venue, order.token):
            return None if order.status in OPEN_STATES else order
    return None


def cancel(region: str, desk: Desk, account: Account, orphan: Orphan) -> None:
    """Under the lane of its symbol, and only if no bracket has it by now. Raises ExchangeError."""
    lane = lanes.lane_of(account.public_id, desk.venue.name, orphan.symbol)
    job = lanes.watcher(region)
    try:
        ticket = lanes.next_ticket(region, lane, job)
        with lanes.turn(region, lane, job, ticket, LANE_SECONDS):
            _cancel(desk, account, orphan)
    except lanes.LaneBusy:
        return  # a command is at work there: the next comparison comes


def _cancel(desk: Desk, account: Account, orphan: Orphan) -> None:
    report = orphan.report
    rows = Bracket.objects.filter(account=account, venue=desk.venue.name, status__in=ACTIVE_BRACKETS)
    active = [brackets.from_row(row) for row in rows.select_related("account")]
    instrument = desk.connection.table.by_symbol(report.symbol)
    if instrument is None or not unclaimed([report], active) or _at_work(account, desk.venue.name):
        return
    if desk.cancel(instrument, report.ref):
        tell(account, desk.venue.name, report, orphan.bracket)


def tell(account: Account, venue: str, report: Report, bracket: Bracket | None) -> None:
    """What it would have sold or bought, against the nothing that was to stand."""
    quantity = report.quantity or Decimal(0)
    would = quantity if report.side is Side.BUY else -quantity
    kind = DifferenceKind.ORPHAN
    gap = Gap(venue, report.symbol, kind, Decimal(0), would, reason(kind))
    differences.record(account, gap, bracket)
