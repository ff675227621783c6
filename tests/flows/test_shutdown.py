"""Processes that are told to end under load: what they began is finished, what they did not begin others do."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.stack import Stack, Trader, wait_for

VENUES = {"Binance_F": "worker-tokyo", "ByBit_F": "worker-singapore", "Kraken_F": "worker-eu"}
TRADERS, ROUNDS = 5, 4
FINAL_SECONDS = 60


def final(stack: Stack, answer: httpx.Response) -> dict[str, Any]:
    """What became of a delivery in the end."""
    body = answer.json()
    url = body.get("result_url")

    def ended() -> dict[str, Any] | None:
        now = stack.http.get(url).json() if url else body
        return now if now["status"] != "working" else None

    found = wait_for("the delivery has an end", ended, seconds=FINAL_SECONDS)
    assert found is not None
    return found


def check_books(stack: Stack, trader: Trader, venue: str, results: list[dict[str, Any]]) -> None:
    """The exchange has exactly the orders that callers were told of, each once."""
    state = stack.state(trader, venue)
    there = sorted(order["client_id"] for order in state["orders"])
    told = sorted(result["client_id"] for result in results if result["status"] == "filled")
    assert there == told
    held = sum((Decimal(each["quantity"]) for each in state["positions"]), Decimal(0))
    assert held == sum((Decimal(r["filled"]) for r in results if r["status"] == "filled"), Decimal(0))


def test_a_rolling_restart_under_load_loses_and_doubles_nothing(stack: Stack) -> None:
    traders = [stack.new_trader(("binance", "bybit", "kraken_futures")) for _ in range(TRADERS)]
    work = [(trader, venue) for _ in range(ROUNDS) for trader in traders for venue in VENUES]
    begun = threading.Semaphore(0)

    def post(trader: Trader, venue: str) -> httpx.Response:
        begun.release()
        return stack.post(trader, f"BTCUSDT on {venue} market long 0.01", wait=1)

    with ThreadPoolExecutor(6) as posting:
        answers = [posting.submit(post, *each) for each in work]
        for name in VENUES.values():
            for _ in range(len(work) // len(VENUES) // 2):
                assert begun.acquire(timeout=30)
            stack.stop_process(name)
            stack.start_process(name)
    ends = [final(stack, answer.result()) for answer in answers]
    stack.wait_ready()
    assert {answer.result().status_code for answer in answers} <= {200, 202}
    results = [result for end in ends for result in end["results"]]
    assert len(results) == TRADERS * ROUNDS * len(VENUES)
    assert {result["status"] for result in results} <= {"filled", "expired", "not_sent"}
    for trader in traders:
        for venue in VENUES:
            mine = [
                r for (who, _), end in zip(work, ends, strict=True) for r in end["results"] if who is trader
            ]
            check_books(stack, trader, venue, [r for r in mine if r["venue"] == venue])


def test_a_worker_told_to_end_finishes_its_order_and_protects_it(stack: Stack) -> None:
    trader = stack.new_trader(("binance",))
    stack.fault(fault="delay", venue="Binance_F", delay_ms=1500, path="POST /fapi/v1/order", count=1)
    with ThreadPoolExecutor(1) as posting:
        answer = posting.submit(
            stack.post, trader, "BTCUSDT on Binance_F market long 0.01 sl off 2%", wait=20
        )
        wait_for("the order has left", lambda: stack.state(trader, "Binance_F")["orders"])
        stack.stop_process("worker-tokyo")
        try:
            (result,) = answer.result().json()["results"]
            assert (result["status"], result["protection"]["status"]) == ("filled", "armed")
            (position,) = stack.state(trader, "Binance_F")["positions"]
            assert Decimal(position["quantity"]) == Decimal("0.01")
        finally:
            stack.start_process("worker-tokyo")
            stack.wait_ready()


@pytest.fixture
def idle_europe(stack: Stack) -> Iterator[None]:
    """Nobody works there: who posts to it waits."""
    stack.stop_process("worker-eu")
    yield
    stack.start_process("worker-eu")
    stack.wait_ready()


def test_callers_who_wait_are_answered_when_the_web_process_ends(stack: Stack, idle_europe: None) -> None:
    trader = stack.new_trader(("kraken_futures",))
    with ThreadPoolExecutor(1) as posting:
        answer = posting.submit(stack.post, trader, "BTCUSDT on Kraken_F market long 0.01", wait=30)
        wait_for("the order is queued", lambda: trader.user.orders.filter(status="working").exists())
        os.kill(stack.processes.pid("web"), signal.SIGTERM)
        response = answer.result(timeout=15)
    assert (response.status_code, response.json()["status"]) == (202, "working")
    stack.stop_process("web")
    stack.start_process("web")
    wait_for("the web answers again", lambda: stack._answers(f"{stack.web}/healthz"))
    assert stack.http.get(response.json()["result_url"]).json()["results"][0]["symbol"] == "BTCUSDT"


def test_beat_told_to_end_goes_and_comes_back(stack: Stack) -> None:
    process = stack.processes._running["beat"][0]
    stack.stop_process("beat")
    assert process.returncode in (0, -signal.SIGTERM)
    stack.start_process("beat")
    trader = stack.new_trader(("binance",))
    stack.post(trader, "BTCUSDT on Binance_F market long 0.01 sl off 2% tp off 5%", wait=15)
    stack.price("BTC/USDT", "60000")
    try:
        wait_for(
            "supervision has seen the target",
            lambda: not stack.state(trader, "Binance_F")["positions"],
        )
        wait_for(
            "the stop is cancelled",
            lambda: not [o for o in stack.state(trader, "Binance_F")["orders"] if o["status"] == "open"],
        )
    finally:
        stack.price("BTC/USDT", "50000")


# -- a slow exchange ---------------------------------------------------------------------------------------


def test_a_slow_exchange_does_not_hold_up_another_of_its_region(stack: Stack) -> None:
    """More orders for the slow one than the worker has threads; the quick one's is answered before any of them."""
    slow = [stack.new_trader(("kraken_futures",)) for _ in range(20)]
    quick = stack.new_trader(("kraken",))
    stack.post(quick, "BTCUSD on Kraken market long 0.01", wait=15)
    stack.fault(fault="delay", venue="Kraken_F", delay_ms=5000, path="sendorder")
    answers = [stack.post(trader, "BTCUSDT on Kraken_F market long 0.01", wait=0) for trader in slow]
    wait_for(
        "the worker's share for it is used up",
        lambda: sum(bool(stack.state(trader, "Kraken_F")["orders"]) for trader in slow) >= 6,
    )
    answer = stack.post(quick, "BTCUSD on Kraken market long 0.01", wait=15)
    waiting = [stack.http.get(each.json()["result_url"]).json()["status"] for each in answers]
    assert answer.json()["status"] == "done", answer.text
    assert set(waiting) == {"working"}
    stack.control("faults", {})
    ends = [final(stack, each) for each in answers]
    for trader, end in zip(slow, ends, strict=True):
        check_books(stack, trader, "Kraken_F", end["results"])
