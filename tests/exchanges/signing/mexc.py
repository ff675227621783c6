"""Signing vectors of MEXC through `Venue.sign`: spot signs a query, contracts a body, both as they stand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from exchanges.types import Credentials
from exchanges.venue import Call, Venue

VENUES = {"spot": "MEXC", "contract": "MEXC_F"}


def signed(venue: Venue, vector: Mapping[str, Any], keys: Credentials) -> Mapping[str, Any]:
    """The signature covers every byte, so it proves the text too. The official spot example has the time last, where
    we and ccxt have the window last: a parameter that the call brings keeps its place."""
    params = json.loads(vector["body"]) if vector["body"] else dict(parse_qsl(vector["query"]))
    request = venue.sign(Call(vector["method"], vector["path"], params), keys, int(vector["timestamp"]))
    assert request.body.decode() == vector["body"]
    return {**request.headers, **dict(parse_qsl(request.query))}
