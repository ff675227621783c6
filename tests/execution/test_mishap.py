"""Errors that nobody foresaw are logged by kind and place, never with their text, which may quote a key."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from execution import (
    alarms,
    attendance,
    beside,
    claims,
    keycheck,
    lanes,
    place,
    reconcile,
    supervise,
    tasks,
    warm,
)
from execution.brokers import region_redis
from execution.bulkhead import Bulkhead, Job
from execution.claims import Heart
from execution.pulse import Pulse
from tests.stack import wait_for

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


# -- threads that others depend on -------------------------------------------------------------------------------


def test_a_heart_that_stumbles_beats_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker whose heart is silent is taken for dead while it is at work."""
    monkeypatch.setattr(claims, "BEAT_SECONDS", 0.001)
    beats: list[str] = []

    class Stumbling(Heart):
        def beat(self) -> None:
            beats.append(self.worker)
            if len(beats) == 2:
                fail()

    Stumbling("eu")
    wait_for("it to go on", lambda: len(beats) > 3)


def test_a_pulse_that_stumbles_beats_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(attendance, "sign", fail)
    Pulse("eu").beat(slow=True)
    assert "ZeroDivisionError" in caplog.text
    assert SECRET not in caplog.text


def test_what_got_no_thread_begins_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    with monkeypatch.context() as exhausted:
        exhausted.setattr(threading.Thread, "start", fail)
        beside.run({"a piece": lambda: done.append("too early")}, 10.0)
    beside.run({"a piece": lambda: done.append("in time")}, 10.0)
    assert done == ["in time"]


def test_a_place_that_cannot_be_left_is_tried_again_whatever_goes_wrong(
    monkeypatch: pytest.MonkeyPatch, redis_server: str
) -> None:
    monkeypatch.setattr(lanes, "LOOK_SECONDS", 0.001)
    tries: list[object] = []

    def stumbles(*place: object) -> None:
        tries.append(place)
        if len(tries) == 1:
            fail()

    monkeypatch.setattr(lanes, "_quit", stumbles)
    owed = lanes._Owed()
    owed.leave_later(region_redis("eu"), "a lane", "a job")
    wait_for("it to be left", lambda: owed._thread is None)
    assert len(tries) == 2
