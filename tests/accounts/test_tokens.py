"""Hook tokens: made, found, shown again."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from accounts import flows, tokens
from accounts.keyring import entry
from accounts.models import Hook, User

ROW = {"user": "u1", "hook": "h1"}


def web_key(kid: str, fill: int) -> str:
    return entry(kid, bytes([fill]) * 32)


def test_a_token_has_256_bits_and_fits_into_a_url():
    token = tokens.new_token()
    assert len(base64.urlsafe_b64decode(token + "=")) == 32
    assert token != tokens.new_token()


def test_the_digest_depends_on_the_key():
    first = tokens.digest("token")
    with override_settings(TOKEN_DIGEST_KEY=base64.b64encode(b"another key" * 3).decode()):
        assert tokens.digest("token") != first


def test_a_hook_token_never_passes_for_an_api_token():
    assert tokens.digest("token") != tokens.api_digest("token")


def test_a_sealed_token_opens_for_its_hook_only():
    sealed = tokens.seal_token("the-token", **ROW)
    assert tokens.open_token(sealed, **ROW) == "the-token"
    for part in ROW:
        with pytest.raises(tokens.TokenError, match="another hook"):
            tokens.open_token(sealed, **ROW | {part: "other"})


def test_an_older_web_key_still_opens():
    with override_settings(WEB_KEYS=web_key("old", 1)):
        sealed = tokens.seal_token("the-token", **ROW)
    with override_settings(WEB_KEYS=f"{web_key('new', 2)},{web_key('old', 1)}"):
        assert tokens.open_token(sealed, **ROW) == "the-token"
        assert tokens.seal_token("the-token", **ROW).startswith("new.")
    with override_settings(WEB_KEYS=web_key("new", 2)), pytest.raises(tokens.TokenError, match="not among"):
        tokens.open_token(sealed, **ROW)


def test_a_hook_is_found_by_its_users_id_and_token(owner: User):
    hook, token = flows.create_hook(owner, "breakout")
    assert tokens.find_hook(owner.public_id, token) == hook


def test_another_users_id_finds_nothing(owner: User, stranger: User):
    token = flows.create_hook(owner, "breakout")[1]
    assert tokens.find_hook(stranger.public_id, token) is None


@pytest.mark.parametrize("token", ["", "wrong", "\ud800", "é" * 5000, "\x00"])
def test_a_wrong_token_of_any_kind_finds_nothing(owner: User, hook: Hook, token: str):
    assert tokens.find_hook(owner.public_id, token) is None
    assert tokens.find_hook(token, token) is None


def test_every_look_up_costs_one_query(owner: User, stranger: User, django_assert_num_queries):
    token = flows.create_hook(owner, "breakout")[1]
    for user_id, given in ((owner.public_id, token), (stranger.public_id, token), ("nobody", "wrong")):
        with django_assert_num_queries(1):
            found = tokens.find_hook(user_id, given)
            assert found is None or not found.closed_because


def test_the_look_up_reads_no_password(owner: User):
    token = flows.create_hook(owner, "breakout")[1]
    found = tokens.find_hook(owner.public_id, token)
    assert found is not None
    assert "password" in found.user.get_deferred_fields()


def test_after_a_rotation_both_tokens_work_until_the_grace_ends(owner: User):
    hook, first = flows.create_hook(owner, "breakout")
    second = flows.rotate_hook_token(hook)
    assert tokens.find_hook(owner.public_id, first) == tokens.find_hook(owner.public_id, second) == hook
    Hook.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
    assert tokens.find_hook(owner.public_id, first) is None
    assert tokens.find_hook(owner.public_id, second) == hook


def test_a_rotation_without_grace_ends_the_token_at_once(owner: User):
    hook, first = flows.create_hook(owner, "breakout")
    flows.rotate_hook_token(hook, grace=flows.NO_GRACE)
    assert tokens.find_hook(owner.public_id, first) is None


def test_a_second_rotation_ends_the_first_token(owner: User):
    hook, first = flows.create_hook(owner, "breakout")
    flows.rotate_hook_token(hook)
    flows.rotate_hook_token(hook)
    assert tokens.find_hook(owner.public_id, first) is None


def test_the_token_shown_is_the_one_that_works(owner: User):
    hook, token = flows.create_hook(owner, "breakout")
    assert flows.show_token(hook) == token
    assert flows.show_token(hook) != (fresh := flows.rotate_hook_token(hook))
    assert flows.show_token(Hook.objects.get()) == fresh
