"""What an entry has filled, taken over into its bracket: how much of it is there, from which price its levels are measured."""

from __future__ import annotations

from decimal import Decimal

from exchanges.types import Instrument, Report, Side
from execution.arming import arm
from execution.desk import Desk
from execution.protection import Guarded, LegState, down

#: how the note of a bracket begins whose levels are not measured from its fill
PRICE_UNTOLD = "the exchange does not tell the price of the fill"


def protect_fill(desk: Desk, bracket: Guarded, instrument: Instrument, report: Report) -> None:
    """Take over what the entry has filled so far, and arm it."""
    bracket.entry_open = not report.status.final
    if not report.filled:
        bracket.status = "pending" if bracket.entry_open else "done"
        return
    desk.timeline.mark("filled")
    bracket.entry_price = fill_price(desk, instrument, bracket, report)
    bracket.quantity = sellable(desk, instrument, report, bracket)
    if not bracket.quantity and not bracket.entry_open:
        bracket.status, bracket.note = "done", "the fee left less than can be sold"
        return
    arm(desk, bracket, instrument)
    if report.average_price is None:
        bracket.note = "; ".join(filter(None, (bracket.note, untold(bracket.entry_price))))
    desk.timeline.mark("protected")


def fill_price(desk: Desk, instrument: Instrument, bracket: Guarded, report: Report) -> Decimal:
    """What levels are measured from. An exchange that was asked again and again and does not tell the price of a fill
    leaves no position without its stop: then it is what was asked for, else the price of now. Raises ExchangeError."""
    told = report.average_price or bracket.entry_price or report.price or bracket.entry_level
    return told or desk.quote(instrument).last


def untold(instead: Decimal) -> str:
    return f"{PRICE_UNTOLD}: stop and targets are measured from {instead.normalize():f}"


def trouble(bracket: Guarded) -> str:
    """What of its note is a failure."""
    return "" if bracket.note.startswith(PRICE_UNTOLD) else bracket.note


def sellable(desk: Desk, instrument: Instrument, report: Report, bracket: Guarded) -> Decimal:
    """What a fill left in the account: on spot the fee of a buy may have been taken out of it. What legs of the bracket
    lock already is part of it, and so is what was closed of it since."""
    if not desk.spot or desk.dry_run or report.side is Side.SELL:
        return report.filled
    if report.fee is not None:
        kept = report.filled - (report.fee.amount if report.fee.asset == instrument.base else 0)
        return down(kept, instrument.step)
    held = desk.balance(instrument.base)
    standing = [leg.quantity - leg.filled for leg in bracket.legs if leg.status is LegState.OPEN]
    there = (held.free if held else Decimal(0)) + max(standing, default=Decimal(0)) + bracket.closed
    return down(min(report.filled, there), instrument.step)
