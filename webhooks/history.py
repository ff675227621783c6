"""The user's deliveries, newest first, page by page. Every look-up starts from the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.models import User
from webhooks.models import Delivery

_NARROWED_BY = {"hook": "hook__public_id", "status": "status", "before": "public_id__lt"}


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is the `before` of the following page, "" on the last one."""

    deliveries: list[Delivery]
    next: str


def page(user: User, asked: Mapping[str, str], length: int) -> Page:
    """`asked`: hook and status to narrow it, `before` (a delivery's id) to go on."""
    wanted = {field: asked.get(name, "").replace("\0", "") for name, field in _NARROWED_BY.items()}
    rows = Delivery.objects.of(user).filter(**{field: value for field, value in wanted.items() if value})
    shown = list(rows.select_related("hook", "duplicate_of").order_by("-public_id")[: length + 1])
    return Page(shown[:length], shown[length - 1].public_id if len(shown) > length else "")
