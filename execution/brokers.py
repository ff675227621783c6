"""One Redis and one broker per region, opened when first needed."""

from __future__ import annotations

from functools import cache

import redis
from celery import current_app
from django.conf import settings
from kombu import Connection
from kombu.pools import ProducerPool, producers
from redis.backoff import ConstantBackoff, NoBackoff
from redis.retry import Retry


@cache
def region_redis(region: str) -> redis.Redis:
    """The region's own Redis: claims, lanes, limits, replies. Regions with the same URL share a client."""
    return _client(settings.BROKER_URLS[region])


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=5,
        socket_connect_timeout=1,
        health_check_interval=30,
        retry=Retry(ConstantBackoff(0.05), 2),  # TradingView waits three seconds: rather say no than hang
        max_connections=256,
    )


@cache
def limits_redis(region: str) -> redis.Redis:
    """The same server for limits, which can be counted without it: it is not waited for as long."""
    return redis.Redis.from_url(
        settings.BROKER_URLS[region],
        decode_responses=True,
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        retry=Retry(NoBackoff(), 1),  # a connection that went stale
        max_connections=256,
    )


@cache
def _connection(region: str) -> Connection:
    options = dict(current_app.conf.broker_transport_options or {})
    return Connection(settings.BROKER_URLS[region], transport_options=options)


def producer_pool(region: str) -> ProducerPool:
    """Warm producers to the region's broker."""
    pool: ProducerPool = producers[_connection(region)]
    return pool
