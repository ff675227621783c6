"""Deribit in the sandbox, traded by ccxt and by our venues: two that agree."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import ccxt
import httpx
import pytest

from exchanges.errors import (
    AuthRefused,
    InsufficientFunds,
    InvalidOrder,
    NothingToReduce,
    NotSent,
    OrderNotFound,
    OutcomeUnknown,
    PostOnlyRefused,
    Refused,
    Throttled,
    UnknownSymbol,
    Unsupported,
    WouldTrigger,
)
from exchanges.pool import Pool
from exchanges.types import (
    Direction,
    MarginMode,
    OrderRef,
    OrderStatus,
    OrderType,
    PositionMode,
    TimeInForce,
)
from tests.exchanges.conftest import Sandbox
from tests.exchanges.sandbox.ours import Ours

SPOT, SWAP = "BTC/USDC", "BTC/USDC:USDC"
REDUCE = {"reduceOnly": True}
REDUCING = {"reduce_only": True}


@pytest.fixture
def keys(sandbox: Sandbox) -> dict[str, str]:
    return sandbox.account("deribit", balances={"USDC": "100000", "BTC": "2"})


# -- ccxt --------------------------------------------------------------------------------------------------


def ccxt_client(sandbox: Sandbox, keys: dict[str, str], name: str = "Deribit_F") -> Any:
    made = ccxt.deribit({"apiKey": keys["key"], "secret": keys["secret"], "enableRateLimit": False})
    made.urls["api"] = {"rest": sandbox.venue(name)}
    return made


@pytest.fixture
def client(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    """Signs the path as it is behind the sandbox's prefix, so one client trades both products."""
    return ccxt_client(sandbox, keys)


def test_ccxt_loads_markets_with_steps_ticks_and_contract_sizes(client):
    markets = client.load_markets()
    assert markets[SWAP]["id"] == "BTC_USDC-PERPETUAL"
    assert (markets[SWAP]["contractSize"], markets[SWAP]["precision"]["price"]) == (0.0001, 0.5)
    assert (markets[SWAP]["linear"], markets[SPOT]["type"]) == (True, "spot")
    assert {"ETH/USDC", "SOL/USDC:USDC", "BTC/USDT"} <= set(markets)
    assert client.fetch_time() > 1_700_000_000_000
    ticker = client.fetch_ticker(SWAP)
    assert (ticker["last"], ticker["bid"], ticker["ask"]) == (50000, 50000, 50000.5)


def test_ccxt_amends_and_reads_books_histories_and_single_positions(client):
    assert client.fetch_order_book(SWAP)["asks"] == [[50000.5, 1]]
    assert client.fetch_tickers([SWAP], {"code": "BTC"})[SWAP]["bid"] == 50000
    order = client.create_order(SWAP, "limit", "buy", 0.1, 40000)
    changed = client.edit_order(order["id"], SWAP, "limit", "buy", 0.2, 41000)
    assert (changed["id"], changed["amount"], changed["price"]) == (order["id"], 0.2, 41000)
    bought = client.create_order(SWAP, "market", "buy", 0.1)
    assert [each["id"] for each in client.fetch_closed_orders(SWAP)] == [bought["id"]]
    assert [each["order"] for each in client.fetch_my_trades(SWAP)] == [bought["id"]]
    assert [each["amount"] for each in client.fetch_order_trades(bought["id"])] == [0.1]
    assert client.fetch_position(SWAP)["side"] == "long"
    assert client.fetch_my_trades(params={"currency": "BTC"}) == []


def asked_by_post(
    sandbox: Sandbox, method: str, where: str = "", authorization: str = "", **params: Any
) -> dict[str, Any]:
    headers = {"authorization": authorization}
    body = {"jsonrpc": "2.0", "id": 7, "method": method if where else f"/{method}", "params": params}
    url = f"{sandbox.venue('Deribit_F')}/api/v2{where}"
    told: dict[str, Any] = httpx.post(url, json=body, headers=headers).json()
    return told


def test_a_token_opens_what_its_secret_opens(sandbox, keys):
    proof = {"client_id": keys["key"], "client_secret": keys["secret"]}
    tokens = asked_by_post(sandbox, "public/auth", grant_type="client_credentials", **proof)["result"]
    bearer = f"Bearer {tokens['access_token']}"
    order: dict[str, Any] = {
        "instrument_name": "BTC_USDC-PERPETUAL",
        "amount": 0.1,
        "type": "market",
        "authorization": bearer,
    }
    placed = asked_by_post(sandbox, "private/buy", **order)
    assert (placed["id"], placed["result"]["order"]["order_state"]) == (7, "filled")
    closing = {"instrument_name": "BTC_USDC-PERPETUAL", "type": "market", "authorization": bearer}
    closed = asked_by_post(sandbox, "private/close_position", "/private/close_position", **closing)
    assert closed["result"]["order"]["direction"] == "sell"
    renewed = asked_by_post(
        sandbox, "public/auth", grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    )
    assert renewed["result"]["token_type"] == "bearer"
    for wrong in (tokens["refresh_token"], "none"):
        refused = asked_by_post(sandbox, "private/get_positions", authorization=f"Bearer {wrong}")
        assert refused["error"]["code"] == 13009
    refused = asked_by_post(
        sandbox, "public/auth", grant_type="client_credentials", **{**proof, "client_secret": "x"}
    )
    assert refused["error"]["code"] == 13004


def test_a_post_only_order_that_may_be_moved_is_put_beside_the_spread(client):
    request = {"instrument_name": "BTC_USDC-PERPETUAL", "amount": 0.1, "price": 51000, "post_only": "true"}
    order = client.private_get_buy(request)["result"]["order"]
    assert (order["order_state"], order["price"]) == ("open", 50000)


def test_ccxt_market_order_tells_its_fill_and_opens_a_position(client):
    order = client.create_order(SWAP, "market", "buy", 0.1)
    assert (order["status"], order["filled"], order["average"]) == ("closed", 0.1, 50000.5)
    assert order["trades"][0]["fee"] == {"cost": pytest.approx(2.500025), "currency": "USDC"}
    (position,) = client.fetch_positions(params={"currency": "USDC"})
    assert (position["symbol"], position["side"], position["contracts"]) == (SWAP, "long", 0.1)
    assert (position["entryPrice"], position["leverage"]) == (50000.5, 50)
    closed = client.create_order(SWAP, "market", "sell", 0.1, None, REDUCE)
    assert closed["average"] == 50000
    trades = client.fetch_my_trades(
        SWAP, order["timestamp"], params={"end_timestamp": closed["timestamp"] + 1000}
    )
    assert [(each["order"], each["amount"]) for each in trades] == [
        (order["id"], 0.1),
        (closed["id"], 0.1),
    ]
    assert [each["contracts"] for each in client.fetch_positions(params={"currency": "USDC"})] == [0]


def test_ccxt_limit_order_rests_holds_margin_and_is_cancelled(client):
    order = client.create_order(SWAP, "limit", "buy", 0.1, 40000)
    assert [each["id"] for each in client.fetch_open_orders(SWAP)] == [order["id"]]
    held = client.fetch_balance()["USDC"]
    assert (held["total"], held["free"]) == (100000, 99920)
    assert client.cancel_order(order["id"], SWAP)["status"] == "canceled"
    assert client.fetch_open_orders(SWAP) == []
    assert client.fetch_order(order["id"], SWAP)["status"] == "canceled"
    with pytest.raises(ccxt.InvalidOrder, match="11044"):
        client.cancel_order(order["id"], SWAP)


def test_ccxt_stop_fires_and_goes_on_as_another_order_of_the_same_label(sandbox, client):
    client.create_order(SWAP, "market", "buy", 0.1)
    stop = client.create_order(
        SWAP, "market", "sell", 0.1, None, {"stopLossPrice": 49000, "label": "mine", **REDUCE}
    )
    (waiting,) = client.fetch_open_orders(SWAP)
    assert (waiting["id"], waiting["info"]["order_state"]) == (stop["id"], "untriggered")
    sandbox.price(SPOT, 48990)
    fired, became = client.private_get_get_order_state_by_label({"currency": "USDC", "label": "mine"})[
        "result"
    ]
    assert (fired["order_id"], fired["order_state"], fired["triggered"]) == (stop["id"], "triggered", True)
    assert (became["trigger_order_id"], became["order_state"]) == (stop["id"], "filled")
    assert client.fetch_order(became["order_id"], SWAP)["average"] == 48990
    assert client.fetch_open_orders(SWAP) == []


def test_ccxt_take_profit_waits_on_the_other_side(sandbox, client):
    client.create_order(SWAP, "market", "buy", 0.1)
    client.create_order(SWAP, "limit", "sell", 0.1, 52100, {"takeProfitPrice": 52000, **REDUCE})
    sandbox.price(SPOT, 52000)
    (resting,) = client.fetch_open_orders(SWAP)
    assert (resting["type"], resting["price"], resting["status"]) == ("limit", 52100, "open")
    client.cancel_order(resting["id"], SWAP)
    assert client.fetch_open_orders(SWAP) == []


def test_ccxt_trades_the_perpetual_margined_in_its_coin(sandbox, client):
    """It counts dollars, as Deribit does: a contract is ten of them."""
    coin = "BTC/USD:BTC"
    market = client.load_markets()[coin]
    assert (market["id"], market["inverse"], market["contractSize"]) == ("BTC-PERPETUAL", True, 10)
    order = client.create_order(coin, "market", "buy", 1000)
    assert (order["status"], order["filled"], order["average"]) == ("closed", 1000, 50000.5)
    paid = 1000 / 50000.5 * 0.0005
    assert order["trades"][0]["fee"] == {"cost": pytest.approx(paid), "currency": "BTC"}
    stop = client.create_order(coin, "market", "sell", 1000, None, {"stopLossPrice": 49000, **REDUCE})
    before = client.fetch_balance()["BTC"]["total"]
    (position,) = client.fetch_positions()
    assert (position["symbol"], position["side"], position["info"]["size"]) == (coin, "long", 1000)
    assert [each["id"] for each in client.fetch_open_orders(coin)] == [stop["id"]]
    sandbox.price(SPOT, 49000)
    assert [each["contracts"] for each in client.fetch_positions()] == [0]
    lost = 1000 / 49000 * 1.0005 - 1000 / 50000.5
    assert client.fetch_balance()["BTC"]["total"] <= before
    assert client.fetch_balance()["BTC"]["total"] == pytest.approx(2 - paid - lost)


def test_ccxt_trades_spot_and_pays_no_fee(client):
    order = client.create_order(SPOT, "market", "buy", 0.1)
    assert (order["status"], order["average"]) == ("closed", 50000.1)
    assert client.fetch_balance()["BTC"]["total"] == pytest.approx(2.1)
    client.create_order(SPOT, "limit", "sell", 2, 60000)
    assert client.fetch_balance()["BTC"]["free"] == pytest.approx(0.1)
    client.cancel_all_orders()
    assert client.fetch_open_orders(SPOT) == []


def test_ccxt_gets_the_original_refusals(sandbox, client, keys):
    for code, kind, place in (
        ("10009", ccxt.InsufficientFunds, lambda: client.create_order(SWAP, "limit", "buy", 1000, 40000)),
        ("10009", ccxt.InsufficientFunds, lambda: client.create_order(SPOT, "limit", "buy", 10, 40000)),
        ("11030", ccxt.ExchangeError, lambda: client.create_order(SWAP, "market", "sell", 1, None, REDUCE)),
        ("11036", ccxt.InvalidOrder, lambda: client.create_order(SWAP, "market", "sell", 1, None, CROSSED)),
        ("11054", ccxt.InvalidOrder, lambda: client.create_order(SWAP, "limit", "buy", 1, 51000, POST)),
        ("10004", ccxt.OrderNotFound, lambda: client.fetch_order("USDC-1", SWAP)),
    ):
        with pytest.raises(kind, match=code):
            place()
    for wrong in ({"secret": "x"}, {"key": "x"}):
        with pytest.raises(ccxt.AuthenticationError, match="13004"):
            ccxt_client(sandbox, keys | wrong).fetch_balance()


CROSSED, POST = {"stopLossPrice": 50500}, {"postOnly": True}


def test_ccxt_is_refused_for_a_stale_timestamp(client):
    client.load_markets()
    now = client.milliseconds()
    client.milliseconds = lambda: now - 120_000
    with pytest.raises(ccxt.AuthenticationError, match="timestamp"):
        client.fetch_balance()


# -- our own venues ----------------------------------------------------------------------------------------


class Deribit(Ours):
    """In USDC."""

    def __init__(self, pool: Pool, name: str, keys: Mapping[str, str], symbol: str = "BTCUSDC") -> None:
        super().__init__(pool, name, keys, symbol)

    def asked(self, sandbox: Sandbox, path: str) -> int:
        calls = sandbox.state(self.venue.name, self.keys.key)["calls"]
        return sum(each["path"] == f"/api/v2/private/{path}" for each in calls)


@pytest.fixture
def futures(pool, keys):
    return Deribit(pool, "Deribit_F", keys)


@pytest.fixture
def cash(pool, keys):
    return Deribit(pool, "Deribit", keys)


def test_one_call_places_a_market_order_and_tells_fill_and_fee(sandbox, futures):
    entry = futures.place("buy", "market", "0.1")
    assert (entry.status, entry.filled, entry.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.1"),
        Decimal("50000.5"),
    )
    assert entry.fee is not None
    assert entry.fee.amount == Decimal("0.1") * Decimal("50000.5") * Decimal("0.0005")
    (position,) = futures.positions()
    assert (position.direction, position.quantity) == (Direction.LONG, Decimal("0.1"))
    assert position.margin_mode is MarginMode.CROSS
    assert futures.venue.position_mode(futures.keys, futures.instrument) is PositionMode.ONE_WAY
    assert futures.asked(sandbox, "buy") == 1


def test_a_short_position_is_read_and_closed(futures):
    futures.place("sell", "market", "0.2")
    (position,) = futures.positions()
    assert (position.direction, position.quantity) == (Direction.SHORT, Decimal("0.2"))
    futures.place("buy", "market", "0.2", **REDUCING)
    assert futures.positions() == []


def test_entry_stop_and_target_and_the_target_ends_the_stop(sandbox, futures):
    futures.place("buy", "market", "0.1")
    stop, target = futures.protect("0.1", "49000", "52000")
    assert {(each.exchange_id, each.client_id, each.type) for each in futures.open()} == {
        (stop.exchange_id, stop.client_id, OrderType.STOP),
        (target.exchange_id, target.client_id, OrderType.TAKE_PROFIT),
    }
    sandbox.price("BTC/USDC", "52000")
    assert futures.open() == []
    assert futures.positions() == []
    won, lost = futures.fetch(target), futures.fetch(stop)
    assert (won.type, won.status, won.average_price) == (
        OrderType.TAKE_PROFIT,
        OrderStatus.FILLED,
        Decimal(52000),
    )
    assert (lost.status, lost.filled, lost.reason) == (OrderStatus.CANCELLED, 0, "oco_other_closed")


def test_the_stop_ends_the_target(sandbox, futures):
    futures.place("buy", "market", "0.1")
    stop, target = futures.protect("0.1", "49000", "52000")
    sandbox.price("BTC/USDC", "48990")
    found = futures.fetch(stop)
    assert (found.status, found.average_price, found.trigger_price) == (
        OrderStatus.FILLED,
        Decimal(48990),
        Decimal(49000),
    )
    assert futures.fetch(target).status is OrderStatus.CANCELLED


def test_each_leg_is_cancelled_for_itself(futures):
    """That cancelling one cancels the other is not documented: here it does not."""
    futures.place("buy", "market", "0.1")
    stop, target = futures.protect("0.1", "49000", "52000")
    futures.cancel(target)
    assert [each.client_id for each in futures.open()] == [stop.client_id]
    futures.cancel(stop)
    assert futures.open() == []
    with pytest.raises(OrderNotFound):
        futures.cancel(stop)


def test_a_pair_that_cannot_stand_is_refused_as_a_whole(futures):
    futures.place("buy", "market", "0.1")
    with pytest.raises(WouldTrigger):
        futures.protect("0.1", "49000", "49500")
    assert futures.open() == []


def test_a_pair_whose_answer_was_lost_is_found_leg_by_leg(sandbox, futures):
    futures.place("buy", "market", "0.1")
    sandbox.fault("drop_after", venue="Deribit_F", count=1, path="private/sell")
    legs = futures.legs("0.1", "49000", "52000")
    with pytest.raises(OutcomeUnknown):
        futures.venue.protect(futures.keys, legs)
    assert [each.client_id for each in futures.open()] == [legs.stop.client_id, legs.target.client_id]


def test_a_pair_whose_target_cannot_be_looked_at_is_not_placed_again(sandbox, futures):
    futures.place("buy", "market", "0.1")
    sandbox.fault("throttle", venue="Deribit_F", count=1, path="get_open_orders_by_instrument")
    with pytest.raises(OutcomeUnknown):
        futures.protect("0.1", "49000", "52000")
    assert futures.asked(sandbox, "sell") == 1


def test_a_triggered_limit_order_that_rests_is_found_and_cancelled_by_its_label(sandbox, futures):
    stop = futures.place("buy", "stop_limit", "0.1", trigger_price="51000", price="50900")
    sandbox.price("BTC/USDC", "51000")
    (resting,) = futures.open()
    assert (resting.client_id, resting.price) == (stop.client_id, Decimal(50900))
    assert resting.exchange_id != stop.exchange_id
    found = futures.fetch(stop)
    assert (found.type, found.status, found.trigger_price) == (
        OrderType.STOP_LIMIT,
        OrderStatus.OPEN,
        Decimal(51000),
    )
    futures.cancel(stop)
    assert futures.fetch(stop).status is OrderStatus.CANCELLED
    assert futures.open() == []


def test_an_order_without_a_label_is_fetched_and_cancelled_by_its_number(sandbox, futures):
    stop = futures.place("buy", "stop", "0.1", trigger_price="51000", client_id="")
    assert futures.fetch(stop).status is OrderStatus.OPEN
    futures.cancel(stop)
    assert futures.fetch(stop).status is OrderStatus.CANCELLED
    with pytest.raises(OrderNotFound):
        futures.cancel(stop)


def test_everything_of_an_instrument_is_cancelled(futures):
    futures.place("buy", "limit", "0.1", price="40000")
    futures.place("buy", "market", "0.1")
    futures.protect("0.1", "49000", "52000")
    assert len(futures.open()) == 3
    futures.venue.cancel_all(futures.keys, futures.instrument)
    assert futures.open() == []


def test_spot_trades_and_tells_what_is_free(cash):
    entry = cash.place("buy", "market", "0.1")
    assert (entry.status, entry.average_price) == (OrderStatus.FILLED, Decimal("50000.1"))
    resting = cash.place("sell", "limit", "2", price="60000")
    held = cash.venue.balances(cash.keys)["BTC"]
    assert (held.total, held.free) == (Decimal("2.1"), Decimal("0.1"))
    assert cash.fetch(resting).status is OrderStatus.OPEN
    cash.cancel(resting)
    assert cash.open() == []


def test_spot_and_perpetuals_share_one_wallet_and_not_their_open_orders(futures, cash):
    cash.place("buy", "limit", "0.1", price="40000")
    futures.place("sell", "limit", "0.1", price="60000")
    usdc = futures.venue.balances(futures.keys)["USDC"]
    assert (usdc.total, usdc.free) == (Decimal(100_000), Decimal(100_000) - 4000 - 120)
    assert [len(each.venue.open_orders(each.keys)) for each in (futures, cash)] == [1, 1]


@pytest.mark.parametrize("time_in_force", [TimeInForce.IOC, TimeInForce.FOK])
def test_what_cannot_fill_at_once_ends(futures, cash, time_in_force):
    for ours in (futures, cash):
        placed = ours.place("buy", "limit", "0.1", price="40000", time_in_force=time_in_force)
        assert (placed.status, placed.filled) == (OrderStatus.CANCELLED, 0)


def test_a_market_order_that_found_half_is_cancelled_with_what_it_got(sandbox, futures, cash):
    for ours in (futures, cash):
        sandbox.fault("partial_fill", venue=ours.venue.name, count=1)
        placed = ours.place("buy", "market", "0.1")
        assert (placed.status, placed.filled) == (OrderStatus.CANCELLED, Decimal("0.05"))
        assert placed.average_price is not None


def test_refusals_have_our_classes(futures, cash):
    for ours, raised, words, more in (
        (futures, InsufficientFunds, ("buy", "market", "1000"), {}),
        (cash, InsufficientFunds, ("buy", "limit", "10"), {"price": "40000"}),
        (futures, NothingToReduce, ("sell", "market", "0.1"), REDUCING),
        (futures, WouldTrigger, ("sell", "stop", "0.1"), {"trigger_price": "50500"}),
        (futures, WouldTrigger, ("sell", "take_profit", "0.1"), {"trigger_price": "49500"}),
        (futures, PostOnlyRefused, ("buy", "limit", "0.1"), {"price": "51000", "post_only": True}),
        (futures, InvalidOrder, ("buy", "limit", "0.00001"), {"price": "50000"}),
        (futures, InvalidOrder, ("buy", "limit", "0.1"), {"price": "50000.3"}),
        (futures, Unsupported, ("buy", "market", "0.1"), {"margin_mode": MarginMode.ISOLATED}),
        (cash, Unsupported, ("sell", "stop", "0.1"), {"trigger_price": "49000"}),
    ):
        with pytest.raises(raised):
            ours.place(*words, **more)
    unlisted = replace(
        futures.order("buy", "market", "1"), instrument=replace(futures.instrument, symbol="X")
    )
    with pytest.raises(UnknownSymbol):
        futures.venue.place(futures.keys, unlisted)
    for ours in (futures, cash):
        with pytest.raises(OrderNotFound):
            ours.venue.fetch(ours.keys, ours.instrument, OrderRef("neversent"))
        with pytest.raises(OrderNotFound):
            ours.venue.cancel(ours.keys, ours.instrument, OrderRef("neversent"))


@pytest.mark.parametrize(("kind", "more"), [("market", {}), ("stop", {"trigger_price": "51000"})])
def test_an_order_whose_answer_was_lost_is_found_by_its_label(sandbox, futures, kind, more):
    sandbox.fault("drop_after", venue="Deribit_F", count=1, path="private/buy")
    with pytest.raises(OutcomeUnknown):
        futures.place("buy", kind, "0.1", client_id="lost", **more)
    found = futures.venue.fetch(futures.keys, futures.instrument, OrderRef("lost"))
    assert (found.client_id, found.quantity) == ("lost", Decimal("0.1"))
    assert futures.asked(sandbox, "buy") == 1


@pytest.mark.parametrize("symbol", ["BTCUSDC", "BTCUSDT", "SOLUSDC"])
def test_a_spot_order_whose_answer_was_lost_is_found_wherever_it_is_filed(sandbox, pool, keys, symbol):
    ours = Deribit(pool, "Deribit", sandbox.account("deribit"), symbol)
    sandbox.fault("drop_after", venue="Deribit", count=1, path="private/buy")
    with pytest.raises(OutcomeUnknown):
        ours.place("buy", "limit", "0.1", price="10", client_id="lost")
    ref = OrderRef("lost")
    assert ours.venue.fetch(ours.keys, ours.instrument, ref).status is OrderStatus.OPEN
    ours.venue.cancel(ours.keys, ours.instrument, ref)
    assert ours.open() == []


def test_a_clock_ahead_of_the_exchange_is_measured_and_the_order_still_sent_once(sandbox, futures):
    futures.venue.clock.offset_ms += 120_000
    futures.place("buy", "market", "0.1", client_id="ahead")
    assert futures.asked(sandbox, "buy") == 2, "refused for its timestamp, then accepted"
    assert futures.positions()[0].quantity == Decimal("0.1")


def test_a_stop_the_exchange_will_not_take_is_refused_alone_and_in_a_pair(sandbox, futures):
    futures.place("buy", "market", "0.1")
    sandbox.fault("reject_stop", venue="Deribit_F")
    with pytest.raises(Refused):
        futures.place("sell", "stop", "0.1", trigger_price="49000", **REDUCING)
    with pytest.raises(Refused):
        futures.protect("0.1", "49000", "52000")
    assert futures.open() == []


def test_more_orders_than_the_engine_takes_are_told_without_a_time_to_wait(sandbox, keys):
    sandbox.enforce_limits(True)
    ours = ccxt_client(sandbox, keys)

    def flood() -> None:
        for _ in range(40):
            ours.create_order(SWAP, "limit", "buy", 0.001, 40000)

    with pytest.raises(ccxt.DDoSProtection, match="10028"):
        flood()


def test_a_key_tells_its_rights_and_its_secret_stays_here(sandbox, pool, futures):
    info = futures.venue.key_info(futures.keys)
    assert (info.can_trade, info.can_withdraw, info.ip_locked) == (True, False, None)
    powerful = Deribit(
        pool, "Deribit_F", sandbox.account("deribit", permissions=["read", "trade", "withdraw"])
    )
    assert powerful.venue.key_info(powerful.keys).can_withdraw is True
    reader = Deribit(pool, "Deribit_F", sandbox.account("deribit", permissions=["read"]))
    assert reader.venue.key_info(reader.keys).can_trade is False
    with pytest.raises(AuthRefused):
        reader.place("buy", "market", "0.1")
    for wrong in (replace(futures.keys, secret="wrong"), replace(futures.keys, key="unknown")):
        with pytest.raises(AuthRefused) as caught:
            futures.venue.key_info(wrong)
        assert wrong.secret not in f"{caught.value.message} {caught.value.exchange_message}"


def test_an_unknown_method_is_told_in_json(sandbox):
    answer = httpx.get(f"{sandbox.venue('Deribit_F')}/api/v2/public/nothing")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32601)


def test_our_own_throttling_stops_before_the_exchange_does(sandbox, futures):
    sandbox.fault("throttle", venue="Deribit_F", count=1, path="private/buy")
    with pytest.raises(Throttled):
        futures.place("buy", "market", "0.1")
    with pytest.raises(NotSent) as caught:
        futures.venue.place(futures.keys, futures.order("buy", "market", "0.1"), patience_seconds=0.0)
    assert caught.value.code == "RATE_LIMIT"
    assert futures.asked(sandbox, "buy") == 1
