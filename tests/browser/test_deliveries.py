"""A delivery on the screen: it changes by itself when its orders are done."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db.models import CharField, Model
from django.test import Client
from playwright.sync_api import Page, expect

from accounts import flows
from accounts.models import Account, Hook, User
from execution.ids import order_token
from execution.models import Order
from webhooks.models import Delivery

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MESSAGE = "BTCUSDT on Binance_F market long 0.01 sl off 2%"
#: what holds more than it shows: the page, or a table
CUT_OFF = """[document.documentElement, ...document.querySelectorAll(".table-wrap")]
    .filter(each => each.scrollWidth > each.clientWidth).map(each => each.outerHTML.slice(0, 200))"""


@pytest.fixture
def owner(db: None, redis_server: str) -> User:
    return User.objects.create_user("owner@example.com")


@pytest.fixture
def working(owner: User) -> Delivery:
    hook, _ = flows.create_hook(owner, "breakout")
    delivery = Delivery.objects.create(
        user=owner, hook=hook, body=MESSAGE, http_status=202, timing_ms={"parsed": 1.5, "replied": 2500.0}
    )
    Order.objects.create(
        user=owner,
        delivery=delivery.public_id,
        position=0,
        job=f"{delivery.public_id}.0.0",
        token=order_token(delivery.public_id, 0),
        command=MESSAGE,
        action="entry",
        venue="Binance_F",
        environment="sandbox",
        region="tokyo",
        symbol="BTCUSDT",
        side="long",
        fresh_until=delivery.created_at,
    )
    return delivery


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


def test_working_delivery_turns_to_done_by_itself(inside: Page, working: Delivery, live_server: Any) -> None:
    inside.goto(f"{live_server.url}/deliveries/")
    inside.get_by_role("link", name=MESSAGE).click()
    outcome = inside.locator("#outcome")
    expect(outcome.get_by_text("Working").first).to_be_visible()

    Order.objects.update(
        status="filled", quantity=Decimal("0.01"), filled=Decimal("0.01"), average_price=Decimal("50000.1")
    )

    expect(outcome.get_by_text("0.01 of 0.01 at 50000.1")).to_be_visible()
    expect(outcome.get_by_text("Done")).to_be_visible()
    expect(inside.locator("[data-watch]")).to_have_count(0)


def longest(model: type[Model], field: str) -> str:
    """One word, as long as the field takes it."""
    found = model._meta.get_field(field)
    assert isinstance(found, CharField)
    assert found.max_length
    return "w" * found.max_length


def test_no_page_is_wider_than_its_screen(
    inside: Page, working: Delivery, owner: User, live_server: Any
) -> None:
    account = Account.objects.create(
        user=owner, exchange="binance", label=longest(Account, "label"), environment="sandbox"
    )
    Order.objects.update(
        account=account,
        status="rejected",
        error={"code": "REFUSED", "message": "no", "hint": "", "line": 1, "column": 40, "length": 2},
    )
    Hook.objects.update(name=longest(Hook, "name"))
    User.objects.update(email=f"{'w' * 64}@example.com")
    for path in (
        "",
        "accounts/",
        f"accounts/{account.public_id}/",
        f"accounts/{account.public_id}/delete/",
        "hooks/",
        f"hooks/{Hook.objects.get().public_id}/",
        "settings/",
        "deliveries/",
        f"deliveries/{working.public_id}/",
        "orders/",
        f"orders/{Order.objects.get().token}/",
        "docs/",
        "docs/errors/",
    ):
        inside.goto(f"{live_server.url}/{path}")
        assert inside.evaluate(CUT_OFF) == [], path
