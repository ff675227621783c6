"""The path of one job through a worker: claim, lane, keys, steps, answer, record. One straight line."""

from __future__ import annotations

import logging
import time
from typing import Any

import redis

from accounts.vault import VaultError
from exchanges.errors import ExchangeError
from exchanges.types import Instrument
from execution import book, claims, lanes, mishap
from execution.amounts import Size
from execution.commands import Go
from execution.desk import Desk
from execution.errand import Errand
from execution.jobs import Job, JobStep, Result
from execution.lanes import Claimed
from execution.models import OrderState
from execution.outcome import announce
from execution.record import Ledger, record
from execution.rejection import Rejection, error_object
from execution.sizing import check_currency
from execution.timeline import Timeline
from execution.verdict import broke_off, write_failure

log = logging.getLogger(__name__)


def run(message: dict[str, Any]) -> None:
    """Run one job, once. The entry point of the task `place`."""
    with lanes.Claiming(message["region"], message["lane"], message["id"], message["ticket"]) as claim:
        job = Job.load(message)
        timeline = Timeline(job.received_ms, dict(job.timing_ms))
        claimed = claim.answer()
    if claimed is Claimed.NOT:
        log.info("job %s was already claimed", job.id)
        return
    timeline.mark("claimed")
    first = claimed is Claimed.FIRST
    ledger = Ledger(job, [_blank(job, step) for step in job.steps if step.token], timeline)
    try:
        with lanes.turn(job.region, job.lane, job.id, job.ticket, _left_seconds(job), held=first) as alone:
            _run_steps(job, ledger, timeline, alone=alone)
            finish(job, ledger)
    except lanes.LaneBusy:
        _all(ledger, OrderState.EXPIRED, "EXPIRED", "the messages before it on this symbol took too long")
        finish(job, ledger)
    except redis.RedisError as error:  # of the lane: it was not held, so nothing was sent
        log.warning("job %s could not hold its lane: %s", job.id, type(error).__name__)
        _all(ledger, OrderState.NOT_SENT, "QUEUE_DOWN", "the region's queue could not be reached")
        finish(job, ledger)


def turn_away(message: dict[str, Any]) -> None:
    """End a job for which this worker has no room, before anything is sent."""
    job = Job.load(message)
    if not claims.take(job.region, job.id):
        return
    timeline = Timeline(job.received_ms, dict(job.timing_ms))
    ledger = Ledger(job, [_blank(job, step) for step in job.steps if step.token], timeline)
    _all(ledger, OrderState.NOT_SENT, "EXCHANGE_BUSY", f"too many orders wait for {job.venue} already")
    finish(job, ledger)


def finish(job: Job, ledger: Ledger) -> None:
    """Tell who waits, then write history."""
    ledger.ended_ms = time.time() * 1000
    with mishap.caught(f"telling the outcome of {job.id}"):  # whoever waits finds it in history
        try:
            announce(job.region, job.reply_to, ledger.outcome())
        except redis.RedisError as error:
            log.warning("the outcome of %s could not be announced: %s", job.id, type(error).__name__)
    record(ledger)


def _left_seconds(job: Job) -> float:
    return max(job.fresh_until_ms / 1000 - time.time(), 0.0)


def _blank(job: Job, step: JobStep) -> Result:
    direction = getattr(step.step, "direction", None)
    return Result(
        position=step.position,
        token=step.token,
        command=step.command,
        action=step.action,
        venue=job.venue,
        symbol=job.symbol or "*",
        account=job.account.label,
        region=job.region,
        status=OrderState.WORKING,
        side=str(direction) if direction else "",
    )


def _all(ledger: Ledger, status: OrderState, code: str, message: str) -> None:
    for result in ledger.results:
        if result.status == OrderState.WORKING:
            result.status, result.error = status, error_object(code, message)


def _run_steps(job: Job, ledger: Ledger, timeline: Timeline, *, alone: bool) -> None:
    """However it goes, each result has an end: a step that was begun gets it from the errand, the others were not."""
    with mishap.caught(f"job {job.id}") as mishaps:
        _carry_out(job, ledger, timeline, alone=alone)
    for result in ledger.results:
        if mishaps and result.status == OrderState.WORKING:
            broke_off(result, may_stand=False)


def _carry_out(job: Job, ledger: Ledger, timeline: Timeline, *, alone: bool) -> None:
    if _left_seconds(job) <= 0:
        _all(
            ledger,
            OrderState.EXPIRED,
            "EXPIRED",
            "it waited too long in the queue; a late order is worse than none",
        )
        return
    if not job.dry_run and states_a_target(job) and lanes.overtaken(job.region, job.lane, job.sent_ms or 0):
        _all(ledger, OrderState.SKIPPED, "OVERTAKEN", "a message sent later was carried out before it")
        return
    try:
        desk = open_desk(job, timeline)
        instrument = _instrument(job, desk) if job.symbol else None
    except Rejection as refusal:
        for result in ledger.results:
            result.status, result.error = OrderState.REJECTED, refusal.as_error()
        return
    except (ExchangeError, VaultError) as error:
        for result in ledger.results:
            write_failure(result, error, sent=False)
        return
    Errand(job, desk, instrument, ledger, alone=alone).run()


def _instrument(job: Job, desk: Desk) -> Instrument:
    """The market that the block trades here. Raises Rejection for what makes one of its steps senseless: none of the
    others is to be done either."""
    found = desk.instrument(job.symbol, job.symbol_span)
    for other in job.symbols_before:
        if (same := desk.connection.table.meant(other)) and same.symbol == found.symbol:
            raise Rejection(
                "SAME_MARKET",
                f"{job.symbol} and {other} are both {found.symbol} on {job.venue}",
                "leave one of the two out",
                job.symbol_span,
            )
    for each in job.steps:
        if isinstance(size := getattr(each.step, "size", None), Size):
            check_currency(size, found)
    return found


def states_a_target(job: Job) -> bool:
    """`go` says what the position is to be: of two, the one sent last is right, in whatever order they come."""
    return job.sent_ms is not None and any(isinstance(each.step, Go) for each in job.steps)


def open_desk(job: Job, timeline: Timeline) -> Desk:
    """Raises VaultError, ExchangeError (the venue cannot be reached for its instruments)."""
    return Desk(
        book.pool().connection(job.venue, job.environment),
        book.keyring().open(job.user, job.account),
        facts=book.facts().of(job.account.public_id, job.venue, job.account.sealed),
        timeline=timeline,
        fresh_until_ms=job.fresh_until_ms,
        dry_run=job.dry_run,
        opposite_signal=job.account.opposite_signal,
        gets_on=lanes.keeping(job.region, job.lane, job.id),
    )
