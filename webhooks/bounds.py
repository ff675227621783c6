"""Keeps Django from reading more of a request's body than it may have.

Django reads a body whole, to a file where it is large, before anybody looks at it: without a bound whoever reaches the
server fills its disk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

BODY_LIMIT = 16 * 1024
PREFIX = "/webhook/"
#: of all other requests: forms and the REST API, whose largest have a few kilobytes
PAGE_LIMIT = 1024 * 1024

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_TOO_LARGE = b'{"detail":"The request is larger than 1 MiB."}'


class BoundedBody:
    """ASGI: a webhook's body that is longer than its limit ends one byte after it, which is how the view sees that it
    was too long; any other request that is too large is answered 413 here, and not read on."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"].startswith(PREFIX):
            await self.app(scope, _cut(receive, BODY_LIMIT + 1), send)
        elif _announced(scope.get("headers", ())) > PAGE_LIMIT:
            await _refuse(send)
        else:
            await self._measured(scope, receive, send)

    async def _measured(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """A body that says nothing of its length, or not the truth. Past the limit Django is told that the caller hung
        up, at which it lets go of what it has read."""
        left, answered = PAGE_LIMIT, False

        async def bounded() -> Event:
            nonlocal left
            if left < 0:
                return {"type": "http.disconnect"}
            event = await receive()
            left -= len(event.get("body", b""))
            return event if left >= 0 else {"type": "http.disconnect"}

        async def watched(event: Event) -> None:
            nonlocal answered
            answered = True
            await send(event)

        await self.app(scope, bounded, watched)
        if left < 0 and not answered:
            await _refuse(send)


def _announced(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """What the request says of its length; 0 when it says nothing that can be understood."""
    said = next((value for name, value in headers if name.lower() == b"content-length"), b"")
    return int(said) if said.isdigit() and len(said) < 20 else 0


async def _refuse(send: Send) -> None:
    # The rest of the body is not read, so the connection cannot be used again.
    headers = {
        "content-type": "application/json",
        "content-length": str(len(_TOO_LARGE)),
        "connection": "close",
    }
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 413, "headers": encoded})
    await send({"type": "http.response.body", "body": _TOO_LARGE})


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
