"""OKX through ccxt: one order per request instead of its batch of one, contracts instead of coins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt

from exchanges.types import Credentials, OrderRequest, Product
from exchanges.venue import Call, Venue, plain_number
from tests.exchanges.contract import NOW_MS, Settings, json_params

SIGNED = ("OK-ACCESS-KEY", "OK-ACCESS-SIGN", "OK-ACCESS-TIMESTAMP", "OK-ACCESS-PASSPHRASE")

settings: Settings = {
    "set leverage": [("set_leverage", 5, {})],
    "set leverage of isolated positions in hedge mode": [
        ("set_leverage", 5, {"marginMode": "isolated"}),
        ("set_leverage", 5, {"marginMode": "isolated", "posSide": "long"}),
        ("set_leverage", 5, {"marginMode": "isolated", "posSide": "short"}),
    ],
}


_ASKED = ("fetch_my_trades", NOW_MS - 5000, None, {"limit": 100})
fills = {"OKX": _ASKED, "OKX_F": _ASKED, "OKX_C": _ASKED}


def client(name: str) -> Any:
    return ccxt.okx({"options": {"createOrder": "privatePostTradeOrder"}})


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    """ccxt counts contracts, takes the trigger's price source under OKX's own name, and derives the side of a
    position from that of the order only when told of hedge mode."""
    params = dict(call.params)
    if order.trigger_price is not None:
        leg = "sl" if "stopLossPrice" in params else "tp"
        params[f"{leg}TriggerPxType"] = str(order.trigger_by)
    if order.quote_quantity is not None:
        params["tgtCcy"] = "quote_ccy"
    if order.instrument.product is not Product.SPOT and order.quantity is not None:
        call = replace(call, amount=plain_number(order.quantity / order.instrument.of_contract))
    return replace(call, params=params)


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[dict[str, str], dict[str, str]]:
    """Our headers over ccxt's body, in ccxt's order. The clock stands still at the contract suite's moment."""
    target = urlsplit(caught.url)
    params = json_params(caught.body) if caught.body else dict(parse_qsl(target.query))
    call = Call(caught.method, target.path, params)
    request = venue.sign(call, keys, NOW_MS)
    return {part: request.headers[part] for part in SIGNED}, {part: caught.headers[part] for part in SIGNED}
