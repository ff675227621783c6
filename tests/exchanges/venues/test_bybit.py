"""What only Bybit does and the contract suite cannot show: its two kinds of limits, and finding linked legs."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from exchanges.errors import NotSent, OutcomeUnknown, Throttled, Unsupported
from exchanges.limits import LocalGate
from exchanges.types import Credentials, Legs, OrderRef, OrderType
from exchanges.venue import Call
from tests.exchanges.contract import NOW_MS, case, credentials, instrument, open_venue, order

KEYS, OTHER = Credentials("the-key", "the-secret"), Credentials("another-key", "another-secret")
PLACED = {"retCode": 0, "retMsg": "OK", "result": {"orderId": "1", "orderLinkId": ""}, "time": NOW_MS}
SLOW_DOWN = {"retCode": 10006, "retMsg": "Too many visits!", "result": {}, "time": NOW_MS}
BUY = {"side": "buy", "type": "limit", "quantity": "0.1", "price": "40000"}


class Answers:
    """Gives each answer once, the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


class Moving:
    """A gate's clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def gate(self) -> LocalGate:
        return LocalGate(clock=lambda: self.now, sleep=self.never, patience_seconds=0.0)

    @staticmethod
    def never(seconds: float) -> None:
        raise AssertionError(f"waited {seconds} s")


def venue(wire: Answers, name: str = "bybit_f", moving: Moving | None = None) -> Any:
    made = open_venue(name, wire)
    made.gate = (moving or Moving()).gate()
    return made


# -- limits ------------------------------------------------------------------------------------------------


def test_a_key_over_its_limit_does_not_hold_up_another_key():
    ours = venue(Answers(SLOW_DOWN, PLACED))
    with pytest.raises(Throttled):
        ours.place(KEYS, order("bybit_f", BUY))
    with pytest.raises(NotSent):
        ours.place(KEYS, order("bybit_f", BUY))
    assert ours.place(OTHER, order("bybit_f", BUY)).exchange_id == "1"


@pytest.mark.parametrize("code", [10429, 170005, 170222])
def test_codes_about_one_user_hold_up_no_other(code):
    ours = venue(Answers({"retCode": code, "retMsg": "too many"}, PLACED))
    with pytest.raises(Throttled):
        ours.place(KEYS, order("bybit_f", BUY))
    with pytest.raises(NotSent):
        ours.place(KEYS, order("bybit_f", BUY))
    assert ours.place(OTHER, order("bybit_f", BUY)).exchange_id == "1"


def test_an_address_shut_out_is_quiet_for_ten_minutes_with_every_key():
    moving = Moving()
    wire = Answers(httpx.Response(403, text="403 Forbidden: access too frequent"), PLACED)
    ours = venue(wire, moving=moving)
    with pytest.raises(Throttled):
        ours.place(KEYS, order("bybit_f", BUY))
    moving.now += 599
    with pytest.raises(NotSent):
        ours.place(OTHER, order("bybit_f", BUY))
    assert len(wire.requests) == 1
    moving.now += 2
    assert ours.place(OTHER, order("bybit_f", BUY)).exchange_id == "1"


def test_what_the_headers_count_is_believed_when_it_is_more_than_ours():
    used_up = httpx.Response(200, json=PLACED, headers={"X-Bapi-Limit": "10", "X-Bapi-Limit-Status": "0"})
    ours = venue(Answers(used_up, PLACED))
    ours.place(KEYS, order("bybit_f", BUY))
    with pytest.raises(NotSent) as caught:
        ours.place(KEYS, order("bybit_f", BUY))
    assert caught.value.retry_after == pytest.approx(1.0)
    assert ours.place(OTHER, order("bybit_f", BUY)).exchange_id == "1"


def test_headers_of_reading_say_nothing_about_placing():
    read = httpx.Response(
        200,
        json={"retCode": 0, "result": {"list": []}},
        headers={"X-Bapi-Limit": "50", "X-Bapi-Limit-Status": "0"},
    )
    ours = venue(Answers(read, PLACED))
    assert ours.open_orders(KEYS, instrument("bybit_f")) == []
    assert ours.place(KEYS, order("bybit_f", BUY)).exchange_id == "1"


def test_spot_and_futures_orders_count_apart():
    moving = Moving()
    spot, futures = venue(Answers(PLACED), "bybit", moving), venue(Answers(PLACED), "bybit_f", moving)
    futures.gate = spot.gate
    for _ in range(9):
        futures.place(KEYS, order("bybit_f", BUY))
    with pytest.raises(NotSent):
        futures.place(KEYS, order("bybit_f", BUY))
    assert spot.place(KEYS, order("bybit", BUY)).exchange_id == "1"


def test_a_stop_may_use_what_is_kept_back_from_entries():
    ours = venue(Answers(PLACED))
    for _ in range(9):
        ours.place(KEYS, order("bybit_f", BUY))
    stop = {"side": "sell", "type": "stop", "quantity": "0.1", "trigger_price": "39000", "reduce_only": True}
    assert ours.place(KEYS, order("bybit_f", stop)).exchange_id == "1"


# -- signing -----------------------------------------------------------------------------------------------


def test_a_cursor_goes_back_as_it_came_and_is_signed_so():
    ours = venue(Answers(PLACED))
    call = Call("GET", "/v5/order/realtime", {"category": "linear", "cursor": "page_args%3Da-2%26"})
    request = ours.sign(call, KEYS, NOW_MS)
    assert request.query == "category=linear&cursor=page_args%3Da-2%26"
    wire = Answers({"retCode": 0, "result": {}})
    venue(wire).call(call, KEYS)
    assert wire.requests[0].url.raw_path.decode().endswith(request.query)


def test_public_calls_carry_no_key():
    request = venue(Answers(PLACED)).sign(Call("GET", "/v5/market/time", signed=False), KEYS, NOW_MS)
    assert not request.headers


# -- refused before sending --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bybit_f", {"side": "buy", "type": "market", "quantity": "1", "post_only": True}),
        ("bybit_f", {"side": "buy", "type": "market", "quote_quantity": "100"}),
        (
            "bybit",
            {"side": "sell", "type": "stop", "quantity": "1", "trigger_price": "9", "trigger_by": "mark"},
        ),
        ("bybit", {"side": "buy", "type": "limit", "quote_quantity": "100", "price": "9"}),
        ("bybit", {"side": "sell", "type": "market", "quote_quantity": "100"}),
    ],
)
def test_what_bybit_would_misread_is_refused_before_sending(name, words):
    with pytest.raises(Unsupported):
        open_venue(name, Answers(PLACED)).place_call(order(name, words))


def test_a_spot_stop_whose_price_cannot_be_asked_was_certainly_not_sent():
    wire = Answers(httpx.Response(502, text=""), PLACED)
    stop = {"side": "sell", "type": "stop", "quantity": "1", "trigger_price": "9"}
    with pytest.raises(NotSent):
        venue(wire, "bybit").place(KEYS, order("bybit", stop))
    assert [request.method for request in wire.requests] == ["GET"]


# -- linked legs -------------------------------------------------------------------------------------------


def linked() -> dict[str, Any]:
    found = case("bybit_f", "linked legs")
    assert found is not None
    return found


def legs(**changes: Any) -> Legs:
    words = linked()["legs"]
    both = {which: order("bybit_f", words[which]) for which in ("stop", "target")}
    return Legs(**{which: replace(each, **changes.get(which, {})) for which, each in both.items()})


def listing(*places: int) -> dict[str, Any]:
    """The orders of the contract's case at these places, as the list gives them."""
    answer: dict[str, Any] = linked()["exchange"][1]["answer"]["body"]
    rows = answer["result"]["list"]
    return answer | {"result": answer["result"] | {"list": [rows[place] for place in places]}}


OK, NONE, BOTH, OLDER = {"retCode": 0, "result": {}}, listing(), listing(1, 2), listing(3, 4)
LOST = httpx.Response(504, text="")


def protecting(*answers: Any) -> tuple[Any, Answers, list[float]]:
    wire = Answers(*answers)
    waited: list[float] = []
    ours = venue(wire)
    ours.pause = waited.append
    return ours, wire, waited


def test_legs_that_show_up_late_are_looked_for_again():
    ours, wire, waited = protecting(OK, NONE, listing(1), BOTH)
    stop, target = ours.protect(credentials("bybit_f"), legs())
    assert (stop.exchange_id, target.exchange_id) == ("sl-1", "tp-1")
    assert waited == [0.0, 0.1, 0.3]
    assert [request.method for request in wire.requests] == ["POST", "GET", "GET", "GET"]


def test_legs_never_listed_leave_the_outcome_unknown_and_are_not_sent_again():
    ours, wire, _ = protecting(OK, NONE)
    with pytest.raises(OutcomeUnknown):
        ours.protect(credentials("bybit_f"), legs())
    assert [request.method for request in wire.requests].count("POST") == 1


@pytest.mark.parametrize("trouble", [LOST, SLOW_DOWN, httpx.ConnectError("refused")])
def test_a_list_that_cannot_be_read_does_not_make_sent_legs_unsent(trouble):
    ours, wire, _ = protecting(OK, trouble)
    with pytest.raises(OutcomeUnknown):
        ours.protect(credentials("bybit_f"), legs())
    assert [request.method for request in wire.requests].count("POST") == 1


def test_a_list_read_at_the_second_try_still_tells_the_legs():
    ours, _, _ = protecting(OK, httpx.ConnectError("refused"), BOTH)
    assert [each.exchange_id for each in ours.protect(credentials("bybit_f"), legs())] == ["sl-1", "tp-1"]


def test_an_equal_pair_of_earlier_is_not_taken_for_the_one_whose_answer_was_lost():
    ours, _, _ = protecting(LOST, OLDER)
    with pytest.raises(OutcomeUnknown) as caught:
        ours.protect(credentials("bybit_f"), legs())
    assert caught.value.code == "504", "what went wrong first is what is told"


@pytest.mark.parametrize(
    "changes",
    [
        {"target": {"quantity": Decimal(2)}},
        {"target": {"type": OrderType.LIMIT}},
        {"stop": {"type": OrderType.MARKET}},
        {"stop": {"position_side": "long"}},
    ],
)
def test_legs_that_cannot_be_one_pair_are_refused_before_sending(changes):
    ours, wire, _ = protecting(OK, BOTH)
    with pytest.raises(Unsupported):
        ours.protect(credentials("bybit_f"), legs(**changes))
    assert wire.requests == []


def test_a_leg_is_fetched_and_cancelled_by_its_exchange_id():
    ours, wire, _ = protecting(listing(1), {"retCode": 0, "result": {"orderId": "tp-1"}})
    found = ours.fetch(KEYS, instrument("bybit_f"), OrderRef(exchange_id="tp-1", conditional=True))
    ours.cancel(KEYS, instrument("bybit_f"), found.ref)
    assert "orderId=tp-1" in str(wire.requests[0].url)
    assert b'"orderId":"tp-1"' in wire.requests[1].content
    assert b"orderLinkId" not in wire.requests[1].content
