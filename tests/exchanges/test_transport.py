"""What became of a request: told apart for every way a connection can fail, with real sockets where it matters."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpcore
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.errors import ExchangeError, NotSent, OutcomeUnknown, Unreachable
from exchanges.transport import Answer, Request, Transport

ORDER = Request("POST", "/order", body=b"side=BUY&quantity=1", headers={"X-KEY": "planted-key"})
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n" + b'{"id": 123}'
SHORT = httpx.Timeout(connect=2, read=0.2, write=2, pool=0.2)


def wired(handler: Callable[[httpx.Request], httpx.Response]) -> Transport:
    return Transport("https://exchange.test/prefix", wire=httpx.MockTransport(handler))


def failing(error: Exception) -> Transport:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    return wired(fail)


def answering(content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Transport:
    return wired(lambda request: httpx.Response(status, content=content, headers=headers or {}))


# -- every exception of httpx ------------------------------------------------------------------------------

NEVER_LEFT = {
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
}


def subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for each in kind.__subclasses__():
        yield from subclasses(each)


RAISED = sorted(
    {kind for kind in subclasses(httpx.RequestError) if kind.__module__ == "httpx"},
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", RAISED, ids=lambda kind: kind.__name__)
def test_every_failure_is_never_sent_or_unknown(kind: type[Exception]) -> None:
    expected = NotSent if kind in NEVER_LEFT else OutcomeUnknown
    with pytest.raises(expected) as caught:
        failing(kind("planted-key")).send(ORDER)
    assert "planted-key" not in f"{caught.value!r}{caught.value.message}"
    assert caught.value.__suppress_context__


def test_the_table_of_failures_is_not_empty() -> None:
    assert len(RAISED) > 12


@pytest.mark.parametrize("key", ["ключ", "k\u00eby", "line\nbreak", "nul\x00"])
def test_a_key_no_header_takes_was_not_sent_and_is_not_told(key: str) -> None:
    with serving([OK]) as server:
        transport = Transport(server.url)
        with pytest.raises(NotSent) as caught:
            transport.send(Request("GET", "/time", headers={"X-KEY": key}))
        transport.close()
        assert server.received == []
    assert key not in f"{caught.value!r}{caught.value.message}"


def test_a_closed_client_sends_nothing_and_says_so() -> None:
    transport = answering(b"{}")
    transport.close()
    with pytest.raises(NotSent):
        transport.send(ORDER)


# -- real sockets ------------------------------------------------------------------------------------------


class Server:
    """Serves one connection after the other by a script: bytes are an answer to one request, None closes the
    connection without one, "hang" keeps silent until the client has gone."""

    def __init__(self, script: list[bytes | str | None]) -> None:
        self.script = list(script)
        self.received: list[bytes] = []
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.closed_idle = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                self.connections += 1
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        while self.script:
            if not (request := read_request(connection)):
                return
            self.received.append(request)
            step = self.script.pop(0)
            if isinstance(step, bytes):
                connection.sendall(step)
                if b"connection: close" in step:
                    return
            elif step == "answer and close":
                connection.sendall(OK)
                connection.shutdown(socket.SHUT_RDWR)
                self.closed_idle.set()
                return
            elif step == "hang":
                connection.recv(1)
                return
            else:
                return

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (chunk := connection.recv(65536)):
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def serving(script: list[bytes | str | None]) -> Iterator[Server]:
    server = Server(script)
    try:
        yield server
    finally:
        server.close()


def sent_to(server: Server) -> ExchangeError | Any:
    transport = Transport(server.url, timeout=SHORT)
    try:
        return transport.send(ORDER).data
    except ExchangeError as error:
        return error
    finally:
        transport.close()


def test_a_connection_refused_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    transport = Transport(f"http://127.0.0.1:{port}", timeout=SHORT)
    with pytest.raises(Unreachable):
        transport.send(ORDER)
    transport.close()


def test_a_name_that_does_not_resolve_was_not_sent() -> None:
    transport = Transport("http://exchange.invalid", timeout=SHORT)
    with pytest.raises(NotSent):
        transport.send(ORDER)
    transport.close()


@pytest.mark.parametrize(
    "step",
    [
        None,
        "hang",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{",
        b"not http at all\r\nconnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\njunk",
    ],
    ids=["closed without an answer", "silent", "answer cut off", "not http", "not gzip"],
)
def test_an_answer_that_does_not_arrive_whole_is_unknown_and_asked_for_once(step: bytes | str | None) -> None:
    with serving([step, OK]) as server:
        assert isinstance(sent_to(server), OutcomeUnknown)
        assert len(server.received) == 1


def test_a_keep_alive_connection_found_dead_is_replaced_and_the_request_sent_once() -> None:
    with serving(["answer and close", OK]) as server:
        transport = Transport(server.url, timeout=SHORT)
        transport.send(Request("GET", "/time"))
        assert server.closed_idle.wait(5)
        assert transport.send(ORDER).data == {"id": 123}
        transport.close()
        assert server.connections == 2
        assert [request.split()[0] for request in server.received] == [b"GET", b"POST"]


def test_one_connection_is_kept_for_many_requests() -> None:
    with serving([OK] * 5) as server:
        transport = Transport(server.url)
        for _ in range(5):
            transport.send(ORDER)
        transport.close()
        assert (server.connections, len(server.received)) == (1, 5)


def test_a_full_pool_was_not_sent() -> None:
    with serving(["hang"]) as server:
        transport = Transport(
            server.url, timeout=httpx.Timeout(connect=2, read=2, write=2, pool=0.05), max_connections=1
        )
        first: list[Exception] = []

        def hold() -> None:
            try:
                transport.send(ORDER)
            except ExchangeError as error:
                first.append(error)

        holder = threading.Thread(target=hold)
        holder.start()
        wait_until(lambda: len(server.received) == 1)
        with pytest.raises(NotSent):
            transport.send(ORDER)
        holder.join(10)
        transport.close()
        assert len(server.received) == 1
        assert isinstance(first[0], OutcomeUnknown)


def wait_until(condition: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(1000):
        if condition():
            return
        tick.wait(0.005)
    raise AssertionError("the condition did not come true in five seconds")


# -- connections that went stale ---------------------------------------------------------------------------


def test_a_connection_idle_beyond_the_exchanges_limit_is_not_used_again() -> None:
    with serving([OK, OK]) as server:
        transport = Transport(server.url, keepalive_seconds=0)
        for _ in range(2):
            transport.send(ORDER)
        transport.close()
        assert (server.connections, len(server.received)) == (2, 2)


def test_a_connection_that_closes_while_the_request_travels_leaves_the_outcome_unknown() -> None:
    """The exchange read the request and closed: nobody can tell whether it acted, so nothing is sent again."""
    with serving([OK, None, OK]) as server:
        transport = Transport(server.url, timeout=SHORT)
        transport.send(Request("GET", "/time"))
        with pytest.raises(OutcomeUnknown):
            transport.send(ORDER)
        transport.close()
        assert [request.split()[0] for request in server.received] == [b"GET", b"POST"]


class Breaking(httpcore.NetworkBackend):
    """Connections that break after so many bytes were written, by a script; then one that answers."""

    def __init__(self, *after_bytes: int) -> None:
        self.script = list(after_bytes)
        self.written: list[bytes] = []

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        self.written.append(b"")
        return BreakingStream(self, self.script.pop(0) if self.script else None)


class BreakingStream(httpcore.NetworkStream):
    def __init__(self, backend: Breaking, breaks_after: int | None) -> None:
        self.backend, self.left, self.answer = backend, breaks_after, OK

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        taken = buffer if self.left is None else buffer[: self.left]
        self.backend.written[-1] += taken
        if self.left is not None:
            self.left -= len(taken)
            if len(taken) < len(buffer):
                raise httpcore.WriteError("broken pipe")

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self.left is not None:
            raise httpcore.ReadError("reset")
        answer, self.answer = self.answer, b""
        return answer

    def close(self) -> None:
        return


def breaking(backend: Breaking) -> Transport:
    wire = httpx.HTTPTransport()
    wire._pool = httpcore.ConnectionPool(network_backend=backend)
    return Transport("http://exchange.test", wire=wire)


@pytest.mark.parametrize("after_bytes", [0, 1, 40])
def test_a_connection_that_breaks_before_the_request_is_written_is_replaced_once(after_bytes: int) -> None:
    backend = Breaking(after_bytes)
    transport = breaking(backend)
    assert transport.send(ORDER).data == {"id": 123}
    transport.close()
    whole = [data for data in backend.written if b"\r\n\r\n" in data]
    assert (len(backend.written), len(whole)) == (2, 1)


def test_two_connections_that_break_before_the_request_is_written_were_not_sent() -> None:
    backend = Breaking(0, 10, 0)
    transport = breaking(backend)
    with pytest.raises(Unreachable):
        transport.send(ORDER)
    transport.close()
    assert len(backend.written) == 2


def test_a_connection_that_breaks_while_the_body_is_written_leaves_the_outcome_unknown() -> None:
    probe = Breaking()
    transport = breaking(probe)
    transport.send(ORDER)
    headers = probe.written[0].index(b"\r\n\r\n") + 4
    backend = Breaking(headers + 3)
    with pytest.raises(OutcomeUnknown):
        breaking(backend).send(ORDER)
    assert len(backend.written) == 1


def test_connections_are_opened_anew_and_requests_under_way_keep_theirs() -> None:
    entered, leave = threading.Event(), threading.Event()
    closed: list[str] = []

    class Slow(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "POST":
                entered.set()
                assert leave.wait(5)
                assert not closed
            return httpx.Response(200, content=b"{}")

        def close(self) -> None:
            closed.append("closed")

    transport = Transport("https://exchange.test", wire=Slow())
    answers: list[Answer] = []
    sender = threading.Thread(target=lambda: answers.append(transport.send(ORDER)))
    sender.start()
    assert entered.wait(5)
    transport.renew()
    assert closed == []
    assert transport.send(Request("GET", "/time")).status == 200
    leave.set()
    sender.join(5)
    assert (answers[0].status, closed) == (200, ["closed"])


def test_renewing_opens_a_new_connection_to_where_the_name_leads_now() -> None:
    with serving([OK, OK]) as server:
        transport = Transport(server.url)
        transport.send(ORDER)
        transport.renew()
        transport.send(ORDER)
        transport.close()
        assert (server.connections, len(server.received)) == (2, 2)


def test_connections_younger_than_asked_are_left_alone() -> None:
    now = [0.0]
    with serving([OK, OK, OK]) as server:
        transport = Transport(server.url, clock=lambda: now[0])
        transport.send(ORDER)
        now[0] = 99.0
        transport.renew(older_than_seconds=100.0)
        transport.send(ORDER)
        assert server.connections == 1
        now[0] = 100.0
        transport.renew(older_than_seconds=100.0)
        transport.send(ORDER)
        transport.close()
        assert server.connections == 2


# -- answers -----------------------------------------------------------------------------------------------


def test_fractions_are_decimals_with_every_digit() -> None:
    answer = answering(b'{"price": 0.10000000000000000001, "count": 7}').send(ORDER)
    assert answer.data == {"price": Decimal("0.10000000000000000001"), "count": 7}


@pytest.mark.parametrize(
    "content",
    [
        b"<html>",
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b"9" * 5000,
        b'{"x": 1e99999999999999999999}',
        b'{"x": 1e-99999999999999999999}',
    ],
)
@pytest.mark.parametrize("status", [200, 302, 400, 404, 500, 503])
def test_what_is_not_json_is_unknown(content: bytes, status: int) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        answering(content, status).send(ORDER)
    assert caught.value.code == str(status)


@pytest.mark.parametrize("status", [403, 418, 429])
def test_a_rate_refusal_of_a_proxy_needs_no_json(status: int) -> None:
    answer = answering(b"<html>", status, {"Retry-After": "5"}).send(ORDER)
    assert (answer.status, answer.data, answer.headers["retry-after"]) == (status, None, "5")


def test_a_redirect_is_not_followed() -> None:
    calls: list[str] = []

    def redirect(request: httpx.Request) -> httpx.Response:
        calls.append(str(request.url))
        return httpx.Response(307, headers={"location": "https://elsewhere.test/"}, content=b"{}")

    assert wired(redirect).send(ORDER).status == 307
    assert calls == ["https://exchange.test/prefix/order"]


def test_a_cookie_of_the_exchange_is_not_kept_for_the_next_user() -> None:
    sent: list[str] = []

    def remember(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("cookie", ""))
        return httpx.Response(200, headers={"set-cookie": "session=1; Path=/"}, content=b"{}")

    transport = wired(remember)
    transport.send(ORDER)
    transport.send(ORDER)
    assert sent == ["", ""]


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serving([OK]) as server:
        assert sent_to(server) == {"id": 123}


def test_a_prefix_of_the_base_url_comes_before_the_signed_path() -> None:
    def check(request: httpx.Request) -> httpx.Response:
        assert request.url.raw_path == b"/prefix/order?a=1&b=%20%2B"
        assert request.content == b""
        return httpx.Response(200, content=b"{}")

    wired(check).send(Request("GET", "/order", query="a=1&b=%20%2B"))


@given(st.dictionaries(st.text(min_size=1), st.text(), min_size=1, max_size=4))
def test_an_encoded_query_is_sent_as_it_was_signed(params: dict[str, str]) -> None:
    params = {
        k.encode("utf-8", "replace").decode(): v.encode("utf-8", "replace").decode()
        for k, v in params.items()
    }
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in params.items())
    seen: list[bytes] = []

    def check(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path)
        return httpx.Response(200, content=b"{}")

    wired(check).send(Request("GET", "/order", query=query))
    assert seen == [b"/prefix/order?" + query.encode()]


def test_a_body_is_sent_byte_for_byte() -> None:
    body = json.dumps({"price": "0.10", "side": "ü"}, ensure_ascii=False).encode()

    def check(request: httpx.Request) -> httpx.Response:
        assert request.content == body
        return httpx.Response(200, content=b"{}")

    wired(check).send(Request("POST", "/order", body=body))


def test_headers_are_not_in_the_repr_of_a_request() -> None:
    assert "planted-key" not in repr(ORDER)
