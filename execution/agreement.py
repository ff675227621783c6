"""Whether an exchange and flipr agree on a position, and whose turn it is to be compared: arithmetic only."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from exchanges.types import Direction, Position, Quote
from execution.models import DifferenceKind

#: a difference is believed when a look that much later finds the same
CONFIRM = timedelta(seconds=5)
#: how long it waits for an order of flipr's whose end is not known, because that may explain it
PATIENCE = timedelta(minutes=5)
#: comparisons have what supervision leaves of an address's looks: at most this part of them, and at least that
MOST_SHARE = 0.25
LEAST_SHARE = 0.05


class Verdict(StrEnum):
    AGREE = "agree"
    DOUBT = "doubt"
    WAIT = "wait"
    DIFFER = "differ"


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a look before found instead of what is believed, and when first."""

    found: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Compared:
    """One instrument. `step`: less than it is no difference. `moving`: an order of flipr's may explain one."""

    believed: Decimal
    found: Decimal
    step: Decimal = Decimal(0)
    doubt: Doubt | None = None
    moving: bool = False


def judge(each: Compared, now: datetime) -> Verdict:
    """A difference counts when two looks found the same and nothing of flipr's own may explain it."""
    gap = abs(each.believed - each.found)
    if gap == 0 or gap < each.step:
        return Verdict.AGREE
    if each.doubt is None or each.doubt.found != each.found:
        return Verdict.DOUBT
    age = now - each.doubt.at
    if age < CONFIRM or (each.moving and age < PATIENCE):
        return Verdict.WAIT
    return Verdict.DIFFER


def signed(positions: Iterable[Position]) -> dict[str, Decimal]:
    """By instrument, long above zero."""
    found: dict[str, Decimal] = {}
    for each in positions:
        quantity = each.quantity if each.direction is Direction.LONG else -each.quantity
        found[each.symbol] = found.get(each.symbol, Decimal(0)) + quantity
    return found


def liquidated(believed: Decimal, found: Decimal, level: Decimal | None, quote: Quote) -> bool:
    """Whether the exchange closed it: it shrank, and the price is beyond where it said it would."""
    if not level or abs(found) >= abs(believed) or found * believed < 0:
        return False
    price = quote.mark or quote.last
    return price <= level if believed > 0 else price >= level


def reason(kind: DifferenceKind, level: Decimal | None = None) -> str:
    match kind:
        case DifferenceKind.LIQUIDATION:
            shown = f"{level.normalize():f}" if level else "told before"
            return f"liquidated: the price is beyond the liquidation price of {shown} that the exchange told"
        case DifferenceKind.UNKNOWN:
            return "not known: an order of flipr on this instrument was cut off, and may have done it"
        case DifferenceKind.ORPHAN:
            return "an exit that flipr had placed stood on after its bracket was done: cancelled"
        case _:
            return "traded outside flipr: by hand, by another program, or by the exchange"


def left_over(looks_per_minute: int, supervised: int, gap_seconds: float) -> float:
    """Comparisons a second that one address may make at a venue."""
    used = supervised * 60 / gap_seconds if supervised else 0.0
    share = min(max(1 - used / looks_per_minute, LEAST_SHARE), MOST_SHARE)
    return looks_per_minute * share / 60


def quota(rate: float, now: float, period_seconds: float) -> int:
    """How many of `rate` a second fall into the period that ends now; over many periods exactly `rate`."""
    return math.floor(now * rate) - math.floor((now - period_seconds) * rate)


def phase(name: str) -> float:
    """Where in a period a name has its turn, 0 to 1: always the same, and spread evenly over names."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest()) / 2**32
