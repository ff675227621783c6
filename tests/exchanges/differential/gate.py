"""Gate through ccxt: one client class for both venues, JSON bodies, signature in a header."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt

from exchanges.types import Credentials, OrderRequest, OrderType, Product, Side
from exchanges.venue import Call, Venue, plain_number
from exchanges.venues.gate import MONTH_SECONDS, TRIGGER_BOUND, TRIGGERS, bounded, worst_price
from tests.exchanges.contract import NOW_MS, Settings, json_params

SIGNED = ("KEY", "Timestamp", "SIGN")

settings: Settings = {
    "set leverage": [("set_leverage", 7, {"cross_leverage_limit": 7})],
    "set leverage of isolated margin": [("set_leverage", 7, {})],
}
#: since when the fixture's case asks, and the second after its now
SINCE_MS, UNTIL_MS = 1_699_999_200_000, 1_700_000_001_000
fills = {
    "Gate": ("fetch_my_trades", SINCE_MS, 100, {"until": UNTIL_MS, "page": 1}),
    "Gate_F": ("fetch_my_trades", SINCE_MS, 100, {"until": UNTIL_MS, "offset": 0}),
}


def client(name: str) -> Any:
    lasting = {"expiration": MONTH_SECONDS}
    return ccxt.gate({"options": {"unifiedAccount": False, "timeDifference": 0, "createOrder": lasting}})


def market(name: str, words: dict[str, Any]) -> dict[str, Any]:
    """The settlement currency is part of an address, in lower case."""
    return words | {"settleId": words["settleId"] and words["settleId"].lower()}


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    """ccxt puts "t-" before the client ids of plain orders itself. It counts contracts, takes what a market buy costs
    as its amount, and names who triggers by number. A market stop on spot is a bounded limit order for it too."""
    params, spot = dict(call.params), order.instrument.product is Product.SPOT
    if not spot:
        amount = (order.quantity or Decimal(0)) / order.instrument.contract_size
        call = replace(call, amount=plain_number(amount))
        params.pop("hedged", None)
        side = order.position_side
        params |= {"reduceOnly": True} if side and order.side is side.exit_side else {}
    if order.trigger_price is not None:
        params["clientOrderId"] = f"t-{order.client_id}"
        if TRIGGERS[order.trigger_by]:
            params["price_type"] = TRIGGERS[order.trigger_by]
        if spot and order.price is None:
            price = worst_price(order, order.trigger_price, TRIGGER_BOUND)
            call = replace(call, type="limit", price=plain_number(price))
            params["timeInForce"] = "IOC"
    return replace(call, params=params)


def prepared(venue: Any, order: OrderRequest) -> OrderRequest:
    """A market buy of a base quantity goes out as a bounded limit order, here at a best price of 50000."""
    buys_base = (order.type, order.side) == (OrderType.MARKET, Side.BUY) and order.quantity is not None
    spot = order.instrument.product is Product.SPOT
    return bounded(order, Decimal(50000)) if spot and buys_base else order


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[dict[str, str], dict[str, str]]:
    """Our headers over ccxt's body, or the query of a setting, in ccxt's order."""
    target = urlsplit(caught.url)
    params = json_params(caught.body) if caught.body else dict(parse_qsl(target.query))
    request = venue.sign(Call(caught.method, target.path, params), keys, NOW_MS)
    return {part: request.headers[part] for part in SIGNED}, {part: caught.headers[part] for part in SIGNED}
