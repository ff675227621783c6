"""The second test case of RFC 4231, which publishes vectors for HMAC; and secrets that come in Base64."""

from __future__ import annotations

import base64

import pytest

from exchanges.errors import AuthRefused
from exchanges.signature import base64_hmac, base64_secret, hex_hmac

KEY, DATA = "Jefe", "what do ya want for nothing?"
SHA256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
SHA512 = (
    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
)


def test_the_digits_are_those_of_the_standard() -> None:
    assert hex_hmac(KEY, DATA) == SHA256
    assert hex_hmac(KEY, DATA, "sha512") == SHA512


def test_base64_says_the_same_digest() -> None:
    assert base64.b64decode(base64_hmac(KEY, DATA)).hex() == SHA256


def test_a_secret_in_base64_signs_as_its_bytes() -> None:
    assert base64_secret("Kraken", "c2VjcmV0") == b"secret"


def test_a_secret_that_is_not_of_the_exchange_is_refused_without_being_told() -> None:
    with pytest.raises(AuthRefused, match=r"not one that Kraken issues \(base 64\)") as refused:
        base64_secret("Kraken", "my secret!")
    assert "my secret!" not in str(refused.value)
