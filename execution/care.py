"""What follows from a look for each bracket. What the look found is written down (`execution.observe`); what should be done
about it (`execution.upkeep`) is done under the symbol's lane, after a second look, so that a command at work on the same
symbol is never crossed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from exchanges.errors import ExchangeError
from exchanges.limits import Priority, hurried, pressing
from exchanges.rounds import Round
from exchanges.types import OrderRef
from execution import brackets, lanes, observe, orphans
from execution.confirm import UnknownOutcome
from execution.desk import Desk
from execution.exits import closes_one_of
from execution.lanes import lane_of
from execution.legs import cancel_legs
from execution.models import ACTIVE_BRACKETS, Bracket, BracketState
from execution.protection import Guarded, LegState
from execution.rejection import Rejection
from execution.upkeep import act, wants_action
from execution.view import View, look
from execution.watched import alone, lacks_stop, rows_of, still_listed, unsettled
from execution.wire import dump

log = logging.getLogger(__name__)
LANE_SECONDS = 2.0


def tend(region: str, desk: Desk, rows: list[Bracket], view: View, more: set[str] | None) -> None:
    """Each is read before any is judged: a leg of one that filled is why the position of all is smaller."""
    read: list[tuple[Bracket, Guarded]] = []
    lists = Round()
    for row in rows:
        with alone(row, view), hurried(when=view.short is not None):
            if row.status == BracketState.DONE:
                _aftercare(desk, row, view)
                continue
            bracket = brackets.from_row(row)
            with lists.asking():
                observe.read(desk, bracket, view)
            read.append((row, bracket))
    wanted = {
        name for _, bracket in read for leg in bracket.live() for name in (leg.client_id, leg.exchange_id)
    }
    for row, bracket in read:
        with alone(row, view):
            _cancel_left_over(desk, row, bracket, view, wanted)
    # what is missing of a position is taken off those first that have no stop: the stops of the others cover what is there
    for row, bracket in sorted(read, key=lambda each: not lacks_stop(each[1])):
        with alone(row, view):
            _care(region, desk, row, bracket, view, more)


def _cancel_left_over(desk: Desk, row: Bracket, bracket: Guarded, view: View, wanted: set[str]) -> None:
    """A leg that history has as cancelled and that still stands: the command that meant to cancel it did not reach the
    exchange."""
    for leg in bracket.legs:
        if leg.status is not LegState.CANCELLED or {leg.client_id, leg.exchange_id} & wanted - {""}:
            continue
        report = view.find(leg.ref)
        if report is not None and desk.cancel(desk.listed(bracket.instrument), report.ref):
            orphans.tell(row.account, row.venue, report, row)


def _care(region: str, desk: Desk, row: Bracket, bracket: Guarded, view: View, more: set[str] | None) -> None:
    """`bracket`: the row, as it was read by this look."""
    before = dump(brackets.from_row(row))
    missing = view.excess.get(bracket.share, Decimal(0))
    if (row.instrument, row.direction) not in view.obscured:
        observe.judge(bracket, view)
    if wants_action(desk, bracket) or _ended(row, bracket, LegState.CANCELLED):
        _keep_ends(row, bracket)
        urgent = lacks_stop(bracket) or unsettled(bracket)
        with pressing(Priority.PROTECT if urgent else Priority.QUERY):
            _act(region, desk, row, more, missing)
    elif dump(bracket) != before:
        brackets.save(bracket, row.version, by="supervision")


def _ended(row: Bracket, bracket: Guarded, how: LegState) -> bool:
    """Whether this look found a leg ended. A command at work may have cancelled it, for reasons of its own that
    it has yet to write down: that is judged under the lane."""
    before = {leg.token: leg.status for leg in brackets.from_row(row).legs}
    return any(leg.status is how and before.get(leg.token) is LegState.OPEN for leg in bracket.legs)


def _keep_ends(row: Bracket, bracket: Guarded) -> None:
    """Fills are final: written down before the second look, they need not be asked for again. Where requests are
    few, a round that asked twice for everything would never have any left to act."""
    if _ended(row, bracket, LegState.CANCELLED):
        return
    if _ended(row, bracket, LegState.FILLED) or (row.entry_open and not bracket.entry_open):
        bracket.gone_seen = row.gone_seen
        brackets.save(bracket, row.version, by="supervision")


def _act(region: str, desk: Desk, seen: Bracket, more: set[str] | None, missing: Decimal) -> None:
    """Under the lane of the symbol, from a fresh row and a fresh look of the same kind. `missing`: how much less than is
    protected the look before found open."""
    lane = lane_of(seen.account.public_id, seen.venue, seen.symbol)
    job = lanes.watcher(region)
    try:
        ticket = lanes.next_ticket(region, lane, job)
        with lanes.turn(region, lane, job, ticket, LANE_SECONDS):
            row = Bracket.objects.select_related("account").get(pk=seen.pk)
            if row.status in ACTIVE_BRACKETS:
                _act_on(desk, row, more, missing)
    except lanes.LaneBusy:
        return  # a command is at work there: the next look comes soon
    except Overtaken:
        log.warning("bracket %s changed while it was being looked after", seen.public_id)


def _act_on(desk: Desk, row: Bracket, more: set[str] | None, missing: Decimal) -> None:
    others = still_listed(desk, brackets.readable(rows_of(row.account.public_id, row.venue)))
    bracket = brackets.from_row(row)
    view, lists = look(desk, others, more), Round()
    for other in others:
        if _beside(other, row):
            with alone(other, view), lists.asking():
                observe.read(desk, brackets.from_row(other), view)
    with lists.asking():
        observe.read(desk, bracket, view)
    view.excess[bracket.share] = min(view.excess.get(bracket.share, missing), missing)  # what both looks say
    if (row.instrument, row.direction) not in view.obscured:
        observe.judge(bracket, view)
    with _written_down(desk, row, bracket):
        if wants_action(desk, bracket):
            act(desk, bracket)
        if bracket.status == BracketState.DONE and bracket.quantity and not desk.spot:
            _clear(desk, bracket, view)


def _beside(other: Bracket, row: Bracket) -> bool:
    """Whether it guards a part of the same position."""
    same = (other.instrument, other.direction) == (row.instrument, row.direction)
    return same and other.pk != row.pk and other.status in ACTIVE_BRACKETS


class Overtaken(Exception):
    """Somebody else changed the bracket: nothing more is sent for it from here."""


@contextmanager
def _written_down(desk: Desk, row: Bracket, bracket: Guarded) -> Iterator[None]:
    """The bracket is in the books before each request that changes what stands for it, and when all is done or the
    exchange has refused: whoever comes after a worker that died knows what may stand. Raises Overtaken."""
    version, written = row.version, dump(brackets.from_row(row))

    def write(what: Guarded) -> None:
        nonlocal version, written
        if (now := dump(what)) == written:
            return
        if not brackets.save(what, version, by="supervision"):
            raise Overtaken
        version, written = version + 1, now

    before, desk.checkpoint = desk.checkpoint, write
    try:
        yield
    except (ExchangeError, UnknownOutcome, Rejection):
        write(bracket)
        raise
    else:
        write(bracket)
    finally:
        desk.checkpoint = before


def _clear(desk: Desk, bracket: Guarded, view: View) -> None:
    """The stop ended a position that was to be closed at a limit too. Not every exchange ends what only reduces when
    nothing is left: it would close the next position, whoever opens it."""
    if not view.counted or (bracket.instrument, bracket.direction.value) in view.positions:
        return
    instrument = desk.listed(bracket.instrument)
    own = {name for leg in bracket.legs for name in (leg.client_id, leg.exchange_id) if name}
    standing = view.reports() if view.listed else desk.venue.open_orders(desk.keys, instrument)
    for report in standing:
        if report.symbol != bracket.instrument or {report.client_id, report.exchange_id} & own:
            continue
        if closes_one_of(report, [bracket.direction], spot=False):
            desk.cancel(instrument, report.ref)


def _aftercare(desk: Desk, row: Bracket, view: View) -> None:
    """A leg of a bracket that is done and still stands is an orphan."""
    bracket: Guarded = brackets.from_row(row)
    standing = [
        (leg, report)
        for leg in bracket.legs
        if (report := view.find(OrderRef(leg.client_id, leg.exchange_id))) is not None
    ]
    instrument = desk.connection.table.by_symbol(row.instrument)
    if not standing or instrument is None:
        return
    for leg, _ in standing:
        leg.status = LegState.OPEN
    cancel_legs(desk, bracket, instrument, [leg for leg, _ in standing])
    bracket.note = f"{bracket.note}; {len(standing)} left-over order(s) cancelled".lstrip("; ")
    brackets.save(bracket, row.version, by="supervision")
    for leg, report in standing:
        if leg.status is LegState.CANCELLED:
            orphans.tell(row.account, row.venue, report, row)
