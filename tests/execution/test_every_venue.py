"""One trade from entry to exit on every venue there is: adding an exchange adds it here."""

from decimal import Decimal as D

import pytest

from exchanges.registry import venues
from exchanges.types import Product
from execution.models import BracketState
from execution.rejection import Rejection
from tests.execution.sizes import written

EVERY = sorted(venues().values(), key=lambda kind: kind.name)
STOPPING = [kind for kind in EVERY if kind.features.conditional]
WITHOUT_STOPS = [kind for kind in EVERY if not kind.features.conditional]


@pytest.mark.parametrize("kind", STOPPING, ids=lambda kind: kind.name)
def test_an_entry_is_protected_and_when_its_target_fills_its_stop_is_gone(make_desk, kind):
    desk = make_desk(families=(kind.key_family,))
    result = desk.one(f"BTCUSDT on {kind.name} market long {written(kind, '0.01')} sl off 2% tp off 5%")
    assert (result["status"], result["error"]) == ("filled", None)
    fill = D(result["average_price"])
    stop, (target,) = result["protection"]["stop"], result["protection"]["targets"]
    assert abs(D(stop["price"]) - fill * D("0.98")) <= 1
    assert abs(D(target["price"]) - fill * D("1.05")) <= 1
    assert desk.open_orders(kind.name, kind.key_family)
    desk.sandbox.price("BTC/USDT", "53500")
    desk.supervise(4)
    assert desk.open_orders(kind.name, kind.key_family) == []
    assert desk.state(kind.name, kind.key_family)["positions"] == []
    bracket = desk.bracket()
    assert bracket.status == BracketState.DONE
    assert [leg["kind"] for leg in bracket.legs if leg["status"] == "filled"] == ["target"]


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name)
def test_a_close_leaves_nothing_behind(make_desk, kind):
    desk = make_desk(families=(kind.key_family,))
    protection = " sl off 2% tp off 5%" if kind.features.conditional else ""
    desk.one(f"BTCUSDT on {kind.name} market long {written(kind, '0.01')}{protection}")
    result = desk.one(f"BTCUSDT on {kind.name} close 100%")
    assert (result["status"], result["error"]) == ("filled", None)
    assert desk.open_orders(kind.name, kind.key_family) == []
    assert desk.state(kind.name, kind.key_family)["positions"] == []


@pytest.mark.parametrize("kind", WITHOUT_STOPS, ids=lambda kind: kind.name)
def test_where_no_stop_exists_protection_is_refused_before_anything_is_sent(make_desk, kind):
    desk = make_desk(families=(kind.key_family,))
    result = desk.one(f"BTCUSDT on {kind.name} market long 0.01 sl off 2% tp off 5%")
    assert (result["status"], result["error"]["code"]) == ("rejected", "NOT_ON_SPOT")
    assert desk.state(kind.name, kind.key_family)["orders"] == []


def test_a_product_that_is_not_traded_is_refused_before_anything_is_sent(make_desk):
    desk = make_desk(families=("blofin",))
    with pytest.raises(Rejection) as refused:
        desk.send("BTCUSDT on BloFin market long 0.01")
    told = refused.value
    assert (told.code, told.message, told.hint) == (
        "NOT_YET",
        "BloFin cannot be traded yet",
        "write BloFin_F",
    )
    assert desk.state("BloFin_F", "blofin")["orders"] == []
    assert any(quirk.startswith("Spot is not traded: ") for quirk in venues()["blofin_f"].guide.quirks)


@pytest.mark.parametrize(
    "kind", [each for each in EVERY if each.product is Product.INVERSE], ids=lambda kind: kind.name
)
def test_the_name_of_a_contract_margined_in_coins_points_to_its_venue(make_desk, kind):
    desk = make_desk(families=(kind.key_family,))
    linear = kind.name.removesuffix("_C") + "_F"
    refused = desk.one(f"BTC/USD:BTC on {linear} market long 0.01 sl off 2%")
    assert refused["error"]["code"] == "UNKNOWN_SYMBOL"
    assert refused["error"]["hint"] == f"write BTC/USD:BTC on {kind.name}"
    taken = desk.one(f"BTC/USD:BTC on {kind.name} market long 100 sl off 2%")
    assert (taken["status"], taken["error"]) == ("filled", None)


@pytest.mark.parametrize(
    "kind", [each for each in EVERY if each.product is Product.INVERSE], ids=lambda kind: kind.name
)
def test_contracts_sized_by_money_and_by_what_the_stop_costs(make_desk, kind):
    """In coins: 10 of them at 50000, so that 5% is 25 000 dollars, and a loss of 1% is 0.1 of a coin."""
    desk = make_desk(families=(kind.key_family,), balances={"BTC": "10"})
    instrument = desk.instrument(kind.name)
    one, step = instrument.contract_size, instrument.contract_size * instrument.step
    geared = [("10% margin 5x", 250_000)] if kind.features.leverage else []
    for size, dollars in (("50000$", 50_000), ("5%", 25_000), *geared):
        result = desk.one(f"BTCUSD on {kind.name} market long {size} sl off 2%")
        assert (result["status"], result["error"]) == ("filled", None)
        assert abs(D(result["filled"]) * one - dollars) <= step + D(dollars) / 1000
        desk.one(f"BTCUSD on {kind.name} close")
    before = D(desk.state(kind.name, kind.key_family)["balances"]["BTC"]["total"])
    result = desk.one(f"BTCUSD on {kind.name} market long risk 1% sl at 48000")
    assert (result["status"], result["error"]) == ("filled", None)
    desk.sandbox.price("BTC/USDT", "48000")
    after = D(desk.state(kind.name, kind.key_family)["balances"]["BTC"]["total"])
    fees = D(result["filled"]) * one / 48000 * D("0.0015")
    assert before * D("0.0096") <= before - after <= before * D("0.0101") + fees
