"""MEXC through ccxt: one client class, a signed query on spot, a signed JSON body on contracts."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt

from exchanges.types import Credentials, MarginMode, OrderRequest
from exchanges.venue import Call, Venue, plain_number
from exchanges.venues.mexc import TRENDS
from tests.exchanges.contract import Settings

#: an account in cross margin: the settings that the venue would ask MEXC for
LEVERAGE = Decimal(20)
HEADERS = ("ApiKey", "Request-Time", "Signature")

settings: Settings = {
    "set leverage": [
        ("set_leverage", 7, {"openType": 2, "positionType": 1}),
        ("set_leverage", 7, {"openType": 2, "positionType": 2}),
    ],
    "set leverage of a position": [("set_leverage", 7, {"positionId": 3920001})],
}


def client(name: str) -> Any:
    """Its floats are written by Python's own encoder: the spelling of a float (1e-8 or 1e-08) is nobody's subject."""
    made = ccxt.mexc({"options": {"recvWindow": 5000}})
    made.json = lambda data, params=None: json.dumps(data, separators=(",", ":"))
    return made


def market(name: str, words: dict[str, Any]) -> dict[str, Any]:
    """Contracts are counted."""
    return words if words["spot"] else words | {"precision": words["precision"] | {"amount": 1}}


def prepared(venue: Venue, order: OrderRequest) -> OrderRequest:
    """An order that opens carries the settings of its market; one that closes needs its margin mode only."""
    if venue.name == "MEXC":
        return order
    leverage = None if order.reduce_only else order.leverage or LEVERAGE
    return replace(order, margin_mode=order.margin_mode or MarginMode.CROSS, leverage=leverage)


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    """ccxt's trigger order has no direction of its own, so it is told; its leverage and trend likewise. In hedge
    mode its side of an order that closes is the side that opened."""
    if name == "MEXC":
        return call
    params = dict(call.params)
    params["marginMode"] = str(order.margin_mode)
    if (
        order.leverage is not None or order.margin_mode is MarginMode.ISOLATED
    ):  # it refuses to close without one
        params["leverage"] = int(order.leverage or LEVERAGE)
    if order.trigger_price is not None:
        params.pop("stopLossPrice", None)
        params.pop("takeProfitPrice", None)
        params["triggerPrice"] = plain_number(order.trigger_price)
        stop = order.type.value.startswith("stop")
        params["triggerType"] = 1 if stop == (order.side == "buy") else 2
        params["trend"] = TRENDS[order.trigger_by]
    contracts = int(Decimal(call.amount) / order.instrument.contract_size)
    kinds = {"ioc": 3, "fok": 4}
    kind = kinds.get(order.time_in_force, 5 if order.price is None else call.type)
    params.pop("timeInForce", None)
    side = order.side.opposite if order.position_side and order.reduce_only else order.side
    return replace(call, type=kind, side=str(side), amount=contracts, params=params)


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[dict[str, str], dict[str, str]]:
    """Ours over ccxt's parameters, in ccxt's order."""
    target = urlsplit(caught.url)
    if venue.name == "MEXC":
        theirs = dict(parse_qsl(target.query))
        given = {name: value for name, value in theirs.items() if name != "signature"}
        request = venue.sign(Call(caught.method, target.path, given), keys, int(theirs["timestamp"]))
        ours = dict(parse_qsl(request.query))
        return {"signature": ours["signature"]}, {"signature": theirs["signature"]}
    params, stamp = json.loads(caught.body), int(caught.headers["Request-Time"])
    request = venue.sign(Call(caught.method, target.path, params), keys, stamp)
    return {part: request.headers[part] for part in HEADERS}, {part: caught.headers[part] for part in HEADERS}
