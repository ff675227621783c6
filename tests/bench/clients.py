"""(a) and (b): the same order by a raw keep-alive client and by the venue, without anything else of flipr."""

from __future__ import annotations

import http.client
import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from exchanges.pool import Connection, Pool
from exchanges.types import Environment, Instrument, OrderRequest, OrderType, Side
from exchanges.venue import Venue
from tests.bench.counterparts import Way, control, keep_alive, open_key
from tests.bench.spread import Spread

VENUE = "Binance_F"
#: the exchange's own limit per key and ten seconds is 300 orders: each key of a run stays below it
#: odd, so that each key buys and sells in turn
KEYS = 7


@dataclass(frozen=True, slots=True)
class Rounds:
    """How often each kind of order is placed."""

    raw: int
    warm: int
    new_connection: int
    cold: int
    blocks: int

    def per_block(self) -> dict[str, int]:
        counts = {
            "raw": self.raw,
            "warm": self.warm,
            "new_connection": self.new_connection,
            "cold": self.cold,
        }
        return {kind: max(1, count // self.blocks) for kind, count in counts.items()}


NEAR = Rounds(raw=400, warm=400, new_connection=60, cold=40, blocks=20)
FAR = Rounds(raw=60, warm=60, new_connection=20, cold=20, blocks=10)
QUICK = Rounds(raw=6, warm=6, new_connection=2, cold=2, blocks=2)


@dataclass(frozen=True, slots=True)
class Measured:
    """Times by kind; `turns`: round trips of one order by kind, as a proxy counted them (else empty)."""

    times: dict[str, Spread]
    turns: dict[str, float]


def measure(way: Way, rounds: Rounds) -> Measured:
    """The kinds take turns in small blocks, so that whatever else the machine does meets all of them alike."""
    control(way.url, "limits", {"enforce": False}, way.context())
    bench = _Bench(way)
    kinds: dict[str, Callable[[], float]] = {
        "raw": bench.raw,
        "warm": bench.warm,
        "new_connection": bench.new_connection,
        "cold": bench.cold,
    }
    for once in kinds.values():
        once()
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    turns = dict.fromkeys(kinds, 0)
    for _ in range(rounds.blocks):
        for kind, count in rounds.per_block().items():
            before = way.counts()
            times[kind] += [kinds[kind]() for _ in range(count)]
            turns[kind] += way.counts().turns - before.turns
    bench.close()
    counted = {kind: turns[kind] / len(times[kind]) for kind in kinds if turns[kind]}
    return Measured({kind: Spread.of(taken) for kind, taken in times.items()}, counted)


class _Bench:
    """Every method places one order and tells how long it took, in ms."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._context = way.context()
        self._keys = itertools.cycle([open_key(way.url, "binance", self._context) for _ in range(KEYS)])
        self._numbers = itertools.count(1)
        self._pool = Pool(sandbox_url=way.url, verify=self._context)
        self._connection = _opened(self._pool)
        self._connection.refresh(force=True)
        self._instrument = _instrument(self._connection)
        self._raw = keep_alive(way.url, self._context)
        self._prefix = f"{urlsplit(way.url).path}/{VENUE.lower()}"

    def close(self) -> None:
        self._raw.close()
        self._pool.close()

    def raw(self) -> float:
        """(a) Signed before the clock starts; sent, answered, decoded."""
        venue = self._connection.venue
        request = venue.sign(
            venue.place_call(self._order(self._instrument)), next(self._keys), venue.clock.now_ms()
        )
        started = time.perf_counter()
        self._raw.request(request.method, self._prefix + request.target, request.body, dict(request.headers))
        answer = _answer(self._raw)
        taken = _since(started)
        if answer.get("status") != "FILLED":
            raise RuntimeError(f"the raw order was not filled: {answer}")
        return taken

    def warm(self) -> float:
        """(b) `Venue.place` on the connection that is open: limits, signature, request, answer, report."""
        return self._timed(lambda: (self._connection.venue, self._instrument))

    def new_connection(self) -> float:
        """The same with a client and a connection of its own, as without keep-alive."""
        with _pools(lambda: Pool(sandbox_url=self._way.url, verify=self._context)) as make:
            return self._timed(lambda: (_opened(make()).venue, self._instrument))

    def cold(self) -> float:
        """What the first order costs a fresh process: trusted roots, client, connection, clock, instruments,
        order. Imports are not counted."""

        def first(pool: Pool) -> tuple[Venue, Instrument]:
            connection = _opened(pool)
            connection.refresh(force=True)
            return connection.venue, _instrument(connection)

        with _pools(lambda: Pool(sandbox_url=self._way.url, verify=self._way.context())) as make:
            return self._timed(lambda: first(make()))

    def _timed(self, ready: Callable[[], tuple[Venue, Instrument]]) -> float:
        keys = next(self._keys)
        started = time.perf_counter()
        venue, instrument = ready()
        report = venue.place(keys, self._order(instrument))
        taken = _since(started)
        if report.filled != report.quantity:
            raise RuntimeError(f"the order was not filled: {report}")
        return taken

    def _order(self, instrument: Instrument) -> OrderRequest:
        """Buys and sells in turn, so that no position grows."""
        number = next(self._numbers)
        return OrderRequest(
            instrument=instrument,
            client_id=f"f{number:026d}",
            side=Side.BUY if number % 2 else Side.SELL,
            type=OrderType.MARKET,
            quantity=Decimal("0.01"),
        )


@contextmanager
def _pools(make: Callable[[], Pool]) -> Iterator[Callable[[], Pool]]:
    """Closes what was made after the clock has stopped."""
    made: list[Pool] = []

    def one() -> Pool:
        made.append(make())
        return made[-1]

    try:
        yield one
    finally:
        for pool in made:
            pool.close()


def _opened(pool: Pool) -> Connection:
    return pool.connection(VENUE, Environment.SANDBOX)


def _instrument(connection: Connection) -> Instrument:
    return connection.table.find("BTCUSDT", VENUE)


def _answer(connection: http.client.HTTPConnection) -> dict[str, object]:
    return dict(json.loads(connection.getresponse().read()))


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
