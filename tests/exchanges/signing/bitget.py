"""Signing vectors of Bitget through `Venue.sign`: parameters keep the order of the vector."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from exchanges.types import Credentials
from exchanges.venue import Call, Venue

VENUES = {"spot": "Bitget", "usdt-futures": "Bitget_F"}


def signed(venue: Venue, vector: Mapping[str, Any], keys: Credentials) -> Mapping[str, Any]:
    """The headers; the signature covers the body byte for byte, so it proves that too."""
    params = json.loads(vector["body"]) if vector["body"] else dict(parse_qsl(vector["query"]))
    request = venue.sign(Call(vector["method"], vector["path"], params), keys, int(vector["timestamp"]))
    assert request.body.decode() == vector["body"]
    return request.headers
