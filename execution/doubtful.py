"""A bracket's sale at market whose end the exchange does not tell: its fills tell, else the position."""

from __future__ import annotations

import logging
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from exchanges.registry import venue_class
from exchanges.types import Instrument, Product, Report
from execution.desk import Desk
from execution.fates import lost
from execution.forgotten import memory
from execution.models import BracketState
from execution.protection import Guarded, Leg, LegState
from execution.unseen import fills_of, told_by
from execution.view import SURE, View

log = logging.getLogger(__name__)
#: of a sale at market whose end the exchange does not tell any more
FORGOTTEN = "not confirmed, and the exchange may have forgotten it: look at the position"


def miss_sale(desk: Desk, bracket: Guarded, instrument: Instrument, leg: Leg) -> Report | None:
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
        lost(bracket, leg, "the exchange does not know this order")
    return None


def _left_to_the_position(bracket: Guarded, leg: Leg) -> None:
    if leg.error != FORGOTTEN:
        log.error("bracket %s on %s: its sale at market is %s", bracket.public_id, bracket.venue, FORGOTTEN)
    leg.error = FORGOTTEN
    bracket.status, bracket.note = BracketState.FAILED, f"its sale at market is {FORGOTTEN}"


def forgotten_sale(bracket: Guarded) -> Leg | None:
    """Where the position may tell of it: coins on spot may be their owner's."""
    if venue_class(bracket.venue).product is Product.SPOT:
        return None
    open_sales = (leg for leg in bracket.legs if leg.at_market and leg.status is LegState.OPEN)
    return next((leg for leg in open_sales if leg.error == FORGOTTEN), None)


def explain_by_sale(bracket: Guarded, view: View) -> None:
    """What is missing of the position is what the forgotten sale sold, before it is anything else. When nothing is, it
    did not take place."""
    leg = forgotten_sale(bracket)
    if leg is None or not view.counted:
        return
    missing = min(view.excess.get(bracket.share, Decimal(0)), bracket.remaining)
    if not missing:
        lost(bracket, leg, "the position is as large as before")
        return
    view.excess[bracket.share] -= missing
    bracket.gone_seen += 1
    if bracket.gone_seen >= SURE:
        bracket.closed += missing
        bracket.gone_seen, bracket.note = 0, f"{missing.normalize():f} closed at market"
        leg.status, leg.error, leg.filled = LegState.FILLED, "", missing
