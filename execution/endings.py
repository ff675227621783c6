"""What all have in common who ask an exchange about an order: under which name and in whose lane they do, and what they
write down then: its end, what it filled, or that it is asked for again later, and in the end left to people."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db.models import F, Value
from django.db.models.functions import Least
from django.utils import timezone

from accounts.vault import VaultError
from exchanges.errors import ExchangeError
from exchanges.types import Instrument, OrderRef, Report
from execution import forgotten, holdings, lanes, turns
from execution.care import LANE_SECONDS
from execution.commands import Entry, EntryKind, Step
from execution.desk import Desk
from execution.models import Order, OrderState
from execution.rejection import Rejection, error_object
from execution.transitions import RECONCILIATION as WHO
from execution.transitions import move_order

log = logging.getLogger(__name__)
#: as far as looks are counted
MOST_LOOKUPS = 30
#: what keeps a look from its end although nothing is wrong with flipr
TROUBLE = (ExchangeError, Rejection, VaultError)
BY_NAME = "found on the exchange by its client id"
BY_FILLS = "the exchange does not know it any more, and tells its fills"
NO_FILLS = "the exchange does not know this order any more, and tells no fill of it: nothing was carried out"


@contextmanager
def in_lane(row: Order) -> Iterator[None]:
    """A command that is at work on the symbol must not meet a stop that is just placed. Raises LaneBusy."""
    assert row.account is not None
    lane = lanes.lane_of(row.account.public_id, row.venue, row.symbol)
    with lanes.on_behalf(row.region, lane, row.job, LANE_SECONDS):
        yield


def never_left(row: Order, error: Exception) -> bool:
    """Whether its worker, who goes by the same list, sent nothing: the exchange has no such market, and nothing of
    flipr's says that it ever had. The row has its end then."""
    young = timezone.now() - row.created_at <= timedelta(seconds=settings.GIVE_UP_SECONDS)
    unlisted = isinstance(error, Rejection) and error.code == "UNKNOWN_SYMBOL"
    if young or not unlisted or row.exchange_id or row.instrument:
        return False
    if Order.objects.filter(venue=row.venue, symbol=row.symbol).exclude(instrument="").exists():
        return False  # taken off the list since, maybe
    end(row, OrderState.NOT_SENT, "UNKNOWN_SYMBOL", f"{error}: nothing was sent")
    return True


def market_of(desk: Desk, row: Order) -> Instrument:
    """Where its order went, as far as history knows; whether it trades there at the moment or not. What the message called
    it may mean another market since that one was taken off the list, or came onto it. Raises UnknownSymbol, Rejection."""
    return desk.listed(row.instrument) if row.instrument else desk.named(row.symbol)


def ref_of(row: Order, step: Step) -> OrderRef:
    conditional = isinstance(step, Entry) and step.kind is EntryKind.STOP
    return OrderRef(row.client_id, row.exchange_id, conditional, row.quantity)


def unmoved(desk: Desk, instrument: Instrument, row: Order) -> bool:
    with in_lane(row):
        return forgotten.unmoved(desk, row, instrument)


def hand_over(row: Order, message: str, hint: str) -> None:
    """Only a human can tell; what the exchange may still say is asked for all the same."""
    _leave_to_people(row, message, hint)
    _ask_again(row)


def _leave_to_people(row: Order, message: str, hint: str) -> None:
    error = error_object("OUTCOME_UNKNOWN", message, hint)
    if row.error != error:
        log.error("order %s on %s is left to its user: %s", row.token, row.venue, message)
        if not move_order(row.token, OrderState.UNKNOWN, by=WHO, why=message, error=error):
            Order.objects.filter(pk=row.pk, status=OrderState.UNKNOWN).update(error=error)


def later(row: Order) -> None:
    """Ask again after a pause. People are told after minutes (`execution.alarms`); in the end it is left to them."""
    if turns.passed(row, turns.HAND_OVER, timezone.now()):
        message = "flipr could not find out what became of this order"
        _leave_to_people(row, message, "look at the exchange; flipr goes on asking now and then")
    _ask_again(row)


def _ask_again(row: Order) -> None:
    counted = Least(F("lookups") + 1, Value(MOST_LOOKUPS))
    Order.objects.filter(pk=row.pk).update(lookups=counted, updated_at=timezone.now())


def count(desk: Desk, instrument: Instrument, row: Order, report: Report) -> None:
    """What it filled is part of what flipr believes from now on."""
    desk.saw(report, instrument, report.side, report.client_id or row.client_id)
    if row.account is not None:
        holdings.keep(row.account, row.venue, desk.fills.values())
        holdings.traded(row.account, row.venue, row.region)


def news(report: Report) -> dict[str, object]:
    return {
        "exchange_id": report.exchange_id,
        "filled": report.filled,
        "average_price": report.average_price,
        "resting": not report.status.final,
        "lookups": 0,
    }


def end(row: Order, status: OrderState, code: str, message: str) -> None:
    move_order(row.token, status, by=WHO, why=message, error=error_object(code, message))
