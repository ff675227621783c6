"""What follows when an exchange no longer takes a key: the account stops, its owner is told, its brackets say that
nobody can look after them; and what follows when the key works again."""

from __future__ import annotations

import logging
from collections.abc import Callable

from accounts import flows, notices
from accounts.models import Account
from execution import brackets, pace
from execution.models import ACTIVE_BRACKETS, Bracket

log = logging.getLogger(__name__)
FLAG = (
    "the exchange refuses the key: what stands there stays, and is not looked after until the key is replaced"
)
#: a bracket that changes meanwhile is read again so often
ATTEMPTS = 3


def refused(account: Account, reason: str, *, tell: bool) -> None:
    """The exchange's no is certain. `tell`: the key was at work, its owner is not looking at a form."""
    changed = flows.record_refusal(account.public_id, account.sealed, reason)
    flagged = [row for row in _active(account) if _flag(row.pk)]
    if (changed and tell) or flagged:
        notices.key_refused(account, reason, positions=[f"{row.symbol} on {row.venue}" for row in flagged])


def over(account: Account) -> None:
    """The key works (again)."""
    for row in _active(account):
        if FLAG in row.note:
            _set_note(row.pk, _without)
            pace.wake(row.region, account.public_id, row.venue)


def unmarked(account: Account) -> bool:
    """Whether a bracket does not say yet that nobody can look after it."""
    return any(FLAG not in row.note for row in _active(account))


def known(account: Account) -> bool:
    """Whether all that it guards says so."""
    return bool(_active(account)) and not unmarked(account)


def _active(account: Account) -> list[Bracket]:
    rows = Bracket.objects.filter(account=account, status__in=ACTIVE_BRACKETS)
    return brackets.readable(rows.select_related("account"))


def _flag(pk: int) -> bool:
    """False when it was flagged before."""
    return _set_note(pk, lambda note: note if FLAG in note else f"{FLAG}; {note}".rstrip("; "))


def _without(note: str) -> str:
    return note.replace(FLAG, "").lstrip("; ")


def _set_note(pk: int, change: Callable[[str], str]) -> bool:
    """Whether the note is another one now."""
    for _ in range(ATTEMPTS):
        row = Bracket.objects.select_related("account").get(pk=pk)
        bracket = brackets.from_row(row)
        bracket.note = change(row.note)
        if bracket.note == row.note:
            return False
        if brackets.save(bracket, row.version, by="key check"):
            return True
    log.warning("bracket %s could not be marked: it keeps changing", pk)
    return False
