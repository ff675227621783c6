"""Signing vectors of BitMEX through `Venue.sign`; their time is that of the expiry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from exchanges.types import Credentials
from exchanges.venue import Call, Venue
from exchanges.venues.bitmex import EXPIRES_SECONDS

VENUES = {"perp": "BitMEX_F"}


def signed(venue: Venue, vector: Mapping[str, Any], keys: Credentials) -> Mapping[str, Any]:
    """The headers; the signature covers query and body byte for byte, so it proves those too."""
    body = vector["body"]
    params = json.loads(body, parse_float=Decimal) if body else dict(parse_qsl(vector["query"]))
    signed_at_ms = (int(vector["timestamp"]) - EXPIRES_SECONDS) * 1000
    return venue.sign(Call(vector["method"], vector["path"], params), keys, signed_at_ms).headers
