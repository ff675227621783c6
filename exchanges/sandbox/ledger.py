"""Whose money and positions: accounts, their wallets, and what they hold on each desk (product)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Protocol

from exchanges.sandbox.model import ONE, ZERO, Fill, Market, Order, fine
from exchanges.types import Direction, MarginMode, PositionMode

#: ended orders kept for queries; older ones are forgotten, as exchanges do
REMEMBERED = 20_000


@dataclass(slots=True)
class Position:
    """`quantity` is signed: below zero is short. `side` is set in hedge mode only."""

    market: Market
    side: Direction | None = None
    quantity: Decimal = ZERO
    entry_price: Decimal = ZERO
    realised: Decimal = ZERO
    #: what opening it has cost in fees
    fees: Decimal = ZERO
    updated_ms: int = 0

    @property
    def direction(self) -> Direction:
        if self.side is not None:
            return self.side
        return Direction.SHORT if self.quantity < 0 else Direction.LONG

    def unrealised(self, mark: Decimal) -> Decimal:
        if not self.quantity:
            return ZERO
        return self.market.profit(self.quantity, self.entry_price, mark)

    def notional(self, mark: Decimal) -> Decimal:
        """In the currency it is settled in."""
        return self.market.value(abs(self.quantity), mark) if self.quantity else ZERO

    def apply(self, signed: Decimal, price: Decimal) -> Decimal:
        """Add a fill (positive = bought); returns the profit it realised."""
        held, self.quantity = self.quantity, self.quantity + signed
        if held == 0 or (held > 0) == (signed > 0):
            cost = self.market.value(abs(held), self.entry_price) if held else ZERO
            cost += self.market.value(abs(signed), price)
            self.entry_price = self.market.average(abs(self.quantity), cost)
            return ZERO
        closed = min(abs(held), abs(signed)) * (1 if held > 0 else -1)
        profit = self.market.profit(closed, self.entry_price, price)
        if self.quantity == 0:
            self.entry_price = ZERO
        elif (self.quantity > 0) != (held > 0):
            self.entry_price = price
        self.realised += profit
        return profit

    def share_fee(self, fee: Decimal, quantity: Decimal, closed: Decimal) -> Decimal:
        """Before a fill is added that closes a part of it: what opening that part had cost. The rest of the fill opens."""
        held = abs(self.quantity)
        borne = self.fees if closed == held else fine(self.fees * closed / held)
        self.fees += fine(fee * (quantity - closed) / quantity) - borne
        return borne


@dataclass(slots=True, eq=False)
class Book:
    """What one account has on one desk."""

    orders: dict[str, Order] = field(default_factory=dict)
    by_client: dict[str, Order] = field(default_factory=dict)
    #: triggered orders that go on under another id
    by_live_id: dict[str, Order] = field(default_factory=dict)
    by_link: dict[str, list[Order]] = field(default_factory=dict)
    open: dict[str, Order] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    positions: dict[tuple[str, Direction | None], Position] = field(default_factory=dict)
    leverages: dict[str, Decimal] = field(default_factory=dict)
    margin_modes: dict[str, MarginMode] = field(default_factory=dict)
    position_mode: PositionMode = PositionMode.ONE_WAY

    def position(self, market: Market, side: Direction | None) -> Position:
        key = (market.symbol, side)
        if key not in self.positions:
            self.positions[key] = Position(market, side)
        return self.positions[key]

    def open_positions(self) -> list[Position]:
        return [each for each in self.positions.values() if each.quantity]

    def rename(self, order: Order, client_id: str) -> None:
        """It is known by this client id from now on, and no longer by the one it had."""
        if self.by_client.get(order.client_id) is order:
            del self.by_client[order.client_id]
        order.ticket = replace(order.ticket, client_id=client_id)
        self.by_client[client_id] = order

    def remember(self, order: Order) -> None:
        self.orders[order.id] = order
        if order.ticket.link:
            order.linked = self.by_link.setdefault(order.ticket.link, [])
        order.linked.append(order)
        if order.client_id:
            self.by_client[order.client_id] = order
        self.open[order.id] = order
        if len(self.orders) > REMEMBERED:
            self._forget_oldest()
        if len(self.fills) > 2 * REMEMBERED:
            del self.fills[:REMEMBERED]

    def age(self, by_ms: int) -> None:
        """So much time has passed since all that was ordered and filled."""
        aged = {each.id: replace(each, time_ms=each.time_ms - by_ms) for each in self.fills}
        self.fills[:] = aged.values()
        for order in self.orders.values():
            order.fills[:] = [aged.get(each.id, each) for each in order.fills]
            order.created_ms -= by_ms
            order.updated_ms -= by_ms
            if order.triggered_ms is not None:
                order.triggered_ms -= by_ms

    def _forget_oldest(self) -> None:
        """One order goes for each that comes; one that is still open goes to the end of the line."""
        oldest = self.orders.pop(next(iter(self.orders)))
        if oldest.open:
            self.orders[oldest.id] = oldest
            return
        self.by_live_id.pop(oldest.live_id, None)
        oldest.linked.remove(oldest)
        if not oldest.linked:
            self.by_link.pop(oldest.ticket.link, None)
        if self.by_client.get(oldest.client_id) is oldest:
            del self.by_client[oldest.client_id]


class LockingDesk(Protocol):
    """A desk as a wallet sees it."""

    @property
    def wallet(self) -> str: ...

    def locked(self, account: Account, asset: str) -> Decimal: ...

    def unrealised(self, account: Account, asset: str) -> Decimal: ...


@dataclass(slots=True, eq=False)
class Account:
    """One API key and what belongs to it. All venues of a key family share it."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)
    permissions: frozenset[str] = frozenset({"read", "trade"})
    wallets: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    books: dict[str, Book] = field(default_factory=dict)
    desks: list[LockingDesk] = field(default_factory=list)
    last_nonce: int = 0
    created_ms: int = 0

    @property
    def fingerprint(self) -> str:
        """Names the key without telling it."""
        return hashlib.blake2b(self.key.encode(), digest_size=8).hexdigest()

    def total(self, wallet: str, asset: str) -> Decimal:
        return self.wallets[wallet].get(asset, ZERO)

    def locked(self, wallet: str, asset: str) -> Decimal:
        return sum((desk.locked(self, asset) for desk in self._on(wallet)), ZERO)

    def unrealised(self, wallet: str, asset: str) -> Decimal:
        return sum((desk.unrealised(self, asset) for desk in self._on(wallet)), ZERO)

    def free(self, wallet: str, asset: str) -> Decimal:
        """What may be spent: balance and open profit, less holds of open orders and margin."""
        return self.total(wallet, asset) + self.unrealised(wallet, asset) - self.locked(wallet, asset)

    def add(self, wallet: str, asset: str, amount: Decimal) -> None:
        held = self.wallets[wallet]
        held[asset] = held.get(asset, ZERO) + amount

    def _on(self, wallet: str) -> Iterable[LockingDesk]:
        return (desk for desk in self.desks if desk.wallet == wallet)


def leverage_of(book: Book, market: Market, default: Decimal) -> Decimal:
    return book.leverages.get(market.symbol, min(default, market.max_leverage)) or ONE
