"""What a look makes of legs that the exchange itself ended."""

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.types import OrderRef, OrderStatus, Report
from execution import brackets
from execution.desk import Desk
from execution.models import BracketState
from execution.observe import observe, wants_action
from execution.protection import Leg
from execution.supervise import View, open_desk

LINKING = [("Binance", "binance"), ("ByBit_F", "bybit"), ("OKX", "okx"), ("OKX_F", "okx")]


@pytest.mark.parametrize(("venue", "family"), LINKING)
@pytest.mark.parametrize(("price", "filled"), [("48000", "stop"), ("53500", "target")])
def test_a_leg_ended_by_its_sibling_is_not_taken_for_one_the_user_cancelled(
    make_desk, venue, family, price, filled
):
    desk = make_desk(families=(family,))
    desk.one(f"BTCUSDT on {venue} market long 0.01 sl off 2% tp off 5%")
    desk.sandbox.price("BTC/USDT", price)
    desk.supervise(2)
    bracket = desk.bracket()
    assert bracket.status == BracketState.DONE
    assert bracket.note.startswith(f"{filled} filled at {price}")
    assert [leg["kind"] for leg in bracket.legs if leg["status"] == "filled"] == [filled]
    assert desk.open_orders(venue, family) == []


def test_what_a_target_left_over_gets_a_stop_again(make_desk):
    """The target filled in part and ended its stop: that is not the user's wish to go without."""
    made = make_desk(families=("okx",))
    made.one("BTCUSDT on OKX_F market long 0.01 sl off 2% tp off 5%")
    row = made.bracket()
    bracket, desk = brackets.from_row(row), open_desk(row.account, "OKX_F")
    stop, target = bracket.legs
    observe(
        desk,
        bracket,
        View(
            orders={
                stop.client_id: ended(desk, stop, filled=Decimal(0)),
                target.client_id: ended(desk, target, filled=Decimal("0.004")),
            },
        ),
    )
    assert bracket.plan.stop is not None
    assert bracket.remaining == Decimal("0.006")
    assert wants_action(desk, bracket)


def ended(desk: Desk, leg: Leg, *, filled: Decimal) -> Report:
    found = desk.venue.fetch(
        desk.keys, desk.instrument("BTCUSDT"), OrderRef(leg.client_id, leg.exchange_id, conditional=True)
    )
    average = leg.price if filled else None
    return replace(found, status=OrderStatus.CANCELLED, filled=filled, average_price=average)
