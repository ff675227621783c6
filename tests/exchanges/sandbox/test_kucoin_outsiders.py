"""KuCoin in the sandbox, traded by ccxt, by KuCoin's own client and by our venues: three that agree."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from kucoin_universal_sdk.api import DefaultClient
from kucoin_universal_sdk.generate.account import account as wallets
from kucoin_universal_sdk.generate.futures import order as contracts
from kucoin_universal_sdk.generate.futures import positions as holdings
from kucoin_universal_sdk.generate.spot import order as coins
from kucoin_universal_sdk.model import ClientOptionBuilder, TransportOptionBuilder
from kucoin_universal_sdk.model.common import RestError

from exchanges.errors import (
    AuthRefused,
    DuplicateOrder,
    InsufficientFunds,
    InvalidOrder,
    ModeMismatch,
    NothingToReduce,
    OrderNotFound,
    OutcomeUnknown,
    Throttled,
    UnknownSymbol,
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
    return sandbox.account("kucoin", balances={"USDT": "100000", "BTC": "2"})


# -- ccxt --------------------------------------------------------------------------------------------------


def ccxt_client(sandbox: Sandbox, keys: dict[str, str], kind: str) -> Any:
    words = {"apiKey": keys["key"], "secret": keys["secret"], "password": keys["passphrase"]}
    made = ccxt.kucoin({**words, "enableRateLimit": False, "options": {"uta": False, "defaultType": kind}})
    made.options["fetchMarkets"] = {"types": ["spot", "swap"]}
    futures = dict.fromkeys(("futuresPrivate", "futuresPublic"), sandbox.venue("KuCoin_F"))
    made.urls["api"] = dict.fromkeys(made.urls["api"], sandbox.venue("KuCoin")) | futures
    return made


@pytest.fixture
def spot(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    return ccxt_client(sandbox, keys, "spot")


@pytest.fixture
def swap(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    return ccxt_client(sandbox, keys, "swap")


def test_ccxt_loads_markets_with_steps_ticks_and_contract_sizes(spot, swap):
    markets = spot.load_markets()
    assert markets[SPOT]["precision"] == {"amount": 1e-08, "price": 0.1}
    assert markets[SPOT]["limits"]["amount"]["min"] == 1e-05
    assert (markets[SWAP]["id"], markets[SWAP]["contractSize"]) == ("XBTUSDTM", 0.001)
    assert markets[SWAP]["limits"]["leverage"]["max"] == 125
    assert {"ETH/USDT", "SOL/USDT:USDT", "BTC/USDC:USDC"} <= set(markets)
    assert spot.fetch_time() > 1_700_000_000_000
    assert swap.fetch_ticker(SWAP)["ask"] == 50000.1


def test_ccxt_spot_market_buy_fills_and_pays_its_fee_in_quote(spot):
    order = spot.create_order(SPOT, "market", "buy", 0.1, None, {"sync": True})
    assert order["id"]
    found = spot.fetch_order(order["id"], SPOT)
    assert (found["status"], found["filled"], found["average"]) == ("closed", 0.1, 50000.1)
    assert found["fee"] == {"cost": pytest.approx(5.00001), "currency": "USDT"}
    assert spot.fetch_balance()["BTC"]["total"] == pytest.approx(2.1)


def test_ccxt_spot_market_buy_by_cost_spends_that_much(spot):
    order = spot.create_market_buy_order_with_cost(SPOT, 1000)
    assert spot.fetch_order(order["id"], SPOT)["cost"] == pytest.approx(1000, abs=0.01)


def test_ccxt_spot_limit_order_rests_locks_and_is_cancelled(spot):
    order = spot.create_order(SPOT, "limit", "buy", 0.1, 40000, {"clientOrderId": "mine-1"})
    assert [each["id"] for each in spot.fetch_open_orders(SPOT)] == [order["id"]]
    assert spot.fetch_balance()["USDT"]["free"] == 95996, "the fee is held with the price"
    spot.cancel_order(order["id"], SPOT)
    assert spot.fetch_open_orders(SPOT) == []
    found = spot.fetch_order(None, SPOT, {"clientOrderId": "mine-1"})
    assert (found["status"], found["id"]) == ("canceled", order["id"])


def test_ccxt_spot_stop_and_target_wait_side_by_side_and_become_plain_orders(sandbox, spot):
    stop = spot.create_order(SPOT, "market", "sell", 2, None, {"stopLossPrice": 45000, "clientOrderId": "s"})
    target = spot.create_order(SPOT, "limit", "sell", 2, 55000, {"takeProfitPrice": 54000})
    waiting = spot.fetch_open_orders(SPOT, params={"trigger": True})
    assert {each["triggerPrice"] for each in waiting} == {45000, 54000}
    assert spot.fetch_balance()["BTC"]["free"] == 2, "stop orders freeze nothing"
    sandbox.price(SPOT, 44990)
    assert spot.fetch_order(stop["id"], SPOT, {"trigger": True})["info"]["status"] == "TRIGGERED"
    found = spot.fetch_order(None, SPOT, {"clientOrderId": "s"})
    assert (found["status"], found["average"]) == ("closed", 44990)
    assert found["id"] != stop["id"]
    spot.cancel_order(target["id"], SPOT, {"trigger": True})
    assert spot.fetch_open_orders(SPOT, params={"trigger": True}) == []


def test_ccxt_spot_cancels_all(spot):
    for price in (40000, 41000):
        spot.create_order(SPOT, "limit", "buy", 0.1, price)
    spot.create_order(SPOT, "market", "sell", 1, None, {"stopLossPrice": 45000})
    spot.cancel_all_orders(SPOT)
    assert spot.fetch_open_orders(SPOT) == []
    spot.cancel_all_orders(SPOT, {"trigger": True})
    assert spot.fetch_open_orders(SPOT, params={"trigger": True}) == []


def test_ccxt_futures_market_order_opens_a_position_with_its_leverage(swap):
    order = swap.create_order(SWAP, "market", "buy", 100, None, {"leverage": 5})
    found = swap.fetch_order(order["id"])
    assert (found["status"], found["filled"], found["average"]) == ("closed", 100, 50000.1)
    position = swap.fetch_position(SWAP)
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 100, 50000.1)
    assert (position["leverage"], position["marginMode"]) == (5, "isolated")
    assert [each["symbol"] for each in swap.fetch_positions()] == [SWAP]
    balance = swap.fetch_balance({"code": "USDT"})["USDT"]
    assert balance["free"] == pytest.approx(100000 - 5000.01 / 5 - 3.0, abs=0.2)


def test_ccxt_futures_cross_margin_has_a_leverage_of_its_own(swap):
    swap.set_margin_mode("cross", SWAP)
    swap.set_leverage(10, SWAP)
    with pytest.raises(ccxt.InvalidOrder, match="330005"):
        swap.create_order(SWAP, "market", "buy", 100)
    swap.create_order(SWAP, "market", "buy", 100, None, {"marginMode": "cross"})
    position = swap.fetch_position(SWAP)
    assert (position["leverage"], position["marginMode"]) == (10, "cross")


def test_ccxt_futures_stop_fires_and_its_sibling_stays(sandbox, swap):
    swap.create_order(SWAP, "market", "buy", 100)
    stop = swap.create_order(SWAP, "market", "sell", 100, None, {"stopLossPrice": 49000})
    target = swap.create_order(SWAP, "market", "sell", 100, None, {"takeProfitPrice": 52000})
    waiting = swap.fetch_open_orders(SWAP, None, None, {"trigger": True})
    assert {each["id"] for each in waiting} == {stop["id"], target["id"]}
    sandbox.price(SPOT, 48999)
    assert swap.fetch_order(stop["id"])["average"] == 48999
    assert swap.fetch_positions() == []
    assert [each["id"] for each in swap.fetch_open_orders(SWAP, None, None, {"trigger": True})] == [
        target["id"]
    ]
    swap.cancel_order(target["id"], SWAP)
    assert swap.fetch_open_orders(SWAP, None, None, {"trigger": True}) == []


def test_ccxt_futures_hedge_mode_holds_both_sides(swap):
    swap.set_position_mode(True)
    assert swap.fetch_position_mode(SWAP)["hedged"] is True
    swap.create_order(SWAP, "market", "buy", 10, None, {"hedged": True})
    swap.create_order(SWAP, "market", "sell", 20, None, {"hedged": True})
    sides = {each["side"]: each["contracts"] for each in swap.fetch_positions()}
    assert sides == {"long": 10, "short": 20}
    with pytest.raises(ccxt.InvalidOrder, match="330012"):
        swap.create_order(SWAP, "market", "buy", 10)


def test_ccxt_gets_the_original_refusals(sandbox, swap, spot, keys):
    with pytest.raises(ccxt.InsufficientFunds, match="300003"):
        swap.create_order(SWAP, "limit", "buy", 100_000, 40000)
    with pytest.raises(ccxt.InvalidOrder, match="300009"):
        swap.create_order(SWAP, "market", "sell", 100, None, {"reduceOnly": True})
    with pytest.raises(ccxt.BadRequest, match="100004"):
        swap.cancel_order("no-such-order", SWAP)
    with pytest.raises(ccxt.OrderNotFound):
        spot.cancel_order("no-such-order", SPOT)
    with pytest.raises(ccxt.InsufficientFunds, match="200004"):
        spot.create_order(SPOT, "limit", "buy", 10, 40000)
    with pytest.raises(ccxt.InvalidOrder, match="600101"):
        spot.create_order(SPOT, "limit", "buy", 0.00001, 10)
    for broken in ({"secret": "wrong"}, {"passphrase": "wrong"}, {"key": "unknown"}):
        with pytest.raises(ccxt.AuthenticationError):
            ccxt_client(sandbox, {**keys, **broken}, "spot").fetch_balance()


def test_ccxt_is_refused_for_a_stale_timestamp(spot):
    spot.load_markets()
    spot.nonce = lambda: spot.milliseconds() - 60_000
    with pytest.raises(ccxt.InvalidNonce, match="400002"):
        spot.fetch_balance()


def test_ccxt_places_several_orders_in_one_request_and_is_told_of_each_refusal(swap):
    swap.create_order(SWAP, "market", "buy", 10)
    stop = {
        "symbol": SWAP,
        "type": "market",
        "side": "sell",
        "amount": 10,
        "params": {"stopLossPrice": 49000},
    }
    limit = {"symbol": SWAP, "type": "limit", "side": "sell", "amount": 10, "price": 52000}
    huge = limit | {"side": "buy", "amount": 900_000, "price": 49000}
    told = swap.create_orders([stop, huge, limit])
    assert [each["info"]["code"] != "200000" for each in told] == [False, True, False]
    assert {
        each["id"]
        for each in [
            *swap.fetch_open_orders(SWAP),
            *swap.fetch_open_orders(SWAP, None, None, {"trigger": True}),
        ]
    } == {told[0]["id"], told[2]["id"]}


def test_ccxt_places_spot_orders_in_one_request_and_each_refusal_is_told(spot):
    """ccxt looks for the answer of the older address and finds no order in this one, so the answer itself is read."""
    limit = {"symbol": SPOT, "type": "limit", "side": "buy", "amount": 0.1, "price": 40000}
    spot.create_orders([limit, limit | {"amount": 9000}, limit | {"price": 41000}], {"sync": True})
    first, refused, last = json.loads(spot.last_http_response)["data"]
    assert (first["success"], last["success"]) == (True, True)
    assert refused == {"success": False, "failMsg": "Balance insufficient!"}
    assert {each["id"] for each in spot.fetch_open_orders(SPOT)} == {first["orderId"], last["orderId"]}


def test_a_spot_batch_takes_five_limit_orders_of_one_symbol(spot):
    limit = {
        "clientOid": "b",
        "symbol": "BTC-USDT",
        "side": "buy",
        "type": "limit",
        "size": "1",
        "price": "4",
    }
    other = limit | {"symbol": "ETH-USDT"}
    for orders in ([limit] * 6, [limit, limit | {"type": "market"}], [limit, other], []):
        with pytest.raises(ccxt.BadRequest):
            spot.private_post_hf_orders_multi_sync({"orderList": orders})
    assert spot.fetch_open_orders(SPOT) == []


# -- kucoin-universal-sdk ----------------------------------------------------------------------------------

PAIR, PERPETUAL = "BTC-USDT", "XBTUSDTM"


class Official:
    """KuCoin's own client. It swallows an answer that does not fit its models and leaves their fields empty."""

    def __init__(self, sandbox: Sandbox, keys: dict[str, str]) -> None:
        builder = ClientOptionBuilder()
        builder.set_key(keys["key"]).set_secret(keys["secret"]).set_passphrase(keys["passphrase"])
        builder.set_transport_option(TransportOptionBuilder().set_max_retries(0).build())
        builder.set_spot_endpoint(sandbox.venue("KuCoin")).set_futures_endpoint(sandbox.venue("KuCoin_F"))
        rest = DefaultClient(builder.build()).rest_service()
        spot, futures = rest.get_spot_service(), rest.get_futures_service()
        self.wallets = rest.get_account_service().get_account_api()
        self.accounts = rest.get_uta_service().get_account_api()
        self.coins, self.contracts = spot.get_order_api(), futures.get_order_api()
        self.holdings = futures.get_positions_api()
        apis = (self.wallets, self.accounts, self.coins, self.contracts)
        self.transports = [each.transport for each in apis]

    def close(self) -> None:
        for each in self.transports:
            each.close()

    def buy(self, client_id: str, kind: str, **words: Any) -> Any:
        words = {"client_oid": client_id, "symbol": PAIR, "side": "buy", "type": kind, **words}
        return self.coins.add_order_sync(coins.AddOrderSyncReq(**words))

    def trade(self, client_id: str, side: str, kind: str, size: int, **words: Any) -> str:
        """Contracts at cross margin; the new order's id."""
        words = {"client_oid": client_id, "side": side, "type": kind, "size": size, **words}
        request = contracts.AddOrderReq(symbol=PERPETUAL, margin_mode="CROSS", **words)
        return str(self.contracts.add_order(request).order_id)

    def order(self, order_id: str) -> Any:
        """Of the futures."""
        return self.contracts.get_order_by_order_id(contracts.GetOrderByOrderIdReq(order_id=order_id))

    def stops(self) -> list[str]:
        """Of the futures."""
        listed = self.contracts.get_stop_order_list(contracts.GetStopOrderListReq(symbol=PERPETUAL))
        return [each.id for each in listed.items]

    def cross(self, leverage: str) -> None:
        mode = holdings.SwitchMarginModeReq(symbol=PERPETUAL, margin_mode="CROSS")
        assert self.holdings.switch_margin_mode(mode).margin_mode.value == "CROSS"
        wanted = holdings.ModifyMarginLeverageReq(symbol=PERPETUAL, leverage=leverage)
        assert self.holdings.modify_margin_leverage(wanted).data is True


def untold(model: Any) -> set[str]:
    """What a model of KuCoin's client knows and the answer did not have."""
    return {name for name, value in vars(model).items() if value is None and name != "common_response"}


@pytest.fixture
def official(sandbox: Sandbox, keys: dict[str, str]) -> Iterator[Official]:
    made = Official(sandbox, keys)
    yield made
    made.close()


def test_sdk_reads_the_balances_and_what_orders_hold(official):
    official.buy("resting", "limit", price="40000", size="0.1")
    asked = wallets.GetSpotAccountListReq(currency="USDT", type="trade")
    (row,) = official.wallets.get_spot_account_list(asked).data
    assert (row.currency, row.balance) == ("USDT", "100000")
    assert Decimal(row.holds) == Decimal(100_000) - Decimal(row.available) == 4004, "with the fee"
    futures = official.wallets.get_futures_account(wallets.GetFuturesAccountReq(currency="USDT"))
    assert (futures.account_equity, futures.available_balance) == (100_000, 100_000)
    assert official.wallets.get_apikey_info().permission == "General,Spot,Futures"


def test_sdk_buys_coins_for_money_and_is_told_how_the_order_stands(official):
    told = official.buy("a1", "market", funds="1000")
    assert (told.status.value, told.client_oid) == ("done", "a1")
    found = official.coins.get_order_by_order_id(
        coins.GetOrderByOrderIdReq(symbol=PAIR, order_id=told.order_id)
    )
    assert (found.client_oid, found.active, found.deal_size) == ("a1", False, told.deal_size)
    assert Decimal(found.deal_funds) == pytest.approx(1000, rel=Decimal("1e-6"))
    assert Decimal(found.cancelled_funds) == 1000 - Decimal(found.deal_funds)
    assert untold(found) == {"stp", "remark", "tags"}
    (fill,) = official.coins.get_trade_history(coins.GetTradeHistoryReq(symbol=PAIR)).items
    assert untold(fill) == set()


def test_sdk_spot_limit_order_rests_until_it_is_cancelled(official):
    order = official.buy("a2", "limit", price="40000", size="0.1", post_only=True).order_id
    asked = coins.GetOpenOrdersReq(symbol=PAIR)
    assert [(each.id, each.price) for each in official.coins.get_open_orders(asked).data] == [
        (order, "40000")
    ]
    paged = official.coins.get_open_orders_by_page(
        coins.GetOpenOrdersByPageReq(symbol=PAIR, page_num=1, page_size=20)
    )
    assert (paged.total_num, paged.total_page, [each.id for each in paged.items]) == (1, 1, [order])
    by_id = coins.CancelOrderByOrderIdReq(symbol=PAIR, order_id=order)
    assert official.coins.cancel_order_by_order_id(by_id).order_id == order
    assert official.coins.get_open_orders(asked).data == []
    found = official.coins.get_order_by_client_oid(coins.GetOrderByClientOidReq(symbol=PAIR, client_oid="a2"))
    assert (found.id, found.cancel_exist, found.cancelled_size) == (order, True, "0.1")
    with pytest.raises(RestError, match="order_not_exist_or_not_allow_to_cancel"):
        official.coins.cancel_order_by_order_id(by_id)


def test_sdk_spot_stop_waits_and_fires(sandbox, official):
    stop = official.coins.add_stop_order(
        coins.AddStopOrderReq(
            client_oid="s1", symbol=PAIR, side="sell", type="market", size="0.5", stop_price="49000"
        )
    ).order_id
    asked = coins.GetStopOrdersListReq(symbol=PAIR)
    (waiting,) = official.coins.get_stop_orders_list(asked).items
    assert (waiting.id, waiting.stop, Decimal(waiting.stop_price)) == (stop, "loss", Decimal(49000))
    assert not untold(waiting) & {"order_time", "taker_fee_rate", "hidden", "visible_size", "trade_source"}
    sandbox.price(SPOT, 48990)
    assert official.coins.get_stop_orders_list(asked).items == []
    (sold,) = official.coins.get_closed_orders(coins.GetClosedOrdersReq(symbol=PAIR)).items
    assert (sold.side.value, sold.client_oid) == ("sell", "s1")
    assert Decimal(sold.deal_funds) / Decimal(sold.deal_size) == 48990


def test_sdk_spot_stop_is_cancelled(official):
    stop = coins.AddStopOrderReq(
        client_oid="s2", symbol=PAIR, side="sell", type="limit", size="1", price="48900", stop_price="49000"
    )
    placed = official.coins.add_stop_order(stop).order_id
    told = official.coins.cancel_stop_order_by_order_id(coins.CancelStopOrderByOrderIdReq(order_id=placed))
    assert told.cancelled_order_ids == [placed]
    assert official.coins.get_stop_orders_list(coins.GetStopOrdersListReq(symbol=PAIR)).items == []


def test_sdk_opens_a_position_at_its_leverage_and_closes_it(official):
    official.cross("5")
    opened = official.trade("f1", "buy", "market", 100)
    found = official.order(opened)
    assert (found.status.value, found.filled_size, found.avg_deal_price) == ("done", 100, "50000.1")
    by_client_id = contracts.GetOrderByClientOidReq(client_oid="f1")
    assert official.contracts.get_order_by_client_oid(by_client_id).id == opened
    asked = holdings.GetPositionListReq(currency="USDT")
    (held,) = official.holdings.get_position_list(asked).data
    assert (held.current_qty, held.avg_entry_price, held.leverage) == (100, 50000.1, 5)
    assert held.margin_mode.value == "CROSS"
    official.trade("f2", "sell", "market", 100, reduce_only=True)
    assert official.holdings.get_position_list(asked).data == []


def test_sdk_futures_limit_order_rests_until_it_is_cancelled(official):
    official.cross("10")
    order = official.trade("f3", "buy", "limit", 10, price="40000")
    listed = official.contracts.get_order_list(contracts.GetOrderListReq(symbol=PERPETUAL, status="active"))
    assert [(each.id, each.price, each.size) for each in listed.items] == [(order, "40000", 10)]
    by_client_id = contracts.CancelOrderByClientOidReq(symbol=PERPETUAL, client_oid="f3")
    assert official.contracts.cancel_order_by_client_oid(by_client_id).client_oid == "f3"
    found = official.order(order)
    assert (found.status.value, found.cancel_exist) == ("done", True)
    with pytest.raises(RestError, match="100004"):
        official.contracts.cancel_order_by_id(contracts.CancelOrderByIdReq(order_id=order))


def test_sdk_futures_stop_fires_on_its_side_and_another_is_cancelled(sandbox, official):
    official.cross("10")
    official.trade("f4", "buy", "market", 10)
    words = {"stop_price_type": "TP", "reduce_only": True}
    stop = official.trade("f5", "sell", "market", 10, stop="down", stop_price="49000", **words)
    target = official.trade("f6", "sell", "market", 10, stop="up", stop_price="52000", **words)
    assert set(official.stops()) == {stop, target}
    sandbox.price(SPOT, 48990)
    fired = official.order(stop)
    assert (fired.status.value, fired.stop_triggered, fired.avg_deal_price) == ("done", True, "48990")
    told = official.contracts.cancel_order_by_id(contracts.CancelOrderByIdReq(order_id=target))
    assert told.cancelled_order_ids == [target]
    assert official.stops() == []


def test_sdk_gets_the_original_refusals(sandbox, official, keys):
    official.cross("10")
    with pytest.raises(RestError, match="300003"):
        official.trade("f7", "buy", "limit", 1_000_000, price="40000")
    with pytest.raises(RestError, match="200004"):
        official.buy("a3", "limit", price="40000", size="100")
    stranger = Official(sandbox, keys | {"secret": "wrong"})
    with pytest.raises(RestError, match="400005"):
        stranger.wallets.get_apikey_info()
    stranger.close()


# -- our own venues ----------------------------------------------------------------------------------------


@pytest.fixture
def cash(pool: Pool, keys: dict[str, str]) -> Ours:
    return Ours(pool, "KuCoin", keys)


@pytest.fixture
def futures(pool: Pool, keys: dict[str, str]) -> Ours:
    return Ours(pool, "KuCoin_F", keys)


def test_a_spot_order_is_told_how_it_stands_and_its_price_is_asked(cash):
    placed = cash.place("buy", "market", None, quote_quantity="1000")
    assert (placed.status, placed.average_price) == (OrderStatus.FILLED, None)
    found = cash.fetch(placed)
    assert (found.average_price, found.fee and found.fee.asset) == (Decimal("50000.1"), "USDT")
    assert cash.venue.quote(cash.instrument).ask == Decimal("50000.1")


def test_a_spot_order_that_may_not_take_or_must_fill_ends_cancelled(cash):
    post = cash.place("buy", "limit", "0.1", price="51000", post_only=True)
    kill = cash.place("buy", "limit", "0.1", price="40000", time_in_force=TimeInForce.FOK)
    assert [each.status for each in (post, kill)] == [OrderStatus.CANCELLED] * 2


def test_a_futures_order_counts_coins_whatever_the_exchange_counts(futures):
    report = futures.place("sell", "market", "0.25", leverage="5")
    assert report.acknowledged_only
    found = futures.fetch(report)
    assert (found.quantity, found.filled, found.average_price) == (
        Decimal("0.25"),
        Decimal("0.25"),
        Decimal(50000),
    )
    (position,) = futures.positions()
    assert (position.direction, position.quantity, position.leverage) == (
        Direction.SHORT,
        Decimal("0.25"),
        Decimal(5),
    )


def test_the_margin_of_a_contract_is_that_of_its_coins(sandbox, pool):
    small = Ours(pool, "KuCoin_F", sandbox.account("kucoin", balances={"USDT": "510"}))
    small.place("buy", "market", "0.01")
    with pytest.raises(InsufficientFunds):
        small.place("buy", "market", "0.01")


def test_a_margin_mode_that_is_set_elsewhere_is_found_out_once(sandbox, futures):
    futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(10), MarginMode.CROSS)
    another = Pool(sandbox_url=sandbox.url)
    issued = {"key": futures.keys.key, "secret": futures.keys.secret, "passphrase": futures.keys.passphrase}
    fresh = Ours(another, "KuCoin_F", issued)
    for number in range(2):
        fresh.place("buy", "market", "0.1", client_id=f"crossed-{number}")
    another.close()
    asked = [each["path"] for each in sandbox.state("KuCoin_F", futures.keys.key)["calls"]]
    assert asked.count("/api/v1/orders") == 3, "refused for its mode, placed, placed"
    (position,) = futures.positions()
    assert (position.margin_mode, position.leverage, position.quantity) == (
        MarginMode.CROSS,
        Decimal(10),
        Decimal("0.2"),
    )


def test_a_margin_mode_that_was_asked_for_is_not_exchanged(futures):
    with pytest.raises(InvalidOrder) as caught:
        futures.place("buy", "market", "0.1", margin_mode=MarginMode.CROSS)
    assert caught.value.code == "330005"
    assert futures.positions() == []


def test_protection_of_a_position_runs_to_its_end(sandbox, futures):
    """Entry, stop and target placed, the price moves, the target fills, and the stop is cancelled by us."""
    futures.place("buy", "market", "0.1")
    stop = futures.place("sell", "stop", "0.1", trigger_price="49000", reduce_only=True)
    target = futures.place("sell", "take_profit", "0.1", trigger_price="52000", reduce_only=True)
    assert {each.type for each in futures.open()} == {OrderType.STOP, OrderType.TAKE_PROFIT}
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
        futures.venue.cancel(futures.keys, futures.instrument, stop.ref)


def test_protection_of_coins_runs_to_its_end(sandbox, cash):
    bought = cash.fetch(cash.place("buy", "market", "0.1"))
    assert bought.fee is not None
    stop = cash.place("sell", "stop", "0.1", trigger_price="49000")
    target = cash.place("sell", "take_profit_limit", "0.1", trigger_price="52000", price="51990")
    assert {each.type for each in cash.open()} == {OrderType.STOP, OrderType.TAKE_PROFIT_LIMIT}
    sandbox.price("BTC/USDT", "52000")
    filled = cash.fetch(target)
    assert (filled.status, filled.type, filled.average_price) == (
        OrderStatus.FILLED,
        OrderType.TAKE_PROFIT_LIMIT,
        Decimal(52000),
    )
    assert [each.client_id for each in cash.venue.open_orders(cash.keys)] == [stop.client_id]
    cash.venue.cancel(cash.keys, cash.instrument, stop.ref)
    assert cash.open() == []


def test_a_triggered_stop_limit_that_rests_can_still_be_cancelled(sandbox, cash):
    stop = cash.place("sell", "stop_limit", "1", trigger_price="49000", price="49500")
    sandbox.price("BTC/USDT", "48990")
    resting = cash.fetch(stop)
    assert (resting.status, resting.exchange_id) == (OrderStatus.OPEN, stop.exchange_id)
    cash.venue.cancel(cash.keys, cash.instrument, stop.ref)
    assert cash.fetch(stop).status is OrderStatus.CANCELLED


def test_a_stop_that_finds_no_coins_when_it_triggers_is_told_as_rejected(sandbox, cash):
    stop = cash.place("sell", "stop", "2", trigger_price="49000")
    cash.place("sell", "market", "1.5")
    sandbox.price("BTC/USDT", "48990")
    assert cash.fetch(stop).status is OrderStatus.REJECTED


def test_hedge_mode_is_read_and_each_side_is_closed_by_its_own_orders(sandbox, pool):
    hedged = Ours(pool, "KuCoin_F", sandbox.account("kucoin", position_mode="hedge"))
    assert hedged.venue.position_mode(hedged.keys, hedged.instrument) is PositionMode.HEDGE
    with pytest.raises(ModeMismatch):
        hedged.place("buy", "market", "0.1")
    hedged.place("buy", "market", "0.1", position_side=Direction.LONG)
    hedged.place("sell", "market", "0.2", position_side=Direction.SHORT)
    hedged.place("buy", "stop", "0.2", trigger_price="51000", reduce_only=True, position_side=Direction.SHORT)
    assert [each.position_side for each in hedged.open()] == [Direction.SHORT]
    sandbox.price("BTC/USDT", "51000")
    assert [(each.direction, each.quantity) for each in hedged.positions()] == [
        (Direction.LONG, Decimal("0.1"))
    ]


@pytest.mark.parametrize("kind", ["market", "stop"])
def test_an_order_whose_answer_was_lost_is_found_by_its_client_id(sandbox, futures, cash, kind):
    for ours in (futures, cash):
        words = {"trigger_price": "51000"} if kind == "stop" else {}
        sandbox.fault("drop_after", venue=ours.venue.name, count=1)
        with pytest.raises(OutcomeUnknown):
            ours.place("buy", kind, "0.1", client_id="lost", **words)
        found = ours.venue.fetch(
            ours.keys, ours.instrument, OrderRef(client_id="lost", conditional=kind == "stop")
        )
        assert (found.type, found.client_id) == (OrderType(kind), "lost")
        assert found.status is (OrderStatus.FILLED if kind == "market" else OrderStatus.OPEN)


def test_everything_open_is_cancelled_at_once(futures, cash):
    for ours in (futures, cash):
        ours.place("buy", "limit", "0.1", price="40000")
        ours.place("buy", "stop", "0.1", trigger_price="51000")
        assert len(ours.open()) == 2
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
        ours.place("buy", "limit", "0.1", price="40000", client_id="twice")
        with pytest.raises(DuplicateOrder):
            ours.place("buy", "limit", "0.1", price="40000", client_id="twice")
        with pytest.raises(AuthRefused):
            ours.venue.key_info(Credentials("unknown", "secret", "word"))


def test_an_unlisted_symbol_has_no_quote(pool, cash):
    with pytest.raises(UnknownSymbol):
        cash.venue.quote(replace(cash.instrument, symbol="NO-COIN"))


def test_balances_free_less_what_orders_and_positions_hold(futures, cash):
    cash.place("buy", "limit", "0.1", price="40000")
    futures.place("sell", "limit", "0.1", price="60000", leverage="10")
    assert cash.venue.balances(cash.keys)["USDT"].free == Decimal(96000) - 4
    equity = futures.venue.balances(futures.keys)["USDT"]
    assert (equity.total, equity.free) == (Decimal(100_000), Decimal(100_000) - 600)
    info = futures.venue.key_info(futures.keys)
    assert (info.can_trade, info.can_withdraw, info.ip_locked) == (True, False, False)


def test_a_clock_ahead_of_the_exchange_is_measured_and_the_order_still_sent_once(sandbox, futures):
    futures.venue.clock.offset_ms += 20_000
    futures.place("buy", "market", "0.1", client_id="ahead")
    asked = [each["path"] for each in sandbox.state("KuCoin_F", futures.keys.key)["calls"]]
    assert asked.count("/api/v1/orders") == 2, "refused for its timestamp, then accepted"
    assert futures.positions()[0].quantity == Decimal("0.1")


def test_a_rate_refusal_is_a_definite_no_and_tells_how_long(sandbox, futures):
    sandbox.fault("throttle", venue="KuCoin_F", count=1)
    with pytest.raises(Throttled) as caught:
        futures.place("buy", "market", "0.1")
    assert caught.value.retry_after == 1.0
    assert sandbox.state("KuCoin_F", futures.keys.key)["orders"] == []


def test_a_batch_refused_for_the_margin_mode_is_placed_in_the_other(futures, swap):
    swap.set_margin_mode("cross", SWAP)
    orders = [
        futures.order("buy", "limit", "0.01", price="40000"),
        futures.order("buy", "limit", "0.02", price="41000"),
    ]
    told = futures.venue.place_many(futures.keys, orders)
    assert [type(each) for each in told] == [Report, Report]
    assert {each.quantity for each in futures.open()} == {Decimal("0.01"), Decimal("0.02")}


def test_a_spot_market_order_among_limit_orders_goes_out_alone(sandbox, cash):
    orders = [
        cash.order("buy", "limit", "0.01", price="40000"),
        cash.order("buy", "limit", "0.02", price="41000"),
        cash.order("buy", "market", "0.03"),
    ]
    told = cash.venue.place_many(cash.keys, orders)
    assert [each.status for each in told] == [OrderStatus.OPEN, OrderStatus.OPEN, OrderStatus.FILLED]
    asked = [each["path"] for each in sandbox.state("KuCoin", cash.keys.key)["calls"]]
    assert asked[-2:] == ["/api/v1/hf/orders/multi/sync", "/api/v1/hf/orders/sync"]


# -- what clients do beside -----------------------------------------------------------------------------------


def test_ccxt_asks_which_account_it_has(sandbox, keys):
    made = ccxt_client(sandbox, keys, "spot")
    made.options["uta"] = None
    assert made.is_uta_enabled() is False


def test_sdk_asks_which_account_it_has(official):
    assert official.accounts.get_account_mode().data["selfAccountMode"] == "CLASSIC"


def test_ccxt_spot_changes_an_order_and_reads_its_trades(spot):
    before = spot.create_order(SPOT, "limit", "buy", 0.1, 40000)
    after = spot.edit_order(before["id"], SPOT, "limit", "buy", 0.2, 39000)
    (found,) = spot.fetch_open_orders(SPOT)
    assert (found["id"], found["amount"], found["price"]) == (after["id"], 0.2, 39000)
    assert after["id"] != before["id"]
    bought = spot.create_order(SPOT, "market", "buy", 0.1)
    (trade,) = spot.fetch_my_trades(SPOT)
    assert (trade["order"], trade["amount"], trade["takerOrMaker"]) == (bought["id"], 0.1, "taker")
    assert trade["fee"] == {"cost": pytest.approx(5.00001), "currency": "USDT", "rate": 0.001}
    assert (
        spot.fetch_tickers()[SPOT]["ask"] == spot.fetch_order_book(SPOT, 20)["asks"][0][0] == trade["price"]
    )


def test_orders_of_the_classic_addresses_are_the_same_orders(spot):
    spot.load_markets()
    order = {"symbol": "BTC-USDT", "side": "buy", "type": "limit", "size": "0.1"}
    placed = spot.privatePostOrders({**order, "price": "40000", "clientOid": "classic"})["data"]["orderId"]
    row = spot.privateGetOrdersOrderId({"orderId": placed})["data"]
    assert (row["isActive"], row["clientOid"], row["price"]) == (True, "classic", "40000")
    assert spot.privateGetOrders({"status": "active"})["data"]["items"] == [row]
    assert spot.fetch_open_orders(SPOT)[0]["id"] == placed
    named = spot.privateDeleteOrderClientOrderClientOid({"clientOid": "classic"})["data"]
    assert named == {"cancelledOrderId": placed, "clientOid": "classic"}
    with pytest.raises(ccxt.BaseError, match="400100"):
        spot.privateDeleteOrdersOrderId({"orderId": placed})
    ids = [
        spot.privatePostOrders({**order, "price": price, "clientOid": price})["data"]["orderId"]
        for price in ("40000", "51000")
    ]
    assert spot.privateDeleteOrders({"symbol": "BTC-USDT"})["data"]["cancelledOrderIds"] == ids[:1]
    (fill,) = spot.privateGetFills({"tradeType": "TRADE"})["data"]["items"]
    assert fill["orderId"] == ids[1]


def test_ccxt_futures_entry_brings_its_stop_and_target_along(sandbox, swap):
    legs = {"stopLoss": {"triggerPrice": 49000}, "takeProfit": {"triggerPrice": 52000}}
    swap.create_order(SWAP, "limit", "buy", 10, 49500, {"leverage": 5, **legs})
    assert swap.fetch_open_orders(SWAP, params={"trigger": True}) == []
    sandbox.price(SPOT, 49500)
    waiting = swap.fetch_open_orders(SWAP, params={"trigger": True})
    assert {each["triggerPrice"]: each["amount"] for each in waiting} == {49000: 10, 52000: 10}
    sandbox.price(SPOT, 48990)
    assert swap.fetch_positions([SWAP]) == []
    (closed,) = swap.fetch_positions_history([SWAP])
    assert (closed["entryPrice"], closed["info"]["type"]) == (49500, "CLOSE_LONG")
    assert [each["side"] for each in swap.fetch_my_trades(SWAP)] == ["buy", "sell"]


def test_ccxt_futures_cancels_several_orders_and_closes_a_position(swap):
    ids = [swap.create_order(SWAP, "limit", "buy", 1, 40000, {"leverage": 5})["id"] for _ in range(2)]
    told = swap.futuresPrivateDeleteOrdersMultiCancel({"orderIdsList": [*ids, "7"]})["data"]
    assert [each["code"] for each in told] == ["200", "200", "100004"]
    swap.create_order(SWAP, "market", "buy", 10, None, {"leverage": 5})
    swap.close_position(SWAP)
    assert swap.fetch_positions([SWAP]) == []
    with pytest.raises(ccxt.BaseError, match="300009"):
        swap.close_position(SWAP)
