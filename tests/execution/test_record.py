"""History that is written late: what happened meanwhile stands."""

import pytest

from execution.desk import Timeline
from execution.models import BracketState
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
