"""Tokens for programs that use the REST API. Shown once, kept as a digest."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from accounts import tokens
from accounts.flows.saving import save_named
from accounts.models import ApiToken, User

#: so that a leaked one is recognised for what it is by people and by secret scanners
PREFIX = "flipr_"
_USE_RECORDED_EVERY = timedelta(minutes=1)


def create_api_token(user: User, name: str) -> tuple[ApiToken, str]:
    """The row and the token, which cannot be shown again."""
    token = PREFIX + tokens.new_token()
    row = ApiToken(user=user, name=name.strip(), token_digest=tokens.api_digest(token))
    save_named(row, "name", "You already have a token with this name.")
    return row, token


def delete_api_token(row: ApiToken) -> None:
    row.delete()


def find_api_user(token: str) -> User | None:
    """Whose token it is, or None."""
    row = ApiToken.objects.select_related("user").filter(token_digest=tokens.api_digest(token)).first()
    if row is None or not row.user.is_active:
        return None
    now = timezone.now()
    unseen = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - _USE_RECORDED_EVERY)
    ApiToken.objects.filter(unseen, pk=row.pk).update(last_used_at=now)
    return row.user
