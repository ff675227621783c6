"""Secrets: `python -m flipr.keys` prints a new set; the demo keeps one under `.local/keys`, mode 0600."""

from __future__ import annotations

import base64
import secrets
import sys
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
    """The set kept in `directory`, one file each; made the first time."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = [path.name for path in directory.iterdir()]
    if not names:
        for name, value in new_keys().items():
            path = directory / name
            path.touch(mode=0o600)
            path.write_text(value)
    return {path.name: path.read_text() for path in directory.iterdir()}


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
