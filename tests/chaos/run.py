"""The proofs from beginning to end: service up, storm or load, wait until all is settled, check, figures."""

from __future__ import annotations

import json
import os
import secrets
import signal
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import redis

from exchanges.registry import venue_class, venues
from exchanges.sandbox.world import dialect_classes
from exchanges.types import Product
from execution.starved import MEMORY_SECONDS
from flipr.embedded import LOCAL
from tests.chaos.books import Books, Holder, read_books, restless, unsettled
from tests.chaos.checker import BOUND_SECONDS, Findings, check, check_load
from tests.chaos.load import post_within, summary
from tests.chaos.plan import FAULTS, PAIRS, WORKERS, Plan, make_plan
from tests.chaos.servers import Breakable
from tests.chaos.storm import Storm
from tests.chaos.told import Told, Trouble
from tests.chaos.vitals import leaks, sample, table
from tests.stack import Stack, Trader, wait_for

LOGS = LOCAL / "chaos" / f"logs-{os.getpid()}"

TRADERS = 4
#: a storm of so many messages has everything; a shorter one does not wait out the minute for which an exchange is left
#: alone that throttles and does not say for how long
LONG = 400
SHORT_FAULTS = tuple(each for each in FAULTS if each != "throttle")
GAP_SECONDS = 0.1
#: the sandbox takes nothing in later than its longest delay; a message may be sent until it is ten seconds old
GIVE_UP_SECONDS = 20.0
SETTLED_SECONDS = 180.0
#: no change for so long: every account that has something to protect was looked at meanwhile, but those that the limits of
#: an exchange hold up
QUIET_SECONDS = 6.0
#: what they refuse is asked again sooner
REFUSED_SECONDS = 20
NO_COINS = {"USDT": "5000000", "USD": "5000000", "USDC": "5000000"}
#: for those who margin contracts with them
COINS = {"BTC": "100", "ETH": "2000"}


def say(line: str) -> None:
    print(line, flush=True)


@contextmanager
def service() -> Iterator[Stack]:
    stack = Stack(LOGS)
    stack.environment["GIVE_UP_SECONDS"] = str(GIVE_UP_SECONDS)
    try:
        stack.start()
        with stack.reached():
            yield stack
    finally:
        stack.stop()


def sandbox_venues() -> list[str]:
    """Every venue that flipr trades and the sandbox speaks."""
    spoken = {kind.name for kind in dialect_classes()}
    return sorted(kind.name for kind in venues().values() if kind.name in spoken)


def new_traders(stack: Stack, traded: Sequence[Collection[str]]) -> list[Trader]:
    """One for each set of venues, with dollars and without coins: what is held on spot was bought here. Coins have the
    accounts that margin contracts with them."""
    return [stack.new_trader(tuple(money), balances_of=money) for money in map(_money, traded)]


def _money(names: Collection[str]) -> dict[str, dict[str, str]]:
    """By key family."""
    kinds = [venue_class(name) for name in names]
    with_coins = {kind.key_family for kind in kinds if kind.product is Product.INVERSE}
    families = sorted({kind.key_family for kind in kinds})
    return {name: NO_COINS | (COINS if name in with_coins else {}) for name in families}


def traded_by(plan: Plan) -> list[set[str]]:
    """The venues of each trader."""
    return [{lane.venue for lane in plan.lanes if lane.trader == trader} for trader in range(TRADERS)]


def storm(
    servers: Breakable, commands: int, seed: int | None, only: Collection[str] = (), *, ids: bool = False
) -> int:
    """`only`: these venues; `ids`: every message has one."""
    seed = seed or secrets.randbelow(10**6) + 1
    rounds = max(1, commands // 400)
    struck = [name for name in sandbox_venues() if not only or name in only]
    stopless = [name for name in struck if not venue_class(name).features.conditional]
    faults = FAULTS if commands >= LONG else SHORT_FAULTS
    plan = make_plan(
        seed, commands, TRADERS, struck, stopless=stopless, faults=faults, rounds=rounds, ids=ids
    )
    say(f"storm of {commands} messages, seed {seed}, over {', '.join(struck)}")
    with service() as stack:
        traders = new_traders(stack, traded_by(plan))
        for pair, price, _ in PAIRS.values():
            stack.price(pair, str(price))
        storm = Storm(stack, servers, traders, plan)
        told = storm.run(GAP_SECONDS)
        took = wait_settled(stack)
        findings = _checked(stack, traders, told, plan, storm.troubles())
        findings.figures["settled after, s"] = round(took, 1)
        if not findings.clean:
            _ask_workers(stack)
            say(
                f"everything that was read is in {_keep(seed, told, findings)}, the processes' words in {LOGS}"
            )
    say(f"{findings.as_text()}\nseed {seed}: {'nothing found' if findings.clean else 'FOUND'}")
    return 0 if findings.clean else 1


def _ask_workers(stack: Stack) -> None:
    """Celery's workers write to their logs what each thread is at."""
    for name in WORKERS:
        os.kill(stack.processes.pid(name), signal.SIGUSR1)
    time.sleep(1.0)


def wait_settled(stack: Stack) -> float:
    """Until no order's end is open and nothing changes any more, within a bound; how long that took. What is not
    settled then is for the checker to find."""
    begun = time.monotonic()
    quiet = _Quiet(stack)
    while not quiet.reached() and time.monotonic() - begun < SETTLED_SECONDS:
        time.sleep(0.25)
    took = time.monotonic() - begun
    if took >= SETTLED_SECONDS:
        say("still restless: " + "; ".join(restless(_database(stack))))
    return took


class _Quiet:
    def __init__(self, stack: Stack) -> None:
        self._url = _database(stack)
        self._redis = redis.Redis.from_url(stack.redis_url)
        self._seen: tuple[int, int, int] | None = None
        self._since = time.monotonic()
        self._calm_since = time.time()

    def reached(self) -> bool:
        now = unsettled(self._url, self._calm_since)
        if now != self._seen:
            self._seen, self._since = now, time.monotonic()
        return now[0] == 0 and time.monotonic() - self._since >= QUIET_SECONDS and not self._held_up()

    def _held_up(self) -> bool:
        refused = self._redis.scan_iter("starved:*:*")
        return any(self._redis.ttl(each) > MEMORY_SECONDS - REFUSED_SECONDS for each in refused)


def _checked(
    stack: Stack, traders: list[Trader], told: list[Told], plan: Plan, outages: list[Trouble]
) -> Findings:
    """Protection and orphans have until the bound; what was sent twice or contradicted stays so."""
    holders = [_holder(each) for each in traders]
    users = [each.user for each in holders]
    deadline = time.monotonic() + BOUND_SECONDS
    while True:
        books = read_books(stack.environment["DATABASE_URL"], stack.sandbox, holders)
        findings = check(told, books, plan.lanes, users, outages + _failures(books))
        findings.books = books
        if findings.clean or time.monotonic() > deadline:
            return findings
        time.sleep(1.0)


def _failures(books: Books) -> list[Trouble]:
    """When an exchange failed an account, with the time for which it had to be left alone after refusing it."""
    return [
        Trouble(at / 1000, at / 1000 + shut_out_seconds(owner[1]), owner)
        for owner, state in books.sandbox.items()
        for at in state["failed_ms"]
    ]


def shut_out_seconds(venue: str) -> float:
    """How long an exchange that throttles without saying for how long is left alone: its window, half a minute at most."""
    windows = [bucket.window_seconds for bucket in venue_class(venue).buckets.values()]
    return min(max(windows, default=0.0), 30.0)


def _keep(seed: int, told: list[Told], findings: Findings) -> Path:
    path = LOCAL / "chaos" / f"found-{seed}.json"
    assert findings.books is not None
    path.write_text(json.dumps({"told": told, "books": _named(findings.books)}, default=_plain, indent=1))
    return path


def _named(books: Books) -> dict[str, object]:
    sandbox = {f"{user} {venue}": state for (user, venue), state in books.sandbox.items()}
    return {**_fields(books), "sandbox": sandbox}


def _fields(value: Any) -> dict[str, object]:
    return {each.name: getattr(value, each.name) for each in fields(value)}


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    return str(value)


def _holder(trader: Trader) -> Holder:
    families = {name: venue_class(name).key_family for name in sandbox_venues()}
    keys = {name: trader.keys[family] for name, family in families.items() if family in trader.keys}
    return Holder(trader.user.pk, trader.url, keys)


# --- Load -------------------------------------------------------------------------------------------------
LOAD_VENUES = ("Binance_F", "ByBit_F", "Kraken_F")
LOAD_TRADERS = 30


def load(count: int) -> int:
    """Everybody at once: `count` deliveries within one second. Answered 200 or 202, none lost, all resolved."""
    with service() as stack:
        stack.control("limits", {"enforce": False})
        traders = new_traders(stack, [LOAD_VENUES] * LOAD_TRADERS)
        messages = _load_messages(traders, count)
        posted = post_within(1.0, messages)
        begun = time.monotonic()
        wait_for(
            "every order has its end", lambda: not unsettled(_database(stack))[0], seconds=SETTLED_SECONDS
        )
        drained = time.monotonic() - begun
        figures = summary(posted) | {"drained after the last answer, s": round(drained, 2)}
        books = read_books(_database(stack), stack.sandbox, [_holder(each) for each in traders])
    findings = check_load(posted, books)
    findings.figures = figures | findings.figures
    say(findings.as_text())
    return 0 if findings.clean else 1


def _load_messages(traders: list[Trader], count: int) -> list[tuple[str, str]]:
    found = []
    for number in range(count):
        trader, venue = traders[number % len(traders)], LOAD_VENUES[number // len(traders) % len(LOAD_VENUES)]
        found.append((trader.url, f'BTCUSDT on {venue} market long 0.01 note "n{number}" id l{number}'))
    return found


def _database(stack: Stack) -> str:
    return stack.environment["DATABASE_URL"]


# --- Soak -------------------------------------------------------------------------------------------------
SOAK_PER_SECOND = 5
SAMPLES = 40


def soak(minutes: float) -> int:
    """A steady load of trades that open, are protected and closed; memory and connections on the way."""
    with service() as stack:
        traders = new_traders(stack, [LOAD_VENUES] * 10)
        samples = [sample(stack)]
        each_seconds = minutes * 60 / SAMPLES
        statuses: Counter[int] = Counter()
        for number in range(SAMPLES):
            messages = _soak_messages(traders, number, int(each_seconds * SOAK_PER_SECOND))
            statuses.update(each.status for each in post_within(each_seconds, messages))
            samples.append(sample(stack))
        took = wait_settled(stack)
    say(table(samples))
    found = leaks(samples)
    say(f"  answers {dict(statuses)}; settled {took:.1f} s after\n" + "\n".join(found or ["  nothing grew"]))
    return 1 if found or set(statuses) - {200, 202} else 0


def _soak_messages(traders: list[Trader], part: int, count: int) -> list[tuple[str, str]]:
    """Open and close in turn, each trader on each venue."""
    found = []
    for number in range(count):
        trader = traders[number // 2 % len(traders)]
        venue = LOAD_VENUES[number // (2 * len(traders)) % len(LOAD_VENUES)]
        step = "close" if number % 2 else "market long 0.01 sl off 2% tp off 5%"
        found.append((trader.url, f'BTCUSDT on {venue} {step} note "s{part}-{number}"'))
    return found
