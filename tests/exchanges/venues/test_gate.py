"""What only Gate does and the contract suite cannot show: bounded market orders, records that fire, headers of limits."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from exchanges.errors import (
    InsufficientFunds,
    InvalidOrder,
    ModeMismatch,
    NotSent,
    OrderNotFound,
    OutcomeUnknown,
    Throttled,
    Unsupported,
)
from exchanges.types import Credentials, MarginMode, OrderRef, OrderStatus, OrderType, TimeInForce
from exchanges.venue import Call
from exchanges.venues.gate import BOUND, ERRORS, TRIGGER_BOUND, worst_price
from tests.exchanges.contract import NOW_MS, case, instrument, open_venue, order

KEYS = Credentials("the-key", "the-secret")
OTHER = Credentials("another-key", "another-secret")
BUY = {"client_id": "f", "side": "buy", "type": "market", "quantity": "0.1"}
SELL = {"side": "sell", "type": "market", "quantity": "0.1"}
STOP = {"side": "sell", "type": "stop", "quantity": "0.1", "trigger_price": "39000"}
TICKER = [{"currency_pair": "BTC_USDT", "last": "50000", "highest_bid": "50000", "lowest_ask": "50000.1"}]
FILLED = {
    "id": "1",
    "text": "t-f",
    "status": "closed",
    "currency_pair": "BTC_USDT",
    "type": "limit",
    "side": "buy",
    "amount": "0.1",
    "price": "50500.2",
    "filled_amount": "0.1",
    "avg_deal_price": "50000.1",
    "fee": "0",
}
FIRED: dict[str, Any] = {
    "id": 7,
    "status": "finished",
    "finish_as": "succeeded",
    "trade_id": 8,
    "initial": {"contract": "BTC_USDT", "size": -1000, "price": "0", "tif": "ioc", "text": "t-f"},
    "trigger": {"price": "49000", "rule": 2, "price_type": 0},
}
PLACED = {"id": 1, "contract": "BTC_USDT", "size": 1000, "left": 0, "price": "0", "tif": "ioc"} | {
    "fill_price": "50000",
    "status": "finished",
    "finish_as": "filled",
    "text": "t-f",
}


class Answers:
    """Gives each answer once, the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests if request.content]


def refusal(label: str, status: int = 400) -> httpx.Response:
    return httpx.Response(status, json={"label": label, "message": "no"})


# -- market orders that are bounded ------------------------------------------------------------------------


def test_a_price_that_cannot_be_read_leaves_the_buy_unsent() -> None:
    wire = Answers(httpx.Response(502, text="<html>"))
    with pytest.raises(NotSent):
        open_venue("gate", wire).place(KEYS, order("gate", BUY))
    assert [request.method for request in wire.requests] == ["GET"]


def test_a_buy_whose_answer_is_lost_is_not_sent_again_by_cost() -> None:
    wire = Answers(TICKER, httpx.Response(504, text=""))
    with pytest.raises(OutcomeUnknown):
        open_venue("gate", wire).place(KEYS, order("gate", BUY))
    assert len(wire.bodies()) == 1


def test_a_buy_without_the_money_is_refused_twice_and_then_told() -> None:
    wire = Answers(TICKER, refusal("BALANCE_NOT_ENOUGH"))
    with pytest.raises(InsufficientFunds):
        open_venue("gate", wire).place(KEYS, order("gate", BUY))
    assert [(body["type"], body["amount"]) for body in wire.bodies()] == [
        ("limit", "0.1"),
        ("market", "5000"),
    ]


def test_a_bounded_buy_is_told_as_the_market_order_it_was() -> None:
    report = open_venue("gate", Answers(TICKER, FILLED)).place(KEYS, order("gate", BUY))
    assert (report.type, report.price, report.average_price) == (OrderType.MARKET, None, Decimal("50000.1"))


@pytest.mark.parametrize(
    ("words", "price", "share", "expected"),
    [
        (BUY, "50000.1", BOUND, "50500.2"),
        (STOP, "39000", TRIGGER_BOUND, "37050"),
        (STOP, "0.1", TRIGGER_BOUND, "0.1"),
    ],
)
def test_the_worst_price_lies_on_a_tick_beyond_and_never_at_nothing(
    words: dict[str, Any], price: str, share: Decimal, expected: str
) -> None:
    assert worst_price(order("gate", words), Decimal(price), share) == Decimal(expected)


# -- refused before sending --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gate", BUY | {"time_in_force": "ioc"}),
        ("gate", SELL | {"post_only": True}),
        ("gate", BUY | {"type": "limit", "price": "9", "post_only": True, "time_in_force": "ioc"}),
        ("gate", STOP | {"trigger_by": "mark"}),
        ("gate", STOP | {"type": "stop_limit", "price": "9", "time_in_force": TimeInForce.FOK}),
        ("gate", {"side": "sell", "type": "market", "quote_quantity": "100"}),
        ("gate_f", {"side": "buy", "type": "market", "quote_quantity": "100"}),
        ("gate_f", BUY | {"quantity": "0.00015"}),
        ("gate_f", BUY | {"position_side": "long", "reduce_only": True}),
        ("gate_f", STOP | {"post_only": True}),
    ],
)
def test_what_gate_would_misread_is_refused_before_sending(name: str, words: dict[str, Any]) -> None:
    wire = Answers(TICKER)
    with pytest.raises(Unsupported):
        open_venue(name, wire).place(KEYS, order(name, words))
    assert wire.requests == []


# -- records and what they fire ----------------------------------------------------------------------------


@pytest.mark.parametrize("fired", [None, NOW_MS // 1000 - 599])
def test_a_stop_that_fired_is_not_called_missing_while_its_order_is_not_shown(fired: int | None) -> None:
    wire = Answers(FIRED | {"finish_time": fired}, refusal("ORDER_NOT_FOUND", 404))
    with pytest.raises(OutcomeUnknown):
        open_venue("gate_f", wire).fetch(KEYS, instrument("gate_f"), OrderRef("f", "7", conditional=True))
    assert [request.url.path.rpartition("/")[2] for request in wire.requests] == ["7", "8"]


def test_an_order_that_is_forgotten_ended_without_a_fill() -> None:
    """Gate forgets those after ten minutes, and shows what was filled for months."""
    wire = Answers(FIRED | {"finish_time": NOW_MS // 1000 - 601}, refusal("ORDER_NOT_FOUND", 404))
    ref = OrderRef("f", "7", conditional=True)
    report = open_venue("gate_f", wire).fetch(KEYS, instrument("gate_f"), ref)
    assert (report.status, report.filled) == (OrderStatus.CANCELLED, Decimal(0))


@pytest.mark.parametrize(("age_seconds", "raised"), [(599, OutcomeUnknown), (601, OrderNotFound)])
def test_a_young_record_that_lost_its_text_may_be_the_one_looked_for(
    age_seconds: int, raised: type[Exception]
) -> None:
    initial = {**FIRED["initial"], "text": "api"}
    ended = FIRED | {"initial": initial, "create_time": NOW_MS // 1000 - age_seconds}
    ref = OrderRef("f", conditional=True)
    with pytest.raises(raised):
        open_venue("gate_f", Answers([], [ended])).fetch(KEYS, instrument("gate_f"), ref)


def test_lists_of_records_are_read_to_their_last_page() -> None:
    rows = [FIRED | {"id": number, "status": "open"} for number in range(101)]
    wire = Answers([], rows[:100], rows[100:])
    found = open_venue("gate_f", wire).open_orders(KEYS, instrument("gate_f"))
    assert [report.exchange_id for report in found] == [str(number) for number in range(101)]
    assert wire.requests[-1].url.params["offset"] == "100"


def test_a_size_in_a_contract_never_seen_is_looked_up_once() -> None:
    listed = [
        {"name": "XRP_USDT", "quanto_multiplier": "10", "order_price_round": "0.0001"}
        | {"order_size_min": 1, "order_size_max": 9, "in_delisting": False}
    ]
    row = {"contract": "XRP_USDT", "size": -3, "leverage": "5", "mode": "single", "entry_price": "1"}
    wire = Answers([row], listed, [row])
    ours = open_venue("gate_f", wire)
    assert [ours.positions(KEYS)[0].quantity for _ in range(2)] == [Decimal(30)] * 2
    assert len(wire.requests) == 3


def test_an_order_in_a_contract_gate_does_not_list_is_an_unknown_outcome() -> None:
    wire = Answers([PLACED | {"contract": "GONE_USDT"}], [])
    with pytest.raises(OutcomeUnknown):
        open_venue("gate_f", wire).open_orders(KEYS)


# -- cancelling everything ---------------------------------------------------------------------------------


def test_an_order_that_could_not_be_cancelled_with_the_others_is_told() -> None:
    refused = {"succeeded": False, "label": "TOO_BUSY", "message": "try again"}
    wire = Answers([{"succeeded": True, "label": ""}, refused], [])
    with pytest.raises(OutcomeUnknown):
        open_venue("gate", wire).cancel_all(KEYS, instrument("gate"))


def test_an_order_that_ended_while_all_were_cancelled_is_no_failure() -> None:
    wire = Answers([{"id": "1", "succeeded": False, "label": "ORDER_NOT_FOUND", "message": "gone"}], [])
    open_venue("gate", wire).cancel_all(KEYS, instrument("gate"))
    assert len(wire.requests) == 2


# -- key ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [[], {"key": "the-key", "perms": [{"name": "wallet", "read_only": None}]}])
def test_rights_that_are_not_told_are_not_guessed(told: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        open_venue("gate", Answers(told)).key_info(KEYS)


# -- settings ----------------------------------------------------------------------------------------------


def test_a_mode_that_fits_neither_address_is_told() -> None:
    wire = Answers(refusal("POSITION_DUAL_MODE"))
    with pytest.raises(ModeMismatch):
        open_venue("gate_f", wire).set_leverage(KEYS, instrument("gate_f"), Decimal(7), MarginMode.ISOLATED)
    assert len(wire.requests) == 2


def test_setting_nothing_asks_nothing() -> None:
    wire = Answers({})
    open_venue("gate_f", wire).set_leverage(KEYS, instrument("gate_f"), None, None)
    assert wire.requests == []


def test_a_position_that_stands_in_the_way_of_a_mode_is_told() -> None:
    with pytest.raises(InvalidOrder):
        open_venue("gate_f", Answers(refusal("POSITION_HOLDING"))).set_leverage(
            KEYS, instrument("gate_f"), None, MarginMode.CROSS
        )


# -- signing and limits ------------------------------------------------------------------------------------


def test_the_query_is_sent_encoded_and_signed_plain() -> None:
    ours = open_venue("gate", Answers([]))
    told = ours.sign(Call("GET", "/api/v4/spot/orders", {"text": "a b/c"}), KEYS, NOW_MS)
    assert told.query == "text=a+b%2Fc"
    twin = ours.sign(Call("GET", "/api/v4/spot/orders", {"text": "a+b%2Fc"}), KEYS, NOW_MS)
    assert told.headers["SIGN"] != twin.headers["SIGN"]


def test_public_calls_carry_no_key() -> None:
    ours = open_venue("gate", Answers([]))
    assert not ours.sign(Call("GET", "/api/v4/spot/time", signed=False), KEYS, NOW_MS).headers


@pytest.mark.parametrize(("limit", "left", "stopped"), [("100", "0", True), ("400", "0", False)])
def test_a_share_the_headers_call_used_up_is_left_alone_where_it_is_ours(
    limit: str, left: str, stopped: bool
) -> None:
    headers = {"X-Gate-RateLimit-Limit": limit, "X-Gate-RateLimit-Requests-Remain": left}
    ours = open_venue("gate_f", Answers(httpx.Response(200, json=PLACED, headers=headers), PLACED))
    ours.place(KEYS, order("gate_f", BUY))
    if stopped:
        with pytest.raises(NotSent):
            ours.place(KEYS, order("gate_f", BUY))
    else:
        ours.place(KEYS, order("gate_f", BUY))
    assert ours.place(OTHER, order("gate_f", BUY)).exchange_id == "1"


def test_a_refusal_for_rate_stops_the_calls_it_speaks_of_only() -> None:
    ours = open_venue("gate_f", Answers(refusal("TOO_MANY_REQUESTS", 429), PLACED))
    with pytest.raises(Throttled):
        ours.place(KEYS, order("gate_f", BUY))
    with pytest.raises(NotSent):
        ours.place(KEYS, order("gate_f", BUY))
    assert ours.fetch(KEYS, instrument("gate_f"), OrderRef("f")).exchange_id == "1"


def test_no_label_is_listed_under_two_classes() -> None:
    assert ERRORS["ORDER_FINISHED"] is OrderNotFound
    assert ERRORS["TOO_BUSY"] is OutcomeUnknown


# -- fills -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "page", "places"), [("gate", "page", ["1", "2"]), ("gate_f", "offset", ["0", "100"])]
)
def test_a_fill_told_twice_because_another_came_between_two_pages_counts_once(
    name: str, page: str, places: list[str]
) -> None:
    (row, *_) = (case(name, "fills") or {})["exchange"][0]["answer"]["body"]
    number = "id" if name == "gate" else "trade_id"
    rows = [{**row, number: str(each)} for each in range(101)]
    wire = Answers(rows[:100], rows[99:])
    fills = open_venue(name, wire).fills(KEYS, instrument(name), datetime(2023, 11, 14, 22, tzinfo=UTC))
    assert [request.url.params[page] for request in wire.requests] == places
    assert len(fills) == 101


# -- several orders in one request -------------------------------------------------------------------------


def test_market_buys_of_coins_go_out_alone_for_they_need_the_price_of_now() -> None:
    wire = Answers(*(TICKER, FILLED) * 2)
    buys = [order("gate", BUY | {"client_id": f"f{number}"}) for number in range(2)]
    open_venue("gate", wire).place_many(KEYS, buys)
    paths = [request.url.path.rpartition("/")[2] for request in wire.requests]
    assert paths == ["tickers", "orders", "tickers", "orders"]


def test_each_order_of_a_batch_counts_with_the_single_ones() -> None:
    wire = Answers([])
    ours = open_venue("gate", wire)
    sell = {"side": "sell", "type": "limit", "quantity": "0.1", "price": "60000"}
    for number in range(3):
        orders = [order("gate", sell | {"client_id": f"f{number}.{each}"}) for each in range(3)]
        ours.place_many(KEYS, orders)
    with pytest.raises(NotSent):
        ours.place(KEYS, order("gate", sell))
    assert len(wire.requests) == 3
