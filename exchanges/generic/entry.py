"""What the catalogue tells of one exchange."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LeftOut(StrEnum):
    """Why an exchange that ccxt knows is not opened; of several reasons the first."""

    CREDENTIALS = "credentials"
    CALLS = "calls"
    STEPS = "steps"
    IDS = "ids"
    ORDERS = "orders"


@dataclass(frozen=True, slots=True)
class Offer:
    """One product, as ccxt's capability table (`has`, `features`) describes it."""

    #: orders that wait for a price, which can also be fetched and listed while they wait
    conditional: bool = False
    #: the side from which the price has to come can be told
    directed: bool = False
    ioc: bool = False
    fok: bool = False
    post_only: bool = False
    #: a market buy may be given as an amount of quote currency
    by_quote: bool = False
    #: a market buy of a quantity needs a price beside it
    needs_price: bool = False
    #: open orders are listed for one market at a time
    by_symbol: bool = False
    reduce_only: bool = False
    leverage: bool = False
    margin_mode: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """`hosts` and `test_hosts`: the addresses its requests go to, the first one is the venue's own."""

    id: str
    name: str
    title: str
    key_fields: tuple[str, ...]
    #: what the id of a client is called in ccxt's parameters
    id_param: str
    #: ccxt asks for a user id where other exchanges have a passphrase
    uid: bool
    #: milliseconds between requests of the lightest kind
    rate_ms: int
    hosts: tuple[str, ...]
    test_hosts: tuple[str, ...]
    spot: Offer | None
    linear: Offer | None
