"""The table of exchanges in the repository, and the command that prints it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.exchange_table import FILE, entry_of, markdown
from accounts.families import families
from accounts.management.commands.venues import facts
from exchanges.registry import venues

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_in_the_repository_is_what_the_code_says():
    assert (ROOT / FILE).read_text() == markdown(), "run `make docs`"


@pytest.mark.parametrize("name", sorted(families()))
def test_an_entry_tells_all_that_a_key_opens(name: str):
    family = families()[name]
    entry = entry_of(family)
    assert [row.venue for row in entry.rows] == [kind.name for kind in family.venues]
    assert entry.anchor == name
    assert all("market and limit orders" in row.abilities for row in entry.rows)


def test_what_ccxt_opens_is_in_a_table_of_its_own():
    native, _, generic = markdown().partition("## Generic, through ccxt")
    assert "`WOO_F`" in generic
    assert "`WOO_F`" not in native
    assert "`OKX_F`" not in generic


def test_an_entry_shows_the_region_that_was_configured():
    family = families()["binance"]
    assert {row.region for row in entry_of(family).rows} == {"Tokyo"}
    assert {row.region for row in entry_of(family, lambda kind: "eu").rows} == {"Europe"}


def test_every_venue_is_printed_once(settings):
    settings.EXCHANGE_REGIONS = settings.EXCHANGE_REGIONS | {"kraken": "singapore"}
    printed = {each["venue"]: each for each in facts()}
    assert set(printed) >= {kind.name for kind in venues().values()}
    assert len(printed) == len(facts())
    assert printed["Kraken_F"]["region"] == "singapore"


def test_without_options_a_table_for_people_is_printed(capsys: pytest.CaptureFixture[str]):
    call_command("venues")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        *("venue", "product", "region", "native"),
        *("protection", "testnet", "key_fields"),
    ]
    assert len(lines) == 1 + len(facts())
    kraken = next(line for line in lines if line.startswith("Kraken "))
    assert kraken.split()[1:] == ["spot", "eu", "yes", "supervision", "no", "key,", "secret"]


def test_the_command_needs_no_database_and_no_settings():
    """As on a machine where nothing is configured yet."""
    run = subprocess.run(
        [sys.executable, "manage.py", "venues", "--json"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert {"venue": "Binance_F", "native": True, "protection": "separate orders"}.items() <= {
        each["venue"]: each for each in json.loads(run.stdout)
    }["Binance_F"].items()
