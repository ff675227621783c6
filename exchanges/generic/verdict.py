"""ccxt's exceptions as our classes. What ccxt does not name for certain stays unknown, or a plain refusal where the
exchange answered below HTTP 500.

The tree of its exceptions: https://docs.ccxt.com/#/README?id=exception-hierarchy (read 2026-11-22).
"""

from __future__ import annotations

from exchanges import errors
from exchanges.errors import ExchangeError, OutcomeUnknown, Refused

#: by name of ccxt's class; the nearest ancestor that is listed counts
CLASSES: dict[str, type[ExchangeError]] = {
    "InvalidNonce": errors.ClockRefused,
    "RateLimitExceeded": errors.Throttled,
    "DDoSProtection": errors.Throttled,
    "OnMaintenance": errors.Maintenance,
    "BadResponse": OutcomeUnknown,
    "RequestTimeout": OutcomeUnknown,
    "AuthenticationError": errors.AuthRefused,
    "InsufficientFunds": errors.InsufficientFunds,
    "OrderNotFound": errors.OrderNotFound,
    "DuplicateOrderId": errors.DuplicateOrder,
    "OrderImmediatelyFillable": errors.PostOnlyRefused,
    "InvalidOrder": errors.InvalidOrder,
    "BadSymbol": errors.UnknownSymbol,
    "BadRequest": errors.InvalidOrder,
    "ArgumentsRequired": errors.InvalidOrder,
    "NoChange": errors.NotModified,
    "MarketClosed": errors.MarketPaused,
    "OperationRejected": Refused,
    "NotSupported": errors.Unsupported,
}
#: HTTP statuses below 500 after which nobody knows what became of the request
UNCERTAIN = frozenset({408, 409, 425})


def class_of(error: Exception, status: int) -> type[ExchangeError]:
    """What an answered request's error means."""
    for ancestor in type(error).__mro__:
        if (found := CLASSES.get(ancestor.__name__)) is not None:
            return Refused if found is errors.Unsupported else found
    family = {ancestor.__name__ for ancestor in type(error).__mro__}
    if "NetworkError" in family:
        return _by_status(status)
    if "OperationFailed" in family:  # "may succeed when tried again": not that it was not done
        return OutcomeUnknown
    return Refused if status < 500 and status not in UNCERTAIN else OutcomeUnknown


def _by_status(status: int) -> type[ExchangeError]:
    """ "Not available" is said of much: of a page that is not there as well as of a gateway that gave up."""
    return Refused if 400 <= status < 500 and status not in UNCERTAIN else OutcomeUnknown


def before_sending(error: Exception, words: str) -> ExchangeError:
    """ccxt refused by itself: nothing has left."""
    for ancestor in type(error).__mro__:
        found = CLASSES.get(ancestor.__name__)
        if found is not None and issubclass(found, Refused | errors.Unsupported):
            return found(words)
    return errors.Unsupported(words)
