"""What became of an order: asked again, within bounds, until the exchange tells. Nothing here sends or changes one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from exchanges.errors import ExchangeError, OrderNotFound, OutcomeUnknown
from exchanges.limits import Priority, pressing
from exchanges.pool import Connection
from exchanges.types import Credentials, Instrument, OrderRef, OrderRequest, OrderType, Report, TimeInForce
from execution.known import Facts, KnownAccount

log = logging.getLogger(__name__)

#: how long to go on asking for an order that was acknowledged, and in which steps
SETTLE_SECONDS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 1.8)
#: the same for an order whose outcome is unknown
RESOLVE_SECONDS = (0.1, 0.3, 0.6, 1.0, 1.5)


class UnknownOutcome(Exception):
    """An order may stand or not: reconciliation goes on asking. `reason` is the exchange error behind it."""

    def __init__(self, order: OrderRequest, reason: ExchangeError) -> None:
        super().__init__(reason.message)
        self.order = order
        self.reason = reason


class Confirming(KnownAccount):
    """An account whose orders are asked for by name."""

    def __init__(
        self,
        connection: Connection,
        keys: Credentials,
        *,
        facts: Facts | None,
        gets_on: Callable[[], None],
        sleep: Callable[[float], None],
    ) -> None:
        super().__init__(connection, keys, facts=facts)
        #: called at each step on the way: a job that goes on for long keeps its place so
        self.gets_on = gets_on
        self.sleep = sleep

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

    def find(self, order: OrderRequest) -> Report:
        return self._confirm(order, _as_just_sent(order))

    def _confirm(self, order: OrderRequest, ref: OrderRef) -> Report:
        """Ask for an order that was just placed: a caller waits, and maybe a position without its stop."""
        self.gets_on()
        with pressing(Priority.ENTRY):
            return self.fetch(order.instrument, ref)

    def fetch(self, instrument: Instrument, ref: OrderRef) -> Report:
        """As `Venue.fetch`. An answer that names another order tells nothing about this one. Raises OutcomeUnknown."""
        report = self.venue.fetch(self.keys, instrument, ref)
        if ref.client_id and report.client_id and report.client_id != ref.client_id:
            raise OutcomeUnknown(f"{self.venue.name} answered about another order")
        return report


def _as_just_sent(order: OrderRequest) -> OrderRef:
    return OrderRef(
        order.client_id, conditional=order.type.conditional, quantity=order.quantity, just_sent=True
    )


def _settled(report: Report, order: OrderRequest) -> bool:
    if report.acknowledged_only:
        return False
    if report.status.final:
        return report.filled == 0 or report.average_price is not None
    rests = order.type is not OrderType.MARKET and order.time_in_force is TimeInForce.GTC
    return rests and (report.filled == 0 or report.average_price is not None)
