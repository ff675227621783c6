"""One call of ours on its way through ccxt."""

from __future__ import annotations

from typing import Any

from exchanges.limits import Priority
from exchanges.transport import Request
from exchanges.types import Credentials


class Flight:
    """One call of ours: whose it is, how urgent, and whether it has left. ccxt may read a setting before it places an
    order: that is not yet sending it."""

    def __init__(
        self, keys: Credentials | None, priority: Priority, patience: float | None, *, reading: bool
    ) -> None:
        self.keys, self.priority, self.patience, self.reading = keys, priority, patience, reading
        self.sent = False
        #: something that changes things was answered well
        self.done = False
        self.request: Request | None = None
        self.client: Any = None

    def answered(self) -> None:
        if not self.reading and self.request is not None and self.request.method != "GET":
            self.done = True

    def without_keys(self, words: str) -> str:
        """One line; what ccxt was given, and exchanges repeat, is taken out before it is cut."""
        keys = self.keys
        for secret in (keys.key, keys.secret, keys.passphrase) if keys else ():
            words = words.replace(secret, "…") if secret else words
        return " ".join(words.split())[:200]
