"""Errors that nobody foresaw: one place that catches them, and tells the log of which kind and where. Never their text,
which may quote a key."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


@contextmanager
def caught(what: str, *, but: tuple[type[Exception], ...] = ()) -> Iterator[list[Exception]]:
    """Whatever goes wrong inside ends here, logged, and is in the list; all `but` these. For work on which others
    depend: what is to follow from it is decided behind the block."""
    found: list[Exception] = []
    try:
        yield found
    except but:
        raise
    except Exception as error:  # noqa: BLE001 - that is what this is for
        found.append(error)
        log.error("%s broke off: %s", what, told(error))  # noqa: TRY400 - its text is not to be logged


def told(error: BaseException) -> str:
    """Its kind, that of what led to it, and the way to the line."""
    kinds, cause = [type(error).__name__], error.__cause__ or error.__context__
    while cause is not None and len(kinds) < 5:
        kinds.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    way = "".join(traceback.format_tb(error.__traceback__))
    return f"{' after '.join(kinds)}\n{way}".rstrip()
