"""Questions about several orders of one key, asked in a row."""

import contextlib
from functools import partial

from exchanges.rounds import Round, this_round


def answer(asked, value):
    asked.append(value)
    return value


def test_what_was_read_in_a_round_is_not_asked_again():
    asked, lists = list[int](), Round()
    for _ in range(2):
        with lists.asking():
            assert this_round().once("list", partial(answer, asked, 1)) == 1
    assert asked == [1]


def test_another_round_asks_anew():
    asked = list[int]()
    for value in (1, 2):
        with Round().asking():
            assert this_round().once("list", partial(answer, asked, value)) == value
    assert asked == [1, 2]


def test_without_a_round_every_question_is_one_of_its_own():
    asked, lists = list[int](), Round()
    with lists.asking():
        this_round().once("list", partial(answer, asked, 1))
    for value in (2, 3):
        this_round().once("list", partial(answer, asked, value))
    assert asked == [1, 2, 3]


def test_what_could_not_be_read_is_asked_again():
    lists = Round()
    with lists.asking():
        with contextlib.suppress(ZeroDivisionError):
            this_round().once("list", lambda: 1 // 0)
        assert not this_round().knows("list")
