"""One of our venues against the sandbox, as the tests use it beside other people's clients."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.pool import Pool
from exchanges.types import (
    Credentials,
    Environment,
    Legs,
    OrderRequest,
    OrderType,
    Position,
    Product,
    Report,
    Side,
)

#: what is given as text
NUMBERS = ("price", "trigger_price", "quote_quantity", "leverage")


class Ours:
    """A venue, its instrument and a key, over HTTP to the sandbox."""

    def __init__(self, pool: Pool, name: str, keys: Mapping[str, str], symbol: str = "BTCUSDT") -> None:
        connection = pool.connection(name, Environment.SANDBOX)
        self.venue: Any = connection.venue
        self.instrument = connection.table.find(symbol)
        self.keys = Credentials(keys["key"], keys["secret"], keys.get("passphrase", ""))
        self.number = 0

    def order(self, side: str, kind: str, quantity: str | None = None, **more: Any) -> OrderRequest:
        self.number += 1
        numbers = {name: Decimal(value) for name, value in more.items() if name in NUMBERS}
        return OrderRequest(
            instrument=self.instrument,
            client_id=more.pop("client_id", self.venue.client_id(f"{self.venue.name}{self.number}")),
            side=Side(side),
            type=OrderType(kind),
            quantity=None if quantity is None else Decimal(quantity),
            **(more | numbers),
        )

    def place(self, side: str, kind: str, quantity: str | None = None, **more: Any) -> Report:
        placed: Report = self.venue.place(self.keys, self.order(side, kind, quantity, **more))
        return placed

    def fetch(self, report: Report) -> Report:
        found: Report = self.venue.fetch(self.keys, self.instrument, report.ref)
        return found

    def cancel(self, report: Report) -> None:
        self.venue.cancel(self.keys, self.instrument, report.ref)

    def legs(self, quantity: str, stop: str, target: str, **more: Any) -> Legs:
        """Of what was bought."""
        more = {"reduce_only": self.venue.product is not Product.SPOT} | more
        return Legs(
            self.order("sell", "stop", quantity, trigger_price=stop, **more),
            self.order("sell", "take_profit", quantity, trigger_price=target, **more),
        )

    def protect(self, *words: str, **more: Any) -> tuple[Report, Report]:
        pair: tuple[Report, Report] = self.venue.protect(self.keys, self.legs(*words, **more))
        return pair

    def open(self) -> list[Report]:
        found: list[Report] = self.venue.open_orders(self.keys, self.instrument)
        return found

    def positions(self) -> list[Position]:
        found: list[Position] = self.venue.positions(self.keys)
        return found
