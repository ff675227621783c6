"""The least a Celery task can be that places an order: one HTTP call, one reply. Celery as it comes; nothing of flipr,
no Django."""

from __future__ import annotations

import json
import os
from functools import cache

import httpx
import redis
from celery import Celery
from kombu import Exchange, Queue

BROKER_URL = os.environ["FLOOR_BROKER_URL"]

app = Celery("floor", broker=BROKER_URL)
app.conf.update(
    # the same as flipr's
    broker_transport_options=json.loads(os.environ["FLOOR_TRANSPORT_OPTIONS"]),
    broker_connection_retry_on_startup=True,
    task_queues=[Queue("floor", Exchange("floor", type="direct"), routing_key="floor")],
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_send_task_events=False,
)


@cache
def _http() -> httpx.Client:
    return httpx.Client()


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(BROKER_URL)


@app.task(name="floor.place")
def place(method: str, url: str, body: str, headers: dict[str, str], reply_to: str) -> None:
    answer = _http().request(method, url, content=body, headers=headers)
    _redis().publish(reply_to, answer.content)
