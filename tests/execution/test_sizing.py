"""Sizes: every unit, on futures and spot, rounded down, with both numbers in a refusal."""

from dataclasses import replace
from decimal import Decimal as D

import pytest

from exchanges.types import Balance, Direction, Instrument, Product
from execution.commands import Size, SizeUnit
from execution.rejection import Rejection
from execution.sizing import Basis, check_bounds, exact_quantity, quantity

PERP = Instrument(
    "BTCUSDT",
    "BTC",
    "USDT",
    "USDT",
    Product.LINEAR,
    D("0.1"),
    D("0.001"),
    D("0.001"),
    D(100),
    max_quantity=D(100),
)
SPOT = Instrument("BTCUSDT", "BTC", "USDT", "USDT", Product.SPOT, D("0.01"), D("0.00001"), D("0.00001"), D(5))
FUNDS = Balance("USDT", D(10000), D(8000))


def futures(**changes) -> Basis:
    return replace(Basis(PERP, Direction.LONG, D(50000), FUNDS), **changes)


@pytest.mark.parametrize(
    ("size", "basis", "expected"),
    [
        (Size(SizeUnit.BASE, D("0.0129")), futures(), "0.012"),
        (Size(SizeUnit.QUOTE, D(1000)), futures(), "0.02"),
        (Size(SizeUnit.PERCENT, D(5)), futures(), "0.01"),
        (Size(SizeUnit.PERCENT, D(5)), futures(leverage=D(10)), "0.01"),  # leverage does not multiply it
        (Size(SizeUnit.PERCENT_MARGIN, D(5)), futures(leverage=D(10)), "0.1"),
        (Size(SizeUnit.PERCENT_FREE, D(50)), futures(), "0.08"),
        (Size(SizeUnit.RISK_PERCENT, D(1)), futures(stop=D(49000)), "0.1"),
        (Size(SizeUnit.RISK_QUOTE, D(50)), futures(stop=D(48000)), "0.025"),
        (Size(SizeUnit.CONTRACTS, D(3)), futures(), "3"),
        (Size(SizeUnit.PERCENT_POSITION, D(50)), futures(held=D("0.5")), "0.25"),
        (Size(SizeUnit.MAX), futures(leverage=D(5)), "0.796"),
    ],
)
def test_every_size_unit_on_futures(size, basis, expected):
    assert quantity(size, basis) == D(expected)


def test_a_percentage_on_spot_is_of_free_quote_for_buys_and_of_what_is_held_for_sales():
    buy = Basis(SPOT, Direction.LONG, D(50000), FUNDS)
    sale = Basis(SPOT, Direction.SHORT, D(50000), Balance("BTC", D(2), D("1.5")))
    assert quantity(Size(SizeUnit.PERCENT, D(50)), buy) == D("0.08")
    assert quantity(Size(SizeUnit.PERCENT, D(50)), sale) == D(1)


def test_risk_without_a_stop_is_refused():
    with pytest.raises(Rejection) as refused:
        quantity(Size(SizeUnit.RISK_PERCENT, D(1)), futures())
    assert refused.value.code == "RISK_NEEDS_STOP"


def test_below_the_minimum_notional_both_numbers_are_shown():
    with pytest.raises(Rejection) as refused:
        check_bounds(D("0.001"), D(24000), PERP)
    assert refused.value.code == "BELOW_MIN_NOTIONAL"
    assert refused.value.message == "0.001 BTC = 24 USDT, minimum 100 USDT"


def test_below_the_smallest_step_is_refused():
    with pytest.raises(Rejection) as refused:
        check_bounds(D(0), D(24000), PERP)
    assert refused.value.code == "BELOW_MIN_SIZE"


def test_above_the_largest_order_is_refused():
    with pytest.raises(Rejection) as refused:
        check_bounds(D(101), D(24000), PERP)
    assert refused.value.code == "ABOVE_MAX_SIZE"


def test_a_market_order_has_a_maximum_of_its_own():
    instrument = replace(PERP, max_market_quantity=D(50))
    check_bounds(D(60), D(24000), instrument)
    with pytest.raises(Rejection) as refused:
        check_bounds(D(60), D(24000), instrument, market=True)
    assert refused.value.message == "60 BTC is above the maximum of 50 BTC in one order"


@pytest.mark.parametrize(
    ("size", "hint"),
    [
        (Size(SizeUnit.BASE, D("0.001")), "write at least 0.003"),
        (Size(SizeUnit.QUOTE, D(100)), "write at least 120.03$"),
    ],
)
def test_what_the_hint_names_is_enough_after_rounding(size, hint):
    price = D("40007.6")
    with pytest.raises(Rejection) as refused:
        check_bounds(exact_quantity(size, futures(price=price)), price, PERP, size)
    assert refused.value.hint == hint
    amount = hint.removeprefix("write at least ")
    enough = D(amount.rstrip("$")) / (price if "$" in amount else D(1))
    check_bounds(enough, price, PERP, size)


def test_a_size_just_short_of_the_minimum_does_not_read_like_it():
    with pytest.raises(Rejection) as refused:
        check_bounds(D(50) / D(50001), D(50001), replace(PERP, min_notional=D(5)))
    assert refused.value.message == "0.00099998 BTC is below the minimum of 0.001 BTC"
