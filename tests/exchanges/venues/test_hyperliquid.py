"""Hyperliquid beyond the cases of the contract suite: prices, bounds, keys, nonces."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import ccxt
import httpx
import pytest
from eth_account import Account
from hyperliquid.utils.signing import sign_l1_action  # type: ignore[import-untyped]
from hyperliquid.utils.types import Cloid  # type: ignore[import-untyped]

from exchanges.errors import AuthRefused, NotSent, OutcomeUnknown, Throttled, Unsupported
from exchanges.limits import LocalGate, Priority
from exchanges.rounds import Round
from exchanges.types import (
    Credentials,
    Instrument,
    Legs,
    OrderRef,
    OrderRequest,
    OrderType,
    Side,
    TimeInForce,
    TriggerBy,
)
from exchanges.venues.hyperliquid import (
    HyperliquidPerpetuals,
    _Hyperliquid,
    address_of,
    agent_digest,
    fitted,
    signature,
    tick_at,
)
from tests.exchanges.contract import NOW_MS, credentials, instrument, open_venue

NAME = "hyperliquid_f"
BTC = instrument(NAME)
TOKEN = "01JD3X8K2MQZV7W5N9TRH4BCYE"
FILLED = {"filled": {"totalSz": "0.02", "avgPx": "50000.0", "oid": 1}}

LISTED = [
    {"universe": [{"name": "BTC", "szDecimals": 5, "maxLeverage": 40}]},
    [{"markPx": "30000.0"}],
]


class Exchange:
    """Answers by what is asked, and keeps the actions."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {"exchangeStatus": {"time": 1_700_000_000_000}} | answers
        self.asked: list[str] = []
        self.sent: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if request.url.path == "/exchange":
            self.sent.append(body)
            statuses = [FILLED for _ in body["action"]["orders"]]
            return httpx.Response(
                200, json={"status": "ok", "response": {"type": "order", "data": {"statuses": statuses}}}
            )
        self.asked.append(body["type"])
        if (answer := self.answers.get(body["type"])) is None:
            return httpx.Response(502, text="<html>")
        return httpx.Response(200, json=answer)

    @property
    def bounds(self) -> list[str]:
        return [each["action"]["orders"][0]["p"] for each in self.sent]


def book(bid: str, ask: str) -> dict[str, Any]:
    return {
        "coin": "BTC",
        "time": 1,
        "levels": [[{"px": bid, "sz": "1", "n": 1}], [{"px": ask, "sz": "1", "n": 1}]],
    }


def opened(exchange: Exchange, seconds: Callable[[], float] = lambda: 0.0) -> _Hyperliquid:
    venue = open_venue(NAME, exchange)
    assert isinstance(venue, _Hyperliquid)
    venue.monotonic = seconds
    return venue


def market(side: Side = Side.BUY, **more: Any) -> OrderRequest:
    return OrderRequest(
        BTC, HyperliquidPerpetuals.client_id(TOKEN), side, OrderType.MARKET, quantity=Decimal("0.02"), **more
    )


def at(decimals: int) -> Instrument:
    return replace(BTC, extra={**BTC.extra, "finest": Decimal(1).scaleb(-decimals)})


# -- prices --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spot", [True, False])
@pytest.mark.parametrize("digits", [0, 2, 5])
@pytest.mark.parametrize(
    "price",
    [
        "123456",
        "123456.7",
        "65432.19",
        "50000.5",
        "9999.96",
        "1234.5678",
        "100.005",
        "7.654321",
        "0.0123456",
        "0.00123456",
    ],
)
def test_prices_are_rounded_as_ccxt_does(price: str, digits: int, spot: bool) -> None:
    client = ccxt.hyperliquid()
    step = float(Decimal(1).scaleb(-digits))
    words = {
        "id": "x",
        "symbol": "X/USDC",
        "base": "X",
        "quote": "USDC",
        "precision": {"amount": step, "price": 1e-8},
    }
    client.set_markets(
        [client.safe_market_structure(words | {"spot": spot, "swap": not spot, "active": True})]
    )
    theirs = client.price_to_precision("X/USDC", price)
    assert fitted(Decimal(price), at((8 if spot else 6) - digits)) == Decimal(theirs)


@pytest.mark.parametrize(
    ("price", "finest", "tick"),
    [
        ("123456", "0.1", "1"),
        ("50000", "0.1", "1"),
        ("3000", "0.01", "0.1"),
        ("0.5", "0.000001", "0.00001"),
        ("0", "0.1", "0.1"),
    ],
)
def test_the_tick_follows_the_price(price: str, finest: str, tick: str) -> None:
    assert tick_at(Decimal(price), Decimal(finest)) == Decimal(tick)


@pytest.mark.parametrize(
    ("side", "kind", "limit", "level"),
    [
        (Side.BUY, OrderType.LIMIT, "60000", None),
        (Side.SELL, OrderType.LIMIT, "60001", None),
        (Side.BUY, OrderType.STOP_LIMIT, "60000", "60001"),
        (Side.SELL, OrderType.STOP_LIMIT, "60001", "60000"),
        (Side.BUY, OrderType.TAKE_PROFIT_LIMIT, "60000", "60000"),
        (Side.SELL, OrderType.TAKE_PROFIT_LIMIT, "60001", "60001"),
    ],
)
def test_digits_too_many_never_make_a_price_worse_or_a_stop_earlier(
    side: Side, kind: OrderType, limit: str, level: str | None
) -> None:
    price, trigger = Decimal("60000.6"), Decimal("60000.4")
    order = replace(market(side), type=kind, price=price, trigger_price=trigger if level else None)
    (sent,) = opened(Exchange()).place_call(order).params["action"]["orders"]
    assert (sent["p"], sent["t"].get("trigger", {}).get("triggerPx")) == (limit, level)


# -- the bound of a market order -----------------------------------------------------------------------------


def test_a_market_order_is_bounded_by_the_price_last_heard_and_asks_nothing() -> None:
    exchange = Exchange(allMids={"BTC": "60000.5"})
    venue = opened(exchange)
    venue.sync_clock()
    venue.place(credentials(NAME), market())
    venue.place(credentials(NAME), market(Side.SELL))
    assert exchange.bounds == ["63001", "57000"]
    assert exchange.asked == ["exchangeStatus", "allMids"]


def test_a_price_heard_too_long_ago_is_asked_for() -> None:
    exchange, now = Exchange(allMids={"BTC": "60000.5"}, l2Book=book("39999", "40001")), [0.0]
    venue = opened(exchange, lambda: now[0])
    venue.sync_clock()
    now[0] = 31.0
    venue.place(credentials(NAME), market())
    assert exchange.bounds == ["42000"]


def test_before_the_first_clock_the_prices_of_the_list_are_what_was_heard() -> None:
    exchange, now = Exchange(metaAndAssetCtxs=LISTED, l2Book=book("39999", "40001")), [0.0]
    venue = opened(exchange, lambda: now[0])
    venue.instruments()
    venue.place(credentials(NAME), market())
    now[0] = 31.0
    venue.place(credentials(NAME), market())
    assert exchange.bounds == ["31500", "42000"]


def test_without_a_price_nothing_is_sent() -> None:
    exchange, now = Exchange(allMids={"BTC": "60000.5"}), [0.0]
    venue = opened(exchange, lambda: now[0])
    venue.sync_clock()
    now[0] = 31.0
    with pytest.raises(NotSent):
        venue.place(credentials(NAME), market())
    assert exchange.sent == []


def test_prices_that_cannot_be_heard_leave_the_clock_measured() -> None:
    venue = opened(Exchange(allMids=["not", "prices"]))
    venue.sync_clock()
    assert venue.clock.measured


# -- what is refused before anything is sent -----------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        {"type": OrderType.LIMIT, "price": Decimal(1), "time_in_force": TimeInForce.FOK},
        {"type": OrderType.LIMIT, "price": Decimal(1), "time_in_force": TimeInForce.IOC, "post_only": True},
        {"type": OrderType.MARKET, "post_only": True},
        {"type": OrderType.STOP, "trigger_price": Decimal(1), "trigger_by": TriggerBy.INDEX},
    ],
)
def test_what_the_exchange_lacks_is_refused_before_sending(words: dict[str, Any]) -> None:
    exchange = Exchange()
    with pytest.raises(Unsupported):
        opened(exchange).place(credentials(NAME), replace(market(), **words))
    assert (exchange.sent, exchange.asked) == ([], [])


def test_a_pair_of_legs_that_could_open_a_position_is_refused() -> None:
    stop = replace(market(Side.SELL), type=OrderType.STOP, trigger_price=Decimal(49000))
    target = replace(stop, type=OrderType.TAKE_PROFIT, trigger_price=Decimal(52000))
    with pytest.raises(Unsupported):
        opened(Exchange()).protect(credentials(NAME), Legs(stop, target))


def test_leverage_is_a_whole_number() -> None:
    with pytest.raises(Unsupported):
        opened(Exchange()).set_leverage(credentials(NAME), BTC, Decimal("2.5"), None)


@pytest.mark.parametrize("said", [{"status": "err"}, {"status": "err", "response": None}])
def test_an_error_without_words_leaves_the_order_unknown(said: dict[str, Any]) -> None:
    venue = open_venue(NAME, lambda request: httpx.Response(200, json=said))
    with pytest.raises(OutcomeUnknown):
        venue.place(credentials(NAME), market())


def test_an_address_that_was_refused_asks_again_before_the_minute_is_over() -> None:
    """A stop waits for it as well."""
    now, answers = [0.0], [httpx.Response(429, text="null"), httpx.Response(200, json=book("1", "2"))]
    venue = open_venue(NAME, lambda request: answers.pop(0))
    venue.gate = LocalGate(clock=lambda: now[0], patience_seconds=0.0)
    with pytest.raises(Throttled):
        venue.quote(BTC)
    now[0] = 9.0
    with pytest.raises(NotSent):
        venue.quote(BTC)
    now[0] = 11.0
    assert venue.quote(BTC).ask == 2


# -- what others named ---------------------------------------------------------------------------------------


def spot_list(name: str) -> list[Any]:
    tokens = [
        {"name": "USDC", "index": 0, "szDecimals": 8},
        {"name": name, "index": 1, "szDecimals": 2},
        {"name": "UUUSPX", "index": 2, "szDecimals": 2},
    ]
    pairs = [{"name": f"@{index}", "index": index, "tokens": [index, 0]} for index in (1, 2)]
    return [
        {"tokens": tokens, "universe": pairs},
        [{"coin": f"@{index}", "markPx": "1.5"} for index in (1, 2)],
    ]


def test_a_token_that_took_the_name_of_a_bridged_coin_is_not_that_coin() -> None:
    held = [{"coin": coin, "total": total, "hold": "0"} for coin, total in (("UUUSPX", "3"), ("SPX", "9999"))]
    exchange = Exchange(spotMetaAndAssetCtxs=spot_list("SPX"), spotClearinghouseState={"balances": held})
    venue = open_venue("hyperliquid", exchange)
    assert [(each.symbol, each.base) for each in venue.instruments()] == [("@2", "SPX")]
    assert venue.balances(credentials("hyperliquid"))["SPX"].total == 3


def test_a_stop_on_a_whole_position_has_no_quantity() -> None:
    listed = {
        "coin": "BTC",
        "side": "A",
        "oid": 7,
        "orderType": "Stop Market",
        "isPositionTpsl": True,
        "origSz": "0.0",
        "sz": "0.0",
        "limitPx": "45000.0",
        "triggerPx": "49000.0",
        "reduceOnly": True,
    }
    (report,) = opened(Exchange(frontendOpenOrders=[listed])).open_orders(credentials(NAME))
    assert (report.quantity, report.filled) == (None, Decimal(0))


def test_a_long_list_of_fills_weighs_more() -> None:
    fills = [{"tid": number, "oid": 1, "px": "1", "sz": "1", "time": 1} for number in range(100)]
    venue = opened(Exchange(userFillsByTime=fills))
    keys = credentials(NAME)
    for _ in range(venue.buckets["weight"].allowed(Priority.QUERY) // 25):
        assert len(list(venue._fills(keys, 0, 1))) == 100
    with pytest.raises(NotSent):
        list(venue._fills(keys, 0, 1))


def filled(number: int, at: int) -> dict[str, Any]:
    order = {"coin": "BTC", "side": "A", "oid": number, "orderType": "Stop Market", "origSz": "1", "sz": "0"}
    return {
        "status": "order",
        "order": {
            "order": order | {"limitPx": "1", "triggerPx": "1", "reduceOnly": True, "timestamp": at},
            "status": "filled",
            "statusTimestamp": at + 9,
        },
    }


def test_the_fills_of_one_order_answer_for_the_others_of_a_round() -> None:
    shared = {"px": "7", "sz": "1", "time": NOW_MS, "fee": "0", "feeToken": "USDC"}
    exchange = Exchange(userFillsByTime=[{"tid": number, "oid": number, **shared} for number in (7, 8)])
    venue, keys = opened(exchange), credentials(NAME)

    def price(number: int, at: int) -> Decimal | None:
        exchange.answers["orderStatus"] = filled(number, at)
        return venue.fetch(keys, BTC, OrderRef("", str(number))).average_price

    with Round().asking():
        assert [price(7, NOW_MS - 5_000), price(8, NOW_MS - 9_000)] == [7, 7]
    assert exchange.asked.count("userFillsByTime") == 1
    assert [price(7, NOW_MS - 5_000), price(8, NOW_MS - 9_000)] == [7, 7]
    assert exchange.asked.count("userFillsByTime") == 3, "nothing is kept beyond its round"


# -- keys ------------------------------------------------------------------------------------------------------


def test_the_account_s_own_private_key_is_told_to_withdraw() -> None:
    secret = credentials(NAME).secret
    own = Credentials(address_of(secret), secret)
    info = opened(Exchange(userRole={"role": "user"})).key_info(own)
    assert (info.can_withdraw, info.can_trade) == (True, True)


@pytest.mark.parametrize(("left_ms", "roles"), [(60_000, 1), (-1, 2)])
def test_a_wallet_that_the_account_lists_needs_no_question_about_its_role(left_ms: int, roles: int) -> None:
    """A role is asked for at 60 of the 1200 units of an address, the list at 20."""
    keys = credentials(NAME)
    listed = [{"address": address_of(keys.secret), "name": "flipr", "validUntil": NOW_MS + left_ms}]
    exchange = Exchange(userRole={"role": "user"}, extraAgents=listed)
    with suppress(AuthRefused):  # the role says what the list does not
        assert opened(exchange).key_info(keys).can_withdraw is False
    assert exchange.asked.count("userRole") == roles


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("0x12", None),
        ("31ca8395cf837de08b24da3f660e77761dfb974b00", None),
        (None, "0x12"),
        (None, "no key"),
        (None, "0x" + "0" * 64),
    ],
)
def test_what_is_no_address_or_no_private_key_is_refused_without_being_told(
    key: str | None, secret: str | None
) -> None:
    exchange, right = Exchange(), credentials(NAME)
    wrong = Credentials(key or right.key, secret or right.secret)
    venue = opened(exchange)
    for call in (lambda: venue.balances(wrong), lambda: venue.key_info(wrong)):
        with pytest.raises(AuthRefused) as caught:
            call()
        assert wrong.secret not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert exchange.asked == []


def test_an_address_may_be_written_in_capitals_and_is_asked_for_in_small_letters() -> None:
    exchange, right = Exchange(frontendOpenOrders=[]), credentials(NAME)
    venue = opened(exchange)
    assert venue.open_orders(Credentials("0x" + right.key[2:].upper(), right.secret)) == []


# -- signatures ------------------------------------------------------------------------------------------------


def test_no_two_actions_share_a_nonce() -> None:
    exchange = Exchange()
    venue = opened(exchange)
    for _ in range(3):
        venue.place(credentials(NAME), market())
    nonces = [each["nonce"] for each in exchange.sent]
    assert nonces == [1_700_000_000_000, 1_700_000_000_001, 1_700_000_000_002]


def test_the_test_net_is_signed_for_as_such() -> None:
    exchange = Exchange()
    venue = open_venue(NAME, exchange, "testnet")
    venue.place(credentials(NAME), market())
    (sent,) = exchange.sent
    assert sent["signature"] == signature(credentials(NAME).secret, sent["action"], sent["nonce"], "b")
    assert sent["signature"] != signature(credentials(NAME).secret, sent["action"], sent["nonce"], "a")


def test_every_action_is_signed_as_the_official_kit_signs_it() -> None:
    secret = credentials(NAME).secret
    actions = [
        {"type": "cancel", "cancels": [{"a": 0, "o": 2**40}]},
        {
            "type": "cancelByCloid",
            "cancels": [{"asset": 10142, "cloid": HyperliquidPerpetuals.client_id(TOKEN)}],
        },
        {"type": "updateLeverage", "asset": 3, "isCross": False, "leverage": 40},
        opened(Exchange()).place_call(market()).params["action"],
    ]
    for action in actions:
        for nonce in (0, 1, 1_700_000_000_123):
            for source in "ab":
                theirs = sign_l1_action(Account.from_key(secret), action, None, nonce, None, source == "a")
                assert signature(secret, action, nonce, source) == theirs
    assert address_of(secret) == Account.from_key(secret).address.lower()
    assert len(agent_digest(actions[0], 1, "a")) == 32


def test_a_cloid_is_made_of_the_token() -> None:
    ours = HyperliquidPerpetuals.client_id(TOKEN)
    assert Cloid.from_str(ours).to_raw() == ours
    assert ours != HyperliquidPerpetuals.client_id(TOKEN[:-1] + "F")
