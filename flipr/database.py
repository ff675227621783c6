"""DATABASE_URL and REDIS_URL as Django wants them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def database(url: str) -> dict[str, Any]:
    """One entry of DATABASES from `postgresql://user:password@host:5432/name?sslmode=require`.

    A socket directory goes into the query: `postgresql:///name?host=/run/postgresql`. Query parameters
    are libpq's. An empty URL gives {}, Django's "no database". The password never appears in an error."""
    if not url:
        return {}
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured("DATABASE_URL cannot be read: write the port as a number.") from error
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured(
            "DATABASE_URL must begin with postgresql:// (only PostgreSQL is supported)."
        )
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ImproperlyConfigured("DATABASE_URL names no database: end it with /NAME.")
    options = {"connect_timeout": "3"}  # a webhook's caller waits for the answer
    options |= dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": options.pop("port", "") or (str(port) if port else ""),
        "OPTIONS": options,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }


def redis_url(name: str, url: str) -> str:
    """The URL if it is one of Redis. The password never appears in an error."""
    if url and not url.startswith(("redis://", "rediss://")):
        raise ImproperlyConfigured(f"{name} must begin with redis:// (or rediss:// for TLS).")
    return url
