"""What stands behind a webhook's URL: the hook, its user, and the user's accounts.

`enter` reads it in one round trip and remembers it. Whoever uses what is remembered has PostgreSQL confirm, in the
statement that writes, that it is `unchanged`: so a message costs one round trip, and a hook that was switched off a
moment ago is off.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from accounts import tokens
from accounts.models import Account, Hook, User
from accounts.statements import Columns, Query, select, select_together, table

#: hooks remembered by a process, some ten kilobytes each
REMEMBERED = 1000

# Every version of a row has another `xmin`; a hook's use, which is written down now and then, changes nothing.
_STAMP = f"""
SELECT concat_ws(' ', (to_jsonb(h) - 'last_used_at')::text, u.xmin, (
    SELECT string_agg(a.id || ':' || a.xmin, ' ' ORDER BY a.id) FROM {table(Account)} a WHERE a.user_id = u.id
)) FROM {table(Hook)} h JOIN {table(User)} u ON u.id = h.user_id WHERE h.id = {{hook}}
"""  # noqa: S608 - names of our own tables


@dataclass(frozen=True, slots=True)
class Entrance:
    """`accounts` are those of the hook's user, oldest first; `more` the rows of the caller's own query."""

    hook: Hook
    accounts: list[Account]
    more: Sequence[Sequence[Any]]
    #: of the rows it was read from
    stamp: str


def enter(user_public_id: str, token: str, more: Query) -> Entrance | None:
    """None for a token that opens nothing, or not under this user's id (see `tokens.find_hook`)."""
    hook_id, params = tokens.hook_named(token, "id")
    user_id, _ = tokens.hook_named(token, "user_id")
    # The stamp first: if something changes before the rest is read, it does not fit any more.
    stamps, hooks, accounts, found = select_together(
        (_STAMP.format(hook=f"({hook_id})"), params),
        tokens.hook_query(token),
        (_accounts_sql(f"({user_id})"), params),
        more,
    )
    hook = tokens.read_hook(user_public_id, hooks)
    if hook is None or not stamps:
        return None
    entrance = Entrance(hook, _accounts(accounts), found, stamps[0][0])
    _memory().keep(tokens.digest(token), entrance)
    return entrance


def remembered(user_public_id: str, token: str) -> Entrance | None:
    """As it was when it was last read by this process; to be confirmed."""
    digest = tokens.digest(token)
    found = _memory().find(digest)
    if found is None or not tokens.same(found.hook.user.public_id, user_public_id):
        return None
    return found if tokens.opens(found.hook, digest) else None


def unchanged(entrance: Entrance) -> Query:
    """A condition for a statement that relies on what is remembered."""
    return f"({_STAMP.format(hook='%s')}) = %s", (entrance.hook.pk, entrance.stamp)


def accounts_of(user: User) -> list[Account]:
    """The same accounts for a user who is known already."""
    return _accounts(select(_accounts_sql("%s"), [user.pk]))


def _accounts(rows: Sequence[Sequence[Any]]) -> list[Account]:
    return [_account_columns().row(values) for values in rows]


def _accounts_sql(user: str) -> str:
    return f"SELECT {_account_columns().sql} FROM {table(Account)} a WHERE a.user_id = {user} ORDER BY a.id"  # noqa: S608


@cache
def _account_columns() -> Columns:
    return Columns(Account, "a")


class _Memory:
    """By token digest; the least recently used is forgotten first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Entrance] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, digest: str, entrance: Entrance) -> None:
        with self._lock:
            self._kept[digest] = entrance
            self._kept.move_to_end(digest)
            if len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)

    def find(self, digest: str) -> Entrance | None:
        with self._lock:
            if digest in self._kept:
                self._kept.move_to_end(digest)
            return self._kept.get(digest)


@cache
def _memory() -> _Memory:
    return _Memory()
