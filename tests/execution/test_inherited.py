"""On spot a sale takes stop and target away for a moment. What is set anew before they stand again, and names one of them
only, keeps the other: two brackets cannot guard the same coins."""

from decimal import Decimal as D

import pytest

from execution.models import Bracket

SPOT = [("Binance", "binance"), ("ByBit", "bybit"), ("Kraken", "kraken")]


@pytest.fixture
def desk(make_desk):
    return make_desk(families=tuple(family for _, family in SPOT), balances={"USDT": "100000"})


def levels(desk):
    """Of the legs that stand or are watched, by kind."""
    legs = [leg for leg in desk.bracket().legs if leg["status"] in ("open", "watched")]
    return sorted((leg["kind"], D(leg["price"]), D(leg["quantity"])) for leg in legs)


def exits(desk, venue, family):
    orders = desk.open_orders(venue, family)
    return sorted(D(each["trigger_price"] or each["price"]) for each in orders)


@pytest.mark.parametrize(("venue", "family"), SPOT)
@pytest.mark.parametrize(
    ("words", "stop", "target"), [("tp at 53000", 49000, 53000), ("sl at 49500", 49500, 55000)]
)
def test_what_a_sale_took_away_is_inherited(desk, venue, family, words, stop, target):
    desk.one(f"BTCUSDT on {venue} market long 0.02 sl at 49000 tp at 55000")
    sold, moved = desk.send(f"BTCUSDT on {venue} close 50% {words}")
    assert (sold["status"], moved["status"]) == ("filled", "done")
    desk.supervise(3)
    assert [leg[:2] for leg in levels(desk)] == [("stop", D(stop)), ("target", D(target))]
    assert stop in exits(desk, venue, family)
    assert len({leg[2] for leg in levels(desk)}) == 1


def test_targets_are_inherited_as_large_as_they_were_and_the_last_is_cut(make_desk):
    desk = make_desk(families=("kucoin",), balances={"USDT": "100000"})
    desk.one("BTCUSDT on KuCoin market long 0.04 sl at 49000 tp1 at 52000 for 25% tp2 at 54000")
    desk.one("BTCUSDT on KuCoin close 50%")
    desk.one("BTCUSDT on KuCoin sl at 49500")
    desk.supervise(3)
    stop, near, far = levels(desk)
    assert [each[1] for each in (stop, near, far)] == [49500, 52000, 54000]
    assert D("0.0099") < near[2] <= D("0.01")
    assert D(0) <= stop[2] - near[2] - far[2] < D("0.0001")


@pytest.mark.parametrize("venue", ["Binance_F", "BingX_F"])
@pytest.mark.parametrize(
    ("words", "levels_then"), [("sl at 48500", (48500, 55000)), ("sl at 48500 tp at 53000", (48500, 53000))]
)
def test_what_is_set_anew_stays_although_nobody_had_seen_the_entry_fill(make_desk, venue, words, levels_then):
    family = venue.removesuffix("_F").lower()
    desk = make_desk(families=(family,))
    desk.one(f"BTCUSDT on {venue} limit long 0.02 at 49000 sl at 48000 tp at 55000")
    for price in ("48900", "50000"):
        desk.sandbox.price("BTC/USDT", price)
    assert desk.one(f"BTCUSDT on {venue} {words}")["status"] == "done"
    desk.supervise(4)
    assert exits(desk, venue, family) == [D(each) for each in levels_then]
    assert not any("elsewhere" in row.note for row in Bracket.objects.filter(user=desk.user))


def test_an_entry_that_rests_keeps_its_stop_when_another_is_set_for_a_position_of_its_users_own(make_desk):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.05")
    desk.one("BTCUSDT on Binance_F limit long 0.02 at 49000 sl at 48000")
    desk.one("BTCUSDT on Binance_F sl at 48500")
    desk.sandbox.price("BTC/USDT", "48900")
    desk.supervise(3)
    assert exits(desk, "Binance_F", "binance") == [D(48000), D(48500)]
