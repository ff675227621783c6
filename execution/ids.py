"""Ids of orders and brackets: deterministic where an order may have to be found again."""

from __future__ import annotations

import hashlib
import secrets

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _base32(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, low = divmod(number, 32)
        digits.append(CROCKFORD[low])
    return "".join(reversed(digits))


def order_token(delivery: str, position: int) -> str:
    """128 bits from the delivery and the place of the order in its message, in 26 Crockford characters:
    the same delivery can only ever produce the same orders."""
    return _derived(f"order:{delivery}:{position}")


def step_token(token: str, part: str) -> str:
    """The token of a further order that belongs to one: a leg (`stop`, `target1`), the closing half of a reverse."""
    return _derived(f"part:{token}:{part}")


def side_token(token: str, number: int) -> str:
    """Of the orders that close the sides of a position, in the order in which they leave: 0, and 1 in hedge mode."""
    return step_token(token, f"close{number}") if number else token


def new_public_id(prefix: str) -> str:
    """`b_...`: 100 random bits."""
    return f"{prefix}_{_base32(secrets.randbits(100), 20).lower()}"


def _derived(text: str) -> str:
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return _base32(int.from_bytes(digest), 26)
