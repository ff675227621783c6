"""Who is told how each exchange call went: the breaker of circuits and the statistics of the layer above."""

from __future__ import annotations

from typing import Protocol

from exchanges.errors import ExchangeError
from exchanges.types import Environment


class Witness(Protocol):
    def saw(
        self,
        venue: str,
        environment: Environment,
        seconds: float,
        error: ExchangeError | None,
        *,
        reading: bool = False,
    ) -> None:
        """One call ended: `seconds` from sending to the answer, `error` when the answer was none or a no, `reading`
        when it was to change nothing. Called on the path of orders: must be quick, and must not raise."""


class Nobody:
    """For those who are alone."""

    def saw(
        self,
        venue: str,
        environment: Environment,
        seconds: float,
        error: ExchangeError | None,
        *,
        reading: bool = False,
    ) -> None:
        return
