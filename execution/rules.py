"""What a market does not have, and what the account's owner does not want: refused before anything is sent.
What only the exchange knows of a leverage is refused at its word.

Sizes and their bounds are in `execution.sizing`, the sides of levels in `execution.protection`.
"""

from __future__ import annotations

from exchanges.errors import InvalidOrder
from exchanges.types import Direction, Instrument
from execution.commands import Entry, Go, Reverse
from execution.desk import Desk
from execution.rejection import Rejection
from execution.terms import Options


def check_market(desk: Desk, step: Entry | Go | Reverse, instrument: Instrument) -> None:
    """What this market cannot do is refused at the word (NOT_ON_SPOT)."""
    options = step.options
    if not desk.spot:
        check_leverage(options, instrument)
        return
    for present, name, word in (
        (options.leverage is not None, "leverage", "leverage"),
        (options.margin_mode is not None, "margin_mode", "a margin mode"),
        (options.reduce, "reduce", "reduce"),
    ):
        if present:
            raise Rejection(
                "NOT_ON_SPOT",
                f"{word} does not exist on spot",
                "leave it out, or trade futures: _F",
                options.spans.get(name),
            )
    if step.direction is Direction.SHORT and step.protection:
        first = step.protection.stop or (step.protection.targets[0] if step.protection.targets else None)
        raise Rejection(
            "NOT_ON_SPOT",
            "a sale on spot leaves no position to protect",
            "leave out sl and tp, or trade futures: _F",
            first.span if first else step.span,
        )
    if step.protection and not desk.venue.features.conditional:
        raise Rejection(
            "NOT_ON_SPOT", f"{desk.venue.name} has no stop orders", "leave out sl and tp", step.span
        )


def check_leverage(options: Options, instrument: Instrument) -> None:
    """LEVERAGE_TOO_HIGH at the word, where the exchange tells its maximum."""
    most = instrument.max_leverage
    if options.leverage is not None and most is not None and options.leverage > most:
        raise Rejection(
            "LEVERAGE_TOO_HIGH",
            f"{options.leverage.normalize():f}x is above the maximum of {most.normalize():f}x for {instrument.symbol}",
            f"write at most {most.normalize():f}x",
            options.spans.get("leverage"),
        )


def set_leverage(
    desk: Desk, options: Options, instrument: Instrument, direction: Direction | None = None
) -> None:
    """Raises Rejection at the word that the exchange refuses: not every one tells its maximum beforehand."""
    try:
        desk.set_leverage(instrument, options.leverage, options.margin_mode, direction)
    except InvalidOrder as error:
        word = "leverage" if options.leverage is not None else "margin_mode"
        hint = f"{instrument.symbol} does not take it there now: write another one, or leave it out"
        raise Rejection(error.kind, error.message, hint, options.spans.get(word), error) from error


def check_opposite(desk: Desk, step: Entry, instrument: Instrument) -> None:
    """The account's rule for a signal against the open position: net (default), reject or reduce."""
    rule = desk.opposite_signal
    if rule not in ("reject", "reduce") or desk.spot or desk.hedged(instrument):
        return
    against = desk.positions(instrument, step.direction.opposite)
    if against and rule == "reject":
        held = against[0]
        raise Rejection(
            "BLOCKED_BY_RULE",
            f"a {held.direction} of {held.quantity} is open, and this account refuses opposite signals",
            "close it first, use go or reverse, or change the account's rule",
            step.side_span or step.span,
        )


def reduces_opposite(desk: Desk, step: Entry, instrument: Instrument) -> bool:
    return (
        desk.opposite_signal == "reduce"
        and not desk.spot
        and not desk.hedged(instrument)
        and bool(desk.positions(instrument, step.direction.opposite))
    )
