"""What a job did, written into history. Runs after the caller has been told; a database that is away loses nothing."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import redis
from celery import current_app
from django.db import DatabaseError, transaction
from kombu.exceptions import OperationalError

from accounts.models import Account
from execution import brackets, holdings
from execution.brokers import producer_pool, region_redis
from execution.desk import Released, Timeline
from execution.fills import Seen
from execution.jobs import Job, Result
from execution.protection import Guarded, down
from execution.transitions import move_order
from execution.wire import dump, load

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Ledger:
    """Everything a job leaves behind. `closed`: (venue, instrument, directions) that are flat now;
    `cancelled`: client and exchange ids of orders it cancelled."""

    job: Job
    results: list[Result]
    timeline: Timeline
    brackets: dict[str, Guarded] = field(default_factory=dict)
    closed: list[tuple[str, str, list[str]]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    #: (instrument, what is left of it, ids of exits that were cancelled only to free the balance)
    released: list[tuple[str, str, list[str]]] = field(default_factory=list)
    #: (instrument, direction, what is left, how much it was) of positions of which a part was closed
    reduced: list[tuple[str, str, str, str]] = field(default_factory=list)
    #: what its orders filled, by their ids
    fills: dict[str, Seen] = field(default_factory=dict)
    #: instruments ("": all) whose targets flipr is not to watch any more
    unwatched: list[str] = field(default_factory=list)
    #: the brackets here replace older protection of the same position
    replaces: bool = False
    #: when the job was done: what was opened since, and stands in history already, is none of its business
    ended_ms: float = field(default_factory=lambda: time.time() * 1000)

    @property
    def ended_at(self) -> datetime:
        return datetime.fromtimestamp(self.ended_ms / 1000, UTC)

    @property
    def looks_back(self) -> bool:
        """Whether it changes brackets of earlier jobs."""
        earlier = (self.closed, self.cancelled, self.released, self.reduced, self.unwatched)
        return self.replaces or any(earlier)

    def outcome(self) -> dict[str, Any]:
        """What the waiting caller gets (execution.outcome)."""
        return {
            "job": self.job.id,
            "results": [{"position": each.position, "result": each.as_json()} for each in self.results],
            "timing_ms": self.timeline.marks,
        }

    def release(self, released: list[Released]) -> None:
        """Take over what a step released on spot; what is left is to be protected again."""
        while released:
            each = released.pop(0)
            left = down(each.left, each.instrument.step)
            self.released.append((each.instrument.symbol, str(left), each.ids))

    def dump(self) -> str:
        values = {
            "job": self.job.dump(),
            "results": dump(self.results, list[Result]),
            "marks": self.timeline.marks,
            "brackets": dump(self.brackets, dict[str, Guarded]),
            "closed": self.closed,
            "cancelled": self.cancelled,
            "released": self.released,
            "reduced": self.reduced,
            "fills": dump(self.fills, dict[str, Seen]),
            "replaces": self.replaces,
            "unwatched": self.unwatched,
            "ended_ms": self.ended_ms,
        }
        return json.dumps(values)

    @staticmethod
    def load(text: str) -> Ledger:
        data = json.loads(text)
        job = Job.load(data["job"])
        return Ledger(
            job,
            load(data["results"], list[Result]),
            Timeline(job.received_ms, data["marks"]),
            load(data["brackets"], dict[str, Guarded]),
            [(venue, instrument, list(directions)) for venue, instrument, directions in data["closed"]],
            list(data["cancelled"]),
            [(instrument, left, list(ids)) for instrument, left, ids in data.get("released", [])],
            [(*each, "Infinity")[:4] for each in data.get("reduced", [])],
            load(data.get("fills", {}), dict[str, Seen]),
            list(data.get("unwatched", [])),
            data["replaces"],
            data["ended_ms"],
        )


def record(ledger: Ledger) -> None:
    """Write it now, or leave it in the region's Redis for the next watch to write. What waits there comes first where
    this is about what was there before: a close written before the entry it closed would find no bracket."""
    try:
        if ledger.looks_back:
            _catch_up(ledger.job.region)
        write(ledger)
    except DatabaseError as error:
        log.warning("history of job %s waits: %s", ledger.job.id, type(error).__name__)
        _put_aside(ledger)
        return
    if ledger.reduced or ledger.released:
        _have_legs_fitted(ledger.job)


def _catch_up(region: str) -> None:
    try:
        write_waiting(region)
    except redis.RedisError as error:
        log.warning("what waits to be written in %s cannot be read: %s", region, type(error).__name__)


def _have_legs_fitted(job: Job) -> None:
    """The stop and targets of what is left are too large, or gone: supervision need not wait for its turn."""
    try:
        with producer_pool(job.region).acquire(block=True) as producer:
            current_app.send_task(
                "execution.tasks.supervise_account",
                (job.region, job.account.public_id, job.venue),
                producer=producer,
                queue=f"watch.{job.region}",
                expires=5,
                retry=False,
            )
    except OperationalError as error:
        log.warning("the legs of job %s are fitted at the next look: %s", job.id, type(error).__name__)


def _put_aside(ledger: Ledger) -> None:
    try:
        region_redis(ledger.job.region).rpush(_waiting(ledger.job.region), ledger.dump())
    except redis.RedisError as error:
        log.exception("history of job %s is left to reconciliation: %s", ledger.job.id, type(error).__name__)


def write_waiting(region: str) -> int:
    """Write what was put aside while the database was away; how many."""
    server = region_redis(region)
    written = 0
    while text := server.lindex(_waiting(region), 0):
        ledger = Ledger.load(str(text))
        write(ledger)
        server.lrem(_waiting(region), 1, str(text))
        written += 1
    return written


def _waiting(region: str) -> str:
    return f"unrecorded:{region}"


@transaction.atomic
def write(ledger: Ledger) -> None:
    """Idempotent: only rows whose end was not known are changed."""
    account = Account.objects.filter(public_id=ledger.job.account.public_id).first()
    began = ledger.ended_at + timedelta(microseconds=1)  # not among what this job found
    for result in ledger.results:
        bracket = ledger.brackets.get(result.token)
        row = brackets.save_new(bracket, account, ledger.job.region, began) if bracket and account else None
        move_order(
            result.token,
            result.status,
            by=f"worker {ledger.job.region}",
            why=result.error["message"] if result.error else "",
            bracket=row,
            timing_ms=ledger.timeline.marks,
            **order_columns(result),
        )
    if account is not None:
        _follow(ledger, account)
        holdings.keep(account, ledger.job.venue, ledger.fills.values())
        if not ledger.job.dry_run:
            holdings.traded(account, ledger.job.venue, ledger.job.region)


def _follow(ledger: Ledger, account: Account) -> None:
    """What a job's closes, cancels and moves mean for the brackets that were there before. History may be written
    late, and in another order than things happened."""
    before = ledger.ended_at
    for venue, instrument, directions in ledger.closed:
        fresh = [bracket.token for bracket in ledger.brackets.values()]
        brackets.closed_by_command(account, venue, instrument, directions, before, except_tokens=fresh)
    if ledger.cancelled:
        brackets.legs_cancelled(account, ledger.job.venue, {name for name in ledger.cancelled if name})
    for instrument, direction, left, part in ledger.reduced:
        brackets.reduced(
            account, ledger.job.venue, instrument, direction, Decimal(left), Decimal(part), before
        )
    for instrument in ledger.unwatched:
        brackets.watch_no_more(account, ledger.job.venue, instrument, before)
    for instrument, left, ids in ledger.released:
        brackets.released(account, ledger.job.venue, instrument, Decimal(left), set(ids), before)
    if ledger.replaces:
        for bracket in ledger.brackets.values():
            brackets.replaced(account, bracket, before)


def order_columns(result: Result) -> dict[str, Any]:
    return {
        "instrument": result.instrument,
        "side": result.side,
        "client_id": result.client_id,
        "exchange_id": result.exchange_id,
        "quantity": result.quantity,
        "filled": result.filled,
        "average_price": result.average_price,
        "fee": result.fee,
        "error": result.error,
        "would_send": result.would_send,
        "note": result.note,
        "resting": result.resting,
    }
