"""Looks after brackets: one leg filled cancels the others, a position that is gone cancels them all, a part that
was closed resizes them, an entry that fills later gets its legs. Here is whose turn it is, and one look at an account.

What is read is in `execution.view`, what follows from it in `execution.care`. Once a minute the look takes in
everything, and is compared with what flipr believes (`execution.compare`); accounts without brackets are looked at
for that alone.
"""

from __future__ import annotations

import logging
import time

import redis
from celery import current_app
from django.db import DatabaseError

from accounts.models import Account
from accounts.vault import VaultError
from exchanges.errors import AuthRefused, ExchangeError, NotSent
from exchanges.limits import Priority, pressing
from exchanges.registry import every_venue
from exchanges.types import Environment
from execution import book, brackets, compare, holdings, keycheck, keytrouble, mishap, orphans, pace
from execution.brokers import producer_pool
from execution.care import tend
from execution.desk import Desk
from execution.jobs import JobAccount
from execution.leases import lease
from execution.models import Bracket
from execution.pace import Watched
from execution.record import write_waiting
from execution.starved import Hunger
from execution.view import look
from execution.watched import bare, needs_care, rows_of, still_listed, unsettled

log = logging.getLogger(__name__)
LOOK = "execution.tasks.supervise_account"
COMPARE = "execution.tasks.compare_account"
#: a key that is known to be refused is tried this often
REFUSED_SECONDS = 60.0


def spread(region: str) -> None:
    """One task per account and venue that is due; and the history that waits is written."""
    _write_history(region)
    watched = to_watch(region)
    tasks = [(LOOK, account, venue, False) for account, venue in pace.due(region, watched)]
    supervised = {(each.account, each.venue) for each in watched}
    tasks = with_comparisons(region, tasks, supervised)
    if not tasks:
        return
    with producer_pool(region).acquire(block=True) as producer:
        for task, account, venue, whole in tasks:
            current_app.send_task(
                task,
                (region, account, venue, whole),
                producer=producer,
                queue=f"watch.{region}",
                expires=5,
                retry=False,
            )


def _write_history(region: str) -> None:
    """History that cannot be written now waits on; protection does not wait for it."""
    with mishap.caught(f"writing what waited in {region}"):
        try:
            write_waiting(region)
        except (DatabaseError, redis.RedisError) as error:
            log.warning("history in %s waits on: %s", region, type(error).__name__)


def with_comparisons(
    region: str, tasks: list[tuple[str, str, str, bool]], supervised: set[tuple[str, str]]
) -> list[tuple[str, str, str, bool]]:
    """Protection first. A look that is due for both is one look, of everything."""
    compared: list[tuple[str, str]] = []
    with mishap.caught(f"choosing what is compared in {region}"):
        compared = compare.due(region, supervised, [each[1:3] for each in tasks])
    both = [(LOOK, *pair, True) for pair in compared if pair in supervised]
    alone = [(COMPARE, *pair, True) for pair in compared if pair not in supervised]
    return [each for each in tasks if each[1:3] not in compared] + both + alone


def to_watch(region: str) -> list[Watched]:
    """What there is to look after, and what makes it urgent."""
    rows = Bracket.objects.filter(region=region).filter(needs_care()).select_related("account")
    known = every_venue()  # what only ccxt opens may have been taken away
    return [
        Watched(
            row.account.public_id,
            row.venue,
            Environment(row.account.environment),
            row.instrument,
            tuple(pace.triggers(bracket := brackets.from_row(row))),
            unsettled=unsettled(bracket),
        )
        for row in brackets.readable(rows)
        if row.venue.lower() in known
    ]


def look_after(region: str, account: str, venue: str, *, whole: bool = False) -> None:
    """One look, and what follows from it. Two looks at one account never overlap. `whole`: at everything, and
    compared with what flipr believes."""
    with lease(region, f"watching:{account}:{venue}") as held:
        if held:
            with mishap.caught(f"looking after {account} on {venue}"):
                _look_after(region, account, venue, whole=whole)
        elif whole:
            compare.missed(account, venue)


def _look_after(region: str, account: str, venue: str, *, whole: bool) -> None:
    every = list(rows_of(account, venue))
    rows = brackets.readable(every)
    owner = rows[0].account if rows else _owner(account) if whole else None
    if owner is None:
        return
    unguarded = any(map(bare, rows))
    urgent = unguarded or any(unsettled(brackets.from_row(row)) for row in rows)
    try:
        if not unguarded:  # what only reads would wait, and hold a thread, for what nobody answers now
            book.breaker().admit(venue, Environment(owner.environment), reading=True)
        hunger = Hunger(region, venue, account)
        with pressing(Priority.PROTECT) if urgent else hunger.asking():
            short = _take_care(region, owner, venue, rows, whole=whole, all_read=len(rows) == len(every))
            if short is None:
                hunger.answered()
            else:
                hunger.refused()
                if (short.retry_after or 0) <= pace.LONGEST_REST_SECONDS:
                    raise short  # the look rests until there is room for all of it
    except AuthRefused as error:
        log.warning("the key of account %s is refused while it is supervised: %s", account, error.code)
        keycheck.doubt(region, account, owner.sealed)
        if keytrouble.known(owner):  # nobody expects anything of it before it is replaced
            pace.mark(region, [(account, venue)], time.time() + REFUSED_SECONDS)
    except VaultError as error:
        log.warning("the key of account %s cannot be opened while it is supervised: %s", account, error)
    except ExchangeError as error:
        log.warning("looking after %s on %s failed: %s (%s)", account, venue, error.kind, error.message)
        if isinstance(error, NotSent) and error.retry_after and not unguarded:
            pace.rest(region, account, venue, error.retry_after)


def _take_care(
    region: str, owner: Account, venue: str, rows: list[Bracket], *, whole: bool, all_read: bool
) -> ExchangeError | None:
    """Protection first; then what the look says about everything else. The legs of a bracket that could not be read are
    no orphans. Returned is what cut it short: a refusal by the exchange's limits."""
    desk = open_desk(owner, venue)
    more = compare.symbols(owner, venue) if whole else None
    rows = still_listed(desk, rows)
    try:
        view = look(desk, rows, more)
        tend(region, desk, rows, view, more)
    finally:
        holdings.keep(owner, venue, desk.fills.values())
    if view.counted:
        obscured = frozenset(instrument for instrument, _ in view.obscured)
        seen = compare.Found(view.began, list(view.positions.values()), view.asked, view.whole, obscured)
        compare.positions(desk, owner, seen, rows)
    if whole and all_read:
        for orphan in orphans.find(desk, owner, view.reports(), rows):
            orphans.cancel(region, desk, owner, orphan)
    return view.short


def _owner(account: str) -> Account | None:
    return Account.objects.select_related("user").filter(public_id=account).first()


def open_desk(account: Account, venue: str) -> Desk:
    holder = JobAccount(account.public_id, account.label, account.exchange, account.sealed)
    return Desk(
        book.pool().connection(venue, Environment(account.environment)),
        book.keyring().open(account.user.public_id, holder),
        facts=book.facts().of(account.public_id, venue, account.sealed),
    )
