"""BitMEX through ccxt's own BitMEX client, in a process of its own: contracts on perpetuals, BitMEX' words for what
ccxt does not translate."""

from __future__ import annotations

import atexit
import functools
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any, Self
from urllib.parse import urlsplit

from exchanges.types import Credentials, Direction, OrderRequest, OrderType, Product, Side, TimeInForce
from exchanges.venue import Call, Venue, plain_number
from tests.exchanges.contract import NOW_MS, Settings, credentials
from tests.exchanges.elsewhere import Elsewhere

SIGNED = ("api-key", "api-expires", "api-signature")
TIMES = {TimeInForce.IOC: "ImmediateOrCancel", TimeInForce.FOK: "FillOrKill"}
STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
#: ccxt counts spot in the smallest unit of the coin
UNITS = {"BTC": 1e-8, "USDT": 1e-6}

settings: Settings = {
    "set leverage": [("set_leverage", 10, {})],
    "set margin mode": [("set_margin_mode", "isolated", {})],
}


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    params = dict(call.params)
    for unified in ("stopLossPrice", "takeProfitPrice", "hedged", "timeInForce"):
        params.pop(unified, None)
    if order.trigger_price is not None:
        rises = (order.side is Side.BUY) == (order.type in STOPS)
        params["triggerPrice"] = plain_number(order.trigger_price)
        params["triggerDirection"] = "above" if rises else "below"
    if order.time_in_force in TIMES:
        params["timeInForce"] = TIMES[order.time_in_force]
    if order.position_side is not None:
        params["strategy"] = "Long" if order.position_side is Direction.LONG else "Short"
    if order.instrument.product is Product.LINEAR and order.quantity is not None:
        call = replace(call, amount=plain_number(order.quantity / order.instrument.contract_size))
    return replace(call, params=params)


@functools.cache
def _client(name: str, market: str) -> Elsewhere:
    keys = credentials(name)
    words = {"apiKey": keys.key, "secret": keys.secret, "now_ms": NOW_MS, "units": UNITS}
    made = Elsewhere("tests.exchanges.clients.bitmex", words | {"market": json.loads(market)})
    atexit.register(made.close)
    return made


def sent(name: str, market: dict[str, Any], call: Any) -> dict[str, Any]:
    client = _client(name.lower(), json.dumps(market))
    found: dict[str, Any] = client.sent(call.type, call.side, call.amount, call.price, call.params)
    return found


def sent_setting(
    name: str, market: dict[str, Any], method: str, value: Any, params: dict[str, Any]
) -> dict[str, Any]:
    client = _client(name.lower(), json.dumps(market))
    found: dict[str, Any] = client.sent_setting(method, value, params)
    return found


class AsWritten(Decimal):
    """A number that is written as ccxt wrote it (1e-08): the signature is over the bytes."""

    written: str

    def __new__(cls, text: str) -> Self:
        made = super().__new__(cls, text)
        made.written = text
        return made

    def __format__(self, *form: Any) -> str:
        return self.written


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[dict[str, str], dict[str, str]]:
    """Our headers over ccxt's body, in ccxt's order."""
    params = json.loads(caught.body, parse_float=AsWritten)
    request = venue.sign(Call(caught.method, urlsplit(caught.url).path, params), keys, NOW_MS)
    return {part: request.headers[part] for part in SIGNED}, {part: caught.headers[part] for part in SIGNED}
