"""How often a hook and a source address may send: one script in Redis looks at both and counts both, or neither.

The generic cell rate algorithm: a key holds the time at which its allowance is whole again. COUNT messages may
come at once; after that one every SECONDS / COUNT.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from execution.brokers import run_once
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


def admit(source: str, token_digest: str) -> None:
    """Count one message. Raises Refused 429, and redis.RedisError when nobody can count."""
    hook = Limit(f"rate:hook:{token_digest[:32]}", settings.HOOK_RATE, "through this hook")
    admit_all([hook, _of_source("post", source)])


def admit_look(source: str) -> None:
    """The same for somebody who asks for a result."""
    admit_all([_of_source("look", source)])


def _of_source(kind: str, source: str) -> Limit:
    return Limit(f"rate:{kind}:{source}", settings.SOURCE_RATE, "from this address")


def admit_all(limits: list[Limit], now_ms: float | None = None) -> None:
    """Count one message against every limit, or none. `now_ms` is the clock unless given."""
    arguments = [each for limit in limits for each in limit.as_args()]
    now_ms = time.time() * 1000 if now_ms is None else now_ms
    number, wait_ms = _counted([limit.key for limit in limits], [now_ms, *arguments])
    if number:
        raise too_many(math.ceil(wait_ms / 1000), limits[number - 1].who)


def _counted(keys: list[str], args: list[float]) -> tuple[int, int]:
    """Once more on a new connection when the first had gone stale; a message that is counted twice does no harm."""
    server = _server(settings.REDIS_URL)
    try:
        number, wait_ms = run_once(server, _ADMIT, keys, args)
    except redis.ConnectionError:
        number, wait_ms = run_once(server, _ADMIT, keys, args)
    return int(number), int(wait_ms)


@cache
def _server(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=0.8,
        socket_connect_timeout=0.8,
        retry=Retry(NoBackoff(), 0),  # a Redis that is down shows at once
    )
