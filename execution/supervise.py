"""Looks after brackets: one leg filled cancels the others, a position that is gone cancels them all, a part that
was closed resizes them, an entry that fills later gets its legs.

Each look costs one read of the open orders and one of the positions per account and venue; where the list of orders
costs more than the few that a look is about, each of them is asked for instead. What a look finds is
written down (`observe`); what should follow is done under the symbol's lane, after a second look, so that a
command at work on the same symbol is never crossed. Once a minute the look takes in everything, and is compared
with what flipr believes (`compare`); accounts without brackets are looked at for that alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import redis
from celery import current_app
from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account
from accounts.vault import VaultError
from exchanges.errors import AuthRefused, ExchangeError, Maintenance, MarketPaused, NotSent, Throttled
from exchanges.limits import Priority, hurried, pressing
from exchanges.registry import every_venue
from exchanges.rounds import Round
from exchanges.sparing import said_before
from exchanges.types import Direction, Environment, Instrument, OrderRef, Position, Report
from execution import (
    book,
    brackets,
    claims,
    compare,
    holdings,
    keycheck,
    keytrouble,
    lanes,
    mishap,
    observe,
    orphans,
    pace,
)
from execution.brokers import producer_pool, region_redis, script
from execution.desk import Desk, UnknownOutcome
from execution.exits import closes_one_of
from execution.jobs import JobAccount
from execution.lanes import lane_of
from execution.legs import cancel_legs
from execution.models import ACTIVE_BRACKETS, Bracket, BracketState
from execution.pace import Watched
from execution.protection import Guarded, LegKind, LegState
from execution.record import write_waiting
from execution.rejection import Rejection
from execution.starved import Hunger, limited
from execution.wire import dump

log = logging.getLogger(__name__)
LOOK = "execution.tasks.supervise_account"
COMPARE = "execution.tasks.compare_account"
LEASE_SECONDS = 30
#: done brackets are looked at this much longer: an order that outlived its bracket is cancelled
AFTERCARE = timedelta(minutes=5)
#: so long after a bracket ended or had a leg replaced, the orders that may have outlived it are looked for in every look
FRESH = timedelta(seconds=20)
LANE_SECONDS = 2.0
#: a key that is known to be refused is tried this often
REFUSED_SECONDS = 60.0
FORESEEN = (ExchangeError, UnknownOutcome, Rejection)


@dataclass(slots=True)
class View:
    """One look at an account on a venue. `excess`: how much more the brackets of one share
    (`Guarded.share`) believe to protect than is open; taken off newest first. `counted`: positions were read, on
    spot balances; `asked`: of which instruments, None for all. `whole`: it took in everything.

    `listed`: `orders` has all that stand; else it is empty, and each is asked for by itself (`_asks_for_each`)."""

    orders: dict[str, Report] = field(default_factory=dict)
    positions: dict[tuple[str, str], Position] = field(default_factory=dict)
    excess: dict[tuple[str, str, LegKind], Decimal] = field(default_factory=dict)
    counted: bool = True
    listed: bool = True
    asked: set[str] | None = None
    whole: bool = False
    #: positions of which it is not known what their brackets filled
    obscured: set[tuple[str, str]] = field(default_factory=set)
    #: the exchange's limits refused a question about one bracket; questions about others do not wait for them too
    short: ExchangeError | None = None
    began: datetime = field(default_factory=timezone.now)

    def reports(self) -> list[Report]:
        """Each open order once."""
        return list({id(each): each for each in self.orders.values()}.values())

    def obscure(self, row: Bracket) -> None:
        self.obscured.add((row.instrument, row.direction))

    def find(self, ref: OrderRef) -> Report | None:
        if (ours := self.orders.get(ref.client_id)) is not None:
            return ours
        found = self.orders.get(ref.exchange_id)
        if found and ref.client_id and found.client_id and found.client_id != ref.client_id:
            return None  # ids of an exchange may be unique per symbol or kind of order only
        return found


def spread(region: str) -> None:
    """One task per account and venue that is due; and the history that waits is written."""
    _write_history(region)
    watched = to_watch(region)
    tasks = [(LOOK, account, venue, False) for account, venue in pace.due(region, watched)]
    supervised = {(each.account, each.venue) for each in watched}
    tasks = with_comparisons(region, tasks, supervised)
    if not tasks:
        return
    with producer_pool(region).acquire(block=True) as producer:
        for task, account, venue, whole in tasks:
            current_app.send_task(
                task,
                (region, account, venue, whole),
                producer=producer,
                queue=f"watch.{region}",
                expires=5,
                retry=False,
            )


def _write_history(region: str) -> None:
    """History that cannot be written now waits on; protection does not wait for it."""
    with mishap.caught(f"writing what waited in {region}"):
        try:
            write_waiting(region)
        except (DatabaseError, redis.RedisError) as error:
            log.warning("history in %s waits on: %s", region, type(error).__name__)


def with_comparisons(
    region: str, tasks: list[tuple[str, str, str, bool]], supervised: set[tuple[str, str]]
) -> list[tuple[str, str, str, bool]]:
    """Protection first. A look that is due for both is one look, of everything."""
    compared: list[tuple[str, str]] = []
    with mishap.caught(f"choosing what is compared in {region}"):
        compared = compare.due(region, supervised, [each[1:3] for each in tasks])
    both = [(LOOK, *pair, True) for pair in compared if pair in supervised]
    alone = [(COMPARE, *pair, True) for pair in compared if pair not in supervised]
    return [each for each in tasks if each[1:3] not in compared] + both + alone


def to_watch(region: str) -> list[Watched]:
    """What there is to look after, with the prices that make it urgent."""
    rows = Bracket.objects.filter(region=region).filter(_needs_care()).select_related("account")
    known = every_venue()  # what only ccxt opens may have been taken away
    return [
        Watched(
            row.account.public_id,
            row.venue,
            Environment(row.account.environment),
            row.instrument,
            tuple(pace.triggers(brackets.from_row(row))),
        )
        for row in brackets.readable(rows)
        if row.venue.lower() in known
    ]


def _needs_care() -> Q:
    return Q(status__in=ACTIVE_BRACKETS) | Q(
        status=BracketState.DONE, updated_at__gte=timezone.now() - AFTERCARE
    )


def look_after(region: str, account: str, venue: str, *, whole: bool = False) -> None:
    """One look, and what follows from it. Two looks at one account never overlap. `whole`: at everything, and
    compared with what flipr believes."""
    with lease(region, f"watching:{account}:{venue}") as held:
        if held:
            with mishap.caught(f"looking after {account} on {venue}"):
                _look_after(region, account, venue, whole=whole)
        elif whole:
            compare.missed(account, venue)


def _look_after(region: str, account: str, venue: str, *, whole: bool) -> None:
    every = list(_rows(account, venue))
    rows = brackets.readable(every)
    owner = rows[0].account if rows else _owner(account) if whole else None
    if owner is None:
        return
    unguarded = any(map(bare, rows))
    try:
        if not unguarded:  # what only reads would wait, and hold a thread, for what nobody answers now
            book.breaker().admit(venue, Environment(owner.environment), reading=True)
        hunger = Hunger(region, venue, account)
        with pressing(Priority.PROTECT) if unguarded else hunger.asking():
            short = _take_care(region, owner, venue, rows, whole=whole, all_read=len(rows) == len(every))
            if short is None:
                hunger.answered()
            else:
                hunger.refused()
                if (short.retry_after or 0) <= pace.LONGEST_REST_SECONDS:
                    raise short  # the look rests until there is room for all of it
    except AuthRefused as error:
        log.warning("the key of account %s is refused while it is supervised: %s", account, error.code)
        keycheck.doubt(region, account, owner.sealed)
        if keytrouble.known(owner):  # nobody expects anything of it before it is replaced
            pace.mark(region, [(account, venue)], time.time() + REFUSED_SECONDS)
    except VaultError as error:
        log.warning("the key of account %s cannot be opened while it is supervised: %s", account, error)
    except ExchangeError as error:
        log.warning("looking after %s on %s failed: %s (%s)", account, venue, error.kind, error.message)
        if isinstance(error, NotSent) and error.retry_after and not unguarded:
            pace.rest(region, account, venue, error.retry_after)


def bare(row: Bracket) -> bool:
    """Whether it may stand without the stop it is to have: looks that end that go before everybody else's."""
    if row.status == BracketState.DONE or not row.quantity:
        return False
    return _lacks_stop(brackets.from_row(row))


def _lacks_stop(bracket: Guarded) -> bool:
    stops = [leg for leg in bracket.live(LegKind.STOP) if leg.status is LegState.OPEN]
    sure = any(not leg.error and not leg.missing for leg in stops)
    wanted = bracket.plan.stop is not None and bracket.plan.stop.level is not None
    return wanted and bracket.remaining > 0 and not sure


def _take_care(
    region: str, owner: Account, venue: str, rows: list[Bracket], *, whole: bool, all_read: bool
) -> ExchangeError | None:
    """Protection first; then what the look says about everything else. The legs of a bracket that could not be read are
    no orphans. Returned is what cut it short: a refusal by the exchange's limits."""
    desk = open_desk(owner, venue)
    more = compare.symbols(owner, venue) if whole else None
    rows = _still_listed(desk, rows)
    try:
        view = look(desk, rows, more)
        _tend(region, desk, rows, view, more)
    finally:
        holdings.keep(owner, venue, desk.fills.values())
    if view.counted:
        obscured = frozenset(instrument for instrument, _ in view.obscured)
        seen = compare.Found(view.began, list(view.positions.values()), view.asked, view.whole, obscured)
        compare.positions(desk, owner, seen, rows)
    if whole and all_read:
        for orphan in orphans.find(desk, owner, view.reports(), rows):
            orphans.cancel(region, desk, owner, orphan)
    return view.short


def _still_listed(desk: Desk, rows: list[Bracket]) -> list[Bracket]:
    """Without what the exchange has taken off its list: nothing can be read about it, and the others are not to wait."""
    kept = []
    for row in rows:
        if desk.connection.table.by_symbol(row.instrument) is not None:
            kept.append(row)
        elif row.status in ACTIVE_BRACKETS:
            _tell_unlisted(row)
    return kept


def _tell_unlisted(row: Bracket) -> None:
    """Once, on the page of the bracket and in the log."""
    words = f"{row.venue} does not list {row.instrument} any more: look at the position there"
    if row.note != words:
        log.error("bracket %s is not looked after: %s", row.public_id, words)
        bracket = brackets.from_row(row)
        bracket.note = words
        brackets.save(bracket, row.version, by="supervision")


def _tend(region: str, desk: Desk, rows: list[Bracket], view: View, more: set[str] | None) -> None:
    """Each is read before any is judged: a leg of one that filled is why the position of all is smaller."""
    read: list[tuple[Bracket, Guarded]] = []
    lists = Round()
    for row in rows:
        with _alone(row, view), hurried(when=view.short is not None):
            if row.status == BracketState.DONE:
                _aftercare(desk, row, view)
                continue
            bracket = brackets.from_row(row)
            with lists.asking():
                observe.read(desk, bracket, view)
            read.append((row, bracket))
    wanted = {
        name for _, bracket in read for leg in bracket.live() for name in (leg.client_id, leg.exchange_id)
    }
    for row, bracket in read:
        with _alone(row, view):
            _cancel_left_over(desk, row, bracket, view, wanted)
    for row, bracket in read:
        with _alone(row, view):
            _care(region, desk, row, bracket, view, more)


def _cancel_left_over(desk: Desk, row: Bracket, bracket: Guarded, view: View, wanted: set[str]) -> None:
    """A leg that history has as cancelled and that still stands: the command that meant to cancel it did not reach the
    exchange."""
    for leg in bracket.legs:
        if leg.status is not LegState.CANCELLED or {leg.client_id, leg.exchange_id} & wanted - {""}:
            continue
        report = view.find(leg.ref)
        if report is not None and desk.cancel(desk.listed(bracket.instrument), report.ref):
            orphans.tell(row.account, row.venue, report, row)


@contextmanager
def _alone(row: Bracket, view: View) -> Iterator[None]:
    """What goes wrong about one bracket holds up none of the others; only nothing is made of a position that one guards
    of which nobody knows what it filled. What would hit the next one just as well ends the look. Limits do not: what
    was read so far is kept, or the next look would begin anew and come no further."""
    try:
        with mishap.caught(f"looking after bracket {row.public_id}", but=FORESEEN) as mishaps:
            yield
    except (AuthRefused, NotSent, Throttled) as error:
        if not limited(error):
            raise
        log.warning("looking after bracket %s on %s waits: %s", row.public_id, row.venue, error)
        view.short = error
        view.obscure(row)
    except Maintenance as error:
        if not isinstance(error, MarketPaused):
            raise
        view.obscure(row)
    except FORESEEN as error:
        if not said_before(error):
            log.warning("looking after bracket %s on %s failed: %s", row.public_id, row.venue, error)
        view.obscure(row)
    else:
        if mishaps:
            view.obscure(row)


def _owner(account: str) -> Account | None:
    return Account.objects.select_related("user").filter(public_id=account).first()


def _rows(account: str, venue: str) -> Iterator[Bracket]:
    """Newest first: what was closed elsewhere is taken off the newest."""
    rows = Bracket.objects.filter(account__public_id=account, venue=venue).filter(_needs_care())
    yield from rows.select_related("account", "account__user").order_by("-created_at")


def open_desk(account: Account, venue: str) -> Desk:
    holder = JobAccount(account.public_id, account.label, account.exchange, account.sealed)
    return Desk(
        book.pool().connection(venue, Environment(account.environment)),
        book.keyring().open(account.user.public_id, holder),
        facts=book.facts().of(account.public_id, venue, account.sealed),
    )


def look(desk: Desk, rows: list[Bracket], more: set[str] | None = None) -> View:
    """Open orders first, positions after: a fill between the two shows as a smaller position, which is only
    believed when a second look confirms it. `more` makes it a whole look: at the orders of these instruments too,
    and at all positions."""
    view = View(whole=more is not None)
    view.listed = view.whole or not _asks_for_each(desk, rows)
    for where in _order_places(desk, rows, more) if view.listed else []:
        for report in desk.venue.open_orders(desk.keys, where):
            for name in (report.client_id, report.exchange_id):
                if name:
                    view.orders[name] = report
    with _counting(view):
        if desk.spot:
            _count_coins(desk, view, rows)
        else:
            _count_positions(desk, view, rows)
    if view.counted:
        _compare(desk, view, rows)
    return view


@contextmanager
def _counting(view: View) -> Iterator[None]:
    """Where the limits leave no room for the second question, what the first told is still worth something."""
    try:
        yield
    except (NotSent, Throttled) as error:
        if not limited(error):
            raise
        view.counted, view.short = False, error


def _order_places(desk: Desk, rows: list[Bracket], more: set[str] | None) -> list[Instrument | None]:
    """One question for everything, unless asking for each instrument costs less."""
    symbols = {row.instrument for row in rows}
    asked = [desk.listed(symbol) for symbol in sorted(symbols)]
    known = (desk.connection.table.by_symbol(symbol) for symbol in sorted((more or set()) - symbols))
    places = asked + [each for each in known if each]
    by_symbol = desk.venue.features.open_orders_by_symbol
    return [*places] if by_symbol or len(places) <= desk.venue.cheaper_one_by_one else [None]


def _asks_for_each(desk: Desk, rows: list[Bracket]) -> bool:
    """Whether `observe` asks for each order that stands for a bracket, because that costs less than the list. What
    stands and should not is then not seen: it is looked for in whole looks, and for a while after it should have gone."""
    asked = 0
    for row in rows:
        bracket = brackets.from_row(row)
        done = row.status == BracketState.DONE
        replaced = any(leg.status is LegState.CANCELLED for leg in bracket.legs)
        if (done or replaced) and timezone.now() - row.updated_at < FRESH:
            return False
        if not done:
            asked += bracket.entry_open + sum(leg.status is LegState.OPEN for leg in bracket.legs)
    return asked <= desk.venue.orders_one_by_one


def _count_positions(desk: Desk, view: View, rows: list[Bracket]) -> None:
    symbols = {row.instrument for row in rows}
    alone = len(symbols) == 1 and not view.whole  # which is cheaper on most exchanges
    where = desk.listed(symbols.pop()) if alone else None
    for position in desk.venue.positions(desk.keys, where):
        view.positions[position.symbol, position.direction.value] = position
    view.asked = {where.symbol} if where else None


def _count_coins(desk: Desk, view: View, rows: list[Bracket]) -> None:
    """Whether what the brackets are to sell is there. Coins beyond that are their owner's own business."""
    claimed = compare.claimed(rows)
    view.counted = view.whole and bool(claimed)
    if not view.counted:
        return
    held = desk.venue.balances(desk.keys)
    for symbol in claimed:
        balance = held.get(desk.listed(symbol).base)
        total = balance.total if balance else Decimal(0)
        view.positions[symbol, Direction.LONG.value] = Position(symbol, Direction.LONG, total, Decimal(0))
    view.asked = set(claimed)


def _compare(desk: Desk, view: View, rows: list[Bracket]) -> None:
    """Write down where the brackets believe to protect more than is open. Less than one step is rounding."""
    believed: dict[tuple[str, str, LegKind], Decimal] = {}
    for row in rows:
        if row.status in ACTIVE_BRACKETS:
            bracket = brackets.from_row(row)
            believed[bracket.share] = believed.get(bracket.share, Decimal(0)) + bracket.remaining
    for key, protected in believed.items():
        position = view.positions.get(key[:2])
        held = position.quantity if position else Decimal(0)
        excess = max(protected - held, Decimal(0))
        view.excess[key] = excess if excess >= desk.listed(key[0]).step else Decimal(0)


def _care(region: str, desk: Desk, row: Bracket, bracket: Guarded, view: View, more: set[str] | None) -> None:
    """`bracket`: the row, as it was read by this look."""
    before = dump(brackets.from_row(row))
    if (row.instrument, row.direction) not in view.obscured:
        observe.judge(bracket, view)
    if observe.wants_action(desk, bracket) or _ended(row, bracket, LegState.CANCELLED):
        _keep_ends(row, bracket)
        with pressing(Priority.PROTECT if _lacks_stop(bracket) else Priority.QUERY):
            _act(region, desk, row, more)
    elif dump(bracket) != before:
        brackets.save(bracket, row.version, by="supervision")


def _ended(row: Bracket, bracket: Guarded, how: LegState) -> bool:
    """Whether this look found a leg ended. A command at work may have cancelled it, for reasons of its own that
    it has yet to write down: that is judged under the lane."""
    before = {leg.token: leg.status for leg in brackets.from_row(row).legs}
    return any(leg.status is how and before.get(leg.token) is LegState.OPEN for leg in bracket.legs)


def _keep_ends(row: Bracket, bracket: Guarded) -> None:
    """Fills are final: written down before the second look, they need not be asked for again. Where requests are
    few, a round that asked twice for everything would never have any left to act."""
    if _ended(row, bracket, LegState.CANCELLED):
        return
    if _ended(row, bracket, LegState.FILLED) or (row.entry_open and not bracket.entry_open):
        bracket.gone_seen = row.gone_seen
        brackets.save(bracket, row.version, by="supervision")


def _act(region: str, desk: Desk, seen: Bracket, more: set[str] | None) -> None:
    """Under the lane of the symbol, from a fresh row and a fresh look of the same kind."""
    lane = lane_of(seen.account.public_id, seen.venue, seen.symbol)
    job = lanes.watcher(region)
    try:
        ticket = lanes.next_ticket(region, lane, job)
        with lanes.turn(region, lane, job, ticket, LANE_SECONDS):
            row = Bracket.objects.select_related("account").get(pk=seen.pk)
            if row.status in ACTIVE_BRACKETS:
                _act_on(desk, row, more)
    except lanes.LaneBusy:
        return  # a command is at work there: the next look comes soon
    except Overtaken:
        log.warning("bracket %s changed while it was being looked after", seen.public_id)


def _act_on(desk: Desk, row: Bracket, more: set[str] | None) -> None:
    others = _still_listed(desk, brackets.readable(_rows(row.account.public_id, row.venue)))
    bracket = brackets.from_row(row)
    view, lists = look(desk, others, more), Round()
    for other in others:
        if _beside(other, row):
            with _alone(other, view), lists.asking():
                observe.read(desk, brackets.from_row(other), view)
    with lists.asking():
        observe.read(desk, bracket, view)
    if (row.instrument, row.direction) not in view.obscured:
        observe.judge(bracket, view)
    with written_down(desk, row, bracket):
        if observe.wants_action(desk, bracket):
            observe.act(desk, bracket)
        if bracket.status == BracketState.DONE and bracket.quantity and not desk.spot:
            _clear(desk, bracket, view)


def _beside(other: Bracket, row: Bracket) -> bool:
    """Whether it guards a part of the same position."""
    same = (other.instrument, other.direction) == (row.instrument, row.direction)
    return same and other.pk != row.pk and other.status in ACTIVE_BRACKETS


class Overtaken(Exception):
    """Somebody else changed the bracket: nothing more is sent for it from here."""


@contextmanager
def written_down(desk: Desk, row: Bracket, bracket: Guarded) -> Iterator[None]:
    """The bracket is in the books before each request that changes what stands for it, and when all is done or the
    exchange has refused: whoever comes after a worker that died knows what may stand. Raises Overtaken."""
    version, written = row.version, dump(brackets.from_row(row))

    def write(what: Guarded) -> None:
        nonlocal version, written
        if (now := dump(what)) == written:
            return
        if not brackets.save(what, version, by="supervision"):
            raise Overtaken
        version, written = version + 1, now

    before, desk.checkpoint = desk.checkpoint, write
    try:
        yield
    except (ExchangeError, UnknownOutcome, Rejection):
        write(bracket)
        raise
    else:
        write(bracket)
    finally:
        desk.checkpoint = before


def _clear(desk: Desk, bracket: Guarded, view: View) -> None:
    """The stop ended a position that was to be closed at a limit too. Not every exchange ends what only reduces when
    nothing is left: it would close the next position, whoever opens it."""
    if not view.counted or (bracket.instrument, bracket.direction.value) in view.positions:
        return
    instrument = desk.listed(bracket.instrument)
    own = {name for leg in bracket.legs for name in (leg.client_id, leg.exchange_id) if name}
    standing = view.reports() if view.listed else desk.venue.open_orders(desk.keys, instrument)
    for report in standing:
        if report.symbol != bracket.instrument or {report.client_id, report.exchange_id} & own:
            continue
        if closes_one_of(report, [bracket.direction], spot=False):
            desk.cancel(instrument, report.ref)


def _aftercare(desk: Desk, row: Bracket, view: View) -> None:
    """A leg of a bracket that is done and still stands is an orphan."""
    bracket: Guarded = brackets.from_row(row)
    standing = [
        (leg, report)
        for leg in bracket.legs
        if (report := view.find(OrderRef(leg.client_id, leg.exchange_id))) is not None
    ]
    instrument = desk.connection.table.by_symbol(row.instrument)
    if not standing or instrument is None:
        return
    for leg, _ in standing:
        leg.status = LegState.OPEN
    cancel_legs(desk, bracket, instrument, [leg for leg, _ in standing])
    bracket.note = f"{bracket.note}; {len(standing)} left-over order(s) cancelled".lstrip("; ")
    brackets.save(bracket, row.version, by="supervision")
    for leg, report in standing:
        if leg.status is LegState.CANCELLED:
            orphans.tell(row.account, row.venue, report, row)


#: KEYS: lease. ARGV: whose it was, mine, seconds. 1 when it has passed over.
_TAKE_OVER = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


@contextmanager
def lease(region: str, name: str, seconds: int = LEASE_SECONDS) -> Iterator[bool]:
    """Whether this is held by nobody else who lives; it ends by itself as well."""
    server = region_redis(region)
    try:
        mine = f"{claims.heart(region).worker} {time.time_ns()}"
        held = bool(server.set(name, mine, nx=True, ex=seconds)) or _inherit(region, name, mine, seconds)
    except redis.RedisError:
        yield False
        return
    try:
        yield held
    finally:
        if held:
            _end_lease(server, name, mine)


def _inherit(region: str, name: str, mine: str, seconds: int) -> bool:
    server = region_redis(region)
    holder = str(server.get(name) or "")
    if not holder or claims.lives(region, holder.partition(" ")[0]):
        return False
    return bool(script(_TAKE_OVER)(keys=[name], args=[holder, mine, seconds], client=server))


def _end_lease(server: redis.Redis, name: str, mine: str) -> None:
    try:
        if server.get(name) == mine:
            server.delete(name)
    except redis.RedisError as error:
        log.warning("%s ends by itself: %s", name, type(error).__name__)
