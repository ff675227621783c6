"""Whose turn it is to be looked at: urgent when the price has come to a level, or something is left to be done, else in
rotation.

Exchanges meter requests per address, so not every account can be looked at every second. A leg can only have
triggered when its price was reached; the price is public, one question serves all users. What a price does not
tell (a position closed by hand, a wick between two looks) the rotation finds.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import redis
from django.conf import settings

from exchanges.caller import UNTOLD_SECONDS
from exchanges.errors import ExchangeError, Throttled
from exchanges.pool import Connection
from exchanges.registry import venue_class
from exchanges.types import Direction, Environment, Instrument, Quote
from execution import beside, book, mishap
from execution.brokers import region_redis
from execution.protection import Guarded, LegKind, LegState

log = logging.getLogger(__name__)
#: a round waits so long for prices; what comes later is for the next
PRICES_SECONDS = 1.0
#: prices asked per venue and round; with more instruments they take turns
PRICES_PER_ROUND = 5
#: an account is looked at this often when nothing happens, if the exchange's limits allow it
ROTATION_SECONDS = 3.0
#: and is not left alone for longer, whatever it waits for
LONGEST_REST_SECONDS = ROTATION_SECONDS * 4
MEMORY_SECONDS = 3600
#: those that are urgent have so many times the looks of the rotation, all of them together: more would use up what orders
#: and stops need
HASTE = 3
#: prices of an exchange that refused one for rate rest so much longer than its limits do: looks, which the refusal held up
#: as well, go first
LOOKS_FIRST_SECONDS = 15.0
_lock = threading.Lock()
#: (account, venue) whose price has come to a level, as far as no round has taken it up
_reached: set[tuple[str, str]] = set()


@dataclass(frozen=True, slots=True)
class Trigger:
    """Urgent when the price is at or above (`rising`), or at or below, `level`."""

    level: Decimal
    rising: bool

    def reached(self, quote: Quote) -> bool:
        highest, lowest = max(quote.ask, quote.last), min(quote.bid, quote.last)
        return highest >= self.level if self.rising else lowest <= self.level


@dataclass(frozen=True, slots=True)
class Watched:
    """One bracket, as far as pacing needs it."""

    account: str
    venue: str
    environment: Environment
    instrument: str
    triggers: tuple[Trigger, ...]
    #: something is to be done about it, whatever the price (`execution.watched`)
    unsettled: bool = False


def triggers(bracket: Guarded) -> Iterator[Trigger]:
    """The levels at which something happens to a bracket."""
    long = bracket.direction is Direction.LONG
    if bracket.entry_open and bracket.entry_level is not None:
        # a limit entry fills on the way down for a long, a stop entry on the way up
        yield Trigger(bracket.entry_level, rising=long == bracket.entry_conditional)
    if bracket.in_doubt:
        yield Trigger(Decimal(0), rising=True)  # at any price
    for leg in bracket.live():
        if leg.status in (LegState.OPEN, LegState.WATCHED):
            yield Trigger(leg.price, rising=(leg.kind is LegKind.TARGET) == long)


def due(
    region: str, watched: Iterable[Watched], clock: Callable[[], float] = time.time
) -> list[tuple[str, str]]:
    """(account, venue) to look at now; they are marked as looked at."""
    everything, now = list(watched), clock()
    urgent = _urgent(everything, now)
    unsettled = {(each.account, each.venue) for each in everything if each.unsettled}
    by_venue: dict[str, set[str]] = {}
    for each in everything:
        by_venue.setdefault(each.venue, set()).add(each.account)
    chosen = [
        (account, venue)
        for venue, accounts in sorted(by_venue.items())
        for account in _due_at(
            venue, sorted(accounts), urgent, _rested(region, venue, accounts, now), unsettled
        )
    ]
    mark(region, chosen, now)
    return chosen


def _rested(region: str, venue: str, accounts: Iterable[str], now: float) -> dict[str, float]:
    """Seconds since each account was looked at."""
    names = list(accounts)
    times = region_redis(region).hmget(f"looked:{venue}", names)
    return {name: now - float(str(at or 0)) for name, at in zip(names, times, strict=True)}


def _due_at(
    venue: str,
    accounts: list[str],
    urgent: set[tuple[str, str]],
    rested: dict[str, float],
    unsettled: Collection[tuple[str, str]] = (),
) -> list[str]:
    """The urgent ones, and of the others who rested longest, as many as make the rotation even: accounts that
    were taken up together would otherwise be looked at in step ever after. What is unsettled has its looks as often as
    where few are looked after."""
    hurry = [each for each in accounts if (each, venue) in urgent or (each, venue) in unsettled]
    soon = _gap_seconds(venue, len(hurry), urgent=True)
    rotation = max(soon, _gap_seconds(venue, 0, urgent=False))
    gap = _gap_seconds(venue, len(accounts), urgent=False)
    pressing = [each for each in hurry if rested[each] >= (soon if (each, venue) in urgent else rotation)]
    others = [each for each in accounts if each not in pressing and rested[each] >= gap]
    others.sort(key=lambda each: -rested[each])
    return pressing + others[: math.ceil(len(accounts) * settings.SUPERVISE_SECONDS / gap)]


def _gap_seconds(venue: str, accounts: int, *, urgent: bool) -> float:
    """How long an account rests between two looks, less a little for the jitter of the beat."""
    kind = venue_class(venue)
    fair_share = accounts * 60 / kind.looks_per_minute
    if urgent:
        return max(kind.look_seconds, fair_share / HASTE) * 0.8
    return max(kind.look_seconds, ROTATION_SECONDS, fair_share) * 0.9


def rotation_seconds(venue: str, accounts: int) -> float:
    """How long an account rests between two looks when so many are looked after."""
    return _gap_seconds(venue, accounts, urgent=False)


def rest(region: str, account: str, venue: str, seconds: float) -> None:
    """A look that the exchange's limits cut short comes again when there is room for all of it: its first questions,
    asked over and over, would use up what its last one waits for."""
    mark(region, [(account, venue)], time.time() + min(seconds, LONGEST_REST_SECONDS))


def wake(region: str, account: str, venue: str) -> None:
    """It need not rest any longer."""
    try:
        region_redis(region).hdel(f"looked:{venue}", account)
    except redis.RedisError as error:
        log.warning("%s on %s is looked at in its turn: %s", account, venue, type(error).__name__)


def mark(region: str, chosen: list[tuple[str, str]], now: float) -> None:
    """They are looked at now: their next turn is counted from here."""
    if not chosen:
        return
    pipe = region_redis(region).pipeline(transaction=False)
    for account, venue in chosen:
        pipe.hset(f"looked:{venue}", account, str(now))
        pipe.expire(f"looked:{venue}", MEMORY_SECONDS)
    pipe.execute()


def _urgent(watched: list[Watched], now: float) -> set[tuple[str, str]]:
    wanted: dict[tuple[str, Environment], dict[str, list[Watched]]] = {}
    for each in watched:
        if each.triggers:
            wanted.setdefault((each.venue, each.environment), {}).setdefault(each.instrument, []).append(each)
    pieces = {
        f"prices of {venue} ({environment})": partial(_ask_prices, venue, environment, by_symbol, now)
        for (venue, environment), by_symbol in wanted.items()
    }
    beside.run(pieces, PRICES_SECONDS)
    with _lock:
        found = set(_reached)
        _reached.clear()
    return found


def _ask_prices(
    venue: str, environment: Environment, by_symbol: dict[str, list[Watched]], now: float
) -> None:
    for symbol in _turn(sorted(by_symbol), venue_class(venue).prices_per_minute, now):
        quote = _quote(venue, environment, symbol, now)
        if quote is None:
            continue
        reached = {
            (each.account, each.venue)
            for each in by_symbol[symbol]
            if any(trigger.reached(quote) for trigger in each.triggers)
        }
        with _lock:
            _reached.update(reached)


def _turn(symbols: list[str], per_minute: float, now: float) -> list[str]:
    """Some of them; over the rounds, all, and no more a minute than the exchange's limits spare for it."""
    allowed = per_minute * settings.SUPERVISE_SECONDS / 60
    number = int(now / settings.SUPERVISE_SECONDS)
    if allowed < 1:
        every = math.ceil(1 / allowed)
        if number % every:
            return []
        number //= every
    count = max(1, min(PRICES_PER_ROUND, int(allowed)))
    if len(symbols) <= count:
        return symbols
    start = number * count % len(symbols)
    return (symbols + symbols)[start : start + count]


def _quote(venue: str, environment: Environment, symbol: str, now: float) -> Quote | None:
    with mishap.caught(f"asking for the price of {symbol} on {venue}"):
        try:
            book.breaker().admit(venue, environment)
            connection = book.pool().connection(venue, environment)
            instrument = connection.table.by_symbol(symbol)
            if instrument is None or now < connection.prices_rest_until:
                return None
            return _price(connection, instrument, now)
        except ExchangeError as error:
            log.warning("the price of %s on %s is not known: %s", symbol, venue, error.kind)
    return None


def _price(connection: Connection, instrument: Instrument, now: float) -> Quote:
    try:
        return connection.venue.quote(instrument)
    except Throttled as error:
        told = UNTOLD_SECONDS if error.retry_after is None else error.retry_after
        connection.prices_rest_until = now + told + LOOKS_FIRST_SECONDS
        raise
