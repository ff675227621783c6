"""Reading protection: `sl`, `tp`, `trail`, `be` and `dca`."""

from __future__ import annotations

from decimal import Decimal

from exchanges.types import TriggerBy
from execution.amounts import Level, OffsetUnit, Size
from execution.commands import Protect
from execution.terms import BreakEven, Dca, StopLoss, TakeProfit, Trail
from webhooks.syntax.amounts import HUNDRED, PART_SIZE, at_size, level, offset, size
from webhooks.syntax.cursor import Cursor
from webhooks.syntax.draft import Draft
from webhooks.syntax.lexer import NUMBER
from webhooks.syntax.numbers import count, number
from webhooks.syntax.words import DURATIONS, SIDES, TARGETS, TRIGGERS

MAX_TARGETS = 9
_LEG_WORDS = ("for", "trigger", "limit")


def read_protection(c: Cursor, draft: Draft) -> None:
    """One protection word and its values, added to the draft."""
    kind = c.kind
    if kind == "sl":
        _stop(c, draft)
    elif kind == "tp" or kind in TARGETS:
        _target(c, draft)
    elif kind == "trail":
        _trail(c, draft)
    elif kind == "dca":
        _dca(c, draft)
    else:
        _break_even(c, draft)


def _stop(c: Cursor, draft: Draft) -> None:
    if draft.stop is not None:
        raise c.error("TWO_STOPS", "one order takes one stop", "leave one of the two out")
    first, r_before = c.i, c.first_r
    c.advance()
    leg = _leg(c, "sl")
    if c.first_r is not r_before:
        message = "R is the distance to the stop, so the stop itself cannot be in R"
        raise c.error_at(c.first_r, "R_NEEDS_STOP", message, "write for example sl off 2%")
    draft.stop = StopLoss(*leg, c.span(first))


def _target(c: Cursor, draft: Draft) -> None:
    first = c.i
    targets = draft.targets
    number = TARGETS.get(c.kind)
    c.advance()
    if number is None and _at_digit(c):
        number = int(c.word)
        c.advance()
    if number is None:
        number = 0 if c.kind == "none" else len(targets) + 1
    if len(targets) >= MAX_TARGETS:
        raise c.error("TOO_MANY", f"one order takes {MAX_TARGETS} targets at most", "leave some out", first)
    if any(each.number == number for each in targets):
        message = f"there is a tp{number or ''} already"
        raise c.error("TWO_TARGETS", message, "number the targets tp1, tp2, tp3, or none of them", first)
    where, part, trigger, limit = _leg(c, "tp")
    targets.append(TakeProfit(where, number, part, trigger, limit, c.span(first)))


def _at_digit(c: Cursor) -> bool:
    """`tp 2 off 4%`: the digit set apart; a number alone is a price."""
    return (
        c.kind == NUMBER
        and len(c.word) == 1
        and "1" <= c.word <= "9"
        and c.peek() in ("off", "at", "@", "none")
    )


def _leg(c: Cursor, word: str) -> tuple[Level | None, Size | None, TriggerBy | None, Level | None]:
    """The level of a stop or target, and what follows it: its part, its trigger price and its limit."""
    if c.take("none"):
        return None, None, None, None
    where = level(c, word)
    part: Size | None = None
    trigger: TriggerBy | None = None
    limit: Level | None = None
    while (kind := c.kind) in _LEG_WORDS:
        if kind == "for" and part is None and not _at_duration(c):
            c.advance()
            part = size(c, PART_SIZE)
        elif kind == "trigger" and trigger is None:
            c.advance()
            trigger = c.choice(TRIGGERS, "BAD_TRIGGER", "a trigger price")
        elif kind == "limit" and limit is None and c.peek() not in SIDES:
            c.advance()
            limit = level(c, "limit", zero=True)
        else:
            break  # said twice, or it belongs to the order or begins the next entry
    return where, part, trigger, limit


def _at_duration(c: Cursor) -> bool:
    """`for 60s` belongs to the order, `for 50%` to its target."""
    return c.peek() == NUMBER and c.peek(2) in DURATIONS


def _trail(c: Cursor, draft: Draft) -> None:
    if draft.trail is not None:
        raise c.error("TWICE", '"trail" stands twice', "leave one of the two out")
    first = c.i
    c.advance()
    distance = offset(c, "off" if c.take("off") else "trail")
    if distance.unit is OffsetUnit.PERCENT and distance.value >= HUNDRED:
        raise c.error_at(
            distance.span,
            "OVER_100_PERCENT",
            "a stop cannot trail by the whole price",
            "write for example 2%",
        )
    after = level(c, "after") if c.take("after") else None
    draft.trail = Trail(distance, after, c.span(first))


def _break_even(c: Cursor, draft: Draft) -> None:
    if draft.break_even is not None:
        raise c.error("TWICE", f'"{c.kind}" stands twice', "leave one of the two out")
    first, word = c.i, c.word
    c.advance()
    target: int | None = None
    after: Level | None = None
    if c.take("after"):
        target = _target_number(c)
        after = level(c, "after") if target is None else None
    elif not c.take("now"):
        _missing_after(c, word)
    plus = offset(c, "plus", zero=True) if c.take("plus") else None
    draft.break_even = BreakEven(target, after, plus, c.span(first))


def _target_number(c: Cursor) -> int | None:
    """The digit of `tp1` or `tp 1`, None when something else stands here."""
    if c.kind == "tp":
        c.advance()
        if c.kind != NUMBER or c.word not in "123456789":
            raise c.error(
                "BAD_TARGET", f"{c.here()} is not the number of a target", "write for example be after tp1"
            )
        found = int(c.word)
        c.advance()
        return found
    target = TARGETS.get(c.kind)
    if target is not None:
        c.advance()
    return target


def _missing_after(c: Cursor, word: str) -> None:
    what = ""
    if c.kind in TARGETS or c.kind == "tp" or at_size(c):
        what = c.text_of(c.i, c.whole_chunk())
    hint = f"write {word} after {what}" if what else f"write {word} now, or {word} after tp1"
    raise c.error(
        "MISSING_AFTER",
        f'the word "after" or "now" is missing after "{word}"',
        hint,
        last=c.whole_chunk(),
        expected=("after", "now"),
    )


def _dca(c: Cursor, draft: Draft) -> None:
    if draft.make is Protect:
        hint = "write it after an order: market long 0.01 dca 4 orders every 1%"
        raise c.error("DCA_ALONE", "dca adds to an order, and there is none on its left", hint)
    if draft.dca is not None:
        raise c.error("TWICE", '"dca" stands twice', "leave one of the two out")
    first = c.i
    c.advance()
    orders = count(c, "dca")
    if not c.take("every"):
        raise c.error(
            "MISSING_EVERY", 'the word "every" is missing', "write dca 4 orders every 1%", expected=("every",)
        )
    every = offset(c, "every")
    grow = _growth(c) if c.take("grow") else None
    draft.dca = Dca(orders, every, grow, c.span(first))


def _growth(c: Cursor) -> Decimal:
    first = c.i
    value = number(c)
    if not 0 < value <= HUNDRED:
        raise c.error(
            "BAD_FACTOR", "each order grows by a factor between 0 and 100", "write grow 1.5x", first
        )
    c.take("x")
    return value
