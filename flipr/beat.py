"""The scheduler of `celery -A flipr beat`: one process serves every region.

An entry names its queue (`"options": {"queue": "watch.tokyo"}`); the queue's last word is the region, and the
message goes to that region's broker. Nothing is kept on disk: all schedules are intervals, counted anew from
each start."""

from __future__ import annotations

import logging
from collections.abc import Iterable
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


class RegionalScheduler(Scheduler):
    """Publishes each entry to the broker of its queue's region, and does not insist: the next tick is the
    retry, and a region that is cut off must not hold up the others."""

    producer = None  # type: ignore[assignment]  # Celery's own would wait for one broker before every tick

    def setup_schedule(self) -> None:
        """What the settings say, without Celery's clean-up of a result store that we do not have."""
        self.merge_inplace(self.app.conf.beat_schedule)
        stagger(self.schedule.values())

    def apply_entry(self, entry: ScheduleEntry, producer: Producer | None = None) -> None:
        """A line when it could not be sent: Celery's own way writes two tracebacks, every second."""
        try:
            self.apply_async(entry, advance=False)
        except SchedulingError as error:
            log.warning("%s", error)

    def apply_async(
        self, entry: ScheduleEntry, producer: Producer | None = None, advance: bool = True, **kwargs: Any
    ) -> Any:
        options = entry.options or {}
        region = str(options["queue"]).rpartition(".")[2]
        entry.options = {"retry": False} | options
        with producer_pool(region).acquire(block=True) as held:
            return super().apply_async(entry, producer=held, advance=advance, **kwargs)
