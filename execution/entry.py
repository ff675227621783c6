"""Opening a position: every check, then the order, the fill, and the protection that follows from it.

The rules are in `execution.rules`, the order is made in `execution.entry_order`, its fill is taken over in
`execution.takeover`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from exchanges.errors import ExchangeError, InsufficientFunds
from exchanges.types import Instrument, OrderRequest, Report
from execution.basis import funding_asset
from execution.commands import Entry
from execution.desk import Desk
from execution.entry_order import build
from execution.legs import check_legs
from execution.protection import Guarded, asks_for_legs, spelled_out
from execution.rules import check_market, check_opposite, reduces_opposite, set_leverage
from execution.takeover import protect_fill
from execution.terms import Protection


@dataclass(frozen=True, slots=True)
class Opened:
    """What an entry led to. `bracket` is None when no protection was asked for."""

    instrument: Instrument
    report: Report
    bracket: Guarded | None


def enter(
    desk: Desk, step: Entry, instrument: Instrument, token: str, make: Callable[..., Guarded]
) -> Opened:
    """Run one entry to its protected end. Raises Rejection before anything is sent; then the errors of `Desk.send`.

    `make` builds the bracket of this job (it knows account and policy).
    """
    check_opposite(desk, step, instrument)
    order = plan(desk, step, instrument, token, reduces=reduces_opposite(desk, step, instrument))
    set_leverage(desk, step.options, instrument, step.direction)
    return carry_out(desk, step, order, make)


def plan(
    desk: Desk, step: Entry, instrument: Instrument, token: str, *, reduces: bool = False
) -> OrderRequest:
    """The order of an entry, after every check there is. Sends nothing; raises Rejection, Unsupported."""
    check_market(desk, step, instrument)
    order = build(desk, step, instrument, token, reduces=reduces)
    desk.venue.draft_call(order, order.price or order.trigger_price or desk.known_price(instrument))
    protection = spelled_out(step.protection)
    check_legs(desk, protection, instrument, step.direction, hedge=order.position_side is not None)
    return order


def carry_out(desk: Desk, step: Entry, order: OrderRequest, make: Callable[..., Guarded]) -> Opened:
    """Place a planned entry, and protect what it fills."""
    return guarded(desk, step, order, place(desk, order), make)


def guarded(
    desk: Desk, step: Entry, order: OrderRequest, report: Report, make: Callable[..., Guarded]
) -> Opened:
    """Protect what an entry that was placed has filled so far. Whatever is raised here, the entry stands. What only
    reduced the other side, by the account's rule, opened nothing to protect."""
    instrument = order.instrument
    protection = Protection() if order.reduce_only else spelled_out(step.protection)
    if not asks_for_legs(protection) or (report.status.final and not report.filled):
        return Opened(instrument, report, None)
    bracket = make(
        instrument=instrument.symbol,
        direction=step.direction,
        hedge=order.position_side is not None,
        plan=protection,
        entry_client_id=report.client_id or order.client_id,
        entry_exchange_id=report.exchange_id,
        entry_conditional=order.type.conditional,
        entry_level=order.trigger_price or order.price,
    )
    protect_fill(desk, bracket, instrument, report)
    return Opened(instrument, report, bracket)


def place(desk: Desk, order: OrderRequest) -> Report:
    """Send, and when the exchange says the funds do not suffice, say how much is free."""
    try:
        return desk.send(order)
    except InsufficientFunds as error:
        asset = funding_asset(order.instrument, order.side, spot=desk.spot)
        try:
            held = desk.balance(asset)
        except ExchangeError:
            raise error from None  # how much there is would be good to know; that it is too little is
        free = held.free if held else Decimal(0)
        raise InsufficientFunds(
            f"{error.message} (free: {free.normalize():f} {asset})",
            code=error.code,
            exchange_message=error.exchange_message,
        ) from error
