"""What a user may add a key for: one entry per key family, read from the venues themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.conf import settings

from exchanges.registry import every_venue
from exchanges.types import Environment, Product
from exchanges.venue import Venue

FIELD_TITLES = {"key": "API key", "secret": "API secret", "passphrase": "Passphrase"}

_ORDER_SHOWN = (Product.LINEAR, Product.SPOT)


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of API key: which fields it has and which venues it opens."""

    name: str
    title: str
    fields: tuple[str, ...]
    venues: tuple[type[Venue], ...]

    @property
    def native(self) -> bool:
        """False: opened through ccxt."""
        return self.venues[0].native

    @property
    def titles(self) -> tuple[str, ...]:
        """What its fields are called on the exchange's site."""
        own = self.venues[0].key_titles
        return tuple(own.get(name, FIELD_TITLES[name]) for name in self.fields)

    @property
    def environments(self) -> tuple[Environment, ...]:
        """Those that any of its venues has; the sandbox where this installation runs one."""
        return tuple(
            environment
            for environment in Environment
            if (
                self.native and settings.SANDBOX_URL
                if environment is Environment.SANDBOX
                else any(environment in venue.base_urls for venue in self.venues)
            )
        )

    def venue_names(self, environment: Environment | str = Environment.LIVE) -> tuple[str, ...]:
        """As written in messages to reach this environment: on the test net with a T."""
        everywhere = environment == Environment.SANDBOX
        there = [venue for venue in self.venues if everywhere or environment in venue.base_urls]
        return tuple(_written(venue, environment) for venue in there)


@cache
def families() -> dict[str, Family]:
    """By name, in the order of the exchanges' names; those that ccxt opens come last."""
    found: dict[str, list[type[Venue]]] = {}
    for venue in every_venue().values():
        found.setdefault(venue.key_family, []).append(venue)
    ordered = sorted(found.items(), key=lambda item: (not item[1][0].native, item[0]))
    return {name: _family(name, opened) for name, opened in ordered}


def family(name: str) -> Family:
    """Raises KeyError."""
    return families()[name]


def region_of(venue: type[Venue]) -> str:
    """The region whose workers trade this venue; configuration goes before the venue's own."""
    usual = venue.region if venue.native else settings.GENERIC_REGION
    return str(settings.EXCHANGE_REGIONS.get(venue.exchange, usual))


def _family(name: str, opened: list[type[Venue]]) -> Family:
    opened = sorted(opened, key=lambda venue: _rank(venue.product))
    first = opened[0]
    own_name = first.name.split("_")[0]
    rest = name.removeprefix(first.exchange).replace("_", " ").title()
    return Family(name, own_name + rest, first.key_fields, tuple(opened))


def _rank(product: Product) -> int:
    return _ORDER_SHOWN.index(product) if product in _ORDER_SHOWN else len(_ORDER_SHOWN)


def _written(venue: type[Venue], environment: Environment | str) -> str:
    if environment != Environment.TESTNET:
        return venue.name
    return venue.name + ("T" if "_" in venue.name else "_ST")
