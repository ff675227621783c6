"""Sizes of contracts are remembered, and asked for when one is spoken of that was never seen."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.contracts import CountsContracts, in_coins
from exchanges.errors import OutcomeUnknown, Unsupported
from exchanges.types import Instrument, OrderRequest, OrderType, Product, Side
from exchanges.venue import Call
from tests.exchanges.test_venue import Exchange, Tiny, tiny

HUNDREDTH = Decimal("0.01")
SWAP = Instrument(
    "BTC-SWAP", "BTC", "USDT", "USDT", Product.LINEAR, Decimal("0.1"), HUNDREDTH, contract_size=HUNDREDTH
)
ORDER = OrderRequest(SWAP, "f1", Side.BUY, OrderType.MARKET, quantity=Decimal("0.05"))


class Counting(CountsContracts, Tiny):
    """Lists one contract of a hundredth of a coin."""

    def instruments(self) -> list[Instrument]:
        self.call(Call("GET", "/instruments", signed=False))
        self._know(SWAP)
        return [SWAP]


def counting() -> tuple[Counting, Exchange]:
    exchange = Exchange((200, {}))
    venue = tiny(exchange, kind=Counting)
    assert isinstance(venue, Counting)
    return venue, exchange


def test_the_size_of_an_instrument_that_was_seen_asks_nobody() -> None:
    venue, exchange = counting()
    venue._know(replace(SWAP, contract_size=Decimal(10)), None)
    assert venue._size("BTC-SWAP") == 10
    assert exchange.paths == []


def test_a_size_that_is_not_known_is_asked_for_once() -> None:
    venue, exchange = counting()
    assert [venue._size("BTC-SWAP"), venue._size("BTC-SWAP")] == [HUNDREDTH, HUNDREDTH]
    assert exchange.paths == ["/instruments"]


def test_a_symbol_that_is_not_listed_leaves_the_answer_unknown() -> None:
    venue, _ = counting()
    with pytest.raises(OutcomeUnknown, match="ETH-SWAP, which it does not list"):
        venue._size("ETH-SWAP")


def test_an_order_is_counted_in_contracts() -> None:
    venue, _ = counting()
    assert venue._contracts(ORDER) == venue._whole_contracts(ORDER) == 5


@pytest.mark.parametrize("words", [{"quantity": Decimal("0.055")}, {"quantity": None}])
def test_what_no_number_of_contracts_says_is_refused(words: dict[str, Decimal | None]) -> None:
    venue, _ = counting()
    with pytest.raises(Unsupported):
        venue._whole_contracts(replace(ORDER, **words))  # type: ignore[arg-type]


def test_steps_and_bounds_told_in_contracts_are_those_of_coins() -> None:
    told = replace(SWAP, step=Decimal(1), min_quantity=Decimal(2), max_quantity=Decimal(1000))
    assert in_coins(told) == replace(
        SWAP, step=HUNDREDTH, min_quantity=Decimal("0.02"), max_quantity=Decimal(10)
    )
    assert in_coins(replace(told, max_market_quantity=Decimal(50))).max_market_quantity == Decimal("0.5")
