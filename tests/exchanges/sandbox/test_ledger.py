from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.sandbox import ledger
from exchanges.types import OrderStatus, Product

from .desks import MARKET, Exchange


def position(*fills):
    held = ledger.Position(MARKET)
    profits = [held.apply(Decimal(quantity), Decimal(price)) for quantity, price in fills]
    return held, profits


@pytest.mark.parametrize(
    ("fills", "quantity", "entry", "profit"),
    [
        ([(1, 100), (1, 200)], 2, 150, 0),
        ([(-1, 100), (-3, 200)], -4, 175, 0),
        ([(2, 100), (-1, 130)], 1, 100, 30),
        ([(-2, 100), (1, 130)], -1, 100, -30),
        ([(1, 100), (-1, 90)], 0, 0, -10),
        ([(1, 100), (-3, 110)], -2, 110, 10),
        ([(-1, 100), (3, 90)], 2, 90, 10),
    ],
)
def test_a_position_is_the_sum_of_its_fills(fills, quantity, entry, profit):
    held, profits = position(*fills)
    assert (held.quantity, held.entry_price) == (quantity, entry)
    assert sum(profits) == held.realised == profit


def test_an_entry_price_that_does_not_divide_is_cut_at_twelve_decimals():
    held, _ = position((1, 100), (2, 101))
    assert held.entry_price == Decimal("100.666666666667")


def test_unrealised_profit_has_the_sign_of_the_direction():
    assert position((2, 100))[0].unrealised(Decimal(110)) == 20
    assert position((-2, 100))[0].unrealised(Decimal(110)) == -20


def test_old_orders_are_forgotten_and_open_ones_are_not(monkeypatch):
    monkeypatch.setattr(ledger, "REMEMBERED", 3)
    exchange = Exchange()
    resting = exchange.buy(1, price=40000, client_id="resting")
    ended = [exchange.buy(1, client_id=f"n{number}") for number in range(6)]
    assert len(exchange.desk.book(exchange.account).orders) <= 4
    assert exchange.desk.order(exchange.account, order_id=resting.id) is resting
    assert exchange.desk.order(exchange.account, client_id="resting") is resting
    assert exchange.desk.order(exchange.account, order_id=ended[0].id) is None
    assert exchange.desk.order(exchange.account, client_id="n0") is None
    latest = exchange.desk.order(exchange.account, client_id="n5")
    assert latest is not None
    assert latest.status is OrderStatus.FILLED


def test_a_key_is_never_printed():
    account = Exchange().account
    assert "secret" not in repr(account)
    assert account.key not in repr(account)


# -- margined in coins ---------------------------------------------------------------------------------------

COIN = replace(MARKET, quote="USD", product=Product.INVERSE, contract_size=Decimal(10))


def coins(*fills):
    held = ledger.Position(COIN)
    return held, [held.apply(Decimal(quantity), Decimal(price)) for quantity, price in fills]


def test_the_entry_of_contracts_is_the_price_at_which_their_coins_add_up():
    held, _ = coins((100, 40000), (100, 60000))
    assert held.entry_price == 48000
    assert held.notional(held.entry_price) == COIN.value(Decimal(100), Decimal(40000)) + COIN.value(
        Decimal(100), Decimal(60000)
    )


@pytest.mark.parametrize(
    ("fills", "quantity", "entry", "profit"),
    [
        ([(100, 40000), (-100, 50000)], 0, 0, "0.005"),
        ([(-100, 40000), (100, 50000)], 0, 0, "-0.005"),
        ([(100, 40000), (-50, 50000)], 50, 40000, "0.0025"),
        ([(100, 50000), (-300, 40000)], -200, 40000, "-0.005"),
    ],
)
def test_contracts_earn_coins(fills, quantity, entry, profit):
    held, profits = coins(*fills)
    assert (held.quantity, held.entry_price) == (quantity, entry)
    assert sum(profits) == held.realised == Decimal(profit)


def test_contracts_that_did_not_earn_yet():
    held, _ = coins((-100, 40000))
    assert held.unrealised(Decimal(50000)) == Decimal("-0.005")
    assert held.notional(Decimal(50000)) == Decimal("0.02")


def test_what_ended_too_long_ago_is_not_known_any_more_and_its_fills_are():
    exchange = Exchange(remembers_seconds=7200)
    resting, ended = exchange.buy(1, price=40000, client_id="resting"), exchange.buy(1, client_id="ended")
    names = {"client_id": "ended"}, {"order_id": ended.id}, {"client_id": "resting"}
    book = exchange.desk.book(exchange.account)

    def known():
        return [exchange.desk.order(exchange.account, **name) for name in names]

    book.age(7_199_000)
    assert known() == [ended, ended, resting]
    book.age(1000)
    assert known() == [None, None, resting]
    assert [(fill.order_id, fill.time_ms) for fill in book.fills] == [(ended.id, ended.updated_ms)]
