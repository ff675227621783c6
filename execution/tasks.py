"""What Celery calls: entry points without logic. Placing is never retried by Celery."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from execution import keycheck, reconcile, supervise, warm
from execution import place as placing


@shared_task
def place(message: dict[str, Any]) -> None:
    placing.run(message)


@shared_task
def supervise_region(region: str) -> None:
    supervise.spread(region)


@shared_task
def supervise_account(region: str, account: str, venue: str) -> None:
    supervise.look_after(region, account, venue)


@shared_task
def reconcile_region(region: str) -> None:
    reconcile.sweep(region)


@shared_task
def warm_region(region: str) -> None:
    warm.refresh(region)


@shared_task
def check_key(account: str) -> None:
    keycheck.check(account)
