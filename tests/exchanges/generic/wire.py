"""An exchange that ccxt knows and we have no file for: scripted answers below our own transport."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

import httpx

from exchanges.generic.catalog import ENTRIES
from exchanges.generic.offered import classes_of
from exchanges.generic.venue import GenericVenue
from exchanges.transport import Transport
from exchanges.types import Credentials, Environment, Product

KEYS = Credentials("AKIAGENERICKEY001234", "generic-secret-0001-planted")
Answer = Mapping[str, Any] | list[Any] | httpx.Response | Callable[[httpx.Request], httpx.Response]


class Exchange:
    """Answers by method and path; keeps what it was sent."""

    def __init__(self, answers: Mapping[tuple[str, str], Answer]) -> None:
        self.answers = dict(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers[request.method, request.url.path]
        if callable(answer):
            return answer(request)
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def sent(self, method: str, path: str) -> list[httpx.Request]:
        return [each for each in self.requests if (each.method, each.url.path) == (method, path)]

    def body(self, method: str, path: str) -> Any:
        """Of the last request there."""
        return json.loads(self.sent(method, path)[-1].content)

    def query(self, method: str, path: str) -> dict[str, str]:
        query = self.sent(method, path)[-1].url.query.decode()
        return {name: values[0] for name, values in parse_qs(query).items()}


def kind_of(exchange: str, product: Product) -> type[GenericVenue]:
    (entry,) = (each for each in ENTRIES if each.id == exchange)
    return next(kind for kind in classes_of(entry) if kind.product is product)


def opened(exchange: str, product: Product, wire: Exchange, **options: Any) -> GenericVenue:
    kind = kind_of(exchange, product)

    def transport(url: str) -> Transport:
        return Transport(url, wire=httpx.MockTransport(wire))

    hosts = {name: transport(urls[Environment.LIVE]) for name, urls in _live(kind)}
    return kind(transport(kind.base_urls[Environment.LIVE]), other_transports=hosts, **options)


def _live(kind: type[GenericVenue]) -> Iterator[tuple[str, Mapping[Environment, str]]]:
    return ((name, urls) for name, urls in kind.hosts.items() if Environment.LIVE in urls)
