"""How a step ended, written into its result (http.md): what was reported, refused, skipped, or done by half only.

Pure but for the result: what history makes of it is in `execution.record`, how callers see it in `execution.results`.
"""

from __future__ import annotations

from decimal import Decimal

from accounts.vault import VaultError
from exchanges.errors import ExchangeError, NotSent, OutcomeUnknown
from exchanges.types import Direction, OrderStatus, Report
from execution.amounts import Span
from execution.confirm import UnknownOutcome
from execution.everything import Swept
from execution.jobs import Result, plain
from execution.models import OrderState
from execution.rejection import HINTS, Rejection, error_object, exchange_error

#: the code of a close of everything that had to leave something open
LEFT_OPEN = "LEFT_OPEN"
#: how it begins why steps behind an `if` are skipped as they should be
CONDITION = 'the condition "'


def reported(result: Result, report: Report, span: Span | None = None) -> None:
    """`span`: the command that the order is of."""
    result.client_id = report.client_id or result.client_id
    result.exchange_id = report.exchange_id
    result.quantity = report.quantity if report.quantity is not None else report.filled
    result.filled = report.filled
    result.average_price = report.average_price
    if report.fee:
        result.fee = {"amount": format(report.fee.amount, "f"), "asset": report.fee.asset}
    result.status = state_of(report.status, report.filled, report.quantity)
    result.resting = report.status is OrderStatus.OPEN
    if report.status is OrderStatus.REJECTED:
        message = report.reason or "the exchange rejected the order"
        result.error = error_object("REFUSED", message, span=span)


def state_of(status: OrderStatus, filled: Decimal, quantity: Decimal | None) -> OrderState:
    """The exchange's state in the words of a result."""
    if status is OrderStatus.FILLED:
        return OrderState.FILLED
    if status is OrderStatus.OPEN:
        return OrderState.PARTIALLY_FILLED if filled else OrderState.OPEN
    if filled:
        return OrderState.PARTIALLY_FILLED
    return {
        OrderStatus.CANCELLED: OrderState.CANCELLED,
        OrderStatus.REJECTED: OrderState.REJECTED,
    }.get(status, OrderState.EXPIRED)


def not_filled(result: Result, report: Report, span: Span | None = None) -> None:
    """An entry that the exchange ended without a fill did not succeed, whichever word it has for that."""
    if report.filled or report.status not in (OrderStatus.CANCELLED, OrderStatus.EXPIRED):
        return
    why = report.reason or "it could not fill at once, or would not have rested"
    result.status = OrderState.EXPIRED
    message = f"the exchange ended the order without a fill: {why}"
    result.error = error_object("NOT_FILLED", message, span=span)


def write_failure(result: Result, error: Exception, *, sent: bool = True, span: Span | None = None) -> None:
    """Write an error of the exchange, or of the way to it, into a result. `sent`: something that changes things may have
    left before it. `span`: the command it is about; which of its words the exchange minds, only its own message says."""
    if isinstance(error, VaultError):
        result.status = OrderState.NOT_SENT
        result.error = error_object("KEY_UNREADABLE", str(error), "enter the key again on the accounts page")
    elif isinstance(error, NotSent):
        result.status, result.error = OrderState.NOT_SENT, exchange_error(error, span)
    elif isinstance(error, OutcomeUnknown) and not sent:
        result.status, result.error = OrderState.NOT_SENT, exchange_error(_unread(error), span)
    elif isinstance(error, ExchangeError):
        unknown = isinstance(error, OutcomeUnknown)
        result.status = OrderState.UNKNOWN if unknown else OrderState.REJECTED
        result.error = exchange_error(error, span)


def _unread(error: OutcomeUnknown) -> NotSent:
    """A question before the order was not answered: nothing of the order is in doubt."""
    words = f"not sent, because what has to be known first could not be read: {error.message}"
    return NotSent(words, code=error.code, exchange_message=error.exchange_message)


def broke_off(result: Result, *, may_stand: bool) -> None:
    """A mistake of flipr's own ended a step. `may_stand`: something had left for the exchange by then."""
    code = "OUTCOME_UNKNOWN" if may_stand else "NOT_SENT"
    result.status = OrderState.UNKNOWN if may_stand else OrderState.NOT_SENT
    result.error = error_object(code, "flipr itself failed while it carried this out", HINTS[code])


def refusal_state(refusal: Rejection) -> OrderState:
    return OrderState.REJECTED if refusal.code != "NOTHING_TO_DO" else OrderState.NOTHING_TO_DO


def skip(result: Result | None, why: str) -> None:
    if result is not None:
        result.status, result.error = OrderState.SKIPPED, None
        result.protection = None
        if not why.startswith(CONDITION):
            result.status = OrderState.NOT_SENT
            result.error = error_object(
                "STEP_SKIPPED", f"not sent: {why}", "the steps of a block run in order"
            )


def side_left(
    result: Result, direction: Direction, error: Rejection | ExchangeError | UnknownOutcome
) -> None:
    """One side of a hedged position is closed, and the other one is not, or nobody knows."""
    if isinstance(error, UnknownOutcome | OutcomeUnknown):
        result.status = OrderState.UNKNOWN
        reason = error.reason if isinstance(error, UnknownOutcome) else error
        said, hint = (
            f"whether the {direction} side is closed is not known: {reason.message}",
            HINTS["OUTCOME_UNKNOWN"],
        )
    else:
        if result.status == OrderState.FILLED:
            result.status = OrderState.PARTIALLY_FILLED
        said, hint = (
            f"the {direction} side was not: {error.message}",
            "look at the position, and close it again",
        )
    result.error = error_object("HALF_DONE", f"{plain(result.filled)} was closed, and {said}", hint)


def half_done(result: Result, failure: Rejection | ExchangeError | UnknownOutcome) -> None:
    """The old position is closed and the new one is not open, or nobody knows: the answer tells both."""
    if isinstance(failure, UnknownOutcome):
        result.status = OrderState.UNKNOWN
        said = f"whether the new position is open and protected is not known: {failure.reason.message}"
        hint = HINTS["OUTCOME_UNKNOWN"]
    else:
        if result.status == OrderState.FILLED:
            result.status = OrderState.PARTIALLY_FILLED
        said = f"nothing was opened instead: {failure.message}"
        hint = "look at the position, and open the new one if it is still wanted"
    result.error = error_object("HALF_DONE", f"{plain(result.filled)} was closed, and {said}", hint)


def left_open(result: Result, swept: Swept) -> None:
    """What `* close` could not close is named; what it did close is told as ever."""
    closed = result.status != OrderState.NOTHING_TO_DO
    if swept.unknown:
        result.status = OrderState.UNKNOWN
    elif result.status == OrderState.FILLED:
        result.status = OrderState.PARTIALLY_FILLED
    elif not closed:
        result.status = OrderState.REJECTED if swept.refused else OrderState.NOT_SENT
    names = {
        "left open": [name for name in swept.left if name not in swept.unknown],
        "not known": [name for name in swept.left if name in swept.unknown],
    }
    told = "; ".join(
        f"{word}, {'; '.join(f'{name}: {swept.left[name]}' for name in found)}"
        for word, found in names.items()
        if found
    )
    said = "all else was closed" if closed else "nothing else was open"
    hint = "close it on the exchange's site" if swept.refused else "look at it, and send it again"
    result.error = error_object(LEFT_OPEN, f"{told} ({said})", hint)


def beside_others(result: Result) -> None:
    """What was done about all symbols is told as done for those only that were there to be seen."""
    words = "messages that came before it are still at work: what they open is not closed or cancelled by this one"
    if result.error is None:
        result.error = error_object(LEFT_OPEN, words, "look at the positions, and send it again")
    elif result.error["code"] == LEFT_OPEN:
        result.error["message"] += f"; {words}"
    if result.status == OrderState.FILLED:
        result.status = OrderState.PARTIALLY_FILLED
