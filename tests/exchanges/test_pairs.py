"""Which legs are a pair, and what they are called together."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from exchanges.errors import Unsupported
from exchanges.pairs import HALF, check_pair, half_id, ids_of_pair, pair_id
from exchanges.types import STOPS, TAKES, Direction, Instrument, Legs, OrderRequest, OrderType, Product, Side

BTC = Instrument("BTCUSDT", "BTC", "USDT", "USDT", Product.LINEAR, Decimal("0.1"), Decimal("0.001"))
STOP = OrderRequest(BTC, half_id("stop"), Side.SELL, OrderType.STOP, quantity=Decimal(1))
TARGET = replace(STOP, client_id=half_id("target"), type=OrderType.TAKE_PROFIT)


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("target", [*TAKES, OrderType.LIMIT])
def test_a_stop_and_a_target_are_a_pair(stop: OrderType, target: OrderType) -> None:
    check_pair("Tiny", Legs(replace(STOP, type=stop), replace(TARGET, type=target)))


@pytest.mark.parametrize(
    ("stop", "target"),
    [
        ({"type": OrderType.TAKE_PROFIT}, {}),
        ({"type": OrderType.LIMIT}, {}),
        ({}, {"type": OrderType.STOP}),
        ({}, {"type": OrderType.MARKET}),
        ({"side": Side.BUY}, {}),
        ({}, {"quantity": Decimal(2)}),
        ({"position_side": Direction.LONG}, {}),
    ],
)
def test_other_legs_are_none(stop: dict[str, Any], target: dict[str, Any]) -> None:
    with pytest.raises(Unsupported):
        check_pair("Tiny", Legs(replace(STOP, **stop), replace(TARGET, **target)))


def test_an_exchange_may_take_fewer_types() -> None:
    legs = Legs(STOP, replace(TARGET, type=OrderType.LIMIT))
    with pytest.raises(Unsupported):
        check_pair("Tiny", legs, targets=TAKES)


def test_two_of_our_ids_make_that_of_a_pair_and_come_out_of_it_again() -> None:
    both = pair_id("Tiny", Legs(STOP, TARGET))
    assert len(both) == 2 * HALF
    assert ids_of_pair(both) == {"sl": STOP.client_id, "tp": TARGET.client_id}


def test_another_id_is_the_stops_alone() -> None:
    assert ids_of_pair("by-hand") == {"sl": "by-hand", "tp": ""}


def test_an_id_of_another_length_makes_no_pair() -> None:
    with pytest.raises(Unsupported):
        pair_id("Tiny", Legs(STOP, replace(TARGET, client_id="f1")))


def test_an_id_is_found_again_and_is_no_other_orders() -> None:
    assert half_id("01JD3X8K2MQZV7W5N9TRH4BCYE") == half_id("01JD3X8K2MQZV7W5N9TRH4BCYE")
    assert len({half_id(str(number)) for number in range(100)}) == 100
    assert half_id("any").isalnum()
