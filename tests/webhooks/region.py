"""A region as the web tier sees it: something that takes jobs from the queue and announces what became of them.

It speaks the real queue and the real reply channel; only the exchange is missing."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from typing import Any, Self

import redis
from django.conf import settings

from execution import attendance, outcome
from execution.jobs import Job, Result

#: milliseconds after the job was queued
MARKS = {"queued": 0.0, "claimed": 1.0, "sent": 1.5, "acknowledged": 2.5, "filled": 2.6}

Answer = Callable[[Job], list[Result] | None]


class Region:
    """`answer` makes the results of a job; None leaves the caller waiting. Jobs seen are in `jobs`."""

    def __init__(self, answer: Answer, regions: tuple[str, ...] = ("tokyo", "singapore", "eu")) -> None:
        self.answer = answer
        self.jobs: list[Job] = []
        self._queues = {f"orders.{name}": name for name in regions}
        self._redis = redis.Redis.from_url(settings.REDIS_URL)
        self._over = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        self._sign()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._thread.join()
        self._redis.close()

    def wait_for_jobs(self, count: int) -> list[Job]:
        with self._news:
            assert self._news.wait_for(lambda: len(self.jobs) >= count, timeout=10), self.jobs
        return self.jobs

    def _sign(self) -> None:
        """As a worker's pulse does."""
        for name in self._queues.values():
            self._redis.set(attendance.key(name), "here", ex=attendance.SECONDS)

    def _work(self) -> None:
        while not self._over:
            self._sign()
            taken: Any = self._redis.brpop(list(self._queues), timeout=0.05)
            if taken:
                queue, message = taken
                self._take(self._queues[queue.decode()], message)

    def _take(self, region: str, message: bytes) -> None:
        job = Job.load(_arguments(message)[0])
        with self._news:
            self.jobs.append(job)
            self._news.notify_all()
        if (results := self.answer(job)) is not None:
            outcome.announce(region, job.reply_to, outcome_of(job, results))


def outcome_of(job: Job, results: list[Result]) -> dict[str, Any]:
    shown = [{"position": each.position, "result": each.as_json()} for each in results]
    return {"job": job.id, "results": shown, "timing_ms": timing_of(job)}


def timing_of(job: Job) -> dict[str, float]:
    return {step: round(job.timing_ms["queued"] + after, 3) for step, after in MARKS.items()}


def _arguments(message: bytes) -> list[Any]:
    arguments: list[Any] = json.loads(base64.b64decode(json.loads(message)["body"]))[0]
    return arguments


def result(job: Job, index: int, **facts: Any) -> Result:
    """What a worker says of one step; `facts` on top of the job's own."""
    step = job.steps[index]
    own: dict[str, Any] = {
        "position": step.position,
        "token": step.token,
        "command": step.command,
        "action": step.action,
        "venue": job.venue,
        "symbol": job.symbol,
        "account": job.account.label,
        "region": job.region,
        "status": "filled",
    }
    return Result(**(own | facts))


def all_filled(job: Job) -> list[Result]:
    return [result(job, index) for index, step in enumerate(job.steps) if step.token]


def all_refused(job: Job) -> list[Result]:
    error = {"code": "NOT_ENOUGH_BALANCE", "message": "needed 500, free 20", "hint": "lower the size"}
    return [
        result(job, index, status="rejected", error=error)
        for index, step in enumerate(job.steps)
        if step.token
    ]


def nothing(job: Job) -> None:
    """Stay silent, as an exchange that takes its time."""
