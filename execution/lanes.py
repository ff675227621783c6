"""Jobs of one account and symbol run one after another, in the order they were taken in; others in parallel.

A lane is a sorted set in the region's Redis: jobs by ticket. The first one runs; a job whose worker died leaves
the lane when its lease ends, so that a lane never stays blocked. Jobs about all symbols of an account at a venue have
a lane of their own, and all others of that account and venue a common register: each looks there for what came before
it, so that neither runs beside the other. Everybody waits for earlier tickets only, so nobody in a circle. A place that could not be left, because Redis was
gone at that moment, is left when it is back.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from typing import Any, Self

import redis
from django.db import DatabaseError

from exchanges.symbols import ASSET_ALIASES, DOLLARS, plain
from execution import attendance, claims, mishap
from execution.brokers import Asked, limits_redis, queue_redis, region_redis, run_once, script
from execution.ids import new_public_id
from execution.models import OPEN_STATES, Order

LEASE_SECONDS = 60
#: a job at work that gets on renews its lease so often
RENEW_SECONDS = 10.0
OVERTAKEN_SECONDS = 3600
POLL_SECONDS = 0.005
#: a place of supervision is found without its worker for so long before it is taken away: where Redis itself was
#: gone, a worker needs a second to show that it lives
ABANDONED_SECONDS = 1.5
LOOK_SECONDS = 0.25
#: a job about all symbols waits for those of single symbols no longer: a kill switch has to act while one of them hangs
CROWD_SECONDS = 4.0
WATCHER = "watch"

# KEYS and ARGV: as _TURN, of which it is the end. The place is leased, and taken anew where it was lost.
_HOLD = """
for place = 1, 3, 2 do
  redis.call('ZADD', KEYS[place], -1, ARGV[1])
  redis.call('HSET', KEYS[place + 1], ARGV[1], ARGV[2] + ARGV[3])
  redis.call('PEXPIRE', KEYS[place], ARGV[3] * 2)
  redis.call('PEXPIRE', KEYS[place + 1], ARGV[3] * 2)
end
return 1
"""

# KEYS: lane, register, barrier, each followed by its leases; without the last two nothing but the lane is waited for.
# ARGV: job, now_ms, lease_ms, ticket. 1 when it is its turn (and leased), else 0. Entries whose lease ended are dropped
# on the way; a job that is not in the lane any more (flushed Redis) joins at its ticket. Who has the turn stands before
# all tickets until it leaves: a message that was sent earlier and came later waits too. Of two with the same ticket
# the one about all symbols goes first.
_TURN = f"""
local job, now, lease, ticket = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local function ahead(places, leases)
  while true do
    local first = redis.call('ZRANGE', places, 0, 0, 'WITHSCORES')
    if not first[1] or first[1] == job then return nil end
    if tonumber(redis.call('HGET', leases, first[1]) or '0') > now then return tonumber(first[2]) end
    redis.call('ZREM', places, first[1])
    redis.call('HDEL', leases, first[1])
  end
end
for place = 1, 3, 2 do
  if not redis.call('ZSCORE', KEYS[place], job) then redis.call('ZADD', KEYS[place], ticket, job) end
end
if ahead(KEYS[1], KEYS[2]) then return 0 end
local other = KEYS[5] and ahead(KEYS[5], KEYS[6])
if other and (other < ticket or (other == ticket and KEYS[1] ~= KEYS[3])) then return 0 end
{_HOLD}"""

# KEYS: lane and register, each followed by its leases; if a message comes with it, a queue and what exists while
# somebody works on it. ARGV: job, ticket, now_ms, lease_ms, the message. 0 when nobody works there: then nothing was
# done. In one step: a job that stood in the lane before it had its lease would be dropped by the turn of another one,
# and one that was queued before it stood in the lane could be passed.
_JOIN = """
if KEYS[6] and redis.call('EXISTS', KEYS[6]) == 0 then return 0 end
for place = 1, 3, 2 do
  redis.call('ZADD', KEYS[place], ARGV[2], ARGV[1])
  redis.call('HSET', KEYS[place + 1], ARGV[1], string.format('%.0f', tonumber(ARGV[3]) + tonumber(ARGV[4])))
  redis.call('PEXPIRE', KEYS[place], ARGV[4] * 2)
  redis.call('PEXPIRE', KEYS[place + 1], ARGV[4] * 2)
end
if KEYS[5] then redis.call('LPUSH', KEYS[5], ARGV[5]) end
return 1
"""

# KEYS: claim, then as _TURN. ARGV: as _TURN, then claimant, keep_seconds. 0 when somebody else has it, 1 when it is
# claimed and has to wait for its turn, 2 when it is its turn. Asked again after a lost answer it says the same.
_CLAIM = f"""
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[5] then return 0 end
redis.call('SET', KEYS[1], ARGV[5], 'EX', ARGV[6])
table.remove(KEYS, 1)
local function turn() {_TURN} end
return 1 + turn()
"""

_numbers = itertools.count()


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


def _hall(lane: str) -> str:
    """The lane of jobs about all symbols."""
    return f"{lane.rpartition(':')[0]}:*"


def _registered(lane: str) -> list[str]:
    """Lane and register, with their leases: where a job has its places."""
    hall = _hall(lane)
    register = hall if lane == hall else f"{hall}:symbols"
    return [lane, f"{lane}:leases", register, f"{register}:leases"]


def _barrier(lane: str) -> list[str]:
    """Where those stand that it must not run beside."""
    hall = _hall(lane)
    barrier = f"{hall}:symbols" if lane == hall else hall
    return [barrier, f"{barrier}:leases"]


def ticket_at(at_ms: float) -> int:
    """A place in a lane: by `at_ms` (when the message was sent, where it says so, else when it came in), equal times
    in the order of asking; between two web processes, in no order."""
    return int(at_ms) * 1000 + next(_numbers) % 1000


def next_ticket(region: str, lane: str, job: str, at_ms: float | None = None) -> int:
    """Take a place in the lane, by default that of now. Raises redis.RedisError."""
    ticket = ticket_at(time.time() * 1000 if at_ms is None else at_ms)
    script(_JOIN)(keys=_registered(lane), args=_joining(job, ticket), client=region_redis(region))
    return ticket


def queue_up(region: str, lane: str, job: str, ticket: int, queue: str, message: str) -> bool:
    """Take a place in the lane and push the message to its queue: both or neither, in one round trip. False when
    neither was done because nobody works in the region. Raises `brokers.Unreached` when certainly neither was done,
    another redis.RedisError when nobody knows."""
    keys = [*_registered(lane), queue, attendance.key(region)]
    return bool(run_once(queue_redis(region), _JOIN, keys, [*_joining(job, ticket), message]))


def _joining(job: str, ticket: int) -> list[Any]:
    return [job, ticket, int(time.time() * 1000), LEASE_SECONDS * 1000]


class Claiming:
    """`claims.take`, and the first attempt at a turn, in one round trip; what can be done meanwhile is done in the
    `with` block. Raises redis.RedisError: then nothing may be sent."""

    def __init__(self, region: str, lane: str, job: str, ticket: int) -> None:
        now, lease = int(time.time() * 1000), LEASE_SECONDS * 1000
        self._server = region_redis(region)
        self._keys = [claims.key(job), *_registered(lane), *_barrier(lane)]
        self._args: list[Any] = [job, now, lease, ticket, claims.claimant(region), claims.KEEP_SECONDS]
        self._asked: Asked | None = None

    def __enter__(self) -> Self:
        with suppress(redis.ConnectionError):  # gone stale: `answer` asks once more
            self._asked = Asked(self._server, _CLAIM, self._keys, self._args)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._asked:
            self._asked.close()

    def answer(self) -> Claimed:
        """Asked again after a lost answer, Redis says the same."""
        if self._asked:
            with suppress(redis.ConnectionError, redis.TimeoutError):
                return Claimed(self._asked.answer())
        return Claimed(script(_CLAIM)(keys=self._keys, args=self._args, client=self._server))


def overtaken(region: str, lane: str, sent_ms: float) -> bool:
    """Whether a message sent later than this one has already been carried out here; if not, this is the latest.
    Call while holding the lane."""
    server = region_redis(region)
    latest = server.get(f"{lane}:sent")
    if latest is not None and float(str(latest)) > sent_ms:
        return True
    server.set(f"{lane}:sent", str(sent_ms), ex=OVERTAKEN_SECONDS)
    return False


class Claimed(IntEnum):
    """What came of claiming a job."""

    NOT = 0
    WAITS = 1
    FIRST = 2


class LaneBusy(Exception):
    """The jobs before this one did not end in time."""


@contextmanager
def turn(
    region: str, lane: str, job: str, ticket: int, wait_seconds: float, *, held: bool = False
) -> Iterator[bool]:
    """Hold the lane. Raises LaneBusy when the turn does not come within `wait_seconds`. `held`: it has come already
    (see `claim`). False: jobs of single symbols that came before this one about all are still at work."""
    server = region_redis(region)
    began = time.monotonic()
    crowded = began + min(CROWD_SECONDS, wait_seconds / 2) if lane == _hall(lane) else math.inf
    ahead = _Ahead(region, lane)
    keys, alone = [*_registered(lane), *_barrier(lane)], True
    try:
        while not held and not script(_TURN)(
            keys=keys,
            args=[job, int(time.time() * 1000), LEASE_SECONDS * 1000, ticket],
            client=server,
        ):
            now = time.monotonic()
            if alone and now >= crowded:
                keys, alone = _registered(lane), False
                continue
            if now >= began + wait_seconds:
                raise LaneBusy
            ahead.look()
            time.sleep(POLL_SECONDS)
        yield alone
    finally:
        _leave(server, lane, job)


def watcher(region: str) -> str:
    """A name for supervision in a lane, which tells its worker: there is no order whose end would clear its place."""
    return f"{WATCHER} {claims.heart(region).worker} {new_public_id('w')}"


@contextmanager
def on_behalf(region: str, lane: str, job: str, wait_seconds: float) -> Iterator[None]:
    """Hold the lane for a job that its worker will not end: in its own place if that still stands, else behind all who
    wait. Raises LaneBusy."""
    name, ticket = job, ticket_at(time.time() * 1000)
    at_work = claims.look(region, job) is claims.Claim.ALIVE
    if at_work or region_redis(region).zscore(lane, job) is None:
        name = watcher(region)
        ticket = next_ticket(region, lane, name)
    with turn(region, lane, name, ticket, wait_seconds):
        yield


def keeping(
    region: str, lane: str, job: str, clock: Callable[[], float] = time.monotonic
) -> Callable[[], None]:
    """To be called by a job at work in its lane whenever it gets on. A close of everything may take longer than a lease,
    and nobody is to take it for dead, or to cross it; what hangs loses its place all the same."""
    renewed = clock()

    def keep() -> None:
        nonlocal renewed
        if (now := clock()) < renewed + RENEW_SECONDS:
            return
        renewed = now
        args: list[Any] = [job, int(time.time() * 1000), LEASE_SECONDS * 1000]
        with suppress(redis.RedisError):  # the next time, well before the lease ends
            script(_HOLD)(keys=_registered(lane), args=args, client=limits_redis(region))

    return keep


def at_work(region: str, lane: str, job: str) -> bool:
    """Whether a job's lease runs. Raises redis.RedisError."""
    until = region_redis(region).hget(f"{lane}:leases", job)
    return until is not None and float(str(until)) > time.time() * 1000


class _Ahead:
    """Looks who stands first in a lane, and in the way of it, and takes away what has no business there any more: else nobody could protect
    the position before its lease ends. What a command's worker left behind, reconciliation ends."""

    def __init__(self, region: str, lane: str) -> None:
        self._region = region
        self._places = (lane, _barrier(lane)[0])
        self._next = time.monotonic()
        self._dead = dict.fromkeys(self._places, ("", 0.0))

    def look(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + LOOK_SECONDS
        server = region_redis(self._region)
        for place in self._places:
            first = str(next(iter(server.zrange(place, 0, 0)), ""))
            dead, since = self._dead[place]
            if not first or not self._abandoned(first):
                self._dead[place] = ("", 0.0)
            elif first != dead:
                self._dead[place] = (first, now)
            elif now - since >= ABANDONED_SECONDS:
                _leave(server, place, dead)

    def _abandoned(self, first: str) -> bool:
        """Whether nobody is at work there any more: supervision whose worker is dead, a job that history has ended."""
        kind, _, rest = first.partition(" ")
        if kind == WATCHER:
            return not claims.lives(self._region, rest.partition(" ")[0])
        try:
            rows = set(Order.objects.filter(job=first).values_list("status", flat=True))
        except DatabaseError:
            return False
        return bool(rows) and not rows & OPEN_STATES


def leave(region: str, lane: str, job: str) -> None:
    """Take a job out of its lane whose worker died in it."""
    _leave(region_redis(region), lane, job)


def _leave(server: redis.Redis, lane: str, job: str) -> None:
    pipe = server.pipeline(transaction=False)
    _quit(pipe, lane, job)
    try:
        pipe.execute()
    except redis.RedisError:
        _owed.leave_later(server, lane, job)


def _quit(pipe: redis.Redis, lane: str, job: str) -> None:
    places = _registered(lane)
    for place, leases in dict(zip(places[::2], places[1::2], strict=True)).items():
        pipe.zrem(place, job)
        pipe.hdel(leases, job)


class _Owed:
    """Places that are left as soon as Redis answers again; their leases would hold up a lane for a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: list[tuple[redis.Redis, str, str]] = []
        self._thread: threading.Thread | None = None

    def leave_later(self, server: redis.Redis, lane: str, job: str) -> None:
        with self._lock:
            self._places.append((server, lane, job))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="lanes")
                self._thread.start()

    def _run(self) -> None:
        until = time.monotonic() + LEASE_SECONDS
        while self._left(give_up=time.monotonic() > until):
            time.sleep(LOOK_SECONDS)

    def _left(self, *, give_up: bool) -> bool:
        """Try each once; whether some are still to be left."""
        with self._lock:
            places, self._places = self._places, []
        failed = [] if give_up else [place for place in places if not _has_left(*place)]
        with self._lock:
            self._places += failed
            if not self._places:
                self._thread = None
            return bool(self._places)


_owed = _Owed()


def _has_left(server: redis.Redis, lane: str, job: str) -> bool:
    done = False
    with mishap.caught(f"leaving {lane}"), suppress(redis.RedisError):
        _quit(server, lane, job)
        done = True
    return done
