"""What only Kraken does and the contract suite cannot show: nonces, ids, and orders older than five seconds.

The exchange here is the sandbox's, in this process, at a clock that the test moves.
"""

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from exchanges.clock import Clock
from exchanges.errors import (
    AuthRefused,
    ClockRefused,
    InvalidOrder,
    NotSent,
    OrderNotFound,
    OutcomeUnknown,
    Throttled,
)
from exchanges.limits import LocalGate
from exchanges.registry import venue_class
from exchanges.rounds import Round
from exchanges.sandbox.wire import Call
from exchanges.sandbox.world import World
from exchanges.sparing import Spared
from exchanges.symbols import InstrumentTable
from exchanges.transport import Transport
from exchanges.types import Credentials, OrderRef, OrderRequest, OrderStatus, OrderType, Side, TimeInForce
from exchanges.venues.kraken import asset_name
from exchanges.venues.kraken_futures import REMEMBERED_SECONDS
from tests.exchanges.contract import NOW_MS, credentials, open_venue, order

TOKEN = "01JD3X8K2MQZV7W5N9TRH4BCYE"


class Exchange:
    """A sandbox in this process and one venue of ours in front of it, both at `now_ms`."""

    def __init__(self, name, family):
        self.now_ms = NOW_MS
        self.world = World(now_ms=lambda: self.now_ms)
        account = self.world.open_account(family, balances={"USD": Decimal(100_000), "BTC": Decimal(2)})
        self.keys = Credentials(account.key, account.secret)
        self.name = name
        self.venue = self.open()
        self.instrument = InstrumentTable(self.venue.instruments()).find("BTCUSD")
        self.placed = 0

    def open(self, behind_ms=0):
        """The venue as one worker process has it."""
        return venue_class(self.name)(
            Transport("https://exchange.test", wire=httpx.MockTransport(self.answer)),
            clock=Clock(wall=lambda: (self.now_ms - behind_ms) / 1000),
            gate=LocalGate(clock=lambda: self.now_ms / 1000, sleep=self.move, patience_seconds=60),
        )

    def answer(self, request):
        self.now_ms += 1
        call = Call(
            request.method,
            request.url.path,
            request.url.query.decode(),
            request.content,
            dict(request.headers),
            "127.0.0.1",
            self.now_ms,
        )
        reply = self.world.answer(self.name.lower(), call).reply
        assert reply is not None
        return httpx.Response(reply.status, headers=reply.all_headers(), content=reply.body())

    def move(self, seconds):
        self.now_ms += int(seconds * 1000)

    def price(self, price):
        self.world.set_price("BTC", "USD", Decimal(price))

    def place(self, side, kind, quantity="0.5", **rest):
        self.placed += 1
        numbers: dict[str, Any] = {
            name: Decimal(rest.pop(name)) for name in ("price", "trigger_price") if name in rest
        }
        request = OrderRequest(
            self.instrument,
            self.venue.client_id(f"{TOKEN[:-2]}{self.placed:02}"),
            Side(side),
            OrderType(kind),
            quantity=Decimal(quantity),
            **numbers,
            **rest,
        )
        return self.venue.place(self.keys, request)

    def later(self, report):
        """What our id alone finds a minute later."""
        self.move(60)
        ref = OrderRef(report.client_id, conditional=report.type.conditional)
        return self.venue.fetch(self.keys, self.instrument, ref)

    def calls(self):
        return [each.path.rsplit("/", 1)[-1] for each in self.world.calls]


@pytest.fixture
def futures():
    return Exchange("Kraken_F", "kraken_futures")


@pytest.fixture
def cash():
    return Exchange("Kraken", "kraken")


# -- futures: orders that ended long ago -------------------------------------------------------------------


def test_a_market_order_of_a_minute_ago_is_found_in_the_history_with_its_price(futures):
    found = futures.later(futures.place("buy", "market"))
    assert (found.status, found.filled, found.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.5"),
        Decimal(50001),
    )
    assert futures.calls()[-3:] == ["status", "orders", "fills"]


def test_a_limit_order_that_filled_a_minute_ago_is_found_with_its_price(futures):
    placed = futures.place("buy", "limit", price="49000")
    futures.price("49000")
    found = futures.later(placed)
    assert (found.status, found.average_price, found.quantity) == (
        OrderStatus.FILLED,
        Decimal(49000),
        Decimal("0.5"),
    )


def test_a_limit_order_that_is_still_open_after_a_minute_is_not_looked_for_in_the_history(futures):
    assert futures.later(futures.place("buy", "limit", price="49000")).status is OrderStatus.OPEN
    assert "orders" not in futures.calls()


def test_an_order_whose_fills_are_all_that_was_asked_for_needs_no_history(futures):
    """Of which a key may ask a hundred questions in ten minutes."""
    placed = futures.place("buy", "market")
    futures.move(60)
    futures.world.calls.clear()
    ref = OrderRef(placed.client_id, quantity=Decimal("0.5"))
    found = futures.venue.fetch(futures.keys, futures.instrument, ref)
    assert (found.exchange_id, found.status, found.side) == (
        placed.exchange_id,
        OrderStatus.FILLED,
        Side.BUY,
    )
    assert (found.filled, found.average_price) == (Decimal("0.5"), Decimal(50001))
    assert futures.calls() == ["status", "fills"]


def test_what_filled_after_the_fills_of_a_round_were_read_needs_no_history(futures):
    with Round().asking():
        for _ in range(2):
            placed = futures.place("buy", "market")
            found = futures.venue.fetch(futures.keys, futures.instrument, OrderRef(placed.client_id))
            assert found.average_price == Decimal(50001)
    assert "executions" not in futures.calls()


def test_fills_of_a_part_do_not_tell_how_an_order_ended(futures):
    placed = futures.place("buy", "market")
    futures.move(60)
    ref = OrderRef(placed.client_id, quantity=Decimal("0.6"))
    found = futures.venue.fetch(futures.keys, futures.instrument, ref)
    assert (found.status, found.filled) == (OrderStatus.FILLED, Decimal("0.5"))
    assert "orders" in futures.calls()


def test_what_was_just_sent_would_be_told_without_the_history(futures):
    with pytest.raises(OrderNotFound):
        futures.venue.fetch(futures.keys, futures.instrument, OrderRef("never-sent", just_sent=True))
    assert futures.calls()[-1] == "status"
    placed = futures.place("buy", "market")
    ref = OrderRef(placed.client_id, just_sent=True)
    assert futures.venue.fetch(futures.keys, futures.instrument, ref).status is OrderStatus.FILLED


def test_what_filled_while_its_answer_was_waited_for_is_told_by_its_fills(futures):
    """An answer is waited for longer than orders/status remembers an order."""
    placed = futures.place("buy", "market")
    futures.move(10)
    ref = OrderRef(placed.client_id, quantity=Decimal("0.5"), just_sent=True)
    assert futures.venue.fetch(futures.keys, futures.instrument, ref).status is OrderStatus.FILLED


def test_an_order_cancelled_a_minute_ago_is_found_as_cancelled(futures):
    placed = futures.place("buy", "limit", price="49000")
    futures.venue.cancel(futures.keys, futures.instrument, placed.ref)
    found = futures.later(placed)
    assert (found.status, found.filled, found.quantity) == (OrderStatus.CANCELLED, Decimal(0), Decimal("0.5"))


def test_a_stop_cancelled_a_minute_ago_is_found_among_the_triggers(futures):
    placed = futures.place("sell", "stop", trigger_price="48000", reduce_only=True)
    futures.venue.cancel(futures.keys, futures.instrument, placed.ref)
    found = futures.later(placed)
    assert (found.status, found.type, found.trigger_price) == (
        OrderStatus.CANCELLED,
        OrderType.STOP,
        Decimal(48000),
    )


def test_a_stop_that_fired_a_minute_ago_is_found_as_the_order_it_became(futures):
    futures.place("buy", "market")
    stop = futures.place("sell", "stop", trigger_price="48000", reduce_only=True)
    futures.price("47990")
    found = futures.later(stop)
    assert (found.status, found.filled, found.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.5"),
        Decimal(47990),
    )


def test_a_target_that_fired_when_nothing_was_left_to_reduce_is_found_as_ended(futures):
    futures.place("buy", "market")
    futures.place("sell", "stop", trigger_price="48000", reduce_only=True)
    target = futures.place("sell", "take_profit", trigger_price="52000", reduce_only=True)
    futures.price("47990")
    futures.price("52010")
    found = futures.later(target)
    assert (found.status, found.filled) == (OrderStatus.CANCELLED, Decimal(0))


@pytest.mark.parametrize("conditional", [False, True])
def test_an_order_that_never_arrived_is_not_found_only_after_every_source_was_asked(futures, conditional):
    with pytest.raises(OrderNotFound):
        futures.venue.fetch(futures.keys, futures.instrument, OrderRef("never-sent", conditional=conditional))
    places = ["status", "orders", "triggers", "fills"] if conditional else ["status", "orders", "fills"]
    assert futures.calls()[-len(places) :] == places


def test_the_history_is_not_asked_over_and_over_for_an_order_that_never_arrived(futures):
    now = [0.0]
    futures.venue.sought = Spared(lambda: now[0], REMEMBERED_SECONDS)
    for now[0] in range(60):  # every second of a minute
        with pytest.raises((OrderNotFound, OutcomeUnknown)):
            futures.venue.fetch(futures.keys, futures.instrument, OrderRef("never-sent"))
    assert futures.calls().count("orders") == 4
    assert futures.calls().count("status") == 60


def test_an_order_that_arrives_late_is_found_although_the_history_is_not_asked_again_yet(futures):
    futures.venue.sought = Spared(lambda: 0.0)
    coming = futures.venue.client_id(f"{TOKEN[:-2]}01")
    for failure in (OrderNotFound, OutcomeUnknown):
        with pytest.raises(failure):
            futures.venue.fetch(futures.keys, futures.instrument, OrderRef(coming))
    placed = futures.place("buy", "market")
    assert placed.client_id == coming
    found = futures.venue.fetch(futures.keys, futures.instrument, OrderRef(coming))
    assert found.status is OrderStatus.FILLED


def in_a_round(exchange, placed, since_seconds=60):
    """What a round tells of each, "" of those that it does not find."""
    now = [0.0]
    exchange.venue.sought = Spared(lambda: now[0])
    exchange.world.calls.clear()
    lists = Round(datetime.fromtimestamp(exchange.now_ms / 1000 - since_seconds, UTC))
    told = []
    for client_id in placed:
        try:
            with lists.asking():
                ref = OrderRef(client_id)
                told.append(exchange.venue.fetch(exchange.keys, exchange.instrument, ref).status.value)
        except OrderNotFound:
            told.append("")
    return told


def test_two_lists_tell_of_all_orders_that_a_round_asks_for(cash):
    kept = cash.place("buy", "limit", "0.1", price="49000")
    gone = cash.place("buy", "limit", "0.1", price="48000")
    cash.venue.cancel(cash.keys, cash.instrument, gone.ref)
    done = cash.place("buy", "market", "0.1")
    sought = [kept.client_id, done.client_id, gone.client_id, "never-sent", "nor-this"]
    assert in_a_round(cash, sought) == ["open", "filled", "cancelled", "", ""]
    assert cash.calls() == ["OpenOrders", "ClosedOrders"]


def test_an_order_that_is_not_among_the_newest_fifty_is_asked_for_alone(cash):
    first = cash.place("buy", "market", "0.01")
    for _ in range(50):
        cash.place("buy", "market", "0.01")
    assert in_a_round(cash, [first.client_id, "never-sent"]) == ["filled", ""]
    assert cash.calls() == ["OpenOrders", "ClosedOrders"] * 3


def test_lists_that_do_not_tell_make_no_question_due(cash):
    for _ in range(51):
        cash.place("buy", "market", "0.01")
    with pytest.raises(OutcomeUnknown):
        in_a_round(cash, ["never-sent", "never-sent"])
    assert cash.calls() == ["OpenOrders", "ClosedOrders"] * 2


def test_what_was_closed_before_the_round_asks_is_not_counted_among_the_newest(cash):
    for _ in range(51):
        cash.place("buy", "market", "0.01")
    cash.move(120)
    late = cash.place("buy", "market", "0.01")
    assert in_a_round(cash, [late.client_id, "never-sent"]) == ["filled", ""]
    assert cash.calls() == ["OpenOrders", "ClosedOrders"]


def test_one_page_of_the_history_tells_of_all_orders_that_a_round_asks_for(futures):
    placed = [futures.place("buy", "market").client_id for _ in range(3)]
    futures.move(60)
    assert in_a_round(futures, [*placed, "never-sent"]) == ["filled", "filled", "filled", ""]
    assert futures.calls().count("orders") == 1


def test_looking_for_an_order_that_never_arrived_leaves_most_of_the_counter_to_others(cash):
    now = [0.0]
    cash.venue.sought = Spared(lambda: now[0])
    for now[0] in range(60):
        with pytest.raises((OrderNotFound, OutcomeUnknown)):
            cash.venue.fetch(cash.keys, cash.instrument, OrderRef("never-sent"))
    assert cash.calls().count("ClosedOrders") == cash.calls().count("OpenOrders") == 6


def test_a_price_older_than_the_last_hundred_fills_comes_from_the_history(futures):
    placed = futures.place("buy", "market")
    futures.price("51000")
    for _ in range(100):
        futures.move(1)
        futures.place("buy", "market", "0.001")
    found = futures.later(placed)
    assert found.average_price == Decimal(50001)
    assert futures.calls()[-1] == "executions"


def test_an_order_beyond_the_pages_looked_through_is_an_unknown_outcome(futures, monkeypatch):
    monkeypatch.setattr("exchanges.venues.kraken_futures.HISTORY_COUNT", 2)
    placed = futures.place("buy", "market")
    for _ in range(9):
        futures.place("buy", "market", "0.001")
    assert futures.later(placed).status is OrderStatus.FILLED
    futures.place("buy", "market", "0.001")
    with pytest.raises(OutcomeUnknown):
        futures.later(placed)


def test_an_immediate_order_that_found_nobody_is_a_definite_no(futures):
    with pytest.raises(InvalidOrder, match="iocWouldNotExecute"):
        futures.place("buy", "limit", price="49000", time_in_force=TimeInForce.IOC)
    assert futures.venue.open_orders(futures.keys) == []


# -- spot: nonces ------------------------------------------------------------------------------------------


def test_nonces_rise_with_every_call_even_while_the_clock_stands():
    venue = open_venue("kraken", lambda request: None)
    call = venue.place_call(order("kraken", {"side": "buy", "type": "market", "quantity": "1"}))
    bodies = [venue.sign(call, credentials("kraken"), NOW_MS).body.decode() for _ in range(3)]
    nonces = [int(dict(parse_qsl(body))["nonce"]) for body in bodies]
    assert nonces == [NOW_MS * 1000, NOW_MS * 1000 + 1, NOW_MS * 1000 + 2]


def test_two_workers_of_one_key_that_take_turns_are_not_refused(cash):
    other = cash.open()
    for venue in (cash.venue, other, cash.venue, other):
        venue.balances(cash.keys)
    assert cash.calls() == ["AssetPairs", *["BalanceEx"] * 4]


def test_a_worker_whose_clock_is_behind_measures_it_and_is_not_refused_again(cash):
    cash.venue.balances(cash.keys)
    behind = cash.open(behind_ms=90_000)
    assert "USD" in behind.balances(cash.keys)
    assert cash.calls()[-3:] == ["BalanceEx", "Time", "BalanceEx"]
    assert 89_000 < behind.clock.offset_ms <= 91_000


def test_clocks_that_agree_to_a_second_are_left_alone(cash):
    for behind_ms in (-400, 0, 300):
        venue = cash.open(behind_ms)
        venue.sync_clock()
        assert venue.clock.offset_ms == 0


def test_a_clock_that_was_corrected_meanwhile_is_trusted_again(cash):
    cash.venue.clock.offset_ms = -800
    cash.venue.sync_clock()
    assert cash.venue.clock.offset_ms == 0


def test_signed_calls_of_one_key_take_turns_and_public_ones_do_not(cash):
    turns = []

    class Turns(LocalGate):
        def turn(self, owner):
            turns.append(owner)
            return super().turn(owner)

    cash.venue.gate = Turns()
    cash.venue.quote(cash.instrument)
    assert turns == []
    cash.venue.balances(cash.keys)
    assert len(turns) == 1
    assert cash.keys.key not in turns[0]


def test_a_key_that_another_program_runs_ahead_is_refused_with_advice(cash):
    account = cash.world.accounts["kraken"][cash.keys.key]
    account.last_nonce = NOW_MS * 1_000_000
    with pytest.raises(ClockRefused, match="a key that no other program uses"):
        cash.venue.balances(cash.keys)
    assert cash.calls()[1:] == ["BalanceEx", "Time", "BalanceEx"], "signed again once, and no more"


# -- spot: limits, names, ids ------------------------------------------------------------------------------


def test_a_locked_out_address_is_quiet_for_a_quarter_of_an_hour():
    answers = [{"error": ["EGeneral:Temporary lockout"]}, {"error": [], "result": {"txid": ["O"]}}]
    now = [1000.0]
    venue = open_venue("kraken", lambda request: httpx.Response(200, json=answers.pop(0)))
    venue.gate = LocalGate(clock=lambda: now[0], patience_seconds=0.0)
    buy = order("kraken", {"side": "buy", "type": "market", "quantity": "1"})
    with pytest.raises(Throttled):
        venue.place(credentials("kraken"), buy)
    now[0] += 899
    with pytest.raises(NotSent):
        venue.place(credentials("kraken"), buy)
    now[0] += 2
    assert venue.place(credentials("kraken"), buy).exchange_id == "O"


def test_the_limits_we_keep_never_let_the_exchange_count_to_its_maximum(cash):
    for _ in range(60):
        cash.venue.balances(cash.keys)
    assert cash.calls().count("BalanceEx") == 60, "none was refused"


def test_client_ids_are_the_bits_of_the_token_as_a_uuid():
    kind = venue_class("Kraken")
    assert kind.client_id("00000000000000000000000000") == str(uuid.UUID(int=0))
    assert kind.client_id("7ZZZZZZZZZZZZZZZZZZZZZZZZZ") == str(uuid.UUID(int=2**128 - 1))
    assert kind.client_id(TOKEN) == kind.client_id(TOKEN.lower())


@pytest.mark.parametrize(
    ("told", "common"),
    [
        ("XXBT", "BTC"),
        ("XBT", "BTC"),
        ("ZUSD", "USD"),
        ("XXDG", "DOGE"),
        ("ZETA", "ZETA"),
        ("XTZ", "XTZ"),
        ("XETH", "ETH"),
    ],
)
def test_asset_names_lose_the_old_prefixes_and_only_those(told, common):
    assert asset_name(told) == common


@pytest.mark.parametrize("name", ["kraken", "kraken_f"])
def test_a_secret_that_is_not_base_64_is_refused_before_sending_and_not_shown(name):
    venue = open_venue(name, lambda request: pytest.fail("sent"))
    with pytest.raises(AuthRefused) as caught:
        venue.key_info(replace(credentials(name), secret="not!base64"))
    assert "not!base64" not in f"{caught.value!r} {caught.value.message}"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", ["kraken", "kraken_f"])
def test_a_signed_call_without_a_key_is_refused_before_sending(name):
    venue = open_venue(name, lambda request: pytest.fail("sent"))
    call = venue.place_call(order(name, {"side": "buy", "type": "market", "quantity": "1"}))
    with pytest.raises(AuthRefused):
        venue.sign(call, None, NOW_MS)
