"""From a call to its reply: one thread takes the message in and queues it, the event loop keeps the time.

Whatever goes wrong, the caller is told in time, and never 503 once something may have left."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from execution import mishap, outcome
from execution.dispatch import QueueDown
from execution.outcome import Waiter
from execution.results import result_of
from webhooks import accept, journal, present, refused, replies, threads
from webhooks.accept import PASSING, Taken
from webhooks.intake import Call
from webhooks.journal import Answer
from webhooks.models import Delivery
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


def begin(call: Call) -> asyncio.Task[Handled]:
    """Work that goes on when the caller hangs up: that does not take back what was asked for."""
    crossing = Crossing(call)
    crossed = threads.submit(cross, crossing, asyncio.get_running_loop())
    work = asyncio.create_task(_handle(crossing, crossed))
    _at_work.add(work)
    work.add_done_callback(_at_work.discard)
    return work


async def finish(seconds: float) -> None:
    """Wait, at most so long, for what callers who hung up have asked for."""
    if _at_work:
        await asyncio.wait(_at_work, timeout=seconds)


def note(handled: Handled, http_status: int) -> None:
    """Write down the answer once the caller has it. A process that dies before leaves a delivery without an answer:
    the next equal message is taken for its resend, and nothing is sent twice."""
    if handled.delivery:
        body = handled.reply.body
        answer = Answer(handled.delivery.pk, http_status, body["status"], body["timing_ms"], timezone.now())
        journal.answered(answer)


@dataclass
class Crossing:
    """How far the thread has come with a call. Once it goes ahead something may leave; before that, the caller can be
    told that nothing will."""

    call: Call
    taken: Taken | None = None
    waiter: Waiter | None = None
    given_up: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def go_ahead(self, taken: Taken, waiter: Waiter) -> bool:
        """Said by the thread before it queues anything; False when it must not."""
        with self._lock:
            if not self.given_up:
                self.taken, self.waiter = taken, waiter
            return not self.given_up

    def give_up(self) -> bool:
        """Said by the event loop; False when it is too late for that."""
        with self._lock:
            self.given_up = self.taken is None
            return self.given_up


def cross(crossing: Crossing, loop: asyncio.AbstractEventLoop) -> Reply | None:
    """The thread's part: rows, then queue. A Reply when there is nothing to queue. Raises QueueDown: nothing left."""
    if crossing.given_up:
        return None  # it waited too long for a thread: work for nobody would make those behind it wait too long as well
    taken = accept.take(crossing.call)
    if isinstance(taken, Reply):
        return taken
    waiter = outcome.expect({job.id: job.region for job in taken.prepared.jobs}, loop)
    if not crossing.go_ahead(taken, waiter):
        accept.call_off(taken)
        return None
    waiter.begin()
    accept.queue(taken)
    taken.delivery.timing_ms["queued"] = crossing.call.elapsed_ms()
    return None


async def _handle(crossing: Crossing, crossed: Future[Reply | None]) -> Handled:
    """Every way through ends in a reply: 503 (500 for a mistake of ours) while nothing can have left, never a 5xx after
    that."""
    try:
        reply = await _crossed(crossing, asyncio.wrap_future(crossed))
        return Handled(reply) if reply else await _carried_out(crossing)
    except GivenUp:
        crossed.add_done_callback(lambda late: threads.aside(_unheard, late))
        return Handled(replies.refusal(refused.unavailable()))
    except Exception as error:  # noqa: BLE001  (logged there)
        return _failed(crossing, error)
    finally:
        if crossing.waiter:
            crossing.waiter.end()


class GivenUp(Exception):
    """The caller is told that nothing was sent, and nothing will be."""


async def _crossed(crossing: Crossing, crossed: asyncio.Future[Reply | None]) -> Reply | None:
    """Raises GivenUp, what `cross` raises, and TimeoutError when the queue does not say whether it has the jobs."""
    await asyncio.wait([crossed], timeout=ACCEPT_SECONDS)
    if not crossed.done() and crossing.give_up():
        log.warning("a message was not taken in within %s s", ACCEPT_SECONDS)
        raise GivenUp
    if not crossed.done():
        await asyncio.wait([crossed], timeout=crossing.call.left_of(ANSWER_SECONDS))
    if not crossed.done():
        raise TimeoutError
    return crossed.result()


async def _carried_out(crossing: Crossing) -> Handled:
    assert crossing.taken is not None
    assert crossing.waiter is not None
    wait_seconds = crossing.taken.delivery.wait_seconds
    outcomes = await crossing.waiter.wait(crossing.call.left_of(wait_seconds))
    return Handled(_reply(crossing.call, crossing.taken, outcomes), crossing.taken.delivery)


def _failed(crossing: Crossing, error: Exception) -> Handled:
    taken = crossing.taken
    if isinstance(error, QueueDown) or (taken is None and isinstance(error, PASSING)):
        log.warning("a message could not be queued: %s", type(error).__name__)
        return Handled(replies.refusal(refused.unavailable(), taken.delivery if taken else None))
    if taken is None:
        log.error("a message could not be taken in: %s", mishap.told(error))
        return Handled(replies.refusal(refused.mistaken()))
    why = "no answer in time" if isinstance(error, TimeoutError) else mishap.told(error)
    log.warning("%s may have left, its outcome is open: %s", taken.delivery.public_id, why)
    return Handled(_reply(crossing.call, taken, {}), taken.delivery)


def _unheard(late: Future[Reply | None]) -> None:
    """The caller was told 503 before the thread knew better: the first of a repeat must not look as if it had been
    answered, or the next resend would be carried out. (What was to be queued, the thread itself has called off.)"""
    reply = None if late.cancelled() or late.exception() else late.result()
    if reply and reply.body.get("duplicate"):
        journal.unheard(str(reply.body["delivery"]))


def _reply(call: Call, taken: Taken, outcomes: dict[str, Any]) -> Reply:
    told = {part["position"]: part["result"] for job in outcomes.values() for part in job["results"]}
    results = [told.get(order.position) or result_of(order) for order in taken.prepared.orders]
    timing = replies.merged_timing(taken.delivery.timing_ms, [job["timing_ms"] for job in outcomes.values()])
    timing["replied"] = call.elapsed_ms()
    url = present.result_url(call.user_id, call.token, taken.delivery.public_id)
    return replies.outcome(taken.delivery, results, timing, url)
