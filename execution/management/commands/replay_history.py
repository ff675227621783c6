"""`manage.py replay_history`: write what history refused for good once more; run it where a region worker runs."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from execution.record import PASSING
from execution.replay import Told, replay


class Command(BaseCommand):
    help = (
        "Try once more to write the results that the database refused, kept in Redis under unrecordable:REGION, when "
        "their cause is mended. What is written leaves the list, the rest keeps its place."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--region", choices=sorted(settings.REGIONS), help="only this one")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would become of it, and change nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        regions = [options["region"]] if options["region"] else list(settings.REGIONS)
        done = Counter(
            each for region in regions for each in self._region(region, dry_run=options["dry_run"])
        )
        would = "would be " if options["dry_run"] else ""
        self.stdout.write(f"{would}done with: {done[True]}, kept: {done[False]}")
        if done[False] and not options["dry_run"]:
            raise CommandError("The log tells why the others are kept; they can be tried again.")

    def _region(self, region: str, *, dry_run: bool) -> list[bool]:
        """Whether each entry is done. Raises CommandError when a store is away: what was not reached stays."""
        done = []
        try:
            for told in replay(region, dry_run=dry_run):
                self._tell(region, told)
                done.append(told.done)
        except redis.RedisError as error:
            raise CommandError(f"the Redis of {region} does not answer: {type(error).__name__}") from None
        except PASSING as error:
            raise CommandError(f"the database is away: {type(error).__name__}; the rest stays") from None
        return done

    def _tell(self, region: str, told: Told) -> None:
        name = f"job {told.job} ({told.account} on {told.venue})" if told.job else "cannot be read"
        self.stdout.write(f"{region} {told.place}: {name}, {'done' if told.done else 'kept'}")
        for token, became in told.orders.items():
            self.stdout.write(f"  order {token} {became}")
