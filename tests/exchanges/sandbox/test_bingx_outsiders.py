"""BingX in the sandbox, traded by ccxt and by our venues: two that agree."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from exchanges.errors import (
    AuthRefused,
    DuplicateOrder,
    InsufficientFunds,
    InvalidOrder,
    ModeMismatch,
    NothingToReduce,
    OrderNotFound,
    OutcomeUnknown,
    PostOnlyRefused,
    Throttled,
    UnknownSymbol,
    WouldTrigger,
)
from exchanges.pool import Pool
from exchanges.types import (
    Credentials,
    Direction,
    Environment,
    MarginMode,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Position,
    PositionMode,
    Report,
    Side,
    TimeInForce,
)
from tests.exchanges.conftest import Sandbox

SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"


@pytest.fixture
def keys(sandbox: Sandbox) -> dict[str, str]:
    return sandbox.account("bingx", balances={"USDT": "100000", "BTC": "2"})


# -- ccxt --------------------------------------------------------------------------------------------------


def ccxt_client(sandbox: Sandbox, keys: dict[str, str], kind: str) -> Any:
    words = {"apiKey": keys["key"], "secret": keys["secret"], "enableRateLimit": False}
    made = ccxt.bingx({**words, "options": {"defaultType": kind}})
    base = f"{sandbox.venue('BingX' if kind == 'spot' else 'BingX_F')}/openApi"
    made.urls["api"] = dict.fromkeys(made.urls["api"], base)
    return made


@pytest.fixture
def spot(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    """ccxt does not wait between its calls here."""
    sandbox.enforce_limits(False)
    return ccxt_client(sandbox, keys, "spot")


@pytest.fixture
def swap(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    sandbox.enforce_limits(False)
    return ccxt_client(sandbox, keys, "swap")


def test_ccxt_loads_markets_with_steps_ticks_and_prices(spot, swap):
    markets = spot.load_markets()
    assert (markets[SPOT]["id"], markets[SPOT]["precision"]) == (
        "BTC-USDT",
        {"amount": 1e-06, "price": 0.01},
    )
    assert markets[SPOT]["limits"]["cost"]["min"] == 5
    assert (markets[SWAP]["id"], markets[SWAP]["contractSize"]) == ("BTC-USDT", 1)
    assert markets[SWAP]["precision"] == {"amount": 0.0001, "price": 0.1}
    assert (markets[SWAP]["active"], markets[SPOT]["active"]) == (True, True)
    assert {"ETH/USDT", "SOL/USDT:USDT"} <= set(markets)
    assert spot.fetch_ticker(SPOT)["ask"] == 50000.01
    assert swap.fetch_ticker(SWAP)["last"] == 50000
    assert abs(swap.fetch_time() - swap.milliseconds()) < 60_000


def test_ccxt_spot_market_buy_fills_and_pays_its_fee_in_coins(spot):
    order = spot.create_order(SPOT, "market", "buy", 0.1)
    found = spot.fetch_order(order["id"], SPOT)
    assert (found["status"], found["filled"], found["cost"]) == ("closed", 0.1, 5000.001)
    assert (found["fee"]["cost"], found["fee"]["currency"]) == (0.0001, "BTC")
    assert spot.fetch_balance()["BTC"]["total"] == pytest.approx(2.0999)


def test_ccxt_spot_market_buy_by_cost_spends_that_much(spot):
    order = spot.create_market_buy_order_with_cost(SPOT, 1000)
    assert spot.fetch_order(order["id"], SPOT)["cost"] == pytest.approx(1000, abs=0.06)


def test_ccxt_spot_limit_order_rests_locks_and_is_cancelled(spot):
    order = spot.create_order(SPOT, "limit", "buy", 0.1, 40000, {"clientOrderId": "Mine_1"})
    (listed,) = spot.fetch_open_orders(SPOT)
    assert (listed["id"], listed["clientOrderId"], listed["price"]) == (order["id"], "mine_1", 40000)
    assert spot.fetch_balance()["USDT"]["free"] == 96000
    spot.cancel_order(order["id"], SPOT)
    assert spot.fetch_open_orders(SPOT) == []
    assert spot.fetch_order(order["id"], SPOT)["status"] == "canceled"
    with pytest.raises(ccxt.BadRequest):
        spot.cancel_order(order["id"], SPOT)


def test_ccxt_spot_stop_and_take_profit_wait_hold_their_coins_and_fire(sandbox, spot):
    stop = spot.create_order(SPOT, "market", "sell", 1, None, {"stopLossPrice": 45000})
    target = spot.create_order(SPOT, "limit", "sell", 1, 53990, {"takeProfitPrice": 54000})
    assert {each["triggerPrice"] for each in spot.fetch_open_orders(SPOT)} == {45000, 54000}
    assert spot.fetch_balance()["BTC"]["free"] == 0
    sandbox.price(SPOT, 44990)
    fired = spot.fetch_order(stop["id"], SPOT)
    assert (fired["status"], fired["average"]) == ("closed", 44990)
    sandbox.price(SPOT, 54000)
    assert spot.fetch_order(target["id"], SPOT)["average"] == 54000
    assert spot.fetch_open_orders(SPOT) == []


def test_ccxt_futures_market_order_opens_a_position_with_its_leverage(swap):
    swap.set_margin_mode("isolated", SWAP)
    swap.set_leverage(5, SWAP, {"side": "BOTH"})
    assert swap.fetch_leverage(SWAP)["longLeverage"] == 5
    assert swap.fetch_margin_mode(SWAP)["marginMode"] == "isolated"
    order = swap.create_order(SWAP, "market", "buy", 0.1)
    found = swap.fetch_order(order["id"], SWAP)
    assert (found["status"], found["filled"], found["average"]) == ("closed", 0.1, 50000.1)
    assert (found["fee"]["cost"], found["fee"]["currency"]) == (pytest.approx(2.500005), "USDT")
    (position,) = swap.fetch_positions([SWAP])
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 0.1, 50000.1)
    assert (position["leverage"], position["marginMode"]) == (5, "isolated")
    assert swap.fetch_balance({"type": "swap"})["USDT"]["used"] == pytest.approx(1000, abs=1)


def test_ccxt_futures_limit_order_is_listed_and_cancelled_by_either_id(swap):
    order = swap.create_order(SWAP, "limit", "buy", 0.1, 40000, {"clientOrderId": "Resting1"})
    (listed,) = swap.fetch_open_orders(SWAP)
    assert (listed["id"], listed["clientOrderId"], listed["price"]) == (order["id"], "resting1", 40000)
    swap.cancel_order("", SWAP, {"clientOrderId": "resting1"})
    assert swap.fetch_open_orders(SWAP) == []
    with pytest.raises(ccxt.OrderNotFound):
        swap.cancel_order(order["id"], SWAP)


def test_ccxt_futures_stop_and_take_profit_wait_and_one_ends_with_the_position(sandbox, swap):
    with pytest.raises(ccxt.OrderNotFound, match="position not exist"):
        swap.create_order(SWAP, "market", "sell", 0.1, None, {"stopLossPrice": 49000})
    swap.create_order(SWAP, "market", "buy", 0.1)
    stop = swap.create_order(SWAP, "market", "sell", 0.1, None, {"stopLossPrice": 49000})
    target = swap.create_order(SWAP, "market", "sell", 0.1, None, {"takeProfitPrice": 52000})
    told = {(each["stopLossPrice"], each["takeProfitPrice"]) for each in swap.fetch_open_orders(SWAP)}
    assert told == {(49000, None), (None, 52000)}
    sandbox.price(SPOT, 52000)
    assert swap.fetch_order(target["id"], SWAP)["average"] == 52000
    assert swap.fetch_order(stop["id"], SWAP)["status"] == "canceled"
    assert swap.fetch_positions([SWAP]) == []


def test_ccxt_futures_trigger_order_opens_on_the_side_where_the_price_is_not(sandbox, swap):
    higher = swap.create_order(SWAP, "market", "buy", 0.1, None, {"triggerPrice": 51000})
    lower = swap.create_order(SWAP, "market", "buy", 0.2, None, {"triggerPrice": 49000})
    sandbox.price(SPOT, 51000)
    assert swap.fetch_order(higher["id"], SWAP)["status"] == "closed"
    assert swap.fetch_order(lower["id"], SWAP)["status"] == "open"
    sandbox.price(SPOT, 49000)
    assert swap.fetch_order(lower["id"], SWAP)["status"] == "closed"


def test_ccxt_sees_the_exchanges_own_refusals(sandbox, spot, swap):
    with pytest.raises(ccxt.InsufficientFunds):
        spot.create_order(SPOT, "market", "buy", 100)
    with pytest.raises(ccxt.InsufficientFunds):
        swap.create_order(SWAP, "market", "buy", 10000)
    swap.create_order(SWAP, "limit", "buy", 0.1, 40000, {"clientOrderId": "twice"})
    with pytest.raises(ccxt.DuplicateOrderId):
        swap.create_order(SWAP, "limit", "buy", 0.1, 40000, {"clientOrderId": "TWICE"})
    with pytest.raises(ccxt.OrderNotFound):
        swap.fetch_order("1", SWAP)
    for key in ({"key": "unknown", "secret": "secret"}, {**spot_keys(spot), "secret": "wrong"}):
        with pytest.raises(ccxt.AuthenticationError):
            ccxt_client(sandbox, key, "spot").fetch_balance()


def spot_keys(client: Any) -> dict[str, str]:
    return {"key": client.apiKey, "secret": client.secret}


def test_ccxt_switches_to_hedge_mode_and_closes_one_side(swap):
    swap.set_position_mode(True, SWAP)
    assert swap.fetch_position_mode(SWAP)["hedged"] is True
    swap.create_order(SWAP, "market", "buy", 0.1, None, {"hedged": True})
    swap.create_order(SWAP, "market", "sell", 0.2, None, {"hedged": True})
    held = {each["side"]: each["contracts"] for each in swap.fetch_positions([SWAP])}
    assert held == {"long": 0.1, "short": 0.2}
    swap.create_order(SWAP, "market", "sell", 0.1, None, {"hedged": True, "reduceOnly": True})
    assert [each["side"] for each in swap.fetch_positions([SWAP])] == ["short"]


def test_ccxt_places_several_orders_at_once(spot, swap):
    selling = {"type": "limit", "side": "buy", "amount": 0.1}
    for client, symbol in ((spot, "BTC/USDT"), (swap, "BTC/USDT:USDT")):
        orders = [selling | {"symbol": symbol, "price": price} for price in (40000, 41000)]
        placed = client.create_orders(orders)
        listed = {each["id"]: each["price"] for each in client.fetch_open_orders(symbol)}
        assert listed == {placed[0]["id"]: 40000, placed[1]["id"]: 41000}


def test_a_batch_takes_five_orders_and_side_by_side_those_of_one_kind_only(spot, swap):
    word = '{"symbol":"BTC-USDT","side":"%s","type":"LIMIT","quantity":0.1,"price":40000,"timeInForce":"GTC"}'
    six = f"[{','.join([word % 'BUY'] * 6)}]"
    for place, name in (
        (spot.spot_v1_private_post_trade_batchorders, "data"),
        (swap.swap_v2_private_post_trade_batchorders, "batchOrders"),
    ):
        for wrong in (six, "[]", "[1]", "{", '"no"'):
            with pytest.raises(ccxt.BadRequest):
                place({name: wrong})
    both = f"[{word % 'BUY'},{(word % 'SELL').replace('0.1', '9000')}]"
    with pytest.raises(ccxt.BadRequest):
        spot.spot_v1_private_post_trade_batchorders({"data": both})
    told = spot.spot_v1_private_post_trade_batchorders({"data": both, "sync": "true"})
    assert [each["status"] for each in told["data"]["orders"]] == ["PENDING", "FAILED"], (
        "there is no BTC to sell"
    )


def test_ccxt_cancels_everything_of_a_market(spot, swap):
    for client, symbol in ((spot, SPOT), (swap, SWAP)):
        client.create_order(symbol, "limit", "buy", 0.1, 40000)
        client.create_order(symbol, "limit", "buy", 0.1, 41000)
        client.cancel_all_orders(symbol)
        assert client.fetch_open_orders(symbol) == []


@pytest.mark.parametrize("kind", ["spot", "swap"])
def test_ccxt_reads_books_fills_and_histories_and_replaces_and_cancels_several(spot, swap, kind):
    client, symbol = (spot, SPOT) if kind == "spot" else (swap, SWAP)
    assert client.fetch_order_book(symbol)["bids"] == [[50000, 1000]]
    assert (
        client.fetch_tickers([symbol])[symbol]["last"]
        == client.fetch_bids_asks([symbol])[symbol]["bid"]
        == 50000
    )
    bought = client.create_order(symbol, "market", "buy", 0.1, 50000)
    assert [each["amount"] for each in client.fetch_my_trades(symbol)] == [pytest.approx(0.1, abs=1e-5)]
    order = client.create_order(symbol, "limit", "buy", 0.1, 40000)
    changed = client.edit_order(order["id"], symbol, "limit", "buy", 0.2, 41000)
    (left,) = client.fetch_open_orders(symbol)
    assert (left["id"], left["price"], left["amount"]) == (changed["id"], 41000, 0.2)
    assert [each["id"] for each in client.cancel_orders([left["id"]], symbol)] == [left["id"]]
    ended = {each["id"]: each["status"] for each in client.fetch_closed_orders(symbol)}
    assert ended == {bought["id"]: "closed"}


def test_ccxt_futures_order_brings_its_stop_and_target_along_and_is_closed_whole(sandbox, swap):
    legs = {"stopLoss": {"triggerPrice": 45000}, "takeProfit": {"triggerPrice": 60000}}
    swap.create_order(SWAP, "limit", "buy", 0.1, 49000, legs)
    (entry,) = swap.fetch_open_orders(SWAP)
    assert (entry["stopLossPrice"], entry["takeProfitPrice"]) == (45000, 60000)
    sandbox.price("BTC/USDT", 48900)
    waiting = swap.fetch_open_orders(SWAP)
    assert {(each["info"]["stopPrice"], each["amount"]) for each in waiting} == {
        ("45000.0", 0.1),
        ("60000.0", 0.1),
    }
    swap.close_position(SWAP)
    assert (swap.fetch_positions([SWAP]), swap.fetch_open_orders(SWAP)) == ([], [])


def test_strictly_typed_clients_find_the_fields_that_they_insist_on(spot, swap):
    contract = swap.swap_v2_public_get_quote_contracts()["data"][0]
    assert (contract["triggerFeeRate"], contract["brokerState"], contract["offTime"]) == (
        "0.0005",
        "false",
        0,
    )
    leverage = swap.swap_v2_private_get_trade_leverage({"symbol": "BTC-USDT"})["data"]
    assert (leverage["availableLongVal"], leverage["availableShortVol"]) == ("1000000", "20")
    told = spot.spot_v1_private_get_trade_openorders({"symbol": "BTC-USDT"})
    assert (told["debugMsg"], told["data"]) == ("", {"orders": []})


def test_a_stop_that_closes_the_position_needs_no_quantity(sandbox, swap):
    swap.create_order(SWAP, "market", "buy", 0.1)
    stop = {
        "symbol": "BTC-USDT",
        "side": "SELL",
        "positionSide": "BOTH",
        "type": "STOP_MARKET",
        "stopPrice": "45000",
    }
    swap.swap_v2_private_post_trade_order({**stop, "closePosition": "true"})
    sandbox.price("BTC/USDT", 44000)
    assert swap.fetch_positions([SWAP]) == []


# -- our venues --------------------------------------------------------------------------------------------


class Ours:
    """One of our venues with an account; orders in few words."""

    def __init__(self, pool: Pool, name: str, keys: dict[str, str]) -> None:
        connection = pool.connection(name, Environment.SANDBOX)
        connection.refresh()
        venue: Any = connection.venue
        venue.pause = lambda seconds: None
        self.venue = venue
        self.instrument = connection.table.find("BTCUSDT")
        self.keys = Credentials(keys["key"], keys["secret"])
        self._count = 0

    def place(self, side: str, kind: str, quantity: str | None, **words: Any) -> Report:
        self._count += 1
        for number in ("price", "trigger_price", "quote_quantity"):
            if number in words:
                words[number] = Decimal(words[number])
        words.setdefault("client_id", self.venue.client_id(f"{self._count:026d}"))
        amount = None if quantity is None else Decimal(quantity)
        request = OrderRequest(
            instrument=self.instrument, side=Side(side), type=OrderType(kind), quantity=amount, **words
        )
        return self.venue.place(self.keys, request)  # type: ignore[no-any-return]

    def fetch(self, report: Report) -> Report:
        return self.venue.fetch(self.keys, self.instrument, report.ref)  # type: ignore[no-any-return]

    def cancel(self, report: Report) -> None:
        self.venue.cancel(self.keys, self.instrument, report.ref)

    def open(self) -> list[Report]:
        return self.venue.open_orders(self.keys, self.instrument)  # type: ignore[no-any-return]

    def positions(self) -> list[Position]:
        return self.venue.positions(self.keys)  # type: ignore[no-any-return]


@pytest.fixture
def cash(pool: Pool, keys: dict[str, str]) -> Ours:
    return Ours(pool, "BingX", keys)


@pytest.fixture
def futures(pool: Pool, keys: dict[str, str]) -> Ours:
    return Ours(pool, "BingX_F", keys)


def placements(sandbox: Sandbox, ours: Ours) -> int:
    calls = sandbox.state(ours.venue.name, ours.keys.key)["calls"]
    return sum(each["path"].endswith("/trade/order") and each["method"] == "POST" for each in calls)


def test_both_clients_see_the_same_order(spot, swap, cash, futures):
    for theirs, symbol, ours in ((spot, SPOT, cash), (swap, SWAP, futures)):
        placed = ours.place("buy", "limit", "0.1", price="40000.5", post_only=True)
        found = theirs.fetch_order(placed.exchange_id, symbol)
        assert (found["price"], found["amount"], found["clientOrderId"]) == (40000.5, 0.1, placed.client_id)
        made = theirs.create_order(symbol, "limit", "buy", 0.2, 41000)
        listed = {each.exchange_id: each for each in ours.open()}
        assert (listed[made["id"]].price, listed[made["id"]].quantity) == (Decimal(41000), Decimal("0.2"))


def test_spot_by_base_and_by_quote_tells_fill_price_and_fee(cash):
    bought = cash.fetch(cash.place("buy", "market", "0.1"))
    assert (bought.status, bought.average_price) == (OrderStatus.FILLED, Decimal("50000.01"))
    assert bought.fee is not None
    assert (bought.fee.asset, bought.fee.amount) == ("BTC", Decimal("0.0001"))
    spent = cash.fetch(cash.place("buy", "market", None, quote_quantity="1000"))
    assert (spent.status, spent.quantity, spent.filled) == (OrderStatus.FILLED, None, Decimal("0.019999"))
    sold = cash.fetch(cash.place("sell", "market", "0.1"))
    assert sold.fee is not None
    assert (sold.fee.asset, sold.fee.amount) == ("USDT", Decimal(5))


def test_orders_that_do_not_rest_end_as_they_should(cash, futures):
    for ours in (cash, futures):
        taken = ours.fetch(ours.place("buy", "limit", "0.1", price="50100", time_in_force=TimeInForce.IOC))
        assert taken.status is OrderStatus.FILLED
        for force in (TimeInForce.IOC, TimeInForce.FOK):
            nobody = ours.fetch(ours.place("buy", "limit", "0.1", price="40000", time_in_force=force))
            assert (nobody.status, nobody.filled) == (OrderStatus.CANCELLED, 0)
        with pytest.raises(PostOnlyRefused):
            ours.place("buy", "limit", "0.1", price="50100", post_only=True)


def test_a_part_filled_order_tells_its_part(sandbox, futures):
    sandbox.fault("partial_fill", venue="BingX_F", count=1)
    part = futures.fetch(futures.place("buy", "limit", "0.1", price="50100"))
    assert (part.status, part.filled, part.average_price) == (
        OrderStatus.OPEN,
        Decimal("0.05"),
        Decimal("50000.1"),
    )
    assert [each.filled for each in futures.open()] == [Decimal("0.05")]


def test_protection_of_a_position_runs_to_its_end(sandbox, futures):
    """Entry, stop and target placed, the price moves, the target fills, and the stop ends with the position."""
    futures.place("buy", "market", "0.1")
    stop = futures.place("sell", "stop", "0.1", trigger_price="49000", reduce_only=True)
    target = futures.place("sell", "take_profit", "0.1", trigger_price="52000", reduce_only=True)
    assert {(each.type, each.reduce_only) for each in futures.open()} == {
        (OrderType.STOP, True),
        (OrderType.TAKE_PROFIT, True),
    }
    sandbox.price("BTC/USDT", "52000")
    filled = futures.fetch(target)
    assert (filled.status, filled.average_price) == (OrderStatus.FILLED, Decimal(52000))
    assert filled.fee is not None
    assert (filled.fee.asset, filled.fee.amount) == ("USDT", Decimal("2.6"))
    assert futures.positions() == []
    assert futures.open() == []
    assert futures.fetch(stop).status is OrderStatus.CANCELLED
    with pytest.raises(OrderNotFound):
        futures.cancel(stop)


def test_protection_of_a_part_is_ended_by_a_cancel(sandbox, futures):
    futures.place("buy", "market", "0.2")
    stop = futures.place("sell", "stop", "0.1", trigger_price="49000", reduce_only=True)
    futures.place("sell", "take_profit_limit", "0.1", trigger_price="52000", price="51990", reduce_only=True)
    sandbox.price("BTC/USDT", "52000")
    assert [each.exchange_id for each in futures.open()] == [stop.exchange_id]
    futures.cancel(stop)
    assert futures.open() == []


def test_protection_of_coins_runs_to_its_end(sandbox, cash):
    cash.place("buy", "market", "0.1")
    stop = cash.place("sell", "stop", "0.09", trigger_price="49000")
    assert [(each.type, each.trigger_price) for each in cash.open()] == [(OrderType.STOP, Decimal(49000))]
    cash.cancel(stop)
    target = cash.place("sell", "take_profit_limit", "0.09", trigger_price="52000", price="51990")
    assert [each.type for each in cash.open()] == [OrderType.TAKE_PROFIT_LIMIT]
    sandbox.price("BTC/USDT", "52000")
    filled = cash.fetch(target)
    assert (filled.status, filled.average_price) == (OrderStatus.FILLED, Decimal(52000))
    assert cash.open() == []


def test_coins_can_be_held_by_one_waiting_order_only(cash):
    cash.place("sell", "stop", "2", trigger_price="49000")
    with pytest.raises(InsufficientFunds):
        cash.place("sell", "take_profit", "2", trigger_price="52000")


def test_a_trigger_that_was_crossed_is_refused_and_nothing_stands(sandbox, cash, futures):
    futures.place("buy", "market", "0.1")
    for ours, reduces in ((cash, False), (futures, True)):
        for kind, trigger in (("stop", "51000"), ("take_profit", "49000")):
            with pytest.raises(WouldTrigger):
                ours.place("sell", kind, "0.1", trigger_price=trigger, reduce_only=reduces)
        assert ours.open() == []
    with pytest.raises(WouldTrigger):
        futures.place("buy", "stop", "0.1", trigger_price="49000")
    assert placements(sandbox, cash) == 0, "a spot trigger has no direction that the exchange could check"


def test_an_entry_at_a_trigger_waits_and_opens(sandbox, futures):
    placed = futures.place("buy", "stop_limit", "0.1", trigger_price="51000", price="51050")
    assert [(each.type, each.price) for each in futures.open()] == [(OrderType.STOP_LIMIT, Decimal(51050))]
    sandbox.price("BTC/USDT", "51000")
    assert futures.fetch(placed).status is OrderStatus.FILLED
    assert futures.positions()[0].quantity == Decimal("0.1")


def test_hedge_mode_is_read_and_each_side_is_closed_by_its_own_orders(sandbox, pool):
    hedged = Ours(pool, "BingX_F", sandbox.account("bingx", position_mode="hedge"))
    assert hedged.venue.position_mode(hedged.keys, hedged.instrument) is PositionMode.HEDGE
    with pytest.raises(ModeMismatch):
        hedged.place("buy", "market", "0.1")
    hedged.place("buy", "market", "0.1", position_side=Direction.LONG)
    hedged.place("sell", "market", "0.2", position_side=Direction.SHORT)
    hedged.place("buy", "stop", "0.2", trigger_price="51000", reduce_only=True, position_side=Direction.SHORT)
    assert [(each.position_side, each.reduce_only) for each in hedged.open()] == [(Direction.SHORT, True)]
    sandbox.price("BTC/USDT", "51000")
    assert [(each.direction, each.quantity) for each in hedged.positions()] == [
        (Direction.LONG, Decimal("0.1"))
    ]


def test_an_order_of_hedge_mode_is_a_mismatch_in_one_way_mode(futures):
    with pytest.raises(ModeMismatch):
        futures.place("buy", "market", "0.1", position_side=Direction.LONG)


def test_leverage_and_margin_mode_are_set_once(sandbox, futures):
    for _ in range(2):
        futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(5), MarginMode.ISOLATED)
    calls = sandbox.state("BingX_F", futures.keys.key)["calls"]
    assert sum(each["method"] == "POST" for each in calls) == 2
    futures.place("buy", "market", "0.1")
    (position,) = futures.positions()
    assert (position.leverage, position.margin_mode) == (Decimal(5), MarginMode.ISOLATED)


def test_leverage_in_hedge_mode_is_set_for_both_sides(sandbox, pool):
    hedged = Ours(pool, "BingX_F", sandbox.account("bingx", position_mode="hedge"))
    hedged.venue.set_leverage(hedged.keys, hedged.instrument, Decimal(3), None)
    calls = sandbox.state("BingX_F", hedged.keys.key)["calls"]
    assert [each["params"]["side"] for each in calls if each["method"] == "POST"] == ["LONG", "SHORT"]
    with pytest.raises(InvalidOrder):
        hedged.venue.set_leverage(hedged.keys, hedged.instrument, Decimal(500), None)


def test_a_market_order_whose_answer_was_lost_is_found_by_its_client_id(sandbox, futures, cash):
    for ours in (futures, cash):
        sandbox.fault("drop_after", venue=ours.venue.name, count=1)
        client_id = ours.venue.client_id("01JD3X8K2MQZV7W5N9TRH4BCYE")
        with pytest.raises(OutcomeUnknown):
            ours.place("buy", "market", "0.1", client_id=client_id)
        found = ours.venue.fetch(ours.keys, ours.instrument, OrderRef(client_id=client_id))
        assert (found.status, found.client_id) == (OrderStatus.FILLED, client_id)
        assert placements(sandbox, ours) == 1


def test_a_lost_spot_stop_is_found_by_its_client_id(sandbox, cash):
    sandbox.fault("drop_after", venue="BingX", count=1)
    with pytest.raises(OutcomeUnknown):
        cash.place("sell", "stop", "0.1", trigger_price="49000", client_id="flost")
    found = cash.venue.fetch(cash.keys, cash.instrument, OrderRef(client_id="flost", conditional=True))
    assert (found.type, found.status) == (OrderType.STOP, OrderStatus.OPEN)


@pytest.mark.parametrize("reduces", [True, False])
def test_a_lost_perpetual_stop_is_found_by_its_terms(sandbox, futures, reduces):
    futures.place("sell", "market", "0.2")
    futures.place("buy", "stop", "0.05", trigger_price="51000", reduce_only=reduces)
    sandbox.fault("drop_after", venue="BingX_F", count=1)
    found = futures.place("buy", "stop", "0.1", trigger_price="51000", reduce_only=reduces)
    assert (found.type, found.status, found.quantity) == (OrderType.STOP, OrderStatus.OPEN, Decimal("0.1"))
    assert found.exchange_id in {each.exchange_id for each in futures.open()}
    assert placements(sandbox, futures) == 3, "not sent again"


def exits(futures: Ours, quantity: str = "0.1") -> list[OrderRequest]:
    """A stop and a target of a short position, and a target that rests."""
    words: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("fstop", "stop", {"trigger_price": Decimal(51000)}),
        ("ftake", "take_profit", {"trigger_price": Decimal(49000)}),
        ("frest", "limit", {"price": Decimal(48000)}),
    )
    return [
        OrderRequest(
            futures.instrument,
            client_id,
            Side.BUY,
            OrderType(kind),
            Decimal(quantity),
            reduce_only=True,
            **prices,
        )
        for client_id, kind, prices in words
    ]


def batches(sandbox: Sandbox, ours: Ours) -> int:
    calls = sandbox.state(ours.venue.name, ours.keys.key)["calls"]
    return sum(1 for each in calls if each["path"].endswith("/batchOrders"))


def test_stop_and_targets_go_out_in_one_batch(sandbox, futures):
    futures.place("sell", "market", "0.1")
    told = futures.venue.place_many(futures.keys, exits(futures))
    assert [each.exchange_id for each in told] == [
        next(each.exchange_id for each in futures.open() if each.type is order.type)
        for order in exits(futures)
    ]
    assert (batches(sandbox, futures), placements(sandbox, futures)) == (1, 1)


def test_exits_whose_batch_lost_its_answer_are_found_and_not_sent_again(sandbox, futures):
    futures.place("sell", "market", "0.1")
    sandbox.fault("drop_after", venue="BingX_F", count=1)
    stop, take, rest = futures.venue.place_many(futures.keys, exits(futures))
    assert (stop.type, take.type) == (OrderType.STOP, OrderType.TAKE_PROFIT)
    assert isinstance(rest, OutcomeUnknown), "looked for by our id"
    assert futures.venue.fetch(futures.keys, futures.instrument, OrderRef("frest")).type is OrderType.LIMIT
    assert len(futures.open()) == 3
    assert batches(sandbox, futures) == 1


def test_exits_whose_batch_never_arrived_may_be_sent_again(sandbox, futures):
    futures.place("sell", "market", "0.1")
    sandbox.fault("drop_before", venue="BingX_F", count=1)
    stop, take, rest = futures.venue.place_many(futures.keys, exits(futures))
    assert [each.kind for each in (stop, take, rest)] == ["NOT_SENT", "NOT_SENT", "OUTCOME_UNKNOWN"]
    assert futures.open() == []


def test_exits_refused_for_one_reason_are_refused_with_it(sandbox, futures):
    told = futures.venue.place_many(futures.keys, exits(futures)[:2])
    assert [each.kind for each in told] == ["NO_POSITION"] * 2


def test_exits_refused_for_a_reason_each_may_be_sent_again_and_are_told_it_then(sandbox, futures):
    """Stops and targets that are larger than the position have a code each, and rows of errors name no order."""
    futures.place("sell", "market", "0.1")
    told = futures.venue.place_many(futures.keys, exits(futures, "0.2")[:2])
    assert [each.kind for each in told] == ["NOT_SENT", "NOT_SENT"]
    assert futures.open() == []
    with pytest.raises(InvalidOrder):
        futures.place("buy", "stop", "0.2", trigger_price="51000", reduce_only=True)


def test_a_perpetual_stop_that_never_arrived_may_be_sent_again_and_an_entry_is_left_unknown(sandbox, futures):
    futures.place("sell", "market", "0.1")
    for reduces, raised in ((True, "NOT_SENT"), (False, "OUTCOME_UNKNOWN")):
        sandbox.fault("drop_before", venue="BingX_F", count=1)
        with pytest.raises(Exception) as caught:  # noqa: PT011 - told apart by its kind
            futures.place("buy", "stop", "0.1", trigger_price="51000", reduce_only=reduces)
        assert getattr(caught.value, "kind", "") == raised
    assert futures.open() == []


def test_everything_open_is_cancelled_at_once(futures, cash):
    for ours in (futures, cash):
        ours.place("buy", "limit", "0.1", price="40000")
        ours.place("buy", "stop", "0.1", trigger_price="51000")
        assert len(ours.venue.open_orders(ours.keys)) == 2
        ours.venue.cancel_all(ours.keys, ours.instrument)
        assert ours.open() == []


def test_refusals_have_our_classes(sandbox, futures, cash):
    with pytest.raises(NothingToReduce):
        futures.place("sell", "market", "0.1", reduce_only=True)
    with pytest.raises(NothingToReduce):
        futures.place("sell", "stop", "0.1", trigger_price="49000", reduce_only=True)
    for ours in (futures, cash):
        with pytest.raises(InvalidOrder):
            ours.place("buy", "limit", "0.0001", price="10")
        with pytest.raises(OrderNotFound):
            ours.venue.fetch(ours.keys, ours.instrument, OrderRef(client_id="fneversent"))
        ours.place("buy", "limit", "0.1", price="40000", client_id="ftwice")
        with pytest.raises(DuplicateOrder):
            ours.place("buy", "limit", "0.1", price="40000", client_id="ftwice")
        with pytest.raises(AuthRefused):
            ours.venue.key_info(Credentials("unknown", "secret"))


def test_a_key_that_may_only_read_is_refused(sandbox, pool):
    reader = sandbox.account("bingx", permissions=["read"])
    for name in ("BingX", "BingX_F"):
        with pytest.raises(AuthRefused):
            Ours(pool, name, reader).place("buy", "market", "0.1")


def test_a_market_the_exchange_does_not_list_is_unknown(cash, futures):
    for ours in (cash, futures):
        ours.instrument = replace(ours.instrument, symbol="NOPE-USDT")
        with pytest.raises(UnknownSymbol):
            ours.place("buy", "market", "0.1")
        with pytest.raises(UnknownSymbol):
            ours.venue.quote(ours.instrument)


def test_stops_of_a_position_are_together_not_larger_than_it(futures):
    """So that an old one has to go before the new one comes."""
    futures.place("buy", "market", "0.1")
    futures.place("sell", "take_profit", "0.1", trigger_price="52000", reduce_only=True)
    futures.place("sell", "stop", "0.06", trigger_price="49000", reduce_only=True)
    with pytest.raises(InvalidOrder):
        futures.place("sell", "stop", "0.05", trigger_price="49500", reduce_only=True)
    futures.place("sell", "stop", "0.04", trigger_price="49500", reduce_only=True)
    assert len(futures.open()) == 3


def test_a_key_tells_what_it_may_do(sandbox, cash, futures):
    risky = sandbox.account("bingx", permissions=["read", "trade", "withdraw"])
    for ours in (cash, futures):
        assert ours.venue.key_info(ours.keys).can_withdraw is False
        told = ours.venue.key_info(Credentials(risky["key"], risky["secret"]))
        assert (told.can_trade, told.can_withdraw, told.ip_locked) == (True, True, False)


def test_balances_free_less_what_orders_and_positions_hold(sandbox, futures, cash):
    cash.place("buy", "limit", "0.1", price="40000")
    assert cash.venue.balances(cash.keys)["USDT"].free == Decimal(96000)
    futures.place("buy", "market", "0.1")
    sandbox.price("BTC/USDT", "51000")
    equity = futures.venue.balances(futures.keys)["USDT"]
    paid = Decimal("50000.1") * Decimal("0.1") * Decimal("0.0005")
    assert equity.total == Decimal(100_000) - paid + Decimal("99.99")
    (position,) = futures.positions()
    assert (position.unrealised, position.mark_price) == (Decimal("99.99"), Decimal(51000))


def test_a_clock_behind_the_exchange_is_measured_and_the_order_still_sent_once(sandbox, futures):
    futures.venue.clock.offset_ms -= 90_000
    futures.place("buy", "market", "0.1")
    assert placements(sandbox, futures) == 2, "refused for its time, then accepted"
    assert futures.positions()[0].quantity == Decimal("0.1")


def test_a_rate_refusal_is_a_definite_no_and_tells_when_to_come_back(sandbox, futures):
    sandbox.fault("throttle", venue="BingX_F", count=1)
    with pytest.raises(Throttled) as caught:
        futures.place("buy", "market", "0.1")
    assert caught.value.retry_after is not None
    assert caught.value.code == "100410"
    assert sandbox.state("BingX_F", futures.keys.key)["orders"] == []
