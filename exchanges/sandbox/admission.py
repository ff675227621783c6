"""What a desk checks before it takes an order, in the order in which exchanges check it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanges.sandbox.ledger import Account, Book
from exchanges.sandbox.model import (
    ZERO,
    ClientIds,
    Market,
    Order,
    Reason,
    Rejected,
    Rules,
    Ticket,
    floor_to,
)
from exchanges.sandbox.money import closable, require_funds
from exchanges.types import OrderType, PositionMode, Product, TimeInForce

if TYPE_CHECKING:
    from exchanges.sandbox.engine import Desk


def admitted(desk: Desk, account: Account, ticket: Ticket) -> Order:
    """The order as it enters, not yet registered. Raises Rejected; nothing has changed either way."""
    market, book = desk.market(ticket.symbol), desk.book(account)
    _check_client_id(desk.rules, book, ticket)
    _check_counts(desk, book, ticket)
    order = new_order(desk, market, ticket)
    check_filters(desk, order)
    if market.product is not Product.SPOT:
        _check_position(desk, account, order)
    if order.waiting:
        check_trigger(desk, order)
    else:
        check_crossing(desk, order)
    require_funds(desk, account, order)
    return order


def check_amended(desk: Desk, account: Account, changed: Order, order: Order) -> None:
    """Whether `order` may become `changed`."""
    check_filters(desk, changed)
    if changed.quantity <= order.filled and not order.ticket.close_position:
        if desk.rules.amending_to_filled_cancels:
            return
        raise Rejected(Reason.BAD_PARAMETER, "quantity")
    if changed.waiting:
        check_trigger(desk, changed)
    else:
        check_crossing(desk, changed)
    require_funds(desk, account, changed, instead_of=order)


def check_filters(desk: Desk, order: Order) -> None:
    market, ticket = order.market, order.ticket
    for value, reason in (
        (order.price, Reason.PRICE_TICK),
        (order.trigger_price, Reason.TRIGGER_TICK),
    ):
        if value is not None and (value <= 0 or value % market.tick):
            raise Rejected(reason, str(value))
    if ticket.close_position:
        return
    if order.quantity % market.step:
        raise Rejected(Reason.QUANTITY_STEP, str(order.quantity))
    if order.quantity <= 0 or order.quantity < market.min_quantity:
        raise Rejected(Reason.MIN_QUANTITY, str(order.quantity))
    taking = ticket.type is OrderType.MARKET
    if order.quantity > (market.max_market_quantity if taking else market.max_quantity):
        raise Rejected(Reason.MAX_QUANTITY, str(order.quantity))
    _check_notional(desk, order)


def check_trigger(desk: Desk, order: Order) -> None:
    if desk.rules.refuses_crossed_triggers and desk.reached(order):
        raise Rejected(Reason.WOULD_TRIGGER)


def check_crossing(desk: Desk, order: Order) -> None:
    """Post-only must not take, fill-or-kill must take all."""
    if order.ticket.post_only and desk.crosses(order):
        raise Rejected(Reason.POST_ONLY)
    if desk.rules.refuses_unfillable and unfillable(desk, order):
        raise Rejected(Reason.NOT_FILLABLE)


def unfillable(desk: Desk, order: Order) -> bool:
    if order.ticket.time_in_force is not TimeInForce.FOK or order.price is None:
        return False
    return not desk.crosses(order) or desk.conditions.share < 1


def new_order(desk: Desk, market: Market, ticket: Ticket) -> Order:
    """Unchecked, with an id."""
    quantity = ticket.quantity or ZERO
    if ticket.quote_quantity is not None:
        quantity = floor_to(ticket.quote_quantity / desk.ask(market), market.step)
    now_ms, number = desk.now_ms(), desk.number()
    return Order(
        id=desk.rules.order_id(number),
        sequence=number,
        market=market,
        ticket=ticket,
        quantity=quantity,
        price=ticket.price,
        trigger_price=ticket.trigger_price,
        created_ms=now_ms,
        updated_ms=now_ms,
        waiting=ticket.type.conditional,
    )


def _check_client_id(rules: Rules, book: Book, ticket: Ticket) -> None:
    if not ticket.client_id or (known := book.by_client.get(ticket.client_id)) is None:
        return
    if rules.client_ids is ClientIds.FOREVER or (rules.client_ids is ClientIds.OPEN and known.open):
        raise Rejected(Reason.DUPLICATE, ticket.client_id)


def _check_counts(desk: Desk, book: Book, ticket: Ticket) -> None:
    if len(book.open) >= desk.rules.max_open_orders:
        raise Rejected(Reason.TOO_MANY_ORDERS)
    if not ticket.type.conditional:
        return
    waiting = sum(each.waiting and each.market.symbol == ticket.symbol for each in book.open.values())
    if desk.conditions.refuse_stops or waiting >= desk.rules.max_waiting_orders:
        raise Rejected(Reason.STOP_REFUSED)


def _check_notional(desk: Desk, order: Order) -> None:
    market = order.market
    if order.waiting and not desk.rules.checks_notional:
        return
    if order.ticket.reduces and desk.rules.reduce_only_below_notional:
        return
    price = order.price or order.trigger_price or desk.bid(market)
    if market.notional(order.quantity, price) < market.min_notional:
        raise Rejected(Reason.MIN_NOTIONAL, str(market.min_notional))


def _check_position(desk: Desk, account: Account, order: Order) -> None:
    """Position side against position mode, and whether there is something to reduce."""
    ticket = order.ticket
    hedged = desk.book(account).position_mode is PositionMode.HEDGE
    if hedged != (ticket.position_side is not None):
        raise Rejected(Reason.POSITION_MODE)
    if not ticket.reduces or (order.waiting and not desk.rules.conditional_reduce_needs_position):
        return
    there = closable(desk, account, order)
    if not there or (ticket.exits and not ticket.reduce_only and order.quantity > there):
        raise Rejected(Reason.REDUCE_ONLY)
