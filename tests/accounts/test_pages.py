"""The pages, with an owner and a stranger on each."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import flows, tokens
from accounts.models import Account, ApiToken, Hook, User
from exchanges.types import Credentials, KeyInfo
from tests.accounts.conftest import reauthenticated

OF_AN_ACCOUNT = ["account", "account_status", "account_change", "account_replace", "account_delete"]
ACCOUNT_VERBS = [
    "account_check",
    "account_insist",
    "account_pause",
    "account_resume",
    "account_default",
    "account_delete",
]
OF_A_HOOK = ["hook", "hook_change", "hook_rotate", "hook_delete"]
HOOK_VERBS = ["hook_rotate", "hook_enable", "hook_disable", "hook_delete"]
OF_NOTHING = ["home", "accounts", "account_choose", "hooks", "hook_add", "settings"]


def at(name: str, *args: str) -> str:
    return reverse(f"accounts:{name}", args=args)


def snapshot() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in (Account, Hook, ApiToken)]


# -- owner and stranger ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OF_AN_ACCOUNT)
def test_an_account_is_seen_by_its_owner_only(
    name, account: Account, owner_browser: Client, stranger_browser: Client
):
    assert owner_browser.get(at(name, account.public_id)).status_code == 200
    assert stranger_browser.get(at(name, account.public_id)).status_code == 404


@pytest.mark.parametrize("name", OF_A_HOOK)
def test_a_hook_is_seen_by_its_owner_only(name, hook: Hook, owner_browser: Client, stranger_browser: Client):
    assert owner_browser.get(at(name, hook.public_id)).status_code == 200
    assert stranger_browser.get(at(name, hook.public_id)).status_code == 404


@pytest.mark.parametrize("name", [*ACCOUNT_VERBS, "account_change", "account_replace"])
def test_a_stranger_changes_no_account(name, account: Account, stranger_browser: Client):
    before = snapshot()
    asked = {"label": "stolen", "opposite_signal": "reverse", "key": "k" * 20, "secret": "s" * 20}
    asked["accept_withdrawal"] = "1"
    assert stranger_browser.post(at(name, account.public_id), asked).status_code == 404
    assert snapshot() == before


@pytest.mark.parametrize("name", [*HOOK_VERBS, "hook_change"])
def test_a_stranger_changes_no_hook(name, hook: Hook, stranger_browser: Client):
    before = snapshot()
    asked = {"name": "stolen", "stop_policy": "keep", "allowed_sources": ""}
    assert stranger_browser.post(at(name, hook.public_id), asked).status_code == 404
    assert snapshot() == before


def test_a_stranger_never_sees_a_url(hook: Hook, stranger_browser: Client):
    assert reauthenticated(stranger_browser).get(at("hook_url", hook.public_id)).status_code == 404


def test_a_stranger_deletes_no_api_token(owner: User, stranger_browser: Client):
    row = flows.create_api_token(owner, "deploy")[0]
    assert stranger_browser.post(at("settings_token_delete", row.public_id)).status_code == 404
    assert ApiToken.objects.exists()


@pytest.mark.parametrize("name", OF_NOTHING)
def test_lists_show_a_stranger_nothing_of_the_owner(
    name, account: Account, hook: Hook, stranger_browser: Client
):
    page = stranger_browser.get(at(name)).content.decode()
    for told in (account.public_id, account.key_fingerprint, hook.public_id, hook.name, account.user.email):
        assert told not in page


@pytest.mark.parametrize("name", [name for name in OF_NOTHING if name != "home"])
def test_visitors_are_asked_to_log_in(name, db):
    answer = Client().get(at(name))
    assert (answer.status_code, answer["Location"]) == (302, f"/user/login/?next={at(name)}")


@pytest.mark.parametrize("name", [*OF_AN_ACCOUNT, *ACCOUNT_VERBS])
def test_visitors_reach_no_account(name, account: Account):
    for answer in (Client().get(at(name, account.public_id)), Client().post(at(name, account.public_id))):
        assert answer.status_code in {302, 405}
    assert Account.objects.filter(pk=account.pk, status="unverified").exists()


@pytest.mark.parametrize(
    "name", ["account_pause", "account_insist", "account_default", "account_check", "account_resume"]
)
def test_verbs_are_not_for_links(name, account: Account, owner_browser: Client):
    assert owner_browser.get(at(name, account.public_id)).status_code == 405


def test_forms_need_their_csrf_token(account: Account, owner: User):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    assert browser.post(at("account_pause", account.public_id)).status_code == 403


# -- what the pages do -------------------------------------------------------------------------------------


def test_a_visitor_is_told_what_flipr_does(db):
    page = Client().get("/").content.decode()
    assert "One protected position" in page
    for exchange in ("Binance", "ByBit", "Kraken"):
        assert exchange in page


def test_a_new_user_is_shown_three_steps(owner_browser: Client):
    page = owner_browser.get("/").content.decode()
    assert "Three steps to the first trade" in page
    assert "BTCUSDT on Binance_F market long 0.01 sl off 2% tp off 5%" in page


def test_the_sample_is_for_the_users_own_exchange(owner: User, account: Account, owner_browser: Client):
    flows.delete_account(account)
    flows.add_account(
        owner, "bybit", "practice", "testnet", Credentials("AKIAPRACTICEKEY12345", "practice-secret")
    )
    assert "BTCUSDT on ByBit_FT market long" in owner_browser.get("/").content.decode()


def test_adding_a_key_shows_that_it_is_being_checked(
    owner_browser: Client, asked, django_capture_on_commit_callbacks
):
    form = {"label": "main", "environment": "live", "key": "AKIAPAGEKEY00001234", "secret": "page-secret"}
    with django_capture_on_commit_callbacks(execute=True):
        answer = owner_browser.post(at("account_add", "binance"), form, follow=True)
    account = Account.objects.get()
    assert asked == [account]
    assert answer.redirect_chain == [(at("account", account.public_id), 302)]
    assert f'data-watch="{at("account_status", account.public_id)}"' in answer.content.decode()


def test_the_watched_part_stops_watching_when_the_check_is_done(account: Account, owner_browser: Client):
    flows.record_check(account.public_id, account.sealed, KeyInfo(can_trade=True, can_withdraw=False))
    part = owner_browser.get(at("account_status", account.public_id)).content.decode()
    assert "data-watch" not in part
    assert "Verified" in part


def test_a_key_without_an_address_lock_is_taken_with_a_warning(account: Account, owner_browser: Client):
    info = KeyInfo(can_trade=True, can_withdraw=False, ip_locked=False)
    flows.record_check(account.public_id, account.sealed, info)
    part = owner_browser.get(at("account_status", account.public_id)).content.decode()
    assert "Verified" in part
    assert '<span class="badge badge--wait">Off</span>' in part
    assert "works from our addresses only" in part


def test_a_key_that_may_withdraw_is_refused_until_its_owner_insists(
    account: Account, owner_browser: Client, asked
):
    info = KeyInfo(can_trade=True, can_withdraw=True)
    flows.record_check(account.public_id, account.sealed, info)
    page = owner_browser.get(at("account", account.public_id)).content.decode()
    assert "Rejected" in page
    assert "This key may withdraw." in page
    assert "Key refused, because it may withdraw." in page

    answer = owner_browser.post(at("account_insist", account.public_id), follow=True)
    assert "Tick the box" in answer.content.decode()
    account.refresh_from_db()
    assert (account.status, account.withdrawal_accepted) == ("rejected", False)

    owner_browser.post(at("account_insist", account.public_id), {"accept_withdrawal": "1"})
    flows.record_check(account.public_id, account.sealed, info)
    page = owner_browser.get(at("account", account.public_id)).content.decode()
    assert "Verified" in page
    assert "Allowed, as you insist" in page
    assert "as its owner insists." in page
    assert 'name="accept_withdrawal"' not in page


def test_who_insists_in_the_form_is_believed_at_the_check(owner_browser: Client):
    form = {"label": "main", "environment": "live", "key": "AKIAPAGEKEY00001234", "secret": "page-secret"}
    owner_browser.post(at("account_add", "binance"), form | {"accept_withdrawal": "on"})
    account = Account.objects.get()
    flows.record_check(account.public_id, account.sealed, KeyInfo(can_withdraw=True))
    account.refresh_from_db()
    assert account.status == "verified"
    page = owner_browser.get(at("account", account.public_id)).content.decode()
    assert "Key added, to be taken even if it may withdraw." in page


def test_insisting_is_about_one_key(account: Account, owner_browser: Client):
    flows.insist_on_key(account)
    keys = {"key": "AKIAPAGEKEY00001234", "secret": "page-secret"}
    owner_browser.post(at("account_replace", account.public_id), keys)
    account.refresh_from_db()
    assert account.withdrawal_accepted is False


def test_a_check_that_could_not_be_made_is_no_verdict(account: Account, owner_browser: Client):
    Account.objects.update(status_reason="not checked: the exchange could not be reached")
    part = owner_browser.get(at("account_status", account.public_id)).content.decode()
    assert "data-watch" not in part
    assert "could not be reached" in part
    assert "That says nothing about the key." in part


def test_a_check_that_takes_long_says_that_it_may_be_asked_again(account: Account, owner_browser: Client):
    where = at("account_status", account.public_id)
    assert "longer than usual" not in owner_browser.get(where).content.decode()
    Account.objects.update(updated=timezone.now() - timedelta(minutes=1))
    assert "longer than usual" in owner_browser.get(where).content.decode()


def test_a_rejected_key_says_what_the_exchange_said(account: Account, owner_browser: Client):
    flows.record_refusal(account.public_id, account.sealed, "Binance answered: <b>invalid</b>")
    page = owner_browser.get(at("account", account.public_id)).content.decode()
    assert "Binance answered: &lt;b&gt;invalid&lt;/b&gt;" in page


def test_a_wrong_key_form_explains_itself_and_repeats_no_key(owner_browser: Client):
    form = {"label": "two words", "environment": "live", "key": "AKIA planted", "secret": "the-secret"}
    answer = owner_browser.post(at("account_add", "binance"), form)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Use letters, digits" in page
    assert "AKIA planted" not in page
    assert "the-secret" not in page


def test_key_fields_are_not_for_the_browser_to_remember(owner_browser: Client):
    page = owner_browser.get(at("account_add", "binance")).content.decode()
    inputs = re.findall(r"<input[^>]*name=\"(?:key|secret)\"[^>]*>", page)
    assert len(inputs) == 2
    assert all('autocomplete="off"' in field for field in inputs)
    assert 'type="password"' in inputs[1]


def test_an_account_that_ccxt_opens_is_marked_wherever_it_is_shown(owner: User, owner_browser: Client):
    keys = Credentials("AKIAGENERICKEY001234", "generic-secret")
    account = flows.add_account(owner, "woo", "far", "live", keys)
    for where in (at("home"), at("accounts"), at("account", account.public_id), at("account_add", "woo")):
        assert ">generic</span>" in owner_browser.get(where).content.decode(), where
    flows.delete_account(account)
    assert ">generic</span>" not in owner_browser.get(at("home")).content.decode()
    assert "Generic, through ccxt" in owner_browser.get(at("account_choose")).content.decode()


def test_an_unknown_exchange_has_no_form(owner_browser: Client):
    assert owner_browser.get(at("account_add", "mtgox")).status_code == 404


@pytest.mark.parametrize(("verb", "status"), [("account_pause", "paused"), ("account_check", "unverified")])
def test_a_verb_returns_to_the_account(verb, status, account: Account, owner_browser: Client):
    answer = owner_browser.post(at(verb, account.public_id))
    assert answer["Location"] == at("account", account.public_id)
    account.refresh_from_db()
    assert account.status == status


def test_a_refused_deletion_says_why(account: Account, owner_browser: Client):
    flows.reasons_to_keep.append(lambda _: "It guards an open position.")
    page = owner_browser.post(at("account_delete", account.public_id)).content.decode()
    assert "It guards an open position." in page


def test_a_hook_is_created_with_its_policy_and_leads_to_its_url(owner_browser: Client):
    answer = owner_browser.post(at("hook_add"), {"name": "breakout", "stop_policy": "keep"})
    hook = Hook.objects.get()
    assert hook.stop_policy == "keep"
    assert answer["Location"] == at("hook_url", hook.public_id)


def test_a_url_is_shown_only_after_the_password(owner: User, owner_browser: Client):
    hook, token = flows.create_hook(owner, "breakout")
    where = at("hook_url", hook.public_id)
    refused = owner_browser.get(where)
    assert refused.status_code == 302
    assert refused["Location"].startswith("/user/reauthenticate/")
    page = reauthenticated(owner_browser).get(where)
    assert f"/webhook/{owner.public_id}/{token}" in page.content.decode()
    assert "no-store" in page["Cache-Control"]


def test_no_other_page_shows_the_token(owner: User, owner_browser: Client):
    hook, token = flows.create_hook(owner, "breakout")
    reauthenticated(owner_browser)
    for name in OF_A_HOOK:
        assert token not in owner_browser.get(at(name, hook.public_id)).content.decode()


def test_rotating_keeps_the_old_url_for_a_day_unless_it_must_end_now(owner: User, owner_browser: Client):
    hook, first = flows.create_hook(owner, "breakout")
    owner_browser.post(at("hook_rotate", hook.public_id))
    assert tokens.find_hook(owner.public_id, first) == hook
    assert "works until" in owner_browser.get(at("hook", hook.public_id)).content.decode()
    owner_browser.post(at("hook_rotate", hook.public_id), {"now": "1"})
    assert tokens.find_hook(owner.public_id, first) is None


def test_addresses_are_read_from_lines(hook: Hook, owner_browser: Client):
    form = {"name": "b2", "stop_policy": "keep", "allowed_sources": "203.0.113.7\r\n\r\n198.51.100.0/24"}
    owner_browser.post(at("hook_change", hook.public_id), form)
    hook.refresh_from_db()
    assert (hook.name, hook.stop_policy) == ("b2", "keep")
    assert hook.allowed_sources == ["203.0.113.7", "198.51.100.0/24"]


def test_a_wrong_address_is_explained(hook: Hook, owner_browser: Client):
    form = {"name": "breakout", "stop_policy": "close", "allowed_sources": "example.com"}
    page = owner_browser.post(at("hook_change", hook.public_id), form).content.decode()
    assert "is not an address like" in page


def test_an_api_token_is_shown_once_and_works(owner: User, owner_browser: Client):
    assert owner_browser.get(at("settings_token_add")).status_code == 302
    page = reauthenticated(owner_browser).post(at("settings_token_add"), {"name": "deploy"}).content.decode()
    token = re.search(r"flipr_[\w-]+", page)
    assert token is not None
    assert flows.find_api_user(token.group()) == owner
    assert token.group() not in owner_browser.get(at("settings")).content.decode()


def test_a_paused_user_reads_why_on_every_page(owner: User, owner_browser: Client):
    flows.pause_user(owner, "Please answer our mail.")
    for name in OF_NOTHING:
        assert "Please answer our mail." in owner_browser.get(at(name)).content.decode()


@pytest.mark.parametrize("where", ["/", "/user/login/", "/nowhere/"])
def test_every_page_forbids_what_comes_from_elsewhere(where, db):
    answer = Client().get(where)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    page = answer.content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert " style=" not in page
    assert not re.search(r"\son\w+=", page)
