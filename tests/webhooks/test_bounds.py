"""No more of a body is read than a message, or another request, may have."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.webhooks.conftest import Caller, application
from webhooks.bounds import BODY_LIMIT, PAGE_LIMIT, BoundedBody

PIECE = b"x" * 4096


class Upload:
    """A client that would send many pieces; `asked` counts how many were taken."""

    def __init__(self, pieces: int = 1000) -> None:
        self.asked = 0
        self._pieces = pieces

    async def receive(self) -> dict[str, Any]:
        self.asked += 1
        return {"type": "http.request", "body": PIECE, "more_body": self.asked < self._pieces}


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


def answer_of(path: str, upload: Upload, **headers: str) -> tuple[int, dict[str, str]]:
    """Status and headers of a POST to the whole application."""
    said: list[Any] = []

    async def send(event: Any) -> None:
        said.append(event)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "client": ("192.0.2.7", 40000),
        "headers": [
            (b"host", b"localhost"),
            *((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()),
        ],
    }
    asyncio.run(application()(scope, upload.receive, send))
    starts = [event for event in said if event["type"] == "http.response.start"]
    assert len(starts) == 1
    return starts[0]["status"], {name.decode(): value.decode() for name, value in starts[0]["headers"]}


def test_other_pages_read_a_mebibyte() -> None:
    assert length_read("/accounts/", Upload(256).receive) == PAGE_LIMIT == 256 * len(PIECE)


@pytest.mark.parametrize("path", ["/user/login/", "/api/hooks/", "/nowhere", "/"])
def test_a_body_without_end_is_refused_and_not_read_on(path: str) -> None:
    upload = Upload(1_000_000)

    status, headers = answer_of(path, upload, transfer_encoding="chunked")

    assert (status, headers["connection"]) == (413, "close")
    assert upload.asked <= PAGE_LIMIT // len(PIECE) + 1


def test_a_body_that_is_announced_as_too_long_is_not_read_at_all() -> None:
    upload = Upload()

    assert answer_of("/user/login/", upload, content_length=str(PAGE_LIMIT + 1))[0] == 413
    assert upload.asked == 0


def test_a_large_form_reaches_its_page(caller: Caller, db: None, redis_server: str) -> None:
    answer = caller.post("/user/login/", b"x" * 500_000)

    assert answer.status_code != 413


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
