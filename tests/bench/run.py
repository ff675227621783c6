"""One run from end to end: everything is started, measured in turns, and stopped."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tests.bench import bench_syntax, clients, orders
from tests.bench.clients import Measured, Rounds
from tests.bench.counterparts import ways
from tests.bench.ground import ground, service
from tests.bench.memory import peaks_mb
from tests.bench.orders import Placed
from tests.bench.spread import Spread

if TYPE_CHECKING:
    from tests.bench.arming import Arming
    from tests.bench.floor import Floor, FloorTimes
    from tests.bench.posts import Caller, Times
    from tests.bench.saturation import Load
    from tests.stack import Stack

Say = Callable[[str], None]
Part = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. `traders` post in `rounds` at a few exchanges, `visitors` in `visits` at all of them;
    `orders`, `armings`: of each venue; `seconds`: of each step towards saturation."""

    near: Rounds
    far: Rounds
    traders: int
    rounds: int
    visitors: int
    visits: int
    orders: int
    armings: int
    seconds: float


FULL = Plan(
    clients.NEAR, clients.FAR, traders=32, rounds=40, visitors=2, visits=12, orders=40, armings=7, seconds=4.0
)
QUICK = Plan(
    clients.QUICK,
    clients.QUICK,
    traders=3,
    rounds=3,
    visitors=1,
    visits=1,
    orders=2,
    armings=1,
    seconds=0.5,
)


@dataclass
class Run:
    """What was found. `orders`, `visits` and `armings` by venue. `posts_unflushed`: with a database that answers before
    its disk has the data. `visits` have a floor of their own, taken between them. `seconds`: what each part took."""

    machine: dict[str, object]
    clients: dict[str, Measured] = field(default_factory=dict)
    floor: FloorTimes | None = None
    posts: dict[str, Times] = field(default_factory=dict)
    posts_unflushed: dict[str, Times] = field(default_factory=dict)
    orders: dict[str, Placed] = field(default_factory=dict)
    floor_of_visits: FloorTimes | None = None
    visits: dict[str, Times] = field(default_factory=dict)
    armings: dict[str, Arming] = field(default_factory=dict)
    loads: list[Load] = field(default_factory=list)
    memory_mb: dict[str, float] = field(default_factory=dict)
    parser: dict[str, dict[str, int]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def run(plan: Plan, say: Say) -> Run:
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        found = Run(_machine(Path(directory)))
        part = partial(_part, found, say)
        with part("the parser"):
            found.parser = bench_syntax.measure(rounds=5)
        with ways(Path(directory)) as all_ways:
            with part("clients alone"):
                for way in all_ways:
                    found.clients[way.name] = clients.measure(way, plan.far if way.distant else plan.near)
            with part("an order at every venue"):
                found.orders = orders.measure(all_ways[0].url, plan.orders)
    with ground(), service() as stack:
        _measure_service(stack, plan, found, part)
    found.seconds["all, with starting and stopping"] = _since(started)
    return found


def _measure_service(stack: Stack, plan: Plan, found: Run, part: Part) -> None:
    from tests.bench import arming
    from tests.bench.floor import floor
    from tests.bench.posts import Caller, one_of_each
    from tests.bench.saturation import climb

    stack.control("limits", {"enforce": False})
    traders = [stack.new_trader() for _ in range(plan.traders)]
    # long before they are needed: to check a key may take a good part of what an exchange allows a minute
    visitors = [stack.new_trader(tuple(one_of_each().values())) for _ in range(plan.visitors)]
    with floor(stack) as bare:
        with part("from a POST to the exchange, and the floor below"):
            _post(Caller(stack, traders), bare, plan, found)
        with part("the same at every exchange"):
            found.visits = _visit(Caller(stack, visitors, one_of_each()), bare, plan.visits)
            found.floor_of_visits = bare.times()
    with part("from an order to its protection"):
        found.armings = arming.measure(stack, plan.armings)
    with part("towards saturation"):
        found.loads = climb(stack, traders, plan.seconds)
    found.memory_mb = peaks_mb(stack.processes)


def _post(caller: Caller, bare: Floor, plan: Plan, found: Run) -> None:
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


def _visit(caller: Caller, bare: Floor, visits: int) -> dict[str, Times]:
    caller.warm_up()
    bare.warm_up()
    for _ in range(visits):
        caller.round("visit")
        bare.round()
    return caller.times("visit")


@contextmanager
def _part(found: Run, say: Say, name: str) -> Iterator[None]:
    say(f"{name[0].upper()}{name[1:]} ...")
    started = time.perf_counter()
    yield
    found.seconds[name] = _since(started)


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 1)


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
