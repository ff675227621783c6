"""The wire: one keep-alive HTTP client per venue and process. Nothing else under `exchanges/` sends.

Says what became of a request: it never left (`NotSent`), it was answered (`Answer`, whatever the
answer says), or nobody knows (`OutcomeUnknown`). Sends once; there is no retry here.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from exchanges.errors import NotSent, OutcomeUnknown

KEEPALIVE_SECONDS = 300.0
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


class Transport:
    """`base_url` may carry a path prefix (the sandbox's): it is never part of what is signed."""

    def __init__(
        self,
        base_url: str,
        *,
        verify: ssl.SSLContext | bool = True,
        timeout: httpx.Timeout = TIMEOUT,
        max_connections: int = 32,
        local_address: str | None = None,
        wire: httpx.BaseTransport | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        limits = httpx.Limits(
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=KEEPALIVE_SECONDS,
        )
        self._client = httpx.Client(
            transport=wire
            or httpx.HTTPTransport(verify=verify, limits=limits, local_address=local_address, retries=0),
            timeout=timeout,
            headers={"user-agent": "flipr", "accept": "application/json"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # one client serves every user
            follow_redirects=False,
            trust_env=False,
        )

    def send(self, request: Request) -> Answer:
        """Send once. Raises NotSent when the request certainly never left, OutcomeUnknown when the
        answer did not arrive whole or is not JSON."""
        built = self._build(request)
        try:
            response = self._client.send(built)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotSent(f"the exchange could not be reached ({type(error).__name__})") from None
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise NotSent(f"the request could not be sent ({type(error).__name__})") from None
        except httpx.HTTPError as error:
            raise OutcomeUnknown(f"no answer from the exchange ({type(error).__name__})") from None
        return Answer(response.status_code, response.headers, _decode(response))

    def _build(self, request: Request) -> httpx.Request:
        """What cannot be written down (a key with letters no header takes) was not sent; the text of the
        error is left out, it holds the header's value."""
        if self._client.is_closed:
            raise NotSent("the connection to the exchange was closed by a shutdown")
        try:
            return self._client.build_request(
                request.method,
                self.base_url + request.target,
                content=request.body or None,
                headers=dict(request.headers),
            )
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            raise NotSent(f"the request could not be built ({type(error).__name__})") from None

    def close(self) -> None:
        self._client.close()


def _decode(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content, parse_float=Decimal)
    except (ValueError, RecursionError):
        if response.status_code in (418, 429, 403):
            return None  # a proxy in front of the exchange spoke; the status says enough
        raise OutcomeUnknown(
            f"the exchange answered HTTP {response.status_code} with something that is not JSON",
            code=str(response.status_code),
        ) from None
