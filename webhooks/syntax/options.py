"""Reading what is said about an order besides its size and price: settings and order options."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from execution.terms import TAG_LENGTH
from webhooks.syntax.cursor import Cursor
from webhooks.syntax.draft import Draft
from webhooks.syntax.lexer import NUMBER
from webhooks.syntax.numbers import duration, number
from webhooks.syntax.words import AFTER_TIME, MARGIN_MODES, POSITION_MODES, TIMES_IN_FORCE

_MAX_LEVERAGE = Decimal(1000)


def read_setting(c: Cursor, draft: Draft) -> None:
    """`lev 10x`, `10x`, `x10`, `cross`, `isolated`, `hedge mode`, `oneway`."""
    first, kind = c.i, c.kind
    if kind in MARGIN_MODES:
        c.advance()
        _put(c, draft, "margin_mode", MARGIN_MODES[kind], first)
    elif kind in POSITION_MODES:
        c.advance()
        c.take("mode")
        _put(c, draft, "position_mode", POSITION_MODES[kind], first)
    else:
        _put(c, draft, "leverage", _leverage(c), first)


def _leverage(c: Cursor) -> Decimal:
    named = c.take("lev", "leverage")
    crossed = c.take("x")
    if c.kind != NUMBER and c.at_known_word():
        after = "lev" if named else "x"
        raise c.error("BAD_LEVERAGE", f'the number after "{after}" is missing', "write for example lev 10x")
    first = c.i
    value = number(c)
    if not 0 < value <= _MAX_LEVERAGE:
        message = f"the leverage cannot be {c.words[first][:20]}"
        raise c.error(
            "BAD_LEVERAGE", message, f"write for example lev 10x; {_MAX_LEVERAGE}x is the most", first
        )
    if not crossed:
        c.take("x")
    return value


def read_order_option(c: Cursor, draft: Draft) -> None:
    """`post`, `reduce`, `ioc`, `fok`, `gtc`, `expire 10m`, `for 60s`, `then market`, `tag NAME`."""
    first, kind = c.i, c.kind
    c.advance()
    name: str = kind
    value: Any = True
    if kind in TIMES_IN_FORCE:
        name, value = "time_in_force", TIMES_IN_FORCE[kind]
    elif kind == "expire":
        value = duration(c, "expire")
    elif kind == "for":
        name, value = "duration", duration(c, "for")
    elif kind == "then":
        value = c.choice(AFTER_TIME, "BAD_THEN", "what may follow then")
    elif kind == "tag":
        value = c.name("tag", TAG_LENGTH)
    _put(c, draft, name, value, first)


def _put(c: Cursor, draft: Draft, name: str, value: Any, first: int) -> None:
    """Nothing is ignored: an option said twice is an error, not the last one wins."""
    if name in draft.options:
        what = name.replace("_", " ")
        raise c.error("TWICE", f"the {what} stands twice in one order", "leave one of the two out", first)
    draft.options[name] = value
    draft.spans[name] = c.span(first)
