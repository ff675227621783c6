"""The breaker of each venue's circuit, shared by the workers of its region through their Redis.

It opens on an answer that tells maintenance, or on so many calls in a row that could not be delivered or were
not answered; reading calls and those that change something are counted apart, because an exchange may still tell
prices and no longer take orders. While it is open, new entries are refused at once, before anything is sent; cancels, closes and
protection still try. Probes (`execution.warm.probe`) close it. The path of an order reads memory only, which
`execution.pulse` brings up to date every second.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import redis

from exchanges.errors import (
    ExchangeError,
    Maintenance,
    MarketPaused,
    NotSent,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unreachable,
)
from exchanges.registry import venue_class
from exchanges.types import Environment
from execution.brokers import region_redis
from execution.commands import Entry, Go, Reverse, Step
from execution.routing import region_of

log = logging.getLogger(__name__)

#: calls in a row without an answer that open a circuit; older ones than this do not count
FAILURES = 5
WINDOW_SECONDS = 30
#: a circuit whose probes stopped (no beat, no worker) is not believed for longer than this
ABANDONED_SECONDS = 60
#: how long the end of a disturbance is remembered
REMEMBERED_SECONDS = 86_400


class Fault(StrEnum):
    """Why a circuit is open."""

    MAINTENANCE = "maintenance"
    UNREACHABLE = "unreachable"
    SILENT = "silent"


#: how long after opening, or after a probe that failed, the next one comes. An exchange under maintenance may
#: well tell the time meanwhile: it is left alone for longer
PROBE_SECONDS = {Fault.MAINTENANCE: 10, Fault.UNREACHABLE: 3, Fault.SILENT: 3}
WORDS = {
    Fault.MAINTENANCE: "is under maintenance",
    Fault.UNREACHABLE: "cannot be reached",
    Fault.SILENT: "does not answer as it should",
}


class ExchangeDown(NotSent):
    kind = "EXCHANGE_DOWN"


class UnderMaintenance(NotSent):
    kind = "MAINTENANCE"


@dataclass(frozen=True, slots=True)
class Circuit:
    """An open one. Times are epoch milliseconds; `probe_ms`: when it is tried next; `orders`: opened by calls
    that were to change something."""

    venue: str
    environment: Environment
    fault: Fault
    since_ms: int
    probe_ms: int
    orders: bool

    def refusal(self, now_ms: int) -> NotSent:
        wait = max(self.probe_ms - now_ms, 0) / 1000
        since = datetime.fromtimestamp(self.since_ms / 1000, UTC)
        again = f"in {wait:.0f} s" if wait >= 1 else "now"
        kind = UnderMaintenance if self.fault is Fault.MAINTENANCE else ExchangeDown
        return kind(
            f"{self.venue} {WORDS[self.fault]} since {since:%H:%M:%S} UTC: nothing was sent; flipr tries it again {again}",
            retry_after=wait,
        )


# KEYS: open circuits, failures. ARGV: field, the circuit, now_ms, window_ms, failures that open it, field of the
# count. A failure is counted; 1 when it opened the circuit. Failures are kept as "count time of the last".
_FAILED = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 0 end
local count, now, needed = 0, tonumber(ARGV[3]), tonumber(ARGV[5])
local seen, last = string.match(redis.call('HGET', KEYS[2], ARGV[6]) or '', '(%d+) (%d+)')
if seen and now - tonumber(last) <= tonumber(ARGV[4]) then count = tonumber(seen) end
count = count + 1
if count < needed then
  redis.call('HSET', KEYS[2], ARGV[6], count .. ' ' .. ARGV[3])
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
  return 0
end
redis.call('HDEL', KEYS[2], ARGV[6])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
"""

Key = tuple[str, Environment]
#: what failures are counted by: with whether the calls were to change something
Count = tuple[str, Environment, bool]


class Breaker:
    """This process's view of the circuits of the regions it works for, and its part in opening them."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._lock = threading.Lock()
        self._open: dict[Key, Circuit] = {}
        #: where calls failed a moment ago: the next good answer takes the count back
        self._failing: set[Count] = set()

    def admit(self, venue: str, environment: Environment, *, reading: bool = False) -> None:
        """Raises ExchangeDown or UnderMaintenance while the circuit is open. Memory only. `reading`: for what only
        reads, which an exchange that takes no orders may still answer."""
        circuit = self._open.get((venue, environment))
        if circuit is None or (reading and circuit.orders):
            return
        now = self._now_ms()
        if now < circuit.probe_ms + ABANDONED_SECONDS * 1000:
            raise circuit.refusal(now)

    def saw(
        self,
        venue: str,
        environment: Environment,
        seconds: float,
        error: ExchangeError | None,
        *,
        reading: bool = False,
    ) -> None:
        """One call went so (exchanges.witness)."""
        fault = fault_of(error)
        if fault is None and (venue, environment, not reading) not in self._failing:
            return
        try:
            if fault is not None:
                self._failed(venue, environment, fault, orders=not reading)
            elif answered(error):
                self._answered(venue, environment, orders=not reading)
        except redis.RedisError as problem:
            log.warning("the circuit of %s could not be kept: %s", venue, type(problem).__name__)

    def refresh(self, region: str) -> None:
        """Take over what the other workers of the region found. Raises redis.RedisError."""
        found = opened(region)
        failing = _read_failing(region)
        with self._lock:
            elsewhere = {key: held for key, held in self._open.items() if _region(key[0]) != region}
            self._open = elsewhere | {(each.venue, each.environment): each for each in found}
            self._failing = {key for key in self._failing if _region(key[0]) != region} | failing

    def probed(self, circuit: Circuit, error: ExchangeError | None) -> bool:
        """What a probe said: an answer closes the circuit. Raises redis.RedisError."""
        region, key = _region(circuit.venue), (circuit.venue, circuit.environment)
        if not answered(error):
            fault = fault_of(error) or circuit.fault
            later = replace(circuit, fault=fault, probe_ms=self._next_probe_ms(fault))
            region_redis(region).hset(_circuits(region), _field(key), _dump(later))
            self._open[key] = later
            return False
        log.warning("%s (%s) answers again", circuit.venue, circuit.environment)
        pipe = region_redis(region).pipeline(transaction=False)
        pipe.hdel(_circuits(region), _field(key))
        pipe.hset(_ended(region), _field(key), json.dumps({**asdict(circuit), "until_ms": self._now_ms()}))
        pipe.expire(_ended(region), REMEMBERED_SECONDS)
        if circuit.orders:  # the probe only reads: the first order that fails again opens it again
            left = f"{FAILURES - 1} {self._now_ms()}"
            pipe.hset(_failures(region), _count_field((*key, True)), left)
            pipe.pexpire(_failures(region), WINDOW_SECONDS * 1000)
        pipe.execute()
        with self._lock:
            self._open.pop(key, None)
            if circuit.orders:
                self._failing.add((*key, True))
        return True

    def _failed(self, venue: str, environment: Environment, fault: Fault, *, orders: bool) -> None:
        region, key = _region(venue), (venue, environment)
        with self._lock:
            self._failing.add((venue, environment, orders))
        circuit = Circuit(venue, environment, fault, self._now_ms(), self._next_probe_ms(fault), orders)
        needed = 1 if fault is Fault.MAINTENANCE else FAILURES
        opens = region_redis(region).register_script(_FAILED)(
            keys=[_circuits(region), _failures(region)],
            args=[
                _field(key),
                _dump(circuit),
                circuit.since_ms,
                WINDOW_SECONDS * 1000,
                needed,
                _count_field((venue, environment, orders)),
            ],
        )
        if opens:
            log.warning("%s (%s) %s: no new entries are sent there", venue, environment, WORDS[fault])
            with self._lock:
                self._open[key] = circuit

    def _answered(self, venue: str, environment: Environment, *, orders: bool) -> None:
        count = (venue, environment, orders)
        with self._lock:
            self._failing.discard(count)
        region_redis(_region(venue)).hdel(_failures(_region(venue)), _count_field(count))

    def _now_ms(self) -> int:
        return int(self._wall() * 1000)

    def _next_probe_ms(self, fault: Fault) -> int:
        return self._now_ms() + PROBE_SECONDS[fault] * 1000


def fault_of(error: ExchangeError | None) -> Fault | None:
    """What a failed call says of the exchange; None for what says nothing against it."""
    match error:
        case MarketPaused():
            return None
        case Maintenance():
            return Fault.MAINTENANCE
        case Unreachable():
            return Fault.UNREACHABLE
        case OutcomeUnknown():
            return Fault.SILENT
    return None


def answered(error: ExchangeError | None) -> bool:
    """The exchange took the call and spoke for itself, if only to refuse it."""
    return (
        error is None
        or (isinstance(error, Refused) and not isinstance(error, Throttled | Maintenance))
        or isinstance(error, MarketPaused)
    )


def opens(step: Step) -> bool:
    """Whether a step may open a position or make one larger: what waits while an exchange is down."""
    if isinstance(step, Entry):
        return not step.options.reduce
    return isinstance(step, Reverse) or (isinstance(step, Go) and step.direction is not None)


def opened(region: str) -> list[Circuit]:
    """The open circuits of a region. Raises redis.RedisError."""
    return [_load(json.loads(str(text))) for text in region_redis(region).hvals(_circuits(region))]


def ended(region: str) -> dict[Key, tuple[Circuit, int]]:
    """The last disturbance of each venue that is over, and when it ended (ms). Raises redis.RedisError."""
    found = {}
    for text in region_redis(region).hvals(_ended(region)):
        values = json.loads(str(text))
        circuit = _load(values)
        found[circuit.venue, circuit.environment] = (circuit, int(values["until_ms"]))
    return found


def _read_failing(region: str) -> set[Count]:
    fields = [str(name).split(":") for name in region_redis(region).hkeys(_failures(region))]
    return {(venue, Environment(environment), kind == "orders") for venue, environment, kind in fields}


def _region(venue: str) -> str:
    return region_of(venue_class(venue))


def _dump(circuit: Circuit) -> str:
    return json.dumps(asdict(circuit))


def _load(values: Mapping[str, Any]) -> Circuit:
    return Circuit(
        values["venue"],
        Environment(values["environment"]),
        Fault(values["fault"]),
        values["since_ms"],
        values["probe_ms"],
        values["orders"],
    )


def _field(key: Key) -> str:
    return f"{key[0]}:{key[1]}"


def _count_field(count: Count) -> str:
    return f"{count[0]}:{count[1]}:{'orders' if count[2] else 'reads'}"


def _circuits(region: str) -> str:
    return f"circuits:{region}"


def _failures(region: str) -> str:
    return f"circuits:{region}:failures"


def _ended(region: str) -> str:
    return f"circuits:{region}:ended"
