"""Every native venue, found by looking into `exchanges/venues/`: adding a file adds an exchange. After them come those
that ccxt opens, where it is installed."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from types import ModuleType

from exchanges import venues as package
from exchanges.generic.offered import installed, offered
from exchanges.venue import Venue


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


@cache
def catalogue() -> dict[str, type[Venue]]:
    """What ccxt opens, installed or not: every exchange of its catalogue that has no file here, by lower-case name."""
    return dict(offered({kind.exchange for kind in venues().values()}))


def every_venue() -> dict[str, type[Venue]]:
    """All that can be traded by this installation, native ones first."""
    return venues() | (catalogue() if installed() else {})


def venue_class(name: str) -> type[Venue]:
    """By the name written in messages, case-blind; a native venue goes before one that ccxt opens. Raises KeyError."""
    if (native := venues().get(name.lower())) is not None:
        return native
    return every_venue()[name.lower()]
