"""What the transport does with messages in hand when the broker goes."""

import os

import pytest
import redis
from kombu import Connection, Queue

from flipr.celery import app

QUEUE = Queue("test.broker", routing_key="test.broker")


ORDERS = Queue("orders.test", routing_key="orders.test")
IN_HAND = "unacked"


def connection():
    return Connection(os.environ["REDIS_URL"])


def fetched(held, queue=QUEUE):
    """A message that a channel has and has not acknowledged."""
    channel = held.channel()
    held.Producer().publish({"n": 1}, exchange="", routing_key=queue.name, declare=[queue])
    message = queue(channel).get()
    assert message is not None
    return message


def taken(held, queue=QUEUE):
    return fetched(held, queue).channel


def waiting(queue=QUEUE):
    with connection() as other:
        return queue(other.default_channel).purge()


def noted():
    return redis.Redis.from_url(os.environ["REDIS_URL"]).hlen(IN_HAND)


@pytest.mark.parametrize("queue", [QUEUE, ORDERS])
def test_a_channel_that_closes_puts_its_message_back(queue):
    with connection() as held:
        taken(held, queue).close()
        assert waiting(queue) == 1
        assert not noted()


def test_what_is_put_back_can_be_carried_out():
    with connection() as held:
        taken(held, ORDERS).close()
        again = ORDERS(held.channel()).get()
        assert again is not None
        assert again.payload == {"n": 1}
        again.ack()


def test_an_order_in_hand_costs_redis_nothing():
    with connection() as held:
        message = fetched(held, ORDERS)
        assert not noted()
        message.ack()
        message.channel.close()
        assert waiting(ORDERS) == 0


def test_an_order_that_is_handed_back_is_delivered_again():
    with connection() as held:
        fetched(held, ORDERS).requeue()
    assert waiting(ORDERS) == 1


def test_what_a_killed_worker_had_of_other_messages_is_noted():
    with connection() as held:
        message = fetched(held)
        assert noted() == 1
        message.ack()
        assert not noted()


@pytest.mark.parametrize("queue", [QUEUE, ORDERS])
def test_a_worker_has_no_more_in_hand_than_it_asked_for(queue):
    with connection() as held:
        channel = held.channel()
        channel.basic_qos(0, 1, False)
        held.Producer().publish({"n": 1}, exchange="", routing_key=queue.name, declare=[queue])
        message = queue(channel).get()
        assert not channel.qos.can_consume()
        message.ack()
        assert channel.qos.can_consume()


def test_a_channel_whose_connection_was_let_go_of_closes_without_an_error():
    """As Celery leaves it when the broker was lost: the transport has no connection to ask any more."""
    channel = taken(connection())
    channel._disconnect_pools()
    channel.connection.client = None
    channel.close()
    assert not channel.qos._delivered


def test_an_acknowledgement_that_comes_too_late_is_a_lost_connection():
    held = connection()
    message = fetched(held)
    channel = message.channel
    channel._disconnect_pools()
    channel.connection = None
    with pytest.raises(held.connection_errors):
        message.ack()
    assert waiting() == 0
    channel.qos._delivered.clear()  # or the end of the process tries to put it back


def test_workers_use_it():
    with app.connection_for_read() as held:
        assert type(held.transport).__module__ == "flipr.broker"
        assert held.as_uri().startswith("redis://")
