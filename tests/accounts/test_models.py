"""What the rows themselves promise."""

from __future__ import annotations

import re

import pytest
from django.core.management import call_command
from django.db import IntegrityError

from accounts.models import Account, User, new_public_id


def test_a_public_id_is_short_and_never_the_same():
    made = {new_public_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"[0-9A-Za-z]{12}", one) for one in made)


def test_an_address_is_one_user_in_any_case(db):
    user = User.objects.create_user("Some.One@Example.COM", "x")
    assert user.email == "some.one@example.com"
    assert User.objects.get(email="SOME.ONE@example.com") == user
    assert User.objects.get_by_natural_key("some.ONE@example.com") == user
    with pytest.raises(IntegrityError):
        User(email="SOME.one@example.com").save()


def test_a_user_needs_an_address(db):
    with pytest.raises(ValueError, match="e-mail"):
        User.objects.create_user("", "x")


def test_a_superuser_is_made_from_the_command_line(db, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "long pass phrase 1")
    call_command("createsuperuser", interactive=False, email="Root@Example.com", verbosity=0)
    root = User.objects.get(email="root@example.com")
    assert root.is_superuser
    assert root.check_password("long pass phrase 1")


def test_the_database_allows_one_default_only(account: Account):
    with pytest.raises(IntegrityError):
        Account.objects.create(
            user=account.user,
            exchange=account.exchange,
            environment=account.environment,
            label="second",
            is_default=True,
        )


def test_every_look_up_starts_from_the_user(account: Account, stranger: User):
    assert list(Account.objects.of(account.user)) == [account]
    assert not Account.objects.of(stranger).exists()


def test_migrations_are_complete(db):
    call_command("makemigrations", "accounts", check=True, dry_run=True, verbosity=0)
