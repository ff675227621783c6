"""Bitunix in the sandbox, traded by the small client of `clients/bitunix.py` (ours: its docstring says why) and by our
venue."""

from decimal import Decimal
from typing import Any

import pytest

from exchanges.errors import (
    AuthRefused,
    DuplicateOrder,
    InsufficientFunds,
    InvalidOrder,
    NothingToReduce,
    OrderNotFound,
    OutcomeUnknown,
    Unsupported,
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
    PositionMode,
    Report,
    Side,
    TimeInForce,
)
from tests.exchanges.clients.bitunix import Bitunix, Refused
from tests.exchanges.conftest import Sandbox

PAIR, SYMBOL = "BTC/USDT", "BTCUSDT"


@pytest.fixture
def keys(sandbox: Sandbox) -> dict[str, str]:
    return sandbox.account("bitunix", balances={"USDT": "100000"})


# -- the small client --------------------------------------------------------------------------------------


class Outsider:
    """Speaks in the words of the documentation."""

    def __init__(self, sandbox: Sandbox, keys: dict[str, str]) -> None:
        self.api = Bitunix(keys["key"], keys["secret"], sandbox.venue("Bitunix_F"))

    def order(self, side: str, qty: str, client_id: str, **words: Any) -> str:
        placed = self.api.trade(self.api.order(SYMBOL, side, qty, client_id, **words))
        assert placed["clientId"] == client_id
        return str(placed["orderId"])

    def tpsl(self, **legs: dict[str, str]) -> str:
        prepared = self.api.tpsl(SYMBOL, self.position()["positionId"], **legs)
        return str(self.api.trade(prepared)["orderId"])

    def detail(self, order_id: str) -> Any:
        return self.api.get("trade/get_order_detail", orderId=order_id)

    def pending(self) -> list[str]:
        listed = self.api.get("trade/get_pending_orders", symbol=SYMBOL)
        return [each["orderId"] for each in listed["orderList"]]

    def records(self) -> list[Any]:
        return list(self.api.get("tpsl/get_pending_orders", symbol=SYMBOL))

    def position(self) -> Any:
        (found,) = self.api.get("position/get_pending_positions", symbol=SYMBOL)
        return found

    def refused(self, *words: Any, **more: Any) -> int:
        with pytest.raises(Refused) as caught:
            self.order(*words, **more)
        return caught.value.code


@pytest.fixture
def client(sandbox: Sandbox, keys: dict[str, str]) -> Outsider:
    return Outsider(sandbox, keys)


def test_the_client_reads_markets_and_prices(client):
    rows = {each["symbol"]: each for each in client.api.get("market/trading_pairs")}
    assert (rows[SYMBOL]["basePrecision"], rows[SYMBOL]["quotePrecision"]) == (4, 1)
    assert {"ETHUSDT", "DOGEUSDT"} <= set(rows)
    (ticker,) = client.api.get("market/tickers", symbols=SYMBOL)
    book = client.api.get("market/depth", symbol=SYMBOL, limit=1)
    assert (ticker["lastPrice"], book["bids"][0][0], book["asks"][0][0]) == ("50000", "50000", "50000.1")


def test_the_clients_market_order_fills_and_opens_a_position(client):
    number = client.order("BUY", "0.1", "mine-1")
    found = client.detail(number)
    assert (found["status"], found["tradeQty"], found["clientId"]) == ("FILLED", "0.1", "mine-1")
    (trade,) = client.api.get("trade/get_history_trades", orderId=number)["tradeList"]
    assert (trade["price"], trade["qty"], trade["fee"]) == ("50000.1", "0.1", "3.000006")
    position = client.position()
    assert (position["side"], position["qty"], position["avgOpenPrice"]) == ("BUY", "0.1", "50000.1")
    (account,) = client.api.get("account", marginCoin="USDT")
    assert Decimal(account["margin"]) == Decimal("5000.01") / 20
    assert account["positionMode"] == "ONE_WAY"


def test_the_clients_limit_order_rests_and_is_cancelled_once(client):
    number = client.order("BUY", "0.1", "resting", price="40000")
    assert client.pending() == [number]
    cancel = {"symbol": SYMBOL, "orderList": [{"clientId": "resting"}]}
    assert len(client.api.post("trade/cancel_orders", **cancel)["successList"]) == 1
    assert (client.pending(), client.detail(number)["status"]) == ([], "CANCELED")
    again = client.api.post("trade/cancel_orders", **cancel)
    assert (again["successList"], again["failureList"][0]["errorCode"]) == ([], "20007")


def test_the_clients_stop_fires_and_closes(sandbox, client):
    client.order("BUY", "0.2", "entry")
    record = client.tpsl(stop_loss={"Price": "49000", "Qty": "0.2"})
    (row,) = client.records()
    assert (row["id"], row["slPrice"], row["tpPrice"]) == (record, "49000", None)
    sandbox.price(PAIR, 48990)
    assert client.records() == []
    assert client.api.get("position/get_pending_positions", symbol=SYMBOL) == []
    (ended,) = client.api.get("tpsl/get_history_orders", symbol=SYMBOL)["orderList"]
    assert ended["triggerTime"] > 0


def test_the_clients_pair_ends_as_one_and_is_cancelled_as_one(sandbox, client):
    client.order("SELL", "0.2", "entry")
    legs = {
        "stop_loss": {"Price": "51000", "Qty": "0.1"},
        "take_profit": {"Price": "48000", "Qty": "0.1"},
    }
    first, second = client.tpsl(**legs), client.tpsl(**legs)
    client.api.post("tpsl/cancel_order", symbol=SYMBOL, orderId=first)
    assert [each["id"] for each in client.records()] == [second]
    sandbox.price(PAIR, 48000)
    assert (client.records(), client.position()["qty"]) == ([], "0.1")


def test_the_client_sets_leverage_and_margin_mode_and_hedges(client):
    where = {"symbol": SYMBOL, "marginCoin": "USDT"}
    client.api.post("account/change_leverage", **where, leverage=5)
    client.api.post("account/change_margin_mode", **where, marginMode="ISOLATION")
    told = client.api.get("account/get_leverage_margin_mode", **where)
    assert (told["leverage"], told["marginMode"]) == (5, "ISOLATION")
    client.api.post("account/change_position_mode", positionMode="HEDGE")
    client.order("BUY", "0.1", "long", trade_side="OPEN")
    number = client.position()["positionId"]
    client.order("SELL", "0.2", "short", trade_side="OPEN")
    client.order("BUY", "0.1", "out", trade_side="CLOSE", position_id=number)
    left = client.position()
    assert (left["side"], left["qty"], left["positionMode"]) == ("SELL", "0.2", "HEDGE")


def test_the_client_sees_the_exchanges_own_refusals(sandbox, client):
    assert client.refused("BUY", "1000", "much") == 20003
    assert client.refused("SELL", "0.1", "flat", reduce_only=True) == 30018
    assert client.refused("BUY", "0.00001", "small") == 10008
    client.order("BUY", "0.1", "twice", price="40000")
    assert client.refused("BUY", "0.1", "twice", price="40000") == 30042
    with pytest.raises(Refused, match="20007"):
        client.detail("1")
    stranger = Outsider(sandbox, {"key": "unknown", "secret": "secret"})
    assert stranger.refused("BUY", "0.1", "stranger") == 10003
    stranger.api.api_key = client.api.api_key
    assert stranger.refused("BUY", "0.1", "stranger") == 10007


def test_the_clients_batch_tells_apart_what_was_taken_and_what_was_not(client):
    orders = [
        client.api.order(SYMBOL, "BUY", qty, f"b-{qty}", price="40000") for qty in ("0.1", "9000", "0.2")
    ]
    told = client.api.trade(client.api.batch(SYMBOL, *orders))
    assert [each["clientId"] for each in told["successList"]] == ["b-0.1", "b-0.2"]
    assert [(each["clientId"], each["errorCode"]) for each in told["failureList"]] == [("b-9000", 20003)]
    assert set(client.pending()) == {each["id"] for each in told["successList"]}


@pytest.mark.parametrize("count", [0, 6])
def test_a_batch_has_five_orders_at_most(client, count):
    limit = client.api.order(SYMBOL, "BUY", "0.1", "mine", price="40000")
    with pytest.raises(Refused, match="10002"):
        client.api.trade(client.api.batch(SYMBOL, *[limit] * count))
    assert client.pending() == []


def test_an_entry_brings_its_stop_and_target_along_and_all_is_closed_at_once(sandbox, client):
    legs = {"slPrice": "45000", "tpPrice": "60000", "tpStopType": "LAST_PRICE"}
    order = {"symbol": SYMBOL, "side": "BUY", "qty": "0.1", "orderType": "LIMIT", "price": "40000", **legs}
    number = client.api.post("trade/place_order", **order)["orderId"]
    client.api.post("trade/modify_order", orderId=number, qty="0.2", price="49000")
    assert client.records() == []
    sandbox.price(PAIR, 48900)
    (row,) = client.records()
    assert (row["slPrice"], row["tpPrice"], row["positionId"]) == (
        "45000",
        "60000",
        client.position()["positionId"],
    )
    client.api.post("tpsl/modify_order", orderId=row["id"], slPrice="46000")
    assert client.records()[0]["slPrice"] == "46000"
    client.api.post("trade/flash_close_position", positionId=row["positionId"])
    assert (client.records(), client.api.get("position/get_pending_positions", symbol=SYMBOL)) == ([], [])


def test_a_stop_of_the_whole_position_needs_no_quantity(sandbox, client):
    client.order("BUY", "0.1", "entry")
    number = client.position()["positionId"]
    client.api.post("tpsl/position/place_order", symbol=SYMBOL, positionId=number, slPrice="45000")
    client.order("BUY", "0.1", "more")
    client.api.post("tpsl/position/modify_order", symbol=SYMBOL, positionId=number, slPrice="47000")
    sandbox.price(PAIR, 46900)
    assert client.api.get("position/get_pending_positions", symbol=SYMBOL) == []


# -- our venue ---------------------------------------------------------------------------------------------


class Ours:
    """Our venue with an account; orders in few words."""

    def __init__(self, pool: Pool, keys: dict[str, str]) -> None:
        connection = pool.connection("Bitunix_F", Environment.SANDBOX)
        connection.refresh()
        self.venue: Any = connection.venue
        self.instrument = connection.table.find(SYMBOL)
        self.keys = Credentials(keys["key"], keys["secret"])
        self._count = 0

    def request(self, side: str, kind: str, quantity: str, **words: Any) -> OrderRequest:
        self._count += 1
        for number in ("price", "trigger_price"):
            if number in words:
                words[number] = Decimal(words[number])
        words.setdefault("client_id", f"ours-{self._count}")
        return OrderRequest(
            self.instrument, side=Side(side), type=OrderType(kind), quantity=Decimal(quantity), **words
        )

    def place(self, side: str, kind: str, quantity: str, **words: Any) -> Report:
        return self.venue.place(self.keys, self.request(side, kind, quantity, **words))  # type: ignore[no-any-return]

    def protect(self, quantity: str, stop: str, target: str, side: str = "sell", **words: Any) -> Any:
        words["reduce_only"] = True
        legs = Legs(
            self.request(side, "stop", quantity, trigger_price=stop, **words),
            self.request(side, "take_profit", quantity, trigger_price=target, **words),
        )
        return self.venue.protect(self.keys, legs)

    def fetch(self, report: Report) -> Report:
        return self.venue.fetch(self.keys, self.instrument, report.ref)  # type: ignore[no-any-return]

    def cancel(self, report: Report) -> None:
        self.venue.cancel(self.keys, self.instrument, report.ref)

    def open(self) -> list[Report]:
        return self.venue.open_orders(self.keys, self.instrument)  # type: ignore[no-any-return]

    def positions(self) -> list[Position]:
        return self.venue.positions(self.keys)  # type: ignore[no-any-return]


@pytest.fixture
def ours(pool: Pool, keys: dict[str, str]) -> Ours:
    return Ours(pool, keys)


def test_both_clients_see_the_same_orders(client, ours):
    placed = ours.place("buy", "limit", "0.1", price="40000.5", post_only=True)
    found = client.detail(placed.exchange_id)
    assert (found["price"], found["qty"], found["effect"]) == ("40000.5", "0.1", "POST_ONLY")
    made = client.order("BUY", "0.2", "theirs", price="41000")
    listed = {each.exchange_id: each for each in ours.open()}
    assert (listed[made].price, listed[made].client_id) == (Decimal(41000), "theirs")


def test_a_market_order_is_acknowledged_and_then_told_with_price_and_fee(ours):
    placed = ours.place("buy", "market", "0.1")
    assert (placed.status, placed.acknowledged_only) == (OrderStatus.OPEN, True)
    found = ours.fetch(placed)
    assert (found.status, found.filled) == (OrderStatus.FILLED, Decimal("0.1"))
    assert found.average_price == Decimal("50000.1")
    assert found.fee.amount == Decimal("3.000006")
    (position,) = ours.positions()
    assert (position.direction, position.entry_price) == (Direction.LONG, Decimal("50000.1"))


def test_what_cannot_fill_at_once_ends_unfilled(ours):
    for words in (
        {"time_in_force": TimeInForce.IOC, "price": "40000"},
        {"time_in_force": TimeInForce.FOK, "price": "40000"},
        {"post_only": True, "price": "60000"},
    ):
        placed = ours.place("buy", "limit", "0.1", **words)
        found = ours.fetch(placed)
        assert (found.status, found.filled) == (OrderStatus.CANCELLED, 0)


def test_a_partial_fill_has_the_price_of_its_part(sandbox, ours):
    sandbox.fault("partial_fill", venue="Bitunix_F", count=1)
    found = ours.fetch(ours.place("buy", "limit", "0.1", price="50001"))
    assert (found.status, found.filled) == (OrderStatus.OPEN, Decimal("0.05"))
    assert found.average_price == Decimal("50000.1")


def test_protection_from_entry_to_target_leaves_nothing_behind(sandbox, ours):
    ours.place("buy", "market", "0.1")
    stop, target = ours.protect("0.1", "49000", "52000")
    assert {each.exchange_id for each in ours.open()} == {stop.exchange_id, target.exchange_id}
    assert all(ours.venue.linked(each) for each in ours.open())
    sandbox.price(PAIR, 52000)
    reached, ended = ours.fetch(target), ours.fetch(stop)
    assert (reached.status, reached.average_price) == (OrderStatus.FILLED, 52000)
    assert (ended.status, ended.filled) == (OrderStatus.CANCELLED, 0)
    assert (ours.open(), ours.positions()) == ([], [])


def test_a_pair_is_cancelled_by_either_leg(ours):
    ours.place("sell", "market", "0.1")
    stop, target = ours.protect("0.1", "51000", "48000", side="buy")
    ours.cancel(target)
    assert ours.open() == []
    assert ours.fetch(stop).status is OrderStatus.CANCELLED
    with pytest.raises(OrderNotFound):
        ours.cancel(stop)


def test_a_pair_ends_with_its_position(ours):
    ours.place("buy", "market", "0.1")
    pair = ours.protect("0.1", "49000", "52000")
    ours.place("sell", "market", "0.1", reduce_only=True)
    assert [ours.fetch(each).status for each in pair] == [OrderStatus.CANCELLED] * 2
    assert ours.open() == []


def test_a_stop_and_several_targets_stand_side_by_side(sandbox, ours):
    ours.place("buy", "market", "0.3")
    stop = ours.place("sell", "stop", "0.3", trigger_price="49000", reduce_only=True)
    first = ours.place("sell", "take_profit", "0.1", trigger_price="51000", reduce_only=True)
    ours.place("sell", "take_profit", "0.2", trigger_price="52000", reduce_only=True)
    assert not any(ours.venue.linked(each) for each in ours.open())
    sandbox.price(PAIR, 51000)
    assert ours.fetch(first).status is OrderStatus.FILLED
    assert ours.fetch(stop).status is OrderStatus.OPEN
    sandbox.price(PAIR, 48990)
    found = ours.fetch(stop)
    assert (found.status, found.average_price, found.filled) == (OrderStatus.FILLED, 48990, Decimal("0.2"))
    assert (ours.open(), ours.positions()) == ([], [])


def test_a_stop_limit_rests_after_its_trigger_and_is_cancelled_as_what_it_became(sandbox, ours):
    ours.place("buy", "market", "0.1")
    stop = ours.place("sell", "stop_limit", "0.1", trigger_price="49000", price="49500", reduce_only=True)
    sandbox.price(PAIR, 48990)
    found = ours.fetch(stop)
    assert (found.status, found.filled, found.trigger_price) == (OrderStatus.OPEN, 0, 49000)
    ours.cancel(stop)
    assert ours.open() == []


def test_hedged_sides_are_protected_and_closed_by_their_own_orders(sandbox, pool):
    hedged = Ours(pool, sandbox.account("bitunix", position_mode="hedge"))
    assert hedged.venue.position_mode(hedged.keys, hedged.instrument) is PositionMode.HEDGE
    hedged.place("buy", "market", "0.1", position_side=Direction.LONG)
    hedged.place("sell", "market", "0.2", position_side=Direction.SHORT)
    pair = hedged.protect("0.1", "49000", "52000", position_side=Direction.LONG)
    stop = hedged.place(
        "buy", "stop", "0.2", trigger_price="51000", reduce_only=True, position_side=Direction.SHORT
    )
    assert {(each.exchange_id, each.position_side) for each in hedged.open()} == {
        (stop.exchange_id, Direction.SHORT),
        *((each.exchange_id, Direction.LONG) for each in pair),
    }
    sandbox.price(PAIR, 51000)
    fired = hedged.fetch(stop)
    assert (fired.status, fired.side, fired.average_price) == (
        OrderStatus.FILLED,
        Side.BUY,
        Decimal("51000.1"),
    )
    out = hedged.place("sell", "market", "0.1", reduce_only=True, position_side=Direction.LONG)
    found = hedged.fetch(out)
    assert (found.side, found.position_side, found.status) == (Side.SELL, Direction.LONG, OrderStatus.FILLED)
    assert (hedged.positions(), hedged.open()) == ([], [])
    with pytest.raises(NothingToReduce):
        hedged.place("sell", "market", "0.1", reduce_only=True, position_side=Direction.LONG)


def test_what_closes_a_hedged_position_goes_out_alone_and_what_opens_together(sandbox, pool):
    hedged = Ours(pool, sandbox.account("bitunix", position_mode="hedge"))
    hedged.place("buy", "market", "0.2", position_side=Direction.LONG)
    long, closing = {"position_side": Direction.LONG}, {"reduce_only": True}
    orders = [
        *(hedged.request("buy", "limit", "0.1", price=price, **long) for price in ("40000", "41000")),
        *(
            hedged.request("sell", "limit", "0.1", price=price, **long, **closing)
            for price in ("51000", "52000")
        ),
    ]
    told = hedged.venue.place_many(hedged.keys, orders)
    assert [type(each) for each in told] == [Report] * 4
    standing = {(each.client_id, each.side, each.price) for each in hedged.open()}
    assert standing == {(each.client_id, each.side, each.price) for each in orders}
    asked = [each["path"] for each in sandbox.state("Bitunix_F", hedged.keys.key)["calls"]]
    assert [asked.count(f"/api/v1/futures/trade/{path}") for path in ("batch_order", "place_order")] == [1, 3]


def test_a_lost_stop_is_found_and_one_that_never_arrived_is_not_sent(sandbox, ours):
    ours.place("buy", "market", "0.2")
    earlier = ours.place("sell", "stop", "0.1", trigger_price="48000", reduce_only=True)
    sandbox.fault("drop_after", venue="Bitunix_F", path="tpsl/place_order", count=1)
    found = ours.place("sell", "stop", "0.1", trigger_price="49000", reduce_only=True)
    assert {each.exchange_id for each in ours.open()} == {earlier.exchange_id, found.exchange_id}
    sandbox.fault("drop_after", venue="Bitunix_F", path="tpsl/place_order", count=1)
    pair = ours.protect("0.1", "47000", "53000")
    assert len(ours.open()) == 4
    assert all(ours.fetch(each).status is OrderStatus.OPEN for each in pair)


def test_a_lost_entry_is_found_by_our_id(sandbox, ours):
    sandbox.fault("drop_after", venue="Bitunix_F", count=1)
    with pytest.raises(OutcomeUnknown):
        ours.place("buy", "market", "0.1", client_id="lost-1")
    found = ours.venue.fetch(ours.keys, ours.instrument, OrderRef("lost-1"))
    assert (found.status, found.average_price) == (OrderStatus.FILLED, Decimal("50000.1"))
    with pytest.raises(DuplicateOrder):
        ours.place("buy", "market", "0.1", client_id="lost-1")


def test_refusals_have_their_names(ours):
    with pytest.raises(InsufficientFunds):
        ours.place("buy", "market", "1000")
    with pytest.raises(NothingToReduce):
        ours.place("sell", "market", "0.1", reduce_only=True)
    with pytest.raises(NothingToReduce):
        ours.place("sell", "stop", "0.1", trigger_price="49000", reduce_only=True)
    with pytest.raises(Unsupported):
        ours.place("buy", "stop", "0.1", trigger_price="51000")
    ours.place("buy", "market", "0.1")
    with pytest.raises(WouldTrigger):
        ours.place("sell", "stop", "0.1", trigger_price="50500", reduce_only=True)
    with pytest.raises(WouldTrigger):
        ours.protect("0.1", "49000", "49500")
    with pytest.raises(InvalidOrder):
        ours.protect("0.2", "49000", "52000")
    with pytest.raises(InvalidOrder):
        ours.place("buy", "limit", "0.1", price="40000.05")


def test_leverage_and_margin_mode_are_set_once_and_not_under_open_orders(client, ours):
    ours.venue.set_leverage(ours.keys, ours.instrument, Decimal(7), MarginMode.ISOLATED)
    ours.venue.set_leverage(ours.keys, ours.instrument, Decimal(7), MarginMode.ISOLATED)
    ours.place("buy", "limit", "0.1", price="40000")
    ours.venue.set_leverage(ours.keys, ours.instrument, Decimal(7), None)
    with pytest.raises(InvalidOrder):
        ours.venue.set_leverage(ours.keys, ours.instrument, Decimal(8), None)
    client.order("BUY", "0.1", "taken")
    (position,) = ours.positions()
    assert (position.leverage, position.margin_mode) == (7, MarginMode.ISOLATED)


def test_cancel_all_takes_orders_and_records(ours):
    ours.place("buy", "market", "0.2")
    ours.place("buy", "limit", "0.1", price="40000")
    ours.place("sell", "stop", "0.1", trigger_price="48000", reduce_only=True)
    ours.protect("0.1", "49000", "52000")
    assert len(ours.open()) == 4
    ours.venue.cancel_all(ours.keys, ours.instrument)
    assert ours.open() == []


def test_balances_count_margin_and_open_profit(sandbox, ours):
    ours.place("buy", "market", "0.1")
    sandbox.price(PAIR, 51000)
    found = ours.venue.balances(ours.keys)["USDT"]
    paid = Decimal("3.000006")
    assert found.total == 100_000 - paid + Decimal("0.1") * (51000 - Decimal("50000.1"))
    assert found.free == 100_000 - paid - Decimal("5000.01") / 20


def test_more_orders_than_a_page_holds_are_all_found(sandbox, ours):
    sandbox.enforce_limits(False)
    client = Bitunix(ours.keys.key, ours.keys.secret, sandbox.venue("Bitunix_F"))
    for number in range(101):
        client.trade(client.order(SYMBOL, "BUY", "0.0001", f"many-{number}", price="40000"))
    assert len(ours.open()) == 101


def test_a_key_that_is_not_valid_is_refused_and_a_valid_one_tells_nothing_more(ours):
    info = ours.venue.key_info(ours.keys)
    assert (info.can_trade, info.can_withdraw, info.ip_locked) == (None, None, None)
    with pytest.raises(AuthRefused):
        ours.venue.key_info(Credentials("unknown", "secret"))


def test_the_clock_is_read_from_the_date_header(ours):
    ours.venue.sync_clock()
    assert ours.venue.clock.measured
    assert abs(ours.venue.clock.offset_ms) < 2000
