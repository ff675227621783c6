"""Reading plain values: numbers, counts, durations and times."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NoReturn

from webhooks.syntax.cursor import Cursor
from webhooks.syntax.lexer import COMMA, END, HEADER, NUMBER, SPACE, STRING
from webhooks.syntax.words import DURATIONS, NOT_NUMBERS

MAX_ORDERS = 200
MAX_DURATION = timedelta(days=365)
SIGNS = ("-", "+", "−")

#: numbers beyond these are typing errors, and would make plain text of megabytes
_MAX_DIGITS = 28
_MAX_EXPONENT = 20
_SHORT_NUMBER = re.compile(r"[0-9.]{1,12}")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?")
_DURATION_HINT = "write 500ms, 30s, 10m, 2h or 1d"
#: what else than a unit may stand behind a number
_BEHIND_NUMBERS = frozenset({"%", "$", "@", COMMA, STRING, NUMBER, HEADER, END})
_MILLISECOND = timedelta(milliseconds=1)
_RAW_TIME = re.compile(rf'[^;|,"“{SPACE}]+')
_UTC_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})",
    re.IGNORECASE,
)


def number(c: Cursor) -> Decimal:
    """The number at the cursor, which may carry a sign."""
    if c.kind != NUMBER:
        return _not_a_number(c)
    if c.peek() == COMMA:
        _refuse_comma(c)
    word = c.word
    value = Decimal(word) if _SHORT_NUMBER.fullmatch(word) else _checked_number(c)
    c.advance()
    if c.kind not in _BEHIND_NUMBERS and not c.kind[0].isalnum():
        _refuse_continued(c)
    return value


def _refuse_continued(c: Cursor) -> None:
    """Digits glued on by a sign of another habit: `1_000`, `1'000`, `1/2`, `1，5`. Half of it is not the number."""
    first = c.i - 1
    if c.glued(first) and any(map(str.isdigit, c.word)):
        c.i = first
        _not_a_number(c)


def _checked_number(c: Cursor) -> Decimal:
    """A number with a sign or an exponent, or a long one: only of a size that means something."""
    mantissa, _, exponent = c.word.replace("−", "-").lower().partition("e")
    digits = mantissa.strip("-+").replace(".", "").strip("0")
    if len(digits) > _MAX_DIGITS or len(exponent) > 4:
        _out_of_range(c)
    value = Decimal(f"{mantissa}e{exponent or 0}")
    if not value:
        return Decimal(0)
    if abs(value.adjusted()) > _MAX_EXPONENT:
        _out_of_range(c)
    return value


def _out_of_range(c: Cursor) -> None:
    message = "the number is too long, too large or too small"
    raise c.error("NUMBER_OUT_OF_RANGE", message, f"at most {_MAX_DIGITS} digits, between 1e-20 and 1e20")


def _not_a_number(c: Cursor) -> Decimal:
    if c.kind in NOT_NUMBERS:
        if c.idle:
            c.advance()
            return Decimal(1)
        hint = "the plot or variable has no value on this bar"
        raise c.error("NOT_A_NUMBER", f"TradingView sent {c.word} instead of a number", hint)
    hint = "numbers are written 0.01, 100 or 1e-3"
    if foreign_digits(c.word):
        hint = f"write {''.join(map(_ascii_digit, c.word))}"
    raise c.error("NOT_A_NUMBER", f"{c.here()} is not a number", hint, last=c.whole_chunk())


def foreign_digits(word: str) -> bool:
    """A number in the digits of another script, or in the wide ones of East Asian keyboards."""
    return any(char.isdecimal() and not char.isascii() for char in word)


def _ascii_digit(char: str) -> str:
    return str(unicodedata.decimal(char)) if char.isdecimal() else unicodedata.normalize("NFKC", char)


def _refuse_comma(c: Cursor) -> None:
    """A comma glued between digits; a comma with a space behind it is left for the caller to refuse."""
    first = last = c.i
    while c.kinds[last + 1 : last + 3] == [COMMA, NUMBER] and c.glued(last) and c.glued(last + 1):
        last += 2
    if first == last:
        return
    text = "".join(c.words[first : last + 1])
    fixed = text.replace(",", "") if _THOUSANDS.fullmatch(text) else text.replace(",", ".")
    raise c.error(
        "COMMA_IN_NUMBER", "numbers take a dot, and no thousands comma", f"write {fixed}", first, last
    )


def count(c: Cursor, after: str, least: int = 1) -> int:
    """A whole number of orders, with or without the word `orders` behind it."""
    word, first = c.word, c.i
    if c.kind != NUMBER or c.peek() == COMMA or not word.isdecimal():
        what = "is missing" if c.at_known_word() else f"cannot be {c.here()}"
        raise c.error("BAD_COUNT", f'the number of orders after "{after}" {what}', f"write {after} 5 orders")
    value = int(word) if len(word) <= 4 else MAX_ORDERS + 1
    c.advance()
    if not least <= value <= MAX_ORDERS:
        raise c.error(
            "BAD_COUNT", f"the number of orders cannot be {word[:20]}", f"from {least} to {MAX_ORDERS}", first
        )
    c.take("orders", "order")
    return value


def duration(c: Cursor, after: str, most: timedelta = MAX_DURATION) -> timedelta:
    """`500ms`, `30s`, `10m`, `2h` or `1d`; `after` is the word that it follows."""
    first = c.i
    if c.kind != NUMBER and c.kind not in NOT_NUMBERS:
        if c.at_known_word():
            raise c.error("BAD_DURATION", f'the duration after "{after}" is missing', _DURATION_HINT)
        _not_a_duration(c)
    if c.kind == NUMBER and c.peek() != COMMA and (c.peek() not in DURATIONS or c.word[0] in SIGNS):
        _not_a_duration(c)
    value = number(c)
    unit = DURATIONS.get(c.kind)
    if unit is None:
        c.i = first
        _not_a_duration(c)
    c.advance()
    return _checked_duration(c, value, unit, most, first)


def _not_a_duration(c: Cursor) -> NoReturn:
    raise c.error("BAD_DURATION", f"{c.here()} is not a duration", _DURATION_HINT, last=c.whole_chunk())


def _checked_duration(c: Cursor, value: Decimal, unit: timedelta, most: timedelta, first: int) -> timedelta:
    milliseconds = value * (unit // _MILLISECOND)
    if milliseconds > most // _MILLISECOND:
        message, hint = "the duration is too long", f"the longest is {most.days}d"
    elif milliseconds < 1 or milliseconds % 1:
        message, hint = "a duration is a whole number of milliseconds, at least one", _DURATION_HINT
    else:
        return timedelta(milliseconds=int(milliseconds))
    raise c.error("BAD_DURATION", message, hint, first, c.i - 1)


def utc_time(c: Cursor) -> datetime:
    """An ISO time with Z or an offset, bare or in quotes."""
    first = c.i
    if c.at_end():
        raise c.error("BAD_TIME", 'the time after "sent" is missing', "write sent 2026-02-07T10:15:00Z")
    text = c.string(80) if c.kind == STRING else c.raw(_RAW_TIME)
    try:
        if _UTC_TIME.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    hint = "write it like 2026-02-07T10:15:00Z, as {{timenow}} gives it"
    raise c.error("BAD_TIME", f'"{text[:80]}" is not a time in UTC', hint, first, c.i - 1)
