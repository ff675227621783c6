"""Signing vectors of BloFin through `Venue.sign`: the nonce of a vector is its time, ours are never the same twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from exchanges.types import Credentials
from exchanges.venue import Call, Venue
from exchanges.venues.blofin import BloFinFutures

VENUES = {"swap": "BloFin_F"}


def signed(venue: Venue, vector: Mapping[str, Any], keys: Credentials) -> Mapping[str, Any]:
    """The headers; the signature covers the body byte for byte, so it proves that too."""
    assert isinstance(venue, BloFinFutures)
    now_ms = int(vector["timestamp"])
    call = Call(vector["method"], vector["path"], json.loads(vector["body"]))
    request = venue.sign_once(call, keys, now_ms, nonce=str(now_ms))
    assert request.body.decode() == vector["body"]
    return request.headers
