"""The Celery app: queues `orders.<region>` and `watch.<region>`, each on its region's broker.

A worker sets FLIPR_REGION and reads both queues of its region:
`celery -A flipr worker -P threads -Q orders.tokyo,watch.tokyo`. Beat needs no region (see flipr.beat).
Publishing an order to another region is execution.dispatch's."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from celery import Celery, signals
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flipr.settings")

TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), "flipr.broker:Transport"))
app = Celery("flipr")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_django_logging(**kwargs: Any) -> None:
    """Having a receiver keeps Celery from installing its own handlers: LOGGING of the settings stands."""


@signals.celeryd_init.connect
def check_worker(**kwargs: Any) -> None:
    from flipr import checks  # noqa: PLC0415  (needs the settings)

    checks.require("The worker", checks.WORKER)
    give_way()


def give_way(autogroup: Path = Path("/proc/self/autogroup")) -> None:
    """Linux shares the processor among sessions before it looks at niceness (sched(7), "The autogroup feature"): let
    our session be as nice as we are, so that a burst is taken in before it is worked off."""
    if (nice := os.nice(0)) > 0:
        with suppress(OSError):
            autogroup.write_text(str(nice))


@signals.celeryd_after_setup.connect(weak=False)
def warm_up(**kwargs: Any) -> None:
    """Before the first order is taken: it would pay for cold sockets, the clock and the instruments."""
    from django.conf import settings  # noqa: PLC0415

    from execution.warm import Warmth  # noqa: PLC0415

    warmth = Warmth(settings.REGION)
    warmth.begin()
    signals.worker_shutdown.connect(lambda **_: warmth.end(), weak=False)


@signals.worker_ready.connect(weak=False)
def start_pulse(**kwargs: Any) -> None:
    from django.conf import settings  # noqa: PLC0415

    from execution.pulse import Pulse  # noqa: PLC0415
    from flipr.garbage import freeze  # noqa: PLC0415

    freeze()
    pulse = Pulse(settings.REGION)
    pulse.beat(slow=True)  # from now on orders are queued for it
    pulse.start()
    signals.worker_shutdown.connect(lambda **_: pulse.end(), weak=False)


@signals.task_prerun.connect
def check_connection(sender: Any, **kwargs: Any) -> None:
    """A task's thread keeps its database connection: a new one for each task costs more than what most of them ask.
    Whether it still works is asked with the first query."""
    from django.db import close_old_connections  # noqa: PLC0415

    if not sender.request.is_eager:
        close_old_connections()


@signals.beat_init.connect
def check_beat(**kwargs: Any) -> None:
    from flipr import checks  # noqa: PLC0415

    checks.require("Beat", checks.BEAT)
