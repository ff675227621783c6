"""Ends what nobody ended: orders whose outcome is unknown, and rows whose worker died.

Nothing is ever sent again from here. A job nobody claimed is claimed and called off; an order that may have
left is looked for by our client id until the exchange knows it, or has had ample time to.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from exchanges.errors import ExchangeError, OrderNotFound
from exchanges.types import Direction, Instrument, OrderRef, Report, Side
from execution import brackets, claims
from execution.commands import Entry, EntryKind, Go, Protection, Reverse, Step
from execution.desk import Desk
from execution.entry import protect_fill, spelled_out
from execution.errand import state_of
from execution.ids import new_public_id, step_token
from execution.models import Bracket, Order, OrderState
from execution.protection import Guarded, Leg, LegState, desired_legs
from execution.rejection import Rejection, error_object
from execution.supervise import open_desk
from execution.wire import load

log = logging.getLogger(__name__)
#: after this long without a trace an order never arrived (every venue's window for late arrival is far shorter)
GIVE_UP = timedelta(seconds=60)
GRACE = timedelta(seconds=5)


def sweep(region: str) -> None:
    """Look at every order of the region whose end is not known."""
    rows = Order.objects.filter(region=region).filter(_unsettled()).select_related("account", "account__user")
    for row in rows.order_by("account_id", "venue", "created_at"):
        _settle(region, row)


def _unsettled() -> Q:
    late = timezone.now() - GRACE
    return Q(status=OrderState.WORKING, fresh_until__lt=late) | Q(
        status=OrderState.UNKNOWN, updated_at__lt=late
    )


def _settle(region: str, row: Order) -> None:
    if claims.take(region, row.job):
        _end(row, OrderState.EXPIRED, "EXPIRED", "no worker took it in time; nothing was sent")
        return
    if row.account is None:
        _end(row, OrderState.UNKNOWN, "OUTCOME_UNKNOWN", "its account was deleted: look at the exchange")
        return
    try:
        desk = open_desk(row.account, row.venue)
        instrument = desk.instrument(row.symbol)
        report = _find(desk, instrument, row)
    except OrderNotFound:
        _not_found(row)
    except (ExchangeError, Rejection) as error:
        log.warning("order %s could not be looked up: %s", row.token, error)
    else:
        _found(desk, instrument, row, report)


def _find(desk: Desk, instrument: Instrument, row: Order) -> Report:
    """Raises OrderNotFound when the exchange knows it neither as a plain nor as a conditional order."""
    step: Step = load(row.step, Step)
    conditional = isinstance(step, Entry) and step.kind is EntryKind.STOP
    ref = OrderRef(row.client_id, row.exchange_id, conditional)
    return desk.venue.fetch(desk.keys, instrument, ref)


def _not_found(row: Order) -> None:
    if timezone.now() - row.created_at > GIVE_UP:
        _end(row, OrderState.NOT_SENT, "NOT_SENT", "the exchange does not know this order: it never arrived")


def _found(desk: Desk, instrument: Instrument, row: Order, report: Report) -> None:
    state = state_of(report.status, report.filled, report.quantity)
    bracket = _rebuild(desk, instrument, row, report)
    if bracket is not None and row.account is not None:
        row.bracket = brackets.save_new(bracket, row.account, row.region)
    Order.objects.filter(pk=row.pk, status__in=(OrderState.WORKING, OrderState.UNKNOWN)).update(
        status=state,
        instrument=instrument.symbol,
        exchange_id=report.exchange_id,
        quantity=report.quantity,
        filled=report.filled,
        average_price=report.average_price,
        bracket=row.bracket,
        error=None,
        updated_at=timezone.now(),
    )


def _end(row: Order, status: OrderState, code: str, message: str) -> None:
    Order.objects.filter(pk=row.pk, status__in=(OrderState.WORKING, OrderState.UNKNOWN)).update(
        status=status, error=error_object(code, message), updated_at=timezone.now()
    )


def _rebuild(desk: Desk, instrument: Instrument, row: Order, report: Report) -> Guarded | None:
    """The bracket a dead worker owed this entry: adopt the legs that stand, place the ones that are missing."""
    step: Step = load(row.step, Step)
    plan = getattr(step, "protection", Protection())
    if (
        not isinstance(step, Entry | Go | Reverse)
        or not plan
        or Bracket.objects.filter(token=row.token).exists()
    ):
        return None
    direction = report.position_side or (Direction.LONG if report.side is Side.BUY else Direction.SHORT)
    bracket = Guarded(
        public_id=new_public_id("b"),
        token=row.token,
        account=row.account.public_id if row.account else "",
        venue=row.venue,
        symbol=row.symbol,
        instrument=instrument.symbol,
        direction=direction,
        hedge=report.position_side is not None,
        plan=spelled_out(plan),
        stop_policy=row.stop_policy,
        entry_client_id=report.client_id or row.client_id,
        entry_exchange_id=report.exchange_id,
        entry_conditional=report.type.conditional,
    )
    _adopt(desk, instrument, bracket, report)
    return bracket


def _adopt(desk: Desk, instrument: Instrument, bracket: Guarded, report: Report) -> None:
    if report.filled and report.average_price is not None:
        bracket.entry_price, bracket.quantity = report.average_price, report.filled
        standing = {each.client_id: each for each in desk.venue.open_orders(desk.keys, instrument)}
        for leg in desired_legs(bracket.plan, bracket.frame(instrument), bracket.quantity):
            _take_over(desk, bracket, leg, standing)
    protect_fill(desk, bracket, instrument, report)


def _take_over(desk: Desk, bracket: Guarded, leg: Leg, standing: dict[str, Report]) -> None:
    """The worker numbered its legs from one: find the one it placed."""
    for generation in range(1, 9):
        token = step_token(bracket.token, f"{leg.kind}{leg.number}.{generation}")
        found = standing.get(desk.venue.client_id(token))
        if found is not None:
            leg.token, leg.client_id, leg.exchange_id = token, found.client_id, found.exchange_id
            leg.status = LegState.OPEN
            bracket.legs.append(leg)
            bracket.generation = max(bracket.generation, generation)
            return
