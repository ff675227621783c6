"""Signing up, confirming, logging in and resetting, as django-allauth does it with our settings and templates."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import PASSWORD, enrol

pytestmark = pytest.mark.django_db


def link(part: str) -> str:
    found = re.search(rf"https?://[^/\s]+(/\S*{part}\S+)", str(mail.outbox[-1].body))
    assert found is not None, mail.outbox[-1].body
    return found.group(1)


def log_in(email: str, password: str = PASSWORD, client: Client | None = None):
    return (client or Client()).post("/user/login/", {"login": email, "password": password})


def test_a_user_confirms_the_address_before_anything_else():
    browser = Client()
    answer = browser.post("/user/signup/", {"email": "New@Example.com", "password1": PASSWORD})
    assert answer["Location"] == "/user/confirm-email/"
    assert User.objects.get().email == "new@example.com"
    assert browser.get("/accounts/").status_code == 302
    assert browser.post(link("confirm-email")).status_code == 302
    assert browser.get("/accounts/").status_code == 200


def test_an_address_logs_in_in_any_case(owner: User):
    assert log_in("OWNER@example.com").status_code == 302


def test_an_address_signs_up_once_in_any_case(owner: User):
    Client().post("/user/signup/", {"email": "OWNER@EXAMPLE.COM", "password1": PASSWORD})
    assert User.objects.count() == 1


def test_signing_up_again_looks_like_signing_up(owner: User):
    known = Client().post("/user/signup/", {"email": owner.email, "password1": PASSWORD})
    unknown = Client().post("/user/signup/", {"email": "new@example.com", "password1": PASSWORD})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


def test_too_many_wrong_passwords_lock_the_address_for_a_while(owner: User):
    for _ in range(5):
        assert log_in(owner.email, "wrong").status_code == 200
    answer = log_in(owner.email)
    assert answer.status_code == 200
    assert "Too many failed login attempts" in answer.content.decode()


def test_a_password_is_reset_by_mail(owner: User):
    browser = Client()
    browser.post("/user/password/reset/", {"email": owner.email})
    form = browser.get(link("password/reset/key"), follow=True)
    where = form.redirect_chain[-1][0]
    done = browser.post(
        where, {"password1": "another long pass phrase", "password2": "another long pass phrase"}
    )
    assert done.status_code == 302
    assert log_in(owner.email, "another long pass phrase").status_code == 302


def test_mails_speak_our_words(owner: User):
    Client().post("/user/password/reset/", {"email": owner.email})
    assert mail.outbox[0].subject == "flipr: Set a new password"
    assert "username" not in mail.outbox[0].body


@pytest.mark.parametrize(
    "where",
    [
        "login/",
        "signup/",
        "password/reset/",
        "password/reset/done/",
        "confirm-email/",
        "confirm-email/bad/",
        "password/reset/key/1-bad/",
        "password/reset/key/done/",
        "inactive/",
    ],
)
def test_pages_for_visitors_are_ours(where: str):
    page = Client().get(f"/user/{where}").content.decode()
    assert 'class="wordmark"' in page


@pytest.mark.parametrize("where", ["logout/", "email/", "password/change/", "reauthenticate/"])
def test_pages_for_users_are_ours(where: str, owner_browser: Client):
    page = owner_browser.get(f"/user/{where}").content.decode()
    assert 'class="wordmark"' in page
    assert "<form" in page


def test_the_admin_log_in_is_the_common_one():
    enrol("admin@example.com")
    assert Client().get("/admin/login/")["Location"].startswith("/user/login/")
