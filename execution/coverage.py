"""Which words of the language execution carries out. The rest is refused at the word, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from execution.amounts import Size, SizeUnit, Span
from execution.commands import (
    Cancel,
    Close,
    Entry,
    EntryKind,
    Go,
    Iceberg,
    If,
    Ladder,
    LadderKind,
    Protect,
    Reverse,
    Setting,
    Step,
    Twap,
    Wait,
)
from execution.message import Block, Message
from execution.models import Action
from execution.rejection import Rejection
from execution.terms import BreakEven, Options, Protection

GUARD: Final = Action.GUARD
#: units of the part of a position that a stop or a target closes
SHARES: Final = frozenset(
    {
        SizeUnit.PERCENT,
        SizeUnit.PERCENT_POSITION,
        SizeUnit.CONTRACTS,
        SizeUnit.BASE,
        SizeUnit.REST,
        SizeUnit.ALL,
        SizeUnit.MAX,
    }
)

_ACTIONS: dict[type, Action] = {
    Entry: Action.ENTRY,
    Ladder: Action.ENTRY,
    Twap: Action.ENTRY,
    Iceberg: Action.ENTRY,
    Close: Action.CLOSE,
    Reverse: Action.REVERSE,
    Go: Action.TARGET,
    Cancel: Action.CANCEL,
    Protect: Action.PROTECT,
    Setting: Action.SETTING,
    If: Action.GUARD,
    Wait: Action.GUARD,
}


def action_of(step: Step) -> Action:
    return _ACTIONS[type(step)]


def check(message: Message) -> None:
    """Raises Rejection NOT_YET at the first word whose execution is not built yet, BAD_SHARE at a part of a
    position that no leg can have: it would fail when the position is open already."""
    for word, span in _missing(message):
        raise Rejection(
            "NOT_YET", f'"{word}" is understood, but flipr does not execute it yet', "leave it out", span
        )
    for size in _shares(message):
        if size.unit not in SHARES:
            raise Rejection(
                "BAD_SHARE",
                "a part of a position is a percentage or a quantity",
                "write for 50% or for rest",
                size.span,
            )


def _shares(message: Message) -> Iterator[Size]:
    """What stands after `for` of a stop or a target."""
    for block in message.blocks:
        for step in block.steps:
            if isinstance(plan := getattr(step, "protection", None), Protection):
                yield from (leg.size for leg in (plan.stop, *plan.targets) if leg and leg.size)


def _missing(message: Message) -> Iterator[tuple[str, Span | None]]:
    if message.paper:
        yield "paper", message.spans.get("paper")
    if message.notify:
        yield "notify", message.spans.get("notify")
    for block in message.blocks:
        for step in block.steps:
            yield from _missing_in_step(step)
        yield from _missing_for_all(block)


def _missing_for_all(block: Block) -> Iterator[tuple[str, Span | None]]:
    if block.symbols:
        return
    for step in block.steps:
        if not isinstance(step, Close | Cancel):
            yield "*", block.span


def _missing_in_step(step: Step) -> Iterator[tuple[str, Span | None]]:
    match step:
        case Ladder():
            yield ("pingpong" if step.kind is LadderKind.PINGPONG else "ladder"), step.span
        case Twap():
            yield "twap", step.span
        case Iceberg():
            yield "iceberg", step.span
        case Wait():
            yield "wait", step.span
        case Entry(kind=EntryKind.CHASE):
            yield "chase", step.span
    if isinstance(options := getattr(step, "options", None), Options):
        yield from _missing_in_options(options)
    if isinstance(protection := getattr(step, "protection", None), Protection):
        yield from _missing_in_protection(protection)


def _missing_in_options(options: Options) -> Iterator[tuple[str, Span | None]]:
    for field, word in (
        ("position_mode", "hedge"),
        ("expire", "expire"),
        ("duration", "for"),
        ("then", "then"),
    ):
        if getattr(options, field) is not None:
            yield word, options.spans.get(field)


def _missing_in_protection(protection: Protection) -> Iterator[tuple[str, Span | None]]:
    if protection.trail:
        yield "trail", protection.trail.span
    if protection.dca:
        yield "dca", protection.dca.span
    for target in protection.targets:
        if target.level is None and target.number:  # `tp none` removes all, `tp2 none` only one
            yield f"tp{target.number} none", target.span
    if (be := protection.break_even) and not is_break_even_now(be):
        yield "be after", be.span


def is_break_even_now(step: BreakEven) -> bool:
    return step.after is None and step.after_target is None
