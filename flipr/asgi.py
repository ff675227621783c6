"""The web tier: `uvicorn flipr.asgi:application --loop uvloop --http httptools`.

Django gives every ASGI request a thread of its own for blocking work and throws it away afterwards, and with
it the thread's database connection. Lanes keep the threads: a request borrows one, and finds there the
connection that the request before it has opened."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import django
from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler

from webhooks.bounds import BoundedBody

if TYPE_CHECKING:
    from flipr.leaving import Leaving

LANES = 16  # as many database connections at most per web process


class LaneHandler(ASGIHandler):
    """ASGIHandler with a fixed set of long-lived threads.

    A request takes the least busy lane. Sharing one costs little, because waiting for an exchange is
    asynchronous and holds no thread."""

    def __init__(self, lanes: int = LANES) -> None:
        super().__init__()
        self._load = {ThreadSensitiveContext(): 0 for _ in range(lanes)}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # The first of the idle ones: with little to do, few connections are open.
        lane = min(self._load, key=self._load.__getitem__)
        self._load[lane] += 1
        # Django enters a context of its own, which does nothing inside one that is already set.
        token = SyncToAsync.thread_sensitive_context.set(lane)
        try:
            await super().__call__(scope, receive, send)
        finally:
            SyncToAsync.thread_sensitive_context.reset(token)
            self._load[lane] -= 1


def make_application() -> Leaving:
    django.setup(set_prefix=False)
    from exchanges.registry import venues  # noqa: PLC0415
    from flipr.checks import WEB, require  # noqa: PLC0415  (needs the settings)
    from flipr.leaving import Leaving  # noqa: PLC0415  (needs the models)
    from webhooks.door import Door  # noqa: PLC0415  (needs the models)

    require("The web server", WEB)
    venues()  # or the first message waits until every exchange is imported
    return Leaving(Door(BoundedBody(LaneHandler())))


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flipr.settings")
application = make_application()
