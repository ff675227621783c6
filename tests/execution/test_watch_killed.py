"""The worker that looks after a bracket dies, before or after any of its requests: the next look finishes what it
began. Nothing stands twice, nothing is sold twice, and what flipr took away itself is not put down to its user."""

import re
from contextlib import suppress
from decimal import Decimal as D

import pytest

from exchanges import transport
from execution import attempts, book

LONGEST = 20
#: of the exchange that asks by POST
QUESTION = re.compile("OpenOrders|QueryOrders|Balance|History|Positions")


class Killed(BaseException):
    """No `except` of the code under test takes it for an error of the exchange."""


class Executioner:
    """Kills at the request with this number, before it leaves or when it was answered."""

    def __init__(self, monkeypatch):
        self.left, self.answered = 0, False
        self.deaths = 0
        send = transport.Transport.send

        def sent(line, request):
            if request.method == "GET" or QUESTION.search(request.target) or not self.left:
                return send(line, request)
            self.left -= 1
            if self.left:
                return send(line, request)
            if self.answered:
                send(line, request)
            self.deaths += 1
            raise Killed

        monkeypatch.setattr(transport.Transport, "send", sent)

    def strikes(self, number, desk, *, answered):
        """Whether it came to that request."""
        self.left, self.answered = number, answered
        before = self.deaths
        with suppress(Killed):
            look(desk, 4)
        self.left = 0
        return self.deaths > before


def look(desk, times):
    """Supervision, with so much time between that no limit of the exchange counts."""
    desk.sandbox.enforce_limits(False)
    for _ in range(times):
        book.pool().close()
        book.pool.cache_clear()  # the limits are counted there
        desk.supervise()
        desk.later(20)


@pytest.fixture
def executioner(monkeypatch):
    monkeypatch.setattr(attempts, "STOP_RETRY_SECONDS", (0.0,))
    return Executioner(monkeypatch)


def a_target_filled(desk, venue):
    desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2% tp1 off 5% for 50% tp2 off 9%")
    desk.sandbox.price("BTC/USDT", "53000")
    desk.sandbox.price("BTC/USD", "53000")


def an_entry_fills_later(desk, venue):
    desk.one(f"BTCUSDT on {venue} limit long 0.02 at 49000 sl off 2% tp off 5%")
    desk.sandbox.price("BTC/USDT", "48990")
    desk.sandbox.price("BTC/USD", "48990")


def an_entry_fills_and_no_stop_is_taken(desk, venue):
    an_entry_fills_later(desk, venue)
    desk.sandbox.fault("reject_stop", venue=venue)


#: legs one by one, with ids that are unique; in a batch; linked; with ids that the exchange takes twice, or not at all
FUTURES = [
    ("Binance_F", "binance"),
    ("Kraken_F", "kraken_futures"),
    ("OKX_F", "okx"),
    pytest.param("Deribit_F", "deribit", marks=pytest.mark.walk),
    ("MEXC_F", "mexc"),
]
#: a pair; one leg at a time
SPOT = [("Binance", "binance"), ("Kraken", "kraken")]


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("happened", [a_target_filled, an_entry_fills_later])
@pytest.mark.parametrize(("venue", "family"), [*FUTURES, *SPOT])
def test_what_stood_is_what_would_have_stood(make_desk, executioner, venue, family, happened, answered):
    for number in range(1, LONGEST):
        desk = make_desk(families=(family,), balances={"USDT": "100000", "USD": "100000", "USDC": "100000"})
        desk.sandbox.price("BTC/USDT", "50000")
        desk.sandbox.price("BTC/USD", "50000")
        happened(desk, venue)
        struck = executioner.strikes(number, desk, answered=answered)
        look(desk, 8)
        held = "0.02" if happened is an_entry_fills_later else "0.01"
        _stands(desk, venue, family, D(held), f"request {number}")
        if not struck:
            return
    raise AssertionError("it never came to an end")


def _stands(desk, venue, family, held, when):
    bracket = desk.bracket()
    standing = desk.open_orders(venue, family)
    stops = [
        D(each["quantity"]) * D(each["contract_size"]) for each in standing if each["type"].startswith("stop")
    ]
    assert len(stops) == 1, (when, bracket.note, standing)
    assert held * D("0.99") <= stops[0] <= held, (when, stops)
    assert "not by flipr" not in bracket.note, when
    targets = [each for each in standing if each["type"].startswith("take_profit")]
    watched = [each for each in bracket.legs if each.get("status") == "watched"]
    assert len(targets) + len(watched) == 1, (when, bracket.legs, standing)
    assert len(standing) <= 2, (when, standing)


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize(("venue", "family"), [("Kraken", "kraken"), ("Bitget", "bitget")])
def test_a_watched_target_sells_once(make_desk, executioner, venue, family, answered):
    """More coins are there than the bracket guards: a second sale would find what to sell."""
    for number in range(1, LONGEST):
        funds = {"USDT": "100000", "USD": "100000", "BTC": "5"}
        desk = make_desk(families=(family,), balances=funds)
        desk.sandbox.price("BTC/USDT", "50000")
        desk.sandbox.price("BTC/USD", "50000")
        desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2% tp off 5%")
        desk.sandbox.price("BTC/USDT", "53000")
        desk.sandbox.price("BTC/USD", "53000")
        struck = executioner.strikes(number, desk, answered=answered)
        look(desk, 8)
        left = D(desk.state(venue, family)["balances"]["BTC"]["total"])
        assert D("4.999") < left < D("5.001"), f"request {number}: {left}"
        assert desk.open_orders(venue, family) == []
        if not struck:
            return
    raise AssertionError("it never came to an end")


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize(("venue", "family"), [FUTURES[0], *SPOT])
def test_a_position_without_a_stop_is_closed_once(make_desk, executioner, venue, family, answered):
    """Beside it stands what the user bought without flipr."""
    for number in range(1, LONGEST):
        desk = make_desk(families=(family,), balances={"USDT": "100000", "USD": "100000", "USDC": "100000"})
        desk.sandbox.no_faults()
        desk.sandbox.price("BTC/USDT", "50000")
        desk.sandbox.price("BTC/USD", "50000")
        desk.one(f"BTCUSDT on {venue} market long 0.05")
        an_entry_fills_and_no_stop_is_taken(desk, venue)
        struck = executioner.strikes(number, desk, answered=answered)
        look(desk, 8)
        left = _held(desk, venue, family)
        assert D("0.0499") < left <= D("0.05"), f"request {number}: {left} {desk.bracket().note}"
        assert desk.open_orders(venue, family) == []
        if not struck:
            return
    raise AssertionError("it never came to an end")


def _held(desk, venue, family):
    state = desk.state(venue, family)
    if venue.endswith("_F"):
        return sum((D(each["quantity"]) * D(each["contract_size"]) for each in state["positions"]), D(0))
    return D(state["balances"]["BTC"]["total"])
