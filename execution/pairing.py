"""A stop and a target that the exchange links, so that one cancels the other: placed as one, looked for when the answer is
lost, and one by one where the exchange takes no pair."""

from __future__ import annotations

import logging
from contextlib import suppress
from decimal import Decimal

from exchanges.errors import ExchangeError, NotSent, OrderNotFound, OutcomeUnknown
from exchanges.types import Instrument, Legs, OrderRequest, Report
from execution.amounts import SizeUnit
from execution.attempts import StopFailed, name_leg, placed, put
from execution.desk import Desk
from execution.legs import (
    announce,
    cancel_legs,
    exit_order,
    given_up,
    has_stop,
    set_aside,
    unknown_there,
)
from execution.protection import Guarded, Leg, LegKind, LegState

log = logging.getLogger(__name__)
PAIR_LOOK_SECONDS = (0.2, 0.5, 1.0)


def pair_fits(desk: Desk, bracket: Guarded, wanted: list[Leg], standing: list[Leg]) -> bool:
    """One stop and one target for everything, on an exchange that links them, and nothing in the way."""
    if not desk.venue.features.linked_legs or len(wanted) != 2 or desk.dry_run:
        return False
    stop, target = wanted
    if target.kind is not LegKind.TARGET or stop.quantity != target.quantity or stop.limit or target.limit:
        return False
    if any(leg.status is LegState.OPEN and not leg.linked for leg in standing):
        return False
    if any(given_up(bracket, want) for want in wanted):
        return False
    return not (
        bracket.plan.stop and bracket.plan.stop.size and bracket.plan.stop.size.unit is not SizeUnit.REST
    )


def arm_pair(desk: Desk, bracket: Guarded, instrument: Instrument, wanted: list[Leg]) -> None:
    held = [leg for leg in bracket.live() if leg.linked and leg.status is LegState.OPEN]
    if len(held) == 2 and all(any(leg.same_as(want) for leg in held) for want in wanted):
        return
    _retire(bracket, wanted)
    cancel_legs(desk, bracket, instrument, bracket.live())
    stop, target = wanted
    for leg in wanted:
        name_leg(desk, bracket, leg)
        leg.linked = True
    bracket.legs += wanted
    announce(desk, bracket, wanted)
    pair = Legs(exit_order(desk, bracket, instrument, stop), exit_order(desk, bracket, instrument, target))
    try:
        _pair_placed(wanted, _protect(desk, bracket, instrument, wanted, pair))
        bracket.closed += sum(leg.filled for leg in wanted)
    except OutcomeUnknown as error:
        for leg in wanted:  # it may stand: supervision looks for it, and nothing is placed beside it
            leg.status, leg.error = LegState.OPEN, f"not confirmed: {error.message}"
    except ExchangeError as error:
        log.warning(
            "a linked pair on %s failed (%s): placing the legs one by one", desk.venue.name, error.kind
        )
        bracket.legs = [leg for leg in bracket.legs if not any(leg is want for want in wanted)]
        _one_by_one(desk, bracket, instrument, wanted)
        return
    if stop.status is LegState.FAILED:
        raise StopFailed(stop)


def _retire(bracket: Guarded, wanted: list[Leg]) -> None:
    """What failed makes place for another attempt, and counts among those of the leg."""
    for leg in [each for each in bracket.live() if each.status is LegState.FAILED]:
        for want in wanted:
            if (want.kind, want.number) == (leg.kind, leg.number):
                want.attempts = leg.attempts
        set_aside(bracket, leg)


def _pair_placed(wanted: list[Leg], reports: tuple[Report, Report]) -> None:
    for leg, report in zip(wanted, reports, strict=True):
        placed(leg, report)


def _protect(
    desk: Desk, bracket: Guarded, instrument: Instrument, wanted: list[Leg], pair: Legs
) -> tuple[Report, Report]:
    """Place the pair; when the answer is lost, look whether it stands before anything else is tried."""
    try:
        return desk.protect(pair)
    except OutcomeUnknown as unknown:
        for wait in PAIR_LOOK_SECONDS:
            desk.sleep(wait)
            try:
                standing = desk.venue.open_orders(desk.keys, instrument)
                stop, target = _stands(standing, pair.stop), _stands(standing, pair.target)
                fired = not (stop or target) and _has_fired(desk, bracket, instrument, wanted)
            except ExchangeError:
                continue  # what cannot be read is not known either
            if stop and target:
                return stop, target
            if stop or target or fired:
                raise
            raise NotSent("the pair does not stand on the exchange", code=unknown.code) from unknown
        raise


def _has_fired(desk: Desk, bracket: Guarded, instrument: Instrument, wanted: list[Leg]) -> bool:
    """Whether a pair that does not stand may have ended already. Either leg tells, or, where the exchange does not know them
    by our names, a position smaller than what they were to guard. Raises ExchangeError."""
    for leg in wanted:
        with suppress(OrderNotFound):
            if not unknown_there(desk, leg):
                desk.fetch(instrument, leg.ref)
                return True
    if desk.spot:
        return False
    held = sum((each.quantity for each in desk.positions(instrument, bracket.direction)), Decimal(0))
    return held <= bracket.remaining - instrument.step


def _stands(reports: list[Report], order: OrderRequest) -> Report | None:
    for report in reports:
        same_terms = report.trigger_price == order.trigger_price and report.quantity == order.quantity
        if report.client_id == order.client_id or (
            not report.client_id and report.side is order.side and same_terms
        ):
            return report
    return None


def _one_by_one(desk: Desk, bracket: Guarded, instrument: Instrument, wanted: list[Leg]) -> None:
    for leg in wanted:
        if bracket.remaining < instrument.step:
            return  # the stop was triggered as it came
        leg.linked, leg.status = False, LegState.PENDING
        if leg.kind is LegKind.TARGET and desk.spot and has_stop(bracket) and not rests_loose(desk):
            leg.status = LegState.WATCHED
            bracket.legs.append(leg)
        else:
            put(desk, bracket, instrument, [leg])


def rests_loose(desk: Desk) -> bool:
    """Two unlinked legs may rest beside each other on this venue."""
    return desk.venue.features.rests_both_legs and not desk.venue.features.linked_legs
