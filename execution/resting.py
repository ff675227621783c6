"""Orders that rest on an exchange and that no bracket follows, or none has heard of for long: whether they stand, filled
or are gone."""

from __future__ import annotations

import logging

from django.db.models import F
from django.utils import timezone

from exchanges.errors import AuthRefused, OrderNotFound, UnknownSymbol
from exchanges.sparing import said_before
from exchanges.types import Fill, Instrument, Report
from execution import brackets, endings, forgotten, keycheck, lanes, sides, unseen
from execution.commands import Step
from execution.desk import Desk
from execution.models import Bracket, BracketState, Order, OrderState
from execution.observe import take_in_entry
from execution.rejection import error_object
from execution.starved import Hunger
from execution.supervise import open_desk
from execution.transitions import RECONCILIATION as WHO
from execution.transitions import move_order
from execution.verdict import state_of
from execution.wire import load

log = logging.getLogger(__name__)
#: looks in a row that did not find a resting order
GONE = 3
#: the error of one whose market is not listed
UNLISTED = "MARKET_UNLISTED"


def follow(row: Order) -> None:
    """A resting order that nobody else looks at: whether it filled."""
    assert row.account is not None
    try:
        desk = open_desk(row.account, row.venue)
        instrument = endings.market_of(desk, row)
        if (row.error or {}).get("code") == UNLISTED:
            _listed_again(row)
        hunger = Hunger(row.region, row.venue, row.token)
        with hunger.asking():
            _look_at_resting(desk, instrument, row)
        hunger.answered()
    except lanes.LaneBusy:
        return
    except endings.TROUBLE as error:
        if isinstance(error, UnknownSymbol):
            _unlisted(row)
            return
        if not said_before(error):
            log.warning("resting order %s could not be looked up: %s", row.token, error)
        if isinstance(error, AuthRefused):
            keycheck.doubt(row.region, row.account.public_id, row.account.sealed)
        Order.objects.filter(pk=row.pk).update(updated_at=timezone.now())


def _unlisted(row: Order) -> None:
    """Nothing can be asked about it while its exchange does not list the market; that may have been taken off for a while
    only, so it is not ended. Told once, and looked at seldom."""
    message = f"{row.venue} does not list {row.instrument or row.symbol} any more: whether it filled, nobody can ask"
    error = error_object(UNLISTED, message, "look at the position and at the order history on the exchange")
    if row.error != error:
        log.error("resting order %s on %s is left to its user: %s", row.token, row.venue, message)
    Order.objects.filter(pk=row.pk).update(
        error=error, lookups=endings.MOST_LOOKUPS, updated_at=timezone.now()
    )


def _listed_again(row: Order) -> None:
    row.error, row.lookups = None, 0
    row.save(update_fields=["error", "lookups"])


def _look_at_resting(desk: Desk, instrument: Instrument, row: Order) -> None:
    step: Step = load(row.step, Step)
    two = sides.both(desk, instrument, step)
    found = sides.ask(desk, instrument, row) if two else _known(desk, instrument, row, step)
    if not found:
        _gone(desk, instrument, row)
        return
    whole = sides.together(found, instrument) if two else found[0]
    if two and len(found) == 1 and whole.status.final and row.lookups + 1 < GONE:
        Order.objects.filter(pk=row.pk).update(lookups=F("lookups") + 1, updated_at=timezone.now())
        return
    forgotten.looked(row)
    for report in found:
        endings.count(desk, instrument, row, report)
    state = state_of(whole.status, whole.filled, whole.quantity)
    if not move_order(row.token, state, by=WHO, why="its state on the exchange", **endings.news(whole)):
        resting = not whole.status.final  # its state was known before
        Order.objects.filter(pk=row.pk).update(resting=resting, updated_at=timezone.now())


def _known(desk: Desk, instrument: Instrument, row: Order, step: Step) -> list[Report]:
    try:
        return [desk.fetch(instrument, endings.ref_of(row, step))]
    except OrderNotFound:
        return []


def _gone(desk: Desk, instrument: Instrument, row: Order) -> None:
    """What an exchange still remembers and does not know was ended without a fill; of what it may have forgotten, its
    fills tell, else the position. One look is no look."""
    sure = forgotten.recalled(row)
    if row.lookups + 1 < GONE:
        Order.objects.filter(pk=row.pk).update(lookups=F("lookups") + 1, updated_at=timezone.now())
        return
    step: Step = load(row.step, Step)
    single = not sides.both(desk, instrument, step)
    fills = None
    if single and not sure:
        fills = unseen.fills_of(desk, instrument, endings.ref_of(row, step), row.created_at)
    if fills:
        _filled_unseen(desk, instrument, row, step, fills)
        return
    why, error = "it does not stand on the exchange any more", None
    if not sure and fills is None and not endings.unmoved(desk, instrument, row):
        why = "the exchange does not know it any more: whether it filled before, it does not tell"
        error = error_object(
            "ENDED_UNSEEN", why, "look at the position and the order history on the exchange"
        )
        log.error("resting order %s on %s: %s", row.token, row.venue, why)
    brackets.entry_ended(row.token, why)
    ended = OrderState.PARTIALLY_FILLED if row.filled else OrderState.CANCELLED
    if not move_order(row.token, ended, by=WHO, why=why, error=error, resting=False):
        Order.objects.filter(pk=row.pk).update(resting=False)  # it had ended, and still counted as resting


def _filled_unseen(desk: Desk, instrument: Instrument, row: Order, step: Step, fills: list[Fill]) -> None:
    """The bracket that waits for the fill is told, and supervision places what is missing; a bracket that somebody else
    has just written is told by the next look."""
    report = unseen.report_of(desk, row, instrument, step, endings.ref_of(row, step), fills)
    with endings.in_lane(row):
        if not _told_bracket(desk, instrument, row, report):
            return
        if not unseen.followed(row, instrument, fills):
            endings.count(desk, instrument, row, report)
        state = state_of(report.status, report.filled, report.quantity)
        if not move_order(row.token, state, by=WHO, why=endings.BY_FILLS, **endings.news(report)):
            Order.objects.filter(pk=row.pk).update(resting=False)


def _told_bracket(desk: Desk, instrument: Instrument, row: Order, report: Report) -> bool:
    held = Bracket.objects.select_related("account").filter(token=row.token, entry_open=True)
    for waiting in held.exclude(status=BracketState.DONE):
        bracket = brackets.from_row(waiting)
        take_in_entry(desk, bracket, instrument, report)
        return brackets.save(bracket, waiting.version, by=WHO)
    return True
