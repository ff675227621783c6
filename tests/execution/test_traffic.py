"""The statistics of exchange calls: what is counted, how processes add up, what the percentiles say."""

from __future__ import annotations

import random

import pytest

from exchanges.errors import ExchangeError, InsufficientFunds, OutcomeUnknown, Throttled
from exchanges.types import Environment
from execution import traffic
from execution.brokers import region_redis
from execution.traffic import MINUTES, Meter, Minute, together

VENUE, REGION, ENVIRONMENT = "Binance_F", "tokyo", Environment.LIVE
NOW = 1_700_000_000.0


def called(meter: Meter, *milliseconds: float, error: ExchangeError | None = None) -> None:
    for ms in milliseconds:
        meter.saw(VENUE, ENVIRONMENT, ms / 1000, error)


def hour(now: float = NOW) -> Minute:
    return together(traffic.read(REGION, now)[VENUE, ENVIRONMENT])


@pytest.mark.parametrize("percent", [50, 95])
def test_percentiles_come_out_within_a_tenth(redis_server: str, percent: int) -> None:
    draw = random.Random(7)
    times = sorted(draw.lognormvariate(3.5, 0.8) for _ in range(2000))
    meter = Meter(lambda: NOW)
    called(meter, *times)
    meter.flush()
    exact = times[len(times) * percent // 100]
    assert hour().percentile_ms(percent) == pytest.approx(exact, rel=0.1)


def test_without_an_answer_there_is_no_percentile() -> None:
    assert Minute(calls=1).percentile_ms(50) is None


def test_the_counts_of_several_processes_add_up(redis_server: str) -> None:
    for _ in range(3):
        meter = Meter(lambda: NOW)
        called(meter, 20, 20)
        called(meter, 9000, error=OutcomeUnknown("x"))
        meter.flush()
    found = hour()
    assert (found.calls, found.troubled, found.errors) == (9, 3, {"OUTCOME_UNKNOWN": 3})


def test_a_flush_counts_once(redis_server: str) -> None:
    meter = Meter(lambda: NOW)
    called(meter, 20)
    meter.flush()
    meter.flush()
    assert hour().calls == 1


def test_a_call_without_an_answer_has_no_time(redis_server: str) -> None:
    meter = Meter(lambda: NOW)
    called(meter, 10_000, error=OutcomeUnknown("x"))
    called(meter, 30)
    meter.flush()
    assert hour().percentile_ms(95) == pytest.approx(30, rel=0.1)


def test_an_order_refused_is_an_answer_and_no_trouble(redis_server: str) -> None:
    meter = Meter(lambda: NOW)
    called(meter, 30, error=InsufficientFunds("x"))
    called(meter, 30, error=Throttled("x"))
    meter.flush()
    assert (hour().slots.total(), hour().troubled) == (1, 1)


def test_minutes_are_kept_apart_for_an_hour(redis_server: str) -> None:
    now = [NOW]
    meter = Meter(lambda: now[0])
    for _ in range(MINUTES + 5):
        called(meter, 20)
        meter.flush()
        now[0] += 60
    minutes = traffic.read(REGION, now[0] - 60)[VENUE, ENVIRONMENT]
    assert [minute.calls for minute in minutes] == [1] * MINUTES


def test_a_venue_not_called_for_an_hour_is_not_told(redis_server: str) -> None:
    meter = Meter(lambda: NOW)
    called(meter, 20)
    meter.flush()
    assert traffic.read(REGION, NOW + MINUTES * 60) == {}


def test_what_is_kept_in_redis_ends_by_itself(redis_server: str) -> None:
    meter = Meter(lambda: NOW)
    called(meter, 20)
    meter.flush()
    server = region_redis(REGION)
    keys = [key for key in server.keys("traffic:*") if key != f"traffic:{REGION}"]
    assert keys
    assert all(0 < server.ttl(key) <= traffic.KEEP_SECONDS for key in keys)
