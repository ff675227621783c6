"""From signing up to a hook's URL in the clipboard, as a person does it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from accounts import flows, tokens
from accounts.models import Account, Hook, User
from exchanges.types import KeyInfo, PositionMode

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def at_the_live_server(settings, live_server, redis_server: str) -> None:
    settings.PUBLIC_URL = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]


@pytest.fixture
def asked() -> Iterator[list[Account]]:
    """Takes the place of a region's worker: what was asked to be checked."""
    asked: list[Account] = []
    before = flows.on_account_saved[:]
    flows.on_account_saved[:] = [asked.append]
    yield asked
    flows.on_account_saved[:] = before


def sign_up(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("banner").get_by_role("link", name="Sign up").click()
    page.get_by_label("Email").fill("trader@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()


def confirm(page: Page) -> None:
    link = re.search(r"https?://\S+/confirm-email/\S+", str(mail.outbox[0].body))
    assert link is not None
    page.goto(link.group())
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Three steps to the first trade")).to_be_visible()


def fits(page: Page) -> bool:
    """No page scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_from_sign_up_to_a_copied_url(live_server, page: Page, asked: list[Account]):
    sign_up(page, live_server.url)
    confirm(page)

    page.get_by_role("link", name="Add a key").click()
    page.get_by_role("link", name="Binance").first.click()
    page.get_by_label("API key").fill("AKIABROWSERKEY001234")
    page.get_by_label("API secret").fill("browser-secret-0001")
    page.get_by_role("button", name="Add the key").click()
    expect(page.get_by_text("Being checked")).to_be_visible()
    assert fits(page)

    (account,) = asked
    info = KeyInfo(can_trade=True, can_withdraw=True, ip_locked=False)
    flows.record_check(account.public_id, account.sealed, info, position_mode=PositionMode.HEDGE)
    expect(page.get_by_text("Rejected")).to_be_visible()  # the page found out by itself
    expect(page.get_by_text("Switch it off on the exchange")).to_be_visible()
    assert fits(page)
    page.get_by_label("I insist on this key").check()
    page.get_by_role("button", name="Take it all the same").click()
    expect(page.get_by_text("Being checked")).to_be_visible()
    flows.record_check(account.public_id, account.sealed, info, position_mode=PositionMode.HEDGE)
    expect(page.get_by_text("Verified")).to_be_visible()
    expect(page.get_by_text("as its owner insists")).to_be_visible()
    expect(page.get_by_text("Hedge")).to_be_visible()

    page.get_by_role("navigation").get_by_role("link", name="Hooks").click()
    page.get_by_role("link", name="Create a hook").click()
    page.get_by_label("Name").fill("breakout")
    page.get_by_role("button", name="Create the hook").click()
    expect(page.get_by_role("heading", name="Your password, please")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert fits(page)

    copied = str(page.evaluate("navigator.clipboard.readText()"))
    user_id, token = copied.removeprefix(f"{live_server.url}/webhook/").split("/")
    assert tokens.find_hook(user_id, token) == Hook.objects.get()
    assert user_id == User.objects.get().public_id


def test_a_wrong_entry_is_explained_beside_its_field(live_server, page: Page, asked: list[Account]):
    sign_up(page, live_server.url)
    confirm(page)
    page.goto(f"{live_server.url}/accounts/add/binance/")
    page.get_by_label("Name").fill("my key")
    page.get_by_label("API key").fill("AKIABROWSERKEY001234")
    page.get_by_label("API secret").fill("browser secret")
    page.get_by_role("button", name="Add the key").click()
    expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("Use letters, digits")).to_be_visible()
    expect(page.get_by_label("API key")).to_have_value("")
    assert asked == []
