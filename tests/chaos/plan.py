"""What a storm does, in order: the same seed gives the same plan. Pure; `storm` carries it out."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

PAIRS = {"BTCUSDT": ("BTC/USDT", 50_000.0, "0.01"), "ETHUSDT": ("ETH/USDT", 3_000.0, "0.1")}
#: a size of contracts margined in coins, of which one is money
CONTRACTS = 100
WORKERS = ("worker-eu", "worker-tokyo", "worker-singapore")
#: so many messages meet on a symbol that they get in each other's way
MESSAGES_PER_LANE = 8
#: every fault of the sandbox; how each is dosed is in `_fault`
FAULTS = (
    "delay",
    "drop_before",
    "drop_after",
    "http_500",
    "http_503",
    "not_json",
    "throttle",
    "maintenance",
    "partial_fill",
    "slow_fill",
    "reject_stop",
)
#: what breaks in one round of the storm, each once, in an order of the seed's
OUTAGES = (*WORKERS, "beat", "web", "redis", "postgres", "term")


@dataclass(frozen=True, slots=True)
class Post:
    """One message of one trader. `number` names the intent: a repeat has the number of its first."""

    number: int
    trader: int
    text: str
    identified: bool = False


@dataclass(frozen=True, slots=True)
class SetFault:
    fault: dict[str, object] = field(hash=False)


@dataclass(frozen=True, slots=True)
class SetPrice:
    pair: str
    price: str


@dataclass(frozen=True, slots=True)
class Break:
    """Kill -9, or for `term` an orderly end of a worker."""

    name: str
    politely: bool = False


@dataclass(frozen=True, slots=True)
class Mend:
    name: str


Event = Post | SetFault | SetPrice | Break | Mend


@dataclass(frozen=True, slots=True)
class Lane:
    """One symbol of one trader on one venue. `stops`: all its entries ask for a stop, or none does, so that a
    position tells whether it ought to be protected."""

    trader: int
    venue: str
    symbol: str
    stops: bool


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    lanes: tuple[Lane, ...]
    events: tuple[Event, ...]

    @property
    def posts(self) -> list[Post]:
        return [each for each in self.events if isinstance(each, Post)]


def make_plan(
    seed: int,
    commands: int,
    traders: int,
    venues: Sequence[str],
    *,
    stopless: Collection[str] = (),
    faults: Sequence[str] = FAULTS,
    rounds: int = 1,
    ids: bool = False,
) -> Plan:
    """`stopless`: venues without stop orders. `rounds`: how often each of OUTAGES strikes. `ids`: every message has
    one."""
    chance = random.Random(seed)
    lanes = tuple(_lanes(chance, commands, traders, venues, stopless))
    events: list[Event] = []
    posts = _Posts(chance, lanes, ids=ids)
    outages = _outages(chance, commands, rounds)
    prices = {pair: start for pair, start, _ in PAIRS.values()}
    for index in range(commands):
        events += outages.get(index, [])
        if chance.random() < 0.2:
            events.append(_fault(chance, faults, venues, seed + index))
        if chance.random() < 0.12:
            events.append(_price(chance, prices))
        events.append(posts.next())
    events += [event for at in sorted(outages) if at >= commands for event in outages[at]]
    return Plan(seed, lanes, tuple(events))


def _lanes(
    chance: random.Random, commands: int, traders: int, venues: Sequence[str], stopless: Collection[str]
) -> Iterator[Lane]:
    """Every venue at least once; the longer the storm, the more traders and symbols on each. Where there are no stop
    orders most ask for none: what asks for one is to be refused."""
    dealt = chance.sample(list(venues), len(venues))
    symbols = list(PAIRS)
    every = [
        (trader, venue, symbols[(place + turn + trader) % len(symbols)])
        for turn in range(len(symbols))
        for shift in range(traders)
        for place, venue in enumerate(dealt)
        for trader in [_apart((place + shift) % traders, traders, venue, venues)]
    ]
    for trader, venue, symbol in list(dict.fromkeys(every))[
        : max(len(venues), commands // MESSAGES_PER_LANE)
    ]:
        asked = 0.15 if venue in stopless else 0.85
        yield Lane(trader, venue, symbol, stops=chance.random() < asked)


def _apart(trader: int, traders: int, venue: str, venues: Collection[str]) -> int:
    """Who trades it. The coins that margin contracts are an account's like those held on spot, where the checker counts
    them: the first trader has the one, the others have the other."""
    if venue.endswith("_C"):
        return 0
    return trader or 1 % traders if f"{venue}_C" in venues else trader


def _outages(chance: random.Random, commands: int, rounds: int) -> dict[int, list[Event]]:
    """Breaks spread over the storm, each mended some commands later: never two of the same at once."""
    found: dict[int, list[Event]] = {}
    struck = [name for _ in range(rounds) for name in chance.sample(OUTAGES, len(OUTAGES))]
    width = commands / (len(struck) + 1)
    for place, name in enumerate(struck, 1):
        at = int(place * width)
        lasts = max(2, int(width * chance.uniform(0.3, 0.8)))
        target = chance.choice(WORKERS) if name == "term" else name
        found.setdefault(at, []).append(Break(target, politely=name == "term"))
        found.setdefault(at + lasts, []).insert(0, Mend(target))
    return found


def _fault(chance: random.Random, faults: Sequence[str], venues: Sequence[str], seed: int) -> SetFault:
    kind = chance.choice(faults)
    fault: dict[str, object] = {"fault": kind, "venue": chance.choice(venues), "seed": seed}
    fault |= {"count": chance.randint(1, 4), "rate": str(round(chance.uniform(0.3, 1.0), 2))}
    if kind in ("delay", "slow_fill"):
        fault["delay_ms"] = chance.choice((100, 400, 1500))
    if kind not in ("partial_fill", "slow_fill", "reject_stop") and chance.random() < 0.25:
        fault["path"] = "GET "  # questions fail as well, not only orders
    return SetFault(fault)


def _price(chance: random.Random, prices: dict[str, float]) -> SetPrice:
    pair, start, _ = chance.choice(list(PAIRS.values()))
    moved = prices[pair] * chance.uniform(0.985, 1.015)
    prices[pair] = min(max(moved, start * 0.9), start * 1.1)
    return SetPrice(pair, f"{prices[pair]:.1f}")


class _Posts:
    """Messages one after another; some come a second time with the id they had."""

    def __init__(self, chance: random.Random, lanes: tuple[Lane, ...], *, ids: bool) -> None:
        self._chance = chance
        self._lanes = lanes
        self._ids = ids
        self._repeatable: list[Post] = []
        self._numbers: Iterator[int] = iter(range(10**9))

    def next(self) -> Post:
        if self._repeatable and self._chance.random() < 0.08:
            return self._chance.choice(self._repeatable[-8:])
        number = next(self._numbers)
        lane = self._chance.choice(self._lanes)
        text = self._block(lane)
        if self._chance.random() < 0.1:  # several exchanges in one message
            others = [each for each in self._lanes if each.trader == lane.trader and each.venue != lane.venue]
            text += "\n" + self._block(self._chance.choice(others or [lane]))
        identified = self._chance.random() < 0.4 or self._ids
        text += f' note "n{number}"' + (f" id i{number}" if identified else "")
        post = Post(number, lane.trader, text, identified)
        if identified:
            self._repeatable.append(post)
        return post

    def _block(self, lane: Lane) -> str:
        spot = "_" not in lane.venue
        kind = self._chance.choices(*(_SPOT_KINDS if spot else _FUTURES_KINDS))[0]
        size = self._size(lane)
        side = "long" if spot else self._chance.choice(("long", "short"))
        guard = self._guard(lane)
        away = self._chance.choice(("0.2", "0.6", "1.5"))
        words = {
            "market": f"market {side} {size}{guard}",
            "limit": f"limit {side} {size} off {away}%{guard}",
            "go": f"go {side} {size}{guard}",
            "flat": "go flat",
            "close": "close",
            "part": "close 50%",
            "reverse": f"reverse{guard}",
            "cancel": "cancel entries",
        }[kind]
        return f"{lane.symbol} on {lane.venue} {words}"

    def _size(self, lane: Lane) -> str:
        if lane.venue.endswith("_C"):
            return str(CONTRACTS * self._chance.randint(2, 6))
        unit = PAIRS[lane.symbol][2]
        return f"{float(unit) * self._chance.randint(2, 6):.2f}"

    def _guard(self, lane: Lane) -> str:
        if not lane.stops:
            return ""
        guard = f" sl off {self._chance.choice(('1', '2', '3'))}%"
        if self._chance.random() < 0.6:
            guard += f" tp off {self._chance.choice(('1.5', '3', '5'))}%"
        return guard


_FUTURES_KINDS = (
    ("market", "limit", "go", "flat", "close", "part", "reverse", "cancel"),
    (34, 12, 20, 6, 10, 6, 7, 5),
)
_SPOT_KINDS = (("market", "limit", "go", "flat", "close", "part", "cancel"), (40, 12, 18, 6, 12, 6, 6))
