"""Keys with ids, as settings carry them."""

from __future__ import annotations

import pytest

from accounts import keyring


def test_a_ring_keeps_its_order():
    ring = f"{keyring.entry('b', b'2')}, {keyring.entry('a', b'1')},"
    assert list(keyring.read_keys(ring).items()) == [("b", b"2"), ("a", b"1")]
    assert keyring.read_keys("") == {}


def test_an_id_given_twice_is_refused():
    with pytest.raises(keyring.KeyringError, match="two keys have the id a"):
        keyring.read_keys(f"{keyring.entry('a', b'1')},{keyring.entry('a', b'2')}")


@pytest.mark.parametrize("text", ["kid", ":AAAA", "k-1:AAAA", "kid:A*=="])
def test_a_key_in_another_shape_is_refused_without_repeating_it(text: str):
    with pytest.raises(keyring.KeyringError) as refused:
        keyring.read_keys(text)
    assert "AAAA" not in str(refused.value)
    assert "A*" not in str(refused.value)


def test_contexts_differ_wherever_their_parts_do():
    parts = [("ab", "c"), ("a", "bc"), ("a", "b", "c"), ('a","b', "c"), ("abc",)]
    assert len({keyring.context(*one) for one in parts}) == len(parts)
