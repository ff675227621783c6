"""Several orders in one request through our venue and through ccxt's create_orders: both must send the same.

What differs between the single orders of the two clients is listed and reasoned in the fixtures (`test_differential.py`
compares them), and may differ in the same way here. All else must agree: method, path, what stands around the
orders, and our signature over ccxt's parameters. An exchange takes part when its differential module has

    TOGETHER = {"<Venue>": (intent, ...)}            intents of `test_differential.py` that may share a request

and, where its batches take other words than single orders, `AROUND`: parameters beside the orders that differ with
reason, each as name -> (ours, theirs, reason).
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from exchanges.registry import venues
from exchanges.types import Environment, OrderRequest
from tests.exchanges.contract import NOW_MS, credentials, fixture, open_venue, seen
from tests.exchanges.test_differential import (
    Caught,
    adapter,
    allowed_by,
    client,
    nothing_is_sent,
    order_of,
    unified,
)


def taking_part() -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, kind in venues().items():
        module = importlib.import_module(f"tests.exchanges.differential.{kind.exchange}")
        if intents := getattr(module, "TOGETHER", {}).get(kind.name):
            yield name, intents


COMPARED = list(taking_part())


def orders_of(name: str, intents: tuple[str, ...]) -> list[OrderRequest]:
    """Each with an id of its own."""
    named = venues()[name].client_id
    return [
        replace(order_of(name, intent), client_id=named(f"{place:026}"))
        for place, intent in enumerate(intents)
    ]


def theirs(name: str, orders: list[OrderRequest]) -> Caught:
    module, exchange, words = adapter(venues()[name].exchange), client(name), []
    for order in orders:
        call = unified(order)
        if hasattr(module, "ccxt_order"):
            call = module.ccxt_order(venues()[name].name, order, call)
        told = {"type": call.type, "side": call.side, "amount": call.amount, "price": call.price}
        words.append({"symbol": next(iter(exchange.markets)), **told, "params": call.params})
    with pytest.raises(Caught) as caught:
        exchange.create_orders(words)
    return caught.value


def ours(name: str, orders: list[OrderRequest]) -> httpx.Request:
    venue = open_venue(name, nothing_is_sent)
    call = venue.batch_call([venue.place_call(order) for order in orders])
    request = venue.sign(call, credentials(name), NOW_MS)
    hosts = venue.hosts[call.host] if call.host else venue.base_urls
    return httpx.Request(request.method, hosts[Environment.LIVE] + request.target, content=request.body)


def taken_apart(request: httpx.Request, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What stands around the orders, and the orders."""
    told = seen(request, fixture(name)["auth_params"])
    found: list[list[dict[str, Any]]] = []
    around = {**told, "params": _without_orders(told["params"], found)}
    assert len(found) == 1, "no list of orders, or several"
    return around, found[0]


def _without_orders(value: Any, found: list[list[dict[str, Any]]]) -> Any:
    if isinstance(value, str) and value.startswith("["):
        value = json.loads(value)
    if isinstance(value, Mapping):
        return {name: _without_orders(each, found) for name, each in value.items()}
    if isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        found.append(value)
        return "the orders"
    if isinstance(value, list) and value and all(isinstance(each, list) for each in value):
        found.append([each[1] for each in value])
        return [each[0] for each in value]
    return value


@pytest.mark.parametrize(("name", "intents"), COMPARED)
def test_both_clients_send_the_same_together(name: str, intents: tuple[str, ...]) -> None:
    orders = orders_of(name, intents)
    around, rows = taken_apart(ours(name, orders), name)
    their_around, their_rows = taken_apart(theirs(name, orders).request, name)
    meant = getattr(adapter(venues()[name].exchange), "AROUND", {}).get(venues()[name].name, {})
    params, their_params = around.pop("params"), their_around.pop("params")
    differing = differences(params, their_params)
    assert (around, len(rows)) == (their_around, len(their_rows))
    assert differing == {part: (mine, other) for part, (mine, other, _) in meant.items()}
    for intent, row, other in zip(intents, rows, their_rows, strict=True):
        found = differences(row, other)
        unlisted = {
            part: pair for part, pair in found.items() if allowed_by(name, intent, part, pair) is None
        }
        assert unlisted == {}, f"{intent}: (ours, theirs)"


def differences(mine: Any, other: Any) -> dict[str, tuple[Any, Any]]:
    if not (isinstance(mine, Mapping) and isinstance(other, Mapping)):
        return {} if mine == other else {"": (mine, other)}
    return {
        part: (mine.get(part), other.get(part))
        for part in {**mine, **other}
        if mine.get(part) != other.get(part)
    }


@pytest.mark.parametrize(("name", "intents"), COMPARED)
def test_our_signature_of_their_batch_is_theirs(name: str, intents: tuple[str, ...]) -> None:
    caught = theirs(name, orders_of(name, intents))
    venue = open_venue(name, nothing_is_sent)
    mine, other = adapter(venue.exchange).resign(venue, caught, credentials(name))
    assert other, "ccxt sent no authentication"
    assert mine == other
