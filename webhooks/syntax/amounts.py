"""Reading amounts: sizes, offsets and levels, in every spelling people type."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

from execution.amounts import Level, Offset, OffsetUnit, Size, SizeUnit, plain_number
from webhooks.syntax.cursor import Cursor
from webhooks.syntax.errors import did_you_mean
from webhooks.syntax.lexer import END, NUMBER
from webhooks.syntax.numbers import SIGNS, foreign_digits, number
from webhooks.syntax.words import CONTRACTS, CURRENCIES, NOT_NUMBERS, PERCENT_OF

HUNDRED = Decimal(100)
_SIZE_HINT = "for example 0.01, 100$, 5% or risk 1%"
_WHOLE_WORDS = {"max": SizeUnit.MAX, "all": SizeUnit.ALL, "rest": SizeUnit.REST}

# -- sizes ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SizePlace:
    """Which sizes make sense at one place of the language, and what to say about the others."""

    refused: frozenset[SizeUnit]
    #: percents that are a part of something, which is 100 at most
    parts: frozenset[SizeUnit]
    over_100: str
    over_100_hint: str
    zero_hint: str


_SHARES = frozenset({SizeUnit.PERCENT, SizeUnit.PERCENT_POSITION})
_NOT_OF_A_POSITION = frozenset(
    {
        SizeUnit.PERCENT_EQUITY,
        SizeUnit.PERCENT_FREE,
        SizeUnit.PERCENT_MARGIN,
        SizeUnit.RISK_PERCENT,
        SizeUnit.RISK_QUOTE,
        SizeUnit.MAX,
    }
)
ENTRY_SIZE = SizePlace(
    refused=frozenset({SizeUnit.REST}),
    parts=frozenset({SizeUnit.PERCENT_FREE, SizeUnit.PERCENT_MARGIN, SizeUnit.RISK_PERCENT}),
    over_100="cannot use {} of the balance",
    over_100_hint="100% is all of it",
    zero_hint="to leave the position write: close 100%, or go flat",
)
CLOSE_SIZE = SizePlace(
    refused=_NOT_OF_A_POSITION | {SizeUnit.REST},
    parts=_SHARES,
    over_100="cannot close {} of a position",
    over_100_hint="100% is the whole position",
    zero_hint="write how much to close, for example close 50%",
)
PART_SIZE = SizePlace(
    refused=_NOT_OF_A_POSITION,
    parts=_SHARES,
    over_100="cannot take {} of an order",
    over_100_hint="100% is the whole order",
    zero_hint="write a part, for example for 50%, or leave it out",
)


def at_leverage(c: Cursor) -> bool:
    """`10x` or `10 x`, at a number; in `0.01 x10` the x belongs to the number behind it."""
    if c.peek() != "x":
        return False
    return c.glued(c.i) or c.peek(2) != NUMBER or not c.glued(c.i + 1)


def at_size(c: Cursor) -> bool:
    """A size begins here (`10x` is a leverage, `50` may be one)."""
    if c.kind == NUMBER:
        return not at_leverage(c)
    return c.kind in ("$", "risk") or c.kind in _WHOLE_WORDS or c.kind in NOT_NUMBERS


def size(c: Cursor, place: SizePlace) -> Size:
    """Any form of size that makes sense at this place."""
    first = c.i
    if not at_size(c):
        _no_size(c)
    risk = c.take("risk")
    unit = None if risk else _WHOLE_WORDS.get(c.kind)
    if unit is not None:
        c.advance()
        found = Size(unit, span=c.span(first))
    else:
        value, unit, currency = _amount(c)
        if risk:
            unit = _risk_unit(c, unit, first)
        found = Size(unit, value, currency, c.value_span(first))
    _check_size(c, found, place)
    return found


def _amount(c: Cursor) -> tuple[Decimal, SizeUnit, str]:
    """A number with what stands around it: its value, its unit and the currency written."""
    dollar = c.take("$")
    if dollar and c.at_known_word():
        _no_size(c)
    if c.word[:1] in SIGNS:
        _signed_size(c)
    value = number(c)
    kind = c.kind
    if kind == "%" and not dollar:
        c.advance()
        of = PERCENT_OF.get(c.kind)
        if of is not None:
            c.advance()
        return value, of or SizeUnit.PERCENT, ""
    if kind in CONTRACTS and not dollar:
        c.advance()
        return value, SizeUnit.CONTRACTS, ""
    if kind in CURRENCIES:
        c.advance()
        return value, SizeUnit.QUOTE, kind
    if kind == "$" and not _belongs_to_next(c):
        c.advance()
        return value, SizeUnit.QUOTE, ""
    return value, SizeUnit.QUOTE if dollar else SizeUnit.BASE, ""


def _belongs_to_next(c: Cursor) -> bool:
    """In `5 $100` the sign belongs to the second number, which is then one too many."""
    return c.peek() == NUMBER and c.glued(c.i) and not c.glued(c.i - 1)


def _risk_unit(c: Cursor, unit: SizeUnit, first: int) -> SizeUnit:
    if unit is SizeUnit.PERCENT:
        return SizeUnit.RISK_PERCENT
    if unit is SizeUnit.QUOTE:
        return SizeUnit.RISK_QUOTE
    raise c.error(
        "BAD_SIZE",
        "a risk is a percent of equity or an amount of money",
        "write risk 1% or risk 50$",
        first,
        c.i - 1,
    )


def _no_size(c: Cursor) -> NoReturn:
    if c.kind == NUMBER or c.at_known_word():
        where = "at the end" if c.kind == END else f"before {c.here()}"
        raise c.error("MISSING_SIZE", f"the size is missing {where}", _SIZE_HINT)
    if c.word in SIGNS and c.peek() == "$":
        _signed_size(c)
    if foreign_digits(c.word):
        number(c)  # says which digits to write
    raise c.error("BAD_SIZE", f"{c.here()} is not a size", _SIZE_HINT, last=c.whole_chunk())


def _signed_size(c: Cursor) -> NoReturn:
    last = c.whole_chunk()
    text = c.text_of(c.i, last)
    message = "a size is written without a sign: the side gives the direction"
    raise c.error("SIZE_NEGATIVE", message, f"write {text[1:]}", last=last)


def _check_size(c: Cursor, found: Size, place: SizePlace) -> None:
    if found.unit in place.refused:
        raise c.error_at(found.span, "BAD_SIZE", f'"{found}" is not a size that can stand here', _SIZE_HINT)
    if found.value is None:
        return
    if not found.value:
        raise c.error_at(found.span, "SIZE_ZERO", "the size is zero", place.zero_hint)
    if found.value > HUNDRED and found.unit in place.parts:
        message = place.over_100.format(str(found).removeprefix("risk ").split()[0])
        raise c.error_at(found.span, "OVER_100_PERCENT", message, place.over_100_hint)


# -- offsets and levels --------------------------------------------------------------------------------


def offset(c: Cursor, after: str, *, zero: bool = False) -> Offset:
    """A distance behind the word `after`; zero only where it means something."""
    first = c.i
    if c.kind != NUMBER and c.kind not in NOT_NUMBERS and c.at_known_word():
        hint = f"write for example {after} 2%"
        raise c.error("MISSING_OFFSET", f'the value after "{after}" is missing', hint)
    if c.word[:1] in SIGNS:
        _signed_offset(c)
    value = number(c)
    return _offset(c, value, first, zero=zero)


def _offset(c: Cursor, value: Decimal, first: int, *, zero: bool) -> Offset:
    """The unit behind the number."""
    unit = OffsetUnit.QUOTE
    if c.take("%"):
        unit = OffsetUnit.PERCENT
    elif c.take("r"):
        unit = OffsetUnit.R
    elif c.take("ticks", "tick"):
        unit = OffsetUnit.TICKS
    elif c.kind == "$" or c.kind in CURRENCIES:
        amount = plain_number(value)
        hint = f"write off {amount} for a distance of the price; to risk money write risk {amount}$"
        raise c.error("BAD_OFFSET", "an offset has no currency", hint, first, c.i)
    span = c.value_span(first)
    if not value and not zero:
        raise c.error_at(span, "BAD_OFFSET", "the offset is zero", "write for example 2%")
    if unit is OffsetUnit.R and c.first_r is None:
        c.first_r = span
    return Offset(value, unit, span)


def _signed_offset(c: Cursor) -> NoReturn:
    last = c.i + 1 if c.peek() == "%" else c.whole_chunk()
    text = c.text_of(c.i, last)
    message = "an offset is written without a sign: the side decides its direction"
    raise c.error("BAD_OFFSET", message, f"write {text.lstrip('-+−').strip()}", last=last)


def price(c: Cursor, after: str) -> Level:
    """The absolute price behind `at` or `@`."""
    first = c.i
    if c.kind != NUMBER and c.kind not in NOT_NUMBERS and c.at_known_word():
        raise c.error("MISSING_PRICE", f'the price after "{after}" is missing', "write for example at 60000")
    value = number(c)
    if c.kind in ("%", "r"):
        hint = f"write off {plain_number(value)}{c.word}"
        raise c.error("BAD_PRICE", f'"{after}" takes a price, not an offset', hint, first, c.i)
    return _price(c, value, first)


def _price(c: Cursor, value: Decimal, first: int) -> Level:
    if value <= 0:
        raise c.error("BAD_PRICE", "a price is above zero", "write for example at 60000", first)
    return Level(price=value, span=c.value_span(first))


def level(c: Cursor, after: str, *, zero: bool = False) -> Level:
    """`at 60000`, `@60000`, `off 2%`, or bare: a number is a price, a percent or R an offset."""
    kind = c.kind
    if kind in ("at", "@"):
        c.advance()
        return price(c, kind)
    if kind == "off":
        c.advance()
        found = offset(c, "off", zero=zero)
        return Level(offset=found, span=found.span)
    if kind != NUMBER and kind not in NOT_NUMBERS and c.at_known_word():
        hint = f"write for example {after} off 2% or {after} at 60000"
        raise c.error("MISSING_LEVEL", f'the value after "{after}" is missing', hint)
    if c.kind.isalpha() and c.kind not in NOT_NUMBERS:
        hint = did_you_mean(c.word, ("off", "at"), f"write for example {after} off 2% or {after} at 60000")
        raise c.error("NOT_A_NUMBER", f"{c.here()} is not a number", hint, last=c.whole_chunk())
    return _bare_level(c, zero=zero)


def _bare_level(c: Cursor, *, zero: bool) -> Level:
    first = c.i
    if c.word[:1] in SIGNS:
        _signed_offset(c)
    value = number(c)
    if c.kind in ("%", "r", "ticks", "tick"):
        found = _offset(c, value, first, zero=zero)
        return Level(offset=found, span=found.span)
    return _price(c, value, first)
