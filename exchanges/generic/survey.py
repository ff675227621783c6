"""`python -m exchanges.generic.survey > exchanges/generic/catalog.json`: the catalogue, read from ccxt itself.

An exchange is left out where an order could get lost: without ids of ours, without a way to fetch an order and to list
open ones; `left_out` tells why, for the page about exchanges. A product's waiting orders count only where they can be fetched and listed as well. The table has no word for
ids of clients: ccxt's source has to name them where it makes an order, and the order that it makes has to carry one.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from exchanges.errors import ExchangeError
from exchanges.generic.client import base_error, clone, opened
from exchanges.generic.entry import Entry, LeftOut, Offer
from exchanges.transport import Answer, Request
from exchanges.types import Credentials

#: nobody's: what ccxt signs in order to show how it does it
KEYS = Credentials("QUtJQWZsaXByZmxpcHI=", "ZmxpcHJmbGlwcmZsaXByZmxpcHI=", "1")
#: where ccxt drops its own word for the id of a client and passes the exchange's on
#: (cryptocom: exchange-docs.crypto.com/exchange/v1, "client_oid", read 2026-11-22; coinbase:
#: docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/create-order, "client_order_id", read 2026-11-23)
ID_PARAMS = {"cryptocom": "client_oid", "coinbase": "client_order_id"}
OUR_ID, NOW_MS = "7316405928134", 1_700_000_000_000
SIGNIFICANT_DIGITS, TICK_SIZE = 3, 4
#: what ccxt raises over an empty answer
BROKEN = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
NEEDED = (
    "createOrder",
    "cancelOrder",
    "fetchOrder",
    "fetchOpenOrders",
    "fetchBalance",
    "fetchMarkets",
    "fetchTicker",
)
#: one product of an exchange that is there as a whole
PARTS = frozenset({"binanceusdm", "binancecoinm", "krakenfutures", "kucoinfutures"})
#: as messages write them, where ccxt's own title does not do
NAMES = {
    "bybit": "ByBit",
    "coinbase": "Coinbase",
    "cryptocom": "CryptoCom",
    "mexc": "MEXC",
    "hashkey": "HashKey",
    "myokx": "MyOKX",
    "okxus": "OKXUS",
    "woo": "WOO",
    "bybitid": "ByBitID",
    "bybiteu": "ByBitEU",
    "p2b": "P2B",
    "cex": "CEX",
    "delta": "Delta",
    "kucoin": "KuCoin",
}
CREDENTIALS = {"apiKey": "key", "secret": "secret", "password": "passphrase", "uid": "passphrase"}


def survey() -> tuple[list[Entry], dict[LeftOut, tuple[str, ...]]]:
    """What can be opened, and what cannot by the reason."""
    ccxt = importlib.import_module("ccxt")
    entries, left_out = list[Entry](), dict[LeftOut, tuple[str, ...]]()
    for name in (each for each in ccxt.exchanges if each not in PARTS):
        found = _entry(getattr(ccxt, name)({"number": str}))
        if isinstance(found, Entry):
            entries.append(found)
        else:
            left_out[found] = (*left_out.get(found, ()), name)
    return entries, {reason: left_out[reason] for reason in LeftOut if reason in left_out}


def _entry(client: Any) -> Entry | LeftOut:
    needs = {name for name, needed in client.requiredCredentials.items() if needed}
    if (reason := _lacks(client, needs)) is not None:
        return reason
    fields = tuple(dict.fromkeys(CREDENTIALS[name] for name in CREDENTIALS if name in needs))
    offers = {"spot": _spot(client), "linear": _linear(client)}
    if not any(offers.values()):
        return LeftOut.ORDERS
    return Entry(
        id=client.id,
        name=_name(client),
        title=str(client.name),
        key_fields=fields,
        id_param=_id_param(client.id),
        uid="uid" in needs,
        rate_ms=max(1, round(float(client.rateLimit))),
        hosts=_hosts(client, client.urls.get("api")),
        test_hosts=_hosts(client, client.urls.get("test")),
        **offers,
    )


def _lacks(client: Any, needs: set[str]) -> LeftOut | None:
    if not {"apiKey", "secret"} <= needs <= set(CREDENTIALS) or {"password", "uid"} <= needs:
        return LeftOut.CREDENTIALS
    if not (all(client.has.get(name) for name in NEEDED) and _hosts(client, client.urls.get("api"))):
        return LeftOut.CALLS
    if client.precisionMode == SIGNIFICANT_DIGITS:
        return LeftOut.STEPS
    return None if _names_client_ids(type(client)) else LeftOut.IDS


def _names_client_ids(kind: type) -> bool:
    """Elsewhere ccxt passes an unknown parameter on, and the exchange ignores it."""
    names = ("create_order", "create_order_request", "create_spot_order", "create_swap_order")
    sources = [inspect.getsource(getattr(kind, name)) for name in names if name in dir(kind)]
    return any("clientOrderId" in source or "clientOid" in source for source in sources)


def _sends_our_ids(name: str, product: str, **waits: str) -> bool:
    """Whether our id stands in a request that ccxt makes of an order. Nothing is signed or sent: every request gets an
    empty answer until ccxt stops."""
    made: list[str] = []

    def sign(path: str, api: Any, method: str, params: Any = None, *rest: Any) -> dict[str, Any]:
        made.append(f"{path} {params}")
        return {"url": "https://nowhere.invalid/", "method": method, "headers": {}, "body": None}

    def send(origin: str, request: Request, weight: float) -> Answer:
        return Answer(200, {}, {})

    client = clone(opened(name, product, testnet=False), KEYS, uid=True, send=send, now_ms=lambda: NOW_MS)
    client.password, client.sign = KEYS.passphrase, sign
    symbol = _market(client, product)
    with contextlib.suppress(base_error(), ExchangeError, *BROKEN):
        kind, price = ("market", None) if waits else ("limit", "100")
        client.create_order(symbol, kind, "sell", "1", price, {_id_param(name): OUR_ID, **waits})
    return any(OUR_ID in each for each in made)


def _id_param(name: str) -> str:
    return ID_PARAMS.get(name, "clientOrderId")


def _market(client: Any, product: str) -> str:
    """Give the client one market; its symbol."""
    swap = product == "swap"
    settled = {"settle": "USDT", "settleId": "USDT", "linear": True, "inverse": False, "contractSize": "1"}
    market = {
        "id": "BTCUSDT",
        "symbol": "BTC/USDT:USDT" if swap else "BTC/USDT",
        "base": "BTC",
        "quote": "USDT",
        "baseId": "BTC",
        "quoteId": "USDT",
        "type": product,
        "spot": not swap,
        "swap": swap,
        "contract": swap,
        "active": True,
        "numericId": 1,
        "info": {"orderTypes": ["LIMIT", "MARKET"]},
        "precision": dict.fromkeys(("amount", "price"), "0.01" if client.precisionMode == TICK_SIZE else 2),
        "limits": {"amount": {"min": "0.01"}, "cost": {}, "price": {}},
    }
    client.set_markets([client.safe_market_structure(market | (settled if swap else {}))])
    return str(client.symbols[0])


def _spot(client: Any) -> Offer | None:
    table = (client.features or {}).get("spot") or {}
    if not (client.has.get("spot") and table.get("createOrder") and _sends_our_ids(client.id, "spot")):
        return None
    return _offer(client, table)


def _linear(client: Any) -> Offer | None:
    """Without reduce-only orders and a list of positions there is no closing and no protection."""
    table = ((client.features or {}).get("swap") or {}).get("linear") or {}
    whole = all(client.has.get(name) for name in ("swap", "fetchPositions", "createReduceOnlyOrder"))
    if not (whole and table.get("createOrder") and _sends_our_ids(client.id, "swap")):
        return None
    return _offer(client, table, futures=True)


def _offer(client: Any, table: Mapping[str, Any], *, futures: bool = False) -> Offer:
    creates, times = table["createOrder"], table["createOrder"].get("timeInForce") or {}
    product, trigger = "swap" if futures else "spot", {"triggerPrice": "90"}
    if creates.get("triggerDirection"):
        trigger["triggerDirection"] = "descending"
    waits = all((table.get(name) or {}).get("trigger") for name in ("fetchOrder", "fetchOpenOrders"))
    return Offer(
        conditional=bool(
            waits and creates.get("triggerPrice") and _sends_our_ids(client.id, product, **trigger)
        ),
        directed=bool(creates.get("triggerDirection")),
        ioc=bool(times.get("IOC")),
        fok=bool(times.get("FOK")),
        post_only=bool(times.get("PO")),
        by_quote=not futures and bool(client.has.get("createMarketBuyOrderWithCost")),
        needs_price=not futures and bool(creates.get("marketBuyRequiresPrice")),
        by_symbol=bool((table.get("fetchOpenOrders") or {}).get("symbolRequired")),
        reduce_only=futures,
        leverage=futures and bool(client.has.get("setLeverage")),
        margin_mode=futures and bool(client.has.get("setMarginMode")),
    )


def _name(client: Any) -> str:
    if client.id in NAMES:
        return NAMES[client.id]
    plain = re.sub(r"[^A-Za-z0-9]", "", client.name)
    return plain if plain.lower() == client.id else str(client.id).capitalize()


def _hosts(client: Any, urls: Any) -> tuple[str, ...]:
    """Every address in a table of URLs, the one most parts of it name first."""
    named = [urlsplit(url.replace("{hostname}", client.hostname or "")) for url in _texts(urls)]
    hosts = [f"{url.scheme}://{url.netloc}" for url in named if url.scheme == "https"]
    return tuple(sorted(dict.fromkeys(hosts), key=lambda host: -hosts.count(host)))


def _texts(urls: Any) -> Iterator[str]:
    if isinstance(urls, str):
        yield urls
    elif isinstance(urls, Mapping):
        for value in urls.values():
            yield from _texts(value)


def written(entries: Iterable[Entry], left_out: Mapping[LeftOut, Iterable[str]]) -> str:
    """The catalogue as `exchanges.generic.catalog` reads it, with a line for each fact."""
    version = json.dumps(importlib.import_module("ccxt").__version__)
    told = ",\n".join(_told(entry) for entry in entries)
    reasons = ",\n".join(f"  {json.dumps(why)}: {json.dumps(list(names))}" for why, names in left_out.items())
    return f'{{"ccxt": {version}, "exchanges": [\n{told}\n], "left_out": {{\n{reasons}\n}}}}\n'


def _told(entry: Entry) -> str:
    """Of a product only what it can do."""
    facts = asdict(entry)
    for product in ("spot", "linear"):
        if (offer := facts[product]) is not None:
            facts[product] = [name for name, can in offer.items() if can]
    lines = (f"    {json.dumps(name)}: {json.dumps(value)}" for name, value in facts.items())
    return "  {\n" + ",\n".join(lines) + "\n  }"


if __name__ == "__main__":
    sys.stdout.write(written(*survey()))
