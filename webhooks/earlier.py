"""Whether a message has been here before: by its id, as a resend after a failure, or within its `once`."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q

from execution.brokers import region_redis
from webhooks.models import CLIENT_LEFT, NEVER_QUEUED, Delivery, DeliveryStatus

#: TradingView sends again 5 s after a 5xx, three times at most
RESEND_WINDOW = timedelta(seconds=25)

#: nobody answered, or with a failure, or the caller had hung up
_UNANSWERED = Q(http_status__isnull=True) | Q(http_status__gte=CLIENT_LEFT)


class Repeated(Exception):
    """It is `first` once more; its result is the answer."""

    def __init__(self, first: Delivery) -> None:
        super().__init__(first.public_id)
        self.first = first


def first_of(delivery: Delivery) -> Delivery | None:
    """The delivery that this one repeats. Without an id, what was answered well does not count: equal messages
    may be meant (pyramiding)."""
    if delivery.key:
        return with_key(delivery)
    unanswered = Delivery.objects.filter(
        _UNANSWERED,
        hook=delivery.hook,
        body_digest=delivery.body_digest,
        created_at__gt=delivery.created_at - RESEND_WINDOW,
        duplicate_of=None,
        dry_run=False,
        key="",
    )
    # The oldest first: of two equal alerts that both failed, each resend is taken for another one.
    return next((each for each in unanswered.order_by("public_id")[:20] if _lost(each)), None)


def _lost(delivery: Delivery) -> bool:
    """Its caller got no answer, or a failure. One whose answer is still being worked on is not lost: then the
    equal message is another one."""
    return delivery.http_status is not None or not _is_alive(delivery.taken_by)


def _is_alive(channel: str) -> bool:
    """A web process listens on its reply channel for as long as it lives. Raises redis.RedisError."""
    region = next(iter(settings.BROKER_URLS))
    [(_, listeners)] = region_redis(region).pubsub_numsub(channel)
    return bool(listeners)


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
    return Delivery.objects.filter(user=delivery.user, key=delivery.key).first()


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
