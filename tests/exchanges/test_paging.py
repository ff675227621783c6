"""A list is read to its end, and no further."""

from __future__ import annotations

from typing import Any

import pytest

from exchanges.errors import OutcomeUnknown
from exchanges.paging import Place, pages_after, pages_by_number, whole_by_number, whole_list

ROWS = [{"id": number} for number in range(5)]


class Book:
    """A list of five in pages of two; keeps what it was asked for."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows, self.asked = rows, list[Any]()

    def after(self, place: Place) -> list[Any]:
        self.asked.append(place)
        start = place["after"] + 1 if place else 0
        return self.rows[start : start + 2]

    def numbered(self, number: int) -> list[Any]:
        self.asked.append(number)
        return self.rows[2 * number : 2 * number + 2]


def onward(row: Any) -> Place:
    return {"after": row["id"]}


def test_a_list_goes_on_from_the_last_entry_of_a_page() -> None:
    book = Book(ROWS)
    assert list(pages_after(book.after, 2, onward)) == ROWS
    assert book.asked == [{}, {"after": 1}, {"after": 3}]


def test_a_list_whose_last_page_is_full_ends_with_an_empty_one() -> None:
    book = Book(ROWS[:4])
    assert list(pages_after(book.after, 2, onward)) == ROWS[:4]
    assert book.asked == [{}, {"after": 1}, {"after": 3}]


def test_an_exchange_that_does_not_go_on_ends_the_list() -> None:
    asked = []

    def always_the_same(place: Place) -> list[Any]:
        asked.append(place)
        return ROWS[:2]

    assert list(pages_after(always_the_same, 2, onward)) == ROWS[:2] * 2
    assert asked == [{}, {"after": 1}]


def test_numbered_pages_are_read_to_the_one_that_is_not_full() -> None:
    book = Book(ROWS)
    assert list(pages_by_number(book.numbered, 2)) == ROWS
    assert book.asked == [0, 1, 2]


def test_of_a_list_that_may_be_endless_only_so_many_pages_are_read() -> None:
    book = Book(ROWS)
    assert list(pages_by_number(book.numbered, 2, most=2)) == ROWS[:4]
    assert book.asked == [0, 1]


def test_a_list_in_which_nothing_may_be_missing_is_read_to_its_end() -> None:
    assert list(whole_list(Book(ROWS).after, 2, onward)) == ROWS
    assert whole_by_number(Book(ROWS).numbered, 2) == ROWS


def test_one_that_does_not_go_on_is_not_taken_for_whole() -> None:
    with pytest.raises(OutcomeUnknown):
        list(whole_list(lambda place: ROWS[:2], 2, onward))


def test_one_that_is_too_long_is_not_taken_for_whole() -> None:
    with pytest.raises(OutcomeUnknown):
        list(whole_list(Book(ROWS).after, 2, onward, most=2))
    with pytest.raises(OutcomeUnknown):
        whole_by_number(Book(ROWS).numbered, 2, most=2)
