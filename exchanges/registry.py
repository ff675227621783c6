"""Every native venue, found by looking into `exchanges/venues/`: adding a file adds an exchange."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from types import ModuleType

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
    """Venue classes by lower-case name, in the order of their files. Raises ValueError when two have one name."""
    found: dict[str, type[Venue]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        for kind in defined_in(importlib.import_module(f"{package.__name__}.{module.name}")):
            if found.setdefault(kind.name.lower(), kind) is not kind:
                raise ValueError(f"{kind} and {found[kind.name.lower()]} are both named {kind.name}")
    return found


def defined_in(module: ModuleType) -> list[type[Venue]]:
    """The venues a module defines; what it imports or leaves abstract is none of them."""
    return [
        item
        for _, item in inspect.getmembers(module, inspect.isclass)
        if issubclass(item, Venue) and not inspect.isabstract(item) and item.__module__ == module.__name__
    ]


def venue_class(name: str) -> type[Venue]:
    """By the name written in messages, case-blind. Raises KeyError."""
    return venues()[name.lower()]
