"""Looks after brackets: one leg filled cancels the others, a position that is gone cancels them all, a part that
was closed resizes them, an entry that fills later gets its legs.

Each look costs one read of the open orders and one of the positions per account and venue. What a look finds is
written down (`observe`); what should follow is done under the symbol's lane, after a second look, so that a
command at work on the same symbol is never crossed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import redis
from celery import current_app
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account
from exchanges.errors import AuthRefused, ExchangeError
from exchanges.types import Environment, Instrument, OrderRef, Position, Report
from execution import book, brackets, keycheck, lanes, pace
from execution.arming import cancel_legs
from execution.brokers import producer_pool, region_redis
from execution.desk import Desk
from execution.ids import new_public_id
from execution.jobs import JobAccount
from execution.lanes import lane_of
from execution.models import ACTIVE_BRACKETS, Bracket, BracketState
from execution.observe import act, observe, wants_action
from execution.pace import Watched
from execution.protection import Guarded, LegKind, LegState
from execution.record import write_waiting
from execution.wire import dump

log = logging.getLogger(__name__)
LOOK = "execution.tasks.supervise_account"
LEASE_SECONDS = 30
#: done brackets are looked at this much longer: an order that outlived its bracket is cancelled
AFTERCARE = timedelta(minutes=5)
LANE_SECONDS = 2.0


@dataclass(slots=True)
class View:
    """One look at an account on a venue. `excess`: how much more the brackets of one share
    (`Guarded.share`) believe to protect than is open; taken off newest first."""

    orders: dict[str, Report] = field(default_factory=dict)
    positions: dict[tuple[str, str], Position] = field(default_factory=dict)
    excess: dict[tuple[str, str, LegKind], Decimal] = field(default_factory=dict)

    def find(self, ref: OrderRef) -> Report | None:
        if (ours := self.orders.get(ref.client_id)) is not None:
            return ours
        found = self.orders.get(ref.exchange_id)
        if found and ref.client_id and found.client_id and found.client_id != ref.client_id:
            return None  # ids of an exchange may be unique per symbol or kind of order only
        return found


def spread(region: str) -> None:
    """One task per account and venue that is due; and the history that waits is written."""
    write_waiting(region)
    due = pace.due(region, to_watch(region))
    if not due:
        return
    with producer_pool(region).acquire(block=True) as producer:
        for account, venue in due:
            current_app.send_task(
                LOOK,
                (region, account, venue),
                producer=producer,
                queue=f"watch.{region}",
                expires=5,
                retry=False,
            )


def to_watch(region: str) -> list[Watched]:
    """What there is to look after, with the prices that make it urgent."""
    rows = Bracket.objects.filter(region=region).filter(_needs_care()).select_related("account")
    return [
        Watched(
            row.account.public_id,
            row.venue,
            Environment(row.account.environment),
            row.instrument,
            tuple(pace.triggers(brackets.from_row(row))),
        )
        for row in rows
    ]


def _needs_care() -> Q:
    return Q(status__in=ACTIVE_BRACKETS) | Q(
        status=BracketState.DONE, updated_at__gte=timezone.now() - AFTERCARE
    )


def look_after(region: str, account: str, venue: str) -> None:
    """One look, and what follows from it. Two looks at one account never overlap."""
    with _lease(region, f"watching:{account}:{venue}") as held:
        if not held:
            return
        rows = list(_rows(account, venue))
        if not rows:
            return
        try:
            desk = open_desk(rows[0].account, venue)
            view = look(desk, rows)
            for row in rows:
                _care(region, desk, row, view)
        except AuthRefused as error:
            log.warning("the key of account %s is refused while it is supervised: %s", account, error.code)
            keycheck.doubt(region, account, rows[0].account.sealed)
        except ExchangeError as error:
            log.warning("looking after %s on %s failed: %s", account, venue, error.kind)


def _rows(account: str, venue: str) -> Iterator[Bracket]:
    """Newest first: what was closed elsewhere is taken off the newest."""
    rows = Bracket.objects.filter(account__public_id=account, venue=venue).filter(_needs_care())
    yield from rows.select_related("account", "account__user").order_by("-created_at")


def open_desk(account: Account, venue: str) -> Desk:
    holder = JobAccount(account.public_id, account.label, account.exchange, account.sealed)
    return Desk(
        book.pool().connection(venue, Environment(account.environment)),
        book.keyring().open(account.user.public_id, holder),
        facts=book.facts().of(account.public_id, venue, account.sealed),
    )


def look(desk: Desk, rows: list[Bracket]) -> View:
    """Open orders first, positions after: a fill between the two shows as a smaller position, which is only
    believed when a second look confirms it."""
    view = View()
    for where in _where(desk, rows, one_by_one=desk.venue.features.open_orders_by_symbol):
        for report in desk.venue.open_orders(desk.keys, where):
            for name in (report.client_id, report.exchange_id):
                if name:
                    view.orders[name] = report
    if desk.spot:
        return view
    for where in _where(desk, rows):
        for position in desk.venue.positions(desk.keys, where):
            view.positions[position.symbol, position.direction.value] = position
    _compare(view, rows)
    return view


def _compare(view: View, rows: list[Bracket]) -> None:
    """Write down where the brackets believe to protect more than is open."""
    believed: dict[tuple[str, str, LegKind], Decimal] = {}
    for row in rows:
        if row.status in ACTIVE_BRACKETS:
            bracket = brackets.from_row(row)
            believed[bracket.share] = believed.get(bracket.share, Decimal(0)) + bracket.remaining
    for key, protected in believed.items():
        position = view.positions.get(key[:2])
        held = position.quantity if position else Decimal(0)
        view.excess[key] = max(protected - held, Decimal(0))


def _where(desk: Desk, rows: list[Bracket], *, one_by_one: bool = False) -> list[Instrument | None]:
    """One question for everything, unless only one instrument matters: that is cheaper on most exchanges."""
    symbols = {row.instrument for row in rows}
    if one_by_one or len(symbols) == 1:
        return [desk.instrument(symbol) for symbol in sorted(symbols)]
    return [None]


def _care(region: str, desk: Desk, row: Bracket, view: View) -> None:
    if row.status == BracketState.DONE:
        _aftercare(desk, row, view)
        return
    bracket = brackets.from_row(row)
    before = dump(bracket)
    observe(desk, bracket, view)
    if wants_action(desk, bracket) or _ended(row, bracket, LegState.CANCELLED):
        _keep_ends(row, bracket)
        _act(region, desk, row)
    elif dump(bracket) != before:
        brackets.save(bracket, row.version, by="supervision")


def _ended(row: Bracket, bracket: Guarded, how: LegState) -> bool:
    """Whether this look found a leg ended. A command at work may have cancelled it, for reasons of its own that
    it has yet to write down: that is judged under the lane."""
    before = {leg.token: leg.status for leg in brackets.from_row(row).legs}
    return any(leg.status is how and before.get(leg.token) is LegState.OPEN for leg in bracket.legs)


def _keep_ends(row: Bracket, bracket: Guarded) -> None:
    """Fills are final: written down before the second look, they need not be asked for again. Where requests are
    few, a round that asked twice for everything would never have any left to act."""
    if _ended(row, bracket, LegState.CANCELLED):
        return
    if _ended(row, bracket, LegState.FILLED) or (row.entry_open and not bracket.entry_open):
        bracket.gone_seen = row.gone_seen
        brackets.save(bracket, row.version, by="supervision")


def _act(region: str, desk: Desk, seen: Bracket) -> None:
    """Under the lane of the symbol, from a fresh row and a fresh look."""
    lane = lane_of(seen.account.public_id, seen.venue, seen.symbol)
    job = new_public_id("w")
    try:
        ticket = lanes.next_ticket(region, lane, job)
        with lanes.turn(region, lane, job, ticket, LANE_SECONDS):
            row = Bracket.objects.select_related("account").get(pk=seen.pk)
            if row.status not in ACTIVE_BRACKETS:
                return
            others = list(_rows(row.account.public_id, row.venue))
            bracket = brackets.from_row(row)
            before = dump(bracket)
            observe(desk, bracket, look(desk, others))
            if wants_action(desk, bracket):
                act(desk, bracket)
            if dump(bracket) != before and not brackets.save(bracket, row.version, by="supervision"):
                log.warning("bracket %s changed while it was being looked after", bracket.public_id)
    except lanes.LaneBusy:
        return  # a command is at work there: the next look comes soon


def _aftercare(desk: Desk, row: Bracket, view: View) -> None:
    """A leg of a bracket that is done and still stands is an orphan."""
    bracket: Guarded = brackets.from_row(row)
    orphans = [leg for leg in bracket.legs if view.find(OrderRef(leg.client_id, leg.exchange_id))]
    if not orphans:
        return
    instrument = desk.connection.table.by_symbol(row.instrument)
    if instrument is None:
        return
    for leg in orphans:
        leg.status = LegState.OPEN
    cancel_legs(desk, bracket, instrument, orphans)
    bracket.note = f"{bracket.note}; {len(orphans)} left-over order(s) cancelled".lstrip("; ")
    brackets.save(bracket, row.version, by="supervision")


@contextmanager
def _lease(region: str, name: str) -> Iterator[bool]:
    server = region_redis(region)
    mine = str(time.time_ns())
    try:
        held = bool(server.set(name, mine, nx=True, ex=LEASE_SECONDS))
    except redis.RedisError:
        yield False
        return
    try:
        yield held
    finally:
        if held and server.get(name) == mine:
            server.delete(name)
