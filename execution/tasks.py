"""What Celery calls: entry points without logic. Placing is never retried by Celery.

What goes wrong ends here: Celery would log its text."""

from __future__ import annotations

from functools import partial
from typing import Any

from celery import shared_task

from execution import alarms, bulkhead, compare, keycheck, mishap, pulse, reconcile, supervise, warm
from execution import place as placing


@shared_task
@mishap.caught("taking up an order")
def place(message: dict[str, Any]) -> None:
    bulkhead.take(message, placing.run, placing.turn_away)


@shared_task
@mishap.caught("a round of supervision")
def supervise_region(region: str) -> None:
    with bulkhead.rounds().taken("supervise") as free:
        if free:
            supervise.spread(region)
            pulse.round_done(region)


@shared_task
@mishap.caught("supervising an account")
def supervise_account(region: str, account: str, venue: str, whole: bool = False) -> None:
    with bulkhead.look(venue) as free:
        if free:
            supervise.look_after(region, account, venue, whole=whole)
        elif whole:
            compare.missed(account, venue)


@shared_task
@mishap.caught("comparing an account")
def compare_account(region: str, account: str, venue: str, whole: bool = True) -> None:
    with bulkhead.comparison(venue) as free:
        if free:
            supervise.look_after(region, account, venue, whole=whole)
        else:
            compare.missed(account, venue)


@shared_task
@mishap.caught("a round of reconciliation")
def reconcile_region(region: str) -> None:
    with bulkhead.rounds().taken("reconcile") as free:
        if free:
            reconcile.spread(region)


@shared_task
@mishap.caught("reconciling an account")
def reconcile_account(region: str, account: str, venue: str) -> None:
    with bulkhead.look(venue) as free:
        if free:
            reconcile.look_into(region, account, venue)


@shared_task
@mishap.caught("a round of alarms")
def alarm_region(region: str) -> None:
    with bulkhead.rounds().taken("alarm") as free:
        if free:
            alarms.sweep(region)


@shared_task
@mishap.caught("a round of probes")
def probe_region(region: str) -> None:
    with bulkhead.rounds().taken("probe") as free:
        if free:
            warm.probe(region)


@shared_task
@mishap.caught("the check of a key")
def check_key(account: str) -> None:
    bulkhead.check(keycheck.exchange_of(account), account, partial(keycheck.check, account))


@shared_task
@mishap.caught("the second check of a key")
def confirm_key(account: str) -> None:
    bulkhead.check(keycheck.exchange_of(account), account, partial(keycheck.confirm, account))
