"""Which region workers are up: asked over their brokers, answered by themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from celery import Celery


def answering(broker_urls: Iterable[str], *, wait_seconds: float = 1.0) -> set[str]:
    """The regions whose workers answer a ping within the time; each names itself REGION@host.

    One URL per expected worker: when that many have answered, nobody waits any longer."""
    expected = Counter(broker_urls)
    return {name for url, count in expected.items() for name in _answering(url, count, wait_seconds)}


def _answering(url: str, count: int, wait_seconds: float) -> set[str]:
    # An app per broker: one app's control messages all leave through its own broker.
    with Celery("ping", broker=url, set_as_current=False) as app:
        replies = app.control.inspect(timeout=wait_seconds, limit=count).ping() or {}
        return {name.partition("@")[0] for name in replies}
