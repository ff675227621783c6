"""One look at an account on a venue: what is asked of the exchange, and what it told.

Each look costs one read of the open orders and one of the positions; where the list of orders costs more than the few
that a look is about, each of them is asked for instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from exchanges.errors import ExchangeError, NotSent, Throttled
from exchanges.types import Direction, Instrument, OrderRef, Position, Report
from execution import brackets, compare
from execution.desk import Desk
from execution.models import ACTIVE_BRACKETS, Bracket, BracketState
from execution.protection import LegKind, LegState
from execution.starved import limited

#: so long after a bracket ended or had a leg replaced, the orders that may have outlived it are looked for in every look
FRESH = timedelta(seconds=20)
#: looks in a row that must agree before a vanished position or order is believed
SURE = 2


@dataclass(slots=True)
class View:
    """One look at an account on a venue. `excess`: how much more the brackets of one share
    (`Guarded.share`) believe to protect than is open; taken off those without a stop, then newest first. `counted`:
    positions were read, on spot balances; `asked`: of which instruments, None for all. `whole`: it took in everything.

    `listed`: `orders` has all that stand; else it is empty, and each is asked for by itself (`_asks_for_each`)."""

    orders: dict[str, Report] = field(default_factory=dict)
    positions: dict[tuple[str, str], Position] = field(default_factory=dict)
    excess: dict[tuple[str, str, LegKind], Decimal] = field(default_factory=dict)
    counted: bool = True
    listed: bool = True
    asked: set[str] | None = None
    whole: bool = False
    #: positions of which it is not known what their brackets filled
    obscured: set[tuple[str, str]] = field(default_factory=set)
    #: the exchange's limits refused a question about one bracket; questions about others do not wait for them too
    short: ExchangeError | None = None
    began: datetime = field(default_factory=timezone.now)

    def reports(self) -> list[Report]:
        """Each open order once."""
        return list({id(each): each for each in self.orders.values()}.values())

    def obscure(self, row: Bracket) -> None:
        self.obscured.add((row.instrument, row.direction))

    def find(self, ref: OrderRef) -> Report | None:
        if (ours := self.orders.get(ref.client_id)) is not None:
            return ours
        found = self.orders.get(ref.exchange_id)
        if found and ref.client_id and found.client_id and found.client_id != ref.client_id:
            return None  # ids of an exchange may be unique per symbol or kind of order only
        return found


def look(desk: Desk, rows: list[Bracket], more: set[str] | None = None) -> View:
    """Open orders first, positions after: a fill between the two shows as a smaller position, which is only
    believed when a second look confirms it. `more` makes it a whole look: at the orders of these instruments too,
    and at all positions."""
    view = View(whole=more is not None)
    view.listed = view.whole or not _asks_for_each(desk, rows)
    for where in _order_places(desk, rows, more) if view.listed else []:
        for report in desk.venue.open_orders(desk.keys, where):
            for name in (report.client_id, report.exchange_id):
                if name:
                    view.orders[name] = report
    with _counting(view):
        if desk.spot:
            _count_coins(desk, view, rows)
        else:
            _count_positions(desk, view, rows)
    if view.counted:
        _compare(desk, view, rows)
    return view


@contextmanager
def _counting(view: View) -> Iterator[None]:
    """Where the limits leave no room for the second question, what the first told is still worth something."""
    try:
        yield
    except (NotSent, Throttled) as error:
        if not limited(error):
            raise
        view.counted, view.short = False, error


def _order_places(desk: Desk, rows: list[Bracket], more: set[str] | None) -> list[Instrument | None]:
    """One question for everything, unless asking for each instrument costs less."""
    symbols = {row.instrument for row in rows}
    asked = [desk.listed(symbol) for symbol in sorted(symbols)]
    known = (desk.connection.table.by_symbol(symbol) for symbol in sorted((more or set()) - symbols))
    places = asked + [each for each in known if each]
    by_symbol = desk.venue.features.open_orders_by_symbol
    return [*places] if by_symbol or len(places) <= desk.venue.cheaper_one_by_one else [None]


def _asks_for_each(desk: Desk, rows: list[Bracket]) -> bool:
    """Whether `observe` asks for each order that stands for a bracket, because that costs less than the list. What
    stands and should not is then not seen: it is looked for in whole looks, and for a while after it should have gone."""
    asked = 0
    for row in rows:
        bracket = brackets.from_row(row)
        done = row.status == BracketState.DONE
        replaced = any(leg.status is LegState.CANCELLED for leg in bracket.legs)
        if (done or replaced) and timezone.now() - row.updated_at < FRESH:
            return False
        if not done:
            asked += bracket.entry_open + sum(leg.status is LegState.OPEN for leg in bracket.legs)
    return asked <= desk.venue.orders_one_by_one


def _count_positions(desk: Desk, view: View, rows: list[Bracket]) -> None:
    symbols = {row.instrument for row in rows}
    alone = len(symbols) == 1 and not view.whole  # which is cheaper on most exchanges
    where = desk.listed(symbols.pop()) if alone else None
    for position in desk.venue.positions(desk.keys, where):
        view.positions[position.symbol, position.direction.value] = position
    view.asked = {where.symbol} if where else None


def _count_coins(desk: Desk, view: View, rows: list[Bracket]) -> None:
    """Whether what the brackets are to sell is there. Coins beyond that are their owner's own business."""
    claimed = compare.claimed(rows)
    view.counted = view.whole and bool(claimed)
    if not view.counted:
        return
    held = desk.venue.balances(desk.keys)
    for symbol in claimed:
        balance = held.get(desk.listed(symbol).base)
        total = balance.total if balance else Decimal(0)
        view.positions[symbol, Direction.LONG.value] = Position(symbol, Direction.LONG, total, Decimal(0))
    view.asked = set(claimed)


def _compare(desk: Desk, view: View, rows: list[Bracket]) -> None:
    """Write down where the brackets believe to protect more than is open. Less than one step is rounding."""
    believed: dict[tuple[str, str, LegKind], Decimal] = {}
    for row in rows:
        if row.status in ACTIVE_BRACKETS:
            bracket = brackets.from_row(row)
            believed[bracket.share] = believed.get(bracket.share, Decimal(0)) + bracket.remaining
    for key, protected in believed.items():
        position = view.positions.get(key[:2])
        held = position.quantity if position else Decimal(0)
        excess = max(protected - held, Decimal(0))
        view.excess[key] = excess if excess >= desk.listed(key[0]).step else Decimal(0)
