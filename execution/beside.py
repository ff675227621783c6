"""Questions to several exchanges side by side, each in a thread of its own: none waits for another's answer, and none
holds a thread that orders need."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from django.db import connections

from execution import mishap

_lock = threading.Lock()
_at_work: set[str] = set()


def run(pieces: Mapping[str, Callable[[], object]], seconds: float) -> None:
    """Begin each piece that is not still at work from an earlier time, and wait for them so long at most: one that
    hangs goes on alone. What goes wrong in one is logged."""
    begun = [_begin(name, piece) for name, piece in pieces.items() if _taken(name)]
    until = time.monotonic() + seconds
    for thread in begun:
        if thread.ident is not None:
            thread.join(max(until - time.monotonic(), 0))


def at_work() -> set[str]:
    with _lock:
        return set(_at_work)


def _taken(name: str) -> bool:
    with _lock:
        free = name not in _at_work
        _at_work.add(name)
        return free


def _begin(name: str, piece: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=_do, args=(name, piece), name=name, daemon=True)
    with mishap.caught(f"a thread for {name}") as mishaps:
        thread.start()
    if mishaps:  # no thread can be had at the moment: it is not at work, and may begin the next time
        _ended(name)
    return thread


def _do(name: str, piece: Callable[[], object]) -> None:
    try:
        with mishap.caught(name):
            piece()
    finally:
        connections.close_all()
        _ended(name)


def _ended(name: str) -> None:
    with _lock:
        _at_work.discard(name)
