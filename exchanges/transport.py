"""The wire: one keep-alive HTTP client per venue and process. Nothing else under `exchanges/` sends.

Says what became of a request: it never left (`NotSent`), it was answered (`Answer`, whatever the
answer says), or nobody knows (`OutcomeUnknown`). A request reaches the exchange once at most.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from exchanges.errors import NotSent, OutcomeUnknown, Unreachable

KEEPALIVE_SECONDS = 50.0
TIMEOUT = httpx.Timeout(connect=3.0, read=10.0, write=5.0, pool=2.0)


@dataclass(frozen=True, slots=True)
class Request:
    """A request ready for the wire; `query` is already encoded, exactly as it was signed."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Answer:
    """`data` is the decoded JSON, every fraction a Decimal. `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    data: Any


class _Line:
    """One HTTP client and how many requests are on it: one that was replaced closes after its last request."""

    def __init__(self, client: httpx.Client, opened_at: float) -> None:
        self.client = client
        self.opened_at = opened_at
        self.requests = 0


class _Writing:
    """Told by the connection how the writing of one request goes ("trace":
    https://www.python-httpx.org/advanced/extensions/, read 2026-11-22).

    A request whose headers could not be written to their end is no request: no exchange can act on it. httpcore
    itself goes on and reads, so that the error it raises does not tell."""

    broken = False

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event == "http11.send_request_headers.failed":
            self.broken = True


class Transport:
    """`base_url` may carry a path prefix (the sandbox's): it is never part of what is signed.

    A connection that was idle for `keepalive_seconds`, or that the exchange has closed, is not used again."""

    def __init__(
        self,
        base_url: str,
        *,
        verify: ssl.SSLContext | bool = True,
        timeout: httpx.Timeout = TIMEOUT,
        max_connections: int = 32,
        keepalive_seconds: float = KEEPALIVE_SECONDS,
        local_address: str | None = None,
        wire: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._verify = verify
        self._timeout = timeout
        self._limits = httpx.Limits(
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=keepalive_seconds,
        )
        self._local_address = local_address
        self._wire = wire
        self._clock = clock
        self._lock = threading.Lock()
        self._closed = False
        self._line = self._new_line()

    def _new_line(self) -> _Line:
        client = httpx.Client(
            transport=self._wire
            or httpx.HTTPTransport(
                verify=self._verify, limits=self._limits, local_address=self._local_address, retries=0
            ),
            timeout=self._timeout,
            headers={"user-agent": "flipr", "accept": "application/json"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # one client serves every user
            follow_redirects=False,
            trust_env=False,
        )
        return _Line(client, self._clock())

    def send(self, request: Request) -> Answer:
        """Send once. Raises NotSent when the request certainly never left, OutcomeUnknown when the
        answer did not arrive whole or is not JSON."""
        line = self._take()
        try:
            return self._send(line.client, request)
        finally:
            self._give_back(line)

    def renew(self, *, older_than_seconds: float = 0.0) -> None:
        """Open new connections from now on, to the addresses that the exchange's name has now. Requests
        under way keep theirs."""
        with self._lock:
            old = self._line
            if self._closed or self._clock() - old.opened_at < older_than_seconds:
                return
            self._line = self._new_line()
            idle = old.requests == 0
        if idle:
            old.client.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._line.client.close()

    def _take(self) -> _Line:
        with self._lock:
            if self._closed:
                raise NotSent("the connection to the exchange was closed by a shutdown")
            self._line.requests += 1
            return self._line

    def _give_back(self, line: _Line) -> None:
        with self._lock:
            line.requests -= 1
            last = line.requests == 0 and line is not self._line
        if last:
            line.client.close()

    def _send(self, client: httpx.Client, request: Request) -> Answer:
        """A connection found broken while the request's headers were written is replaced, once: the
        exchange had no request yet."""
        for _ in range(2):
            writing = _Writing()
            built = self._build(client, request, writing)
            try:
                response = client.send(built)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                raise Unreachable(f"the exchange could not be reached ({type(error).__name__})") from None
            except (httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
                raise NotSent(f"the request could not be sent ({type(error).__name__})") from None
            except httpx.HTTPError as error:
                if not writing.broken:
                    raise OutcomeUnknown(f"no answer from the exchange ({type(error).__name__})") from None
            else:
                if not writing.broken:
                    return read(response)
        raise Unreachable("the connection to the exchange broke before the request was written")

    def _build(self, client: httpx.Client, request: Request, writing: _Writing) -> httpx.Request:
        """What cannot be written down (a key with letters no header takes) was not sent; the text of the
        error is left out, it holds the header's value."""
        try:
            return client.build_request(
                request.method,
                self.base_url + request.target,
                content=request.body or None,
                headers=dict(request.headers),
                extensions={"trace": writing},
            )
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            raise NotSent(f"the request could not be built ({type(error).__name__})") from None


def read(response: httpx.Response) -> Answer:
    """Raises OutcomeUnknown when it is not JSON."""
    return Answer(response.status_code, response.headers, _decode(response))


def _decode(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):  # Arithmetic: a number that no Decimal holds
        if response.status_code in (418, 429, 403):
            return None  # a proxy in front of the exchange spoke; the status says enough
        raise OutcomeUnknown(
            f"the exchange answered HTTP {response.status_code} with something that is not JSON",
            code=str(response.status_code),
        ) from None
