"""Signing vectors of Gate through `Venue.sign`: parameters keep the order of the vector."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from exchanges.types import Credentials
from exchanges.venue import Call, Venue

VENUES = {"spot": "Gate", "futures": "Gate_F"}


def signed(venue: Venue, vector: Mapping[str, Any], keys: Credentials) -> Mapping[str, Any]:
    """The headers; the signature covers the body byte for byte, so it proves that too."""
    params = json.loads(vector["body"]) if vector["body"] else dict(parse_qsl(vector["query"]))
    now_ms = int(vector["timestamp"]) * 1000
    request = venue.sign(Call(vector["method"], vector["path"], params), keys, now_ms)
    assert request.body.decode() == vector["body"]
    return request.headers
