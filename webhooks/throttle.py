"""How often a hook and a source address may send: one script in Redis looks at both and counts both, or neither.

The generic cell rate algorithm: a key holds the time at which its allowance is whole again. COUNT messages may
come at once; after that one every SECONDS / COUNT.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from execution.brokers import Asked, Unreached, run_once
from webhooks.refused import too_many

# KEYS: one per limit. ARGV: now_ms, then interval_ms and window_ms per limit. Refused -> {number of the limit, wait_ms}.
_ADMIT = """
local now, whole = tonumber(ARGV[1]), {}
for i, key in ipairs(KEYS) do
  local interval, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local at = math.max(tonumber(redis.call('GET', key) or '0'), now) + interval
  if at - now > window then return {i, math.ceil(at - now - window)} end
  whole[i] = at
end
for i, key in ipairs(KEYS) do
  redis.call('SET', key, string.format('%.3f', whole[i]), 'PX', math.ceil(whole[i] - now))
end
return {0, 0}
"""


@dataclass(frozen=True, slots=True)
class Limit:
    key: str
    rate: str
    who: str

    def as_args(self) -> tuple[float, float]:
        count, seconds = (int(part) for part in self.rate.split("/"))
        return seconds * 1000 / count, seconds * 1000


class Admission:
    """One message being counted while its taking-in goes on. Raises redis.RedisError when nobody can count."""

    def __init__(self, source: str, token_digest: str) -> None:
        hook = Limit(f"rate:hook:{token_digest[:32]}", settings.HOOK_RATE, "through this hook")
        self._limits = [hook, _of_source("post", source)]
        self._keys, self._args = _asking(self._limits, time.time() * 1000)
        self._asked = _sent(self._keys, self._args)
        self._granted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._asked:
            self._asked.close()

    def grant(self) -> None:
        """To be called before anything is written. Raises Refused 429, and redis.RedisError."""
        if not self._granted:
            _judge(_heard(self._asked, self._keys, self._args), self._limits)
            self._granted = True


def admit_look(source: str) -> None:
    """The same for somebody who asks for a result."""
    admit_all([_of_source("look", source)])


def _of_source(kind: str, source: str) -> Limit:
    return Limit(f"rate:{kind}:{source}", settings.SOURCE_RATE, "from this address")


def admit_all(limits: list[Limit], now_ms: float | None = None) -> None:
    """Count one message against every limit, or none. `now_ms` is the clock unless given."""
    keys, args = _asking(limits, time.time() * 1000 if now_ms is None else now_ms)
    _judge(_heard(_sent(keys, args), keys, args), limits)


def _asking(limits: list[Limit], now_ms: float) -> tuple[list[str], list[float]]:
    return [limit.key for limit in limits], [now_ms, *(each for limit in limits for each in limit.as_args())]


def _judge(counted: Sequence[Any], limits: list[Limit]) -> None:
    number, wait_ms = (int(each) for each in counted)
    if number:
        raise too_many(math.ceil(wait_ms / 1000), limits[number - 1].who)


def _sent(keys: list[str], args: list[float]) -> Asked | None:
    """None when the connection had gone stale."""
    try:
        return Asked(_server(settings.REDIS_URL), _ADMIT, keys, args)
    except Unreached:
        raise
    except redis.ConnectionError:
        return None


def _heard(asked: Asked | None, keys: list[str], args: list[float]) -> Any:
    """Once more on a new connection when the first had gone stale; a message that is counted twice does no harm."""
    try:
        if asked:
            return asked.answer()
    except redis.ConnectionError:
        pass
    return run_once(_server(settings.REDIS_URL), _ADMIT, keys, args)


@cache
def _server(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=0.8,
        socket_connect_timeout=0.8,
        retry=Retry(NoBackoff(), 0),  # a Redis that is down shows at once
    )
