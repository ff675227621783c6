"""A no before anything was queued, with the HTTP status that goes with it."""

from __future__ import annotations

from typing import Any

from execution.rejection import Rejection, error_object
from webhooks.syntax.errors import storable

#: refusals that are about what the user may do, not about what the message says
FORBIDDEN = frozenset(
    {"BLOCKED_BY_RULE", "LIMIT_BY_PLAN", "ACCOUNT_PAUSED", "HOOK_PAUSED", "SOURCE_NOT_ALLOWED"}
)


class Refused(Exception):
    """`error` is the `error` object of http.md, as far as it is known where it is raised."""

    def __init__(self, status: int, error: dict[str, Any], **headers: str) -> None:
        super().__init__(error["code"])
        self.status = status
        self.error = error
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def no_such_hook() -> Refused:
    """One answer for an unknown user, an unknown token, and another user's delivery."""
    return _refused(404, "UNKNOWN_HOOK", "there is no such webhook", "copy the URL again from the hooks page")


def wrong_method(allowed: str) -> Refused:
    hint = "curl -d 'BTCUSDT on Binance_F market long 0.01' URL"
    message = f"this address takes {allowed}: send the command as the body of a {allowed} request"
    if allowed == "GET":
        message, hint = "this address shows the result of a delivery: ask for it with GET", "curl URL"
    return _refused(405, "WRONG_METHOD", message, hint, Allow=allowed)


def too_many(wait_seconds: int, who: str) -> Refused:
    message = f"too many messages {who}"
    hint = f"wait {wait_seconds} s"
    return _refused(429, "TOO_MANY", message, hint, Retry_After=str(wait_seconds))


def unavailable() -> Refused:
    message = "flipr could not queue the message: nothing was sent to any exchange"
    return _refused(503, "UNAVAILABLE", message, "send it again in a few seconds", Retry_After="5")


def busy() -> Refused:
    return _refused(503, "UNAVAILABLE", "the result cannot be read now", "ask again", Retry_After="5")


def too_large(limit: int) -> Refused:
    # The rest of the body is not read, so the connection cannot be used again.
    message = f"the message is longer than {limit:,} bytes"
    return _refused(413, "MESSAGE_TOO_LONG", message, "send fewer commands at once", Connection="close")


def unreadable() -> Refused:
    message = "flipr failed to read this message, which is a mistake of flipr: nothing was sent"
    return _refused(
        400, "UNREADABLE", message, "write it another way; sending it again as it is will not help"
    )


def mistaken() -> Refused:
    """No 503, and no time to come back at: the same message most likely meets the same mistake."""
    message = "flipr itself failed before the message was queued: nothing was sent to any exchange"
    return _refused(500, "FLIPR_FAILED", message, "it is in flipr's log; sending it again will hardly help")


def hook_closed(reason: str) -> Refused:
    return _refused(403, "HOOK_PAUSED", reason, "see the hooks page; nothing was sent")


def source_refused(address: str) -> Refused:
    message = f"this hook takes nothing from {address or 'an unknown address'}"
    return _refused(403, "SOURCE_NOT_ALLOWED", message, "add the address to the hook's allowed sources")


def bad_option(name: str, message: str, hint: str) -> Refused:
    """The message repeats what the address or a header said, which may be anything."""
    return _refused(400, name, storable(message), hint)


def stale(age_seconds: float, limit_seconds: float) -> Refused:
    message = f"the message is {age_seconds:.1f} s old, and valid for {limit_seconds:g} s"
    return _refused(409, "STALE", message, "nothing was sent; raise valid if such delays are acceptable")


def from_the_future(ahead_seconds: float) -> Refused:
    message = f"the message says it was sent {ahead_seconds:.1f} s from now"
    return _refused(409, "SENT_IN_FUTURE", message, "set the sender's clock, and write sent in UTC")


def id_reused(key: str) -> Refused:
    message = f'the id "{key}" belongs to another message, which came through another hook: nothing was sent'
    return _refused(409, "ID_REUSED", message, "put the name of the hook or of the strategy into the id")


def by_execution(rejection: Rejection) -> Refused:
    return Refused(403 if rejection.code in FORBIDDEN else 422, rejection.as_error())


def _refused(status: int, code: str, message: str, hint: str, **headers: str) -> Refused:
    return Refused(status, error_object(code, message, hint), **headers)
