"""One account at one venue: what still leaves when time has run out, and what is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from exchanges.errors import NotSent, OutcomeUnknown, TooLate
from exchanges.limits import Bucket, Charge, LocalGate, Priority, Scope, hurried
from exchanges.pool import Connection, Pool
from exchanges.registry import venues
from exchanges.transport import Answer, Request, Transport
from exchanges.types import (
    Credentials,
    Direction,
    Environment,
    MarginMode,
    OrderRef,
    OrderRequest,
    OrderType,
    Side,
)
from exchanges.venue import key_digest
from execution.amounts import Level, Offset, OffsetUnit
from execution.arming import arm
from execution.desk import LONGEST_WAIT_SECONDS, Desk
from execution.protection import Guarded, LegState
from execution.supervise import open_desk
from execution.terms import Protection, StopLoss
from execution.timeline import Timeline

FRESH_SECONDS = 10.0
SERIAL = sorted((kind.name, kind.key_family) for kind in venues().values() if kind.serial)
TOKEN = "01J8ZQ5T7XKQ4M2N9P6R3SAAA1"


class Clock:
    """Stands still until something takes time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Slow(Transport):
    """The real wire; every answer takes its time."""

    clock: Clock
    seconds = 0.0

    def send(self, request: Request) -> Answer:
        answer = super().send(request)
        self.clock.now += self.seconds
        return answer


class SlowTurns(LocalGate):
    """Requests of a key wait for each other, where they must."""

    clock: Clock
    seconds = 0.0

    @contextmanager
    def turn(self, owner: str) -> Iterator[None]:
        self.clock.now += self.seconds
        with super().turn(owner):
            yield


class Room:
    """A desk whose clock only the exchange moves."""

    def __init__(self, sandbox: Any, venue: str, family: str) -> None:
        self.clock, self.gate = Clock(), SlowTurns()
        self.gate.clock = Slow.clock = self.clock
        self.pool = Pool(sandbox_url=sandbox.url, make_transport=Slow, gate=self.gate)
        given = sandbox.account(family, balances={"USDT": "100000", "USD": "100000", "BTC": "1"})
        self.connection: Connection = self.pool.connection(venue, Environment.SANDBOX)
        self.keys = Credentials(given["key"], given["secret"], given.get("passphrase") or "")
        self.state = lambda: sandbox.state(venue, given["key"])
        self.slept: list[float] = []
        self.desk = Desk(
            self.connection,
            self.keys,
            timeline=Timeline(0.0, clock=self.clock),
            fresh_until_ms=FRESH_SECONDS * 1000,
            sleep=self.slept.append,
        )
        self.instrument = self.desk.instrument("BTCUSDT")

    def takes(self, seconds: float) -> None:
        self.connection.transports[0].seconds = seconds  # type: ignore[attr-defined]

    def order(self, side: Side, **options: Any) -> OrderRequest:
        values = {"type": OrderType.MARKET, "quantity": D("0.01"), **options}
        return OrderRequest(self.instrument, self.desk.venue.client_id(TOKEN), side, **values)

    def blocked(self, seconds: float) -> None:
        """The exchange has banned us for so long."""
        call = self.desk.venue.place_call(self.order(Side.BUY))
        for charge in self.desk.venue._charges(call, ""):
            limit = Bucket(charge.limit.capacity, charge.limit.window_seconds)
            self.gate.block(Charge(charge.venue, charge.bucket, limit, charge.owner, 1), seconds)

    def use_up(self, bucket: str, priority: Priority) -> None:
        """All that requests of this priority may spend of it."""
        venue, limit = self.desk.venue, self.desk.venue.buckets[bucket]
        owner = venue.address if limit.scope is Scope.ADDRESS else key_digest(self.keys)
        spent = Charge(f"{venue.exchange}:{venue.environment}", bucket, limit, owner, 1)
        self.gate.observe(spent, limit.allowed(priority))


@pytest.fixture
def room(sandbox: Any) -> Iterator[Any]:
    sandbox.price("BTC/USDT", "50000")
    rooms: list[Room] = []

    def make(venue: str, family: str) -> Room:
        rooms.append(Room(sandbox, venue, family))
        return rooms[-1]

    yield make
    for each in rooms:
        each.pool.close()


@pytest.mark.parametrize(("venue", "family"), [("Binance_F", "binance"), ("ByBit_F", "bybit")])
def test_a_market_entry_that_became_late_on_its_way_is_not_sent(room, venue, family):
    here = room(venue, family)
    here.takes(FRESH_SECONDS + 1)
    here.desk.set_leverage(here.instrument, D(7), MarginMode.ISOLATED)
    with pytest.raises(TooLate) as told:
        here.desk.send(here.order(Side.BUY))
    assert (told.value.kind, here.state()["orders"], here.slept) == ("EXPIRED", [], [])


@pytest.mark.parametrize(("venue", "family"), SERIAL)
def test_a_market_entry_that_waited_too_long_for_its_turn_is_not_sent(room, venue, family):
    here = room(venue, family)
    here.gate.seconds = FRESH_SECONDS + 1
    with pytest.raises(TooLate):
        here.desk.send(here.order(Side.BUY))
    assert here.state()["orders"] == []


def test_what_only_closes_leaves_however_late(room):
    here = room("Binance_F", "binance")
    here.desk.send(here.order(Side.BUY))
    here.clock.now = FRESH_SECONDS + 1
    closing = here.desk.venue.client_id(TOKEN[:-4] + "BBB2")
    report = here.desk.send(replace(here.order(Side.SELL, reduce_only=True), client_id=closing))
    assert report.filled == D("0.01")


def test_what_only_closes_is_sent_again_however_late(room):
    here = room("Binance_F", "binance")
    here.desk.send(here.order(Side.BUY))
    here.clock.now = FRESH_SECONDS + 1
    closing = here.desk.venue.client_id(TOKEN[:-4] + "BBB2")
    order = replace(here.order(Side.SELL, reduce_only=True), client_id=closing)
    assert here.desk.send(order, NotSent("no connection")).filled == D("0.01")


def test_an_entry_that_became_late_is_not_sent_again(room):
    here = room("Binance_F", "binance")
    here.clock.now = FRESH_SECONDS + 1
    with pytest.raises(NotSent):
        here.desk.send(here.order(Side.BUY, type=OrderType.LIMIT, price=D(40000)), NotSent("no connection"))
    assert (here.state()["orders"], here.slept) == ([], [])


def test_a_sale_on_spot_leaves_however_late(room):
    here = room("Binance", "binance")
    here.clock.now = FRESH_SECONDS + 1
    assert here.desk.send(here.order(Side.SELL)).filled == D("0.01")


def test_an_entry_at_a_price_of_its_own_is_not_late(room):
    here = room("Binance_F", "binance")
    here.clock.now = FRESH_SECONDS + 1
    here.desk.send(here.order(Side.BUY, type=OrderType.LIMIT, price=D(40000)))
    assert [each["status"] for each in here.state()["orders"]] == ["open"]


@pytest.mark.parametrize(
    ("venue", "family", "bucket"),
    [("ByBit", "bybit", "address"), ("Bitget_F", "bitget", "linear plans"), ("MEXC_F", "mexc", "reads")],
)
def test_what_is_asked_before_a_stop_or_its_cancel_is_as_urgent(room, venue, family, bucket):
    """The side of the price, the list that a stop is in: questions of looks use up their share of the limits."""
    here, closes = room(venue, family), {} if venue == "ByBit" else {"reduce_only": True}
    here.desk.send(here.order(Side.BUY))
    client_id = here.desk.venue.client_id(TOKEN[:-4] + "BBB2")
    stop = here.order(Side.SELL, type=OrderType.STOP, trigger_price=D(49000), **closes)
    here.use_up(bucket, Priority.QUERY)
    with hurried():
        report = here.desk.send(replace(stop, client_id=client_id))
        assert here.desk.cancel(
            here.instrument, OrderRef(client_id, report.exchange_id, True, report.quantity)
        )


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_ban_of_an_hour_is_told_and_not_slept_through(room, side):
    here = room("Binance_F", "binance")
    here.desk.fresh_until_ms = None  # as in supervision
    here.blocked(3600)
    with pytest.raises(NotSent) as told:
        here.desk.send(here.order(side, reduce_only=side is Side.SELL))
    assert (told.value.retry_after or 0) > LONGEST_WAIT_SECONDS
    assert here.slept == []


def test_a_stop_that_a_ban_keeps_from_being_placed_is_left_to_the_next_look(room):
    here = room("Binance_F", "binance")
    here.desk.fresh_until_ms = None
    here.blocked(3600)
    bracket = Guarded(
        "b_1",
        TOKEN,
        "a_1",
        "Binance_F",
        "BTCUSDT",
        here.instrument.symbol,
        Direction.LONG,
        hedge=False,
        plan=Protection(stop=StopLoss(Level(offset=Offset(D(2), OffsetUnit.PERCENT)))),
        stop_policy="keep",
        entry_price=D(50000),
        quantity=D("0.01"),
    )
    arm(here.desk, bracket, here.instrument)
    assert [leg.status for leg in bracket.legs] == [LegState.FAILED]
    assert (bracket.status, bracket.legs[0].attempts, here.slept) == ("failed", 0, [])


def test_an_answer_about_another_order_is_not_believed(make_desk: Any, wire: Any) -> None:
    made = make_desk(families=("binance",), balances={"USDT": "100000"})
    told = [made.one(f"BTCUSDT on Binance_F limit long 0.01 at {price}") for price in (40000, 41000)]
    first, second = (OrderRef(each["client_id"], each["exchange_id"]) for each in told)
    opened = open_desk(made.accounts["binance"], "Binance_F")
    instrument, answers = opened.listed("BTCUSDT"), list[Any]()

    def act(line: str, send: Any) -> Any:
        if "/fapi/v1/order" in line:
            answers.append(send())
            return answers[0]
        return send()

    wire(act)
    assert opened.fetch(instrument, first).client_id == first.client_id
    with pytest.raises(OutcomeUnknown, match="another order"):
        opened.fetch(instrument, second)
