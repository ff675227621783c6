"""BloFin in the sandbox, traded by ccxt and by our venue: two that agree. BloFin has no kit in Python's index."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import ccxt
import httpx
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
    UnknownSymbol,
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
    Report,
    TimeInForce,
)
from exchanges.venue import Call
from tests.exchanges.conftest import Sandbox
from tests.exchanges.sandbox.ours import Ours

SWAP, PAIR = "BTC/USDT:USDT", "BTC/USDT"
REDUCE = {"reduceOnly": True}
TPSL, TRIGGER = {"tpsl": True}, {"trigger": True}


@pytest.fixture
def keys(sandbox):
    return sandbox.account("blofin", balances={"USDT": "100000"})


# -- ccxt --------------------------------------------------------------------------------------------------


class Ccxt(ccxt.blofin):  # type: ignore[misc]  # ccxt has no types
    """ccxt uses the time as its nonce, and the sandbox answers twice in a millisecond: a clock that always ticks."""

    ticked = 0

    def milliseconds(self) -> int:
        self.ticked = max(self.ticked + 1, super().milliseconds())
        return self.ticked


def ccxt_client(sandbox: Sandbox, keys: dict[str, str]) -> Any:
    made = Ccxt(
        {
            "apiKey": keys["key"],
            "secret": keys["secret"],
            "password": keys["passphrase"],
            "enableRateLimit": False,
        }
    )
    made.urls["api"] = {"rest": sandbox.venue("BloFin_F")}
    return made


@pytest.fixture
def swap(sandbox, keys):
    return ccxt_client(sandbox, keys)


def ended(swap: Any, order_id: str) -> Any:
    """ccxt has no query for one order of BloFin."""
    return next(each for each in swap.fetch_closed_orders(SWAP) if each["id"] == order_id)


def test_ccxt_loads_markets_with_steps_ticks_and_contract_sizes(swap):
    market = swap.load_markets()[SWAP]
    assert (market["contractSize"], market["precision"]["amount"], market["precision"]["price"]) == (
        0.001,
        0.1,
        0.1,
    )
    assert market["limits"]["leverage"]["max"] == 125
    ticker = swap.fetch_ticker(SWAP)
    assert (ticker["bid"], ticker["ask"], ticker["last"]) == (50000, 50000.1, 50000)
    assert swap.fetch_mark_price(SWAP)["markPrice"] == 50000


def test_ccxt_market_order_is_acknowledged_fills_and_opens_a_position(swap):
    swap.set_leverage(5, SWAP)
    order = swap.create_order(SWAP, "market", "buy", 100)
    assert order["status"] is None, "BloFin's answer tells only the id"
    found = ended(swap, order["id"])
    assert (found["status"], found["filled"], found["average"]) == ("closed", 100, 50000.1)
    assert found["fee"]["cost"] == pytest.approx(0.1 * 50000.1 * 0.0006)
    position = swap.fetch_position(SWAP)
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 100, 50000.1)
    assert (position["leverage"], position["marginMode"]) == (5, "cross")
    assert swap.fetch_leverage(SWAP)["longLeverage"] == 5
    swap.create_order(SWAP, "market", "sell", 100, None, REDUCE)
    assert swap.fetch_positions() == []


def test_ccxt_limit_order_rests_locks_and_is_cancelled(swap):
    order = swap.create_order(SWAP, "limit", "buy", 100, 40000)
    assert [each["id"] for each in swap.fetch_open_orders(SWAP)] == [order["id"]]
    assert swap.fetch_balance()["USDT"]["free"] == 100_000 - 400
    swap.cancel_order(order["id"], SWAP)
    assert swap.fetch_open_orders(SWAP) == []
    assert ended(swap, order["id"])["status"] == "canceled"
    gone = swap.private_post_trade_cancel_order({"instId": "BTC-USDT", "orderId": order["id"]})
    assert (gone["code"], gone["data"]["code"]) == ("0", "500"), "the row tells, the top does not"


def test_ccxt_post_only_order_that_would_take_is_taken_and_cancelled(swap):
    order = swap.create_order(SWAP, "post_only", "buy", 100, 51000)
    assert ended(swap, order["id"])["status"] == "canceled"


def test_ccxt_pair_is_one_order_and_its_legs_end_each_other(sandbox, swap):
    swap.create_order(SWAP, "market", "buy", 100)
    legs = {"stopLossPrice": 49000, "takeProfitPrice": 52000}
    pair = swap.create_order(SWAP, "market", "sell", 100, None, legs)
    (listed,) = swap.fetch_open_orders(SWAP, params=TPSL)
    assert (listed["id"], listed["stopLossPrice"], listed["takeProfitPrice"]) == (pair["id"], 49000, 52000)
    sandbox.price(PAIR, "52000")
    assert swap.fetch_open_orders(SWAP, params=TPSL) == []
    assert swap.fetch_positions() == []
    became = next(each for each in swap.fetch_closed_orders(SWAP) if each["info"]["algoId"] == pair["id"])
    assert (became["info"]["orderCategory"], became["average"]) == ("tp", 52000)


def test_ccxt_stop_alone_waits_and_is_cancelled(swap):
    swap.create_order(SWAP, "market", "buy", 100)
    stop = swap.create_order(SWAP, "market", "sell", 100, None, {"stopLossPrice": 49000, "tpsl": True})
    assert [each["id"] for each in swap.fetch_open_orders(SWAP, params=TPSL)] == [stop["id"]]
    swap.cancel_order(stop["id"], SWAP, TPSL)
    assert swap.fetch_open_orders(SWAP, params=TPSL) == []


def test_ccxt_trigger_order_waits_on_the_side_on_which_its_price_lies(sandbox, swap):
    rising = swap.create_order(SWAP, "market", "buy", 1, None, {"triggerPrice": 51000})
    falling = swap.create_order(SWAP, "limit", "buy", 1, 48900, {"triggerPrice": 49000})
    assert {each["id"] for each in swap.fetch_open_orders(SWAP, params=TRIGGER)} == {
        rising["id"],
        falling["id"],
    }
    sandbox.price(PAIR, "51000")
    assert swap.fetch_position(SWAP)["contracts"] == 1
    swap.cancel_order(falling["id"], SWAP, TRIGGER)
    assert swap.fetch_open_orders(SWAP, params=TRIGGER) == []


def test_ccxt_hedge_mode_keeps_the_sides_apart(swap):
    swap.set_position_mode(True)
    assert swap.fetch_position_mode(SWAP)["hedged"] is True
    with pytest.raises(ccxt.BadRequest, match="102089"):
        swap.create_order(SWAP, "market", "buy", 1)
    swap.create_order(SWAP, "market", "buy", 2, None, {"hedged": True})
    swap.create_order(SWAP, "market", "sell", 1, None, {"hedged": True})
    assert {(each["side"], each["contracts"]) for each in swap.fetch_positions()} == {
        ("long", 2),
        ("short", 1),
    }
    with pytest.raises(ccxt.InvalidOrder, match="110019"):
        swap.set_position_mode(False)


def test_ccxt_gets_the_original_refusals(sandbox, swap, keys):
    for code, kind, place in (
        ("103003", ccxt.InsufficientFunds, lambda: swap.create_order(SWAP, "limit", "buy", 10**6, 40000)),
        ("102022", ccxt.InvalidOrder, lambda: swap.create_order(SWAP, "market", "sell", 1, None, REDUCE)),
    ):
        with pytest.raises(kind, match=code):
            place()
    for wrong, code in (("secret", "152409"), ("key", "152401"), ("passphrase", "152408")):
        with pytest.raises(ccxt.AuthenticationError, match=code):
            ccxt_client(sandbox, keys | {wrong: "wrong"}).fetch_balance()


def test_ccxt_is_refused_for_a_stale_timestamp(swap):
    swap.load_markets()
    now = swap.milliseconds()
    swap.milliseconds = lambda: now - 61_000
    with pytest.raises(ccxt.InvalidNonce, match="152405"):
        swap.fetch_balance()


def test_ccxt_is_refused_for_a_nonce_it_used_before(swap):
    swap.load_markets()
    now = swap.milliseconds() + 1000
    swap.milliseconds = lambda: now
    swap.fetch_balance()
    with pytest.raises(ccxt.InvalidNonce, match="152407"):
        swap.fetch_balance()


def test_ccxt_batch_tells_of_each_of_its_orders(swap):
    good = {"instId": "BTC-USDT", "marginMode": "cross", "positionSide": "net", "side": "buy"}
    good |= {"orderType": "limit", "size": "1", "price": "40000"}
    with pytest.raises(ccxt.ExchangeError, match="partially succeeded"):
        swap.private_post_trade_batch_orders([good, good | {"size": "100000000"}])
    told = json.loads(swap.last_http_response)
    assert (told["code"], [each["code"] for each in told["data"]]) == ("2", ["0", "102015"])


def test_ccxt_places_several_orders_in_one_request(swap):
    limit = {"symbol": SWAP, "type": "limit", "side": "buy", "amount": 1, "price": 40000}
    told = swap.create_orders([limit, limit | {"price": 41000}])
    assert {each["id"] for each in swap.fetch_open_orders(SWAP)} == {each["id"] for each in told}


@pytest.mark.parametrize("other", [{"marginMode": "isolated"}, {"symbol": "ETH/USDT:USDT"}])
def test_a_batch_takes_twenty_orders_of_one_instrument_and_margin_mode(swap, other):
    words = {"marginMode": "cross"}
    limit = {"symbol": SWAP, "type": "limit", "side": "buy", "amount": 1, "price": 4000, "params": words}
    with pytest.raises(ccxt.BadRequest):
        swap.create_orders([limit] * 21)
    mode = {name: value for name, value in other.items() if name == "marginMode"}
    with pytest.raises(ccxt.BadRequest):
        swap.create_orders([limit, limit | other | {"params": words | mode}])
    assert swap.fetch_open_orders(SWAP) == []


def test_ccxt_order_brings_its_stop_and_target_along_and_is_closed_whole(sandbox, swap):
    assert swap.fetch_order_book(SWAP)["asks"] == [[50000.1, 1000]]
    legs = {"stopLoss": {"triggerPrice": 45000}, "takeProfit": {"triggerPrice": 60000}}
    swap.create_order(SWAP, "limit", "buy", 10, 49000, legs)
    assert swap.fetch_open_orders(SWAP, params={"tpsl": True}) == []
    sandbox.price(PAIR, 48900)
    rows = swap.private_get_trade_orders_tpsl_pending({"instId": "BTC-USDT"})["data"]
    assert [(row["slTriggerPrice"][:5], row["tpTriggerPrice"][:5], row["size"]) for row in rows] == [
        ("45000", "60000", "10")
    ]
    assert [(each["price"], each["amount"]) for each in swap.fetch_my_trades(SWAP)] == [(49000, 10)]
    swap.close_position(SWAP)
    assert swap.fetch_positions([SWAP]) == []


# -- our own venue -----------------------------------------------------------------------------------------


@pytest.fixture
def ours(pool, keys):
    return Ours(pool, "BloFin_F", keys)


@pytest.fixture
def other(sandbox, keys):
    """The same account in a process that has seen nothing yet."""
    made = Pool(sandbox_url=sandbox.url)
    yield Ours(made, "BloFin_F", keys)
    made.close()


REDUCING = {"reduce_only": True}


def test_quantities_are_coins_whatever_the_exchange_counts(sandbox, ours):
    entry = ours.fetch(ours.place("buy", "market", "0.1"))
    assert (entry.status, entry.filled, entry.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.1"),
        Decimal("50000.1"),
    )
    assert entry.fee is not None
    assert (entry.fee.amount, entry.fee.asset) == (
        Decimal("0.1") * Decimal("50000.1") * Decimal("0.0006"),
        "USDT",
    )
    (position,) = ours.positions()
    assert (position.quantity, position.margin_mode) == (Decimal("0.1"), MarginMode.CROSS)
    assert sandbox.state("BloFin_F", ours.keys.key)["positions"][0]["quantity"] == "100"


def test_entry_stop_and_target_and_the_target_ends_the_stop(sandbox, ours):
    ours.place("buy", "market", "0.1")
    stop, target = ours.protect("0.1", "49000", "52000")
    assert {(each.exchange_id, each.client_id, each.type) for each in ours.open()} == {
        (stop.exchange_id, stop.client_id, OrderType.STOP),
        (target.exchange_id, target.client_id, OrderType.TAKE_PROFIT),
    }
    sandbox.price(PAIR, "52000")
    assert ours.open() == []
    assert ours.positions() == []
    won, lost = ours.fetch(target), ours.fetch(stop)
    assert (won.status, won.filled, won.average_price) == (OrderStatus.FILLED, Decimal("0.1"), Decimal(52000))
    assert (lost.status, lost.filled) == (OrderStatus.CANCELLED, 0)


def test_a_batch_that_closes_goes_to_the_isolated_position(sandbox, ours, other):
    ours.place("buy", "market", "0.1", margin_mode=MarginMode.ISOLATED)
    orders = [other.order("sell", "limit", "0.05", price=price, **REDUCING) for price in ("51000", "52000")]
    told = other.venue.place_many(other.keys, orders)
    assert [type(each) for each in told] == [Report, Report]
    sandbox.price(PAIR, 52000)
    assert other.positions() == []


def test_the_pair_of_an_isolated_position_goes_to_that_position(sandbox, ours, other):
    ours.place("buy", "market", "0.1", margin_mode=MarginMode.ISOLATED)
    other.protect("0.1", "49000", "52000")
    other.place("sell", "market", "0.1", **REDUCING)
    assert ours.positions() == []
    asked = [each["path"] for each in sandbox.state("BloFin_F", ours.keys.key)["calls"]]
    assert asked.count("/api/v1/account/positions") == 2, "once to learn the mode, once by this test"


def test_cancelling_one_leg_cancels_the_pair(ours):
    ours.place("buy", "market", "0.1")
    stop, target = ours.protect("0.1", "49000", "52000")
    ours.cancel(target)
    assert ours.open() == []
    assert ours.fetch(stop).status is OrderStatus.CANCELLED
    with pytest.raises(OrderNotFound):
        ours.cancel(stop)


def test_everything_of_an_instrument_is_cancelled_whoever_placed_it(swap, ours):
    ours.place("buy", "limit", "0.1", price="40000")
    ours.place("buy", "market", "0.1")
    ours.protect("0.1", "49000", "52000")
    ours.place("sell", "stop", "0.1", trigger_price="48000", **REDUCING)
    swap.create_order(SWAP, "market", "buy", 1, None, {"triggerPrice": 51000})
    swap.create_order(SWAP, "limit", "sell", 1, 52900, {"triggerPrice": 53000})
    assert {(each.type, each.price) for each in ours.open() if not each.client_id} == {
        (OrderType.STOP, None),
        (OrderType.TAKE_PROFIT_LIMIT, Decimal(52900)),
    }
    assert len(ours.open()) == 6
    ours.venue.cancel_all(ours.keys, ours.instrument)
    assert ours.open() == []


def test_a_triggered_limit_order_that_rests_keeps_its_name_and_can_be_cancelled(sandbox, ours):
    stop = ours.place("buy", "stop_limit", "0.1", trigger_price="51000", price="50900")
    sandbox.price(PAIR, "51000")
    (resting,) = ours.open()
    assert (resting.ref, resting.type, resting.price) == (stop.ref, OrderType.STOP_LIMIT, Decimal(50900))
    ours.cancel(resting)
    assert ours.fetch(stop).status is OrderStatus.CANCELLED
    assert ours.open() == []


def test_the_leg_of_a_pair_that_rests_keeps_its_name(sandbox, ours):
    ours.place("buy", "market", "0.1")
    stop = ours.order("sell", "stop", "0.1", trigger_price="49000", **REDUCING)
    target = ours.order("sell", "take_profit_limit", "0.1", trigger_price="52000", price="52500", **REDUCING)
    _, placed = ours.venue.protect(ours.keys, Legs(stop, target))
    sandbox.price(PAIR, "52000")
    (resting,) = ours.open()
    assert (resting.ref, resting.type) == (placed.ref, OrderType.TAKE_PROFIT_LIMIT)
    sandbox.price(PAIR, "52500")
    assert ours.fetch(placed).average_price == 52500


def test_hedge_mode_is_read_and_each_side_has_its_legs(sandbox, pool):
    ours = Ours(pool, "BloFin_F", sandbox.account("blofin", position_mode="hedge"))
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
    sandbox.price(PAIR, "48990")
    assert ours.fetch(stop).status is OrderStatus.FILLED
    assert [each.direction for each in ours.positions()] == [Direction.SHORT]


@pytest.mark.parametrize("position_mode", ["one_way", "hedge"])
@pytest.mark.parametrize("mode", [None, *MarginMode])
def test_leverage_is_set_in_every_mode_and_already_so_is_success(sandbox, pool, position_mode, mode):
    ours = Ours(pool, "BloFin_F", sandbox.account("blofin", position_mode=position_mode))
    for _ in range(2):
        ours.venue.set_leverage(ours.keys, ours.instrument, Decimal(7), mode)
    side = Direction.LONG if position_mode == "hedge" else None
    ours.place("buy", "market", "0.1", margin_mode=mode, position_side=side)
    (position,) = ours.positions()
    assert position.leverage == 7
    assert position.margin_mode is (mode or MarginMode.CROSS)


def test_a_leverage_that_open_orders_hold_in_place_is_asked_for(ours):
    ours.venue.set_leverage(ours.keys, ours.instrument, Decimal(7), None)
    ours.place("buy", "limit", "0.1", price="40000")
    ours.venue.set_leverage(ours.keys, ours.instrument, Decimal(7), None)
    with pytest.raises(InvalidOrder):
        ours.venue.set_leverage(ours.keys, ours.instrument, Decimal(8), None)


@pytest.mark.parametrize("time_in_force", [TimeInForce.IOC, TimeInForce.FOK])
def test_what_cannot_fill_at_once_ends(ours, time_in_force):
    found = ours.fetch(ours.place("buy", "limit", "0.1", price="40000", time_in_force=time_in_force))
    assert (found.status, found.filled) == (OrderStatus.CANCELLED, 0)


def test_crossed_stops_and_targets_are_refused_in_every_direction(ours):
    ours.place("buy", "market", "0.1")
    for side, kind, trigger in (
        ("sell", "stop", "50500"),
        ("sell", "take_profit", "49500"),
        ("buy", "stop", "49500"),
        ("buy", "take_profit", "50500"),
    ):
        with pytest.raises(WouldTrigger):
            ours.place(side, kind, "0.1", trigger_price=trigger)
    with pytest.raises(WouldTrigger):
        ours.protect("0.1", "50500", "52000")
    assert ours.open() == []


def test_refusals_have_our_classes(ours):
    with pytest.raises(InsufficientFunds):
        ours.place("buy", "market", "100")
    with pytest.raises(InvalidOrder):
        ours.place("buy", "limit", "0.00001", price="50000")
    with pytest.raises(NothingToReduce):
        ours.place("sell", "market", "0.1", **REDUCING)
    with pytest.raises(UnknownSymbol):
        ours.venue.quote(replace(ours.instrument, symbol="NO-SUCH"))
    for conditional in (False, True):
        with pytest.raises(OrderNotFound):
            ours.venue.fetch(ours.keys, ours.instrument, OrderRef("neversent", conditional=conditional))
    ours.place("buy", "limit", "0.1", price="40000", client_id="twice")
    with pytest.raises(DuplicateOrder):
        ours.place("buy", "limit", "0.1", price="40000", client_id="twice")
    for wrong in (Credentials("unknown", "secret", "words"), replace(ours.keys, passphrase="wrong")):
        with pytest.raises(AuthRefused):
            ours.venue.key_info(wrong)


def test_what_orders_hold_is_not_free(ours):
    ours.place("sell", "limit", "0.1", price="60000")
    usdt = ours.venue.balances(ours.keys)["USDT"]
    assert (usdt.total, usdt.free) == (Decimal(100_000), Decimal(100_000) - 600)


def test_a_key_that_only_reads_is_told(sandbox, pool, keys):
    full, reading = (
        Ours(pool, "BloFin_F", keys),
        Ours(pool, "BloFin_F", sandbox.account("blofin", permissions=["read"])),
    )
    for each, may in ((full, True), (reading, False)):
        info = each.venue.key_info(each.keys)
        assert (info.can_trade, info.can_withdraw, info.ip_locked) == (may, None, False)
    with pytest.raises(AuthRefused):
        reading.place("buy", "market", "0.1")


def test_a_clock_ahead_of_the_exchange_is_measured_and_the_order_still_sent_once(sandbox, ours):
    ours.venue.clock.offset_ms += 120_000
    ours.place("buy", "market", "0.1", client_id="ahead")
    asked = [each["path"] for each in sandbox.state("BloFin_F", ours.keys.key)["calls"]]
    assert asked.count("/api/v1/trade/order") == 2, "refused for its timestamp, then accepted"
    assert ours.positions()[0].quantity == Decimal("0.1")


@pytest.mark.parametrize(("kind", "more"), [("market", {}), ("stop", {"trigger_price": "51000"})])
def test_an_order_whose_answer_was_lost_is_found_by_its_client_id(sandbox, ours, kind, more):
    sandbox.fault("drop_after", venue="BloFin_F", count=1, path="trade/order")
    with pytest.raises(OutcomeUnknown):
        ours.place("buy", kind, "0.1", client_id="lost", **more)
    found = ours.venue.fetch(ours.keys, ours.instrument, OrderRef("lost", conditional=kind == "stop"))
    assert (found.client_id, found.quantity) == ("lost", Decimal("0.1"))


def test_a_pair_whose_answer_was_lost_is_found_leg_by_leg(sandbox, ours):
    ours.place("buy", "market", "0.1")
    sandbox.fault("drop_after", venue="BloFin_F", count=1, path="order-tpsl")
    stop = ours.order("sell", "stop", "0.1", trigger_price="49000", **REDUCING)
    target = ours.order("sell", "take_profit", "0.1", trigger_price="52000", **REDUCING)
    with pytest.raises(OutcomeUnknown):
        ours.venue.protect(ours.keys, Legs(stop, target))
    assert [each.client_id for each in ours.open()] == [stop.client_id, target.client_id]


def test_a_market_order_that_found_half_is_cancelled_with_what_it_got(sandbox, ours):
    sandbox.fault("partial_fill", venue="BloFin_F", count=1)
    found = ours.fetch(ours.place("buy", "market", "0.1"))
    assert (found.status, found.filled) == (OrderStatus.CANCELLED, Decimal("0.05"))
    assert found.average_price is not None


def test_a_stop_the_exchange_will_not_take_is_refused(sandbox, ours):
    ours.place("buy", "market", "0.1")
    sandbox.fault("reject_stop", venue="BloFin_F")
    with pytest.raises(Refused):
        ours.place("sell", "stop", "0.1", trigger_price="49000", **REDUCING)
    with pytest.raises(Refused):
        ours.protect("0.1", "49000", "52000")
    assert ours.open() == []


def test_a_stop_entry_without_money_left_fails_when_it_triggers(sandbox, ours):
    stop = ours.place("buy", "stop", "10", trigger_price="51000")
    ours.place("buy", "market", "19")
    sandbox.price(PAIR, "51000")
    found = ours.fetch(stop)
    assert (found.status, found.filled) == (OrderStatus.REJECTED, 0)
    assert found.reason


def test_a_stop_for_the_whole_position_that_others_placed_has_no_quantity(sandbox, swap, ours):
    ours.place("buy", "market", "0.1")
    whole = {"instId": "BTC-USDT", "marginMode": "cross", "positionSide": "net", "side": "sell"}
    whole |= {"size": "-1", "slTriggerPrice": "49000", "slOrderPrice": "-1", "reduceOnly": "true"}
    swap.private_post_trade_order_tpsl(whole)
    (listed,) = ours.open()
    assert (listed.quantity, listed.type, listed.reduce_only) == (None, OrderType.STOP, True)
    sandbox.price(PAIR, "48990")
    assert ours.positions() == []


def test_a_request_sent_twice_is_refused_the_second_time(sandbox, ours):
    now = ours.venue.clock.now_ms()
    signed = ours.venue.sign(Call("GET", "/api/v1/account/balance"), ours.keys, now)
    url, headers = sandbox.venue("BloFin_F") + signed.target, dict(signed.headers)
    told = [httpx.get(url, headers=headers).json()["code"] for _ in range(2)]
    assert told == ["0", "152407"]


def test_a_wrong_secret_is_refused_without_telling_the_key(ours):
    with pytest.raises(AuthRefused) as caught:
        ours.venue.key_info(replace(ours.keys, secret="wrong"))
    assert caught.value.code == "152409"
    assert ours.keys.key not in caught.value.message + caught.value.exchange_message
