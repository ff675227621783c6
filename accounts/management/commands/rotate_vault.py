"""`manage.py rotate_vault`: seal every exchange key to the current VAULT_PUBLIC_KEY; run it in a worker's environment."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.rotation import rotate_accounts
from accounts.vault import VaultError, current_kid, holds_private_key


class Command(BaseCommand):
    help = (
        "Seal every exchange key to the current VAULT_PUBLIC_KEY. Start workers with both private keys first; "
        "drop the old one when this has run and the messages of the last minutes are done."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if not holds_private_key():
                raise CommandError("this process holds no vault key: run it where a region worker runs")
            result = rotate_accounts(lambda done: self.stdout.write(f"{done} sealed"))
        except VaultError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{result.done} keys are now sealed to {current_kid()}.")
        if result.failed:
            raise CommandError("\n".join(["These do not open:", *result.failed]))
