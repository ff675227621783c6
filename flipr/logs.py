"""How log records become lines: one line each, hook tokens masked, never a request body."""

from __future__ import annotations

import json
import logging
import re
import traceback
from datetime import UTC, datetime

# /webhook/<user>/<token>...: whoever has the token trades, so it may not stand in any log.
_HOOK = re.compile(r"(/webhook/[^/\s\"'?]+/)[^/\s\"'?]+")
# Of what a record carries besides its text, these go into the line. A list of what may, not of what may not:
# libraries attach requests and task arguments to their records.
_FIELDS = (
    "region",
    "user",
    "hook",
    "delivery",
    "order",
    "client_id",
    "account",
    "venue",
    "symbol",
    "bracket",
    "code",
    "status_code",
)


def masked(text: str) -> str:
    return _HOOK.sub(r"\1***", text)


class MaskTokens(logging.Filter):
    """Settles the text of a record before any formatter sees it, so arguments are masked as well."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = masked(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = masked("".join(traceback.format_exception(*record.exc_info)).rstrip())
        return True


class LineFormatter(logging.Formatter):
    """`2026-11-22T16:40:00.123Z INFO execution.place message key=value`; a traceback follows as JSON text."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        words = [when.replace("+00:00", "Z"), record.levelname, record.name, _one_line(record.getMessage())]
        held = vars(record)
        words += [f"{name}={_one_line(masked(str(held[name])))}" for name in _FIELDS if name in held]
        trace = record.exc_text or (self.formatException(record.exc_info) if record.exc_info else "")
        if trace:
            words.append(f"traceback={json.dumps(masked(trace))}")
        return " ".join(words)


def _one_line(text: str) -> str:
    return text.replace("\r", "\\r").replace("\n", "\\n")
