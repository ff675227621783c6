"""The gate that workers share, on a real Redis, at a clock that only the tests move."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from django.conf import settings as django_settings
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchanges.clock import Clock
from exchanges.errors import NotSent, Throttled
from exchanges.limits import Bucket, Charge, Kind, Passage, Priority, Scope
from exchanges.pool import Pool
from exchanges.registry import venue_class
from exchanges.sandbox.wire import Call
from exchanges.sandbox.world import World
from exchanges.symbols import InstrumentTable
from exchanges.transport import Request, Transport
from exchanges.types import Credentials, Environment, OrderRequest, OrderType, Side
from exchanges.venue import Venue, key_digest
from execution import book
from execution.brokers import limits_redis
from execution.limiter import LEASE_MS, RedisGate
from flipr.embedded import free_ports
from tests.exchanges.conftest import Sandbox, sandbox, sandbox_process  # noqa: F401 - fixtures

ROOT = Path(__file__).resolve().parents[2]
#: the middle of a fixed window of ten seconds and of a minute
START_MS = 1_700_000_025_000
WINDOW = 10.0
SKEW = 0.25
NEVER = dict.fromkeys(Priority, 0.0)
LONG = dict.fromkeys(Priority, 600.0)


class Time:
    """Sleeping moves it, after what was answered is written down."""

    def __init__(self) -> None:
        self.ms = START_MS
        self.gates: list[RedisGate] = []
        self._lock = threading.Lock()

    def now(self) -> int:
        return self.ms

    def sleep(self, seconds: float) -> None:
        self.flush()
        self.move(seconds)

    def move(self, seconds: float) -> None:
        with self._lock:
            self.ms += max(round(seconds * 1000), 1)

    def flush(self) -> None:
        for gate in self.gates:
            gate.flush()


@pytest.fixture
def server(redis_server: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_server, decode_responses=True) as client:
        yield client


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def worker(server: redis.Redis, time: Time) -> Iterator[Callable[..., RedisGate]]:
    """One more worker of the region."""

    def make(patience: Any = NEVER) -> RedisGate:
        gate = RedisGate(server, clock_ms=time.now, sleep=time.sleep, patience_seconds=patience)
        time.gates.append(gate)
        return gate

    yield make
    time.flush()


def charge(cost: int = 1, *, kind: Kind = Kind.SLIDING, owner: str = "here", **more: Any) -> Charge:
    bucket = more.pop("bucket", "weight")
    limit = Bucket(more.pop("capacity", 10), WINDOW, more.pop("scope", Scope.ADDRESS), kind=kind)
    assert not more
    return Charge("binance:live", bucket, limit, owner, cost)


def spend(gate: RedisGate, count: int, each: Charge, priority: Priority = Priority.PROTECT) -> list[Passage]:
    """As many as pass, answered at once."""
    passed = []
    for _ in range(count):
        try:
            passed.append(gate.admit((each,), priority, user="ann"))
        except NotSent:
            break
        gate.settle(passed[-1], {})
    gate.flush()
    return passed


def refused(gate: RedisGate, each: Charge, priority: Priority = Priority.PROTECT) -> NotSent:
    with pytest.raises(NotSent) as caught:
        gate.admit((each,), priority)
    return caught.value


# -- windows -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Kind)
def test_workers_together_pass_no_more_than_the_capacity(worker, kind: Kind) -> None:
    passed = [len(spend(gate, 6, charge(kind=kind))) for gate in (worker(), worker(), worker())]
    assert passed == [6, 4, 0]


def test_a_sliding_window_gives_back_what_left_it(worker, time: Time) -> None:
    gate = worker()
    spend(gate, 4, charge())
    time.move(4)
    spend(gate, 6, charge())
    time.move(WINDOW - 4)
    assert len(spend(gate, 10, charge())) == 4


def test_a_fixed_window_is_whole_again_when_the_exchange_begins_the_next(worker, time: Time) -> None:
    gate, each = worker(), charge(kind=Kind.FIXED)
    time.move(4)
    spend(gate, 10, each)
    assert refused(gate, each).retry_after == pytest.approx(1 + SKEW)
    time.move(1 + SKEW)
    assert len(spend(gate, 20, each)) == 10


def test_what_is_sent_just_before_a_fixed_window_ends_counts_in_the_next_too(worker, time: Time) -> None:
    """The exchange's clock may be ahead of ours."""
    gate, each = worker(), charge(kind=Kind.FIXED)
    time.move(4.9)
    spend(gate, 6, each)
    time.move(0.1 + SKEW)
    assert len(spend(gate, 20, each)) == 4


def test_a_counter_that_runs_off_gives_back_steadily(worker, time: Time) -> None:
    gate, each = worker(), charge(kind=Kind.LEAKY)
    spend(gate, 10, each)
    assert refused(gate, each).retry_after == pytest.approx(1.0)
    time.move(3.5)
    assert len(spend(gate, 20, each)) == 3
    time.move(100)
    assert len(spend(gate, 20, each)) == 10


@pytest.mark.parametrize("kind", Kind)
def test_a_request_counts_until_it_is_answered(worker, time: Time, kind: Kind) -> None:
    """Nobody knows when the exchange saw it: after a slow way it counts there for a window from then on."""
    gate, each = worker(), charge(10, kind=kind)
    slow = gate.admit((each,), Priority.PROTECT)
    time.move(WINDOW + 5)
    refused(gate, charge(kind=kind))
    gate.settle(slow, {})
    gate.flush()
    refused(gate, charge(kind=kind))
    time.move(WINDOW + SKEW)
    assert len(spend(gate, 20, charge(kind=kind))) == 10


@pytest.mark.parametrize("kind", Kind)
def test_what_a_killed_worker_had_in_flight_is_given_back(worker, time: Time, kind: Kind) -> None:
    worker().admit((charge(10, kind=kind),), Priority.PROTECT)
    time.move(30 + WINDOW)
    assert len(spend(worker(), 20, charge(kind=kind))) == 10


def test_a_refusal_says_how_long_and_charges_nothing(worker, time: Time) -> None:
    gate = worker()
    spend(gate, 1, charge(10))
    time.move(4)
    error = refused(gate, charge(5))
    assert error.code == "RATE_LIMIT"
    assert error.retry_after == pytest.approx(6.0)
    assert error.message == "the request limit of binance is used up for another 6.0 s"
    time.move(6)
    assert len(spend(gate, 1, charge(10))) == 1


def test_one_full_bucket_leaves_the_others_uncharged(worker) -> None:
    gate = worker()
    spend(gate, 1, charge(10, bucket="orders"))
    with pytest.raises(NotSent):
        gate.admit((charge(3), charge(1, bucket="orders")), Priority.PROTECT)
    assert len(spend(gate, 1, charge(10))) == 1


def test_owners_do_not_share_a_bucket(worker) -> None:
    gate = worker()
    assert [len(spend(gate, 20, charge(owner=owner))) for owner in ("a", "b")] == [10, 10]


def test_a_request_without_costs_asks_nobody(worker, server: redis.Redis) -> None:
    assert worker().admit((), Priority.QUERY, addresses=("a", "b")) == Passage((), "a")
    assert server.dbsize() == 0


def test_a_short_wait_is_waited_and_a_long_one_refused_at_once(worker, time: Time) -> None:
    gate = worker(dict.fromkeys(Priority, 3.0))
    spend(gate, 1, charge(10))
    time.move(5)
    refused(gate, charge())
    assert time.ms == START_MS + 5000
    time.move(2.5)
    gate.admit((charge(),), Priority.PROTECT)
    assert START_MS + 10_000 <= time.ms <= START_MS + 10_010


def test_an_order_waits_no_longer_than_it_stays_fresh(worker, time: Time) -> None:
    gate = worker(LONG)
    spend(gate, 1, charge(10))
    with pytest.raises(NotSent) as caught:
        gate.admit((charge(),), Priority.ENTRY, patience_seconds=7.0)
    assert caught.value.retry_after == pytest.approx(10.0)
    assert time.ms == START_MS


@pytest.mark.parametrize("priority", Priority)
def test_a_cost_above_its_share_passes_when_the_bucket_is_empty(
    worker, time: Time, priority: Priority
) -> None:
    gate = worker(LONG)
    spend(gate, 1, charge(1))
    gate.admit((charge(25),), priority)
    assert time.ms >= START_MS + 10_000
    refused(worker(), charge(1))


# -- who goes first ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("priority", "count"), [(Priority.PROTECT, 10), (Priority.ENTRY, 9), (Priority.QUERY, 8)]
)
def test_the_last_share_is_kept_for_protection(worker, priority: Priority, count: int) -> None:
    assert len(spend(worker(), 20, charge(), priority)) == count


class Queue:
    """Requests that wait in threads of their own; each sleeps until the test lets all of them look again."""

    def __init__(self, server: redis.Redis, time: Time) -> None:
        self.server, self.time = server, time
        self.passed: list[str] = []
        self._threads: list[threading.Thread] = []
        self._asleep = threading.Semaphore(0)
        self._wake: dict[str, threading.Semaphore] = {}
        self._waiting: deque[str] = deque()

    def enter(
        self, name: str, priority: Priority, *, user: str = "", cost: int = 1, scope: Scope = Scope.ADDRESS
    ) -> None:
        """Returns when the request waits."""
        wake = self._wake[name] = threading.Semaphore(0)

        def sleep(_: float) -> None:
            self._asleep.release()
            assert wake.acquire(timeout=10)

        gate = RedisGate(self.server, clock_ms=self.time.now, sleep=sleep, patience_seconds=LONG)

        def ask() -> None:
            gate.admit((charge(cost, scope=scope),), priority, user=user)
            self.passed.append(name)
            self._asleep.release()

        self._threads.append(threading.Thread(target=ask))
        self._threads[-1].start()
        assert self._asleep.acquire(timeout=10)
        self._waiting.append(name)
        self.time.move(0.001)

    def look(self) -> None:
        """Everybody looks once more, the last one who came first."""
        for name in reversed([name for name in self._waiting if name not in self.passed]):
            self._wake[name].release()
            assert self._asleep.acquire(timeout=10)

    def run(self, *, step: float) -> list[str]:
        for _ in range(500):
            if len(self.passed) == len(self._waiting):
                break
            self.time.move(step)
            self.look()
        for thread in self._threads:
            thread.join(10)
        return self.passed


@pytest.fixture
def line(server: redis.Redis, time: Time) -> Queue:
    return Queue(server, time)


def test_who_protects_goes_before_who_enters_before_who_asks(worker, line: Queue, time: Time) -> None:
    for _ in range(10):  # one unit leaves every 0.1 s
        spend(worker(), 1, charge())
        time.move(0.1)
    line.enter("query", Priority.QUERY)
    line.enter("entry", Priority.ENTRY)
    line.enter("stop", Priority.PROTECT)
    assert line.run(step=0.1) == ["stop", "entry", "query"]


def test_a_newcomer_of_lower_priority_does_not_slip_past_who_waits(worker, line: Queue, time: Time) -> None:
    spend(worker(), 6, charge())
    line.enter("stop", Priority.PROTECT, cost=6)
    assert refused(worker(), charge(1), Priority.ENTRY).retry_after == pytest.approx(WINDOW, abs=0.1)
    assert line.run(step=1.0) == ["stop"]


def test_among_equals_the_first_goes_first(worker, line: Queue, time: Time) -> None:
    for _ in range(10):
        spend(worker(), 1, charge())
        time.move(0.1)
    for name in ("first", "second", "third"):
        line.enter(name, Priority.PROTECT)
    assert line.run(step=0.05) == ["first", "second", "third"]


def flooded(worker: Callable[..., RedisGate], line: Queue, time: Time, scope: Scope) -> list[str]:
    """ann has all of a bucket and wants more; bob comes last, with one request."""
    for _ in range(10):
        spend(worker(), 1, charge(scope=scope))
        time.move(0.1)
    for number in range(4):
        line.enter(f"ann {number}", Priority.ENTRY, user="ann", scope=scope)
    line.enter("bob", Priority.ENTRY, user="bob", scope=scope)
    return line.run(step=0.05)


def test_a_user_who_had_a_share_lets_the_others_go_first(worker, line: Queue, time: Time) -> None:
    assert flooded(worker, line, time, Scope.ADDRESS) == ["bob", "ann 0", "ann 1", "ann 2", "ann 3"]


def test_shares_matter_only_where_users_share(worker, line: Queue, time: Time) -> None:
    assert flooded(worker, line, time, Scope.KEY)[-1] == "bob"


def test_products_whose_limits_differ_do_not_count_each_others_requests(worker) -> None:
    """Both call a bucket the same: what MEXC's spot had asked for was held against its contracts."""
    assert len(spend(worker(), 20, charge(capacity=10))) == 10
    assert len(spend(worker(), 20, charge(capacity=7))) == 7


def test_a_user_alone_may_have_everything(worker) -> None:
    assert len(spend(worker(), 20, charge())) == 10


def test_who_stops_waiting_leaves_the_queue(worker, server: redis.Redis, time: Time) -> None:
    spend(worker(), 1, charge(10))
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 1:
            worker().block(charge(), 60.0)
        time.move(seconds)

    gate = RedisGate(server, clock_ms=time.now, sleep=sleep, patience_seconds=dict.fromkeys(Priority, 15.0))
    assert refused(gate, charge()).retry_after == pytest.approx(59.75)
    assert len(looks) == 1
    assert server.zcard(f"limit:{charge().account}:here:queue") == 0


def test_a_waiting_request_whose_worker_died_is_forgotten(worker, server: redis.Redis, time: Time) -> None:
    spend(worker(), 6, charge())

    class Killed(BaseException):
        pass

    def die(seconds: float) -> None:
        raise Killed

    gate = RedisGate(server, clock_ms=time.now, sleep=die, patience_seconds=LONG)
    with pytest.raises(Killed):
        gate.admit((charge(6),), Priority.PROTECT)
    refused(worker(), charge(), Priority.ENTRY)
    time.move(1.6)
    worker().admit((charge(),), Priority.ENTRY)


# -- what the exchange says --------------------------------------------------------------------------------


def answered(gate: RedisGate, each: Charge, used: int) -> None:
    gate.settle(gate.admit((each,), Priority.PROTECT), {each.bucket: used})
    gate.flush()


@pytest.mark.parametrize("kind", Kind)
def test_a_higher_count_of_the_exchange_replaces_ours(worker, kind: Kind) -> None:
    answered(worker(), charge(kind=kind), 8)
    assert len(spend(worker(), 10, charge(kind=kind))) == 2


@pytest.mark.parametrize("kind", Kind)
def test_a_lower_count_of_the_exchange_changes_nothing(worker, kind: Kind) -> None:
    spend(worker(), 7, charge(kind=kind))
    answered(worker(), charge(kind=kind), 2)
    assert len(spend(worker(), 10, charge(kind=kind))) == 2


def test_what_the_exchange_counted_leaves_with_its_window(worker, time: Time) -> None:
    answered(worker(), charge(kind=Kind.FIXED), 10)
    time.move(5 + SKEW)
    assert len(spend(worker(), 20, charge(kind=Kind.FIXED))) == 10


def test_a_count_of_a_window_that_has_ended_says_nothing_of_the_next(worker, time: Time) -> None:
    gate, each = worker(), charge(kind=Kind.FIXED)
    passage = gate.admit((each,), Priority.PROTECT)
    time.move(6)
    gate.settle(passage, {"weight": 9})
    gate.flush()
    assert len(spend(gate, 20, each)) == 9


def test_a_block_stops_that_bucket_for_every_worker_and_priority_until_its_time(worker, time: Time) -> None:
    worker().block(charge(), 30.0)
    other = worker()
    assert refused(other, charge()).retry_after == pytest.approx(30.0)
    other.admit((charge(bucket="orders"), charge(owner="there")), Priority.QUERY)
    time.move(30)
    other.admit((charge(),), Priority.PROTECT)


def test_a_shorter_block_does_not_end_a_longer_one(worker, time: Time) -> None:
    worker().block(charge(), 30.0)
    worker().block(charge(), 1.0)
    time.move(5)
    refused(worker(), charge())


def test_a_block_may_end_sooner_for_what_protects_a_position(worker, time: Time) -> None:
    gate = worker()
    gate.block(charge(), 30.0, 5.0)
    assert refused(gate, charge()).retry_after == pytest.approx(5.0)
    time.move(5)
    gate.admit((charge(),), Priority.PROTECT)
    assert refused(gate, charge(), Priority.ENTRY).retry_after == pytest.approx(25.0)
    gate.block(charge(), 10.0)  # told, and shorter than what it stands still for already
    assert refused(gate, charge()).retry_after == pytest.approx(10.0)


def test_a_cost_of_nothing_passes_a_full_bucket_and_not_a_blocked_one(worker) -> None:
    gate = worker()
    spend(gate, 10, charge())
    gate.admit((charge(0),), Priority.QUERY)
    gate.block(charge(), 30.0)
    refused(gate, charge(0))


def test_a_long_block_outlives_what_is_answered_meanwhile(worker, server: redis.Redis) -> None:
    """And all keys of a bucket live equally long, or what left with one would stay counted in the other."""
    gate = worker()
    passage = gate.admit((charge(),), Priority.PROTECT)
    gate.block(charge(), 900.0)
    gate.settle(passage, {})
    gate.flush()
    ages = [server.pttl(f"limit:{charge().account}:here{part}") for part in ("", ":log")]
    assert min(ages) > 900_000
    assert abs(ages[0] - ages[1]) < 1000


# -- addresses ---------------------------------------------------------------------------------------------


def test_addresses_share_the_load_and_each_has_its_own_bucket(worker) -> None:
    gates, both = (worker(), worker()), ("a", "b")
    passages = [
        gates[number % 2].admit((charge(owner="a"),), Priority.PROTECT, addresses=both)
        for number in range(20)
    ]
    assert [passage.address for passage in passages] == ["a", "b"] * 10
    assert all(passage.charges[0].owner == passage.address for passage in passages)
    with pytest.raises(NotSent):
        gates[0].admit((charge(owner="a"),), Priority.PROTECT, addresses=both)


def test_an_address_that_is_shut_out_is_gone_around_and_a_key_is_not(worker) -> None:
    gate = worker()
    key = charge(bucket="orders", owner="key", scope=Scope.KEY)
    gate.block(charge(owner="a"), 60.0)
    passage = gate.admit((charge(owner="a"), key), Priority.PROTECT, addresses=("a", "b"))
    assert passage.address == "b"
    gate.block(key, 60.0)
    with pytest.raises(NotSent):
        gate.admit((charge(owner="a"), key), Priority.PROTECT, addresses=("a", "b"))


@pytest.mark.skipif(sys.platform != "linux", reason="other loopback addresses answer on Linux only")
def test_requests_leave_from_the_addresses_configured(sandbox: Sandbox, worker) -> None:  # noqa: F811
    addresses = ("127.0.0.2", "127.0.0.3")
    pool = Pool(sandbox_url=sandbox.url, gate=worker(), addresses=addresses)
    wires = pool.connection("Binance_F", Environment.SANDBOX).venue.wires
    ask = Request("GET", "/fapi/v1/ticker/bookTicker", "symbol=BTCUSDT")
    answers = [wires[address][""].send(ask) for address in addresses]
    pool.close()
    assert [answer.headers["x-mbx-used-weight-1m"] for answer in answers] == ["2", "2"]


# -- turns -------------------------------------------------------------------------------------------------


def test_one_key_takes_turns_across_workers_and_another_does_not_wait(worker) -> None:
    entered, order = threading.Event(), []

    def second() -> None:
        entered.set()
        with worker().turn("key"):
            order.append("second")

    with worker().turn("key"):
        thread = threading.Thread(target=second)
        thread.start()
        assert entered.wait(5)
        with worker().turn("another key"):
            order.append("another")
        order.append("first")
    thread.join(5)
    assert order == ["another", "first", "second"]


def test_a_turn_ends_with_the_request_whatever_became_of_it(worker, server: redis.Redis) -> None:
    def fail() -> None:
        with worker().turn("key"):
            assert 0 < server.pttl("limit:turn:key") <= LEASE_MS
            raise Throttled("slow down")

    for _ in range(2):
        with pytest.raises(Throttled):
            fail()
    assert server.exists("limit:turn:key") == 0


def test_a_turn_that_does_not_come_is_refused(worker, server: redis.Redis, monkeypatch) -> None:
    monkeypatch.setattr("execution.limiter.TURN_SECONDS", 0.02)
    server.set("limit:turn:key", "a worker that died")
    with pytest.raises(NotSent) as caught, worker().turn("key"):
        raise AssertionError("two at once")
    assert caught.value.code == "KEY_BUSY"
    assert server.get("limit:turn:key") == "a worker that died"


def test_a_turn_that_was_lost_is_not_taken_from_its_new_holder(worker, server: redis.Redis) -> None:
    with worker().turn("key"):
        server.set("limit:turn:key", "the next one")
    assert server.get("limit:turn:key") == "the next one"


# -- without Redis -----------------------------------------------------------------------------------------


@pytest.fixture
def cut_off() -> Iterator[RedisGate]:
    """A worker as it runs, of a region whose Redis nobody listens for."""
    url = f"redis://127.0.0.1:{free_ports(1)[0]}/0"
    with override_settings(BROKER_URLS=dict.fromkeys(django_settings.REGIONS, url)):
        yield RedisGate(limits_redis("eu"), patience_seconds=NEVER)


def test_without_redis_a_worker_counts_for_itself(cut_off: RedisGate, caplog) -> None:
    assert len(spend(cut_off, 20, charge())) == 10
    assert caplog.text.count("counted by this worker alone") == 1


def test_without_redis_a_refusal_of_the_exchange_still_stops_this_worker(cut_off: RedisGate) -> None:
    cut_off.block(charge(), 30.0)
    assert refused(cut_off, charge()).retry_after == pytest.approx(30.0, abs=1)


def test_without_redis_threads_of_one_key_take_turns(cut_off: RedisGate, monkeypatch) -> None:
    monkeypatch.setattr("exchanges.limits.TURN_SECONDS", 0.02)
    codes = []

    def second() -> None:
        try:
            with cut_off.turn("key"):
                raise AssertionError("two at once")
        except NotSent as error:
            codes.append(error.code)

    with cut_off.turn("key"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(5)
    assert codes == ["KEY_BUSY"]


def test_a_flushed_redis_starts_to_count_anew(worker, server: redis.Redis) -> None:
    gate = worker()
    passage = gate.admit((charge(10),), Priority.PROTECT)
    server.flushdb()
    server.script_flush()
    gate.settle(passage, {"weight": 10})
    gate.flush()
    refused(gate, charge())


# -- many at once ------------------------------------------------------------------------------------------

_PROCESS = """
import json, sys
import redis
from exchanges.errors import NotSent
from exchanges.limits import Bucket, Charge, Priority
from execution.limiter import RedisGate

gate = RedisGate(redis.Redis.from_url(sys.argv[1], decode_responses=True), clock_ms=lambda: int(sys.argv[2]))
charge = Charge("x:live", "weight", Bucket(200, 10.0), "here", 1)
passed = 0
sys.stdin.readline()
for _ in range(150):
    try:
        gate.admit((charge,), Priority.PROTECT, patience_seconds=0.0)
        passed += 1
    except NotSent:
        pass
print(json.dumps(passed))
"""


def test_processes_together_never_exceed_a_bucket(redis_server: str) -> None:
    command = [sys.executable, "-c", _PROCESS, redis_server, str(START_MS)]
    running = [
        subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    passed = [json.loads(process.communicate(timeout=30)[0]) for process in running]
    assert sum(passed) == 200


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(Kind), capacity=st.integers(1, 12))
def test_the_exchange_never_counts_more_than_its_capacity(data, kind: Kind, capacity: int, server) -> None:
    """Whatever the priorities and costs, and however long a request takes to arrive and its answer to return."""
    server.flushdb()
    time = Time()
    gate = RedisGate(server, clock_ms=time.now, sleep=time.sleep, patience_seconds=LONG)
    time.gates.append(gate)
    exchange = Metered(kind, capacity)
    calls = data.draw(
        st.lists(
            st.tuples(
                st.integers(1, capacity), st.sampled_from(Priority), st.integers(0, 8), st.integers(0, 8)
            ),
            max_size=25,
        )
    )
    for cost, priority, way_there, way_back in calls:
        each = charge(cost, kind=kind, capacity=capacity)
        passage = gate.admit((each,), priority)
        time.move(way_there)
        exchange.count(time.ms, cost)
        time.move(way_back)
        gate.settle(passage, {})
    gate.flush()


class Metered:
    """How each kind of limit is counted, written down independently of ours."""

    def __init__(self, kind: Kind, capacity: int) -> None:
        self.kind, self.capacity = kind, capacity
        self.seen: list[tuple[int, int]] = []

    def count(self, ms: int, cost: int) -> None:
        self.seen.append((ms, cost))
        assert self.used(ms) <= self.capacity

    def used(self, now: int) -> Decimal:
        width = int(WINDOW * 1000)
        if self.kind is Kind.FIXED:
            return Decimal(sum(cost for ms, cost in self.seen if ms // width == now // width))
        if self.kind is Kind.SLIDING:
            return Decimal(sum(cost for ms, cost in self.seen if ms > now - width))
        level, at = Decimal(0), 0
        for ms, cost in self.seen:
            level, at = max(level - Decimal((ms - at) * self.capacity) / width, Decimal(0)) + cost, ms
        return level


class Exchange:
    """The sandbox with its documented limits in this process, and workers in front of it, all at one clock."""

    def __init__(self, name: str, time: Time, accounts: int = 1) -> None:
        self.time = time
        self.kind = venue_class(name)
        self.world = World(now_ms=time.now)
        opened = [self.world.open_account(self.kind.key_family) for _ in range(accounts)]
        self.keys = [Credentials(each.key, each.secret, each.passphrase) for each in opened]
        self.random = random.Random(20261122)
        self._lock = threading.Lock()

    def worker(self, gate: RedisGate) -> Venue:
        return self.kind(
            Transport("https://exchange.test", wire=httpx.MockTransport(self.answer)),
            clock=Clock(wall=lambda: self.time.ms / 1000),
            gate=gate,
        )

    def travel(self) -> float:
        """Mostly a millisecond, now and then a hundred."""
        return 0.1 if self.random.random() < 0.03 else 0.001

    def answer(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.time.move(self.travel())
            call = Call(
                request.method,
                request.url.path,
                request.url.query.decode(),
                request.content,
                dict(request.headers),
                "127.0.0.1",
                self.time.ms,
            )
            reply = self.world.answer(self.kind.name.lower(), call).reply
            self.time.move(self.travel())
        assert reply is not None
        return httpx.Response(reply.status, headers=reply.all_headers(), content=reply.body())


SYMBOLS = {"Binance_F": "BTCUSDT", "ByBit_F": "BTCUSDT", "Kraken_F": "BTCUSD", "Kraken": "BTCUSD"}


def burst(
    exchange: Exchange, gates: list[RedisGate], count: int, patience: float | None = None
) -> tuple[int, list[NotSent]]:
    """`count` market orders from four threads per worker: how many were placed, and what was held back."""
    workers = [exchange.worker(gate) for gate in gates]
    instrument = InstrumentTable(workers[0].instruments()).find(SYMBOLS[exchange.kind.name])
    todo = deque(range(count))
    placed: list[int] = []
    held_back: list[NotSent] = []
    problems: list[BaseException] = []

    def work(venue: Venue) -> None:
        while todo and not problems:
            try:
                number = todo.popleft()
            except IndexError:
                return
            client_id = venue.client_id(f"{number:026}")
            order = OrderRequest(instrument, client_id, Side.BUY, OrderType.MARKET, Decimal("0.01"))
            keys = exchange.keys[number % len(exchange.keys)]
            try:
                venue.place(keys, order, patience_seconds=patience)
                placed.append(number)
            except NotSent as error:
                held_back.append(error)
            except BaseException as error:  # noqa: BLE001 - shown by the test
                problems.append(error)

    threads = [threading.Thread(target=work, args=(venue,)) for venue in workers for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    return len(placed), held_back


@pytest.mark.parametrize("name", ["Binance_F", "ByBit_F", "Kraken_F"])
def test_a_burst_of_500_commands_never_draws_a_refusal_for_rate(name: str, worker, time: Time) -> None:
    """Throttled would be one of the problems; all 500 go through when they may wait long enough."""
    assert burst(Exchange(name, time), [worker(LONG), worker(LONG)], 500) == (500, [])


def test_a_counter_that_runs_off_is_never_overrun_by_a_key_in_turns(worker, time: Time) -> None:
    assert burst(Exchange("Kraken", time), [worker(LONG), worker(LONG)], 160) == (160, [])


def test_what_would_wait_longer_than_it_stays_fresh_is_told_how_long(worker, time: Time) -> None:
    count, held_back = burst(Exchange("ByBit_F", time, accounts=2), [worker(LONG)], 100, patience=0.5)
    assert count + len(held_back) == 100
    assert count >= 18  # nine at once with each key
    assert held_back
    assert {error.code for error in held_back} == {"RATE_LIMIT"}
    assert all(error.retry_after and error.retry_after > 0.5 - 0.25 for error in held_back)


def test_a_burst_over_the_wire_at_the_real_clock_draws_no_refusal(
    sandbox: Sandbox,  # noqa: F811
    redis_server: str,
) -> None:
    """Three windows of the account's limit at ByBit, two workers of four threads."""
    with redis.Redis.from_url(redis_server, decode_responses=True) as server:
        gates = [RedisGate(server, patience_seconds=LONG) for _ in range(2)]
        pools = [Pool(sandbox_url=sandbox.url, gate=gate) for gate in gates]
        given = sandbox.account("bybit")
        exchange = Exchange("ByBit_F", Time())
        exchange.keys = [Credentials(given["key"], given["secret"])]
        venues = iter([pool.connection("ByBit_F", Environment.SANDBOX).venue for pool in pools])
        exchange.worker = lambda gate: next(venues)  # type: ignore[method-assign]
        assert burst(exchange, gates, 30) == (30, [])
        for gate, pool in zip(gates, pools, strict=True):
            gate.flush()
            pool.close()


def test_no_key_of_a_user_is_written_to_redis(worker, server: redis.Redis, time: Time) -> None:
    exchange = Exchange("Binance_F", time)
    burst(exchange, [worker(LONG)], 2)
    time.flush()
    found = " ".join(str(name) for name in server.scan_iter())
    assert key_digest(exchange.keys[0]) in found
    assert exchange.keys[0].key not in found


# -- wiring ------------------------------------------------------------------------------------------------


@pytest.fixture
def new_pool() -> Iterator[Callable[[], Pool]]:
    """The pool as a process of its own would open it."""
    book.pool.cache_clear()
    yield book.pool
    book.pool().close()
    book.pool.cache_clear()


def test_a_worker_shares_limits_with_its_region_and_sends_from_its_addresses(
    sandbox: Sandbox,  # noqa: F811
    server: redis.Redis,
    new_pool: Callable[[], Pool],
) -> None:
    with override_settings(
        REGION="tokyo", SANDBOX_URL=sandbox.url, EGRESS_ADDRESSES={"tokyo": ("127.0.0.1", "localhost")}
    ):
        venue = new_pool().connection("Binance_F", Environment.SANDBOX).venue
        venue.server_time_ms()
    assert list(venue.wires) == ["127.0.0.1", "localhost"]
    assert list(server.scan_iter("limit:binance:sandbox:futures_weight:*:127.0.0.1:log"))


def test_elsewhere_a_process_counts_for_itself(
    sandbox: Sandbox,  # noqa: F811
    server: redis.Redis,
    new_pool: Callable[[], Pool],
) -> None:
    with override_settings(REGION="", SANDBOX_URL=sandbox.url):
        new_pool().connection("Binance_F", Environment.SANDBOX).venue.server_time_ms()
    assert list(server.scan_iter("limit:*")) == []
