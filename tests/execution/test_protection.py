"""Levels and legs: exact numbers, rounding directions, shares."""

import contextlib
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.types import Direction, Instrument, Product
from execution.amounts import Level, Offset, OffsetUnit, Size, SizeUnit
from execution.protection import (
    Frame,
    LegKind,
    check_sides,
    desired_legs,
    down,
    stop_price,
    target_price,
    target_quantities,
)
from execution.rejection import Rejection
from execution.terms import Protection, StopLoss, TakeProfit

BTC = Instrument(
    "BTCUSDT", "BTC", "USDT", "USDT", Product.LINEAR, D("0.1"), D("0.001"), min_quantity=D("0.001")
)


def off(value: str, unit: OffsetUnit = OffsetUnit.PERCENT) -> Level:
    return Level(offset=Offset(D(value), unit))


def at(price: str) -> Level:
    return Level(price=D(price))


def target(level: Level, share: str = "", number: int = 1) -> TakeProfit:
    return TakeProfit(level, number, Size(SizeUnit.PERCENT, D(share)) if share else None)


LONG = Frame(BTC, Direction.LONG, D("50000.1"))
SHORT = Frame(BTC, Direction.SHORT, D("50000.1"))


def test_a_stop_is_measured_from_the_fill_and_rounded_away_from_the_market():
    assert stop_price(off("2"), LONG) == D("49000.0")  # 49000.098
    assert stop_price(off("2"), SHORT) == D("51000.2")  # 51000.102


def test_a_target_is_rounded_towards_the_market():
    assert target_price(off("5"), LONG) == D("52500.1")  # 52500.105
    assert target_price(off("5"), SHORT) == D("47500.1")  # 47500.095


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        (OffsetUnit.TICKS, "50", "49995.1"),
        (OffsetUnit.QUOTE, "100", "49900.1"),
        (OffsetUnit.PERCENT, "1", "49500.0"),
    ],
)
def test_every_unit_of_an_offset(unit, value, expected):
    assert stop_price(off(value, unit), LONG) == D(expected)


def test_r_counts_in_distances_to_the_stop():
    legs = desired_legs(
        Protection(StopLoss(at("49000")), (target(off("3", OffsetUnit.R)),)),
        Frame(BTC, Direction.LONG, D(50000)),
        D(1),
    )
    assert [leg.price for leg in legs] == [D(49000), D(53000)]


def test_r_without_a_stop_is_refused_at_the_word():
    with pytest.raises(Rejection) as refused:
        desired_legs(Protection(None, (target(off("3", OffsetUnit.R)),)), LONG, D(1))
    assert refused.value.code == "R_NEEDS_STOP"


def test_an_offset_below_zero_is_refused():
    with pytest.raises(Rejection) as refused:
        stop_price(off("150"), LONG)
    assert refused.value.code == "PRICE_BELOW_ZERO"


@pytest.mark.parametrize(
    ("frame", "protection", "code"),
    [
        (LONG, Protection(StopLoss(at("70000"))), "STOP_WRONG_SIDE"),
        (SHORT, Protection(StopLoss(at("40000"))), "STOP_WRONG_SIDE"),
        (LONG, Protection(None, (target(at("40000")),)), "TP_WRONG_SIDE"),
        (SHORT, Protection(None, (target(at("70000")),)), "TP_WRONG_SIDE"),
    ],
)
def test_a_level_the_price_has_passed_is_refused(frame, protection, code):
    with pytest.raises(Rejection) as refused:
        check_sides(protection, frame)
    assert refused.value.code == code


def test_targets_take_their_shares_and_the_rest_goes_to_the_last():
    targets = (target(off("2"), "50"), target(off("4"), "30"), TakeProfit(off("6"), 3, Size(SizeUnit.REST)))
    assert target_quantities(targets, D("0.03"), BTC) == [D("0.015"), D("0.009"), D("0.006")]


def test_targets_without_shares_split_evenly_and_lose_nothing():
    targets = tuple(target(off(str(n)), number=n) for n in (1, 2, 3))
    assert target_quantities(targets, D("0.010"), BTC) == [D("0.003"), D("0.003"), D("0.004")]


def test_a_share_too_small_for_the_exchange_joins_its_neighbour():
    targets = (target(off("1"), "10"), target(off("2"), "90"))
    assert target_quantities(targets, D("0.002"), BTC) == [D(0), D("0.002")]


def test_the_stop_covers_what_remains_and_filled_targets_are_left_out():
    plan = Protection(StopLoss(off("2")), (target(off("2"), "50"), target(off("4"), "50", 2)))
    legs = desired_legs(plan, LONG, D("0.02"), D("0.01"), done_targets=[1])
    assert [(leg.kind, leg.number, leg.quantity) for leg in legs] == [
        (LegKind.STOP, 1, D("0.01")),
        (LegKind.TARGET, 2, D("0.01")),
    ]


def test_a_stop_limit_lies_behind_its_trigger():
    plan = Protection(StopLoss(off("2"), limit=off("0.1")))
    (leg,) = desired_legs(plan, Frame(BTC, Direction.LONG, D(50000)), D(1))
    assert (leg.price, leg.limit) == (D(49000), D("48951.0"))


@given(
    entry=st.decimals(D("0.5"), D(90000), places=1),
    percent=st.decimals(D("0.01"), D(90), places=2),
    quantity=st.decimals(D("0.001"), D(50), places=3),
    shares=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    direction=st.sampled_from(Direction),
)
def test_legs_never_close_more_than_there_is(entry, percent, quantity, shares, direction):
    if sum(shares) > 100:
        shares = shares[:2]
    plan = Protection(
        StopLoss(off(str(percent))), tuple(target(off("5"), str(each), n) for n, each in enumerate(shares, 1))
    )
    frame = Frame(BTC, direction, down(entry, BTC.tick))
    with contextlib.suppress(Rejection):  # an offset below zero
        check_legs(desired_legs(plan, frame, quantity), frame, quantity)


def test_what_is_left_is_protected_in_whole_steps():
    plan = Protection(StopLoss(off("2")))
    frame = Frame(BTC, Direction.LONG, D(50000))
    (stop,) = desired_legs(plan, frame, D("0.03"), D("0.03") - BTC.step / 2)
    assert stop.quantity == D("0.03") - BTC.step


def check_legs(legs, frame, quantity):
    stops = [leg for leg in legs if leg.kind is LegKind.STOP]
    targets = [leg for leg in legs if leg.kind is LegKind.TARGET]
    assert [leg.quantity for leg in stops] == [quantity]
    assert sum(leg.quantity for leg in targets) <= quantity
    for leg in legs:
        assert leg.price % BTC.tick == 0
        assert leg.quantity % BTC.step == 0
    worst = stops[0].price
    assert worst <= frame.entry if frame.long else worst >= frame.entry
