"""A position whose stop cannot be placed: closed at market, or kept, as the policy of its hook says."""

from __future__ import annotations

from decimal import Decimal

from exchanges.errors import ExchangeError, InsufficientFunds, NothingToReduce, NotSent
from exchanges.types import Instrument, Report
from execution.attempts import fire
from execution.confirm import UnknownOutcome
from execution.desk import Desk
from execution.ids import step_token
from execution.legs import ATTEMPTS, cancel_legs, set_aside
from execution.protection import Guarded, Leg, LegKind, LegState, down

#: the part of a bracket's token that names the sale of what has no stop
UNPROTECTED = "unprotected"
#: and, on spot, of what is there, where that is less than was to be sold
LESS = f"{UNPROTECTED} rest"


def _market_exit(desk: Desk, bracket: Guarded, instrument: Instrument) -> Report:
    """Close what remains of a bracket at market, reduce-only. On spot its legs may hold the coins, and of these there
    may be fewer than it counts (fees, a sale elsewhere): what is there is sold."""
    if not desk.spot:
        return _close_at_market(desk, bracket, instrument, UNPROTECTED, bracket.remaining)
    legs = [leg for leg in bracket.live() if leg.status is not LegState.FAILED]
    cancel_legs(desk, bracket, instrument, legs)
    if any(leg.status is LegState.OPEN for leg in legs):
        raise NotSent("an exit of it is gone: what that sold is read first")
    wanted = down(bracket.remaining, instrument.step)
    try:
        return _close_at_market(desk, bracket, instrument, UNPROTECTED, wanted)
    except InsufficientFunds:
        held = desk.balance(instrument.base)
        free = down(held.free, instrument.step) if held else Decimal(0)
        if not 0 < free < wanted:
            raise
        bracket.closed += wanted - free  # as `execution.arming` counts it
        return _close_at_market(desk, bracket, instrument, LESS, free)


def _close_at_market(
    desk: Desk, bracket: Guarded, instrument: Instrument, part: str, quantity: Decimal
) -> Report:
    leg = exit_leg(desk, bracket, quantity, part)
    for earlier in bracket.live(LegKind.EXIT):
        set_aside(bracket, earlier)
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


def give_up(desk: Desk, bracket: Guarded, instrument: Instrument, failed: Leg) -> None:
    """The stop cannot be placed: close at market or keep, as the hook's policy says, and write down which. Where one
    stands that it was to replace, that one guards on, or has filled: it is read first."""
    if any(leg.status is LegState.OPEN for leg in bracket.live(LegKind.STOP)):
        bracket.status, bracket.note = (
            "armed",
            f"a stop could not be replaced ({failed.error}); the one before it stands",
        )
        return
    if bracket.stop_policy != "close":
        bracket.status = "failed"
        bracket.note = f"the stop could not be placed ({failed.error}); the position is kept, unprotected"
        return
    try:
        report = _market_exit(desk, bracket, instrument)
    except NothingToReduce:
        bracket.closed = bracket.quantity
        bracket.note = f"the stop could not be placed ({failed.error}); the position was gone"
        _emptied(desk, bracket, instrument)
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
        _emptied(desk, bracket, instrument)
    else:
        bracket.status = "failed"
        if len(_fruitless(bracket)) < ATTEMPTS:
            failed.attempts = 0  # supervision closes the rest
    price = f" at {report.average_price.normalize():f}" if report.average_price else ""
    sold = f"{report.filled.normalize():f}"
    bracket.note = f"the stop could not be placed ({failed.error}); {sold} closed at market{price}"


def _emptied(desk: Desk, bracket: Guarded, instrument: Instrument) -> None:
    """All that was filled is gone. What an entry that rests on fills later is to be guarded as well."""
    cancel_legs(desk, bracket, instrument, bracket.live())
    bracket.status = "failed" if bracket.entry_open else "done"


def _fruitless(bracket: Guarded) -> list[Leg]:
    """Exits that found nobody to trade with."""
    exits = (leg for leg in bracket.legs if leg.kind is LegKind.EXIT and leg.status is LegState.FILLED)
    return [leg for leg in exits if not leg.filled]
