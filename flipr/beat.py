"""The scheduler of `celery -A flipr beat`: one process serves every region.

An entry names its queue (`"options": {"queue": "watch.tokyo"}`); the queue's last word is the region, and the
message goes to that region's broker. Nothing is kept on disk: all schedules are intervals, counted anew from
each start."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

from celery.beat import ScheduleEntry, Scheduler, SchedulingError
from kombu import Producer

from execution.brokers import producer_pool

log = logging.getLogger(__name__)

#: multiples of it, without their whole part, lie far from each other however many there are
GOLDEN = (5**0.5 - 1) / 2


def stagger(entries: Iterable[Any]) -> None:
    """Spread the first runs over each entry's interval: what begins together would stay in step, and every
    worker would ask every exchange in the same moment."""
    for number, entry in enumerate(sorted(entries, key=lambda entry: str(entry.name))):
        entry.last_run_at -= entry.schedule.run_every * (number * GOLDEN % 1)


class Line:
    """What is to be published to one region, by a thread of its own. An entry that waits already is not added again:
    it says the same."""

    def __init__(self, region: str, publish: Callable[[ScheduleEntry], object]) -> None:
        self._publish = publish
        self._news = threading.Condition()
        self._waiting: dict[str, ScheduleEntry] = {}
        threading.Thread(target=self._run, name=f"beat of {region}", daemon=True).start()

    def add(self, entry: ScheduleEntry) -> None:
        with self._news:
            self._waiting.setdefault(str(entry.name), entry)
            self._news.notify()

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: bool(self._waiting))
                name = next(iter(self._waiting))
                entry = self._waiting[name]
            self._publish(entry)
            with self._news:
                del self._waiting[name]


class RegionalScheduler(Scheduler):
    """Publishes each entry to the broker of its queue's region, and does not insist: the next tick is the
    retry, and a region that is cut off, or whose broker swallows what it is sent, must not hold up the others."""

    producer = None  # type: ignore[assignment]  # Celery's own would wait for one broker before every tick

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._lines: dict[str, Line] = {}
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """What the settings say, without Celery's clean-up of a result store that we do not have."""
        self.merge_inplace(self.app.conf.beat_schedule)
        stagger(self.schedule.values())

    def apply_entry(self, entry: ScheduleEntry, producer: Producer | None = None) -> None:
        region = _region(entry)
        if region not in self._lines:
            self._lines[region] = Line(region, self._apply)
        self._lines[region].add(entry)

    def _apply(self, entry: ScheduleEntry) -> None:
        """A line when it could not be sent: Celery's own way writes two tracebacks, every second."""
        try:
            self.apply_async(entry, advance=False)
        except Exception as error:  # noqa: BLE001 - the thread must live: the next round is the retry
            reason = error.__cause__ or error.__context__ if isinstance(error, SchedulingError) else error
            log.warning("%s could not be sent: %s", entry.name, type(reason or error).__name__)

    def apply_async(
        self, entry: ScheduleEntry, producer: Producer | None = None, advance: bool = True, **kwargs: Any
    ) -> Any:
        entry.options = {"retry": False} | (entry.options or {})
        with producer_pool(_region(entry)).acquire(block=True) as held:
            return super().apply_async(entry, producer=held, advance=advance, **kwargs)


def _region(entry: ScheduleEntry) -> str:
    return str((entry.options or {})["queue"]).rpartition(".")[2]
