"""BingX through ccxt: everything in the query. ccxt's "stopLossPrice" always closes; what opens at a trigger is its
"triggerPrice", and its perpetual client ids have a spelling of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt

from exchanges.types import Credentials, OrderRequest, Product
from exchanges.venue import Call, Venue
from exchanges.venues.bingx import MOST, POSITION_WORDS, RECV_WINDOW_MS, TRIGGERS
from tests.exchanges.contract import NOW_MS, Settings

WINDOW = {"recvWindow": RECV_WINDOW_MS}
fills = {
    "BingX_F": (
        "fetch_canceled_and_closed_orders",
        None,
        None,
        {"startTime": 1_699_999_200_000, "limit": MOST},
    )
}
settings: Settings = {
    "set leverage": [
        ("set_margin_mode", "isolated", WINDOW),
        ("set_leverage", 5, {"side": "BOTH", **WINDOW}),
    ],
    "set leverage in hedge mode": [
        ("set_leverage", 5, {"side": side, **WINDOW}) for side in ("LONG", "SHORT")
    ],
}


def client(name: str) -> Any:
    return ccxt.bingx()


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    params = call.params | WINDOW
    if order.instrument.product is Product.SPOT:
        return replace(call, params=params)
    if order.type.conditional:
        params["workingType"] = TRIGGERS[order.trigger_by]
        if not order.reduce_only:
            params["triggerPrice"] = params.pop("stopLossPrice", None) or params.pop("takeProfitPrice")
    if order.position_side is not None:
        params["positionSide"] = POSITION_WORDS[order.position_side]
    return replace(call, params=params)


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[dict[str, str], dict[str, str]]:
    """Our signature over ccxt's query. The clock stands still at the contract suite's moment."""
    target = urlsplit(caught.url)
    params = dict(parse_qsl(target.query))
    theirs = {"signature": params.pop("signature"), "X-BX-APIKEY": caught.headers["X-BX-APIKEY"]}
    assert int(params.pop("timestamp")) == NOW_MS
    request = venue.sign(Call(caught.method, target.path, params), keys, NOW_MS)
    made = dict(parse_qsl(request.query))["signature"]
    return {"signature": made, "X-BX-APIKEY": request.headers["X-BX-APIKEY"]}, theirs
