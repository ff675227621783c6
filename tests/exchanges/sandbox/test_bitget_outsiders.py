"""Bitget in the sandbox, traded by ccxt and by our venues: two that agree."""

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
    Refused,
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
)
from tests.exchanges.conftest import Sandbox

SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"
PLAN = {"trigger": True}


@pytest.fixture
def keys(sandbox):
    return sandbox.account("bitget", balances={"USDT": "100000", "BTC": "2"})


# -- ccxt --------------------------------------------------------------------------------------------------


def ccxt_client(sandbox: Sandbox, keys: dict[str, str], kind: str) -> Any:
    secrets = {"apiKey": keys["key"], "secret": keys["secret"], "password": keys["passphrase"]}
    made = ccxt.bitget({**secrets, "enableRateLimit": False, "options": {"defaultType": kind}})
    url = sandbox.venue("Bitget" if kind == "spot" else "Bitget_F")
    made.urls["api"] = dict.fromkeys(made.urls["api"], url)
    return made


@pytest.fixture
def spot(sandbox, keys):
    return ccxt_client(sandbox, keys, "spot")


@pytest.fixture
def swap(sandbox, keys):
    return ccxt_client(sandbox, keys, "swap")


def test_ccxt_loads_markets_with_steps_ticks_and_minima(swap):
    markets = swap.load_markets()
    assert (markets[SPOT]["precision"]["amount"], markets[SPOT]["precision"]["price"]) == (1e-06, 0.01)
    assert markets[SPOT]["limits"]["cost"]["min"] == 1
    assert (markets[SWAP]["precision"]["amount"], markets[SWAP]["precision"]["price"]) == (0.0001, 0.1)
    assert markets[SWAP]["limits"]["amount"]["min"] == 0.0001
    assert markets[SWAP]["limits"]["leverage"]["max"] == 100
    assert {"ETH/USDT", "SOL/USDT:USDT"} <= set(markets)
    assert swap.fetch_time() > 1_700_000_000_000
    assert swap.fetch_ticker(SWAP)["last"] == 50000


def test_ccxt_spot_market_buy_by_cost_spends_that_much_and_pays_its_fee_in_coins(spot):
    order = spot.create_market_buy_order_with_cost(SPOT, 1000)
    assert order["status"] is None, "the answer tells only the id"
    found = spot.fetch_order(order["id"], SPOT)
    assert (found["status"], found["average"]) == ("closed", 50000.01)
    assert found["cost"] == pytest.approx(1000, abs=0.06)
    assert found["fee"]["currency"] == "BTC"
    assert found["fee"]["cost"] == pytest.approx(found["filled"] / 1000)
    assert spot.fetch_balance()["BTC"]["total"] == pytest.approx(2 + found["filled"] * 0.999)


@pytest.mark.parametrize(("kind", "symbol"), [("spot", SPOT), ("swap", SWAP)])
def test_ccxt_places_several_orders_in_one_request_and_leaves_out_what_is_refused(
    sandbox, keys, kind, symbol
):
    client = ccxt_client(sandbox, keys, kind)
    limit = {"symbol": symbol, "type": "limit", "side": "buy", "amount": 0.1, "price": 40000}
    told = client.create_orders([limit, limit | {"amount": 900}, limit | {"price": 41000}])
    assert {each["id"] for each in client.fetch_open_orders(symbol)} == {each["id"] for each in told}
    assert len(told) == 2


def test_a_batch_tells_of_each_refusal(spot):
    order = {"side": "buy", "orderType": "limit", "force": "gtc", "price": "40000"}
    orders = [order | {"size": "0.1", "clientOid": "one"}, order | {"size": "900", "clientOid": "two"}]
    told = spot.privateSpotPostV2SpotTradeBatchOrders({"symbol": "BTCUSDT", "orderList": orders})["data"]
    assert [each["clientOid"] for each in told["successList"]] == ["one"]
    assert [(each["clientOid"], each["errorCode"]) for each in told["failureList"]] == [("two", "43012")]


def test_a_batch_counts_as_one_request_however_many_it_has(spot):
    limit = {"symbol": SPOT, "type": "limit", "side": "buy", "amount": 0.001, "price": 40000}
    for _ in range(5):
        spot.create_orders([limit] * 4)
    with pytest.raises(ccxt.DDoSProtection):
        spot.create_orders([limit])
    assert len(spot.fetch_open_orders(SPOT)) == 20


def test_a_batch_takes_fifty_orders(spot):
    limit = {"symbol": SPOT, "type": "limit", "side": "buy", "amount": 0.001, "price": 40000}
    with pytest.raises(ccxt.ExchangeError):
        spot.create_orders([limit] * 51)
    assert spot.fetch_open_orders(SPOT) == []


def test_ccxt_spot_limit_order_rests_locks_and_is_cancelled(spot):
    order = spot.create_order(SPOT, "limit", "buy", 0.1, 40000)
    (listed,) = spot.fetch_open_orders(SPOT)
    assert (listed["id"], listed["price"], listed["amount"]) == (order["id"], 40000, 0.1)
    usdt = spot.fetch_balance()["USDT"]
    assert (usdt["free"], usdt["total"]) == (96000, 100000)
    spot.cancel_order(order["id"], SPOT)
    assert spot.fetch_open_orders(SPOT) == []
    assert spot.fetch_order(order["id"], SPOT)["status"] == "canceled"


def test_ccxt_spot_plans_wait_side_by_side_and_fire_on_their_own_sides(sandbox, spot):
    stop = spot.create_order(
        SPOT, "market", "sell", 2, None, {"triggerPrice": 45000, "triggerType": "fill_price"}
    )
    target = spot.create_order(SPOT, "limit", "sell", 2, 55000, {"triggerPrice": 54000})
    assert {each["triggerPrice"] for each in spot.fetch_open_orders(SPOT, params=PLAN)} == {45000, 54000}
    assert spot.fetch_open_orders(SPOT) == []
    spot.cancel_order(target["id"], SPOT, PLAN)
    sandbox.price(SPOT, 44990)
    assert spot.fetch_open_orders(SPOT, params=PLAN) == []
    ended = {
        each["id"]: each["info"]["status"]
        for each in spot.fetch_canceled_and_closed_orders(SPOT, params=PLAN)
    }
    assert ended == {stop["id"]: "executed", target["id"]: "cancelled"}
    assert spot.fetch_balance()["BTC"]["total"] == 0


def test_ccxt_futures_market_order_opens_a_position_with_its_leverage(swap):
    swap.set_leverage(5, SWAP)
    order = swap.create_order(SWAP, "market", "buy", 0.1)
    found = swap.fetch_order(order["id"], SWAP)
    assert (found["status"], found["filled"], found["average"]) == ("closed", 0.1, 50000.1)
    assert found["fee"] == {"cost": pytest.approx(3.000006), "currency": "USDT"}
    position = swap.fetch_position(SWAP)
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 0.1, 50000.1)
    assert (position["leverage"], position["marginMode"], position["hedged"]) == (5, "cross", False)
    assert [each["symbol"] for each in swap.fetch_positions()] == [SWAP]
    assert swap.fetch_balance()["USDT"]["free"] == pytest.approx(100000 - 1000 - 3, abs=0.1)


def test_ccxt_position_stop_and_target_are_one_pair(sandbox, swap):
    swap.create_order(SWAP, "market", "buy", 0.1)
    for word, price in (("stopLossPrice", 49000), ("takeProfitPrice", 52000)):
        swap.create_order(SWAP, "market", "sell", 0.1, None, {word: price, "reduceOnly": True})
    plans = swap.fetch_open_orders(SWAP, params={"planType": "profit_loss"})
    assert {each["info"]["planType"] for each in plans} == {"pos_loss", "pos_profit"}
    sandbox.price(SPOT, 52000)
    assert swap.fetch_open_orders(SWAP, params={"planType": "profit_loss"}) == []
    assert swap.fetch_positions() == []
    history = swap.fetch_canceled_and_closed_orders(SWAP, params={"planType": "profit_loss"})
    assert {each["info"]["planType"]: each["info"]["planStatus"] for each in history} == {
        "pos_loss": "cancelled",
        "pos_profit": "executed",
    }


def test_ccxt_trigger_order_opens_and_is_cancelled(sandbox, swap):
    first = swap.create_order(
        SWAP, "market", "buy", 0.1, None, {"triggerPrice": 51000, "triggerType": "fill_price"}
    )
    other = swap.create_order(SWAP, "limit", "buy", 0.1, 52010, {"triggerPrice": 52000})
    assert {each["id"] for each in swap.fetch_open_orders(SWAP, params=PLAN)} == {first["id"], other["id"]}
    swap.cancel_order(other["id"], SWAP, PLAN)
    sandbox.price(SPOT, 51000)
    assert swap.fetch_open_orders(SWAP, params=PLAN) == []
    assert swap.fetch_position(SWAP)["contracts"] == 0.1


def test_ccxt_in_hedge_mode_holds_both_sides_and_closes_one(swap):
    swap.set_position_mode(True, SWAP)
    swap.create_order(SWAP, "market", "buy", 0.2, None, {"hedged": True})
    swap.create_order(SWAP, "market", "sell", 0.1, None, {"hedged": True})
    assert {each["side"]: each["contracts"] for each in swap.fetch_positions()} == {"long": 0.2, "short": 0.1}
    swap.create_order(SWAP, "market", "buy", 0.1, None, {"hedged": True, "reduceOnly": True})
    assert {each["side"]: each["contracts"] for each in swap.fetch_positions()} == {"long": 0.2}
    with pytest.raises(ccxt.InvalidOrder, match="40774"):
        swap.create_order(SWAP, "market", "buy", 0.1)


def test_ccxt_sees_a_post_only_order_accepted_and_then_cancelled(swap):
    order = swap.create_order(SWAP, "limit", "buy", 0.1, 51000, {"postOnly": True})
    assert swap.fetch_order(order["id"], SWAP)["status"] == "canceled"


def test_ccxt_gets_the_original_refusals(sandbox, swap, spot, keys):
    with pytest.raises(ccxt.InsufficientFunds, match="40762"):
        swap.create_order(SWAP, "limit", "buy", 100, 40000)
    with pytest.raises(ccxt.InvalidOrder, match="45110"):
        swap.create_order("DOGE/USDT:USDT", "limit", "buy", 1, 0.09)
    with pytest.raises(ccxt.ExchangeError, match="22002"):
        swap.create_order(SWAP, "market", "sell", 0.1, None, {"reduceOnly": True})
    with pytest.raises(ccxt.OrderNotFound, match="40109"):
        swap.fetch_order("1", SWAP)
    with pytest.raises(ccxt.InsufficientFunds, match="43012"):
        spot.create_order(SPOT, "limit", "buy", 10, 40000)
    with pytest.raises(ccxt.OrderNotFound, match="43001"):
        spot.cancel_order("1", SPOT)
    with pytest.raises(ccxt.AuthenticationError, match="40009"):
        ccxt_client(sandbox, {**keys, "secret": "wrong"}, "swap").fetch_balance()
    with pytest.raises(ccxt.AuthenticationError, match="40012"):
        ccxt_client(sandbox, {**keys, "passphrase": "wrong"}, "swap").fetch_balance()
    with pytest.raises(ccxt.AuthenticationError, match="40037"):
        ccxt_client(sandbox, {**keys, "key": "k"}, "swap").fetch_balance()


def test_ccxt_is_refused_for_a_stale_timestamp(swap):
    swap.nonce = lambda: swap.milliseconds() - 60_000
    with pytest.raises(ccxt.InvalidNonce, match="40008"):
        swap.fetch_balance()


# -- our own venues ----------------------------------------------------------------------------------------


class Ours:
    """One of our venues, its instrument and a key, over HTTP to the sandbox."""

    def __init__(self, pool: Pool, name: str, keys: dict[str, str]) -> None:
        connection = pool.connection(name, Environment.SANDBOX)
        self.venue: Any = connection.venue
        self.instrument = connection.table.find("BTCUSDT")
        self.keys = Credentials(keys["key"], keys["secret"], keys["passphrase"])
        self.number = 0

    def order(self, side: str, kind: str, quantity: str, **more: Any) -> OrderRequest:
        self.number += 1
        numbers = {name: Decimal(value) for name, value in more.items() if name in ("price", "trigger_price")}
        return OrderRequest(
            instrument=self.instrument,
            client_id=more.pop("client_id", f"f-{self.venue.name}-{self.number}"),
            side=Side(side),
            type=OrderType(kind),
            quantity=Decimal(quantity),
            **(more | numbers),
        )

    def place(self, *words: str, **more: Any) -> Report:
        placed: Report = self.venue.place(self.keys, self.order(*words, **more))
        return placed

    def fetch(self, report: Report) -> Report:
        """By our own id, as after a lost answer."""
        ref = OrderRef(report.client_id, conditional=report.type.conditional)
        found: Report = self.venue.fetch(self.keys, self.instrument, ref)
        return found

    def cancel(self, report: Report) -> None:
        self.venue.cancel(self.keys, self.instrument, report.ref)

    def open(self) -> list[Report]:
        return list(self.venue.open_orders(self.keys, self.instrument))

    def positions(self) -> list[Position]:
        return list(self.venue.positions(self.keys, self.instrument))


@pytest.fixture
def futures(pool, keys):
    return Ours(pool, "Bitget_F", keys)


@pytest.fixture
def cash(pool, keys):
    return Ours(pool, "Bitget", keys)


def test_a_market_order_is_acknowledged_and_fetched_with_its_fill(futures):
    placed = futures.place("buy", "market", "0.1")
    assert placed.acknowledged_only
    found = futures.fetch(placed)
    assert (found.status, found.filled, found.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.1"),
        Decimal("50000.1"),
    )
    assert found.fee is not None
    assert (found.fee.asset, found.fee.amount) == ("USDT", Decimal("3.000006"))


def test_a_spot_market_buy_of_a_base_quantity_gets_exactly_that(sandbox, cash):
    placed = cash.place("buy", "market", "0.1")
    assert (placed.type, placed.price) == (OrderType.MARKET, None)
    found = cash.fetch(placed)
    assert (found.filled, found.average_price) == (Decimal("0.1"), Decimal("50000.01"))
    (sent,) = (each for each in sandbox.state("Bitget", cash.keys.key)["orders"])
    assert (sent["type"], sent["price"]) == ("limit", "51000.01")


def test_a_spot_market_buy_of_nearly_everything_is_not_lost_to_its_bound(sandbox, pool):
    cash = Ours(pool, "Bitget", sandbox.account("bitget", balances={"USDT": "5020"}))
    found = cash.fetch(cash.place("buy", "market", "0.1"))
    assert (found.status, found.filled) == (OrderStatus.FILLED, Decimal("0.1"))
    with pytest.raises(InsufficientFunds):
        cash.place("buy", "market", "0.1")


def test_protection_from_entry_to_target(sandbox, futures):
    """Stop and target are two plans: the exchange does not link them, so what is left is cancelled."""
    futures.place("buy", "market", "0.1")
    stop = futures.place("sell", "stop", "0.1", trigger_price="49000", reduce_only=True)
    target = futures.place("sell", "take_profit", "0.1", trigger_price="52000", reduce_only=True)
    assert {(each.type, each.trigger_price, each.reduce_only) for each in futures.open()} == {
        (OrderType.STOP, 49000, True),
        (OrderType.TAKE_PROFIT, 52000, True),
    }
    sandbox.price("BTC/USDT", "52000")
    done = futures.fetch(target)
    assert (done.status, done.filled, done.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.1"),
        Decimal(52000),
    )
    assert (done.type, done.client_id) == (OrderType.TAKE_PROFIT, target.client_id)
    assert futures.positions() == []
    assert [each.client_id for each in futures.open()] == [stop.client_id]
    futures.cancel(stop)
    assert futures.open() == []
    assert futures.fetch(stop).status is OrderStatus.CANCELLED
    with pytest.raises(OrderNotFound):
        futures.cancel(stop)


def test_two_targets_share_a_position_and_the_stop_covers_the_rest(sandbox, futures):
    futures.place("sell", "market", "0.1")
    stop = futures.place("buy", "stop", "0.1", trigger_price="51000", reduce_only=True)
    for trigger in ("49000", "48000"):
        futures.place("buy", "take_profit", "0.05", trigger_price=trigger, reduce_only=True)
    sandbox.price("BTC/USDT", "49000")
    (left,) = futures.positions()
    assert (left.direction, left.quantity) == (Direction.SHORT, Decimal("0.05"))
    sandbox.price("BTC/USDT", "51000")
    assert futures.fetch(stop).filled == Decimal("0.05")
    assert futures.positions() == []


def test_a_target_that_rests_a_limit_order_is_followed_and_cancelled_as_what_it_became(sandbox, futures):
    futures.place("buy", "market", "0.1")
    target = futures.place(
        "sell", "take_profit_limit", "0.1", price="52500", trigger_price="52000", reduce_only=True
    )
    sandbox.price("BTC/USDT", "52000")
    assert (futures.fetch(target).status, futures.fetch(target).filled) == (OrderStatus.OPEN, 0)
    futures.cancel(target)
    assert futures.open() == []
    assert futures.fetch(target).status is OrderStatus.CANCELLED


def test_a_stop_that_opens_waits_triggers_and_tells_its_fill(sandbox, futures):
    entry = futures.place("buy", "stop", "0.1", trigger_price="51000")
    dip = futures.place("buy", "take_profit_limit", "0.1", price="48000", trigger_price="48100")
    assert {each.type for each in futures.open()} == {OrderType.STOP, OrderType.TAKE_PROFIT_LIMIT}
    futures.cancel(dip)
    sandbox.price("BTC/USDT", "51000")
    assert futures.fetch(entry).average_price == Decimal("51000.1")
    assert futures.positions()[0].quantity == Decimal("0.1")


def test_a_plan_that_is_crossed_already_is_not_sent(sandbox, futures, cash):
    with pytest.raises(WouldTrigger):
        futures.place("buy", "stop", "0.1", trigger_price="49000")
    with pytest.raises(WouldTrigger):
        cash.place("sell", "stop", "1", trigger_price="50500")
    futures.place("buy", "market", "0.1")
    with pytest.raises(WouldTrigger) as refused:
        futures.place("sell", "stop", "0.1", trigger_price="50500", reduce_only=True)
    assert refused.value.code == "40917", "the exchange itself refuses what closes"
    assert futures.open() == cash.open() == []


def test_hedge_mode_is_read_and_each_side_has_its_orders(sandbox, pool):
    ours = Ours(pool, "Bitget_F", sandbox.account("bitget", position_mode="hedge"))
    assert ours.venue.position_mode(ours.keys, ours.instrument) is PositionMode.HEDGE
    with pytest.raises(ModeMismatch):
        ours.place("buy", "market", "0.1")
    ours.place("buy", "market", "0.1", position_side=Direction.LONG)
    ours.place("sell", "market", "0.05", position_side=Direction.SHORT)
    assert {(each.direction, each.quantity) for each in ours.positions()} == {
        (Direction.LONG, Decimal("0.1")),
        (Direction.SHORT, Decimal("0.05")),
    }
    stop = ours.place(
        "buy", "stop", "0.05", trigger_price="51000", reduce_only=True, position_side=Direction.SHORT
    )
    (listed,) = ours.open()
    assert (listed.side, listed.position_side, listed.reduce_only) == (Side.BUY, Direction.SHORT, True)
    closed = ours.fetch(ours.place("sell", "market", "0.1", reduce_only=True, position_side=Direction.LONG))
    assert (closed.side, closed.position_side, closed.filled) == (Side.SELL, Direction.LONG, Decimal("0.1"))
    sandbox.price("BTC/USDT", "51000")
    assert ours.fetch(stop).status is OrderStatus.FILLED
    assert ours.positions() == []


def test_leverage_and_margin_mode_are_set_and_every_order_goes_with_them(sandbox, futures):
    for _ in range(2):
        futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(7), MarginMode.ISOLATED)
    sent = [each["path"] for each in sandbox.state("Bitget_F", futures.keys.key)["calls"]]
    assert sum("/set-" in path for path in sent) == 2, "what is so already is not sent again"
    futures.place("buy", "market", "0.1")
    (position,) = futures.positions()
    assert (position.leverage, position.margin_mode) == (7, MarginMode.ISOLATED)
    with pytest.raises(Refused) as refused:
        futures.venue.set_leverage(futures.keys, futures.instrument, None, MarginMode.CROSS)
    assert refused.value.code == "45117"


def test_a_spot_stop_and_target_rest_together_for_the_full_size(sandbox, cash):
    stop = cash.place("sell", "stop", "2", trigger_price="49000")
    target = cash.place("sell", "take_profit_limit", "2", price="51900", trigger_price="52000")
    assert {each.type for each in cash.open()} == {OrderType.STOP, OrderType.TAKE_PROFIT_LIMIT}
    sandbox.price("BTC/USDT", "52000")
    assert cash.fetch(target).status is OrderStatus.FILLED
    cash.cancel(stop)
    assert cash.open() == []


def test_refusals_have_our_classes(futures, cash):
    with pytest.raises(InsufficientFunds):
        futures.place("buy", "market", "100")
    with pytest.raises(InvalidOrder):
        cash.place("buy", "limit", "0.000001", price="50000")
    with pytest.raises(NothingToReduce):
        futures.place("sell", "market", "0.1", reduce_only=True)
    with pytest.raises(InvalidOrder):
        futures.place("sell", "stop", "0.1", trigger_price="49000", reduce_only=True)
    for ours in (futures, cash):
        for conditional in (False, True):
            with pytest.raises(OrderNotFound):
                ours.venue.fetch(ours.keys, ours.instrument, OrderRef("never-sent", conditional=conditional))
        ours.place("buy", "limit", "0.1", price="40000", client_id="twice")
        with pytest.raises(DuplicateOrder):
            ours.place("buy", "limit", "0.1", price="40000", client_id="twice")
    with pytest.raises(AuthRefused):
        futures.venue.key_info(Credentials("unknown", "secret", "phrase"))
    with pytest.raises(AuthRefused):
        futures.venue.key_info(Credentials(futures.keys.key, futures.keys.secret, "wrong"))


def test_balances_free_less_what_orders_and_positions_hold(sandbox, futures, cash):
    cash.place("buy", "limit", "0.1", price="40000")
    futures.place("sell", "limit", "0.1", price="60000")
    usdt = cash.venue.balances(cash.keys)["USDT"]
    assert (usdt.total, usdt.free) == (Decimal(100_000), Decimal(96_000))
    usdt = futures.venue.balances(futures.keys)["USDT"]
    assert (usdt.total, usdt.free) == (Decimal(100_000), Decimal(100_000) - 300)
    dangerous = sandbox.account("bitget", permissions=["read", "trade", "withdraw"])
    keys = Credentials(dangerous["key"], dangerous["secret"], dangerous["passphrase"])
    assert futures.venue.key_info(keys).can_withdraw


def test_a_clock_that_is_off_is_measured_and_the_order_still_placed_once(sandbox, futures):
    futures.venue.clock.offset_ms += 40_000
    futures.place("buy", "market", "0.1", margin_mode=MarginMode.CROSS)
    asked = [each["path"] for each in sandbox.state("Bitget_F", futures.keys.key)["calls"]]
    assert sum(path.endswith("place-order") for path in asked) == 2, (
        "refused for its timestamp, then accepted"
    )
    assert futures.positions()[0].quantity == Decimal("0.1")


@pytest.mark.parametrize("path", ["place-tpsl-order", "place-plan-order"])
def test_a_plan_whose_answer_was_lost_is_found_by_its_client_id(sandbox, futures, path):
    futures.place("buy", "market", "0.1")
    sandbox.fault("drop_after", venue="Bitget_F", count=1, path=path)
    words = {"reduce_only": True} if path.startswith("place-tpsl") else {}
    with pytest.raises(OutcomeUnknown):
        futures.place("sell", "stop", "0.1", trigger_price="49000", client_id="lost", **words)
    found = futures.venue.fetch(futures.keys, futures.instrument, OrderRef("lost", conditional=True))
    assert (found.status, found.type, found.trigger_price) == (OrderStatus.OPEN, OrderType.STOP, 49000)


def test_a_market_order_that_found_half_is_cancelled_with_what_it_got(sandbox, futures, cash):
    for ours in (futures, cash):
        sandbox.fault("partial_fill", venue=ours.venue.name, count=1)
        found = ours.fetch(ours.place("buy", "market", "0.1"))
        assert (found.status, found.filled) == (OrderStatus.CANCELLED, Decimal("0.05"))
        assert found.average_price is not None


def test_open_orders_are_read_page_by_page(sandbox, futures, cash):
    sandbox.enforce_limits(False)
    for ours in (futures, cash):
        for _ in range(101):
            ours.venue.gate = type(ours.venue.gate)()  # this is about pages, not about limits
            ours.place("buy", "limit", "0.001", price="40000", margin_mode=MarginMode.CROSS)
        assert len({each.client_id for each in ours.open()}) == 101


# -- what clients do beside -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "symbol"), [("spot", SPOT), ("swap", SWAP)])
def test_ccxt_replaces_an_order_cancels_several_and_reads_its_trades(sandbox, keys, kind, symbol):
    made = ccxt_client(sandbox, keys, kind)
    before = made.create_order(symbol, "limit", "buy", 0.1, 40000)
    after = made.edit_order(before["id"], symbol, "limit", "buy", 0.2, 39000)
    assert made.fetch_order(before["id"], symbol)["status"] == "canceled"
    (found,) = made.fetch_open_orders(symbol)
    assert (found["id"], found["amount"], found["price"]) == (after["id"], 0.2, 39000)
    with pytest.raises(ccxt.BaseError, match="43001" if kind == "spot" else "22001"):
        made.edit_order(before["id"], symbol, "limit", "buy", 0.2, 39000)
    made.cancel_orders([after["id"], "7"], symbol)
    made.create_order(symbol, "limit", "buy", 0.1, 38000)
    made.cancel_all_orders(symbol)
    assert made.fetch_open_orders(symbol) == []
    bought = made.create_order(symbol, "limit", "buy", 0.1, 51000)
    (trade,) = made.fetch_my_trades(symbol)
    assert (trade["order"], trade["amount"], trade["takerOrMaker"]) == (bought["id"], 0.1, "taker")
    assert (
        trade["price"] == made.fetch_order_book(symbol)["asks"][0][0] == made.fetch_tickers()[symbol]["ask"]
    )


def test_ccxt_entry_brings_its_stop_and_target_along(sandbox, swap):
    legs = {"stopLoss": {"triggerPrice": 49000}, "takeProfit": {"triggerPrice": 52000}}
    entry = swap.create_order(SWAP, "limit", "buy", 0.1, 49500, legs)
    assert swap.fetch_order(entry["id"], SWAP)["info"]["presetStopLossPrice"] == "49000"
    assert swap.fetch_open_orders(SWAP, params={"planType": "profit_loss", "trigger": True}) == []
    sandbox.price(SPOT, 49500)
    plans = swap.fetch_open_orders(SWAP, params={"planType": "profit_loss", "trigger": True})
    assert {each["triggerPrice"]: each["amount"] for each in plans} == {49000: 0.1, 52000: 0.1}
    sandbox.price(SPOT, 48990)
    assert swap.fetch_positions([SWAP]) == []
    (closed,) = swap.fetch_positions_history([SWAP])
    assert (closed["entryPrice"], closed["info"]["pnl"]) == (49500, "-51")


def test_ccxt_closes_positions_and_all_plans_of_a_kind(swap):
    swap.create_order(SWAP, "market", "buy", 0.1)
    for price in (48000, 47000):
        swap.create_order(SWAP, "market", "sell", 0.1, None, {"triggerPrice": price})
    swap.cancel_all_orders(SWAP, {"trigger": True, "planType": "normal_plan"})
    assert swap.fetch_open_orders(SWAP, params={"trigger": True}) == []
    swap.close_position(SWAP)
    assert swap.fetch_positions([SWAP]) == []
    with pytest.raises(ccxt.BaseError, match="22002"):
        swap.close_position(SWAP)
