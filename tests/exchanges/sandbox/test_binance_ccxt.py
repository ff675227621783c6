"""Binance in the sandbox, traded by ccxt: a client that we did not write and that knows only the original."""

import ccxt
import pytest

SPOT, SWAP, COIN = "BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC"


def client(sandbox, keys, kind):
    made = ccxt.binance(
        {
            "apiKey": keys["key"],
            "secret": keys["secret"],
            "enableRateLimit": False,
            "options": {
                "defaultType": kind,
                "fetchMarkets": {"types": ["spot", "linear", "inverse"]},
            },
        }
    )
    for name, url in made.urls["api"].items():
        if isinstance(url, str):
            venue = {"fapi": "binance_f", "dapi": "binance_c"}.get(name[:4], "binance")
            made.urls["api"][name] = f"{sandbox.venue(venue)}/{url.split('/', 3)[3]}"
    return made


@pytest.fixture
def keys(sandbox):
    return sandbox.account("binance", balances={"USDT": "100000", "BTC": "2"})


@pytest.fixture
def spot(sandbox, keys):
    return client(sandbox, keys, "spot")


@pytest.fixture
def swap(sandbox, keys):
    return client(sandbox, keys, "swap")


def test_markets_load_with_steps_ticks_and_minima(spot):
    markets = spot.load_markets()
    assert markets[SPOT]["precision"] == {"amount": 1e-05, "price": 0.01, **_rest(markets[SPOT])}
    assert markets[SPOT]["limits"]["cost"]["min"] == 5
    assert markets[SWAP]["linear"] is True
    assert markets[SWAP]["precision"]["price"] == 0.1
    assert markets[SWAP]["limits"]["cost"]["min"] == 100
    assert {"ETH/USDT", "SOL/USDT:USDT", "DOGE/USDC"} <= set(markets)


def _rest(market):
    return {name: value for name, value in market["precision"].items() if name not in ("amount", "price")}


def test_a_spot_market_buy_fills_at_the_ask_and_pays_its_fee_in_coins(spot):
    order = spot.create_order(SPOT, "market", "buy", 0.1)
    assert (order["status"], order["filled"], order["average"]) == ("closed", 0.1, 50000.01)
    assert order["fee"] == {"cost": 0.0001, "currency": "BTC"}
    assert spot.fetch_balance()["BTC"]["total"] == pytest.approx(2.0999)


def test_a_spot_market_buy_by_cost_spends_that_much(spot):
    order = spot.create_market_buy_order_with_cost(SPOT, 1000)
    assert order["filled"] == 0.01999
    assert order["cost"] == pytest.approx(0.01999 * 50000.01)


def test_a_spot_limit_order_rests_locks_and_is_cancelled(spot):
    order = spot.create_order(SPOT, "limit", "buy", 0.1, 40000)
    assert order["status"] == "open"
    assert [each["id"] for each in spot.fetch_open_orders(SPOT)] == [order["id"]]
    assert spot.fetch_balance()["USDT"]["used"] == 4000
    spot.cancel_order(order["id"], SPOT)
    assert spot.fetch_order(order["id"], SPOT)["status"] == "canceled"
    assert spot.fetch_balance()["USDT"]["free"] == 100000


def test_a_spot_limit_order_fills_when_the_price_comes(sandbox, spot):
    order = spot.create_order(SPOT, "limit", "buy", 0.1, 40000)
    sandbox.price(SPOT, 40000)
    found = spot.fetch_order(order["id"], SPOT)
    assert (found["status"], found["average"]) == ("closed", 40000)
    trades = spot.fetch_my_trades(SPOT)
    assert [(each["order"], each["takerOrMaker"]) for each in trades] == [(order["id"], "maker")]


def test_a_spot_stop_and_a_take_profit_fire_on_their_own_sides(sandbox, spot):
    stop = spot.create_order(SPOT, "market", "sell", 0.5, None, {"stopLossPrice": 45000})
    target = spot.create_order(SPOT, "limit", "sell", 0.5, 55000, {"takeProfitPrice": 54000})
    assert {each["triggerPrice"] for each in spot.fetch_open_orders(SPOT)} == {45000, 54000}
    sandbox.price(SPOT, 44990)
    assert spot.fetch_order(stop["id"], SPOT)["average"] == 44990
    sandbox.price(SPOT, 55000)
    assert spot.fetch_order(target["id"], SPOT)["status"] == "closed"


def test_spot_refusals_are_the_originals(spot):
    with pytest.raises(ccxt.InsufficientFunds):
        spot.create_order(SPOT, "limit", "buy", 10, 40000)
    with pytest.raises(ccxt.BadRequest, match="Filter failure: NOTIONAL"):
        spot.create_order(SPOT, "limit", "buy", 0.0001, 40000)
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        spot.create_order(SPOT, "limit", "buy", 0.1, 60000, {"postOnly": True})
    with pytest.raises(ccxt.OrderNotFound):
        spot.fetch_order("12", SPOT)
    with pytest.raises(ccxt.OrderNotFound):
        spot.cancel_order("12", SPOT)


def test_a_wrong_secret_and_an_unknown_key_are_refused(sandbox, keys):
    with pytest.raises(ccxt.AuthenticationError, match="-1022"):
        client(sandbox, {**keys, "secret": "wrong"}, "spot").fetch_balance()
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        client(sandbox, {"key": "k" * 64, "secret": "s"}, "spot").fetch_balance()


def test_a_stale_timestamp_is_refused(spot):
    spot.nonce = lambda: spot.milliseconds() - 60_000
    with pytest.raises(ccxt.InvalidNonce, match="-1021"):
        spot.fetch_balance()


def test_a_futures_market_order_opens_a_position(swap):
    order = swap.create_order(SWAP, "market", "buy", 0.1, None, {"newOrderRespType": "RESULT"})
    assert (order["status"], order["average"]) == ("closed", 50000.1)
    (position,) = swap.fetch_positions([SWAP])
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 0.1, 50000.1)
    assert swap.fetch_order(order["id"], SWAP)["filled"] == 0.1
    assert swap.fetch_my_trades(SWAP)[0]["fee"]["currency"] == "USDT"


def test_a_futures_stop_fires_and_closes_the_position(sandbox, swap):
    swap.create_order(SWAP, "market", "buy", 0.1)
    stop = swap.create_order(SWAP, "market", "sell", 0.1, None, {"stopLossPrice": 49000, "reduceOnly": True})
    target = swap.create_order(
        SWAP, "market", "sell", 0.1, None, {"takeProfitPrice": 52000, "reduceOnly": True}
    )
    listed = swap.fetch_open_orders(SWAP, params={"trigger": True})
    assert {each["id"] for each in listed} == {stop["id"], target["id"]}
    sandbox.price(SPOT, 48999)
    assert swap.fetch_positions([SWAP]) == []
    fired = swap.fetch_order(stop["id"], SWAP, {"trigger": True})
    assert fired["info"]["algoStatus"] == "FINISHED"
    became = swap.fetch_order(fired["info"]["actualOrderId"], SWAP)
    assert (became["status"], became["average"]) == ("closed", 48999)


def test_a_futures_orphan_stays_until_it_is_cancelled(sandbox, swap):
    """Binance does not link the two: the sibling of the one that fired is the caller's to cancel."""
    swap.create_order(SWAP, "market", "sell", 0.1)
    swap.create_order(SWAP, "market", "buy", 0.1, None, {"stopLossPrice": 51000, "reduceOnly": True})
    target = swap.create_order(
        SWAP, "market", "buy", 0.1, None, {"takeProfitPrice": 48000, "reduceOnly": True}
    )
    sandbox.price(SPOT, 51000)
    assert [each["id"] for each in swap.fetch_open_orders(SWAP, params={"trigger": True})] == [target["id"]]
    swap.cancel_order(target["id"], SWAP, {"trigger": True})
    assert swap.fetch_open_orders(SWAP, params={"trigger": True}) == []


def test_futures_settings_change_and_say_when_nothing_changes(swap):
    swap.set_leverage(10, SWAP)
    assert swap.fetch_leverages([SWAP])[SWAP]["longLeverage"] == 10
    swap.set_margin_mode("isolated", SWAP)
    with pytest.raises(ccxt.MarginModeAlreadySet):
        swap.fapiPrivatePostMarginType({"symbol": "BTCUSDT", "marginType": "ISOLATED"})
    swap.set_position_mode(True)
    assert swap.fetch_position_mode()["hedged"] is True


def test_hedge_mode_holds_both_directions(swap):
    swap.set_position_mode(True)
    swap.create_order(SWAP, "market", "buy", 0.1, None, {"positionSide": "LONG"})
    swap.create_order(SWAP, "market", "sell", 0.2, None, {"positionSide": "SHORT"})
    held = {each["side"]: each["contracts"] for each in swap.fetch_positions([SWAP])}
    assert held == {"long": 0.1, "short": 0.2}
    with pytest.raises(ccxt.ExchangeError, match="-4061"):
        swap.create_order(SWAP, "market", "buy", 0.1)


def test_reduce_only_is_not_for_hedge_mode(sandbox):
    swap = client(sandbox, sandbox.account("binance", position_mode="hedge"), "swap")
    assert swap.fetch_position_mode()["hedged"] is True
    with pytest.raises(ccxt.ExchangeError, match="-1106"):
        swap.create_order(SWAP, "market", "sell", 0.1, None, {"positionSide": "LONG", "reduceOnly": True})
    with pytest.raises(ccxt.ExchangeError, match="-2022"):
        swap.create_order(SWAP, "market", "sell", 0.1, None, {"positionSide": "LONG"})


def test_futures_balance_tells_profit_and_margin(sandbox, swap):
    swap.set_leverage(10, SWAP)
    swap.create_order(SWAP, "market", "buy", 1)
    sandbox.price(SPOT, 51000)
    balance = swap.fetch_balance()["USDT"]
    assert balance["total"] == pytest.approx(100000 - 25.00005 + 999.9)
    assert balance["free"] == pytest.approx(100000 - 25.00005 + 999.9 - 5000.01)


@pytest.mark.parametrize(
    ("code", "order"),
    [
        ("-2022", {"side": "SELL", "type": "MARKET", "quantity": "0.1", "reduceOnly": "true"}),
        ("-4120", {"side": "SELL", "type": "STOP_MARKET", "quantity": "0.1", "stopPrice": "49000"}),
        ("-4164", {"side": "BUY", "type": "MARKET", "quantity": "0.001"}),
        ("-1111", {"side": "BUY", "type": "MARKET", "quantity": "0.0011"}),
        (
            "-4014",
            {"side": "BUY", "type": "LIMIT", "quantity": "0.1", "price": "40000.05", "timeInForce": "GTC"},
        ),
        ("-2019", {"side": "BUY", "type": "MARKET", "quantity": "100"}),
        (
            "-5022",
            {"side": "BUY", "type": "LIMIT", "quantity": "0.1", "price": "60000", "timeInForce": "GTX"},
        ),
        ("-1102", {"side": "BUY", "type": "LIMIT", "quantity": "0.1", "price": "60000"}),
    ],
)
def test_futures_refusals_are_the_originals(swap, code, order):
    with pytest.raises(ccxt.ExchangeError, match=f'"code":{code},'):
        swap.fapiPrivatePostOrder({"symbol": "BTCUSDT", **order})


@pytest.mark.parametrize(
    ("code", "order"),
    [
        ("-2021", {"side": "SELL", "type": "STOP_MARKET", "quantity": "0.1", "triggerPrice": "50000"}),
        ("-2021", {"side": "BUY", "type": "TAKE_PROFIT_MARKET", "quantity": "0.1", "triggerPrice": "50000"}),
        ("-1102", {"side": "SELL", "type": "STOP_MARKET", "quantity": "0.1"}),
    ],
)
def test_futures_algo_refusals_are_the_originals(swap, code, order):
    with pytest.raises(ccxt.ExchangeError, match=f'"code":{code},'):
        swap.fapiPrivatePostAlgoOrder({"algoType": "CONDITIONAL", "symbol": "BTCUSDT", **order})


def test_a_client_id_is_refused_while_its_order_is_open(swap):
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.1", "price": "40000"}
    order |= {"timeInForce": "GTC", "newClientOrderId": "same"}
    first = swap.fapiPrivatePostOrder(order)
    with pytest.raises(ccxt.ExchangeError, match="-4116"):
        swap.fapiPrivatePostOrder(order)
    swap.fapiPrivateDeleteOrder({"symbol": "BTCUSDT", "orderId": first["orderId"]})
    assert swap.fapiPrivatePostOrder(order)["orderId"] != first["orderId"]


def test_several_futures_orders_go_in_one_request_and_each_is_told_apart(swap):
    limit = {"symbol": SWAP, "type": "limit", "side": "buy", "amount": 0.1, "price": 40000}
    told = swap.create_orders([limit, limit | {"amount": 900}, limit | {"price": 41000}])
    taken = {each["id"] for each in told if "code" not in each["info"]}
    assert {each["id"] for each in swap.fetch_open_orders(SWAP)} == taken
    assert (len(told), len(taken)) == (3, 2)


def test_a_batch_of_futures_orders_takes_five_and_none_with_a_trigger(swap):
    limit = {"symbol": SWAP, "type": "limit", "side": "buy", "amount": 0.1, "price": 40000}
    with pytest.raises(ccxt.BadRequest):
        swap.create_orders([limit] * 6)
    stop = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "STOP_MARKET",
        "quantity": "0.1",
        "triggerPrice": "49000",
    }
    (told,) = swap.fapiPrivatePostBatchOrders({"batchOrders": [stop]})
    assert str(told["code"]) == "-4120"


# -- margined in coins ---------------------------------------------------------------------------------------


@pytest.fixture
def coin(sandbox, keys):
    made = client(sandbox, keys, "swap")
    made.options["defaultSubType"] = "inverse"
    return made


def test_contracts_margined_in_coins_are_listed_with_what_one_is_worth(coin):
    markets = coin.load_markets()
    bitcoin, ether = markets[COIN], markets["ETH/USD:ETH"]
    assert (bitcoin["id"], bitcoin["inverse"], bitcoin["settle"]) == ("BTCUSD_PERP", True, "BTC")
    assert (bitcoin["contractSize"], ether["contractSize"]) == (100, 10)
    assert (bitcoin["precision"]["price"], bitcoin["precision"]["amount"]) == (0.1, 1)
    ticker = coin.fetch_bids_asks([COIN])[COIN]
    assert (ticker["bid"], ticker["ask"]) == (50000, 50000.1)


def test_contracts_margined_in_coins_are_opened_and_closed(sandbox, coin):
    coin.set_leverage(5, COIN)
    order = coin.create_order(COIN, "market", "buy", 100, None, {"newOrderRespType": "RESULT"})
    assert (order["status"], order["filled"], order["average"]) == ("closed", 100, 50000.1)
    assert order["cost"] == pytest.approx(10_000 / 50000.1)
    (trade,) = coin.fetch_my_trades(COIN)
    assert trade["fee"] == {"cost": pytest.approx(0.0001), "currency": "BTC"}
    sandbox.price(SPOT, 60000)
    (position,) = coin.fetch_positions([COIN])
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 100, 50000.1)
    assert position["unrealizedPnl"] == pytest.approx(10_000 / 50000.1 - 10_000 / 60000)
    before = coin.fetch_balance({"subType": "inverse"})["BTC"]
    assert before["free"] == pytest.approx(before["total"] - 10_000 / 50000.1 / 5)
    coin.create_order(COIN, "market", "sell", 100, None, {"reduceOnly": True})
    assert coin.fetch_positions([COIN]) == []
    after = coin.fetch_balance({"subType": "inverse"})["BTC"]
    assert after["total"] == pytest.approx(before["total"] - 10_000 / 60000 * 0.0005)


def test_contracts_margined_in_coins_rest_and_are_cancelled(coin):
    limit = coin.create_order(COIN, "limit", "buy", 7, 40000)
    assert [each["id"] for each in coin.fetch_open_orders(COIN)] == [limit["id"]]
    coin.cancel_order(limit["id"], COIN)
    assert coin.fetch_order(limit["id"], COIN)["status"] == "canceled"
    with pytest.raises(ccxt.ExchangeError, match="-2019"):
        coin.create_order(COIN, "limit", "buy", 50_000, 40000)
    with pytest.raises(ccxt.ExchangeError, match="-1111"):
        coin.dapiPrivatePostOrder(
            {"symbol": "BTCUSD_PERP", "side": "BUY", "type": "MARKET", "quantity": "0.5"}
        )


def test_a_stop_on_contracts_margined_in_coins_fires_and_leaves_its_sibling(sandbox, coin):
    coin.create_order(COIN, "market", "buy", 100)
    stop = coin.create_order(COIN, "market", "sell", 100, None, {"stopLossPrice": 49000, "reduceOnly": True})
    target = coin.create_order(
        COIN, "market", "sell", 100, None, {"takeProfitPrice": 52000, "reduceOnly": True}
    )
    listed = coin.fetch_open_orders(COIN, params={"trigger": True})
    assert {each["id"] for each in listed} == {stop["id"], target["id"]}
    sandbox.price(SPOT, 48999)
    assert coin.fetch_positions([COIN]) == []
    fired = coin.fetch_order(stop["id"], COIN, {"trigger": True})
    became = coin.fetch_order(fired["info"]["actualOrderId"], COIN)
    assert (became["status"], became["average"]) == ("closed", 48999)
    assert [each["id"] for each in coin.fetch_open_orders(COIN, params={"trigger": True})] == [target["id"]]
    coin.cancel_order(target["id"], COIN, {"trigger": True})
    assert coin.fetch_open_orders(COIN, params={"trigger": True}) == []


def test_hedge_mode_and_margin_type_of_contracts_margined_in_coins(coin):
    coin.load_markets()
    coin.set_position_mode(True, COIN)
    assert coin.fetch_position_mode(COIN)["hedged"] is True
    coin.set_margin_mode("isolated", COIN)
    coin.create_order(COIN, "market", "buy", 10, None, {"positionSide": "LONG"})
    coin.create_order(COIN, "market", "sell", 20, None, {"positionSide": "SHORT"})
    held = {each["side"]: (each["contracts"], each["marginMode"]) for each in coin.fetch_positions([COIN])}
    assert held == {"long": (10, "isolated"), "short": (20, "isolated")}


def test_several_orders_on_contracts_margined_in_coins_go_in_one_request(coin):
    limit = {"symbol": COIN, "type": "limit", "side": "buy", "amount": 1, "price": 40000}
    told = coin.create_orders([limit, limit | {"amount": 2_000_000}, limit | {"price": 41000}])
    taken = {each["id"] for each in told if "code" not in each["info"]}
    assert {each["id"] for each in coin.fetch_open_orders(COIN)} == taken
    assert (len(told), len(taken)) == (3, 2)


# -- everything --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "symbol"), [("spot", SPOT), ("swap", SWAP), ("swap", COIN)])
def test_an_order_is_changed_found_in_its_time_and_priced_by_the_book(sandbox, keys, kind, symbol):
    made = client(sandbox, keys, kind)
    before = made.create_order(symbol, "limit", "buy", 1, 40000)
    after = made.edit_order(before["id"], symbol, "limit", "buy", 1, 39000)
    (found,) = made.fetch_open_orders(symbol)
    assert (found["id"], found["price"]) == (after["id"], 39000)
    assert made.fetch_orders(symbol, since=found["timestamp"] + 60_000) == []
    assert (
        made.fetch_tickers([symbol])[symbol]["last"]
        == made.fetch_order_book(symbol, 5)["bids"][0][0]
        == 50000
    )


def test_a_replacement_is_not_placed_when_there_is_nothing_to_cancel(spot):
    spot.load_markets()
    asked = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1"}
    asked |= {"price": "40000", "cancelOrderId": "9"}
    with pytest.raises(ccxt.BaseError, match="-2022"):
        spot.privatePostOrderCancelReplace({**asked, "cancelReplaceMode": "STOP_ON_FAILURE"})
    assert spot.fetch_open_orders(SPOT) == []
    with pytest.raises(ccxt.BaseError, match="-2021"):
        spot.privatePostOrderCancelReplace({**asked, "cancelReplaceMode": "ALLOW_FAILURE"})
    assert len(spot.fetch_open_orders(SPOT)) == 1


def test_several_futures_orders_are_cancelled_in_one_request(swap):
    ids = [swap.create_order(SWAP, "limit", "buy", 0.1, price)["id"] for price in (40000, 41000)]
    told = swap.cancel_orders([*ids, "5"], SWAP)  # tells nothing of the one it does not know
    assert [each["status"] for each in told] == ["canceled", "canceled"]
    assert swap.fetch_open_orders(SWAP) == []


@pytest.mark.parametrize(
    ("code", "changed"),
    [("-1116", {"type": "LIMITED"}), ("-1117", {"side": "LONG"}), ("-1115", {"timeInForce": "DAY"})],
)
def test_a_word_that_is_none_has_an_error_of_its_own(spot, code, changed):
    asked = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1"}
    with pytest.raises(ccxt.BaseError, match=code):
        spot.privatePostOrder({**asked, "price": "40000", **changed})
