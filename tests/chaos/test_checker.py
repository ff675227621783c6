"""The checker finds what it is there for: in books that are right it is silent, each thing wrong it names."""

import copy
from decimal import Decimal as D

import pytest

from tests.chaos.books import Books
from tests.chaos.checker import check
from tests.chaos.plan import Lane, Post
from tests.chaos.told import Answer, Told, Trouble

USER, VENUE, DELIVERY = 7, "Binance_F", "d_1"
LANES = (Lane(0, VENUE, "BTCUSDT", stops=True),)
BODY = 'BTCUSDT on Binance_F market long 0.01 sl off 2% note "n0"'


def order(number, **changes):
    values = {
        "id": str(number),
        "live_id": "",
        "client_id": f"c{number}",
        "symbol": "BTCUSDT",
        "side": "buy",
        "type": "market",
        "status": "filled",
        "quantity": D("0.01"),
        "filled": D("0.01"),
        "average_price": D(50000),
        "trigger_price": None,
        "price": None,
        "reduce_only": False,
        "link": "",
        "created_ms": 1000 + number,
        "updated_ms": 1000 + number,
    }
    return values | changes


def stop(number, **changes):
    standing = {"side": "sell", "type": "stop", "status": "open", "filled": D(0), "average_price": None}
    return order(number, **standing | {"trigger_price": D(49000), "reduce_only": True} | changes)


def row(**changes):
    values = {
        "token": "T1",
        "user_id": USER,
        "position": 0,
        "action": "entry",
        "venue": VENUE,
        "symbol": "BTCUSDT",
        "instrument": "BTCUSDT",
        "status": "filled",
        "client_id": "c1",
        "exchange_id": "1",
        "quantity": D("0.01"),
        "filled": D("0.01"),
        "average_price": D(50000),
        "error": None,
        "resting": False,
        "delivery": DELIVERY,
        "delivery_status": "done",
    }
    return values | changes


def books():
    """One protected long, as everybody agrees."""
    leg = {"client_id": "c2", "exchange_id": "2", "kind": "stop", "status": "open"}
    position = {"symbol": "BTCUSDT", "direction": "long", "quantity": D("0.01")}
    return Books(
        orders=[row()],
        deliveries=[{"public_id": DELIVERY, "user_id": USER, "body": BODY, "status": "done"}],
        brackets=[
            {
                "user_id": USER,
                "venue": VENUE,
                "token": "T1",
                "status": "armed",
                "quantity": D("0.01"),
                "legs": [leg],
                "entry_client_id": "c1",
            }
        ],
        sandbox={(USER, VENUE): {"orders": [order(1), stop(2)], "positions": [position], "balances": {}}},
    )


def told(status=200, **changes):
    leg = {"price": "49000", "exchange_id": "2", "client_id": "c2", "status": "open"}
    result = {
        "status": "filled",
        "filled": "0.01",
        "average_price": "50000",
        "protection": {"status": "armed", "stop": leg, "targets": []},
    }
    body = {"delivery": DELIVERY, "results": [result | changes]}
    return [Told(Post(0, 0, BODY), [Answer(status, body, 0.1)])]


def found(answers, held):
    findings = check(answers, held, LANES, [USER])
    return {kind for kind, words in findings.found.items() if words}


def test_books_that_agree_have_nothing_to_find():
    assert found(told(), books()) == set()


def test_pairs_that_two_exchanges_give_one_name_are_kept_apart():
    held = books()
    at_exchange(held)["orders"][1]["link"] = "1000003"
    another = stop(2, link="1000003", status="filled", filled=D("0.05"))
    held.sandbox[USER + 1, "ByBit"] = {"orders": [another], "positions": [], "balances": {}}
    assert "duplicates" not in found(told(), held)


def at_exchange(held):
    return held.sandbox[USER, VENUE]


def test_an_order_that_stands_twice_is_found():
    held = books()
    at_exchange(held)["orders"].append(order(3, client_id="c1"))
    assert "duplicates" in found(told(), held)


def test_a_message_carried_out_twice_is_found():
    held = books()
    held.deliveries.append(held.deliveries[0] | {"public_id": "d_2"})
    held.orders.append(row(delivery="d_2", client_id="c9", exchange_id="9", token="T2"))
    at_exchange(held)["orders"].append(order(9))
    assert "duplicates" in found(told(), held)


def both_filled(apart_ms, placed_ms):
    """The stop at second 11, and the target of the same bracket some time after it."""
    held = books()
    executed = {"status": "filled", "filled": D("0.01"), "average_price": D(49000)}
    at_exchange(held)["orders"] = [
        order(1),
        stop(2, **executed, updated_ms=11_000),
        stop(3, **executed, type="take_profit", created_ms=placed_ms, updated_ms=11_000 + apart_ms),
    ]
    held.brackets[0]["legs"].append(
        {"client_id": "c3", "exchange_id": "3", "kind": "target", "status": "open"}
    )
    return held


@pytest.mark.parametrize(
    ("apart_ms", "down", "placed_ms", "doubled"),
    [
        (4000, Trouble(11.5, 14.0), 1000, False),
        (4000, None, 1000, True),  # nothing was down: it had to be cancelled
        (9000, Trouble(11.5, 14.0), 1000, True),  # all was up again for long
        (4000, Trouble(11.5, 14.0), 12_000, True),  # it was placed after the other had filled
    ],
)
def test_a_second_leg_that_fills_is_found_unless_nobody_could_cancel_it(apart_ms, down, placed_ms, doubled):
    troubles = [down] if down else []
    findings = check(told(), both_filled(apart_ms, placed_ms), LANES, [USER], troubles)
    assert bool(findings.found["duplicates"]) is doubled


def test_a_bracket_that_the_fee_made_smaller_than_its_entry_is_whole():
    held = both_filled(4000, 1000)
    held.brackets[0]["quantity"] = D("0.00998")
    for leg in at_exchange(held)["orders"][1:]:
        leg["filled"] = D("0.00998")
    assert not check(told(), held, LANES, [USER], [Trouble(11.5, 14.0)]).found["duplicates"]


def test_legs_that_close_more_than_was_opened_are_found():
    held = books()
    at_exchange(held)["orders"][1] |= {"status": "filled", "filled": D("0.02"), "average_price": D(49000)}
    assert "duplicates" in found(told(), held)


@pytest.mark.parametrize("status", ["working", "unknown"])
def test_a_result_without_an_end_is_lost(status):
    held = books()
    held.orders[0]["status"] = status
    assert "lost" in found(told(), held)


def test_a_fill_that_the_exchange_does_not_have_is_found():
    held = books()
    del at_exchange(held)["orders"][0]
    assert "lost" in found(told(), held)


def test_a_fill_that_history_does_not_have_is_found():
    held = books()
    held.orders[0] |= {"status": "not_sent", "filled": None}
    assert "lost" in found(told(status=202), held)


def test_an_order_of_nobody_is_found():
    held = books()
    at_exchange(held)["orders"].append(order(5))
    assert "lost" in found(told(), held)


@pytest.mark.parametrize(
    "changes", [{"filled": D("0.02")}, {"average_price": D(50001)}, {"exchange_id": "8"}]
)
def test_history_that_differs_from_the_exchange_is_found(changes):
    held = books()
    held.orders[0] |= changes
    assert "contradictions" in found(told(), held)


@pytest.mark.parametrize("changes", [{"filled": "0.02"}, {"average_price": "1"}, {"status": "rejected"}])
def test_an_answer_that_differs_from_history_is_found(changes):
    assert "contradictions" in found(told(**changes), books())


def test_an_answered_stop_that_never_stood_is_found():
    held = books()
    wrong = copy.deepcopy(told())
    wrong[0].answers[0].body["results"][0]["protection"]["stop"] |= {"exchange_id": "77", "client_id": "c77"}
    assert "contradictions" in found(wrong, held)


def test_an_order_under_a_clear_no_is_found():
    assert "contradictions" in found([Told(Post(0, 0, BODY), [Answer(503, {}, 0.1)])], books())


def test_a_position_without_its_stop_is_found():
    held = books()
    at_exchange(held)["orders"][1] |= {"status": "cancelled"}
    assert found(told(), held) == {"unprotected"}


def test_a_stop_for_a_part_of_the_position_is_not_enough():
    held = books()
    at_exchange(held)["orders"][1] |= {"quantity": D("0.005")}
    assert found(told(), held) == {"unprotected"}


def test_an_exit_without_a_position_is_found():
    held = books()
    at_exchange(held)["positions"].clear()
    assert found(told(), held) == {"orphans"}
