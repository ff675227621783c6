"""What taking a message in costs the database."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import flows
from accounts.models import Account, Hook, User
from execution import dispatch
from execution.dispatch import Intake
from execution.models import Order, OrderState
from execution.transitions import RECONCILIATION, move_order
from tests.stack import wait_for
from tests.webhooks.conftest import ORDER, OTHER, Trader
from webhooks import accept, earlier, present
from webhooks.accept import Taken
from webhooks.intake import Call
from webhooks.models import Delivery
from webhooks.replies import Reply
from webhooks.syntax import parse


def call(trader: Trader, body: str, **options: Any) -> Call:
    own: dict[str, Any] = {
        "user_id": trader.user.public_id,
        "token": trader.token,
        "body": body.encode(),
        "query": QueryDict(),
        "prefer": "",
        "key": None,
        "source": "192.0.2.7",
        "content_type": "text/plain",
        "received_ms": 1_790_000_000_000.0,
        "started": 0.0,
    }
    return Call(**(own | options))


def statements(body: str, trader: Trader) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        accept.take(call(trader, body))
    return [each["sql"].split()[0] for each in captured]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # hook, accounts and repeats in one; orders and delivery in one
        (ORDER, ["SELECT", "WITH"]),
        # and the delivery of that id
        (f"id a {ORDER}", ["SELECT", "SELECT", "WITH"]),
        # and its lock, and its look
        (f"once 60s {ORDER}", ["SELECT", "BEGIN", "SELECT", "SELECT", "WITH", "COMMIT"]),
        ("nonsense", ["SELECT", "INSERT"]),
    ],
)
def test_statements_of_one_delivery(owner: Trader, body: str, expected: list[str]) -> None:
    assert statements(body, owner) == expected


def test_the_next_message_of_a_hook_costs_one_statement(owner: Trader) -> None:
    statements(ORDER, owner)

    assert statements(OTHER, owner) == ["WITH"]
    assert statements(f"id a {OTHER}", owner) == ["WITH"]


def test_more_commands_cost_no_more_statements(owner: Trader) -> None:
    statements(ORDER, owner)
    many = " ".join([ORDER] * 20)

    assert statements(many, owner) == ["WITH"]
    assert Order.objects.count() == 21


def test_the_largest_message_is_one_statement(owner: Trader) -> None:
    statements(ORDER, owner)
    symbols = ", ".join(f"X{number}USDT" for number in range(50))

    assert statements(f"{symbols} on Binance_F" + " cancel all" * 4, owner) == ["WITH"]
    assert Order.objects.count() == 201


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda each: Hook.objects.update(enabled=False), 403),
        (lambda each: Hook.objects.update(allowed_sources=["198.51.100.0/24"]), 403),
        (lambda each: User.objects.update(is_paused=True), 403),
        (lambda each: flows.rotate_hook_token(each.hook, grace=flows.NO_GRACE), 404),
        (lambda each: Hook.objects.all().delete(), 404),
        (lambda each: Account.objects.all().delete(), 422),
    ],
)
def test_what_was_changed_since_the_last_message_counts(owner: Trader, change: Any, status: int) -> None:
    statements(ORDER, owner)
    change(owner)

    reply = accept.take(call(owner, OTHER))

    assert isinstance(reply, Reply)
    assert reply.status == status
    assert Order.objects.filter(status="working").count() == 1


def test_a_key_that_was_replaced_since_the_last_message_is_the_one_used(owner: Trader) -> None:
    statements(ORDER, owner)
    Account.objects.update(sealed="key.the-new-one")

    taken = accept.take(call(owner, OTHER))

    assert isinstance(taken, Taken)
    assert [job.account.sealed for job in taken.prepared.jobs] == ["key.the-new-one"]


def test_a_hook_that_is_remembered_opens_to_its_own_user_only(owner: Trader, stranger: Trader) -> None:
    statements(ORDER, owner)

    reply = accept.take(call(owner, OTHER, user_id=stranger.user.public_id))

    assert isinstance(reply, Reply)
    assert reply.status == 404


def test_writing_down_the_use_of_a_hook_does_not_make_it_another(owner: Trader) -> None:
    statements(ORDER, owner)
    Hook.objects.update(last_used_at=timezone.now())

    assert statements(OTHER, owner) == ["WITH"]


def test_rows_stand_before_anything_is_queued(owner: Trader) -> None:
    taken = accept.take(call(owner, ORDER))

    assert isinstance(taken, Taken)
    assert taken.delivery.pk is not None
    [order] = Order.objects.all()
    assert (order.delivery, order.status) == (taken.delivery.public_id, "working")
    assert [job.id for job in taken.prepared.jobs] == [order.job]


@pytest.mark.usefixtures("queues_down")
def test_what_could_not_be_queued_has_an_end_that_its_history_tells(owner: Trader) -> None:
    taken = accept.take(call(owner, ORDER))
    assert isinstance(taken, Taken)
    with pytest.raises(dispatch.QueueDown):
        dispatch.publish(taken.prepared)
    order = Order.objects.get()
    assert (order.status, (order.error or {})["code"]) == ("not_sent", "QUEUE_DOWN")
    [end] = order.transitions.all()
    assert (end.before, end.after, end.by) == ("working", "not_sent", "the web tier")


@pytest.mark.usefixtures("queues_down")
def test_what_could_not_be_queued_is_not_seen_as_the_end_of_a_delivery_at_work(
    owner: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resend was told "not_sent" between the two, as the end, and another resend carried the message out."""
    taken = accept.take(call(owner, ORDER))
    assert isinstance(taken, Taken)
    seen = []

    def ended(pk: int) -> None:
        seen.append(ThreadPoolExecutor(1).submit(as_others_see_it).result(30))

    monkeypatch.setattr("webhooks.journal.unqueued", ended)
    with pytest.raises(dispatch.QueueDown):
        accept.queue(taken)
    assert seen == ["working"]
    assert Order.objects.get().status == "not_sent"


def as_others_see_it() -> str:
    try:
        return str(Order.objects.get().status)
    finally:
        connection.close()


@pytest.mark.usefixtures("queues_down")
def test_who_read_a_delivery_just_before_it_could_not_be_queued_is_told_to_send_it_again(
    owner: Trader,
) -> None:
    taken = accept.take(call(owner, ORDER))
    assert isinstance(taken, Taken)
    read_before = Delivery.objects.get()
    with pytest.raises(dispatch.QueueDown):
        accept.queue(taken)
    assert present.reply_for(read_before, "").status == 503


@pytest.mark.usefixtures("queues_down")
def test_a_resend_that_another_one_overtook_is_told_what_that_one_does(owner: Trader) -> None:
    taken = accept.take(call(owner, ORDER))
    assert isinstance(taken, Taken)
    with pytest.raises(dispatch.QueueDown):
        accept.queue(taken)
    claim, met = earlier.claim_again, list[Taken | Reply]()

    def overtaken(first: Delivery, delivery: Delivery) -> bool:
        earlier.claim_again = claim
        met.append(ThreadPoolExecutor(1).submit(overtake, owner).result(30))
        return claim(first, delivery)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(earlier, "claim_again", overtaken)
        reply = accept.take(call(owner, ORDER))
    assert isinstance(met[0], Taken)
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body["status"], reply.body["duplicate"]) == (202, "working", True)


def overtake(owner: Trader) -> Taken | Reply:
    try:
        return accept.take(call(owner, ORDER))
    finally:
        connection.close()


@pytest.mark.usefixtures("queues_down")
def test_what_had_ended_before_it_could_not_be_queued_keeps_its_end(owner: Trader) -> None:
    taken = accept.take(call(owner, ORDER))
    assert isinstance(taken, Taken)
    move_order(Order.objects.get().token, OrderState.EXPIRED, by=RECONCILIATION, why="nobody took it")
    with pytest.raises(dispatch.QueueDown):
        dispatch.publish(taken.prepared)
    assert Order.objects.get().status == OrderState.EXPIRED


def test_token_stays_out_of_what_a_traceback_shows(owner: Trader) -> None:
    assert owner.token not in repr(call(owner, ORDER))


def test_rows_that_reconciliation_is_just_writing_about_are_replaced_with_all_it_wrote(owner: Trader) -> None:
    taken = accept.take(call(owner, ORDER))
    assert isinstance(taken, Taken)
    [before] = taken.prepared.orders
    written, go_on = threading.Event(), threading.Event()

    def reconcile() -> None:
        with transaction.atomic():
            move_order(before.token, OrderState.NOT_SENT, by=RECONCILIATION, why="nobody took it")
            written.set()
            assert go_on.wait(30)
        connection.close()

    def prepare_again() -> None:
        intake = Intake(taken.delivery.public_id, "close", 1_790_000_000_000.0, again=True)
        with transaction.atomic():
            dispatch.prepare(owner.user, parse(ORDER), intake)
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        reconciling = pool.submit(reconcile)
        assert written.wait(30)
        preparing = pool.submit(prepare_again)
        wait_for("the resend waits for the row", somebody_waits_for_a_lock)
        go_on.set()
        reconciling.result(30)
        preparing.result(30)

    assert [order.status for order in Order.objects.all()] == ["working"]


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])
