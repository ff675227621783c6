"""What Kraken spot answers: assets, pairs, orders and trades in its own fields. No calls, no decisions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.model import ZERO, Fill, Market, Order, Reason, Ticket, decimals_of, text
from exchanges.types import OrderStatus, OrderType, Product

TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop-loss": OrderType.STOP,
    "stop-loss-limit": OrderType.STOP_LIMIT,
    "take-profit": OrderType.TAKE_PROFIT,
    "take-profit-limit": OrderType.TAKE_PROFIT_LIMIT,
}
TYPE_WORDS = {kind: word for word, kind in TYPES.items()}
STATUSES = {
    OrderStatus.OPEN: "open",
    OrderStatus.FILLED: "closed",
    OrderStatus.CANCELLED: "canceled",
    OrderStatus.REJECTED: "canceled",
    OrderStatus.EXPIRED: "expired",
}
ENDINGS = {
    "user": "User requested",
    Reason.POST_ONLY: "Post only order",
    Reason.INSUFFICIENT: "Insufficient funds",
}
#: the names of assets, and in pairs (altname)
ASSETS = {"BTC": "XXBT", "ETH": "XETH", "LTC": "XLTC", "XRP": "XXRP", "DOGE": "XXDG", "USD": "ZUSD"}
ALTNAMES = {"BTC": "XBT", "DOGE": "XDG"}
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
#: base, tick in dollars, least volume
_COINS = (
    ("BTC", "0.1", "0.00005"),
    ("ETH", "0.01", "0.001"),
    ("SOL", "0.01", "0.02"),
    ("XRP", "0.00001", "1.65"),
    ("DOGE", "0.0000001", "13"),
    ("LTC", "0.01", "0.04"),
)


def _market(base: str, quote: str, tick: str, least: str, least_cost: str = "0.5") -> Market:
    """Pairs of two old assets are keyed by the old names (XXBTZUSD), others by the altname (XBTUSDT)."""
    symbol = ALTNAMES.get(base, base) + ALTNAMES.get(quote, quote)
    old = base in ASSETS and quote in ASSETS and base != "DOGE"
    return Market(
        symbol=symbol,
        base=base,
        quote=quote,
        product=Product.SPOT,
        tick=Decimal(tick),
        step=Decimal("0.00000001"),
        min_quantity=Decimal(least),
        min_notional=Decimal(least_cost),
        extra={"key": ASSETS[base] + ASSETS[quote] if old else symbol},
    )


MARKETS = (
    *(_market(base, quote, tick, least) for quote in ("USD", "USDT", "USDC") for base, tick, least in _COINS),
    _market("ETH", "BTC", "0.00001", "0.001", "0.00002"),
)


def transaction_id(letter: str, number: int) -> str:
    """O7AAAA-AAAAB-2C4D6E: the running number in 16 letters."""
    word = ""
    for _ in range(16):
        number, digit = divmod(number, 32)
        word = _ALPHABET[digit] + word
    return f"{letter}{word[:5]}-{word[5:10]}-{word[10:]}"


def done(result: Any) -> dict[str, Any]:
    return {"error": [], "result": result}


def slashed(market: Market) -> str:
    return f"{ALTNAMES.get(market.base, market.base)}/{ALTNAMES.get(market.quote, market.quote)}"


def asset_row(name: str) -> dict[str, Any]:
    decimals = {"decimals": 4 if name == "USD" else 10, "display_decimals": 2 if name == "USD" else 5}
    return {"aclass": "currency", "altname": ALTNAMES.get(name, name), **decimals, "status": "enabled"}


def pair_row(market: Market) -> dict[str, Any]:
    return {
        "altname": market.symbol,
        "wsname": slashed(market),
        "aclass_base": "currency",
        "base": ASSETS.get(market.base, market.base),
        "aclass_quote": "currency",
        "quote": ASSETS.get(market.quote, market.quote),
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": decimals_of(market.tick),
        "lot_decimals": decimals_of(market.step),
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, Decimal("0.4")]],
        "fees_maker": [[0, Decimal("0.25")]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": text(market.min_quantity),
        "costmin": text(market.min_notional),
        "tick_size": text(market.tick),
        "status": "online",
    }


def sentence(ticket: Ticket, market: Market) -> str:
    """sell 0.01000000 XBTUSD @ stop loss 48000.0 -> limit 47900.0."""
    volume = text(ticket.quantity if ticket.quote_quantity is None else ticket.quote_quantity, 8)
    kind = TYPE_WORDS[ticket.type].removesuffix("-limit").replace("-", " ")
    trigger, limit = (text(price, decimals_of(market.tick)) for price in (ticket.trigger_price, ticket.price))
    words = [ticket.side, volume, market.symbol, "@", kind]
    words += [trigger] if ticket.trigger_price is not None else []
    words += ["->", "limit"] if ticket.trigger_price is not None and ticket.price is not None else []
    return " ".join(words + ([limit] if ticket.price is not None else []))


def order_row(order: Order) -> dict[str, Any]:
    ticket, market = order.ticket, order.market
    trigger, limit, average = (
        text(price, decimals_of(market.tick))
        for price in (order.trigger_price, order.price, order.average_price)
    )
    prices = (trigger, limit) if ticket.type.conditional else (limit, "0")
    told = {
        "refid": None,
        "userref": ticket.extra["userref"] or None,
        "cl_ord_id": order.client_id or None,
        "status": STATUSES[order.status],
        "opentm": Decimal(order.created_ms) / 1000,
        "starttm": 0,
        "expiretm": 0,
        "descr": {
            "pair": market.symbol,
            "aclass": "forex",
            "type": ticket.side,
            "ordertype": TYPE_WORDS[ticket.type],
            "price": prices[0],
            "price2": prices[1],
            "leverage": "none",
            "order": sentence(ticket, market),
            "close": "",
        },
        "vol": text(order.quantity if ticket.quote_quantity is None else ticket.quote_quantity, 8),
        "vol_exec": text(order.filled, 8),
        "cost": text(order.quote_filled, 5),
        "fee": text(sum(order.fees().values(), ZERO), 5),
        "price": average,
        "stopprice": trigger,
        "limitprice": limit,
        "misc": "",
        "oflags": ticket.extra["oflags"],
        "trigger": ticket.trigger_by,
        "trades": [transaction_id("T", fill.id) for fill in order.fills],
    }
    if not order.open:
        ending = {
            "closetm": Decimal(order.updated_ms) / 1000,
            "reason": ENDINGS.get(order.reason, order.reason) or None,
        }
        told |= ending
    return told


def trade_row(fill: Fill, order: Order) -> dict[str, Any]:
    return {
        "ordertxid": order.id,
        "postxid": "",
        "pair": order.market.extra["key"],
        "time": Decimal(fill.time_ms) / 1000,
        "type": fill.side,
        "ordertype": TYPE_WORDS[order.ticket.type],
        "price": text(fill.price, decimals_of(order.market.tick)),
        "cost": text(fill.price * fill.quantity, 5),
        "fee": text(fill.fee, 5),
        "vol": text(fill.quantity, 8),
        "margin": "0.00000",
        "misc": "",
        "trade_id": fill.id,
        "maker": fill.maker,
    }
