"""Questions that an exchange's limits refuse again and again go before others after a while, one at a time.

What asks for much at once is refused where small questions still find room: it would come last for ever. More than
one at a time would take the room of orders.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis

from exchanges.errors import ExchangeError, NotSent, Throttled
from exchanges.limits import Priority, pressing
from exchanges.registry import venue_class
from execution.brokers import region_redis

log = logging.getLogger(__name__)
#: from the first refusal on; an answer begins anew
PATIENCE_SECONDS = 15.0
#: what is not asked any more is forgotten
MEMORY_SECONDS = 600


def limited(error: ExchangeError) -> bool:
    """Whether a limit refused it, ours (a plain NotSent) or the exchange's: other questions may be free."""
    return isinstance(error, Throttled) or (type(error) is NotSent and error.retry_after is not None)


class Hunger:
    """Of one question, asked again and again: the look at an account, the question about an order."""

    def __init__(
        self, region: str, venue: str, question: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._region, self._venue, self._question, self._clock = region, venue, question, clock
        self._since: float | None = None

    @contextmanager
    def asking(self) -> Iterator[None]:
        """With the priority that it has come to. A refusal by limits that comes out of here is counted."""
        with pressing(self._priority()):
            try:
                yield
            except ExchangeError as error:
                if limited(error):
                    self.refused()
                raise

    def refused(self) -> None:
        since = self._clock() if self._since is None else self._since
        with self._redis() as server:
            server.set(self._key, str(since), ex=MEMORY_SECONDS)

    def answered(self) -> None:
        if self._since is not None:
            with self._redis() as server:
                server.delete(self._key)

    def _priority(self) -> Priority:
        with self._redis() as server:
            told = server.get(self._key)
            self._since = None if told is None else float(str(told))
            if self._since is not None and self._clock() - self._since >= PATIENCE_SECONDS:
                pause_ms = max(2 * 60_000 // venue_class(self._venue).looks_per_minute, 1)
                if server.set(f"starved:{self._venue}", self._question, nx=True, px=pause_ms):
                    return Priority.ENTRY
        return Priority.QUERY

    @property
    def _key(self) -> str:
        return f"starved:{self._venue}:{self._question}"

    @contextmanager
    def _redis(self) -> Iterator[redis.Redis]:
        """Without it, a question is one as others."""
        try:
            yield region_redis(self._region)
        except redis.RedisError as error:
            log.warning("nobody knows what waits on %s: %s", self._venue, type(error).__name__)
