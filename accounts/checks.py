"""Whether the keys a process holds fit its role. `flipr.checks` says which are missing; this says which are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from accounts import tokens, vault


@checks.register(checks.Tags.security)
def keys(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    found: list[checks.CheckMessage] = []
    if settings.VAULT_PRIVATE_KEYS and not settings.REGION:
        found.append(
            checks.Warning(
                "This process serves no region but holds VAULT_PRIVATE_KEYS.",
                hint="Web servers must not be able to open exchange keys: set it for region workers only.",
                id="accounts.W001",
            )
        )
    return found + _readable()


def _readable() -> list[checks.CheckMessage]:
    found: list[checks.CheckMessage] = []
    try:
        if settings.VAULT_PUBLIC_KEY:
            vault.current_kid()
        vault.holds_private_key()
    except vault.VaultError as error:
        found.append(checks.Error(str(error), id="accounts.E001"))
    try:
        if settings.WEB_KEYS:
            tokens.current_kid()
    except ValueError as error:
        found.append(checks.Error(f"WEB_KEYS: {error}", id="accounts.E002"))
    return found
