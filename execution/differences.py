"""Where an exchange and flipr did not agree: written down once, told in the log, shown to the user."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q

from accounts.models import Account, User
from execution.jobs import plain
from execution.models import Bracket, Difference, DifferenceKind, Order

log = logging.getLogger(__name__)
SHOWN = 20
_SHOWN_WITH = ("account", "order", "bracket")


@dataclass(frozen=True, slots=True)
class Gap:
    """Signed quantities, long above zero."""

    venue: str
    instrument: str
    kind: DifferenceKind
    believed: Decimal
    found: Decimal
    why: str


def record(account: Account, gap: Gap, bracket: Bracket | None = None) -> None:
    order = (
        Order.objects.filter(account=account, venue=gap.venue, instrument=gap.instrument)
        .order_by("-created_at")
        .first()
    )
    Difference.objects.create(
        user_id=account.user_id,
        account=account,
        venue=gap.venue,
        instrument=gap.instrument,
        kind=gap.kind,
        believed=gap.believed,
        found=gap.found,
        why=gap.why,
        order=order,
        bracket=bracket,
    )
    log.warning(
        "account %s, %s on %s: %s believed, %s found (%s)",
        account.public_id,
        gap.instrument,
        gap.venue,
        plain(gap.believed),
        plain(gap.found),
        gap.why,
    )


def of_user(user: User, account: str = "") -> list[Difference]:
    """The latest of a user, or of one account (its public id)."""
    rows = Difference.objects.filter(user=user).select_related(*_SHOWN_WITH)
    return list((rows.filter(account__public_id=account) if account else rows)[:SHOWN])


def of_order(order: Order) -> list[Difference]:
    """Those that came after an order, or that its bracket followed."""
    own = Q(order=order) | Q(bracket=order.bracket_id) if order.bracket_id else Q(order=order)
    return list(Difference.objects.filter(own, user_id=order.user_id).select_related(*_SHOWN_WITH)[:SHOWN])
