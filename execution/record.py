"""What a job did, written into history. Runs after the caller has been told; a database that is away loses nothing, and
one that refuses a part of it for good holds up no other part and no other job.

What waits for the database is the list `unrecorded:REGION` in the region's Redis; what was refused for good, and is
kept for people to look at, the list `unrecordable:REGION` (tried again by `execution.replay`).
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import redis
from celery import current_app
from django.db import DataError, InterfaceError, OperationalError, transaction
from kombu.exceptions import OperationalError as BrokerError

from accounts.models import Account
from execution import brackets, holdings, mishap
from execution.brokers import producer_pool, region_redis
from execution.desk import Released
from execution.fills import Seen
from execution.jobs import Job, Result
from execution.models import OrderState
from execution.protection import Guarded, down
from execution.rejection import error_object
from execution.timeline import Timeline
from execution.transitions import move_order
from execution.wire import dump, load

log = logging.getLogger(__name__)
#: what a database says that is away or busy; all else it would say again
PASSING = (OperationalError, InterfaceError)
#: class of the codes for "larger than I can": no passing matter (postgresql.org/docs/16/errcodes-appendix.html)
LIMIT_EXCEEDED = "54"
#: the error of an order of which nothing but its end could be written
INCOMPLETE = "HISTORY_INCOMPLETE"


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
    #: ids of the orders that stood on the exchange then; None: nobody looked
    standing: list[str] | None = None
    #: when the job was done: what was opened since, and stands in history already, is none of its business
    ended_ms: float = field(default_factory=lambda: time.time() * 1000)
    #: ids of orders that were to be cancelled and had gone by then
    gone: list[str] = field(default_factory=list)

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
            "gone": self.gone,
            "released": self.released,
            "reduced": self.reduced,
            "fills": dump(self.fills, dict[str, Seen]),
            "replaces": self.replaces,
            "standing": self.standing,
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
            data.get("standing"),
            data["ended_ms"],
            list(data.get("gone", [])),
        )


def record(ledger: Ledger) -> None:
    """Write it now, or leave it in the region's Redis for the next watch to write. What waits there comes first where
    this is about what was there before: a close written before the entry it closed would find no bracket."""
    try:
        if ledger.looks_back:
            _catch_up(ledger.job.region)
        write_or_salvage(ledger)
    except PASSING as error:
        log.warning("history of job %s waits: %s", ledger.job.id, type(error).__name__)
        with mishap.caught(f"keeping the ledger of job {ledger.job.id}"):
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
    except BrokerError as error:
        log.warning("the legs of job %s are fitted at the next look: %s", job.id, type(error).__name__)


def _put_aside(ledger: Ledger) -> None:
    try:
        region_redis(ledger.job.region).rpush(_waiting(ledger.job.region), ledger.dump())
    except redis.RedisError as error:
        log.error("history of job %s is left to reconciliation: %s", ledger.job.id, mishap.told(error))  # noqa: TRY400


def write_waiting(region: str) -> int:
    """Write what was put aside while the database was away; how many. Raises what will pass: the rest waits on."""
    server = region_redis(region)
    written = 0
    while text := server.lindex(_waiting(region), 0):
        with mishap.caught("reading a ledger that waited") as mishaps:
            ledger = Ledger.load(str(text))
        if mishaps:
            _keep_for_people(region, str(text))
        else:
            write_or_salvage(ledger)
        server.lrem(_waiting(region), 1, str(text))
        written += 1
    return written


def unrecordable(region: str) -> int:
    """How many ledgers wait for people. Raises redis.RedisError."""
    return int(region_redis(region).llen(_refused(region)))


def kept_for_people(region: str) -> list[str]:
    """Those ledgers, the oldest first. Raises redis.RedisError."""
    return [str(text) for text in region_redis(region).lrange(_refused(region), 0, -1)]


def let_go(region: str, text: str) -> None:
    """One of them is done with. Raises redis.RedisError."""
    region_redis(region).lrem(_refused(region), 1, text)


def _keep_for_people(region: str, text: str) -> None:
    log.error("a ledger could not be written into history: it is kept in %s", _refused(region))
    region_redis(region).rpush(_refused(region), text)


def _waiting(region: str) -> str:
    return f"unrecorded:{region}"


def _refused(region: str) -> str:
    return f"unrecordable:{region}"


def write_or_salvage(ledger: Ledger) -> None:
    """Raises what will pass (PASSING); whatever else goes wrong, as much of the ledger is written as can be."""
    with mishap.caught(f"history of job {ledger.job.id}", but=PASSING) as mishaps, _limits_do_not_pass():
        write(ledger)
    if mishaps:
        _salvage(ledger, _account(ledger))


@contextmanager
def _limits_do_not_pass() -> Iterator[None]:
    """What is more than the database takes comes as the kind of error that it gives when it is away."""
    try:
        yield
    except OperationalError as error:
        if str(getattr(error.__cause__, "sqlstate", "")).startswith(LIMIT_EXCEEDED):
            raise DataError("more than the database takes") from error
        raise


def _salvage(ledger: Ledger, account: Account | None) -> None:
    """Part by part, each for itself. An order whose own part fails gets its end all the same: `unknown` where a
    bracket hangs on it, so that reconciliation makes that anew from what stands on the exchange."""
    for result in ledger.results:
        if not alone(f"the result of {result.token}", partial(_write_result, ledger, account, result)):
            alone(f"the bare end of {result.token}", partial(_write_bare_end, ledger, result))
    for number, part in enumerate(_consequences(ledger, account)):
        alone(f"part {number} of what follows from job {ledger.job.id}", part)
    with mishap.caught(f"keeping the ledger of job {ledger.job.id}"):
        _keep_for_people(ledger.job.region, ledger.dump())


def alone(what: str, part: Callable[[], None]) -> bool:
    """Write one part for itself. False when it was refused for good, which the log tells; raises PASSING."""
    with mishap.caught(what, but=PASSING) as mishaps, _limits_do_not_pass(), transaction.atomic():
        part()
    return not mishaps


def _write_bare_end(ledger: Ledger, result: Result) -> None:
    status = OrderState.UNKNOWN if result.token in ledger.brackets else result.status
    error = error_object(
        INCOMPLETE, "what the exchange told of it could not be written down", "look at the exchange"
    )
    move_order(result.token, status, by=f"worker {ledger.job.region}", error=error)


@transaction.atomic
def write(ledger: Ledger) -> None:
    """Idempotent: only rows whose end was not known are changed."""
    account = _account(ledger)
    for result in ledger.results:
        _write_result(ledger, account, result)
    for part in _consequences(ledger, account):
        part()


def _account(ledger: Ledger) -> Account | None:
    return Account.objects.filter(public_id=ledger.job.account.public_id).first()


def _write_result(ledger: Ledger, account: Account | None, result: Result) -> None:
    began = ledger.ended_at + timedelta(microseconds=1)  # not among what this job found
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


def _consequences(ledger: Ledger, account: Account | None) -> Iterator[Callable[[], None]]:
    """What it means for what was there before, and for what is believed of the account."""
    if account is None:
        return
    yield from _follow(ledger, account)
    yield partial(holdings.keep, account, ledger.job.venue, ledger.fills.values())
    if not ledger.job.dry_run:
        yield partial(holdings.traded, account, ledger.job.venue, ledger.job.region)


def _follow(ledger: Ledger, account: Account) -> Iterator[Callable[[], None]]:
    """What a job's closes, cancels and moves mean for the brackets that were there before. History may be written
    late, and in another order than things happened."""
    before, where = ledger.ended_at, ledger.job.venue
    cancelled = {name for name in ledger.cancelled if name}
    for venue, instrument, directions in ledger.closed:
        fresh = [bracket.token for bracket in ledger.brackets.values()]
        yield partial(
            brackets.closed_by_command,
            account,
            venue,
            instrument,
            directions,
            before,
            except_tokens=fresh,
            cancelled=cancelled,
        )
    if cancelled:
        gone = {name for name in ledger.gone if name}
        yield partial(brackets.legs_cancelled, account, where, cancelled, gone)
    for each in ledger.reduced:
        yield partial(_reduced, account, where, each, before)
    for instrument in ledger.unwatched:
        yield partial(brackets.watch_no_more, account, where, instrument, before)
    for released in ledger.released:
        yield partial(_released, account, where, released, before)
    if ledger.replaces:
        for bracket in ledger.brackets.values():
            yield partial(brackets.replaced, account, bracket, before, ledger.standing)


def _reduced(account: Account, venue: str, told: tuple[str, str, str, str], before: datetime) -> None:
    instrument, direction, left, part = told
    brackets.reduced(account, venue, instrument, direction, Decimal(left), Decimal(part), before)


def _released(account: Account, venue: str, told: tuple[str, str, list[str]], before: datetime) -> None:
    instrument, left, ids = told
    brackets.released(account, venue, instrument, Decimal(left), set(ids), before)


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
