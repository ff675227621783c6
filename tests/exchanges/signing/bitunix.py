"""Signing vectors of Bitunix through `Venue.sign`, each with its nonce."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from exchanges.types import Credentials
from exchanges.venue import Call, Venue
from exchanges.venues.bitunix import BitunixFutures

VENUES = {"usdt-perp": "Bitunix_F"}


def signed(venue: Venue, vector: Mapping[str, Any], keys: Credentials) -> Mapping[str, Any]:
    """The headers; the signature covers query and body byte for byte, so it proves those too."""
    assert isinstance(venue, BitunixFutures)
    venue.random_text = lambda: str(vector["nonce"])
    body = vector["body"]
    params = json.loads(body, parse_float=Decimal) if body else dict(parse_qsl(vector["query"]))
    return venue.sign(Call(vector["method"], vector["path"], params), keys, int(vector["timestamp"])).headers
