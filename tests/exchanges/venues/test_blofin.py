"""What only BloFin does and the contract suite cannot show: nonces, ids of pairs, pages, margin modes, limits."""

import base64
import hashlib
import hmac
import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from exchanges.errors import AuthRefused, NotSent, OutcomeUnknown, Throttled, Unsupported
from exchanges.transport import Answer
from exchanges.types import Credentials, Environment, Legs, MarginMode, OrderRef, OrderType
from exchanges.venue import Call, key_digest
from exchanges.venues.blofin import BloFinFutures
from tests.exchanges.contract import NOW_MS, case, instrument, open_venue, order

NAME = "blofin_f"
KEYS, OTHER = Credentials("the-key", "secret", "words"), Credentials("another-key", "secret", "words")
TAKEN = {"code": "0", "msg": "", "data": [{"orderId": "1", "clientOrderId": "", "code": "0", "msg": ""}]}
WAITS = {"code": "0", "msg": "", "data": {"tpslId": "2", "clientOrderId": "", "code": "0", "msg": None}}
NOTHING = {"code": "0", "msg": "", "data": []}
BUY = {"side": "buy", "type": "limit", "quantity": "0.1", "price": "40000"}
CLOSE = {"side": "sell", "type": "market", "quantity": "0.1", "reduce_only": True}
STOP = {"side": "buy", "type": "stop", "quantity": "0.1", "trigger_price": "60000"}


class Answers:
    """Gives each answer once, the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


def venue(*answers: Any) -> tuple[Any, Answers]:
    wire = Answers(*answers)
    return open_venue(NAME, wire), wire


def answered(wanted: str, row: int | None = None, answer: int = 0) -> Any:
    """The data of an answer of the contract suite."""
    found = case(NAME, wanted)
    assert found is not None
    data = found["exchange"][answer]["answer"]["body"]["data"]
    return data if row is None else data[row]


# -- signing -----------------------------------------------------------------------------------------------


def test_no_two_requests_of_the_same_moment_have_one_nonce():
    ours, _ = venue(NOTHING)
    call = Call("GET", "/api/v1/account/balance")
    nonces = {ours.sign(call, KEYS, NOW_MS).headers["ACCESS-NONCE"] for _ in range(100)}
    assert len(nonces) == 100
    assert all(re.fullmatch(r"[0-9a-f]{32}", nonce) for nonce in nonces)


def test_what_is_asked_is_signed_as_it_stands_in_the_address():
    ours, wire = venue(NOTHING)
    ours.call(Call("GET", "/api/v1/trade/orders-pending", {"instId": "BTC-USDT", "limit": 100}), KEYS)
    (sent,) = wire.requests
    written = "/api/v1/trade/orders-pending?instId=BTC-USDT&limit=100GET"
    written += sent.headers["ACCESS-TIMESTAMP"] + sent.headers["ACCESS-NONCE"]
    digits = hmac.new(b"secret", written.encode(), hashlib.sha256).hexdigest()
    assert base64.b64decode(sent.headers["ACCESS-SIGN"]).decode() == digits


def test_public_calls_carry_no_key():
    ours, _ = venue(NOTHING)
    assert not ours.sign(Call("GET", "/api/v1/market/tickers", signed=False), KEYS, NOW_MS).headers


def test_no_order_names_a_broker():
    ours, wire = venue(TAKEN)
    ours.place(KEYS, order(NAME, BUY))
    assert b"broker" not in wire.requests[0].content.lower()


def test_the_demo_has_a_host_of_its_own():
    urls = BloFinFutures.base_urls
    assert urls[Environment.LIVE] != urls[Environment.TESTNET]


# -- ids ---------------------------------------------------------------------------------------------------


def test_two_client_ids_make_one_of_a_pair():
    ids = [BloFinFutures.client_id(f"{number:026d}") for number in range(1000)]
    assert len(set(ids)) == 1000
    assert all(re.fullmatch(r"[a-z0-9]{16}", each) for each in ids)
    assert ids == [BloFinFutures.client_id(f"{number:026d}") for number in range(1000)]


def legs(**changes: Any) -> Legs:
    found = case(NAME, "linked legs")
    assert found is not None
    both = {which: order(NAME, found["legs"][which]) for which in ("stop", "target")}
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
    ours, wire = venue(WAITS)
    with pytest.raises(Unsupported):
        ours.protect(KEYS, legs(**changes))
    assert wire.requests == []


def test_a_target_at_a_limit_price_becomes_a_leg_that_triggers_there():
    ours, wire = venue(NOTHING, WAITS)
    target = {"type": OrderType.LIMIT, "price": Decimal(52000), "trigger_price": None}
    _, placed = ours.protect(KEYS, legs(target=target))
    sent = httpx.Response(200, content=wire.requests[-1].content).json()
    assert (sent["tpTriggerPrice"], sent["tpOrderPrice"]) == ("52000", "52000")
    assert not placed.acknowledged_only


def test_a_pair_that_a_stranger_named_keeps_its_name_for_the_stop():
    ours, _ = venue(answered("instruments"))
    ours._sizes["BTC-USDT"] = Decimal("0.001")
    stop, target = ours.read_waiting(answered("open orders", 1, 1) | {"clientOrderId": "mine"}).values()
    assert (stop.client_id, target.client_id) == ("mine", "")
    assert stop.exchange_id != target.exchange_id


def test_a_leg_is_cancelled_by_the_id_of_its_pair():
    ours, wire = venue({"code": "0", "msg": "success", "data": [{"tpslId": "77", "code": "0"}]})
    ours.cancel(KEYS, instrument(NAME), OrderRef("its-own", "77:tp", conditional=True))
    assert b'"tpslId":"77"' in wire.requests[0].content
    assert b"its-own" not in wire.requests[0].content


# -- refused before sending --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        {"side": "buy", "type": "market", "quantity": "1", "post_only": True},
        {"side": "buy", "type": "market", "quote_quantity": "100"},
        CLOSE | {"type": "stop_limit", "price": "9", "trigger_price": "9", "time_in_force": "fok"},
        CLOSE | {"type": "stop_limit", "price": "9", "trigger_price": "9", "post_only": True},
        CLOSE | {"type": "stop", "trigger_price": "9", "trigger_by": "mark"},
        CLOSE | {"type": "take_profit", "trigger_price": "9", "trigger_by": "index"},
    ],
)
def test_what_blofin_would_misread_is_refused_before_sending(words):
    ours, wire = venue(TAKEN)
    with pytest.raises(Unsupported):
        ours.place(KEYS, order(NAME, words))
    assert wire.requests == []


# -- margin modes ------------------------------------------------------------------------------------------


def modes(wire: Answers) -> list[str]:
    """The margin mode of each order sent, "?" for a look at the positions."""
    asked = [httpx.Response(200, content=each.content or b"{}").json() for each in wire.requests]
    return [each.get("marginMode", "?") for each in asked]


def test_a_close_goes_where_the_entry_went_without_asking():
    ours, wire = venue(TAKEN)
    ours.place(KEYS, order(NAME, BUY | {"margin_mode": "isolated"}))
    ours.place(KEYS, order(NAME, CLOSE))
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
    ours, wire = venue(NOTHING, TAKEN) if len(asked) == 2 else venue(TAKEN)
    words = {"side": side, "type": "market", "quantity": "0.1", "position_side": position_side}
    ours.place(KEYS, order(NAME, words))
    assert modes(wire) == asked


def test_a_stop_entry_that_waits_says_nothing_of_the_position():
    ours, wire = venue(WAITS, NOTHING, TAKEN)
    ours.place(KEYS, order(NAME, STOP | {"margin_mode": "isolated"}))
    ours.place(KEYS, order(NAME, CLOSE))
    assert modes(wire) == ["isolated", "?", "cross"]


def test_the_mode_of_one_account_is_not_that_of_another():
    ours, wire = venue(TAKEN, NOTHING, TAKEN)
    ours.place(KEYS, order(NAME, BUY | {"margin_mode": "isolated"}))
    ours.place(OTHER, order(NAME, CLOSE))
    assert modes(wire) == ["isolated", "?", "cross"]


def test_a_look_at_the_positions_is_remembered():
    ours, wire = venue({"code": "0", "data": answered("position long")}, TAKEN)
    (position,) = ours.positions(KEYS, instrument(NAME))
    ours.place(KEYS, order(NAME, CLOSE))
    assert position.margin_mode is MarginMode.ISOLATED
    assert modes(wire) == ["?", "isolated"]


# -- lists, limits, refusals -------------------------------------------------------------------------------


def test_open_orders_are_read_page_by_page_backwards():
    row = answered("open orders", 0)
    pages = [
        {"code": "0", "data": [row | {"orderId": str(number)} for number in numbers]}
        for numbers in (range(300, 200, -1), range(200, 100, -1), range(100, 98, -1))
    ]
    ours, wire = venue(*pages, NOTHING)
    listed = ours.open_orders(KEYS, instrument(NAME))
    assert [each.exchange_id for each in listed] == [str(number) for number in range(300, 98, -1)]
    assert [each.url.params.get("after") for each in wire.requests] == [None, "201", "101", None, None]


def test_an_instrument_that_is_not_listed_is_an_unknown_outcome():
    row = answered("open orders", 0) | {"instId": "NEW-USDT"}
    listed = {"code": "0", "data": answered("instruments")}
    ours, _ = venue({"code": "0", "data": [row]}, listed)
    with pytest.raises(OutcomeUnknown, match="NEW-USDT"):
        ours.open_orders(KEYS)


def test_the_firewall_stops_everybody_of_the_address_and_no_key_by_itself():
    ours, wire = venue(httpx.Response(403, text="<html>Forbidden</html>"), TAKEN)
    with pytest.raises(Throttled, match="firewall"):
        ours.place(KEYS, order(NAME, BUY))
    with pytest.raises(NotSent) as caught:
        ours.place(OTHER, order(NAME, BUY))
    assert caught.value.retry_after == 300
    assert len(wire.requests) == 1


def test_a_key_that_used_up_its_share_does_not_hold_up_another_key():
    ours, _ = venue(TAKEN)
    for number in range(27):
        ours.place(KEYS, order(NAME, BUY | {"client_id": f"limit{number}"}))
    with pytest.raises(NotSent):
        ours.place(KEYS, order(NAME, BUY))
    assert ours.place(OTHER, order(NAME, BUY)).exchange_id == "1"


@pytest.mark.parametrize("words", [CLOSE, CLOSE | {"type": "stop", "trigger_price": "30000"}])
def test_what_closes_may_use_what_is_kept_back_from_entries(words):
    ours, _ = venue(*[TAKEN] * 27, WAITS if "trigger_price" in words else TAKEN)
    for number in range(27):
        ours.place(KEYS, order(NAME, BUY | {"client_id": f"limit{number}"}))
    for entry in (BUY, STOP):
        with pytest.raises(NotSent):
            ours.place(KEYS, order(NAME, entry))
    assert ours.place(KEYS, order(NAME, words)).exchange_id


def test_the_hint_says_which_type_of_key_to_make():
    refused = {
        "code": "1",
        "msg": "",
        "data": [{"orderId": None, "code": "152013", "msg": "Unmatched brokerId"}],
    }
    ours, _ = venue(refused)
    with pytest.raises(AuthRefused, match="API transaction"):
        ours.place(KEYS, order(NAME, BUY))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Cancel failed as the order has been filled, triggered, canceled or does not exist.", "102068"),
        ("Cancel failed, system busy", "500"),
    ],
)
def test_only_what_is_gone_is_told_as_gone(words: str, code: str) -> None:
    venue = open_venue("blofin_f", lambda request: httpx.Response(500))
    answer = Answer(200, {}, {"code": "500", "msg": words, "data": None})
    assert venue.error_code(answer) == (code, words)


@pytest.mark.parametrize(("told", "closes"), [("true", True), (True, True), ("false", False), (False, False)])
def test_an_order_that_reduces_is_read_as_text_and_as_truth_value(told: Any, closes: bool) -> None:
    venue = open_venue("blofin_f", lambda request: httpx.Response(500))
    assert isinstance(venue, BloFinFutures)
    venue._sizes["BTC-USDT"] = Decimal("0.001")
    row = {
        "orderId": "1",
        "instId": "BTC-USDT",
        "side": "sell",
        "positionSide": "net",
        "orderType": "limit",
        "orderCategory": "normal",
        "price": "1",
        "size": "1",
        "filledSize": "0",
        "state": "live",
    }
    assert venue.read_order(row | {"reduceOnly": told}).reduce_only is closes


# -- several orders in one request -------------------------------------------------------------------------


def batch_of(words: dict[str, Any], count: int = 2) -> list[Any]:
    return [order(NAME, words | {"client_id": f"f{number}"}) for number in range(count)]


def rows(*codes: str) -> dict[str, Any]:
    told = [
        {"clientOrderId": f"f{number}", "orderId": None if code != "0" else str(number + 1), "code": code}
        for number, code in enumerate(codes)
    ]
    return {"code": "0" if set(codes) == {"0"} else "2", "data": told, "msg": ""}


def asked(wire: Answers) -> list[str]:
    return [request.url.path.rpartition("/")[2] for request in wire.requests]


def test_a_batch_that_closes_is_not_sent_when_its_position_cannot_be_read():
    ours, wire = venue(httpx.Response(502, text="<html>502</html>"))
    told = ours.place_many(KEYS, batch_of(CLOSE))
    assert [type(each) for each in told] == [NotSent] * 2
    assert asked(wire) == ["positions"]


def test_what_a_batch_opened_is_closed_in_its_mode_without_asking():
    ours, wire = venue(rows("103003", "0"), TAKEN)
    ours.place_many(KEYS, batch_of(BUY | {"margin_mode": "isolated"}))
    ours.place(KEYS, order(NAME, CLOSE))
    assert json.loads(wire.requests[-1].content)["marginMode"] == "isolated"
    assert asked(wire) == ["batch-orders", "order"]


def test_what_a_batch_was_refused_tells_no_mode():
    ours, wire = venue(rows("103003", "103003"), NOTHING, TAKEN)
    ours.place_many(KEYS, batch_of(BUY | {"margin_mode": "isolated"}))
    ours.place(KEYS, order(NAME, CLOSE))
    assert asked(wire) == ["batch-orders", "positions", "order"]


@pytest.mark.parametrize("other", [{"margin_mode": "isolated"}, {"side": "sell", "reduce_only": True}])
def test_orders_that_may_need_another_margin_mode_go_out_in_another_request(other):
    ours, wire = venue(TAKEN)
    ours._modes[key_digest(KEYS), "BTC-USDT"] = MarginMode.ISOLATED
    ours.place_many(KEYS, [*batch_of(BUY, 1), *batch_of(BUY | other, 1)])
    assert asked(wire) == ["order", "order"]


def test_a_rate_refusal_within_a_batch_stops_what_comes_after():
    ours, wire = venue(rows("0", "429"))
    told = ours.place_many(KEYS, batch_of(BUY))
    assert isinstance(told[1], Throttled)
    assert [type(each) for each in ours.place_many(KEYS, batch_of(BUY))] == [NotSent] * 2
    assert asked(wire) == ["batch-orders"]
