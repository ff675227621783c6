"""The pieces of a translated message: each function returns Smart Syntax, or None for what it does not know."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from exchanges.names import PRODUCT_NAMES, exchange_name, name_key
from execution.amounts import plain_name, plain_number

UNKNOWN_SIZE = "SIZE"
DEFAULT_VENUE = "Binance_F"
_SIDES = {
    "long": ("long", "buy", "bullish", "enter_long", "enterlong", "b"),
    "short": ("short", "sell", "bearish", "enter_short", "entershort"),
}
_SIDE = {name: side for side, names in _SIDES.items() for name in names}
_MARKS = {
    "F": ("futures", "future", "perp", "perpetual", "swap", "usdm", "linear", "f", "ft"),
    "C": ("coin", "coinm", "inverse", "c"),
    "S": ("spot", "s", "st"),
    "T": ("testnet", "test", "demo", "ft", "st"),
}
_PLACEHOLDER = re.compile(r"\{\{[\w.]+\}\}")
_ACCOUNT = re.compile(r"[A-Za-z0-9][\w .-]{0,60}", re.ASCII)
_SYMBOL = re.compile(r"[A-Za-z0-9][\w/.:-]{1,40}", re.ASCII)


def number(value: Any, factor: int = 1) -> str | None:
    """A positive number as text; placeholders pass, so that a template becomes a template."""
    text = str(value).strip()
    if _PLACEHOLDER.fullmatch(text) and factor == 1:
        return text
    try:
        found = Decimal(text) * factor
    except ArithmeticError:  # no number, or one beyond all bounds
        return None
    usable = found.is_finite() and found > 0 and abs(found.adjusted()) < 15 and len(text) <= 28
    return plain_number(found) if usable else None


def side(value: Any) -> str | None:
    text = str(value).strip().lower()
    return text if _PLACEHOLDER.fullmatch(text) else _SIDE.get(text)


def symbol(value: Any) -> str | None:
    text = str(value).strip()
    if _PLACEHOLDER.fullmatch(text):
        return text
    return text.upper() if _SYMBOL.fullmatch(text) else None


def venue(value: Any, unmarked: str = "_F") -> str | None:
    """`binance-futures` -> Binance_F. `unmarked` is the market of a name that does not tell."""
    text = str(value).strip().lower()
    if found := PRODUCT_NAMES.get(name_key(text)):
        return found
    first, *rest = re.split(r"[-_ ]+", text)
    exchange = exchange_name(text) or exchange_name(first)
    if exchange is None:
        return None
    marks = "".join(mark for mark, words in _MARKS.items() if any(word in words for word in rest))
    market = {"": unmarked, "T": f"{unmarked}T" if unmarked else "_ST", "S": "", "ST": "_ST"}.get(
        marks, f"_{marks}"
    )
    return f"{exchange}{market}" if market in ("", "_F", "_C", "_FT", "_ST", "_CT") else None


def size(value: Any, kind: str = "") -> str | None:
    """A size with its unit in the text itself (`5%`, `100$`, `100 usdt`), or of a known kind."""
    text = str(value).strip().lower().replace(" ", "")
    if text.endswith("%") or kind == "%":
        return _with(number(text.rstrip("%")), "{}%")
    if text.endswith(("$", "usdt", "usd", "usdc")) or text.startswith("$") or kind == "$":
        return _with(number(re.sub(r"\$|usd[tc]?", "", text)), "{}$")
    return _with(number(text), kind or "{}")


def _with(found: str | None, form: str) -> str | None:
    form = {"%": "{}%", "$": "{}$"}.get(form, form)
    return form.format(found) if found else None


def level(value: Any, *, percent: bool = False) -> str | None:
    """`2%` -> off 2%, `@58000` or `58000` -> at 58000."""
    text = str(value).strip().removeprefix("@")
    if percent or text.endswith("%"):
        return _with(number(text.strip("%-+")), "off {}%")
    return _with(number(text), "at {}")


def message(
    symbol: str | None, venue: str | None, steps: list[str], account: Any = "", dry: bool = False
) -> str | None:
    """The whole block, or None when a part of it is not known."""
    if not symbol or not venue or not steps or not all(steps):
        return None
    using = f" using {plain_name(str(account))}" if account and _ACCOUNT.fullmatch(str(account)) else ""
    return f"{'dry run ' if dry else ''}{symbol} on {venue}{using} {' '.join(steps)}"
