"""Secrets: `python -m flipr.keys` prints a new set; the demo keeps one under `.local/keys`."""

from __future__ import annotations

import base64
import json
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

from accounts.vault import new_keypair

WORKERS_ONLY = "VAULT_PRIVATE_KEYS"


def new_keys() -> dict[str, str]:
    """A value for every secret. WEB_KEYS seals hook tokens; the vault's pair seals and opens exchange keys."""
    public, private = new_keypair()
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "WEB_KEYS": f"w1:{_random()}",
        "TOKEN_DIGEST_KEY": _random(),
        "VAULT_PUBLIC_KEY": public,
        WORKERS_ONLY: private,
    }


def stored_keys(directory: Path) -> dict[str, str]:
    """The set kept in `directory`; made the first time. One file, because the vault's two halves belong together."""
    kept = json.loads(kept_private(directory / "keys.json", lambda: json.dumps(new_keys(), indent=2)))
    return {str(name): str(value) for name, value in kept.items()}


def kept_private(path: Path, make: Callable[[], str]) -> str:
    """What the file holds; made and kept the first time."""
    if not path.exists():
        keep_private(path, make())
    return path.read_text()


def keep_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)


def _random() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def main() -> None:
    keys = new_keys()
    private = keys.pop(WORKERS_ONLY)
    lines = ["# Every process:", *(f"{name}={value}" for name, value in keys.items())]
    lines += ["# Region workers only, never the web tier:", f"{WORKERS_ONLY}={private}"]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
