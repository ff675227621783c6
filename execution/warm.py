"""Keeps a region's connections warm: clocks measured, instruments fresh, sockets open, circuits tried again."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict, dataclass
from functools import partial

import redis
from celery import current_app

from accounts.models import Account, AccountStatus
from exchanges.clock import Clock
from exchanges.errors import ExchangeError
from exchanges.registry import every_venue
from exchanges.types import Environment
from execution import beside, book, circuit
from execution.brokers import producer_pool, region_redis
from execution.circuit import Circuit
from execution.routing import region_of

log = logging.getLogger(__name__)
WARM = "execution.tasks.warm_venue"
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


def spread(region: str) -> None:
    """One task per venue, so that a slow one does not keep the others cold."""
    with producer_pool(region).acquire(block=True) as producer:
        for name, environment in used_venues(region):
            current_app.send_task(
                WARM,
                (region, name, environment.value),
                producer=producer,
                queue=f"watch.{region}",
                expires=15,
                retry=False,
            )


def refresh(region: str, name: str, environment: Environment) -> None:
    """Open one venue and refresh it. One that does not answer is left for the next round."""
    try:
        connection = book.pool().connection(name, environment)
        connection.refresh()
    except ExchangeError as error:
        log.warning("%s (%s) could not be refreshed: %s", name, environment, error.kind)
    else:
        _tell_clock(region, name, environment, connection.venue.clock)


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
