"""What an order goes out in that says no margin mode: what the trader has set up stays as it is, on every venue."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as D
from typing import Any

import pytest

from exchanges.errors import Refused
from exchanges.pool import Connection, Pool
from exchanges.registry import venues
from exchanges.transport import Answer, Request, Transport
from exchanges.types import (
    Credentials,
    Direction,
    Environment,
    Instrument,
    MarginMode,
    OrderRequest,
    OrderType,
    Product,
    Side,
)
from exchanges.venue import Call, Venue
from execution import book, supervise
from execution.desk import Desk
from execution.known import Facts

LINEAR = (kind for kind in venues().values() if kind.product is Product.LINEAR)
FUTURES = sorted((kind for kind in LINEAR if kind.features.leverage), key=lambda kind: kind.name)
NAMING = [kind for kind in FUTURES if kind.features.mode_per_order]
#: no setting at the exchange says it while nothing is open: it is cross then, say their guides
WITHOUT_SETTING = {"OKX_F", "HTX_F"}
#: the setting is the whole account's, and not changed for the sake of one symbol
SET_FOR_ALL = {"BloFin_F"}
SET_BY_SYMBOL = [kind for kind in FUTURES if kind.name not in WITHOUT_SETTING | SET_FOR_ALL]


def by_name(kind: type[Venue]) -> str:
    return kind.name


def forget(trader: Any) -> None:
    """As in a worker that has just started; what was used of the limits is forgotten too."""
    trader.sandbox.enforce_limits(False)
    book.pool().close()
    book.pool.cache_clear()
    book.facts.cache_clear()


def opened(trader: Any, kind: type[Venue]) -> list[tuple[D, bool]]:
    """What is open: how much, and whether the exchange tells that it is cross."""
    desk = supervise.open_desk(trader.accounts[kind.key_family], kind.name)
    found = desk.positions(desk.instrument("BTCUSDT"))
    return [(each.quantity, each.margin_mode is MarginMode.CROSS) for each in found]


@pytest.mark.parametrize("kind", FUTURES, ids=by_name)
def test_what_says_no_mode_goes_with_the_open_position(make_desk, kind):
    trader = make_desk(families=(kind.key_family,))
    first = trader.one(f"BTCUSDT on {kind.name} market long 0.01 5x isolated")
    assert (first["status"], first["error"]) == ("filled", None)
    forget(trader)
    more = trader.one(f"BTCUSDT on {kind.name} market long 0.01")
    assert (more["status"], more["error"]) == ("filled", None)
    assert opened(trader, kind) == [(D("0.02"), False)]
    forget(trader)
    closed = trader.one(f"BTCUSDT on {kind.name} close 100%")
    assert (closed["status"], closed["error"]) == ("filled", None)
    assert opened(trader, kind) == []


@pytest.mark.parametrize("kind", SET_BY_SYMBOL, ids=by_name)
def test_what_says_no_mode_goes_with_the_setting_of_the_symbol(make_desk, kind):
    trader = make_desk(families=(kind.key_family,))
    assert trader.one(f"BTCUSDT on {kind.name} 5x isolated")["error"] is None
    forget(trader)
    assert trader.one(f"BTCUSDT on {kind.name} market long 0.01")["error"] is None
    assert opened(trader, kind) == [(D("0.01"), False)]


@pytest.mark.parametrize("name", sorted(WITHOUT_SETTING))
def test_where_no_setting_exists_it_is_cross_and_the_guide_says_so(make_desk, name):
    kind = venues()[name.lower()]
    trader = make_desk(families=(kind.key_family,))
    assert trader.one(f"BTCUSDT on {kind.name} market long 0.01")["error"] is None
    assert opened(trader, kind) == [(D("0.01"), True)]
    assert any("else it is cross" in quirk for quirk in kind.guide.quirks)


class Heard(Transport):
    """The real wire, and every request that went over it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.requests: list[Request] = []

    def send(self, request: Request) -> Answer:
        self.requests.append(request)
        return super().send(request)


class Line:
    """One account at one venue, and what is asked of the exchange for it."""

    def __init__(self, pool: Pool, sandbox: Any, kind: type[Venue]) -> None:
        given = sandbox.account(kind.key_family)
        self.keys = Credentials(given["key"], given["secret"], given.get("passphrase") or "")
        self.connection: Connection = pool.connection(kind.name, Environment.SANDBOX)
        self.instrument: Instrument = self.connection.table.find("BTCUSDT")
        self.venue = self.connection.venue
        self.desk = self.fresh()

    def fresh(self) -> Desk:
        return Desk(self.connection, self.keys, facts=Facts())

    def requests(self) -> list[Request]:
        wire = self.connection.transports[0]
        assert isinstance(wire, Heard)
        return wire.requests

    def buy(self, name: str, mode: MarginMode | None, desk: Desk | None = None) -> None:
        request = OrderRequest(
            self.instrument,
            self.venue.client_id(f"01J8ZQ5T7XKQ4M2N9P6R3S{name}"),
            Side.BUY,
            OrderType.MARKET,
            quantity=D("0.01"),
            margin_mode=mode,
        )
        (desk or self.desk).send(request)

    def mode(self) -> MarginMode | None:
        return self.desk.margin_mode(self.instrument, Direction.LONG)


@pytest.fixture
def pool(sandbox: Any) -> Iterator[Pool]:
    sandbox.price("BTC/USDT", "50000")
    found = Pool(sandbox_url=sandbox.url, make_transport=Heard)
    yield found
    found.close()


@pytest.mark.parametrize("kind", NAMING, ids=by_name)
def test_the_mode_is_asked_for_once(pool, sandbox, kind):
    line = Line(pool, sandbox, kind)
    assert line.mode() is MarginMode.CROSS
    asked = len(line.requests())
    assert line.mode() is MarginMode.CROSS
    assert len(line.requests()) == asked


@pytest.mark.parametrize("kind", NAMING, ids=by_name)
def test_a_position_that_was_seen_is_known_without_asking(pool, sandbox, kind):
    line = Line(pool, sandbox, kind)
    line.buy("AAA1", MarginMode.ISOLATED)
    line.desk.hedged(line.instrument)
    line.desk.positions(line.instrument)
    asked = len(line.requests())
    assert line.mode() is MarginMode.ISOLATED
    assert len(line.requests()) == asked


@pytest.mark.parametrize("kind", NAMING, ids=by_name)
def test_a_leverage_belongs_to_the_mode_of_the_open_position(pool, sandbox, kind):
    line = Line(pool, sandbox, kind)
    line.buy("AAA1", MarginMode.ISOLATED)
    line.fresh().set_leverage(line.instrument, D(7), None, Direction.LONG)
    (sent,) = [each for each in line.requests() if b"7" in each.body and b"lever" in each.body.lower()]
    assert b"cross" not in sent.body


@pytest.mark.parametrize("kind", NAMING, ids=by_name)
def test_an_order_that_is_refused_is_a_reason_to_look_again(pool, sandbox, kind):
    line = Line(pool, sandbox, kind)
    assert line.mode() is MarginMode.CROSS
    line.buy("AAA1", MarginMode.ISOLATED, desk=line.fresh())
    assert line.mode() is MarginMode.CROSS
    with pytest.raises(Refused):
        line.buy("AAA2", line.mode())
    assert line.mode() is MarginMode.ISOLATED


def test_blofin_goes_with_the_setting_of_the_account(pool, sandbox):
    line = Line(pool, sandbox, venues()["blofin_f"])
    setting = Call("POST", "/api/v1/account/set-margin-mode", {"marginMode": "isolated"})
    line.venue.call(setting, line.keys)
    assert line.mode() is MarginMode.ISOLATED
    line.buy("AAA1", MarginMode.CROSS)
    line.desk = line.fresh()
    assert line.mode() is MarginMode.CROSS
    with pytest.raises(Refused):
        line.venue.call(setting, line.keys)
