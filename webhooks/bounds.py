"""Keeps Django from reading more of a webhook's body than a message may have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

BODY_LIMIT = 16 * 1024
PREFIX = "/webhook/"

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class BoundedBody:
    """ASGI: what is longer than the limit ends one byte after it, which is how the view sees that it was too long."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            receive = _cut(receive, BODY_LIMIT + 1)
        await self.app(scope, receive, send)


def _cut(receive: Receive, left: int) -> Receive:
    ended = False

    async def bounded() -> Event:
        nonlocal left, ended
        event = await receive()
        while ended and event["type"] == "http.request":
            event = await receive()  # the rest of the body goes nowhere
        if event["type"] != "http.request":
            return event
        body = event.get("body", b"")[:left]
        left -= len(body)
        ended = left <= 0 or not event.get("more_body", False)
        return {"type": "http.request", "body": body, "more_body": not ended}

    return bounded
