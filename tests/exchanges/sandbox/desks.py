"""Desks of a plain exchange for the engine's own tests: BTC/USDT with a tick of 0.1 and a step of 0.001."""

import itertools
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.model import Market, Rules, Ticket
from exchanges.types import OrderType, Product, Side

SYMBOL = "BTCUSDT"
MARKET = Market(
    symbol=SYMBOL,
    base="BTC",
    quote="USDT",
    product=Product.LINEAR,
    tick=Decimal("0.1"),
    step=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    min_notional=Decimal(5),
    max_quantity=Decimal(1000),
    max_market_quantity=Decimal(100),
)


class Exchange:
    """One desk, one account with 100,000 USDT and 10 BTC, a price that starts at 50,000."""

    def __init__(self, product: Product = Product.LINEAR, **rules):
        self.price = Decimal(50000)
        self.clock_ms = 1_000_000
        self.desk = Desk(
            "Test",
            [replace(MARKET, product=product)],
            Rules(wallet="w", **rules),
            price_of=lambda base, quote: self.price,
            now_ms=lambda: self.clock_ms,
            numbers=itertools.count(1),
        )
        self.account = Account("key", "secret", wallets={"w": {"USDT": Decimal(100000), "BTC": Decimal(10)}})

    def move(self, price):
        self.price = Decimal(str(price))
        self.desk.price_moved("BTC", "USDT")

    def place(self, side, kind, quantity=None, **rest):
        return self.desk.place(self.account, ticket(side, kind, quantity, **rest))

    def buy(self, quantity, **rest):
        return self.place("buy", "limit" if "price" in rest else "market", quantity, **rest)

    def sell(self, quantity, **rest):
        return self.place("sell", "limit" if "price" in rest else "market", quantity, **rest)

    def total(self, asset):
        return self.account.total("w", asset)

    def free(self, asset):
        return self.account.free("w", asset)

    def position(self, side=None):
        return self.desk.book(self.account).position(self.desk.markets[SYMBOL], side)


def ticket(side, kind, quantity=None, **rest):
    numbers: dict[str, Any] = {
        name: Decimal(str(rest.pop(name)))
        for name in ("price", "trigger_price", "quote_quantity")
        if name in rest
    }
    return Ticket(
        SYMBOL,
        Side(side),
        OrderType(kind),
        quantity=None if quantity is None else Decimal(str(quantity)),
        **numbers,
        **rest,
    )
