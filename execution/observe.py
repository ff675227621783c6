"""What a look at the exchange says about one bracket: its entry, its legs, and what is missing of its position.

What the exchange tells of a leg is taken in by `execution.fates`; what is to be done about it is in `execution.upkeep`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from exchanges.errors import OrderNotFound
from exchanges.registry import venue_class
from exchanges.types import Instrument, OrderRef, OrderStatus, Product, Report
from execution.arming import doubts
from execution.desk import Desk
from execution.doubtful import explain_by_sale, forgotten_sale, miss_sale
from execution.fates import lost, take_in
from execution.legs import ANNOUNCED, unknown_there
from execution.models import BracketState, OrderState
from execution.protection import Guarded, Leg, LegState
from execution.takeover import fill_price, sellable, untold
from execution.transitions import move_order
from execution.view import SURE, View

#: looks in a row that did not find a leg, before it counts as lost
LOST = 3


def read(desk: Desk, bracket: Guarded, view: View) -> None:
    """What became of the entry and of each leg. What legs filled explains that much of a smaller position, whichever
    bracket asks next: all brackets of an account are read before one is judged. Raises ExchangeError."""
    instrument = desk.listed(bracket.instrument)
    if bracket.entry_open:
        _observe_entry(desk, bracket, instrument, view)
    closed = bracket.closed
    in_doubt = bracket.note and bracket.note == doubts(bracket)
    _observe_legs(desk, bracket, instrument, view)
    if in_doubt:
        bracket.note = doubts(bracket)  # what was not confirmed may be now
    told, key = bracket.closed - closed, bracket.share
    view.excess[key] = max(view.excess.get(key, Decimal(0)) - told, Decimal(0))
    explain_by_sale(bracket, view)


def judge(bracket: Guarded, view: View) -> None:
    """Take off what was closed elsewhere, when two looks in a row say so."""
    if view.counted and forgotten_sale(bracket) is None:
        _observe_position(bracket, view)


def _observe_entry(desk: Desk, bracket: Guarded, instrument: Instrument, view: View) -> None:
    ref = OrderRef(bracket.entry_client_id, bracket.entry_exchange_id, bracket.entry_conditional)
    report = view.find(ref)
    if report is None or (report.filled and report.average_price is None):
        try:
            report = desk.fetch(instrument, ref)
        except OrderNotFound:
            return  # reconciliation ends what it does not find either
    desk.saw(report, instrument, bracket.direction.entry_side, bracket.entry_client_id)
    take_in_entry(desk, bracket, instrument, report)
    _tell_order(bracket, report)


def take_in_entry(desk: Desk, bracket: Guarded, instrument: Instrument, report: Report) -> None:
    """What the entry has filled by now; it is protected by whoever judges the bracket next."""
    bracket.entry_open = not report.status.final
    filled = sellable(desk, instrument, report, bracket) if report.filled else Decimal(0)
    if report.filled and filled >= bracket.quantity:
        bracket.entry_price = fill_price(desk, instrument, bracket, report)
        if report.average_price is None and filled > bracket.quantity:
            bracket.note = untold(bracket.entry_price)
        bracket.quantity = filled
    if not bracket.entry_open and not bracket.quantity:
        bracket.status, bracket.note = BracketState.DONE, f"the entry was {report.status} without a fill"


def _tell_order(bracket: Guarded, report: Report) -> None:
    """The entry's own row follows."""
    states = {
        OrderStatus.FILLED: OrderState.FILLED,
        OrderStatus.OPEN: OrderState.PARTIALLY_FILLED if report.filled else OrderState.OPEN,
    }
    ended = OrderState.PARTIALLY_FILLED if report.filled else OrderState.CANCELLED
    move_order(
        bracket.token,
        states.get(report.status, ended),
        by="supervision",
        why=report.reason,
        filled=report.filled,
        average_price=report.average_price,
        exchange_id=report.exchange_id or bracket.entry_exchange_id,
        resting=not report.status.final,
    )


def _observe_legs(desk: Desk, bracket: Guarded, instrument: Instrument, view: View) -> None:
    """Fills before cancellations: of a linked pair the exchange cancels one leg because the other filled."""
    told = [
        (leg, report)
        for leg in bracket.legs
        if leg.status is LegState.OPEN
        and (report := _leg_report(desk, bracket, instrument, leg, view)) is not None
    ]
    for leg, report in sorted(told, key=lambda each: each[1].filled == 0):
        desk.saw(report, instrument, bracket.direction.exit_side, leg.client_id or leg.exchange_id)
        if _went_with_the_position(bracket, leg, report, view):
            leg.status, bracket.closed = LegState.CANCELLED, bracket.quantity
        else:
            take_in(bracket, leg, report, ends_both=desk.venue.features.linked_cancel)


def _went_with_the_position(bracket: Guarded, leg: Leg, report: Report, view: View) -> bool:
    """Whether the exchange took a leg away with the position that it was for, while the entry rests on: nobody meant it,
    and what the entry fills later is to be guarded."""
    if not bracket.entry_open or leg.at_market or report.filled or report.status is not OrderStatus.CANCELLED:
        return False
    if venue_class(bracket.venue).product is Product.SPOT or not view.counted:
        return False
    position = view.positions.get((bracket.instrument, bracket.direction.value))
    return position is None or not position.quantity


def _leg_report(desk: Desk, bracket: Guarded, instrument: Instrument, leg: Leg, view: View) -> Report | None:
    """None when the exchange does not know the leg; after some looks in a row it counts as lost."""
    unnamed = unknown_there(desk, leg)
    found = view.find(leg.ref)
    if found is None and not leg.exchange_id and (unnamed or leg.linked):
        found = nameless(bracket, leg, view.orders.values())
    if found is not None:
        return found
    try:
        if not unnamed:  # else nobody can tell: had it filled, the position would be smaller
            return desk.fetch(instrument, leg.ref)
    except OrderNotFound:
        pass
    leg.missing += 1
    if leg.at_market:
        return miss_sale(desk, bracket, instrument, leg)
    if leg.missing >= (SURE if leg.error == ANNOUNCED else LOST) or _long_ago(leg):
        lost(bracket, leg, "the exchange does not know this order")
    return None


def _long_ago(leg: Leg) -> bool:
    """Whether it was never confirmed, and would have come by now: one answer is enough, where questions are rare."""
    if leg.sent_at is None or leg.exchange_id or not leg.error:
        return False
    return timezone.now() - leg.sent_at > timedelta(seconds=settings.GIVE_UP_SECONDS)


def nameless(bracket: Guarded, leg: Leg, standing: Iterable[Report]) -> Report | None:
    """An open order without an id of ours that has the terms of this leg, and that no other leg is known to be."""
    numbers = {other.exchange_id for other in bracket.legs}
    for report in standing:
        same = (report.symbol, report.trigger_price, report.quantity, report.type) == (
            bracket.instrument,
            leg.price,
            leg.quantity,
            leg.order_type,
        )
        closes = report.side is bracket.direction.exit_side
        if same and closes and not report.client_id and report.exchange_id not in numbers:
            return report
    return None


def _observe_position(bracket: Guarded, view: View) -> None:
    key = bracket.share
    excess = min(view.excess.get(key, Decimal(0)), bracket.remaining)
    if excess <= 0:
        bracket.gone_seen = 0
        return
    view.excess[key] -= excess
    bracket.gone_seen += 1
    if bracket.gone_seen >= SURE:
        bracket.closed += excess
        bracket.gone_seen = 0
        bracket.note = "closed elsewhere" if not bracket.remaining else f"{excess} was closed elsewhere"
