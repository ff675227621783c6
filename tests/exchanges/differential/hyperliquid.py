"""Hyperliquid through ccxt: one client class for both venues, an action in the body, its signature beside it.

ccxt rounds prices like the exchange wants them, and so do we: its rule is kept, for an asset of the finest prices.
"""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import ccxt
from ccxt.base.decimal_to_precision import ROUND, SIGNIFICANT_DIGITS

from exchanges.types import Credentials, OrderRequest, OrderType
from exchanges.venue import Call, Venue, plain_number
from exchanges.venues.hyperliquid import DIGITS, TRIGGER_SLIPPAGE
from tests.exchanges.contract import Settings, credentials

FINEST = Decimal("1E-12")
MIDDLE = Decimal(50000)


class Finest(ccxt.hyperliquid):  # type: ignore[misc]
    """Five digits, and as many decimals as they take: the suite's prices are finer than any asset's."""

    def price_to_precision(self, symbol: Any, price: Any) -> str:
        whole = self.number_to_string(price).split(".")[0]
        digits = max(DIGITS, len(whole))
        return str(self.decimal_to_precision(price, ROUND, digits, SIGNIFICANT_DIGITS, self.paddingMode))


settings: Settings = {
    "set leverage": [("set_leverage", 10, {})],
    "set leverage alone": [("set_leverage", 10, {"marginMode": "isolated"})],
    "set margin mode alone": [("set_margin_mode", "isolated", {"leverage": 20})],
}


def client(name: str) -> Any:
    """Without the builder's fee, the referrer and the kind of account that ccxt asks for or sets first."""
    keys = credentials(name.lower())
    known = {"builderFee": False, "refSet": True, "enableUnifiedMargin": False}
    return Finest({"walletAddress": keys.key, "privateKey": keys.secret, "options": known})


def market(name: str, words: dict[str, Any]) -> dict[str, Any]:
    """ccxt finds the number of the asset under `baseId`."""
    return words | {"baseId": "10142" if words["spot"] else "0"}


def prepared(venue: Venue, order: OrderRequest) -> OrderRequest:
    """As `place` bounds it: around the middle of the book, here 50000."""
    extra = {**order.instrument.extra, "finest": FINEST}
    order = replace(order, instrument=replace(order.instrument, extra=extra))
    return replace(order, price=MIDDLE) if order.type is OrderType.MARKET else order


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    """What is a market order once triggered has its bound counted from the trigger."""
    params = dict(call.params)
    if order.type is OrderType.MARKET:
        return replace(call, type="market", price=plain_number(MIDDLE))
    if order.trigger_price is not None and order.price is None:
        params["slippage"] = str(TRIGGER_SLIPPAGE)
        return replace(call, price=plain_number(order.trigger_price), params=params)
    return call


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[Any, Any]:
    """Our signature over ccxt's action, as numbers: ccxt pads them with zeros."""
    theirs = json.loads(caught.body)
    request = venue.sign(Call("POST", "/exchange", {"action": theirs["action"]}), keys, theirs["nonce"])
    ours = json.loads(request.body)
    return _numbers(ours), _numbers(theirs)


def _numbers(sent: Any) -> dict[str, int]:
    told = sent["signature"]
    return {"nonce": sent["nonce"], "r": int(told["r"], 16), "s": int(told["s"], 16), "v": told["v"]}
