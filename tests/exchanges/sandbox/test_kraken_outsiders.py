"""Kraken in the sandbox, traded by ccxt (which knows only the originals), and by our own venues."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import ccxt
import httpx
import pytest

from exchanges.clock import Clock
from exchanges.errors import (
    AuthRefused,
    DuplicateOrder,
    InsufficientFunds,
    InvalidOrder,
    NothingToReduce,
    OrderNotFound,
    OutcomeUnknown,
    PostOnlyRefused,
    Throttled,
)
from exchanges.pool import Pool
from exchanges.types import (
    Credentials,
    Environment,
    MarginMode,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)

SPOT, SWAP = "BTC/USD", "BTC/USD:USD"
TOKEN = "01JD3X8K2MQZV7W5N9TRH4BC"


def ccxt_client(sandbox, kind, venue, keys):
    made = kind({"apiKey": keys["key"], "secret": keys["secret"], "enableRateLimit": False})
    made.urls["api"] = {
        name: f"{sandbox.venue(venue)}{'/' + rest if (rest := url.split('/', 3)[3:] and url.split('/', 3)[3]) else ''}"
        for name, url in made.urls["api"].items()
        if isinstance(url, str)
    }
    return made


@pytest.fixture
def spot_keys(sandbox):
    return sandbox.account("kraken", balances={"USD": "100000", "BTC": "2"})


@pytest.fixture
def swap_keys(sandbox):
    return sandbox.account("kraken_futures", balances={"USD": "100000"})


@pytest.fixture
def spot(sandbox, spot_keys):
    sandbox.enforce_limits(False)
    return ccxt_client(sandbox, ccxt.kraken, "Kraken", spot_keys)


@pytest.fixture
def swap(sandbox, swap_keys):
    return ccxt_client(sandbox, ccxt.krakenfutures, "Kraken_F", swap_keys)


# -- ccxt, spot --------------------------------------------------------------------------------------------


def test_ccxt_loads_spot_markets_with_steps_ticks_and_minima(spot):
    markets = spot.load_markets()
    market = markets[SPOT]
    assert (market["id"], market["altname"], market["wsId"]) == ("XXBTZUSD", "XBTUSD", "XBT/USD")
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 1e-08)
    assert (market["limits"]["amount"]["min"], market["limits"]["cost"]["min"]) == (0.00005, 0.5)
    assert {"ETH/USD", "DOGE/USDT", "SOL/USDC", "ETH/BTC"} <= set(markets)
    assert spot.fetch_ticker(SPOT)["ask"] == 50000.1
    assert set(spot.fetch_tickers([SPOT, "DOGE/USDT"])) == {SPOT, "DOGE/USDT"}


def test_ccxt_spot_places_several_orders_in_one_request_and_is_told_of_each_refusal(spot):
    limit = {"symbol": SPOT, "type": "limit", "side": "buy", "amount": 0.1, "price": 40000}
    stop = {"symbol": SPOT, "type": "market", "side": "sell", "amount": 1, "params": {"stopLossPrice": 49000}}
    with pytest.raises(ccxt.InsufficientFunds):  # it tells the one refusal in place of all answers
        spot.create_orders([limit, limit | {"amount": 900}, stop])
    assert {each["type"] for each in spot.fetch_open_orders(SPOT)} == {"limit", "market"}
    told = spot.create_orders([limit | {"price": 41000}, limit | {"price": 42000}])
    assert {each["id"] for each in told} < {each["id"] for each in spot.fetch_open_orders(SPOT)}


def asked_in_json(sandbox, keys, method, **params):
    """The nonce by the millisecond, JSON for a body, and a path signed as it was requested."""
    nonce = str(time.time_ns() // 1_000_000)
    body = json.dumps({"nonce": nonce, **params})
    url = f"{sandbox.venue('Kraken')}/0/private/{method}"
    path = httpx.URL(url).path
    signed = path.encode() + hashlib.sha256((nonce + body).encode()).digest()
    sign = base64.b64encode(hmac.digest(base64.b64decode(keys["secret"]), signed, "sha512")).decode()
    headers = {"API-Key": keys["key"], "API-Sign": sign, "content-type": "application/json"}
    told = httpx.post(url, content=body, headers=headers).json()
    assert told["error"] == [], told
    return told["result"]


def test_spot_is_traded_in_json_with_a_conditional_close_and_one_millisecond_each(sandbox, spot, spot_keys):
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": 0.1, "validate": False}
    close = {"ordertype": "stop-loss-limit", "price": "45000", "price2": "44900"}
    asked_in_json(sandbox, spot_keys, "AddOrder", **order, close=close)
    (stop,) = asked_in_json(sandbox, spot_keys, "OpenOrders")["open"].values()
    assert (stop["descr"]["price"], stop["descr"]["price2"], stop["vol"]) == (
        "45000.0",
        "44900.0",
        "0.10000000",
    )


def test_ccxt_spot_reads_books_and_trades_and_cancels_several_orders_at_once(spot):
    assert spot.fetch_order_book(SPOT)["bids"][0][:2] == [50000, 100]
    assert spot.fetch_trading_fee(SPOT)["taker"] == 0.004
    bought = spot.fetch_order(spot.create_order(SPOT, "market", "buy", 0.1)["id"])
    assert [each["amount"] for each in spot.fetch_order_trades(bought["id"], SPOT, params=bought)] == [0.1]
    ids = [spot.create_order(SPOT, "limit", "buy", 0.1, 40000)["id"] for _ in range(2)]
    assert spot.cancel_orders([*ids, bought["id"]])[0]["info"]["result"]["count"] == 2


def test_an_edited_spot_order_is_another_order_and_a_reference_cancels_all_that_have_it(spot):
    placed = spot.create_order(SPOT, "limit", "buy", 0.1, 40000, {"userref": 77})
    asked = {"txid": placed["id"], "pair": "XBTUSD", "price": "41000", "volume": "0.2"}
    edited = spot.private_post_editorder(asked)["result"]
    assert (edited["originaltxid"], spot.fetch_order(placed["id"])["status"]) == (placed["id"], "canceled")
    (order,) = spot.fetch_open_orders(SPOT)
    assert (order["id"], order["price"], order["amount"]) == (edited["txid"], 41000, 0.2)
    assert spot.private_post_cancelorder({"txid": 77})["result"]["count"] == 1


def test_each_order_of_a_spot_batch_counts(sandbox, spot):
    buy = {"symbol": SPOT, "type": "market", "side": "buy", "amount": 0.001}
    spot.load_markets()
    sandbox.enforce_limits(True)
    for _ in range(8):
        spot.create_orders([buy] * 15)
    with pytest.raises(ccxt.DDoSProtection, match="EOrder:Rate limit exceeded"):
        again(8, lambda: spot.create_orders([buy] * 15))


def test_one_spot_order_that_is_not_valid_refuses_the_batch(spot):
    limit = {"symbol": SPOT, "type": "limit", "side": "buy", "amount": 0.1, "price": 40000}
    with pytest.raises(ccxt.InvalidOrder):
        spot.create_orders([limit, limit | {"amount": 0.00001}])
    with pytest.raises(ccxt.ExchangeError):
        spot.create_orders([limit])
    assert spot.fetch_open_orders(SPOT) == []


def test_ccxt_spot_market_buy_is_acknowledged_then_fills_and_pays_its_fee_in_dollars(spot):
    placed = spot.create_order(SPOT, "market", "buy", 0.1)
    assert placed["status"] is None
    order = spot.fetch_order(placed["id"])
    assert (order["symbol"], order["status"], order["filled"], order["average"]) == (
        SPOT,
        "closed",
        0.1,
        50000.1,
    )
    assert (order["fee"]["cost"], order["fee"]["currency"]) == ("20.00004", "USD")
    balance = spot.fetch_balance()
    assert balance["BTC"]["total"] == 2.1
    assert balance["USD"]["total"] == pytest.approx(100000 - 5000.01 - 20.00004)


def test_ccxt_spot_market_buy_by_cost_spends_that_much(spot):
    placed = spot.create_market_buy_order_with_cost(SPOT, 1000)
    order = spot.fetch_order(placed["id"])
    assert (order["filled"], order["status"]) == (0.01999996, "closed")
    assert order["amount"] == 1000  # `vol` is quote currency under viqc, and ccxt tells it as it is


def test_ccxt_spot_limit_order_rests_locks_and_is_cancelled(spot):
    order = spot.create_order(SPOT, "limit", "sell", 0.5, 60000, {"clientOrderId": "mine"})
    assert [(each["id"], each["clientOrderId"], each["price"]) for each in spot.fetch_open_orders(SPOT)] == [
        (order["id"], "mine", 60000)
    ]
    assert spot.fetch_balance()["BTC"]["used"] == 0.5
    spot.cancel_order(order["id"])
    assert spot.fetch_order(order["id"])["status"] == "canceled"
    assert spot.fetch_balance()["BTC"]["free"] == 2
    with pytest.raises(ccxt.OrderNotFound):
        spot.cancel_order(order["id"])


def test_ccxt_spot_limit_order_fills_when_the_price_comes(sandbox, spot):
    order = spot.create_order(SPOT, "limit", "buy", 0.1, 40000)
    sandbox.price(SPOT, 39000)
    found = spot.fetch_closed_orders(SPOT)
    assert [(each["id"], each["status"], each["average"]) for each in found] == [
        (order["id"], "closed", 40000)
    ]
    trades = spot.fetch_my_trades(SPOT)
    assert [(each["order"], each["price"], each["amount"]) for each in trades] == [(order["id"], 40000, 0.1)]


def test_ccxt_spot_stop_fires_when_the_price_falls_to_it(sandbox, spot):
    stop = spot.create_order(SPOT, "market", "sell", 1, None, {"stopLossPrice": 48000})
    sandbox.price(SPOT, 48500)
    waiting = spot.fetch_open_orders(SPOT)
    assert [(each["id"], each["stopLossPrice"]) for each in waiting] == [(stop["id"], 48000)]
    sandbox.price(SPOT, 47990)
    found = spot.fetch_order(stop["id"])
    assert (found["status"], found["average"]) == ("closed", 47990)


def test_ccxt_spot_take_profit_with_a_limit_rests_when_triggered(sandbox, spot):
    target = spot.create_order(SPOT, "limit", "sell", 1, 52100, {"takeProfitPrice": 52000})
    sandbox.price(SPOT, 52000)
    assert spot.fetch_order(target["id"])["status"] == "open"
    sandbox.price(SPOT, 52100)
    assert spot.fetch_order(target["id"])["average"] == 52100


def test_ccxt_spot_stop_and_target_cannot_both_hold_the_coins(spot):
    spot.create_order(SPOT, "market", "sell", 2, None, {"stopLossPrice": 48000})
    with pytest.raises(ccxt.InsufficientFunds):
        spot.create_order(SPOT, "market", "sell", 2, None, {"takeProfitPrice": 52000})


def test_ccxt_spot_post_only_is_taken_and_cancelled_at_once(spot):
    placed = spot.create_order(SPOT, "limit", "buy", 0.1, 50001, {"postOnly": True})
    found = spot.fetch_order(placed["id"])
    assert (found["status"], found["filled"], found["info"]["reason"]) == ("canceled", 0, "Post only order")


def test_ccxt_spot_conditional_close_is_placed_for_each_fill(sandbox, spot):
    close = {"ordertype": "stop-loss", "price": "48000"}
    spot.create_order(SPOT, "limit", "buy", 0.1, 49000, {"close": close})
    assert len(spot.fetch_open_orders(SPOT)) == 1
    sandbox.price(SPOT, 49000)
    waiting = spot.fetch_open_orders(SPOT)
    assert [(each["side"], each["amount"], each["stopLossPrice"]) for each in waiting] == [
        ("sell", 0.1, 48000)
    ]


def test_ccxt_spot_amends_cancels_all_and_has_no_positions(spot):
    order = spot.create_order(SPOT, "limit", "buy", 0.1, 40000)
    spot.edit_order(order["id"], SPOT, "limit", "buy", 0.2, 41000)
    found = spot.fetch_open_orders(SPOT)[0]
    assert (found["id"], found["amount"], found["price"]) == (order["id"], 0.2, 41000)
    spot.cancel_all_orders()
    assert spot.fetch_open_orders() == []
    assert spot.fetch_positions() == []


@pytest.mark.parametrize(
    ("kind", "amount", "price", "error", "words"),
    [
        ("market", 100, None, ccxt.InsufficientFunds, "EOrder:Insufficient funds"),
        ("limit", 0.00001, 50000, ccxt.InvalidOrder, "EOrder:Order minimum not met"),
        ("limit", 0.0001, 1000, ccxt.ExchangeError, "EOrder:Cost minimum not met"),
    ],
)
def test_ccxt_gets_the_original_refusals_on_spot(spot, kind, amount, price, error, words):
    with pytest.raises(error, match=words):
        spot.create_order(SPOT, kind, "buy", amount, price)


def test_ccxt_is_refused_for_a_wrong_secret_an_unknown_key_and_an_old_nonce(sandbox, spot, spot_keys):
    spot.fetch_balance()
    used = spot.incrementing_nonce()
    spot.incrementing_nonce = lambda: used
    spot.fetch_balance()
    with pytest.raises(ccxt.InvalidNonce, match="EAPI:Invalid nonce"):
        spot.fetch_balance()
    wrong = ccxt_client(sandbox, ccxt.kraken, "Kraken", spot_keys | {"secret": "bm90IGl0"})
    with pytest.raises(ccxt.ExchangeError, match="EAPI:Invalid signature"):
        wrong.fetch_balance()
    stranger = ccxt_client(sandbox, ccxt.kraken, "Kraken", spot_keys | {"key": "nobody"})
    with pytest.raises(ccxt.AuthenticationError, match="EAPI:Invalid key"):
        stranger.fetch_balance()


def test_ccxt_meets_the_counters_that_decay(sandbox, spot):
    spot.load_markets()
    sandbox.enforce_limits(True)
    with pytest.raises(ccxt.DDoSProtection, match="EAPI:Rate limit exceeded"):
        again(25, spot.fetch_open_orders)
    with pytest.raises(ccxt.DDoSProtection, match="EOrder:Rate limit exceeded"):
        again(20, lambda: place_and_cancel(spot))


def again(times, action):
    for _ in range(times):
        action()


def place_and_cancel(spot):
    """A young order costs 8 to cancel, of 125."""
    spot.cancel_order(spot.create_order(SPOT, "limit", "buy", 0.1, 40000)["id"])


# -- ccxt, futures -----------------------------------------------------------------------------------------


def test_ccxt_loads_futures_markets_with_steps_and_ticks(swap):
    markets = swap.load_markets()
    market = markets[SWAP]
    assert (market["id"], market["linear"], market["contractSize"]) == ("PF_XBTUSD", True, 1)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (1, 0.0001)
    assert swap.fetch_ticker(SWAP)["ask"] == 50001
    tiers = swap.fetch_leverage_tiers([SWAP])[SWAP]
    assert tiers[0]["maxLeverage"] == 50


def test_ccxt_futures_market_order_tells_its_fill_and_opens_a_position(swap):
    order = swap.create_order(SWAP, "market", "buy", 0.5)
    assert (order["status"], order["filled"], order["average"]) == ("closed", 0.5, 50001)
    position = swap.fetch_positions()[0]
    assert (position["symbol"], position["side"], position["contracts"]) == (SWAP, "long", 0.5)
    assert (position["entryPrice"], position["marginMode"]) == (50001, "cross")
    trades = swap.fetch_my_trades(SWAP)
    assert [(each["order"], each["price"], each["takerOrMaker"]) for each in trades] == [
        (order["id"], 50001, "taker")
    ]


def test_ccxt_futures_limit_order_rests_and_is_cancelled(swap):
    order = swap.create_order(SWAP, "limit", "buy", 0.5, 40000, {"clientOrderId": "mine"})
    assert order["status"] == "open"
    found = swap.fetch_open_orders(SWAP)
    assert [(each["id"], each["clientOrderId"], each["amount"]) for each in found] == [
        (order["id"], "mine", 0.5)
    ]
    assert swap.fetch_order(order["id"])["status"] == "open"
    assert swap.cancel_order(order["id"])["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound):
        swap.cancel_order(order["id"])
    assert swap.fetch_canceled_orders(SWAP)[0]["id"] == order["id"]


def test_ccxt_futures_stop_and_target_wait_and_the_stop_closes_the_position(sandbox, swap):
    swap.create_order(SWAP, "market", "buy", 0.5)
    stop = swap.create_order(SWAP, "market", "sell", 0.5, None, {"stopLossPrice": 49000})
    target = swap.create_order(SWAP, "limit", "sell", 0.5, 51900, {"takeProfitPrice": 52000})
    waiting = {each["id"]: each["triggerPrice"] for each in swap.fetch_open_orders(SWAP)}
    assert waiting == {stop["id"]: 49000, target["id"]: 52000}
    sandbox.price(SPOT, 48990)
    assert swap.fetch_positions() == []
    assert stop["id"] in [each["id"] for each in swap.fetch_closed_orders(SWAP)]
    assert [each["id"] for each in swap.fetch_open_orders(SWAP)] == [target["id"]], "an orphan stays"


def test_ccxt_trades_contracts_margined_in_their_coin(sandbox):
    keys = sandbox.account("kraken_futures", balances={"BTC": "2", "USD": "100"})
    coin, contract = ccxt_client(sandbox, ccxt.krakenfutures, "Kraken_C", keys), "BTC/USD:BTC"
    market = coin.load_markets()[contract]
    assert (market["id"].upper(), market["inverse"], market["contractSize"]) == ("PI_XBTUSD", True, 1)
    order = coin.create_order(contract, "market", "buy", 1000)
    events = [(each["amount"], each["price"]) for each in order["info"]["orderEvents"]]
    assert events == [(1000, 50000.5)], "this client itself reads no fill of such contracts"
    stop = coin.create_order(contract, "market", "sell", 1000, None, {"stopLossPrice": 49000})
    assert [each["id"] for each in coin.fetch_open_orders(contract)] == [stop["id"]]
    (position,) = coin.fetch_positions([contract])
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 1000, 50000.5)
    account = coin.fetch_balance()["info"]["accounts"]["fi_xbtusd"]
    paid = 1000 / 50000.5 * 0.0005
    assert account["balances"]["xbt"] == pytest.approx(2 - paid)
    sandbox.price("BTC/USD", 49000)
    assert coin.fetch_positions([contract]) == []
    assert coin.fetch_open_orders(contract) == []
    account = coin.fetch_balance()["info"]["accounts"]["fi_xbtusd"]
    lost = 1000 / 49000 * 1.0005 - 1000 / 50000.5
    assert account["auxiliary"]["pv"] == pytest.approx(2 - paid - lost)


def test_the_lists_of_kraken_tell_both_kinds_of_contract_and_each_venue_its_own(sandbox, pool):
    issued = sandbox.account("kraken_futures", balances={"BTC": "2", "USD": "100000"})
    keys = Credentials(issued["key"], issued["secret"])
    for name, symbol, size in (("Kraken_F", "BTCUSD", "0.01"), ("Kraken_C", "BTCUSD", "100")):
        connection = pool.connection(name, Environment.SANDBOX)
        traded = connection.table.find(symbol, name)
        order = OrderRequest(traded, name, Side.BUY, OrderType.MARKET, quantity=Decimal(size))
        connection.venue.place(keys, order)
        rests = replace(order, client_id=f"{name}2", type=OrderType.LIMIT, price=Decimal(40000))
        connection.venue.place(keys, rests)
    for name, symbol, size in (("Kraken_F", "PF_XBTUSD", "0.01"), ("Kraken_C", "PI_XBTUSD", "100")):
        venue = pool.connection(name, Environment.SANDBOX).venue
        held, standing = venue.positions(keys), venue.open_orders(keys)
        assert [(each.symbol, each.quantity) for each in held] == [(symbol, Decimal(size))]
        assert [(each.symbol, each.quantity) for each in standing] == [(symbol, Decimal(size))]


def test_ccxt_futures_short_with_a_stop_above_and_a_target_below(sandbox, swap):
    swap.create_order(SWAP, "market", "sell", 0.5)
    assert swap.fetch_positions()[0]["side"] == "short"
    swap.create_order(SWAP, "market", "buy", 0.5, None, {"stopLossPrice": 51000})
    target = swap.create_order(SWAP, "market", "buy", 0.5, None, {"takeProfitPrice": 48000})
    sandbox.price(SPOT, 47999)
    assert target["id"] in [each["id"] for each in swap.fetch_closed_orders(SWAP)]
    assert swap.fetch_positions() == []


def test_ccxt_futures_leverage_is_isolated_margin_and_holds_so_much(swap):
    swap.set_leverage(5, SWAP)
    assert swap.fetch_leverage(SWAP)["longLeverage"] == 5
    swap.create_order(SWAP, "market", "buy", 1)
    position = swap.fetch_positions()[0]
    assert (position["leverage"], position["marginMode"]) == (5, "isolated")
    assert swap.fetch_balance()["info"]["accounts"]["flex"]["initialMargin"] == "10000.2"


def test_ccxt_futures_balance_is_the_flex_wallet(swap):
    balance = swap.fetch_balance()
    assert (balance["USD"]["total"], balance["USD"]["free"]) == (100000, 100000)


def test_ccxt_futures_cancels_several_orders_at_once_and_a_batch_edits_too(swap):
    assert swap.fetch_order_book(SWAP)["asks"] == [[50001, 1000]]
    ids = [swap.create_order(SWAP, "limit", "buy", 0.1, 40000)["id"] for _ in range(2)]
    change = {"order": "edit", "order_id": ids[0], "limitPrice": 41000}
    told = swap.private_post_batchorder({"batchOrder": [change]})["batchStatus"]
    changed = next(each for each in swap.fetch_open_orders(SWAP) if each["id"] == ids[0])
    assert (told[0]["status"], changed["info"]["limitPrice"]) == ("edited", 41000)
    assert {each["status"] for each in swap.cancel_orders(ids, SWAP)} == {"canceled"}
    assert swap.fetch_open_orders(SWAP) == []


def test_ccxt_futures_edits_and_cancels_all(swap):
    order = swap.create_order(SWAP, "limit", "buy", 0.5, 40000)
    edited = swap.edit_order(order["id"], SWAP, "limit", "buy", 0.6, 41000)
    assert (edited["id"], edited["amount"]) == (order["id"], 0.6)
    swap.create_order("ETH/USD:USD", "limit", "buy", 1, 2000)
    swap.cancel_all_orders(SWAP)
    assert [each["symbol"] for each in swap.fetch_open_orders()] == ["ETH/USD:USD"]


@pytest.mark.parametrize(
    ("kind", "side", "amount", "price", "params", "error", "words"),
    [
        ("market", "buy", 900, None, {}, ccxt.InsufficientFunds, "insufficientAvailableFunds"),
        ("market", "buy", 100_000, None, {}, ccxt.BadRequest, "maxPositionViolation"),
        ("limit", "buy", 0.5, 50001, {"postOnly": True}, ccxt.OrderImmediatelyFillable, "postWouldExecute"),
        ("limit", "buy", 0.5, 49000, {"timeInForce": "ioc"}, ccxt.OrderNotFillable, "iocWouldNotExecute"),
        ("market", "sell", 0.5, None, {"reduceOnly": True}, ccxt.ExchangeError, "wouldNotReducePosition"),
    ],
)
def test_ccxt_gets_the_original_refusals_on_futures(swap, kind, side, amount, price, params, error, words):
    with pytest.raises(error, match=words):
        swap.create_order(SWAP, kind, side, amount, price, params)


def test_ccxt_futures_client_id_is_never_taken_twice(swap):
    order = swap.create_order(SWAP, "limit", "buy", 0.5, 40000, {"clientOrderId": "mine"})
    swap.cancel_order(order["id"])
    with pytest.raises(ccxt.DuplicateOrderId):
        swap.create_order(SWAP, "limit", "buy", 0.5, 40000, {"clientOrderId": "mine"})


def test_ccxt_futures_is_refused_for_a_wrong_secret_and_for_too_many_calls(sandbox, swap, swap_keys):
    wrong = ccxt_client(sandbox, ccxt.krakenfutures, "Kraken_F", swap_keys | {"secret": "bm90IGl0"})
    with pytest.raises(ccxt.AuthenticationError):
        wrong.fetch_balance()
    swap.load_markets()
    with pytest.raises(ccxt.DDoSProtection, match="apiLimitExceeded"):
        again(110, lambda: swap.create_order(SWAP, "limit", "buy", 0.001, 40000))


def test_ccxt_futures_places_several_orders_in_one_request_and_is_told_of_each_refusal(swap):
    swap.create_order(SWAP, "market", "buy", 0.5)
    stop = {
        "symbol": SWAP,
        "type": "market",
        "side": "sell",
        "amount": 0.5,
        "params": {"stopLossPrice": 49000},
    }
    limit = {"symbol": SWAP, "type": "limit", "side": "sell", "amount": 0.5, "price": 52000}
    huge = limit | {"side": "buy", "amount": 900, "price": 49000}
    told = swap.create_orders([stop, huge, limit])
    taken = {each["id"] for each in told if each["info"]["status"] == "placed"}
    assert {each["id"] for each in swap.fetch_open_orders(SWAP)} == taken
    assert (len(told), len(taken)) == (3, 2)


# -- our own venues ----------------------------------------------------------------------------------------


class Ours:
    """One account of ours on a venue, with numbered client ids."""

    def __init__(self, pool, name, keys, symbol="BTCUSD"):
        connection = pool.connection(name, Environment.SANDBOX)
        self.venue = connection.venue
        self.keys = Credentials(keys["key"], keys["secret"])
        self.instrument = connection.table.find(symbol)
        self._placed = 0

    def order(self, side, kind, quantity, **rest):
        self._placed += 1
        numbers: dict[str, Any] = {
            name: Decimal(rest.pop(name))
            for name in ("price", "trigger_price", "quote_quantity")
            if name in rest
        }
        return OrderRequest(
            self.instrument,
            rest.pop("client_id", self.venue.client_id(f"{TOKEN}{self._placed:02}")),
            Side(side),
            OrderType(kind),
            quantity=None if quantity is None else Decimal(quantity),
            **numbers,
            **rest,
        )

    def place(self, side, kind, quantity=None, **rest):
        return self.venue.place(self.keys, self.order(side, kind, quantity, **rest))

    def fetch(self, report):
        return self.venue.fetch(self.keys, self.instrument, report.ref)

    def find(self, report):
        """By our own id alone, as after a lost answer."""
        return self.venue.fetch(self.keys, self.instrument, OrderRef(report.client_id))

    def open(self):
        return self.venue.open_orders(self.keys, self.instrument)

    def cancel(self, report):
        self.venue.cancel(self.keys, self.instrument, report.ref)

    def positions(self):
        return self.venue.positions(self.keys, self.instrument)


@pytest.fixture
def cash(sandbox, pool, spot_keys):
    return Ours(pool, "Kraken", spot_keys)


@pytest.fixture
def futures(pool, swap_keys):
    return Ours(pool, "Kraken_F", swap_keys)


def test_our_spot_market_buy_is_acknowledged_and_found_by_either_id(cash):
    placed = cash.place("buy", "market", "0.1")
    assert placed.acknowledged_only
    found = cash.fetch(placed)
    assert (found.status, found.filled, found.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.1"),
        Decimal("50000.1"),
    )
    assert found.fee is not None
    assert (found.fee.asset, found.fee.amount) == ("USD", Decimal("20.00004"))
    assert cash.find(placed) == found


def test_our_spot_market_buy_by_quote_spends_that_much(cash):
    found = cash.fetch(cash.place("buy", "market", quote_quantity="1000"))
    assert (found.status, found.quantity, found.filled) == (OrderStatus.FILLED, None, Decimal("0.01999996"))


def test_our_spot_stop_rests_fires_and_is_found_by_our_id(sandbox, cash):
    placed = cash.place("sell", "stop_limit", "1", trigger_price="48000", price="47900")
    waiting = cash.find(placed)
    assert (waiting.status, waiting.type, waiting.trigger_price, waiting.price) == (
        OrderStatus.OPEN,
        OrderType.STOP_LIMIT,
        Decimal(48000),
        Decimal(47900),
    )
    assert cash.open() == [waiting]
    sandbox.price("BTC/USD", "48000")
    assert cash.find(placed).average_price == Decimal(48000)


def test_our_spot_order_is_cancelled_once(cash):
    placed = cash.place("buy", "limit", "0.1", price="40000")
    cash.cancel(placed)
    assert cash.fetch(placed).status is OrderStatus.CANCELLED
    with pytest.raises(OrderNotFound):
        cash.cancel(placed)


def test_our_spot_order_whose_answer_was_lost_is_found_and_one_that_never_arrived_is_not(sandbox, cash):
    for fault, arrived in (("drop_after", True), ("drop_before", False)):
        sandbox.fault(fault, venue="Kraken", count=1)
        order = cash.order("buy", "market", "0.1")
        with pytest.raises(OutcomeUnknown):
            cash.venue.place(cash.keys, order)
        ref = OrderRef(order.client_id)
        if arrived:
            assert cash.venue.fetch(cash.keys, cash.instrument, ref).status is OrderStatus.FILLED
        else:
            with pytest.raises(OrderNotFound):
                cash.venue.fetch(cash.keys, cash.instrument, ref)


def test_our_spot_refusals_have_our_classes(sandbox, cash):
    for expected, rest in (
        (InsufficientFunds, {"quantity": "100"}),
        (InvalidOrder, {"quantity": "0.00001"}),
        (InvalidOrder, {"quantity": "0.1", "kind": "limit", "price": "40000.01"}),
    ):
        with pytest.raises(expected):
            cash.place("buy", rest.pop("kind", "market"), **rest)
    cash.place("buy", "limit", "0.1", price="40000", client_id="twice")
    with pytest.raises(DuplicateOrder):
        cash.place("buy", "limit", "0.1", price="40000", client_id="twice")
    sandbox.fault("throttle", venue="Kraken", count=1)
    with pytest.raises(Throttled):
        cash.place("buy", "market", "0.1")


def test_our_spot_order_of_a_worker_whose_clock_is_behind_is_signed_again_and_placed_once(
    sandbox, cash, spot_keys
):
    cash.place("buy", "market", "0.1")
    elsewhere = Pool(sandbox_url=sandbox.url)
    behind = Ours(elsewhere, "Kraken", spot_keys)
    behind.venue.clock = Clock(wall=lambda: time.time() - 60)
    behind.place("buy", "market", "0.1", client_id="behind")
    elsewhere.close()
    state = sandbox.state("Kraken", spot_keys["key"])
    assert [each["client_id"] for each in state["orders"]].count("behind") == 1
    assert [each["path"] for each in state["calls"]].count("/0/private/AddOrder") == 3, (
        "one of them was refused"
    )


def test_our_spot_balances_and_key(cash):
    cash.place("sell", "limit", "0.5", price="60000")
    balances = cash.venue.balances(cash.keys)
    assert (balances["BTC"].total, balances["BTC"].free) == (Decimal(2), Decimal("1.5"))
    info = cash.venue.key_info(cash.keys)
    assert (info.can_trade, info.can_withdraw, info.note) == (True, False, "")


@pytest.mark.parametrize(("family", "name"), [("kraken", "Kraken"), ("kraken_futures", "Kraken_F")])
def test_our_key_that_may_withdraw_is_seen(sandbox, pool, family, name):
    keys = sandbox.account(family, permissions=["read", "trade", "withdraw"])
    info = Ours(pool, name, keys).venue.key_info(Credentials(keys["key"], keys["secret"]))
    assert (info.can_trade, info.can_withdraw) == (True, True)


def test_our_keys_are_refused_by_name(pool, cash, futures):
    for ours in (cash, futures):
        for keys in (replace(ours.keys, key="nobody"), replace(ours.keys, secret="bm90IGl0")):
            with pytest.raises(AuthRefused):
                ours.venue.key_info(keys)


def test_our_futures_market_order_tells_its_fill_at_once(futures):
    placed = futures.place("buy", "market", "0.5")
    assert (placed.status, placed.filled, placed.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.5"),
        Decimal(50001),
    )
    found = futures.find(placed)
    assert (found.status, found.average_price, found.exchange_id) == (
        OrderStatus.FILLED,
        Decimal(50001),
        placed.exchange_id,
    )
    position = futures.positions()[0]
    assert (position.quantity, position.entry_price) == (Decimal("0.5"), Decimal(50001))
    assert (position.margin_mode, position.leverage) == (MarginMode.CROSS, None)


def test_our_futures_market_order_that_fills_in_part_is_fetched_as_cancelled(sandbox, futures):
    sandbox.fault("partial_fill", venue="Kraken_F", count=1, share="0.4")
    placed = futures.place("buy", "market", "0.5")
    assert (placed.filled, placed.acknowledged_only) == (Decimal("0.2"), True)
    found = futures.fetch(placed)
    assert (found.status, found.filled, found.average_price) == (
        OrderStatus.CANCELLED,
        Decimal("0.2"),
        Decimal(50001),
    )


def test_our_futures_order_that_fills_later_is_acknowledged_and_then_found(sandbox, futures):
    sandbox.fault("slow_fill", venue="Kraken_F", count=1, delay_ms=3_600_000)
    placed = futures.place("buy", "market", "0.5")
    assert (placed.status, placed.filled, placed.acknowledged_only) == (OrderStatus.OPEN, Decimal(0), True)
    assert futures.fetch(placed).status is OrderStatus.OPEN


def test_our_futures_stop_and_target_rest_together_and_reduce_only(sandbox, futures):
    futures.place("buy", "market", "0.5")
    stop = futures.place("sell", "stop", "0.5", trigger_price="49000", reduce_only=True)
    target = futures.place(
        "sell", "take_profit_limit", "0.5", trigger_price="52000", price="51900", reduce_only=True
    )
    told = {each.client_id: each for each in futures.open()}
    for placed in (stop, target):
        found = told[placed.client_id]
        assert (found.type, found.trigger_price, found.price, found.reduce_only) == (
            placed.type,
            placed.trigger_price,
            placed.price,
            True,
        )
        assert futures.find(placed).type is placed.type
    sandbox.price("BTC/USD", "48990")
    assert futures.positions() == []
    ended = futures.fetch(stop)
    assert (ended.status, ended.average_price) == (OrderStatus.FILLED, Decimal(48990))
    futures.cancel(target)
    assert futures.open() == []
    with pytest.raises(OrderNotFound):
        futures.cancel(target)
    with pytest.raises(OrderNotFound):
        futures.cancel(stop)


def test_our_futures_order_whose_answer_was_lost_is_found_and_one_that_never_arrived_is_not(sandbox, futures):
    for fault, arrived in (
        ("drop_after", True),
        ("http_503", True),
        ("not_json", True),
        ("drop_before", False),
    ):
        sandbox.fault(fault, venue="Kraken_F", count=1)
        order = futures.order("buy", "market", "0.1")
        with pytest.raises(OutcomeUnknown):
            futures.venue.place(futures.keys, order)
        ref = OrderRef(order.client_id)
        if arrived:
            assert futures.venue.fetch(futures.keys, futures.instrument, ref).average_price == Decimal(50001)
        else:
            with pytest.raises(OrderNotFound):
                futures.venue.fetch(futures.keys, futures.instrument, ref)


def test_our_futures_leverage_means_isolated_margin_and_cross_takes_it_back(futures):
    futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(5), None)
    futures.place("buy", "market", "0.5")
    position = futures.positions()[0]
    assert (position.leverage, position.margin_mode) == (Decimal(5), MarginMode.ISOLATED)
    futures.venue.set_leverage(futures.keys, futures.instrument, None, MarginMode.CROSS)
    assert futures.positions()[0].margin_mode is MarginMode.CROSS


def test_our_futures_balance_is_equity_and_free_margin(sandbox, futures):
    futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(5), None)
    futures.place("buy", "market", "1")
    sandbox.price("BTC/USD", "51001")
    balance = futures.venue.balances(futures.keys)["USD"]
    assert (balance.total, balance.free) == (Decimal("100974.9995"), Decimal("90974.7995"))


def test_our_futures_refusals_have_our_classes(futures):
    for expected, side, kind, rest in (
        (InsufficientFunds, "buy", "market", {"quantity": "900"}),
        (InvalidOrder, "buy", "market", {"quantity": "0.00001"}),
        (InvalidOrder, "buy", "limit", {"quantity": "0.1", "price": "40000.5"}),
        (
            InvalidOrder,
            "buy",
            "limit",
            {"quantity": "0.1", "price": "40000", "time_in_force": TimeInForce.FOK},
        ),
        (PostOnlyRefused, "buy", "limit", {"quantity": "0.1", "price": "50001", "post_only": True}),
        (NothingToReduce, "sell", "market", {"quantity": "0.1", "reduce_only": True}),
    ):
        with pytest.raises(expected):
            futures.place(side, kind, **rest)
    futures.place("buy", "limit", "0.1", price="40000", client_id="twice")
    with pytest.raises(DuplicateOrder):
        futures.place("buy", "limit", "0.1", price="40000", client_id="twice")


def test_our_symbols_mean_the_same_on_both(pool):
    for name, spelling, symbol in (
        ("Kraken", "BTCUSDT", "XBTUSDT"),
        ("Kraken", "DOGE/USD", "XDGUSD"),
        ("Kraken_F", "BTCUSDT", "PF_XBTUSD"),
        ("Kraken_F", "PF_XBTUSD", "PF_XBTUSD"),
        ("Kraken_F", "DOGEUSD", "PF_DOGEUSD"),
    ):
        assert pool.connection(name, Environment.SANDBOX).table.find(spelling).symbol == symbol


def test_our_quotes_have_a_bid_below_the_ask(cash, futures):
    assert (cash.venue.quote(cash.instrument).bid, cash.venue.quote(cash.instrument).ask) == (
        Decimal(50000),
        Decimal("50000.1"),
    )
    assert futures.venue.quote(futures.instrument).mark == Decimal(50000)
