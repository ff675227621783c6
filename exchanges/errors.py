"""What can go wrong between flipr and an exchange. Each class says what the caller does about it.

ExchangeError
  NotSent           never reached the exchange              -> may be sent again while still fresh
    Unreachable       no connection could be opened         -> the same; the circuit counts it
    TooLate           it waited longer than it may          -> tell the user
  Refused           a definite no, nothing stands           -> tell the user
    AuthRefused       key, signature, permission, address   -> pause the account
    ClockRefused      timestamp outside the window          -> measure the clock, sign once more
    InsufficientFunds, InvalidOrder, UnknownSymbol, OrderNotFound, NothingToReduce,
    WouldTrigger (stop already crossed), PostOnlyRefused, ModeMismatch (one-way / hedge)
    DuplicateOrder    our client id is known there          -> fetch it: it is ours
    Throttled         documented as not processed           -> wait retry_after
    Maintenance       documented as not processed           -> open the circuit
      MarketPaused      one market of the exchange only       -> tell the user
  OutcomeUnknown    time-out, reset, 5xx, not JSON, unknown word -> reconcile by client id
  Unsupported       the venue cannot do this; raised before anything is sent
"""

from __future__ import annotations


class ExchangeError(Exception):
    """`message` is written for the user; `code` and `exchange_message` are the exchange's own words."""

    #: the code of the error object in the webhook's answer
    kind = "EXCHANGE_ERROR"

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        exchange_message: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.exchange_message = exchange_message
        self.retry_after = retry_after


class NotSent(ExchangeError):
    kind = "NOT_SENT"


class Unreachable(NotSent):
    """The exchange's side, or the way there, is down; a limit of our own is a plain NotSent."""


class TooLate(NotSent):
    kind = "EXPIRED"


class Refused(ExchangeError):
    kind = "REFUSED"


class AuthRefused(Refused):
    kind = "KEY_REFUSED"


class ClockRefused(Refused):
    kind = "CLOCK_REFUSED"


class InsufficientFunds(Refused):
    kind = "NOT_ENOUGH_BALANCE"


class InvalidOrder(Refused):
    kind = "INVALID_ORDER"


class WouldTrigger(InvalidOrder):
    kind = "WOULD_TRIGGER"


class PostOnlyRefused(InvalidOrder):
    kind = "POST_ONLY_REFUSED"


class NothingToReduce(InvalidOrder):
    kind = "NO_POSITION"


class ModeMismatch(InvalidOrder):
    kind = "POSITION_MODE"


class UnknownSymbol(Refused):
    kind = "UNKNOWN_SYMBOL"


class OrderNotFound(Refused):
    kind = "ORDER_NOT_FOUND"


class DuplicateOrder(Refused):
    kind = "DUPLICATE_ORDER"


class Throttled(Refused):
    kind = "THROTTLED"


class Maintenance(Refused):
    kind = "MAINTENANCE"


class MarketPaused(Maintenance):
    """The rest of the exchange trades."""


class NotModified(Refused):
    """The setting already has the value asked for: callers that set it treat this as success."""

    kind = "NOT_MODIFIED"


class OutcomeUnknown(ExchangeError):
    kind = "OUTCOME_UNKNOWN"


class Unsupported(ExchangeError):
    kind = "NOT_SUPPORTED"
