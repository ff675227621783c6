"""A planted secret is entered through the page and the API, and then looked for everywhere."""

from __future__ import annotations

import base64
import json
import logging

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import flows, vault
from accounts.models import Account, ApiToken, Hook, User
from exchanges.types import Credentials
from tests.accounts.conftest import reauthenticated

KEY = "AKIAPLANTEDKEY99887766"
SECRET = "planted-secret-5f1c9a7e3b"
PASSPHRASE = "planted-passphrase-77"
PLANTED = (KEY, SECRET, PASSPHRASE)
SPELLINGS = tuple(
    spelling
    for text in PLANTED
    for spelling in (text, text.encode().hex(), base64.b64encode(text.encode()).decode().rstrip("="))
)


def database_dump() -> str:
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        dump = []
        for table in tables:
            cursor.execute(f"SELECT row_to_json(t)::text FROM {connection.ops.quote_name(table)} AS t")
            dump += [f"{table} {row}" for (row,) in cursor.fetchall()]
    return "\n".join(dump)


def found(text: str) -> list[str]:
    return [spelling for spelling in SPELLINGS if spelling in text]


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def enter(browser: Client, **changed: str):
    form = {"label": "main", "environment": "live", "key": KEY, "secret": SECRET, "passphrase": PASSPHRASE}
    return browser.post("/accounts/add/binance/", form | changed, follow=True)


def test_a_key_entered_on_the_page_is_found_nowhere(owner: User, owner_browser: Client, said):
    answers = [enter(owner_browser)]
    account = Account.objects.get()
    answers += [
        owner_browser.get(f"/accounts/{account.public_id}/{part}")
        for part in ("", "change/", "key/", "status/")
    ]
    answers += [owner_browser.get(where) for where in ("/", "/accounts/", "/api/accounts/")]
    replaced = {"key": KEY, "secret": SECRET}
    answers.append(owner_browser.post(f"/accounts/{account.public_id}/key/", replaced, follow=True))
    assert all(answer.status_code == 200 for answer in answers)
    pages = "".join(answer.content.decode() for answer in answers)
    assert account.key_fingerprint in pages  # the pages are those of this account
    assert found(pages) == []
    assert found(database_dump()) == []
    assert found(said.text) == []
    assert found(repr(account) + repr(vars(account))) == []


@pytest.mark.parametrize(
    "changed", [{"label": "two words"}, {"environment": "moon"}, {"secret": f"{SECRET} blank"}]
)
def test_a_form_sent_back_repeats_no_secret(owner_browser: Client, said, changed: dict[str, str]):
    page = enter(owner_browser, **changed).content.decode()
    assert 'class="errors"' in page
    assert found(page) == []
    assert found(said.text) == []


def test_the_api_repeats_no_secret_whether_it_accepts_or_not(owner: User, said):
    token = flows.create_api_token(owner, "program")[1]
    program = Client(headers={"Authorization": f"Bearer {token}"})
    for exchange in ("binance", "mtgox"):
        asked = {"exchange": exchange, "label": "api", "key": KEY, "secret": SECRET, "passphrase": PASSPHRASE}
        answer = program.post("/api/accounts/", asked, content_type="application/json")
        assert found(answer.content.decode()) == []
    assert Account.objects.exists()
    assert found(database_dump()) == []
    assert found(said.text) == []


def test_no_statement_carries_a_secret(owner_browser: Client):
    with CaptureQueriesContext(connection) as queries:
        enter(owner_browser)
    assert Account.objects.exists()
    assert found(json.dumps(queries.captured_queries)) == []


@pytest.mark.parametrize("debug", [False, True])
def test_a_crash_of_the_page_tells_no_secret(owner: User, settings, said, debug: bool):
    """The sealing key is broken: what reaches the log and the error's own page?"""
    settings.VAULT_PUBLIC_KEY, settings.DEBUG = "broken", debug
    browser = Client(raise_request_exception=False)
    browser.force_login(owner)
    answer = enter(browser)
    assert answer.status_code == 500
    assert ("add_account" in answer.content.decode()) == debug
    assert "VaultError" in said.text
    assert found(answer.content.decode()) == []
    assert found(said.text) == []


def test_a_crash_of_the_api_tells_no_secret(owner: User, settings, said):
    settings.VAULT_PUBLIC_KEY, settings.DEBUG = "broken", True
    token = flows.create_api_token(owner, "program")[1]
    program = Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)
    asked = {"exchange": "binance", "label": "api", "key": KEY, "secret": SECRET}
    answer = program.post("/api/accounts/", asked, content_type="application/json")
    assert answer.status_code == 500
    assert "add_account" in answer.content.decode()
    assert found(answer.content.decode() + said.text) == []


def test_hook_and_api_tokens_are_not_in_the_database(owner: User, owner_browser: Client, said):
    hook, token = flows.create_hook(owner, "breakout")
    fresh = flows.rotate_hook_token(hook)
    api_token = flows.create_api_token(owner, "program")[1]
    reauthenticated(owner_browser).get(f"/hooks/{hook.public_id}/url/")
    kept = database_dump() + said.text + repr(hook) + repr(ApiToken.objects.get())
    assert not [text for text in (token, fresh, api_token) if text in kept]


def test_credentials_do_not_print_themselves():
    assert found(repr(Credentials(*PLANTED)) + str(Credentials(*PLANTED))) == []


def test_the_database_and_the_web_tiers_keys_together_open_nothing(owner: User, settings):
    flows.add_account(owner, "binance", "main", "live", Credentials(*PLANTED))
    settings.VAULT_PRIVATE_KEYS = ""  # what a web server has
    account = Account.objects.get()
    with pytest.raises(vault.VaultError):
        vault.unseal(account.sealed, user=owner.public_id, account=account.public_id, exchange="binance")


def test_a_dump_of_fixtures_shows_no_secret(owner: User, hook: Hook, capsys):
    flows.add_account(owner, "binance", "main", "live", Credentials(*PLANTED))
    call_command("dumpdata", "accounts")
    assert found(capsys.readouterr().out) == []
