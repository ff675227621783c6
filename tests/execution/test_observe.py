"""What a look makes of legs that the exchange itself ended."""

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges import transport
from exchanges.types import OrderRef, OrderRequest, OrderStatus, OrderType, Report, Side
from execution import brackets
from execution.desk import Desk
from execution.models import Bracket, BracketState
from execution.observe import judge, read
from execution.protection import Guarded, Leg
from execution.supervise import open_desk
from execution.upkeep import wants_action
from execution.view import View, look

LINKING = [
    ("Binance", "binance"),
    ("ByBit_F", "bybit"),
    ("OKX", "okx"),
    ("OKX_F", "okx"),
    ("Hyperliquid_F", "hyperliquid"),
]


@pytest.mark.parametrize(("venue", "family"), LINKING)
@pytest.mark.parametrize(("price", "filled"), [("48000", "stop"), ("53500", "target")])
def test_a_leg_ended_by_its_sibling_is_not_taken_for_one_the_user_cancelled(
    make_desk, venue, family, price, filled
):
    desk = make_desk(families=(family,))
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    desk.sandbox.price("BTC/USDT", price)
    desk.supervise(2)
    bracket = desk.bracket()
    assert bracket.status == BracketState.DONE
    assert bracket.note.startswith(f"{filled} filled at {price}")
    assert [leg["kind"] for leg in bracket.legs if leg["status"] == "filled"] == [filled]
    assert desk.open_orders(venue, family) == []


def test_what_a_target_left_over_gets_a_stop_again(make_desk):
    """The target filled in part and ended its stop: that is not the user's wish to go without."""
    made = make_desk(families=("okx",))
    made.one("BTCUSDT on OKX_F market long 0.01 sl off 2% tp off 5%")
    row = made.bracket()
    bracket, desk = brackets.from_row(row), open_desk(row.account, "OKX_F")
    stop, target = bracket.legs
    observe(
        desk,
        bracket,
        View(
            orders={
                stop.client_id: ended(desk, stop, filled=Decimal(0)),
                target.client_id: ended(desk, target, filled=Decimal("0.004")),
            },
        ),
    )
    assert bracket.plan.stop is not None
    assert bracket.remaining == Decimal("0.006")
    assert wants_action(desk, bracket)


def observe(desk: Desk, bracket: Guarded, view: View) -> None:
    read(desk, bracket, view)
    judge(bracket, view)


def ended(desk: Desk, leg: Leg, *, filled: Decimal) -> Report:
    found = desk.venue.fetch(
        desk.keys, desk.instrument("BTCUSDT"), OrderRef(leg.client_id, leg.exchange_id, conditional=True)
    )
    average = leg.price if filled else None
    return replace(found, status=OrderStatus.CANCELLED, filled=filled, average_price=average)


def test_a_fill_between_the_two_reads_of_a_look_is_counted_once(make_desk):
    """Open orders are read first: a target that fills then shows as a smaller position, and a look later as a
    fill. Believing both would shrink the stop below what is open."""
    made = make_desk(families=("binance",))
    made.one("BTCUSDT on Binance_F market long 0.02 sl off 2% tp1 off 5% for 50% tp2 off 9%")
    row = made.bracket()
    bracket, desk = brackets.from_row(row), open_desk(row.account, "Binance_F")
    before = look(desk, [row])
    made.sandbox.price("BTC/USDT", "53000")
    after = look(desk, [row])
    observe(desk, bracket, View(before.orders, after.positions, dict(after.excess)))
    assert bracket.remaining == Decimal("0.02")
    observe(desk, bracket, look(desk, [row]))
    assert bracket.remaining == Decimal("0.01")


def test_an_order_with_the_same_number_and_another_client_id_is_not_ours(make_desk):
    made = make_desk(families=("binance",))
    made.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    row = made.bracket()
    view = look(open_desk(row.account, "Binance_F"), [row])
    (stop,) = brackets.from_row(row).legs
    assert view.find(OrderRef(stop.client_id, stop.exchange_id)) is not None
    assert view.find(OrderRef("another", stop.exchange_id)) is None


def test_a_fill_is_asked_for_once_although_a_second_look_follows(make_desk):
    """Kraken grants a key one request every two or three seconds: asking twice left none for the stop."""
    made = make_desk(families=("kraken",))
    made.one("BTCUSDT on Kraken limit long 0.01 at 49000 sl off 2%")
    made.sandbox.price("BTC/USDT", "48950")
    known = len(made.state("Kraken", "kraken")["calls"])
    made.supervise()
    asked = [call["path"] for call in made.state("Kraken", "kraken")["calls"][known:]]
    placed = asked.index("/0/private/AddOrder")
    assert asked[:placed].count("/0/private/QueryOrders") == 1
    assert [order["type"] for order in made.open_orders("Kraken", "kraken")] == ["stop"]


@pytest.mark.parametrize(("venue", "family"), LINKING)
@pytest.mark.parametrize(
    ("words", "kept"),
    [("cancel tp", "stop"), ("tp none", "stop"), ("cancel sl", "take_profit")],
)
def test_a_leg_that_went_only_because_it_was_linked_comes_back(make_desk, venue, family, words, kept):
    """The exchange ends a linked pair together: cancelling the target took the stop along, for good."""
    desk = make_desk(families=(family,))
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    assert desk.one(f"BTCUSDT on {venue} {words}")["error"] is None
    desk.supervise(3)
    assert [order["type"] for order in desk.open_orders(venue, family)] == [kept]


def test_a_leg_whose_sibling_was_cancelled_stays_where_only_a_fill_ends_both(make_desk):
    desk = make_desk(families=("hyperliquid",))
    desk.one("BTCUSDT on Hyperliquid_F market long 0.01 sl off 2% tp off 5%")
    before = {order["id"] for order in desk.open_orders("Hyperliquid_F", "hyperliquid")}
    desk.one("BTCUSDT on Hyperliquid_F cancel tp")
    desk.supervise(3)
    (stop,) = desk.open_orders("Hyperliquid_F", "hyperliquid")
    assert stop["id"] in before, "nothing was placed again"
    assert desk.one("BTCUSDT on Hyperliquid_F close 100%")["error"] is None
    assert desk.open_orders("Hyperliquid_F", "hyperliquid") == []


@pytest.mark.parametrize(
    ("venue", "family"),
    [("Binance_F", "binance"), ("ByBit_F", "bybit"), ("Kraken_F", "kraken_futures"), LINKING[-1]],
)
def test_a_stop_that_was_moved_stays_and_does_not_cost_the_target(make_desk, venue, family):
    """The new stop and the old target guard the same position: counted together they looked like twice as much
    as is open, and the new stop was cancelled as closed elsewhere."""
    desk = make_desk(families=(family,))
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    moved = desk.one(f"BTCUSDT on {venue} sl at 49500")
    assert (moved["error"], moved["protection"]["status"]) == (None, "armed")
    desk.supervise(4)
    assert {order["type"] for order in desk.open_orders(venue, family)} == {"stop", "take_profit"}
    desk.sandbox.price("BTC/USDT", "49400")
    desk.supervise(4)
    assert desk.open_orders(venue, family) == []


@pytest.mark.parametrize("leg", ["stop", "target"])
@pytest.mark.parametrize(
    ("venue", "family"), [("Binance", "binance"), ("OKX_F", "okx"), ("ByBit_F", "bybit")]
)
def test_when_a_pair_is_cancelled_by_hand_its_stop_comes_back_alone_and_that_is_told(
    make_desk, venue, family, leg
):
    """The exchange ends both when either is cancelled: the position must not stay bare for a guess."""
    desk = make_desk(families=(family,))
    result = desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    cancel_by_hand(desk, venue, family, leg)
    assert desk.open_orders(venue, family) == []
    desk.supervise(3)
    (stop,) = desk.open_orders(venue, family)
    assert stop["type"].startswith("stop")
    assert Decimal(str(stop["trigger_price"])) == Decimal(result["protection"]["stop"]["price"])
    assert "placed again, alone" in desk.bracket().note
    cancel_by_hand(desk, venue, family, "stop")
    desk.supervise(3)
    assert desk.open_orders(venue, family) == [], "a stop alone that is cancelled was meant"
    assert "the stop was cancelled on the exchange" in desk.bracket().note


def cancel_by_hand(desk, venue, family, kind):
    there = open_desk(desk.accounts[family], venue)
    (leg,) = [each for each in brackets.from_row(desk.bracket()).live() if each.kind == kind]
    ref = OrderRef(leg.client_id, leg.exchange_id, leg.order_type.conditional)
    there.venue.cancel(there.keys, there.instrument("BTCUSDT"), ref)


@pytest.mark.parametrize(
    ("venue", "family"), [("Bitfinex", "bitfinex"), ("BloFin_F", "blofin"), ("OKX_F", "okx")]
)
def test_a_pair_that_a_command_cancelled_does_not_come_back(make_desk, venue, family):
    """The exchange ends the second leg with the first one, and calls it unknown when it is to be cancelled too."""
    desk = make_desk(families=(family,))
    assert desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")["error"] is None
    assert desk.one(f"BTCUSDT on {venue} cancel all")["status"] == "cancelled"
    desk.supervise(3)
    assert desk.open_orders(venue, family) == []
    assert (desk.bracket().status, desk.bracket().note) == (BracketState.DONE, "its orders were cancelled")


def test_what_the_price_jumped_over_is_closed_and_not_left_without_its_stop(make_desk):
    """On spot a stop of Gate fills at most 5% beyond its trigger: it fires, and ends unfilled. Nobody cancelled it."""
    desk = make_desk(families=("gate",))
    assert desk.one("BTCUSDT on Gate market long 0.01 sl off 1%")["error"] is None
    desk.sandbox.price("BTC/USDT", "46000")
    desk.supervise(4)
    bracket = desk.bracket()
    assert bracket.status == BracketState.DONE
    assert "closed at market" in bracket.note
    assert Decimal(desk.state("Gate", "gate")["balances"]["BTC"]["free"]) == 100


def test_stops_that_fire_at_once_are_told_apart(make_desk):
    """Bitunix does not say which order a stop became: the smaller one's fill was taken for that of the larger one."""
    desk = make_desk(families=("bitunix",))
    for size in ("0.02", "0.01"):
        assert desk.one(f"BTCUSDT on Bitunix_F market long {size} sl off 2%")["error"] is None
    desk.sandbox.price("BTC/USDT", "48000")
    desk.supervise(4)
    told = {(row.quantity, row.closed, row.note) for row in Bracket.objects.filter(user=desk.user)}
    assert told == {(size, size, "stop filled at 48000") for size in (Decimal("0.02"), Decimal("0.01"))}


def test_only_as_much_is_closed_elsewhere_as_both_looks_say(make_desk, monkeypatch):
    """Half was closed by hand; then one empty answer tells of no position at all."""
    made = make_desk(families=("binance",))
    made.one("BTCUSDT on Binance_F market long 0.02 sl off 2%")
    close_by_hand(made, "Binance_F", "binance", "0.01")
    send, asked = transport.Transport.send, []

    def sent(line, request):
        answer = send(line, request)
        if "positionRisk" not in request.path:
            return answer
        asked.append(request.path)
        return replace(answer, data=[]) if len(asked) == 3 else answer

    monkeypatch.setattr(transport.Transport, "send", sent)
    made.supervise(4)
    assert len(asked) > 3
    (stop,) = made.open_orders("Binance_F", "binance")
    assert Decimal(stop["quantity"]) == Decimal("0.01")
    assert made.bracket().status == BracketState.ARMED


def close_by_hand(desk, venue, family, quantity):
    there = open_desk(desk.accounts[family], venue)
    order = OrderRequest(
        there.instrument("BTCUSDT"),
        "byhand1",
        Side.SELL,
        OrderType.MARKET,
        Decimal(quantity),
        reduce_only=True,
    )
    there.venue.place(there.keys, order)
