"""The registry is the directory: a file is an exchange, nothing else makes one."""

from __future__ import annotations

import pkgutil
from types import ModuleType

import pytest

from exchanges import registry
from exchanges import venues as package
from exchanges.registry import defined_in, venue_class, venues
from exchanges.types import Environment, Product
from exchanges.venue import Venue
from exchanges.venues import binance


def test_every_file_defines_venues_of_its_own_exchange() -> None:
    """Two API families of one exchange may have a file each (`kraken`, `kraken_futures`)."""
    files = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert {kind.__module__.rpartition(".")[2] for kind in venues().values()} == files
    for kind in venues().values():
        assert kind.__module__.rpartition(".")[2].startswith(kind.exchange)


def test_a_venue_is_found_whatever_the_case() -> None:
    assert venue_class("BINANCE_f") is binance.BinanceFutures


def test_an_unknown_venue_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        venue_class("Mt_Gox")


def test_bases_and_imported_venues_are_not_listed() -> None:
    module = ModuleType("exchanges.venues.other")
    module.__dict__.update(imported=binance.BinanceSpot, base=Venue)
    assert defined_in(module) == []
    assert set(defined_in(binance)) == {binance.BinanceSpot, binance.BinanceFutures, binance.BinanceInverse}


def test_two_venues_of_one_name_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Twin(binance.BinanceSpot):
        """Another class that calls itself Binance."""

    monkeypatch.setattr(registry, "defined_in", lambda module: [binance.BinanceSpot, Twin])
    with pytest.raises(ValueError, match="both named Binance"):
        venues.__wrapped__()


@pytest.mark.parametrize("kind", venues().values(), ids=lambda kind: kind.name)
def test_a_venue_names_where_it_lives_and_what_it_charges(kind: type[Venue]) -> None:
    assert Environment.LIVE in kind.base_urls
    assert Environment.SANDBOX not in kind.base_urls
    assert all(url.startswith("https://") for url in kind.base_urls.values())
    marks = {Product.SPOT: "", Product.LINEAR: "_F", Product.INVERSE: "_C"}
    assert kind.name == kind.name.partition("_")[0] + marks[kind.product]
    assert kind.key_fields[:2] == ("key", "secret")
    assert set(kind.hosts) <= set(venues())


@pytest.mark.parametrize("kind", venues().values(), ids=lambda kind: kind.name)
def test_a_venue_tells_its_users_how_to_make_a_key(kind: type[Venue]) -> None:
    """Which rights to tick, that withdrawal stays off, and where to practise if there is such a place."""
    steps = kind.guide.key_steps
    assert len(steps) >= 3
    assert any("withdraw" in step.lower() for step in steps)
    family = [each for each in venues().values() if each.key_family == kind.key_family]
    assert bool(kind.guide.testnet) == any(Environment.TESTNET in each.base_urls for each in family)
    for sentence in (*steps, *kind.guide.quirks, *filter(None, [kind.guide.testnet])):
        assert sentence == sentence.strip()
        assert sentence.endswith(".")
        assert "<" not in sentence, "plain text, no mark-up"


@pytest.mark.parametrize("family", sorted({kind.key_family for kind in venues().values()}))
def test_venues_of_one_key_share_its_guide(family: str) -> None:
    guides = [kind.guide for kind in venues().values() if kind.key_family == family]
    assert all(guide is guides[0] for guide in guides)
