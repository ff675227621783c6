"""A script whose answer is fetched later."""

import pytest
import redis

from execution.brokers import Asked, region_redis


def test_an_answer_for_which_the_connection_was_closed_is_not_a_mistake_of_ours(redis_server):
    """The web answered 500; whether the script ran, nobody knows."""
    asked = Asked(region_redis("eu"), "return 1", [], [])
    asked._connection.disconnect()
    with pytest.raises(redis.ConnectionError):
        asked.answer()
    assert region_redis("eu").ping()
