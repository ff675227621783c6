"""`prepare_demo`: the tables, one user with sandbox keys and one hook, and one of support. Prints the hook's URL as JSON."""

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

EMAIL, SUPPORT = "demo@example.com", "support@example.com"


class Command(BaseCommand):
    help = "Migrate, then create or refresh the demo's users. For `make demo`."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        password = os.environ["DEMO_PASSWORD"]
        user = _user(EMAIL, password)
        User.objects.filter(pk=_user(SUPPORT, password).pk).update(is_staff=True, is_superuser=True)
        keys = json.loads(Path(os.environ["DEMO_SANDBOX_KEYS"]).read_text())
        for exchange, key in keys.items():
            _account(user, exchange, Credentials(key["key"], key["secret"], key["passphrase"]))
        answer = {"email": EMAIL, "support": SUPPORT, "webhook": _hook_url(user)}
        self.stdout.write(json.dumps(answer))


def _user(email: str, password: str) -> User:
    """With a confirmed address, so that logging in needs no e-mail."""
    user = User.objects.filter(email=email).first() or User.objects.create_user(email)
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    EmailAddress.objects.update_or_create(
        user=user, email=email, defaults={"verified": True, "primary": True}
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
