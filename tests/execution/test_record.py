"""History that is written late: what happened meanwhile stands."""

import base64
import json
import threading
from decimal import Decimal

import pytest
from django.db import OperationalError, connection, transaction

from execution import brackets, holdings, reconcile, record, supervise
from execution.brokers import region_redis
from execution.models import Bracket, BracketState, Fill, Order
from execution.record import Ledger, unrecordable, write, write_waiting
from execution.status import read
from execution.timeline import Timeline
from tests.stack import wait_for

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


# -- what the database refuses for good ----------------------------------------------------------------------


def aside(desk, text, **changes):
    """A message whose ledger was put aside, changed as an odd answer could have made it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "write", refuse)
        desk.one(text)
    (row,) = Order.objects.filter(user=desk.user, status="working")
    server, waiting = region_redis(row.region), f"unrecorded:{row.region}"
    ledger = Ledger.load(str(server.rpop(waiting)))
    for name, value in changes.items():
        setattr(ledger, name, value)
    server.rpush(waiting, ledger.dump())
    return row


@pytest.mark.parametrize("odd", [("BTC\0USDT", "long", "1", "1"), ("BTCUSDT", "long", "x", "y")])
def test_a_ledger_that_is_refused_for_good_holds_up_no_other(make_desk, odd, caplog):
    desk = make_desk(families=("binance",))
    first = aside(desk, "BTCUSDT on Binance_F market long 0.01 sl off 2%", reduced=[odd])
    Order.objects.filter(pk=first.pk).update(status="filled")
    second = aside(desk, "ETHUSDT on Binance_F market long 0.1 sl off 2%")
    Order.objects.filter(pk=first.pk).update(status="working")
    assert write_waiting(first.region) == 2
    assert {row.status for row in Order.objects.filter(pk__in=[first.pk, second.pk])} == {"filled"}
    assert Bracket.objects.filter(user=desk.user, status=BracketState.ARMED).count() == 2
    assert Fill.objects.filter(account=desk.accounts["binance"]).count() == 2
    assert region_redis(first.region).llen(f"unrecorded:{first.region}") == 0
    assert first.job in caplog.text


def test_what_was_refused_for_good_is_kept_and_shown(make_desk):
    desk = make_desk(families=("binance",))
    row = aside(desk, "BTCUSDT on Binance_F market long 0.01", reduced=[("BTCUSDT", "long", "x", "y")])
    region_redis(row.region).lpush(f"unrecorded:{row.region}", "{}")
    write_waiting(row.region)
    assert unrecordable(row.region) == 2
    kept = region_redis(row.region).lindex(f"unrecordable:{row.region}", 1)
    assert Ledger.load(str(kept)).job.id == row.job
    (shown,) = [each for each in read(0).as_json()["regions"] if each["region"] == row.region]
    assert shown["unrecordable"] == 2


def test_more_than_the_database_takes_is_refused_for_good(make_desk, monkeypatch):
    """What PostgreSQL says of it looks like what it says when it is away."""
    monkeypatch.setattr(holdings, "traded", too_many_columns)
    desk = make_desk(families=("binance",))
    assert desk.one("BTCUSDT on Binance_F market long 0.01")["status"] == "filled"
    assert unrecordable(Order.objects.get(user=desk.user).region) == 1


def too_many_columns(*_):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {','.join('1' * 1665)}")


def test_a_bracket_that_could_not_be_written_down_is_made_anew_from_what_stands(make_desk, monkeypatch):
    desk = make_desk(families=("binance",))
    with monkeypatch.context() as patch:
        patch.setattr(brackets, "save_new", broken)
        result = desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    assert (result["status"], result["error"]["code"]) == ("unknown", "HISTORY_INCOMPLETE")
    row = Order.objects.get(user=desk.user)
    Order.objects.filter(pk=row.pk).update(created_at=row.created_at - reconcile.GRACE)
    reconcile.look_into(row.region, desk.accounts["binance"].public_id, "Binance_F")
    assert desk.bracket().status == BracketState.ARMED
    assert len(desk.open_orders("Binance_F", "binance")) == 1


def broken(*_args, **_options):
    raise KeyError("nobody foresaw it")


@pytest.mark.parametrize("failure", [OperationalError, KeyError])
def test_history_that_cannot_be_written_does_not_keep_supervision_from_its_round(
    make_desk, monkeypatch, failure
):
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    region = desk.bracket().region

    def fails(_):
        raise failure

    monkeypatch.setattr(supervise, "write_waiting", fails)
    supervise.spread(region)
    assert looks_queued(region) == [[region, desk.accounts["binance"].public_id, "Binance_F", False]]


# -- a look that is quicker --------------------------------------------------------------------------------------

STORIES = [
    ("Binance_F", "sl at 49500", lambda old: old.plan.stop is None),
    ("Binance_F", "cancel tp", lambda old: old.plan.targets[0].level is None),
    ("Binance_F", "close 50%", lambda old: old.remaining == Decimal("0.01")),
    ("Binance_F", "close", lambda old: old.status == BracketState.DONE),
    ("Binance", "close 50%", lambda old: Decimal("0.009") < old.remaining <= Decimal("0.01")),
    ("Kraken", "cancel tp", lambda old: old.plan.targets[0].level is None),
]


@pytest.mark.parametrize(("venue", "words", "told"), STORIES)
def test_what_a_command_did_is_written_although_a_look_changes_the_bracket_meanwhile(
    make_desk, monkeypatch, venue, words, told
):
    """The stop was moved from 95 to 90; the old bracket went on to want it at 95, and supervision placed it again."""
    desk = make_desk(families=(venue.partition("_")[0].lower(),), balances={"USDT": "100000"})
    desk.one(f"BTCUSDT on {venue} market long 0.02 sl off 2% tp off 5%")
    old = desk.bracket()
    with monkeypatch.context() as patch:
        patch.setattr(record, "write", refuse)
        desk.one(f"BTCUSDT on {venue} {words}")
    writing = threading.Thread(target=in_thread, args=(record.write_waiting, old.region))
    with transaction.atomic():
        row = Bracket.objects.select_for_update(of=("self",)).select_related("account").get(pk=old.pk)
        writing.start()
        wait_for("history waits for the look", somebody_waits_for_a_lock)
        look = brackets.from_row(row)
        look.generation += 1
        assert brackets.save(look, row.version, by="supervision")
    writing.join(30)
    row.refresh_from_db()
    assert told(brackets.from_row(row))
    assert row.generation == look.generation, "what the look found stays"


def in_thread(do, *args):
    try:
        do(*args)
    finally:
        connection.close()


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # which lasts as long as the transaction
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])
