"""A job is run once: the first worker to write its claim runs it, whatever the broker delivers again.

The claim names its worker, and each worker shows in Redis that it lives: so a job whose worker died is known as
such within seconds, and somebody else can find out how far it came. That there is no claim says that no worker took
the job only while Redis has lost none (`kept_since`).
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

import redis
from django.utils import timezone

from execution import mishap
from execution.brokers import region_redis

log = logging.getLogger(__name__)
#: far longer than any message can stay in a queue
KEEP_SECONDS = 86_400
BEAT_SECONDS = 1.0
DEAD_SECONDS = 3
#: who calls off a job that nobody took
NOBODY = "nobody"


class Claim(StrEnum):
    FREE = "free"
    ALIVE = "alive"
    DEAD = "dead"
    CALLED_OFF = "called off"


class Heart:
    """Shows every second that this process lives, from the first claim on."""

    def __init__(self, region: str) -> None:
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._region = region
        self.beat()
        threading.Thread(target=self._run, daemon=True, name="heartbeat").start()

    def beat(self) -> None:
        region_redis(self._region).set(f"worker:{self.worker}", "alive", ex=DEAD_SECONDS)

    def _run(self) -> None:
        while True:
            time.sleep(BEAT_SECONDS)
            with mishap.caught(
                f"the heartbeat of {self._region}"
            ):  # silent, it would be taken for dead at work
                self._beat()

    def _beat(self) -> None:
        try:
            self.beat()
        except redis.RedisError as error:
            log.warning("the heartbeat of %s failed: %s", self._region, type(error).__name__)


@cache
def heart(region: str) -> Heart:
    return Heart(region)


def claimant(region: str) -> str:
    """This worker, and this attempt: a job that reached the same worker twice is claimed once all the same."""
    return f"{heart(region).worker} {secrets.token_hex(4)}"


def take(region: str, job: str) -> bool:
    """True for the first caller only. Raises redis.RedisError: then nothing may be sent."""
    return _take(region, job, claimant(region))


def call_off(region: str, job: str) -> bool:
    """Claim a job so that no worker ever runs it. False when one has."""
    return _take(region, job, NOBODY)


def key(job: str) -> str:
    return f"claim:{job}"


def _take(region: str, job: str, worker: str) -> bool:
    return bool(region_redis(region).set(key(job), worker, nx=True, ex=KEEP_SECONDS))


def look(region: str, job: str) -> Claim:
    """Whether somebody has taken the job, and still lives."""
    server = region_redis(region)
    worker = server.get(key(job))
    if worker is None:
        return Claim.FREE
    if worker == NOBODY:
        return Claim.CALLED_OFF
    name, _, _ = str(worker).partition(" ")
    return Claim.ALIVE if lives(region, name) else Claim.DEAD


def kept_since(region: str, at: datetime) -> bool:
    """Whether every claim made since then is still there. Redis knows its own start by another name each time, and
    counts what it gave up for want of room: a note beside the claims of both, and of when it was written. Emptied, it
    loses the note as well; started again, it may have lost the last second, and calls itself something else. Ask after
    a claim was found missing, not before."""
    server, now = region_redis(region), timezone.now()
    present = _start_of(server)
    start, _, since = str(server.get(f"kept:{region}") or "").partition("|")
    if not present or start != present:
        server.set(f"kept:{region}", f"{present}|{now.timestamp()}")
        return False
    return datetime.fromtimestamp(float(since), UTC) <= at and now - at < timedelta(seconds=KEEP_SECONDS)


def _start_of(server: redis.Redis) -> str:
    """ "" where it does not tell."""
    try:
        told: Any = server.info()
    except redis.ResponseError:
        return ""
    return f"{told.get('run_id', '')} {told.get('evicted_keys', '')}" if told.get("run_id") else ""


def lives(region: str, worker: str) -> bool:
    return bool(region_redis(region).exists(f"worker:{worker}"))
