"""The values that pass between flipr and every exchange.

Units, everywhere below this package and above it:

* a quantity is in **base units** (0.01 = 0.01 BTC) whatever the exchange counts in; on coin-margined
  contracts (`Product.INVERSE`) it is in contracts, because there the exchange counts quote money;
* a price is quote currency per base unit; money is `Decimal`; a fee is positive when paid;
* times are aware UTC `datetime`; a parameter in another unit carries it in its name (`now_ms`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Product(StrEnum):
    SPOT = "spot"
    LINEAR = "linear"
    INVERSE = "inverse"
    MARGIN = "margin"


class Environment(StrEnum):
    LIVE = "live"
    TESTNET = "testnet"
    SANDBOX = "sandbox"


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class Direction(StrEnum):
    """Which way a position points; also the position side of an order in hedge mode."""

    LONG = "long"
    SHORT = "short"

    @property
    def opposite(self) -> Direction:
        return Direction.SHORT if self is Direction.LONG else Direction.LONG

    @property
    def entry_side(self) -> Side:
        return Side.BUY if self is Direction.LONG else Side.SELL

    @property
    def exit_side(self) -> Side:
        return self.entry_side.opposite


class OrderType(StrEnum):
    """STOP triggers when the price moves *against* a position of the opposite side (buy: at or above,
    sell: at or below); TAKE_PROFIT triggers on the other way round. The `_LIMIT` forms rest a limit
    order when triggered, the plain ones a market order."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TAKE_PROFIT = "take_profit"
    TAKE_PROFIT_LIMIT = "take_profit_limit"

    @property
    def conditional(self) -> bool:
        return self in _CONDITIONAL

    @classmethod
    def waiting(cls, *, stop: bool, limit: bool) -> OrderType:
        """The conditional type: a stop or a take-profit, with a limit price or without."""
        if stop:
            return cls.STOP_LIMIT if limit else cls.STOP
        return cls.TAKE_PROFIT_LIMIT if limit else cls.TAKE_PROFIT


STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
TAKES = (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)
#: what rests a limit order, at once or when it triggers
LIMITS = (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT)
_CONDITIONAL = frozenset({*STOPS, *TAKES})


class TimeInForce(StrEnum):
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


class TriggerBy(StrEnum):
    LAST = "last"
    MARK = "mark"
    INDEX = "index"


class MarginMode(StrEnum):
    CROSS = "cross"
    ISOLATED = "isolated"


class PositionMode(StrEnum):
    ONE_WAY = "one_way"
    HEDGE = "hedge"


class OrderStatus(StrEnum):
    """OPEN covers resting and not-yet-triggered orders, filled or not (see `Report.filled`)."""

    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        return self is not OrderStatus.OPEN


@dataclass(frozen=True, slots=True)
class Credentials:
    """One API key as the exchange issued it. Never printed: `repr` shows nothing of it."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)


#: of a price that is a quotient
_FINEST = Decimal("1E-12")


@dataclass(frozen=True, slots=True)
class Instrument:
    """What may be traded and in which steps. `symbol` is the exchange's own spelling.

    `step`, `min_quantity`, `max_quantity`, `max_market_quantity` are base units like every quantity
    (a venue that counts contracts multiplies by `contract_size` when it reads its instrument list); of a
    contract margined in coins they are contracts, and `contract_size` is what one is worth in quote currency.
    """

    symbol: str
    base: str
    quote: str
    settle: str
    product: Product
    tick: Decimal
    step: Decimal
    min_quantity: Decimal = Decimal(0)
    min_notional: Decimal = Decimal(0)
    max_quantity: Decimal | None = None
    max_market_quantity: Decimal | None = None
    contract_size: Decimal = Decimal(1)
    max_leverage: Decimal | None = None
    active: bool = True
    #: what one venue needs and no other (an asset index, a price scale): read only in that venue's file
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def inverse(self) -> bool:
        """Margined and paid in its base currency, counted in contracts of so much quote currency."""
        return self.product is Product.INVERSE

    @property
    def unit(self) -> str:
        """What a quantity counts, for people."""
        return "contracts" if self.inverse else self.base

    def notional(self, quantity: Decimal, price: Decimal) -> Decimal:
        """What it is worth in quote currency."""
        return quantity * (self.contract_size if self.inverse else price)

    def worth(self, money: Decimal, price: Decimal) -> Decimal:
        """The quantity that is worth so much quote currency."""
        return money / (self.contract_size if self.inverse else price)

    def backed_by(self, funds: Decimal, price: Decimal) -> Decimal:
        """The quantity that is worth so much of the settlement currency."""
        return self.worth(funds * price if self.inverse else funds, price)

    @property
    def of_contract(self) -> Decimal:
        """The quantity that one contract is."""
        return Decimal(1) if self.inverse else self.contract_size

    def from_contracts(self, contracts: Decimal) -> Decimal:
        return contracts * self.of_contract

    def average(self, parts: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
        """The price at which these (quantity, price) were traded together: where contracts count quote currency, the
        one at which all of them cost the same coins. Raises ZeroDivisionError for nothing."""
        if not self.inverse:
            return linear_average(parts)
        coins = sum((quantity / price for quantity, price in parts), Decimal(0))
        price = sum((quantity for quantity, _ in parts), Decimal(0)) / coins
        return price.quantize(
            _FINEST
        ).normalize()  # of one price that price, though its reciprocal never ends


def linear_average(parts: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """Of (quantity in base units, price)."""
    value = sum((quantity * price for quantity, price in parts), Decimal(0))
    return value / sum((quantity for quantity, _ in parts), Decimal(0))


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One order as flipr wants it; quantities and prices already rounded to the instrument's steps.

    Exactly one of `quantity` and `quote_quantity` is set (`quote_quantity`: spot market buys only).
    `position_side` is set in hedge mode only. `margin_mode` and `leverage` matter to venues that
    carry them on each order; elsewhere they were set beforehand through `Venue.set_leverage`.
    """

    instrument: Instrument
    client_id: str
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    trigger_by: TriggerBy = TriggerBy.LAST
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    position_side: Direction | None = None
    margin_mode: MarginMode | None = None
    leverage: Decimal | None = None

    @property
    def closes(self) -> bool:
        """Whether it can only make a position smaller; on spot nothing says so."""
        held = self.position_side
        return self.reduce_only or (held is not None and self.side is held.exit_side)

    @property
    def rises(self) -> bool:
        """Whether the price has to rise to its trigger: a buy stop, a sell take-profit."""
        return (self.side is Side.BUY) == (self.type in STOPS)

    def crossed(self, price: Decimal) -> bool:
        """Whether the price has come to its trigger already."""
        trigger = self.trigger_price or Decimal(0)
        return price >= trigger if self.rises else price <= trigger

    @property
    def closed_direction(self) -> Direction:
        """The position that it closes, where it closes one."""
        return self.position_side or (Direction.LONG if self.side is Side.SELL else Direction.SHORT)

    @property
    def buys_base(self) -> bool:
        """A market buy of a quantity: on spot, where several exchanges take an amount of money only."""
        return (self.type, self.side) == (OrderType.MARKET, Side.BUY) and self.quantity is not None


@dataclass(frozen=True, slots=True)
class OrderRef:
    """How to name an existing order to its exchange. `conditional`: placed with a trigger price
    (several exchanges keep those behind other endpoints); it stays true after the trigger.

    What is known besides may spare a question of which the exchange answers few. `quantity`: what was asked for, in base
    units. `just_sent`: not to be found is no news yet."""

    client_id: str = ""
    exchange_id: str = ""
    conditional: bool = False
    quantity: Decimal | None = field(default=None, compare=False)
    just_sent: bool = field(default=False, compare=False)

    def named(self, id_name: str, client_name: str) -> dict[str, str]:
        """The one parameter that asks for it: by the exchange's id where that is known, else by ours."""
        return {id_name: self.exchange_id} if self.exchange_id else {client_name: self.client_id}


@dataclass(frozen=True, slots=True)
class Fee:
    amount: Decimal
    asset: str


@dataclass(frozen=True, slots=True)
class Report:
    """The exchange's view of one order. `average_price` is None while nothing is filled, and also
    when the answer says *that* but not *at what price* it filled: then `fetch` again."""

    exchange_id: str
    client_id: str
    symbol: str
    side: Side
    type: OrderType
    status: OrderStatus
    quantity: Decimal | None
    filled: Decimal = Decimal(0)
    average_price: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    reduce_only: bool = False
    position_side: Direction | None = None
    fee: Fee | None = None
    #: True when the answer only acknowledges receipt and says nothing of execution (fetch to know)
    acknowledged_only: bool = False
    reason: str = ""

    @property
    def ref(self) -> OrderRef:
        return OrderRef(self.client_id, self.exchange_id, self.type.conditional)

    def done_as(self, order: Report) -> Report:
        """A triggered order, with what the order that it went on as has done. One at market that ended before it filled
        found too little in the book, or nothing to close: nobody could cancel it."""
        unfilled = order.status is OrderStatus.CANCELLED and self.type in (
            OrderType.STOP,
            OrderType.TAKE_PROFIT,
        )
        return replace(
            self,
            status=OrderStatus.EXPIRED if unfilled else order.status,
            filled=order.filled,
            average_price=order.average_price,
            fee=order.fee,
            reason=order.reason,
        )


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of one order. `exchange_id` is the order's; an id is "" where the exchange does not tell it here."""

    exchange_id: str
    client_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Position:
    """An open position; `quantity` is positive, `direction` says which way."""

    symbol: str
    direction: Direction
    quantity: Decimal
    entry_price: Decimal
    mark_price: Decimal | None = None
    leverage: Decimal | None = None
    margin_mode: MarginMode | None = None
    unrealised: Decimal | None = None
    liquidation_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """`total` includes what open orders or margin hold; on futures it is the equity in that asset."""

    asset: str
    total: Decimal
    free: Decimal


@dataclass(frozen=True, slots=True)
class Quote:
    """Best prices of this moment; `mark` where the product has one."""

    bid: Decimal
    ask: Decimal
    last: Decimal
    mark: Decimal | None = None


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What a key may do. None = the exchange does not tell."""

    can_trade: bool | None = None
    can_withdraw: bool | None = None
    ip_locked: bool | None = None
    expires: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Legs:
    """A stop and one target that the exchange itself links (native OCO). Both close `direction`."""

    stop: OrderRequest
    target: OrderRequest
