"""What only Bitget does and the contract suite cannot show: its limits, its headers, and what it asks before placing."""

import json
from contextlib import nullcontext
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from exchanges.clock import Clock
from exchanges.errors import (
    AuthRefused,
    ModeMismatch,
    NotSent,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unsupported,
    WouldTrigger,
)
from exchanges.limits import LocalGate
from exchanges.types import Credentials, MarginMode, PositionMode
from exchanges.venue import Call
from exchanges.venues.bitget import BitgetSpot
from tests.exchanges.contract import NOW_MS, instrument, open_venue, order

KEYS = Credentials("the-key", "the-secret", "the-phrase")
OTHER = Credentials("another-key", "another-secret", "another-phrase")
SELL = {"side": "sell", "type": "limit", "quantity": "0.1", "price": "60000", "margin_mode": "cross"}
STOP = {"side": "sell", "type": "stop", "quantity": "0.1", "trigger_price": "39000", "reduce_only": True}
LISTS = {"code": "00000", "data": {"entrustedList": None, "endId": None}}
PLACED = {"code": "00000", "msg": "success", "requestTime": NOW_MS, "data": {"orderId": "1", "clientOid": ""}}
SLOW_DOWN = httpx.Response(429, json={"code": "429", "msg": "Too Many Requests", "data": None})


class Answers:
    """Gives each answer once, the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


def never(seconds: float) -> None:
    raise AssertionError(f"waited {seconds} s")


def venue(wire: Answers, name: str = "bitget_f", environment: str = "live") -> Any:
    made = open_venue(name, wire, environment)
    made.gate = LocalGate(clock=lambda: 1000.0, sleep=never, patience_seconds=0.0)
    return made


# -- limits ------------------------------------------------------------------------------------------------


def test_a_key_over_its_limit_does_not_hold_up_another_key():
    ours = venue(Answers(SLOW_DOWN, PLACED))
    with pytest.raises(Throttled):
        ours.place(KEYS, order("bitget_f", SELL))
    with pytest.raises(NotSent):
        ours.place(KEYS, order("bitget_f", SELL))
    assert ours.place(OTHER, order("bitget_f", SELL)).exchange_id == "1"


def test_an_entry_that_is_throttled_does_not_hold_up_its_stop():
    ours = venue(Answers(SLOW_DOWN, PLACED))
    with pytest.raises(Throttled):
        ours.place(KEYS, order("bitget_f", SELL))
    assert ours.place(KEYS, order("bitget_f", STOP)).exchange_id == "1"


def test_an_address_shut_out_is_quiet_with_every_key():
    wire = Answers(httpx.Response(403, text="<html>403 Forbidden</html>"), PLACED)
    ours = venue(wire)
    with pytest.raises(Throttled):
        ours.place(KEYS, order("bitget_f", SELL))
    with pytest.raises(NotSent):
        ours.place(OTHER, order("bitget_f", SELL))
    assert len(wire.requests) == 1


def test_what_the_header_leaves_is_believed_when_it_is_less_than_ours():
    used_up = httpx.Response(200, json=PLACED, headers={"x-mbx-used-remain-limit": "0"})
    ours = venue(Answers(used_up, PLACED))
    ours.place(KEYS, order("bitget_f", SELL))
    with pytest.raises(NotSent) as caught:
        ours.place(KEYS, order("bitget_f", SELL))
    assert caught.value.retry_after == pytest.approx(1.0)
    assert ours.place(KEYS, order("bitget_f", STOP)).exchange_id == "1", "it spoke of that endpoint only"


def test_a_header_that_leaves_more_than_we_know_of_frees_nothing():
    plenty = httpx.Response(200, json=PLACED, headers={"x-mbx-used-remain-limit": "19"})
    ours = venue(Answers(plenty))
    for _ in range(9):
        ours.place(KEYS, order("bitget_f", SELL))
    with pytest.raises(NotSent):
        ours.place(KEYS, order("bitget_f", SELL))


def test_spot_and_futures_orders_count_apart():
    spot, futures = venue(Answers(PLACED), "bitget"), venue(Answers(SLOW_DOWN))
    spot.gate = futures.gate
    with pytest.raises(Throttled):
        futures.place(KEYS, order("bitget_f", SELL))
    limit = {"side": "sell", "type": "limit", "quantity": "0.1", "price": "60000"}
    assert spot.place(KEYS, order("bitget", limit)).exchange_id == "1"


# -- signing -----------------------------------------------------------------------------------------------


def test_a_query_is_sorted_and_signed_as_it_reads():
    ours = venue(Answers(PLACED))
    plain = ours.sign(Call("GET", "/api/v2/x", {"b": "ü/1", "a": Decimal("0.10")}), KEYS, NOW_MS)
    assert plain.query == "a=0.1&b=%C3%BC%2F1"
    other = ours.sign(Call("GET", "/api/v2/x?a=0.1&b=ü/1"), KEYS, NOW_MS)
    assert plain.headers["ACCESS-SIGN"] == other.headers["ACCESS-SIGN"]


def test_public_calls_carry_no_key():
    assert (
        not venue(Answers(PLACED))
        .sign(Call("GET", "/api/v2/public/time", signed=False), KEYS, NOW_MS)
        .headers
    )


def test_the_demo_is_the_same_host_with_a_header():
    assert len(set(BitgetSpot.base_urls.values())) == 1
    wire = Answers({"code": "00000", "data": {"serverTime": str(NOW_MS)}}, LISTS)
    ours = venue(wire, environment="testnet")
    ours.server_time_ms()
    ours.open_orders(KEYS, instrument("bitget_f"))
    asked = {request.url.path: request.headers.get("paptrading") for request in wire.requests}
    assert asked.pop("/api/v2/public/time") is None, "the clock is told without it only"
    assert set(asked.values()) == {"1"}
    live = Answers(LISTS)
    venue(live).open_orders(KEYS, instrument("bitget_f"))
    assert not any("paptrading" in request.headers for request in live.requests)


# -- the account -------------------------------------------------------------------------------------------


def test_a_unified_account_is_told_what_to_do():
    refused = httpx.Response(400, json={"code": "40085", "msg": "unified account", "data": None})
    with pytest.raises(AuthRefused, match="classic mode"):
        venue(Answers(refused)).key_info(KEYS)


# -- a market buy of a base quantity -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("band", "ask", "price"),
    [
        ("0.05", "50000.01", "51000.01"),  # two percent, down to the tick
        ("0.02", "100", "101"),  # half of a narrow band
        ("0.0001", "0.01", "0.01"),  # never below the best price
    ],
)
def test_a_market_buy_is_bounded_above_the_best_price(band, ask, price):
    plain = order("bitget", {"side": "buy", "type": "market", "quantity": "1"})
    traded = replace(plain.instrument, extra={"buy_band": Decimal(band)})
    bounded = BitgetSpot.bounded(replace(plain, instrument=traded), Decimal(ask))
    assert bounded.price == Decimal(price)
    assert bounded.time_in_force == "ioc"


# -- refused before anything is asked ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bitget_f", SELL | {"type": "market", "price": None, "post_only": True}),
        ("bitget_f", {"side": "buy", "type": "market", "quote_quantity": "100"}),
        ("bitget_f", STOP | {"trigger_by": "index"}),
        ("bitget_f", STOP | {"type": "stop_limit", "price": "38900", "time_in_force": "ioc"}),
        (
            "bitget_f",
            STOP | {"type": "stop_limit", "price": "38900", "post_only": True, "reduce_only": False},
        ),
        ("bitget", {"side": "buy", "type": "limit", "quote_quantity": "100", "price": "9"}),
        ("bitget", {"side": "sell", "type": "market", "quote_quantity": "100"}),
        ("bitget", {"side": "buy", "type": "market", "quantity": "1", "reduce_only": True}),
        ("bitget", STOP | {"reduce_only": False, "trigger_by": "index"}),
        ("bitget", STOP | {"reduce_only": False, "post_only": True}),
    ],
)
def test_what_bitget_lacks_is_refused_before_anything_is_asked(name, words):
    wire = Answers(PLACED)
    words = {key: value for key, value in words.items() if value is not None}
    with pytest.raises(Unsupported):
        venue(wire, name).place(KEYS, order(name, words))
    assert wire.requests == []


# -- what was seen a moment ago ----------------------------------------------------------------------------


class Moments:
    """Seconds after the contract suite's moment, as the venue's clock tells them."""

    def __init__(self, ours: Any) -> None:
        self.passed = 0.0
        ours.clock = Clock(wall=lambda: NOW_MS / 1000 + self.passed)


def account(margin: str, position: str = "one_way_mode") -> dict[str, Any]:
    modes = {"marginMode": margin, "posMode": position, "crossedMarginLeverage": "10"}
    levers = dict.fromkeys(("isolatedLongLever", "isolatedShortLever"), "10")
    return {"code": "00000", "data": modes | levers}


def ticker(price: str) -> dict[str, Any]:
    return {"code": "00000", "data": [{"lastPr": price, "bidPr": price, "askPr": price}]}


def asked(wire: Answers) -> list[str]:
    return [request.url.path.rpartition("/")[2] for request in wire.requests]


BARE = {name: value for name, value in SELL.items() if name != "margin_mode"}
PLANS = {
    name: {"side": "sell", "type": name, "quantity": "0.1", "trigger_price": price}
    for name, price in (("stop", "49000"), ("take_profit", "52000"))
}


def test_one_answer_tells_modes_and_leverage_of_a_symbol_for_a_second():
    wire = Answers(account("crossed"), account("isolated"))
    ours, btc = venue(wire), instrument("bitget_f")
    moments = Moments(ours)
    ours.position_mode(KEYS, btc)
    ours.set_leverage(KEYS, btc, Decimal(10), None)
    moments.passed = 0.9
    assert ours.margin_mode(KEYS, btc) is MarginMode.CROSS
    moments.passed = 1
    assert ours.margin_mode(KEYS, btc) is MarginMode.ISOLATED
    assert asked(wire) == ["account", "account"]


def test_each_key_and_symbol_has_its_own_settings():
    wire = Answers(account("crossed"), account("isolated"), account("isolated"))
    ours, btc = venue(wire), instrument("bitget_f")
    asked_for = [(KEYS, btc), (OTHER, btc), (KEYS, replace(btc, symbol="ETHUSDT"))]
    assert [ours.margin_mode(*each) for each in asked_for] == ["cross", "isolated", "isolated"]


@pytest.mark.parametrize(
    "answer", [PLACED, httpx.Response(502, text="<html>502</html>")], ids=["done", "not answered"]
)
def test_settings_that_were_changed_are_read_anew(answer):
    wire = Answers(account("crossed"), answer, account("isolated"))
    ours, btc = venue(wire), instrument("bitget_f")
    with nullcontext() if answer is PLACED else pytest.raises(OutcomeUnknown):
        ours.set_leverage(KEYS, btc, None, MarginMode.ISOLATED)
    assert ours.margin_mode(KEYS, btc) is MarginMode.ISOLATED


def test_settings_are_read_anew_after_an_order_was_refused():
    wrong_mode = {"code": "40774", "msg": "The order type for unilateral position must be unilateral"}
    refused = {"successList": [], "failureList": [{"clientOid": "f1", "errorCode": "40774", "errorMsg": ""}]}
    wire = Answers(
        account("crossed"),
        httpx.Response(400, json=wrong_mode),
        account("crossed", "hedge_mode"),
        PLACED | {"data": refused},
        account("crossed"),
    )
    ours, btc = venue(wire), instrument("bitget_f")
    assert ours.position_mode(KEYS, btc) is PositionMode.ONE_WAY
    with pytest.raises(ModeMismatch):
        ours.place(KEYS, order("bitget_f", SELL))
    assert ours.position_mode(KEYS, btc) is PositionMode.HEDGE
    ours.place_many(KEYS, [order("bitget_f", SELL | {"client_id": f"f{number}"}) for number in range(2)])
    assert ours.position_mode(KEYS, btc) is PositionMode.ONE_WAY


def test_one_look_at_the_price_serves_stop_and_target():
    wire = Answers(ticker("50000"), PLACED)
    ours = venue(wire, "bitget")
    for each in PLANS.values():
        ours.place(KEYS, order("bitget", each))
    assert asked(wire) == ["tickers", "place-plan-order", "place-plan-order"]


@pytest.mark.parametrize(
    ("passed", "trigger"),
    [(1, "49000"), (0, "49500"), (-1, "49000")],
    ids=["a second ago", "within a percent", "of a clock that was set back"],
)
def test_a_look_that_may_no_longer_hold_is_not_believed(passed, trigger):
    wire = Answers(ticker("50000"), ticker("48000"))
    ours = venue(wire, "bitget")
    moments = Moments(ours)
    ours.quote(instrument("bitget"))
    moments.passed = passed
    with pytest.raises(WouldTrigger):
        ours.place(KEYS, order("bitget", PLANS["stop"] | {"trigger_price": trigger}))


def test_no_stop_is_refused_for_a_price_that_is_not_of_now():
    wire = Answers(ticker("48000"), ticker("50000"), PLACED)
    ours = venue(wire, "bitget")
    ours.quote(instrument("bitget"))
    assert ours.place(KEYS, order("bitget", PLANS["stop"])).exchange_id == "1"
    assert asked(wire) == ["tickers", "tickers", "place-plan-order"]


# -- several orders in one request -------------------------------------------------------------------------


def test_a_batch_counts_as_one_request_in_a_limit_of_its_own():
    batch = PLACED | {"data": {"successList": [], "failureList": []}}
    wire = Answers(batch)
    ours = venue(wire)
    sells = [order("bitget_f", SELL | {"client_id": f"f{number}"}) for number in range(50)]
    for _ in range(4):
        ours.place_many(KEYS, sells)
    assert {type(each) for each in ours.place_many(KEYS, sells)} == {NotSent}
    assert asked(wire) == ["batch-place-order"] * 4


def test_orders_in_two_margin_modes_do_not_share_a_request():
    wire = Answers(PLACED)
    modes = ("cross", "isolated", "isolated")
    orders = [
        order("bitget_f", SELL | {"margin_mode": mode, "client_id": f"f{n}"}) for n, mode in enumerate(modes)
    ]
    venue(wire).place_many(KEYS, orders)
    assert asked(wire) == ["place-order", "batch-place-order"]


def test_a_market_buy_of_coins_goes_out_alone_for_it_needs_the_price_of_now():
    wire = Answers(*(ticker("50000"), PLACED) * 2)
    buys = [{"side": "buy", "type": "market", "quantity": "0.1", "client_id": f"f{n}"} for n in range(2)]
    told = venue(wire, "bitget").place_many(KEYS, [order("bitget", each) for each in buys])
    assert [each.exchange_id for each in told] == ["1", "1"]
    assert asked(wire) == ["tickers", "place-order"] * 2


def test_a_batch_is_not_sent_when_the_margin_mode_cannot_be_read():
    wire = Answers(httpx.Response(502, text="<html>502</html>"))
    told = venue(wire).place_many(KEYS, [order("bitget_f", BARE | {"client_id": f"f{n}"}) for n in range(2)])
    assert [type(each) for each in told] == [NotSent] * 2
    assert asked(wire) == ["account"]


def test_a_close_names_the_mode_its_position_was_seen_in_until_one_is_refused():
    held = {"symbol": "BTCUSDT", "holdSide": "long", "total": "0.1", "openPriceAvg": "50000"}
    positions = {"code": "00000", "data": [held | {"marginMode": "isolated"}]}
    settings = {"code": "00000", "data": {"marginMode": "crossed", "posMode": "one_way_mode"}}
    refused = httpx.Response(400, json={"code": "40000", "msg": "refused", "data": None})
    wire = Answers(positions, PLACED, refused, settings, PLACED)
    ours, bitcoin = venue(wire), instrument("bitget_f")
    close = order("bitget_f", {"side": "sell", "type": "market", "quantity": "0.1", "reduce_only": True})
    ours.positions(KEYS, bitcoin)
    ours.place(KEYS, close)
    with pytest.raises(Refused):
        ours.place(KEYS, close)
    ours.place(KEYS, close)
    sent = [json.loads(each.content)["marginMode"] for each in wire.requests if each.method == "POST"]
    assert sent == ["isolated", "isolated", "crossed"]
