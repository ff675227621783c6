"""The steps of one job against one desk, each done by its verb. How it ended is written by `execution.verdict`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exchanges.errors import AuthRefused, ExchangeError
from exchanges.limits import Priority, pressing
from exchanges.types import Direction, Instrument, OrderStatus, Side
from execution import keycheck, mishap
from execution.amounts import Size, SizeUnit
from execution.book import breaker
from execution.circuit import opens
from execution.commands import (
    Cancel,
    CancelWhat,
    Close,
    Condition,
    Entry,
    EntryKind,
    Go,
    If,
    Protect,
    Reverse,
    Setting,
    Step,
)
from execution.confirm import UnknownOutcome
from execution.desk import Desk
from execution.entry import enter
from execution.everything import sweep
from execution.exits import Closed, cancel, close, combined_status, totals
from execution.ids import new_public_id
from execution.jobs import Job, JobStep, Result
from execution.models import OrderState
from execution.moves import protect
from execution.protection import Guarded
from execution.record import Ledger
from execution.rejection import Rejection, error_object, exchange_error
from execution.results import protection_json
from execution.rules import check_market, set_leverage
from execution.takeover import trouble
from execution.turnaround import Turned, go, reverse, reverses
from execution.verdict import (
    CONDITION,
    LEFT_OPEN,
    beside_others,
    broke_off,
    half_done,
    left_open,
    not_filled,
    refusal_state,
    reported,
    side_left,
    skip,
    state_of,
    write_failure,
)
from execution.wire import dump


class Errand:
    """One job's steps against one desk. After a step that failed, the steps behind it are skipped."""

    def __init__(
        self, job: Job, desk: Desk, instrument: Instrument | None, ledger: Ledger, *, alone: bool = True
    ) -> None:
        """`alone`: no message about any of its symbols is still at work."""
        self.job = job
        self.desk = desk
        self.instrument = instrument
        self.ledger = ledger
        self.alone = alone
        ledger.fills = desk.fills

    def run(self) -> None:
        """What a message has to know first goes before all that only looks: checks of keys must not hold up a close."""
        with pressing(Priority.QUERY if self.job.dry_run else Priority.ENTRY):
            self._run()

    def _run(self) -> None:
        blocked = ""
        results = {result.position: result for result in self.ledger.results}
        for step in self.job.steps:
            result = results.get(step.position) if step.token else None
            if blocked:
                skip(result, blocked)
            elif isinstance(step.step, If):
                blocked = self._guard(step.step)
            elif result is not None:
                self._step(step, result)
                if not self.alone:
                    beside_others(result)
                self.ledger.release(self.desk.released)
                if result.error is not None and result.error["code"] != LEFT_OPEN:
                    blocked = f'"{step.command}" did not succeed'

    def _step(self, step: JobStep, result: Result) -> None:
        result.instrument = self.instrument.symbol if self.instrument else ""
        result.client_id = self.desk.venue.client_id(step.token)
        self.desk.previews, self.desk.changed, self.desk.underway = [], False, False
        with mishap.caught(f"step {step.token} of job {self.job.id}") as mishaps:
            self._attempt(step, result)
        if mishaps:
            broke_off(result, may_stand=self.desk.changed or self.desk.underway)

    def _attempt(self, step: JobStep, result: Result) -> None:
        try:
            self._do(step, result)
        except Rejection as refusal:
            result.status, result.error = refusal_state(refusal), refusal.as_error()
        except UnknownOutcome as error:
            result.status, result.error = OrderState.UNKNOWN, exchange_error(error.reason)
        except ExchangeError as error:
            write_failure(result, error, sent=self.desk.underway, span=step.step.span)
            if self.desk.changed:
                result.status = (
                    OrderState.UNKNOWN
                )  # something was sent before: reconciliation finds out, and ends it
            self._doubt(error)
        if self.job.dry_run and result.error is None:
            result.status, result.would_send = OrderState.DRY_RUN, self.desk.previews

    def _do(self, step: JobStep, result: Result) -> None:
        action = step.step
        if opens(action) and not self.job.dry_run:
            breaker().admit(self.job.venue, self.job.environment)
        if isinstance(action, Cancel):
            self._cancel(action, step, result)
            return
        if self.instrument is None:
            self._close_everything(action, step, result)
            return
        instrument = self.instrument
        make = self._maker(step)
        match action:
            case Entry():
                self._enter(action, instrument, step, result, make)
            case Close():
                self._closed(close(self.desk, action, instrument, step.token), result)
            case Go():
                self._turned(go(self.desk, action, instrument, step.token, make), result)
            case Reverse():
                self._turned(reverse(self.desk, action, instrument, step.token, make), result)
            case Protect():
                self._protected(protect(self.desk, action, instrument, make), result)
            case Setting():
                self._set(action, instrument, result)

    # -- one method per action: what the verbs did, as a result ----------------------------------------

    def _maker(self, step: JobStep) -> Callable[..., Guarded]:
        job = self.job

        def make(**values: Any) -> Guarded:
            return Guarded(
                public_id=new_public_id("b"),
                token=step.token,
                account=job.account.public_id,
                venue=job.venue,
                symbol=job.symbol,
                stop_policy=job.stop_policy,
                **values,
            )

        return make

    def _enter(
        self,
        action: Entry,
        instrument: Instrument,
        step: JobStep,
        result: Result,
        make: Callable[..., Guarded],
    ) -> None:
        if reverses(self.desk, action, instrument):
            turn = Reverse(action.direction, action.size, action.protection, action.options, span=action.span)
            self._turned(reverse(self.desk, turn, instrument, step.token, make), result)
            return
        opened = enter(self.desk, action, instrument, step.token, make)
        reported(result, opened.report, action.span)
        not_filled(result, opened.report, action.span)
        self._protected_by(opened.bracket, result)

    def _closed(self, closed: Closed, result: Result) -> None:
        self._left_behind(closed)
        if not closed.reports:
            result.status = OrderState.NOTHING_TO_DO
            return
        reported(result, closed.reports[0])
        result.quantity = closed.requested
        result.filled, result.average_price = totals(closed.reports, closed.instrument)
        result.status = state_of(combined_status(closed.reports), result.filled, result.quantity)
        result.resting = any(each.status is OrderStatus.OPEN for each in closed.reports)
        result.side = str(Direction.LONG if closed.reports[0].side is Side.SELL else Direction.SHORT)
        result.note = closed.left_over
        for direction, error in closed.failed.items():
            side_left(result, direction, error)
            self._doubt(error)
        self.desk.timeline.mark("filled")

    def _doubt(self, *errors: Exception) -> None:
        """A key that was refused is looked into."""
        if any(isinstance(each, AuthRefused) for each in errors):
            keycheck.doubt(self.job.region, self.job.account.public_id, self.job.account.sealed)

    def _left_behind(self, closed: Closed) -> None:
        if closed.instrument and closed.gone:
            gone = [direction.value for direction in closed.gone]
            self.ledger.closed.append((self.job.venue, closed.instrument.symbol, gone))
        if closed.instrument:
            self.ledger.reduced += [
                (closed.instrument.symbol, direction.value, str(left), str(part))
                for direction, left, part in closed.left
            ]
        self.ledger.cancelled += [
            name for each in closed.cancelled for name in (each.client_id, each.exchange_id)
        ]

    def _turned(self, turned: Turned, result: Result) -> None:
        result.status = OrderState.NOTHING_TO_DO
        if turned.closed is not None:
            self._closed(turned.closed, result)
        if turned.opened is not None:
            reported(result, turned.opened.report)
            result.side = str(Direction.LONG if turned.opened.report.side is Side.BUY else Direction.SHORT)
            not_filled(result, turned.opened.report)
            result.note = (turned.note if turned.opened.report.filled else "") or result.note
            self._protected_by(turned.opened.bracket, result)
        if turned.bracket is not None:
            self._protected_by(turned.bracket, result)
            result.status = OrderState.DONE if result.error is None else result.status
        if isinstance(
            turned.failure, UnknownOutcome
        ):  # reconciliation asks for the new order, not for the close
            order = turned.failure.order
            result.client_id, result.exchange_id = order.client_id, ""
            result.side = str(Direction.LONG if order.side is Side.BUY else Direction.SHORT)
        if turned.failure is not None:
            half_done(result, turned.failure)

    def _protected(self, bracket: Guarded, result: Result) -> None:
        result.side = bracket.direction.value
        result.quantity = bracket.quantity
        result.status = OrderState.DONE
        self._protected_by(bracket, result)
        self.ledger.replaces, self.ledger.standing = True, sorted(self.desk.standing)

    def _protected_by(self, bracket: Guarded | None, result: Result) -> None:
        if bracket is None:
            return
        legs = dump(bracket.legs)
        result.protection = protection_json(bracket.public_id, bracket.status, legs, bracket.note)
        if not self.job.dry_run:
            self.ledger.brackets[result.token] = bracket
        if trouble(bracket) and (bracket.status != "done" or "could not" in bracket.note):
            hint = "look at the position on the exchange" if bracket.status == "failed" else ""
            result.error = error_object("PROTECTION_FAILED", bracket.note, hint)

    def _set(self, action: Setting, instrument: Instrument, result: Result) -> None:
        check_market(self.desk, _as_entry(action), instrument)
        set_leverage(self.desk, action.options, instrument)
        result.status = OrderState.DONE

    def _cancel(self, action: Cancel, step: JobStep, result: Result) -> None:
        done = cancel(self.desk, action, self.instrument, step.tagged)
        self.ledger.cancelled += [
            name for each in done.reports for name in (each.client_id, each.exchange_id)
        ]
        self.ledger.gone += [name for each in done.gone for name in (each.client_id, each.exchange_id)]
        if done.watched:
            self.ledger.unwatched.append(self.instrument.symbol if self.instrument else "")
        if done.failed:
            result.status, result.error = OrderState.UNKNOWN, exchange_error(done.failed[0])
            result.error["message"] = (
                f"{len(done.failed)} order(s) could not be cancelled, {len(done.reports)} were: {result.error['message']}"
            )
            result.error["hint"] = "send it again: what is cancelled stays cancelled"
        elif done.reports:
            result.status = OrderState.CANCELLED
        elif done.watched and action.what is CancelWhat.TARGETS:
            result.status = OrderState.DONE  # whether one was watched is known where history is written
        else:
            result.status = OrderState.NOTHING_TO_DO

    def _close_everything(self, action: Step, step: JobStep, result: Result) -> None:
        """`* on VENUE close`: the steps behind it are done whatever had to stay open."""
        assert isinstance(action, Close)
        swept = sweep(self.desk, action, step.token, self.job.account.public_id, self._left_behind)
        self._closed(swept.whole, result)
        if swept.left:
            left_open(result, swept)
        self._doubt(*swept.errors)

    def _guard(self, step: If) -> str:
        """Empty when the condition holds, else why the rest of the block is skipped."""
        try:
            holds = self._holds(step.condition)
        except (ExchangeError, Rejection) as error:
            return f"the condition could not be read: {error}"
        wanted = f"{'not ' if step.negated else ''}{step.condition}"
        return "" if holds != step.negated else f'{CONDITION}if {wanted}" does not hold'

    def _holds(self, condition: Condition) -> bool:
        assert self.instrument is not None
        if condition is Condition.ORDERS:
            return bool(self.desk.venue.open_orders(self.desk.keys, self.instrument))
        found = {position.direction for position in self.desk.positions(self.instrument)}
        match condition:
            case Condition.FLAT:
                return not found
            case Condition.LONG:
                return Direction.LONG in found
            case Condition.SHORT:
                return Direction.SHORT in found
            case _:
                return bool(found)


def _as_entry(action: Setting) -> Entry:
    """A setting alone obeys the same rules of the market as on an order."""
    return Entry(
        EntryKind.MARKET, Direction.LONG, Size(SizeUnit.ALL), options=action.options, span=action.span
    )
