"""The sandbox as its own tests start it."""

from tests.exchanges.conftest import sandbox, sandbox_process  # noqa: F401 - fixtures
