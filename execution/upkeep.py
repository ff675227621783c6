"""What is to be done about one bracket: its legs brought in line with its position, a watched target sold, its end.

Which bracket is looked after when, and under which lane, is in `execution.care`.
"""

from __future__ import annotations

import logging

from exchanges.errors import ExchangeError, NothingToReduce
from exchanges.types import Direction, Instrument
from execution.arming import arm, in_line
from execution.attempts import fire
from execution.confirm import UnknownOutcome
from execution.desk import Desk
from execution.fates import STOP_BACK
from execution.ids import step_token
from execution.legs import cancel_legs
from execution.models import BracketState
from execution.protection import Guarded, Leg, LegKind, LegState, down
from execution.takeover import PRICE_UNTOLD

log = logging.getLogger(__name__)


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
    for leg in _to_sell(desk, bracket, instrument):
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


def _to_sell(desk: Desk, bracket: Guarded, instrument: Instrument) -> list[Leg]:
    """What is to be placed or cancelled does not wait for a price that nobody tells: the next look asks for it again."""
    if bracket.remaining < instrument.step:
        return []
    try:
        return _reached(desk, bracket, instrument)
    except ExchangeError as error:
        if in_line(bracket, instrument):
            raise
        log.warning("whether %s has come to a target is not known: %s", bracket.public_id, error.kind)
        return []


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
