"""What a venue keeps of the keys that pass through it: bounded, because a venue lives as long as its process."""

from __future__ import annotations

from typing import TypeVar

from exchanges.types import Credentials, Instrument
from exchanges.venue import key_digest

K = TypeVar("K")
V = TypeVar("V")
#: the most entries of one memory
REMEMBERED = 50_000
#: one instrument in the account of one key
Slot = tuple[str, str]


class Memory(dict[K, V]):
    """Forgets everything when it is full: what was in it is asked for again. A dict itself, because many threads use it
    at once and a dict's single steps are whole."""

    def __setitem__(self, key: K, value: V) -> None:
        if len(self) >= REMEMBERED and key not in self:
            self.clear()
        super().__setitem__(key, value)


def slot(keys: Credentials, instrument: Instrument) -> Slot:
    return key_digest(keys), instrument.symbol
