"""Whether an exchange and flipr agree: pure arithmetic, at times that the tests say."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from exchanges.types import Direction, Position, Quote
from execution.agreement import (
    CONFIRM,
    PATIENCE,
    Compared,
    Doubt,
    Verdict,
    judge,
    left_over,
    liquidated,
    phase,
    quota,
    signed,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def after(age: timedelta, *, found: str = "1", moving: bool = False) -> Verdict:
    """The verdict on 0 believed and 1 found, when `found` was found so long ago."""
    return judge(Compared(D(0), D(1), D("0.001"), Doubt(D(found), NOW - age), moving), NOW)


def test_what_differs_by_less_than_a_step_agrees() -> None:
    assert judge(Compared(D("1.0004"), D(1), D("0.001")), NOW) is Verdict.AGREE
    assert judge(Compared(D("1.001"), D(1), D("0.001")), NOW) is Verdict.DOUBT
    assert judge(Compared(D(1), D(1)), NOW) is Verdict.AGREE


def test_one_look_makes_a_doubt_and_a_second_that_finds_the_same_a_difference() -> None:
    assert judge(Compared(D(0), D(1)), NOW) is Verdict.DOUBT
    assert after(CONFIRM / 2) is Verdict.WAIT
    assert after(CONFIRM) is Verdict.DIFFER


def test_a_second_look_that_finds_something_else_begins_anew() -> None:
    assert after(CONFIRM * 10, found="2") is Verdict.DOUBT


def test_a_difference_waits_for_an_order_that_may_explain_it_and_not_for_ever() -> None:
    assert after(CONFIRM, moving=True) is Verdict.WAIT
    assert after(PATIENCE, moving=True) is Verdict.DIFFER


def test_both_sides_of_a_hedged_account_count_as_one_signed_position() -> None:
    sides = [
        Position("BTCUSDT", Direction.LONG, D(3), D(50000)),
        Position("BTCUSDT", Direction.SHORT, D(1), D(50000)),
        Position("ETHUSDT", Direction.SHORT, D(2), D(3000)),
    ]
    assert signed(sides) == {"BTCUSDT": D(2), "ETHUSDT": D(-2)}


@pytest.mark.parametrize(
    ("believed", "found", "level", "mark", "is_one"),
    [
        ("1", "0", "45000", "44999", True),
        ("1", "0.4", "45000", "44999", True),
        ("1", "0", "45000", "45001", False),
        ("-1", "0", "55000", "55001", True),
        ("-1", "0", "55000", "54999", False),
        ("1", "2", "45000", "44999", False),  # it grew
        ("1", "-1", "45000", "44999", False),  # it was turned around
        ("1", "0", None, "44999", False),  # the exchange never told
    ],
)
def test_a_liquidation_is_what_shrank_beyond_the_price_the_exchange_told(
    believed, found, level, mark, is_one
) -> None:
    quote = Quote(bid=D(1), ask=D(1), last=D(1), mark=D(mark))
    assert liquidated(D(believed), D(found), D(level) if level else None, quote) is is_one


def test_comparisons_have_what_supervision_leaves() -> None:
    assert left_over(600, supervised=0, gap_seconds=3) == 2.5, "a quarter, at the most"
    assert left_over(600, supervised=27, gap_seconds=3) == pytest.approx(1)
    assert left_over(600, supervised=100, gap_seconds=3) == pytest.approx(0.5), "a twentieth, at the least"


def test_a_rate_below_one_a_round_is_kept_over_many_rounds() -> None:
    assert sum(quota(27 / 60, 1_700_000_000.0 + second, 1.0) for second in range(600)) == 270
    assert {quota(10, 1_700_000_000.0 + second, 1.0) for second in range(60)} == {10}


def test_turns_are_spread_over_the_period() -> None:
    tenths = Counter(int(phase(f"a_{number}") * 10) for number in range(2_000))
    assert set(tenths) == set(range(10))
    assert max(tenths.values()) < 2 * min(tenths.values())
