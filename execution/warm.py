"""Keeps this process's connections warm: clocks measured, instruments fresh, sockets open; and tries the circuits of its
region again."""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

import redis
from django.db import DatabaseError

from accounts.models import Account, AccountStatus
from exchanges.clock import Clock
from exchanges.errors import ExchangeError
from exchanges.registry import every_venue, venue_class
from exchanges.types import Environment
from execution import beside, book, circuit, pulse
from execution.brokers import region_redis
from execution.circuit import Circuit
from execution.routing import region_of

log = logging.getLogger(__name__)
#: how often a process asks each exchange for its time: below what sockets are kept open for
WARM_SECONDS = 20.0
#: a worker begins to take orders after so long at the latest, warm or not
START_SECONDS = 3.0
#: how long a clock that jumped is shown
JUMP_SECONDS = 900
#: a round of probes waits so long; one that takes longer ends by itself
PROBES_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ClockState:
    """`jump_ms`: by how much the offset to an exchange's clock moved lately, 0 when it did not."""

    venue: str
    environment: Environment
    offset_ms: int
    jump_ms: int
    measured_ms: int


def used_venues(region: str) -> list[tuple[str, Environment]]:
    """The venues of this region that some account of a user trades, in their environments."""
    pairs = (
        Account.objects.exclude(status=AccountStatus.REJECTED)
        .values_list("exchange", "environment")
        .distinct()
    )
    return [
        (kind.name, Environment(environment))
        for family, environment in pairs
        for kind in every_venue().values()
        if kind.key_family == family and region_of(kind) == region
    ]


class Warmth(threading.Thread):
    """Beside the jobs of a worker process: what another process has warmed does not help this one."""

    def __init__(self, region: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(name="warmth", daemon=True)
        self._region = region
        self._clock = clock
        self._ending = threading.Event()
        self._refreshed: dict[tuple[str, Environment], float] = {}

    def begin(self) -> None:
        """The first round, as far as it is done in time; the following ones beside the jobs."""
        beside.run({"first warmth": partial(self.round, START_SECONDS)}, START_SECONDS)
        self.start()

    def run(self) -> None:
        while not self._ending.wait(WARM_SECONDS):
            beside.run({"warmth": self.round}, WARM_SECONDS)

    def end(self) -> None:
        self._ending.set()

    def round(self, seconds: float = WARM_SECONDS) -> None:
        """Refresh the venues that are due, side by side: a slow one does not keep the others cold."""
        try:
            used, workers = used_venues(self._region), max(pulse.alive(self._region), 1)
        except (DatabaseError, redis.RedisError) as error:
            log.warning("what is to be kept warm is not known: %s", type(error).__name__)
            return
        due = [place for place in used if self._due(place, workers)]
        beside.run(
            {f"warm {name} ({where})": partial(self._refresh, name, where) for name, where in due}, seconds
        )

    def _due(self, place: tuple[str, Environment], workers: int) -> bool:
        """All workers of the region together ask no more often than the exchange's limits spare for it."""
        gap = max(WARM_SECONDS, workers * 60 / venue_class(place[0]).times_per_minute)
        return self._clock() - self._refreshed.get(place, -math.inf) >= gap * 0.95

    def _refresh(self, name: str, environment: Environment) -> None:
        if refresh(self._region, name, environment):
            self._refreshed[name, environment] = self._clock()


def refresh(region: str, name: str, environment: Environment) -> bool:
    """Open one venue and refresh it. False when it does not answer: it is left for the next round."""
    try:
        connection = book.pool().connection(name, environment)
        connection.refresh()
    except ExchangeError as error:
        log.warning("%s (%s) could not be refreshed: %s", name, environment, error.kind)
        return False
    try:
        _tell_clock(region, name, environment, connection.venue.clock)
    except redis.RedisError as error:
        log.warning("the clock of %s could not be told: %s", name, type(error).__name__)
    return True


def _tell_clock(region: str, name: str, environment: Environment, clock: Clock) -> None:
    lately = time.time() - clock.jumped_at < JUMP_SECONDS
    state = ClockState(
        name, environment, clock.offset_ms, clock.jump_ms if lately else 0, int(time.time() * 1000)
    )
    before = next(
        (each for each in clocks(region) if (each.venue, each.environment) == (name, environment)), None
    )
    if state.jump_ms and (before is None or before.jump_ms != state.jump_ms):
        log.warning("the clock of %s (%s) and ours moved apart by %d ms", name, environment, state.jump_ms)
    pipe = region_redis(region).pipeline(transaction=False)
    pipe.hset(_clocks(region), f"{name}:{environment}", json.dumps(asdict(state)))
    pipe.expire(_clocks(region), JUMP_SECONDS)
    pipe.execute()


def clocks(region: str) -> list[ClockState]:
    """Raises redis.RedisError."""
    found = [json.loads(str(text)) for text in region_redis(region).hvals(_clocks(region))]
    return [ClockState(**values | {"environment": Environment(values["environment"])}) for values in found]


def probe(region: str) -> None:
    """Try the circuits that are open and due: an answer closes them."""
    now_ms = time.time() * 1000
    due = [each for each in circuit.opened(region) if each.probe_ms <= now_ms]
    pieces = {f"probe of {each.venue} ({each.environment})": partial(_probe, each) for each in due}
    beside.run(pieces, PROBES_SECONDS)


def _probe(each: Circuit) -> None:
    failure: ExchangeError | None = None
    try:
        book.pool().connection(each.venue, each.environment).venue.server_time_ms()
    except ExchangeError as error:
        failure = error
    try:
        book.breaker().probed(each, failure)
    except redis.RedisError as error:
        log.warning("the circuit of %s could not be kept: %s", each.venue, type(error).__name__)


def _clocks(region: str) -> str:
    return f"clocks:{region}"
