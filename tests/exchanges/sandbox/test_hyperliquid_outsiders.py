"""Hyperliquid in the sandbox, traded by ccxt, by the official kit and by our venues: three that agree."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import ccxt
import httpx
import pytest
from eth_account import Account
from hyperliquid.exchange import Exchange  # type: ignore[import-untyped]
from hyperliquid.info import Info  # type: ignore[import-untyped]
from hyperliquid.utils.types import Cloid  # type: ignore[import-untyped]

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
    WouldTrigger,
)
from exchanges.pool import Pool
from exchanges.types import (
    Credentials,
    Direction,
    Environment,
    Legs,
    MarginMode,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Position,
    Report,
    Side,
    TimeInForce,
)
from tests.exchanges.conftest import Sandbox

SPOT, SWAP = "BTC/USDC", "BTC/USDC:USDC"
COIN, PAIR = "BTC", "UBTC/USDC"


@pytest.fixture
def keys(sandbox: Sandbox) -> dict[str, str]:
    return sandbox.account("hyperliquid", balances={"USDC": "100000", "BTC": "2"})


# -- ccxt --------------------------------------------------------------------------------------------------


def ccxt_client(sandbox: Sandbox, keys: dict[str, str], kind: str = "swap") -> Any:
    made = ccxt.hyperliquid(
        {"walletAddress": keys["key"], "privateKey": keys["secret"], "enableRateLimit": False}
    )
    made.options |= {"defaultType": kind, "builderFee": False, "refSet": True}
    made.options["fetchMarkets"] = {"types": ["spot", "swap"]}
    host = sandbox.venue("Hyperliquid_F" if kind == "swap" else "Hyperliquid")
    made.urls["api"] = dict.fromkeys(made.urls["api"], host)
    return made


@pytest.fixture
def swap(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    return ccxt_client(sandbox, keys)


@pytest.fixture
def spot(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    return ccxt_client(sandbox, keys, "spot")


def test_ccxt_loads_markets_with_steps_ticks_and_leverages(swap):
    markets = swap.load_markets()
    assert markets[SWAP]["precision"] == {"amount": 1e-05, "price": 1.0}
    assert (markets[SWAP]["baseId"], markets[SWAP]["limits"]["leverage"]["max"]) == ("0", 40)
    assert (markets[SPOT]["id"], markets[SPOT]["baseId"]) == ("@142", "10142")
    assert {"ETH/USDC:USDC", "SOL/USDC", "BTC/USDT"} <= set(markets)
    assert abs(swap.fetch_time() - time.time() * 1000) < 60_000
    assert swap.fetch_order_book(SWAP)["asks"][0][0] == 50001


def test_ccxt_market_order_fills_and_makes_a_position(swap):
    order = swap.create_order(SWAP, "market", "buy", 0.1, 50000)
    assert (order["filled"], order["average"]) == (0.1, 50001)
    found = swap.fetch_order(order["id"], SWAP)
    assert (found["status"], found["filled"]) == ("closed", 0.1)
    (position,) = swap.fetch_positions([SWAP])
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 0.1, 50001)
    (trade,) = swap.fetch_my_trades(SWAP)
    assert (trade["order"], trade["price"], trade["fee"]["currency"]) == (order["id"], 50001, "USDC")
    assert swap.fetch_balance()["USDC"]["total"] == pytest.approx(100_000, rel=0.001)


def test_ccxt_limit_order_rests_is_found_and_cancelled(swap):
    cloid = "0x" + "ab" * 16
    order = swap.create_order(SWAP, "limit", "buy", 0.1, 40000, {"clientOrderId": cloid})
    (listed,) = swap.fetch_open_orders(SWAP)
    assert (listed["id"], listed["clientOrderId"], listed["price"]) == (order["id"], cloid, 40000)
    assert swap.fetch_order(order["id"], SWAP, {"clientOrderId": cloid})["status"] == "open"
    swap.cancel_order(order["id"], SWAP)
    assert swap.fetch_order(order["id"], SWAP)["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound):
        swap.cancel_order(order["id"], SWAP)


def test_ccxt_stop_and_take_profit_wait_and_fire(sandbox, swap):
    swap.create_order(SWAP, "market", "buy", 0.2, 50000)
    reduce = {"reduceOnly": True}
    stop = swap.create_order(SWAP, "market", "sell", 0.1, 49000, {"stopLossPrice": 49000, **reduce})
    take = swap.create_order(SWAP, "market", "sell", 0.1, 52000, {"takeProfitPrice": 52000, **reduce})
    listed = {each["id"]: each for each in swap.fetch_open_orders(SWAP)}
    assert listed[stop["id"]]["stopLossPrice"] == 49000
    assert listed[take["id"]]["takeProfitPrice"] == 52000
    sandbox.price("BTC/USDC", 52000)
    sandbox.price("BTC/USDC", 48990)
    assert [swap.fetch_order(each["id"], SWAP)["status"] for each in (stop, take)] == ["closed"] * 2
    assert swap.fetch_positions([SWAP]) == []


def test_ccxt_attached_stop_and_target_end_each_other(sandbox, swap):
    legs = {
        "stopLoss": {"triggerPrice": 49000, "type": "market"},
        "takeProfit": {"triggerPrice": 52000, "type": "market"},
    }
    swap.create_order(SWAP, "market", "buy", 0.1, 50000, legs)
    assert len(swap.fetch_open_orders(SWAP)) == 2
    sandbox.price("BTC/USDC", 52000)
    assert (swap.fetch_open_orders(SWAP), swap.fetch_positions([SWAP])) == ([], [])


def test_ccxt_places_orders_of_several_kinds_in_one_action(swap):
    swap.create_order(SWAP, "market", "buy", 0.1, 50000)
    closing = {"symbol": SWAP, "side": "sell", "amount": 0.1}
    stop = closing | {
        "type": "market",
        "price": 49000,
        "params": {"stopLossPrice": 49000, "reduceOnly": True},
    }
    limit = closing | {"type": "limit", "price": 52000, "params": {"reduceOnly": True}}
    told = swap.create_orders([stop, limit])
    assert {each["id"] for each in swap.fetch_open_orders(SWAP)} == {each["id"] for each in told}


def test_ccxt_sets_leverage_and_margin_mode(swap):
    swap.set_leverage(7, SWAP, {"marginMode": "isolated"})
    swap.create_order(SWAP, "market", "buy", 0.1, 50000)
    (position,) = swap.fetch_positions([SWAP])
    assert (position["leverage"], position["marginMode"]) == (7, "isolated")
    with pytest.raises(ccxt.ExchangeError, match="leverage"):
        swap.set_leverage(100, SWAP)


def test_ccxt_spot_trades_and_pays_its_fee_in_coins(spot):
    order = spot.create_order(SPOT, "market", "buy", 0.1, 50000)
    assert (order["filled"], order["average"]) == (0.1, 50001)
    assert spot.fetch_balance()["BTC"]["total"] == pytest.approx(2.1 - 0.1 * 0.0007)
    rests = spot.create_order(SPOT, "limit", "sell", 0.5, 60000)
    assert spot.fetch_balance()["BTC"]["used"] == 0.5
    spot.cancel_order(rests["id"], SPOT)
    assert spot.fetch_open_orders(SPOT) == []


def test_ccxt_gets_the_original_refusals(sandbox, swap, spot, keys):
    swap.load_markets()
    with pytest.raises(ccxt.InsufficientFunds):
        swap.create_order(SWAP, "limit", "buy", 100, 40000)
    with pytest.raises(ccxt.InsufficientFunds):
        spot.create_order(SPOT, "limit", "buy", 10, 40000)
    with pytest.raises(ccxt.InvalidOrder, match="Reduce only"):
        swap.create_order(SWAP, "market", "sell", 0.1, 50000, {"reduceOnly": True})
    with pytest.raises(ccxt.InvalidOrder, match="Post only"):
        swap.create_order(SWAP, "limit", "buy", 0.1, 51000, {"postOnly": True})
    with pytest.raises(ccxt.InvalidOrder, match="minimum value"):
        swap.create_order(SWAP, "limit", "buy", 0.0001, 40000)
    with pytest.raises(ccxt.InvalidOrder, match="immediately match"):
        swap.create_order(SWAP, "limit", "buy", 0.1, 40000, {"timeInForce": "IOC"})
    with pytest.raises(ccxt.OrderNotFound):
        swap.fetch_order("12345", SWAP)
    stranger = ccxt_client(sandbox, {**keys, "secret": "0x" + "12" * 32})
    with pytest.raises(ccxt.ExchangeError, match="does not exist"):
        stranger.create_order(SWAP, "market", "buy", 0.1, 50000)


def test_ccxt_changes_orders_and_the_old_ones_end(swap):
    order = swap.create_order(SWAP, "limit", "buy", 0.1, 40000)
    changed = swap.edit_order(order["id"], SWAP, "limit", "buy", 0.2, 41000)
    (left,) = swap.fetch_open_orders(SWAP)
    assert (left["id"], left["price"], left["amount"]) == (changed["id"], 41000, 0.2)
    assert swap.fetch_order(order["id"], SWAP)["status"] == "canceled"
    with pytest.raises(ccxt.ExchangeError, match="Cannot modify canceled or filled order"):
        swap.edit_order(order["id"], SWAP, "limit", "buy", 0.2, 41000)
    assert swap.fetch_trading_fee(SWAP)["taker"] == 0.00045
    swap.create_order(SWAP, "market", "buy", 0.1, 50000)
    swap.create_order(SWAP, "market", "sell", 0.1, 50000, {"reduceOnly": True})
    told = [(each["info"]["dir"], each["info"]["twapId"]) for each in swap.fetch_my_trades(SWAP)]
    assert told == [("Open Long", None), ("Close Long", None)]


# -- the official kit ----------------------------------------------------------------------------------------


@pytest.fixture
def kit(sandbox: Sandbox, keys: dict[str, str]) -> Iterator[tuple[Any, Any]]:
    """Acting and asking, on perpetuals."""
    url = sandbox.venue("Hyperliquid_F")
    acting = Exchange(Account.from_key(keys["secret"]), url, account_address=keys["key"])
    asking = Info(url, skip_ws=True)
    yield acting, asking
    for each in (acting, acting.info, asking):
        each.session.close()


def statuses(answer: Any) -> list[Any]:
    assert answer["status"] == "ok", answer
    found: list[Any] = answer["response"]["data"]["statuses"]
    return found


def test_the_kit_opens_and_closes_at_market(kit, keys):
    acting, asking = kit
    (opened,) = statuses(acting.market_open(COIN, True, 0.1))
    assert opened["filled"]["avgPx"] == "50001"
    (held,) = asking.user_state(keys["key"])["assetPositions"]
    assert (held["position"]["coin"], held["position"]["szi"]) == (COIN, "0.1")
    (closed,) = statuses(acting.market_close(COIN))
    assert closed["filled"]["avgPx"] == "50000"
    state = asking.user_state(keys["key"])
    assert state["assetPositions"] == []
    assert float(state["withdrawable"]) == pytest.approx(100_000, rel=0.001)
    assert [each["oid"] for each in asking.user_fills(keys["key"])] == [
        closed["filled"]["oid"],
        opened["filled"]["oid"],
    ]


def test_the_kit_rests_queries_changes_its_mind_and_cancels(kit, keys):
    acting, asking = kit
    cloid = Cloid.from_int(7)
    (told,) = statuses(acting.order(COIN, True, 0.1, 40000, {"limit": {"tif": "Gtc"}}, cloid=cloid))
    found = asking.query_order_by_cloid(keys["key"], cloid)
    assert (found["status"], found["order"]["status"]) == ("order", "open")
    assert found["order"]["order"]["oid"] == told["resting"]["oid"]
    assert statuses(acting.cancel_by_cloid(COIN, cloid)) == ["success"]
    assert asking.query_order_by_oid(keys["key"], told["resting"]["oid"])["order"]["status"] == "canceled"
    assert "error" in statuses(acting.cancel(COIN, told["resting"]["oid"]))[0]
    assert asking.query_order_by_oid(keys["key"], 1) == {"status": "unknownOid"}


def test_the_kit_places_a_stop_that_fires(sandbox, kit, keys):
    acting, asking = kit
    acting.market_open(COIN, True, 0.1)
    trigger = {"trigger": {"triggerPx": 49000, "isMarket": True, "tpsl": "sl"}}
    (told,) = statuses(acting.order(COIN, False, 0.1, 45000, trigger, reduce_only=True))
    (listed,) = asking.frontend_open_orders(keys["key"])
    assert (listed["orderType"], listed["triggerPx"], listed["isTrigger"]) == ("Stop Market", "49000", True)
    sandbox.price("BTC/USDC", 48990)
    assert asking.query_order_by_oid(keys["key"], told["resting"]["oid"])["order"]["status"] == "filled"
    assert asking.user_state(keys["key"])["assetPositions"] == []


def test_the_kit_is_told_of_each_order_of_a_batch(kit, keys):
    acting, asking = kit
    limit = {"coin": COIN, "is_buy": True, "sz": 0.1, "limit_px": 40000, "reduce_only": False}
    limit["order_type"] = {"limit": {"tif": "Gtc"}}
    told = statuses(acting.bulk_orders([limit, limit | {"sz": 0.0001}, limit | {"limit_px": 41000}]))
    assert [next(iter(each)) for each in told] == ["resting", "error", "resting"]
    resting = {each["resting"]["oid"] for each in (told[0], told[2])}
    assert {each["oid"] for each in asking.open_orders(keys["key"])} == resting


def test_the_kit_sets_leverage_and_trades_spot(sandbox, kit, keys):
    acting, asking = kit
    assert acting.update_leverage(9, COIN, is_cross=False)["status"] == "ok"
    (bought,) = statuses(acting.market_open(PAIR, True, 0.1))
    assert bought["filled"]["totalSz"] == "0.1"
    held = {each["coin"]: float(each["total"]) for each in asking.spot_user_state(keys["key"])["balances"]}
    assert held["UBTC"] == pytest.approx(2.1 - 0.1 * 0.0007)


def test_an_action_is_taken_once(sandbox, kit, keys):
    """Sent again with the nonce it had."""
    acting, _ = kit
    seen: list[Any] = []
    post = acting.post

    def keeping(path: str, payload: Any) -> Any:
        seen.append(payload)
        return post(path, payload)

    acting.post = keeping
    acting.market_open(COIN, True, 0.1)
    again = httpx.post(f"{sandbox.venue('Hyperliquid_F')}/exchange", json=seen[-1]).json()
    assert again["status"] == "err"
    assert "nonce" in again["response"]


# -- our own venues ----------------------------------------------------------------------------------------


class Ours:
    """One of our venues with a key, and shorthands for its calls."""

    def __init__(self, pool: Pool, name: str, keys: dict[str, str]) -> None:
        self.connection = pool.connection(name, Environment.SANDBOX)
        self.connection.refresh()
        self.venue = self.connection.venue
        self.instrument = self.connection.table.find("BTCUSDC")
        self.keys = Credentials(keys["key"], keys["secret"])
        self.placed = 0

    def request(self, side: str, kind: str, quantity: str, **words: Any) -> OrderRequest:
        self.placed += 1
        numbers: dict[str, Any] = {
            name: Decimal(words.pop(name)) for name in ("price", "trigger_price") if name in words
        }
        return OrderRequest(
            instrument=self.instrument,
            client_id=self.venue.client_id(words.pop("token", f"{self.placed:026d}")),
            side=Side(side),
            type=OrderType(kind),
            quantity=Decimal(quantity),
            **numbers,
            **words,
        )

    def place(self, side: str, kind: str, quantity: str, **words: Any) -> Report:
        return self.venue.place(self.keys, self.request(side, kind, quantity, **words))

    def fetch(self, report: Report) -> Report:
        return self.venue.fetch(self.keys, self.instrument, report.ref)

    def open(self) -> list[Report]:
        return self.venue.open_orders(self.keys, self.instrument)

    def positions(self) -> list[Position]:
        return self.venue.positions(self.keys, self.instrument)

    def pair(self) -> tuple[Report, Report]:
        stop = self.request("sell", "stop", "0.1", trigger_price="49000", reduce_only=True)
        target = self.request("sell", "take_profit", "0.1", trigger_price="52000", reduce_only=True)
        return self.venue.protect(self.keys, Legs(stop, target))


@pytest.fixture
def cash(pool: Pool, keys: dict[str, str]) -> Ours:
    return Ours(pool, "Hyperliquid", keys)


@pytest.fixture
def futures(pool: Pool, keys: dict[str, str]) -> Ours:
    return Ours(pool, "Hyperliquid_F", keys)


def test_an_order_is_one_request_and_tells_its_fill(sandbox, futures):
    report = futures.place("sell", "market", "0.1")
    assert (report.status, report.average_price) == (OrderStatus.FILLED, Decimal(50000))
    calls = sandbox.state("Hyperliquid_F", futures.keys.key)["calls"]
    assert [each["path"] for each in calls] == ["/exchange"]
    (position,) = futures.positions()
    assert (position.direction, position.quantity) == (Direction.SHORT, Decimal("0.1"))


def test_a_fill_is_found_with_its_price_and_fee(futures, cash):
    found = futures.fetch(futures.place("buy", "market", "0.1"))
    assert found.fee is not None
    assert (found.average_price, found.fee.asset, found.fee.amount) == (
        Decimal(50001),
        "USDC",
        Decimal("0.1") * 50001 * Decimal("0.00045"),
    )
    spot = cash.fetch(cash.place("buy", "market", "0.1"))
    assert spot.fee is not None
    assert (spot.fee.asset, spot.fee.amount) == ("BTC", Decimal("0.00007"))


def test_protection_of_a_position_runs_to_its_end(sandbox, futures):
    """Entry, stop and target placed as a pair, the price moves, the target fills, and the exchange ends the stop."""
    futures.place("buy", "market", "0.1")
    stop, target = futures.pair()
    assert {each.client_id: each.type for each in futures.open()} == {
        stop.client_id: OrderType.STOP,
        target.client_id: OrderType.TAKE_PROFIT,
    }
    sandbox.price("BTC/USDC", "52000")
    filled, ended = futures.fetch(target), futures.fetch(stop)
    assert (filled.status, filled.average_price) == (OrderStatus.FILLED, Decimal(52000))
    assert (ended.status, ended.reason) == (OrderStatus.CANCELLED, "siblingFilledCanceled")
    assert (futures.open(), futures.positions()) == ([], [])


def test_a_pair_whose_answer_was_lost_is_found_by_its_client_ids(sandbox, futures):
    futures.place("buy", "market", "0.1")
    sandbox.fault("drop_after", venue="Hyperliquid_F", count=1)
    with pytest.raises(OutcomeUnknown):
        futures.pair()
    asked = [OrderRef(futures.venue.client_id(f"{number:026d}"), conditional=True) for number in (2, 3)]
    found = [futures.venue.fetch(futures.keys, futures.instrument, each) for each in asked]
    assert [each.type for each in found] == [OrderType.STOP, OrderType.TAKE_PROFIT]


def test_stop_and_targets_go_out_in_one_request_and_a_refused_one_leaves_the_others(sandbox, futures):
    futures.place("buy", "market", "0.1")
    orders = [
        futures.request("sell", "stop", "0.1", trigger_price="49000", reduce_only=True),
        futures.request("sell", "limit", "0.0001", price="51000", reduce_only=False),
        futures.request("sell", "take_profit", "0.05", trigger_price="52000", reduce_only=True),
    ]
    told = futures.venue.place_many(futures.keys, orders)
    assert [type(each) for each in told] == [Report, InvalidOrder, Report]
    assert {each.client_id for each in futures.open()} == {orders[0].client_id, orders[2].client_id}
    calls = sandbox.state("Hyperliquid_F", futures.keys.key)["calls"]
    assert sum(each["path"] == "/exchange" for each in calls) == 2


def test_a_batch_whose_answer_was_lost_is_found_by_its_client_ids_and_not_sent_again(sandbox, futures):
    futures.place("buy", "market", "0.1")
    sandbox.fault("drop_after", venue="Hyperliquid_F", path="exchange", count=1)
    orders = [
        futures.request("sell", "stop", "0.1", trigger_price="49000", reduce_only=True),
        futures.request("sell", "take_profit", "0.1", trigger_price="52000", reduce_only=True),
    ]
    told = futures.venue.place_many(futures.keys, orders)
    assert [type(each) for each in told] == [OutcomeUnknown, OutcomeUnknown]
    asked = [OrderRef(order.client_id, conditional=True) for order in orders]
    found = [futures.venue.fetch(futures.keys, futures.instrument, each) for each in asked]
    assert [each.status for each in found] == [OrderStatus.OPEN, OrderStatus.OPEN]
    assert len(futures.open()) == 2


def test_a_leg_that_is_cancelled_leaves_the_other(futures):
    futures.place("buy", "market", "0.1")
    stop, target = futures.pair()
    futures.venue.cancel(futures.keys, futures.instrument, target.ref)
    assert [each.client_id for each in futures.open()] == [stop.client_id]


def test_a_pair_without_a_position_is_refused_whole(futures):
    with pytest.raises(NothingToReduce):
        futures.pair()
    assert futures.open() == []


def test_protection_of_coins_runs_to_its_end(sandbox, cash):
    cash.place("buy", "market", "0.1")
    stop = cash.place("sell", "stop", "0.1", trigger_price="49000")
    target = cash.place("sell", "take_profit_limit", "0.1", trigger_price="52000", price="51990")
    sandbox.price("BTC/USDC", "52000")
    filled = cash.fetch(target)
    assert (filled.status, filled.type, filled.average_price) == (
        OrderStatus.FILLED,
        OrderType.TAKE_PROFIT_LIMIT,
        Decimal(52000),
    )
    assert [each.client_id for each in cash.venue.open_orders(cash.keys)] == [stop.client_id]
    cash.venue.cancel(cash.keys, cash.instrument, stop.ref)
    assert cash.open() == []


def test_both_products_list_only_their_own_orders(futures, cash):
    futures.place("buy", "limit", "0.1", price="40000")
    cash.place("buy", "limit", "0.1", price="41000")
    assert [each.price for each in futures.venue.open_orders(futures.keys)] == [Decimal(40000)]
    assert [each.price for each in cash.venue.open_orders(cash.keys)] == [Decimal(41000)]


@pytest.mark.parametrize("kind", ["market", "stop"])
def test_an_order_whose_answer_was_lost_is_found_by_its_client_id(sandbox, futures, cash, kind):
    for ours in (futures, cash):
        words = {"trigger_price": "51000"} if kind == "stop" else {}
        sandbox.fault("drop_after", venue=ours.venue.name, count=1)
        with pytest.raises(OutcomeUnknown):
            ours.place("buy", kind, "0.1", **words)
        ref = OrderRef(ours.venue.client_id(f"{1:026d}"), conditional=kind == "stop")
        found = ours.venue.fetch(ours.keys, ours.instrument, ref)
        assert found.status is (OrderStatus.FILLED if kind == "market" else OrderStatus.OPEN)


def test_an_immediate_order_is_filled_in_part_and_its_rest_is_gone(sandbox, futures):
    sandbox.fault("partial_fill", venue="Hyperliquid_F", count=1)
    report = futures.place("buy", "market", "0.1")
    assert (report.status, report.filled, report.average_price) == (
        OrderStatus.CANCELLED,
        Decimal("0.05"),
        Decimal(50001),
    )
    assert futures.fetch(report).filled == Decimal("0.05")


def test_a_market_order_does_not_pay_more_than_its_bound(sandbox, futures):
    sandbox.price("BTC/USDC", "53000")
    with pytest.raises(InvalidOrder) as caught:
        futures.place("buy", "market", "0.1")
    assert caught.value.code == "IocCancel"
    futures.connection.refresh()
    assert futures.place("buy", "market", "0.1").average_price == Decimal(53001)


def test_leverage_and_margin_mode_are_set_together_and_one_by_one(futures):
    futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(12), MarginMode.ISOLATED)
    futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(8), None)
    futures.place("buy", "market", "0.1")
    (position,) = futures.positions()
    assert (position.leverage, position.margin_mode) == (Decimal(8), MarginMode.ISOLATED)
    with pytest.raises(InvalidOrder):
        futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(8), MarginMode.CROSS)


def test_refusals_have_our_classes(futures, cash):
    with pytest.raises(NothingToReduce):
        futures.place("sell", "market", "0.1", reduce_only=True)
    with pytest.raises(WouldTrigger):
        futures.place("sell", "stop", "0.1", trigger_price="51000")
    for ours in (futures, cash):
        with pytest.raises(PostOnlyRefused):
            ours.place("buy", "limit", "0.1", price="51000", post_only=True)
        with pytest.raises(InvalidOrder):
            ours.place("buy", "limit", "0.0001", price="40000")
        with pytest.raises(InvalidOrder):
            ours.place("buy", "limit", "0.1", price="40000", time_in_force=TimeInForce.IOC)
        with pytest.raises(InsufficientFunds):
            ours.place("buy", "limit", "100", price="45000")
        ours.place("buy", "limit", "0.1", price="40000", token="T" * 26)
        with pytest.raises(DuplicateOrder):
            ours.place("buy", "limit", "0.1", price="40000", token="T" * 26)
        with pytest.raises(OrderNotFound):
            ours.venue.fetch(ours.keys, ours.instrument, OrderRef("0x" + "9" * 32))


def test_keys_tell_what_they_may(sandbox, futures):
    info = futures.venue.key_info(futures.keys)
    assert (info.can_trade, info.can_withdraw, info.ip_locked) == (True, False, False)
    assert info.expires is not None
    other = sandbox.account("hyperliquid")
    for wrong in (
        Credentials(futures.keys.key, other["secret"]),
        Credentials("0x" + "12" * 20, futures.keys.secret),
        Credentials(futures.keys.key, "0x" + "12" * 32),
    ):
        with pytest.raises(AuthRefused):
            futures.venue.key_info(wrong)
    stranger = Credentials(futures.keys.key, "0x" + "12" * 32)
    with pytest.raises(AuthRefused):
        futures.venue.place(stranger, futures.request("buy", "market", "0.1"))


def test_balances_are_free_less_what_orders_and_positions_hold(futures, cash):
    cash.place("buy", "limit", "0.1", price="40000")
    held = cash.venue.balances(cash.keys)
    assert held["USDC"].free == Decimal(96000)
    assert held["BTC"].total == Decimal(2)
    futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(10), MarginMode.CROSS)
    futures.place("sell", "market", "0.1")
    equity = futures.venue.balances(futures.keys)["USDC"]
    fee = Decimal("0.1") * 50000 * Decimal("0.00045")
    assert (equity.total, equity.free) == (Decimal(100_000) - fee, Decimal(100_000) - fee - 500)


def test_a_clock_that_is_days_off_is_measured_and_the_order_sent_once(sandbox, futures):
    futures.venue.clock.offset_ms -= 3 * 86_400_000
    futures.place("buy", "market", "0.1")
    assert futures.positions()[0].quantity == Decimal("0.1")


def test_a_rate_refusal_is_a_definite_no(sandbox, futures):
    sandbox.fault("throttle", venue="Hyperliquid_F", count=1)
    with pytest.raises(Throttled):
        futures.place("buy", "market", "0.1")
    assert sandbox.state("Hyperliquid_F", futures.keys.key)["orders"] == []
