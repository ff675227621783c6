"""Support's pages: what they show, what they never show, what they do."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts import flows
from accounts.models import Account, ApiToken, Hook, User
from exchanges.types import Credentials
from tests.accounts.conftest import enrol, logged_in

MODELS = ["user", "account", "hook", "apitoken"]


@pytest.fixture
def support(db) -> Client:
    user = enrol("support@example.com")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    return logged_in(user)


@pytest.fixture
def rows(owner: User, account: Account, hook: Hook) -> dict[str, User | Account | Hook | ApiToken]:
    flows.rotate_hook_token(hook)
    api_token = flows.create_api_token(owner, "program")[0]
    return {"user": owner, "account": account, "hook": hook, "apitoken": api_token}


def changelist(model: str) -> str:
    return reverse(f"admin:accounts_{model}_changelist")


def act(browser: Client, model: str, action: str, row: User | Account | Hook):
    return browser.post(changelist(model), {"action": action, "_selected_action": row.pk}, follow=True)


@pytest.mark.parametrize("model", MODELS)
def test_no_page_shows_a_secret(model: str, support: Client, rows, owner: User):
    secrets = [owner.password, rows["account"].sealed, rows["apitoken"].token_digest]
    hook = Hook.objects.get()
    secrets += [hook.token_digest, hook.token_sealed, hook.previous_digest]
    pages = [
        support.get(changelist(model)),
        support.get(reverse(f"admin:accounts_{model}_change", args=[rows[model].pk])),
    ]
    for page in pages:
        assert page.status_code == 200
        assert not [secret for secret in secrets if secret[:20] in page.content.decode()]
        assert owner.password.split("$")[-1][:6] not in page.content.decode()


@pytest.mark.parametrize("model", MODELS)
def test_rows_are_found_by_address_and_public_id(model: str, support: Client, rows, owner: User):
    enrol("somebody@example.com")
    for words in (owner.email, owner.public_id, rows[model].public_id):
        page = support.get(changelist(model), {"q": words})
        assert [row.pk for row in page.context["cl"].result_list] == [rows[model].pk]


@pytest.mark.parametrize("model", MODELS)
def test_users_do_not_reach_it(model: str, owner_browser: Client):
    assert owner_browser.get(changelist(model)).status_code in {302, 403}


def test_a_user_is_paused_and_resumed(support: Client, owner: User):
    act(support, "user", "pause", owner)
    owner.refresh_from_db()
    assert (owner.is_paused, owner.pause_reason) == (True, "Paused by support.")
    act(support, "user", "resume", owner)
    owner.refresh_from_db()
    assert not owner.is_paused


def test_an_account_is_paused_and_resumed_with_a_check(
    support: Client, account: Account, asked, django_capture_on_commit_callbacks
):
    act(support, "account", "pause", account)
    account.refresh_from_db()
    assert (account.status, account.status_reason) == ("paused", "Paused by support.")
    with django_capture_on_commit_callbacks(execute=True):
        act(support, "account", "resume", account)
    assert asked == [account]


def test_the_page_of_an_account_tells_its_history(support: Client, account: Account):
    flows.replace_key(account, Credentials("AKIAOTHERKEY00001234", "owner-secret-0002"))
    page = support.get(reverse("admin:accounts_account_change", args=[account.pk])).content.decode()
    assert "Key replaced" in page
    assert 'name="events-0-text"' not in page


def test_the_page_of_a_user_leads_to_what_is_theirs(support: Client, owner: User):
    page = support.get(reverse("admin:accounts_user_change", args=[owner.pk])).content.decode()
    for where in ("accounts/account", "accounts/hook", "webhooks/delivery", "execution/order"):
        assert f'href="/admin/{where}/?q={owner.public_id}"' in page


@pytest.fixture
def colleague(db: None) -> Client:
    """Of support, and no superuser."""
    user = enrol("colleague@example.com")
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="accounts", codename__regex="^(view|change)_")
    )
    return logged_in(user)


@pytest.mark.parametrize("change", [{"email": "colleague+1@example.com"}, {"is_superuser": "on"}])
def test_only_superusers_change_who_somebody_is(colleague: Client, owner: User, change: dict[str, str]):
    form = {"email": owner.email, "plan": "large", "pause_reason": "", "is_active": "on"}
    where = reverse("admin:accounts_user_change", args=[owner.pk])
    assert colleague.post(where, form | change).status_code == 302
    now = User.objects.get(pk=owner.pk)
    assert (now.plan, now.email, now.is_superuser, now.is_active) == ("large", owner.email, False, True)


def test_only_superusers_set_passwords(colleague: Client, support: Client, owner: User):
    where = reverse("admin:auth_user_password_change", args=[owner.pk])
    assert colleague.get(where).status_code == 403
    assert support.get(where).status_code == 200


def test_a_hook_is_switched_off_and_on(support: Client, hook: Hook):
    act(support, "hook", "disable", hook)
    assert not Hook.objects.get().enabled
    act(support, "hook", "enable", hook)
    assert Hook.objects.get().enabled


@pytest.mark.parametrize(
    ("model", "action", "told"),
    [
        ("user", "pause", "Paused."),
        ("user", "resume", "Resumed."),
        ("account", "pause", "Paused."),
        ("hook", "disable", "Switched off."),
        ("hook", "enable", "Switched on."),
    ],
)
def test_who_of_support_did_it_is_kept(support: Client, rows, model: str, action: str, told: str):
    act(support, model, action, rows[model])
    page = support.get(reverse(f"admin:accounts_{model}_history", args=[rows[model].pk])).content.decode()
    assert "support@example.com" in page.partition("<tbody>")[2]
    assert told in page.partition("<tbody>")[2]


def test_support_neither_adds_keys_nor_deletes_accounts(support: Client, account: Account):
    assert support.get(reverse("admin:accounts_account_add")).status_code == 403
    where = reverse("admin:accounts_account_delete", args=[account.pk])
    assert support.post(where, {"post": "yes"}).status_code == 403
    assert Account.objects.exists()


def test_a_user_is_added_with_an_address(support: Client):
    form = {
        "email": "New@Example.com",
        "usable_password": "true",
        "password1": "long pass phrase 1",
        "password2": "long pass phrase 1",
    }
    assert support.post(reverse("admin:accounts_user_add"), form).status_code == 302
    assert User.objects.filter(email="new@example.com").exists()


def test_support_cannot_pause_without_saying_so(support: Client, owner: User):
    """`is_paused` is no tick box: the action goes through the flow, which keeps a reason."""
    page = support.get(reverse("admin:accounts_user_change", args=[owner.pk])).content.decode()
    assert 'name="is_paused"' not in page
