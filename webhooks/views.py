"""The webhook: `receive` takes a command and answers with what happened, `result` tells it again later."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import redis
from django.http import HttpRequest, HttpResponse

from execution import outcome
from execution.dispatch import QueueDown
from execution.results import result_of
from webhooks import accept, intake, journal, present, refused, replies, threads, throttle
from webhooks.accept import DATABASE_DOWN, Taken
from webhooks.intake import Call
from webhooks.models import CLIENT_LEFT, Delivery
from webhooks.refused import Refused
from webhooks.replies import Reply

#: TradingView hangs up after 3 s; until then it must know whether to come back
ACCEPT_SECONDS = 2.0
#: after this the caller is answered, whether the region's queue has said something or not
ANSWER_SECONDS = 2.5

log = logging.getLogger(__name__)
_at_work: set[asyncio.Task[Any]] = set()


@dataclass(frozen=True, slots=True)
class Handled:
    """`delivery` is None when its row is complete already."""

    reply: Reply
    delivery: Delivery | None = None


async def receive(request: HttpRequest, user_id: str, token: str) -> HttpResponse:
    """POST /webhook/{user_id}/{token}: the body is the command."""
    if request.method != "POST":
        return replies.refusal(refused.wrong_method("POST")).as_response()
    work = asyncio.create_task(_handle(intake.read(request, user_id, token)))
    _at_work.add(work)
    work.add_done_callback(_at_work.discard)
    try:
        handled = await asyncio.shield(work)  # a caller that hangs up does not stop what it asked for
    except asyncio.CancelledError:
        work.add_done_callback(lambda done: _note(done.result(), CLIENT_LEFT))
        raise
    _note(handled, handled.reply.status)
    return handled.reply.as_response()


async def finish(seconds: float) -> None:
    """Wait, at most so long, for what callers who hung up have asked for."""
    if _at_work:
        await asyncio.wait(_at_work, timeout=seconds)


async def _handle(call: Call) -> Handled:
    """Every way through ends in a reply: 503 while nothing can have left, never a 5xx after that."""
    try:
        taken = await _accepted(call)
    except (*DATABASE_DOWN, redis.RedisError, TimeoutError) as error:
        log.warning("a message could not be queued: %s", type(error).__name__)
        return Handled(replies.refusal(refused.unavailable()))
    except Exception:
        log.exception("a message could not be taken in")
        return Handled(replies.refusal(refused.unavailable()))
    if isinstance(taken, Reply):
        return Handled(taken)
    return await _carried_out(call, taken)


async def _accepted(call: Call) -> Taken | Reply:
    taking = threads.submit(accept.take, call)
    try:
        return await asyncio.wait_for(asyncio.wrap_future(taking), ACCEPT_SECONDS)
    except TimeoutError:
        taking.add_done_callback(lambda late: threads.aside(accept.give_up, late))
        raise


async def _carried_out(call: Call, taken: Taken) -> Handled:
    timing = dict(taken.delivery.timing_ms)
    try:
        with ExitStack() as waiting:
            waiter = outcome.expect(job.id for job in taken.prepared.jobs)
            queueing = threads.submit_queueing(accept.queue, taken, waiter, waiting)
            await _queued(queueing, taken.delivery, within=call.left_of(ANSWER_SECONDS))
            timing["queued"] = call.elapsed_ms()
            outcomes = await waiter.wait(call.left_of(taken.delivery.wait_seconds))
        reply = _reply(call, taken, outcomes, timing)
    except QueueDown:
        return Handled(replies.refusal(refused.unavailable(), taken.delivery))
    except Exception as error:
        known = isinstance(error, TimeoutError)
        log.warning("%s may have left, its outcome is open", taken.delivery.public_id, exc_info=not known)
        reply = _reply(call, taken, {}, timing)
    return Handled(reply, taken.delivery)


async def _queued(queueing: Future[None], delivery: Delivery, *, within: float) -> None:
    """Raises QueueDown when certainly nothing left, TimeoutError when nobody knows yet."""
    try:
        await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(queueing)), within)
    except TimeoutError:
        if queueing.cancel():  # it had not even begun
            threads.aside(journal.unqueued, delivery.pk)
            raise QueueDown from None
        raise


def _reply(call: Call, taken: Taken, outcomes: dict[str, Any], timing: dict[str, float]) -> Reply:
    told = {part["position"]: part["result"] for job in outcomes.values() for part in job["results"]}
    results = [told.get(order.position) or result_of(order) for order in taken.prepared.orders]
    timing = replies.merged_timing(timing, [job["timing_ms"] for job in outcomes.values()])
    timing["replied"] = call.elapsed_ms()
    url = present.result_url(call.user_id, call.token, taken.delivery.public_id)
    return replies.outcome(taken.delivery, results, timing, url)


def _note(handled: Handled, http_status: int) -> None:
    """Write down the answer beside the request, not before the caller has it."""
    if handled.delivery:
        body = handled.reply.body
        threads.aside(journal.answered, handled.delivery.pk, http_status, body["status"], body["timing_ms"])


async def result(request: HttpRequest, user_id: str, token: str, delivery: str) -> HttpResponse:
    """GET /webhook/{user_id}/{token}/{delivery}: the present result, in the shape of the answer."""
    if request.method not in ("GET", "HEAD"):
        return replies.refusal(refused.wrong_method("GET")).as_response()
    try:
        reply = await asyncio.wait_for(
            threads.run(_look, intake.source_of(request), user_id, token, delivery), ACCEPT_SECONDS
        )
    except Refused as no:
        reply = replies.refusal(no)
    except (*DATABASE_DOWN, redis.RedisError, TimeoutError):
        reply = replies.refusal(refused.busy())
    return reply.as_response()


def _look(source: str, user_id: str, token: str, public_id: str) -> Reply:
    throttle.admit_look(source)
    hook = accept.find_hook(user_id, token)
    wanted = Delivery.objects.of(hook.user).filter(hook=hook, public_id=public_id)
    delivery = wanted.select_related("user", "duplicate_of__user").first()
    if delivery is None:
        raise refused.no_such_hook()
    reply = replies.as_look(present.reply_for(delivery, present.result_url(user_id, token, public_id)))
    present.settle_one(delivery, reply.body["status"])
    return reply


async def nowhere(request: HttpRequest, **_: str) -> HttpResponse:
    """Whatever else begins with /webhook/ answers like an unknown hook."""
    return replies.refusal(refused.no_such_hook()).as_response()


# no session, no log-in, no CSRF: the token in the address is all
for _view in (receive, result, nowhere):
    setattr(_view, "bare", True)  # noqa: B010  (functions have no such attribute for mypy)
