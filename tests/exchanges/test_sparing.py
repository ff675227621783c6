"""Questions of which an exchange answers few."""

from __future__ import annotations

from contextlib import suppress

import pytest

from exchanges.errors import NotSent, OrderNotFound
from exchanges.limits import Priority, pressing
from exchanges.sparing import LONGEST_SECONDS, Spared, said_before


class Asked:
    """Somebody who wants to ask every second, and finds nothing."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.spared = Spared(lambda: self.now)

    def ask(self, failure: type[Exception] | None = OrderNotFound) -> bool:
        if not self.spared.due("order"):
            return False
        with suppress(NotSent, OrderNotFound), self.spared.asking("order"):
            if failure:
                raise failure("")
        return True

    def seconds(self, until: int) -> list[int]:
        """Those at which it was asked."""
        begin, asked = self.now, list[int]()
        for second in range(until):
            self.now = begin + second
            if self.ask():
                asked.append(second)
        return asked


@pytest.fixture
def asked() -> Asked:
    return Asked()


def test_the_pause_doubles_while_nothing_is_found(asked: Asked) -> None:
    assert asked.seconds(64) == [0, 1, 3, 7, 15, 31, 63]


def test_the_pause_has_an_end(asked: Asked) -> None:
    times = asked.seconds(400)
    assert times[-1] - times[-2] == LONGEST_SECONDS


def test_another_question_is_asked_at_once(asked: Asked) -> None:
    asked.ask()
    assert not asked.spared.due("order")
    assert asked.spared.due("other")


def test_what_was_found_is_asked_at_once_the_next_time(asked: Asked) -> None:
    assert asked.ask(failure=None)
    assert asked.ask()


def test_what_the_limits_refused_does_not_count(asked: Asked) -> None:
    assert asked.ask(failure=NotSent)
    assert asked.ask()
    assert not asked.ask()


def test_that_it_has_to_wait_is_news_once_until_it_was_found(asked: Asked) -> None:
    def news() -> bool:
        return not said_before(asked.spared.not_yet("order"))

    asked.ask()
    assert [news(), news()] == [True, False]
    asked.now += 5
    asked.ask()
    assert not news()
    asked.now += 5
    asked.ask(failure=None)
    assert news()


def test_what_protection_waits_for_is_asked_at_any_time(asked: Asked) -> None:
    """A stop whose answer was lost was looked for a minute later: its position had none for as long."""
    asked.ask()
    with pressing(Priority.PROTECT):
        assert asked.ask()
    assert not asked.ask()
