"""Bodies that are not Smart Syntax at all: JSON, quoted text, the formats of other services."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from webhooks.syntax.errors import BadCommand
from webhooks.syntax.translate import from_json
from webhooks.syntax.words import EXAMPLE

_NO_JSON = object()


def refuse_other_formats(text: str) -> None:
    """Raises BadCommand for JSON, with the same order in Smart Syntax where its shape is known."""
    if text[:1].isalnum():
        return
    start = len(text) - len(text.lstrip())
    first, second = text[start : start + 1], text[start + 1 : start + 2]
    if first == "<":
        _refuse(text, start, "it is markup", f"send the command alone, for example: {EXAMPLE}")
    if first not in ("{", "[", '"') or (first == "{" and second == "{"):
        return
    value = _read_json(text)
    if first == '"' and not isinstance(value, str):
        return  # a quoted name; the parser says what is wrong with it
    known = from_json(None if value is _NO_JSON else value)
    if isinstance(value, str):
        _refuse(text, start, "it is in quotes", f"leave the quotes out: {known or EXAMPLE}")
    hint = f"in Smart Syntax this is: {known}" if known else f"send the command alone, for example: {EXAMPLE}"
    _refuse(text, start, "it is JSON" if value is not _NO_JSON else "it looks like JSON", hint)


def _read_json(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        return _NO_JSON


def _refuse(text: str, start: int, why: str, hint: str) -> None:
    # only the first character is shown: bodies of other services carry tokens
    shown = text[: start + 1]
    raise BadCommand("NOT_TEXT", f"this hook takes plain text: {why}", hint, text=shown, start=start)
