"""The venues of one process: one warm client per venue and environment, its clock and its instruments."""

from __future__ import annotations

import functools
import math
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import httpx

from exchanges.caller import leaving_from
from exchanges.errors import Unsupported
from exchanges.limits import Gate, LocalGate
from exchanges.registry import venue_class
from exchanges.symbols import InstrumentTable
from exchanges.transport import Transport
from exchanges.types import Environment
from exchanges.venue import Venue
from exchanges.witness import Witness

INSTRUMENTS_SECONDS = 900.0
#: stands for whatever address the machine sends from
DEFAULT_ADDRESS = "default"
#: connections are opened anew after this long: an exchange that moved to other addresses is followed
RENEW_SECONDS = 600.0


@functools.cache
def trusted() -> ssl.SSLContext:
    """One context for every venue of a process: reading the trusted roots takes tens of milliseconds and 2 MB each
    time."""
    return httpx.create_ssl_context()


class Connection:
    """One venue with what is known about it in advance."""

    def __init__(self, venue: Venue, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.venue = venue
        self._clock = clock
        #: prices seen in fills and quotes, by symbol: good enough to tell "far above the minimum"
        self.last_prices: dict[str, Decimal] = {}
        #: epoch seconds: supervision asks for no price before (`execution.pace`)
        self.prices_rest_until = 0.0
        self._table: InstrumentTable | None = None
        self._read_at = -math.inf
        self._lock = threading.Lock()

    @property
    def table(self) -> InstrumentTable:
        """The instruments from memory; read from the exchange the first time."""
        if (table := self._table) is not None:
            return table
        with self._lock:
            if self._table is None:
                self._read()
            assert self._table is not None
            return self._table

    @property
    def transports(self) -> tuple[Transport, ...]:
        return tuple(each for by_host in self.venue.wires.values() for each in by_host.values())

    def refresh(self, *, force: bool = False) -> None:
        """Measure the clock, once from each address, and read the instruments again when they are old: also what keeps
        the connections alive. Raises ExchangeError; what was known stays."""
        for transport in self.transports:
            transport.renew(older_than_seconds=RENEW_SECONDS)
        for address in self.venue.wires:
            with leaving_from(address):
                self.venue.sync_clock()
        if force or self._clock() - self._read_at > INSTRUMENTS_SECONDS:
            with self._lock:
                self._read()

    def _read(self) -> None:
        self._table = InstrumentTable(self.venue.instruments())
        self._read_at = self._clock()


class Pool:
    """`sandbox_url` is the sandbox's root: each venue lives below it under its own lower-case name.
    `addresses` of this machine to send from: exchanges meter each by itself."""

    def __init__(
        self,
        *,
        sandbox_url: str = "",
        verify: ssl.SSLContext | bool = True,
        gate: Gate | None = None,
        base_urls: Mapping[str, str] | None = None,
        max_connections: int = 32,
        addresses: Sequence[str] = (),
        witness: Witness | None = None,
        make_transport: Callable[..., Transport] = Transport,
    ) -> None:
        self._sandbox_url = sandbox_url.rstrip("/")
        self._verify = verify
        self._gate: Gate = gate or LocalGate()
        self._base_urls = base_urls or {}
        self._max_connections = max_connections
        self._addresses = tuple(addresses) or (DEFAULT_ADDRESS,)
        self._witness = witness
        self._make_transport = make_transport
        self._connections: dict[tuple[str, Environment], Connection] = {}
        self._lock = threading.Lock()

    def connection(self, name: str, environment: Environment) -> Connection:
        """The shared connection of a venue. Raises KeyError for an unknown venue, Unsupported when
        the exchange has no such environment."""
        key = (name.lower(), environment)
        if (held := self._connections.get(key)) is not None:
            return held
        with self._lock:
            if key not in self._connections:
                self._connections[key] = self._open(name, environment)
            return self._connections[key]

    def opened(self) -> list[Connection]:
        return list(self._connections.values())

    def close(self) -> None:
        with self._lock:
            for connection in self._connections.values():
                for transport in connection.transports:
                    transport.close()
            self._connections.clear()

    def _open(self, name: str, environment: Environment) -> Connection:
        kind = venue_class(name)
        first, *others = self._addresses
        wires = self._wires(kind, environment, first)
        return Connection(
            kind(
                wires.pop(""),
                environment=environment,
                gate=self._gate,
                address=first,
                other_transports=wires,
                other_addresses={each: self._wires(kind, environment, each) for each in others},
                witness=self._witness,
            )
        )

    def _wires(self, kind: type[Venue], environment: Environment, address: str) -> dict[str, Transport]:
        """By host; "" is the venue's own."""
        urls = {
            host: self._url(host, known, environment)
            for host, known in kind.hosts.items()
            if environment is Environment.SANDBOX or environment in known
        }
        urls[""] = self._url(kind.name, kind.base_urls, environment)
        return {host: self._transport(kind, url, address) for host, url in urls.items()}

    def _transport(self, kind: type[Venue], url: str, address: str) -> Transport:
        return self._make_transport(
            url,
            local_address=None if address == DEFAULT_ADDRESS else address,
            verify=trusted() if self._verify is True else self._verify,
            max_connections=self._max_connections,
            keepalive_seconds=kind.keepalive_seconds,
        )

    def _url(self, name: str, urls: Mapping[Environment, str], environment: Environment) -> str:
        if environment is Environment.SANDBOX:
            if not self._sandbox_url:
                raise Unsupported("no sandbox is configured (SANDBOX_URL)")
            return f"{self._sandbox_url}/{name.lower()}"
        if (override := self._base_urls.get(f"{name.lower()}:{environment}")) is not None:
            return override
        try:
            return urls[environment]
        except KeyError:
            raise Unsupported(f"{name} has no {environment} environment") from None
