"""Phemex in the sandbox, traded by ccxt and by our venues: two that agree."""

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
    Throttled,
    Unsupported,
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
    return sandbox.account("phemex", balances={"USDT": "100000", "BTC": "2"})


# -- ccxt --------------------------------------------------------------------------------------------------


def ccxt_client(sandbox: Sandbox, keys: dict[str, str], kind: str) -> Any:
    words = {"apiKey": keys["key"], "secret": keys["secret"], "enableRateLimit": False}
    made = ccxt.phemex({**words, "options": {"defaultType": kind, "createOrderByQuoteRequiresPrice": False}})
    base = sandbox.venue("Phemex" if kind == "spot" else "Phemex_F")
    made.urls["api"] = {"v1": f"{base}/v1", "v2": base, "public": f"{base}/exchange/public", "private": base}
    return made


@pytest.fixture
def spot(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    return ccxt_client(sandbox, keys, "spot")


@pytest.fixture
def swap(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    return ccxt_client(sandbox, keys, "swap")


def test_ccxt_loads_markets_with_steps_ticks_and_prices(spot, swap):
    markets = spot.load_markets()
    assert (markets[SPOT]["id"], markets[SPOT]["precision"]) == (
        "sBTCUSDT",
        {"amount": 1e-06, "price": 0.01},
    )
    assert markets[SPOT]["limits"]["cost"]["min"] == 10
    assert (markets[SWAP]["id"], markets[SWAP]["contractSize"]) == ("BTCUSDT", 1)
    assert markets[SWAP]["precision"] == {"amount": 0.001, "price": 0.1}
    assert markets[SWAP]["limits"]["leverage"]["max"] == 100
    assert {"ETH/USDT", "SOL/USDT:USDT"} <= set(markets)
    assert spot.fetch_ticker(SPOT)["ask"] == 50000.01
    assert swap.fetch_ticker(SWAP)["last"] == 50000


def test_ccxt_spot_market_buy_fills_and_pays_its_fee_in_coins(spot):
    order = spot.create_order(SPOT, "market", "buy", 0.1)
    found = spot.fetch_order(order["id"], SPOT)
    assert (found["status"], found["filled"], found["average"]) == ("closed", 0.1, 50000.01)
    assert Decimal(found["fee"]["cost"]) == Decimal("0.0001")
    assert spot.fetch_balance()["BTC"]["total"] == pytest.approx(2.0999)


def test_ccxt_spot_market_buy_by_cost_spends_that_much(spot):
    order = spot.create_order(SPOT, "market", "buy", 1000, None, {"qtyType": "ByQuote"})
    assert spot.fetch_order(order["id"], SPOT)["cost"] == pytest.approx(1000, abs=0.06)


def test_ccxt_spot_limit_order_rests_locks_and_is_cancelled(spot):
    order = spot.create_order(SPOT, "limit", "buy", 0.1, 40000, {"clientOrderId": "mine-1"})
    assert [each["id"] for each in spot.fetch_open_orders(SPOT)] == [order["id"]]
    assert spot.fetch_balance()["USDT"]["free"] == 96000
    spot.cancel_order(order["id"], SPOT)
    assert spot.fetch_open_orders(SPOT) == []
    found = spot.fetch_order(None, SPOT, {"clientOrderId": "mine-1"})
    assert (found["status"], found["id"]) == ("canceled", order["id"])


def test_ccxt_spot_stop_waits_fires_and_sells(sandbox, spot):
    stop = spot.create_order(SPOT, "market", "sell", 1, None, {"triggerPrice": 45000})
    target = spot.create_order(SPOT, "LimitIfTouched", "sell", 1, 55000, {"triggerPrice": 54000})
    waiting = spot.fetch_open_orders(SPOT)
    assert {each["triggerPrice"] for each in waiting} == {45000, 54000}
    assert spot.fetch_balance()["BTC"]["free"] == 0, "what waits holds its coins"
    sandbox.price(SPOT, 44990)
    fired = spot.fetch_order(stop["id"], SPOT)
    assert (fired["status"], fired["average"]) == ("closed", 44990)
    spot.cancel_order(target["id"], SPOT)
    assert spot.fetch_open_orders(SPOT) == []


def test_ccxt_futures_market_order_opens_a_position_with_its_leverage(swap):
    swap.set_leverage(5, SWAP)
    order = swap.create_order(SWAP, "market", "buy", 0.1)
    found = swap.fetch_order(order["id"], SWAP)
    assert (found["status"], found["filled"], found["average"]) == ("closed", 0.1, 50000.1)
    (position,) = [each for each in swap.fetch_positions([SWAP]) if each["contracts"]]
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 0.1, 50000.1)
    assert (position["leverage"], position["marginMode"], position["hedged"]) == (5, "isolated", False)
    balance = swap.fetch_balance({"type": "swap"})["USDT"]
    assert balance["used"] == pytest.approx(1000, abs=1)


def test_ccxt_futures_limit_order_is_listed_and_cancelled(swap):
    order = swap.create_order(SWAP, "limit", "buy", 0.1, 40000, {"clientOrderId": "resting"})
    (listed,) = swap.fetch_open_orders(SWAP)
    assert (listed["id"], listed["clientOrderId"], listed["price"]) == (order["id"], "resting", 40000)
    swap.cancel_order(order["id"], SWAP)
    assert swap.fetch_open_orders(SWAP) == []
    with pytest.raises(ccxt.OrderNotFound):
        swap.cancel_order(order["id"], SWAP)


def test_ccxt_futures_stop_and_take_profit_wait_and_fire(sandbox, swap):
    swap.create_order(SWAP, "market", "buy", 0.2)
    reduce = {"reduceOnly": True, "triggerType": "ByLastPrice"}
    down = {"triggerPrice": 49000, "triggerDirection": "descending", **reduce}
    up = {"triggerPrice": 52000, "triggerDirection": "ascending", **reduce}
    stop = swap.create_order(SWAP, "market", "sell", 0.1, None, down)
    target = swap.create_order(SWAP, "market", "sell", 0.1, None, up)
    assert {each["triggerPrice"] for each in swap.fetch_open_orders(SWAP)} == {49000, 52000}
    sandbox.price(SPOT, 52000)
    assert swap.fetch_order(target["id"], SWAP)["average"] == 52000
    sandbox.price(SPOT, 48990)
    assert swap.fetch_order(stop["id"], SWAP)["average"] == 48990
    assert [each for each in swap.fetch_positions([SWAP]) if each["contracts"]] == []


def test_ccxt_finds_orders_of_a_symbol_whatever_became_of_them(swap):
    filled = swap.create_order(SWAP, "market", "buy", 0.1)
    resting = swap.create_order(SWAP, "limit", "buy", 0.1, 40000)
    found = {each["id"]: (each["status"], each["side"]) for each in swap.fetch_orders(SWAP)}
    assert found == {filled["id"]: ("closed", "buy"), resting["id"]: ("open", "buy")}


def test_ccxt_sees_the_exchanges_own_refusals(sandbox, spot, swap):
    with pytest.raises(ccxt.InsufficientFunds):
        spot.create_order(SPOT, "market", "buy", 100)
    with pytest.raises(ccxt.InsufficientFunds):
        swap.create_order(SWAP, "market", "buy", 1000)
    with pytest.raises(ccxt.InvalidOrder):
        swap.create_order(SWAP, "market", "sell", 0.1, None, {"reduceOnly": True})
    swap.create_order(SWAP, "limit", "buy", 0.1, 40000, {"clientOrderId": "twice"})
    with pytest.raises(ccxt.DuplicateOrderId):
        swap.create_order(SWAP, "limit", "buy", 0.1, 40000, {"clientOrderId": "twice"})
    with pytest.raises(ccxt.OrderNotFound):
        spot.fetch_order("no-such-order", SPOT)
    stranger = ccxt_client(sandbox, {"key": "unknown", "secret": "secret"}, "spot")
    with pytest.raises(ccxt.AuthenticationError):
        stranger.fetch_balance()


def test_ccxt_switches_to_hedge_mode_and_closes_one_side(swap):
    swap.load_markets()
    swap.set_position_mode(True, SWAP)
    swap.create_order(SWAP, "market", "buy", 0.1, None, {"hedged": True})
    swap.create_order(SWAP, "market", "sell", 0.2, None, {"hedged": True})
    held = {each["side"]: each["contracts"] for each in swap.fetch_positions([SWAP])}
    assert held == {"long": 0.1, "short": 0.2}
    swap.create_order(SWAP, "market", "sell", 0.1, None, {"hedged": True, "reduceOnly": True})
    open_now = [each["side"] for each in swap.fetch_positions([SWAP]) if each["contracts"]]
    assert open_now == ["short"]


@pytest.mark.parametrize("kind", ["spot", "swap"])
def test_ccxt_reads_books_and_histories_and_changes_orders(spot, swap, kind):
    client, symbol = (spot, SPOT) if kind == "spot" else (swap, SWAP)
    assert (
        client.fetch_order_book(symbol)["bids"][0][0]
        == client.fetch_tickers([symbol])[symbol]["last"]
        == 50000
    )
    bought = client.create_order(symbol, "market", "buy", 0.1)
    order = client.create_order(symbol, "limit", "buy", 0.1, 40000)
    client.edit_order(order["id"], symbol, "limit", "buy", 0.2, 41000)
    (left,) = client.fetch_open_orders(symbol)
    assert (left["id"], left["price"], left["amount"]) == (order["id"], 41000, 0.2)
    assert bought["id"] in [each["id"] for each in client.fetch_closed_orders(symbol)]


def test_fills_are_told_by_either_address(spot, swap):
    bought = spot.create_order(SPOT, "market", "buy", 0.1)
    assert [(each["order"], each["price"]) for each in spot.fetch_my_trades(SPOT)] == [
        (bought["id"], 50000.01)
    ]
    swap.create_order(SWAP, "market", "buy", 0.1)
    (listed,) = swap.private_get_api_data_g_futures_trades({"symbol": "BTCUSDT"})["data"]
    (trade,) = swap.fetch_my_trades(SWAP)
    assert (trade["amount"], trade["price"], listed["execPriceRp"]) == (0.1, 50000.1, "50000.1")


def test_ccxt_futures_order_brings_its_stop_and_target_along(sandbox, swap):
    legs = {"stopLoss": {"triggerPrice": 45000}, "takeProfit": {"triggerPrice": 60000}}
    order = swap.create_order(SWAP, "limit", "buy", 0.1, 49000, legs)
    assert (order["stopLossPrice"], order["takeProfitPrice"]) == (45000, 60000)
    sandbox.price("BTC/USDT", 48900)
    waiting = {(each["info"]["orderType"], each["triggerPrice"]) for each in swap.fetch_open_orders(SWAP)}
    assert waiting == {("Stop", 45000), ("MarketIfTouched", 60000)}
    sandbox.price("BTC/USDT", 44900)
    assert sandbox.state("Phemex_F", swap.apiKey)["positions"] == []
    assert swap.fetch_open_orders(SWAP) == []


# -- our venues --------------------------------------------------------------------------------------------


class Ours:
    """One of our venues with an account; orders in few words."""

    def __init__(self, pool: Pool, name: str, keys: dict[str, str]) -> None:
        connection = pool.connection(name, Environment.SANDBOX)
        connection.refresh()
        self.venue: Any = connection.venue
        self.instrument = connection.table.find("BTCUSDT")
        self.keys = Credentials(keys["key"], keys["secret"])
        self._count = 0

    def place(self, side: str, kind: str, quantity: str | None, **words: Any) -> Report:
        self._count += 1
        for number in ("price", "trigger_price", "quote_quantity"):
            if number in words:
                words[number] = Decimal(words[number])
        words.setdefault("client_id", f"ours-{self._count}")
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
    return Ours(pool, "Phemex", keys)


@pytest.fixture
def futures(pool: Pool, keys: dict[str, str]) -> Ours:
    return Ours(pool, "Phemex_F", keys)


def test_both_clients_see_the_same_order(spot, swap, cash, futures):
    for theirs, symbol, ours in ((spot, SPOT, cash), (swap, SWAP, futures)):
        placed = ours.place("buy", "limit", "0.1", price="40000.5", post_only=True)
        found = theirs.fetch_order(placed.exchange_id, symbol)
        assert (found["price"], found["amount"], found["timeInForce"]) == (40000.5, 0.1, "PO")
        made = theirs.create_order(symbol, "limit", "buy", 0.2, 41000)
        listed = {each.exchange_id: each for each in ours.open()}
        assert (listed[made["id"]].price, listed[made["id"]].quantity) == (Decimal(41000), Decimal("0.2"))


def test_spot_by_base_and_by_quote_tells_fill_price_and_fee(cash):
    bought = cash.fetch(cash.place("buy", "market", "0.1"))
    assert (bought.status, bought.average_price) == (OrderStatus.FILLED, Decimal("50000.01"))
    assert bought.fee is not None
    assert (bought.fee.asset, bought.fee.amount) == ("BTC", Decimal("0.0001"))
    spent = cash.fetch(cash.place("buy", "market", None, quote_quantity="1000"))
    assert (spent.status, spent.quantity) == (OrderStatus.FILLED, None)
    assert spent.filled == Decimal("0.019999")
    sold = cash.fetch(cash.place("sell", "market", "0.1"))
    assert sold.fee is not None
    assert (sold.fee.asset, sold.fee.amount) == ("USDT", Decimal(5))


def test_orders_that_do_not_rest_end_as_they_should(cash, futures):
    for ours in (cash, futures):
        taken = ours.fetch(ours.place("buy", "limit", "0.1", price="50100", time_in_force=TimeInForce.IOC))
        assert taken.status is OrderStatus.FILLED
        nobody = ours.fetch(ours.place("buy", "limit", "0.1", price="40000", time_in_force=TimeInForce.IOC))
        assert (nobody.status, nobody.filled) == (OrderStatus.CANCELLED, 0)
        killed = ours.fetch(ours.place("buy", "limit", "0.1", price="40000", time_in_force=TimeInForce.FOK))
        assert killed.status.final
        crossing = ours.fetch(ours.place("buy", "limit", "0.1", price="50100", post_only=True))
        assert (crossing.status, crossing.reason) == (
            OrderStatus.REJECTED,
            "a post-only order would have taken",
        )


def test_a_part_filled_order_tells_its_part(sandbox, futures):
    sandbox.fault("partial_fill", venue="Phemex_F", count=1)
    placed = futures.place("buy", "limit", "0.1", price="50100")
    part = futures.fetch(placed)
    assert (part.status, part.filled, part.average_price) == (
        OrderStatus.OPEN,
        Decimal("0.05"),
        Decimal("50000.1"),
    )
    assert [each.filled for each in futures.open()] == [Decimal("0.05")]


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
    assert (filled.status, filled.average_price) == (OrderStatus.FILLED, Decimal(52000))
    assert filled.fee is not None
    assert (filled.fee.asset, filled.fee.amount) == ("USDT", Decimal("3.12"))
    assert futures.positions() == []
    assert [each.exchange_id for each in futures.open()] == [stop.exchange_id], "supervision has to cancel it"
    futures.cancel(stop)
    assert futures.open() == []
    with pytest.raises(OrderNotFound):
        futures.cancel(stop)


def test_protection_of_coins_runs_to_its_end(sandbox, cash):
    cash.place("buy", "market", "0.1")
    stop = cash.place("sell", "stop", "0.09", trigger_price="49000")
    assert [(each.type, each.trigger_price) for each in cash.open()] == [(OrderType.STOP, Decimal(49000))]
    cash.cancel(stop)
    target = cash.place("sell", "take_profit_limit", "0.09", trigger_price="52000", price="51990")
    sandbox.price("BTC/USDT", "52000")
    filled = cash.fetch(target)
    assert (filled.status, filled.type, filled.average_price) == (
        OrderStatus.FILLED,
        OrderType.TAKE_PROFIT_LIMIT,
        Decimal(52000),
    )
    assert cash.open() == []


def test_coins_can_be_held_by_one_waiting_order_only(cash):
    cash.place("sell", "stop", "2", trigger_price="49000")
    with pytest.raises(InsufficientFunds):
        cash.place("sell", "take_profit", "2", trigger_price="52000")


def test_a_target_sells_on_the_way_up_and_a_stop_on_the_way_down(cash, futures):
    for ours in (cash, futures):
        with pytest.raises(WouldTrigger):
            ours.place("sell", "stop", "0.1", trigger_price="51000")
        with pytest.raises(WouldTrigger):
            ours.place("sell", "take_profit", "0.1", trigger_price="49000")


def test_hedge_mode_is_read_and_each_side_is_closed_by_its_own_orders(sandbox, pool):
    hedged = Ours(pool, "Phemex_F", sandbox.account("phemex", position_mode="hedge"))
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


def test_an_order_in_hedge_mode_is_cancelled_on_the_side_it_is_listed_with(sandbox, pool):
    hedged = Ours(pool, "Phemex_F", sandbox.account("phemex", position_mode="hedge"))
    for side, direction in (("buy", Direction.LONG), ("sell", Direction.SHORT)):
        price = "40000" if side == "buy" else "60000"
        resting = hedged.place(side, "limit", "0.1", price=price, position_side=direction)
        hedged.venue.cancel(hedged.keys, hedged.instrument, OrderRef(resting.client_id))
        assert hedged.open() == []
        with pytest.raises(OrderNotFound):
            hedged.cancel(resting)


def test_leverage_and_margin_mode_are_one_setting(sandbox, futures):
    futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(5), None)
    futures.place("buy", "market", "0.1")
    (position,) = futures.positions()
    assert (position.leverage, position.margin_mode) == (Decimal(5), MarginMode.CROSS)
    futures.venue.set_leverage(futures.keys, futures.instrument, None, MarginMode.ISOLATED)
    (position,) = futures.positions()
    assert (position.leverage, position.margin_mode) == (Decimal(5), MarginMode.ISOLATED)
    futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(5), MarginMode.ISOLATED)
    asked = [each["path"] for each in sandbox.state("Phemex_F", futures.keys.key)["calls"]]
    assert asked.count("/g-positions/leverage") == 2, "what is so already is not set again"
    with pytest.raises(InvalidOrder):
        futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(500), None)


def test_leverage_in_hedge_mode_is_set_for_both_sides(sandbox, pool):
    hedged = Ours(pool, "Phemex_F", sandbox.account("phemex", position_mode="hedge"))
    hedged.venue.set_leverage(hedged.keys, hedged.instrument, Decimal(3), MarginMode.ISOLATED)
    hedged.place("sell", "market", "0.1", position_side=Direction.SHORT)
    (position,) = hedged.positions()
    assert (position.direction, position.leverage, position.margin_mode) == (
        Direction.SHORT,
        Decimal(3),
        MarginMode.ISOLATED,
    )


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


def test_open_orders_of_all_perpetuals_are_found_without_naming_a_symbol(futures):
    futures.place("buy", "limit", "0.1", price="40000")
    for instrument in futures.venue.instruments():
        if instrument.symbol == "ETHUSDT":
            futures.instrument = instrument
    futures.place("buy", "stop", "0.1", trigger_price="9000")
    found = futures.venue.open_orders(futures.keys)
    assert [(each.symbol, each.type) for each in found] == [
        ("BTCUSDT", OrderType.LIMIT),
        ("ETHUSDT", OrderType.STOP),
    ]


def test_open_orders_of_all_pairs_are_not_pretended_to_be_known(sandbox, cash):
    with pytest.raises(Unsupported):
        cash.venue.open_orders(cash.keys)
    assert sandbox.state("Phemex", cash.keys.key)["calls"] == []


def test_everything_open_is_cancelled_at_once(futures, cash):
    for ours in (futures, cash):
        ours.venue.cancel_all(ours.keys, ours.instrument)
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
            ours.venue.key_info(Credentials("unknown", "secret"))


def test_balances_free_less_what_orders_and_positions_hold(sandbox, futures, cash):
    cash.place("buy", "limit", "0.1", price="40000")
    assert cash.venue.balances(cash.keys)["USDT"].free == Decimal(96000)
    futures.place("buy", "market", "0.1")
    sandbox.price("BTC/USDT", "51000")
    equity = futures.venue.balances(futures.keys)["USDT"]
    paid = Decimal("50000.1") * Decimal("0.1") * Decimal("0.0006")
    assert equity.total == Decimal(100_000) - paid + Decimal("99.99")
    (position,) = futures.positions()
    assert (position.unrealised, position.mark_price) == (Decimal("99.99"), Decimal(51000))


def test_a_clock_behind_the_exchange_is_measured_and_the_order_still_sent_once(sandbox, futures):
    futures.venue.clock.offset_ms -= 90_000
    futures.place("buy", "market", "0.1", client_id="behind")
    asked = [each["path"] for each in sandbox.state("Phemex_F", futures.keys.key)["calls"]]
    assert asked.count("/g-orders") == 2, "refused as expired, then accepted"
    assert futures.positions()[0].quantity == Decimal("0.1")


def test_a_rate_refusal_is_a_definite_no(sandbox, futures):
    sandbox.fault("throttle", venue="Phemex_F", count=1)
    with pytest.raises(Throttled):
        futures.place("buy", "market", "0.1")
    assert sandbox.state("Phemex_F", futures.keys.key)["orders"] == []
