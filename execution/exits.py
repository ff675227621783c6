"""Leaving a position and taking orders back: close, cancel, and the exits a closed position leaves behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from exchanges.errors import ExchangeError, InvalidOrder, NothingToReduce, NotSent
from exchanges.types import (
    Direction,
    Instrument,
    OrderRequest,
    OrderStatus,
    OrderType,
    Position,
    Report,
    Side,
    TimeInForce,
    linear_average,
)
from execution.amounts import Level, Size, SizeUnit, plain_number
from execution.commands import Cancel, CancelWhat, Close
from execution.confirm import UnknownOutcome
from execution.desk import Desk, Released
from execution.ids import side_token
from execution.protection import HUNDRED, Frame, distance, down, up
from execution.rejection import Rejection
from execution.sizing import check_contracts, check_currency, greatest

_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)


@dataclass(frozen=True, slots=True)
class Claim:
    """The part of what is held on spot that flipr's brackets are to sell, and the ids of their legs: what else is held,
    and waits to be sold, is its owner's."""

    quantity: Decimal
    legs: frozenset[str]


@dataclass(slots=True)
class Closed:
    """What a close did on one instrument. `gone` are the directions that are flat now."""

    instrument: Instrument | None = None
    #: None: all that is held is meant
    claim: Claim | None = None
    reports: list[Report] = field(default_factory=list)
    requested: Decimal = Decimal(0)
    gone: list[Direction] = field(default_factory=list)
    #: what is left of a side of which a part was closed, and how much that part was
    left: list[tuple[Direction, Decimal, Decimal]] = field(default_factory=list)
    cancelled: list[Report] = field(default_factory=list)
    #: why exits of a position that is gone could not be cancelled
    left_over: str = ""
    #: why a side was not closed, or is not known to be, beside the one that was
    failed: dict[Direction, Rejection | ExchangeError | UnknownOutcome] = field(default_factory=dict)


def close(
    desk: Desk, step: Close, instrument: Instrument, token: str, *, claim: Claim | None = None
) -> Closed:
    """Close a position, or a part, reduce-only; when it is gone, cancel the exits it leaves behind. `claim`: of what
    is held on spot, only so much.

    The stop stays until the close is confirmed: a close that fails must not leave the position bare. What goes wrong
    with one side keeps the other from nothing; raises when that was all.
    """
    closed = Closed(instrument, claim)
    found = _meant_positions(desk, step, instrument, claim)
    if not found and _guarded(desk, step, instrument):
        found = _meant_positions(desk, step, instrument, claim)
    for number, position in enumerate(found):
        try:
            _close_position(desk, step, instrument, position, side_token(token, number), closed)
        except (Rejection, ExchangeError, UnknownOutcome) as error:
            closed.failed[position.direction] = error
    if closed.failed and not closed.reports:
        raise _gravest(closed.failed.values())
    if not closed.reports:
        closed.gone = [] if desk.spot else _meant_directions(step)
        _cancel_exits(desk, instrument, closed)
    return closed


def _guarded(desk: Desk, step: Close, instrument: Instrument) -> bool:
    """Whether exits stand where no position was told of: one answer is not enough to take them away."""
    if desk.spot or desk.dry_run:
        return False
    return any(closes_one_of(each, _meant_directions(step), spot=False) for each in _open(desk, instrument))


def _meant_directions(step: Close) -> list[Direction]:
    return [step.direction] if step.direction else [Direction.LONG, Direction.SHORT]


def _gravest(
    errors: Iterable[Rejection | ExchangeError | UnknownOutcome],
) -> Rejection | ExchangeError | UnknownOutcome:
    """Of several: that an order may stand, then that one cannot, then whatever came first."""
    return min(errors, key=lambda each: (not isinstance(each, UnknownOutcome), isinstance(each, NotSent)))


def _meant_positions(desk: Desk, step: Close, instrument: Instrument, claim: Claim | None) -> list[Position]:
    found = desk.positions(instrument, step.direction)
    if claim is None:
        return found
    limited = (replace(each, quantity=min(each.quantity, claim.quantity)) for each in found)
    return [each for each in limited if each.quantity >= instrument.step]


def _close_position(
    desk: Desk, step: Close, instrument: Instrument, position: Position, token: str, closed: Closed
) -> None:
    amount = part_of(position, step.size, instrument, desk)
    order = _exit(desk, step, instrument, position, amount, token)
    desk.venue.draft_call(order, order.price or desk.known_price(instrument))
    released = _release(desk, closed, position, resting=step.price) if desk.spot else None
    closed.requested += amount
    try:
        report = _sent(desk, step, order)
    except NothingToReduce:
        closed.gone.append(position.direction)  # it was closed between the look and the order
        if released is not None:
            released.left = position.quantity - amount
    except UnknownOutcome:
        if released is not None:
            released.left = _still_held(desk, position)
        raise
    else:
        closed.reports.append(report)
        if step.price is None and report.filled >= position.quantity - _dust(desk, instrument):
            closed.gone.append(position.direction)
        elif not desk.spot and report.filled:
            closed.left.append((position.direction, position.quantity - report.filled, report.filled))
        if released is not None:
            sold = report.filled if step.price is None else amount
            released.left = position.quantity - sold
    _cancel_exits(desk, instrument, closed)


def _sent(desk: Desk, step: Close, order: OrderRequest) -> Report:
    """Raises what `Desk.send` does, and ABOVE_MAX_SIZE for more than one order may have. That is said only when the
    exchange has refused: a limit that it has raised since must not keep anybody from leaving."""
    try:
        return desk.send(order)
    except InvalidOrder as error:
        instrument, amount = order.instrument, order.quantity
        most = greatest(instrument, market=order.type is OrderType.MARKET)
        if type(error) is not InvalidOrder or amount is None or most is None or amount <= most:
            raise
        raise Rejection(
            "ABOVE_MAX_SIZE",
            f"{plain_number(amount)} {instrument.unit} is above the maximum of {plain_number(most)} "
            f"{instrument.unit} in one order",
            f"close it in parts: close {plain_number(most)}, then again what is left",
            step.size.span or step.span,
            error,
        ) from error


def _release(desk: Desk, closed: Closed, position: Position, *, resting: Level | None) -> Released:
    """Resting exits on spot hold the balance that is to be sold: they go first. The desk remembers them even
    when the sale fails, or never comes to be sent, because what is left is to be protected again."""
    instrument = closed.instrument
    assert instrument is not None
    exits = [report for report in _open(desk, instrument) if _leaves(report, closed.claim)]
    if resting is not None:
        _refuse_beside_stop(exits, resting)
    released = Released(instrument, position.quantity)
    desk.released.append(released)
    for report in exits:
        if desk.cancel(instrument, report.ref):
            released.ids += [name for name in (report.client_id, report.exchange_id) if name]
    return released


def _leaves(report: Report, claim: Claim | None) -> bool:
    """Whether an order on spot gives way to a sale."""
    return is_exit(report, spot=True) and (
        claim is None or bool({report.client_id, report.exchange_id} & claim.legs)
    )


def _still_held(desk: Desk, position: Position) -> Decimal:
    """Whether a sale of unknown outcome took place, the balance tells; where that cannot be read, all of it is to be
    protected again. A sale that arrives after the stop finds nothing free and is refused."""
    try:
        held = desk.balance(desk.listed(position.symbol).base)
    except ExchangeError:
        return position.quantity
    return min(held.total if held else Decimal(0), position.quantity)


def _refuse_beside_stop(exits: list[Report], resting: Level) -> None:
    """A limit sale may never fill. What waits in it would have no stop: none can rest for the same coins, or none that
    goes when it fills."""
    if any(report.type in _STOPS for report in exits):
        raise Rejection(
            "STOP_IN_THE_WAY",
            "the coins are held by their stop, and would have none while they wait at a limit",
            f"write tp {resting.price:f}: flipr keeps the stop until it is reached"
            if resting.price is not None
            else "write tp off and the distance: flipr keeps the stop until it is reached",
            resting.span,
        )


def _dust(desk: Desk, instrument: Instrument) -> Decimal:
    return instrument.step if desk.spot else Decimal(0)


def _exit(
    desk: Desk, step: Close, instrument: Instrument, position: Position, amount: Decimal, token: str
) -> OrderRequest:
    order = OrderRequest(
        instrument=instrument,
        client_id=desk.venue.client_id(token),
        side=position.direction.exit_side,
        type=OrderType.MARKET,
        quantity=amount,
        time_in_force=step.options.time_in_force or TimeInForce.GTC,
        post_only=step.options.post,
        reduce_only=not desk.spot,
        position_side=position.direction if not desk.spot and desk.hedged(instrument) else None,
    )
    if step.price is None:
        return order
    return replace(order, type=OrderType.LIMIT, price=_exit_price(desk, step, instrument, position.direction))


def _exit_price(desk: Desk, step: Close, instrument: Instrument, direction: Direction) -> Decimal:
    """`at` a price, or `off` the last price on the profitable side."""
    assert step.price is not None
    raw = step.price.price
    if raw is None:
        assert step.price.offset is not None
        last = desk.quote(instrument).last
        gap = distance(step.price.offset, Frame(instrument, direction, last))
        raw = last + gap if direction is Direction.LONG else last - gap
    return up(raw, instrument.tick) if direction is Direction.LONG else down(raw, instrument.tick)


def part_of(position: Position, size: Size, instrument: Instrument, desk: Desk) -> Decimal:
    """How much of a position a close size means; never more than there is. 100% is exactly all of it."""
    whole = position.quantity if not desk.spot else down(position.quantity, instrument.step)
    if size.value is None:
        return whole
    match size.unit:
        case SizeUnit.PERCENT | SizeUnit.PERCENT_POSITION:
            amount = whole if size.value == HUNDRED else down(whole * size.value / HUNDRED, instrument.step)
        case SizeUnit.BASE:
            amount = down(size.value, instrument.step)
        case SizeUnit.CONTRACTS:
            check_contracts(size, instrument)
            amount = down(instrument.from_contracts(size.value), instrument.step)
        case SizeUnit.QUOTE:
            check_currency(size, instrument)
            price = desk.price(instrument, position.direction.opposite)
            amount = down(instrument.worth(size.value, price), instrument.step)
        case _:
            raise Rejection(
                "BAD_SIZE", "a close takes a part of the position", "write for example close 50%", size.span
            )
    amount = min(amount, whole)
    if amount < instrument.step:
        raise Rejection(
            "BELOW_MIN_SIZE",
            f"that part of {whole} is less than the smallest step of {instrument.step} {instrument.unit}",
            "close a larger part",
            size.span,
        )
    return amount


def _cancel_exits(desk: Desk, instrument: Instrument, closed: Closed) -> None:
    """Cancel the orders that would close what is no longer open. That the position is closed stays true where this
    fails: supervision finds the legs of a bracket that is done."""
    if not closed.gone or desk.dry_run:
        return
    try:
        for report in _open(desk, instrument):
            if _left_over(report, closed, spot=desk.spot) and desk.cancel(instrument, report.ref):
                closed.cancelled.append(report)
    except ExchangeError as error:
        if not closed.reports:
            raise
        closed.left_over = (
            f"exit orders may still stand, and flipr will cancel those it placed: {error.message}"
        )


def _left_over(report: Report, closed: Closed, *, spot: bool) -> bool:
    ours = closed.claim is None or _leaves(report, closed.claim)
    return ours and closes_one_of(report, closed.gone, spot=spot)


def _open(desk: Desk, instrument: Instrument) -> list[Report]:
    return desk.venue.open_orders(desk.keys, instrument)


def is_exit(report: Report, *, spot: bool) -> bool:
    """Whether an open order closes a position. On spot every sale does."""
    if spot:
        return report.side is Side.SELL
    if report.position_side is not None:
        return report.side is report.position_side.exit_side
    return report.reduce_only


def closing_direction(report: Report) -> Direction:
    return report.position_side or (Direction.LONG if report.side is Side.SELL else Direction.SHORT)


def closes_one_of(report: Report, directions: Iterable[Direction], *, spot: bool) -> bool:
    return is_exit(report, spot=spot) and closing_direction(report) in directions


# -- cancel ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Cancelled:
    reports: list[Report] = field(default_factory=list)
    #: meant as well, and no longer open when their turn came: a leg of a pair goes with the other one
    gone: list[Report] = field(default_factory=list)
    failed: list[ExchangeError] = field(default_factory=list)
    #: targets that only flipr watches are meant too
    watched: bool = False


def cancel(desk: Desk, step: Cancel, instrument: Instrument | None, tagged: tuple[str, ...]) -> Cancelled:
    """Cancel the open orders the step means, on one instrument or (None) on all."""
    done = Cancelled(watched=_means_watched(desk, step))
    for known, report in desk.matching(instrument, desk.venue.open_orders(desk.keys, instrument)):
        if not _meant(step, report, tagged, spot=desk.spot):
            continue
        try:
            (done.reports if desk.cancel(known, report.ref) else done.gone).append(report)
        except ExchangeError as error:
            done.failed.append(error)
    return done


def _means_watched(desk: Desk, step: Cancel) -> bool:
    """No exchange knows them: they are found in the brackets, not among the open orders."""
    targets = step.what in (CancelWhat.ALL, CancelWhat.EXITS, CancelWhat.TARGETS)
    named = step.tag or step.client_id or step.direction is Direction.SHORT
    watches = desk.spot and not desk.venue.features.rests_both_legs
    return watches and targets and not named and not desk.dry_run


def _meant(step: Cancel, report: Report, tagged: tuple[str, ...], *, spot: bool) -> bool:
    exits = is_exit(report, spot=spot)
    if step.tag and report.client_id not in tagged:
        return False
    if step.client_id and step.client_id not in (report.client_id, report.exchange_id):
        return False
    if step.direction and step.direction is not _direction(report, exits=exits):
        return False
    match step.what:
        case CancelWhat.ENTRIES:
            return not exits
        case CancelWhat.EXITS:
            return exits
        case CancelWhat.STOP:
            return exits and report.type in _STOPS
        case CancelWhat.TARGETS:
            return exits and report.type not in _STOPS
        case CancelWhat.DCA:
            return False
        case _:
            return True


def _direction(report: Report, *, exits: bool) -> Direction:
    """The position an order belongs to: the one it opens, or the one it closes."""
    if exits:
        return closing_direction(report)
    return report.position_side or (Direction.LONG if report.side is Side.BUY else Direction.SHORT)


def totals(reports: list[Report], instrument: Instrument | None) -> tuple[Decimal, Decimal | None]:
    """(filled, average price) over several orders. `instrument`: None for those of several."""
    filled = sum((report.filled for report in reports), Decimal(0))
    worth = [(each.filled, each.average_price) for each in reports if each.average_price and each.filled]
    if not filled or not worth:
        return filled, None
    return filled, instrument.average(worth) if instrument else linear_average(worth)


def combined_status(reports: list[Report]) -> OrderStatus:
    """The least finished of several orders."""
    for status in (OrderStatus.OPEN, OrderStatus.REJECTED, OrderStatus.EXPIRED, OrderStatus.CANCELLED):
        if any(report.status is status for report in reports):
            return status
    return OrderStatus.FILLED
