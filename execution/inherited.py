"""What protection that is set anew takes over from the brackets before it, beyond what the command saw of it
(`execution.moves`) and what only flipr watches (`execution.brackets`).

On spot it inherits levels that are planned and do not stand, because a sale took them away or because they were refused:
two brackets cannot guard the same coins, the stop of one would find them held by the target of the other. On futures,
entries that had filled by then are part of the position that it guards, though nobody had seen it yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from exchanges.registry import venue_class
from exchanges.types import Direction, Product
from execution.amounts import Level, Size, SizeUnit
from execution.models import Order
from execution.protection import Guarded, Leg, LegKind, LegState
from execution.terms import Protection, StopLoss, TakeProfit

_STANDS = (LegState.OPEN, LegState.WATCHED)


def inherit(new: Guarded, older: Iterable[Guarded]) -> Protection:
    """The plan of `new`, with what its words leave out. Of several stops the nearest counts."""
    if venue_class(new.venue).product is not Product.SPOT or not new.live():
        return new.plan
    found = [bracket for bracket in older if bracket.remaining]
    plan = new.plan
    if plan.stop is None:
        plan = replace(
            plan, stop=_nearest(new, [leg for each in found for leg in _taken(each, LegKind.STOP)])
        )
    if not plan.targets:
        plan = replace(plan, targets=_targets(new, found))
    return plan


def filled_unseen(new: Guarded, older: Iterable[Guarded], standing: Iterable[str] | None) -> set[str]:
    """Tokens of the brackets whose entry did not stand any more when `new` was set, while the position was so much larger
    than what was known of it. `standing`: ids of all that stood."""
    if standing is None or venue_class(new.venue).product is Product.SPOT:
        return set()
    stood, older = set(standing), list(older)
    untold = new.quantity - _known(older)
    found = set()
    for bracket in older:
        missing = _unseen(bracket)
        names = {bracket.entry_client_id, bracket.entry_exchange_id}
        if bracket.entry_open and missing and missing <= untold and not names & stood:
            untold -= missing
            found.add(bracket.token)
    return found


def _known(older: list[Guarded]) -> Decimal:
    """How large a position the brackets know of: of those that share one, stops and targets do not add up."""
    shares: dict[LegKind, Decimal] = {}
    for bracket in older:
        kind = bracket.share[2]
        shares[kind] = shares.get(kind, Decimal(0)) + bracket.remaining
    return max(shares.values(), default=Decimal(0))


def _unseen(bracket: Guarded) -> Decimal:
    """What its entry was for, less what is known to have filled."""
    asked = Order.objects.filter(token=bracket.token).values_list("quantity", flat=True).first()
    return max((asked or Decimal(0)) - bracket.quantity, Decimal(0))


def _taken(bracket: Guarded, kind: LegKind) -> list[Leg]:
    """The legs of a kind that are wanted and of which none stands, each as it was placed last."""
    legs = [leg for leg in bracket.legs if leg.kind is kind]
    if any(leg.status in _STANDS for leg in legs):
        return []
    last = {leg.number: leg for leg in legs}
    filled = {leg.number for leg in legs if leg.status is LegState.FILLED}
    return [leg for number, leg in last.items() if number not in filled and _planned(bracket.plan, leg)]


def _planned(plan: Protection, leg: Leg) -> bool:
    if leg.kind is LegKind.STOP:
        return plan.stop is not None and plan.stop.level is not None
    return len(plan.targets) >= leg.number and plan.targets[leg.number - 1].level is not None


def _nearest(new: Guarded, legs: list[Leg]) -> StopLoss | None:
    if not legs:
        return None
    nearest = max if new.direction is Direction.LONG else min
    leg = nearest(legs, key=lambda each: each.price)
    return StopLoss(Level(price=leg.price), trigger=leg.trigger, limit=_limit(leg))


def _targets(new: Guarded, older: list[Guarded]) -> tuple[TakeProfit, ...]:
    """The nearest first, each as large as it was placed: the last ones are cut to what is left."""
    legs = [leg for bracket in older for leg in _taken(bracket, LegKind.TARGET)]
    legs.sort(key=lambda leg: leg.price, reverse=new.direction is Direction.SHORT)
    whole = len(legs) == 1 and legs[0].quantity >= new.quantity
    return tuple(
        TakeProfit(
            Level(price=leg.price),
            number,
            None if whole else Size(SizeUnit.BASE, leg.quantity),
            leg.trigger,
            _limit(leg),
        )
        for number, leg in enumerate(legs, 1)
    )


def _limit(leg: Leg) -> Level | None:
    return None if leg.limit is None else Level(price=leg.limit)
