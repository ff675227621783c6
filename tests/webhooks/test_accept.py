"""What taking a message in costs the database."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from execution.models import Order
from tests.webhooks.conftest import ORDER, Trader
from webhooks import accept
from webhooks.accept import Taken
from webhooks.intake import Call


def call(trader: Trader, body: str, **options: Any) -> Call:
    own: dict[str, Any] = {
        "user_id": trader.user.public_id,
        "token": trader.token,
        "body": body.encode(),
        "query": QueryDict(),
        "prefer": "",
        "key": "",
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


def test_more_commands_cost_no_more_statements(owner: Trader) -> None:
    many = " ".join([ORDER] * 20)

    assert statements(many, owner) == statements(ORDER, owner)
    assert Order.objects.count() == 21


def test_rows_stand_before_anything_is_queued(owner: Trader) -> None:
    taken = accept.take(call(owner, ORDER))

    assert isinstance(taken, Taken)
    assert taken.delivery.pk is not None
    [order] = Order.objects.all()
    assert (order.delivery, order.status) == (taken.delivery.public_id, "working")
    assert [job.id for job in taken.prepared.jobs] == [order.job]


def test_token_stays_out_of_what_a_traceback_shows(owner: Trader) -> None:
    assert owner.token not in repr(call(owner, ORDER))
