"""Repeats: the id, the resend after a failure, `once`; and equal messages that are meant."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts import flows
from execution.models import Order
from execution.outcome import board
from tests.webhooks.conftest import ORDER, OTHER, Caller, Trader, settle, unreachable_queues
from tests.webhooks.region import Region, all_refused, nothing
from webhooks import reception
from webhooks.models import CLIENT_LEFT, Delivery, DeliveryStatus

DEAD = "replies:a-process-that-is-gone"


def rows(trader: Trader) -> list[Delivery]:
    settle()
    return list(Delivery.objects.of(trader.user).order_by("public_id"))


# -- by id -----------------------------------------------------------------------------------------------


def test_same_id_is_carried_out_once(caller: Caller, owner: Trader, region: Region) -> None:
    first = caller.post(owner.path, f"id a1 {ORDER}")
    second = caller.post(owner.path, f"id a1 {ORDER}")

    assert (second.status_code, second.json()["duplicate"]) == (200, True)
    assert second.json()["delivery"] == first.json()["delivery"]
    assert [each["status"] for each in second.json()["results"]] == ["filled"]
    assert len(region.jobs) == 1


def test_header_means_the_same_as_the_word(caller: Caller, owner: Trader, region: Region) -> None:
    caller.post(owner.path, f"id a1 {ORDER}")

    assert caller.post(owner.path, OTHER, headers={"Idempotency-Key": "a1"}).json()["duplicate"]
    assert len(region.jobs) == 1


def test_dropped_duplicate_is_in_the_log(caller: Caller, owner: Trader, region: Region) -> None:
    caller.post(owner.path, f"id a1 {ORDER}")
    caller.post(owner.path, f"id a1 {ORDER}")

    first, second = rows(owner)
    assert (second.status, second.http_status, second.duplicate_of) == (DeliveryStatus.DUPLICATE, 200, first)


def test_duplicate_of_a_working_delivery_is_202(caller: Caller, owner: Trader, region: Region) -> None:
    region.answer = nothing
    first = caller.post(owner.path + "?wait=0", f"id a1 {ORDER}").json()

    again = caller.post(owner.path + "?wait=0", f"id a1 {ORDER}")

    assert (again.status_code, again.json()["duplicate"]) == (202, True)
    assert again.json()["result_url"] == first["result_url"]


def test_duplicate_of_a_refusal_is_200_with_the_refusal(
    caller: Caller, owner: Trader, region: Region
) -> None:
    region.answer = all_refused
    caller.post(owner.path, f"id a1 {ORDER}")

    again = caller.post(owner.path, f"id a1 {ORDER}")

    assert (again.status_code, again.json()["ok"], again.json()["status"]) == (200, False, "rejected")
    assert again.json()["results"][0]["error"]["code"] == "NOT_ENOUGH_BALANCE"


@pytest.mark.parametrize("how", ["id", "once"])
def test_simultaneous_posts_run_once(caller: Caller, owner: Trader, region: Region, how: str) -> None:
    word = {"id": "id a1", "once": "once 60s"}[how]

    answers = caller.together(*[(owner.path, f"{word} {ORDER}")] * 12)

    assert len(region.jobs) == 1
    assert Order.objects.count() == 1
    assert sorted(answer.json()["duplicate"] for answer in answers) == [False] + [True] * 11
    assert len({answer.json()["delivery"] for answer in answers}) == 1
    assert len(rows(owner)) == 12


def test_ids_of_two_users_do_not_meet(
    caller: Caller, owner: Trader, stranger: Trader, region: Region
) -> None:
    caller.post(owner.path, f"id a1 {ORDER}")

    assert caller.post(stranger.path, f"id a1 {ORDER}").json()["duplicate"] is False
    assert len(region.jobs) == 2


@pytest.fixture
def others_path(owner: Trader) -> str:
    """Another hook of the same user."""
    _, token = flows.create_hook(owner.user, "another strategy")
    return f"/webhook/{owner.user.public_id}/{token}"


def test_id_of_another_hooks_other_message_is_refused(
    caller: Caller, owner: Trader, region: Region, others_path: str
) -> None:
    first = caller.post(owner.path, f"id a1 {ORDER}").json()

    answer = caller.post(others_path, f"id a1 {OTHER}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ID_REUSED")
    assert answer.json()["delivery"] != first["delivery"]
    assert "results" not in answer.json()
    assert [job.steps[0].command for job in region.jobs] == [ORDER]
    kept = rows(owner)[1]
    assert (kept.status, kept.http_status, kept.body) == (DeliveryStatus.REFUSED, 409, f"id a1 {OTHER}")


def test_same_message_through_another_hook_is_a_duplicate(
    caller: Caller, owner: Trader, region: Region, others_path: str
) -> None:
    first = caller.post(owner.path, f"id a1 {ORDER}").json()

    again = caller.post(others_path, f"id a1 {ORDER}").json()

    assert (again["duplicate"], again["delivery"]) == (True, first["delivery"])
    assert len(region.jobs) == 1


def test_of_two_hooks_with_one_id_at_the_same_moment_one_is_carried_out(
    caller: Caller, owner: Trader, region: Region, others_path: str
) -> None:
    answers = caller.together(*[(owner.path, f"id a1 {ORDER}"), (others_path, f"id a1 {OTHER}")] * 6)

    carried_out = Delivery.objects.exclude(key="").get()
    others = [answer for answer in answers if answer.status_code == 409]
    own = [answer for answer in answers if answer.status_code in (200, 202)]  # done, or not yet told
    assert len(others) == len(own) == len(answers) / 2
    assert {answer.json()["delivery"] for answer in own} == {carried_out.public_id}
    assert len(region.jobs) == 1


def test_id_of_another_hooks_message_that_could_not_be_queued_stays_its_own(
    caller: Caller, owner: Trader, region: Region, others_path: str, settings: Any
) -> None:
    with unreachable_queues(settings):
        caller.post(owner.path, f"id a1 {ORDER}")

    assert caller.post(others_path, f"id a1 {OTHER}").status_code == 409
    assert caller.post(owner.path, f"id a1 {ORDER}").json()["duplicate"] is False
    assert [job.steps[0].command for job in region.jobs] == [ORDER]


def test_id_of_a_message_that_did_nothing_stays_free(caller: Caller, owner: Trader, region: Region) -> None:
    key = {"Idempotency-Key": "a1"}
    assert caller.post(owner.path, "BTCUSDT on Binance_F market lnog 1", headers=key).status_code == 400
    assert caller.post(owner.path, "BTCUSDT on ByBit_F market long 1", headers=key).status_code == 422
    assert caller.post(owner.path, f"dry run {ORDER}", headers=key).status_code == 200

    answer = caller.post(owner.path, headers=key)

    assert (answer.status_code, answer.json()["duplicate"]) == (200, False)


def test_dry_run_does_not_show_an_earlier_result(caller: Caller, owner: Trader, region: Region) -> None:
    caller.post(owner.path, f"id a1 {ORDER}")
    caller.post(owner.path, f"dry run id a1 {ORDER}")

    assert [job.dry_run for job in region.jobs] == [False, True]


def test_id_whose_first_post_could_not_be_queued_runs_under_the_same_delivery(
    caller: Caller, owner: Trader, region: Region, settings: Any
) -> None:
    with unreachable_queues(settings):
        failed = caller.post(owner.path, f"id a1 {ORDER}")

    answer = caller.post(owner.path, f"id a1 {OTHER}")

    assert (failed.status_code, answer.status_code, answer.json()["duplicate"]) == (503, 200, False)
    assert answer.json()["delivery"] == failed.json()["delivery"]
    assert [job.steps[0].command for job in region.jobs] == [OTHER]


# -- once ------------------------------------------------------------------------------------------------


def test_once_drops_the_same_body_within_its_time(caller: Caller, owner: Trader, region: Region) -> None:
    first = caller.post(owner.path, f"once 60s {ORDER}").json()

    again = caller.post(owner.path, f"once 60s {ORDER}")

    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert again.json()["delivery"] == first["delivery"]
    assert len(region.jobs) == 1


def test_once_ends(caller: Caller, owner: Trader, region: Region) -> None:
    caller.post(owner.path, f"once 60s {ORDER}")
    settle()
    Delivery.objects.update(created_at=timezone.now() - timedelta(seconds=61))

    assert caller.post(owner.path, f"once 60s {ORDER}").json()["duplicate"] is False
    assert len(region.jobs) == 2


def test_once_lets_another_symbol_through(caller: Caller, owner: Trader, region: Region) -> None:
    caller.post(owner.path, f"once 60s {ORDER}")

    assert caller.post(owner.path, f"once 60s {ORDER.replace('BTC', 'ETH')}").json()["duplicate"] is False


# -- resends ---------------------------------------------------------------------------------------------


def test_equal_messages_answered_well_are_meant(caller: Caller, owner: Trader, region: Region) -> None:
    answers = [caller.post(owner.path) for _ in range(3)]

    assert [answer.json()["duplicate"] for answer in answers] == [False] * 3
    assert len(region.jobs) == 3


def test_equal_messages_at_the_same_moment_are_meant(caller: Caller, owner: Trader, region: Region) -> None:
    caller.together(*[(owner.path, ORDER)] * 3)

    assert len(region.jobs) == 3


def test_equal_message_after_a_refusal_runs(caller: Caller, owner: Trader, region: Region) -> None:
    region.answer = all_refused
    caller.post(owner.path)
    settle()

    assert caller.post(owner.path).json()["duplicate"] is False
    assert len(region.jobs) == 2


def test_resend_after_503_runs_once_under_the_same_delivery(
    caller: Caller, owner: Trader, region: Region, settings: Any
) -> None:
    with unreachable_queues(settings):
        failed = [caller.post(owner.path) for _ in range(3)]

    answer = caller.post(owner.path)

    assert [each.status_code for each in failed] == [503] * 3
    assert (answer.status_code, answer.json()["duplicate"], answer.json()["status"]) == (200, False, "done")
    assert {each.json()["delivery"] for each in failed} == {answer.json()["delivery"]}
    assert len(region.jobs) == 1
    [row] = rows(owner)
    assert (row.status, row.http_status, row.attempts) == (DeliveryStatus.DONE, 200, 4)


def test_simultaneous_resends_after_503_run_once(
    caller: Caller, owner: Trader, region: Region, settings: Any
) -> None:
    with unreachable_queues(settings):
        caller.post(owner.path)

    answers = caller.together(*[(owner.path, ORDER)] * 3)

    delivery = rows(owner)[0].public_id
    carried_out = [job for job in region.jobs if job.delivery == delivery]
    assert len(carried_out) == 1
    assert {answer.status_code for answer in answers} <= {200, 202}


def test_resend_after_a_process_died_shows_the_first_result(
    caller: Caller, owner: Trader, region: Region
) -> None:
    first = caller.post(owner.path).json()
    settle()
    Delivery.objects.update(http_status=None, answered_at=None, taken_by=DEAD)

    answer = caller.post(owner.path)

    assert (answer.status_code, answer.json()["duplicate"]) == (200, True)
    assert answer.json()["delivery"] == first["delivery"]
    assert len(region.jobs) == 1


def test_resend_that_was_answered_too_late_answers_for_nobody(
    caller: Caller, owner: Trader, region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = caller.post(owner.path).json()
    settle()
    Delivery.objects.update(http_status=None, answered_at=None, taken_by=DEAD)
    monkeypatch.setattr(reception, "ACCEPT_SECONDS", 0.3)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE webhooks_delivery IN SHARE MODE")
        assert caller.post(owner.path).status_code == 503
    settle()
    monkeypatch.undo()

    answer = caller.post(owner.path)

    assert (answer.status_code, answer.json()["duplicate"]) == (200, True)
    assert answer.json()["delivery"] == first["delivery"]
    assert len(region.jobs) == 1


def test_each_resend_answers_for_one_lost_delivery(caller: Caller, owner: Trader, region: Region) -> None:
    caller.post(owner.path)
    caller.post(owner.path)
    settle()
    Delivery.objects.update(http_status=None, answered_at=None, taken_by=DEAD)

    answers = [caller.post(owner.path).json() for _ in range(3)]

    assert [answer["duplicate"] for answer in answers] == [True, True, False]
    assert answers[0]["delivery"] < answers[1]["delivery"] < answers[2]["delivery"]
    assert len(region.jobs) == 3


def test_message_being_worked_on_is_not_taken_for_lost(caller: Caller, owner: Trader, region: Region) -> None:
    caller.post(owner.path)
    settle()
    Delivery.objects.update(http_status=None, answered_at=None, taken_by=board().channel)

    assert caller.post(owner.path).json()["duplicate"] is False


def test_caller_who_hung_up_and_comes_back_gets_the_first_result(
    caller: Caller, owner: Trader, region: Region
) -> None:
    caller.post(owner.path)
    settle()
    Delivery.objects.update(http_status=CLIENT_LEFT)

    assert caller.post(owner.path).json()["duplicate"] is True
    assert caller.post(owner.path).json()["duplicate"] is False


@pytest.mark.parametrize(
    "difference",
    [{"created_at": timezone.now() - timedelta(seconds=26)}, {"body_digest": "another"}, {"dry_run": True}],
)
def test_what_is_no_resend_runs(
    caller: Caller, owner: Trader, region: Region, difference: dict[str, Any]
) -> None:
    caller.post(owner.path)
    settle()
    Delivery.objects.update(http_status=None, taken_by=DEAD, **difference)

    assert caller.post(owner.path).json()["duplicate"] is False


def test_lost_message_of_another_hook_is_no_resend(caller: Caller, owner: Trader, region: Region) -> None:
    other, token = flows.create_hook(owner.user, "other")
    caller.post(f"/webhook/{owner.user.public_id}/{token}")
    settle()
    Delivery.objects.update(http_status=None, taken_by=DEAD)

    assert caller.post(owner.path).json()["duplicate"] is False
    assert rows(owner)[0].hook == other
