"""The history of accounts: one line for each change of a key and each decision about it."""

from __future__ import annotations

from accounts.models import Account, AccountEvent


def note(account: Account, text: str) -> None:
    subject = f"{account.title} {account.label}, key {account.key_fingerprint}"
    AccountEvent.objects.create(user=account.user, account=account, subject=subject[:120], text=text[:300])
