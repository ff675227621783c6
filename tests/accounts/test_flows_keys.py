"""Adding, checking, pausing and deleting exchange keys."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from accounts import flows, vault
from accounts.flows.keys import fingerprint
from accounts.models import Account, AccountEvent, AccountStatus, User
from exchanges.types import Credentials, Environment, KeyInfo, PositionMode

KEYS = Credentials("AKIAOTHERKEY00005678", "other-secret-0002")
GOOD = KeyInfo(can_trade=True, can_withdraw=False, ip_locked=True, expires=datetime(2027, 1, 2, tzinfo=UTC))


def add(
    user: User, label: str = "main", exchange: str = "binance", environment: str = "live", **wrong: str
) -> Account:
    keys = Credentials(**{"key": KEYS.key, "secret": KEYS.secret, "passphrase": ""} | wrong)
    return flows.add_account(user, exchange, label, environment, keys)


def unsealed(account: Account) -> Credentials:
    return vault.unseal(
        account.sealed,
        user=account.user.public_id,
        account=account.public_id,
        exchange=account.exchange,
    )


def test_a_new_key_is_sealed_for_its_account(owner: User):
    assert unsealed(add(owner)) == KEYS


def test_pasted_blanks_are_removed(owner: User):
    assert unsealed(add(owner, key=f" {KEYS.key}\n", secret=f"{KEYS.secret} ")) == KEYS


def test_a_field_the_exchange_does_not_have_is_not_kept(owner: User):
    assert unsealed(add(owner, passphrase="left over")).passphrase == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", " "),
        ("secret", ""),
        ("key", "two words"),
        ("secret", "k\x00ey"),
        ("key", "k" * 1025),
        ("secret", "schlüssel"),
    ],
)
def test_what_cannot_be_a_key_is_refused_by_field_and_not_repeated(owner: User, field: str, value: str):
    with pytest.raises(ValidationError) as refused:
        add(owner, **{field: value})
    assert list(refused.value.message_dict) == [field]
    assert not value.strip() or value not in str(refused.value)
    assert not Account.objects.exists()


@pytest.mark.parametrize(("name", "value"), [("exchange", "mtgox"), ("environment", "production")])
def test_an_unknown_exchange_or_environment_is_refused(owner: User, name: str, value: str):
    with pytest.raises(ValidationError) as refused:
        add(owner, **{name: value})
    assert list(refused.value.message_dict) == [name]


@pytest.mark.parametrize("label", ["", "two words", "a,b", "-first", "ü", "a" * 33, "new\nline"])
def test_a_label_that_using_could_not_name_is_refused(owner: User, label: str):
    with pytest.raises(ValidationError) as refused:
        add(owner, label)
    assert list(refused.value.message_dict) == ["label"]


def test_a_label_is_taken_in_any_case_on_the_same_exchange_only(owner: User, stranger: User):
    add(owner, "main")
    with pytest.raises(ValidationError, match="already have a key with this name"):
        add(owner, "MAIN")
    add(owner, "main", "bybit")
    add(stranger, "main")
    assert Account.objects.count() == 3


def test_the_check_is_asked_for_once_the_row_is_committed(
    owner: User, asked, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as waiting:
        account = add(owner)
        assert asked == []
    for call in waiting:
        call()
    assert asked == [account]
    assert account.status == AccountStatus.UNVERIFIED


def test_a_broken_verifier_does_not_lose_the_account(owner: User, django_capture_on_commit_callbacks, caplog):
    def broken(account: Account) -> None:
        raise ConnectionError("the broker is down")

    flows.on_account_saved[:] = [broken]
    with django_capture_on_commit_callbacks(execute=True):
        account = add(owner)
    assert Account.objects.get() == account
    assert "the broker is down" in caplog.text


def test_a_good_check_is_kept_with_what_the_key_may_do(account: Account):
    assert flows.record_check(
        account.public_id, account.sealed, GOOD, position_mode=PositionMode.HEDGE, venues={"Binance_F": ""}
    )
    account.refresh_from_db()
    assert (account.status, account.facts) == (AccountStatus.VERIFIED, GOOD)
    assert account.position_mode == "hedge"
    assert account.key_facts["venues"] == {"Binance_F": ""}
    assert account.checked_at is not None


def test_a_refusal_is_kept_with_its_reason(account: Account):
    assert flows.record_refusal(account.public_id, account.sealed, "Binance answered: invalid key")
    account.refresh_from_db()
    assert (account.status, account.status_reason) == (
        AccountStatus.REJECTED,
        "Binance answered: invalid key",
    )
    assert not account.usable


def test_an_answer_about_a_replaced_key_is_dropped(account: Account):
    asked_for = account.sealed
    flows.replace_key(account, KEYS)
    assert not flows.record_check(account.public_id, asked_for, GOOD)
    account.refresh_from_db()
    assert account.status == AccountStatus.UNVERIFIED
    assert unsealed(account) == KEYS


def test_an_answer_does_not_wake_a_paused_account(account: Account):
    flows.pause_account(account)
    assert not flows.record_check(account.public_id, account.sealed, GOOD)
    flows.check_again(account)
    account.refresh_from_db()
    assert (account.status, account.status_reason) == (AccountStatus.PAUSED, "Paused by you.")


def test_replacing_a_key_forgets_what_was_known_of_the_old_one(account: Account):
    flows.record_check(account.public_id, account.sealed, GOOD)
    account.refresh_from_db()
    flows.replace_key(account, KEYS)
    account.refresh_from_db()
    assert (account.key_facts, account.checked_at) == ({}, None)
    assert account.key_fingerprint == "AKIA…5678"


def test_resuming_asks_for_a_new_check(account: Account, asked, django_capture_on_commit_callbacks):
    flows.pause_account(account)
    with django_capture_on_commit_callbacks(execute=True):
        flows.resume_account(account)
    account.refresh_from_db()
    assert account.status == AccountStatus.UNVERIFIED
    assert asked == [account]


def test_the_first_account_of_an_exchange_and_environment_is_its_default(owner: User):
    first, second = add(owner), add(owner, "second")
    practice = add(owner, "practice", environment=Environment.TESTNET)
    assert [first.is_default, second.is_default, practice.is_default] == [True, False, True]


@pytest.mark.django_db(transaction=True)
def test_two_first_accounts_at_the_same_moment_make_one_default():
    user = User.objects.create_user("two@example.com", "x")
    together = Barrier(2)

    def add_one(label: str) -> None:
        try:
            together.wait()
            add(user, label)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add_one, ["one", "two"]))
    assert sorted(account.is_default for account in Account.objects.of(user)) == [False, True]


def test_making_another_one_the_default_moves_it(owner: User, stranger: User):
    first, second, other = add(owner), add(owner, "second"), add(stranger)
    flows.make_default(second)
    for account in (first, second, other):
        account.refresh_from_db()
    assert [first.is_default, second.is_default, other.is_default] == [False, True, True]


def test_deleting_the_default_hands_it_on(owner: User):
    first, second = add(owner), add(owner, "second")
    flows.delete_account(first)
    second.refresh_from_db()
    assert second.is_default


def test_an_account_that_guards_a_position_is_not_deleted(account: Account):
    flows.reasons_to_keep.append(lambda asked: f"{asked.label} guards an open position.")
    with pytest.raises(ValidationError, match="main guards an open position"):
        flows.delete_account(account)
    assert Account.objects.filter(pk=account.pk).exists()


def test_a_changed_label_is_checked_like_a_new_one(account: Account, owner: User):
    other = add(owner, "other")
    with pytest.raises(ValidationError, match="already have"):
        flows.change_account(other, label="main", opposite_signal="net")
    flows.change_account(account, label="Main", opposite_signal="reverse")
    account.refresh_from_db()
    assert (account.label, account.opposite_signal) == ("Main", "reverse")


def test_an_unknown_opposite_signal_is_refused(account: Account):
    with pytest.raises(ValidationError):
        flows.change_account(account, label="main", opposite_signal="double")


@pytest.mark.parametrize(("key", "shown"), [("a" * 12 + "bcde", "aaaa…bcde"), ("short-key", None)])
def test_a_fingerprint_shows_eight_characters_at_most(key: str, shown: str | None):
    found = fingerprint(key)
    assert found == shown if shown else (found.startswith("#") and key[:4] not in found)


def test_the_history_outlives_the_account(account: Account, owner: User, stranger: User):
    flows.insist_on_key(account)
    flows.delete_account(account)
    events = AccountEvent.objects.of(owner)
    assert [each.text for each in events] == [
        "Key taken although it may withdraw, as its owner insists.",
        "Key added.",
    ]
    assert all(each.subject == "Binance main, key AKIA…1234" for each in events)
    assert not AccountEvent.objects.of(stranger).exists()


def test_a_key_that_may_withdraw_is_refused_with_what_was_found(account: Account):
    assert flows.record_check(account.public_id, account.sealed, KeyInfo(can_trade=True, can_withdraw=True))
    account.refresh_from_db()
    assert (account.status, account.usable) == (AccountStatus.REJECTED, False)
    assert account.facts.can_withdraw is True
    assert "flipr never needs it" in account.status_reason


def test_what_the_exchange_does_not_tell_refuses_no_key(account: Account):
    assert flows.record_check(account.public_id, account.sealed, KeyInfo(can_withdraw=None))
    account.refresh_from_db()
    assert account.status == AccountStatus.VERIFIED


def test_a_late_answer_about_a_replaced_key_refuses_nothing(account: Account):
    asked_for = account.sealed
    flows.replace_key(account, KEYS)
    assert not flows.record_check(account.public_id, asked_for, KeyInfo(can_withdraw=True))
    account.refresh_from_db()
    assert account.status == AccountStatus.UNVERIFIED
    assert [each.text for each in account.events.all()] == ["Key replaced.", "Key added."]


def test_insisting_on_a_paused_account_leaves_it_paused(account: Account):
    flows.pause_account(account)
    flows.insist_on_key(account)
    account.refresh_from_db()
    assert (account.status, account.withdrawal_accepted) == (AccountStatus.PAUSED, True)
