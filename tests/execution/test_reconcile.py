"""Who is asked about orders whose end is not known: nobody waits for an exchange that is not theirs."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from execution import bulkhead, claims, dispatch, lanes, reconcile, supervise, tasks
from execution.brokers import region_redis
from execution.dispatch import Intake
from execution.models import Order, OrderState
from webhooks.syntax import parse

pytestmark = pytest.mark.django_db(transaction=True)


def unknown(desk, venue, count=1):
    """Orders that no exchange ever got; long enough ago to say so."""
    tokens = []
    for _ in range(count):
        desk.count += 1
        message = parse(f"BTCUSDT on {venue} market long 0.01")
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
    settings.WORKER_THREADS = 4
    bulkhead.rescues.cache_clear()
    quick, left = unknown(two_exchanges, "ByBit_F"), unknown(two_exchanges, "Binance_F")
    with bulkhead.rescues().taken("Binance_F") as held:
        assert held
        tasks.reconcile_account("tokyo", *pair(two_exchanges, "binance", "Binance_F"))
        tasks.reconcile_account("tokyo", *pair(two_exchanges, "bybit", "ByBit_F"))
    bulkhead.rescues.cache_clear()
    assert quick.get().status == OrderState.NOT_SENT
    assert left.get().status == OrderState.UNKNOWN, "its next round comes by itself"


def test_two_never_ask_for_one_account_at_once(two_exchanges):
    rows = unknown(two_exchanges, "ByBit_F")
    account, venue = pair(two_exchanges, "bybit", "ByBit_F")
    claims.heart("tokyo").beat()  # Redis was emptied since the last one
    with supervise.lease("tokyo", f"reconciling:{account}:{venue}") as held:
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
    reconcile.due("tokyo")
    row.refresh_from_db()
    assert (row.status, region_redis("tokyo").zcard(lane)) == (OrderState.EXPIRED, 0)
