"""A worker is killed at every step of the order path: what it left is found, ended and protected by others."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from execution import claims, dispatch, reconcile
from execution.brokers import region_redis
from execution.dispatch import Intake
from execution.models import BracketState, Order, OrderState
from tests.exchanges.conftest import ROOT
from tests.execution.conftest import keeps_claims
from webhooks.syntax import parse

pytestmark = pytest.mark.django_db(transaction=True)

STAGES = [
    "claimed",
    "before the order is sent",
    "sent",
    "when the order has left",
    "acknowledged",
    "filled",
    "between stop and target",
    "protected",
    "before the answer",
    "before history",
]
NEVER_LEFT = {"claimed", "before the order is sent", "sent"}
#: processes that run jobs and die of it, one for each region
started = dict[str, Any]()


@pytest.fixture(scope="module", autouse=True)
def workers():
    yield
    for process in started.values():
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()
    started.clear()


def run_and_die(desk, text, stage):
    delivery = f"d_killed{desk.user.pk}"
    with transaction.atomic():
        prepared = dispatch.prepare(desk.user, parse(text), Intake(delivery, "close", desk.now_ms()))
    (job,) = prepared.jobs
    process = _worker(job.region)
    process.stdin.write(json.dumps([stage, job.dump()]) + "\n")
    process.stdin.flush()
    assert int(process.stdout.readline()) == -signal.SIGKILL, f"it was not killed at {stage}"
    return delivery, job


def _worker(region):
    if region not in started:
        environment = os.environ | {
            "DATABASE_URL": _database_url(),
            "SANDBOX_URL": settings.SANDBOX_URL,
            "FLIPR_REGION": region,
        }
        started[region] = subprocess.Popen(
            [sys.executable, "-m", "tests.execution.die_at"],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    return started[region]


def _database_url():
    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    return f"{base}/{connection.settings_dict['NAME']}"


def forget_heartbeats(region):
    """As three seconds later."""
    server = region_redis(region)
    for key in server.scan_iter("worker:*"):
        server.delete(key)


def sweep(region):
    """As beat and the workers would."""
    for account, venue in reconcile.due(region):
        reconcile.look_into(region, account, venue)


def seconds_later(seconds):
    Order.objects.update(created_at=timezone.now() - timedelta(seconds=seconds), lookups=0)


def taken_over(delivery, job):
    """The order after others found its worker dead and looked into what it left."""
    forget_heartbeats(job.region)
    seconds_later(2)
    sweep(job.region)
    return Order.objects.get(delivery=delivery)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    ("venue", "family"), [("Binance_F", "binance"), ("ByBit_F", "bybit"), ("Kraken_F", "kraken_futures")]
)
def test_nothing_is_lost_doubled_or_left_bare(make_desk, stage, venue, family):
    desk = make_desk(families=(family,))
    delivery, job = run_and_die(desk, f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%", stage)
    forget_heartbeats(job.region)
    assert claims.look(job.region, job.id) is claims.Claim.DEAD
    seconds_later(2)
    sweep(job.region)
    if stage in NEVER_LEFT:
        assert (
            Order.objects.get(delivery=delivery).status == OrderState.WORKING
        )  # it might still be on its way
        seconds_later(90)
        sweep(job.region)
        assert Order.objects.get(delivery=delivery).status == OrderState.NOT_SENT
        assert desk.state(venue, family)["orders"] == []
        return
    order = Order.objects.get(delivery=delivery)
    assert (order.status, order.filled) == (OrderState.FILLED, D("0.01"))
    assert order.bracket is not None
    assert order.bracket.status == BracketState.ARMED
    (position,) = desk.state(venue, family)["positions"]
    assert D(position["quantity"]) == D("0.01")
    standing = desk.open_orders(venue, family)
    assert sorted(each["type"] for each in standing) == ["stop", "take_profit"]
    desk.sandbox.price("BTC/USDT", "48000")
    desk.supervise(3)
    assert desk.open_orders(venue, family) == []
    assert desk.state(venue, family)["positions"] == []


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("BTCUSDT on Binance_F close", OrderState.NOTHING_TO_DO),
        ("BTCUSDT on Binance_F market long 0.0000001", OrderState.REJECTED),
    ],
)
def test_what_the_caller_was_told_is_what_history_says(make_desk, text, status):
    """No order is behind it: the exchange could not tell, and a guess would contradict the answer."""
    desk = make_desk(families=("binance",))
    delivery, job = run_and_die(desk, text, "before history")
    assert taken_over(delivery, job).status == status


def test_a_job_nobody_took_is_called_off_and_never_runs(make_desk):
    from execution.place import run

    desk = make_desk(families=("binance",))
    with transaction.atomic():
        prepared = dispatch.prepare(
            desk.user,
            parse("BTCUSDT on Binance_F market long 0.01"),
            Intake("d_late", "close", desk.now_ms() - 60_000),
        )
    seconds_later(60)
    keeps_claims("tokyo")
    sweep("tokyo")
    assert Order.objects.get(delivery="d_late").status == OrderState.EXPIRED
    run(prepared.jobs[0].dump())
    assert desk.state("Binance_F", "binance")["orders"] == []


def test_every_change_of_state_is_kept(make_desk):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    desk.sandbox.price("BTC/USDT", "48000")
    desk.supervise(3)
    order = Order.objects.get(user=desk.user)
    assert order.bracket is not None
    assert [(each.before, each.after, each.by) for each in order.transitions.all()] == [
        ("working", "filled", "worker tokyo")
    ]
    assert [(each.before, each.after, each.by) for each in order.bracket.transitions.all()] == [
        ("armed", "done", "supervision")
    ]
    browser = Client()
    browser.force_login(desk.user)
    page = browser.get(reverse("execution:order", args=[order.token])).content.decode()
    assert "worker tokyo" in page
    assert "Stop filled at" in page


@pytest.mark.parametrize("stage", ["between stop and target", "before the answer", "before history"])
@pytest.mark.parametrize(("venue", "family"), [("Binance_F", "binance"), ("Kraken_F", "kraken_futures")])
def test_a_move_that_was_cut_short_is_finished_and_leaves_no_orphan(make_desk, stage, venue, family):
    desk = make_desk(families=(family,))
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2%")
    delivery, job = run_and_die(desk, f"BTCUSDT on {venue} sl off 1% tp off 3%", stage)
    order = taken_over(delivery, job)
    assert (order.status, order.error) == (OrderState.DONE, None)
    standing = desk.open_orders(venue, family)
    assert sorted(each["type"] for each in standing) == ["stop", "take_profit"]
    desk.supervise(3)
    assert len(desk.open_orders(venue, family)) == 2
    desk.sandbox.price("BTC/USDT", "48000")
    desk.supervise(4)
    assert desk.open_orders(venue, family) == []


def test_a_move_of_which_nothing_stands_is_to_be_sent_again(make_desk):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    delivery, job = run_and_die(desk, "BTCUSDT on Binance_F sl off 1%", "claimed")
    order = taken_over(delivery, job)
    assert order.error is not None
    assert (order.status, order.error["code"]) == (OrderState.NOT_SENT, "WORKER_DIED")
    assert len(desk.open_orders("Binance_F", "binance")) == 1


def test_a_cancellation_that_was_told_is_what_history_says(make_desk):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F limit long 0.01 at 40000")
    delivery, job = run_and_die(desk, "BTCUSDT on Binance_F cancel entries", "before history")
    assert taken_over(delivery, job).status == OrderState.CANCELLED


@pytest.mark.parametrize("stage", ["between stop and target", "before history"])
def test_the_stop_of_what_was_bought_stays_where_it_locks_the_coins(make_desk, stage):
    """What is free is next to nothing then: taken for all there is, it had the stop cancelled."""
    desk = make_desk(families=("bitmex",), balances={"USDT": "100000"})
    delivery, job = run_and_die(desk, "BTCUSDT on BitMEX market long 0.06 sl off 2%", stage)
    (stop,) = desk.open_orders("BitMEX", "bitmex")
    order = taken_over(delivery, job)
    assert order.bracket is not None
    assert (order.status, order.bracket.status) == (OrderState.FILLED, BracketState.ARMED)
    assert [each["id"] for each in desk.open_orders("BitMEX", "bitmex")] == [stop["id"]]
    assert D("0.059") < order.bracket.quantity < D("0.06")


@pytest.mark.parametrize(("venue", "family"), [("Binance_F", "binance"), ("Kraken", "kraken")])
def test_what_was_closed_for_want_of_a_stop_is_not_closed_again(make_desk, venue, family):
    """Beside it stands what was bought before."""
    desk = make_desk(families=(family,), balances={"USDT": "100000"})
    desk.one(f"BTCUSDT on {venue} market long 0.05")
    desk.sandbox.fault("reject_stop", venue=venue)
    delivery, job = run_and_die(desk, f"BTCUSDT on {venue} market long 0.02 sl off 2%", "before history")
    order = taken_over(delivery, job)
    assert order.bracket is not None
    assert (order.status, order.bracket.status) == (OrderState.FILLED, BracketState.DONE)
    state = desk.state(venue, family)
    held = sum(D(each["quantity"]) for each in state["positions"]) or D(state["balances"]["BTC"]["total"])
    assert held == D("0.05")


@pytest.mark.parametrize(
    ("venue", "family"), [("Binance_F", "binance"), ("ByBit_F", "bybit"), ("Kraken", "kraken")]
)
def test_a_stop_that_filled_before_anybody_took_over_is_not_placed_again(make_desk, venue, family):
    """Beside it stands what was bought before: a second stop would sell that."""
    desk = make_desk(families=(family,), balances={"USDT": "100000"})
    desk.one(f"BTCUSDT on {venue} market long 0.05")
    delivery, job = run_and_die(desk, f"BTCUSDT on {venue} market long 0.02 sl off 2%", "protected")
    desk.sandbox.price("BTC/USDT", "48000")
    taken_over(delivery, job)
    desk.supervise(3)
    order = Order.objects.get(delivery=delivery)
    assert order.bracket is not None
    assert (order.status, order.bracket.status) == (OrderState.FILLED, BracketState.DONE)
    state = desk.state(venue, family)
    held = sum(D(each["quantity"]) for each in state["positions"]) or D(state["balances"]["BTC"]["total"])
    assert held == D("0.05")
