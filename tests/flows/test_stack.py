"""The stack itself: what every flow test stands on."""

from decimal import Decimal

from django.conf import settings

from accounts.models import AccountStatus
from tests.stack import wait_for


def test_every_process_answers(stack):
    assert stack.http.get(f"{stack.web}/healthz").json()["ok"]
    assert stack.workers() == set(settings.REGIONS)
    assert stack.processes.ended() == {}


def test_a_traders_keys_are_checked_by_the_workers_of_their_regions(stack):
    trader = stack.new_trader()

    def verified() -> bool:
        for account in trader.accounts.values():
            account.refresh_from_db()
        return {account.status for account in trader.accounts.values()} == {AccountStatus.VERIFIED}

    wait_for("every key is verified", verified)


def test_traders_do_not_see_each_other(stack):
    first, second = stack.new_trader(("binance",)), stack.new_trader(("binance",))
    answer = stack.post(first, "BTCUSDT on Binance_F market long 0.01", wait=15)
    assert answer.json()["status"] == "done", answer.text
    (position,) = stack.state(first, "Binance_F")["positions"]
    assert Decimal(position["quantity"]) == Decimal("0.01")
    assert stack.state(second, "Binance_F")["positions"] == []


def test_a_process_can_be_stopped_and_started_again(stack):
    stack.stop_process("worker-eu")
    try:
        assert "eu" not in stack.workers()
    finally:
        stack.start_process("worker-eu")
        stack.wait_ready()
