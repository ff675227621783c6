"""One look at an account: what goes wrong about one bracket is not made the trouble of another."""

from decimal import Decimal as D

import pytest
from django.utils import timezone

from accounts.models import Account
from exchanges.call import Call
from exchanges.errors import InvalidOrder
from exchanges.limits import Bucket, Charge, LocalGate, Priority, pressed, question_patience, used_up
from exchanges.registry import venue_class
from exchanges.sparing import NotYet
from exchanges.transport import Transport
from exchanges.types import OrderRequest, OrderType, Side
from exchanges.venue import Venue
from execution import attempts, book, brackets, observe, pace, supervise
from execution import desk as desks
from execution.agreement import PATIENCE
from execution.brokers import region_redis
from execution.models import Bracket, BracketState, Comparison, Order
from execution.protection import LegState
from execution.record import unrecordable
from execution.supervise import open_desk

#: where a futures order with a trigger is asked for on Binance
LEG = "GET /fapi/v1/algoOrder"


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """A stop is tried again without a pause."""
    monkeypatch.setattr(attempts, "STOP_RETRY_SECONDS", (0.0, 0.0))


def guarded(desk):
    """The oldest first."""
    rows = Bracket.objects.filter(user=desk.user).order_by("created_at")
    return [brackets.from_row(row) for row in rows]


def stops(desk, symbol=None):
    standing = desk.open_orders("Binance_F", "binance")
    return [
        D(each["quantity"])
        for each in standing
        if each["type"] == "stop" and symbol in (None, each["symbol"])
    ]


def test_a_bracket_that_cannot_be_read_holds_up_no_other(make_desk):
    desk = make_desk(families=("binance",))
    desk.one("ETHUSDT on Binance_F limit long 1 at 2900 sl off 2%")
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    desk.sandbox.price("BTC/USDT", "48000")
    desk.sandbox.price("ETH/USDT", "2890")
    desk.sandbox.fault("not_json", venue="Binance_F", path=LEG)
    desk.supervise(2)
    assert stops(desk, "ETHUSDT") == [D(1)]
    desk.sandbox.no_faults()
    desk.supervise(2)
    assert [each.status for each in guarded(desk)] == [BracketState.ARMED, BracketState.DONE]


def test_what_an_unread_target_filled_is_not_taken_off_the_bracket_beside_it(make_desk):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.02 sl off 10% tp off 5%")
    desk.one("BTCUSDT on Binance_F market long 0.04 sl off 9%")
    desk.sandbox.price("BTC/USDT", "53000")
    desk.sandbox.fault("not_json", venue="Binance_F", path=LEG)
    desk.supervise(4)
    assert guarded(desk)[1].remaining == D("0.04")
    desk.sandbox.no_faults()
    desk.supervise(4)
    assert [each.remaining for each in guarded(desk)] == [D(0), D("0.04")]
    assert stops(desk) == [D("0.04")]


def test_a_part_that_is_closed_while_an_older_target_has_filled_unseen_is_all_that_is_taken_off(make_desk):
    """All that was missing was taken off the newest bracket: its stop went, and the position stayed without."""
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.03 sl off 10% tp off 1%")
    desk.one("BTCUSDT on Binance_F market long 0.06 sl off 9%")
    desk.sandbox.price("BTC/USDT", "51000")
    assert desk.one("BTCUSDT on Binance_F close 50%")["filled"] == "0.03"
    assert [each.remaining for each in guarded(desk)] == [D("0.03"), D("0.03")]
    desk.supervise(4)
    assert [each.remaining for each in guarded(desk)] == [D(0), D("0.03")]
    assert stops(desk) == [D("0.03")]


def test_what_is_missing_is_taken_off_a_bracket_without_a_stop_before_a_newer_one_with_its_own(make_desk):
    """The newer one was ended and its stop cancelled: what was there had none then."""
    desk = make_desk(families=("binance",))
    desk.sandbox.fault("reject_stop", venue="Binance_F")
    desk.one("BTCUSDT on Binance_F market long 0.03 sl off 10%", stop_policy="keep")
    desk.sandbox.no_faults()
    desk.one("BTCUSDT on Binance_F market long 0.06 sl off 9%")
    sell_by_hand(desk, "0.03")
    desk.supervise(4)
    assert [each.remaining for each in guarded(desk)] == [D(0), D("0.06")]
    assert stops(desk) == [D("0.06")]


def sell_by_hand(desk, quantity):
    opened = open_desk(desk.accounts["binance"], "Binance_F")
    instrument = opened.listed("BTCUSDT")
    by_hand = OrderRequest(
        instrument, "byhand", Side.SELL, OrderType.MARKET, quantity=D(quantity), reduce_only=True
    )
    opened.venue.place(opened.keys, by_hand)


def test_a_market_that_is_not_listed_any_more_holds_up_no_other(make_desk):
    desk = make_desk(families=("binance",))
    desk.one("ETHUSDT on Binance_F limit long 1 at 2900 sl off 2%")
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    Bracket.objects.filter(instrument="BTCUSDT").update(instrument="GONEUSDT")
    desk.sandbox.price("ETH/USDT", "2890")
    desk.supervise(2)
    assert stops(desk, "ETHUSDT") == [D(1)]
    told = Bracket.objects.get(instrument="GONEUSDT")
    assert "does not list GONEUSDT any more" in told.note
    desk.supervise(2)
    assert Bracket.objects.get(pk=told.pk).version == told.version, "it is told once"


def test_a_stop_that_only_could_not_be_placed_now_is_tried_again(make_desk, monkeypatch):
    """An outage at the moment of the fill: neither stop nor sale went through. That is no reason to stop trying."""
    monkeypatch.setattr(attempts, "STOP_RETRY_SECONDS", ())
    monkeypatch.setattr(desks, "RESENDS", 0)
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F limit long 0.01 at 49000 sl off 2%")
    desk.sandbox.price("BTC/USDT", "48990")
    for path in ("POST /fapi/v1/algoOrder", "POST /fapi/v1/order"):
        desk.sandbox.fault("throttle", venue="Binance_F", path=path)
    desk.supervise(3)
    assert (desk.bracket().status, stops(desk)) == (BracketState.FAILED, [])
    kept = len(guarded(desk)[0].legs)
    desk.supervise(3)
    assert len(guarded(desk)[0].legs) == kept, "what never stood leaves no trace"
    desk.sandbox.no_faults()
    book.pool().close()
    book.pool.cache_clear()  # as a minute later: the limits are counted there
    desk.supervise(3)
    assert (desk.bracket().status, stops(desk)) == (BracketState.ARMED, [D("0.01")])


def test_a_position_that_could_not_be_closed_for_want_of_a_stop_is_closed_later(make_desk):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F limit long 0.01 at 49000 sl off 2%")
    desk.sandbox.price("BTC/USDT", "48990")
    desk.sandbox.fault("reject_stop", venue="Binance_F")
    desk.sandbox.fault("maintenance", venue="Binance_F", path="POST /fapi/v1/order", count=1)
    desk.supervise()
    assert desk.bracket().status == BracketState.FAILED
    desk.supervise(3)
    assert desk.bracket().status == BracketState.DONE
    assert desk.state("Binance_F", "binance")["positions"] == []


def test_what_the_limits_kept_from_being_done_is_unsettled_until_it_is(make_desk):
    """No price tells that a stop is missing, or that a leg outlived its position: their looks come without one, and go
    where only what protects may go."""
    desk, found = make_desk(families=("binance",)), []
    venue = book.pool().connection("Binance_F", desk.accounts["binance"].environment).venue

    def look(*, protects: bool = False) -> None:
        venue.gate = LocalGate()
        for charge in venue._charges(Call("GET", "", costs={"futures_weight": 1}), "") if protects else ():
            venue.gate.block(charge, 60.0, 0.0)
        desk.supervise()
        found.append([each.unsettled for each in supervise.to_watch("tokyo")])

    desk.sandbox.fault("throttle", venue="Binance_F", path="POST /fapi/v1/algoOrder")
    told = desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2% tp off 4%", stop_policy="keep")
    assert told["protection"]["status"] == "failed"
    look()
    desk.sandbox.no_faults()
    look(protects=True)
    desk.sandbox.fault("throttle", venue="Binance_F", path="DELETE /fapi/v1/algoOrder")
    desk.sandbox.price("BTC/USDT", "48900")
    look()
    desk.sandbox.no_faults()
    look(protects=True)
    assert found == [[True], [False], [True], [False]]


def test_a_position_that_one_look_found_gone_is_looked_at_again_soon(make_desk):
    """Its stop stood until the rotation came round: with few looks to share, for longer than the next position takes."""
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    assert [each.unsettled for each in supervise.to_watch("tokyo")] == [False]
    sell_by_hand(desk, "0.01")
    desk.supervise()
    assert [each.unsettled for each in supervise.to_watch("tokyo")] == [True]
    desk.supervise()
    assert (desk.bracket().status, desk.bracket().note) == (BracketState.DONE, "closed elsewhere")


def test_a_bracket_ends_with_its_stop_although_the_price_is_refused(make_desk):
    """Its target was watched; whether that has come to its level matters no more."""
    desk = make_desk(families=("kraken",))
    desk.one("BTCUSDT on Kraken market long 0.01 sl off 2% tp off 4%")
    desk.sandbox.price("BTC/USDT", "48000")
    desk.sandbox.fault("throttle", venue="Kraken", path="GET /0/public/Ticker")
    desk.supervise(2)
    assert desk.bracket().status == BracketState.DONE


def test_a_look_that_the_limits_cut_short_gives_them_time(make_desk):
    """Kraken grants a key a request every two seconds: the first questions of a look, asked over and over, used up
    what its last one waited for."""
    desk = make_desk(families=("kraken",))
    account = desk.accounts["kraken"].public_id
    pace.rest("eu", account, "Kraken", 9.0)
    watched = [pace.Watched(account, "Kraken", desk.accounts["kraken"].environment, "XBTUSDT", ())]
    now = float(str(region_redis("eu").hget("looked:Kraken", account)))
    assert pace.due("eu", watched, lambda: now) == []
    assert pace.due("eu", watched, lambda: now + 6) == [(account, "Kraken")]


def test_a_position_is_closed_although_its_exits_could_not_be_cancelled(make_desk):
    """The caller was told that nothing had been sent."""
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    desk.sandbox.fault("not_json", venue="Binance_F", path="GET /fapi/v1/openAlgoOrders")
    closed = desk.one("BTCUSDT on Binance_F close")
    assert (closed["status"], closed["filled"], closed["error"]) == ("filled", "0.01", None)
    assert "may still stand" in closed["protection"]["note"]
    desk.sandbox.no_faults()
    desk.supervise()
    assert desk.open_orders("Binance_F", "binance") == []


def test_what_fails_after_an_order_was_sent_is_not_told_as_if_nothing_was(make_desk):
    """The fee is not told by this exchange: how much there is to guard, the balance says."""
    desk = make_desk(families=("bitmex",), balances={"USDT": "100000"})
    desk.sandbox.fault("throttle", venue="BitMEX", path="GET /api/v1/user/margin")
    bought = desk.one("BTCUSDT on BitMEX market long 0.02 sl off 3%")
    assert bought["status"] == "unknown", "it is looked for, and protected then"


@pytest.mark.parametrize(("venue", "family"), [("Binance_F", "binance"), ("Binance", "binance")])
def test_what_can_neither_be_protected_nor_sold_is_told_and_left_alone(make_desk, monkeypatch, venue, family):
    """Worth less than the exchange's smallest order: to try once more at every look helped nobody."""
    desk = make_desk(families=(family,))
    desk.one(f"BTCUSDT on {venue} limit long 0.01 at 49000 sl off 2%")
    desk.sandbox.price("BTC/USDT", "48990")
    row = desk.bracket()
    desk.sandbox.fault("reject_stop", venue=venue)
    refuse_sales(monkeypatch)
    desk.supervise(6)
    kept = desk.bracket()
    assert (kept.status, "closing failed too" in kept.note) == (BracketState.FAILED, True)
    desk.supervise(3)
    assert desk.bracket().version == kept.version > row.version


def refuse_sales(monkeypatch):
    place = Venue.place

    def refused(self, keys, order, **options):
        if order.type is OrderType.MARKET:
            raise InvalidOrder("Order does not meet minimum order value")
        return place(self, keys, order, **options)

    monkeypatch.setattr(Venue, "place", refused)


# -- what one row may not do to the others -------------------------------------------------------------------


@pytest.mark.parametrize("spoilt", [{"plan": {"stop": 5}}, {"legs": [{"kind": "nonsense"}]}])
def test_a_bracket_that_cannot_be_loaded_holds_up_no_other_and_keeps_its_stop(make_desk, caplog, spoilt):
    desk = make_desk(families=("binance",))
    desk.one("ETHUSDT on Binance_F market long 1 sl off 2%")
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2% tp off 5%")
    broken = Bracket.objects.get(user=desk.user, symbol="ETHUSDT")
    Bracket.objects.filter(pk=broken.pk).update(**spoilt)
    desk.sandbox.price("BTC/USDT", "53000")
    for _ in range(3):
        desk.supervise()
        supervise.look_after(broken.region, broken.account.public_id, "Binance_F", whole=True)
    assert desk.bracket().status == BracketState.DONE
    assert stops(desk) == [D(1)], "nobody takes the stop of what cannot be read"
    broken.refresh_from_db()
    assert broken.note == brackets.UNREADABLE
    assert caplog.text.count(f"bracket {broken.public_id} is not looked after") == 1


def test_a_mistake_about_one_bracket_holds_up_no_other(make_desk, monkeypatch):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2% tp off 5%")
    desk.one("ETHUSDT on Binance_F market long 1 sl off 2%")
    read = observe.read

    def stumbles(its, bracket, view):
        if bracket.instrument == "ETHUSDT":
            raise ZeroDivisionError
        read(its, bracket, view)

    monkeypatch.setattr(observe, "read", stumbles)
    desk.sandbox.price("BTC/USDT", "53000")
    desk.supervise(2)
    assert [each.status for each in guarded(desk)] == [BracketState.DONE, BracketState.ARMED]


def test_a_question_that_the_limits_refuse_holds_up_no_other_bracket(make_desk, monkeypatch):
    """Kraken's history answers a key a hundred questions in ten minutes: when they were used up, no look came to an end."""
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2% tp off 5%")
    desk.one("ETHUSDT on Binance_F market long 1 sl off 2%")  # is looked at first
    read, patience = observe.read, []

    def limited(its, bracket, view):
        patience.append(question_patience(None))
        if bracket.instrument == "ETHUSDT":
            raise used_up((Charge("binance", "history", Bucket(100, 600), "key", 1),), 400.0)
        read(its, bracket, view)

    monkeypatch.setattr(observe, "read", limited)
    desk.sandbox.price("BTC/USDT", "53000")
    desk.supervise()
    assert patience[:2] == [None, 0.0]
    desk.supervise()
    assert [each.status for each in guarded(desk)] == [BracketState.DONE, BracketState.ARMED]
    assert stops(desk) == [D(1)]


def test_a_question_that_has_to_wait_for_its_pause_is_told_once(make_desk, monkeypatch, caplog):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    again = iter((False, True, True))

    def waits(*_look):
        raise NotYet(again=next(again))

    monkeypatch.setattr(observe, "read", waits)
    desk.supervise(3)
    assert caplog.text.count("spare no question yet") == 1
    assert next(again, None) is None


def test_what_a_fill_without_its_stop_needs_goes_before_everything_else(make_desk, monkeypatch):
    """A part of an entry is not written down before it has its stop: each look would wait behind all others."""
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F limit long 0.01 at 49000 sl off 2%")
    desk.sandbox.price("BTC/USDT", "48900")
    asked, send = [], Transport.send

    def noted(self, request):
        asked.append((pressed(Priority.QUERY), request.target.partition("?")[0].rpartition("/")[2]))
        return send(self, request)

    monkeypatch.setattr(Transport, "send", noted)
    desk.supervise()
    assert desk.bracket().status == BracketState.ARMED
    second_look = asked[[what for _, what in asked].index("openOrders", 1) :]
    assert {priority for priority, _ in second_look} == {Priority.PROTECT}


def test_a_look_that_could_not_ask_all_it_wanted_rests_until_there_is_room(make_desk, monkeypatch):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")

    def limited(its, bracket, view):
        raise used_up((Charge("binance", "requests", Bucket(10, 10), "key", 1),), 7.0)

    monkeypatch.setattr(observe, "read", limited)
    rested = []
    monkeypatch.setattr(pace, "rest", lambda *told: rested.append(told))
    desk.supervise()
    assert [told[1:] for told in rested] == [(desk.accounts["binance"].public_id, "Binance_F", 7.0)]


@pytest.mark.parametrize("venue", ["Binance", "Binance_F"])
def test_what_the_open_orders_tell_is_used_when_the_limits_refuse_the_positions(
    make_desk, monkeypatch, venue
):
    desk = make_desk(families=("binance",))
    desk.one(f"BTCUSDT on {venue} limit long 0.01 at 49000 sl off 2%")
    kind, name = venue_class(venue), "balances" if venue == "Binance" else "positions"

    def limited(*_told):
        raise used_up((Charge("binance", "requests", Bucket(10, 10), "key", 1),), 7.0)

    monkeypatch.setattr(kind, name, limited)
    desk.sandbox.price("BTC/USDT", "48900")
    account = desk.accounts["binance"].public_id
    supervise.look_after(desk.bracket().region, account, venue, whole=True)
    monkeypatch.undo()
    assert desk.bracket().status == BracketState.ARMED


def test_a_bracket_beside_one_that_cannot_be_looked_at_gets_its_stop(make_desk, monkeypatch):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    desk.one("BTCUSDT on Binance_F market long 0.02 sl off 3%")
    read, unread = observe.read, guarded(desk)[0].public_id

    def stumbles(its, bracket, view):
        if bracket.public_id == unread:
            raise ZeroDivisionError
        read(its, bracket, view)

    bare = guarded(desk)[1]
    bare.legs[0].status = LegState.FAILED
    brackets.save(bare, desk.bracket().version)
    monkeypatch.setattr(observe, "read", stumbles)
    desk.supervise()
    assert guarded(desk)[1].live()[0].status == LegState.OPEN


def test_a_price_that_makes_a_reader_stumble_holds_up_no_round(make_desk, monkeypatch):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    monkeypatch.setattr(book, "breaker", gone)
    row = desk.bracket()
    watched = supervise.to_watch(row.region)
    assert pace.due(row.region, watched) == [(row.account.public_id, "Binance_F")]


def gone():
    raise KeyError


def test_an_exchange_that_is_not_installed_any_more_holds_up_no_round(make_desk):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    desk.one("ETHUSDT on Binance_F market long 1 sl off 2%")
    row = desk.bracket()
    Bracket.objects.filter(pk=row.pk).update(venue="Nowhere_F")
    Comparison.objects.filter(account=row.account).update(venue="Nowhere_F", due_at=timezone.now())
    supervise.spread(row.region)
    assert pace.due(row.region, supervise.to_watch(row.region)) == []
    assert float(str(region_redis(row.region).hget("looked:Binance_F", row.account.public_id)))


def test_a_key_that_cannot_be_opened_is_no_crash(make_desk, caplog):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    book.keyring.cache_clear()
    Account.objects.update(sealed="not a sealed key")
    desk.supervise()
    assert "cannot be opened while it is supervised" in caplog.text


def test_the_stop_of_an_order_whose_end_is_not_known_is_no_orphan(make_desk):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    row = desk.bracket()
    Order.objects.update(status="unknown", created_at=timezone.now() - PATIENCE * 2)
    Bracket.objects.all().delete()
    supervise.look_after(row.region, row.account.public_id, "Binance_F", whole=True)
    assert stops(desk) == [D("0.01")]
    Order.objects.update(status="filled")
    supervise.look_after(row.region, row.account.public_id, "Binance_F", whole=True)
    assert stops(desk) == []


def test_a_bracket_that_cannot_be_loaded_keeps_no_command_from_what_it_means_for_the_others(make_desk):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    Bracket.objects.filter(user=desk.user).update(plan={"stop": 5})
    desk.one("BTCUSDT on Binance_F market long 0.02 sl off 3%")
    assert desk.one("BTCUSDT on Binance_F close")["status"] == "filled"
    assert desk.bracket().status == BracketState.DONE
    assert unrecordable(desk.bracket().region) == 0


def test_a_stop_that_fires_while_it_is_resized_closes_nothing_of_another_bracket(make_desk, wire):
    """The new one was refused, its trigger was passed: what it was for was closed at market, a second time."""
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 10%")
    desk.one("BTCUSDT on Binance_F market long 0.02 sl off 2%")
    sell_by_hand(desk, "0.005")

    def act(line, send):
        if line.startswith("POST /fapi/v1/algoOrder"):
            desk.sandbox.price("BTC/USDT", "48000")
        return send()

    wire(act)
    desk.supervise(4)
    (position,) = desk.state("Binance_F", "binance")["positions"]
    assert D(position["quantity"]) == D("0.005")
    newest, oldest = Bracket.objects.order_by("-created_at")
    assert (newest.status, oldest.status) == (BracketState.DONE, BracketState.ARMED)
