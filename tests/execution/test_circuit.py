"""Circuits: what opens and closes them, what they hold back, and what still goes through."""

from __future__ import annotations

import time
from typing import Any

import pytest

from exchanges.errors import (
    AuthRefused,
    ExchangeError,
    InsufficientFunds,
    Maintenance,
    MarketPaused,
    NotSent,
    OutcomeUnknown,
    Throttled,
    Unreachable,
)
from exchanges.types import Environment
from execution import beside, book, circuit, warm
from execution.brokers import region_redis
from execution.circuit import (
    ABANDONED_SECONDS,
    FAILURES,
    PROBE_SECONDS,
    WINDOW_SECONDS,
    Breaker,
    ExchangeDown,
    Fault,
    UnderMaintenance,
)
from tests.stack import wait_for

VENUE, REGION, ENVIRONMENT = "Binance_F", "tokyo", Environment.SANDBOX
SILENT = OutcomeUnknown("no answer")


class Worker:
    """One process's breaker on a clock of the test's own."""

    def __init__(self, now: list[float]) -> None:
        self.breaker = Breaker(wall=lambda: now[0])

    def saw(self, *errors: ExchangeError | None, reading: bool = False) -> None:
        for error in errors:
            self.breaker.saw(VENUE, ENVIRONMENT, 0.1, error, reading=reading)

    def refusal(self, venue: str = VENUE, environment: Environment = ENVIRONMENT) -> NotSent | None:
        try:
            self.breaker.admit(venue, environment)
        except NotSent as refusal:
            return refusal
        return None


@pytest.fixture
def now(redis_server: str) -> list[float]:
    return [1_700_000_000.0]


@pytest.fixture
def worker(now: list[float]) -> Worker:
    return Worker(now)


# -- opening -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [SILENT, Unreachable("refused")], ids=["silent", "unreachable"])
def test_calls_without_an_answer_open_it_when_they_come_in_a_row(
    worker: Worker, error: ExchangeError
) -> None:
    worker.saw(*[error] * (FAILURES - 1))
    assert worker.refusal() is None
    worker.saw(error)
    assert isinstance(worker.refusal(), ExchangeDown)


@pytest.mark.parametrize("answer", [None, InsufficientFunds("no"), AuthRefused("no")])
def test_an_answer_between_them_starts_the_count_anew(worker: Worker, answer: ExchangeError | None) -> None:
    worker.saw(*[SILENT] * (FAILURES - 1), answer, *[SILENT] * (FAILURES - 1))
    assert worker.refusal() is None


def test_failures_far_apart_do_not_open_it(worker: Worker, now: list[float]) -> None:
    for _ in range(FAILURES * 2):
        worker.saw(SILENT)
        now[0] += WINDOW_SECONDS + 1
    assert worker.refusal() is None


@pytest.mark.parametrize("error", [Throttled("slow down"), NotSent("limit"), MarketPaused("one market")])
def test_what_says_nothing_against_the_exchange_never_opens_it(worker: Worker, error: ExchangeError) -> None:
    worker.saw(*[error] * FAILURES * 2)
    assert worker.refusal() is None


def test_one_word_of_maintenance_opens_it(worker: Worker) -> None:
    worker.saw(Maintenance("shutting down"))
    refusal = worker.refusal()
    assert isinstance(refusal, UnderMaintenance)
    assert refusal.kind == "MAINTENANCE"


def test_the_workers_of_a_region_count_together_and_know_of_each_other(now: list[float]) -> None:
    workers = [Worker(now) for _ in range(FAILURES)]
    for each in workers:
        each.saw(SILENT)
    assert [each.refusal() is not None for each in workers] == [False] * (FAILURES - 1) + [True]
    for each in workers:
        each.breaker.refresh(REGION)
    assert all(each.refusal() for each in workers)


def test_an_answer_that_another_worker_gets_starts_the_count_anew(now: list[float]) -> None:
    one, other = Worker(now), Worker(now)
    one.saw(*[SILENT] * (FAILURES - 1))
    other.breaker.refresh(REGION)
    other.saw(None)
    one.saw(SILENT)
    assert one.refusal() is None


def test_prices_that_are_told_do_not_hide_orders_that_are_not_answered(worker: Worker) -> None:
    for _ in range(FAILURES):
        worker.saw(SILENT)
        worker.saw(None, reading=True)
    assert worker.refusal() is not None


def test_after_orders_failed_one_more_that_fails_opens_it_again(worker: Worker) -> None:
    """The probe only reads: it cannot tell whether orders are taken."""
    worker.saw(*[SILENT] * FAILURES)
    (found,) = circuit.opened(REGION)
    worker.breaker.probed(found, None)
    assert worker.refusal() is None
    worker.saw(SILENT)
    assert worker.refusal() is not None


def test_after_orders_failed_one_that_is_answered_clears_it(now: list[float]) -> None:
    one, other = Worker(now), Worker(now)
    one.saw(*[SILENT] * FAILURES)
    (found,) = circuit.opened(REGION)
    one.breaker.probed(found, None)
    other.breaker.refresh(REGION)
    other.saw(None)
    one.saw(SILENT)
    assert one.refusal() is None


def test_other_venues_and_environments_are_not_held_back(worker: Worker) -> None:
    worker.saw(Maintenance("x"))
    assert worker.refusal("Binance") is None
    assert worker.refusal(VENUE, Environment.LIVE) is None


def test_the_refusal_says_since_when_and_when_it_is_tried_again(worker: Worker, now: list[float]) -> None:
    worker.saw(*[SILENT] * FAILURES)
    now[0] += 1
    refusal = worker.refusal()
    assert refusal is not None
    assert refusal.message == (
        "Binance_F does not answer as it should since 22:13:20 UTC: nothing was sent; "
        f"flipr tries it again in {PROBE_SECONDS[Fault.SILENT] - 1} s"
    )
    assert refusal.retry_after == PROBE_SECONDS[Fault.SILENT] - 1


def test_a_redis_that_is_away_changes_nothing_for_an_order(worker: Worker, settings: Any) -> None:
    settings.BROKER_URLS = dict.fromkeys(settings.BROKER_URLS, "redis://127.0.0.1:1/0")
    worker.saw(*[SILENT] * FAILURES, Maintenance("x"))
    assert worker.refusal() is None


# -- closing -----------------------------------------------------------------------------------------------


def test_a_probe_that_is_answered_closes_it_for_all(now: list[float]) -> None:
    one, other = Worker(now), Worker(now)
    one.saw(Maintenance("x"))
    other.breaker.refresh(REGION)
    (found,) = circuit.opened(REGION)
    assert one.breaker.probed(found, None)
    other.breaker.refresh(REGION)
    assert (one.refusal(), other.refusal(), circuit.opened(REGION)) == (None, None, [])
    assert circuit.ended(REGION)[VENUE, ENVIRONMENT] == (found, int(now[0] * 1000))


@pytest.mark.parametrize("error", [SILENT, Unreachable("x"), Throttled("x"), Maintenance("x")])
def test_a_probe_that_is_not_answered_keeps_it_open_until_the_next(
    worker: Worker, now: list[float], error: ExchangeError
) -> None:
    worker.saw(*[Unreachable("x")] * FAILURES)
    (found,) = circuit.opened(REGION)
    now[0] += 60
    assert not worker.breaker.probed(found, error)
    (still,) = circuit.opened(REGION)
    assert (still.since_ms, worker.refusal() is not None) == (found.since_ms, True)
    assert still.probe_ms == (now[0] + PROBE_SECONDS[still.fault]) * 1000


def test_a_circuit_that_nobody_probes_holds_nothing_back_for_ever(worker: Worker, now: list[float]) -> None:
    worker.saw(*[SILENT] * FAILURES)
    now[0] += PROBE_SECONDS[Fault.SILENT] + ABANDONED_SECONDS
    assert worker.refusal() is None


# -- orders ------------------------------------------------------------------------------------------------


def open_circuit(fault: ExchangeError) -> None:
    for _ in range(FAILURES):
        book.breaker().saw(VENUE, ENVIRONMENT, 0.1, fault)


@pytest.mark.parametrize(
    ("fault", "code"),
    [(SILENT, "EXCHANGE_DOWN"), (Maintenance("x"), "MAINTENANCE")],
    ids=["down", "maintenance"],
)
@pytest.mark.parametrize(
    "command", ["market long 0.01 sl off 2%", "limit long 0.01 at 40000", "go long 0.01"]
)
def test_entries_are_refused_at_once_and_nothing_is_sent(
    desk: Any, command: str, fault: ExchangeError, code: str
) -> None:
    desk.one(f"BTCUSDT on {VENUE} market long 0.01")
    open_circuit(fault)
    before = len(desk.state(VENUE, "binance")["calls"])
    result = desk.one(f"BTCUSDT on {VENUE} {command}")
    assert (result["status"], result["error"]["code"]) == ("not_sent", code)
    assert len(desk.state(VENUE, "binance")["calls"]) == before


def test_a_position_can_be_left_and_orders_taken_back_while_it_is_open(desk: Any) -> None:
    desk.one(f"BTCUSDT on {VENUE} market long 0.01 sl off 2%")
    desk.one(f"BTCUSDT on {VENUE} limit long 0.01 at 40000 tag low")
    open_circuit(SILENT)
    assert desk.one(f"BTCUSDT on {VENUE} cancel tag low")["status"] == "cancelled"
    assert desk.one(f"BTCUSDT on {VENUE} close long 50%")["status"] == "filled"
    assert desk.one(f"BTCUSDT on {VENUE} go flat")["status"] == "filled"
    assert desk.state(VENUE, "binance")["positions"] == []


def test_a_reducing_order_is_no_entry(desk: Any) -> None:
    desk.one(f"BTCUSDT on {VENUE} market long 0.01")
    open_circuit(SILENT)
    assert desk.one(f"BTCUSDT on {VENUE} market short 0.01 reduce")["status"] == "filled"


def test_other_venues_trade_on(desk: Any) -> None:
    open_circuit(SILENT)
    assert desk.one("BTCUSDT on ByBit_F market long 0.01")["status"] == "filled"


def test_answers_of_the_exchange_itself_open_it_and_a_probe_closes_it(desk: Any) -> None:
    """From the wire to the refusal and back."""
    assert desk.one(f"BTCUSDT on {VENUE} market long 0.01")["status"] == "filled"
    desk.sandbox.fault("maintenance", venue="binance_f", path="/fapi/")
    first = desk.one(f"BTCUSDT on {VENUE} market long 0.01")
    assert (first["status"], first["error"]["code"]) == ("rejected", "MAINTENANCE")
    second = desk.one(f"BTCUSDT on {VENUE} market long 0.01")
    assert (second["status"], second["error"]["code"]) == ("not_sent", "MAINTENANCE")
    assert "since" in second["error"]["message"]
    make_due(REGION)
    warm.probe(REGION)
    assert desk.one(f"BTCUSDT on {VENUE} market long 0.01")["status"] == "not_sent"
    desk.sandbox.no_faults()
    make_due(REGION)
    warm.probe(REGION)
    assert desk.one(f"BTCUSDT on {VENUE} market long 0.01")["status"] == "filled"


def test_a_circuit_is_not_tried_before_it_is_due(desk: Any) -> None:
    open_circuit(SILENT)
    (found,) = circuit.opened(REGION)
    assert found.probe_ms > time.time() * 1000
    warm.probe(REGION)
    assert circuit.opened(REGION) == [found]


def make_due(region: str) -> None:
    """As if the time until the next probe had passed."""
    server = region_redis(region)
    for field, text in server.hgetall(f"circuits:{region}").items():
        (found,) = [each for each in circuit.opened(region) if f"{each.venue}:{each.environment}" == field]
        server.hset(f"circuits:{region}", field, str(text).replace(str(found.probe_ms), "0"))


def test_probes_do_not_wait_for_each_other(desk: Any) -> None:
    """One hangs, and is not begun a second time; the other closes its circuit meanwhile."""
    for venue in (VENUE, "Binance"):
        assert desk.instrument(venue, "BTCUSDT")  # what a worker that runs has read long ago
        for _ in range(FAILURES):
            book.breaker().saw(venue, ENVIRONMENT, 0.1, SILENT)
    desk.sandbox.fault("delay", venue=VENUE, delay_ms=6000, path="GET ")
    make_due(REGION)
    warm.probe(REGION)
    assert [each.venue for each in circuit.opened(REGION)] == [VENUE]
    assert f"probe of {VENUE} ({ENVIRONMENT})" in beside.at_work()
    desk.sandbox.no_faults()
    wait_for("the slow probe", lambda: not circuit.opened(REGION))


# -- looks at positions ------------------------------------------------------------------------------------


def reads(desk: Any) -> int:
    return len([each for each in desk.state(VENUE, "binance")["calls"] if each["method"] == "GET"])


@pytest.mark.parametrize(("reading", "looked_at"), [(True, False), (False, True)])
def test_a_guarded_position_is_not_looked_at_while_an_exchange_tells_nothing(
    desk: Any, reading: bool, looked_at: bool
) -> None:
    """Where it only takes no orders, it is: a leg that filled there is to be seen."""
    desk.one(f"BTCUSDT on {VENUE} market long 0.01 sl off 2%")
    for _ in range(FAILURES):
        book.breaker().saw(VENUE, ENVIRONMENT, 0.1, SILENT, reading=reading)
    before = reads(desk)
    desk.supervise()
    assert (reads(desk) > before) is looked_at


def test_a_position_without_its_stop_is_looked_after_whatever_the_circuit_says(desk: Any) -> None:
    desk.sandbox.fault("reject_stop", venue=VENUE)
    desk.one(f"BTCUSDT on {VENUE} market long 0.01 sl off 2%", stop_policy="keep")
    row = desk.bracket()
    assert row.status == "failed"
    legs = [leg | {"attempts": 0} for leg in row.legs]
    type(row).objects.filter(pk=row.pk).update(legs=legs)
    desk.sandbox.no_faults()
    for _ in range(FAILURES):
        book.breaker().saw(VENUE, ENVIRONMENT, 0.1, SILENT, reading=True)
    desk.supervise(2)
    assert desk.bracket().status == "armed"
