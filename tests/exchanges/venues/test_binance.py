"""What is Binance's own: where parameters travel, what is refused before sending, whose limits are counted."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from exchanges.errors import (
    AuthRefused,
    ExchangeError,
    InvalidOrder,
    NotSent,
    OrderNotFound,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unsupported,
)
from exchanges.limits import LocalGate, Priority
from exchanges.transport import Answer
from exchanges.types import Environment, Legs, OrderRef, OrderRequest
from exchanges.venue import Call, Venue
from exchanges.venues.binance import BinanceFutures, BinanceInverse, BinanceSpot
from tests.exchanges.contract import NOW_MS, Script, case, credentials, fixture, instrument, open_venue, order

SPOT, FUTURES, COIN = "binance", "binance_f", "binance_c"
TOKEN = "01JD3X8K2MQZV7W5N9TRH4BCYE"
STOP: dict[str, Any] = {"side": "sell", "type": "stop", "quantity": "1", "trigger_price": "49000"}
TARGET: dict[str, Any] = {"side": "sell", "type": "take_profit", "quantity": "1", "trigger_price": "52000"}


def silent(name: str) -> Venue:
    def fail(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"{request.method} {request.url} was sent")

    return open_venue(name, fail)


def words(name: str, **values: Any) -> OrderRequest:
    return order(name, {"side": "buy", "type": "limit", "quantity": "1", "price": "50000", **values})


# -- signing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "in_query"), [("GET", True), ("DELETE", True), ("POST", False), ("PUT", False)]
)
def test_parameters_travel_in_the_query_or_in_a_form_never_in_both(method: str, in_query: bool) -> None:
    request = silent(SPOT).sign(Call(method, "/x", {"symbol": "BTCUSDT"}), credentials(SPOT), NOW_MS)
    assert bool(request.query) is in_query
    assert bool(request.body) is not in_query
    assert ("Content-Type" in request.headers) is not in_query
    sent = dict(parse_qsl(request.query or request.body.decode()))
    assert list(sent) == ["symbol", "recvWindow", "timestamp", "signature"]
    assert sent["timestamp"] == str(NOW_MS)


def test_a_public_call_carries_neither_key_nor_time() -> None:
    request = silent(SPOT).sign(
        Call("GET", "/x", {"symbol": "BTCUSDT"}, signed=False), credentials(SPOT), NOW_MS
    )
    assert (request.query, dict(request.headers)) == ("symbol=BTCUSDT", {})


def test_a_signed_call_without_a_key_is_refused() -> None:
    with pytest.raises(AuthRefused):
        silent(SPOT).sign(Call("GET", "/x"), None, NOW_MS)


def test_the_secret_is_in_no_part_of_a_request() -> None:
    keys = credentials(SPOT)
    request = silent(SPOT).sign(Call("POST", "/x", {"a": "b"}), keys, NOW_MS)
    assert keys.secret not in f"{request!r}{request.query}{request.body!r}{request.headers}"


@pytest.mark.parametrize("kind", [BinanceSpot, BinanceFutures, BinanceInverse])
def test_client_ids_fit_the_rule_of_the_exchange(kind: type[Venue]) -> None:
    assert re.fullmatch(r"[.A-Z:/a-z0-9_-]{1,36}", kind.client_id(TOKEN))


# -- refused before sending --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (SPOT, {"reduce_only": True}),
        (SPOT, {"position_side": "long"}),
        (SPOT, {"type": "limit", "quantity": None, "quote_quantity": "100"}),
        (SPOT, STOP | {"price": None, "trigger_by": "mark"}),
        (SPOT, STOP | {"type": "stop_limit", "price": "48900", "post_only": True}),
        (SPOT, {"post_only": True, "time_in_force": "ioc"}),
        (SPOT, {"type": "market", "price": None, "post_only": True}),
        (SPOT, {"type": "market", "price": None, "time_in_force": "fok"}),
        (FUTURES, {"type": "market", "price": None, "quantity": None, "quote_quantity": "100"}),
        (FUTURES, STOP | {"price": None, "trigger_by": "index"}),
        (FUTURES, STOP | {"price": None, "post_only": True}),
        (FUTURES, {"post_only": True, "time_in_force": "fok"}),
        (FUTURES, {"type": "market", "price": None, "time_in_force": "fok"}),
        (COIN, {"type": "market", "price": None, "quantity": None, "quote_quantity": "100"}),
        (COIN, STOP | {"price": None, "trigger_by": "index"}),
    ],
)
def test_what_binance_lacks_is_refused_not_dropped(name: str, values: dict[str, Any]) -> None:
    given = {field: value for field, value in ({"price": "50000"} | values).items() if value is not None}
    given = (
        {"side": "buy", "type": "limit"}
        | ({"quantity": "1"} if values.get("quantity", "") == "" else {})
        | given
    )
    with pytest.raises(Unsupported):
        silent(name).place(credentials(name), order(name, given))


@pytest.mark.parametrize("changed", [{"side": "buy"}, {"quantity": "0.9"}])
def test_linked_orders_of_different_side_or_quantity_are_refused(changed: dict[str, Any]) -> None:
    legs = Legs(order(SPOT, STOP), order(SPOT, TARGET | changed))
    with pytest.raises(Unsupported):
        silent(SPOT).protect(credentials(SPOT), legs)


def test_a_fractional_leverage_is_refused() -> None:
    with pytest.raises(Unsupported):
        silent(FUTURES).set_leverage(credentials(FUTURES), instrument(FUTURES), Decimal("2.5"), None)


def test_linked_orders_that_buy_put_the_target_below() -> None:
    found = case(SPOT, "linked legs")
    assert found is not None
    script = Script(
        [{"answer": {"status": 400, "body": {"code": -2010, "msg": "x"}}}], fixture(SPOT)["auth_params"]
    )
    legs = Legs(order(SPOT, STOP | {"side": "buy"}), order(SPOT, TARGET | {"side": "buy"}))
    with pytest.raises(InvalidOrder):
        open_venue(SPOT, script).protect(credentials(SPOT), legs)
    assert script.seen[0]["params"]["belowType"] == "TAKE_PROFIT"
    assert script.seen[0]["params"]["aboveType"] == "STOP_LOSS"


# -- errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "data", "expected"),
    [
        (200, {"code": 200, "msg": "success"}, None),
        (200, {"code": "200", "msg": "success"}, None),
        (200, {"orderId": 1}, None),
        (200, [], None),
        (200, "text", None),
        (200, {"code": -1121, "msg": "Invalid symbol."}, ("-1121", "Invalid symbol.")),
        (400, {"code": -2010, "msg": "Order would trigger immediately."}, ("-2010:would_trigger", None)),
        (400, {"code": -2010, "msg": "Something new."}, ("-2010", None)),
        (400, {"code": 0, "msg": "odd"}, ("0", "odd")),
        (400, {"msg": "no code"}, None),
    ],
)
def test_an_error_is_told_from_an_answer(
    status: int, data: Any, expected: tuple[str, str | None] | None
) -> None:
    found = silent(SPOT).error_code(Answer(status, {}, data))
    if expected is None or found is None:
        assert found is expected is None
    else:
        assert found[0] == expected[0]
        assert found[1] == expected[1] or expected[1] is None


def test_an_overload_is_stayed_off_for_a_moment_not_for_a_minute() -> None:
    now = [0.0]
    step = {"answer": {"status": 503, "body": {"code": -1008, "msg": "Server is currently overloaded."}}}
    venue = open_venue(FUTURES, Script([step, step], fixture(FUTURES)["auth_params"]))
    venue.gate = LocalGate(clock=lambda: now[0], sleep=lambda seconds: None, patience_seconds=0.0)
    wanted = words(FUTURES, reduce_only=True)
    with pytest.raises(Throttled):
        venue.place(credentials(FUTURES), wanted)
    with pytest.raises(NotSent):
        venue.place(credentials(FUTURES), wanted)
    now[0] = 0.6
    with pytest.raises(Throttled):
        venue.place(credentials(FUTURES), wanted)


# -- limits ------------------------------------------------------------------------------------------------


def test_spot_and_futures_fill_different_buckets_but_for_the_shared_one() -> None:
    assert set(BinanceSpot.buckets) & set(BinanceFutures.buckets) == {"sapi"}
    assert BinanceInverse.buckets == BinanceFutures.buckets, "one limit for both kinds of futures"


def test_the_weight_the_exchange_reports_is_believed() -> None:
    step = {
        "answer": {
            "status": 200,
            "headers": {"x-mbx-used-weight-1m": "2400"},
            "body": {"serverTime": NOW_MS},
        },
    }
    venue = open_venue(FUTURES, Script([step], []))
    venue.server_time_ms()
    with pytest.raises(NotSent):
        venue.server_time_ms()


def test_both_kinds_of_futures_take_their_weight_from_one_limit() -> None:
    answer = Answer(200, {"x-mbx-used-weight-1m": "7", "x-mbx-order-count-1m": "2"}, {})
    for name in (FUTURES, COIN):
        assert silent(name).usage(answer) == {"futures_weight": 7, "futures_orders_minute": 2}


def test_a_contract_that_is_not_told_leaves_the_position_mode_unknown() -> None:
    step = {
        "request": {"method": "GET", "path": "/dapi/v1/positionRisk"},
        "answer": {"status": 200, "body": []},
    }
    venue = open_venue(COIN, Script([step], fixture(COIN)["auth_params"]))
    with pytest.raises(OutcomeUnknown, match="BTCUSD_PERP"):
        venue.position_mode(credentials(COIN), instrument(COIN))


@pytest.mark.parametrize("value", ["", "many", "-1", "1.5"])
def test_a_usage_header_that_is_no_count_is_passed_over(value: str) -> None:
    assert silent(SPOT).usage(Answer(200, {"x-mbx-used-weight-1m": value}, {})) == {}


@pytest.mark.parametrize(
    ("name", "words", "priority"),
    [
        (FUTURES, STOP, Priority.ENTRY),
        (FUTURES, STOP | {"reduce_only": True}, Priority.PROTECT),
        (FUTURES, {"side": "sell", "type": "market", "quantity": "1", "reduce_only": True}, Priority.PROTECT),
        (SPOT, STOP, Priority.PROTECT),
        (SPOT, {"side": "sell", "type": "market", "quantity": "1"}, Priority.ENTRY),
    ],
)
def test_what_protects_goes_first(name: str, words: dict[str, Any], priority: Priority) -> None:
    call = silent(name).place_call(order(name, words))
    assert call.priority is priority
    assert not call.read_only


def test_a_cancel_goes_before_entries_and_queries() -> None:
    """The last share of the weight is kept for what ends a risk."""
    answers = [
        {
            "answer": {
                "status": 200,
                "headers": {"x-mbx-used-weight-1m": "2390"},
                "body": {"serverTime": NOW_MS},
            }
        },
        {"answer": {"status": 200, "body": {"orderId": 1}}},
    ]
    script = Script(answers, fixture(FUTURES)["auth_params"])
    venue = open_venue(FUTURES, script)
    venue.server_time_ms()
    with pytest.raises(NotSent):
        venue.balances(credentials(FUTURES))
    venue.cancel(credentials(FUTURES), instrument(FUTURES), OrderRef(exchange_id="1"))
    assert [each["method"] for each in script.seen] == ["GET", "DELETE"]


# -- environments ------------------------------------------------------------------------------------------


def test_one_demo_key_opens_spot_and_both_kinds_of_futures() -> None:
    urls = [kind.base_urls[Environment.TESTNET] for kind in (BinanceSpot, BinanceFutures, BinanceInverse)]
    assert all("//demo-" in url for url in urls)


def test_a_demo_key_that_is_not_valid_is_still_found_out() -> None:
    step = {
        "answer": {
            "status": 401,
            "body": {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."},
        }
    }
    venue = open_venue(FUTURES, Script([step], []), "testnet")
    with pytest.raises(AuthRefused):
        venue.key_info(credentials(FUTURES))


# -- conditional orders ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "expected"), [(-2011, OrderNotFound), (-1003, Throttled), (-2015, AuthRefused), (-9999, Refused)]
)
def test_only_an_unknown_conditional_order_is_looked_for_elsewhere(
    code: int, expected: type[ExchangeError]
) -> None:
    gone = {"answer": {"status": 400, "body": {"code": code, "msg": "Unknown order sent."}}}
    unknown = {"answer": {"status": 400, "body": {"code": -2013, "msg": "Order does not exist."}}}
    script = Script([gone, unknown], fixture(FUTURES)["auth_params"])
    with pytest.raises(expected):
        open_venue(FUTURES, script).cancel(
            credentials(FUTURES), instrument(FUTURES), OrderRef(client_id="f1", conditional=True)
        )
    assert len(script.seen) == (2 if code == -2011 else 1)


def test_a_post_only_stop_limit_rests_as_maker_when_triggered() -> None:
    wanted = order(FUTURES, STOP | {"type": "stop_limit", "price": "48900", "post_only": True})
    assert silent(FUTURES).place_call(wanted).params["timeInForce"] == "GTX"


def test_a_conditional_order_that_ended_is_gone_to_a_cancel() -> None:
    gone = {"answer": {"status": 400, "body": {"code": -2011, "msg": "Unknown order sent."}}}
    ended = {"answer": {"status": 200, "body": {"algoStatus": "CANCELED", "actualOrderId": ""}}}
    venue = open_venue(FUTURES, Script([gone, ended], fixture(FUTURES)["auth_params"]))
    with pytest.raises(OrderNotFound):
        venue.cancel(credentials(FUTURES), instrument(FUTURES), OrderRef(client_id="f1", conditional=True))
