"""One lane per account and symbol: in order, one at a time, never blocked by the dead."""

import threading
import time

import pytest
import redis
from django.db import connections

from execution import attendance, claims, lanes
from execution.brokers import Unreached, region_redis
from execution.lanes import Claimed, Claiming, LaneBusy, lane_of, next_ticket, overtaken, queue_up, turn
from tests.stack import wait_for

LANE = "lane:account:binance_f:BTC$"


@pytest.fixture(autouse=True)
def empty(db):
    region_redis("eu").flushdb()


def claim(*job):
    with Claiming(*job) as asked:
        return asked.answer()


def test_all_spellings_of_a_symbol_share_a_lane():
    spellings = ["BTCUSDT", "btc/usdt", "BTCUSDT.P", "XBTUSD", "BTC-USDT-SWAP", "BTCUSDC"]
    assert {lane_of("a", "Binance_F", each) for each in spellings} == {"lane:a:binance_f:BTC$"}
    assert lane_of("a", "Binance_F", "ETHUSDT") != lane_of("a", "Binance_F", "BTCUSDT")
    assert lane_of("b", "Binance_F", "BTCUSDT") != lane_of("a", "Binance_F", "BTCUSDT")


def test_jobs_run_in_the_order_of_their_tickets_however_they_start():
    tickets = {name: next_ticket("eu", LANE, name) for name in ("first", "second", "third")}
    ran = []

    def run(name):
        with turn("eu", LANE, name, tickets[name], 10):
            ran.append(name)
        connections.close_all()

    threads = [threading.Thread(target=run, args=(name,)) for name in ("third", "second", "first")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ran == ["first", "second", "third"]


def test_a_message_sent_earlier_goes_first_though_it_came_later():
    now = time.time() * 1000
    late = next_ticket("eu", LANE, "sent later", now)
    early = next_ticket("eu", LANE, "sent earlier", now - 1000)
    assert early < late
    with pytest.raises(LaneBusy), turn("eu", LANE, "sent later", late, 0):
        pass


def test_a_job_waits_no_longer_than_it_may():
    tickets = {name: next_ticket("eu", LANE, name) for name in ("first", "second")}
    with (
        turn("eu", LANE, "first", tickets["first"], 0),
        pytest.raises(LaneBusy),
        turn("eu", LANE, "second", tickets["second"], 0),
    ):
        pass


def test_a_lane_is_free_again_when_the_lease_of_a_dead_job_has_ended(monkeypatch):
    monkeypatch.setattr(lanes, "LEASE_SECONDS", 0)
    next_ticket("eu", LANE, "its worker died")
    monkeypatch.undo()
    ticket = next_ticket("eu", LANE, "next")
    with turn("eu", LANE, "next", ticket, 0):
        pass


def test_a_flushed_redis_does_not_lock_anybody_out():
    ticket = next_ticket("eu", LANE, "job")
    region_redis("eu").flushdb()
    with turn("eu", LANE, "job", ticket, 0):
        pass
    assert region_redis("eu").zcard(LANE) == 0


def test_of_two_targets_the_one_sent_last_wins():
    assert not overtaken("eu", LANE, 2000)
    assert overtaken("eu", LANE, 1000)
    assert not overtaken("eu", LANE, 2000)
    assert not overtaken("eu", LANE, 3000)


def test_a_claim_whose_answer_was_lost_is_still_ours(monkeypatch):
    monkeypatch.setattr(claims, "claimant", lambda region: "worker attempt")
    ticket = next_ticket("eu", LANE, "job")
    assert claim("eu", LANE, "job", ticket) is Claimed.FIRST
    assert claim("eu", LANE, "job", ticket) is Claimed.FIRST


def test_a_claim_over_a_connection_that_went_stale_is_asked_again():
    ticket = next_ticket("eu", LANE, "job")
    with Claiming("eu", LANE, "job", ticket) as asked:
        assert asked._asked is not None
        host, port = asked._asked._connection._sock.getsockname()
        assert region_redis("eu").client_kill(f"{host}:{port}")
        assert asked.answer() is Claimed.FIRST


def test_an_answer_that_nobody_fetched_is_not_taken_for_another():
    ticket = next_ticket("eu", LANE, "job")
    with pytest.raises(ValueError, match="on the way"), Claiming("eu", LANE, "job", ticket):
        raise ValueError("on the way")
    assert region_redis("eu").ping() is True


def test_a_job_is_claimed_once_also_by_the_same_worker():
    ticket = next_ticket("eu", LANE, "job")
    assert claim("eu", LANE, "job", ticket) is Claimed.FIRST
    assert claim("eu", LANE, "job", ticket) is Claimed.NOT
    claims.heart("eu").beat()  # the fixture has emptied Redis since the last one
    assert claims.look("eu", "job") is claims.Claim.ALIVE


def test_a_claimed_job_waits_for_those_before_it():
    first = next_ticket("eu", LANE, "first")
    second = next_ticket("eu", LANE, "second")
    assert claim("eu", LANE, "second", second) is Claimed.WAITS
    assert claim("eu", LANE, "first", first) is Claimed.FIRST


def test_a_message_stands_in_its_queue_and_in_its_lane_or_in_neither():
    attendance.sign("eu")
    assert queue_up("eu", LANE, "job", 5, "orders.test", "the message")
    assert region_redis("eu").lrange("orders.test", 0, -1) == ["the message"]
    assert region_redis("eu").zscore(LANE, "job") == 5


def test_where_nobody_works_a_message_stands_in_neither():
    assert not queue_up("eu", LANE, "job", 5, "orders.test", "the message")
    assert region_redis("eu").keys("*") == []


def test_a_queue_that_cannot_be_reached_has_certainly_nothing(settings):
    settings.BROKER_URLS = dict.fromkeys(settings.REGIONS, "redis://127.0.0.1:1/0")
    with pytest.raises(Unreached):
        queue_up("eu", LANE, "job", 5, "orders.test", "the message")


def test_a_connection_that_the_server_has_ended_is_opened_anew():
    attendance.sign("eu")
    assert queue_up("eu", LANE, "one", 5, "orders.test", "first")
    region_redis("eu").client_kill_filter(_type="normal", skipme=True)
    assert queue_up("eu", LANE, "two", 6, "orders.test", "second")
    assert region_redis("eu").llen("orders.test") == 2


def test_a_server_that_took_long_to_be_found_away_is_not_tried_again_at_once(settings, blackhole):
    settings.BROKER_URLS = dict.fromkeys(settings.REGIONS, blackhole)
    with pytest.raises(Unreached, match="Timeout"):
        queue_up("eu", LANE, "job", 5, "orders.test", "the message")
    with pytest.raises(Unreached, match="a moment ago"):
        queue_up("eu", LANE, "job", 5, "orders.test", "the message")


def test_a_place_that_could_not_be_left_is_left_when_redis_is_back(monkeypatch):
    """Redis was gone at the end of a job: its place held up every message, and supervision, for a minute."""
    ticket, server = next_ticket("eu", LANE, "job"), region_redis("eu")
    pipeline = server.pipeline
    monkeypatch.setattr(server, "pipeline", refusing(server, pipeline))
    with turn("eu", LANE, "job", ticket, 0):
        pass
    wait_for("the place to be left", lambda: server.zcard(LANE) == 0)


def refusing(server, pipeline):
    """Redis refuses the first time."""

    def broken(**options):
        server.pipeline = pipeline
        raised = pipeline(**options)
        raised.execute = refuse
        return raised

    return broken


def refuse():
    raise redis.ConnectionError("Connection refused")


def test_a_place_whose_job_has_ended_gives_way(make_desk):
    """Its worker was killed before it could leave."""
    desk = make_desk(families=("binance",))
    desk.one("BTCUSDT on Binance_F market long 0.01")
    (job,) = desk.jobs
    next_ticket("eu", LANE, job.id, at_ms=1)
    ticket = next_ticket("eu", LANE, "mine", at_ms=2)
    with turn("eu", LANE, "mine", ticket, 10):
        assert region_redis("eu").zrange(LANE, 0, 0) == ["mine"]


# -- jobs about all symbols -------------------------------------------------------------------------------------

ALL = "lane:account:binance_f:*"
ETH = "lane:account:binance_f:ETH$"


def begins(lane, job, ticket):
    """Whether its turn has come; then it keeps it."""
    return claim("eu", lane, job, ticket) is Claimed.FIRST


def test_a_job_about_all_symbols_waits_for_those_before_it_and_not_for_those_behind_it():
    first = next_ticket("eu", LANE, "first")
    everything = next_ticket("eu", ALL, "everything")
    last = next_ticket("eu", ETH, "last")
    assert not begins(ALL, "everything", everything)
    assert not begins(ETH, "last", last)
    with (
        turn("eu", LANE, "first", first, 0),
        pytest.raises(LaneBusy),
        turn("eu", ETH, "last", last, 0),
    ):
        pass
    last = next_ticket("eu", ETH, "last")
    with turn("eu", ALL, "everything", everything, 0) as alone:
        assert alone
        with pytest.raises(LaneBusy), turn("eu", ETH, "last", last, 0):
            pass
    with turn("eu", ETH, "last", next_ticket("eu", ETH, "last"), 0):
        pass


def test_other_accounts_and_venues_do_not_wait_for_it():
    assert begins(ALL, "everything", next_ticket("eu", ALL, "everything"))
    for lane in ("lane:other:binance_f:BTC$", "lane:account:bybit_f:BTC$", "lane:third:binance_f:*"):
        assert begins(lane, f"job of {lane}", next_ticket("eu", lane, f"job of {lane}"))


@pytest.mark.parametrize(("at_work", "comes"), [(LANE, ALL), (ALL, LANE), (LANE, LANE), (ALL, ALL)])
def test_who_is_at_work_is_waited_for_by_a_message_that_was_sent_earlier(at_work, comes):
    now = time.time() * 1000
    assert begins(at_work, "at work", next_ticket("eu", at_work, "at work", now))
    earlier = next_ticket("eu", comes, "earlier", now - 1000)
    assert not begins(comes, "earlier", earlier)
    lanes.leave("eu", at_work, "at work")
    with turn("eu", comes, "earlier", earlier, 0):
        pass


@pytest.mark.parametrize(("dead", "waits"), [(LANE, ALL), (ALL, LANE)])
def test_nobody_waits_for_longer_than_the_lease_of_the_dead(dead, waits, monkeypatch):
    monkeypatch.setattr(lanes, "LEASE_SECONDS", 0)
    assert begins(dead, "its worker died", next_ticket("eu", dead, "its worker died"))
    monkeypatch.undo()
    ticket = next_ticket("eu", waits, "next")
    with turn("eu", waits, "next", ticket, 0):
        pass


@pytest.mark.parametrize(("dead", "waits"), [(LANE, ALL), (ALL, LANE)])
def test_supervision_that_died_gives_way_to_jobs_of_the_other_kind(dead, waits):
    next_ticket("eu", dead, "watch other w_1", at_ms=1)
    ticket = next_ticket("eu", waits, "mine", at_ms=2)
    with turn("eu", waits, "mine", ticket, 10) as alone:
        assert alone


def test_a_job_about_all_symbols_does_not_wait_for_one_that_hangs(monkeypatch):
    """And whoever comes behind it waits for it all the same."""
    monkeypatch.setattr(lanes, "CROWD_SECONDS", 0.0)
    hangs = next_ticket("eu", LANE, "hangs")
    everything = next_ticket("eu", ALL, "everything")
    with turn("eu", LANE, "hangs", hangs, 0), turn("eu", ALL, "everything", everything, 5) as alone:
        assert not alone
        with pytest.raises(LaneBusy), turn("eu", ETH, "last", next_ticket("eu", ETH, "last"), 0):
            pass


@pytest.mark.parametrize("lane", [LANE, ALL])
@pytest.mark.parametrize("lost", [False, True], ids=["the lease ended", "the place was taken away"])
def test_a_job_that_gets_on_keeps_its_place_beyond_its_lease(lane, lost):
    now = [0.0]
    with turn("eu", lane, "long", next_ticket("eu", lane, "long"), 0):
        keep = lanes.keeping("eu", lane, "long", clock=lambda: now[0])
        region_redis("eu").hset(f"{lane}:leases", "long", "1")
        if lost:
            lanes.leave("eu", lane, "long")
        keep()
        assert not lanes.at_work("eu", lane, "long"), "it is asked for often, and renewed now and then"
        now[0] += lanes.RENEW_SECONDS
        keep()
        assert lanes.at_work("eu", lane, "long")
        assert not begins(LANE, "next", next_ticket("eu", LANE, "next"))
    assert not lanes.at_work("eu", lane, "long")


def test_a_redis_that_is_away_stops_no_job_at_work(settings):
    keep = lanes.keeping("eu", LANE, "long", clock=iter([0.0, lanes.RENEW_SECONDS]).__next__)
    settings.BROKER_URLS = {"eu": "redis://127.0.0.1:1/0"}
    keep()


@pytest.mark.parametrize("lane", [LANE, ALL])
def test_who_leaves_leaves_no_trace(lane):
    with turn("eu", lane, "job", next_ticket("eu", lane, "job"), 0):
        pass
    assert region_redis("eu").keys("lane:*") == []
