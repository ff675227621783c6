"""A definite no that points at the word that caused it: of our own before anything is sent, or the exchange's."""

from __future__ import annotations

from typing import Any

from exchanges.errors import ExchangeError
from execution.amounts import Span


class Rejection(Exception):
    """`code` is one of the second-stage codes of the language; `hint` names the remedy. `told`: what the exchange
    said, where it was the one to refuse and we know which word it was about."""

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        span: Span | None = None,
        told: ExchangeError | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.span = span
        self.told = told

    def as_error(self) -> dict[str, Any]:
        told = self.told
        return error_object(
            self.code,
            self.message,
            self.hint,
            span=self.span,
            exchange_code=told.code if told else "",
            exchange_message=told.exchange_message if told else "",
        )


def error_object(
    code: str,
    message: str,
    hint: str = "",
    *,
    span: Span | None = None,
    exchange_code: str = "",
    exchange_message: str = "",
) -> dict[str, Any]:
    """The `error` of a result (http.md)."""
    error: dict[str, Any] = {"code": code, "message": message, "hint": hint}
    if exchange_code or exchange_message:
        error |= {"exchange_code": exchange_code, "exchange_message": exchange_message}
    if span:
        error |= {"line": span.line, "column": span.column, "length": span.length}
    return error


HINTS = {
    "KEY_REFUSED": "check the key on the account's page: its rights, its address lock, and whether it was replaced",
    "NOT_ENOUGH_BALANCE": "lower the size, or add funds",
    "THROTTLED": "the exchange limits requests: try again after the time given",
    "NOT_SENT": "nothing was sent: it is safe to send the message again",
    "EXPIRED": "send it again if it is still wanted",
    "OUTCOME_UNKNOWN": "flipr asks the exchange until the outcome is known; do not send it again",
    "MAINTENANCE": "the exchange is under maintenance: try again when it is back",
    "EXCHANGE_DOWN": "nothing was sent: send it again when the status page shows the exchange as operational",
    "WOULD_TRIGGER": "the price has already crossed the level",
}


def exchange_error(error: ExchangeError, span: Span | None = None) -> dict[str, Any]:
    """The same for what the exchange, or the way to it, said."""
    return error_object(
        error.kind,
        error.message,
        HINTS.get(error.kind, ""),
        span=span,
        exchange_code=error.code,
        exchange_message=error.exchange_message,
    )
