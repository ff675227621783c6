"""The legs of a bracket as orders: what a venue takes, how they are announced before they leave and cancelled, and when
one is given up. Which of them should stand says `execution.arming`."""

from __future__ import annotations

from django.utils import timezone

from exchanges.errors import (
    AuthRefused,
    ClockRefused,
    ExchangeError,
    Maintenance,
    Refused,
    Throttled,
    Unsupported,
)
from exchanges.types import Direction, Instrument, OrderRequest, TriggerBy
from execution.desk import Desk
from execution.ids import step_token
from execution.protection import Guarded, Leg, LegKind, LegState
from execution.rejection import Rejection
from execution.terms import Protection, StopLoss, TakeProfit

ATTEMPTS = 3
#: of a leg in the books that may stand already: it is written down before it leaves
ANNOUNCED = "not confirmed: it was about to be placed"


def given_up(bracket: Guarded, want: Leg) -> bool:
    """It was refused often enough: the failure stands in the bracket, for people to see."""
    return any(
        leg.status is LegState.FAILED
        and (leg.kind, leg.number) == (want.kind, want.number)
        and leg.attempts >= ATTEMPTS
        for leg in bracket.legs
    )


def cancel_legs(desk: Desk, bracket: Guarded, instrument: Instrument, legs: list[Leg]) -> None:
    """Cancel legs; one that turns out to be gone keeps its state until supervision has read what it did."""
    _take_leave(desk, bracket, [leg for leg in legs if leg.status is LegState.OPEN])
    for leg in legs:
        if leg.status is not LegState.OPEN:
            leg.status = LegState.CANCELLED
            continue
        if desk.cancel(instrument, leg.ref):
            leg.status = LegState.CANCELLED
            if leg.linked and desk.venue.features.linked_cancel:  # the exchange cancels the other one with it
                for other in bracket.live():
                    if other.linked:
                        other.status = LegState.CANCELLED


def _take_leave(desk: Desk, bracket: Guarded, legs: list[Leg]) -> None:
    """Write down that they are to go: found gone after this worker died, they were not cancelled by the user."""
    if not legs:
        return
    pair = any(leg.linked for leg in legs) and desk.venue.features.linked_cancel
    for leg in bracket.live():
        if leg in legs or (pair and leg.linked):
            leg.leaving = True
    desk.checkpoint(bracket)


def announce(desk: Desk, bracket: Guarded, legs: list[Leg]) -> None:
    """Write down legs that are about to leave. In memory they stay as they are."""
    before = [(leg.status, leg.error) for leg in legs]
    for leg in legs:
        leg.status, leg.error, leg.sent_at = LegState.OPEN, ANNOUNCED, timezone.now()
    desk.checkpoint(bracket)
    for leg, (status, error) in zip(legs, before, strict=True):
        leg.status, leg.error = status, error


def check_legs(
    desk: Desk, protection: Protection, instrument: Instrument, direction: Direction, *, hedge: bool
) -> None:
    """Raises Rejection NOT_SUPPORTED at the leg that this venue does not take: found out before the entry is sent,
    not when the position is open. Only the kind of order counts here, its numbers are not known yet."""
    number = instrument.tick * 1000
    quantity = max(instrument.min_quantity, instrument.step)
    legs: tuple[tuple[LegKind, StopLoss | TakeProfit | None], ...] = (
        (LegKind.STOP, protection.stop),
        *((LegKind.TARGET, target) for target in protection.targets),
    )
    for kind, words in legs:
        if words is None or words.level is None:
            continue
        leg = Leg(kind, 1, number, quantity, words.trigger or TriggerBy.LAST, number if words.limit else None)
        leg.client_id = desk.venue.client_id(step_token("0" * 26, kind))
        try:
            desk.venue.draft_call(_leg_order(desk, instrument, leg, direction, hedge=hedge), number)
        except Unsupported as error:
            raise Rejection(error.kind, error.message, "", words.span) from error


def exit_order(desk: Desk, bracket: Guarded, instrument: Instrument, leg: Leg) -> OrderRequest:
    """The leg as an order: closes, never opens."""
    return _leg_order(desk, instrument, leg, bracket.direction, hedge=bracket.hedge)


def _leg_order(
    desk: Desk, instrument: Instrument, leg: Leg, direction: Direction, *, hedge: bool
) -> OrderRequest:
    return OrderRequest(
        instrument=instrument,
        client_id=leg.client_id,
        side=direction.exit_side,
        type=leg.order_type,
        quantity=leg.quantity,
        price=leg.limit,
        trigger_price=leg.price,
        trigger_by=leg.trigger,
        reduce_only=not desk.spot,
        position_side=direction if hedge else None,
    )


def set_aside(bracket: Guarded, leg: Leg) -> None:
    """One that never stood leaves no trace: while an exchange is down there are many. One that may have is kept, so
    that it is known when it appears."""
    leg.status = LegState.CANCELLED
    if not leg.exchange_id and not leg.missing:
        bracket.legs = [each for each in bracket.legs if each is not leg]


def has_stop(bracket: Guarded) -> bool:
    return any(leg.status is LegState.OPEN for leg in bracket.live(LegKind.STOP))


def unknown_there(desk: Desk, leg: Leg) -> bool:
    """The exchange gave it a number that nobody was told, and does not know our name for it."""
    return not leg.exchange_id and not leg.at_market and not desk.venue.features.conditional_ids


def counts(error: ExchangeError) -> bool:
    """Whether it says no to this very order: what only says "not now" is no reason to give up later."""
    passing = Throttled | Maintenance | AuthRefused | ClockRefused
    return isinstance(error, Refused | Unsupported) and not isinstance(error, passing)
