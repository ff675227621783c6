"""Whether a message has been here before: by its id, as a resend after a failure, or within its `once`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from accounts.models import Hook
from accounts.statements import Query
from accounts.tokens import hook_named
from execution.brokers import region_redis
from execution.outcome import board
from webhooks.models import CLIENT_LEFT, NEVER_QUEUED, Delivery, DeliveryStatus, body_digest
from webhooks.refused import id_reused

#: TradingView sends again 5 s after a 5xx, three times at most
RESEND_WINDOW = timedelta(seconds=25)

# By hand, because every message asks it: building the query costs Django a millisecond, PostgreSQL a tenth of one.
_UNANSWERED = """
SELECT id FROM webhooks_delivery
WHERE hook_id = {hook} AND body_digest = %s AND (http_status IS NULL OR http_status >= %s)
  AND created_at > %s AND duplicate_of_id IS NULL AND NOT dry_run AND key = ''
  AND NOT (http_status IS NULL AND taken_by = %s)
ORDER BY public_id LIMIT 20
"""


class Repeated(Exception):
    """It is `first` once more; its result is the answer."""

    def __init__(self, first: Delivery) -> None:
        super().__init__(first.public_id)
        self.first = first


def unanswered(token: str, body: bytes, received_at: datetime) -> Query:
    """Equal messages of the last seconds whose callers got no answer, or a failure; not those that this process is
    answering now. The oldest first: of two equal alerts that both failed, each resend is taken for another one."""
    hook, params = hook_named(token, "id")
    return _UNANSWERED.format(hook=f"({hook})"), (*params, *_sought(body, received_at))


def unheard_of(hook: Hook, body: bytes, received_at: datetime) -> Query:
    """The condition that a message repeats none of them."""
    return f"NOT EXISTS ({_UNANSWERED.format(hook='%s')})", (hook.pk, *_sought(body, received_at))


def _sought(body: bytes, received_at: datetime) -> tuple[Any, ...]:
    return body_digest(body), CLIENT_LEFT, received_at - RESEND_WINDOW, board().channel


def first_of(delivery: Delivery, unanswered: Sequence[Sequence[Any]]) -> Delivery | None:
    """The delivery that this one repeats. Raises Refused (see `with_key`). Without an id, what was answered well does not count: equal messages
    may be meant (pyramiding). `unanswered`: what that query found."""
    if delivery.key:
        return with_key(delivery)
    if not unanswered:
        return None
    found = list(Delivery.objects.filter(pk__in=[pk for (pk,) in unanswered]).order_by("public_id"))
    at_work = _alive({each.taken_by for each in found if each.http_status is None})
    return next(
        (each for each in found if each.http_status is not None or each.taken_by not in at_work), None
    )


def _alive(channels: Collection[str]) -> set[str]:
    """Whose answers are still being worked on: then an equal message is another one, and no resend. A web process
    listens on its reply channel for as long as it lives. Raises redis.RedisError."""
    if not channels:
        return set()
    region = next(iter(settings.BROKER_URLS))
    return {str(channel) for channel, count in region_redis(region).pubsub_numsub(*channels) if count}


def check_once(delivery: Delivery, window: timedelta) -> None:
    """`once 60s`. Raises Repeated. Holds a lock until the transaction ends, so that of two at the same moment the
    second one sees the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", _lock_of(delivery))
    carried_out = Delivery.objects.filter(
        hook=delivery.hook,
        body_digest=delivery.body_digest,
        created_at__gt=delivery.created_at - window,
        dry_run=False,
    ).exclude(status__in=NEVER_QUEUED)
    if first := carried_out.order_by("public_id").first():
        raise Repeated(first)


def _lock_of(delivery: Delivery) -> tuple[str, int]:
    assert delivery.hook is not None
    return f"once:{delivery.body_digest}", delivery.hook.pk


def with_key(delivery: Delivery) -> Delivery | None:
    """The delivery that has this id. Raises Refused 409 when it is another hook's and another message: two strategies
    may write the same id, and the one must not be told what became of the other's order."""
    found = Delivery.objects.filter(user=delivery.user, key=delivery.key).first()
    if found and found.hook_id != delivery.hook_id and found.body_digest != delivery.body_digest:
        raise id_reused(delivery.key)
    return found


def claim_again(first: Delivery, delivery: Delivery) -> bool:
    """Take what could not be queued for another try. Of several resends one wins."""
    return bool(
        Delivery.objects.filter(pk=first.pk, status=DeliveryStatus.UNQUEUED).update(
            status=DeliveryStatus.WORKING,
            http_status=None,
            error=None,
            answered_at=None,
            body=delivery.body,
            body_digest=delivery.body_digest,
            taken_by=delivery.taken_by,
            timing_ms=delivery.timing_ms,
            wait_seconds=delivery.wait_seconds,
            attempts=first.attempts + 1,
        )
    )
