"""One desk: the matching of one product of one exchange. Decimal only, no clock of its own, no chance.

The market is as deep as one likes: bid = the set price, ask = one tick above. A taking order fills at
once at that price. A resting limit order fills at its own price when a price set later touches it. A
waiting order fires when a set price touches its trigger and is then a market or limit order like any
other. Everything happens in the order in which it arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from exchanges.sandbox.admission import admitted, check_amended, check_crossing, new_order, unfillable
from exchanges.sandbox.ledger import Account, Book, Position, leverage_of
from exchanges.sandbox.model import (
    AttachWhen,
    Fill,
    Market,
    Order,
    Reason,
    Rejected,
    Rules,
    Ticket,
    floor_to,
)
from exchanges.sandbox.money import charge_fill, closable, locked, require_funds, unrealised
from exchanges.types import MarginMode, OrderStatus, PositionMode, Product, Side, TimeInForce


@dataclass(slots=True)
class Conditions:
    """What a fault makes of the orders placed by one request."""

    #: part of a taking order that finds a counterparty at once
    share: Decimal = Decimal(1)
    #: nothing fills now; the orders are collected in `slowed` for `Desk.resume`
    slow: bool = False
    refuse_stops: bool = False
    slowed: list[tuple[Account, Order]] = field(default_factory=list)


class Desk:
    """`price_of(base, quote)` is the last price; `now_ms` the exchange's clock; `numbers` the running
    number that ids are made of (shared by the desks of one exchange)."""

    def __init__(
        self,
        name: str,
        markets: Iterable[Market],
        rules: Rules,
        *,
        price_of: Callable[[str, str], Decimal],
        now_ms: Callable[[], int],
        numbers: Iterator[int],
    ) -> None:
        self.name = name
        self.rules = rules
        self.markets = {market.symbol: market for market in markets}
        self.conditions = Conditions()
        self.now_ms = now_ms
        self._price_of = price_of
        self._numbers = numbers
        self._open: dict[str, dict[str, tuple[Account, Order]]] = {}

    @property
    def wallet(self) -> str:
        return self.rules.wallet

    # -- looking ---------------------------------------------------------------------------------------

    def market(self, symbol: str) -> Market:
        try:
            return self.markets[symbol]
        except KeyError:
            raise Rejected(Reason.UNKNOWN_SYMBOL, symbol) from None

    def bid(self, market: Market) -> Decimal:
        """Also the last and the mark price."""
        return floor_to(self._price_of(market.base, market.quote), market.tick)

    def ask(self, market: Market) -> Decimal:
        return self.bid(market) + market.tick

    def number(self) -> int:
        """The next of the exchange's running numbers."""
        return next(self._numbers)

    def book(self, account: Account) -> Book:
        try:
            return account.books[self.name]
        except KeyError:
            account.desks.append(self)
            return account.books.setdefault(self.name, Book())

    def order(self, account: Account, *, order_id: str = "", client_id: str = "") -> Order | None:
        """By the exchange's id (also the one given at the trigger), else by client id: the last that had it. None when it
        ended too long ago."""
        book = self.book(account)
        if order_id:
            found = book.orders.get(order_id) or book.by_live_id.get(order_id)
        else:
            found = book.by_client.get(client_id) if client_id else None
        return found if found is not None and self.remembers(found) else None

    def remembers(self, order: Order, seconds: int | None = None) -> bool:
        """`seconds`: where one way to ask for it is forgotten before the others."""
        seconds = self.rules.remembers_seconds if seconds is None else seconds
        return order.open or seconds is None or self.now_ms() - order.updated_ms < seconds * 1000

    def locked(self, account: Account, asset: str) -> Decimal:
        return locked(self, account, asset)

    def unrealised(self, account: Account, asset: str) -> Decimal:
        return unrealised(self, account, asset)

    # -- placing ---------------------------------------------------------------------------------------

    def place(self, account: Account, ticket: Ticket) -> Order:
        """The order as it stands after matching. Raises Rejected; then nothing has changed."""
        try:
            order = admitted(self, account, ticket)
        except Rejected as refused:
            if refused.reason not in self.rules.cancels_instead:
                raise
            return self._cancelled_at_once(account, ticket, refused.reason)
        self._register(account, order)
        if not order.waiting:
            self._enter(account, order)
        elif self.reached(order):
            self._trigger(account, order)
        return order

    def _cancelled_at_once(self, account: Account, ticket: Ticket, reason: Reason) -> Order:
        order = new_order(self, self.market(ticket.symbol), ticket)
        self._register(account, order)
        self._end(account, order, OrderStatus.CANCELLED, reason)
        return order

    def place_linked(self, account: Account, tickets: Iterable[Ticket]) -> list[Order]:
        """All or none: tickets that share a `link` (OCO). Their balance is locked once."""
        orders = [admitted(self, account, ticket) for ticket in tickets]
        for order in orders:
            self._register(account, order)
        for order in orders:
            if order.open and not order.waiting:
                self._enter(account, order)
        return orders

    def check(self, account: Account, ticket: Ticket) -> None:
        """Everything that would refuse the order; places nothing (test orders, `validate`)."""
        admitted(self, account, ticket)

    # -- changing --------------------------------------------------------------------------------------

    def cancel(self, account: Account, order: Order | None, reason: str = "user") -> Order:
        """Raises Rejected(NOT_OPEN) for an unknown or ended order. Ends the linked ones too."""
        if order is None or not order.open:
            raise Rejected(Reason.NOT_OPEN)
        self._end(account, order, OrderStatus.CANCELLED, reason)
        self._end_linked(account, order, reason)
        return order

    def cancel_all(self, account: Account, symbol: str | None = None) -> list[Order]:
        wanted = [
            order for order in self.book(account).open.values() if symbol in (None, order.market.symbol)
        ]
        for order in wanted:
            if order.open:
                self.cancel(account, order)
        return wanted

    def amend(
        self,
        account: Account,
        order: Order | None,
        *,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        trigger_price: Decimal | None = None,
    ) -> Order:
        """New total quantity and prices of an open order; keeps id and fills, loses its place. Amended to no more than is
        filled of it, it stays as it was and is cancelled, where the exchange does that."""
        if order is None or not order.open:
            raise Rejected(Reason.NOT_OPEN)
        changed = replace(
            order,
            quantity=order.quantity if quantity is None else quantity,
            price=order.price if price is None else price,
            trigger_price=order.trigger_price if trigger_price is None else trigger_price,
        )
        check_amended(self, account, changed, order)
        if changed.quantity <= order.filled and not order.ticket.close_position:
            return self.cancel(account, order)
        order.quantity, order.price, order.trigger_price = (
            changed.quantity,
            changed.price,
            changed.trigger_price,
        )
        order.updated_ms = self.now_ms()
        if not order.waiting:
            self._enter(account, order)
        return order

    def set_leverage(self, account: Account, symbol: str, leverage: Decimal) -> bool:
        """False when it was so already. Raises Rejected."""
        market, book = self.market(symbol), self.book(account)
        if not 1 <= leverage <= market.max_leverage:
            raise Rejected(Reason.LEVERAGE, str(leverage))
        changed = self.leverage(account, market) != leverage
        book.leverages[symbol] = leverage
        return changed

    def leverage(self, account: Account, market: Market) -> Decimal:
        return leverage_of(self.book(account), market, self.rules.default_leverage)

    def margin_mode(self, account: Account, market: Market) -> MarginMode:
        return self.book(account).margin_modes.get(market.symbol, MarginMode.CROSS)

    def set_margin_mode(self, account: Account, symbol: str, mode: MarginMode) -> None:
        market, book = self.market(symbol), self.book(account)
        if self.margin_mode(account, market) is mode:
            raise Rejected(Reason.NOT_MODIFIED)
        if any(order.market is market for order in book.open.values()):
            raise Rejected(Reason.HAS_OPEN_ORDERS)
        if any(position.market is market for position in book.open_positions()):
            raise Rejected(Reason.HAS_POSITION)
        book.margin_modes[symbol] = mode

    def set_position_mode(self, account: Account, mode: PositionMode) -> None:
        book = self.book(account)
        if book.position_mode is mode:
            raise Rejected(Reason.NOT_MODIFIED)
        if book.open:
            raise Rejected(Reason.HAS_OPEN_ORDERS)
        if book.open_positions():
            raise Rejected(Reason.HAS_POSITION)
        book.position_mode = mode

    # -- matching --------------------------------------------------------------------------------------

    def price_moved(self, base: str, quote: str) -> None:
        """Fire what the new price triggers, then fill what it touches, oldest first."""
        for market in self.markets.values():
            if (market.base, market.quote) != (base, quote):
                continue
            for account, order in list(self._open.get(market.symbol, {}).values()):
                if order.open and order.waiting:
                    if self.reached(order):
                        self._trigger(account, order)
                elif order.open and self._touched(order):
                    self._take(account, order, order.price or self._taking_price(order), maker=True)

    def resume(self, account: Account, order: Order) -> None:
        """Fill what a fault kept from filling."""
        if order.open and not order.waiting:
            self._enter(account, order)

    def _enter(self, account: Account, order: Order) -> None:
        """An order meets the market: takes what it may, then rests or ends."""
        if self.conditions.slow:
            self.conditions.slowed.append((account, order))
            return
        if self.crosses(order) and not unfillable(self, order):
            self._take(account, order, self._taking_price(order), share=self.conditions.share)
        if order.open and (order.price is None or order.ticket.time_in_force is not TimeInForce.GTC):
            self._end(account, order, self.rules.unfilled, "unfilled")

    def crosses(self, order: Order) -> bool:
        """Would take at once if it met the market now."""
        if order.price is None:
            return True
        if order.side is Side.BUY:
            return order.price >= self.ask(order.market)
        return order.price <= self.bid(order.market)

    def _taking_price(self, order: Order) -> Decimal:
        return self.ask(order.market) if order.side is Side.BUY else self.bid(order.market)

    def _touched(self, order: Order) -> bool:
        if order.price is None:
            return True
        last = self.bid(order.market)
        return last <= order.price if order.side is Side.BUY else last >= order.price

    def reached(self, order: Order) -> bool:
        """The price is at or beyond its trigger."""
        last = self.bid(order.market)
        assert order.trigger_price is not None
        return last >= order.trigger_price if order.ticket.trigger_rises else last <= order.trigger_price

    def _trigger(self, account: Account, order: Order) -> None:
        order.waiting = False
        order.triggered_ms = order.updated_ms = self.now_ms()
        if self.rules.new_id_on_trigger:
            order.live_id = self.rules.order_id(self.number())
            self.book(account).by_live_id[order.live_id] = order
        self._end_linked(account, order, "linked")
        try:
            if order.ticket.close_position:
                order.quantity = closable(self, account, order)
            elif order.market.product is Product.SPOT or not order.ticket.reduces:
                require_funds(self, account, order, instead_of=order)
            check_crossing(self, order)
        except Rejected as refused:
            self._end(account, order, OrderStatus.REJECTED, refused.reason)
            return
        self._enter(account, order)

    def _take(
        self,
        account: Account,
        order: Order,
        price: Decimal,
        *,
        maker: bool = False,
        share: Decimal = Decimal(1),
    ) -> None:
        if order.ticket.reduces and not self._shrink_to_position(account, order):
            return
        quantity = floor_to(order.remaining * share, order.market.step)
        if quantity <= 0:
            return
        self._fill(account, order, price, quantity, maker=maker)

    def _shrink_to_position(self, account: Account, order: Order) -> bool:
        """A reducing order never asks for more than there is; False when nothing is left of it."""
        there = closable(self, account, order)
        if 0 < there < order.remaining and not self.rules.shrinks_reduce_only:
            self._end(account, order, self.rules.unfilled, "flips")
            return False
        order.quantity = order.filled + min(order.remaining, there)
        if order.remaining:
            return True
        status = OrderStatus.FILLED if order.filled else self.rules.unfilled
        self._end(account, order, status, Reason.REDUCE_ONLY)
        return False

    def _fill(
        self, account: Account, order: Order, price: Decimal, quantity: Decimal, *, maker: bool
    ) -> None:
        fill = charge_fill(self, account, order, price, quantity, maker=maker, number=self.number())
        order.fills.append(fill)
        order.filled += quantity
        order.quote_filled += order.market.value(quantity, price)
        order.updated_ms = fill.time_ms
        self.book(account).fills.append(fill)
        if not order.remaining:
            self._end(account, order, OrderStatus.FILLED)
        self._end_linked(account, order, "linked")
        self._attach(account, order, fill)
        if order.market.product is not Product.SPOT:
            self._follow_position(account, order)

    def _attach(self, account: Account, order: Order, fill: Fill) -> None:
        when = order.ticket.attach_when
        due = (
            when is AttachWhen.EACH_FILL
            or (when is AttachWhen.FIRST_FILL and len(order.fills) == 1)
            or (when is AttachWhen.FULL and not order.open)
        )
        if not due:
            return
        tickets = order.ticket.attached
        if when is AttachWhen.EACH_FILL:
            tickets = tuple(replace(ticket, quantity=fill.quantity) for ticket in tickets)
        for ticket in tickets:
            try:
                self.place(account, ticket)
            except Rejected as refused:
                order.reason = refused.reason

    def _follow_position(self, account: Account, order: Order) -> None:
        """What hangs on a position ends when it is gone."""
        position = self.position(account, order)
        if position.quantity:
            return
        for other in list(self.book(account).open.values()):
            if other.market is order.market and self.position(account, other) is position:
                self._end_without_position(account, other)

    def _end_without_position(self, account: Account, order: Order) -> None:
        ticket = order.ticket
        falls = self.rules.flat_cancels_waiting if order.waiting else self.rules.flat_cancels_resting
        if order.open and (ticket.position_bound or (ticket.reduces and falls)):
            self._end(account, order, OrderStatus.CANCELLED, "position_closed")

    def position(self, account: Account, order: Order) -> Position:
        return self.book(account).position(order.market, order.ticket.position_side)

    # -- the register ----------------------------------------------------------------------------------

    def _register(self, account: Account, order: Order) -> None:
        self.book(account).remember(order)
        self._open.setdefault(order.market.symbol, {})[order.id] = (account, order)

    def _end(self, account: Account, order: Order, status: OrderStatus, reason: str = "") -> None:
        order.status, order.reason = status, reason
        order.updated_ms = self.now_ms()
        self.book(account).open.pop(order.id, None)
        self._open.get(order.market.symbol, {}).pop(order.id, None)

    def _end_linked(self, account: Account, order: Order, reason: str) -> None:
        """The others of its link: when it was cancelled like it, else as the exchange ends them."""
        if not order.ticket.link:
            return
        status = OrderStatus.CANCELLED if order.status is OrderStatus.CANCELLED else self.rules.linked
        for other in list(self.book(account).open.values()):
            if other is not order and other.ticket.link == order.ticket.link:
                self._end(account, other, status, reason)
