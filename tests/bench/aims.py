"""What was aimed for, and whether a run met it. Ratios of one run: absolute times belong to a machine."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench.bench_syntax import AIM
from tests.bench.counterparts import ROUND_TRIP_MS
from tests.bench.run import Run

MEGABYTES = 150.0


@dataclass(frozen=True, slots=True)
class Verdict:
    aim: str
    measured: str
    met: bool


def verdicts(run: Run) -> list[Verdict]:
    return [*_clients(run), *_posts(run), *_every_venue(run), *_memory(run), _parser(run)]


def _clients(run: Run) -> Iterator[Verdict]:
    near, far = run.clients["loopback"].times, run.clients["far"]
    yield _at_most(
        "venue client, warm: at most 4 x the raw client", near["warm"].median / near["raw"].median, 4
    )
    ratio = near["cold"].median / near["warm"].median
    yield Verdict("on loopback, warm at least 20 x faster than cold", f"{ratio:.1f} x", ratio >= 20)
    extra = far.times["warm"].median - ROUND_TRIP_MS
    once = far.turns["warm"] <= 1
    yield Verdict(
        "30 ms away, a warm order: one round trip and at most 3 ms",
        f"{far.turns['warm']:.2f} round trips, {extra:+.2f} ms",
        once and extra <= 3,
    )
    yield Verdict(
        "30 ms away, a cold order: three round trips and more",
        f"{far.turns['cold']:.2f} round trips, {far.times['cold'].median / ROUND_TRIP_MS:.1f} x 30 ms",
        far.turns["cold"] >= 3,
    )


def _every_venue(run: Run) -> Iterator[Verdict]:
    """Of a few orders each: what the slowest client takes for one request, and the exchange in the middle."""
    assert run.floor_of_visits is not None
    ratio = max(each.ratio / len(each.requests) for each in run.orders.values())
    yield _at_most("every venue's client, warm: at most 4 x the raw client and request", ratio, 4)
    middle = statistics.median(each.to_exchange.median for each in run.visits.values())
    yield _at_most(
        "POST -> order at every exchange, median: at most 2.0 x the floor",
        middle / run.floor_of_visits.to_reply.median,
        2.0,
    )


def _posts(run: Run) -> Iterator[Verdict]:
    assert run.floor is not None
    floor = run.floor.to_reply.median  # (d): the task that makes the call and replies
    for words, posts in (("", run.posts), (", not waiting for the disk", run.posts_unflushed)):
        for venue, times in posts.items():
            aim = f"POST -> order at {venue}: at most 2.0 x the floor{words}"
            yield _at_most(aim, times.to_exchange.median / floor, 2.0)


def _memory(run: Run) -> Iterator[Verdict]:
    for name, peak in run.memory_mb.items():
        if name == "web" or name.startswith("worker-"):
            yield Verdict(f"{name}: under {MEGABYTES:.0f} MB", f"{peak:.0f} MB", peak < MEGABYTES)


def _parser(run: Run) -> Verdict:
    rate = run.parser["one line"]["median"]
    return Verdict(f"parser: at least {AIM:,} one-line messages a second", f"{rate:,}", rate >= AIM)


def _at_most(aim: str, ratio: float, limit: float) -> Verdict:
    return Verdict(aim, f"{ratio:.2f} x", ratio <= limit)
