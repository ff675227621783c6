"""The signing vector of Deribit through `Venue.sign`; its nonce is its time, as the first of a venue is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from exchanges.types import Credentials
from exchanges.venue import Call, Venue

VENUES = {"perp": "Deribit_F"}


def signed(venue: Venue, vector: Mapping[str, Any], keys: Credentials) -> Mapping[str, Any]:
    """The header; the signature covers the query byte for byte, so it proves that too."""
    call = Call(vector["method"], vector["path"], dict(parse_qsl(vector["query"])))
    request = venue.sign(call, keys, vector["timestamp"])
    assert (request.query, request.body.decode()) == (vector["query"], vector["body"])
    return request.headers
