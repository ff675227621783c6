"""`manage.py rotate_web_keys`: seal every hook token with the first of WEB_KEYS; run it in the web tier's environment."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.rotation import rotate_hooks
from accounts.tokens import current_kid


class Command(BaseCommand):
    help = "Seal every hook token with the first of WEB_KEYS; afterwards the others can be dropped."

    def handle(self, *args: Any, **options: Any) -> None:
        result = rotate_hooks(lambda done: self.stdout.write(f"{done} sealed"))
        self.stdout.write(f"{result.done} hook tokens are now sealed with {current_kid()}.")
        if result.failed:
            raise CommandError("\n".join(["These do not open:", *result.failed]))
