"""Orders go out in the margin mode of their position, which is asked for as seldom as can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from exchanges.errors import InsufficientFunds, NotSent, Throttled, Unsupported
from exchanges.margin import OrdersInMode, whole_leverage
from exchanges.types import (
    Credentials,
    Direction,
    Instrument,
    MarginMode,
    OrderRequest,
    OrderType,
    Position,
    Product,
    Report,
    Side,
)
from exchanges.venue import Call, Features
from tests.exchanges.test_venue import KEYS, OTHER, Exchange, Tiny, report, tiny

SWAP = Instrument("BTCUSDT", "BTC", "USDT", "USDT", Product.LINEAR, Decimal("0.1"), Decimal("0.001"))
OPENS = OrderRequest(SWAP, "f1", Side.BUY, OrderType.MARKET, quantity=Decimal(1))
CLOSES = replace(OPENS, side=Side.SELL, reduce_only=True)
HELD = {"positions": ["isolated"]}
FLAT: dict[str, Any] = {"positions": []}
PLACED = {"id": 1}


class Moded(OrdersInMode, Tiny):
    """Every order names its mode in its path; positions are a list of modes."""

    features = Features(batch=5)

    def place_call(self, order: OrderRequest) -> Call:
        return Call("POST", f"/order/{order.margin_mode or 'unnamed'}")

    def batch_call(self, calls: Sequence[Call]) -> Call:
        return Call("POST", "/batch" + "".join(call.path.removeprefix("/order") for call in calls))

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        told: list[Any] = data["orders"]
        return told

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        return report(str(data["id"]))

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        told = self.call(Call("GET", "/positions"), keys)["positions"]
        return self._saw(
            keys,
            [
                Position(SWAP.symbol, Direction.LONG, Decimal(1), Decimal(1), margin_mode=MarginMode(mode))
                for mode in told
            ],
        )


def moded(*answers: Any) -> tuple[Tiny, Exchange]:
    exchange = Exchange(*((200, answer) if isinstance(answer, dict) else answer for answer in answers))
    return tiny(exchange, kind=Moded), exchange


def test_what_closes_goes_where_the_entry_went() -> None:
    venue, exchange = moded(PLACED)
    venue.place(KEYS, replace(OPENS, margin_mode=MarginMode.ISOLATED))
    venue.place(KEYS, CLOSES)
    assert exchange.paths == ["/order/isolated", "/order/isolated"]


def test_an_entry_that_names_no_mode_went_cross() -> None:
    venue, exchange = moded(PLACED)
    venue.place(KEYS, OPENS)
    venue.place(KEYS, CLOSES)
    assert exchange.paths == ["/order/unnamed", "/order/cross"]


def test_a_position_never_seen_is_asked_for_once() -> None:
    venue, exchange = moded(HELD, PLACED)
    venue.place(KEYS, CLOSES)
    venue.place(KEYS, CLOSES)
    assert exchange.paths == ["/positions", "/order/isolated", "/order/isolated"]


def test_a_mode_that_is_asked_for_by_name_asks_nobody() -> None:
    venue, exchange = moded(PLACED)
    venue.place(KEYS, replace(CLOSES, margin_mode=MarginMode.CROSS))
    assert exchange.paths == ["/order/cross"]


def test_the_mode_of_one_key_is_not_that_of_another() -> None:
    venue, exchange = moded(PLACED, FLAT, PLACED)
    venue.place(KEYS, replace(OPENS, margin_mode=MarginMode.ISOLATED))
    venue.place(OTHER, CLOSES)
    assert exchange.paths == ["/order/isolated", "/positions", "/order/unnamed"]


@pytest.mark.parametrize("answer", [(502, "bad gateway"), (200, {"error": "lost"})])
def test_a_position_that_cannot_be_read_leaves_the_order_unsent(answer: Any) -> None:
    venue, exchange = moded(answer)
    with pytest.raises(NotSent, match="the position is not known"):
        venue.place(KEYS, CLOSES)
    assert exchange.paths == ["/positions"]


def test_a_batch_whose_position_cannot_be_read_is_not_sent_and_says_why() -> None:
    venue, exchange = moded((200, {"error": "busy"}))
    told = venue.place_many(KEYS, [CLOSES, CLOSES])
    assert [type(each) for each in told] == [Throttled, Throttled]
    assert exchange.paths == ["/positions"]


def test_a_batch_tells_the_mode_by_what_was_taken_of_it() -> None:
    venue, exchange = moded({"orders": [{"error": "poor"}, PLACED]}, PLACED)
    opens = replace(OPENS, margin_mode=MarginMode.ISOLATED)
    told = venue.place_many(KEYS, [opens, opens])
    assert isinstance(told[0], InsufficientFunds)
    venue.place(KEYS, CLOSES)
    assert exchange.paths == ["/batch/isolated/isolated", "/order/isolated"]


def test_a_stop_entry_that_waits_makes_no_position_yet() -> None:
    venue, exchange = moded(PLACED, HELD, PLACED)
    waits = {"type": OrderType.STOP, "trigger_price": Decimal(9), "margin_mode": MarginMode.CROSS}
    venue.place(KEYS, replace(OPENS, **waits))  # type: ignore[arg-type]
    venue.place(KEYS, CLOSES)
    assert exchange.paths == ["/order/cross", "/positions", "/order/isolated"]


def test_a_leverage_between_two_numbers_is_refused_where_it_has_to_be_whole() -> None:
    assert whole_leverage("Tiny", Decimal("5.0")) == 5
    with pytest.raises(Unsupported, match="whole number"):
        whole_leverage("Tiny", Decimal("5.5"))
