"""The status table of the webhook, row by row, through the application."""

from __future__ import annotations

import asyncio
import io
import logging
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import redis
from django.db import connection, connections, transaction

from accounts import flows, tokens
from accounts.models import Hook
from execution import dispatch, outcome
from execution.jobs import Job
from execution.models import Order
from flipr.asgi import LANES
from tests.webhooks.conftest import ORDER, OTHER, Caller, Trader, application, regions_at
from tests.webhooks.region import Region, _arguments, all_filled, all_refused, nothing, outcome_of, result
from tests.webhooks.test_accept import call
from webhooks import accept, reception, threads
from webhooks.error_codes import CODES
from webhooks.models import CLIENT_LEFT, Delivery, DeliveryStatus

THREE = "BTCUSDT on Binance_F market long 0.01 BTCUSDT on ByBit_F market long 0.01 ETHUSDT on Binance_F market long 1"

QUOTED = "planted-secret"


def error_code(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


# -- 200 -------------------------------------------------------------------------------------------------


def test_filled_order_is_done(caller: Caller, owner: Trader, region: Region) -> None:
    answer = caller.post(owner.path)

    assert answer.status_code == 200
    told = answer.json()
    assert (told["ok"], told["status"], told["duplicate"]) == (True, "done", False)
    assert [each["status"] for each in told["results"]] == ["filled"]
    assert told["delivery"].startswith("d_")


def test_job_carries_what_the_hook_and_the_message_say(caller: Caller, owner: Trader, region: Region) -> None:
    flows.change_hook(owner.hook, name="strategy", stop_policy="keep", allowed_sources=[])

    told = caller.post(owner.path).json()

    [job] = region.jobs
    assert job.delivery == told["delivery"]
    assert job.stop_policy == "keep"
    assert job.account.public_id == owner.account.public_id
    assert [step.command for step in job.steps] == [ORDER]


def test_waterfall_has_the_steps_of_web_and_worker(caller: Caller, owner: Trader, region: Region) -> None:
    timing = caller.post(owner.path).json()["timing_ms"]

    assert list(timing) == ["parsed", "queued", "claimed", "sent", "acknowledged", "filled", "replied"]
    assert 0 < timing["parsed"] < timing["queued"] < timing["filled"]
    assert timing["queued"] < timing["replied"]


def test_row_keeps_body_answer_and_waterfall(caller: Caller, owner: Trader, region: Region) -> None:
    told = caller.post(owner.path, headers={"Content-Type": "text/plain; charset=utf-8"}).json()

    row = owner.latest()
    assert row.public_id == told["delivery"]
    assert (row.body, row.content_type, row.source) == (ORDER, "text/plain; charset=utf-8", "192.0.2.7")
    assert (row.status, row.http_status) == (DeliveryStatus.DONE, 200)
    assert row.timing_ms == told["timing_ms"]
    assert row.answered_at is not None


def test_several_commands_have_one_result_each_in_the_order_of_the_message(
    caller: Caller, owner: Trader, region: Region
) -> None:
    answer = caller.post(owner.path, THREE)

    told = answer.json()
    assert (answer.status_code, told["status"], told["ok"]) == (200, "partial", False)
    assert [(each["symbol"], each["status"]) for each in told["results"]] == [
        ("BTCUSDT", "filled"),
        ("BTCUSDT", "rejected"),
        ("ETHUSDT", "filled"),
    ]
    assert told["results"][1]["error"]["code"] == "NO_ACCOUNT"


def test_order_whose_stop_failed_is_not_done(caller: Caller, owner: Trader, region: Region) -> None:
    error = {"code": "PROTECTION_FAILED", "message": "the stop could not be placed", "hint": ""}
    region.answer = lambda job: [result(job, 0, error=error)]

    told = caller.post(owner.path).json()

    assert (told["ok"], told["status"]) == (False, "partial")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded", "image/png", ""]
)
def test_any_content_type_is_taken(caller: Caller, owner: Trader, region: Region, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}

    assert caller.post(owner.path, headers=headers).status_code == 200


def test_a_trailing_slash_makes_no_difference(caller: Caller, owner: Trader, region: Region) -> None:
    assert caller.post(owner.path + "/").status_code == 200


def test_what_tradingview_sends_is_taken(caller: Caller, owner: Trader, region: Region) -> None:
    assert caller.post(owner.path, "BINANCE:BTCUSDT.P on Binance_F market buy 0.01").status_code == 200


def test_answer_is_json_and_never_stored(caller: Caller, owner: Trader, region: Region) -> None:
    headers = caller.post(owner.path).headers

    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"


def test_text_outside_ascii_is_kept(caller: Caller, owner: Trader, region: Region) -> None:
    caller.post(owner.path, f"{OTHER} // größer → ok")

    assert owner.latest().body == f"{OTHER} // größer → ok"


def test_use_of_the_hook_is_noted(caller: Caller, owner: Trader, region: Region) -> None:
    caller.post(owner.path)
    threads.drain()

    assert Hook.objects.get(pk=owner.hook.pk).last_used_at is not None


@pytest.mark.parametrize("query", ["?dry=1", "?dry", "?dry=true"])
def test_dry_run_by_option(caller: Caller, owner: Trader, region: Region, query: str) -> None:
    would_send = [{"method": "POST", "path": "/fapi/v1/order", "params": {"symbol": "BTCUSDT"}}]
    region.answer = lambda job: [result(job, 0, status="dry_run", would_send=would_send)]

    answer = caller.post(owner.path + query)

    assert [job.dry_run for job in region.jobs] == [True]
    assert (answer.status_code, answer.json()["status"]) == (200, "done")
    assert answer.json()["results"][0]["would_send"] == would_send
    assert owner.latest().dry_run


def test_dry_run_by_word(caller: Caller, owner: Trader, region: Region) -> None:
    caller.post(owner.path, f"dry run {ORDER}")

    assert [job.dry_run for job in region.jobs] == [True]


# -- 202 -------------------------------------------------------------------------------------------------


def test_unfinished_order_is_working_and_its_result_comes_later(
    caller: Caller, owner: Trader, region: Region
) -> None:
    go = threading.Event()
    region.answer = lambda job: all_filled(job) if go.wait(10) else None

    answer = caller.post(owner.path + "?wait=0.05")

    assert answer.status_code == 202
    told = answer.json()
    assert (told["ok"], told["status"], told["results"][0]["status"]) == (True, "working", "working")
    assert told["result_url"].endswith(f"{owner.path}/{told['delivery']}")

    go.set()
    with Region(all_filled):  # the first region has announced when a second one has taken its next job
        caller.post(owner.path, OTHER)
    later = caller.get(httpx.URL(told["result_url"]).path)
    assert (later.status_code, later.json()["status"]) == (200, "done")


@pytest.mark.parametrize("option", [{"path": "?wait=0"}, {"headers": {"Prefer": "respond-async, wait=0"}}])
def test_caller_may_choose_not_to_wait(
    caller: Caller, owner: Trader, region: Region, option: dict[str, Any]
) -> None:
    region.answer = nothing
    path = owner.path + option.pop("path", "")

    assert caller.post(path, **option).status_code == 202


def test_wait_is_the_settings_unless_asked(
    caller: Caller, owner: Trader, region: Region, settings: Any
) -> None:
    settings.HOOK_WAIT_SECONDS = 0.05
    region.answer = nothing

    assert caller.post(owner.path).status_code == 202
    assert owner.latest().wait_seconds == 0.05


def test_the_wait_counts_from_the_receipt(owner: Trader, region: Region) -> None:
    region.answer = nothing
    long_ago = call(owner, ORDER, started=time.perf_counter() - 2.4)

    async def handled() -> reception.Handled:
        return await asyncio.wait_for(reception.begin(long_ago), timeout=2)

    assert asyncio.run(handled()).reply.status == 202


def test_unknown_outcome_is_working(caller: Caller, owner: Trader, region: Region) -> None:
    error = {"code": "OUTCOME_UNKNOWN", "message": "the answer was lost", "hint": ""}
    region.answer = lambda job: [result(job, 0, status="unknown", error=error)]

    answer = caller.post(owner.path)

    assert (answer.status_code, answer.json()["status"]) == (202, "working")


def test_error_after_queueing_is_never_a_5xx(
    caller: Caller, owner: Trader, region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region, "_take", _announce_garbage(region))

    answer = caller.post(owner.path + "?wait=0.3")

    assert (answer.status_code, answer.json()["status"]) == (202, "working")


def _announce_garbage(region: Region) -> Any:
    def take(name: str, message: bytes) -> None:

        job = Job.load(_arguments(message)[0])
        outcome.announce(name, job.reply_to, {"job": job.id})

    return take


def test_queue_that_hangs_does_not_hold_up_the_answer(
    caller: Caller, owner: Trader, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "ANSWER_SECONDS", 1.5)  # the deaf server is waited for longer than that
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"redis://127.0.0.1:{deaf.getsockname()[1]}/0"
        with regions_at(url, settings):
            answer = caller.post(owner.path)
            deaf.close()
            row = owner.latest()

    assert (answer.status_code, answer.json()["status"]) == (202, "working")
    assert row.status == DeliveryStatus.UNQUEUED  # found out after the answer


def test_caller_who_hangs_up_stops_nothing(caller: Caller, owner: Trader, region: Region) -> None:
    go = threading.Event()
    region.answer = lambda job: all_filled(job) if go.wait(10) else None

    caller.run(_post_and_hang_up(owner.path, region, go))

    row = owner.latest()
    assert (row.status, row.http_status) == (DeliveryStatus.DONE, CLIENT_LEFT)
    assert len(region.jobs) == 1


async def _post_and_hang_up(path: str, region: Region, go: threading.Event) -> None:
    hung_up = asyncio.Event()
    said: list[dict[str, Any]] = [{"type": "http.request", "body": ORDER.encode(), "more_body": False}]

    async def receive() -> dict[str, Any]:
        if said:
            return said.pop()
        await hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(event: dict[str, Any]) -> None:
        raise AssertionError("nobody is there to be answered")

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [],
        "root_path": "",
    }
    request = asyncio.create_task(application()(scope | {"client": ("192.0.2.7", 4000)}, receive, send))
    await asyncio.to_thread(region.wait_for_jobs, 1)
    hung_up.set()
    await request
    go.set()
    await asyncio.gather(*reception._at_work)
    await asyncio.sleep(0)  # the callback that writes it down


# -- 400 -------------------------------------------------------------------------------------------------


def test_message_that_does_not_parse_points_at_the_word(
    caller: Caller, owner: Trader, region: Region
) -> None:
    answer = caller.post(owner.path, "BTCUSDT on Binance_F market lnog 0.01")

    assert answer.status_code == 400
    told = answer.json()
    assert (told["ok"], told["status"]) == (False, "rejected")
    assert "results" not in told
    error = told["error"]
    assert (error["code"], error["line"], error["column"], error["length"]) == ("UNKNOWN_SIDE", 1, 29, 4)
    assert error["show"].endswith("\n" + " " * 28 + "^^^^")
    assert error["docs"] == "http://localhost:8000/docs/errors/UNKNOWN_SIDE"
    assert region.jobs == []


def broken(*_: object) -> Any:
    raise ZeroDivisionError(QUOTED)


def test_message_that_breaks_the_parser_is_kept_and_not_asked_for_again(
    caller: Caller,
    owner: Trader,
    region: Region,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(accept, "parse_bytes", broken)

    answer = caller.post(owner.path)

    assert (answer.status_code, error_code(answer)) == (400, "UNREADABLE")
    assert "Retry-After" not in answer.headers
    row = owner.latest()
    assert (row.public_id, row.body, row.status) == (answer.json()["delivery"], ORDER, DeliveryStatus.REFUSED)
    assert region.jobs == []
    assert "ZeroDivisionError" in caplog.text
    assert QUOTED not in caplog.text


def test_message_that_does_not_parse_leaves_a_row(caller: Caller, owner: Trader) -> None:
    told = caller.post(owner.path, "BTCUSDT on Binance_F market lnog 0.01").json()

    row = owner.latest()
    assert (row.public_id, row.status, row.http_status) == (told["delivery"], DeliveryStatus.REFUSED, 400)
    assert row.error
    assert row.error["code"] == "UNKNOWN_SIDE"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "EMPTY"),
        (b"\xff\xfe\x00binary\x00", "NOT_TEXT"),
        (b"BTCUSDT on Binance_F\x00 market long 1", "NOT_TEXT"),
        (b'{"symbol": "BTCUSDT", "side": "buy"}', "NOT_TEXT"),
    ],
)
def test_what_is_no_text_is_refused(caller: Caller, owner: Trader, body: bytes, code: str) -> None:
    answer = caller.post(owner.path, body)

    assert (answer.status_code, error_code(answer)) == (400, code)
    assert answer.json()["error"]["show"]
    assert owner.latest().http_status == 400


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?wait=soon", "BAD_WAIT"),
        ("?wait=31", "BAD_WAIT"),
        ("?wait=-1", "BAD_WAIT"),
        ("?wait=nan", "BAD_WAIT"),
        ("?dry=maybe", "BAD_DRY"),
        ("?dryrun=1", "UNKNOWN_OPTION"),
        ("?wait=1%00", "BAD_WAIT"),
        ("?%00=1", "UNKNOWN_OPTION"),
        ("?dry=1&dry=0", "TWICE"),
    ],
)
def test_wrong_option_sends_nothing(
    caller: Caller, owner: Trader, region: Region, query: str, code: str
) -> None:
    answer = caller.post(owner.path + query)

    assert (answer.status_code, error_code(answer)) == (400, code)
    assert not Order.objects.exists()


def test_two_different_ids_are_refused(caller: Caller, owner: Trader) -> None:
    answer = caller.post(owner.path, f"id a {ORDER}", headers={"Idempotency-Key": "b"})

    assert (answer.status_code, error_code(answer)) == (400, "TWO_IDS")


@pytest.mark.parametrize("key", ["x" * 201, "", " ", '""'])
def test_id_that_is_too_long_or_empty_is_refused(caller: Caller, owner: Trader, key: str) -> None:
    answer = caller.post(owner.path, headers={"Idempotency-Key": key})

    assert (answer.status_code, error_code(answer)) == (400, "BAD_ID")


# -- 403 -------------------------------------------------------------------------------------------------


def test_hook_that_is_off_refuses(caller: Caller, owner: Trader, region: Region) -> None:
    flows.disable_hook(owner.hook)

    answer = caller.post(owner.path)

    assert (answer.status_code, error_code(answer)) == (403, "HOOK_PAUSED")
    assert owner.latest().http_status == 403
    assert not Order.objects.exists()


def test_paused_user_is_told_why(caller: Caller, owner: Trader) -> None:
    flows.pause_user(owner.user, "invoice 7 is open")

    answer = caller.post(owner.path)

    assert (answer.status_code, error_code(answer)) == (403, "HOOK_PAUSED")
    assert answer.json()["error"]["message"] == "invoice 7 is open"


def test_paused_account_refuses(caller: Caller, owner: Trader, region: Region) -> None:
    flows.pause_account(owner.account, "by hand")

    answer = caller.post(owner.path)

    assert answer.status_code == 403
    assert answer.json()["results"][0]["error"]["code"] == "ACCOUNT_PAUSED"
    assert region.jobs == []


def test_source_that_is_not_allowed_is_refused(caller: Caller, owner: Trader, region: Region) -> None:
    flows.change_hook(owner.hook, name="strategy", stop_policy="close", allowed_sources=["52.89.214.238"])

    assert caller.post(owner.path, client="52.89.214.238").status_code == 200
    answer = caller.post(owner.path, client="192.0.2.7")
    assert (answer.status_code, error_code(answer)) == (403, "SOURCE_NOT_ALLOWED")
    assert "192.0.2.7" in answer.json()["error"]["message"]


def test_neighbour_on_the_same_link_is_kept_with_its_address(
    caller: Caller, owner: Trader, region: Region
) -> None:
    assert caller.post(owner.path, client="fe80::1%eth0").status_code == 200
    assert owner.latest().source == "fe80::1"


def test_forwarded_address_counts_only_behind_a_trusted_proxy(
    caller: Caller, owner: Trader, region: Region, settings: Any
) -> None:
    flows.change_hook(owner.hook, name="strategy", stop_policy="close", allowed_sources=["52.89.214.238"])
    forged = {"X-Forwarded-For": "52.89.214.238"}

    assert caller.post(owner.path, headers=forged).status_code == 403
    settings.TRUSTED_PROXIES = 1
    assert caller.post(owner.path, headers=forged).status_code == 200
    assert caller.post(owner.path, headers={"X-Forwarded-For": "52.89.214.238, 192.0.2.9"}).status_code == 403


# -- 404, 405 --------------------------------------------------------------------------------------------


def test_unknown_users_and_tokens_cannot_be_told_apart(
    caller: Caller, owner: Trader, stranger: Trader, region: Region
) -> None:
    wrong_token = caller.post(f"/webhook/{owner.user.public_id}/{'x' * 43}")
    wrong_user = caller.post(f"/webhook/nobody/{owner.token}")
    other_user = caller.post(f"/webhook/{stranger.user.public_id}/{owner.token}")
    disabled = caller.post(f"/webhook/{owner.user.public_id}/{stranger.token}")

    assert {each.status_code for each in (wrong_token, wrong_user, other_user, disabled)} == {404}
    assert wrong_token.content == wrong_user.content == other_user.content == disabled.content
    assert wrong_token.headers == wrong_user.headers == other_user.headers
    assert not Delivery.objects.exists()
    assert region.jobs == []


@pytest.mark.parametrize("rest", ["", "x", "x/y/z", "x/%00", "%ff%fe/y"])
def test_other_addresses_below_webhook_are_unknown_too(caller: Caller, owner: Trader, rest: str) -> None:
    assert caller.post(f"/webhook/{rest}").status_code == 404


def test_get_explains_itself_and_reveals_nothing(caller: Caller, owner: Trader) -> None:
    right = caller.get(owner.path)
    wrong = caller.get(f"/webhook/{owner.user.public_id}/{'x' * 43}")

    assert (right.status_code, right.headers["Allow"], error_code(right)) == (405, "POST", "WRONG_METHOD")
    assert right.content == wrong.content
    assert b"\n" not in right.content
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(caller: Caller, owner: Trader, method: str) -> None:
    assert caller.request(method, owner.path).status_code == 405


def test_former_token_works_during_its_grace(caller: Caller, owner: Trader, region: Region) -> None:
    flows.rotate_hook_token(owner.hook)

    assert caller.post(owner.path).status_code == 200


# -- 409, 413, 429 ---------------------------------------------------------------------------------------


def _sent(ago: timedelta) -> str:
    return f"sent {datetime.now(UTC) - ago:%Y-%m-%dT%H:%M:%SZ} valid 30s {ORDER}"


def test_stale_message_is_refused_with_age_and_limit(caller: Caller, owner: Trader, region: Region) -> None:
    answer = caller.post(owner.path, _sent(timedelta(hours=1)))

    assert (answer.status_code, error_code(answer)) == (409, "STALE")
    message = answer.json()["error"]["message"]
    assert "360" in message
    assert "30 s" in message
    assert not Order.objects.exists()


def test_fresh_message_is_carried_out(caller: Caller, owner: Trader, region: Region) -> None:
    assert caller.post(owner.path, _sent(timedelta(seconds=5))).status_code == 200


def test_message_from_the_future_is_refused(caller: Caller, owner: Trader, region: Region) -> None:
    answer = caller.post(owner.path, _sent(-timedelta(hours=1)))

    assert (answer.status_code, error_code(answer)) == (409, "SENT_IN_FUTURE")


def test_message_from_the_future_is_refused_without_valid_too(
    caller: Caller, owner: Trader, region: Region
) -> None:
    answer = caller.post(owner.path, "sent 2099-01-01T00:00:00Z BTCUSDT on Binance_F go long 0.01")

    assert (answer.status_code, error_code(answer)) == (409, "SENT_IN_FUTURE")
    assert (owner.latest().status, region.jobs) == (DeliveryStatus.REFUSED, [])


def test_clock_that_is_a_little_ahead_does_no_harm(caller: Caller, owner: Trader, region: Region) -> None:
    answer = caller.post(owner.path, _sent(-timedelta(seconds=5)))

    assert answer.status_code == 200
    assert [job.sent_ms for job in region.jobs] == [job.received_ms for job in region.jobs]


def _padded(length: int) -> str:
    return f"{ORDER} // ".ljust(length, "x")


def test_sixteen_kibibytes_are_taken(caller: Caller, owner: Trader, region: Region) -> None:
    assert caller.post(owner.path, _padded(16 * 1024)).status_code == 200


def test_one_byte_more_is_refused(caller: Caller, owner: Trader, region: Region) -> None:
    answer = caller.post(owner.path, _padded(16 * 1024 + 1))

    assert (answer.status_code, error_code(answer)) == (413, "MESSAGE_TOO_LONG")
    row = owner.latest()
    assert (row.http_status, len(row.body)) == (413, 16 * 1024)
    assert not Order.objects.exists()


def test_too_many_messages_are_told_when_to_come_back(
    caller: Caller, owner: Trader, region: Region, settings: Any
) -> None:
    settings.HOOK_RATE = "2/60"
    codes = [caller.post(owner.path).status_code for _ in range(2)]

    answer = caller.post(owner.path)

    assert codes == [200, 200]
    assert (answer.status_code, error_code(answer)) == (429, "TOO_MANY")
    assert 25 <= int(answer.headers["Retry-After"]) <= 30
    threads.drain()
    assert Delivery.objects.count() == 2


def test_source_is_throttled_over_all_hooks_known_or_not(
    caller: Caller, owner: Trader, settings: Any
) -> None:
    settings.SOURCE_RATE = "2/60"
    codes = [caller.post(f"/webhook/{owner.user.public_id}/{guess}").status_code for guess in ("a", "b", "c")]

    assert codes == [404, 404, 429]
    assert caller.post(owner.path, "nonsense", client="192.0.2.8").status_code == 400


# -- 422 -------------------------------------------------------------------------------------------------


def test_order_the_exchange_refused(caller: Caller, owner: Trader, region: Region) -> None:
    region.answer = all_refused

    answer = caller.post(owner.path)

    assert (answer.status_code, answer.json()["status"], answer.json()["ok"]) == (422, "rejected", False)
    error = answer.json()["results"][0]["error"]
    assert error["docs"].endswith("/docs/errors/NOT_ENOUGH_BALANCE")
    assert owner.latest().http_status == 422


def test_an_error_without_a_remedy_of_its_own_has_that_of_its_code(
    caller: Caller, owner: Trader, region: Region
) -> None:
    error = {"code": "POST_ONLY_REFUSED", "message": "it would have traded", "hint": ""}
    region.answer = lambda job: [result(job, 0, status="rejected", error=error)]

    told = caller.post(owner.path).json()["results"][0]["error"]

    assert told["hint"] == CODES["POST_ONLY_REFUSED"].remedy


def test_exchange_without_a_key_is_refused_at_its_word(caller: Caller, owner: Trader, region: Region) -> None:
    answer = caller.post(owner.path, "BTCUSDT on ByBit_F market long 1")

    assert answer.status_code == 422
    error = answer.json()["results"][0]["error"]
    assert (error["code"], error["token"], error["column"]) == ("NO_ACCOUNT", "ByBit_F", 12)
    assert region.jobs == []
    row = owner.latest()
    assert (row.status, row.http_status) == (DeliveryStatus.REJECTED, 422)


def test_word_that_is_not_built_yet_is_refused_whole(caller: Caller, owner: Trader, region: Region) -> None:
    answer = caller.post(owner.path, f"{ORDER} ETHUSDT on Binance_F twap long 1 over 30m")

    assert (answer.status_code, error_code(answer)) == (422, "NOT_YET")
    assert answer.json()["error"]["token"] == "twap"
    assert not Order.objects.exists()


# -- 500 -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("remembered", [False, True], ids=["first message", "remembered hook"])
def test_a_mistake_of_flipr_before_anything_is_queued_is_told_as_one(
    caller: Caller,
    owner: Trader,
    region: Region,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    remembered: bool,
) -> None:
    if remembered:
        caller.post(owner.path, OTHER)
    before = len(region.jobs), Order.objects.count()
    monkeypatch.setattr(dispatch, "draft", broken)

    answer = caller.post(owner.path)

    assert (answer.status_code, error_code(answer)) == (500, "FLIPR_FAILED")
    assert (answer.json()["ok"], answer.json()["status"]) == (False, "rejected")
    assert "Retry-After" not in answer.headers
    row = owner.latest()
    assert (row.public_id, row.body, row.http_status) == (answer.json()["delivery"], ORDER, 500)
    assert row.status == DeliveryStatus.UNQUEUED
    assert (len(region.jobs), Order.objects.count()) == before
    assert QUOTED not in caplog.text


def test_a_resend_after_a_mistake_of_flipr_is_carried_out_once_it_is_mended(
    caller: Caller, owner: Trader, region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as mistaken:
        mistaken.setattr(dispatch, "draft", broken)
        failed = caller.post(owner.path)

    again = caller.post(owner.path)

    assert (again.status_code, again.json()["duplicate"]) == (200, False)
    assert again.json()["delivery"] == failed.json()["delivery"]
    assert len(region.jobs) == 1


def test_a_mistake_of_flipr_before_the_hook_is_found_is_told_as_one(
    caller: Caller, owner: Trader, region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "digest", broken)

    answer = caller.post(owner.path)

    assert (answer.status_code, error_code(answer)) == (500, "FLIPR_FAILED")
    assert region.jobs == []


# -- 503 -------------------------------------------------------------------------------------------------


def test_without_redis_nothing_is_queued(caller: Caller, owner: Trader, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    answer = caller.post(owner.path)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert not Order.objects.exists()


def test_without_the_regions_queue_the_row_says_so(caller: Caller, owner: Trader, queues_down: None) -> None:
    answer = caller.post(owner.path)

    assert (answer.status_code, error_code(answer)) == (503, "UNAVAILABLE")
    row = owner.latest()
    assert (row.status, row.http_status) == (DeliveryStatus.UNQUEUED, 503)
    assert [order.status for order in Order.objects.all()] == ["not_sent"]


def test_a_redis_that_swallows_everything_is_found_out_within_the_answer(
    caller: Caller, owner: Trader, settings: Any, blackhole: str
) -> None:
    """One attempt to connect; a second message is told at once, and one with several commands waits no longer."""
    with regions_at(blackhole, settings):
        answers = [
            caller.post(owner.path),
            caller.post(owner.path, f"{OTHER}\nETHUSDT on Binance_F market long 1"),
        ]

    assert [answer.status_code for answer in answers] == [503, 503]
    assert {order.status for order in Order.objects.all()} == {"not_sent"}


def test_where_nobody_works_nothing_is_queued_and_the_resend_is_carried_out(
    caller: Caller, owner: Trader, redis_server: str
) -> None:
    refused = caller.post(owner.path)

    row = owner.latest()
    (order,) = Order.objects.all()
    assert (refused.status_code, row.status) == (503, DeliveryStatus.UNQUEUED)
    assert (order.status, (order.error or {})["code"]) == ("not_sent", "REGION_DOWN")
    with redis.Redis.from_url(redis_server) as server:
        assert server.keys("orders.*") == server.keys("lane:*") == []
    with Region(all_filled):
        again = caller.post(owner.path)
    assert (again.status_code, again.json()["status"], again.json()["duplicate"]) == (200, "done", False)


def test_where_nobody_works_only_the_orders_of_that_region_are_refused(caller: Caller, owner: Trader) -> None:
    kraken = owner.account
    kraken.pk, kraken.public_id, kraken.exchange = None, "a_kraken", "kraken_futures"
    kraken.save()

    with Region(all_filled, regions=("tokyo",)):
        answer = caller.post(owner.path, f"{OTHER}\nETHUSD on Kraken_F market long 1")

    told = [(each["status"], (each["error"] or {}).get("code")) for each in answer.json()["results"]]
    assert (answer.status_code, answer.json()["status"]) == (200, "partial")
    assert told == [("filled", None), ("not_sent", "REGION_DOWN")]


def test_without_the_database_nothing_is_queued(caller: Caller, owner: Trader, region: Region) -> None:
    threads.drain()
    server = connections.settings["default"]
    port, server["PORT"] = server["PORT"], "1"
    try:
        answer = caller.post(owner.path)
    finally:
        server["PORT"] = port

    assert answer.status_code == 503
    assert caller.post(owner.path).status_code == 200
    assert len(region.jobs) == 1


def test_connections_that_the_database_closed_are_opened_again(
    caller: Caller, owner: Trader, region: Region
) -> None:
    caller.post(owner.path)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    assert [caller.post(owner.path).status_code for _ in range(threads.THREADS)] == [200] * threads.THREADS


def test_database_that_hangs_is_given_up_and_the_row_says_so(
    caller: Caller, owner: Trader, region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "ACCEPT_SECONDS", 0.3)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE webhooks_delivery IN ACCESS EXCLUSIVE MODE")
        answer = caller.post(owner.path)

    assert answer.status_code == 503
    row = owner.latest()
    assert (row.status, row.http_status) == (DeliveryStatus.UNQUEUED, 503)
    assert (Order.objects.get().status, region.jobs) == ("not_sent", [])


# -- secrets and cost ------------------------------------------------------------------------------------


def test_what_goes_wrong_beside_a_webhook_is_told_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    threads.aside(broken)
    threads.drain()

    assert "ZeroDivisionError" in caplog.text
    assert QUOTED not in caplog.text


def test_tokens_are_masked_in_the_log(caller: Caller, owner: Trader, settings: Any) -> None:
    [handler] = [each for each in logging.getLogger().handlers if each.filters]
    assert isinstance(handler, logging.StreamHandler)
    log = io.StringIO()
    before = handler.setStream(log)
    try:
        caller.post(owner.path, "nonsense")
        caller.get(f"/webhook/{owner.user.public_id}/{owner.token}x")
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        caller.post(owner.path)
    finally:
        handler.setStream(before)

    assert "/***" in log.getvalue()
    assert owner.token not in log.getvalue()


def test_answers_do_not_hold_keys(caller: Caller, owner: Trader, region: Region) -> None:
    assert owner.account.sealed not in caller.post(owner.path).text
    assert region.jobs[0].account.sealed == owner.account.sealed


def test_waiting_webhooks_do_not_hold_up_others(
    caller: Caller, owner: Trader, region: Region, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than there are threads: each is answered only when all of them have been queued."""
    settings.HOOK_RATE = "1000/1"
    for name in ("ACCEPT_SECONDS", "ANSWER_SECONDS"):  # this is not about how fast the machine is
        monkeypatch.setattr(reception, name, 20)
    count = 2 * (threads.THREADS + LANES)
    held: list[Job] = []

    def release_all(job: Job) -> None:
        held.append(job)
        if len(held) == count:
            for each in held:
                outcome.announce(each.region, each.reply_to, outcome_of(each, all_filled(each)))

    region.answer = release_all

    answers = caller.together(*[(f"{owner.path}?wait=20", f"{ORDER} // {number}") for number in range(count)])

    assert {answer.status_code for answer in answers} == {200}
