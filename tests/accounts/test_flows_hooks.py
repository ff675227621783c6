"""Hooks and API tokens: created, changed, switched, used."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts import flows
from accounts.models import ApiToken, Hook, User


def test_the_url_names_the_user_and_the_token(owner: User, settings):
    settings.PUBLIC_URL = "https://flipr.example"
    hook, token = flows.create_hook(owner, "breakout")
    assert flows.hook_url(hook, token) == f"https://flipr.example/webhook/{owner.public_id}/{token}"


def test_a_name_is_taken_in_any_case_for_its_owner_only(owner: User, stranger: User, hook: Hook):
    with pytest.raises(ValidationError, match="already have a hook"):
        flows.create_hook(owner, "BREAKOUT")
    flows.create_hook(stranger, "breakout")


@pytest.mark.parametrize("name", ["", "   ", "n" * 65])
def test_a_name_that_is_empty_or_too_long_is_refused(owner: User, name: str):
    with pytest.raises(ValidationError) as refused:
        flows.create_hook(owner, name)
    assert list(refused.value.message_dict) == ["name"]


def test_an_unknown_stop_policy_is_refused(owner: User):
    with pytest.raises(ValidationError):
        flows.create_hook(owner, "breakout", stop_policy="hope")


def test_by_default_a_position_without_a_stop_is_closed(hook: Hook):
    assert hook.stop_policy == "close"


def change(hook: Hook, *sources: str) -> None:
    flows.change_hook(hook, name=hook.name, stop_policy=hook.stop_policy, allowed_sources=sources)
    hook.refresh_from_db()


def test_an_empty_list_allows_any_address(hook: Hook):
    assert hook.allows("203.0.113.7")
    assert hook.allows("2001:db8::1")


def test_a_list_allows_what_lies_in_it_and_nothing_else(hook: Hook):
    change(hook, "203.0.113.7", " 198.51.100.0/24 ", "2001:db8::/32")
    assert hook.allowed_sources == ["203.0.113.7", "198.51.100.0/24", "2001:db8::/32"]
    assert all(hook.allows(address) for address in ("203.0.113.7", "198.51.100.200", "2001:db8::1"))
    assert not any(
        hook.allows(address) for address in ("203.0.113.8", "198.51.101.1", "2001:db9::1", "", "unix")
    )


def test_an_ipv4_address_in_ipv6_clothes_is_the_same_address(hook: Hook):
    change(hook, "203.0.113.7")
    assert hook.allows("::ffff:203.0.113.7")


@pytest.mark.parametrize("text", ["example.com", "203.0.113.7/24", "300.1.1.1", "203.0.113.0/33"])
def test_what_is_no_address_is_refused(hook: Hook, text: str):
    with pytest.raises(ValidationError) as refused:
        change(hook, text)
    assert list(refused.value.message_dict) == ["allowed_sources"]


def test_a_hook_switched_off_says_so(hook: Hook):
    assert not hook.closed_because
    flows.disable_hook(hook)
    assert Hook.objects.get().closed_because == "this hook is switched off"
    flows.enable_hook(hook)
    assert not Hook.objects.get().closed_because


def test_a_paused_users_hooks_say_why(owner: User, hook: Hook):
    flows.pause_user(owner, "Please answer our mail.")
    assert Hook.objects.get().closed_because == "Please answer our mail."
    flows.resume_user(owner)
    assert not Hook.objects.get().closed_because


def test_a_use_is_written_once_a_minute(hook: Hook, django_assert_num_queries):
    flows.hook_used(hook)
    hook.refresh_from_db()
    first = hook.last_used_at
    assert first is not None
    with django_assert_num_queries(0):
        flows.hook_used(hook)
    Hook.objects.update(last_used_at=first - timedelta(minutes=2))
    hook.refresh_from_db()
    flows.hook_used(hook)
    hook.refresh_from_db()
    assert hook.last_used_at is not None
    assert hook.last_used_at >= first


def test_an_api_token_finds_its_user(owner: User):
    token = flows.create_api_token(owner, "deploy")[1]
    assert flows.find_api_user(token) == owner
    assert flows.find_api_user(token + "x") is None
    used = ApiToken.objects.get().last_used_at
    assert used is not None
    assert used <= timezone.now()


def test_the_token_of_a_user_switched_off_finds_nobody(owner: User):
    token = flows.create_api_token(owner, "deploy")[1]
    User.objects.update(is_active=False)
    assert flows.find_api_user(token) is None


def test_a_hook_token_is_no_api_token(owner: User):
    assert flows.find_api_user(flows.create_hook(owner, "breakout")[1]) is None
