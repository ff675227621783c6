"""The pulse of a worker process: every second it takes over what the other workers of its region know of the
exchanges, and every few seconds it says that it lives and what its calls came to.

A thread beside the jobs, so that the path of an order reads memory only.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time

import redis

from execution import attendance, book, mishap
from execution.brokers import region_redis

log = logging.getLogger(__name__)
SECONDS = 1.0
#: every how many beats this worker says that it lives, and flushes its counts
SLOW = 4
#: a worker not heard of for this long is taken for gone
LIFE_SECONDS = 15


class Pulse(threading.Thread):
    def __init__(self, region: str) -> None:
        super().__init__(name="pulse", daemon=True)
        self.region = region
        self.member = f"{socket.gethostname()}:{os.getpid()}"
        self._ending = threading.Event()

    def run(self) -> None:
        beats = 0
        while True:
            self.beat(slow=beats % SLOW == 0)
            beats += 1
            if self._ending.wait(SECONDS):
                return

    def beat(self, *, slow: bool) -> None:
        """Never raises: a Redis that is away is asked again at the next beat."""
        with mishap.caught(f"the pulse of {self.region}"):
            self._beat(slow=slow)

    def _beat(self, *, slow: bool) -> None:
        try:
            attendance.sign(self.region)
            book.breaker().refresh(self.region)
            if slow:
                sign_of_life(self.region, self.member)
                book.meter().flush()
        except redis.RedisError as error:
            log.warning("the pulse of %s missed a beat: %s", self.region, type(error).__name__)

    def end(self) -> None:
        """The last counts are flushed, and this worker is no longer counted. What comes meanwhile waits for the next."""
        self._ending.set()
        if self.is_alive():
            self.join(SECONDS * 5)
        try:
            attendance.sign(self.region)
            book.meter().flush()
            region_redis(self.region).zrem(_workers(self.region), self.member)
        except redis.RedisError as error:
            log.warning("the last pulse of %s was lost: %s", self.region, type(error).__name__)


def sign_of_life(region: str, member: str) -> None:
    now, key = time.time(), _workers(region)
    pipe = region_redis(region).pipeline(transaction=False)
    pipe.zadd(key, {member: now})
    pipe.zremrangebyscore(key, "-inf", now - LIFE_SECONDS)
    pipe.expire(key, LIFE_SECONDS)
    pipe.execute()


def alive(region: str) -> int:
    """How many workers of the region live. Raises redis.RedisError."""
    return int(region_redis(region).zcount(_workers(region), time.time() - LIFE_SECONDS, "+inf"))


def round_done(region: str) -> None:
    """A round of supervision has been made."""
    region_redis(region).set(f"round:{region}", int(time.time() * 1000), ex=86_400)


def last_round_ms(region: str) -> int | None:
    found = region_redis(region).get(f"round:{region}")
    return int(str(found)) if found else None


def _workers(region: str) -> str:
    return f"workers:{region}"
