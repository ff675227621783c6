"""A close of both sides in hedge mode: what goes wrong with one keeps the other from nothing, and both are accounted for."""

from collections import Counter
from decimal import Decimal as D

import pytest

from exchanges.errors import InvalidOrder, OutcomeUnknown
from execution import reconcile
from execution.models import Order
from tests.execution.test_everything import PLACE, answer_lost, later, raising

SIDES = ("LONG", "SHORT")
HELD = {"LONG": D("0.02"), "SHORT": D("0.01")}
NO_ANSWER = raising(OutcomeUnknown("no answer from the exchange"))


@pytest.fixture
def desk(make_desk, impatient):
    found = make_desk(families=("binance",), position_mode="hedge")
    for side in SIDES:
        assert found.one(f"BTCUSDT on Binance_F market {side.lower()} {HELD[side]}")["error"] is None
    return found


def about(sides, goes_wrong, *, blind=False):
    """What happens to the orders that close these sides; `blind`: nor can any order be asked for."""

    def act(request, send):
        if blind and request.startswith("GET /fapi/v1/order?"):
            raise OutcomeUnknown("no answer from the exchange")
        if request.startswith(PLACE) and any(f"positionSide={side}" in request for side in sides):
            return goes_wrong(send)
        return send()

    return act


def row_of(desk):
    return Order.objects.filter(user=desk.user).latest("pk")


def open_sides(desk):
    return {each["direction"].upper() for each in desk.state("Binance_F", "binance")["positions"]}


def look(desk):
    row = row_of(desk)
    Order.objects.filter(pk=row.pk).update(created_at=row.created_at - reconcile.GRACE)
    reconcile.look_into(row.region, row.account.public_id, row.venue)
    return row_of(desk)


def healed(wire):
    wire(lambda _request, send: send())


@pytest.mark.parametrize("side", SIDES)
def test_a_side_that_is_refused_keeps_the_other_from_nothing(desk, wire, side):
    wire(about([side], raising(InvalidOrder("no"))))
    told = desk.one("BTCUSDT on Binance_F close")
    other = HELD["LONG" if side == "SHORT" else "SHORT"]
    assert (told["status"], told["error"]["code"], D(told["filled"])) == (
        "partially_filled",
        "HALF_DONE",
        other,
    )
    assert f"{other} was closed, and the {side.lower()} side was not: no" in told["error"]["message"]
    assert open_sides(desk) == {side}


@pytest.mark.parametrize("side", SIDES)
def test_a_side_whose_order_never_arrives_is_not_told_as_closed(desk, wire, side):
    wire(about([side], NO_ANSWER))
    told = desk.one("BTCUSDT on Binance_F close")
    assert (told["status"], told["error"]["code"]) == ("unknown", "HALF_DONE")
    assert f"whether the {side.lower()} side is closed is not known" in told["error"]["message"]
    assert open_sides(desk) == {side}
    healed(wire)
    assert look(desk).status == "unknown", "it may be on its way still"
    later(desk)
    row = row_of(desk)
    assert (row.status, row.error["code"]) == ("partially_filled", "HALF_DONE")
    assert row.filled == HELD["LONG" if side == "SHORT" else "SHORT"]
    assert f"the order for the {side.lower()} side never arrived" in row.error["message"]


@pytest.mark.parametrize("sides", [["LONG"], ["SHORT"], SIDES], ids=str)
def test_the_row_ends_when_both_sides_are_known(desk, wire, sides):
    wire(about(sides, answer_lost, blind=True))
    assert desk.one("BTCUSDT on Binance_F close")["status"] == "unknown"
    assert open_sides(desk) == set()
    healed(wire)
    row = look(desk)
    assert (row.status, row.error, row.quantity, row.filled) == ("filled", None, D("0.03"), D("0.03"))


def test_where_the_second_side_never_left_the_first_does_not_end_the_row(desk, wire):
    """A worker that is killed between the two."""
    sent: Counter[str] = Counter()

    def act(request, send):
        if request.startswith(PLACE):
            sent["orders"] += 1
            if sent["orders"] == 2:
                raise SystemExit
        return send()

    wire(act)
    with pytest.raises(SystemExit):
        desk.one("BTCUSDT on Binance_F close")
    Order.objects.filter(pk=row_of(desk).pk).update(status="unknown")
    healed(wire)
    assert look(desk).status == "unknown"
    later(desk)
    assert (row_of(desk).status, row_of(desk).error["code"]) == ("partially_filled", "HALF_DONE")


def test_a_close_of_one_side_ends_as_soon_as_it_is_known(desk, wire):
    assert desk.one("BTCUSDT on Binance_F close short")["error"] is None
    wire(about(["LONG"], answer_lost, blind=True))
    assert desk.one("BTCUSDT on Binance_F close")["status"] == "unknown"
    healed(wire)
    assert (look(desk).status, row_of(desk).filled) == ("filled", D("0.02"))


def test_two_closes_that_rest_end_together(desk):
    told = desk.one("BTCUSDT on Binance_F close off 2%")
    assert (told["status"], told["error"], D(told["quantity"])) == ("open", None, D("0.03"))
    for price, status, filled in (("51100", "partially_filled", "0.02"), ("48900", "filled", "0.03")):
        desk.sandbox.price("BTC/USDT", price)
        Order.objects.update(updated_at=row_of(desk).created_at - reconcile.RESTING)
        row = look(desk)
        assert (row.status, row.filled) == (status, D(filled))
    assert not row_of(desk).resting


def test_where_one_side_closes_at_once_the_other_is_followed(desk):
    told = desk.one("BTCUSDT on Binance_F close at 49000")
    assert (told["status"], D(told["filled"]), row_of(desk).resting) == ("partially_filled", D("0.02"), True)
    desk.sandbox.price("BTC/USDT", "48900")
    Order.objects.update(updated_at=row_of(desk).created_at - reconcile.RESTING)
    row = look(desk)
    assert (row.status, row.filled, row.resting) == ("filled", D("0.03"), False)


def test_a_close_of_everything_names_the_symbol_of_which_a_side_is_left(desk, wire):
    wire(about(["SHORT"], raising(InvalidOrder("no"))))
    told = desk.one("* on Binance_F close")
    assert (told["status"], told["error"]["code"]) == ("partially_filled", "LEFT_OPEN")
    assert "left open, BTCUSDT: no" in told["error"]["message"]
    assert (open_sides(desk), D(told["filled"])) == ({"SHORT"}, D("0.02"))
