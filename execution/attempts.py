"""Attempts to place legs: which name each has, what is tried again and when, and what the answer makes of the leg."""

from __future__ import annotations

from dataclasses import replace

from exchanges.errors import (
    DuplicateOrder,
    ExchangeError,
    InsufficientFunds,
    NothingToReduce,
    NotSent,
    OutcomeUnknown,
    Unsupported,
    WouldTrigger,
)
from exchanges.types import Instrument, OrderRequest, OrderStatus, Report
from execution.confirm import UnknownOutcome
from execution.desk import LONGEST_WAIT_SECONDS, Desk
from execution.ids import step_token
from execution.legs import announce, counts, exit_order
from execution.protection import Guarded, Leg, LegKind, LegState

STOP_RETRY_SECONDS = (0.2, 0.5)


class StopFailed(Exception):
    """The position has no stop and the exchange takes none. `leg.error` says why; `lacks_funds`: there is not so much
    to sell."""

    def __init__(self, leg: Leg, *, lacks_funds: bool = False) -> None:
        super().__init__(leg.error)
        self.leg = leg
        self.lacks_funds = lacks_funds


def name_leg(desk: Desk, bracket: Guarded, leg: Leg) -> None:
    bracket.generation += 1
    leg.token = step_token(bracket.token, f"{leg.kind}{leg.number}.{bracket.generation}")
    leg.client_id = desk.venue.client_id(leg.token)


def put(desk: Desk, bracket: Guarded, instrument: Instrument, legs: list[Leg]) -> None:
    """Place legs, several in one request; then see to each, the stop first. When there is no stop to be had, nothing
    more is asked about the others: closing must not wait for them."""
    for leg in legs:
        name_leg(desk, bracket, leg)
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


def _as_answered(leg: Leg, answer: Report | ExchangeError) -> None:
    """What the exchange said of a leg, and no more. One that may stand counts as standing, to be looked for."""
    leg.attempts += 1 if isinstance(answer, Report) else counts(answer)
    if isinstance(answer, Report):
        placed(leg, answer)
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
            placed(leg, desk.send(order, answer))
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


def placed(leg: Leg, report: Report) -> None:
    leg.exchange_id = report.exchange_id
    # an exchange that makes the legs of a pair itself knows them by its own ids only
    leg.client_id = report.client_id or ("" if leg.linked else leg.client_id)
    if report.status is OrderStatus.REJECTED:
        leg.status, leg.error = LegState.FAILED, report.reason or "the exchange rejected it"
        return
    leg.status, leg.error, leg.filled = LegState.OPEN, "", report.filled
    if report.status is OrderStatus.FILLED:
        leg.status, leg.average_price = LegState.FILLED, report.average_price


def fire(desk: Desk, bracket: Guarded, instrument: Instrument, leg: Leg) -> Report:
    """Send a leg as a market order, once; while its outcome is not known the leg counts as open. Raises as `Desk.send`
    does. What it filled is not yet taken off the bracket."""
    order = replace(exit_order(desk, bracket, instrument, leg), price=None, trigger_price=None)
    leg.missed_at = None
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
