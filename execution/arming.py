"""Brings the legs on the exchange into line with the legs that should stand. Used when an entry fills, and by
supervision ever after: one piece of code arms, resizes, moves and retries.
"""

from __future__ import annotations

from decimal import Decimal

from exchanges.types import Instrument
from execution.attempts import StopFailed, put
from execution.desk import Desk
from execution.legs import cancel_legs, given_up, has_stop, set_aside
from execution.pairing import arm_pair, pair_fits, rests_loose
from execution.protection import Guarded, Leg, LegKind, LegState, desired_legs, down
from execution.rejection import Rejection
from execution.unprotected import give_up


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
    if in_the_way := _in_the_way(desk, bracket, wanted[0], standing):
        cancel_legs(desk, bracket, instrument, in_the_way)
        if any(leg.status is LegState.OPEN for leg in in_the_way):
            return  # the next look reads what it sold
        standing = [leg for leg in standing if leg not in in_the_way]
    if pair_fits(desk, bracket, wanted, standing):
        arm_pair(desk, bracket, instrument, wanted)
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
        if bracket.remaining < instrument.step:
            return  # the stop was triggered as it came: what stands beside it goes at the next look
        _align_legs(desk, bracket, instrument, legs, kept)
    cancel_legs(desk, bracket, instrument, _superseded(bracket, wanted))


def _in_the_way(desk: Desk, bracket: Guarded, first: Leg, standing: list[Leg]) -> list[Leg]:
    """Targets on spot that hold the coins of a stop that does not stand: it comes first, and they come back behind it."""
    resting = [leg for leg in standing if leg.status is LegState.OPEN]
    stands = any(leg.kind is LegKind.STOP for leg in resting)
    if first.kind is not LegKind.STOP or stands or given_up(bracket, first):
        return []
    if not desk.spot or rests_loose(desk):
        return []
    return [leg for leg in resting if not leg.linked]


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


def _align_legs(
    desk: Desk, bracket: Guarded, instrument: Instrument, wants: list[Leg], kept: list[Leg]
) -> None:
    for want in wants:
        _retire(bracket, want, kept)
    held = [leg for leg in kept if any(_same_place(leg, want) for want in wants)]
    watches = not desk.venue.features.rests_both_legs and has_stop(bracket)
    if desk.makes_room or (watches and wants[0].kind is LegKind.TARGET):
        cancel_legs(desk, bracket, instrument, held)
    if watches and wants[0].kind is LegKind.TARGET:
        for want in wants:
            want.status = LegState.WATCHED
        bracket.legs += wants
        return
    put(desk, bracket, instrument, wants)
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
            set_aside(bracket, leg)
            want.attempts = leg.attempts


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
    bracket.status = "armed" if bracket.live() and not _without_stop(bracket) else bracket.status
    bracket.note = doubts(bracket)


def _without_stop(bracket: Guarded) -> bool:
    """Its stop was refused so often that it is not tried again: that a target could be placed does not change that."""
    stops = bracket.live(LegKind.STOP)
    return bool(stops) and all(leg.status is LegState.FAILED for leg in stops)


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
            bracket.note = "it was sold elsewhere"
            if not bracket.entry_open:
                bracket.status = "done"


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
