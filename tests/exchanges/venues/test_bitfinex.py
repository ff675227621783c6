"""What only Bitfinex does and the contract suite cannot show: nonces, ids of 45 bits, five digits, paper money, buckets."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.errors import ClockRefused, NotSent, OrderNotFound, OutcomeUnknown, Throttled, Unsupported
from exchanges.limits import Priority
from exchanges.rounds import Round
from exchanges.types import (
    Credentials,
    Environment,
    Legs,
    OrderRef,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from exchanges.venue import Call
from exchanges.venues.bitfinex import BitfinexSpot, fitted, tick_at
from tests.exchanges.contract import NOW_MS, case, instrument, open_venue, order

KEYS = Credentials("the-key", "the-secret")
OTHER = Credentials("another-key", "the-secret")
BUY = {"side": "buy", "type": "limit", "quantity": "0.1", "price": "40000", "client_id": "1"}
STOP = {"side": "sell", "type": "stop", "quantity": "0.1", "trigger_price": "40000", "client_id": "1"}
RATE = httpx.Response(429, json=["error", 11010, "ratelimit: error"])


class Answers:
    """Gives each answer once, the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


def told(name: str, wanted: str) -> list[Any]:
    """The answers of a case of the contract suite."""
    found = case(name, wanted)
    assert found is not None
    return [step["answer"]["body"] for step in found["exchange"]]


def venue(*answers: Any, name: str = "bitfinex_f", environment: str = "live") -> tuple[Any, Answers]:
    wire = Answers(*answers)
    return open_venue(name, wire, environment), wire


# -- signing -----------------------------------------------------------------------------------------------


def test_nonces_rise_while_the_clock_stands_still():
    ours, wire = venue([])
    for _ in range(3):
        ours.positions(KEYS)
    assert [int(each.headers["bfx-nonce"]) for each in wire.requests] == [
        NOW_MS * 1000 + step for step in range(3)
    ]


def test_nonces_stay_within_what_the_exchange_can_count():
    a_century_from_now_ms = NOW_MS + 100 * 366 * 86_400_000
    assert a_century_from_now_ms * 1000 < 2**53


def test_a_nonce_that_is_refused_again_tells_what_to_do():
    small = httpx.Response(500, json=["error", 10114, "nonce: small"])
    dated = httpx.Response(200, json=[1], headers={"date": "Tue, 14 Nov 2023 22:13:20 GMT"})
    ours, wire = venue(small, dated, small)
    with pytest.raises(ClockRefused, match="no other program"):
        ours.positions(KEYS)
    assert len(wire.requests) == 3, "once more after the clock was measured, and not for ever"


def test_public_data_needs_no_key():
    ours, wire = venue([50000, 1, 50001, 1, 0, 0, 50000, 1, 1, 1])
    ours.quote(instrument("bitfinex_f"))
    assert not [name for name in wire.requests[0].headers if name.startswith("bfx-")]


# -- ids ---------------------------------------------------------------------------------------------------


@given(st.text(alphabet="0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=26, max_size=26))
def test_client_ids_are_numbers_of_45_bits(token):
    assert 0 < int(BitfinexSpot.client_id(token)) < 2**45


def test_a_client_id_that_is_no_number_is_refused_before_sending():
    ours, wire = venue([])
    with pytest.raises(Unsupported):
        ours.place(KEYS, order("bitfinex_f", BUY | {"client_id": "f01jd3"}))
    assert wire.requests == []


def test_an_order_of_another_client_is_not_taken_for_ours():
    """Their list is searched by id when one is known, whatever client ids are in it."""
    row = told("bitfinex_f", "cancelled")[0][0]
    other = [row[0] + 1, *row[1:]]
    ours, _ = venue([other, row])
    found = ours.fetch(KEYS, instrument("bitfinex_f"), OrderRef("", str(row[0])))
    assert found.exchange_id == str(row[0])


def test_the_lists_of_a_round_answer_for_all_orders_that_never_arrived():
    """It grants an address 90 questions a minute of each kind."""
    ours, wire = venue([])
    with Round().asking():
        for name in ("1", "2", "3"):
            with pytest.raises(OrderNotFound):
                ours.fetch(KEYS, instrument("bitfinex_f"), OrderRef(name, ""))
    assert len(wire.requests) == 2
    with pytest.raises(OrderNotFound):
        ours.fetch(KEYS, instrument("bitfinex_f"), OrderRef("1", ""))
    assert len(wire.requests) == 4, "nothing is kept beyond its round"


# -- prices ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "tick"),
    [
        ("50000", "1"),
        ("99999", "1"),
        ("100000", "10"),
        ("9999.9", "0.1"),
        ("1", "0.0001"),
        ("0.1", "0.00001"),
        ("0.00012345", "0.00000001"),
        ("0.00000002", "0.00000001"),
    ],
)
def test_the_tick_follows_the_price(price, tick):
    assert tick_at(Decimal(price)) == Decimal(tick)


prices = st.decimals(Decimal("0.00000001"), Decimal(10_000_000), allow_nan=False, places=8)


@given(prices, st.booleans())
def test_a_price_keeps_five_digits_and_is_rounded_to_the_side_asked_for(price, up):
    rounded = fitted(price, up=up)
    assert len(rounded.normalize().as_tuple().digits) <= 5
    assert rounded >= price if up else rounded <= price
    assert abs(rounded - price) < tick_at(price)
    assert fitted(rounded, up=up) == rounded


def test_the_tick_of_a_pair_that_never_traded_is_the_finest():
    ours, _ = venue(*told("bitfinex", "instruments"), name="bitfinex")
    ticks = {each.symbol: each.tick for each in ours.instruments()}
    assert ticks["tNEWCO:USD"] == Decimal("0.00000001")


# -- orders ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        STOP | {"time_in_force": "ioc"},
        STOP | {"post_only": True},
        STOP | {"trigger_by": "mark"},
        BUY | {"post_only": True, "time_in_force": "fok"},
        BUY | {"type": "market", "price": None, "time_in_force": "ioc"},
        BUY | {"position_side": "long"},
        BUY | {"quantity": None, "quote_quantity": "100"},
        BUY | {"leverage": "101"},
        BUY | {"leverage": "0.5"},
        BUY | {"margin_mode": "cross"},
    ],
)
def test_what_bitfinex_lacks_is_refused_before_sending(words):
    given = {name: value for name, value in words.items() if value is not None}
    with pytest.raises(Unsupported):
        venue([])[0].place_call(order("bitfinex_f", given))


def test_protection_goes_first():
    for words, priority in (
        (BUY, Priority.ENTRY),
        (STOP, Priority.ENTRY),  # it opens when it is triggered
        (STOP | {"reduce_only": True}, Priority.PROTECT),
        (BUY | {"reduce_only": True}, Priority.PROTECT),
    ):
        assert venue([])[0].place_call(order("bitfinex_f", words)).priority is priority


def test_a_pair_goes_first_whatever_rests_for_its_target():
    stop, target = order("bitfinex", STOP), order("bitfinex", BUY | {"side": "sell", "client_id": "2"})
    call = venue([], name="bitfinex")[0].protect_call(Legs(stop, target))
    assert call.priority is Priority.PROTECT
    assert (call.params["cid"], call.params["cid_oco"], call.params["flags"]) == (2, 1, 16384)


@pytest.mark.parametrize(
    "changed",
    [
        {"side": Side.BUY},
        {"quantity": Decimal("0.2")},
        {"type": OrderType.MARKET},
        {"time_in_force": TimeInForce.IOC},
    ],
)
def test_legs_that_are_no_pair_are_refused_before_sending(changed):
    stop = order("bitfinex_f", STOP)
    target = order("bitfinex_f", BUY | {"side": "sell", "client_id": "2", "type": "take_profit"})
    target = replace(target, price=None, trigger_price=Decimal(60000), **changed)
    with pytest.raises(Unsupported):
        venue([])[0].protect_call(Legs(stop, target))


def test_nothing_is_sent_to_cancel_nothing():
    ours, wire = venue([])
    ours.cancel_all(KEYS, instrument("bitfinex_f"))
    assert [each.url.path for each in wire.requests] == ["/v2/auth/r/orders/tBTCF0:USTF0"]


def test_everything_is_cancelled_by_one_request():
    rows = told("bitfinex_f", "open orders")[0]
    ours, wire = venue(rows, [NOW_MS, "oc_multi-req", None, None, [], None, "SUCCESS", ""])
    ours.cancel_all(KEYS, instrument("bitfinex_f"))
    assert wire.requests[1].url.path == "/v2/auth/w/order/cancel/multi"
    assert str(rows[0][0]).encode() in wire.requests[1].content


def test_a_cancellation_that_was_not_confirmed_is_unknown():
    ours, _ = venue([NOW_MS, "oc-req", None, None, None, None, "LATER", ""])
    with pytest.raises(OutcomeUnknown):
        ours.cancel(KEYS, instrument("bitfinex_f"), OrderRef("", "1"))


# -- account -----------------------------------------------------------------------------------------------


def test_paper_money_has_the_names_of_money():
    wallets = [["exchange", "TESTUSDT", 5, 0, 5, None, None], ["exchange", "TESTBTC", 1, 0, 1, None, None]]
    ours, _ = venue(wallets, name="bitfinex", environment="testnet")
    assert set(ours.balances(KEYS)) == {"USDT", "BTC"}
    assert Environment.TESTNET in ours.base_urls


def test_coins_that_share_a_name_are_told_apart():
    ours, _ = venue([])
    assert [ours.asset(code) for code in ("LUNA", "LUNA2", "USTF0", "UDC", "BTCF0")] == [
        "LUNC",
        "LUNA",
        "USDT",
        "USDC",
        "BTC",
    ]


# -- limits ------------------------------------------------------------------------------------------------


def test_a_refusal_for_rate_stops_that_request_and_no_other():
    """Of its key; when a second one hears it, of the address."""
    ours, wire = venue(RATE, RATE, [])
    for keys in (KEYS, OTHER):
        with pytest.raises(Throttled):
            ours.place(keys, order("bitfinex_f", BUY))
    with pytest.raises(NotSent):
        ours.place(Credentials("a-third", "secret"), order("bitfinex_f", BUY))
    assert ours.positions(OTHER) == []
    assert len(wire.requests) == 3


def test_every_request_is_counted_for_its_key_and_its_address():
    for name in ("bitfinex", "bitfinex_f"):
        ours, _ = venue([], name=name)
        call: Call = ours.place_call(order(name, BUY))
        assert dict(call.costs) == {"submit": 1, "submit of key": 1}
        assert set(call.costs) <= set(ours.buckets)


@pytest.mark.parametrize(
    "status", ["CANCELED", "OCO CANCELED", "POSTONLY CANCELED was: ACTIVE", "IOC CANCELED"]
)
def test_an_order_cancelled_for_whatever_reason_has_ended(status):
    row = [1, None, 2, "tBTCUST", 1, 1, 1, 1, "EXCHANGE STOP", None, None, None, 0, status, None, None, 9, 0]
    ours, _ = venue([])
    assert ours.read_order(row, ended=True).status is OrderStatus.CANCELLED


def test_a_status_nobody_knows_is_unknown():
    row = [
        1,
        None,
        2,
        "tBTCUST",
        1,
        1,
        1,
        1,
        "EXCHANGE STOP",
        None,
        None,
        None,
        0,
        "DREAMING",
        None,
        None,
        9,
        0,
    ]
    ours, _ = venue([])
    with pytest.raises(OutcomeUnknown):
        ours.read_order(row, ended=True)
