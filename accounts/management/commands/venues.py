"""`manage.py venues`: every venue that can be traded, with its facts. Needs no database."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from accounts.exchange_table import markdown
from accounts.families import families, region_of
from exchanges.facts import facts_of

COLUMNS = ("venue", "product", "region", "native", "protection", "testnet", "key_fields")


def facts() -> list[dict[str, Any]]:
    """One entry per venue, in the order in which the pages show them."""
    return [facts_of(kind, region_of(kind)) for family in families().values() for kind in family.venues]


class Command(BaseCommand):
    help = (
        "Prints every venue with its product, region, protection (linked pair, separate orders, supervision, none), "
        "test net and key fields; as a table, or as JSON with its features."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        kind = parser.add_mutually_exclusive_group()
        kind.add_argument("--json", action="store_true", help="as JSON, with the features of each venue")
        kind.add_argument("--markdown", action="store_true", help="docs/exchanges.md")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(facts(), indent=2))
        elif options["markdown"]:
            self.stdout.write(markdown(), ending="")
        else:
            self.stdout.write("\n".join(_table(facts())))


def _table(found: list[dict[str, Any]]) -> list[str]:
    rows = [COLUMNS, *(tuple(_cell(each[name]) for name in COLUMNS) for each in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)
