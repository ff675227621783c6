"""What only HTX does and the contract suite cannot show: a signed query, windows that end at a time, the number of an
account that is asked for once, and the margin mode that each order names."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from exchanges.clock import Clock
from exchanges.errors import (
    AuthRefused,
    ExchangeError,
    InsufficientFunds,
    Maintenance,
    MarketPaused,
    NothingToReduce,
    NotSent,
    OrderNotFound,
    OutcomeUnknown,
    Throttled,
    Unsupported,
)
from exchanges.limits import LocalGate
from exchanges.registry import venues
from exchanges.transport import Answer, Transport
from exchanges.types import Credentials, Environment, MarginMode, OrderRef
from exchanges.venue import Call
from tests.exchanges.contract import NOW_MS, instrument, open_venue, order

KEYS = Credentials("the-key", "the-secret")
OTHER = Credentials("another-key", "another-secret")
NUMBER = "4503599627370495"
ACCOUNTS = {"status": "ok", "data": [{"id": 7, "type": "margin"}, {"id": 1528640, "type": "spot"}]}
PLACED = {"status": "ok", "data": "938390041234567"}
SWAP_PLACED = {"code": 200, "data": {"order_id": "15", "client_order_id": NUMBER}}
NOTHING_TO_CLOSE = {"code": 1048, "message": "Insufficient close amount available.", "data": None}
SELL = {"side": "sell", "type": "market", "quantity": "0.1"}
BUY = {"side": "buy", "type": "market", "quantity": "0.1"}
OPEN = BUY | {"client_id": NUMBER}
CLOSE = SELL | {"client_id": NUMBER, "reduce_only": True}


class Answers:
    """Gives each answer once, the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests if request.content]


class Moving:
    """A gate's clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def gate(self) -> LocalGate:
        return LocalGate(clock=lambda: self.now, sleep=self.never, patience_seconds=0.0)

    @staticmethod
    def never(seconds: float) -> None:
        raise AssertionError(f"waited {seconds} s")


def venue(wire: Answers, name: str = "htx", moving: Moving | None = None) -> Any:
    made = open_venue(name, wire)
    made.gate = (moving or Moving()).gate()
    return made


def position(mode: str) -> dict[str, Any]:
    row = {"contract_code": "BTC-USDT", "position_side": "both", "direction": "buy", "volume": "100"}
    return {"code": 200, "data": [row | {"margin_mode": mode, "open_avg_price": "50000"}]}


# -- signing -----------------------------------------------------------------------------------------------


def test_the_query_is_sorted_and_signed_as_it_is_sent() -> None:
    wire = Answers({"status": "ok", "data": []})
    ours = venue(wire)
    call = Call("GET", "/v1/order/openOrders", {"symbol": "btcusdt", "account-id": "a b,c"})
    request = ours.sign(call, KEYS, NOW_MS)
    ours.call(call, KEYS)
    assert wire.requests[0].url.raw_path.decode() == request.target
    names = [name for name, _ in parse_qsl(request.query)]
    assert names[:-1] == sorted(names[:-1])
    assert names[-1] == "Signature"
    assert "account-id=a%20b%2Cc" in request.query


def test_public_calls_carry_no_key_and_the_secret_never_travels() -> None:
    ours = venue(Answers(PLACED))
    assert ours.sign(Call("GET", "/v1/common/timestamp", signed=False), KEYS, NOW_MS).query == ""
    request = ours.sign(Call("POST", "/v1/order/orders/place", {"amount": Decimal("0.10")}), KEYS, NOW_MS)
    assert request.body == b'{"amount":"0.1"}'
    assert KEYS.secret not in f"{request.query} {request.body!r} {dict(request.headers)}"


def signed_for(base_url: str) -> str:
    transport = Transport(base_url, wire=httpx.MockTransport(Answers(PLACED)))
    clock = Clock(wall=lambda: NOW_MS / 1000)
    ours = venues()["htx"](transport, environment=Environment.LIVE, clock=clock)
    return dict(parse_qsl(ours.sign(Call("GET", "/v2/user/uid"), KEYS, NOW_MS).query))["Signature"]


def test_the_signature_names_the_host_that_is_called() -> None:
    assert signed_for("https://api.huobi.pro") != signed_for("https://api-aws.huobi.pro")
    assert signed_for("http://127.0.0.1:9999/htx") == signed_for("https://api.huobi.pro")


# -- limits ------------------------------------------------------------------------------------------------


def answered(body: Any, **headers: str) -> httpx.Response:
    return httpx.Response(200, json=body, headers={name.replace("_", "-"): v for name, v in headers.items()})


def test_a_window_the_headers_call_used_up_is_left_alone_and_only_for_that_key() -> None:
    ours = venue(Answers(answered(SWAP_PLACED, ratelimit_remaining="0"), SWAP_PLACED), "htx_f")
    ours.place(KEYS, order("htx_f", OPEN))
    with pytest.raises(NotSent):
        ours.place(KEYS, order("htx_f", OPEN))
    assert ours.place(OTHER, order("htx_f", OPEN)).exchange_id == "15"


def test_a_rate_refusal_tells_at_what_time_to_come_back() -> None:
    moving = Moving()
    refused = httpx.Response(
        429,
        json={"status": "error", "err-code": "rate-too-many-requests", "err-msg": "exceeded rate limit"},
        headers={"X-HB-RateLimit-Requests-Expire": str(NOW_MS + 1500)},
    )
    ours = venue(Answers(ACCOUNTS, refused, PLACED), moving=moving)
    with pytest.raises(Throttled) as caught:
        ours.place(KEYS, order("htx", SELL))
    assert caught.value.retry_after == 1.5
    moving.now += 1.4
    with pytest.raises(NotSent):
        ours.place(KEYS, order("htx", SELL))
    moving.now += 0.2
    assert ours.place(KEYS, order("htx", SELL)).exchange_id == "938390041234567"


def test_a_window_that_seems_to_end_in_years_is_not_waited_for() -> None:
    refused = httpx.Response(
        429, json={"code": 429, "message": "Too many requests"}, headers={"ratelimit-reset": "9" * 15}
    )
    with pytest.raises(Throttled) as caught:
        venue(Answers(refused), "htx_f").place(KEYS, order("htx_f", OPEN))
    assert caught.value.retry_after == 10.0


# -- refused before sending --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("htx_f", OPEN | {"quantity": "0.1005"}),
        ("htx_f", OPEN | {"client_id": "not-a-number"}),
        ("htx_f", OPEN | {"post_only": True}),
        ("htx_f", CLOSE | {"type": "stop", "trigger_price": "49000", "trigger_by": "index"}),
        (
            "htx_f",
            CLOSE | {"type": "stop_limit", "trigger_price": "49000", "price": "48900", "post_only": True},
        ),
        ("htx", SELL | {"post_only": True}),
        ("htx", SELL | {"type": "limit", "price": "9", "post_only": True, "time_in_force": "ioc"}),
        ("htx", SELL | {"type": "stop", "trigger_price": "9", "trigger_by": "mark"}),
        ("htx", SELL | {"type": "stop_limit", "price": "9", "trigger_price": "9", "post_only": True}),
        ("htx", {"side": "sell", "type": "market", "quote_quantity": "100"}),
        ("htx", {"side": "buy", "type": "limit", "quote_quantity": "100", "price": "9"}),
    ],
)
def test_what_htx_would_misread_is_refused_before_anything_is_asked(name: str, words: dict[str, Any]) -> None:
    wire = Answers(PLACED)
    with pytest.raises(Unsupported):
        venue(wire, name).place(KEYS, order(name, words))
    assert wire.requests == []


def test_half_a_leverage_is_refused_before_sending() -> None:
    wire = Answers(PLACED)
    with pytest.raises(Unsupported):
        venue(wire, "htx_f").set_leverage(KEYS, instrument("htx_f"), Decimal("2.5"), None)
    assert wire.requests == []


# -- spot --------------------------------------------------------------------------------------------------


def test_the_number_of_the_account_is_asked_for_once_per_key() -> None:
    wire = Answers(ACCOUNTS, PLACED, PLACED, ACCOUNTS, PLACED)
    ours = venue(wire)
    for keys in (KEYS, KEYS, OTHER):
        ours.place(keys, order("htx", SELL))
    assert [path.rpartition("/")[2] for path in wire.paths()] == [
        "accounts",
        "place",
        "place",
        "accounts",
        "place",
    ]
    assert {body["account-id"] for body in wire.bodies()} == {"1528640"}


def test_a_sale_without_the_coins_is_not_tried_in_another_form() -> None:
    short = {
        "status": "error",
        "err-code": "account-frozen-balance-insufficient-error",
        "err-msg": "left: `0`",
    }
    wire = Answers(ACCOUNTS, short)
    with pytest.raises(InsufficientFunds):
        venue(wire).place(KEYS, order("htx", SELL))
    assert len(wire.bodies()) == 1


def test_a_market_buy_of_coins_is_never_told_as_an_amount_of_money() -> None:
    call = venue(Answers(PLACED)).place_call(order("htx", BUY))
    assert (call.params["type"], call.params["amount"]) == ("buy-ioc", Decimal("0.1"))


def test_a_fill_whose_price_is_not_told_yet_is_asked_for_again() -> None:
    row = {"order_id": "15", "contract_code": "BTC-USDT", "side": "buy", "type": "market", "state": "filled"}
    row |= {"volume": "1", "trade_volume": "1", "trade_avg_price": "0", "position_side": "both"}
    ours = venue(Answers({"code": 200, "data": row}), "htx_f")
    report = ours.fetch(KEYS, instrument("htx_f"), OrderRef(exchange_id="15"))
    assert (report.filled, report.average_price) == (Decimal("0.001"), None)


def test_a_bounded_buy_whose_answer_is_lost_is_not_sent_again() -> None:
    tick = {"status": "ok", "tick": {"bid": [1, 1], "ask": [2, 1], "close": 1}}
    wire = Answers(ACCOUNTS, tick, httpx.Response(504, text=""))
    with pytest.raises(OutcomeUnknown):
        venue(wire).place(KEYS, order("htx", BUY))
    assert len(wire.bodies()) == 1


# -- the margin mode of an order ---------------------------------------------------------------------------


def test_the_mode_of_a_position_is_asked_for_once() -> None:
    wire = Answers(position("isolated"), SWAP_PLACED)
    ours = venue(wire, "htx_f")
    for _ in range(2):
        ours.place(KEYS, order("htx_f", CLOSE))
    assert wire.paths().count("/v5/trade/position/opens") == 1
    assert [body["margin_mode"] for body in wire.bodies()] == ["isolated", "isolated"]


def test_a_mode_that_was_asked_for_is_that_of_the_orders_after_it_and_of_that_key_only() -> None:
    wire = Answers(SWAP_PLACED)
    ours = venue(wire, "htx_f")
    ours.place(KEYS, order("htx_f", OPEN | {"margin_mode": "isolated"}))
    ours.place(KEYS, order("htx_f", CLOSE))
    ours.place(OTHER, order("htx_f", OPEN))
    assert [body["margin_mode"] for body in wire.bodies()] == ["isolated", "isolated", "cross"]


def test_nothing_to_close_in_the_remembered_mode_is_looked_for_in_the_other_once() -> None:
    wire = Answers(NOTHING_TO_CLOSE, position("cross"), SWAP_PLACED)
    ours = venue(wire, "htx_f")
    ours.set_leverage(KEYS, instrument("htx_f"), None, MarginMode.ISOLATED)
    assert ours.place(KEYS, order("htx_f", CLOSE)).exchange_id == "15"
    assert [body["margin_mode"] for body in wire.bodies()] == ["isolated", "cross"]


@pytest.mark.parametrize("told", [{"code": 200, "data": []}, {"code": 200, "data": None}])
def test_nothing_to_close_anywhere_stays_a_refusal(told: dict[str, Any]) -> None:
    wire = Answers(NOTHING_TO_CLOSE, told)
    ours = venue(wire, "htx_f")
    ours.set_leverage(KEYS, instrument("htx_f"), None, MarginMode.ISOLATED)
    with pytest.raises(NothingToReduce):
        ours.place(KEYS, order("htx_f", CLOSE))
    assert len(wire.bodies()) == 1


# -- client ids --------------------------------------------------------------------------------------------


def test_client_ids_of_futures_survive_clients_that_read_numbers_as_doubles() -> None:
    kind = venues()["htx_f"]
    for number in range(200):
        made = kind.client_id(f"{number:026d}")
        assert made == str(int(float(made)))
        assert 0 < int(made) < 2**53


# -- what the codes mean -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "told", "kind"),
    [
        ("htx_f", {"err_code": 1003, "err_msg": "Abnormal redis operation."}, OutcomeUnknown),
        ("htx_f", {"code": 1003, "message": "invalid signature"}, AuthRefused),
        ("htx_f", {"err_code": 1046, "err_msg": "Abnormal service. Please try again later."}, OutcomeUnknown),
        ("htx_f", {"err_code": 1108, "err_msg": "Abnormal service. Please try again later."}, OutcomeUnknown),
        ("htx_f", {"err_code": 1062, "err_msg": "Cancelling. Please be patient."}, OutcomeUnknown),
        ("htx_f", {"err_code": 1056, "err_msg": "In settlement."}, MarketPaused),
        ("htx_f", {"err_code": 1431, "err_msg": "The system is in maintenance"}, Maintenance),
        ("htx", {"code": 1003, "message": "Signature is wrong"}, AuthRefused),
        ("htx", {"code": 1006, "message": "Exceed rate limit"}, Throttled),
        ("htx", {"err-code": "510", "err-msg": "You request too often"}, Throttled),
        ("htx", {"err-code": "base-request-timeout", "err-msg": "Request timeout"}, OutcomeUnknown),
        ("htx", {"err-code": "base-not-found", "err-msg": "The record is not found."}, OrderNotFound),
    ],
)
def test_a_service_that_failed_is_no_refusal(
    name: str, told: dict[str, Any], kind: type[ExchangeError]
) -> None:
    """https://www.htx.com/en-us/opend/newApiPages/ "Details of Each Error Code" and spot's "Trading > Error Code"
    (stored copies, read 2026-11-22)."""
    with pytest.raises(ExchangeError) as caught:
        venue(Answers(PLACED), name).checked(Answer(200, {}, {"status": "error", **told}))
    assert type(caught.value) is kind


# -- prices that are looked at before ----------------------------------------------------------------------


def test_a_target_goes_by_a_price_of_a_moment_ago_and_a_stop_asks_each_time() -> None:
    price = {"status": "ok", "tick": {"close": 50000, "bid": [49999, 1], "ask": [50001, 1]}}
    placed = {"code": 200, "data": {"clientOrderId": "f01jd3x8k2mqzv7w5n9trh4bcye"}}
    wire = Answers(ACCOUNTS, price, placed, placed, price, placed, price, placed)
    ours, now = venue(wire), [1000.0]
    ours.monotonic = lambda: now[0]
    stop = SELL | {"type": "stop", "trigger_price": "49000"}
    target = SELL | {"type": "take_profit", "trigger_price": "52000"}
    for words, later in ((stop, 0.0), (target, 0.5), (stop, 0.0), (target, 5.0)):
        now[0] += later
        ours.place(KEYS, order("htx", words))
    asked = [path.rpartition("/")[2] for path in wire.paths()[1:]]
    assert asked == ["merged", "algo-orders", "algo-orders", "merged", "algo-orders", "merged", "algo-orders"]
