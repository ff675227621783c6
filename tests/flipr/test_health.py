import pytest
from django.test import Client


@pytest.mark.django_db
def test_healthz_tells_that_both_stores_answer():
    answer = Client().get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "database": "ok", "redis": "ok"}
