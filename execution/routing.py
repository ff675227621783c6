"""Which venue, which region, which account a block means. Reads the registry and the user's accounts, sends nothing."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.families import region_of
from accounts.models import Account, User
from exchanges.registry import every_venue, venue_class
from exchanges.types import Environment, Product
from exchanges.venue import Venue
from execution.amounts import Span
from execution.message import Block, VenueName
from execution.rejection import Rejection

__all__ = ["accounts_for", "region_of", "venue_of"]

SUFFIXES = {Product.SPOT: "", Product.LINEAR: "_F", Product.INVERSE: "_C", Product.MARGIN: "_M"}


def venue_of(name: VenueName) -> type[Venue]:
    """Raises Rejection NOT_YET for an exchange or product the language knows and flipr does not trade."""
    written = f"{name.exchange}{SUFFIXES[name.product]}"
    try:
        return venue_class(written)
    except KeyError:
        offered = [each.name for each in every_venue().values() if each.exchange == name.exchange.lower()]
        hint = (
            f"write {' or '.join(offered)}"
            if offered
            else "see the documentation for the exchanges there are"
        )
        raise Rejection("NOT_YET", f"{written} cannot be traded yet", hint, name.span) from None


def accounts_for(user: User, block: Block, venue: type[Venue], owned: Iterable[Account]) -> list[Account]:
    """The accounts a block trades: those named after `using`, else the user's default there, else the only one.

    `owned` are the user's accounts. Raises Rejection NO_ACCOUNT or AMBIGUOUS_ACCOUNT.
    """
    fitting = [account for account in owned if _fits(account, venue, testnet=block.venue.testnet)]
    if block.accounts:
        places = block.account_spans or (block.venue.span,) * len(block.accounts)
        named = zip(block.accounts, places, strict=True)
        return [_named(label, fitting, venue, place) for label, place in named]
    if not fitting:
        kind = " test net" if block.venue.testnet else ""
        raise Rejection(
            "NO_ACCOUNT",
            f"there is no{kind} key for {venue.name}",
            "add a key for this exchange on the accounts page",
            block.venue.span,
        )
    return [_only(fitting, venue, block)]


def _fits(account: Account, venue: type[Venue], *, testnet: bool) -> bool:
    is_testnet = account.environment == Environment.TESTNET
    return account.exchange == venue.key_family and is_testnet == testnet


def _named(label: str, fitting: list[Account], venue: type[Venue], place: Span | None) -> Account:
    for account in fitting:
        if account.label.lower() == label.lower():
            return account
    labels = ", ".join(account.label for account in fitting) or "none"
    raise Rejection(
        "NO_ACCOUNT",
        f'there is no account "{label}" for {venue.name}',
        f"your accounts here: {labels}",
        place,
    )


def _only(fitting: list[Account], venue: type[Venue], block: Block) -> Account:
    chosen = [account for account in fitting if account.is_default]
    if len(fitting) == 1 or len(chosen) == 1:
        return chosen[0] if chosen else fitting[0]
    labels = ", ".join(account.label for account in fitting)
    raise Rejection(
        "AMBIGUOUS_ACCOUNT",
        f"several accounts fit {venue.name}: {labels}",
        f"write for example: on {venue.name} using {fitting[0].label}",
        block.venue.span,
    )
