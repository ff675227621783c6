"""Jobs that were begun and not ended: whether a worker will still end them, and what their worker had told before it died.
One that nobody took in time is called off."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.models import Account
from execution import claims, endings, lanes, unseen
from execution.claims import Claim
from execution.commands import Cancel, Setting, Step
from execution.models import Order, OrderState
from execution.outcome import recent
from execution.transitions import RECONCILIATION as WHO
from execution.transitions import move_order
from execution.wire import load

#: a worker that lives has this long after the message went stale
LATE = timedelta(seconds=30)
#: results behind which no order and no bracket stands
_LEAVES_NOTHING = (
    OrderState.NOTHING_TO_DO,
    OrderState.REJECTED,
    OrderState.NOT_SENT,
    OrderState.EXPIRED,
    OrderState.SKIPPED,
    OrderState.DRY_RUN,
)
#: the symbol of a row that is about all of them
EVERYTHING = "*"


def to_ask(region: str, row: Order) -> Account | None:
    """Whose key asks the exchange about this order; None when there is nothing to ask, or nobody."""
    if row.status == OrderState.WORKING and not _abandoned(region, row):
        return None
    if row.status == OrderState.WORKING and _told(region, row):
        leave_lane(region, row)
        return None
    if row.account is None:
        endings.end(
            row, OrderState.UNKNOWN, "OUTCOME_UNKNOWN", "its account was deleted: look at the exchange"
        )
    return row.account


def leave_lane(region: str, row: Order) -> None:
    """Nobody will end this job any more: those behind it may go."""
    if row.account is not None:
        lanes.leave(region, lanes.lane_of(row.account.public_id, row.venue, row.symbol), row.job)


def _abandoned(region: str, row: Order) -> bool:
    """True when no worker will end this row any more. One that nobody took in time is called off here; where Redis may
    have lost the claim of somebody who did, only the exchange can tell."""
    claim = claims.look(region, row.job)
    if claim is Claim.ALIVE:
        return timezone.now() > row.fresh_until + LATE and not _at_it(region, row)
    if claim is Claim.DEAD:
        return True
    if timezone.now() <= row.fresh_until or (claim is Claim.FREE and not claims.call_off(region, row.job)):
        return False
    if not claims.kept_since(region, row.created_at - unseen.CLOCKS):
        return True
    endings.end(row, OrderState.EXPIRED, "EXPIRED", "no worker took it in time; nothing was sent")
    leave_lane(region, row)
    return False


def _at_it(region: str, row: Order) -> bool:
    """What is done about all symbols may take long; it keeps its place in the lane for as long as it gets on."""
    if row.symbol != EVERYTHING or row.account is None:
        return False
    return lanes.at_work(region, lanes.lane_of(row.account.public_id, row.venue, row.symbol), row.job)


def _told(region: str, row: Order) -> bool:
    """Its worker died after the answer and before history: an answer that leaves no order behind is the end, for
    nothing else can tell it any more."""
    for part in (recent(region, row.job) or {"results": ()})["results"]:
        result = part["result"]
        if part["position"] == row.position and result["status"] in _final(row):
            why = "its worker had told the caller so"
            error, would_send = result["error"], result.get("would_send")
            return move_order(
                row.token, result["status"], by=WHO, why=why, error=error, would_send=would_send
            )
    return False


def _final(row: Order) -> frozenset[OrderState]:
    """Answers that nothing on the exchange could add to. What was cancelled or set is no order either."""
    step = load(row.step, Step)
    told = {OrderState.CANCELLED, OrderState.DONE} if isinstance(step, Cancel | Setting) else set()
    return frozenset({*_LEAVES_NOTHING, *told})
