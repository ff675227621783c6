"""Exchanges that count their futures in contracts of so many coins; callers see base units only. Contracts margined in
coins are contracts for callers too."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.errors import OutcomeUnknown, Unsupported
from exchanges.types import Instrument, OrderRequest
from exchanges.venue import Venue


class CountsContracts(Venue):
    """Remembers contract sizes, which answers about orders and positions do not tell. `instruments` has to say `_know`."""

    def __init__(self, *wires: Any, **options: Any) -> None:
        super().__init__(*wires, **options)
        #: contract sizes of the instruments seen
        self._sizes: dict[str, Decimal] = {}

    def _know(self, *instruments: Instrument | None) -> None:
        self._sizes.update({each.symbol: each.contract_size for each in instruments if each})

    def _size(self, symbol: str) -> Decimal:
        """Coins in a contract; the instruments are read when one is asked for that was never seen."""
        if symbol not in self._sizes:
            self.instruments()
        if symbol not in self._sizes:
            raise OutcomeUnknown(f"{self.name} speaks of {symbol}, which it does not list")
        return self._sizes[symbol]

    def _contracts(self, order: OrderRequest) -> Decimal:
        if order.quantity is None:
            raise Unsupported(f"{self.name}: futures orders are given in base currency")
        return order.quantity / order.instrument.contract_size

    def _whole_contracts(self, order: OrderRequest) -> int:
        contracts = self._contracts(order)
        if contracts != int(contracts):
            raise Unsupported(f"{self.name} trades whole contracts of {order.instrument.contract_size}")
        return int(contracts)


def in_coins(instrument: Instrument) -> Instrument:
    """An instrument whose step and bounds are told in contracts, with all of them as callers count."""
    size, most, most_at_market = (
        instrument.of_contract,
        instrument.max_quantity,
        instrument.max_market_quantity,
    )
    return replace(
        instrument,
        step=instrument.step * size,
        min_quantity=instrument.min_quantity * size,
        max_quantity=most and most * size,
        max_market_quantity=most_at_market and most_at_market * size,
    )
