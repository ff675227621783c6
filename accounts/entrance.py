"""What stands behind a webhook's URL, read in one round trip: the hook, its user, and the user's accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from accounts import tokens
from accounts.models import Account, Hook, User
from accounts.statements import Columns, Query, select, select_together, table


@dataclass(frozen=True, slots=True)
class Entrance:
    """`accounts` are those of the hook's user, oldest first; `more` the rows of the caller's own query."""

    hook: Hook
    accounts: list[Account]
    more: Sequence[Sequence[Any]]


def enter(user_public_id: str, token: str, more: Query) -> Entrance | None:
    """None for a token that opens nothing, or not under this user's id (see `tokens.find_hook`)."""
    named, params = tokens.hook_named(token, "user_id")
    hooks, accounts, found = select_together(
        tokens.hook_query(token), (_accounts_sql(f"({named})"), params), more
    )
    hook = tokens.read_hook(user_public_id, hooks)
    return Entrance(hook, _accounts(accounts), found) if hook else None


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
