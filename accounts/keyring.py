"""Keys with ids, as settings carry them: `kid:base64,kid:base64`. The first key is the one that seals; all of them open.

A sealed text is `kid.base64`, so that a key can be replaced while what it sealed is still around.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets

KID_BYTES = 4


class KeyringError(ValueError):
    """A setting or a sealed text that does not have the promised shape. The text names no key material."""


def new_kid() -> str:
    return secrets.token_hex(KID_BYTES)


def entry(kid: str, key: bytes) -> str:
    return f"{kid}:{base64.b64encode(key).decode()}"


def read_entry(text: str) -> tuple[str, bytes]:
    """(kid, key) of one `kid:base64`. Raises KeyringError."""
    kid, colon, encoded = text.strip().partition(":")
    if not colon or not kid.isalnum():
        raise KeyringError("a key must be written as id:base64, the id of letters and digits")
    try:
        return kid, base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise KeyringError(f"the key with id {kid} is not valid base64") from None


def read_keys(text: str) -> dict[str, bytes]:
    """Every key of a keyring in its order. Raises KeyringError, also for an id given twice."""
    keys: dict[str, bytes] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        kid, key = read_entry(part)
        if kid in keys:
            raise KeyringError(f"two keys have the id {kid}")
        keys[kid] = key
    return keys


def sealed_text(kid: str, blob: bytes) -> str:
    return f"{kid}.{base64.urlsafe_b64encode(blob).decode()}"


def read_sealed(text: str) -> tuple[str, bytes]:
    """(kid, blob) of a sealed text. Raises KeyringError."""
    kid, dot, encoded = text.partition(".")
    if not dot or not kid.isalnum():
        raise KeyringError("this is not a sealed text")
    try:
        return kid, base64.b64decode(encoded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise KeyringError("the sealed text is damaged") from None


def context(*parts: str) -> bytes:
    """What a sealed text is bound to. JSON, because ("ab", "c") and ("a", "bc") must differ."""
    return json.dumps(parts, separators=(",", ":")).encode()
