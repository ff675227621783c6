"""Gate in the sandbox, traded by ccxt, by Gate's own kit and by our venues."""

from decimal import Decimal
from typing import Any

import ccxt
import gate_api  # type: ignore[import-untyped]
import pytest
from gate_api.exceptions import GateApiException  # type: ignore[import-untyped]

from exchanges.errors import (
    AuthRefused,
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
    MarginMode,
    OrderRef,
    OrderStatus,
    OrderType,
    PositionMode,
)
from tests.exchanges.conftest import Sandbox
from tests.exchanges.sandbox.ours import Ours

SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"


@pytest.fixture
def keys(sandbox: Sandbox) -> dict[str, str]:
    return sandbox.account("gate", balances={"USDT": "100000", "BTC": "2"})


# -- ccxt --------------------------------------------------------------------------------------------------


def ccxt_client(sandbox: Sandbox, keys: dict[str, str], kind: str) -> Any:
    words = {"apiKey": keys["key"], "secret": keys["secret"], "enableRateLimit": False}
    made = ccxt.gate({**words, "options": {"defaultType": kind, "createMarketBuyOrderRequiresPrice": False}})
    made.options["createOrder"] = {"expiration": 86400}
    url = f"{sandbox.venue('Gate')}/api/v4"  # one host for everything, as Gate has it
    for access in ("public", "private"):
        made.urls["api"][access] = dict.fromkeys(made.urls["api"][access], url)
    return made


@pytest.fixture
def spot(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    return ccxt_client(sandbox, keys, "spot")


@pytest.fixture
def swap(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    return ccxt_client(sandbox, keys, "swap")


def test_ccxt_loads_markets_with_steps_ticks_and_contract_sizes(spot, swap):
    markets = spot.load_markets()
    assert markets[SPOT]["precision"] == {"amount": 1e-05, "price": 0.1}
    assert (markets[SWAP]["id"], markets[SWAP]["contractSize"]) == ("BTC_USDT", 0.0001)
    assert markets[SWAP]["limits"]["leverage"]["max"] == 100
    assert {"ETH/USDT", "SOL/USDT:USDT", "BTC/USDC"} <= set(markets)
    assert spot.fetch_time() > 1_700_000_000_000
    assert (spot.fetch_ticker(SPOT)["ask"], swap.fetch_ticker(SWAP)["ask"]) == (50000.1, 50000.1)


def test_ccxt_spot_market_orders_count_quote_when_buying_and_coins_when_selling(spot):
    bought = spot.create_market_buy_order_with_cost(SPOT, 1000)
    assert (bought["status"], bought["average"]) == ("closed", 50000.1)
    assert bought["fees"][1]["currency"] == "BTC"
    sold = spot.create_order(SPOT, "market", "sell", 0.1)
    found = spot.fetch_order(sold["id"], SPOT)
    assert (found["status"], found["filled"], found["average"]) == ("closed", 0.1, 50000)
    trades = {each["order"]: (each["side"], each["price"]) for each in spot.fetch_my_trades(SPOT)}
    assert trades == {bought["id"]: ("buy", 50000.1), sold["id"]: ("sell", 50000)}
    assert spot.fetch_balance()["USDT"]["free"] == pytest.approx(100000 - 1000 + 5000 - 10, abs=1)


@pytest.mark.parametrize(
    ("kind", "symbol", "amounts", "why"),
    [
        ("spot", SPOT, (0.1, 900), "BALANCE_NOT_ENOUGH"),
        ("swap", SWAP, (10, 900_000), "INSUFFICIENT_AVAILABLE"),
    ],
)
def test_ccxt_places_several_orders_in_one_request_and_is_told_of_each_refusal(
    sandbox, keys, kind, symbol, amounts, why
):
    client = ccxt_client(sandbox, keys, kind)
    limit = {"symbol": symbol, "type": "limit", "side": "buy", "amount": amounts[0], "price": 40000}
    told = client.create_orders([limit, limit | {"amount": amounts[1]}, limit | {"price": 41000}])
    taken = {each["id"] for each in told if each["info"]["succeeded"]}
    assert sorted(each["info"]["label"] for each in told) == ["", "", why]
    assert {each["id"] for each in client.fetch_open_orders(symbol)} == taken


def test_each_order_of_a_batch_counts(spot):
    limit = {"symbol": SPOT, "type": "limit", "side": "buy", "amount": 0.1, "price": 40000}
    spot.create_orders([limit] * 6)
    with pytest.raises(ccxt.RateLimitExceeded):
        spot.create_orders([limit] * 6)
    assert len(spot.fetch_open_orders(SPOT)) == 6


@pytest.mark.parametrize("kind", ["spot", "swap"])
def test_one_order_that_is_wrong_in_itself_refuses_the_batch(sandbox, keys, kind):
    client, spot = ccxt_client(sandbox, keys, kind), kind == "spot"
    place = client.privateSpotPostBatchOrders if spot else client.privateFuturesPostSettleBatchOrders
    good = {"contract": "BTC_USDT", "size": 10, "price": "40000", "settle": "usdt"}
    if spot:
        good = {"currency_pair": "BTC_USDT", "side": "buy", "amount": "0.1", "price": "40000"}
    with pytest.raises(ccxt.BadRequest):
        place([good | {"text": "t-1"}, good | {"text": "t-2", "price": "much"}])
    assert client.fetch_open_orders(SPOT if spot else SWAP) == []


def test_ccxt_spot_limit_order_rests_locks_and_is_cancelled(spot):
    order = spot.create_order(SPOT, "limit", "buy", 0.1, 40000, {"clientOrderId": "mine-1"})
    assert [each["id"] for each in spot.fetch_open_orders(SPOT)] == [order["id"]]
    assert spot.fetch_balance()["USDT"]["free"] == 96000
    assert spot.fetch_order(None, SPOT, {"clientOrderId": "mine-1"})["id"] == order["id"]
    assert spot.cancel_order(order["id"], SPOT)["status"] == "canceled"
    assert spot.fetch_open_orders(SPOT) == []


def test_ccxt_spot_stop_and_target_wait_and_fire_as_orders_of_their_own(sandbox, spot):
    stop = spot.create_order(SPOT, "limit", "sell", 1, 44000, {"stopLossPrice": 45000})
    target = spot.create_order(SPOT, "limit", "sell", 1, 54000, {"takeProfitPrice": 54000})
    waiting = spot.fetch_open_orders(SPOT, params={"trigger": True})
    assert {each["triggerPrice"] for each in waiting} == {45000, 54000}
    sandbox.price(SPOT, 44990)
    fired = spot.fetch_order(stop["id"], SPOT, {"trigger": True})["info"]
    assert fired["status"] == "finish"
    child = spot.fetch_order(str(fired["fired_order_id"]), SPOT)
    assert (child["status"], child["average"]) == ("closed", 44990)
    spot.cancel_order(target["id"], SPOT, {"trigger": True})
    assert spot.fetch_open_orders(SPOT, params={"trigger": True}) == []


def test_ccxt_cancels_all_on_both_products(spot, swap):
    spot.create_order(SPOT, "limit", "buy", 0.1, 40000)
    spot.create_order(SPOT, "limit", "sell", 1, 44000, {"stopLossPrice": 45000})
    swap.create_order(SWAP, "limit", "buy", 10, 40000)
    swap.create_order(SWAP, "market", "buy", 10, None, {"triggerPrice": 51000})
    for client, symbol in ((spot, SPOT), (swap, SWAP)):
        for params in ({}, {"trigger": True}):
            assert len(client.fetch_open_orders(symbol, params=params)) == 1
            client.cancel_all_orders(symbol, params)
            assert client.fetch_open_orders(symbol, params=params) == []


def test_ccxt_futures_market_order_opens_a_position_with_its_leverage(swap):
    swap.set_leverage(5, SWAP, {"marginMode": "isolated"})
    order = swap.create_order(SWAP, "market", "buy", 1000)
    assert (order["status"], order["filled"], order["average"]) == ("closed", 1000, 50000.1)
    (trade,) = swap.fetch_my_trades(SWAP)
    assert (trade["order"], trade["side"], trade["amount"]) == (order["id"], "buy", 1000)
    position = swap.fetch_position(SWAP)
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 1000, 50000.1)
    assert (position["leverage"], position["marginMode"]) == (5, "isolated")
    balance = swap.fetch_balance({"type": "swap"})["USDT"]
    assert balance["free"] == pytest.approx(100000 - 5000.01 / 5 - 2.5, abs=0.2)


def test_ccxt_futures_stop_fires_and_its_sibling_stays(sandbox, swap):
    swap.create_order(SWAP, "market", "buy", 1000)
    closing = {"reduceOnly": True}
    stop = swap.create_order(SWAP, "market", "sell", 1000, None, {"stopLossPrice": 49000, **closing})
    target = swap.create_order(SWAP, "market", "sell", 1000, None, {"takeProfitPrice": 52000, **closing})
    waiting = swap.fetch_open_orders(SWAP, params={"trigger": True})
    assert {each["id"] for each in waiting} == {stop["id"], target["id"]}
    sandbox.price(SPOT, 48999)
    fired = swap.fetch_order(stop["id"], SWAP, {"trigger": True})["info"]
    assert (fired["status"], fired["finish_as"]) == ("finished", "succeeded")
    assert swap.fetch_order(str(fired["trade_id"]), SWAP)["average"] == 48999
    assert [each["contracts"] for each in swap.fetch_positions([SWAP])] == [0], "Gate lists it without a size"
    left = swap.fetch_open_orders(SWAP, params={"trigger": True})
    assert [each["id"] for each in left] == [target["id"]]
    swap.cancel_order(target["id"], SWAP, {"trigger": True})


def test_ccxt_futures_hedge_mode_holds_both_sides(swap):
    swap.load_markets()
    swap.set_position_mode(True, SWAP)
    swap.create_order(SWAP, "market", "buy", 10)
    swap.create_order(SWAP, "market", "sell", 20)
    swap.create_order(SWAP, "market", "sell", 4, None, {"reduceOnly": True})
    sides = {each["side"]: each["contracts"] for each in swap.fetch_positions() if each["contracts"]}
    assert sides == {"long": 6, "short": 20}


def test_ccxt_gets_the_original_refusals(sandbox, swap, spot, keys):
    with pytest.raises(ccxt.InsufficientFunds, match="INSUFFICIENT_AVAILABLE"):
        swap.create_order(SWAP, "limit", "buy", 900_000, 40000)
    with pytest.raises(ccxt.InvalidOrder, match="INCREASE_POSITION"):
        swap.create_order(SWAP, "market", "sell", 100, None, {"reduceOnly": True})
    with pytest.raises(ccxt.OrderImmediatelyFillable, match="ORDER_POC_IMMEDIATE"):
        swap.create_order(SWAP, "limit", "buy", 1, 51000, {"postOnly": True})
    with pytest.raises(ccxt.OrderNotFound):
        swap.cancel_order("123", SWAP)
    with pytest.raises(ccxt.OrderNotFound):
        spot.cancel_order("123", SPOT)
    with pytest.raises(ccxt.InsufficientFunds, match="BALANCE_NOT_ENOUGH"):
        spot.create_order(SPOT, "limit", "buy", 10, 40000)
    with pytest.raises(ccxt.InvalidOrder, match="AUTO_TRIGGER_PRICE_LESS_LAST"):
        spot.create_order(SPOT, "limit", "sell", 1, 50000, {"stopLossPrice": 50500})
    for broken in ({"secret": "wrong"}, {"key": "unknown"}):
        with pytest.raises(ccxt.AuthenticationError):
            ccxt_client(sandbox, {**keys, **broken}, "spot").fetch_balance()


def test_ccxt_is_refused_for_a_stale_timestamp(spot):
    spot.load_markets()
    spot.nonce = lambda: spot.milliseconds() - 120_000
    with pytest.raises(ccxt.AuthenticationError, match="REQUEST_EXPIRED"):
        spot.fetch_balance()


# -- Gate's own kit ----------------------------------------------------------------------------------------


def kit(sandbox: Sandbox, keys: dict[str, str], name: str) -> Any:
    """It signs the venue's name along, which stands before the path in the sandbox."""
    host = f"{sandbox.venue(name)}/api/v4"
    return gate_api.ApiClient(gate_api.Configuration(host=host, key=keys["key"], secret=keys["secret"]))


def untold(model: Any) -> set[str]:
    """What a model of Gate's kit knows and the answer did not have."""
    return {name for name, value in model.to_dict().items() if value is None}


def test_the_kit_trades_spot(sandbox, keys):
    api = gate_api.SpotApi(kit(sandbox, keys, "Gate"))
    assert {each.currency: each.available for each in api.list_spot_accounts()}["USDT"] == "100000"
    words = {"currency_pair": "BTC_USDT", "text": "t-kit"}
    sold = api.create_order(
        gate_api.Order(type="market", side="sell", amount="0.1", time_in_force="ioc", **words)
    )
    assert (sold.status, sold.finish_as, sold.avg_deal_price) == ("closed", "filled", "50000")
    assert not untold(sold) & {"iceberg", "stp_id", "stp_act", "amend_text", "gt_maker_fee", "gt_discount"}
    resting = api.create_order(gate_api.Order(type="limit", side="buy", amount="0.1", price="40000", **words))
    assert api.get_order("t-kit", "BTC_USDT").id == resting.id
    (group,) = api.list_all_open_orders()
    assert [each.id for each in group.orders] == [resting.id]
    batched = [gate_api.Order(side="buy", amount=amount, price="40000", **words) for amount in ("0.1", "9")]
    accepted, refused = api.create_batch_orders(batched)
    assert (accepted.order_id, accepted.message) == (accepted.id, "")
    assert (refused.order_id, refused.label) == ("", "BALANCE_NOT_ENOUGH")
    api.cancel_order(accepted.id, "BTC_USDT")
    (trade,) = api.list_my_trades(currency_pair="BTC_USDT")
    assert (trade.deal, trade.sequence_id) == ("5000", trade.id)
    assert api.cancel_order(resting.id, "BTC_USDT").status == "cancelled"
    put = gate_api.SpotPricePutOrder(type="limit", side="sell", price="48000", amount="0.1", account="normal")
    trigger = gate_api.SpotPriceTrigger(price="49000", rule="<=", expiration=3600)
    stop = gate_api.SpotPriceTriggeredOrder(trigger=trigger, put=put, market="BTC_USDT")
    made = api.create_spot_price_triggered_order(stop)
    assert [each.id for each in api.list_spot_price_triggered_orders("open")] == [made.id]
    assert api.cancel_spot_price_triggered_order(str(made.id)).status == "cancelled"


def test_the_kit_trades_perpetuals(sandbox, keys):
    api = gate_api.FuturesApi(kit(sandbox, keys, "Gate_F"))
    assert api.list_futures_accounts("usdt").total == "100000"
    words = {"contract": "BTC_USDT", "text": "t-kit"}
    entry = api.create_futures_order("usdt", gate_api.FuturesOrder(size="100", price="0", tif="ioc", **words))
    assert (entry.status, entry.finish_as, entry.fill_price) == ("finished", "filled", "50000.1")
    assert not untold(entry) & {"update_time", "refu", "iceberg", "stp_id", "stp_act", "amend_text"}
    assert api.get_futures_order("usdt", "t-kit").id == entry.id
    resting = api.create_futures_order(
        "usdt", gate_api.FuturesOrder(size="1", price="40000", tif="gtc", **words)
    )
    assert [each.id for each in api.list_futures_orders("usdt", "open")] == [resting.id]
    assert api.cancel_futures_order("usdt", str(resting.id)).finish_as == "cancelled"
    initial = gate_api.FuturesInitialOrder(
        contract="BTC_USDT", size=-100, price="0", tif="ioc", reduce_only=True
    )
    trigger = gate_api.FuturesPriceTrigger(strategy_type=0, price_type=0, price="49000", rule=2)
    stop = gate_api.FuturesPriceTriggeredOrder(initial=initial, trigger=trigger)
    made = api.create_price_triggered_order("usdt", stop)
    sandbox.price(SPOT, 48990)
    fired = api.get_price_triggered_order("usdt", made.id)
    assert (fired.status, fired.finish_as) == ("finished", "succeeded")
    assert api.get_futures_order("usdt", str(fired.trade_id)).fill_price == "48990"
    assert api.list_positions("usdt", holding=True) == []


def test_the_kit_sets_leverage_and_closes_a_whole_position(sandbox, keys):
    api = gate_api.FuturesApi(kit(sandbox, keys, "Gate_F"))
    assert api.update_position_leverage("usdt", "BTC_USDT", "0", cross_leverage_limit="7").leverage == "0"
    api.create_futures_order(
        "usdt", gate_api.FuturesOrder(contract="BTC_USDT", size="-50", price="0", tif="ioc")
    )
    (held,) = api.list_positions("usdt", holding=True)
    assert (held.size, held.cross_leverage_limit, held.mode) == ("-50", "7", "single")
    assert Decimal(held.maintenance_margin) == Decimal(held.value) * Decimal(held.maintenance_rate)
    closing = gate_api.FuturesOrder(contract="BTC_USDT", size="0", close=True, price="0", tif="ioc")
    assert api.create_futures_order("usdt", closing).is_close
    assert api.list_positions("usdt", holding=True) == []


def test_the_kit_reads_its_key_and_gets_labels(sandbox, keys):
    may = gate_api.AccountApi(kit(sandbox, keys, "Gate")).get_account_main_keys()
    assert may.ip_whitelist == []
    order = gate_api.Order(currency_pair="BTC_USDT", type="limit", side="buy", amount="9", price="40000")
    with pytest.raises(GateApiException) as caught:
        gate_api.SpotApi(kit(sandbox, keys, "Gate")).create_order(order)
    assert caught.value.label == "BALANCE_NOT_ENOUGH"


# -- our own venues ----------------------------------------------------------------------------------------


@pytest.fixture
def cash(pool: Pool, keys: dict[str, str]) -> Ours:
    return Ours(pool, "Gate", keys)


@pytest.fixture
def futures(pool: Pool, keys: dict[str, str]) -> Ours:
    return Ours(pool, "Gate_F", keys)


def test_a_spot_buy_of_coins_fills_that_many_and_one_of_money_spends_that_much(cash):
    coins = cash.place("buy", "market", "0.1")
    assert (coins.type, coins.status, coins.filled) == (
        OrderType.MARKET,
        OrderStatus.FILLED,
        Decimal("0.1"),
    )
    money = cash.place("buy", "market", None, quote_quantity="1000")
    assert (money.average_price, money.fee and money.fee.asset) == (Decimal("50000.1"), "BTC")
    assert money.filled * Decimal("50000.1") <= 1000


def test_a_buy_of_nearly_all_there_is_goes_out_by_what_it_costs(sandbox, pool):
    small = Ours(pool, "Gate", sandbox.account("gate", balances={"USDT": "5010"}))
    bought = small.place("buy", "market", "0.1")
    assert (bought.status, bought.filled) == (OrderStatus.FILLED, Decimal("0.09999"))


def test_a_futures_order_counts_coins_and_tells_its_fill(futures):
    report = futures.place("sell", "market", "0.25")
    assert (report.status, report.filled, report.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.25"),
        Decimal(50000),
    )
    (position,) = futures.positions()
    assert (position.direction, position.quantity) == (Direction.SHORT, Decimal("0.25"))


def test_leverage_and_margin_mode_are_set_together_or_alone(futures):
    for leverage, mode, expected in (
        (Decimal(10), MarginMode.ISOLATED, (Decimal(10), MarginMode.ISOLATED)),
        (Decimal(5), None, (Decimal(5), MarginMode.ISOLATED)),
        (None, MarginMode.CROSS, (Decimal(5), MarginMode.CROSS)),
        (Decimal(8), MarginMode.CROSS, (Decimal(8), MarginMode.CROSS)),
        (None, MarginMode.CROSS, (Decimal(8), MarginMode.CROSS)),
    ):
        futures.venue.set_leverage(futures.keys, futures.instrument, leverage, mode)
        futures.place("buy", "market", "0.1")
        (position,) = futures.positions()
        assert (position.leverage, position.margin_mode) == expected
        futures.place("sell", "market", "0.1", reduce_only=True)


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


def test_a_stop_limit_that_fired_rests_under_the_name_it_had_and_is_cancelled_by_it(sandbox, futures, cash):
    for ours in (futures, cash):
        ours.place("buy", "market", "0.1")
        stop = ours.place("sell", "stop_limit", "0.1", trigger_price="49000", price="49500")
        sandbox.price("BTC/USDT", "48990")
        resting = ours.fetch(stop)
        assert (resting.status, resting.exchange_id) == (OrderStatus.OPEN, stop.exchange_id)
        ours.venue.cancel(ours.keys, ours.instrument, stop.ref)
        assert ours.fetch(stop).status is OrderStatus.CANCELLED
        sandbox.price("BTC/USDT", "50000")


def test_hedge_mode_is_read_and_each_side_is_closed_by_its_own_orders(sandbox, pool):
    hedged = Ours(pool, "Gate_F", sandbox.account("gate", position_mode="hedge"))
    assert hedged.venue.position_mode(hedged.keys, hedged.instrument) is PositionMode.HEDGE
    hedged.venue.set_leverage(hedged.keys, hedged.instrument, Decimal(7), MarginMode.CROSS)
    hedged.place("buy", "market", "0.1", position_side=Direction.LONG)
    hedged.place("sell", "market", "0.2", position_side=Direction.SHORT)
    hedged.place("buy", "stop", "0.2", trigger_price="51000", reduce_only=True, position_side=Direction.SHORT)
    sandbox.price("BTC/USDT", "51000")
    (left,) = hedged.positions()
    assert (left.direction, left.quantity, left.leverage) == (Direction.LONG, Decimal("0.1"), Decimal(7))


@pytest.mark.parametrize("kind", ["market", "stop"])
def test_an_order_whose_answer_was_lost_is_found_by_its_client_id(sandbox, futures, cash, kind):
    for ours in (futures, cash):
        words = {"trigger_price": "51000"} if kind == "stop" else {}
        sandbox.fault("drop_after", venue=ours.venue.name, count=1)
        with pytest.raises(OutcomeUnknown):
            ours.place("buy", kind, "0.1", client_id="lost", **words)
        lost = OrderRef(client_id="lost", conditional=kind == "stop")
        found = ours.venue.fetch(ours.keys, ours.instrument, lost)
        assert found.client_id == "lost"
        assert found.status is (OrderStatus.FILLED if kind == "market" else OrderStatus.OPEN)


def test_everything_open_is_cancelled_at_once(futures, cash):
    for ours in (futures, cash):
        ours.place("buy", "limit", "0.1", price="40000")
        ours.place("buy", "stop", "0.1", trigger_price="51000")
        assert len(ours.open()) == 2
        assert len(ours.venue.open_orders(ours.keys)) == 2
        ours.venue.cancel_all(ours.keys, ours.instrument)
        assert ours.open() == []


def test_refusals_have_our_classes(futures, cash):
    with pytest.raises(NothingToReduce):
        futures.place("sell", "market", "0.1", reduce_only=True)
    with pytest.raises(InvalidOrder):
        cash.place("buy", "limit", "0.00001", price="10")
    for ours in (futures, cash):
        for conditional in (False, True):
            with pytest.raises(OrderNotFound):
                ours.venue.fetch(ours.keys, ours.instrument, OrderRef("never", conditional=conditional))
        with pytest.raises(PostOnlyRefused):
            ours.place("buy", "limit", "0.1", price="50500", post_only=True)
        with pytest.raises(WouldTrigger):
            ours.place("sell", "stop", "0.1", trigger_price="50500")
        with pytest.raises(InsufficientFunds):
            ours.place("buy", "limit", "90", price="40000")
        with pytest.raises(AuthRefused):
            ours.venue.key_info(Credentials("unknown", "secret"))


def test_balances_free_less_what_orders_and_positions_hold(futures, cash):
    cash.place("buy", "limit", "0.1", price="40000")
    futures.place("sell", "limit", "0.1", price="60000")
    assert cash.venue.balances(cash.keys)["USDT"].free == Decimal(96000)
    equity = futures.venue.balances(futures.keys)["USDT"]
    assert (equity.total, equity.free) == (Decimal(100_000), Decimal(100_000) - 600)
    info = futures.venue.key_info(futures.keys)
    assert (info.can_trade, info.can_withdraw, info.ip_locked) == (True, False, False)


def test_a_clock_ahead_of_the_exchange_is_measured_and_the_order_still_sent_once(sandbox, futures):
    futures.venue.clock.offset_ms += 120_000
    futures.place("buy", "market", "0.1", client_id="ahead")
    asked = [each["path"] for each in sandbox.state("Gate_F", futures.keys.key)["calls"]]
    assert asked.count("/api/v4/futures/usdt/orders") == 2, "refused for its timestamp, then accepted"
    assert futures.positions()[0].quantity == Decimal("0.1")


def test_a_rate_refusal_is_a_definite_no(sandbox, futures):
    sandbox.fault("throttle", venue="Gate_F", count=1)
    with pytest.raises(Throttled):
        futures.place("buy", "market", "0.1")
    assert sandbox.state("Gate_F", futures.keys.key)["orders"] == []


# -- what clients do beside -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "symbol", "amount"), [("spot", SPOT, 0.1), ("swap", SWAP, 1)])
def test_ccxt_changes_an_order_cancels_several_and_sees_the_book(sandbox, keys, kind, symbol, amount):
    made = ccxt_client(sandbox, keys, kind)
    ids = [made.create_order(symbol, "limit", "buy", amount, price)["id"] for price in (40000, 41000)]
    made.edit_order(ids[0], symbol, "limit", "buy", 2 * amount, 39000)
    found = made.fetch_order(ids[0], symbol)
    assert (found["amount"], found["price"], found["status"]) == (2 * amount, 39000, "open")
    made.cancel_orders([*ids, "7"], symbol)
    assert made.fetch_open_orders(symbol) == []
    with pytest.raises(ccxt.BaseError, match="ORDER_CLOSED" if kind == "spot" else "ORDER_FINISHED"):
        made.edit_order(ids[0], symbol, "limit", "buy", amount, 39000)
    assert made.fetch_order_book(symbol, 5)["bids"][0][0] == made.fetch_ticker(symbol)["bid"] == 50000


@pytest.mark.parametrize("kind", ["spot", "swap"])
def test_an_order_amended_to_what_is_filled_of_it_is_cancelled(sandbox, keys, kind):
    symbol, whole, less = (SPOT, 0.1, 0.04) if kind == "spot" else (SWAP, 10, 5)
    made = ccxt_client(sandbox, keys, kind)
    sandbox.fault("partial_fill", venue="Gate" if kind == "spot" else "Gate_F", count=1)
    order = made.create_order(symbol, "limit", "buy", whole, 50000.1)
    assert made.edit_order(order["id"], symbol, "limit", "buy", less, 50000.1)["status"] == "canceled"
    found = made.fetch_order(order["id"], symbol)
    assert (found["status"], found["amount"], found["filled"]) == ("canceled", whole, whole / 2)


def test_the_kit_reads_trades_of_perpetuals_and_what_a_position_gained(sandbox, keys):
    api = gate_api.FuturesApi(kit(sandbox, keys, "Gate"))
    for size in (10, -4):
        order = gate_api.FuturesOrder(contract="BTC_USDT", size=size, price="0", tif="ioc")
        api.create_futures_order("usdt", order)
        sandbox.price(SPOT, "51000")
    closed, opened = api.get_my_trades("usdt", contract="BTC_USDT")
    assert [(each.size, each.close_size) for each in (opened, closed)] == [("10", "0"), ("-4", "-4")]
    (close,) = api.list_position_close("usdt", contract="BTC_USDT")
    assert (close.side, close.pnl_pnl, close.long_price) == ("long", "0.39996", "50000.1")


def test_the_kit_moves_a_trigger(sandbox, keys):
    api = gate_api.FuturesApi(kit(sandbox, keys, "Gate_F"))
    initial = gate_api.FuturesInitialOrder(contract="BTC_USDT", size=10, price="0", tif="ioc")
    trigger = gate_api.FuturesPriceTrigger(price="51000", rule=1, price_type=0)
    placed = api.create_price_triggered_order(
        "usdt", gate_api.FuturesPriceTriggeredOrder(initial=initial, trigger=trigger)
    )
    changed = gate_api.FuturesUpdatePriceTriggeredOrder(
        settle="usdt", order_id=placed.id, trigger_price="52000"
    )
    api.update_price_triggered_order("usdt", str(placed.id), changed)
    assert api.get_price_triggered_order("usdt", str(placed.id)).trigger.price == "52000"
