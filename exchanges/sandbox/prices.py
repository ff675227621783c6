"""The one price list that all simulated exchanges share."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

DOLLARS = ("USDT", "USDC", "USD")
START = {
    "BTC": "50000",
    "ETH": "3000",
    "SOL": "150",
    "XRP": "0.5",
    "DOGE": "0.1",
    "LTC": "80",
}


class Prices:
    """A price set in one dollar is the price in all dollars that were not set themselves; pairs of coins
    follow their dollar prices the same way."""

    def __init__(self) -> None:
        self._set: dict[tuple[str, str], Decimal] = {}
        self._in_dollars: dict[str, Decimal] = {}
        self.reset()

    def reset(self) -> None:
        self._set.clear()
        self._in_dollars = {base: Decimal(price) for base, price in START.items()}

    def of(self, base: str, quote: str) -> Decimal:
        """Raises KeyError for a pair that has none."""
        if (own := self._set.get((base, quote))) is not None:
            return own
        if quote in DOLLARS:
            return self._in_dollars[base]
        return (self._in_dollars[base] / self._in_dollars[quote]).quantize(Decimal("1E-8"))

    def set(self, base: str, quote: str, price: Decimal) -> list[tuple[str, str]]:
        """The pairs whose price this may have changed, the one named first."""
        self._set[base, quote] = price
        if quote not in DOLLARS:
            return [(base, quote)]
        self._in_dollars[base] = price
        others = [(base, dollar) for dollar in DOLLARS]
        coins = [coin for coin in self._in_dollars if coin != base]
        others += [pair for coin in coins for pair in ((base, coin), (coin, base))]
        return [(base, quote), *(pair for pair in others if pair not in self._set)]

    def all(self) -> Mapping[str, Decimal]:
        return {f"{base}/{quote}": price for (base, quote), price in self._set.items()}
