"""A lease on a piece of work that two must not do at once: held by one worker, and passed over when that one has died."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from execution import claims
from execution.brokers import region_redis, script

log = logging.getLogger(__name__)
LEASE_SECONDS = 30
#: KEYS: lease. ARGV: whose it was, mine, seconds. 1 when it has passed over.
_TAKE_OVER = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


@contextmanager
def lease(region: str, name: str, seconds: int = LEASE_SECONDS) -> Iterator[bool]:
    """Whether this is held by nobody else who lives; it ends by itself as well."""
    server = region_redis(region)
    try:
        mine = f"{claims.heart(region).worker} {time.time_ns()}"
        held = bool(server.set(name, mine, nx=True, ex=seconds)) or _inherit(region, name, mine, seconds)
    except redis.RedisError:
        yield False
        return
    try:
        yield held
    finally:
        if held:
            _end_lease(server, name, mine)


def _inherit(region: str, name: str, mine: str, seconds: int) -> bool:
    server = region_redis(region)
    holder = str(server.get(name) or "")
    if not holder or claims.lives(region, holder.partition(" ")[0]):
        return False
    return bool(script(_TAKE_OVER)(keys=[name], args=[holder, mine, seconds], client=server))


def _end_lease(server: redis.Redis, name: str, mine: str) -> None:
    try:
        if server.get(name) == mine:
            server.delete(name)
    except redis.RedisError as error:
        log.warning("%s ends by itself: %s", name, type(error).__name__)
