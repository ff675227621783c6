"""What a worker process keeps warm: its pool of venues, opened keys for minutes, facts about accounts."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from functools import cache

from django.conf import settings

from accounts import vault
from exchanges.errors import ExchangeError
from exchanges.limits import LocalGate
from exchanges.pool import Pool
from exchanges.types import Credentials, Environment
from exchanges.witness import Witness
from execution.brokers import limits_redis
from execution.circuit import Breaker
from execution.jobs import JobAccount
from execution.known import Facts
from execution.limiter import RedisGate
from execution.traffic import Meter

KEYS_SECONDS = 300.0
FACTS_SECONDS = 600.0
KEPT = 5_000


@cache
def pool() -> Pool:
    """This process's venues. The workers of a region share its limits and send from its addresses."""
    region = settings.REGION
    return Pool(
        sandbox_url=settings.SANDBOX_URL,
        base_urls=settings.EXCHANGE_BASE_URLS,
        gate=RedisGate(limits_redis(region)) if region else LocalGate(),
        addresses=settings.EGRESS_ADDRESSES.get(region, ()),
        witness=Witnesses(breaker(), meter()),
    )


class Witnesses:
    """Several who are told of every call."""

    def __init__(self, *witnesses: Witness) -> None:
        self._witnesses = witnesses

    def saw(
        self,
        venue: str,
        environment: Environment,
        seconds: float,
        error: ExchangeError | None,
        *,
        reading: bool = False,
    ) -> None:
        for witness in self._witnesses:
            witness.saw(venue, environment, seconds, error, reading=reading)


@cache
def breaker() -> Breaker:
    return Breaker()


@cache
def meter() -> Meter:
    return Meter()


class KeyRing:
    """Opened credentials in this process's memory, for minutes. Named by the sealed text: a replaced key is
    another text, so that it takes effect with the next order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[float, Credentials]] = OrderedDict()

    def open(self, user: str, account: JobAccount) -> Credentials:
        """Raises accounts.vault.VaultError."""
        now = time.monotonic()
        with self._lock:
            self._drop_old(now)
            if (held := self._held.get(account.sealed)) is not None:
                return held[1]
        opened = vault.unseal(account.sealed, user=user, account=account.public_id, exchange=account.exchange)
        with self._lock:
            self._held[account.sealed] = (now, opened)
        return opened

    def _drop_old(self, now: float) -> None:
        while self._held:
            opened_at, _ = next(iter(self._held.values()))
            if now - opened_at < KEYS_SECONDS and len(self._held) < KEPT:
                return
            self._held.popitem(last=False)


class FactBook:
    """Facts of accounts at venues, for some minutes, so that an order needs no question first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._facts: dict[tuple[str, str, int], Facts] = {}

    def of(self, account: str, venue: str, sealed: str) -> Facts:
        """Another key may belong to another account of the exchange: nothing is taken over from the one before."""
        key = (account, venue.lower(), hash(sealed))
        now = time.monotonic()
        with self._lock:
            facts = self._facts.get(key)
            if facts is None or now - facts.read_at > FACTS_SECONDS:
                if len(self._facts) >= KEPT:
                    self._facts.clear()
                facts = self._facts[key] = Facts(read_at=now)
            return facts

    def forget(self, account: str) -> None:
        with self._lock:
            for key in [key for key in self._facts if key[0] == account]:
                del self._facts[key]


@cache
def keyring() -> KeyRing:
    return KeyRing()


@cache
def facts() -> FactBook:
    return FactBook()
