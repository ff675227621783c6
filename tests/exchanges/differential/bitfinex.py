"""Bitfinex through ccxt: one client class for both venues, JSON bodies, nonce and signature in headers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import ccxt

from exchanges.types import Credentials, OrderRequest, OrderType
from exchanges.venue import Call, Venue, plain_number

SIGNED = ("bfx-nonce", "bfx-apikey", "bfx-signature")
NONCES_PER_MS = 1000


def client(name: str) -> Any:
    """ccxt counts nonces in milliseconds, and asks another clock than the others for them."""
    exchange = ccxt.bitfinex()
    exchange.incrementing_nonce = lambda: exchange.nonce() * NONCES_PER_MS
    return exchange


def market(name: str, words: dict[str, Any]) -> dict[str, Any]:
    """Eight decimals of an amount and five digits of a price, as ccxt writes it down for every pair."""
    return words | {"precision": {"amount": 8, "price": 5}}


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    """ccxt's trigger order is a stop; it knows no take-profit here, so a target is its limit order."""
    params = {**call.params, "clientOrderId": int(order.client_id)}
    params.pop("stopLossPrice", None)
    params.pop("takeProfitPrice", None)
    if order.type in (OrderType.STOP, OrderType.STOP_LIMIT) and order.trigger_price is not None:
        params["triggerPrice"] = plain_number(order.trigger_price)
    if order.type in (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT) and order.trigger_price is not None:
        call = replace(call, type="limit", price=plain_number(order.trigger_price))
    if order.leverage is not None and name == "Bitfinex_F":
        params["lev"] = int(order.leverage)
    return replace(call, params=params)


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[dict[str, str], dict[str, str]]:
    """Our headers over ccxt's body, in ccxt's order."""
    nonce = int(caught.headers["bfx-nonce"])
    call = Call(caught.method, urlsplit(caught.url).path, json.loads(caught.body))
    request = venue.sign(call, keys, nonce // NONCES_PER_MS)
    return {part: request.headers[part] for part in SIGNED}, {part: caught.headers[part] for part in SIGNED}
