"""What must be set before a server, a worker or a migration may start; reported all at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import django
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register, run_checks
from django.core.exceptions import ImproperlyConfigured

KEYS_HINT = "`python -m flipr.keys` prints a complete set of new keys."

WEB = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "VAULT_PUBLIC_KEY", "WEB_KEYS", "TOKEN_DIGEST_KEY")
WORKER = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "VAULT_PUBLIC_KEY", "VAULT_PRIVATE_KEYS", "FLIPR_REGION")
BEAT = ("SECRET_KEY", "REDIS_URL")

REMEDIES = {
    "DATABASE_URL": "Set it to postgresql://USER:PASSWORD@HOST/NAME.",
    "REDIS_URL": "Set it to redis://HOST:6379/0.",
    "FLIPR_REGION": "A worker serves one region: set it to eu, tokyo or singapore.",
}
EMBEDDED_HINT = "To try it without servers of your own: `python -m flipr.embedded COMMAND`, or `make demo`."


def missing(names: Iterable[str]) -> list[str]:
    return [name for name in names if not _value(name)]


@register()
def environment(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None, **kwargs: Any
) -> list[CheckMessage]:
    """The web tier's needs, for `check`, `migrate` and `runserver`; in a region, the worker's."""
    names = WORKER if settings.REGION else WEB
    return [
        Error(f"{name} is not set.", hint=REMEDIES.get(name, KEYS_HINT), id=f"flipr.E{number:03}")
        for number, name in enumerate(names, start=1)
        if not _value(name)
    ]


def require(role: str, names: Iterable[str]) -> None:
    """Stop the process with one readable list of what is missing, or else of what is wrong. For what Django's
    checks do not cover by themselves: uvicorn and Celery."""
    if absent := missing(names):
        lines = [f"{name} is not set. {REMEDIES.get(name, KEYS_HINT)}" for name in absent]
        _stop(role, [*lines, EMBEDDED_HINT])
    django.setup()
    if wrong := [each for each in run_checks(tags=[Tags.security]) if each.is_serious()]:
        _stop(role, [f"{each.msg} {each.hint or ''}".rstrip() for each in wrong])


def _stop(role: str, lines: Iterable[str]) -> NoReturn:
    raise SystemExit("\n  ".join([f"{role} cannot start.", *lines]))


def _value(name: str) -> object:
    if name == "DATABASE_URL":
        return settings.DATABASES["default"].get("NAME")
    try:
        return getattr(settings, "REGION" if name == "FLIPR_REGION" else name)
    except ImproperlyConfigured:  # Django's answer to an empty SECRET_KEY
        return ""
