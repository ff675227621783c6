"""The rates: a burst, then a steady flow; one key never pays for the other."""

from __future__ import annotations

import pytest

from webhooks import throttle
from webhooks.refused import Refused
from webhooks.throttle import Limit

pytestmark = pytest.mark.usefixtures("redis_server")

HOOK = Limit("rate:hook:1", "3/60", "through this hook")
SOURCE = Limit("rate:post:192.0.2.7", "5/60", "from this address")
NOW = 1_790_000_000_000.0


def admitted(limits: list[Limit], now_ms: float) -> bool:
    try:
        throttle.admit_all(limits, now_ms)
    except Refused:
        return False
    return True


def test_a_burst_passes_and_then_one_at_a_time() -> None:
    assert [admitted([HOOK], NOW) for _ in range(4)] == [True, True, True, False]
    assert not admitted([HOOK], NOW + 19_999)
    assert admitted([HOOK], NOW + 20_000)
    assert not admitted([HOOK], NOW + 20_001)


def test_after_its_time_the_whole_burst_is_back() -> None:
    for _ in range(3):
        admitted([HOOK], NOW)

    assert [admitted([HOOK], NOW + 60_000) for _ in range(4)] == [True, True, True, False]


def test_what_one_limit_refuses_costs_the_other_nothing() -> None:
    for _ in range(10):
        admitted([HOOK, SOURCE], NOW)

    assert [admitted([SOURCE], NOW) for _ in range(3)] == [True, True, False]


def test_refusal_says_how_long_and_who() -> None:
    for _ in range(3):
        throttle.admit_all([HOOK, SOURCE], NOW)

    with pytest.raises(Refused) as caught:
        throttle.admit_all([HOOK, SOURCE], NOW + 5_000)

    assert caught.value.headers == {"Retry-After": "15"}
    assert "through this hook" in caught.value.error["message"]


def test_a_clock_that_runs_back_does_not_open_the_gate() -> None:
    for _ in range(3):
        admitted([HOOK], NOW)

    assert not admitted([HOOK], NOW - 1_000)
