"""`* on VENUE close`: one position that cannot be closed keeps no other open, and the answer says what is."""

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import connection, transaction
from django.utils import timezone

from exchanges.errors import InvalidOrder, MarketPaused, OutcomeUnknown
from execution import claims, dispatch, holdings, lanes, place, reconcile
from execution.brokers import region_redis
from execution.dispatch import Intake
from execution.models import OPEN_STATES, BracketState, Order
from tests.stack import wait_for
from webhooks.syntax import parse

PLACE = "POST /fapi/v1/order"
SPOT = [("Binance", "binance"), ("ByBit", "bybit"), ("Kraken", "kraken")]


def open_three(desk):
    for words in ("BTCUSDT on Binance_F market long 0.01", "ETHUSDT on Binance_F market short 0.5"):
        assert desk.one(words)["error"] is None
    assert desk.one("SOLUSDT on Binance_F market long 5")["error"] is None


def open_there(desk):
    return [each["symbol"] for each in desk.state("Binance_F", "binance")["positions"]]


def later(desk):
    """As beat and the workers would, two minutes later."""
    unsettled = Order.objects.filter(status__in=OPEN_STATES)
    unsettled.update(created_at=timezone.now() - timedelta(minutes=2), lookups=0)
    for region in ("eu", "tokyo", "singapore"):
        for account, venue in reconcile.due(region):
            reconcile.look_into(region, account, venue)


def about_eth(goes_wrong):
    """What happens to the order that closes ETHUSDT, the second of three."""

    def act(request, send):
        if request.startswith(PLACE) and "symbol=ETHUSDT" in request:
            return goes_wrong(send)
        return send()

    return act


def raising(error):
    def goes_wrong(_send):
        raise error

    return goes_wrong


def answer_lost(send):
    send()
    raise OutcomeUnknown("no answer from the exchange")


@pytest.mark.parametrize("kind", [InvalidOrder, MarketPaused])
def test_a_position_whose_close_is_refused_keeps_no_other_open(desk, wire, kind):
    open_three(desk)
    wire(about_eth(raising(kind("ETHUSDT does not trade at the moment"))))
    closed, cancelled = desk.send("* on Binance_F close all cancel all")
    assert (closed["status"], closed["error"]["code"]) == ("partially_filled", "LEFT_OPEN")
    assert "left open, ETHUSDT: ETHUSDT does not trade at the moment" in closed["error"]["message"]
    assert open_there(desk) == ["ETHUSDT"]
    assert cancelled["error"] is None


def test_a_close_whose_fate_is_unknown_keeps_no_other_open_and_is_named(desk, wire, impatient):
    open_three(desk)
    wire(about_eth(raising(OutcomeUnknown("no answer from the exchange"))))
    closed, cancelled = desk.send("* on Binance_F close all cancel all")
    assert (closed["status"], closed["error"]["code"]) == ("unknown", "LEFT_OPEN")
    assert "not known, ETHUSDT: no answer from the exchange" in closed["error"]["message"]
    assert open_there(desk) == ["ETHUSDT"]
    assert cancelled["status"] != "not_sent"


def test_a_close_without_an_answer_that_took_place_is_seen_by_the_last_look(desk, wire, impatient):
    open_three(desk)

    def act(request, send):
        if "symbol=ETHUSDT" in request and request.startswith("GET /fapi/v1/order"):
            raise OutcomeUnknown("no answer from the exchange")
        return about_eth(answer_lost)(request, send)

    wire(act)
    closed = desk.one("* on Binance_F close")
    assert (closed["status"], closed["error"], open_there(desk)) == ("filled", None, [])


def test_a_position_that_opens_meanwhile_is_closed_too(desk, wire):
    desk.one("BTCUSDT on Binance_F market long 0.01")
    desk.one("SOLUSDT on Binance_F limit long 5 @ 50")

    def act(request, send):
        if request.startswith(PLACE) and "symbol=BTCUSDT" in request:
            desk.sandbox.price("SOL/USDT", "49")
        return send()

    wire(act)
    closed = desk.one("* on Binance_F close")
    assert (closed["status"], closed["error"], open_there(desk)) == ("filled", None, [])


def test_reconciliation_ends_a_close_of_everything_from_the_positions(desk, wire, impatient):
    open_three(desk)
    wire(about_eth(raising(OutcomeUnknown("no answer from the exchange"))))
    desk.one("* on Binance_F close")
    wire(lambda _request, send: send())
    row = Order.objects.filter(user=desk.user).latest("pk")
    for region in ("eu", "tokyo", "singapore"):
        for account, venue in reconcile.due(region):
            reconcile.look_into(region, account, venue)
    row.refresh_from_db()
    assert row.status == "unknown", "the close may be on its way still"
    later(desk)
    row.refresh_from_db()
    assert row.error is not None
    assert (row.status, row.error["code"]) == ("partially_filled", "LEFT_OPEN")
    assert "still open: ETHUSDT" in row.error["message"]
    assert row.account is not None
    assert holdings.in_motion(row.account, "Binance_F", timezone.now()) is not None


def test_reconciliation_tells_a_close_of_everything_as_done_when_nothing_is_open(desk, wire, impatient):
    open_three(desk)
    wire(about_eth(raising(OutcomeUnknown("no answer from the exchange"))))
    desk.one("* on Binance_F close")
    row = Order.objects.filter(user=desk.user).latest("pk")
    wire(lambda _request, send: send())
    assert desk.one("ETHUSDT on Binance_F close")["status"] == "filled"
    later(desk)
    row.refresh_from_db()
    assert (row.status, row.error) == ("filled", None)


def test_a_close_of_everything_that_takes_long_is_not_taken_for_dead(desk, wire, monkeypatch):
    """Its lease ends at the first position; at the second one its message is long stale, and reconciliation looks."""
    open_three(desk)
    monkeypatch.setattr(lanes, "RENEW_SECONDS", 0.0)
    # this is not about how fast the machine is
    monkeypatch.setattr(lanes, "limits_redis", region_redis)
    seen = []

    def act(request, send):
        (row,) = Order.objects.filter(status="working")
        lane = lanes.lane_of(desk.accounts["binance"].public_id, row.venue, "*")
        if request.startswith(PLACE) and "symbol=BTCUSDT" in request:
            region_redis(row.region).hset(f"{lane}:leases", row.job, "1")
        if request.startswith(PLACE) and "symbol=ETHUSDT" in request:
            Order.objects.filter(pk=row.pk).update(fresh_until=timezone.now() - timedelta(minutes=2))
            claims.heart(row.region).beat()
            later(desk)
            row.refresh_from_db()
            seen.append((row.status, lanes.at_work(row.region, lane, row.job)))
        return send()

    wire(act)
    closed = desk.one("* on Binance_F close all")
    assert seen == [("working", True)]
    assert (closed["status"], closed["error"], open_there(desk)) == ("filled", None, [])


# -- beside other messages -----------------------------------------------------------------------------------


def queued(desk, text):
    """A job with its place in its lane, as if it had been taken in just now."""
    desk.count += 1
    delivery = f"d_test{desk.user.pk}_{desk.count}"
    with transaction.atomic():
        prepared = dispatch.prepare(desk.user, parse(text), Intake(delivery, "close", desk.now_ms()))
    (job,) = prepared.jobs
    return replace(job, ticket=lanes.next_ticket(job.region, job.lane, job.id))


def in_thread(job):
    def work():
        try:
            place.run(job.dump())
        finally:
            connection.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def ended(job):
    return Order.objects.get(job=job.id)


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_came_before_is_closed_with_the_others(make_desk):
    """It is still in its queue when the kill switch begins."""
    desk = make_desk(families=("binance",))
    entry = queued(desk, "BTCUSDT on Binance_F market long 0.01")
    everything = queued(desk, "* on Binance_F close")
    waiting = in_thread(everything)
    wait_for("it to be claimed", lambda: claims.look(everything.region, everything.id) is claims.Claim.ALIVE)
    place.run(entry.dump())
    waiting.join(30)
    assert (ended(entry).status, ended(everything).status) == ("filled", "filled")
    assert open_there(desk) == []


@pytest.mark.django_db(transaction=True)
def test_beside_a_message_that_hangs_it_closes_what_it_sees_and_says_so(make_desk, monkeypatch):
    monkeypatch.setattr(lanes, "CROWD_SECONDS", 0.0)
    desk = make_desk(families=("binance",))
    desk.one("ETHUSDT on Binance_F market short 0.5")
    hangs = queued(desk, "BTCUSDT on Binance_F market long 0.01")
    everything = queued(desk, "* on Binance_F close")
    place.run(everything.dump())
    row = ended(everything)
    assert row.error is not None
    assert (row.status, row.error["code"], open_there(desk)) == ("partially_filled", "LEFT_OPEN", [])
    assert "still at work" in row.error["message"]
    place.run(hangs.dump())
    assert open_there(desk) == ["BTCUSDT"]


# -- spot ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("venue", "family"), SPOT)
def test_on_spot_it_sells_what_brackets_guard_and_nothing_of_its_owners(make_desk, venue, family):
    desk = make_desk(families=(family,), balances={"USDT": "10000", "BTC": "1"})
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2%")
    desk.one(f"BTCUSDT on {venue} limit sell 0.2 @ 90000")
    closed = desk.one(f"* on {venue} close all")
    assert (closed["status"], closed["error"]) == ("filled", None)
    assert D("0.0099") < D(closed["filled"]) <= D("0.01")
    (left,) = desk.open_orders(venue, family)
    assert (left["type"], D(left["quantity"])) == ("limit", D("0.2"))
    desk.supervise(2)
    assert desk.bracket().status == BracketState.DONE
    assert len(desk.open_orders(venue, family)) == 1
    assert desk.one(f"* on {venue} close all")["status"] == "nothing_to_do"


def test_on_spot_without_anything_bought_there_is_nothing_to_do(make_desk):
    desk = make_desk(families=("binance",), balances={"USDT": "10000", "BTC": "1"})
    assert desk.one("* on Binance close")["status"] == "nothing_to_do"
