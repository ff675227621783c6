"""What only Deribit does and the contract suite cannot show: signatures, labels, pairs, reasons, limits."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from exchanges.errors import AuthRefused, OrderNotFound, OutcomeUnknown, Unsupported
from exchanges.limits import Priority
from exchanges.transport import Answer
from exchanges.types import Credentials, Legs, MarginMode, OrderRef, OrderType, Product
from exchanges.venue import Call
from exchanges.venues.deribit import AUTH, DeribitFutures
from tests.exchanges.contract import NOW_MS, case, instrument, open_venue, order

KEYS = Credentials("the-key", "the-secret")
MARKET = {"side": "buy", "type": "market", "quantity": "0.01"}
LIMIT = MARKET | {"type": "limit", "price": "40000"}
STOP = {"side": "sell", "type": "stop", "quantity": "0.01", "trigger_price": "49000", "reduce_only": True}
TARGET = STOP | {"type": "take_profit", "trigger_price": "52000"}


class Answers:
    """Gives each answer once, the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    @property
    def asked(self) -> list[tuple[str, dict[str, str]]]:
        return [(each.url.path.rpartition("/")[2], dict(each.url.params)) for each in self.requests]


def venue(*answers: Any, name: str = "deribit_f") -> tuple[Any, Answers]:
    wire = Answers(*answers)
    return open_venue(name, wire), wire


def told(result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "result": result}


def answered(name: str, wanted: str, step: int = 0) -> Any:
    found = case(name, wanted)
    assert found is not None
    return found["exchange"][step]["answer"]["body"]


def legs(stop: dict[str, Any] = STOP, target: dict[str, Any] = TARGET) -> Legs:
    return Legs(order("deribit_f", stop), order("deribit_f", target | {"client_id": "f-target"}))


# -- signing -----------------------------------------------------------------------------------------------


def credential(request: Any) -> dict[str, str]:
    scheme, _, parts = request.headers["Authorization"].partition(" ")
    assert scheme == "deri-hmac-sha256"
    return dict(part.split("=", 1) for part in parts.split(","))


def test_no_nonce_is_used_twice_at_one_moment():
    ours, _ = venue({})
    call = ours.place_call(order("deribit_f", MARKET))
    signed = [credential(ours.sign(call, KEYS, NOW_MS)) for _ in range(3)]
    assert [each["nonce"] for each in signed] == [str(NOW_MS + number) for number in range(3)]
    assert {each["ts"] for each in signed} == {str(NOW_MS)}
    assert len({each["sig"] for each in signed}) == 3


def test_the_body_of_a_pair_is_signed_and_has_numbers_as_numbers():
    ours, _ = venue({})
    stop = STOP | {"quantity": "0.0100", "trigger_price": "1E+4"}
    request = ours.sign(ours.protect_call(legs(stop)), KEYS, NOW_MS)
    assert (request.method, request.path, request.query) == ("POST", "/api/v2/private/sell", "")
    assert b'"amount":0.01,' in request.body
    assert b'"trigger_price":10000,' in request.body
    body = json.loads(request.body)
    assert (body["method"], body["params"]["otoco_config"][0]["label"]) == ("private/sell", "f-target")
    other = replace(ours.protect_call(legs(stop)), params=body["params"] | {"label": "another"})
    fresh, again = open_venue("deribit_f", Answers({})), open_venue("deribit_f", Answers({}))
    first = credential(fresh.sign(ours.protect_call(legs(stop)), KEYS, NOW_MS))
    assert credential(again.sign(other, KEYS, NOW_MS))["sig"] != first["sig"]


def test_the_key_check_proves_the_secret_and_does_not_send_it():
    ours, _ = venue({})
    request = ours.sign(Call("GET", AUTH), KEYS, NOW_MS)
    sent = dict(parse_qsl(request.query))
    assert sent.pop("signature") == "360460af4d2ece6d932397119dba128b34cee849f928a554c5e72be082e81015"
    assert sent == {
        "grant_type": "client_signature",
        "client_id": "the-key",
        "timestamp": str(NOW_MS),
        "nonce": str(NOW_MS),
    }
    assert "Authorization" not in request.headers


def test_a_signed_call_without_a_key_is_refused_before_sending():
    ours, _ = venue({})
    with pytest.raises(AuthRefused):
        ours.sign(ours.place_call(order("deribit_f", MARKET)), None, NOW_MS)
    assert ours.sign(Call("GET", "/api/v2/public/get_time", signed=False), None, NOW_MS).headers == {}


# -- orders ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "priority"),
    [
        (MARKET, Priority.ENTRY),
        (MARKET | {"reduce_only": True}, Priority.PROTECT),
        (STOP | {"reduce_only": False}, Priority.ENTRY),  # it opens
        (STOP | {"reduce_only": True}, Priority.PROTECT),
    ],
)
def test_what_protects_goes_first(words, priority):
    ours, _ = venue({})
    assert ours.place_call(order("deribit_f", words)).priority is priority


@pytest.mark.parametrize(
    "words",
    [
        MARKET | {"post_only": True},
        MARKET | {"time_in_force": "ioc"},
        STOP | {"time_in_force": "fok"},
        LIMIT | {"post_only": True, "time_in_force": "ioc"},
        LIMIT | {"margin_mode": "isolated"},
        LIMIT | {"position_side": "long"},
    ],
)
def test_what_deribit_cannot_do_is_refused_before_sending(words):
    ours, wire = venue({})
    with pytest.raises(Unsupported):
        ours.place(KEYS, order("deribit_f", words))
    assert wire.requests == []


@pytest.mark.parametrize(
    "pair",
    [
        (TARGET, TARGET),
        (STOP, STOP),
        (STOP, TARGET | {"side": "buy"}),
        (STOP, MARKET | {"side": "sell"}),
        (STOP | {"margin_mode": "isolated"}, TARGET),
    ],
)
def test_a_pair_is_a_stop_and_a_target_of_one_side(pair):
    ours, wire = venue({})
    with pytest.raises(Unsupported):
        ours.protect(KEYS, legs(*pair))
    assert wire.requests == []


def test_a_pair_with_a_resting_target_says_its_price():
    ours, _ = venue({})
    target = {**TARGET, "type": "limit", "price": "52000", "trigger_price": None}
    target.pop("trigger_price")
    config = ours.protect_call(legs(target=target)).params["otoco_config"][0]
    assert config == {
        "direction": "sell",
        "amount": Decimal("0.01"),
        "type": "limit",
        "price": Decimal(52000),
        "reduce_only": True,
        "label": "f-target",
    }


def test_the_answer_of_a_pair_that_says_nothing_leaves_it_unknown():
    ours, wire = venue(told({"trades": [], "order": {}}))
    with pytest.raises(OutcomeUnknown):
        ours.protect(KEYS, legs())
    assert len(wire.requests) == 1


def test_fees_in_two_currencies_are_told_as_none():
    answer = answered("deribit", "place market")
    first = answer["result"]["trades"][0]
    answer = told(answer["result"] | {"trades": [first, first | {"fee_currency": "BTC"}]})
    ours, _ = venue(answer, name="deribit")
    assert ours.place(KEYS, order("deribit", MARKET)).fee is None


def test_a_rebate_is_a_fee_below_zero():
    answer = answered("deribit_f", "place market")
    first = answer["result"]["trades"][0]
    answer = told(answer["result"] | {"trades": [first | {"fee": -0.1}, first | {"fee": -0.2}]})
    ours, _ = venue(answer)
    placed = ours.place(KEYS, order("deribit_f", MARKET))
    assert (placed.fee.amount, placed.fee.asset) == (Decimal("-0.3"), "USDC")


def test_an_order_made_by_hand_is_listed_whatever_its_kind():
    row = answered("deribit_f", "place limit")["result"]["order"]
    trailing = {**row, "order_type": "trailing_stop", "order_state": "untriggered", "price": "market_price"}
    ours, _ = venue(told([row | {"order_type": "market_limit"}, trailing | {"label": ""}]))
    first, second = ours.open_orders(KEYS)
    assert (first.type, second.type) == (OrderType.MARKET, OrderType.STOP)
    assert (second.client_id, second.trigger_price, second.price) == ("", None, None)


def test_legs_are_not_told_apart_by_a_missing_label():
    row = answered("deribit_f", "place limit")["result"]["order"]
    ours, _ = venue(told([row | {"label": ""}]))
    (found,) = ours.open_orders(KEYS)
    assert ours.linked(found) is False


@pytest.mark.parametrize("rows", [[42], ["text"], [None], [[]], {"orders": []}, None])
def test_rows_of_nothing_known_are_an_unknown_outcome(rows):
    for ask in (
        lambda ours: ours.open_orders(KEYS),
        lambda ours: ours.positions(KEYS),
        lambda ours: ours.instruments(),
        lambda ours: ours.fetch(KEYS, instrument("deribit_f"), OrderRef("label")),
    ):
        ours, _ = venue(told(rows))
        with pytest.raises(OutcomeUnknown):
            ask(ours)


# -- where orders are filed --------------------------------------------------------------------------------


def test_a_spot_order_is_unknown_only_when_no_currency_of_its_pair_knows_it():
    ours, wire = venue(told([]), name="deribit")
    with pytest.raises(OrderNotFound):
        ours.fetch(KEYS, instrument("deribit"), OrderRef("mine"))
    assert [params["currency"] for _, params in wire.asked] == ["USDC", "BTC"]


def test_a_coin_without_an_account_of_its_own_is_not_asked_about():
    ours, wire = venue(told([]), name="deribit")
    sol = replace(instrument("deribit"), symbol="SOL_USDC", base="SOL")
    with pytest.raises(OrderNotFound):
        ours.fetch(KEYS, sol, OrderRef("mine"))
    with pytest.raises(OutcomeUnknown):
        ours.cancel(KEYS, sol, OrderRef("mine"))
    assert [params["currency"] for _, params in wire.asked] == ["USDC", "USDC"]


def test_a_label_is_cancelled_in_every_currency_where_it_may_be_filed():
    ours, wire = venue(told(1), name="deribit")
    ours.cancel(KEYS, instrument("deribit"), OrderRef("mine", "USDC-1"))
    assert wire.asked == [("cancel_by_label", {"label": "mine"})]


# -- errors and limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (
            {"code": 13009, "message": "unauthorized", "data": {"reason": "timestamp_too_old"}},
            "13009:timestamp",
        ),
        ({"code": 13009, "message": "unauthorized", "data": {"reason": "bad scope"}}, "13009"),
        ({"code": 11030, "message": "other_reject", "data": "reduce_only"}, "11030:reduce_only"),
        ({"code": -32602, "message": "Invalid params"}, "-32602"),
        ({}, ""),
    ],
)
def test_the_reason_makes_a_code_of_many_complaints_one(fault, code):
    ours, _ = venue({})
    assert ours.error_code(Answer(400, {}, {"error": fault}))[0] == code


def test_an_error_that_is_no_object_is_no_answer():
    ours, _ = venue({})
    assert ours.error_code(Answer(200, {}, {"error": "broken", "result": 1})) == (
        "",
        "the answer has no result",
    )
    assert ours.error_code(Answer(200, {}, {"error": None, "result": 1})) is None


def test_a_refresh_of_the_instruments_fits_its_own_limit():
    bucket = DeribitFutures.buckets["instruments"]
    assert bucket.allowed(Priority.QUERY) >= 1


def test_cross_margin_is_no_setting_and_everything_else_is_refused():
    ours, wire = venue({})
    ours.set_leverage(KEYS, instrument("deribit_f"), None, MarginMode.CROSS)
    for leverage, mode in ((Decimal(5), None), (Decimal(5), MarginMode.CROSS), (None, MarginMode.ISOLATED)):
        with pytest.raises(Unsupported):
            ours.set_leverage(KEYS, instrument("deribit_f"), leverage, mode)
    assert wire.requests == []
    assert instrument("deribit_f").product is Product.LINEAR
