"""Strict readers of decoded answers: what is missing or of the wrong kind is an unknown outcome, never a default."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from exchanges.errors import OutcomeUnknown

T = TypeVar("T")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FLAGS = {"true": True, "false": False}
#: digits before or behind the point that no amount, price or time has: written out, such a number would fill the memory
MOST_DIGITS = 60


def field(data: Any, *path: str | int) -> Any:
    """The value at `path`, through objects and arrays. Raises OutcomeUnknown naming what is missing."""
    value = data
    for step in path:
        try:
            if isinstance(value, str):
                raise TypeError  # "USDT"[0] is a letter, not a field
            value = value[step]
        except (KeyError, IndexError, TypeError):
            where = ".".join(str(part) for part in path)
            raise OutcomeUnknown(f"the answer has no {where}") from None
    return value


def text(data: Any, *path: str | int) -> str:
    value = field(data, *path)
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    raise OutcomeUnknown(f"{path[-1] if path else 'value'} is not text in the answer")


def text_or_none(data: Any, *path: str | int) -> str | None:
    """Like `text`, but absent, null and "" mean None: for fields documented as optional."""
    value = data
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else field(value, step)
        if value is None or value == "":
            return None
    return text({path[-1]: value}, path[-1])


def decimal(data: Any, *path: str | int) -> Decimal:
    """A finite number, given as text or number."""
    return as_decimal(field(data, *path), str(path[-1]) if path else "value")


def decimal_or_none(data: Any, *path: str | int) -> Decimal | None:
    """Like `decimal`, but absent, null and "" mean None: for fields documented as optional."""
    value = data
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else field(value, step)
        if value is None or value == "":
            return None
    return as_decimal(value, str(path[-1]) if path else "value")


def decimal_or_blank(data: Any, *path: str | int) -> Decimal | None:
    """Like `decimal`, but "" means None: for fields that are always there, and documented to be empty at times."""
    return decimal_or_none(data, *path) if field(data, *path) == "" else decimal(data, *path)


def decimal_or_null(data: Any, *path: str | int) -> Decimal | None:
    """Like `decimal_or_blank`, where null means None too."""
    return None if field(data, *path) is None else decimal_or_blank(data, *path)


def nonzero(data: Any, *path: str | int) -> Decimal | None:
    """Like `decimal_or_none`, where 0 means None too: a price that an order does not have."""
    return decimal_or_none(data, *path) or None


def nonzero_where(needed: bool, data: Any, *path: str | int) -> Decimal | None:
    """Like `nonzero`; where it is needed, as the trigger of a conditional order is, its absence is an unknown outcome."""
    number = nonzero(data, *path)
    if needed and number is None:
        raise OutcomeUnknown(f"the answer has no {'.'.join(str(part) for part in path)}")
    return number


def positive(data: Any, *path: str | int) -> Decimal | None:
    """Like `nonzero`, where what is below 0 means None too."""
    number = decimal_or_none(data, *path)
    return number if number is not None and number > 0 else None


def step_of(data: Any, *path: str | int) -> Decimal:
    """A step that is told as a number of decimals: 2 is 0.01."""
    return Decimal(1).scaleb(-int(decimal(data, *path)))


def as_decimal(value: Any, name: str = "value") -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise OutcomeUnknown(f"{name} is not a number in the answer")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise OutcomeUnknown(f"{name} is not a number in the answer") from None
    if not number.is_finite():
        raise OutcomeUnknown(f"{name} is not a finite number in the answer")
    if abs(number.adjusted()) > MOST_DIGITS:
        raise OutcomeUnknown(f"{name} is no number of a size that can be in the answer")
    return number


def in_ms(moment: datetime) -> int:
    """Milliseconds since 1970, as `moment_ms` reads them."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def moment_ms(data: Any, *path: str | int, per_second: int = 1000) -> datetime:
    """A time that is told in milliseconds since 1970, or in so many parts of a second."""
    try:
        return EPOCH + timedelta(milliseconds=int(decimal(data, *path) * 1000 / per_second))
    except OverflowError:
        raise OutcomeUnknown(f"{path[-1]} is no time in the answer") from None


def moment(data: Any, *path: str | int) -> datetime:
    """A time that is told in words, as 2026-11-23T07:46:27.123Z."""
    try:
        told = datetime.fromisoformat(text(data, *path))
    except ValueError:
        raise OutcomeUnknown(f"{path[-1]} is no time in the answer") from None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def word(table: Mapping[str, T], data: Any, *path: str | int) -> T:
    """The meaning of a state word. A word the table does not know is an unknown outcome."""
    value = text(data, *path)
    try:
        return table[value]
    except KeyError:
        raise OutcomeUnknown(f'{path[-1]} has the unknown value "{value[:40]}"') from None


def words(*tables: Mapping[T, str]) -> dict[str, T]:
    """A table for `word`, or of error codes, from tables that name all words of one meaning in one text."""
    return {name: meaning for table in tables for meaning, names in table.items() for name in names.split()}


def flag(data: Any, *path: str | int) -> bool:
    """True or false, as such or as text; anything else is an unknown outcome."""
    value = field(data, *path)
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in FLAGS:
        return FLAGS[value.lower()]
    raise OutcomeUnknown(f"{path[-1]} is neither true nor false in the answer")


def table(data: Any, *path: str | int) -> Mapping[str, Any]:
    """An object, for what names its fields by what it tells of."""
    value = field(data, *path) if path else data
    if not isinstance(value, Mapping):
        raise OutcomeUnknown(f"{path[-1] if path else 'the answer'} is not an object")
    return value


def rows_of(data: Any, *path: str | int) -> list[Any]:
    """Like `items`, where null stands for an empty list."""
    value = field(data, *path)
    return [] if value is None else items(value)


def items(data: Any, *path: str | int) -> list[Any]:
    value = field(data, *path) if path else data
    if not isinstance(value, list):
        raise OutcomeUnknown(f"{path[-1] if path else 'the answer'} is not a list")
    return value
