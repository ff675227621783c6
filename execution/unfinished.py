"""A move of a stop or a target during which its worker died: what stands of it is adopted, and the rest of it done."""

from __future__ import annotations

import logging

from django.utils import timezone

from exchanges.types import Instrument
from execution import adoption, brackets, endings, holdings, lanes
from execution.arming import arm
from execution.commands import Protect
from execution.desk import Desk
from execution.models import Order, OrderState
from execution.moves import take_away_replaced
from execution.protection import Guarded, spelled_out
from execution.rejection import error_object
from execution.supervise import open_desk
from execution.transitions import RECONCILIATION as WHO
from execution.transitions import move_order

log = logging.getLogger(__name__)


def finished_move(row: Order, step: Protect) -> bool:
    """A worker died while it moved a stop or a target. True when some of its legs stand: then the rest of the
    move is done, for a leg that no bracket knows would outlive its position. False: nothing of it stands."""
    try:
        with endings.in_lane(row):
            return _finish_move(row, step)
    except lanes.LaneBusy:
        return True  # the next round comes soon
    except endings.TROUBLE as error:
        if not endings.never_left(row, error):
            log.warning("the move %s could not be looked up: %s", row.token, error)
            endings.later(row)
        return True


def _finish_move(row: Order, step: Protect) -> bool:
    assert row.account is not None
    desk = open_desk(row.account, row.venue)
    bracket = _resumed(desk, endings.market_of(desk, row), row, step)
    if bracket is None:
        return False
    holdings.keep(row.account, row.venue, desk.fills.values())
    saved = brackets.save_new(bracket, row.account, row.region)
    brackets.replaced(row.account, bracket, timezone.now())
    told = error_object("PROTECTION_FAILED", bracket.note) if bracket.note else None
    move_order(row.token, OrderState.DONE, by=WHO, why="finished for its worker", bracket=saved, error=told)
    return True


def _resumed(desk: Desk, instrument: Instrument, row: Order, step: Protect) -> Guarded | None:
    for position in desk.positions(instrument):
        bracket = adoption.bracket_of(row, instrument, position.direction, spelled_out(step.protection))
        bracket.hedge = not desk.spot and desk.hedged(instrument)
        bracket.entry_price = position.entry_price or desk.quote(instrument).last
        bracket.quantity = position.quantity
        adoption.adopt(desk, instrument, bracket)
        if any(leg.token for leg in bracket.legs):
            arm(desk, bracket, instrument)
            take_away_replaced(desk, bracket, instrument, position)
            return bracket
    return None
