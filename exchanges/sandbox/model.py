"""The values of the simulated exchanges: markets, house rules, tickets, orders, fills, refusals.

Quantities are counted as the exchange counts them (base units, or contracts of `Market.contract_size`
base units, or contracts of so much quote currency on a market margined in coins); prices are quote per base unit;
times are milliseconds; every number is a Decimal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import Any

from exchanges.types import Direction, OrderStatus, OrderType, Product, Side, TimeInForce, TriggerBy

ZERO = Decimal(0)
ONE = Decimal(1)
_FINEST = Decimal("1E-12")


class Reason(StrEnum):
    """Why something was refused. A dialect turns each into its exchange's own code and words."""

    # the caller
    NO_KEY = "no_key"  # the request carries no key at all
    BAD_KEY = "bad_key"  # unknown or malformed
    BAD_SIGNATURE = "bad_signature"
    BAD_TIMESTAMP = "bad_timestamp"
    BAD_NONCE = "bad_nonce"
    NO_PERMISSION = "no_permission"
    # the service
    THROTTLED = "throttled"
    BANNED = "banned"
    MAINTENANCE = "maintenance"
    INTERNAL = "internal"
    UNKNOWN_PATH = "unknown_path"
    # the request
    MISSING_PARAMETER = "missing_parameter"
    BAD_PARAMETER = "bad_parameter"
    UNKNOWN_SYMBOL = "unknown_symbol"
    PRICE_TICK = "price_tick"
    TRIGGER_TICK = "trigger_tick"
    QUANTITY_STEP = "quantity_step"
    PRECISION = "precision"  # more decimals than the field can hold
    PRICE_RELATION = "price_relation"  # the prices of linked orders do not fit together or the market
    ENDPOINT = "endpoint"  # the right order at the wrong address
    MIN_QUANTITY = "min_quantity"
    MAX_QUANTITY = "max_quantity"
    MIN_NOTIONAL = "min_notional"
    DUPLICATE = "duplicate"
    # the order against the account
    INSUFFICIENT = "insufficient"
    REDUCE_ONLY = "reduce_only"
    POSITION_MODE = "position_mode"
    WOULD_TRIGGER = "would_trigger"
    POST_ONLY = "post_only"
    NOT_FILLABLE = "not_fillable"  # fill-or-kill that cannot be filled at once
    STOP_REFUSED = "stop_refused"  # the fault `reject_stop`
    TOO_MANY_ORDERS = "too_many_orders"
    CLOSE_POSITION_EXISTS = "close_position_exists"
    # queries and settings
    UNKNOWN_ORDER = "unknown_order"
    NOT_OPEN = "not_open"  # cancel or amend of an order that is not open (or not known)
    LEVERAGE = "leverage"
    NOT_MODIFIED = "not_modified"
    HAS_OPEN_ORDERS = "has_open_orders"
    HAS_POSITION = "has_position"


class Rejected(Exception):
    """A definite no of the exchange. `detail` names the parameter or value where words want one."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class ClientIds(StrEnum):
    """How long an exchange refuses a client id that was used before."""

    OPEN = "open"
    FOREVER = "forever"
    REUSABLE = "reusable"


@dataclass(frozen=True, slots=True)
class Market:
    """`base` and `quote` in the spelling all venues share (BTC, not XBT); `symbol` is the exchange's."""

    symbol: str
    base: str
    quote: str
    product: Product
    tick: Decimal
    step: Decimal
    min_quantity: Decimal = ZERO
    min_notional: Decimal = ZERO
    max_quantity: Decimal = Decimal(1_000_000_000)
    max_market_quantity: Decimal = Decimal(1_000_000_000)
    contract_size: Decimal = ONE
    max_leverage: Decimal = Decimal(100)
    #: what only its dialect reads (other names of the symbol, decimals to print)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pair(self) -> str:
        return f"{self.base}/{self.quote}"

    @property
    def inverse(self) -> bool:
        return self.product is Product.INVERSE

    @property
    def settle(self) -> str:
        """The currency of its margin, fees and profits."""
        return self.base if self.inverse else self.quote

    @property
    def of_contract(self) -> Decimal:
        """What a contract is in the quantities that flipr counts: coins, or itself where it is margined in coins."""
        return ONE if self.inverse else self.contract_size

    def value(self, quantity: Decimal, price: Decimal) -> Decimal:
        """In the currency it is settled in."""
        whole = quantity * self.contract_size
        return whole / price if self.inverse else whole * price

    def notional(self, quantity: Decimal, price: Decimal) -> Decimal:
        """In quote currency."""
        return quantity * self.contract_size * (ONE if self.inverse else price)

    def average(self, quantity: Decimal, value: Decimal) -> Decimal:
        """The price at which so much has this value."""
        whole = quantity * self.contract_size
        return fine(whole / value if self.inverse else value / whole)

    def profit(self, quantity: Decimal, bought: Decimal, sold: Decimal) -> Decimal:
        """Of a long position, in the currency it is settled in; of a short one `quantity` is below zero."""
        gained = self.value(quantity, sold) - self.value(quantity, bought)
        return -gained if self.inverse else gained


@dataclass(frozen=True, slots=True)
class Rules:
    """How one exchange treats orders where exchanges differ. All of it is data of a dialect."""

    maker_fee: Decimal = Decimal("0.0002")
    taker_fee: Decimal = Decimal("0.0005")
    #: spot: the fee of a buy is taken from the coins bought (Binance, Bybit), else paid in quote (Kraken)
    buy_fee_in_base: bool = True
    #: which of an account's wallets this product uses; venues naming the same wallet share its money
    wallet: str = "spot"
    #: spot: orders that wait for a trigger lock balance
    conditional_holds: bool = True
    #: a trigger price that the market has crossed already is refused; else it fires at once
    refuses_crossed_triggers: bool = True
    client_ids: ClientIds = ClientIds.OPEN
    #: orders that ended are known for so long, their fills for longer; None: always
    remembers_seconds: int | None = None
    #: a reduce-only order that waits for a trigger is refused while there is nothing to reduce
    conditional_reduce_needs_position: bool = False
    #: the engine cancels reduce-only orders when their position is gone: resting ones, waiting ones
    flat_cancels_resting: bool = True
    flat_cancels_waiting: bool = False
    #: a reduce-only order that is larger than its position is made as large; else it ends unfilled (Bitfinex)
    shrinks_reduce_only: bool = True
    #: an order amended to no more than is filled of it is cancelled; else that is refused
    amending_to_filled_cancels: bool = False
    #: reduce-only orders may be smaller than `min_notional`
    reduce_only_below_notional: bool = True
    #: the notional and minimum checks apply to orders that wait for a trigger
    checks_notional: bool = True
    #: a fill-or-kill order that cannot be filled at once is refused; else it is taken and ends unfilled
    refuses_unfillable: bool = True
    #: a triggered order goes on under a new id, beside the id of the trigger (Binance algo orders)
    new_id_on_trigger: bool = False
    #: what becomes of the part of a market or immediate order that found nobody, and of an order
    #: that can no longer reduce anything
    unfilled: OrderStatus = OrderStatus.EXPIRED
    #: how the other orders of a link end when one of them triggers or fills
    linked: OrderStatus = OrderStatus.CANCELLED
    #: what the exchange accepts first and then cancels, instead of refusing it (Bybit: post-only that would take)
    cancels_instead: frozenset[Reason] = frozenset()
    #: the exchange's form of the engine's running number; must not repeat
    order_id: Callable[[int], str] = str
    #: an account may keep long and short positions apart
    hedges: bool = True
    default_leverage: Decimal = Decimal(20)
    max_open_orders: int = 500
    #: orders that wait for a trigger, per market
    max_waiting_orders: int = 100


class AttachWhen(StrEnum):
    FIRST_FILL = "first_fill"  # once, as soon as anything is filled, for the whole position
    EACH_FILL = "each_fill"  # one for each fill, of that fill's quantity (Kraken close[...])
    FULL = "full"  # once, when all is filled (Binance OTOCO)


@dataclass(frozen=True, slots=True)
class Ticket:
    """An order as the caller wants it. `quote_quantity` instead of `quantity`: spot market only;
    `close_position`: neither, the size is that of the position when it fills.

    `rises` says on which side of the market the trigger lies; None derives it from type and side.
    `position_bound`: lives and dies with its position (Bybit's trading-stop). Orders with the same
    `link` cancel each other: the first that triggers, fills or is cancelled ends the others.
    `attached` are placed when this one fills. `extra` is kept for the dialect's answers.
    """

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    trigger_by: TriggerBy = TriggerBy.LAST
    rises: bool | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    close_position: bool = False
    position_bound: bool = False
    position_side: Direction | None = None
    client_id: str = ""
    link: str = ""
    attached: tuple[Ticket, ...] = ()
    attach_when: AttachWhen = AttachWhen.FIRST_FILL
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def exits(self) -> bool:
        """Hedge mode: the side that makes its position smaller."""
        return self.position_side is not None and self.side is self.position_side.exit_side

    @property
    def reduces(self) -> bool:
        """Can never open or enlarge a position."""
        return self.reduce_only or self.close_position or self.position_bound or self.exits

    @property
    def trigger_rises(self) -> bool:
        """Fires at or above the trigger price; else at or below it."""
        if self.rises is not None:
            return self.rises
        stop = self.type in (OrderType.STOP, OrderType.STOP_LIMIT)
        return stop == (self.side is Side.BUY)


@dataclass(frozen=True, slots=True)
class Fill:
    id: int
    order_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    maker: bool
    time_ms: int
    realised: Decimal = ZERO
    position_side: Direction | None = None
    #: what it closed of a position
    closed: Decimal = ZERO
    #: what opening that part had cost in fees
    opening_fee: Decimal = ZERO

    def opened_at(self, market: Market) -> Decimal:
        """The average price at which what it closed was opened."""
        out = market.value(self.closed, self.price)
        gained = self.realised if (self.side is Side.SELL) != market.inverse else -self.realised
        return market.average(self.closed, out - gained)


@dataclass(slots=True, eq=False)
class Order:
    """One order of one account. `waiting`: has not triggered yet. `live_id`: the id under which a
    triggered order goes on where the exchange gives it another (else the same as `id`)."""

    id: str
    sequence: int
    market: Market
    ticket: Ticket
    quantity: Decimal
    price: Decimal | None
    trigger_price: Decimal | None
    created_ms: int
    updated_ms: int
    status: OrderStatus = OrderStatus.OPEN
    waiting: bool = False
    triggered_ms: int | None = None
    live_id: str = ""
    filled: Decimal = ZERO
    #: the value of what is filled, in the currency the market is settled in
    quote_filled: Decimal = ZERO
    fills: list[Fill] = field(default_factory=list)
    reason: str = ""
    #: the orders of its link, the oldest first; alone without one
    linked: list[Order] = field(default_factory=list)

    @property
    def open(self) -> bool:
        return self.status is OrderStatus.OPEN

    @property
    def side(self) -> Side:
        return self.ticket.side

    @property
    def client_id(self) -> str:
        return self.ticket.client_id

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    @property
    def average_price(self) -> Decimal | None:
        if not self.filled:
            return None
        return self.market.average(self.filled, self.quote_filled)

    def fees(self) -> dict[str, Decimal]:
        paid: dict[str, Decimal] = {}
        for fill in self.fills:
            paid[fill.fee_asset] = paid.get(fill.fee_asset, ZERO) + fill.fee
        return paid


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_DOWN) * step


def fine(value: Decimal) -> Decimal:
    """A quotient in at most 12 decimals."""
    return value.quantize(_FINEST).normalize()


def text(value: Decimal | None, decimals: int | None = None) -> str:
    """Plain digits, never an exponent; padded to `decimals` where the exchange pads."""
    if value is None:
        value = ZERO
    if decimals is not None:
        return f"{value:.{decimals}f}"
    value = value.normalize()
    return format(value, "f") if value else "0"


def decimals_of(step: Decimal) -> int:
    """0.01 -> 2, 10 -> 0."""
    exponent = step.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
