"""The one path of a call: gate, sign, send, classify; with a small venue made for these tests."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from exchanges.clock import Clock
from exchanges.errors import (
    AuthRefused,
    ClockRefused,
    ExchangeError,
    InsufficientFunds,
    NothingToReduce,
    NotModified,
    NotSent,
    OrderNotFound,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unsupported,
    WouldTrigger,
)
from exchanges.limits import Bucket, LocalGate, Priority, Scope, pressed, pressing
from exchanges.registry import venues
from exchanges.transport import Answer, Request, Transport
from exchanges.types import (
    Balance,
    Credentials,
    Direction,
    Environment,
    Instrument,
    KeyInfo,
    Legs,
    MarginMode,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Position,
    PositionMode,
    Product,
    Quote,
    Report,
    Side,
)
from exchanges.venue import (
    Call,
    Features,
    Venue,
    acknowledged,
    by_client_id,
    exact_json,
    held_mode,
    json_body,
    key_digest,
    named_rows,
    plain_number,
    plain_word,
    refuse_crossed,
    unless_unchanged,
    unsent,
    urgency,
)
from tests.exchanges.contract import credentials, open_venue, order

KEYS = Credentials("planted-key", "planted-secret")
OTHER = Credentials("another-key", "another-secret")
THIRD = Credentials("a-third-key", "a-third-secret")
BTC = Instrument("BTCUSDT", "BTC", "USDT", "USDT", Product.SPOT, Decimal("0.1"), Decimal("0.001"))
SIGNED = Call("POST", "/order", costs={"weight": 1, "orders": 1}, priority=Priority.ENTRY)
PUBLIC = Call("GET", "/time", signed=False, costs={"weight": 1}, read_only=True)


class Tiny(Venue):
    """An exchange with a nonce, two buckets and five errors."""

    name = "Tiny"
    exchange = "tiny"
    product = Product.SPOT
    region = "eu"
    key_family = "tiny"
    base_urls = {Environment.LIVE: "https://tiny.test"}
    buckets = {"weight": Bucket(100, 60), "orders": Bucket(10, 10, Scope.KEY)}
    errors = {
        "poor": InsufficientFunds,
        "late": ClockRefused,
        "fast": Throttled,
        "busy": Throttled,
        "gone": OrderNotFound,
        "same": NotModified,
        "lost": OutcomeUnknown,
    }
    cool_downs = {"busy": 1.0}

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        nonce = self.nonce(now_ms) if call.signed else 0
        return Request(call.method, call.path, query=f"nonce={nonce}&time={now_ms}")

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        data = answer.data
        if isinstance(data, dict) and "error" in data:
            return str(data["error"]), str(data.get("text", ""))
        return None

    def usage(self, answer: Answer) -> Mapping[str, int]:
        return {"weight": int(answer.headers["x-used"])} if "x-used" in answer.headers else {}

    def place_call(self, order: OrderRequest) -> Call:
        return SIGNED

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        return report(str(data["id"]))

    def server_time_ms(self) -> int:
        return int(self.call(PUBLIC)["time"])

    def instruments(self) -> list[Instrument]:
        return [BTC]

    def quote(self, instrument: Instrument) -> Quote:
        return Quote(Decimal(1), Decimal(2), Decimal(1))

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        self.call(Call("DELETE", f"/order/{ref.exchange_id}"), keys)

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        return report(str(self.call(Call("GET", "/order"), keys)["id"]))

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        return [report(str(each)) for each in self.call(Call("GET", "/orders"), keys)["ids"]]

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        return {}

    def key_info(self, keys: Credentials) -> KeyInfo:
        return KeyInfo()


class Serial(Tiny):
    """The same with a nonce that must rise."""

    name = "Serial"
    serial = True


def report(exchange_id: str) -> Report:
    return Report(exchange_id, "", "BTCUSDT", Side.BUY, OrderType.MARKET, OrderStatus.FILLED, Decimal(1))


class Exchange:
    """Answers in order, the last one for ever; keeps what arrived."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, body, *headers = answer
        return httpx.Response(
            status, content=json.dumps(body).encode(), headers=headers[0] if headers else {}
        )

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]


class Time:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def tiny(
    exchange: Callable[[httpx.Request], httpx.Response],
    *,
    time: Time | None = None,
    kind: type[Tiny] = Tiny,
    **more: Any,
) -> Tiny:
    time = time or Time()
    return kind(
        Transport("https://tiny.test", wire=httpx.MockTransport(exchange)),
        clock=Clock(time),
        gate=more.pop("gate", None) or LocalGate(patience_seconds=0.0, clock=time, sleep=time.sleep),
        **more,
    )


# -- classification ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": "poor"}, InsufficientFunds),
        (200, {"error": "poor"}, InsufficientFunds),
        (500, {"error": "poor"}, InsufficientFunds),
        (400, {"error": "never seen"}, Refused),
        (200, {"error": "never seen"}, Refused),
        (500, {"error": "never seen"}, OutcomeUnknown),
        (400, {}, OutcomeUnknown),
        (404, {"message": "x"}, OutcomeUnknown),
        (500, {}, OutcomeUnknown),
        (503, None, OutcomeUnknown),
        (200, None, OutcomeUnknown),
        (400, {"error": "lost"}, OutcomeUnknown),
        (200, {"error": 504}, OutcomeUnknown),
        (200, {"error": 5040}, Refused),
        (401, {}, AuthRefused),
        (429, {}, Throttled),
        (418, {}, Throttled),
        (403, {}, Throttled),
        (429, {"error": "poor"}, InsufficientFunds),
    ],
)
def test_an_answer_is_classified(status: int, body: Any, expected: type[ExchangeError]) -> None:
    exchange = Exchange((status, body))
    with pytest.raises(ExchangeError) as caught:
        tiny(exchange).call(SIGNED, KEYS)
    assert type(caught.value) is expected
    assert len(exchange.requests) == 1


def test_an_error_carries_the_words_of_the_exchange_shortened() -> None:
    with pytest.raises(InsufficientFunds) as caught:
        tiny(Exchange((400, {"error": "poor", "text": "not enough " * 100}))).call(SIGNED, KEYS)
    assert caught.value.code == "poor"
    assert len(caught.value.exchange_message) == 300
    assert caught.value.message.startswith("Tiny answered: not enough")
    assert len(caught.value.message) < 250


@pytest.mark.parametrize("body", [{}, {"id_": 1}, [], 5, "text"])
def test_a_placing_answer_that_cannot_be_read_is_unknown_whatever_the_reader_stumbles_over(body: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        tiny(Exchange((200, body))).place(
            KEYS, OrderRequest(BTC, "f1", Side.BUY, OrderType.MARKET, Decimal(1))
        )


class Stumbling(Tiny):
    """Takes every answer for an object."""

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        return ("poor", "") if answer.data.get("error") else None

    def usage(self, answer: Answer) -> Mapping[str, int]:
        return {"weight": int(answer.headers.get("x-used", "1"))}


@pytest.mark.parametrize("answer", [(200, []), (500, "text"), (200, {"id": 1}, {"x-used": "many"})])
def test_an_answer_that_a_venue_stumbles_over_is_an_unknown_outcome(answer: Any) -> None:
    for ask in (lambda venue: venue.call(SIGNED, KEYS), lambda venue: venue.server_time_ms()):
        with pytest.raises(OutcomeUnknown):
            ask(tiny(Exchange(answer), kind=Stumbling))


@pytest.mark.parametrize(("told", "named"), [("", "f1"), ("0", "f1"), ("7", "f2")])
def test_an_answer_that_names_no_order_or_another_is_an_unknown_outcome(told: str, named: str) -> None:
    """Nobody could cancel it, where the exchange keeps no id of ours for it either; nor is it known what became of it."""

    class Acknowledging(Tiny):
        def read_placed(self, data: Any, order: OrderRequest) -> Report:
            return acknowledged(order, data["id"], client_id=data["name"])

    with pytest.raises(OutcomeUnknown):
        tiny(Exchange((200, {"id": told, "name": named})), kind=Acknowledging).place(
            KEYS, OrderRequest(BTC, "f1", Side.BUY, OrderType.MARKET, Decimal(1))
        )


@pytest.mark.parametrize(
    ("answer", "hint"),
    [((200, {"error": "gone"}), " (look again)"), ((418, None), " (wait)"), ((200, {"error": "poor"}), "")],
    ids=["of a code", "of a status", "none"],
)
def test_a_hint_stands_behind_the_words_of_the_exchange(answer: Any, hint: str) -> None:
    venue = tiny(Exchange(answer))
    venue.hints = {"gone": "look again", "418": "wait"}  # type: ignore[misc]
    with pytest.raises(ExchangeError) as caught:
        venue.call(SIGNED, KEYS)
    assert caught.value.message.partition("HTTP ")[2][3:] == hint


def test_a_bare_status_is_its_own_code() -> None:
    with pytest.raises(Throttled) as caught:
        tiny(Exchange((429, {}, {"retry-after": "7"}))).call(SIGNED, KEYS)
    assert (caught.value.code, caught.value.retry_after) == ("429", 7.0)


@pytest.mark.parametrize("header", ["soon", "Wed, 21 Oct 2026 07:28:00 GMT", "nan", "inf", ""])
def test_a_retry_after_that_is_no_number_counts_as_absent(header: str) -> None:
    with pytest.raises(Throttled) as caught:
        tiny(Exchange((429, {}, {"retry-after": header}))).call(SIGNED, KEYS)
    assert caught.value.retry_after is None


# -- a refused timestamp -----------------------------------------------------------------------------------


def test_a_refused_timestamp_is_signed_once_more_by_the_measured_clock() -> None:
    time = Time()
    exchange = Exchange((400, {"error": "late"}), (200, {"time": 1_700_000_005_000}), (200, {"id": 1}))
    venue = tiny(exchange, time=time)
    assert venue.call(SIGNED, KEYS) == {"id": 1}
    assert exchange.paths == ["/order", "/time", "/order"]
    assert exchange.requests[0].url.params["time"] == "1700000000000"
    assert exchange.requests[2].url.params["time"] == "1700000005000"


def test_a_timestamp_refused_twice_is_told() -> None:
    exchange = Exchange((400, {"error": "late"}), (200, {"time": 1}), (400, {"error": "late"}))
    with pytest.raises(ClockRefused):
        tiny(exchange).call(SIGNED, KEYS)
    assert exchange.paths == ["/order", "/time", "/order"]


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("x"), httpx.ConnectError("x"), (502, {}), (200, None)])
def test_a_clock_that_cannot_be_read_leaves_the_refusal(answer: Any) -> None:
    """The refusal is certain; an unknown outcome would send supervision looking for an order that never was."""
    exchange = Exchange((400, {"error": "late"}), answer)
    with pytest.raises(ClockRefused):
        tiny(exchange).call(SIGNED, KEYS)
    assert exchange.paths == ["/order", "/time"]


def test_an_unsigned_call_is_not_repeated_for_the_clock() -> None:
    exchange = Exchange((400, {"error": "late"}))
    with pytest.raises(ClockRefused):
        tiny(exchange).call(PUBLIC)
    assert exchange.paths == ["/time"]


def test_an_order_whose_second_sending_is_lost_is_unknown() -> None:
    exchange = Exchange((400, {"error": "late"}), (200, {"time": 1}), httpx.ReadTimeout("x"))
    with pytest.raises(OutcomeUnknown):
        tiny(exchange).call(SIGNED, KEYS)


def test_the_offset_is_measured_against_the_middle_of_the_round_trip() -> None:
    time = Time()

    def ask() -> int:
        time.now += 0.2
        return 1_700_000_003_100

    clock = Clock(time)
    assert clock.measure(ask) == 3000
    assert clock.now_ms() == 1_700_000_003_200


# -- the gate ----------------------------------------------------------------------------------------------


def test_a_rate_refusal_blocks_the_buckets_of_the_call_for_the_time_told() -> None:
    time, exchange = Time(), Exchange((429, {}, {"retry-after": "7"}), (200, {"id": 1}))
    venue = tiny(exchange, time=time)
    with pytest.raises(Throttled):
        venue.call(SIGNED, KEYS)
    with pytest.raises(NotSent) as caught:
        venue.call(SIGNED, KEYS)
    assert caught.value.retry_after == pytest.approx(7.0)
    time.now += 7.0
    venue.call(SIGNED, KEYS)
    assert len(exchange.requests) == 2


RATE: Any = (429, {})


def refused(venue: Tiny, *callers: Credentials | None) -> list[type[ExchangeError]]:
    """What becomes of a call of each."""
    found = []
    for keys in callers:
        try:
            venue.call(SIGNED if keys else PUBLIC, keys)
        except ExchangeError as error:
            found.append(type(error))
    return found


def test_a_refusal_that_does_not_say_whom_it_means_stops_the_key_alone() -> None:
    exchange = Exchange(RATE, (200, {"id": 1}))
    venue = tiny(exchange)
    assert refused(venue, KEYS) == [Throttled]
    assert refused(venue, KEYS, OTHER, None) == [NotSent]
    assert len(exchange.requests) == 3


def test_when_a_second_key_is_refused_it_is_their_address() -> None:
    time, exchange = Time(), Exchange(RATE, RATE, (200, {"id": 1}))
    venue = tiny(exchange, time=time)
    assert refused(venue, KEYS, OTHER) == [Throttled, Throttled]
    assert refused(venue, THIRD, None) == [NotSent, NotSent]
    time.now += 2.5  # nobody told for how long: it may have been chance
    assert refused(venue, THIRD, None) == []
    assert refused(venue, KEYS, OTHER) == [NotSent, NotSent]


def test_a_bucket_of_a_minute_rests_half_a_minute_where_nobody_tells_for_how_long() -> None:
    time = Time()
    venue = tiny(Exchange(RATE, (200, {"id": 1})), time=time)
    assert refused(venue, None) == [Throttled]
    time.now += 29
    assert refused(venue, None) == [NotSent]
    time.now += 2
    assert refused(venue, None) == []


def test_an_address_that_is_refused_rests_for_the_time_told() -> None:
    time, wait = Time(), {"retry-after": "30"}
    venue = tiny(Exchange((429, {}, wait), (429, {}, wait), (200, {"id": 1})), time=time)
    refused(venue, KEYS, OTHER)
    time.now += 29
    assert refused(venue, THIRD) == [NotSent]


@pytest.mark.parametrize(
    ("answer", "free_after"), [(RATE, 5.0), ((429, {}, {"retry-after": "20"}), 20.0), ((403, {}), 30.0)]
)
def test_where_nobody_tells_for_how_long_protection_tries_again_soon(answer: Any, free_after: float) -> None:
    """A price that is refused by chance, over and over, would keep positions without their stops."""
    time = Time()
    venue = tiny(Exchange(answer, (200, {"id": 1})), time=time)
    assert refused(venue, None) == [Throttled]
    time.now += free_after - 1
    with pressing(Priority.PROTECT):
        assert refused(venue, KEYS) == [NotSent]
        time.now += 2
        assert refused(venue, KEYS) == []
    assert refused(venue, KEYS) == ([NotSent] if answer is RATE else [])


@pytest.mark.parametrize("told", ["86400", "60000"])
def test_a_time_longer_than_any_ban_of_the_exchange_is_not_believed(told: str) -> None:
    time = Time()
    venue = tiny(Exchange((429, {}, {"retry-after": told}), (200, {"id": 1})), time=time)
    assert refused(venue, None) == [Throttled]
    time.now += 59
    assert refused(venue, None) == [NotSent]
    time.now += 2
    assert refused(venue, None) == []


@pytest.mark.parametrize(
    ("name", "headers", "bucket", "used"),
    [
        ("binance_f", {"x-mbx-used-weight-1m": "999999"}, "futures_weight", 2400),
        ("bitmex", {"x-ratelimit-limit": "300", "x-ratelimit-remaining": "100"}, "requests", 20),
        ("bitmex", {"x-ratelimit-limit": "120", "x-ratelimit-remaining": "-5000"}, "requests", 120),
        ("kucoin_f", {"gw-ratelimit-limit": "10000", "gw-ratelimit-remaining": "1500"}, "futures", 500),
        (
            "phemex_f",
            {"x-ratelimit-capacity-contract": "5000", "x-ratelimit-remaining-contract": "450"},
            "contract",
            50,
        ),
    ],
)
def test_what_an_answer_counts_is_never_more_than_all_of_our_share(
    name: str, headers: dict[str, str], bucket: str, used: int
) -> None:
    """A counter that runs off by two a second would stand still for an hour after an absurd one."""
    venue = open_venue(name, lambda request: httpx.Response(200, json={}))
    assert venue._used(Answer(200, headers, {}))[bucket] == used


def test_two_keys_refused_at_different_times_have_nothing_in_common() -> None:
    time = Time()
    venue = tiny(Exchange(RATE, RATE, (200, {"id": 1})), time=time)
    refused(venue, KEYS)
    time.now += 6
    refused(venue, OTHER)
    assert refused(venue, THIRD, None) == []


def test_one_key_refused_over_and_over_stops_nobody_else() -> None:
    time = Time()
    venue = tiny(Exchange(RATE), time=time)
    for _ in range(3):
        assert refused(venue, KEYS) == [Throttled]
        time.now += 11
    assert refused(tiny(Exchange((200, {"id": 1})), time=time, gate=venue.gate), OTHER, None) == []


@pytest.mark.parametrize(
    ("answer", "caller"), [((403, {}), KEYS), ((418, {}, {"retry-after": "9"}), KEYS), (RATE, None)]
)
def test_a_ban_and_a_refusal_without_a_key_stop_the_address(answer: Any, caller: Credentials | None) -> None:
    venue = tiny(Exchange(answer, (200, {"id": 1})))
    assert refused(venue, caller) == [Throttled]
    assert refused(venue, OTHER, None) == [NotSent, NotSent]


@pytest.mark.parametrize(("code", "free_after"), [("fast", 10.0), ("busy", 1.0)])
def test_without_a_time_told_the_window_or_the_cool_down_of_the_code_counts(
    code: str, free_after: float
) -> None:
    time, exchange = Time(), Exchange((200, {"error": code}), (200, {"id": 1}))
    venue = tiny(exchange, time=time)
    with pytest.raises(Throttled):
        venue.call(SIGNED, KEYS)
    time.now += free_after - 0.5
    with pytest.raises(NotSent):
        venue.call(SIGNED, KEYS)
    time.now += 0.5
    venue.call(SIGNED, KEYS)


def test_only_documented_shut_outs_rest_longer_than_half_a_minute() -> None:
    longer = {kind.exchange for kind in venues().values() if max(kind.cool_downs.values(), default=0) > 30}
    assert longer == {"bybit", "blofin", "kraken"}


def test_a_retry_after_of_zero_blocks_nothing() -> None:
    venue = tiny(Exchange((429, {}, {"retry-after": "0"}), (200, {"id": 1})))
    with pytest.raises(Throttled):
        venue.call(SIGNED, KEYS)
    assert venue.call(SIGNED, KEYS) == {"id": 1}


def test_a_bucket_of_keys_is_counted_per_key_and_one_of_addresses_is_shared() -> None:
    exchange = Exchange((200, {"id": 1}))
    venue = tiny(exchange)
    assert [calls_until_refused(venue, keys) for keys in (KEYS, OTHER)] == [9, 9]  # a tenth is for protection


def calls_until_refused(venue: Venue, keys: Credentials) -> int:
    for count in range(100):
        try:
            venue.call(SIGNED, keys)
        except NotSent:
            return count
    raise AssertionError("nothing was refused")


def test_what_the_exchange_counts_is_taken_over() -> None:
    exchange = Exchange((200, {"time": 1}, {"x-used": "95"}))
    venue = tiny(exchange)
    venue.call(PUBLIC)
    with pytest.raises(NotSent):
        venue.call(PUBLIC)
    assert len(exchange.requests) == 1


def test_a_call_the_gate_refuses_is_not_signed() -> None:
    venue = tiny(Exchange((200, {"id": 1})))
    assert calls_until_refused(venue, KEYS) == 9
    assert venue.nonce(0) == 1_700_000_000_000 + 9


def test_charges_name_no_key() -> None:
    venue = tiny(Exchange((200, {})))
    charges = venue._charges(SIGNED, key_digest(KEYS))
    assert {charge.owner for charge in charges} == {"default", key_digest(KEYS)}
    assert "planted" not in repr(charges)


class Particular(Tiny):
    throttles = {"429": Scope.ADDRESS, "slow_key": Scope.KEY}
    errors = {**Tiny.errors, "slow_key": Throttled}


def test_a_refusal_for_the_address_stops_every_key_of_it() -> None:
    venue = tiny(Exchange((429, {}, {"retry-after": "5"}), (200, {"id": 1})), kind=Particular)
    with pytest.raises(Throttled):
        venue.call(SIGNED, KEYS)
    with pytest.raises(NotSent):
        venue.call(SIGNED, OTHER)


def test_a_refusal_for_the_key_stops_no_other_key() -> None:
    venue = tiny(Exchange((400, {"error": "slow_key"}), (200, {"id": 1})), kind=Particular)
    with pytest.raises(Throttled):
        venue.call(SIGNED, KEYS)
    with pytest.raises(NotSent):
        venue.call(SIGNED, KEYS)
    assert venue.call(SIGNED, OTHER) == {"id": 1}


def test_an_entry_waits_no_longer_than_it_is_told_and_protection_as_long_as_the_gate_finds_right() -> None:
    time = Time()
    gate = LocalGate(patience_seconds=60.0, clock=time, sleep=time.sleep)
    venue = open_venue("binance_f", lambda request: httpx.Response(200, json={}))
    venue.gate = gate
    entry, stop = (
        order("binance_f", {"side": "buy", "type": "market", "quantity": "1", **more})
        for more in ({}, {"reduce_only": True})
    )
    gate.block(venue._charges(venue.place_call(entry), "")[0], 5.0)
    with pytest.raises(NotSent) as caught:
        venue.place(credentials("binance_f"), entry, patience_seconds=3.0)
    assert caught.value.retry_after == pytest.approx(5.0)
    with pytest.raises(OutcomeUnknown, match="executedQty"):
        venue.place(credentials("binance_f"), stop, patience_seconds=3.0)


# -- addresses to send from --------------------------------------------------------------------------------


def test_a_request_leaves_from_the_address_with_the_most_room() -> None:
    here, there = Exchange((200, {"time": 1})), Exchange((200, {"time": 1}))
    second = Transport("https://tiny.test", wire=httpx.MockTransport(there))
    venue = tiny(here, address="10.0.0.1", other_addresses={"10.0.0.2": {"": second}})
    for _ in range(6):
        venue.call(PUBLIC)
    assert (len(here.requests), len(there.requests)) == (3, 3)


def test_an_address_that_is_shut_out_is_gone_around() -> None:
    here, there = Exchange((429, {}, {"retry-after": "60"})), Exchange((200, {"time": 1}))
    second = Transport("https://tiny.test", wire=httpx.MockTransport(there))
    venue = tiny(here, kind=Particular, address="10.0.0.1", other_addresses={"10.0.0.2": {"": second}})
    with pytest.raises(Throttled):
        venue.call(PUBLIC)
    for _ in range(3):
        venue.call(PUBLIC)
    assert (len(here.requests), len(there.requests)) == (1, 3)


# -- nonces ------------------------------------------------------------------------------------------------


def test_a_nonce_rises_even_when_the_clock_stands_or_goes_back() -> None:
    venue = tiny(Exchange((200, {})))
    assert [venue.nonce(now) for now in (100, 100, 50, 200, 150)] == [100, 101, 102, 200, 201]


def test_nonces_of_threads_are_all_different() -> None:
    venue, found, lock = tiny(Exchange((200, {}))), [], threading.Lock()

    def draw() -> None:
        mine = [venue.nonce(5) for _ in range(500)]
        with lock:
            found.extend(mine)

    run_together(draw, 8)
    assert sorted(found) == list(range(5, 5 + 4000))


def test_requests_of_one_key_arrive_in_the_order_of_their_nonces() -> None:
    """The turn is held from signing to the answer: the wire sees no second request of the key meanwhile."""
    inside, overlaps, nonces = [0], [0], []
    lock = threading.Lock()

    def serve(request: httpx.Request) -> httpx.Response:
        with lock:
            inside[0] += 1
            overlaps[0] = max(overlaps[0], inside[0])
        nonces.append(int(request.url.params["nonce"]))
        with lock:
            inside[0] -= 1
        return httpx.Response(200, content=b'{"id": 1}')

    venue = tiny(serve, kind=Serial)
    free = Call("POST", "/order")
    run_together(lambda: [venue.call(free, KEYS) for _ in range(50)], 6)
    assert nonces == sorted(nonces)
    assert (len(nonces), overlaps[0]) == (300, 1)


def test_another_key_does_not_wait_for_its_turn() -> None:
    first_inside, release = threading.Event(), threading.Event()

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/slow":
            first_inside.set()
            assert release.wait(5)
        return httpx.Response(200, content=b'{"id": 1}')

    venue = tiny(serve, kind=Serial)
    slow = threading.Thread(target=lambda: venue.call(Call("POST", "/slow"), KEYS))
    slow.start()
    assert first_inside.wait(5)
    assert venue.call(Call("POST", "/quick"), OTHER) == {"id": 1}
    release.set()
    slow.join(5)


def run_together(action: Callable[[], Any], count: int) -> None:
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            action()
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=guarded) for _ in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert failures == []


# -- hosts, defaults, small words --------------------------------------------------------------------------


def test_a_call_to_another_host_goes_there() -> None:
    here, there = Exchange((200, {"at": "here"})), Exchange((200, {"at": "there"}))
    other = Transport("https://other.test", wire=httpx.MockTransport(there))
    venue = tiny(here, other_transports={"other": other})
    assert venue.call(Call("GET", "/key", host="other"), KEYS) == {"at": "there"}
    assert here.requests == []


def test_a_host_the_environment_lacks_is_unsupported_before_sending() -> None:
    exchange = Exchange((200, {}))
    with pytest.raises(Unsupported, match="other"):
        tiny(exchange).call(Call("GET", "/key", host="other"), KEYS)
    assert exchange.requests == []


def test_cancel_all_passes_over_what_is_gone_meanwhile() -> None:
    exchange = Exchange((200, {"ids": [1, 2]}), (400, {"error": "gone"}), (200, {}))
    tiny(exchange).cancel_all(KEYS, BTC)
    assert exchange.paths == ["/orders", "/order/1", "/order/2"]


def test_cancel_all_stops_at_any_other_error() -> None:
    exchange = Exchange((200, {"ids": [1, 2]}), (400, {"error": "lost"}), (200, {}))
    with pytest.raises(OutcomeUnknown):
        tiny(exchange).cancel_all(KEYS, BTC)


def test_a_setting_that_is_already_so_is_success() -> None:
    venue = tiny(Exchange((400, {"error": "same"})))
    unless_unchanged(lambda: venue.call(SIGNED, KEYS))


def test_what_a_venue_lacks_is_unsupported_by_default() -> None:
    venue = tiny(Exchange((200, {})))
    order = OrderRequest(BTC, "f1", Side.SELL, OrderType.STOP, Decimal(1))
    with pytest.raises(Unsupported):
        venue.set_leverage(KEYS, BTC, Decimal(5), None)
    with pytest.raises(Unsupported):
        venue.protect(KEYS, Legs(order, order))
    assert venue.positions(KEYS) == []
    assert venue.position_mode(KEYS, BTC) is PositionMode.ONE_WAY


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.00000001", "0.00000001"),
        ("123456.7890", "123456.789"),
        ("1E+4", "10000"),
        ("1E-8", "0.00000001"),
        ("100", "100"),
        ("10.0", "10"),
        ("0.000", "0"),
        ("-0.50", "-0.5"),
    ],
)
def test_numbers_are_written_without_exponent_and_trailing_zeros(value: str, text: str) -> None:
    assert plain_number(Decimal(value)) == text


def test_a_body_has_numbers_as_text_and_may_be_a_list() -> None:
    assert json_body({"size": Decimal("1.50"), "on": True}) == '{"size":"1.5","on":true}'
    assert json_body({"": [{"size": "1"}]}) == '[{"size":"1"}]'


def test_a_query_has_truth_in_lower_case_and_numbers_without_an_exponent() -> None:
    assert [plain_word(each) for each in (True, False, Decimal("1E+3"), "GTC")] == [
        "true",
        "false",
        "1000",
        "GTC",
    ]


def test_exact_numbers_are_numbers_wherever_they_stand() -> None:
    legs = [{"price": Decimal("0.000000010"), "on": True, "note": None}]
    assert exact_json({"legs": legs}) == '{"legs":[{"price":0.00000001,"on":true,"note":null}]}'


def test_what_is_not_known_before_an_order_leaves_it_unsent() -> None:
    with (
        pytest.raises(NotSent, match="not sent, because the price is not known: HTML"),
        unsent("the price is not known"),
    ):
        raise OutcomeUnknown("HTML")


def test_a_trigger_that_is_crossed_already_is_refused() -> None:
    stop = order("okx", {"side": "sell", "type": "stop", "quantity": "1", "trigger_price": "10"})
    refuse_crossed(stop, Decimal(11))
    with pytest.raises(WouldTrigger, match="the price 10 has already crossed the trigger 10"):
        refuse_crossed(stop, Decimal(10))


def test_a_refusal_before_an_order_stays_one() -> None:
    with pytest.raises(AuthRefused), unsent("the price is not known"):
        raise AuthRefused("no such key")


def test_credentials_are_in_no_repr() -> None:
    assert "planted" not in f"{KEYS!r}{KEYS}"


# -- the witness -------------------------------------------------------------------------------------------


class Told:
    """What the witness was told: whether the call read, and the error's kind."""

    def __init__(self) -> None:
        self.calls: list[tuple[bool, str]] = []

    def saw(
        self,
        venue: str,
        environment: Any,
        seconds: float,
        error: ExchangeError | None,
        *,
        reading: bool = False,
    ) -> None:
        assert (venue, environment, seconds >= 0) == ("Tiny", "live", True)
        self.calls.append((reading, error.kind if error else ""))


def test_the_witness_is_told_of_every_call_that_was_sent() -> None:
    told = Told()
    exchange = Exchange(
        (200, {"id": 1}), (400, {"error": "funds"}), httpx.ReadTimeout("x"), httpx.ConnectError("x")
    )
    venue = tiny(exchange, witness=told)
    for call in (PUBLIC, SIGNED, SIGNED, PUBLIC):
        with contextlib.suppress(ExchangeError):
            venue.call(call, KEYS)
    kinds = [kind for _, kind in told.calls]
    assert (kinds[0], kinds[2:]) == ("", ["OUTCOME_UNKNOWN", "NOT_SENT"])
    assert [reading for reading, _ in told.calls] == [True, False, False, True]


def test_the_witness_is_not_told_of_what_our_own_limits_held_back() -> None:
    told = Told()
    venue = tiny(Exchange((429, {}, {"retry-after": "7"})), witness=told)
    for _ in range(2):
        with pytest.raises((Throttled, NotSent)):
            venue.call(SIGNED, KEYS)
    assert [kind for _, kind in told.calls] == ["THROTTLED"]


# -- what an order waits for -------------------------------------------------------------------------------


def test_a_question_that_an_order_waits_for_passes_where_others_have_to_wait() -> None:
    """Of a hundred points, questions may use eighty and entries ninety."""
    venue = tiny(lambda request: httpx.Response(200, json={"time": 1}))
    for _ in range(80):
        venue.call(PUBLIC)
    with pytest.raises(NotSent):
        venue.call(PUBLIC)
    with pressing(Priority.ENTRY):
        venue.call(PUBLIC)
        with pressing(Priority.QUERY):
            venue.call(PUBLIC)  # nothing inside makes it less urgent
    with pytest.raises(NotSent):
        venue.call(PUBLIC)


def test_what_is_more_urgent_by_itself_stays_so() -> None:
    with pressing(Priority.ENTRY):
        assert pressed(Priority.PROTECT) is Priority.PROTECT
        assert pressed(Priority.QUERY) is Priority.ENTRY
    assert pressed(Priority.QUERY) is Priority.QUERY


# -- what goes first ---------------------------------------------------------------------------------------

STOP = {"type": "stop", "quantity": "0.01", "trigger_price": "49000"}
MARKET = {"type": "market", "quantity": "0.01"}


@pytest.mark.parametrize(
    ("name", "words", "first"),
    [
        ("binance_f", STOP | {"side": "sell", "reduce_only": True}, True),
        ("binance_f", STOP | {"side": "sell", "position_side": "long"}, True),
        ("binance_f", STOP | {"side": "sell", "position_side": "short"}, False),
        ("binance_f", STOP | {"side": "buy"}, False),
        ("binance_f", MARKET | {"side": "buy", "reduce_only": True}, True),
        ("binance_f", MARKET | {"side": "buy"}, False),
        ("binance", STOP | {"side": "sell"}, True),
        ("binance", STOP | {"side": "buy"}, False),
        ("binance", MARKET | {"side": "sell"}, False),
    ],
)
def test_only_what_closes_goes_first(name: str, words: dict[str, Any], first: bool) -> None:
    """What opens has to be fresh: it must not wait longer than that for its share, at a trigger neither."""
    assert urgency(order(name, words)) is (Priority.PROTECT if first else Priority.ENTRY)


# -- several orders ----------------------------------------------------------------------------------------


class Batching(Tiny):
    """The same with batches of two; an order for 13 is not to be asked for."""

    name = "Batching"
    features = Features(batch=2)

    def place_call(self, order: OrderRequest) -> Call:
        if order.quantity == 13:
            raise Unsupported("not 13")
        return SIGNED

    def batch_call(self, calls: Sequence[Call]) -> Call:
        return Call("POST", f"/batch/{len(calls)}", costs={"orders": len(calls)})

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        return list(data["orders"])


def selling(quantity: int, kind: OrderType = OrderType.LIMIT, instrument: Instrument = BTC) -> OrderRequest:
    return OrderRequest(instrument, f"f{quantity}", Side.SELL, kind, Decimal(quantity))


def told(outcomes: Sequence[Report | ExchangeError]) -> list[Any]:
    return [each.exchange_id if isinstance(each, Report) else type(each) for each in outcomes]


def test_orders_go_out_one_after_the_other_where_there_are_no_batches() -> None:
    exchange = Exchange((200, {"id": 1}), (200, {"error": "poor"}), (200, {"id": 3}))
    outcomes = tiny(exchange).place_many(KEYS, [selling(1), selling(2), selling(3)])
    assert told(outcomes) == ["1", InsufficientFunds, "3"]
    assert exchange.paths == ["/order"] * 3


def test_only_neighbours_of_one_instrument_without_triggers_share_a_request() -> None:
    exchange = Exchange((200, {"error": "poor"}))
    other = replace(BTC, symbol="ETHUSDT")
    orders = [
        *(selling(1, OrderType.STOP), selling(2), selling(3), selling(4)),
        *(selling(5, instrument=other), selling(6, OrderType.STOP), selling(7, OrderType.STOP)),
    ]
    outcomes = tiny(exchange, kind=Batching).place_many(KEYS, orders)
    assert told(outcomes) == [InsufficientFunds] * 7
    assert exchange.paths == ["/order", "/batch/2", *["/order"] * 4]


def test_whether_an_order_may_share_a_request_is_asked_of_all_that_are_in_it() -> None:
    class Distinct(Batching):
        features = Features(batch=5)

        def _share(self, *orders: OrderRequest) -> bool:
            return len({order.quantity for order in orders}) == len(orders)

    exchange = Exchange((200, {"error": "poor"}))
    tiny(exchange, kind=Distinct).place_many(KEYS, [selling(each) for each in (1, 2, 1, 3)])
    assert exchange.paths == ["/batch/2", "/batch/2"]


def test_an_order_of_a_batch_that_cannot_be_asked_for_is_left_out() -> None:
    exchange = Exchange((200, {"id": 1}))
    outcomes = tiny(exchange, kind=Batching).place_many(KEYS, [selling(13), selling(1)])
    assert told(outcomes) == [Unsupported, "1"]
    assert exchange.paths == ["/order"]


@pytest.mark.parametrize("answers", [[], [{"id": 1}], [{"id": 1}, {"id": 2}, {"id": 3}]])
def test_a_batch_answered_for_another_number_of_orders_is_unknown(answers: list[Any]) -> None:
    exchange = Exchange((200, {"orders": answers}))
    outcomes = tiny(exchange, kind=Batching).place_many(KEYS, [selling(1), selling(2)])
    assert told(outcomes) == [OutcomeUnknown, OutcomeUnknown]
    assert exchange.paths == ["/batch/2"]


def test_an_unreadable_answer_touches_its_own_order_only() -> None:
    exchange = Exchange((200, {"orders": [{"nothing": 1}, {"id": 2}]}))
    outcomes = tiny(exchange, kind=Batching).place_many(KEYS, [selling(1), selling(2)])
    assert told(outcomes) == [OutcomeUnknown, "2"]


def test_an_order_refused_for_rate_within_a_batch_stops_the_bucket() -> None:
    exchange = Exchange((200, {"orders": [{"id": 1}, {"error": "busy"}]}))
    venue = tiny(exchange, kind=Batching)
    assert told(venue.place_many(KEYS, [selling(1), selling(2)])) == ["1", Throttled]
    with pytest.raises(NotSent):
        venue.place(KEYS, selling(3))


def test_rows_are_told_apart_by_our_ids_and_by_place_where_they_have_none() -> None:
    orders = [selling(1), selling(2)]
    mine, other = {"id": "f2"}, {"id": "f1"}
    assert by_client_id([mine, other], orders, "id") == [other, mine]
    assert by_client_id([{"bare": 1}, {"bare": 2}], orders, "id") == [{"bare": 1}, {"bare": 2}]
    assert by_client_id([other], orders, "id") == [other, {}]
    assert by_client_id([{"id": "strange"}, mine], orders, "id") == [{}, mine]


def test_an_order_that_is_told_of_twice_is_not_known() -> None:
    orders, mine, other = [selling(1), selling(2)], {"id": "f1"}, {"id": "f2"}
    assert by_client_id([mine, mine | {"error": "poor"}, other], orders, "id") == [{}, other]
    assert by_client_id([mine, mine | {"error": "poor"}], orders, "id") == [{}, {}]


def test_a_row_without_an_id_is_no_orders_where_every_row_has_one() -> None:
    orders, mine = [selling(1), selling(2)], {"id": "f1"}
    assert by_client_id(named_rows([mine, {"bare": 2}], "id"), orders, "id") == [mine, {}]


@pytest.mark.parametrize(
    ("told_of", "kind"),
    [({}, InsufficientFunds), ({"data": []}, InsufficientFunds), ({"data": [{"id": 1}]}, OutcomeUnknown)],
)
def test_an_error_of_a_batch_is_not_believed_when_it_tells_of_orders(
    told_of: dict[str, Any], kind: type[ExchangeError]
) -> None:
    exchange = Exchange((200, {"error": "poor", **told_of}))
    outcomes = tiny(exchange, kind=Batching).place_many(KEYS, [selling(1), selling(2)])
    assert told(outcomes) == [kind, kind]
    assert exchange.paths == ["/batch/2"]


@pytest.mark.parametrize("name", sorted(venues()))
@pytest.mark.parametrize(
    "words",
    [
        {"side": "buy", "type": "market"},
        {"side": "sell", "type": "market", "reduce_only": True},
        {"side": "buy", "type": "stop", "trigger_price": "60000"},
        {"side": "sell", "type": "stop", "trigger_price": "40000"},
        {"side": "sell", "type": "stop", "trigger_price": "40000", "reduce_only": True},
    ],
    ids=lambda words: "-".join(str(each) for each in words.values()),
)
def test_every_venue_lets_go_first_what_protects_and_nothing_else(name, words):
    kind = venues()[name]
    asked = order(name, words | {"quantity": "1", "client_id": kind.client_id("01JD3X8K2MQZV7W5N9TRH4BCYE")})
    try:
        call = open_venue(name, lambda request: httpx.Response(500)).place_call(asked)
    except (Unsupported, NothingToReduce):
        return  # nothing is sent, in no order
    assert call.priority is urgency(asked)


@pytest.mark.parametrize("name", sorted(venues()))
def test_on_no_exchange_one_user_who_asks_too_much_stops_the_orders_of_the_others(name):
    """Whatever code that says, unless it is known to speak of the address."""
    kind = venues()[name]
    codes = {code for code, error in kind.errors.items() if error is Throttled} | {"429"}
    about_a_key = [code for code in codes if kind.throttles.get(code) is not Scope.ADDRESS]
    limit = {"side": "buy", "type": "limit", "price": "40000", "quantity": "1"}
    asked = order(name, limit | {"client_id": kind.client_id("01JD3X8K2MQZV7W5N9TRH4BCYE")})
    for code in about_a_key:
        ours = open_venue(name, lambda request: httpx.Response(500))
        ours.gate = LocalGate(patience_seconds=0.0)
        call = ours.place_call(asked)
        mine, others = (ours._charges(call, key_digest(keys)) for keys in (KEYS, OTHER))
        ours._stay_off(mine, None, code)
        with pytest.raises(NotSent):
            ours.gate.admit(mine, Priority.PROTECT)
        ours.gate.admit(others, Priority.ENTRY)


def test_each_side_of_a_hedged_account_keeps_its_own_margin_mode() -> None:
    long = Position("BTC", Direction.LONG, Decimal(1), Decimal(1), margin_mode=MarginMode.ISOLATED)
    short = replace(long, direction=Direction.SHORT, margin_mode=MarginMode.CROSS)
    assert held_mode([long, short], Direction.SHORT) is MarginMode.CROSS
    assert held_mode([short, long], Direction.LONG) is MarginMode.ISOLATED
    assert held_mode([long], Direction.SHORT) is MarginMode.ISOLATED
    assert held_mode([], Direction.LONG) is None
