"""Crypto.com through ccxt, spot, in the shapes of https://exchange-docs.crypto.com/exchange/v1 (read 2026-11-22):
everything is a POST there, and there is no call for the time."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import httpx
import pytest

from exchanges.errors import (
    AuthRefused,
    ExchangeError,
    InsufficientFunds,
    OrderNotFound,
    OutcomeUnknown,
    Unsupported,
)
from exchanges.generic.venue import GenericVenue
from exchanges.limits import LocalGate, Priority
from exchanges.symbols import InstrumentTable
from exchanges.types import (
    Environment,
    Instrument,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Product,
    Side,
)
from tests.exchanges.generic.wire import KEYS, Exchange, opened

ROOT = "/exchange/v1"
CREATE, DETAIL = f"{ROOT}/private/create-order", f"{ROOT}/private/get-order-detail"
OPEN = f"{ROOT}/private/get-open-orders"
MARKET = {
    "symbol": "BTC_USDT",
    "inst_type": "CCY_PAIR",
    "display_name": "BTC/USDT",
    "base_ccy": "BTC",
    "quote_ccy": "USDT",
    "quote_decimals": 2,
    "quantity_decimals": 5,
    "price_tick_size": "0.01",
    "qty_tick_size": "0.00001",
    "max_leverage": "50",
    "tradable": True,
    "expiry_timestamp_ms": 0,
}
TICKER = {"i": "BTC_USDT", "a": "50000.01", "b": "50000", "k": "50000.02", "t": 1686804664362}


def good(result: Any, method: str = "") -> dict[str, Any]:
    return {"id": 1, "method": method, "code": 0, "result": result}


def detail(**changed: Any) -> dict[str, Any]:
    return {
        "order_id": "6142909895025252686",
        "client_oid": "f1",
        "order_type": "LIMIT",
        "time_in_force": "GOOD_TILL_CANCEL",
        "side": "BUY",
        "exec_inst": [],
        "quantity": "0.00020",
        "limit_price": "20000.00",
        "avg_price": "19999.123456789",
        "cumulative_quantity": "0.00020",
        "cumulative_value": "4",
        "cumulative_fee": "0.0000001",
        "status": "FILLED",
        "instrument_name": "BTC_USDT",
        "fee_instrument_name": "BTC",
        "create_time": 1686870220684,
        "update_time": 1686870220684,
    } | changed


@pytest.fixture
def crypto() -> Exchange:
    date = {"date": "Sun, 22 Nov 2026 20:00:00 GMT"}
    return Exchange(
        {
            ("GET", f"{ROOT}/public/get-instruments"): good({"data": [MARKET]}),
            ("GET", f"{ROOT}/public/get-tickers"): httpx.Response(
                200, json=good({"data": [TICKER]}), headers=date
            ),
            ("POST", CREATE): good({"order_id": "6540219377766741832", "client_oid": "f1"}),
            ("POST", DETAIL): good(detail()),
        }
    )


@pytest.fixture
def venue(crypto: Exchange) -> GenericVenue:
    return opened("cryptocom", Product.SPOT, crypto)


@pytest.fixture
def btc(venue: GenericVenue) -> Instrument:
    return InstrumentTable(venue.instruments()).find("BTC-USDT")


def limit(instrument: Instrument) -> OrderRequest:
    return OrderRequest(
        instrument, "f1", Side.BUY, OrderType.LIMIT, quantity=Decimal("0.0002"), price=Decimal(20000)
    )


def test_an_order_carries_our_id_and_exact_numbers(
    crypto: Exchange, venue: GenericVenue, btc: Instrument
) -> None:
    report = venue.place(KEYS, limit(btc))
    sent = crypto.body("POST", CREATE)["params"]
    assert (sent["client_oid"], sent["quantity"], sent["price"]) == ("f1", "0.0002", "20000")
    assert report.exchange_id == "6540219377766741832"
    assert crypto.sent("POST", CREATE)[0].url.host == "api.crypto.com"


def test_a_fill_is_read_exactly(venue: GenericVenue, btc: Instrument) -> None:
    report = venue.fetch(KEYS, btc, OrderRef("f1", "6142909895025252686"))
    assert (report.status, report.average_price) == (OrderStatus.FILLED, Decimal("19999.123456789"))


def test_the_time_is_told_by_the_date_of_an_answer(venue: GenericVenue) -> None:
    assert venue.server_time_ms() == 1795377600000


def test_a_stop_is_refused_because_it_could_not_be_found_again(
    crypto: Exchange, venue: GenericVenue, btc: Instrument
) -> None:
    assert not venue.features.conditional
    stop = OrderRequest(
        btc, "f2", Side.SELL, OrderType.STOP, quantity=Decimal("0.0002"), trigger_price=Decimal(19000)
    )
    before = len(crypto.requests)
    with pytest.raises(Unsupported, match="stop and take-profit orders"):
        venue.place(KEYS, stop)
    assert len(crypto.requests) == before


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, 40101, AuthRefused),
        (400, 306, InsufficientFunds),
        (500, 50001, OutcomeUnknown),
        (503, 99999, OutcomeUnknown),
    ],
)
def test_codes_are_judged_by_what_ccxt_knows_of_them(
    status: int, code: int, kind: type[ExchangeError], crypto: Exchange, venue: GenericVenue, btc: Instrument
) -> None:
    crypto.answers["POST", CREATE] = httpx.Response(status, json={"id": 1, "code": code, "message": "no"})
    with pytest.raises(kind):
        venue.place(KEYS, limit(btc))


def test_an_order_that_is_not_there_is_not_found(
    crypto: Exchange, venue: GenericVenue, btc: Instrument
) -> None:
    crypto.answers["POST", DETAIL] = httpx.Response(
        400, json={"id": 1, "code": 212, "message": "INVALID_ORDERID"}
    )
    with pytest.raises((OrderNotFound, ExchangeError)) as caught:
        venue.fetch(KEYS, btc, OrderRef("", "1"))
    assert not isinstance(caught.value, OutcomeUnknown)


def many(count: int) -> dict[str, Any]:
    rows = [detail(status="ACTIVE", order_id=str(number), client_oid=f"g{number}") for number in range(count)]
    return good({"data": rows})


def test_a_full_list_of_open_orders_is_not_taken_for_all_of_them(
    crypto: Exchange, venue: GenericVenue, btc: Instrument
) -> None:
    crypto.answers["POST", OPEN] = many(99)
    assert len(venue.open_orders(KEYS, btc)) == 99
    crypto.answers["POST", OPEN] = many(100)
    with pytest.raises(OutcomeUnknown, match="may be more"):
        venue.open_orders(KEYS, btc)
    with pytest.raises(OutcomeUnknown, match="may be more"):
        venue.fetch(KEYS, btc, OrderRef("f1"))


class Counting(LocalGate):
    """Remembers what passed."""

    def __init__(self) -> None:
        super().__init__()
        self.passed: list[tuple[set[str], Priority]] = []

    def admit(self, charges: Sequence[Any], priority: Priority, **more: Any) -> Any:
        self.passed.append(({charge.bucket for charge in charges}, priority))
        return super().admit(tuple(charges), priority, **more)


class Watching:
    def __init__(self) -> None:
        self.calls: list[tuple[str, bool, bool]] = []

    def saw(
        self,
        venue: str,
        environment: Environment,
        took_seconds: float,
        failure: ExchangeError | None,
        *,
        reading: bool = False,
    ) -> None:
        self.calls.append((venue, failure is None, reading))


def test_every_request_passes_our_gate_and_is_seen_by_our_witness(crypto: Exchange, btc: Instrument) -> None:
    gate, witness = Counting(), Watching()
    venue = opened("cryptocom", Product.SPOT, crypto, gate=gate, witness=witness)
    venue.place(KEYS, limit(btc))
    venue.fetch(KEYS, btc, OrderRef("f1", "6142909895025252686"))
    both = {"requests", "requests of a key"}
    assert gate.passed == [(both, Priority.ENTRY), (both, Priority.QUERY)]
    assert witness.calls == [("CryptoCom", True, False), ("CryptoCom", True, True)]
