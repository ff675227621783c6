"""Who is asked about orders whose end is not known: nobody waits for an exchange that is not theirs."""

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import redis
from django.db import connection, transaction
from django.utils import timezone

from accounts import vault
from exchanges.caller import Caller
from exchanges.limits import Priority, pressed
from exchanges.registry import venue_class
from exchanges.sparing import NotYet
from exchanges.symbols import InstrumentTable
from exchanges.types import OrderRef, OrderRequest, OrderType, Side
from execution import (
    book,
    bulkhead,
    claims,
    dispatch,
    endings,
    inquiry,
    lanes,
    leases,
    reconcile,
    supervise,
    tasks,
    turns,
)
from execution.brokers import region_redis
from execution.dispatch import Intake
from execution.models import Bracket, BracketState, Order, OrderState
from tests.execution.conftest import keeps_claims
from webhooks.syntax import parse

pytestmark = pytest.mark.django_db(transaction=True)


def unknown(desk, venue, count=1, text="market long 0.01"):
    """Orders that no exchange ever got; long enough ago to say so."""
    tokens = []
    for _ in range(count):
        desk.count += 1
        message = parse(f"BTCUSDT on {venue} {text}")
        with transaction.atomic():
            intake = Intake(f"d_{desk.user.pk}_{desk.count}", "close", desk.now_ms())
            prepared = dispatch.prepare(desk.user, message, intake)
        tokens += [step.token for job in prepared.jobs for step in job.steps]
    rows = Order.objects.filter(token__in=tokens)
    rows.update(status=OrderState.UNKNOWN, created_at=timezone.now() - timedelta(minutes=2))
    return rows


def pair(desk, family, venue):
    return desk.accounts[family].public_id, venue


@pytest.fixture
def two_exchanges(make_desk, settings):
    settings.EXCHANGE_REGIONS = {"binance": "tokyo", "bybit": "tokyo"}
    return make_desk(families=("binance", "bybit"))


def test_each_account_and_venue_is_a_task_of_its_own(two_exchanges):
    unknown(two_exchanges, "Binance_F", 2)
    unknown(two_exchanges, "ByBit_F")
    assert sorted(reconcile.due("tokyo")) == sorted(
        [pair(two_exchanges, "binance", "Binance_F"), pair(two_exchanges, "bybit", "ByBit_F")]
    )


def test_many_orders_of_one_venue_do_not_crowd_out_those_of_another(two_exchanges, monkeypatch):
    monkeypatch.setattr(reconcile, "BATCH", 2)
    unknown(two_exchanges, "Binance_F", 5)
    unknown(two_exchanges, "ByBit_F")
    assert pair(two_exchanges, "bybit", "ByBit_F") in reconcile.due("tokyo")


def test_an_exchange_that_hangs_holds_up_nobody_else(two_exchanges):
    """Every thread that may wait for Binance does, in real requests, until ByBit's order has its end."""
    desk = two_exchanges
    slow, quick = unknown(desk, "Binance_F"), unknown(desk, "ByBit_F")
    for name in ("Binance_F", "ByBit_F"):  # what a worker that runs has read long ago
        supervise.open_desk(desk.accounts[name.split("_")[0].lower()], name)
    desk.sandbox.fault("delay", venue="Binance_F", delay_ms=4000, path="GET ")
    waiting = threading.Thread(
        target=in_thread, args=("tokyo", *pair(desk, "binance", "Binance_F")), daemon=True
    )
    waiting.start()
    tasks.reconcile_account("tokyo", *pair(desk, "bybit", "ByBit_F"))
    assert waiting.is_alive()
    assert quick.get().status == OrderState.NOT_SENT
    assert slow.get().status == OrderState.UNKNOWN
    desk.sandbox.no_faults()
    waiting.join(30)
    assert slow.get().status == OrderState.NOT_SENT


def in_thread(region, account, venue):
    try:
        tasks.reconcile_account(region, account, venue)
    finally:
        connection.close()


def test_threads_that_wait_for_one_exchange_leave_those_of_another(two_exchanges, settings):
    settings.WORKER_THREADS = 2
    bulkhead.exchanges.cache_clear()
    quick, left = unknown(two_exchanges, "ByBit_F"), unknown(two_exchanges, "Binance_F")
    with bulkhead.look("Binance_F") as held:
        assert held
        tasks.reconcile_account("tokyo", *pair(two_exchanges, "binance", "Binance_F"))
        tasks.reconcile_account("tokyo", *pair(two_exchanges, "bybit", "ByBit_F"))
    bulkhead.exchanges.cache_clear()
    assert quick.get().status == OrderState.NOT_SENT
    assert left.get().status == OrderState.UNKNOWN, "its next round comes by itself"


def test_two_never_ask_for_one_account_at_once(two_exchanges):
    rows = unknown(two_exchanges, "ByBit_F")
    account, venue = pair(two_exchanges, "bybit", "ByBit_F")
    claims.heart("tokyo").beat()  # Redis was emptied since the last one
    with leases.lease("tokyo", f"reconciling:{account}:{venue}") as held:
        assert held
        reconcile.look_into("tokyo", account, venue)
        assert rows.get().status == OrderState.UNKNOWN
    reconcile.look_into("tokyo", account, venue)
    assert rows.get().status == OrderState.NOT_SENT


def test_an_account_with_many_orders_goes_on_in_the_next_round(two_exchanges):
    rows = unknown(two_exchanges, "ByBit_F", 3)
    ticks = iter([0.0, 1.0, reconcile.LOOK_SECONDS + 1, reconcile.LOOK_SECONDS + 2])
    account, venue = pair(two_exchanges, "bybit", "ByBit_F")
    reconcile.look_into("tokyo", account, venue, clock=ticks.__next__)
    assert sorted(rows.values_list("status", flat=True)) == ["not_sent", "unknown", "unknown"]


@pytest.mark.parametrize(
    ("venue", "family", "asked"),
    [("Kraken", "kraken", ["OpenOrders", "ClosedOrders"]), ("Kraken_F", "kraken_futures", ["orders"])],
)
def test_where_questions_are_few_one_list_tells_of_all_orders(make_desk, monkeypatch, venue, family, asked):
    desk = make_desk(families=(family,))
    rows, calls, call = unknown(desk, venue, 5), [], Caller.call

    def counted(self, each, keys=None):
        calls.append(each)
        return call(self, each, keys)

    monkeypatch.setattr(Caller, "call", counted)
    reconcile.look_into("eu", *pair(desk, family, venue))
    assert {row.status for row in rows} == {OrderState.NOT_SENT}
    few = [each for each in calls if {"rest", "history"} & each.costs.keys()]
    assert [each.path.rsplit("/", 1)[-1] for each in few] == asked


def test_an_order_whose_account_was_deleted_is_told_once_and_asked_for_by_nobody(two_exchanges):
    rows = unknown(two_exchanges, "ByBit_F")
    rows.update(account=None, status=OrderState.WORKING)
    region_redis("tokyo").set(f"claim:{rows.get().job}", "a worker that died")
    for _ in range(2):
        assert reconcile.due("tokyo") == []
    order = rows.get()
    assert (order.status, order.error["code"] if order.error else "") == ("unknown", "OUTCOME_UNKNOWN")
    assert order.transitions.count() == 1


def test_a_job_that_nobody_took_gives_its_lane_free_when_it_is_called_off(two_exchanges):
    (row,) = unknown(two_exchanges, "Binance_F")
    past = timezone.now() - timedelta(minutes=1)
    Order.objects.filter(pk=row.pk).update(status=OrderState.WORKING, fresh_until=past)
    lane = lanes.lane_of(row.account.public_id, row.venue, row.symbol)
    lanes.next_ticket("tokyo", lane, row.job)
    keeps_claims("tokyo")
    reconcile.due("tokyo")
    row.refresh_from_db()
    assert (row.status, region_redis("tokyo").zcard(lane)) == (OrderState.EXPIRED, 0)


# -- claims that Redis lost --------------------------------------------------------------------------------------


def flushed(server):
    server.flushdb()


def started_again(server):
    """Its host broke down: the last second of what it had written was not on the disk yet."""
    server.delete(*server.scan_iter("claim:*"), *server.scan_iter("outcome:*"), *server.scan_iter("worker:*"))
    _, _, since = str(server.get("kept:tokyo")).partition("|")
    server.set("kept:tokyo", f"0123456789abcdef 0|{since}")


@pytest.mark.parametrize(
    "other", ["0123456789abcdef {evicted}", "{run} 999"], ids=["started again", "ran out of room"]
)
def test_a_redis_that_may_have_lost_claims_keeps_none_for_sure(redis_server, other):
    server = region_redis("tokyo")
    keeps_claims("tokyo")
    assert claims.kept_since("tokyo", timezone.now())
    start, _, since = str(server.get("kept:tokyo")).partition("|")
    run, evicted = start.split()
    server.set("kept:tokyo", f"{other.format(run=run, evicted=evicted)}|{since}")
    assert not claims.kept_since("tokyo", timezone.now())


def test_a_redis_that_does_not_tell_of_its_start_keeps_none_for_sure(redis_server, monkeypatch):
    def refused(*_):
        raise redis.ResponseError("NOPERM")

    monkeypatch.setattr(redis.Redis, "info", refused)
    assert [claims.kept_since("tokyo", timezone.now()) for _ in range(2)] == [False, False]


@pytest.mark.parametrize("lost", [flushed, started_again])
def test_an_order_whose_claim_redis_lost_is_looked_for_at_the_exchange(two_exchanges, lost):
    """It had filled: told as expired, it stood there without its stop."""
    desk = two_exchanges
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    keeps_claims("tokyo")
    lost(region_redis("tokyo"))
    row = cut_off(desk)
    sweep("tokyo")
    row.refresh_from_db()
    assert (row.status, row.filled) == (OrderState.FILLED, Decimal("0.01"))
    assert row.bracket.status == BracketState.ARMED
    assert [each["type"] for each in desk.open_orders("Binance_F", "binance")] == ["stop"]


def test_every_round_sees_whether_redis_has_lost_claims(two_exchanges):
    """Nothing was in question when Redis was emptied, and nothing was watched before the first round."""
    assert not claims.kept_since("tokyo", timezone.now())
    region_redis("tokyo").flushdb()
    began = timezone.now()
    reconcile.due("tokyo")
    assert claims.kept_since("tokyo", timezone.now())
    assert not claims.kept_since("tokyo", began)


def test_what_redis_may_have_lost_and_the_exchange_does_not_know_was_not_sent(two_exchanges):
    (row,) = unknown(two_exchanges, "Binance_F")
    past = timezone.now() - timedelta(minutes=1)
    Order.objects.filter(pk=row.pk).update(status=OrderState.WORKING, fresh_until=past)
    sweep("tokyo")
    row.refresh_from_db()
    assert row.status == OrderState.NOT_SENT


def test_no_exchange_is_asked_about_what_certainly_nobody_took(two_exchanges):
    """Each of the steps of one job: the first of them called it off."""
    desk = two_exchanges
    message = parse("BTCUSDT on Binance_F cancel all; market long 0.01")
    with transaction.atomic():
        dispatch.prepare(desk.user, message, Intake("d_waiting", "close", desk.now_ms() - 60_000))
    Order.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    keeps_claims("tokyo")
    before = len(desk.state("Binance_F", "binance")["calls"])
    sweep("tokyo")
    assert [row.status for row in Order.objects.filter(delivery="d_waiting")] == ["expired", "expired"]
    assert len(desk.state("Binance_F", "binance")["calls"]) == before


def test_a_claim_that_ended_by_itself_is_not_taken_for_one_that_never_was(two_exchanges):
    """Nobody reconciled for a day."""
    desk = two_exchanges
    desk.one("BTCUSDT on Binance_F market long 0.01")
    keeps_claims("tokyo", seconds=10 * claims.KEEP_SECONDS)
    region_redis("tokyo").delete(*region_redis("tokyo").scan_iter("claim:*"))
    row = cut_off(desk, seconds=2 * claims.KEEP_SECONDS)
    sweep("tokyo")
    row.refresh_from_db()
    assert row.status == OrderState.FILLED


def cut_off(desk, seconds=60):
    """Its worker wrote nothing into history."""
    rows = Order.objects.filter(user=desk.user)
    past = timezone.now() - timedelta(seconds=seconds)
    rows.update(status=OrderState.WORKING, filled=None, bracket=None, created_at=past, fresh_until=past)
    Bracket.objects.filter(user=desk.user).delete()
    return rows.get()


def sweep(region):
    for account, venue in reconcile.due(region):
        reconcile.look_into(region, account, venue)


# -- in the lane of the symbol -----------------------------------------------------------------------------------


def lane_of(row):
    return lanes.lane_of(row.account.public_id, row.venue, row.symbol)


def test_what_an_order_filled_is_not_protected_while_a_command_is_at_work_there(two_exchanges, monkeypatch):
    """A close that ran at that moment left a stop behind, for the next position."""
    desk = two_exchanges
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    row = cut_off(desk)
    monkeypatch.setattr(endings, "LANE_SECONDS", 0.1)
    ticket = lanes.next_ticket("tokyo", lane_of(row), "a close")
    with lanes.turn("tokyo", lane_of(row), "a close", ticket, 5.0):
        sweep("tokyo")
        row.refresh_from_db()
        assert (row.status, row.bracket) == (OrderState.WORKING, None)
    sweep("tokyo")
    row.refresh_from_db()
    assert (row.status, row.bracket.status) == (OrderState.FILLED, BracketState.ARMED)


def test_what_is_asked_to_protect_a_fill_goes_before_everything_else(make_desk, monkeypatch):
    """On Kraken a key regains half a request a second: the order was found again and again, and there was never anything
    left of the limit to find out which of its legs stood."""
    desk = make_desk(families=("kraken",), balances={"USDT": "10000"})
    desk.one("BTCUSDT on Kraken market long 0.01 sl off 2%")
    stop = desk.bracket().legs[0]["client_id"]
    row, asked, call = cut_off(desk), [], Caller.call

    def noted(self, each, keys=None):
        if keys:
            asked.append((pressed(each.priority), each.path.rsplit("/", 1)[-1]))
        return call(self, each, keys)

    monkeypatch.setattr(Caller, "call", noted)
    sweep("eu")
    row.refresh_from_db()
    assert [leg["client_id"] for leg in row.bracket.legs] == [stop]
    priorities = [priority for priority, _ in asked]
    assert priorities == sorted(priorities, reverse=True)  # the order, and then what it needs
    assert set(priorities) == {Priority.ENTRY, Priority.PROTECT}


def test_the_place_of_a_dead_worker_is_used_to_end_its_order(two_exchanges, monkeypatch):
    """Those behind it wait for it: it must not wait behind them."""
    desk = two_exchanges
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    row = cut_off(desk)
    monkeypatch.setattr(endings, "LANE_SECONDS", 0.1)
    region_redis("tokyo").set(claims.key(row.job), "a worker that died")
    lanes.next_ticket("tokyo", lane_of(row), row.job, at_ms=1)
    lanes.next_ticket("tokyo", lane_of(row), "a close", at_ms=2)
    sweep("tokyo")
    row.refresh_from_db()
    assert row.status == OrderState.FILLED
    assert region_redis("tokyo").zrange(lane_of(row), 0, -1) == ["a close"]


def test_no_stop_is_placed_for_what_was_closed_before_anybody_looked(two_exchanges):
    desk = two_exchanges
    told = desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    close_by_hand(desk, told)
    row = cut_off(desk)
    sweep("tokyo")
    row.refresh_from_db()
    assert (row.status, desk.open_orders("Binance_F", "binance")) == (OrderState.FILLED, [])
    desk.supervise(2)
    assert (desk.bracket().status, desk.open_orders("Binance_F", "binance")) == (BracketState.DONE, [])


def test_a_position_that_only_was_not_told_yet_is_protected_by_the_next_look(two_exchanges):
    """One look that does not find it is no proof."""
    desk = two_exchanges
    told = desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    close_by_hand(desk, told)
    cut_off(desk)
    sweep("tokyo")
    desk.one("BTCUSDT on Binance_F market long 0.01")
    desk.supervise(2)
    assert [each["type"] for each in desk.open_orders("Binance_F", "binance")] == ["stop"]


def test_of_a_young_order_the_position_may_not_be_told_yet(two_exchanges):
    """Two looks in a row that come before it is told would leave it without its stop for good."""
    desk = two_exchanges
    told = desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    close_by_hand(desk, told)
    row = cut_off(desk)
    Order.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(seconds=2))
    sweep("tokyo")
    assert [each["type"] for each in desk.open_orders("Binance_F", "binance")] == ["stop"]
    desk.supervise(3)
    assert (desk.bracket().status, desk.open_orders("Binance_F", "binance")) == (BracketState.DONE, [])


def close_by_hand(desk, told):
    there = supervise.open_desk(desk.accounts["binance"], "Binance_F")
    instrument, stop = there.instrument("BTCUSDT"), told["protection"]["stop"]
    there.venue.cancel(
        there.keys, instrument, OrderRef(stop["client_id"], stop["exchange_id"], conditional=True)
    )
    sale = OrderRequest(
        instrument=instrument,
        client_id=there.venue.client_id("0" * 26),
        side=Side.SELL,
        type=OrderType.MARKET,
        quantity=Decimal("0.01"),
        reduce_only=True,
    )
    there.venue.place(there.keys, sale)


# -- orders that nobody can resolve --------------------------------------------------------------------------


def aged(rows, **ago):
    """Unresolved since then, and asked for a moment ago."""
    return rows.update(created_at=timezone.now() - timedelta(**ago))


def looked_at(rows, lookups, **ago):
    return rows.update(lookups=lookups, updated_at=timezone.now() - timedelta(**ago))


@pytest.mark.parametrize(
    ("age", "lookups", "rested", "asked"),
    [
        ({"seconds": 30}, 1, {"seconds": 1}, False),
        ({"seconds": 30}, 1, {"seconds": 3}, True),
        ({"seconds": 30}, 30, {"seconds": 3}, False),
        ({"seconds": 30}, 30, {"seconds": 5}, True),
        ({"minutes": 10}, 4, {"seconds": 15}, False),
        ({"minutes": 10}, 4, {"seconds": 17}, True),
        ({"minutes": 10}, 32_000, {"seconds": 50}, False),
        ({"minutes": 10}, 32_000, {"seconds": 61}, True),
        ({"hours": 2}, 30, {"minutes": 14}, False),
        ({"hours": 2}, 30, {"minutes": 16}, True),
        ({"hours": 2}, 0, {"seconds": 0}, True),
    ],
)
def test_the_pause_before_the_next_look_grows(two_exchanges, age, lookups, rested, asked):
    rows = unknown(two_exchanges, "ByBit_F")
    aged(rows, **age)
    looked_at(rows, lookups, **rested)
    assert reconcile.due("tokyo") == ([pair(two_exchanges, "bybit", "ByBit_F")] if asked else [])


def test_accounts_whose_orders_nobody_can_resolve_leave_a_turn_to_the_others(
    make_desk, settings, monkeypatch
):
    settings.EXCHANGE_REGIONS = {"bybit": "tokyo"}
    monkeypatch.setattr(reconcile, "BATCH", 2)
    desks = [make_desk(families=("bybit",)) for _ in range(3)]
    for desk in desks[:2]:
        aged(unknown(desk, "ByBit_F", 3), hours=2)
    aged(unknown(desks[2], "ByBit_F"), minutes=10)
    first = [pair(desk, "bybit", "ByBit_F") for desk in desks[:2]]
    assert reconcile.due("tokyo") == first
    monkeypatch.setattr(book.pool(), "connection", gone)
    for account, venue in first:
        reconcile.look_into("tokyo", account, venue)
    assert reconcile.due("tokyo")[0] == pair(desks[2], "bybit", "ByBit_F")


def gone(*_):
    raise KeyError("an exchange that is not installed any more")


def test_an_account_with_many_old_orders_is_asked_for_the_young_one_first(two_exchanges, monkeypatch):
    monkeypatch.setattr(reconcile, "BATCH", 2)
    old = unknown(two_exchanges, "ByBit_F", 3)
    aged(old, minutes=20)
    looked_at(old, 8, minutes=9)
    young = unknown(two_exchanges, "ByBit_F")
    aged(young, seconds=61)
    reconcile.look_into("tokyo", *pair(two_exchanges, "bybit", "ByBit_F"))
    assert young.get().status == OrderState.NOT_SENT


def test_of_the_jobs_that_were_begun_each_account_has_its_share(make_desk, settings, monkeypatch):
    settings.EXCHANGE_REGIONS = {"bybit": "tokyo"}
    monkeypatch.setattr(reconcile, "BATCH", 2)
    busy, other = make_desk(families=("bybit",)), make_desk(families=("bybit",))
    late = timezone.now() + timedelta(minutes=1)
    unknown(busy, "ByBit_F", 3).update(status=OrderState.WORKING, fresh_until=late)
    rows = unknown(other, "ByBit_F")
    rows.update(status=OrderState.WORKING, fresh_until=late)
    region_redis("tokyo").set(f"claim:{rows.get().job}", "a worker that died")
    assert reconcile.due("tokyo") == [pair(other, "bybit", "ByBit_F")]


@pytest.mark.parametrize("mistake", [KeyError, OverflowError, vault.VaultError])
def test_whatever_goes_wrong_about_one_order_is_looked_at_later(two_exchanges, monkeypatch, mistake):
    first, second = unknown(two_exchanges, "ByBit_F"), unknown(two_exchanges, "ByBit_F")
    aged(first, minutes=3)
    asked = supervise.open_desk

    def stumbles(account, venue):
        monkeypatch.setattr(inquiry, "open_desk", asked)
        raise mistake

    monkeypatch.setattr(inquiry, "open_desk", stumbles)
    reconcile.look_into("tokyo", *pair(two_exchanges, "bybit", "ByBit_F"))
    statuses = sorted(each.get().status for each in (first, second))
    assert statuses == [OrderState.NOT_SENT, OrderState.UNKNOWN]
    assert sorted(each.get().lookups for each in (first, second)) == [0, 1]


def test_a_message_that_cannot_be_read_holds_up_no_other(two_exchanges):
    broken, good = unknown(two_exchanges, "ByBit_F"), unknown(two_exchanges, "ByBit_F")
    broken.update(step={"step": "nonsense"})
    reconcile.look_into("tokyo", *pair(two_exchanges, "bybit", "ByBit_F"))
    assert (broken.get().status, broken.get().lookups) == (OrderState.UNKNOWN, 1)
    assert good.get().status == OrderState.NOT_SENT


def test_looks_are_counted_no_further_than_it_matters(two_exchanges):
    rows = unknown(two_exchanges, "ByBit_F")
    rows.update(step={"step": "nonsense"})
    looked_at(rows, 32_767, minutes=20)
    reconcile.look_into("tokyo", *pair(two_exchanges, "bybit", "ByBit_F"))
    assert rows.get().lookups == endings.MOST_LOOKUPS


def test_what_nobody_could_find_out_is_left_to_people_once(two_exchanges, caplog):
    rows = unknown(two_exchanges, "ByBit_F")
    rows.update(step={"step": "nonsense"}, status=OrderState.WORKING, lookups=9)
    row = rows.get()
    before = turns.HAND_OVER - timedelta(minutes=1)
    rows.update(created_at=timezone.now() - turns.HAND_OVER, updated_at=row.created_at + before)
    rows.update(updated_at=rows.get().created_at + before)
    region_redis("tokyo").set(f"claim:{row.job}", "a worker that died")
    for _ in range(2):
        endings.later(rows.get())
    assert caplog.text.count("is left to its user") == 1
    assert rows.get().status == OrderState.UNKNOWN
    assert "could not find out" in rows.get().error["message"]
    assert reconcile.due("tokyo") == [], "it is asked for seldom"


def test_a_venue_that_is_not_there_any_more_holds_up_no_other(two_exchanges):
    lost, good = unknown(two_exchanges, "Binance_F"), unknown(two_exchanges, "ByBit_F")
    lost.update(venue="Nowhere_F")
    for account, venue in reconcile.due("tokyo"):
        reconcile.look_into("tokyo", account, venue)
    assert (lost.get().lookups, good.get().status) == (1, OrderState.NOT_SENT)


def test_a_resting_order_whose_end_was_known_is_not_asked_for_for_ever(two_exchanges):
    desk = two_exchanges
    desk.one("BTCUSDT on ByBit_F market long 0.01")
    rows = Order.objects.filter(user=desk.user)
    rows.update(resting=True, status=OrderState.CANCELLED, updated_at=timezone.now() - timedelta(minutes=1))
    reconcile.look_into("tokyo", *pair(desk, "bybit", "ByBit_F"))
    assert not rows.get().resting


# -- markets that are not there, or closed -----------------------------------------------------------------------


@pytest.mark.parametrize("text", ["market long 0.01", "sl off 1%"])
def test_what_a_venue_does_not_list_was_not_sent(two_exchanges, text):
    """Its worker died before it had written the refusal down: it was looked for again and again."""
    rows = unknown(two_exchanges, "ByBit_F", text=text)
    rows.update(symbol="NOSUCHUSDT")
    aged(rows, seconds=30)
    reconcile.look_into("tokyo", *pair(two_exchanges, "bybit", "ByBit_F"))
    assert (rows.get().status, rows.get().lookups) == (OrderState.UNKNOWN, 1)
    aged(rows, minutes=2)
    looked_at(rows, 1, minutes=1)
    reconcile.look_into("tokyo", *pair(two_exchanges, "bybit", "ByBit_F"))
    row = rows.get()
    assert (row.status, row.error["code"]) == (OrderState.NOT_SENT, "UNKNOWN_SYMBOL")
    assert row.error["message"] == '"NOSUCHUSDT" is not traded on ByBit_F: nothing was sent'


@pytest.mark.parametrize("known", ["exchange_id", "instrument"])
def test_what_a_venue_may_have_listed_before_is_looked_for_on(two_exchanges, known):
    rows, earlier = unknown(two_exchanges, "ByBit_F"), unknown(two_exchanges, "ByBit_F")
    earlier.update(status=OrderState.FILLED)
    (rows | earlier).update(symbol="NOSUCHUSDT")
    (rows if known == "exchange_id" else earlier).update(**{known: "NOSUCHUSDT"})
    reconcile.look_into("tokyo", *pair(two_exchanges, "bybit", "ByBit_F"))
    assert (rows.get().status, rows.get().lookups) == (OrderState.UNKNOWN, 1)


@pytest.fixture
def trading_stops(two_exchanges, monkeypatch):
    def stop():
        there = supervise.open_desk(two_exchanges.accounts["binance"], "Binance_F").connection
        paused = [replace(each, active=False) for each in there.table.instruments]
        monkeypatch.setattr(there, "_table", InstrumentTable(paused))

    return stop


def test_an_order_is_looked_for_where_trading_has_stopped(two_exchanges, trading_stops):
    two_exchanges.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    row = cut_off(two_exchanges)
    trading_stops()
    sweep("tokyo")
    row.refresh_from_db()
    assert (row.status, row.bracket.status) == (OrderState.FILLED, BracketState.ARMED)


@pytest.mark.parametrize("rests", [False, True])
def test_a_question_that_has_to_wait_for_its_pause_is_told_once(two_exchanges, monkeypatch, caplog, rests):
    desk = two_exchanges
    desk.one("BTCUSDT on Binance_F limit long 0.01 at 49000")
    rows, again = Order.objects.filter(user=desk.user), iter((False, True, True))
    if not rests:
        rows.update(status=OrderState.UNKNOWN, resting=False, lookups=1)

    def waits(*_asked):
        raise NotYet(again=next(again))

    monkeypatch.setattr(venue_class("Binance_F"), "fetch", waits)
    for _ in range(3):
        long_ago = timezone.now() - timedelta(minutes=1)
        rows.update(created_at=long_ago, updated_at=long_ago)
        sweep("tokyo")
    assert caplog.text.count("spare no question yet") == 1
    assert next(again, None) is None


@pytest.fixture
def unlisted(two_exchanges):
    """BTCUSDT is taken off the list, and BTCUSDC is the nearest to it; called again, it is back."""
    connection = supervise.open_desk(two_exchanges.accounts["binance"], "Binance_F").connection
    every = connection.table
    less = InstrumentTable([each for each in every.instruments if each.symbol != "BTCUSDT"])

    def change():
        connection._table = every if connection._table is less else less

    return change


def test_an_order_is_looked_for_on_no_other_market_than_its_own(two_exchanges, unlisted):
    """It had filled on BTCUSDT, and BTCUSDC does not know it."""
    two_exchanges.one("BTCUSDT on Binance_F market long 0.01")
    long_ago = timezone.now() - timedelta(minutes=2)
    rows = Order.objects.filter(user=two_exchanges.user)
    rows.update(status=OrderState.UNKNOWN, exchange_id="", created_at=long_ago, updated_at=long_ago)
    unlisted()
    sweep("tokyo")
    assert rows.get().status == OrderState.UNKNOWN
    unlisted()
    rows.update(updated_at=long_ago)
    sweep("tokyo")
    assert rows.get().status == OrderState.FILLED


def test_a_resting_order_whose_market_is_not_listed_is_told_once_and_followed_when_it_is_back(
    two_exchanges, unlisted, caplog
):
    desk = two_exchanges
    desk.one("BTCUSDT on Binance_F limit long 0.01 at 49000")
    desk.sandbox.price("BTC/USDT", "48990")
    rows = Order.objects.filter(user=desk.user)
    unlisted()
    for minutes in (1, 14):
        rows.update(updated_at=timezone.now() - timedelta(minutes=minutes))
        sweep("tokyo")
        assert (rows.get().status, (rows.get().error or {}).get("code")) == (
            OrderState.OPEN,
            "MARKET_UNLISTED",
        )
    assert reconcile.due("tokyo") == []
    assert caplog.text.count("does not list BTCUSDT any more") == 1
    unlisted()
    rows.update(updated_at=timezone.now() - timedelta(minutes=16))
    sweep("tokyo")
    assert (rows.get().status, rows.get().error) == (OrderState.FILLED, None)


def test_a_resting_order_is_followed_where_trading_has_stopped(two_exchanges, trading_stops):
    desk = two_exchanges
    desk.one("BTCUSDT on Binance_F limit long 0.01 at 49000")
    desk.sandbox.price("BTC/USDT", "48990")
    rows = Order.objects.filter(user=desk.user)
    rows.update(updated_at=timezone.now() - timedelta(minutes=1))
    trading_stops()
    sweep("tokyo")
    assert rows.get().status == OrderState.FILLED
