"""Waiting callers of a process that ends."""

from __future__ import annotations

import asyncio
import threading

from execution.outcome import Board, Waiter


def wait_while(board: Board, ending: threading.Thread) -> dict[str, object]:
    async def wait() -> dict[str, object]:
        with Waiter(board, ["one", "two"], asyncio.get_running_loop()) as waiter:
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
        waiter = Waiter(board, ["one"], asyncio.get_running_loop())
        board.add(waiter, {"one"})
        return waiter

    asyncio.run(give_up())
    board.leave()
    assert board.leaving
