"""Requests and answers of the sandbox, read and written without knowing any exchange."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import cached_property
from json.encoder import encode_basestring_ascii
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus, urlencode

from exchanges.sandbox.ledger import Account
from exchanges.sandbox.model import Reason, Rejected

_JSON = {"content-type": "application/json; charset=utf-8"}


@dataclass(slots=True)
class Reply:
    """`data` is encoded by `encode`; bytes go out as they are."""

    data: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        return self.data if isinstance(self.data, bytes) else encode(self.data)

    def all_headers(self) -> dict[str, str]:
        return {**_JSON, **self.headers}


class Answered(Exception):
    """Raised by a handler that has its answer already: an error whose words depend on where it came from."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"HTTP {reply.status}")
        self.reply = reply


@dataclass(eq=False)
class Call:
    """One request to a venue; `path` has lost the venue's prefix, header names are in lower case.

    The readers raise Rejected(MISSING_PARAMETER | BAD_PARAMETER, name), which the dialect words.
    """

    method: str
    path: str
    query: str
    body: bytes
    headers: Mapping[str, str]
    address: str
    now_ms: int
    #: when its last byte was read, for measurements; nothing is decided by it
    received_ns: int = 0
    #: values of `{name}` parts of the route's path
    parts: dict[str, str] = field(default_factory=dict)
    signed_by: Account | None = None
    #: what the path has lost: `/deribit_f`
    prefix: str = ""
    #: the request as it came, where its dialect has unwrapped it
    envelope: Call | None = None

    @property
    def account(self) -> Account:
        if self.signed_by is None:
            raise Rejected(Reason.NO_KEY)
        return self.signed_by

    @property
    def signed_paths(self) -> tuple[str, ...]:
        """The path as the exchange has it, and as a client has it that was given the sandbox's address: some sign that."""
        return (self.path, self.prefix + self.path) if self.prefix else (self.path,)

    def targets(self) -> Iterator[str]:
        """Path and query in each form that callers sign: the query as it was sent, or as it reads."""
        queries = dict.fromkeys((self.query, unquote(self.query), unquote_plus(self.query)))
        for path in self.signed_paths:
            for query in queries:
                yield f"{path}?{query}" if query else path

    @cached_property
    def query_params(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @cached_property
    def body_params(self) -> dict[str, Any]:
        """A form or a JSON object, told apart by their first character; fractions are Decimals."""
        text = self.body.decode("utf-8", "replace").strip()
        if not text.startswith(("{", "[")):
            return dict(parse_qsl(text, keep_blank_values=True))
        try:
            data = json.loads(text, parse_float=Decimal)
        except ValueError:
            raise Rejected(Reason.BAD_PARAMETER, "body") from None
        return data if isinstance(data, dict) else {"": data}

    @property
    def params(self) -> dict[str, Any]:
        """Not cached: the log reads it before the route has named the parts of the path."""
        return {**self.query_params, **self.body_params, **self.parts}

    def asking(self, **params: str) -> Call:
        """The same caller, with these parameters instead."""
        return replace(self, query=urlencode(params), body=b"", parts={})

    def text(self, name: str, default: str | None = None) -> str:
        """Absent and empty mean `default`; without one the parameter is mandatory."""
        value = self.params.get(name)
        if value is None or value == "":
            if default is None:
                raise Rejected(Reason.MISSING_PARAMETER, name)
            return default
        return value if isinstance(value, str) else _written(value)

    def decimal_or_none(self, name: str) -> Decimal | None:
        value = self.text(name, "")
        if not value:
            return None
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise Rejected(Reason.BAD_PARAMETER, name) from None
        if not number.is_finite():
            raise Rejected(Reason.BAD_PARAMETER, name)
        return number

    def decimal(self, name: str) -> Decimal:
        number = self.decimal_or_none(name)
        if number is None:
            raise Rejected(Reason.MISSING_PARAMETER, name)
        return number

    def integer(self, name: str, default: int | None = None) -> int:
        text = self.text(name, None if default is None else str(default))
        try:
            return int(text)
        except ValueError:
            raise Rejected(Reason.BAD_PARAMETER, name) from None

    def flag(self, name: str, default: bool = False) -> bool:
        text = self.text(name, str(default)).lower()
        if text not in ("true", "false"):
            raise Rejected(Reason.BAD_PARAMETER, name)
        return text == "true"

    def one_of(self, name: str, table: Mapping[str, Any], default: str | None = None) -> Any:
        """The meaning of a word in `table`."""
        word = self.text(name, default)
        if word not in table:
            raise Rejected(Reason.BAD_PARAMETER, name)
        return table[word]


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | Decimal) else json.dumps(value, default=str)


def encode(value: Any) -> bytes:
    """Compact JSON. A Decimal becomes a JSON number in plain digits: use `model.text` where the
    exchange writes its numbers as strings."""
    chunks: list[str] = []
    _encode(value, chunks.append)
    return "".join(chunks).encode()


def _encode(value: Any, put: Any) -> None:
    if isinstance(value, str):
        put(encode_basestring_ascii(value))
    elif value is None or isinstance(value, bool):
        put("null" if value is None else "true" if value else "false")
    elif isinstance(value, int):
        put(str(value))
    elif isinstance(value, Decimal):
        put(format(value, "f"))
    elif isinstance(value, Mapping):
        _encode_items(value.items(), put)
    elif isinstance(value, list | tuple):
        separator = "["
        for item in value:
            put(separator)
            _encode(item, put)
            separator = ","
        put("]" if value else "[]")
    else:
        raise TypeError(f"{type(value).__name__} has no JSON form here")


def _encode_items(items: Any, put: Any) -> None:
    separator = "{"
    for name, item in items:
        put(separator)
        put(encode_basestring_ascii(str(name)))
        put(":")
        _encode(item, put)
        separator = ","
    put("}" if separator == "," else "{}")
