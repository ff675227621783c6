"""Brings the legs on the exchange into line with the legs that should stand. Used when an entry fills, and by
supervision ever after: one piece of code arms, resizes, moves and retries.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from decimal import Decimal

from django.utils import timezone

from exchanges.errors import (
    AuthRefused,
    ClockRefused,
    DuplicateOrder,
    ExchangeError,
    InsufficientFunds,
    Maintenance,
    NothingToReduce,
    NotSent,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unsupported,
    WouldTrigger,
)
from exchanges.types import (
    Direction,
    Instrument,
    Legs,
    OrderRequest,
    OrderStatus,
    Report,
    TriggerBy,
)
from execution.commands import Protection, SizeUnit, StopLoss, TakeProfit
from execution.desk import LONGEST_WAIT_SECONDS, Desk, UnknownOutcome
from execution.ids import step_token
from execution.protection import Guarded, Leg, LegKind, LegState, desired_legs, down
from execution.rejection import Rejection

log = logging.getLogger(__name__)
STOP_RETRY_SECONDS = (0.2, 0.5)
PAIR_LOOK_SECONDS = (0.2, 0.5, 1.0)
ATTEMPTS = 3
#: the part of a bracket's token that names the sale of what has no stop
UNPROTECTED = "unprotected"
#: of a leg in the books that may stand already: it is written down before it leaves
ANNOUNCED = "not confirmed: it was about to be placed"


class StopFailed(Exception):
    """The position has no stop and the exchange takes none. `leg.error` says why; `lacks_funds`: there is not so much
    to sell."""

    def __init__(self, leg: Leg, *, lacks_funds: bool = False) -> None:
        super().__init__(leg.error)
        self.leg = leg
        self.lacks_funds = lacks_funds


def align(desk: Desk, bracket: Guarded, instrument: Instrument) -> None:
    """Place, replace and cancel until the legs are as they should be.

    The stop comes first. Raises StopFailed when it cannot be placed; a target that cannot be placed stays
    FAILED in `bracket.legs` and supervision tries again.
    """
    done = {
        leg.number for leg in bracket.legs if leg.kind is LegKind.TARGET and leg.status is LegState.FILLED
    }
    wanted = desired_legs(bracket.plan, bracket.frame(instrument), bracket.quantity, bracket.remaining, done)
    standing = [leg for leg in bracket.live() if leg.kind is not LegKind.EXIT]
    if not wanted:
        cancel_legs(desk, bracket, instrument, standing)
        return
    if _pair_fits(desk, bracket, wanted, standing):
        _arm_pair(desk, bracket, instrument, wanted)
        return
    kept = [leg for leg in standing if leg.status in (LegState.OPEN, LegState.WATCHED)]
    for leg in standing:
        if not any(leg.kind is want.kind and leg.number == want.number for want in wanted):
            cancel_legs(desk, bracket, instrument, [leg])
    for leg in kept:
        leg.leaving = leg.leaving and not any(leg.same_as(want) for want in wanted)
    missing = [
        want for want in wanted if not given_up(bracket, want) and not any(leg.same_as(want) for leg in kept)
    ]
    for legs in _side_by_side(desk, missing, kept):
        _align_legs(desk, bracket, instrument, legs, kept)
    cancel_legs(desk, bracket, instrument, _superseded(bracket, wanted))


def _superseded(bracket: Guarded, wanted: list[Leg]) -> list[Leg]:
    """Legs beside the one that should stand in their place: a worker died before it had taken them away, or one that
    was believed lost came after all."""
    standing = [leg for leg in bracket.live() if leg.status is LegState.OPEN and not leg.at_market]
    over = []
    for want in wanted:
        beside = [leg for leg in standing if _same_place(leg, want)]
        keeps = next((leg for leg in beside if leg.same_as(want)), None)
        if keeps is not None:
            over += [leg for leg in beside if leg is not keeps]
    return over


def _side_by_side(desk: Desk, missing: list[Leg], kept: list[Leg]) -> list[list[Leg]]:
    """Legs that go out together, the stop first; one by one where each has to wait for what it replaces, or for the
    one before it."""
    waits = not desk.venue.features.rests_both_legs or (desk.makes_room and kept)
    if missing and desk.places_together and not waits:
        return [missing]
    return [[leg] for leg in missing]


def given_up(bracket: Guarded, want: Leg) -> bool:
    """It was refused often enough: the failure stands in the bracket, for people to see."""
    return any(
        leg.status is LegState.FAILED
        and (leg.kind, leg.number) == (want.kind, want.number)
        and leg.attempts >= ATTEMPTS
        for leg in bracket.legs
    )


def in_line(bracket: Guarded, instrument: Instrument) -> bool:
    """Whether `align` would find nothing to do."""
    done = {
        leg.number for leg in bracket.legs if leg.kind is LegKind.TARGET and leg.status is LegState.FILLED
    }
    wanted = desired_legs(bracket.plan, bracket.frame(instrument), bracket.quantity, bracket.remaining, done)
    standing = [leg for leg in bracket.live() if leg.status in (LegState.OPEN, LegState.WATCHED)]
    extra = [leg for leg in standing if not any(leg.same_as(want) for want in wanted)]
    extra += _superseded(bracket, wanted)
    missing = [
        want
        for want in wanted
        if not any(leg.same_as(want) for leg in standing) and not given_up(bracket, want)
    ]
    return not extra and not missing


def cancel_legs(desk: Desk, bracket: Guarded, instrument: Instrument, legs: list[Leg]) -> None:
    """Cancel legs; one that turns out to be gone keeps its state until supervision has read what it did."""
    _take_leave(desk, bracket, [leg for leg in legs if leg.status is LegState.OPEN])
    for leg in legs:
        if leg.status is not LegState.OPEN:
            leg.status = LegState.CANCELLED
            continue
        if desk.cancel(instrument, leg.ref):
            leg.status = LegState.CANCELLED
            if leg.linked and desk.venue.features.linked_cancel:  # the exchange cancels the other one with it
                for other in bracket.live():
                    if other.linked:
                        other.status = LegState.CANCELLED


def _take_leave(desk: Desk, bracket: Guarded, legs: list[Leg]) -> None:
    """Write down that they are to go: found gone after this worker died, they were not cancelled by the user."""
    if not legs:
        return
    pair = any(leg.linked for leg in legs) and desk.venue.features.linked_cancel
    for leg in bracket.live():
        if leg in legs or (pair and leg.linked):
            leg.leaving = True
    desk.checkpoint(bracket)


def announce(desk: Desk, bracket: Guarded, legs: list[Leg]) -> None:
    """Write down legs that are about to leave. In memory they stay as they are."""
    before = [(leg.status, leg.error) for leg in legs]
    for leg in legs:
        leg.status, leg.error = LegState.OPEN, ANNOUNCED
    desk.checkpoint(bracket)
    for leg, (status, error) in zip(legs, before, strict=True):
        leg.status, leg.error = status, error


def check_legs(
    desk: Desk, protection: Protection, instrument: Instrument, direction: Direction, *, hedge: bool
) -> None:
    """Raises Rejection NOT_SUPPORTED at the leg that this venue does not take: found out before the entry is sent,
    not when the position is open. Only the kind of order counts here, its numbers are not known yet."""
    number = instrument.tick * 1000
    quantity = max(instrument.min_quantity, instrument.step)
    legs: tuple[tuple[LegKind, StopLoss | TakeProfit | None], ...] = (
        (LegKind.STOP, protection.stop),
        *((LegKind.TARGET, target) for target in protection.targets),
    )
    for kind, words in legs:
        if words is None or words.level is None:
            continue
        leg = Leg(kind, 1, number, quantity, words.trigger or TriggerBy.LAST, number if words.limit else None)
        leg.client_id = desk.venue.client_id(step_token("0" * 26, kind))
        try:
            desk.venue.draft_call(_leg_order(desk, instrument, leg, direction, hedge=hedge), number)
        except Unsupported as error:
            raise Rejection(error.kind, error.message, "", words.span) from error


def exit_order(desk: Desk, bracket: Guarded, instrument: Instrument, leg: Leg) -> OrderRequest:
    """The leg as an order: closes, never opens."""
    return _leg_order(desk, instrument, leg, bracket.direction, hedge=bracket.hedge)


def _leg_order(
    desk: Desk, instrument: Instrument, leg: Leg, direction: Direction, *, hedge: bool
) -> OrderRequest:
    return OrderRequest(
        instrument=instrument,
        client_id=leg.client_id,
        side=direction.exit_side,
        type=leg.order_type,
        quantity=leg.quantity,
        price=leg.limit,
        trigger_price=leg.price,
        trigger_by=leg.trigger,
        reduce_only=not desk.spot,
        position_side=direction if hedge else None,
    )


def _align_legs(
    desk: Desk, bracket: Guarded, instrument: Instrument, wants: list[Leg], kept: list[Leg]
) -> None:
    for want in wants:
        _retire(bracket, want, kept)
    held = [leg for leg in kept if any(_same_place(leg, want) for want in wants)]
    watches = not desk.venue.features.rests_both_legs and _has_stop(bracket)
    if desk.makes_room or (watches and wants[0].kind is LegKind.TARGET):
        cancel_legs(desk, bracket, instrument, held)
    if watches and wants[0].kind is LegKind.TARGET:
        for want in wants:
            want.status = LegState.WATCHED
        bracket.legs += wants
        return
    _put(desk, bracket, instrument, wants)
    if not desk.makes_room:
        stands = [want for want in wants if want.status is LegState.OPEN]
        replaced = [leg for leg in held if any(_same_place(leg, want) for want in stands)]
        cancel_legs(desk, bracket, instrument, replaced)


def _same_place(leg: Leg, other: Leg) -> bool:
    return leg.kind is other.kind and leg.number == other.number


def _retire(bracket: Guarded, want: Leg, kept: list[Leg]) -> None:
    """What was never placed, or failed: a new attempt takes its place."""
    for leg in bracket.live():
        if leg not in kept and _same_place(leg, want):
            _set_aside(bracket, leg)
            want.attempts = leg.attempts


def _set_aside(bracket: Guarded, leg: Leg) -> None:
    """One that never stood leaves no trace: while an exchange is down there are many. One that may have is kept, so
    that it is known when it appears."""
    leg.status = LegState.CANCELLED
    if not leg.exchange_id and not leg.missing:
        bracket.legs = [each for each in bracket.legs if each is not leg]


def _has_stop(bracket: Guarded) -> bool:
    return any(leg.status is LegState.OPEN for leg in bracket.live(LegKind.STOP))


def _name(desk: Desk, bracket: Guarded, leg: Leg) -> None:
    bracket.generation += 1
    leg.token = step_token(bracket.token, f"{leg.kind}{leg.number}.{bracket.generation}")
    leg.client_id = desk.venue.client_id(leg.token)


def _put(desk: Desk, bracket: Guarded, instrument: Instrument, legs: list[Leg]) -> None:
    """Place legs, several in one request; then see to each, the stop first. When there is no stop to be had, nothing
    more is asked about the others: closing must not wait for them."""
    for leg in legs:
        _name(desk, bracket, leg)
    bracket.legs += legs
    announce(desk, bracket, legs)
    orders = [exit_order(desk, bracket, instrument, leg) for leg in legs]
    answers = desk.send_together(orders) if len(orders) > 1 else [None]
    failure = None
    for leg, order, answer in zip(legs, orders, answers, strict=True):
        if failure and answer:
            _as_answered(leg, answer)
            bracket.closed += leg.filled
            continue
        refused = _try(desk, leg, order, answer)
        bracket.closed += leg.filled  # it may have been triggered by the time it was confirmed
        if leg.kind is LegKind.STOP and leg.status is LegState.FAILED:
            lacks_funds = desk.spot and isinstance(refused, InsufficientFunds)
            failure = StopFailed(leg, lacks_funds=lacks_funds)
    if failure:
        raise failure


def counts(error: ExchangeError) -> bool:
    """Whether it says no to this very order: what only says "not now" is no reason to give up later."""
    passing = Throttled | Maintenance | AuthRefused | ClockRefused
    return isinstance(error, Refused | Unsupported) and not isinstance(error, passing)


def _as_answered(leg: Leg, answer: Report | ExchangeError) -> None:
    """What the exchange said of a leg, and no more. One that may stand counts as standing, to be looked for."""
    leg.attempts += 1 if isinstance(answer, Report) else counts(answer)
    if isinstance(answer, Report):
        _placed(leg, answer)
    elif isinstance(answer, OutcomeUnknown | DuplicateOrder):
        leg.status, leg.error = LegState.OPEN, f"not confirmed: {answer.message}"
    else:
        leg.status, leg.error = LegState.FAILED, answer.message


def _try(
    desk: Desk, leg: Leg, order: OrderRequest, answer: Report | ExchangeError | None
) -> ExchangeError | None:
    """Place a leg, a stop again after each wait when that can help. `answer`: of a leg that went out with others. The
    result is in `leg.status` and `leg.error`; the last refusal comes back."""
    refused: ExchangeError | None = None
    for wait in (*(STOP_RETRY_SECONDS if leg.kind is LegKind.STOP else ()), None):
        leg.attempts += 1
        try:
            _placed(leg, desk.send(order, answer))
        except UnknownOutcome as error:
            leg.status, leg.error = LegState.OPEN, f"not confirmed: {error.reason.message}"
            return None  # it may stand: supervision looks for it by its id
        except ExchangeError as error:
            leg.status, leg.error, refused = LegState.FAILED, error.message, error
            leg.attempts -= not counts(error)
            if wait is None or isinstance(error, WouldTrigger | Unsupported | NothingToReduce):
                return refused
            if isinstance(error, NotSent) and error.retry_after:
                wait = error.retry_after
            if wait > LONGEST_WAIT_SECONDS:
                return refused  # the next look tries again
            desk.sleep(wait)
            answer = None
        else:
            return None
    return refused


def _placed(leg: Leg, report: Report) -> None:
    leg.exchange_id = report.exchange_id
    # an exchange that makes the legs of a pair itself knows them by its own ids only
    leg.client_id = report.client_id or ("" if leg.linked else leg.client_id)
    if report.status is OrderStatus.REJECTED:
        leg.status, leg.error = LegState.FAILED, report.reason or "the exchange rejected it"
        return
    leg.status, leg.error, leg.filled = LegState.OPEN, "", report.filled
    if report.status is OrderStatus.FILLED:
        leg.status, leg.average_price = LegState.FILLED, report.average_price


# -- pairs that the exchange links -------------------------------------------------------------------------


def _pair_fits(desk: Desk, bracket: Guarded, wanted: list[Leg], standing: list[Leg]) -> bool:
    """One stop and one target for everything, on an exchange that links them, and nothing in the way."""
    if not desk.venue.features.linked_legs or len(wanted) != 2 or desk.dry_run:
        return False
    stop, target = wanted
    if target.kind is not LegKind.TARGET or stop.quantity != target.quantity or stop.limit or target.limit:
        return False
    if any(leg.status is LegState.OPEN and not leg.linked for leg in standing):
        return False
    return not (
        bracket.plan.stop and bracket.plan.stop.size and bracket.plan.stop.size.unit is not SizeUnit.REST
    )


def _arm_pair(desk: Desk, bracket: Guarded, instrument: Instrument, wanted: list[Leg]) -> None:
    held = [leg for leg in bracket.live() if leg.linked and leg.status is LegState.OPEN]
    if len(held) == 2 and all(any(leg.same_as(want) for leg in held) for want in wanted):
        return
    cancel_legs(desk, bracket, instrument, bracket.live())
    stop, target = wanted
    for leg in wanted:
        _name(desk, bracket, leg)
        leg.linked = True
    bracket.legs += wanted
    announce(desk, bracket, wanted)
    pair = Legs(
        exit_order(desk, bracket, instrument, stop), replace(exit_order(desk, bracket, instrument, target))
    )
    try:
        _pair_placed(wanted, _protect(desk, instrument, pair))
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


def _pair_placed(wanted: list[Leg], reports: tuple[Report, Report]) -> None:
    for leg, report in zip(wanted, reports, strict=True):
        _placed(leg, report)


def _protect(desk: Desk, instrument: Instrument, pair: Legs) -> tuple[Report, Report]:
    """Place the pair; when the answer is lost, look whether it stands before anything else is tried."""
    try:
        return desk.protect(pair)
    except OutcomeUnknown as unknown:
        for wait in PAIR_LOOK_SECONDS:
            desk.sleep(wait)
            try:
                standing = desk.venue.open_orders(desk.keys, instrument)
            except ExchangeError:
                continue  # what cannot be read is not known either
            return _found_pair(standing, pair, unknown)
        raise


def _found_pair(standing: list[Report], pair: Legs, unknown: OutcomeUnknown) -> tuple[Report, Report]:
    stop, target = _stands(standing, pair.stop), _stands(standing, pair.target)
    if stop and target:
        return stop, target
    if stop or target:
        raise unknown
    raise NotSent("the pair does not stand on the exchange", code=unknown.code) from unknown


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
        leg.linked, leg.status = False, LegState.PENDING
        if leg.kind is LegKind.TARGET and desk.spot and _has_stop(bracket) and not _rests_loose(desk):
            leg.status = LegState.WATCHED
            bracket.legs.append(leg)
        else:
            _put(desk, bracket, instrument, [leg])


def _rests_loose(desk: Desk) -> bool:
    """Two unlinked legs may rest beside each other on this venue."""
    return desk.venue.features.rests_both_legs and not desk.venue.features.linked_legs


def market_exit(desk: Desk, bracket: Guarded, instrument: Instrument, part: str) -> Report:
    """Close what remains of a bracket at market, reduce-only. On spot its legs may hold the coins, and of these there
    may be fewer than it counts (fees, a sale elsewhere): what is there is sold."""
    if not desk.spot:
        return _close_at_market(desk, bracket, instrument, part, bracket.remaining)
    cancel_legs(
        desk, bracket, instrument, [leg for leg in bracket.live() if leg.status is not LegState.FAILED]
    )
    wanted = down(bracket.remaining, instrument.step)
    try:
        return _close_at_market(desk, bracket, instrument, part, wanted)
    except InsufficientFunds:
        held = desk.balance(instrument.base)
        free = down(held.free, instrument.step) if held else Decimal(0)
        if not 0 < free < wanted:
            raise
        bracket.closed += wanted - free  # as `_align_to_balance` counts it
        return _close_at_market(desk, bracket, instrument, f"{part} rest", free)


def _close_at_market(
    desk: Desk, bracket: Guarded, instrument: Instrument, part: str, quantity: Decimal
) -> Report:
    leg = exit_leg(desk, bracket, quantity, part)
    for earlier in bracket.live(LegKind.EXIT):
        _set_aside(bracket, earlier)
        leg.attempts = earlier.attempts
    bracket.legs.append(leg)
    return fire(desk, bracket, instrument, leg)


def exit_leg(desk: Desk, bracket: Guarded, quantity: Decimal, part: str) -> Leg:
    """What earlier exits left (the book was thin) is closed by an order of its own, numbered after those that ended on
    the exchange. One that never came there, or whose end is not known, is tried again under its id."""
    ended = sum(_ended_there(leg) for leg in bracket.legs if leg.kind is LegKind.EXIT)
    leg = Leg(LegKind.EXIT, 1, bracket.entry_price or Decimal(0), quantity, at_market=True)
    leg.token = step_token(bracket.token, f"{part}.{ended + 1}" if ended else part)
    leg.client_id = desk.venue.client_id(leg.token)
    return leg


def _ended_there(leg: Leg) -> bool:
    """Whether the exchange has told its end: without a number of its own, its fills or the position have."""
    return leg.status is LegState.FILLED or (leg.status is not LegState.OPEN and bool(leg.exchange_id))


def fire(desk: Desk, bracket: Guarded, instrument: Instrument, leg: Leg) -> Report:
    """Send a leg as a market order, once; while its outcome is not known the leg counts as open. Raises as `Desk.send`
    does. What it filled is not yet taken off the bracket."""
    order = replace(exit_order(desk, bracket, instrument, leg), price=None, trigger_price=None)
    leg.sent_at, leg.missed_at = timezone.now(), None
    announce(desk, bracket, [leg])
    try:
        report = desk.send(order)
    except UnknownOutcome as error:
        leg.status, leg.error = LegState.OPEN, f"not confirmed: {error.reason.message}"
        raise
    except ExchangeError as error:
        leg.status, leg.error = LegState.FAILED, error.message
        leg.attempts += counts(error)
        raise
    leg.status, leg.error, leg.exchange_id = LegState.FILLED, "", report.exchange_id
    leg.filled, leg.average_price = report.filled, report.average_price
    return report


def give_up(desk: Desk, bracket: Guarded, instrument: Instrument, failed: Leg) -> None:
    """The stop cannot be placed: close at market or keep, as the hook's policy says, and write down which."""
    if bracket.stop_policy != "close":
        bracket.status = "failed"
        bracket.note = f"the stop could not be placed ({failed.error}); the position is kept, unprotected"
        return
    try:
        report = market_exit(desk, bracket, instrument, UNPROTECTED)
    except NothingToReduce:
        bracket.status, bracket.note = (
            "done",
            f"the stop could not be placed ({failed.error}); the position was gone",
        )
        cancel_legs(desk, bracket, instrument, bracket.live())
        return
    except UnknownOutcome as error:
        bracket.status = "failed"
        bracket.note = (
            f"the stop could not be placed ({failed.error}); that it was closed is not confirmed ({error})"
        )
        return
    except ExchangeError as error:
        bracket.status = "failed"
        bracket.note = f"the stop could not be placed ({failed.error}), and closing failed too ({error})"
        if all(leg.attempts < ATTEMPTS for leg in bracket.live(LegKind.EXIT)):
            failed.attempts = 0  # supervision tries both again
        return
    bracket.closed += report.filled
    if down(bracket.remaining, instrument.step) <= 0:
        cancel_legs(desk, bracket, instrument, bracket.live())
        bracket.status = "done"
    else:
        bracket.status = "failed"
    price = f" at {report.average_price.normalize():f}" if report.average_price else ""
    bracket.note = f"the stop could not be placed ({failed.error}); {report.filled} closed at market{price}"


def arm(desk: Desk, bracket: Guarded, instrument: Instrument) -> None:
    """`align`, with the policy for a stop that cannot be placed. `bracket.status` says how it ended."""
    try:
        _align_to_balance(desk, bracket, instrument)
    except StopFailed as failure:
        give_up(desk, bracket, instrument, failure.leg)
        return
    except Rejection as refusal:
        _refused(desk, bracket, instrument, refusal)
        return
    bracket.status = "armed" if bracket.live() else bracket.status
    bracket.note = doubts(bracket)


def _align_to_balance(desk: Desk, bracket: Guarded, instrument: Instrument) -> None:
    """`align`, and once more for what is there where a stop on spot asks for more than is: a fee nobody told was taken
    out of it, or a sale of unknown outcome took place after all. Raises StopFailed."""
    try:
        align(desk, bracket, instrument)
    except StopFailed as failure:
        missing = _missing(desk, instrument, failure.leg) if failure.lacks_funds else Decimal(0)
        if not missing:
            raise
        failure.leg.status = LegState.CANCELLED
        bracket.closed += min(missing, bracket.remaining)
        if bracket.remaining:
            align(desk, bracket, instrument)
        else:
            cancel_legs(desk, bracket, instrument, bracket.live())
            bracket.status, bracket.note = "done", "it was sold elsewhere"


def _missing(desk: Desk, instrument: Instrument, leg: Leg) -> Decimal:
    """How much less is there than a stop on spot was to sell; 0 where it is only locked."""
    held = desk.balance(instrument.base)
    free, total = (
        down(each, instrument.step) for each in ((held.free, held.total) if held else (Decimal(0),) * 2)
    )
    if free or not total:
        return max(leg.quantity - free, Decimal(0))
    return Decimal(0)


def doubts(bracket: Guarded) -> str:
    """What is wrong with legs that ought to stand, in words for the note; "" when nothing is."""
    words = []
    for leg in bracket.live():
        if leg.kind is LegKind.EXIT:
            continue
        name = "the stop" if leg.kind is LegKind.STOP else f"target {leg.number}"
        if leg.status is LegState.FAILED:
            words.append(f"{name} could not be placed: {leg.error}")
        elif leg.error:
            words.append(f"{name} is {leg.error}")
    return "; ".join(words)


def _refused(desk: Desk, bracket: Guarded, instrument: Instrument, refusal: Rejection) -> None:
    """The words lead to no price (an offset below zero): as bad as a stop that is refused."""
    leg = Leg(
        LegKind.STOP, 1, instrument.tick, bracket.remaining, status=LegState.FAILED, error=refusal.message
    )
    if bracket.plan.stop:
        give_up(desk, bracket, instrument, leg)
    else:
        bracket.status, bracket.note = "failed", refusal.message
