"""A job is run once: the first worker to write its claim runs it, whatever the broker delivers again."""

from __future__ import annotations

import socket

from execution.brokers import region_redis

#: far longer than any message can stay in a queue
KEEP_SECONDS = 86_400


def take(region: str, job: str) -> bool:
    """True for the first caller only. Raises redis.RedisError: then nothing may be sent."""
    return bool(region_redis(region).set(f"claim:{job}", socket.gethostname(), nx=True, ex=KEEP_SECONDS))


def taken(region: str, job: str) -> bool:
    """Whether a worker has started on it."""
    return bool(region_redis(region).exists(f"claim:{job}"))
