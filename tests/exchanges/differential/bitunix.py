"""Bitunix through the small client of `clients/bitunix.py`, which is ours and read the documentation a second time.

What hangs on a position is compared with the position's number already known, a market buy on spot as the limit order that
it is sent as.
"""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from exchanges.types import Credentials, OrderRequest, OrderType, Side, TriggerBy
from exchanges.venue import Call, Venue
from exchanges.venues.bitunix import BitunixFutures, BitunixSpot, at_position
from tests.exchanges.clients import bitunix as reference
from tests.exchanges.clients.bitunix import Bitunix
from tests.exchanges.contract import NOW_MS, Settings, credentials

NUMBER = "19848247723672"
NONCE = "0123456789abcdef0123456789abcdef"
SIGNED = ("api-key", "nonce", "timestamp", "sign", "language", "Content-Type")

settings: Settings = {
    "set leverage": [("set_margin_mode", "isolated", {}), ("set_leverage", 10, {})],
}


#: the best price on spot, and what is paid at most
ASK, BOUND = Decimal(50000), "50500"


def prepared(venue: Venue, order: OrderRequest) -> OrderRequest:
    if not isinstance(venue, BitunixSpot):
        return at_position(order, NUMBER)
    at_market = (order.type, order.side) == (OrderType.MARKET, Side.BUY)
    return venue.bounded(order, ASK) if at_market else order


def ccxt_order(name: str, order: OrderRequest, call: Any) -> Any:
    """The position side and the trigger's price, which ccxt's unified words lack."""
    words = {
        "position_side": str(order.position_side or ""),
        "by_mark": order.trigger_by is TriggerBy.MARK,
    }
    return replace(call, params=call.params | words)


def sent(name: str, market: dict[str, Any], call: Any) -> dict[str, Any]:
    keys = credentials(name.lower())
    if name == "Bitunix":
        return _spot(reference.BitunixSpot(keys.key, keys.secret), market["id"], call)
    client = Bitunix(keys.key, keys.secret)
    client.fixed = (NONCE, NOW_MS)
    trigger = call.params.get("stopLossPrice"), call.params.get("takeProfitPrice")
    if any(trigger):
        return _tpsl(client, market["id"], call, *trigger)
    words: dict[str, Any] = {"price": call.price, "effect": call.params.get("timeInForce", "GTC")}
    if call.params.get("postOnly"):
        words["effect"] = "POST_ONLY"
    side, held = call.side.upper(), call.params["position_side"]
    if held:
        side = "BUY" if held == "long" else "SELL"
        closes = call.side.upper() != side
        words |= {"trade_side": "CLOSE", "position_id": NUMBER} if closes else {"trade_side": "OPEN"}
    elif call.params.get("reduceOnly"):
        words["reduce_only"] = True
    return client.order(market["id"], side, call.amount, call.params["clientOrderId"], **words)


def sent_setting(
    name: str, market: dict[str, Any], method: str, value: Any, params: dict[str, Any]
) -> dict[str, Any]:
    keys = credentials(name.lower())
    client = Bitunix(keys.key, keys.secret)
    client.fixed = (NONCE, NOW_MS)
    if method == "set_leverage":
        return client.leverage(market["id"], value)
    return client.margin_mode(market["id"], {"isolated": "ISOLATION", "cross": "CROSS"}[value])


def _spot(client: reference.BitunixSpot, symbol: str, call: Any) -> dict[str, Any]:
    client.fixed = (NONCE, NOW_MS)
    price = BOUND if (call.type, call.side) == ("market", "buy") else call.price
    return client.spot_order(symbol, call.side, call.amount, call.params["clientOrderId"], price)


def _tpsl(client: Bitunix, symbol: str, call: Any, stop: str | None, target: str | None) -> dict[str, Any]:
    leg = {"Price": stop or target or "", "Qty": call.amount}
    if call.price is not None:
        leg["OrderPrice"] = call.price
    if call.params["by_mark"]:
        leg["StopType"] = "MARK_PRICE"
    which = {"stop_loss": leg} if stop else {"take_profit": leg}
    return client.tpsl(symbol, NUMBER, **which)


def resign(venue: Venue, caught: Any, keys: Credentials) -> tuple[dict[str, str], dict[str, str]]:
    """Our headers over its body, in its order."""
    assert isinstance(venue, BitunixFutures | BitunixSpot)
    venue.random_text = lambda: NONCE
    request = venue.sign(
        Call(caught.method, urlsplit(caught.url).path, json.loads(caught.body)), keys, NOW_MS
    )
    return {part: request.headers[part] for part in SIGNED}, {part: caught.headers[part] for part in SIGNED}
