"""Questions of which an exchange answers few."""

from __future__ import annotations

from exchanges.sparing import LONGEST_SECONDS, Spared


class Asked:
    def __init__(self):
        self.now = 1000.0
        self.spared = Spared(lambda: self.now)

    def seconds(self, until, name="order"):
        """At which seconds it is asked, by somebody who wants to every second."""
        begin, asked = self.now, []
        for second in range(until):
            self.now = begin + second
            if self.spared.due(name):
                asked.append(second)
        return asked


def test_the_pause_doubles_while_nothing_is_found():
    assert Asked().seconds(64) == [0, 1, 3, 7, 15, 31, 63]


def test_the_pause_has_an_end():
    times = Asked().seconds(400)
    assert times[-1] - times[-2] == LONGEST_SECONDS


def test_another_question_is_asked_at_once():
    asked = Asked()
    assert asked.spared.due("one")
    assert asked.spared.due("other")
    assert not asked.spared.due("one")


def test_what_was_found_is_asked_at_once_the_next_time():
    asked = Asked()
    assert asked.spared.due("order")
    assert not asked.spared.due("order")
    asked.spared.found("order")
    assert asked.spared.due("order")
