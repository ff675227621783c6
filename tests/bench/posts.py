"""(c): from a POST to flipr to the order at the exchange, and to the protected answer."""

from __future__ import annotations

import itertools
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from exchanges.registry import venues
from exchanges.types import Product
from tests.bench.counterparts import keep_alive
from tests.bench.spread import Spread
from tests.stack import Stack, Trader

ENTRY = "BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%"
CLOSE = "BTCUSDT on {venue} close long 100%"
#: the venues whose times have an aim -> which of the user's keys opens them
VENUES = {"Binance_F": "binance", "ByBit_F": "bybit", "Kraken_F": "kraken_futures"}
#: Kraken allows the fewest: 500 a key and ten seconds, of which an entry, its protection and its close take some 70
REST_SECONDS = 2.0
#: before each order that is timed: what the one before leaves to be written is written by then. What happens when
#: orders do not wait for each other is told by `saturation`
PAUSE_SECONDS = 0.05


def one_of_each() -> dict[str, str]:
    """As `VENUES`, of every exchange the perpetuals in dollars."""
    return {kind.name: kind.key_family for kind in venues().values() if kind.product is Product.LINEAR}


@dataclass(frozen=True, slots=True)
class Posted:
    """One entry. `sent_ns` is this machine's wall clock, as the sandbox's is."""

    trader: Trader
    sent_ns: int
    client_id: str
    answer_ms: float
    timing_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class Times:
    to_exchange: Spread
    to_answer: Spread
    #: medians of the answer's `timing_ms`, in the order of the steps
    waterfall: dict[str, float]


@dataclass
class Caller:
    """Posts over one keep-alive connection, as TradingView does at best. `kind` keeps series of posts apart."""

    stack: Stack
    traders: list[Trader]
    venues: Mapping[str, str] = field(default_factory=lambda: VENUES)
    posted: dict[tuple[str, str], list[Posted]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self._connection = keep_alive(self.stack.web)
        self._turn = {venue: itertools.cycle(self.traders) for venue in self.venues}
        names = tuple(self.venues)
        self._order = itertools.cycle([names[n:] + names[:n] for n in range(len(names))])
        self._rested_at: dict[tuple[str, str], float] = {}

    def warm_up(self) -> None:
        """Each account once at each venue: what an account's first order asks the exchange is asked now."""
        for _ in self.traders:
            self.round("warm-up")

    def round(self, kind: str) -> None:
        """At each venue, open and protect a position, then close it: only the first is measured. Each venue is first
        in turn: the first one meets a service that has rested longest."""
        for venue in next(self._order):
            trader = next(self._turn[venue])
            self._await_allowance(trader, venue)
            time.sleep(PAUSE_SECONDS)
            self.posted[kind, venue].append(self._entry(trader, venue))
            self._post(trader, CLOSE.format(venue=venue))

    def _await_allowance(self, trader: Trader, venue: str) -> None:
        """Exchanges allow a key so many orders a second: no key is used sooner than that."""
        now = time.monotonic()
        rested_at = self._rested_at.get((trader.url, venue), now)
        time.sleep(max(rested_at - now, 0))
        self._rested_at[trader.url, venue] = time.monotonic() + REST_SECONDS

    def _entry(self, trader: Trader, venue: str) -> Posted:
        sent_ns, started = time.time_ns(), time.perf_counter()
        body = self._post(trader, ENTRY.format(venue=venue))
        taken = (time.perf_counter() - started) * 1000
        (result,) = body["results"]
        if result["protection"]["status"] != "armed":
            raise RuntimeError(f"{venue}: the position is not protected: {body}")
        return Posted(trader, sent_ns, result["client_id"], taken, body["timing_ms"])

    def _post(self, trader: Trader, text: str) -> dict[str, Any]:
        self._connection.request("POST", urlsplit(trader.url).path + "?wait=15", text)
        body: dict[str, Any] = json.loads(self._connection.getresponse().read())
        if body["status"] != "done":
            raise RuntimeError(f"{text}: {body}")
        return body

    def times(self, kind: str) -> dict[str, Times]:
        return {venue: self._times(venue, self.posted[kind, venue]) for venue in self.venues}

    def _times(self, venue: str, posted: list[Posted]) -> Times:
        calls = {
            url: self.stack.state(trader, venue, self.venues[venue])["calls"]
            for url, trader in {each.trader.url: each.trader for each in posted}.items()
        }
        return Times(
            Spread.of((_arrived_ns(each, calls[each.trader.url]) - each.sent_ns) / 1e6 for each in posted),
            Spread.of(each.answer_ms for each in posted),
            _waterfall([each.timing_ms for each in posted]),
        )


def _arrived_ns(order: Posted, calls: list[dict[str, Any]]) -> int:
    """When the exchange first read its id, wherever that stands in the call."""
    return next(int(each["received_ns"]) for each in calls if order.client_id in str(each["params"]))


def _waterfall(timings: list[dict[str, float]]) -> dict[str, float]:
    steps = [step for step in timings[0] if all(step in timing for timing in timings)]
    return {step: round(statistics.median(timing[step] for timing in timings), 2) for step in steps}
