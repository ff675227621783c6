import pytest
from django.test import Client, override_settings

from flipr.embedded import free_ports


@pytest.mark.django_db
def test_healthz_tells_that_both_stores_answer():
    answer = Client().get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "database": "ok", "redis": "ok"}


@pytest.mark.django_db
def test_a_store_that_does_not_answer_makes_it_503_and_is_named_without_its_address():
    port = free_ports(1)[0]
    with override_settings(REDIS_URL=f"redis://:planted@127.0.0.1:{port}/0"):
        answer = Client().get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"ok": False, "database": "ok", "redis": "down"}


@pytest.mark.django_db
def test_healthz_is_never_cached_and_never_redirected():
    with override_settings(SECURE_SSL_REDIRECT=True):
        answer = Client().get("/healthz")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
