"""The states of orders and brackets: what may follow what. Every change is a compare-and-set and leaves a trace
(who, when, why) that the order's page shows.

    order    WORKING -> any end, OPEN or UNKNOWN;  UNKNOWN -> any end or OPEN (reconciliation finds out)
             OPEN -> PARTIALLY_FILLED -> FILLED;   a resting order ends CANCELLED, REJECTED or EXPIRED too
    bracket  PENDING -> ARMED <-> FAILED -> DONE;  nothing leaves DONE
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.utils import timezone

from execution.columns import fitting, storable
from execution.models import Bracket, BracketState, Order, OrderState, Transition

#: who ends what nobody ended
RECONCILIATION = "reconciliation"

log = logging.getLogger(__name__)

_ENDS = frozenset(OrderState) - {OrderState.WORKING, OrderState.UNKNOWN, OrderState.OPEN}
_RESTING_ENDS = frozenset({OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED})

ORDER_MOVES: dict[OrderState, frozenset[OrderState]] = {
    OrderState.WORKING: _ENDS | {OrderState.OPEN, OrderState.UNKNOWN},
    OrderState.UNKNOWN: _ENDS | {OrderState.OPEN},
    OrderState.OPEN: _RESTING_ENDS | {OrderState.PARTIALLY_FILLED},
    # the rest of it may have been cancelled: then what is filled stays the last word
    OrderState.PARTIALLY_FILLED: frozenset({OrderState.FILLED}),
}
BRACKET_MOVES: dict[BracketState, frozenset[BracketState]] = {
    BracketState.PENDING: frozenset({BracketState.ARMED, BracketState.FAILED, BracketState.DONE}),
    BracketState.ARMED: frozenset({BracketState.FAILED, BracketState.DONE}),
    BracketState.FAILED: frozenset({BracketState.ARMED, BracketState.DONE}),
    BracketState.DONE: frozenset(),
}


@transaction.atomic(savepoint=False)
def move_order(token: str, to: str, *, by: str, why: str = "", **columns: Any) -> bool:
    """Change an order's state and what is known with it. False when it stands where `to` cannot follow: then
    somebody else was first, and nothing is changed. What a column cannot hold keeps the order from no state."""
    row = Order.objects.select_for_update().only("pk", "status").filter(token=token).first()
    if row is None:
        return False
    before, after = OrderState(row.status), OrderState(to)
    if after not in ORDER_MOVES.get(before, frozenset()) and not _news(before, after):
        return False
    Order.objects.filter(pk=row.pk).update(status=after, updated_at=timezone.now(), **fitting(Order, columns))
    if after is not before:
        Transition.objects.create(order_id=row.pk, before=before, after=after, by=by, why=storable(why)[:500])
    return True


def _news(before: OrderState, after: OrderState) -> bool:
    """The same state with more known: a resting order that filled a little more."""
    return after is before and before in (OrderState.OPEN, OrderState.PARTIALLY_FILLED)


@transaction.atomic(savepoint=False)
def move_bracket(token: str, version: int, columns: dict[str, Any], *, by: str) -> bool:
    """Write a bracket that was read at `version`. False when somebody changed it since, or when it was done."""
    row = Bracket.objects.select_for_update().only("pk", "status", "version").filter(token=token).first()
    if row is None or row.version != version:
        return False
    before, after = BracketState(row.status), BracketState(columns["status"])
    if after is not before and after not in BRACKET_MOVES[before]:
        log.error("bracket %s cannot go from %s to %s", token, before, after)
        return False
    columns = fitting(Bracket, columns)
    Bracket.objects.filter(pk=row.pk).update(**columns, version=version + 1, updated_at=timezone.now())
    if after is not before:
        Transition.objects.create(
            bracket_id=row.pk, before=before, after=after, by=by, why=columns["note"][:500]
        )
    return True
