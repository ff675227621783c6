"""What a venue is and can do, as plain facts: the `venues` command, the docs page and `docs/exchanges.md` print them.

How a stop loss and a take profit of one position are kept (`Protection`) follows from `Venue.features` alone.
"""

from __future__ import annotations

from dataclasses import fields
from enum import StrEnum
from typing import Any

from exchanges.types import Environment
from exchanges.venue import Features, Venue


class Protection(StrEnum):
    """LINKED_PAIR: the exchange itself ends one when the other fills. SEPARATE_ORDERS: both rest at the exchange,
    flipr cancels the one that is left. SUPERVISION: the stop rests at the exchange, flipr watches the price for the
    targets. NONE: the exchange has no stop orders, and a message that asks for one is refused."""

    LINKED_PAIR = "linked pair"
    SEPARATE_ORDERS = "separate orders"
    SUPERVISION = "supervision"
    NONE = "none"


PROTECTION_MEANS = {
    Protection.LINKED_PAIR: "native: stop and target are one pair at the exchange, which ends one when the other fills",
    Protection.SEPARATE_ORDERS: "emulated: stop and targets rest at the exchange, and flipr cancels what is left when one fills",
    Protection.SUPERVISION: "emulated: the stop rests at the exchange, and flipr watches the price for the targets",
    Protection.NONE: "the exchange has no stop orders: a message that asks for a stop or a target is refused",
}

FEATURE_TITLES = {
    "conditional": "stop and take-profit orders",
    "linked_legs": "linked pairs",
    "market_by_quote": "market buys by amount of quote currency",
    "hedge_mode": "hedge mode",
    "leverage": "leverage",
    "reduce_only": "reduce-only orders",
}


def protection_of(features: Features) -> Protection:
    if not features.conditional:
        return Protection.NONE
    if features.linked_legs:
        return Protection.LINKED_PAIR
    return Protection.SEPARATE_ORDERS if features.rests_both_legs else Protection.SUPERVISION


def facts_of(kind: type[Venue], region: str = "") -> dict[str, Any]:
    """As printed by `manage.py venues --json`. `region`: where this installation trades it, if not where it says."""
    return {
        "venue": kind.name,
        "exchange": kind.exchange,
        "product": str(kind.product),
        "region": region or kind.region,
        "native": kind.native,
        "protection": str(protection_of(kind.features)),
        "testnet": Environment.TESTNET in kind.base_urls,
        "key_fields": list(kind.key_fields),
        "features": {each.name: getattr(kind.features, each.name) for each in fields(Features)},
    }


def abilities_of(kind: type[Venue]) -> list[str]:
    """What the exchange can do by itself, in words."""
    own = [title for name, title in FEATURE_TITLES.items() if getattr(kind.features, name)]
    return ["market and limit orders", *own]
