"""What a size is measured against: funds, leverage, the stop and the position, each asked for only where the size needs it.

The arithmetic is in `execution.sizing`.
"""

from __future__ import annotations

from decimal import Decimal

from exchanges.types import Balance, Direction, Instrument, Side
from execution.amounts import Size, SizeUnit
from execution.desk import Desk
from execution.protection import Frame, stop_price
from execution.sizing import FUNDED, Basis
from execution.terms import Options, Protection


def basis_for(
    desk: Desk,
    size: Size,
    instrument: Instrument,
    direction: Direction,
    options: Options,
    protection: Protection,
    price: Decimal | None,
) -> Basis:
    """What the size is measured against; asks the exchange only for what this size needs."""
    stop = None
    if protection.stop and protection.stop.level and price is not None:
        stop = stop_price(protection.stop.level, Frame(instrument, direction, price))
    return Basis(
        instrument=instrument,
        direction=direction,
        price=price,
        funds=_funds(desk, size, instrument, direction),
        leverage=_leverage(desk, size, instrument, options),
        stop=stop,
        held=_held(desk, size, instrument),
    )


def _held(desk: Desk, size: Size, instrument: Instrument) -> Decimal:
    if size.unit is not SizeUnit.PERCENT_POSITION:
        return Decimal(0)
    return sum((each.quantity for each in desk.positions(instrument)), Decimal(0))


def _funds(desk: Desk, size: Size, instrument: Instrument, direction: Direction) -> Balance | None:
    if size.unit not in FUNDED:
        return None
    return desk.balance(funding_asset(instrument, direction.entry_side, spot=desk.spot))


def funding_asset(instrument: Instrument, side: Side, *, spot: bool) -> str:
    if not spot:
        return instrument.settle
    return instrument.quote if side is Side.BUY else instrument.base


def _leverage(desk: Desk, size: Size, instrument: Instrument, options: Options) -> Decimal:
    if options.leverage is not None or size.unit not in (SizeUnit.PERCENT_MARGIN, SizeUnit.MAX):
        return options.leverage or Decimal(1)
    known = desk.facts.leverage.get(instrument.symbol, (None, None))[0]
    return known or next((each.leverage for each in desk.positions(instrument) if each.leverage), Decimal(1))
