"""The scheduler of `celery -A flipr beat`: one process serves every region.

An entry names its queue (`options={"queue": "watch.tokyo"}`); the queue's last word is the region, and the
message goes to that region's broker. Nothing is kept on disk: all schedules are intervals, and after a restart
every task is simply due again."""

from __future__ import annotations

from typing import Any

from celery.beat import ScheduleEntry, Scheduler
from django.conf import settings
from kombu import Connection, Producer


class RegionalScheduler(Scheduler):
    """Publishes each entry to the broker of its queue's region, without retry: the next tick is the retry,
    and a region that is cut off must not hold up the others."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._producers: dict[str, Producer] = {}
        super().__init__(*args, **kwargs)

    def apply_async(
        self, entry: ScheduleEntry, producer: Producer | None = None, advance: bool = True, **kwargs: Any
    ) -> Any:
        region = str(entry.options["queue"]).rpartition(".")[2]
        kwargs.setdefault("retry", False)
        return super().apply_async(entry, producer=self._producer(region), advance=advance, **kwargs)

    def close(self) -> None:
        super().close()
        for producer in self._producers.values():
            producer.connection.release()

    def _producer(self, region: str) -> Producer:
        if region not in self._producers:
            connection = Connection(
                settings.BROKER_URLS[region], transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS
            )
            self._producers[region] = Producer(connection, auto_declare=False)
        return self._producers[region]
