"""What is known of one account at one venue and of its markets: instruments, modes, prices, positions, balances.

Asked of the exchange when a step needs it, remembered where it lasts. Nothing here changes anything on the exchange, and
nothing asks for a single order (`execution.confirm`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from exchanges.errors import NotSent, OutcomeUnknown, UnknownSymbol
from exchanges.pool import Connection
from exchanges.registry import venues
from exchanges.symbols import in_coins, in_dollars
from exchanges.types import (
    Balance,
    Credentials,
    Direction,
    Instrument,
    MarginMode,
    OrderRequest,
    Position,
    PositionMode,
    Product,
    Quote,
    Report,
)
from exchanges.venue import Venue
from execution.amounts import Span
from execution.rejection import Rejection


@dataclass(slots=True)
class Facts:
    """What is known in advance of an account at a venue. Read from the exchange once, then remembered."""

    position_mode: dict[str, PositionMode] = field(default_factory=dict)
    leverage: dict[str, tuple[Decimal | None, MarginMode | None]] = field(default_factory=dict)
    #: of an order that says none, where orders name one: by symbol, and in hedge mode by side of the position
    margin_mode: dict[tuple[str, Direction | None], MarginMode | None] = field(default_factory=dict)
    read_at: float = 0.0


class KnownAccount:
    """An account at a venue, as far as a step has to know it."""

    def __init__(self, connection: Connection, keys: Credentials, *, facts: Facts | None) -> None:
        self.connection = connection
        self.venue: Venue = connection.venue
        self.keys = keys
        self.facts = facts or Facts()
        self._quotes: dict[str, Quote] = {}

    # -- markets ---------------------------------------------------------------------------------------

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

    @property
    def spot(self) -> bool:
        return self.venue.product is Product.SPOT

    @property
    def makes_room(self) -> bool:
        """An old leg has to go before the one that takes its place: it locks the balance, or the position takes no more."""
        return self.spot or self.venue.features.legs_fit_position

    # -- modes -----------------------------------------------------------------------------------------

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

    # -- prices ----------------------------------------------------------------------------------------

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

    # -- what is held ----------------------------------------------------------------------------------

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
