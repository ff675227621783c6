"""The whole service as running processes, for tests that speak to it as its users do.

Web, one worker per region, beat and the sandbox, as the Procfile starts them, on loopback with free ports, on
the session's PostgreSQL and Redis, with a database of its own."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, TypeVar
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test import override_settings

from accounts import flows
from accounts.models import Account, Hook, StopPolicy, User
from exchanges.registry import venue_class
from exchanges.types import Credentials, Environment
from flipr.embedded import LOCAL, free_ports
from flipr.processes import Processes, procfile
from flipr.workers import answering

LOGS = LOCAL / "test" / f"logs-{os.getpid()}"
EXCHANGES = ("binance", "bybit", "kraken", "kraken_futures")
READY_SECONDS = 180.0

Value = TypeVar("Value")


def wait_for(what: str, ask: Callable[[], Value], *, seconds: float = 20.0) -> Value:
    """The first true answer. Fails the test when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}; the last answer was {answer!r}")
        time.sleep(0.02)
    return answer


@dataclass(frozen=True, slots=True)
class Trader:
    """A user with sandbox keys and one hook. `keys`: key family -> API key, as the sandbox knows it."""

    user: User
    hook: Hook
    url: str
    password: str = field(repr=False)
    accounts: Mapping[str, Account]
    keys: Mapping[str, str]


class Stack:
    def __init__(self, logs: Path = LOGS) -> None:
        """`logs`: a directory that does not exist yet, for what the processes write."""
        self._logs = logs
        web, sandbox = free_ports(2)
        self.web, self.sandbox = f"http://127.0.0.1:{web}", f"http://127.0.0.1:{sandbox}"
        self.database = f"flows_{os.getpid()}"
        self.redis_url = _with_name(os.environ["REDIS_URL"], "1")  # 0 is emptied by other tests
        self.http = httpx.Client(timeout=40)
        self._files: dict[str, TextIO] = {}
        self.processes = Processes(self._log)
        self.environment = os.environ | {
            "DATABASE_URL": _with_name(os.environ["DATABASE_URL"], self.database),
            "REDIS_URL": self.redis_url,
            "PORT": str(web),
            "SANDBOX_PORT": str(sandbox),
            "SANDBOX_URL": self.sandbox,
            "SANDBOX_CONTROL": "1",
            "PUBLIC_URL": self.web,
            "HOOK_RATE": "100000/60",
            "SOURCE_RATE": "100000/60",
            "COMPARE_SECONDS": "3",
        }

    # --- Life ---------------------------------------------------------------------------------------------
    def start(self) -> None:
        self._logs.mkdir(parents=True)
        self._create_database()
        for name in procfile():
            self.start_process(name)
        self.wait_ready()

    def stop(self) -> None:
        self.processes.stop()
        self.http.close()
        for file in self._files.values():
            file.close()
        with self._maintenance() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')

    def start_process(self, name: str) -> None:
        self.processes.start(name, procfile()[name], self.environment)

    def stop_process(self, name: str) -> None:
        self.processes.stop(name)

    def wait_ready(self) -> None:
        """Until everything answers. Fails with the log of a process that ended."""
        wait_for("web, workers and sandbox answer", self._ready, seconds=READY_SECONDS)

    def _ready(self) -> bool:
        if ended := self.processes.ended():
            raise AssertionError("\n\n".join(f"{name} ended:\n{self.log(name)}" for name in ended))
        answers = (
            self._answers(f"{self.web}/healthz"),
            self._answers(f"{self.sandbox}/_sandbox/state?venue=Binance_F"),
        )
        return all(answers) and self.workers() == set(settings.REGIONS)

    def _answers(self, url: str) -> bool:
        try:
            return self.http.get(url).status_code == 200
        except httpx.TransportError:
            return False

    def workers(self) -> set[str]:
        """The regions whose workers answer a ping."""
        return answering([self.redis_url] * len(settings.REGIONS))

    def log(self, name: str) -> str:
        if file := self._files.get(name):
            file.flush()
            return Path(file.name).read_text()
        return ""

    def _log(self, name: str, line: str) -> None:
        if name not in self._files:
            self._files[name] = (self._logs / f"{name}.log").open("a")
        self._files[name].write(line + "\n")
        self._files[name].flush()

    # --- Database -----------------------------------------------------------------------------------------
    @contextmanager
    def reached(self) -> Iterator[None]:
        """This process stands where the web process stands: same database, same brokers, same sandbox."""
        connection = connections["default"]
        before = connection.settings_dict["NAME"]
        connection.close()
        connection.settings_dict["NAME"] = self.database
        try:
            with override_settings(
                REDIS_URL=self.redis_url,
                BROKER_URLS=dict.fromkeys(settings.REGIONS, self.redis_url),
                SANDBOX_URL=self.sandbox,
                PUBLIC_URL=self.web,
            ):
                yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = before

    def _create_database(self) -> None:
        with self._maintenance() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{self.database}"')
        with self.reached():
            call_command("migrate", verbosity=0)

    def _maintenance(self) -> psycopg.Connection[Any]:
        return psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)

    # --- What tests do ------------------------------------------------------------------------------------
    def new_trader(
        self,
        exchanges: tuple[str, ...] = EXCHANGES,
        *,
        balances: Mapping[str, str] | None = None,
        balances_of: Mapping[str, Mapping[str, str]] | None = None,
        position_mode: str = "one_way",
        stop_policy: str = StopPolicy.CLOSE,
        label: str = "main",
    ) -> Trader:
        """A user of its own with fresh sandbox accounts, so that tests do not see each other. `balances_of`: by
        exchange, where they differ."""
        money = balances_of or dict.fromkeys(exchanges, balances)
        password = secrets.token_urlsafe(12)
        user = User.objects.create_user(f"{secrets.token_hex(6)}@example.com", password)
        added = {
            name: self.add_account(user, name, label=label, balances=money[name], position_mode=position_mode)
            for name in exchanges
        }
        hook, token = flows.create_hook(user, "test", stop_policy=stop_policy)
        return Trader(
            user=user,
            hook=hook,
            url=f"{self.web}/webhook/{user.public_id}/{token}",
            password=password,
            accounts={name: account for name, (account, _) in added.items()},
            keys={name: key for name, (_, key) in added.items()},
        )

    def add_account(
        self,
        user: User,
        exchange: str,
        *,
        label: str = "main",
        balances: Mapping[str, str] | None = None,
        position_mode: str = "one_way",
    ) -> tuple[Account, str]:
        """A sandbox account, known to flipr under `label`; with its API key."""
        opened = self.control(
            "accounts",
            {"exchange": exchange, "position_mode": position_mode}
            | ({"balances": dict(balances)} if balances else {}),
        )
        credentials = Credentials(opened["key"], opened["secret"], opened["passphrase"])
        return flows.add_account(user, exchange, label, Environment.SANDBOX, credentials), opened["key"]

    def post(self, trader: Trader, text: str, **options: Any) -> httpx.Response:
        """POST a message. `headers` go along; other options become the query: `wait=15`, `dry=1`."""
        headers = options.pop("headers", {})
        return self.http.post(trader.url, content=text, params=options, headers=headers)

    def price(self, pair: str, price: str) -> None:
        """Move a pair everywhere: `stack.price("BTC/USDT", "49000")`."""
        self.control("prices", {pair: price})

    def fault(self, **fault: Any) -> None:
        self.control("faults", fault)

    def state(self, trader: Trader, venue: str, family: str = "") -> dict[str, Any]:
        """What the sandbox has for the trader on a venue: orders, positions, balances, calls."""
        family = family or venue_class(venue).key_family
        answer = self.http.get(
            f"{self.sandbox}/_sandbox/state", params={"venue": venue, "key": trader.keys[family]}
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def control(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.http.post(f"{self.sandbox}/_sandbox/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def _with_name(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
