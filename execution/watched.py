"""The brackets that are looked after: which they are, which of them may stand without a stop, and that trouble about one
holds up none of the others."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from exchanges.errors import AuthRefused, ExchangeError, Maintenance, MarketPaused, NotSent, Throttled
from exchanges.registry import venue_class
from exchanges.sparing import said_before
from exchanges.types import Product
from execution import brackets, mishap
from execution.confirm import UnknownOutcome
from execution.desk import Desk
from execution.legs import ATTEMPTS
from execution.models import ACTIVE_BRACKETS, Bracket, BracketState
from execution.protection import Guarded, LegKind, LegState
from execution.rejection import Rejection
from execution.starved import limited
from execution.view import View

log = logging.getLogger(__name__)
#: done brackets are looked at this much longer: an order that outlived its bracket is cancelled
AFTERCARE = timedelta(minutes=5)
FORESEEN = (ExchangeError, UnknownOutcome, Rejection)


def needs_care() -> Q:
    return Q(status__in=ACTIVE_BRACKETS) | Q(
        status=BracketState.DONE, updated_at__gte=timezone.now() - AFTERCARE
    )


def rows_of(account: str, venue: str) -> Iterator[Bracket]:
    """Newest first: of brackets that have their stops, what was closed elsewhere is taken off the newest."""
    rows = Bracket.objects.filter(account__public_id=account, venue=venue).filter(needs_care())
    yield from rows.select_related("account", "account__user").order_by("-created_at")


def still_listed(desk: Desk, rows: list[Bracket]) -> list[Bracket]:
    """Without what the exchange has taken off its list: nothing can be read about it, and the others are not to wait."""
    kept = []
    for row in rows:
        if desk.connection.table.by_symbol(row.instrument) is not None:
            kept.append(row)
        elif row.status in ACTIVE_BRACKETS:
            _tell_unlisted(row)
    return kept


def _tell_unlisted(row: Bracket) -> None:
    """Once, on the page of the bracket and in the log."""
    words = f"{row.venue} does not list {row.instrument} any more: look at the position there"
    if row.note != words:
        log.error("bracket %s is not looked after: %s", row.public_id, words)
        bracket = brackets.from_row(row)
        bracket.note = words
        brackets.save(bracket, row.version, by="supervision")


def bare(row: Bracket) -> bool:
    """Whether it may stand without the stop it is to have: looks that end that go before everybody else's."""
    if row.status == BracketState.DONE or not row.quantity:
        return False
    return lacks_stop(brackets.from_row(row))


def lacks_stop(bracket: Guarded) -> bool:
    stops = [leg for leg in bracket.live(LegKind.STOP) if leg.status is LegState.OPEN]
    sure = any(not leg.error and not leg.missing for leg in stops)
    wanted = bracket.plan.stop is not None and bracket.plan.stop.level is not None
    return wanted and bracket.remaining > 0 and not sure


def unsettled(bracket: Guarded) -> bool:
    """Whether a look has to do something about it that no price announces: place a stop that may be missing, cancel what
    outlived its position, or confirm that a position is gone, of which its orders would outlive it until then. A stop that
    was refused often enough is left to people; coins on spot are counted in whole looks only, which have a rhythm of their
    own."""
    if bracket.status == BracketState.DONE or not bracket.quantity:
        return False
    if bracket.remaining <= 0:
        return any(leg.status is LegState.OPEN for leg in bracket.live())
    if bracket.gone_seen and venue_class(bracket.venue).product is not Product.SPOT:
        return True
    stops = bracket.live(LegKind.STOP)
    refused = any(leg.status is LegState.FAILED and leg.attempts >= ATTEMPTS for leg in stops)
    return lacks_stop(bracket) and not refused


@contextmanager
def alone(row: Bracket, view: View) -> Iterator[None]:
    """What goes wrong about one bracket holds up none of the others; only nothing is made of a position that one guards
    of which nobody knows what it filled. What would hit the next one just as well ends the look. Limits do not: what
    was read so far is kept, or the next look would begin anew and come no further."""
    try:
        with mishap.caught(f"looking after bracket {row.public_id}", but=FORESEEN) as mishaps:
            yield
    except (AuthRefused, NotSent, Throttled) as error:
        if not limited(error):
            raise
        log.warning("looking after bracket %s on %s waits: %s", row.public_id, row.venue, error)
        view.short = error
        view.obscure(row)
    except Maintenance as error:
        if not isinstance(error, MarketPaused):
            raise
        view.obscure(row)
    except FORESEEN as error:
        if not said_before(error):
            log.warning("looking after bracket %s on %s failed: %s", row.public_id, row.venue, error)
        view.obscure(row)
    else:
        if mishaps:
            view.obscure(row)
