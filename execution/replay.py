"""Tries once more to write what history refused for good, and what has been kept for people since (`execution.record`).

Only what became of the orders is written. What it meant for brackets and for what is believed to be held has been taken
from the exchange meanwhile, by supervision, reconciliation and comparisons: told late, it would set that back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from django.db import transaction

from execution import mishap
from execution.columns import fitting
from execution.jobs import Result
from execution.models import OPEN_STATES, Order
from execution.record import INCOMPLETE, Ledger, alone, kept_for_people, let_go, order_columns
from execution.transitions import move_order


class Became(StrEnum):
    """What became of one order's part of an entry."""

    WRITTEN = "written"
    COMPLETED = "completed"
    STANDS = "had its end already"
    GONE = "is not in history any more"
    WAITS = "waits for reconciliation, which makes its bracket anew"
    REFUSED = "refused again"


@dataclass(slots=True)
class Told:
    """One entry of the list, by its place; without a job it could not be read. `orders`: by their tokens."""

    place: int
    job: str = ""
    account: str = ""
    venue: str = ""
    orders: dict[str, Became] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Nothing of it is left to write."""
        return bool(self.job) and not {Became.WAITS, Became.REFUSED} & set(self.orders.values())


def replay(region: str, *, dry_run: bool = False) -> Iterator[Told]:
    """Try each entry, the oldest first; what is done leaves the list, the rest keeps its place. `dry_run`: everything
    is written and taken back. Raises PASSING and redis.RedisError: what was not reached stays."""
    for place, text in enumerate(kept_for_people(region), 1):
        told = _again(place, text, dry_run=dry_run)
        if told.done and not dry_run:
            let_go(region, text)
        yield told


def _again(place: int, text: str, *, dry_run: bool) -> Told:
    with mishap.caught(f"reading entry {place} of what was refused") as mishaps:
        ledger = Ledger.load(text)
    if mishaps:
        return Told(place)
    orders = {result.token: _one(ledger, result, dry_run=dry_run) for result in ledger.results}
    return Told(place, ledger.job.id, ledger.job.account.public_id, ledger.job.venue, orders)


def _one(ledger: Ledger, result: Result, *, dry_run: bool) -> Became:
    found: list[Became] = []

    def write() -> None:
        found.append(_write(ledger, result))
        transaction.set_rollback(dry_run)

    return found[0] if alone(f"the result of {result.token}", write) else Became.REFUSED


def _write(ledger: Ledger, result: Result) -> Became:
    row = Order.objects.select_for_update(of=("self",)).filter(token=result.token).first()
    if row is None:
        return Became.GONE
    if row.status in OPEN_STATES:
        return Became.WAITS if result.token in ledger.brackets else _end(ledger, result)
    if row.status == result.status and (row.error or {}).get("code") == INCOMPLETE:
        columns = order_columns(result) | {"timing_ms": ledger.timeline.marks}
        Order.objects.filter(pk=row.pk).update(**fitting(Order, columns))
        return Became.COMPLETED
    return Became.STANDS


def _end(ledger: Ledger, result: Result) -> Became:
    columns = order_columns(result) | {"timing_ms": ledger.timeline.marks}
    why = "written late: it had been refused"
    moved = move_order(result.token, result.status, by=f"worker {ledger.job.region}", why=why, **columns)
    return Became.WRITTEN if moved else Became.STANDS
