"""Bybit through ccxt: one client class for both venues, JSON bodies, signature in a header."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import ccxt

from exchanges.types import Credentials, OrderRequest, OrderType, Product, Side
from exchanges.venue import Call, Venue, plain_number
from exchanges.venues.bybit import RECV_WINDOW_MS, TRIGGERS
from tests.exchanges.contract import Settings

SIGNED = ("X-BAPI-API-KEY", "X-BAPI-TIMESTAMP", "X-BAPI-RECV-WINDOW", "X-BAPI-SIGN")

settings: Settings = {
    "set leverage": [("set_margin_mode", "isolated", {}), ("set_leverage", 5, {})],
}


def client(name: str) -> Any:
    unified = {"enableUnifiedAccount": True, "enableUnifiedMargin": False, "unifiedMarginStatus": 6}
    return ccxt.bybit({"options": {"recvWindow": RECV_WINDOW_MS, **unified}})


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    """ccxt's stopLossPrice is a locking TP/SL order on spot and always reduces on futures; its plain
    trigger order is what flipr means where it does not reduce."""
    params = dict(call.params)
    if order.trigger_price is not None and not order.reduce_only:
        params.pop("stopLossPrice", None)
        params.pop("takeProfitPrice", None)
        params["triggerPrice"] = plain_number(order.trigger_price)
        if order.instrument.product is not Product.SPOT:
            stop = order.type in (OrderType.STOP, OrderType.STOP_LIMIT)
            params["triggerDirection"] = "ascending" if stop == (order.side is Side.BUY) else "descending"
    if order.trigger_price is not None and order.instrument.product is not Product.SPOT:
        params["triggerBy"] = TRIGGERS[order.trigger_by]
    return replace(call, params=params)


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[dict[str, str], dict[str, str]]:
    """Our headers over ccxt's body, in ccxt's order."""
    params = json.loads(caught.body)
    stamp = int(caught.headers["X-BAPI-TIMESTAMP"])
    request = venue.sign(Call(caught.method, urlsplit(caught.url).path, params), keys, stamp)
    return {part: request.headers[part] for part in SIGNED}, {part: caught.headers[part] for part in SIGNED}
