"""The result URL, and the present state of a delivery after its answer."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import flows
from execution.models import Order
from execution.outcome import announce
from tests.webhooks.conftest import ORDER, Caller, Trader, settle
from tests.webhooks.region import Region, all_filled, nothing, outcome_of, timing_of
from webhooks import present
from webhooks.models import Delivery, DeliveryStatus


@pytest.fixture
def working(caller: Caller, owner: Trader, region: Region) -> dict[str, Any]:
    """The answer to a delivery whose outcome is open."""
    region.answer = nothing
    answer: dict[str, Any] = caller.post(owner.path + "?wait=0").json()
    region.wait_for_jobs(1)
    settle()
    return answer


def look(caller: Caller, trader: Trader, delivery: str) -> Any:
    return caller.get(f"{trader.path}/{delivery}")


def test_working_delivery_says_so(caller: Caller, owner: Trader, working: dict[str, Any]) -> None:
    answer = look(caller, owner, working["delivery"])

    assert (answer.status_code, answer.json()["status"]) == (202, "working")
    assert answer.json()["result_url"] == working["result_url"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_outcome_shows_before_history_knows_it(
    caller: Caller, owner: Trader, region: Region, working: dict[str, Any]
) -> None:
    job = region.jobs[0]
    announce(job.region, job.reply_to, outcome_of(job, all_filled(job)))

    answer = look(caller, owner, working["delivery"])

    assert (answer.status_code, answer.json()["status"]) == (200, "done")
    assert answer.json()["timing_ms"]["filled"] == timing_of(job)["filled"]
    assert Order.objects.get().status == "working"
    assert owner.latest().status == DeliveryStatus.DONE


def test_history_shows_without_the_region(caller: Caller, owner: Trader, working: dict[str, Any]) -> None:
    Order.objects.update(status="filled", filled="0.0100", average_price="50000.10")

    told = look(caller, owner, working["delivery"]).json()

    assert told["status"] == "done"
    assert (told["results"][0]["filled"], told["results"][0]["average_price"]) == ("0.01", "50000.1")


def test_refused_result_is_found_all_the_same(caller: Caller, owner: Trader, working: dict[str, Any]) -> None:
    Order.objects.update(status="rejected", error={"code": "REFUSED", "message": "no", "hint": ""})

    answer = look(caller, owner, working["delivery"])

    assert (answer.status_code, answer.json()["ok"], answer.json()["status"]) == (200, False, "rejected")


def test_parse_error_can_be_looked_at_again(caller: Caller, owner: Trader) -> None:
    refused = caller.post(owner.path, "BTCUSDT on Binance_F market lnog 1").json()

    answer = look(caller, owner, refused["delivery"])

    assert (answer.status_code, answer.json()) == (200, refused)


def test_duplicate_shows_its_first(caller: Caller, owner: Trader, region: Region) -> None:
    first = caller.post(owner.path, f"id a {ORDER}").json()
    caller.post(owner.path, f"id a {ORDER}")

    told = look(caller, owner, owner.latest().public_id).json()

    assert (told["delivery"], told["duplicate"]) == (first["delivery"], True)


def test_result_is_nobody_elses(
    caller: Caller, owner: Trader, stranger: Trader, working: dict[str, Any]
) -> None:
    _other_hook, token = flows.create_hook(owner.user, "other")
    delivery = working["delivery"]
    addresses = [
        f"{stranger.path}/{delivery}",
        f"/webhook/{owner.user.public_id}/{stranger.token}/{delivery}",
        f"/webhook/{owner.user.public_id}/{'x' * 43}/{delivery}",
        f"/webhook/{owner.user.public_id}/{token}/{delivery}",
        f"{owner.path}/d_{'0' * 26}",
        f"{owner.path}/{delivery}x",
        f"{owner.path}/{delivery.upper()}",
    ]

    answers = [caller.get(address) for address in addresses]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_result_takes_no_post(caller: Caller, owner: Trader, working: dict[str, Any]) -> None:
    answer = caller.post(f"{owner.path}/{working['delivery']}")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


def test_looking_does_not_use_up_the_hooks_messages(
    caller: Caller, owner: Trader, working: dict[str, Any], settings: Any
) -> None:
    settings.HOOK_RATE = "2/60"
    codes = {look(caller, owner, working["delivery"]).status_code for _ in range(4)}

    assert codes == {202}
    assert caller.post(owner.path, "nonsense").status_code == 400


def test_looking_is_throttled_by_source(
    caller: Caller, owner: Trader, working: dict[str, Any], settings: Any
) -> None:
    settings.SOURCE_RATE = "1/60"

    assert look(caller, owner, working["delivery"]).status_code == 202
    assert look(caller, owner, working["delivery"]).status_code == 429


def test_settling_brings_statuses_up_to_date(owner: Trader, working: dict[str, Any]) -> None:
    Order.objects.update(status="filled")

    present.settle(owner.user)

    assert Delivery.objects.get().status == DeliveryStatus.DONE


def test_settling_leaves_open_ones_alone(owner: Trader, working: dict[str, Any]) -> None:
    present.settle(owner.user)

    assert Delivery.objects.get().status == DeliveryStatus.WORKING
