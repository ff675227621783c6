"""What the way past Django's request handling has to do itself: bodies in pieces, headers, and callers who leave."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.webhooks.conftest import ORDER, Caller, Trader, application, settle
from tests.webhooks.region import Region
from webhooks import reception, threads
from webhooks.models import CLIENT_LEFT, Delivery

PIECES = [ORDER[:7].encode(), ORDER[7:].encode()]


class Peer:
    """A client, event by event. `on_send` is called with each event it is sent."""

    def __init__(self, *events: dict[str, Any], on_send: Any = None) -> None:
        self._events = list(events)
        self._on_send = on_send
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        if self._events:
            return self._events.pop(0)
        return await asyncio.Future()  # stays connected

    async def send(self, event: dict[str, Any]) -> None:
        if self._on_send:
            await self._on_send(event)
        self.sent.append(event)

    def post(self, path: str, *headers: tuple[bytes, bytes]) -> None:
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"wait=0",
            "headers": headers,
            "root_path": "",
            "client": ("192.0.2.7", 4000),
        }

        async def serve() -> None:
            await application()(scope, self.receive, self.send)
            await asyncio.gather(*reception._at_work)

        asyncio.run(serve())


def parts(*bodies: bytes) -> list[dict[str, Any]]:
    last = len(bodies) - 1
    return [
        {"type": "http.request", "body": body, "more_body": number < last}
        for number, body in enumerate(bodies)
    ]


def test_a_message_in_pieces_is_one_message(owner: Trader, region: Region) -> None:
    peer = Peer(*parts(*PIECES))
    peer.post(owner.path)

    assert peer.sent[0]["status"] in (200, 202)
    assert owner.latest().body == ORDER


def test_a_caller_who_leaves_in_the_middle_of_his_message_has_said_nothing(owner: Trader) -> None:
    peer = Peer(parts(*PIECES)[0], {"type": "http.disconnect"})
    peer.post(owner.path)

    assert peer.sent == []
    assert not Delivery.objects.exists()


def test_the_answer_is_written_down_after_it_has_left(owner: Trader, region: Region) -> None:
    noted: list[int | None] = []

    async def look(event: dict[str, Any]) -> None:
        await asyncio.to_thread(settle)
        noted.append(await threads.run(lambda: Delivery.objects.get().http_status))

    peer = Peer(*parts(ORDER.encode()), on_send=look)
    peer.post(owner.path)

    assert noted == [None, None]
    assert owner.latest().http_status == peer.sent[0]["status"]


def test_an_answer_that_cannot_be_delivered_is_not_written_down_as_given(
    owner: Trader, region: Region
) -> None:
    async def broken(event: dict[str, Any]) -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        Peer(*parts(ORDER.encode()), on_send=broken).post(owner.path)

    assert owner.latest().http_status == CLIENT_LEFT


def test_a_header_that_comes_twice_counts_whole(owner: Trader, region: Region) -> None:
    peer = Peer(*parts(ORDER.encode()))
    peer.post(owner.path, (b"Prefer", b"respond-async"), (b"prefer", b"wait=3"))

    assert peer.sent[0]["status"] in (200, 202)
    assert owner.latest().wait_seconds == 0  # the address says more than a preference


@pytest.mark.parametrize("name", ["idempotency-key", "Idempotency-Key", "IDEMPOTENCY-KEY"])
def test_names_of_headers_are_read_in_any_case(owner: Trader, region: Region, name: str) -> None:
    Peer(*parts(ORDER.encode())).post(owner.path, (name.encode(), b"a1"))

    assert owner.latest().key == "a1"


def test_a_thousand_options_are_one_refusal(caller: Caller, owner: Trader) -> None:
    answer = caller.post(f"{owner.path}?{'&'.join(f'a{n}=1' for n in range(2000))}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "UNKNOWN_OPTION")
