"""Replacing the keys that seal, while rows change."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from accounts import flows, rotation, tokens, vault
from accounts.keyring import entry
from accounts.models import Account, Hook, User
from exchanges.types import Credentials

Pair = tuple[str, str]


def credentials(number: int) -> Credentials:
    return Credentials(f"AKIAROTATEDKEY{number:06}", f"rotated-secret-{number}")


def opened(account: Account) -> Credentials:
    return vault.unseal(
        account.sealed, user=account.user.public_id, account=account.public_id, exchange=account.exchange
    )


@pytest.fixture
def old(settings) -> Pair:
    pair = vault.new_keypair()
    settings.VAULT_PUBLIC_KEY, settings.VAULT_PRIVATE_KEYS = pair
    return pair


@pytest.fixture
def accounts(owner: User, old: Pair) -> list[Account]:
    return [flows.add_account(owner, "binance", f"a{n}", "live", credentials(n)) for n in range(5)]


@pytest.fixture
def new(settings, accounts: list[Account], old: Pair) -> Pair:
    """The workers hold both keys, and everybody seals to the new one."""
    pair = vault.new_keypair()
    settings.VAULT_PUBLIC_KEY, settings.VAULT_PRIVATE_KEYS = pair[0], f"{pair[1]},{old[1]}"
    return pair


def test_every_row_is_sealed_to_the_new_key_and_the_old_one_can_go(new: Pair, settings, capsys):
    call_command("rotate_vault")
    assert "5 keys are now sealed" in capsys.readouterr().out
    settings.VAULT_PRIVATE_KEYS = new[1]
    assert [opened(account) for account in Account.objects.order_by("pk")] == [
        credentials(n) for n in range(5)
    ]


def test_an_interrupted_run_is_continued(new: Pair, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 2)
    stopped_after: list[int] = []

    def stop(done: int) -> None:
        stopped_after.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotation.rotate_accounts(stop)
    assert stopped_after == [2]
    assert rotation.rotate_accounts(lambda done: None).done == 3
    assert rotation.rotate_accounts(lambda done: None).done == 0


def test_a_key_replaced_during_the_run_is_not_overwritten(new: Pair, accounts: list[Account], monkeypatch):
    """Between reading the row and writing it, its owner enters another key."""
    target, original = accounts[2], vault.reseal

    def replaced_meanwhile(sealed: str, **row: str) -> str:
        if row["account"] == target.public_id:
            flows.replace_key(Account.objects.get(pk=target.pk), credentials(99))
        return original(sealed, **row)

    monkeypatch.setattr(vault, "reseal", replaced_meanwhile)
    assert rotation.rotate_accounts(lambda done: None).done == 4
    target.refresh_from_db()
    assert opened(target) == credentials(99)


def test_a_check_asked_for_before_the_rotation_is_asked_again_not_lost(new: Pair, accounts: list[Account]):
    """Sealed anew means another text, which the check compares: its answer is dropped and the row says so."""
    asked_for = accounts[0].sealed
    rotation.rotate_accounts(lambda done: None)
    assert not flows.record_refusal(accounts[0].public_id, asked_for, "late")
    assert Account.objects.get(pk=accounts[0].pk).status == "unverified"


def test_a_row_that_does_not_open_stops_no_other_and_is_named(new: Pair, accounts: list[Account]):
    Account.objects.filter(pk=accounts[1].pk).update(sealed="gone.AAAA")
    with pytest.raises(CommandError, match=f"{accounts[1].public_id}: .*id gone"):
        call_command("rotate_vault")
    assert Account.objects.filter(sealed__startswith=new[0].split(":")[0]).count() == 4


def test_the_web_tier_cannot_rotate(new: Pair, settings):
    settings.VAULT_PRIVATE_KEYS = ""
    with pytest.raises(CommandError, match="this process holds no vault key"):
        call_command("rotate_vault")


def test_hook_tokens_move_to_the_first_web_key(owner: User, settings, capsys):
    settings.WEB_KEYS = entry("old", b"o" * 32)
    hook, token = flows.create_hook(owner, "breakout")
    settings.WEB_KEYS = f"{entry('new', b'n' * 32)},{entry('old', b'o' * 32)}"
    call_command("rotate_web_keys")
    settings.WEB_KEYS = entry("new", b"n" * 32)
    assert flows.show_token(Hook.objects.get()) == token
    assert tokens.find_hook(owner.public_id, token) == hook


def test_a_new_vault_key_is_written_for_its_owner_only(tmp_path, capsys):
    path = tmp_path / "vault"
    call_command("new_vault_key", to=path)
    assert path.stat().st_mode & 0o777 == 0o600
    lines = dict(line.split("=", 1) for line in path.read_text().splitlines())
    assert lines["VAULT_PRIVATE_KEYS"] not in capsys.readouterr().out
    with pytest.raises(CommandError, match="never overwritten"):
        call_command("new_vault_key", to=path)


def test_a_printed_pair_fits_together(settings, capsys):
    call_command("new_vault_key")
    lines = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    settings.VAULT_PUBLIC_KEY, settings.VAULT_PRIVATE_KEYS = (
        lines["VAULT_PUBLIC_KEY"],
        lines["VAULT_PRIVATE_KEYS"],
    )
    row = {"user": "u", "account": "a", "exchange": "e"}
    assert vault.unseal(vault.seal(credentials(1), **row), **row) == credentials(1)
