"""What only KuCoin does and the contract suite cannot show: pools of weights, the margin mode on each order, the two
lives of a spot stop order."""

from __future__ import annotations

import copy
import json
from typing import Any

import httpx
import pytest

from exchanges.errors import InvalidOrder, NotSent, OrderNotFound, OutcomeUnknown, Throttled, Unsupported
from exchanges.limits import LocalGate
from exchanges.types import Credentials, MarginMode, OrderRef, OrderStatus, OrderType, Side, TimeInForce
from exchanges.venue import Call
from tests.exchanges.contract import NOW_MS, Script, case, credentials, fixture, instrument, open_venue, order

KEYS = Credentials("the-key", "the-secret", "the-trading-word")
OTHER = Credentials("another-key", "another-secret", "another-word")
PLACED = {"code": "200000", "data": {"orderId": "1", "clientOid": "f"}}
OTHER_MODE = {"code": "330005", "msg": "The order's margin mode does not match the selected one."}
BUY = {"side": "buy", "type": "market", "quantity": "0.1"}
STOP = {"side": "sell", "type": "stop", "quantity": "0.1", "trigger_price": "39000"}


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


class Moving:
    """A gate's clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def gate(self) -> LocalGate:
        return LocalGate(clock=lambda: self.now, sleep=self.never, patience_seconds=0.0)

    @staticmethod
    def never(seconds: float) -> None:
        raise AssertionError(f"waited {seconds} s")


def venue(wire: Answers, name: str = "kucoin_f", moving: Moving | None = None) -> Any:
    made = open_venue(name, wire)
    made.gate = (moving or Moving()).gate()
    return made


def modes(wire: Answers) -> list[str]:
    return [body["marginMode"] for body in wire.bodies()]


# -- limits ------------------------------------------------------------------------------------------------


def answered(remaining: int, limit: int = 2000, **more: Any) -> httpx.Response:
    headers = {"gw-ratelimit-limit": str(limit), "gw-ratelimit-remaining": str(remaining)}
    return httpx.Response(200, json=PLACED, headers=headers, **more)


def test_a_pool_the_headers_call_empty_is_left_alone_and_only_for_that_key() -> None:
    ours = venue(Answers(answered(0), PLACED))
    ours.place(KEYS, order("kucoin_f", BUY))
    with pytest.raises(NotSent):
        ours.place(KEYS, order("kucoin_f", BUY))
    assert ours.place(OTHER, order("kucoin_f", BUY)).exchange_id == "1"


def test_a_rate_refusal_tells_in_ms_when_to_come_back() -> None:
    moving = Moving()
    refusal = {"code": "429000", "msg": "Too many requests"}
    ours = venue(
        Answers(httpx.Response(429, json=refusal, headers={"gw-ratelimit-reset": "4500"}), PLACED),
        moving=moving,
    )
    with pytest.raises(Throttled) as caught:
        ours.place(KEYS, order("kucoin_f", BUY))
    assert caught.value.retry_after == 4.5
    moving.now += 4.4
    with pytest.raises(NotSent):
        ours.place(KEYS, order("kucoin_f", BUY))
    moving.now += 0.2
    assert ours.place(KEYS, order("kucoin_f", BUY)).exchange_id == "1"


def test_a_futures_call_shut_for_its_frequency_is_quiet_for_ten_seconds() -> None:
    moving = Moving()
    ours = venue(Answers({"code": "200002", "msg": "Too many requests"}, PLACED), moving=moving)
    with pytest.raises(Throttled):
        ours.place(KEYS, order("kucoin_f", BUY))
    moving.now += 9.9
    with pytest.raises(NotSent):
        ours.place(KEYS, order("kucoin_f", BUY))
    moving.now += 0.2
    assert ours.place(KEYS, order("kucoin_f", BUY)).exchange_id == "1"


def test_the_same_code_means_a_paused_market_on_spot() -> None:
    ours = venue(Answers({"code": "200002", "msg": "Order cancel for this pair suspended"}), "kucoin")
    with pytest.raises(Exception, match="suspended") as caught:
        ours.cancel(KEYS, instrument("kucoin"), OrderRef("f"))
    assert not isinstance(caught.value, Throttled)


def test_spot_and_futures_draw_from_pools_of_their_own() -> None:
    spot, futures = venue(Answers(PLACED), "kucoin"), venue(Answers(answered(0), PLACED))
    futures.gate = spot.gate
    futures.place(KEYS, order("kucoin_f", BUY))
    assert spot.place(KEYS, order("kucoin", STOP)).exchange_id == "1"


# -- signing -----------------------------------------------------------------------------------------------


def test_the_query_is_signed_as_it_is_sent() -> None:
    wire = Answers({"code": "200000", "data": []})
    ours = venue(wire, "kucoin")
    call = Call("GET", "/api/v1/stop-order/queryOrderByClientOid", {"clientOid": "a b", "symbol": "BTC-USDT"})
    request = ours.sign(call, KEYS, NOW_MS)
    ours.call(call, KEYS)
    assert wire.requests[0].url.raw_path.decode() == request.target
    assert wire.requests[0].headers["kc-api-sign"] == request.headers["KC-API-SIGN"]


def test_public_calls_carry_no_key_and_the_trading_password_never_travels_plain() -> None:
    ours = venue(Answers(PLACED))
    assert not ours.sign(Call("GET", "/api/v1/timestamp", signed=False), KEYS, NOW_MS).headers
    request = ours.sign(ours.place_call(order("kucoin_f", BUY)), KEYS, NOW_MS)
    assert KEYS.passphrase not in f"{dict(request.headers)} {request.body!r} {request.target}"


# -- refused before sending --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("kucoin_f", BUY | {"quantity": "0.0105"}),
        ("kucoin_f", BUY | {"leverage": "2.5"}),
        ("kucoin_f", {"side": "buy", "type": "market", "quote_quantity": "100"}),
        ("kucoin_f", BUY | {"type": "limit", "price": "9", "time_in_force": "fok"}),
        ("kucoin_f", BUY | {"post_only": True}),
        ("kucoin", BUY | {"time_in_force": "ioc"}),
        ("kucoin", BUY | {"type": "limit", "price": "9", "post_only": True, "time_in_force": "ioc"}),
        ("kucoin", STOP | {"trigger_by": "mark"}),
        ("kucoin", {"side": "sell", "type": "market", "quote_quantity": "100"}),
        ("kucoin", {"side": "buy", "type": "limit", "quote_quantity": "100", "price": "9"}),
    ],
)
def test_what_kucoin_would_misread_is_refused_before_sending(name: str, words: dict[str, Any]) -> None:
    with pytest.raises(Unsupported):
        open_venue(name, Answers(PLACED)).place_call(order(name, words))


# -- the margin mode of an order ---------------------------------------------------------------------------


def test_the_mode_that_was_right_is_named_first_the_next_time_and_for_that_key_only() -> None:
    wire = Answers(OTHER_MODE, PLACED)
    ours = venue(wire)
    for keys in (KEYS, KEYS, OTHER):
        ours.place(keys, order("kucoin_f", BUY))
    assert modes(wire) == ["ISOLATED", "CROSS", "CROSS", "ISOLATED"]


def test_a_mode_that_was_set_is_named_by_the_orders_after_it() -> None:
    told = {"code": "200000", "data": {"symbol": "XBTUSDTM", "marginMode": "CROSS"}}
    wire = Answers(told, PLACED)
    ours = venue(wire)
    ours.set_leverage(KEYS, instrument("kucoin_f"), None, MarginMode.CROSS)
    ours.place(KEYS, order("kucoin_f", BUY | {"reduce_only": True}))
    assert modes(wire) == ["CROSS"]


def test_two_wrong_modes_end_in_the_refusal_and_an_answer_lost_is_not_sent_again() -> None:
    wire = Answers(OTHER_MODE)
    with pytest.raises(InvalidOrder):
        venue(wire).place(KEYS, order("kucoin_f", BUY))
    assert modes(wire) == ["ISOLATED", "CROSS"]
    lost = Answers(httpx.Response(504, text=""))
    with pytest.raises(OutcomeUnknown):
        venue(lost).place(KEYS, order("kucoin_f", BUY))
    assert modes(lost) == ["ISOLATED"]


def test_a_setting_that_is_not_confirmed_is_an_unknown_outcome() -> None:
    told = {"code": "200000", "data": {"symbol": "XBTUSDTM", "marginMode": "CROSS"}}
    ours = venue(Answers(told, {"code": "200000", "data": None}))
    with pytest.raises(OutcomeUnknown):
        ours.set_leverage(KEYS, instrument("kucoin_f"), order("kucoin_f", BUY).quantity, None)


# -- the two lives of a spot stop order --------------------------------------------------------------------


def listed(kind: str, side: str) -> Any:
    row = {"id": "vs1", "clientOid": "", "symbol": "BTC-USDT", "status": "NEW", "type": "limit", "side": side}
    row |= {"price": "9", "size": "1", "stop": kind, "stopPrice": "10"}
    return venue(Answers(PLACED), "kucoin").read_order(row)


@pytest.mark.parametrize(
    ("kind", "side", "expected"),
    [
        ("loss", "sell", OrderType.STOP_LIMIT),
        ("entry", "buy", OrderType.STOP_LIMIT),
        ("entry", "sell", OrderType.TAKE_PROFIT_LIMIT),
        ("loss", "buy", OrderType.TAKE_PROFIT_LIMIT),
        ("l_s_o", "sell", OrderType.STOP_LIMIT),
        ("e_l_o", "buy", OrderType.TAKE_PROFIT_LIMIT),
    ],
)
def test_a_stop_order_is_told_by_where_its_trigger_lies(kind: str, side: str, expected: OrderType) -> None:
    report = listed(kind, side)
    assert (report.type, report.side) == (expected, Side(side))


def test_a_stop_order_known_by_its_number_only_is_cancelled_by_it_and_not_sought_elsewhere() -> None:
    wire = Answers({"code": "200000", "data": {"cancelledOrderIds": []}})
    with pytest.raises(OrderNotFound):
        venue(wire, "kucoin").cancel(
            KEYS, instrument("kucoin"), OrderRef(exchange_id="vs1", conditional=True)
        )
    assert [request.url.path for request in wire.requests] == ["/api/v1/stop-order/vs1"]


def test_the_time_in_force_of_a_stop_limit_order_travels_with_it() -> None:
    words = STOP | {"type": "stop_limit", "price": "38900", "time_in_force": TimeInForce.IOC}
    call = venue(Answers(PLACED), "kucoin").place_call(order("kucoin", words))
    assert (call.path, call.params["timeInForce"]) == ("/api/v1/stop-order", "IOC")


def test_a_stop_that_ended_because_there_was_nothing_left_to_reduce_is_read_as_ended() -> None:
    """The exchange shrinks it with the position, to 0 at last."""
    told: Any = copy.deepcopy(case("kucoin_f", "cancelled"))
    told["exchange"][0]["answer"]["body"]["data"]["size"] = 0
    wire = Script(told["exchange"], fixture("kucoin_f")["auth_params"])
    where, ref = instrument("kucoin_f"), OrderRef(**told["ref"])
    report = open_venue("kucoin_f", wire).fetch(credentials("kucoin_f"), where, ref)
    assert (report.status, report.quantity) == (OrderStatus.CANCELLED, None)
