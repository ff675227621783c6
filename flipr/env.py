"""Reading environment variables: typed, with an error that names the variable, what is wrong and the remedy."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

Value = TypeVar("Value")
Number = TypeVar("Number", int, float)

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})


def env_str(name: str, default: str = "") -> str:
    """The variable without surrounding blanks; an empty one counts as not set."""
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, default: bool) -> bool:
    return _read(name, default, _bool)


def env_int(name: str, default: int, least: int | None = None, most: int | None = None) -> int:
    return _read(name, default, lambda text: _within(_int(text), least, most))


def env_float(name: str, default: float, least: float | None = None, most: float | None = None) -> float:
    """For durations and the like; money never passes through here."""
    return _read(name, default, lambda text: _within(_float(text), least, most))


def env_list(name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Comma-separated words: `a.example, b.example`."""
    return _read(name, default, lambda text: tuple(part.strip() for part in text.split(",") if part.strip()))


def env_map(name: str) -> dict[str, str]:
    """Comma-separated pairs: `bitmex=tokyo, okx=eu`. Keys are lower-cased."""
    return _read(name, {}, _pairs)


def env_secret(name: str) -> str:
    """The variable, or the content of the file that NAME_FILE points to (as container secrets come).

    The value never appears in an error."""
    value, path = env_str(name), env_str(f"{name}_FILE")
    if value and path:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: keep one of them.")
    if not path:
        return value
    try:
        content = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        message = (
            f"{name}_FILE points to {path}, which cannot be read ({reason}): correct the path or its mode."
        )
        raise ImproperlyConfigured(message) from None
    if not content:
        raise ImproperlyConfigured(f"{name}_FILE points to {path}, which is empty: put the secret into it.")
    return content


def _read(name: str, default: Value, convert: Callable[[str], Value]) -> Value:
    text = env_str(name)
    if not text:
        return default
    try:
        return convert(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is {text!r}: {error}") from None


def _bool(text: str) -> bool:
    if text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    raise ValueError("write 1 or 0 (true/false, yes/no and on/off are understood too).")


def _int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("write a whole number.") from None


def _float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError("write a number.") from None
    if not math.isfinite(value):
        raise ValueError("write a number that has an end.")
    return value


def _within(value: Number, least: Number | None, most: Number | None) -> Number:
    if least is not None and value < least:
        raise ValueError(f"write {least:g} or more.")
    if most is not None and value > most:
        raise ValueError(f"write {most:g} or less.")
    return value


def _pairs(text: str) -> dict[str, str]:
    pairs = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, found, value = part.partition("=")
        if not (found and key.strip() and value.strip()):
            raise ValueError(f"{part!r} is not of the form key=value; pairs are separated by commas.")
        pairs[key.strip().lower()] = value.strip()
    return pairs
