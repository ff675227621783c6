"""ASGI: where commands come in, beside Django's handling of requests.

A command needs no session, no middleware and no thread of its own, and its caller counts milliseconds. Here it is
also known when the answer has left: only then is it written down as given."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable

from webhooks import intake, reception
from webhooks.bounds import BODY_LIMIT, App, Event, Receive, Send
from webhooks.models import CLIENT_LEFT
from webhooks.replies import Reply

_HOOK = re.compile(r"/webhook/([^/]+)/([^/]+)/?")


class Door:
    """POST /webhook/{user_id}/{token} is taken in; everything else goes on to `app`."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        hook = (
            _HOOK.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        )
        if hook is None:
            await self.app(scope, receive, send)
        elif (body := await _body(receive)) is not None:
            peer = scope.get("client") or ("", 0)
            query = scope["query_string"].decode("latin-1")
            call = intake.call_of(hook[1], hook[2], body, query, _headers(scope["headers"]), peer[0])
            await _serve(call, receive, send)


async def _serve(call: intake.Call, receive: Receive, send: Send) -> None:
    work = reception.begin(call)
    gone = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait([work, gone], return_when=asyncio.FIRST_COMPLETED)
        if work.done() and not gone.done():
            await _answer(work.result().reply, send)
            reception.note(work.result(), work.result().reply.status)
            return
    except BaseException:  # the server ends this request, or its connection broke while it was answered
        _left(work)
        raise
    finally:
        gone.cancel()
    _left(work)


def _left(work: asyncio.Task[reception.Handled]) -> None:
    """The caller has hung up: what it asked for is carried out, and nobody was told."""

    def note(done: asyncio.Task[reception.Handled]) -> None:
        if not done.cancelled():
            reception.note(done.result(), CLIENT_LEFT)

    if work.done():
        note(work)
    else:
        work.add_done_callback(note)


async def _answer(reply: Reply, send: Send) -> None:
    content = reply.content()
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in reply.all_headers(content).items()
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _body(receive: Receive) -> bytes | None:
    """At most one byte more than a message may have; None when the caller hung up before the end."""
    body = bytearray()
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return None
        body += event.get("body", b"")
        if len(body) > BODY_LIMIT or not event.get("more_body", False):
            return bytes(body[: BODY_LIMIT + 1])


async def _gone(receive: Receive) -> None:
    """Returns when the caller hangs up; the rest of a body that is too long goes nowhere."""
    while (await receive())["type"] == "http.request":
        pass


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """By lower-case name; what comes twice is one list (RFC 9110, section 5.3)."""
    found: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]},{text}" if key in found else text
    return found
