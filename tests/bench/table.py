"""A run as a table for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tests.bench.aims import verdicts
from tests.bench.run import Run
from tests.bench.spread import Spread

WAYS = {
    "loopback": "Binance_F over plain HTTP on loopback",
    "tls": "The same over TLS",
    "far": "The same over TLS, 30 ms away",
}
KINDS = {
    "raw": "raw keep-alive client, already signed",
    "warm": "venue client, warm",
    "new_connection": "venue client, new connection each time",
    "cold": "venue client, first order of a process *",
}
COLD = "* trusted roots, client, connection, clock, instruments and order; imports not counted"


def as_json(run: Run) -> dict[str, Any]:
    return {**asdict(run), "aims": [asdict(verdict) for verdict in verdicts(run)]}


def as_text(run: Run) -> str:
    parts = (_machine, _clients, _service, _venues, _loads, _memory, _parser, _seconds, _aims)
    return "\n\n".join("\n".join(part(run)) for part in parts)


def _machine(run: Run) -> Iterator[str]:
    about = run.machine
    yield f"{about['cores']} cores, {about['system']}, Python {about['python']}, load before {about['load']}"
    yield f"one flush to this disk: {about['disk_flush_ms']} ms. Times in milliseconds."


def _clients(run: Run) -> Iterator[str]:
    for way, measured in run.clients.items():
        yield _head(WAYS[way]) + ("  round trips" if measured.turns else "")
        for kind, spread in measured.times.items():
            turns = f"{measured.turns[kind]:13.2f}" if measured.turns else ""
            yield _row(KINDS[kind], spread) + turns
    yield COLD


def _service(run: Run) -> Iterator[str]:
    assert run.floor is not None
    yield _head("The floor (d): a bare Celery task, published -> ...")
    yield _row("order at the exchange", run.floor.to_exchange)
    yield _row("reply over Redis", run.floor.to_reply)
    for words, posts in (("", run.posts), (", database not waiting for its disk", run.posts_unflushed)):
        yield _head(f"POST to flipr -> ...{words}")
        for venue, times in posts.items():
            whole, order = (
                times.to_exchange.median / each.median for each in (run.floor.to_reply, run.floor.to_exchange)
            )
            yield _row(f"order at {venue}", times.to_exchange) + f"  {whole:.2f} x reply, {order:.2f} x order"
            yield _row("protected answer", times.to_answer)
            yield "    " + "  ".join(f"{step} {at:g}" for step, at in times.waterfall.items())


def _venues(run: Run) -> Iterator[str]:
    assert run.floor_of_visits is not None
    floor = run.floor_of_visits.to_reply.median
    yield (
        f"{'':<14} {'warm order by the client':<34} {'order to armed protection':<42} POST -> order at the exchange *"
    )
    counted = "requests in turn"
    yield (
        f"{'':<14} {'median':>7} {'x raw':>7} {counted:<18} {'by':<16} {counted} {'median':>7}  "
        f"{'median':>7} {'x the floor':>11}"
    )
    for venue, each in run.armings.items():
        placed, posted = run.orders[venue], run.visits.get(venue)
        order = (
            f"{placed.warm.median:7.2f} {placed.ratio:7.2f} {len(placed.requests):8} {placed.round_trips:7}"
        )
        armed = f"{each.protection:<16} {len(each.requests):8} {each.round_trips:7} {each.time.median:7.2f}"
        to = posted.to_exchange.median if posted else None
        yield f"{venue:<14} {order}   {armed}" + (f"  {to:7.2f} {to / floor:11.2f}" if to else "")
    yield (
        f"* the floor is {floor:.2f} here, and a place among {len(run.visits)} exchanges in turn; requests: see --json"
    )


def _loads(run: Run) -> Iterator[str]:
    yield f"{'Callers that post again as soon as answered':<50} per second   median      p95"
    for load in run.loads:
        yield f"  {load.callers:<48} {load.per_second:10.1f} {load.answer.median:8.1f} {load.answer.p95:8.1f}"


def _memory(run: Run) -> Iterator[str]:
    yield "Peak memory in MB: " + ", ".join(f"{name} {peak:g}" for name, peak in run.memory_mb.items())


def _parser(run: Run) -> Iterator[str]:
    rates = ", ".join(f"{name} {rate['median']:,}" for name, rate in run.parser.items())
    yield f"Messages parsed per second on one core: {rates}"


def _seconds(run: Run) -> Iterator[str]:
    yield "Seconds: " + ", ".join(f"{part} {seconds:g}" for part, seconds in run.seconds.items())


def _aims(run: Run) -> Iterator[str]:
    yield f"{'Aim':<66} {'measured':>24}"
    for each in verdicts(run):
        yield f"{each.aim:<66} {each.measured:>24}  {'met' if each.met else 'NOT MET'}"


def _head(title: str) -> str:
    return f"{title:<50}   median      p95  count"


def _row(name: str, spread: Spread) -> str:
    return f"  {name:<48} {spread}"
