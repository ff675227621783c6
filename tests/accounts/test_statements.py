"""The statements of the hot path give what the ORM gives."""

import pytest
from django.db import IntegrityError

from accounts.models import Account, Hook, User
from accounts.statements import Columns, insert_together, select, table

pytestmark = pytest.mark.django_db


def new_user(name: str) -> User:
    return User.objects.create_user(f"{name}@example.test", "secret-pass-1")


def new_hook(user: User, digest: str) -> Hook:
    return Hook(user=user, name="n", token_digest=digest, token_sealed="s", allowed_sources=["10.0.0.0/8"])


def test_rows_are_what_the_orm_reads():
    new_hook(new_user("a"), "d1").save()
    columns = Columns(Hook, "h")
    (values,) = select(f"SELECT {columns.sql} FROM {table(Hook)} h", [])
    read, expected = columns.row(values), Hook.objects.get()
    assert read == expected
    for field in Hook._meta.concrete_fields:
        assert getattr(read, field.attname) == getattr(expected, field.attname)


def test_what_was_left_out_is_read_when_it_is_asked_for(django_assert_num_queries):
    new_user("a")
    columns = Columns(User, "u", without=["password"])
    (values,) = select(f"SELECT {columns.sql} FROM {table(User)} u", [])
    user = columns.row(values)
    assert user.get_deferred_fields() == {"password"}
    with django_assert_num_queries(1):
        assert user.check_password("secret-pass-1") or user.password


def test_rows_of_two_tables_are_inserted_at_once(django_assert_num_queries):
    user = new_user("a")
    accounts = [Account(user=user, exchange="binance", label=each, sealed="s") for each in ("one", "two")]
    hook = new_hook(user, "d1")
    with django_assert_num_queries(1):
        insert_together(hook, accounts)
    assert Hook.objects.get() == hook
    assert sorted(Account.objects.values_list("label", flat=True)) == ["one", "two"]
    hook.name = "renamed"
    hook.save()
    assert Hook.objects.get().name == "renamed"


def test_of_two_tables_all_or_nothing_is_inserted(transactional_db):
    user = new_user("a")
    new_hook(user, "taken").save()
    account = Account(user=user, exchange="binance", label="one", sealed="s")
    with pytest.raises(IntegrityError):
        insert_together(new_hook(user, "taken"), [account])
    assert not Account.objects.exists()
