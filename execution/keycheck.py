"""Is this key good? Asked of the exchange by a worker of its region, where the key is used from."""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress

import redis
from celery import current_app
from django.utils import timezone
from kombu.exceptions import KombuError

from accounts import flows, notices
from accounts.models import Account, AccountStatus
from accounts.vault import VaultError
from exchanges.errors import AuthRefused, ExchangeError, Unsupported
from exchanges.pool import Connection
from exchanges.registry import every_venue
from exchanges.types import Credentials, Environment, KeyInfo, PositionMode
from exchanges.venue import Venue
from execution import book, keytrouble
from execution.brokers import producer_pool, region_redis
from execution.jobs import JobAccount
from execution.known import Facts
from execution.routing import region_of

log = logging.getLogger(__name__)
CHECK = "execution.tasks.check_key"
CONFIRM = "execution.tasks.confirm_key"
#: one key is checked on request this often at most: each check is several signed calls
CHECK_SECONDS = 10
#: a key that was refused at work is checked this often at most
DOUBT_SECONDS = 60
#: so many checks must see a bare HTTP 401 before it is believed
DOUBTS = 3


def venues_of(account: Account) -> list[type[Venue]]:
    """The venues this key opens in its environment."""
    return [
        kind
        for kind in every_venue().values()
        if kind.key_family == account.exchange
        and (
            (kind.native and account.environment == Environment.SANDBOX)
            or Environment(account.environment) in kind.base_urls
        )
    ]


def request_check(account: Account) -> None:
    """Ask the region's workers: at once, or when the account was checked a moment ago, as soon as that is a while past.
    So every request is followed by a check, however many come. A queue that is down leaves the account unverified; the
    page offers to try again."""
    kinds = venues_of(account)
    if not kinds:
        flows.record_refusal(
            account.public_id, account.sealed, f"there is no {account.environment} environment there"
        )
        return
    region = region_of(kinds[0])
    try:
        wait_ms = _until_turn_ms(region, account.public_id)
        if wait_ms is not None:
            _queue(region, CHECK, account.public_id, wait_seconds=wait_ms / 1000)
    except (redis.RedisError, KombuError, OSError) as error:
        log.warning(
            "the check of account %s could not be queued: %s", account.public_id, type(error).__name__
        )
        _forget_turns(region, account.public_id)


def _until_turn_ms(region: str, public_id: str) -> int | None:
    """When its next check may be; None: one that waits will do."""
    server, (now, later) = region_redis(region), _turns(public_id)
    if server.set(now, "1", nx=True, ex=CHECK_SECONDS):
        return 0
    wait_ms = max(int(server.pttl(now)), 1)
    return wait_ms if server.set(later, "1", nx=True, px=wait_ms) else None


def _turns(public_id: str) -> tuple[str, str]:
    return f"checking:{public_id}", f"checking:{public_id}:again"


def _forget_turns(region: str, public_id: str) -> None:
    with suppress(redis.RedisError):
        region_redis(region).delete(*_turns(public_id))


def _queue(region: str, task: str, public_id: str, *, wait_seconds: float = 0.0) -> None:
    with producer_pool(region).acquire(block=True, timeout=1) as producer:
        current_app.send_task(
            task,
            (public_id,),
            producer=producer,
            queue=f"watch.{region}",
            countdown=wait_seconds or None,
            expires=120 + wait_seconds,
            retry=False,
        )


def doubt(region: str, public_id: str, sealed: str) -> None:
    """The exchange refused this key at work. One refusal may be a proxy's mood: the key is checked before anything
    follows from it, at most once in DOUBT_SECONDS."""
    try:
        if not region_redis(region).set(
            f"doubt:{public_id}:{_digest(sealed)}", "1", nx=True, ex=DOUBT_SECONDS
        ):
            return
        _queue(region, CONFIRM, public_id)
    except (redis.RedisError, KombuError, OSError) as error:
        log.warning("the doubt about account %s could not be queued: %s", public_id, type(error).__name__)


def check(public_id: str) -> None:
    """Ask the exchange about a key that is new, replaced or resumed, and write down what it says."""
    account = _account(public_id)
    if account is None:
        return
    try:
        info, mode, found = _ask(account, _keys(account))
    except AuthRefused as error:
        keytrouble.refused(account, error.message, tell=account.status == AccountStatus.VERIFIED)
    except (ExchangeError, VaultError) as error:
        log.warning("account %s could not be checked: %s", public_id, type(error).__name__)
        Account.objects.filter(
            public_id=public_id, sealed=account.sealed, status=AccountStatus.UNVERIFIED
        ).update(status_reason=f"not checked: {error}"[:300], checked_at=timezone.now())
    else:
        if flows.record_check(public_id, account.sealed, info, position_mode=mode, venues=found):
            keytrouble.over(account)


def confirm(public_id: str) -> None:
    """Ask the exchange about a key that was refused at work: only a second no counts. An account that flipr had stopped
    already, for the rights of its key, is asked about for what it still guards."""
    account = _account(public_id)
    if account is None or (account.status == AccountStatus.REJECTED and not keytrouble.unmarked(account)):
        return
    try:
        info, mode, found = _ask(account, _keys(account))
    except AuthRefused as error:
        if _is_the_exchanges_word(account, error):
            keytrouble.refused(account, error.message, tell=True)
    except (ExchangeError, VaultError) as error:
        log.warning("the key of account %s is in doubt, and could not be checked: %s", public_id, error)
    else:
        log.info("the key of account %s was refused at work and is good", public_id)
        if account.status == AccountStatus.REJECTED:
            return  # whether it may trade again is for a check that its owner asks for
        recorded = flows.record_check(public_id, account.sealed, info, position_mode=mode, venues=found)
        if recorded and info.can_withdraw and not account.withdrawal_accepted:
            notices.key_may_withdraw(account)  # it was at work: its owner is not looking at a form


def _is_the_exchanges_word(account: Account, error: AuthRefused) -> bool:
    """A bare HTTP 401 without a code of the exchange may be said by what stands before it: that counts when it is
    said at several checks, a while apart."""
    if error.code != "401":
        return True
    server = region_redis(region_of(venues_of(account)[0]))
    name = f"doubts:{account.public_id}:{_digest(account.sealed)}"
    doubts = int(server.incr(name))
    server.expire(name, DOUBT_SECONDS * DOUBTS * 5)
    log.warning("the key of account %s got a bare 401, %d of %d times", account.public_id, doubts, DOUBTS)
    return doubts >= DOUBTS


def exchange_of(public_id: str) -> str:
    """Whose door a check of this account knocks at."""
    return Account.objects.filter(public_id=public_id).values_list("exchange", flat=True).first() or ""


def _account(public_id: str) -> Account | None:
    return Account.objects.select_related("user").filter(public_id=public_id).first()


def _keys(account: Account) -> Credentials:
    holder = JobAccount(account.public_id, account.label, account.exchange, account.sealed)
    return book.keyring().open(account.user.public_id, holder)


def _digest(sealed: str) -> str:
    return hashlib.blake2b(sealed.encode(), digest_size=8).hexdigest()


def _facts(account: Account, connection: Connection) -> Facts:
    return book.facts().of(account.public_id, connection.venue.name, account.sealed)


def _ask(account: Account, keys: Credentials) -> tuple[KeyInfo, PositionMode | None, dict[str, str]]:
    """Rights of the key, position mode, and per venue what is wrong with it. Raises AuthRefused when no venue
    takes the key."""
    book.facts().forget(account.public_id)
    info, mode = KeyInfo(), None
    told: KeyInfo | None = None
    found: dict[str, str] = {}
    refusal: AuthRefused | None = None
    for kind in venues_of(account):
        connection = book.pool().connection(kind.name, Environment(account.environment))
        try:
            told = (kind.one_key_info and told) or connection.venue.key_info(keys)
            info = _richer(info, told)
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
    _facts(account, connection).position_mode[instrument.symbol] = mode
    return mode
