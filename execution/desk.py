"""One account at one venue during one job: places, cancels, and remembers what it did.

Everything that depends on the exchange's temper (answers that only acknowledge, outcomes that are unknown, a
position mode that changed) is settled here, so that the steps above read as what they do. What is only asked has
modules of its own: of the account `execution.known`, of an order `execution.confirm`.
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
)
from exchanges.limits import Priority, leaving_only_while, pressing
from exchanges.pool import Connection
from exchanges.rounds import Round
from exchanges.types import (
    Credentials,
    Direction,
    Instrument,
    Legs,
    MarginMode,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Product,
    Report,
    Side,
)
from exchanges.venue import urgency
from execution.columns import MOST
from execution.confirm import Confirming
from execution.fills import Seen
from execution.known import Facts
from execution.protection import Guarded
from execution.rejection import Rejection
from execution.timeline import Timeline

log = logging.getLogger(__name__)

RESENDS = 2
#: no thread sleeps longer for an exchange that wants to be left alone: the lane it holds is leased for a minute
LONGEST_WAIT_SECONDS = 2.0


@dataclass(slots=True)
class Released:
    """Exits that were cancelled only to free the balance they held, and how much is `left` to protect."""

    instrument: Instrument
    left: Decimal
    ids: list[str] = field(default_factory=list)


class Desk(Confirming):
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
        super().__init__(connection, keys, facts=facts, gets_on=gets_on, sleep=sleep)
        self.timeline = timeline or Timeline(time.time() * 1000)
        self.fresh_until_ms = fresh_until_ms
        self.dry_run = dry_run
        self.opposite_signal = opposite_signal
        self.previews: list[dict[str, Any]] = []
        self.released: list[Released] = []
        #: something stands, filled or went away on the exchange because of the present step
        self.changed = False
        #: a request that changes something there may have left, whatever came of it
        self.underway = False
        #: ids of all that stood on the instrument when its protection was set anew
        self.standing: set[str] = set()
        #: what orders of flipr filled, as far as this desk saw it
        self.fills: dict[str, Seen] = {}
        #: what reconciliation has read of the account before it sends anything
        self.lists = Round()
        #: called before a request that changes what stands for a bracket; supervision writes the bracket down
        self.checkpoint: Callable[[Guarded], None] = _no_checkpoint

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
        with pressing(min(map(urgency, orders))):
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
        exchange before it. Exits and protection always leave, and what a venue asks before them is as urgent."""
        fresh = self._still_fresh if _opens_at_market(order) else _always
        with leaving_only_while(fresh), pressing(urgency(order)):
            return self.venue.place(self.keys, order, patience_seconds=self._left_seconds())

    def protect(self, pair: Legs) -> tuple[Report, Report]:
        """Place a linked pair, once. Raises as `Venue.protect`."""
        self.underway = True
        with pressing(Priority.PROTECT):
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

    def cancel(self, instrument: Instrument, ref: OrderRef) -> bool:
        """True when it is cancelled, False when it was no longer open."""
        if self.dry_run:
            return True
        self.gets_on()
        self.underway = True
        with pressing(Priority.PROTECT):
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
