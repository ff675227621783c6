"""BitMEX in the sandbox, traded by ccxt's own BitMEX client (in a process of its own) and by our venues."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

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
    Refused,
    UnknownSymbol,
    WouldTrigger,
)
from exchanges.types import (
    Direction,
    MarginMode,
    OrderRef,
    OrderStatus,
    OrderType,
    PositionMode,
    TimeInForce,
)
from tests.exchanges.conftest import Sandbox
from tests.exchanges.elsewhere import Elsewhere, Raised
from tests.exchanges.sandbox.ours import Ours

SPOT, SWAP, COIN = "BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC"
REDUCE = {"reduceOnly": True}
BELOW, ABOVE = {"triggerDirection": "below"}, {"triggerDirection": "above"}
CLIENT = "tests.exchanges.clients.bitmex"


@pytest.fixture
def keys(sandbox: Sandbox) -> dict[str, str]:
    return sandbox.account("bitmex", balances={"USDT": "100000", "BTC": "2"})


# -- ccxt --------------------------------------------------------------------------------------------------


def words(sandbox: Sandbox, keys: dict[str, str], **options: Any) -> dict[str, Any]:
    return {
        "apiKey": keys["key"],
        "secret": keys["secret"],
        "url": sandbox.venue("BitMEX_F"),
        "options": options,
    }


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere(CLIENT, {"apiKey": "", "secret": "", "url": ""}) as made:
        yield made


@pytest.fixture
def client(sandbox: Sandbox, keys: dict[str, str], elsewhere: Elsewhere) -> Any:
    elsewhere.reopen(words(sandbox, keys))
    return elsewhere


def test_ccxt_loads_markets_with_lots_ticks_and_contract_sizes(client):
    markets = client.load_markets()
    swap, spot = markets[SWAP], markets[SPOT]
    assert (swap["id"], swap["contractSize"], swap["linear"], swap["settle"]) == (
        "XBTUSDT",
        1e-6,
        True,
        "USDT",
    )
    assert swap["precision"] == {"amount": 100, "price": 0.1}
    assert swap["limits"]["leverage"]["max"] == 100
    assert (spot["id"], spot["precision"]["amount"], spot["active"]) == ("XBT_USDT", 1000, True)
    assert {"ETH/USDT", "SOL/USDT:USDT", "LTC/USDT:USDT"} <= set(markets)
    ticker = client.fetch_ticker(SWAP)
    assert (ticker["bid"], ticker["ask"], ticker["markPrice"]) == (50000, 50000.1, 50000)


def test_ccxt_market_order_is_answered_with_its_fill_and_opens_a_position(client):
    order = client.create_order(SWAP, "market", "buy", 100_000)
    assert (order["status"], order["filled"], order["average"]) == ("closed", 100_000, 50000.1)
    assert client.fetch_order(order["id"], SWAP)["average"] == 50000.1
    (trade,) = client.fetch_my_trades(SWAP)
    assert (trade["order"], trade["amount"], trade["price"]) == (order["id"], 100_000, 50000.1)
    (position,) = client.fetch_positions([SWAP])
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 100_000, 50000.1)
    assert (position["marginMode"], position["leverage"]) == ("cross", 100)
    balance = client.fetch_balance()["USDT"]
    assert balance["total"] == pytest.approx(100_000 - 5000.01 * 0.0005 - 0.01)


def test_ccxt_limit_order_rests_is_amended_and_cancelled_once(client):
    order = client.create_order(SWAP, "limit", "buy", 100_000, 40000, {"clientOrderId": "mine"})
    assert [(each["id"], each["clientOrderId"]) for each in client.fetch_open_orders(SWAP)] == [
        (order["id"], "mine")
    ]
    changed = client.edit_order(order["id"], SWAP, "limit", "buy", 200_000, 41000)
    assert (changed["amount"], changed["price"], changed["remaining"]) == (200_000, 41000, 200_000)
    assert client.cancel_order(order["id"], SWAP)["status"] == "canceled"
    assert client.fetch_order(order["id"], SWAP)["status"] == "canceled"
    with pytest.raises(Raised, match="existing state: Canceled") as caught:
        client.cancel_order(order["id"], SWAP)
    assert caught.value.names[0] == "OrderNotFound"


def test_ccxt_stop_fires_and_its_sibling_stays(sandbox, client):
    client.create_order(SWAP, "market", "buy", 100_000)
    stop = client.create_order(
        SWAP, "market", "sell", 100_000, None, {"triggerPrice": 49000} | BELOW | REDUCE
    )
    target = client.create_order(
        SWAP, "market", "sell", 100_000, None, {"triggerPrice": 52000} | ABOVE | REDUCE
    )
    assert (stop["type"], target["type"]) == ("stop", "marketiftouched")
    assert {each["triggerPrice"] for each in client.fetch_open_orders(SWAP)} == {49000, 52000}
    sandbox.price(SPOT, 48999)
    fired = client.fetch_order(stop["id"], SWAP)
    assert (fired["status"], fired["average"], fired["reduceOnly"]) == ("closed", 48999, True)
    assert client.fetch_positions([SWAP])[0]["contracts"] == 0
    assert [each["id"] for each in client.fetch_open_orders(SWAP)] == [target["id"]]
    assert [each["status"] for each in client.cancel_all_orders(SWAP)] == ["canceled"]


def test_ccxt_take_profit_limit_rests_at_its_price_when_it_fires(sandbox, client):
    client.create_order(SWAP, "market", "buy", 100_000)
    order = client.create_order(
        SWAP, "limit", "sell", 100_000, 53000, {"triggerPrice": 52000} | ABOVE | REDUCE
    )
    sandbox.price(SPOT, 52000)
    assert client.fetch_order(order["id"], SWAP)["status"] == "open"
    sandbox.price(SPOT, 53000)
    assert client.fetch_order(order["id"], SWAP)["average"] == 53000


def test_ccxt_closes_a_position_without_naming_its_size(client):
    client.create_order(SWAP, "market", "sell", 30_000)
    assert client.close_position(SWAP, "buy")["filled"] == 30_000
    assert client.fetch_positions([SWAP])[0]["contracts"] == 0


def test_ccxt_sets_leverage_and_margin_mode(client):
    client.create_order(SWAP, "market", "buy", 100_000)
    client.set_leverage(5, SWAP)
    (position,) = client.fetch_positions([SWAP])
    assert (position["leverage"], position["marginMode"]) == (5, "isolated")
    client.set_margin_mode("cross", SWAP)
    assert client.fetch_positions([SWAP])[0]["marginMode"] == "cross"
    with pytest.raises(Raised, match="leverage should be between"):
        client.set_leverage(500, SWAP)


def test_ccxt_trades_the_contract_margined_in_its_coin(sandbox, client):
    market = client.load_markets()[COIN]
    assert (market["id"], market["inverse"], market["settle"]) == ("XBTUSD", True, "BTC")
    assert market["precision"] == {"amount": 100, "price": 0.1}
    client.set_leverage(5, COIN)
    order = client.create_order(COIN, "market", "buy", 1000)
    assert (order["status"], order["average"], order["info"]["cumQty"]) == ("closed", 50000.1, 1000)
    assert order["filled"] == pytest.approx(1000 / 50000.1), "in coins, as this client has it"
    stop = client.create_order(COIN, "market", "sell", 1000, None, {"triggerPrice": 49000} | BELOW | REDUCE)
    target = client.create_order(COIN, "market", "sell", 1000, None, {"triggerPrice": 60000} | ABOVE | REDUCE)
    before = client.fetch_balance()["BTC"]["total"]
    assert before == pytest.approx(2 - 1000 / 50000.1 * 0.0005)
    (position,) = client.fetch_positions([COIN])
    assert (position["side"], position["contracts"], position["leverage"]) == ("long", 1000, 5)
    sandbox.price(SPOT, 60000)
    assert client.fetch_order(target["id"], COIN)["average"] == 60000
    assert client.fetch_positions([COIN])[0]["contracts"] == 0
    earned = 1000 / 50000.1 - 1000 / 60000 * 1.0005
    assert client.fetch_balance()["BTC"]["total"] == pytest.approx(before + earned)
    assert [each["id"] for each in client.fetch_open_orders(COIN)] == [stop["id"]]
    assert client.cancel_order(stop["id"], COIN)["status"] == "canceled"


def test_ccxt_trades_spot_in_coins(client):
    order = client.create_order(SPOT, "market", "buy", 0.1)
    assert (order["status"], order["filled"], order["average"]) == ("closed", 0.1, 50000.1)
    balance = client.fetch_balance()
    assert balance["BTC"]["total"] == pytest.approx(2 + 0.1 * 0.999)
    resting = client.create_order(SPOT, "limit", "sell", 0.5, 60000)
    assert [each["amount"] for each in client.fetch_open_orders(SPOT)] == [0.5]
    assert client.fetch_open_orders(SWAP) == []
    client.cancel_order(resting["id"], SPOT)
    stop = client.create_order(SPOT, "market", "sell", 1, None, {"triggerPrice": 45000} | BELOW)
    assert client.fetch_order(stop["id"], SPOT)["triggerPrice"] == 45000


def test_ccxt_gets_the_original_refusals(sandbox, client, keys):
    def refused(kind: str, said: str, *order: Any) -> None:
        with pytest.raises(Raised, match=said) as caught:
            client.create_order(*order)
        assert kind in caught.value.names

    refused("InsufficientFunds", "insufficient Available Balance", SWAP, "limit", "buy", 900_000_000, 40000)
    refused(
        "InvalidOrder", "Invalid stopPx", SWAP, "market", "sell", 100, None, {"triggerPrice": 51000} | BELOW
    )
    client.create_order(SWAP, "limit", "buy", 100, 40000, {"clientOrderId": "twice"})
    refused("InvalidOrder", "Duplicate clOrdID", SWAP, "limit", "buy", 100, 40000, {"clientOrderId": "twice"})
    crossing = client.create_order(SWAP, "limit", "buy", 100, 60000, {"postOnly": True})
    assert (crossing["status"], crossing["filled"]) == ("canceled", 0)
    nothing = client.create_order(SWAP, "market", "sell", 100, None, REDUCE)
    assert (nothing["status"], nothing["info"]["text"].partition("\n")[0]) == (
        "canceled",
        "Canceled: Order had execInst of Close or ReduceOnly but current position is 0",
    )
    for wrong in ({"key": "unknown"}, {"secret": "wrong"}):
        client.reopen(words(sandbox, keys | wrong))
        with pytest.raises(Raised) as caught:
            client.fetch_balance()
        assert "AuthenticationError" in caught.value.names


def test_ccxt_is_refused_when_its_request_has_expired(sandbox, client, keys):
    client.reopen(words(sandbox, keys, recvWindow=-60_000))
    with pytest.raises(Raised, match="expired"):
        client.fetch_balance()


def test_ccxt_is_told_of_the_limit(sandbox, client):
    client.load_markets()
    sandbox.fault("throttle", venue="BitMEX_F", count=1)
    with pytest.raises(Raised, match="Rate limit exceeded") as caught:
        client.create_order(SWAP, "market", "buy", 100)
    assert "DDoSProtection" in caught.value.names


def test_ccxt_reads_the_book_and_all_its_trades(client):
    book = client.fetch_order_book(SWAP)
    assert (book["bids"][0][0], book["asks"][0][0]) == (50000, 50000.1)
    client.create_order(SWAP, "market", "buy", 1000)
    client.create_order(COIN, "market", "sell", 100)
    assert {each["symbol"] for each in client.fetch_my_trades()} == {SWAP, COIN}
    order = client.create_order(SWAP, "limit", "buy", 1000, 40000)
    client.cancel_order(order["id"])
    told = client.private_get_execution({"symbol": "XBTUSDT"})
    assert [each["execType"] for each in told] == ["New", "Trade", "New", "Canceled"]


def test_an_order_that_names_no_side_sells_what_is_below_zero_and_closes_what_there_is(client):
    client.private_post_order({"symbol": "XBTUSDT", "orderQty": -1000, "ordType": "Market"})
    (short,) = client.fetch_positions([SWAP])
    client.private_post_order({"symbol": "XBTUSDT", "execInst": "Close", "ordType": "Market"})
    assert (
        short["side"],
        [each["contracts"] for each in client.fetch_positions([SWAP]) if each["contracts"]],
    ) == (
        "short",
        [],
    )


# -- our own venues ----------------------------------------------------------------------------------------


@pytest.fixture
def futures(pool, keys):
    return Ours(pool, "BitMEX_F", keys)


@pytest.fixture
def cash(pool, keys):
    return Ours(pool, "BitMEX", keys)


REDUCING = {"reduce_only": True}


def calls(sandbox: Sandbox, ours: Ours) -> list[str]:
    made = sandbox.state(ours.venue.name, ours.keys.key)["calls"]
    return [f"{each['method']} {each['path']}" for each in made]


def test_one_request_buys_and_tells_the_fill(sandbox, futures, cash):
    for ours in (futures, cash):
        report = ours.place("buy", "market", "0.1")
        assert (report.status, report.filled) == (OrderStatus.FILLED, Decimal("0.1"))
        assert report.average_price == Decimal("50000.1")
    assert calls(sandbox, futures) == ["POST /api/v1/order"]
    (position,) = futures.positions()
    assert (position.quantity, position.entry_price) == (Decimal("0.1"), Decimal("50000.1"))


def test_a_spot_buy_leaves_what_the_fee_left(cash):
    before = cash.venue.balances(cash.keys)["BTC"]
    cash.place("buy", "market", "0.1")
    after = cash.venue.balances(cash.keys)["BTC"]
    assert after.free - before.free == Decimal("0.0999")


def test_entry_stop_and_target_and_the_target_leaves_the_stop_to_be_cancelled(sandbox, futures):
    futures.place("buy", "market", "0.1")
    stop = futures.place("sell", "stop", "0.1", trigger_price="49000", **REDUCING)
    target = futures.place("sell", "take_profit", "0.1", trigger_price="52000", **REDUCING)
    assert {(each.client_id, each.type, each.reduce_only) for each in futures.open()} == {
        (stop.client_id, OrderType.STOP, True),
        (target.client_id, OrderType.TAKE_PROFIT, True),
    }
    sandbox.price("BTC/USDT", "52000")
    won = futures.fetch(target)
    assert (won.status, won.filled, won.average_price) == (OrderStatus.FILLED, Decimal("0.1"), Decimal(52000))
    assert futures.positions() == []
    assert [each.client_id for each in futures.open()] == [stop.client_id]
    futures.cancel(stop)
    assert futures.open() == []
    assert futures.fetch(stop).status is OrderStatus.CANCELLED


def test_a_stop_left_behind_cannot_open_a_position(sandbox, futures):
    futures.place("buy", "market", "0.1")
    stop = futures.place("sell", "stop", "0.1", trigger_price="49000", **REDUCING)
    futures.place("sell", "market", "0.1", **REDUCING)
    sandbox.price("BTC/USDT", "48990")
    assert futures.positions() == []
    assert futures.fetch(stop).status is OrderStatus.CANCELLED


def test_spot_stops_and_targets_wait_and_fire(sandbox, cash):
    stop = cash.place("sell", "stop", "1", trigger_price="49000")
    target = cash.place("sell", "take_profit_limit", "1", trigger_price="52000", price="51900")
    assert {each.type for each in cash.open()} == {OrderType.STOP, OrderType.TAKE_PROFIT_LIMIT}
    sandbox.price("BTC/USDT", "52000")
    assert cash.fetch(target).status is OrderStatus.FILLED
    cash.cancel(stop)
    assert cash.open() == []


def test_a_waiting_spot_order_holds_its_coins_so_the_other_leg_does_not_rest(cash):
    cash.place("sell", "stop", "2", trigger_price="49000")
    assert not cash.venue.features.rests_both_legs
    with pytest.raises(InsufficientFunds):
        cash.place("sell", "take_profit", "2", trigger_price="52000")


def test_each_product_sees_its_own_orders_only(futures, cash):
    futures.place("buy", "limit", "0.1", price="40000")
    cash.place("buy", "limit", "0.2", price="40000")
    for ours, quantity in ((futures, "0.1"), (cash, "0.2")):
        (found,) = ours.venue.open_orders(ours.keys)
        assert (found.symbol, found.quantity) == (ours.instrument.symbol, Decimal(quantity))


def test_hedge_mode_is_read_and_each_side_has_its_orders(sandbox, pool):
    ours = Ours(pool, "BitMEX_F", sandbox.account("bitmex", position_mode="hedge"))
    assert ours.venue.position_mode(ours.keys, ours.instrument) is PositionMode.HEDGE
    with pytest.raises(ModeMismatch):
        ours.place("buy", "market", "0.1")
    ours.place("buy", "market", "0.1", position_side=Direction.LONG)
    ours.place("sell", "market", "0.05", position_side=Direction.SHORT)
    stop = ours.place("sell", "stop", "0.1", trigger_price="49000", position_side=Direction.LONG, **REDUCING)
    assert {(each.direction, each.quantity) for each in ours.positions()} == {
        (Direction.LONG, Decimal("0.1")),
        (Direction.SHORT, Decimal("0.05")),
    }
    assert [(each.position_side, each.reduce_only) for each in ours.open()] == [(Direction.LONG, True)]
    sandbox.price("BTC/USDT", "48990")
    assert ours.fetch(stop).status is OrderStatus.FILLED
    assert [each.direction for each in ours.positions()] == [Direction.SHORT]


def test_a_side_in_one_way_mode_is_a_mismatch(futures):
    assert futures.venue.position_mode(futures.keys, futures.instrument) is PositionMode.ONE_WAY
    with pytest.raises(ModeMismatch):
        futures.place("buy", "market", "0.1", position_side=Direction.LONG)


@pytest.mark.parametrize("mode", [None, *MarginMode])
def test_leverage_is_set_in_every_margin_mode_and_already_so_is_success(futures, mode):
    for _ in range(2):
        futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(7), mode)
    futures.place("buy", "market", "0.1")
    (position,) = futures.positions()
    assert (position.leverage, position.margin_mode) == (7, mode or MarginMode.CROSS)


def test_leverage_alone_keeps_the_margin_mode(futures):
    for mode in (MarginMode.ISOLATED, MarginMode.CROSS):
        futures.venue.set_leverage(futures.keys, futures.instrument, None, mode)
        futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(3), None)
        futures.place("buy", "market", "0.1")
        (position,) = futures.positions()
        assert (position.leverage, position.margin_mode) == (3, mode)


def test_more_leverage_than_there_is_is_refused(futures):
    with pytest.raises(InvalidOrder):
        futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(500), MarginMode.ISOLATED)


@pytest.mark.parametrize("time_in_force", [TimeInForce.IOC, TimeInForce.FOK])
def test_what_cannot_fill_at_once_ends(futures, cash, time_in_force):
    for ours in (futures, cash):
        found = ours.place("buy", "limit", "0.1", price="40000", time_in_force=time_in_force)
        assert (found.status, found.filled) == (OrderStatus.CANCELLED, 0)


def test_a_market_order_that_found_half_is_cancelled_with_what_it_got(sandbox, futures, cash):
    for ours in (futures, cash):
        sandbox.fault("partial_fill", venue=ours.venue.name, count=1)
        found = ours.place("buy", "market", "0.1")
        assert (found.status, found.filled) == (OrderStatus.CANCELLED, Decimal("0.05"))
        assert found.average_price == Decimal("50000.1")


def test_crossed_stops_and_targets_are_refused_in_every_direction(futures, cash):
    for side, kind, trigger in (
        ("sell", "stop", "50500"),
        ("sell", "take_profit", "49500"),
        ("buy", "stop", "49500"),
        ("buy", "take_profit", "50500"),
    ):
        for ours in (futures, cash):
            with pytest.raises(WouldTrigger):
                ours.place(side, kind, "0.1", trigger_price=trigger)
    assert futures.open() == cash.open() == []


def test_refusals_have_our_classes(futures, cash):
    with pytest.raises(InsufficientFunds):
        cash.place("buy", "market", "10")
    with pytest.raises(InvalidOrder):
        futures.place("buy", "limit", "0.00001", price="50000")
    with pytest.raises(NothingToReduce):
        futures.place("sell", "market", "0.1", **REDUCING)
    with pytest.raises(PostOnlyRefused):
        futures.place("buy", "limit", "0.1", price="60000", post_only=True)
    with pytest.raises(OrderNotFound):
        futures.venue.fetch(futures.keys, futures.instrument, OrderRef("never-sent"))
    with pytest.raises(OrderNotFound):
        futures.venue.cancel(futures.keys, futures.instrument, OrderRef("never-sent"))
    unlisted = replace(futures.instrument, symbol="LUNAUSDT")
    with pytest.raises(UnknownSymbol):
        futures.venue.quote(unlisted)
    futures.place("buy", "limit", "0.1", price="40000", client_id="twice")
    with pytest.raises(DuplicateOrder):
        futures.place("buy", "limit", "0.1", price="40000", client_id="twice")
    assert len(futures.open()) == 1


def test_the_eleventh_stop_of_a_market_is_refused(sandbox, futures):
    sandbox.enforce_limits(False)
    for number in range(10):
        futures.place("sell", "stop", "0.01", trigger_price=str(49000 - number), **REDUCING)
    with pytest.raises(Refused):
        futures.place("sell", "stop", "0.01", trigger_price="48000", **REDUCING)
    assert len(futures.open()) == 10


def test_balances_free_less_what_orders_hold_in_both_products(futures, cash):
    cash.place("buy", "limit", "0.1", price="40000")
    futures.venue.set_leverage(futures.keys, futures.instrument, Decimal(10), MarginMode.ISOLATED)
    futures.place("sell", "limit", "0.1", price="60000")
    usdt = futures.venue.balances(futures.keys)["USDT"]
    assert (usdt.total, usdt.free) == (Decimal(100_000), Decimal(100_000) - 4000 - 600)
    assert cash.venue.balances(cash.keys)["USDT"] == usdt
    info = cash.venue.key_info(cash.keys)
    assert (info.can_trade, info.can_withdraw, info.ip_locked) == (True, False, False)


def test_a_key_that_may_not_trade_cannot(sandbox, pool):
    given = sandbox.account("bitmex", permissions=["read", "withdraw"])
    ours = Ours(pool, "BitMEX_F", given)
    info = ours.venue.key_info(ours.keys)
    assert (info.can_trade, info.can_withdraw) == (False, True)
    with pytest.raises(AuthRefused):
        ours.place("buy", "market", "0.1")


def test_a_clock_behind_the_exchange_is_measured_and_the_order_still_sent_once(sandbox, futures):
    futures.venue.clock.offset_ms -= 60_000
    futures.place("buy", "market", "0.1")
    made = calls(sandbox, futures)
    assert made.count("POST /api/v1/order") == 2, "refused as expired, then accepted"
    assert futures.positions()[0].quantity == Decimal("0.1")


@pytest.mark.parametrize(("kind", "more"), [("market", {}), ("stop", {"trigger_price": "51000"})])
def test_an_order_whose_answer_was_lost_is_found_by_its_client_id(sandbox, futures, cash, kind, more):
    for ours in (futures, cash):
        sandbox.fault("drop_after", venue=ours.venue.name, count=1)
        with pytest.raises(OutcomeUnknown):
            ours.place("buy", kind, "0.1", client_id=f"lost-{ours.instrument.symbol}", **more)
        ref = OrderRef(f"lost-{ours.instrument.symbol}", conditional=kind == "stop")
        found = ours.venue.fetch(ours.keys, ours.instrument, ref)
        assert (found.client_id, found.quantity) == (ref.client_id, Decimal("0.1"))


def test_everything_of_an_instrument_is_cancelled_by_one_request(sandbox, futures, cash):
    cash.place("buy", "limit", "0.1", price="40000")
    futures.place("buy", "limit", "0.1", price="40000")
    futures.place("buy", "stop", "0.1", trigger_price="51000")
    futures.venue.cancel_all(futures.keys, futures.instrument)
    assert futures.open() == []
    assert len(cash.open()) == 1
    assert calls(sandbox, futures).count("DELETE /api/v1/order/all") == 1


def test_a_wrong_secret_is_refused_without_telling_the_key(futures):
    with pytest.raises(AuthRefused) as caught:
        futures.venue.key_info(replace(futures.keys, secret="wrong"))
    assert caught.value.code == "Signature not valid"
    assert futures.keys.key not in caught.value.message + caught.value.exchange_message
