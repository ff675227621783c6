"""What ccxt can do, exchange by exchange: `catalog.json`, as `exchanges.generic.survey` prints it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from exchanges.generic.entry import Entry, LeftOut, Offer


def entries_of(told: str) -> tuple[Entry, ...]:
    return tuple(_entry(row) for row in json.loads(told)["exchanges"])


def left_out_of(told: str) -> dict[LeftOut, tuple[str, ...]]:
    """ccxt's names by the reason."""
    return {LeftOut(why): tuple(names) for why, names in json.loads(told)["left_out"].items()}


def _entry(row: Mapping[str, Any]) -> Entry:
    facts: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
    }
    return Entry(**facts | {product: _offer(row[product]) for product in ("spot", "linear")})


def _offer(named: Sequence[str] | None) -> Offer | None:
    """Everything that is not named it cannot do."""
    return None if named is None else Offer(**dict.fromkeys(named, True))


#: read once, when the process starts: it takes a millisecond
_TOLD = Path(__file__).with_name("catalog.json").read_text(encoding="utf-8")
ENTRIES, LEFT_OUT = entries_of(_TOLD), left_out_of(_TOLD)
