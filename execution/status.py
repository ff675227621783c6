"""How the exchanges, the ways to them and our own workers are doing, from what the workers wrote into their
region's Redis. Nothing about users, orders or accounts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import redis
from django.conf import settings

from exchanges.registry import every_venue, venues
from exchanges.types import Environment
from execution import circuit, pulse, record, traffic, warm
from execution.brokers import region_redis
from execution.circuit import Circuit
from execution.routing import region_of
from execution.traffic import Minute, together

#: so many of the last minutes decide whether an exchange is degraded
RECENT_MINUTES = 5
#: this share of their calls in trouble, of at least so many
DEGRADED_SHARE = 0.1
DEGRADED_CALLS = 5
#: a disturbance that is over is told for so long
RECENT_END_MS = 3_600_000
#: supervision should come every second; after so long without it something is wrong
ROUND_MS = 15_000
LATEST_SECONDS = 3.0


class State(StrEnum):
    """QUIET: no call was made in the last hour, so that nothing is known."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    DOWN = "down"
    MAINTENANCE = "maintenance"
    QUIET = "quiet"


TROUBLE_WORDS = {
    "OUTCOME_UNKNOWN": "without an answer",
    "NOT_SENT": "without a connection",
    "THROTTLED": "refused for their number",
    "CLOCK_REFUSED": "refused for their time",
    "MAINTENANCE": "refused for maintenance",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    state: State
    since_ms: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class VenueStatus:
    """`minutes`: the last hour, oldest first."""

    name: str
    environment: Environment
    region: str
    verdict: Verdict
    hour: Minute
    minutes: tuple[Minute, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "venue": self.name,
            "environment": self.environment,
            "region": self.region,
            "state": self.verdict.state,
            "since_ms": self.verdict.since_ms,
            "reason": self.verdict.reason,
            "last_hour": _hour_json(self.hour),
            "minutes": [_minute_json(minute) for minute in self.minutes],
        }


@dataclass(frozen=True, slots=True)
class RegionStatus:
    """`reachable` is False when its Redis does not answer: then nothing else is known. `unrecordable`: results that
    history took in part only, and that wait for people."""

    name: str
    reachable: bool
    workers: int = 0
    orders_waiting: int = 0
    looks_waiting: int = 0
    supervised_ms: int | None = None
    unrecordable: int = 0

    def verdict(self, now_ms: int) -> Verdict:
        if not self.reachable:
            return Verdict(State.DOWN, reason="Its queue cannot be reached: orders for it are refused.")
        if self.workers == 0:
            return Verdict(State.DOWN, reason="No worker is up: orders for it are refused.")
        if self.supervised_ms is None or now_ms - self.supervised_ms > ROUND_MS:
            return Verdict(State.DEGRADED, reason="Supervision of open positions is late.")
        return Verdict(State.OPERATIONAL)

    def as_json(self, now_ms: int) -> dict[str, Any]:
        verdict = self.verdict(now_ms)
        return {
            "region": self.name,
            "state": verdict.state,
            "reason": verdict.reason,
            "workers": self.workers,
            "orders_waiting": self.orders_waiting,
            "looks_waiting": self.looks_waiting,
            "last_supervision_ms": self.supervised_ms,
            "unrecordable": self.unrecordable,
        }


@dataclass(frozen=True, slots=True)
class Status:
    at_ms: int
    venues: tuple[VenueStatus, ...]
    regions: tuple[RegionStatus, ...]

    @property
    def state(self) -> State:
        """The worst of what is known."""
        seen = {each.verdict.state for each in self.venues}
        seen |= {each.verdict(self.at_ms).state for each in self.regions}
        worst_first = (State.DOWN, State.MAINTENANCE, State.DEGRADED)
        return next((state for state in worst_first if state in seen), State.OPERATIONAL)

    def as_json(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "at_ms": self.at_ms,
            "venues": [each.as_json() for each in self.venues],
            "regions": [each.as_json(self.at_ms) for each in self.regions],
        }


def read(now: float) -> Status:
    """Ask every region's Redis."""
    now_ms = int(now * 1000)
    found: list[VenueStatus] = []
    regions: list[RegionStatus] = []
    for name in settings.REGIONS:
        try:
            region = _region(name)
            seen = _venues(region, now, now_ms)
        except redis.RedisError:
            region, seen = RegionStatus(name, reachable=False), []
        regions.append(region)
        found += seen
    return Status(now_ms, tuple(_with_quiet(found)), tuple(regions))


def _region(name: str) -> RegionStatus:
    server = region_redis(name)
    return RegionStatus(
        name,
        reachable=True,
        workers=pulse.alive(name),
        orders_waiting=int(server.llen(f"orders.{name}")),
        looks_waiting=int(server.llen(f"watch.{name}")),
        supervised_ms=pulse.last_round_ms(name),
        unrecordable=record.unrecordable(name),
    )


def _venues(region: RegionStatus, now: float, now_ms: int) -> list[VenueStatus]:
    minutes = traffic.read(region.name, now)
    opened = {(each.venue, each.environment): each for each in circuit.opened(region.name)}
    ended = circuit.ended(region.name)
    jumps = {(each.venue, each.environment): each.jump_ms for each in warm.clocks(region.name)}
    found = []
    for place in {**minutes, **opened}:
        of_place = minutes.get(place, [])
        verdict = (
            _open_verdict(opened.get(place))
            or _region_verdict(region)
            or _trouble_verdict(of_place, now_ms)
            or _clock_verdict(jumps.get(place, 0))
            or _good_verdict(ended.get(place), now_ms)
        )
        hour = together(of_place)
        found.append(VenueStatus(place[0], place[1], region.name, verdict, hour, tuple(of_place)))
    return found


def _open_verdict(found: Circuit | None) -> Verdict | None:
    if found is None:
        return None
    state = State.MAINTENANCE if found.fault is circuit.Fault.MAINTENANCE else State.DOWN
    words = (
        f"It {circuit.WORDS[found.fault]}. New entries are refused; closes, cancels and protection still try."
    )
    return Verdict(state, found.since_ms, words)


def _region_verdict(region: RegionStatus) -> Verdict | None:
    return (
        Verdict(State.DOWN, reason="flipr has no worker near it at present.") if region.workers == 0 else None
    )


def _trouble_verdict(minutes: list[Minute], now_ms: int) -> Verdict | None:
    recent = together(minutes[-RECENT_MINUTES:])
    if recent.calls < DEGRADED_CALLS or recent.troubled < recent.calls * DEGRADED_SHARE:
        return None
    kinds = [
        f"{count} {TROUBLE_WORDS[kind]}"
        for kind, count in recent.errors.most_common()
        if kind in TROUBLE_WORDS
    ]
    words = f"Of {recent.calls} calls in the last {RECENT_MINUTES} minutes: {', '.join(kinds)}."
    return Verdict(State.DEGRADED, _troubled_since(minutes, now_ms), words)


def _troubled_since(minutes: list[Minute], now_ms: int) -> int:
    """The first of the minutes in trouble that lead up to now; quiet ones in between do not end it."""
    first = 0
    for ago, minute in enumerate(reversed(minutes)):
        if minute.calls and not minute.troubled:
            break
        if minute.troubled:
            first = ago
    return (now_ms // 60_000 - first) * 60_000


def _clock_verdict(jump_ms: int) -> Verdict | None:
    if not jump_ms:
        return None
    return Verdict(
        State.DEGRADED, reason=f"Its clock and ours moved apart by {abs(jump_ms)} ms; flipr follows it."
    )


def _good_verdict(last: tuple[Circuit, int] | None, now_ms: int) -> Verdict:
    if last is None or now_ms - last[1] > RECENT_END_MS:
        return Verdict(State.OPERATIONAL)
    minutes = max(round((last[1] - last[0].since_ms) / 60_000), 1)
    length = "a minute" if minutes == 1 else f"{minutes} minutes"
    return Verdict(State.OPERATIONAL, last[1], f"Before, for about {length}, it {_past(last[0])}.")


def _past(ended: Circuit) -> str:
    return {
        circuit.Fault.MAINTENANCE: "was under maintenance",
        circuit.Fault.UNREACHABLE: "could not be reached",
        circuit.Fault.SILENT: "did not answer as it should",
    }[ended.fault]


def _with_quiet(found: list[VenueStatus]) -> list[VenueStatus]:
    """Every native venue once at least, live environments first, in the order of the registry."""
    seen = {each.name for each in found}
    quiet = [
        VenueStatus(kind.name, Environment.LIVE, region_of(kind), Verdict(State.QUIET), Minute(), ())
        for kind in venues().values()
        if kind.name not in seen
    ]
    order: Mapping[str, int] = {kind.name: place for place, kind in enumerate(every_venue().values())}
    kinds = list(Environment)
    return sorted(found + quiet, key=lambda each: (order[each.name], kinds.index(each.environment)))


def _hour_json(minute: Minute) -> dict[str, Any]:
    return _minute_json(minute) | {"errors": dict(sorted(minute.errors.items()))}


def _minute_json(minute: Minute) -> dict[str, Any]:
    return {
        "calls": minute.calls,
        "p50_ms": minute.percentile_ms(50),
        "p95_ms": minute.percentile_ms(95),
        "in_trouble": minute.troubled,
    }


class Latest:
    """The status, read again after some seconds, however many ask. While one reads, the others get what was known:
    a Redis that hangs must not hold up the threads of the web process."""

    def __init__(
        self, read_now: Callable[[float], Status] = read, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read_now = read_now
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[float, Status] | None = None

    def get(self) -> Status:
        known = self._known
        if known is not None and self._clock() - known[0] <= LATEST_SECONDS:
            return known[1]
        if not self._lock.acquire(blocking=known is None):
            assert known is not None
            return known[1]
        try:
            if self._known is known:
                self._known = (self._clock(), self._read_now(time.time()))
            assert self._known is not None
            return self._known[1]
        finally:
            self._lock.release()

    def forget(self) -> None:
        self._known = None


latest = Latest()
