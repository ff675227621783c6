"""MEXC in the sandbox, traded by ccxt and by our venues: two that agree."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
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
    ModeMismatch,
    NothingToReduce,
    NotSent,
    OrderNotFound,
    OutcomeUnknown,
    Throttled,
    UnknownSymbol,
    Unsupported,
    WouldTrigger,
)
from exchanges.pool import Pool
from exchanges.types import (
    Credentials,
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

SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"


@pytest.fixture
def keys(sandbox: Sandbox) -> dict[str, str]:
    return sandbox.account("mexc", balances={"USDT": "100000", "BTC": "2"})


# -- ccxt --------------------------------------------------------------------------------------------------


def ccxt_client(sandbox: Sandbox, keys: dict[str, str], kind: str) -> Any:
    made = ccxt.mexc(
        {
            "apiKey": keys["key"],
            "secret": keys["secret"],
            "enableRateLimit": False,
            "options": {"defaultType": kind},
        }
    )
    spot, contract = sandbox.venue("MEXC"), sandbox.venue("MEXC_F")
    made.urls["api"]["spot"] = {"public": spot, "private": spot}
    made.urls["api"]["contract"] = {
        "public": f"{contract}/api/v1/contract",
        "private": f"{contract}/api/v1/private",
    }
    return made


@pytest.fixture
def spot(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    return ccxt_client(sandbox, keys, "spot")


@pytest.fixture
def swap(sandbox: Sandbox, keys: dict[str, str]) -> Iterator[Any]:
    """ccxt is told not to wait between its calls, so neither may the limits be strict."""
    sandbox.enforce_limits(False)
    yield ccxt_client(sandbox, keys, "swap")
    sandbox.enforce_limits(True)


def test_ccxt_loads_markets_with_steps_ticks_and_contract_sizes(spot):
    markets = spot.load_markets()
    assert markets[SPOT]["precision"] == {"amount": 1e-06, "price": 0.01}
    assert (markets[SPOT]["limits"]["amount"]["min"], markets[SPOT]["limits"]["cost"]["min"]) == (1e-06, 1)
    assert (markets[SWAP]["id"], markets[SWAP]["contractSize"]) == ("BTC_USDT", 0.0001)
    assert markets[SWAP]["limits"]["leverage"]["max"] == 200
    assert {"ETH/USDT", "SOL/USDT:USDT", "BTC/USDC:USDC"} <= set(markets)
    assert spot.fetch_time() > 1_700_000_000_000
    assert spot.fetch_ticker(SPOT)["ask"] == 50000.01


def test_ccxt_spot_market_orders_fill_by_amount_and_by_cost(spot):
    order = spot.create_order(SPOT, "market", "buy", 0.1)
    found = spot.fetch_order(order["id"], SPOT)
    assert (found["status"], found["filled"], found["average"]) == ("closed", 0.1, 50000.01)
    assert spot.fetch_balance()["BTC"]["total"] == pytest.approx(2.1)
    by_cost = spot.create_market_buy_order_with_cost(SPOT, 1000)
    assert spot.fetch_order(by_cost["id"], SPOT)["cost"] == pytest.approx(1000, abs=0.1)
    trades = spot.fetch_my_trades(SPOT)
    assert sum(trade["amount"] for trade in trades) == pytest.approx(0.1 + 0.019999, abs=1e-5)
    assert {trade["fee"]["currency"] for trade in trades} == {"USDT"}


def test_ccxt_spot_limit_order_rests_locks_and_is_cancelled(spot):
    order = spot.create_order(SPOT, "limit", "buy", 0.1, 40000, {"clientOrderId": "mine-1"})
    assert [each["id"] for each in spot.fetch_open_orders(SPOT)] == [order["id"]]
    assert spot.fetch_balance()["USDT"]["free"] < 96001
    spot.cancel_order(order["id"], SPOT)
    assert spot.fetch_open_orders(SPOT) == []
    found = spot.fetch_order(None, SPOT, {"clientOrderId": "mine-1"})
    assert (found["status"], found["id"]) == ("canceled", order["id"])


def test_ccxt_spot_times_in_force_are_kinds_of_orders(spot):
    immediate = spot.create_order(SPOT, "limit", "buy", 0.1, 40000, {"timeInForce": "IOC"})
    assert spot.fetch_order(immediate["id"], SPOT)["status"] == "canceled"
    maker = spot.create_order(SPOT, "limit", "buy", 0.1, 60000, {"postOnly": True})
    assert spot.fetch_order(maker["id"], SPOT)["status"] == "canceled", "it would have taken"


def test_ccxt_spot_cancels_all(spot):
    for price in (40000, 41000):
        spot.create_order(SPOT, "limit", "buy", 0.1, price)
    spot.cancel_all_orders(SPOT)
    assert spot.fetch_open_orders(SPOT) == []


def test_ccxt_places_several_orders_in_one_request_and_is_told_of_each_refusal(spot):
    limit = {"symbol": SPOT, "type": "limit", "side": "buy", "amount": 0.1, "price": 40000}
    orders = [limit, limit | {"amount": 9000}, limit | {"price": 41000}]
    told = spot.create_orders(
        [each | {"params": {"clientOrderId": f"b-{n}"}} for n, each in enumerate(orders)]
    )
    assert [each["info"].get("code") for each in told] == [None, 30004, None]
    assert {each["clientOrderId"] for each in spot.fetch_open_orders(SPOT)} == {"b-0", "b-2"}


def test_a_batch_takes_twenty_orders_of_one_symbol(spot):
    limit = {"symbol": "BTCUSDT", "type": "LIMIT", "side": "BUY", "quantity": "0.01", "price": "40000"}
    for orders in ([limit] * 21, [limit, limit | {"symbol": "ETHUSDT"}]):
        with pytest.raises(ccxt.BadRequest):
            spot.spot_private_post_batchorders({"batchOrders": json.dumps(orders)})
    assert spot.fetch_open_orders(SPOT) == []


def test_ccxt_contract_market_order_opens_a_position(swap):
    order = swap.create_order(
        SWAP, "market", "buy", 100, None, {"marginMode": "isolated", "leverage": 5, "clientOrderId": "c-1"}
    )
    found = swap.fetch_order(order["id"], SWAP)
    assert (found["status"], found["filled"], found["average"]) == ("closed", 100, 50000.1)
    position = swap.fetch_position(SWAP)
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 100, 50000.1)
    assert (position["leverage"], position["marginMode"]) == (5, "isolated")
    assert swap.fetch_balance()["USDT"]["free"] == pytest.approx(100_000 - 100 - 0.2, abs=0.1)
    swap.create_order(
        SWAP, "market", "sell", 100, None, {"marginMode": "isolated", "leverage": 5, "reduceOnly": True}
    )
    assert swap.fetch_positions() == []


def test_ccxt_contract_limit_order_rests_and_is_cancelled(swap):
    order = swap.create_order(SWAP, "limit", "sell", 100, 60000)
    assert [each["id"] for each in swap.fetch_open_orders(SWAP)] == [order["id"]]
    swap.cancel_order(order["id"], SWAP)
    assert swap.fetch_open_orders(SWAP) == []
    assert swap.fetch_order(order["id"], SWAP)["status"] == "canceled"
    with pytest.raises(ccxt.InvalidOrder, match="cannot be cancelled"):
        swap.cancel_order(order["id"], SWAP)


def test_ccxt_contract_stop_and_target_are_plan_orders_that_end_alone(sandbox, swap):
    swap.create_order(SWAP, "market", "buy", 100)
    closing = {"reduceOnly": True}
    stop = swap.create_order(
        SWAP, "market", "sell", 100, None, closing | {"triggerPrice": 49000, "triggerType": 2}
    )
    target = swap.create_order(SWAP, "market", "sell", 100, None, closing | {"triggerPrice": 52000})
    waiting = swap.fetch_open_orders(SWAP, params={"trigger": True})
    assert {each["triggerPrice"] for each in waiting} == {49000, 52000}
    sandbox.price(SPOT, 48999)
    assert swap.fetch_positions() == []
    left = swap.fetch_open_orders(SWAP, params={"trigger": True})
    assert [each["id"] for each in left] == [target["id"]] != [stop["id"]]
    swap.cancel_order(target["id"], SWAP, {"trigger": True})
    assert swap.fetch_open_orders(SWAP, params={"trigger": True}) == []


def test_ccxt_contract_leverage_and_modes(swap):
    for position_type in (1, 2):
        swap.set_leverage(7, SWAP, {"openType": 1, "positionType": position_type})
    found = swap.fetch_leverage(SWAP)
    assert (found["longLeverage"], found["shortLeverage"], found["marginMode"]) == (7, 7, "isolated")
    swap.set_position_mode(True)
    assert swap.fetch_position_mode()["hedged"] is True
    swap.create_order(SWAP, "market", "buy", 10, None, {"hedged": True})
    swap.create_order(SWAP, "market", "sell", 20, None, {"hedged": True})
    assert {each["side"]: each["contracts"] for each in swap.fetch_positions()} == {"long": 10, "short": 20}


def test_ccxt_gets_the_original_refusals(sandbox, swap, spot, keys):
    with pytest.raises(ccxt.InsufficientFunds, match="2005"):
        swap.create_order(SWAP, "limit", "buy", 1_000_000, 40000, {"leverage": 1})
    with pytest.raises(ccxt.InvalidOrder, match="2009"):
        swap.create_order(SWAP, "market", "sell", 100, None, {"reduceOnly": True})
    with pytest.raises(ccxt.InvalidOrder, match="order not exist"):
        swap.cancel_order("1", SWAP)
    with pytest.raises(ccxt.BadRequest, match="-2011"):
        spot.cancel_order("no-such-order", SPOT)
    with pytest.raises(ccxt.InsufficientFunds, match="30004"):
        spot.create_order(SPOT, "limit", "buy", 10, 40000)
    with pytest.raises(ccxt.InvalidOrder, match="30002"):
        spot.create_order(SPOT, "limit", "buy", 0.00001, 10)
    for kind in ("spot", "swap"):
        with pytest.raises(ccxt.AuthenticationError):
            ccxt_client(sandbox, {**keys, "secret": "wrong"}, kind).fetch_balance()


def test_ccxt_is_refused_for_a_stale_timestamp(spot):
    spot.load_markets()
    spot.nonce = lambda: spot.milliseconds() - 60_000
    with pytest.raises(ccxt.InvalidNonce, match="700003"):
        spot.fetch_balance()


def test_ccxt_spot_reads_books_and_fees(spot):
    assert (spot.fetch_order_book(SPOT)["bids"], spot.fetch_status()["status"]) == ([[50000, 1000]], "ok")
    assert spot.fetch_bids_asks([SPOT, "ETH/USDT"])[SPOT]["ask"] == 50000.01
    assert spot.fetch_trading_fee(SPOT)["taker"] == 0.0005


def test_ccxt_futures_order_brings_its_stop_and_target_along_and_all_is_closed(sandbox, swap):
    assert swap.fetch_order_book(SWAP)["asks"] == [[50000.1, 1000, 1]]
    legs = {"stopLossPrice": 45000, "takeProfitPrice": 60000}
    order = swap.create_order(SWAP, "limit", "buy", 100, 49000, legs)
    request = {"orderId": order["id"], "price": 49100, "vol": 50}
    swap.contract_private_post_order_change_limit_order(request)
    sandbox.price("BTC/USDT", 48900)
    (deal,) = swap.fetch_my_trades(SWAP)
    assert (deal["order"], deal["price"], deal["amount"]) == (order["id"], 49100, 50)
    assert [each["amount"] for each in swap.fetch_order_trades(order["id"], SWAP)] == [50]
    (record,) = swap.contract_private_get_stoporder_open_orders()["data"]
    (position,) = swap.fetch_positions([SWAP])
    assert (record["stopLossPrice"], record["takeProfitPrice"]) == (45000, 60000)
    assert record["positionId"] == position["info"]["positionId"]
    swap.close_all_positions()
    (closed,) = swap.fetch_positions_history([SWAP])
    assert (closed["side"], closed["entryPrice"], closed["info"]["closeVol"]) == ("long", 49100, 50)
    assert (swap.fetch_positions([SWAP]), swap.contract_private_get_stoporder_open_orders()["data"]) == (
        [],
        [],
    )


def test_the_older_address_for_orders_tells_a_number_alone(swap):
    order = {"symbol": "BTC_USDT", "vol": 10, "side": 1, "type": 5, "openType": 2, "price": 50000}
    told = swap.contract_private_post_order_submit(order)["data"]
    assert swap.fetch_order(told, SWAP)["filled"] == 10


def test_the_signature_of_spot_may_stand_anywhere_and_the_parameters_in_the_body(sandbox, keys):
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.001", "price": "40000"}
    form = str(httpx.QueryParams({**order, "timestamp": str(time.time_ns() // 1_000_000)}))
    sign = hmac.new(keys["secret"].encode(), form.encode(), hashlib.sha256).hexdigest()
    headers = {"X-MEXC-APIKEY": keys["key"], "content-type": "application/x-www-form-urlencoded"}
    url = f"{sandbox.venue('MEXC')}/api/v3/order"
    told = httpx.post(url, content=f"signature={sign.upper()}&{form}", headers=headers).json()
    assert told["symbol"] == "BTCUSDT"


# -- our own venues ----------------------------------------------------------------------------------------


@pytest.fixture
def cash(pool: Pool, keys: dict[str, str]) -> Ours:
    return Ours(pool, "MEXC", keys)


@pytest.fixture
def futures(pool: Pool, keys: dict[str, str]) -> Ours:
    return Ours(pool, "MEXC_F", keys)


def asked(sandbox: Sandbox, ours: Ours, path: str) -> int:
    calls = sandbox.state(ours.venue.name, ours.keys.key)["calls"]
    return sum(1 for each in calls if each["path"].endswith(path))


def test_spot_orders_by_coins_by_money_and_as_limits(cash):
    bought = cash.fetch(cash.place("buy", "market", "0.1"))
    assert (bought.status, bought.filled, bought.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.1"),
        Decimal("50000.01"),
    )
    by_money = cash.fetch(cash.place("buy", "market", None, quote_quantity="1000.019"))
    assert (by_money.status, by_money.quantity) == (OrderStatus.FILLED, None)
    resting = cash.place("buy", "limit", "0.1", price="40000", post_only=True)
    assert [each.ref for each in cash.open()] == [resting.ref]
    cash.cancel(resting)
    assert cash.fetch(resting).status is OrderStatus.CANCELLED
    gone = cash.place("buy", "limit", "0.1", price="40000", time_in_force=TimeInForce.FOK)
    assert cash.fetch(gone).status is OrderStatus.CANCELLED


def test_spot_refuses_stops_before_anything_is_sent(sandbox, cash):
    with pytest.raises(Unsupported):
        cash.place("sell", "stop", "0.1", trigger_price="49000")
    assert asked(sandbox, cash, "/order") == 0


def test_protection_of_a_position_is_one_record_that_ends_as_one(sandbox, futures):
    """Entry, the pair placed, the price moves, the target fills, and MEXC has taken the stop away."""
    futures.place("buy", "market", "0.1")
    stop, target = futures.protect("0.1", "49000", "52000")
    assert [(each.type, each.trigger_price) for each in futures.open()] == [
        (OrderType.STOP, Decimal(49000)),
        (OrderType.TAKE_PROFIT, Decimal(52000)),
    ]
    assert all(futures.venue.linked(each) for each in futures.open())
    sandbox.price("BTC/USDT", "52000")
    reached, stopped = futures.fetch(target), futures.fetch(stop)
    assert (reached.status, reached.filled, reached.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.1"),
        Decimal(52000),
    )
    assert (stopped.status, stopped.filled) == (OrderStatus.CANCELLED, 0)
    assert (futures.positions(), futures.open()) == ([], [])
    with pytest.raises(OrderNotFound):
        futures.cancel(stop)


def test_a_pair_dies_with_its_position_and_with_either_leg(futures):
    futures.place("buy", "market", "0.1")
    stop, target = futures.protect("0.1", "49000", "52000")
    futures.cancel(target)
    assert futures.fetch(stop).status is OrderStatus.CANCELLED
    stop, target = futures.protect("0.1", "49000", "52000")
    futures.place("sell", "market", "0.1", reduce_only=True)
    assert futures.open() == []
    assert {futures.fetch(stop).status, futures.fetch(target).status} == {OrderStatus.CANCELLED}


def test_a_pair_larger_than_the_position_or_crossed_is_refused(futures):
    with pytest.raises(NothingToReduce):
        futures.protect("0.1", "49000", "52000")
    futures.place("buy", "market", "0.1")
    futures.protect("0.06", "49000", "52000")
    with pytest.raises(NothingToReduce):
        futures.protect("0.06", "48000", "53000")
    with pytest.raises(WouldTrigger):
        futures.protect("0.01", "50500", "52000")


def test_a_pair_whose_answer_was_lost_is_found_by_its_terms(sandbox, futures):
    futures.place("buy", "market", "0.1")
    sandbox.fault("drop_after", venue="MEXC_F", count=1)
    stop, target = futures.protect("0.1", "49000", "52000")
    assert {each.exchange_id for each in futures.open()} == {stop.exchange_id, target.exchange_id}


def test_a_plan_order_whose_answer_was_lost_is_found_by_its_terms(sandbox, futures):
    futures.place("sell", "stop", "0.1", trigger_price="49000", reduce_only=True)
    sandbox.fault("drop_after", venue="MEXC_F", count=1)
    found = futures.place("sell", "stop", "0.1", trigger_price="48000", reduce_only=True)
    assert found.trigger_price == 48000
    assert len(futures.open()) == 2
    assert not any(futures.venue.linked(each) for each in futures.open())


def test_a_plan_order_that_never_arrived_may_be_sent_again_only_when_it_closes(sandbox, futures):
    futures.venue.look_after = (0.0,)
    sandbox.fault("drop_before", venue="MEXC_F", count=1)
    with pytest.raises(NotSent):
        futures.place("sell", "stop", "0.1", trigger_price="49000", reduce_only=True)
    sandbox.fault("drop_before", venue="MEXC_F", count=1)
    with pytest.raises(OutcomeUnknown):
        futures.place("buy", "stop", "0.1", trigger_price="51000", client_id="entry")
    with pytest.raises(OrderNotFound):
        futures.venue.fetch(futures.keys, futures.instrument, OrderRef("entry", conditional=True))
    assert futures.open() == []


def test_a_stop_that_opens_is_followed_to_its_fill(sandbox, futures):
    entry = futures.place(
        "buy", "stop", "0.1", trigger_price="51000", leverage="5", margin_mode=MarginMode.ISOLATED
    )
    assert futures.fetch(entry).status is OrderStatus.OPEN
    sandbox.price("BTC/USDT", "51000")
    filled = futures.fetch(entry)
    assert (filled.status, filled.average_price) == (OrderStatus.FILLED, Decimal("51000.1"))
    assert (filled.exchange_id, filled.type) == (entry.exchange_id, OrderType.STOP)
    position = futures.positions()[0]
    assert (position.leverage, position.margin_mode) == (5, MarginMode.ISOLATED)
    with pytest.raises(OrderNotFound):
        futures.cancel(entry)


def test_a_stop_limit_that_rests_after_its_trigger_is_cancelled_as_the_order_it_became(sandbox, futures):
    futures.place("buy", "market", "0.1")
    stop = futures.place("sell", "stop_limit", "0.1", trigger_price="49000", price="49500", reduce_only=True)
    sandbox.price("BTC/USDT", "48990")
    assert futures.fetch(stop).status is OrderStatus.OPEN
    resting = [each for each in futures.open() if each.type is OrderType.LIMIT]
    assert [each.price for each in resting] == [Decimal(49500)]
    futures.cancel(stop)
    assert futures.open() == []
    assert futures.fetch(stop).status is OrderStatus.CANCELLED


def test_hedge_mode_is_read_and_each_side_is_closed_by_its_own_orders(sandbox, pool):
    hedged = Ours(pool, "MEXC_F", sandbox.account("mexc", position_mode="hedge"))
    assert hedged.venue.position_mode(hedged.keys, hedged.instrument) is PositionMode.HEDGE
    with pytest.raises(ModeMismatch):
        hedged.place("buy", "market", "0.1")
    hedged.place("buy", "market", "0.1", position_side=Direction.LONG)
    hedged.place("sell", "market", "0.2", position_side=Direction.SHORT)
    pair = hedged.protect("0.1", "49000", "52000", position_side=Direction.LONG)
    assert {each.position_side for each in pair} == {Direction.LONG}
    hedged.place("buy", "stop", "0.2", trigger_price="51000", reduce_only=True, position_side=Direction.SHORT)
    sandbox.price("BTC/USDT", "51000")
    assert [(each.direction, each.quantity) for each in hedged.positions()] == [
        (Direction.LONG, Decimal("0.1"))
    ]
    assert {each.exchange_id for each in hedged.open()} == {each.exchange_id for each in pair}


def test_an_order_whose_answer_was_lost_is_found_by_its_client_id(sandbox, futures, cash):
    named = {"leverage": "20", "margin_mode": MarginMode.CROSS}
    for ours in (futures, cash):
        sandbox.fault("drop_after", venue=ours.venue.name, count=1)
        with pytest.raises(OutcomeUnknown):
            ours.place("buy", "market", "0.1", client_id="lost", **named)
        found = ours.venue.fetch(ours.keys, ours.instrument, OrderRef(client_id="lost"))
        assert (found.type, found.client_id, found.status) == (OrderType.MARKET, "lost", OrderStatus.FILLED)


def test_an_id_used_twice_gives_the_same_contract_order_back(futures):
    first = futures.place("buy", "limit", "0.1", price="40000", client_id="twice")
    second = futures.place("buy", "limit", "0.1", price="40000", client_id="twice")
    assert first.exchange_id == second.exchange_id
    assert len(futures.open()) == 1


def test_settings_are_asked_for_once(sandbox, futures):
    futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(7), MarginMode.ISOLATED)
    futures.place("buy", "market", "0.1")
    futures.place("buy", "market", "0.1")
    assert [(each.leverage, each.margin_mode) for each in futures.positions()] == [(7, MarginMode.ISOLATED)]
    assert asked(sandbox, futures, "/position/leverage") == 2, "to set them, and for the first order"


def test_settings_that_changed_behind_us_are_read_again(sandbox, futures, swap):
    """Refused in the margin mode as remembered: the refusal proves that nothing was placed."""
    futures.place("buy", "market", "0.1")
    futures.place("sell", "market", "0.1", reduce_only=True)
    swap.create_order(SWAP, "market", "buy", 1000, None, {"marginMode": "isolated", "leverage": 5})
    futures.place("sell", "market", "0.1", reduce_only=True)
    assert futures.positions() == []


def test_leverage_of_an_open_position_changes_and_its_margin_mode_does_not(futures):
    futures.place("buy", "market", "0.1")
    futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(9), None)
    assert futures.positions()[0].leverage == 9
    with pytest.raises(InvalidOrder):
        futures.venue.set_leverage(futures.keys, futures.instrument, None, MarginMode.ISOLATED)


def test_everything_open_is_cancelled_at_once(futures, cash):
    futures.place("buy", "market", "0.1")
    futures.protect("0.1", "49000", "52000")
    futures.place("sell", "stop", "0.1", trigger_price="48000", reduce_only=True)
    for ours in (futures, cash):
        ours.place("buy", "limit", "0.1", price="40000")
        ours.venue.cancel_all(ours.keys, ours.instrument)
        assert ours.open() == []


def test_refusals_have_our_classes(futures, cash):
    with pytest.raises(NothingToReduce):
        futures.place("sell", "market", "0.1", reduce_only=True)
    with pytest.raises(InvalidOrder):
        cash.place("buy", "limit", "0.00001", price="10")
    for ours in (futures, cash):
        with pytest.raises(OrderNotFound):
            ours.venue.fetch(ours.keys, ours.instrument, OrderRef(client_id="never-sent"))
        with pytest.raises(AuthRefused):
            ours.venue.key_info(Credentials("unknown", "secret"))
        with pytest.raises(UnknownSymbol):
            ours.venue.quote(replace(ours.instrument, symbol="NO_COIN"))
        with pytest.raises(InsufficientFunds):
            ours.place("buy", "limit", "90", price="40000", leverage="1", margin_mode=MarginMode.CROSS)


def test_a_key_tells_its_rights_and_how_long_it_lives(sandbox, futures, cash):
    for ours in (futures, cash):
        info = ours.venue.key_info(ours.keys)
        assert (info.can_trade, info.can_withdraw, info.ip_locked) == (True, False, False)
        assert info.expires is not None
    rich = sandbox.account("mexc", permissions=["read", "withdraw"])
    told = cash.venue.key_info(Credentials(rich["key"], rich["secret"]))
    assert (told.can_trade, told.can_withdraw) == (False, True)


def test_a_clock_ahead_of_the_exchange_is_measured_and_the_order_still_sent_once(sandbox, futures):
    futures.venue.clock.offset_ms += 20_000
    futures.place("buy", "market", "0.1", client_id="ahead", leverage="20", margin_mode=MarginMode.CROSS)
    assert asked(sandbox, futures, "/order/create") == 2, "refused for its timestamp, then accepted"
    assert futures.positions()[0].quantity == Decimal("0.1")


def test_a_rate_refusal_is_a_definite_no(sandbox, futures):
    sandbox.fault("throttle", venue="MEXC_F", count=1)
    with pytest.raises(Throttled):
        futures.place("buy", "market", "0.1", leverage="20", margin_mode=MarginMode.CROSS)
    assert sandbox.state("MEXC_F", futures.keys.key)["orders"] == []
