"""Kraken through ccxt: spot takes the unified words as they are, futures want a few of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt

from exchanges.types import Credentials, OrderRequest, OrderType, TimeInForce, TriggerBy
from exchanges.venue import Call, Venue
from exchanges.venues.kraken import Kraken
from tests.exchanges.contract import NOW_MS, Settings, json_params

STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
batch_signatures = {
    "Kraken_C": "ccxt sends and signs the JSON in its form as it reads, ours is percent-encoded",
    "Kraken_F": "ccxt sends and signs the JSON in its form as it reads, ours is percent-encoded",
}
SIGNALS = {TriggerBy.MARK: "mark", TriggerBy.INDEX: "index"}


class InMilliseconds(Kraken):
    """ccxt's nonces are milliseconds, ours are finer."""

    nonces_per_ms = 1


settings: Settings = {
    "set leverage": [("set_leverage", 5, {})],
}


def client(name: str) -> Any:
    exchange = ccxt.kraken() if name == "Kraken" else ccxt.krakenfutures()
    exchange.incrementing_nonce = lambda: NOW_MS
    return exchange


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    params = dict(call.params)
    if name == "Kraken":
        return call
    if order.time_in_force is TimeInForce.IOC:
        params["timeInForce"] = "ioc"
    if order.time_in_force is TimeInForce.FOK:
        params.pop("timeInForce")
        params["orderType"] = "fok"
    if order.type in STOPS and not order.reduce_only:
        params["triggerPrice"] = params.pop("stopLossPrice")  # "stopLossPrice" always means reduce-only there
    if order.trigger_by in SIGNALS:
        params["triggerSignal"] = SIGNALS[order.trigger_by]
    return replace(call, params=params)


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[Any, Any]:
    target = urlsplit(caught.url)
    batch = caught.body.startswith("{")
    params = json_params(caught.body) if batch else dict(parse_qsl(target.query or caught.body))
    params.pop("nonce", None)
    if isinstance(venue, Kraken):
        venue = InMilliseconds(venue.transport)
    ours = venue.sign(Call(caught.method, target.path, params), keys, NOW_MS)
    names = ("API-Key", "API-Sign", "APIKey", "Authent")
    return _named(ours.headers, names), _named(caught.headers, names)


def _named(headers: Any, names: tuple[str, ...]) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}
