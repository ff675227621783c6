"""The gate in one process: sliding windows at a clock that only sleeping moves."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.errors import NotSent
from exchanges.limits import Bucket, Charge, LocalGate, Priority, Scope

WINDOW = 10.0


class Time:
    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def gate(time: Time, patience: float = 0.0) -> LocalGate:
    return LocalGate(patience_seconds=patience, clock=time.clock, sleep=time.sleep)


def charge(
    cost: int = 1, *, capacity: int = 10, owner: str = "here", bucket: str = "weight", reserve: int = 10
) -> Charge:
    limit = Bucket(capacity, WINDOW, Scope.ADDRESS, reserve_percent=reserve)
    return Charge(venue="x:live", bucket=bucket, limit=limit, owner=owner, cost=cost)


def admitted(held: LocalGate, charges: Iterable[Charge], priority: Priority = Priority.PROTECT) -> int:
    count = 0
    for each in charges:
        try:
            held.admit((each,), priority)
        except NotSent:
            break
        count += 1
    return count


def test_no_more_than_the_capacity_passes_in_a_window() -> None:
    assert admitted(gate(Time()), [charge()] * 50) == 10


def test_what_left_the_window_may_be_spent_again() -> None:
    time = Time()
    held = gate(time)
    admitted(held, [charge()] * 10)
    time.now += WINDOW
    assert admitted(held, [charge()] * 50) == 10


def test_a_refusal_says_how_long_and_charges_nothing() -> None:
    time = Time()
    held = gate(time)
    held.admit((charge(10),), Priority.PROTECT)
    time.now += 4
    for _ in range(3):
        with pytest.raises(NotSent) as caught:
            held.admit((charge(5),), Priority.PROTECT)
        assert caught.value.retry_after == pytest.approx(6.0)
        assert caught.value.code == "RATE_LIMIT"
    time.now += 6
    held.admit((charge(10),), Priority.PROTECT)


def test_a_short_wait_is_waited() -> None:
    time = Time()
    held = gate(time, patience=2.0)
    held.admit((charge(10),), Priority.PROTECT)
    time.now += 9
    held.admit((charge(1),), Priority.PROTECT)
    assert time.slept == [pytest.approx(1.0)]


def test_only_as_much_is_waited_for_as_is_needed() -> None:
    time = Time()
    held = gate(time, patience=20.0)
    for _ in range(10):
        held.admit((charge(1),), Priority.PROTECT)
        time.now += 0.5
    held.admit((charge(3),), Priority.PROTECT)
    assert sum(time.slept) == pytest.approx(6.0)  # the third of the ten leaves at 1011


@pytest.mark.parametrize(
    ("priority", "count"), [(Priority.PROTECT, 10), (Priority.ENTRY, 9), (Priority.QUERY, 8)]
)
def test_the_last_share_is_kept_for_protection(priority: Priority, count: int) -> None:
    assert admitted(gate(Time()), [charge()] * 20, priority) == count


def test_protection_passes_where_queries_are_refused() -> None:
    held = gate(Time())
    admitted(held, [charge()] * 20, Priority.QUERY)
    held.admit((charge(2),), Priority.PROTECT)


def test_a_cost_above_its_share_passes_when_the_bucket_is_empty() -> None:
    time = Time()
    held = gate(time)
    held.admit((charge(10),), Priority.QUERY)
    assert admitted(held, [charge(1)], Priority.QUERY) == 0
    time.now += WINDOW
    held.admit((charge(25),), Priority.QUERY)


def test_a_cost_above_its_share_waits_for_the_last_of_the_others() -> None:
    time = Time()
    held = gate(time, patience=WINDOW)
    held.admit((charge(1),), Priority.QUERY)
    time.now += 3
    held.admit((charge(1),), Priority.QUERY)
    held.admit((charge(25),), Priority.QUERY)
    assert time.now == pytest.approx(1013.0)


@pytest.mark.parametrize("priority", Priority)
def test_a_bucket_of_one_passes_one_at_a_time_for_everybody(priority: Priority) -> None:
    held = gate(Time())
    assert admitted(held, [charge(1, capacity=1)] * 3, priority) == 1


def test_owners_do_not_share_a_bucket() -> None:
    held = gate(Time())
    admitted(held, [charge(owner="first")] * 20)
    assert admitted(held, [charge(owner="second")] * 20) == 10


def test_one_full_bucket_leaves_the_others_uncharged() -> None:
    held = gate(Time())
    held.admit((charge(10, bucket="orders"),), Priority.PROTECT)
    with pytest.raises(NotSent):
        held.admit((charge(3), charge(1, bucket="orders")), Priority.PROTECT)
    assert admitted(held, [charge(10)]) == 1


def test_a_call_without_costs_always_passes() -> None:
    gate(Time()).admit((), Priority.QUERY)


def test_a_higher_count_of_the_exchange_replaces_ours() -> None:
    held = gate(Time())
    held.admit((charge(1),), Priority.PROTECT)
    held.observe(charge(1), 8)
    assert admitted(held, [charge(1)] * 10) == 2


def test_a_lower_count_of_the_exchange_changes_nothing() -> None:
    held = gate(Time())
    held.admit((charge(8),), Priority.PROTECT)
    held.observe(charge(1), 2)
    assert admitted(held, [charge(1)] * 10) == 2


def test_a_blocked_bucket_stops_protection_too_until_its_time() -> None:
    time = Time()
    held = gate(time)
    held.block(charge(), 30.0)
    with pytest.raises(NotSent) as caught:
        held.admit((charge(),), Priority.PROTECT)
    assert caught.value.retry_after == pytest.approx(30.0)
    time.now += 30.0
    held.admit((charge(),), Priority.PROTECT)


def test_a_cost_of_nothing_passes_a_full_bucket_and_not_a_blocked_one() -> None:
    held = gate(Time())
    held.admit((charge(10),), Priority.PROTECT)
    held.admit((charge(0),), Priority.QUERY)
    held.block(charge(), 30.0)
    with pytest.raises(NotSent):
        held.admit((charge(0),), Priority.PROTECT)


def test_what_an_answer_tells_is_believed_of_its_own_bucket_only() -> None:
    held = gate(Time())
    passage = held.admit((charge(1), charge(1, bucket="orders")), Priority.PROTECT)
    held.settle(passage, {"orders": 8, "elsewhere": 10})
    assert admitted(held, [charge(1, bucket="orders")] * 10) == 2
    assert admitted(held, [charge(1)] * 10) == 9


def test_addresses_share_the_load_and_each_has_its_own_bucket() -> None:
    held = gate(Time())
    passages = [held.admit((charge(owner="a"),), Priority.PROTECT, addresses=("a", "b")) for _ in range(20)]
    taken = [passage.address for passage in passages]
    assert (taken.count("a"), taken.count("b")) == (10, 10)
    with pytest.raises(NotSent):
        held.admit((charge(owner="a"),), Priority.PROTECT, addresses=("a", "b"))


def test_a_key_is_one_key_from_whatever_address() -> None:
    held = gate(Time())
    key = replace(charge(bucket="orders", owner="key"), limit=Bucket(3, WINDOW, Scope.KEY))
    for _ in range(3):
        held.admit((charge(owner="a"), key), Priority.PROTECT, addresses=("a", "b"))
    with pytest.raises(NotSent):
        held.admit((charge(owner="a"), key), Priority.PROTECT, addresses=("a", "b"))


def test_a_turn_that_does_not_come_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exchanges.limits.TURN_SECONDS", 0.01)
    held, refused = gate(Time()), []

    def second() -> None:
        try:
            with held.turn("key"):
                raise AssertionError("two at once")
        except NotSent as error:
            refused.append(error.code)

    with held.turn("key"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(5)
    assert refused == ["KEY_BUSY"]


def test_a_shorter_block_does_not_end_a_longer_one() -> None:
    time = Time()
    held = gate(time)
    held.block(charge(), 30.0)
    held.block(charge(), 1.0)
    time.now += 5
    assert admitted(held, [charge()]) == 0


def test_threads_together_pass_no_more_than_the_capacity() -> None:
    held, count, lock = gate(Time()), [0], threading.Lock()

    def spend() -> None:
        passed = admitted(held, [charge(capacity=100)] * 50)
        with lock:
            count[0] += passed

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert count == [100]


def test_one_owner_takes_turns_and_another_does_not_wait() -> None:
    held, entered, order = gate(Time()), threading.Event(), []

    def second() -> None:
        entered.set()
        with held.turn("key"):
            order.append("second")

    with held.turn("key"):
        thread = threading.Thread(target=second)
        thread.start()
        assert entered.wait(5)
        with held.turn("another key"):
            order.append("another")
        order.append("first")
    thread.join(5)
    assert order == ["another", "first", "second"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 30), st.sampled_from(Priority), st.floats(0, 3)), max_size=60),
    st.integers(1, 20),
)
def test_a_window_never_holds_more_than_its_capacity_and_nothing_waits_for_ever(
    calls: list[tuple[int, Priority, float]], capacity: int
) -> None:
    """Unless a single cost is above the capacity: that one is alone in its window."""
    time, spent = Time(), []
    held = gate(time, patience=5 * WINDOW)
    for cost, priority, pause in calls:
        held.admit((charge(cost, capacity=capacity),), priority)
        spent.append((time.now, cost))
        inside = [each for when, each in spent if when > time.now - WINDOW + 1e-6]
        assert sum(inside) <= capacity or len(inside) == 1
        time.now += pause
