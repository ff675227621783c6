"""Every exchange flipr knows by name, whether or not a venue for it is built yet. Data only: the names of those that
are opened through ccxt come from its catalogue.

The names are as written in messages and answers; they are matched without case, dots, dashes and underscores.
"""

from __future__ import annotations

from exchanges.generic.catalog import ENTRIES

EXCHANGES = (
    "Binance",
    "ByBit",
    "Kraken",
    "OKX",
    "KuCoin",
    "Bitget",
    "Bitfinex",
    "BitMEX",
    "BloFin",
    "Bitunix",
    "Phemex",
    "Gate",
    "MEXC",
    "HTX",
    "BingX",
    "Deribit",
    "Hyperliquid",
    "Coinbase",
    "WOO",
    "CoinEx",
    "CryptoCom",
)

#: former names, web addresses and brand names of the same exchange
ALIASES = {
    "huobi": "HTX",
    "huobipro": "HTX",
    "gateio": "Gate",
    "okex": "OKX",
    "woox": "WOO",
    "woonetwork": "WOO",
    "cdc": "CryptoCom",
    "coinbasepro": "Coinbase",
    "coinbaseadvanced": "Coinbase",
    "krakenpro": "Kraken",
    "mxc": "MEXC",
}

#: names other tools give to one product of an exchange. Not aliases: without a market mark they would
#: silently mean spot, so the reader only suggests the right spelling.
PRODUCT_NAMES = {
    "binanceusdm": "Binance_F",
    "binancefutures": "Binance_F",
    "binancecoinm": "Binance_C",
    "krakenfutures": "Kraken_F",
    "bybitfutures": "ByBit_F",
    "bybitlinear": "ByBit_F",
    "bybitinverse": "ByBit_C",
    "kucoinfutures": "KuCoin_F",
    "okxswap": "OKX_F",
    "bitgetfutures": "Bitget_F",
    "gatefutures": "Gate_F",
    "mexcfutures": "MEXC_F",
}

_DROPPED = str.maketrans("", "", " .-_()")
_GENERIC = {
    written.lower().translate(_DROPPED): each.name for each in ENTRIES for written in (each.id, each.title)
}
_BY_KEY = _GENERIC | {name.lower(): name for name in EXCHANGES} | ALIASES


def name_key(text: str) -> str:
    """The form names are compared in: `Crypto.com` -> cryptocom."""
    return text.lower().translate(_DROPPED)


def exchange_name(text: str) -> str | None:
    """The canonical spelling of an exchange's name, or None when it is not known."""
    return _BY_KEY.get(name_key(text))
