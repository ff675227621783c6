"""Exchange keys: add, replace, pause, resume, delete, choose the default."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from accounts import vault
from accounts.families import Family, family
from accounts.flows.checks import ask_check, check_again
from accounts.flows.history import note
from accounts.flows.saving import save_named
from accounts.models import Account, AccountStatus, User, new_public_id
from exchanges.types import Credentials, Environment

MAX_FIELD_LENGTH = 1024
_SHOWN = 4
_LONG_ENOUGH_TO_SHOW = 16

#: asked before an account is deleted; a text says why it must stay (a position still guarded through it)
reasons_to_keep: list[Callable[[Account], str]] = []


@transaction.atomic
def add_account(
    user: User,
    exchange: str,
    label: str,
    environment: Environment | str,
    credentials: Credentials,
    *,
    accept_withdrawal: bool = False,
) -> Account:
    """Seal the key, keep the account and ask for its check. The first one of an exchange becomes its default.
    A key that may withdraw is refused by the check unless `accept_withdrawal`."""
    opened = _family(exchange)
    _check_environment(opened, environment)
    _take_turn(user)
    public_id = new_public_id()
    account = Account(
        user=user,
        public_id=public_id,
        exchange=opened.name,
        label=label.strip(),
        environment=environment,
        withdrawal_accepted=accept_withdrawal,
    )
    _put_key(account, opened, credentials)
    account.is_default = not _siblings(account).filter(is_default=True).exists()
    save_named(account, "label", "You already have a key with this name on this exchange.")
    note(account, "Key added" + _insisting(accept_withdrawal))
    ask_check(account)
    return account


@transaction.atomic
def replace_key(account: Account, credentials: Credentials, *, accept_withdrawal: bool = False) -> None:
    """Another key for the same account; what was known of the old one is forgotten, and the new one is checked.
    What its owner insisted on was about the old key."""
    _put_key(account, _family(account.exchange), credentials)
    account.key_facts, account.checked_at = {}, None
    account.withdrawal_accepted = accept_withdrawal
    account.save(
        update_fields=[
            *("sealed", "key_fingerprint", "key_facts", "checked_at"),
            *("withdrawal_accepted", "updated"),
        ]
    )
    note(account, "Key replaced" + _insisting(accept_withdrawal))
    ask_check(account)


@transaction.atomic
def insist_on_key(account: Account) -> None:
    """Its owner wants this key although it may withdraw: the next check takes it."""
    account.withdrawal_accepted = True
    account.save(update_fields=["withdrawal_accepted", "updated"])
    note(account, "Key taken although it may withdraw, as its owner insists.")
    check_again(account)


def change_account(account: Account, *, label: str, opposite_signal: str) -> None:
    account.label, account.opposite_signal = label.strip(), opposite_signal
    save_named(account, "label", "You already have a key with this name on this exchange.")


@transaction.atomic
def make_default(account: Account) -> None:
    """The account that serves messages without `using`, for its exchange and environment."""
    _take_turn(account.user)
    _siblings(account).filter(is_default=True).update(is_default=False)
    account.is_default = True
    account.save(update_fields=["is_default", "updated"])


def pause_account(account: Account, reason: str = "Paused by you.") -> None:
    """Nothing new is traded with it; the reason is shown. What it guards already stays guarded."""
    account.status, account.status_reason = AccountStatus.PAUSED, reason[:300]
    account.save(update_fields=["status", "status_reason", "updated"])


def resume_account(account: Account) -> None:
    """Trade again, after a new check: the key may have been changed at the exchange meanwhile."""
    with transaction.atomic():
        ask_check(account)


@transaction.atomic
def delete_account(account: Account) -> None:
    """Forget the key. Raises ValidationError while something still depends on it."""
    for reason in filter(None, (ask(account) for ask in reasons_to_keep)):
        raise ValidationError(reason)
    heir = _siblings(account).exclude(pk=account.pk).order_by("created").first()
    account.delete()
    if account.is_default and heir is not None:
        make_default(heir)


def _insisting(accept_withdrawal: bool) -> str:
    return ", to be taken even if it may withdraw." if accept_withdrawal else "."


def fingerprint(key: str) -> str:
    """Enough to recognise a key on the exchange's own page, not enough to use it. The secret takes no part."""
    if len(key) >= _LONG_ENOUGH_TO_SHOW:
        return f"{key[:_SHOWN]}…{key[-_SHOWN:]}"
    return "#" + hashlib.blake2b(key.encode(), digest_size=4).hexdigest()


def _put_key(account: Account, opened: Family, credentials: Credentials) -> None:
    clean = _clean(opened, credentials)
    account.sealed = vault.seal(
        clean, user=account.user.public_id, account=account.public_id, exchange=account.exchange
    )
    account.key_fingerprint = fingerprint(clean.key)


def _clean(opened: Family, credentials: Credentials) -> Credentials:
    """Pasted blanks removed; what is missing or cannot be a key is named by field, never repeated."""
    values = {name: getattr(credentials, name).strip() for name in ("key", "secret", "passphrase")}
    wrong = {}
    for name, value in values.items():
        if name not in opened.fields:
            values[name] = ""
        elif not value:
            wrong[name] = "This is needed."
        elif len(value) > MAX_FIELD_LENGTH or not (value.isascii() and value.isprintable()) or " " in value:
            wrong[name] = (
                "This does not look like a key: it has blanks or unusual characters, or is too long."
            )
    if wrong:
        raise ValidationError(wrong)
    return Credentials(**values)


def _family(exchange: str) -> Family:
    try:
        return family(exchange)
    except KeyError:
        raise ValidationError({"exchange": "This exchange is not known."}) from None


def _check_environment(opened: Family, environment: Environment | str) -> None:
    if environment not in opened.environments:
        raise ValidationError({"environment": f"{opened.title} has no such environment here."})


def _take_turn(user: User) -> None:
    """One change of defaults at a time for each user, or two rows would claim the place."""
    User.objects.select_for_update().only("pk").get(pk=user.pk)


def _siblings(account: Account) -> QuerySet[Account]:
    return Account.objects.of(account.user).filter(exchange=account.exchange, environment=account.environment)
