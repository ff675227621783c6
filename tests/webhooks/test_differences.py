"""Differences with an exchange, shown to their owner and to nobody else."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import User
from execution import differences
from execution.differences import Gap
from execution.models import Difference, DifferenceKind, Order
from tests.webhooks.conftest import Caller, Trader
from tests.webhooks.region import Region

PAGES = ["/accounts/{account}/", "/orders/{order}/"]


@pytest.fixture
def difference(caller: Caller, owner: Trader, region: Region) -> Difference:
    caller.post(owner.path)
    Order.objects.update(instrument="BTCUSDT", status="filled")
    why = "traded outside flipr"
    gap = Gap("Binance_F", "BTCUSDT", DifferenceKind.MANUAL, Decimal("0.0170"), Decimal("-0.0053"), why)
    differences.record(owner.account, gap)
    return Difference.objects.get()


def address(pattern: str, difference: Difference) -> str:
    assert difference.account
    assert difference.order
    return pattern.format(account=difference.account.public_id, order=difference.order.token)


def test_a_difference_in_contracts_says_so(owner: Trader, difference: Difference) -> None:
    Difference.objects.update(venue="BitMEX_C", believed=Decimal(1700), found=Decimal(-530))
    page = owner.browser().get(address(PAGES[0], difference)).content.decode()
    assert ">1700 contracts<" in page
    assert ">-530 contracts<" in page


@pytest.mark.parametrize("pattern", PAGES)
def test_pages_show_what_was_believed_and_found_to_the_owner_only(
    owner: Trader, stranger: Trader, difference: Difference, pattern: str
) -> None:
    where = address(pattern, difference)
    page = owner.browser().get(where).content.decode()
    assert all(text in page for text in (">0.017<", ">-0.0053<", "Traded outside flipr"))
    assert stranger.browser().get(where).status_code == 404


def test_api_tells_the_owner_only(owner: Trader, stranger: Trader, difference: Difference) -> None:
    (told,) = owner.browser().get("/api/differences/").json()["results"]
    assert (told["kind"], told["believed"], told["found"]) == ("manual", "0.017", "-0.0053")
    assert difference.order
    assert told["order"] == difference.order.token
    where = f"/api/differences/?account={told['account']}"
    assert len(owner.browser().get(where).json()["results"]) == 1
    assert owner.browser().get("/api/differences/?account=another").json()["results"] == []
    for path in ("/api/differences/", where):
        assert stranger.browser().get(path).json()["results"] == []
    assert Client().get("/api/differences/").status_code == 401


def test_an_order_tells_its_differences(owner: Trader, difference: Difference) -> None:
    told = owner.browser().get(address("/api/orders/{order}/", difference)).json()["differences"]
    assert [each["found"] for each in told] == ["-0.0053"]


def test_support_may_look_and_not_change(owner: Trader, difference: Difference) -> None:
    staff = Client()
    staff.force_login(User.objects.create_superuser("support@example.com", "secret-pass-1"))
    where = f"/admin/execution/difference/{difference.pk}/change/"
    assert staff.get(where).status_code == 200
    assert staff.get("/admin/execution/difference/").status_code == 200
    assert staff.post(where, {"why": "nothing"}).status_code == 403
    assert owner.browser().get(where).status_code == 302


def test_a_difference_is_told_in_the_log(
    owner: Trader, difference: Difference, caplog: pytest.LogCaptureFixture
) -> None:
    gap = Gap("Binance_F", "BTCUSDT", DifferenceKind.LIQUIDATION, Decimal(1), Decimal(0), "liquidated")
    differences.record(owner.account, gap)
    (told,) = [each.getMessage() for each in caplog.records if "believed" in each.getMessage()]
    assert f"{owner.account.public_id}, BTCUSDT on Binance_F: 1 believed, 0 found" in told
