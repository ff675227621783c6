"""A stop and a target that an exchange links: what fits together, and the one client id that names both where the pair
is one order with one id."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from exchanges.errors import Unsupported
from exchanges.types import STOPS, TAKES, Legs, OrderType

#: of our ids there, which are half as long as the exchange allows
HALF = 16
#: a target may be a plain limit order: it becomes one that triggers at its own price
TARGETS = (*TAKES, OrderType.LIMIT)


def check_pair(
    venue: str,
    legs: Legs,
    *,
    stops: Sequence[OrderType] = STOPS,
    targets: Sequence[OrderType] = TARGETS,
) -> None:
    """Raises Unsupported for legs that are no pair: a stop and a target of one side, one size and one position."""
    stop, target = legs.stop, legs.target
    if stop.type not in stops or target.type not in targets:
        raise Unsupported(f"{venue}: linked legs are a stop and a target")
    if len({(leg.side, leg.quantity, leg.position_side) for leg in (stop, target)}) > 1:
        raise Unsupported(f"{venue}: linked legs have one side, one size and one position")


def half_id(token: str) -> str:
    """Our id of an order, of which two fit into the id of a pair. Deterministic."""
    digest = hashlib.blake2b(token.encode(), digest_size=HALF * 5 // 8).digest()
    return base64.b32encode(digest).decode().lower()


def pair_id(venue: str, legs: Legs) -> str:
    """The ids of both, the stop's first."""
    if {len(legs.stop.client_id), len(legs.target.client_id)} != {HALF}:
        raise Unsupported(f"{venue}: ids of linked legs have {HALF} characters")
    return legs.stop.client_id + legs.target.client_id


def ids_of_pair(client_id: str) -> dict[str, str]:
    """The ids of stop and target in that of their pair; another id is the stop's alone."""
    if len(client_id) != 2 * HALF:
        return {"sl": client_id, "tp": ""}
    return {"sl": client_id[:HALF], "tp": client_id[HALF:]}
