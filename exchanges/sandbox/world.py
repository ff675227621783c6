"""All simulated exchanges of one process: venues, accounts, prices, faults, the log of calls.

Pure of sockets and time: `answer` takes a request and says what becomes of it, `now_ms` is given.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import pkgutil
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, partial
from typing import Any

from exchanges.sandbox import dialects
from exchanges.sandbox.dialect import Dialect, Route
from exchanges.sandbox.engine import Conditions, Desk
from exchanges.sandbox.faults import Fault, Faults, Kind
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded, Limit, Meter, Owner
from exchanges.sandbox.model import Order, Reason, Rejected
from exchanges.sandbox.prices import Prices
from exchanges.sandbox.wire import Answered, Call, Reply
from exchanges.types import PositionMode, Product

CALLS_KEPT = 20_000
_COINS = {"BTC": "100", "ETH": "1000", "SOL": "10000", "XRP": "1000000", "DOGE": "1000000", "LTC": "10000"}
DEFAULT_BALANCES = {
    **{dollar: Decimal(1_000_000) for dollar in ("USDT", "USDC", "USD")},
    **{coin: Decimal(amount) for coin, amount in _COINS.items()},
}
_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class LoggedCall:
    number: int
    venue: str
    key: str
    method: str
    path: str
    params: Mapping[str, Any]
    time_ms: int
    received_ns: int
    fault: str


@dataclass(slots=True)
class Outcome:
    """`reply` None: close the connection without a word. `later`: (after ms, what to do)."""

    reply: Reply | None
    delay_ms: int = 0
    later: list[tuple[int, Callable[[], None]]] = field(default_factory=list)


@cache
def dialect_classes() -> tuple[type[Dialect], ...]:
    """Every dialect under `dialects/`, in the order of their files; a class without a name is a base."""
    found: list[type[Dialect]] = []
    for module in pkgutil.iter_modules(dialects.__path__):
        loaded = importlib.import_module(f"{dialects.__name__}.{module.name}")
        for _, item in inspect.getmembers(loaded, inspect.isclass):
            if issubclass(item, Dialect) and item.__module__ == loaded.__name__ and hasattr(item, "name"):
                found.append(item)
    return tuple(found)


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


class World:
    def __init__(self, *, now_ms: Callable[[], int] = wall_ms) -> None:
        self.now_ms = now_ms
        self.prices = Prices()
        self.faults = Faults()
        self.meter = Meter()
        self.reset()

    def reset(self) -> None:
        """As if just started: no accounts, orders, faults or calls; limits enforced; prices at their start."""
        self.prices.reset()
        self.faults.clear()
        self.meter.reset()
        self.meter.enforce = True
        self.calls: deque[LoggedCall] = deque(maxlen=CALLS_KEPT)
        self.failed: deque[LoggedCall] = deque(
            maxlen=CALLS_KEPT
        )  # hit by a fault: kept longer than the others
        self._call_numbers = itertools.count(1)
        self.accounts: dict[str, dict[str, Account]] = {}
        self.venues: dict[str, Dialect] = dict(self._open())

    def _open(self) -> Iterator[tuple[str, Dialect]]:
        families: dict[str, dict[Product, Desk]] = {}
        numbers: dict[str, Iterator[int]] = {}
        for kind in dialect_classes():
            desks = families.setdefault(kind.family, {})
            desks[kind.product] = Desk(
                kind.name,
                kind.markets,
                kind.rules,
                price_of=self.prices.of,
                now_ms=self.now_ms,
                numbers=numbers.setdefault(kind.family, itertools.count(1_000_001)),
            )
        for kind in dialect_classes():
            accounts = self.accounts.setdefault(kind.family, {})
            yield kind.name.lower(), kind(families[kind.family], accounts)

    # -- control ---------------------------------------------------------------------------------------

    def set_price(self, base: str, quote: str, price: Decimal) -> None:
        for moved in self.prices.set(base, quote, price):
            for venue in self.venues.values():
                venue.desk.price_moved(*moved)

    def open_account(
        self,
        family: str,
        *,
        credentials: tuple[str, str, str] | None = None,
        balances: Mapping[str, Decimal] | None = None,
        position_mode: PositionMode = PositionMode.ONE_WAY,
        permissions: frozenset[str] = frozenset({"read", "trade"}),
    ) -> Account:
        """A new account of a key family, or the one that has this key already. Raises KeyError."""
        venues = [venue for venue in self.venues.values() if venue.family == family]
        if not venues:
            raise KeyError(family)
        key, secret, passphrase = credentials or venues[0].credentials()
        if (known := self.accounts[family].get(key)) is not None:
            return known
        money = DEFAULT_BALANCES if balances is None else balances
        account = Account(
            key,
            secret,
            passphrase,
            permissions=permissions,
            wallets={venue.rules.wallet: dict(money) for venue in venues},
            created_ms=self.now_ms(),
        )
        for venue in venues:
            book = venue.desk.book(account)
            if venue.product is not Product.SPOT and venue.rules.hedges:
                book.position_mode = position_mode
        self.accounts[family][key] = account
        return account

    # -- one request -----------------------------------------------------------------------------------

    def answer(self, venue_name: str, call: Call) -> Outcome:
        venue_name = self.venues[venue_name].venue_of(call.path).lower()
        dialect = self.venues[venue_name]
        call = dialect.unwrapped(call)
        found = dialect.find(call.method, call.path)
        trading = found is not None and found[0].trading
        drawn = self.faults.draw(venue_name, f"{call.method} {call.path}", trading)
        self._log(dialect, call, drawn)
        if found is None:
            return Outcome(dialect.refuse(Reason.UNKNOWN_PATH, call.path, call))
        call.parts = found[1]
        outcome = Outcome(
            None, drawn[Kind.DELAY].delay_ms if Kind.DELAY in drawn else _held_ms(dialect, call)
        )
        outcome.reply = self._faulty_before(dialect, call, drawn)
        if outcome.reply is not None or Kind.DROP_BEFORE in drawn:
            return outcome
        outcome.reply = self._processed(dialect, found[0], call, drawn, outcome)
        return self._faulty_after(drawn, outcome)

    def _faulty_before(self, dialect: Dialect, call: Call, drawn: Mapping[Kind, Fault]) -> Reply | None:
        if Kind.HTTP_500 in drawn:
            return dialect.refuse(Reason.INTERNAL, "", call)
        if Kind.MAINTENANCE in drawn:
            return dialect.refuse(Reason.MAINTENANCE, "", call)
        if Kind.THROTTLE in drawn:
            limit = dialect.limits[0] if dialect.limits else Limit("any", "any", 0)
            return dialect.throttled(Exceeded(limit, 1, banned=False), call)
        return None

    @staticmethod
    def _faulty_after(drawn: Mapping[Kind, Fault], outcome: Outcome) -> Outcome:
        if Kind.DROP_AFTER in drawn:
            outcome.reply = None
        elif Kind.HTTP_503 in drawn:
            outcome.reply = Reply(b"Unknown error, please check your request or try again later.", 503, _TEXT)
        elif Kind.NOT_JSON in drawn:
            outcome.reply = Reply(_PAGE, 200, _TEXT)
        return outcome

    def _processed(
        self, dialect: Dialect, route: Route, call: Call, drawn: Mapping[Kind, Fault], outcome: Outcome
    ) -> Reply:
        with_conditions = Conditions(
            share=drawn[Kind.PARTIAL_FILL].share if Kind.PARTIAL_FILL in drawn else Decimal(1),
            slow=Kind.SLOW_FILL in drawn,
            refuse_stops=Kind.REJECT_STOP in drawn,
        )
        for desk in dialect.desks.values():
            desk.conditions = with_conditions
        try:
            reply = self._handled(dialect, route, call)
        finally:
            for desk in dialect.desks.values():
                desk.conditions = Conditions()
        for account, order in with_conditions.slowed:
            outcome.later.append(
                (drawn[Kind.SLOW_FILL].delay_ms, partial(self._resume, dialect, account, order))
            )
        return reply

    @staticmethod
    def _resume(dialect: Dialect, account: Account, order: Order) -> None:
        dialect.desks[order.market.product].resume(account, order)

    def _handled(self, dialect: Dialect, route: Route, call: Call) -> Reply:
        costs = dialect.costs(route, call)
        try:
            if (over := self._charge(dialect, costs, call, Owner.ADDRESS)) is not None:
                return dialect.throttled(over, call)
            if not route.public:
                call.signed_by = dialect.authenticate(call)
                if (over := self._charge(dialect, costs, call, Owner.ACCOUNT)) is not None:
                    return dialect.throttled(over, call)
            data = getattr(dialect, route.handler)(call)
            reply = data if isinstance(data, Reply) else Reply(data)
        except Answered as answered:
            reply = answered.reply
        except Rejected as refused:
            reply = dialect.refuse(refused.reason, refused.detail, call)
        except Exception:  # noqa: BLE001 - a fault of the sandbox must look like one, and be seen
            traceback.print_exc(file=sys.stderr)
            reply = dialect.refuse(Reason.INTERNAL, "", call)
        reply.headers.update(dialect.usage_headers(self._used(dialect, costs, call)))
        return reply

    def _charge(
        self, dialect: Dialect, costs: Mapping[str, int], call: Call, owner: Owner
    ) -> Exceeded | None:
        for limit in dialect.limits:
            cost = costs.get(limit.counts, 0)
            if limit.owner is owner and cost:
                over = self.meter.charge(limit, self._owner(dialect, limit, call), cost, call.now_ms)
                if over is not None:
                    return over
        return None

    def _used(self, dialect: Dialect, costs: Mapping[str, int], call: Call) -> dict[str, int]:
        return {
            limit.name: self.meter.used(limit, self._owner(dialect, limit, call), call.now_ms)
            for limit in dialect.limits
            if limit.counts in costs and (limit.owner is Owner.ADDRESS or call.signed_by)
        }

    @staticmethod
    def _owner(dialect: Dialect, limit: Limit, call: Call) -> str:
        """One venue's limits are not another's, unless they say so."""
        whose = dialect.metered_as or dialect.name
        if limit.owner is Owner.ADDRESS or call.signed_by is None:
            return f"{whose} {call.address}"
        return f"{whose} {call.signed_by.fingerprint}"

    def _log(self, dialect: Dialect, call: Call, drawn: Mapping[Kind, Fault]) -> None:
        try:
            params = dict(call.params)
        except Rejected:
            params = {}
        for secret in dialect.unlogged:
            params.pop(secret, None)
        key = dialect.key_of(call)
        account = self.accounts[dialect.family].get(key)
        logged = LoggedCall(
            number=next(self._call_numbers),
            venue=dialect.name,
            key=account.fingerprint if account else "",
            method=call.method,
            path=call.path,
            params=params,
            time_ms=call.now_ms,
            received_ns=call.received_ns,
            fault=",".join(drawn),
        )
        self.calls.append(logged)
        if drawn:
            self.failed.append(logged)


def _held_ms(dialect: Dialect, call: Call) -> int:
    """Who numbers requests by the millisecond has his answer in the next one: no real exchange is so near that he would
    use a number twice."""
    try:
        nonce = dialect.nonce_of(call)
    except Rejected:  # what is no request has no number
        return 0
    return int(len(nonce) == len(str(call.now_ms)) and nonce >= str(call.now_ms))


_TEXT = {"content-type": "text/html; charset=utf-8"}
