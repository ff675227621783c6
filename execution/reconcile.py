"""Ends what nobody ended: orders whose outcome is unknown, jobs whose worker died, orders that rest unwatched. Here is
which of them are due, and a round through those of one account at one venue.

Nothing is ever sent again from here. A job nobody claimed is claimed and called off (`execution.abandoned`); an order
that may have left is looked for by our client id until the exchange knows it, or has had ample time to
(`execution.inquiry`), one that rests until it does no more (`execution.resting`). What a dead worker owed a fill, its
protection, is placed (`execution.adoption`, `execution.unfinished`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from celery import current_app
from django.db.models import Min, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from accounts.models import AccountStatus
from exchanges.rounds import Round
from execution import abandoned, claims, endings, inquiry, mishap, resting, turns, unfinished, unseen
from execution.brokers import producer_pool
from execution.commands import Cancel, Close, Protect, Setting, Step
from execution.endings import MOST_LOOKUPS
from execution.leases import lease
from execution.models import Order, OrderState
from execution.wire import load

#: a job younger than this is left to its worker
GRACE = timedelta(seconds=1)
#: a resting order that no bracket follows is asked for this often
RESTING = timedelta(seconds=15)
#: one that a bracket follows, when supervision has not heard of it for so long
UNHEARD = timedelta(minutes=2)
#: and one that many looks could not ask about
SELDOM = timedelta(seconds=turns.HANDED_PAUSE_SECONDS)
#: so many accounts of one venue, and so many orders of one account, a round goes through
BATCH = 50
LOOK = "execution.tasks.reconcile_account"
#: one account is asked about for so long; the lease outlives the slowest answer after that
LOOK_SECONDS = 10.0
LEASE_SECONDS = 60


def spread(region: str) -> None:
    """One task per account and venue that has something to ask: an exchange that does not answer holds up nobody
    who waits for another."""
    pairs = due(region)
    if not pairs:
        return
    with producer_pool(region).acquire(block=True) as producer:
        for account, venue in pairs:
            current_app.send_task(
                LOOK,
                (region, account, venue),
                producer=producer,
                queue=f"watch.{region}",
                expires=5,
                retry=False,
            )


def due(region: str) -> list[tuple[str, str]]:
    """(account, venue) with orders whose end the exchange must tell, and with orders that rest unwatched. What can
    be ended without asking is ended here."""
    claims.kept_since(region, timezone.now())  # from the first round on it is known what Redis has lost
    pairs = [*_abandoned_pairs(region), *_pairs_in_question(region), *_pairs_unwatched(region)]
    return list(dict.fromkeys(pairs))


def _abandoned_pairs(region: str) -> Iterator[tuple[str, str]]:
    """Of jobs that were begun, as far as history knows; of each venue some, every account in its turn."""
    rows = Order.objects.filter(_begun(), region=region)
    turn = Window(RowNumber(), partition_by="account", order_by="created_at")
    for venue in rows.order_by().values_list("venue", flat=True).distinct():
        found = rows.filter(venue=venue).select_related("account", "account__user").annotate(turn=turn)
        for row in found.order_by("turn", "created_at")[:BATCH]:
            with _alone(row):
                if (account := abandoned.to_ask(region, row)) is not None:
                    yield account.public_id, venue


def _pairs_in_question(region: str) -> list[tuple[str, str]]:
    now = timezone.now()
    rows = Order.objects.filter(_in_question(), region=region)
    return turns.pairs(rows, now, BATCH)


def _pairs_unwatched(region: str) -> list[tuple[str, str]]:
    """Those first that were asked about longest ago."""
    rows = Order.objects.filter(_unwatched(), region=region, account__isnull=False)
    found = rows.order_by().values_list("account__public_id", "venue").annotate(last=Min("updated_at"))
    return turns.some_of_each(((account, venue) for account, venue, _ in found.order_by("last")), BATCH)


@contextmanager
def _alone(row: Order) -> Iterator[None]:
    """What goes wrong about one order is looked at later, and holds up none of the others."""
    with mishap.caught(f"looking into order {row.token}") as mishaps:
        yield
    if mishaps:
        endings.later(row)


def look_into(region: str, account: str, venue: str, clock: Callable[[], float] = time.monotonic) -> None:
    """Ask for the orders of one account at one venue. Two never do at once; what is left after a while comes with
    the next round."""
    with lease(region, f"reconciling:{account}:{venue}", LEASE_SECONDS) as held:
        if not held:
            return
        until = clock() + LOOK_SECONDS
        own = Order.objects.filter(region=region, venue=venue, account__public_id=account)
        own = own.select_related("account", "account__user")
        rows = _to_settle(own)
        lists = Round(min((row.created_at for row in rows), default=timezone.now()) - unseen.CLOCKS)
        for row in rows:
            if clock() < until:
                with _alone(row):
                    if abandoned.to_ask(region, row) is not None:
                        _settle(region, row, lists)
        for row in own.filter(_unwatched()).order_by("updated_at")[:BATCH]:
            if clock() < until:
                with _alone(row):
                    resting.follow(row)


def _to_settle(own: QuerySet[Order]) -> list[Order]:
    now = timezone.now()
    return [
        *own.filter(_begun()).order_by("created_at")[:BATCH],
        *turns.orders(own.filter(_in_question()), now, BATCH),
    ]


def _unwatched() -> Q:
    """They rest, and no bracket follows them; or one does, and nothing was heard of them for long."""
    now = timezone.now()
    alone = Q(bracket=None) | Q(bracket__entry_open=False) | Q(updated_at__lt=now - UNHEARD)
    tried = Q(account__status=AccountStatus.REJECTED, updated_at__gte=now - UNHEARD)  # its key may be refused
    seldom = Q(lookups__gte=MOST_LOOKUPS, updated_at__gte=now - SELDOM)
    return alone & ~tried & ~seldom & Q(resting=True, account__isnull=False, updated_at__lt=now - RESTING)


def _begun() -> Q:
    """Nobody has told their end, and they have not been asked for."""
    never_asked = Q(lookups=0) | Q(account=None)
    return Q(status=OrderState.WORKING, created_at__lt=timezone.now() - GRACE) & never_asked


def _in_question() -> Q:
    """Not those whose account was deleted when they had been told to be unknown: nobody can ask for them."""
    told = Q(status=OrderState.UNKNOWN) | Q(status=OrderState.WORKING, lookups__gt=0)
    return told & Q(created_at__lt=timezone.now() - GRACE, account__isnull=False)


def _settle(region: str, row: Order, lists: Round) -> None:
    assert row.account is not None
    step: Step = load(row.step, Step)
    if isinstance(step, Protect) and unfinished.finished_move(row, step):
        pass
    elif isinstance(step, Cancel | Protect | Setting):
        message = "it was cut short, and may have been carried out in part: send it again"
        endings.end(row, OrderState.NOT_SENT, "WORKER_DIED", message)
    elif isinstance(step, Close) and row.symbol == abandoned.EVERYTHING:
        inquiry.swept(region, row, step)
    else:
        inquiry.ask(row, step, lists)
    abandoned.leave_lane(region, row)
