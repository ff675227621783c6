"""Legs whose fate is not known: never placed a second time beside themselves, always told."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.utils import timezone

from exchanges.transport import Transport
from exchanges.types import OrderRequest, OrderType, Side
from execution import attempts, book, brackets, confirm, pairing, reconcile
from execution.desk import Desk
from execution.models import Bracket, BracketState, Order, OrderState
from execution.protection import LegKind
from execution.supervise import open_desk
from tests.execution.test_observe import LINKING

PAIRED = [("Binance", "binance"), ("ByBit_F", "bybit")]


def path_of_pairs(venue):
    return {
        "Binance": "orderList/oco",
        "ByBit_F": "trading-stop",
        "Bitfinex_F": "order/submit",
        "OKX_F": "order-algo",
    }[venue]


@pytest.mark.parametrize(("venue", "family"), PAIRED)
def test_a_pair_whose_answer_is_lost_is_found_and_not_placed_again(desk, venue, family):
    desk.sandbox.fault("drop_after", venue=venue, path=path_of_pairs(venue), rate=1, count=1)
    result = desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    assert (result["error"], result["protection"]["status"]) == (None, "armed")
    assert len(desk.open_orders(venue, family)) == 2


@pytest.mark.parametrize(("venue", "family"), PAIRED)
def test_a_pair_that_never_arrived_is_placed_leg_by_leg(desk, venue, family):
    desk.sandbox.fault("drop_before", venue=venue, path=path_of_pairs(venue), rate=1, count=1)
    result = desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    assert (result["error"], result["protection"]["status"]) == (None, "armed")
    stops = [each for each in desk.open_orders(venue, family) if each["type"] == "stop"]
    assert [D(each["quantity"]) > D("0.009") for each in stops] == [True]


@pytest.fixture
def crossed_meanwhile(make_desk, monkeypatch):
    """The answer to a pair is lost, and the price is beyond the stop by the time somebody looks for it."""

    def enter(venue, family, fault):
        desk = make_desk(families=(family,))

        def crossed():
            desk.sandbox.price("BTC/USDT", "48000")
            yield from (0.0, 0.0)

        def protect(self, pair, place=Desk.protect):
            desk.sandbox.fault(fault, venue=venue, path=path_of_pairs(venue), rate=1, count=1)
            return place(self, pair)

        monkeypatch.setattr(pairing, "PAIR_LOOK_SECONDS", crossed())
        monkeypatch.setattr(Desk, "protect", protect)
        desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2% tp off 5%")
        desk.supervise(4)
        return desk

    return enter


def exits_of(desk, venue, family):
    return [each["type"] for each in desk.state(venue, family)["orders"] if each["side"] == "sell"]


@pytest.mark.parametrize(
    ("venue", "family"), [("Binance", "binance"), ("Bitfinex_F", "bitfinex"), ("OKX_F", "okx")]
)
def test_a_pair_whose_answer_is_lost_and_that_has_fired_since_is_not_placed_again(
    crossed_meanwhile, venue, family
):
    """What did not stand any more counted as never placed, and its bracket claimed the position that came next."""
    desk = crossed_meanwhile(venue, family, "drop_after")
    assert (desk.bracket().status, desk.bracket().closed) == (BracketState.DONE, desk.bracket().quantity)
    assert exits_of(desk, venue, family).count("stop") == 1
    assert not desk.open_orders(venue, family)


def test_a_stop_that_cannot_be_confirmed_is_told_and_confirmed_later(desk, impatient):
    """The stop arrives, its answer is lost, and for a while nobody can ask either."""
    desk.sandbox.fault("drop_after", venue="Binance_F", path="algoOrder", rate=1, count=1)
    desk.sandbox.fault("http_503", venue="Binance_F", path="lgoOrder", rate=1, count=6)
    result = desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    assert result["error"]["code"] == "PROTECTION_FAILED"
    assert "not confirmed" in result["error"]["message"]
    desk.sandbox.no_faults()
    desk.supervise(3)
    assert (desk.bracket().status, desk.bracket().note) == (BracketState.ARMED, "")
    (stop,) = desk.open_orders("Binance_F", "binance")
    assert stop["type"] == "stop"


# -- legs that go out in one request ---------------------------------------------------------------------------

TOGETHER = [("Kraken_F", "kraken_futures"), ("ByBit_F", "bybit")]
BATCHES = {"Kraken_F": "batchorder", "ByBit_F": "create-batch"}
TWO_TARGETS = "BTCUSDT on {} market long 0.01 sl off 2% tp off 3% for 50% tp off 5%"


def calls_of(desk, venue, family, path):
    return [each for each in desk.state(venue, family)["calls"] if each["path"].endswith(path)]


def kinds(desk, venue, family):
    return sorted(each["type"] for each in desk.open_orders(venue, family))


@pytest.mark.parametrize(("venue", "family"), TOGETHER)
def test_stop_and_targets_go_out_in_one_request_the_stop_first(desk, venue, family):
    result = desk.one(TWO_TARGETS.format(venue))
    assert (result["error"], result["protection"]["status"]) == (None, "armed")
    assert kinds(desk, venue, family) == ["stop", "take_profit", "take_profit"]
    assert len(calls_of(desk, venue, family, BATCHES[venue])) == 1
    first = min(desk.open_orders(venue, family), key=lambda each: each["created_ms"])
    assert first["type"] == "stop"


@pytest.mark.parametrize(("venue", "family"), TOGETHER)
def test_legs_whose_common_answer_is_lost_are_found_and_not_placed_again(desk, venue, family):
    desk.sandbox.fault("drop_after", venue=venue, path=BATCHES[venue], rate=1, count=1)
    result = desk.one(TWO_TARGETS.format(venue))
    assert (result["error"], result["protection"]["status"]) == (None, "armed")
    assert kinds(desk, venue, family) == ["stop", "take_profit", "take_profit"]
    assert len(desk.state(venue, family)["orders"]) == 4
    assert len(calls_of(desk, venue, family, BATCHES[venue])) == 1


@pytest.mark.parametrize(("venue", "family"), TOGETHER)
def test_legs_that_never_left_are_placed_alone(desk, venue, family):
    """The exchange refuses the request for rate: nothing of it was processed. What it wants to be left alone for may be
    longer than a worker waits: then the next look places them."""
    desk.sandbox.fault("throttle", venue=venue, path=BATCHES[venue], rate=1, count=1)
    result = desk.one(TWO_TARGETS.format(venue))
    book.pool().close()
    book.pool.cache_clear()  # that time has passed
    desk.supervise(3)
    assert result["status"] in ("done", "filled"), result
    assert kinds(desk, venue, family) == ["stop", "take_profit", "take_profit"]


@pytest.mark.parametrize(("venue", "family"), TOGETHER)
def test_a_stop_that_is_refused_among_others_is_tried_again_then_the_position_is_closed(desk, venue, family):
    desk.sandbox.fault("reject_stop", venue=venue, path="order", rate=1)
    result = desk.one(TWO_TARGETS.format(venue))
    assert result["error"]["code"] == "PROTECTION_FAILED"
    assert "closed at market" in result["error"]["message"]
    assert desk.bracket().status == BracketState.DONE
    assert desk.open_orders(venue, family) == []
    assert desk.state(venue, family)["positions"] == []


@pytest.fixture
def price_moves(desk, monkeypatch):
    """The market moves while the legs are on their way."""

    def move(price):
        send = Transport.send

        def moved(self, request):
            if request.path.endswith("create-batch"):
                desk.sandbox.price("BTC/USDT", price)
            return send(self, request)

        monkeypatch.setattr(Transport, "send", moved)

    return move


def test_targets_that_went_out_with_a_refused_stop_are_taken_away_when_the_position_is_closed(
    desk, price_moves
):
    price_moves("48000")
    result = desk.one(TWO_TARGETS.format("ByBit_F"))
    assert "closed at market" in result["error"]["message"]
    state = desk.state("ByBit_F", "bybit")
    assert [each["type"] for each in state["orders"]].count("take_profit") == 2
    assert (desk.open_orders("ByBit_F", "bybit"), state["positions"]) == ([], [])
    assert desk.bracket().status == BracketState.DONE


def test_targets_that_went_out_with_a_refused_stop_stay_known_when_the_position_is_kept(desk, price_moves):
    price_moves("48000")
    result = desk.one(TWO_TARGETS.format("ByBit_F"), stop_policy="keep")
    assert "unprotected" in result["error"]["message"]
    standing = {each["id"] for each in desk.open_orders("ByBit_F", "bybit")}
    known = {leg.exchange_id for leg in brackets.from_row(desk.bracket()).live() if leg.status == "open"}
    assert (len(standing), known) == (2, standing)


def test_a_target_that_is_refused_among_others_is_told_and_the_others_stand(desk, price_moves):
    price_moves("52000")
    result = desk.one(TWO_TARGETS.format("ByBit_F"))
    assert kinds(desk, "ByBit_F", "bybit") == ["stop", "take_profit"]
    assert "target 1 could not be placed" in str(result["error"] or result["protection"])


def test_a_stop_that_fails_for_want_of_a_fee_is_made_good_by_selling_what_is_there(make_desk):
    """Two stops fire together, and what the second was to sell is short of the fees of both purchases."""
    desk = make_desk(families=("hyperliquid",), balances={"USDT": "100000", "USDC": "100000"})
    desk.one("BTCUSDT on Hyperliquid market long 0.03 sl off 2%")
    desk.one("BTCUSDT on Hyperliquid market long 0.03 sl off 2% tp off 3%")
    desk.sandbox.price("BTC/USDT", "48400")
    desk.supervise(3)

    assert desk.open_orders("Hyperliquid", "hyperliquid") == []
    held = desk.state("Hyperliquid", "hyperliquid")["balances"]["BTC"]["total"]
    assert D(held) < D("0.0001")
    assert {row.status for row in Bracket.objects.all()} == {BracketState.DONE}


@pytest.mark.parametrize(
    ("venue", "family", "words"),
    [("ByBit_F", "bybit", ""), ("Binance_F", "binance", ""), ("Binance_F", "binance", " tp off 5%")],
)
def test_a_stop_that_is_triggered_while_it_is_placed_is_not_placed_again(
    make_desk, monkeypatch, venue, family, words
):
    """It was counted as placed and never as filled: the next look closed as much once more, of what stood beside."""
    desk = make_desk(families=(family,))
    desk.one(f"BTCUSDT on {venue} market long 0.05")
    settle = Desk.settle

    def crossed(self, report, order):
        if order.type.conditional:
            desk.sandbox.price("BTC/USDT", "48000")
            report = self.venue.fetch(self.keys, order.instrument, report.ref)
        return settle(self, report, order)

    monkeypatch.setattr(Desk, "settle", crossed)
    desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2%{words}")
    desk.supervise(3)
    assert exits_of(desk, venue, family) == ["stop"]
    assert desk.bracket().status == BracketState.DONE
    (position,) = desk.state(venue, family)["positions"]
    assert D(position["quantity"]) == D("0.05")


# -- exits of what has no stop ---------------------------------------------------------------------------------


@pytest.fixture
def closed_in_two(make_desk, monkeypatch):
    """No stop is taken, and the book is too thin for all of it at once. Beside it stands what was bought before."""
    monkeypatch.setattr(attempts, "STOP_RETRY_SECONDS", (0.0, 0.0))
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.05")
    desk.one("BTCUSDT on Binance_F limit long 0.04 at 49000 sl off 2%")
    desk.sandbox.price("BTC/USDT", "48990")
    desk.sandbox.fault("reject_stop", venue="Binance_F")
    desk.sandbox.fault("partial_fill", venue="Binance_F", path="POST /fapi/v1/order ", count=1)
    desk.supervise(2)
    return desk


def market_sales(desk):
    orders = desk.state("Binance_F", "binance")["orders"]
    return [each["client_id"] for each in orders if (each["type"], each["side"]) == ("market", "sell")]


def held(desk):
    return [D(each["quantity"]) for each in desk.state("Binance_F", "binance")["positions"]]


def test_what_a_thin_book_left_is_closed_under_an_id_of_its_own(closed_in_two):
    exits = [leg for leg in brackets.from_row(closed_in_two.bracket()).legs if leg.kind is LegKind.EXIT]
    assert [leg.filled for leg in exits] == [D("0.02"), D("0.02")]
    names = [leg.client_id for leg in exits]
    assert (len(set(names)), market_sales(closed_in_two)) == (2, names)
    assert (held(closed_in_two), closed_in_two.bracket().status) == ([D("0.05")], BracketState.DONE)


def unrecorded(desk):
    """Its worker died before it wrote history, and reconciliation finds out."""
    row, past = desk.bracket(), timezone.now() - timedelta(minutes=1)
    rows = Order.objects.filter(token=row.token)
    rows.update(status=OrderState.WORKING, filled=None, bracket=None, created_at=past, fresh_until=past)
    row.delete()
    for account, venue in reconcile.due(rows.get().region):
        reconcile.look_into(rows.get().region, account, venue)


def test_both_exits_of_a_dead_worker_are_found(closed_in_two):
    desk = closed_in_two
    rows = Order.objects.filter(token=desk.bracket().token)
    unrecorded(desk)
    assert (held(desk), len(market_sales(desk))) == ([D("0.05")], 2)
    assert (rows.get().status, desk.bracket().status) == (OrderState.FILLED, BracketState.DONE)


@pytest.fixture
def in_part(make_desk, monkeypatch):
    """Half of an entry fills at once, and half rests."""
    monkeypatch.setattr(attempts, "STOP_RETRY_SECONDS", (0.0, 0.0))

    def enter(venue, words, *faults):
        desk = make_desk(families=(venue.partition("_")[0].lower(),), balances={"USDT": "10000"})
        desk.sandbox.fault("partial_fill", venue=venue, count=1)
        for fault in faults:
            desk.sandbox.fault(fault, venue=venue)
        desk.one(f"BTCUSDT on {venue} limit long 0.02 at 50010 {words}")
        return desk

    return enter


def fills_the_rest(desk, venue):
    """What it is guarded by then."""
    desk.sandbox.no_faults()
    desk.sandbox.price("BTC/USDT", "49900")
    desk.supervise(2)
    standing = desk.open_orders(venue, venue.partition("_")[0].lower())
    return [(each["type"], round(D(each["quantity"]), 3)) for each in standing]


GUARDED = [("stop", D("0.01"))]


def test_what_an_entry_fills_after_its_first_part_was_closed_for_want_of_a_stop_is_guarded(in_part):
    desk = in_part("Binance_F", "sl off 2%", "reject_stop")
    assert (held(desk), desk.bracket().entry_open) == ([], True)
    assert fills_the_rest(desk, "Binance_F") == GUARDED


@pytest.mark.parametrize("venue", ["Binance_F", "Binance", "BitMEX"])  # the last one tells no fee
def test_what_an_entry_fills_after_its_first_part_was_closed_by_a_command_is_guarded(in_part, venue):
    """Of the stop that went with the position it was believed that its user wanted none any more."""
    desk = in_part(venue, "sl off 2%")
    assert desk.one(f"BTCUSDT on {venue} close")["error"] is None
    guarded = brackets.from_row(desk.bracket())
    assert (guarded.remaining, guarded.live(), guarded.entry_open) == (D(0), [], True)
    assert fills_the_rest(desk, venue) == GUARDED


def test_what_an_entry_fills_after_its_first_part_was_closed_by_hand_is_guarded(in_part):
    """The exchange takes the stop away with the position."""
    desk = in_part("BingX_F", "sl off 2%")
    there = open_desk(desk.accounts["bingx"], "BingX_F")
    sale = OrderRequest(
        instrument=there.listed(desk.bracket().instrument),
        client_id="by-hand",
        side=Side.SELL,
        type=OrderType.MARKET,
        quantity=D("0.01"),
        reduce_only=True,
    )
    there.venue.place(there.keys, sale)
    desk.supervise(2)
    assert brackets.from_row(desk.bracket()).remaining == 0
    assert fills_the_rest(desk, "BingX_F") == GUARDED


@pytest.mark.parametrize(("words", "stops"), [("sl at 48000", ["0.01", "0.01"]), ("tp at 53000", ["0.02"])])
def test_what_an_entry_fills_after_its_first_part_got_other_legs_is_guarded(in_part, words, stops):
    desk = in_part("Binance_F", "sl off 2%")
    assert desk.one(f"BTCUSDT on Binance_F {words}")["error"] is None
    standing = fills_the_rest(desk, "Binance_F")
    assert [quantity for kind, quantity in standing if kind == "stop"] == [D(each) for each in stops]


def test_an_entry_that_rests_keeps_its_stop_when_the_position_beside_it_gets_another(make_desk):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.02 sl off 5%")
    desk.one("BTCUSDT on Binance_F limit long 0.01 at 49950 sl off 2%")
    assert desk.one("BTCUSDT on Binance_F sl at 48000")["error"] is None
    assert sorted(fills_the_rest(desk, "Binance_F")) == [*GUARDED, ("stop", D("0.02"))]


def test_what_an_entry_fills_after_its_first_part_reached_a_watched_target_is_guarded(in_part):
    desk = in_part("Kraken", "sl off 2% tp off 5%")
    desk.sandbox.price("BTC/USDT", "53000")
    desk.supervise(2)
    guarded = brackets.from_row(desk.bracket())
    assert (guarded.remaining < D("0.0001"), guarded.entry_open) == (True, True)
    assert fills_the_rest(desk, "Kraken") == GUARDED


def test_a_sale_of_the_less_that_was_there_is_found_when_its_worker_is_dead(make_desk, monkeypatch):
    """Its user sold a part on the exchange, just before no stop was taken."""
    monkeypatch.setattr(attempts, "STOP_RETRY_SECONDS", ())
    desk = make_desk(families=("binance",), balances={"USDT": "10000"})
    desk.sandbox.fault("reject_stop", venue="Binance")
    there, send = open_desk(desk.accounts["binance"], "Binance"), Transport.send
    btc = there.listed("BTCUSDT")
    by_hand = OrderRequest(
        instrument=btc, client_id="by-hand", side=Side.SELL, type=OrderType.MARKET, quantity=D("0.004")
    )

    def sells(line, request):
        if "stopPrice" in f"{request.target} {request.body!r}":
            monkeypatch.setattr(Transport, "send", send)
            there.venue.place(there.keys, by_hand)
        return send(line, request)

    monkeypatch.setattr(Transport, "send", sells)
    desk.one("BTCUSDT on Binance market long 0.01 sl off 2%")
    (sale,) = [leg for leg in brackets.from_row(desk.bracket()).legs if leg.kind is LegKind.EXIT]
    unrecorded(desk)
    guarded = brackets.from_row(desk.bracket())
    assert [(leg.client_id, leg.filled) for leg in guarded.legs] == [(sale.client_id, sale.filled)]
    assert (D("0.0059") < sale.filled <= D("0.006"), guarded.status) == (True, BracketState.DONE)


@pytest.mark.parametrize(("venue", "family"), LINKING)
def test_a_pair_of_a_dead_worker_is_taken_over_as_a_pair(make_desk, venue, family):
    """Taken for two orders, the stop that goes with its target was believed to be cancelled by its user, for good."""
    desk = make_desk(families=(family,), balances={"USDT": "100000", "USDC": "100000"})
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    unrecorded(desk)
    assert [leg.linked for leg in brackets.from_row(desk.bracket()).legs] == [True, True]
    assert desk.one(f"BTCUSDT on {venue} cancel tp")["error"] is None
    desk.supervise(3)
    assert [each["type"] for each in desk.open_orders(venue, family)] == ["stop"]


def test_a_stop_that_got_lost_as_often_as_one_may_be_refused_is_placed_again(make_desk, monkeypatch):
    """Nobody had refused it, and there was no stop any more, and no close in its place."""
    monkeypatch.setattr(confirm, "RESOLVE_SECONDS", (0.0,))
    desk = make_desk(families=("binance",), balances={"USDT": "100000"})
    path = "POST /fapi/v1/algoOrder "
    desk.sandbox.fault("drop_before", venue="Binance_F", path=path, count=3)
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    for _ in range(12):
        desk.supervise()
    calls = [f"{each['method']} {each['path']} " for each in desk.state("Binance_F", "binance")["calls"]]
    assert calls.count(path) == 4
    assert [each["type"] for each in desk.open_orders("Binance_F", "binance")] == ["stop"]
    assert desk.bracket().status == BracketState.ARMED


def test_a_stop_that_would_have_come_long_ago_is_placed_again_after_one_look(
    make_desk, monkeypatch, settings
):
    """Where an exchange grants a question every two seconds, three looks took minutes."""
    monkeypatch.setattr(confirm, "RESOLVE_SECONDS", (0.0,))
    desk = make_desk(families=("binance",), balances={"USDT": "100000"})
    path = "POST /fapi/v1/algoOrder "
    desk.sandbox.fault("drop_before", venue="Binance_F", path=path, count=1)
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    settings.GIVE_UP_SECONDS = 0
    desk.supervise()
    assert [each["type"] for each in desk.open_orders("Binance_F", "binance")] == ["stop"]


@pytest.mark.parametrize("venue", ["Binance_F", "Kraken"])
def test_a_position_that_is_kept_without_its_stop_stays_failed_when_its_target_stands(make_desk, venue):
    desk = make_desk(families=(venue.removesuffix("_F").lower(),), balances={"USDT": "100000"})
    desk.sandbox.fault("reject_stop", venue=venue)
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%", stop_policy="keep")
    desk.supervise(3)
    assert desk.bracket().status == BracketState.FAILED
    assert "stop could not be placed" in desk.bracket().note


def test_a_pair_whose_stop_is_refused_for_good_is_not_tried_for_ever(make_desk, monkeypatch):
    monkeypatch.setattr(attempts, "STOP_RETRY_SECONDS", ())
    desk = make_desk(families=("bybit",))
    desk.sandbox.fault("reject_stop", venue="ByBit_F")
    desk.one("BTCUSDT on ByBit_F market long 0.01 sl off 2% tp off 5%", stop_policy="keep")
    desk.supervise(6)
    (stop,) = (leg for leg in desk.bracket().legs if leg["kind"] == "stop")
    assert (stop["status"], stop["attempts"]) == ("failed", 3)


def test_a_bracket_of_which_the_fee_left_nothing_is_done(make_desk):
    desk = make_desk(families=("bitmex",), balances={"USDT": "100000"})
    assert desk.one("BTCUSDT on BitMEX market long 0.00001 sl off 2%")["status"] == "filled"
    assert (desk.bracket().status, desk.bracket().quantity) == (BracketState.DONE, 0)
