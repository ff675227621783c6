"""Exchange keys at rest: what opens, what does not, and what the errors tell."""

from __future__ import annotations

import base64

import pytest
from django.test import override_settings

from accounts import vault
from exchanges.types import Credentials

KEYS = Credentials("the-key", "the-secret", "the-passphrase")
ROW = {"user": "u1", "account": "a1", "exchange": "binance"}


def holding(*pairs: tuple[str, str]) -> override_settings:
    """A worker that holds these key pairs and seals to the first."""
    return override_settings(
        VAULT_PUBLIC_KEY=pairs[0][0], VAULT_PRIVATE_KEYS=",".join(private for _, private in pairs)
    )


def test_what_was_sealed_opens_in_its_row():
    with holding(vault.new_keypair()):
        assert vault.unseal(vault.seal(KEYS, **ROW), **ROW) == KEYS


def test_any_text_of_an_exchange_survives():
    odd = Credentials('k"\\ey', "sécret\n:,.", "")
    with holding(vault.new_keypair()):
        assert vault.unseal(vault.seal(odd, **ROW), **ROW) == odd


@pytest.mark.parametrize("part", ["user", "account", "exchange"])
def test_a_blob_moved_to_another_row_does_not_open(part):
    with holding(vault.new_keypair()):
        sealed = vault.seal(KEYS, **ROW)
        with pytest.raises(vault.VaultError, match="belongs to another account"):
            vault.unseal(sealed, **ROW | {part: "other"})


def test_parts_of_the_context_do_not_run_into_each_other():
    with holding(vault.new_keypair()):
        sealed = vault.seal(KEYS, user="ab", account="c", exchange="binance")
        with pytest.raises(vault.VaultError):
            vault.unseal(sealed, user="a", account="bc", exchange="binance")


def test_the_web_tier_seals_but_cannot_open():
    public, private = vault.new_keypair()
    with override_settings(VAULT_PUBLIC_KEY=public, VAULT_PRIVATE_KEYS=""):
        sealed = vault.seal(KEYS, **ROW)
        with pytest.raises(vault.VaultError, match="this process holds no vault key"):
            vault.unseal(sealed, **ROW)
    with override_settings(VAULT_PUBLIC_KEY=public, VAULT_PRIVATE_KEYS=private):
        assert vault.unseal(sealed, **ROW) == KEYS


def test_two_seals_of_one_key_differ():
    with holding(vault.new_keypair()):
        assert vault.seal(KEYS, **ROW) != vault.seal(KEYS, **ROW)


def test_every_key_of_the_ring_opens_and_the_public_one_seals():
    old, new = vault.new_keypair(), vault.new_keypair()
    with holding(old):
        sealed = vault.seal(KEYS, **ROW)
    with holding(new, old):
        again = vault.reseal(sealed, **ROW)
        assert again.split(".")[0] == new[0].split(":")[0]
    with holding(new):
        assert vault.unseal(again, **ROW) == KEYS
        with pytest.raises(vault.VaultError, match="does not hold the vault key with id"):
            vault.unseal(sealed, **ROW)


@pytest.mark.parametrize("position", [0, 1110, 1130, -1])
def test_a_changed_byte_does_not_open(position):
    with holding(vault.new_keypair()):
        kid, _, encoded = vault.seal(KEYS, **ROW).partition(".")
        blob = bytearray(base64.urlsafe_b64decode(encoded))
        blob[position] ^= 1
        with pytest.raises(vault.VaultError):
            vault.unseal(f"{kid}.{base64.urlsafe_b64encode(bytes(blob)).decode()}", **ROW)


@pytest.mark.parametrize("text", ["", "no dot", "kid.", "kid.%%%", "kid.AAAA", ".AAAA"])
def test_what_is_no_sealed_text_is_refused(text):
    with holding(vault.new_keypair()), pytest.raises(vault.VaultError):
        vault.unseal(text, **ROW)


@pytest.mark.parametrize("setting", ["", "kid", "kid:", "kid:AAAA", "k.d:AAAA"])
def test_a_wrong_public_key_is_named_by_its_setting(setting):
    with (
        override_settings(VAULT_PUBLIC_KEY=setting),
        pytest.raises(vault.VaultError, match="VAULT_PUBLIC_KEY"),
    ):
        vault.seal(KEYS, **ROW)


def test_errors_hold_no_key_material():
    public, private = vault.new_keypair()
    with override_settings(VAULT_PUBLIC_KEY=public, VAULT_PRIVATE_KEYS=private[:-8]):
        sealed = vault.seal(KEYS, **ROW)
        with pytest.raises(vault.VaultError) as caught:
            vault.unseal(sealed, **ROW)
    told = repr(caught.value) + repr(caught.value.__cause__)
    assert private.split(":")[1][:12] not in told
    assert KEYS.secret not in told
