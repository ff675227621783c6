import asyncio
import threading
from typing import Any

import pytest
from asgiref.sync import SyncToAsync, sync_to_async
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, connections
from django.http import HttpRequest, HttpResponse
from django.urls import path

from flipr.asgi import LaneHandler

meeting = threading.Barrier(2, timeout=10)


def session(request: HttpRequest) -> HttpResponse:
    """Which PostgreSQL session serves this request."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return HttpResponse(str(cursor.fetchone()[0]))


def meet(request: HttpRequest) -> HttpResponse:
    meeting.wait()
    return HttpResponse(str(threading.get_ident()))


urlpatterns = [path("session", session), path("meet", meet)]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def connections_are_watched_as_in_production():
    """Django's test set-up disconnects what checks connections at the borders of a request."""
    for border in (request_started, request_finished):
        border.connect(close_old_connections)
    yield
    for border in (request_started, request_finished):
        border.disconnect(close_old_connections)


async def ask(handler: LaneHandler, address: str) -> bytes:
    """One request, as an ASGI server makes it: in a task of its own."""
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": address,
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        for message in messages:
            return message
        return await asyncio.Future()  # the client stays connected

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await asyncio.create_task(handler(scope, receive, send))
    return b"".join(message.get("body", b"") for message in sent)


async def hang_up(handler: LaneHandler) -> None:
    """Close what each lane's thread has open, and end the thread."""
    for lane in handler._load:
        token = SyncToAsync.thread_sensitive_context.set(lane)
        await sync_to_async(connections.close_all)()
        SyncToAsync.thread_sensitive_context.reset(token)
        SyncToAsync.context_to_thread_executor.pop(lane).shutdown()


def answers(handler: LaneHandler, *addresses: str, together: bool) -> list[bytes]:
    async def run() -> list[bytes]:
        try:
            if together:
                return await asyncio.gather(*(ask(handler, address) for address in addresses))
            return [await ask(handler, address) for address in addresses]
        finally:
            await hang_up(handler)

    return asyncio.run(run())


def test_one_request_after_the_other_finds_the_same_database_connection():
    assert len(set(answers(LaneHandler(), "/session", "/session", "/session", together=False))) == 1


def test_requests_at_the_same_time_have_a_thread_each():
    first, second = answers(LaneHandler(), "/meet", "/meet", together=True)
    assert first != second


def test_more_requests_than_lanes_are_all_answered():
    found = answers(LaneHandler(lanes=2), *["/session"] * 8, together=True)
    assert all(found)
    assert len(set(found)) <= 2
