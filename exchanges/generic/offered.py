"""The venues that ccxt opens: two classes at most for each entry of the catalogue."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib.util import find_spec

from exchanges.generic.catalog import ENTRIES
from exchanges.generic.entry import Entry, Offer
from exchanges.generic.venue import GenericVenue
from exchanges.guide import Guide
from exchanges.limits import Bucket, Scope
from exchanges.types import Environment, Product
from exchanges.venue import Features

#: where an exchange is traded from unless the installation says otherwise (`GENERIC_REGION`, `EXCHANGE_REGIONS`)
REGION = "eu"
#: the unit of the bucket is a tenth of ccxt's lightest request
UNITS = 10
WINDOW_SECONDS = 10.0


def installed() -> bool:
    """Without importing it."""
    return find_spec("ccxt") is not None


def offered(without: Collection[str]) -> dict[str, type[GenericVenue]]:
    """By lower-case name. `without`: exchanges that have a file of their own."""
    taken = {name.lower() for name in without}
    kinds = (kind for entry in ENTRIES if entry.name.lower() not in taken for kind in classes_of(entry))
    return {kind.name.lower(): kind for kind in kinds}


def classes_of(entry: Entry) -> Iterator[type[GenericVenue]]:
    if entry.linear:
        yield _class(entry, entry.linear, Product.LINEAR)
    if entry.spot:
        yield _class(entry, entry.spot, Product.SPOT)


def _class(entry: Entry, offer: Offer, product: Product) -> type[GenericVenue]:
    name = entry.name + ("_F" if product is Product.LINEAR else "")
    capacity = max(2, round(WINDOW_SECONDS * 1000 / entry.rate_ms)) * UNITS
    described = {
        "__doc__": f"{entry.title} through ccxt.",
        "__module__": __name__,
        "name": name,
        "exchange": entry.name.lower(),
        "product": product,
        "region": REGION,
        "key_family": entry.name.lower(),
        "key_fields": entry.key_fields,
        "key_titles": {"passphrase": "User id"} if entry.uid else {},
        "guide": _guide(entry),
        "features": _features(offer, product),
        "buckets": {
            "requests": Bucket(capacity, WINDOW_SECONDS),
            "requests of a key": Bucket(capacity, WINDOW_SECONDS, Scope.KEY),
        },
        "base_urls": _addresses(entry, 0),
        "hosts": {str(number): _addresses(entry, number) for number in range(1, _most(entry))},
        "entry": entry,
        "offer": offer,
    }
    return type(name, (GenericVenue,), described)


def _most(entry: Entry) -> int:
    return max(len(entry.hosts), len(entry.test_hosts))


def _addresses(entry: Entry, number: int) -> dict[Environment, str]:
    known = ((Environment.LIVE, entry.hosts), (Environment.TESTNET, entry.test_hosts))
    return {environment: hosts[number] for environment, hosts in known if number < len(hosts)}


def _features(offer: Offer, product: Product) -> Features:
    return Features(
        conditional=offer.conditional,
        rests_both_legs=product is Product.LINEAR,
        market_by_quote=offer.by_quote,
        leverage=offer.leverage,
        reduce_only=offer.reduce_only,
        open_orders_by_symbol=offer.by_symbol,
    )


def _guide(entry: Entry) -> Guide:
    third = {
        (True, False): ("The third thing that flipr asks for is the passphrase of the key.",),
        (True, True): ("The third thing that flipr asks for is the user id (uid or memo) of the key.",),
    }.get(("passphrase" in entry.key_fields, entry.uid), ())
    return Guide(
        key_steps=(
            f"Make an API key on the site of {entry.title}. Allow reading and trading.",
            *third,
            "Leave withdrawal off: flipr cannot see here whether it is.",
            "Where the exchange offers it, lock the key to the addresses of your flipr.",
        ),
        testnet=f"The test net of {entry.title}, with keys made there." if entry.test_hosts else "",
        quirks=(
            "Generic: opened through ccxt, which knows the exchange; flipr has no file and no sandbox of its own for it.",
            "Futures positions must be in one-way mode.",
            "An order whose answer was lost is looked for among the open and the ended orders.",
        ),
    )
