"""What only MEXC does and the contract suite cannot show: settings that are remembered, plan orders without ids of
ours, buckets by kind of request."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from exchanges.errors import (
    AuthRefused,
    ExchangeError,
    InvalidOrder,
    MarketPaused,
    NotSent,
    OrderNotFound,
    OutcomeUnknown,
    Throttled,
    Unsupported,
)
from exchanges.limits import LocalGate
from exchanges.transport import Answer
from exchanges.types import Credentials, Legs, OrderRef, Report, TimeInForce
from exchanges.venue import Call
from tests.exchanges.contract import NOW_MS, instrument, open_venue, order

KEYS = Credentials("the-key", "the-secret")
OTHER = Credentials("another-key", "another-secret")
PREFIX = "/api/v1/private/"
BUY = {"side": "buy", "type": "market", "quantity": "0.01"}
NAMED = BUY | {"margin_mode": "cross", "leverage": "20"}
STOP = {"side": "sell", "type": "stop", "quantity": "0.01", "trigger_price": "49000", "margin_mode": "cross"}
CLOSING = STOP | {"reduce_only": True}
OPENING = {**STOP, "side": "buy", "trigger_price": "51000", "leverage": "20"}
OTHER_MODE = {"success": False, "code": 2027, "message": "only one cross or isolated in the same direction"}


def good(data: Any) -> dict[str, Any]:
    return {"success": True, "code": 0, "data": data}


def settings(open_type: int, leverage: int) -> dict[str, Any]:
    row = {"openType": open_type, "leverage": leverage}
    return good([row | {"positionType": 1}, row | {"positionType": 2}])


def plan(**more: Any) -> dict[str, Any]:
    told = {"id": "7", "symbol": "BTC_USDT", "side": 4, "triggerPrice": 49000, "vol": 100, "triggerType": 2}
    return told | {"state": 1, "orderType": 5, "createTime": NOW_MS, "positionMode": 2} | more


class Answers:
    """Answers by the last part of the path: a body, an HTTP answer, a failure to raise, or a list of these to be
    given one after the other."""

    def __init__(self, **by_name: Any) -> None:
        self.by_name = {
            name: list(each) if isinstance(each, list) else each for name, each in by_name.items()
        }
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.by_name[self.name(request)]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, type):
            raise answer("lost", request=request)
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    @staticmethod
    def name(request: httpx.Request) -> str:
        return request.url.path.removeprefix(PREFIX).replace("/", "_").removesuffix("_v2")

    def asked(self, name: str) -> list[httpx.Request]:
        return [request for request in self.requests if self.name(request) == name]

    def bodies(self, name: str) -> list[Any]:
        return [json.loads(request.content) for request in self.asked(name)]


class Moving:
    def __init__(self) -> None:
        self.now = 1000.0

    def gate(self) -> LocalGate:
        return LocalGate(clock=lambda: self.now, sleep=self.never, patience_seconds=0.0)

    @staticmethod
    def never(seconds: float) -> None:
        raise AssertionError(f"waited {seconds} s")


def venue(wire: Callable[[httpx.Request], httpx.Response], name: str = "mexc_f") -> Any:
    made: Any = open_venue(name, wire)
    made.gate = Moving().gate()
    if name == "mexc_f":
        made.pause = list[float]().append
    return made


# -- settings ----------------------------------------------------------------------------------------------


def test_settings_of_a_market_are_asked_for_once_a_minute_and_per_key() -> None:
    wire = Answers(position_leverage=settings(1, 7), order_create=good({"orderId": "1"}))
    ours = venue(wire)
    for keys in (KEYS, KEYS, OTHER):
        ours.place(keys, order("mexc_f", BUY))
    assert len(wire.asked("position_leverage")) == 2
    ours.clock.offset_ms += 61_000
    ours.place(KEYS, order("mexc_f", BUY))
    assert len(wire.asked("position_leverage")) == 3
    assert {(each["openType"], each["leverage"]) for each in wire.bodies("order_create")} == {(1, 7)}


def test_settings_that_turn_out_to_be_others_are_read_again_and_the_order_sent_once_more() -> None:
    wire = Answers(
        position_leverage=[settings(1, 7), settings(2, 9)],
        order_create=[good({"orderId": "1"}), OTHER_MODE, good({"orderId": "2"})],
    )
    ours = venue(wire)
    ours.place(KEYS, order("mexc_f", BUY))
    assert ours.place(KEYS, order("mexc_f", BUY)).exchange_id == "2"
    assert [each["openType"] for each in wire.bodies("order_create")] == [1, 1, 2]


def test_settings_that_are_as_they_were_make_the_refusal_final() -> None:
    wire = Answers(position_leverage=settings(1, 7), order_create=OTHER_MODE)
    with pytest.raises(InvalidOrder):
        venue(wire).place(KEYS, order("mexc_f", BUY))
    assert len(wire.asked("order_create")) == 1


def test_a_margin_mode_asked_for_is_not_changed_and_takes_no_other_modes_leverage() -> None:
    wire = Answers(position_leverage=settings(1, 7), order_create=OTHER_MODE)
    with pytest.raises(InvalidOrder):
        venue(wire).place(KEYS, order("mexc_f", BUY | {"margin_mode": "cross"}))
    (sent,) = wire.bodies("order_create")
    assert sent["openType"] == 2
    assert "leverage" not in sent


# -- plan orders without ids of ours -----------------------------------------------------------------------


def place_lost(words: dict[str, Any], lists: Any) -> tuple[Answers, Callable[[], Report]]:
    wire = Answers(planorder_place=httpx.ReadTimeout, planorder_list_orders=lists)
    ours = venue(wire)
    return wire, lambda: ours.place(KEYS, order("mexc_f", words))


def test_a_lost_answer_is_found_by_terms_and_time_and_nothing_is_sent_twice() -> None:
    others = [
        plan(id="1", triggerPrice=48000),
        plan(id="2", createTime=NOW_MS - 15_000),
        plan(id="3", orderType=1, price=48900),
        plan(id="4", state=2),
    ]
    wire, place = place_lost(CLOSING, [good(others), good([*others, plan()])])
    assert place().exchange_id == "7"
    assert len(wire.asked("planorder_place")) == 1
    assert len(wire.asked("planorder_list_orders")) == 2, "the list lagged one look"


def test_what_only_closes_and_is_not_listed_may_be_sent_again() -> None:
    wire, place = place_lost(CLOSING, good([]))
    with pytest.raises(NotSent):
        place()
    assert len(wire.asked("planorder_place")) == 1


def test_what_opens_and_is_not_listed_stays_unknown() -> None:
    _, place = place_lost(OPENING, good([]))
    with pytest.raises(OutcomeUnknown):
        place()


def test_a_list_that_cannot_be_read_leaves_even_a_closing_order_unknown() -> None:
    _, place = place_lost(CLOSING, httpx.ConnectError)
    with pytest.raises(OutcomeUnknown):
        place()


def test_a_lost_plain_order_is_not_looked_up_by_terms() -> None:
    wire = Answers(order_create=httpx.ReadTimeout)
    with pytest.raises(OutcomeUnknown):
        venue(wire).place(KEYS, order("mexc_f", NAMED))
    assert len(wire.requests) == 1


def test_a_stop_beyond_the_first_page_is_found() -> None:
    page = [plan(id=str(number), state=2) for number in range(100, 200)]
    wire = Answers(planorder_list_orders=[good(page), good([plan()])])
    found = venue(wire).fetch(KEYS, instrument("mexc_f"), OrderRef("", "7", conditional=True))
    assert found.exchange_id == "7"
    assert [dict(each.url.params)["page_num"] for each in wire.requests] == ["1", "2"]


def test_only_legs_of_a_record_are_linked() -> None:
    ours = venue(Answers(planorder_list_orders=good([plan()])))
    assert not ours.linked(ours.fetch(KEYS, instrument("mexc_f"), OrderRef("", "7", conditional=True)))
    record = plan(id=8, stopLossPrice=49000, takeProfitPrice=52000, positionType=1, triggerSide=0)
    assert [ours.linked(leg) for leg in ours.read_pair(record)] == [True, True]


# -- pairs -------------------------------------------------------------------------------------------------

ENTRY = {
    "orderId": "1",
    "symbol": "BTC_USDT",
    "positionId": 5,
    "vol": 100,
    "side": 1,
    "orderType": 5,
    "state": 3,
}
ENTRY |= {"dealVol": 100, "dealAvgPrice": 50000, "takerFee": 0.1, "makerFee": 0, "feeCurrency": "USDT"}
TARGET = CLOSING | {"type": "take_profit", "trigger_price": "52000"}
ABSENT = {"success": False, "code": 2009, "message": "Position is not exists or closed."}


def record(position: int) -> dict[str, Any]:
    legs = {"stopLossPrice": 49000, "takeProfitPrice": 52000, "positionType": 1, "triggerSide": 0}
    return plan(id=8, positionId=position) | legs


def protect_after_entry(**answers: Any) -> Answers:
    wire = Answers(order_get_1=good(ENTRY), **answers)
    ours = venue(wire)
    ours.fetch(KEYS, instrument("mexc_f"), OrderRef("", "1"))
    ours.protect(KEYS, Legs(order("mexc_f", CLOSING), order("mexc_f", TARGET)))
    return wire


def test_a_pair_hangs_on_the_position_that_its_entry_told() -> None:
    wire = protect_after_entry(stoporder_place=good(8), stoporder_open_orders=good([record(5)]))
    assert [each["positionId"] for each in wire.bodies("stoporder_place")] == [5]
    assert wire.asked("position_open_positions") == []


def test_a_position_that_has_gone_is_looked_up_and_the_pair_hung_on_the_one_that_stands() -> None:
    held = {"positionId": 6, "symbol": "BTC_USDT", "positionType": 1, "holdVol": 100}
    wire = protect_after_entry(
        stoporder_place=[ABSENT, good(8)],
        position_open_positions=good([held]),
        stoporder_open_orders=good([record(5), record(6)]),
    )
    assert [each["positionId"] for each in wire.bodies("stoporder_place")] == [5, 6]


def test_a_position_whose_number_cannot_be_read_leaves_the_pair_unsent() -> None:
    held = {"positionId": "", "symbol": "BTC_USDT", "positionType": 1, "holdVol": 100}
    wire = Answers(position_open_positions=good([held]))
    with pytest.raises(NotSent):
        venue(wire).protect(KEYS, Legs(order("mexc_f", CLOSING), order("mexc_f", TARGET)))
    assert wire.asked("stoporder_place") == []


# -- limits ------------------------------------------------------------------------------------------------


def test_entries_leave_room_for_what_closes_and_stops_have_a_bucket_of_their_own() -> None:
    wire = Answers(order_create=good({"orderId": "1"}), planorder_place=good("7"))
    ours = venue(wire)
    for _ in range(3):
        ours.place(KEYS, order("mexc_f", NAMED))
    with pytest.raises(NotSent):
        ours.place(KEYS, order("mexc_f", NAMED))
    ours.place(KEYS, order("mexc_f", NAMED | {"reduce_only": True}))
    ours.place(KEYS, order("mexc_f", CLOSING))
    ours.place(OTHER, order("mexc_f", NAMED))


def test_a_key_over_its_limit_does_not_hold_up_another() -> None:
    refused = {"success": False, "code": 510, "message": "Requests are too frequent"}
    ours = venue(Answers(order_create=[refused, good({"orderId": "1"})]))
    with pytest.raises(Throttled):
        ours.place(KEYS, order("mexc_f", NAMED))
    with pytest.raises(NotSent):
        ours.place(KEYS, order("mexc_f", NAMED))
    assert ours.place(OTHER, order("mexc_f", NAMED)).exchange_id == "1"


def test_a_shut_out_address_is_quiet_for_every_key() -> None:
    ours = venue(Answers(order_create=httpx.Response(403, text="<html>blocked</html>")))
    with pytest.raises(Throttled):
        ours.place(KEYS, order("mexc_f", NAMED))
    with pytest.raises(NotSent):
        ours.place(OTHER, order("mexc_f", NAMED))
    with pytest.raises(NotSent):
        ours.quote(instrument("mexc_f"))


def test_an_address_that_asks_too_often_is_quiet_too() -> None:
    refused = {"success": False, "code": 510, "message": "Requests are too frequent"}
    wire = Answers(_api_v1_contract_ticker=refused)
    ours = venue(wire)
    with pytest.raises(Throttled):
        ours.quote(instrument("mexc_f"))
    with pytest.raises(NotSent):
        ours.quote(instrument("mexc_f"))
    assert len(wire.requests) == 1


def test_a_closed_api_is_told_in_words() -> None:
    answer = {"success": False, "code": 511, "message": "You do not have access to the interface"}
    with pytest.raises(AuthRefused, match="closed to API orders"):
        venue(Answers(order_create=answer)).place(KEYS, order("mexc_f", NAMED))


# -- what is said ------------------------------------------------------------------------------------------


def test_a_contract_query_is_signed_in_the_order_of_its_names() -> None:
    request = venue(Answers()).sign(Call("GET", f"{PREFIX}x", {"b": 2, "a": 1}), KEYS, NOW_MS)
    signed = f"the-key{NOW_MS}a=1&b=2".encode()
    assert request.query == "a=1&b=2"
    assert request.headers["Signature"] == hmac.new(b"the-secret", signed, hashlib.sha256).hexdigest()


def test_numbers_keep_every_digit_and_no_exponent() -> None:
    words = {"side": "buy", "type": "limit", "quantity": "0.01", "price": "0.00000001"}
    wire = Answers(order_create=good({"orderId": "1"}))
    venue(wire).place(KEYS, order("mexc_f", words | {"margin_mode": "cross", "leverage": "1"}))
    assert b'"price":0.00000001,' in wire.requests[0].content


@pytest.mark.parametrize("name", ["mexc", "mexc_f"])
@pytest.mark.parametrize(
    "words",
    [
        {"type": "market", "post_only": True},
        {"type": "market", "time_in_force": TimeInForce.IOC},
        {"type": "limit", "price": "1", "post_only": True, "time_in_force": TimeInForce.FOK},
    ],
)
def test_words_that_do_not_go_together_are_refused_before_sending(name: str, words: dict[str, Any]) -> None:
    with pytest.raises(Unsupported):
        venue(Answers(), name).place(KEYS, order(name, {"side": "buy", "quantity": "1", **words}))


def test_only_market_buys_are_given_in_money() -> None:
    with pytest.raises(Unsupported):
        venue(Answers(), "mexc").place(
            KEYS, order("mexc", {"side": "sell", "type": "market", "quote_quantity": "10"})
        )


def test_no_secret_is_in_a_request_beyond_its_signature() -> None:
    ours = venue(Answers(), "mexc")
    request = ours.sign(Call("GET", "/api/v3/account"), KEYS, NOW_MS)
    assert "the-secret" not in f"{request.target} {dict(request.headers)} {request.body!r}"


@pytest.mark.parametrize(
    ("code", "kind"),
    [(20002, OutcomeUnknown), (30026, OrderNotFound), (30020, MarketPaused), (70011, MarketPaused)],
)
def test_codes_of_spot_mean_what_the_documents_say(code: int, kind: type[ExchangeError]) -> None:
    """https://www.mexc.com/api-docs/spot-v3/general-info "Error Code" (stored copy, read 2026-11-22)."""
    with pytest.raises(ExchangeError) as caught:
        open_venue("mexc", Answers()).checked(Answer(400, {}, {"code": code, "msg": "no"}))
    assert type(caught.value) is kind
