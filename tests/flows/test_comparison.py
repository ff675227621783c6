"""Somebody trades past flipr, on the exchange's own API: within a few looks it is shown and followed."""

import hashlib
import hmac
import time
from datetime import timedelta
from decimal import Decimal as D
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from accounts import flows
from exchanges.types import Credentials, Environment
from execution.models import Comparison, Difference
from tests.stack import Trader, wait_for


@pytest.fixture(autouse=True)
def nobody_else_is_active():
    """Comparisons share what an address may ask: the accounts of other tests would take their turns too."""
    Comparison.objects.update(traded_at=timezone.now() - timedelta(days=365))


@pytest.fixture
def keys(stack):
    opened = stack.control("accounts", {"exchange": "binance", "position_mode": "one_way"})
    return Credentials(opened["key"], opened["secret"])


@pytest.fixture
def trader(stack, keys):
    stack.price("BTC/USDT", "50000")
    made = stack.new_trader(())
    account = flows.add_account(made.user, "binance", "main", Environment.SANDBOX, keys)
    return Trader(made.user, made.hook, made.url, made.password, {"binance": account}, {"binance": keys.key})


def sell(stack, keys, quantity):
    """As any program would that knows nothing of flipr."""
    asked = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": quantity}
    text = urlencode(asked | {"timestamp": int(time.time() * 1000)})
    signature = hmac.new(keys.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    where = f"{stack.sandbox}/binance_f/fapi/v1/order"
    answer = stack.http.post(f"{where}?{text}&signature={signature}", headers={"X-MBX-APIKEY": keys.key})
    assert answer.status_code == 200, answer.text


def compared(trader):
    return Comparison.objects.filter(account=trader.accounts["binance"]).exclude(compared_at=None).exists()


def differences(trader):
    rows = Difference.objects.filter(user=trader.user).order_by("pk")
    return list(rows.values_list("kind", "believed", "found"))


def open_orders(stack, trader):
    return [each for each in stack.state(trader, "Binance_F")["orders"] if each["status"] == "open"]


def test_a_trade_past_flipr_is_shown_and_followed_without_and_with_a_bracket(stack, trader, keys):
    assert stack.post(trader, "BTCUSDT on Binance_F market long 0.02", wait=15).json()["ok"]
    wait_for("the first comparison", lambda: compared(trader))
    sell(stack, keys, "0.005")
    wait_for("the difference", lambda: len(differences(trader)) == 1, seconds=40)
    assert differences(trader) == [("manual", D("0.02"), D("0.015"))]

    assert stack.post(trader, "BTCUSDT on Binance_F sl off 2%", wait=15).json()["ok"]
    sell(stack, keys, "0.015")
    wait_for("the orphaned stop is gone", lambda: not open_orders(stack, trader))
    wait_for("the second difference", lambda: len(differences(trader)) == 2, seconds=40)
    assert differences(trader)[1] == ("manual", D("0.015"), D(0))
