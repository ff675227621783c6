"""`prepare_demo`: the tables, one user with sandbox keys, and one hook. Prints the hook's URL as JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.core.management import BaseCommand, call_command

from accounts import flows
from accounts.models import Account, Hook, User
from exchanges.types import Credentials, Environment

EMAIL = "demo@example.com"


class Command(BaseCommand):
    help = "Migrate, then create or refresh the demo's user. For `make demo`."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        user = _user(os.environ["DEMO_PASSWORD"])
        keys = json.loads(Path(os.environ["DEMO_SANDBOX_KEYS"]).read_text())
        for exchange, key in keys.items():
            _account(user, exchange, Credentials(key["key"], key["secret"], key["passphrase"]))
        answer = {"email": EMAIL, "webhook": _hook_url(user)}
        self.stdout.write(json.dumps(answer))


def _user(password: str) -> User:
    """With a confirmed address, so that logging in needs no e-mail."""
    user = User.objects.filter(email=EMAIL).first() or User.objects.create_user(EMAIL)
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    EmailAddress.objects.update_or_create(
        user=user, email=EMAIL, defaults={"verified": True, "primary": True}
    )
    return user


def _account(user: User, exchange: str, credentials: Credentials) -> None:
    held = Account.objects.of(user).filter(
        exchange=exchange, environment=Environment.SANDBOX.value, label="main"
    )
    account = held.first()
    if account is None:
        flows.add_account(user, exchange, "main", Environment.SANDBOX, credentials)
    else:
        flows.replace_key(account, credentials)


def _hook_url(user: User) -> str:
    hook = Hook.objects.of(user).filter(name="demo").first()
    if hook is None:
        return flows.hook_url(*flows.create_hook(user, "demo"))
    return flows.hook_url(hook, flows.show_token(hook))
