"""`manage.py new_vault_key`: a key pair for the vault, into a file of mode 0600 or onto the terminal."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.vault import new_keypair


class Command(BaseCommand):
    help = (
        "Make a key pair for the vault. To rotate: give workers VAULT_PRIVATE_KEYS=NEW,OLD, then every process the "
        "new VAULT_PUBLIC_KEY, then run rotate_vault, then drop OLD."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", type=Path, help="write to this new file (mode 0600) instead of printing")

    def handle(self, *args: Any, **options: Any) -> None:
        public, private = new_keypair()
        text = f"VAULT_PUBLIC_KEY={public}\nVAULT_PRIVATE_KEYS={private}\n"
        path: Path | None = options["to"]
        if path is None:
            self.stdout.write(text, ending="")
        else:
            _write_new(path, text)
            self.stdout.write(f"Written to {path}. The private key belongs to region workers only.")


def _write_new(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandError(f"{path} exists: keys are never overwritten.") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
