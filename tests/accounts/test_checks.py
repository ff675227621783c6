"""Whether a process says that its keys do not fit its role."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from accounts import vault
from accounts.checks import keys


def ids() -> list[str | None]:
    return [found.id for found in keys(None)]


@pytest.fixture(autouse=True)
def web_tier(settings) -> None:
    settings.REGION, settings.VAULT_PRIVATE_KEYS = "", ""


def test_a_web_server_that_cannot_open_keys_is_fine():
    assert ids() == []


def test_a_web_server_that_could_open_keys_is_warned(settings):
    settings.VAULT_PRIVATE_KEYS = vault.new_keypair()[1]
    assert ids() == ["accounts.W001"]


def test_a_region_worker_may_open_them(settings):
    settings.REGION, settings.VAULT_PRIVATE_KEYS = "tokyo", vault.new_keypair()[1]
    assert ids() == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("VAULT_PUBLIC_KEY", "k1:AAAA", "accounts.E001"),
        ("VAULT_PRIVATE_KEYS", "k1:AAAA", "accounts.E001"),
        ("WEB_KEYS", "k1:AAAA", "accounts.E002"),
        ("WEB_KEYS", "k1:A*", "accounts.E002"),
    ],
)
def test_a_key_that_cannot_be_read_is_an_error_that_does_not_repeat_it(
    settings, name: str, value: str, said: str
):
    settings.REGION = "tokyo"
    setattr(settings, name, value)
    found = keys(None)
    assert [one.id for one in found] == [said]
    assert value.split(":")[1] not in str(found[0])


def test_the_check_command_runs_it(settings):
    settings.WEB_KEYS = "k1:AAAA"
    with pytest.raises(SystemCheckError, match=r"accounts\.E002"):
        call_command("check")
