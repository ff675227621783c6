"""Signing vectors of Kraken through `Venue.sign`: the nonces in them are in milliseconds, ours are finer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from exchanges.types import Credentials
from exchanges.venue import Call, Venue
from exchanges.venues.kraken import Kraken

VENUES = {"spot": "Kraken", "perp": "Kraken_F"}


class InMilliseconds(Kraken):
    nonces_per_ms = 1


def signed(venue: Venue, vector: Mapping[str, Any], keys: Credentials) -> Mapping[str, Any]:
    """The headers the venue sends, for the very text the vector signs."""
    if isinstance(venue, Kraken):
        venue = InMilliseconds(venue.transport)
    params = dict(parse_qsl(vector["query"] or vector["body"]))
    params.pop("nonce", None)
    request = venue.sign(Call(vector["method"], vector["path"], params), keys, int(vector["timestamp"]))
    assert (request.query, request.body.decode()) == (vector["query"], vector["body"])
    return request.headers
