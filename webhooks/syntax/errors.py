"""What is wrong with a message, and where: one exception, one JSON shape, for every stage.

Lines and columns count characters from 1; a tab is one column.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

from execution.amounts import Span

_LINE_END = re.compile(r"\r\n|\r|\n")
#: characters that would push the caret out of line when the error is printed
_UNEVEN = re.compile(
    r"[^\S ]|[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
#: the nearest word is looked for among short words only: the search is quadratic in their length
_LONGEST_TYPO = 40
#: a longer token is cut inside sentences; `token` has the whole of it
_LONGEST_SHOWN = 80
#: a code that the language leaves to the second stage answers like one of that stage (HTTP 422)
_UNDERSTOOD = frozenset({"RISK_NEEDS_STOP"})
_STATUS = {"MESSAGE_TOO_LONG": 413}


class BadCommand(Exception):
    """The message is not Smart Syntax. Nothing was sent; show the caller `as_error()` and stop."""

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        text: str = "",
        start: int = 0,
        length: int = 1,
        expected: Iterable[str] = (),
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = storable(message)
        self.hint = storable(hint)
        self.length = max(length, 1)
        self.token = storable(text[start : start + length])
        self.expected = tuple(expected)
        self.line, self.column, shown = place(text, start)
        self.show = with_caret(shown, self.column, self.length)

    @property
    def http_status(self) -> int:
        """400, or 422 where the message was understood and only cannot be done, or 413."""
        return 422 if self.code in _UNDERSTOOD else _STATUS.get(self.code, 400)

    def as_error(self, docs_base: str = "") -> dict[str, Any]:
        """The `error` object of an answer. `docs_base` is the site's address, without `/docs`."""
        return {
            "code": self.code,
            "line": self.line,
            "column": self.column,
            "length": self.length,
            "token": self.token,
            "message": self.message,
            "hint": self.hint,
            "expected": list(self.expected),
            "show": self.show,
            "docs": docs_address(docs_base, self.code),
        }


def located(
    text: str, span: Span | None, code: str, message: str, hint: str = "", docs_base: str = ""
) -> dict[str, Any]:
    """The same object for an error found after parsing, pointing at the word that `span` remembers.

    Without a span (nothing in the text caused it) the error has no place.
    """
    error: dict[str, Any] = {"code": code, "message": message, "hint": hint}
    if span is not None:
        shown = text_lines(text)[span.line - 1]
        error |= {
            "line": span.line,
            "column": span.column,
            "length": span.length,
            "token": shown[span.column - 1 : span.column - 1 + span.length],
            "show": with_caret(shown, span.column, span.length),
        }
    return error | {"docs": docs_address(docs_base, code)}


def docs_address(docs_base: str, code: str) -> str:
    return f"{docs_base.rstrip('/')}/docs/errors/{code}"


def text_lines(text: str) -> list[str]:
    """The lines as the parser counts them: LF, CR LF or CR ends one."""
    return _LINE_END.split(text)


def line_starts(text: str) -> list[int]:
    """Where each line begins."""
    return [0, *(end.end() for end in _LINE_END.finditer(text))]


def place(text: str, start: int) -> tuple[int, int, str]:
    """Line and column of a character, and the text of its line."""
    starts = [each for each in line_starts(text) if each <= start]
    return len(starts), start - starts[-1] + 1, text_lines(text)[len(starts) - 1]


def storable(text: str) -> str:
    """Text that a database, a terminal and a page can take: no control characters, no lone surrogates."""
    return text if text.isprintable() else _CONTROL.sub("\ufffd", text)


def with_caret(line: str, column: int, length: int) -> str:
    """The line, and below it carets under the word."""
    return f"{_UNEVEN.sub(' ', line)}\n{' ' * (column - 1)}{'^' * length}"


def nearest(word: str, candidates: Iterable[str], alike: float = 0.6) -> str | None:
    """The candidate most like a mistyped word, or None when nothing is close."""
    if len(word) > _LONGEST_TYPO:
        return None
    spelled = {each.lower(): each for each in candidates}
    found = difflib.get_close_matches(word.lower(), spelled, n=1, cutoff=alike)
    return spelled[found[0]] if found else None


def did_you_mean(word: str, candidates: Iterable[str], otherwise: str) -> str:
    """A hint with the nearest word, or the other hint when none is near."""
    near = nearest(word, candidates)
    return f'did you mean "{near}"?' if near else otherwise


def quoted(token: str) -> str:
    """A token inside a sentence: in quotes, and not longer than a line."""
    return f'"{shortened(token)}"'


def shortened(token: str) -> str:
    return token if len(token) <= _LONGEST_SHOWN else f"{token[:_LONGEST_SHOWN]}…"
