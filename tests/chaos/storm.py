"""Carries a plan out against the running service, and keeps what every caller was told."""

from __future__ import annotations

import os
import signal
import time
from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

import httpx
import redis

from tests.chaos.plan import Break, Event, Mend, Plan, Post, SetFault, SetPrice
from tests.chaos.servers import Breakable
from tests.chaos.told import Answer, Told, Trouble
from tests.stack import Stack, Trader, wait_for

#: as many messages at a time, those of an outage included; a caller that got no answer, or a 5xx, sends the same again
CALLERS = 64
RESENDS = 40
RESEND_SECONDS = 0.5
#: TradingView's patience, and some more
CALLER_SECONDS = 15.0
#: the end of the line that Celery's worker writes then
READY = " ready."


def _seconds(line: str) -> float:
    return datetime.fromisoformat(line.split(maxsplit=1)[0]).timestamp()


class Storm:
    def __init__(self, stack: Stack, servers: Breakable, traders: list[Trader], plan: Plan) -> None:
        self._stack = stack
        self._servers = servers
        self._traders = traders
        self._plan = plan
        #: what is down, since when
        self._down: dict[str, float] = {}
        self.told: list[Told] = []
        self._over: defaultdict[str, list[Trouble]] = defaultdict(list)

    def run(self, gap_seconds: float) -> list[Told]:
        """Everything of the plan, `gap_seconds` apart (the pace, not a wait for something); then all is mended."""
        with ThreadPoolExecutor(CALLERS) as callers:
            sent: list[Future[None]] = []
            for event in self._plan.events:
                if isinstance(event, Post):
                    told = Told(event)
                    self.told.append(told)
                    sent.append(callers.submit(self._post, told))
                    time.sleep(gap_seconds)
                else:
                    self._happen(event)
            self.mend_all()
            for each in sent:
                each.result()
        return self.told

    def troubles(self) -> list[Trouble]:
        """A worker is down until it says that it is ready."""
        found = []
        for name, ours in self._over.items():
            lines = self._stack.log(name).splitlines()
            ready = [_seconds(line) for line in lines if line.endswith(READY)]
            found += [
                replace(each, until=min((at for at in ready if at > each.until), default=each.until))
                for each in ours
            ]
        return found

    def mend_all(self) -> None:
        """No fault is left, and every process is up."""
        self._stack.control("faults", {})
        for name in sorted(self._down, key=lambda name: name not in ("redis", "postgres")):
            self._mend(name)
        wait_for("the connections of this process are new", self._reconnected)
        self._stack.wait_ready()

    def _reconnected(self) -> bool:
        """Ours to the Redis that was killed end with an error at their next use."""
        try:
            self._stack.workers()
        except redis.RedisError:
            return False
        return True

    # --- One message ----------------------------------------------------------------------------------------
    def _post(self, told: Told) -> None:
        for _ in range(RESENDS):
            told.answers.append(answer := self._answer(told.post))
            if 0 < answer.status < 500:
                return
            time.sleep(RESEND_SECONDS)

    def _answer(self, post: Post) -> Answer:
        begun = time.monotonic()
        url = self._traders[post.trader].url
        try:
            got = self._stack.http.post(url, content=post.text, timeout=CALLER_SECONDS)
        except httpx.TransportError:
            return Answer(0, {}, time.monotonic() - begun)
        return Answer(got.status_code, got.json(), time.monotonic() - begun)

    # --- What happens meanwhile -------------------------------------------------------------------------------
    def _happen(self, event: Event) -> None:
        match event:
            case SetFault(fault):
                self._stack.fault(**fault)
            case SetPrice(pair, price):
                self._stack.price(pair, price)
            case Break(name, politely):
                self._break(name, politely=politely)
            case Mend(name):
                self._mend(name)

    def _break(self, name: str, *, politely: bool) -> None:
        if name in self._down:
            return
        self._down[name] = time.time()
        if name == "redis":
            self._servers.break_redis()
        elif name == "postgres":
            self._servers.break_postgres()
        else:
            if not politely:
                os.kill(self._stack.processes.pid(name), signal.SIGKILL)
            self._stack.stop_process(name)

    def _mend(self, name: str) -> None:
        if name not in self._down:
            return
        begun = self._down.pop(name)
        if name == "redis":
            self._servers.mend_redis()
        elif name == "postgres":
            self._servers.mend_postgres()
        else:
            self._stack.start_process(name)
        self._over[name].append(Trouble(begun, time.time()))
