"""Flow tests talk to running processes: what they write is committed and stays, each test has users of its own.

They do not carry `django_db`: its transactions would be invisible to the processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from execution.circuit import opened
from tests.stack import Stack, wait_for


@pytest.fixture(autouse=True)
def reached_database(stack: Stack, django_db_blocker: Any) -> Iterator[None]:
    """The ORM of the test sees the database of the processes."""
    with django_db_blocker.unblock(), stack.reached():
        yield


@pytest.fixture(autouse=True)
def no_faults_left(stack: Stack, reached_database: None) -> Iterator[None]:
    """A test that disturbed an exchange leaves its circuit closed to the next one."""
    yield
    stack.control("faults", {})
    wait_for(
        "every circuit is closed", lambda: not [e for region in settings.REGIONS for e in opened(region)]
    )
