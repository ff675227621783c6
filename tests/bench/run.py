"""One run from end to end: everything is started, measured in turns, and stopped."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tests.bench import bench_syntax, clients
from tests.bench.clients import Measured, Rounds
from tests.bench.counterparts import ways
from tests.bench.ground import ground, service
from tests.bench.memory import peaks_mb
from tests.bench.spread import Spread

if TYPE_CHECKING:
    from tests.bench.arming import Arming
    from tests.bench.floor import FloorTimes
    from tests.bench.posts import Times
    from tests.bench.saturation import Load
    from tests.stack import Stack

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. `armings`: of each venue; `seconds`: of each step towards saturation."""

    near: Rounds
    far: Rounds
    traders: int
    rounds: int
    armings: int
    seconds: float


FULL = Plan(clients.NEAR, clients.FAR, traders=32, rounds=40, armings=7, seconds=4.0)
QUICK = Plan(clients.QUICK, clients.QUICK, traders=3, rounds=3, armings=1, seconds=0.5)


@dataclass
class Run:
    """What was found. `posts_unflushed`: with a database that answers before its disk has the data."""

    machine: dict[str, object]
    clients: dict[str, Measured] = field(default_factory=dict)
    floor: FloorTimes | None = None
    posts: dict[str, Times] = field(default_factory=dict)
    posts_unflushed: dict[str, Times] = field(default_factory=dict)
    armings: dict[str, Arming] = field(default_factory=dict)
    loads: list[Load] = field(default_factory=list)
    memory_mb: dict[str, float] = field(default_factory=dict)
    parser: dict[str, dict[str, int]] = field(default_factory=dict)


def run(plan: Plan, say: Say) -> Run:
    with tempfile.TemporaryDirectory() as directory:
        found = Run(_machine(Path(directory)))
        say("The parser ...")
        found.parser = bench_syntax.measure(rounds=5)
        say("Clients alone ...")
        with ways(Path(directory)) as all_ways:
            for way in all_ways:
                found.clients[way.name] = clients.measure(way, plan.far if way.distant else plan.near)
    with ground(), service() as stack:
        _measure_service(stack, plan, found, say)
    return found


def _measure_service(stack: Stack, plan: Plan, found: Run, say: Say) -> None:
    from tests.bench import arming
    from tests.bench.floor import floor
    from tests.bench.posts import Caller
    from tests.bench.saturation import climb

    stack.control("limits", {"enforce": False})
    traders = [stack.new_trader() for _ in range(plan.traders)]
    caller = Caller(stack, traders)
    say("From a POST to the exchange, and the floor below ...")
    with floor(stack) as bare:
        caller.warm_up()
        bare.warm_up()
        for _ in range(plan.rounds):
            caller.round("flushed")
            bare.round()
        with _not_flushed():
            for _ in range(min(plan.rounds, 4)):
                caller.round("warm-up")  # each of the database's sessions reads its configuration anew
            for _ in range(plan.rounds):
                caller.round("unflushed")
        found.floor = bare.times()
    found.posts, found.posts_unflushed = caller.times("flushed"), caller.times("unflushed")
    say("From an order to its protection, at every exchange ...")
    found.armings = arming.measure(stack, plan.armings)
    say("Towards saturation ...")
    found.loads = climb(stack, traders, plan.seconds)
    found.memory_mb = peaks_mb(stack.processes)


@contextmanager
def _not_flushed() -> Iterator[None]:
    """PostgreSQL answers a commit before the disk has it: what is left is flipr's own time."""
    _wait_for_disk("off")
    try:
        yield
    finally:
        _wait_for_disk("on")


def _wait_for_disk(word: str) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET synchronous_commit = {word}")
        connection.execute("SELECT pg_reload_conf()")


def _machine(directory: Path) -> dict[str, object]:
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 2),
        "disk_flush_ms": _flush(directory).median,
    }


def _flush(directory: Path) -> Spread:
    """What this disk takes to keep 8 KiB for good: every commit waits for that once."""
    taken = []
    with (directory / "flushed").open("wb") as file:
        for _ in range(50):
            file.write(bytes(8192))
            file.flush()
            started = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - started) * 1000)
    return Spread.of(taken)
