"""Sealing every row anew after the key in front was replaced, while the service runs.

Only rows under an older key are touched, each by compare-and-set on the text that was read: a key the user replaced
meanwhile is never overwritten, and an interrupted run is continued by starting it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from django.db.models import Q, QuerySet

from accounts import tokens, vault
from accounts.models import Account, Hook

BATCH = 200
Sealed = TypeVar("Sealed", Account, Hook)


@dataclass(frozen=True, slots=True)
class Rotated:
    """`failed` names the rows that do not open, by public id and reason."""

    done: int
    failed: tuple[str, ...]


def rotate_accounts(progress: Callable[[int], None]) -> Rotated:
    """Exchange keys to the current VAULT_PUBLIC_KEY. Needs VAULT_PRIVATE_KEYS with the old and the new key."""
    return _rotate(_old(Account.objects.all(), "sealed", vault.current_kid()), _reseal_account, progress)


def rotate_hooks(progress: Callable[[int], None]) -> Rotated:
    """Hook tokens to the first of WEB_KEYS. Runs in the web tier."""
    return _rotate(_old(Hook.objects.all(), "token_sealed", tokens.current_kid()), _reseal_hook, progress)


def _old(rows: QuerySet[Sealed], column: str, kid: str) -> QuerySet[Sealed]:
    return rows.filter(~Q(**{f"{column}__startswith": f"{kid}."})).select_related("user").order_by("pk")


def _rotate(
    old: QuerySet[Sealed], reseal: Callable[[Sealed], bool], progress: Callable[[int], None]
) -> Rotated:
    done, failed = 0, []
    for row in _rows(old):
        try:
            done += reseal(row)
        except (vault.VaultError, tokens.TokenError) as error:
            failed.append(f"{row.public_id}: {error}")
        if done % BATCH == 0:
            progress(done)
    return Rotated(done, tuple(failed))


def _rows(old: QuerySet[Sealed]) -> Iterator[Sealed]:
    """By primary key in batches, so that no transaction stays open. A row that somebody saves behind us was sealed
    with the current key by that."""
    after = 0
    while batch := list(old.filter(pk__gt=after)[:BATCH]):
        yield from batch
        after = batch[-1].pk


def _reseal_account(account: Account) -> bool:
    reseal = partial(
        vault.reseal, user=account.user.public_id, account=account.public_id, exchange=account.exchange
    )
    return bool(
        Account.objects.filter(pk=account.pk, sealed=account.sealed).update(sealed=reseal(account.sealed))
    )


def _reseal_hook(hook: Hook) -> bool:
    bound = {"user": hook.user.public_id, "hook": hook.public_id}
    fresh = tokens.seal_token(tokens.open_token(hook.token_sealed, **bound), **bound)
    return bool(Hook.objects.filter(pk=hook.pk, token_sealed=hook.token_sealed).update(token_sealed=fresh))
