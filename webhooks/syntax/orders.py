"""Reading the steps that trade: entries, ladders, slices, close, reverse, go and cancel."""

from __future__ import annotations

from typing import Any, NoReturn

from exchanges.types import Direction
from execution.amounts import Level, OffsetUnit, Size, SizeUnit
from execution.commands import (
    WHOLE_POSITION,
    Cancel,
    CancelWhat,
    Close,
    Entry,
    EntryKind,
    Go,
    Iceberg,
    Ladder,
    LadderShape,
    Reverse,
    Twap,
)
from execution.terms import TAG_LENGTH
from webhooks.syntax.amounts import CLOSE_SIZE, ENTRY_SIZE, at_leverage, at_size, level, offset, price, size
from webhooks.syntax.cursor import Cursor
from webhooks.syntax.draft import Draft
from webhooks.syntax.errors import did_you_mean, quoted
from webhooks.syntax.lexer import END, NUMBER
from webhooks.syntax.numbers import SIGNS, count, duration, number
from webhooks.syntax.words import (
    CANCELS,
    CONTRACTS,
    CURRENCIES,
    ENTRIES,
    LADDERS,
    NOT_NUMBERS,
    SHAPES,
    SIDES,
    TARGETS,
)

_PRICE_WORDS = ("at", "@", "off")

# -- entries -------------------------------------------------------------------------------------------


def read_entry(c: Cursor) -> Draft:
    """`market long 0.01`, `limit long 0.01 at 60000`, `stop ...`, `chase ...`, or side and size alone."""
    first = c.i
    kind = ENTRIES.get(c.kind)
    if kind is not None:
        c.advance()
    side_at = c.i
    direction = _side(c)
    amount = size(c, ENTRY_SIZE)
    kind, where = _entry_price(c, kind)
    limit = None
    if kind is EntryKind.STOP and c.kind == "limit" and c.peek() not in SIDES:
        c.advance()
        limit = _no_r(c, level(c, "limit", zero=True))
    return Draft(
        Entry,
        kind=kind,
        direction=direction,
        size=amount,
        price=where,
        limit=limit,
        span=c.span(first),
        side_span=c.span(side_at),
    )


def _side(c: Cursor) -> Direction:
    direction = SIDES.get(c.kind)
    if direction is None:
        _no_side(c)
    c.advance()
    return direction


def _no_side(c: Cursor) -> NoReturn:
    expected = ("long", "short", "buy", "sell")
    if c.i and c.kinds[c.i - 1] == "stop" and c.kind in ("loss", *_PRICE_WORDS, NUMBER):
        raise c.error(
            "UNKNOWN_SIDE", f"{c.here()} is not a side", "for a stop loss write sl off 2%", expected=expected
        )
    if c.kind == NUMBER or c.at_known_word():
        where = "at the end" if c.kind == END else f"before {c.here()}"
        hint = "write long or short (buy and sell mean the same)"
        raise c.error("MISSING_SIDE", f"the side is missing {where}", hint, expected=expected)
    hint = did_you_mean(c.word, expected, "write long, short, buy or sell")
    raise c.error("UNKNOWN_SIDE", f"{quoted(c.word)} is not a side", hint, expected=expected)


def _entry_price(c: Cursor, kind: EntryKind | None) -> tuple[EntryKind, Level | None]:
    """The price of an order that takes one; a side alone is a limit order when a price follows."""
    if c.kind in _PRICE_WORDS:
        if kind in (EntryKind.MARKET, EntryKind.CHASE):
            _price_on_market(c, kind)
        return kind or EntryKind.LIMIT, _place(c)
    if kind in (EntryKind.MARKET, EntryKind.CHASE):
        return kind, None
    if c.kind == NUMBER and not at_leverage(c):
        what = c.text_of(c.i, c.i)
        word = "off" if c.peek() == "%" else "at"
        value = f"{what}%" if word == "off" else what
        message = f'{c.here()} stands where "at" should'
        raise c.error(
            "PRICE_NEEDS_AT",
            message,
            f"write {word} {value}",
            last=c.whole_chunk(),
            expected=("at", "@", "off"),
        )
    if kind is None:
        return EntryKind.MARKET, None
    message = f"a {kind} order needs a price"
    raise c.error(
        "MISSING_PRICE", message, "write for example at 60000, or off 1%", expected=("at", "@", "off")
    )


def _place(c: Cursor) -> Level:
    """`at 60000`, `@ 60000` or `off 1%`."""
    return _no_r(c, level(c, c.kind, zero=True))


def _no_r(c: Cursor, where: Level) -> Level:
    if where.offset is not None and where.offset.unit is OffsetUnit.R:
        message = "R is the distance from the entry to the stop, so it cannot place an entry"
        raise c.error_at(where.span, "BAD_OFFSET", message, "write for example off 1%")
    return where


def _price_on_market(c: Cursor, kind: EntryKind) -> NoReturn:
    if kind is EntryKind.CHASE:
        message, hint = "a chase order follows the best price and has none of its own", "leave the price out"
    else:
        message, hint = "a market order has no price", "write limit instead of market"
    raise c.error("PRICE_ON_MARKET", message, hint)


# -- ladders and slices --------------------------------------------------------------------------------


def read_ladder(c: Cursor) -> Draft:
    """`ladder long 0.1 from 60000 to 58000 in 5 orders rising gap 1% endless`."""
    first = c.i
    kind = LADDERS[c.kind]
    c.advance()
    fields: dict[str, Any] = {"kind": kind, "direction": _side(c), "size": size(c, ENTRY_SIZE)}
    _need(c, "from", "ladder long 0.1 from 60000 to 58000 in 5 orders")
    fields["start"] = _no_r(c, level(c, "from", zero=True))
    _need(c, "to", "from 60000 to 58000")
    fields["end"] = _no_r(c, level(c, "to", zero=True))
    _need(c, "in", "in 5 orders")
    fields["orders"] = count(c, "in", least=2)
    fields["shape"] = SHAPES.get(c.kind, LadderShape.EVEN)
    c.take(*SHAPES)
    fields["gap"] = offset(c, "gap") if c.take("gap") else None
    fields["endless"] = c.take("endless")
    return Draft(Ladder, **fields, span=c.span(first))


def _need(c: Cursor, word: str, example: str) -> None:
    if not c.take(word):
        message = f'the word "{word}" is missing' + ("" if c.at_end() else f" before {c.here()}")
        raise c.error("MISSING_WORD", message, f"write for example {example}", expected=(word,))


def read_twap(c: Cursor) -> Draft:
    """`twap long 1 over 30m in 10 orders`."""
    first = c.i
    c.advance()
    direction, amount = _side(c), size(c, ENTRY_SIZE)
    _need(c, "over", "twap long 1 over 30m")
    over = duration(c, "over")
    orders = count(c, "in") if c.take("in") else None
    return Draft(Twap, direction=direction, size=amount, over=over, orders=orders, span=c.span(first))


def read_iceberg(c: Cursor) -> Draft:
    """`iceberg long 1 show 0.1 at 60000`."""
    first = c.i
    c.advance()
    direction, amount = _side(c), size(c, ENTRY_SIZE)
    _need(c, "show", "iceberg long 1 show 0.1 at 60000")
    shown = size(c, ENTRY_SIZE)
    _check_shown(c, amount, shown)
    if not c.take("at", "@"):
        _need(c, "at", "iceberg long 1 show 0.1 at 60000")
    where = price(c, "at").price
    return Draft(Iceberg, direction=direction, size=amount, show=shown, price=where, span=c.span(first))


def _check_shown(c: Cursor, amount: Size, shown: Size) -> None:
    comparable = amount.unit is shown.unit and amount.value is not None and shown.value is not None
    if comparable and shown.value > amount.value:  # type: ignore[operator]
        raise c.error_at(
            shown.span, "BAD_SIZE", "the part shown is larger than the order", f"show less than {amount}"
        )


# -- positions -----------------------------------------------------------------------------------------


def read_close(c: Cursor) -> Draft:
    """`close`, `close 50%`, `close long 25% at 66000`, `close all`."""
    first = c.i
    c.advance()
    direction = None
    if c.kind in ("long", "short"):
        direction = _side(c)
    elif c.kind in ("buy", "sell"):
        _refuse_close_side(c)
    else:
        c.take("all")
    amount = size(c, CLOSE_SIZE) if at_size(c) else WHOLE_POSITION
    if amount.value is None:  # `close long all` says what `close long 100%` says
        amount = Size(WHOLE_POSITION.unit, WHOLE_POSITION.value, span=amount.span)
    where = _place(c) if c.kind in _PRICE_WORDS else None
    if where is None and c.kind == NUMBER and not at_leverage(c):
        raise c.error(
            "PRICE_NEEDS_AT",
            f'{c.here()} stands where "at" should',
            f"write at {c.word}",
            expected=("at", "@", "off"),
        )
    return Draft(Close, direction=direction, size=amount, price=where, span=c.span(first))


def _refuse_close_side(c: Cursor) -> NoReturn:
    left = "long" if c.kind == "sell" else "short"
    message = "close takes long or short, not buy or sell"
    raise c.error(
        "CLOSE_SIDE", message, f"write close {left} 100% to leave a {left}", expected=("long", "short", "all")
    )


def read_reverse(c: Cursor) -> Draft:
    """`reverse`, `reverse to short`, `flip 0.5`."""
    first = c.i
    c.advance()
    direction = _side(c) if c.take("to") or c.kind in SIDES else None
    amount = size(c, ENTRY_SIZE) if at_size(c) else None
    return Draft(Reverse, direction=direction, size=amount, span=c.span(first))


def read_go(c: Cursor) -> Draft:
    """The wanted position: `go long 0.02`, `go flat 0`, `go -0.5`."""
    first = c.i
    c.advance()
    direction: Direction | None = None
    amount: Size | None = None
    if c.take("flat"):
        _flat_has_no_size(c)
    elif c.kind == NUMBER or c.kind in NOT_NUMBERS:
        direction, amount = _signed_position(c)
    else:
        direction = _side(c)
        amount = size(c, ENTRY_SIZE)
    return Draft(Go, direction=direction, size=amount, span=c.span(first))


def _flat_has_no_size(c: Cursor) -> None:
    if not at_size(c):
        return
    at = c.i
    if c.kind != NUMBER or number(c):
        hint = "write go flat, or go long 0.5"
        raise c.error("FLAT_HAS_NO_SIZE", "flat means no position, so it has no size", hint, at)


def _signed_position(c: Cursor) -> tuple[Direction | None, Size | None]:
    """A number whose sign is the side: what a strategy's position size looks like."""
    first = c.i
    signed = c.word[:1] in SIGNS
    value = number(c)
    if c.kind in ("%", "$", *CURRENCIES, *CONTRACTS):
        text = c.text_of(first, c.i)
        hint = f"write go long {text.lstrip('+-−')} or go short {text.lstrip('+-−')}"
        raise c.error(
            "MISSING_SIDE",
            f'the side is missing before "{text}"',
            hint,
            first,
            c.i,
            ("long", "short", "flat"),
        )
    if not value:
        return None, None
    direction = Direction.SHORT if signed and value < 0 else Direction.LONG
    return direction, Size(SizeUnit.BASE, abs(value), span=c.value_span(first))


# -- cancel --------------------------------------------------------------------------------------------


def read_cancel(c: Cursor) -> Cancel:
    """`cancel all`, `cancel entries tag NAME`, `cancel sl`, `cancel id NAME`."""
    first = c.i
    c.advance()
    what = CANCELS.get(c.kind)
    if what is not None:
        c.advance()
    elif c.kind.isalpha() and not c.at_known_word():
        hint = did_you_mean(c.word, CANCELS, f"write cancel {', '.join(CANCELS)}")
        raise c.error("UNKNOWN_WORD", f"{quoted(c.word)} is nothing to cancel", hint, expected=CANCELS)
    elif c.kind in TARGETS:
        message = "cancel takes all targets or none"
        raise c.error(
            "BAD_CANCEL", message, "write cancel tp, or tp2 none to remove one", expected=tuple(CANCELS)
        )
    direction = None
    if c.kind in SIDES and not _begins_entry(c):
        direction = _side(c)
    elif c.kind in SIDES and what is None:
        _refuse_two_meanings(c, first)
    tag = c.name("tag", TAG_LENGTH) if c.take("tag") else ""
    client_id = c.name("id") if not tag and c.take("id") else ""
    return Cancel(what or CancelWhat.ALL, direction, tag, client_id, c.span(first))


def _refuse_two_meanings(c: Cursor, first: int) -> NoReturn:
    """`cancel sell 5` may mean the orders that sell, or a sale that follows: one of them trades."""
    last = c.i + c.chunk_length(c.i + 1)
    if c.peek() == "risk":
        last += c.chunk_length(last + 1)
    text = c.text_of(c.i, last)
    message = f'"cancel {text}" has two meanings'
    hint = f"write cancel {c.word} to take back orders of this side, or cancel all {text} to trade after it"
    raise c.error("BAD_CANCEL", message, hint, first, last, expected=tuple(CANCELS))


def _begins_entry(c: Cursor) -> bool:
    """In `cancel all buy 100$` the side belongs to the entry that follows."""
    return c.peek() in (NUMBER, "$", "risk", "max", "all")
