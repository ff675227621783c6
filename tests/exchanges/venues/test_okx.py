"""What only OKX does and the contract suite cannot show: the demo's header, ids of pairs, pages, margin modes."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from exchanges.errors import NotSent, Throttled, Unsupported
from exchanges.types import Credentials, Environment, Legs, MarginMode, OrderRef, OrderType
from exchanges.venue import Call
from tests.exchanges.contract import NOW_MS, case, instrument, open_venue, order

KEYS, OTHER = Credentials("the-key", "secret", "words"), Credentials("another-key", "secret", "words")
PLACED = {"code": "0", "data": [{"ordId": "1", "algoId": "2", "sCode": "0", "sMsg": ""}], "msg": ""}
NOTHING = {"code": "0", "data": [], "msg": ""}
BUY = {"side": "buy", "type": "limit", "quantity": "0.1", "price": "40000"}
CLOSE = {"side": "sell", "type": "market", "quantity": "0.1", "reduce_only": True}


class Answers:
    """Gives each answer once, the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


def venue(*answers: Any, name: str = "okx_f", environment: str = "live") -> tuple[Any, Answers]:
    wire = Answers(*answers)
    return open_venue(name, wire, environment), wire


# -- signing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signed", [True, False])
def test_only_the_demo_says_that_it_is_the_demo(signed):
    for environment in Environment:
        ours, _ = venue(NOTHING, environment=environment)
        headers = ours.sign(Call("GET", "/api/v5/account/config", signed=signed), KEYS, NOW_MS).headers
        assert ("x-simulated-trading" in headers) == (environment is Environment.TESTNET)


def test_the_time_has_three_digits_after_the_second():
    ours, _ = venue(NOTHING)
    for now_ms, end in ((NOW_MS, "20.000Z"), (NOW_MS + 7, "20.007Z"), (NOW_MS + 1999, "21.999Z")):
        headers = ours.sign(Call("GET", "/api/v5/account/config"), KEYS, now_ms).headers
        assert headers["OK-ACCESS-TIMESTAMP"] == f"2023-11-14T22:13:{end}"


def test_what_is_asked_is_signed_as_it_stands_in_the_address():
    ours, wire = venue(NOTHING)
    call = Call("GET", "/api/v5/trade/orders-algo-pending", {"ordType": "conditional,oco", "limit": 100})
    assert ours.sign(call, KEYS, NOW_MS).query == "ordType=conditional%2Coco&limit=100"
    ours.call(call, KEYS)
    assert wire.requests[0].url.raw_path.decode().endswith("?ordType=conditional%2Coco&limit=100")


def test_public_calls_carry_no_key():
    ours, _ = venue(NOTHING)
    assert not ours.sign(Call("GET", "/api/v5/public/time", signed=False), KEYS, NOW_MS).headers


# -- ids ---------------------------------------------------------------------------------------------------


def test_two_client_ids_make_one_of_a_pair():
    ours, _ = venue(NOTHING)
    ids = [ours.client_id(f"{number:026d}") for number in range(1000)]
    assert len(set(ids)) == 1000
    assert {len(each) for each in ids} == {16}
    assert all(each.isalnum() and each.islower() for each in ids)


def legs(**changes: Any) -> Legs:
    found = case("okx_f", "linked legs")
    assert found is not None
    both = {which: order("okx_f", found["legs"][which]) for which in ("stop", "target")}
    return Legs(**{which: replace(each, **changes.get(which, {})) for which, each in both.items()})


@pytest.mark.parametrize(
    "changes",
    [
        {"target": {"quantity": Decimal(2)}},
        {"target": {"type": OrderType.MARKET}},
        {"stop": {"type": OrderType.LIMIT}},
        {"stop": {"position_side": "long"}},
        {"target": {"side": "buy"}},
        {"stop": {"client_id": "short"}},
        {"target": {"client_id": "one-that-is-too-long-for-two"}},
    ],
)
def test_legs_that_cannot_be_one_order_are_refused_before_sending(changes):
    ours, wire = venue({"code": "0", "data": []})
    with pytest.raises(Unsupported):
        ours.protect_call(legs(**changes))
    assert wire.requests == []


def test_a_pair_that_a_stranger_named_keeps_its_name_for_the_stop():
    found = case("okx", "open orders")
    assert found is not None
    (pair, _) = found["exchange"][1]["answer"]["body"]["data"]
    ours, _ = venue(NOTHING, name="okx")
    stop, target = ours.read_algo(pair | {"algoClOrdId": "mine"}).values()
    assert (stop.client_id, target.client_id) == ("mine", "")
    assert stop.exchange_id != target.exchange_id


# -- refused before sending --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("okx_f", {"side": "buy", "type": "market", "quantity": "1", "post_only": True}),
        ("okx_f", {"side": "buy", "type": "market", "quote_quantity": "100"}),
        ("okx_f", CLOSE | {"type": "stop_limit", "price": "9", "trigger_price": "9", "time_in_force": "fok"}),
        ("okx_f", CLOSE | {"type": "stop_limit", "price": "9", "trigger_price": "9", "post_only": True}),
        (
            "okx",
            {"side": "sell", "type": "stop", "quantity": "1", "trigger_price": "9", "trigger_by": "mark"},
        ),
        ("okx", {"side": "buy", "type": "limit", "quote_quantity": "100", "price": "9"}),
        ("okx", {"side": "sell", "type": "market", "quote_quantity": "100"}),
    ],
)
def test_what_okx_would_misread_is_refused_before_sending(name, words):
    ours, wire = venue(PLACED, name=name)
    with pytest.raises(Unsupported):
        ours.place(KEYS, order(name, words))
    assert [each for each in wire.requests if each.method == "POST"] == []


# -- margin modes ------------------------------------------------------------------------------------------


def modes(wire: Answers) -> list[str]:
    """tdMode of each order sent, "?" for a look at the positions."""
    asked = [httpx.Response(200, content=each.content or b"{}").json() for each in wire.requests]
    return [each.get("tdMode", "?") for each in asked]


def test_a_close_goes_where_the_entry_went_without_asking():
    ours, wire = venue(PLACED)
    ours.place(KEYS, order("okx_f", BUY | {"margin_mode": "isolated"}))
    ours.place(KEYS, order("okx_f", CLOSE))
    assert modes(wire) == ["isolated", "isolated"]


@pytest.mark.parametrize(
    ("side", "position_side", "asked"),
    [
        ("buy", "long", ["cross"]),
        ("sell", "short", ["cross"]),
        ("sell", "long", ["?", "cross"]),
        ("buy", "short", ["?", "cross"]),
    ],
)
def test_in_hedge_mode_only_what_closes_asks_for_the_position(side, position_side, asked):
    ours, wire = venue(NOTHING, PLACED) if len(asked) == 2 else venue(PLACED)
    words = {"side": side, "type": "market", "quantity": "0.1", "position_side": position_side}
    ours.place(KEYS, order("okx_f", words))
    assert modes(wire) == asked


def test_a_stop_entry_that_waits_says_nothing_of_the_position():
    ours, wire = venue(PLACED, NOTHING, PLACED)
    stop = {"side": "buy", "type": "stop", "quantity": "0.1", "trigger_price": "60000"}
    ours.place(KEYS, order("okx_f", stop | {"margin_mode": "isolated"}))
    ours.place(KEYS, order("okx_f", CLOSE))
    assert modes(wire) == ["isolated", "?", "cross"]


def test_the_mode_of_one_account_is_not_that_of_another():
    ours, wire = venue(PLACED, NOTHING, PLACED)
    ours.place(KEYS, order("okx_f", BUY | {"margin_mode": "isolated"}))
    ours.place(OTHER, order("okx_f", CLOSE))
    assert modes(wire) == ["isolated", "?", "cross"]


def test_a_look_at_the_positions_is_remembered():
    found = case("okx_f", "position long")
    assert found is not None
    row = found["exchange"][0]["answer"]["body"]["data"][0]
    ours, wire = venue({"code": "0", "data": [row | {"mgnMode": "isolated"}]}, PLACED)
    (position,) = ours.positions(KEYS, instrument("okx_f"))
    ours.place(KEYS, order("okx_f", CLOSE))
    assert position.margin_mode is MarginMode.ISOLATED
    assert modes(wire) == ["?", "isolated"]


# -- lists and limits --------------------------------------------------------------------------------------


def test_open_orders_are_read_page_by_page_backwards():
    found = case("okx", "open orders")
    assert found is not None
    row = found["exchange"][0]["answer"]["body"]["data"][0]
    pages = [
        {"code": "0", "data": [row | {"ordId": str(number)} for number in numbers]}
        for numbers in (range(300, 200, -1), range(200, 100, -1), range(100, 98, -1))
    ]
    ours, wire = venue(*pages, NOTHING, name="okx")
    listed = ours.open_orders(KEYS)
    assert [each.exchange_id for each in listed] == [str(number) for number in range(300, 98, -1)]
    assert [each.url.params.get("after") for each in wire.requests] == [None, "201", "101", None, None]


def test_a_key_over_its_limit_does_not_hold_up_another_key():
    slow = {"code": "1", "data": [{"ordId": "", "sCode": "50061", "sMsg": "limit"}], "msg": ""}
    ours, _ = venue(slow, PLACED)
    with pytest.raises(Throttled):
        ours.place(KEYS, order("okx_f", BUY))
    with pytest.raises(NotSent):
        ours.place(KEYS, order("okx_f", BUY))
    assert ours.place(OTHER, order("okx_f", BUY)).exchange_id == "1"


def test_a_stop_may_use_what_is_kept_back_from_queries():
    ours, _ = venue(PLACED)
    stop: dict[str, Any] = {"side": "buy", "type": "stop", "quantity": "0.1", "trigger_price": "60000"}
    stop |= {"reduce_only": True, "margin_mode": "cross"}
    for number in range(20):
        ours.place(KEYS, order("okx_f", stop | {"client_id": f"stop{number}"}))
    with pytest.raises(NotSent):
        ours.place(KEYS, order("okx_f", stop))


def test_the_hint_says_where_a_key_belongs():
    ours, _ = venue(httpx.Response(401, json={"code": "50119", "msg": "API key doesn't exist", "data": []}))
    with pytest.raises(Exception, match="regional site"):
        ours.key_info(KEYS)


def test_a_leg_is_cancelled_by_the_id_of_its_pair():
    ours, wire = venue(PLACED)
    ours.cancel(KEYS, instrument("okx_f"), OrderRef("its-own", "77:tp", conditional=True))
    assert b'"algoId":"77"' in wire.requests[0].content
    assert b"its-own" not in wire.requests[0].content


# -- several orders in one request -------------------------------------------------------------------------


def batch_of(words: dict[str, Any], count: int = 2) -> list[Any]:
    return [order("okx_f", words | {"client_id": f"f{number}"}) for number in range(count)]


def rows(*codes: str) -> dict[str, Any]:
    told = [{"clOrdId": f"f{n}", "ordId": str(n + 1), "sCode": code} for n, code in enumerate(codes)]
    return {"code": "0" if set(codes) == {"0"} else "2", "data": told, "msg": ""}


def test_a_batch_that_closes_is_not_sent_when_its_position_cannot_be_read():
    ours, wire = venue(httpx.Response(502, text="<html>502</html>"))
    told = ours.place_many(KEYS, batch_of(CLOSE))
    assert [type(each) for each in told] == [NotSent] * 2
    assert [request.url.path for request in wire.requests] == ["/api/v5/account/positions"]


def test_what_a_batch_opened_is_closed_in_its_mode_without_asking():
    ours, wire = venue(rows("51008", "0"), PLACED)
    ours.place_many(KEYS, batch_of(BUY | {"margin_mode": "isolated"}))
    ours.place(KEYS, order("okx_f", CLOSE))
    assert json.loads(wire.requests[-1].content)["tdMode"] == "isolated"
    assert len(wire.requests) == 2


def test_what_a_batch_was_refused_tells_no_mode():
    ours, wire = venue(rows("51008", "51008"), NOTHING, PLACED)
    ours.place_many(KEYS, batch_of(BUY | {"margin_mode": "isolated"}))
    ours.place(KEYS, order("okx_f", CLOSE))
    assert [request.url.path.rpartition("/")[2] for request in wire.requests] == [
        "batch-orders",
        "positions",
        "order",
    ]


def test_a_rate_refusal_within_a_batch_stops_batches_and_not_single_orders():
    ours, _ = venue(rows("0", "50061"), PLACED)
    told = ours.place_many(KEYS, batch_of(BUY))
    assert isinstance(told[1], Throttled)
    assert [type(each) for each in ours.place_many(KEYS, batch_of(BUY))] == [NotSent] * 2
    assert ours.place(KEYS, order("okx_f", BUY)).exchange_id == "1"
