"""The results of a delivery as callers see them, from the rows that history keeps."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from execution.jobs import Result, plain
from execution.models import GOOD_STATES, OPEN_STATES, Bracket, BracketState, Order

NO_PROTECTION: dict[str, Any] = {"status": "none", "bracket": None, "stop": None, "targets": []}


def result_of(order: Order) -> dict[str, Any]:
    """The present result of one order row, in the shape of http.md. `order.bracket` and `order.account` are read."""
    return Result(
        position=order.position,
        token=order.token,
        command=order.command,
        action=order.action,
        venue=order.venue,
        symbol=order.symbol,
        account=order.account.label if order.account else "",
        region=order.region,
        status=order.status,
        instrument=order.instrument,
        side=order.side,
        client_id=order.client_id,
        exchange_id=order.exchange_id,
        quantity=order.quantity,
        filled=order.filled,
        average_price=order.average_price,
        fee=order.fee,
        protection=protection_of(order.bracket) if order.bracket else None,
        error=order.error,
        would_send=order.would_send,
        note=order.note,
    ).as_json()


def protection_of(bracket: Bracket) -> dict[str, Any]:
    """The `protection` object of a result."""
    return protection_json(bracket.public_id, bracket.status, bracket.legs, bracket.note)


def protection_json(
    public_id: str, status: str, legs: list[dict[str, Any]], note: str = ""
) -> dict[str, Any]:
    """`legs` are `execution.protection.Leg` values as JSON, the latest of each kind and number last."""
    stop: dict[str, Any] | None = None
    targets: dict[int, dict[str, Any]] = {}
    for leg in legs:
        shown = _leg(leg)
        if leg["kind"] == "stop":
            stop = shown
        elif leg["kind"] == "target":
            targets[leg.get("number", 1)] = shown
    shown_status = BracketState.ARMED if status == BracketState.ARMED else status
    answer: dict[str, Any] = {
        "status": shown_status,
        "bracket": public_id,
        "stop": stop,
        "targets": [targets[number] for number in sorted(targets)],
    }
    return answer | ({"note": note} if note else {})


def _leg(leg: dict[str, Any]) -> dict[str, Any]:
    return {
        "price": plain(Decimal(leg["price"])),
        "quantity": plain(Decimal(leg["quantity"])),
        "exchange_id": leg.get("exchange_id") or None,
        "client_id": leg.get("client_id") or None,
        "status": leg.get("status", "pending"),
        **({"error": leg["error"]} if leg.get("error") else {}),
    }


def delivery_status(statuses: Iterable[str], *, troubled: bool = False) -> str:
    """`done`, `partial`, `rejected` or `working` (http.md) from the statuses of a delivery's results. `troubled`:
    an order stands, and something about it failed (its stop, say): that is `partial`, never `done`."""
    seen = list(statuses)
    if any(status in OPEN_STATES for status in seen):
        return "working"
    good = sum(status in GOOD_STATES for status in seen)
    if good == len(seen) and not troubled:
        return "done"
    return "partial" if good else "rejected"
