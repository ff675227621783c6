"""The protection that a dead worker owed: the bracket of its fill is built again, legs that it had placed are adopted, and
those that are missing are placed."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from exchanges.errors import OrderNotFound
from exchanges.types import Direction, Instrument, Report, Side
from execution.commands import Entry, Go, Reverse, Step
from execution.desk import Desk
from execution.fates import take_in
from execution.ids import new_public_id, step_token
from execution.legs import cancel_legs, unknown_there
from execution.models import Bracket, BracketState, Order
from execution.observe import nameless
from execution.pairing import pair_fits
from execution.protection import Guarded, Leg, LegKind, LegState, desired_legs, spelled_out
from execution.takeover import fill_price, protect_fill
from execution.terms import Protection
from execution.unprotected import LESS, UNPROTECTED, exit_leg
from execution.wire import load

#: an exchange tells the position that an order led to by then
SETTLED = timedelta(seconds=10)
#: exits at market of one bracket that are looked for
MOST_EXITS = 8


def rebuild(desk: Desk, instrument: Instrument, row: Order, report: Report) -> Guarded | None:
    """The bracket of an entry: adopt the legs that stand, place the ones that are missing."""
    step: Step = load(row.step, Step)
    plan = getattr(step, "protection", Protection())
    if (
        not isinstance(step, Entry | Go | Reverse)
        or (step.direction is not None and report.side is not step.direction.entry_side)  # it made less of it
        or not plan
        or Bracket.objects.filter(token=row.token).exists()
    ):
        return None
    direction = report.position_side or (Direction.LONG if report.side is Side.BUY else Direction.SHORT)
    bracket = bracket_of(row, instrument, direction, spelled_out(plan))
    bracket.hedge = report.position_side is not None
    bracket.entry_client_id = report.client_id or row.client_id
    bracket.entry_exchange_id = report.exchange_id
    bracket.entry_conditional = report.type.conditional
    bracket.entry_level = report.trigger_price or report.price
    bracket.entry_open = not report.status.final
    if report.filled:
        bracket.entry_price = fill_price(desk, instrument, bracket, report)
        bracket.quantity = report.filled
        adopt(desk, instrument, bracket)
        _adopt_exit(desk, instrument, bracket)
    young = timezone.now() - row.created_at < SETTLED
    if bracket.status == BracketState.DONE or bracket.in_doubt:
        return bracket  # while the end of an exit is not known, nothing goes out beside it
    if _stands_whole(desk, bracket, instrument, young=young):
        protect_fill(desk, bracket, instrument, report)
    return bracket


def _stands_whole(desk: Desk, bracket: Guarded, instrument: Instrument, *, young: bool) -> bool:
    """Whether the position is as large as what is to be protected of it. If not, it was closed since: two looks have to
    agree on that, of which this is one. Of a young order it may only not be told yet: a stop too many is taken away by
    supervision, one too few by nobody. Spot tells when a stop is placed."""
    if desk.spot or not bracket.remaining or young:
        return True
    held = sum((each.quantity for each in desk.positions(instrument, bracket.direction)), Decimal(0))
    bracket.gone_seen = int(held <= bracket.remaining - instrument.step)
    return not bracket.gone_seen


def bracket_of(row: Order, instrument: Instrument, direction: Direction, plan: Protection) -> Guarded:
    return Guarded(
        public_id=new_public_id("b"),
        token=row.token,
        account=row.account.public_id if row.account else "",
        venue=row.venue,
        symbol=row.symbol,
        instrument=instrument.symbol,
        direction=direction,
        hedge=False,
        plan=plan,
        stop_policy=row.stop_policy,
    )


def adopt(desk: Desk, instrument: Instrument, bracket: Guarded) -> None:
    """Take over the legs the dead worker had placed."""
    standing = desk.venue.open_orders(desk.keys, instrument)
    by_id = {each.client_id: each for each in standing if each.client_id}
    wanted = desired_legs(bracket.plan, bracket.frame(instrument), bracket.quantity)
    for place, leg in enumerate(wanted, 1):
        found = _own_leg(desk, bracket, leg, by_id) or nameless(bracket, leg, standing)
        if found is None:
            _adopt_filled(desk, instrument, bracket, leg, place)
        else:
            leg.client_id, leg.exchange_id, leg.status = found.client_id, found.exchange_id, LegState.OPEN
            leg.quantity = found.quantity or leg.quantity
            leg.linked = desk.venue.linked(found)
            bracket.legs.append(leg)
    if pair_fits(desk, bracket, wanted, []) and all(leg.status is LegState.OPEN for leg in wanted):
        # not every list of open orders tells; taken for two, one would be thought cancelled by its user
        for leg in wanted:
            leg.linked = True


def _adopt_filled(desk: Desk, instrument: Instrument, bracket: Guarded, leg: Leg, place: int) -> None:
    """One that has filled since is not among the open orders. Legs are numbered as they are placed."""
    leg.token = step_token(bracket.token, f"{leg.kind}{leg.number}.{place}")
    leg.client_id = desk.venue.client_id(leg.token)
    if unknown_there(desk, leg):
        return
    try:
        report = _ended(desk, instrument, leg)
    except OrderNotFound:
        return
    bracket.generation = max(bracket.generation, place)
    if report.filled:
        desk.saw(report, instrument, bracket.direction.exit_side, leg.client_id)
        leg.status = LegState.OPEN
        bracket.legs.append(leg)
        take_in(bracket, leg, report, ends_both=False)


def _ended(desk: Desk, instrument: Instrument, leg: Leg) -> Report:
    """What became of an order that does not stand any more: its end is that for good, anything else is asked anew.
    Raises OrderNotFound: the dead worker had not placed it."""
    with desk.lists.asking():
        report = desk.fetch(instrument, leg.ref)
    return report if report.status.final else desk.fetch(instrument, leg.ref)


def _adopt_exit(desk: Desk, instrument: Instrument, bracket: Guarded) -> None:
    """The dead worker may have closed what had no stop: at market, which must not be done twice. What one order left,
    the next one may have closed."""
    if bracket.plan.stop is None or bracket.live(LegKind.STOP):
        return
    for _ in range(MOST_EXITS):
        if not bracket.remaining or bracket.in_doubt or not _adopted_exit(desk, instrument, bracket):
            return


def _adopted_exit(desk: Desk, instrument: Instrument, bracket: Guarded) -> bool:
    """Whether there was one, and may be another."""
    if (found := _exit_there(desk, instrument, bracket)) is None:
        return False
    leg, report = found
    desk.saw(report, instrument, bracket.direction.exit_side, leg.client_id)
    leg.status, leg.exchange_id = LegState.OPEN, report.exchange_id
    bracket.legs.append(leg)
    take_in(bracket, leg, report, ends_both=False)
    if leg.status is LegState.FILLED and bracket.remaining < instrument.step:
        cancel_legs(desk, bracket, instrument, bracket.live())
        if not bracket.entry_open:
            bracket.status = BracketState.DONE
        return False
    return True


def _exit_there(desk: Desk, instrument: Instrument, bracket: Guarded) -> tuple[Leg, Report] | None:
    """Of all that was to be sold; or, on spot, of what was there, which had not been all of it."""
    for part in (UNPROTECTED, LESS) if desk.spot else (UNPROTECTED,):
        leg = exit_leg(desk, bracket, bracket.remaining, part)
        with suppress(OrderNotFound):
            report = _ended(desk, instrument, leg)
            if part == LESS:
                leg.quantity = report.quantity or report.filled
                bracket.closed += max(bracket.remaining - leg.quantity, Decimal(0))
            return leg, report
    return None


def _own_leg(desk: Desk, bracket: Guarded, leg: Leg, standing: dict[str, Report]) -> Report | None:
    """The worker numbered its legs from one: find the one it placed."""
    for generation in range(1, 9):
        token = step_token(bracket.token, f"{leg.kind}{leg.number}.{generation}")
        if (found := standing.get(desk.venue.client_id(token))) is not None:
            leg.token = token
            bracket.generation = max(bracket.generation, generation)
            return found
    return None
