"""Rate limits of the simulated exchanges: data in a dialect, counted here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Owner(StrEnum):
    ADDRESS = "address"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Limit:
    """`counts` names the costs of a route that it adds up. A fixed window of `window_seconds`, or with
    `decay_per_second` a counter that runs off (Kraken). After `ban_after` refused calls within one
    window the owner is banned for `ban_seconds` (Binance: 429, then 418)."""

    name: str
    counts: str
    capacity: int
    window_seconds: int = 60
    owner: Owner = Owner.ACCOUNT
    decay_per_second: str = ""
    ban_after: int = 0
    ban_seconds: int = 0


@dataclass(slots=True)
class _Counter:
    window: int = -1
    used: int = 0
    refused: int = 0
    banned_until_ms: int = 0


@dataclass(frozen=True, slots=True)
class Exceeded:
    limit: Limit
    retry_after_seconds: int
    banned: bool


@dataclass(slots=True)
class Meter:
    """Counts in thousandths where a counter decays, so that all arithmetic is whole."""

    enforce: bool = True
    _counters: dict[tuple[str, str], _Counter] = field(default_factory=dict)

    def charge(self, limit: Limit, owner: str, cost: int, now_ms: int) -> Exceeded | None:
        counter = self._counter(limit, owner, now_ms)
        if not self.enforce:
            return None
        if counter.banned_until_ms > now_ms:
            return Exceeded(limit, -(-(counter.banned_until_ms - now_ms) // 1000), banned=True)
        if counter.used + cost <= limit.capacity:
            counter.used += cost
            return None
        counter.refused += 1
        if limit.ban_after and counter.refused > limit.ban_after:
            counter.banned_until_ms = now_ms + limit.ban_seconds * 1000
            return Exceeded(limit, limit.ban_seconds, banned=True)
        return Exceeded(limit, self._wait(limit, now_ms), banned=False)

    def used(self, limit: Limit, owner: str, now_ms: int) -> int:
        return self._counter(limit, owner, now_ms).used

    def reset(self) -> None:
        self._counters.clear()

    def _counter(self, limit: Limit, owner: str, now_ms: int) -> _Counter:
        counter = self._counters.setdefault((limit.name, owner), _Counter())
        if limit.decay_per_second:
            self._decay(limit, counter, now_ms)
        elif (window := now_ms // (limit.window_seconds * 1000)) != counter.window:
            counter.window, counter.used, counter.refused = window, 0, 0
        return counter

    @staticmethod
    def _decay(limit: Limit, counter: _Counter, now_ms: int) -> None:
        """Take off whole units only; the rest of the time stays on the account."""
        per_second_thousandths = _thousandths(limit.decay_per_second)
        if counter.window < 0:
            counter.window = now_ms
        gone = (now_ms - counter.window) * per_second_thousandths // 1_000_000
        if gone:
            counter.window += gone * 1_000_000 // per_second_thousandths
            counter.used = max(counter.used - gone, 0)

    @staticmethod
    def _wait(limit: Limit, now_ms: int) -> int:
        if limit.decay_per_second:
            return -(-1000 // _thousandths(limit.decay_per_second))
        width = limit.window_seconds * 1000
        return -(-(width - now_ms % width) // 1000)


def _thousandths(number: str) -> int:
    whole, _, part = number.partition(".")
    return int(whole or "0") * 1000 + int(part.ljust(3, "0")[:3] or "0")
