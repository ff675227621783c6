"""One message as frozen values: its blocks, each of symbols on a venue and their steps, and what it says of itself.

Pure Python. `str()` of each value is its canonical Smart Syntax; `webhooks.syntax.parse(str(m)) == m`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from exchanges.types import Product
from execution.amounts import Span, plain_duration, plain_name, plain_time, words
from execution.commands import Step

#: the mark behind the exchange's name
_MARKETS = {
    (Product.SPOT, False): "",
    (Product.LINEAR, False): "_F",
    (Product.INVERSE, False): "_C",
    (Product.MARGIN, False): "_M",
    (Product.SPOT, True): "_ST",
    (Product.LINEAR, True): "_FT",
    (Product.INVERSE, True): "_CT",
}


@dataclass(frozen=True, slots=True)
class VenueName:
    """`exchange` in its canonical spelling (Binance, ByBit, Kraken, ...). `str()` is `Binance_F`, `Binance_FT`, ..."""

    exchange: str
    product: Product = Product.SPOT
    testnet: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.exchange}{_MARKETS[self.product, self.testnet]}"


@dataclass(frozen=True, slots=True)
class Block:
    """One `SYMBOLS on VENUE ...`. `symbols` is () for `*`."""

    symbols: tuple[str, ...]
    venue: VenueName
    accounts: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)
    symbol_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    account_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)

    def __str__(self) -> str:
        symbols = ", ".join(self.symbols) or "*"
        using = self.accounts and f"using {', '.join(map(plain_name, self.accounts))}"
        return words(symbols, "on", self.venue, using, *self.steps)


class Notify(StrEnum):
    TELEGRAM = "telegram"
    EMAIL = "email"
    DISCORD = "discord"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Message:
    blocks: tuple[Block, ...]
    id: str = ""
    sent: datetime | None = None
    valid: timedelta | None = None
    once: timedelta | None = None
    dry_run: bool = False
    paper: bool = False
    note: str = ""
    notify: Notify | None = None
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False, hash=False)

    def __str__(self) -> str:
        options = words(
            self.id and f"id {plain_name(self.id)}",
            self.sent and f"sent {plain_time(self.sent)}",
            self.valid is not None and f"valid {plain_duration(self.valid)}",
            self.once is not None and f"once {plain_duration(self.once)}",
            self.dry_run and "dry run",
            self.paper and "paper",
            self.note and f'note "{self.note}"',
            self.notify and f"notify {self.notify}",
        )
        return "\n".join(filter(None, (options, *map(str, self.blocks))))
