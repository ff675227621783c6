"""What a venue keeps of the keys that pass through it: bounded, because a venue lives as long as its process."""

from __future__ import annotations

from collections import UserDict
from typing import TypeVar

from exchanges.types import Credentials, Instrument
from exchanges.venue import key_digest

K = TypeVar("K")
V = TypeVar("V")
#: the most entries of one memory
REMEMBERED = 50_000
#: one instrument in the account of one key
Slot = tuple[str, str]


class Memory(UserDict[K, V]):
    """Forgets everything when it is full: what was in it is asked for again."""

    def __setitem__(self, key: K, value: V) -> None:
        if len(self.data) >= REMEMBERED and key not in self.data:
            self.data.clear()
        self.data[key] = value


def slot(keys: Credentials, instrument: Instrument) -> Slot:
    return key_digest(keys), instrument.symbol
