"""One request before it is signed, and the ways in which exchanges want its numbers written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from exchanges.limits import Costs, Priority


@dataclass(frozen=True, slots=True)
class Call:
    """One request before it is signed. `params` keep their order; their values are what the venue's own
    `sign` expects (text, bool, int, Decimal, list, dict)."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    signed: bool = True
    costs: Costs = field(default_factory=dict)
    priority: Priority = Priority.QUERY
    #: an answer lost on the way leaves nothing unknown behind (reads)
    read_only: bool = False
    #: another host of the same exchange: a key of `Venue.hosts`
    host: str = ""
    #: how long it may wait for its share of the limits; None: as long as the gate finds right for its priority
    patience_seconds: float | None = None
    #: made by `batch_call`: the answer may tell of each order by itself
    batch: bool = False


def plain_number(value: Decimal) -> str:
    """As every exchange reads it: no exponent, no trailing zeros (some count those as precision)."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain_word(value: Any) -> str:
    """As a query has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain_number(value) if isinstance(value, Decimal) else str(value)


def plain_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """With its numbers as text."""
    return {name: plain_number(v) if isinstance(v, Decimal) else v for name, v in params.items()}


def json_body(params: Mapping[str, Any]) -> str:
    """The body of a request, its numbers as text. A list is sent as the parameter ""."""
    plain = plain_params(params)
    return json.dumps(plain.get("", plain), separators=(",", ":"))


def exact_json(value: Any) -> str:
    """JSON whose numbers are numbers, to the last digit: `json` itself cannot write a Decimal."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(name)}:{exact_json(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(exact_json, value)) + "]"
    return plain_number(value) if isinstance(value, Decimal) else json.dumps(value)
