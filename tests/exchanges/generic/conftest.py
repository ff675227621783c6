from collections.abc import Iterator

import pytest

from exchanges.generic.client import shelf


@pytest.fixture(autouse=True)
def _no_markets_of_other_tests() -> Iterator[None]:
    shelf.forget()
    yield
    shelf.forget()
