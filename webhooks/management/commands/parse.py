"""`manage.py parse < message`: what a message means, or what is wrong with it, as JSON. Sends nothing."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from webhooks.syntax import BadCommand, parse_bytes
from webhooks.syntax.data import commands, options


def answer(body: bytes) -> dict[str, Any]:
    """The commands and the canonical text, or the error object that the webhook would give."""
    try:
        message = parse_bytes(body)
    except BadCommand as error:
        return {"ok": False, "status": "rejected", "error": error.as_error(settings.PUBLIC_URL)}
    return {
        "ok": True,
        "canonical": str(message),
        "options": options(message),
        "commands": commands(message),
    }


class Command(BaseCommand):
    help = "Reads a Smart Syntax message on standard input and prints what it means, or its error, as JSON."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        found = answer(sys.stdin.buffer.read())
        self.stdout.write(json.dumps(found, indent=2))
        if not found["ok"]:
            sys.exit(1)
