"""One connection per venue and environment, with what is known in advance."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest

from exchanges.errors import NotSent, OutcomeUnknown, Unsupported
from exchanges.limits import LocalGate
from exchanges.pool import INSTRUMENTS_SECONDS, RENEW_SECONDS, Connection, Pool
from exchanges.transport import Request, Transport
from exchanges.types import Environment
from tests.exchanges.contract import case, open_venue

NAME = "binance_f"
TIME = Request("GET", "/fapi/v1/time")


class Exchange:
    """Binance futures as far as a pool asks it: time and instruments."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.broken = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        if self.broken:
            raise httpx.ReadTimeout("x", request=request)
        if request.url.path.endswith("/time"):
            return httpx.Response(200, json={"serverTime": 1_700_000_000_000})
        found = case(NAME, "instruments")
        assert found is not None
        return httpx.Response(200, json=found["exchange"][0]["answer"]["body"])

    def count(self, path: str) -> int:
        return sum(each.endswith(path) for each in self.paths)


class Opened:
    """Makes transports without a network and keeps where they lead."""

    def __init__(self) -> None:
        self.exchange = Exchange()
        self.urls: list[str] = []
        self.transports: list[Transport] = []

    def __call__(self, url: str, **options: Any) -> Transport:
        self.urls.append(url)
        self.transports.append(Transport(url, wire=httpx.MockTransport(self.exchange)))
        return self.transports[-1]


def pool(opened: Opened, **options: Any) -> Pool:
    return Pool(make_transport=opened, **options)


def connection(exchange: Exchange, now: list[float] | None = None) -> Connection:
    """`now` holds the seconds since the machine was started."""
    held = now or [5.0]
    return Connection(open_venue(NAME, exchange), clock=lambda: held[0])


def is_closed(transport: Transport) -> bool:
    try:
        transport.send(TIME)
    except NotSent:
        return True
    return False


def test_a_venue_has_one_connection_whatever_the_case_of_its_name() -> None:
    held = pool(opened := Opened())
    assert held.connection("Binance_F", Environment.LIVE) is held.connection("BINANCE_f", Environment.LIVE)
    assert opened.urls == ["https://api.binance.com", "https://fapi.binance.com"]


def test_environments_do_not_share_a_connection() -> None:
    held = pool(Opened())
    live, test = (held.connection(NAME, each) for each in (Environment.LIVE, Environment.TESTNET))
    assert live is not test
    assert test.venue.environment is Environment.TESTNET
    assert set(live.venue.other_transports) == {"binance"}
    assert test.venue.other_transports == {}
    assert held.opened() == [live, test]


def test_the_sandbox_serves_every_host_under_its_own_name() -> None:
    held = pool(opened := Opened(), sandbox_url="http://127.0.0.1:9000/")
    held.connection(NAME, Environment.SANDBOX)
    assert opened.urls == ["http://127.0.0.1:9000/binance", "http://127.0.0.1:9000/binance_f"]


def test_without_a_sandbox_its_environment_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="sandbox"):
        pool(Opened()).connection(NAME, Environment.SANDBOX)


def test_another_address_may_be_configured_for_a_venue() -> None:
    held = pool(opened := Opened(), base_urls={"binance_f:live": "https://nearer.test"})
    held.connection(NAME, Environment.LIVE)
    assert "https://nearer.test" in opened.urls


def test_an_unknown_venue_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        pool(Opened()).connection("Mt_Gox", Environment.LIVE)


def test_threads_open_one_connection_together() -> None:
    held, found = pool(opened := Opened()), []
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait(5)
        found.append(held.connection(NAME, Environment.LIVE))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(5)
    assert len(found) == 8
    assert len(set(map(id, found))) == 1
    assert len(opened.urls) == 2


def test_closing_closes_every_host_of_every_venue() -> None:
    held = pool(opened := Opened())
    held.connection(NAME, Environment.LIVE)
    held.connection("binance", Environment.LIVE)
    held.close()
    assert len(opened.transports) == 3
    assert all(is_closed(each) for each in opened.transports)
    assert held.opened() == []


def test_every_address_has_its_own_connections_bound_to_it() -> None:
    bound: list[tuple[str, str | None]] = []

    def make(url: str, **options: Any) -> Transport:
        bound.append((url, options["local_address"]))
        return Transport(url, wire=httpx.MockTransport(Exchange()))

    held = Pool(make_transport=make, addresses=("10.0.0.1", "10.0.0.2")).connection(NAME, Environment.LIVE)
    urls = ["https://api.binance.com", "https://fapi.binance.com"]
    assert sorted(bound) == [(url, address) for url in urls for address in ("10.0.0.1", "10.0.0.2")]
    assert list(held.venue.wires) == ["10.0.0.1", "10.0.0.2"]
    assert len(held.transports) == 4


def test_without_addresses_the_machine_chooses() -> None:
    bound = []

    def make(url: str, **options: Any) -> Transport:
        bound.append(options["local_address"])
        return Transport(url, wire=httpx.MockTransport(Exchange()))

    Pool(make_transport=make).connection(NAME, Environment.LIVE)
    assert bound == [None, None]


def test_all_venues_of_a_pool_share_its_gate() -> None:
    held = pool(Opened())
    gates: set[int] = {id(held.connection(name, Environment.LIVE).venue.gate) for name in (NAME, "binance")}
    assert len(gates) == 1


# -- what is known in advance ------------------------------------------------------------------------------


def test_instruments_are_read_once_and_kept() -> None:
    exchange = Exchange()
    held = connection(exchange)
    assert held.table.find("BTCUSDT.P").symbol == "BTCUSDT"
    assert held.table is held.table
    assert exchange.count("/exchangeInfo") == 1


def test_threads_that_come_first_read_the_instruments_once() -> None:
    exchange = Exchange()
    held, barrier = connection(exchange), threading.Barrier(6)

    def ask() -> None:
        barrier.wait(5)
        assert len(held.table) == 3

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(5)
    assert exchange.count("/exchangeInfo") == 1


def test_the_first_refresh_reads_clock_and_instruments() -> None:
    """Also on a machine that was started a minute ago, whose monotonic clock is below the age allowed."""
    exchange = Exchange()
    held = connection(exchange)
    held.refresh()
    assert held.venue.clock.measured
    assert (exchange.count("/time"), exchange.count("/exchangeInfo")) == (1, 1)


def test_a_refresh_asks_from_every_address_and_charges_it() -> None:
    """Also when one has more room than the others."""
    asked: list[tuple[str, str]] = []

    def make(url: str, *, local_address: str | None, **options: Any) -> Transport:
        exchange = Exchange()

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append((str(local_address), request.url.path.rpartition("/")[2]))
            return exchange(request)

        return Transport(url, wire=httpx.MockTransport(answer))

    gate = LocalGate()
    held = Pool(make_transport=make, addresses=("10.0.0.1", "10.0.0.2"), gate=gate)
    for _ in range(2):
        held.connection(NAME, Environment.LIVE).refresh()
    times = [address for address, path in asked if path == "time"]
    assert times == ["10.0.0.1", "10.0.0.2"] * 2
    assert {owner for _, owner in gate._spent} == {"10.0.0.1", "10.0.0.2"}


def test_instruments_are_read_again_when_they_are_old() -> None:
    exchange, now = Exchange(), [5.0]
    held = connection(exchange, now)
    held.refresh()
    now[0] += INSTRUMENTS_SECONDS
    held.refresh()
    assert (exchange.count("/time"), exchange.count("/exchangeInfo")) == (2, 1)
    now[0] += 1
    held.refresh()
    assert (exchange.count("/time"), exchange.count("/exchangeInfo")) == (3, 2)


def test_a_forced_refresh_reads_the_instruments_again() -> None:
    exchange = Exchange()
    held = connection(exchange)
    first = held.table
    held.refresh(force=True)
    assert held.table is not first
    assert exchange.count("/exchangeInfo") == 2


def test_a_refresh_that_fails_keeps_what_was_known() -> None:
    exchange = Exchange()
    held = connection(exchange)
    known = held.table
    exchange.broken = True
    with pytest.raises(OutcomeUnknown):
        held.refresh(force=True)
    assert held.table is known


def test_instruments_that_could_not_be_read_are_asked_for_again() -> None:
    exchange = Exchange()
    held = connection(exchange)
    exchange.broken = True
    with pytest.raises(OutcomeUnknown):
        _ = held.table
    exchange.broken = False
    assert len(held.table) == 3


# -- connections that grow old -----------------------------------------------------------------------------


def test_every_host_keeps_its_connections_as_long_as_the_venue_allows() -> None:
    given: list[float] = []

    def transport(url: str, **options: Any) -> Transport:
        given.append(options["keepalive_seconds"])
        return Transport(url, wire=httpx.MockTransport(Exchange()))

    held = Pool(make_transport=transport)
    kind = type(held.connection(NAME, Environment.LIVE).venue)
    assert given == [kind.keepalive_seconds] * 2


def test_a_refresh_opens_connections_anew_when_they_are_old() -> None:
    now, made = [0.0], []

    class Wire(httpx.MockTransport):
        def close(self) -> None:
            made.append("closed")

    held = connection(Exchange())
    held.venue.wires = {
        "default": {"": Transport("https://x.test", wire=Wire(Exchange()), clock=lambda: now[0])}
    }
    held.refresh()
    now[0] = RENEW_SECONDS - 1
    held.refresh()
    assert made == []
    now[0] = RENEW_SECONDS
    held.refresh()
    assert made == ["closed"]
