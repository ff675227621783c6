"""What a look at the exchange says about one bracket, and what is to be done about it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from exchanges.errors import ExchangeError, NothingToReduce, OrderNotFound
from exchanges.registry import venue_class
from exchanges.types import Direction, Instrument, OrderRef, OrderStatus, Position, Product, Report
from execution.arming import arm, doubts, in_line
from execution.attempts import fire
from execution.brackets import forget
from execution.confirm import UnknownOutcome
from execution.desk import Desk
from execution.forgotten import memory
from execution.ids import step_token
from execution.legs import ANNOUNCED, cancel_legs
from execution.models import BracketState, Order, OrderState
from execution.protection import Guarded, Leg, LegKind, LegState, down
from execution.takeover import PRICE_UNTOLD, fill_price, sellable, untold
from execution.transitions import RECONCILIATION, move_order
from execution.unseen import fills_of, told_by

log = logging.getLogger(__name__)
#: looks in a row that must agree before a vanished position or order is believed
SURE = 2
LOST = 3
#: of a sale at market whose end the exchange does not tell any more
FORGOTTEN = "not confirmed, and the exchange may have forgotten it: look at the position"
#: what sells, and takes exits away for it
CLOSING = ("close", "target", "reverse")
#: every look at what a dead worker left has been by then
LATELY = timedelta(minutes=5)
#: a pair was ended by hand: the leg that guards comes back, alone
STOP_BACK = (
    "the linked stop and target were cancelled on the exchange, not by flipr: the stop was placed again, alone; "
    "cancel it if it is not wanted"
)


class Look(Protocol):
    """The part of `view.View` that is needed here."""

    counted: bool
    orders: dict[str, Report]
    positions: dict[tuple[str, str], Position]
    excess: dict[tuple[str, str, LegKind], Decimal]

    def find(self, ref: OrderRef) -> Report | None: ...


def read(desk: Desk, bracket: Guarded, view: Look) -> None:
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
    _explain_by_sale(bracket, view)


def judge(bracket: Guarded, view: Look) -> None:
    """Take off what was closed elsewhere, when two looks in a row say so."""
    if view.counted and _forgotten_sale(bracket) is None:
        _observe_position(bracket, view)


def _observe_entry(desk: Desk, bracket: Guarded, instrument: Instrument, view: Look) -> None:
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


def _observe_legs(desk: Desk, bracket: Guarded, instrument: Instrument, view: Look) -> None:
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


def _went_with_the_position(bracket: Guarded, leg: Leg, report: Report, view: Look) -> bool:
    """Whether the exchange took a leg away with the position that it was for, while the entry rests on: nobody meant it,
    and what the entry fills later is to be guarded."""
    if not bracket.entry_open or leg.at_market or report.filled or report.status is not OrderStatus.CANCELLED:
        return False
    if venue_class(bracket.venue).product is Product.SPOT or not view.counted:
        return False
    position = view.positions.get((bracket.instrument, bracket.direction.value))
    return position is None or not position.quantity


def _leg_report(desk: Desk, bracket: Guarded, instrument: Instrument, leg: Leg, view: Look) -> Report | None:
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
        return _miss_sale(desk, bracket, instrument, leg)
    if leg.missing >= (SURE if leg.error == ANNOUNCED else LOST) or _long_ago(leg):
        _lost(bracket, leg, "the exchange does not know this order")
    return None


def _long_ago(leg: Leg) -> bool:
    """Whether it was never confirmed, and would have come by now: one answer is enough, where questions are rare."""
    if leg.sent_at is None or leg.exchange_id or not leg.error:
        return False
    return timezone.now() - leg.sent_at > timedelta(seconds=settings.GIVE_UP_SECONDS)


def _miss_sale(desk: Desk, bracket: Guarded, instrument: Instrument, leg: Leg) -> Report | None:
    """One at market must not go out again while it may be on its way, which takes as long as with a command; nor when
    it may have come and been forgotten since somebody looked: then its fills tell, else the position."""
    now = timezone.now()
    leg.sent_at = leg.sent_at or now
    if leg.error == FORGOTTEN or now - (leg.missed_at or leg.sent_at) >= memory(bracket.venue):
        fills = fills_of(desk, instrument, leg.ref, leg.sent_at)
        if fills:
            return told_by(fills, instrument, leg.ref, bracket.direction.exit_side, leg.quantity)
        if fills is None:
            _left_to_the_position(bracket, leg)
            return None
    else:
        leg.missed_at = now
    if now - leg.sent_at > timedelta(seconds=settings.GIVE_UP_SECONDS):
        _lost(bracket, leg, "the exchange does not know this order")
    return None


def _left_to_the_position(bracket: Guarded, leg: Leg) -> None:
    if leg.error != FORGOTTEN:
        log.error("bracket %s on %s: its sale at market is %s", bracket.public_id, bracket.venue, FORGOTTEN)
    leg.error = FORGOTTEN
    bracket.status, bracket.note = BracketState.FAILED, f"its sale at market is {FORGOTTEN}"


def _forgotten_sale(bracket: Guarded) -> Leg | None:
    """Where the position may tell of it: coins on spot may be their owner's."""
    if venue_class(bracket.venue).product is Product.SPOT:
        return None
    open_sales = (leg for leg in bracket.legs if leg.at_market and leg.status is LegState.OPEN)
    return next((leg for leg in open_sales if leg.error == FORGOTTEN), None)


def _explain_by_sale(bracket: Guarded, view: Look) -> None:
    """What is missing of the position is what the forgotten sale sold, before it is anything else. When nothing is, it
    did not take place."""
    leg = _forgotten_sale(bracket)
    if leg is None or not view.counted:
        return
    missing = min(view.excess.get(bracket.share, Decimal(0)), bracket.remaining)
    if not missing:
        _lost(bracket, leg, "the position is as large as before")
        return
    view.excess[bracket.share] -= missing
    bracket.gone_seen += 1
    if bracket.gone_seen >= SURE:
        bracket.closed += missing
        bracket.gone_seen, bracket.note = 0, f"{missing.normalize():f} closed at market"
        leg.status, leg.error, leg.filled = LegState.FILLED, "", missing


def unknown_there(desk: Desk, leg: Leg) -> bool:
    """The exchange gave it a number that nobody was told, and does not know our name for it."""
    return not leg.exchange_id and not leg.at_market and not desk.venue.features.conditional_ids


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


def _lost(bracket: Guarded, leg: Leg, why: str) -> None:
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
        _lost(bracket, leg, report.reason or f"the exchange ended it: {report.status}")
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


def _observe_position(bracket: Guarded, view: Look) -> None:
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


def wants_action(desk: Desk, bracket: Guarded) -> bool:
    """Whether something must be placed or cancelled for this bracket, or it is to be ended."""
    if bracket.status == BracketState.DONE or not bracket.quantity or bracket.in_doubt:
        return False
    instrument = desk.listed(bracket.instrument)
    if bracket.remaining < instrument.step:
        return not bracket.entry_open
    return not in_line(bracket, instrument) or bool(_reached(desk, bracket, instrument))


def act(desk: Desk, bracket: Guarded) -> None:
    """Do it. Raises ExchangeError; what was done by then is in the bracket."""
    instrument = desk.listed(bracket.instrument)
    for leg in _reached(desk, bracket, instrument):
        if bracket.remaining >= instrument.step:
            _take_profit(desk, bracket, instrument, leg)
        if bracket.in_doubt:
            return  # a stop might sell the same coins once more
    if bracket.remaining:
        said = bracket.note if bracket.note.startswith((STOP_BACK, PRICE_UNTOLD)) else ""
        arm(desk, bracket, instrument)
        bracket.note = bracket.note or said
        return
    cancel_legs(desk, bracket, instrument, bracket.live())
    if bracket.entry_open:
        return  # what it fills later is to be guarded as well
    if not any(leg.status is LegState.OPEN for leg in bracket.legs):
        bracket.status = BracketState.DONE
        bracket.note = bracket.note or _how_it_ended(bracket)


def _how_it_ended(bracket: Guarded) -> str:
    filled = [leg for leg in bracket.legs if leg.status is LegState.FILLED]
    words = [
        f"{leg.kind} filled" + (f" at {leg.average_price.normalize():f}" if leg.average_price else "")
        for leg in filled
    ]
    return ", ".join(words)


def _reached(desk: Desk, bracket: Guarded, instrument: Instrument) -> list[Leg]:
    """Watched targets whose price has come."""
    watched = [leg for leg in bracket.live(LegKind.TARGET) if leg.status is LegState.WATCHED]
    if not watched:
        return []
    quote = desk.quote(instrument)
    if bracket.direction is Direction.LONG:
        return [leg for leg in watched if quote.bid >= leg.price]
    return [leg for leg in watched if quote.ask <= leg.price]


def _take_profit(desk: Desk, bracket: Guarded, instrument: Instrument, leg: Leg) -> None:
    """Sell at market what a watched target means; the stop gives way first, because it holds the balance. Of one that
    turns out to be gone it is read first what it sold. A sale that does not come off leaves the position to the stop, which
    is placed again."""
    cancel_legs(desk, bracket, instrument, bracket.live(LegKind.STOP))
    if any(stop.status is LegState.OPEN for stop in bracket.live(LegKind.STOP)):
        return  # the next look reads it
    bracket.generation += 1
    leg.token = step_token(bracket.token, f"watched{leg.number}.{bracket.generation}")
    leg.client_id, leg.at_market = desk.venue.client_id(leg.token), True
    leg.quantity = min(leg.quantity, down(bracket.remaining, instrument.step))
    try:
        report = fire(desk, bracket, instrument, leg)
    except NothingToReduce:
        bracket.closed, leg.status = bracket.quantity, LegState.CANCELLED
    except UnknownOutcome as error:
        log.warning("whether %s sold at %s is not known: %s", bracket.public_id, desk.venue.name, error)
    except ExchangeError as error:
        log.warning("%s could not sell at %s: %s", bracket.public_id, desk.venue.name, error.kind)
    else:
        bracket.closed += report.filled
