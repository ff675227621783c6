"""What history refused for good is tried again, and what happened meanwhile stands."""

import io
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError

from execution import brackets, reconcile, record, replay
from execution.brokers import region_redis
from execution.models import Bracket, Order, OrderState
from execution.record import unrecordable
from execution.replay import Became

SECRET = "planted-secret"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(make_desk):
    return make_desk(families=("binance",))


@pytest.fixture
def refusing(monkeypatch):
    """A mistake of ours keeps results from being written, until it is mended."""
    with monkeypatch.context() as mistaken:
        mistaken.setattr(record, "order_columns", broken)
        yield mistaken


def broken(*_args, **_options):
    raise KeyError(SECRET)


def only_row(desk):
    return Order.objects.get(user=desk.user)


def again(region, **options):
    return [list(told.orders.values()) for told in replay.replay(region, **options)]


def run(region, *options):
    out = io.StringIO()
    call_command("replay_history", "--region", region, *options, stdout=out)
    return out.getvalue()


def test_the_result_of_an_order_is_completed_when_the_mistake_is_mended(desk, refusing):
    desk.one("BTCUSDT on Binance_F market long 0.01")
    row = only_row(desk)
    assert (row.status, row.error["code"], row.filled) == ("filled", "HISTORY_INCOMPLETE", None)
    refusing.undo()
    assert again(row.region) == [[Became.COMPLETED]]
    row.refresh_from_db()
    assert (row.status, row.error, row.filled) == ("filled", None, Decimal("0.01"))
    assert unrecordable(row.region) == 0


def test_an_order_that_rests_is_followed_again(desk, refusing):
    desk.one("BTCUSDT on Binance_F limit long 0.01 at 40000")
    assert not only_row(desk).resting
    refusing.undo()
    assert again(only_row(desk).region) == [[Became.COMPLETED]]
    assert only_row(desk).resting


def test_an_order_without_an_end_gets_the_one_that_its_worker_told(desk, refusing):
    desk.one("BTCUSDT on Binance_F market long 0.01")
    refusing.undo()
    Order.objects.update(status=OrderState.UNKNOWN)
    assert again(only_row(desk).region) == [[Became.WRITTEN]]
    assert (only_row(desk).status, only_row(desk).filled) == ("filled", Decimal("0.01"))


def test_what_is_refused_again_keeps_its_place_and_holds_up_no_other(desk, refusing):
    first, second = (
        desk.send(f"{symbol} on Binance_F market long 0.1")[0] for symbol in ("BTCUSDT", "ETHUSDT")
    )
    refusing.undo()
    region = Order.objects.get(symbol="BTCUSDT").region
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "order_columns", lambda result: {} if result.symbol == "ETHUSDT" else broken())
        assert again(region) == [[Became.REFUSED], [Became.COMPLETED]]
    (kept,) = record.kept_for_people(region)
    assert record.Ledger.load(kept).results[0].symbol == "BTCUSDT"
    assert (first["status"], second["status"]) == ("filled", "filled")


def test_what_became_of_an_order_meanwhile_stands(desk, refusing):
    desk.one("BTCUSDT on Binance_F market long 0.01")
    refusing.undo()
    Order.objects.update(status=OrderState.CANCELLED)
    assert again(only_row(desk).region) == [[Became.STANDS]]
    assert only_row(desk).status == "cancelled"


def test_the_bracket_of_an_order_is_left_to_reconciliation(desk, monkeypatch):
    """It is made from what stands on the exchange now, not from what stood there once."""
    with monkeypatch.context() as mistaken:
        mistaken.setattr(brackets, "save_new", broken)
        desk.one("BTCUSDT on Binance_F market long 0.01 sl off 2%")
    region = only_row(desk).region
    assert again(region) == [[Became.WAITS]]
    assert unrecordable(region) == 1
    assert not Bracket.objects.filter(user=desk.user).exists()
    row = only_row(desk)
    Order.objects.update(created_at=row.created_at - reconcile.GRACE)
    reconcile.look_into(region, row.account.public_id, row.venue)
    assert desk.bracket().status == "armed"
    assert again(region) == [[Became.STANDS]]
    assert unrecordable(region) == 0


def test_a_dry_run_tells_the_same_and_changes_nothing(desk, refusing):
    desk.one("BTCUSDT on Binance_F market long 0.01")
    refusing.undo()
    region = only_row(desk).region
    assert again(region, dry_run=True) == [[Became.COMPLETED]]
    assert (only_row(desk).error["code"], unrecordable(region)) == ("HISTORY_INCOMPLETE", 1)
    assert "would be done with: 1, kept: 0" in run(region, "--dry-run")
    assert unrecordable(region) == 1


def test_the_command_says_what_it_did_and_no_secret(desk, refusing, caplog):
    desk.one("BTCUSDT on Binance_F market long 0.01")
    row = only_row(desk)
    refusing.undo()
    region_redis(row.region).rpush(f"unrecordable:{row.region}", f'{{"job": "{SECRET}"}}')
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("replay_history", stdout=out)
    told = out.getvalue()
    assert f"{row.region} 1: job {row.job}" in told
    assert f"order {row.token} completed" in told
    assert f"{row.region} 2: cannot be read, kept" in told
    assert desk.accounts["binance"].sealed not in told + caplog.text
    assert SECRET not in told + caplog.text


@pytest.mark.parametrize("away", ["database", "redis"])
def test_a_store_that_is_away_ends_the_command_and_loses_nothing(desk, refusing, monkeypatch, away):
    desk.one("BTCUSDT on Binance_F market long 0.01")
    refusing.undo()
    region = only_row(desk).region
    with monkeypatch.context() as patch:
        if away == "database":
            patch.setattr(replay, "order_columns", database_away)
        else:
            patch.setitem(settings.BROKER_URLS, region, f"redis://:{SECRET}@127.0.0.1:1/0")
        with pytest.raises(CommandError) as ended:
            run(region)
    assert away in str(ended.value).lower()
    assert SECRET not in str(ended.value)
    assert unrecordable(region) == 1


def database_away(_result):
    raise OperationalError
