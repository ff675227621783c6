"""How long each exchange takes to answer, and how often it does not: per minute, for the last hour.

Each process counts in memory; `execution.pulse` adds its counts to the region's Redis every few seconds. Times
are kept as a histogram, so that the counts of several processes add up and percentiles come out within a tenth.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from exchanges.errors import ExchangeError
from exchanges.registry import venue_class
from exchanges.types import Environment
from execution.brokers import region_redis
from execution.routing import region_of

MINUTES = 60
KEEP_SECONDS = (MINUTES + 5) * 60
#: the histogram's steps: each slot ends a fifth above the one before it, the first at 1 ms, the last near a minute
GROWTH = 1.2
SLOTS = 61
#: kinds of errors that are the exchange's doing or the way's, not the order's
TROUBLE = frozenset({"OUTCOME_UNKNOWN", "NOT_SENT", "MAINTENANCE", "THROTTLED", "CLOCK_REFUSED"})

Place = tuple[str, Environment]


@dataclass(slots=True)
class Minute:
    """What one minute of calls to one venue came to. `slots` counts answers by their time."""

    calls: int = 0
    slots: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def troubled(self) -> int:
        return sum(count for kind, count in self.errors.items() if kind in TROUBLE)

    def percentile_ms(self, percent: int) -> float | None:
        """None without an answer."""
        answers = self.slots.total()
        rank = math.ceil(answers * percent / 100)
        for slot in sorted(self.slots):
            rank -= self.slots[slot]
            if rank <= 0:
                return middle_ms(slot)
        return None

    def add(self, other: Minute) -> None:
        self.calls += other.calls
        self.slots += other.slots
        self.errors += other.errors


def slot_of(milliseconds: float) -> int:
    if milliseconds <= 1:
        return 0
    return min(math.ceil(math.log(milliseconds, GROWTH)), SLOTS - 1)


def middle_ms(slot: int) -> float:
    """The value that stands for a slot: the middle between its bounds, as ratios go."""
    return round(math.pow(GROWTH, slot - 0.5), 1)


class Meter:
    """Counts this process's calls (exchanges.witness) until they are flushed."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._lock = threading.Lock()
        self._counts: dict[tuple[Place, int], Minute] = defaultdict(Minute)

    def saw(
        self,
        venue: str,
        environment: Environment,
        seconds: float,
        error: ExchangeError | None,
        *,
        reading: bool = False,
    ) -> None:
        minute = int(self._wall() // 60)
        with self._lock:
            counted = self._counts[(venue, environment), minute]
            counted.calls += 1
            if error is not None:
                counted.errors[error.kind] += 1
            if error is None or error.kind not in TROUBLE:
                counted.slots[slot_of(seconds * 1000)] += 1

    def flush(self) -> None:
        """Add the counts to Redis. Raises redis.RedisError: then they are lost, and only they."""
        with self._lock:
            counts, self._counts = self._counts, defaultdict(Minute)
        pipes = {region: region_redis(region).pipeline(transaction=False) for region in _regions(counts)}
        for ((venue, environment), minute), counted in counts.items():
            region = _region(venue)
            pipe, key = pipes[region], _key(region, (venue, environment), minute)
            for name, count in _fields(counted).items():
                pipe.hincrby(key, name, count)
            pipe.expire(key, KEEP_SECONDS)
            pipe.zadd(_places(region), {f"{venue}:{environment}": minute})
            pipe.zremrangebyscore(_places(region), "-inf", minute - MINUTES)
        for pipe in pipes.values():
            pipe.execute()


def read(region: str, now: float) -> dict[Place, list[Minute]]:
    """Per venue that was called, the minutes of the last hour, oldest first. Raises redis.RedisError."""
    this, server = int(now // 60), region_redis(region)
    places = [
        (venue, Environment(environment))
        for venue, _, environment in (
            str(name).partition(":")
            for name in server.zrangebyscore(_places(region), this - MINUTES + 1, "+inf")
        )
    ]
    pipe = server.pipeline(transaction=False)
    for place in places:
        for minute in range(this - MINUTES + 1, this + 1):
            pipe.hgetall(_key(region, place, minute))
    answers = iter(pipe.execute())
    return {place: [_minute(next(answers)) for _ in range(MINUTES)] for place in places}


def together(minutes: Iterable[Minute]) -> Minute:
    whole = Minute()
    for minute in minutes:
        whole.add(minute)
    return whole


def _fields(minute: Minute) -> dict[str, int]:
    slots = {f"slot:{slot}": count for slot, count in minute.slots.items()}
    errors = {f"error:{kind}": count for kind, count in minute.errors.items()}
    return {"calls": minute.calls} | slots | errors


def _minute(fields: Mapping[str, str]) -> Minute:
    found = Minute()
    for name, count in fields.items():
        kind, _, rest = name.partition(":")
        if kind == "slot":
            found.slots[int(rest)] = int(count)
        elif kind == "error":
            found.errors[rest] = int(count)
        else:
            found.calls = int(count)
    return found


def _region(venue: str) -> str:
    return region_of(venue_class(venue))


def _regions(counts: Iterable[tuple[Place, int]]) -> set[str]:
    return {_region(venue) for (venue, _), _ in counts}


def _key(region: str, place: Place, minute: int) -> str:
    return f"traffic:{region}:{place[0]}:{place[1]}:{minute}"


def _places(region: str) -> str:
    return f"traffic:{region}"
