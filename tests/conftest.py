"""The whole suite runs on real PostgreSQL and Redis; see tests/services.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import django
import pytest

from tests.services import services

services.configure()
django.setup()

# Tests that touch no server: when nothing else is selected, none is started.
PURE = ("exchanges/", "webhooks/test_syntax")


def pytest_collection_finish(session: pytest.Session) -> None:
    here = Path(__file__).parent
    pure = all(item.path.relative_to(here).as_posix().startswith(PURE) for item in session.items)
    if not pure and not session.config.option.collectonly:
        services.start()


def pytest_unconfigure() -> None:
    services.close()


@pytest.fixture
def redis_server() -> Iterator[str]:
    """The URL of this session's Redis, empty."""
    import redis
    from django.conf import settings

    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    yield settings.REDIS_URL
