"""Changing sides: everything is checked before the old position is touched, and half of it is told as half."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.test import Client
from django.utils import timezone

from exchanges import transport
from exchanges.errors import OutcomeUnknown
from execution import book, reconcile
from execution.models import OPEN_STATES, Order

FUTURES = [("Binance_F", "binance"), ("ByBit_F", "bybit"), ("Kraken_F", "kraken_futures")]


def held(desk, venue, family):
    return [(each["direction"], D(each["quantity"])) for each in desk.state(venue, family)["positions"]]


@pytest.mark.parametrize(("venue", "family"), FUTURES)
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("go short 0.01 sl at 40000", "STOP_WRONG_SIDE"),
        ("go short 0.01 sl off 2% tp at 60000", "TP_WRONG_SIDE"),
        ("go short 0.00001 sl off 2%", "BELOW_MIN_SIZE"),
        ("go long 0.00001", "BELOW_MIN_SIZE"),
        ("reverse sl at 40000", "STOP_WRONG_SIDE"),
        ("reverse to short 0.00001", "BELOW_MIN_SIZE"),
    ],
)
def test_what_is_wrong_about_the_new_side_leaves_the_old_one_alone(desk, venue, family, text, code):
    desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2%")
    result = desk.one(f"BTCUSDT on {venue} {text}")
    assert (result["status"], result["error"]["code"]) == ("rejected", code)
    assert held(desk, venue, family) == [("long", D("0.02"))]
    assert len(desk.open_orders(venue, family)) == 1


@pytest.mark.parametrize(("venue", "family"), FUTURES)
@pytest.mark.parametrize("text", ["go short 500", "reverse to short 90"])
def test_a_close_whose_other_half_fails_is_told_as_half_done(make_desk, venue, family, text):
    asset = "USD" if family == "kraken_futures" else "USDT"
    desk = make_desk(families=(family,), balances={asset: "20000"})
    desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2%")
    result = desk.one(f"BTCUSDT on {venue} {text}")
    if result["error"]["code"] == "ABOVE_MAX_SIZE":  # this exchange's own limit was known beforehand
        assert held(desk, venue, family) == [("long", D("0.02"))]
        return
    assert (result["status"], result["error"]["code"]) == ("partially_filled", "HALF_DONE")
    assert "0.02 was closed" in result["error"]["message"]
    assert held(desk, venue, family) == []
    desk.supervise(2)
    assert desk.open_orders(venue, family) == []


def test_in_hedge_mode_go_leaves_only_the_wanted_side(make_desk):
    desk = make_desk(families=("binance", "bybit"), position_mode="hedge")
    for venue, family in (("Binance_F", "binance"), ("ByBit_F", "bybit")):
        desk.one(f"BTCUSDT on {venue} market long 0.02")
        desk.one(f"BTCUSDT on {venue} market short 0.01")
        result = desk.one(f"BTCUSDT on {venue} go long 0.01")
        assert result["error"] is None
        assert held(desk, venue, family) == [("long", D("0.01"))]


def test_pages_say_contracts_where_coins_are_the_margin(make_desk):
    desk = make_desk(families=("bybit",))
    desk.one("BTCUSD on ByBit_C go long 100 sl off 2%")
    more = desk.one("BTCUSD on ByBit_C go long 300")
    assert "the 200 contracts that were added" in more["protection"]["note"]
    page = Client()
    page.force_login(desk.user)
    first = Order.objects.filter(user=desk.user).earliest("created_at")
    told = page.get(f"/orders/{first.token}/").content.decode()
    assert "100 of 100 contracts at 50000.1" in told
    assert ">Contracts</th>" in told
    assert ">200 contracts</td>" in page.get("/orders/").content.decode()


@pytest.mark.parametrize(("venue", "family"), [("Binance_F", "binance"), ("Kraken_F", "kraken_futures")])
def test_go_that_adds_without_a_stop_says_that_the_addition_is_bare(make_desk, venue, family):
    desk = make_desk(families=(family,))
    first = desk.one(f"BTCUSDT on {venue} go long 0.01 sl off 2%")
    assert "note" not in first["protection"]
    more = desk.one(f"BTCUSDT on {venue} go long 0.03")
    assert (more["status"], more["error"], more["protection"]["status"]) == ("filled", None, "none")
    assert "the 0.02 BTC that were added" in more["protection"]["note"]
    page = Client()
    page.force_login(desk.user)
    order = Order.objects.filter(user=desk.user).latest("created_at")
    assert "0.02 BTC that were added" in page.get(f"/orders/{order.token}/").content.decode()
    assert "note" not in desk.one(f"BTCUSDT on {venue} go long 0.04 sl off 2%")["protection"]
    assert "note" not in desk.one(f"BTCUSDT on {venue} go short 0.01")["protection"]


PLACES = {"ByBit_F": "/v5/order/create", "Kraken_F": "/derivatives/api/v3/sendorder"}


def recover(desk):
    """As beat and the workers would, two minutes later."""
    book.pool().close()
    book.pool.cache_clear()  # the limits are counted there
    unsettled = Order.objects.filter(status__in=OPEN_STATES)
    unsettled.update(created_at=timezone.now() - timedelta(minutes=2), lookups=0)
    for region in ("eu", "tokyo", "singapore"):
        for account, venue in reconcile.due(region):
            reconcile.look_into(region, account, venue)
    desk.supervise(2)


def no_stops(send):
    """Kraken's answers, with every stop refused; nothing can be cancelled."""

    def sent(line, request):
        if "cancelorder" in request.path:
            raise OutcomeUnknown("no answer from the exchange")
        answer = send(line, request)
        if "batchorder" in request.path:
            answer.data["batchStatus"][0]["status"] = "invalidPrice"
        elif "orderType=stp" in f"{request.target}{request.body!r}":
            answer.data["sendStatus"]["status"] = "invalidPrice"
        return answer

    return sent


def test_what_fails_after_the_new_side_was_opened_is_not_told_as_nothing_opened(desk, monkeypatch):
    """Its stop is refused, it is closed for want of one, and its targets cannot be cancelled then."""
    desk.one("BTCUSDT on Kraken_F market long 0.02")
    monkeypatch.setattr(transport.Transport, "send", no_stops(transport.Transport.send))
    result = desk.one("BTCUSDT on Kraken_F reverse sl off 2% tp off 3% for 50% tp off 5%")
    monkeypatch.undo()
    assert (result["status"], result["error"]["code"]) == ("unknown", "HALF_DONE")
    assert "0.02 was closed, and whether the new position is open" in result["error"]["message"]
    recover(desk)
    row = Order.objects.filter(user=desk.user).latest("pk")
    assert (row.status, row.side, row.filled) == ("filled", "short", D("0.02"))
    assert held(desk, "Kraken_F", "kraken_futures") == []
    assert desk.open_orders("Kraken_F", "kraken_futures") == []


@pytest.mark.parametrize(("venue", "family"), FUTURES[1:])
def test_a_new_side_of_unknown_outcome_is_asked_for_and_not_taken_for_the_close(
    desk, venue, family, impatient, monkeypatch
):
    """The close is a sale too: believed to be the new short, it would be given a stop."""
    desk.one(f"BTCUSDT on {venue} market long 0.02")
    placed, send = [], transport.Transport.send

    def second_is_lost(line, request):
        placed.append(request.path == PLACES[venue])
        if placed[-1] and sum(placed) > 1:
            raise OutcomeUnknown("no answer from the exchange")
        return send(line, request)

    monkeypatch.setattr(transport.Transport, "send", second_is_lost)
    result = desk.one(f"BTCUSDT on {venue} go short 0.02 sl off 2%")
    monkeypatch.undo()
    assert (result["status"], result["error"]["code"]) == ("unknown", "HALF_DONE")
    recover(desk)
    row = Order.objects.filter(user=desk.user).latest("pk")
    assert (row.status, (row.error or {})["code"], row.bracket) == ("not_sent", "HALF_DONE", None)
    assert desk.open_orders(venue, family) == []
