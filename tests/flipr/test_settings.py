import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse, HttpResponsePermanentRedirect
from django.middleware.security import SecurityMiddleware
from django.test import RequestFactory, override_settings

from exchanges.registry import venues

ROOT = Path(__file__).resolve().parents[2]
BARE = {"PATH": os.environ["PATH"]}


@pytest.fixture
def read(monkeypatch):
    """The settings as a process with just these variables would see them."""

    def read_settings(**variables: str) -> SimpleNamespace:
        for name in list(os.environ):
            monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return SimpleNamespace(**runpy.run_path(str(ROOT / "flipr" / "settings.py")))

    return read_settings


def test_nothing_set_is_secure_and_has_no_secret(read):
    settings = read()
    assert settings.DEBUG is False
    assert settings.SECRET_KEY == settings.WEB_KEYS == settings.TOKEN_DIGEST_KEY == ""
    assert settings.VAULT_PUBLIC_KEY == settings.VAULT_PRIVATE_KEYS == ""
    assert settings.DATABASES == {"default": {}}
    assert settings.SESSION_COOKIE_HTTPONLY


def test_https_brings_redirect_hsts_and_secure_cookies(read):
    settings = read(PUBLIC_URL="https://flipr.example")
    assert settings.SECURE_SSL_REDIRECT
    assert settings.SECURE_HSTS_SECONDS >= 31_536_000
    assert settings.SESSION_COOKIE_SECURE
    assert settings.CSRF_COOKIE_SECURE
    assert "flipr.example" in settings.ALLOWED_HOSTS
    assert settings.CSRF_TRUSTED_ORIGINS == ["https://flipr.example"]


def test_plain_http_has_no_redirect(read):
    settings = read(PUBLIC_URL="http://localhost:8000")
    assert not settings.SECURE_SSL_REDIRECT
    assert settings.SECURE_HSTS_SECONDS == 0


def test_hooks_are_never_redirected(read):
    settings = read(PUBLIC_URL="https://flipr.example")
    with override_settings(SECURE_SSL_REDIRECT=True, SECURE_REDIRECT_EXEMPT=settings.SECURE_REDIRECT_EXEMPT):
        middleware = SecurityMiddleware(lambda request: HttpResponse("served"))
        assert middleware.process_request(RequestFactory().post("/webhook/u/t")) is None
        assert isinstance(
            middleware.process_request(RequestFactory().get("/accounts")), HttpResponsePermanentRedirect
        )


def test_each_region_has_the_common_broker_unless_it_has_its_own(read):
    settings = read(REDIS_URL="redis://home/0", BROKER_URL_TOKYO="redis://tokyo/0")
    assert settings.BROKER_URLS == {
        "eu": "redis://home/0",
        "tokyo": "redis://tokyo/0",
        "singapore": "redis://home/0",
    }


def test_a_worker_reads_its_own_regions_broker_and_queues(read):
    settings = read(REDIS_URL="redis://home/0", BROKER_URL_TOKYO="redis://tokyo/0", FLIPR_REGION="tokyo")
    assert settings.CELERY_BROKER_URL == "redis://tokyo/0"
    assert {queue.name for queue in settings.CELERY_TASK_QUEUES} == {"orders.tokyo", "watch.tokyo"}


def test_an_exchange_can_be_moved_to_another_region(read):
    assert read().EXCHANGE_REGIONS["bitmex"] == "eu"
    moved = read(EXCHANGE_REGIONS="BitMEX=tokyo").EXCHANGE_REGIONS
    assert (moved["bitmex"], moved["bybit"]) == ("tokyo", "singapore")


def test_every_venue_has_a_region_that_exists(read):
    settings = read()
    found = {settings.EXCHANGE_REGIONS.get(venue.exchange, venue.region) for venue in venues().values()}
    assert found <= set(settings.REGIONS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FLIPR_REGION", "mars"),
        ("EXCHANGE_REGIONS", "okx=mars"),
        ("EXCHANGE_REGIONS", "okx"),
        ("HOOK_RATE", "60"),
        ("SOURCE_RATE", "0/60"),
        ("API_RATE", "120"),
        ("PUBLIC_URL", "flipr.example"),
        ("DATABASE_URL", "mysql://localhost/flipr"),
        ("DATABASE_URL", "postgresql://localhost"),
        ("DATABASE_URL", "postgresql://localhost:port/flipr"),
        ("REDIS_URL", "localhost:6379"),
        ("BROKER_URL_EU", "amqp://localhost"),
        ("DEBUG", "perhaps"),
        ("EMAIL_PORT", "smtp"),
        ("EMAIL_PORT", "0"),
        ("HOOK_WAIT_SECONDS", "nan"),
        ("HOOK_WAIT_SECONDS", "-1"),
        ("HOOK_WAIT_SECONDS", "31"),
        ("ORDER_FRESH_SECONDS", "0"),
        ("TRUSTED_PROXIES", "-1"),
        ("WORKER_THREADS", "0"),
        ("GIVE_UP_SECONDS", "nan"),
        ("GIVE_UP_SECONDS", "inf"),
        ("GIVE_UP_SECONDS", "1"),
        ("SUPERVISE_SECONDS", "-1"),
        ("SUPERVISE_SECONDS", "0"),
        ("COMPARE_SECONDS", "0"),
        ("COMPARE_DAYS", "0"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_its_variable(read, name, value):
    with pytest.raises(ImproperlyConfigured, match=name):
        read(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://user:planted@localhost:port/flipr"),
        ("DATABASE_URL", "mysql://user:planted@localhost/flipr"),
        ("REDIS_URL", "http://:planted@localhost"),
    ],
)
def test_an_error_does_not_repeat_a_password(read, name, value):
    with pytest.raises(ImproperlyConfigured) as raised:
        read(**{name: value})
    assert "planted" not in str(raised.value)


def test_mail_goes_to_the_console_until_a_server_is_named(read):
    assert read().EMAIL_BACKEND.endswith("console.EmailBackend")
    assert read(EMAIL_HOST="mail.example").EMAIL_BACKEND.endswith("smtp.EmailBackend")


def test_a_message_is_parsed_with_no_variable_set_and_no_server():
    done = subprocess.run(
        [sys.executable, "manage.py", "parse"],
        input="BTCUSDT on Binance_F market long 0.01",
        env=BARE,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert '"ok": true' in done.stdout


@pytest.mark.parametrize(
    ("command", "first", "named"),
    [
        ([sys.executable, "-c", "import flipr.asgi"], "The web server cannot start", "VAULT_PUBLIC_KEY"),
        (
            [sys.executable, "-m", "celery", "-A", "flipr", "worker"],
            "The worker cannot start",
            "FLIPR_REGION",
        ),
        ([sys.executable, "-m", "celery", "-A", "flipr", "beat"], "Beat cannot start", "REDIS_URL"),
        ([sys.executable, "manage.py", "migrate"], "SystemCheckError", "DATABASE_URL"),
    ],
)
def test_what_is_missing_is_listed_at_once_when_a_process_starts(command, first, named):
    done = subprocess.run(command, env=BARE, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert first in done.stderr
    assert named in done.stderr
    assert "SECRET_KEY" in done.stderr
    assert "Traceback" not in done.stderr
