"""`GET /healthz`: whether this process can take a webhook and say so to the database and to Redis."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse


def healthz(request: HttpRequest) -> JsonResponse:
    """200 when both stores answer, else 503; says which, never why (the log does)."""
    state = {"database": _state(_database), "redis": _state(_redis)}
    ok = set(state.values()) == {"ok"}
    response = JsonResponse({"ok": ok, **state}, status=200 if ok else 503)
    response["Cache-Control"] = "no-store"
    return response


healthz.bare = True  # type: ignore[attr-defined]


def _state(ask: Callable[[], object]) -> str:
    try:
        ask()
    except (Error, redis.RedisError):
        return "down"
    return "ok"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _redis() -> None:
    _client(settings.REDIS_URL).ping()


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
