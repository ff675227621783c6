"""No more of a body is read than a message may have."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from webhooks.bounds import BODY_LIMIT, BoundedBody

PIECE = b"x" * 4096


class Upload:
    """A client that would send a thousand pieces; `asked` counts how many were taken."""

    def __init__(self) -> None:
        self.asked = 0

    async def receive(self) -> dict[str, Any]:
        self.asked += 1
        return {"type": "http.request", "body": PIECE, "more_body": self.asked < 1000}


async def read_whole(scope: Any, receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        event = await receive()
        body, more = body + event["body"], event["more_body"]
    await send({"length": len(body)})


def length_read(path: str, receive: Any) -> int:
    said: list[int] = []

    async def send(event: Any) -> None:
        said.append(event["length"])

    asyncio.run(BoundedBody(read_whole)({"type": "http", "path": path}, receive, send))
    return said[0]


def test_a_long_body_ends_one_byte_after_the_limit() -> None:
    upload = Upload()

    assert length_read("/webhook/u/t", upload.receive) == BODY_LIMIT + 1
    assert upload.asked == BODY_LIMIT // len(PIECE) + 1


def test_other_pages_read_what_they_like() -> None:
    assert length_read("/accounts/", Upload().receive) == 1000 * len(PIECE)


@pytest.mark.parametrize("pieces", [[b""], [b"abc"], [b"abc", b"def"], [PIECE] * 4])
def test_a_message_arrives_whole(pieces: list[bytes]) -> None:
    left = list(pieces)

    async def receive() -> dict[str, Any]:
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    assert length_read("/webhook/u/t", receive) == sum(map(len, pieces))


def test_who_listens_for_the_end_of_the_connection_hears_only_that() -> None:
    events = [{"type": "http.request", "body": PIECE, "more_body": True} for _ in range(20)]
    events.append({"type": "http.disconnect"})
    heard: list[str] = []

    async def receive() -> Any:
        return events.pop(0)

    async def listen(scope: Any, receive: Any, send: Any) -> None:
        await read_whole(scope, receive, send)
        heard.append((await receive())["type"])

    async def send(event: Any) -> None:
        """The length does not matter here."""

    asyncio.run(BoundedBody(listen)({"type": "http", "path": "/webhook/u/t"}, receive, send))
    assert heard == ["http.disconnect"]
