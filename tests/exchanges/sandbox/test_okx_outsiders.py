"""OKX in the sandbox, traded by ccxt, by python-okx (OKX's own client) and by our venues: three that agree."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from okx.Account import AccountAPI
from okx.Trade import TradeAPI

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
    Legs,
    MarginMode,
    OrderRef,
    OrderStatus,
    OrderType,
    PositionMode,
    TimeInForce,
)
from tests.exchanges.conftest import Sandbox
from tests.exchanges.sandbox.ours import Ours

SPOT, SWAP, COIN = "BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC"


@pytest.fixture
def keys(sandbox):
    return sandbox.account("okx", balances={"USDT": "100000", "BTC": "2"})


# -- ccxt --------------------------------------------------------------------------------------------------


def ccxt_client(sandbox: Sandbox, keys: dict[str, str], kind: str) -> Any:
    made = ccxt.okx(
        {
            "apiKey": keys["key"],
            "secret": keys["secret"],
            "password": keys["passphrase"],
            "enableRateLimit": False,
        }
    )
    made.options["defaultType"] = "spot" if kind == "spot" else "swap"
    made.options["fetchMarkets"] = {"types": ["spot", "swap"]}
    made.urls["api"] = {"rest": sandbox.venue({"spot": "OKX", "coin": "OKX_C"}.get(kind, "OKX_F"))}
    return made


@pytest.fixture
def spot(sandbox, keys):
    return ccxt_client(sandbox, keys, "spot")


@pytest.fixture
def swap(sandbox, keys):
    return ccxt_client(sandbox, keys, "swap")


def test_ccxt_loads_markets_with_steps_ticks_and_contract_sizes(swap):
    markets = swap.load_markets()
    assert (markets[SPOT]["precision"]["amount"], markets[SPOT]["precision"]["price"]) == (1e-08, 0.1)
    assert (markets[SWAP]["contractSize"], markets[SWAP]["precision"]["amount"]) == (0.01, 0.01)
    assert markets[SWAP]["limits"]["leverage"]["max"] == 100
    assert {"ETH/USDT", "SOL/USDT:USDT", "BTC/USDC:USDC"} <= set(markets)
    assert swap.fetch_time() > 1_700_000_000_000
    assert swap.fetch_ticker(SWAP)["last"] == 50000


def test_ccxt_spot_market_buy_is_acknowledged_then_fills_and_pays_its_fee_in_coins(spot):
    order = spot.create_order(SPOT, "market", "buy", 0.1)
    assert order["status"] is None, "OKX's answer tells only the id"
    found = spot.fetch_order(order["id"], SPOT)
    assert (found["status"], found["filled"], found["average"]) == ("closed", 0.1, 50000.1)
    assert found["fee"] == {"cost": 0.0001, "currency": "BTC"}
    assert spot.fetch_balance()["BTC"]["total"] == pytest.approx(2.0999)
    (trade,) = spot.fetch_my_trades(SPOT)
    assert (trade["order"], trade["amount"], trade["price"]) == (order["id"], 0.1, 50000.1)


def test_ccxt_spot_market_buy_by_cost_spends_that_much(spot):
    order = spot.create_market_buy_order_with_cost(SPOT, 1000)
    assert spot.fetch_order(order["id"], SPOT)["filled"] == pytest.approx(0.02, rel=1e-4)


def test_ccxt_spot_limit_order_rests_locks_and_is_cancelled(spot):
    order = spot.create_order(SPOT, "limit", "buy", 0.1, 40000)
    assert [each["id"] for each in spot.fetch_open_orders(SPOT)] == [order["id"]]
    assert spot.fetch_balance()["USDT"]["free"] == 96000
    spot.cancel_order(order["id"], SPOT)
    assert spot.fetch_open_orders(SPOT) == []
    assert [each["id"] for each in spot.fetch_canceled_orders(SPOT)] == [order["id"]]
    with pytest.raises(ccxt.OrderNotFound):
        spot.cancel_order(order["id"], SPOT)


def test_ccxt_spot_post_only_order_that_would_take_is_taken_and_cancelled(spot):
    order = spot.create_order(SPOT, "limit", "buy", 0.1, 51000, {"postOnly": True})
    assert spot.fetch_order(order["id"], SPOT)["status"] == "canceled"


def test_ccxt_spot_stop_and_target_wait_side_by_side_and_fire_on_their_own_sides(sandbox, spot):
    stop = spot.create_order(SPOT, "market", "sell", 2, None, {"stopLossPrice": 45000})
    target = spot.create_order(SPOT, "limit", "sell", 2, 55000, {"takeProfitPrice": 54000})
    listed = spot.fetch_open_orders(SPOT, params={"ordType": "conditional"})
    assert {each["stopLossPrice"] or each["takeProfitPrice"] for each in listed} == {45000, 54000}
    spot.cancel_order(target["id"], SPOT, {"trigger": True})
    sandbox.price(SPOT, 44990)
    fired = spot.fetch_order(stop["id"], SPOT, {"trigger": True})
    assert (fired["status"], fired["info"]["actualSide"]) == ("closed", "sl")
    became = spot.fetch_order(fired["info"]["ordIdList"][0], SPOT)
    assert (became["status"], became["average"]) == ("closed", 44990)


def test_ccxt_futures_market_order_opens_a_position_with_its_leverage(swap):
    swap.set_leverage(5, SWAP)
    swap.create_order(SWAP, "market", "buy", 10)
    position = swap.fetch_position(SWAP)
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 10, 50000.1)
    assert (position["leverage"], position["marginMode"]) == (5, "cross")
    assert [each["symbol"] for each in swap.fetch_positions()] == [SWAP]
    swap.create_order(SWAP, "market", "sell", 10, None, {"reduceOnly": True})
    assert swap.fetch_positions() == []


def test_ccxt_trigger_order_waits_on_the_side_on_which_its_price_lies(sandbox, swap):
    rising = swap.create_order(SWAP, "market", "buy", 1, None, {"triggerPrice": 51000})
    falling = swap.create_order(SWAP, "limit", "buy", 1, 48900, {"triggerPrice": 49000})
    assert {each["id"] for each in swap.fetch_open_orders(SWAP, params={"trigger": True})} == {
        rising["id"],
        falling["id"],
    }
    sandbox.price(SPOT, 51000)
    assert swap.fetch_position(SWAP)["contracts"] == 1
    sandbox.price(SPOT, 48950)
    (resting,) = swap.fetch_open_orders(SWAP)
    assert (resting["price"], resting["info"]["algoId"]) == (48900, falling["id"])
    swap.cancel_order(resting["info"]["ordId"], SWAP)
    assert swap.fetch_open_orders(SWAP) == []


def test_ccxt_pair_is_one_order_and_its_legs_end_each_other(sandbox, swap):
    swap.create_order(SWAP, "market", "buy", 10)
    legs = {"stopLossPrice": 49000, "takeProfitPrice": 52000, "reduceOnly": True}
    pair = swap.create_order(SWAP, "market", "sell", 10, None, legs)
    (listed,) = swap.fetch_open_orders(SWAP, params={"ordType": "oco"})
    assert (listed["id"], listed["stopLossPrice"], listed["takeProfitPrice"]) == (pair["id"], 49000, 52000)
    sandbox.price(SPOT, 52000)
    assert swap.fetch_open_orders(SWAP, params={"ordType": "oco"}) == []
    assert swap.fetch_positions() == []
    assert swap.fetch_order(pair["id"], SWAP, {"trigger": True})["info"]["actualSide"] == "tp"


def test_ccxt_hedge_mode_keeps_the_sides_apart(swap):
    swap.set_position_mode(True)
    with pytest.raises(ccxt.BadRequest, match="posSide"):
        swap.create_order(SWAP, "market", "buy", 1)
    swap.create_order(SWAP, "market", "buy", 2, None, {"hedged": True})
    swap.create_order(SWAP, "market", "sell", 1, None, {"hedged": True})
    assert {(each["side"], each["contracts"]) for each in swap.fetch_positions()} == {
        ("long", 2),
        ("short", 1),
    }
    swap.create_order(SWAP, "market", "sell", 2, None, {"hedged": True, "reduceOnly": True})
    assert [each["side"] for each in swap.fetch_positions()] == ["short"]
    with pytest.raises(ccxt.ExchangeError, match="59000"):
        swap.set_position_mode(False)


def test_ccxt_isolated_leverage_and_orders_of_the_other_mode(swap):
    swap.set_leverage(7, SWAP, {"mgnMode": "isolated"})
    swap.create_order(SWAP, "market", "buy", 1, None, {"marginMode": "isolated"})
    assert swap.fetch_position(SWAP)["marginMode"] == "isolated"
    with pytest.raises(ccxt.ExchangeError, match="51169"):
        swap.create_order(SWAP, "market", "sell", 1, None, {"reduceOnly": True})


def test_ccxt_gets_the_original_refusals(sandbox, swap, spot, keys):
    for code, kind, place in (
        ("51008", ccxt.InsufficientFunds, lambda: swap.create_order(SWAP, "limit", "buy", 10_000, 40000)),
        ("51169", ccxt.ExchangeError, lambda: swap.create_order(SWAP, "market", "sell", 1, None, REDUCE)),
        ("51280", ccxt.InvalidOrder, lambda: swap.create_order(SWAP, "market", "sell", 1, None, CROSSED)),
        ("51008", ccxt.InsufficientFunds, lambda: spot.create_order(SPOT, "limit", "buy", 10, 40000)),
        ("51603", ccxt.OrderNotFound, lambda: spot.fetch_order("123", SPOT)),
        ("51400", ccxt.OrderNotFound, lambda: swap.cancel_order("123", SWAP)),
    ):
        with pytest.raises(kind, match=code):
            place()
    for wrong, code in (({"secret": "x"}, "50113"), ({"key": "x"}, "50111"), ({"passphrase": "x"}, "50105")):
        with pytest.raises(ccxt.AuthenticationError, match=code):
            ccxt_client(sandbox, keys | wrong, "swap").fetch_balance()


REDUCE, CROSSED = {"reduceOnly": True}, {"stopLossPrice": 50500}


def test_ccxt_is_refused_for_a_stale_timestamp(swap):
    swap.load_markets()
    swap.nonce = lambda: swap.milliseconds() - 60_000
    with pytest.raises(ccxt.InvalidNonce, match="50102"):
        swap.fetch_balance()


def test_ccxt_with_a_live_key_is_not_let_into_the_demo(swap):
    ours = swap.urls["api"]
    swap.set_sandbox_mode(True)
    swap.urls["api"] = ours  # OKX has the demo on the live host, behind a header
    with pytest.raises(ccxt.AuthenticationError, match="50101"):
        swap.private_get_account_balance()


def test_ccxt_batch_tells_of_each_of_its_orders(swap):
    good = {
        "instId": "BTC-USDT-SWAP",
        "tdMode": "cross",
        "side": "buy",
        "ordType": "limit",
        "sz": "1",
        "px": "1",
    }
    told = swap.private_post_trade_batch_orders([good, good | {"instId": "NO-SUCH-SWAP"}])
    assert (told["code"], [each["sCode"] for each in told["data"]]) == ("2", ["0", "51001"])


# -- python-okx --------------------------------------------------------------------------------------------

PERPETUAL = "BTC-USDT-SWAP"
#: it hands httpx the text of a body under the name that httpx keeps for forms
form_of_a_text = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


class Official:
    """OKX's own client; `trade` and `account` are its halves that we need."""

    def __init__(self, sandbox: Sandbox, keys: dict[str, str], flag: str = "0") -> None:
        words = (keys["key"], keys["secret"], keys["passphrase"])
        self.trade = TradeAPI(*words, flag=flag, domain=sandbox.venue("OKX_F"))
        self.account = AccountAPI(*words, flag=flag, domain=sandbox.venue("OKX_F"))

    def place(self, side: str, kind: str, contracts: str, **words: Any) -> str:
        """The new order's id; what is refused has none."""
        told = self.trade.place_order(PERPETUAL, "cross", side, kind, contracts, **words)
        return str(done(told)[0]["ordId"])

    def algo(self, side: str, kind: str, contracts: str, **words: Any) -> str:
        told = self.trade.place_algo_order(PERPETUAL, "cross", side, kind, contracts, **words)
        return str(done(told)[0]["algoId"])

    def order(self, order_id: str) -> dict[str, str]:
        found: dict[str, str] = done(self.trade.get_order(PERPETUAL, ordId=order_id))[0]
        return found

    def algos(self, kind: str) -> list[str]:
        return [each["algoId"] for each in done(self.trade.order_algos_list(kind))]

    def positions(self) -> list[tuple[str, str, str]]:
        """Contracts, entry price and leverage of each."""
        held = done(self.account.get_positions("SWAP"))
        return [(each["pos"], each["avgPx"], each["lever"]) for each in held]


def done(told: dict[str, Any]) -> Any:
    assert told["code"] == "0", told
    return told["data"]


@pytest.fixture
def official(sandbox, keys):
    made = Official(sandbox, keys)
    with made.trade, made.account:
        yield made


@form_of_a_text
def test_python_okx_reads_the_balance_that_an_order_holds(official):
    official.place("buy", "limit", "10", px="40000")
    (row,) = done(official.account.get_account_balance("USDT"))
    (coin,) = row["details"]
    assert (coin["ccy"], coin["eq"], coin["cashBal"]) == ("USDT", "100000", "100000")
    assert Decimal(coin["availBal"]) + Decimal(coin["frozenBal"]) == 100_000
    assert Decimal(coin["frozenBal"]) == 400, "a tenth of 4000, at leverage 10"


@form_of_a_text
def test_python_okx_opens_a_position_at_its_leverage_and_closes_it(official):
    done(official.account.set_leverage("5", "cross", PERPETUAL))
    opened = official.place("buy", "market", "10", clOrdId="entry1")
    found = official.order(opened)
    assert (found["state"], found["accFillSz"], found["avgPx"]) == ("filled", "10", "50000.1")
    by_client_id = done(official.trade.get_order(PERPETUAL, clOrdId="entry1"))
    assert [each["ordId"] for each in by_client_id] == [opened]
    assert official.positions() == [("10", "50000.1", "5")]
    official.place("sell", "market", "10", reduceOnly="true")
    assert official.positions() == []


@form_of_a_text
def test_python_okx_limit_order_rests_until_it_is_cancelled(official):
    order = official.place("buy", "post_only", "1", px="40000")
    (waiting,) = done(official.trade.get_order_list("SWAP", instId=PERPETUAL))
    assert (waiting["ordId"], waiting["state"], waiting["px"]) == (order, "live", "40000")
    done(official.trade.cancel_order(PERPETUAL, order))
    assert done(official.trade.get_order_list("SWAP")) == []
    assert official.order(order)["state"] == "canceled"
    again = official.trade.cancel_order(PERPETUAL, order)
    assert (again["code"], again["data"][0]["sCode"]) == ("1", "51400")


@form_of_a_text
def test_python_okx_stop_fires_and_tells_which_order_it_became(sandbox, official):
    official.place("buy", "market", "10")
    words = {"reduceOnly": "true", "slTriggerPx": "49000", "slOrdPx": "-1"}
    stop = official.algo("sell", "conditional", "10", algoClOrdId="stop1", **words)
    assert official.algos("conditional") == [stop]
    sandbox.price(SPOT, 48990)
    (fired,) = done(official.trade.get_algo_order_details(algoClOrdId="stop1"))
    assert (fired["algoId"], fired["state"], fired["actualSide"]) == (stop, "effective", "sl")
    became = official.order(fired["ordIdList"][0])
    assert (became["state"], became["avgPx"], became["algoId"]) == ("filled", "48990", stop)
    assert official.positions() == []


@form_of_a_text
def test_python_okx_pair_is_cancelled_as_one(official):
    official.place("buy", "market", "10")
    legs = {"slTriggerPx": "49000", "slOrdPx": "-1", "tpTriggerPx": "52000", "tpOrdPx": "-1"}
    pair = official.algo("sell", "oco", "10", reduceOnly="true", **legs)
    assert official.algos("oco") == [pair]
    done(official.trade.cancel_algo_order([{"instId": PERPETUAL, "algoId": pair}]))
    assert official.algos("oco") == []
    assert done(official.trade.get_algo_order_details(algoId=pair))[0]["state"] == "canceled"


@form_of_a_text
def test_python_okx_buys_coins_for_money(official):
    order = done(official.trade.place_order("BTC-USDT", "cash", "buy", "market", "1000"))[0]["ordId"]
    (found,) = done(official.trade.get_order("BTC-USDT", ordId=order))
    assert (found["sz"], found["tgtCcy"], found["feeCcy"]) == ("1000", "quote_ccy", "BTC")
    assert Decimal(found["accFillSz"]) * Decimal(found["avgPx"]) == pytest.approx(1000, rel=Decimal("1e-4"))


@form_of_a_text
def test_python_okx_is_told_of_each_order_of_a_batch(official):
    good = {"instId": PERPETUAL, "tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "1", "px": "9"}
    told = official.trade.place_multiple_orders([good, good | {"sz": "10000", "px": "40000"}])
    assert (told["code"], [each["sCode"] for each in told["data"]]) == ("2", ["0", "51008"])
    assert all(each["ts"].isdigit() for each in told["data"])


def test_python_okx_that_asks_for_the_demo_is_not_let_in_with_a_live_key(sandbox, keys):
    demo = Official(sandbox, keys, flag="1")
    with demo.trade, demo.account:
        assert demo.account.get_account_balance()["code"] == "50101"


# -- our own venues ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "symbol"), [("spot", SPOT), ("swap", SWAP)])
def test_ccxt_places_several_orders_in_one_request_and_is_told_of_each_refusal(sandbox, keys, kind, symbol):
    client = ccxt_client(sandbox, keys, kind)
    limit = {"symbol": symbol, "type": "limit", "side": "buy", "amount": 0.1, "price": 40000}
    told = client.create_orders([limit, limit | {"amount": 9000}, limit | {"price": 41000}])
    assert [each["info"]["sCode"] for each in told] == ["0", "51008", "0"]
    assert {each["id"] for each in client.fetch_open_orders(symbol)} == {told[0]["id"], told[2]["id"]}


def test_a_batch_takes_twenty_orders_and_none_with_a_trigger(spot):
    limit = {"symbol": SPOT, "type": "limit", "side": "buy", "amount": 0.01, "price": 40000}
    with pytest.raises(ccxt.BadRequest):
        spot.create_orders([limit] * 21)
    stop = {"instId": "BTC-USDT", "tdMode": "cash", "side": "sell", "ordType": "conditional", "sz": "1"}
    with pytest.raises(ccxt.BadRequest, match="ordType"):
        spot.privatePostTradeBatchOrders([stop | {"slTriggerPx": "49000", "slOrdPx": "-1"}] * 2)
    assert spot.fetch_open_orders(SPOT) == []


@pytest.fixture
def other(sandbox, keys):
    """The same account in a process that has seen nothing yet."""
    made = Pool(sandbox_url=sandbox.url)
    yield Ours(made, "OKX_F", keys)
    made.close()


@pytest.fixture
def futures(pool, keys):
    return Ours(pool, "OKX_F", keys)


@pytest.fixture
def cash(pool, keys):
    return Ours(pool, "OKX", keys)


REDUCING = {"reduce_only": True}


def test_quantities_are_coins_whatever_the_exchange_counts(sandbox, futures):
    entry = futures.fetch(futures.place("buy", "market", "0.1"))
    assert (entry.status, entry.filled, entry.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.1"),
        Decimal("50000.1"),
    )
    assert entry.fee is not None
    assert entry.fee.amount == Decimal("0.1") * Decimal("50000.1") * Decimal("0.0005")
    (position,) = futures.positions()
    assert (position.quantity, position.margin_mode) == (Decimal("0.1"), MarginMode.CROSS)
    assert sandbox.state("OKX_F", futures.keys.key)["positions"][0]["quantity"] == "10"


def test_entry_stop_and_target_and_the_target_ends_the_stop(sandbox, futures):
    futures.place("buy", "market", "0.1")
    stop, target = futures.protect("0.1", "49000", "52000")
    assert {(each.exchange_id, each.client_id, each.type) for each in futures.open()} == {
        (stop.exchange_id, stop.client_id, OrderType.STOP),
        (target.exchange_id, target.client_id, OrderType.TAKE_PROFIT),
    }
    sandbox.price("BTC/USDT", "52000")
    assert futures.open() == []
    assert futures.positions() == []
    won, lost = futures.fetch(target), futures.fetch(stop)
    assert (won.status, won.filled, won.average_price) == (OrderStatus.FILLED, Decimal("0.1"), Decimal(52000))
    assert (lost.status, lost.filled) == (OrderStatus.CANCELLED, 0)


def test_the_pair_of_an_isolated_position_goes_to_that_position(sandbox, futures, other, keys):
    futures.place("buy", "market", "0.1", margin_mode=MarginMode.ISOLATED)
    other.protect("0.1", "49000", "52000")
    other.place("sell", "market", "0.1", **REDUCING)
    assert futures.positions() == []
    asked = [each["path"] for each in sandbox.state("OKX_F", futures.keys.key)["calls"]]
    assert asked.count("/api/v5/account/positions") == 2, "once to learn the mode, once by this test"


def test_cancelling_one_leg_cancels_the_pair(futures):
    futures.place("buy", "market", "0.1")
    stop, target = futures.protect("0.1", "49000", "52000")
    futures.venue.cancel(futures.keys, futures.instrument, target.ref)
    assert futures.open() == []
    assert futures.fetch(stop).status is OrderStatus.CANCELLED
    with pytest.raises(OrderNotFound):
        futures.venue.cancel(futures.keys, futures.instrument, stop.ref)


def test_everything_of_an_instrument_is_cancelled(futures):
    futures.place("buy", "limit", "0.1", price="40000")
    futures.place("buy", "market", "0.1")
    futures.protect("0.1", "49000", "52000")
    futures.place("sell", "stop", "0.1", trigger_price="48000", **REDUCING)
    assert len(futures.open()) == 4
    futures.venue.cancel_all(futures.keys, futures.instrument)
    assert futures.open() == []


def test_a_triggered_limit_order_that_rests_keeps_its_name_and_can_be_cancelled(sandbox, futures):
    stop = futures.place("buy", "stop_limit", "0.1", trigger_price="51000", price="50900")
    sandbox.price("BTC/USDT", "51000")
    (resting,) = futures.open()
    assert (resting.ref, resting.price) == (stop.ref, Decimal(50900))
    futures.venue.cancel(futures.keys, futures.instrument, resting.ref)
    assert futures.fetch(stop).status is OrderStatus.CANCELLED
    assert futures.open() == []


def test_hedge_mode_is_read_and_each_side_has_its_legs(sandbox, pool):
    ours = Ours(pool, "OKX_F", sandbox.account("okx", position_mode="hedge"))
    assert ours.venue.position_mode(ours.keys, ours.instrument) is PositionMode.HEDGE
    with pytest.raises(ModeMismatch):
        ours.place("buy", "market", "0.1")
    ours.place("buy", "market", "0.1", position_side=Direction.LONG)
    ours.place("sell", "market", "0.05", position_side=Direction.SHORT)
    stop, _ = ours.protect("0.1", "49000", "52000", position_side=Direction.LONG)
    assert {(each.direction, each.quantity) for each in ours.positions()} == {
        (Direction.LONG, Decimal("0.1")),
        (Direction.SHORT, Decimal("0.05")),
    }
    assert {(each.position_side, each.reduce_only) for each in ours.open()} == {(Direction.LONG, True)}
    sandbox.price("BTC/USDT", "48990")
    assert ours.fetch(stop).status is OrderStatus.FILLED
    assert [each.direction for each in ours.positions()] == [Direction.SHORT]


@pytest.mark.parametrize("position_mode", ["one_way", "hedge"])
@pytest.mark.parametrize("mode", [None, *MarginMode])
def test_leverage_is_set_in_every_mode_and_already_so_is_success(sandbox, pool, position_mode, mode):
    ours = Ours(pool, "OKX_F", sandbox.account("okx", position_mode=position_mode))
    for _ in range(2):
        ours.venue.set_leverage(ours.keys, ours.instrument, Decimal(7), mode)
    side = Direction.LONG if position_mode == "hedge" else None
    ours.place("buy", "market", "0.1", margin_mode=mode, position_side=side)
    (position,) = ours.positions()
    assert position.leverage == 7
    assert position.margin_mode is (mode or MarginMode.CROSS)


def test_a_spot_stop_and_target_rest_together_for_the_full_size(sandbox, cash):
    stop = cash.place("sell", "stop", "2", trigger_price="49000")
    target = cash.place("sell", "take_profit", "2", trigger_price="52000")
    assert {each.type for each in cash.open()} == {OrderType.STOP, OrderType.TAKE_PROFIT}
    sandbox.price("BTC/USDT", "52000")
    assert cash.fetch(target).status is OrderStatus.FILLED
    cash.venue.cancel(cash.keys, cash.instrument, stop.ref)
    assert cash.open() == []


def test_a_spot_buy_stop_counts_coins(sandbox, cash):
    stop = cash.place("buy", "stop", "0.1", trigger_price="51000")
    sandbox.price("BTC/USDT", "51000")
    found = cash.fetch(stop)
    assert (found.status, found.filled, found.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.1"),
        Decimal("51000.1"),
    )


@pytest.mark.parametrize("time_in_force", [TimeInForce.IOC, TimeInForce.FOK])
def test_what_cannot_fill_at_once_ends(futures, cash, time_in_force):
    for ours in (futures, cash):
        found = ours.fetch(ours.place("buy", "limit", "0.1", price="40000", time_in_force=time_in_force))
        assert (found.status, found.filled) == (OrderStatus.CANCELLED, 0)


def test_crossed_stops_and_targets_are_refused_in_every_direction(sandbox, futures, cash):
    futures.place("buy", "market", "0.1")
    for side, kind, trigger in (
        ("sell", "stop", "50500"),
        ("sell", "take_profit", "49500"),
        ("buy", "stop", "49500"),
        ("buy", "take_profit", "50500"),
    ):
        with pytest.raises(WouldTrigger):
            cash.place(side, kind, "0.1", trigger_price=trigger)
        with pytest.raises(WouldTrigger):
            futures.place(side, kind, "0.1", trigger_price=trigger)
    with pytest.raises(WouldTrigger):
        futures.protect("0.1", "50500", "52000")
    assert futures.open() == cash.open() == []


def test_refusals_have_our_classes(sandbox, futures, cash):
    with pytest.raises(InsufficientFunds):
        futures.place("buy", "market", "100")
    with pytest.raises(InvalidOrder):
        cash.place("buy", "limit", "0.000001", price="50000")
    with pytest.raises(NothingToReduce):
        futures.place("sell", "market", "0.1", **REDUCING)
    for conditional in (False, True):
        with pytest.raises(OrderNotFound):
            cash.venue.fetch(cash.keys, cash.instrument, OrderRef("neversent", conditional=conditional))
    futures.place("buy", "limit", "0.1", price="40000", client_id="twice")
    with pytest.raises(DuplicateOrder):
        futures.place("buy", "limit", "0.1", price="40000", client_id="twice")
    for wrong in (Credentials("unknown", "secret", "words"), replace(futures.keys, passphrase="wrong")):
        with pytest.raises(AuthRefused):
            futures.venue.key_info(wrong)


def test_balances_free_less_what_orders_and_positions_hold(futures, cash):
    cash.place("buy", "limit", "0.1", price="40000")
    futures.place("sell", "limit", "0.1", price="60000")
    usdt = futures.venue.balances(futures.keys)["USDT"]
    assert (usdt.total, usdt.free) == (Decimal(100_000), Decimal(100_000) - 4000 - 600)
    info = futures.venue.key_info(futures.keys)
    assert (info.can_trade, info.can_withdraw, info.ip_locked, info.note) == (True, False, False, "")


def test_a_clock_ahead_of_the_exchange_is_measured_and_the_order_still_sent_once(sandbox, futures):
    futures.venue.clock.offset_ms += 60_000
    futures.place("buy", "market", "0.1", client_id="ahead")
    asked = [each["path"] for each in sandbox.state("OKX_F", futures.keys.key)["calls"]]
    assert asked.count("/api/v5/trade/order") == 2, "refused for its timestamp, then accepted"
    assert futures.positions()[0].quantity == Decimal("0.1")


@pytest.mark.parametrize(("kind", "more"), [("market", {}), ("stop", {"trigger_price": "51000"})])
def test_an_order_whose_answer_was_lost_is_found_by_its_client_id(sandbox, futures, kind, more):
    sandbox.fault("drop_after", venue="OKX_F", count=1, path="trade/order")
    with pytest.raises(OutcomeUnknown):
        futures.place("buy", kind, "0.1", client_id="lost", **more)
    ref = OrderRef("lost", conditional=kind == "stop")
    found = futures.venue.fetch(futures.keys, futures.instrument, ref)
    assert (found.client_id, found.quantity) == ("lost", Decimal("0.1"))


def test_a_pair_whose_answer_was_lost_is_found_leg_by_leg(sandbox, futures):
    futures.place("buy", "market", "0.1")
    sandbox.fault("drop_after", venue="OKX_F", count=1, path="order-algo")
    stop = futures.order("sell", "stop", "0.1", trigger_price="49000", **REDUCING)
    target = futures.order("sell", "take_profit", "0.1", trigger_price="52000", **REDUCING)
    with pytest.raises(OutcomeUnknown):
        futures.venue.protect(futures.keys, Legs(stop, target))
    assert [each.client_id for each in futures.open()] == [stop.client_id, target.client_id]


def test_a_market_order_that_found_half_is_cancelled_with_what_it_got(sandbox, futures, cash):
    for ours in (futures, cash):
        sandbox.fault("partial_fill", venue=ours.venue.name, count=1)
        found = ours.fetch(ours.place("buy", "market", "0.1"))
        assert (found.status, found.filled) == (OrderStatus.CANCELLED, Decimal("0.05"))
        assert found.average_price is not None


def test_a_stop_the_exchange_will_not_take_is_refused(sandbox, futures, cash):
    futures.place("buy", "market", "0.1")
    for ours in (futures, cash):
        sandbox.fault("reject_stop", venue=ours.venue.name)
        with pytest.raises(Refused):
            ours.place("sell", "stop", "0.1", trigger_price="49000")
        with pytest.raises(Refused):
            ours.protect("0.1", "49000", "52000")
        assert ours.open() == []


def test_a_spot_stop_without_coins_left_fails_when_it_triggers(sandbox, cash):
    stop = cash.place("sell", "stop", "2", trigger_price="49000")
    cash.place("sell", "market", "1")
    sandbox.price("BTC/USDT", "49000")
    found = cash.fetch(stop)
    assert (found.status, found.filled) == (OrderStatus.REJECTED, 0)
    assert "51008" in found.reason


def test_a_wrong_secret_is_refused_without_telling_the_key(futures):
    with pytest.raises(AuthRefused) as caught:
        futures.venue.key_info(replace(futures.keys, secret="wrong"))
    assert caught.value.code == "50113"
    assert futures.keys.key not in caught.value.message + caught.value.exchange_message


# -- margined in coins ---------------------------------------------------------------------------------------


@pytest.fixture
def coin(sandbox, keys):
    return ccxt_client(sandbox, keys, "coin")


def test_ccxt_lists_contracts_margined_in_coins_with_what_one_is_worth(coin):
    markets = coin.load_markets()
    bitcoin, ether = markets[COIN], markets["ETH/USD:ETH"]
    assert (bitcoin["id"], bitcoin["inverse"], bitcoin["settle"]) == ("BTC-USD-SWAP", True, "BTC")
    assert (bitcoin["contractSize"], ether["contractSize"]) == (100, 10)
    assert (bitcoin["precision"]["amount"], markets[SWAP]["linear"]) == (0.1, True)


def test_ccxt_opens_and_closes_contracts_margined_in_coins(sandbox, coin):
    coin.set_leverage(5, COIN)
    order = coin.create_order(COIN, "market", "buy", 100)
    found = coin.fetch_order(order["id"], COIN)
    assert (found["status"], found["filled"], found["average"]) == ("closed", 100, 50000.1)
    assert found["fee"] == {"cost": pytest.approx(10_000 / 50000.1 * 0.0005), "currency": "BTC"}
    sandbox.price(SPOT, 60000)
    position = coin.fetch_position(COIN)
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 100, 50000.1)
    assert (position["leverage"], position["notional"]) == (5, pytest.approx(10_000 / 60000))
    profit = 10_000 / 50000.1 - 10_000 / 60000
    assert position["unrealizedPnl"] == pytest.approx(profit)
    coin.create_order(COIN, "market", "sell", 100, None, {"reduceOnly": True})
    assert coin.fetch_positions() == []
    paid = 10_000 / 50000.1 * 0.0005 + 10_000 / 60000 * 0.0005
    assert coin.fetch_balance()["BTC"]["total"] == pytest.approx(2 + profit - paid)


def test_ccxt_rests_cancels_and_stops_contracts_margined_in_coins(sandbox, coin):
    limit = coin.create_order(COIN, "limit", "buy", 0.5, 40000)
    assert [(each["id"], each["amount"]) for each in coin.fetch_open_orders(COIN)] == [(limit["id"], 0.5)]
    coin.cancel_order(limit["id"], COIN)
    assert coin.fetch_open_orders(COIN) == []
    coin.create_order(COIN, "market", "sell", 100)
    stop = coin.create_order(COIN, "market", "buy", 100, None, {"stopLossPrice": 51000, **REDUCE})
    target = coin.create_order(COIN, "market", "buy", 100, None, {"takeProfitPrice": 48000, **REDUCE})
    listed = coin.fetch_open_orders(COIN, params={"ordType": "conditional"})
    assert {each["id"] for each in listed} == {stop["id"], target["id"]}
    coin.cancel_order(target["id"], COIN, {"trigger": True})
    sandbox.price(SPOT, 51000)
    assert coin.fetch_positions() == []
    fired = coin.fetch_order(stop["id"], COIN, {"trigger": True})
    assert (fired["status"], fired["info"]["actualSide"]) == ("closed", "sl")
    for code, amount, price in (("51008", 20_000, 40000), ("51121", 0.25, 40000)):
        with pytest.raises(ccxt.ExchangeError, match=code):
            coin.private_post_trade_order(
                {
                    "instId": "BTC-USD-SWAP",
                    "tdMode": "cross",
                    "side": "buy",
                    "ordType": "limit",
                    "sz": str(amount),
                    "px": str(price),
                }
            )


def test_the_position_mode_is_that_of_both_kinds_of_contract(coin, swap):
    coin.create_order(COIN, "limit", "buy", 1, 40000)
    with pytest.raises(ccxt.ExchangeError, match="59000"):
        swap.set_position_mode(True)
    coin.cancel_order(coin.fetch_open_orders(COIN)[0]["id"], COIN)
    swap.set_position_mode(True)
    coin.create_order(COIN, "market", "buy", 2, None, {"hedged": True})
    swap.create_order(SWAP, "market", "sell", 1, None, {"hedged": True})
    held = {(each["symbol"], each["side"], each["contracts"]) for each in coin.fetch_positions()}
    assert held == {(COIN, "long", 2), (SWAP, "short", 1)}


def test_the_lists_of_okx_tell_both_kinds_of_contract_and_each_venue_its_own(pool, keys):
    sizes = {"OKX_F": ("BTC-USDT-SWAP", "0.1"), "OKX_C": ("BTC-USD-SWAP", "10")}
    ours = {name: Ours(pool, name, keys, symbol) for name, (symbol, _) in sizes.items()}
    for name, (_, size) in sizes.items():
        ours[name].place("buy", "market", size)
        ours[name].place("buy", "limit", size, price="40000")
        ours[name].protect(size, "49000", "52000")
    for name, (symbol, size) in sizes.items():
        held, standing = ours[name].positions(), ours[name].venue.open_orders(ours[name].keys)
        assert [(each.symbol, each.quantity) for each in held] == [(symbol, Decimal(size))]
        assert [(each.symbol, each.quantity) for each in standing] == [(symbol, Decimal(size))] * 3


def test_an_isolated_position_margined_in_coins_is_closed_in_its_mode(pool, keys):
    first, second = Ours(pool, "OKX_C", keys, "BTC-USD-SWAP"), Ours(pool, "OKX_C", keys, "BTC-USD-SWAP")
    first.place("buy", "market", "10", margin_mode=MarginMode.ISOLATED)
    second.place("sell", "market", "10", client_id="second", **REDUCING)
    assert first.positions() == []


# -- what clients do beside -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "symbol"), [("spot", SPOT), ("swap", SWAP)])
def test_ccxt_changes_an_order_and_what_has_ended_is_not_changed(sandbox, keys, kind, symbol):
    made = ccxt_client(sandbox, keys, kind)
    order = made.create_order(symbol, "limit", "buy", 1, 40000)
    made.edit_order(order["id"], symbol, "limit", "buy", 2, 39000)
    (found,) = made.fetch_open_orders(symbol)
    assert (found["id"], found["amount"], found["price"]) == (order["id"], 2, 39000)
    made.cancel_order(order["id"], symbol)
    with pytest.raises(ccxt.OrderNotFound, match="51503"):
        made.edit_order(order["id"], symbol, "limit", "buy", 1, 39000)
    assert made.fetch_order_book(symbol, 5)["bids"][0] == [50000, 1000, 0]


def test_ccxt_entry_brings_a_pair_of_its_size_along_and_the_pair_is_one(sandbox, swap):
    legs = {"stopLoss": {"triggerPrice": 49000}, "takeProfit": {"triggerPrice": 52000}}
    entry = swap.create_order(SWAP, "limit", "buy", 10, 49500, legs)
    assert swap.fetch_open_orders(SWAP, params={"ordType": "oco"}) == []
    assert swap.fetch_order(entry["id"], SWAP)["info"]["attachAlgoOrds"][0]["slTriggerPx"] == "49000"
    sandbox.price(SPOT, 49500)
    (pair,) = swap.fetch_open_orders(SWAP, params={"ordType": "oco"})
    assert (pair["stopLossPrice"], pair["takeProfitPrice"], pair["amount"]) == (49000, 52000, 10)
    sandbox.price(SPOT, 48990)
    assert swap.fetch_positions([SWAP]) == []
    assert swap.fetch_open_orders(SWAP, params={"ordType": "oco"}) == []
    (ended,) = swap.fetch_canceled_orders(SWAP, params={"ordType": "oco", "state": "effective"})
    assert ended["id"] == pair["id"]
    (closed,) = swap.fetch_positions_history([SWAP])
    assert closed["entryPrice"] == 49500


def test_ccxt_entry_with_a_target_on_the_wrong_side_is_refused(swap):
    with pytest.raises(ccxt.BaseError, match="51279"):
        swap.create_order(SWAP, "market", "buy", 1, None, {"takeProfit": {"triggerPrice": 49000}})
    assert swap.fetch_positions([SWAP]) == []


def test_ccxt_closes_a_whole_position(swap):
    swap.create_order(SWAP, "market", "buy", 3)
    resting = swap.create_order(SWAP, "limit", "sell", 1, 60000, {"reduceOnly": True})
    with pytest.raises(ccxt.BaseError, match="51115"):
        swap.close_position(SWAP)
    swap.cancel_order(resting["id"], SWAP)
    swap.close_position(SWAP)
    assert swap.fetch_positions([SWAP]) == []
    with pytest.raises(ccxt.BaseError, match="51023"):
        swap.close_position(SWAP)


@form_of_a_text
def test_python_okx_moves_the_trigger_of_an_algo_order_of_a_whole_position(sandbox, official):
    done(official.trade.place_order("BTC-USDT-SWAP", "cross", "buy", "market", "2"))
    words = {"slTriggerPx": "48000", "slOrdPx": "-1", "reduceOnly": "true"}
    (stop,) = done(
        official.trade.place_algo_order(
            "BTC-USDT-SWAP", "cross", "sell", "conditional", sz="", closeFraction="1", **words
        )
    )
    official.trade.amend_algo_order("BTC-USDT-SWAP", algoId=stop["algoId"], newSlTriggerPx="49000")
    (row,) = done(official.trade.order_algos_list(ordType="conditional"))
    assert (row["slTriggerPx"], row["closeFraction"]) == ("49000", "1")
    sandbox.price(SPOT, 48990)
    assert done(official.account.get_positions()) == []
