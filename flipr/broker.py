"""The Redis transport of the workers: Celery's own, which a worker that loses its broker outlives.

When the connection ends, kombu puts back what was delivered and not yet acknowledged, and acknowledges what had been
begun, over a connection that it opens for this. Where its own had been let go of before, that is an AttributeError,
which Celery takes for a mistake of its own and ends the worker (kombu 5.7, celery 5.7, seen under `make chaos`). Here
it is what it means: no connection. What is not put back comes back by itself after `visibility_timeout`.
"""

from __future__ import annotations

import logging
from typing import Any, cast

import redis
from kombu.transport import redis as kombu_redis
from kombu.transport import virtual

log = logging.getLogger(__name__)


#: queues whose messages are worth nothing to a worker that comes later
HELD_IN_MEMORY = "orders."


class QoS(kombu_redis.QoS):
    """kombu notes in Redis what a worker has in hand, and crosses it out when the worker begins with it: two round
    trips for each order, so that what a killed worker leaves comes back minutes later. By then an order is too old to
    be placed, and reconciliation has ended it: of orders the book is kept in memory, as AMQP's brokers keep it."""

    def append(self, message: Any, delivery_tag: str) -> None:
        if message.delivery_info["routing_key"].startswith(HELD_IN_MEMORY):
            virtual.QoS.append(self, message, delivery_tag)
        else:
            super().append(message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        if self._in_memory(delivery_tag):
            virtual.QoS.ack(self, delivery_tag)
        else:
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if self._in_memory(delivery_tag):
            if requeue:
                self.restore_by_tag(delivery_tag, leftmost=True)
            virtual.QoS.ack(self, delivery_tag)
        else:
            super().reject(delivery_tag, requeue)

    def restore_by_tag(self, tag: str, client: Any = None, leftmost: bool = False) -> None:
        if message := self._in_memory(tag):
            self.channel.put_back(message, client, leftmost)  # type: ignore[attr-defined]
        else:
            super().restore_by_tag(tag, client, leftmost)

    def _in_memory(self, tag: str) -> Any:
        """The message, if it is in no book but ours."""
        held: dict[str, Any] = self._delivered or {}
        message = held.get(tag)
        is_ours = message and message.delivery_info["routing_key"].startswith(HELD_IN_MEMORY)
        return message if is_ours else None

    def restore_unacked(self, client: Any = None) -> None:
        try:
            super().restore_unacked(client)
        except (redis.RedisError, OSError) as error:
            held: dict[str, Any] = self._delivered or {}
            log.warning("%s message(s) in hand could not be put back: %s", len(held), type(error).__name__)
            held.clear()


class Channel(kombu_redis.Channel):
    QoS = QoS

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        """Of a channel that outlived its connection: an acknowledgement that comes late, a message put back."""
        if getattr(self.connection, "client", None) is None:
            raise redis.ConnectionError("the connection to the broker was let go of")
        found: dict[str, Any] = super()._connparams(asynchronous=asynchronous)  # type: ignore[misc]
        return found

    def put_back(self, message: Any, client: Any, leftmost: bool) -> None:
        info, channel = message.delivery_info, cast("Any", self)
        with channel.conn_or_acquire(client) as server:
            channel._do_restore_message(  # noqa: SLF001  (our own)
                message.serializable(), info["exchange"], info["routing_key"], server, leftmost
            )


class Transport(kombu_redis.Transport):
    Channel = Channel
