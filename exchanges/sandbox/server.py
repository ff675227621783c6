"""The sandbox on a socket: HTTP/1.1 with keep-alive and pipelining, on asyncio and httptools.

Not an ASGI application, because a server has to be able to do what ASGI cannot say: close the connection
without an answer. Answers leave in the order of their requests; a delayed one holds back those behind it.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
import traceback
from collections import deque
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, cast
from urllib.parse import unquote

import httptools

from exchanges.sandbox.control import PREFIX, control
from exchanges.sandbox.wire import Call, Reply
from exchanges.sandbox.world import Outcome, World

MAX_BODY = 1 << 20
MAX_HEAD = 1 << 16
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


class Connection(asyncio.Protocol):
    def __init__(self, world: World, *, controlled: bool) -> None:
        self._world = world
        self._controlled = controlled
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._address = ""
        self._waiting: deque[tuple[Call, bool]] = deque()
        #: an answer is being delayed, or the caller does not read: nothing further is served or read
        self._held = False
        self._begin()

    def _begin(self) -> None:
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._head_size = 0
        self._size = 0

    # -- asyncio ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._address = str((transport.get_extra_info("peername") or ("",))[0])

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._transport.close()  # its request was answered; another protocol is not spoken here
        except httptools.HttpParserCallbackError:
            if self._head_size <= MAX_HEAD:
                traceback.print_exc(file=sys.stderr)
            self._refuse(431 if self._head_size > MAX_HEAD else 500)
        except httptools.HttpParserError:
            self._refuse(400)

    def pause_writing(self) -> None:
        self._hold()

    def resume_writing(self) -> None:
        self._go_on()

    def connection_lost(self, problem: Exception | None) -> None:
        self._waiting.clear()

    # -- httptools -------------------------------------------------------------------------------------

    def on_url(self, part: bytes) -> None:
        self._measure(len(part))
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self._measure(len(name) + len(value))
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def _measure(self, size: int) -> None:
        self._head_size += size
        if self._head_size > MAX_HEAD:
            raise ValueError("the head of the request is too long")  # ends the parsing

    def on_headers_complete(self) -> None:
        if self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= MAX_BODY:
            self._body.append(part)

    def on_message_complete(self) -> None:
        path, _, query = self._target.decode("latin-1").partition("?")
        call = Call(
            method=self._parser.get_method().decode("ascii"),
            path=unquote(path),
            query=query,
            body=b"".join(self._body),
            headers=self._headers,
            address=self._address,
            now_ms=self._world.now_ms(),
            received_ns=time.time_ns(),
        )
        self._waiting.append((call, self._parser.should_keep_alive()))
        too_long = self._size > MAX_BODY
        self._begin()
        if too_long:
            self._refuse(413)
        elif not self._held:
            self._serve()

    # -- answers ---------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while self._waiting and not self._held and not self._transport.is_closing():
            call, keep_alive = self._waiting.popleft()
            outcome = self._outcome(call)
            for after_ms, action in outcome.later:
                asyncio.get_running_loop().call_later(after_ms / 1000, action)
            if outcome.delay_ms:
                self._hold()
                asyncio.get_running_loop().call_later(
                    outcome.delay_ms / 1000, self._release, outcome.reply, keep_alive
                )
            else:
                self._send(outcome.reply, keep_alive)

    def _release(self, reply: Reply | None, keep_alive: bool) -> None:
        self._held = False
        if not self._transport.is_closing():
            self._send(reply, keep_alive)
        if not self._held:
            self._go_on()

    def _hold(self) -> None:
        self._held = True
        self._transport.pause_reading()

    def _go_on(self) -> None:
        self._held = False
        if not self._transport.is_closing():
            self._transport.resume_reading()
            self._serve()

    def _outcome(self, call: Call) -> Outcome:
        if call.path.startswith(PREFIX):
            return Outcome(self._control(call))
        _, _, rest = call.path.partition("/")
        venue, slash, path = rest.partition("/")
        if (named := _named_by_host(call)) in self._world.venues:
            return self._world.answer(named, call)
        if venue not in self._world.venues:
            return Outcome(Reply({"error": "no such venue", "venues": list(self._world.venues)}, 404))
        call.prefix, call.path = f"/{venue}", slash + path
        return self._world.answer(venue, call)

    def _control(self, call: Call) -> Reply:
        if not self._controlled or not _loopback(self._address):
            return Reply({"error": "control is off"}, 404)
        return control(self._world, call)

    def _send(self, reply: Reply | None, keep_alive: bool) -> None:
        if reply is None:
            self._transport.abort()
            return
        body = reply.body()
        head = [b"HTTP/1.1 %d %s\r\n" % (reply.status, _REASONS.get(reply.status, b"-"))]
        head += [f"{name}: {value}\r\n".encode("latin-1") for name, value in reply.all_headers().items()]
        head.append(b"content-length: %d\r\n" % len(body))
        head.append(b"connection: keep-alive\r\n\r\n" if keep_alive else b"connection: close\r\n\r\n")
        self._transport.write(b"".join([*head, body]))
        if not keep_alive:
            self._transport.close()

    def _refuse(self, status: int) -> None:
        self._waiting.clear()
        self._send(Reply({"error": _REASONS[status].decode()}, status), keep_alive=False)


def _named_by_host(call: Call) -> str:
    """`okx.localhost`, `binance-f.localhost`: for clients that keep nothing of their address but the host."""
    return call.headers.get("host", "").partition(".")[0].lower().replace("-", "_")


def _loopback(address: str) -> bool:
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


async def listen(
    world: World, host: str, port: int, *, tls: ssl.SSLContext | None = None, controlled: bool = False
) -> asyncio.Server:
    """Port 0 takes a free one: see `sockets` of the server returned."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: Connection(world, controlled=controlled), host, port, ssl=tls, reuse_address=True
    )


def tls_context(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


def bound_port(server: asyncio.Server) -> int:
    address: Any = server.sockets[0].getsockname()
    return int(address[1])
