"""BloFin through ccxt: contracts instead of coins, and its address for TP/SL orders instead of trigger orders."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import ccxt

from exchanges.types import Credentials, OrderRequest, OrderType, TimeInForce
from exchanges.venue import Call, Venue, plain_number
from exchanges.venues.blofin import BloFinFutures
from tests.exchanges.contract import NOW_MS, Settings, json_params

SIGNED = ("ACCESS-KEY", "ACCESS-SIGN", "ACCESS-TIMESTAMP", "ACCESS-NONCE", "ACCESS-PASSPHRASE")
STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)

settings: Settings = {
    "set leverage": [("set_leverage", 5, {})],
    "set leverage of isolated positions in one-way mode": [("set_leverage", 5, {"marginMode": "isolated"})],
    "set leverage of isolated positions in hedge mode": [
        ("set_leverage", 5, {"marginMode": "isolated", "positionSide": "long"}),
        ("set_leverage", 5, {"marginMode": "isolated", "positionSide": "short"}),
    ],
}


def client(name: str) -> Any:
    return ccxt.blofin()


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    """ccxt counts contracts, knows times in force as types of orders, takes the limit price of a TP/SL order by a
    name of its own, and derives the side of a position from that of the order, closing or not."""
    assert order.quantity is not None
    params, kind = dict(call.params), call.type
    if params.pop("hedged", False):
        params["positionSide"] = str(order.position_side)
    if order.type.conditional:
        params["tpsl"] = True
        leg = "stopLossLimitPrice" if order.type in STOPS else "takeProfitLimitPrice"
        params |= {leg: call.price} if order.price is not None else {}
    elif order.time_in_force is not TimeInForce.GTC:
        kind = params.pop("timeInForce").lower()
    elif params.pop("postOnly", False):
        kind = "post_only"
    amount = plain_number(order.quantity / order.instrument.contract_size)
    return replace(call, type=kind, amount=amount, params=params)


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[dict[str, str], dict[str, str]]:
    """Our headers over ccxt's body, in ccxt's order and with ccxt's nonce."""
    assert isinstance(venue, BloFinFutures)
    call = Call(caught.method, urlsplit(caught.url).path, json_params(caught.body))
    request = venue.sign_once(call, keys, NOW_MS, nonce=caught.headers["ACCESS-NONCE"])
    return {part: request.headers[part] for part in SIGNED}, {part: caught.headers[part] for part in SIGNED}
