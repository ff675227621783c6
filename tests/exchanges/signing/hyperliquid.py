"""Signing vectors of Hyperliquid: the official kit's own tests sign for both nets with the nonce 0."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from exchanges.types import Credentials
from exchanges.venue import Call, Venue
from exchanges.venues.hyperliquid import connection_id, signature

VENUES = {"perp": "Hyperliquid_F"}


def signed(venue: Venue, vector: Mapping[str, Any], keys: Credentials) -> Mapping[str, Any]:
    """What the venue makes of the action, by the name the vector expects it under."""
    body, nonce = json.loads(vector["body"]), int(vector["timestamp"])
    if "connectionId" in vector["expected_headers_or_signature"]:
        return {"connectionId": "0x" + connection_id(body, nonce).hex()}
    if nonce == 0:
        return {
            net: signature(keys.secret, body, 0, source)
            for net, source in (("mainnet", "a"), ("testnet", "b"))
        }
    request = venue.sign(Call("POST", vector["path"], {"action": body["action"]}), keys, nonce)
    sent = json.loads(request.body)
    assert (sent["action"], sent["nonce"]) == (body["action"], nonce)
    told: dict[str, Any] = sent["signature"]
    return told
