"""Whatever an exchange says, what came of an order is written down."""

from decimal import Decimal

import pytest

from exchanges.types import Side
from execution import brackets, holdings, ids
from execution.columns import fitting, storable
from execution.fills import Seen
from execution.models import Bracket, Fill, Order, OrderState
from execution.transitions import move_order

pytestmark = pytest.mark.django_db(transaction=True)

ODD = "refused\0 by \ud800 nobody"


@pytest.fixture
def working(make_desk):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01")
    rows = Order.objects.filter(user=desk.user)
    rows.update(status=OrderState.WORKING, quantity=None, exchange_id="")
    return rows


@pytest.mark.parametrize(
    ("columns", "kept"),
    [
        ({"quantity": Decimal("9e23")}, {"quantity": None}),
        ({"quantity": Decimal("9999999999999999999999.9999999999999999999")}, {"quantity": None}),
        ({"average_price": Decimal("0." + "1" * 25)}, {"average_price": Decimal("0." + "1" * 18)}),
        ({"exchange_id": "7" * 81}, {"exchange_id": ""}),
        ({"exchange_id": "7" * 80}, {"exchange_id": "7" * 80}),
        ({"exchange_id": "7\0"}, {"exchange_id": "7\ufffd"}),
        ({"note": ODD}, {"note": "refused\ufffd by ? nobody"}),
        (
            {"error": {"message": ODD, "told": [ODD]}},
            {"error": {"message": "refused\ufffd by ? nobody", "told": ["refused\ufffd by ? nobody"]}},
        ),
    ],
)
def test_what_does_not_fit_keeps_no_order_from_its_end(working, columns, kept):
    assert move_order(working.get().token, OrderState.FILLED, by="worker eu", why=ODD, **columns)
    row = working.get()
    assert row.status == OrderState.FILLED
    assert {name: getattr(row, name) for name in kept} == kept


def test_what_is_left_out_is_told_in_the_log(working, caplog):
    fitting(Order, {"exchange_id": "7" * 81, "quantity": Decimal(1)})
    assert "exchange_id of Order cannot hold" in caplog.text


def test_a_bracket_is_kept_whatever_the_exchange_calls_its_entry(make_desk):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    row = desk.bracket()
    bracket = brackets.from_row(row)
    bracket.token, bracket.public_id = ids.order_token("another", 0), ids.new_public_id("b")
    bracket.entry_exchange_id, bracket.entry_level, bracket.note = "7" * 200, Decimal("1e30"), ODD
    bracket.legs[0].error = ODD
    saved = brackets.save_new(bracket, row.account, row.region)
    assert brackets.save(bracket, saved.version)
    kept = Bracket.objects.get(token=bracket.token)
    assert (kept.entry_exchange_id, kept.entry_level, kept.quantity) == ("", None, row.quantity)
    assert brackets.from_row(kept).legs[0].price == bracket.legs[0].price


def test_a_fill_that_no_column_holds_is_left_to_the_comparison(make_desk):
    account = make_desk(families=("binance",)).accounts["binance"]
    odd = Seen("f1", "BTCUSDT", Side.BUY, Decimal("1e30"))
    holdings.keep(account, "Binance_F", [odd, Seen("f2", "BTCUSDT", Side.BUY, Decimal(1))])
    assert [fill.name for fill in Fill.objects.filter(account=account)] == ["f2"]


def test_what_can_be_stored_stays_as_it_is():
    value = {"a": ["grün", 1, None, Decimal("0.1")]}
    assert storable(value) == value
