"""Looking after positions must leave room for orders: what supervision may ask in a minute, on all products of an
exchange together, stays well below what the exchange grants an address; with what several processes ask of it to be
warm, each for itself."""

from collections import Counter
from decimal import Decimal as D
from functools import partial

import pytest

from exchanges.limits import LocalGate, Passage, Scope
from exchanges.pool import INSTRUMENTS_SECONDS
from exchanges.registry import venues
from execution.supervise import open_desk
from execution.view import look

#: the share of an address's limits that supervision may take
MOST = D("0.8")
#: workers of a region, each of which asks for the instruments
PROCESSES = 4
EXCHANGES = sorted({venue.exchange for venue in venues().values()})


def spent(monkeypatch, ask):
    """Units of each bucket that an address has, per minute where it is granted by another window."""
    seen: Counter[str] = Counter()
    room: dict[str, D] = {}

    def counted(gate, charges, *rest, **options):
        for charge in charges:
            if charge.limit.scope is Scope.ADDRESS:
                name = charge.account
                seen[name] += charge.cost
                room[name] = D(charge.limit.capacity) * 60 / D(str(charge.limit.window_seconds))
        return Passage(charges, options["addresses"][0])

    with monkeypatch.context() as patch:
        patch.setattr(LocalGate, "admit", counted)
        ask()
    return seen, room


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_supervision_leaves_an_address_room_for_orders(make_desk, monkeypatch, exchange):
    used: Counter[str] = Counter()
    room: dict[str, D] = {}
    for name, venue in sorted(venues().items()):
        if venue.exchange != exchange:
            continue
        desk = make_desk(families=(venue.key_family,))
        other = open_desk(desk.accounts[venue.key_family], name)
        at = other.instrument("BTCUSDT")
        looks, granted = spent(monkeypatch, partial(look, other, [], {at.symbol}))
        prices, more = spent(monkeypatch, partial(other.venue.quote, at))
        times, again = spent(monkeypatch, other.connection.refresh)
        lists, once = spent(monkeypatch, partial(other.connection.refresh, force=True))
        room |= granted | more | again | once
        for bucket in granted | more | again | once:
            used[bucket] += looks[bucket] * venue.looks_per_minute + prices[bucket] * venue.prices_per_minute
            used[bucket] += times[bucket] * venue.times_per_minute
            used[bucket] += (lists[bucket] - times[bucket]) * PROCESSES * 60 // int(INSTRUMENTS_SECONDS)
    over = {bucket: (used[bucket], room[bucket]) for bucket in room if used[bucket] > room[bucket] * MOST}
    assert not over
