"""Keeps a region's connections warm: clocks measured, instruments fresh, sockets open."""

from __future__ import annotations

import logging

from accounts.models import Account, AccountStatus
from exchanges.errors import ExchangeError
from exchanges.registry import venues
from exchanges.types import Environment
from execution import book
from execution.routing import region_of

log = logging.getLogger(__name__)


def used_venues(region: str) -> list[tuple[str, Environment]]:
    """The venues of this region that some account of a user trades, in their environments."""
    pairs = (
        Account.objects.exclude(status=AccountStatus.REJECTED)
        .values_list("exchange", "environment")
        .distinct()
    )
    return [
        (kind.name, Environment(environment))
        for family, environment in pairs
        for kind in venues().values()
        if kind.key_family == family and region_of(kind) == region
    ]


def refresh(region: str) -> None:
    """Open what is used and refresh it. A venue that does not answer is left for the next round."""
    for name, environment in used_venues(region):
        try:
            book.pool().connection(name, environment).refresh()
        except ExchangeError as error:
            log.warning("%s (%s) could not be refreshed: %s", name, environment, error.kind)
