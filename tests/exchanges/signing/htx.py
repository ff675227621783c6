"""Signing vectors of HTX through `Venue.sign`: of the query, in which the signature travels too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from exchanges.types import Credentials
from exchanges.venue import Call, Venue

VENUES = {"linear-swap": "HTX_F"}


def signed(venue: Venue, vector: Mapping[str, Any], keys: Credentials) -> Mapping[str, Any]:
    params = json.loads(vector["body"])
    request = venue.sign(Call(vector["method"], vector["path"], params), keys, int(vector["timestamp"]))
    assert request.body.decode() == vector["body"]
    found = dict(parse_qsl(request.query))
    assert request.query.startswith(vector["query"])
    return found
