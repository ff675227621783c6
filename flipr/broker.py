"""The Redis transport of the workers: Celery's own, which a worker that loses its broker outlives.

When the connection ends, kombu puts back what was delivered and not yet acknowledged, and acknowledges what had been
begun, over a connection that it opens for this. Where its own had been let go of before, that is an AttributeError,
which Celery takes for a mistake of its own and ends the worker (kombu 5.7, celery 5.7, seen under `make chaos`). Here
it is what it means: no connection. What is not put back comes back by itself after `visibility_timeout`.
"""

from __future__ import annotations

import logging
from typing import Any

import redis
from kombu.transport import redis as kombu_redis

log = logging.getLogger(__name__)


class QoS(kombu_redis.QoS):
    def restore_unacked(self, client: Any = None) -> None:
        try:
            super().restore_unacked(client)
        except (redis.RedisError, OSError) as error:
            held: dict[str, Any] = self._delivered or {}
            log.warning("%s message(s) come back by themselves: %s", len(held), type(error).__name__)
            held.clear()


class Channel(kombu_redis.Channel):
    QoS = QoS

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        """Of a channel that outlived its connection: an acknowledgement that comes late, a message put back."""
        if getattr(self.connection, "client", None) is None:
            raise redis.ConnectionError("the connection to the broker was let go of")
        found: dict[str, Any] = super()._connparams(asynchronous=asynchronous)  # type: ignore[misc]
        return found


class Transport(kombu_redis.Transport):
    Channel = Channel
