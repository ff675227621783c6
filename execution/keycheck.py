"""Is this key good? Asked of the exchange by a worker of its region, where the key is used from."""

from __future__ import annotations

import logging

from celery import current_app
from django.utils import timezone
from kombu.exceptions import KombuError

from accounts import flows
from accounts.models import Account, AccountStatus
from accounts.vault import VaultError
from exchanges.errors import AuthRefused, ExchangeError, Unsupported
from exchanges.pool import Connection
from exchanges.registry import venues
from exchanges.types import Credentials, Environment, KeyInfo, PositionMode
from exchanges.venue import Venue
from execution import book
from execution.brokers import producer_pool
from execution.jobs import JobAccount
from execution.routing import region_of

log = logging.getLogger(__name__)
CHECK = "execution.tasks.check_key"


def venues_of(account: Account) -> list[type[Venue]]:
    """The venues this key opens in its environment."""
    return [
        kind
        for kind in venues().values()
        if kind.key_family == account.exchange
        and (account.environment == Environment.SANDBOX or Environment(account.environment) in kind.base_urls)
    ]


def request_check(account: Account) -> None:
    """Ask the region's workers. A queue that is down leaves the account unverified; the page offers to try again."""
    kinds = venues_of(account)
    if not kinds:
        flows.record_refusal(
            account.public_id, account.sealed, f"there is no {account.environment} environment there"
        )
        return
    region = region_of(kinds[0])
    try:
        with producer_pool(region).acquire(block=True, timeout=1) as producer:
            current_app.send_task(
                CHECK,
                (account.public_id,),
                producer=producer,
                queue=f"watch.{region}",
                expires=120,
                retry=False,
            )
    except (KombuError, OSError) as error:
        log.warning(
            "the check of account %s could not be queued: %s", account.public_id, type(error).__name__
        )


def check(public_id: str) -> None:
    """Ask the exchange and write down what it says."""
    account = Account.objects.select_related("user").filter(public_id=public_id).first()
    if account is None:
        return
    holder = JobAccount(account.public_id, account.label, account.exchange, account.sealed)
    try:
        keys = book.keyring().open(account.user.public_id, holder)
        info, mode, found = _ask(account, keys)
    except AuthRefused as error:
        flows.record_refusal(public_id, account.sealed, error.message)
    except (ExchangeError, VaultError) as error:
        log.warning("account %s could not be checked: %s", public_id, type(error).__name__)
        Account.objects.filter(
            public_id=public_id, sealed=account.sealed, status=AccountStatus.UNVERIFIED
        ).update(status_reason=f"not checked: {error}"[:300], checked_at=timezone.now())
    else:
        flows.record_check(public_id, account.sealed, info, position_mode=mode, venues=found)


def _ask(account: Account, keys: Credentials) -> tuple[KeyInfo, PositionMode | None, dict[str, str]]:
    """Rights of the key, position mode, and per venue what is wrong with it. Raises AuthRefused when no venue
    takes the key."""
    book.facts().forget(account.public_id)
    info, mode = KeyInfo(), None
    found: dict[str, str] = {}
    refusal: AuthRefused | None = None
    for kind in venues_of(account):
        connection = book.pool().connection(kind.name, Environment(account.environment))
        try:
            info = _richer(info, connection.venue.key_info(keys))
            connection.venue.balances(keys)
            mode = _mode(connection, keys, account) or mode
            found[kind.name] = ""
        except AuthRefused as error:
            refusal, found[kind.name] = error, error.message
        except Unsupported as error:
            found[kind.name] = error.message
    if refusal and not any(words == "" for words in found.values()):
        raise refusal
    return info, mode, found


def _richer(one: KeyInfo, other: KeyInfo) -> KeyInfo:
    """What either of two venues told."""
    return KeyInfo(
        other.can_trade if other.can_trade is not None else one.can_trade,
        other.can_withdraw if other.can_withdraw is not None else one.can_withdraw,
        other.ip_locked if other.ip_locked is not None else one.ip_locked,
        other.expires or one.expires,
        other.note or one.note,
    )


def _mode(connection: Connection, keys: Credentials, account: Account) -> PositionMode | None:
    """Read the position mode once, so that the first order need not ask."""
    if not connection.venue.features.hedge_mode:
        return None
    instrument = connection.table.find("BTCUSDT")
    mode = connection.venue.position_mode(keys, instrument)
    book.facts().of(account.public_id, connection.venue.name).position_mode[instrument.symbol] = mode
    return mode
