"""At every venue, a warm order by its client, and its very bytes by a bare keep-alive client."""

from __future__ import annotations

import itertools
import json
import time
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx

from exchanges.call import Call
from exchanges.limits import LocalGate
from exchanges.pool import Pool
from exchanges.registry import venues
from exchanges.transport import Answer, Request
from exchanges.types import Credentials, Environment, OrderRequest, OrderType, Product, Side
from exchanges.venue import Venue
from tests.bench.counterparts import control, keep_alive, open_key
from tests.bench.sent import in_turn, watched
from tests.bench.spread import Spread

SIZES = {Product.INVERSE: Decimal(100)}  # contracts
SIZE = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Placed:
    """`raw`: the order alone, already signed. `requests` of the venue's client in their order, as method and path;
    `round_trips`: what of them had to wait for another's answer."""

    raw: Spread
    warm: Spread
    requests: tuple[str, ...]
    round_trips: int

    @property
    def ratio(self) -> float:
        return self.warm.median / self.raw.median


def measure(sandbox: str, rounds: int) -> dict[str, Placed]:
    """The venues take turns, so that whatever else the machine does meets all of them alike. `sandbox`: over plain HTTP,
    so that nobody reads trusted roots."""
    control(sandbox, "limits", {"enforce": False}, context=False)
    with closing(Pool(sandbox_url=sandbox)) as pool, closing(keep_alive(sandbox)) as raw:
        kinds = venues().values()
        found = [_Bench(pool, raw, kind, open_key(sandbox, kind.key_family, False)) for kind in kinds]
        for each in [bench for _ in range(rounds + 1) for bench in found]:
            each.round()
        for each in found:
            each.check(sandbox)
        return {each.name: each.placed() for each in sorted(found, key=lambda bench: bench.name)}


class _Bench:
    """One venue with a key of its own. Buys are measured, and each is sold again, so that no position grows."""

    def __init__(self, pool: Pool, raw: HTTPConnection, kind: type[Venue], keys: Credentials) -> None:
        connection = pool.connection(kind.name, Environment.SANDBOX)
        connection.refresh(force=True)
        self.name = kind.name
        self._venue, self._raw, self._keys = connection.venue, raw, keys
        self._instrument = connection.table.find("BTCUSDT", kind.name)
        self._numbers = itertools.count(1)
        self._placed = 0
        self._raw_ms: list[float] = []
        self._warm_ms: list[float] = []
        self._requests: tuple[str, ...] = ()
        self._round_trips = 0

    def round(self) -> None:
        self._raw_ms.append(self._by_itself(self._order(Side.BUY)))
        self._venue.place(self._keys, self._order(Side.SELL))
        self._warm_ms.append(self._by_the_client(self._order(Side.BUY)))
        self._venue.place(self._keys, self._order(Side.SELL))

    def placed(self) -> Placed:
        """Without the first round, in which the venue asked what it keeps of an account."""
        return Placed(
            Spread.of(self._raw_ms[1:]), Spread.of(self._warm_ms[1:]), self._requests, self._round_trips
        )

    def check(self, sandbox: str) -> None:
        """Raises RuntimeError when not every order was filled."""
        asked = {"venue": self.name, "key": self._keys.key}
        answer = httpx.get(f"{sandbox}/_sandbox/state", params=asked, verify=False)
        filled = [each for each in answer.raise_for_status().json()["orders"] if each["status"] == "filled"]
        if len(filled) != self._placed:
            raise RuntimeError(f"{self.name}: of {self._placed} orders {len(filled)} were filled")

    def _by_the_client(self, order: OrderRequest) -> float:
        with watched() as sent:
            started = time.perf_counter()
            self._venue.place(self._keys, order)
            taken = time.perf_counter() - started
        self._requests, self._round_trips = tuple(each.what for each in sent), in_turn(sent)
        return taken * 1000

    def _by_itself(self, order: OrderRequest) -> float:
        """What the venue would send for the order, sent by the bare client: sent, answered, decoded."""
        request, url = self._signed(order)
        target = urlsplit(url).path + request.target
        started = time.perf_counter()
        self._raw.request(request.method, target, request.body, dict(request.headers))
        answer = self._raw.getresponse()
        data = json.loads(answer.read(), parse_float=Decimal)
        taken = time.perf_counter() - started
        self._venue.checked(Answer(answer.status, dict(answer.getheaders()), data))
        return taken * 1000

    def _signed(self, order: OrderRequest) -> tuple[Request, str]:
        """The order as it would leave now, after the questions that come before it; and its host."""
        sign = self._venue.sign

        def keeping(call: Call, keys: Credentials | None, now_ms: int) -> Request:
            request = sign(call, keys, now_ms)
            if call.read_only:
                return request
            raise _Kept(request, self._venue.wires[self._venue.address][call.host].base_url)

        self._venue.sign = keeping  # type: ignore[method-assign]
        try:
            self._venue.place(self._keys, order)
        except _Kept as kept:
            return kept.request, kept.url
        finally:
            self._venue.sign = sign  # type: ignore[method-assign]
        raise RuntimeError(f"{self.name} placed an order without signing it")

    def _order(self, side: Side) -> OrderRequest:
        # an account that was left alone for a while: what it used up of its limits has grown again
        self._venue.gate = LocalGate()
        order = OrderRequest(
            instrument=self._instrument,
            client_id=self._venue.client_id(f"{next(self._numbers):026d}"),
            side=side,
            type=OrderType.MARKET,
            quantity=SIZES.get(self._venue.product, SIZE),
        )
        self._placed += 1
        return order


class _Kept(Exception):
    """An order that was signed and not sent."""

    def __init__(self, request: Request, url: str) -> None:
        super().__init__()
        self.request = request
        self.url = url
