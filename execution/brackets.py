"""Brackets between a worker's memory and PostgreSQL. Every update is a compare-and-set on `version`. What a command did
to the brackets before it must not be lost to a look that was quicker: such rows are locked while they are changed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Account
from exchanges.registry import venue_class
from exchanges.types import Direction
from execution import mishap
from execution.amounts import Level, Size, SizeUnit
from execution.columns import fitting
from execution.inherited import filled_unseen, inherit
from execution.models import ACTIVE_BRACKETS, Bracket, BracketState
from execution.protection import Guarded, Leg, LegKind, LegState
from execution.terms import Protection, TakeProfit
from execution.transitions import move_bracket
from execution.wire import dump, load

log = logging.getLogger(__name__)
UNREADABLE = (
    "flipr cannot read what it wrote about this bracket, and does not look after it: look at the exchange"
)
_COPIED = (
    "public_id",
    "token",
    "venue",
    "symbol",
    "instrument",
    "hedge",
    "stop_policy",
    "entry_client_id",
    "entry_exchange_id",
    "entry_conditional",
    "entry_level",
    "entry_open",
    "entry_price",
    "quantity",
    "closed",
    "status",
    "note",
    "gone_seen",
    "generation",
)


class NotSaved(Exception):
    """A locked bracket was not written, which only a mistake of flipr's own explains."""


def columns(bracket: Guarded) -> dict[str, Any]:
    """The row's values for a bracket in memory."""
    values = {name: getattr(bracket, name) for name in _COPIED}
    return values | {
        "direction": bracket.direction.value,
        "plan": dump(bracket.plan),
        "legs": dump(bracket.legs, list[Leg]),
    }


def from_row(row: Bracket) -> Guarded:
    return Guarded(
        account=row.account.public_id,
        direction=Direction(row.direction),
        plan=load(row.plan, Protection),
        legs=load(row.legs, list[Leg]),
        **{name: getattr(row, name) for name in _COPIED},
    )


def readable(rows: Iterable[Bracket]) -> list[Bracket]:
    """Without those that cannot be loaded: nobody can look after them, and the others are not to wait. Told once, in the
    log and on the page of the bracket."""
    found = []
    for row in rows:
        try:
            from_row(row)
        except Exception as error:  # noqa: BLE001 - whatever a reader stumbles over
            _tell_unreadable(row, error)
        else:
            found.append(row)
    return found


def _tell_unreadable(row: Bracket, error: Exception) -> None:
    if row.note != UNREADABLE:
        log.error("bracket %s is not looked after, it cannot be read: %s", row.public_id, mishap.told(error))
        Bracket.objects.filter(pk=row.pk).update(note=UNREADABLE)


def save_new(bracket: Guarded, account: Account, region: str, began: datetime | None = None) -> Bracket:
    """Insert, or bring up to date when reconciliation was quicker. What has moved on since is left as it is. `began`:
    when that was not now."""
    values = columns(bracket) | {"user_id": account.user_id, "account": account, "region": region}
    if began is not None:
        values["created_at"] = began
    row, created = Bracket.objects.get_or_create(token=bracket.token, defaults=fitting(Bracket, values))
    if not created and row.version == 0 and save(bracket, row.version):
        row.refresh_from_db()
    return row


def save(bracket: Guarded, version: int, *, by: str = "worker") -> bool:
    """False when somebody else changed the row since it was read: then this look is dropped."""
    return move_bracket(bracket.token, version, columns(bracket), by=by)


def _put(bracket: Guarded, row: Bracket) -> None:
    """Write a bracket whose row is locked. Raises NotSaved."""
    if not save(bracket, row.version):
        raise NotSaved(f"bracket {row.public_id} was not written")


def guards_a_position(account: Account) -> str:
    """Why an account must stay: without its key nobody could look after the stop of an open position."""
    count = Bracket.objects.filter(account=account, status__in=ACTIVE_BRACKETS).count()
    return f"it protects {count} open position(s): close them first" if count else ""


@transaction.atomic(savepoint=False)
def entry_ended(token: str, why: str) -> None:
    """The entry does not stand any more, whatever became of it: what it has filled stays guarded."""
    rows = Bracket.objects.select_for_update(of=("self",)).select_related("account")
    for row in rows.filter(token=token, entry_open=True).exclude(status=BracketState.DONE):
        bracket = from_row(row)
        bracket.entry_open = False
        if not bracket.quantity:
            bracket.status, bracket.note = BracketState.DONE, why
        _put(bracket, row)


@transaction.atomic(savepoint=False)
def closed_by_command(
    account: Account,
    venue: str,
    instrument: str,
    directions: Iterable[str],
    before: datetime,
    except_tokens: Iterable[str] = (),
    cancelled: set[str] | None = None,
) -> None:
    """The position is gone: its brackets are done, their legs were cancelled with it. A bracket whose entry
    may still fill lives on, and so does one that began after `before`, when the command was done. `cancelled`: ids of
    the exits that went with the position."""
    rows = _active(account, venue, instrument).filter(direction__in=list(directions), created_at__lte=before)
    for row in readable(rows.exclude(token__in=list(except_tokens))):
        bracket = from_row(row)
        if bracket.entry_open:
            _emptied(bracket, cancelled or set())
            _put(bracket, row)
            continue
        bracket.closed, bracket.status, bracket.note = (
            bracket.quantity,
            BracketState.DONE,
            "closed by a command",
        )
        for leg in bracket.live():
            leg.status = LegState.CANCELLED
        _put(bracket, row)


def _emptied(bracket: Guarded, cancelled: set[str]) -> None:
    """What its entry has filled so far is closed. The plan stands: what it fills later is to be guarded."""
    bracket.closed, bracket.gone_seen = bracket.quantity, 0
    _cancelled(bracket, [leg for leg in bracket.live() if _named(leg, cancelled)])


@transaction.atomic(savepoint=False)
def replaced(account: Account, new: Guarded, before: datetime, standing: Iterable[str] | None = None) -> None:
    """Protection that the user set anew takes the place of what older brackets of the position planned. `standing`: ids
    of all that stood on the exchange then."""
    older = _active(account, new.venue, new.instrument).filter(created_at__lte=before)
    rows = readable(older.exclude(token=new.token).filter(direction=new.direction.value))
    _inherit(new, [from_row(row) for row in rows])
    filled = filled_unseen(new, [from_row(row) for row in rows], standing)
    for row in rows:
        bracket = from_row(row)
        rests = bracket.entry_open and bracket.token not in filled
        if rests and not bracket.quantity:
            continue
        _take_over_watched(bracket, new)
        hit = [
            leg for leg in bracket.live() if (new.plan.stop if leg.kind is LegKind.STOP else new.plan.targets)
        ]
        _cancelled(bracket, hit)
        if rests and new.plan.stop:  # what it fills later is no part of what the new one guards
            bracket.closed, bracket.gone_seen = bracket.quantity, 0
        else:
            _give_over(bracket, new)
        if bracket.token in filled and not _wants_legs(bracket.plan):
            bracket.closed = new.quantity  # all that will be read of its fill is guarded
        if not _lives_on(bracket):
            bracket.status, bracket.note = BracketState.DONE, f"replaced by {new.public_id}"
        _put(bracket, row)


def _give_over(bracket: Guarded, new: Guarded) -> None:
    plan = bracket.plan
    bracket.plan = Protection(
        stop=None if new.plan.stop else plan.stop, targets=() if new.plan.targets else plan.targets
    )


def _inherit(new: Guarded, older: list[Guarded]) -> None:
    plan = inherit(new, older)
    if plan != new.plan:
        new.plan = plan
        row, current = _current(new)
        current.plan = plan
        _put(current, row)


def _current(new: Guarded) -> tuple[Bracket, Guarded]:
    """As it is by now: a look may have changed it since the command was done."""
    row = Bracket.objects.select_for_update(of=("self",)).select_related("account").get(token=new.token)
    return row, from_row(row)


def _take_over_watched(old: Guarded, new: Guarded) -> None:
    """Targets that only flipr watches stay beside the new stop: they belong to the bracket whose stop gives way when
    they are reached."""
    watched = [leg for leg in old.live(LegKind.TARGET) if leg.status is LegState.WATCHED]
    if not watched or new.plan.targets or not (new.plan.stop and new.plan.stop.level):
        return
    whole = len(watched) == 1 and watched[0].quantity >= new.quantity
    new.plan = replace(
        new.plan,
        targets=tuple(
            TakeProfit(Level(price=leg.price), number, None if whole else Size(SizeUnit.BASE, leg.quantity))
            for number, leg in enumerate(watched, 1)
        ),
    )
    taken = [replace(leg, number=number) for number, leg in enumerate(watched, 1)]
    new.legs += taken
    row, current = _current(new)
    current.plan = new.plan
    current.legs += taken
    _put(current, row)


@transaction.atomic(savepoint=False)
def legs_cancelled(account: Account, venue: str, ids: set[str], gone: set[str]) -> None:
    """The user cancelled exits: they are not to be placed again. `gone`: those that were meant too and did not stand any
    more. One that its exchange cancelled with the other leg of its pair is as good as cancelled by the user; one that
    filled is not."""
    for row in readable(_active(account, venue, "")):
        bracket = from_row(row)
        hit = [leg for leg in bracket.live() if _named(leg, ids)]
        if not hit:
            continue
        if _ends_pair(bracket, hit):
            hit += [leg for leg in bracket.live() if leg.linked and leg not in hit and _named(leg, gone)]
        _cancelled(bracket, hit)
        for leg in hit:
            forget(bracket, leg)
        if not _lives_on(bracket):
            bracket.status, bracket.note = BracketState.DONE, "its orders were cancelled"
        _put(bracket, row)


@transaction.atomic(savepoint=False)
def watch_no_more(account: Account, venue: str, instrument: str, before: datetime) -> None:
    """The user cancelled targets that no exchange knows of. Without an instrument: those of all."""
    for row in readable(_active(account, venue, instrument).filter(created_at__lte=before)):
        bracket = from_row(row)
        watched = [leg for leg in bracket.live(LegKind.TARGET) if leg.status is LegState.WATCHED]
        for leg in watched:
            forget(bracket, leg)
        if watched and not _lives_on(bracket):
            bracket.status, bracket.note = BracketState.DONE, "its orders were cancelled"
        if watched:
            _put(bracket, row)


@transaction.atomic(savepoint=False)
def released(
    account: Account, venue: str, instrument: str, left: Decimal, ids: set[str], before: datetime
) -> None:
    """A sale on spot took these exits away, because they held the balance. What they were for is still wanted,
    for as much as is left: supervision places them again. Sold is what was bought last."""
    rows = _active(account, venue, instrument).filter(created_at__lte=before)
    for row in sorted(readable(rows), key=_began):
        bracket = from_row(row)
        hit = [leg for leg in bracket.live() if _named(leg, ids)]
        _cancelled(bracket, hit)
        if any(leg.status is LegState.OPEN and not leg.error for leg in bracket.legs):
            # it had ended before, so this bracket may hold nothing: supervision reads how, and what is left of it
            if hit:
                _put(bracket, row)
            continue
        kept = min(bracket.remaining, left)
        bracket.closed += bracket.remaining - kept
        left -= kept
        if not bracket.remaining and not bracket.entry_open:
            bracket.status, bracket.note = BracketState.DONE, "closed by a command"
        _put(bracket, row)


@transaction.atomic(savepoint=False)
def reduced(
    account: Account,
    venue: str,
    instrument: str,
    direction: str,
    left: Decimal,
    part: Decimal,
    before: datetime,
) -> None:
    """A command closed `part` of a position: the newest brackets give way, so that their legs shrink at the next
    look. `left` is what the exchange has: a look that noticed first changes nothing. No more than `part` is taken off:
    what is missing beyond it is a leg that filled and that nobody has seen yet."""
    rows = _active(account, venue, instrument).filter(direction=direction, created_at__lte=before)
    found = [(row, from_row(row)) for row in sorted(readable(rows), key=_began, reverse=True)]
    guarded: dict[tuple[str, str, LegKind], Decimal] = {}
    for _, bracket in found:
        guarded[bracket.share] = guarded.get(bracket.share, Decimal(0)) + bracket.remaining
    gives = {share: min(max(total - left, Decimal(0)), part) for share, total in guarded.items()}
    for row, bracket in found:
        excess = min(gives[bracket.share], bracket.remaining)
        if excess:
            gives[bracket.share] -= excess
            bracket.closed += excess
            bracket.gone_seen = 0
            _put(bracket, row)


def _cancelled(bracket: Guarded, hit: list[Leg]) -> None:
    """Most exchanges end linked legs together. One that nobody meant stays in the plan: supervision places it
    again, alone."""
    pair = _ends_pair(bracket, hit)
    for leg in bracket.live():
        if leg in hit or (pair and leg.linked):
            leg.status = LegState.CANCELLED


def _ends_pair(bracket: Guarded, hit: list[Leg]) -> bool:
    return any(leg.linked for leg in hit) and venue_class(bracket.venue).features.linked_cancel


def _named(leg: Leg, ids: set[str]) -> bool:
    return leg.client_id in ids or leg.exchange_id in ids


def _lives_on(bracket: Guarded) -> bool:
    return bracket.entry_open or bool(bracket.live()) or _wants_legs(bracket.plan)


def _wants_legs(plan: Protection) -> bool:
    return bool(plan.stop and plan.stop.level) or any(target.level for target in plan.targets)


def forget(bracket: Guarded, leg: Leg) -> None:
    """A leg that somebody cancelled on purpose leaves the plan, so that it is not placed again."""
    leg.status = LegState.CANCELLED
    if leg.kind is LegKind.STOP:
        bracket.plan = Protection(targets=bracket.plan.targets)
    else:
        bracket.plan = Protection(
            stop=bracket.plan.stop,
            targets=tuple(
                replace(each, level=None) if number == leg.number else each
                for number, each in enumerate(bracket.plan.targets, 1)
            ),
        )


def _active(account: Account, venue: str, instrument: str) -> QuerySet[Bracket]:
    """Locked, always in the same order: what a look writes at that moment comes before or after, never between."""
    rows = Bracket.objects.filter(account=account, venue=venue, status__in=ACTIVE_BRACKETS)
    rows = rows.filter(instrument=instrument) if instrument else rows
    return rows.select_for_update(of=("self",)).select_related("account").order_by("pk")


def _began(row: Bracket) -> datetime:
    return row.created_at
