"""What only BingX does and the contract suite cannot show: whom a rate refusal shuts out, orders looked for by terms."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from exchanges.errors import (
    ExchangeError,
    InsufficientFunds,
    InvalidOrder,
    NothingToReduce,
    NotSent,
    OrderNotFound,
    OutcomeUnknown,
    Throttled,
    UnknownSymbol,
)
from exchanges.limits import LocalGate
from exchanges.transport import Answer
from exchanges.types import Credentials, OrderRequest, OrderStatus, Report
from exchanges.venue import Call
from exchanges.venues.bingx import MOST
from tests.exchanges.contract import NOW_MS, instrument, order
from tests.exchanges.contract import open_venue as opened

KEYS, OTHER = Credentials("the-key", "the-secret"), Credentials("another-key", "another-secret")
BUY = {"side": "buy", "type": "market", "quantity": "0.01"}
STOP = {"side": "sell", "type": "stop", "quantity": "0.01", "trigger_price": "49000", "reduce_only": True}
TARGET = STOP | {"type": "take_profit", "trigger_price": "55000"}
SALE = {"side": "sell", "type": "limit", "quantity": "0.01", "price": "52000"}
ENTRY = {"side": "buy", "type": "stop", "quantity": "0.01", "trigger_price": "51000"}
PLACED = {"code": 0, "msg": "", "data": {"orderId": 1, "status": "NEW", "order": {"orderId": 1}}}
TICKER = {
    "code": 0,
    "data": {"lastPrice": "50000", "bidPrice": "50000", "askPrice": "50001"},
}
WAITING = {
    "symbol": "BTC-USDT",
    "orderId": 7,
    "side": "SELL",
    "positionSide": "BOTH",
    "type": "STOP_MARKET",
    "origQty": "0.0100",
    "price": "0",
    "executedQty": "0",
    "avgPrice": "0",
    "stopPrice": "49000.0",
    "status": "NEW",
    "time": NOW_MS,
    "clientOrderId": "",
    "commission": "",
}


class Exchange:
    """Answers by path, and loses the answer of every order when told; keeps the paths it was asked."""

    def __init__(
        self,
        *,
        listed: list[list[Any]] | None = None,
        refusal: Any = None,
        ended: list[Any] | None = None,
        loses: bool = True,
    ) -> None:
        self.listed, self.refusal, self.ended = listed, refusal, ended
        self.loses = loses and listed is not None
        self.orders = self.prices = 0
        self.paths: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/quote/ticker"):
            self.prices += 1
            return httpx.Response(200, json=TICKER)
        if request.method == "GET" and request.url.path.endswith("Orders"):
            return self._list(request.url.path)
        self.orders += 1
        self.paths.append(request.url.path.rpartition("/")[2])
        if self.loses:
            raise httpx.ReadTimeout("lost", request=request)
        return httpx.Response(200, json=self._refused() or PLACED)

    def _list(self, path: str) -> httpx.Response:
        assert self.listed is not None
        rows = self.listed.pop(0) if path.endswith("/openOrders") and len(self.listed) > 1 else self.listed[0]
        told = rows if path.endswith("/openOrders") else self.ended
        return httpx.Response(200, json={"code": 0, "data": {"orders": told}})

    def _refused(self) -> Any:
        told, self.refusal = self.refusal, None
        return told


class Moving:
    """A gate's clock that moves when told."""

    now = 1000.0

    def gate(self) -> LocalGate:
        return LocalGate(clock=lambda: self.now, sleep=self.never, patience_seconds=0.0)

    @staticmethod
    def never(seconds: float) -> None:
        raise AssertionError(f"waited {seconds} s")


def venue(wire: Exchange, name: str = "bingx_f", moving: Moving | None = None) -> Any:
    made: Any = opened(name, wire)
    made.gate = (moving or Moving()).gate()
    made.pause = lambda seconds: None
    return made


def test_too_many_refusals_shut_out_their_user_and_nobody_else() -> None:
    moving = Moving()
    until = NOW_MS + 60_000
    refusal = {
        "code": 100410,
        "msg": f"over 20 error code:100202 requests within 480000 ms, can retry after time: {until}",
    }
    ours = venue(Exchange(refusal=refusal), moving=moving)
    with pytest.raises(Throttled) as caught:
        ours.place(KEYS, order("bingx_f", BUY))
    assert caught.value.retry_after == 60.0
    assert ours.place(OTHER, order("bingx_f", BUY)).exchange_id == "1"
    moving.now += 59
    with pytest.raises(NotSent):
        ours.place(KEYS, order("bingx_f", BUY))
    moving.now += 2
    assert ours.place(KEYS, order("bingx_f", BUY)).exchange_id == "1"


def test_a_rate_refusal_that_names_nobody_keeps_its_key_quiet_for_ten_seconds() -> None:
    moving = Moving()
    ours = venue(Exchange(refusal={"code": 100410, "msg": "rate limited"}), moving=moving)
    with pytest.raises(Throttled):
        ours.place(KEYS, order("bingx_f", BUY))
    assert ours.place(OTHER, order("bingx_f", BUY)).exchange_id == "1"
    moving.now += 9
    with pytest.raises(NotSent):
        ours.place(KEYS, order("bingx_f", BUY))
    moving.now += 2
    assert ours.place(KEYS, order("bingx_f", BUY)).exchange_id == "1"


def test_a_lost_stop_is_found_when_the_list_shows_it_late_and_is_not_sent_again() -> None:
    wire = Exchange(listed=[[], [], [WAITING]])
    report = venue(wire).place(KEYS, order("bingx_f", STOP))
    assert (report.exchange_id, report.status, wire.orders) == ("7", OrderStatus.OPEN, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"time": NOW_MS - 60_000},
        {"stopPrice": "48000"},
        {"origQty": "0.02"},
        {"type": "TAKE_PROFIT_MARKET"},
        {"positionSide": "LONG"},
        {"side": "BUY"},
        {"status": "CANCELLED"},
    ],
)
def test_another_stop_is_not_taken_for_the_lost_one(other: dict[str, Any]) -> None:
    """It only closes, so that it may be sent again."""
    wire = Exchange(listed=[[WAITING | other]])
    with pytest.raises(NotSent):
        venue(wire).place(KEYS, order("bingx_f", STOP))
    assert wire.orders == 1


def test_a_lost_order_that_opens_at_a_trigger_stays_unknown() -> None:
    wire = Exchange(listed=[[]])
    with pytest.raises(OutcomeUnknown):
        venue(wire).place(KEYS, order("bingx_f", ENTRY))
    assert wire.orders == 1


def test_a_lost_market_order_is_left_to_its_client_id() -> None:
    wire = Exchange(listed=[[WAITING]])
    with pytest.raises(OutcomeUnknown):
        venue(wire).place(KEYS, order("bingx_f", BUY))


# -- batches -----------------------------------------------------------------------------------------------


def many(*words: dict[str, Any]) -> list[OrderRequest]:
    return [order("bingx_f", each | {"client_id": f"f{number}"}) for number, each in enumerate(words)]


def told(outcomes: list[Report | ExchangeError]) -> list[Any]:
    return [each.exchange_id if isinstance(each, Report) else type(each) for each in outcomes]


def test_a_lost_batch_is_looked_for_by_terms_at_once_and_not_sent_again() -> None:
    taken = WAITING | {"orderId": 8, "type": "TAKE_PROFIT_MARKET", "stopPrice": "55000"}
    wire = Exchange(listed=[[], [WAITING], [taken, WAITING]])
    assert told(venue(wire).place_many(KEYS, many(STOP, TARGET))) == ["7", "8"]
    assert (wire.paths, len(wire.listed or [])) == (["batchOrders"], 1)


def test_an_order_of_a_lost_batch_that_is_not_listed_may_go_out_again_if_it_only_closes() -> None:
    wire = Exchange(listed=[[WAITING]])
    assert told(venue(wire).place_many(KEYS, many(STOP, TARGET, SALE))) == ["7", NotSent, OutcomeUnknown]
    assert wire.paths == ["batchOrders"]


def test_an_order_of_a_lost_batch_stays_found_when_a_later_list_does_not_show_it() -> None:
    wire = Exchange(listed=[[WAITING], []])
    assert told(venue(wire).place_many(KEYS, many(STOP, TARGET))) == ["7", NotSent]


def test_a_lost_batch_whose_orders_cannot_be_listed_stays_unknown() -> None:
    wire = Exchange(listed=[[WAITING | {"time": "soon"}]])
    assert told(venue(wire).place_many(KEYS, many(STOP, TARGET))) == [OutcomeUnknown] * 2


def test_a_batch_refused_for_one_of_its_orders_is_looked_for_and_its_reason_asked_of_each() -> None:
    refusal = {"code": 101290, "msg": "The Reduce Only order can only decrease your position", "data": {}}
    wire = Exchange(listed=[[]], refusal=refusal, loses=False)
    made = venue(wire)
    assert told(made.place_many(KEYS, many(STOP, TARGET))) == [NotSent, NotSent]
    wire.refusal = refusal
    with pytest.raises(NothingToReduce):
        made.place(KEYS, order("bingx_f", STOP))


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        ((STOP, TARGET, TARGET), ["batchOrders", "order"]),
        ((STOP, STOP), ["order", "order"]),
        ((STOP, SALE, SALE, TARGET), ["batchOrders"]),
        ((STOP, ENTRY, TARGET), ["order", "order", "order"]),
    ],
)
def test_a_batch_takes_one_conditional_order_of_a_kind_and_none_that_needs_a_price(
    words: tuple[dict[str, Any], ...], paths: list[str]
) -> None:
    """In the answer such an order is told by its kind alone."""
    wire = Exchange(listed=[[]])
    venue(wire).place_many(KEYS, many(*words))
    assert wire.paths == paths


def test_the_numbers_of_a_batch_are_numbers_in_plain_notation() -> None:
    sent: list[httpx.Request] = []

    def lose(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        raise httpx.ReadTimeout("lost", request=request)

    tiny = SALE | {"quantity": "0.00000001", "price": "0.00000100"}
    opened("bingx", lose).place_many(KEYS, [order("bingx", tiny | {"client_id": each}) for each in "ab"])
    (query,) = (dict(parse_qsl(each.url.query.decode())) for each in sent)
    assert '"price":0.000001,"quantity":0.00000001,' in query["data"]


def test_the_signature_covers_values_as_they_were_before_they_were_encoded() -> None:
    """The expected signature was computed by openssl over `list=[1,2]&symbol=BTC-USDT&timestamp=1700000000000`."""
    call = Call("DELETE", "/openApi/x", {"symbol": "BTC-USDT", "list": "[1,2]"})
    request = venue(Exchange()).sign(call, KEYS, NOW_MS)
    assert request.query == (
        f"list=%5B1%2C2%5D&symbol=BTC-USDT&timestamp=1700000000000&signature={SIGNATURE}"
    )
    assert request.headers == {"X-BX-APIKEY": "the-key"}


SIGNATURE = "071218c2b7ef8c76a52ca31bc5a4827e28b36c4c2fddc4e88efcf1bb49b885ac"


def test_client_ids_are_as_the_exchange_would_make_them() -> None:
    made = venue(Exchange()).client_id("01JD3X8K2MQZV7W5N9TRH4BCYE")
    assert made == "f01jd3x8k2mqzv7w5n9trh4bcye"
    assert made.isalnum()


def test_prices_of_a_market_are_asked_for_once_however_many_orders_wait_there() -> None:
    waiting = WAITING | {"type": "TRIGGER_MARKET", "stopPrice": "48000"}
    wire = Exchange(listed=[[waiting, waiting]])
    found = venue(wire).open_orders(KEYS)
    assert [each.trigger_price for each in found] == [Decimal(48000)] * 2
    assert wire.prices == 1


# -- what the codes mean -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        (80001, "Request failed", OutcomeUnknown),
        (80001, "margin is not enough", InsufficientFunds),
        (80001, "order state illegal, order not exist", OrderNotFound),
        (80001, "The maximum leverage for the trading pair is 5, please reduce the leverage", InvalidOrder),
        (80012, "Service Unavailable", OutcomeUnknown),
        (80012, "The current system is busy, please try again later", OutcomeUnknown),
        (80012, "network failed", OutcomeUnknown),
        (80012, '{"Code":101253,"Msg":"margin is not enough"}', InsufficientFunds),
        (80012, "symbol not exist", UnknownSymbol),
        (80012, "stop order cnt hit limit 50", InvalidOrder),
        (80018, "order is already filled", OrderNotFound),
        (80019, "The order is being processed", OutcomeUnknown),
        (101400, "No position to close", NothingToReduce),
        (101400, "Insufficient margin", InsufficientFunds),
        (101400, "The minimum order amount is 0.0001 BTC.", InvalidOrder),
        (101500, "rpc timeout", OutcomeUnknown),
        (504, "", OutcomeUnknown),
    ],
)
def test_only_a_definite_no_is_a_refusal(code: int, words: str, kind: type[ExchangeError]) -> None:
    """https://bingx-api.github.io/docs/#/en-us/swapV2/base-info.html "Common Error Codes" (read 2026-11-22)."""
    with pytest.raises(ExchangeError) as caught:
        venue(Exchange()).checked(Answer(200, {}, {"code": code, "msg": words}))
    assert type(caught.value) is kind


def test_a_market_order_the_service_has_no_word_of_is_not_called_refused() -> None:
    wire = Exchange(refusal={"code": 80012, "msg": "Service Unavailable"})
    with pytest.raises(OutcomeUnknown):
        venue(wire).place(KEYS, order("bingx_f", BUY))
    assert wire.orders == 1


def test_more_orders_than_are_listed_at_once_leave_a_lost_stop_unknown() -> None:
    wire = Exchange(listed=[[]], ended=[WAITING | {"status": "CANCELLED"}] * MOST)
    with pytest.raises(OutcomeUnknown):
        venue(wire).place(KEYS, order("bingx_f", STOP))
    assert wire.orders == 1


def test_a_stop_that_is_given_no_number_is_looked_for() -> None:
    """It has no id of ours either: nobody could cancel it."""
    nameless = {"code": 0, "data": {"order": {"orderId": ""}}}
    wire = Exchange(listed=[[WAITING]], refusal=nameless, loses=False)
    assert venue(wire).place(KEYS, order("bingx_f", STOP)).exchange_id == "7"
    assert wire.orders == 1


def test_prices_are_asked_for_no_oftener_than_a_minute_allows() -> None:
    """80 in ten seconds is all that a query may take of 100; of 500 in a minute it is 400."""
    moving = Moving()
    ours = venue(Exchange(), moving=moving)
    for _ in range(400):
        moving.now += 0.13
        ours.quote(instrument("bingx_f"))
    with pytest.raises(NotSent):
        ours.quote(instrument("bingx_f"))
