"""What supervision held when its worker was killed is free again as soon as the worker is known to be dead."""

import pytest

from execution import claims, lanes
from execution.brokers import region_redis
from execution.leases import lease

LANE = "lane:acc:binance_f:btc$"


@pytest.fixture
def server():
    claims.heart("eu").beat()
    held = region_redis("eu")
    yield held
    for name in ("watching:test", LANE, f"{LANE}:leases", "worker:other"):
        held.delete(name)


def test_a_lease_of_a_dead_worker_passes_over(server):
    server.set("watching:test", "other 1", ex=30)
    with lease("eu", "watching:test") as held:
        assert held


def test_a_lease_of_a_worker_that_lives_does_not(server):
    server.set("worker:other", "alive")
    server.set("watching:test", "other 1", ex=30)
    with lease("eu", "watching:test") as held:
        assert not held
    assert server.get("watching:test") == "other 1"


def test_supervision_that_died_in_a_lane_gives_way(server):
    lanes.next_ticket("eu", LANE, "watch other w_1", at_ms=1)
    ticket = lanes.next_ticket("eu", LANE, "mine", at_ms=2)
    with lanes.turn("eu", LANE, "mine", ticket, 5.0):
        assert server.zrange(LANE, 0, 0) == ["mine"]


def test_supervision_at_work_in_a_lane_does_not(server):
    server.set("worker:other", "alive")
    lanes.next_ticket("eu", LANE, "watch other w_1", at_ms=1)
    ticket = lanes.next_ticket("eu", LANE, "mine", at_ms=2)
    with pytest.raises(lanes.LaneBusy), lanes.turn("eu", LANE, "mine", ticket, 2.0):
        pass


@pytest.mark.django_db
def test_a_command_that_died_in_a_lane_is_left_to_reconciliation(server):
    lanes.next_ticket("eu", LANE, "d_1.0.0", at_ms=1)
    ticket = lanes.next_ticket("eu", LANE, "mine", at_ms=2)
    with pytest.raises(lanes.LaneBusy), lanes.turn("eu", LANE, "mine", ticket, 2.0):
        pass
