"""The secret of a hook URL: made, digested for look-up, and sealed with the web tier's own key for showing it again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.utils import timezone

from accounts.keyring import KeyringError, context, read_keys, read_sealed, sealed_text
from accounts.models import PUBLIC_ID_LENGTH, Hook, User
from accounts.statements import Columns, Query, select, table

TOKEN_BYTES = 32
_NONCE_BYTES = 12
_PURPOSE = "flipr hook token 1"
_NOBODY = "0" * PUBLIC_ID_LENGTH


class TokenError(Exception):
    """A sealed token could not be opened. Never says anything of the token."""


def new_token() -> str:
    """256 bits, safe in a URL."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def digest(token: str) -> str:
    """64 hex digits, keyed: a stolen database does not even tell whether a guessed token is right."""
    return _digest(token, b"flipr hook")


def api_digest(token: str) -> str:
    """The same for API tokens; another person string, so that one kind never passes for the other."""
    return _digest(token, b"flipr api")


def same(one: str, other: str) -> bool:
    """Equality in constant time for any text."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))


def seal_token(token: str, *, user: str, hook: str) -> str:
    """`kid.base64` under the first of WEB_KEYS, bound to its hook."""
    kid, key = next(iter(_web_keys(settings.WEB_KEYS).items()))
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return sealed_text(kid, nonce + key.encrypt(nonce, token.encode(), context(_PURPOSE, user, hook)))


def open_token(sealed: str, *, user: str, hook: str) -> str:
    """The token again. Raises TokenError."""
    try:
        kid, blob = read_sealed(sealed)
        key = _web_keys(settings.WEB_KEYS)[kid]
        plain = key.decrypt(blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], context(_PURPOSE, user, hook))
    except KeyError:
        raise TokenError("the key that sealed this token is not among WEB_KEYS") from None
    except (InvalidTag, ValueError):
        raise TokenError("the sealed token is damaged or belongs to another hook") from None
    return plain.decode()


def current_kid() -> str:
    """The id of the key that `seal_token` uses now."""
    return next(iter(_web_keys(settings.WEB_KEYS)))


def _digest(token: str, person: bytes) -> str:
    key = base64.b64decode(settings.TOKEN_DIGEST_KEY)
    return hashlib.blake2b(token.encode(errors="replace"), key=key, digest_size=32, person=person).hexdigest()


@lru_cache(maxsize=8)
def _web_keys(setting: str) -> dict[str, AESGCM]:
    keys = {kid: AESGCM(raw) for kid, raw in read_keys(setting).items()}
    if not keys:
        raise KeyringError("WEB_KEYS is empty")
    return keys


def find_hook(user_public_id: str, token: str) -> Hook | None:
    """The hook of a webhook URL, with its user, or None. One query on two unique indexes, and the same work for an
    unknown token as for a right token under another user's id. A paused user's or switched-off hook is found:
    see `Hook.closed_because`."""
    return read_hook(user_public_id, select(*hook_query(token)))


def hook_query(token: str) -> Query:
    hooks, users = _hook_columns()
    sql, params = hook_named(token)
    return (
        f"SELECT {hooks.sql}, {users.sql} FROM ({sql}) h JOIN {table(User)} u ON u.id = h.user_id",  # noqa: S608
        params,
    )


def hook_named(token: str, columns: str = "*") -> Query:
    """The row of a token's hook, for use inside other queries. All names in it are our own."""
    wanted = digest(token)
    sql = (
        f"SELECT {columns} FROM {table(Hook)} "  # noqa: S608
        "WHERE token_digest = %s OR (previous_digest = %s AND previous_until > %s) LIMIT 1"
    )
    return sql, (wanted, wanted, timezone.now())


def opens(hook: Hook, wanted: str) -> bool:
    """Whether a token of this digest opens the hook now."""
    if same(hook.token_digest, wanted):
        return True
    until = hook.previous_until
    return until is not None and until > timezone.now() and same(hook.previous_digest or "", wanted)


def read_hook(user_public_id: str, rows: Sequence[Sequence[Any]]) -> Hook | None:
    """What `hook_query` found, if the user is the right one."""
    hooks, users = _hook_columns()
    hook: Hook | None = None
    for values in rows:
        hook = hooks.row(values[: hooks.count])
        hook.user = users.row(values[hooks.count :])
    right_user = same(hook.user.public_id if hook else _NOBODY, user_public_id)
    return hook if hook and right_user else None


@cache
def _hook_columns() -> tuple[Columns, Columns]:
    return Columns(Hook, "h", without=["token_sealed"]), Columns(User, "u", without=["password"])
