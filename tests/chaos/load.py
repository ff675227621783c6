"""Deliveries all at once, and a steady stream: how they are answered, and what the processes need for it."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

#: every hook is posted to by one caller of its own, as TradingView does
ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Posted:
    """`status` 0: no answer."""

    url: str
    text: str
    status: int
    body: dict[str, Any]
    seconds: float


def post_within(seconds: float, messages: Sequence[tuple[str, str]]) -> list[Posted]:
    """POST every (url, text), spread evenly over the time, none waiting for another's answer."""
    return asyncio.run(_post_all(seconds, messages))


async def _post_all(seconds: float, messages: Sequence[tuple[str, str]]) -> list[Posted]:
    begun = time.monotonic()

    async def one(number: int, url: str, text: str) -> Posted:
        await asyncio.sleep(max(0.0, begun + seconds * number / len(messages) - time.monotonic()))
        return await _post(url, text)

    return await asyncio.gather(*(one(number, *each) for number, each in enumerate(messages)))


async def _post(url: str, text: str) -> Posted:
    """HTTP by hand: a client library would take the processor that the service needs."""
    parts, body, begun = urlsplit(url), text.encode(), time.monotonic()
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(head.encode() + body)
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
    except (OSError, TimeoutError):
        return Posted(url, text, 0, {}, time.monotonic() - begun)
    words, _, content = answer.partition(b"\r\n\r\n")
    if not content:
        return Posted(url, text, 0, {}, time.monotonic() - begun)
    return Posted(url, text, int(words.split()[1]), json.loads(content), time.monotonic() - begun)


def summary(posted: Sequence[Posted]) -> dict[str, object]:
    took = sorted(each.seconds for each in posted)
    by_status = Counter(each.status or "no answer" for each in posted)
    return {
        "deliveries": len(posted),
        "answers": ", ".join(f"{status}: {count}" for status, count in sorted(by_status.items(), key=str)),
        "answered within 3 s": sum(seconds <= 3.0 for seconds in took),
        "median answer, s": round(took[len(took) // 2], 3),
        "slowest answer, s": round(took[-1], 3),
    }
