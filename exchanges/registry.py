"""Every native venue, found by looking into `exchanges/venues/`: adding a file adds an exchange."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

from exchanges import venues as package
from exchanges.venue import Venue

#: other names people write for an exchange
EXCHANGE_ALIASES = {
    "huobi": "htx",
    "gateio": "gate",
    "gate.io": "gate",
    "okex": "okx",
    "krakenfutures": "kraken",
}


@cache
def venues() -> dict[str, type[Venue]]:
    """Venue classes by lower-case name, in the order of their files."""
    found: dict[str, type[Venue]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        loaded = importlib.import_module(f"{package.__name__}.{module.name}")
        for _, item in inspect.getmembers(loaded, inspect.isclass):
            if (
                issubclass(item, Venue)
                and not inspect.isabstract(item)
                and item.__module__ == loaded.__name__
            ):
                found[item.name.lower()] = item
    return found


def venue_class(name: str) -> type[Venue]:
    """By the name written in messages, case-blind. Raises KeyError."""
    return venues()[name.lower()]
