"""Where the list of open orders costs more than the few orders a look is about, each of those is asked for: Hyperliquid
grants an address 1200 units a minute, of which the list takes 20 and an order 2."""

import pytest

from exchanges.venues.hyperliquid import HyperliquidPerpetuals, HyperliquidSpot
from execution.models import Bracket, BracketState
from execution.view import FRESH

VENUES = ["Hyperliquid", "Hyperliquid_F"]


@pytest.fixture
def listed(monkeypatch):
    """The venues whose list was read."""
    asked: list[str] = []
    for kind in (HyperliquidSpot, HyperliquidPerpetuals):
        monkeypatch.setattr(kind, "open_orders", counted(kind.open_orders, asked))
    return asked


def counted(read, asked):
    def reads(venue, *told):
        asked.append(venue.name)
        return read(venue, *told)

    return reads


@pytest.fixture
def made(make_desk):
    return make_desk(families=("hyperliquid",), balances={"USDT": "100000", "USDC": "100000"})


def later():
    """What was changed has settled."""
    for row in Bracket.objects.all():
        Bracket.objects.filter(pk=row.pk).update(updated_at=row.updated_at - FRESH)


@pytest.mark.parametrize("venue", VENUES)
def test_a_look_at_few_orders_does_without_the_list_and_sees_what_they_did(made, listed, venue):
    made.one(f"BTCUSDC on {venue} market long 0.01 sl off 2%")
    made.one(f"BTCUSDC on {venue} limit long 0.01 at 49500 sl off 3%")
    listed.clear()
    made.supervise(3)
    assert listed == []
    assert len(made.open_orders(venue, "hyperliquid")) == 2
    made.sandbox.price("BTC/USDC", "49450")
    made.supervise(2)
    assert [each["type"] for each in made.open_orders(venue, "hyperliquid")] == ["stop", "stop"]
    made.sandbox.price("BTC/USDC", "47000")
    made.supervise(3)
    assert {row.status for row in Bracket.objects.all()} == {BracketState.DONE}
    assert made.open_orders(venue, "hyperliquid") == []


@pytest.mark.parametrize("venue", VENUES)
def test_what_outlived_its_bracket_is_looked_for_at_first_in_every_look(made, listed, venue):
    made.one(f"BTCUSDC on {venue} market long 0.01 sl off 2%")
    listed.clear()
    Bracket.objects.update(status=BracketState.DONE)
    made.supervise()
    assert (made.open_orders(venue, "hyperliquid"), len(listed)) == ([], 1)
    later()
    made.supervise(2)
    assert len(listed) == 1, "whole looks go on looking for it"


def test_a_look_that_may_end_a_bracket_reads_the_list_for_what_the_position_leaves_behind(made, listed):
    made.one("BTCUSDC on Hyperliquid_F market long 0.01 sl off 2%")
    made.supervise()
    assert listed == []
    made.sandbox.price("BTC/USDC", "48000")
    made.supervise()
    assert (made.bracket().status, listed) == (BracketState.DONE, ["Hyperliquid_F"])


def test_the_list_is_read_where_more_orders_stand_than_it_costs(made, listed):
    for _ in range(5):
        made.one("BTCUSDC on Hyperliquid_F market long 0.01 sl off 2% tp off 5%")
    later()
    listed.clear()
    made.supervise(2)
    assert len(listed) == 2
