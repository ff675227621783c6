"""The Redis transport of the workers: Celery's own, which a worker that loses its broker outlives.

When the connection ends, kombu puts back what was delivered and not yet acknowledged, over a connection that it opens
for this. With the broker gone that fails, and where the connection had been let go of before, it fails with an
AttributeError, which Celery takes for a mistake of its own and ends the worker (kombu 5.7, celery 5.7, seen under
`make chaos`). What is not put back here comes back by itself after `visibility_timeout`.
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
        except (redis.RedisError, OSError, AttributeError) as error:
            held: dict[str, Any] = self._delivered or {}
            log.warning("%s message(s) come back by themselves: %s", len(held), type(error).__name__)
            held.clear()


class Channel(kombu_redis.Channel):
    QoS = QoS


class Transport(kombu_redis.Transport):
    Channel = Channel
