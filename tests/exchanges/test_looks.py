"""A list that lags is looked at again, and one that cannot be read tells nothing."""

from __future__ import annotations

from typing import Any

from exchanges.looks import LooksAgain
from exchanges.types import Credentials
from exchanges.venue import Call
from tests.exchanges.test_venue import KEYS, Exchange, Tiny, tiny


class Lagging(LooksAgain, Tiny):
    look_after = (0.0, 0.5, 2.0)

    def listed(self, keys: Credentials) -> list[Any]:
        rows: list[Any] = self.call(Call("GET", "/orders"), keys)["ids"]
        return rows


def lagging(*answers: Any) -> tuple[Lagging, Exchange, list[float]]:
    exchange, waits = Exchange(*answers), list[float]()
    venue = tiny(exchange, kind=Lagging)
    assert isinstance(venue, Lagging)
    venue.pause = waits.append
    return venue, exchange, waits


def test_each_look_waits_its_moment_before_it() -> None:
    venue, exchange, waits = lagging((200, {"ids": []}))
    assert list(venue._listings(lambda: venue.listed(KEYS))) == [[], [], []]
    assert waits == [0.0, 0.5, 2.0]
    assert len(exchange.requests) == 3


def test_who_has_found_it_does_not_look_again() -> None:
    venue, exchange, waits = lagging((200, {"ids": []}), (200, {"ids": [7]}))
    assert next(rows for rows in venue._listings(lambda: venue.listed(KEYS)) if rows) == [7]
    assert waits == [0.0, 0.5]
    assert len(exchange.requests) == 2


def test_a_look_that_cannot_be_read_is_passed_over() -> None:
    venue, _, waits = lagging((502, "bad gateway"), (200, {"error": "poor"}), (200, {"ids": [7]}))
    assert list(venue._listings(lambda: venue.listed(KEYS))) == [[7]]
    assert waits == [0.0, 0.5, 2.0]
