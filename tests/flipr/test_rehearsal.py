"""The rehearsal must be able to fail: here the service and the exchange disagree in every way it looks for."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import httpx
import pytest

from flipr import rehearsal
from flipr.rehearsal import VENUES, Rehearsal

SUMMARY = {"webhook": "http://flipr/webhook/u/t", "sandbox": "http://sandbox"}


def order(number: str, status: str, **more: Any) -> dict[str, Any]:
    row = {
        "id": number,
        "live_id": None,
        "status": status,
        "quantity": "0.01",
        "price": None,
        "trigger_price": None,
    }
    return row | {"average_price": None} | more


ANSWER: dict[str, Any] = {
    "status": "done",
    "results": [
        {
            "exchange_id": "1",
            "filled": "0.01",
            "average_price": "50000.1",
            "protection": {
                "status": "armed",
                "stop": {"exchange_id": "2", "price": "49000", "quantity": "0.01"},
                "targets": [{"exchange_id": "3", "price": "52500.1", "quantity": "0.01"}],
            },
        }
    ],
}
HELD: dict[str, Any] = {
    "positions": [{"direction": "long", "quantity": "0.010"}],
    "orders": [
        order("1", "filled", average_price="50000.10"),
        order("2", "open", trigger_price="49000.0"),
        order("3", "open", price="52500.1"),
    ],
}
LEFT: dict[str, Any] = {
    "positions": [],
    "orders": [HELD["orders"][0], order("2", "cancelled"), order("3", "cancelled")],
}

Change = Callable[[dict[str, Any]], object]


def unchanged(_value: dict[str, Any]) -> None:
    pass


def rehearse(
    answer: Change = unchanged, held: Change = unchanged, left: Change = unchanged
) -> tuple[int, str]:
    """The outcome and what was said, with parts of the world changed."""
    answered, during, after = deepcopy(ANSWER), deepcopy(HELD), deepcopy(LEFT)
    answer(answered)
    held(during)
    left(after)
    closed: set[str] = set()

    def world(request: httpx.Request) -> httpx.Response:
        if request.url.host == "sandbox":
            return httpx.Response(200, json=after if request.url.params["venue"] in closed else during)
        venue = request.content.decode().split()[2]
        if "close" in request.content.decode():
            closed.add(venue)
        reply = deepcopy(answered)
        reply["results"][0]["region"] = VENUES[venue]
        return httpx.Response(200, json=reply)

    said: list[str] = []
    outcome = Rehearsal(SUMMARY, said.append, wire=httpx.MockTransport(world)).run()
    return outcome, "\n".join(said)


@pytest.fixture(autouse=True)
def nothing_to_wait_for(monkeypatch):
    monkeypatch.setattr(rehearsal, "SETTLE_SECONDS", 0.0)


def test_a_world_in_agreement_passes():
    outcome, said = rehearse()
    assert outcome == 0
    assert said.count("the exchange agrees") == len(VENUES)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"answer": lambda it: it.update(status="working")}, "is not done"),
        ({"answer": lambda it: it["results"][0]["protection"].update(status="failed")}, "protection: "),
        ({"answer": lambda it: it["results"][0].update(exchange_id="9")}, "has 0 orders 9"),
        (
            {"held": lambda it: it["positions"][0].update(direction="short")},
            "positions: the exchange has ['short']",
        ),
        ({"held": lambda it: it["positions"][0].update(quantity="0.02")}, "position: the exchange has 0.02"),
        ({"held": lambda it: it["positions"].clear()}, "positions: the exchange has []"),
        ({"held": lambda it: it["orders"][0].update(average_price="50001")}, "average price"),
        ({"held": lambda it: it["orders"][1].update(status="rejected")}, "2 is rejected"),
        ({"held": lambda it: it["orders"][1].update(trigger_price="48000")}, "price of a guard"),
        ({"held": lambda it: it["orders"][2].update(quantity="0.005")}, "quantity of a guard"),
        ({"held": lambda it: it["orders"].pop()}, "has 0 orders 3"),
        ({"left": lambda it: it["positions"].append({"quantity": "0.01"})}, "after the close"),
        ({"left": lambda it: it["orders"][1].update(status="open")}, "after the close"),
    ],
)
def test_every_disagreement_is_told_and_fails(change, complaint):
    outcome, said = rehearse(**change)
    assert outcome == 1
    assert complaint in said
