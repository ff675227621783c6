"""HTX through ccxt: one client class for both venues, JSON bodies, the signature in the query.

ccxt has no spot order that waits for a trigger and then trades at market: for those it is given the parameters of the
documented address, written down here a second time, and compared are address, body and signature. For limit orders
with a trigger it takes the older stop-limit order, so they go the same way.
"""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt

from exchanges.types import Credentials, OrderRequest, OrderType, Product, Side
from exchanges.venue import Call, Venue, plain_number
from tests.exchanges.contract import NOW_MS, Settings

ACCOUNT = "1528640"
ASK = Decimal(50000)
SIGNED = ("AccessKeyId", "SignatureMethod", "SignatureVersion", "Timestamp", "Signature")


class Htx(ccxt.htx):  # type: ignore[misc]
    """With an address that ccxt signs for but has no unified order of."""

    def create_order(self, symbol: Any, kind: Any, *rest: Any) -> Any:
        if kind == "algo":
            return self.spotPrivatePostV2AlgoOrders(rest[-1])
        return super().create_order(symbol, kind, *rest)


#: since when the fixture's case asks
SINCE_MS = 1_699_999_200_000
STATES = {"HTX": "partial-filled,partial-canceled,filled", "HTX_F": "filled,partially_canceled"}
fills = {
    "HTX": ("fetch_orders", SINCE_MS, 100, {"until": NOW_MS, "states": STATES["HTX"]}),
    "HTX_F": (
        "fetch_orders",
        SINCE_MS,
        100,
        {"until": NOW_MS, "states": STATES["HTX_F"], "direct": "next"},
    ),
}
settings: Settings = {
    "set leverage": [("set_leverage", 10, {"position_side": "both"})],
    "leverage of isolated margin in hedge mode is set for each side": [
        ("set_leverage", 5, {"margin_mode": "isolated", "position_side": "long"}),
        ("set_leverage", 5, {"margin_mode": "isolated", "position_side": "short"}),
    ],
}


def client(name: str) -> Any:
    made = Htx({"options": {"timeDifference": 0, "broker": {"id": ""}}})
    made.accounts = [{"id": ACCOUNT, "type": "spot", "info": {}}]
    made.accountsById = {ACCOUNT: made.accounts[0]}
    return made


def market(name: str, words: dict[str, Any]) -> dict[str, Any]:
    """ccxt counts futures in contracts."""
    return words if words["spot"] else words | {"precision": words["precision"] | {"amount": 1}}


def prepared(venue: Any, order: OrderRequest) -> OrderRequest:
    """With the account's number; a market buy of a base quantity goes out as a bounded limit order."""
    if order.instrument.product is not Product.SPOT:
        return order
    extra = {**order.instrument.extra, "account": ACCOUNT}
    order = replace(order, instrument=replace(order.instrument, extra=extra))
    buys_base = (order.type, order.side) == (OrderType.MARKET, Side.BUY) and order.quantity is not None
    return venue.bounded(order, ASK) if buys_base else order


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    if order.instrument.product is Product.SPOT:
        return _algo(order, call) if order.type.conditional else call
    params = dict(call.params)
    closes = order.reduce_only or (order.position_side and order.side is order.position_side.exit_side)
    if order.trigger_price is not None and not closes:
        params.pop("stopLossPrice", None)
        params.pop("takeProfitPrice", None)
        params["triggerPrice"] = plain_number(order.trigger_price)
    if order.position_side:
        params["position_side"] = str(order.position_side)
    contracts = int(Decimal(call.amount) / order.instrument.contract_size)
    return replace(call, amount=contracts, params=params)


def _algo(order: OrderRequest, call: Any) -> Any:
    assert order.quantity is not None
    assert order.trigger_price is not None
    sent: dict[str, Any] = {
        "accountId": ACCOUNT,
        "clientOrderId": order.client_id,
        "orderSide": call.side,
        "orderType": call.type,
        "stopPrice": plain_number(order.trigger_price),
        "symbol": order.instrument.symbol,
    }
    if call.type == "limit":
        sent |= {"orderPrice": call.price, "timeInForce": "gtc"}
    if (call.type, call.side) == ("market", "buy"):
        sent["orderValue"] = plain_number(order.quantity * order.trigger_price)
    else:
        sent["orderSize"] = call.amount
    return replace(call, type="algo", params=sent)


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[dict[str, str], dict[str, str]]:
    """The whole query of a POST is authentication; that of a question has its parameters, too."""
    target = urlsplit(caught.url)
    body = json.loads(caught.body or "null")
    asked = {name: value for name, value in parse_qsl(target.query) if name not in SIGNED}
    params = asked if body is None else body if isinstance(body, dict) else {"": body}
    request = venue.sign(Call(caught.method, target.path, params), keys, NOW_MS)
    return dict(parse_qsl(request.query)), dict(parse_qsl(target.query))
