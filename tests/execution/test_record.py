"""History that is written late: what happened meanwhile stands."""

import base64
import json
from decimal import Decimal

import pytest
from django.db import OperationalError

from execution import brackets, record
from execution.brokers import region_redis
from execution.desk import Timeline
from execution.models import Bracket, BracketState
from execution.record import Ledger, write

pytestmark = pytest.mark.django_db(transaction=True)


def late_close(desk):
    """A close that found nothing to close, and could not be written down yet."""
    desk.one("BTCUSDT on Binance_F close")
    (job,) = desk.jobs
    ledger = Ledger(job, [], Timeline(job.received_ms))
    ledger.closed.append(("Binance_F", "BTCUSDT", ["long", "short"]))
    return ledger


def test_a_close_written_late_does_not_end_what_was_opened_after_it(make_desk):
    desk = make_desk(families=("binance",))
    ledger = late_close(desk)
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    write(Ledger.load(ledger.dump()))
    assert desk.bracket().status == BracketState.ARMED
    desk.supervise(2)
    (stop,) = desk.open_orders("Binance_F", "binance")
    assert stop["type"] == "stop"


def test_a_close_written_late_ends_what_was_there_before_it(make_desk):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    write(Ledger.load(late_close(desk).dump()))
    assert desk.bracket().status == BracketState.DONE


FUTURES = [("Binance_F", "binance"), ("ByBit_F", "bybit"), ("Kraken_F", "kraken_futures")]


@pytest.mark.parametrize(("venue", "family"), FUTURES)
def test_after_a_partial_close_one_look_fits_the_legs(make_desk, venue, family):
    """Without history's word it takes two looks to believe that a part is gone."""
    desk = make_desk(families=(family,))
    desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2% tp off 5%")
    desk.one(f"BTCUSDT on {venue} close 50%")
    assert brackets.from_row(desk.bracket()).remaining == Decimal("0.01")
    desk.supervise()
    assert {Decimal(str(each["quantity"])) for each in desk.open_orders(venue, family)} == {Decimal("0.01")}
    assert len(desk.open_orders(venue, family)) == 2


def looks_queued(region):
    return [
        json.loads(base64.b64decode(json.loads(text)["body"]))[0]
        for text in region_redis(region).lrange(f"watch.{region}", 0, -1)
        if "supervise_account" in text
    ]


def test_that_look_is_asked_for_at_once(make_desk):
    desk = make_desk(families=("bybit",))
    desk.one("BTCUSDT on ByBit_F market long 0.02 sl off 2%")
    region = desk.bracket().region
    assert looks_queued(region) == []
    desk.one("BTCUSDT on ByBit_F close 50%")
    assert looks_queued(region) == [[region, desk.accounts["bybit"].public_id, "ByBit_F"]]


def test_of_several_brackets_the_newest_gives_way_to_a_partial_close(make_desk):
    desk = make_desk(families=("bybit",))
    desk.one("BTCUSDT on ByBit_F market long 0.02 sl off 2%")
    desk.one("BTCUSDT on ByBit_F market long 0.01 sl off 3%")
    desk.one("BTCUSDT on ByBit_F close 0.015")
    left = [brackets.from_row(row).remaining for row in Bracket.objects.order_by("created_at")]
    assert left == [Decimal("0.015"), Decimal(0)]
    desk.supervise(2)
    (stop,) = desk.open_orders("ByBit_F", "bybit")
    assert Decimal(str(stop["quantity"])) == Decimal("0.015")


def test_a_partial_close_that_a_look_noticed_first_is_not_counted_twice(make_desk):
    desk = make_desk(families=("bybit",))
    desk.one("BTCUSDT on ByBit_F market long 0.02 sl off 2%")
    desk.one("BTCUSDT on ByBit_F close 50%")
    (job,) = desk.jobs
    ledger = Ledger(job, [], Timeline(job.received_ms))
    ledger.reduced.append(("BTCUSDT", "long", "0.01", "0.01"))
    write(Ledger.load(ledger.dump()))
    assert brackets.from_row(desk.bracket()).remaining == Decimal("0.01")


def test_history_that_waited_is_written_before_what_came_after(make_desk, monkeypatch):
    """The close was written first, found no bracket, and the stop that it had taken away was put down to the user."""
    desk = make_desk(families=("binance",), balances={"USDT": "100000"})
    with monkeypatch.context() as patch:
        patch.setattr(record, "write", refuse)
        desk.one("BTCUSDT on Binance market long 0.01 sl off 2%")
    assert not Bracket.objects.filter(user=desk.user).exists()
    desk.one("BTCUSDT on Binance close 50%")
    desk.supervise(2)
    (stop,) = desk.open_orders("Binance", "binance")
    assert Decimal("0.0049") < Decimal(str(stop["quantity"])) <= Decimal("0.005")


def refuse(ledger):
    raise OperationalError("the database is away")


def test_a_bracket_that_moved_on_is_not_set_back_by_history_that_is_written_twice(make_desk):
    desk = make_desk(families=("bybit",))
    desk.one("BTCUSDT on ByBit_F market long 0.02 sl off 2%")
    row = desk.bracket()
    before = brackets.from_row(row)
    desk.one("BTCUSDT on ByBit_F close 50%")
    brackets.save_new(before, row.account, row.region)
    assert brackets.from_row(desk.bracket()).remaining == Decimal("0.01")
