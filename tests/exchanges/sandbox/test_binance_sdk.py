"""Binance in the sandbox, traded by python-binance: the second client that we did not write."""

import asyncio
import hashlib
import hmac
import time
import warnings

import httpx
import pytest

with warnings.catch_warnings():  # it imports names that its WebSocket library deprecates
    warnings.simplefilter("ignore", DeprecationWarning)
    from binance.client import Client
    from binance.exceptions import BinanceAPIException


@pytest.fixture
def keys(sandbox):
    return sandbox.account(
        "binance", balances={"USDT": "100000", "BTC": "2"}, permissions=["read", "trade", "ip"]
    )


@pytest.fixture
def client(sandbox, keys):
    made = Client(keys["key"], keys["secret"], ping=False)
    made.API_URL = f"{sandbox.venue('Binance')}/api"
    made.MARGIN_API_URL = f"{sandbox.venue('Binance')}/sapi"
    made.FUTURES_URL = f"{sandbox.venue('Binance_F')}/fapi"
    made.FUTURES_COIN_URL = f"{sandbox.venue('Binance_C')}/dapi"
    yield made
    made.close_connection()
    made.loop.close()  # it makes an event loop of its own and leaves it to others
    asyncio.set_event_loop(None)


def balances(client):
    return {each["asset"]: (each["free"], each["locked"]) for each in client.get_account()["balances"]}


def sell_oco(client, **changed):
    order = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "quantity": "1",
        "aboveType": "LIMIT_MAKER",
        "abovePrice": "55000",
        "belowType": "STOP_LOSS_LIMIT",
        "belowStopPrice": "45000",
        "belowPrice": "44900",
        "belowTimeInForce": "GTC",
    }
    return client.create_oco_order(**{**order, **changed})


def statuses(client, placed):
    return [
        client.get_order(symbol="BTCUSDT", orderId=each["orderId"])["status"] for each in placed["orders"]
    ]


def test_a_market_order_answers_with_its_fills(client):
    order = client.order_market_buy(symbol="BTCUSDT", quantity="0.1")
    assert order["status"] == "FILLED"
    assert [each["price"] for each in order["fills"]] == ["50000.01000000"]


def test_a_cancel_has_a_client_id_of_its_own(client):
    words = {"symbol": "BTCUSDT", "quantity": "0.1", "price": "40000"}
    order = client.order_limit_buy(**words, newClientOrderId="first")
    assert client.get_order(symbol="BTCUSDT", orderId=order["orderId"])["stopPrice"] == "0.00000000"
    told = client.cancel_order(symbol="BTCUSDT", orderId=order["orderId"], newClientOrderId="second")
    assert (told["origClientOrderId"], told["clientOrderId"]) == ("first", "second")
    client.order_limit_buy(**words, newClientOrderId="third")
    assert client.cancel_order(symbol="BTCUSDT", origClientOrderId="third")["clientOrderId"] != "third"
    assert client.get_order(symbol="BTCUSDT", origClientOrderId="third")["status"] == "CANCELED"


def test_an_oco_list_locks_once_and_one_leg_ends_the_other(sandbox, client):
    placed = sell_oco(client)
    assert placed["listOrderStatus"] == "EXECUTING"
    assert balances(client)["BTC"] == ("1.00000000", "1.00000000")
    assert len(client.get_open_orders(symbol="BTCUSDT")) == 2
    sandbox.price("BTC/USDT", 55000)
    assert statuses(client, placed) == ["FILLED", "EXPIRED"]
    assert balances(client)["BTC"] == ("1.00000000", "0.00000000")


def test_the_stop_of_an_oco_list_ends_its_target(sandbox, client):
    placed = sell_oco(client, belowType="STOP_LOSS", belowPrice=None, belowTimeInForce=None)
    sandbox.price("BTC/USDT", 44000)
    assert statuses(client, placed) == ["EXPIRED", "FILLED"]


def test_cancelling_one_leg_of_an_oco_list_cancels_both(client):
    placed = sell_oco(client)
    answer = client.cancel_order(symbol="BTCUSDT", orderId=placed["orders"][0]["orderId"])
    assert answer["listOrderStatus"] == "ALL_DONE"
    assert statuses(client, placed) == ["CANCELED", "CANCELED"]


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        (-2010, {"abovePrice": "49000"}),
        (-2010, {"belowStopPrice": "51000"}),
        (-2010, {"quantity": "3"}),
        (-1100, {"aboveType": "STOP_LOSS_LIMIT"}),
        (-1013, {"abovePrice": "55000.001"}),
    ],
)
def test_a_wrong_oco_list_is_refused_whole(client, code, changed):
    with pytest.raises(BinanceAPIException) as refused:
        sell_oco(client, **changed)
    assert refused.value.code == code
    assert client.get_open_orders(symbol="BTCUSDT") == []


def test_the_key_tells_what_it_may_do(client):
    granted = client.get_account_api_permissions()
    assert (granted["enableWithdrawals"], granted["ipRestrict"], granted["enableFutures"]) == (
        False,
        True,
        True,
    )


def test_a_key_without_trading_may_look_only(sandbox, client):
    keys = sandbox.account("binance", permissions=["read"])
    client.API_KEY, client.API_SECRET = keys["key"], keys["secret"]
    client.session.headers["X-MBX-APIKEY"] = keys["key"]
    assert client.get_account()["canTrade"] is False
    with pytest.raises(BinanceAPIException) as refused:
        client.order_market_buy(symbol="BTCUSDT", quantity="0.1")
    assert refused.value.code == -2015


def test_futures_orders_and_conditional_orders(sandbox, client):
    client.futures_create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.1")
    stop = client.futures_create_order(
        symbol="BTCUSDT", side="SELL", type="STOP_MARKET", stopPrice="49000", closePosition="true"
    )
    assert [each["algoId"] for each in client.futures_get_open_algo_orders()] == [stop["algoId"]]
    (position,) = client.futures_position_information(symbol="BTCUSDT")
    assert (position["positionAmt"], position["entryPrice"]) == ("0.100", "50000.1")
    sandbox.price("BTC/USDT", 49000)
    assert client.futures_get_algo_order(algoId=stop["algoId"])["algoStatus"] == "FINISHED"
    assert client.futures_position_information(symbol="BTCUSDT") == []


def test_one_closing_stop_per_direction(client):
    stop = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "closePosition": "true"}
    client.futures_create_order(**stop, stopPrice="49000")
    with pytest.raises(BinanceAPIException) as refused:
        client.futures_create_order(**stop, stopPrice="48000")
    assert refused.value.code == -4130


def test_a_futures_order_acknowledged_only_tells_nothing_of_its_fill(client):
    order = client.futures_create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.1")
    assert (order["status"], order["executedQty"]) == ("NEW", "0")
    assert client.futures_get_order(symbol="BTCUSDT", orderId=order["orderId"])["status"] == "FILLED"


def test_contracts_margined_in_coins(client):
    listed = {each["symbol"]: each for each in client.futures_coin_exchange_info()["symbols"]}
    assert listed["BTCUSD_PERP"]["contractStatus"] == "TRADING"
    assert listed["BTCUSD_PERP"]["contractSize"] == 100
    order = {"symbol": "BTCUSD_PERP", "side": "SELL", "type": "MARKET", "quantity": "5"}
    sold = client.futures_coin_create_order(**order, newOrderRespType="RESULT")
    assert (sold["status"], sold["avgPrice"], sold["cumBase"]) == ("FILLED", "50000", "0.01000000")
    (held,) = (
        each
        for each in client.futures_coin_position_information(pair="BTCUSD")
        if each["symbol"] == "BTCUSD_PERP"
    )
    assert (held["positionAmt"], held["marginType"], held["notionalValue"]) == ("-5", "cross", "-0.01000000")
    (quote,) = client.futures_coin_orderbook_ticker(symbol="BTCUSD_PERP")
    assert (quote["pair"], quote["bidPrice"]) == ("BTCUSD", "50000.0")
    (coins,) = (each for each in client.futures_coin_account_balance() if each["asset"] == "BTC")
    assert coins["balance"] == "1.99999500"
    with pytest.raises(BinanceAPIException, match="-4120"):
        client.futures_coin_create_order(**(order | {"type": "STOP_MARKET"}), stopPrice="51000")


def test_both_kinds_of_futures_draw_on_one_limit(client, sandbox):
    client.futures_position_information(symbol="BTCUSDT")
    before = int(client.response.headers["x-mbx-used-weight-1m"])
    client.futures_coin_position_information(pair="BTCUSD")
    assert int(client.response.headers["x-mbx-used-weight-1m"]) == before + 1


def test_an_oco_list_in_its_old_words_is_the_same_list(client):
    order = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "1", "price": "55000", "stopPrice": "45000"}
    order |= {"stopLimitPrice": "44900", "stopLimitTimeInForce": "GTC", "limitClientOrderId": "target"}
    placed = client._post("order/oco", True, data=order)
    types = {each["type"]: each["clientOrderId"] for each in placed["orderReports"]}
    assert set(types) == {"LIMIT_MAKER", "STOP_LOSS_LIMIT"}
    assert types["LIMIT_MAKER"] == "target"
    assert [each["orderListId"] for each in client._get("allOrderList", True, data={})] == [
        placed["orderListId"]
    ]


@pytest.mark.parametrize("layout", ["query", "body", "both"])
def test_parameters_are_signed_wherever_they_and_the_signature_stand(sandbox, keys, layout):
    first, rest = (
        "symbol=BTCUSDT&side=BUY&type=LIMIT",
        f"timeInForce=GTC&quantity=0.1&price=40000&timestamp={stamp()}",
    )
    query, body = {"query": (f"{first}&{rest}", ""), "body": ("", f"{first}&{rest}"), "both": (first, rest)}[
        layout
    ]
    sign = hmac.new(keys["secret"].encode(), f"{query}{body}".encode(), hashlib.sha256).hexdigest()
    url = f"{sandbox.venue('Binance')}/api/v3/order?" + "&".join(filter(None, (f"signature={sign}", query)))
    head = {"X-MBX-APIKEY": keys["key"], "content-type": "application/x-www-form-urlencoded"}
    assert httpx.post(url, content=body, headers=head).json()["status"] == "NEW"


def stamp():
    return time.time_ns() // 1_000_000
