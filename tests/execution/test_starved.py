"""What the limits of an exchange refuse again and again comes to its turn, at a clock that only the tests move."""

from contextlib import suppress

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from exchanges.errors import ExchangeError, NotSent, OutcomeUnknown, Throttled
from exchanges.limits import Priority, pressed
from execution import starved
from execution.brokers import region_redis
from execution.models import BracketState
from execution.starved import PATIENCE_SECONDS, Hunger
from execution.supervise import open_desk

NOW = 1_700_000_000.0
FULL = NotSent("the limit is used up", retry_after=3.0)


def refused(question: str, at: float, error: ExchangeError = FULL) -> Priority:
    """The priority it had."""
    hunger, had = Hunger("eu", "Hyperliquid", question, lambda: NOW + at), []

    def ask():
        had.append(pressed(Priority.QUERY))
        raise error

    with pytest.raises(type(error)), hunger.asking():
        ask()
    return had[0]


@pytest.mark.parametrize("error", [FULL, Throttled("429", retry_after=3.0)])
def test_what_is_refused_again_and_again_goes_first_after_a_while(redis_server, error):
    assert [refused("a", at, error) for at in (0, 7, PATIENCE_SECONDS)] == [
        Priority.QUERY,
        Priority.QUERY,
        Priority.ENTRY,
    ]


def test_one_at_a_time_goes_first(redis_server):
    for name in "abc":
        refused(name, 0)
    assert [refused(name, PATIENCE_SECONDS) for name in "abc"] == [Priority.ENTRY, *[Priority.QUERY] * 2]
    assert 0 < region_redis("eu").pttl("starved:Hyperliquid") <= 2 * 60_000 // 13
    region_redis("eu").delete("starved:Hyperliquid")
    assert refused("b", PATIENCE_SECONDS) is Priority.ENTRY


def test_an_answer_begins_anew(redis_server):
    refused("a", 0)
    hunger = Hunger("eu", "Hyperliquid", "a", lambda: NOW + 5)
    with hunger.asking():
        hunger.answered()
    assert refused("a", PATIENCE_SECONDS) is Priority.QUERY


def test_what_was_refused_for_another_reason_is_not_starved(redis_server):
    refused("a", 0, OutcomeUnknown("no answer"))
    refused("a", 0, NotSent("no route"))
    assert refused("a", PATIENCE_SECONDS) is Priority.QUERY


def test_without_redis_a_question_is_one_as_others(monkeypatch):
    gone = redis.Redis(port=1, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(starved, "region_redis", lambda _: gone)
    assert [refused("a", at) for at in (0, PATIENCE_SECONDS)] == [Priority.QUERY] * 2


def use_up(desk):
    """What questions may use of the limit."""
    with suppress(NotSent):
        while True:
            desk.venue.open_orders(desk.keys)


def test_a_look_that_small_questions_leave_no_room_for_comes_to_its_turn(make_desk):
    desk = make_desk(families=("hyperliquid",), balances={"USDC": "100000"})
    desk.one("BTCUSDC on Hyperliquid_F market long 0.01 sl off 2%")
    account = desk.accounts["hyperliquid"]
    use_up(open_desk(account, "Hyperliquid_F"))
    desk.sandbox.price("BTC/USDC", "40000")
    desk.supervise()
    assert desk.bracket().status == BracketState.ARMED
    server, refused = region_redis("tokyo"), f"starved:Hyperliquid_F:{account.public_id}"
    assert server.get(refused)
    server.set(refused, "0")
    desk.supervise()
    assert desk.bracket().status == BracketState.DONE
    assert not server.exists(refused)
