"""A trader with sandbox accounts, and jobs run in this process: real PostgreSQL, Redis, venues and sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts import flows
from accounts.models import Account, User
from exchanges import transport
from exchanges.sparing import Spared
from exchanges.types import Credentials, Environment, Instrument
from execution import book, brackets, claims, confirm, dispatch, supervise
from execution.brokers import region_redis
from execution.dispatch import Intake
from execution.jobs import Job
from execution.models import Bracket, Order
from execution.place import run
from execution.results import result_of
from tests.exchanges.conftest import Sandbox, sandbox, sandbox_process  # noqa: F401 - fixtures
from webhooks.syntax import parse

FAMILIES = ("binance", "bybit", "kraken", "kraken_futures")


@dataclass
class Desk:
    """Runs messages as a worker would, and looks at what came of them."""

    user: User
    sandbox: Sandbox
    accounts: dict[str, Account]
    keys: dict[str, str]
    now_ms: Callable[[], float]
    count: int = 0
    jobs: list[Job] = field(default_factory=list)

    def send(self, text: str, *, stop_policy: str = "close", dry_run: bool = False) -> list[dict[str, Any]]:
        """Prepare and run every job of a message here; the results as rows tell them."""
        self.count += 1
        delivery = f"d_test{self.user.pk}_{self.count}"
        message = parse(text)
        with transaction.atomic():
            prepared = dispatch.prepare(
                self.user,
                message,
                Intake(delivery, stop_policy, self.now_ms(), dry_run or message.dry_run),
            )
        self.jobs = list(prepared.jobs)
        for job in prepared.jobs:
            run(job.dump())
        rows = Order.objects.filter(delivery=delivery).select_related("bracket", "account")
        return [result_of(row) for row in rows.order_by("position")]

    def one(self, text: str, **options: Any) -> dict[str, Any]:
        (result,) = self.send(text, **options)
        return result

    def supervise(self, times: int = 1) -> None:
        """As beat would, for every account of this desk that needs it."""
        own = {account.public_id for account in self.accounts.values()}
        for _ in range(times):
            for region in ("eu", "tokyo", "singapore"):
                for account, venue in dict.fromkeys(
                    (each.account, each.venue) for each in supervise.to_watch(region) if each.account in own
                ):
                    supervise.look_after(region, account, venue)

    def later(self, seconds: float) -> None:
        """So much time has passed since the last look: what left for the exchange left that much earlier."""
        for row in Bracket.objects.filter(user=self.user):
            bracket = brackets.from_row(row)
            for leg in bracket.legs:
                leg.sent_at = leg.sent_at and leg.sent_at - timedelta(seconds=seconds)
                leg.missed_at = leg.missed_at and leg.missed_at - timedelta(seconds=seconds)
            Bracket.objects.filter(pk=row.pk).update(legs=brackets.columns(bracket)["legs"])

    def state(self, venue: str, family: str) -> dict[str, Any]:
        return self.sandbox.state(venue, self.keys[family])

    def open_orders(self, venue: str, family: str) -> list[dict[str, Any]]:
        return [order for order in self.state(venue, family)["orders"] if order["status"] == "open"]

    def instrument(self, venue: str, symbol: str = "BTCUSD") -> Instrument:
        return book.pool().connection(venue, Environment.SANDBOX).table.find(symbol)

    def bracket(self) -> Bracket:
        return Bracket.objects.filter(user=self.user).latest("created_at")


def keeps_claims(region: str, seconds: float = 3600) -> None:
    """Reconciliation has watched the region's Redis for so long, and it lost nothing."""
    claims.kept_since(region, timezone.now())
    server = region_redis(region)
    start, _, since = str(server.get(f"kept:{region}")).partition("|")
    server.set(f"kept:{region}", f"{start}|{float(since) - seconds}")


@pytest.fixture
def make_desk(
    db: None, sandbox: Sandbox, settings: Any, time_ms: Callable[[], float]
) -> Iterator[Callable[..., Desk]]:
    settings.SANDBOX_URL = sandbox.url
    for held in (book.pool, book.facts, book.breaker, book.meter):
        held.cache_clear()
    region_redis("eu").flushdb()
    for region in settings.REGIONS:
        claims.heart(region).beat()  # its last sign of life is gone as well
    sandbox.price("BTC/USDT", "50000")

    def make(*, families: tuple[str, ...] = FAMILIES, **options: Any) -> Desk:
        user = User.objects.create_user(f"trader{User.objects.count()}@example.test", "secret-pass-1")
        accounts, keys = {}, {}
        for family in families:
            given = sandbox.account(family, **options)
            credentials = Credentials(given["key"], given["secret"], given.get("passphrase") or "")
            accounts[family] = flows.add_account(user, family, "main", Environment.SANDBOX, credentials)
            keys[family] = given["key"]
        return Desk(user, sandbox, accounts, keys, time_ms)

    yield make
    book.pool().close()
    book.pool.cache_clear()


@pytest.fixture
def time_ms() -> Callable[[], float]:
    import time

    return lambda: time.time() * 1000


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()


@pytest.fixture(autouse=True)
def unsparing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here minutes pass between two lines: what was not found is asked again at once."""
    monkeypatch.setattr(Spared, "later", lambda *_question: None)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for repeatedly is asked for twice, at once."""
    monkeypatch.setattr(confirm, "RESOLVE_SECONDS", (0.0, 0.0))
    monkeypatch.setattr(confirm, "SETTLE_SECONDS", (0.0, 0.0))


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str, Callable[[], Any]], Any]], None]:
    """Lets a test act on a request: `wire(act)`, where `act(line, "METHOD /path?query", send)` returns the answer."""
    send = transport.Transport.send

    def install(act: Callable[[str, Callable[[], Any]], Any]) -> None:
        def sent(line: Any, request: Any) -> Any:
            return act(f"{request.method} {request.target} {request.body!r}", lambda: send(line, request))

        monkeypatch.setattr(transport.Transport, "send", sent)

    return install
