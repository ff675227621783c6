"""Signing vectors of Bitfinex through `Venue.sign`: nonces count microseconds, bodies keep the order of the vector."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from exchanges.types import Credentials
from exchanges.venue import Call, Venue

VENUES = {"spot": "Bitfinex"}


def signed(venue: Venue, vector: Mapping[str, Any], keys: Credentials) -> Mapping[str, Any]:
    """The headers; the signature covers the body byte for byte, so it proves that too."""
    call = Call(vector["method"], vector["path"], json.loads(vector["body"]))
    request = venue.sign(call, keys, int(vector["timestamp"]) // 1000)
    assert request.body.decode() == vector["body"]
    return request.headers
