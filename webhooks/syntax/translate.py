"""Messages of other services, written in Smart Syntax where their shape is known."""

from __future__ import annotations

from typing import Any


def from_json(value: Any) -> str | None:
    """The Smart Syntax for a JSON body."""
    return value if isinstance(value, str) and " on " in value else None


def from_text(text: str) -> str | None:
    """The Smart Syntax for a text."""
    return None
