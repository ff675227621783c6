"""The message a job travels in is what Celery itself would have sent."""

import base64
import json
from typing import Any

from celery import current_app
from kombu import Connection

from execution.envelope import PLACE, task_message

OWN = {"id", "root_id", "correlation_id", "delivery_tag", "reply_to"}


def sent_by_celery(argument, shown):
    with Connection("memory://") as connection, connection.Producer() as producer:
        current_app.send_task(
            PLACE, (argument,), producer=producer, queue="orders.eu", argsrepr=shown, kwargsrepr="{}"
        )
        channel: Any = connection.default_channel
        return channel._get("orders.eu")


def test_only_ids_and_expiry_differ_from_celerys_own_message():
    ours = json.loads(task_message("orders.eu", {"id": "a"}, shown="('a',)", expires_ms=1_795_376_468_115.5))
    theirs = sent_by_celery({"id": "a"}, "('a',)")

    assert json.loads(base64.b64decode(ours.pop("body"))) == json.loads(base64.b64decode(theirs.pop("body")))
    assert ours["headers"].pop("expires") == "2026-11-22T19:41:08.115500+00:00"
    theirs["headers"].pop("expires")
    for part in ("headers", "properties"):
        mine, its = ours.pop(part), theirs.pop(part)
        assert mine.keys() == its.keys()
        assert {k: v for k, v in mine.items() if k not in OWN} == {
            k: v for k, v in its.items() if k not in OWN
        }
    assert ours == theirs


def test_each_message_has_ids_of_its_own():
    one, other = (json.loads(task_message("orders.eu", {}, shown="", expires_ms=0)) for _ in range(2))

    assert one["headers"]["id"] == one["properties"]["correlation_id"] != other["headers"]["id"]
    assert one["properties"]["delivery_tag"] != other["properties"]["delivery_tag"]
