"""Whether anybody works in a region: its workers say so every second, and nothing is queued where nobody has for long."""

from __future__ import annotations

from execution.brokers import region_redis

#: as long as an order stays fresh by default: what is queued until then finds a worker that comes back, and a restart,
#: whose end counts as a sign of life, refuses nobody
SECONDS = 10


def sign(region: str) -> None:
    """A worker is here. Raises redis.RedisError."""
    region_redis(region).set(key(region), "here", ex=SECONDS)


def key(region: str) -> str:
    """Exists while somebody works there."""
    return f"attended:{region}"
