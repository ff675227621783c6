"""What the steps of a message are told to have done, when the exchange does not answer."""

from decimal import Decimal as D

import pytest

from exchanges.limits import Charge, Priority
from exchanges.types import Environment
from execution import book

READS = {"Binance_F": "GET /fapi", "ByBit_F": "GET /v5", "Kraken_F": "GET /derivatives"}
FUTURES = [("Binance_F", "binance"), ("ByBit_F", "bybit"), ("Kraken_F", "kraken_futures")]


def held(desk, venue, family):
    return [(each["direction"], D(each["quantity"])) for each in desk.state(venue, family)["positions"]]


@pytest.mark.parametrize(("venue", "family"), FUTURES)
@pytest.mark.parametrize("fault", ["http_503", "not_json"])
@pytest.mark.parametrize("words", ["close", "go long 0.02", "reverse", "sl off 1%", "cancel all"])
def test_a_question_that_is_not_answered_leaves_nothing_in_doubt(desk, venue, family, fault, words):
    desk.one(f"BTCUSDT on {venue} market long 0.01")
    desk.sandbox.fault(fault, venue=venue, path=READS[venue], rate=1)
    result = desk.one(f"BTCUSDT on {venue} {words}")
    desk.sandbox.no_faults()
    assert (result["status"], result["error"]["code"]) == ("not_sent", "NOT_SENT")
    assert "what has to be known first could not be read" in result["error"]["message"]
    assert held(desk, venue, family) == [("long", D("0.01"))]


@pytest.mark.parametrize(("venue", "family"), FUTURES)
def test_an_order_whose_answer_and_end_cannot_be_read_is_unknown(desk, venue, family, impatient):
    desk.one(f"BTCUSDT on {venue} market long 0.01")
    desk.sandbox.fault("drop_after", venue=venue, path="POST ", rate=1, count=1)
    desk.sandbox.fault("http_503", venue=venue, path="order", rate=1)
    desk.sandbox.fault("http_503", venue=venue, path="history", rate=1)
    result = desk.one(f"BTCUSDT on {venue} close")
    desk.sandbox.no_faults()
    assert (result["status"], result["error"]["code"]) == ("unknown", "OUTCOME_UNKNOWN")
    assert "do not send it again" in result["error"]["hint"]
    assert held(desk, venue, family) == []


@pytest.mark.parametrize(("venue", "family"), FUTURES)
def test_steps_behind_a_condition_that_cannot_be_read_are_told_as_not_sent(desk, venue, family):
    desk.instrument(venue)  # known, as to a worker that has been up for a while
    desk.sandbox.fault("http_503", venue=venue, path=READS[venue], rate=1)
    result = desk.one(f"BTCUSDT on {venue} if flat market long 0.01")
    desk.sandbox.no_faults()
    assert (result["status"], result["error"]["code"]) == ("not_sent", "STEP_SKIPPED")
    assert "the condition could not be read" in result["error"]["message"]
    assert held(desk, venue, family) == []
    assert desk.one(f"BTCUSDT on {venue} if long market long 0.01")["status"] == "skipped"


@pytest.mark.parametrize(("words", "status"), [("close", "filled"), ("cancel all", "nothing_to_do")])
def test_what_a_message_asks_first_is_not_held_up_by_what_only_looks(desk, words, status):
    desk.one("BTCUSDT on Binance_F market long 0.01")
    venue = book.pool().connection("Binance_F", Environment.SANDBOX).venue
    weight = venue.buckets["futures_weight"]
    checks_of_keys = weight.allowed(Priority.QUERY)
    owner = f"{venue.exchange}:{venue.environment}"
    venue.gate.admit(
        (Charge(owner, "futures_weight", weight, venue.address, checks_of_keys),), Priority.PROTECT
    )
    assert desk.one(f"BTCUSDT on Binance_F {words}")["status"] == status
