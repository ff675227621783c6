"""Options and addresses of a call."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from webhooks import intake
from webhooks.intake import Options


def options(path: str = "/", **headers: str) -> Options:
    return intake.options(intake.read(RequestFactory().post(path, headers=headers), "u", "t"))


@pytest.mark.parametrize(
    ("preference", "seconds"),
    [
        ("wait=15", 15.0),
        ("respond-async, wait=7", 7.0),
        ('handling=lenient; wait="3"', 3.0),
        ("wait=600", 30.0),
        ("wait=soon", 2.5),
        ("await=9", 2.5),
        ("", 2.5),
    ],
)
def test_preference_to_wait(preference: str, seconds: float) -> None:
    assert options(Prefer=preference).wait_seconds == seconds


def test_option_goes_before_the_preference() -> None:
    assert options("/?wait=0.5", Prefer="wait=20").wait_seconds == 0.5


@pytest.mark.parametrize("key", ["a 1", '"a 1"', ' "a 1" '])
def test_a_key_in_quotes_is_the_id_in_them(key: str) -> None:
    assert options(**{"Idempotency-Key": key}).key == "a 1"


def source(proxies: int, settings: Any, forwarded: str, peer: str = "203.0.113.9") -> str:
    settings.TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return intake.source_of(RequestFactory().post("/", headers=headers, REMOTE_ADDR=peer))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "", "203.0.113.9"),
        (0, "198.51.100.1", "203.0.113.9"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "10.9.9.9, 198.51.100.1", "198.51.100.1"),
        (2, "10.9.9.9, 198.51.100.1, 192.0.2.5", "198.51.100.1"),
        (2, "198.51.100.1", "203.0.113.9"),
        (1, "198.51.100.1:4711", "198.51.100.1"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "::ffff:198.51.100.1", "198.51.100.1"),
        (1, "fe80::1%eth0", "fe80::1"),
        (1, "[fe80::1%25eth0]:4711", "fe80::1"),
        (1, "unknown", ""),
    ],
)
def test_source_is_what_the_last_trusted_proxy_saw(
    settings: Any, proxies: int, forwarded: str, expected: str
) -> None:
    assert source(proxies, settings, forwarded) == expected
