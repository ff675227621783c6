"""What an order costs and what a fill does to wallets and positions: holds, margin, fees."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from exchanges.sandbox.ledger import Account
from exchanges.sandbox.model import ZERO, Fill, Order, Reason, Rejected
from exchanges.types import Product, Side

if TYPE_CHECKING:
    from exchanges.sandbox.engine import Desk


def hold_of(desk: Desk, order: Order) -> tuple[str, Decimal]:
    """(asset, amount) that a spot order locks: coins of a sell, quote of a buy."""
    market = order.market
    if order.waiting and not desk.rules.conditional_holds:
        return market.quote, ZERO
    if order.side is Side.SELL:
        return market.base, order.remaining
    # What waits locks what it will cost at its trigger, wherever the price goes meanwhile.
    price = order.price or (order.trigger_price if order.waiting else None) or desk.ask(market)
    cost = order.remaining * price
    if not desk.rules.buy_fee_in_base:
        cost += cost * desk.rules.taker_fee
    return market.quote, cost


def order_margin(desk: Desk, account: Account, order: Order) -> Decimal:
    """Initial margin of what an order would add to a position; orders waiting for a trigger need none."""
    ticket, market = order.ticket, order.market
    if ticket.reduces or order.waiting:
        return ZERO
    adds = order.remaining
    held = desk.position(account, order).quantity
    if ticket.position_side is None and held and (held > 0) != (ticket.side is Side.BUY):
        adds = max(adds - abs(held) * 2, ZERO)  # closing frees as much as it takes to turn round
    price = order.price or desk.ask(market)
    return market.value(adds, price) / desk.leverage(account, market)


def locked(desk: Desk, account: Account, asset: str) -> Decimal:
    """What the open orders and positions of one desk keep from being spent. Derived each time, so it
    cannot drift. Linked orders lock once: the dearest of them."""
    book = desk.book(account)
    total, linked = ZERO, dict[str, Decimal]()
    for order in book.open.values():
        held_asset, amount = _need(desk, account, order)
        if held_asset != asset:
            continue
        if link := order.ticket.link:
            linked[link] = max(linked.get(link, ZERO), amount)
        else:
            total += amount
    for position in book.open_positions():
        if position.market.settle == asset:
            total += position.notional(position.entry_price) / desk.leverage(account, position.market)
    return total + sum(linked.values(), ZERO)


def unrealised(desk: Desk, account: Account, asset: str) -> Decimal:
    return sum(
        (
            position.unrealised(desk.bid(position.market))
            for position in desk.book(account).open_positions()
            if position.market.settle == asset
        ),
        ZERO,
    )


def require_funds(desk: Desk, account: Account, order: Order, *, instead_of: Order | None = None) -> None:
    """Raises Rejected(INSUFFICIENT). `instead_of` is the open order whose hold this one takes over."""
    asset, need = _need(desk, account, order)
    if not need:
        return
    free = account.free(desk.wallet, asset)
    if instead_of is not None and instead_of.open and instead_of.id in desk.book(account).open:
        free += _need(desk, account, instead_of)[1]
    if order.market.product is not Product.SPOT:
        price = order.price or desk.ask(order.market)
        need += order.market.value(order.remaining, price) * desk.rules.taker_fee
    if need > free:
        raise Rejected(Reason.INSUFFICIENT, asset)


def _need(desk: Desk, account: Account, order: Order) -> tuple[str, Decimal]:
    if order.market.product is Product.SPOT:
        return hold_of(desk, order)
    return order.market.settle, order_margin(desk, account, order)


def closable(desk: Desk, account: Account, order: Order) -> Decimal:
    """How much of its position an order of this side can close."""
    held = desk.position(account, order).quantity
    reduces = held < 0 if order.side is Side.BUY else held > 0
    return abs(held) if reduces else ZERO


def charge_fill(
    desk: Desk, account: Account, order: Order, price: Decimal, quantity: Decimal, *, maker: bool, number: int
) -> Fill:
    """Move the money of one fill and say what it was."""
    market, wallet = order.market, desk.wallet
    rate = desk.rules.maker_fee if maker else desk.rules.taker_fee
    signed = quantity if order.side is Side.BUY else -quantity
    fee, fee_asset, profit = market.value(quantity, price) * rate, market.settle, ZERO
    closed = opening_fee = ZERO
    if market.product is Product.SPOT:
        if order.side is Side.BUY and desk.rules.buy_fee_in_base:
            fee, fee_asset = quantity * rate, market.base
        account.add(wallet, market.base, signed)
        account.add(wallet, market.quote, -signed * price)
    else:
        position, closed = desk.position(account, order), min(quantity, closable(desk, account, order))
        opening_fee = position.share_fee(fee, quantity, closed)
        profit = position.apply(signed, price)
        position.updated_ms = desk.now_ms()
        account.add(wallet, market.settle, profit)
    account.add(wallet, fee_asset, -fee)
    return Fill(
        id=number,
        order_id=order.live_id or order.id,
        symbol=market.symbol,
        side=order.side,
        price=price,
        quantity=quantity,
        fee=fee,
        fee_asset=fee_asset,
        maker=maker,
        time_ms=desk.now_ms(),
        realised=profit,
        position_side=order.ticket.position_side,
        closed=closed,
        opening_fee=opening_fee,
    )
