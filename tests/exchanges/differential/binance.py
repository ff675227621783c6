"""Binance through ccxt: one client class for all venues, form bodies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt

from exchanges.types import Credentials, OrderRequest, TriggerBy
from exchanges.venue import Call, Venue
from exchanges.venues.binance import FUTURES_TYPE, RECV_WINDOW_MS, SPOT_TYPE
from tests.exchanges.contract import Settings

batch_signatures = dict.fromkeys(
    ("Binance_F", "Binance_C"),
    "ccxt sends and signs the JSON in its form as it reads, ours is percent-encoded",
)

settings: Settings = {
    "set leverage": [("set_margin_mode", "isolated", {}), ("set_leverage", 5, {})],
    "set leverage not modified": [("set_margin_mode", "cross", {}), ("set_leverage", 5, {})],
}


def client(name: str) -> Any:
    return ccxt.binance({"options": {"recvWindow": RECV_WINDOW_MS}})


def market(name: str, words: dict[str, Any]) -> dict[str, Any]:
    """ccxt refuses types the market does not list."""
    types = SPOT_TYPE if words["spot"] else FUTURES_TYPE
    return words | {"info": {"orderTypes": [*types.values(), "LIMIT_MAKER"]}}


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    if order.trigger_by is TriggerBy.MARK:
        return replace(call, params=call.params | {"workingType": "MARK_PRICE"})
    return call


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[dict[str, str], dict[str, str]]:
    """Our signature over ccxt's form, in ccxt's order."""
    form = dict(parse_qsl(caught.body))
    theirs = {"signature": form.pop("signature"), "X-MBX-APIKEY": caught.headers["X-MBX-APIKEY"]}
    request = venue.sign(Call(caught.method, urlsplit(caught.url).path, form), keys, int(form["timestamp"]))
    ours = dict(parse_qsl(request.body.decode()))
    return {"signature": ours["signature"], "X-MBX-APIKEY": request.headers["X-MBX-APIKEY"]}, theirs
