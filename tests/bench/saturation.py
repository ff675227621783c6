"""How many commands a second this machine carries: callers that each post again as soon as they are answered."""

from __future__ import annotations

import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.bench.counterparts import keep_alive
from tests.bench.posts import VENUES
from tests.bench.spread import Spread
from tests.stack import Stack, Trader

#: no protection, and both sides in turn: nothing grows, and nothing is left to supervise
TEXT = "BTCUSDT on {venue} market {side} 0.01"
#: a step that brings less than this was the last one
LEAST_GAIN = 1.05
STEPS = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, slots=True)
class Load:
    callers: int
    per_second: float
    answer: Spread


def climb(stack: Stack, traders: list[Trader], seconds: float) -> list[Load]:
    """More callers at each step, until throughput stops rising. Needs as many traders as callers."""
    loads: list[Load] = []
    for callers in STEPS:
        if callers > len(traders):
            break
        loads.append(_load(stack, traders, callers, seconds))
        if len(loads) > 1 and loads[-1].per_second < loads[-2].per_second * LEAST_GAIN:
            break
    return loads


def _load(stack: Stack, traders: list[Trader], callers: int, seconds: float) -> Load:
    """Each caller goes round a share of the traders: the exchanges count orders per key."""
    together = threading.Barrier(callers + 1)
    with ThreadPoolExecutor(callers) as threads:
        running = [
            threads.submit(_call, stack, traders[number::callers], together, seconds)
            for number in range(callers)
        ]
        together.wait()
        started = time.perf_counter()
        answered = [each for one in running for each in one.result()]
    return Load(callers, round(len(answered) / (time.perf_counter() - started), 1), Spread.of(answered))


def _call(stack: Stack, traders: list[Trader], together: threading.Barrier, seconds: float) -> list[float]:
    connection = keep_alive(stack.web)
    orders = itertools.cycle(itertools.product(("long", "short"), VENUES, traders))
    taken: list[float] = []
    together.wait()
    until = time.perf_counter() + seconds
    while (started := time.perf_counter()) < until:
        side, venue, trader = next(orders)
        connection.request(
            "POST", urlsplit(trader.url).path + "?wait=15", TEXT.format(venue=venue, side=side)
        )
        body = json.loads(connection.getresponse().read())
        taken.append((time.perf_counter() - started) * 1000)
        if body["status"] != "done":
            raise RuntimeError(f"under load: {body}")
    connection.close()
    return taken
