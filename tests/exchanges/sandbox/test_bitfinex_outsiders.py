"""Bitfinex in the sandbox, traded by ccxt, by Bitfinex's own kit and by our venues: three that agree."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from bfxapi import Client  # type: ignore[attr-defined]
from bfxapi.exceptions import InvalidCredentialError
from bfxapi.rest.exceptions import GenericError, RequestParameterError

from exchanges.errors import (
    AuthRefused,
    InsufficientFunds,
    InvalidOrder,
    OrderNotFound,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unsupported,
)
from exchanges.pool import Pool
from exchanges.types import (
    Direction,
    MarginMode,
    OrderRef,
    OrderStatus,
    OrderType,
    PositionMode,
    Report,
    TimeInForce,
)
from tests.exchanges.conftest import Sandbox
from tests.exchanges.sandbox.ours import Ours

SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"
PAIR, PERPETUAL = "tBTCUST", "tBTCF0:USTF0"
REDUCING = {"reduce_only": True}


@pytest.fixture
def keys(sandbox: Sandbox) -> dict[str, str]:
    return sandbox.account("bitfinex", balances={"USDT": "100000", "BTC": "2"})


# -- ccxt --------------------------------------------------------------------------------------------------


@pytest.fixture
def client(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    words = {"apiKey": keys["key"], "secret": keys["secret"], "enableRateLimit": False}
    made = ccxt.bitfinex(words)
    made.urls["api"] = dict.fromkeys(made.urls["api"], sandbox.venue("Bitfinex"))
    made.nonce = made.microseconds  # a call over loopback takes less than one of ccxt's milliseconds
    return made


def test_ccxt_loads_markets_with_sizes_and_digits(client):
    markets = client.load_markets()
    assert markets[SPOT]["id"] == PAIR
    assert markets[SWAP]["id"] == PERPETUAL
    assert markets["DOGE/USDT"]["id"] == "tDOGE:UST"
    assert markets[SPOT]["limits"]["amount"] == {"min": 0.00004, "max": 400}
    assert (markets[SPOT]["precision"]["amount"], markets[SPOT]["precision"]["price"]) == (8, 5)
    assert {"ETH/BTC", "SOL/USD", "LTC/USDC", "ETH/USDT:USDT"} <= set(markets)
    assert client.fetch_status()["status"] == "ok"
    assert client.fetch_ticker(SWAP)["last"] == 50000
    assert client.fetch_tickers([SPOT])[SPOT]["ask"] == 50001


def test_ccxt_spot_market_buy_is_told_as_open_then_fills_and_pays_its_fee_in_coins(client):
    order = client.create_order(SPOT, "market", "buy", 0.1)
    assert (order["status"], order["filled"]) == ("open", 0)
    (found,) = client.fetch_closed_orders(SPOT)
    assert (found["id"], found["status"], found["filled"], found["average"]) == (
        order["id"],
        "closed",
        0.1,
        50001,
    )
    (trade,) = client.fetch_order_trades(order["id"], SPOT)
    assert trade["fee"] == {"cost": 0.0002, "currency": "BTC"}
    assert client.fetch_balance()["BTC"]["total"] == pytest.approx(2.0998)
    assert [each["id"] for each in client.fetch_my_trades(SPOT)] == [trade["id"]]


def test_ccxt_spot_limit_order_rests_locks_and_is_cancelled(client):
    order = client.create_order(SPOT, "limit", "buy", 0.1, 40000)
    assert [each["id"] for each in client.fetch_open_orders(SPOT)] == [order["id"]]
    assert client.fetch_open_order(order["id"], SPOT)["price"] == 40000
    assert client.fetch_balance()["USDT"]["free"] == 96000
    client.cancel_order(order["id"], SPOT)
    assert client.fetch_open_orders(SPOT) == []
    assert client.fetch_closed_order(order["id"], SPOT)["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(order["id"], SPOT)


def test_ccxt_cancels_by_its_own_id_and_the_day(client):
    order = client.create_order(SPOT, "limit", "buy", 0.1, 40000, {"clientOrderId": 4711})
    assert order["clientOrderId"] == "4711"
    day = datetime.fromtimestamp(order["timestamp"] / 1000, UTC).strftime("%Y-%m-%d")
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order("", SPOT, {"cid": 4711, "cidDate": "2001-01-01", "cid_date": "2001-01-01"})
    client.cancel_order("", SPOT, {"cid": 4711, "cidDate": day, "cid_date": day})
    assert client.fetch_open_orders(SPOT) == []


def test_ccxt_cancels_one_several_and_all(client):
    ids = [client.create_order(SPOT, "limit", "buy", 0.1, 40000 + step)["id"] for step in range(3)]
    client.create_order(SWAP, "limit", "buy", 0.1, 40000)
    client.cancel_orders(ids[:2])
    assert [each["id"] for each in client.fetch_open_orders(SPOT)] == ids[2:]
    client.cancel_all_orders()
    assert client.fetch_open_orders() == []


def test_ccxt_spot_post_only_order_that_would_take_is_taken_and_cancelled(client):
    order = client.create_order(SPOT, "limit", "buy", 0.1, 51000, {"postOnly": True})
    found = client.fetch_closed_order(order["id"], SPOT)
    assert found["info"][13] == "POSTONLY CANCELED"
    assert found["filled"] == 0


def test_ccxt_spot_stop_locks_its_coins_and_fires(sandbox, client):
    stop = client.create_order(SPOT, "market", "sell", 2, None, {"triggerPrice": 45000})
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(SPOT, "limit", "sell", 1, 55000)
    (listed,) = client.fetch_open_orders(SPOT)
    assert (listed["id"], listed["triggerPrice"]) == (stop["id"], 45000)
    sandbox.price(SPOT, 44990)
    fired = client.fetch_closed_order(stop["id"], SPOT)
    assert (fired["status"], fired["average"], fired["type"]) == ("closed", 44990, "market")


def test_ccxt_futures_position_is_opened_with_a_leverage_stopped_and_gone(sandbox, client):
    client.create_order(SWAP, "market", "buy", 0.1, None, {"lev": 5})
    (position,) = client.fetch_positions()
    assert (position["side"], position["entryPrice"], position["leverage"]) == ("long", 50001, 5)
    stop = client.create_order(SWAP, "market", "sell", 0.1, None, {"triggerPrice": 49000, "reduceOnly": True})
    sandbox.price(SPOT, 48990)
    assert client.fetch_positions() == []
    assert client.fetch_closed_order(stop["id"], SWAP)["average"] == 48990
    assert client.fetch_balance({"type": "derivatives"})["USDT"]["total"] < 100000


def test_ccxt_places_a_pair_of_which_one_ends_the_other(sandbox, client):
    client.create_order(SWAP, "market", "buy", 0.1)
    pair = {"flags": 16384 + 1024, "price_oco_stop": "49000"}
    target = client.create_order(SWAP, "limit", "sell", 0.1, 52000, pair)
    listed = client.fetch_open_orders(SWAP)
    assert {each["info"][8] for each in listed} == {"LIMIT", "STOP"}
    assert [each["info"][25] for each in listed if each["info"][8] == "STOP"] == [int(target["id"])]
    sandbox.price(SPOT, 52000)
    assert client.fetch_open_orders(SWAP) == []
    ended = {each["info"][8]: each["info"][13] for each in client.fetch_closed_orders(SWAP)[-2:]}
    assert ended == {"LIMIT": "EXECUTED @ 52000(-0.1)", "STOP": "CANCELED"}


@pytest.mark.parametrize(("symbol", "more"), [(SPOT, {}), (SWAP, {"reduceOnly": True})])
def test_ccxt_places_orders_of_several_kinds_in_one_request(sandbox, client, keys, symbol, more):
    client.create_order(symbol, "market", "buy", 0.5)
    stop = {
        "symbol": symbol,
        "type": "market",
        "side": "sell",
        "amount": 0.25,
        "params": {"triggerPrice": "49000"},
    }
    limit = {"symbol": symbol, "type": "limit", "side": "sell", "amount": 0.25, "price": 52000}
    told = client.create_orders([each | {"params": each.get("params", {}) | more} for each in (stop, limit)])
    assert [each["status"] for each in told] == ["open", "open"]
    assert {each["id"] for each in client.fetch_open_orders(symbol)} == {each["id"] for each in told}


def test_ccxt_gets_the_original_refusals(sandbox, client, keys):
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(SPOT, "market", "buy", 100)
    with pytest.raises(ccxt.BadSymbol):
        client.private_post_auth_w_order_submit({"symbol": "tNONE", "amount": "1", "type": "EXCHANGE MARKET"})
    with pytest.raises(ccxt.BadRequest):
        client.create_order(SWAP, "market", "buy", 0.1, None, {"lev": 500})
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError, match="digest"):
        client.fetch_balance()
    client.secret = keys["secret"]
    client.incrementing_nonce = lambda: 1
    with pytest.raises(ccxt.InvalidNonce):
        client.fetch_balance()


@pytest.mark.parametrize("symbol", [SPOT, SWAP])
def test_ccxt_reads_the_book_and_changes_orders_alone_and_among_others(client, symbol):
    assert client.fetch_order_book(symbol)["asks"][0][0] == 50001
    order = client.create_order(symbol, "limit", "buy", 0.1, 40000)
    changed = client.edit_order(order["id"], symbol, "limit", "buy", 0.2, 41000)
    assert (changed["id"], changed["price"], changed["amount"]) == (order["id"], 41000, 0.2)
    ops = [
        ["ou", {"id": int(order["id"]), "price": "42000"}],
        ["oc", {"id": int(order["id"])}],
        ["oc", {"id": 7}],
    ]
    told = client.private_post_auth_w_order_multi({"ops": ops})
    assert [row[6] for row in told[4]] == ["SUCCESS", "SUCCESS", "ERROR"]
    assert client.fetch_open_orders(symbol) == []


# -- Bitfinex's own kit ------------------------------------------------------------------------------------


@pytest.fixture
def kit(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    host = f"{sandbox.venue('Bitfinex')}/v2"
    return Client(keys["key"], keys["secret"], rest_host=host).rest


def test_the_official_kit_reads_prices_and_pairs(kit):
    assert kit.public.get_platform_status().status == 1
    assert kit.public.get_t_ticker(PERPETUAL).last_price == 50000
    assert "BTCUST" in kit.public.conf("pub:list:pair:exchange")[0]


def test_the_official_kit_trades_spot(sandbox, kit):
    wallets = {(each.wallet_type, each.currency): each.balance for each in kit.auth.get_wallets()}
    assert (wallets["exchange", "UST"], wallets["margin", "USTF0"]) == (100000, 100000)
    bought = kit.auth.submit_order("EXCHANGE MARKET", PAIR, Decimal("0.1"), 0, cid=1).data
    assert (bought.order_status, bought.amount, bought.price_avg) == ("ACTIVE", 0.1, 0)
    (ended,) = kit.auth.get_orders_history(symbol=PAIR, ids=[bought.id])
    assert (ended.order_status, ended.amount, ended.price_avg) == ("EXECUTED @ 50001(0.1)", 0, 50001)
    (trade,) = kit.auth.get_order_trades(PAIR, bought.id)
    assert (trade.exec_amount, trade.fee, trade.fee_currency) == (0.1, -0.0002, "BTC")

    resting = kit.auth.submit_order("EXCHANGE LIMIT", PAIR, Decimal("-0.1"), 60000, cid=2).data
    stop = kit.auth.submit_order("EXCHANGE STOP LIMIT", PAIR, "-0.1", 45000, price_aux_limit=44900).data
    listed = {each.id: each for each in kit.auth.get_orders(symbol=PAIR)}
    assert set(listed) == {resting.id, stop.id}
    assert (listed[stop.id].price, listed[stop.id].price_aux_limit) == (45000, 44900)
    cancelled = kit.auth.cancel_order(id=resting.id)
    assert (cancelled.status, cancelled.data.id) == ("SUCCESS", resting.id)
    sandbox.price(SPOT, 44950)
    (fired,) = kit.auth.get_orders_history(symbol=PAIR, ids=[stop.id])
    assert (fired.order_type, fired.type_prev) == ("EXCHANGE LIMIT", "EXCHANGE STOP LIMIT")
    assert fired.price_avg == 44950


def test_the_official_kit_trades_perpetuals(kit):
    kit.auth.submit_order("MARKET", PERPETUAL, Decimal("-0.1"), 0, lev=5)
    (position,) = kit.auth.get_positions()
    assert (position.symbol, position.amount, position.base_price) == (PERPETUAL, -0.1, 50000)
    assert (position.leverage, position.type) == (5, 1)
    kit.auth.submit_order("LIMIT", PERPETUAL, "0.1", 48000, price_oco_stop=51000, flags=16384 + 1024)
    assert sorted(each.order_type for each in kit.auth.get_orders()) == ["LIMIT", "STOP"]
    assert kit.auth.cancel_order_multi(all=True).status == "SUCCESS"
    assert kit.auth.get_orders() == []


def test_the_official_kit_gets_the_original_refusals(sandbox, kit, keys):
    with pytest.raises(GenericError, match="not enough exchange balance"):
        kit.auth.submit_order("EXCHANGE MARKET", PAIR, 100, 0)
    with pytest.raises(GenericError, match="Order not found"):
        kit.auth.cancel_order(id=1)
    with pytest.raises(RequestParameterError, match="type: invalid"):
        kit.auth.submit_order("MARKET", PAIR, 1, 0)
    stranger = Client("nobody", keys["secret"], rest_host=f"{sandbox.venue('Bitfinex')}/v2").rest
    with pytest.raises(InvalidCredentialError):
        stranger.auth.get_wallets()


# -- ours --------------------------------------------------------------------------------------------------


@pytest.fixture
def cash(pool: Pool, keys: dict[str, str]) -> Ours:
    return Ours(pool, "Bitfinex", keys)


@pytest.fixture
def futures(pool: Pool, keys: dict[str, str]) -> Ours:
    return Ours(pool, "Bitfinex_F", keys)


def test_an_order_is_acknowledged_and_its_fill_asked_in_one_more_call(sandbox, futures):
    placed = futures.place("buy", "market", "0.1", leverage=Decimal(5))
    assert (placed.status, placed.acknowledged_only) == (OrderStatus.OPEN, True)
    found = futures.fetch(placed)
    assert (found.status, found.filled, found.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.1"),
        Decimal(50001),
    )
    asked = [each["path"] for each in sandbox.state("Bitfinex_F", futures.keys.key)["calls"]]
    assert asked == ["/v2/auth/w/order/submit", f"/v2/auth/r/orders/{PERPETUAL}/hist"]
    (position,) = futures.positions()
    assert (position.direction, position.quantity, position.leverage, position.margin_mode) == (
        Direction.LONG,
        Decimal("0.1"),
        Decimal(5),
        MarginMode.ISOLATED,
    )
    assert futures.venue.position_mode(futures.keys, futures.instrument) is PositionMode.ONE_WAY


def test_the_fee_of_coins_bought_is_told_so_that_no_more_is_sold_than_is_there(cash):
    bought = cash.fetch(cash.place("buy", "market", "0.1"))
    assert bought.fee is not None
    assert (bought.fee.amount, bought.fee.asset) == (Decimal("0.0002"), "BTC")
    sold = cash.fetch(cash.place("sell", "market", "2.0998"))
    assert (sold.status, sold.fee) == (OrderStatus.FILLED, None)


@pytest.mark.parametrize("name", ["cash", "futures"])
@pytest.mark.parametrize(("price", "winner"), [("52000", 1), ("48990", 0)])
def test_entry_stop_and_target_and_the_one_ends_the_other(request, sandbox, name, price, winner):
    ours = request.getfixturevalue(name)
    more = REDUCING if name == "futures" else {}
    ours.place("buy", "market", "0.1")
    placed = ours.protect("0.1", "49000", "52000", **more)
    assert [each.type for each in placed] == [OrderType.STOP, OrderType.TAKE_PROFIT]
    assert {each.ref.client_id for each in ours.open()} == {each.client_id for each in placed}
    sandbox.price("BTC/USDT", price)
    assert ours.open() == []
    assert ours.positions() == []
    won, lost = ours.fetch(placed[winner]), ours.fetch(placed[1 - winner])
    assert (won.status, won.filled, won.average_price) == (OrderStatus.FILLED, Decimal("0.1"), Decimal(price))
    assert (lost.status, lost.filled) == (OrderStatus.CANCELLED, 0)


def test_a_pair_locks_the_coins_of_one(cash):
    cash.protect("2", "49000", "52000")
    assert cash.venue.balances(cash.keys)["BTC"].free == 0
    with pytest.raises(InsufficientFunds):
        cash.place("sell", "limit", "0.1", price="60000")


def test_cancelling_one_leg_ends_the_pair(futures):
    futures.place("buy", "market", "0.1")
    stop, target = futures.protect("0.1", "49000", "52000")
    futures.venue.cancel(futures.keys, futures.instrument, OrderRef(stop.client_id))
    assert futures.open() == []
    with pytest.raises(OrderNotFound):
        futures.venue.cancel(futures.keys, futures.instrument, target.ref)


def test_separate_legs_are_cancelled_by_us(sandbox, futures):
    futures.place("buy", "market", "0.1")
    stop = futures.place("sell", "stop", "0.1", trigger_price="49000", **REDUCING)
    target = futures.place("sell", "take_profit", "0.1", trigger_price="52000", **REDUCING)
    assert len(futures.open()) == 2
    sandbox.price("BTC/USDT", "52000")
    assert futures.fetch(target).status is OrderStatus.FILLED
    futures.venue.cancel(futures.keys, futures.instrument, stop.ref)
    assert futures.fetch(stop).status is OrderStatus.CANCELLED


def test_everything_of_an_instrument_is_cancelled_and_nothing_else(pool, keys, futures):
    ether = Ours(pool, "Bitfinex_F", keys, "ETHUSDT")
    ether.place("buy", "limit", "0.1", price="2000", client_id="77")
    futures.place("buy", "market", "0.1")
    futures.protect("0.1", "49000", "52000")
    futures.place("buy", "limit", "0.1", price="40000")
    futures.venue.cancel_all(futures.keys, futures.instrument)
    assert futures.open() == []
    assert [each.client_id for each in ether.open()] == ["77"]


def test_spot_and_perpetuals_of_one_key_do_not_see_each_other_s_orders(futures, cash):
    futures.place("buy", "limit", "0.1", price="40000", client_id="1")
    cash.place("buy", "limit", "0.1", price="40000", client_id="2")
    assert [each.client_id for each in futures.venue.open_orders(futures.keys)] == ["1"]
    assert [each.client_id for each in cash.venue.open_orders(cash.keys)] == ["2"]


def test_a_triggered_stop_limit_that_rests_keeps_its_name_and_can_be_cancelled(sandbox, futures):
    stop = futures.place("buy", "stop_limit", "0.1", trigger_price="51000", price="50900")
    (waiting,) = futures.open()
    assert (waiting.type, waiting.trigger_price, waiting.price) == (
        OrderType.STOP_LIMIT,
        Decimal(51000),
        Decimal(50900),
    )
    sandbox.price("BTC/USDT", "51000")
    (resting,) = futures.open()
    assert (resting.ref, resting.price) == (stop.ref, Decimal(50900))
    futures.venue.cancel(futures.keys, futures.instrument, resting.ref)
    assert futures.fetch(stop).status is OrderStatus.CANCELLED


@pytest.mark.parametrize("time_in_force", [TimeInForce.IOC, TimeInForce.FOK])
def test_what_cannot_fill_at_once_ends(futures, cash, time_in_force):
    for ours in (futures, cash):
        found = ours.fetch(ours.place("buy", "limit", "0.1", price="40000", time_in_force=time_in_force))
        assert (found.status, found.filled) == (OrderStatus.CANCELLED, 0)


def test_a_post_only_order_that_would_take_ends_cancelled(futures, cash):
    for ours in (futures, cash):
        found = ours.fetch(ours.place("buy", "limit", "0.1", price="51000", post_only=True))
        assert (found.status, found.reason) == (OrderStatus.CANCELLED, "POSTONLY CANCELED")


def test_an_order_with_nothing_to_reduce_is_told_as_rejected(futures):
    found = futures.fetch(futures.place("sell", "market", "0.1", **REDUCING))
    assert (found.status, found.reason) == (OrderStatus.REJECTED, "RSN_POS_NOTFOUND")


def test_an_order_that_would_turn_its_position_round_is_told_as_rejected(futures):
    futures.place("buy", "market", "0.1")
    found = futures.fetch(futures.place("sell", "market", "0.2", **REDUCING))
    assert (found.status, found.filled, found.reason) == (OrderStatus.REJECTED, 0, "RSN_POS_REDUCE_FLIP")
    assert futures.positions()[0].quantity == Decimal("0.1")


def test_a_stop_that_the_price_has_passed_fires_at_once(futures):
    futures.place("buy", "market", "0.1")
    stop = futures.place("sell", "stop", "0.1", trigger_price="50500", **REDUCING)
    assert futures.fetch(stop).status is OrderStatus.FILLED
    assert futures.positions() == []


def test_prices_have_five_digits(cash):
    order = cash.place("buy", "limit", "0.1", price="40000.7")
    assert order.price == 40000
    assert cash.open()[0].price == 40000


@pytest.mark.parametrize(("kind", "more"), [("market", {}), ("stop", {"trigger_price": "51000"})])
def test_an_order_whose_answer_was_lost_is_found_by_its_client_id(sandbox, futures, kind, more):
    sandbox.fault("drop_after", venue="Bitfinex_F", count=1, path="order/submit")
    with pytest.raises(OutcomeUnknown):
        futures.place("buy", kind, "0.1", client_id="4711", **more)
    ref = OrderRef("4711", conditional=kind == "stop")
    found = futures.venue.fetch(futures.keys, futures.instrument, ref)
    assert (found.client_id, found.quantity) == ("4711", Decimal("0.1"))


def test_a_pair_whose_answer_was_lost_is_found_leg_by_leg(sandbox, futures):
    futures.place("buy", "market", "0.1")
    sandbox.fault("drop_after", venue="Bitfinex_F", count=1, path="order/submit")
    legs = futures.legs("0.1", "49000", "52000")
    with pytest.raises(OutcomeUnknown):
        futures.venue.protect(futures.keys, legs)
    assert {each.client_id for each in futures.open()} == {legs.stop.client_id, legs.target.client_id}


def test_a_pair_of_which_the_list_is_lost_stands_and_is_told_as_unknown(sandbox, futures):
    futures.place("buy", "market", "0.1")
    sandbox.fault("drop_after", venue="Bitfinex_F", count=1, path=f"r/orders/{PERPETUAL}")
    with pytest.raises(OutcomeUnknown):
        futures.protect("0.1", "49000", "52000")
    assert len(futures.open()) == 2


def test_a_market_order_that_found_half_is_cancelled_with_what_it_got(sandbox, futures, cash):
    for ours in (futures, cash):
        sandbox.fault("partial_fill", venue=ours.venue.name, count=1)
        found = ours.fetch(ours.place("buy", "market", "0.1"))
        assert (found.status, found.filled) == (OrderStatus.CANCELLED, Decimal("0.05"))
        assert found.average_price == 50001


def test_a_stop_the_exchange_will_not_take_is_refused(sandbox, futures, cash):
    futures.place("buy", "market", "0.1")
    for ours, more in ((futures, REDUCING), (cash, {})):
        sandbox.fault("reject_stop", venue=ours.venue.name)
        with pytest.raises(Refused):
            ours.protect("0.1", "49000", "52000", **more)
        assert ours.open() == []


def test_refusals_have_our_classes(futures, cash):
    with pytest.raises(InsufficientFunds):
        futures.place("buy", "market", "100")
    with pytest.raises(InvalidOrder):
        cash.place("buy", "limit", "0.000001", price="50000")
    with pytest.raises(Unsupported):
        futures.venue.set_leverage(futures.keys, futures.instrument, None, MarginMode.CROSS)
    with pytest.raises(OrderNotFound):
        cash.venue.fetch(cash.keys, cash.instrument, OrderRef("1"))
    with pytest.raises(AuthRefused) as caught:
        futures.venue.key_info(replace(futures.keys, secret="wrong"))
    assert caught.value.code == "10100"
    assert futures.keys.key not in caught.value.message + caught.value.exchange_message


def test_balances_free_less_what_orders_and_positions_hold(futures, cash):
    cash.place("buy", "limit", "0.1", price="40000")
    futures.place("sell", "limit", "0.1", price="60000", leverage=Decimal(5))
    usdt = cash.venue.balances(cash.keys)["USDT"]
    assert (usdt.total, usdt.free) == (Decimal(100_000), Decimal(96_000))
    margin = futures.venue.balances(futures.keys)
    assert {name: (each.total, each.free) for name, each in margin.items()} == {
        "USDT": (Decimal(100_000), Decimal(100_000) - 1200)
    }


@pytest.mark.parametrize("name", ["cash", "futures"])
def test_a_refused_order_of_a_batch_leaves_the_others_alone(request, sandbox, name):
    ours = request.getfixturevalue(name)
    ours.place("buy", "market", "0.1")
    orders = [
        ours.order("sell", "stop", "0.05", trigger_price="49000"),
        ours.order("sell", "limit", "0.0000001", price="52000"),
        ours.order("sell", "take_profit", "0.05", trigger_price="52000"),
    ]
    told = ours.venue.place_many(ours.keys, orders)
    assert [type(each) for each in told] == [Report, InvalidOrder, Report]
    assert {each.client_id for each in ours.open()} == {orders[0].client_id, orders[2].client_id}
    asked = [each["path"] for each in sandbox.state(ours.venue.name, ours.keys.key)["calls"]]
    assert asked.count("/v2/auth/w/order/multi") == 1


def test_a_batch_whose_answer_was_lost_is_found_order_by_order_and_not_sent_again(sandbox, futures):
    futures.place("buy", "market", "0.1")
    sandbox.fault("drop_after", venue="Bitfinex_F", path="order/multi", rate=1, count=1)
    orders = [
        futures.order("sell", "stop", "0.1", trigger_price="49000", **REDUCING),
        futures.order("sell", "take_profit", "0.1", trigger_price="52000", **REDUCING),
    ]
    told = futures.venue.place_many(futures.keys, orders)
    assert [type(each) for each in told] == [OutcomeUnknown, OutcomeUnknown]
    for order in orders:
        found = futures.venue.fetch(futures.keys, futures.instrument, OrderRef(order.client_id))
        assert found.status is OrderStatus.OPEN
    asked = [each["path"] for each in sandbox.state("Bitfinex_F", futures.keys.key)["calls"]]
    assert asked.count("/v2/auth/w/order/multi") == 1


def test_a_batch_takes_75_operations(sandbox, client):
    limit = {"symbol": SPOT, "type": "limit", "side": "buy", "amount": 0.001, "price": 40000}
    with pytest.raises(ccxt.ExchangeError):
        client.create_orders([limit] * 76)
    assert client.fetch_open_orders(SPOT) == []


def test_a_key_tells_its_rights(sandbox, pool):
    for permissions, rights in (
        (["read", "trade"], (True, False)),
        (["read"], (False, False)),
        (["read", "trade", "withdraw"], (True, True)),
    ):
        ours = Ours(pool, "Bitfinex", sandbox.account("bitfinex", permissions=permissions))
        info = ours.venue.key_info(ours.keys)
        assert (info.can_trade, info.can_withdraw, info.ip_locked) == (*rights, None)


def test_a_key_that_may_not_trade_is_refused(sandbox, pool):
    ours = Ours(pool, "Bitfinex", sandbox.account("bitfinex", permissions=["read"]))
    with pytest.raises(AuthRefused):
        ours.place("buy", "market", "0.1")


def test_a_process_whose_clock_is_behind_measures_it_and_the_order_is_taken_once(sandbox, futures, keys):
    futures.venue.balances(futures.keys)
    pool = Pool(sandbox_url=sandbox.url)
    late = Ours(pool, "Bitfinex_F", keys)
    late.venue.clock.offset_ms -= 60_000
    late.place("buy", "market", "0.1")
    calls = sandbox.state("Bitfinex_F", keys["key"])["calls"]
    assert [each["path"] for each in calls].count("/v2/auth/w/order/submit") == 2, "refused, then accepted"
    assert late.positions()[0].quantity == Decimal("0.1")
    pool.close()


def test_a_refusal_for_rate_is_a_definite_no(sandbox, futures):
    sandbox.fault("throttle", venue="Bitfinex_F", count=1)
    with pytest.raises(Throttled):
        futures.place("buy", "market", "0.1")
    assert futures.positions() == []
