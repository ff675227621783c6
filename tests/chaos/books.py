"""What the checker reads: history by plain SQL, and the exchange's own books over HTTP. Nothing of flipr's code."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]

ORDERS = """
SELECT o.token, o.user_id, o.position, o.action, o.venue, o.symbol, o.instrument, o.status, o.client_id,
       o.exchange_id, o.quantity, o.filled, o.average_price, o.error, o.resting, o.region, o.job,
       d.public_id AS delivery, d.body, d.status AS delivery_status, d.http_status
FROM execution_order o JOIN webhooks_delivery d ON d.public_id = o.delivery
ORDER BY o.delivery, o.position
"""
DELIVERIES = (
    "SELECT public_id, user_id, body, status, http_status, key FROM webhooks_delivery ORDER BY public_id"
)
BRACKETS = """
SELECT user_id, venue, instrument, direction, token, status, quantity, closed, legs, note, entry_client_id
FROM execution_bracket
"""
#: what flipr itself says is not settled yet
RESTLESS = """
SELECT 'order', venue, status || ' ' || coalesce(error->>'message', '') FROM execution_order
 WHERE status IN ('working', 'unknown')
UNION ALL
SELECT 'bracket', venue, status || ' ' || version || ' ' || note FROM execution_bracket
 WHERE updated_at > now() - interval '10 seconds'
"""
UNSETTLED = """
SELECT (SELECT count(*) FROM execution_order
         WHERE status IN ('working', 'unknown')
            OR resting AND bracket_id IS NULL AND updated_at < to_timestamp(%s)),
       (SELECT coalesce(sum(version), 0) FROM execution_bracket),
       (SELECT count(*) FROM execution_transition)
"""
_NOTE = re.compile(r'note "n(\d+)"')


@dataclass(frozen=True, slots=True)
class Books:
    """`sandbox`: (user, venue) -> orders, positions and balances of that trader there."""

    orders: Sequence[Row]
    deliveries: Sequence[Row]
    brackets: Sequence[Row]
    sandbox: Mapping[tuple[int, str], Row]
    #: what the address of a delivery says of it now
    looks: Mapping[str, Row] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Holder:
    """A trader as the books know it. `keys`: venue -> API key."""

    user: int
    url: str
    keys: Mapping[str, str]


def read_books(database_url: str, sandbox_url: str, holders: Sequence[Holder]) -> Books:
    with psycopg.connect(database_url, row_factory=dict_row) as connection, httpx.Client(timeout=30) as http:
        deliveries = connection.execute(DELIVERIES).fetchall()
        return Books(
            orders=connection.execute(ORDERS).fetchall(),
            deliveries=deliveries,
            brackets=connection.execute(BRACKETS).fetchall(),
            sandbox=_sandbox(http, sandbox_url, holders),
            looks=_looks(http, holders, deliveries),
        )


def unsettled(database_url: str, calm_since: float = 0.0) -> tuple[int, int, int]:
    """(orders whose end is not known, or that rest and were not asked for since then, and two numbers that grow with
    every change)."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(UNSETTLED, [calm_since]).fetchone()
    assert row is not None
    return int(row[0]), int(row[1]), int(row[2])


def restless(database_url: str) -> list[str]:
    """What changed in the last seconds, or has no known end."""
    with psycopg.connect(database_url) as connection:
        return [f"{what} on {venue}: {state}" for what, venue, state in connection.execute(RESTLESS)]


def intent_of(body: str) -> int | None:
    found = _NOTE.search(body)
    return int(found.group(1)) if found else None


def _sandbox(http: httpx.Client, url: str, holders: Sequence[Holder]) -> dict[tuple[int, str], Row]:
    found: dict[tuple[int, str], Row] = {}
    for holder in holders:
        for venue, key in holder.keys.items():
            answer = http.get(f"{url}/_sandbox/state", params={"venue": venue, "key": key})
            state = json.loads(answer.raise_for_status().text)
            found[holder.user, venue] = {
                "orders": [_numbers(each) for each in state["orders"]],
                "positions": [_numbers(each) for each in state["positions"]],
                "failed_ms": state["failed_ms"],
                "balances": {name: Decimal(each["total"]) for name, each in state["balances"].items()},
            }
    return found


def _numbers(row: Row) -> Row:
    """Quantities in base units, whatever the exchange counts in."""
    size = Decimal(row.get("contract_size", "1"))
    counted = {name: Decimal(row[name]) * size for name in ("quantity", "filled") if name in row}
    priced = {
        name: Decimal(row[name])
        for name in ("average_price", "price", "trigger_price", "entry_price")
        if row.get(name) is not None
    }
    return row | counted | priced


def _looks(http: httpx.Client, holders: Sequence[Holder], deliveries: Sequence[Row]) -> dict[str, Row]:
    urls = {holder.user: holder.url for holder in holders}
    found = {}
    for row in deliveries:
        if row["user_id"] in urls:
            answer = http.get(f"{urls[row['user_id']]}/{row['public_id']}")
            found[row["public_id"]] = {"http": answer.status_code, **answer.json()}
    return found
