"""Waiting callers of a process that ends."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from execution import outcome
from execution.brokers import region_redis
from execution.outcome import Board, Ear, Waiter


def wait_while(board: Board, ending: threading.Thread) -> dict[str, object]:
    async def wait() -> dict[str, object]:
        with Waiter(board, {"one": "eu", "two": "eu"}, asyncio.get_running_loop()) as waiter:
            waiter.deliver("one", {"job": "one"})
            ending.start()
            return dict(await asyncio.wait_for(waiter.wait(600), 30))

    return asyncio.run(wait())


def test_who_waits_is_let_go_with_what_there_is(redis_server: str) -> None:
    board = Board()
    assert wait_while(board, threading.Thread(target=board.leave)) == {"one": {"job": "one"}}


def test_who_comes_later_does_not_wait(redis_server: str) -> None:
    board = Board()
    board.leave()
    assert wait_while(board, threading.Thread(target=lambda: None)) in ({}, {"one": {"job": "one"}})


def test_a_waiter_whose_loop_has_ended_is_no_obstacle(redis_server: str) -> None:
    board = Board()

    async def give_up() -> Waiter:
        waiter = Waiter(board, {"one": "eu"}, asyncio.get_running_loop())
        board.add(waiter, {"one": "eu"})
        return waiter

    asyncio.run(give_up())
    board.leave()
    assert board.leaving


def test_an_outcome_that_cannot_be_read_is_no_obstacle_to_the_next(redis_server: str, patient: None) -> None:
    board = Board()

    async def wait() -> dict[str, dict[str, Any]]:
        with Waiter(board, {"one": "eu"}, asyncio.get_running_loop()) as waiter:
            for data in ("no outcome", "{}", '{"job": "one"}'):
                region_redis("eu").publish(board.channel, data)
            return dict(await waiter.wait(10))

    assert asyncio.run(wait()) == {"one": {"job": "one"}}


# -- a Redis that is away ----------------------------------------------------------------------------------


def in_time(work: Any) -> bool:
    """Whether it ends, with so much patience set that who waits does not."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(10)
    return not thread.is_alive()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome, "READY_SECONDS", 600)


def test_a_message_for_one_region_does_not_wait_for_the_redis_of_another(
    redis_server: str, settings: Any, blackhole: str, patient: None
) -> None:
    settings.BROKER_URLS = settings.BROKER_URLS | {"eu": blackhole}
    board = Board()

    async def wait() -> None:
        Waiter(board, {"one": "tokyo"}, asyncio.get_running_loop()).begin()

    assert in_time(lambda: asyncio.run(wait()))


def test_a_redis_that_is_away_is_waited_for_once(patient: None) -> None:
    now = [0.0]
    ear = Ear(clock=lambda: now[0])
    assert not ear.interrupted(), "it was never well"
    now[0] += 600
    assert in_time(ear.wait)


def test_an_interruption_is_waited_for_again(patient: None) -> None:
    now = [0.0]
    ear = Ear(clock=lambda: now[0])
    ear.listening()
    now[0] += 10_000
    assert ear.interrupted()
    waiting = threading.Thread(target=ear.wait, daemon=True)
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    ear.listening()
    waiting.join(10)
    assert not waiting.is_alive()
