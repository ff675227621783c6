"""A small client of Bitunix' futures and spot APIs that is ours: ccxt has none, and nobody's client of the futures can be
installed.

It stands in for the outsider that other exchanges have, so it proves less: that two readings of the documentation
(https://www.bitunix.com/api-docs/futures/, stored copies read 2026-11-22) agree. It shares no code with `exchanges/`,
keeps the words of the documentation, and its signature is held against the exchange's own example. On spot the words are
those of https://api-doc.bitunix.com/en_us/ with the undocumented `clientId`.

The one package there is, `bitunix` 0.1.2 of 2024 (unofficial), knows spot only, gives no order an id of the client's, cannot
sign a query, prints the API key with every order and sends a nonce of 44 characters where the documentation wants 32. With
a nonce of 32 it reads balances, orders, lists and cancels against the sandbox (tried 2026-11-23): a third reading of the
signature, of the addresses and of the words of an order.
"""

from __future__ import annotations

import json
import secrets
import time
import urllib.request
from hashlib import sha256
from typing import Any

ROOT = "https://fapi.bitunix.com"
FUTURES = "/api/v1/futures/"
SPOT_ROOT = "https://openapi.bitunix.com"
SPOT = "/api/spot/v1/"


class Refused(Exception):
    """An answer whose code is not 0."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(f"{code}: {said}")
        self.code = code


def make_sign(nonce: str, timestamp: str, api_key: str, query: dict[str, str], body: str, secret: str) -> str:
    """As "Sign" describes it: a digest of everything, then a digest of that with the secret."""
    joined = "".join(key + value for key, value in sorted(query.items()))
    digest = sha256()
    for part in (nonce, timestamp, api_key, joined, body):
        digest.update(part.encode("utf-8"))
    return sha256(digest.hexdigest().encode("utf-8") + secret.encode("utf-8")).hexdigest()


class Bitunix:
    """`prepare` tells what would be sent; `get` and `post` send it and give back `data`."""

    prefix = FUTURES

    def __init__(self, api_key: str, secret: str, root: str = ROOT) -> None:
        self.api_key, self.secret, self.root = api_key, secret, root
        #: nonce and time in milliseconds, where they must stand still
        self.fixed: tuple[str, int] | None = None

    def prepare(
        self, method: str, path: str, query: dict[str, Any] | None = None, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        nonce, moment = self.fixed or (secrets.token_hex(16), int(time.time() * 1000))
        asked = {key: str(value) for key, value in (query or {}).items()}
        written = json.dumps(body, separators=(",", ":")) if body is not None else ""
        tail = "?" + "&".join(key + "=" + value for key, value in asked.items()) if asked else ""
        return {
            "url": self.root + self.prefix + path + tail,
            "method": method,
            "headers": {
                "api-key": self.api_key,
                "nonce": nonce,
                "timestamp": str(moment),
                "sign": make_sign(nonce, str(moment), self.api_key, asked, written, self.secret),
                "language": "en-US",
                "Content-Type": "application/json",
            },
            "body": written,
        }

    def _send(self, prepared: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            prepared["url"],
            data=prepared["body"].encode() or None,
            headers=prepared["headers"],
            method=prepared["method"],
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            told = json.load(answer)
        if str(told["code"]) != "0":
            raise Refused(int(told["code"]), told["msg"])
        return told["data"]

    def get(self, path: str, **query: Any) -> Any:
        return self._send(self.prepare("GET", path, query))

    def post(self, path: str, **body: Any) -> Any:
        return self._send(self.prepare("POST", path, body=body))

    def order(
        self,
        symbol: str,
        side: str,
        qty: str,
        client_id: str,
        *,
        price: str | None = None,
        effect: str = "GTC",
        reduce_only: bool = False,
        trade_side: str | None = None,
        position_id: str | None = None,
    ) -> dict[str, Any]:
        """Place Order; `trade_side` OPEN or CLOSE in hedge mode only."""
        body: dict[str, Any] = {"symbol": symbol, "side": side, "qty": qty, "clientId": client_id}
        body["orderType"] = "MARKET" if price is None else "LIMIT"
        if price is not None:
            body.update(price=price, effect=effect)
        if reduce_only:
            body["reduceOnly"] = True
        if trade_side is not None:
            body["tradeSide"] = trade_side
        if position_id is not None:
            body["positionId"] = position_id
        return self.prepare("POST", "trade/place_order", body=body)

    def tpsl(
        self,
        symbol: str,
        position_id: str,
        *,
        stop_loss: dict[str, str] | None = None,
        take_profit: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Place TP/SL Order. A leg: Price, Qty, and if wanted StopType and OrderPrice."""
        body: dict[str, Any] = {"symbol": symbol, "positionId": position_id}
        for prefix, leg in (("tp", take_profit), ("sl", stop_loss)):
            if leg is not None:
                body[prefix + "StopType"] = leg.get("StopType", "LAST_PRICE")
                body[prefix + "OrderType"] = "LIMIT" if "OrderPrice" in leg else "MARKET"
                body.update({prefix + name: value for name, value in leg.items()})
        return self.prepare("POST", "tpsl/place_order", body=body)

    def batch(self, symbol: str, *orders: dict[str, Any]) -> dict[str, Any]:
        """Batch Order, of what `order` prepared."""
        listed = [json.loads(order["body"]) for order in orders]
        body = {
            "symbol": symbol,
            "orderList": [{key: each[key] for key in each if key != "symbol"} for each in listed],
        }
        return self.prepare("POST", "trade/batch_order", body=body)

    def leverage(self, symbol: str, leverage: int) -> dict[str, Any]:
        """Change Leverage."""
        body = {"symbol": symbol, "leverage": leverage, "marginCoin": "USDT"}
        return self.prepare("POST", "account/change_leverage", body=body)

    def margin_mode(self, symbol: str, mode: str) -> dict[str, Any]:
        """Change Margin Mode: ISOLATION or CROSS."""
        body = {"marginMode": mode, "symbol": symbol, "marginCoin": "USDT"}
        return self.prepare("POST", "account/change_margin_mode", body=body)

    def trade(self, prepared: dict[str, Any]) -> Any:
        """Send what `order`, `batch` or `tpsl` prepared."""
        return self._send(prepared)


class BitunixSpot(Bitunix):
    """Sides are 1 for a sale and 2 for a purchase, types 1 for limit and 2 for market."""

    prefix = SPOT

    def __init__(self, api_key: str, secret: str, root: str = SPOT_ROOT) -> None:
        super().__init__(api_key, secret, root)

    def spot_order(
        self, symbol: str, side: str, volume: str, client_id: str, price: str | None = None
    ) -> dict[str, Any]:
        """The volume is the base quantity, but for a purchase at market."""
        body = {
            "side": {"sell": 1, "buy": 2}[side],
            "type": 2 if price is None else 1,
            "volume": volume,
            "price": "0" if price is None else price,
            "symbol": symbol,
            "clientId": client_id,
        }
        return self.prepare("POST", "order/place_order", body=body)
