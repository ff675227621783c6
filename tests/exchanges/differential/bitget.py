"""Bitget through ccxt: one client class for both venues, JSON bodies, signature in a header."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import ccxt

from exchanges.types import Credentials, OrderRequest, OrderType, Product, Side
from exchanges.venue import Call, Venue, plain_number
from exchanges.venues.bitget import TRIGGERS
from tests.exchanges.contract import NOW_MS, Settings

SIGNED = ("ACCESS-KEY", "ACCESS-SIGN", "ACCESS-TIMESTAMP", "ACCESS-PASSPHRASE")

settings: Settings = {
    "set leverage": [("set_margin_mode", "isolated", {}), ("set_leverage", 7, {})],
    "isolated leverage of both sides in hedge mode": [
        ("set_leverage", 7, {"holdSide": "long"}),
        ("set_leverage", 7, {"holdSide": "short"}),
    ],
}


def client(name: str) -> Any:
    return ccxt.bitget({"options": {"timeDifference": 0}})


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    """ccxt's stopLossPrice is a position's own stop: what does not reduce is its plain trigger order, and so
    is everything on spot. `cost` is how it wants the size of what it counts in quote currency."""
    params, limit = dict(call.params), order.price is not None
    closes = order.reduce_only or (order.position_side and order.side is order.position_side.exit_side)
    if order.trigger_price is not None:
        params["triggerType"] = TRIGGERS[order.trigger_by]
        if not closes:
            params.pop("stopLossPrice", None)
            params.pop("takeProfitPrice", None)
            params["triggerPrice"] = plain_number(order.trigger_price)
    spot = order.instrument.product is Product.SPOT
    if spot and order.trigger_price is not None and order.side is Side.BUY and not limit:
        params["cost"] = plain_number(order.quantity or Decimal(0))
    return replace(call, params=params)


def prepared(venue: Any, order: OrderRequest) -> OrderRequest:
    """A market buy of a base quantity goes out as a bounded limit order, here at a best price of 50000."""
    buys_base = (order.type, order.side) == (OrderType.MARKET, Side.BUY) and order.quantity is not None
    spot = order.instrument.product is Product.SPOT
    return venue.bounded(order, Decimal(50000)) if spot and buys_base else order


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[dict[str, str], dict[str, str]]:
    """Our headers over ccxt's body, in ccxt's order."""
    params = json.loads(caught.body)
    request = venue.sign(Call(caught.method, urlsplit(caught.url).path, params), keys, NOW_MS)
    return {part: request.headers[part] for part in SIGNED}, {part: caught.headers[part] for part in SIGNED}
