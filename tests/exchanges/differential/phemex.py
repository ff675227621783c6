"""Phemex through ccxt: JSON bodies, scaled whole numbers on spot, ccxt's words for triggers and times translated."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt

from exchanges.types import Credentials, OrderRequest, OrderType, Product, Side
from exchanges.venue import Call, Venue, plain_number
from exchanges.venues.phemex import POSITION_WORDS, TIMES, TRIGGERS, TYPE_WORDS
from tests.exchanges.contract import NOW_MS, Settings

SIGNED = ("x-phemex-access-token", "x-phemex-request-expiry", "x-phemex-request-signature")
STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)

settings: Settings = {
    "set isolated margin": [("set_margin_mode", "isolated", {"leverage": 10})],
    "set leverage and cross margin": [("set_margin_mode", "cross", {"leverage": 3})],
    "set leverage in hedge mode": [("set_leverage", 5, {"longLeverageRr": 5, "shortLeverageRr": 5})],
}


def client(name: str) -> Any:
    exchange = ccxt.phemex({"options": {"createOrderByQuoteRequiresPrice": False}})
    exchange.seconds = lambda: NOW_MS // 1000
    return exchange


def market(name: str, words: dict[str, Any]) -> dict[str, Any]:
    """ccxt takes the scale of the base coin for amounts of either coin."""
    return words | {"priceScale": 8, "valueScale": 8} if words["spot"] else words


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    """Times and post-only go through ccxt as they are, so they are given in Phemex' words; a trigger is one price
    and its direction, not ccxt's "stopLossPrice", which is attached to the order; `hedged` with reduce-only turns
    the side of the position around, so its side is named."""
    params = dict(call.params)
    for taken in ("stopLossPrice", "takeProfitPrice", "postOnly", "hedged", "cost"):
        params.pop(taken, None)
    if "timeInForce" in params:
        params["timeInForce"] = TIMES[order.time_in_force]
    if order.post_only:
        params["timeInForce"] = "PostOnly"
    if order.position_side is not None:
        params["posSide"] = POSITION_WORDS[order.position_side]
        params.pop("reduceOnly", None)
    kind = call.type
    if order.type.conditional:
        params["triggerPrice"] = plain_number(order.trigger_price or order.instrument.tick)
        if order.instrument.product is Product.SPOT:
            kind = TYPE_WORDS[order.type]
        else:
            rises = (order.side is Side.BUY) == (order.type in STOPS)
            params |= {"triggerDirection": "ascending" if rises else "descending"}
            params |= {"triggerType": TRIGGERS[order.trigger_by]}
    if order.quote_quantity is not None:
        params["qtyType"] = "ByQuote"
    return replace(call, type=kind, params=params)


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[dict[str, str], dict[str, str]]:
    """Our headers over ccxt's body, or the query of a setting, in ccxt's order. The clock stands still at the contract
    suite's moment."""
    target = urlsplit(caught.url)
    params = json.loads(caught.body) if caught.body else dict(parse_qsl(target.query))
    call = Call(caught.method, target.path, params)
    request = venue.sign(call, keys, NOW_MS)
    return {part: request.headers[part] for part in SIGNED}, {part: caught.headers[part] for part in SIGNED}
