"""Exchange keys at rest: every process can seal one, only a region worker can open it.

HPKE (RFC 9180) to the workers' public key. The KEM is the hybrid of ML-KEM-768 and X25519: whoever copies the
database today must break both, the second with a quantum computer they may have while the key is still valid.
It costs 26 us more to open than X25519 alone (69 against 43 us here) and 1.1 KB a row. The context (user,
account, exchange) is authenticated, so a sealed text moved to another row does not open.
"""

from __future__ import annotations

import json
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from accounts.keyring import (
    KeyringError,
    context,
    entry,
    new_kid,
    read_entry,
    read_keys,
    read_sealed,
    sealed_text,
)
from exchanges.types import Credentials

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_PURPOSE = "flipr exchange key 1"
_X25519_BYTES = 32
_MLKEM_SEED_BYTES = 64
_MLKEM_PUBLIC_BYTES = 1184


class VaultError(Exception):
    """A key could not be sealed or opened. Says which id or setting is wrong, never any key material."""


def new_keypair() -> tuple[str, str]:
    """(public, private), both `kid:base64`: for VAULT_PUBLIC_KEY and for VAULT_PRIVATE_KEYS."""
    kid = new_kid()
    post_quantum, classic = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    public = post_quantum.public_key().public_bytes_raw() + classic.public_key().public_bytes_raw()
    private = post_quantum.private_bytes_raw() + classic.private_bytes_raw()
    return entry(kid, public), entry(kid, private)


@sensitive_variables()
def seal(keys: Credentials, *, user: str, account: str, exchange: str) -> str:
    """`kid.base64`, bound to its row. Needs VAULT_PUBLIC_KEY only."""
    kid, public = _public_key(settings.VAULT_PUBLIC_KEY)
    plain = json.dumps([keys.key, keys.secret, keys.passphrase]).encode()
    return sealed_text(kid, _SUITE.encrypt(plain, public, _info(user, account, exchange)))


@sensitive_variables()
def unseal(sealed: str, *, user: str, account: str, exchange: str) -> Credentials:
    """The exchange key; workers only. Raises VaultError."""
    keys = _private_keys(settings.VAULT_PRIVATE_KEYS)
    if not keys:
        raise VaultError("this process holds no vault key")
    try:
        kid, blob = read_sealed(sealed)
    except KeyringError as error:
        raise VaultError(str(error)) from None
    if kid not in keys:
        raise VaultError(f"this process does not hold the vault key with id {kid}")
    try:
        plain = _SUITE.decrypt(blob, keys[kid], _info(user, account, exchange))
    except (InvalidTag, ValueError):
        raise VaultError(
            "the sealed key does not open here: it is damaged or belongs to another account"
        ) from None
    return Credentials(*json.loads(plain))


@sensitive_variables()
def reseal(sealed: str, *, user: str, account: str, exchange: str) -> str:
    """The same exchange key sealed to the current VAULT_PUBLIC_KEY; workers only."""
    return seal(
        unseal(sealed, user=user, account=account, exchange=exchange),
        user=user,
        account=account,
        exchange=exchange,
    )


def current_kid() -> str:
    """The id of the key that `seal` uses now."""
    return _public_key(settings.VAULT_PUBLIC_KEY)[0]


def holds_private_key() -> bool:
    """Whether this process can open anything. Raises VaultError when what it holds cannot be read."""
    return bool(_private_keys(settings.VAULT_PRIVATE_KEYS))


def _info(user: str, account: str, exchange: str) -> bytes:
    return context(_PURPOSE, user, account, exchange)


@lru_cache(maxsize=8)  # parsing takes as long as opening does, and the setting does not change
def _public_key(setting: str) -> tuple[str, MLKEM768X25519PublicKey]:
    try:
        kid, raw = read_entry(setting)
        return kid, MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC_BYTES:]),
        )
    except ValueError:
        raise VaultError(
            "VAULT_PUBLIC_KEY is not a vault key: make one with manage.py new_vault_key"
        ) from None


@lru_cache(maxsize=8)
def _private_keys(setting: str) -> dict[str, MLKEM768X25519PrivateKey]:
    try:
        return {kid: _private_key(raw) for kid, raw in read_keys(setting).items()}
    except ValueError:
        raise VaultError("VAULT_PRIVATE_KEYS holds something that is not a vault key") from None


def _private_key(raw: bytes) -> MLKEM768X25519PrivateKey:
    if len(raw) != _MLKEM_SEED_BYTES + _X25519_BYTES:
        raise KeyringError("wrong length")
    return MLKEM768X25519PrivateKey(
        MLKEM768PrivateKey.from_seed_bytes(raw[:_MLKEM_SEED_BYTES]),
        X25519PrivateKey.from_private_bytes(raw[_MLKEM_SEED_BYTES:]),
    )
