"""`* on VENUE close`: everything that is open, each position by itself. What goes wrong with one keeps none of the
others from being closed.

On spot the coins are their owner's: what live brackets claim is closed, and not more than is there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import DatabaseError

from exchanges.errors import ExchangeError, NotSent, OutcomeUnknown
from exchanges.types import Instrument
from execution import brackets, mishap
from execution.commands import Close
from execution.compare import claimed
from execution.confirm import UnknownOutcome
from execution.desk import Desk
from execution.exits import Claim, Closed, close
from execution.ids import step_token
from execution.models import ACTIVE_BRACKETS, Bracket
from execution.rejection import Rejection

log = logging.getLogger(__name__)
#: after the first round of closes it looks once more: an order that was resting may have filled meanwhile
LOOKS = 2


@dataclass(slots=True)
class Swept:
    """`left`: what may still be open, and why; of what is in `unknown` the close was sent, and nobody knows more."""

    whole: Closed = field(default_factory=Closed)
    left: dict[str, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    errors: list[Exception] = field(default_factory=list)
    tried: dict[str, None] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether something was definitely refused, so that to send it again would not help."""
        return any(not isinstance(each, NotSent | OutcomeUnknown) for each in self.errors)

    def add(self, part: Closed) -> None:
        self.whole.left_over = self.whole.left_over or part.left_over
        self.whole.reports += part.reports
        self.whole.requested += part.requested


def sweep(desk: Desk, step: Close, token: str, account: str, tell: Callable[[Closed], None]) -> Swept:
    """Close it all. `tell` is told of what was closed of each symbol. Raises ExchangeError when nothing could be read:
    then nothing was sent."""
    swept = Swept()
    for number in range(1 if desk.spot or desk.dry_run else LOOKS):
        try:
            found = still_open(desk, step, account)
        except ExchangeError as error:
            if not number:
                raise
            log.warning("the last look at %s failed: %s", desk.venue.name, error)
            break
        for symbol in set(swept.left) - set(found):  # it is flat, whatever was said of it
            del swept.left[symbol]
            swept.unknown.discard(symbol)
        new = {symbol: claim for symbol, claim in found.items() if symbol not in swept.tried}
        for symbol, claim in new.items():
            _close(desk, step, token, symbol, claim, swept, tell)
        if not new:
            break
    return swept


def still_open(desk: Desk, step: Close, account: str) -> Mapping[str, Claim | None]:
    """What the step means, by symbol. Raises ExchangeError."""
    if desk.spot:
        return _claims(desk, account) if step.direction is None or step.direction.value == "long" else {}
    return {
        each.symbol: None
        for each in desk.venue.positions(desk.keys)
        if each.quantity > 0 and step.direction in (None, each.direction)
    }


def _claims(desk: Desk, account: str) -> Mapping[str, Claim | None]:
    rows = Bracket.objects.filter(
        account__public_id=account, venue=desk.venue.name, status__in=ACTIVE_BRACKETS
    )
    try:
        found = list(rows.select_related("account"))
    except DatabaseError as error:
        raise NotSent("not sent, because what flipr bought cannot be read from its history") from error
    legs: dict[str, set[str]] = {}
    for row in found:
        for leg in brackets.from_row(row).live():
            legs.setdefault(row.instrument, set()).update({leg.client_id, leg.exchange_id} - {""})
    held = desk.venue.balances(desk.keys)
    claims: dict[str, Claim | None] = {}
    for symbol, quantity in claimed(found).items():
        instrument = desk.connection.table.by_symbol(symbol)
        balance = held.get(instrument.base) if instrument else None
        there = min(quantity, balance.total if balance else Decimal(0))
        if instrument is None or there >= instrument.step:
            claims[symbol] = Claim(quantity, frozenset(legs.get(symbol, ())))
    return claims


def _close(
    desk: Desk,
    step: Close,
    token: str,
    symbol: str,
    claim: Claim | None,
    swept: Swept,
    tell: Callable[[Closed], None],
) -> None:
    """One symbol. Whether something of it had left when it failed, `desk.underway` tells."""
    part_token = step_token(token, f"all{len(swept.tried)}") if swept.tried else token
    swept.tried[symbol] = None
    before, desk.underway = desk.underway, False
    with mishap.caught(f"the close of {symbol} by {part_token}") as mishaps:
        try:
            part = close(desk, step, _held(desk, symbol), part_token, claim=claim)
        except (Rejection, ExchangeError, UnknownOutcome) as error:
            _failed(swept, symbol, error, underway=desk.underway)
        else:
            swept.add(part)
            tell(part)
            for other in part.failed.values():
                _failed(swept, symbol, other, underway=desk.underway)
            if rest := _unfilled(step, part):
                swept.left[symbol] = f"{rest.normalize():f} of it did not fill"
    if mishaps:
        _failed(swept, symbol, OutcomeUnknown("flipr itself failed"), underway=desk.underway)
    desk.underway = desk.underway or before


def _unfilled(step: Close, part: Closed) -> Decimal:
    """What nobody took of a close at market: the book was thin. Less than one step is rounding."""
    if step.price is not None or part.instrument is None or not part.reports or part.failed:
        return Decimal(0)
    rest = part.requested - sum((each.filled for each in part.reports), Decimal(0))
    return rest if rest >= part.instrument.step else Decimal(0)


def _failed(
    swept: Swept, symbol: str, error: Rejection | ExchangeError | UnknownOutcome, *, underway: bool
) -> None:
    reason = error.reason if isinstance(error, UnknownOutcome) else error
    swept.left[symbol] = reason.message
    swept.errors.append(reason)
    if isinstance(error, UnknownOutcome) or (isinstance(error, OutcomeUnknown) and underway):
        swept.unknown.add(symbol)


def _held(desk: Desk, symbol: str) -> Instrument:
    """By the exchange's own spelling: no other contract may be taken for the one that is held. Raises Rejection."""
    found = desk.connection.table.by_symbol(symbol)
    if found is None:
        raise Rejection("UNKNOWN_SYMBOL", desk.connection.table.missing(symbol, desk.venue.name))
    return desk.instrument(found.symbol)
