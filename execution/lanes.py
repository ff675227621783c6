"""Jobs of one account and symbol run one after another, in the order they were taken in; others in parallel.

A lane is a sorted set in the region's Redis: jobs by ticket. The first one runs; a job whose worker died leaves
the lane when its lease ends, so that a lane never stays blocked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from exchanges.symbols import ASSET_ALIASES, DOLLARS, plain
from execution.brokers import region_redis

LEASE_SECONDS = 60
OVERTAKEN_SECONDS = 3600
POLL_SECONDS = 0.005

# KEYS: lane. ARGV: job, now_ms, lease_ms. First in the lane -> 1 (and leased), else 0. Entries whose lease ended
# are dropped on the way; a job that is not in the lane any more (flushed Redis) joins at its ticket.
_TURN = """
local job, now, lease, ticket = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if not redis.call('ZSCORE', KEYS[1], job) then redis.call('ZADD', KEYS[1], ticket, job) end
while true do
  local first = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
  if first == job then
    redis.call('HSET', KEYS[2], job, now + lease)
    redis.call('PEXPIRE', KEYS[1], lease * 2)
    redis.call('PEXPIRE', KEYS[2], lease * 2)
    return 1
  end
  local until_ms = tonumber(redis.call('HGET', KEYS[2], first) or '0')
  if until_ms > now then return 0 end
  redis.call('ZREM', KEYS[1], first)
  redis.call('HDEL', KEYS[2], first)
end
"""

# KEYS: lane, its leases, a counter. ARGV: job, at_ms, now_ms, lease_ms. In one step: a job that stood in the lane
# before it had its lease would be dropped by the turn of another one.
_JOIN = """
local job, at, now, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local ticket = string.format('%.0f', at * 1000 + redis.call('INCR', KEYS[3]) % 1000)
redis.call('ZADD', KEYS[1], ticket, job)
redis.call('HSET', KEYS[2], job, string.format('%.0f', now + lease))
redis.call('PEXPIRE', KEYS[1], lease * 2)
redis.call('PEXPIRE', KEYS[2], lease * 2)
return ticket
"""


def lane_of(account: str, venue: str, symbol: str) -> str:
    """One name for all spellings of a symbol: XBT is BTC, and the dollar quotes share a lane."""
    pair = plain(symbol)
    for quote in DOLLARS:
        if pair.endswith(quote):
            pair = pair[: -len(quote)] + "$"
            break
    for alias, common in ASSET_ALIASES.items():
        if pair.startswith(alias):
            pair = common + pair[len(alias) :]
            break
    return f"lane:{account}:{venue.lower()}:{pair or '*'}"


def next_ticket(region: str, lane: str, job: str, at_ms: float | None = None) -> int:
    """Take a place in the lane: by `at_ms` (when the message was sent, where it says so, else when it came in;
    now by default), equal times in the order of taking. Raises redis.RedisError."""
    now = int(time.time() * 1000)
    join = region_redis(region).register_script(_JOIN)
    return int(
        join(
            keys=[lane, f"{lane}:leases", "lanes:ticket"],
            args=[job, int(at_ms if at_ms is not None else now), now, LEASE_SECONDS * 1000],
        )
    )


def overtaken(region: str, lane: str, sent_ms: float) -> bool:
    """Whether a message sent later than this one has already been carried out here; if not, this is the latest.
    Call while holding the lane."""
    server = region_redis(region)
    latest = server.get(f"{lane}:sent")
    if latest is not None and float(str(latest)) > sent_ms:
        return True
    server.set(f"{lane}:sent", str(sent_ms), ex=OVERTAKEN_SECONDS)
    return False


class LaneBusy(Exception):
    """The jobs before this one did not end in time."""


@contextmanager
def turn(region: str, lane: str, job: str, ticket: int, wait_seconds: float) -> Iterator[None]:
    """Hold the lane. Raises LaneBusy when the turn does not come within `wait_seconds`."""
    server = region_redis(region)
    script = server.register_script(_TURN)
    deadline = time.monotonic() + wait_seconds
    try:
        while not script(
            keys=[lane, f"{lane}:leases"], args=[job, int(time.time() * 1000), LEASE_SECONDS * 1000, ticket]
        ):
            if time.monotonic() >= deadline:
                raise LaneBusy
            time.sleep(POLL_SECONDS)
        yield
    finally:
        _leave(server, lane, job)


def leave(region: str, lane: str, job: str) -> None:
    """Take a job out of its lane whose worker died in it."""
    _leave(region_redis(region), lane, job)


def _leave(server: redis.Redis, lane: str, job: str) -> None:
    pipe = server.pipeline(transaction=False)
    pipe.zrem(lane, job)
    pipe.hdel(f"{lane}:leases", job)
    try:
        pipe.execute()
    except redis.RedisError:
        return  # the lease ends by itself
