"""From an order to its armed protection, venue by venue: how many requests, one behind the other how many, how long.

A worker's own way through a job (claim, limits, order, fill, stop and target, history) is run in this process, for an
account that has traded before: whatever can be known in advance is known."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from exchanges.facts import protection_of
from exchanges.limits import LocalGate
from exchanges.registry import venues
from exchanges.types import Environment, Product
from exchanges.venue import Venue
from execution import book, dispatch, place
from execution.brokers import limits_redis
from execution.dispatch import Intake
from execution.limiter import RedisGate
from execution.models import Order, OrderState
from tests.bench.sent import in_turn, watched
from tests.bench.spread import Spread
from tests.stack import Stack, Trader
from webhooks.syntax import parse

ENTRY = "BTCUSDT on {venue} market long {size}"
PROTECTED = " sl off 2% tp off 5%"
#: where an exchange has no stop orders, only the order itself can be measured
NO_STOPS = "no stops"
CLOSE = "BTCUSDT on {venue} close 100%"


@dataclass(frozen=True, slots=True)
class Arming:
    """`requests` in their order, as method and path; `round_trips`: what of them had to wait for another's answer.
    `protection`: `NO_STOPS` where there is none."""

    protection: str
    requests: tuple[str, ...]
    round_trips: int
    #: from the first of them to the answer to the last one
    time: Spread


def measure(stack: Stack, rounds: int) -> dict[str, Arming]:
    kinds = venues().values()
    families = tuple(dict.fromkeys(each.key_family for each in kinds))
    trader = stack.new_trader(families)
    try:
        measured = {kind.name: _measure(trader, kind, rounds) for kind in sorted(kinds, key=_coins_first)}
        return dict(sorted(measured.items()))
    finally:
        book.pool().close()
        for held in (book.pool, book.facts, book.breaker, book.meter):
            held.cache_clear()


def _coins_first(kind: type[Venue]) -> bool:
    """Closing on spot sells the coins that are the margin elsewhere in the account."""
    return kind.product is not Product.INVERSE


def _measure(trader: Trader, kind: type[Venue], rounds: int) -> Arming:
    _trade(trader, kind)
    taken = [_trade(trader, kind) for _ in range(rounds)]
    requests, round_trips, _ = min(taken, key=lambda each: len(each[0]))
    protection = protection_of(kind.features).value if kind.features.conditional else NO_STOPS
    return Arming(protection, requests, round_trips, Spread.of(each[2] for each in taken))


def _trade(trader: Trader, kind: type[Venue]) -> tuple[tuple[str, ...], int, float]:
    book.pool().connection(kind.name, Environment.SANDBOX).venue.gate = _Rested(kind.region)
    stops, size = kind.features.conditional, "100" if kind.product is Product.INVERSE else "0.01"
    with watched() as sent:
        order = _run(trader, ENTRY.format(venue=kind.name, size=size) + PROTECTED * stops)
    if order.status != OrderState.FILLED:
        raise RuntimeError(f"{kind.name}: the order is not filled: {order.status} {order.error}")
    if stops and (order.bracket is None or order.bracket.status != "armed"):
        raise RuntimeError(f"{kind.name}: the position is not protected: {order.error}")
    _run(trader, CLOSE.format(venue=kind.name))
    took = max(each.ended for each in sent) - sent[0].began
    return tuple(each.what for each in sent), in_turn(sent), took * 1000


class _Rested(LocalGate):
    """Of an account that was left alone for a while: what it used up of its limits has grown again. What a key has to ask
    in turn is in turn with what the workers ask, who look after the account all the same."""

    def __init__(self, region: str) -> None:
        super().__init__()
        self._workers = RedisGate(limits_redis(region))

    @contextmanager
    def turn(self, owner: str) -> Iterator[None]:
        with self._workers.turn(owner):
            yield


def _run(trader: Trader, text: str) -> Order:
    delivery = f"d_arming_{time.time_ns()}"
    prepared = dispatch.prepare(trader.user, parse(text), Intake(delivery, "close", time.time() * 1000))
    for job in prepared.jobs:
        place.run(job.dump())
    return Order.objects.select_related("bracket").get(user=trader.user, delivery=delivery)
