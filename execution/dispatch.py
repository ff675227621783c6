"""From a parsed message to jobs in the regions' queues.

`prepare` runs inside the caller's transaction and writes one order row per result; `publish` runs after the
commit. Ids are derived from the delivery, so preparing the same delivery again gives the same jobs, and a job
that reached its queue twice is claimed once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import redis
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts.entrance import accounts_of
from accounts.models import Account, User
from exchanges.types import Environment
from exchanges.venue import Venue
from execution import coverage
from execution.brokers import Unreached
from execution.commands import Cancel, Step
from execution.envelope import task_message
from execution.ids import order_token
from execution.jobs import Job, JobAccount, JobStep
from execution.lanes import lane_of, queue_up, ticket_at
from execution.message import Block, Message
from execution.models import Order, OrderState
from execution.rejection import Rejection, error_object
from execution.routing import accounts_for, region_of, venue_of
from execution.transitions import move_order
from execution.wire import dump

QUEUE_DOWN = error_object("QUEUE_DOWN", "the region's queue could not be reached", "send it again")
UNATTENDED = error_object(
    "REGION_DOWN", "no worker is up in the region next to the exchange", "send it again"
)


class QueueDown(Exception):
    """Nothing could be queued: certainly nothing will be sent."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What came with a message besides its text."""

    delivery: str
    stop_policy: str
    received_ms: float
    dry_run: bool = False
    #: the delivery was prepared before, and nothing of it was queued
    again: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """`orders` in the order of the message, refused ones included; `jobs` are what is to be published."""

    jobs: tuple[Job, ...]
    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class _Lane:
    """One block on one symbol and one account."""

    block: Block
    symbol: str
    index: int
    venue: type[Venue]
    account: Account


def prepare(user: User, message: Message, intake: Intake) -> Prepared:
    """Order rows and jobs of one message, the rows inserted. Raises Rejection when the whole message is refused
    (a word whose execution is not built yet, an exchange that is not traded): then there are no rows."""
    if intake.again:
        _forget(Order.objects.filter(user=user, delivery=intake.delivery))
    prepared = draft(user, message, intake, accounts_of(user))
    store(prepared)
    return prepared


def _forget(rows: QuerySet[Order]) -> None:
    """Locked first: reconciliation may be writing about them, and what it adds has to go with them."""
    locked = list(rows.select_for_update().values_list("pk", flat=True))
    Order.objects.filter(pk__in=locked).delete()


def store(prepared: Prepared) -> None:
    Order.objects.bulk_create(prepared.orders)


def draft(user: User, message: Message, intake: Intake, owned: Sequence[Account]) -> Prepared:
    """The same with the rows still to be inserted, by the caller, together with its own. `owned`: the user's
    accounts, oldest first."""
    coverage.check(message)
    jobs: list[Job] = []
    orders: list[Order] = []
    for number, block in enumerate(message.blocks):
        for part, (lane, refusal) in enumerate(_spread(user, block, owned)):
            job_id = f"{intake.delivery}.{number}.{part}"
            steps = _steps(user, block, lane, intake, first=len(orders))
            rows = [_row(user, lane, step, intake, job_id) for step in steps if step.token]
            if refusal is None:
                jobs.append(
                    replace(_job(user, lane, steps, intake, job_id), sent_ms=_sent_ms(message, intake))
                )
            else:
                for row in rows:
                    row.status, row.error = OrderState.REJECTED, refusal.as_error()
            orders += rows
    return Prepared(tuple(jobs), tuple(orders))


def publish(prepared: Prepared, reply_to: str = "", when_none: Callable[[], None] = lambda: None) -> None:
    """Queue every job. Raises QueueDown when none of them reached its queue, and says so in the rows; what `when_none`
    writes is seen at the same moment as they. A job whose queueing is in doubt counts as queued, for reconciliation to
    settle."""
    failed: dict[str, dict[str, Any]] = {}
    down: dict[str, dict[str, Any]] = {}
    for job in prepared.jobs:  # a region that was found down is not waited for again
        if why := down.get(job.region) or _publish(replace(job, reply_to=reply_to)):
            failed[job.id] = down[job.region] = why
    none = bool(failed) and len(failed) == len(prepared.jobs)
    with transaction.atomic() if failed else nullcontext():
        for order in (each for each in prepared.orders if each.job in failed):
            _not_sent(order, failed[order.job])
        if none:
            when_none()
    if none:
        raise QueueDown
    for order in prepared.orders:
        if order.job in failed:
            order.status, order.error = OrderState.NOT_SENT, failed[order.job]


def call_off(prepared: Prepared, why: dict[str, Any]) -> None:
    """Nothing of it will be queued, and the rows say so: one that seemed to be at work would be called off by
    reconciliation, and a try with the same ids would find its claims taken."""
    for order in prepared.orders:
        _not_sent(order, why)


def _not_sent(order: Order, why: dict[str, Any]) -> None:
    move_order(order.token, OrderState.NOT_SENT, by="the web tier", why=why["message"], error=why)


def _publish(job: Job) -> dict[str, Any] | None:
    """Why the job certainly did not reach its queue; None when it did, or may have."""
    ticket = ticket_at(_order_by(job))
    job = replace(job, ticket=ticket, timing_ms=job.timing_ms | {"queued": _since(job)})
    queue = f"orders.{job.region}"
    message = task_message(queue, job.dump(), shown=f"({job.id!r},)", expires_ms=job.fresh_until_ms)
    try:
        return None if queue_up(job.region, job.lane, job.id, ticket, queue, message) else UNATTENDED
    except Unreached:
        return QUEUE_DOWN
    except redis.RedisError:
        return None  # it may have left: the claim and reconciliation decide


def _order_by(job: Job) -> float:
    """When it was sent, if the message tells."""
    return job.received_ms if job.sent_ms is None else job.sent_ms


def _since(job: Job) -> float:
    return round(time.time() * 1000 - job.received_ms, 3)


def _spread(user: User, block: Block, owned: Iterable[Account]) -> Iterator[tuple[_Lane, Rejection | None]]:
    """Every (symbol, account) of a block; a block without an account yields its refusal."""
    venue = venue_of(block.venue)
    nobody = Account(user=user, exchange=venue.key_family, label="", environment=Environment.LIVE)
    symbols = block.symbols or ("",)
    try:
        accounts = accounts_for(user, block, venue, owned)
    except Rejection as refusal:
        for index, symbol in enumerate(symbols):
            yield _Lane(block, symbol, index, venue, nobody), refusal
        return
    for account in accounts:
        for index, symbol in enumerate(symbols):
            yield _Lane(block, symbol, index, venue, account), _paused(account, block)


def _paused(account: Account, block: Block) -> Rejection | None:
    if account.status not in ("paused", "rejected"):
        return None
    reason = account.status_reason or account.status
    return Rejection(
        "ACCOUNT_PAUSED",
        f'the account "{account.label}" is {account.status}: {reason}',
        "resume it, or replace its key, on the accounts page",
        block.venue.span,
    )


def _steps(user: User, block: Block, lane: _Lane, intake: Intake, *, first: int) -> tuple[JobStep, ...]:
    made: list[JobStep] = []
    position = first
    for step in block.steps:
        action = coverage.action_of(step)
        header = Block((lane.symbol,) if lane.symbol else (), block.venue, block.accounts, (step,))
        if action == coverage.GUARD:
            made.append(JobStep(step, str(header), action))
            continue
        token = order_token(f"{user.pk}:{intake.delivery}", position)
        made.append(JobStep(step, str(header), action, token, position, _tagged(user, lane, step)))
        position += 1
    return tuple(made)


def _tagged(user: User, lane: _Lane, step: Step) -> tuple[str, ...]:
    """The client ids that carry a tag: history is here, not beside the exchange."""
    if not isinstance(step, Cancel) or not step.tag or lane.account.pk is None:
        return ()
    rows = Order.objects.filter(user=user, account=lane.account, tag=step.tag, venue=lane.venue.name)
    return tuple(rows.exclude(client_id="").values_list("client_id", flat=True)[:200])


def _row(user: User, lane: _Lane, step: JobStep, intake: Intake, job_id: str) -> Order:
    options = getattr(step.step, "options", None)
    return Order(
        user=user,
        account=lane.account if lane.account.pk else None,
        delivery=intake.delivery,
        position=step.position,
        job=job_id,
        token=step.token,
        command=step.command,
        action=step.action,
        venue=lane.venue.name,
        environment=lane.account.environment,
        region=region_of(lane.venue),
        symbol=lane.symbol or "*",
        side=str(getattr(step.step, "direction", "") or ""),
        tag=options.tag if options else "",
        step=dump(step.step, Step),
        stop_policy=intake.stop_policy,
        client_id=lane.venue.client_id(step.token),
        fresh_until=_fresh_until(intake),
        timing_ms={},
    )


def _sent_ms(message: Message, intake: Intake) -> float | None:
    """Never later than it came in: of two senders, one whose clock is ahead would have the last word."""
    return min(message.sent.timestamp() * 1000, intake.received_ms) if message.sent else None


def _fresh_until(intake: Intake) -> datetime:
    return datetime.fromtimestamp(intake.received_ms / 1000 + settings.ORDER_FRESH_SECONDS, UTC)


def _job(user: User, lane: _Lane, steps: tuple[JobStep, ...], intake: Intake, job_id: str) -> Job:
    account = lane.account
    spans = lane.block.symbol_spans
    return Job(
        id=job_id,
        user=user.public_id,
        delivery=intake.delivery,
        region=region_of(lane.venue),
        venue=lane.venue.name,
        environment=Environment(account.environment),
        account=JobAccount(
            account.public_id, account.label, account.exchange, account.sealed, account.opposite_signal
        ),
        symbol=lane.symbol,
        steps=steps,
        stop_policy=intake.stop_policy,
        lane=lane_of(account.public_id, lane.venue.name, lane.symbol),
        ticket=0,
        received_ms=intake.received_ms,
        fresh_until_ms=_fresh_until(intake).timestamp() * 1000,
        dry_run=intake.dry_run,
        symbol_span=spans[lane.index] if lane.index < len(spans) else None,
        symbols_before=lane.block.symbols[: lane.index],
    )
