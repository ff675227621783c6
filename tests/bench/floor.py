"""(d): the floor that Celery sets: from publishing a bare task that places an order to its reply; and to its order."""

from __future__ import annotations

import itertools
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import redis
from celery import Celery
from django.conf import settings
from kombu import Exchange, Queue

from exchanges.pool import Pool
from exchanges.types import Credentials, Environment, OrderRequest, OrderType, Side
from flipr.processes import procfile
from tests.bench.counterparts import open_key
from tests.bench.posts import PAUSE_SECONDS
from tests.bench.spread import Spread
from tests.stack import Stack, wait_for

VENUE = "Binance_F"
REPLIES = "floor:replies"
REPLY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class FloorTimes:
    to_exchange: Spread
    to_reply: Spread


def command() -> str:
    """A worker as in the Procfile, from the word celery on; another app, queue and name."""
    _, _, flags = procfile()["worker-eu"].partition(" celery ")
    flags = flags.replace("-A flipr", "-A tests.bench.floor_worker")
    return "celery " + re.sub(r"-Q \S+ -n \S+", "-Q floor -n floor@%h", flags)


@contextmanager
def floor(stack: Stack) -> Iterator[Floor]:
    """A worker of its own beside flipr's, on the same Redis, trading at the same sandbox."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "FLOOR_BROKER_URL": stack.redis_url,
        "FLOOR_TRANSPORT_OPTIONS": json.dumps(settings.CELERY_BROKER_TRANSPORT_OPTIONS),
    }
    stack.processes.start("floor", command(), environment)
    with ExitStack() as held:
        held.callback(stack.stop_process, "floor")
        wait_for("the floor's worker answers", lambda: "floor" in stack.workers(), seconds=30)
        yield held.enter_context(Floor.opened(stack))


class Floor:
    """Publishes tasks one after another, from one warm producer."""

    def __init__(self, stack: Stack, keys: Credentials, pool: Pool, producer: Any, replies: Any) -> None:
        self._stack, self._keys, self._producer, self._replies = stack, keys, producer, replies
        self._venue = (connection := pool.connection(VENUE, Environment.SANDBOX)).venue
        self._instrument = connection.table.find("BTCUSDT", VENUE)
        self._app = Celery("floor", set_as_current=False)
        self._app.conf.task_queues = [Queue("floor", Exchange("floor", type="direct"), routing_key="floor")]
        self._numbers = itertools.count(1)
        self._sent_ns: dict[str, int] = {}
        self._replied_ms: list[float] = []

    @classmethod
    @contextmanager
    def opened(cls, stack: Stack) -> Iterator[Floor]:
        keys = open_key(stack.sandbox, "binance")
        with ExitStack() as held:
            pool = Pool(sandbox_url=stack.sandbox)
            held.callback(pool.close)
            broker = Celery("floor", broker=stack.redis_url, set_as_current=False)
            broker.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
            connection = held.enter_context(broker.connection_for_write())
            producer = held.enter_context(connection.Producer())
            replies = held.enter_context(redis.Redis.from_url(stack.redis_url).pubsub())
            replies.subscribe(REPLIES)
            replies.get_message(timeout=REPLY_SECONDS)
            yield cls(stack, keys, pool, producer, replies)

    def warm_up(self) -> None:
        for _ in range(10):
            self.place()
        self._sent_ns.clear()
        self._replied_ms.clear()

    def round(self) -> None:
        """As many as a round of posts has."""
        for _ in range(3):
            self.place()

    def place(self) -> None:
        """One order, signed before the clock starts."""
        order = self._order(next(self._numbers))
        request = self._venue.sign(self._venue.place_call(order), self._keys, self._venue.clock.now_ms())
        url = f"{self._stack.sandbox}/{VENUE.lower()}{request.target}"
        arguments = (request.method, url, request.body.decode(), dict(request.headers), REPLIES)
        time.sleep(PAUSE_SECONDS)
        self._sent_ns[order.client_id] = time.time_ns()
        started = time.perf_counter()
        self._app.send_task(
            "floor.place",
            arguments,
            producer=self._producer,
            queue="floor",
            retry=False,
            ignore_result=True,
        )
        message = self._replies.get_message(timeout=REPLY_SECONDS)
        self._replied_ms.append((time.perf_counter() - started) * 1000)
        if not message or json.loads(message["data"]).get("status") != "FILLED":
            raise RuntimeError(f"the bare task's order was not filled: {message}")

    def times(self) -> FloorTimes:
        state = self._stack.http.get(
            f"{self._stack.sandbox}/_sandbox/state", params={"venue": VENUE, "key": self._keys.key}
        ).json()
        received = {call["params"].get("newClientOrderId"): call["received_ns"] for call in state["calls"]}
        return FloorTimes(
            Spread.of((received[name] - sent) / 1e6 for name, sent in self._sent_ns.items()),
            Spread.of(self._replied_ms),
        )

    def _order(self, number: int) -> OrderRequest:
        return OrderRequest(
            instrument=self._instrument,
            client_id=f"f{number:026d}",
            side=Side.BUY if number % 2 else Side.SELL,
            type=OrderType.MARKET,
            quantity=Decimal("0.01"),
        )
