"""Opening a position: rules of the market, size, the order, the fill, and the protection that follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from exchanges.errors import ExchangeError, InsufficientFunds
from exchanges.types import (
    Balance,
    Direction,
    Instrument,
    MarginMode,
    OrderRequest,
    OrderType,
    Report,
    Side,
    TimeInForce,
)
from execution.arming import arm
from execution.commands import (
    BreakEven,
    Entry,
    EntryKind,
    Go,
    Level,
    Offset,
    OffsetUnit,
    Options,
    Protection,
    Reverse,
    Size,
    SizeUnit,
    StopLoss,
)
from execution.desk import Desk
from execution.legs import check_legs
from execution.protection import (
    Frame,
    Guarded,
    LegState,
    above_zero,
    check_sides,
    distance,
    down,
    stop_price,
    up,
)
from execution.rejection import Rejection
from execution.sizing import FUNDED, PRICED, Basis, check_bounds, check_spend, exact_quantity

#: how the note of a bracket begins whose levels are not measured from its fill
PRICE_UNTOLD = "the exchange does not tell the price of the fill"
#: a price remembered this much above the minimum needs no fresh look before an order
PLENTY = Decimal(3)
#: what an amount of dollars is rounded down to: exchanges refuse decimals beyond their own, which are never fewer
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Opened:
    """What an entry led to. `bracket` is None when no protection was asked for."""

    instrument: Instrument
    report: Report
    bracket: Guarded | None


def enter(
    desk: Desk, step: Entry, instrument: Instrument, token: str, make: Callable[..., Guarded]
) -> Opened:
    """Run one entry to its protected end. Raises Rejection before anything is sent; then the errors of `Desk.send`.

    `make` builds the bracket of this job (it knows account and policy).
    """
    check_opposite(desk, step, instrument)
    order = plan(desk, step, instrument, token, reduces=_reduces(desk, step, instrument))
    desk.set_leverage(instrument, step.options.leverage, step.options.margin_mode, step.direction)
    return carry_out(desk, step, order, make)


def plan(
    desk: Desk, step: Entry, instrument: Instrument, token: str, *, reduces: bool = False
) -> OrderRequest:
    """The order of an entry, after every check there is. Sends nothing; raises Rejection, Unsupported."""
    check_market(desk, step, instrument)
    order = build(desk, step, instrument, token, reduces=reduces)
    desk.venue.draft_call(order, order.price or order.trigger_price or desk.known_price(instrument))
    protection = spelled_out(step.protection)
    check_legs(desk, protection, instrument, step.direction, hedge=order.position_side is not None)
    return order


def carry_out(desk: Desk, step: Entry, order: OrderRequest, make: Callable[..., Guarded]) -> Opened:
    """Place a planned entry, and protect what it fills."""
    return guarded(desk, step, order, place(desk, order), make)


def guarded(
    desk: Desk, step: Entry, order: OrderRequest, report: Report, make: Callable[..., Guarded]
) -> Opened:
    """Protect what an entry that was placed has filled so far. Whatever is raised here, the entry stands."""
    instrument = order.instrument
    protection = spelled_out(step.protection)
    if not protection or (report.status.final and not report.filled):
        return Opened(instrument, report, None)
    bracket = make(
        instrument=instrument.symbol,
        direction=step.direction,
        hedge=order.position_side is not None,
        plan=protection,
        entry_client_id=report.client_id or order.client_id,
        entry_exchange_id=report.exchange_id,
        entry_conditional=order.type.conditional,
        entry_level=order.trigger_price or order.price,
    )
    protect_fill(desk, bracket, instrument, report)
    return Opened(instrument, report, bracket)


def protect_fill(desk: Desk, bracket: Guarded, instrument: Instrument, report: Report) -> None:
    """Take over what the entry has filled so far, and arm it."""
    bracket.entry_open = not report.status.final
    if not report.filled:
        bracket.status = "pending" if bracket.entry_open else "done"
        return
    desk.timeline.mark("filled")
    bracket.entry_price = fill_price(desk, instrument, bracket, report)
    bracket.quantity = sellable(desk, instrument, report, bracket)
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


def place(desk: Desk, order: OrderRequest) -> Report:
    """Send, and when the exchange says the funds do not suffice, say how much is free."""
    try:
        return desk.send(order)
    except InsufficientFunds as error:
        asset = _funding_asset(order.instrument, order.side, spot=desk.spot)
        try:
            held = desk.balance(asset)
        except ExchangeError:
            raise error from None  # how much there is would be good to know; that it is too little is
        free = held.free if held else Decimal(0)
        raise InsufficientFunds(
            f"{error.message} (free: {free.normalize():f} {asset})",
            code=error.code,
            exchange_message=error.exchange_message,
        ) from error


# -- rules -------------------------------------------------------------------------------------------------


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


def spelled_out(protection: Protection) -> Protection:
    """`be now` is a stop at the entry price."""
    be: BreakEven | None = protection.break_even
    if be is None:
        return protection
    stop = StopLoss(Level(offset=Offset(Decimal(0), OffsetUnit.QUOTE)), span=be.span)
    return replace(protection, break_even=None, stop=protection.stop or stop)


# -- the order ---------------------------------------------------------------------------------------------


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


def _reduces(desk: Desk, step: Entry, instrument: Instrument) -> bool:
    return (
        desk.opposite_signal == "reduce"
        and not desk.spot
        and not desk.hedged(instrument)
        and bool(desk.positions(instrument, step.direction.opposite))
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


def _absolute(protection: Protection) -> bool:
    levels = [
        protection.stop.level if protection.stop else None,
        *(target.level for target in protection.targets),
    ]
    return any(level is not None and level.price is not None for level in levels)


def _surely_enough(desk: Desk, step: Entry, instrument: Instrument) -> bool:
    """A plain size so far above the minimum, by a price seen before, that no look is needed."""
    if not instrument.min_notional:
        return True
    seen = desk.connection.last_prices.get(instrument.symbol)
    if seen is None or step.size.unit is not SizeUnit.BASE or step.size.value is None:
        return bool(_spend(desk, step))
    return instrument.notional(step.size.value, seen) > instrument.min_notional * PLENTY


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


def _quantity(desk: Desk, step: Entry, instrument: Instrument, price: Decimal | None) -> Decimal:
    basis = basis_for(desk, step.size, instrument, step.direction, step.options, step.protection, price)
    exact = exact_quantity(step.size, basis)
    if desk.spot or not step.options.reduce:
        market = step.kind is EntryKind.MARKET or (step.kind is EntryKind.STOP and step.limit is None)
        check_bounds(exact, price, instrument, step.size, market=market)
    return down(exact, instrument.step)


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
    return desk.balance(_funding_asset(instrument, direction.entry_side, spot=desk.spot))


def _funding_asset(instrument: Instrument, side: Side, *, spot: bool) -> str:
    if not spot:
        return instrument.settle
    return instrument.quote if side is Side.BUY else instrument.base


def _leverage(desk: Desk, size: Size, instrument: Instrument, options: Options) -> Decimal:
    if options.leverage is not None or size.unit not in (SizeUnit.PERCENT_MARGIN, SizeUnit.MAX):
        return options.leverage or Decimal(1)
    known = desk.facts.leverage.get(instrument.symbol, (None, None))[0]
    return known or next((each.leverage for each in desk.positions(instrument) if each.leverage), Decimal(1))
