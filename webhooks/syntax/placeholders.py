"""TradingView's `{{placeholders}}`: one that arrives as it was typed was not filled in."""

from __future__ import annotations

import re
from typing import NoReturn

from webhooks.syntax.errors import BadCommand, nearest, shortened
from webhooks.syntax.words import PLACEHOLDERS, STRATEGY_PLACEHOLDERS

_PLACEHOLDER = re.compile(r"(?<!\S)//[^\r\n]*|\{\{[^{}\r\n]*\}{0,2}")
_PLOT = re.compile(r'plot(?:_1?[0-9]|\("[^"]*"\))')


def refuse_placeholders(text: str) -> None:
    """Raises BadCommand for the first placeholder outside comments."""
    for found in _PLACEHOLDER.finditer(text):
        if found.group().startswith("{{"):
            refuse_placeholder(text, found.start(), found.group())


def refuse_placeholder(text: str, start: int, token: str) -> NoReturn:
    raise BadCommand(
        "PLACEHOLDER_NOT_FILLED",
        f"TradingView left {shortened(token)} as it is",
        _hint(token.strip("{}").strip()),
        text=text,
        start=start,
        length=len(token),
    )


def _hint(name: str) -> str:
    if name in STRATEGY_PLACEHOLDERS:
        return f"{name} is filled in by strategy alerts only: use a strategy alert"
    if name in PLACEHOLDERS or _PLOT.fullmatch(name):
        return (
            f"{name} is filled in by TradingView alerts: send the message from an alert, or write the value"
        )
    near = nearest(name, (*STRATEGY_PLACEHOLDERS, *PLACEHOLDERS))
    guess = f" (did you mean {near}?)" if near else ""
    return f"check the spelling{guess} and use a strategy alert"
