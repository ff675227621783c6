"""ccxt's own BitMEX client (package `bitmex-api`), which the ccxt beside it no longer has."""

from __future__ import annotations

from typing import Any, NoReturn

from bitmex.ccxt import bitmex as BitMEX  # type: ignore[import-untyped]

from tests.exchanges.elsewhere import serve


class Sent(Exception):
    """What would have left."""

    def __init__(self, url: str, method: str, headers: Any, body: Any) -> None:
        super().__init__(url)
        self.told = {"url": url, "method": method, "headers": dict(headers or {}), "body": body or ""}


def catch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> NoReturn:
    raise Sent(url, method, headers, body)


class Offline:
    """Knows one market, stands still in time, and tells what it would send."""

    def __init__(self, words: dict[str, Any]) -> None:
        self._client = BitMEX(
            {"apiKey": words["apiKey"], "secret": words["secret"], "enableRateLimit": False}
        )
        self._client.fetch = catch
        self._client.seconds = lambda: words["now_ms"] // 1000
        coins = [
            {"id": code, "code": code, "precision": unit, "info": {}, "networks": {}, "limits": {}}
            for code, unit in words["units"].items()
        ]
        market = self._client.safe_market_structure(words["market"])
        self._client.set_markets([market], {coin["code"]: coin for coin in coins})
        self._symbol = market["symbol"]

    def sent(
        self, kind: str, side: str, amount: str | None, price: str | None, params: dict[str, Any]
    ) -> dict[str, Any]:
        return self._caught("create_order", self._symbol, kind, side, amount, price, params)

    def sent_setting(self, method: str, value: Any, params: dict[str, Any]) -> dict[str, Any]:
        """Of `set_leverage` or `set_margin_mode`."""
        return self._caught(method, value, self._symbol, params)

    def _caught(self, method: str, *words: Any) -> dict[str, Any]:
        try:
            getattr(self._client, method)(*words)
        except Sent as caught:
            return caught.told
        raise AssertionError("nothing was sent")


def trading(words: dict[str, Any]) -> Any:
    """Against an exchange at `url`."""
    made = BitMEX({"apiKey": words["apiKey"], "secret": words["secret"], "enableRateLimit": False})
    made.urls["api"] = dict.fromkeys(made.urls["api"], words["url"])
    made.options |= words.get("options", {})
    return made


def open_client(words: dict[str, Any]) -> Any:
    return Offline(words) if "market" in words else trading(words)


if __name__ == "__main__":
    serve(open_client)
