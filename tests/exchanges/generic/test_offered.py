"""Which exchanges ccxt opens, and when it is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from exchanges import registry
from exchanges.facts import facts_of
from exchanges.generic.catalog import ENTRIES
from exchanges.generic.offered import offered
from exchanges.generic.survey import survey
from exchanges.generic.venue import GenericVenue
from exchanges.names import EXCHANGES, exchange_name
from exchanges.registry import catalogue, every_venue, venue_class, venues
from exchanges.types import Environment, Product

ROOT = Path(__file__).resolve().parents[3]


def test_the_catalogue_is_what_the_installed_ccxt_says() -> None:
    assert survey() == list(ENTRIES), (
        "run `python -m exchanges.generic.survey > exchanges/generic/catalog.py`"
    )


def test_an_exchange_with_a_file_of_its_own_is_never_generic() -> None:
    native = {kind.exchange for kind in venues().values()}
    assert {"bybit", "okx"} <= {entry.id for entry in ENTRIES}
    assert not native & {kind.exchange for kind in catalogue().values()}
    assert all(venue_class(name) is kind for name, kind in venues().items())
    assert not set(venues()) & set(catalogue())


def test_names_come_after_the_native_ones() -> None:
    assert venue_class("woo_f").product is Product.LINEAR
    assert venue_class("WOO").product is Product.SPOT
    assert list(every_venue())[: len(venues())] == list(venues())
    with pytest.raises(KeyError):
        venue_class("Mt_Gox")


def test_without_the_extra_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "installed", lambda: False)
    assert every_venue() == venues()
    with pytest.raises(KeyError):
        venue_class("WOO_F")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_an_exchange_is_found_by_its_id_and_by_its_title(entry: object) -> None:
    for written in (entry.id, entry.title, entry.name, entry.name.upper()):  # type: ignore[attr-defined]
        found = exchange_name(written)
        assert found is not None
        assert found.lower() == entry.name.lower() or found in EXCHANGES  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", offered(()).values(), ids=lambda kind: kind.name)
def test_a_generic_venue_tells_that_it_is_one(kind: type[GenericVenue]) -> None:
    facts = facts_of(kind)
    assert facts["native"] is False
    assert facts["protection"] != "linked pair"
    assert facts["features"]["hedge_mode"] is False
    assert Environment.LIVE in kind.base_urls
    assert all(url.startswith("https://") for url in kind.base_urls.values())
    assert any("Generic" in quirk for quirk in kind.guide.quirks)
    assert any("withdrawal" in step for step in kind.guide.key_steps)
    assert kind.name.endswith("_F") == (kind.product is Product.LINEAR)


def test_ccxt_is_not_imported_before_it_is_used() -> None:
    """It would cost every worker some 80 MB and a third of a second."""
    code = "import sys; from exchanges.registry import every_venue; every_venue(); sys.exit('ccxt' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
