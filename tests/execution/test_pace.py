"""Whose turn it is to be looked at, on a real Redis, at a clock that only the tests move."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from exchanges.limits import LocalGate
from exchanges.types import Environment
from execution import beside, book, pace
from execution.pace import Trigger, Watched
from tests.stack import wait_for

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


@pytest.mark.parametrize(("count", "most"), [(1, 30), (8, 8 + 13 * 3 / 0.8)])
def test_however_many_prices_have_come_to_a_level_the_looks_leave_room_for_orders(count, most) -> None:
    """Hyperliquid: 13 looks a minute, an account in haste every two seconds."""
    names, looks = [f"a_{number}" for number in range(count)], 0
    urgent, last = {(each, "Hyperliquid_F") for each in names}, dict.fromkeys(names, -60.0)
    for second in range(60):
        chosen = pace._due_at("Hyperliquid_F", names, urgent, {each: second - last[each] for each in names})
        last |= dict.fromkeys(chosen, float(second))
        looks += len(chosen)
    assert most * 0.8 <= looks <= most


def test_a_position_that_lacks_its_stop_does_not_wait_for_the_rotation_of_many(rounds) -> None:
    """Hyperliquid, 100 accounts of an address: the rotation takes seven minutes."""
    everything = watched(100, "Hyperliquid_F")
    everything[40] = replace(everything[40], unsettled=True)
    looked = [second for second, accounts in enumerate(rounds(everything, 30)) if "a_040" in accounts]
    assert looked == list(range(0, 30, 3))


def test_venues_do_not_wait_for_each_other(rounds) -> None:
    (first,) = rounds([*watched(1, "ByBit_F"), *watched(1, "Kraken_F")], 1)
    assert first == ["a_000", "a_000"]


def test_an_exchange_that_hangs_holds_up_no_prices_of_another(make_desk: Callable[..., Any]) -> None:
    """Both prices have come to a level; the one that can be asked for is taken up in the same round, the other when
    its answer comes."""
    desk = make_desk(families=("binance", "bybit"))
    at_any_price = (Trigger(Decimal(0), rising=True),)
    everything = [
        Watched(desk.accounts[family].public_id, venue, Environment.SANDBOX, "BTCUSDT", at_any_price)
        for family, venue in (("binance", "Binance_F"), ("bybit", "ByBit_F"))
    ]
    for each in everything:  # what a worker that runs has read long ago
        assert desk.instrument(each.venue, "BTCUSDT")
    ours, slow = "prices of ByBit_F (sandbox)", "prices of Binance_F (sandbox)"
    desk.sandbox.fault("delay", venue="Binance_F", delay_ms=4000, path="GET ")
    for account in everything:  # looked at a moment ago: only a price makes them due again
        pace.mark("tokyo", [(account.account, account.venue)], NOW - 2)
    assert pace.due("tokyo", everything, lambda: NOW) == [(everything[1].account, "ByBit_F")]
    assert slow in beside.at_work()
    assert pace.due("tokyo", everything[:1], lambda: NOW + 0.1) == []
    desk.sandbox.no_faults()
    wait_for("the slow answer", lambda: not {slow, ours} & beside.at_work())
    assert pace.due("tokyo", everything[:1], lambda: NOW + 0.2) == [(everything[0].account, "Binance_F")]


def test_a_price_that_was_refused_for_rate_is_not_asked_for_before_looks_had_their_turn(make_desk) -> None:
    """Where one such refusal stops an address for half a minute, the next price would stop it for another."""
    desk = make_desk(families=("bybit",))
    account, venue = (
        desk.accounts["bybit"].public_id,
        book.pool().connection("ByBit_F", Environment.SANDBOX).venue,
    )
    at_any_price = (Trigger(Decimal(0), rising=True),)
    watching = [Watched(account, "ByBit_F", Environment.SANDBOX, "BTCUSDT", at_any_price)]

    def urgent(now: float) -> bool:
        venue.gate = LocalGate()
        pace.mark("tokyo", [(account, "ByBit_F")], now - 2)
        return pace.due("tokyo", watching, lambda: now) != []

    assert urgent(NOW)
    desk.sandbox.fault("throttle", venue="ByBit_F", path="GET /v5/market/tickers", count=1)
    assert [urgent(NOW + seconds) for seconds in (10, 12, 40, 75)] == [False, False, False, True]


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
