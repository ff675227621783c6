"""What the core syntax says means the same on every venue there is: adding an exchange adds it here."""

import re
from decimal import Decimal as D

import pytest

from exchanges.limits import LocalGate
from exchanges.registry import venues
from exchanges.types import Environment, Product
from execution import book
from execution.models import ACTIVE_BRACKETS, Bracket, BracketState
from tests.execution.sizes import counted, written

EVERY = sorted(venues().values(), key=lambda kind: kind.name)
STOPPING = [kind for kind in EVERY if kind.features.conditional]
SPOT = [kind for kind in STOPPING if kind.product is Product.SPOT]
FUTURES = [kind for kind in STOPPING if kind.product is not Product.SPOT]
HEDGING = [kind for kind in FUTURES if kind.features.hedge_mode]
MONEY = dict.fromkeys(("USDT", "USDC", "USD"), "100000")
COINS = {"BTC": "2"}
#: sizes as the tests have them, in bitcoin
SIZE = re.compile(r"\b0\.\d+\b(?!%)")


def each(kinds):
    return pytest.mark.parametrize("kind", kinds, ids=lambda kind: kind.name)


class Trader:
    """One user of one venue, who trades Bitcoin and holds none at first."""

    def __init__(self, make_desk, kind, **options):
        self.kind = kind
        money = COINS if kind.product is Product.INVERSE else MONEY
        self.desk = make_desk(families=(kind.key_family,), balances=money, **options)
        self.desk.sandbox.enforce_limits(False)

    def rests(self):
        """What people and beat do in minutes happens here at once: the limits have tests of their own."""
        book.pool().connection(self.kind.name, Environment.SANDBOX).venue.gate = LocalGate()

    def says(self, words, **options):
        self.rests()
        words = SIZE.sub(lambda found: written(self.kind, found[0]), words)
        return self.desk.one(f"BTCUSDT on {self.kind.name} {words}", **options)

    def gets(self, words, status):
        result = self.says(words)
        assert (result["status"], result["error"]) == (status, None)

    def sees(self, price):
        self.desk.sandbox.price("BTC/USDT", price)
        for _ in range(4):
            self.rests()
            self.desk.supervise()

    def state(self):
        return self.desk.state(self.kind.name, self.kind.key_family)

    def held(self):
        state = self.state()
        if self.kind.product is Product.SPOT:
            return D(state["balances"].get("BTC", {"total": "0"})["total"])
        return sum((quantity if way == "long" else -quantity for way, quantity in self.sides()), D(0))

    def sides(self):
        return [(row["direction"], counted(self.kind, row)) for row in self.state()["positions"]]

    def standing(self):
        return self.desk.open_orders(self.kind.name, self.kind.key_family)

    def stops(self):
        """(side, trigger, size) of the stops that rest at the exchange."""
        rows = [row for row in self.standing() if row["type"].startswith("stop")]
        return [(row["side"], D(row["trigger_price"]), counted(self.kind, row)) for row in rows]

    def is_out(self):
        assert self.standing() == []
        assert self.held() < D("0.0001")
        assert not Bracket.objects.filter(user=self.desk.user, status__in=ACTIVE_BRACKETS).exists()


@each(STOPPING)
def test_an_entry_that_fills_later_is_protected_and_its_stop_ends_its_target(make_desk, kind):
    trader = Trader(make_desk, kind)
    trader.gets("limit long 0.01 @ 49000 sl at 48000 tp at 52000", "open")
    trader.sees("48900")
    assert (trader.desk.bracket().status, trader.desk.bracket().note) == (BracketState.ARMED, "")
    ((side, trigger, size),) = trader.stops()
    assert (side, trigger) == ("sell", D(48000))
    assert D("0.0098") < size <= D("0.01")
    trader.sees("47900")
    trader.is_out()


@each(STOPPING)
def test_a_leg_that_is_moved_leaves_the_other_in_place(make_desk, kind):
    trader = Trader(make_desk, kind)
    trader.gets("market long 0.01 sl 49000 tp off 5%", "filled")
    trader.gets("tp 51000", "done")
    assert [trigger for _, trigger, _ in trader.stops()] == [D(49000)], "at once, not when supervision looks"
    trader.gets("sl 49500", "done")
    assert [trigger for _, trigger, _ in trader.stops()] == [D(49500)]
    trader.sees("51100")
    trader.is_out()


@each(FUTURES)
def test_go_and_reverse_leave_the_wanted_side_with_its_own_stop(make_desk, kind):
    trader = Trader(make_desk, kind)
    trader.gets("go long 0.02 sl 49000", "filled")
    trader.gets("go short 0.01 sl 51000 tp 48000", "filled")
    assert trader.sides() == [("short", D("0.01"))]
    trader.gets("reverse sl 49500", "filled")
    trader.desk.supervise(2)
    assert trader.sides() == [("long", D("0.01"))]
    assert trader.stops() == [("sell", D(49500), D("0.01"))]
    trader.gets("go flat 0", "filled")
    trader.is_out()


@each(HEDGING)
def test_in_hedge_mode_each_side_has_its_own_stop_and_end(make_desk, kind):
    trader = Trader(make_desk, kind, position_mode="hedge")
    trader.gets("market long 0.02 sl 49000", "filled")
    trader.gets("market short 0.01 sl 51000", "filled")
    assert sorted(trader.sides()) == [("long", D("0.02")), ("short", D("0.01"))]
    assert sorted(trader.stops()) == [("buy", D(51000), D("0.01")), ("sell", D(49000), D("0.02"))]
    trader.gets("close short", "filled")
    assert trader.stops() == [("sell", D(49000), D("0.02"))]
    trader.sees("48900")
    trader.is_out()


@each(EVERY)
def test_an_entry_whose_answer_is_lost_is_found_and_protected(make_desk, kind):
    trader = Trader(make_desk, kind)
    protection = " sl 49000" if kind.features.conditional else ""
    trader.desk.sandbox.fault("drop_after", venue=kind.name, rate=1, count=1)
    trader.gets(f"market long 0.01{protection}", "filled")
    assert D("0.0098") < trader.held() <= D("0.01")
    assert [trigger for _, trigger, _ in trader.stops()] == ([D(49000)] if protection else [])


@each(STOPPING)
def test_a_stop_the_venue_has_not_is_refused_before_the_entry_is_sent(make_desk, kind):
    """No venue of ours watches all three prices: what it does not watch is found out with the position unopened."""
    trader = Trader(make_desk, kind)
    for watched in ("last", "mark", "index"):
        result = trader.says(f"market long 0.01 sl off 2% trigger {watched}", dry_run=True)
        words = (result["status"], (result["error"] or {}).get("code"))
        assert words in (("dry_run", None), ("rejected", "NOT_SUPPORTED"))
        if result["error"]:
            sent = trader.says(f"market long 0.01 sl off 2% trigger {watched}")
            assert sent["error"]["code"] == "NOT_SUPPORTED"
            assert sent["error"]["message"]
    assert trader.state()["orders"] == []


@each(SPOT)
def test_a_limit_close_never_takes_the_stop_away_in_silence(make_desk, kind):
    trader = Trader(make_desk, kind)
    trader.gets("market long 0.01 sl 49000 tp off 5%", "filled")
    assert trader.says("close 50% at 52000")["error"]["code"] == "STOP_IN_THE_WAY"
    assert [trigger for _, trigger, _ in trader.stops()] == [D(49000)]
    assert trader.says("cancel tp")["error"] is None
    trader.sees("53500")
    assert trader.held() > D("0.0098"), "the target was cancelled"
    assert [trigger for _, trigger, _ in trader.stops()] == [D(49000)]
