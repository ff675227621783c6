"""The offset to an exchange's clock: the quickest measurement counts, a clock that was set is followed."""

from __future__ import annotations

import pytest

from exchanges.clock import ALARM_MS, SAMPLES, Clock

START = 1_700_000_000.0


class Exchange:
    """A server whose clock is `ahead_ms` ahead, and ways there and back of given lengths."""

    def __init__(self) -> None:
        self.now = START
        self.ahead_ms = 0
        self.way_ms = (10, 10)

    def __call__(self) -> float:
        return self.now

    def ask(self) -> int:
        there, back = self.way_ms
        self.now += there / 1000
        answer = round(self.now * 1000) + self.ahead_ms
        self.now += back / 1000
        return answer


def test_of_several_measurements_the_quickest_counts() -> None:
    exchange = Exchange()
    clock, exchange.ahead_ms = Clock(exchange), 3000
    for way in ((10, 200), (4, 4), (300, 20)):
        exchange.way_ms = way
        clock.measure(exchange.ask)
    assert clock.offset_ms == 3000


@pytest.mark.parametrize("way", [(900, 0), (0, 900)])
def test_one_slow_answer_does_not_move_the_offset(way: tuple[int, int]) -> None:
    exchange = Exchange()
    clock = Clock(exchange)
    clock.measure(exchange.ask)
    exchange.way_ms = way
    assert clock.measure(exchange.ask) == 0
    assert clock.jump_ms == 0


def test_a_clock_that_was_set_is_followed_at_once() -> None:
    exchange = Exchange()
    clock = Clock(exchange)
    clock.measure(exchange.ask)
    exchange.ahead_ms, exchange.way_ms = 2000, (40, 40)
    assert clock.measure(exchange.ask) == 2000
    assert clock.jump_ms == 2000
    assert clock.jumped_at == pytest.approx(exchange.now)


def test_a_jump_within_the_bound_is_followed_without_alarm() -> None:
    exchange = Exchange()
    clock = Clock(exchange)
    clock.measure(exchange.ask)
    exchange.ahead_ms = ALARM_MS - 50
    assert clock.measure(exchange.ask) == ALARM_MS - 50
    assert clock.jump_ms == 0


def test_an_exchange_that_tells_whole_seconds_raises_no_alarm() -> None:
    exchange = Exchange()
    clock = Clock(exchange, slack_ms=1000)
    for past_the_second in (0.0, 0.95, 0.4):
        exchange.now = START + past_the_second
        clock.measure(lambda: exchange.ask() // 1000 * 1000)
    assert clock.jump_ms == 0


def test_old_measurements_are_forgotten() -> None:
    exchange = Exchange()
    clock, exchange.way_ms = Clock(exchange), (1, 1)
    clock.measure(exchange.ask)
    exchange.way_ms = (10, 0)
    for _ in range(SAMPLES):
        clock.measure(exchange.ask)
    assert clock.offset_ms == 5


def test_after_a_refused_timestamp_only_the_new_measurement_is_believed() -> None:
    exchange = Exchange()
    clock, exchange.way_ms = Clock(exchange), (1, 1)
    clock.measure(exchange.ask)
    clock.distrust()
    exchange.way_ms = (100, 0)
    assert clock.measure(exchange.ask) == 50
