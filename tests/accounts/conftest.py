"""The characters of these tests: an owner with an account and a hook, and a stranger."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts import flows
from accounts.models import Account, Hook, User
from exchanges.types import Credentials, Environment

PASSWORD = "correct horse battery staple"


def enrol(email: str) -> User:
    """A user who has signed up and confirmed."""
    user = User.objects.create_user(email, PASSWORD)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def reauthenticated(client: Client) -> Client:
    answer = client.post("/user/reauthenticate/", {"password": PASSWORD})
    assert answer.status_code == 302, answer.context["form"].errors
    return client


def logged_in(user: User) -> Client:
    """A browser in which the password was typed a moment ago."""
    client = Client()
    answer = client.post("/user/login/", {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302, answer.context["form"].errors
    return client


@pytest.fixture
def owner(db: None) -> User:
    return enrol("owner@example.com")


@pytest.fixture
def stranger(db: None) -> User:
    return enrol("stranger@example.com")


@pytest.fixture(autouse=True)
def asked() -> Iterator[list[Account]]:
    """Accounts whose check was asked for: these tests have no region's worker."""
    asked: list[Account] = []
    before = flows.on_account_saved[:], flows.reasons_to_keep[:]
    flows.on_account_saved[:], flows.reasons_to_keep[:] = [asked.append], []
    yield asked
    flows.on_account_saved[:], flows.reasons_to_keep[:] = before


@pytest.fixture
def account(owner: User) -> Account:
    keys = Credentials("AKIAOWNERKEY00001234", "owner-secret-0001")
    return flows.add_account(owner, "binance", "main", Environment.LIVE, keys)


@pytest.fixture
def hook(owner: User) -> Hook:
    return flows.create_hook(owner, "breakout")[0]


@pytest.fixture
def owner_browser(owner: User) -> Client:
    return logged_in(owner)


@pytest.fixture
def stranger_browser(stranger: User) -> Client:
    return logged_in(stranger)


@pytest.fixture(autouse=True)
def no_attempts_counted(redis_server: str) -> None:
    """Log-in limits are counted in Redis; each test starts from none."""
