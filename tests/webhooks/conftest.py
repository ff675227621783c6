"""The characters of these tests: an owner with a hook and a key, a stranger with the same, and a region."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import pytest
from django.test import Client

from accounts import flows
from accounts.models import Account, Hook, User
from exchanges.types import Environment
from tests.webhooks.region import Region, all_filled
from webhooks import threads
from webhooks.models import Delivery

ORDER = "BTCUSDT on Binance_F market long 0.01 sl off 2% tp off 5%"
OTHER = "BTCUSDT on Binance_F market long 0.02"

T = TypeVar("T")


def application() -> Any:
    from flipr.asgi import application

    return application


@dataclass(frozen=True)
class Trader:
    """Somebody with one hook and one key."""

    user: User
    hook: Hook
    token: str
    account: Account

    @property
    def path(self) -> str:
        return f"/webhook/{self.user.public_id}/{self.token}"

    def browser(self) -> Client:
        client = Client()
        client.force_login(self.user, "django.contrib.auth.backends.ModelBackend")
        return client

    def latest(self) -> Delivery:
        settle()
        return Delivery.objects.of(self.user).latest("public_id")


def settle() -> None:
    """Until what runs beside the answers is done, and what that has set off."""
    threads.drain()
    threads.drain()


def trader(email: str) -> Trader:
    user = User.objects.create_user(email)
    hook, token = flows.create_hook(user, "strategy")
    account = Account.objects.create(
        user=user,
        exchange="binance",
        label="main",
        environment=Environment.SANDBOX,
        sealed="key.never-opened-here",
        key_fingerprint="...1234",
        status="verified",
    )
    return Trader(user, hook, token, account)


class Caller:
    """Speaks HTTP to the application, without a network between."""

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.run(self.ask(method, path, **options))

    def post(self, path: str, body: str | bytes = ORDER, **options: Any) -> httpx.Response:
        return self.request("POST", path, content=body, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def together(self, *calls: tuple[str, str | bytes]) -> list[httpx.Response]:
        """Post several at the same moment."""

        async def all_of_them() -> list[httpx.Response]:
            return await asyncio.gather(*(self.ask("POST", path, content=body) for path, body in calls))

        return self.run(all_of_them())

    async def ask(
        self, method: str, path: str, *, client: str = "192.0.2.7", **options: Any
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=application(), client=(client, 40000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            return await http.request(method, path, **options)

    @staticmethod
    def run(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture
def owner(transactional_db: None, redis_server: str) -> Iterator[Trader]:
    yield trader("owner@example.com")
    threads.drain()


@pytest.fixture
def stranger(owner: Trader) -> Trader:
    return trader("stranger@example.com")


@pytest.fixture
def region(redis_server: str) -> Iterator[Region]:
    """A region where every order fills at once."""
    with Region(all_filled) as region:
        yield region


@pytest.fixture
def queues_down(owner: Trader, settings: Any) -> Iterator[None]:
    """Every region's broker is unreachable for as long as the test says nothing else."""
    with unreachable_queues(settings):
        yield


def unreachable_queues(settings: Any) -> AbstractContextManager[None]:
    return regions_at("redis://127.0.0.1:1/0", settings)


@contextmanager
def regions_at(url: str, settings: Any) -> Iterator[None]:
    urls = settings.BROKER_URLS
    settings.BROKER_URLS = dict.fromkeys(urls, url)
    yield
    settings.BROKER_URLS = urls
