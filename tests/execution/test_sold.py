"""Sales on spot take the stop away, because it holds what is sold. Whatever becomes of the sale, what is left of the
holding gets its stop back."""

from dataclasses import replace
from decimal import Decimal as D

import pytest
from django.utils import timezone

from exchanges.errors import OutcomeUnknown
from exchanges.symbols import InstrumentTable
from exchanges.types import OrderRef, OrderRequest, OrderType, Side
from execution import brackets
from execution.models import BracketState, Order, OrderState
from execution.protection import LegKind, LegState
from execution.supervise import open_desk
from execution.transitions import RECONCILIATION, move_order
from execution.unprotected import give_up

SPOT = [("Binance", "binance"), ("Kraken", "kraken"), ("ByBit", "bybit")]
PLACES = {"Binance": "POST /api/v3/order", "Kraken": "AddOrder", "ByBit": "order/create"}


def stops(desk, venue, family):
    return [
        D(each["quantity"]) for each in desk.open_orders(venue, family) if each["type"].startswith("stop")
    ]


def unsettle(desk, venue):
    """A command is at work there, and nobody knows how it ends."""
    desk.one(f"BTCUSDT on {venue} cancel entries")
    Order.objects.filter(venue=venue, action="cancel").update(status=OrderState.WORKING)


def cancel_stop(desk, venue, family, result):
    other = open_desk(desk.accounts[family], venue)
    stop = result["protection"]["stop"]
    instrument = other.instrument("BTCUSDT")
    other.cancel(instrument, OrderRef(stop["client_id"], stop["exchange_id"], conditional=True))
    return other, instrument


def sell(other, instrument, quantity):
    order = OrderRequest(
        instrument=instrument,
        client_id=other.venue.client_id("0" * 26),
        side=Side.SELL,
        type=OrderType.MARKET,
        quantity=quantity,
    )
    other.send(order)


@pytest.mark.parametrize(("venue", "family"), SPOT)
def test_a_sale_that_never_arrived_leaves_the_holding_with_its_stop(make_desk, impatient, venue, family):
    desk = make_desk(balances={"USDT": "100000", "USD": "100000"})
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2%")
    (before,) = stops(desk, venue, family)
    desk.sandbox.fault("drop_before", venue=venue, path=PLACES[venue], rate=1, count=1)
    assert desk.one(f"BTCUSDT on {venue} close")["status"] == "unknown"
    desk.supervise(2)
    assert stops(desk, venue, family) == [before]


def test_a_sale_without_an_answer_is_not_told_as_refused_because_trading_stops(make_desk, impatient, wire):
    """An exchange in trouble answers no orders, and says of its markets that they are paused."""
    desk = make_desk(families=("binance",), balances={"USDT": "100000"})
    desk.one("BTCUSDT on Binance market long 0.01 sl off 2%")
    connection = open_desk(desk.accounts["binance"], "Binance").connection

    def act(request, send):
        if request.startswith(PLACES["Binance"]):
            paused = [replace(each, active=False) for each in connection.table.instruments]
            connection._table = InstrumentTable(paused)
            raise OutcomeUnknown("no answer from the exchange")
        return send()

    wire(act)
    assert desk.one("BTCUSDT on Binance close")["status"] == "unknown"


def test_dollars_close_no_part_of_what_is_priced_in_something_else(make_desk):
    desk = make_desk(families=("binance",), balances={"BTC": "1"})
    assert desk.one("ETHBTC on Binance market long 0.1 sl off 2%")["error"] is None
    before = desk.state("Binance", "binance")["orders"]
    assert '"100$" means dollars' in desk.one("* on Binance close 100$")["error"]["message"]
    assert desk.state("Binance", "binance")["orders"] == before


def test_a_stop_that_could_not_be_taken_away_stays_a_stop(make_desk):
    desk = make_desk(balances={"USDT": "100000"})
    desk.one("BTCUSDT on Binance market long 0.01 sl off 2%")
    before = stops(desk, "Binance", "binance")
    desk.sandbox.fault("drop_before", venue="Binance", path="DELETE /api/v3/order", rate=1, count=2)
    assert desk.one("BTCUSDT on Binance close")["status"] == "unknown"
    desk.supervise(2)
    assert (stops(desk, "Binance", "binance"), desk.bracket().status) == (before, BracketState.ARMED)


def test_a_stop_that_a_dead_worker_took_away_comes_back(make_desk):
    desk = make_desk(balances={"USDT": "100000"})
    result = desk.one("BTCUSDT on Binance market long 0.01 sl off 2%")
    unsettle(desk, "Binance")
    cancel_stop(desk, "Binance", "binance", result)
    desk.supervise(2)
    assert len(stops(desk, "Binance", "binance")) == 1


def test_it_comes_back_as_well_when_the_command_was_ended_before_anybody_looked(make_desk):
    desk = make_desk(balances={"USDT": "100000"})
    result = desk.one("BTCUSDT on Binance market long 0.01 sl off 2%")
    unsettle(desk, "Binance")
    cancel_stop(desk, "Binance", "binance", result)
    command = Order.objects.get(venue="Binance", action="cancel")
    move_order(command.token, OrderState.NOT_SENT, by=RECONCILIATION, why="its worker died")
    desk.supervise(2)
    assert len(stops(desk, "Binance", "binance")) == 1


def test_it_comes_back_when_the_sale_was_found_on_the_exchange(make_desk):
    """Its worker had taken the stops of two holdings away, sold a part, and told nobody."""
    desk = make_desk(balances={"USDT": "100000"})
    result = desk.one("BTCUSDT on Binance market long 0.01 sl off 2%")
    desk.one("BTCUSDT on Binance close 10%")
    Order.objects.filter(venue="Binance", action="close").update(status=OrderState.WORKING)
    command = Order.objects.get(venue="Binance", action="close")
    desk.supervise(2)
    cancel_stop(desk, "Binance", "binance", stop_of(desk, result))
    move_order(command.token, OrderState.FILLED, by=RECONCILIATION, why="found on the exchange")
    desk.supervise(2)
    assert len(stops(desk, "Binance", "binance")) == 1


def stop_of(desk, result):
    (leg,) = [each for each in desk.bracket().legs if each.get("status") == "open"]
    return {"protection": {"stop": result["protection"]["stop"] | leg}}


def test_a_stop_is_for_what_is_there(make_desk):
    desk = make_desk(balances={"USDT": "100000"})
    result = desk.one("BTCUSDT on Binance market long 0.01 sl off 2%")
    unsettle(desk, "Binance")
    other, instrument = cancel_stop(desk, "Binance", "binance", result)
    sell(other, instrument, D("0.004"))
    desk.supervise(2)
    assert stops(desk, "Binance", "binance") == [D(result["protection"]["stop"]["quantity"]) - D("0.004")]
    assert desk.bracket().status == BracketState.ARMED


def test_a_bracket_whose_holding_was_sold_is_done(make_desk):
    desk = make_desk(balances={"USDT": "100000"})
    result = desk.one("BTCUSDT on Binance market long 0.01 sl off 2%")
    unsettle(desk, "Binance")
    quantity = D(result["protection"]["stop"]["quantity"])
    other, instrument = cancel_stop(desk, "Binance", "binance", result)
    sell(other, instrument, quantity)
    desk.supervise(2)
    assert (desk.bracket().status, stops(desk, "Binance", "binance")) == (BracketState.DONE, [])


def test_what_was_bought_last_is_sold_first(make_desk):
    desk = make_desk(balances={"USDT": "100000"})
    desk.one("BTCUSDT on Binance market long 0.02 sl at 49000")
    desk.one("BTCUSDT on Binance market long 0.01 sl at 45000")
    assert desk.one("BTCUSDT on Binance close 50%")["status"] == "filled"
    desk.supervise(2)
    (stop,) = desk.open_orders("Binance", "binance")
    assert D(stop["trigger_price"]) == 49000
    assert D("0.0149") < D(stop["quantity"]) < D("0.0151")


def test_a_sale_takes_nothing_off_what_was_bought_after_it(make_desk):
    """Its worker tells of it late."""
    desk = make_desk(families=("binance",), balances={"USDT": "100000"})
    sold_at = timezone.now()
    desk.one("BTCUSDT on Binance market long 0.01 sl off 2%")
    brackets.released(desk.accounts["binance"], "Binance", "BTCUSDT", D(0), set(), sold_at)
    assert (desk.bracket().status, desk.bracket().closed) == (BracketState.ARMED, 0)


def test_what_is_left_of_a_sale_is_not_counted_to_a_bracket_whose_stop_had_filled(make_desk):
    """Nobody has seen the fill of the first one's stop yet when a part of the second is sold."""
    desk = make_desk(balances={"USDT": "100000"})
    desk.one("BTCUSDT on Binance market long 0.02 sl at 49500")
    desk.one("BTCUSDT on Binance market long 0.01 sl at 45000")
    desk.sandbox.price("BTC/USDT", "49400")
    sold = desk.one("BTCUSDT on Binance close 50%")
    assert sold["status"] == "filled"
    desk.supervise(2)
    held = D(desk.state("Binance", "binance")["balances"]["BTC"]["total"])
    (stop,) = stops(desk, "Binance", "binance")
    assert D(0) <= held - stop < D("0.0001")


@pytest.mark.parametrize("venue", ["Bitget", "KuCoin", "Gate"])
def test_a_holding_whose_stop_had_filled_unseen_is_not_counted_as_what_was_kept(make_desk, venue):
    """Its target still stood and was taken away by the sale: what is left belongs to the other, with its stop."""
    desk = make_desk(families=(venue.lower(),), balances={"USDT": "100000"})
    desk.one(f"BTCUSDT on {venue} market long 0.04 sl off 1% tp off 5%")
    desk.sandbox.price("BTC/USDT", "49000")
    desk.one(f"BTCUSDT on {venue} market long 0.06 sl off 2% tp off 5%")
    sold = desk.one(f"BTCUSDT on {venue} close 50%")
    assert sold["status"] == "filled", sold["error"]
    desk.supervise(3)
    assert sum(stops(desk, venue, venue.lower())) == pytest.approx(D(sold["filled"]), abs=D("0.0001"))


@pytest.mark.parametrize("venue", ["Kraken", "Phemex"])
def test_a_stop_that_filled_while_it_was_to_give_way_to_its_target_leaves_nothing_to_sell(
    make_desk, wire, venue
):
    """The price jumps to the stop and on to the target between two requests: both sold, the second from other coins."""
    desk = make_desk(families=(venue.lower(),), balances={"USDT": "100000", "BTC": "1"})
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    desk.sandbox.price("BTC/USDT", "53000")

    def act(line, send):
        if "CancelOrder" in line or line.startswith("DELETE"):
            desk.sandbox.price("BTC/USDT", "48000")
            desk.sandbox.price("BTC/USDT", "53000")
        return send()

    wire(act)
    desk.supervise(3)
    sold = [each for each in desk.state(venue, venue.lower())["orders"] if each["side"] == "sell"]
    assert [each["type"] for each in sold if each["status"] == "filled"] == ["stop"]
    assert (desk.bracket().status, desk.bracket().note[:11]) == (BracketState.DONE, "stop filled")


def test_a_target_that_filled_while_the_unprotected_position_was_to_be_closed_leaves_nothing_to_sell(
    make_desk, wire
):
    desk = make_desk(families=("bybit",), balances={"USDT": "100000", "BTC": "1"})
    desk.one("BTCUSDT on ByBit market long 0.01 sl off 2% tp off 5%")
    opened, bracket = open_desk(desk.accounts["bybit"], "ByBit"), brackets.from_row(desk.bracket())
    (stop,) = bracket.live(LegKind.STOP)
    opened.cancel(opened.listed("BTCUSDT"), stop.ref)
    stop.status = LegState.FAILED

    def act(line, send):
        if "order/cancel" in line:
            desk.sandbox.price("BTC/USDT", "53000")
        return send()

    wire(act)
    give_up(opened, bracket, opened.listed("BTCUSDT"), stop)
    assert (bracket.status, stop.attempts) == (BracketState.FAILED, 0), "supervision goes on"
    sold = [each for each in desk.state("ByBit", "bybit")["orders"] if each["side"] == "sell"]
    assert [each["type"] for each in sold if each["status"] == "filled"] == ["take_profit"]
