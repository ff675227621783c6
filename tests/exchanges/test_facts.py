"""What is told of a venue follows from what it declares."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from exchanges.facts import PROTECTION_MEANS, Protection, abilities_of, facts_of, protection_of
from exchanges.registry import venue_class, venues
from exchanges.venue import Features, Venue


@pytest.mark.parametrize(
    ("features", "protection"),
    [
        (Features(linked_legs=True), Protection.LINKED_PAIR),
        (Features(linked_legs=True, rests_both_legs=False), Protection.LINKED_PAIR),
        (Features(), Protection.SEPARATE_ORDERS),
        (Features(rests_both_legs=False), Protection.SUPERVISION),
        (Features(conditional=False), Protection.NONE),
    ],
)
def test_how_a_position_is_protected_follows_from_the_features(
    features: Features, protection: Protection
) -> None:
    assert protection_of(features) is protection


def test_every_word_for_protection_is_explained() -> None:
    assert set(PROTECTION_MEANS) == set(Protection)


@pytest.mark.parametrize("kind", venues().values(), ids=lambda kind: kind.name)
def test_the_facts_of_a_venue_are_whole_and_plain(kind: type[Venue]) -> None:
    facts = facts_of(kind)
    assert json.loads(json.dumps(facts)) == facts
    assert set(facts) == {
        *("venue", "exchange", "product", "region", "native", "protection"),
        *("testnet", "key_fields", "features"),
    }
    assert facts["native"] is True
    assert set(facts["features"]) == {each.name for each in fields(Features)}


def test_a_region_that_was_configured_goes_before_the_venues_own() -> None:
    kind = venue_class("Binance_F")
    assert facts_of(kind)["region"] == "tokyo"
    assert facts_of(kind, "eu")["region"] == "eu"


def test_abilities_are_told_in_words() -> None:
    assert abilities_of(venue_class("Kraken_F")) == [
        "market and limit orders",
        "stop and take-profit orders",
        "leverage",
        "reduce-only orders",
    ]
