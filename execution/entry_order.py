"""An entry as an order: its prices and its quantity on the instrument's steps, and what it has to say beside them. Sends
nothing; asks for a price only where something in the entry needs one."""

from __future__ import annotations

from decimal import Decimal

from exchanges.types import Direction, Instrument, MarginMode, OrderRequest, OrderType, TimeInForce
from execution.amounts import Level, SizeUnit
from execution.basis import basis_for
from execution.commands import Entry, EntryKind
from execution.desk import Desk
from execution.protection import Frame, above_zero, check_sides, distance, down, spelled_out, up
from execution.sizing import PRICED, check_bounds, check_spend, exact_quantity
from execution.terms import Protection

#: a price remembered this much above the minimum needs no fresh look before an order
PLENTY = Decimal(3)
#: what an amount of dollars is rounded down to: exchanges refuse decimals beyond their own, which are never fewer
CENT = Decimal("0.01")


def build(
    desk: Desk, step: Entry, instrument: Instrument, token: str, *, reduces: bool = False
) -> OrderRequest:
    """The entry as an order: size computed, price and quantity on the instrument's steps, minima checked."""
    price = expected_price(desk, step, instrument)
    kind, limit, trigger = _prices(desk, step, instrument, price)
    check_levels(desk, step, instrument, trigger or limit or price)
    if (quote_amount := _spend(desk, step)) is not None:
        check_spend(quote_amount, instrument, step.size)
    amount = None if quote_amount else _quantity(desk, step, instrument, trigger or limit or price)
    reduce_only = step.options.reduce or reduces
    return OrderRequest(
        instrument=instrument,
        client_id=desk.venue.client_id(token),
        side=step.direction.entry_side,
        type=kind,
        quantity=amount,
        quote_quantity=quote_amount,
        price=limit,
        trigger_price=trigger,
        time_in_force=step.options.time_in_force or TimeInForce.GTC,
        post_only=step.options.post,
        reduce_only=reduce_only and not desk.spot,
        position_side=_position_side(desk, instrument, step.direction, reduce_only=reduce_only),
        margin_mode=_margin_mode(desk, step, instrument),
        leverage=step.options.leverage or desk.facts.leverage.get(instrument.symbol, (None, None))[0],
    )


def _position_side(
    desk: Desk, instrument: Instrument, direction: Direction, *, reduce_only: bool
) -> Direction | None:
    if desk.spot or not desk.hedged(instrument):
        return None
    return direction.opposite if reduce_only else direction


def _margin_mode(desk: Desk, step: Entry, instrument: Instrument) -> MarginMode | None:
    """What was said; else what flipr finds, so that nothing changes which the trader has set up."""
    if desk.spot:
        return None
    return step.options.margin_mode or desk.margin_mode(instrument, step.direction)


def _prices(
    desk: Desk, step: Entry, instrument: Instrument, price: Decimal | None
) -> tuple[OrderType, Decimal | None, Decimal | None]:
    """(type, limit price, trigger price): a buy never pays more and a sale never less than asked; a trigger
    is never earlier than asked."""
    long = step.direction is Direction.LONG
    tick = instrument.tick
    match step.kind:
        case EntryKind.LIMIT:
            assert step.price is not None
            raw = _from_now(desk, step.price, instrument, step.direction, away=False)
            limit = above_zero(down(raw, tick) if long else up(raw, tick), step.price)
            return OrderType.LIMIT, limit, None
        case EntryKind.STOP:
            assert step.price is not None
            raw = _from_now(desk, step.price, instrument, step.direction, away=True)
            trigger = above_zero(up(raw, tick) if long else down(raw, tick), step.price)
            if step.limit is None:
                return OrderType.STOP, None, trigger
            return OrderType.STOP_LIMIT, _stop_limit(step.limit, trigger, instrument, long=long), trigger
        case _:
            return OrderType.MARKET, None, None


def _from_now(
    desk: Desk, level: Level, instrument: Instrument, direction: Direction, *, away: bool
) -> Decimal:
    """An absolute price, or an offset from the last price: below it for a long limit, above for a long stop."""
    if level.price is not None:
        return level.price
    assert level.offset is not None
    last = desk.quote(instrument).last
    gap = distance(level.offset, Frame(instrument, direction, last))
    return last + gap if (direction is Direction.LONG) == away else last - gap


def _stop_limit(level: Level, trigger: Decimal, instrument: Instrument, *, long: bool) -> Decimal:
    if level.price is not None:
        raw = level.price
    else:
        assert level.offset is not None
        gap = distance(level.offset, Frame(instrument, Direction.LONG, trigger))
        raw = trigger + gap if long else trigger - gap
    return down(raw, instrument.tick) if long else up(raw, instrument.tick)


def check_levels(desk: Desk, step: Entry, instrument: Instrument, price: Decimal | None) -> None:
    """Levels given as prices must lie on their side of the expected entry (STOP_WRONG_SIDE, TP_WRONG_SIDE)."""
    protection = spelled_out(step.protection)
    if price is None or not protection or not (_absolute(protection) or desk.dry_run):
        return
    if step.kind is EntryKind.LIMIT:  # one that crosses the market fills at the market's price
        present = desk.price(instrument, step.direction)
        price = min(price, present) if step.direction is Direction.LONG else max(price, present)
    check_sides(protection, Frame(instrument, step.direction, price))


def expected_price(desk: Desk, step: Entry, instrument: Instrument) -> Decimal | None:
    """The price the order will roughly fill at; None when nothing in the step needs one."""
    if step.price is not None and step.price.price is not None:
        return step.price.price
    if _needs_price(desk, step, instrument):
        return desk.price(instrument, step.direction)
    return None


def _needs_price(desk: Desk, step: Entry, instrument: Instrument) -> bool:
    if step.price is not None or desk.dry_run:
        return True
    if step.size.unit in PRICED and not _spend(desk, step):
        return True
    if _absolute(step.protection):
        return True
    return not _surely_enough(desk, step, instrument)


def _surely_enough(desk: Desk, step: Entry, instrument: Instrument) -> bool:
    """A plain size so far above the minimum, by a price seen before, that no look is needed."""
    if not instrument.min_notional:
        return True
    seen = desk.connection.last_prices.get(instrument.symbol)
    if seen is None or step.size.unit is not SizeUnit.BASE or step.size.value is None:
        return bool(_spend(desk, step))
    return instrument.notional(step.size.value, seen) > instrument.min_notional * PLENTY


def _absolute(protection: Protection) -> bool:
    levels = [
        protection.stop.level if protection.stop else None,
        *(target.level for target in protection.targets),
    ]
    return any(level is not None and level.price is not None for level in levels)


def _quantity(desk: Desk, step: Entry, instrument: Instrument, price: Decimal | None) -> Decimal:
    basis = basis_for(desk, step.size, instrument, step.direction, step.options, step.protection, price)
    exact = exact_quantity(step.size, basis)
    if desk.spot or not step.options.reduce:
        market = step.kind is EntryKind.MARKET or (step.kind is EntryKind.STOP and step.limit is None)
        check_bounds(exact, price, instrument, step.size, market=market)
    return down(exact, instrument.step)


def _spend(desk: Desk, step: Entry) -> Decimal | None:
    """A spot market buy of a quote amount goes to the exchange as that amount, where it takes it so."""
    direct = (
        desk.spot
        and step.kind is EntryKind.MARKET
        and step.direction is Direction.LONG
        and step.size.unit is SizeUnit.QUOTE
        and desk.venue.features.market_by_quote
    )
    return down(step.size.value, CENT) if direct and step.size.value is not None else None
