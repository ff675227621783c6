"""What flipr needs of one product of one exchange. The path a call takes to it is in `exchanges/caller.py`.

A venue holds no user: credentials come with each call, so that one warm connection serves every account.
Subclasses live in `exchanges/venues/<exchange>.py`: data first (class attributes), then pure methods
(`sign`, `error_code`, `place_call`, the readers), then the calls.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, TypeVar

from exchanges.call import Call, exact_json, json_body, plain_number, plain_params, plain_word
from exchanges.caller import Caller, key_digest
from exchanges.errors import (
    ExchangeError,
    NotModified,
    NotSent,
    OrderNotFound,
    OutcomeUnknown,
    Unsupported,
    WouldTrigger,
)
from exchanges.guide import Guide
from exchanges.limits import Charge, Priority
from exchanges.transport import Answer
from exchanges.types import (
    Balance,
    Credentials,
    Direction,
    Fill,
    Instrument,
    KeyInfo,
    Legs,
    MarginMode,
    OrderRef,
    OrderRequest,
    OrderStatus,
    Position,
    PositionMode,
    Product,
    Quote,
    Report,
    Side,
)

#: with what the files of venues need of the two modules below this one
__all__ = [
    "NO_ORDER",
    "Call",
    "Features",
    "Venue",
    "acknowledged",
    "by_client_id",
    "done_by",
    "exact_json",
    "held_mode",
    "json_body",
    "key_digest",
    "named_rows",
    "outcome",
    "plain_number",
    "plain_params",
    "plain_word",
    "refuse_crossed",
    "unless_unchanged",
    "unsent",
    "urgency",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Features:
    """What the exchange can do by itself; the rest is refused before sending, or done by supervision."""

    #: conditional orders (stop, take profit) exist
    conditional: bool = True
    #: conditional orders keep our client id; where not, one whose answer was lost is known by its terms only, while it
    #: is open
    conditional_ids: bool = True
    #: a stop and a target of one position can be placed as one linked pair: `Venue.protect`
    linked_legs: bool = False
    #: cancelling one leg of such a pair cancels the other too; where not, only a fill ends both
    linked_cancel: bool = True
    #: stop and target may both rest for the full size (cash spot often locks the balance once)
    rests_both_legs: bool = True
    #: the stops of a position may together not be larger than it, nor its targets: an old one has to go before the one
    #: that takes its place
    legs_fit_position: bool = False
    #: the answer to a market order already tells its fill
    fill_in_answer: bool = False
    #: a spot market buy may be given as an amount of quote currency
    market_by_quote: bool = False
    hedge_mode: bool = False
    leverage: bool = False
    #: every futures order names its margin mode, so that one has to be found for an order that says none:
    #: `Venue.margin_mode`
    mode_per_order: bool = False
    reduce_only: bool = True
    #: orders can be asked for by our client id, and for how long after their end (0: while open only)
    client_id_memory_seconds: int = 86_400
    #: to ask for several orders of a key in one `Round` takes hardly more than to ask for one
    lists_tell_all: bool = False
    #: `Venue.fills` goes back so far (0: it does not exist), which is worth something where orders are forgotten sooner
    fills_memory_seconds: int = 0
    #: fills tell our client id; where not, only those of an order whose number at the exchange is known can be told apart
    fills_named: bool = True
    #: so do those of a conditional order after its trigger, by the same id or number
    fills_triggered: bool = False
    #: the exchange lists the open orders of one symbol at a time: without one `open_orders` takes many calls, or is
    #: Unsupported
    open_orders_by_symbol: bool = False
    #: so many orders of one instrument may go out in one request (0: each needs its own), and whether conditional
    #: orders may be among them
    batch: int = 0
    batch_conditional: bool = False

    @property
    def fills(self) -> bool:
        return self.fills_memory_seconds > 0


#: what `error_code` tells of an answer that is no object, where every answer of the exchange is one
NO_OBJECT = ("", "the answer is no object")
#: what stands for an id where there is none
NO_ORDER = frozenset({"", "0"})


class Venue(Caller):
    product: ClassVar[Product]
    #: default region of its workers
    region: ClassVar[str]
    #: which key opens it: the exchange, or a part of it with keys of its own (`kraken_futures`)
    key_family: ClassVar[str]
    #: what the user must enter, besides the label, in this order: key, secret[, passphrase]
    key_fields: ClassVar[tuple[str, ...]] = ("key", "secret")
    #: what the exchange itself calls them, where that is not API key, API secret and passphrase
    key_titles: ClassVar[Mapping[str, str]] = {}
    #: what its users have to know, for the docs page
    guide: ClassVar[Guide]
    #: written for this exchange, not opened through ccxt (`exchanges/generic/`)
    native: ClassVar[bool] = True
    features: ClassVar[Features] = Features()
    #: `key_info` asks the same questions at every product of the exchange: one of them tells for all
    one_key_info: ClassVar[bool] = False
    #: how often one account may be looked at (open orders and positions), and all accounts of one address together; of
    #: what the products of an exchange share, each takes its part (tests/execution/test_budgets.py adds it up)
    look_seconds: ClassVar[float] = 1.0
    looks_per_minute: ClassVar[int] = 600
    #: how many prices of it one address may ask for only to see whether a level was reached
    prices_per_minute: ClassVar[int] = 300
    #: how often it may be asked for its time from one address, by all workers together, to keep clocks and sockets warm
    times_per_minute: ClassVar[int] = 12
    #: open orders of so many symbols are asked for one by one: those of all cost more
    cheaper_one_by_one: ClassVar[int] = 1
    #: so many orders cost less when each is asked for by its id than in the list of all that are open; only where every
    #: order keeps our id
    orders_one_by_one: ClassVar[int] = -1

    # -- pure: what each exchange defines ------------------------------------------------------------

    @classmethod
    def client_id(cls, token: str) -> str:
        """Our id of an order (26 characters of Crockford base 32) in the form this exchange accepts.
        Deterministic, so that an order whose outcome is unknown can be found again."""
        return f"f{token}"

    @abstractmethod
    def place_call(self, order: OrderRequest) -> Call:
        """The call that places `order`. Raises Unsupported for what this venue cannot do."""

    def draft_call(self, order: OrderRequest, price: Decimal) -> Call:
        """What `place` would send at a present price, told without asking anybody: for checks and dry runs. Raises
        Unsupported."""
        return self.place_call(order)

    @abstractmethod
    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        """The answer to `place_call`."""

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """The one call that does what these do, each made by `place_call` (`features.batch`)."""
        raise Unsupported(f"{self.name} takes one order at a time")

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        """The answer to `batch_call` taken apart: for each order, in order, what the exchange would have answered
        had it been sent alone."""
        raise Unsupported(f"{self.name} takes one order at a time")

    # -- calls ---------------------------------------------------------------------------------------

    @abstractmethod
    def instruments(self) -> list[Instrument]:
        """Every tradable instrument of this product; one call, no user."""

    @abstractmethod
    def quote(self, instrument: Instrument) -> Quote: ...

    @abstractmethod
    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """Cancel one order. Raises OrderNotFound when it is no longer open (filled, cancelled or unknown)."""

    def cancel_all(self, keys: Credentials, instrument: Instrument) -> None:
        """Whatever is open on the instrument, with the exchange's own calls where it has some for every kind of order.

        A command's `cancel all` goes order by order all the same. It has to say of each whether it was cancelled or
        filled first, which such a call does not tell: asking for each afterwards costs the requests that were saved.
        And the call takes what was placed after the command had looked, too.
        """
        for report in self.open_orders(keys, instrument):
            try:
                self.cancel(keys, instrument, report.ref)
            except OrderNotFound:
                continue  # gone between the two calls: that is what was wanted

    @abstractmethod
    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        """One order, open or ended, with its average fill price. Raises OrderNotFound."""

    @abstractmethod
    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        """All open orders, conditional ones included. Without an instrument those of all symbols, unless
        `features.open_orders_by_symbol` leaves no way to ask for them (Unsupported)."""

    def fills(self, keys: Credentials, instrument: Instrument, since: datetime) -> list[Fill]:
        """All of the account's on the instrument from `since` to now (`features.fills`), in any order, none left out:
        raises OutcomeUnknown where the end of the list cannot be reached. Raises Unsupported where there are none."""
        raise Unsupported(f"{self.name} is not asked for its fills")

    @abstractmethod
    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """By asset in the common spelling (BTC, not XBT)."""

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        """Open positions; none on spot."""
        return []

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        return PositionMode.ONE_WAY

    def margin_mode(
        self, keys: Credentials, instrument: Instrument, direction: Direction | None = None
    ) -> MarginMode | None:
        """Where orders name one (`features.mode_per_order`): that of an order which says none. It changes nothing that
        the trader has set up: the mode of the open position, of the one in `direction` first; else the account's
        setting; else, where the exchange knows no setting, the default that the guide tells."""
        return None

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """Set what is given; "already so" is success."""
        raise Unsupported(f"{self.name} has no leverage")

    def protect(self, keys: Credentials, legs: Legs) -> tuple[Report, Report]:
        """Place stop and target as one linked pair (`features.linked_legs`); (stop, target)."""
        raise Unsupported(f"{self.name} has no linked orders")

    def linked(self, report: Report) -> bool:
        """Whether an open order is a leg of a pair made by `protect`: where the exchange makes both, they have no
        client id."""
        return self.features.linked_legs and not report.client_id

    def _gone(self) -> OrderNotFound:
        return OrderNotFound(f"{self.name} does not know this order, or it is no longer open")

    @abstractmethod
    def key_info(self, keys: Credentials) -> KeyInfo:
        """What the key may do. Raises AuthRefused when it is not valid."""

    # -- placing, one by one and several at once -------------------------------------------------------

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        """Place once. Raises NotSent, a Refused, or OutcomeUnknown (then ask `fetch` by client id).
        An entry waits for its share of the limits no longer than `patience_seconds`."""
        call = self.place_call(order)
        if call.priority is Priority.ENTRY:
            call = replace(call, patience_seconds=patience_seconds)
        data = self.call(call, keys)
        return self._believed(data, order)

    def _believed(self, data: Any, order: OrderRequest) -> Report:
        with self._may_stand():
            report = self.read_placed(data, order)
        if report.exchange_id in NO_ORDER and not report.status.final:
            raise OutcomeUnknown(f"{self.name}: the answer to the order names none")
        if report.client_id not in ("", order.client_id):
            raise OutcomeUnknown(f"{self.name} answered about another order")
        return report

    def place_many(self, keys: Credentials, orders: Sequence[OrderRequest]) -> list[Report | ExchangeError]:
        """Place each once, in as few requests as the exchange takes; what became of each, in their order. The
        errors are those `place` raises. A request with several orders is never sent again: when its answer is lost
        all of them are OutcomeUnknown, when it is refused as a whole so is each."""
        outcomes: list[Report | ExchangeError] = []
        for batch in self._batches(orders):
            if len(batch) == 1:
                outcomes.append(outcome(partial(self.place, keys, batch[0])))
            else:
                outcomes += self._place_batch(keys, batch)
        return outcomes

    def _batches(self, orders: Sequence[OrderRequest]) -> list[list[OrderRequest]]:
        """Neighbours that may share a request, as many as fit into one."""
        batches: list[list[OrderRequest]] = []
        for order in orders:
            last = batches[-1] if batches else []
            if last and len(last) < self.features.batch and self._share(*last, order):
                last.append(order)
            else:
                batches.append([order])
        return batches

    def _share(self, *orders: OrderRequest) -> bool:
        plain = not any(order.type.conditional for order in orders)
        return len({order.instrument.symbol for order in orders}) == 1 and (
            plain or self.features.batch_conditional
        )

    def _place_batch(self, keys: Credentials, orders: Sequence[OrderRequest]) -> list[Report | ExchangeError]:
        """What cannot be asked of the exchange is left out; the others are told apart in its answer."""
        calls = self.place_calls(orders)
        left = [(order, call) for order, call in zip(orders, calls, strict=True) if isinstance(call, Call)]
        if len(left) < 2:
            told = iter([outcome(partial(self.place, keys, order)) for order, _ in left])
        else:
            told = iter(self._send_batch(keys, *zip(*left, strict=True)))
        return [next(told) if isinstance(call, Call) else call for call in calls]

    def place_calls(self, orders: Sequence[OrderRequest]) -> list[Call | ExchangeError]:
        """`place_call` of each, or why it is not sent."""
        return [outcome(partial(self.place_call, order)) for order in orders]

    def _send_batch(
        self, keys: Credentials, orders: Sequence[OrderRequest], calls: Sequence[Call]
    ) -> list[Report | ExchangeError]:
        urgent = min(call.priority for call in calls)
        batch = replace(self.batch_call(calls), priority=urgent, batch=True)
        charges = self._charges(batch, key_digest(keys))
        try:
            data = self.call(batch, keys)
            with self._may_stand():
                answers = self.answers(data, orders)
        except ExchangeError as error:
            return [error] * len(orders)
        if len(answers) != len(orders):
            unknown = OutcomeUnknown(f"{self.name} answered for {len(answers)} of {len(orders)} orders")
            return [unknown] * len(orders)
        return [
            outcome(partial(self._read_answer, answer, order, charges))
            for answer, order in zip(answers, orders, strict=True)
        ]

    def _read_answer(self, answer: Any, order: OrderRequest, charges: tuple[Charge, ...]) -> Report:
        return self._believed(self.checked(Answer(200, {}, answer), charges), order)


def urgency(order: OrderRequest) -> Priority:
    """What only closes goes first, on spot a sale that waits for its trigger. What opens has to be fresh, at a trigger
    too, and waits no longer than that for its share of the limits."""
    spot = order.instrument.product is Product.SPOT
    protects = order.type.conditional and order.side is Side.SELL if spot else order.closes
    return Priority.PROTECT if protects else Priority.ENTRY


def acknowledged(order: OrderRequest, exchange_id: str, **more: Any) -> Report:
    """The report of an exchange that answers an order with an id only: what was asked for, nothing filled yet.
    `more` replaces fields; a conditional order that waits for its trigger has no fill to ask for."""
    return replace(
        Report(
            exchange_id=exchange_id,
            client_id=order.client_id,
            symbol=order.instrument.symbol,
            side=order.side,
            type=order.type,
            status=OrderStatus.OPEN,
            quantity=order.quantity,
            price=order.price,
            trigger_price=order.trigger_price,
            reduce_only=order.reduce_only,
            position_side=order.position_side,
            acknowledged_only=not order.type.conditional,
        ),
        **more,
    )


def held_mode(positions: Sequence[Position], direction: Direction | None) -> MarginMode | None:
    """The margin mode of what is open, of the position in `direction` first."""
    ranked = sorted(positions, key=lambda each: each.direction is not direction)
    return next((each.margin_mode for each in ranked if each.margin_mode), None)


def done_by(report: Report, at: datetime) -> Fill:
    """All that an order has filled, as one fill, of exchanges whose lists of orders name ours and whose fills do not."""
    if report.average_price is None:
        raise OutcomeUnknown("the answer does not say at what price an order filled")
    return Fill(
        report.exchange_id,
        report.client_id,
        report.symbol,
        report.side,
        report.filled,
        report.average_price,
        at,
    )


def outcome(action: Callable[[], T]) -> T | ExchangeError:
    """What it gives back, or the exchange's error."""
    try:
        return action()
    except ExchangeError as error:
        return error


@contextmanager
def unsent(why: str) -> Iterator[None]:
    """Around a question that has to be answered before an order can go out: while the answer is unknown it stays here."""
    try:
        yield
    except OutcomeUnknown as error:
        raise NotSent(f"not sent, because {why}: {error.message}") from None


def refuse_crossed(order: OrderRequest, price: Decimal) -> None:
    """Where a trigger has no direction of its own: one that the price has crossed already would wait for the way back, a
    stop as a take-profit."""
    if order.crossed(price):
        raise WouldTrigger(f"the price {price} has already crossed the trigger {order.trigger_price}")


def by_client_id(rows: Sequence[Any], orders: Sequence[OrderRequest], name: str) -> list[Any]:
    """Rows of an answer in the order of the orders: by the id in the field `name`, by place where a row has none.
    {} stands for an order that the answer does not mention, or mentions twice."""
    names = Counter(row.get(name) for row in rows)
    named = {row.get(name): row for row in rows if names[row.get(name)] == 1}
    places = rows if len(rows) == len(orders) else [{}] * len(orders)
    return [
        named.get(order.client_id) or ({} if row.get(name) else row)
        for order, row in zip(orders, places, strict=True)
    ]


def named_rows(rows: Sequence[Any], name: str) -> list[Any]:
    """For `by_client_id` of an exchange that always tells our id: a row without one is about no order that we know."""
    return [row for row in rows if row.get(name)]


def unless_unchanged(action: Callable[[], Any]) -> None:
    """Run a setting call; "already so" is what was wanted."""
    try:
        action()
    except NotModified:
        return
