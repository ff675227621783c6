"""Errors that nobody foresaw are logged by kind and place, never with their text, which may quote a key."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from execution import alarms, beside, keycheck, place, reconcile, supervise, tasks, warm
from execution.bulkhead import Bulkhead, Job

SECRET = "planted-secret"


def fail(*_: object, **__: object) -> None:
    raise ZeroDivisionError(SECRET)


@pytest.mark.parametrize(
    "run",
    [
        partial(beside.run, {"a piece": fail}, 10.0),
        partial(Bulkhead(1).submit, "slow", Job("a lane", 1, fail)),
    ],
    ids=["beside", "bulkhead"],
)
def test_what_goes_wrong_in_a_thread_is_told_without_its_text(
    run: Callable[[], object], caplog: pytest.LogCaptureFixture
) -> None:
    run()
    assert "ZeroDivisionError" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("task", "module", "function", "arguments"),
    [
        (tasks.place, place, "run", ({"venue": "Binance_F", "lane": "a", "ticket": 1},)),
        (tasks.supervise_region, supervise, "spread", ("tokyo",)),
        (tasks.supervise_account, supervise, "look_after", ("tokyo", "a_1", "Binance_F")),
        (tasks.compare_account, supervise, "look_after", ("tokyo", "a_1", "Binance_F")),
        (tasks.reconcile_region, reconcile, "spread", ("tokyo",)),
        (tasks.reconcile_account, reconcile, "look_into", ("tokyo", "a_1", "Binance_F")),
        (tasks.alarm_region, alarms, "sweep", ("tokyo",)),
        (tasks.probe_region, warm, "probe", ("tokyo",)),
        (tasks.check_key, keycheck, "exchange_of", ("a_1",)),
        (tasks.confirm_key, keycheck, "exchange_of", ("a_1",)),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_goes_wrong_in_a_task_is_told_without_its_text(
    task: Any,
    module: object,
    function: str,
    arguments: tuple[Any, ...],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(module, function, fail)
    task.apply(arguments)
    assert "ZeroDivisionError" in caplog.text
    assert SECRET not in caplog.text
