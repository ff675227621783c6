"""Hooks: create, rotate, show again, switch, delete."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from accounts import tokens
from accounts.flows.saving import save_named
from accounts.models import Hook, StopPolicy, User, new_public_id

GRACE = timedelta(hours=24)
NO_GRACE = timedelta(0)
_USE_RECORDED_EVERY = timedelta(minutes=1)
_TAKEN = "You already have a hook with this name."


def create_hook(user: User, name: str, *, stop_policy: str = StopPolicy.CLOSE) -> tuple[Hook, str]:
    """The hook and its token."""
    token, public_id = tokens.new_token(), new_public_id()
    hook = Hook(
        user=user,
        public_id=public_id,
        name=name.strip(),
        stop_policy=stop_policy,
        token_digest=tokens.digest(token),
        token_sealed=tokens.seal_token(token, user=user.public_id, hook=public_id),
    )
    save_named(hook, "name", _TAKEN)
    return hook, token


def rotate_hook_token(hook: Hook, *, grace: timedelta = GRACE) -> str:
    """A new token. The one before works for `grace` more, so that alerts can be changed in peace; zero ends it
    at once. An older one, still in its own grace, ends now."""
    token = tokens.new_token()
    hook.previous_digest = hook.token_digest if grace else None
    hook.previous_until = timezone.now() + grace if grace else None
    hook.token_digest = tokens.digest(token)
    hook.token_sealed = tokens.seal_token(token, user=hook.user.public_id, hook=hook.public_id)
    hook.save(update_fields=["previous_digest", "previous_until", "token_digest", "token_sealed"])
    return token


def show_token(hook: Hook) -> str:
    """The token again; the caller has made sure that the user authenticated a moment ago."""
    return tokens.open_token(hook.token_sealed, user=hook.user.public_id, hook=hook.public_id)


def hook_url(hook: Hook, token: str) -> str:
    return f"{settings.PUBLIC_URL}/webhook/{hook.user.public_id}/{token}"


def change_hook(hook: Hook, *, name: str, stop_policy: str, allowed_sources: Iterable[str]) -> None:
    """Raises ValidationError, by field."""
    hook.name, hook.stop_policy = name.strip(), stop_policy
    hook.allowed_sources = [_source(text) for text in allowed_sources]
    save_named(hook, "name", _TAKEN)


def enable_hook(hook: Hook) -> None:
    _switch(hook, on=True)


def disable_hook(hook: Hook) -> None:
    _switch(hook, on=False)


def delete_hook(hook: Hook) -> None:
    hook.delete()


def hook_used(hook: Hook) -> None:
    """Note the use, at most one write a minute: the webhook's path should not pay for a date on a page."""
    now = timezone.now()
    stale = now - _USE_RECORDED_EVERY
    if hook.last_used_at is None or hook.last_used_at < stale:
        unseen = Q(last_used_at__isnull=True) | Q(last_used_at__lt=stale)
        Hook.objects.filter(unseen, pk=hook.pk).update(last_used_at=now)
        hook.last_used_at = now


def _switch(hook: Hook, *, on: bool) -> None:
    hook.enabled = on
    hook.save(update_fields=["enabled"])


def _source(text: str) -> str:
    try:
        network = ipaddress.ip_network(text.strip())
    except ValueError:
        raise ValidationError(
            {
                "allowed_sources": f"{text.strip()!r} is not an address like 203.0.113.7 or a range like 203.0.113.0/24."
            }
        ) from None
    return str(network.network_address) if network.num_addresses == 1 else str(network)
