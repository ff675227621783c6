"""Bybit in the sandbox, traded by ccxt, by pybit (Bybit's own client) and by our venues: three that agree."""

from decimal import Decimal
from typing import Any
from urllib.parse import quote

import ccxt
import pytest
from pybit.exceptions import InvalidRequestError
from pybit.unified_trading import HTTP

from exchanges.errors import (
    AuthRefused,
    DuplicateOrder,
    InsufficientFunds,
    InvalidOrder,
    ModeMismatch,
    NothingToReduce,
    OrderNotFound,
    OutcomeUnknown,
    Refused,
    Throttled,
    WouldTrigger,
)
from exchanges.types import (
    Credentials,
    Direction,
    MarginMode,
    OrderRef,
    OrderStatus,
    OrderType,
    PositionMode,
    Report,
)
from tests.exchanges.conftest import Sandbox
from tests.exchanges.sandbox.ours import Ours

SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"


@pytest.fixture
def keys(sandbox):
    return sandbox.account("bybit", balances={"USDT": "100000", "BTC": "2"})


# -- ccxt --------------------------------------------------------------------------------------------------


def ccxt_client(sandbox: Sandbox, keys: dict[str, str], kind: str) -> Any:
    made = ccxt.bybit({"apiKey": keys["key"], "secret": keys["secret"], "enableRateLimit": False})
    made.options["defaultType"] = kind
    made.urls["api"] = dict.fromkeys(
        made.urls["api"], sandbox.venue("ByBit" if kind == "spot" else "ByBit_F")
    )
    return made


@pytest.fixture
def spot(sandbox, keys):
    return ccxt_client(sandbox, keys, "spot")


@pytest.fixture
def swap(sandbox, keys):
    return ccxt_client(sandbox, keys, "swap")


def test_ccxt_loads_markets_with_steps_ticks_and_minima(swap):
    markets = swap.load_markets()
    assert markets[SPOT]["precision"]["amount"] == 1e-06
    assert markets[SPOT]["limits"]["cost"]["min"] == 5
    assert markets[SWAP]["precision"]["price"] == 0.1
    assert markets[SWAP]["limits"]["amount"]["min"] == 0.001
    assert markets[SWAP]["limits"]["leverage"]["max"] == 100
    assert {"ETH/USDT", "SOL/USDT:USDT", "BTC/USDC:USDC"} <= set(markets)
    assert swap.fetch_time() > 1_700_000_000_000
    assert swap.fetch_ticker(SWAP)["last"] == 50000


def test_ccxt_spot_market_buy_is_acknowledged_then_fills_and_pays_its_fee_in_coins(spot):
    order = spot.create_order(SPOT, "market", "buy", 0.1)
    assert order["status"] is None, "Bybit's answer tells only the id"
    found = spot.fetch_closed_order(order["id"], SPOT)
    assert (found["status"], found["filled"], found["average"]) == ("closed", 0.1, 50000.01)
    assert found["fee"] == {"cost": 0.0001, "currency": "BTC"}
    assert spot.fetch_balance()["BTC"]["total"] == pytest.approx(2.0999)


def test_ccxt_spot_market_buy_by_cost_spends_that_much(spot):
    order = spot.create_market_buy_order_with_cost(SPOT, 1000)
    assert spot.fetch_closed_order(order["id"], SPOT)["cost"] == pytest.approx(1000, abs=0.06)


def test_ccxt_spot_limit_order_rests_locks_and_is_cancelled(spot):
    order = spot.create_order(SPOT, "limit", "buy", 0.1, 40000)
    assert [each["id"] for each in spot.fetch_open_orders(SPOT)] == [order["id"]]
    assert spot.fetch_balance()["USDT"]["total"] == 100000
    spot.cancel_order(order["id"], SPOT)
    assert spot.fetch_open_orders(SPOT) == []
    assert spot.fetch_canceled_orders(SPOT)[0]["status"] == "canceled"


def test_ccxt_spot_stop_and_target_wait_side_by_side_and_fire_on_their_own_sides(sandbox, spot):
    stop = spot.create_order(SPOT, "market", "sell", 2, None, {"triggerPrice": 45000})
    target = spot.create_order(SPOT, "limit", "sell", 2, 55000, {"triggerPrice": 54000})
    assert {each["triggerPrice"] for each in spot.fetch_open_orders(SPOT)} == {45000, 54000}
    spot.cancel_order(target["id"], SPOT, {"orderFilter": "StopOrder"})
    sandbox.price(SPOT, 44990)
    found = spot.fetch_closed_order(stop["id"], SPOT)
    assert (found["status"], found["average"]) == ("closed", 44990)


def test_ccxt_futures_market_order_opens_a_position_with_its_leverage(swap):
    swap.set_leverage(5, SWAP)
    swap.create_order(SWAP, "market", "buy", 0.1)
    position = swap.fetch_position(SWAP)
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 0.1, 50000.1)
    assert position["leverage"] == 5
    assert [each["symbol"] for each in swap.fetch_positions()] == [SWAP]
    with pytest.raises(ccxt.BadRequest, match="110043"):
        swap.set_leverage(5, SWAP)


def test_ccxt_futures_stop_fires_and_a_plain_conditional_outlives_its_position(sandbox, swap):
    swap.create_order(SWAP, "market", "buy", 0.1)
    stop = swap.create_order(SWAP, "market", "sell", 0.1, None, {"stopLossPrice": 49000})
    target = swap.create_order(SWAP, "market", "sell", 0.1, None, {"takeProfitPrice": 52000})
    assert {each["id"] for each in swap.fetch_open_orders(SWAP)} == {stop["id"], target["id"]}
    sandbox.price(SPOT, 48999)
    assert swap.fetch_position(SWAP)["contracts"] == 0
    assert swap.fetch_closed_order(stop["id"], SWAP)["average"] == 48999
    assert [each["id"] for each in swap.fetch_open_orders(SWAP)] == [target["id"]]
    swap.cancel_order(target["id"], SWAP)
    assert swap.fetch_open_orders(SWAP) == []


def test_ccxt_position_stop_and_target_are_one_pair(sandbox, swap):
    swap.create_order(SWAP, "market", "buy", 0.1)
    swap.create_order(SWAP, "market", "sell", 0.1, None, {"stopLossPrice": 49000, "takeProfitPrice": 52000})
    kinds = {each["info"]["stopOrderType"] for each in swap.fetch_open_orders(SWAP)}
    assert kinds == {"PartialStopLoss", "PartialTakeProfit"}
    sandbox.price(SPOT, 52000)
    assert swap.fetch_open_orders(SWAP) == []
    assert swap.fetch_position(SWAP)["contracts"] == 0


def test_ccxt_cancels_all_orders_of_a_symbol(swap):
    for price in (40000, 41000):
        swap.create_order(SWAP, "limit", "buy", 0.1, price)
    assert len(swap.cancel_all_orders(SWAP)) == 2
    assert swap.fetch_open_orders(SWAP) == []


def test_ccxt_gets_the_original_refusals(sandbox, swap, spot, keys):
    with pytest.raises(ccxt.InsufficientFunds, match="110007"):
        swap.create_order(SWAP, "limit", "buy", 100, 40000)
    with pytest.raises(ccxt.InvalidOrder, match="110094"):
        swap.create_order("DOGE/USDT:USDT", "limit", "buy", 1, 0.09)
    with pytest.raises(ccxt.InvalidOrder, match="110017"):
        swap.create_order(SWAP, "market", "sell", 0.1, None, {"reduceOnly": True})
    with pytest.raises(ccxt.OrderNotFound):
        swap.cancel_order("no-such-order", SWAP)
    with pytest.raises(ccxt.InsufficientFunds, match="170131"):
        spot.create_order(SPOT, "limit", "buy", 10, 40000)
    with pytest.raises(ccxt.InvalidOrder, match="170140"):
        spot.create_order(SPOT, "limit", "buy", 0.0001, 40000)
    with pytest.raises(ccxt.AuthenticationError, match="10004"):
        ccxt_client(sandbox, {**keys, "secret": "wrong"}, "swap").fetch_balance()
    with pytest.raises(ccxt.AuthenticationError, match="10003"):
        ccxt_client(sandbox, {"key": "k", "secret": "s"}, "swap").fetch_balance()


def test_ccxt_is_refused_for_a_stale_timestamp(swap):
    swap.nonce = lambda: swap.milliseconds() - 60_000
    with pytest.raises(ccxt.InvalidNonce, match="10002"):
        swap.fetch_balance()


def test_ccxt_places_several_orders_in_one_request_and_is_told_of_each_refusal(swap):
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
    assert [each["info"].get("code", 0) != 0 for each in told] == [False, True, False]
    assert {each["id"] for each in swap.fetch_open_orders(SWAP)} == {told[0]["id"], told[2]["id"]}


# -- pybit -------------------------------------------------------------------------------------------------


@pytest.fixture
def pybit(sandbox, keys):
    session = HTTP(api_key=keys["key"], api_secret=keys["secret"], max_retries=1)
    session.endpoint = sandbox.venue("ByBit_F")
    with session.client:
        yield session


def place(pybit: Any, category: str = "linear", **words: Any) -> Any:
    return pybit.place_order(category=category, symbol="BTCUSDT", **words)["result"]["orderId"]


def orders(pybit: Any, category: str = "linear", **words: Any) -> Any:
    return pybit.get_open_orders(category=category, symbol="BTCUSDT", **words)["result"]["list"]


@pytest.mark.parametrize("sent", [str, quote])
def test_pybit_reads_instruments_page_by_page(pybit, sent):
    """The cursor comes encoded; some clients encode it once more."""
    seen, cursor = [], ""
    while True:
        page = pybit.get_instruments_info(category="linear", limit=3, cursor=sent(cursor))["result"]
        seen += [each["symbol"] for each in page["list"]]
        if not (cursor := page["nextPageCursor"]):
            break
    assert len(seen) == len(set(seen)) == 7
    assert pybit.get_tickers(category="linear", symbol="BTCPERP")["result"]["list"][0]["markPrice"] == "50000"
    assert (
        pybit.get_instruments_info(category="spot", symbol="BTCUSDT")["result"]["list"][0]["status"]
        == "Trading"
    )


def test_pybit_opens_protects_and_closes_a_position(sandbox, pybit):
    pybit.set_leverage(category="linear", symbol="BTCUSDT", buyLeverage="20", sellLeverage="20")
    place(pybit, side="Buy", orderType="Market", qty="0.05", orderLinkId="entry-1")
    pybit.set_trading_stop(
        category="linear", symbol="BTCUSDT", tpslMode="Partial", positionIdx=0,
        stopLoss="49000", takeProfit="51000", slSize="0.05", tpSize="0.05",
    )  # fmt: skip
    assert {each["stopOrderType"] for each in orders(pybit)} == {"PartialStopLoss", "PartialTakeProfit"}
    held = pybit.get_positions(category="linear", symbol="BTCUSDT")["result"]["list"][0]
    assert (held["side"], held["size"], held["avgPrice"], held["leverage"]) == (
        "Buy",
        "0.05",
        "50000.1",
        "20",
    )
    sandbox.price("BTC/USDT", "48990")
    assert orders(pybit) == []
    ended = {
        each["stopOrderType"]: each for each in pybit.get_order_history(category="linear")["result"]["list"]
    }
    assert ended["PartialStopLoss"]["orderStatus"] == "Filled"
    assert ended["PartialTakeProfit"]["orderStatus"] == "Deactivated"
    assert ended["PartialTakeProfit"]["cancelType"] == "CancelByOCOTpCanceledBySlTriggered"
    assert pybit.get_positions(category="linear", settleCoin="USDT")["result"]["list"] == []


def test_pybit_trades_spot_and_futures_with_one_wallet(pybit):
    place(pybit, "spot", side="Buy", orderType="Market", qty="1000")
    place(pybit, side="Sell", orderType="Market", qty="0.1")
    coins = {
        each["coin"]: each
        for each in pybit.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0]["coin"]
    }
    assert Decimal(coins["BTC"]["walletBalance"]) > 2
    assert Decimal(coins["USDT"]["totalPositionIM"]) == 500
    assert Decimal(coins["USDT"]["walletBalance"]) < 99_001


def test_pybit_places_conditional_orders_that_wait_the_right_way(sandbox, pybit):
    rising = place(
        pybit,
        side="Buy",
        orderType="Limit",
        price="51010",
        qty="0.01",
        triggerPrice="51000",
        triggerDirection=1,
    )
    (waiting,) = orders(pybit)
    assert (waiting["orderId"], waiting["orderStatus"], waiting["stopOrderType"]) == (
        rising,
        "Untriggered",
        "Stop",
    )
    with pytest.raises(InvalidRequestError, match="110093"):
        place(pybit, side="Sell", orderType="Market", qty="0.01", triggerPrice="50500", triggerDirection=2)
    sandbox.price("BTC/USDT", "51005")
    assert orders(pybit, orderId=rising)[0]["orderStatus"] == "Filled"


def test_pybit_finds_a_spot_trigger_under_its_own_filter_only(pybit):
    order = place(
        pybit,
        "spot",
        side="Sell",
        orderType="Market",
        qty="0.1",
        triggerPrice="45000",
        orderFilter="StopOrder",
    )
    assert [each["orderId"] for each in orders(pybit, "spot", orderFilter="StopOrder")] == [order]
    with pytest.raises(InvalidRequestError, match="170213"):
        pybit.cancel_order(category="spot", symbol="BTCUSDT", orderId=order)
    pybit.cancel_order(category="spot", symbol="BTCUSDT", orderId=order, orderFilter="StopOrder")
    assert orders(pybit, "spot", orderId=order)[0]["orderStatus"] == "Deactivated"


def test_pybit_sees_a_post_only_order_accepted_and_then_cancelled(pybit):
    order = place(pybit, side="Buy", orderType="Limit", price="51000", qty="0.01", timeInForce="PostOnly")
    (found,) = orders(pybit, orderId=order)
    assert (found["orderStatus"], found["rejectReason"]) == ("Cancelled", "EC_PostOnlyWillTakeLiquidity")


def test_pybit_in_hedge_mode_names_the_position(pybit):
    pybit.switch_position_mode(category="linear", coin="USDT", mode=3)
    with pytest.raises(InvalidRequestError, match="position idx not match position mode"):
        place(pybit, side="Buy", orderType="Market", qty="0.01")
    place(pybit, side="Buy", orderType="Market", qty="0.02", positionIdx=1)
    place(pybit, side="Sell", orderType="Market", qty="0.01", positionIdx=2)
    held = pybit.get_positions(category="linear", symbol="BTCUSDT")["result"]["list"]
    assert [(each["positionIdx"], each["side"], each["size"]) for each in held] == [
        (1, "Buy", "0.02"),
        (2, "Sell", "0.01"),
    ]


def test_pybit_is_told_what_its_key_may_do(sandbox, pybit):
    assert pybit.get_api_key_information()["result"]["permissions"]["Wallet"] == ["AccountTransfer"]
    reader = sandbox.account("bybit", permissions=["read"])
    session = HTTP(api_key=reader["key"], api_secret=reader["secret"])
    session.endpoint = pybit.endpoint
    with session.client, pytest.raises(InvalidRequestError, match="10005"):
        place(session, side="Buy", orderType="Market", qty="0.01")


# -- our own venues ----------------------------------------------------------------------------------------


@pytest.fixture
def futures(pool, keys):
    return Ours(pool, "ByBit_F", keys)


@pytest.fixture
def cash(pool, keys):
    return Ours(pool, "ByBit", keys)


def test_a_market_order_is_acknowledged_and_fetched_with_its_fill(futures):
    placed = futures.place("buy", "market", "0.1")
    assert placed.acknowledged_only
    found = futures.venue.fetch(futures.keys, futures.instrument, OrderRef(client_id=placed.client_id))
    assert (found.status, found.filled, found.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.1"),
        Decimal("50000.1"),
    )
    assert found.fee is not None
    assert (found.fee.asset, found.fee.amount) == ("USDT", Decimal("2.7500055"))


def test_linked_legs_carry_the_exchange_ids_and_the_stop_ends_the_target(sandbox, futures):
    futures.place("buy", "market", "0.1")
    stop, target = futures.protect("0.1", "49000", "52000")
    assert {each.exchange_id for each in futures.open()} == {stop.exchange_id, target.exchange_id}
    assert (stop.type, target.type, stop.client_id) == (OrderType.STOP, OrderType.TAKE_PROFIT, "")
    sandbox.price("BTC/USDT", "48990")
    assert futures.positions() == []
    assert futures.open() == []
    assert futures.fetch(stop).average_price == Decimal(48990)
    ended = futures.fetch(target)
    assert (ended.status, ended.reason) == (OrderStatus.CANCELLED, "CancelByOCOTpCanceledBySlTriggered")


def test_linked_legs_vanish_with_the_position(futures):
    futures.place("buy", "market", "0.1")
    stop, target = futures.protect("0.1", "49000", "52000")
    futures.place("sell", "market", "0.1", reduce_only=True)
    assert futures.open() == []
    assert {futures.fetch(each).reason for each in (stop, target)} == {"CancelByTpSlTsClear"}


def test_two_pairs_for_two_targets_are_told_apart(sandbox, futures):
    futures.place("buy", "market", "0.1")
    first = futures.protect("0.05", "49000", "51000")
    second = futures.protect("0.05", "49000", "52000")
    assert len({each.exchange_id for each in (*first, *second)}) == 4
    sandbox.price("BTC/USDT", "51000")
    assert {each.exchange_id for each in futures.open()} == {each.exchange_id for each in second}
    assert futures.positions()[0].quantity == Decimal("0.05")


def test_a_leg_is_cancelled_by_its_exchange_id_and_takes_its_partner_along(futures):
    futures.place("buy", "market", "0.1")
    stop, target = futures.protect("0.1", "49000", "52000")
    futures.venue.cancel(futures.keys, futures.instrument, target.ref)
    assert futures.open() == []
    with pytest.raises(OrderNotFound):
        futures.venue.cancel(futures.keys, futures.instrument, stop.ref)


def test_legs_are_found_although_their_answer_was_lost(sandbox, futures):
    futures.place("buy", "market", "0.1")
    sandbox.fault("drop_after", venue="ByBit_F", count=1, path="trading-stop")
    stop, target = futures.protect("0.1", "49000", "52000")
    assert {each.exchange_id for each in futures.open()} == {stop.exchange_id, target.exchange_id}


def test_legs_that_never_arrived_leave_the_outcome_unknown(sandbox, futures):
    futures.place("buy", "market", "0.1")
    sandbox.fault("drop_before", venue="ByBit_F", count=1, path="trading-stop")
    futures.venue.pause = lambda _seconds: None
    with pytest.raises(OutcomeUnknown):
        futures.protect("0.1", "49000", "52000")
    assert futures.open() == []


def test_legs_for_no_position_or_across_the_price_are_refused(futures):
    with pytest.raises(NothingToReduce):
        futures.protect("0.1", "49000", "52000")
    futures.place("buy", "market", "0.1")
    with pytest.raises(WouldTrigger):
        futures.protect("0.1", "50500", "52000")
    assert futures.open() == []


def test_hedge_mode_is_read_and_each_side_has_its_legs(sandbox, pool):
    keys = sandbox.account("bybit", position_mode="hedge")
    ours = Ours(pool, "ByBit_F", keys)
    assert ours.venue.position_mode(ours.keys, ours.instrument) is PositionMode.HEDGE
    with pytest.raises(ModeMismatch):
        ours.place("buy", "market", "0.1")
    ours.place("buy", "market", "0.1", position_side=Direction.LONG)
    ours.place("sell", "market", "0.05", position_side=Direction.SHORT)
    stop, _ = ours.protect("0.1", "49000", "52000", position_side=Direction.LONG)
    assert stop.position_side is Direction.LONG
    assert {(each.direction, each.quantity) for each in ours.positions()} == {
        (Direction.LONG, Decimal("0.1")),
        (Direction.SHORT, Decimal("0.05")),
    }


def test_stop_and_target_of_their_own_reduce_only(sandbox, futures):
    futures.place("sell", "market", "0.1")
    assert futures.venue.position_mode(futures.keys, futures.instrument) is PositionMode.ONE_WAY
    stop = futures.place("buy", "stop", "0.1", trigger_price="51000", reduce_only=True)
    target = futures.place(
        "buy", "take_profit_limit", "0.1", price="48000", trigger_price="48100", reduce_only=True
    )
    assert {each.type for each in futures.open()} == {OrderType.STOP, OrderType.TAKE_PROFIT_LIMIT}
    sandbox.price("BTC/USDT", "51000")
    assert futures.fetch(stop).status is OrderStatus.FILLED
    assert futures.fetch(target).status is OrderStatus.OPEN, "Bybit keeps it: supervision has to cancel it"
    futures.venue.cancel_all(futures.keys, futures.instrument)
    assert futures.open() == []


def test_leverage_and_margin_mode_are_set_and_already_so_is_success(futures):
    for _ in range(2):
        futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(7), MarginMode.ISOLATED)
    futures.place("buy", "market", "0.1")
    assert futures.positions()[0].leverage == 7


def test_a_spot_stop_and_target_rest_together_for_the_full_size(sandbox, cash):
    stop = cash.place("sell", "stop", "2", trigger_price="49000")
    target = cash.place("sell", "take_profit", "2", trigger_price="52000")
    assert {each.type for each in cash.open()} == {OrderType.STOP, OrderType.TAKE_PROFIT}
    sandbox.price("BTC/USDT", "52000")
    assert cash.fetch(target).status is OrderStatus.FILLED
    cash.venue.cancel(cash.keys, cash.instrument, stop.ref)
    assert cash.open() == []


def test_a_spot_stop_that_is_crossed_already_is_not_sent(sandbox, cash):
    with pytest.raises(WouldTrigger):
        cash.place("sell", "stop", "1", trigger_price="50500")
    assert sandbox.state("ByBit", cash.keys.key)["orders"] == []


def test_refusals_have_our_classes(sandbox, futures, cash):
    with pytest.raises(InsufficientFunds):
        futures.place("buy", "market", "100")
    with pytest.raises(InvalidOrder):
        cash.place("buy", "limit", "0.000001", price="50000")
    with pytest.raises(NothingToReduce):
        futures.place("sell", "market", "0.1", reduce_only=True)
    with pytest.raises(OrderNotFound):
        cash.venue.fetch(cash.keys, cash.instrument, OrderRef(client_id="never-sent"))
    futures.place("buy", "limit", "0.1", price="40000", client_id="twice")
    with pytest.raises(DuplicateOrder):
        futures.place("buy", "limit", "0.1", price="40000", client_id="twice")
    with pytest.raises(AuthRefused):
        futures.venue.key_info(Credentials("unknown", "secret"))


def test_balances_free_less_what_orders_and_positions_hold(futures, cash):
    cash.place("buy", "limit", "0.1", price="40000")
    futures.place("sell", "limit", "0.1", price="60000")
    usdt = futures.venue.balances(futures.keys)["USDT"]
    assert (usdt.total, usdt.free) == (Decimal(100_000), Decimal(100_000) - 4000 - 600)
    info = futures.venue.key_info(futures.keys)
    assert (info.can_trade, info.can_withdraw, info.ip_locked) == (True, False, False)


def test_a_clock_ahead_of_the_exchange_is_measured_and_the_order_still_sent_once(sandbox, futures):
    futures.venue.clock.offset_ms += 20_000
    futures.place("buy", "market", "0.1", client_id="ahead")
    asked = [each["path"] for each in sandbox.state("ByBit_F", futures.keys.key)["calls"]]
    assert asked.count("/v5/order/create") == 2, "refused for its timestamp, then accepted"
    assert futures.positions()[0].quantity == Decimal("0.1")


def test_an_order_whose_answer_was_lost_is_found_by_its_client_id(sandbox, futures):
    sandbox.fault("drop_after", venue="ByBit_F", count=1, path="order/create")
    with pytest.raises(OutcomeUnknown):
        futures.place("buy", "market", "0.1", client_id="lost")
    found = futures.venue.fetch(futures.keys, futures.instrument, OrderRef(client_id="lost"))
    assert (found.status, found.filled) == (OrderStatus.FILLED, Decimal("0.1"))


@pytest.mark.parametrize("fault", ["http_500", "maintenance"])
def test_an_internal_error_leaves_the_outcome_unknown(sandbox, futures, fault):
    sandbox.fault(fault, venue="ByBit_F", count=1)
    with pytest.raises(OutcomeUnknown):
        futures.place("buy", "market", "0.1", client_id="internal")
    with pytest.raises(OrderNotFound):
        futures.venue.fetch(futures.keys, futures.instrument, OrderRef(client_id="internal"))


def test_a_market_order_that_found_half_is_cancelled_with_what_it_got(sandbox, futures, cash):
    for ours, word in ((futures, "Cancelled"), (cash, "PartiallyFilledCanceled")):
        sandbox.fault("partial_fill", venue=ours.venue.name, count=1)
        found = ours.fetch(ours.place("buy", "market", "0.1"))
        assert (found.status, found.filled) == (OrderStatus.CANCELLED, Decimal("0.05")), word
        assert found.average_price is not None


def test_a_rate_refusal_is_a_definite_no(sandbox, futures):
    sandbox.fault("throttle", venue="ByBit_F", count=1)
    with pytest.raises(Throttled):
        futures.place("buy", "market", "0.1")
    assert sandbox.state("ByBit_F", futures.keys.key)["orders"] == []


def test_a_stop_the_exchange_will_not_take_is_refused(sandbox, futures, cash):
    sandbox.fault("reject_stop", venue="ByBit_F")
    sandbox.fault("reject_stop", venue="ByBit")
    futures.place("buy", "market", "0.1")
    with pytest.raises(Refused):
        futures.place("sell", "stop", "0.1", trigger_price="49000", reduce_only=True)
    with pytest.raises(Refused):
        futures.protect("0.1", "49000", "52000")
    with pytest.raises(Refused):
        cash.place("sell", "stop", "0.1", trigger_price="49000")
    assert futures.open() == cash.open() == []


def test_a_wrong_secret_is_refused_without_telling_the_key(futures):
    with pytest.raises(AuthRefused) as caught:
        futures.venue.key_info(Credentials(futures.keys.key, "wrong"))
    assert caught.value.code == "10004"
    assert futures.keys.key not in caught.value.message + caught.value.exchange_message


def test_a_spot_batch_leaves_out_the_stops_that_the_price_has_crossed(cash):
    orders = [
        cash.order("sell", "stop", "0.1", trigger_price="49000"),
        cash.order("sell", "stop", "0.1", trigger_price="51000"),
        cash.order("sell", "take_profit", "0.1", trigger_price="52000"),
    ]
    told = cash.venue.place_many(cash.keys, orders)
    assert [type(each) for each in told] == [Report, WouldTrigger, Report]
    assert len(cash.venue.open_orders(cash.keys)) == 2


# -- margined in coins ---------------------------------------------------------------------------------------

COIN = "BTC/USD:BTC"


@pytest.fixture
def coin(sandbox, keys):
    made = ccxt_client(sandbox, keys, "swap")
    made.urls["api"] = dict.fromkeys(made.urls["api"], sandbox.venue("ByBit_C"))
    return made


def test_ccxt_trades_contracts_margined_in_coins(coin, sandbox):
    market = coin.load_markets()[COIN]
    assert (market["inverse"], market["settle"], market["contractSize"]) == (True, "BTC", 1)
    coin.set_leverage(5, COIN)
    bought = coin.fetch_closed_order(coin.create_order(COIN, "market", "buy", 1000)["id"], COIN)
    assert (bought["filled"], bought["average"]) == (1000, 50000.1)
    assert bought["cost"] == pytest.approx(1000 / 50000.1)
    assert bought["fee"]["currency"] == "BTC"
    sandbox.price("BTC/USDT", 60000)
    (position,) = coin.fetch_positions([COIN])
    assert (position["contracts"], position["side"], position["entryPrice"]) == (1000, "long", 50000.1)
    assert position["unrealizedPnl"] == pytest.approx(1000 / 50000.1 - 1000 / 60000)
    assert position["initialMargin"] == pytest.approx(1000 / 50000.1 / 5)
    before = coin.fetch_balance()["BTC"]["total"]
    sold = coin.create_order(COIN, "market", "sell", 1000, params={"reduceOnly": True})
    assert coin.fetch_closed_order(sold["id"], COIN)["average"] == 60000
    assert [each["contracts"] for each in coin.fetch_positions([COIN])] == [0]
    assert coin.fetch_balance()["BTC"]["total"] == pytest.approx(
        before + 1000 / 50000.1 - 1000 / 60000 * 1.00055
    )


def test_ccxt_rests_and_cancels_contracts_margined_in_coins(coin, sandbox):
    coin.create_order(COIN, "market", "buy", 1000)
    limit = coin.create_order(COIN, "limit", "sell", 400, 55000, {"reduceOnly": True})
    stop = coin.create_order(COIN, "market", "sell", 1000, params={"stopLossPrice": 49000})
    target = coin.create_order(COIN, "market", "sell", 600, params={"takeProfitPrice": 56000})
    listed = {order["id"] for order in coin.fetch_open_orders(COIN)}
    assert listed == {limit["id"], stop["id"], target["id"]}
    coin.cancel_order(target["id"], COIN)
    sandbox.price("BTC/USDT", 49000)
    fired = coin.fetch_closed_order(stop["id"], COIN)
    assert (fired["status"], fired["filled"], fired["average"]) == ("closed", 1000, 49000)
    assert coin.fetch_open_orders(COIN) == [], "what only reduces ends with its position"


def test_pybit_trades_contracts_margined_in_coins(sandbox, pybit):
    client = pybit
    client.endpoint = sandbox.venue("ByBit_C")
    (info,) = client.get_instruments_info(category="inverse", symbol="ETHUSD")["result"]["list"]
    assert (info["contractType"], info["settleCoin"]) == ("InversePerpetual", "ETH")
    order = client.place_order(
        category="inverse", symbol="BTCUSD", side="Sell", orderType="Market", qty="500"
    )["result"]
    (found,) = client.get_open_orders(category="inverse", symbol="BTCUSD", orderId=order["orderId"])[
        "result"
    ]["list"]
    assert (found["orderStatus"], found["avgPrice"], found["cumExecValue"]) == ("Filled", "50000", "0.01")
    (position,) = client.get_positions(category="inverse")["result"]["list"]
    assert (position["symbol"], position["side"], position["size"]) == ("BTCUSD", "Sell", "500")
    client.set_trading_stop(
        category="inverse",
        symbol="BTCUSD",
        positionIdx=0,
        tpslMode="Partial",
        stopLoss="51000",
        takeProfit="48000",
        slSize="500",
        tpSize="500",
    )
    assert len(client.get_open_orders(category="inverse")["result"]["list"]) == 2
    sandbox.price("BTC/USDT", 48000)
    assert client.get_open_orders(category="inverse")["result"]["list"] == []
    assert client.get_positions(category="inverse")["result"]["list"] == []
    with pytest.raises(InvalidRequestError, match="10001"):
        client.switch_position_mode(category="inverse", symbol="BTCUSD", mode=3)


# -- what clients do beside -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "symbol"), [("spot", SPOT), ("swap", SWAP)])
def test_ccxt_changes_an_order_cancels_several_and_reads_its_trades(sandbox, keys, kind, symbol):
    made = ccxt_client(sandbox, keys, kind)
    ids = [made.create_order(symbol, "limit", "buy", 0.1, price)["id"] for price in (40000, 41000)]
    made.edit_order(ids[0], symbol, "limit", "buy", 0.2, 39000)
    assert made.fetch_open_order(ids[0], symbol)["price"] == 39000
    with pytest.raises(ccxt.BadRequest, match="unchanged"):
        made.edit_order(ids[0], symbol, "limit", "buy", 0.2, 39000)
    made.cancel_orders(ids, symbol)
    assert made.fetch_open_orders(symbol) == []
    bought = made.create_order(symbol, "limit", "buy", 0.1, 51000)
    (trade,) = made.fetch_my_trades(symbol)
    assert (trade["order"], trade["amount"], trade["takerOrMaker"]) == (bought["id"], 0.1, "taker")
    assert trade["price"] == made.fetch_order_book(symbol)["asks"][0][0]
    assert trade["fee"]["cost"] == pytest.approx(0.0001 if kind == "spot" else 0.1 * trade["price"] * 0.00055)


def test_ccxt_stop_and_target_of_an_entry_guard_its_whole_position(sandbox, swap):
    legs = {"stopLoss": {"triggerPrice": 49000}, "takeProfit": {"triggerPrice": 52000}}
    entry = swap.create_order(SWAP, "limit", "buy", 0.1, 49500, legs)
    assert len(swap.fetch_open_orders(SWAP)) == 1
    assert swap.fetch_open_order(entry["id"], SWAP)["stopLossPrice"] == 49000
    sandbox.price(SPOT, 49500)
    held = swap.fetch_position(SWAP)
    assert (held["stopLossPrice"], held["takeProfitPrice"]) == (49000, 52000)
    assert [each["amount"] for each in swap.fetch_open_orders(SWAP)] == [0.1, 0.1]
    sandbox.price(SPOT, 48990)
    assert swap.fetch_open_orders(SWAP) == []
    (closed,) = swap.fetch_positions_history([SWAP])
    fees = 0.1 * 49500 * 0.0002 + 0.1 * 48990 * 0.00055
    assert closed["realizedPnl"] == pytest.approx(-0.1 * 510 - fees), "of both ways"


def test_ccxt_entry_with_a_stop_beyond_its_price_is_refused(swap):
    with pytest.raises(ccxt.BadRequest, match="should be lower"):
        swap.create_order(SWAP, "limit", "buy", 0.1, 48000, {"stopLoss": {"triggerPrice": 49000}})


def test_pybit_stop_of_a_whole_position_is_replaced_and_taken_away(pybit):
    def stop(**words: Any) -> Any:
        return pybit.set_trading_stop(category="linear", symbol="BTCUSDT", positionIdx=0, **words)

    place(pybit, side="Buy", orderType="Market", qty="0.05")
    for price in ("48000", "49000"):
        stop(tpslMode="Full", stopLoss=price)
        (order,) = orders(pybit)
        assert (order["stopOrderType"], order["triggerPrice"], order["qty"]) == ("StopLoss", price, "0.05")
    with pytest.raises(InvalidRequestError, match="34040"):
        stop(tpslMode="Full", stopLoss="49000")
    with pytest.raises(InvalidRequestError, match="10001"):
        stop(tpslMode="Full", stopLoss="51000")
    assert len(orders(pybit)) == 1
    stop(tpslMode="Full", stopLoss="0")
    assert orders(pybit) == []


def test_pybit_closes_all_there_is_by_naming_no_quantity(sandbox, pybit):
    words: dict[str, Any] = {
        "side": "Sell",
        "orderType": "Market",
        "qty": "0",
        "reduceOnly": True,
        "closeOnTrigger": True,
    }
    with pytest.raises(InvalidRequestError, match="110017"):
        place(pybit, **words)
    triggers: list[dict[str, Any]] = [{}, {"triggerPrice": "49000", "triggerDirection": 2}]
    for trigger in triggers:
        place(pybit, side="Buy", orderType="Market", qty="0.05")
        place(pybit, **words, **trigger)
    assert [each["qty"] for each in orders(pybit)] == ["0.05"]
    sandbox.price(SPOT, "48990")
    assert pybit.get_positions(category="linear", settleCoin="USDT")["result"]["list"] == []


def test_pybit_spot_market_order_brings_no_stop_along(pybit):
    with pytest.raises(InvalidRequestError, match="170130"):
        place(pybit, "spot", side="Buy", orderType="Market", qty="1000", stopLoss="49000")
    place(pybit, "spot", side="Buy", orderType="Limit", qty="0.1", price="50100", stopLoss="49000")
    (stop,) = orders(pybit, "spot", orderFilter="tpslOrder")
    assert (stop["triggerPrice"], stop["qty"], stop["side"]) == ("49000", "0.1", "Sell")


def test_pybit_finds_the_fills_of_an_order_whatever_else_is_asked(pybit):
    first, second = (place(pybit, side="Buy", orderType="Market", qty="0.05", orderLinkId=n) for n in "ab")

    def filled(**words: Any) -> list[str]:
        listed = pybit.get_executions(category="linear", **words)["result"]["list"]
        return [each["orderId"] for each in listed]

    other = {"symbol": "ETHUSDT", "startTime": 1, "endTime": 2}
    assert filled(orderId=first, orderLinkId="b", **other) == [first]
    assert filled(orderLinkId="b", **other) == [second]
    assert filled(symbol="BTCUSDT", baseCoin="ETH") == filled(baseCoin="BTC") == [second, first]
    assert filled(symbol="ETHUSDT") == filled(baseCoin="ETH") == filled(execType="Funding") == []


DAY = 86_400


@pytest.mark.parametrize("asked", ["get_executions", "get_order_history", "get_closed_pnl"])
def test_pybit_reads_seven_days_at_a_time(sandbox, keys, pybit, asked):
    def read(**words: Any) -> list[Any]:
        rows: list[Any] = getattr(pybit, asked)(category="linear", **words)["result"]["list"]
        return rows

    place(pybit, side="Buy", orderType="Market", qty="0.05")
    place(pybit, side="Sell", orderType="Market", qty="0.05", reduceOnly=True)
    long_ago = pybit.get_server_time()["time"] - 8 * DAY * 1000
    told = read()
    assert told
    sandbox.age("bybit", keys["key"], 8 * DAY)
    assert read() == []
    assert len(read(startTime=long_ago - 60_000)) == len(read(endTime=long_ago + 60_000)) == len(told)
    assert read(startTime=long_ago + 60_000) == []
    with pytest.raises(InvalidRequestError, match="10001"):
        read(startTime=long_ago - 60_000, endTime=long_ago + 7 * DAY * 1000)


def test_pybit_is_told_for_a_day_of_what_ended_without_a_fill(sandbox, keys, pybit):
    resting = place(pybit, side="Buy", orderType="Limit", qty="0.05", price="40000")
    assert [(each["leavesValue"], each["smpGroup"]) for each in orders(pybit)] == [("2000", 0)]
    pybit.cancel_order(category="linear", symbol="BTCUSDT", orderId=resting)

    def ended() -> list[tuple[str, ...]]:
        listed = pybit.get_order_history(category="linear", orderId=resting)["result"]["list"]
        return [(each["orderStatus"], each["leavesValue"], each["smpGroup"]) for each in listed]

    sandbox.age("bybit", keys["key"], DAY - 60)
    assert ended() == [("Cancelled", "0", "0")]
    sandbox.age("bybit", keys["key"], 120)
    assert ended() == []


def test_pybit_reads_one_row_for_all_that_an_order_closed(sandbox, pybit):
    place(pybit, side="Buy", orderType="Market", qty="0.3")
    sandbox.fault("partial_fill", venue="ByBit_F", count=1)
    order = place(pybit, side="Sell", orderType="Limit", qty="0.2", price="50000", reduceOnly=True)
    sandbox.price(SPOT, "51000")
    (row,) = pybit.get_closed_pnl(category="linear", symbol="BTCUSDT")["result"]["list"]
    assert (row["orderId"], row["orderType"], row["orderPrice"]) == (order, "Limit", "50000")
    assert (row["qty"], row["closedSize"], row["fillCount"]) == ("0.2", "0.2", "2")
    assert (row["avgEntryPrice"], row["avgExitPrice"]) == ("50000.1", "50000")
    assert Decimal(row["openFee"]) == Decimal("0.2") * Decimal("50000.1") * Decimal("0.00055")
    assert Decimal(row["closeFee"]) == 5000 * (Decimal("0.00055") + Decimal("0.0002"))
    gained = Decimal("-0.02") - Decimal(row["openFee"]) - Decimal(row["closeFee"])
    assert Decimal(row["closedPnl"]) == gained
