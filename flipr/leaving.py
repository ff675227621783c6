"""How a web process ends: callers who wait are answered with what is known (202), and what was begun is finished.

The server waits for open requests before it tells the application that it ends (ASGI lifespan), so that the signal
itself is listened to as well."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType

from execution import outcome
from flipr.garbage import freeze
from webhooks import reception, threads
from webhooks.bounds import App, Event, Receive, Send

SIGNALS = (signal.SIGTERM, signal.SIGINT)
#: for callers who have gone and left something to finish
FINISH_SECONDS = 3.0


class Leaving:
    """ASGI: the life of the process; everything else is the application's."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        await receive()
        hear_of_the_end()
        outcome.board().listen()
        freeze()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        outcome.board().leave()
        await reception.finish(FINISH_SECONDS)
        await asyncio.to_thread(threads.drain)
        await send({"type": "lifespan.shutdown.complete"})


def hear_of_the_end() -> None:
    """Let waiting callers go as soon as a signal asks this process to end; then the server's own handler runs."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in SIGNALS:
        if callable(before := signal.getsignal(number)):
            signal.signal(number, _let_go_then(before))


def _let_go_then(
    before: Callable[[int, FrameType | None], object],
) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, frame: FrameType | None) -> None:
        # A thread, because the one that was interrupted here may hold the lock that is needed.
        threading.Thread(target=outcome.board().leave, name="leaving", daemon=True).start()
        before(number, frame)

    return handle
