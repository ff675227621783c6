"""Commands as plain JSON: decimals as strings, durations in seconds, times in UTC, without positions."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from execution.amounts import plain_number, plain_time
from execution.message import Block, Message

_POSITIONS = frozenset({"span", "spans", "side_span", "symbol_spans"})


def as_data(value: Any) -> Any:
    """Any value of a message (`execution.message`) as what `json.dumps` takes. Absent options are left out."""
    if dataclasses.is_dataclass(value):
        named = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {
            name: as_data(part) for name, part in named if name not in _POSITIONS and _says_something(part)
        }
    if isinstance(value, tuple):
        return [as_data(part) for part in value]
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        return int(seconds) if seconds == int(seconds) else seconds
    return plain_time(value) if isinstance(value, datetime) else value


def _says_something(part: Any) -> bool:
    """Not None, False, empty, or made of such parts only."""
    if dataclasses.is_dataclass(part):
        return any(_says_something(getattr(part, field.name)) for field in dataclasses.fields(part))
    return part is not None and part is not False and part not in ("", (), {})


def commands(message: Message) -> list[dict[str, Any]]:
    """One object for each block: its symbols, venue, accounts and steps."""
    return [_block(block) for block in message.blocks]


def options(message: Message) -> dict[str, Any]:
    """What a message says about itself: id, sent, valid, once, dry_run, paper, note, notify."""
    named: dict[str, Any] = as_data(message)
    named.pop("blocks")
    return named


def _block(block: Block) -> dict[str, Any]:
    return {
        "command": str(block),
        "symbols": list(block.symbols) or ["*"],
        "venue": str(block.venue),
        "accounts": list(block.accounts),
        "steps": [
            {"step": type(step).__name__.lower(), "text": str(step)} | as_data(step) for step in block.steps
        ],
    }
