"""Which region workers are up: asked over their brokers, answered by themselves."""

from __future__ import annotations

from collections.abc import Iterable

from kombu import Connection

from flipr.celery import app


def answering(broker_urls: Iterable[str], *, wait_seconds: float = 1.0) -> set[str]:
    """The regions whose workers answer a ping within the time; each names itself REGION@host."""
    found: set[str] = set()
    urls = set(broker_urls)
    for url in urls:
        with Connection(url) as connection:
            asked = app.control.inspect(timeout=wait_seconds, connection=connection)
            found |= {name.partition("@")[0] for name in asked.ping() or {}}
    return found
