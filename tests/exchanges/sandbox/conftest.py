"""Connections of our own venues to the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exchanges.pool import Pool
from tests.exchanges.conftest import Sandbox


@pytest.fixture
def pool(sandbox: Sandbox) -> Iterator[Pool]:
    made = Pool(sandbox_url=sandbox.url)
    yield made
    made.close()
