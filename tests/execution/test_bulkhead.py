"""One exchange's share of a worker's threads: what runs, what waits, in which order, and what is turned away."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction

from execution import bulkhead, claims, dispatch, place, tasks
from execution.bulkhead import Bulkhead, Job, Slots
from execution.claims import Claim
from execution.dispatch import Intake
from execution.models import Order
from webhooks.syntax import parse

WAIT = 10


@dataclass
class Worker:
    """As many threads as a worker has; each brings what it is given to the bulkhead."""

    bulkhead: Bulkhead
    threads: list[threading.Thread] = field(default_factory=list)
    started: queue.Queue[str] = field(default_factory=queue.Queue)
    order: list[str] = field(default_factory=list)
    gates: dict[str, threading.Event] = field(default_factory=dict)
    busy: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def bring(self, name: str, lane: str = "", ticket: int = 0, venue: str = "slow") -> threading.Thread:
        """Have a thread submit a job that runs until it is let go."""
        gate = self.gates[name] = threading.Event()

        def work() -> None:
            with self.lock:
                self.busy += 1
                self.most = max(self.most, self.busy)
                self.order.append(name)
            self.started.put(name)
            assert gate.wait(WAIT)
            with self.lock:
                self.busy -= 1

        job = Job(lane or name, ticket, work)
        thread = threading.Thread(target=self.bulkhead.submit, args=(venue, job))
        self.threads.append(thread)
        thread.start()
        return thread

    def let_go(self, *names: str) -> None:
        for name in names:
            self.gates[name].set()

    def next_started(self) -> str:
        return self.started.get(timeout=WAIT)

    def end(self) -> None:
        self.let_go(*self.gates)
        for thread in self.threads:
            thread.join(WAIT)
            assert not thread.is_alive()


@contextmanager
def working(at_once: int) -> Iterator[Worker]:
    worker = Worker(Bulkhead(at_once))
    try:
        yield worker
    finally:
        worker.end()


def test_a_venue_holds_no_more_threads_than_its_share_and_none_is_lost() -> None:
    with working(2) as worker:
        for number in range(10):
            worker.bring(f"job {number}").join(0 if number < 2 else WAIT)
            if number < 2:
                worker.next_started()
        assert (worker.busy, worker.bulkhead.waiting("slow")) == (2, 8)
        worker.end()
        assert (sorted(worker.order), worker.most) == (sorted(worker.gates), 2)


def test_the_thread_of_a_job_that_must_wait_is_free_at_once() -> None:
    with working(1) as worker:
        worker.bring("first")
        worker.next_started()
        worker.bring("second").join(WAIT)
        assert worker.order == ["first"]


def test_a_slow_venue_leaves_the_others_their_threads() -> None:
    with working(1) as worker:
        for number in range(5):
            worker.bring(f"slow {number}")
        worker.next_started()
        worker.bring("quick", venue="other")
        assert worker.next_started() == "quick"


def test_jobs_of_one_lane_hold_one_thread_and_run_by_ticket() -> None:
    with working(4) as worker:
        worker.bring("one", lane="a", ticket=1)
        worker.next_started()
        for name, ticket in (("three", 3), ("two", 2)):
            worker.bring(name, lane="a", ticket=ticket).join(WAIT)
        worker.bring("other", lane="b", ticket=9)
        assert worker.next_started() == "other"
        worker.let_go("one")
        assert worker.next_started() == "two"
        worker.let_go("two")
        assert worker.next_started() == "three"


def test_a_job_that_the_running_one_waits_for_runs_even_without_room() -> None:
    """Tickets may be overtaken on their way here: who waits for an earlier one must get it."""
    with working(1) as worker:
        worker.bring("late", lane="a", ticket=2)
        worker.next_started()
        worker.bring("early", lane="a", ticket=1)
        assert worker.next_started() == "early"


def test_a_job_that_fails_does_not_stop_those_that_wait(caplog: pytest.LogCaptureFixture) -> None:
    held, done = Bulkhead(1), []

    def fail() -> None:
        held.submit("slow", Job("b", 2, lambda: done.append("second")))
        raise RuntimeError("planted")

    assert held.submit("slow", Job("a", 1, fail))
    assert done == ["second"]
    assert "a job of a broke off: RuntimeError" in caplog.text


def test_more_than_may_wait_are_not_taken() -> None:
    held, answers = Bulkhead(1, waiting=2), list[bool]()

    def bring_more() -> None:
        answers.extend(held.submit("slow", Job(f"lane {n}", n, lambda: None)) for n in range(4))

    assert held.submit("slow", Job("first", 0, bring_more))
    assert answers == [True, True, False, False]
    assert held.waiting("slow") == 0


def test_slots_are_given_back_also_after_a_failure() -> None:
    slots = Slots(1)

    def fail() -> None:
        with slots.taken("x") as free, slots.taken("x") as second, slots.taken("y") as other:
            assert (free, second, other) == (True, False, True)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with slots.taken("x") as again:
        assert again


# -- all kinds of work together ----------------------------------------------------------------------------


def test_what_only_looks_counts_too_and_leaves_orders_their_part() -> None:
    held = Bulkhead(3, looking=2)
    with held.looking("slow") as first, held.looking("slow") as second, held.looking("slow") as third:
        assert (first, second, third) == (True, True, False)
        done: list[str] = []

        def order() -> None:
            held.submit("slow", Job("b", 2, lambda: done.append("second")))
            done.append("first")

        assert held.submit("slow", Job("a", 1, order))
        assert done == ["first", "second"], "one thread is left to orders, and they take turns"


def test_an_order_that_found_only_looks_is_run_by_the_first_of_them_that_ends() -> None:
    held, done = Bulkhead(2, looking=2), list[str]()
    with held.looking("slow") as first:
        with held.looking("slow") as second:
            assert held.submit("slow", Job("a", 1, lambda: done.append("order")))
            assert (first, second, done) == (True, True, [])
        assert (done, held.waiting("slow")) == (["order"], 0)


def test_two_exchanges_that_hang_leave_threads_to_the_others() -> None:
    """Of sixteen: eight for the first, four for the second, and the third begins at once."""
    held = Bulkhead(8, looking=8, in_all=12)
    with ExitStack() as hung:
        taken = [
            [hung.enter_context(held.looking(name)) for _ in range(9)] for name in ("one", "two", "three")
        ]
    assert [sum(each) for each in taken] == [8, 4, bulkhead.FEW]


def test_the_products_of_an_exchange_share_their_threads() -> None:
    assert {bulkhead.exchange_of(name) for name in ("Binance", "Binance_F", "Binance_C")} == {"binance"}
    assert bulkhead.exchange_of("Kraken") != bulkhead.exchange_of("Kraken_F"), "other hosts, other keys"


@pytest.mark.parametrize("threads", [1, 2, 4, 8, 16, 64])
def test_a_worker_of_any_size_serves_an_exchange_and_has_threads_left(threads: int, settings: Any) -> None:
    settings.WORKER_THREADS = threads
    bulkhead.exchanges.cache_clear()
    try:
        with ExitStack() as hung:
            looks = sum(hung.enter_context(bulkhead.look("Binance_F")) for _ in range(threads))
            ran: list[int] = []
            bulkhead.exchanges().submit("bybit", Job("a", 1, lambda: ran.append(1)))
        assert 1 <= looks <= max(1, threads // 2)
        assert ran == [1]
    finally:
        bulkhead.exchanges.cache_clear()


# -- orders ------------------------------------------------------------------------------------------------


@pytest.fixture
def jobs(desk: Any) -> Callable[[str], list[dict[str, Any]]]:
    """The messages a text leads to, prepared and not run."""

    def make(text: str) -> list[dict[str, Any]]:
        with transaction.atomic():
            intake = Intake(f"d_bulk{desk.user.pk}_{Order.objects.count()}", "close", desk.now_ms())
            prepared = dispatch.prepare(desk.user, parse(text), intake)
        return [job.dump() for job in prepared.jobs]

    return make


@pytest.mark.django_db(transaction=True)
def test_an_order_that_waits_is_neither_claimed_nor_sent(
    desk: Any, jobs: Callable[[str], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (waiting,) = jobs("BTCUSDT on Binance_F market long 0.01")
    held = Bulkhead(1)
    monkeypatch.setattr(bulkhead, "exchanges", lambda: held)
    seen: list[Claim | int] = []

    def occupied() -> None:
        tasks.place(waiting)
        seen.append(claims.look("tokyo", waiting["id"]))
        seen.append(len(desk.state("Binance_F", "binance")["orders"]))

    held.submit("binance", Job("another", 0, occupied))
    assert seen == [Claim.FREE, 0]
    assert Order.objects.get(job=waiting["id"]).status == "filled"


@pytest.mark.django_db(transaction=True)
def test_an_order_turned_away_ends_with_a_clear_no_and_never_runs(
    desk: Any, jobs: Callable[[str], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (message,) = jobs("BTCUSDT on Binance_F market long 0.01")
    full = Bulkhead(1, waiting=0)
    monkeypatch.setattr(bulkhead, "exchanges", lambda: full)
    full.submit("binance", Job("another", 0, lambda: tasks.place(message)))
    row = Order.objects.get(job=message["id"])
    assert row.error is not None
    assert (row.status, row.error["code"]) == ("not_sent", "EXCHANGE_BUSY")
    place.run(message)
    assert desk.state("Binance_F", "binance")["orders"] == []
