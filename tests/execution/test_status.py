"""The public status: what it says of exchanges and of our own workers, to whom, and what it does not tell."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from exchanges.clock import Clock
from exchanges.errors import ExchangeError, Maintenance, OutcomeUnknown, Unreachable
from exchanges.types import Environment
from execution import attendance, book, circuit, pulse, status, warm
from execution.brokers import region_redis
from execution.circuit import FAILURES
from execution.pulse import Pulse
from execution.status import Latest, State, VenueStatus, latest

VENUE, REGION, LIVE = "Binance_F", "tokyo", Environment.LIVE


@pytest.fixture(autouse=True)
def fresh(redis_server: str) -> Iterator[None]:
    for held in (book.breaker, book.meter):
        held.cache_clear()
    latest.forget()
    yield
    latest.forget()


@pytest.fixture
def worker() -> Pulse:
    """A worker of the region, up and supervising."""
    found = Pulse(REGION)
    found.beat(slow=True)
    pulse.round_done(REGION)
    return found


def called(*errors: ExchangeError | None, ms: float = 40) -> None:
    for error in errors:
        book.meter().saw(VENUE, LIVE, ms / 1000, error)
    book.meter().flush()


def shown(name: str = VENUE) -> VenueStatus:
    (found,) = [each for each in status.read(time.time()).venues if each.name == name]
    return found


def open_circuit(error: ExchangeError) -> None:
    for _ in range(FAILURES):
        book.breaker().saw(VENUE, LIVE, 0.1, error)


# -- exchanges ---------------------------------------------------------------------------------------------


def test_an_exchange_that_answers_is_operational(worker: Pulse) -> None:
    called(*[None] * 20)
    found = shown()
    assert (found.verdict.state, found.hour.calls, found.region) == (State.OPERATIONAL, 20, REGION)
    assert found.hour.percentile_ms(50) == pytest.approx(40, rel=0.1)


def test_of_an_exchange_that_was_not_called_nothing_is_claimed(worker: Pulse) -> None:
    assert shown().verdict.state is State.QUIET


def test_calls_without_answers_degrade_it_and_the_reason_counts_them(worker: Pulse) -> None:
    called(*[None] * 16, *[OutcomeUnknown("x")] * 3, Unreachable("y"))
    verdict = shown().verdict
    assert verdict.state is State.DEGRADED
    assert verdict.reason == "Of 20 calls in the last 5 minutes: 3 without an answer, 1 without a connection."
    assert verdict.since_ms is not None


def test_one_lost_answer_of_many_does_not_degrade_it(worker: Pulse) -> None:
    called(*[None] * 19, OutcomeUnknown("x"))
    assert shown().verdict.state is State.OPERATIONAL


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        (OutcomeUnknown("x"), State.DOWN, "does not answer as it should"),
        (Unreachable("x"), State.DOWN, "cannot be reached"),
        (Maintenance("x"), State.MAINTENANCE, "is under maintenance"),
    ],
)
def test_an_open_circuit_says_why_and_since_when(
    worker: Pulse, error: ExchangeError, state: State, words: str
) -> None:
    open_circuit(error)
    (opened,) = circuit.opened(REGION)
    verdict = shown().verdict
    assert (verdict.state, verdict.since_ms) == (state, opened.since_ms)
    assert words in verdict.reason


def test_a_disturbance_that_is_over_is_still_told(worker: Pulse) -> None:
    called(None)
    open_circuit(Maintenance("x"))
    (opened,) = circuit.opened(REGION)
    book.breaker().probed(opened, None)
    verdict = shown().verdict
    assert verdict.state is State.OPERATIONAL
    assert "was under maintenance" in verdict.reason


def test_a_clock_that_jumped_degrades_the_exchange(worker: Pulse, caplog: pytest.LogCaptureFixture) -> None:
    called(None)
    clock = Clock()
    clock.jump_ms, clock.jumped_at = 400, time.time()
    for _ in range(2):
        warm._tell_clock(REGION, VENUE, LIVE, clock)
    verdict = shown().verdict
    assert (verdict.state, "400 ms" in verdict.reason) == (State.DEGRADED, True)
    assert caplog.text.count("moved apart by 400 ms") == 1


# -- ourselves ---------------------------------------------------------------------------------------------


def region(name: str = REGION) -> dict[str, Any]:
    (found,) = [each for each in status.read(time.time()).as_json()["regions"] if each["region"] == name]
    return dict(found)


def test_workers_are_counted_while_they_live(worker: Pulse) -> None:
    other = Pulse(REGION)
    other.member = "elsewhere:1"
    other.beat(slow=True)
    assert (region()["workers"], region()["state"]) == (2, "operational")
    other.end()
    assert region()["workers"] == 1


def test_a_worker_that_was_killed_is_counted_no_more(worker: Pulse) -> None:
    region_redis(REGION).zadd(f"workers:{REGION}", {worker.member: time.time() - pulse.LIFE_SECONDS - 1})
    assert (region()["workers"], region()["state"]) == (0, "down")


def test_without_a_worker_the_exchanges_of_a_region_are_down() -> None:
    called(None)
    assert shown().verdict.state is State.DOWN


def test_orders_are_queued_while_a_worker_beats_and_for_the_time_of_a_restart() -> None:
    server, found = region_redis(REGION), Pulse(REGION)
    assert not server.exists(attendance.key(REGION))
    found.beat(slow=False)
    assert 0 < server.ttl(attendance.key(REGION)) <= attendance.SECONDS
    server.delete(attendance.key(REGION))
    found.end()
    assert (pulse.alive(REGION), server.exists(attendance.key(REGION))) == (0, 1)


def test_late_supervision_is_told(worker: Pulse) -> None:
    region_redis(REGION).set(f"round:{REGION}", int(time.time() * 1000) - status.ROUND_MS - 1000)
    assert (region()["state"], region()["reason"]) == ("degraded", "Supervision of open positions is late.")


def test_queued_orders_are_counted(worker: Pulse) -> None:
    region_redis(REGION).rpush(f"orders.{REGION}", "one", "two")
    assert region()["orders_waiting"] == 2


def test_a_region_whose_redis_is_away_is_down_and_the_others_are_told(worker: Pulse, settings: Any) -> None:
    settings.BROKER_URLS = settings.BROKER_URLS | {"eu": "redis://127.0.0.1:1/0"}
    assert (region("eu")["state"], region()["state"]) == ("down", "operational")


def test_the_pulse_carries_the_counts_and_takes_over_circuits(worker: Pulse) -> None:
    book.meter().saw(VENUE, LIVE, 0.04, None)
    worker.beat(slow=True)
    assert shown().hour.calls == 1
    open_circuit(Maintenance("x"))
    book.breaker.cache_clear()
    worker.beat(slow=False)
    with pytest.raises(circuit.UnderMaintenance):
        book.breaker().admit(VENUE, LIVE)


def test_the_pulse_survives_a_redis_that_is_away(worker: Pulse, settings: Any) -> None:
    settings.BROKER_URLS = dict.fromkeys(settings.BROKER_URLS, "redis://127.0.0.1:1/0")
    worker.beat(slow=True)


# -- the page ----------------------------------------------------------------------------------------------


def test_anybody_may_see_the_page_and_it_names_the_exchanges(worker: Pulse, client: Client) -> None:
    called(*[None] * 5)
    answer = client.get("/status")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Binance_F" in text
    assert "Operational" in text
    assert "style=" not in text
    assert "<script>" not in text


@pytest.mark.parametrize(("path", "accept"), [("/status.json", "*/*"), ("/status", "application/json")])
def test_programs_read_the_same(worker: Pulse, client: Client, path: str, accept: str) -> None:
    called(*[None] * 5)
    answer = client.get(path, headers={"accept": accept})
    found = {each["venue"]: each for each in answer.json()["venues"]}
    assert (found["Binance_F"]["state"], found["Binance_F"]["last_hour"]["calls"]) == ("operational", 5)
    assert len(found["Binance_F"]["minutes"]) == 60
    assert answer.headers["Cache-Control"] == "public, max-age=3"


def test_a_browser_gets_the_page(worker: Pulse, client: Client) -> None:
    answer = client.get("/status", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Accept" in answer.headers["Vary"]


def test_the_part_that_changes_is_no_whole_page(worker: Pulse, client: Client) -> None:
    text = client.get("/status/now").content.decode()
    assert "data-watch" in text
    assert "<html" not in text


def test_nothing_of_users_is_told(desk: Any, client: Client) -> None:
    desk.one("BTCUSDT on Binance_F market long 0.01")
    book.meter().flush()
    text = client.get("/status.json").content.decode()
    assert json.loads(text)["venues"]
    for account in desk.accounts.values():
        assert account.public_id not in text
    for secret in (desk.user.email, desk.user.public_id, *desk.keys.values()):
        assert secret not in text


def test_many_who_ask_at_once_cost_one_look() -> None:
    looks, found = 0, status.read(time.time())

    def look(now: float) -> status.Status:
        nonlocal looks
        looks += 1
        return found

    held, barrier = Latest(look), threading.Barrier(8)

    def ask() -> None:
        barrier.wait(5)
        assert held.get() is found

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(5)
    assert looks == 1


def test_while_one_look_hangs_the_others_get_what_was_known() -> None:
    first, second = status.read(time.time()), status.read(time.time())
    now, hanging, go_on = [0.0], threading.Event(), threading.Event()

    def look(_: float) -> status.Status:
        if now[0] == 0:
            return first
        hanging.set()
        assert go_on.wait(10)
        return second

    held = Latest(look, clock=lambda: now[0])
    assert held.get() is first
    now[0] = status.LATEST_SECONDS + 1
    slow = threading.Thread(target=held.get)
    slow.start()
    assert hanging.wait(5)
    assert held.get() is first
    go_on.set()
    slow.join(5)
    assert held.get() is second
