"""The message that travels to a region's worker: one block, one symbol, one account, its steps in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from exchanges.types import Environment
from execution.amounts import Span
from execution.commands import Step
from execution.wire import dump, load


@dataclass(frozen=True, slots=True)
class JobAccount:
    """What a worker needs of an account; `sealed` opens only in a worker."""

    public_id: str
    label: str
    exchange: str
    sealed: str = field(repr=False)
    opposite_signal: str = "net"


@dataclass(frozen=True, slots=True)
class JobStep:
    """A step and the order row that reports it; a guard has no row (`token` is "")."""

    step: Step
    command: str
    action: str
    token: str = ""
    position: int = -1
    #: client ids that `cancel ... tag NAME` stands for, looked up where the history is
    tagged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """Times are epoch milliseconds. `symbol` is "" for `*`. `lane` orders jobs of one account and symbol."""

    id: str
    user: str
    delivery: str
    region: str
    venue: str
    environment: Environment
    account: JobAccount
    symbol: str
    steps: tuple[JobStep, ...]
    stop_policy: str
    lane: str
    ticket: int
    received_ms: float
    fresh_until_ms: float
    reply_to: str = ""
    #: when the message says it was sent, at the latest when it was received
    sent_ms: float | None = None
    dry_run: bool = False
    symbol_span: Span | None = None
    #: the symbols written before this one in its block
    symbols_before: tuple[str, ...] = ()
    timing_ms: dict[str, float] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        return dump(self)  # type: ignore[no-any-return]

    @staticmethod
    def load(data: dict[str, Any]) -> Job:
        return load(data, Job)  # type: ignore[no-any-return]


@dataclass(slots=True)
class Result:
    """What became of one step: the object of http.md under `results`, before it is written out."""

    position: int
    token: str
    command: str
    action: str
    venue: str
    symbol: str
    account: str
    region: str
    status: str
    instrument: str = ""
    side: str = ""
    client_id: str = ""
    exchange_id: str = ""
    quantity: Decimal | None = None
    filled: Decimal | None = None
    average_price: Decimal | None = None
    fee: dict[str, str] | None = None
    protection: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    would_send: list[dict[str, Any]] | None = None
    resting: bool = False
    #: what the caller should know of its protection although nothing failed
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Exactly the shape of http.md; money as plain decimal text."""
        shown = {
            "command": self.command,
            "action": self.action,
            "venue": self.venue,
            "symbol": self.symbol,
            "instrument": self.instrument,
            "account": self.account,
            "region": self.region,
            "side": self.side or None,
            "status": self.status,
            "client_id": self.client_id or None,
            "exchange_id": self.exchange_id or None,
            "quantity": plain(self.quantity),
            "filled": plain(self.filled),
            "average_price": plain(self.average_price),
            "fee": self.fee,
            "protection": self.protection or self._no_protection(),
            "error": self.error,
        }
        return shown | ({"would_send": self.would_send} if self.would_send is not None else {})

    def _no_protection(self) -> dict[str, Any]:
        none: dict[str, Any] = {"status": "none", "bracket": None, "stop": None, "targets": []}
        return none | ({"note": self.note} if self.note else {})


def plain(value: Decimal | None) -> str | None:
    """Decimal text without exponent or trailing zeros."""
    if value is None:
        return None
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
