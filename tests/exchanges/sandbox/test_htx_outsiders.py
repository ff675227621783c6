"""HTX in the sandbox, traded by ccxt and by our venues: two that agree."""

import base64
import hmac
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import ccxt
import httpx
import pytest

from exchanges.errors import (
    AuthRefused,
    DuplicateOrder,
    InsufficientFunds,
    InvalidOrder,
    NothingToReduce,
    OrderNotFound,
    OutcomeUnknown,
    Refused,
    Throttled,
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
    Report,
    TimeInForce,
)
from tests.exchanges.conftest import Sandbox
from tests.exchanges.sandbox.ours import Ours

SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"


@pytest.fixture
def keys(sandbox: Sandbox) -> dict[str, str]:
    return sandbox.account("htx", balances={"USDT": "100000", "BTC": "2"})


# -- ccxt --------------------------------------------------------------------------------------------------


def ccxt_client(sandbox: Sandbox, keys: dict[str, str], kind: str) -> Any:
    """It signs the names of the real hosts and calls the sandbox."""
    types = {"spot": True, "linear": True, "inverse": False}
    options = {"defaultType": kind, "fetchMarkets": {"types": types}}
    made = ccxt.htx(
        {"apiKey": keys["key"], "secret": keys["secret"], "enableRateLimit": False, "options": options}
    )
    made.urls["api"] = dict.fromkeys(made.urls["api"], sandbox.venue("HTX"))
    made.urls["api"]["contract"] = sandbox.venue("HTX_F")
    return made


@pytest.fixture
def spot(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    return ccxt_client(sandbox, keys, "spot")


@pytest.fixture
def swap(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    return ccxt_client(sandbox, keys, "swap")


def test_ccxt_loads_markets_with_steps_ticks_and_contract_sizes(spot, swap):
    markets = spot.load_markets()
    assert markets[SPOT]["precision"] == {"amount": 1e-06, "price": 0.01, "cost": 1e-08}
    assert markets[SPOT]["limits"]["cost"]["min"] == 5
    assert (markets[SWAP]["id"], markets[SWAP]["contractSize"]) == ("BTC-USDT", 0.001)
    assert {"ETH/USDT", "SOL/USDT:USDT", "BTC/USDC"} <= set(markets)
    assert spot.fetch_time() > 1_700_000_000_000
    assert spot.fetch_ticker(SPOT)["ask"] == 50000.01
    assert swap.fetch_ticker(SWAP)["ask"] == 50000.1


def test_ccxt_spot_market_buy_spends_its_cost_and_pays_its_fee_in_coins(spot):
    order = spot.create_market_buy_order_with_cost(SPOT, 1000)
    found = spot.fetch_order(order["id"], SPOT)
    assert (found["status"], found["side"]) == ("closed", "buy")
    assert found["cost"] == pytest.approx(1000, abs=0.1)
    assert found["fee"]["currency"] == "BTC"
    assert [each["id"] for each in spot.fetch_closed_orders(SPOT)] == [order["id"]]
    assert spot.fetch_balance()["BTC"]["total"] == pytest.approx(2 + found["filled"] * 0.998)


def test_ccxt_spot_limit_order_rests_locks_and_is_cancelled(spot):
    order = spot.create_order(SPOT, "limit", "buy", 0.1, 40000, {"clientOrderId": "mine-1"})
    assert [each["id"] for each in spot.fetch_open_orders(SPOT)] == [order["id"]]
    assert spot.fetch_balance()["USDT"]["free"] == 96000
    spot.cancel_order(order["id"], SPOT)
    assert spot.fetch_open_orders(SPOT) == []
    found = spot.fetch_order(None, SPOT, {"clientOrderId": "mine-1"})
    assert (found["status"], found["id"], found["filled"]) == ("canceled", order["id"], 0)


def test_ccxt_spot_cancels_by_its_own_id_and_all_at_once(spot):
    spot.create_order(SPOT, "limit", "buy", 0.1, 40000, {"clientOrderId": "mine-2"})
    spot.cancel_order(None, SPOT, {"clientOrderId": "mine-2"})
    for price in (40000, 41000):
        spot.create_order(SPOT, "limit", "buy", 0.1, price)
    spot.cancel_all_orders(SPOT)
    assert spot.fetch_open_orders(SPOT) == []


def test_ccxt_spot_stop_limit_order_waits_fires_and_fills(sandbox, spot):
    stop = spot.create_order(SPOT, "limit", "sell", 1, 44000, {"triggerPrice": 45000})
    assert [each["triggerPrice"] for each in spot.fetch_open_orders(SPOT)] == [45000]
    sandbox.price(SPOT, 44990)
    found = spot.fetch_order(stop["id"], SPOT)
    assert (found["status"], found["average"]) == ("closed", 44990)
    with pytest.raises(ccxt.InvalidOrder, match="hit-trigger"):
        spot.create_order(SPOT, "limit", "sell", 0.1, 44000, {"triggerPrice": 45000})


def test_ccxt_reaches_the_algo_orders_by_their_address(sandbox, spot):
    number = spot.load_accounts()[1]["id"]
    words = {"accountId": number, "symbol": "btcusdt", "orderSide": "sell", "orderType": "market"}
    words |= {"orderSize": "1", "stopPrice": "45000", "clientOrderId": "stop-1"}
    spot.spotPrivatePostV2AlgoOrders(words)
    assert (
        spot.spotPrivateGetV2AlgoOrdersOpening({"symbol": "btcusdt"})["data"][0]["orderStatus"] == "created"
    )
    assert spot.fetch_balance()["BTC"]["free"] == 2, "it freezes nothing"
    sandbox.price(SPOT, 44990)
    told = spot.spotPrivateGetV2AlgoOrdersSpecific({"clientOrderId": "stop-1"})["data"]
    assert told["orderStatus"] == "triggered"
    assert spot.fetch_order(told["orderId"], SPOT)["average"] == 44990


def test_ccxt_futures_market_order_opens_a_position_with_its_leverage(swap):
    swap.set_leverage(10, SWAP)
    order = swap.create_order(SWAP, "market", "buy", 100, None, {"clientOrderId": 12345})
    found = swap.fetch_order(order["id"], SWAP)
    assert (found["status"], found["filled"], found["average"]) == ("closed", 100, 50000.1)
    assert swap.fetch_order(None, SWAP, {"clientOrderId": "12345"})["id"] == order["id"]
    (ended,) = swap.fetch_closed_orders(SWAP)
    assert (ended["clientOrderId"], ended["average"]) == ("12345", 50000.1)
    (position,) = swap.fetch_positions([SWAP])
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 100, 50000.1)
    assert (position["leverage"], position["marginMode"]) == (10, "cross")
    free = swap.fetch_balance({"type": "swap"})["USDT"]["free"]
    assert free == pytest.approx(100000 - 5000.01 / 10 - 3.0, abs=0.2)


def test_ccxt_futures_limit_order_rests_and_is_cancelled(swap):
    order = swap.create_order(SWAP, "limit", "buy", 10, 40000)
    assert [each["id"] for each in swap.fetch_open_orders(SWAP)] == [order["id"]]
    swap.cancel_order(order["id"], SWAP)
    assert swap.fetch_order(order["id"], SWAP)["status"] == "canceled"
    swap.create_order(SWAP, "limit", "buy", 10, 40000, {"postOnly": True})
    swap.cancel_all_orders(SWAP)
    assert swap.fetch_open_orders(SWAP) == []


def test_ccxt_futures_stop_fires_and_its_sibling_stays(sandbox, swap):
    swap.create_order(SWAP, "market", "buy", 100)
    stop = swap.create_order(SWAP, "market", "sell", 100, None, {"stopLossPrice": 49000})
    target = swap.create_order(SWAP, "market", "sell", 100, None, {"takeProfitPrice": 52000})
    assert [each["id"] for each in swap.fetch_open_orders(SWAP, params={"stopLoss": True})] == [stop["id"]]
    assert [each["id"] for each in swap.fetch_open_orders(SWAP, params={"takeProfit": True})] == [
        target["id"]
    ]
    assert swap.fetch_order(stop["id"], SWAP, {"stopLoss": True})["stopLossPrice"] == 49000
    sandbox.price(SPOT, 48999)
    raw = swap.fetch_order(stop["id"], SWAP, {"stopLoss": True})["info"]
    assert raw["state"] == "effective"
    assert swap.fetch_order(raw["relation_order_id"], SWAP)["average"] == 48999
    assert swap.fetch_positions([SWAP]) == []
    swap.cancel_order(target["id"], SWAP, {"takeProfit": True})
    assert swap.fetch_open_orders(SWAP, params={"takeProfit": True}) == []


def test_ccxt_futures_hedge_mode_holds_both_sides(swap):
    swap.set_position_mode(True)
    swap.create_order(SWAP, "market", "buy", 10, None, {"position_side": "long"})
    swap.create_order(SWAP, "market", "sell", 20, None, {"position_side": "short"})
    sides = {each["side"]: each["contracts"] for each in swap.fetch_positions([SWAP])}
    assert sides == {"long": 10, "short": 20}


def test_ccxt_gets_the_original_refusals(sandbox, swap, spot, keys):
    with pytest.raises(ccxt.InsufficientFunds, match="1047"):
        swap.create_order(SWAP, "limit", "buy", 100_000, 40000)
    with pytest.raises(ccxt.InsufficientFunds, match="1048"):
        swap.create_order(SWAP, "market", "sell", 100, None, {"reduceOnly": True})
    with pytest.raises(ccxt.OrderNotFound, match="1061"):
        swap.cancel_order("15", SWAP)
    with pytest.raises(ccxt.OrderNotFound):
        spot.fetch_order("15", SPOT)
    with pytest.raises(ccxt.InsufficientFunds, match="balance-insufficient"):
        spot.create_order(SPOT, "limit", "buy", 10, 40000)
    with pytest.raises(ccxt.InvalidOrder, match="order-value-min"):
        spot.create_order(SPOT, "limit", "buy", 0.0001, 10)
    for broken in ({"secret": "wrong"}, {"key": "unknown"}):
        with pytest.raises(ccxt.AuthenticationError, match="Signature not valid"):
            ccxt_client(sandbox, {**keys, **broken}, "spot").fetch_balance()


def test_ccxt_is_refused_for_a_stale_timestamp(spot):
    spot.load_markets()
    spot.nonce = lambda: spot.milliseconds() - 600_000
    with pytest.raises(ccxt.AuthenticationError, match="submission time"):
        spot.fetch_balance()


def test_ccxt_loads_all_kinds_of_markets_though_coin_margined_ones_are_suspended(swap):
    swap.options["fetchMarkets"]["types"] = {"spot": True, "linear": True, "inverse": True}
    markets = swap.load_markets(reload=True)
    assert (markets["BTC/USD:BTC"]["active"], markets[SWAP]["active"], markets[SPOT]["spot"]) == (
        False,
        True,
        True,
    )


def test_ccxt_spot_reads_books_matches_and_history_and_cancels_several(spot):
    assert (spot.fetch_order_book(SPOT)["bids"], spot.fetch_tickers([SPOT])[SPOT]["ask"]) == (
        [[50000, 1000]],
        50000.01,
    )
    bought = spot.create_order(SPOT, "market", "buy", 0.1, 50000)
    assert [each["order"] for each in spot.fetch_my_trades(SPOT)] == [bought["id"]]
    assert [each["takerOrMaker"] for each in spot.fetch_order_trades(bought["id"], SPOT)] == ["taker"]
    ids = [spot.create_order(SPOT, "limit", "buy", 0.01, 40000)["id"] for _ in range(2)]
    spot.cancel_orders([*ids, bought["id"]], SPOT)
    ended = {each["id"]: each["status"] for each in spot.fetch_closed_orders(SPOT)}
    assert (spot.fetch_open_orders(SPOT), ended[bought["id"]]) == ([], "closed")


def test_ccxt_futures_order_brings_its_stop_and_target_along_and_is_closed_whole(sandbox, swap):
    cross = {"marginMode": "cross"}
    legs = {"stopLoss": {"triggerPrice": 45000}, "takeProfit": {"triggerPrice": 60000}}
    order = swap.create_order(SWAP, "limit", "buy", 10, 49000, cross | legs)
    assert swap.fetch_open_orders(SWAP, params={"type": "sl", "trigger": True, **cross}) == []
    sandbox.price("BTC/USDT", 48900)
    assert [each["order"] for each in swap.fetch_my_trades(SWAP)] == [order["id"]]
    state = sandbox.state("HTX_F", swap.apiKey)["orders"]
    assert {(each["trigger_price"], each["quantity"]) for each in state if each["waiting"]} == {
        ("45000", "10"),
        ("60000", "10"),
    }
    swap.close_position(SWAP)
    assert swap.fetch_positions([SWAP]) == []


@pytest.mark.parametrize("prefix", ["", "/htx"])
def test_a_client_may_sign_the_host_and_the_path_that_it_was_given(sandbox, keys, prefix):
    base = httpx.URL(sandbox.venue("HTX"))
    given = {"AccessKeyId": keys["key"], "SignatureMethod": "HmacSHA256", "SignatureVersion": "2"}
    query = str(httpx.QueryParams({**given, "Timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"}))
    signed = f"GET\n{base.host}\n{prefix}/v1/account/accounts\n{query}"
    sign = base64.b64encode(hmac.digest(keys["secret"].encode(), signed.encode(), "sha256")).decode()
    told = httpx.get(f"{base}/v1/account/accounts?{query}&{httpx.QueryParams({'Signature': sign})}").json()
    assert told["status"] == "ok"


def older(swap, address, **asked):
    """What clients from before API v5 ask, in cross margin; signed by ccxt."""
    return swap.request(
        f"linear-swap-api/{address}", ["contract", "private"], "POST", {"contract_code": "BTC-USDT", **asked}
    )


def test_futures_are_traded_over_the_older_api(sandbox, swap):
    buy = {"volume": 10, "direction": "buy", "offset": "both", "lever_rate": 5}
    bought = older(swap, "v1/swap_cross_order", **buy, order_price_type="market", client_order_id=77)["data"]
    (order,) = older(swap, "v1/swap_cross_order_info", client_order_id=77)["data"]
    assert (order["order_id_str"], order["status"], order["trade_volume"]) == (bought["order_id_str"], 6, 10)
    rests = older(swap, "v1/swap_cross_order", **buy, order_price_type="limit", price=40000)["data"][
        "order_id_str"
    ]
    legs = {
        "volume": 10,
        "direction": "sell",
        "sl_trigger_price": 45000,
        "sl_order_price": 0,
        "tp_trigger_price": 60000,
    }
    pair = older(swap, "v1/swap_cross_tpsl_order", **legs)["data"]
    waiting = older(swap, "v1/swap_cross_tpsl_openorders")["data"]["orders"]
    assert {each["tpsl_order_type"]: each["order_id"] for each in waiting} == {
        "sl": pair["sl_order"]["order_id"],
        "tp": pair["tp_order"]["order_id"],
    }
    assert [each["order_id_str"] for each in older(swap, "v1/swap_cross_openorders")["data"]["orders"]] == [
        rests
    ]
    assert older(swap, "v1/swap_cross_cancel", order_id=rests)["data"] == {"errors": [], "successes": rests}
    with pytest.raises(ccxt.OrderNotFound, match="1061"):
        older(swap, "v1/swap_cross_cancel", order_id=bought["order_id_str"])
    (position,) = older(swap, "v1/swap_cross_position_info")["data"]
    assert (position["direction"], position["volume"], position["lever_rate"]) == ("buy", 10, 5)
    sandbox.price("BTC/USDT", 44900)
    assert older(swap, "v1/swap_cross_position_info")["data"] == []
    assert older(swap, "v1/swap_cross_tpsl_openorders")["data"]["orders"] == []
    assert len(older(swap, "v3/swap_cross_matchresults", contract="BTC-USDT")["data"]) == 2
    with pytest.raises(ccxt.InsufficientFunds, match="1048"):
        older(swap, "v1/swap_cross_lightning_close_position", volume=1, direction="sell")


# -- our own venues ----------------------------------------------------------------------------------------


@pytest.fixture
def cash(pool: Pool, keys: dict[str, str]) -> Ours:
    return Ours(pool, "HTX", keys)


@pytest.fixture
def futures(pool: Pool, keys: dict[str, str]) -> Ours:
    return Ours(pool, "HTX_F", keys)


def test_a_spot_buy_by_quantity_buys_exactly_that(cash):
    found = cash.fetch(cash.place("buy", "market", "0.1"))
    assert (found.status, found.filled, found.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.1"),
        Decimal("50000.01"),
    )
    assert found.fee is not None
    assert (found.fee.amount, found.fee.asset) == (Decimal("0.0002"), "BTC")


def test_a_spot_buy_by_quote_spends_that_much(cash):
    found = cash.fetch(cash.place("buy", "market", None, quote_quantity="1000"))
    assert (found.quantity, found.status) == (None, OrderStatus.FILLED)
    assert found.filled * (found.average_price or 0) == pytest.approx(1000, abs=Decimal("0.1"))


def test_a_spot_buy_of_nearly_all_there_is_still_goes_through(cash):
    report = cash.place("buy", "market", "1.99")
    found = cash.fetch(report)
    assert found.status is OrderStatus.FILLED
    assert found.filled == pytest.approx(Decimal("1.99"), abs=Decimal("0.00001"))


def test_a_spot_order_that_may_not_take_or_must_fill_ends_cancelled(cash):
    post = cash.place("buy", "limit", "0.1", price="51000", post_only=True)
    kill = cash.place("buy", "limit", "0.1", price="40000", time_in_force=TimeInForce.FOK)
    assert [cash.fetch(each).status for each in (post, kill)] == [OrderStatus.CANCELLED] * 2


def test_a_crossed_spot_stop_is_refused_before_it_becomes_a_target(sandbox, cash):
    with pytest.raises(WouldTrigger):
        cash.place("sell", "stop", "0.1", trigger_price="51000")
    assert "/v2/algo-orders" not in paths(sandbox, "HTX", cash)


def paths(sandbox: Sandbox, venue: str, ours: Ours) -> list[str]:
    return [each["path"] for each in sandbox.state(venue, ours.keys.key)["calls"]]


def test_protection_of_coins_runs_to_its_end(sandbox, cash):
    """Stop and target for all of the coins wait side by side; the target fills, and the stop is cancelled by us."""
    bought = cash.fetch(cash.place("buy", "market", "0.1"))
    assert bought.fee is not None
    stop = cash.place("sell", "stop", "0.1", trigger_price="49000")
    target = cash.place("sell", "take_profit_limit", "0.1", trigger_price="52000", price="51990")
    assert {each.type for each in cash.open()} == {OrderType.STOP, OrderType.TAKE_PROFIT_LIMIT}
    sandbox.price("BTC/USDT", "52000")
    filled = cash.fetch(target)
    assert (filled.status, filled.average_price, filled.client_id) == (
        OrderStatus.FILLED,
        Decimal(52000),
        target.client_id,
    )
    cash.cancel(stop)
    assert cash.open() == []
    for gone in (stop, target):
        with pytest.raises(OrderNotFound):
            cash.cancel(gone)


def test_a_triggered_spot_order_that_rests_is_cancelled_as_the_order_it_became(sandbox, cash):
    stop = cash.place("sell", "stop_limit", "0.1", trigger_price="49000", price="49500")
    sandbox.price("BTC/USDT", "48990")
    assert cash.fetch(stop).status is OrderStatus.OPEN
    cash.cancel(stop)
    assert cash.fetch(stop).status is OrderStatus.CANCELLED


def test_a_futures_order_counts_coins_whatever_the_exchange_counts(futures):
    report = futures.place("sell", "market", "0.25")
    assert report.acknowledged_only
    found = futures.fetch(report)
    assert (found.quantity, found.filled, found.average_price) == (
        Decimal("0.25"),
        Decimal("0.25"),
        Decimal(50000),
    )
    (position,) = futures.positions()
    assert (position.direction, position.quantity, position.margin_mode) == (
        Direction.SHORT,
        Decimal("0.25"),
        MarginMode.CROSS,
    )


def test_protection_of_a_position_runs_to_its_end(sandbox, futures):
    """Entry, stop and target placed, the price moves, the target fills, and the stop is cancelled by us."""
    futures.place("buy", "market", "0.1")
    stop = futures.place("sell", "stop", "0.1", trigger_price="49000", reduce_only=True)
    target = futures.place("sell", "take_profit", "0.1", trigger_price="52000", reduce_only=True)
    assert {(each.type, each.reduce_only) for each in futures.open()} == {
        (OrderType.STOP, True),
        (OrderType.TAKE_PROFIT, True),
    }
    sandbox.price("BTC/USDT", "52000")
    filled = futures.fetch(target)
    assert (filled.status, filled.average_price, filled.exchange_id) == (
        OrderStatus.FILLED,
        Decimal(52000),
        target.exchange_id,
    )
    assert futures.positions() == []
    assert [each.exchange_id for each in futures.open()] == [stop.exchange_id], "supervision has to cancel it"
    futures.venue.cancel(futures.keys, futures.instrument, OrderRef(stop.client_id, conditional=True))
    assert futures.open() == []
    with pytest.raises(OrderNotFound):
        futures.cancel(stop)


def test_a_stop_entry_waits_opens_and_tells_its_fill(sandbox, futures):
    entry = futures.place("buy", "stop", "0.1", trigger_price="51000")
    with pytest.raises(WouldTrigger):
        futures.place("buy", "stop", "0.1", trigger_price="49000")
    sandbox.price("BTC/USDT", "51000")
    assert futures.fetch(entry).average_price == Decimal("51000.1")
    assert futures.positions()[0].direction is Direction.LONG


def test_an_isolated_position_is_closed_in_its_own_mode_even_by_another_process(sandbox, futures):
    futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(10), MarginMode.ISOLATED)
    futures.place("buy", "market", "0.1")
    another = Pool(sandbox_url=sandbox.url)
    fresh = Ours(another, "HTX_F", {"key": futures.keys.key, "secret": futures.keys.secret})
    (position,) = futures.positions()
    assert (position.margin_mode, position.leverage) == (MarginMode.ISOLATED, Decimal(10))
    fresh.place("sell", "stop", "0.1", trigger_price="49000", reduce_only=True, client_id="77")
    fresh.place("sell", "market", "0.1", reduce_only=True, client_id="78")
    another.close()
    assert futures.positions() == []


def test_a_lost_answer_is_looked_up_by_our_id(sandbox, futures, cash):
    for ours in (futures, cash):
        name = ours.venue.name
        sandbox.fault("drop_after", venue=name, count=1)
        request = ours.order("sell", "limit", "0.1", price="60000", client_id="424242")
        with pytest.raises(OutcomeUnknown):
            ours.venue.place(ours.keys, request)
        found = ours.venue.fetch(ours.keys, ours.instrument, OrderRef("424242"))
        assert (found.status, found.price, found.client_id) == (OrderStatus.OPEN, Decimal(60000), "424242")
        ours.venue.cancel(ours.keys, ours.instrument, OrderRef("424242"))
        assert ours.open() == []


@pytest.mark.parametrize(("path", "name"), [("batch-orders", "cash"), ("batch_orders", "futures")])
def test_orders_of_a_batch_are_told_apart_and_a_refused_one_leaves_the_others(request, sandbox, path, name):
    ours = request.getfixturevalue(name)
    orders = [
        ours.order("buy", "limit", "0.1", price="40000"),
        ours.order("buy", "limit", "900", price="41000"),
        ours.order("buy", "limit", "0.1", price="42000"),
    ]
    told = ours.venue.place_many(ours.keys, orders)
    assert [type(each) for each in told] == [Report, InsufficientFunds, Report]
    assert {each.client_id for each in ours.open()} == {orders[0].client_id, orders[2].client_id}
    asked = [each["path"] for each in sandbox.state(ours.venue.name, ours.keys.key)["calls"]]
    assert sum(each.endswith(path) for each in asked) == 1


@pytest.mark.parametrize(("path", "name"), [("batch-orders", "cash"), ("batch_orders", "futures")])
def test_a_lost_batch_is_looked_up_by_our_ids_and_not_sent_again(request, sandbox, path, name):
    ours = request.getfixturevalue(name)
    orders = [ours.order("buy", "limit", "0.1", price=price, client_id=price) for price in ("40000", "41000")]
    sandbox.fault("drop_after", venue=ours.venue.name, path=path, count=1)
    told = ours.venue.place_many(ours.keys, orders)
    assert [type(each) for each in told] == [OutcomeUnknown, OutcomeUnknown]
    for order in orders:
        found = ours.venue.fetch(ours.keys, ours.instrument, OrderRef(order.client_id))
        assert (found.status, found.price) == (OrderStatus.OPEN, order.price)
    assert len(ours.open()) == 2


def test_a_market_buy_in_a_batch_that_lacks_the_money_of_its_bound_goes_out_as_its_cost(cash):
    orders = [
        cash.order("buy", "limit", "0.01", price="40000"),
        cash.order("buy", "market", "1.98"),
    ]
    told = cash.venue.place_many(cash.keys, orders)
    assert [(type(each), each.type) for each in told] == [
        (Report, OrderType.LIMIT),
        (Report, OrderType.MARKET),
    ]


@pytest.mark.parametrize("kind", ["spot", "swap"])
def test_ccxt_places_limit_orders_in_one_request(request, kind):
    client = request.getfixturevalue(kind)
    symbol, amount = {"spot": (SPOT, 0.1), "swap": (SWAP, 100)}[kind]
    limit = {"symbol": symbol, "type": "limit", "side": "buy", "amount": amount, "price": 40000}
    told = client.create_orders([limit, limit | {"price": 41000}])
    assert {each["id"] for each in client.fetch_open_orders(symbol)} == {each["id"] for each in told}


def test_a_lost_stop_is_looked_up_by_our_id(sandbox, futures, cash):
    futures.place("buy", "market", "0.1")
    for ours, reduces in ((futures, True), (cash, False)):
        sandbox.fault("drop_after", venue=ours.venue.name, count=1)
        words = {"trigger_price": "49000", "reduce_only": reduces, "client_id": "434343"}
        with pytest.raises(OutcomeUnknown):
            ours.place("sell", "stop", "0.1", **words)
        found = ours.venue.fetch(ours.keys, ours.instrument, OrderRef("434343", conditional=True))
        assert (found.status, found.type, found.trigger_price) == (
            OrderStatus.OPEN,
            OrderType.STOP,
            Decimal(49000),
        )


def test_hedge_mode_is_read_and_holds_both_sides(sandbox, pool):
    hedged = Ours(pool, "HTX_F", sandbox.account("htx", position_mode="hedge"))
    assert hedged.venue.position_mode(hedged.keys, hedged.instrument) is PositionMode.HEDGE
    hedged.place("buy", "market", "0.2", position_side=Direction.LONG)
    hedged.place("sell", "market", "0.1", position_side=Direction.SHORT)
    assert {(each.direction, each.quantity) for each in hedged.positions()} == {
        (Direction.LONG, Decimal("0.2")),
        (Direction.SHORT, Decimal("0.1")),
    }
    stop = hedged.place(
        "sell",
        "stop",
        "0.2",
        trigger_price="49000",
        position_side=Direction.LONG,
        reduce_only=True,
    )
    sandbox.price("BTC/USDT", "48990")
    assert hedged.fetch(stop).average_price == 48990
    (left,) = hedged.positions()
    assert left.direction is Direction.SHORT
    hedged.venue.set_leverage(hedged.keys, hedged.instrument, Decimal(3), MarginMode.ISOLATED)
    with pytest.raises(Refused):
        hedged.place("buy", "market", "0.1")


def test_cancel_all_leaves_nothing_that_waits(futures, cash):
    futures.place("buy", "market", "0.1")
    for ours, words in ((futures, {"reduce_only": True}), (cash, {})):
        ours.place("buy", "limit", "0.1", price="40000")
        ours.place("sell", "stop", "0.1", trigger_price="49000", **words)
        ours.place("sell", "take_profit", "0.1", trigger_price="52000", **words)
        assert len(ours.open()) == 3
        ours.venue.cancel_all(ours.keys, ours.instrument)
        assert ours.open() == []


def test_refusals_have_our_classes(futures, cash):
    with pytest.raises(NothingToReduce):
        futures.place("sell", "market", "0.1", reduce_only=True)
    with pytest.raises(InvalidOrder):
        cash.place("buy", "limit", "0.0001", price="10")
    with pytest.raises(InsufficientFunds):
        cash.place("sell", "market", "3")
    for ours in (futures, cash):
        for conditional in (False, True):
            with pytest.raises(OrderNotFound):
                ours.venue.fetch(ours.keys, ours.instrument, OrderRef("999", conditional=conditional))
        ours.place("buy", "limit", "0.1", price="40000", client_id="1000")
        with pytest.raises(DuplicateOrder):
            ours.place("buy", "limit", "0.1", price="40000", client_id="1000")
        with pytest.raises(AuthRefused):
            ours.venue.key_info(Credentials("unknown", "secret"))


def test_a_stop_of_the_same_id_is_a_duplicate(cash):
    cash.place("sell", "stop", "0.1", trigger_price="49000", client_id="1001")
    with pytest.raises(DuplicateOrder):
        cash.place("sell", "stop", "0.1", trigger_price="49000", client_id="1001")


def test_balances_free_less_what_orders_and_positions_hold(futures, cash):
    cash.place("buy", "limit", "0.1", price="40000")
    held = cash.venue.balances(cash.keys)["USDT"]
    assert (held.total, held.free) == (Decimal(100_000), Decimal(96_000))
    futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(10), None)
    futures.place("sell", "limit", "0.1", price="60000")
    equity = futures.venue.balances(futures.keys)["USDT"]
    assert (equity.total, equity.free) == (Decimal(100_000), Decimal(100_000) - 600)


def test_a_key_tells_its_rights_on_both_products(sandbox, pool, futures, cash):
    for ours in (futures, cash):
        info = ours.venue.key_info(ours.keys)
        assert (info.can_trade, info.can_withdraw, info.ip_locked, info.expires) == (True, False, False, None)
    risky = Ours(pool, "HTX_F", sandbox.account("htx", permissions=["read", "trade", "withdraw"]))
    assert risky.venue.key_info(risky.keys).can_withdraw is True


def test_a_clock_far_ahead_is_measured_and_the_order_still_sent_once(sandbox, futures):
    futures.venue.clock.offset_ms += 600_000
    futures.place("buy", "market", "0.1")
    assert paths(sandbox, "HTX_F", futures).count("/v5/trade/order") == 2, (
        "refused for its time, then accepted"
    )
    assert futures.positions()[0].quantity == Decimal("0.1")


def test_a_rate_refusal_is_a_definite_no_and_tells_how_long(sandbox, futures):
    sandbox.fault("throttle", venue="HTX_F", count=1)
    with pytest.raises(Throttled) as caught:
        futures.place("buy", "market", "0.1")
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after <= 1.5
    assert sandbox.state("HTX_F", futures.keys.key)["orders"] == []


def test_the_log_of_calls_holds_no_key(sandbox, cash):
    cash.venue.key_info(cash.keys)
    calls = sandbox.state("HTX", cash.keys.key)["calls"]
    assert {"/v2/user/uid", "/v2/user/api-key"} <= {each["path"] for each in calls}
    assert cash.keys.key not in str(calls)
