import asyncio
import threading

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path

# This module is its own URLconf: views that report what they got.


def report(request: HttpRequest, word: str = "") -> HttpResponse:
    has = ",".join(name for name in ("user", "session", "csrf_processing_done") if hasattr(request, name))
    return HttpResponse(f"{word}:{has}")


def bare(request: HttpRequest, word: str = "") -> HttpResponse:
    return report(request, word)


async def bare_async(request: HttpRequest, word: str = "") -> HttpResponse:
    await asyncio.sleep(0)
    return report(request, word)


def in_a_thread(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(threading.get_ident()))


bare.bare = bare_async.bare = in_a_thread.bare = True  # type: ignore[attr-defined]

urlpatterns = [
    path("full/<word>", report),
    path("bare/<word>", bare),
    path("bare-async/<word>", bare_async),
    path("in-a-thread", in_a_thread),
]


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(status=404)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    return HttpResponse(status=403)


pytestmark = pytest.mark.urls(__name__)


def test_an_ordinary_view_has_a_user_and_a_session():
    assert Client().get("/full/x").content == b"x:user,session,csrf_processing_done"


@pytest.mark.parametrize("name", ["bare", "bare-async"])
def test_a_bare_view_pays_for_no_middleware(name):
    assert Client().get(f"/{name}/x").content == b"x:"


@pytest.mark.parametrize("name", ["bare", "bare-async"])
def test_the_same_holds_under_asgi(name):
    ask = async_to_sync(AsyncClient().get)
    assert ask(f"/{name}/x").content == b"x:"
    assert ask("/full/x").content == b"x:user,session,csrf_processing_done"


@override_settings(CSRF_FAILURE_VIEW="tests.flipr.test_bare.forged")
def test_a_bare_view_takes_a_post_from_anywhere():
    client = Client(enforce_csrf_checks=True)
    assert client.post("/full/x").status_code == 403
    assert client.post("/bare/x").status_code == 200


def test_the_answer_of_a_bare_view_carries_no_cookie():
    assert not Client().get("/bare/x").cookies


def test_an_unknown_address_is_answered_as_usual():
    assert Client().get("/nowhere").status_code == 404


def test_a_blocking_bare_view_does_not_block_the_event_loop():
    async def ask() -> bytes:
        loop_thread["id"] = threading.get_ident()
        return (await AsyncClient().get("/in-a-thread")).content

    loop_thread: dict[str, int] = {}
    assert async_to_sync(ask)() != str(loop_thread["id"]).encode()
