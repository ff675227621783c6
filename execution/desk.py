"""One account at one venue during one job: places, confirms, looks up, and remembers what it was told.

Everything that depends on the exchange's temper (answers that only acknowledge, outcomes that are unknown, a
position mode that changed) is settled here, so that the steps above read as what they do.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from exchanges.errors import (
    DuplicateOrder,
    ExchangeError,
    ModeMismatch,
    NotSent,
    OrderNotFound,
    OutcomeUnknown,
    Refused,
    UnknownSymbol,
)
from exchanges.limits import Priority, leaving_only_while, pressing
from exchanges.pool import Connection
from exchanges.registry import venues
from exchanges.rounds import Round
from exchanges.symbols import in_coins, in_dollars
from exchanges.types import (
    Balance,
    Credentials,
    Direction,
    Instrument,
    Legs,
    MarginMode,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Position,
    PositionMode,
    Product,
    Quote,
    Report,
    Side,
    TimeInForce,
)
from exchanges.venue import Venue
from execution.columns import MOST
from execution.commands import Span
from execution.fills import Seen
from execution.protection import Guarded
from execution.rejection import Rejection

log = logging.getLogger(__name__)

#: how long to go on asking for an order that was acknowledged, and in which steps
SETTLE_SECONDS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 1.8)
#: the same for an order whose outcome is unknown
RESOLVE_SECONDS = (0.1, 0.3, 0.6, 1.0, 1.5)
RESENDS = 2
#: no thread sleeps longer for an exchange that wants to be left alone: the lane it holds is leased for a minute
LONGEST_WAIT_SECONDS = 2.0


@dataclass(slots=True)
class Facts:
    """What is known in advance of an account at a venue. Read from the exchange once, then remembered."""

    position_mode: dict[str, PositionMode] = field(default_factory=dict)
    leverage: dict[str, tuple[Decimal | None, MarginMode | None]] = field(default_factory=dict)
    #: of an order that says none, where orders name one: by symbol, and in hedge mode by side of the position
    margin_mode: dict[tuple[str, Direction | None], MarginMode | None] = field(default_factory=dict)
    read_at: float = 0.0


@dataclass(slots=True)
class Timeline:
    """Milliseconds since the message was received, by stage; each stage is marked once."""

    received_ms: float
    marks: dict[str, float] = field(default_factory=dict)
    clock: Callable[[], float] = time.time

    def mark(self, stage: str) -> None:
        if stage not in self.marks:
            self.marks[stage] = round(self.clock() * 1000 - self.received_ms, 3)


@dataclass(slots=True)
class Released:
    """Exits that were cancelled only to free the balance they held, and how much is `left` to protect."""

    instrument: Instrument
    left: Decimal
    ids: list[str] = field(default_factory=list)


class UnknownOutcome(Exception):
    """An order may stand or not: reconciliation goes on asking. `reason` is the exchange error behind it."""

    def __init__(self, order: OrderRequest, reason: ExchangeError) -> None:
        super().__init__(reason.message)
        self.order = order
        self.reason = reason


class Desk:
    def __init__(
        self,
        connection: Connection,
        keys: Credentials,
        *,
        facts: Facts | None = None,
        timeline: Timeline | None = None,
        fresh_until_ms: float | None = None,
        dry_run: bool = False,
        opposite_signal: str = "net",
        gets_on: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.connection = connection
        self.venue: Venue = connection.venue
        self.keys = keys
        self.facts = facts or Facts()
        self.timeline = timeline or Timeline(time.time() * 1000)
        self.fresh_until_ms = fresh_until_ms
        self.dry_run = dry_run
        self.opposite_signal = opposite_signal
        #: called at each step on the way: a job that goes on for long keeps its place so
        self.gets_on = gets_on
        self.sleep = sleep
        self.previews: list[dict[str, Any]] = []
        self.released: list[Released] = []
        #: something stands, filled or went away on the exchange because of the present step
        self.changed = False
        #: a request that changes something there may have left, whatever came of it
        self.underway = False
        #: what orders of flipr filled, as far as this desk saw it
        self.fills: dict[str, Seen] = {}
        #: what reconciliation has read of the account before it sends anything
        self.lists = Round()
        #: called before a request that changes what stands for a bracket; supervision writes the bracket down
        self.checkpoint: Callable[[Guarded], None] = _no_checkpoint
        self._quotes: dict[str, Quote] = {}

    # -- what is known ---------------------------------------------------------------------------------

    def instrument(self, symbol: str, span: Span | None = None) -> Instrument:
        """One that trades. Raises Rejection UNKNOWN_SYMBOL with the nearest spellings, MARKET_CLOSED."""
        found = self.named(symbol, span)
        if not found.active:
            raise Rejection(
                "MARKET_CLOSED", f"{found.symbol} is not open for trading on {self.venue.name}", "", span
            )
        return found

    def named(self, symbol: str, span: Span | None = None) -> Instrument:
        """Whether it trades at the moment or not. Raises Rejection UNKNOWN_SYMBOL with the nearest spellings."""
        try:
            return self.connection.table.find(symbol, self.venue.name)
        except UnknownSymbol as error:
            near = ", ".join(self.connection.table.suggest(symbol))
            hint = f"did you mean {near}?" if near else "see the exchange's list of markets"
            hint = self._other_settlement(symbol) or hint
            words = self.connection.table.missing(symbol, self.venue.name)
            raise Rejection("UNKNOWN_SYMBOL", words, hint, span) from error

    def _other_settlement(self, symbol: str) -> str:
        """What to write for a symbol that names another kind of contract than this venue's; "" where it does not."""
        wanted = {(True, False): Product.INVERSE, (False, True): Product.LINEAR}.get(
            (in_coins(symbol), in_dollars(symbol))
        )
        fitting = (
            each.name
            for each in venues().values()
            if (each.exchange, each.product) == (self.venue.exchange, wanted) and each is not type(self.venue)
        )
        return next((f"write {symbol} on {name}" for name in fitting), "")

    def listed(self, symbol: str) -> Instrument:
        """By the exchange's own name, whether it trades at the moment or not. Raises UnknownSymbol."""
        found = self.connection.table.by_symbol(symbol)
        if found is None:
            raise UnknownSymbol(f"{self.venue.name} does not list {symbol} any more")
        return found

    @property
    def spot(self) -> bool:
        return self.venue.product is Product.SPOT

    @property
    def makes_room(self) -> bool:
        """An old leg has to go before the one that takes its place: it locks the balance, or the position takes no more."""
        return self.spot or self.venue.features.legs_fit_position

    def hedged(self, instrument: Instrument) -> bool:
        """True when the account keeps long and short positions apart. Read once, then remembered."""
        if not self.venue.features.hedge_mode:
            return False
        modes = self.facts.position_mode
        if instrument.symbol not in modes:
            modes[instrument.symbol] = self.venue.position_mode(self.keys, instrument)
        return modes[instrument.symbol] is PositionMode.HEDGE

    def margin_mode(self, instrument: Instrument, direction: Direction | None) -> MarginMode | None:
        """The margin mode of an order that says none. Where orders name one it is read once, then remembered."""
        if not self.venue.features.mode_per_order:
            return self.facts.leverage.get(instrument.symbol, (None, None))[1]
        slot = instrument.symbol, direction if self.hedged(instrument) else None
        modes = self.facts.margin_mode
        if slot not in modes:
            try:
                modes[slot] = self.venue.margin_mode(self.keys, instrument, direction)
            except OutcomeUnknown as error:
                raise NotSent(f"not sent, because the margin mode is not known: {error.message}") from None
        return modes[slot]

    def _forget_mode(self, order: OrderRequest) -> None:
        """What was refused may have named a mode that was changed on the exchange's site: look again next time."""
        for side in (None, *Direction):
            self.facts.margin_mode.pop((order.instrument.symbol, side), None)

    def _has_mode(self, symbol: str, direction: Direction | None, mode: MarginMode | None) -> None:
        """Remember it, of all sides where none is named."""
        if self.venue.features.mode_per_order and mode is not None:
            sides = (None, direction) if direction else (None, *Direction)
            self.facts.margin_mode |= {(symbol, side): mode for side in sides}

    def quote(self, instrument: Instrument) -> Quote:
        """Best prices, asked once per job."""
        if instrument.symbol not in self._quotes:
            self._quotes[instrument.symbol] = quote = self.venue.quote(instrument)
            self.connection.last_prices[instrument.symbol] = quote.last
        return self._quotes[instrument.symbol]

    def price(self, instrument: Instrument, direction: Direction) -> Decimal:
        """What a market order of this moment would pay; the last price where that side of the book is empty. Raises
        Rejection when there is none."""
        quote = self.quote(instrument)
        price = (quote.ask if direction is Direction.LONG else quote.bid) or quote.last
        if price <= 0:
            raise Rejection(
                "MARKET_CLOSED",
                f"{instrument.symbol} has no price on {self.venue.name} now",
                "name a quantity",
            )
        return price

    def known_price(self, instrument: Instrument) -> Decimal:
        """The last price heard of, any price at all where none was: for what only asks whether an order can be said."""
        return self.connection.last_prices.get(instrument.symbol) or instrument.tick * 1000

    def positions(self, instrument: Instrument, direction: Direction | None = None) -> list[Position]:
        """Open positions; on spot what is held of the base currency counts as a long one."""
        if self.spot:
            held = self.balance(instrument.base)
            found = [self._held(instrument, held)] if held and held.total >= instrument.step else []
        else:
            found = [each for each in self.venue.positions(self.keys, instrument) if each.quantity > 0]
            for each in found:
                self._has_mode(each.symbol, each.direction, each.margin_mode)
        return [each for each in found if direction in (None, each.direction)]

    def _held(self, instrument: Instrument, held: Balance) -> Position:
        return Position(instrument.symbol, Direction.LONG, held.total, Decimal(0))

    def balance(self, asset: str) -> Balance | None:
        return self.venue.balances(self.keys).get(asset)

    # -- settings --------------------------------------------------------------------------------------

    def set_leverage(
        self,
        instrument: Instrument,
        leverage: Decimal | None,
        mode: MarginMode | None,
        direction: Direction | None = None,
    ) -> None:
        """Nothing is sent when the exchange already has it from us. Where orders name a margin mode, a leverage
        belongs to one: to that of the orders to come."""
        if (leverage, mode) == (None, None) or self.dry_run:
            return
        held = self.facts.leverage.get(instrument.symbol, (None, None))
        if self.venue.features.mode_per_order:
            mode = mode or self.margin_mode(instrument, direction)
            held = held if held[1] is mode else (None, None)
        wanted = (leverage or held[0], mode or held[1])
        if wanted != held:
            self.underway = True
            self.venue.set_leverage(self.keys, instrument, leverage, mode)
            self.facts.leverage[instrument.symbol] = wanted
        self._has_mode(instrument.symbol, direction, mode)

    # -- orders ----------------------------------------------------------------------------------------

    @property
    def places_together(self) -> bool:
        """Orders that belong together, conditional ones too, go out in one request here."""
        features = self.venue.features
        return features.batch > 1 and features.batch_conditional and not self.dry_run

    def send_together(self, orders: Sequence[OrderRequest]) -> list[Report | ExchangeError]:
        """Place them, each once; what the exchange answered, for `send` to find out the rest. Where it only
        acknowledges, one look at the open orders says of all at once that they stand."""
        self.timeline.mark("sent")
        self.underway = True
        answers = self.venue.place_many(self.keys, orders)
        bare = [each for each in answers if isinstance(each, Report) and each.acknowledged_only]
        if len(bare) < 2:
            return answers
        try:
            standing = self.venue.open_orders(self.keys, orders[0].instrument)
        except ExchangeError as error:
            log.warning("looking for %s orders on %s failed: %s", len(bare), self.venue.name, error.kind)
            return answers
        found = {report.client_id: report for report in standing if report.client_id}
        return [
            found.get(order.client_id, answer) if answer in bare else answer
            for order, answer in zip(orders, answers, strict=True)
        ]

    def send(self, order: OrderRequest, answer: Report | ExchangeError | None = None) -> Report:
        """Place once and find out what became of it. `answer`: it went out with others, and this was the answer.

        Raises NotSent and Refused as they are, UnknownOutcome when the exchange does not tell either; Rejection, with
        nothing sent, for an amount that history could not hold.
        """
        self.gets_on()
        _check_storable(order)
        if self.dry_run:
            return self._preview(order)
        self.timeline.mark("sent")
        self.underway = True
        try:
            report = self._place(order, answer)
        except DuplicateOrder as error:
            report = self._arrived_before(order, error)
        except OutcomeUnknown as error:
            report = self._resolve(order, error)
        except Refused:
            self._forget_mode(order)
            raise
        self.timeline.mark("acknowledged")
        self.changed = True
        report = self.settle(report, order)
        self.saw(report, order.instrument, order.side, report.client_id or order.client_id)
        if report.average_price is not None:
            self.connection.last_prices[order.instrument.symbol] = report.average_price
        return report

    def _arrived_before(self, order: OrderRequest, reason: DuplicateOrder) -> Report:
        """Our own order stands there already: what hinders asking for it does not mean that it does not."""
        try:
            return self.find(order)
        except ExchangeError as error:
            unknown = OutcomeUnknown(f"{reason.message} ({error.message})", code=reason.code)
            return self._resolve(order, unknown)

    def saw(self, report: Report, instrument: Instrument, side: Side, name: str) -> None:
        """Remember a fill of an order of flipr's. Futures only: spot is not counted."""
        if report.filled and not self.spot and not self.dry_run:
            self.fills[name] = Seen(name, instrument.symbol, side, report.filled)

    def _place(self, order: OrderRequest, answer: Report | ExchangeError | None = None) -> Report:
        for attempt in range(RESENDS + 1):
            try:
                if answer is not None:
                    return _told(answer)
                return self._leave(order)
            except NotSent as error:
                wait = error.retry_after or 0.1
                if attempt == RESENDS or wait > LONGEST_WAIT_SECONDS or not self._may_wait(order, wait):
                    raise
                self.sleep(wait)
            except ModeMismatch:
                if attempt or self.spot:
                    raise
                order = self._other_mode(order)
            answer = None  # nothing stands: it goes out again, alone
        raise AssertionError("unreachable")

    def _leave(self, order: OrderRequest) -> Report:
        """What opens a position at the price of the moment must leave while it is fresh, whatever was asked of the
        exchange before it. Exits and protection always leave."""
        fresh = self._still_fresh if _opens_at_market(order) else _always
        with leaving_only_while(fresh):
            return self.venue.place(self.keys, order, patience_seconds=self._left_seconds())

    def protect(self, pair: Legs) -> tuple[Report, Report]:
        """Place a linked pair, once. Raises as `Venue.protect`."""
        self.underway = True
        return self.venue.protect(self.keys, pair)

    def _other_mode(self, order: OrderRequest) -> OrderRequest:
        """The account was switched between one-way and hedge since we looked: look again."""
        self.facts.position_mode.pop(order.instrument.symbol, None)
        if not self.hedged(order.instrument):
            return replace(order, position_side=None)
        closing = order.side.opposite if order.reduce_only else order.side
        return replace(order, position_side=Direction.LONG if closing == "buy" else Direction.SHORT)

    def _may_wait(self, order: OrderRequest, wait_seconds: float) -> bool:
        return _leaves(order) or self._still_fresh(wait_seconds)

    def _left_seconds(self) -> float | None:
        if self.fresh_until_ms is None:
            return None
        return max(self.fresh_until_ms / 1000 - self.timeline.clock(), 0.0)

    def _still_fresh(self, wait_seconds: float = 0.0) -> bool:
        if self.fresh_until_ms is None:
            return True
        return (self.timeline.clock() + wait_seconds) * 1000 < self.fresh_until_ms

    def find(self, order: OrderRequest) -> Report:
        return self._confirm(order, _as_just_sent(order))

    def fetch(self, instrument: Instrument, ref: OrderRef) -> Report:
        """As `Venue.fetch`. An answer that names another order tells nothing about this one. Raises OutcomeUnknown."""
        report = self.venue.fetch(self.keys, instrument, ref)
        if ref.client_id and report.client_id and report.client_id != ref.client_id:
            raise OutcomeUnknown(f"{self.venue.name} answered about another order")
        return report

    def _confirm(self, order: OrderRequest, ref: OrderRef) -> Report:
        """Ask for an order that was just placed: a caller waits, and maybe a position without its stop."""
        self.gets_on()
        with pressing(Priority.ENTRY):
            return self.fetch(order.instrument, ref)

    def _resolve(self, order: OrderRequest, reason: ExchangeError) -> Report:
        """An answer was lost: ask for the order by our id. Never sends again."""
        for wait in RESOLVE_SECONDS:
            self.sleep(wait)
            try:
                return self.find(order)
            except OrderNotFound:
                continue  # it may still be on its way: only time tells
            except ExchangeError as error:
                log.warning("asking for %s on %s failed: %s", order.client_id, self.venue.name, error.kind)
        raise UnknownOutcome(order, reason)

    def settle(self, report: Report, order: OrderRequest) -> Report:
        """Wait, within bounds, until an order that executes at once has done so, and its price is known."""
        if _settled(report, order):
            return report
        named = report.client_id or order.client_id
        ref = replace(_as_just_sent(order), client_id=named, exchange_id=report.exchange_id)
        for wait in SETTLE_SECONDS:
            self.sleep(wait)
            try:
                report = self._confirm(order, ref)
            except OrderNotFound:
                continue  # acknowledged, not yet visible where orders are read
            except ExchangeError as error:
                log.warning("confirming %s on %s failed: %s", order.client_id, self.venue.name, error.kind)
                continue
            if _settled(report, order):
                return report
        if report.acknowledged_only or order.type is OrderType.MARKET:
            raise UnknownOutcome(
                order, OutcomeUnknown("the exchange accepted the order and does not tell its fill")
            )
        return report

    def cancel(self, instrument: Instrument, ref: OrderRef) -> bool:
        """True when it is cancelled, False when it was no longer open."""
        if self.dry_run:
            return True
        self.gets_on()
        self.underway = True
        try:
            self.venue.cancel(self.keys, instrument, ref)
        except OrderNotFound:
            return False
        except OutcomeUnknown:
            return self._cancel_again(instrument, ref)
        return True

    def _cancel_again(self, instrument: Instrument, ref: OrderRef) -> bool:
        """The answer was lost. Cancelling twice does no harm; what is gone by then is asked how it ended."""
        try:
            self.venue.cancel(self.keys, instrument, ref)
        except OrderNotFound:
            return self._was_cancelled(instrument, ref)
        return True

    def _was_cancelled(self, instrument: Instrument, ref: OrderRef) -> bool:
        """An exchange that forgets what it cancelled knows what it filled."""
        try:
            return self.fetch(instrument, ref).status is OrderStatus.CANCELLED
        except OrderNotFound:
            return True

    def _preview(self, order: OrderRequest) -> Report:
        price = order.price or order.trigger_price or self.price(order.instrument, _direction(order))
        call = self.venue.draft_call(order, price)
        params = {
            name: format(value, "f") if isinstance(value, Decimal) else value
            for name, value in call.params.items()
        }
        self.previews.append({"method": call.method, "path": call.path, "params": params})
        filled = order.quantity or (order.quote_quantity or Decimal(0)) / price
        executes = not order.type.conditional and order.type is OrderType.MARKET
        return Report(
            exchange_id="",
            client_id=order.client_id,
            symbol=order.instrument.symbol,
            side=order.side,
            type=order.type,
            status=OrderStatus.FILLED if executes else OrderStatus.OPEN,
            quantity=order.quantity or filled,
            filled=filled if executes else Decimal(0),
            average_price=price if executes else None,
        )

    def matching(
        self, instrument: Instrument | None, reports: Sequence[Report]
    ) -> list[tuple[Instrument, Report]]:
        """Reports with their instruments; what this venue's list does not know is left out."""
        found = []
        for report in reports:
            known = instrument or self.connection.table.by_symbol(report.symbol)
            if known:
                found.append((known, report))
        return found


def _check_storable(order: OrderRequest) -> None:
    """Raises Rejection ABOVE_MAX_SIZE."""
    for amount, unit in (
        (order.quantity, order.instrument.unit),
        (order.quote_quantity, order.instrument.quote),
    ):
        if amount is not None and amount >= MOST:
            raise Rejection(
                "ABOVE_MAX_SIZE",
                f"{amount:.0f} {unit} is above the maximum of {MOST:.0f} {unit} in one order",
                "write a smaller size",
            )


def _as_just_sent(order: OrderRequest) -> OrderRef:
    return OrderRef(
        order.client_id, conditional=order.type.conditional, quantity=order.quantity, just_sent=True
    )


def _no_checkpoint(_bracket: Guarded) -> None:
    """A command's own steps are taken up again from the exchange (`execution.adoption`)."""


def _always() -> bool:
    return True


def _opens_at_market(order: OrderRequest) -> bool:
    return order.type is OrderType.MARKET and not _leaves(order)


def _leaves(order: OrderRequest) -> bool:
    """A sale on spot gives away what is held: it counts as an exit."""
    return order.side is Side.SELL if order.instrument.product is Product.SPOT else order.closes


def _told(answer: Report | ExchangeError) -> Report:
    if isinstance(answer, ExchangeError):
        raise answer
    return answer


def _direction(order: OrderRequest) -> Direction:
    return Direction.LONG if order.side == "buy" else Direction.SHORT


def _settled(report: Report, order: OrderRequest) -> bool:
    if report.acknowledged_only:
        return False
    if report.status.final:
        return report.filled == 0 or report.average_price is not None
    rests = order.type is not OrderType.MARKET and order.time_in_force is TimeInForce.GTC
    return rests and (report.filled == 0 or report.average_price is not None)
