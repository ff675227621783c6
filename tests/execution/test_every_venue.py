"""One trade from entry to exit on every venue there is: adding an exchange adds it here."""

from decimal import Decimal as D

import pytest

from exchanges.registry import venues
from execution.models import BracketState
from execution.rejection import Rejection

EVERY = sorted(venues().values(), key=lambda kind: kind.name)
STOPPING = [kind for kind in EVERY if kind.features.conditional]
WITHOUT_STOPS = [kind for kind in EVERY if not kind.features.conditional]


@pytest.mark.parametrize("kind", STOPPING, ids=lambda kind: kind.name)
def test_an_entry_is_protected_and_when_its_target_fills_its_stop_is_gone(make_desk, kind):
    desk = make_desk(families=(kind.key_family,))
    result = desk.one(f"BTCUSDT on {kind.name} market long 0.01 sl off 2% tp off 5%")
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
    desk.one(f"BTCUSDT on {kind.name} market long 0.01{protection}")
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
