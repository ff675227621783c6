"""Writing down what became of a delivery. Every POST that reaches a hook leaves a row here."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import Hook
from webhooks import threads
from webhooks.bounds import BODY_LIMIT
from webhooks.intake import Call
from webhooks.models import Delivery, DeliveryStatus, body_digest, new_delivery_id
from webhooks.refused import Refused, unavailable

ANSWERS_AT_ONCE = 200

# What was found not to be queued after the answer stays so.
_ANSWERED = """
UPDATE webhooks_delivery d
SET http_status = v.http_status, status = v.status, timing_ms = v.timing_ms, answered_at = v.answered_at
FROM (VALUES {rows}) v (id, http_status, status, timing_ms, answered_at)
WHERE d.id = v.id AND d.status <> %s
"""


def draft(hook: Hook, call: Call) -> Delivery:
    """The row of a call, not saved yet."""
    return Delivery(
        public_id=new_delivery_id(int(call.received_ms)),
        user=hook.user,
        hook=hook,
        body=_readable(call.body),
        body_digest=body_digest(call.body),
        content_type=call.content_type,
        source=call.source or None,
        created_at=call.received_at,
    )


def _readable(body: bytes) -> str:
    """Text as it came; what is no text, or PostgreSQL cannot keep, in escapes."""
    return body[:BODY_LIMIT].decode(errors="backslashreplace").replace("\0", "\\x00")


def refuse(delivery: Delivery, refused: Refused) -> None:
    end(delivery, DeliveryStatus.REFUSED, refused.status, refused.error)


def repeat(delivery: Delivery, first: Delivery, http_status: int) -> None:
    """A POST that is not carried out because its first copy was. It answers for that one too."""
    delivery.duplicate_of = first
    end(delivery, DeliveryStatus.DUPLICATE, http_status)
    if not first.answered_well:
        Delivery.objects.filter(pk=first.pk).update(http_status=http_status, answered_at=timezone.now())


def unheard(first: str) -> None:
    """A repeat answered for its first, and the caller had hung up or was told 503: the next resend is one still."""
    Delivery.objects.filter(public_id=first).update(http_status=unavailable().status)


def end(
    delivery: Delivery, status: DeliveryStatus, http_status: int, error: dict[str, Any] | None = None
) -> None:
    """Save a delivery of which nothing was queued. Its id stays free: nothing was done under it."""
    delivery.key = ""
    delivery.status, delivery.http_status, delivery.error = status, http_status, error
    delivery.answered_at = timezone.now()
    delivery.save()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a delivery's caller was told."""

    delivery: int
    http_status: int
    status: str
    timing_ms: Mapping[str, float]
    at: datetime


_answers: deque[Answer] = deque()


def answered(answer: Answer) -> None:
    """Write it down beside the requests; what gathers while the database is asked is written by one statement."""
    _answers.append(answer)
    threads.aside(_write_answers)


def _write_answers() -> None:
    several = [_answers.popleft() for _ in range(min(len(_answers), ANSWERS_AT_ONCE))]
    if not several:
        return
    rows = ", ".join(["(%s::bigint, %s::smallint, %s, %s::jsonb, %s::timestamptz)"] * len(several))
    params = [
        value
        for each in several
        for value in (each.delivery, each.http_status, each.status, json.dumps(dict(each.timing_ms)), each.at)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERED.format(rows=rows), [*params, DeliveryStatus.UNQUEUED])


def unqueued(pk: int) -> None:
    """Certainly nothing left: a resend may carry it out."""
    no = unavailable()
    Delivery.objects.filter(pk=pk).update(
        http_status=no.status, status=DeliveryStatus.UNQUEUED, error=no.error, answered_at=timezone.now()
    )
