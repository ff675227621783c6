"""What the processes of the service hold: memory, sockets, connections to the stores."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg
import redis

from tests.stack import Stack

#: memory that grew by more than this share between the second and the last fifth of a soak is a leak
GROWTH = 0.10


@dataclass(frozen=True, slots=True)
class Sample:
    at: float
    #: process -> MiB resident, and open sockets
    memory: dict[str, float]
    sockets: dict[str, int]
    database: int
    redis: int


def sample(stack: Stack) -> Sample:
    pids = {name: stack.processes.pid(name) for name in stack.processes.names()}
    return Sample(
        at=time.monotonic(),
        memory={name: _resident(pid) for name, pid in pids.items()},
        sockets={name: _sockets(pid) for name, pid in pids.items()},
        database=_database(stack),
        redis=_redis(stack),
    )


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} shows no memory")


def _sockets(pid: int) -> int:
    return sum(_is_socket(each) for each in Path(f"/proc/{pid}/fd").iterdir())


def _is_socket(path: Path) -> bool:
    try:
        return str(path.readlink()).startswith("socket:")
    except FileNotFoundError:
        return False  # closed since the directory was read


def _database(stack: Stack) -> int:
    with psycopg.connect(stack.environment["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int((row.fetchone() or (0,))[0])


def _redis(stack: Stack) -> int:
    with redis.Redis.from_url(stack.redis_url) as client:
        return int(client.info("clients")["connected_clients"])


def table(samples: Sequence[Sample]) -> str:
    """One line per sample: MiB/sockets of each process, then the connections of the stores."""
    names = list(samples[0].memory)
    head = ["  minute", *(f"{name:>16}" for name in names), "  database", "  redis"]
    lines = ["".join(head)]
    for each in samples:
        cells = [f"{each.memory[name]:>10.1f}/{each.sockets[name]:<5}" for name in names]
        minute = (each.at - samples[0].at) / 60
        lines.append(f"{minute:>8.1f}" + "".join(cells) + f"{each.database:>10}{each.redis:>7}")
    return "\n".join(lines)


def leaks(samples: Sequence[Sample]) -> list[str]:
    """Processes whose memory or sockets were still growing when they should long have had all they need. The sandbox
    keeps every order, for who compares the books."""
    fifth = max(1, len(samples) // 5)
    early, late = samples[fifth : 2 * fifth], samples[-fifth:]
    found = []
    for name in samples[0].memory:
        before, after = (median(each.memory[name] for each in part) for part in (early, late))
        if name != "sandbox" and after > before * (1 + GROWTH):
            found.append(f"{name} grew from {before:.1f} to {after:.1f} MiB")
        before, after = (max(each.sockets[name] for each in part) for part in (early, late))
        if after > before * 1.5 + 10:
            found.append(f"{name} went from {before} to {after} sockets")
    return found
