"""Lists that exchanges tell page by page; the last page is the one that is not full."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count, islice
from typing import Any

from exchanges.errors import OutcomeUnknown

#: what names a page in a request
Place = Mapping[str, Any]
#: a list that has to be whole is followed over so many pages
MOST_PAGES = 50


def pages_after(
    ask: Callable[[Place], list[Any]], size: int, onward: Callable[[Any], Place]
) -> Iterator[Any]:
    """Every entry of a list in which a page is named by the last entry of the one before: `onward` tells how, of an
    entry. An exchange that does not go on from there ends the list."""
    place: Place = {}
    while True:
        page = ask(place)
        yield from page
        if len(page) < size or (further := onward(page[-1])) == place:
            return
        place = further


def whole_list(
    ask: Callable[[Place], list[Any]], size: int, onward: Callable[[Any], Place], most: int = MOST_PAGES
) -> Iterator[Any]:
    """Like `pages_after`, of a list in which nothing may be missing: raises OutcomeUnknown where it does not go on, and
    where it has more than `most` pages."""
    place: Place = {}
    for _ in range(most):
        page = ask(place)
        yield from page
        if len(page) < size:
            return
        if (further := onward(page[-1])) == place:
            break
        place = further
    raise OutcomeUnknown("the list goes on, and its end could not be reached")


def whole_by_number(ask: Callable[[int], list[Any]], size: int, most: int = MOST_PAGES) -> list[Any]:
    """Like `whole_list`, where the pages are numbered, from 0."""
    rows = list(pages_by_number(ask, size, most))
    if len(rows) >= size * most:
        raise OutcomeUnknown("the list goes on, and its end could not be reached")
    return rows


def pages_by_number(ask: Callable[[int], list[Any]], size: int, most: int | None = None) -> Iterator[Any]:
    """Every entry of a list whose pages are numbered, from 0; of `most` pages, where the list may be endless."""
    for number in islice(count(), most):
        page = ask(number)
        yield from page
        if len(page) < size:
            return
