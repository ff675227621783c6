"""One Redis and one broker per region, opened when first needed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from kombu import Connection
from kombu.pools import ProducerPool, producers
from redis.backoff import ConstantBackoff, NoBackoff
from redis.commands.core import Script
from redis.exceptions import NoScriptError
from redis.retry import Retry


def region_redis(region: str) -> redis.Redis:
    """The region's own Redis: claims, lanes, limits, replies. Regions with the same URL share a client."""
    return _client(settings.BROKER_URLS[region], retries=2)


def queue_redis(region: str) -> redis.Redis:
    """The same server for what a webhook's caller waits for: where nobody answers, one attempt to connect is all there
    is time for."""
    return _client(settings.BROKER_URLS[region], retries=0)


@cache
def _client(url: str, *, retries: int) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=5,
        socket_connect_timeout=1,
        health_check_interval=30,
        retry=Retry(
            ConstantBackoff(0.05), retries
        ),  # TradingView waits three seconds: rather say no than hang
        max_connections=256,
    )


class Unreached(redis.RedisError):
    """Redis could not be reached: certainly nothing was done."""


@lru_cache(maxsize=64)
def script(text: str) -> Script:
    """A script that is known by its digest: `script(TEXT)(keys=..., args=..., client=region_redis(region))`."""
    return Script(redis.Redis(), text)  # the client it is called with counts


class Asked:
    """A script on its way, so that its answer can be fetched when other work is done. Close it. Raises Unreached when
    it could not be sent for want of a connection."""

    def __init__(self, server: redis.Redis, text: str, keys: Sequence[str], args: Sequence[Any]) -> None:
        self._pool, self._text, self._rest = server.connection_pool, text, (len(keys), *keys, *args)
        try:
            self._connection = self._connected()
        except redis.RedisError as error:
            raise Unreached(str(error)) from error
        try:
            self._connection.send_command("EVALSHA", script(text).sha, *self._rest)
        except BaseException:
            self._drop()
            raise

    def _connected(self) -> Any:
        """A connection that has gone stale is opened anew."""
        connection: Any = self._pool.get_connection()
        try:
            connection.check_health()
        except redis.RedisError:
            connection.disconnect()
            try:
                connection.connect()
            except redis.RedisError:
                self._pool.release(connection)
                raise
        return connection

    def answer(self) -> Any:
        """Raises redis.RedisError: then nobody knows whether it ran."""
        try:
            try:
                found = self._connection.read_response()
            except NoScriptError:
                self._connection.send_command("EVAL", self._text, *self._rest)
                found = self._connection.read_response()
        except AttributeError as error:  # so redis-py 8.1 reads from a connection that was closed meanwhile
            self._drop()
            raise redis.ConnectionError("closed before it answered") from error
        except BaseException:
            self._drop()
            raise
        self._release()
        return found

    def close(self) -> None:
        """What was not fetched would be taken for the next answer."""
        if self._connection is not None:
            self._drop()

    def _drop(self) -> None:
        self._connection.disconnect()
        self._release()

    def _release(self) -> None:
        connection, self._connection = self._connection, None
        self._pool.release(connection)


def run_once(server: redis.Redis, text: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
    """Run a script that must not be sent again when its answer is lost; the shortest way, too. Raises Unreached; any
    other redis.RedisError leaves open whether it ran. A server that could not be reached is not tried again for as long
    as that took: callers would spend their time, and the threads of those for other servers, on finding out."""
    pool, began = server.connection_pool, time.monotonic()
    if began < _away_until.get(pool, 0.0):
        raise Unreached("it could not be reached a moment ago")
    try:
        asked = Asked(server, text, keys, args)
    except Unreached:
        now = time.monotonic()
        _away_until[pool] = now + (now - began)
        raise
    return asked.answer()


#: servers that could not be reached a moment ago, by their pools
_away_until: dict[Any, float] = {}


def limits_redis(region: str) -> redis.Redis:
    """The same server for limits, which can be counted without it: it is not waited for as long."""
    return _impatient_client(settings.BROKER_URLS[region])


@cache
def _impatient_client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        retry=Retry(NoBackoff(), 1),  # a connection that went stale
        max_connections=256,
    )


@cache
def _connection(url: str) -> Connection:
    options = dict(current_app.conf.broker_transport_options or {})
    return Connection(url, transport_options=options)


def producer_pool(region: str) -> ProducerPool:
    """Warm producers to the region's broker."""
    pool: ProducerPool = producers[_connection(settings.BROKER_URLS[region])]
    return pool
