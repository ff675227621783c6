"""ONCE=1: one protected trade in every region, closed again, each answer held against the exchange's own books."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import httpx

VENUES = {"Binance_F": "tokyo", "ByBit_F": "singapore", "Kraken_F": "eu"}
ENTRY = "BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%"
CLOSE = "BTCUSDT on {venue} close long 100%"
SETTLE_SECONDS = 30.0
ENDED = frozenset({"filled", "cancelled", "rejected", "expired"})

Json = dict[str, Any]


class Mismatch(Exception):
    """An answer that is not `done`, or that the exchange's books do not bear out."""


class Rehearsal:
    def __init__(
        self, summary: Mapping[str, str], say: Callable[[str], None], wire: httpx.BaseTransport | None = None
    ) -> None:
        self._hook, self._sandbox, self._say = summary["webhook"], summary["sandbox"], say
        self._http = httpx.Client(timeout=30, transport=wire)

    def run(self) -> int:
        """0 when every trade went as its answers said, else 1."""
        with self._http:
            failed = [venue for venue in VENUES if not self._trade(venue)]
        self._say(
            f"Not as expected: {', '.join(failed)}" if failed else "Every region traded as its answers say."
        )
        return int(bool(failed))

    def _trade(self, venue: str) -> bool:
        try:
            opened = self._post(ENTRY.format(venue=venue), venue)
            self._compare_entry(venue, opened)
            self._post(CLOSE.format(venue=venue), venue)
            self._compare_close(venue, opened)
        except Mismatch as problem:
            self._say(f"{venue}: {problem}")
            return False
        self._say(f"{venue} ({VENUES[venue]}): opened, protected, closed; the exchange agrees.")
        return True

    def _post(self, message: str, venue: str) -> Json:
        answer = self._http.post(self._hook, content=message, params={"wait": "15"})
        self._say(f"> {message}\n< {answer.status_code} {json.dumps(answer.json(), indent=2)}")
        if answer.json().get("status") != "done":
            raise Mismatch(f"the answer to `{message}` is not done")
        result: Json = answer.json()["results"][0]
        _same("region", result["region"], VENUES[venue])
        return result

    def _compare_entry(self, venue: str, result: Json) -> None:
        """The position, the order that made it, and both of its guards."""
        state = self._state(venue)
        _same("positions", [each["direction"] for each in state["positions"]], ["long"])
        position = state["positions"][0]
        _same_number("position", position["quantity"], result["filled"])
        order = _order(state, result)
        _same("status of the order", order["status"], "filled")
        _same_number("average price", order["average_price"], result["average_price"])
        guards = result["protection"]
        _same("protection", guards["status"], "armed")
        for guard in (guards["stop"], *guards["targets"]):
            held = _order(state, guard)
            if held["status"] in ENDED:
                raise Mismatch(f"{guard['exchange_id']} is {held['status']} at the exchange, not open")
            _same_number("price of a guard", held["trigger_price"] or held["price"], guard["price"])
            _same_number("quantity of a guard", held["quantity"], guard["quantity"])

    def _compare_close(self, venue: str, opened: Json) -> None:
        """No position and no guard is left; cancelling them may take the supervisor's next look."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while left := self._left(venue, opened):
            if time.monotonic() > deadline:
                raise Mismatch(f"still at the exchange after the close: {left}")
            time.sleep(0.1)

    def _left(self, venue: str, opened: Json) -> list[Json]:
        state = self._state(venue)
        guards = opened["protection"]
        orders = [_order(state, guard) for guard in (guards["stop"], *guards["targets"])]
        return [*state["positions"], *(order for order in orders if order["status"] not in ENDED)]

    def _state(self, venue: str) -> Json:
        answer = self._http.get(f"{self._sandbox}/_sandbox/state", params={"venue": venue})
        answer.raise_for_status()
        return dict(answer.json())


def _order(state: Json, claimed: Json) -> Json:
    found = [order for order in state["orders"] if claimed["exchange_id"] in (order["id"], order["live_id"])]
    if len(found) != 1:
        raise Mismatch(f"the exchange has {len(found)} orders {claimed['exchange_id']}")
    return dict(found[0])


def _same(what: str, found: object, claimed: object) -> None:
    if found != claimed:
        raise Mismatch(f"{what}: the exchange has {found}, the answer says {claimed}")


def _same_number(what: str, found: str, claimed: str) -> None:
    _same(what, Decimal(found), Decimal(claimed))
