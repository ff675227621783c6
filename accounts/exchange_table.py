"""The exchanges as people read them: one row per kind of key, for the docs page and for `docs/exchanges.md`.

`make docs` writes the file; a test compares it with what the code says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from accounts.families import FIELD_TITLES, Family, families
from exchanges.facts import PROTECTION_MEANS, Protection, abilities_of, protection_of
from exchanges.generic.catalog import LEFT_OUT
from exchanges.generic.entry import LeftOut
from exchanges.guide import Guide
from exchanges.registry import catalogue, venues
from exchanges.types import Environment, Product
from exchanges.venue import Venue

FILE = "docs/exchanges.md"
PRODUCT_TITLES = {
    Product.SPOT: "Spot",
    Product.LINEAR: "Linear perpetuals",
    Product.INVERSE: "Coin-margined",
    Product.MARGIN: "Margin",
}
REGION_TITLES = {"eu": "Europe", "tokyo": "Tokyo", "singapore": "Singapore"}
COLUMNS = ("Exchange", "Products", "Region", "Protection", "Key", "Test net")
GENERIC_COLUMNS = ("Venue", "Product", "Protection", "Key", "Test net")
_GENERIC = """\
## Generic, through ccxt

With the extra `generic` installed these are opened too, read from ccxt's own tables; an exchange that has a section
above is never among them. They are traded from `GENERIC_REGION` (Europe) unless `EXCHANGE_REGIONS` says otherwise. What
ccxt cannot do for an exchange is refused before anything is sent. They have no sandbox, positions must be in one-way
mode, and whether a key may withdraw is not seen.
"""
_LEFT_OUT_HEAD = """\
What ccxt knows besides is not opened, because an order could get lost or a key cannot be kept here:
"""
_LEFT_OUT = {
    LeftOut.CREDENTIALS: "the key is not an API key and a secret, with a passphrase or a user id at most",
    LeftOut.CALLS: "an order cannot be fetched, open orders cannot be listed, or no price is told",
    LeftOut.STEPS: "numbers are rounded to significant digits, so there is no step",
    LeftOut.IDS: "ccxt names no id of ours where it makes an order",
    LeftOut.ORDERS: "the order that ccxt makes carries no id of ours, or ccxt does not tell what an order can be",
}
_HEAD = """\
# Exchanges

Written by `make docs` from the code: do not edit. `manage.py venues --json` prints the same for programs, and the page
`/docs/` of a running flipr shows it with the regions of that installation.

How a stop loss and take profits of one position are kept:
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One product of one exchange."""

    venue: str
    product: str
    region: str
    protection: Protection
    means: str
    abilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One kind of key with all that it opens. `anchor` is its place on the docs page."""

    anchor: str
    title: str
    rows: tuple[Row, ...]
    key_fields: tuple[str, ...]
    testnet_names: tuple[str, ...]
    guide: Guide
    native: bool


def entry_of(family: Family, region_of: Callable[[type[Venue]], str] | None = None) -> Entry:
    """`region_of`: where this installation trades a venue; without it, where the venue itself says."""
    first = family.venues[0]
    return Entry(
        anchor=family.name,
        title=family.title,
        rows=tuple(_row(kind, region_of(kind) if region_of else kind.region) for kind in family.venues),
        key_fields=family.titles,
        testnet_names=family.venue_names(Environment.TESTNET),
        guide=first.guide,
        native=first.native,
    )


def _row(kind: type[Venue], region: str) -> Row:
    protection = protection_of(kind.features)
    return Row(
        venue=kind.name,
        product=PRODUCT_TITLES[kind.product],
        region=REGION_TITLES.get(region, region),
        protection=protection,
        means=PROTECTION_MEANS[protection],
        abilities=tuple(abilities_of(kind)),
    )


def markdown() -> str:
    entries = [entry_of(family) for family in families().values() if family.native]
    parts = [_HEAD, *(f"- **{word}**: {means}." for word, means in PROTECTION_MEANS.items()), ""]
    parts += [_line(COLUMNS), _line(("---",) * len(COLUMNS)), *(_line(_cells(each)) for each in entries)]
    for entry in entries:
        parts += ["", f"## {entry.title}", "", *_section(entry)]
    parts += ["", _GENERIC, _line(GENERIC_COLUMNS), _line(("---",) * len(GENERIC_COLUMNS))]
    parts += [_line(_generic_cells(kind)) for kind in catalogue().values()]
    parts += ["", _LEFT_OUT_HEAD, *_left_out()]
    return "\n".join(parts) + "\n"


def _left_out() -> Iterator[str]:
    native = {kind.exchange for kind in venues().values()}
    for reason, names in LEFT_OUT.items():
        told = ", ".join(f"`{name}`" for name in names if name not in native)
        yield f"- {_LEFT_OUT[reason]}: {told}"


def _generic_cells(kind: type[Venue]) -> tuple[str, ...]:
    fields = ", ".join(kind.key_titles.get(name, FIELD_TITLES[name]) for name in kind.key_fields)
    testnet = "yes" if Environment.TESTNET in kind.base_urls else "no"
    product = PRODUCT_TITLES[kind.product].lower()
    return (f"`{kind.name}`", product, str(protection_of(kind.features)), fields, testnet)


def _cells(entry: Entry) -> tuple[str, ...]:
    return (
        entry.title,
        "<br>".join(f"`{row.venue}` {row.product.lower()}" for row in entry.rows),
        ", ".join(dict.fromkeys(row.region for row in entry.rows)),
        "<br>".join(f"`{row.venue}` {row.protection}" for row in entry.rows),
        ", ".join(entry.key_fields),
        ", ".join(f"`{name}`" for name in entry.testnet_names) or "none",
    )


def _section(entry: Entry) -> Iterator[str]:
    yield "Making a key:"
    yield ""
    yield from (f"{number}. {step}" for number, step in enumerate(entry.guide.key_steps, 1))
    yield ""
    yield f"Test net: {entry.guide.testnet or 'none.'}"
    yield ""
    for row in entry.rows:
        yield f"`{row.venue}` : {', '.join(row.abilities)}."
        yield ""
    yield from (f"- {quirk}" for quirk in entry.guide.quirks)


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
