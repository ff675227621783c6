"""Asks the exchange about an order of unknown outcome, by our client id, and writes down what the answer means: found, it
is taken over with its fill; not found, it never arrived, or may have been forgotten since.

Of a close of both sides `execution.sides` asks; a close of everything has no order of its own, the positions tell.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from exchanges.errors import AuthRefused, OrderNotFound
from exchanges.limits import Priority, pressing
from exchanges.rounds import Round
from exchanges.sparing import said_before
from exchanges.types import Instrument, Report
from execution import (
    adoption,
    brackets,
    claims,
    endings,
    everything,
    forgotten,
    holdings,
    keycheck,
    lanes,
    sides,
    unseen,
)
from execution.claims import Claim
from execution.commands import Close, Go, Reverse, Step
from execution.desk import Desk
from execution.models import OPEN_STATES, Order, OrderState
from execution.rejection import error_object
from execution.supervise import open_desk
from execution.takeover import trouble
from execution.transitions import RECONCILIATION as WHO
from execution.transitions import move_order
from execution.verdict import state_of

log = logging.getLogger(__name__)
HALF_DONE = "no new position was opened; the old one may have been closed: look at the position"


def swept(region: str, row: Order, step: Close) -> None:
    """A close of everything has no order of its own to ask for: the positions tell how it ended."""
    assert row.account is not None
    try:
        with pressing(Priority.ENTRY):
            left = everything.still_open(open_desk(row.account, row.venue), step, row.account.public_id)
    except endings.TROUBLE as error:
        log.warning("what %s left open could not be looked up: %s", row.token, error)
        endings.later(row)
        return
    at_work = row.status == OrderState.WORKING and claims.look(region, row.job) is Claim.ALIVE
    young = timezone.now() - row.created_at <= timedelta(seconds=settings.GIVE_UP_SECONDS)
    if not left:
        move_order(row.token, OrderState.FILLED, by=WHO, why="nothing is open any more", error=None)
    elif at_work or young:
        endings.later(row)
    else:
        state = OrderState.PARTIALLY_FILLED if row.filled else OrderState.NOT_SENT
        message = f"still open: {', '.join(left)}; what else was open may have been closed"
        endings.end(row, state, "LEFT_OPEN", message)


def ask(row: Order, step: Step, lists: Round) -> None:
    assert row.account is not None
    try:
        desk = open_desk(row.account, row.venue)
        desk.lists = lists
        instrument = endings.market_of(desk, row)
        if sides.both(desk, instrument, step):
            sides.settle(desk, instrument, row)
        elif (report := _asked(desk, instrument, row, step)) is None:
            _not_found(desk, instrument, row, step)
        else:
            # a position may stand there without its stop
            with endings.in_lane(row), pressing(Priority.PROTECT):
                _take_over(desk, instrument, row, report)
    except lanes.LaneBusy:
        return  # the next round comes soon
    except AuthRefused as error:
        log.warning("order %s could not be looked up, for the key is refused: %s", row.token, error)
        keycheck.doubt(row.region, row.account.public_id, row.account.sealed)
        endings.later(row)
    except endings.TROUBLE as error:
        if endings.never_left(row, error):
            return
        if not said_before(error):
            log.warning(
                "order %s could not be looked up, or its fill not be protected yet: %s", row.token, error
            )
        endings.later(row)


def _asked(desk: Desk, instrument: Instrument, row: Order, step: Step) -> Report | None:
    """None when the exchange does not know it."""
    try:
        with pressing(Priority.ENTRY), desk.lists.asking():
            return desk.fetch(instrument, endings.ref_of(row, step))
    except OrderNotFound:
        return None


def _take_over(
    desk: Desk,
    instrument: Instrument,
    row: Order,
    report: Report,
    why: str = endings.BY_NAME,
    *,
    counted: bool = False,
) -> None:
    """`counted`: what it filled is part of what flipr believes already."""
    if Order.objects.filter(pk=row.pk, status__in=OPEN_STATES).exists():
        if not counted:
            endings.count(desk, instrument, row, report)
        _found(desk, instrument, row, report, why)


def _not_found(desk: Desk, instrument: Instrument, row: Order, step: Step) -> None:
    remembers = forgotten.recalled(row) and not row.exchange_id
    if timezone.now() - row.created_at <= timedelta(seconds=settings.GIVE_UP_SECONDS):
        endings.later(row)
    elif not remembers:
        _forgotten(desk, instrument, row, step)
    elif isinstance(step, Go | Reverse):
        endings.end(row, OrderState.NOT_SENT, "HALF_DONE", HALF_DONE)
    else:
        endings.end(
            row, OrderState.NOT_SENT, "NOT_SENT", "the exchange does not know this order: it never arrived"
        )


def _forgotten(desk: Desk, instrument: Instrument, row: Order, step: Step) -> None:
    """It may have come, filled and been forgotten since. Where neither fills nor the position tell, only its user can."""
    fills = unseen.fills_of(desk, instrument, endings.ref_of(row, step), row.created_at)
    if fills:
        report = unseen.report_of(desk, row, instrument, step, endings.ref_of(row, step), fills)
        with endings.in_lane(row):
            counted = unseen.followed(row, instrument, fills)
            _take_over(desk, instrument, row, report, endings.BY_FILLS, counted=counted)
        return
    if fills is not None:
        _without_fill(row, step)
        return
    if endings.unmoved(desk, instrument, row):
        message = "the exchange does not know this order, and the position is what it was without it"
        endings.end(row, OrderState.NOT_SENT, "NOT_SENT", message)
        return
    message = "the exchange does not know this order any more: whether it filled before, it does not tell"
    endings.hand_over(row, message, "look at the position and at the order history on the exchange")


def _without_fill(row: Order, step: Step) -> None:
    """It never came, or came and ended."""
    if isinstance(step, Go | Reverse):
        endings.end(row, OrderState.NOT_SENT, "HALF_DONE", HALF_DONE)
    elif row.exchange_id:
        move_order(
            row.token, OrderState.CANCELLED, by=WHO, why=endings.NO_FILLS, error=None, filled=Decimal(0)
        )
    else:
        endings.end(row, OrderState.NOT_SENT, "NOT_SENT", endings.NO_FILLS)


def _found(desk: Desk, instrument: Instrument, row: Order, report: Report, why: str) -> None:
    bracket = adoption.rebuild(desk, instrument, row, report)
    if row.account is not None:
        holdings.keep(row.account, row.venue, desk.fills.values())
    if bracket is not None and row.account is not None:
        row.bracket = brackets.save_new(bracket, row.account, row.region)
    error = error_object("PROTECTION_FAILED", bracket.note) if bracket and trouble(bracket) else None
    move_order(
        row.token,
        state_of(report.status, report.filled, report.quantity),
        by=WHO,
        why=why,
        instrument=instrument.symbol,
        bracket=row.bracket,
        error=error,
        quantity=report.quantity,
        **endings.news(report),
    )
