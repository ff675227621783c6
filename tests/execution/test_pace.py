"""Whose turn it is to be looked at, on a real Redis, at a clock that only the tests move."""

from __future__ import annotations

import itertools
from itertools import pairwise
from typing import Any

import pytest

from exchanges.types import Environment
from execution import pace
from execution.pace import Watched

NOW = 1_700_000_000.0


def watched(count: int, venue: str = "ByBit_F") -> list[Watched]:
    return [Watched(f"a_{number:03}", venue, Environment.SANDBOX, "BTCUSDT", ()) for number in range(count)]


@pytest.fixture
def rounds(redis_server: str, settings: Any) -> Any:
    """What is due in each of some rounds of beat, one second apart."""
    settings.SUPERVISE_SECONDS = 1.0

    def run(everything: list[Watched], count: int) -> list[list[str]]:
        clock = itertools.count(int(NOW)).__next__
        return [[account for account, _ in pace.due("eu", everything, clock=clock)] for _ in range(count)]

    return run


def test_accounts_that_were_taken_up_together_are_not_looked_at_in_step(rounds) -> None:
    sizes = [len(each) for each in rounds(watched(30), 12)]
    assert sizes == [12, 12, 6] * 4  # not 30, 0, 0


def test_every_account_has_its_turn_within_the_rotation(rounds) -> None:
    looks: dict[str, list[int]] = {}
    for second, accounts in enumerate(rounds(watched(30), 20)):
        for account in accounts:
            looks.setdefault(account, []).append(second)
    assert len(looks) == 30
    assert all(seconds[0] <= 3 for seconds in looks.values())
    gaps = [b - a for seconds in looks.values() for a, b in pairwise(seconds)]
    assert (min(gaps), max(gaps)) == (3, 3)


def test_a_venue_where_an_address_may_ask_little_is_looked_at_less_often(rounds) -> None:
    """Binance futures: 120 looks a minute, two a second."""
    sizes = [len(each) for each in rounds(watched(30, "Binance_F"), 40)]
    assert 2 <= max(sizes) <= 3
    assert sum(sizes) <= 40 * 2 / 0.9 + 3


def test_an_account_alone_is_looked_at_every_three_seconds(rounds) -> None:
    assert [len(each) for each in rounds(watched(1), 7)] == [1, 0, 0, 1, 0, 0, 1]


def test_venues_do_not_wait_for_each_other(rounds) -> None:
    (first,) = rounds([*watched(1, "ByBit_F"), *watched(1, "Kraken_F")], 1)
    assert first == ["a_000", "a_000"]


@pytest.mark.parametrize(
    ("per_minute", "symbols", "most", "least"),
    [(300, 1, 60, 60), (300, 20, 300, 300), (12, 1, 12, 12), (12, 4, 12, 12)],
)
def test_prices_are_asked_as_often_as_the_exchange_spares_for_it(
    settings, per_minute, symbols, most, least
) -> None:
    settings.SUPERVISE_SECONDS = 1.0
    names = [f"S{number}" for number in range(symbols)]
    asked = [each for second in range(60) for each in pace._turn(names, per_minute, NOW + second)]
    assert least <= len(asked) <= most
    assert set(asked) == set(names)


def test_with_longer_rounds_no_more_is_asked(settings) -> None:
    settings.SUPERVISE_SECONDS = 5.0
    assert sum(len(pace._turn(["S"], 12, NOW + 5 * number)) for number in range(12)) == 12
