"""What a person is told to look at: once, while it lasts, and no more when it is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from execution import alarms, turns
from execution.models import Alarm, Order, OrderState
from tests.execution.test_reconcile import unknown

pytestmark = pytest.mark.django_db(transaction=True)

GUARDED = "BTCUSDT on Binance_F market long 0.01 sl off 2%"


@pytest.fixture
def trader(make_desk: Callable[..., Any]) -> Any:
    return make_desk(families=("binance",))


def later(by: timedelta = alarms.PATIENCE) -> None:
    """So much time goes by, and the alarms are looked at again."""
    Alarm.objects.update(since=timezone.now() - by)
    alarms.sweep("tokyo")


def home(desk: Any) -> str:
    browser = Client()
    browser.force_login(desk.user, "django.contrib.auth.backends.ModelBackend")
    return browser.get("/").content.decode()


def without_stop(desk: Any, policy: str = "keep") -> str:
    """A position whose stop the exchange refuses for good; the token of its order."""
    desk.sandbox.fault("reject_stop", venue="Binance_F", rate=1)
    desk.one(GUARDED, stop_policy=policy)
    return str(desk.bracket().token)


# -- positions ---------------------------------------------------------------------------------------------


def test_a_position_that_is_kept_without_its_stop_is_told(trader: Any, caplog: Any) -> None:
    token = without_stop(trader)
    alarms.sweep("tokyo")
    assert (mail.outbox, trader.bracket().public_id in caplog.text) == ([], False)
    later()
    (letter,) = mail.outbox
    assert letter.to == [trader.user.email]
    assert letter.subject == "flipr: long 0.01 BTCUSDT on Binance_F has no stop"
    assert "is kept, unprotected" in letter.body
    assert "does not try again" in letter.body
    assert "BTCUSDT on Binance_F using main close\n" in letter.body
    assert f"/orders/{token}/" in letter.body
    assert [line.levelname for line in caplog.records if trader.bracket().public_id in line.message] == [
        "ERROR"
    ]


def test_that_closing_failed_too_is_told_with_what_flipr_does_about_it(trader: Any) -> None:
    trader.sandbox.fault("reject_stop", venue="Binance_F")
    trader.one("BTCUSDT on Binance_F limit long 0.01 at 49000 sl off 2%")
    trader.sandbox.price("BTC/USDT", "48990")
    trader.sandbox.fault("maintenance", venue="Binance_F", path="POST /fapi/v1/order", rate=1)
    trader.supervise()
    alarms.sweep("tokyo")
    later()
    (letter,) = mail.outbox
    assert "closing failed too" in letter.body
    assert "goes on trying" in letter.body


def test_it_is_told_once_and_shown_until_the_stop_stands(trader: Any) -> None:
    token = without_stop(trader)
    alarms.sweep("tokyo")
    assert "alarms-title" not in home(trader)
    for _ in range(3):
        later()
    assert len(mail.outbox) == 1
    assert f"/orders/{token}/" in home(trader)
    trader.sandbox.no_faults()
    trader.one("BTCUSDT on Binance_F sl off 2%")
    later()
    assert "alarms-title" not in home(trader)
    assert len(mail.outbox) == 1


def test_what_comes_back_is_shown_at_once_and_told_again_only_after_a_while(trader: Any) -> None:
    without_stop(trader)
    alarms.sweep("tokyo")
    later()
    for ago, letters in ((timedelta(minutes=1), 1), (alarms.AGAIN, 2)):
        Alarm.objects.update(over_at=timezone.now() - ago)
        alarms.sweep("tokyo")
        later()
        assert (len(mail.outbox), "alarms-title" in home(trader)) == (letters, True)


def test_a_stop_that_stands_by_the_next_look_is_nobodys_business(trader: Any) -> None:
    trader.one("BTCUSDT on Binance_F limit long 0.01 at 49000 sl off 2%")
    row = trader.bracket()
    type(row).objects.filter(pk=row.pk).update(quantity="0.01", entry_price="49000")
    alarms.sweep("tokyo")
    assert Alarm.objects.count() == 1
    type(row).objects.filter(pk=row.pk).update(quantity=0)
    later()
    assert (mail.outbox, Alarm.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    "text",
    [GUARDED, "BTCUSDT on Binance_F market long 0.01", "BTCUSDT on Binance_F market long 0.01 tp off 5%"],
)
def test_a_position_that_is_guarded_as_its_user_wants_is_none_either(trader: Any, text: str) -> None:
    trader.one(text)
    alarms.sweep("tokyo")
    assert not Alarm.objects.exists()


def test_a_mail_server_that_is_away_stops_no_alarm(trader: Any, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    without_stop(trader)
    alarms.sweep("tokyo")
    later()
    assert "alarms-title" in home(trader)


def test_a_stranger_sees_nothing_of_it(trader: Any, make_desk: Callable[..., Any]) -> None:
    token = without_stop(trader)
    alarms.sweep("tokyo")
    later()
    stranger = make_desk(families=("bybit",))
    assert token not in home(stranger)
    assert [letter.to for letter in mail.outbox] == [[trader.user.email]]


# -- orders ------------------------------------------------------------------------------------------------


def unsettled(desk: Any) -> Order:
    rows = unknown(desk, "Binance_F")
    rows.update(created_at=timezone.now() - turns.ALARM, error={"message": "no answer from the exchange"})
    found: Order = rows.get()
    return found


def test_an_order_whose_end_is_not_known_is_told_once_and_shown_until_it_is(trader: Any, caplog: Any) -> None:
    row = unsettled(trader)
    for _ in range(3):
        alarms.sweep("tokyo")
    (letter,) = mail.outbox
    assert letter.to == [trader.user.email]
    assert letter.subject == "flipr: what became of an order for BTCUSDT on Binance_F is not known"
    for words in (row.command, "no answer from the exchange", "goes on asking", f"/orders/{row.token}/"):
        assert words in letter.body
    assert caplog.text.count(f"order {row.token}: what became of it") == 1
    assert f"/orders/{row.token}/" in home(trader)
    Order.objects.filter(pk=row.pk).update(status=OrderState.NOT_SENT)
    alarms.sweep("tokyo")
    assert f"/orders/{row.token}/" not in home(trader)


def test_of_an_order_whose_account_is_gone_nobody_is_promised_anything(trader: Any) -> None:
    row = unsettled(trader)
    Order.objects.filter(pk=row.pk).update(account=None)
    alarms.sweep("tokyo")
    assert "nobody can ask" in mail.outbox[0].body


def test_a_young_order_is_left_to_reconciliation(trader: Any) -> None:
    unknown(trader, "Binance_F")
    alarms.sweep("tokyo")
    assert (mail.outbox, Alarm.objects.count()) == ([], 0)
