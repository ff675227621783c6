from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.sandbox.engine import Conditions
from exchanges.sandbox.model import AttachWhen, ClientIds, Reason, Rejected
from exchanges.types import Direction, MarginMode, OrderStatus, PositionMode, Product, TimeInForce

from .desks import SYMBOL, Exchange, ticket


@pytest.fixture
def perp():
    return Exchange()


@pytest.fixture
def spot():
    return Exchange(Product.SPOT, maker_fee=Decimal("0.001"), taker_fee=Decimal("0.001"))


def hedged(**rules):
    exchange = Exchange(**rules)
    exchange.desk.set_position_mode(exchange.account, PositionMode.HEDGE)
    return exchange


def refused(reason):
    return pytest.raises(Rejected, match=f"^{reason}")


# -- fills ---------------------------------------------------------------------------------------------------


def test_a_market_buy_takes_the_ask_and_a_sell_the_bid(perp):
    assert perp.buy(1).average_price == Decimal("50000.1")
    assert perp.sell(1).average_price == 50000


def test_a_price_between_ticks_is_floored(perp):
    perp.move("50000.19")
    assert perp.sell(1).average_price == Decimal("50000.1")


def test_a_crossing_limit_takes_at_the_market_not_at_its_price(perp):
    order = perp.buy(1, price=51000)
    assert (order.status, order.average_price) == (OrderStatus.FILLED, Decimal("50000.1"))


def test_a_limit_at_the_bid_rests_and_fills_at_its_price_when_touched(perp):
    order = perp.buy(1, price=50000)
    assert order.open
    perp.move("49990")
    assert (order.status, order.average_price) == (OrderStatus.FILLED, 50000)
    assert order.fills[0].maker is True


def test_a_resting_sell_fills_when_the_price_reaches_it(perp):
    order = perp.sell(1, price=51000)
    perp.move("50999.9")
    assert order.open
    perp.move("51000")
    assert (order.status, order.average_price) == (OrderStatus.FILLED, 51000)


def test_post_only_is_refused_when_it_would_take(perp):
    with refused(Reason.POST_ONLY):
        perp.buy(1, price="50000.1", post_only=True)
    assert perp.buy(1, price=50000, post_only=True).open


def test_an_immediate_order_that_finds_nobody_expires(perp):
    order = perp.buy(1, price=40000, time_in_force=TimeInForce.IOC)
    assert (order.status, order.filled) == (OrderStatus.EXPIRED, 0)


def test_fill_or_kill_is_refused_or_ends_unfilled_as_the_rules_say(perp):
    with refused(Reason.NOT_FILLABLE):
        perp.buy(1, price=40000, time_in_force=TimeInForce.FOK)
    lenient = Exchange(refuses_unfillable=False)
    assert lenient.buy(1, price=40000, time_in_force=TimeInForce.FOK).status is OrderStatus.EXPIRED


def test_half_the_market_leaves_a_limit_resting_and_a_market_order_expired(perp):
    perp.desk.conditions = Conditions(share=Decimal("0.5"))
    market, limit = perp.buy(1), perp.buy(1, price=51000)
    assert (market.status, market.filled) == (OrderStatus.EXPIRED, Decimal("0.5"))
    assert (limit.status, limit.filled) == (OrderStatus.OPEN, Decimal("0.5"))
    perp.desk.conditions = Conditions()
    perp.move(50500)
    assert (limit.status, limit.filled, len(limit.fills)) == (OrderStatus.FILLED, 1, 2)


def test_fill_or_kill_takes_nothing_of_half_a_market():
    exchange = Exchange(refuses_unfillable=False)
    exchange.desk.conditions = Conditions(share=Decimal("0.5"))
    order = exchange.buy(1, price=51000, time_in_force=TimeInForce.FOK)
    assert (order.status, order.filled) == (OrderStatus.EXPIRED, 0)


def test_a_slow_order_fills_when_it_is_resumed(perp):
    perp.desk.conditions = slow = Conditions(slow=True)
    order = perp.buy(1)
    assert (order.status, order.filled) == (OrderStatus.OPEN, 0)
    perp.desk.conditions = Conditions()
    for account, waiting in slow.slowed:
        perp.desk.resume(account, waiting)
    assert order.status is OrderStatus.FILLED


def test_a_slow_order_cancelled_meanwhile_stays_cancelled(perp):
    perp.desk.conditions = slow = Conditions(slow=True)
    order = perp.buy(1)
    perp.desk.conditions = Conditions()
    perp.desk.cancel(perp.account, order)
    perp.desk.resume(*slow.slowed[0])
    assert (order.status, order.filled) == (OrderStatus.CANCELLED, 0)


# -- triggers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "kind", "trigger", "before", "at"),
    [
        ("sell", "stop", 49000, "49000.1", "49000"),
        ("buy", "stop", 51000, "50999.9", "51000"),
        ("sell", "take_profit", 51000, "50999.9", "51000"),
        ("buy", "take_profit", 49000, "49000.1", "49000"),
    ],
)
def test_a_trigger_fires_at_its_price_and_not_before(perp, side, kind, trigger, before, at):
    order = perp.place(side, kind, 1, trigger_price=trigger)
    perp.move(before)
    assert order.waiting
    perp.move(at)
    assert order.status is OrderStatus.FILLED
    assert order.average_price == Decimal(at) + (Decimal("0.1") if side == "buy" else 0)


def test_a_stop_fills_at_the_market_when_the_price_gaps_over_it(perp):
    order = perp.place("sell", "stop", 1, trigger_price=49000)
    perp.move(40000)
    assert order.average_price == 40000


def test_a_stop_limit_rests_after_its_trigger(perp):
    order = perp.place("sell", "stop_limit", 1, trigger_price=49000, price=49500)
    perp.move(48900)
    assert (order.open, order.waiting, order.triggered_ms) == (True, False, perp.clock_ms)
    perp.move(49500)
    assert order.average_price == 49500


def test_a_crossed_trigger_is_refused_or_fires_at_once_as_the_rules_say(perp):
    with refused(Reason.WOULD_TRIGGER):
        perp.place("sell", "stop", 1, trigger_price=50000)
    firing = Exchange(refuses_crossed_triggers=False)
    assert firing.place("sell", "stop", 1, trigger_price=50000).status is OrderStatus.FILLED


def test_only_so_many_orders_may_wait(perp):
    few = Exchange(max_waiting_orders=1)
    stop = few.place("sell", "stop", 1, trigger_price=49000)
    with refused(Reason.STOP_REFUSED):
        few.place("sell", "stop", 1, trigger_price=48000)
    few.desk.cancel(few.account, stop)
    assert few.place("sell", "stop", 1, trigger_price=48000).waiting


def test_a_stated_direction_overrides_what_type_and_side_say(perp):
    order = perp.place("buy", "stop", 1, trigger_price=49000, rises=False)
    perp.move(49000)
    assert order.status is OrderStatus.FILLED


def test_a_triggered_order_gets_a_second_id_where_the_rules_say_so():
    exchange = Exchange(new_id_on_trigger=True)
    order = exchange.place("sell", "stop_limit", 1, trigger_price=49000, price=49500)
    assert order.live_id == ""
    exchange.move(49000)
    assert order.live_id not in ("", order.id)
    for name in (order.id, order.live_id):
        assert exchange.desk.order(exchange.account, order_id=name) is order


def test_a_triggered_order_without_margin_is_rejected(perp):
    order = perp.place("buy", "stop", 100, trigger_price=51000)
    perp.move(51000)
    assert (order.status, order.reason) == (OrderStatus.REJECTED, Reason.INSUFFICIENT)


# -- filters -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "order"),
    [
        (Reason.PRICE_TICK, {"quantity": 1, "price": "40000.05"}),
        (Reason.PRICE_TICK, {"quantity": 1, "price": -1}),
        (Reason.QUANTITY_STEP, {"quantity": "0.0015"}),
        (Reason.MIN_QUANTITY, {"quantity": 0}),
        (Reason.MAX_QUANTITY, {"quantity": 101}),
        (Reason.MIN_NOTIONAL, {"quantity": "0.001", "price": 4000}),
    ],
)
def test_what_the_filters_forbid_is_refused(perp, reason, order):
    with refused(reason):
        perp.buy(**order)


def test_a_trigger_off_the_tick_is_refused_by_name(perp):
    with refused(Reason.TRIGGER_TICK):
        perp.place("sell", "stop", 1, trigger_price="49000.05")


def test_an_unknown_symbol_is_refused(perp):
    with refused(Reason.UNKNOWN_SYMBOL):
        perp.desk.market("NOPE")


def test_a_refused_order_leaves_no_trace(perp):
    with refused(Reason.MIN_NOTIONAL):
        perp.buy("0.001", price=4000, client_id="mine")
    assert perp.desk.order(perp.account, client_id="mine") is None
    assert perp.free("USDT") == 100000


# -- client ids ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kept", "reusable"), [(ClientIds.OPEN, True), (ClientIds.FOREVER, False)])
def test_a_client_id_is_refused_for_as_long_as_the_rules_keep_it(kept, reusable):
    exchange = Exchange(client_ids=kept)
    first = exchange.buy(1, price=40000, client_id="mine")
    with refused(Reason.DUPLICATE):
        exchange.buy(1, price=40000, client_id="mine")
    exchange.desk.cancel(exchange.account, first)
    if reusable:
        assert exchange.buy(1, price=40000, client_id="mine").open
    else:
        with refused(Reason.DUPLICATE):
            exchange.buy(1, price=40000, client_id="mine")


def test_a_reusable_client_id_names_the_last_order_that_had_it():
    exchange = Exchange(client_ids=ClientIds.REUSABLE)
    exchange.buy(1, price=40000, client_id="mine")
    second = exchange.buy(1, price=40000, client_id="mine")
    assert exchange.desk.order(exchange.account, client_id="mine") is second


# -- linked orders -------------------------------------------------------------------------------------------


def oco(exchange):
    return exchange.desk.place_linked(
        exchange.account,
        [
            ticket("sell", "limit", 1, price=55000, link="7"),
            ticket("sell", "stop", 1, trigger_price=45000, link="7"),
        ],
    )


@pytest.mark.parametrize(("price", "filled"), [(55000, 0), (45000, 1)])
def test_the_leg_that_fires_ends_the_other(spot, price, filled):
    legs = oco(spot)
    spot.move(price)
    assert legs[filled].status is OrderStatus.FILLED
    assert legs[1 - filled].status is OrderStatus.CANCELLED


def test_a_leg_that_triggers_ends_the_other_before_it_fills(spot):
    target, stop = spot.desk.place_linked(
        spot.account,
        [
            ticket("sell", "limit", 1, price=55000, link="7"),
            ticket("sell", "stop_limit", 1, trigger_price=45000, price=45500, link="7"),
        ],
    )
    spot.move(45000)
    assert (stop.open, stop.waiting, target.status) == (True, False, OrderStatus.CANCELLED)


def test_cancelling_one_leg_cancels_the_list(spot):
    target, stop = oco(spot)
    spot.desk.cancel(spot.account, stop)
    assert target.status is OrderStatus.CANCELLED


def test_a_list_locks_its_balance_once(spot):
    oco(spot)
    assert spot.free("BTC") == 9


def test_a_list_with_a_bad_leg_places_nothing(spot):
    with refused(Reason.WOULD_TRIGGER):
        spot.desk.place_linked(
            spot.account,
            [
                ticket("sell", "limit", 1, price=55000, link="7"),
                ticket("sell", "stop", 1, trigger_price=50001, link="7"),
            ],
        )
    assert spot.desk.book(spot.account).open == {}


# -- attached orders -----------------------------------------------------------------------------------------


def test_attached_orders_are_placed_at_the_first_fill(perp):
    stop = ticket("sell", "stop", 1, trigger_price=45000, reduce_only=True)
    entry = perp.buy(1, price=49000, attached=(stop,))
    assert [entry] == list(perp.desk.book(perp.account).open.values())
    perp.move(49000)
    (placed,) = perp.desk.book(perp.account).open.values()
    assert (placed.trigger_price, placed.waiting) == (45000, True)


def test_attached_orders_can_follow_each_fill(perp):
    stop = ticket("sell", "stop", 1, trigger_price=45000, reduce_only=True)
    perp.desk.conditions = Conditions(share=Decimal("0.5"))
    perp.buy(1, price=50001, attached=(stop,), attach_when=AttachWhen.EACH_FILL)
    perp.desk.conditions = Conditions()
    perp.move(50000)
    waiting = [each for each in perp.desk.book(perp.account).open.values() if each.waiting]
    assert [each.quantity for each in waiting] == [Decimal("0.5"), Decimal("0.5")]


def test_attached_orders_can_wait_until_all_is_filled(perp):
    stop = ticket("sell", "stop", 1, trigger_price=45000, reduce_only=True)
    perp.desk.conditions = Conditions(share=Decimal("0.5"))
    entry = perp.buy(1, price=50001, attached=(stop,), attach_when=AttachWhen.FULL)
    assert list(perp.desk.book(perp.account).open.values()) == [entry]
    perp.desk.conditions = Conditions()
    perp.move(50000)
    assert [each.waiting for each in perp.desk.book(perp.account).open.values()] == [True]


# -- positions -----------------------------------------------------------------------------------------------


def test_adding_averages_and_reducing_realises(perp):
    perp.buy(1)
    perp.move(52000)
    perp.buy(1)
    assert perp.position().entry_price == Decimal("51000.1")
    perp.sell(1)
    assert (perp.position().quantity, perp.position().realised) == (1, Decimal("999.9"))


def test_selling_more_than_held_turns_the_position_round(perp):
    perp.buy(1)
    perp.move(51000)
    perp.sell(3)
    assert (perp.position().quantity, perp.position().entry_price) == (-2, 51000)
    assert perp.position().realised == Decimal("999.9")


def test_a_reduce_only_order_without_a_position_is_refused(perp):
    with refused(Reason.REDUCE_ONLY):
        perp.sell(1, reduce_only=True)
    perp.sell(1)
    with refused(Reason.REDUCE_ONLY):
        perp.sell(1, reduce_only=True)


def test_a_reduce_only_order_shrinks_to_the_position(perp):
    perp.buy(1)
    order = perp.sell(5, reduce_only=True)
    assert (order.status, order.filled, order.quantity) == (OrderStatus.FILLED, 1, 1)
    assert perp.position().quantity == 0


def test_where_a_reduce_only_order_does_not_shrink_it_ends_and_the_position_stays():
    perp = Exchange(shrinks_reduce_only=False, unfilled=OrderStatus.CANCELLED)
    perp.buy(1)
    order = perp.sell(5, reduce_only=True)
    assert (order.status, order.filled) == (OrderStatus.CANCELLED, 0)
    assert perp.position().quantity == 1
    assert perp.sell(1, reduce_only=True).status is OrderStatus.FILLED


def test_a_waiting_reduce_only_order_that_finds_no_position_opens_none(perp):
    perp.buy(1)
    stop = perp.place("sell", "stop", 1, trigger_price=49000, reduce_only=True)
    perp.sell(1)
    perp.move(49000)
    assert (stop.status, stop.filled) == (OrderStatus.EXPIRED, 0)
    assert perp.position().quantity == 0


def test_close_position_takes_the_size_of_the_moment(perp):
    perp.buy(1)
    stop = perp.place("sell", "stop", None, trigger_price=49000, close_position=True)
    perp.buy(2)
    perp.move(49000)
    assert (stop.filled, perp.position().quantity) == (3, 0)


def test_what_falls_with_a_position_is_a_rule():
    for waiting_falls in (True, False):
        exchange = Exchange(flat_cancels_waiting=waiting_falls)
        exchange.buy(1)
        stop = exchange.place("sell", "stop", 1, trigger_price=49000, reduce_only=True)
        target = exchange.sell(1, price=51000, reduce_only=True)
        exchange.sell(1)
        assert target.status is OrderStatus.CANCELLED
        assert stop.open is not waiting_falls


def test_an_order_bound_to_a_position_falls_with_it_whatever_the_rules(perp):
    perp.buy(1)
    stop = perp.place("sell", "stop", None, trigger_price=49000, close_position=True, position_bound=True)
    perp.sell(1)
    assert stop.status is OrderStatus.CANCELLED


def test_both_directions_are_held_apart_in_hedge_mode():
    exchange = hedged()
    exchange.buy(1, position_side=Direction.LONG)
    exchange.sell(2, position_side=Direction.SHORT)
    exchange.sell(1, position_side=Direction.LONG)
    assert exchange.position(Direction.LONG).quantity == 0
    assert exchange.position(Direction.SHORT).quantity == -2


def test_hedge_mode_never_turns_a_position_round():
    exchange = hedged()
    exchange.buy(1, position_side=Direction.LONG)
    with refused(Reason.REDUCE_ONLY):
        exchange.sell(2, position_side=Direction.LONG)
    stop = exchange.place("sell", "stop", 2, trigger_price=49000, position_side=Direction.LONG)
    exchange.move(49000)
    assert (stop.filled, exchange.position(Direction.LONG).quantity) == (1, 0)


def test_the_position_side_must_fit_the_mode(perp):
    with refused(Reason.POSITION_MODE):
        perp.buy(1, position_side=Direction.LONG)
    with refused(Reason.POSITION_MODE):
        hedged().buy(1)


def test_the_mode_changes_only_when_nothing_is_open(perp):
    order = perp.buy(1, price=40000)
    with refused(Reason.HAS_OPEN_ORDERS):
        perp.desk.set_position_mode(perp.account, PositionMode.HEDGE)
    perp.desk.cancel(perp.account, order)
    perp.buy(1)
    with refused(Reason.HAS_POSITION):
        perp.desk.set_position_mode(perp.account, PositionMode.HEDGE)
    with refused(Reason.NOT_MODIFIED):
        perp.desk.set_position_mode(perp.account, PositionMode.ONE_WAY)


def test_the_margin_mode_is_kept_per_symbol(perp):
    perp.desk.set_margin_mode(perp.account, SYMBOL, MarginMode.ISOLATED)
    assert perp.desk.margin_mode(perp.account, perp.desk.market(SYMBOL)) is MarginMode.ISOLATED
    with refused(Reason.NOT_MODIFIED):
        perp.desk.set_margin_mode(perp.account, SYMBOL, MarginMode.ISOLATED)


# -- money ---------------------------------------------------------------------------------------------------


def test_leverage_decides_how_much_can_be_opened(perp):
    perp.desk.set_leverage(perp.account, SYMBOL, Decimal(2))
    with refused(Reason.INSUFFICIENT):
        perp.buy(4)
    perp.desk.set_leverage(perp.account, SYMBOL, Decimal(10))
    assert perp.buy(4).status is OrderStatus.FILLED
    with refused(Reason.LEVERAGE):
        perp.desk.set_leverage(perp.account, SYMBOL, Decimal(101))


def test_open_orders_and_positions_bind_margin(perp):
    perp.desk.set_leverage(perp.account, SYMBOL, Decimal(10))
    order = perp.buy(1, price=40000)
    assert perp.free("USDT") == 96000
    perp.desk.cancel(perp.account, order)
    perp.buy(1)
    fee = Decimal("50000.1") * Decimal("0.0005")
    assert perp.free("USDT") == 100000 - fee - Decimal("5000.01") - Decimal("0.1")


def test_turning_a_position_round_needs_margin_for_the_rest_only(perp):
    perp.desk.set_leverage(perp.account, SYMBOL, Decimal(10))
    perp.buy(15)
    assert perp.sell(30).status is OrderStatus.FILLED
    assert perp.position().quantity == -15


def test_a_spot_buy_pays_quote_and_its_fee_in_coins(spot):
    spot.buy(1)
    assert spot.total("USDT") == Decimal("49999.9")
    assert spot.total("BTC") == Decimal("10.999")


def test_a_spot_buy_can_pay_its_fee_in_quote():
    exchange = Exchange(Product.SPOT, buy_fee_in_base=False, taker_fee=Decimal("0.001"))
    exchange.buy(1)
    assert exchange.total("USDT") == Decimal("49999.9") - Decimal("50.0001")
    assert exchange.total("BTC") == 11


def test_a_spot_market_buy_by_quote_never_spends_more(spot):
    order = spot.place("buy", "market", quote_quantity=1000)
    assert order.quantity == Decimal("0.019")
    assert order.quote_filled <= 1000


def test_spot_sells_only_what_is_held(spot):
    with refused(Reason.INSUFFICIENT):
        spot.sell("10.001")
    spot.sell(6, price=60000)
    with refused(Reason.INSUFFICIENT):
        spot.sell(5)


def test_a_spot_limit_buy_locks_its_cost_until_it_ends(spot):
    order = spot.buy(1, price=40000)
    assert spot.free("USDT") == 60000
    spot.desk.cancel(spot.account, order)
    assert spot.free("USDT") == 100000


def test_whether_a_waiting_spot_order_locks_is_a_rule(spot):
    spot.place("sell", "stop", 6, trigger_price=45000)
    with refused(Reason.INSUFFICIENT):
        spot.place("sell", "take_profit", 6, trigger_price=55000)
    free = Exchange(Product.SPOT, conditional_holds=False)
    for kind, price in (("stop", 45000), ("take_profit", 55000)):
        free.place("sell", kind, 6, trigger_price=price)
    assert free.free("BTC") == 10


def test_a_waiting_spot_order_whose_coins_are_gone_is_rejected_at_its_trigger():
    exchange = Exchange(Product.SPOT, conditional_holds=False)
    stop = exchange.place("sell", "stop", 6, trigger_price=45000)
    exchange.sell(6)
    exchange.move(45000)
    assert (stop.status, stop.reason) == (OrderStatus.REJECTED, Reason.INSUFFICIENT)


# -- amend and cancel ----------------------------------------------------------------------------------------


def test_an_amended_order_keeps_its_id_and_takes_when_it_crosses(perp):
    order = perp.buy(1, price=40000)
    changed = perp.desk.amend(perp.account, order, price=Decimal(51000), quantity=Decimal(2))
    assert (changed.id, changed.filled, changed.average_price) == (order.id, 2, Decimal("50000.1"))


def test_a_refused_amendment_changes_nothing(perp):
    order = perp.buy(1, price=40000)
    with refused(Reason.PRICE_TICK):
        perp.desk.amend(perp.account, order, price=Decimal("40000.01"), quantity=Decimal(2))
    assert (order.price, order.quantity) == (40000, 1)


def test_an_amended_trigger_is_the_one_that_counts(perp):
    order = perp.place("sell", "stop", 1, trigger_price=49000)
    perp.desk.amend(perp.account, order, trigger_price=Decimal(48000))
    perp.move(48500)
    assert order.waiting
    perp.move(48000)
    assert order.status is OrderStatus.FILLED


def test_an_ended_or_unknown_order_cannot_be_cancelled(perp):
    for order in (perp.buy(1), None):
        with refused(Reason.NOT_OPEN):
            perp.desk.cancel(perp.account, order)


# -- invariants ----------------------------------------------------------------------------------------------

PRICES = st.integers(400, 600).map(lambda hundreds: hundreds * 100)
STEPS = st.one_of(
    st.tuples(st.just("move"), PRICES),
    st.tuples(
        st.sampled_from(("buy", "sell")),
        st.sampled_from(("market", "limit", "stop", "take_profit", "stop_limit", "take_profit_limit")),
        st.integers(1, 3000).map(lambda steps: Decimal(steps) / 1000),
        PRICES,
        PRICES,
        st.booleans(),
    ),
    st.tuples(st.just("cancel"), st.integers(0, 5)),
)


def play(exchange, steps):
    for step in steps:
        if step[0] == "move":
            exchange.move(step[1])
        elif step[0] == "cancel":
            open_orders = list(exchange.desk.book(exchange.account).open.values())
            if open_orders:
                exchange.desk.cancel(exchange.account, open_orders[step[1] % len(open_orders)])
        else:
            side, kind, quantity, price, trigger, reduce_only = step
            rest = {"price": price} if "limit" in kind else {}
            rest |= {} if kind in ("market", "limit") else {"trigger_price": trigger}
            try:
                exchange.place(side, kind, quantity, **rest, reduce_only=reduce_only)
            except Rejected:
                continue


def test_what_a_waiting_buy_locks_does_not_grow_with_the_price():
    exchange = Exchange(Product.SPOT)
    exchange.place("buy", "take_profit", Decimal("1.5"), trigger_price=Decimal(40000))
    before = exchange.free("USDT")
    exchange.move(90000)
    assert exchange.free("USDT") == before > 0


@settings(deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_spot_never_spends_what_it_does_not_have(steps):
    exchange = Exchange(Product.SPOT)
    play(exchange, steps)
    for asset in ("BTC", "USDT"):
        assert exchange.free(asset) >= 0


@settings(deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_positions_and_money_are_the_sum_of_the_fills(steps):
    exchange = Exchange()
    play(exchange, steps)
    book = exchange.desk.book(exchange.account)
    signed = sum(fill.quantity if fill.side == "buy" else -fill.quantity for fill in book.fills)
    assert exchange.position().quantity == signed
    earned = sum(fill.realised - fill.fee for fill in book.fills)
    assert exchange.total("USDT") == 100000 + earned
    assert all(order.filled <= order.quantity for order in book.orders.values())


@settings(deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_the_same_steps_give_the_same_world(steps):
    first, second = Exchange(), Exchange()
    play(first, steps)
    play(second, steps)
    assert [
        (order.id, order.status, order.filled, order.average_price)
        for order in first.desk.book(first.account).orders.values()
    ] == [
        (order.id, order.status, order.filled, order.average_price)
        for order in second.desk.book(second.account).orders.values()
    ]
