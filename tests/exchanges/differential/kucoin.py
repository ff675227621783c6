"""KuCoin through ccxt: one client class for both venues, JSON bodies, signature in a header."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import ccxt

from exchanges.types import Credentials, MarginMode, OrderRequest, OrderType, Side
from exchanges.venue import Call, Venue, plain_number
from exchanges.venues.kucoin import TRIGGERS
from tests.exchanges.contract import Settings, json_params

SIGNED = (
    "KC-API-KEY",
    "KC-API-KEY-VERSION",
    "KC-API-PASSPHRASE",
    "KC-API-SIGN",
    "KC-API-TIMESTAMP",
)

settings: Settings = {
    "set leverage": [("set_margin_mode", "cross", {}), ("set_leverage", 7, {})],
}


def client(name: str) -> Any:
    """A classic account of today: high-frequency addresses, and the answer waits for the match."""
    return ccxt.kucoin(
        {"options": {"uta": False, "hf": True, "createOrder": {"sync": True}, "createOrders": {"sync": True}}}
    )


def market(name: str, words: dict[str, Any]) -> dict[str, Any]:
    """ccxt reads the step of quote amounts from the raw record, and counts futures in contracts."""
    precision = words["precision"] if words["spot"] else words["precision"] | {"amount": 1}
    return words | {"info": {"quoteIncrement": "0.000001"}, "precision": precision}


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    """Futures: contracts; and ccxt's stopLossPrice always reduces, its trigger order only knows stops."""
    if name == "KuCoin":
        return call
    params = dict(call.params)
    if order.margin_mode is not None:
        params["marginMode"] = str(order.margin_mode)
    if (
        order.leverage is not None and order.margin_mode is MarginMode.ISOLATED
    ):  # of cross margin it is the account's
        params["leverage"] = int(order.leverage)
    if order.trigger_price is not None:
        params["stopPriceType"] = TRIGGERS[order.trigger_by]
    if order.trigger_price is not None and not order.reduce_only:
        params.pop("stopLossPrice", None)
        params.pop("takeProfitPrice", None)
        params["triggerPrice"] = plain_number(order.trigger_price)
        if order.type in (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT):
            params["stop"] = "down" if order.side is Side.BUY else "up"
    contracts = int(Decimal(call.amount) / order.instrument.contract_size)
    return replace(call, amount=contracts, params=params)


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[dict[str, str], dict[str, str]]:
    """Our headers over ccxt's body, in ccxt's order."""
    params, stamp = json_params(caught.body), int(caught.headers["KC-API-TIMESTAMP"])
    request = venue.sign(Call(caught.method, urlsplit(caught.url).path, params), keys, stamp)
    return {part: request.headers[part] for part in SIGNED}, {part: caught.headers[part] for part in SIGNED}
