"""The header middleware, under both kinds of server."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse

from accounts.headers import POLICY, security_headers


def test_a_view_may_set_its_own_policy():
    own = HttpResponse(headers={"Content-Security-Policy": "sandbox"})
    assert security_headers(lambda request: own)(HttpRequest())["Content-Security-Policy"] == "sandbox"


def test_an_asynchronous_chain_stays_asynchronous():
    async def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    with pytest.raises(StopIteration) as finished:
        security_headers(view)(HttpRequest()).send(None)  # driven by hand: no loop is needed
    assert finished.value.value["Content-Security-Policy"] == POLICY
