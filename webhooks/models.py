"""Deliveries: every POST that reached a hook, what was answered, and how long each step took."""

from __future__ import annotations

import hashlib
import secrets
import time
from datetime import datetime
from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Hook, Owned, User
from execution.ids import CROCKFORD

KEY_LENGTH = 200


class DeliveryStatus(StrEnum):
    """DONE, PARTIAL, REJECTED and WORKING are http.md's. REFUSED: answered with 4xx before anything was queued.
    DUPLICATE: not carried out, because `duplicate_of` was. UNQUEUED: answered 503, or 500 for a mistake
    of ours, and certainly not carried out."""

    WORKING = "working"
    DONE = "done"
    PARTIAL = "partial"
    REJECTED = "rejected"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    UNQUEUED = "unqueued"


#: nothing of these was ever handed to a region
NEVER_QUEUED = (DeliveryStatus.REFUSED, DeliveryStatus.DUPLICATE, DeliveryStatus.UNQUEUED)

#: the caller hung up before the answer, in nginx's numbering
CLIENT_LEFT = 499


def delivery_statuses() -> list[tuple[str, str]]:
    return [(status.value, status.value) for status in DeliveryStatus]


def new_delivery_id(now_ms: int | None = None) -> str:
    """`d_` and 26 characters: 48 bits of time, so that ids sort, and 80 random ones, so that none can be guessed."""
    number = (now_ms or time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "d_" + "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5)).lower()


def body_digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=16).hexdigest()


class Delivery(models.Model):
    """One POST. Its orders are in `execution`, found by `public_id`; job ids derive from it too, so that one
    delivery can be carried out only once."""

    public_id = models.CharField(max_length=32, default=new_delivery_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    hook = models.ForeignKey(
        Hook, on_delete=models.SET_NULL, null=True, related_name="deliveries", db_index=False
    )
    body = models.TextField(blank=True)
    body_digest = models.CharField(max_length=32, editable=False)
    content_type = models.CharField(max_length=100, blank=True)
    source = models.GenericIPAddressField(null=True)
    #: `id` of the message or Idempotency-Key; kept only when there was something to queue
    key = models.CharField(max_length=KEY_LENGTH, blank=True)
    dry_run = models.BooleanField(default=False)
    wait_seconds = models.FloatField(default=0)
    status = models.CharField(max_length=12, choices=delivery_statuses, default=DeliveryStatus.WORKING)
    #: what was answered; empty until then
    http_status = models.PositiveSmallIntegerField(null=True)
    error = models.JSONField(null=True)
    duplicate_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="duplicates", db_index=False
    )
    #: the reply channel of the web process that took it: tells whether somebody still works on the answer
    taken_by = models.CharField(max_length=40, blank=True)
    #: more than 1 when a resend carried out what could not be queued at first
    attempts = models.PositiveSmallIntegerField(default=1)
    #: milliseconds from receipt, by step
    timing_ms = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)

    objects = Owned.as_manager()

    class Meta:
        ordering = ["-public_id"]
        verbose_name_plural = "deliveries"
        # Every index is written with every delivery: none twice, and none for LIKE, which nobody asks.
        constraints = [
            models.UniqueConstraint(fields=["public_id"], name="delivery_public_id_once"),
            # of two simultaneous posts with one id, one waits here for the other's commit, and loses
            models.UniqueConstraint(fields=["user", "key"], name="delivery_key_once", condition=~Q(key="")),
        ]
        indexes = [
            models.Index(fields=["user", "-public_id"], name="delivery_user_recent"),
            models.Index(fields=["hook", "-public_id"], name="delivery_hook_recent"),
            models.Index(
                fields=["duplicate_of"], name="delivery_duplicates", condition=Q(duplicate_of__isnull=False)
            ),
            # `once`
            models.Index(fields=["hook", "body_digest", "created_at"], name="delivery_body"),
            # the resend rule: few rows, looked at by every POST
            models.Index(
                fields=["hook", "body_digest"],
                name="delivery_unanswered",
                condition=Q(http_status__isnull=True) | Q(http_status__gte=CLIENT_LEFT),
            ),
            models.Index(fields=["user"], name="delivery_working", condition=Q(status="working")),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} ({self.status})"

    @property
    def answered_well(self) -> bool:
        return self.http_status is not None and self.http_status < CLIENT_LEFT

    @property
    def received_at(self) -> datetime:
        return self.created_at
