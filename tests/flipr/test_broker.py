"""What the transport does with messages in hand when the broker goes."""

import os

import pytest
from kombu import Connection, Queue

from flipr.celery import app

QUEUE = Queue("test.broker", routing_key="test.broker")


def connection():
    return Connection(os.environ["REDIS_URL"])


def taken(held):
    """A channel that has a message and has not acknowledged it."""
    channel = held.channel()
    held.Producer().publish({"n": 1}, exchange="", routing_key=QUEUE.name, declare=[QUEUE])
    assert QUEUE(channel).get() is not None
    return channel


def waiting():
    with connection() as other:
        return QUEUE(other.default_channel).purge()


def test_a_channel_that_closes_puts_its_message_back():
    with connection() as held:
        taken(held).close()
        assert waiting() == 1


def test_a_channel_whose_connection_was_let_go_of_closes_without_an_error():
    """As Celery leaves it when the broker was lost: the transport has no connection to ask any more."""
    channel = taken(connection())
    channel._disconnect_pools()
    channel.connection.client = None
    channel.close()
    assert not channel.qos._delivered


def test_an_acknowledgement_that_comes_too_late_is_a_lost_connection():
    held = connection()
    channel = held.channel()
    held.Producer().publish({"n": 1}, exchange="", routing_key=QUEUE.name, declare=[QUEUE])
    message = QUEUE(channel).get()
    assert message is not None
    channel._disconnect_pools()
    channel.connection = None
    with pytest.raises(held.connection_errors):
        message.ack()
    assert waiting() == 0


def test_workers_use_it():
    with app.connection_for_read() as held:
        assert type(held.transport).__module__ == "flipr.broker"
        assert held.as_uri().startswith("redis://")
