"""The queues of a region: `orders.<region>` and `watch.<region>`."""

from __future__ import annotations

from kombu import Exchange, Queue


def queues(*regions: str) -> list[Queue]:
    """Direct exchange: Celery then pushes straight to the queue's key, without asking for bindings first."""
    exchange = Exchange("flipr", type="direct")
    return [
        Queue(f"{kind}.{region}", exchange, routing_key=f"{kind}.{region}")
        for region in regions
        for kind in ("orders", "watch")
    ]
