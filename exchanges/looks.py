"""Looking again after a moment, where a list or a query of an exchange may lag behind what it has just done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from exchanges.errors import ExchangeError
from exchanges.venue import Venue


class LooksAgain(Venue):
    #: seconds before each look
    look_after: tuple[float, ...] = (0.0, 0.2, 0.5, 1.0)
    pause: Callable[[float], None] = staticmethod(time.sleep)

    def _looks(self) -> Iterator[None]:
        for seconds in self.look_after:
            self.pause(seconds)
            yield

    def _listings(self, listed: Callable[[], Iterable[Any]]) -> Iterator[list[Any]]:
        """A list once for each look at which it can be read: what cannot be read has told nothing."""
        for _ in self._looks():
            try:
                rows = list(listed())
            except ExchangeError:
                continue
            yield rows
