"""What support does with a user. Signing up, confirming and resetting is django-allauth's."""

from __future__ import annotations

from accounts.models import User


def pause_user(user: User, reason: str) -> None:
    """Nothing new is traded for this user; the reason is shown on their pages and to their hooks' callers."""
    user.is_paused, user.pause_reason = True, reason[:200]
    user.save(update_fields=["is_paused", "pause_reason"])


def resume_user(user: User) -> None:
    user.is_paused, user.pause_reason = False, ""
    user.save(update_fields=["is_paused", "pause_reason"])
