import pytest
from django.core import checks
from django.test import override_settings

from flipr.checks import WEB, missing, require


def ours() -> list[str]:
    return [each.msg for each in checks.run_checks() if (each.id or "").startswith("flipr.")]


def test_a_complete_environment_has_no_findings():
    assert ours() == []


@override_settings(SECRET_KEY="", WEB_KEYS="", REDIS_URL="")
def test_everything_missing_is_found_at_once():
    assert missing(WEB) == ["SECRET_KEY", "REDIS_URL", "WEB_KEYS"]
    assert ours() == ["SECRET_KEY is not set.", "REDIS_URL is not set.", "WEB_KEYS is not set."]


@override_settings(REGION="tokyo", VAULT_PRIVATE_KEYS="")
def test_a_region_needs_what_its_worker_needs():
    assert ours() == ["VAULT_PRIVATE_KEYS is not set."]


@override_settings(WEB_KEYS="w1:planted")
def test_a_server_does_not_start_with_a_key_that_cannot_be_one_and_does_not_show_it():
    with pytest.raises(SystemExit, match="WEB_KEYS") as stopped:
        require("The web server", WEB)
    assert "planted" not in str(stopped.value)
