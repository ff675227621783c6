"""A worker process is warm when it begins, and stays so: by itself, and within what exchanges spare for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from exchanges.types import Environment
from execution import beside, book, pulse
from execution.brokers import region_redis
from execution.warm import WARM_SECONDS, Warmth
from tests.stack import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

SANDBOX = Environment.SANDBOX


@pytest.fixture
def trader(make_desk: Callable[..., Any]) -> Any:
    return make_desk(families=("binance",))


@pytest.fixture
def now() -> list[float]:
    return [1_000.0]


@pytest.fixture
def warmth(trader: Any, now: list[float]) -> Iterator[Warmth]:
    found = Warmth("tokyo", clock=lambda: now[0])
    yield found
    found.end()


def questions(desk: Any, venue: str = "Binance_F") -> list[str]:
    """What was asked without a key, the last words of each path."""
    return [each["path"].rpartition("/")[2] for each in desk.sandbox.state(venue)["calls"]]


def test_a_process_has_clock_and_instruments_before_it_takes_orders(trader: Any, warmth: Warmth) -> None:
    warmth.begin()
    for venue, symbol in (("Binance", "BTCUSDT"), ("Binance_F", "BTCUSDT"), ("Binance_C", "BTCUSD_PERP")):
        connection = book.pool().connection(venue, SANDBOX)
        assert connection.venue.clock.measured
        before = questions(trader, venue)
        assert connection.table.find(symbol)
        assert questions(trader, venue) == before, "the instruments were known"


def test_an_exchange_that_hangs_delays_neither_the_start_nor_the_others(
    trader: Any, warmth: Warmth, monkeypatch: pytest.MonkeyPatch
) -> None:
    trader.sandbox.fault("delay", venue="Binance_F", delay_ms=6000, path="GET ")
    warmth.begin()
    assert "warm Binance_F (sandbox)" in beside.at_work()
    assert book.pool().connection("Binance", SANDBOX).venue.clock.measured
    trader.sandbox.no_faults()
    wait_for("the slow one", lambda: "warm Binance_F (sandbox)" not in beside.at_work())


def test_a_venue_is_refreshed_when_it_is_due_and_again_soon_when_it_failed(
    trader: Any, warmth: Warmth, now: list[float]
) -> None:
    trader.sandbox.fault("http_500", venue="Binance_F", path="time")
    warmth.round()
    trader.sandbox.no_faults()
    warmth.round()
    asked = len(questions(trader))
    assert book.pool().connection("Binance_F", SANDBOX).venue.clock.measured
    now[0] += WARM_SECONDS / 2
    warmth.round()
    assert len(questions(trader)) == asked
    now[0] += WARM_SECONDS / 2
    warmth.round()
    assert len(questions(trader)) == asked + 1


@pytest.mark.parametrize(("workers", "seconds"), [(1, WARM_SECONDS), (4, WARM_SECONDS), (16, 80)])
def test_many_processes_share_what_an_exchange_spares_for_it(
    trader: Any, warmth: Warmth, now: list[float], workers: int, seconds: float
) -> None:
    region_redis("tokyo").delete("workers:tokyo")
    for number in range(workers):
        pulse.sign_of_life("tokyo", f"worker {number}")
    warmth.round()
    asked = len(questions(trader))
    for step, more in ((seconds * 0.9, 0), (seconds * 0.1, 1)):
        now[0] += step
        warmth.round()
        assert len(questions(trader)) == asked + more


def test_a_redis_that_is_away_ends_no_worker(warmth: Warmth, settings: Any) -> None:
    settings.BROKER_URLS = dict.fromkeys(settings.BROKER_URLS, "redis://127.0.0.1:1/0")
    warmth.round()
