"""A TCP proxy that stands for distance: every byte arrives later, unchanged and in order.

`python -m tests.bench.proxy --port 9000 --counts-port 9001 --to 127.0.0.1:8000 --delay-ms 15` adds 15 ms each
way. The system answers a TCP handshake on loopback at once; for the round trip it costs over a distance, the
first bytes of a connection are held back that much longer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import selectors
import signal
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import cast


@dataclass(slots=True)
class Counts:
    """`turns`: how often a caller began to send and had to wait for what comes back: round trips of a
    protocol in which requests and answers alternate. A connection's own handshake is one of them."""

    connections: int = 0
    turns: int = 0


class Delay:
    """A queue that lets everything out `seconds` after it came in."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: deque[tuple[float, Callable[[], None]]] = deque()
        self._loop = asyncio.get_running_loop()

    def put(self, action: Callable[[], None], extra_seconds: float = 0.0) -> None:
        due = self._loop.time() + self._seconds + extra_seconds
        if self._waiting:
            due = max(due, self._waiting[-1][0])
        self._waiting.append((due, action))
        if len(self._waiting) == 1:
            self._loop.call_at(due, self._let_out)

    def _let_out(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._loop.time():
            self._waiting.popleft()[1]()
        if self._waiting:
            self._loop.call_at(self._waiting[0][0], self._let_out)


class Open:
    """The ends that are open; `none` is set while there are none."""

    def __init__(self) -> None:
        self.none = asyncio.Event()
        self.none.set()
        self._ends: set[Side] = set()

    def enter(self, end: Side) -> None:
        self._ends.add(end)
        self.none.clear()

    def leave(self, end: Side) -> None:
        self._ends.discard(end)
        if not self._ends:
            self.none.set()


class Side(asyncio.Protocol):
    """One end of a connection; what it receives goes to `other` after the delay."""

    def __init__(self, delay: Delay, on_data: Callable[[], float], open_sides: Open) -> None:
        self._delay = delay
        self._on_data = on_data
        self._open = open_sides
        self.transport: asyncio.Transport | None = None
        self.other: Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._open.enter(self)

    def data_received(self, data: bytes) -> None:
        self._delay.put(lambda: self._pass_on(data), self._on_data())

    def connection_lost(self, problem: Exception | None) -> None:
        self._open.leave(self)
        self._delay.put(self._hang_up)

    def _pass_on(self, data: bytes) -> None:
        if self.other and self.other.transport:
            self.other.transport.write(data)

    def _hang_up(self) -> None:
        if self.other and self.other.transport:
            self.other.transport.close()


class Caller(Side):
    """The accepted end; it opens the other one."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._sending = False
        self._new = True
        super().__init__(Delay(proxy.delay_seconds), self._count, proxy.sides)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._proxy.counts.connections += 1
        self._proxy.counts.turns += 1
        opening = asyncio.ensure_future(self._reach(cast("asyncio.Transport", transport)))
        self._proxy.opening.add(opening)
        opening.add_done_callback(self._proxy.opening.discard)

    async def _reach(self, transport: asyncio.Transport) -> None:
        transport.pause_reading()  # until there is somebody to pass it on to
        try:
            await asyncio.get_running_loop().create_connection(self._callee, *self._proxy.to)
        except OSError:
            transport.close()
        else:
            transport.resume_reading()

    def _callee(self) -> Side:
        self.other = Side(Delay(self._proxy.delay_seconds), self._answered, self._proxy.sides)
        self.other.other = self
        return self.other

    def _count(self) -> float:
        """Called when the caller sends: how much longer this is held back."""
        if not self._sending:
            self._sending = True
            self._proxy.counts.turns += 1
        handshake = 2 * self._proxy.delay_seconds if self._new else 0.0
        self._new = False
        return handshake

    def _answered(self) -> float:
        self._sending = False
        return 0.0


class Proxy:
    def __init__(self, to: tuple[str, int], delay_seconds: float) -> None:
        self.to = to
        self.delay_seconds = delay_seconds
        self.counts = Counts()
        self.opening: set[asyncio.Future[None]] = set()
        self.sides = Open()

    async def listen(self, port: int) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(lambda: Caller(self), "127.0.0.1", port)

    async def tell(self, port: int) -> asyncio.Server:
        """Whoever connects here gets the counts as JSON."""

        async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(json.dumps(asdict(self.counts)).encode())
            writer.close()

        return await asyncio.start_server(answer, "127.0.0.1", port)


def precise_loop() -> asyncio.AbstractEventLoop:
    """epoll and libuv round a wait up to whole milliseconds; select does not."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


async def serve(port: int, counts_port: int, to: tuple[str, int], delay_seconds: float) -> None:
    proxy = Proxy(to, delay_seconds)
    servers = [await proxy.listen(port), await proxy.tell(counts_port)]
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    for server in servers:
        server.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.proxy", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--counts-port", type=int, required=True)
    parser.add_argument("--to", required=True, help="HOST:PORT")
    parser.add_argument("--delay-ms", type=float, default=15.0)
    asked = parser.parse_args()
    host, _, port = asked.to.rpartition(":")
    with asyncio.Runner(loop_factory=precise_loop) as runner:
        runner.run(serve(asked.port, asked.counts_port, (host, int(port)), asked.delay_ms / 1000))


if __name__ == "__main__":
    main()
