"""The user's orders, newest first, page by page. Every look-up starts from the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.models import User
from execution.models import Order, Transition


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is the `before` of the following page, "" on the last one."""

    orders: list[Order]
    next: str


def orders_of(user: User) -> QuerySet[Order]:
    return Order.objects.filter(user=user).select_related("account", "bracket")


def page(user: User, asked: Mapping[str, str], length: int) -> Page:
    """`asked`: status, venue, symbol to narrow it, `before` (an order's token) to go on."""
    rows = orders_of(user)
    for name in ("status", "venue", "symbol"):
        if value := _text(asked, name):
            rows = rows.filter(**{name: value})
    before = _text(asked, "before")
    last = known(user, before) if before else None
    if last:
        rows = rows.filter(Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk))
    shown = list(rows.order_by("-created_at", "-pk")[: length + 1])
    return Page(shown[:length], shown[length - 1].token if len(shown) > length else "")


def known(user: User, token: str) -> Order | None:
    return orders_of(user).filter(token=token.replace("\0", "")).first()


def _text(asked: Mapping[str, str], name: str) -> str:
    return asked.get(name, "").replace("\0", "")  # which PostgreSQL does not take


def transitions_of(order: Order) -> list[Transition]:
    """How the order and its bracket came to where they are, oldest first."""
    of_both = Q(order=order) | Q(bracket=order.bracket_id) if order.bracket_id else Q(order=order)
    return list(Transition.objects.filter(of_both).order_by("at", "pk"))
