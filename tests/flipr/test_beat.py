import json
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import override_settings

from flipr.beat import RegionalScheduler
from flipr.celery import app
from flipr.embedded import free_ports
from tests.stack import wait_for

ENTRIES: dict[str, Any] = {
    f"look-{region}": {
        "task": "execution.tasks.not_a_real_one",
        "schedule": timedelta(seconds=1),
        "args": (region,),
        "options": {"queue": f"watch.{region}"},
    }
    for region in settings.REGIONS
}


@pytest.fixture
def regional_brokers(redis_server):
    """A Redis database per region, and nobody who listens on Tokyo's."""
    root = redis_server.removesuffix("/0")
    urls = {"eu": f"{root}/2", "singapore": f"{root}/3", "tokyo": f"redis://127.0.0.1:{free_ports(1)[0]}/0"}
    with override_settings(BROKER_URLS=urls):
        yield urls
    for region in ("eu", "singapore"):
        with redis.Redis.from_url(urls[region]) as client:
            client.flushdb()


@pytest.fixture
def scheduler():
    scheduler = RegionalScheduler(app, lazy=True)
    scheduler.merge_inplace(ENTRIES)
    return scheduler


def queued(url, queue):
    with redis.Redis.from_url(url) as client:
        return [json.loads(message) for message in client.lrange(queue, 0, -1)]


def test_each_entry_reaches_its_own_regions_broker(scheduler, regional_brokers):
    for region in ("eu", "singapore"):
        scheduler.apply_entry(scheduler.schedule[f"look-{region}"])
    wait_for("Europe's entry", lambda: len(queued(regional_brokers["eu"], "watch.eu")) == 1)
    wait_for("Singapore's", lambda: len(queued(regional_brokers["singapore"], "watch.singapore")) == 1)
    assert queued(regional_brokers["eu"], "watch.singapore") == []


def test_a_region_that_is_cut_off_does_not_stop_the_others(scheduler, regional_brokers, caplog):
    for region in ("tokyo", "eu"):
        scheduler.apply_entry(scheduler.schedule[f"look-{region}"])
    wait_for("the warning", lambda: "look-tokyo could not be sent" in caplog.text)
    wait_for("Europe's entry", lambda: len(queued(regional_brokers["eu"], "watch.eu")) == 1)


def test_a_region_whose_broker_swallows_everything_does_not_hold_up_the_others(
    scheduler, regional_brokers, blackhole, caplog
):
    """And what waits for it is not piled up: an entry that is still there when it is due again is one."""
    with override_settings(BROKER_URLS=regional_brokers | {"tokyo": blackhole}):
        for _ in range(3):
            scheduler.apply_entry(scheduler.schedule["look-tokyo"])
        scheduler.apply_entry(scheduler.schedule["look-eu"])
        wait_for("Europe's entry", lambda: queued(regional_brokers["eu"], "watch.eu"))
        assert "look-tokyo" not in caplog.text, "nobody has given up on it yet"
        wait_for("the warning", lambda: "look-tokyo" in caplog.text)
        assert caplog.text.count("look-tokyo") == 1


def test_exactly_what_the_settings_say_is_scheduled():
    assert set(RegionalScheduler(app).schedule) == set(settings.CELERY_BEAT_SCHEDULE)


def test_no_two_entries_start_in_step():
    """First runs lie within each entry's interval, and those of one interval apart from each other."""
    schedule: dict[str, Any] = RegionalScheduler(app).schedule
    begun = max(entry.last_run_at for entry in schedule.values())
    firsts: dict[timedelta, list[float]] = {}
    for entry in schedule.values():
        every: timedelta = entry.schedule.run_every
        early = (begun - entry.last_run_at) / every
        assert 0 <= early < 1
        firsts.setdefault(every, []).append(early)
    for phases in firsts.values():
        ordered = sorted(phases)
        around = [*ordered[1:], ordered[0] + 1]
        gaps = [later - earlier for earlier, later in zip(ordered, around, strict=True)]
        assert min(gaps) > 0.2 / len(ordered)


def test_every_entry_of_the_settings_names_a_known_queue():
    queues = {queue.name for queue in settings.CELERY_TASK_QUEUES}
    schedule: dict[str, Any] = settings.CELERY_BEAT_SCHEDULE
    assert {entry["options"]["queue"] for entry in schedule.values()} <= queues
