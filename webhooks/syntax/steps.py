"""Reading the steps of one block from left to right, and which order a word belongs to.

Words that describe an order attach to the order on their left, as long as no other step (a close, a cancel,
a pause, a guard) stands between; without such an order they act on the open position.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import timedelta

from execution.commands import If, Protect, Setting, Step, Wait
from webhooks.syntax.amounts import at_leverage
from webhooks.syntax.checks import check
from webhooks.syntax.cursor import Cursor
from webhooks.syntax.draft import Draft
from webhooks.syntax.errors import did_you_mean, nearest, quoted
from webhooks.syntax.lexer import COMMA, NUMBER
from webhooks.syntax.numbers import duration
from webhooks.syntax.options import read_order_option, read_setting
from webhooks.syntax.orders import (
    read_cancel,
    read_close,
    read_entry,
    read_go,
    read_iceberg,
    read_ladder,
    read_reverse,
    read_twap,
)
from webhooks.syntax.protection import read_protection
from webhooks.syntax.words import (
    CONDITIONS,
    ENTRIES,
    LADDERS,
    ORDER_OPTIONS,
    OTHER_UNITS,
    OTHER_WORDS,
    PERCENT_OF,
    PROTECTION,
    SETTINGS,
    SIDES,
    STEPS,
    UNITS,
    VOCABULARY,
)

MAX_STEPS = 50
_MAX_WAIT = timedelta(days=1)

#: the steps that words may attach to
_READERS: dict[str, Callable[[Cursor], Draft]] = {
    **dict.fromkeys((*ENTRIES, *SIDES), read_entry),
    **dict.fromkeys(LADDERS, read_ladder),
    "twap": read_twap,
    "iceberg": read_iceberg,
    "close": read_close,
    "reverse": read_reverse,
    "flip": read_reverse,
    "go": read_go,
}
#: sl=2%, leverage:10: how other tools write it
_ASSIGNED = re.compile(r"([a-z]+)[=:]")
_PROTECTION = frozenset(PROTECTION)
_SETTINGS = frozenset(SETTINGS)
_ORDER_OPTIONS = frozenset(ORDER_OPTIONS)


class Steps:
    """The steps of one block: those finished, and the one still being described."""

    __slots__ = ("_draft", "_whole_closed", "c", "done")

    def __init__(self, c: Cursor) -> None:
        self.c = c
        self.done: list[Step] = []
        self._draft: Draft | None = None
        self._whole_closed = False

    def read(self) -> None:
        """One step, or one word that describes the step before."""
        c = self.c
        kind = c.kind
        if (reader := _READERS.get(kind)) is not None:
            self.finish()
            self._whole_closed = False
            self._draft = reader(c)
        elif kind in _PROTECTION:
            draft = self._protected()
            c.idle = draft.is_flat
            read_protection(c, draft)
            c.idle = False
        elif kind in _SETTINGS or (kind == NUMBER and at_leverage(c)):
            read_setting(c, self._set())
        elif kind in _ORDER_OPTIONS:
            read_order_option(c, self._order())
        elif kind in ("cancel", "wait", "if"):
            self.finish()
            self.done.append(_READ_ALONE[kind](c))
        else:
            _refuse(c)
        if len(self.done) > MAX_STEPS:
            raise c.error_behind("TOO_MANY", f"a block takes {MAX_STEPS} steps at most", "split the message")

    def finish(self) -> None:
        """The order on the left is complete: judge it as a whole and keep it."""
        draft, self._draft = self._draft, None
        if draft is None:
            return
        if draft.is_flat:
            draft.forget_protection()
            self.c.first_r = None
        check(self.c, draft)
        self._whole_closed = draft.ends_position
        self.c.first_r = None
        self.done.append(draft.build())

    def _protected(self) -> Draft:
        draft = self._draft
        if draft is None or not draft.takes_protection:
            self.finish()
            if self._whole_closed:
                message = (
                    f"{quoted(self.c.word)} has nothing to protect: the close before it ends the position"
                )
                raise self.c.error("STRAY_WORD", message, "leave it out, or close a part only")
            draft = self._draft = Draft(Protect, span=self.c.span(self.c.i))
        return draft

    def _set(self) -> Draft:
        draft = self._draft
        if draft is None or not draft.takes_settings:
            self.finish()
            draft = self._draft = Draft(Setting, span=self.c.span(self.c.i))
        return draft

    def _order(self) -> Draft:
        draft = self._draft
        if draft is None or not draft.is_order:
            message = f"{quoted(self.c.word)} has no order on its left"
            raise self.c.error("STRAY_WORD", message, "write it behind the order that it describes")
        return draft


def _read_wait(c: Cursor) -> Wait:
    first = c.i
    c.advance()
    return Wait(duration(c, "wait", _MAX_WAIT), c.span(first))


def _read_if(c: Cursor) -> If:
    first = c.i
    c.advance()
    negated = c.take("not", "no")
    condition = c.choice(CONDITIONS, "BAD_CONDITION", "a condition")
    return If(condition, negated, c.span(first))


_READ_ALONE: dict[str, Callable[[Cursor], Step]] = {"cancel": read_cancel, "wait": _read_wait, "if": _read_if}


# -- what is no step -----------------------------------------------------------------------------------


def _refuse(c: Cursor) -> None:
    """Say what is wrong with a word that begins no step."""
    if c.kind == NUMBER:
        hint = "a price is written at 60000, an offset off 2%, a leverage lev 10x"
        raise c.error("STRAY_WORD", f"{c.here()} is one number too many", hint, last=c.whole_chunk())
    if c.kind == COMMA:
        raise c.error(
            "STRAY_WORD", "a comma stands only between symbols or accounts", "leave it out, or write ;"
        )
    if c.kind != "$" and unicodedata.category(c.kind[0]) == "Sc" and c.kinds[c.i - 1] == NUMBER:
        _refuse_unit(c)
    if c.kind in VOCABULARY or not c.kind[0].isalnum():
        raise c.error("STRAY_WORD", f"{c.here()} does not belong here", _stray_hint(c), expected=STEPS)
    if c.i and c.kinds[c.i - 1] == NUMBER and c.kind not in OTHER_WORDS and not _ASSIGNED.match(c.kind):
        _refuse_unit(c)
    raise c.error("UNKNOWN_WORD", f"{quoted(c.word)} is not a command", _unknown_hint(c), expected=STEPS)


def _unknown_hint(c: Cursor) -> str:
    if (name := c.in_quotes()) and nearest(c.word, STEPS, alike=0.75) is None:
        return f"a name of several words stands in quotes: {name}"
    if c.kind.startswith("tp") and c.kind[2:].isdigit():
        hint = "targets are numbered tp1 to tp9; a price is written tp at 60000"
    elif found := _ASSIGNED.match(c.kind):
        hint = (
            f"words stand without = and : as in {found[1]} off 2%"
            if found[1] in PROTECTION
            else "leave out = and :"
        )
    elif c.kind in OTHER_WORDS:
        hint = f"in Smart Syntax it is {OTHER_WORDS[c.kind]}"
    else:
        words = (*STEPS, *PERCENT_OF) if c.kinds[c.i - 1] == "%" else STEPS
        hint = did_you_mean(
            c.word, words, "a command is for example market, limit, stop, close, go, sl or tp"
        )
    return hint


def _stray_hint(c: Cursor) -> str:
    kind, chunk = c.kind, c.chunk(c.i)
    if kind.startswith(("#", "//", "/*", "--")):
        return "a comment is written // behind a space, and goes to the end of the line"
    if (plain := unicodedata.normalize("NFKC", chunk)) != chunk and plain[0] in "%$@":
        return f"write {plain}"
    if kind in ("at", "@", "off"):
        return "a price stands behind the size of its order: limit long 0.01 at 60000"
    if kind == "on":
        return "on stands only between a symbol and its exchange"
    if kind == "using":
        return "using stands right behind the exchange: BTCUSDT on Binance_F using main"
    return "leave it out, or see what may follow the word before it"


def _refuse_unit(c: Cursor) -> None:
    """An unknown word behind a number: somebody's unit, unless it is nearly a word of the language."""
    before = c.i - 1
    if c.glued(before) or nearest(c.word, STEPS, alike=0.75) is None:
        hint = "a size is a plain number of base units, or money with $, usdt, usdc or usd"
        if c.kind in OTHER_UNITS:
            hint = f"write {c.words[before]}{OTHER_UNITS[c.kind]}"
        if c.kind == "k" and c.words[before].isdecimal():
            hint = f"write {c.words[before]}000"
        raise c.error("UNKNOWN_UNIT", f"{quoted(c.word)} is not a unit", hint, expected=UNITS)
