"""Deribit through ccxt: everything in the query of a GET; the label and the kind of trigger price in Deribit's words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt

from exchanges.types import Credentials, OrderRequest
from exchanges.venue import Call, Venue, plain_number
from exchanges.venues.deribit import TRIGGERS
from tests.exchanges.contract import NOW_MS

_ASKED = (
    "fetch_my_trades",
    NOW_MS - 5000,
    1000,
    {"end_timestamp": NOW_MS, "historical": False, "sorting": "asc"},
)
fills = {"Deribit": _ASKED, "Deribit_F": _ASKED, "Deribit_C": _ASKED}


def client(name: str) -> Any:
    return ccxt.deribit()


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    """ccxt has no word of its own for the label, nor for what a trigger looks at."""
    params = {key: value for key, value in call.params.items() if key != "clientOrderId"}
    params["label"] = order.client_id
    if order.type.conditional:
        params["trigger"] = TRIGGERS[order.trigger_by]
    if order.instrument.inverse and order.quantity is not None:  # ccxt counts dollars, as Deribit does
        call = replace(call, amount=plain_number(order.quantity * order.instrument.contract_size))
    return replace(call, params=params)


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[str, str]:
    """Our header over ccxt's query, in ccxt's order."""
    target = urlsplit(caught.url)
    call = Call(caught.method, target.path, dict(parse_qsl(target.query)))
    request = venue.sign(call, keys, NOW_MS)
    return request.headers["Authorization"], caught.headers["Authorization"]
