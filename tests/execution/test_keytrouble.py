"""Keys that are replaced, refused, or refused by mistake: what the next order uses, who is told, what is marked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import flows
from accounts.models import Account, AccountStatus
from exchanges.pool import Pool
from exchanges.transport import Transport
from exchanges.types import Credentials, KeyInfo
from exchanges.venue import Venue
from exchanges.venues.hyperliquid import HyperliquidPerpetuals, HyperliquidSpot
from execution import book, bulkhead, keycheck, keytrouble, pace, reconcile, supervise, tasks
from execution.brokers import region_redis
from execution.keycheck import DOUBTS
from execution.models import Bracket, Order, OrderState

ORDER = "BTCUSDT on Binance_F market long 0.01"


@pytest.fixture
def account(desk: Any) -> Account:
    """Its key is checked, and good."""
    found: Account = desk.accounts["binance"]
    keycheck.check(found.public_id)
    found.refresh_from_db()
    assert found.status == AccountStatus.VERIFIED
    region_redis("tokyo").delete("watch.tokyo")
    return found


def spoil(desk: Any, account: Account) -> None:
    """The exchange takes the key no more: to it, the secret is another one now."""
    flows.replace_key(account, Credentials(desk.keys["binance"], "x" * 40))
    Account.objects.filter(pk=account.pk).update(status=AccountStatus.VERIFIED)
    account.refresh_from_db()


def queued() -> list[str]:
    """The tasks that wait for the region's workers."""
    waiting = region_redis("tokyo").lrange("watch.tokyo", 0, -1)
    return [json.loads(text)["headers"]["task"].rpartition(".")[2] for text in waiting]


# -- a check that is asked for -----------------------------------------------------------------------------


def checks_queued() -> list[bool]:
    """Whether each check that waits has to wait for its time."""
    waiting = region_redis("tokyo").lrange("watch.tokyo", 0, -1)
    headers = [json.loads(text)["headers"] for text in waiting]
    return [bool(each["eta"]) for each in headers if each["task"].endswith("check_key")]


@pytest.mark.django_db(transaction=True)
def test_checks_asked_for_over_and_over_are_two_at_most(desk: Any) -> None:
    """One now, and one for what was changed meanwhile: whoever asks is answered by a check that begins later."""
    account = desk.accounts["binance"]
    token = flows.create_api_token(desk.user, "program")[1]
    program = Client(headers={"Authorization": f"Bearer {token}"})
    for _ in range(5):
        answer = program.post(reverse("accounts:api_account_verb", args=[account.public_id, "check"]))
        assert (answer.status_code, answer.json()["status"]) == (200, AccountStatus.UNVERIFIED)
    assert sorted(checks_queued()) == [False, True]


def test_a_check_that_could_not_be_queued_can_be_asked_for_again_at_once(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    region_redis("tokyo").flushdb()
    with monkeypatch.context() as patch:
        patch.setattr(keycheck, "producer_pool", nowhere)
        keycheck.request_check(desk.accounts["binance"])
    assert checks_queued() == []
    keycheck.request_check(desk.accounts["binance"])
    assert checks_queued() == [False]


def nowhere(_: str) -> None:
    raise ConnectionRefusedError


def test_checks_of_one_exchange_leave_the_other_threads_of_a_worker(desk: Any, settings: Any) -> None:
    """One thread of eight; what waits for it holds none, and is done by it."""
    settings.WORKER_THREADS = 8
    bulkhead.checks.cache_clear()
    account, began, go_on = desk.accounts["binance"], threading.Event(), threading.Event()

    def hang() -> None:
        began.set()
        go_on.wait(20)

    slow = threading.Thread(target=bulkhead.check, args=("binance", "another", hang))
    slow.start()
    assert began.wait(20)
    done: list[str] = []
    bulkhead.check("binance", account.public_id, lambda: done.append("binance"))
    bulkhead.check("bybit", "a third", lambda: done.append("bybit"))
    assert done == ["bybit"]
    go_on.set()
    slow.join(20)
    bulkhead.checks.cache_clear()
    assert done == ["bybit", "binance"]


def test_a_key_of_two_products_is_asked_about_once_where_that_tells_for_both(
    make_desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 80 of the 1200 units that Hyperliquid grants an address in a minute."""
    account = make_desk(families=("hyperliquid",)).accounts["hyperliquid"]
    asked, read = [], HyperliquidPerpetuals.key_info

    def counted(venue: Venue, keys: Credentials) -> KeyInfo:
        asked.append(venue.name)
        return read(venue, keys)  # type: ignore[arg-type]

    for kind in (HyperliquidSpot, HyperliquidPerpetuals):
        monkeypatch.setattr(kind, "key_info", counted)
    keycheck.check(account.public_id)
    account.refresh_from_db()
    assert (account.status, len(asked)) == (AccountStatus.VERIFIED, 1)


def test_the_tasks_of_checks_go_through_it(desk: Any) -> None:
    account = desk.accounts["binance"]
    tasks.check_key(account.public_id)
    account.refresh_from_db()
    assert account.status == AccountStatus.VERIFIED
    tasks.confirm_key(account.public_id)
    tasks.check_key("a_nobody")


# -- rotation ----------------------------------------------------------------------------------------------


def test_the_next_order_uses_the_replaced_key_without_a_restart(desk: Any, account: Account) -> None:
    assert desk.one(ORDER)["status"] == "filled"
    given = desk.sandbox.account("binance")
    flows.replace_key(account, Credentials(given["key"], given["secret"]))
    assert desk.one(ORDER)["status"] == "filled"
    for key in (desk.keys["binance"], given["key"]):
        (position,) = desk.sandbox.state("Binance_F", key)["positions"]
        assert float(position["quantity"]) == 0.01


def test_nothing_known_of_the_replaced_keys_account_is_taken_over(desk: Any, account: Account) -> None:
    """The new key's account has a leverage and a position mode of its own."""
    desk.one(f"{ORDER} lev 7x")
    given = desk.sandbox.account("binance", position_mode="hedge")
    flows.replace_key(account, Credentials(given["key"], given["secret"]))
    result = desk.one(f"{ORDER} lev 7x")
    assert (result["status"], result["error"]) == ("filled", None)
    paths = [call["path"] for call in desk.sandbox.state("Binance_F", given["key"])["calls"]]
    assert any(path.endswith("/leverage") for path in paths)


# -- a key that is refused ---------------------------------------------------------------------------------


def test_a_refusal_at_work_asks_for_one_check_and_changes_nothing_yet(desk: Any, account: Account) -> None:
    spoil(desk, account)
    for _ in range(3):
        assert desk.one(ORDER)["error"]["code"] == "KEY_REFUSED"
    assert queued() == ["confirm_key"]
    account.refresh_from_db()
    assert account.status == AccountStatus.VERIFIED


def test_a_refusal_that_the_check_confirms_stops_the_account_and_tells_its_owner(
    desk: Any, account: Account
) -> None:
    spoil(desk, account)
    keycheck.confirm(account.public_id)
    account.refresh_from_db()
    assert account.status == AccountStatus.REJECTED
    assert account.status_reason
    (letter,) = mail.outbox
    assert letter.to == [desk.user.email]
    assert "refuses your key main" in letter.subject
    assert account.status_reason in letter.body
    assert desk.keys["binance"] not in letter.body
    assert desk.one(ORDER)["error"]["code"] == "ACCOUNT_PAUSED"


def test_a_refusal_that_the_check_does_not_confirm_changes_nothing(desk: Any, account: Account) -> None:
    keycheck.doubt("tokyo", account.public_id, account.sealed)
    assert queued() == ["confirm_key"]
    keycheck.confirm(account.public_id)
    account.refresh_from_db()
    assert (account.status, mail.outbox) == (AccountStatus.VERIFIED, [])


def test_a_new_key_that_is_refused_sends_no_letter(desk: Any) -> None:
    account = desk.accounts["binance"]
    flows.replace_key(account, Credentials(desk.keys["binance"], "x" * 40))
    keycheck.check(account.public_id)
    account.refresh_from_db()
    assert (account.status, mail.outbox) == (AccountStatus.REJECTED, [])


def test_the_owner_is_told_once(desk: Any, account: Account) -> None:
    spoil(desk, account)
    for _ in range(3):
        keycheck.confirm(account.public_id)
    assert len(mail.outbox) == 1


def test_a_mail_server_that_is_away_does_not_keep_the_account_open(
    desk: Any, account: Account, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    spoil(desk, account)
    keycheck.confirm(account.public_id)
    account.refresh_from_db()
    assert account.status == AccountStatus.REJECTED


# -- what it guards ----------------------------------------------------------------------------------------


def test_supervision_that_is_refused_asks_for_a_check(desk: Any, account: Account) -> None:
    desk.one(f"{ORDER} sl off 2% tp off 5%")
    spoil(desk, account)
    supervise.look_after("tokyo", account.public_id, "Binance_F")
    assert queued() == ["confirm_key"]


def test_the_brackets_of_a_refused_key_say_so_until_it_works_again(
    desk: Any, account: Account, client: Client
) -> None:
    desk.one(f"{ORDER} sl off 2% tp off 5%")
    good = account.sealed
    spoil(desk, account)
    keycheck.confirm(account.public_id)
    assert keytrouble.FLAG in desk.bracket().note
    assert "BTCUSDT on Binance_F" in mail.outbox[0].body
    client.force_login(desk.user)
    order = Bracket.objects.get(pk=desk.bracket().pk).orders.get()
    page = client.get(reverse("execution:order", args=[order.token])).content.decode()
    assert "The exchange refuses the key" in page
    Account.objects.filter(pk=account.pk).update(sealed=good, status=AccountStatus.UNVERIFIED)
    keycheck.check(account.public_id)
    assert desk.bracket().note == ""
    assert desk.bracket().status == "armed"


def test_the_brackets_of_other_accounts_are_not_marked(desk: Any, account: Account) -> None:
    desk.one("BTCUSDT on ByBit_F market long 0.01 sl off 2%")
    spoil(desk, account)
    keycheck.confirm(account.public_id)
    assert desk.bracket().note == ""


def looks_due(seconds: float) -> list[tuple[str, str]]:
    """What supervision would look at so much later."""
    return pace.due("tokyo", supervise.to_watch("tokyo"), lambda: time.time() + seconds)


def test_a_key_that_is_known_to_be_refused_is_tried_once_a_minute(desk: Any, account: Account) -> None:
    desk.one(f"{ORDER} sl off 2%")
    good = account.sealed
    spoil(desk, account)
    keycheck.confirm(account.public_id)
    supervise.look_after("tokyo", account.public_id, "Binance_F")
    assert looks_due(30) == []
    Account.objects.filter(pk=account.pk).update(sealed=good, status=AccountStatus.UNVERIFIED)
    keycheck.check(account.public_id)
    assert looks_due(0) == [(account.public_id, "Binance_F")], "it works again"


def test_a_refused_key_is_still_tried(desk: Any, account: Account) -> None:
    desk.one(f"{ORDER} sl off 2%")
    spoil(desk, account)
    keycheck.confirm(account.public_id)
    supervise.look_after("tokyo", account.public_id, "Binance_F")
    assert looks_due(61 + pace.ROTATION_SECONDS) == [(account.public_id, "Binance_F")]


def test_reconciliation_that_is_refused_asks_for_a_check(desk: Any, account: Account) -> None:
    desk.one(ORDER)
    spoil(desk, account)
    past = timezone.now() - timedelta(minutes=1)
    Order.objects.update(status=OrderState.UNKNOWN, created_at=past)
    reconcile.look_into("tokyo", account.public_id, "Binance_F")
    assert queued() == ["confirm_key"]


# -- a 401 of something before the exchange ------------------------------------------------------------------


@pytest.fixture
def proxy(desk: Any) -> Iterator[None]:
    """Everything is answered with a bare 401."""
    wire = httpx.MockTransport(lambda request: httpx.Response(401, json={"message": "Unauthorized"}))
    pool = Pool(sandbox_url="http://sandbox.test", make_transport=lambda url, **_: Transport(url, wire=wire))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(book, "pool", lambda: pool)
        yield
    pool.close()


def test_a_bare_401_counts_only_when_several_checks_see_it(account: Account, proxy: None) -> None:
    for _ in range(DOUBTS - 1):
        keycheck.confirm(account.public_id)
    account.refresh_from_db()
    assert account.status == AccountStatus.VERIFIED
    keycheck.confirm(account.public_id)
    account.refresh_from_db()
    assert account.status == AccountStatus.REJECTED


# -- keys that may withdraw --------------------------------------------------------------------------------


def may_withdraw(desk: Any) -> Account:
    """An account whose key the exchange lets withdraw."""
    given = desk.sandbox.account("binance", permissions=["read", "trade", "withdraw"])
    account: Account = desk.accounts["binance"]
    flows.replace_key(account, Credentials(given["key"], given["secret"]))
    return account


def test_a_new_key_that_may_withdraw_is_refused_and_trades_nothing(desk: Any) -> None:
    account = may_withdraw(desk)
    keycheck.check(account.public_id)
    account.refresh_from_db()
    assert (account.status, account.facts.can_withdraw) == (AccountStatus.REJECTED, True)
    assert mail.outbox == []


def test_a_key_that_may_withdraw_is_taken_when_its_owner_insists(desk: Any) -> None:
    account = may_withdraw(desk)
    flows.insist_on_key(account)
    keycheck.check(account.public_id)
    account.refresh_from_db()
    assert account.status == AccountStatus.VERIFIED


def test_a_key_at_work_that_got_the_right_to_withdraw_stops_and_its_owner_is_told(desk: Any) -> None:
    account = may_withdraw(desk)
    Account.objects.filter(pk=account.pk).update(status=AccountStatus.VERIFIED)
    keycheck.confirm(account.public_id)
    account.refresh_from_db()
    assert account.status == AccountStatus.REJECTED
    (letter,) = mail.outbox
    assert "may withdraw" in letter.subject
    assert account.public_id in letter.body


def stopped_for_its_rights(desk: Any) -> Account:
    """It guards a position, and its key got the right to withdraw."""
    account = may_withdraw(desk)
    Account.objects.filter(pk=account.pk).update(status=AccountStatus.VERIFIED)
    desk.one(f"{ORDER} sl off 2%")
    keycheck.confirm(account.public_id)
    account.refresh_from_db()
    assert (account.status, len(mail.outbox)) == (AccountStatus.REJECTED, 1)
    return account


def test_a_key_that_was_stopped_for_its_rights_and_is_refused_then_is_told_as_refused(desk: Any) -> None:
    """Its stop was looked after until then; nobody was told that it is not any more."""
    account = stopped_for_its_rights(desk)
    flows.replace_key(account, Credentials(desk.keys["binance"], "x" * 40))
    Account.objects.filter(pk=account.pk).update(status=AccountStatus.REJECTED)
    for _ in range(3):
        keycheck.confirm(account.public_id)
    assert keytrouble.FLAG in desk.bracket().note
    assert ["refuses your key" in letter.subject for letter in mail.outbox] == [False, True]
    assert "BTCUSDT on Binance_F" in mail.outbox[1].body


def test_its_owner_is_told_of_its_rights_once(desk: Any) -> None:
    account = stopped_for_its_rights(desk)
    keycheck.confirm(account.public_id)
    assert len(mail.outbox) == 1
