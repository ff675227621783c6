"""What the exchange tells of a leg, and what that means for its bracket: filled, cancelled by whom, refused, never arrived."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from exchanges.types import OrderStatus, Report
from execution.brackets import forget
from execution.models import Order, OrderState
from execution.protection import Guarded, Leg, LegKind, LegState
from execution.transitions import RECONCILIATION

#: what sells, and takes exits away for it
CLOSING = ("close", "target", "reverse")
#: every look at what a dead worker left has been by then
LATELY = timedelta(minutes=5)
#: a pair was ended by hand: the leg that guards comes back, alone
STOP_BACK = (
    "the linked stop and target were cancelled on the exchange, not by flipr: the stop was placed again, alone; "
    "cancel it if it is not wanted"
)


def take_in(bracket: Guarded, leg: Leg, report: Report, *, ends_both: bool) -> None:
    leg.missing, leg.error, leg.missed_at = 0, "", None
    leg.exchange_id = report.exchange_id or leg.exchange_id
    if report.filled > leg.filled:
        bracket.closed += report.filled - leg.filled
        leg.filled, leg.average_price = report.filled, report.average_price
    if leg.at_market:
        _take_in_sale(bracket, leg, report)
        return
    match report.status:
        case OrderStatus.FILLED:
            leg.status = LegState.FILLED
        case OrderStatus.CANCELLED:
            _cancelled_there(bracket, leg, ends_both=ends_both)
        case OrderStatus.REJECTED | OrderStatus.EXPIRED:
            leg.status, leg.error = (
                LegState.FAILED,
                report.reason or f"the exchange ended it: {report.status}",
            )
            leg.attempts = 0
    if leg.kind is LegKind.STOP and leg.status in (LegState.CANCELLED, LegState.FAILED):
        _stop_ended(bracket, leg)


def _take_in_sale(bracket: Guarded, leg: Leg, report: Report) -> None:
    if not report.status.final:
        return
    if not report.filled:
        lost(bracket, leg, report.reason or f"the exchange ended it: {report.status}")
        return
    leg.status = LegState.FILLED
    for stop in bracket.live(LegKind.STOP):
        stop.attempts = 0  # for what is left
    if leg.kind is LegKind.EXIT:
        bracket.note = f"the stop could not be placed; {report.filled.normalize():f} closed at market"


def _cancelled_there(bracket: Guarded, leg: Leg, *, ends_both: bool) -> None:
    """Nobody here cancelled it: the exchange did (its sibling filled, the position closed) or the user did. A command
    whose end nobody knows may have, for on spot a sale takes the stop away first: then it is still wanted.
    `ends_both`: to cancel either leg of a pair ends the pair, and which of the two was meant, nobody can tell."""
    leg.status = LegState.CANCELLED
    if leg.leaving:
        return  # what is still wanted of it is placed again
    if bracket.remaining <= 0 or _sibling_filled(bracket, leg) or _command_unsettled(bracket):
        return
    if leg.linked and ends_both and bracket.plan.stop is not None:
        if leg.kind is not LegKind.STOP:
            forget(bracket, leg)
        bracket.note = STOP_BACK
        return
    forget(bracket, leg)
    bracket.note = f"the {leg.kind} was cancelled on the exchange, not by flipr"


def _command_unsettled(bracket: Guarded) -> bool:
    """Whether a command at the same venue is without an end, or got one lately that its worker did not tell: nobody
    knows what such a worker took away. To place what its user has cancelled is the lesser mistake."""
    commands = Order.objects.filter(account__public_id=bracket.account, venue=bracket.venue)
    untold = Q(transitions__after__in=(OrderState.NOT_SENT, OrderState.UNKNOWN))
    untold |= Q(action__in=CLOSING, transitions__after__in=(OrderState.FILLED, OrderState.PARTIALLY_FILLED))
    ended = untold & Q(transitions__by=RECONCILIATION, transitions__at__gte=timezone.now() - LATELY)
    open_ended = Q(status__in=(OrderState.WORKING, OrderState.UNKNOWN))
    return commands.filter(open_ended | ended).exclude(token=bracket.token).exists()


def _sibling_filled(bracket: Guarded, leg: Leg) -> bool:
    return leg.linked and any(other.linked and other is not leg and other.filled for other in bracket.legs)


def lost(bracket: Guarded, leg: Leg, why: str) -> None:
    """It never arrived. A sale at market that did not is due again; the stop that gave way comes back before it."""
    leg.status, leg.error = LegState.FAILED, why
    if not leg.at_market:
        leg.attempts = 0  # nobody refused it
    if leg.at_market or leg.kind is LegKind.STOP:
        _stop_ended(bracket, leg)


def _stop_ended(bracket: Guarded, ended: Leg) -> None:
    """It, or a sale for which it gave way, ended unfilled: what was refused meanwhile is tried anew."""
    for leg in bracket.live(LegKind.STOP):
        if leg is not ended:
            leg.attempts = 0
