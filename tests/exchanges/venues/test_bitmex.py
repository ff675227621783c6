"""What only BitMEX does and the contract suite cannot show: numbers in JSON, words as codes, contracts, products."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from exchanges.errors import NotSent, OrderNotFound, OutcomeUnknown, Refused, Throttled, Unsupported
from exchanges.limits import Scope
from exchanges.transport import Answer
from exchanges.types import Credentials, MarginMode, OrderRef
from exchanges.venue import Call
from tests.exchanges.contract import NOW_MS, case, fixture, instrument, open_venue, order

KEYS = Credentials("the-key", "the-secret")
BUY = {"side": "buy", "type": "limit", "quantity": "0.01", "price": "40000"}
MARKET = {"side": "buy", "type": "market", "quantity": "0.01"}
STOP = {"side": "sell", "type": "stop", "quantity": "0.01", "trigger_price": "49000"}


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
    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]


def venue(*answers: Any, name: str = "bitmex_f") -> tuple[Any, Answers]:
    wire = Answers(*answers)
    return open_venue(name, wire), wire


def answered(name: str, wanted: str, step: int = 0) -> Any:
    found = case(name, wanted)
    assert found is not None
    return found["exchange"][step]["answer"]["body"]


ACTIVE = answered("bitmex_f", "instruments")
ORDER = answered("bitmex_f", "place limit")


# -- signing -----------------------------------------------------------------------------------------------


def test_numbers_are_written_as_numbers_with_all_their_digits():
    ours, _ = venue({})
    params = {
        "orderQty": 10,
        "price": Decimal("1E-8"),
        "stopPx": Decimal("50000.10"),
        "enabled": True,
        "symbol": 'a"b',
    }
    body = ours.sign(Call("POST", "/api/v1/order", params), KEYS, NOW_MS).body.decode()
    assert body == '{"orderQty":10,"price":0.00000001,"stopPx":50000.10,"enabled":true,"symbol":"a\\"b"}'


def test_a_request_expires_seconds_after_its_signing():
    ours, _ = venue({})
    headers = ours.sign(Call("GET", "/api/v1/order"), KEYS, NOW_MS + 999).headers
    assert headers["api-expires"] == str(NOW_MS // 1000 + 5)


def test_public_calls_carry_no_key():
    ours, wire = venue(ACTIVE)
    ours.instruments()
    assert not {name for name in wire.requests[0].headers if name.startswith("api-")}


# -- orders ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        MARKET | {"post_only": True},
        STOP | {"post_only": True},
        STOP | {"time_in_force": "ioc"},
        MARKET | {"time_in_force": "fok"},
        BUY | {"post_only": True, "time_in_force": "ioc"},
        BUY | {"quantity": "0.0000005"},
        {"side": "buy", "type": "market", "quote_quantity": "100"},
    ],
)
@pytest.mark.parametrize("name", ["bitmex", "bitmex_f"])
def test_what_bitmex_cannot_do_is_refused_before_sending(name, words):
    ours, wire = venue({}, name=name)
    if name == "bitmex" and words.get("quantity") == "0.0000005":
        words = words | {"quantity": "0.000000005"}
    with pytest.raises(Unsupported):
        ours.place(KEYS, order(name, words))
    assert wire.requests == []


@pytest.mark.parametrize("words", [{"trigger_by": "mark"}, {"trigger_by": "index"}])
def test_spot_triggers_by_the_last_price_only(words):
    ours, wire = venue({}, name="bitmex")
    with pytest.raises(Unsupported):
        ours.place(KEYS, order("bitmex", STOP | words))
    assert wire.requests == []


def test_a_stop_always_names_the_price_that_triggers_it():
    ours, _ = venue({})
    for by, word in (("last", "LastPrice"), ("mark", "MarkPrice"), ("index", "IndexPrice")):
        call = ours.place_call(order("bitmex_f", STOP | {"trigger_by": by}))
        assert call.params["execInst"] == word


def test_coins_are_counted_in_contracts_both_ways():
    ours, wire = venue(ORDER | {"orderQty": 123400, "cumQty": 100, "leavesQty": 123300, "avgPx": 40000.5})
    report = ours.place(KEYS, order("bitmex_f", BUY | {"quantity": "0.1234"}))
    assert json.loads(wire.requests[0].content)["orderQty"] == 123400
    assert (report.quantity, report.filled) == (Decimal("0.1234"), Decimal("0.0001"))


def test_an_order_that_was_partly_filled_before_its_cancellation_is_no_refusal():
    text = "Canceled: Order had execInst of Close or ReduceOnly but current position is 0\nSubmitted via API."
    ours, _ = venue(ORDER | {"ordStatus": "Canceled", "cumQty": 100, "avgPx": 40000, "text": text})
    report = ours.place(KEYS, order("bitmex_f", BUY))
    assert (report.status, report.filled) == ("cancelled", Decimal("0.0001"))


def test_protection_goes_first_when_requests_are_few():
    ours, _ = venue({})
    closing = STOP | {"reduce_only": True}
    opening = STOP | {"reduce_only": False}
    asked = [ours.place_call(order("bitmex_f", words)).priority.name for words in (MARKET, closing, opening)]
    assert asked == ["ENTRY", "PROTECT", "ENTRY"]
    assert ours.place_call(order("bitmex_f", MARKET | {"reduce_only": True})).priority.name == "PROTECT"


def test_all_orders_of_a_symbol_are_cancelled_by_one_call():
    ours, wire = venue([ORDER | {"ordStatus": "Canceled"}])
    ours.cancel_all(KEYS, instrument("bitmex_f"))
    (request,) = wire.requests
    assert (request.method, request.url.path) == ("DELETE", "/api/v1/order/all")
    assert json.loads(request.content) == {"symbol": "XBTUSDT"}


def test_a_cancel_answered_with_nothing_known_is_an_unknown_outcome():
    answers: list[Any] = [[], [{}], [7], {"ordStatus": "Canceled"}, [{"error": 7.5}]]
    for answer in answers:
        ours, _ = venue(answer)
        with pytest.raises(OutcomeUnknown):
            ours.cancel(KEYS, instrument("bitmex_f"), OrderRef("mine"))


# -- lists -------------------------------------------------------------------------------------------------


def test_open_orders_are_read_page_by_page():
    many = [ORDER | {"orderID": f"order-{number}"} for number in range(501)]
    ours, wire = venue(many[:500], many[500:])
    found = ours.open_orders(KEYS, instrument("bitmex_f"))
    assert [each.exchange_id for each in found] == [f"order-{number}" for number in range(501)]
    assert [request.url.params["start"] for request in wire.requests] == ["0", "500"]


def test_instruments_are_asked_for_once_whatever_the_lists_name():
    """Of another product, and of none: an unlisted symbol is not asked about at every look."""
    rows = [ORDER, ORDER | {"symbol": "XBTUSD"}, ORDER | {"symbol": "LUNAUSDT"}]
    ours, wire = venue(rows, ACTIVE, rows)
    for _ in range(3):
        assert [each.symbol for each in ours.open_orders(KEYS)] == ["XBTUSDT"]
    assert wire.paths.count("/api/v1/instrument/active") == 1


def test_the_scale_of_money_is_asked_for_once():
    steps = [answered("bitmex_f", "balances", step) for step in (0, 1)]
    ours, wire = venue(*steps, steps[0])
    assert ours.balances(KEYS) == ours.balances(KEYS)
    assert wire.paths.count("/api/v1/wallet/assets") == 1


def test_a_spot_market_of_two_measures_is_not_traded():
    """Its contract is not the smallest unit of its coin: one of the two ways to count is wrong."""
    ours, _ = venue(answered("bitmex", "instruments"), answered("bitmex", "instruments", 1), name="bitmex")
    assert [each.symbol for each in ours.instruments()] == ["XBT_USDT"]


@pytest.mark.parametrize(
    ("told", "locked"),
    [
        ({"cidr": "192.0.2.7/32"}, True),
        ({"cidr": ""}, False),
        ({"cidr": "0.0.0.0/0"}, False),
        ({"cidrs": ["192.0.2.7/32", "192.0.2.8/32"]}, True),
        ({"cidrs": ["192.0.2.7/32", "0.0.0.0/0"]}, False),
        ({"cidrs": [], "cidr": ""}, False),
        ({}, None),
    ],
)
def test_a_key_is_locked_to_addresses_when_none_of_them_is_everywhere(told, locked):
    ours, _ = venue([{"id": "the-key", "permissions": ["order"], **told}])
    assert ours.key_info(KEYS).ip_locked is locked


@pytest.mark.parametrize(
    "other",
    [{"isInverse": True}, {"isQuanto": True}, {"settlCurrency": "XBt"}, {"typ": "FFCCSX"}, {"typ": "IFXXXP"}],
)
def test_only_perpetuals_that_pay_out_in_dollars_are_traded(other):
    ours, _ = venue([ACTIVE[0], ACTIVE[0] | {"symbol": "OTHER"} | other])
    assert [each.symbol for each in ours.instruments()] == ["XBTUSDT"]


def test_of_several_orders_with_one_name_the_newest_counts():
    ours, wire = venue([ORDER | {"orderID": "newest"}, ORDER | {"orderID": "older"}])
    assert ours.fetch(KEYS, instrument("bitmex_f"), OrderRef("mine")).exchange_id == "newest"
    assert wire.requests[0].url.params["reverse"] == "true"


def test_the_strategy_of_a_position_tells_its_side_whatever_the_sign():
    (row,) = answered("bitmex_f", "position short")
    ours, _ = venue([row | {"strategy": "Short", "currentQty": 10000}])
    assert ours.positions(KEYS, instrument("bitmex_f"))[0].direction == "short"


@pytest.mark.parametrize("answer", [{}, {"error": "no"}, [], {"leverage": 5}])
def test_a_setting_answered_with_nothing_known_is_an_unknown_outcome(answer):
    ours, _ = venue(answer)
    with pytest.raises(OutcomeUnknown):
        ours.set_leverage(KEYS, instrument("bitmex_f"), Decimal(5), MarginMode.ISOLATED)


# -- limits ------------------------------------------------------------------------------------------------


def test_the_answer_tells_how_much_of_each_limit_is_used():
    ours, _ = venue({})
    headers = {"x-ratelimit-limit": "120", "x-ratelimit-remaining": "100", "x-ratelimit-remaining-1s": "7"}
    assert ours.usage(Answer(200, headers, {})) == {"requests": 20, "public": 0, "orders": 3}
    assert ours.usage(Answer(200, {"x-ratelimit-remaining": "x"}, {})) == {}


def test_an_overload_keeps_the_key_away_for_half_a_second_and_not_everybody():
    message = {
        "error": {
            "message": "The system is currently overloaded. Please try again later.",
            "name": "HTTPError",
        }
    }
    ours, wire = venue(httpx.Response(503, json=message))
    with pytest.raises(Throttled):
        ours.place(KEYS, order("bitmex_f", MARKET))
    with pytest.raises(NotSent) as caught:
        ours.place(KEYS, order("bitmex_f", MARKET))
    assert caught.value.retry_after == pytest.approx(0.5)
    assert len(wire.requests) == 1
    assert ours.throttles["overloaded"] is Scope.KEY


@pytest.mark.parametrize("error", ["busy", {"message": None}, [], 7])
def test_an_error_in_another_shape_is_still_an_error(error):
    ours, _ = venue(httpx.Response(400, json={"error": error}))
    with pytest.raises((Refused, OutcomeUnknown)):
        ours.place(KEYS, order("bitmex_f", MARKET))


def test_both_products_tell_the_same_kinds_of_refusal():
    codes = {
        name: {each["code"] for each in fixture(name)["cases"].values() if "code" in each}
        for name in ("bitmex", "bitmex_f")
    }
    assert codes["bitmex"] <= codes["bitmex_f"]


def test_leverage_may_have_decimals():
    ours, wire = venue(answered("bitmex_f", "set leverage"))
    ours.set_leverage(KEYS, instrument("bitmex_f"), Decimal("2.5"), MarginMode.ISOLATED)
    assert json.loads(wire.requests[0].content) == {"symbol": "XBTUSDT", "leverage": 2.5}


def test_the_size_of_an_instrument_given_needs_no_list():
    ours, wire = venue([ORDER])
    fine = replace(instrument("bitmex_f"), contract_size=Decimal("0.001"))
    assert ours.open_orders(KEYS, fine)[0].quantity == 10
    assert wire.paths == ["/api/v1/order"]


@pytest.mark.parametrize(("action", "error"), [("cancel", OrderNotFound), ("fetch", Refused)])
def test_only_a_cancel_takes_not_found_for_an_order_that_is_gone(action, error):
    missing = {"error": {"message": "Not Found", "name": "HTTPError"}}
    ours, _ = venue(httpx.Response(404, json=missing))
    with pytest.raises(Refused) as caught:
        getattr(ours, action)(KEYS, instrument("bitmex_f"), OrderRef("f01"))
    assert type(caught.value) is error
