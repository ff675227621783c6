"""The world without a socket: rate limits on a clock that the test moves, accounts, the register of dialects."""

import hashlib
import hmac
from decimal import Decimal

import pytest

from exchanges.registry import venues
from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.model import Reason
from exchanges.sandbox.wire import Call
from exchanges.sandbox.world import World, dialect_classes
from exchanges.types import Product


class Clocked:
    """A world at a time of our choice, with one Binance account."""

    def __init__(self):
        self.ms = 1_800_000_000_000
        self.world = World(now_ms=lambda: self.ms)
        self.account = self.world.open_account("binance")

    def ask(self, method, path, params="", address="10.0.0.1", venue="binance_f", sent_ms=None):
        query = f"{params}&timestamp={self.ms if sent_ms is None else sent_ms}"
        query += (
            "&signature=" + hmac.new(self.account.secret.encode(), query.encode(), hashlib.sha256).hexdigest()
        )
        headers = {"x-mbx-apikey": self.account.key}
        call = Call(method, path, query, b"", headers, address, self.ms)
        return self.world.answer(venue, call).reply


@pytest.fixture
def clocked():
    return Clocked()


def test_weight_is_counted_per_address_and_ends_in_429_then_418(clocked):
    for _ in range(2400 // 40):
        assert clocked.ask("GET", "/fapi/v1/openOrders").status == 200
    refused = clocked.ask("GET", "/fapi/v1/openOrders")
    assert (refused.status, refused.data["code"]) == (429, -1003)
    assert int(refused.headers["retry-after"]) > 0
    assert clocked.ask("GET", "/fapi/v1/openOrders", address="10.0.0.2").status == 200
    while refused.status == 429:
        refused = clocked.ask("GET", "/fapi/v1/openOrders")
    assert (refused.status, refused.headers["retry-after"]) == (418, "120")
    clocked.ms += 119_000
    assert clocked.ask("GET", "/fapi/v1/openOrders").status == 418
    clocked.ms += 1_000
    assert clocked.ask("GET", "/fapi/v1/openOrders").status == 200


def test_orders_are_counted_per_account(clocked):
    order = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=1&price=40000"
    for _ in range(300):
        assert clocked.ask("POST", "/fapi/v1/order", order).status == 200
    refused = clocked.ask("POST", "/fapi/v1/order", order)
    assert (refused.status, refused.data["code"]) == (429, -1015)
    clocked.ms += 10_000
    assert clocked.ask("POST", "/fapi/v1/order", order).status == 200


def test_one_symbol_is_cheaper_than_all(clocked):
    assert clocked.ask("GET", "/fapi/v1/openOrders", "symbol=BTCUSDT").headers["x-mbx-used-weight-1m"] == "1"
    assert clocked.ask("GET", "/fapi/v1/openOrders").headers["x-mbx-used-weight-1m"] == "41"


@pytest.mark.parametrize(("late_ms", "code"), [(5_000, None), (5_001, -1021), (-999, None), (-1_000, -1021)])
def test_a_timestamp_may_be_a_little_early_and_recv_window_late(clocked, late_ms, code):
    answer = clocked.ask("GET", "/fapi/v3/account", sent_ms=clocked.ms - late_ms)
    assert (answer.data.get("code"), answer.status) == (code, 400 if code else 200)


def test_microseconds_are_a_timestamp_too(clocked):
    assert clocked.ask("GET", "/fapi/v3/account", sent_ms=clocked.ms * 1000).status == 200


def test_a_signature_over_query_and_body_joined_without_separator(clocked):
    query, body = "symbol=BTCUSDT&side=BUY&type=MARKET", f"quantity=1&timestamp={clocked.ms}"
    signature = hmac.new(clocked.account.secret.encode(), (query + body).encode(), hashlib.sha256).hexdigest()
    call = Call(
        "POST",
        "/fapi/v1/order",
        query,
        f"{body}&signature={signature.upper()}".encode(),
        {"x-mbx-apikey": clocked.account.key},
        "10.0.0.1",
        clocked.ms,
    )
    assert clocked.world.answer("binance_f", call).reply.status == 200


def test_the_documented_signature_is_accepted():
    """The example of Binance's own documentation (request security, SIGNED endpoint example for POST)."""
    world = World(now_ms=lambda: 1499827319559)
    secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
    world.open_account("binance", credentials=("key", secret, ""))
    query = (
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
        "&timestamp=1499827319559&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    )
    call = Call("POST", "/api/v3/order", query, b"", {"x-mbx-apikey": "key"}, "10.0.0.1", 1499827319559)
    reply = world.answer("binance", call).reply
    assert reply is not None
    assert reply.data == {"code": -1121, "msg": "Invalid symbol."}


def test_a_handler_that_breaks_is_an_internal_error_and_is_seen(clocked, capsys, monkeypatch):
    desk = clocked.world.venues["binance_f"].desk
    monkeypatch.setattr(desk, "bid", lambda market: 1 / 0)
    answer = clocked.ask("GET", "/fapi/v1/ticker/bookTicker", "symbol=BTCUSDT")
    assert (answer.status, answer.data["code"]) == (500, -1000)
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_venues_of_one_exchange_share_the_account_but_not_the_wallet(clocked):
    clocked.ask("POST", "/fapi/v1/order", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1")
    assert clocked.account.total("futures", "USDT") < 1_000_000
    assert clocked.account.total("spot", "USDT") == Decimal(1_000_000)


# -- every dialect there is ------------------------------------------------------------------------------------

EVERY = pytest.mark.parametrize("kind", dialect_classes(), ids=lambda kind: kind.name)


def test_every_native_venue_has_a_dialect():
    assert {kind.name.lower() for kind in dialect_classes()} >= set(venues())


@EVERY
def test_a_dialect_goes_by_the_name_and_keys_of_its_venue(kind):
    venue = venues()[kind.name.lower()]
    assert (kind.family, kind.product) == (venue.key_family, venue.product)


@EVERY
def test_every_reason_has_an_answer(kind):
    dialect = World().venues[kind.name.lower()]
    call = Call("POST", "/nothing", "", b"", {}, "10.0.0.1", 0)
    for reason in Reason:
        reply = dialect.refuse(reason, "thing", call)
        assert reply.body()
        assert 200 <= reply.status < 600


@EVERY
def test_every_price_step_and_minimum_makes_sense(kind):
    assert len({market.symbol for market in kind.markets}) == len(kind.markets)
    for market in kind.markets:
        assert market.product is kind.product
        assert market.min_quantity % market.step == 0
        assert World().prices.of(market.base, market.quote) > market.tick


@EVERY
def test_credentials_open_the_account_they_belong_to(kind):
    world = World()
    first, second = (world.open_account(kind.family) for _ in range(2))
    assert first.key != second.key
    assert world.venues[kind.name.lower()].account(first.key) is first


def test_a_route_can_have_parts_in_its_path():
    class Parted(Dialect):
        family, product = "parted", Product.SPOT

        @route("GET /tickers/{symbol}", public=True)
        def ticker(self, call):
            return call.text("symbol")

    match = Parted.find("GET", "/tickers/BTC")
    assert match is not None
    found, parts = match
    assert (found.handler, parts) == ("ticker", {"symbol": "BTC"})
    assert Parted.find("POST", "/tickers/BTC") is None
    assert Parted.find("GET", "/tickers/BTC/more") is None
