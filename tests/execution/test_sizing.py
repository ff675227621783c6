"""Sizes: every unit, on futures and spot, rounded down, with both numbers in a refusal."""

from dataclasses import replace
from decimal import Decimal as D

import pytest

from exchanges.types import Balance, Direction, Instrument, Product
from execution.amounts import Size, SizeUnit
from execution.rejection import Rejection
from execution.sizing import Basis, check_bounds, check_currency, exact_quantity, quantity

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
#: margined in coins: one contract is 10 USD
COIN = Instrument(
    "BTCUSD",
    "BTC",
    "USD",
    "BTC",
    Product.INVERSE,
    D("0.1"),
    D(1),
    D(2),
    max_quantity=D(100_000),
    contract_size=D(10),
)
COINS = Balance("BTC", D(2), D(1))


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


@pytest.mark.parametrize("quote", ["USD", "USDT", "USDC", "FDUSD", "ZUSD", "DAI", "usde", "USDT0", "UST"])
@pytest.mark.parametrize("market", [PERP, SPOT, COIN], ids=["linear", "spot", "inverse"])
def test_money_is_taken_wherever_prices_are_in_dollars(market, quote):
    for unit in (SizeUnit.QUOTE, SizeUnit.RISK_QUOTE):
        check_currency(Size(unit, D(100), "usdt"), replace(market, quote=quote))


@pytest.mark.parametrize(
    ("size", "hint"),
    [(Size(SizeUnit.QUOTE, D(1)), "how many BTC"), (Size(SizeUnit.RISK_QUOTE, D(1)), "risk 1%")],
)
def test_money_is_refused_where_prices_are_in_something_else(size, hint):
    for quote in ("BTC", "EUR", "TRY", "BNB"):
        with pytest.raises(Rejection) as refused:
            check_currency(size, replace(SPOT, quote=quote))
        assert refused.value.code == "OTHER_CURRENCY"
        assert hint in refused.value.hint


def test_other_sizes_have_no_currency():
    for unit in set(SizeUnit) - {SizeUnit.QUOTE, SizeUnit.RISK_QUOTE}:
        check_currency(Size(unit, D(1)), replace(SPOT, quote="BTC"))


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


def test_the_hint_names_no_dollars_where_prices_are_in_something_else():
    market = replace(SPOT, symbol="ETHBTC", base="ETH", quote="BTC", settle="BTC", min_notional=D("0.0001"))
    with pytest.raises(Rejection) as refused:
        check_bounds(D("0.001"), D("0.05"), market, Size(SizeUnit.PERCENT, D(1)))
    assert refused.value.hint == "write at least 0.002"


def test_a_size_just_short_of_the_minimum_does_not_read_like_it():
    with pytest.raises(Rejection) as refused:
        check_bounds(D(50) / D(50001), D(50001), replace(PERP, min_notional=D(5)))
    assert refused.value.message == "0.00099998 BTC is below the minimum of 0.001 BTC"


# -- contracts margined in coins -----------------------------------------------------------------------------


def in_coins(**changes) -> Basis:
    return replace(Basis(COIN, Direction.LONG, D(50000), COINS), **changes)


@pytest.mark.parametrize(
    ("size", "basis", "contracts"),
    [
        (Size(SizeUnit.BASE, D(150)), in_coins(price=None, funds=None), 150),
        (Size(SizeUnit.CONTRACTS, D(150)), in_coins(price=None, funds=None), 150),
        (Size(SizeUnit.QUOTE, D(1505)), in_coins(funds=None), 150),
        (Size(SizeUnit.PERCENT, D(5)), in_coins(), 500),  # 0.1 BTC = 5000 USD
        (Size(SizeUnit.PERCENT_EQUITY, D(5)), in_coins(), 500),
        (Size(SizeUnit.PERCENT_FREE, D(5)), in_coins(), 250),
        (Size(SizeUnit.PERCENT_MARGIN, D(5)), in_coins(leverage=D(10)), 5000),
        (Size(SizeUnit.MAX), in_coins(leverage=D(2)), 9950),
        (Size(SizeUnit.PERCENT_POSITION, D(50)), in_coins(held=D(31)), 15),
    ],
)
def test_every_size_unit_in_contracts_margined_in_coins(size, basis, contracts):
    assert quantity(size, basis) == contracts


@pytest.mark.parametrize("stop", [D(49000), D(40000), D(51000)])
def test_a_risk_in_percent_is_the_coins_that_the_stop_costs(stop):
    contracts = exact_quantity(Size(SizeUnit.RISK_PERCENT, D(1)), in_coins(stop=stop))
    coins = contracts * COIN.contract_size * abs(1 / stop - 1 / D(50000))
    assert abs(coins - COINS.total / 100) < D("1E-20")


@pytest.mark.parametrize("stop", [D(49000), D(40000), D(51000)])
def test_a_risk_in_money_is_what_the_lost_coins_are_worth_at_the_stop(stop):
    contracts = exact_quantity(Size(SizeUnit.RISK_QUOTE, D(50)), in_coins(stop=stop, funds=None))
    coins = contracts * COIN.contract_size * abs(1 / stop - 1 / D(50000))
    assert abs(coins * stop - 50) < D("1E-20")


def test_a_size_in_bitcoin_is_told_in_contracts_that_it_is_too_small():
    with pytest.raises(Rejection) as refused:
        check_bounds(D("0.01"), D(50000), COIN, Size(SizeUnit.BASE, D("0.01")))
    told = refused.value
    assert (told.code, told.message) == (
        "BELOW_MIN_SIZE",
        "0.01 contracts is below the minimum of 2 contracts",
    )
    assert told.hint == "write at least 2"


def test_the_smallest_value_of_contracts_does_not_hang_on_the_price():
    worth = replace(COIN, min_notional=D(100))
    with pytest.raises(Rejection) as refused:
        check_bounds(D(9), D(50000), worth, Size(SizeUnit.BASE, D(9)))
    assert refused.value.message == "9 contracts = 90 USD, minimum 100 USD"
    assert refused.value.hint == "write at least 10"
    check_bounds(D(10), D(1), worth, Size(SizeUnit.BASE, D(10)))


def test_several_closes_have_the_price_at_which_their_coins_add_up():
    assert PERP.average([(D(1), D(40000)), (D(1), D(60000))]) == 50000
    assert COIN.average([(D(100), D(40000)), (D(100), D(60000))]) == 48000
    assert COIN.average([(D(1000), D(48990))]) == D(48990), "though a coin's reciprocal never ends"
