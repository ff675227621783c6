"""Regions and which exchange is reached from which; checks of the settings that speak of them."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

REGION_NAMES = ("eu", "tokyo", "singapore")

_EXCHANGES = {
    "tokyo": "binance kucoin bitget gate htx hyperliquid mexc bingx",
    "singapore": "bybit blofin bitunix phemex okx",
    "eu": "kraken bitmex bitfinex deribit",
}
EXCHANGE_REGION = {exchange: name for name, exchanges in _EXCHANGES.items() for exchange in exchanges.split()}


def region(variable: str, value: str) -> str:
    """The region if there is such a one, or "" (the web tier)."""
    if value and value not in REGION_NAMES:
        raise ImproperlyConfigured(
            f"{variable} is {value!r}: write one of {', '.join(REGION_NAMES)}, or nothing for the web tier."
        )
    return value


def exchange_regions(variable: str, overrides: dict[str, str]) -> dict[str, str]:
    for exchange, name in overrides.items():
        region(f"{variable} for {exchange}", name)
    return overrides


def web_origin(variable: str, value: str) -> str:
    """`https://host[:port]` without a trailing slash."""
    value = value.rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path:
        raise ImproperlyConfigured(f"{variable} is {value!r}: write it as https://flipr.example (no path).")
    return value
