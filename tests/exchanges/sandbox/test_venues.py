"""Our own venues against the sandbox: the same trades on every exchange, over a real socket.

Nothing here names an exchange: a venue added to `exchanges/venues/` and `sandbox/dialects/` is tried at once.
"""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.errors import (
    AuthRefused,
    InsufficientFunds,
    Maintenance,
    OrderNotFound,
    OutcomeUnknown,
    Refused,
    Throttled,
)
from exchanges.pool import Pool
from exchanges.registry import venues
from exchanges.types import (
    Credentials,
    Direction,
    Environment,
    Legs,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Product,
    Side,
)


class Trader:
    """One account on one venue, trading BTC against dollars."""

    def __init__(self, sandbox, name):
        self.sandbox, self.name = sandbox, name
        self._pool = Pool(sandbox_url=sandbox.url)
        connection = self._pool.connection(name, Environment.SANDBOX)
        self.venue = connection.venue
        connection.refresh()
        self.instrument = connection.table.find("BTCUSDT")
        issued = sandbox.account(self.venue.key_family)
        self.keys = Credentials(issued["key"], issued["secret"], issued["passphrase"])
        self._numbers = itertools.count()
        #: of bitcoin, or contracts margined in it
        self.quantity = Decimal(1000) if self.instrument.inverse else Decimal("0.1")

    @property
    def futures(self):
        return self.venue.product is not Product.SPOT

    def request(self, side, kind, quantity=None, **rest):
        token = f"{next(self._numbers):026d}"
        client_id = self.venue.client_id(token)
        return OrderRequest(
            self.instrument, client_id, side, kind, quantity=quantity or self.quantity, **rest
        )

    def settled(self, report):
        """Asks until the exchange tells the fill, where the placing answer only acknowledges."""
        if report.status is OrderStatus.FILLED and report.average_price is not None:
            return report
        return self.venue.fetch(self.keys, self.instrument, report.ref)

    def enter(self, side=Side.BUY):
        return self.settled(self.venue.place(self.keys, self.request(side, OrderType.MARKET)))

    def stop(self, trigger):
        request = self.request(
            Side.SELL, OrderType.STOP, trigger_price=Decimal(trigger), reduce_only=self.futures
        )
        return self.venue.place(self.keys, request)

    def open_orders(self):
        """Of all symbols at once where the exchange can tell that."""
        by_symbol = self.venue.features.open_orders_by_symbol
        return self.venue.open_orders(self.keys, self.instrument if by_symbol else None)

    def close(self):
        for connection in self._pool.opened():
            for transport in connection.venue.other_transports.values():
                transport.close()
        self._pool.close()


LINKING = sorted(name for name, kind in venues().items() if kind.features.linked_legs)
STOPPING = sorted(name for name, kind in venues().items() if kind.features.conditional)
TELLING = sorted(name for name, kind in venues().items() if kind.features.fills)
BATCHING = sorted(name for name, kind in venues().items() if kind.features.batch)


@pytest.fixture(params=sorted(venues()))
def trader(request, sandbox):
    made = Trader(sandbox, request.param)
    yield made
    made.close()


def test_a_market_order_fills_and_is_found_by_our_id(trader):
    report = trader.enter()
    assert (report.status, report.filled) == (OrderStatus.FILLED, trader.quantity)
    assert report.average_price == 50000 + trader.instrument.tick
    if trader.futures:
        (position,) = trader.venue.positions(trader.keys)
        assert (position.direction, position.quantity) == (Direction.LONG, trader.quantity)


@pytest.mark.parametrize("trader", STOPPING, indirect=True)
def test_a_stop_waits_fires_and_tells_its_fill(trader):
    trader.enter()
    stop = trader.stop(49000)
    (listed,) = trader.open_orders()
    assert (listed.client_id, listed.type, listed.trigger_price) == (stop.client_id, OrderType.STOP, 49000)
    trader.sandbox.price("BTC/USDT", 48990)
    fired = trader.venue.fetch(trader.keys, trader.instrument, stop.ref)
    assert (fired.status, fired.filled, fired.average_price) == (OrderStatus.FILLED, trader.quantity, 48990)
    assert trader.open_orders() == []
    assert trader.venue.positions(trader.keys) == []


@pytest.mark.parametrize("trader", STOPPING, indirect=True)
def test_a_take_profit_fires_above(trader):
    trader.enter()
    request = trader.request(
        Side.SELL, OrderType.TAKE_PROFIT, trigger_price=Decimal(52000), reduce_only=trader.futures
    )
    target = trader.venue.place(trader.keys, request)
    trader.sandbox.price("BTC/USDT", 52000)
    assert trader.venue.fetch(trader.keys, trader.instrument, target.ref).average_price == 52000


def test_a_limit_order_is_cancelled_once(trader):
    report = trader.venue.place(trader.keys, trader.request(Side.BUY, OrderType.LIMIT, price=Decimal(40000)))
    trader.venue.cancel(trader.keys, trader.instrument, report.ref)
    found = trader.venue.fetch(trader.keys, trader.instrument, report.ref)
    assert (found.status, found.filled) == (OrderStatus.CANCELLED, 0)
    with pytest.raises(OrderNotFound):
        trader.venue.cancel(trader.keys, trader.instrument, report.ref)


def test_an_order_whose_answer_was_lost_is_found_by_our_id(trader):
    request = lost(trader, "drop_after")
    report = trader.venue.fetch(trader.keys, trader.instrument, OrderRef(request.client_id))
    assert (report.status, report.filled) == (OrderStatus.FILLED, trader.quantity)


@pytest.mark.parametrize("trader", TELLING, indirect=True)
def test_what_an_order_filled_is_told_when_orders_are_forgotten(trader):
    filled = trader.enter()
    resting = trader.venue.place(trader.keys, trader.request(Side.BUY, OrderType.LIMIT, price=Decimal(40000)))
    trader.venue.cancel(trader.keys, trader.instrument, resting.ref)
    passed = trader.venue.features.client_id_memory_seconds + 60
    trader.sandbox.age(trader.venue.key_family, trader.keys.key, passed)
    with pytest.raises(OrderNotFound):
        trader.venue.fetch(trader.keys, trader.instrument, OrderRef(resting.client_id))
    since = datetime.now(UTC) - timedelta(seconds=passed + 60)
    fills = trader.venue.fills(trader.keys, trader.instrument, since)
    assert sum(each.quantity for each in fills) == trader.quantity
    assert {each.exchange_id for each in fills} == {filled.exchange_id}
    assert {each.client_id for each in fills} == {filled.client_id * trader.venue.features.fills_named}
    assert trader.venue.fills(trader.keys, trader.instrument, since + timedelta(seconds=120)) == []


def test_an_order_that_never_arrived_is_not_found(trader):
    request = lost(trader, "drop_before")
    with pytest.raises(OrderNotFound):
        trader.venue.fetch(trader.keys, trader.instrument, OrderRef(request.client_id))


def lost(trader, fault):
    trader.sandbox.fault(fault, venue=trader.name, count=1)
    request = trader.request(Side.BUY, OrderType.MARKET)
    with pytest.raises(OutcomeUnknown):
        trader.venue.place(trader.keys, request)
    return request


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ("http_500", OutcomeUnknown),
        ("http_503", OutcomeUnknown),
        ("not_json", OutcomeUnknown),
        ("throttle", Throttled),
        (
            "maintenance",
            (Maintenance, OutcomeUnknown),
        ),  # unknown is right where it is not documented as unprocessed
    ],
)
def test_what_a_fault_answers_is_taken_for_what_it_is(trader, fault, raised):
    trader.sandbox.fault(fault, venue=trader.name, count=1)
    with pytest.raises(raised):
        trader.venue.place(trader.keys, trader.request(Side.BUY, OrderType.MARKET))


@pytest.mark.parametrize("trader", STOPPING, indirect=True)
def test_a_refused_stop_is_a_refusal(trader):
    trader.enter()
    trader.sandbox.fault("reject_stop", venue=trader.name)
    with pytest.raises(Refused):
        trader.stop(49000)
    assert trader.open_orders() == []


def test_more_than_there_is_money_for_is_refused(trader):
    poor = trader.sandbox.account(trader.venue.key_family, balances={"USDT": "10", "USDC": "10", "USD": "10"})
    keys = Credentials(poor["key"], poor["secret"], poor["passphrase"])
    with pytest.raises(InsufficientFunds):
        trader.venue.place(keys, trader.request(Side.BUY, OrderType.MARKET))


def test_a_wrong_secret_and_an_unknown_key_are_refused(trader):
    for keys in (
        Credentials(trader.keys.key, trader.keys.secret[::-1]),
        Credentials(trader.keys.key[::-1], trader.keys.secret),
    ):
        with pytest.raises(AuthRefused):
            trader.venue.balances(keys)


def test_a_key_tells_that_it_may_trade_and_not_withdraw(trader):
    info = trader.venue.key_info(trader.keys)
    assert info.can_trade is not False
    assert info.can_withdraw in (False, None)


@pytest.mark.parametrize("trader", LINKING, indirect=True)
def test_a_native_pair_ends_as_one(trader):
    trader.enter()
    stop = trader.request(Side.SELL, OrderType.STOP, trigger_price=Decimal(49000), reduce_only=trader.futures)
    target = trader.request(Side.SELL, OrderType.LIMIT, price=Decimal(52000), reduce_only=trader.futures)
    if trader.futures:
        target = replace(target, type=OrderType.TAKE_PROFIT, price=None, trigger_price=Decimal(52000))
    placed = trader.venue.protect(trader.keys, Legs(stop, target))
    assert len(trader.open_orders()) == 2
    trader.sandbox.price("BTC/USDT", 52000)
    assert trader.open_orders() == []
    stopped, reached = (trader.venue.fetch(trader.keys, trader.instrument, each.ref) for each in placed)
    assert (reached.status, reached.filled) == (OrderStatus.FILLED, trader.quantity)
    assert stopped.status.final
    assert stopped.filled == 0


# -- several orders in one request -------------------------------------------------------------------------


def several(trader, *times_over):
    return [
        trader.request(Side.BUY, OrderType.LIMIT, times * trader.quantity, price=Decimal(40000))
        for times in times_over
    ]


def batches_sent(trader, path):
    calls = trader.sandbox.state(trader.venue.name, trader.keys.key)["calls"]
    return [call for call in calls if call["path"] == path]


def path_of_batch(trader):
    return trader.venue.batch_call(trader.venue.place_calls(several(trader, 1, 2))).path


@pytest.mark.parametrize("trader", BATCHING, indirect=True)
def test_one_order_refused_in_a_batch_leaves_the_others_standing(trader):
    orders = several(trader, 1, 90_000, 2)
    told = trader.venue.place_many(trader.keys, orders)
    assert [isinstance(each, Refused) for each in told] == [False, True, False]
    standing = {each.client_id: each.quantity for each in trader.open_orders()}
    assert standing == {each.client_id: each.quantity for each in (orders[0], orders[2])}
    assert len(batches_sent(trader, path_of_batch(trader))) == 1


@pytest.mark.parametrize("trader", BATCHING, indirect=True)
def test_a_batch_whose_answer_was_lost_is_not_sent_again_and_its_orders_are_found(trader):
    path, orders = path_of_batch(trader), several(trader, 1, 2)
    trader.sandbox.fault("drop_after", venue=trader.name, path=path, count=1)
    told = trader.venue.place_many(trader.keys, orders)
    assert [type(each) for each in told] == [OutcomeUnknown] * 2
    assert len(batches_sent(trader, path)) == 1
    found = [
        trader.venue.fetch(trader.keys, trader.instrument, OrderRef(each.client_id)).quantity
        for each in orders
    ]
    assert found == [trader.quantity, 2 * trader.quantity]
