"""What this process sends to exchanges while somebody watches, and what of it had to wait for another's answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from exchanges.transport import Answer, Request, Transport


@dataclass(slots=True)
class Sent:
    """`what`: method and path."""

    what: str
    began: float
    ended: float = 0.0


@contextmanager
def watched() -> Iterator[list[Sent]]:
    sent: list[Sent] = []
    send = Transport.send

    def noted(self: Transport, request: Request) -> Answer:
        one = Sent(f"{request.method} {request.path}", time.perf_counter())
        sent.append(one)
        try:
            return send(self, request)
        finally:
            one.ended = time.perf_counter()

    Transport.send = noted  # type: ignore[method-assign]
    try:
        yield sent
    finally:
        Transport.send = send  # type: ignore[method-assign]


def in_turn(sent: list[Sent]) -> int:
    """The longest chain of requests of which each began after the one before had its answer."""
    chain, free_at = 0, 0.0
    for each in sorted(sent, key=lambda one: one.ended):
        if each.began >= free_at:
            chain, free_at = chain + 1, each.ended
    return chain
