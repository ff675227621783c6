"""Lists that exchanges tell page by page; the last page is the one that is not full."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count, islice
from typing import Any

#: what names a page in a request
Place = Mapping[str, Any]


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


def pages_by_number(ask: Callable[[int], list[Any]], size: int, most: int | None = None) -> Iterator[Any]:
    """Every entry of a list whose pages are numbered, from 0; of `most` pages, where the list may be endless."""
    for number in islice(count(), most):
        page = ask(number)
        yield from page
        if len(page) < size:
            return
