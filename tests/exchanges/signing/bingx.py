"""Signing vectors of BingX: ours goes out sorted by name; one of the exchange's examples is not, and has the time in
its middle, so that it proves the rule and not the order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from exchanges.signature import hex_hmac
from exchanges.types import Credentials
from exchanges.venue import Call, Venue

VENUES = {"spot": "BingX", "swap": "BingX_F", "any": "BingX_F"}


def signed(venue: Venue, vector: Mapping[str, Any], keys: Credentials) -> Mapping[str, Any]:
    """The headers, and the signature from the query, which goes out as the vector has it."""
    plain = vector["query"] or vector["body"]
    params = dict(parse_qsl(plain))
    if list(params) != sorted(params):
        return {"X-BX-APIKEY": keys.key, "signature": hex_hmac(keys.secret, plain)}
    now_ms = int(params.pop("timestamp"))
    request = venue.sign(Call(vector["method"], vector["path"], params), keys, now_ms)
    sent, _, made = request.query.rpartition("&signature=")
    assert sent == plain
    return {**request.headers, "signature": made}
