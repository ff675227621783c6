"""Our ids of orders in the forms that exchanges of the long tail take. An exchange repeats an id as it was sent, so what
ccxt would change on its way is already changed here: else an order whose answer was lost could not be found again."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping


def number(token: str, bits: int) -> str:
    return str(int.from_bytes(hashlib.blake2b(token.encode(), digest_size=8).digest()) >> (64 - bits))


def unique(token: str) -> str:
    return str(uuid.UUID(bytes=hashlib.blake2b(token.encode(), digest_size=16).digest(), version=4))


#: read 2026-11-22 (Coinbase: 2026-11-23). Gate wants "t-" before an id, and ccxt adds it (28 characters at most); Backpack takes 32 bits
#: (docs.rs/bpx-api-client, get_open_order); WOO whole numbers below 2^63 (docs.woox.io, "clientOrderId"). The
#: examples of Bullish are such numbers, too, and those of Coinbase Exchange UUIDs, which Coinbase's own client of its Advanced
#: Trade makes as well (github.com/coinbase/coinbase-advanced-py)
FORMS: Mapping[str, Callable[[str], str]] = {
    "backpack": lambda token: number(token, 32),
    "bullish": lambda token: number(token, 63),
    "coinbase": unique,
    "coinbaseexchange": unique,
    "gateeu": lambda token: f"t-{token}",
    "woo": lambda token: number(token, 63),
}
