"""The REST API, with an owner and a stranger on each address."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts import flows, tokens
from accounts.models import Account, Hook, User
from exchanges.types import KeyInfo

NEW_KEY: dict[str, object] = {
    "exchange": "binance",
    "label": "api",
    "key": "AKIAAPIKEY000001234",
    "secret": "api-secret-0001",
}


def program(user: User, *, enforce_csrf_checks: bool = False) -> Client:
    token = flows.create_api_token(user, "program")[1]
    headers = {"Authorization": f"Bearer {token}"}
    return Client(enforce_csrf_checks=enforce_csrf_checks, headers=headers)


@pytest.fixture
def owners(owner: User) -> Client:
    return program(owner)


@pytest.fixture
def strangers(stranger: User) -> Client:
    return program(stranger)


def post(client: Client, path: str, asked: Mapping[str, object] | None = None):
    return client.post(path, asked or {}, content_type="application/json")


def test_a_key_goes_in_and_does_not_come_out(owners: Client):
    answer = post(owners, "/api/accounts/", NEW_KEY)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["label"], told["status"], told["environment"]) == ("api", "unverified", "live")
    listed = owners.get("/api/accounts/")
    assert [row["id"] for row in listed.json()] == [told["id"]]
    for text in (answer.content.decode(), listed.content.decode()):
        assert "api-secret-0001" not in text
        assert "AKIAAPIKEY000001234" not in text
        assert Account.objects.get().sealed not in text


def test_a_key_that_may_withdraw_is_taken_when_the_program_insists_only(owners: Client):
    statuses = {}
    cases: dict[str, dict[str, object]] = {"plain": {}, "insisted": {"accept_withdrawal": True}}
    for label, insists in cases.items():
        told = post(owners, "/api/accounts/", NEW_KEY | {"label": label} | insists).json()
        account = Account.objects.get(public_id=told["id"])
        flows.record_check(account.public_id, account.sealed, KeyInfo(can_trade=True, can_withdraw=True))
        answer = owners.get(f"/api/accounts/{told['id']}/").json()
        statuses[label] = (answer["status"], answer["accept_withdrawal"])
        assert [each["title"] for each in answer["warnings"]] == ["Withdrawal"]
    assert statuses == {"plain": ("rejected", False), "insisted": ("verified", True)}


def test_a_program_insists_later_and_the_history_says_so(account: Account, owners: Client, strangers: Client):
    flows.record_check(account.public_id, account.sealed, KeyInfo(can_withdraw=True))
    where = f"/api/accounts/{account.public_id}"
    assert post(strangers, f"{where}/insist/").status_code == 404
    assert strangers.get(f"{where}/history/").status_code == 404
    assert post(owners, f"{where}/insist/").json()["status"] == "unverified"
    told = owners.get(f"{where}/history/").json()
    assert [each["text"] for each in told] == [
        "Key taken although it may withdraw, as its owner insists.",
        "Key refused, because it may withdraw.",
        "Key added.",
    ]
    assert {each["subject"] for each in told} == {"Binance main, key AKIA…1234"}


def test_a_missing_address_lock_is_a_warning(account: Account, owners: Client):
    info = KeyInfo(can_trade=True, can_withdraw=False, ip_locked=False)
    flows.record_check(account.public_id, account.sealed, info)
    answer = owners.get(f"/api/accounts/{account.public_id}/").json()
    assert answer["status"] == "verified"
    assert [each["title"] for each in answer["warnings"]] == ["Address lock"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"label": "two words"}, "label"),
        ({"exchange": "mtgox"}, "exchange"),
        ({"secret": "two words"}, "secret"),
        ({"environment": "moon"}, "environment"),
        ({"key": None}, "key"),
        ({"enviroment": "testnet"}, "enviroment"),
    ],
)
def test_what_is_wrong_is_said_by_field(owners: Client, changed: dict[str, object], field: str):
    answer = post(owners, "/api/accounts/", NEW_KEY | changed)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert "two words" not in answer.content.decode()
    assert not Account.objects.exists()


@pytest.mark.parametrize("unknown", ["allowed_sources", "stop_polcy"])
def test_a_hook_is_not_made_without_what_was_asked_for(owners: Client, unknown: str):
    answer = post(owners, "/api/hooks/", {"name": "a", unknown: "198.51.100.1"})
    assert (answer.status_code, list(answer.json())) == (400, [unknown])
    assert not Hook.objects.exists()


def test_a_stranger_finds_no_account(account: Account, strangers: Client):
    assert strangers.get("/api/accounts/").json() == []
    where = f"/api/accounts/{account.public_id}/"
    assert strangers.get(where).status_code == 404
    assert strangers.delete(where).status_code == 404
    for verb in ("check", "pause", "resume", "default"):
        assert post(strangers, f"{where}{verb}/").status_code == 404
    assert Account.objects.get() == account


def test_a_stranger_finds_no_hook(hook: Hook, strangers: Client):
    assert strangers.get("/api/hooks/").json() == []
    where = f"/api/hooks/{hook.public_id}/"
    assert strangers.get(where).status_code == 404
    assert strangers.delete(where).status_code == 404
    before = Hook.objects.values().get()
    for verb in ("enable", "disable", "rotate"):
        assert post(strangers, f"{where}{verb}/").status_code == 404
    assert Hook.objects.values().get() == before


@pytest.mark.parametrize("where", ["/api/", "/api/nope/", "/api/nope", "/api/accounts/a/b/c/"])
def test_a_program_is_told_in_json_that_there_is_nothing(owners: Client, where: str):
    for answer in (owners.get(where), post(owners, where)):
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


def test_without_its_last_slash_an_address_keeps_the_method(owners: Client):
    answer = post(owners, "/api/hooks?format=json", {"name": "a"})
    assert (answer.status_code, answer["Location"]) == (308, "/api/hooks/?format=json")
    assert not Hook.objects.exists()
    made = owners.post("/api/hooks", {"name": "a"}, content_type="application/json", follow=True)
    assert (made.status_code, made.json()["name"]) == (201, "a")


def test_an_account_is_paused_resumed_and_deleted(account: Account, owners: Client):
    where = f"/api/accounts/{account.public_id}/"
    assert post(owners, f"{where}pause/").json()["status"] == "paused"
    assert post(owners, f"{where}resume/").json()["status"] == "unverified"
    assert owners.delete(where).status_code == 204
    assert not Account.objects.exists()


def test_a_refused_deletion_says_why(account: Account, owners: Client):
    flows.reasons_to_keep.append(lambda _: "It guards an open position.")
    answer = owners.delete(f"/api/accounts/{account.public_id}/")
    assert answer.status_code == 400
    assert "It guards an open position." in answer.content.decode()


def test_an_unknown_verb_is_not_found(account: Account, hook: Hook, owners: Client):
    assert post(owners, f"/api/accounts/{account.public_id}/explode/").status_code == 404
    assert post(owners, f"/api/hooks/{hook.public_id}/explode/").status_code == 404


def test_a_hooks_url_comes_out_when_made_and_when_rotated_only(owner: User, owners: Client):
    made = post(owners, "/api/hooks/", {"name": "from a program"}).json()
    assert tokens.find_hook(owner.public_id, made["url"].rsplit("/", 1)[1]) == Hook.objects.get()
    where = f"/api/hooks/{made['id']}/"
    rotated = post(owners, f"{where}rotate/").json()
    assert rotated["url"] != made["url"]
    assert "url" not in owners.get(where).json()
    assert post(owners, f"{where}disable/").json()["enabled"] is False
    assert owners.delete(where).status_code == 204


def test_a_browser_is_told_no_url_that_trades(owner: User, hook: Hook, owner_browser: Client):
    """The pages ask for the password first, even where it was typed a moment ago."""
    before = Hook.objects.values_list("token_digest").get()
    made = post(owner_browser, "/api/hooks/", {"name": "from a browser"})
    rotated = post(owner_browser, f"/api/hooks/{hook.public_id}/rotate/")
    assert (made.status_code, rotated.status_code) == (403, 403)
    assert "API token" in made.json()["detail"]
    assert Hook.objects.values_list("token_digest").get() == before
    assert post(owner_browser, f"/api/hooks/{hook.public_id}/disable/").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "a", "stop_policy": "\\ud800"}',
        b'{"name": "\\udfff"}',
        b'{"name": "a", "\\ud800": 1}',
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": NaN}',
        b"1" * 10_000,
        b"\xff\xfe[\x00",
        b"",
    ],
)
@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-16", "application/json; charset=zlib"]
)
def test_json_that_cannot_be_understood_is_the_callers_mistake(owners: Client, body: bytes, kind: str):
    answer = owners.generic("POST", "/api/hooks/", body, content_type=kind)
    assert answer.status_code == 400
    assert answer.json()
    assert not Hook.objects.exists()


def test_a_whole_pair_of_surrogates_is_a_letter(owners: Client):
    answer = owners.post("/api/hooks/", b'{"name": "\\ud83d\\ude80"}', content_type="application/json")
    assert (answer.status_code, answer.json()["name"]) == (201, "\N{ROCKET}")


def test_a_user_may_ask_so_often_by_whatever_way(
    owners: Client, owner_browser: Client, strangers: Client, settings: LazySettings
):
    settings.API_RATE = "3/60"
    paths = ("/api/accounts/", "/api/hooks/", "/api/orders/", "/api/deliveries/")
    answers = [owners.get(path) for path in paths]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[3]["Retry-After"]) <= 20
    assert answers[3].json()["detail"]
    assert owner_browser.get("/api/accounts/").status_code == 429
    assert strangers.get("/api/accounts/").status_code == 200


def test_without_redis_the_api_answers_uncounted(owners: Client, settings: LazySettings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert owners.get("/api/accounts/").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer \xff"}, {"Authorization": "Bearer"}],
)
def test_without_a_token_nothing_is_told(account: Account, headers: dict[str, str]):
    answer = Client(headers=headers).get("/api/accounts/")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_session_needs_the_csrf_token(owner: User):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    assert browser.get("/api/accounts/").status_code == 200
    assert post(browser, "/api/accounts/", NEW_KEY).status_code == 403
    assert post(program(owner, enforce_csrf_checks=True), "/api/accounts/", NEW_KEY).status_code == 201


def test_answers_are_not_kept(owners: Client):
    assert owners.get("/api/accounts/")["Cache-Control"] == "no-store"
