"""The status table of the webhook, row by row, through the application."""

from __future__ import annotations

from tests.webhooks.conftest import ORDER, Caller, Trader
from tests.webhooks.region import Region


def test_filled_order_is_done(caller: Caller, owner: Trader, region: Region) -> None:
    answer = caller.post(owner.path)

    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "done"
