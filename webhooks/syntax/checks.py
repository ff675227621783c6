"""What can only be judged when a whole order has been read. Points at the word that makes it wrong."""

from __future__ import annotations

from decimal import Decimal

from exchanges.types import Direction, TimeInForce
from execution.amounts import Level, Offset, OffsetUnit, Size, SizeUnit
from execution.commands import Entry, EntryKind, Go, Protect, Reverse
from execution.terms import TakeProfit
from webhooks.syntax.amounts import HUNDRED
from webhooks.syntax.cursor import Cursor
from webhooks.syntax.draft import Draft

_RISKS = (SizeUnit.RISK_PERCENT, SizeUnit.RISK_QUOTE)
#: a percent beyond it is not rounded: it has more digits than fit, and is far too much anyway
_ROUNDABLE = Decimal(10) ** 20


def check(c: Cursor, draft: Draft) -> None:
    """Raises BadCommand for an order whose words do not fit together."""
    if draft.stop is None or draft.stop.level is None:
        _check_needs_stop(c, draft)
    if draft.targets:
        _check_targets(c, draft)
    if draft.break_even is not None:
        _check_break_even(c, draft)
    if draft.options:
        _check_options(c, draft)
    _check_distances(c, draft)


def _check_needs_stop(c: Cursor, draft: Draft) -> None:
    if draft.size is not None and draft.size.unit in _RISKS:
        message = "a risk size needs a stop in the same order"
        raise c.error_at(draft.size.span, "RISK_NEEDS_STOP", message, "add for example sl off 2%")
    if c.first_r is not None:
        message = "R is the distance to the stop, and this order has none"
        raise c.error_at(c.first_r, "R_NEEDS_STOP", message, "add for example sl off 2%")


# -- targets -------------------------------------------------------------------------------------------


def _check_targets(c: Cursor, draft: Draft) -> None:
    if len(draft.targets) == 1 and draft.targets[0].size is None:
        return  # the usual order: one target for all of it
    removed = [target for target in draft.targets if target.level is None]
    if removed and len(draft.targets) > len(removed):
        message = "targets are set or removed, not both in one order"
        raise c.error_at(
            removed[0].span, "TWO_TARGETS", message, "leave tp none out: new targets replace the old ones"
        )
    shares = [_share(target, draft.size) for target in draft.targets]
    total = Decimal(0)
    for target, share in zip(draft.targets, shares, strict=True):
        total += share
        if total > HUNDRED:
            message = f"the take profits add up to {sum(shares).normalize():f}%"  # type: ignore[union-attr]
            raise c.error_at(target.span, "TP_OVER_100", message, "make them add up to 100% or less")
    _check_rest(c, draft.targets)


def _share(target: TakeProfit, whole: Size | None) -> Decimal:
    """The percent of the order that a target takes, as far as the text tells."""
    size = target.size
    if size is None or size.value is None:
        return Decimal(0)
    if size.unit in (SizeUnit.PERCENT, SizeUnit.PERCENT_POSITION):
        return size.value
    if whole is not None and whole.value and whole.unit is size.unit:
        share = size.value / whole.value * HUNDRED
        return round(share, 2) if share < _ROUNDABLE else share
    return Decimal(0)


def _check_rest(c: Cursor, targets: list[TakeProfit]) -> None:
    rests = [each for each in targets if each.size is not None and each.size.unit is SizeUnit.REST]
    if len(rests) > 1:
        raise c.error_at(
            rests[1].span, "TP_OVER_100", "only one target can take the rest", "give the others a percent"
        )


def _check_break_even(c: Cursor, draft: Draft) -> None:
    assert draft.break_even is not None
    number = draft.break_even.after_target
    if number is None or any(
        target.number == number and target.level is not None for target in draft.targets
    ):
        return
    if draft.targets or draft.make is not Protect:  # a new order has only the targets it names
        message = f"this order has no tp{number}"
        raise c.error_at(
            draft.break_even.span, "BAD_TARGET", message, f"add tp{number}, or write be after 2%"
        )


# -- options -------------------------------------------------------------------------------------------


def _check_options(c: Cursor, draft: Draft) -> None:
    options, spans = draft.options, draft.spans
    if "reduce" in options:
        _check_reduce(c, draft)
    if draft.at_market:
        _check_at_market(c, draft)
    if "then" in options and not {"expire", "duration"} & options.keys():
        message = "then says what follows when the time is over, and no time is given"
        raise c.error_at(spans["then"], "THEN_NEEDS_FOR", message, "write for 60s then market")
    if "expire" in options and "duration" in options:
        raise c.error_at(
            spans["duration"], "OPTIONS_CLASH", '"expire" and "for" both limit the time', "leave one out"
        )
    at_once = options.get("time_in_force") in (TimeInForce.IOC, TimeInForce.FOK)
    if at_once:
        for name in ("post", "expire", "duration"):
            if name in options:
                message = f"{options['time_in_force']} orders never rest in the book"
                raise c.error_at(spans[name], "OPTIONS_CLASH", message, "leave one of the two out")


def _check_reduce(c: Cursor, draft: Draft) -> None:
    """A stop for what was not opened would be told as armed, and the other half of a reverse be refused when the
    position is closed already."""
    span = draft.spans["reduce"]
    if draft.make is Reverse:
        message = "reverse opens the other side, and reduce opens nothing"
        raise c.error_at(span, "OPTIONS_CLASH", message, "leave reduce out, or write close")
    if draft.is_protected and draft.make is not Go:
        message = "a reduce order opens nothing that could be protected"
        hint = "leave reduce out; for the stop of what stays open write it before the order: sl off 2%"
        raise c.error_at(span, "OPTIONS_CLASH", message, hint)


def _check_at_market(c: Cursor, draft: Draft) -> None:
    spans = draft.spans
    if "post" in spans:
        message = "a post order waits in the book, a market order does not"
        raise c.error_at(
            spans["post"], "POST_ON_MARKET", message, "write limit with a price, or leave post out"
        )
    for name, word in (("expire", "expire"), ("duration", "for")):
        if name in spans and not _waits_for_trigger(draft):
            message = f'"{word}" is for orders that wait, and this one does not'
            raise c.error_at(
                spans[name], "OPTION_ON_MARKET", message, "write limit with a price, or leave it out"
            )


def _waits_for_trigger(draft: Draft) -> bool:
    return draft.make is Entry and draft.fields["kind"] is EntryKind.STOP


# -- distances -----------------------------------------------------------------------------------------


def _check_distances(c: Cursor, draft: Draft) -> None:
    """A price cannot fall by 100% or more: such a stop or target could never be reached."""
    direction = draft.fields.get("direction")
    if direction is Direction.LONG and draft.stop is not None:
        _check_distance(c, draft.stop.level, "a stop")
    if direction is Direction.SHORT:
        for target in draft.targets:
            _check_distance(c, target.level, "a target")


def _check_distance(c: Cursor, where: Level | None, what: str) -> None:
    offset: Offset | None = where.offset if where is not None else None
    if offset is not None and offset.unit is OffsetUnit.PERCENT and offset.value >= HUNDRED:
        message = f"{what} {offset} below the entry would stand at zero or less"
        raise c.error_at(offset.span, "OVER_100_PERCENT", message, "write for example 2%")
