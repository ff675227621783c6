"""What needs its user stands first on the home page, and leads to the order."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Account, User
from execution.ids import order_token
from execution.models import Alarm, Bracket, Order

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

KEPT = "the stop could not be placed (order would immediately trigger); the position is kept, unprotected"


@pytest.fixture
def owner(db: None, redis_server: str) -> User:
    return User.objects.create_user("owner@example.com")


def order(owner: User, account: Account, number: int, symbol: str) -> Order:
    return Order.objects.create(
        user=owner,
        account=account,
        delivery="d_alarms",
        position=number,
        job=f"d_alarms.{number}.0",
        token=order_token("d_alarms", number),
        command=f"{symbol} on Binance_F market long 0.01 sl off 2%",
        action="entry",
        venue="Binance_F",
        environment="sandbox",
        region="tokyo",
        symbol=symbol,
        side="long",
        fresh_until=timezone.now(),
    )


@pytest.fixture
def alarms(owner: User) -> tuple[Order, Order]:
    """A position without its stop, and an order without an end."""
    account = Account.objects.create(user=owner, exchange="binance", label="main", environment="sandbox")
    filled, lost = order(owner, account, 0, "BTCUSDT"), order(owner, account, 1, "ETHUSDT")
    bracket = Bracket.objects.create(
        user=owner,
        account=account,
        venue="Binance_F",
        region="tokyo",
        symbol="BTCUSDT",
        instrument="BTCUSDT",
        direction="long",
        token=filled.token,
        quantity="0.01",
        status="failed",
    )
    told = timezone.now()
    Alarm.objects.create(user=owner, bracket=bracket, why=KEPT, told_at=told)
    Alarm.objects.create(
        user=owner, order=lost, why="no answer from the exchange (ReadTimeout)", told_at=told
    )
    return filled, lost


@pytest.fixture
def inside(owner: User, page: Page, live_server: Any) -> Page:
    browser = Client()
    browser.force_login(owner, "django.contrib.auth.backends.ModelBackend")
    session: Any = {
        "name": "sessionid",
        "value": browser.cookies["sessionid"].value,
        "url": live_server.url,
    }
    page.context.add_cookies([session])
    return page


def test_what_needs_its_user_leads_to_the_order_and_goes_when_it_is_over(
    inside: Page, live_server: Any, alarms: tuple[Order, Order]
) -> None:
    inside.goto(live_server.url)
    part = inside.get_by_role("region", name="Please look at the exchange")
    expect(part.get_by_role("listitem")).to_have_count(2)
    expect(part).to_contain_text("The position is kept, unprotected", ignore_case=True)
    assert inside.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    if place := os.environ.get("SHOTS"):
        inside.screenshot(path=f"{place}/alarms-{inside.viewport_size['width']}.png", full_page=True)  # type: ignore[index]
    part.get_by_role("link", name="ETHUSDT on Binance_F").click()
    expect(inside).to_have_url(f"{live_server.url}/orders/{alarms[1].token}/")
    Alarm.objects.update(over_at=timezone.now())
    inside.goto(live_server.url)
    expect(inside.get_by_role("heading", level=1)).to_be_visible()
    expect(part).to_have_count(0)
