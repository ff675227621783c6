"""Margin modes that stand on every order, at exchanges which know no setting for them: an order that closes has to name
the mode of its position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.errors import ExchangeError, OutcomeUnknown, Unsupported
from exchanges.memory import Memory, Slot, slot
from exchanges.types import Credentials, MarginMode, OrderRequest, Position, Report
from exchanges.venue import Venue, key_digest, unsent


class SeesModes(Venue):
    """Remembers in which margin mode positions were seen."""

    def __init__(self, *wires: Any, **options: Any) -> None:
        super().__init__(*wires, **options)
        #: the margin mode of what a key holds in an instrument, as last seen
        self._modes: Memory[Slot, MarginMode] = Memory()

    def _saw(self, keys: Credentials, positions: list[Position]) -> list[Position]:
        """The positions themselves, their modes remembered."""
        for each in positions:
            if each.margin_mode:
                self._modes[key_digest(keys), each.symbol] = each.margin_mode
        return positions

    def _held_mode(self, keys: Credentials, order: OrderRequest) -> MarginMode | None:
        """That of the position which an order closes; None where there is none. It is asked for only when it was never
        seen. A position that cannot be read leaves the order unsent."""
        known = slot(keys, order.instrument)
        if known not in self._modes:
            with unsent("the position is not known"):
                self.positions(keys, order.instrument)
        return self._modes.get(known)


class OrdersInMode(SeesModes):
    """Sends each order in the margin mode of its position, alone or in a batch. One that opens and names none goes out
    as `place_call` says it, and tells the mode of the position it makes."""

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        self.place_call(order)  # what cannot be said is refused before anything is asked
        order = self._in_its_mode(keys, order)
        report = super().place(keys, order, patience_seconds=patience_seconds)
        self._placed(keys, order)
        return report

    def _place_batch(self, keys: Credentials, orders: Sequence[OrderRequest]) -> list[Report | ExchangeError]:
        """As `place`; when the position cannot be read, nothing was sent."""
        try:
            moded = [self._in_its_mode(keys, order) for order in orders]
        except ExchangeError as error:
            return [error] * len(orders)
        told = super()._place_batch(keys, moded)
        for order, each in zip(moded, told, strict=True):
            if isinstance(each, Report):
                self._placed(keys, order)
        return told

    def _placed(self, keys: Credentials, order: OrderRequest) -> None:
        """What opens at once makes a position in its mode; what waits for its trigger makes none yet."""
        if not (order.closes or order.type.conditional):
            self._modes[slot(keys, order.instrument)] = order.margin_mode or MarginMode.CROSS

    def _in_its_mode(self, keys: Credentials, order: OrderRequest) -> OrderRequest:
        if not order.closes or order.margin_mode is not None:
            return order
        return replace(order, margin_mode=self._held_mode(keys, order))


def check_leverage(venue: str, told: Decimal, wanted: Decimal) -> None:
    """What an exchange answers to a new leverage has to be it."""
    if told != wanted:
        raise OutcomeUnknown(f"{venue} does not say that the leverage is {wanted}")


def whole_leverage(venue: str, leverage: Decimal) -> int:
    if leverage != int(leverage):
        raise Unsupported(f"{venue}: leverage is a whole number")
    return int(leverage)
