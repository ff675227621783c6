"""From a call to rows and jobs: everything between the request and the queues, in one thread and one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

import redis
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction

from accounts import entrance, flows, tokens
from accounts.entrance import Entrance
from accounts.models import Hook
from accounts.statements import insert_together
from execution import dispatch, mishap
from execution.dispatch import Intake, Prepared
from execution.message import Message
from execution.outcome import board
from execution.rejection import Rejection
from execution.results import result_of
from webhooks import earlier, intake, journal, present, refused, replies, threads, throttle
from webhooks.bounds import BODY_LIMIT
from webhooks.earlier import Repeated
from webhooks.intake import Call
from webhooks.models import KEY_LENGTH, Delivery, DeliveryStatus
from webhooks.refused import Refused
from webhooks.replies import Reply
from webhooks.syntax import BadCommand, parse_bytes

DATABASE_DOWN = (OperationalError, InterfaceError)
#: what may be over at the next attempt
PASSING = (*DATABASE_DOWN, redis.RedisError)
#: how far ahead of ours a sender's clock may be
CLOCK_TOLERANCE_SECONDS = 10.0

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows are written, nothing is queued yet."""

    delivery: Delivery
    prepared: Prepared


def take(call: Call) -> Taken | Reply:
    """A Reply when that was all: refused, here before, or we failed. Raises PASSING; then no row stands."""
    try:
        with throttle.Admission(call.source, tokens.digest(call.token)) as admission:
            if quick := _quickly(call, admission):
                return quick
            admission.grant()
        behind = _behind(call)
    except Refused as no:
        return replies.refusal(no)
    threads.aside(flows.hook_used, behind.hook)
    taken: Taken | Reply | None = None
    with mishap.caught("taking in a message", but=PASSING):
        taken = _taken_in(behind, call)
    return taken or _mistaken(behind, call)


def _taken_in(behind: Entrance, call: Call) -> Taken | Reply:
    delivery = journal.draft(behind.hook, call)
    try:
        return _enter(behind, delivery, _understood(behind.hook, delivery, call), call)
    except Refused as no:
        delivery.timing_ms["replied"] = call.elapsed_ms()
        journal.refuse(delivery, no)
        return replies.refusal(no, delivery)
    except Repeated as again:
        reply = replies.as_duplicate(present.reply_for(again.first, _result_url(call, again.first)))
        delivery.timing_ms["replied"] = call.elapsed_ms()
        journal.repeat(delivery, again.first, reply.status)
        return reply


def _mistaken(behind: Entrance, call: Call) -> Reply:
    """A mistake of ours, and nothing of the message stands. Whoever sends it again is not told that it was here: should
    it work then, it is carried out."""
    delivery = journal.draft(behind.hook, call)
    delivery.timing_ms = {"replied": call.elapsed_ms()}
    no = refused.mistaken()
    journal.end(delivery, DeliveryStatus.UNQUEUED, no.status, no.error)
    return replies.refusal(no, delivery)


def _quickly(call: Call, admission: throttle.Admission) -> Taken | None:
    """The usual message, by what is remembered of its hook, if PostgreSQL confirms in the statement that writes the
    rows that all is as it was and the message none that was here before. None: go the long way, from fresh rows;
    every refusal but that of the throttle is given there, and a mistake of ours is told there."""
    behind = entrance.remembered(call.user_id, call.token)
    if behind is None:
        return None
    taken: Taken | None = None
    with mishap.caught("taking in a message the short way", but=(*PASSING, Refused)):
        taken = _written(behind, call, admission)
    if taken:
        threads.aside(flows.hook_used, behind.hook)
    return taken


def _written(behind: Entrance, call: Call, admission: throttle.Admission) -> Taken | None:
    delivery = journal.draft(behind.hook, call)
    delivery.taken_by = board().channel
    try:
        message = _understood(behind.hook, delivery, call)
        _check_age(message, call.received_at)
        prepared = dispatch.draft(behind.hook.user, message, _intake(behind.hook, delivery), behind.accounts)
    except (Refused, Rejection):
        return None
    if message.once or delivery.dry_run or not prepared.jobs:
        return None
    provided = [entrance.unchanged(behind)]
    if not delivery.key:
        provided.append(earlier.unheard_of(behind.hook, call.body, call.received_at))
    admission.grant()
    try:
        written = _known(lambda: insert_together(delivery, prepared.orders, provided))
    except IntegrityError:  # the id has been here
        return None
    return Taken(delivery, prepared) if written else None


def find_hook(user_id: str, token: str) -> Hook:
    """Raises Refused 404."""
    return _found(_known(lambda: tokens.find_hook(user_id, token)))


def _behind(call: Call) -> Entrance:
    """What the database knows of a call, in one round trip. Raises Refused 404."""
    repeats = earlier.unanswered(call.token, call.body, call.received_at)
    return _found(_known(lambda: entrance.enter(call.user_id, call.token, repeats)))


def _known(look: Callable[[], Found]) -> Found:
    """The first query of a request: a connection that died since the last one shows here."""
    try:
        return look()
    except DATABASE_DOWN:
        connection.close()
        return look()


def _found(what: Found | None) -> Found:
    if what is None:
        raise refused.no_such_hook()
    return what


def _understood(hook: Hook, delivery: Delivery, call: Call) -> Message:
    """The message, if this hook may be used for it now. Raises Refused."""
    if reason := hook.closed_because:
        raise refused.hook_closed(reason)
    if not hook.allows(call.source):
        raise refused.source_refused(call.source)
    if len(call.body) > BODY_LIMIT:
        raise refused.too_large(BODY_LIMIT)
    options = intake.options(call)
    message = _parsed(call)
    delivery.wait_seconds = options.wait_seconds
    delivery.dry_run = options.dry_run or message.dry_run
    delivery.key = "" if delivery.dry_run else _key(options.key, message.id)
    delivery.timing_ms = {"parsed": call.elapsed_ms()}
    return message


def _parsed(call: Call) -> Message:
    try:
        with mishap.caught("reading a message", but=(BadCommand,)):
            return parse_bytes(call.body)
    except BadCommand as bad:
        raise Refused(bad.http_status, bad.as_error()) from None
    raise refused.unreadable()  # a mistake of ours, which the same text meets again: nobody is to send it once more


def _key(header: str, word: str) -> str:
    if header and word and header != word:
        raise refused.bad_option(
            "TWO_IDS", f'the header says "{header}", the message says "{word}"', "keep one of the two ids"
        )
    if len(word) > KEY_LENGTH:
        raise refused.bad_option("BAD_ID", f"the id is longer than {KEY_LENGTH} characters", "shorten it")
    return header or word


def _enter(behind: Entrance, delivery: Delivery, message: Message, call: Call) -> Taken | Reply:
    """Decide whether it is new, and write its rows. Raises Refused and Repeated."""
    first = None if delivery.dry_run else earlier.first_of(delivery, behind.more)
    if first and first.status != DeliveryStatus.UNQUEUED:
        raise Repeated(first)
    _check_age(message, call.received_at)
    try:
        if first or (message.once and not delivery.dry_run):
            with transaction.atomic():
                return _enter_carefully(behind, first, delivery, message, call)
        return _write(behind, delivery, message, call)
    except Rejection as rejection:
        raise refused.by_execution(rejection) from None
    except IntegrityError:
        if delivery.key and (winner := earlier.with_key(delivery)):
            raise Repeated(winner) from None  # it was posted twice at the same moment
        raise


def _enter_carefully(
    behind: Entrance, first: Delivery | None, delivery: Delivery, message: Message, call: Call
) -> Taken | Reply:
    """What has to look before it writes, under a lock."""
    if first:
        return _write_again(behind.hook, first, delivery, message, call)
    assert message.once is not None
    earlier.check_once(delivery, message.once)
    return _write(behind, delivery, message, call)


def _check_age(message: Message, received_at: datetime) -> None:
    if not message.sent:
        return
    age = (received_at - message.sent).total_seconds()
    if message.valid and age > message.valid.total_seconds():
        raise refused.stale(age, message.valid.total_seconds())
    if age < -CLOCK_TOLERANCE_SECONDS:
        raise refused.from_the_future(-age)


def _write(behind: Entrance, delivery: Delivery, message: Message, call: Call) -> Taken | Reply:
    """Rows of delivery and orders, in one statement: both or none."""
    delivery.taken_by = board().channel
    hook = behind.hook
    prepared = dispatch.draft(hook.user, message, _intake(hook, delivery), behind.accounts)
    if not prepared.jobs:
        with transaction.atomic():
            dispatch.store(prepared)
            return _nothing_to_queue(delivery, prepared, call)
    insert_together(delivery, prepared.orders)
    return Taken(delivery, prepared)


def _write_again(
    hook: Hook, first: Delivery, delivery: Delivery, message: Message, call: Call
) -> Taken | Reply:
    """The same delivery once more: its jobs get the ids they had."""
    delivery.taken_by = board().channel
    claimed = earlier.claim_again(first, delivery)
    first.refresh_from_db()
    if not claimed:  # another resend carries it out
        raise Repeated(first)
    prepared = dispatch.prepare(hook.user, message, _intake(hook, first, delivery.created_at))
    return Taken(first, prepared) if prepared.jobs else _nothing_to_queue(first, prepared, call)


def _nothing_to_queue(delivery: Delivery, prepared: Prepared, call: Call) -> Reply:
    """Every command was refused here."""
    delivery.timing_ms["replied"] = call.elapsed_ms()
    results = [result_of(order) for order in prepared.orders]
    reply = replies.outcome(delivery, results, delivery.timing_ms)
    journal.end(delivery, DeliveryStatus.REJECTED, reply.status)
    return reply


def _intake(hook: Hook, delivery: Delivery, received_at: datetime | None = None) -> Intake:
    """`received_at` when the delivery is tried again."""
    return Intake(
        delivery.public_id,
        hook.stop_policy,
        (received_at or delivery.created_at).timestamp() * 1000,
        delivery.dry_run,
        again=received_at is not None,
    )


def _result_url(call: Call, delivery: Delivery) -> str:
    return present.result_url(call.user_id, call.token, delivery.public_id)


def queue(taken: Taken) -> None:
    """Hand the jobs to their regions. Raises QueueDown: then nothing left, and the row says so."""
    unqueued = partial(journal.unqueued, taken.delivery.pk)
    dispatch.publish(taken.prepared, reply_to=board().channel, when_none=unqueued)


def call_off(taken: Taken) -> None:
    """Its caller was told that nothing will be sent: a resend carries it out."""
    with transaction.atomic():
        dispatch.call_off(taken.prepared, refused.unavailable().error)
        journal.unqueued(taken.delivery.pk)
